"""One network beside another among the same people: two relations, or one relation at two times."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable
from dataclasses import dataclass
from itertools import permutations as orderings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit.stats import ties as checked
from evalkit.stats.rates import wilson

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Numbers = NDArray[Any]  # counts of 0 and 1 as bytes, strengths as floats

BLOCK = 256
"""Orders dealt at a time."""

CELLS = 1 << 16
"""Ties looked up at a time, so that the positions of one block stay in the processor's cache."""

SPARSE = 1 / 8
"""Below this share of pairs tied, ties are gone through one by one; from it on, whole networks are (timed)."""


@dataclass(frozen=True, slots=True)
class NetworkCorrelation:
    """Correlation of two networks with what relabelling the people of one would give.

    There is no confidence interval: the ties are everybody's, not a sample's. `chance_low` to `chance_high` is the
    range expected by chance (95 % of relabellings), about 0, **not** about `estimate`. p is two-sided; `p_higher` and
    `p_lower` are one-sided. `smallest_p` is the two-sided p of the furthest of these relabellings: above .05, nothing
    about these two networks could be told from chance. `exact`: every relabelling was counted, and there is no seed.
    """

    estimate: float
    chance_low: float
    chance_high: float
    p: float
    p_higher: float
    p_lower: float
    smallest_p: float
    n: int
    permutations: int
    exact: bool
    seed: int | None


@dataclass(frozen=True, slots=True)
class TiesKept:
    """Ties in both of two networks as a share of ties in either: `estimate` = `kept` / `n`.

    `dissolved` ties are in the first only, `created` ones in the second only. `left_out_before` and `left_out_after`
    count the ties set aside because an end is not among `people`; 0 when everybody was meant. There is no low and no
    high: the ties are everybody's, not a sample's, and ties that share a person come and go together, so that the
    interval of a proportion of `n` independent ones would be far too narrow.
    """

    estimate: float
    n: int
    kept: int
    created: int
    dissolved: int
    ties_before: int
    ties_after: int
    left_out_before: int
    left_out_after: int
    people: int | None
    directed: bool


@dataclass(frozen=True, slots=True)
class Turnover:
    """Who stayed, left and joined. `estimate` is the share of the `n` people before who stayed, with Wilson's interval.

    `joined` is the share of the people after who were not there before (None with nobody after). The three groups of
    ids stand in the order given.
    """

    estimate: float
    low: float
    high: float
    n: int
    n_after: int
    joined: float | None
    stayers: tuple[Hashable, ...]
    leavers: tuple[Hashable, ...]
    joiners: tuple[Hashable, ...]
    confidence: float


def qap(
    a: pd.DataFrame | ArrayLike, b: pd.DataFrame | ArrayLike, *, permutations: int = 10_000, seed: int | None = None
) -> NetworkCorrelation:
    """Correlation of two networks of the same people, against giving the people of one their places anew (QAP).

    Pearson's r over the n (n - 1) ordered pairs of two different people. The pairs of a network depend on each other,
    so p comes from relabelling: rows and columns of one network are dealt the same new order, which keeps each network
    whole and leaves it to chance who stands where. r is 0 on average over all n! orders. p = (1 + orders with |r| at
    least as large) / (1 + orders dealt) (Phipson & Smyth 2010); every order is counted, and p exact, where there are
    no more than `permutations` of them. NaN for p and the range when permutations = 0. Sources: Hubert & Schultz
    (1976), British J. Mathematical & Statistical Psychology 29, 190-241; Krackhardt (1988), Social Networks 10,
    359-381; `gcor` and `qaptest` in R's sna.

    a, b: square, one row and one column a person, 0 and 1 or strengths; from row to column. Two frames are matched by
    their labels in any order; two arrays must be in one order already. The diagonal is not read.
    **Limits**: a small p says that who is tied in one network goes with who is tied in the other, beyond chance. Being
    in one team may be behind both. It is no test that a network changed from one time to the next: two times of one
    network nearly always go together.

    Errors: ValueError for networks that are not square, labels that differ, a frame beside an array, missing or
    infinite values, fewer than three people, or a network in which every pair has the same value.

    >>> trust = [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    >>> helped = [[0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    >>> found = qap(trust, helped)
    >>> print(f"{found.estimate:.3f}, p {found.p:.3f} of {found.smallest_p:.3f} over {found.permutations} orders")
    0.837, p 0.333 of 0.333 over 24 orders
    """
    first, second = _matched(a, b)
    n = len(first)
    exact = permutations > 0 and math.factorial(min(n, 20)) <= permutations
    used_seed = None if exact else checked.seeded(permutations, seed)
    relabelled = _correlations(first, second, _orders(n, permutations, used_seed))
    estimate, dealt = float(relabelled[0]), relabelled[1:]
    chance_low, chance_high = checked.chance_range(relabelled if exact else dealt)
    p, smallest_p = checked.p_of(np.abs(dealt), abs(estimate))
    return NetworkCorrelation(
        estimate=estimate,
        chance_low=chance_low,
        chance_high=chance_high,
        p=p,
        p_higher=checked.p_of(dealt, estimate)[0],
        p_lower=checked.p_of(-dealt, -estimate)[0],
        smallest_p=smallest_p,
        n=n,
        permutations=len(relabelled) if exact else len(dealt),
        exact=exact,
        seed=used_seed,
    )


