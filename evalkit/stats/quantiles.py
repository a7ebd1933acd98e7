"""Quantiles: values put in order and cut into so many groups of like size, tenths or fifths for example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

ALL = "all"
"""The group of every value, where none were named."""
MOST = 1_000
"""More quantiles than this are a slip."""


@dataclass(frozen=True, slots=True, eq=False)
class Quantiles:
    """The quantile of each value, 1 to `into`, in the order given; missing for a blank value and in a refused group.

    `sizes`: how many values each group has. `refused`: the groups with fewer values than quantiles. `n`: values placed.
    """

    quantile: pd.Series[int]
    n: int
    into: int
    invert: bool
    sizes: pd.Series[int]
    refused: tuple[object, ...]


def quantiles(values: ArrayLike, *, into: int = 10, groups: ArrayLike | None = None, invert: bool = True) -> Quantiles:
    """Values put into quantiles, floor((rank - 1) q / n) + 1 with q quantiles and n values in the group.

    Ties all take the lowest of their ranks, so equal values always share a quantile, and a quantile may stay empty.
    As in PHEindicatormethods 2.1 `phe_quantile`, its convention where n is no multiple of q included; other rules (as
    R's `cut` at sample quantiles, or `ntile`, which parts ties) put border values elsewhere.

    values: numbers, blank where there is none; Series keep their index. into: 2 or more. groups: one name a value;
    each group is cut by itself, and a group with fewer values than quantiles is refused (its values stay missing, as
    published), the others not. invert: the highest value is in quantile 1; False puts the lowest there.
    Errors: ValueError for infinite values, unequal lengths, a value without a group, or no group large enough.

    >>> quantiles([12, 30, 18, 25, 18, 40], into=3).quantile.tolist()
    [3, 1, 2, 2, 2, 1]
    >>> quantiles([12, 30, 18, 25], into=2, groups=["a", "a", "b", "b"], invert=False).quantile.tolist()
    [1, 2, 1, 2]
    """
    if not (isinstance(into, (int, np.integer)) and 2 <= into <= MOST):
        raise ValueError(f"into={into!r}: values are cut into a whole number of quantiles, from 2 to {MOST:,}.")
    column = pd.Series(values)
    held = pd.Series(_numbers(column), index=column.index)
    named = pd.Series(_names(groups, held), index=held.index, dtype=object)
    sizes = held.groupby(named.to_numpy(), sort=False).count().astype(int)
    refused = tuple(sizes.index[sizes < into])
    if len(refused) == len(sizes):
        most = int(sizes.max()) if len(sizes) else 0
        raise ValueError(f"{into} quantiles need {into} values in a group; the largest has {most}. Cut into fewer.")
    by_group = held.groupby(named.to_numpy(), sort=False)
    rank = by_group.rank(method="min", ascending=not invert).astype("Int64")
    size = named.map(sizes).astype("Int64").set_axis(held.index)
    placed = ((rank - 1) * int(into)).floordiv(size) + 1
    kept = placed.mask(named.isin(refused).to_numpy()).rename("quantile")
    return Quantiles(kept, int(kept.count()), int(into), invert, sizes.rename("n"), refused)


def _numbers(column: pd.Series[Any]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.asarray(column.to_numpy(dtype=float, na_value=np.nan), dtype=float)
    if np.isinf(found).any():
        raise ValueError(f"values hold {int(np.isinf(found).sum())} infinite ones, which have no place in an order.")
    return found


def _names(groups: ArrayLike | None, held: pd.Series[float]) -> NDArray[np.object_]:
    """The group of each value."""
    if groups is None:
        return np.full(len(held), ALL, dtype=object)
    named = np.asarray(groups, dtype=object).ravel()
    if len(named) != len(held):
        raise ValueError(f"{len(held)} values need as many groups; {len(named)} were given.")
    without = held.notna().to_numpy() & pd.isna(named)
    if without.any():
        raise ValueError(f"{int(without.sum())} values have no group, the first {held[without].iloc[0]:g}. Name it.")
    return named
