"""Restricted maximum likelihood of a linear mixed model, from sums over patterns of answering and not from rows.

The model: y = X b + Z_i u_i + v_j + e for unit i (a person) in group j (a team), u_i ~ N(0, s² Psi) with Z_i the
columns (1) or (1, time), v_j ~ N(0, s² tau), e ~ N(0, s²). Units with the same times share Z_i'Z_i, so one pass over
the rows gives the sums of each pattern of times; a value of the criterion and its gradient then cost (patterns x
groups) small matrices, however many rows there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Codes = NDArray[np.intp]

NEAR = 0.05
"""A standard deviation below this share of the residual's is tried at zero; what is believed is the criterion."""

AS_GOOD = 1e-6
"""A boundary is believed when the criterion there is within this of the best found inside."""

SETTLED = 1e-9
"""A Newton step that promises to lower the criterion by less than this is the last: the next would gain its square."""

MOST_STEPS = 60
"""Newton steps before giving up. Ordinary data take one to three after the quasi-Newton search."""

NUDGE = 1e-4
"""How far a standard deviation is moved, as a share of itself plus a tenth, to see how the gradient changes."""

ROUGHLY = 1e-5
"""The quasi-Newton search stops when a step promises to lower the criterion by less than this; Newton steps follow."""

STARTS = (1.0, 0.1, 4.0)
"""Standard deviations, in residual ones, from which the search starts; the later ones before a boundary is believed."""

TRIANGLES = {(columns, rank): np.tril_indices(columns, m=rank) for columns in (1, 2) for rank in range(columns + 1)}


@dataclass(frozen=True, slots=True, eq=False)
class Grouped:
    """Sums for units in groups: of each (group, pattern) pair found, sorted by group, its units and their sums."""

    pattern: Codes
    group: Codes
    starts: Codes
    units: Numbers
    sums: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """All that the criterion needs of the rows W = [X, y] (n x q), q - 1 terms; Z has k columns.

    total: W'W · gram: Z'Z of each pattern (k x k) · units: how many units have it · squares: sum over these of
    vec(Z'W) vec(Z'W)', as (patterns k k) x (q q).
    """

    n: int
    total: Numbers
    gram: Numbers
    units: Numbers
    squares: Numbers
    grouped: Grouped | None


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """The criterion (-2 restricted log likelihood, s² profiled out), its gradient, and what it was computed from."""

    criterion: float
    by_psi: Numbers
    by_tau: float
    beta: Numbers
    scale: float
    inverse: Numbers

    @property
    def covariance(self) -> Numbers:
        """Of the coefficients: s² (X' V^-1 X)^-1."""
        return self.scale * self.inverse


