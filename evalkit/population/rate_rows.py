"""Rates of one measure as rows of a table: crude, with ages made alike, and as a ratio to comparison places."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit.disclosure import TELLS
from evalkit.population import spans
from evalkit.population.held_once import SPLITS, group_words
from evalkit.population.spans import A_TIME, MINE, OTHERS
from evalkit.stats import rates as rate_stats
from evalkit.stats import standard_population
from evalkit.stats.count_limits import FEW_EVENTS, normal

if TYPE_CHECKING:
    from evalkit.measure import Measure
    from evalkit.periods import Period

CRUDE, STANDARDISED, RATIO = "crude", "standardised", "ratio"
COLUMNS = ["measure", "group", "estimate", "low", "high", "interval", "n", "unit", "n_of", "what", "by", "kind",
           "period", "when", "method", "people", "out_of", "why", TELLS]  # fmt: skip
TOO_FEW = f"Fewer than {FEW_EVENTS} events are too few to standardise directly; put years or places together."
"""Why a rate is not made alike for age, which is printed where nothing is withheld: without saying how few."""
BLANK = {"estimate": math.nan, "low": math.nan, "high": math.nan, "method": ""}


@dataclass(frozen=True, slots=True)
class Asked:
    """One measure, the periods to tell, and how."""

    figures: spans.Figures
    periods: list[Period]
    standard: str
    by: str | None
    confidence: float

    @property
    def measure(self) -> Measure:
        """What is counted."""
        return self.figures.measure

    @property
    def share(self) -> bool:
        """Whether it is so many of so many, each at most once."""
        return self.measure.kind == "proportion"

    @property
    def per(self) -> float:
        """Out of how many a rate is told."""
        return self.measure.out_of

    def unit(self, period: Period) -> str:
        """What a rate counts."""
        if self.share:
            return "in every 100"
        out_of = "person" if self.per == 1 else f"{self.per:,.0f} people"
        return f"per {out_of} {A_TIME[period.months]}"

    @property
    def groups(self) -> list[Any]:
        """The groups asked for; one, without a name, where all are told together."""
        return [None] if self.by is None else self.figures.groups(self.by)

    def named(self, group: Any) -> str:
        """A group in words."""
        held = dict.fromkeys(SPLITS) | {str(self.by): group}
        return group_words(held["age_band"], held["sex"], held["quintile"])

    @property
    def standardised(self) -> bool:
        """Whether ages are given so that they can be made alike."""
        return not self.share and self.by != "age_band" and len(self.figures.groups("age_band")) > 1


@dataclass(frozen=True, slots=True)
class _Rate:
    """One rate: its row of the table, and the standard error of its logarithm, missing where there is none."""

    row: dict[str, Any]
    log_se: float

    @property
    def rest(self) -> int:
        """Those of a proportion to whom it did not happen, whom the others tell."""
        return 0 if pd.isna(self.row["out_of"]) else int(self.row["out_of"] - self.row["n"])


def table(asked: Asked) -> pd.DataFrame:
    """For each period: crude rates, standardised ones where ages are given, and one ratio where all are together."""
    rows: list[dict[str, Any]] = []
    for period in asked.periods:
        own = list(_rates(asked, period))
        rows += [rate.row for rate in own]
        if asked.by is None and OTHERS in asked.figures.kinds:
            rows.append(_ratio(asked, period, own))
    found = pd.DataFrame(rows).reindex(columns=COLUMNS).assign(measure=asked.measure.label, n_of="events")
    sure = f"{asked.confidence:.0%} confidence"
    found["interval"] = found["low"].isna().map({True: "none given", False: sure})
    return found.astype(dict.fromkeys(("n", "out_of", TELLS), "Int64"))


def _rates(asked: Asked, period: Period) -> Iterator[_Rate]:
    """The rates of one period."""
    split = [] if asked.by is None else [asked.by]
    totals = asked.figures.summed(period, split)
    ages: Any = asked.figures.summed(period, [*split, "age_band"]) if asked.standardised else totals
    for what in (CRUDE, STANDARDISED) if asked.standardised else (CRUDE,):
        for kind in asked.figures.kinds:
            for group in asked.groups:
                key = kind if group is None else (kind, group)
                if key in totals.index:
                    bands = ages.loc[key] if what == STANDARDISED else None
                    yield _rate(asked, period, what, kind, group, totals.loc[key], bands)


def _rate(
    asked: Asked, period: Period, what: str, kind: str, group: Any, total: Any, bands: pd.DataFrame | None
) -> _Rate:
    """One rate with its interval; blank, and saying why, where the statistic refuses."""
    printed = spans.named(period)
    row = {
        "group": ", ".join([*([] if group is None else [asked.named(group)]), kind, printed]),
        "n": round(total["count"]), "unit": asked.unit(period), "what": what, "kind": kind, "period": printed,
        "by": f"{printed}, {what}" if group is None else f"{kind}, {printed}, {what}",
        "when": asked.figures.when(period), "people": total["people"], "why": "",
        "out_of": round(total["people"]) if asked.share else pd.NA,
    }  # fmt: skip
    try:
        found = _standardised(asked, bands) if bands is not None else _crude(asked, total)
    except ValueError as refusal:
        few = bands is not None and row["n"] < FEW_EVENTS
        return _Rate(row | BLANK | {"why": TOO_FEW if few else str(refusal)}, math.nan)
    told = {"estimate": found.estimate, "low": found.low, "high": found.high, "method": found.method}
    return _Rate(row | told, _log_se(found, asked.share))


def _crude(asked: Asked, total: Any) -> rate_stats.Rate:
    rate = rate_stats.proportion if asked.share else rate_stats.crude
    return rate(total["count"], total["people"], per=asked.per, confidence=asked.confidence)


def _standardised(asked: Asked, bands: pd.DataFrame) -> rate_stats.DirectRate:
    weights = standard_population.weights(asked.standard, list(bands.index))
    return rate_stats.direct(
        bands["count"].to_numpy(), bands["people"].to_numpy(), weights, per=asked.per, confidence=asked.confidence
    )


def _log_se(found: rate_stats.Rate | rate_stats.DirectRate, share: bool) -> float:
    """The standard error of a rate's logarithm: se / rate; 1 / √x; of a proportion √(1 / x - 1 / n)."""
    if found.count == 0:
        return math.nan
    if isinstance(found, rate_stats.DirectRate):
        return found.se / found.estimate
    return math.sqrt(1 / found.count - (1 / found.n if share else 0.0))


