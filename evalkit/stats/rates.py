"""Proportions, means and rates with the intervals of English public-health practice."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evalkit.stats.count_limits import (
    BYARS,
    FEW_EVENTS,
    WILSON,
    Rate,
    byars_limits,
    poisson_limits,
    require,
    wilson_limits,
)
from evalkit.stats.funnels import Funnel, funnel
from evalkit.stats.life_expectancy import LifeExpectancy, life_expectancy
from evalkit.stats.pairs import flat, numbers
from evalkit.stats.quantiles import quantiles
from evalkit.stats.slope_index import slope_index
from evalkit.stats.standardised import DirectRate, DirectRates, IndirectRate, direct, direct_many, indirect
from evalkit.stats.student import t_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "FEW_EVENTS",
    "DirectRate",
    "DirectRates",
    "Funnel",
    "IndirectRate",
    "LifeExpectancy",
    "Mean",
    "Rate",
    "byars",
    "crude",
    "direct",
    "direct_many",
    "funnel",
    "indirect",
    "life_expectancy",
    "mean",
    "proportion",
    "quantiles",
    "slope_index",
    "wilson",
]


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with its t interval. `n` and `count` are how many values it is the mean of; `missing` were blank."""

    estimate: float
    low: float
    high: float
    count: int
    n: int
    per: float
    confidence: float
    method: str
    sd: float
    se: float
    df: int
    missing: int

    def interval(self, confidence: float) -> tuple[float, float]:
        """The t interval of this mean at another level of confidence."""
        return t_interval(self.estimate, self.se, self.df, confidence)


def wilson(count: float, n: float, *, confidence: float = 0.95) -> Rate:
    """A proportion, count / n, with Wilson's score interval.

    (2x + z² ± z sqrt(z² + 4xq)) / (2(n + z²)), x = count, q = 1 - x/n.
    Sources: Wilson (1927), JASA 22, 209-212; as in PHEindicatormethods `phe_proportion`.
    Errors: ValueError for n not above 0, or a count below 0 or above n.

    >>> share = wilson(65, 100)
    >>> print(f"{share.estimate:.2f} ({share.low:.4f} to {share.high:.4f})")
    0.65 (0.5525 to 0.7364)
    """
    return proportion(count, n, confidence=confidence)


def proportion(count: float, n: float, *, per: float = 1, confidence: float = 0.95) -> Rate:
    """A proportion out of `per` (1, or 100 for a percentage), per x count / n, with Wilson's score interval.

    Formula, sources and errors: see `wilson`; and ValueError for `per` not above 0.

    >>> share = proportion(65, 100, per=100)
    >>> print(f"{share.estimate:.0f} % ({share.low:.2f} to {share.high:.2f})")
    65 % (55.25 to 73.64)
    """
    require(n > 0 and math.isfinite(n), f"A proportion of n = {n} people has no meaning; n must be above 0.")
    require(0 <= count <= n, f"count = {count} must lie between 0 and n = {n}.")
    require(per > 0 and math.isfinite(per), f"per = {per} must be above 0: 1 for a proportion, 100 for a percentage.")
    low, high = wilson_limits(count, n, confidence)
    return Rate(per * count / n, per * low, per * high, count, n, per, confidence, WILSON, per / n)


def byars(count: float, *, confidence: float = 0.95) -> Rate:
    """A count of events with Byar's approximation to the Poisson limits.

    low = x (1 - 1/(9x) - z/(3 sqrt(x)))³, high = (x + 1)(1 - 1/(9(x + 1)) + z/(3 sqrt(x + 1)))³.
    Source: Breslow & Day (1987), Statistical Methods in Cancer Research II, p. 69. Good from 10 events; for fewer, see
    `crude`. low is 0 for no events, and NaN where the cubed term is negative (1 event at 99.8 %): no limit there.
    Errors: ValueError for a count below 0.

    >>> events = byars(65)
    >>> print(f"{events.low:.2f} to {events.high:.2f}")
    50.16 to 82.85
    """
    low, high = byars_limits(count, confidence)
    return Rate(count, low, high, count, count, 1, confidence, BYARS)


