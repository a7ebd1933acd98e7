"""`clusters.means`, `.permute` and `.flip` against R, against what must not matter, and at their edges."""

from __future__ import annotations

from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evalkit.stats import clusters

# R version 4.2.2 Patched (2022-11-10 r83330), base R alone; lq2002 (multilevel 2.7), 8 teams
# > d <- read.csv("lq2002_8teams.csv"); m <- aggregate(LEAD ~ COMPID + PROG, d, mean)
# > t.test(m$LEAD[m$PROG == 1], m$LEAD[m$PROG == 0], var.equal = TRUE)
# t = -0.57506547, df = 6, p-value = 0.5861488; 95 percent confidence interval: -0.6107290405  0.3782923627
# > f <- function(k) mean(m$LEAD[k]) - mean(m$LEAD[-k]); all <- combn(8, 4, f); own <- f(which(m$PROG == 1))
# > print(c(own, sum(abs(all) >= abs(own) - 1e-12), length(all)), digits = 12)
# -0.116218338873 38.000000000000 70.000000000000
# > v <- m$LEAD - 2.8; t.test(v)
# mean 0.2935161236, t 3.054412804, p 0.01846810031, 95 percent 0.06628575607 to 0.52074649111
# > s <- as.matrix(expand.grid(rep(list(c(1, -1)), 8))) %*% v / 8
# > print(c(mean(v), sum(abs(s) >= abs(mean(v)) - 1e-12), length(s)), digits = 12)
# 0.293516123588   6.000000000000 256.000000000000

TEAMS = list("aabbccddeeff")
ARM = [True] * 6 + [False] * 6


@pytest.fixture(scope="module")
def people(reference: Path) -> pd.DataFrame:
    return pd.read_csv(reference / "people" / "lq2002_8teams.csv")


@pytest.mark.reference
def test_two_arms_are_the_t_test_and_the_enumeration_of_r(people: pd.DataFrame) -> None:
    found = clusters.means(people["LEAD"], people["COMPID"], people["PROG"] == 1)
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (-0.116218338873, -0.6107290405, 0.3782923627), abs=1e-9
    )
    assert found.estimate / found.se == pytest.approx(-0.57506547, abs=1e-8)
    assert (found.df, found.p) == (6, pytest.approx(0.5861488, abs=1e-7))
    beside = found.permuted
    assert (beside.estimate, beside.p) == pytest.approx((-0.116218338873, 38 / 70), abs=1e-11)
    assert (beside.allocations, beside.exact, beside.seed, beside.clusters_treated) == (70, True, None, 4)
    assert beside == clusters.permute(people["LEAD"], people["PROG"], people["COMPID"])


@pytest.mark.reference
def test_one_sample_is_the_t_test_and_the_enumeration_of_r(people: pd.DataFrame) -> None:
    found = clusters.means(people["LEAD"] - 2.8, people["COMPID"])
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (0.2935161236, 0.06628575607, 0.52074649111), abs=1e-9
    )
    assert (found.df, found.p) == (7, pytest.approx(0.01846810031, abs=1e-10))
    assert (found.permuted.p, found.permuted.allocations, found.permuted.clusters_treated) == (6 / 256, 256, None)
    assert found.permuted == clusters.flip(people["LEAD"] - 2.8, people["COMPID"])


@pytest.mark.reference
def test_teams_stand_in_order_of_their_names(people: pd.DataFrame) -> None:
    teams = clusters.means(people["LEAD"], "team " + people["COMPID"].astype(str), people["PROG"] == 1).teams
    assert list(teams) == ["group", "n", "mean", "treated"]
    assert list(teams["group"]) == [f"team {name}" for name in (10, 2, 3, 4, 5, 6, 7, 9)]
    assert list(teams["n"]) == [29, 24, 37, 45, 58, 12, 15, 13]
    theirs = people.groupby("COMPID")["LEAD"].mean()
    np.testing.assert_allclose(teams["mean"], theirs.loc[[10, 2, 3, 4, 5, 6, 7, 9]], rtol=1e-12)
    assert list(clusters.means([1, 2, 4], ["b", "a", "c"]).teams) == ["group", "n", "mean"]


@pytest.mark.parametrize(
    ("treated", "others", "least"),
    [(1, 18, 1 / 19), (3, 3, 0.10), (4, 4, 2 / 70), (3, 4, 1 / 35), (1, 1, 1.0), (2, 2, 1 / 3), (1, 2, 1 / 3)],
)
def test_smallest_p_is_what_the_clearest_difference_reaches(treated: int, others: int, least: float) -> None:
    rng = np.random.default_rng(3)
    y = np.concatenate([10 + rng.normal(size=treated), rng.normal(size=others)])
    found = clusters.permute(y, np.arange(treated + others) < treated, np.arange(treated + others))
    assert found.smallest_p == pytest.approx(least)
    assert found.p == found.smallest_p
    assert found.allocations == comb(treated + others, treated)


