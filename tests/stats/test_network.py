"""`stats.network` against netseg, sna and networkx, against every relabelling counted out, and at its edges."""

from __future__ import annotations

import itertools
import math
import time
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evalkit.stats import network
from tests import calibration


def ties(*pairs: str) -> pd.DataFrame:
    """'ab' is a tie from a to b."""
    return pd.DataFrame({"from_id": [p[0] for p in pairs], "to_id": [p[1] for p in pairs]})


# Six people by hand: a b c in Acute, d e in Council, f in Hospice, with nobody tied to f.
#   a→b within   b→a within   a→d across   d→a across   b→d across   c→e across   d→e within
# directed: 4 across, 3 within of 7: (4 - 3)/7 = 1/7
# either way: ab within, ad across, bd across, ce across, de within: (3 - 2)/5 = 1/5
# pairs within: 3 x 2 + 2 x 1 + 0 = 8 of 6 x 5 = 30, across 22: expected (22 - 8)/30 = 7/15
# returned: ab, ba, ad, da: 4 of 7
SIX = pd.Series({"a": "Acute", "b": "Acute", "c": "Acute", "d": "Council", "e": "Council", "f": "Hospice"})
SEVEN = ties("ab", "ba", "ad", "da", "bd", "ce", "de")


def test_six_people_by_hand() -> None:
    found = network.ei(SEVEN, SIX, seed=1)
    assert found.estimate == pytest.approx(1 / 7)
    assert found.expected == pytest.approx(7 / 15)
    assert (found.external, found.internal, found.ties, found.n, found.groups, found.isolates) == (4, 3, 7, 6, 3, 1)
    assert found.density == pytest.approx(7 / 30)
    assert (found.bound_low, found.bound_high, found.response_rate, found.unseen_each) == (None, None, None, None)
    either = network.ei(SEVEN, SIX, directed=False, seed=1)
    assert (either.estimate, either.ties, either.density) == pytest.approx((1 / 5, 5, 5 / 15))
    assert either.expected == pytest.approx(7 / 15)


def every_dealing(groups: pd.Series) -> list[pd.Series]:
    return [pd.Series(list(deal), index=groups.index) for deal in set(itertools.permutations(groups))]


def test_a_published_network() -> None:
    # Krackhardt (1987), Cognitive social structures, Social Networks 9, 109-134; printed in Wasserman & Faust (1994),
    # Social Network Analysis, appendix B: 21 managers of a high-technology company, who reports to whom, and their
    # departments (0 is the president). By hand: 4 of the 20 lines of report cross departments, those of the four
    # vice-presidents to the president: (4 - 16)/20 = -.6. Pairs within: 8x7 + 5x4 + 4x3 + 3x2 = 94 of 21x20 = 420, so
    # expected (326 - 94)/420 = 232/420 = .5523809524, as R netseg gives.
    boss = {1: 2, 2: 7, 3: 14, 4: 2, 5: 14, 6: 21, 8: 21, 9: 14, 10: 18, 11: 18, 12: 21, 13: 14, 14: 7, 15: 14}
    boss |= {16: 2, 17: 21, 18: 7, 19: 14, 20: 14, 21: 7}
    department = pd.Series(list("442421012331222413221"), index=range(1, 22))
    found = network.ei(
        pd.DataFrame({"from_id": list(boss), "to_id": list(boss.values())}), department, permutations=500, seed=1
    )
    assert found.estimate == pytest.approx(-0.6, abs=1e-12)
    assert found.expected == pytest.approx(232 / 420, abs=1e-12)
    assert (found.external, found.internal, found.isolates) == (4, 16, 0)


