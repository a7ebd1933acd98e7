"""Who a mean would tell beside another over almost the same leaders: whoever is in the one and not in the other.

A mean times its number of people is a sum, and the difference of two sums is what the few said who are in one alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from evalkit.disclosure import TELLS
from evalkit.individual import ratings
from evalkit.individual.compared import Compared
from evalkit.individual.small_classes import fewest
from evalkit.instrument import OVERALL
from evalkit.stats import panel

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme

NEAR = 1e-6
"""Means nearer than this are the same."""


def besides(own: Iterable[Any], others: Iterable[Iterable[Any]], minimum: int) -> int | None:
    """The fewest people, under the minimum, by which these differ from others whom they hold, or who hold them.

    >>> besides("abcdef", ["abcdefg", "abcd", "xyz"], 5), besides("abcdef", ["abcdef", "a"], 5)
    (1, None)
    """
    mine = frozenset(own)
    each = [frozenset(other) for other in others]
    apart = [len(mine ^ other) for other in each if mine < other or other < mine]
    return min((few for few in apart if few < minimum), default=None)


def least(*people: int | None) -> int | None:
    """The fewest of these that is known; None where none is."""
    return min((few for few in people if few), default=None)


def plain_waves(asked: Compared, domain: str) -> set[int]:
    """The waves whose mean is shown somewhere as the plain mean of everybody rated then.

    From all answers it is that mean only where nobody was rated at other waves alone, or where too few were rated at
    every wave to use them all: then each wave's own mean is shown. None of one wave: nobody is asked for a change.
    """
    answers = asked.answers(domain).dropna(axis="columns", how="all").dropna(how="all")
    waves: list[int] = answers.columns.astype(int).tolist()
    if len(waves) < 2:
        return set()
    try:
        found = panel.available(answers, first=waves[0], last=waves[-1])
    except ValueError:  # too few, or all moved alike
        return set(waves)
    if found.basis != "all waves":
        return set(waves)
    means = found.wave_means.set_index("wave")["mean"]
    return {wave for wave in waves if abs(float(means[wave]) - float(answers[wave].mean())) < NEAR}


def of_waves(asked: Compared, domain: str, waves: Iterable[int], own: Iterable[Any]) -> int | None:
    """How few people a mean over `own` would tell beside the means of everybody rated at these waves."""
    answers, plain = asked.answers(domain), plain_waves(asked, domain)
    others = [answers[wave].dropna().index for wave in waves if wave in plain]
    return besides(own, others, asked.programme.minimum_group)


def everybody(programme: Programme, instrument: Instrument, rater: str) -> Compared:
    """Everything this kind of rater scored, between the first wave and the last (0 where there is none)."""
    scores = ratings.given(programme, instrument, rater)
    waves = scores.loc[scores["score"].notna(), "wave"].dropna().astype(int)
    ends = (int(waves.min()), int(waves.max())) if len(waves) else (0, 0)
    return Compared(programme, instrument, rater, *ends, scores)


def kept_domain(asked: Compared) -> tuple[str, int | None]:
    """The domain to keep back wherever it stands, and how few people it would tell; an empty name where there is none.

    The whole is the mean of the domains over those who have all of them. Beside the means of every domain it tells
    those who lack one: so one domain, the last, is kept back where at some wave they are few.
    """
    if asked.instrument.overall is None:
        return "", None
    scores = asked.scores[asked.scores["score"].notna() & asked.scores["wave"].notna()]
    lack = []
    for _, own in scores.groupby("wave"):
        whole = set(own.loc[own["domain"] == OVERALL, "subject_id"])
        lack.append(len({*own["subject_id"]} - whole))
    few = fewest(lack, asked.programme.minimum_group)
    return (asked.instrument.domains[-1].key, few) if few else ("", None)


def kept_rows(asked: Compared, domain: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """These rows of one domain: all of them tell, in the domain that is kept back wherever it stands."""
    key, few = kept_domain(asked)
    return [row | {TELLS: few} for row in rows] if key == domain else rows