def jaccard(
    a: pd.DataFrame, b: pd.DataFrame, *, people: Collection[Hashable] | None = None, directed: bool = True
) -> TiesKept:
    """How much of two networks is the same: ties in both / ties in either, from 0 (none) to 1 (the same ties).

    Source: Jaccard (1901), Bulletin de la Société Vaudoise des Sciences Naturelles 37, 547-579; for two times of one
    network, Snijders, van de Bunt & Steglich (2010), Social Networks 32, 44-60.

    a, b: frames with from_id and to_id, a row a tie; a is the one before. people: only ties between two of these count,
    and the others are counted as left out. For two times give those asked at **both** (`turnover(...).stayers`):
    otherwise a tie of somebody who left counts as dissolved, and one with a newcomer as created, though nobody's mind
    changed. directed=False counts a pair once if either named the other. Two networks of different density cannot be
    alike: with 10 and 30 ties the share is at most 1/3, so read it beside the counts. No interval: see `TiesKept`.

    Errors: ValueError for self-ties, duplicate ties, missing ids; where neither network has a tie between `people`.

    >>> before = pd.DataFrame({"from_id": ["a", "b", "c"], "to_id": ["b", "c", "d"]})
    >>> after = pd.DataFrame({"from_id": ["a", "b"], "to_id": ["b", "a"]})
    >>> kept = jaccard(before, after, people=["a", "b", "c"])
    >>> kept.kept, kept.created, kept.dissolved, kept.left_out_before, round(kept.estimate, 3)
    (1, 1, 1, 1, 0.333)
    """
    named = np.concatenate([checked.named_ends(ties).ravel() for ties in (a, b)])
    everybody = checked.roster(dict.fromkeys(named))
    meant = np.ones(len(everybody), dtype=bool) if people is None else everybody.isin(checked.roster(people))
    found = [checked.ends(ties, everybody, allow_none=True) for ties in (a, b)]
    inside = [pairs[meant[pairs].all(axis=1)] for pairs in found]
    before, after = ({*map(tuple, (pairs if directed else checked.either_way(pairs)).tolist())} for pairs in inside)
    either = before | after
    if not either:
        among = "" if people is None else f" between the {len(people)} people given"
        raise ValueError(f"Neither network has a tie{among}, so there is nothing to be kept.")
    return TiesKept(
        estimate=len(before & after) / len(either),
        n=len(either),
        kept=len(before & after),
        created=len(after - before),
        dissolved=len(before - after),
        ties_before=len(before),
        ties_after=len(after),
        left_out_before=len(found[0]) - len(inside[0]),
        left_out_after=len(found[1]) - len(inside[1]),
        people=None if people is None else len(people),
        directed=directed,
    )


def turnover(before: Collection[Hashable], after: Collection[Hashable], *, confidence: float = 0.95) -> Turnover:
    """Who was there both times, who left and who joined: the share of those before who stayed.

    stayed / before, with Wilson's interval (`rates.wilson`). **Limit**: the interval reads the people before as a
    sample of such people; of these very people the share is known, and an interval says nothing more about them.

    before, after: the id of everybody on the roster, tied or not; each once. Nobody after is an answer (0 stayed).
    Errors: ValueError for ids missing or given twice, and for nobody before.

    >>> moved = turnover(["a", "b", "c", "d"], ["b", "c", "d", "e"])
    >>> moved.leavers, moved.joiners, f"{moved.estimate:.2f} ({moved.low:.2f} to {moved.high:.2f})"
    (('a',), ('e',), '0.75 (0.30 to 0.95)')
    """
    first, last = checked.roster(before), checked.roster(after)
    if not len(first):
        raise ValueError("There was nobody before, so nobody could stay.")
    stayed = first.isin(last)
    joiners = tuple(last[~last.isin(first)])
    share = wilson(int(stayed.sum()), len(first), confidence=confidence)
    return Turnover(
        estimate=share.estimate,
        low=share.low,
        high=share.high,
        n=len(first),
        n_after=len(last),
        joined=len(joiners) / len(last) if len(last) else None,
        stayers=tuple(first[stayed]),
        leavers=tuple(first[~stayed]),
        joiners=joiners,
        confidence=confidence,
    )