@pytest.mark.parametrize("directed", [True, False])
def test_expectation_and_p_against_every_relabelling(directed: bool) -> None:
    groups = pd.Series({"a": 1, "b": 1, "c": 1, "d": 1, "e": 2, "f": 2, "g": 3})
    drawn = ties("ab", "bc", "cd", "da", "ac", "ef", "fe", "ga", "db")
    dealt = every_dealing(groups)
    assert len(dealt) == math.factorial(7) // (math.factorial(4) * math.factorial(2))
    pairs = {(a, b) if directed else tuple(sorted((a, b))) for a, b in drawn.itertuples(index=False)}
    indexes = np.array([sum(1 if deal[a] != deal[b] else -1 for a, b in pairs) / len(pairs) for deal in dealt])
    found = network.ei(drawn, groups, directed=directed, seed=3)
    assert found.expected == pytest.approx(indexes.mean(), abs=1e-12)
    exact = float((np.abs(indexes - indexes.mean()) >= abs(found.estimate - indexes.mean()) - 1e-9).mean())
    assert 0.005 < exact < 0.5
    assert found.p == pytest.approx(exact, abs=5 * math.sqrt(exact * (1 - exact) / 10_000) + 1e-4)
    one_tie = 2 / len(pairs) + 1e-9  # the range is drawn: its ends may be one tie off the exact ones
    assert found.chance_low == pytest.approx(np.quantile(indexes, 0.025, method="inverted_cdf"), abs=one_tie)
    assert found.chance_high == pytest.approx(np.quantile(indexes, 0.975, method="inverted_cdf"), abs=one_tie)
    assert ((indexes >= found.chance_low - 1e-9) & (indexes <= found.chance_high + 1e-9)).mean() >= 0.93


@pytest.mark.reference
@pytest.mark.parametrize(
    ("relation", "expected", "symmetrised"),
    [
        # R netseg 1.0-2, ei(graph, "DEPT"), on Krackhardt's 21 managers; symmetrised: either named the other
        ("advice_tie", 0.5157894737, 0.5172413793),
        ("friendship_tie", 0.2549019608, 0.3164556962),
        ("reports_to_tie", -0.6, -0.6),
    ],
)
def test_krackhardts_managers_are_netsegs(reference: Path, relation: str, expected: float, symmetrised: float) -> None:
    folder = reference / "people"
    department = pd.read_csv(folder / "krackhardt_hightech_attributes.csv", index_col="id")["DEPT"]
    drawn = pd.read_csv(folder / "krackhardt_hightech_ties.csv").query(f"{relation} == 1")
    drawn = drawn.rename(columns={"ego": "from_id", "alter": "to_id"})
    found = network.ei(drawn, department, seed=1)
    assert found.estimate == pytest.approx(expected, abs=1e-9)
    assert found.expected == pytest.approx(0.5523809524, abs=1e-9)
    assert network.ei(drawn, department, directed=False, seed=1).estimate == pytest.approx(symmetrised, abs=1e-9)
    assert found.chance_low < found.expected < found.chance_high
    assert (found.p < 0.05) == (relation != "advice_tie")
    assert found.n == 21
    if relation == "advice_tie":  # R sna 2.7-1: grecip(advice, measure = "edgewise"); gden = 190/420
        assert network.reciprocity(drawn) == pytest.approx(0.4736842105, abs=1e-9)
        assert network.density(drawn, department.index) == pytest.approx(190 / 420)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(4, 15))
def test_ties_across_and_within_are_networkxs(seed: int, n: int) -> None:
    graph = nx.gnp_random_graph(n, 0.3, seed=seed, directed=True)
    labels = np.append([0, 0, 1], np.random.default_rng(seed).integers(3, size=n - 3))
    if not graph.number_of_edges():
        return
    nx.set_node_attributes(graph, dict(enumerate(labels.tolist())), "group")
    drawn = pd.DataFrame(list(graph.edges), columns=["from_id", "to_id"])
    mixing = nx.attribute_mixing_matrix(graph, "group", normalized=False)
    found = network.ei(drawn, pd.Series(labels), permutations=0)
    assert found.internal == np.trace(mixing)
    assert found.external == mixing.sum() - np.trace(mixing)
    assert found.density == pytest.approx(nx.density(graph))
    assert found.isolates == nx.number_of_isolates(graph)
    assert network.reciprocity(drawn) == pytest.approx(nx.overall_reciprocity(graph))
    either = network.ei(drawn, pd.Series(labels), directed=False, permutations=0)
    assert either.ties == graph.to_undirected().number_of_edges()
    assert network.density(drawn, range(n), directed=False) == pytest.approx(nx.density(graph.to_undirected()))


