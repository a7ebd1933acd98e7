"""Drawing people with replacement, for any number made of sums over people, many columns at once.

A resample is a row of counts, how often each person was drawn; sums over the people drawn are counts times what is
summed. So one matrix product gives every sum of every column, and the people drawn are shared between columns: people
are resampled, not answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Statistic = Callable[[Floats, float], Floats]

CELLS = 4_000_000
"""How many numbers one block of resamples may hold (32 MB), so that memory does not grow with `resamples`."""


BLOCK = 2**16
"""How many draws are counted and summed at once: few enough to stay near the processor (half a megabyte)."""


def seed_used(seed: int | None) -> int:
    """The seed itself, or one drawn where none was given, so that every drawn number can be drawn again."""
    return seed if seed is not None else int(np.random.SeedSequence().generate_state(1)[0])


def counts(people: int, resamples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Blocks of resamples x people: how often each person was drawn. The draws do not depend on the size of blocks.

    >>> [block.sum(axis=1).tolist() for block in counts(4, 3, np.random.default_rng(1))]
    [[4.0, 4.0, 4.0]]
    """
    block = max(1, BLOCK // people)
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        picks = rng.integers(people, size=(rows, people))
        picks += people * np.arange(rows)[:, None]
        yield np.bincount(picks.ravel(), minlength=rows * people).reshape(rows, people).astype(float)


def summed(moments: Floats, block: Floats) -> Floats:
    """What is summed (sums, columns, people) over the people of each resample: (sums, columns, resamples)."""
    return np.asarray((moments.reshape(-1, moments.shape[-1]) @ block.T).reshape(*moments.shape[:-1], len(block)))


def left_out(moments: Floats, statistic: Statistic) -> Floats:
    """The statistic with each person left out in turn: (columns, people)."""
    return statistic(moments.sum(axis=-1, keepdims=True) - moments, moments.shape[-1] - 1)


def jackknife_se(without: Floats) -> Floats:
    """sqrt((n - 1)/n times the sum of squares about the mean) of the left-out values, by column (Efron 1982, ch. 3)."""
    n = without.shape[-1]
    return np.asarray(np.sqrt((n - 1) ** 2 / n * without.var(axis=-1, ddof=1)))


def bca(drawn: Floats, estimate: Floats, without: Floats, confidence: float) -> tuple[Floats, Floats]:
    """BCa limits by column: the quantiles of the resamples that bias and acceleration point to.

    z0 = Φ⁻¹(share of resamples below the estimate, ties half); a = Σ l³/(6 (Σ l²)^1.5), l = mean of the left-out values
    minus each; quantiles at Φ(z0 + (z0 ± z)/(1 - a (z0 ± z))). Source: Efron (1987), JASA 82, 171-185. `drawn`
    (columns, resamples) is sorted in place.
    """
    from scipy.special import ndtr, ndtri

    resamples = drawn.shape[-1]
    drawn.sort(axis=-1)
    below = [np.searchsorted(row, value, side="left") for row, value in zip(drawn, estimate, strict=True)]
    upto = [np.searchsorted(row, value, side="right") for row, value in zip(drawn, estimate, strict=True)]
    under = (np.array(below) + np.array(upto)) / (2 * resamples)
    bias = ndtri(np.clip(under, 0.5 / resamples, 1 - 0.5 / resamples))[:, None]
    lean = without.mean(axis=-1, keepdims=True) - without
    squares = (lean**2).sum(axis=-1, keepdims=True)
    skew = (lean**3).sum(axis=-1, keepdims=True)
    acceleration = np.where(squares > 0, skew / (6 * np.where(squares > 0, squares, 1.0) ** 1.5), 0.0)
    tails = bias + ndtri(np.array([(1 - confidence) / 2, (1 + confidence) / 2]))
    levels = ndtr(bias + tails / (1 - acceleration * tails))
    found = np.array([_quantiles(row, level) for row, level in zip(drawn, levels, strict=True)])
    return found[:, 0], found[:, 1]


def _quantiles(ordered: Floats, levels: Floats) -> Floats:
    """numpy's quantiles of one row that is sorted already."""
    place = levels * (len(ordered) - 1)
    lower = np.floor(place).astype(np.intp)
    upper = np.minimum(lower + 1, len(ordered) - 1)
    return np.asarray(ordered[lower] + (place - lower) * (ordered[upper] - ordered[lower]))
