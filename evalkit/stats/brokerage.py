"""Who stands between whom: the five roles of a broker, against what groups and density alone would give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit.stats.ties import ends, grouped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ROLES = ("coordinator", "consultant", "representative", "gatekeeper", "liaison")
"""In the order of Gould and Fernandez; sna calls them w_I, w_O, b_IO, b_OI, b_O, and their sum t."""

COLUMNS = (*ROLES, "total")
"""The five, and all of them together: every open path of two ties through a person."""


@dataclass(frozen=True, slots=True, eq=False)
class Brokerage:
    """Open paths through each person, by role, and through everybody together.

    There is no interval: the ties are everybody's, not a sample's. Expectations and z are those of a random network of
    this density (see `brokerage`).
    """

    n: int
    groups: int
    ties: int
    density: float
    _nodes: pd.DataFrame = field(repr=False)
    _roles: pd.DataFrame = field(repr=False)

    @property
    def total(self) -> dict[str, int]:
        """How often each role is taken in the whole network."""
        counts = self._roles.set_index("role")["count"]
        return {role: int(counts[role]) for role in ROLES}

    @property
    def nodes(self) -> pd.DataFrame:
        """A row a person, in the order of `groups`: id, group, the five roles and total, expected_… and z_… of each."""
        return self._nodes.copy()

    @property
    def roles(self) -> pd.DataFrame:
        """A row a role and one for total, over the whole network: role, count, expected, sd, z."""
        return self._roles.copy()


def brokerage(ties: pd.DataFrame, groups: pd.Series) -> Brokerage:
    """How often each person stands on an open path i→j→k (i and k apart, no tie i→k), by the groups of the three.

    j is a coordinator when all three share a group; consultant when i and k share one and j is of another;
    representative when i and j share one (j speaks for it); gatekeeper when j and k do (j lets in); liaison when all
    three differ. A tie returned is another path: k→j→i counts by itself. Sources: Gould & Fernandez (1989), Structures
    of mediation, Sociological Methodology 19, 89-126; counts, expectations and z of a person as `brokerage` in R's sna.

    **Expectation**: the people and their groups are held as they are, and each tie is there by chance alone with
    probability d = ties / [n (n - 1)], so an open path has p = d²(1 - d). A person with m possible paths in a role
    expects m p, with variance m p (1 - p) + s d³(1 - d)³, s the ordered pairs of those paths that share a tie. z =
    (count - expected) / sd, NaN where the groups leave the role no path. For the whole network, the variance counts
    every pair of paths that share a tie; sna 2.7-1 leaves out some of those where one has the tie and the other lacks
    it, so its sd of all roles but consultant and liaison is too large (enumerated: tests/stats/test_brokerage.py).

    **Limits**: people are not tied by chance alone. They close triangles and differ in how many they name, so z mostly
    tells a real network from a random one; `total` tends to lie far below expectation, with no fault of anybody. z of
    a person is not normal where few paths are expected: it describes, no test. Somebody who did not answer has no ties
    going out and so brokers nothing: read with who answered. A row about one person is for the evaluator alone.

    ties: frame with from_id and to_id, a row a tie. groups: person -> group for **everybody** asked, tied or not;
    somebody without ties has counts of 0. With one group everybody is a coordinator or nothing.
    Errors: ValueError naming them for self-ties, duplicate ties, missing ids, ids without a group; without any tie;
    for fewer than three people.

    >>> ties = pd.DataFrame({"from_id": ["a", "b", "a"], "to_id": ["b", "c", "d"]})
    >>> found = brokerage(ties, pd.Series({"a": "North", "b": "North", "c": "South", "d": "South"}))
    >>> {role: count for role, count in found.total.items() if count}
    {'representative': 1}
    >>> found.nodes.set_index("id").loc["b", ["representative", "total"]].tolist()
    [1, 1]
    """
    codes, sizes, names = grouped(groups)
    n = len(codes)
    if n < 3:
        raise ValueError(f"Brokerage takes three people: one between two others. There are {n}.")
    pairs = ends(ties, groups.index)
    density = len(pairs) / (n * (n - 1))
    counts = _counts(pairs, codes)
    size = sizes.astype(float)
    expected, variance = (each[:, codes].T for each in _by_chance(size, density))
    whole = counts.sum(axis=0)
    people = pd.DataFrame({"id": groups.index, "group": names[codes]})
    nodes = [
        pd.DataFrame(counts, columns=list(COLUMNS)),
        pd.DataFrame(expected, columns=[f"expected_{role}" for role in COLUMNS]),
        pd.DataFrame(_z(counts, expected, variance), columns=[f"z_{role}" for role in COLUMNS]),
    ]
    expected, variance = _all_by_chance(size, density)
    roles = pd.DataFrame(
        {"role": COLUMNS, "count": whole, "expected": expected, "sd": np.sqrt(np.maximum(variance, 0))}
    )
    return Brokerage(
        n=n,
        groups=len(sizes),
        ties=len(pairs),
        density=density,
        _nodes=pd.concat([people, *nodes], axis="columns"),
        _roles=roles.assign(z=_z(whole, expected, variance)),
    )


def _counts(pairs: NDArray[np.intp], codes: NDArray[np.intp]) -> NDArray[np.int64]:
    """Open paths through each person: a row a person, a column a role, and their sum.

    With A the ties and U the pairs not tied, paths through j are Σ_i A_ij (U A')_ij, roles by which groups agree.
    """
    n = len(codes)
    tied = np.zeros((n, n))
    tied[pairs[:, 0], pairs[:, 1]] = 1.0
    untied = 1.0 - tied
    np.fill_diagonal(untied, 0.0)
    same = codes[:, None] == codes[None, :]
    inside, across = tied * same, tied * ~same
    onward_inside, onward_across = untied @ inside.T, untied @ across.T
    roles = [
        inside * onward_inside,
        across * ((untied * same) @ across.T),
        inside * onward_across,
        across * onward_inside,
        across * ((untied * ~same) @ across.T),
    ]
    counts = np.column_stack([role.sum(axis=0) for role in roles]).astype(np.int64)
    return np.column_stack([counts, counts.sum(axis=1)])


def _by_chance(size: Floats, d: float) -> tuple[Floats, Floats]:
    """Expectation and variance of each role (and of all) for one person: a row a role, a column a group of the person.

    Two paths through one person share at most one tie, the first or the second, and never lack what the other has.
    """
    n = size.sum()
    others = n - size
    apart = others[:, None] - size  # neither in one's own group (rows) nor in the other end's (columns)
    of_others = ~np.eye(len(size), dtype=bool)
    possible = np.array(
        [
            (size - 1) * (size - 2),
            of_others @ (size * (size - 1)),
            (size - 1) * others,
            (size - 1) * others,
            (size * apart * of_others).sum(axis=1),
            np.full_like(size, (n - 1) * (n - 2)),
        ]
    )
    sharing = np.array(
        [
            2 * possible[0] * (size - 3),
            2 * (of_others @ (size * (size - 1) * (size - 2))),
            possible[2] * (n - 3),
            possible[3] * (n - 3),
            2 * (size * apart * (apart - 1) * of_others).sum(axis=1),
            2 * possible[5] * (n - 3),
        ]
    )
    p = d**2 * (1 - d)
    return possible * p, possible * p * (1 - p) + sharing * d**3 * (1 - d) ** 3


def _all_by_chance(size: Floats, d: float) -> tuple[Floats, Floats]:
    """Expectation and variance of each role (and of all) over the whole network.

    A tie from group g to group h (rows, columns) is the first of so many paths, the second of others, and closes
    others. Paths that both need it vary together by d³(1-d)³, those that both lack it by d⁵(1-d), and of one that needs
    it and one that lacks it only one can be: -d⁴(1-d)². Such a pair on the same three people conflicts over two ties
    and is counted twice: once is given back, for so many partners a path as `conflicts` says.
    """
    n = size.sum()
    own, other = size[:, None], size[None, :]
    same = np.eye(len(size), dtype=bool)
    within, third, any_one = same * (own - 2), ~same * (n - own - other), np.full(same.shape, n - 2)
    first = [within, ~same * (own - 1), same * (n - own), ~same * (other - 1), third, any_one]
    second = [within, ~same * (other - 1), ~same * (own - 1), same * (n - own), third, any_one]
    closing = [within, same * (n - own), ~same * (own - 1), ~same * (other - 1), third, any_one]
    conflicts = [2, 0, 1, 1, 2, 2]
    p, pairs = d**2 * (1 - d), own * (other - same)
    expected, variance = [], []
    for begins, ends_, closes, partners in zip(first, second, closing, conflicts, strict=True):
        needs, possible = begins + ends_, float((pairs * begins).sum())
        shared = needs * (needs - 1) * d**3 * (1 - d) ** 3 + closes * (closes - 1) * d**5 * (1 - d)
        shared = shared - 2 * needs * closes * d**4 * (1 - d) ** 2
        expected.append(possible * p)
        variance.append(possible * p * (1 - p) + float((pairs * shared).sum()) + partners * possible * p**2)
    return np.array(expected), np.array(variance)


def _z(counts: NDArray[np.int64], expected: Floats, variance: Floats) -> Floats:
    """(count - expected) / sd, NaN where nothing can vary."""
    sd = np.sqrt(np.where(variance > 0, variance, np.nan))
    return np.asarray((counts - expected) / sd)