@pytest.mark.parametrize(("teams", "least"), [(4, 0.125), (5, 0.0625), (6, 0.03125), (7, 0.015625)])
def test_smallest_p_of_sign_flips(teams: int, least: float) -> None:
    # the design note on inference, part (c): .125, .0625, .031, .016
    found = clusters.flip(np.arange(1.0, teams + 1), np.arange(teams))
    assert (found.p, found.smallest_p) == (least, least)


def test_equals_scipys_exact_permutation_tests() -> None:
    rng = np.random.default_rng(11)
    means = rng.normal(size=11).round(1)  # rounded, so that sums tie

    def difference(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
        return np.abs(a.mean(axis=axis) - b.mean(axis=axis))

    theirs = stats.permutation_test(
        (means[:4], means[4:]), difference, n_resamples=np.inf, alternative="greater", vectorized=True
    )
    assert clusters.permute(means, np.arange(11) < 4, range(11)).p == pytest.approx(theirs.pvalue)

    def size(a: np.ndarray, axis: int) -> np.ndarray:
        return np.abs(a.mean(axis=axis))

    flipped = stats.permutation_test(
        (means,), size, permutation_type="samples", n_resamples=np.inf, alternative="greater", vectorized=True
    )
    assert clusters.flip(means, range(11)).p == pytest.approx(flipped.pvalue)


def test_equal_teams_give_what_cr2_gives() -> None:
    rng = np.random.default_rng(8)
    groups = np.repeat(np.arange(6), 4)
    y = rng.normal(size=24) + rng.normal(size=6)[groups]
    fit = clusters.cr2(y, np.column_stack([np.ones(24), groups < 3]), groups)
    found = clusters.means(y, groups, groups < 3)
    assert (found.estimate, found.low, found.high, found.p) == pytest.approx(
        (fit.estimate[1], fit.low[1], fit.high[1], fit.p[1]), rel=1e-9
    )
    assert found.interval(0.97) == pytest.approx(tuple(fit.interval(0.97)[1]), rel=1e-9)


@given(
    answers=st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=4), min_size=3, max_size=8),
    shift=st.sampled_from([0.0, 0.1, -7.3, 1e6]),
    order=st.randoms(use_true_random=False),
)
def test_names_order_and_a_shift_do_not_matter(answers: list[list[int]], shift: float, order: object) -> None:
    team = np.repeat(np.arange(len(answers)), [len(those) for those in answers])
    y, treated = np.concatenate(answers).astype(float), team % 2 == 0
    rows = list(range(len(y)))
    order.shuffle(rows)  # type: ignore[attr-defined]
    once = clusters.means(y, team, treated)
    again = clusters.means(y[rows] + shift, [f"t{9 - one}" for one in team[rows]], treated[rows])
    swapped = clusters.means(y, team, ~treated)
    assert again.estimate == pytest.approx(once.estimate, abs=1e-8)
    assert swapped.estimate == pytest.approx(-once.estimate, abs=1e-12)
    for other in (again, swapped):
        assert other.permuted.p == once.permuted.p
        assert other.p == pytest.approx(once.p, rel=1e-5, nan_ok=True)
    assert once.permuted.smallest_p <= once.permuted.p <= 1
    flipped, turned = clusters.flip(y - 2, team), clusters.flip(2 - y, team)
    assert flipped.smallest_p <= flipped.p <= 1
    assert (turned.p, turned.estimate) == (flipped.p, pytest.approx(-flipped.estimate, abs=1e-12))


def test_a_team_counts_once_whatever_its_size() -> None:
    found = clusters.means([1] * 50 + [2, 4], ["big"] * 50 + ["b", "c"])
    assert found.estimate == pytest.approx(7 / 3)
    assert (found.n, found.clusters, found.df) == (52, 3, 2)


def test_a_draw_counts_the_observed_and_can_be_repeated() -> None:
    y, team = np.random.default_rng(1).normal(0.5, size=30), np.arange(30)
    for ask in (
        lambda **how: clusters.permute(y, team < 9, team, **how),
        lambda **how: clusters.flip(y, team, **how),
    ):
        once, again = (ask(allocations=500, seed=7) for _ in range(2))
        assert (once.allocations, once.exact, once.seed, once.smallest_p) == (500, False, 7, 1 / 500)
        assert once == again
        assert round(once.p * 500) == pytest.approx(once.p * 500)
        unseeded = ask(allocations=500)
        assert ask(allocations=500, seed=unseeded.seed).p == unseeded.p
        assert ask(allocations=1).p == 1


