"""The shortest fixed-length interval when the slope of a difference in trend may change by at most M a period."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from evalkit.stats.periods import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """θ estimated by (start − pullᵀ u)' b, where u says how far slopes before the start, other than the last, count.

    Its worst bias is M (always + Σ|u|), its variance (start − pullᵀ u)' V (start − pullᵀ u).
    """

    start: Floats
    pull: Floats
    covariance: Floats
    always: float

    def direction(self, u: Floats) -> Floats:
        """What the estimate is made of."""
        return np.asarray(self.start - u @ self.pull)

    def spread(self, u: Floats) -> float:
        """Its standard error."""
        d = self.direction(u)
        return math.sqrt(max(float(d @ self.covariance @ d), 0.0))


def problem(covariance: Floats, leads: int, weights: Floats) -> Problem:
    """The weights that take the last slope before the start onwards, and the ways to lean on earlier slopes besides.

    With slopes f_s = b_s − b_{s−1} before the start (b = 0 in the last period before), L_i = Σ_{k ≥ i} w_k and
    W = Σ L_i: Σ w b − W f_last is unbiased for a straight line, and so is every Σ w b − Σ v_s f_s with Σ v = W; u are
    the partial sums of v. A change of slope by c_j before the start adds c_j u_j to the bias, after it
    c_j Σ_{i ≥ j} L_i.
    """
    n = len(covariance)
    steps = -np.eye(leads, n)
    steps[np.arange(leads - 1), np.arange(1, leads)] = 1.0
    after = np.cumsum(weights[::-1])[::-1]
    beyond = np.cumsum(after[::-1])[::-1]
    start = np.r_[np.zeros(leads), weights] - beyond[0] * steps[-1]
    return Problem(start, steps[:-1] - steps[1:], covariance, float(np.abs(beyond).sum()))


def interval(b: Floats, made: Problem, m: float, df: float | None, confidence: float) -> tuple[float, float]:
    """estimate ± the least half-length over u of se(u) × cv(M bias(u) / se(u)), cv the quantile of |t + that|.

    Half-length grows with both bias and variance, so the best u lies on the line of least variances for each sum |u|
    (the lasso's path, which is piecewise straight); along it the half-length falls and then rises.
    Source: Rambachan & Roth (2023), section 4.1; path: Efron, Hastie, Johnstone & Tibshirani (2004), Ann. Stat. 32,
    407–499, section 3.1.

    >>> made = problem(np.diag([0.04, 0.09]), 1, np.array([1.0]))
    >>> low, high = interval(np.array([0.1, 2.0]), made, 0.0, None, 0.95)
    >>> print(f"{low:.3f} to {high:.3f}")
    1.393 to 2.807
    """

    def half(u: Floats) -> float:
        se = made.spread(u)
        bias = m * (made.always + float(np.abs(u).sum()))
        return bias if se == 0 else se * critical(bias / se, df, confidence)

    knots = path(made)
    lengths = [half(u) for u in knots]
    best = int(np.argmin(lengths))
    near = knots[max(best - 1, 0) : best + 2]
    found = [(lengths[best], knots[best])]
    found += [_least(half, one, other) for one, other in pairwise(near)]
    length, u = min(found, key=lambda pair: pair[0])
    middle = float(made.direction(u) @ b)
    return middle - length, middle + length


def critical(t: float, df: float | None, confidence: float) -> float:
    """The quantile of |X + t|, X standard normal, or Student's t where there are few units.

    The bias is a bound and not estimated, so it shifts the t curve and does not make it noncentral.

    >>> round(critical(0.0, None, 0.95), 4), round(critical(1.0, None, 0.95), 4), round(critical(1.0, 6, 0.95), 4)
    (1.96, 2.6461, 2.9967)
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr, ndtri, stdtr, stdtrit

    def below(x: float) -> float:
        return float(ndtr(x) if df is None else stdtr(df, x))

    tail = (1 + confidence) / 2
    top = float(ndtri(tail) if df is None else stdtrit(df, tail))
    if t == 0:
        return top
    return float(brentq(lambda x: below(x - t) - below(-x - t) - confidence, t, t + top, xtol=1e-12))


def path(made: Problem) -> list[Floats]:
    """The corners of the lasso's path from u = 0 to least variance: between them u moves straight."""
    gram = made.pull @ made.covariance @ made.pull.T
    left = made.pull @ made.covariance @ made.start
    u = np.zeros(len(left))
    corners = [u.copy()]
    if not len(left):
        return corners
    penalty = float(np.abs(left).max())
    active = [int(np.abs(left).argmax())]
    for _ in range(20 * len(left)):
        if penalty <= 0:
            break
        signs = np.sign(left[active])
        move = np.zeros(len(u))
        move[active] = np.linalg.solve(gram[np.ix_(active, active)], signs)
        fall = gram @ move
        step, joins, leaves = _next(u, left, fall, move, penalty, active)
        u, left, penalty = u + step * move, left - step * fall, penalty - step
        corners.append(u.copy())
        if leaves is not None:
            u[leaves] = 0.0
            active.remove(leaves)
        elif joins is not None:
            active.append(joins)
        else:
            break
    return corners


def _next(
    u: Floats, left: Floats, fall: Floats, move: Floats, penalty: float, active: list[int]
) -> tuple[float, int | None, int | None]:
    """How far to go until another joins (its pull equals the penalty), one leaves (it is nought), or the end."""
    step, joins, leaves = penalty, None, None
    for j in range(len(u)):
        if j in active:
            gone = -u[j] / move[j] if move[j] else math.inf
            if 1e-12 * penalty < gone < step:
                step, joins, leaves = gone, None, j
            continue
        for sign in (1.0, -1.0):
            closing = 1 - sign * fall[j]
            reach = (penalty - sign * left[j]) / closing if closing > 1e-12 else math.inf
            if 1e-12 * penalty < reach < step:
                step, joins, leaves = reach, j, None
    return step, joins, leaves


def _least(half: Callable[[Floats], float], one: Floats, other: Floats) -> tuple[float, Floats]:
    """The least half-length between two corners, and where."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda share: half(one + share * (other - one)), bounds=(0.0, 1.0), method="bounded", options={"xatol": 1e-9}
    )
    return float(found.fun), one + float(found.x) * (other - one)
