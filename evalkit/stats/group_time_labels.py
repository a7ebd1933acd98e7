"""Averages over cohorts when start dates are dealt out to units anew: the relabelling test of `group_time`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evalkit.stats import relabelling
from evalkit.stats.group_time_cells import Cohorts, Ints
from evalkit.stats.periods import Floats
from evalkit.stats.relabelling import Codes
from evalkit.stats.resampling import CELLS, seed_used
from evalkit.stats.student import NO_SPREAD

MANY_UNITS = 200
"""Above so many units a tenth as many labellings are drawn, because each takes longer and says less that is new."""


@dataclass(frozen=True, slots=True)
class Relabelled:
    """p of the observed statistic among those of `allocations` ways to deal the start dates out."""

    p: float
    smallest_p: float
    allocations: int
    exact: bool
    seed: int | None
    mc_error: float
    studentised: bool


def asked(units: int, allocations: int | None) -> int:
    """So many ways, where none are asked for.

    >>> asked(19, None), asked(1_000, None), asked(19, 500)
    (9999, 999, 500)
    """
    return allocations if allocations is not None else 9_999 if units <= MANY_UNITS else 999


def average(found: Cohorts, score: Floats, allocations: int | None, seed: int | None) -> Relabelled:
    """One average, `score` (H + 1, T) as `group_time_summaries.scores` gives it.

    The statistic is the average over its standard error, each cohort's scatter estimated anew (divisor n_h − 1); where
    some cohort has one unit it is the average itself. Cohorts that enter it alike are one: dealing out their dates
    among themselves changes nothing.
    """
    code, sizes, each = _merged(found, score)
    used = seed_used(seed)
    labels, exact = relabelling.ways(code, asked(len(code), allocations), used)
    studentised = bool((sizes > 1).all())
    values = _centred(found)
    z = values @ each.T
    statistic = np.concatenate([_statistic(block, z, sizes, studentised) for block in _blocks(labels, len(sizes))])
    return _result(statistic, sizes, labels, exact, used, studentised)


def largest(found: Cohorts, scores: Floats, allocations: int | None, seed: int | None) -> Relabelled:
    """Several averages at once, `scores` (E, H + 1, T): the one farthest from zero, each in its own root mean square
    over all labellings."""
    used = seed_used(seed)
    labels, exact = relabelling.ways(found.code, asked(len(found.code), allocations), used)
    each = scores / np.maximum(found.sizes, 1)[None, :, None]
    z = np.einsum("nt,eht->hne", _centred(found), each, optimize=True)
    blocks = _blocks(labels, len(found.sizes) + len(scores))
    averages = np.concatenate([sum((block == h) @ z[h] for h in range(len(z))) for block in blocks])
    scale = np.sqrt((averages**2).mean(axis=0))
    statistic = np.abs(averages[:, scale > 0] / scale[scale > 0]).max(axis=1, initial=0.0)
    return _result(statistic, found.sizes[found.sizes > 0], labels, exact, used, False)


def _merged(found: Cohorts, score: Floats) -> tuple[Codes, Ints, Floats]:
    """Cohorts with the same score a unit become one label: codes (N,), their sizes, and the scores a unit."""
    present = np.flatnonzero(found.sizes > 0)
    each = score[present] / found.sizes[present, None]
    size = max(float(np.abs(each).max()), 1e-300)
    _, first, merged = np.unique(np.round(each / size, 12), axis=0, return_index=True, return_inverse=True)
    to = np.zeros(len(found.sizes), dtype=np.int64)
    to[present] = np.asarray(merged).reshape(-1)
    code = to[found.code]
    return code, np.bincount(code), each[first]


def _centred(found: Cohorts) -> Floats:
    """Paths less the mean of each unit and period, which no comparison of changes contains; rounding is nought."""
    values = found.panel.values
    least = NO_SPREAD * float(np.abs(values).max())
    values = values - values.mean(axis=1, keepdims=True)
    values -= values.mean(axis=0)
    return np.where(np.abs(values) <= least, 0.0, values)


def _blocks(labels: Codes, width: int) -> Iterator[Codes]:
    """Labellings a few at a time, so that memory does not grow with their number."""
    step = max(CELLS // (labels.shape[1] + width), 1)
    for start in range(0, len(labels), step):
        yield labels[start : start + step]


def _statistic(labels: Codes, z: Floats, sizes: Ints, studentised: bool) -> Floats:
    total, variance = np.zeros(len(labels)), np.zeros(len(labels))
    for label, size in enumerate(sizes.tolist()):
        mine = (labels == label).astype(np.float64)
        sums = mine @ np.column_stack([z[:, label], z[:, label] ** 2])
        total += sums[:, 0]
        if studentised:
            variance += np.maximum(sums[:, 1] - sums[:, 0] ** 2 / size, 0.0) * size / (size - 1)
    if not studentised:
        return total
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(total / np.sqrt(variance))


def _result(statistic: Floats, sizes: Ints, labels: Codes, exact: bool, seed: int, studentised: bool) -> Relabelled:
    p = relabelling.as_far(statistic)
    return Relabelled(
        p=p,
        smallest_p=relabelling.smallest_p(sizes, len(labels)),
        allocations=len(labels),
        exact=exact,
        seed=None if exact else seed,
        mc_error=0.0 if exact else math.sqrt(p * (1 - p) / len(labels)),
        studentised=studentised,
    )
