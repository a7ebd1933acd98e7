"""The mix of units nearest to another unit: weights that are never negative and sum to one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

STEPS = 30
"""Exchanges of units allowed per unit; the solver needs fewer than one, and its own default is 3."""


def fit(donors: ArrayLike, target: ArrayLike) -> Floats:
    """Weights w of the J donors that bring the mix nearest to the target: min ‖D w − y‖² with w ≥ 0 and Σ w = 1.

    `donors` (R, J): a row a period or predictor, a column a donor; `target` (R,) in the same units. Gives (J,).

    Because the weights sum to one, D w − y = (D − y 1ᵀ) w. So with any δ > 0 the plain problem

        min ‖(D − y 1ᵀ) u‖² + δ² (Σ u − 1)²,    u ≥ 0

    has the solution u = t w*, where w* is the wanted one and t = δ² / (δ² + ‖D w* − y‖²): dividing by the sum is exact
    for every δ, where a heavy row of ones on D itself is exact only in the limit and loses digits on the way. δ² is
    the mean squared distance of a donor, which keeps t between 1/2 and 1. Solved by Lawson and Hanson's active sets.
    Among mixes that are equally near, which there are when there are more donors than rows, one is given.

    Source: Abadie & Gardeazabal (2003), Am. Econ. Rev. 93(1), 113-132, appendix B, for the problem; Lawson & Hanson
    (1974), Solving Least Squares Problems, chapter 23, for the solver.

    Raises ValueError on anything that is not a finite number, shapes that do not fit, no rows or no donors.

    >>> fit([[1.0, 5.0, 9.0], [2.0, 2.0, 8.0]], [2.0, 2.0]).round(12).tolist()
    [0.75, 0.25, 0.0]
    """
    mix, wanted = np.asarray(donors, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if mix.ndim != 2 or wanted.shape != mix.shape[:1] or not mix.size:
        raise ValueError(f"donors is a row a period and a column a donor, target as long: {mix.shape}, {wanted.shape}.")
    if not (np.isfinite(mix).all() and np.isfinite(wanted).all()):
        raise ValueError("Weights need finite numbers throughout. Leave out rows, or donors, with gaps.")
    return nearest(mix - wanted[:, None])


def relabelled(values: Floats, labels: Flags, donors: Flags) -> Floats:
    """For each labelling the mean of its units less the nearest mix of its donors, as factors of all units: (L, N).

    `values` (R, N), a column a unit; `labels` and `donors` (L, N), true where a unit is one. A row of the answer holds
    1/k for the k units labelled, −w for donors, 0 elsewhere, so that row @ outcomes is the gap in any period. All
    labellings share one orthogonal reduction of the periods, after which there are no more rows than units.

    >>> rows = relabelled(np.array([[2.0, 1.0, 5.0], [2.0, 2.0, 2.0]]), np.eye(3, dtype=bool)[:1],
    ...     ~np.eye(3, dtype=bool)[:1])
    >>> rows.round(12).tolist()
    [[1.0, -0.75, -0.25]]
    """
    short = reduced(values)
    factors = np.where(labels, 1 / labels.sum(axis=1, keepdims=True), 0.0)
    targets = short @ factors.T
    for row, (used, target) in enumerate(_pairs(donors, targets)):
        factors[row, used] = -nearest(short[:, used] - target[:, None])
    return factors


def reduced(values: Floats) -> Floats:
    """As many rows as needed that keep every distance between mixes of the columns.

    Level changes shared by all columns drop out of such distances, and are taken off first for the digits they cost.

    >>> short = reduced(np.arange(12.0).reshape(6, 2) ** 2)
    >>> short.shape, round(float(((short @ [1, -1]) ** 2).sum()), 6)
    ((2, 2), 1006.0)
    """
    level = values - values.mean(axis=1, keepdims=True)
    return np.asarray(np.linalg.qr(level, mode="r"))


def _pairs(donors: Flags, targets: Floats) -> Iterator[tuple[NDArray[np.intp], Floats]]:
    for used, target in zip(donors, targets.T, strict=True):
        yield np.flatnonzero(used), target


def nearest(away: Floats) -> Floats:
    """Weights (J,) of the point nearest to the origin in the hull whose corners are the columns of `away` (R, J).

    >>> nearest(np.array([[1.0, -3.0]])).round(12).tolist()
    [0.75, 0.25]
    """
    from scipy.optimize import nnls

    squares = float(np.einsum("ij,ij->", away, away)) / away.shape[1]
    rows = np.ones((away.shape[0] + 1, away.shape[1]))
    if squares > 0:
        np.divide(away, np.sqrt(squares), out=rows[:-1])
    else:
        rows[:-1] = 0.0  # every donor is the target
    wanted = np.zeros(len(rows))
    wanted[-1] = 1.0
    try:
        found, _ = nnls(rows, wanted, maxiter=STEPS * away.shape[1])
    except RuntimeError as endless:
        raise ValueError(
            "No mix of these donors settles: some are the same to the last digit. Leave out all but one of them."
        ) from endless
    return np.asarray(found / found.sum())
