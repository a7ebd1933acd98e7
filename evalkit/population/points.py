"""The figures of a measure one after another, the programme's places together: what charts of variation are drawn of.

Months, quarters or years, all of one length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import periods, words
from evalkit.population import monthly
from evalkit.population.monthly import refuse

if TYPE_CHECKING:
    from evalkit.measure import Measure
    from evalkit.programme import Programme

EACH = {1: "month", 3: "quarter", 12: "year"}
"""What a figure over so many months is called."""


@dataclass(frozen=True, slots=True)
class Points:
    """One measure in the programme's places: a row a period, in order.

    `rows`: period (its first day), and value, or count, and people where somebody says out of how many. `span`: the
    months each covers. `unfinished`: the period that was not over on the day the data speak of, and so was left out.
    """

    programme: Programme
    measure: Measure
    rows: pd.DataFrame
    places: int
    span: int
    unfinished: str

    @property
    def each(self) -> str:
        """What a point is: a month, a quarter or a year."""
        return EACH[self.span]

    @property
    def label(self) -> str:
        """The measure as it stands within a sentence."""
        return self.measure.label.lower()

    @property
    def counted(self) -> bool:
        """Whether they are counts, which cannot fall below nought."""
        return "count" in self.rows

    @property
    def known(self) -> bool:
        """Whether somebody says out of how many."""
        return "people" in self.rows

    @property
    def share(self) -> bool:
        """Whether they are so many of so many, each at most once."""
        return self.measure.kind == "proportion"

    @property
    def per(self) -> float:
        """Out of how many a rate is told."""
        return self.measure.out_of

    @property
    def periods(self) -> pd.Series[pd.Timestamp]:
        """The first day of each."""
        return self.rows["period"]

    @property
    def apart(self) -> int:
        """Months from the first point to the second: the figures of a month may come twice a year."""
        if len(self.rows) < 2:
            return self.span
        first, second = self.periods.iloc[:2].dt.to_period("M").astype("int64")
        return int(second - first)

    @property
    def values(self) -> pd.Series[float]:
        """The value of each: the rate where somebody says out of how many, else the count, else the value itself."""
        if self.known:
            return self.per * self.rows["count"] / self.rows["people"]
        return self.rows["count" if self.counted else "value"].astype(float)

    @property
    def unit(self) -> str:
        """What a value counts."""
        if not self.counted:
            return self.measure.unit
        if not self.known:
            return f"a {self.each}"
        return "in every 100" if self.share else f"per {self.per:,.0f} people a {self.each}"

    @property
    def events(self) -> pd.DataFrame:
        """What else happened in all this time."""
        last = self.periods.max() + pd.DateOffset(months=self.span - 1)
        return monthly.events(self.programme, self.measure, pd.concat([self.periods, pd.Series([last])]))

    def named(self, when: pd.Timestamp) -> str:
        """A period as people write it: April 2024, 2024/25 Q1, 2024/25."""
        return name(when, self.span)


def name(when: pd.Timestamp, span: int) -> str:
    """A period as people write it, by its first day and its months.

    >>> name(pd.Timestamp(2024, 4, 1), 1), name(pd.Timestamp(2024, 4, 1), 3), name(pd.Timestamp(2024, 1, 1), 12)
    ('April 2024', '2024/25 Q1', 'the year from January 2024 to December 2024')
    """
    short = periods.printed(when.date(), span)
    return short if "/" in short else periods.spoken(when.date(), span)


def points(programme: Programme, measure: Measure) -> Points:
    """The figures of this measure, or a refusal that says what of them is missing."""
    held = monthly.begun(programme, measure)
    mine, _ = monthly.mine_and_others(programme, held)
    own = held[held["place_id"].isin(mine)]
    own = own.assign(span=own["span"].fillna(1).astype("int64"))
    span = _one_span(own, measure)
    own, unfinished = _finished(programme, own, measure, span)
    if measure.kind == "score":
        return Points(programme, measure, _scores(own, measure), 1, span, unfinished)
    return Points(
        programme, measure, _counts(programme, own, measure, span), own["place_id"].nunique(), span, unfinished
    )


def _one_span(own: pd.DataFrame, measure: Measure) -> int:
    spans = sorted(own["span"].unique())
    if len(spans) > 1:
        raise refuse(
            f"Figures of {measure.label.lower()} cover a {EACH[spans[0]]} here and a {EACH[spans[1]]} there.",
            "figures that all cover the same time in outcomes.csv: months, quarters or years.",
        )
    return int(spans[0])


def _finished(programme: Programme, own: pd.DataFrame, measure: Measure, span: int) -> tuple[pd.DataFrame, str]:
    """Figures of periods that were over on the day the data speak of, and the name of the one that was not.

    Where nobody declared that day it is worked out from the figures themselves, and nothing is left out."""
    over = monthly.over(programme, own)
    if not over.any():
        raise refuse(
            f"No {EACH[span]} of {measure.label.lower()} was over on {words.day(programme.as_of)}, the as_of day.",
            "figures of whole months, quarters or years, or a later as_of in programme.toml.",
        )
    return own[over], "" if over.all() else name(own.loc[~over, "period"].min(), span)


def _counts(programme: Programme, own: pd.DataFrame, measure: Measure, span: int) -> pd.DataFrame:
    """A row a period with its count, and its people where known, over all places."""
    at_risk = _people(programme, monthly.counted(own), span)
    if at_risk is None and measure.kind in ("rate", "proportion"):
        raise refuse(
            f"{measure.label} are a {measure.kind}, and nobody says out of how many.",
            "a denominator beside each count in outcomes.csv, or the people in denominators.csv.",
        )
    mine = sorted(own["place_id"].unique())
    if span > 1:
        _refuse_gaps(own, len(mine), span)
    return monthly.together(own, mine, at_risk).reset_index()


def _people(programme: Programme, own: pd.DataFrame, span: int) -> pd.Series[float] | None:
    """People by place and period; of a quarter or a year those of its months on average, when all are known."""
    people = monthly.people(programme, own)
    if people is None or span == 1 or own["denominator"].notna().all():
        return people
    months = people.rename("people").reset_index()
    each = [months.assign(period=months["period"] - pd.DateOffset(months=later)) for later in range(span)]
    held = pd.concat(each).groupby(["place_id", "period"])["people"]
    return held.mean().where(held.count() == span)


def _refuse_gaps(own: pd.DataFrame, places: int, span: int) -> None:
    reported = own.groupby("period")["place_id"].nunique()
    short = reported[reported < places]
    if len(short):
        raise refuse(
            f"Not every place reported every {EACH[span]}, the first gap in {name(short.index[0], span)}.",
            f"the missing {EACH[span]}s in outcomes.csv, or asking about places that reported throughout, with "
            "programme.only.",
        )


def _scores(own: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    if own["place_id"].nunique() > 1 or own["period"].duplicated().any():
        raise refuse(
            f"{measure.label} are scores, and the scores of several places or groups have no sum.",
            "asking about one place at a time, with programme.only(place=…), one score a month.",
        )
    return own[["period", "value"]].sort_values("period", ignore_index=True)
