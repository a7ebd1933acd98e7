"""How far two numbers of the same people go together: Pearson's r, with an interval that says how it was made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from evalkit.stats.pairs import flat, pairs
from evalkit.stats.resampling import bca, counts, left_out, seed_used, summed
from evalkit.stats.student import NO_SPREAD, share, t_p

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

Interval = Literal["fisher", "bca"]


@dataclass(frozen=True, slots=True)
class Correlation:
    """Pearson's r in `n` complete pairs, with p of no correlation; `n_x` and `n_y` all who gave each number.

    resamples and seed are those of the draw where the interval is "bca"; else 0 and None.
    """

    estimate: float
    low: float
    high: float
    n: int
    n_x: int
    n_y: int
    p: float
    interval: Interval
    confidence: float
    resamples: int
    seed: int | None


def pearson(
    x: ArrayLike,
    y: ArrayLike,
    *,
    interval: Interval = "fisher",
    confidence: float = 0.95,
    resamples: int = 9_999,
    seed: int | None = None,
) -> Correlation:
    """r = Σ(x - mean)(y - mean) / sqrt(Σ(x - mean)² Σ(y - mean)²), in people with both numbers.

    interval: "fisher": tanh(artanh r ± z/sqrt(n - 3)), for two normal numbers (Fisher 1921, Metron 1, 3-32) · "bca":
    bias-corrected and accelerated bootstrap over people (Efron 1987, JASA 82, 171-185), which asks for no normal
    numbers, and is too narrow in small samples (simulated for this project, normal, 10-30 people, 600 sets a cell: it
    held the truth in 91.5-93.7 %, "fisher" in 94.2-95.8 %).
    p, two-sided: t = r sqrt((n - 2)/(1 - r²)) with n - 2 degrees of freedom.

    r sees straight lines only, and a few people at an end can make or hide it: draw the points.

    x, y: one number a person, in the same order (two Series must carry the same index); NaN = none. No unit.
    Errors: ValueError for fewer than four complete pairs, infinite values, no spread in x or y, all points on one line
    (no interval), or resamples without spread.

    >>> found = pearson([1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 1.0, 4.0, 3.0, 5.0])
    >>> print(f"r = {found.estimate:.2f} ({found.low:.2f} to {found.high:.2f}), p = {found.p:.3f}, n = {found.n}")
    r = 0.80 (-0.28 to 0.99), p = 0.104, n = 5
    """
    if interval not in get_args(Interval):
        raise ValueError(f"interval={interval!r} is not known; choose one of {', '.join(get_args(Interval))}.")
    first, second, n_x, n_y = pairs(x, y)
    n = len(first)
    if n < 4:
        raise ValueError(f"Four complete pairs are needed for the interval of a correlation; there are {n}.")
    if flat(first) or flat(second):
        raise ValueError("One of the two numbers is the same for everybody, so there is nothing to go together.")
    moments = _moments(first, second)
    r = float(_r(moments.sum(axis=-1), n)[0])
    if 1 - abs(r) <= NO_SPREAD:
        raise ValueError(f"All {n} points lie on one line (r = {r:.0f}): there is no interval. Describe it instead.")
    used = seed_used(seed) if interval == "bca" else None
    if used is None:
        low, high = _fisher(r, n, share(confidence))
    else:
        low, high = _bca(moments, r, share(confidence), resamples, used)
    return Correlation(
        estimate=r,
        low=low,
        high=high,
        n=n,
        n_x=n_x,
        n_y=n_y,
        p=t_p(r, math.sqrt((1 - r * r) / (n - 2)), n - 2),
        interval=interval,
        confidence=confidence,
        resamples=resamples if used is not None else 0,
        seed=used,
    )


def _moments(first: Floats, second: Floats) -> Floats:
    """What r sums over people, each number in its own SD about its mean: (sums, one column, people)."""
    x, y = ((each - each.mean()) / each.std() for each in (first, second))
    return np.stack([x, y, x * x, y * y, x * y])[:, None, :]


def _r(sums: Floats, n: float) -> Floats:
    """r from sums over n people; NaN where x or y has no spread."""
    spread_x, spread_y = sums[2] - sums[0] ** 2 / n, sums[3] - sums[1] ** 2 / n
    spread = np.where((spread_x > NO_SPREAD * n) & (spread_y > NO_SPREAD * n), spread_x * spread_y, np.nan)
    return np.asarray((sums[4] - sums[0] * sums[1] / n) / np.sqrt(spread))


def _fisher(r: float, n: int, confidence: float) -> tuple[float, float]:
    from scipy.special import ndtri

    half = float(ndtri((1 + confidence) / 2)) / math.sqrt(n - 3)
    return math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)


def _bca(moments: Floats, r: float, confidence: float, resamples: int, seed: int) -> tuple[float, float]:
    if resamples < 2:
        raise ValueError(f"resamples={resamples}: an interval from resamples needs many; 9,999 is usual.")
    n = moments.shape[-1]
    blocks = counts(n, resamples, np.random.default_rng(seed))
    drawn = np.concatenate([_r(summed(moments, block), n) for block in blocks], axis=-1)
    without = left_out(moments, _r)
    lost = int(np.isnan(drawn).sum())
    if lost or np.isnan(without).any():
        raise ValueError(f'{lost} of {resamples} resamples have no spread: too few distinct numbers. Use "fisher".')
    low, high = bca(drawn, np.array([r]), without, confidence)
    return float(low[0]), float(high[0])
