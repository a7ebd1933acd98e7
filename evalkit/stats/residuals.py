"""What a fitted line leaves over, looked at: likeness of neighbours, odd periods, shape, season, scatter of counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evalkit.stats.periods import Floats, Points, name
from evalkit.stats.segments import ON_LOGS, Line, Model, fitted_counts

LEVEL = 0.01
"""A check speaks up below this p. Judgement: up to five looks are taken, and about 1 in 20 sound series may be told."""
LAGS, LAGS_OF_MONTHS, SHARE_OF_SPARE = 10, 12, 4
"""Neighbours up to so far apart, twelve months for months, and at most a quarter of periods less terms (judgement;
Hyndman & Athanasopoulos 2021, Forecasting: Principles and Practice, section 5.4: 10, or a fifth of the periods)."""
FEWEST_SPARE = 3
"""Fewest residuals left over by terms and months together for the season to be looked at."""
NO_SCATTER = 1e-6
"""Standardised residuals all below this are rounding."""
FEWEST_FOR_SHAPE = 5
"""Royston's formula for the shape holds from 5 residuals."""
COLUMNS = ["check", "estimate", "p", "threshold", "ok", "reading"]


@dataclass(frozen=True, slots=True, eq=False)
class Left:
    """What a line leaves over once the fitted likeness of neighbours is taken out: independent when the model holds.

    `residuals` (n,) and `terms` (n, p) are both times the inverse of `root`, the Cholesky root of the fitted covariance
    of the periods, which takes each period's own surprise given those before it.
    """

    residuals: Floats
    terms: Floats
    root: Floats

    @classmethod
    def of(cls, points: Points, line: Line, model: Model) -> Left:
        """What this line leaves over."""
        root: Floats = np.asarray(np.linalg.cholesky(line.scatter), dtype=np.float64)
        X = np.column_stack(list(model.columns(points).values()))
        turned: Floats = np.asarray(np.linalg.solve(root, np.column_stack([line.residuals, X])), dtype=np.float64)
        return cls(turned[:, 0], turned[:, 1:], root)

    @property
    def spare(self) -> int:
        """Residuals less terms."""
        return len(self.terms) - int(self.terms.shape[1])


def checks(points: Points, line: Line, model: Model) -> pd.DataFrame:
    """The line's residuals checked: a row a check, those that do not apply left out.

    Columns check, estimate, p, threshold (of p; blank where the row only informs), ok, reading (in words).
    `likeness of neighbours`: Ljung and Box's test of the whitened residuals with exact moments (`portmanteau`), df =
    lags less the numbers fitted to describe the autocorrelation (2 for AR(1) plus noise, 1 for AR(1), else 0).
    `most unusual period`: the largest externally studentised residual, p times the number of periods (Bonferroni).
    `shape`: Shapiro–Francia W′ against the normal, on log rates and other outcomes. `season left over`: F of the
    calendar months that the season does not hold. `scatter of counts`: Pearson χ² over n − p about the fitted counts; a
    check for `poisson` only, as the other choices allow for it. In simulated sound series of 300 events a month each
    spoke up in 0 to 4 of 100; of 20 events a month, whose logs are skewed, shape and unusual period in 5 to 9.

    Source: Ljung & Box (1978), Biometrika 65, 297–303; Dufour & Roy (1986), Commun. Stat. Theory Methods 15, 2953–2973
    (exact moments); Cook & Weisberg (1982), Residuals and Influence in Regression, section 2.2; Royston (1993),
    Statistics in Medicine 12, 181–184.
    """
    left = Left.of(points, line, model)
    rows = [scatter_of_counts(points, line, model)]
    if np.abs(left.residuals).max() > NO_SCATTER:  # counts that never vary leave nothing to look at
        rows += [neighbours(left, points, line.estimated), unusual(left, points), season(left, points)]
        rows += [shape(left) if points.family == "normal" or model.errors in ON_LOGS else None]
    return pd.DataFrame([row for row in rows if row is not None], columns=COLUMNS)


