"""The noncentral t turned round: between which true values an observed t lies in the tails."""

from __future__ import annotations

import math


def limits(t: float, df: float, confidence: float) -> tuple[float, float]:
    """The two noncentralities under which t lies exactly at the upper and at the lower tail.

    Source: Cumming & Finch (2001), Educational and Psychological Measurement 61(4), 532-574. Divide by what turns an
    effect size into t: sqrt(1/n) for d_z, sqrt(1/n_a + 1/n_b) for d_s.
    Errors: ValueError where t lies beyond what the noncentral t can be computed for.

    >>> low, high = limits(4.0621277, 9, 0.95)
    >>> print(f"{low:.4f} to {high:.4f}")
    1.3112 to 6.6978
    """
    from scipy.optimize import brentq
    from scipy.special import nctdtr

    def above(centre: float, tail: float) -> float:
        below = float(nctdtr(df, centre, t))
        if math.isnan(below):
            raise ValueError(
                f"t = {t:.0f} is beyond the noncentral t: the answers hardly differ. Describe them instead."
            )
        return below - tail

    def limit(tail: float) -> float:
        reach = 4 * math.sqrt(1 + t * t / (2 * df))
        while above(t - reach, tail) <= 0 or above(t + reach, tail) >= 0:
            reach *= 2
        return float(brentq(above, t - reach, t + reach, args=(tail,), xtol=1e-10))

    return limit((1 + confidence) / 2), limit((1 - confidence) / 2)
