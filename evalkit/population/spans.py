"""Figures of a measure over any time: months, quarters or years, in the programme places and in those to compare with.

Nobody is counted twice, all that belongs to a period is there, and a period is before the start of the programme in
its places, or after it, or holds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import periods
from evalkit.periods import Period
from evalkit.population import monthly
from evalkit.population.held_once import EVERYBODY, SPLITS, group_words, in_words, period_of, refuse_twice, timed
from evalkit.population.monthly import refuse
from evalkit.stats.age_bands import edges

if TYPE_CHECKING:
    from evalkit.measure import Measure
    from evalkit.programme import Programme

OLDEST = 120
"""Nobody is older: where an open band is taken to end."""
MINE, OTHERS = "programme places", "comparison places"
"""The two kinds of place, each told together; no place is told by itself."""
YEAR, QUARTER = 12, 3
A_TIME = {YEAR: "a year", QUARTER: "a quarter", 1: "a month"}
"""How a rate over so many months is said."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One measure, a row a figure: place_id, kind, first, after (the day after its last), span, age_band, sex,
    quintile, count, people, value.

    `people`: on average over the time of the figure; of a proportion, those it is a proportion of. `starts`: when the
    first and the last of the programme places began; None where nobody says of some.
    """

    programme: Programme
    measure: Measure
    rows: pd.DataFrame
    mine: list[str]
    others: list[str]
    starts: tuple[pd.Timestamp, pd.Timestamp] | None

    @property
    def kinds(self) -> list[str]:
        """The kinds of place there are."""
        return [MINE, OTHERS] if self.others else [MINE]

    def when(self, period: Period) -> str:
        """before, after or during the start in the programme places; blank where nobody says when that was."""
        if self.starts is None:
            return ""
        first, last = self.starts
        if pd.Timestamp(period.last) < first:
            return "before"
        return "after" if pd.Timestamp(period.first) >= last else "during"

    def within(self, period: Period) -> pd.DataFrame:
        """The rows that lie in this period with their whole time."""
        after = pd.Timestamp(period.last) + pd.Timedelta(days=1)
        return self.rows[(self.rows["first"] >= pd.Timestamp(period.first)) & (self.rows["after"] <= after)]

    def covered(self, period: Period, of: str = "place_id") -> pd.DataFrame:
        """For each place (or kind of place) the months of this period that it has, by group: NaN where it has none."""
        held = self.within(period).drop_duplicates([of, "age_band", "sex", "first"])
        held = held.fillna({"age_band": "", "sex": ""})
        months = held.groupby(["age_band", "sex", of])["span"].sum().unstack(of)
        return months.reindex(columns=self.places if of == "place_id" else self.kinds)

    def gap(self, period: Period, of: str = "place_id") -> str:
        """What of this period is not there, in words; blank where each place (or kind) and group is."""
        months = self.covered(period, of)
        if months.empty:
            return f"There is no figure for {in_words(period)}"
        short = months.isna() | (months < period.months)
        if not short.to_numpy().any():
            return ""
        lacking = short.any()[lambda any_short: any_short].index[0]
        if short[lacking].all():
            return f"{lacking} has not every figure for {in_words(period)}"
        age_band, sex = short.index[short[lacking]][0]
        who = group_words(age_band or None, sex or None, None)
        return f"{lacking} has not every figure of {who} for {in_words(period)}"

    def short(self, periods: Sequence[Period]) -> list[str]:
        """The places that lack some figure of these periods."""
        lacking: set[str] = set()
        for period in periods:
            months = self.covered(period)
            lacking |= set(months.columns[(months.isna() | (months < period.months)).any()])
        return [place for place in self.places if place in lacking]

    @property
    def places(self) -> list[str]:
        """All places, the programme's first."""
        return [*self.mine, *self.others]

    def groups(self, split: str) -> list[Any]:
        """The groups of this split, in their order: ages from young to old, deprivation from most to least."""
        found = list(self.rows[split].dropna().unique())
        return sorted(found, key=lambda band: edges([band])[0]) if split == "age_band" else sorted(found)

    def summed(self, period: Period, by: Sequence[str] = ()) -> pd.DataFrame:
        """By kind of place, and group: count, people (on average over the period; of a proportion, all of them) and
        person_years."""
        held = self.within(period)
        months = held["people"] * held["span"]
        held = held.assign(person_years=months / YEAR)
        found = held.groupby(["kind", *by], dropna=False)[["count", "people", "person_years"]].sum()
        if self.measure.kind == "proportion":
            return found
        return found.assign(people=found["person_years"] * YEAR / period.months)


