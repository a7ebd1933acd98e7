"""Designs to be drawn many times: one series, or places side by side, with counts that wander from month to month.

Counts are Poisson about mean · exp(latent), the latent normal AR(1) (Zeger 1988, Biometrika 75, 621–629). `power` asks;
here is how a set of data is drawn and whether the test would have been clear.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from evalkit.stats import ar1_noise, contrast
from evalkit.stats.periods import Floats, Points
from evalkit.stats.segments import Model
from evalkit.stats.series import Season
from evalkit.stats.student import share

SEARCH_RUNS = (2_000, 8_000)
"""Series in which the smallest change is looked for, first and then: its chance is right to 0.45 of 100 (one se)."""
ROUNDS, SETTLED = 8, 0.01
"""The scatter of counts depends on the change itself: drawn again until the answer moves by less than this share."""
PLACE_RUNS = (2_000, 8_000)
"""Sets of places in which the formula is put right, roughly, then finely: its chance is then right to 0.45 of 100."""
LABELLINGS = 1_000
"""Ways of relabelling compared in each simulated set of places, where there are more. At p near .03 the share of 1,000
is right to .005, which blurs who is clear but hardly moves how many are."""
CELLS = 500_000
"""How many weights one block of simulated places may hold: 4 MB, which the processor keeps close at hand."""
SEARCH, CHECK = 0, 1
"""Streams of random numbers: what the answer is found with is never what it is checked with."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How sure the test is to be, how often it is to see, and how that is checked."""

    power: float
    confidence: float
    runs: int
    seed: int

    def __post_init__(self) -> None:
        by_chance = (1 - share(self.confidence)) / 2
        if not by_chance < self.power < 1:
            raise ValueError(
                f"power={self.power} must lie between {by_chance:.3g}, which needs no change at all, and 1."
            )
        if self.runs < 1:
            raise ValueError(f"runs={self.runs}: at least one data set must be simulated.")

    @property
    def level(self) -> float:
        """What p may be at most."""
        return round(1 - self.confidence, 12)

    def rng(self, stream: int) -> np.random.Generator:
        """Random numbers to look for the answer, or others to check it."""
        return np.random.default_rng([self.seed, stream])

    def point(self, df: ArrayLike) -> Floats:
        """How many standard errors the interval reaches to either side."""
        from scipy.special import stdtrit

        return np.asarray(stdtrit(np.asarray(df, dtype=np.float64), (1 + self.confidence) / 2))

    def by_t(self, size: ArrayLike, se: ArrayLike, df: float) -> Floats:
        """The chance that t is beyond its point on the right side, at a true change of this size."""
        from scipy.special import nctdtr

        moved, point = np.broadcast_arrays(np.asarray(size, dtype=np.float64) / np.asarray(se), self.point(df))
        chance = np.array(1 - nctdtr(df, moved, point), dtype=np.float64)
        far = np.isnan(chance)  # the series behind it gives up at a noncentrality of about 38
        chance[far] = _far_by_t(moved[far], point[far], df)
        return chance

    def noncentrality(self, df: float) -> float:
        """The true change, in standard errors, that is seen with the chance asked for."""
        return root(lambda size: float(self.by_t(size, 1.0, df)) - self.power)


def _far_by_t(moved: Floats, point: Floats, df: float) -> Floats:
    """P(T > point) as the mean of Φ(noncentrality − point·s) over the spread s that the data may show."""
    from scipy.special import ndtr

    return np.array([ndtr(size - at * _spreads(df)).mean() for size, at in zip(moved, point, strict=True)])


