"""`correlation.pearson` against R's cor.test and boot, against SciPy, and at its edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evalkit.stats.correlation import pearson

# Efron & Tibshirani (1993), An Introduction to the Bootstrap, table 3.1: 15 law schools
LSAT = [576, 635, 558, 578, 666, 580, 555, 661, 651, 605, 653, 575, 545, 572, 594]
GPA = [3.39, 3.30, 2.81, 3.03, 3.44, 3.07, 3.00, 3.43, 3.36, 3.13, 3.12, 2.74, 2.76, 2.88, 2.96]


def test_law_schools_are_rs_cor_test() -> None:
    # R 4.2.2: cor.test(LSAT, GPA): cor 0.776374491289, conf.int 0.438510824963 0.921964755965, p 0.000665102011103
    found = pearson(LSAT, GPA)
    expected = (0.776374491289, 0.438510824963, 0.921964755965)
    assert (found.estimate, found.low, found.high) == pytest.approx(expected, abs=1e-11)
    assert found.p == pytest.approx(0.000665102011103, abs=1e-14)
    assert (found.n, found.resamples, found.seed) == (15, 0, None)


def test_the_bca_interval_is_rs_boot() -> None:
    # R boot 1.3-28.1: set.seed(1); boot.ci(boot(cbind(x, y), r, 20000), type = "bca"): 0.338024017 0.940386102
    # (percentiles of other draws: at 20,000 the ends move by about .01 and .002)
    found = pearson(LSAT, GPA, interval="bca", resamples=20_000, seed=1)
    assert found.low == pytest.approx(0.338024, abs=0.03)
    assert found.high == pytest.approx(0.940386, abs=0.006)


def test_the_bca_interval_is_scipys_from_the_same_draws() -> None:
    def r(x: np.ndarray, y: np.ndarray, axis: int = -1) -> np.ndarray:
        a, b = x - x.mean(axis=axis, keepdims=True), y - y.mean(axis=axis, keepdims=True)
        return (a * b).sum(axis=axis) / np.sqrt((a**2).sum(axis=axis) * (b**2).sum(axis=axis))

    theirs = stats.bootstrap(
        (LSAT, GPA), r, paired=True, vectorized=True, n_resamples=999, rng=np.random.default_rng(2)
    ).confidence_interval
    ours = pearson(LSAT, GPA, interval="bca", resamples=999, seed=2)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-10)
    assert pearson(LSAT, GPA, interval="bca", resamples=999, seed=2) == ours


numbers = st.integers(-50, 50).map(lambda value: value / 10)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(numbers, numbers), min_size=4, max_size=20), st.floats(0.1, 10), st.floats(-100, 100))
def test_it_has_no_unit_and_turns_round(points: list[tuple[float, float]], scale: float, shift: float) -> None:
    x, y = np.array(points).T
    if min(np.ptp(x), np.ptp(y)) < 0.05 or abs(np.corrcoef(x, y)[0, 1]) > 0.999:
        return
    plain, moved, turned = pearson(x, y), pearson(scale * x + shift, y), pearson(-x, y)
    assert (plain.estimate, plain.low, plain.p) == pytest.approx((moved.estimate, moved.low, moved.p), abs=1e-7)
    assert (plain.estimate, plain.low) == pytest.approx((-turned.estimate, -turned.high), abs=1e-9)
    assert plain.estimate == pytest.approx(np.corrcoef(x, y)[0, 1], abs=1e-9)
    assert plain.low < plain.estimate < plain.high


def test_gaps_are_counted() -> None:
    found = pearson([*LSAT, 600, math.nan], [*GPA, math.nan, math.nan])
    assert (found.n, found.n_x, found.n_y, found.estimate) == (15, 16, 15, pytest.approx(0.776374491289))


def test_pearson_refuses() -> None:
    with pytest.raises(ValueError, match="Four complete pairs"):
        pearson([1, 2, 3], [1, 3, 2])
    with pytest.raises(ValueError, match="the same for everybody"):
        pearson([1, 2, 3, 4], [2, 2, 2, 2])
    with pytest.raises(ValueError, match="on one line"):
        pearson([1, 2, 3, 4], [3, 5, 7, 9])
    with pytest.raises(ValueError, match="choose one of fisher"):
        pearson(LSAT, GPA, interval="wald")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="resamples have no spread"):
        pearson([1, 1, 1, 2, 2], [1, 2, 1, 2, 1], interval="bca", seed=1)
    with pytest.raises(ValueError, match="resamples=1"):
        pearson(LSAT, GPA, interval="bca", resamples=1)