def figures(programme: Programme, measure: Measure) -> Figures:
    """Every figure of this measure up to the day the data speak of, or a refusal where there are none.

    A refusal, by name, where one person would be counted twice: totals beside their parts, or months beside their year.
    """
    held = programme.outcomes[programme.outcomes["measure"] == measure.id]
    held = timed(held)
    held = held[held["after"] <= pd.Timestamp(programme.as_of) + pd.Timedelta(days=1)]
    if held.empty:
        raise refuse(
            f"No {measure.label.lower()} were given.", "outcomes.csv: one row a place, period (month, quarter or year) "
            "and group."
        )  # fmt: skip
    mine, others = monthly.mine_and_others(programme, held)
    refuse_twice(held, measure.label, "outcomes.csv")
    kind = held["place_id"].isin(others).map({True: OTHERS, False: MINE})
    held = held.assign(kind=kind, people=held["denominator"])
    return Figures(programme, measure, held, mine, others, _starts(programme, mine))


def _starts(programme: Programme, mine: list[str]) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """When the first and the last of these places began; the programme's own start where nobody says of a place."""
    begun = programme.places.set_index("place_id")["start"].reindex(mine)
    if programme.starts_on is not None:
        begun = begun.fillna(pd.Timestamp(programme.starts_on))
    return None if begun.isna().any() else (begun.min(), begun.max())


def counted(found: Figures) -> Figures:
    """These figures, each with its count and the people it is out of; a refusal where one of them is not known."""
    held = found.rows
    if held["count"].isna().any():
        raise refuse("Some figures have no count.", "a count, 0 where there was nobody, in every row of outcomes.csv.")
    people = _people(found)
    if people is None and found.measure.kind == "proportion":
        raise refuse(f"Nobody says out of how many: {found.measure.label}.", "a denominator beside each count.")
    if people is None:
        raise monthly.no_people()
    if people.isna().any():
        first = held.loc[people.isna()].iloc[0]
        raise refuse(
            f"{int(people.isna().sum())} of {len(held)} figures have a count but no people, the first that of "
            f"{first['place_id']} for {in_words(period_of(first))}.",
            "the people of every place, time and group counted, in denominators.csv or beside the counts.",
        )
    return replace(found, rows=held.assign(count=held["count"].astype(float), people=people))


# --- how many people --------------------------------------------------------------------------------------------------


def _people(found: Figures) -> pd.Series[float] | None:
    """The people of each figure, beside it or from `denominators`; None when nobody says."""
    held = found.rows
    given = held["denominator"].notna()
    if given.all() or (given.any() and found.measure.kind == "proportion"):
        return held["denominator"].astype(float)
    if given.any():
        raise refuse(
            f"{int((~given).sum())} of {len(held)} figures have no denominator, and the others have.",
            "a denominator in every row of outcomes.csv, or in none and the people in denominators.csv.",
        )
    if found.measure.kind == "proportion":
        return None
    known = found.programme.denominators
    known = known[known["place_id"].isin(found.places)]
    known = known.assign(sex=known["sex"].mask(known["sex"] == EVERYBODY))
    for split in SPLITS:
        known = _split_alike(known, held, split)
    if known.empty:
        return None
    return _over_months(held, known)


def _split_alike(known: pd.DataFrame, held: pd.DataFrame, split: str) -> pd.DataFrame:
    """The people split as the counts are: by their groups where they are split, else all together."""
    groups = list(held[split].dropna().unique())
    if not groups:
        whole = known[split].isna()
        return known[whole] if whole.any() else known
    if split != "age_band":
        return known[known[split].isin(groups)]
    parts = _parts(groups, list(known[split].dropna().unique()))
    return known[known[split].isin(list(parts))].assign(group=lambda rows: rows[split].map(parts))


def _parts(groups: list[str], bands: list[str]) -> dict[str, str]:
    """Which band of people belongs to which group of the counts: itself, or narrower ones that make it up."""
    ends = dict(zip([*groups, *bands], edges([*groups, *bands]), strict=True))
    parts: dict[str, str] = {}
    for group in groups:
        whole = ends[group]
        inside = [group] if group in bands else [
            band for band in bands if whole.start <= ends[band].start and ends[band].end <= whole.end
        ]  # fmt: skip
        ages = range(whole.start, int(min(whole.end, OLDEST)))
        if all(any(ends[band].start <= age < ends[band].end for band in inside) for age in ages):
            parts |= dict.fromkeys(inside, group)
    return parts