def test_bounds_under_non_response_by_hand() -> None:
    # c and f did not answer. The five ties of a b d e: 5/4 a person, so at most 2 unseen each.
    # ab within, ad bd across, de within, ed within: E 2, I 3, index -1/5.
    # c (Acute: 2 others; 3 elsewhere) adds 2 within or 2 across; f (alone in Hospice) adds 0 within or 2 across.
    # low (2 - 5)/7, high (6 - 3)/9
    drawn = ties("ab", "ad", "bd", "de", "ed")
    found = network.ei(drawn, SIX, responded=["a", "b", "d", "e"], permutations=0)
    assert found.estimate == pytest.approx(-1 / 5)
    assert (found.unseen_each, found.response_rate) == (2, pytest.approx(4 / 6))
    assert (found.bound_low, found.bound_high) == pytest.approx((-3 / 7, 3 / 9))


def test_bounds_of_an_undirected_network_by_hand() -> None:
    # Either way: ab within, ac within, ad bd across, de within (E 2, I 3); c did not answer, and f did not.
    # Seen 6 ties of 4 responders: at most 2 unseen each. c is tied with a already: new within only b (1);
    # new across d e f, at most 2. f: within nobody; across all five, at most 2. The pair c-f counts once, and
    # 2 + 2 = 4 does not exceed the new pairs across (c: d e f; f: a b c d e; c-f once = 7).
    drawn = ties("ab", "ac", "ad", "bd", "de", "ed")
    found = network.ei(drawn, SIX, directed=False, responded=["a", "b", "d", "e"], permutations=0)
    assert (found.bound_low, found.bound_high) == pytest.approx(((2 - 4) / 6, (6 - 3) / 9))
    # Only one tie within is new here, between the two who did not answer, however many each of them names.
    two = pd.Series({"a": 1, "b": 1, "c": 2, "d": 2})
    closed = network.ei(ties("ab", "ac", "bd"), two, directed=False, responded=["a", "b"], permutations=0)
    assert closed.bound_low == pytest.approx((2 - 2) / 4)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.booleans())
def test_bounds_hold_whatever_the_silent_would_have_said(seed: int, directed: bool) -> None:
    rng = np.random.default_rng(seed)
    n = 9
    groups = pd.Series(np.append([0, 0, 1], rng.integers(3, size=n - 3)))
    matrix = (rng.random((n, n)) < 0.3) & ~np.eye(n, dtype=bool)
    answered = rng.random(n) < 0.6
    if not matrix[answered].any():
        return
    seen = matrix & answered[:, None]
    found = network.ei(frame(seen), groups, directed=directed, responded=np.flatnonzero(answered), permutations=0)
    assert found.unseen_each is not None
    for _ in range(5):
        full = seen.copy()
        for silent in np.flatnonzero(~answered):
            others = rng.permutation(np.delete(np.arange(n), silent))
            full[silent, others[: rng.integers(found.unseen_each + 1)]] = True
        truth = network.ei(frame(full), groups, directed=directed, permutations=0).estimate
        assert found.bound_low - 1e-12 <= truth <= found.bound_high + 1e-12