def test_draws_come_near_all_there_are() -> None:
    y, team = np.random.default_rng(4).normal(0.25, size=16), np.arange(16)
    for exact, drawn in (
        (clusters.permute(y, team < 8, team), clusters.permute(y, team < 8, team, allocations=12_000, seed=2)),
        (clusters.flip(y, team), clusters.flip(y, team, allocations=12_000, seed=2)),
    ):
        assert (exact.exact, drawn.exact) == (True, False)
        assert drawn.p == pytest.approx(exact.p, abs=4 * np.sqrt(exact.p * (1 - exact.p) / 12_000))


def test_draws_come_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evalkit.stats.cluster_means.CELLS", 100)
    y, team = np.random.default_rng(4).normal(size=30), np.arange(30)
    exact = clusters.permute(y, team < 3, team)
    drawn = clusters.permute(y, team < 3, team, allocations=2000, seed=2)
    assert exact.allocations == comb(30, 3)
    assert drawn.p == pytest.approx(exact.p, abs=0.05)


def test_no_spread_gives_no_interval_and_relabelling_still_counts() -> None:
    apart = clusters.means([3, 3, 1, 1], list("abcd"), [1, 1, 0, 0])
    assert (apart.estimate, apart.se, apart.permuted.p) == (2, 0, pytest.approx(1 / 3))
    same = clusters.means([0.1 + 0.2] * 6, list("aabbcc"))
    assert same.permuted.p == same.permuted.smallest_p == 0.25
    nothing = clusters.means([2.0] * 4, list("abcd"), [1, 0, 1, 0])
    assert (nothing.estimate, nothing.permuted.p) == (0, 1)
    for found in (apart, same, nothing):
        assert np.isnan([found.low, found.high, found.p, *found.interval(0.9)]).all()


def test_an_observed_difference_of_nothing_ties_with_all() -> None:
    assert clusters.permute([0.1, 0.5, 0.2, 0.4], [1, 1, 0, 0], list("abcd")).p == 1
    assert clusters.flip([0.1, 0.2, -0.3], list("abc")).p == 1


def test_two_teams_are_computed_where_they_say_anything() -> None:
    found = clusters.means([1.0, 3.0], ["a", "b"])
    assert (found.df, found.permuted.p, found.permuted.smallest_p) == (1, 0.5, 0.5)
    assert found.low < 0 < found.high
    alone = clusters.permute([1.0, 3.0], [True, False], ["a", "b"])
    assert (alone.estimate, alone.p, alone.smallest_p) == (-2, 1, 1)
    with pytest.raises(ValueError, match="one in each arm"):
        clusters.means([1.0, 3.0], ["a", "b"], [True, False])


@pytest.mark.parametrize(
    ("y", "groups", "treated", "says"),
    [
        ([1, 2], ["a", "a"], None, "there is 1"),
        ([], [], None, "there is 0"),
        ([1], ["a"], None, "there is 1"),
        ([1, np.nan, 2], ["a", "b", None], None, "1 numbers and 1 groups"),
        ([1, None, 2], ["a", "b", "c"], None, "1 numbers and 0 groups"),
        ([1, np.inf, 2], ["a", "b", "c"], None, "1 infinite"),
        ([1, 2, 3], ["a", "b"], None, "cluster of 2 rows"),
        ([1, 2, 3], ["a", "b", "b"], [1, 0], "3 rows, but 2 values"),
        ([1, 2, 3], ["a", "b", "b"], [1, 0, 1], "Rows of b are in both arms"),
        ([1, 2, 3], ["a", "b", "b"], [1, 1, 1], "All 2 teams are in one arm"),
        ([1, 2, 3], ["a", "b", "b"], [0, 0, 0], "All 2 teams are in one arm"),
        ([1, 2, 3], ["a", "b", "b"], [1, None, 0], "other than true and false"),
        ([1, 2, 3], ["a", "b", "b"], ["yes", "no", "no"], "other than true and false"),
    ],
)
def test_refusals(y: list[float], groups: list[object], treated: list[object] | None, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        clusters.means(y, groups, treated)
    with pytest.raises(ValueError, match=says):
        clusters.flip(y, groups) if treated is None else clusters.permute(y, treated, groups)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="1 or more, not 0"):
        clusters.flip([1, 2, 3], list("abc"), allocations=0)
    with pytest.raises(ValueError, match="confidence"):
        clusters.means([1, 2, 3], list("abc"), confidence=95)


def test_the_level_is_kept_with_six_teams() -> None:
    """1,500 sets in which nothing happened, 3 v 3: t near 5 %, relabelling never, its least p being .10."""
    rng = np.random.default_rng(6)
    groups = np.repeat(np.arange(6), 8)
    sets = rng.normal(size=(1500, 48)) + 0.42 * rng.normal(size=(1500, 6))[:, groups]
    found = [clusters.means(y, groups, groups < 3) for y in sets]
    assert 0.035 <= np.mean([one.p <= 0.05 for one in found]) <= 0.067
    assert min(one.permuted.p for one in found) == pytest.approx(0.10)
