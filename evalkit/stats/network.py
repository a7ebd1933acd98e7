"""Who is tied to whom: ties across groups against what group sizes alone would give, density, ties returned.

Who stands between whom is in `brokerage`; one network beside another (two relations, two waves) in
`comparing_networks`. Both are reached from here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit.stats import ties as checked
from evalkit.stats.brokerage import Brokerage, brokerage
from evalkit.stats.comparing_networks import (
    NetworkCorrelation,
    TiesKept,
    Turnover,
    jaccard,
    qap,
    turnover,
)
from evalkit.stats.ties import CHANCE_RANGE, SAME

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable

    from numpy.typing import NDArray

__all__ = [
    "CHANCE_RANGE",
    "Brokerage",
    "ExternalInternal",
    "NetworkCorrelation",
    "TiesKept",
    "Turnover",
    "brokerage",
    "density",
    "ei",
    "jaccard",
    "qap",
    "reciprocity",
    "turnover",
]

BLOCK = 256
"""Relabellings counted at a time, so that the labels of one block stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class ExternalInternal:
    """The E-I index with what chance would give.

    There is no confidence interval: the ties are everybody's, not a sample's. `chance_low` to `chance_high` is the
    range expected by chance (95 % of relabellings), about `expected`, **not** about `estimate`. `smallest_p` is the p
    of the furthest of these relabellings: above .05, no network of these sizes and this many ties could be told from
    chance. `bound_low` and `bound_high` are where the index could lie had the non-responders answered; None when
    `responded` was not given.
    """

    estimate: float
    expected: float
    chance_low: float
    chance_high: float
    p: float
    smallest_p: float
    n: int
    groups: int
    ties: int
    external: int
    internal: int
    isolates: int
    density: float
    response_rate: float | None
    unseen_each: int | None
    bound_low: float | None
    bound_high: float | None
    directed: bool
    permutations: int
    seed: int | None


def ei(
    ties: pd.DataFrame,
    groups: pd.Series,
    *,
    directed: bool = True,
    responded: Collection[Hashable] | None = None,
    permutations: int = 10_000,
    seed: int | None = None,
) -> ExternalInternal:
    """The E-I index: (ties across groups - ties within) / all ties, from -1 (all within) to +1 (all across).

    Source: Krackhardt & Stern (1988), Informal networks and organizational crises, Social Psychology Quarterly 51(2),
    123-140. The number alone misleads, for large groups force it down and many small groups up: `expected` is its exact
    mean when the same people are dealt the same group labels anew, (pairs across - pairs within) / pairs. p is
    two-sided over `permutations` such deals: (1 + deals with |index - expected| at least as large) / (1 + deals)
    (Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39). NaN for p and the range when permutations = 0.

    ties: frame with from_id and to_id, a row a tie. groups: person -> group for **everybody** asked, tied or not.
    directed=False counts a pair once if either named the other. n counts people, isolates those without any tie.

    responded: who answered. The ties that a non-responder would have named are unseen. **Assumption**: each would have
    named at most as many people as responders did on average, rounded up (`unseen_each`). bound_low has all of these
    within the group (as far as it has people), bound_high all across. Somebody who would have named more people than
    that lies outside the bounds: they are not the widest conceivable.

    Errors: ValueError naming them for self-ties, duplicate ties, ids without a group, ties named by a non-responder;
    and where nothing can be said: no ties, one group only, or nobody who shares a group.

    >>> ties = pd.DataFrame({"from_id": list("abcd"), "to_id": list("bcda")})
    >>> result = ei(ties, pd.Series({"a": 1, "b": 1, "c": 2, "d": 2}), seed=1)
    >>> print(f"{result.estimate:.2f}, expected {result.expected:.2f}, p {result.p:.2f}")
    0.00, expected 0.33, p 1.00
    """
    codes, sizes = _groups(groups)
    ends = checked.ends(ties, groups.index)
    pairs = ends if directed else checked.either_way(ends)
    n = len(codes)
    external = int((codes[pairs[:, 0]] != codes[pairs[:, 1]]).sum())
    within = float((sizes * (sizes - 1)).sum()) / (n * (n - 1))
    used_seed = checked.seeded(permutations, seed)
    estimate, expected = 2 * external / len(pairs) - 1, 1 - 2 * within
    dealt = 2 * _relabelled(pairs, codes, permutations, used_seed) / len(pairs) - 1
    chance_low, chance_high = checked.chance_range(dealt)
    p, smallest_p = checked.p_of(np.abs(dealt - expected), abs(estimate - expected))
    bounds = (
        (None, None, None) if responded is None else _bounds(ends, pairs, codes, _answered(responded, ends, groups))
    )
    return ExternalInternal(
        estimate=estimate,
        expected=expected,
        chance_low=chance_low,
        chance_high=chance_high,
        p=p,
        smallest_p=smallest_p,
        n=n,
        groups=len(sizes),
        ties=len(pairs),
        external=external,
        internal=len(pairs) - external,
        isolates=n - len(np.unique(pairs)),
        density=_share(len(pairs), n, directed),
        response_rate=None if responded is None else len(set(responded)) / n,
        unseen_each=bounds[0],
        bound_low=bounds[1],
        bound_high=bounds[2],
        directed=directed,
        permutations=permutations,
        seed=used_seed,
    )