def _over_months(held: pd.DataFrame, known: pd.DataFrame) -> pd.Series[float]:
    """For each figure the people of its group on average over its months; missing where a month is not known."""
    refuse_twice(timed(known), "The people", "denominators.csv")
    split = [name for name in SPLITS if held[name].notna().any()]
    ages = {"age_band": known["group"]} if "group" in known else {}
    months = _each_month(timed(known).assign(**ages), ["place_id", *split])
    by_month = months.groupby(["place_id", *split, "month"], dropna=False)["population"].sum().reset_index()
    figure = held.reset_index(names="figure")
    needed = _each_month(figure, ["figure", "place_id", *split])
    joined = needed.merge(by_month, on=["place_id", *split, "month"], how="left")
    found = joined.groupby("figure")["population"]
    average = found.mean().where(found.count() == found.size())
    return average.reindex(held.index)


def _each_month(rows: pd.DataFrame, keep: list[str]) -> pd.DataFrame:
    """A row for each month of each row, with these columns and its people where it has them."""
    kept = rows[[*keep, "first", "span", *(name for name in ("population",) if name in rows)]].reset_index(drop=True)
    spread = kept.loc[kept.index.repeat(kept["span"])]
    later = spread.groupby(level=0).cumcount().to_numpy(dtype="timedelta64[M]")
    return spread.assign(month=spread["first"].to_numpy(dtype="datetime64[M]") + later).reset_index(drop=True)


# --- which periods ----------------------------------------------------------------------------------------------------


def asked(found: Figures, period: str | None, *, of: str = "place_id") -> list[Period]:
    """The periods to tell: the one named; else the last whole year before the start, and the last whole year.

    Years are financial years, or those in which figures are given. Where there is no whole year on one side of the
    start: quarters, then months, the last and the last of the same time of year before the start; else the last whole
    year, quarter or month alone. `of`: whether each place must be there throughout ("place_id"), or some place of each
    kind ("kind").
    Errors: ValueError for a text that names no period; a refusal where what is named is not there.
    """
    if period is not None:
        named = periods.parse(str(period))
        if named is None:
            raise ValueError(f"period={period!r} is no period; write 2024/25, 2024/25 Q1 or 2024-04.")
        gap = found.gap(named, of)
        if gap:
            raise refuse(f"{gap}.", "the missing figures in outcomes.csv, or another period.")
        return [named]
    alone: list[Period] = []
    for months in A_TIME:
        ends = _ends(found, months, of)
        if len(ends) == 2:
            return ends
        alone = alone or ends
    if not alone:
        last = max(_candidates(found, int(found.rows["span"].min())))
        raise refuse(
            f"Not every place reported every time: {found.gap(last, of)}.",
            "the missing figures in outcomes.csv, or only places that reported throughout, with programme.only.",
        )
    return alone


def _ends(found: Figures, months: int, of: str) -> list[Period]:
    """The last period of so many months, and the last of the same time of year before the start where there is one."""
    backwards = _candidates(found, months)[::-1]
    last = next((one for one in backwards if not found.gap(one, of)), None)
    if last is None or found.when(last) != "after":
        return [last] if last else []
    before = (one for one in backwards if found.when(one) == "before" and one.first.month == last.first.month)
    first = next((one for one in before if not found.gap(one, of)), None)
    return [first, last] if first else [last]


def _candidates(found: Figures, months: int) -> list[Period]:
    """Periods of so many months that figures touch: financial years and their quarters, and those of the figures."""
    firsts, spans = found.rows["first"], found.rows["span"]
    own = set(firsts[spans == months])
    step = pd.DateOffset(months=months)
    begin = firsts.min().replace(day=1)
    while months > 1 and (begin.month - 4) % months:
        begin -= pd.DateOffset(months=1)
    while begin < found.rows["after"].max() and (spans < months).any():
        own.add(begin)
        begin += step
    return sorted(Period(first.date(), months) for first in own)


def named(period: Period) -> str:
    """The period as it stands in a table."""
    return periods.printed(period.first, period.months)
