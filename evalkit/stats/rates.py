"""Proportions and rates with the intervals of English public-health practice."""

from __future__ import annotations

import math
from dataclasses import dataclass

FEW_EVENTS = 10
"""Below this many events Byar's approximation gives way to the exact Poisson limits (as PHEindicatormethods does)."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A proportion, count or rate with its interval.

    n is what was counted among: people (wilson), denominator (crude), or the events themselves (byars).
    """

    estimate: float
    low: float
    high: float
    count: float
    n: float
    per: float
    confidence: float
    method: str


def wilson(count: float, n: float, *, confidence: float = 0.95) -> Rate:
    """A proportion, count / n, with Wilson's score interval.

    (2x + z² ± z sqrt(z² + 4xq)) / (2(n + z²)), x = count, q = 1 - x/n.
    Sources: Wilson (1927), JASA 22, 209-212; as in PHEindicatormethods `phe_proportion`.
    Errors: ValueError for n not above 0, or a count below 0 or above n.

    >>> share = wilson(65, 100)
    >>> print(f"{share.estimate:.2f} ({share.low:.4f} to {share.high:.4f})")
    0.65 (0.5525 to 0.7364)
    """
    _require(n > 0 and math.isfinite(n), f"A proportion of n = {n} people has no meaning; n must be above 0.")
    _require(0 <= count <= n, f"count = {count} must lie between 0 and n = {n}.")
    z = _z(confidence)
    middle, reach = 2 * count + z * z, z * math.sqrt(z * z + 4 * count * (1 - count / n))
    whole = 2 * (n + z * z)
    low = 0.0 if count == 0 else (middle - reach) / whole
    high = 1.0 if count == n else (middle + reach) / whole
    return Rate(count / n, low, high, count, n, 1, confidence, "Wilson")


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
    low, high = _byars_limits(count, confidence)
    return Rate(count, low, high, count, count, 1, confidence, "Byar's")


def crude(count: float, denominator: float, *, per: float = 100_000, confidence: float = 0.95) -> Rate:
    """A rate, per x count / denominator, with exact Poisson limits under 10 events and Byar's from 10 on.

    Exact: low = χ²(α/2; 2x)/2 and high = χ²(1 - α/2; 2x + 2)/2 events (Garwood 1936, Biometrika 28, 437-442).
    As in PHEindicatormethods `phe_rate`. `method` says which was used. per: what the rate is out of, e.g. 100_000.
    Errors: ValueError for a denominator or `per` not above 0, or a count below 0.

    >>> rate = crude(5, 100, per=100)
    >>> print(f"{rate.estimate:.1f} ({rate.low:.4f} to {rate.high:.4f}), {rate.method}")
    5.0 (1.6235 to 11.6683), exact Poisson
    """
    _require(denominator > 0 and math.isfinite(denominator), f"A rate needs a denominator above 0, not {denominator}.")
    _require(per > 0 and math.isfinite(per), f"per = {per} must be above 0: a rate is per so many people or days.")
    few = count < FEW_EVENTS
    low, high = _exact_limits(count, confidence) if few else _byars_limits(count, confidence)
    scale = per / denominator
    method = "exact Poisson" if few else "Byar's"
    return Rate(count * scale, low * scale, high * scale, count, denominator, per, confidence, method)


def _byars_limits(count: float, confidence: float) -> tuple[float, float]:
    _require(0 <= count < math.inf, f"count = {count} must be 0 or more events.")
    z = _z(confidence)
    above = count + 1
    high = above * (1 - 1 / (9 * above) + z / (3 * math.sqrt(above))) ** 3
    if count == 0:
        return 0.0, high
    base = 1 - 1 / (9 * count) - z / (3 * math.sqrt(count))
    return (count * base**3 if base >= 0 else math.nan), high


def _exact_limits(count: float, confidence: float) -> tuple[float, float]:
    from scipy.special import gammaincinv

    _require(count >= 0, f"count = {count} must be 0 or more events.")
    tail = (1 - _checked(confidence)) / 2
    return (float(gammaincinv(count, tail)) if count > 0 else 0.0), float(gammaincinv(count + 1, 1 - tail))


def _z(confidence: float) -> float:
    from scipy.special import ndtri

    return float(ndtri((1 + _checked(confidence)) / 2))


def _checked(confidence: float) -> float:
    _require(0 < confidence < 1, f"confidence = {confidence} must lie between 0 and 1; 95 % is 0.95.")
    return confidence


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
