"""A segmented line: its terms, and how it is fitted, whichever way its errors are taken to behave."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from evalkit.stats import ar1_noise
from evalkit.stats.periods import Floats, Points, refuse

Errors = Literal["ar1_noise", "model", "newey_west"]

DRIFT_RHO = 0.9
DRIFT_W = 0.9
"""Estimated ρ and w both at or above these: the series drifts too much to say (judgement: on a random walk of 2 % a
month the estimator called up to 7.4 % of nothing a change at a nominal 5 %)."""


@dataclass(frozen=True, slots=True)
class Model:
    """What is fitted, and how its errors are taken to behave."""

    start: float
    trend: str
    seasonal: str | None
    slope: bool
    errors: Errors
    lags: int | None

    def columns(self, points: Points) -> dict[str, Floats]:
        """The columns of the model by name, in the order of the coefficients."""
        t = points.positions.astype(np.float64)
        columns = {"intercept": np.ones_like(t)}
        if self.trend != "none":
            columns["trend"] = t
        if self.trend == "quadratic":
            columns["trend squared"] = t**2
        after = t >= self.start
        columns["level"] = after.astype(np.float64)
        if self.slope:
            columns["slope"] = np.where(after, t - self.start, 0.0)
        return columns | self._season(points)

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


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A fitted line, whatever fitted it: what is needed to give any combination of its terms an interval."""

    beta: Floats
    error: Callable[[Floats], tuple[Floats, Floats]]  # contrasts (k, p) to standard errors and df, (k,) each
    rho: float | None = None
    w: float | None = None

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
            "The terms cannot be told apart: the periods before or after the start are too few for this "
            "trend, season and change. Leave out the season or the slope, or wait for more periods."
        )
    if model.errors == "ar1_noise":
        return _ar1_noise_line(points, X)
    return _statsmodels_line(points, X, model)


def _ar1_noise_line(points: Points, X: Floats) -> Line:
    y = points.outcome
    if points.family != "normal":
        refuse(
            points.labels[y == 0],
            "have no events, and a log rate needs at least one",
            "Take longer periods, such as quarters, or errors='model', which cannot set a verdict.",
        )
        y = np.log(y / points.exposure)
    fit = ar1_noise.fit(y, X, points.positions)

    def error(contrasts: Floats) -> tuple[Floats, Floats]:
        return np.sqrt(fit.variance(contrasts)), fit.df(contrasts)

    return Line(fit.beta, error, fit.rho, fit.w)


def _statsmodels_line(points: Points, X: Floats, model: Model) -> Line:
    settings: dict[str, Any] = {}
    if model.errors == "newey_west":
        if len(points.positions) != np.ptp(points.positions) + 1:
            raise ValueError("Newey–West errors need a series without gaps. Use errors='ar1_noise', which allows them.")
        settings = {"cov_type": "HAC", "cov_kwds": {"maxlags": model.lags, "use_correction": True}}
    left = float(len(X) - X.shape[1])
    if points.family == "normal":
        beta, covariance, scatter = _least_squares(points, X, settings)
    else:
        beta, covariance, scatter = _poisson(points, X, model.start, settings)
    known = points.family == "poisson" and model.errors == "model"
    if scatter / float(np.square(points.outcome).sum()) <= 1e-20 and not known:
        raise ValueError("The fitted line passes through every point, so there is no scatter to judge it by.")
    if points.family == "quasipoisson" and model.errors == "model":
        covariance = covariance * scatter / left

    def error(contrasts: Floats) -> tuple[Floats, Floats]:
        variance = np.einsum("ki,ij,kj->k", contrasts, covariance, contrasts)
        return np.sqrt(variance), np.full(len(contrasts), np.inf if known else left)

    return Line(beta, error)


def _least_squares(points: Points, X: Floats, settings: dict[str, Any]) -> tuple[Floats, Floats, float]:
    """Coefficients, their covariance and the sum of squared residuals."""
    import statsmodels.api as sm

    if not points.outcome.any():
        raise ValueError("The outcome is 0 in every period, so there is no scatter to judge a change by.")
    fit = sm.OLS(points.outcome, X).fit(**settings)
    return np.asarray(fit.params), np.asarray(fit.cov_params()), float(fit.ssr)


def _poisson(points: Points, X: Floats, start: float, settings: dict[str, Any]) -> tuple[Floats, Floats, float]:
    """Coefficients, their covariance with the variance equal to the mean, and Pearson's chi-squared."""
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    for side, kept in (("before", points.positions < start), ("after", points.positions >= start)):
        if not points.outcome[kept].any():
            raise ValueError(f"There are no events at all {side} the start, so a ratio has no value.")
    model = sm.GLM(points.outcome, X, family=sm.families.Poisson(), offset=np.log(points.exposure))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PerfectSeparationWarning)  # a perfect fit is refused in our own words
        fit = model.fit(tol=1e-10, tol_criterion="params", **settings)
    if not fit.converged:
        raise ValueError("The Poisson model found no best fit. Some term, such as a month, may have no events at all.")
    return np.asarray(fit.params), np.asarray(fit.cov_params()), float(fit.pearson_chi2)
