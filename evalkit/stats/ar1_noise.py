"""Regression on a series whose errors are an AR(1) process plus noise: REML on a grid, Kenward–Roger intervals.

Observation i, taken at period t_i, has mean x_i'β, and its errors have covariance

    σ² V,    V = (1 − w) I + w R,    R_ij = ρ^|t_i − t_j|

that is: a share w of the variance dies away slowly, at ρ a period, and the rest is fresh in every period. w = 1 is the
plain AR(1) model; ρ = 0 is independence. Leaving the noise out makes intervals too narrow when counts scatter about a
slowly wandering level, which is what health counts do.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

RHO_GRID = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
"""The autocorrelations tried. Closes up towards 1, where a small step in ρ is a large step in memory."""
W_GRID = (0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.0)
"""The shares of the variance that is autocorrelated. Below .15 the errors cannot be told from independence."""
MIN_DF = 1.0
"""The smallest df used. Close to a random walk the formula falls towards 0 for the line itself and for a change in
slope, where a t interval has no meaning left; at 1 it is already 12.7 standard errors each way. (A change in level
stayed above 1 in every simulated series.)"""
AR1_EDGE = 0.99
"""How far towards 1 or −1 `fit_without_noise` looks for ρ."""
MAX_PERIODS = 400
"""The longest series fitted: beyond this the stored matrices of one grid pass 100 MB. Monthly data never get there."""


@dataclass(frozen=True, slots=True, eq=False)
class Ar1NoiseFit:
    """A fitted series. Build it with `fit`.

    `beta` (p,) coefficients; `plug_in` (p, p) their covariance as if ρ and w were known; `covariance` (p, p) the same
    with Kenward and Roger's allowance for their having been estimated; `sigma2` the error variance σ² of one
    observation; `reml` the restricted log-likelihood, without the constant ½ log|X'X| (as R's nlme gives it);
    `at_boundary` when the best ρ or w is at an edge of the grid.
    """

    beta: Floats
    covariance: Floats
    plug_in: Floats
    rho: float
    w: float
    sigma2: float
    reml: float
    at_boundary: bool
    n: int
    _slopes: Floats  # (q, p, p): derivative of `plug_in` by each covariance parameter
    _uncertainty: Floats  # (q, q): covariance of those parameters

    def variance(self, contrasts: ArrayLike) -> Floats:
        """The variance of each row c of `contrasts` (k, p) times β; never below the plug-in."""
        rows = np.atleast_2d(np.asarray(contrasts, dtype=np.float64))
        return np.maximum(_quadratic(rows, self.covariance), _quadratic(rows, self.plug_in))

    def df(self, contrasts: ArrayLike) -> Floats:
        """The degrees of freedom of each row of `contrasts` (k, p): 2v² / g'Wg, v the plug-in variance, g its slopes.

        For one contrast Kenward and Roger's F has this df and a scale of exactly 1, so it is Satterthwaite's. Never
        below `MIN_DF`.
        """
        rows = np.atleast_2d(np.asarray(contrasts, dtype=np.float64))
        slopes = np.stack([_quadratic(rows, slope) for slope in self._slopes], axis=1)
        spread = np.einsum("ki,ij,kj->k", slopes, self._uncertainty, slopes)
        found = 2 * _quadratic(rows, self.plug_in) ** 2 / spread
        return np.asarray(np.maximum(found, MIN_DF), dtype=np.float64)


def fit(y: ArrayLike, X: ArrayLike, periods: ArrayLike, *, held: tuple[float, float] | None = None) -> Ar1NoiseFit:
    """Fit y = Xβ + e with AR(1)-plus-noise errors by restricted maximum likelihood over a grid.

    Every pair (ρ, w) of `RHO_GRID` × `W_GRID` is tried and the one with the largest restricted likelihood kept, so
    the fit cannot fail to converge. With Ω = σ²V, Φ = (X'Ω⁻¹X)⁻¹, Ω_i the derivatives of Ω by (log σ², ρ, w) and W
    the inverse of the expected information of those three,

        covariance = Φ + 2Φ {Σ_ij W_ij (Q_ij − P_i Φ P_j)} Φ,   P_i = −X'Ω⁻¹Ω_iΩ⁻¹X,   Q_ij = X'Ω⁻¹Ω_iΩ⁻¹Ω_jΩ⁻¹X.

    The term with second derivatives of Ω is left out, and W is a pseudo-inverse because w means nothing at ρ = 0.

    Source: Harville (1977), J. Am. Stat. Assoc. 72, 320–338 (REML); Kenward & Roger (1997), Biometrics 53, 983–997
    (covariance and df); for REML in interrupted series, Turner et al. (2021), BMC Med. Res. Methodol. 21,
    doi:10.1186/s12874-021-01364-0. The grid is ours.

    Shapes: `y` (n,); `X` (n, p) of full column rank, n ≥ p + 2; `periods` (n,) whole numbers, all different, in any
    order, gaps allowed. Units: β in units of y per unit of X. `held=(ρ, w)` takes both as known: only σ² is estimated,
    and df is exactly n − p.

    Raises ValueError for unequal lengths, values that are not numbers, repeated periods, columns that cannot be told
    apart, too few or too many points, and a y that X reproduces exactly.

    >>> import numpy as np
    >>> y = [5.0, 4.8, 5.1, 5.3, 4.9, 5.2, 6.1, 6.0, 6.4, 5.9, 6.2, 6.3]
    >>> X = np.column_stack([np.ones(12), np.arange(12) >= 6])
    >>> independent = fit(y, X, np.arange(12), held=(0, 1))
    >>> independent.beta.round(3).tolist(), independent.df([0, 1]).round(6).tolist()
    ([5.05, 1.1], [10.0])
    """
    y, X, periods = np.asarray(y, dtype=np.float64), np.asarray(X, dtype=np.float64), np.asarray(periods)
    _check(y, X, periods)
    pairs = _grid() if held is None else (held,)
    inverses, log_determinants = _correlations(tuple((periods - periods.min()).tolist()), pairs)
    betas, squares, reml = _profile(y, X, inverses, log_determinants)
    best = int(np.argmax(reml))
    rho, w = pairs[best]
    directions = _derivatives(periods, rho, w, held is not None)
    edge = held is None and (rho in (RHO_GRID[0], RHO_GRID[-1]) or w in (W_GRID[0], W_GRID[-1]))
    return _found(X, betas[best], squares[best], reml[best], inverses[best], pairs[best], directions, edge)


def fit_without_noise(y: ArrayLike, X: ArrayLike, periods: ArrayLike) -> Ar1NoiseFit:
    """Fit y = Xβ + e with plain AR(1) errors, V_ij = ρ^|t_i − t_j|: w is 1, and ρ is climbed to rather than on a grid.

    To reproduce published rows. ρ may be negative; it is the best between −`AR1_EDGE` and `AR1_EDGE`, and `at_boundary`
    when that is one of the two. Covariance and df as in `fit`, from log σ² and ρ. In series whose counts scatter about
    a slowly wandering level the intervals are too narrow, which is why no verdict rests on them.

    Source: as `fit`; R's `nlme::gls(…, correlation = corAR1(form = ~t), method = "REML")` is the same model, and its
    standard errors are the roots of `plug_in`. Shapes, units and errors as for `fit`.

    >>> import numpy as np
    >>> y = [5.0, 4.8, 5.1, 5.3, 4.9, 5.2, 6.1, 6.0, 6.4, 5.9, 6.2, 6.3]
    >>> X = np.column_stack([np.ones(12), np.arange(12) >= 6])
    >>> plain = fit_without_noise(y, X, np.arange(12))
    >>> round(plain.rho, 3), plain.beta.round(3).tolist(), plain.w
    (-0.32, [5.046, 1.105], 1.0)
    """
    from scipy.optimize import minimize_scalar

    y, X, periods = np.asarray(y, dtype=np.float64), np.asarray(X, dtype=np.float64), np.asarray(periods)
    _check(y, X, periods)
    order = np.argsort(periods)
    rows, gaps = np.column_stack([y, X])[order], np.diff(periods[order])
    coarse = np.linspace(-AR1_EDGE, AR1_EDGE, 23)
    best = int(np.argmax([_ar1_reml(rho, rows, gaps) for rho in coarse]))
    around = (coarse[max(best - 1, 0)], coarse[min(best + 1, len(coarse) - 1)])
    climbed = minimize_scalar(
        lambda rho: -_ar1_reml(rho, rows, gaps), bounds=around, method="bounded", options={"xatol": 1e-9}
    )
    pair = (float(climbed.x), 1.0)
    inverses, log_determinants = _inverted(periods, (pair,))
    (beta,), (squares,), (reml,) = _profile(y, X, inverses, log_determinants)
    directions = _derivatives(periods, *pair, False)[:2]
    edge = abs(pair[0]) > AR1_EDGE - 1e-6
    return _found(X, beta, squares, reml, inverses[0], pair, directions, edge)


def _ar1_reml(rho: float, rows: Floats, gaps: NDArray[np.generic]) -> float:
    """The restricted log-likelihood, up to a constant, of rows (y, X) in order: each less what its forerunner tells."""
    kept = np.power(float(rho), gaps.astype(np.float64))[:, None]
    surprise = np.vstack([rows[:1], (rows[1:] - kept * rows[:-1]) / np.sqrt(1 - kept**2)])
    # the last pivot of a QR with y behind X is the root of the residual sum of squares
    pivots = np.abs(np.diag(np.linalg.qr(np.roll(surprise, -1, axis=1), mode="r")))
    left = len(rows) - rows.shape[1] + 1
    spread = left * np.log(np.maximum(pivots[-1], np.finfo(float).tiny))
    return float(-spread - np.log(1 - kept**2).sum() / 2 - np.log(pivots[:-1]).sum())


def _found(
    X: Floats,
    beta: Floats,
    squares: float,
    reml: float,
    inverse: Floats,
    pair: tuple[float, float],
    directions: Floats,
    edge: bool,
) -> Ar1NoiseFit:
    sigma2 = float(squares / (len(X) - X.shape[1]))
    covariance, plug_in, slopes, uncertainty = _kenward_roger(X, inverse, sigma2, directions)
    return Ar1NoiseFit(
        beta=beta,
        covariance=covariance,
        plug_in=plug_in,
        rho=float(pair[0]),
        w=float(pair[1]),
        sigma2=sigma2,
        reml=float(reml),
        at_boundary=edge,
        n=len(X),
        _slopes=slopes,
        _uncertainty=uncertainty,
    )


@dataclass(frozen=True, slots=True)
class Contrasts:
    """One contrast of β in each of many series: (R,) arrays of the estimate, its standard error and df."""

    estimate: Floats
    se: Floats
    df: Floats


def fit_many(Y: ArrayLike, X: ArrayLike, periods: ArrayLike, contrast: ArrayLike) -> Contrasts:
    """What `fit` says of one contrast c'β, for many series with the same terms and periods at once.

    The same estimator, to rounding: for a simulation of thousands of series. Once a pair (ρ, w) is chosen, the variance
    over σ² and the df depend on X and the periods only, so each is computed once a pair and not once a series.

    Shapes: `Y` (R, n), a series a row; `X` (n, p), `periods` (n,) as for `fit`; `contrast` (p,). Errors as for `fit`.

    >>> import numpy as np
    >>> y = [5.0, 4.8, 5.1, 5.3, 4.9, 5.2, 6.1, 6.0, 6.4, 5.9, 6.2, 6.3]
    >>> X = np.column_stack([np.ones(12), np.arange(12) >= 6])
    >>> many, one = fit_many([y, y[::-1]], X, np.arange(12), [0, 1]), fit(y, X, np.arange(12))
    >>> many.estimate.round(3).tolist(), bool(np.isclose(many.se[0] ** 2, one.variance([0, 1])[0]))
    ([1.1, -1.1], True)
    """
    Y, X, periods = np.asarray(Y, dtype=np.float64), np.asarray(X, dtype=np.float64), np.asarray(periods)
    if Y.ndim != 2 or not len(Y):
        raise ValueError(f"Y must hold a series a row, and at least one; got shape {Y.shape}.")
    _check(Y.sum(axis=0), X, periods)
    row = np.atleast_2d(np.asarray(contrast, dtype=np.float64))
    inverses, log_determinants = _correlations(tuple((periods - periods.min()).tolist()), _grid())
    level = np.linalg.lstsq(X, Y.T, rcond=None)[0].T
    squares, chosen = _best_of_many(Y - level @ X.T, X, inverses, log_determinants)
    if (squares <= 1e-20 * np.maximum((Y**2).sum(axis=1), np.finfo(float).tiny)).any():
        raise ValueError(
            "In some series the fitted line passes through every point, so there is no scatter to judge by."
        )
    found = np.empty((3, len(Y)))
    for pair in np.unique(chosen):
        rho, w = _grid()[pair]
        directions = _derivatives(periods, rho, w, False)
        covariance, plug_in, slopes, uncertainty = _kenward_roger(X, inverses[pair], 1.0, directions)
        unit = Ar1NoiseFit(X[0], covariance, plug_in, rho, w, 1.0, 0.0, False, len(X), slopes, uncertainty)
        those = chosen == pair
        found[0, those] = Y[those] @ inverses[pair] @ X @ plug_in @ row[0]
        found[1, those] = np.sqrt(squares[those] / (len(X) - X.shape[1]) * unit.variance(row)[0])
        found[2, those] = unit.df(row)[0]
    return Contrasts(*found)


def _best_of_many(
    residuals: Floats, X: Floats, inverses: Floats, log_determinants: Floats
) -> tuple[Floats, NDArray[np.intp]]:
    """For each series its weighted residual sum of squares at the best pair, and which pair that is."""
    left = len(X) - X.shape[1]
    best = np.full(len(residuals), -np.inf)
    kept, chosen = np.empty(len(residuals)), np.zeros(len(residuals), dtype=np.intp)
    for pair, (inverse, log_determinant) in enumerate(zip(inverses, log_determinants, strict=True)):
        weighted = inverse @ X
        information = X.T @ weighted
        maker = inverse - weighted @ np.linalg.solve(information, weighted.T)
        squares = np.einsum("rn,rn->r", residuals @ maker, residuals)
        # the restricted likelihood of `_profile`, without what is the same for every pair
        reml = -0.5 * (left * np.log(np.maximum(squares, np.finfo(float).tiny)) + log_determinant)
        reml -= 0.5 * np.linalg.slogdet(information)[1]
        better = reml > best
        best[better], kept[better], chosen[better] = reml[better], squares[better], pair
    return kept, chosen


def correlation(periods: ArrayLike, rho: float, w: float) -> Floats:
    """The matrix V = (1 − w) I + w ρ^|t_i − t_j| for the periods t, (n, n).

    >>> correlation([0, 1, 3], 0.5, 0.8).round(2).tolist()
    [[1.0, 0.4, 0.1], [0.4, 1.0, 0.2], [0.1, 0.2, 1.0]]
    """
    gaps = _gaps(np.asarray(periods))
    return np.asarray((1 - w) * np.eye(len(gaps)) + w * np.power(float(rho), gaps), dtype=np.float64)


def _gaps(periods: NDArray[np.generic]) -> Floats:
    moments = periods.astype(np.float64)
    return np.abs(moments[:, None] - moments[None, :])


def _grid() -> tuple[tuple[float, float], ...]:
    """Every pair to try; at ρ = 0 all w are the same model, so one is enough."""
    return ((0.0, 1.0), *((rho, w) for rho in RHO_GRID[1:] for w in W_GRID))


@lru_cache(maxsize=4)
def _correlations(periods: tuple[int, ...], pairs: tuple[tuple[float, float], ...]) -> tuple[Floats, Floats]:
    """The inverses (G, n, n) and log-determinants (G,) of V for every pair. Series of a panel share one entry."""
    inverses, log_determinants = _inverted(periods, pairs)
    for kept in (inverses, log_determinants):
        kept.setflags(write=False)
    return inverses, log_determinants


def _inverted(periods: ArrayLike, pairs: tuple[tuple[float, float], ...]) -> tuple[Floats, Floats]:
    stacked = np.stack([correlation(periods, rho, w) for rho, w in pairs])
    return np.asarray(np.linalg.inv(stacked), dtype=np.float64), np.asarray(np.linalg.slogdet(stacked)[1])


def _profile(y: Floats, X: Floats, inverses: Floats, log_determinants: Floats) -> tuple[Floats, Floats, Floats]:
    """For every pair its β (G, p), weighted residual sum of squares (G,) and restricted log-likelihood (G,)."""
    weighted = inverses @ X  # (G, n, p)
    information = X.T @ weighted  # (G, p, p)
    betas = np.linalg.solve(information, (y @ weighted)[..., None])[..., 0]  # (G, p)
    residuals = y - betas @ X.T  # (G, n)
    squares = np.einsum("gi,gij,gj->g", residuals, inverses, residuals, optimize=True)
    left = len(y) - X.shape[1]
    if squares.min() <= 1e-20 * max(float(y @ y), np.finfo(float).tiny):
        raise ValueError(
            "The fitted line passes through every point, so there is no scatter to judge it by. "
            "Check that the outcome is not constant or made up from a formula."
        )
    reml = -0.5 * (
        left * (np.log(2 * np.pi * squares / left) + 1) + log_determinants + np.linalg.slogdet(information)[1]
    )
    return np.asarray(betas, dtype=np.float64), np.asarray(squares), np.asarray(reml, dtype=np.float64)


def _derivatives(periods: NDArray[np.generic], rho: float, w: float, held: bool) -> Floats:
    """The derivatives of Ω by log σ², ρ and w, each divided by σ²: (3, n, n), or (1, n, n) with ρ and w held."""
    scale = correlation(periods, rho, w)
    if held:
        return scale[None]
    gaps = _gaps(periods)
    by_rho = np.where(gaps > 0, gaps * np.power(float(rho), np.maximum(gaps - 1, 0)), 0.0)
    return np.stack([scale, w * by_rho, np.power(float(rho), gaps) - np.eye(len(gaps))])


def _kenward_roger(
    X: Floats, inverse: Floats, sigma2: float, directions: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Adjusted covariance, plug-in covariance, slopes of the plug-in, and covariance of the covariance parameters.

    Everything is computed for σ² = 1 and scaled at the end: the parameter is log σ², so the rest does not depend on it.
    """
    weighted = inverse @ X
    plug_in: Floats = np.asarray(np.linalg.inv(X.T @ weighted), dtype=np.float64)
    residual_maker = inverse - weighted @ plug_in @ weighted.T
    moved = directions @ residual_maker  # (q, n, n)
    expected = 0.5 * np.einsum("aij,bji->ab", moved, moved, optimize=True)
    # a direction the data cannot see holds rounding error only; the flattest real one is some 1e-4 of the steepest
    uncertainty: Floats = np.asarray(np.linalg.pinv(expected, rcond=1e-10, hermitian=True), dtype=np.float64)
    pushed = directions @ weighted  # (q, n, p): Ω_i Ω⁻¹ X
    # Q_ij − P_i Φ P_j is X'Ω⁻¹Ω_i M Ω_jΩ⁻¹X with M the residual maker: one product instead of two
    inner = np.einsum("anp,nm,bmr,ab->pr", pushed, residual_maker, pushed, uncertainty, optimize=True)
    slopes = plug_in @ (weighted.T @ pushed) @ plug_in
    covariance = plug_in + 2 * plug_in @ inner @ plug_in
    return sigma2 * (covariance + covariance.T) / 2, sigma2 * plug_in, sigma2 * slopes, uncertainty


def _quadratic(rows: Floats, matrix: Floats) -> Floats:
    return np.asarray(np.einsum("ki,ij,kj->k", rows, matrix, rows), dtype=np.float64)


def _check(y: Floats, X: Floats, periods: NDArray[np.generic]) -> None:
    if X.ndim != 2 or not len(y) == len(X) == len(periods):
        raise ValueError(
            f"y, X and periods must have one row each per period; got {y.shape}, {X.shape}, {periods.shape}."
        )
    if not np.issubdtype(periods.dtype, np.integer):
        raise ValueError("periods must be whole numbers: count the months or years from the first.")
    if len(np.unique(periods)) < len(periods):
        raise ValueError("A period occurs more than once. Give one row a period; add up rows of the same period first.")
    if not (np.isfinite(y).all() and np.isfinite(X).all()):
        raise ValueError("y or X holds a value that is missing or infinite. Leave such periods out; gaps are allowed.")
    n, p = X.shape
    if n < p + 2:
        raise ValueError(f"{n} points cannot carry {p} terms: at least {p + 2} points are needed.")
    if n > MAX_PERIODS:
        raise ValueError(f"{n} points are more than the {MAX_PERIODS} this method is meant for. Add them up by month.")
    if np.linalg.matrix_rank(X) < p:
        raise ValueError("The terms of the model cannot be told apart: one column of X is made up of the others.")