@dataclass(frozen=True, slots=True)
class Shape:
    """Which variances are free: `rank` directions in which units differ (0 to k), and whether groups differ."""

    columns: int
    rank: int
    groups: bool

    @property
    def places(self) -> tuple[Codes, Codes]:
        """Where the free numbers stand in the columns x rank lower triangle L, Psi = LL'."""
        return TRIANGLES[self.columns, self.rank]

    def start(self, sd: float) -> Numbers:
        """Every direction of units with this standard deviation, and groups too."""
        rows, columns = self.places
        return np.concatenate([np.where(rows == columns, sd, 0.0), [sd] * self.groups])

    def root(self, at: Numbers) -> Numbers:
        """The lower triangle L."""
        root = np.zeros((self.columns, self.rank))
        root[self.places] = at[: len(self.places[0])]
        return root

    def tau(self, at: Numbers) -> float:
        """Variance between groups, in residual variances."""
        return float(at[-1] ** 2) if self.groups else 0.0

    def value(self, sums: Sums, at: Numbers) -> tuple[Value, Numbers]:
        """The criterion here and its gradient by the free numbers."""
        root = self.root(at)
        found = value(sums, root @ root.T, self.tau(at))
        return found, np.concatenate(
            [2 * (found.by_psi @ root)[self.places], [2 * float(at[-1]) * found.by_tau] if self.groups else []]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """The maximum. `hessian` is of the profiled criterion by the free numbers `at` of `shape`.

    `slope` holds the derivative of `covariance` by these numbers, one matrix each.
    """

    shape: Shape
    at: Numbers
    best: Value
    hessian: Numbers
    slope: Numbers

    @property
    def root(self) -> Numbers:
        """L of Psi = LL'."""
        return self.shape.root(self.at)

    @property
    def tau(self) -> float:
        """Variance between groups, in residual variances."""
        return self.shape.tau(self.at)


def sums(rows: Numbers, z: Numbers, starts: Codes, pattern: Codes, group: Codes | None) -> tuple[Sums, Numbers]:
    """The sums of rows W sorted by unit, and Z'W of each unit (units x k x q).

    starts: first row of each unit. pattern: a number a unit, the same only where the rows of Z are the same.
    group: the group of each unit, numbered from 0.
    """
    own = np.stack([np.add.reduceat(rows * column[:, None], starts) for column in z.T], axis=1)
    order = np.argsort(pattern, kind="stable")
    first = np.flatnonzero(np.diff(pattern[order], prepend=-1))
    one = order[first]
    sorted_own = own[order].reshape(len(own), -1)
    k, q = own.shape[1:]
    squares = _squares(sorted_own, first).reshape(-1, k, q, k, q).transpose(0, 1, 3, 2, 4)
    found = Sums(
        n=len(rows),
        total=rows.T @ rows,
        gram=_grams(z, starts)[one],
        units=np.bincount(pattern).astype(float),
        squares=np.ascontiguousarray(squares).reshape(-1, q * q),
        grouped=None if group is None else _grouped(own, pattern, group),
    )
    return found, own


def _grams(z: Numbers, starts: Codes) -> Numbers:
    products = np.stack([one * other for one in z.T for other in z.T], axis=1)
    return np.add.reduceat(products, starts).reshape(-1, z.shape[1], z.shape[1])


def _squares(rows: Numbers, first: Codes) -> Numbers:
    """Sum of outer products of the rows of each pattern: matrix products where units are many to a pattern."""
    if len(first) * 8 > len(rows):
        return np.add.reduceat(rows[:, :, None] * rows[:, None, :], first)
    return np.stack([block.T @ block for block in np.split(rows, first[1:])])


def _grouped(own: Numbers, pattern: Codes, group: Codes) -> Grouped:
    pairs = group * (int(pattern.max()) + 1) + pattern
    order = np.argsort(pairs, kind="stable")
    first = np.flatnonzero(np.diff(pairs[order], prepend=-1))
    one = order[first]
    return Grouped(
        pattern=pattern[one],
        group=group[one],
        starts=np.flatnonzero(np.diff(group[one], prepend=-1)),
        units=np.diff(first, append=len(order)).astype(float),
        sums=np.add.reduceat(own[order], first),
    )


def value(sums: Sums, psi: Numbers, tau: float) -> Value:
    """-2 restricted log likelihood at these variances in units of s², which is profiled out; Bates et al. (2015).

    log|V| + log|X'V^-1X| + (n - p)(1 + log(2 pi r/(n - p))), r the weighted residual sum of squares at the estimate
    (J. Statistical Software 67(1), equation 41). With M = (I + Psi Z'Z)^-1, unit i adds log|I + Psi Z'Z| to the first
    and takes (Z'W)' M Psi (Z'W) from W'V^-1W; group j then adds log(1 + tau d_j) and takes tau w_j w_j'/(1 + tau d_j),
    w_j = W'V^-1 1 and d_j = 1'V^-1 1 over its units.
    """
    shrunk: Numbers = np.asarray(np.linalg.inv(np.eye(len(psi)) + psi @ sums.gram), dtype=float)
    inner = (shrunk @ psi).reshape(-1) @ sums.squares
    weighted = sums.total - inner.reshape(sums.total.shape)
    volume = -float(sums.units @ np.linalg.slogdet(shrunk)[1])
    if sums.grouped is not None:
        level = _level(sums, sums.grouped, shrunk, tau)
        weighted -= (level.w * level.taken[:, None]).T @ level.w
        volume += float(np.log1p(tau * level.d).sum())
    terms, left = len(weighted) - 1, sums.n - len(weighted) + 1
    inverse: Numbers = np.asarray(np.linalg.inv(weighted[:terms, :terms]), dtype=float)
    beta = inverse @ weighted[:terms, terms]
    scale = float(weighted[terms, terms] - beta @ weighted[:terms, terms]) / left
    if not scale > 0:  # variances so far beyond the residual's that rounding is all that is left: a step too long
        return Value(float("inf"), np.zeros_like(psi), 0.0, beta, 1.0, inverse)
    volume += float(np.linalg.slogdet(weighted[:terms, :terms])[1])
    error = np.append(-beta, 1.0)
    pull: Numbers = np.outer(error, error) / scale
    pull[:terms, :terms] += inverse
    by_psi, by_tau = _units_gradient(sums, shrunk, pull), 0.0
    if sums.grouped is not None:
        more, by_tau = _groups_gradient(sums, sums.grouped, level, shrunk, pull, tau)
        by_psi = by_psi + more
    return Value(volume + left * (1 + float(np.log(2 * np.pi * scale))), by_psi, by_tau, beta, scale, inverse)


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """Of each group: w = W'V^-1 1, d = 1'V^-1 1, and taken = tau/(1 + tau d)."""

    w: Numbers
    d: Numbers
    taken: Numbers


def _level(sums: Sums, grouped: Grouped, shrunk: Numbers, tau: float) -> _Level:
    each = np.einsum("pk,pkq->pq", shrunk[grouped.pattern, :, 0], grouped.sums)
    ones = (sums.gram @ shrunk)[:, 0, 0]
    d = np.add.reduceat(grouped.units * ones[grouped.pattern], grouped.starts)
    return _Level(np.add.reduceat(each, grouped.starts), d, tau / (1 + tau * d))


def _units_gradient(sums: Sums, shrunk: Numbers, pull: Numbers) -> Numbers:
    """By Psi, from the units' part: `pull` is the derivative of the criterion by W'V^-1W."""
    held = (sums.squares @ pull.reshape(-1)).reshape(sums.gram.shape)
    volume = np.tensordot(sums.units, sums.gram @ shrunk, axes=1)
    return np.asarray(volume - (shrunk.transpose(0, 2, 1) @ held @ shrunk).sum(axis=0))


def _groups_gradient(
    sums: Sums, grouped: Grouped, level: _Level, shrunk: Numbers, pull: Numbers, tau: float
) -> tuple[Numbers, float]:
    pulled = level.w @ pull
    size = np.einsum("jq,jq->j", pulled, level.w)
    by_tau = float((level.d / (1 + tau * level.d) - size / (1 + tau * level.d) ** 2).sum())
    back = np.einsum("pkq,pq->pk", grouped.sums, (-2 * level.taken[:, None] * pulled)[grouped.group])
    patterns = len(sums.gram)
    by_w = np.stack([np.bincount(grouped.pattern, weights=one, minlength=patterns) for one in back.T], axis=1)
    by_d = (level.taken + level.taken**2 * size)[grouped.group] * grouped.units
    by_ones = np.bincount(grouped.pattern, weights=by_d, minlength=patterns)
    first = (sums.gram @ shrunk)[:, :, 0]
    moved = np.einsum("gki,gk->gi", shrunk, by_w) + by_ones[:, None] * first
    by_psi = -moved.T @ first
    return (by_psi + by_psi.T) / 2, by_tau


def maximise(sums: Sums) -> Fit:
    """The maximum over all variances, zero among them.

    Quasi-Newton from one start, then Newton steps. Where a standard deviation comes out near zero it is set to zero,
    the rest fitted again, and that boundary believed only when no criterion inside is better, from two further starts.
    """
    columns = sums.gram.shape[1]
    whole = Shape(columns, columns, sums.grouped is not None)
    found = _climb(sums, whole, whole.start(STARTS[0]))
    fit = _lowest(sums, found, whole)
    if fit.shape == whole:
        return fit
    others = [_climb(sums, whole, whole.start(sd)) for sd in STARTS[1:]]
    inside = min(others, key=lambda at: whole.value(sums, at)[0].criterion)
    other = _lowest(sums, inside, whole)
    return other if other.best.criterion < fit.best.criterion - AS_GOOD else fit


def _climb(sums: Sums, shape: Shape, at: Numbers) -> Numbers:
    """Quasi-Newton (BFGS) steps, halved until they lower the criterion, until little more is promised."""
    best, gradient = shape.value(sums, at)
    inverse = np.eye(len(at)) / max(float(np.linalg.norm(gradient)), 1.0)
    for turn in range(MOST_STEPS):
        step = -inverse @ gradient
        promised = -float(gradient @ step)
        if promised < ROUGHLY:
            break
        for _ in range(30):
            next_best, next_gradient = shape.value(sums, at + step)
            if next_best.criterion <= best.criterion - 1e-4 * promised:
                break
            step, promised = step / 2, promised / 2
        moved = next_gradient - gradient
        at, best, gradient = at + step, next_best, next_gradient
        curved = float(moved @ step)
        if curved <= 0:
            continue
        if not turn:
            inverse = np.eye(len(at)) * curved / float(moved @ moved)
        turned = np.eye(len(at)) - np.outer(step, moved) / curved
        inverse = turned @ inverse @ turned.T + np.outer(step, step) / curved
    return at


def _lowest(sums: Sums, at: Numbers, shape: Shape) -> Fit:
    """Newton steps from here, then fewer variances for as long as that is as good."""
    fit = _newton(sums, shape, at)
    for fewer, start in _fewer(fit):
        less = _newton(sums, fewer, _climb(sums, fewer, start))
        if less.best.criterion <= fit.best.criterion + AS_GOOD:
            return _lowest(sums, less.at, fewer)
    return fit


def _fewer(fit: Fit) -> list[tuple[Shape, Numbers]]:
    """The shapes with one variance fewer that are worth a try, each with where to start."""
    shape, tried = fit.shape, []
    if shape.groups and abs(fit.at[-1]) < NEAR:
        tried.append((Shape(shape.columns, shape.rank, False), fit.at[:-1]))
    if not shape.rank:
        return tried
    left, size, _ = np.linalg.svd(fit.root, full_matrices=False)
    if size[-1] < NEAR * max(1.0, size[0]):
        fewer = Shape(shape.columns, shape.rank - 1, shape.groups)
        kept = (left * size)[:, : shape.rank - 1]
        tried.append((fewer, np.concatenate([kept[fewer.places], fit.at[-1:] if shape.groups else []])))
    return tried


def _newton(sums: Sums, shape: Shape, at: Numbers) -> Fit:
    """Newton steps by the differenced analytic gradient, halved until they do not raise the criterion."""
    best, gradient = shape.value(sums, at)
    for _ in range(MOST_STEPS):
        hessian, slope = _curvature(sums, shape, at)
        values, vectors = np.linalg.eigh(hessian)
        bent = np.maximum(np.abs(values), 1e-8 * np.abs(values).max(initial=1.0))
        step = -(vectors / bent) @ (vectors.T @ gradient)
        if -float(gradient @ step) < SETTLED:
            return Fit(shape, at + step, shape.value(sums, at + step)[0], hessian, slope)
        for _ in range(30):
            next_best, next_gradient = shape.value(sums, at + step)
            if next_best.criterion <= best.criterion:
                break
            step = step / 2
        else:
            return Fit(shape, at, best, hessian, slope)
        at, best, gradient = at + step, next_best, next_gradient
    raise ValueError(f"The variances did not settle in {MOST_STEPS} steps; too few answers to tell them apart.")


def _curvature(sums: Sums, shape: Shape, at: Numbers) -> tuple[Numbers, Numbers]:
    """Second derivatives of the criterion, and the derivative of the coefficients' covariance, by central steps."""
    terms = len(sums.total) - 1
    hessian, slope = np.zeros((len(at), len(at))), np.zeros((len(at), terms, terms))
    for place, by in enumerate(NUDGE * (0.1 + np.abs(at))):
        step = by * np.eye(len(at))[place]
        above, up = shape.value(sums, at + step)
        below, down = shape.value(sums, at - step)
        hessian[place] = (up - down) / (2 * by)
        slope[place] = (above.covariance - below.covariance) / (2 * by)
    return (hessian + hessian.T) / 2, slope
