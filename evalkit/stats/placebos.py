"""What if other units had been the treated ones? Relabellings, their ranks, and the interval they leave standing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from evalkit.stats.student import share

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Pool = Literal["everyone", "untreated"]

TIED = 1e-9
"""A statistic within this share of the observed one is a tie: they differ by rounding only."""


@dataclass(frozen=True, slots=True, eq=False)
class Relabellings:
    """Units called treated and the donors of each labelling, both (L, N), the observed one first.

    `exact`: these are all there are; else `seed` drew them.
    """

    labels: Flags
    donors: Flags
    exact: bool
    seed: int | None

    def __len__(self) -> int:
        """How many, with the observed one."""
        return len(self.labels)


def relabellings(treated: Flags, *, pool: Pool, most: int, seed: int | None) -> Relabellings:
    """As many units called treated as are, in all ways when at most `most`; else in `most` ways, drawn with `seed`.

    With the pool "everyone", treated units are called untreated like any other and serve as donors then, so that under
    no effect all labellings are alike. With "untreated" they are set aside: k of the others are called treated.

    >>> every = relabellings(np.array([True, False, False, False]), pool="untreated", most=10, seed=None)
    >>> every.labels.astype(int).tolist(), every.donors.astype(int)[1].tolist()
    ([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], [0, 0, 1, 1])
    """
    if pool not in get_args(Pool):
        raise ValueError(f"placebo_donors {pool!r} is none of {', '.join(get_args(Pool))}.")
    if most < 2:
        raise ValueError(f"allocations must be 2 or more, not {most}: the observed one and another.")
    k = int(treated.sum())
    others = np.flatnonzero(~treated if pool == "untreated" else np.ones_like(treated))
    if len(others) <= k:
        raise ValueError(
            f"{len(others)} untreated units cannot give {k} called treated and a donor besides. Add donors, or let the "
            "treated units be donors of the placebos: placebo_donors='everyone'."
        )
    ways = math.comb(len(others), k) + (pool == "untreated")
    exact = ways <= most
    used = None if exact else int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
    drawn = _every(others, k, len(treated)) if exact else _drawn(others, k, len(treated), most - 1, used)
    if exact and pool == "everyone":
        drawn = drawn[(drawn != treated).any(axis=1)]
    labels = np.concatenate([treated[None], drawn])
    donors = ~labels
    if pool == "untreated":
        donors &= ~treated
    return Relabellings(labels, donors, exact, used)


def _every(units: NDArray[np.intp], k: int, n: int) -> Flags:
    which = np.array(list(combinations(units, k)))
    labels = np.zeros((len(which), n), dtype=bool)
    labels[np.arange(len(which))[:, None], which] = True
    return labels


def _drawn(units: NDArray[np.intp], k: int, n: int, many: int, seed: int | None) -> Flags:
    order = np.random.default_rng(seed).permuted(np.tile(units, (many, 1)), axis=1)[:, :k]
    labels = np.zeros((many, n), dtype=bool)
    labels[np.arange(many)[:, None], order] = True
    return labels


def at_least(statistic: Floats) -> int:
    """How many labellings, the observed first one among them, have a statistic at least as large; ties count.

    >>> at_least(np.array([2.0, 1.0, 2.0, 3.0]))
    3
    """
    least = statistic[0] - TIED * abs(statistic[0]) if math.isfinite(statistic[0]) else statistic[0]
    return int((statistic >= least).sum())


def standing(gaps: Floats, fit: Floats, carried: Floats) -> tuple[Floats, Floats]:
    """Pieces of the line of constant differences c on which a placebo's ratio is at least that of the treated.

    Had the treated units differed by c from the start on and through and through, taking c off them again would leave
    their gap at g_t − c, and that of placebo l at g_lt − c a_l, where a_l (`carried`) is what the treated count for in
    it: minus their weight as donors, plus their share among those called treated. Weights rest on periods before the
    start and stay. With f the fits before, placebo l lies at least as far out as the treated where

        Σ_t (g_t − c)² / f² ≤ Σ_t (g_lt − c a_l)² / f_l²

    which is quadratic in c: a piece, two pieces that run out of sight, everything, or nothing. `gaps` (L, T) from the
    start on, `fit` and `carried` (L,), the observed labelling first and its fit above 0. Gives the lower and upper ends
    of all pieces.

    >>> low, high = standing(np.array([[3.0, 3.0], [1.0, 1.0], [2.0, 2.0]]), np.array([1.0, 1, 1]), np.array([1, 0, 0]))
    >>> low.tolist(), high.tolist()
    ([2.0, 1.0], [4.0, 5.0])
    """
    exact = fit[1:] <= TIED * fit[0]  # no ratio can be larger than theirs
    share_of = carried[1:][~exact] / fit[1:][~exact]
    others = gaps[1:][~exact] / fit[1:][~exact, None]
    own, one = gaps[0] / fit[0], 1 / fit[0]
    squared = one**2 - share_of**2
    half = others.mean(axis=1) * share_of - own.mean() * one
    rest = (own**2).mean() - (others**2).mean(axis=1)
    everything = np.full(int(exact.sum()), np.inf)
    pieces = [_piece(*each) for each in zip(squared, half, rest, strict=True)]
    ends = np.array([piece for pair in pieces for piece in pair]).reshape(-1, 2)
    return np.concatenate([ends[:, 0], -everything]), np.concatenate([ends[:, 1], everything])


def _piece(squared: float, half: float, rest: float) -> list[tuple[float, float]]:
    """Where squared c² + 2 half c + rest ≤ 0."""
    if squared == 0:
        if half == 0:
            return [(-math.inf, math.inf)] if rest <= 0 else []
        root = -rest / (2 * half)
        return [(-math.inf, root)] if half > 0 else [(root, math.inf)]
    inside = half**2 - squared * rest
    if inside < 0:
        return [] if squared > 0 else [(-math.inf, math.inf)]
    # the root of larger size first, and the other from their product, so that no digits cancel
    larger = -half - math.copysign(math.sqrt(inside), half)
    low, high = sorted((larger / squared, rest / larger if larger else 0.0))
    return [(low, high)] if squared > 0 else [(-math.inf, low), (high, math.inf)]


def interval(low: Floats, high: Floats, labellings: int, confidence: float) -> tuple[float, float] | None:
    """From the least to the largest difference that relabelling does not reject; None where none is left, or all are.

    c stands while (1 + placebos with a piece about c) / labellings exceeds 1 − confidence. `low`, `high`: the ends of
    the pieces (`standing`).

    >>> interval(np.array([2.0, 1.0]), np.array([4.0, 5.0]), 3, 0.6)
    (1.0, 5.0)
    >>> interval(np.array([2.0, 1.0]), np.array([4.0, 5.0]), 3, 0.95) is None
    True
    """
    needed = math.floor((1 - share(confidence)) * labellings + TIED)
    if needed < 1:
        return None
    starts, stops = np.sort(low), np.sort(high)

    def about(c: Floats) -> NDArray[np.bool_]:
        pieces = np.searchsorted(starts, c, side="right") - np.searchsorted(stops, c, side="left")
        return np.asarray(pieces >= needed)

    lowest, highest = starts[about(starts)], stops[about(stops)]
    if not len(lowest):
        return None
    return float(lowest[0]), float(highest[-1])
