"""What people say, as rows of a table: shares of those who answered, and means of scores, by kind of place and time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import circumstances, register, words
from evalkit.disclosure import TELLS
from evalkit.population import spans
from evalkit.population.held_once import in_words
from evalkit.population.monthly import refuse
from evalkit.population.spans import MINE, OTHERS
from evalkit.stats import rates as rate_stats

if TYPE_CHECKING:
    from evalkit.measure import Measure
    from evalkit.periods import Period
    from evalkit.programme import Programme

SHARE, MEAN, ONE = "share", "mean", "organisation"
COLUMNS = ["measure", "group", "estimate", "low", "high", "interval", "n", "unit", "n_of", "what", "by", "beneficiary",
           "kind", "period", "when", "method", "count", "why", TELLS]  # fmt: skip
NOTHING: dict[str, Any] = {"low": math.nan, "high": math.nan, "interval": "none given", "method": ""}


@dataclass(frozen=True, slots=True)
class Said:
    """One measure of what people say: its rows of the table, the times told in order, and its chart over time.

    `places`: how many there are of each kind; `short`: those that lack an answer at some time told; `several`: whether
    several figures of one place were put together, so that one person may be counted more than once.
    """

    measure: Measure
    rows: list[dict[str, Any]]
    times: list[str]
    places: dict[str, int]
    short: tuple[str, ...] = ()
    several: bool = False


def shares(programme: Programme, measure: Measure, period: str | None, confidence: float) -> Said:
    """How many of those who answered said yes, at each time told; or a refusal."""
    found = spans.counted(spans.figures(programme, measure))
    told = spans.asked(found, period, of="kind")
    rows = [
        _share(found, one, kind, sums, confidence)
        for one in told
        for kind, sums in found.summed(one).loc[found.kinds].to_dict("index").items()
    ]
    return Said(
        measure, rows, [in_words(one) for one in told], _places(found), short=tuple(found.short(told)),
        several=any(found.within(one)["first"].nunique() > 1 for one in told),
    )  # fmt: skip


def _places(found: spans.Figures) -> dict[str, int]:
    return {MINE: len(found.mine), OTHERS: len(found.others)}


def _row(found: spans.Figures, one: Period, kind: Any, what: str) -> dict[str, Any]:
    """What the row of one kind of place at one time says of itself."""
    measure = found.measure
    return {
        "measure": measure.label, "group": f"{kind}, {spans.named(one)}", "unit": measure.unit, "n_of": "respondents",
        "what": what, "by": f"{what}, {spans.named(one)}", "beneficiary": measure.beneficiary, "kind": kind,
        "period": in_words(one), "when": found.when(one), "why": "",
    }  # fmt: skip


def _share(found: spans.Figures, one: Period, kind: Any, sums: Any, confidence: float) -> dict[str, Any]:
    told = [n for n in (sums["count"], sums["people"] - sums["count"]) if 0 < n < found.programme.minimum_group]
    row = _row(found, one, kind, SHARE) | {"n": round(sums["people"]), "count": round(sums["count"])}
    row[TELLS] = round(min(told)) if told else pd.NA
    try:
        share = rate_stats.proportion(sums["count"], sums["people"], per=100, confidence=confidence)
    except ValueError as refusal:
        return row | NOTHING | {"estimate": math.nan, "why": str(refusal)}
    sure = f"{confidence:.0%} confidence"
    return row | {"estimate": share.estimate, "low": share.low, "high": share.high, "interval": sure,
                  "method": share.method}  # fmt: skip


# --- scores -----------------------------------------------------------------------------------------------------------


def scores(programme: Programme, measure: Measure, period: str | None, confidence: float) -> Said:
    """Means of scores: organisation by organisation where the table `scores` has them, else of places; or a refusal."""
    given = _of_organisations(programme, measure)
    if given.empty:
        return _of_places(programme, measure, period)
    if period is not None:
        raise ValueError(f"period={period!r}: {measure.label} are scores of waves, and the first and last are told.")
    times = list(dict.fromkeys(given.sort_values("order")["time"]))
    ends = list(dict.fromkeys([times[0], times[-1]]))
    rows = [row for time in ends for row in _wave(measure, given[given["time"] == time], time, confidence)]
    places = given.groupby("kind")["place_id"].nunique().to_dict()
    return Said(measure, rows, ends, {kind: places.get(kind, 0) for kind in (MINE, OTHERS)})


def _of_organisations(programme: Programme, measure: Measure) -> pd.DataFrame:
    """The scores of organisations on the instrument (or `instrument/domain`) that the measure is named after."""
    on, _, domain = measure.id.partition("/")
    held = programme.scores[register.by_now(programme, programme.scores["measured_on"])]
    held = held[held["instrument"] == on]
    own = held["organisation_id"].where(held["subject_kind"] != "organisation", held["subject_id"])
    held = held.assign(organisation=own)[own.notna() & (held["domain"] == domain if domain else True)]
    if held["domain"].nunique() > 1:
        raise refuse(f"{measure.label} hold several domains, which have no one mean.", f"a measure named {on}/domain.")
    known = programme.organisations.set_index("organisation_id")
    place = held["organisation"].map(known["place_id"])
    others = place.isin(circumstances.comparison_places(programme))
    day, wave = held["measured_on"], held["wave"].astype("Float64")
    return held.assign(
        name=held["organisation"].map(known["name"]), place_id=place, kind=others.map({True: OTHERS, False: MINE}),
        time=[f"wave {wave:.0f}" if pd.isna(day) else words.month(day) for day, wave in zip(day, wave, strict=True)],
        order=[str(wave) if pd.isna(day) else f"{day:%Y-%m}" for day, wave in zip(day, wave, strict=True)],
    )  # fmt: skip


def _wave(measure: Measure, held: pd.DataFrame, time: str, confidence: float) -> Iterator[dict[str, Any]]:
    """All organisations of each kind of place put together, then one by one in the order of their names."""
    for kind in (MINE, OTHERS):
        own = held[held["kind"] == kind].sort_values("name", kind="stable")
        whole = own[own["n"].notna() & own["sd"].notna()]
        if not whole.empty:
            mean, sd, n = _together(whole)
            yield _mean(measure, kind, time, mean, sd, n, confidence) | {"what": MEAN, "by": f"{MEAN}, {time}"}
        for row in own.to_dict("records"):
            apart = "" if row["n"] == row["n"] and row["sd"] == row["sd"] else ", not among all"  # of another total
            yield _mean(measure, f"{row['name']}", time, row["mean"], row["sd"], row["n"], confidence) | {
                "kind": kind, "what": ONE, "by": f"{kind}, {time}{apart}"
            }  # fmt: skip


def _together(own: pd.DataFrame) -> tuple[float, float, int]:
    """Mean and standard deviation of all answers, from those of parts of them: exact, however the parts differ."""
    n, mean, sd = (own[name].to_numpy(dtype=float) for name in ("n", "mean", "sd"))
    whole = float((n * mean).sum() / n.sum())
    squares = ((n - 1) * sd**2 + n * (mean - whole) ** 2).sum()
    return whole, math.sqrt(squares / (n.sum() - 1)) if n.sum() > 1 else math.nan, int(n.sum())


def _mean(measure: Measure, who: str, time: str, mean: float, sd: Any, n: Any, confidence: float) -> dict[str, Any]:
    row = {
        "measure": measure.label, "group": f"{who}, {time}", "estimate": mean, "n": n, "unit": measure.unit,
        "n_of": "respondents", "beneficiary": measure.beneficiary, "kind": who, "period": time, "when": "",
        "count": pd.NA, "why": "",
    }  # fmt: skip
    if pd.isna(n) or pd.isna(sd):
        return row | NOTHING | {"why": "How many answered, or how far they differ, was not given."}
    try:
        found = rate_stats.mean(mean, sd=float(sd), n=int(n), confidence=confidence)
    except ValueError as refusal:
        return row | NOTHING | {"why": str(refusal)}
    return row | {"low": found.low, "high": found.high, "interval": f"{confidence:.0%} confidence",
                  "method": found.method}  # fmt: skip


def _of_places(programme: Programme, measure: Measure, period: str | None) -> Said:
    """Means of the scores of places, weighed by how many answered where that is known; without an interval."""
    found = spans.figures(programme, measure)
    if found.rows["value"].isna().any():
        raise refuse(f"Some figures of {measure.label.lower()} have no value.", "a value in every row of outcomes.csv.")
    told = spans.asked(found, period, of="kind")
    rows = [_placed(found, one, kind) for one in told for kind in found.kinds]
    several = any(found.within(one)["first"].nunique() > 1 for one in told)
    return Said(measure, rows, [in_words(one) for one in told], _places(found), tuple(found.short(told)), several)


def _placed(found: spans.Figures, one: Period, kind: str) -> dict[str, Any]:
    """The mean score of one kind of place at one time."""
    held = found.within(one)
    own = held[held["kind"] == kind]
    known = bool(own["denominator"].notna().all())
    weight = own["denominator"] if known else own["denominator"].isna().astype(float).clip(lower=1.0)
    return _row(found, one, kind, MEAN) | NOTHING | {
        "estimate": float((own["value"] * weight).sum() / weight.sum()), "count": pd.NA,
        "n": round(weight.sum()) if known else pd.NA, "why": "A score without its spread has no interval.",
    }  # fmt: skip
