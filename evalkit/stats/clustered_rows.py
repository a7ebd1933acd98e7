"""Rows in clusters, checked: numbers, terms, and which cluster each row belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of a regression: outcome, rows x terms, names of terms, and of each row the number of its cluster."""

    outcome: NDArray[np.float64]
    design: NDArray[np.float64]
    terms: tuple[str, ...]
    cluster: NDArray[np.intp]
    clusters: int


def regression(y: ArrayLike, X: ArrayLike, groups: ArrayLike) -> Rows:
    """What a regression may stand on; ValueError for anything missing, fewer than two clusters, or too many terms."""
    outcome, design = np.asarray(y, dtype=float), np.asarray(X, dtype=float)
    if design.ndim != 2 or outcome.shape != (len(design),):
        raise ValueError(f"X must be rows x terms and y one number a row; they are {design.shape} and {outcome.shape}.")
    columns: Any = X.columns if isinstance(X, pd.DataFrame) else [f"x{i}" for i in range(design.shape[1])]
    unusable = int((~np.isfinite(outcome)).sum() + (~np.isfinite(design)).any(axis=1).sum())
    cluster, names = clusters(groups, len(outcome), unusable)
    if len(names) < 2:
        raise ValueError(f"Clusters are what varies here: at least two are needed, there is {len(names)}.")
    if design.shape[1] >= len(outcome):
        raise ValueError(f"{design.shape[1]} terms need more than {len(outcome)} rows.")
    return Rows(outcome, design, tuple(str(name) for name in columns), cluster, len(names))


def clusters(groups: ArrayLike, rows: int, unusable: int) -> tuple[NDArray[np.intp], list[Hashable]]:
    """The number of each row's cluster and their names in order of first sight; ValueError for anything missing.

    `unusable` is how many numbers of these rows are missing or infinite, so that one message says all.
    """
    labels = np.asarray(groups, dtype=object)
    if labels.ndim != 1 or len(labels) != rows:
        raise ValueError(f"groups names the cluster of {len(labels)} rows, but there are {rows}.")
    codes, names = pd.factorize(labels)
    lost = int((codes < 0).sum())
    if unusable or lost:
        raise ValueError(f"{unusable} numbers and {lost} groups are missing; leave those rows out and say how many.")
    return codes, list(names)


def require_full_rank(triangle: NDArray[np.float64], terms: tuple[str, ...]) -> None:
    """ValueError naming the terms that are sums of those before them; `triangle` is R of X = QR."""
    diagonal = np.abs(np.diag(triangle))
    size = np.sqrt((triangle**2).sum(axis=0))
    redundant = [term for term, left, whole in zip(terms, diagonal, size, strict=True) if left <= 1e-10 * whole]
    if redundant:
        raise ValueError(f"{', '.join(redundant)} is a sum of the other terms, or nothing but zeros; leave it out.")
