"""The restricted wild cluster bootstrap: a p value and an interval for one term when clusters are few."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from evalkit.stats.clustered_rows import Rows, regression, require_full_rank
from evalkit.stats.student import NO_SPREAD, share

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Weights = Literal["rademacher", "webb"]

POINTS: dict[str, tuple[float, ...]] = {
    "rademacher": (1.0, -1.0),
    "webb": tuple(sign * math.sqrt(half / 2) for half in (1, 2, 3) for sign in (1, -1)),
}
"""What a cluster's residuals are multiplied by, each value as likely as the others."""

ENUMERATED = 65_536
"""All weight vectors are gone through where there are at most so many: 16 clusters with signs, 6 with Webb's points."""

DRAWN = 10_000
"""Otherwise so many are compared, the observed one (all weights 1) among them."""

TIED = 1e-9
"""t statistics this close, as a share of the largest, are ties: they differ by rounding only."""

STEPS = range(-4, 24)
"""Powers of two of the standard error at which the interval's ends are looked for, outermost first."""

HALVINGS = 40
"""Bisections of an end of the interval: to 2^-40 of the step it lies in."""


@dataclass(frozen=True, slots=True, eq=False)
class Wild:
    """One term under the wild bootstrap. NaN for t, p, low and high where every residual is zero.

    `smallest_p` is the least p that these weight vectors can give for this term; where it lies above 1 − confidence no
    value is implausible enough, and `low` and `high` are infinite. `draws` counts the weight vectors compared, the
    observed one among them; `exact` says that they are all there are, `seed` whence they come if not.
    """

    estimate: float
    low: float
    high: float
    n: int
    clusters: int
    se: float
    t: float
    p: float
    smallest_p: float
    draws: int
    exact: bool
    seed: int | None
    weights: Weights
    confidence: float
    _draws: _Draws = field(repr=False)

    def interval(self, confidence: float) -> tuple[float, float]:
        """The values that the same weight vectors do not call implausible at another confidence."""
        if not self.se > 0:
            return float("nan"), float("nan")
        low, high = (self._draws.end(side * self.se, 1 - share(confidence)) for side in (-1, 1))
        return self.estimate + low, self.estimate + high


@dataclass(frozen=True, slots=True, eq=False)
class _Draws:
    """The bootstrap for every null at once, an entry a weight vector, the observed (all weights 1) first.

    With the null at estimate + d, numerators are `level` − d `slope`, and V is `still` − 2 d `cross` + d² `moving`.
    """

    level: NDArray[np.float64]
    slope: NDArray[np.float64]
    still: NDArray[np.float64]
    cross: NDArray[np.float64]
    moving: NDArray[np.float64]

    def p(self, d: float) -> float:
        """The share of weight vectors with |t*| at least |t|, cross-multiplied so that no V* of zero divides."""
        size = np.abs(self.level - d * self.slope)
        root = np.sqrt(np.maximum(self.still - 2 * d * self.cross + d**2 * self.moving, 0))
        theirs, ours = size * root[0], size[0] * root
        return float((theirs >= ours - TIED * theirs.max()).mean())

    @property
    def always(self) -> float:
        """The share of weight vectors that tie with the observed one at every null, as equal weights do: the least p.

        Such are also those that differ only in clusters on which the term does not depend.
        """
        multiple = self.slope / self.slope[0]
        level = np.abs(self.level - multiple * self.level[0]) <= TIED * np.abs(self.level).max()
        still = np.abs(self.still - multiple**2 * self.still[0]) <= TIED * self.still.max()
        return float(((self.moving <= TIED * self.slope**2) & level & still).mean())

    def end(self, step: float, alpha: float) -> float:
        """How far from the estimate p stays above alpha, in the direction of `step`; infinite if it always does."""
        outer = None
        for power in reversed(STEPS):
            inner = step * 2.0**power
            if self.p(inner) > alpha:
                break
            outer = inner
        else:
            inner = 0.0
        if outer is None:
            return math.copysign(math.inf, step)
        for _ in range(HALVINGS):
            middle = (inner + outer) / 2
            inner, outer = (middle, outer) if self.p(middle) > alpha else (inner, middle)
        return (inner + outer) / 2


