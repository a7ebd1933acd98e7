"""The change in leaders under one assumption after another about those who were not rated at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evalkit.individual import ratings
from evalkit.stats import change, missing, panel
from evalkit.verdict import HEADLINE, LEAST_PAIRS

if TYPE_CHECKING:
    from evalkit.individual.compared import Compared
    from evalkit.stats.missing import TippingPoint
    from evalkit.stats.panel import PanelChange

EVERY = "Change, from all ratings"
BOTH = "Change, of those rated both times alone"
ALIKE = "Change, every rating counting alike"
LOWEST = "Change, had all who stopped been at the lowest score"
HIGHEST = "Change, had all who stopped been at the highest score"


@dataclass(frozen=True, slots=True)
class Moved:
    """A change in mean among n leaders. NaN low and high: too few, or all changed alike."""

    estimate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class Assumed:
    """The change by what it assumes; and how far those not rated at the end would have to fall short.

    `whole` is the change growth gives, None where too few were rated twice; `tipping` is at the confidence verdicts are
    read at, None where nobody is missing at the end or no change can be tested.
    """

    moved: dict[str, Moved]
    whole: PanelChange | None
    tipping: TippingPoint | None


def assumed(asked: Compared, domain: str, confidence: float) -> Assumed:
    """The change from all ratings, from pairs, with every rating alike, and with those who stopped at either end."""
    answers = asked.answers(domain)
    ends = answers[[asked.first, asked.last]]
    pairs, began = ends.dropna(), ends.dropna(subset=[asked.first])
    singles = ends.dropna(how="all")
    enough = len(pairs) >= LEAST_PAIRS
    whole = _available(asked, answers, confidence) if enough else None
    found = {EVERY: _of_pairs(pairs) if whole is None else Moved(whole.estimate, whole.low, whole.high, whole.n)}
    if len(singles) > len(pairs):
        found[BOTH] = _completed(asked, pairs, confidence, enough)
        found |= _alike(singles, confidence) if enough else {}
    if len(began) > len(pairs):
        low, high = asked.instrument.bounds[domain]
        found |= {
            name: _completed(asked, began.fillna({asked.last: end}), confidence, enough)
            for name, end in ((LOWEST, low), (HIGHEST, high))
        }
    return Assumed(found, whole, None if whole is None else _tipping(asked, domain, answers))


def _available(asked: Compared, answers: pd.DataFrame, confidence: float) -> PanelChange | None:
    teams = ratings.teams(asked.programme, answers.index)
    try:
        return panel.available(answers, first=asked.first, last=asked.last, teams=teams, confidence=confidence)
    except ValueError:  # fewer than two pairs, or all changed alike
        return None


def _of_pairs(pairs: pd.DataFrame) -> Moved:
    """The mean change, without an interval."""
    nothing = float("nan")
    return Moved(float((pairs.iloc[:, 1] - pairs.iloc[:, 0]).mean()), nothing, nothing, len(pairs))


def _completed(asked: Compared, pairs: pd.DataFrame, confidence: float, enough: bool) -> Moved:
    """The change of people with both, given or assumed; without an interval where too few were rated twice."""
    found = _available(asked, pairs, confidence) if enough else None
    return _of_pairs(pairs) if found is None else Moved(found.estimate, found.low, found.high, found.n)


def _alike(singles: pd.DataFrame, confidence: float) -> dict[str, Moved]:
    """Everybody's ratings as they are, which also holds where the ids of some did not join; or nothing."""
    first, last = singles.iloc[:, 0].dropna(), singles.iloc[:, 1].dropna()
    try:
        found = change.partially_paired(first, last, confidence=confidence)
    except ValueError:  # nobody differs from anybody
        return {}
    return {ALIKE: Moved(found.estimate, found.low, found.high, found.n)}


def _tipping(asked: Compared, domain: str, answers: pd.DataFrame) -> TippingPoint | None:
    try:
        return missing.tipping_point(
            answers,
            first=asked.first,
            last=asked.last,
            scale=asked.instrument.bounds[domain],
            worthwhile=asked.instrument.smallest_worthwhile_change,
            teams=asked.teams(domain),
            confidence=HEADLINE,
        )
    except ValueError:  # nobody is missing at the end, or the mean did not move at all
        return None
