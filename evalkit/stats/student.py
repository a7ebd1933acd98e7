"""Student's t: intervals and p values that every mean of ours shares."""

from __future__ import annotations

NO_SPREAD = 1e-12
"""Spread below this share of the largest value is rounding in the arithmetic, not variation between people."""


def t_interval(estimate: float, se: float, df: float, confidence: float) -> tuple[float, float]:
    """estimate ± t(df, (1 + confidence)/2) x se.

    >>> low, high = t_interval(10, 2, 9, 0.95)
    >>> print(f"{low:.3f} to {high:.3f}")
    5.476 to 14.524
    """
    from scipy.special import stdtrit

    half = float(stdtrit(df, (1 + share(confidence)) / 2)) * se
    return estimate - half, estimate + half


def t_p(estimate: float, se: float, df: float) -> float:
    """Two-sided p of estimate / se against t with df degrees of freedom.

    >>> round(t_p(4.0621277, 1, 9), 6)
    0.002833
    """
    from scipy.special import stdtr

    return float(2 * stdtr(df, -abs(estimate / se)))


def share(confidence: float) -> float:
    """The confidence itself, once it is known to be one.

    >>> share(0.95)
    0.95
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence} must lie between 0 and 1; 95 % is 0.95.")
    return confidence
