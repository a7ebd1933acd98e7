"""Monthly figures of the programme's places, and of those to compare with: what questions about them start from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import circumstances, periods, words
from evalkit.errors import NotEnoughEvidence
from evalkit.stats.student import share

if TYPE_CHECKING:
    from evalkit.measure import Measure
    from evalkit.programme import Programme

QUESTION = "Is anything different for patients, citizens, staff and taxpayers?"
SHOCKS = ("shock", "definition_change", "boundary_change")
"""Kinds of event that break a series: what comes after cannot be read beside what came before."""


def refuse(missing: str, would_answer: str) -> NotEnoughEvidence:
    """The refusal of a question about people's lives."""
    return NotEnoughEvidence(QUESTION, missing=missing, would_answer=would_answer)


def no_people() -> NotEnoughEvidence:
    """The refusal of a rate without a denominator."""
    return refuse(
        "Nobody says how many people the counts are out of.",
        "how many people lived in each place, month by month, in denominators.csv or beside each count.",
    )


def no_start(names: list[str]) -> NotEnoughEvidence:
    """The refusal of a before and after without a date between them."""
    return refuse(
        f"Nobody says when the programme started in {words.listed(names)}.",
        "the start date of each place in places.csv, or arm 'comparison' where it did not.",
    )


def sure(confidence: float) -> None:
    """Refuse a confidence that is none, before anything is counted: a slip in what is asked, not in the data."""
    if not isinstance(confidence, int | float):
        raise ValueError(f"confidence={confidence!r} must be a number between 0 and 1, such as 0.95.")
    share(confidence)


def beside(ratio: float, other: str) -> str:
    """A ratio in words, and what it is a ratio to.

    >>> beside(0.95, "their own past"), beside(1.0, "their own past")
    ('5 in every 100 lower than their own past', 'the same as their own past')
    """
    said = words.in_every_100(ratio)
    return f"{said} {'as' if said == 'the same' else 'than'} {other}"


def given(programme: Programme, measure: Measure) -> pd.DataFrame:
    """The rows of `outcomes` on this measure, whatever time each covers, or a refusal where there are none.

    Of times that were over on the day the data speak of: nothing is read that came later."""
    held = begun(programme, measure)
    held = held[over(programme, held)]
    if held.empty:
        raise _none_given(programme, measure)
    return held


def begun(programme: Programme, measure: Measure) -> pd.DataFrame:
    """The rows of `outcomes` on this measure of times that had begun on the day the data speak of."""
    every = programme.outcomes[programme.outcomes["measure"] == measure.id]
    held = every[every["period"] <= pd.Timestamp(programme.as_of)]
    if held.empty:
        raise _none_given(programme, measure)
    return held


def _none_given(programme: Programme, measure: Measure) -> NotEnoughEvidence:
    """The refusal where there are no figures, or none yet on the day the data speak of."""
    later = (programme.outcomes["measure"] == measure.id).any()
    when = f" up to {words.day(programme.as_of)}, the as_of day" if later else ""
    return refuse(f"No {measure.label.lower()} were given{when}.", "outcomes.csv: one row a place, month and age band.")


def over(programme: Programme, held: pd.DataFrame) -> pd.Series[bool]:
    """Which of these rows are of a time that was over on the day the data speak of."""
    months = held["span"].fillna(1).to_numpy(dtype="timedelta64[M]")
    after = pd.Series(held["period"].to_numpy(dtype="datetime64[M]") + months, index=held.index)
    return after.astype("datetime64[us]") <= pd.Timestamp(programme.as_of) + pd.Timedelta(days=1)


def refuse_one_side(periods: pd.Series[pd.Timestamp], starts: Iterable[pd.Timestamp]) -> None:
    """Refuse figures that all lie on one side of a start."""
    for start in sorted(set(starts)):
        before = periods < start
        if before.any() and not before.all():
            continue
        side = "after" if before.all() else "before"
        raise refuse(
            f"There are no figures from {side} the start in {words.month(start)}, which must come after the first "
            "period, and not after the last.",
            "figures from a year or more on either side of the start, or the day it started mended in places.csv.",
        )


def figures(programme: Programme, measure: Measure) -> pd.DataFrame:
    """The rows of `outcomes` on this measure, each of one month."""
    held = given(programme, measure)
    longer = held[held["span"].fillna(1) > 1]
    if len(longer):
        first = periods.spoken(longer["period"].iloc[0].date(), int(longer["span"].iloc[0]))
        raise refuse(
            f"{len(longer)} of {len(held)} figures cover a quarter or a year, the first {first}.",
            "figures month by month: longer periods hide when a change began.",
        )
    return held


