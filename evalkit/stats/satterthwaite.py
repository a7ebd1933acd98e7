"""Degrees of freedom of a mixed model's terms, from how well its variances are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evalkit.stats.reml import Fit


def degrees_of_freedom(fit: Fit, weights: NDArray[np.float64], left: int) -> NDArray[np.float64]:
    """2 v²/Var(v) for v = l' Cov(b) l of each row l of weights; left = rows minus terms.

    Var(v) = g' 2 H^-1 g with g the derivative of v by the variance parameters and H the second derivative of the
    criterion (-2 restricted log likelihood). Source: Satterthwaite (1946), Biometrics Bulletin 2(6), 110-114, as in
    Kuznetsova, Brockhoff & Christensen (2017), J. Statistical Software 82(13), section 2.2. With s² profiled out, H
    falls in two blocks at the maximum, the profiled one and `left` for log s², so that Var(v) = 2 g'H^-1 g + 2 v²/left,
    g the derivative of the profiled v. Variances set to zero are not among the parameters. Without any, `left`.
    """
    v = np.einsum("tp,pq,tq->t", weights, fit.best.covariance, weights)
    moved = np.einsum("tp,apq,tq->ta", weights, fit.slope, weights)
    values, vectors = np.linalg.eigh(fit.hessian)
    known = values > 1e-8 * values.max(initial=0.0)
    turned = moved @ vectors[:, known]
    return np.asarray(v**2 / ((turned**2 / values[known]).sum(axis=1) + v**2 / left))
