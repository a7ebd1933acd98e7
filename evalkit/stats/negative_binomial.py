"""Counts that scatter more than chance alone: negative binomial regression with its dispersion estimated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

ROUNDS, SETTLED = 100, 1e-9
"""Means and dispersion are fitted in turn until the dispersion moves by less than this share."""
LEAST = 1e-4
"""A dispersion that adds less than this share to the variance of an average count is taken as none."""
LARGE_SIZE = 1e3
"""From this 1/α on the digamma function is replaced by its series, right there to one part in 10¹⁵."""


@dataclass(frozen=True, slots=True, eq=False)
class NegativeBinomialFit:
    """Build it with `fit`. `beta` (p,) on the log; `covariance` (p, p) of β; `alpha` the dispersion, 0 when the counts
    scatter no more than Poisson counts; `fitted` (n,) expected counts; `loglik` the log-likelihood."""

    beta: Floats
    covariance: Floats
    alpha: float
    fitted: Floats
    loglik: float
    n: int

    @property
    def boundary(self) -> bool:
        """Whether the best dispersion is none, so that the fit is the Poisson model."""
        return self.alpha == 0


def fit(counts: ArrayLike, X: ArrayLike, exposure: ArrayLike) -> NegativeBinomialFit:
    """Fit log μ = Xβ + log exposure with variance μ + α μ² (NB2), β and α by maximum likelihood.

    β is fitted given α and α given the means, in turn, until neither moves. The covariance of β is that of its expected
    information given α, (X' diag(μ / (1 + αμ)) X)⁻¹; α and β are orthogonal there, so that no allowance for α is due in
    large samples. The score of α at 0 is ½ Σ [(y − μ)² − y] with μ of the Poisson model; where it is not above 0, as in
    counts that scatter no more than chance alone, α is 0 and the fit is the Poisson model, said by `boundary`.

    Source: Lawless (1987), Canadian Journal of Statistics 15, 209–225; Venables & Ripley (2002), Modern Applied
    Statistics with S, section 7.4, whose `glm.nb` gives the same β, θ = 1/α and standard errors. Units: β on the log of
    the counts per unit of exposure. Shapes: `counts`, `exposure` (n,), `X` (n, p) of full column rank.

    Raises ValueError for unequal lengths, negative or fractional counts, exposures not above zero, fewer than p + 1
    rows, no events at all, and where no best fit is found, as when some term has no events.

    >>> import numpy as np
    >>> falls = [3, 0, 7, 2, 9, 1, 4, 12, 0, 5, 8, 20, 6, 15, 3, 11]
    >>> after = np.column_stack([np.ones(16), np.arange(16) >= 8])
    >>> found = fit(falls, after, np.ones(16))
    >>> found.beta.round(4).tolist(), round(found.alpha, 4)
    ([1.5581, 0.5819], 0.6036)
    """
    y, X, exposure = (np.asarray(each, dtype=np.float64) for each in (counts, X, exposure))
    _check(y, X, exposure)
    beta, covariance, fitted = _means(y, X, exposure, 0.0, None)
    alpha = 0.0
    if ((y - fitted) ** 2 - y).sum() > 0:
        alpha = _dispersion(y, fitted)
    for _ in range(ROUNDS):
        if alpha == 0:
            break
        beta, covariance, fitted = _means(y, X, exposure, alpha, beta)
        before, alpha = alpha, _dispersion(y, fitted)
        if abs(alpha - before) <= SETTLED * before:
            break
    else:
        raise ValueError("The negative binomial model found no best fit. Use family='quasipoisson'.")
    if alpha == 0:
        beta, covariance, fitted = _means(y, X, exposure, 0.0, None)
    return NegativeBinomialFit(beta, covariance, alpha, fitted, _loglik(y, fitted, alpha), len(y))


def _means(y: Floats, X: Floats, exposure: Floats, alpha: float, begun: Floats | None) -> tuple[Floats, Floats, Floats]:
    """β, its covariance and the means, with the dispersion given."""
    import statsmodels.api as sm

    family = sm.families.NegativeBinomial(alpha=alpha) if alpha else sm.families.Poisson()
    found = sm.GLM(y, X, family=family, offset=np.log(exposure)).fit(
        start_params=begun, tol=1e-10, tol_criterion="params", scale=1.0
    )
    if not found.converged:
        raise ValueError("The counts have no best fit. Some term, such as a month, may have no events at all.")
    return np.asarray(found.params), np.asarray(found.cov_params()), np.asarray(found.mu)


def _dispersion(y: Floats, fitted: Floats) -> float:
    """The best α for these means: where the score of 1/α is 0, or 0."""
    from scipy.optimize import brentq

    few, many = np.log(1e-6), np.log(fitted.mean() / LEAST)
    if _score(many, y, fitted) >= 0:
        return 0.0
    return float(np.exp(-brentq(_score, few, many, args=(y, fitted), xtol=1e-13)))


def _score(log_size: float, y: Floats, fitted: Floats) -> float:
    """The slope of the log-likelihood by size = 1/α: Σ ψ(y + size) − ψ(size) + log(size / (size + μ)) − d."""
    from scipy.special import digamma

    size = np.exp(log_size)
    d = (y - fitted) / (size + fitted)
    if size < LARGE_SIZE:
        return float((digamma(y + size) - digamma(size) - np.log1p(fitted / size) - d).sum())
    # ψ(x) = log x − 1/2x − 1/12x² + …, so that nearly equal numbers are not subtracted
    both = size + y
    return float((np.log1p(d) - d + y / (2 * size * both) + y * (size + both) / (12 * (size * both) ** 2)).sum())


def _loglik(y: Floats, fitted: Floats, alpha: float) -> float:
    from scipy.special import gammaln, xlogy

    if alpha == 0:
        return float((xlogy(y, fitted) - fitted - gammaln(y + 1)).sum())
    size = 1 / alpha
    choose = gammaln(y + size) - gammaln(size) - gammaln(y + 1)
    return float((choose - size * np.log1p(alpha * fitted) + xlogy(y, alpha * fitted / (1 + alpha * fitted))).sum())


def _check(y: Floats, X: Floats, exposure: Floats) -> None:
    if X.ndim != 2 or not len(y) == len(X) == len(exposure):
        raise ValueError(
            f"counts, X and exposure need a row each a period; got {y.shape}, {X.shape}, {exposure.shape}."
        )
    if not all(np.isfinite(each).all() for each in (y, X, exposure)):
        raise ValueError("counts, X or exposure holds a value that is missing or infinite. Leave such periods out.")
    if (y < 0).any() or (y != np.round(y)).any():
        raise ValueError("Counts must be whole numbers from 0 up.")
    if (exposure <= 0).any():
        raise ValueError("Every exposure must be above zero: a rate needs a denominator.")
    if len(y) <= X.shape[1]:
        raise ValueError(f"{len(y)} counts cannot carry {X.shape[1]} terms: at least {X.shape[1] + 1} are needed.")
    if not y.any():
        raise ValueError("There are no events at all, so a ratio has no value.")
    if np.linalg.matrix_rank(X) < X.shape[1]:
        raise ValueError("The terms cannot be told apart: one column of X is made up of the others.")
