"""One factor behind several items, by maximum likelihood: what omega rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Marks = NDArray[np.bool_]
    Whole = NDArray[np.intp]

TOLERANCE = 1e-18
"""A fit has settled when the discrepancy would fall by less than half of this in one more Newton step."""

AT_ZERO = 1e-7
"""A share of its own below this, still falling, is on its way to nothing: the fit at the boundary takes over."""

LEAST_EIGENVALUE = 1e-8
"""Below this one item is a copy of others, and the correlations cannot be inverted."""

FLAT = 1e-12
"""A variance below this share of the largest is rounding."""

BESIDE = 0.05
"""The own share at which a descent beside the boundary begins."""

MOST_STEPS = 200
"""Newton steps before giving up. Ordinary data take 5-15."""


@dataclass(frozen=True, slots=True, eq=False)
class OneFactor:
    """A stack of fits (any number x items), in standard deviations of the items.

    loadings: their sum is never below 0. own: the share of each item's variance that is its own. discrepancy: log|Σ| +
    tr(RΣ⁻¹) - log|R| - k, 0 = the correlations are those of one factor. at_boundary: the item whose own share is 0 (a
    Heywood case), -1 for none. settled: False where no minimum was reached.
    """

    loadings: Floats
    own: Floats
    discrepancy: Floats
    at_boundary: Whole
    settled: Marks

    @property
    def implied(self) -> Floats:
        """Correlations that the factor leaves between the items."""
        return _implied(self.loadings, self.own)


def fit(correlations: Floats, start: OneFactor | None = None) -> OneFactor:
    """Loadings λ and own shares θ >= 0 of the one-factor model R = λλ' + Θ that make the correlations likeliest.

    Minimises F = log|Σ| + tr(RΣ⁻¹) - log|R| - k, Σ = λλ' + Θ, by Newton steps with the exact second derivatives.
    Source: Jöreskog (1967), Psychometrika 32(4), 443-482. The model has no scale of its own: loadings and own parts of
    covariances are those of correlations in other units.
    **Boundary**: where θ_i = 0 item i is the factor itself, so that λ_j = r_ij and F = Σ log(1 - r_ij²) - log|R| over
    j other than i; the least of these takes over wherever it lies below the minimum inside.

    **Other minima**: small groups often have several. The descent begins at the communal part of each item and beside
    each boundary: in 3,200 sets of 10 to 50 people, 4 to 12 items, 25 further random starts never found a lower F.

    correlations: stacks of k x k, positive definite, k >= 3. start: one fit close by; the descent then begins there, at
    the communal part and beside the lowest boundary only. Errors: none here; look at `settled`.

    >>> found = fit(np.array([[[1, 0.56, 0.48], [0.56, 1, 0.42], [0.48, 0.42, 1]]]))
    >>> print(found.loadings.round(6), found.own.round(6), found.at_boundary)
    [[0.8 0.7 0.6]] [[0.36 0.51 0.64]] [-1]
    """
    log_det, lowest = np.linalg.slogdet(correlations)[1], _edges(correlations)
    edge = _edge(correlations, log_det, lowest[0])
    inside = _likeliest(correlations, log_det, _starts(correlations, lowest, start))
    best = _chosen(inside, edge, inside.settled & (~edge.settled | (inside.discrepancy < edge.discrepancy)))
    turned = np.where(best.loadings.sum(axis=1) < 0, -1.0, 1.0)[:, None]
    discrepancy = np.maximum(best.discrepancy, 0)
    return OneFactor(best.loadings * turned, best.own, discrepancy, best.at_boundary, best.settled)


def carried(model: OneFactor, sd: Floats) -> Floats:
    """The share of the variance of the items' sum that the factor carries: (Σλ)²/((Σλ)² + Σθ), items in their units."""
    common = (model.loadings * sd).sum(axis=-1) ** 2
    return np.asarray(common / (common + (model.own * sd**2).sum(axis=-1)))


def carried_by(covariances: Floats, start: OneFactor | None = None) -> Floats:
    """The share carried in each of a stack of covariances.

    An item that does not vary adds nothing and is left out. NaN where fewer than three vary, one is a copy of others,
    or the fit does not settle.
    """
    variances = np.diagonal(covariances, axis1=1, axis2=2)
    varies = variances > FLAT * variances.max(axis=1, keepdims=True)
    sd = np.sqrt(np.where(varies, variances, 1.0))
    both = varies[:, :, None] & varies[:, None, :]
    correlations = np.where(both, covariances / _outer(sd, sd), np.eye(sd.shape[1]))
    fits = (varies.sum(axis=1) >= 3) & invertible(correlations)
    shares = np.full(len(covariances), np.nan)
    model = fit(correlations[fits], start)
    shares[fits] = np.where(model.settled, carried(model, np.where(varies, sd, 0.0)[fits]), np.nan)
    return shares


