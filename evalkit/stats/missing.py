"""Who did not answer, and what that could mean: one door to everything that is said about missing answers.

Little's test and Rubin's rules are here. Who left, against who stayed, is in `leavers`; how much worse leavers would
have to be before a change is gone, in `tipping`; the worst and the best that unknown answers allow, in `worst_best`.
All are reached from here. The primary analysis is of all available answers: `panel.available`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit.stats import panel
from evalkit.stats.leavers import Attrition, attrition, flow
from evalkit.stats.pairs import flat
from evalkit.stats.student import t_interval, t_p
from evalkit.stats.tipping import TippingPoint, tipping_point
from evalkit.stats.worst_best import Bounds, bounds, mean_bounds

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Attrition",
    "Bounds",
    "Little",
    "Pooled",
    "TippingPoint",
    "attrition",
    "bounds",
    "flow",
    "little",
    "mean_bounds",
    "pool",
    "tipping_point",
]

MOST_COLUMNS = 60
"""Patterns of gaps are told apart by one bit a column in a whole number of 64 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class Little:
    """Little's chi-square, on whether patterns of gaps differ in their means. There is no estimate and no interval.

    n counts people with at least one value, n_blank those without any.
    """

    statistic: float
    df: int
    p: float
    n: int
    n_blank: int
    _patterns: pd.DataFrame = field(repr=False)

    @property
    def patterns(self) -> pd.DataFrame:
        """A row a pattern, the commonest first: missing (the columns, "" for none), columns (how many), n, statistic.

        statistic is what the pattern adds to the whole.
        """
        return self._patterns.copy(deep=False)


def little(frame: pd.DataFrame) -> Little:
    """Little's chi-square of "gaps are a pure accident" (missing completely at random).

    d² = Σ_j n_j (ȳ_j − μ_j)' Σ_j⁻¹ (ȳ_j − μ_j) over the J patterns of gaps, ȳ_j the means of the columns that pattern
    has, μ_j and Σ_j the maximum-likelihood mean and covariance of these columns (`panel.maximum_likelihood`); against
    chi-square with Σ_j k_j − k degrees of freedom, k_j the columns pattern j has. The covariance has divisor n, as in
    R's naniar; divisor n − 1 gives a little less (airquality: 35.106 here, 34.877 so). Source: Little (1988), A test of
    missing completely at random for multivariate data with missing values, JASA 83(404), 1198-1202.

    **A description, not a licence.** A small p says that people with different gaps differ in what they did answer. A
    large p does not show that gaps are an accident, let alone that they do not depend on the answers not given; with
    few people it finds little. Only means are compared, large samples and normal answers assumed. Whatever p is, the
    primary analysis stays that of all available answers, and leavers are shown (`attrition`, `tipping_point`).

    frame: people x columns, numbers, NaN = gap. Units do not matter. People without any value are counted, not used.
    Errors: ValueError for fewer than two columns, a column that is not numbers or has none, infinite values, no gap,
    complete cases that do not outnumber the columns, or a column without spread or that repeats others there (a
    covariance that rests on less is no yardstick).

    >>> frame = pd.DataFrame({"start": [1.0, 2, 3, 4, 5, 1, 2], "end": [2.0, 2, 5, 5, 6, None, None]})
    >>> found = little(frame)
    >>> print(f"{found.statistic:.2f} on {found.df}, p {found.p:.2f}, n = {found.n}")
    1.64 on 1, p 0.20, n = 7
    """
    table = _numbers(frame.infer_objects())
    here = ~np.isnan(table)
    used = here.any(axis=1)
    if here[used].all():
        raise ValueError("Nothing is missing from people with any value: there are no patterns of gaps to compare.")
    fit = panel.maximum_likelihood(table)
    patterns, pattern, counts = np.unique(here[used], axis=0, return_inverse=True, return_counts=True)
    rows = [
        {"missing": ", ".join(map(str, frame.columns[~has])), "columns": int((~has).sum()), "n": int(count)}
        | {"statistic": _far(table[used][pattern.ravel() == number][:, has], fit, has)}
        for number, (has, count) in enumerate(zip(patterns, counts, strict=True))
    ]
    listed = pd.DataFrame(rows).sort_values(["n", "columns", "missing"], ascending=[False, True, True])
    statistic, df = float(listed["statistic"].sum()), int(patterns.sum()) - table.shape[1]
    return Little(statistic, df, _chi_square_p(statistic, df), fit.n, int((~used).sum()), listed.reset_index(drop=True))


def _far(values: NDArray[np.float64], fit: panel.MultivariateNormal, has: NDArray[np.bool_]) -> float:
    """n_j times the squared Mahalanobis distance of this pattern's means from those of maximum likelihood."""
    off = values.mean(axis=0) - fit.mean[has]
    return float(len(values) * off @ np.linalg.solve(fit.covariance[np.ix_(has, has)], off))


def _chi_square_p(statistic: float, df: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(df, statistic))