def neighbours(left: Left, points: Points, estimated: int) -> list[object] | None:
    """Whether neighbouring periods are still alike."""
    from scipy.special import chdtrc

    lags = min(LAGS if points.months is None else LAGS_OF_MONTHS, left.spare // SHARE_OF_SPARE)
    if lags <= estimated:
        return None
    q = portmanteau(left.residuals, left.terms, lags)
    p = float(chdtrc(lags - estimated, q))
    said = "Neighbouring periods are alike beyond what the model holds: the interval may be too narrow."
    fine = f"No likeness of periods up to {lags} apart is left over."
    return ["likeness of neighbours", q, p, LEVEL, p >= LEVEL, fine if p >= LEVEL else said]


def portmanteau(residuals: Floats, terms: Floats, lags: int) -> float:
    """(r − μ)'Σ⁻¹(r − μ) of the autocorrelations r of what terms (n, p) leave over (n,), about χ² with `lags` df.

    Ljung and Box's Q with the exact mean and covariance of r (`moments`). Q itself takes them as in a series without
    terms: on 36 to 96 months with trend, level and season it called 4 to 10 of 100 sound series at a nominal 1, this 1
    to 2.

    >>> round(portmanteau(np.array([1.0, -1.0, 2.0, 0.0, -2.0]), np.ones((5, 1)), 1), 4)
    0.1111
    """
    mean, covariance = moments(terms, lags)
    r = np.array([residuals[lag:] @ residuals[:-lag] for lag in range(1, lags + 1)]) / (residuals @ residuals)
    return float((r - mean) @ np.linalg.solve(covariance, r - mean))


def moments(terms: Floats, lags: int) -> tuple[Floats, Floats]:
    """Mean (lags,) and covariance (lags, lags) of the autocorrelations of what terms leave over of normal noise.

    With M = I − X(X'X)⁻¹X' of rank ν, and S_k half the matrix that pairs periods k apart, r_k = e'S_k e / e'e has mean
    tr(MS_k) / ν, and r_j r_k has mean (tr(MS_j) tr(MS_k) + 2 tr(MS_jMS_k)) / (ν (ν + 2)).
    """
    n, p = terms.shape
    q, _ = np.linalg.qr(terms)
    maker, spare = np.eye(n) - q @ q.T, n - p
    paired = np.zeros((lags, n, n))
    for lag in range(1, lags + 1):
        paired[lag - 1, :, lag:] += maker[:, :-lag] / 2
        paired[lag - 1, :, :-lag] += maker[:, lag:] / 2
    traces = np.trace(paired, axis1=1, axis2=2)
    flat, turned = paired.reshape(lags, -1), paired.transpose(0, 2, 1).reshape(lags, -1)
    products, mean = flat @ turned.T, traces / spare
    covariance = (np.outer(traces, traces) + 2 * products) / (spare * (spare + 2)) - np.outer(mean, mean)
    return np.asarray(mean), np.asarray(covariance)


def unusual(left: Left, points: Points) -> list[object] | None:
    """The period furthest from where the model puts it."""
    from scipy.special import stdtr

    if left.spare < 2:
        return None
    q, _ = np.linalg.qr(left.terms)
    free = np.maximum(1 - (q**2).sum(axis=1), 0)
    own = free > 1e-9  # a period with a term to itself has no residual
    squares = float(left.residuals @ left.residuals)
    without = np.maximum(squares - left.residuals[own] ** 2 / free[own], 1e-12 * squares) / (left.spare - 1)
    t = left.residuals[own] / np.sqrt(without * free[own])
    most = int(np.argmax(np.abs(t)))
    p = min(1.0, float(2 * stdtr(left.spare - 1, -abs(t[most]))) * len(t))
    which = name(points.labels[own].iloc[most])
    ok = p >= LEVEL
    fine = f"The period furthest from the line, {which}, is within what scatter alone would bring."
    said = f"{which} is further from the line than scatter alone would bring: look at the answer without it."
    return ["most unusual period", float(t[most]), p, LEVEL, ok, fine if ok else said]


def shape(left: Left) -> list[object] | None:
    """Whether the residuals scatter as a normal distribution would."""
    from scipy.special import ndtr, ndtri

    n = len(left.residuals)
    if n < FEWEST_FOR_SHAPE:
        return None
    expected = ndtri((np.arange(1, n + 1) - 0.375) / (n + 0.25))
    w = min(float(np.corrcoef(np.sort(left.residuals), expected)[0, 1]) ** 2, 1 - 1e-12)
    u = np.log(n)
    v = np.log(u)
    centre, spread = -1.2725 + 1.0521 * (v - u), 1.0308 - 0.26758 * (v + 2 / u)
    p = float(ndtr(-(np.log(1 - w) - centre) / spread))
    fine = "The periods scatter about the line much as a normal distribution would."
    said = "The periods do not scatter about the line as the interval supposes: it is rougher than it looks."
    return ["shape", w, p, LEVEL, p >= LEVEL, fine if p >= LEVEL else said]


def season(left: Left, points: Points) -> list[object] | None:
    """Whether calendar months differ beyond the season fitted. Taken as if the likeness of neighbours were known."""
    from scipy.special import fdtrc

    if points.months is None:
        return None
    own = (points.months[:, None] == np.unique(points.months)).astype(np.float64)
    q, _ = np.linalg.qr(left.terms)
    turned = np.linalg.solve(left.root, own)
    turned -= q @ (q.T @ turned)
    basis, sizes, _ = np.linalg.svd(turned, full_matrices=False)
    basis = basis[:, sizes > 1e-8 * np.linalg.norm(left.root, -2) ** -1]
    more, spare = basis.shape[1], left.spare - basis.shape[1]
    if more == 0 or spare < FEWEST_SPARE:
        return None
    taken = float(np.square(basis.T @ left.residuals).sum())
    f = (taken / more) / ((float(left.residuals @ left.residuals) - taken) / spare)
    p = float(fdtrc(more, spare, f))
    fine = "Calendar months do not differ beyond the season fitted."
    said = "Calendar months differ beyond the season fitted: look at the answer with other seasons in the table."
    return ["season left over", f, p, LEVEL, p >= LEVEL, fine if p >= LEVEL else said]


def scatter_of_counts(points: Points, line: Line, model: Model) -> list[object] | None:
    """How many times as much the counts scatter as chance alone would make them."""
    from scipy.special import chdtrc

    if points.family == "normal":
        return None
    fitted = fitted_counts(points, line, model)
    spare = len(fitted) - len(line.beta)
    squares = float(((points.outcome - fitted) ** 2 / fitted).sum())
    times = squares / spare
    said = f"The counts scatter {times:.1f} times as much as chance alone would make them"
    if points.family != "poisson" or model.errors != "model":
        return ["scatter of counts", times, np.nan, np.nan, True, f"{said}, which the interval allows for."]
    p = float(chdtrc(spare, squares))
    more = f"{said}, which the interval does not allow for: use family='quasipoisson'."
    return ["scatter of counts", times, p, LEVEL, p >= LEVEL, f"{said}." if p >= LEVEL else more]
