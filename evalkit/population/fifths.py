"""Rates by deprivation fifth and the slope through them, before the programme and now."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import words
from evalkit.population import in_period, monthly
from evalkit.population.in_period import Stretch
from evalkit.population.monthly import refuse
from evalkit.stats import rates
from evalkit.stats.slope_index import slope_index

if TYPE_CHECKING:
    from evalkit.measure import Measure
    from evalkit.programme import Programme
    from evalkit.stats.slope_index import SlopeIndex

MINE, OTHERS = "programme places", "comparison places"
BEFORE, NOW = "before", "now"
FIFTHS = (1, 2, 3, 4, 5)
WOULD_ANSWER = (
    "outcomes.csv with a row a place, period and deprivation quintile, 1 the most deprived, and how many people live "
    "in that quintile, beside each count or in denominators.csv."
)


@dataclass(frozen=True, slots=True)
class Gap:
    """One set of places at one time: its fifths, all five together, and the slope through them.

    `fifths`: a row each with count, people, rest (those asked who were not counted), value, low and high. `index` is
    None where no slope can be drawn, and `why` says so.
    """

    arm: str
    when: str
    stretch: Stretch
    fifths: pd.DataFrame
    together: pd.Series[Any]
    index: SlopeIndex | None
    why: str

    @property
    def called(self) -> str:
        """Its time, as it is named."""
        return self.stretch.called

    @property
    def whose(self) -> str:
        """Its places and time, as they are named."""
        return f"{self.arm}, {self.called}"

    @property
    def smallest(self) -> int:
        """How many were counted in the fifth with fewest; or were not, where the measure is a share of people."""
        return int(self.fifths[["count", "rest"]].min().min())

    @property
    def events(self) -> float:
        """How many were counted."""
        return float(self.fifths["count"].sum())


def gaps(programme: Programme, measure: Measure, period: str | None) -> tuple[list[Gap], int, int]:
    """The gaps of the programme's places and of those to compare with, before and now where there are figures; how many
    programme places they are of, and how many of them had not started when now began."""
    held = in_period.figures(programme, measure, split="quintile")
    if held["quintile"].isna().any():
        raise refuse(f"{measure.label} are not given by deprivation fifth.", WOULD_ANSWER)
    mine, others = monthly.mine_and_others(programme, held)
    now = in_period.asked_for(held[held["place_id"].isin(mine)], period)
    starts = in_period.begun(programme, mine)
    cut = starts.where(starts < now.first, now.first)
    common = pd.Series(cut.max(), index=others, dtype="datetime64[us]")
    seeds, found = count(1), []
    for arm, cuts in ((MINE, cut), (OTHERS, common)):
        own = held[held["place_id"].isin(cuts.index)]
        for when, rows in ((BEFORE, _before(own, cuts)), (NOW, in_period.within(own, now))):
            if _whole(rows, arm, when, measure):
                found.append(_gap(programme, measure, rows, (arm, when), next(seeds)))
    return found, len(mine), int((starts > now.first).sum())


def _before(held: pd.DataFrame, cuts: pd.Series[pd.Timestamp]) -> pd.DataFrame:
    """The figures of the last year before each place's own day."""
    parts = []
    for place, cut in cuts.items():
        own = held[held["place_id"] == place]
        year = in_period.latest(own, before=cut)
        if year is not None:
            parts.append(in_period.within(own, year))
    return pd.concat(parts) if parts else held.head(0)


def _whole(rows: pd.DataFrame, arm: str, when: str, measure: Measure) -> bool:
    """Whether all five fifths are there; a refusal where they are not and the question rests on them."""
    missing = [str(fifth) for fifth in FIFTHS if fifth not in set(rows["quintile"])]
    if missing and arm == MINE and when == NOW:
        raise refuse(f"{measure.label} are not given for fifth {words.listed(missing)}.", WOULD_ANSWER)
    return not missing


def _gap(programme: Programme, measure: Measure, rows: pd.DataFrame, which: tuple[str, str], seed: int) -> Gap:
    each = {
        fifth: in_period.of_places(programme, measure, rows[rows["quintile"] == fifth])[["count", "people"]].sum()
        for fifth in FIFTHS
    }
    fifths = pd.DataFrame(each).T.rename_axis("quintile")
    told = pd.DataFrame([_rate(measure, row) for _, row in fifths.iterrows()], index=fifths.index)
    together = fifths.sum()
    index, why = _slope(measure, told, seed)
    stretch = Stretch(pd.Timestamp(rows["period"].min()), pd.Timestamp(rows["end"].max()))
    return Gap(*which, stretch, told, pd.Series(_rate(measure, together)), index, why)


def _rate(measure: Measure, row: pd.Series[Any]) -> dict[str, float]:
    """A fifth's count, people, value and interval; no interval where nobody lives."""
    events, people = float(row["count"]), float(row["people"])
    per, share = measure.out_of, measure.kind == "proportion"
    counted = {"count": events, "people": people, "rest": people - events if share else float("nan")}
    if people <= 0:
        return counted | dict.fromkeys(("value", "low", "high"), float("nan"))
    found = rates.proportion(events, people, per=per) if share else rates.crude(events, people, per=per)
    return counted | {"value": found.estimate, "low": found.low, "high": found.high}


def _slope(measure: Measure, told: pd.DataFrame, seed: int) -> tuple[SlopeIndex | None, str]:
    """The slope from the most to the least deprived, higher where the most deprived have more; or why there is none."""
    none = [str(fifth) for fifth, row in told.iterrows() if row["count"] == 0 or not row["people"] > 0]
    if none:
        return None, f"nothing was counted in fifth {words.listed(none)}."
    share = measure.kind == "proportion"
    per = measure.out_of if share else 1.0
    try:
        index = slope_index(
            told["value"] / per, told["people"], kind="proportion" if share else "rate", low=told["low"] / per,
            high=told["high"] / per, multiplier=-per, seed=seed,
        )  # fmt: skip
    except ValueError as refusal:
        return None, str(refusal)
    return index, ""