def _ratio(asked: Asked, period: Period, own: list[_Rate]) -> dict[str, Any]:
    """Programme over comparison places: of standardised rates where both stand, else of crude ones."""
    stand = {(rate.row["what"], rate.row["kind"]) for rate in own if not rate.row["why"]}
    what = STANDARDISED if {(STANDARDISED, MINE), (STANDARDISED, OTHERS)} <= stand else CRUDE
    one, other = (next(rate for rate in own if (rate.row["what"], rate.row["kind"]) == (what, kind))
                  for kind in (MINE, OTHERS))  # fmt: skip
    few = [n for rate in (one, other) for n in (rate.row["n"], rate.rest) if n > 0]
    row = one.row | {
        "group": f"{MINE} against {OTHERS}, {spans.named(period)}", "unit": "ratio, 1 is the same", "what": RATIO,
        "by": f"{spans.named(period)}, {RATIO}", "kind": f"{MINE} against {OTHERS}", "why": "",
        "method": f"ratio of {'proportions' if asked.share else f'{what} rates'}, on the log scale",
        "n": one.row["n"] + other.row["n"], "people": one.row["people"] + other.row["people"],
        "out_of": pd.NA, TELLS: min(few, default=pd.NA),
    }  # fmt: skip
    if one.row["why"] or other.row["why"] or min(one.row["n"], other.row["n"]) < FEW_EVENTS:
        return row | BLANK | {"why": f"A ratio needs {FEW_EVENTS} events or more on both sides."}
    estimate, low, high = over(one.row["estimate"], other.row["estimate"], one.log_se, other.log_se, asked.confidence)
    return row | {"estimate": estimate, "low": low, "high": high}


def over(one: float, other: float, one_log_se: float, other_log_se: float, confidence: float) -> tuple[float, ...]:
    """One rate over another, r, with its limits r exp(± z √(se₁² + se₂²)), the se of the logarithms of the rates.

    >>> [round(found, 4) for found in over(1043.2, 998.7, 12.1 / 1043.2, 15.3 / 998.7, 0.95)]
    [1.0446, 1.0059, 1.0846]
    """
    ratio, reach = one / other, normal(confidence) * math.hypot(one_log_se, other_log_se)
    return ratio, ratio * math.exp(-reach), ratio * math.exp(reach)