def _matched(a: pd.DataFrame | ArrayLike, b: pd.DataFrame | ArrayLike) -> tuple[Floats, Floats]:
    """Both networks as arrays in one order of people, after every check they can fail."""
    if isinstance(a, pd.DataFrame) != isinstance(b, pd.DataFrame):
        raise ValueError("One network is a frame with labels and the other is not: whose row is whose is not known.")
    if isinstance(a, pd.DataFrame) and isinstance(b, pd.DataFrame):
        labels = _labels(a, "a")
        apart = labels.symmetric_difference(_labels(b, "b"), sort=False)
        if len(apart):
            raise ValueError(f"These people are in one network only: {checked.listed(apart)}.")
        a, b = a.loc[labels, labels], b.loc[labels, labels]
    first, second = (_values(network, name) for network, name in ((a, "a"), (b, "b")))
    if len(first) != len(second):
        raise ValueError(f"a has {len(first)} people and b has {len(second)}; both need the same people in one order.")
    return first, second


def _labels(network: pd.DataFrame, name: str) -> pd.Index:
    labels = network.index
    if not labels.is_unique or not network.columns.is_unique or len(labels.symmetric_difference(network.columns)):
        raise ValueError(f"{name} needs each person once in its rows and once in its columns, under one label.")
    return labels


def _values(network: pd.DataFrame | ArrayLike, name: str) -> Floats:
    values = np.array(network, dtype=float)
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise ValueError(f"{name} must be square, a row and a column a person; it is {values.shape}.")
    if len(values) < 3:
        raise ValueError(f"{name} has {len(values)} people; with fewer than three there are no two pairs to compare.")
    np.fill_diagonal(values, 0.0)
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise ValueError(f"{name} holds {bad} missing or infinite values. Leave those people out of both networks.")
    if np.ptp(values[~np.eye(len(values), dtype=bool)]) == 0:
        raise ValueError(f"In {name} every pair has the same value, so nothing can go with it or against it.")
    return values


def _orders(n: int, permutations: int, seed: int | None) -> Iterator[NDArray[np.intp]]:
    """Orders of the people, a row each, in blocks; the first is as observed. Without a seed, every order there is."""
    everybody = np.arange(n)
    if permutations and seed is None:
        yield np.array(list(orderings(range(n))), dtype=np.intp)
        return
    yield everybody[None, :]
    rng = np.random.default_rng(seed)
    for start in range(0, permutations, BLOCK):
        rows = min(BLOCK, permutations - start)
        yield rng.permuted(np.tile(everybody, (rows, 1)), axis=1)


def _correlations(first: Floats, second: Floats, orders: Iterator[NDArray[np.intp]]) -> Floats:
    """r of the two networks under each order of the people of the one that has more ties.

    Only Σ_ij x_ij y_p(i)p(j) changes from order to order. Counts of 0 and 1 are whole numbers, exactly; strengths are
    taken from their mean, so that large ones lose no digits.
    """
    listed: Numbers
    looked_up: Numbers
    listed, looked_up = sorted((first, second), key=np.count_nonzero)
    apart = ~np.eye(len(first), dtype=bool)
    cells = int(apart.sum())
    spread = cells * float(listed[apart].std() * looked_up[apart].std())
    counted = all(bool(np.isin(network, (0.0, 1.0)).all()) for network in (first, second))
    mean = float(looked_up[apart].mean())
    if counted:
        listed, looked_up = listed.astype(np.uint8), looked_up.astype(np.uint8)
    else:
        looked_up = np.where(apart, looked_up - mean, 0.0)
    ties = np.count_nonzero(listed)
    placed = _tie_by_tie if ties < SPARSE * cells else _whole
    together = np.concatenate([placed(listed, looked_up, block) for block in orders])
    return np.asarray((together - (mean * ties if counted else 0.0)) / spread)


def _tie_by_tie(listed: Numbers, looked_up: Numbers, orders: NDArray[np.intp]) -> Numbers:
    """Σ_ij x_ij y_p(i)p(j) for each order: the ties of x one by one, looked up in y."""
    start, end = np.nonzero(listed)
    counted = listed.dtype == np.uint8
    width = np.min_scalar_type(len(start)) if counted else np.dtype(float)
    strengths, values = listed[start, end][:, None], looked_up.ravel()
    rows = max(1, CELLS // len(start))
    together = []
    for part in np.split(orders, range(rows, len(orders), rows)):
        place = np.ascontiguousarray(part.T)
        seen = values.take(np.take(place * len(listed), start, axis=0) + np.take(place, end, axis=0))
        together.append(np.add.reduce(seen if counted else seen * strengths, axis=0, dtype=width))
    return np.concatenate(together).astype(float)


def _whole(listed: Numbers, looked_up: Numbers, orders: NDArray[np.intp]) -> Numbers:
    """The same with y dealt as a whole: its rows, turned over, and its rows again, which is quicker than columns."""
    turned, dealt, over = np.ascontiguousarray(listed.T), np.empty_like(looked_up), np.empty_like(looked_up)
    counted = listed.dtype == np.uint8
    together = np.empty(len(orders))
    for row, order in enumerate(orders):
        np.take(looked_up, order, axis=0, out=dealt, mode="clip")  # "raise" would copy by way of a buffer
        over[:] = dealt.T
        np.take(over, order, axis=0, out=dealt, mode="clip")
        together[row] = np.count_nonzero(turned & dealt) if counted else np.einsum("ij,ij->", turned, dealt)
    return together