def invertible(correlations: Floats) -> Marks:
    """Whether no item is a copy of others."""
    return np.asarray(np.linalg.eigvalsh(correlations)[:, 0] > LEAST_EIGENVALUE)


def curvature(correlations: Floats, loadings: Floats, own: Floats) -> tuple[Floats, Floats]:
    """First and second derivatives of F by loadings, then own shares."""
    a, m, al, ml, g = _pieces(correlations, loadings, own)
    ca, cm = (loadings * al).sum(axis=1)[:, None, None], (loadings * ml).sum(axis=1)[:, None, None]
    cross = _outer(ml, al)
    both = 2 * (cross + cross.transpose(0, 2, 1) + ca * m + cm * a) - 2 * (_outer(al, al) + ca * a) + 2 * g
    mixed = 2 * (m - a) * al[:, None, :] + 2 * a * ml[:, None, :]
    return _slope(g, loadings), _block(both, mixed, 2 * a * m - a**2)


def _information(correlations: Floats, loadings: Floats, own: Floats) -> Floats:
    """The second derivatives to expect: they always lead downhill, the exact ones only close to a minimum."""
    a, _, al, _, _ = _pieces(correlations, loadings, own)
    c = (loadings * al).sum(axis=1)[:, None, None]
    return _block(2 * (_outer(al, al) + c * a), 2 * a * al[:, None, :], a**2)


