"""The table of leaders counted by class: everybody, each group, what it rests on, and the rules that do not answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import register
from evalkit.disclosure import TELLS
from evalkit.individual import ratings
from evalkit.individual.beyond_error import SURE, Counts, counts
from evalkit.individual.small_classes import classes_withheld, groups_withheld, rules_withheld
from evalkit.result import ALL
from evalkit.stats import rates
from evalkit.verdict import LEAST_PAIRS

if TYPE_CHECKING:
    from evalkit.individual.beyond_error import Counted

THIS, OTHER, ENDS, MEASUREMENT = "counted", "other method", "other reliability", "measurement"
COLUMNS = ("what", "class", "method", "reliability", "threshold", "expected_false", "raters", "why_not", TELLS)


def ways(held: Counted) -> tuple[str, str]:
    """What a score does that gets better, and that gets worse."""
    return ("higher", "lower") if held.asked.instrument.better == "higher" else ("lower", "higher")


def table(held: Counted, confidence: float) -> pd.DataFrame:
    """Everybody by class; each group by class; what it rests on; then other methods and other reliabilities."""
    minimum = held.asked.programme.minimum_group
    own = counts(held.found)
    gone = classes_withheld(own, minimum, companions=(1, 0, 2))
    rows = _classes(held, ALL, own, confidence, [gone.get(place) for place in range(3)])
    apart = groups_withheld(held.groups, minimum)
    for name, each in held.groups.items():
        rows += _classes(held, name, each, confidence, [apart.get(name)] * 3)
    rows += _measurement(held, confidence)
    shown = (None if 0 in gone else own[0], None if 2 in gone else own[2])
    rows += _annex(held, confidence, minimum, shown)
    found = register.table(rows, extras=COLUMNS)
    return found.astype({TELLS: "Int64", "raters": "Int64", "threshold": float, "expected_false": float})


def _classes(
    held: Counted, group: str, each: Counts, confidence: float, tells: Sequence[int | None]
) -> list[dict[str, Any]]:
    """Three rows: those better, those no more than error apart, those worse, of everybody in this group."""
    better, worse = (f"{way} by more than error of measurement" for way in ways(held))
    names = {"better": better, "neither": "no more than error of measurement apart", "worse": worse}
    return [
        _row(held, name, one, group, each[place], sum(each), confidence, tells=tells[place], what=THIS,
             method=held.method, reliability=held.measured.reliability, threshold=held.found.threshold)
        for place, (one, name) in enumerate(names.items())
    ]  # fmt: skip


def _row(
    held: Counted, name: str, one: str, group: str, n: int, out_of: int, confidence: float, *, tells: int | None,
    what: str, method: str, reliability: float, threshold: float | None,
) -> dict[str, Any]:  # fmt: skip
    """One class of one group, as a share of its leaders rated at both waves."""
    # Hageman and Arrindell promise something else, and a class of no change has no number that is false
    expected = None if method == "hageman_arrindell" or one == "neither" else out_of * (1 - SURE) / 2
    row = register.share(
        f"{held.label}: {name}", group, n, out_of, of="leaders rated at both waves", n_of="leaders", what=what,
        method=method, reliability=reliability, threshold=threshold, expected_false=expected, raters=held.raters,
        why_not="", **{TELLS: tells, "class": one},
    )  # fmt: skip
    if out_of >= LEAST_PAIRS:
        sure = rates.wilson(n, out_of, confidence=confidence)
        row |= {"low": 100 * sure.low, "high": 100 * sure.high, "interval": f"{confidence:.0%} confidence"}
    return row


def _measurement(held: Counted, confidence: float) -> list[dict[str, Any]]:
    """What the count rests on: reliability, spread, and the smallest change that counts."""
    known, own = held.measured, held.measured.own
    blank = {"what": MEASUREMENT, "class": "", "method": held.method, "reliability": known.reliability,
             "threshold": held.found.threshold, "expected_false": None, "raters": None, "why_not": "", TELLS: None,
             "out_of": None}  # fmt: skip
    points, name = ratings.points(held.asked.instrument), held.label
    kind = "as given" if own is None else own.kind
    rows = [
        register.row(f"{name}: reliability", ALL, n=own.n if own else None, unit=f"{kind}, at most 1", n_of="leaders",
                     estimate=known.reliability, **blank),
        register.row(f"{name}: spread at the first wave", ALL, n=known.n, unit=f"{points}, standard deviation",
                     n_of="leaders", estimate=known.sd, **blank),
    ]  # fmt: skip
    if own is not None and own.low == own.low:
        rows[0] |= {"low": own.low, "high": own.high, "interval": f"{confidence:.0%} confidence"}
    if held.found.threshold is not None:
        smallest = register.row(f"{name}: a change counts beyond", ALL, n=held.found.n, unit=points, n_of="leaders",
                                estimate=held.found.threshold, **blank)  # fmt: skip
        rows.append(smallest)
    return rows


def _annex(
    held: Counted, confidence: float, minimum: int, shown: tuple[int | None, int | None]
) -> list[dict[str, Any]]:
    """The other methods, and the same one at the ends of the reliability's interval: better and worse of each."""
    known, whole = held.measured, held.found.n
    rules: list[dict[str, Any]] = [
        {"what": OTHER, "reliability": known.reliability} | {str(name): value for name, value in row.items()}
        for row in held.others.to_dict("records")
    ]
    for end, found in held.ends.items():
        better, _, worse = counts(found)
        rules.append({"what": ENDS, "reliability": end, "method": held.method, "better": better, "worse": worse,
                      "threshold": found.threshold, "why_not": ""})  # fmt: skip
    used = [rule for rule in rules if not rule["why_not"]]
    pairs = [(int(rule["better"]), int(rule["worse"])) for rule in used]
    tells = dict(zip(map(id, used), rules_withheld(pairs, whole, minimum, shown=shown), strict=True))
    rows = []
    for rule in rules:
        apart = tells.get(id(rule), (None, None))
        for one, way, few in zip(("better", "worse"), ways(held), apart, strict=True):
            name = f"{way} by more than error of measurement"
            n = 0 if rule["why_not"] else int(rule[one])
            row = _row(held, name, one, ALL, n, whole, confidence, tells=few, what=rule["what"],
                       method=rule["method"], reliability=rule["reliability"], threshold=rule["threshold"])  # fmt: skip
            rows.append(row if not rule["why_not"] else _unused(row, rule["why_not"]))
    return rows


def _unused(row: dict[str, Any], why: str) -> dict[str, Any]:
    """The row of a method that cannot be used on these answers: no number, and why."""
    none = dict.fromkeys(("estimate", "low", "high", "threshold", "expected_false"), float("nan"))
    return {**row, **none, "interval": "none given", "n": None, "why_not": why}