def wild(
    y: ArrayLike,
    X: ArrayLike,
    groups: ArrayLike,
    term: str | int,
    *,
    resamples: int | None = None,
    weights: Weights = "rademacher",
    seed: int | None = None,
    confidence: float = 0.95,
) -> Wild:
    """One coefficient of y on X under the restricted wild cluster bootstrap: p, and the interval by inverting it.

    With e the residuals of y on X without the term (its value under the null taken off), y* = fitted + w_g e_g, one
    weight w_g a cluster; t* = (b* − null)/se*, se the CR1 error: G/(G − 1) (N − 1)/(N − k) M [Σ_g X_g'e_g e_g'X_g] M,
    M = (X'X)^-1. p = share of weight vectors, the observed one among them, with |t*| ≥ |t|. The interval holds the
    nulls with p above 1 − confidence; where p is not monotone, out to the last such null on a grid of doubling steps.
    Sources: Cameron, Gelbach & Miller (2008), Review of Economics and Statistics 90(3), 414-427; Roodman, Nielsen,
    MacKinnon & Webb (2019), Stata Journal 19(1), 4-60, whose WCR this is.

    weights: "rademacher", signs; or "webb", the six points ±√½, ±1, ±√1½ (Webb 2023, Canadian J. Economics 56(3),
    839-858). Signs are the rule at every number of clusters, and nothing switches by itself: with G clusters 2^(G−1)
    vectors differ by more than their sign, and the least p is 1 over that (5 clusters .0625, 6 .031), or more where
    the term does not depend on all clusters: `smallest_p` says it. All vectors are gone through when there are at most
    65,536 (or `resamples`), and nothing is random then; else 10,000 (or `resamples`) are compared, the observed one and
    others drawn with `seed`. Work and memory grow with draws x clusters.

    What misleads: with few *treated* clusters, or few others, it fails whatever their total; with the null imposed it
    hardly ever finds anything (MacKinnon & Webb 2017, J. Applied Econometrics 32(2), 233-254; 2018, Econometrics J.
    21(2), 114-135). Fewer than five clusters: describe. The default for teams is `means`, for people in teams `cr2`;
    this is a second opinion. False positives at a nominal 5 %, 6 to 10 teams (simulated for this project: 3,000 sets a
    cell; teams of 8 or 4-14, .15 of the variance between them): halves treated 4.6-6.9 %, one sample 3.2-4.9 %; of ten,
    one treated 0-0.1 %, two 1.3-1.5 %, three 5.0-6.1 %. Webb's points with five or six teams: 5.8-8.8 % (600 sets a
    cell), a finer p than signs give and more often a wrong one, which is why signs stay the rule.

    y: one number a row; X: rows x terms with its own column of ones where an intercept is meant; term: a name of X (x0,
    x1, … without names) or a position. Errors: ValueError as in `cr2`, for an unknown term, or resamples below 1.

    >>> import pandas as pd
    >>> X = pd.DataFrame({"intercept": 1.0, "after": [0, 1] * 7})
    >>> found = wild([3, 4, 2, 4, 3, 3, 4, 5, 2, 3, 3, 5, 4, 5], X, list("aabbccddeeffgg"), "after")
    >>> print(f"{found.estimate:.2f} ({found.low:.2f} to {found.high:.2f}), p {found.p:.3f} of {found.smallest_p:.3f}")
    1.14 (0.50 to 2.00), p 0.031 of 0.016
    """
    if weights not in get_args(Weights):
        raise ValueError(f"weights={weights!r} is not known; choose one of {', '.join(get_args(Weights))}.")
    rows = regression(y, X, groups)
    place = _place(term, rows.terms)
    basis, triangle = np.linalg.qr(rows.design)
    require_full_rank(triangle, rows.terms)
    pull = basis @ np.linalg.solve(triangle.T, np.eye(len(triangle))[place])
    estimate = float(pull @ rows.outcome)
    residual = rows.outcome - basis @ (basis.T @ rows.outcome)
    residual[np.abs(residual) <= NO_SPREAD * np.abs(rows.outcome).max()] = 0
    used = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
    multiply, exact = _vectors(weights, rows.clusters, resamples, used)
    draws = _bootstrap(rows, basis, pull, residual, multiply)
    se = _error(draws, pull, residual, float(multiply[0, 0]))
    sure = se > 0
    found = Wild(
        estimate=estimate,
        low=float("nan"),
        high=float("nan"),
        n=len(residual),
        clusters=rows.clusters,
        se=se,
        t=estimate / se if sure else float("nan"),
        p=draws.p(-estimate) if sure else float("nan"),
        smallest_p=draws.always,
        draws=len(multiply),
        exact=exact,
        seed=None if exact else used,
        weights=weights,
        confidence=confidence,
        _draws=draws,
    )
    low, high = found.interval(confidence)
    return replace(found, low=low, high=high)


