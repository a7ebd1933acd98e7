"""Counts of a measure in each place, by month, quarter or year: the programme's places beside those to compare with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import circumstances, words
from evalkit.population import monthly
from evalkit.population.monthly import refuse

if TYPE_CHECKING:
    from evalkit.measure import Measure
    from evalkit.programme import Programme


@dataclass(frozen=True, slots=True)
class Places:
    """One measure in every place and period: `figures` holds place_id, period, count and people.

    `span`: months a period covers.
    """

    programme: Programme
    measure: Measure
    figures: pd.DataFrame
    mine: list[str]
    others: list[str]
    span: int

    @property
    def starts_within(self) -> bool:
        """Whether some place started within a quarter or year, which then is neither before nor after."""
        periods = self.figures["period"].drop_duplicates()
        ends = periods + pd.DateOffset(months=self.span)
        return any(((periods < start) & (start < ends)).any() for start in self.starts)

    @property
    def starts(self) -> pd.Series[pd.Timestamp]:
        """The first whole month of the programme, by programme place."""
        begun = self.programme.places.set_index("place_id")["start"].loc[self.mine]
        return begun.map(lambda day: day if day.day == 1 else day + pd.offsets.MonthBegin(1))

    @property
    def events(self) -> pd.DataFrame:
        """What else happened in these months."""
        return monthly.events(self.programme, self.measure, self.figures["period"])

    @property
    def last(self) -> pd.Timestamp:
        """The last month that figures cover."""
        last = self.figures["period"].max() + pd.DateOffset(months=self.span - 1)
        assert isinstance(last, pd.Timestamp)
        return last

    def together(self) -> pd.Series[float]:
        """By month the rate of the programme places over that of the comparison places."""
        both = self.figures.assign(mine=self.figures["place_id"].isin(self.mine))
        sums = both.groupby(["period", "mine"])[["count", "people"]].sum()
        rates = (sums["count"] / sums["people"]).unstack("mine")
        return rates[True] / rates[False]

    @property
    def chosen(self) -> str:
        """How places came to be in the programme, as declared; blank where nobody said."""
        return self.programme.plan.chosen.get(self.measure.id, "")


def places(programme: Programme, name: str) -> Places:
    """The figures of every place, or a refusal naming what is missing."""
    measure = circumstances.measure(programme, name)
    held = monthly.counted(monthly.given(programme, measure))
    spans = held["span"].fillna(1).unique()
    if len(spans) > 1:
        raise refuse(
            f"Figures of {measure.label.lower()} cover {words.listed(sorted(f'{each:.0f}' for each in spans))} months.",
            "figures that all cover a month, or all a quarter, or all a year.",
        )
    mine, others = monthly.mine_and_others(programme, held)
    if not others:
        raise refuse(
            "There is no place to compare with.",
            "the same counts for places outside the programme, with arm 'comparison' in places.csv; or "
            "population.change, which reads the programme places alone.",
        )
    at_risk = monthly.people(programme, held)
    if at_risk is None:
        raise monthly.no_people()
    counted = held.groupby(["place_id", "period"])["count"].sum().astype(float).to_frame()
    months = counted.assign(people=at_risk.reindex(counted.index)).reset_index()
    monthly.refuse_unknown_people(months)
    unknown = programme.places.set_index("place_id")["start"].reindex(mine).isna()
    if unknown.any():
        named = circumstances.place_names(programme).loc[unknown.index[unknown]]
        raise monthly.no_start(sorted(set(named)))
    _refuse_gaps(months)
    found = Places(programme, measure, months, mine, others, int(spans[0]))
    if found.starts_within:
        raise refuse(
            "The programme started within a quarter or year that is given as one figure.",
            "figures month by month, or periods that end where the programme starts.",
        )
    monthly.refuse_one_side(months["period"], found.starts)
    return found


def _refuse_gaps(months: pd.DataFrame) -> None:
    """A place without some month would be compared with others over another time of year."""
    reported = months.groupby("period")["place_id"].nunique()
    short = reported[reported < months["place_id"].nunique()]
    if not short.empty:
        raise refuse(
            f"Not every place reported every time, the first gap in {words.month(short.index[0])}.",
            "the missing figures in outcomes.csv; or asking about places that reported throughout, programme.only.",
        )
