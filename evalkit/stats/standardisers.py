"""What a change is divided by, for each kind of effect size, from sums over people; many items at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from evalkit.stats.student import NO_SPREAD

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from evalkit.stats.resampling import Statistic

    Floats = NDArray[np.float64]

Kind = Literal["d_z", "g_z", "d_av", "g_av", "d_av_mean", "d_rm", "d_pre"]

STANDARDISER: dict[str, str] = {
    "d_z": "standard deviation of the changes",
    "g_z": "standard deviation of the changes, corrected for small samples",
    "d_av": "root mean square of the two standard deviations",
    "g_av": "root mean square of the two standard deviations, corrected for small samples",
    "d_av_mean": "mean of the two standard deviations",
    "d_rm": "standard deviation of the changes, put on the scale of one answer by the correlation",
    "d_pre": "standard deviation before",
}


def correction(df: ArrayLike) -> Floats:
    """Hedges' exact J(df) = Γ(df/2) / [sqrt(df/2) Γ((df - 1)/2)], which makes d unbiased (Hedges 1981, eq. 6e).

    >>> round(float(correction(9)), 10)
    0.9138748918
    """
    from scipy.special import gammaln

    half = np.asarray(df, dtype=float) / 2
    return np.asarray(np.exp(gammaln(half) - gammaln(half - 0.5)) / np.sqrt(half))


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Complete pairs of several items, items x people: change and answer before, each about its mean of all people.

    Centred at a constant, for sums of squares of large numbers lose digits. `shift`: the mean change of each item.
    `nothing`: variance no larger than this is rounding.
    """

    change: Floats
    before: Floats
    shift: Floats
    nothing: Floats

    @classmethod
    def of(cls, first: Floats, second: Floats) -> Changes:
        """From answers before and after, items x people."""
        change = second - first
        shift, base = change.mean(axis=1, keepdims=True), first.mean(axis=1, keepdims=True)
        largest = np.maximum(first.var(axis=1), second.var(axis=1)) + shift[:, 0] ** 2
        return cls(change - shift, first - base, shift[:, 0], NO_SPREAD * largest)

    def moments(self, kind: Kind) -> Floats:
        """What this kind sums over people, (sums, items, people): change, its square, and what it needs of before."""
        d, a = self.change, self.before
        if kind in ("d_z", "g_z"):
            return np.stack([d, d * d])
        return np.stack([d, a, a * a] if kind == "d_pre" else [d, a, a * a, d * d, a * d])

    def statistic(self, kind: Kind) -> Statistic:
        """Sums (sums, items, ...) over n people -> effect sizes (items, ...); NaN without spread to divide by."""

        def size(sums: Floats, n: float) -> Floats:
            tall = (-1, *[1] * (sums.ndim - 2))
            change = sums[0] / n + self.shift.reshape(tall)
            return np.asarray(change / _divisor(sums, n, kind, self.nothing.reshape(tall)))

        return size


def _divisor(sums: Floats, n: float, kind: Kind, nothing: Floats) -> Floats:
    """What the mean change is divided by, the correction for small samples in it."""
    if kind in ("d_z", "g_z"):
        spread = _root((sums[1] - sums[0] ** 2 / n) / (n - 1), nothing)
        return spread if kind == "d_z" else spread / float(correction(n - 1))
    before = (sums[2] - sums[1] ** 2 / n) / (n - 1)
    if kind == "d_pre":
        return _root(before, nothing)
    change = (sums[3] - sums[0] ** 2 / n) / (n - 1)
    shared = (sums[4] - sums[0] * sums[1] / n) / (n - 1)
    after = before + change + 2 * shared
    if kind == "d_av":
        return _root((before + after) / 2, nothing)
    if kind == "d_av_mean":
        one, other = np.sqrt(np.maximum(before, 0)), np.sqrt(np.maximum(after, 0))
        return np.where(one + other > np.sqrt(nothing), one + other, np.nan) / 2
    r = (before + shared) / (_root(before, nothing) * _root(after, nothing))
    if kind == "d_rm":
        return np.asarray(_root(change, nothing) / np.sqrt(2 * np.where(1 - r > NO_SPREAD, 1 - r, np.nan)))
    return np.asarray(_root((before + after) / 2, nothing) / correction(2 * (n - 1) / (1 + r**2)))


def _root(variance: Floats, nothing: Floats) -> Floats:
    """Square root, NaN where the variance is no more than rounding: a standardiser of nothing."""
    return np.sqrt(np.where(variance > nothing, variance, np.nan))
