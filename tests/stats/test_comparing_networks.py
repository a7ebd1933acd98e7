"""`stats.network.qap`, `jaccard` and `turnover` against sna, against every order counted out, and at their edges."""

from __future__ import annotations

import itertools
import math
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from evalkit.stats import comparing_networks, network


def ties(*pairs: str) -> pd.DataFrame:
    """'ab' is a tie from a to b."""
    return pd.DataFrame({"from_id": [p[0] for p in pairs], "to_id": [p[1] for p in pairs]})


def drawn(rng: np.random.Generator, n: int, density: float, *, valued: bool = False) -> np.ndarray:
    matrix = (rng.random((n, n)) < density) & ~np.eye(n, dtype=bool)
    return matrix * (rng.normal(3, 1, size=(n, n)) if valued else 1.0)


def r(a: np.ndarray, b: np.ndarray) -> float:
    apart = ~np.eye(len(a), dtype=bool)
    return float(np.corrcoef(a[apart], b[apart])[0, 1])


def every_order(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    orders = itertools.permutations(range(len(a)))
    return np.array([r(a, b[np.ix_(order, order)]) for order in orders])


@pytest.fixture(scope="session")
def managers(reference: Path) -> pd.DataFrame:
    return pd.read_csv(reference / "people" / "krackhardt_hightech_ties.csv")


def square(managers: pd.DataFrame, relation: str) -> pd.DataFrame:
    return managers.pivot(index="ego", columns="alter", values=relation)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("relation", "gcor", "p_higher", "low", "high"),
    [
        # R sna 2.7-1: g <- array(dim = c(2, 21, 21)), advice and friendship (reports to); gcor(advice, ...);
        # set.seed(1); qaptest(g, gcor, g1 = 1, g2 = 2, reps = 20000): p(f(perm) >= f(d)), 2.5 % and 97.5 % of dist
        ("friendship_tie", 0.154585452048, 0.02005, -0.13546148, 0.14342980),
        ("reports_to_tie", 0.223558182292, 0.0, -0.090920792, 0.111244263),
    ],
)
def test_krackhardts_managers_are_snas(
    managers: pd.DataFrame, relation: str, gcor: float, p_higher: float, low: float, high: float
) -> None:
    advice = square(managers, "advice_tie")
    found = network.qap(advice, square(managers, relation), permutations=20_000, seed=1)
    assert found.estimate == pytest.approx(gcor, abs=1e-11)
    assert found.p_higher == pytest.approx(p_higher, abs=5 * math.sqrt(2 * 0.02 / 20_000))
    assert (found.chance_low, found.chance_high) == pytest.approx((low, high), abs=0.01)
    assert (found.n, found.permutations, found.exact, found.seed) == (21, 20_000, False, 1)
    if relation == "friendship_tie":  # mean(abs(dist) >= abs(testval)) of the 20,000
        assert found.p == pytest.approx(0.03395, abs=0.008)


@pytest.mark.reference
def test_strengths_are_snas(managers: pd.DataFrame) -> None:
    # R sna 2.7-1: gcor(advice + 2 * friendship, reports + .5 * friendship) = .742526299753
    advice, friends, reports = (square(managers, f"{name}_tie") for name in ("advice", "friendship", "reports_to"))
    found = network.qap(advice + 2 * friends, reports + 0.5 * friends, permutations=200, seed=1)
    assert found.estimate == pytest.approx(0.742526299753, abs=1e-11)


@pytest.mark.reference
def test_ties_in_both_of_krackhardts_relations(managers: pd.DataFrame) -> None:
    # R 4.2.2: sum(advice & friendship) 60, sum(advice | friendship) 232, 60/232 = .258620689655; 190 and 102 ties
    first, second = (
        managers[managers[relation] == 1].rename(columns={"ego": "from_id", "alter": "to_id"})
        for relation in ("advice_tie", "friendship_tie")
    )
    kept = network.jaccard(first, second)
    assert (kept.kept, kept.n, kept.ties_before, kept.ties_after) == (60, 232, 190, 102)
    assert kept.estimate == pytest.approx(0.258620689655, abs=1e-12)


