"""Every way to give the same labels to other units, or so many drawn: what a relabelling test goes through."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST = 50_000
"""So many ways are gone through; where there are more, so many are drawn."""
TIED = 1e-9
"""Relabelled statistics within this share of the observed one are ties: they differ by rounding only."""


def count(sizes: ArrayLike) -> int:
    """How many ways there are to give labels to so many units each: n! / (n_1! n_2! …).

    >>> count([1, 26]), count([2, 2, 3])
    (27, 210)
    """
    left, ways = 0, 1
    for size in np.asarray(sizes, dtype=np.int64).tolist():
        left += size
        ways *= math.comb(left, size)
    return ways


def ways(labels: ArrayLike, most: int = MOST, seed: int | None = None) -> tuple[Codes, bool]:
    """Labellings with as many of each label, (L, N), the observed one first; and whether these are all there are.

    labels: (N,) whole numbers from 0. All when at most `most`; else `most`, drawn independently after the observed one.

    >>> every, exact = ways([1, 0, 0])
    >>> every.tolist(), exact
    ([[1, 0, 0], [0, 0, 1], [0, 1, 0]], True)
    """
    if most < 1:
        raise ValueError(f"allocations must be 1 or more, not {most}.")
    observed = np.asarray(labels, dtype=np.int64)
    if count(np.bincount(observed)) > most:
        drawn = np.tile(observed, (most, 1))
        np.random.default_rng(seed).permuted(drawn[1:], axis=1, out=drawn[1:])
        return drawn, False
    every = _every(observed)
    first = (every == observed).all(axis=1)
    return np.concatenate([every[first], every[~first]]), True


def as_far(statistics: ArrayLike) -> float:
    """The share of statistics at least as far from zero as the first; a statistic that does not exist counts as far.

    Source: Fisher (1935), The Design of Experiments; with drawn ways the observed one is among them, as Phipson & Smyth
    (2010), Stat. Appl. Genet. Mol. Biol. 9(1), article 39, ask.

    >>> as_far([2.0, 1.0, -3.0, 0.5])
    0.5
    """
    size = np.abs(np.asarray(statistics, dtype=np.float64))
    return float(np.mean(~(size < size[0] * (1 - TIED))))


def smallest_p(sizes: ArrayLike, most: int = MOST) -> float:
    """The least p that relabelling can give. Of two labels for as many units each, swapping all is always a tie.

    >>> round(smallest_p([1, 26]), 3), round(smallest_p([4, 4]), 3), round(smallest_p([2, 2, 3]), 4)
    (0.037, 0.029, 0.0048)
    """
    each = np.asarray(sizes, dtype=np.int64)
    ties = 2 if len(each) == 2 and each[0] == each[1] else 1
    return max(ties / count(each), 1 / min(count(each), most))


def _every(observed: Codes) -> Codes:
    """All labellings: each label in turn takes places among those that the labels before it left."""
    sizes = np.bincount(observed).tolist()
    last = len(sizes) - 1
    found = np.full((1, len(observed)), last, dtype=np.int64)
    for label, size in enumerate(sizes[:-1]):
        free = np.nonzero(found == last)[1].reshape(len(found), -1)
        taken = np.array(list(combinations(range(free.shape[1]), size)), dtype=np.int64).reshape(-1, size)
        places = free[:, taken].reshape(-1, size)
        found = np.repeat(found, len(taken), axis=0)
        np.put_along_axis(found, places, label, axis=1)
    return found