def counts(programme: Programme, measure: Measure) -> pd.DataFrame:
    """The rows of `outcomes` on this measure, each of one month and with its count."""
    return counted(figures(programme, measure))


def counted(held: pd.DataFrame) -> pd.DataFrame:
    """These rows, each with its count."""
    if held["count"].isna().any():
        raise refuse("Some figures have no count.", "a count, 0 where there was nobody, in every row of outcomes.csv.")
    return held


def mine_and_others(programme: Programme, held: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The places these rows are about: the programme's, and those to compare with."""
    compared = held["place_id"].isin(circumstances.comparison_places(programme))
    mine = sorted(set(held.loc[~compared, "place_id"]))
    if not mine:
        raise refuse("No place in the counts takes part.", "arm 'programme' and a start date in places.csv.")
    return mine, sorted(set(held.loc[compared, "place_id"]))


def people(programme: Programme, held: pd.DataFrame) -> pd.Series[float] | None:
    """People at risk by place and period: beside the counts where given, else from `denominators`; None when nobody
    says."""
    given = held["denominator"].notna()
    if given.all():
        return held.groupby(["place_id", "period"])["denominator"].sum()
    if given.any():
        raise refuse(
            f"{int((~given).sum())} of {len(held)} rows have no denominator, and the others have.",
            "a denominator in every row of outcomes.csv, or in none and the people in denominators.csv.",
        )
    known = _by_month(_of_the_same_groups(programme.denominators, held))
    return None if known.empty else known.groupby(["place_id", "period"])["population"].sum()


def _of_the_same_groups(known: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """The people of the groups that were counted: split by age, sex or quintile only where the counts are, or they
    would be counted twice; split finer than the counts, where nothing else is known."""
    for split in ("age_band", "sex", "quintile"):
        groups = held[split].dropna().unique()
        if len(groups):
            known = known[known[split].isin(groups)]
        elif known[split].isna().any():
            known = known[known[split].isna()]
    return known


def _by_month(known: pd.DataFrame) -> pd.DataFrame:
    """People given for a quarter or a year, in each of its months."""
    months = known["span"].fillna(1).astype("int64")
    if (months == 1).all():
        return known
    spread = known.loc[known.index.repeat(months)]
    later = spread.groupby(level=0).cumcount().to_numpy()
    each = pd.PeriodIndex(spread["period"], freq="M") + later
    return spread.assign(period=each.to_timestamp().astype("datetime64[us]"))


def together(held: pd.DataFrame, places: list[str], at_risk: pd.Series[float] | None) -> pd.DataFrame:
    """Counts, and people where known, summed over these places: a row a month in which every one of them reported."""
    own = held[held["place_id"].isin(places)].groupby(["place_id", "period"])["count"].sum()
    both = pd.DataFrame({"count": own.astype(float)})
    if at_risk is not None:
        both["people"] = at_risk.reindex(own.index)
    both = both.reset_index()
    refuse_unknown_people(both)
    reported = both.groupby("period")["place_id"].nunique()
    short = reported[reported < len(places)]
    if not short.empty:
        raise refuse(
            f"Not every place reported every month, the first gap in {words.month(short.index[0])}.",
            "the missing months in outcomes.csv, or asking about places that reported throughout, with programme.only.",
        )
    return both.groupby("period")[[name for name in ("count", "people") if name in both]].sum()


def refuse_unknown_people(both: pd.DataFrame) -> None:
    """Refuse months that have a count and no people."""
    gaps = both[both["people"].isna()] if "people" in both else both.head(0)
    if not gaps.empty:
        first = gaps.iloc[0]
        raise refuse(
            f"{len(gaps)} months have a count but no people, the first {first['place_id']} in "
            f"{words.month(first['period'])}.",
            "a population for every place and month counted, in denominators.csv.",
        )


def events(programme: Programme, measure: Measure, months: pd.Series[pd.Timestamp]) -> pd.DataFrame:
    """Registered events that touch this measure, the programme's places and these months, in order."""
    registered = programme.events
    here = ~registered["place_id"].isin(circumstances.comparison_places(programme))
    this = registered["measure"].isna() | (registered["measure"] == measure.id)
    during = registered["starts_on"].between(months.min(), months.max() + pd.offsets.MonthEnd(0))
    held = registered[here & this & during].sort_values("starts_on", kind="stable")
    return held.drop_duplicates(["name", "starts_on"])


def breaks(happened: pd.DataFrame) -> list[str]:
    """Those among the events that break a series, by name."""
    return list(happened.loc[happened["kind"].isin(SHOCKS), "name"])
