"""A segmented line: its terms, and how it is fitted, whichever way its errors are taken to behave."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from evalkit.stats import ar1_noise, negative_binomial
from evalkit.stats.periods import Floats, Points, refuse

Errors = Literal["ar1_noise", "ar1", "model", "newey_west"]

ON_LOGS: tuple[Errors, ...] = ("ar1_noise", "ar1")
"""Errors for which counts are fitted as log rates."""
DRIFT_RHO = 0.9
DRIFT_W = 0.9
"""Estimated ρ and w both at or above these: the series drifts too much to say (judgement: on a random walk of 2 % a
month the estimator called up to 7.4 % of nothing a change at a nominal 5 %)."""


@dataclass(frozen=True, slots=True)
class Model:
    """What is fitted, and how its errors are taken to behave.

    `trend`: none, linear, quadratic, or the df of a natural spline. `transition`: periods from each start that are
    neither before nor after; with `ramp` the change comes in evenly over them instead. `later`: further starts.
    `shocks`: names, and the positions at which each has a level of its own.
    """

    start: float
    trend: str | int
    seasonal: str | None
    slope: bool
    errors: Errors
    lags: int | None
    transition: int = 0
    ramp: bool = False
    later: tuple[float, ...] = ()
    shocks: tuple[tuple[str, tuple[float, ...]], ...] = ()

    @property
    def starts(self) -> tuple[float, ...]:
        """Every start, in order."""
        return (self.start, *self.later)

    def left_out(self, points: Points) -> NDArray[np.bool_]:
        """Which periods are in transition, and so no part of the fit."""
        t, out = points.positions, np.zeros(len(points.positions), dtype=np.bool_)
        for start in () if self.ramp else self.starts:
            out |= (t >= start) & (t < start + self.transition)
        return out

    def columns(self, points: Points) -> dict[str, Floats]:
        """The columns of the model by name, in the order of the coefficients."""
        t = points.positions.astype(np.float64)
        columns = {"intercept": np.ones_like(t)} | self._trend(t)
        for number, start in enumerate(self.starts, 1):
            which = "" if number == 1 else f" {number}"
            after, settled = t >= start, start + self.transition
            share = np.minimum((t - start + 1) / (self.transition + 1), 1) if self.ramp else 1.0
            columns[f"level{which}"] = np.where(after, share, 0.0)
            if self.slope:
                columns[f"slope{which}"] = np.where(after, np.maximum(t - settled, 0.0), 0.0)
        for name, positions in self.shocks:
            columns[f"shock, {name}"] = np.isin(t, positions).astype(np.float64)
        return columns | self._season(points)

    def unchanged(self, points: Points) -> dict[str, Floats]:
        """The same columns had nothing begun at any start."""
        began = ("level", "slope")
        return {name: 0 * column if name.startswith(began) else column for name, column in self.columns(points).items()}

    def _trend(self, t: Floats) -> dict[str, Floats]:
        if self.trend == "none":
            return {}
        if self.trend == "quadratic":
            return {"trend": t, "trend squared": t**2}
        return {"trend": t} | (natural_spline(t, self.trend) if isinstance(self.trend, int) else {})

    def _season(self, points: Points) -> dict[str, Floats]:
        if self.seasonal is None:
            return {}
        if points.months is None:
            raise ValueError("A season needs calendar months. Give `time` as dates, each the first day of its month.")
        if self.seasonal == "monthly":
            return {f"month {m}": (points.months == m).astype(np.float64) for m in np.unique(points.months)[1:]}
        if self.seasonal != "harmonic":
            raise ValueError(f"seasonal must be None, 'harmonic' or 'monthly', not {self.seasonal!r}.")
        angle = 2 * np.pi * points.months / 12
        waves = {"sine": np.sin, "cosine": np.cos}
        return {f"{name}, {12 // k} months": wave(k * angle) for k in (1, 2) for name, wave in waves.items()}


def natural_spline(t: Floats, df: int) -> dict[str, Floats]:
    """The columns that bend a line into a natural cubic spline of `df` columns: df − 1 of them.

    Knots at the ends and at the quantiles j / df of t, as R's `ns(t, df)`, whose columns span the same curves. Source:
    Hastie, Tibshirani & Friedman (2009), The Elements of Statistical Learning, equations 5.4 and 5.5.
    """
    knots = np.quantile(t, np.arange(df + 1) / df)
    scale = knots[-1] - knots[0]
    cubes = [np.maximum(t - knot, 0) ** 3 - np.maximum(t - knots[-1], 0) ** 3 for knot in knots[:-1]]
    bends = [cube / (knots[-1] - knot) / scale**2 for cube, knot in zip(cubes, knots[:-1], strict=True)]
    return {f"trend, bend {number}": bend - bends[-1] for number, bend in enumerate(bends[:-1], 1)}


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A fitted line, whatever fitted it: what is needed to give any combination of its terms an interval.

    `scatter` (n, n) is the covariance of the periods about the line, on the line's own scale (for counts that of the
    log, or of count / mean); `plug_in` (p, p) the covariance of the coefficients that follows from it alone;
    `residuals` (n,) lie on the same scale. `alpha`: the dispersion of a negative binomial. `estimated`: how many
    numbers describe the autocorrelation.
    """

    beta: Floats
    error: Callable[[Floats], tuple[Floats, Floats]]  # contrasts (k, p) to standard errors and df, (k,) each
    scatter: Floats
    plug_in: Floats
    residuals: Floats
    rho: float | None = None
    w: float | None = None
    alpha: float | None = None
    estimated: int = 0

    @property
    def drifts(self) -> bool:
        """Whether the series wanders too much by itself to say."""
        return self.rho is not None and self.w is not None and self.rho >= DRIFT_RHO and self.w >= DRIFT_W