def density(ties: pd.DataFrame, people: Collection[Hashable], *, directed: bool = True) -> float:
    """Ties as a share of all that could be: ties / [n (n - 1)], or pairs tied either way / [n (n - 1)/2].

    Source: Wasserman & Faust (1994), Social Network Analysis, p. 129. people: the id of everybody asked, tied or not.
    Errors: as `ei` for ties; ValueError for fewer than two people.

    >>> density(pd.DataFrame({"from_id": ["a", "b"], "to_id": ["b", "a"]}), ["a", "b", "c"])
    0.3333333333333333
    """
    index = checked.roster(people)
    if len(index) < 2:
        raise ValueError("A density needs at least two people: one has nobody to be tied to.")
    ends = checked.ends(ties, index, allow_none=True)
    pairs = ends if directed else checked.either_way(ends)
    return _share(len(pairs), len(index), directed)


def reciprocity(ties: pd.DataFrame) -> float:
    """Share of ties that are returned: ties i→j with j→i / ties (edgewise reciprocity).

    Source: Wasserman & Faust (1994), Social Network Analysis, ch. 13; `grecip(measure="edgewise")` in R's sna.
    Errors: as `ei` for ties; ValueError without any tie.

    >>> reciprocity(pd.DataFrame({"from_id": ["a", "b", "a"], "to_id": ["b", "a", "c"]}))
    0.6666666666666666
    """
    ends = checked.ends(ties, checked.roster(dict.fromkeys(checked.named_ends(ties).ravel())))
    named = set(map(tuple, ends.tolist()))
    return sum((to, come) in named for come, to in named) / len(named)


def _share(pairs: int, n: int, directed: bool) -> float:
    return pairs / (n * (n - 1)) * (1 if directed else 2)


def _groups(groups: pd.Series) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The group of each person as a number, and how many each group has; two groups, one of them shared, at least."""
    codes, sizes, _ = checked.grouped(groups)
    if len(sizes) < 2:
        raise ValueError(f"There are {len(sizes)} groups: no tie can cross, so the E-I index says nothing.")
    if sizes.max() < 2:
        raise ValueError("Nobody shares a group: no tie can stay within one, so the E-I index says nothing.")
    return codes, sizes


def _relabelled(
    pairs: NDArray[np.intp], codes: NDArray[np.intp], permutations: int, seed: int | None
) -> NDArray[np.int64]:
    """How many ties cross groups in each deal of the labels.

    Whole machine words are shuffled (NumPy's quick path, twice as quick as bytes) and bytes are compared; the sum is
    made in the smallest whole number that holds it.
    """
    rng = np.random.default_rng(seed)
    size, width = np.min_scalar_type(int(codes.max())), np.min_scalar_type(len(pairs))
    crossing = np.empty(permutations, dtype=np.int64)
    for start in range(0, permutations, BLOCK):
        rows = min(BLOCK, permutations - start)
        dealt = np.ascontiguousarray(rng.permuted(np.tile(codes, (rows, 1)), axis=1).T, dtype=size)
        crosses = np.take(dealt, pairs[:, 0], axis=0) != np.take(dealt, pairs[:, 1], axis=0)
        crossing[start : start + rows] = np.add.reduce(crosses, axis=0, dtype=width)
    return crossing


def _answered(responded: Collection[Hashable], ends: NDArray[np.intp], groups: pd.Series) -> NDArray[np.bool_]:
    ids = pd.Index(list(responded)).unique()
    unknown = ids[groups.index.get_indexer(ids) < 0]
    if len(unknown):
        raise ValueError(f"These responders have no group: {checked.listed(unknown)}.")
    if not len(ids):
        raise ValueError("Nobody responded, so there is no network.")
    answered = np.asarray(groups.index.isin(ids))
    silent = np.unique(ends[~answered[ends[:, 0]], 0])
    if len(silent):
        raise ValueError(f"These people named ties but are not in responded: {checked.listed(groups.index[silent])}.")
    return answered


def _bounds(
    ends: NDArray[np.intp], pairs: NDArray[np.intp], codes: NDArray[np.intp], answered: NDArray[np.bool_]
) -> tuple[int, float, float]:
    """Ties each non-responder may have named, and the index were they all within, or all across, their group.

    Partners already tied with a non-responder (undirected only) are no new tie; a pair of two counts once.
    """
    n = len(codes)
    unseen_each = math.ceil(len(ends) / int(answered.sum()) - SAME)
    same = codes[:, None] == codes[None, :]
    free = ~np.eye(n, dtype=bool)
    directed = pairs is ends
    if not directed:
        free[pairs[:, 0], pairs[:, 1]] = free[pairs[:, 1], pairs[:, 0]] = False
    within, across = (
        _most_new(free[~answered] & kind[~answered], answered, unseen_each, directed) for kind in (same, ~same)
    )
    external = int((codes[pairs[:, 0]] != codes[pairs[:, 1]]).sum())
    internal = len(pairs) - external
    low = (external - internal - within) / (len(pairs) + within)
    high = (external + across - internal) / (len(pairs) + across)
    return unseen_each, low, high


def _most_new(free: NDArray[np.bool_], answered: NDArray[np.bool_], each: int, directed: bool) -> int:
    """The most new ties that non-responders (rows of `free`) could add when each names at most `each`."""
    named = int(np.minimum(free.sum(axis=1), each).sum())
    if directed:
        return named
    return min(named, int(free[:, answered].sum() + free[:, ~answered].sum() // 2))
