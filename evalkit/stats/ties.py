"""Ties between people, checked; and what dealing the people's labels anew gives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence

    from numpy.typing import NDArray

CHANCE_RANGE = 0.95
"""Share of relabellings that the range expected by chance holds."""

SAME = 1e-10
"""Two indexes or correlations closer than this are one value: they come from counts, apart by rounding only."""


def listed(ids: Collection[object]) -> str:
    """The first ten by name, and how many more.

    >>> listed(range(12))
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more'
    """
    names = [str(each) for each in ids]
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def roster(people: Collection[Hashable]) -> pd.Index:
    """The ids of the people asked. ValueError where one is missing or given twice."""
    index = pd.Index(list(people), dtype=object)
    if index.hasnans:
        raise ValueError(f"{int(np.count_nonzero(index.isna()))} of the people given have no id.")
    if not index.is_unique:
        raise ValueError(f"These people are given more than once: {listed(index[index.duplicated()].unique())}.")
    return index


def grouped(groups: pd.Series) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.object_]]:
    """The group of each person as a number, how many each group has, and the groups in order of first mention."""
    if groups.index.hasnans:
        raise ValueError(f"{int(np.count_nonzero(groups.index.isna()))} of the people in groups have no id.")
    if not groups.index.is_unique:
        raise ValueError(f"These people have more than one group: {listed(groups.index[groups.index.duplicated()])}.")
    if groups.isna().any():
        raise ValueError(f"These people have no group: {listed(groups.index[groups.isna()])}.")
    codes, names = pd.factorize(np.asarray(groups, dtype=object))
    return codes, np.bincount(codes, minlength=len(names)), np.asarray(names, dtype=object)


def ends(ties: pd.DataFrame, people: pd.Index, *, allow_none: bool = False) -> NDArray[np.intp]:
    """Both ends of each tie as positions in `people`, after every check a tie can fail."""
    named = named_ends(ties)
    if not len(named) and not allow_none:
        raise ValueError("There are no ties, so nothing can be said about where they go.")
    found = people.get_indexer(pd.Index(named.ravel())).reshape(-1, 2)
    unknown = pd.unique(named.ravel()[found.ravel() < 0])
    if len(unknown):
        raise ValueError(f"These ids are in ties but not among the people given: {listed(unknown)}.")
    selves = named[found[:, 0] == found[:, 1], 0]
    if len(selves):
        raise ValueError(f"These people are tied to themselves: {listed(selves)}. Leave those rows out.")
    repeated = named[pd.Series(found[:, 0] * len(people) + found[:, 1]).duplicated().to_numpy()]
    if len(repeated):
        raise ValueError(f"These ties are given twice: {listed([f'{a}→{b}' for a, b in repeated])}. Keep one of each.")
    return np.asarray(found)


def named_ends(ties: pd.DataFrame) -> NDArray[np.object_]:
    """Both ids of each tie, none of them missing."""
    absent = [name for name in ("from_id", "to_id") if name not in ties.columns]
    if absent:
        raise ValueError(f"ties needs the columns from_id and to_id; {' and '.join(absent)} is missing.")
    named = ties[["from_id", "to_id"]].to_numpy(dtype=object)
    blank = np.flatnonzero(pd.isna(named).any(axis=1))
    if len(blank):
        raise ValueError(f"An end is missing in {len(blank)} ties (rows {listed(blank)}, counted from 0).")
    return named


def either_way(pairs: NDArray[np.intp]) -> NDArray[np.intp]:
    """Each pair of people once, whoever of them named the other."""
    return np.unique(np.sort(pairs, axis=1), axis=0)


def seeded(permutations: int, seed: int | None) -> int | None:
    """The seed to deal with: the one given, or one drawn, so that it can be told; None where nothing is dealt."""
    if permutations < 0:
        raise ValueError(f"permutations = {permutations} must be 0 (none) or more.")
    if not permutations:
        return None
    return int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed


def chance_range(dealt: NDArray[np.float64]) -> tuple[float, float]:
    """The range that holds 95 % of what was dealt; NaN where nothing was."""
    if not len(dealt):
        return math.nan, math.nan
    tails: Sequence[float] = [(1 - CHANCE_RANGE) / 2, (1 + CHANCE_RANGE) / 2]
    low, high = np.quantile(dealt, tails, method="inverted_cdf")
    return float(low), float(high)


def p_of(dealt: NDArray[np.float64], observed: float) -> tuple[float, float]:
    """p of a value as high as observed, and the smallest that p could have been; NaN where nothing was dealt.

    p = (1 + deals at least as high) / (1 + deals): what was observed is one of the deals that chance could have made
    (Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39). The smallest is that of the highest of them all.

    >>> p_of(np.array([1.0, 2.0, 3.0, 3.0]), 2.0)
    (0.8, 0.4)
    """
    if not len(dealt):
        return math.nan, math.nan
    highest = max(observed, float(dealt.max()))
    p = (1 + int((dealt >= observed - SAME).sum())) / (1 + len(dealt))
    smallest = (int(observed >= highest - SAME) + int((dealt >= highest - SAME).sum())) / (1 + len(dealt))
    return p, smallest