def crude(count: float, denominator: float, *, per: float = 100_000, confidence: float = 0.95) -> Rate:
    """A rate, per x count / denominator, with exact Poisson limits under 10 events and Byar's from 10 on.

    Exact: low = χ²(α/2; 2x)/2 and high = χ²(1 - α/2; 2x + 2)/2 events (Garwood 1936, Biometrika 28, 437-442).
    As in PHEindicatormethods `phe_rate`. `method` says which was used. per: what the rate is out of, e.g. 100_000.
    Events that come to the same people again and again (admissions) spread more than this allows for: see `direct`.
    Errors: ValueError for a denominator or `per` not above 0, or a count below 0.

    >>> rate = crude(5, 100, per=100)
    >>> print(f"{rate.estimate:.1f} ({rate.low:.4f} to {rate.high:.4f}), {rate.method}")
    5.0 (1.6235 to 11.6683), exact Poisson
    """
    require(denominator > 0 and math.isfinite(denominator), f"A rate needs a denominator above 0, not {denominator}.")
    require(per > 0 and math.isfinite(per), f"per = {per} must be above 0: a rate is per so many people or days.")
    low, high, method = poisson_limits(count, confidence)
    scale = per / denominator
    return Rate(count * scale, low * scale, high * scale, count, denominator, per, confidence, method, scale)


def mean(values: ArrayLike, *, sd: float | None = None, n: int | None = None, confidence: float = 0.95) -> Mean:
    """The mean of values, or a mean somebody published with its standard deviation and n, with Student's t interval.

    mean ± t(n - 1) x sd / sqrt(n), sd with n - 1. Sources: Student (1908), Biometrika 6(1), 1-25; as in
    PHEindicatormethods `phe_mean`. values: one number each, NaN = blank (counted in `missing`, not in n); or one mean,
    with `sd` and `n`. Units: those of the values.
    Errors: ValueError for fewer than two values, values without spread, or only one of `sd` and `n`.

    >>> stay = mean([3, 5, 4, 8, None])
    >>> print(f"{stay.estimate:.2f} ({stay.low:.2f} to {stay.high:.2f}), n = {stay.n}, {stay.missing} missing")
    5.00 (1.56 to 8.44), n = 4, 1 missing
    >>> again = mean(5, sd=stay.sd, n=4)
    >>> print(f"{again.low:.2f} to {again.high:.2f}")
    1.56 to 8.44
    """
    if sd is not None or n is not None:
        return _published_mean(values, sd, n, confidence)
    held = numbers(np.atleast_1d(np.asarray(values, dtype=object)), "values")
    known = held[~np.isnan(held)]
    require(
        len(known) >= 2, f"A mean with an interval needs two values or more; {len(known)} of {len(held)} are known."
    )
    alike = f"All {len(known)} values are {known[0]:g}: without spread there is no interval. Describe it instead."
    require(not flat(known), alike)
    return _mean(float(known.mean()), float(known.std(ddof=1)), len(known), confidence, len(held) - len(known))


def _published_mean(values: ArrayLike, sd: float | None, n: int | None, confidence: float) -> Mean:
    """A mean known only by its summary: ValueError where that cannot carry an interval."""
    if sd is None or n is None:
        raise ValueError("A published mean needs both its sd and its n; leave both out to give the values themselves.")
    found = np.asarray(values, dtype=float)
    require(found.ndim == 0, f"With sd and n give one mean, not {found.size} values.")
    require(math.isfinite(found), f"The mean is {found}; give a number.")
    require(n >= 2 and n == int(n), f"n = {n} must be a whole number of 2 or more for an interval.")
    require(0 < sd < math.inf, f"sd = {sd} must be above 0: without spread there is no interval.")
    return _mean(float(found), float(sd), int(n), confidence, 0)


def _mean(estimate: float, sd: float, n: int, confidence: float, missing: int) -> Mean:
    se = sd / math.sqrt(n)
    low, high = t_interval(estimate, se, n - 1, confidence)
    return Mean(estimate, low, high, n, n, 1, confidence, "Student's t", sd, se, n - 1, missing)
