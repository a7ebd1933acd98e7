"""Counts and people of each place in one stretch of time: what questions that set places side by side start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import circumstances, periods, words
from evalkit.population import monthly
from evalkit.population.monthly import refuse

if TYPE_CHECKING:
    from evalkit.measure import Measure
    from evalkit.programme import Programme

YEAR = 12
"""Months in the stretch of time read unless another is asked for: a whole year holds every season once."""
SPLITS = ("age_band", "sex", "quintile")
"""Columns by which figures may be split: where some rows are split and others are for all, only one kind is read."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time: its first day, and the first day after it."""

    first: pd.Timestamp
    end: pd.Timestamp

    @property
    def spoken(self) -> str:
        """As it stands in a sentence: from April 2025 to March 2026."""
        last = self.end - pd.Timedelta(days=1)
        if (self.first.year, self.first.month) == (last.year, last.month):
            return f"in {words.month(self.first)}"
        return f"from {words.month(self.first)} to {words.month(last)}"

    @property
    def called(self) -> str:
        """As it is named: year to March 2026, month of March 2026, time from April 2025 to December 2025."""
        if self.months == YEAR:
            return f"year to {words.month(self.end - pd.Timedelta(days=1))}"
        return f"time {self.spoken}" if self.months > 1 else f"month of {words.month(self.first)}"

    @property
    def months(self) -> int:
        """How many months it has."""
        return (self.end.year - self.first.year) * 12 + self.end.month - self.first.month


def figures(programme: Programme, measure: Measure, *, split: str = "") -> pd.DataFrame:
    """The counts on this measure, each with `end`, the first day after it; split by quintile where that is asked for.

    No figure stands in another: of rows for all and rows for some, only one kind is kept.
    """
    held = monthly.given(programme, measure)
    if measure.kind == "score" or held["count"].isna().all():
        raise refuse(
            f"{measure.label} are given as values without counts.",
            "a count and how many people it is out of, in outcomes.csv.",
        )
    held = monthly.counted(held)
    for column in SPLITS:
        whole = held[column].isna() | (held[column] == "persons" if column == "sex" else False)
        keep = ~whole if column == split else whole
        held = held[keep] if keep.any() and not keep.all() else held
    months = held["span"].fillna(1).astype("int64")
    ends = held["period"].to_numpy(dtype="datetime64[M]") + months.to_numpy().astype("timedelta64[M]")
    return held.assign(span=months, end=ends.astype("datetime64[us]"))


def latest(held: pd.DataFrame, before: pd.Timestamp | None = None) -> Stretch | None:
    """The last year of these figures, ended by `before` where that is given; None when there are none."""
    ended = held if before is None else held[held["end"] <= before]
    if ended.empty:
        return None
    end = pd.Timestamp(ended["end"].max())
    inside = within(ended, Stretch(end - pd.DateOffset(months=YEAR), end))
    return Stretch(pd.Timestamp(inside["period"].min()), end) if len(inside) else None


def asked_for(held: pd.DataFrame, period: str | None) -> Stretch:
    """The stretch of time asked for, or the last year; a ValueError that names what there is for any other."""
    last = latest(held)
    assert last is not None, "figures() refuses where there are none"
    if period is None:
        return last
    found = periods.parse(str(period))
    begins, ends = pd.Timestamp(held["period"].min()), pd.Timestamp(held["end"].max()) - pd.Timedelta(days=1)
    there = f"There are figures from {words.month(begins)} to {words.month(ends)}."
    if found is None:
        raise ValueError(f"period={period!r} is no month, quarter or financial year, as 2024-03 or 2024/25. {there}")
    wanted = Stretch(pd.Timestamp(found.first), pd.Timestamp(found.first) + pd.DateOffset(months=found.months))
    if within(held, wanted).empty:
        raise ValueError(f"period={period!r} holds no whole figure. {there}")
    return wanted


def within(held: pd.DataFrame, stretch: Stretch) -> pd.DataFrame:
    """The figures that lie wholly in this stretch of time."""
    return held[(held["period"] >= stretch.first) & (held["end"] <= stretch.end)]


def of_places(programme: Programme, measure: Measure, held: pd.DataFrame) -> pd.DataFrame:
    """A row a place: its count, `people` and `reported`, for how many months.

    `people` are years lived (one person for a year is 1), or the people asked where the measure is a share of them.
    """
    shares = measure.kind == "proportion"
    if shares and held["denominator"].isna().any():
        raise refuse(
            f"{measure.label} are a share, and nobody says out of how many.", "a denominator beside each count."
        )
    at_risk = monthly.people(programme, held)
    if at_risk is None:
        raise monthly.no_people()
    by = held.groupby(["place_id", "period"])
    both = by.agg(count=("count", "sum"), span=("span", "max")).astype({"count": float})
    both["people"] = at_risk.reindex(both.index)
    monthly.refuse_unknown_people(both.reset_index())
    if not shares:
        both["people"] *= both["span"] / YEAR
    return both.groupby("place_id").agg(count=("count", "sum"), people=("people", "sum"), reported=("span", "sum"))


def unit(measure: Measure) -> str:
    """What a value counts, in words."""
    if measure.kind == "proportion":
        return "in every 100"
    return f"per {measure.per:,.0f} people a year" if measure.per != 1 else "a person a year"


def begun(programme: Programme, place_ids: list[str]) -> pd.Series[pd.Timestamp]:
    """When the programme started in each of these places: its own day, else the programme's."""
    starts = programme.places.set_index("place_id")["start"].reindex(place_ids)
    known = starts.fillna(pd.Timestamp(programme.starts_on)) if programme.starts_on is not None else starts
    if known.isna().any():
        raise monthly.no_start(sorted(set(circumstances.place_names(programme).reindex(known.index[known.isna()]))))
    return known
