"""The change of one group less that of another: against clubSandwich, against Welch, and where the groups differ."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.stats import panel
from evalkit.stats.panel_difference import difference

BEFORE = [2.0, 3.0, 3.5, 1.0, 2.5, 3.0, 2.0, 3.0, 3.0, 2.0, 4.0, 1.5]
AFTER = [3.0, 3.5, 5.0, 2.5, 2.5, 4.5, 2.5, 2.5, 3.2, 2.0, 4.5, 1.0]
TEAMS = list("aabbccddeeff")


def changes(before, after, teams=None, met=6):
    frame = pd.DataFrame({1: before, 2: after})
    team = None if teams is None else pd.Series(teams)
    each = []
    for rows in (slice(0, met), slice(met, None)):
        own = frame.iloc[rows]
        each.append(panel.available(own, first=1, last=2, teams=None if team is None else team.iloc[rows]))
    return each


def test_teams_in_two_arms_are_those_of_clubsandwich():
    """R 4.2.2, clubSandwich 0.5.8: m <- lm(after - before ~ arm); coef_test(m, vcovCR(m, cluster = team, type =
    "CR2"), test = "Satterthwaite")

           beta          SE            df_Satt
    arm    0.9666666667  0.2522124325  4.0000000000
    """
    found = difference(*changes(BEFORE, AFTER, TEAMS))
    assert found.estimate == pytest.approx(0.9666666667, abs=1e-9)
    assert found.se == pytest.approx(0.2522124325, abs=1e-9)
    assert found.df == pytest.approx(4.0, abs=1e-9)
    assert (found.n, found.n_both, found.clusters) == (12, 12, 6)


def test_without_teams_the_error_is_welchs():
    from scipy import stats

    found = difference(*changes(BEFORE, AFTER))
    d = np.subtract(AFTER, BEFORE)
    welch = stats.ttest_ind(d[:6], d[6:], equal_var=False)
    assert found.estimate / found.se == pytest.approx(welch.statistic)


def test_its_degrees_are_those_of_the_working_model_and_not_of_what_was_found():
    one, other = changes(BEFORE, AFTER, TEAMS)
    v, w = one.working_se**2, other.working_se**2
    assert difference(one, other).df == pytest.approx((v + w) ** 2 / (v**2 / one.df + w**2 / other.df))


@given(st.integers(0, 10_000), st.floats(-3, 3), st.floats(0.1, 10))
def test_turning_shifting_and_scaling(seed, shift, scale):
    rng = np.random.default_rng(seed)
    before, after = rng.normal(size=(2, 24))
    after[rng.random(24) < 0.2] = np.nan
    teams = np.repeat(np.arange(8), 3)
    one, other = changes(before, after, teams, met=12)
    there, back = difference(one, other), difference(other, one)
    assert back.estimate == pytest.approx(-there.estimate)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    moved = difference(*changes(scale * before + shift, scale * after + shift, teams, met=12))
    assert moved.estimate == pytest.approx(scale * there.estimate, abs=1e-6)
    assert moved.se == pytest.approx(scale * there.se, rel=1e-5)
    assert there.interval(0.97)[0] < there.low < there.high < there.interval(0.97)[1]
