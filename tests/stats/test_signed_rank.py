"""`change.signed_rank` against R's wilcox.test, coin and exactRankTests, against counting out, and at its edges."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evalkit.stats import change
from evalkit.stats.signed_ranks import EXACT_UP_TO

# Student (1908): hours of sleep gained by ten patients under two drugs; one gained the same under both
FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]

# Hollander & Wolfe (1973), p. 29: depression before and after; the example of ?wilcox.test
BEFORE = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
AFTER = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]

# Fifteen people on a scale of five steps: ties, and six who did not move
STEPS_1 = [3, 2, 4, 3, 5, 2, 1, 3, 4, 2, 3, 3, 4, 2, 5]
STEPS_2 = [4, 2, 5, 3, 4, 4, 2, 3, 5, 4, 3, 5, 4, 1, 5]


def test_untied_is_rs_wilcox_test() -> None:
    # R 4.2.2: wilcox.test(y, x, paired = TRUE, conf.int = TRUE)
    # V = 5, p-value = 0.0390625; 95 percent confidence interval -0.786 -0.010; (pseudo)median -0.46
    # at conf.level = .8: -0.691 -0.220
    found = change.signed_rank(BEFORE, AFTER)
    assert (found.statistic, found.p) == (5, 0.0390625)
    assert (found.estimate, found.low, found.high) == pytest.approx((-0.46, -0.786, -0.010), abs=1e-12)
    part = change.signed_rank(BEFORE, AFTER, confidence=0.8)
    assert (part.low, part.high) == pytest.approx((-0.691, -0.220), abs=1e-12)
    assert part.reached == pytest.approx(1 - 2 * 0.08203125)  # R: psignrank(10, 9), and qsignrank(.1, 9) is 11


def test_students_sleep_is_exact_with_its_zero_and_its_tie() -> None:
    # coin 1.4.2: pvalue(wilcoxsign_test(a ~ b, zero.method = "Pratt", distribution = "exact")) 0.00390625;
    # zero.method = "Wilcoxon": 0.00390625. exactRankTests 0.8.35: wilcox.exact(d): V = 45, (pseudo)median 1.4
    for zeros in ("pratt", "wilcoxon"):
        found = change.signed_rank(FIRST, SECOND, zeros=zeros)
        assert (found.p, found.n, found.n_zero, found.exact) == (0.00390625, 10, 1, True)
        assert found.smallest_p == 2 / 2**9
    assert change.signed_rank(FIRST, SECOND, zeros="wilcoxon").statistic == 45
    assert change.signed_rank(FIRST, SECOND, zeros="wilcoxon").estimate == pytest.approx(1.4)
    assert change.signed_rank(FIRST, SECOND).estimate == pytest.approx(1.3)  # the one who did not move is among them


def test_ties_and_zeros_are_coins() -> None:
    # coin 1.4.2: wilcoxsign_test(A ~ B, zero.method = "Pratt", distribution = "exact"): linear statistic 80,
    # p 0.09765625; zero.method = "Wilcoxon": p 0.0859375. exactRankTests: wilcox.exact(A, B, paired = TRUE): V = 38
    pratt = change.signed_rank(STEPS_1, STEPS_2)
    assert (pratt.statistic, pratt.p, pratt.n_zero) == (80, 0.09765625, 6)
    dropped = change.signed_rank(STEPS_1, STEPS_2, zeros="wilcoxon")
    assert (dropped.statistic, dropped.p) == (38, 0.0859375)


def test_eighty_people_are_rs_exact_test() -> None:
    # R: i <- 1:80; wilcox.test(sin(i) * 2 + .15, exact = TRUE, conf.int = TRUE)
    # V = 1889, p 0.198954683451, conf.int -0.126756968405 0.453813005150, (pseudo)median 0.154447553257
    d = np.sin(np.arange(1, 81)) * 2 + 0.15
    found = change.signed_rank(np.zeros(80), d)
    assert (found.statistic, found.p) == (1889, pytest.approx(0.198954683451, abs=1e-12))
    expected = (0.154447553257, -0.126756968405, 0.453813005150)
    assert (found.estimate, found.low, found.high) == pytest.approx(expected, abs=1e-12)


def test_many_people_are_rs_normal_approximation() -> None:
    # R: i <- 1:700; d <- sin(i) * 2 + .15; wilcox.test(d, exact = FALSE, correct = TRUE)$p.value 0.000355551982881;
    # wilcox.test(d, exact = TRUE, conf.int = TRUE): 0.0801268149731 0.2289515376434, 0.151938977523
    # dd <- round(d); wilcox.test(dd, exact = FALSE): V = 96939, p 0.00941058797473
    # coin: wilcoxsign_test(dd ~ rep(0, 700), zero.method = "Pratt"): Z = 2.38302582653
    d = np.sin(np.arange(1, 701)) * 2 + 0.15
    assert len(d) > EXACT_UP_TO
    found = change.signed_rank(np.zeros(700), d)
    assert (found.exact, found.p) == (False, pytest.approx(0.000355551982881, rel=1e-9))
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (0.151938977523, 0.0801268149731, 0.2289515376434), abs=5e-5
    )
    dropped = change.signed_rank(np.zeros(700), np.round(d), zeros="wilcoxon")
    assert (dropped.statistic, dropped.p) == (96939, pytest.approx(0.00941058797473, rel=1e-9))
    pratt = change.signed_rank(np.zeros(700), np.round(d))
    assert stats.norm.isf(pratt.p / 2) == pytest.approx(2.38302582653, abs=2e-3)  # ours corrects for continuity


steps = st.lists(st.integers(-3, 3), min_size=3, max_size=9)


@settings(deadline=None, max_examples=40)
@given(steps, st.sampled_from(["pratt", "wilcoxon"]))
def test_p_and_middle_are_those_counted_out(steps: list[int], zeros: str) -> None:
    d = np.array(steps, dtype=float)
    if np.ptp(d) == 0:
        return
    found = change.signed_rank(np.zeros(len(d)), d, zeros=zeros)  # type: ignore[arg-type]
    kept = d if zeros == "pratt" else d[d != 0]
    ranks = stats.rankdata(np.abs(kept))[kept != 0]
    moved = kept[kept != 0]
    sums = [np.dot(signs, ranks) for signs in product([0, 1], repeat=len(ranks))]
    middle, seen = ranks.sum() / 2, ranks[moved > 0].sum()
    assert found.p == pytest.approx(np.mean([abs(each - middle) >= abs(seen - middle) for each in sums]))
    means = sorted((kept[i] + kept[j]) / 2 for i in range(len(kept)) for j in range(i, len(kept)))
    assert found.estimate == pytest.approx(np.median(means), abs=1e-12)
    assert all(any(abs(each - end) < 1e-12 for each in means) or math.isinf(end) for end in (found.low, found.high))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-5, 5).map(lambda x: round(x, 1)), min_size=6, max_size=30))
def test_swapping_the_times_mirrors(d: list[float]) -> None:
    if np.ptp(d) == 0:
        return
    there, back = change.signed_rank(np.zeros(len(d)), d), change.signed_rank(d, np.zeros(len(d)))
    assert there.p == back.p
    assert (there.estimate, there.low, there.high) == pytest.approx((-back.estimate, -back.high, -back.low), abs=1e-9)


def test_rounding_makes_no_ranks() -> None:
    tenths = change.signed_rank([1.1, 0.1, 0.3, 2.0, 1.0], [1.3, 0.3, 0.1, 2.2, 1.0])
    whole = change.signed_rank([11, 1, 3, 20, 10], [13, 3, 1, 22, 10])
    assert (tenths.p, tenths.statistic, tenths.n_zero) == (whole.p, whole.statistic, whole.n_zero)


def test_too_few_pairs_leave_it_without_limits() -> None:
    five = change.signed_rank([1, 2, 3, 4, 5], [2, 2.5, 3.2, 4.9, 6.3])
    assert (five.p, five.smallest_p, five.low, five.high, five.reached) == (0.0625, 0.0625, -math.inf, math.inf, 1)
    less = change.signed_rank([1, 2, 3, 4, 5], [2, 2.5, 3.2, 4.9, 6.3], confidence=0.9375)
    assert (less.low, less.high, less.reached) == pytest.approx((0.2, 1.3, 0.9375))
    two = change.signed_rank([1, 2], [1, 3])
    assert (two.p, two.smallest_p, two.n_zero) == (1, 1, 1)


def test_signed_rank_refuses() -> None:
    with pytest.raises(ValueError, match="changed by exactly 0"):
        change.signed_rank([1, 2, 3], [1, 2, 3])
    with pytest.raises(ValueError, match="Two complete pairs"):
        change.signed_rank([1.0], [2.0])
    with pytest.raises(ValueError, match="choose one of pratt"):
        change.signed_rank(FIRST, SECOND, zeros="drop")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"95 % is 0\.95"):
        change.signed_rank(FIRST, SECOND, confidence=95)