@lru_cache(maxsize=64)
def _spreads(df: float) -> Floats:
    """4,000 equally likely values of the estimated spread over the true one."""
    from scipy.special import chdtri

    return np.asarray(np.sqrt(chdtri(df, (np.arange(4_000) + 0.5) / 4_000) / df))


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One series to be drawn many times: its terms, which of them is the change, and how its counts scatter."""

    asked: Asked
    terms: Floats
    level: int
    mean: float
    latent_sd: float
    rho: float
    sign: int

    def reach(self, size: float, runs: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """The size of change from which each series would have been clear, drawn at `size`; se and df of those fitted.

        Infinite where a month is empty. Latents come before counts, so that two sizes share them.
        """
        latent = self.latent_sd * wandering(rng, (runs, len(self.terms)), self.rho) - self.latent_sd**2 / 2
        counts = rng.poisson(self.mean * np.exp(latent + self.sign * size * self.terms[:, self.level]))
        reach, full = np.full(runs, np.inf), (counts > 0).all(axis=1)
        if not full.any():
            return reach, reach[:0], reach[:0]
        which = np.eye(self.terms.shape[1])[self.level]
        found = ar1_noise.fit_many(np.log(counts[full]), self.terms, np.arange(len(self.terms)), which)
        reach[full] = size - self.sign * found.estimate + self.asked.point(found.df) * found.se
        return reach, found.se, found.df


def settled(series: Series) -> tuple[float, Floats, float, float]:
    """The size of change seen with the chance asked for, the draws it was read from, their median se and df."""
    size, power = 0.0, series.asked.power
    for turn in range(ROUNDS):
        runs = SEARCH_RUNS[min(turn, 1)]
        reach, se, df = series.reach(size, runs, series.asked.rng(SEARCH))
        testable = float(np.isfinite(reach).mean())
        if testable - 1 / runs <= power:
            raise ValueError(
                f"Only {100 * testable:.0f} of 100 such series have events in every month, and the test needs that, so "
                f"no change could be seen with a chance of {power:g}. Take quarters, or add places together."
            )
        before, size = size, float(np.quantile(reach[np.isfinite(reach)], min(1.0, power / testable), method="hazen"))
        if turn and abs(size - before) <= SETTLED * abs(size):
            break
    return size, reach, float(np.median(se)), float(np.median(df))


def share_reached(ordered: Floats, size: Floats) -> Floats:
    """The share of draws that would have been clear at each size, smoothly between them."""
    finite = ordered[np.isfinite(ordered)]
    steps = (np.arange(len(finite)) + 0.5) / len(ordered)
    return np.asarray(np.interp(size, finite, steps, left=0.0, right=len(finite) / len(ordered)))


def design(before: int, after: int, seasonal: Season | None) -> tuple[Floats, int]:
    """The terms `series.interrupted` would fit to months 0, 1, 2 …, and which of them is the change in level."""
    if before < 2 or after < 1:
        raise ValueError(f"A trend needs two months before and a change one after; got {before} and {after}.")
    positions = np.arange(before + after)
    ones = np.ones(len(positions))
    points = Points(pd.Series(positions), positions, positions % 12 + 1, ones, ones, "quasipoisson")
    columns = Model(float(before), "linear", seasonal, False, "ar1_noise", None).columns(points)
    return np.column_stack(list(columns.values())), list(columns).index("level")


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """A set of places, the treated first, and how their counts scatter."""

    asked: Asked
    treated: int
    before: int
    after: int
    means: Floats
    latent_sd: Floats
    rho: float
    spread: float
    sign: int

    @property
    def flags(self) -> NDArray[np.bool_]:
        """Which places are treated."""
        return np.arange(len(self.means)) < self.treated

    @property
    def df(self) -> int:
        """Degrees of freedom: places less two."""
        return len(self.means) - 2

    def chance(self, size: ArrayLike) -> Floats:
        """The formula's chance to see true changes of these sizes."""
        se = np.array([self.se(float(each)) for each in np.ravel(size)]).reshape(np.shape(size))
        return self.asked.by_t(size, se, self.df)

    def stretch(self) -> float:
        """How many times the formula's smallest change the change must be for both conditions to be met as often."""
        means, latent = tuple(self.means.tolist()), tuple(self.latent_sd.tolist())
        asked = replace(self.asked, runs=1)  # how often it is checked changes nothing here
        return _stretch(asked, self.treated, self.before, self.after, means, latent, self.rho, self.spread, self.sign)

    def _found_stretch(self) -> float:
        """`stretch`, looked for anew."""
        from scipy.special import ndtri

        size = start = root(lambda each: float(self.chance(each)) - self.asked.power)
        for runs in PLACE_RUNS:
            seen = float(self.clear(size, runs, self.asked.rng(SEARCH)).mean())
            seen = min(max(seen, 0.5 / runs), 1 - 0.5 / runs)
            size += float(ndtri(self.asked.power) - ndtri(seen)) * self.se(size)
        return size / start

    def expected(self, size: float) -> tuple[Floats, Floats]:
        """Events expected before and after in each place, at a change of this size."""
        return self.before * self.means, self.after * self.means * np.exp(self.sign * size * self.flags)

    def se(self, size: float) -> float:
        """The standard error of the weighted difference, with the weights that its own τ² will give on average."""
        before, after = self.expected(size)
        counts = 1 / before + 1 / after
        variance = counts + self._latent_variance() + self.spread**2
        arms = (self.flags, ~self.flags)
        first = 1 / counts
        pulled = sum((first[arm] ** 2 * variance[arm]).sum() / first[arm].sum() for arm in arms)
        trace = first.sum() - sum((first[arm] ** 2).sum() / first[arm].sum() for arm in arms)
        tau2 = max(0.0, float((first * variance).sum() - pulled - (len(counts) - 2)) / float(trace))
        weight = 1 / (counts + tau2)
        return math.sqrt(sum((weight[arm] ** 2 * variance[arm]).sum() / weight[arm].sum() ** 2 for arm in arms))

    def _latent_variance(self) -> Floats:
        """What months that hang together add to the variance of a place's change on the log."""
        side = np.concatenate([np.full(self.before, -1 / self.before), np.full(self.after, 1 / self.after)])
        products = np.correlate(side, side, mode="full")[len(side) - 1 :]
        products[1:] *= 2
        alike = self.rho ** np.arange(len(side), dtype=np.float64)
        return np.asarray(np.expm1(self.latent_sd[:, None] ** 2 * alike) @ products)

    def clear(self, size: float, runs: int, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Whether each simulated set of places is clear in the right direction, by interval and by relabelling."""
        tried, exact = contrast.labellings(self.flags, LABELLINGS, self.asked.seed)
        clear = np.zeros(runs, dtype=bool)
        for block in np.array_split(np.arange(runs), 1 + runs * tried.size // CELLS):
            before, after = self._drawn(size, len(block), rng)
            full = ((before > 0) & (after > 0)).all(axis=1)
            before, after, block = before[full], after[full], block[full]
            change, variance = np.log(after / self.after) - np.log(before / self.before), 1 / before + 1 / after
            t = contrast.random_effects(change, variance, tried[:1]).t[:, 0]
            beyond = self.sign * t > self.asked.point(self.df)
            p = contrast.relabelled(contrast.random_effects(change[beyond], variance[beyond], tried).t)
            if not exact:  # among 50,000 ways the observed one hardly counts; among these it would
                p = (p * len(tried) - 1) / (len(tried) - 1)
            clear[block[beyond]] = p <= self.asked.level
        return clear

    def _drawn(self, size: float, runs: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Events before and after, (runs, N) each."""
        shape = (runs, len(self.means), self.before + self.after)
        rates = np.exp(self.latent_sd[:, None] * wandering(rng, shape, self.rho) - self.latent_sd[:, None] ** 2 / 2)
        before, after = self.expected(size)
        own = np.exp(rng.normal(0, self.spread, shape[:2]))
        first = rng.poisson(before * rates[..., : self.before].mean(axis=-1))
        second = rng.poisson(after * own * rates[..., self.before :].mean(axis=-1))
        return first.astype(np.float64), second.astype(np.float64)


@lru_cache(maxsize=64)
def _stretch(
    asked: Asked, treated: int, before: int, after: int, means: tuple[float, ...], latent: tuple[float, ...],
    rho: float, spread: float, sign: int,
) -> float:  # fmt: skip
    """Looked for once a design: a plan asks of the same places for every measure, and for all of them together."""
    drawn = np.array(means), np.array(latent)
    return Places(asked, treated, before, after, *drawn, rho, spread, sign)._found_stretch()


def wandering(rng: np.random.Generator, shape: tuple[int, ...], rho: float) -> Floats:
    """Stationary AR(1) series of variance 1 along the last axis."""
    drawn = rng.standard_normal(shape)
    for at in range(1, shape[-1]):
        drawn[..., at] = rho * drawn[..., at - 1] + math.sqrt(1 - rho**2) * drawn[..., at]
    return drawn


def latent_sd(dispersion: float, mean: ArrayLike) -> Floats:
    """The SD of the latent log rate that makes the variance of a count `dispersion` times its mean."""
    return np.asarray(np.sqrt(np.log1p((dispersion - 1) / np.asarray(mean, dtype=np.float64))))


def root(short: Callable[[float], float]) -> float:
    """The size at which a chance is no longer short of what was asked for."""
    from scipy.optimize import brentq

    upper = 1.0
    while short(upper) < 0:
        upper *= 2
    return float(brentq(short, 0.0, upper, xtol=1e-12, rtol=1e-12))
