"""`stats.tipping` and `stats.worst_best`: an assumption moved until a change is gone, and none made at all."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evalkit.stats import missing, panel, rates
from evalkit.stats.student import t_interval


def drawn(seed: int, people: int, gain: float = 0.6, gone: float = 0.3, waves: int = 2) -> pd.DataFrame:
    """Answers at 2 or more waves; a share lacks the last, low scorers rather."""
    rng = np.random.default_rng(seed)
    start = rng.normal(3, 0.7, people)
    later = 3 + 0.6 * (start - 3)[:, None] + gain * np.arange(1, waves) / (waves - 1)
    later = later + 0.5 * rng.normal(size=later.shape)
    leaves = rng.random(people) < gone * 2 / (1 + np.exp(1.2 * (start - 3)))
    later[leaves, -1] = np.nan
    return pd.DataFrame(np.column_stack([start, later]), columns=[f"wave {wave + 1}" for wave in range(waves)])


def imputed(answers: pd.DataFrame, delta: float, times: int, seed: int) -> missing.Pooled:
    """Multiple imputation of the last wave from the first by normal regression (Rubin 1987, ex. 5.1), less delta."""
    rng = np.random.default_rng(seed)
    start, end = answers.to_numpy().T
    seen = ~np.isnan(end)
    design = np.column_stack([np.ones(len(start)), start])
    slopes, squares, *_ = np.linalg.lstsq(design[seen], end[seen], rcond=None)
    inverse = np.linalg.inv(design[seen].T @ design[seen])
    estimates, variances = [], []
    for _ in range(times):
        variance = float(squares[0]) / rng.chisquare(seen.sum() - 2)
        line = rng.multivariate_normal(slopes, variance * inverse)
        filled = np.where(seen, end, design @ line + math.sqrt(variance) * rng.normal(size=len(start)) - delta)
        moved = filled - start
        estimates.append(moved.mean())
        variances.append(moved.var(ddof=1) / len(moved))
    return missing.pool(estimates, variances, df=len(start) - 1)


@pytest.mark.parametrize("delta", [0.0, 0.5, 1.0, 2.0])
def test_assuming_delta_is_multiple_imputation_with_delta(delta: float) -> None:
    # Estimates agree to the Monte Carlo error of 600 imputations, errors to 4 %. Kept at the error of delta = 0, they
    # would be a tenth too small at 1 point and a third at 2.
    answers = drawn(4, 150)
    found = missing.tipping_point(answers, first="wave 1", last="wave 2")
    pooled = imputed(answers, delta, 600, seed=7)
    estimate, low, high = found.assume(delta)
    assert estimate == pytest.approx(pooled.estimate, abs=4 * math.sqrt(pooled.between / pooled.n))
    assert (low, high) == pytest.approx((pooled.low, pooled.high), abs=0.05 * (pooled.high - pooled.low))
    assert high - low == pytest.approx(pooled.high - pooled.low, rel=0.04)
    kept = found.change.high - found.change.low
    assert delta < 1 or kept < 0.94 * (pooled.high - pooled.low)


def test_the_tipping_point_is_a_worked_quadratic() -> None:
    # Complete pairs (too few for a covariance): by hand. Changes 1 1 0 1 -> mean .75, sd .5, se .25, df 3, t 3.182446.
    # The interval holds 0 already (-.0456): no change to tip. With changes 1 1 1 2 0.8: mean 1.16, se .2135; 5 of 7.
    start = [2.0, 3.0, 1.0, 2.0, 3.0, 2.0, 1.0]
    few = pd.DataFrame({"a": start, "b": [3.0, 4.0, 1.0, 3.0, None, None, None]})
    nothing = missing.tipping_point(few, first="a", last="b")
    assert (nothing.estimate, nothing.in_sd, nothing.tips) == (None, None, "no change to tip")
    assert nothing.loses_sign == pytest.approx(0.75 * 7 / 3)
    pairs = pd.DataFrame({"a": start, "b": [3.0, 4.0, 2.0, 4.0, 3.8, None, None]})
    found = missing.tipping_point(pairs, first="a", last="b", scale=(1, 5), worthwhile=0.5)
    changes = np.array([1, 1, 1, 2, 0.8])
    mean, se, t, part = changes.mean(), changes.std(ddof=1) / math.sqrt(5), stats.t.ppf(0.975, 4), 2 / 7
    var = part * (1 - part) / 6  # the two who left have the mean change: no covariance with leaving
    roots = np.roots([part**2 - t**2 * var, -2 * mean * part, mean**2 - t**2 * se**2])
    assert found.estimate == pytest.approx(min(root for root in roots if root > 0), rel=1e-9)
    assert found.change.basis == "complete pairs"
    assert found.loses_worthwhile == pytest.approx((1.16 - 0.5) * 7 / 2)
    assert found.leavers_change == pytest.approx(1.16)
    assert found.leavers_change_there == pytest.approx(1.16 - found.estimate)
    assert found.room == pytest.approx((2 + 1) / 2 + 1.16 - 1)
    assert found.in_sd == pytest.approx(found.estimate / np.std(start, ddof=1))
    assert found.tips == ("within the scale" if found.estimate <= found.room else "beyond the scale")
    assert (found.n, found.n_missing) == (7, 2)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(20, 60), st.floats(-1.5, 1.5), st.integers(2, 4), st.booleans())
def test_at_the_tipping_point_the_interval_just_touches(
    seed: int, people: int, gain: float, waves: int, in_teams: bool
) -> None:
    answers = drawn(seed, people, gain, waves=waves)
    last = answers.columns[-1]
    teams = pd.Series(np.arange(people) % 6, index=answers.index) if in_teams else None
    if answers[last].notna().all():
        return
    found = missing.tipping_point(answers, first="wave 1", last=last, teams=teams)
    change = panel.available(answers, first="wave 1", last=last, teams=teams)
    assert found.assume(0) == pytest.approx((change.estimate, change.low, change.high))
    assert found.assume(found.loses_sign)[0] == pytest.approx(0, abs=1e-9)
    part = found.n_missing / found.n
    assert change.estimate == pytest.approx(
        part * found.leavers_change + (1 - part) * found.stayers_change, rel=1e-5, abs=1e-6
    )
    if found.estimate is None:
        assert change.low <= 0 <= change.high
        return
    _, low, high = found.assume(found.estimate)
    assert min(abs(low), abs(high)) == pytest.approx(0, abs=1e-8)
    _, low, high = found.assume(found.estimate * 0.98)
    assert low > 0 or high < 0
    assert 0 < found.estimate <= found.loses_sign


def test_a_fall_tips_as_a_rise_does_and_units_do_not_matter() -> None:
    answers = drawn(3, 60)
    rise = missing.tipping_point(answers, first="wave 1", last="wave 2", scale=(0, 7))
    fall = missing.tipping_point(-answers, first="wave 1", last="wave 2", scale=(-7, 0))
    tenfold = missing.tipping_point(10 * answers + 4, first="wave 1", last="wave 2")
    assert rise.estimate is not None
    assert rise.leavers_change_there is not None
    assert (fall.estimate, fall.room, fall.in_sd) == pytest.approx((rise.estimate, rise.room, rise.in_sd))
    assert fall.leavers_change_there == pytest.approx(-rise.leavers_change_there)
    assert tenfold.estimate == pytest.approx(10 * rise.estimate, rel=1e-6)
    assert (tenfold.in_sd, tenfold.tips) == (pytest.approx(rise.in_sd, rel=1e-6), "scale not given")
    assert fall.curve[["low", "high"]].to_numpy() == pytest.approx(-rise.curve[["high", "low"]].to_numpy())


def test_a_few_leavers_cannot_undo_a_large_change() -> None:
    answers = pd.DataFrame({"a": [1.0, 2, 1, 2, 3, 2, 1, 2, 2, 1], "b": [3.0, 4, 4, 4, 4, 5, 3, 4, 4, None]})
    found = missing.tipping_point(answers, first="a", last="b", scale=(1, 5))
    assert found.tips == "beyond the scale"
    assert found.room is not None
    assert found.curve["delta"].iloc[-1] == pytest.approx(found.room)
    assert (found.curve["low"] > 0).all()
    assert len(found.curve) == 51
    assert missing.tipping_point(answers, first="a", last="b", worthwhile=5).loses_worthwhile is None


def test_teams_that_leave_together_widen_the_share() -> None:
    answers = drawn(8, 60, gone=0)
    answers.iloc[:20, 1] = np.nan
    together = pd.Series(np.arange(60) // 10, index=answers.index)
    apart = pd.Series(np.arange(60) % 6, index=answers.index)
    widths = []
    for teams in (together, apart):
        found = missing.tipping_point(answers, first="wave 1", last="wave 2", teams=teams)
        _, low, high = found.assume(3)
        half = t_interval(0, 1, found.change.df, 0.95)[1]
        widths.append(math.sqrt(((high - low) / 2 / half) ** 2 - found.change.se**2))
    assert widths[0] > 2 * widths[1]


def test_a_tipping_point_needs_somebody_missing() -> None:
    answers = drawn(1, 20)
    off = answers.clip(1, 5)
    off.iloc[0, 0] = 9
    for message, wrong, chosen in (
        ("All 20 people answered at wave 2", answers.fillna(3), {}),
        ("worthwhile = 0 must be above 0", answers, {"worthwhile": 0}),
        ("1 answers lie outside the scale", off, {"scale": (1, 5)}),
        ("lowest and the highest", answers, {"scale": (5, 1)}),
        ("two are needed", answers.assign(**{"wave 2": np.nan}), {}),
        ("two are needed", answers.iloc[:0], {}),
        ("confidence=2", answers, {"confidence": 2}),
    ):
        with pytest.raises(ValueError, match=message):
            missing.tipping_point(wrong, first="wave 1", last="wave 2", **chosen)
    few = pd.DataFrame({"a": [1.0, 2, 1, 2, 3], "b": [2.0, 3, 2, 4, None]})
    with pytest.raises(ValueError, match="1 people who answered have no team: 4"):
        missing.tipping_point(few, first="a", last="b", teams=pd.Series([1, 1, 2, 2]))
    still = pd.DataFrame({"a": [1.0, 2, 1, 2, 3], "b": [2.0, 1, 2, 1, None]})
    with pytest.raises(ValueError, match="no sign to lose"):
        missing.tipping_point(still, first="a", last="b")


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 60), st.integers(1, 60), st.integers(0, 40))
def test_bounds_hold_the_observed_share(improved: int, answered: int, unknown: int) -> None:
    improved = min(improved, answered)
    found = missing.bounds(improved, answered, answered + unknown)
    assert 0 <= found.low <= found.worst <= found.estimate <= found.best <= found.high <= 1
    assert found.best - found.worst == pytest.approx(unknown / found.asked)
    other = missing.bounds(answered - improved, answered, answered + unknown)
    assert (other.low, other.high) == pytest.approx((1 - found.high, 1 - found.low), abs=1e-9)
    if not unknown:
        wilson = rates.wilson(improved, answered)
        assert (found.low, found.high) == pytest.approx((wilson.low, wilson.high), abs=1e-9)


def test_the_reach_is_that_of_imbens_and_manski() -> None:
    # Imbens & Manski (2004), eq. 6-7, solved anew: c from 1.959964 with no gap to 1.644854 with a wide one.
    for improved, answered, asked in ((12, 20, 21), (300, 990, 1_000), (12, 20, 60)):
        found = missing.bounds(improved, answered, asked)
        spread = max(math.sqrt(end * (1 - end)) for end in (found.worst, found.best))
        grid = np.linspace(1.6, 2, 400_001)
        gap = math.sqrt(asked) * (found.best - found.worst) / spread
        c = grid[np.argmin(np.abs(stats.norm.cdf(grid + gap) - stats.norm.cdf(-grid) - 0.95))]
        level = 2 * stats.norm.cdf(c) - 1
        assert found.low == pytest.approx(rates.wilson(improved, asked, confidence=level).low, abs=1e-6)
        assert 1.64 < c < 1.96


def test_bounds_refuse_counts_that_cannot_be() -> None:
    for message, counts in (
        ("must hold", (5, 4, 9)),
        ("must hold", (3, 6, 5)),
        ("must hold", (-1, 6, 7)),
        ("None of 7 people answered", (0, 0, 7)),
    ):
        with pytest.raises(ValueError, match=message):
            missing.bounds(*counts)
    with pytest.raises(TypeError, match=r"improved = 0\.5"):
        missing.bounds(0.5, 4, 9)  # type: ignore[arg-type]
    one = missing.bounds(1, 1, 2)
    assert (one.estimate, one.worst, one.best, one.high) == (1, 0.5, 1, 1)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=40), st.integers(0, 30))
def test_mean_bounds_hold_the_observed_mean(answers: list[int], unknown: int) -> None:
    if not unknown and (len(set(answers)) == 1):
        return
    given_ = [float(each) for each in answers] + [math.nan] * (unknown // 2)
    found = missing.mean_bounds(given_, low=1, high=5, asked=len(answers) + unknown)
    assert 1 <= found.low <= found.worst <= found.estimate + 1e-12
    assert found.estimate - 1e-12 <= found.best <= found.high <= 5
    assert found.best - found.worst == pytest.approx(4 * unknown / found.asked)
    mirrored = missing.mean_bounds([6 - each for each in given_], low=1, high=5, asked=found.asked)
    assert (mirrored.low, mirrored.high) == pytest.approx((6 - found.high, 6 - found.low))


def test_mean_bounds_with_nothing_unknown_are_the_t_interval() -> None:
    answers = [3.0, 4.0, 5.0, 4.0, 2.0, 3.5]
    found = missing.mean_bounds(answers, low=0, high=10)
    theirs = stats.ttest_1samp(answers, 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    assert found.worst == found.best == pytest.approx(found.estimate)


def test_mean_bounds_refuse_what_has_no_mean() -> None:
    for message, answers, asked in (
        ("0 of 3 people asked answered", [math.nan] * 3, None),
        ("1 of 1 people", [3.0], None),
        ("3 of 2 people", [3.0, 2.0, 4.0], 2),
        ("1 answers lie outside", [3.0, 7.0], None),
        ("All 2 people answered 3", [3.0, 3.0], None),
    ):
        with pytest.raises(ValueError, match=message):
            missing.mean_bounds(answers, low=1, high=5, asked=asked)
    with pytest.raises(ValueError, match="ends of the scale"):
        missing.mean_bounds([3.0, 2.0], low=5, high=1)
    flat = missing.mean_bounds([5.0, 5.0, math.nan], low=1, high=5)
    assert (flat.best, flat.high) == (5, 5)
    assert flat.low < flat.worst
