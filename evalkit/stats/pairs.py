"""Answers in pairs: which are complete, and whether anybody differs from anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit.stats.student import NO_SPREAD

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def numbers(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """One number a person, NaN where blank. ValueError for infinite values."""
    column: NDArray[np.float64] = np.asarray(pd.Series(values).to_numpy(dtype=float, na_value=np.nan), dtype=float)
    if np.isinf(column).any():
        raise ValueError(f"{name} holds {int(np.isinf(column).sum())} infinite values; an answer is a number or blank.")
    return column


def pairs(before: ArrayLike, after: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64], int, int]:
    """The complete pairs, and how many answered before and after. ValueError below two pairs."""
    if isinstance(before, pd.Series) and isinstance(after, pd.Series) and not before.index.equals(after.index):
        raise ValueError("before and after carry different indexes; put them in one order first (before.align(after)).")
    first, second = numbers(before, "before"), numbers(after, "after")
    if len(first) != len(second):
        raise ValueError(
            f"before has {len(first)} people and after has {len(second)}; pairs need one order and length."
        )
    both = ~np.isnan(first) & ~np.isnan(second)
    if both.sum() < 2:
        raise ValueError(
            f"Two complete pairs are needed for an interval; of {len(first)} people {both.sum()} answered twice."
        )
    return first[both], second[both], int((~np.isnan(first)).sum()), int((~np.isnan(second)).sum())


def flat(values: NDArray[np.float64], scale: float | None = None) -> bool:
    """Whether nobody differs from anybody beyond rounding."""
    return bool(np.ptp(values) <= NO_SPREAD * (float(np.abs(values).max()) if scale is None else scale))


def require_spread(
    difference: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64], found: str
) -> None:
    """ValueError where the differences are all one value."""
    if flat(difference, max(float(np.abs(first).max()), float(np.abs(second).max()))):
        problem = found.format(value=float(difference.mean()))
        raise ValueError(f"{problem}: without spread between people there is no interval. Describe it instead.")