def _numbers(frame: pd.DataFrame) -> NDArray[np.float64]:
    """The frame as numbers, once it can carry a covariance."""
    if not 2 <= frame.shape[1] <= MOST_COLUMNS or not frame.columns.is_unique:
        raise ValueError(f"From 2 to {MOST_COLUMNS} columns of different names are needed, not {frame.shape[1]}.")
    words = [
        str(name) for name in frame if not pd.api.types.is_numeric_dtype(frame[name]) and frame[name].notna().any()
    ]
    if words:
        raise ValueError(f"These columns are not numbers: {', '.join(words)}. Leave them out, or code them first.")
    table: NDArray[np.float64] = np.asarray(frame.to_numpy(dtype=float, na_value=np.nan), dtype=float)
    infinite = int(np.isinf(table).sum())
    if infinite:
        raise ValueError(f"{infinite} values are infinite; a value is a number or blank.")
    empty = [str(name) for name, values in zip(frame, table.T, strict=True) if np.isnan(values).all()]
    if empty:
        raise ValueError(f"Nobody has a value in {', '.join(empty)}. Leave out columns without any value.")
    complete = table[~np.isnan(table).any(axis=1)]
    if len(complete) <= table.shape[1]:
        raise ValueError(
            f"{len(complete)} people have a value in all {table.shape[1]} columns; more than columns are needed. "
            "Ask about fewer columns, or describe who has gaps."
        )
    even = [str(name) for name, values in zip(frame, complete.T, strict=True) if flat(values)]
    if even:
        raise ValueError(f"People without gaps do not differ in {', '.join(even)}. Leave out columns without spread.")
    return table


@dataclass(frozen=True, slots=True)
class Pooled:
    """One estimate from several completed data sets. `n` counts these data sets (m in the literature), not people.

    within: mean of their variances · between: variance of their estimates · total: within + (1 + 1/n) between ·
    fmi: share of the information that the gaps took.
    """

    estimate: float
    low: float
    high: float
    n: int
    se: float
    df: float
    p: float
    within: float
    between: float
    total: float
    fmi: float
    confidence: float

    @property
    def m(self) -> int:
        """How many data sets, as the literature names it."""
        return self.n

    def interval(self, confidence: float) -> tuple[float, float]:
        """The t interval at another level of confidence."""
        return t_interval(self.estimate, self.se, self.df, confidence)


def pool(estimates: ArrayLike, variances: ArrayLike, *, df: float | None = None, confidence: float = 0.95) -> Pooled:
    """One estimate of m completed data sets, by Rubin's rules, with degrees of freedom for small samples.

    T = U + (1 + 1/m) B, U the mean of the variances and B the variance of the estimates; λ = (1 + 1/m) B / T.
    ν_m = (m − 1)/λ² (Rubin 1987, Multiple Imputation, eq. 3.1.6). With ν the degrees of freedom of the complete data,
    ν_obs = (ν + 1)/(ν + 3) ν (1 − λ) and the degrees of freedom are 1/(1/ν_m + 1/ν_obs) (Barnard & Rubin 1999,
    Biometrika 86(4), 948-955). fmi = (r + 2/(df + 3))/(1 + r), r = (1 + 1/m) B / U (Rubin 1987, eq. 3.1.10).
    Always give `df`: without it they can exceed those of complete data. B is known poorly from few data sets; 20 or
    more are customary.

    estimates, variances: one number a data set; variances are squared standard errors. df: of the same analysis had
    nobody been missing, e.g. people − 2; None = unlimited. Equal estimates have B = 0: then df is ν_obs (infinite
    without `df`, and the interval is that of the normal).
    Errors: ValueError for unequal lengths, a missing or infinite number, a negative variance, fewer than two data sets,
    variances that are all zero, `df` not above 0, or gaps that took all information (no finite interval).

    >>> pooled = pool([10.7, 9.6, 9.8, 10.2, 9.9], [1.0, 1.1, 1.2, 0.9, 1.3], df=38)
    >>> print(f"{pooled.estimate:.2f} ({pooled.low:.2f} to {pooled.high:.2f}), df {pooled.df:.1f}, {pooled.fmi:.0%}")
    10.04 (7.67 to 12.41), df 24.9, 23%
    """
    each, own = _pairs(estimates, variances)
    m = len(each)
    if df is not None and not df > 0:
        raise ValueError(f"df = {df} must be above 0: the degrees of freedom had nobody been missing, or None.")
    estimate, within = float(each.mean()), float(own.mean())
    between = 0.0 if flat(each) else float(each.var(ddof=1))
    extra = (1 + 1 / m) * between
    total = within + extra
    found = _barnard_rubin(m, extra / total, math.inf if df is None else df)
    low, high = t_interval(estimate, math.sqrt(total), found, confidence)
    if not math.isfinite(high - low):
        raise ValueError(
            f"The gaps took all but {within / total:.1g} of the information: no interval. Describe instead."
        )
    return Pooled(
        estimate=estimate,
        low=low,
        high=high,
        n=m,
        se=math.sqrt(total),
        df=found,
        p=t_p(estimate, math.sqrt(total), found),
        within=within,
        between=between,
        total=total,
        fmi=(extra + within * 2 / (found + 3)) / total,
        confidence=confidence,
    )


def _barnard_rubin(m: int, share: float, complete: float) -> float:
    """Degrees of freedom when gaps make this share of the variance."""
    of_imputing = (m - 1) / share**2 if share**2 > 0 else math.inf
    if math.isinf(complete):
        return of_imputing
    observed = (complete + 1) / (complete + 3) * complete * (1 - share)
    return observed if math.isinf(of_imputing) else of_imputing * observed / (of_imputing + observed)


def _pairs(estimates: ArrayLike, variances: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    each, own = np.asarray(estimates, dtype=float), np.asarray(variances, dtype=float)
    if each.ndim != 1 or each.shape != own.shape:
        raise ValueError(f"Give one estimate and one variance a data set; these are {each.shape} and {own.shape}.")
    wrong = np.flatnonzero(~np.isfinite(each) | ~np.isfinite(own) | (own < 0))
    if len(wrong):
        raise ValueError(f"A number is missing, infinite or a negative variance at positions {wrong.tolist()[:10]}.")
    if len(each) < 2:
        raise ValueError(f"{len(each)} data set says nothing about what the gaps could have held; 20 are customary.")
    if not own.max() > 0:
        raise ValueError("Every variance is zero, so there is no interval. Give squared standard errors.")
    return each, own
