"""The months of a measure in all programme places together, and the change in level at the start: one series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import circumstances, words
from evalkit.population import monthly
from evalkit.population.monthly import refuse
from evalkit.stats import series
from evalkit.verdict import LEAST_POINTS, Decision, decide

if TYPE_CHECKING:
    from evalkit.measure import Measure
    from evalkit.programme import Programme
    from evalkit.stats.series import Interrupted


@dataclass(frozen=True, slots=True)
class Asked:
    """One measure, the places of the programme and those to compare with, month by month.

    `months`: period, count, people, and other_count, other_people where there is a comparison.
    """

    programme: Programme
    measure: Measure
    months: pd.DataFrame
    start: pd.Timestamp
    places: int
    comparisons: int

    @property
    def compared(self) -> bool:
        """Whether there is anything to compare with."""
        return self.comparisons > 0

    @property
    def events(self) -> pd.DataFrame:
        """What else happened in these months."""
        return monthly.events(self.programme, self.measure, self.months["period"])

    @property
    def breaks(self) -> list[str]:
        """What broke the series, by name."""
        return monthly.breaks(self.events)

    @property
    def last(self) -> pd.Timestamp:
        """The last month."""
        last = self.months["period"].max()
        assert isinstance(last, pd.Timestamp)
        return last

    def rates(self) -> pd.Series[float]:
        """By month the rate of the programme places, over that of the comparison places where there are any."""
        months = self.months.set_index("period")
        rate = months["count"] / months["people"]
        return rate / (months["other_count"] / months["other_people"]) if self.compared else rate

    @property
    def shocks(self) -> dict[pd.Timestamp, str]:
        """Each month that lies in a shock with an end, and the shock's name."""
        held = self.events
        held = held[(held["kind"] == "shock") & held["ends_on"].notna()]
        periods = self.months["period"]
        return {
            month: shock["name"]
            for shock in held.to_dict("records")
            for month in periods[periods.between(shock["starts_on"].replace(day=1), shock["ends_on"])]
        }

    @property
    def why(self) -> str:
        """Why the series is read in this way."""
        if self.compared:
            return (
                "All programme places are read as one series, month by month, as a ratio to the comparison places: "
                "what all places share leaves no trace in it."
            )
        return "All programme places are read as one series, set against its own trend and season before the start."


def asked(programme: Programme, name: str) -> Asked:
    """The monthly counts asked for, programme and comparison side by side, or a refusal naming what is missing."""
    measure = circumstances.measure(programme, name)
    outcomes = monthly.counts(programme, measure)
    mine, others = monthly.mine_and_others(programme, outcomes)
    months, start = _months(programme, outcomes, mine, others), _start(programme, mine)
    monthly.refuse_one_side(months["period"], [start])
    return Asked(
        programme,
        measure,
        months,
        start,
        len(mine),
        len(others),
    )


def _start(programme: Programme, mine: list[str]) -> pd.Timestamp:
    places = programme.places.set_index("place_id").loc[mine]
    unknown = circumstances.place_names(programme).loc[mine][places["start"].isna()]
    if len(unknown):
        raise monthly.no_start(sorted(set(unknown)))
    starts = places["start"].unique()
    if len(starts) > 1:
        raise refuse(
            f"Places started at {len(starts)} different times, and one series has one start.",
            "population.against, which reads each place at its own start, where there are places to compare with; or "
            "asking about the places of one start at a time, with programme.only(place=…).",
        )
    first = pd.Timestamp(starts[0])
    return first if first.day == 1 else first + pd.offsets.MonthBegin(1)


def _months(programme: Programme, outcomes: pd.DataFrame, mine: list[str], others: list[str]) -> pd.DataFrame:
    """A row a month: period, count, people, and other_count, other_people where there is a comparison."""
    people = monthly.people(programme, outcomes)
    if people is None:
        raise monthly.no_people()
    months = monthly.together(outcomes, mine, people)
    if others:
        months = months.join(monthly.together(outcomes, others, people).add_prefix("other_"), how="left")
    return months.reset_index()


def fit(asked: Asked, *, compared: bool, confidence: float) -> Interrupted:
    """One change in level, in the rate or in its ratio to that of the comparison places."""
    try:
        return series.interrupted(
            asked.months,
            outcome="count",
            time="period",
            start=asked.start,
            family="quasipoisson",
            offset="people",
            comparison="other_count" if compared else None,
            comparison_offset="other_people" if compared else None,
            shocks=asked.shocks,
            seasonal=_season(asked),
            confidence=confidence,
        )
    except ValueError as refusal:
        raise refuse(
            str(refusal), "at least twelve months on either side of the start, none of them empty."
        ) from refusal


def _season(asked: Asked) -> series.Season | None:
    """A season is fitted where the measure has one and a year on each side can show it."""
    before = int((asked.months["period"] < asked.start).sum())
    return "harmonic" if asked.measure.seasonal and min(before, len(asked.months) - before) >= LEAST_POINTS else None


def decided(asked: Asked, found: Interrupted) -> Decision:
    """What changed, by the rule; the reasons why there can be no verdict first."""
    return decide(
        found,
        better=asked.measure.better,
        worthwhile=asked.measure.smallest_worthwhile_change,
        scale="ratio",
        described_as=too_short(asked, found),
        unanswerable=unanswerable(asked, found),
        too_early=circumstances.too_early(asked.programme, asked.measure.expected_lag_months, asked.last),
    )


def too_short(asked: Asked, found: Interrupted) -> str:
    """Why the months are too few to test, or nothing."""
    if min(found.n_before, found.n_after) < series.MIN_EITHER_SIDE:
        return f"{_months_before(found)} and {found.n_after} after the start are too few to test."
    if asked.measure.seasonal and found.n_before < series.MIN_BEFORE_WITH_SEASON:
        return f"{_months_before(found)} the start are too few to tell trend from season."
    return ""


def _months_before(found: Interrupted) -> str:
    return f"{words.counted(found.n_before, 'month')} before"


def unanswerable(asked: Asked, found: Interrupted) -> str:
    """Why no verdict may rest on this series, or nothing."""
    broken = asked.breaks
    if found.drifts:
        return "The series drifts too much by itself to say."
    if broken and not asked.compared:
        return f"The series was broken ({words.listed(broken)}) and there is nowhere to compare with."
    return ""
