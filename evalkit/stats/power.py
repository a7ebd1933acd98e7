"""What could be seen at all: the smallest true change that a test would find clear, and the simulation it rests on.

A test *sees* a change when its whole two-sided interval at `confidence` lies on the right side of no change. That is
the verdict's own rule, so the default .97 is `evalkit.verdict.HEADLINE` (a test holds the two together). For one change
in 80 of 100 evaluations to be seen, the true change must be well beyond the edge of the interval: about 3.2 standard
errors with 23 degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalkit.stats import contrast, designs
from evalkit.stats.periods import Floats
from evalkit.stats.series import FEW_EVENTS, SOURCES, Season

Better = Literal["higher", "lower"]

NONCENTRAL = "Cohen (1988), Statistical Power Analysis, 2nd ed., ch. 2; noncentral t: Johnson & Welch (1940), "
NONCENTRAL += "Biometrika 31, 362–389."
TEAMS = "Donner & Klar (2000), Design and Analysis of Cluster Randomization Trials, ch. 5; " + NONCENTRAL
LATENT = "Counts: Zeger (1988), Biometrika 75, 621–629."


@dataclass(frozen=True, slots=True, eq=False)
class Detectable:
    """The smallest true change that a test at `confidence` sees with chance `power`.

    `estimate` is in the units of the outcome, or a ratio, below 1 where lower is better. `n` counts what the test
    counts: people, teams, periods or places. `se` and `df` are those of the test at that change, on the log for a
    ratio. `simulated` is the share of `runs` data sets, drawn at that change, in which the test was clear in the right
    direction. `smallest_p` is the least p that relabelling can give, None where there is none in the test.
    """

    estimate: float
    scale: Literal["difference", "ratio"]
    power: float
    confidence: float
    n: int
    df: float
    se: float
    smallest_p: float | None
    simulated: float
    runs: int
    seed: int
    method: str
    source: str
    _chance: Callable[[Floats], Floats] = field(repr=False)

    def chance(self, effect: ArrayLike) -> Floats:
        """The chance to see other true changes, given as the estimate is; by the formula, or the draws behind it."""
        return self._chance(np.asarray(effect, dtype=np.float64))


def paired(
    n: int, *, sd: float = 1.0, power: float = 0.8, confidence: float = 0.97, runs: int = 2000, seed: int = 1
) -> Detectable:
    """The smallest mean change that `change.paired` sees among n people who answer twice.

    chance = P(T > t*), T noncentral t with n − 1 df and noncentrality effect / (sd / sqrt(n)), t* the two-sided point
    of `confidence`; only the right side counts. Exact for normal changes. `sd` is that of the change between two
    answers of one person, sd·sqrt(2 (1 − r)) for answers that correlate at r; left at 1, the estimate is in such SDs.
    Source: `NONCENTRAL`. Errors: ValueError for fewer than two people, an sd not above zero, impossible settings.

    >>> found = paired(20)
    >>> print(f"{found.estimate:.4f} of the change's SD; {float(found.chance(1.0)):.2f} for one SD")
    0.7187 of the change's SD; 0.98 for one SD
    """
    asked = designs.Asked(power, confidence, runs, seed)
    if n < 2:
        raise ValueError(f"{n} people show no spread between people: at least 2 who answer twice are needed.")
    se, df = _above_zero("sd", sd) / math.sqrt(n), n - 1
    estimate = asked.noncentrality(df) * se
    drawn = asked.rng(designs.CHECK).normal(estimate, sd, (runs, n))
    clear = drawn.mean(axis=1) > asked.point(df) * drawn.std(axis=1, ddof=1) / math.sqrt(n)
    method = "Paired t, noncentral t with n − 1 degrees of freedom"
    return _found(
        asked, estimate, "difference", n, df, se, clear, method, NONCENTRAL, lambda size: asked.by_t(size, se, df)
    )


def clustered(
    teams: int,
    *,
    size: float | Sequence[float],
    icc: float,
    sd: float = 1.0,
    arms: Literal[1, 2] = 1,
    treated: int | None = None,
    power: float = 0.8,
    confidence: float = 0.97,
    runs: int = 2000,
    seed: int = 1,
) -> Detectable:
    """The smallest mean change, or difference between two halves, that a t test on team means sees.

    A team of m has a mean with variance sd² (icc + (1 − icc) / m). One sample: t with K − 1 df and se² = v / K. Two
    arms: pooled t with K − 2 df and se² = v (1/K_treated + 1/K_others); `treated` teams, by default half, rounded down
    when K is odd. v is that variance, and with sizes that differ the mean of the teams' variances: an approximation,
    close because teams count alike in the test; the simulation, with teams drawn into arms by lot, bears it out.
    Source: `TEAMS`. `size` people a team, or one size a team; `icc` the share of the variance that lies between teams,
    `sd` over all people (of change, where change is asked about). At five teams or fewer the test leans on normality.

    Errors: ValueError for an icc outside 0 to 1, sizes below 1 or not one a team, no degree of freedom left.

    >>> found = clustered(12, size=12, icc=0.15)
    >>> print(f"{found.estimate:.4f}, df {found.df:.0f}")
    0.4591, df 11
    """
    asked = designs.Asked(power, confidence, runs, seed)
    k = _treated_teams(teams, arms, treated)
    variances = _above_zero("sd", sd) ** 2 * (icc + (1 - icc) / _sizes(teams, size, icc))
    spread = 1 / teams if arms == 1 else 1 / k + 1 / (teams - k)
    df, se = teams - arms, math.sqrt(float(variances.mean()) * spread)
    estimate = asked.noncentrality(df) * se
    rng = asked.rng(designs.CHECK)
    means = rng.normal(0, np.sqrt(rng.permuted(np.tile(variances, (runs, 1)), axis=1)))
    means[:, :k] += estimate
    mine, others = means[:, :k], means[:, k:]
    left = _squares(mine) + (_squares(others) if arms == 2 else 0.0)
    apart = mine.mean(axis=1) - (others.mean(axis=1) if arms == 2 else 0.0)
    clear = apart > asked.point(df) * np.sqrt(left / df * spread)
    method = f"t on team means, {'one sample' if arms == 1 else 'two arms'}, noncentral t with K − {arms} df"
    return _found(
        asked, estimate, "difference", teams, df, se, clear, method, TEAMS, lambda size: asked.by_t(size, se, df)
    )


def interrupted(
    before: int,
    after: int,
    *,
    mean: float,
    dispersion: float = 2.0,
    rho: float = 0.8,
    seasonal: Season | None = None,
    better: Better = "lower",
    power: float = 0.8,
    confidence: float = 0.97,
    runs: int = 2000,
    seed: int = 1,
) -> Detectable:
    """The smallest lasting change in level that `series.interrupted` sees in one series of monthly counts.

    There is no formula: the number rests on simulation. Counts are Poisson about mean · exp(latent), the latent normal
    AR(1) with autocorrelation `rho` a month and the size that makes the variance `dispersion` times the mean; the test
    is that of `series.interrupted(…, family="quasipoisson", errors="ar1_noise")`, trend, `seasonal` and level. A change
    moves the estimate by exactly as much and its standard error hardly, so each series drawn tells the change from
    which it would have been clear; the change seen in `power` of many series is the answer, found again in series drawn
    at it until it settles. `chance` reads the same draws, so far from the estimate it is rougher.
    `simulated` comes from other random numbers. `se` and `df` are medians over the draws. A series with an empty month
    cannot be tested and counts as not seen; the verdict's refusal of series that drift is not counted.

    `mean`: events a month before the start. Source: `LATENT` and those of `series.interrupted`. Errors: ValueError for
    a mean under five, a dispersion under 1 or rho outside 0 to 1, too few months for the terms, and where months so
    often are empty that no change could be seen with this chance.

    >>> found = interrupted(36, 24, mean=300, runs=200)
    >>> 0.78 < found.estimate < 0.83
    True
    """
    asked = designs.Asked(power, confidence, runs, seed)
    sign = _check_counts(dispersion, rho, better)
    if not mean >= FEW_EVENTS:
        raise ValueError(
            f"{mean:g} events a month are too few: below {FEW_EVENTS} months are often empty and log rates were not "
            "tried. Take quarters, or add places together."
        )
    terms, level = designs.design(before, after, seasonal)
    series = designs.Series(asked, terms, level, mean, float(designs.latent_sd(dispersion, mean)), rho, sign)
    size, reach, se, df = designs.settled(series)
    ordered = np.sort(reach)
    clear = series.reach(size, runs, asked.rng(designs.CHECK))[0] < size
    return _found(
        asked,
        math.exp(sign * size),
        "ratio",
        before + after,
        df,
        se,
        clear,
        "Simulated: interrupted series, AR(1)-plus-noise errors on log rates, level only",
        f"{LATENT} {SOURCES['ar1_noise']}",
        lambda effect: designs.share_reached(ordered, sign * np.log(effect)),
    )


def places(
    treated: int,
    comparison: int,
    *,
    before: int = 36,
    after: int = 24,
    mean: float | Sequence[float] = 120.0,
    dispersion: float = 1.6,
    rho: float = 0.6,
    spread: float = 0.0,
    better: Better = "lower",
    power: float = 0.8,
    confidence: float = 0.97,
    runs: int = 2000,
    seed: int = 1,
) -> Detectable:
    """The smallest difference in change that `contrast.places` sees, by its interval and by relabelling, both.

    chance = P(T > t*), T noncentral t with N − 2 df and noncentrality log(ratio) / (f se), t* the two-sided point of
    `confidence`. For place i with `mean` m_i events a month

        variance of its change = 1/(before m_i) + 1/(after m_i r_i) + latent_i + spread²

    r_i is the change itself in treated places, else 1; latent_i what months that hang together add: rates move about
    their mean as exp(AR(1)) with autocorrelation `rho` and the size that makes the variance of a count `dispersion`
    times its mean; `spread` is the SD of the log change between places for any other reason. se² is the variance of the
    weighted difference under the weights that τ² gives on average. The formula leaves out that τ² is estimated and that
    relabelling is a second condition, which costs most where places are few; f, near 1, is how many times larger the
    change must be for both to be met with chance `power`, found from simulated places. `simulated` comes from others.

    `mean`: one number, or one a place, the treated first. Defaults are those of the simulations behind
    `contrast.places` (120 events a month, 60 months, start after 36, AR .6); these do not tell their overdispersion,
    and 1.6 is the one at which the formula gives their figures back. Real places should bring their own.
    Source: `contrast.SOURCE`, `LATENT`. Errors: ValueError where no p that relabelling can give is clear, however large
    the change; for too few events on a side, a number of means that is not that of places, impossible settings.

    >>> found = places(3, 16, runs=200)
    >>> print(f"{found.estimate:.2f}, smallest p {found.smallest_p:.4f}")
    0.92, smallest p 0.0010
    """
    asked = designs.Asked(power, confidence, runs, seed)
    sign = _check_counts(dispersion, rho, better)
    least = _smallest_p(treated, comparison, asked)
    means = _means(treated + comparison, mean, min(before, after))
    latent = designs.latent_sd(dispersion, means)
    drawn = designs.Places(asked, treated, before, after, means, latent, rho, _not_below_zero(spread), sign)
    stretch = drawn.stretch()
    size = stretch * designs.root(lambda each: float(drawn.chance(each)) - power)
    return _found(
        asked,
        math.exp(sign * size),
        "ratio",
        treated + comparison,
        drawn.df,
        drawn.se(size),
        drawn.clear(size, runs, asked.rng(designs.CHECK)),
        f"Noncentral t with N − 2 df, put right by simulation, for: {contrast.METHOD}",
        f"{contrast.SOURCE} {LATENT}",
        lambda effect: drawn.chance(sign * np.log(effect) / stretch),
        smallest_p=least,
    )


def _found(
    asked: designs.Asked,
    estimate: float,
    scale: Literal["difference", "ratio"],
    n: int,
    df: float,
    se: float,
    clear: NDArray[np.bool_],
    method: str,
    source: str,
    chance: Callable[[Floats], Floats],
    smallest_p: float | None = None,
) -> Detectable:
    """The answer with what was asked."""
    return Detectable(
        estimate=estimate,
        scale=scale,
        power=asked.power,
        confidence=asked.confidence,
        n=n,
        df=float(df),
        se=se,
        smallest_p=smallest_p,
        simulated=float(clear.mean()),
        runs=asked.runs,
        seed=asked.seed,
        method=method,
        source=source,
        _chance=chance,
    )


def _squares(means: Floats) -> Floats:
    """Sums of squares about the mean, a row a data set."""
    return np.asarray(((means - means.mean(axis=1, keepdims=True)) ** 2).sum(axis=1))


def _smallest_p(treated: int, comparison: int, asked: designs.Asked) -> float:
    """The least p that relabelling can give, refused where that cannot be clear."""
    if treated < 1 or comparison < 1:
        raise ValueError(f"{treated} treated and {comparison} comparison places: one of each is the least.")
    least = contrast.smallest_p(treated, comparison)
    if least > asked.level:
        raise ValueError(
            f"With {treated} treated and {comparison} comparison places relabelling gives no p below {least:.3f}, so "
            f"no change however large could be clear at {asked.confidence:.0%}. Add places of either kind."
        )
    return least


def _above_zero(name: str, value: float) -> float:
    if not 0 < value < math.inf:
        raise ValueError(f"{name}={value} must be above zero.")
    return value


def _not_below_zero(spread: float) -> float:
    if not 0 <= spread < math.inf:
        raise ValueError(f"spread={spread} must be zero or more: the SD of the log change between places.")
    return spread


def _check_counts(dispersion: float, rho: float, better: str) -> int:
    """Which way the log of the ratio goes for the better."""
    if not 1 <= dispersion < math.inf:
        raise ValueError(f"dispersion={dispersion} must be 1 (Poisson) or more: the variance of a count over its mean.")
    if not 0 <= rho < 1:
        raise ValueError(f"rho={rho} must lie between 0 and 1 (below 1).")
    if better not in ("higher", "lower"):
        raise ValueError(f"better must be 'higher' or 'lower', not {better!r}.")
    return -1 if better == "lower" else 1


def _treated_teams(teams: int, arms: int, treated: int | None) -> int:
    """How many teams carry the change: all in one sample."""
    if arms not in (1, 2):
        raise ValueError(f"arms must be 1 (one sample) or 2, not {arms}.")
    if arms == 1 and treated is not None:
        raise ValueError("`treated` belongs to arms=2; in one sample every team is treated.")
    if teams <= arms:
        raise ValueError(f"{teams} teams leave nothing to judge by: at least {arms + 1} are needed.")
    k = teams if arms == 1 else teams // 2 if treated is None else treated
    if arms == 2 and not 1 <= k <= teams - 1:
        raise ValueError(f"treated={k} must leave at least one of the {teams} teams in each arm.")
    return k


def _sizes(teams: int, size: float | Sequence[float], icc: float) -> Floats:
    if not 0 <= icc <= 1:
        raise ValueError(f"icc={icc} must lie between 0 and 1: the share of the variance that lies between teams.")
    sizes = np.full(teams, size, dtype=np.float64) if np.ndim(size) == 0 else np.asarray(size, dtype=np.float64)
    if sizes.shape != (teams,):
        raise ValueError(f"size must be one number, or one a team: {teams} teams, but {np.size(sizes)} sizes.")
    if not (np.isfinite(sizes) & (sizes >= 1)).all():
        raise ValueError("Every team needs at least one person: a size is missing or below 1.")
    return sizes


def _means(n: int, mean: float | Sequence[float], months: int) -> Floats:
    if months < 1:
        raise ValueError("At least one month before and one after are needed.")
    means = np.full(n, mean, dtype=np.float64) if np.ndim(mean) == 0 else np.asarray(mean, dtype=np.float64)
    if means.shape != (n,):
        raise ValueError(f"mean must be one number, or one a place: {n} places, but {np.size(means)} means.")
    if not (np.isfinite(means) & (means * months >= FEW_EVENTS)).all():
        raise ValueError(
            f"Some place expects fewer than {FEW_EVENTS} events before or after. Take more months or a commoner "
            "outcome, or join places together."
        )
    return means


def smallest_seen(se: float, df: float, *, power: float = 0.8, confidence: float = 0.97) -> float:
    """The smallest true change that a t test with this standard error and df sees: after the fact, from what it found.

    se × the noncentrality at which P(T > t*) = power, T noncentral t with df. Source: `NONCENTRAL`. It speaks of the
    design and the spread that were found, not of the estimate (Hoenig & Heisey 2001, American Statistician 55(1),
    19–24, on why power at the observed effect says nothing). Errors: ValueError as for the others.

    >>> round(smallest_seen(1 / 20**0.5, 19), 4)
    0.7187
    """
    return designs.Asked(power, confidence, 1, 1).noncentrality(df) * _above_zero("se", se)