def _place(term: str | int, terms: tuple[str, ...]) -> int:
    if isinstance(term, str) and term in terms:
        return terms.index(term)
    if isinstance(term, int) and 0 <= term < len(terms):
        return term
    raise ValueError(f"There is no term {term!r}; X has {', '.join(terms)}.")


def _vectors(weights: Weights, clusters: int, resamples: int | None, seed: int) -> tuple[NDArray[np.float64], bool]:
    """Weight vectors, a row each, the first the observed one; and whether they are all there are.

    The observed one is that of equal weights: every t* is the same for a vector and its multiple.
    """
    if resamples is not None and resamples < 1:
        raise ValueError(f"resamples must be 1 or more, not {resamples}.")
    points = POINTS[weights]
    if len(points) ** clusters <= (ENUMERATED if resamples is None else resamples):
        return np.array(list(product(points, repeat=clusters))), True
    drawn = np.random.default_rng(seed).choice(points, size=(resamples or DRAWN, clusters))
    drawn[0] = 1.0
    return drawn, False


def _bootstrap(
    rows: Rows,
    basis: NDArray[np.float64],
    pull: NDArray[np.float64],
    residual: NDArray[np.float64],
    multiply: NDArray[np.float64],
) -> _Draws:
    """From clusters' sums alone: what a null at estimate + d leaves as residuals is `residual` − d `direction`."""
    n, terms = basis.shape
    direction = pull / (pull @ pull)
    factor = rows.clusters / (rows.clusters - 1) * (n - 1) / (n - terms)
    levels, scores = [], []
    own = _summed(basis * pull[:, None], rows)
    for left in (residual, direction):
        each = _summed((pull * left)[:, None], rows)[:, 0]
        fitted = own @ _summed(basis * left[:, None], rows).T
        levels.append(multiply @ each)
        scores.append(multiply @ (np.diag(each) - fitted).T)
    still, cross, moving = (factor * np.einsum("ij,ij->i", scores[a], scores[b]) for a, b in ((0, 0), (0, 1), (1, 1)))
    return _Draws(levels[0], levels[1], still, cross, moving)


def _summed(values: NDArray[np.float64], rows: Rows) -> NDArray[np.float64]:
    total = np.zeros((rows.clusters, values.shape[1]))
    np.add.at(total, rows.cluster, values)
    return total


def _error(draws: _Draws, pull: NDArray[np.float64], residual: NDArray[np.float64], weight: float) -> float:
    """The CR1 error; 0 where the clusters' own sums are rounding only, as where each cluster decides a term alone."""
    se = math.sqrt(draws.still[0]) / weight
    return 0.0 if se <= NO_SPREAD * float(np.abs(pull) @ np.abs(residual)) else se
