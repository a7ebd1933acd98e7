"""`change.permute` against enumeration in R, coin and exactRankTests, against `clusters.flip`, and at its edges."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import change, clusters

FIRST = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
SECOND = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
STEPS_1 = [3, 2, 4, 3, 5, 2, 1, 3, 4, 2, 3, 3, 4, 2, 5]
STEPS_2 = [4, 2, 5, 3, 4, 4, 2, 3, 5, 4, 3, 5, 4, 1, 5]


def test_students_sleep_is_counted_out_as_in_r() -> None:
    # R 4.2.2: d <- second - first; g <- as.matrix(expand.grid(rep(list(c(1, -1)), 10))); s <- g %*% d
    # c(sum(abs(s) >= abs(sum(d)) - 1e-9), length(s)):  4 1024
    # coin 1.4.2: pvalue(oneway_test(y ~ drug | patient, distribution = "exact")) 0.00390625
    # the interval: all th whose p(th), of d - th by the same g, is above .05, found by uniroot: 0.8333333 2.4666667
    found = change.permute(FIRST, SECOND)
    assert (found.p, found.permutations, found.exact, found.seed, found.mc_error) == (4 / 1024, 1024, True, None, 0)
    assert (found.estimate, found.low, found.high) == pytest.approx((1.58, 0.8333333333, 2.4666666667), abs=1e-9)
    assert (found.smallest_p, found.turned, found.n) == (2 / 1024, 10, 10)


def test_ties_and_zeros_are_counted_out_as_in_r() -> None:
    # The same in R for fifteen people on a scale of five steps: 3200 32768. coin: 0.09765625
    found = change.permute(STEPS_1, STEPS_2)
    assert (found.p, found.permutations) == (3200 / 32768, 32768)


answers = st.lists(st.integers(-30, 30).map(lambda value: value / 10), min_size=3, max_size=9)


@settings(deadline=None, max_examples=40)
@given(answers, st.sampled_from([0.8, 0.95]))
def test_the_interval_holds_what_the_same_turns_do_not_refuse(d: list[float], confidence: float) -> None:
    if np.ptp(d) < 1e-6:
        return
    found = change.permute(np.zeros(len(d)), d, confidence=confidence)

    def refused(value: float) -> bool:
        moved = np.array(d) - value
        if np.ptp(moved) < 1e-9:
            return False
        return change.permute(np.zeros(len(d)), moved).p <= 1 - confidence + 1e-12

    step = 1e-4
    if math.isfinite(found.low):
        assert not refused(found.low + step / 10)
        assert refused(found.low - step)
    if math.isfinite(found.high):
        assert not refused(found.high - step / 10)
        assert refused(found.high + step)


def test_teams_turn_together_as_in_clusters_flip() -> None:
    teams = list("aaabbccdde")
    found, other = change.permute(FIRST, SECOND, teams=teams), clusters.flip(SECOND - FIRST, teams)
    assert (found.p, found.estimate, found.permutations) == pytest.approx((other.p, other.estimate, 32))
    assert (found.turned, found.n, found.smallest_p) == (5, 10, other.smallest_p)
    assert (found.low, found.high) == (-math.inf, math.inf)


def test_people_without_a_pair_need_no_team() -> None:
    before, after = np.append(FIRST, [1.0, np.nan]), np.append(SECOND, [np.nan, np.nan])
    found = change.permute(before, after, teams=[*"aaabbccdde", None, "f"])
    assert (found.turned, found.n, found.n_before) == (5, 10, 11)


def test_draws_come_near_all_turns_and_can_be_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    every = change.permute(STEPS_1, STEPS_2)
    monkeypatch.setattr("evalkit.stats.sign_flips.ALL_UP_TO", 5)
    drawn = change.permute(STEPS_1, STEPS_2, permutations=20_000, seed=1)
    assert (drawn.exact, drawn.permutations, drawn.seed) == (False, 20_000, 1)
    assert abs(drawn.p - every.p) < 4 * drawn.mc_error
    assert drawn.mc_error == pytest.approx(math.sqrt(every.p * (1 - every.p) / 20_000), rel=0.05)
    assert (drawn.low, drawn.high) == pytest.approx((every.low, every.high), abs=0.05)
    assert change.permute(STEPS_1, STEPS_2, permutations=20_000, seed=1) == drawn
    fresh = change.permute(STEPS_1, STEPS_2, permutations=99)
    assert change.permute(STEPS_1, STEPS_2, permutations=99, seed=fresh.seed) == fresh


def test_the_p_of_draws_counts_the_observed() -> None:
    rng = np.random.default_rng(1)
    far = change.permute(np.zeros(30), rng.normal(5, 1, 30), permutations=199, seed=1)
    assert (far.p, far.smallest_p) == (1 / 200, 1 / 200)


@settings(deadline=None, max_examples=30)
@given(answers)
def test_swapping_the_times_mirrors(d: list[float]) -> None:
    if np.ptp(d) < 1e-6:
        return
    there, back = change.permute(np.zeros(len(d)), d), change.permute(d, np.zeros(len(d)))
    assert there.p == back.p
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-9)
    assert there.p >= there.smallest_p


def test_permute_refuses() -> None:
    with pytest.raises(ValueError, match="changed by exactly 1"):
        change.permute([1, 2, 3], [2, 3, 4])
    with pytest.raises(ValueError, match="Two complete pairs"):
        change.permute([1.0], [2.0])
    with pytest.raises(ValueError, match="permutations must be 1 or more"):
        change.permute(FIRST, SECOND, permutations=0)
    with pytest.raises(ValueError, match="team of 3 people, but there are 10"):
        change.permute(FIRST, SECOND, teams=["a", "b", "c"])
    with pytest.raises(ValueError, match="1 groups are missing"):
        change.permute(FIRST, SECOND, teams=[*"aaabbccdd", None])
    with pytest.raises(ValueError, match="at least two are needed"):
        change.permute(FIRST, SECOND, teams=["a"] * 10)
    with pytest.raises(ValueError, match="Every team changed by 2"):
        change.permute([1, 1, 1, 1], [2, 4, 2, 4], teams=list("aabb"))
    people = pd.Index(list("abcdefghij"))
    with pytest.raises(ValueError, match="different indexes"):
        change.permute(pd.Series(FIRST, people), pd.Series(SECOND, people), teams=pd.Series(list("aaabbccdde")))
