"""Bounds on a difference in trend: held against the authors' R package, diff-diff, closed forms, and coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import honest, honest_smooth

# Benzarti & Carloni (2019), event study of profits, as R's HonestDiD carries it (BCdata_EventStudy): four leads, four
# from the start on.
BETA = [0.006696352, 0.029345034, -0.006472972, 0.073014989, 0.195961118, 0.312063903, 0.239541546, 0.126042500]
UPPER = [
    [8.428358e-04, 4.768687e-04, 2.618051e-04, 2.354220e-04, 1.676371e-04, 1.128708e-04, 1.992816e-05, -1.368265e-04],
    [6.425420e-04, 3.987425e-04, 2.435515e-04, 2.201960e-04, 1.804591e-04, 3.843765e-05, -2.960422e-05],
    [5.229950e-04, 2.117686e-04, 1.840722e-04, 1.458528e-04, 7.005197e-05, 5.952995e-05],
    [3.089595e-04, 1.197866e-04, 1.334081e-04, 1.016335e-04, 1.079052e-04],
    [3.599704e-04, 2.478819e-04, 1.749579e-04, 1.654257e-04],
    [4.263950e-04, 2.171438e-04, 2.892748e-04],
    [4.886698e-04, 3.805322e-04],
    [7.617394e-04],
]
SIGMA = np.zeros((8, 8))
for row, told in enumerate(UPPER):
    SIGMA[row, row:] = SIGMA[row:, row] = told
FIRST = [1, 0, 0, 0]

# R, HonestDiD, as printed in the log of consistency checks of the Stata port (mcaceresb/stata-honestdid,
# test/unit-tests-consistency.R.log):
# > createSensitivityResults_relativeMagnitudes(betahat, sigma, numPrePeriods = 4, numPostPeriods = 4,
# +                                             bound = "deviation from parallel trends")       # method C-LF
CONDITIONAL = {
    0.0: (0.159, 0.233),
    2 / 9: (0.143, 0.248),
    4 / 9: (0.123, 0.266),
    6 / 9: (0.102, 0.287),
    8 / 9: (0.0786, 0.308),
    10 / 9: (0.0551, 0.329),
    12 / 9: (0.0315, 0.352),
}
# > createSensitivityResults(betahat, sigma, numPrePeriods = 4, numPostPeriods = 4, l_vec = c(1, 0, 0, 0),
# +                          method = "FLCI", Mvec = seq(from = 0, to = 0.3, by = 0.1))
FIXED_LENGTH = {0.0: (0.131, 0.216), 0.1: (0.119, 0.419), 0.2: (0.0194, 0.519), 0.3: (-0.0806, 0.619)}
# the same for the mean of the four
FIXED_LENGTH_MEAN = {0.0: (0.133, 0.230), 0.1: (-0.186, 0.988), 0.2: (-0.686, 1.49), 0.3: (-1.19, 1.99)}
# the same with seven leads and one after
FIXED_LENGTH_LAST = {0.0: (-0.182, -0.106), 0.1: (0.192, 0.539), 0.2: (0.0919, 0.639), 0.3: (-0.00812, 0.739)}


def rows(found):
    return {row.m: (row.low, row.high) for row in found.table.itertuples()}


def test_relative_holds_the_conditional_interval_and_little_more():
    found = rows(honest.bounds(BETA, SIGMA, 4, m=list(CONDITIONAL), weights=FIRST))
    for m, (low, high) in CONDITIONAL.items():
        mine = found[m]
        assert mine[0] <= low + 5e-4
        assert mine[1] >= high - 5e-4
        assert (mine[1] - mine[0]) / (high - low) < 1.12
    assert found[0.0] == pytest.approx(CONDITIONAL[0.0], abs=5e-4)


@pytest.mark.parametrize(
    ("leads", "weights", "printed"),
    [(4, FIRST, FIXED_LENGTH), (4, None, FIXED_LENGTH_MEAN), (7, None, FIXED_LENGTH_LAST)],
)
def test_smoothness_equals_the_fixed_length_interval_of_the_authors(leads, weights, printed):
    found = rows(honest.bounds(BETA, SIGMA, leads, kind="smoothness", m=list(printed), weights=weights))
    for m, ends in printed.items():
        assert found[m] == pytest.approx(ends, rel=5e-3, abs=5e-4)


def test_smoothness_equals_diff_diff():
    other = pytest.importorskip("diff_diff.honest_did", reason="the extra 'causal' is not installed")
    mine = rows(honest.bounds(BETA, SIGMA, 4, kind="smoothness", m=[0.005]))[0.005]
    theirs = other._compute_optimal_flci(
        np.array(BETA[:4]), np.array(BETA[4:]), SIGMA, np.full(4, 0.25), 4, 4, 0.005, 0.05
    )
    assert mine == pytest.approx(theirs, abs=5e-5)
    assert mine[1] - mine[0] <= theirs[1] - theirs[0] + 1e-6


def test_one_lead_one_after_has_closed_forms():
    b, v = [0.3, 2.0], np.array([[0.04, 0.01], [0.01, 0.09]])
    relative = rows(honest.bounds(b, v, 1, m=[0, 2]))
    z = 1.9599639845
    assert relative[0.0] == pytest.approx((2 - z * 0.3, 2 + z * 0.3))
    # b1 ± 2 x .3, with variances .09 + 4 x .04 ± 4 x .01
    assert relative[2.0][1] == pytest.approx(2.6 + z * math.sqrt(0.25 + 0.04))
    assert relative[2.0][0] == pytest.approx(1.4 - z * math.sqrt(0.25 - 0.04))
    smooth = rows(honest.bounds(b, v, 1, kind="smoothness", m=[0, 50]))
    # the line before goes on: b1 + b0, variance .09 + .04 + .02; far out, a bias of 50 and one tail
    assert smooth[0.0] == pytest.approx((2.3 - z * math.sqrt(0.15), 2.3 + z * math.sqrt(0.15)))
    assert smooth[50.0][1] == pytest.approx(2.3 + 50 + 1.6448536 * math.sqrt(0.15))


def test_relative_covers_where_taking_steps_as_known_does_not():
    # The truth at its bound, M = 2: no effect, drift .3 before and .6 after, errors .2 each; 4,000 sets.
    rng = np.random.default_rng(4)
    drawn = rng.normal([-0.3, 0.6], 0.2, size=(4_000, 2))
    reach, z = 2 * np.abs(drawn[:, 0]), 1.959964
    known = np.abs(drawn[:, 1]) <= reach + z * 0.2
    union = np.abs(drawn[:, 1]) <= reach + z * 0.2 * math.sqrt(5)
    assert known.mean() < 0.85
    assert union.mean() > 0.97
    for pair, covered in zip(drawn[:20], union[:20], strict=True):
        low, high = rows(honest.bounds(pair, np.eye(2) * 0.04, 1, m=[2.0]))[2.0]
        assert (low <= 0 <= high) == covered


def test_breakdown_is_where_nought_is_reached():
    for kind in ("relative", "smoothness"):
        found = honest.bounds(BETA, SIGMA, 4, kind=kind, m=[0.01], weights=FIRST)
        low, _ = rows(honest.bounds(BETA, SIGMA, 4, kind=kind, m=[found.breakdown], weights=FIRST))[found.breakdown]
        assert low == pytest.approx(0, abs=1e-6)
    assert honest.bounds([0.1, 0.1, 0.1], np.eye(3), 2).breakdown == 0.0
    assert honest.bounds([0.0, 9.0], np.diag([0.0, 1.0]), 1).breakdown == math.inf


def test_few_units_widen():
    wide, narrow = (honest.bounds(BETA, SIGMA, 4, df) for df in (5.0, None))
    assert (wide.table["high"] > narrow.table["high"]).all()
    assert honest_smooth.critical(0.0, 5.0, 0.95) == pytest.approx(2.570582)
    assert honest.bounds(BETA, SIGMA, 4, 5.0, kind="smoothness", m=[0.0]).table["high"][0] > 0.2303


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"leads": 0}, "Bounds need a lead"),
        ({"leads": 8}, "Bounds need a lead"),
        ({"covariance": np.eye(3)}, "their square"),
        ({"covariance": -np.eye(8)}, "variances of zero or more"),
        ({"covariance": np.zeros((8, 8))}, "no standard error"),
        ({"estimates": [*BETA[:7], np.nan]}, "are missing"),
        ({"m": [-1]}, "zero or more"),
        ({"m": []}, "zero or more"),
        ({"weights": [1, 0]}, "weights must be 4 numbers"),
        ({"weights": [0, 0, 0, 0]}, "not all zero"),
        ({"kind": "both"}, "kind must be"),
        ({"confidence": 95}, "95 % is 0.95"),
        ({"kind": "smoothness", "covariance": np.ones((8, 8))}, "kind='relative'"),
    ],
)
def test_refuses_by_name(asked, said):
    with pytest.raises(ValueError, match=said):
        honest.bounds(**({"estimates": BETA, "covariance": SIGMA, "leads": 4} | asked))


@settings(max_examples=10)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 10_000))
def test_wider_with_m_and_turned_with_the_sign(leads, after, seed):
    rng = np.random.default_rng(seed)
    draws = rng.normal(size=(20, leads + after))
    b, v = draws.mean(axis=0), draws.T @ draws / 400
    for kind in ("relative", "smoothness"):
        found = honest.bounds(b, v, leads, kind=kind, m=[0, 0.2, 1])
        table = found.table
        if kind == "relative":
            assert (np.diff(table["low"]) <= 1e-12).all()
        assert (np.diff(table["high"] - table["low"]) >= -1e-9).all()
        turned = honest.bounds(-b, v, leads, kind=kind, m=[0, 0.2, 1])
        assert turned.table["low"].to_numpy() == pytest.approx(-table["high"].to_numpy(), abs=1e-6)
        assert turned.breakdown == pytest.approx(found.breakdown, abs=1e-5)
