"""How far a count may lie from what it stands for: Wilson's, Byar's and exact Poisson limits, in one form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evalkit.stats.student import share

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEW_EVENTS = 10
"""Below this many events Byar's approximation gives way to the exact Poisson limits, and no rate is standardised
directly (as in PHEindicatormethods)."""

WILSON, BYARS, EXACT = "Wilson", "Byar's", "exact Poisson"


@dataclass(frozen=True, slots=True)
class Rate:
    """A proportion, count or rate with its interval.

    n is what was counted among: people (wilson, proportion), denominator (crude), or the events themselves (byars).
    scale: what one event adds to the estimate.
    """

    estimate: float
    low: float
    high: float
    count: float
    n: float
    per: float
    confidence: float
    method: str
    scale: float = 1.0

    def interval(self, confidence: float) -> tuple[float, float]:
        """The interval of this rate at another level of confidence, by the same method.

        >>> low, high = Rate(5, 2.15, 11.18, 5, 100, 100, 0.95, "Wilson", 1).interval(0.998)
        >>> print(f"{low:.4f} to {high:.4f}")
        1.3865 to 16.4589
        """
        if self.method == WILSON:
            low, high = wilson_limits(self.count, self.n, confidence)
            return self.per * low, self.per * high
        low, high = (exact_limits if self.method == EXACT else byars_limits)(self.count, confidence)
        return self.scale * low, self.scale * high


def wilson_limits(count: float, n: float, confidence: float) -> tuple[float, float]:
    """(2x + z² ± z sqrt(z² + 4xq)) / (2(n + z²)), x = count, q = 1 - x/n (Wilson 1927); 0 and 1 at the edges.

    >>> low, high = wilson_limits(65, 100, 0.95)
    >>> print(f"{low:.4f} to {high:.4f}")
    0.5525 to 0.7364
    """
    z = normal(confidence)
    middle, reach = 2 * count + z * z, z * math.sqrt(z * z + 4 * count * (1 - count / n))
    whole = 2 * (n + z * z)
    return 0.0 if count == 0 else (middle - reach) / whole, 1.0 if count == n else (middle + reach) / whole


def poisson_limits(count: float, confidence: float) -> tuple[float, float, str]:
    """Exact limits under `FEW_EVENTS`, Byar's from there on; and which it was.

    >>> [poisson_limits(events, 0.95)[2] for events in (9, 10)]
    ['exact Poisson', "Byar's"]
    """
    method = EXACT if count < FEW_EVENTS else BYARS
    return *(exact_limits if method == EXACT else byars_limits)(count, confidence), method


def byars_limits(count: float, confidence: float) -> tuple[float, float]:
    """Byar's limits of one count; see `byars_of_many`.

    >>> low, high = byars_limits(65, 0.95)
    >>> print(f"{low:.2f} to {high:.2f}")
    50.16 to 82.85
    """
    require(0 <= count < math.inf, f"count = {count} must be 0 or more events.")
    low, high = byars_of_many(np.array([count], dtype=float), confidence)
    return float(low[0]), float(high[0])


def byars_of_many(counts: NDArray[np.float64], confidence: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """x (1 - 1/(9x) - z/(3 sqrt(x)))³ and (x + 1)(1 - 1/(9(x + 1)) + z/(3 sqrt(x + 1)))³ of each count x.

    low is 0 for no events, and NaN where the cubed term is negative (1 event at 99.8 %): no limit there.
    Source: Breslow & Day (1987), Statistical Methods in Cancer Research II, p. 69.
    """
    z, above, some = normal(confidence), counts + 1, np.where(counts > 0, counts, 1.0)
    high = above * (1 - 1 / (9 * above) + z / (3 * np.sqrt(above))) ** 3
    base = 1 - 1 / (9 * some) - z / (3 * np.sqrt(some))
    return np.where(counts > 0, np.where(base >= 0, some * base**3, np.nan), 0.0), high


def exact_limits(count: float, confidence: float) -> tuple[float, float]:
    """χ²(α/2; 2x)/2 and χ²(1 - α/2; 2x + 2)/2 (Garwood 1936, Biometrika 28, 437-442).

    >>> low, high = exact_limits(5, 0.95)
    >>> print(f"{low:.4f} to {high:.4f}")
    1.6235 to 11.6683
    """
    from scipy.special import gammaincinv

    require(0 <= count < math.inf, f"count = {count} must be 0 or more events.")
    tail = (1 - share(confidence)) / 2
    return (float(gammaincinv(count, tail)) if count > 0 else 0.0), float(gammaincinv(count + 1, 1 - tail))


def normal(confidence: float) -> float:
    """How many standard errors lie on either side.

    >>> round(normal(0.95), 6)
    1.959964
    """
    from scipy.special import ndtri

    return float(ndtri((1 + share(confidence)) / 2))


def require(holds: bool, otherwise: str) -> None:
    """ValueError with that sentence unless it holds."""
    if not holds:
        raise ValueError(otherwise)
