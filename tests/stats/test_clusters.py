"""`stats.clusters` against clubSandwich, against the formula written out, and at its edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evalkit.stats import clusters


@pytest.mark.reference
def test_cr2_is_clubsandwich(reference: Path) -> None:
    # R clubSandwich 0.5.8: coef_test(lm(LEAD ~ PROG), vcov = "CR2", cluster = COMPID, test = "Satterthwaite")
    # PROG -0.1376855962, SE 0.1975543354, df 4.393103477; lq2002 (multilevel 2.7), 8 teams
    people = pd.read_csv(reference / "people" / "lq2002_8teams.csv")
    design = pd.DataFrame({"intercept": 1.0, "programme": people["PROG"]})
    fit = clusters.cr2(people["LEAD"], design, people["COMPID"])
    row = fit.table.set_index("term").loc["programme"]
    assert (row["estimate"], row["se"]) == pytest.approx((-0.1376855962, 0.1975543354), abs=1e-9)
    assert row["df"] == pytest.approx(4.393103477, abs=1e-8)
    assert (fit.n, fit.clusters, fit.terms) == (233, 8, ("intercept", "programme"))


def written_out(
    y: np.ndarray, design: np.ndarray, groups: np.ndarray, weights: np.ndarray
) -> tuple[float, float, float]:
    """Estimate, SE and df with every N x N matrix in full (Pustejovsky & Tipton 2018, equations 8 and 11)."""
    inverse = np.linalg.inv(design.T @ design)
    left = np.eye(len(y)) - design @ inverse @ design.T
    variance, rows = 0.0, []
    for group in np.unique(groups):
        own = groups == group
        values, vectors = np.linalg.eigh(left[np.ix_(own, own)])
        root = (vectors * np.where(values > 1e-10, np.abs(values) ** -0.5, 0)) @ vectors.T
        pulled = root @ design[own] @ inverse @ weights
        variance += float(pulled @ (left @ y)[own]) ** 2
        rows.append(left[:, own] @ pulled)
    products = np.array(rows) @ np.array(rows).T
    df = np.trace(products) ** 2 / (products**2).sum()
    return float(weights @ inverse @ design.T @ y), float(np.sqrt(variance)), float(df)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(3, 9), st.integers(1, 3))
def test_cr2_is_its_formula(seed: int, teams: int, terms: int) -> None:
    rng = np.random.default_rng(seed)
    groups = np.concatenate([np.arange(teams), rng.integers(teams, size=30)])
    design = np.column_stack([np.ones(len(groups)), rng.normal(size=(len(groups), terms - 1))])
    y, weights = rng.normal(size=len(groups)) + groups / 3, rng.normal(size=terms)
    found = clusters.cr2(y, design, groups).contrast(weights)
    assert (found.estimate, found.se, found.df) == pytest.approx(written_out(y, design, groups, weights), rel=1e-7)


def test_a_term_that_one_team_decides_uses_the_pseudo_inverse() -> None:
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(5), 4)
    design = np.column_stack([np.ones(20), groups == 0, rng.normal(size=20)])
    y = rng.normal(size=20)
    fit = clusters.cr2(y, design, groups)
    assert (fit.se[2], fit.df[2]) == pytest.approx(written_out(y, design, groups, np.array([0, 0, 1.0]))[1:], rel=1e-7)


def test_a_term_decided_by_one_team_alone_has_no_error() -> None:
    groups = np.repeat([0, 1, 2], 4)
    fit = clusters.cr2(np.arange(12.0) % 5, np.eye(3)[groups], groups)
    assert np.isnan([fit.se, fit.df, fit.low, fit.high, fit.p]).all()
    assert np.isnan(fit.contrast([-1, 1, 0]).low)


def test_equal_teams_give_the_t_of_team_means() -> None:
    # Two arms of three teams of four: CR2 is the two-sample t on the six team means, df K - 2
    rng = np.random.default_rng(8)
    groups = np.repeat(np.arange(6), 4)
    treated = groups < 3
    y = rng.normal(size=24) + rng.normal(size=6)[groups]
    fit = clusters.cr2(y, np.column_stack([np.ones(24), treated]), groups)
    means = y.reshape(6, 4).mean(axis=1)
    other = stats.ttest_ind(means[:3], means[3:])
    ci = other.confidence_interval()
    assert fit.df[1] == pytest.approx(4)
    assert (fit.low[1], fit.high[1], fit.p[1]) == pytest.approx((ci.low, ci.high, other.pvalue), rel=1e-9)


def test_one_mean_of_people_alone_is_the_one_sample_t() -> None:
    y = np.array([1.0, 4.0, 2.0, 2.5])
    fit = clusters.cr2(y, np.ones((4, 1)), list("abcd"))
    ci = stats.ttest_1samp(y, 0).confidence_interval()
    assert (fit.low[0], fit.high[0], fit.df[0]) == pytest.approx((ci.low, ci.high, 3), rel=1e-10)
    np.testing.assert_array_equal(fit.beta, fit.estimate)


def test_intervals_of_terms_and_contrasts() -> None:
    rng = np.random.default_rng(1)
    fit = clusters.cr2(rng.normal(size=20), np.tile(np.eye(2), (10, 1)), np.repeat(np.arange(10), 2))
    np.testing.assert_allclose(fit.interval(0.95), np.column_stack([fit.low, fit.high]), rtol=1e-12)
    contrast = fit.contrast([-1, 1])
    np.testing.assert_allclose(fit.interval(0.97, weights=[-1, 1])[0], contrast.interval(0.97), rtol=1e-12)
    assert contrast.se == pytest.approx(np.sqrt([-1, 1] @ fit.covariance @ [-1, 1]))
    with pytest.raises(ValueError, match="2: x0, x1"):
        fit.contrast([1, 2, 3])


def test_the_order_of_rows_and_the_names_of_teams_do_not_matter() -> None:
    rng = np.random.default_rng(4)
    groups, design, y = rng.integers(5, size=30), rng.normal(size=(30, 2)), rng.normal(size=30)
    order = rng.permutation(30)
    once = clusters.cr2(y, design, groups)
    again = clusters.cr2(y[order], design[order], [f"team {g}" for g in groups[order]])
    np.testing.assert_allclose(once.se, again.se, rtol=1e-10)
    np.testing.assert_allclose(once.df, again.df, rtol=1e-10)


def test_no_spread_gives_no_interval() -> None:
    fit = clusters.cr2([0.1 + 0.2] * 6, np.ones((6, 1)), [1, 1, 2, 2, 3, 3])
    assert fit.se[0] == 0
    assert np.isnan([fit.low[0], fit.high[0], fit.p[0]]).all()


@pytest.mark.parametrize(
    ("y", "design", "groups", "says"),
    [
        ([1, 2, 3], [[1], [1], [1]], [1, 1, 1], "there is 1"),
        ([1, np.nan, 3], [[1], [1], [1]], [1, 1, 2], "1 numbers and 0 groups"),
        ([1, 2, 3], [[1], [1], [1]], [1, None, 2], "0 numbers and 1 groups"),
        ([1, 2, 3], [[1], [1]], [1, 1, 2], "rows x terms"),
        ([1, 2, 3], [1, 1, 1], [1, 1, 2], "rows x terms"),
        ([1, 2, 3], [[1], [1], [1]], [1, 2], "cluster of 2 rows"),
        ([1, 2], [[1, 0], [1, 1]], [1, 2], "2 terms need more than 2 rows"),
        ([1, 2, 3, 4], [[1, 2, 3]] * 4, [1, 1, 2, 2], "x1, x2 is a sum"),
        ([], np.empty((0, 1)), [], "there is 0"),
    ],
)
def test_cr2_refuses(y: list[float], design: list[list[float]], groups: list[object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        clusters.cr2(y, design, groups)