def fitted(points: Points, model: Model) -> Line:
    """The line through these periods. ValueError where they cannot carry its terms."""
    X = np.column_stack(list(model.columns(points).values()))
    n, terms = X.shape
    if n < terms + 2:
        raise ValueError(f"{n} periods cannot carry {terms} terms: at least {terms + 2} are needed.")
    if np.linalg.matrix_rank(X) < terms:
        raise ValueError(
            "The terms cannot be told apart: the periods before or after a start are too few for this "
            "trend, season and change. Leave out the season or the slope, or wait for more periods."
        )
    if model.errors in ON_LOGS:
        return _correlated_line(points, X, model)
    return _statsmodels_line(points, X, model)


def fitted_counts(points: Points, line: Line, model: Model, *, changed: bool = True) -> Floats:
    """The counts the line leads one to expect, with what began at the starts or without it.

    On log rates times Σ observed / Σ exp(fitted), as the mean of a log is below the log of a mean: Duan's smearing
    (1983, J. Am. Stat. Assoc. 78, 605–610), weighted by the counts.
    """
    X = np.column_stack(list(model.columns(points).values()))
    fitted = points.base * np.exp(X @ line.beta)
    smear = float(points.outcome.sum() / fitted.sum()) if model.errors in ON_LOGS else 1.0
    if not changed:
        fitted = points.base * np.exp(np.column_stack(list(model.unchanged(points).values())) @ line.beta)
    return np.asarray(smear * fitted)


def _correlated_line(points: Points, X: Floats, model: Model) -> Line:
    y = points.outcome - points.base if points.family == "normal" else _log_rates(points)
    noise = model.errors == "ar1_noise"
    fit = (ar1_noise.fit if noise else ar1_noise.fit_without_noise)(y, X, points.positions)

    def error(contrasts: Floats) -> tuple[Floats, Floats]:
        return np.sqrt(fit.variance(contrasts)), fit.df(contrasts)

    scatter = fit.sigma2 * ar1_noise.correlation(points.positions, fit.rho, fit.w)
    return Line(fit.beta, error, scatter, fit.plug_in, y - X @ fit.beta, fit.rho, fit.w, estimated=1 + noise)


def _log_rates(points: Points) -> Floats:
    refuse(
        points.labels[points.outcome == 0],
        "have no events, and a log rate needs at least one",
        "Take longer periods, such as quarters, or errors='model', which cannot set a verdict.",
    )
    return np.asarray(np.log(points.outcome / points.base))


def _statsmodels_line(points: Points, X: Floats, model: Model) -> Line:
    settings: dict[str, Any] = {}
    if model.errors == "newey_west":
        if len(points.positions) != np.ptp(points.positions) + 1:
            raise ValueError("Newey–West errors need a series without gaps. Use errors='ar1_noise', which allows them.")
        settings = {"cov_type": "HAC", "cov_kwds": {"maxlags": model.lags, "use_correction": True}}
    if points.family == "normal":
        return _least_squares(points, X, settings)
    _refuse_empty(points, model)
    if points.family == "negative_binomial":
        return _negative_binomial(points, X, settings)
    return _poisson(points, X, settings)