def _pieces(correlations: Floats, loadings: Floats, own: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    inverse: Any = np.linalg.inv(_implied(loadings, own))
    middle: Any = inverse @ correlations @ inverse
    by = loadings[:, :, None]
    return inverse, middle, (inverse @ by)[:, :, 0], (middle @ by)[:, :, 0], inverse - middle


def _slope(g: Floats, loadings: Floats) -> Floats:
    return np.concatenate([2 * (g @ loadings[:, :, None])[:, :, 0], np.diagonal(g, axis1=1, axis2=2)], axis=1)


def _outer(left: Floats, right: Floats) -> Floats:
    return np.asarray(left[:, :, None] * right[:, None, :])


def _block(both: Floats, mixed: Floats, own: Floats) -> Floats:
    top, bottom = np.concatenate([both, mixed], axis=2), np.concatenate([mixed.transpose(0, 2, 1), own], axis=2)
    return np.concatenate([top, bottom], axis=1)


def _implied(loadings: Floats, own: Floats) -> Floats:
    return _outer(loadings, loadings) + own[:, :, None] * np.eye(own.shape[1])


def _discrepancy(correlations: Floats, log_det: Floats, loadings: Floats, own: Floats) -> Floats:
    """F, by the inverse and determinant that a factor plus a diagonal has in closed form (Sherman & Morrison)."""
    weighed = loadings / own
    c = 1 + (loadings * weighed).sum(axis=1)
    trace = (np.diagonal(correlations, axis1=1, axis2=2) / own).sum(axis=1)
    trace = trace - (weighed * (correlations @ weighed[:, :, None])[:, :, 0]).sum(axis=1) / c
    return np.asarray(np.log(own).sum(axis=1) + np.log(c) + trace - log_det - own.shape[1])


def _starts(correlations: Floats, lowest: Whole, start: OneFactor | None) -> tuple[Floats, Floats]:
    """Loadings and own shares to begin from, starts x stack x items.

    The first principal factor of what each item shares with the others; then beside the boundary of each item, or,
    where a start is given, beside the lowest boundary and there.
    """
    shape, stack = correlations.shape[:2], np.arange(len(correlations))
    alone = 1 / np.diagonal(np.linalg.inv(correlations), axis1=1, axis2=2)
    values, vectors = np.linalg.eigh(correlations - alone[:, :, None] * np.eye(shape[1]))
    loadings = [vectors[:, :, -1] * np.sqrt(np.clip(values[:, -1:], 0.1, None))]
    loadings += [correlations[stack, item] for item in (lowest if start is None else lowest[:1])]
    own = [np.clip(1 - each**2, BESIDE, 1) for each in loadings]
    if start is not None:
        loadings.append(np.broadcast_to(start.loadings, shape))
        own.append(np.broadcast_to(np.maximum(start.own, BESIDE), shape))
    return np.stack(loadings), np.stack(own)


def _likeliest(correlations: Floats, log_det: Floats, starts: tuple[Floats, Floats]) -> OneFactor:
    """The lowest minimum inside that any of the starts leads down to."""
    loadings, own = starts
    many, stack, k = own.shape
    flat = np.tile(correlations, (many, 1, 1)), np.tile(log_det, many), loadings.reshape(-1, k), own.reshape(-1, k)
    found = _descended(*flat)
    height = np.where(found.settled, found.discrepancy, np.inf).reshape(many, stack)
    row = height.argmin(axis=0) * stack + np.arange(stack)
    shape = found.loadings[row], found.own[row]
    return OneFactor(*shape, found.discrepancy[row], found.at_boundary[row], found.settled[row])


def _edges(correlations: Floats) -> Whole:
    """Items by how likely the fit is in which the item is the factor, the likeliest first: k x stack."""
    apart = 1 - correlations**2 + np.eye(correlations.shape[1])
    return np.argsort(np.log(apart).sum(axis=2), axis=1).T


def _edge(correlations: Floats, log_det: Floats, item: Whole) -> OneFactor:
    """The fit in which one item is the factor. It has settled where F rises inward: else it is no minimum."""
    stack = np.arange(len(correlations))
    loadings = correlations[stack, item]
    own = 1 - loadings**2
    own[stack, item] = 1.0  # its own logarithm is no part of the sum, and rounding of 1 - 1 would be all of it
    discrepancy = np.log(own).sum(axis=1) - log_det
    own[stack, item] = 0.0
    g = _pieces(correlations, loadings, own)[-1]
    return OneFactor(loadings, own, discrepancy, item, g[stack, item, item] >= 0)


def _chosen(first: OneFactor, second: OneFactor, which: Marks) -> OneFactor:
    """The first where marked, else the second."""
    wide = which[:, None]
    return OneFactor(
        np.where(wide, first.loadings, second.loadings),
        np.where(wide, first.own, second.own),
        np.where(which, first.discrepancy, second.discrepancy),
        np.where(which, first.at_boundary, second.at_boundary),
        np.where(which, first.settled, second.settled),
    )


def _descended(correlations: Floats, log_det: Floats, loadings: Floats, own: Floats) -> OneFactor:
    """Newton steps downhill, own shares kept above 0; settled fits leave the stack."""
    loadings, own = loadings.copy(), own.copy()
    height, settled = _discrepancy(correlations, log_det, loadings, own), np.zeros(len(own), dtype=bool)
    going = np.arange(len(own))
    for _ in range(MOST_STEPS):
        slope, bend = curvature(correlations[going], loadings[going], own[going])
        step = _downhill(correlations[going], loadings[going], own[going], slope, bend)
        fall = (slope * step).sum(axis=1)
        settled[going[fall > -TOLERANCE]] = True
        left = (fall <= -TOLERANCE) & (own[going].min(axis=1) > AT_ZERO)
        going, step, fall = going[left], step[left], fall[left]
        if not len(going):
            break
        here = correlations[going], log_det[going], loadings[going], own[going], height[going]
        loadings[going], own[going], height[going] = _stepped(*here, step, fall)
    return OneFactor(loadings, own, height, np.full(len(own), -1), settled)


def _downhill(correlations: Floats, loadings: Floats, own: Floats, slope: Floats, bend: Floats) -> Floats:
    """The Newton step, or where that would climb, the step by expected derivatives."""
    lift = 1e-10 * np.eye(slope.shape[1])
    step: Floats = np.negative(np.linalg.solve(bend + lift, slope[:, :, None])[:, :, 0], dtype=np.float64)
    climbs = ~((slope * step).sum(axis=1) < 0)
    if climbs.any():
        expected = _information(correlations[climbs], loadings[climbs], own[climbs])
        step[climbs] = -np.linalg.solve(expected + lift, slope[climbs][:, :, None])[:, :, 0]
    return step


def _stepped(
    correlations: Floats, log_det: Floats, loadings: Floats, own: Floats, height: Floats, step: Floats, fall: Floats
) -> tuple[Floats, Floats, Floats]:
    """As much of the step as keeps own shares above a tenth of what they were, halved until F falls."""
    k = own.shape[1]
    room = np.where(step[:, k:] < 0, -0.9 * own / np.where(step[:, k:] < 0, step[:, k:], -1.0), 1.0)
    size = np.minimum(1.0, room.min(axis=1))
    for _ in range(40):
        to = loadings + size[:, None] * step[:, :k], own + size[:, None] * step[:, k:]
        found = _discrepancy(correlations, log_det, *to)
        too_high = ~(found <= height + 1e-4 * size * fall + 1e-13)
        if not too_high.any():
            break
        size = np.where(too_high, size / 2, size)
    return *to, found