@given(st.integers(0, 10_000), st.integers(3, 14), st.booleans())
def test_r_is_numpys_and_the_order_of_people_is_nothing(seed: int, n: int, valued: bool) -> None:
    rng = np.random.default_rng(seed)
    a, b = (drawn(rng, n, density, valued=valued) for density in (0.3, 0.6))
    apart = ~np.eye(n, dtype=bool)
    assume(np.ptp(a[apart]) and np.ptp(b[apart]))
    found = network.qap(a, b, permutations=0)
    assert found.estimate == pytest.approx(r(a, b), abs=1e-12)
    assert network.qap(b, a, permutations=0).estimate == pytest.approx(found.estimate, abs=1e-12)
    assert network.qap(a * 7 - 3, b, permutations=0).estimate == pytest.approx(found.estimate, abs=1e-12)
    labels = [f"p{number}" for number in range(n)]
    order, across = rng.permutation(labels), rng.permutation(labels)
    framed = pd.DataFrame(b, index=labels, columns=labels).loc[order, across]
    again = network.qap(pd.DataFrame(a, index=labels, columns=labels), framed, permutations=0)
    assert again.estimate == pytest.approx(found.estimate, abs=1e-12)


@pytest.mark.parametrize("valued", [False, True])
@pytest.mark.parametrize("sparse", [0.0, 1.0])
def test_p_over_every_order_is_exact_whichever_way_it_is_counted(
    valued: bool, sparse: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing_networks, "SPARSE", sparse)  # ties one by one, or networks as a whole
    rng = np.random.default_rng(4)
    a, b = (drawn(rng, 5, density, valued=valued) for density in (0.3, 0.5))
    dealt = every_order(a, b)
    found = network.qap(a, b)
    assert (found.exact, found.permutations, found.seed) == (True, 120, None)
    assert found.estimate == pytest.approx(dealt[0])
    assert found.p == pytest.approx((np.abs(dealt) >= abs(dealt[0]) - 1e-9).mean())
    assert found.p_higher == pytest.approx((dealt >= dealt[0] - 1e-9).mean())
    assert found.p_lower == pytest.approx((dealt <= dealt[0] + 1e-9).mean())
    assert found.smallest_p == pytest.approx((np.abs(dealt) >= np.abs(dealt).max() - 1e-9).mean())
    assert dealt.mean() == pytest.approx(0, abs=1e-12)
    assert found.chance_low == pytest.approx(np.quantile(dealt, 0.025, method="inverted_cdf"))
    assert found.chance_high == pytest.approx(np.quantile(dealt, 0.975, method="inverted_cdf"))


