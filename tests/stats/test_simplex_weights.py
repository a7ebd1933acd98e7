"""Mixes nearest to a unit: held against R's quadratic programming, against their own conditions, and at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evalkit.stats import simplex_weights

# R version 4.2.2 Patched (2022-11-10 r83330), quadprog 1.5.8
# > A <- cbind(c(3,4,6,5,7,8),c(9,8,9,11,10,12),c(1,2,1,3,2,2),c(5,5,4,6,6,5)); b <- c(4,5.5,6,6.5,7.5,8)
# > s <- solve.QP(2*crossprod(A), 2*crossprod(A,b), cbind(1,diag(4)), c(1,rep(0,4)), meq=1)$solution
# > print(s, digits=12); print(sum((A%*%s-b)^2), digits=12)
# 0.601476014760 0.182656826568 0.000000000000 0.215867158672
# 0.668819188192
DONORS = np.array([[3, 4, 6, 5, 7, 8], [9, 8, 9, 11, 10, 12], [1, 2, 1, 3, 2, 2], [5, 5, 4, 6, 6, 5]], float).T
TARGET = np.array([4, 5.5, 6, 6.5, 7.5, 8])
QUADPROG, LEFT = [0.601476014760, 0.182656826568, 0, 0.215867158672], 0.668819188192

numbers = st.floats(-50, 50).map(lambda value: round(value, 2))


panels = st.tuples(st.integers(1, 9), st.integers(2, 9)).flatmap(lambda shape: arrays(float, shape, elements=numbers))


def short_of_best(donors, target, weights):
    """How much nearer moving all weight towards one donor promises to come, at most: 0 at the best mix only."""
    slope = donors.T @ (donors @ weights - target)
    return float(slope @ weights - slope.min())


def test_equals_quadratic_programming():
    weights = simplex_weights.fit(DONORS, TARGET)
    assert weights == pytest.approx(QUADPROG, abs=1e-11)
    assert ((DONORS @ weights - TARGET) ** 2).sum() == pytest.approx(LEFT, rel=1e-11)


@settings(max_examples=40, deadline=None)
@given(panels)
def test_no_mix_is_nearer(values):
    donors, target = values[:, 1:], values[:, 0]
    weights = simplex_weights.fit(donors, target)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert short_of_best(donors, target, weights) <= 1e-9 * max(1.0, float((values**2).sum()))


@settings(max_examples=20, deadline=None)
@given(panels, st.floats(-1e4, 1e4), st.floats(0.01, 100))
def test_levels_and_units_do_not_matter(values, level, factor):
    donors, target = values[:, 1:], values[:, 0]
    there = donors @ simplex_weights.fit(donors, target)
    moved = simplex_weights.fit(factor * donors + level, factor * target + level)
    assert donors @ moved == pytest.approx(there, abs=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=6), st.integers(0, 1_000))
def test_a_mix_is_taken_apart_again(shares, seed):
    truth = np.array(shares) / sum(shares)
    donors = np.random.default_rng(seed).normal(size=(20, len(truth)))
    assert simplex_weights.fit(donors, donors @ truth) == pytest.approx(truth, abs=1e-9)


def test_a_heavy_row_of_ones_is_less_exact():
    from scipy.optimize import nnls

    donors, target = 1e3 + DONORS, 1e3 + TARGET + 4
    exact, heavy = simplex_weights.fit(donors, target), 1e2 * np.abs(donors).max()
    rows, wanted = np.vstack([donors, np.full(4, heavy)]), np.append(target, heavy)
    assert abs(nnls(rows, wanted)[0].sum() - 1) > 1e-8
    assert exact.sum() == pytest.approx(1, abs=1e-15)
    assert short_of_best(donors - 1e3, target - 1e3, exact) <= 1e-12


def test_all_units_at_once_are_each_alone():
    everyone = np.column_stack([TARGET, DONORS])
    one = np.eye(5, dtype=bool)
    rows = simplex_weights.relabelled(everyone, one, ~one)
    for place, row in enumerate(rows):
        alone = simplex_weights.fit(np.delete(everyone, place, axis=1), everyone[:, place])
        assert row[place] == 1
        assert np.delete(-row, place) == pytest.approx(alone, abs=1e-10)


def test_one_donor_equal_donors_and_more_donors_than_rows():
    assert simplex_weights.fit([[1.0], [2.0]], [5.0, 5.0]).tolist() == [1]
    twins = simplex_weights.fit([[1.0, 1.0], [2.0, 2.0]], [1.0, 2.0])
    assert (twins.sum(), twins.min() >= 0) == (1, True)
    many = simplex_weights.fit([[1.0, 5.0, 9.0, 2.0]], [4.0])
    assert many.sum() == pytest.approx(1)
    assert [1, 5, 9, 2] @ many == pytest.approx(4)


def test_far_off_numbers_and_donors_alike_to_the_last_digits():
    weights = simplex_weights.fit(1e9 + DONORS, 1e9 + TARGET)
    assert weights == pytest.approx(QUADPROG, abs=1e-6)
    close = DONORS[:, [0, 0, 1, 3]] + np.array([0, 1e-13, 0, 0])
    weights = simplex_weights.fit(close, TARGET)
    assert [weights[0] + weights[1], *weights[2:]] == pytest.approx(np.array(QUADPROG)[[0, 1, 3]], abs=1e-9)


@pytest.mark.parametrize(
    ("donors", "target", "says"),
    [
        ([[1.0, np.nan]], [1.0], "finite"),
        ([[1.0, 2.0]], [np.inf], "finite"),
        ([[1.0, 2.0]], [1.0, 2.0], "target as long"),
        ([1.0, 2.0], [1.0], "a column a donor"),
        (np.empty((3, 0)), [1.0, 2, 3], "a column a donor"),
    ],
)
def test_refuses(donors, target, says):
    with pytest.raises(ValueError, match=says):
        simplex_weights.fit(donors, target)
