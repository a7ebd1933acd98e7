"""How far might groups have drifted apart anyway? Intervals that allow for a trend of their own, and what they bear."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evalkit.stats import honest_smooth
from evalkit.stats.periods import Floats
from evalkit.stats.student import share, t_interval

Kind = Literal["relative", "smoothness"]
Interval = Callable[[float], tuple[float, float]]

SOURCE = "Rambachan & Roth (2023), Rev. Econ. Stud. 90, 2555–2591: relative magnitudes and smoothness, section 2.4."
RELATIVE = (0.0, 0.5, 1.0, 1.5, 2.0)
SMOOTHNESS = (0.0, 0.5, 1.0)
"""In standard errors of the estimate, where no `m` is given."""
HALVINGS = 30
"""How often the bracket of a breakdown value is halved: to a billionth of it."""
FARTHEST = 1e6
"""Beyond so many times the largest step before (or standard errors) the breakdown value is called infinite."""


@dataclass(frozen=True, slots=True, eq=False)
class HonestBounds:
    """What `bounds` found. `estimate`, `low`, `high`, `se`: taking trends to be parallel. `breakdown`: the largest M at
    which the interval still leaves out nought, 0 where it never does, infinite where it always does."""

    estimate: float
    low: float
    high: float
    se: float
    df: float | None
    kind: Kind
    breakdown: float
    confidence: float
    n_leads: int
    n_after: int
    method: str
    source: str
    _table: pd.DataFrame = field(repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """A row an M: m, low, high."""
        return self._table.copy()


def bounds(
    estimates: ArrayLike,
    covariance: ArrayLike,
    leads: int,
    df: float | None = None,
    *,
    kind: Kind = "relative",
    m: Sequence[float] | None = None,
    weights: ArrayLike | None = None,
    confidence: float = 0.95,
) -> HonestBounds:
    """What does the estimate say if the groups had drifted apart on their own, as far as before, or M times as far?

    An event study of `leads` estimates before the start and others from it on, each against the last period before,
    with their covariance; `GroupTime.leads_and_lags()` gives all four: `bounds(*found.leads_and_lags())`. The question
    is of θ = Σ weights × estimates from the start on (weights: their plain mean unless given).

    "relative": from one period to the next the difference in trend, after the start, is at most M times the largest
    step before it. With c = Σ_k |Σ_{t ≥ k} w_t| and Δ_s the steps before, θ lies within ± M c max |Δ_s| of Σ w b. The
    interval is the union, over each s and sign, of (w ∓ M c Δ_s)' b ∓ t × its standard error, with the covariance of
    steps and estimate: one of them holds the truth on each side, whichever step is truly the largest. It holds θ at
    least as often as stated, and is somewhat wider than the authors' conditional least-favourable one (Benzarti and
    Carloni's data, M to 1.3: by 6 % to 12 %). To widen the estimate's interval by M c max |Δ_s| as found, as some
    programs do, is not enough: it takes the steps as known, and was narrower than the authors' from M = .7 on. Wide
    with monthly data, where steps are mostly noise: take years.

    "smoothness": the slope of the difference in trend changes by at most M, in units of the outcome, from one period to
    the next; M = 0 goes on with the line before. The shortest fixed-length interval, the authors' section 4.1
    (`honest_smooth`).

    Raises ValueError: shapes that do not fit, a covariance that is none, no lead or nothing after, m below zero; for
    smoothness, fewer units than periods.

    >>> found = bounds([0.1, -0.2, -2.0], np.diag([0.04, 0.04, 0.09]), leads=2, m=[0, 1, 2])
    >>> found.table.round(2)
         m   low  high
    0  0.0 -2.59 -1.41
    1  1.0 -3.11 -0.89
    2  2.0 -3.85 -0.15
    >>> round(found.breakdown, 2)
    2.18
    """
    b, v, w = _checked(estimates, covariance, leads, weights, confidence)
    target = np.r_[np.zeros(leads), w]
    estimate, se = float(target @ b), float(np.sqrt(target @ v @ target))
    if not se > 0:
        raise ValueError("The estimate has no standard error, so no interval can be made wider.")
    if kind not in ("relative", "smoothness"):
        raise ValueError(f"kind must be 'relative' or 'smoothness', not {kind!r}.")
    tried = _tried(m, kind, se)
    interval = (
        _relative(b, v, leads, w, df, confidence) if kind == "relative" else _smooth(b, v, leads, w, df, confidence)
    )
    found = [interval(value) for value in tried]
    low, high = t_interval(estimate, se, np.inf if df is None else df, confidence)
    return HonestBounds(
        estimate=estimate,
        low=low,
        high=high,
        se=se,
        df=df,
        kind=kind,
        breakdown=_breakdown(interval, tried, found, 1.0 if kind == "relative" else se),
        confidence=confidence,
        n_leads=leads,
        n_after=len(w),
        method=f"Bounds on a difference in trend by {'relative magnitude' if kind == 'relative' else 'smoothness'}",
        source=SOURCE,
        _table=pd.DataFrame({"m": tried, "low": [each[0] for each in found], "high": [each[1] for each in found]}),
    )


def _checked(
    estimates: ArrayLike, covariance: ArrayLike, leads: int, weights: ArrayLike | None, confidence: float
) -> tuple[Floats, Floats, Floats]:
    b, v = np.asarray(estimates, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    share(confidence)
    if b.ndim != 1 or v.shape != (len(b), len(b)):
        raise ValueError(f"estimates are one row of numbers and covariance their square, not {b.shape} and {v.shape}.")
    if not (np.isfinite(b).all() and np.isfinite(v).all()):
        raise ValueError("Some estimates or covariances are missing. Leave out the periods at the ends that lack one.")
    if not np.allclose(v, v.T, rtol=1e-6, atol=1e-12) or (np.diag(v) < 0).any():
        raise ValueError("covariance must be symmetric, with variances of zero or more.")
    if not 1 <= leads < len(b):
        raise ValueError(f"Bounds need a lead and an estimate after: {leads} of {len(b)} estimates are leads.")
    after = len(b) - leads
    w = np.full(after, 1 / after) if weights is None else np.asarray(weights, dtype=np.float64)
    if w.shape != (after,) or not np.isfinite(w).all() or not w.any():
        raise ValueError(f"weights must be {after} numbers, one for each estimate from the start on, not all zero.")
    return b, v, w


def _tried(m: Sequence[float] | None, kind: Kind, se: float) -> list[float]:
    if m is None:
        return list(RELATIVE) if kind == "relative" else [each * se for each in SMOOTHNESS]
    tried = sorted(float(each) for each in m)
    if not tried or not np.isfinite(tried).all() or tried[0] < 0:
        raise ValueError(f"m must be numbers of zero or more, not {list(m)}.")
    return tried


def _relative(b: Floats, v: Floats, leads: int, w: Floats, df: float | None, confidence: float) -> Interval:
    """The union over steps before the start, each taken as the largest, up and down."""
    steps = -np.eye(leads, len(b))
    steps[np.arange(leads - 1), np.arange(1, leads)] = 1.0
    reach = float(np.abs(np.cumsum(w[::-1])).sum())
    target = np.r_[np.zeros(leads), w]

    def interval(m: float) -> tuple[float, float]:
        ends = []
        for step in np.concatenate([steps, -steps]):
            bound = target + m * reach * step
            middle, se = float(bound @ b), float(np.sqrt(max(bound @ v @ bound, 0.0)))
            ends.append(t_interval(middle, se, np.inf if df is None else df, confidence))
        return min(low for low, _ in ends), max(high for _, high in ends)

    return interval


def _smooth(b: Floats, v: Floats, leads: int, w: Floats, df: float | None, confidence: float) -> Interval:
    """Shortest fixed-length intervals."""
    rank = int(np.linalg.matrix_rank(v, hermitian=True))
    if rank < len(b):
        raise ValueError(
            f"{len(b)} periods, but so few units that their estimates move in {rank} ways only: the trend before "
            "cannot be told from noise. Join periods (years for months), or use kind='relative'."
        )
    made = honest_smooth.problem(v, leads, w)
    return lambda m: honest_smooth.interval(b, made, m, df, confidence)


def _breakdown(interval: Interval, tried: list[float], found: list[tuple[float, float]], unit: float) -> float:
    """Where the interval first reaches nought, beyond the last M tried if need be; `unit` is an M to begin with."""

    def clear(ends: tuple[float, float]) -> bool:
        return ends[0] > 0 or ends[1] < 0

    looked = list(zip(tried, found, strict=True))
    if tried[0] > 0:
        looked.insert(0, (0.0, interval(0.0)))
    if not clear(looked[0][1]):
        return 0.0
    outside = next((m for m, ends in looked if not clear(ends)), None)
    inside = max(m for m, _ in looked if outside is None or m < outside)
    while outside is None:
        reach = 2 * inside or unit
        if reach > FARTHEST * unit:
            return float("inf")
        inside, outside = (reach, None) if clear(interval(reach)) else (inside, reach)
    for _ in range(HALVINGS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if clear(interval(middle)) else (inside, middle)
    return inside
