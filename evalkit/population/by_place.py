"""Counts of a measure month by month in each place: those of the programme beside those to compare with."""

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
    """One measure in every place and month: `months` holds place_id, period, count and people."""

    programme: Programme
    measure: Measure
    months: pd.DataFrame
    mine: list[str]
    others: list[str]

    @property
    def starts(self) -> pd.Series[pd.Timestamp]:
        """The first whole month of the programme, by programme place."""
        begun = self.programme.places.set_index("place_id")["start"].loc[self.mine]
        return begun.map(lambda day: day if day.day == 1 else day + pd.offsets.MonthBegin(1))

    @property
    def events(self) -> pd.DataFrame:
        """What else happened in these months."""
        return monthly.events(self.programme, self.measure, self.months["period"])

    @property
    def last(self) -> pd.Timestamp:
        """The last month."""
        last = self.months["period"].max()
        assert isinstance(last, pd.Timestamp)
        return last

    @property
    def chosen(self) -> str:
        """How places came to be in the programme, as declared; blank where nobody said."""
        return self.programme.plan.chosen.get(self.measure.id, "")


def places(programme: Programme, name: str) -> Places:
    """The figures of every place, or a refusal naming what is missing."""
    measure = circumstances.measure(programme, name)
    held = monthly.counts(programme, measure)
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
        named = programme.places.set_index("place_id")["name"].loc[unknown.index[unknown]]
        raise monthly.no_start(sorted(named))
    _refuse_gaps(months)
    return Places(programme, measure, months, mine, others)


def _refuse_gaps(months: pd.DataFrame) -> None:
    """A place without some month would be compared with others over another time of year."""
    reported = months.groupby("period")["place_id"].nunique()
    short = reported[reported < months["place_id"].nunique()]
    if not short.empty:
        raise refuse(
            f"Not every place reported every month, the first gap in {words.month(short.index[0])}.",
            "the missing months in outcomes.csv, or asking about places that reported throughout, with programme.only.",
        )