def frame(matrix: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(np.argwhere(matrix), columns=["from_id", "to_id"])


def test_everybody_answered_leaves_no_room() -> None:
    found = network.ei(SEVEN, SIX, responded=SIX.index, permutations=0)
    assert (found.bound_low, found.bound_high) == pytest.approx((1 / 7, 1 / 7))
    assert found.response_rate == 1


def test_a_seed_gives_the_same_and_none_is_recorded() -> None:
    once = network.ei(SEVEN, SIX, permutations=300)
    assert once.seed is not None
    assert network.ei(SEVEN, SIX, permutations=300, seed=once.seed) == once
    none = network.ei(SEVEN, SIX, permutations=0)
    assert math.isnan(none.p)
    assert math.isnan(none.chance_low)
    assert none.seed is None


@pytest.mark.parametrize("directed", [True, False])
def test_p_keeps_its_promise_when_groups_mean_nothing(directed: bool) -> None:
    # 2,000 networks in each of 12 designs: `python -m tests.calibration --only networks`. Here 400 of one, where 5 %
    # of errors have a standard error of 1.1: 1.0 % and 9.5 % are 4 away.
    found = calibration.network_errors((40, 0.1, directed), runs=400, seed=3, permutations=199)
    assert 1.0 <= found["errors_%"] <= 9.5
    assert (found["runs"], found["directed"]) == (400, directed)


def test_promises_broken_by_networks_are_said() -> None:
    designs = pd.DataFrame({"people": 20, "density": 0.2, "directed": [True, False, True], "errors_%": [6.6, 5.0, 2.4]})
    assert calibration.broken_by_networks(designs) == [
        "E-I index, 20 people, density 0.2, directed: errs 6.60 %",
        "E-I index, 20 people, density 0.2, directed: errs 2.40 %",
    ]


@given(st.integers(0, 10_000), st.integers(5, 12), st.booleans())
def test_the_exact_expectation_is_what_dealing_groups_anew_gives(seed: int, n: int, directed: bool) -> None:
    rng = np.random.default_rng(seed)
    groups = pd.Series(np.append([0, 0, 1], rng.integers(4, size=n - 3)))
    matrix = (rng.random((n, n)) < 0.4) & ~np.eye(n, dtype=bool)
    assume(matrix.any())
    found = network.ei(frame(matrix), groups, directed=directed, permutations=2000, seed=seed)
    tied = np.argwhere(matrix) if directed else np.argwhere(np.triu(matrix | matrix.T))
    deals = rng.permuted(np.tile(groups, (2000, 1)), axis=1)
    indexes = 2 * (deals[:, tied[:, 0]] != deals[:, tied[:, 1]]).mean(axis=1) - 1
    error = indexes.std() / math.sqrt(len(indexes))
    assert found.expected == pytest.approx(indexes.mean(), abs=5 * error + 1e-9)
    # the two ranges are drawn apart: their ends may be two ties off each other
    step = 2 / len(tied) + 1e-9
    assert found.chance_low == pytest.approx(np.quantile(indexes, 0.025, method="inverted_cdf"), abs=2 * step)
    assert found.chance_high == pytest.approx(np.quantile(indexes, 0.975, method="inverted_cdf"), abs=2 * step)


def test_the_smallest_p_is_that_of_the_furthest_deal() -> None:
    # Two and two, one tie across: of the 3 ways to pair four people, 1 puts the tie within; |1/3 - (-1)| is furthest.
    pairs = pd.Series({"a": 1, "b": 1, "c": 2, "d": 2})
    found = network.ei(ties("ac"), pairs, permutations=4000, seed=1)
    assert found.smallest_p == pytest.approx(1 / 3, abs=0.04)
    assert found.p == 1
    within = network.ei(ties("ab"), pairs, permutations=4000, seed=1)
    assert within.p == within.smallest_p == pytest.approx(1 / 3, abs=0.04)
    assert math.isnan(network.ei(ties("ac"), pairs, permutations=0).smallest_p)


def test_many_ties_do_not_overrun_the_count() -> None:
    # 300 ties and 70,000 ties take more than one and two bytes to count: nobody shares a group with anybody but one.
    for n in (18, 270):
        groups = pd.Series([0, 0, *range(1, n - 1)])
        found = network.ei(frame(~np.eye(n, dtype=bool)), groups, permutations=5, seed=1)
        assert found.chance_low == found.chance_high == found.estimate == pytest.approx(found.expected)


@pytest.mark.reference
def test_emergency_organisations_are_netsegs(reference: Path) -> None:
    # R netseg 1.0-2, ei(network::emon[[1]], "Sponsorship") = .6626506024
    folder = reference / "people"
    sponsor = pd.read_csv(folder / "emon_1_orgs.csv", index_col="org")["sponsorship"]
    drawn = pd.read_csv(folder / "emon_1_ties.csv").rename(columns={"ego": "from_id", "alter": "to_id"})
    assert network.ei(drawn, sponsor, permutations=0).estimate == pytest.approx(0.6626506024, abs=1e-9)


def test_what_an_advice_network_looks_like_is_not_what_chance_says() -> None:
    # .52 of ties across on balance reads as open; with these departments chance gives .55, so it is not.
    found = network.ei(ties("ad", "be", "cf", "ab"), SIX, seed=1)
    assert found.estimate == pytest.approx(0.5)
    assert found.expected == pytest.approx(7 / 15)
    assert found.p > 0.9


@pytest.mark.parametrize(
    ("drawn", "groups", "says"),
    [
        (ties("aa", "ab"), SIX, "tied to themselves: a"),
        (ties("ab", "cd", "ab"), SIX, "given twice: a→b"),
        (ties("ab", "xz"), SIX, "not among the people given: x, z"),
        (ties(), SIX, "no ties"),
        (ties("ab"), pd.Series({"a": 1, "b": 1}), "There are 1 groups"),
        (ties("ab"), pd.Series({"a": 1, "b": 2}), "Nobody shares a group"),
        (ties("ab"), pd.Series({"a": 1, "b": None}), "have no group: b"),
        (ties("ab"), pd.Series([1, 2, 2], index=["a", "b", "b"]), "more than one group: b"),
        (ties("ab"), pd.Series([1, 1, 2], index=["a", "b", None]), "1 of the people in groups have no id"),
        (pd.DataFrame({"from_id": ["a", None], "to_id": ["b", "c"]}), SIX, r"An end is missing in 1 ties \(rows 1"),
        (pd.DataFrame({"ego": ["a"], "to_id": ["b"]}), SIX, "from_id is missing"),
    ],
)
def test_ei_refuses_by_name(drawn: pd.DataFrame, groups: pd.Series, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        network.ei(drawn, groups)


@pytest.mark.parametrize(
    ("responded", "says"),
    [(["a", "z"], "no group: z"), ([], "Nobody responded"), (["a", "b", "c"], "not in responded: d")],
)
def test_responders_must_fit_the_ties(responded: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        network.ei(SEVEN, SIX, responded=responded)


def test_density_and_reciprocity_at_their_edges() -> None:
    assert network.density(ties(), ["a", "b"]) == 0
    assert network.density(SEVEN, SIX.index) == pytest.approx(7 / 30)
    assert network.reciprocity(SEVEN) == pytest.approx(4 / 7)
    with pytest.raises(ValueError, match="at least two people"):
        network.density(ties(), ["a"])
    with pytest.raises(ValueError, match="given more than once: a"):
        network.density(ties("ab"), ["a", "a", "b"])
    with pytest.raises(ValueError, match="1 of the people given have no id"):
        network.density(ties("ab"), ["a", "b", None])
    with pytest.raises(ValueError, match="given twice: a→b"):
        network.density(ties("ab", "ab"), ["a", "b"])
    with pytest.raises(ValueError, match="given twice: a→b"):
        network.reciprocity(ties("ab", "ab"))
    with pytest.raises(ValueError, match="An end is missing in 2 ties"):
        network.reciprocity(pd.DataFrame({"from_id": ["a", None, "b"], "to_id": [np.nan, "b", "a"]}))
    assert network.reciprocity(ties("ab")) == 0
    assert network.density(ties("ab", "ba"), ["a", "b"], directed=False) == 1
    with pytest.raises(ValueError, match="not among the people given: d, e"):
        network.density(SEVEN, ["a", "b", "c"])
    with pytest.raises(ValueError, match="no ties"):
        network.reciprocity(ties())
    with pytest.raises(ValueError, match="tied to themselves"):
        network.reciprocity(ties("aa"))


def test_ten_thousand_relabellings_of_three_hundred_people_are_quick() -> None:
    rng = np.random.default_rng(1)
    matrix = (rng.random((300, 300)) < 0.03) & ~np.eye(300, dtype=bool)
    drawn, groups = frame(matrix), pd.Series(rng.integers(12, size=300))
    times = []
    for _ in range(3):
        start = time.process_time()
        network.ei(drawn, groups, seed=1)
        times.append(time.process_time() - start)
    assert min(times) < 0.4  # measured .10 s on a busy machine