@pytest.mark.parametrize("valued", [False, True])
def test_orders_drawn_agree_with_every_order(valued: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(11)
    a = drawn(rng, 7, 0.4, valued=valued)
    b = np.where(rng.random((7, 7)) < 0.3, a, drawn(rng, 7, 0.4, valued=valued))
    exact = network.qap(a, b, permutations=5040)
    few = network.qap(a, b, permutations=5039, seed=2)
    assert (exact.exact, few.exact, few.seed) == (True, False, 2)
    assert 0.002 < exact.p < 0.5
    assert few.p == pytest.approx(exact.p, abs=5 * math.sqrt(exact.p / 5039) + 1e-3)
    assert few.p_higher + few.p_lower >= 1
    monkeypatch.setattr(comparing_networks, "SPARSE", 1.0)
    assert network.qap(a, b, permutations=5039, seed=2).p == few.p
    monkeypatch.setattr(comparing_networks, "CELLS", 50)
    assert network.qap(a, b, permutations=5039, seed=2).p == few.p


def test_a_star_can_never_tell_anything() -> None:
    # One person named by all of 5: an order keeps the star when it keeps its middle, 4! of 5!, so no p is under 1/5.
    star = np.zeros((5, 5))
    star[1:, 0] = 1
    found = network.qap(star, star)
    assert found.estimate == pytest.approx(1)
    assert found.p == found.smallest_p == found.p_higher == pytest.approx(1 / 5)
    many = np.zeros((30, 30))
    many[1:, 0] = 1
    drawn_only = network.qap(many, many, permutations=3000, seed=1)
    assert drawn_only.p == drawn_only.smallest_p == pytest.approx(1 / 30, abs=0.015)


def test_a_seed_gives_the_same_and_none_is_recorded() -> None:
    rng = np.random.default_rng(3)
    a, b = drawn(rng, 12, 0.3), drawn(rng, 12, 0.3)
    once = network.qap(a, b, permutations=300)
    assert once.seed is not None
    assert network.qap(a, b, permutations=300, seed=once.seed) == once
    none = network.qap(a, b, permutations=0)
    assert math.isnan(none.p)
    assert math.isnan(none.smallest_p)
    assert math.isnan(none.chance_low)
    assert (none.seed, none.permutations) == (None, 0)
    assert none.estimate == once.estimate


def test_the_diagonal_is_not_read() -> None:
    rng = np.random.default_rng(3)
    a, b = drawn(rng, 8, 0.4), drawn(rng, 8, 0.4)
    plain = network.qap(a, b, permutations=99, seed=1)
    np.fill_diagonal(a, np.nan)
    np.fill_diagonal(b, 5.0)
    assert network.qap(a, b, permutations=99, seed=1) == plain
    assert np.isnan(a[0, 0])  # what was given is left as it was
    assert b[0, 0] == 5


def test_p_keeps_its_promise_when_networks_have_nothing_to_do_with_each_other() -> None:
    # 400 pairs, each with people who name many and people who name few: P(p <= .1) is .1; .16 is 4 SE away
    rng = np.random.default_rng(8)
    small = 0
    for _ in range(400):
        busy = rng.random((2, 15, 1)) * 0.5
        a, b = ((rng.random((15, 15)) < each).astype(float) for each in busy)
        small += network.qap(a, b, permutations=199, seed=int(rng.integers(1 << 30))).p <= 0.1
    assert 0.05 < small / 400 < 0.16


EYE = np.eye(4)[[1, 2, 3, 0]]
NAMED = pd.DataFrame(EYE, index=list("abcd"), columns=list("abcd"))


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        (EYE[:3], EYE, "a must be square"),
        (EYE, EYE[0], "b must be square"),
        (EYE, np.eye(5)[[1, 2, 3, 4, 0]], "a has 4 people and b has 5"),
        (EYE[:2, :2], EYE, "a has 2 people"),
        (np.empty((0, 0)), EYE, "a has 0 people"),
        (EYE, np.zeros((4, 4)), "In b every pair has the same value"),
        (1 - np.eye(4), EYE, "In a every pair has the same value"),
        (np.where(EYE == 1, np.nan, 0), EYE, "a holds 4 missing or infinite values"),
        (np.where(EYE == 1, np.inf, 0), EYE, "a holds 4 missing or infinite values"),
        (NAMED, EYE, "a frame with labels and the other is not"),
        (NAMED, NAMED.rename(index={"a": "z"}), "b needs each person once"),
        (NAMED, NAMED.rename(index={"a": "z"}, columns={"a": "z"}), "in one network only: a, z"),
        (NAMED.rename(index={"a": "b"}), NAMED, "a needs each person once"),
    ],
)
def test_qap_refuses(a: object, b: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        network.qap(a, b)  # type: ignore[arg-type]


def test_fewer_than_no_orders_are_refused() -> None:
    with pytest.raises(ValueError, match="permutations = -1"):
        network.qap(EYE, EYE, permutations=-1)


def test_ties_kept_by_hand() -> None:
    before, after = ties("ab", "bc", "cd", "da", "ea"), ties("ab", "cb", "cd", "ac")
    kept = network.jaccard(before, after)
    assert (kept.kept, kept.created, kept.dissolved, kept.n) == (2, 2, 3, 7)
    assert kept.estimate == pytest.approx(2 / 7)
    assert (kept.left_out_before, kept.left_out_after, kept.people) == (0, 0, None)
    stayed = network.jaccard(before, after, people=["a", "b", "c"])
    assert (stayed.kept, stayed.created, stayed.dissolved) == (1, 2, 1)
    assert (stayed.left_out_before, stayed.left_out_after, stayed.people) == (3, 1, 3)
    either = network.jaccard(before, after, people=["a", "b", "c"], directed=False)
    assert (either.kept, either.created, either.dissolved) == (2, 1, 0)


@given(st.integers(0, 10_000), st.integers(2, 9), st.booleans())
def test_ties_kept_are_those_of_sets(seed: int, n: int, directed: bool) -> None:
    rng = np.random.default_rng(seed)
    frames = [pd.DataFrame(np.argwhere(drawn(rng, n, 0.4)), columns=["from_id", "to_id"]) for _ in range(2)]
    stayers = [int(each) for each in rng.permutation(n)[: rng.integers(n + 1)]]
    before, after = (
        {
            (i, j) if directed else (min(i, j), max(i, j))
            for i, j in each.itertuples(index=False)
            if {i, j} <= set(stayers)
        }
        for each in frames
    )
    assume(before | after)
    kept = network.jaccard(*frames, people=stayers, directed=directed)
    assert kept.estimate == pytest.approx(len(before & after) / len(before | after))
    assert (kept.kept, kept.created, kept.dissolved) == (
        len(before & after), len(after - before), len(before - after),
    )  # fmt: skip
    if directed:
        assert kept.ties_before + kept.left_out_before == len(frames[0])
        assert kept.ties_after + kept.left_out_after == len(frames[1])
    back = network.jaccard(frames[1], frames[0], people=stayers, directed=directed)
    assert (back.estimate, back.created, back.dissolved) == (kept.estimate, kept.dissolved, kept.created)


def test_ties_kept_at_their_edges() -> None:
    assert network.jaccard(ties("ab"), ties("ab")).estimate == 1
    assert network.jaccard(ties(), ties("ab")).estimate == 0
    with pytest.raises(ValueError, match="Neither network has a tie, so"):
        network.jaccard(ties(), ties())
    with pytest.raises(ValueError, match="Neither network has a tie between the 2 people given"):
        network.jaccard(ties("ab"), ties("bc"), people=["a", "c"])
    with pytest.raises(ValueError, match="given more than once: a"):
        network.jaccard(ties("ab"), ties("ab"), people=["a", "a", "b"])
    with pytest.raises(ValueError, match="tied to themselves: a"):
        network.jaccard(ties("ab"), ties("aa"))
    with pytest.raises(ValueError, match="given twice: a→b"):
        network.jaccard(ties("ab", "ab"), ties("ab"))
    with pytest.raises(ValueError, match="An end is missing in 1 ties"):
        network.jaccard(pd.DataFrame({"from_id": ["a", None], "to_id": ["b", "c"]}), ties("ab"))


@given(st.sets(st.integers(0, 15), min_size=1), st.sets(st.integers(0, 15)))
def test_turnover_is_that_of_sets(before: set[int], after: set[int]) -> None:
    moved = network.turnover(before, after)
    assert set(moved.stayers) == before & after
    assert set(moved.leavers) == before - after
    assert set(moved.joiners) == after - before
    assert (moved.n, moved.n_after) == (len(before), len(after))
    assert moved.estimate == pytest.approx(len(before & after) / len(before))
    assert moved.joined == (pytest.approx(len(after - before) / len(after)) if after else None)
    low, high = proportion_confint(len(before & after), len(before), method="wilson")
    assert (moved.low, moved.high) == pytest.approx((low, high), abs=1e-9)


def test_turnover_at_its_edges() -> None:
    moved = network.turnover(["d", "a", "c"], pd.Series(["c", "e", "d"]))
    assert (moved.stayers, moved.leavers, moved.joiners) == (("d", "c"), ("a",), ("e",))
    assert network.turnover(["a"], []).estimate == 0
    assert network.turnover(["a"], []).joined is None
    wide, narrow = (network.turnover("abcd", "bcde", confidence=level) for level in (0.97, 0.9))
    assert wide.low < narrow.low < narrow.high < wide.high
    with pytest.raises(ValueError, match="nobody before"):
        network.turnover([], ["a"])
    with pytest.raises(ValueError, match="given more than once: a"):
        network.turnover(["a", "a"], ["a"])
    with pytest.raises(ValueError, match="1 of the people given have no id"):
        network.turnover(["a", None], ["a"])


def test_ten_thousand_orders_of_three_hundred_people_are_quick() -> None:
    rng = np.random.default_rng(1)
    a, b = drawn(rng, 300, 0.03), drawn(rng, 300, 0.03)
    times = []
    for _ in range(3):
        start = time.process_time()
        network.qap(a, b, seed=1)
        times.append(time.process_time() - start)
    assert min(times) < 0.6  # measured .16 s on a busy machine
