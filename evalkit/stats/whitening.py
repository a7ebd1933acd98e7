"""Rows of a mixed model times the inverse root of their covariance, independent when the model holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from evalkit.stats.reml import Fit

    Numbers = NDArray[np.float64]
    Codes = NDArray[np.intp]


def by_units(rows: Numbers, z: Numbers, starts: Codes, own: Numbers, gram: Numbers, fit: Fit) -> Numbers:
    """The rows W times V_u^-1/2, units alone (V_u in units of s²), with V_u^-1/2 1 as a further last column.

    own: Z'W of each unit; gram: Z'Z of each. With Z'ZL of a unit diagonal after a turn, d its diagonal:
    V_u^-1/2 = I + ZL [((1 + d)^-1/2 - 1)/d] L'Z'.
    """
    columns = np.column_stack([rows, np.ones(len(rows))])
    if not fit.shape.rank:
        return columns
    d, turn = np.linalg.eigh(fit.root.T @ gram @ fit.root)
    turned = fit.root @ turn
    weight = (turned * _drop(d)[:, None, :]) @ turned.transpose(0, 2, 1)
    taken = weight @ np.concatenate([own, gram[:, :, :1]], axis=2)
    of_row = np.repeat(taken, np.diff(starts, append=len(rows)), axis=0)
    for place in range(z.shape[1]):
        columns += z[:, [place]] * of_row[:, place]
    return columns


def by_groups(columns: Numbers, group: Codes, tau: float) -> Numbers:
    """Columns as `by_units` gives them times the root of what groups add, without the last; group: of each row."""
    one, groups = columns[:, -1:], int(group.max()) + 1
    w = np.stack([np.bincount(group, weights=each, minlength=groups) for each in (columns * one).T], axis=1)
    drop = tau * _drop(tau * w[:, -1])
    return np.asarray(columns[:, :-1] + one * (drop[:, None] * w[:, :-1])[group])


def _drop(d: ArrayLike) -> Numbers:
    """((1 + d)^-1/2 - 1)/d, written so that it holds at d = 0 too."""
    root = np.sqrt(1 + np.maximum(d, 0))
    return np.asarray(-1 / (root * (1 + root)))
