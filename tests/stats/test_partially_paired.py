"""`change.partially_paired` against Derrick's own R package, against its two limits, and at its edges."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import change


def keyed(*values: float, start: int = 0) -> pd.Series:
    return pd.Series(values, index=[f"p{start + i:02d}" for i in range(len(values))], dtype=float)


# Derrick, Toher & White (2017), TQMP 13(2), 120-126: eight in both samples, eight more in each
A_PAIRED, A_SINGLE = (14, 15, 18, 20, 11, 19, 14, 15), (20, 21, 16, 18, 14, 12, 14, 17)
B_PAIRED, B_SINGLE = (15, 10, 15, 17, 13, 19, 12, 13), (10, 16, 18, 16, 15, 14, 13, 10)


def test_the_worked_example_is_that_of_the_r_package() -> None:
    # R 4.2.2, Partiallyoverlapping 2.0 (its example, there with var.equal = TRUE: p .026)
    # > Partover.test(a.unpaired, b.unpaired, a.paired, b.paired, conf.level = .95)
    # statistic 2.41909762838, parameter 18.4223322693, p.value 0.026104444862, estimate 2,
    # conf.int 0.265902970528 3.734097029472 (a minus b)
    a = pd.concat([keyed(*A_PAIRED), keyed(*A_SINGLE, start=20)])
    b = pd.concat([keyed(*B_SINGLE, start=40), keyed(*B_PAIRED)])
    found = change.partially_paired(b, a)
    assert (found.estimate, found.low, found.high) == pytest.approx((2, 0.265902970528, 3.734097029472), abs=1e-11)
    assert found.estimate / found.se == pytest.approx(2.41909762838, abs=1e-10)
    assert (found.df, found.p) == pytest.approx((18.4223322693, 0.026104444862), abs=1e-10)
    assert (found.n, found.n_paired, found.n_before_only, found.n_after_only) == (24, 8, 8, 8)
    assert found.basis == "pairs and singles"


def test_unequal_numbers_of_singles_are_the_packages_too() -> None:
    # Student's sleep data: six patients under both drugs, one under the first only, three under the second only
    # > Partover.test(c(0), c(1.6, 4.6, 3.4), c(.7, -1.6, -.2, -1.2, -.1, 3.4), c(1.9, .8, 1.1, .1, -.1, 4.4),
    # +   conf.level = .9)
    # statistic -3.81944771135, parameter 7.12619676587, p.value 0.00632984200253, estimate -1.83492063492,
    # conf.int -2.742685795924 -0.927155473917 (first minus second)
    first = pd.concat([keyed(0.7, -1.6, -0.2, -1.2, -0.1, 3.4), keyed(0.0, start=8)])
    second = pd.concat([keyed(1.9, 0.8, 1.1, 0.1, -0.1, 4.4), keyed(1.6, 4.6, 3.4, start=20)])
    found = change.partially_paired(first, second, confidence=0.9)
    expected = (1.83492063492, 0.927155473917, 2.742685795924)
    assert (found.estimate, found.low, found.high) == pytest.approx(expected, abs=1e-11)
    assert (found.df, found.p) == pytest.approx((7.12619676587, 0.00632984200253), abs=1e-10)
    assert found.interval(0.9) == (found.low, found.high)


numbers = st.integers(0, 50).map(lambda value: value / 10)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(numbers, numbers), min_size=3, max_size=15))
def test_all_in_pairs_is_the_paired_t(rated: list[tuple[float, float]]) -> None:
    before, after = keyed(*(one for one, _ in rated)), keyed(*(two for _, two in rated))
    if np.ptp(after - before) < 1e-6:
        return
    found, paired = change.partially_paired(before, after.sample(frac=1, random_state=1)), change.paired(before, after)
    assert found.basis == "complete pairs"
    assert (found.low, found.high) == pytest.approx((paired.low, paired.high), rel=1e-7, abs=1e-7)
    assert (found.df, found.n, found.p) == pytest.approx((paired.df, paired.n, paired.p), rel=1e-6, abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.lists(numbers, min_size=2, max_size=12), st.lists(numbers, min_size=2, max_size=12))
def test_nobody_in_both_is_welch(one: list[float], two: list[float]) -> None:
    if np.ptp(one) == 0 or np.ptp(two) == 0:
        return
    found, welch = change.partially_paired(keyed(*one), keyed(*two, start=50)), change.two_groups(one, two)
    assert (found.basis, found.correlation, found.n_paired) == ("two groups", None, 0)
    assert (found.estimate, found.low, found.high) == pytest.approx((welch.estimate, welch.low, welch.high), abs=1e-9)
    assert (found.df, found.p, found.n) == pytest.approx((welch.df, welch.p, welch.n), rel=1e-9)


def test_ids_that_do_not_join_say_so() -> None:
    before, after = pd.Series([1.0, 2.0, 4.0], index=["1", "2", "3"]), pd.Series([2.0, 3.0, 6.0], index=[1, 2, 3])
    found = change.partially_paired(before, after)
    assert (found.basis, found.n_paired, found.n_before_only, found.n_after_only) == ("two groups", 0, 3, 3)


def test_one_pair_has_no_correlation_and_counts_as_two_singles() -> None:
    before, after = keyed(1, 2, 4), keyed(2, 3, 6, start=2)
    found, welch = change.partially_paired(before, after), change.two_groups(before, after)
    assert (found.basis, found.n_paired, found.correlation) == ("two groups", 1, None)
    assert (found.low, found.high, found.n) == pytest.approx((welch.low, welch.high, 5))


def test_blank_and_absent_are_the_same() -> None:
    before, after = keyed(1, 2, 4, 5, math.nan), keyed(2, math.nan, 6, 5, 3)
    other = change.partially_paired(before.dropna(), after.dropna())
    assert change.partially_paired(before, after) == other
    assert (other.n, other.n_paired, other.n_before_only, other.n_after_only) == (5, 3, 1, 1)


def test_pairs_that_do_not_vary_say_nothing_of_the_correlation() -> None:
    found = change.partially_paired(pd.concat([keyed(3, 3), keyed(1, 5, start=9)]), keyed(4, 2))
    assert found.correlation == 0


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ([1.0, 2.0], keyed(1, 2), "Series with people's ids"),
        (keyed(1), keyed(1, 2), "before holds 1"),
        (keyed(1, 2), keyed(1, math.nan), "after holds 1"),
        (pd.Series([1.0, 2.0, 3.0], index=["a", "a", "b"]), keyed(1, 2), "twice or more before: a"),
        (keyed(1, 2), pd.Series([1.0, 2.0], index=["a", None]), "1 answers after carry no id"),
        (keyed(3, 3), keyed(4, 4, start=5), "at either time"),
        (keyed(1, 2, 3), keyed(2, 3, 4), "changed by exactly 1"),
        (keyed(1, math.inf), keyed(1, 2), "1 infinite"),
    ],
)
def test_partially_paired_refuses(before: pd.Series, after: pd.Series, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        change.partially_paired(before, after)


def test_the_error_rate_is_that_promised() -> None:
    # 600 sets of six pairs, five and four singles, correlation .6, SD doubled; standard error 1 point
    rng = np.random.default_rng(2)
    ids, errors = [f"p{i}" for i in range(15)], 0
    for _ in range(600):
        z = rng.normal(size=(2, 15))
        before = pd.Series(z[0], index=ids)[:11]
        after = pd.Series(2 * (0.6 * z[0] + 0.8 * z[1]), index=ids).drop(ids[6:11])
        errors += change.partially_paired(before, after).p < 0.05
    assert 0.02 <= errors / 600 <= 0.08
