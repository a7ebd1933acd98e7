"""Which counts of people by class would tell a few of them: the classes share a whole, and everybody knows the whole.

One class kept back alone is worked out from the rest, and so is a group from all groups; and counts of the same people
by two rules tell the few who lie between them. What is kept back here carries how few people it would tell, and
`evalkit.disclosure` withholds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evalkit.disclosure import KEEPS, TELLS


def classes_withheld(counts: Sequence[int], minimum: int, *, companions: Sequence[int]) -> dict[int, int]:
    """Which classes of one whole to keep back, and how few people each would tell.

    Those with fewer people than the minimum, and with them others in the order of `companions` for as long as one would
    be alone or all of them together are too few; every class where the whole has fewer people than the minimum.

    >>> classes_withheld([20, 81, 3], 5, companions=[1, 0, 2]), classes_withheld([20, 84, 0], 5, companions=[1, 0, 2])
    ({2: 3, 1: 3}, {})
    """
    if 0 < sum(counts) < minimum:
        return dict.fromkeys(range(len(counts)), sum(counts))
    gone = [place for place, count in enumerate(counts) if 0 < count < minimum]
    if not gone:
        return {}
    few = min(counts[place] for place in gone)
    left = [place for place in companions if place not in gone and counts[place]]
    while left and (len(gone) == 1 or sum(counts[place] for place in gone) < minimum):
        gone.append(left.pop(0))
    return dict.fromkeys(gone, few)


def cells_withheld(wholes: Sequence[Mapping[str, int]], minimum: int) -> dict[str, int]:
    """Which counts of a row to keep back, and how few each would tell; `wholes`: counts by name that share a known sum.

    >>> cells_withheld([{"used": 9, "embedded": 2}, {"tried": 6, "not yet": 0}], 5)
    {'embedded': 2, 'used': 2}
    """
    found: dict[str, int] = {}
    for whole in wholes:
        names = list(whole)
        smallest = sorted(range(len(names)), key=lambda place: whole[names[place]])
        gone = classes_withheld([*whole.values()], minimum, companions=smallest)
        found |= {names[place]: few for place, few in gone.items()}
    return found


def part_tells(n: int, whole: int, minimum: int) -> int | None:
    """How few people `n` of `whole` would tell: those, or the others; None where neither are few.

    >>> part_tells(3, 40, 5), part_tells(38, 40, 5), part_tells(20, 40, 5)
    (3, 2, None)
    """
    return fewest([n, whole - n], minimum)


def answers_withheld(
    sides: Sequence[Mapping[str, int]], whole: int, minimum: int, *, aside: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """The columns `tells` and `keeps` of a row that shows the share of the first side, and counts every answer.

    sides: counts by answer, on either side of the share; aside: answers that are of neither. The row goes where the
    share tells too few; else the answers that too few gave, beside those that hide them.

    >>> answers_withheld([{"used": 9, "embedded": 2}, {"tried": 6, "not yet": 0}], 17, 5, aside={"cannot say": 1})
    {'tells': None, 'keeps': 'embedded; used; cannot say'}
    """
    kept = [*cells_withheld(sides, minimum), *(name for name, n in (aside or {}).items() if 0 < n < minimum)]
    told = part_tells(sum(sides[0].values()), whole, minimum)
    return {TELLS: fewest([whole], minimum) if told is None else told, KEEPS: "; ".join(kept)}


def behind(answer: str, keeps: str, people: int, minimum: int) -> int:
    """How many people stand behind the mark of an answer: one that is kept back counts as too few, so that it goes.

    >>> behind("used", "embedded; used", 40, 5), behind("tried", "embedded; used", 40, 5)
    (4, 40)
    """
    return min(people, minimum - 1) if answer in keeps.split("; ") else people


def groups_withheld(groups: Mapping[str, Sequence[int]], minimum: int) -> dict[str, int]:
    """Which groups to keep back whole, and how few people each would tell: counts by class of groups of one whole.

    A group goes when a class of it, or all but a class, has fewer people than the minimum; and with it the next
    smallest for as long as one would be alone, or those gone together have such a class.

    >>> groups_withheld({"a": [6, 9], "b": [2, 10], "c": [5, 8]}, 5)
    {'b': 2, 'c': 2}
    """
    small = {name: few for name, counts in groups.items() if (few := fewest(_parts(counts), minimum)) is not None}
    gone = list(small)
    left = sorted((name for name in groups if name not in small), key=lambda name: (sum(groups[name]), name))
    while gone and left:
        together = [sum(classes) for classes in zip(*(groups[name] for name in gone), strict=True)]
        if len(gone) > 1 and fewest(_parts(together), minimum) is None:
            break
        gone.append(left.pop(0))
    return {name: small.get(name, min(small.values())) for name in gone}


def rules_withheld(
    rules: Sequence[tuple[int, int]], whole: int, minimum: int, *, shown: tuple[int | None, int | None]
) -> list[tuple[int | None, int | None]]:
    """Which counts by other rules to keep back, rule by rule: how few people each would tell; None where it is shown.

    rules: people better and worse by each, of the same whole; shown: those by the rule that answers, None where they
    are kept back. A count goes when it, or the rest, is too few, or when it differs by too few from one already shown
    (the widest apart are shown first, for they say how much hangs on the rule); both go when those between are too few.

    >>> rules_withheld([(20, 10), (22, 10), (30, 0)], 104, 5, shown=(20, None))
    [(None, None), (2, None), (None, None)]
    """
    seen: list[set[int]] = [set() if count is None else {count} for count in shown]
    found: dict[int, tuple[int | None, int | None]] = {}
    middle = sum(better for better, _ in rules) / max(len(rules), 1)
    for place in sorted(range(len(rules)), key=lambda at: -abs(rules[at][0] - middle)):
        rule = rules[place]
        between = fewest([whole - sum(rule)], minimum)
        few = [fewest([count, whole - count, *(abs(count - other) for other in held)], minimum)
               for count, held in zip(rule, seen, strict=True)]  # fmt: skip
        told = [between if one is None else one for one in few]
        for count, held, one in zip(rule, seen, told, strict=True):
            if one is None:
                held.add(count)
        found[place] = told[0], told[1]
    return [found[place] for place in range(len(rules))]


def _parts(counts: Sequence[int]) -> list[int]:
    """Each class, and everybody outside it."""
    return [*counts, *(sum(counts) - count for count in counts)]


def fewest(people: Iterable[int], minimum: int) -> int | None:
    """The smallest of these that is fewer people than the minimum, and not nobody.

    >>> fewest([0, 7, 3], 5), fewest([0, 7], 5)
    (3, None)
    """
    return min((each for each in people if 0 < each < minimum), default=None)