def _least_squares(points: Points, X: Floats, settings: dict[str, Any]) -> Line:
    import statsmodels.api as sm

    y = points.outcome - points.base
    if not y.any():
        raise ValueError("The outcome is 0 in every period, so there is no scatter to judge a change by.")
    fit = sm.OLS(y, X).fit(**settings)
    _refuse_no_scatter(float(fit.ssr), y)
    left = float(len(X) - X.shape[1])
    variance = np.full(len(X), float(fit.ssr) / left)
    return _independent(X, np.asarray(fit.params), np.asarray(fit.resid), variance, left, fit.cov_params(), settings)


def _poisson(points: Points, X: Floats, settings: dict[str, Any]) -> Line:
    """The same coefficients for Poisson and quasi-Poisson; the variance as the mean, or estimated."""
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    model = sm.GLM(points.outcome, X, family=sm.families.Poisson(), offset=np.log(points.base))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PerfectSeparationWarning)  # a perfect fit is refused in our own words
        fit = model.fit(tol=1e-10, tol_criterion="params", **settings)
    if not fit.converged:
        raise ValueError("The Poisson model found no best fit. Some term, such as a month, may have no events at all.")
    known = points.family == "poisson" and not settings
    if not known:
        _refuse_no_scatter(float(fit.pearson_chi2), points.outcome)
    means, left = np.asarray(fit.mu), float(len(X) - X.shape[1])
    spread = 1.0 if points.family == "poisson" else float(fit.pearson_chi2) / left
    robust = fit.cov_params() if settings else None
    df = np.inf if known else left
    residuals = points.outcome / means - 1
    return _independent(X, np.asarray(fit.params), residuals, spread / means, df, robust, settings)


def _negative_binomial(points: Points, X: Floats, settings: dict[str, Any]) -> Line:
    """Its own variance times Pearson's χ² / (n − k), never less than once, and t: a dispersion by maximum likelihood
    takes no account of the terms and is too small. Where there is none, the Poisson model's own variance and z."""
    if settings:
        raise ValueError("Newey–West errors of a negative binomial are not offered. Use family='quasipoisson'.")
    fit = negative_binomial.fit(points.outcome, X, points.base)
    left, residuals, variance = float(len(X) - X.shape[1]), points.outcome / fit.fitted - 1, 1 / fit.fitted + fit.alpha
    if fit.boundary:
        return _independent(X, fit.beta, residuals, variance, np.inf, None, settings, fit.alpha)
    variance *= max(1.0, float((residuals**2 / variance).sum()) / left)
    return _independent(X, fit.beta, residuals, variance, left, None, settings, fit.alpha)


def _independent(
    X: Floats,
    beta: Floats,
    residuals: Floats,
    variance: Floats,
    df: float,
    covariance: Any,
    settings: dict[str, Any],
    alpha: float | None = None,
) -> Line:
    """A line about which periods scatter independently, `variance` each; robust errors where there are settings."""
    plug_in: Floats = np.asarray(np.linalg.inv(X.T @ (X / variance[:, None])), dtype=np.float64)
    used = np.asarray(covariance) if settings else plug_in

    def error(contrasts: Floats) -> tuple[Floats, Floats]:
        return np.sqrt(np.einsum("ki,ij,kj->k", contrasts, used, contrasts)), np.full(len(contrasts), df)

    return Line(beta, error, np.diag(variance), plug_in, residuals, alpha=alpha)


def _refuse_no_scatter(squares: float, outcome: Floats) -> None:
    if squares / float(np.square(outcome).sum()) <= 1e-20:
        raise ValueError("The fitted line passes through every point, so there is no scatter to judge it by.")


def _refuse_empty(points: Points, model: Model) -> None:
    """A stretch between two starts without any event has no log rate."""
    stretch = np.searchsorted(model.starts, points.positions, side="right")
    for number in range(len(model.starts) + 1):
        if not points.outcome[stretch == number].any():
            where = "before the start" if number == 0 else f"after start {number}" if model.later else "after the start"
            raise ValueError(f"There are no events at all {where}, so a ratio has no value.")
