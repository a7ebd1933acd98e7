"""XmR charts, held against NHSRplotthedots' own values, a slow reading of the rules, and their edges.

Outside answers: NHSRplotthedots (R) 0.2.2, commit 050b07d. Its vignette's series 1,2,1,2,10,1,2,… gives mean 1.944444,
limits −0.715556 to 4.604444 screened and −3.062614 to 6.951503 unscreened; its code run on NHSRdatasets'
`ae_attendances` (trust RRK, type 1 breaches) gives the point-by-point tables of EVALKIT_REFERENCE. qicharts2 (R) gives
Montgomery's example 6.5, `qic(weeks, cost, data = tbl_06.07, chart = "i", freeze = 20)`, with limits of 3 / 1.128.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import spc

VIGNETTE = [1, 2, 1, 2, 10, *([1, 2] * 6), 1]
STEADY = [10.0, 12, 11, 9, 10, 12, 9, 11, 10, 9, 12, 11]


def flagged(values: list[float], **how: object) -> list[tuple[int, str, str]]:
    points = spc.xmr(values, **how).points
    return [(at, row["rule"], row["side"]) for at, row in enumerate(points.to_dict("records")) if row["special_cause"]]


class TestOutsideAnswers:
    def test_the_vignette_screened_and_not(self) -> None:
        screened, plain = spc.xmr(VIGNETTE), spc.xmr(VIGNETTE, screen=False)
        assert (screened.estimate, screened.low, screened.high) == pytest.approx(
            (1.944444, -0.715556, 4.604444), abs=5e-7
        )
        assert (plain.estimate, plain.low, plain.high) == pytest.approx((1.944444, -3.062614, 6.951503), abs=5e-7)
        assert screened.phases["screened"].tolist() == [2]
        assert plain.phases["screened"].tolist() == [0]

    @pytest.mark.reference
    @pytest.mark.parametrize(
        ("file", "rebase"),
        [("breaches", None), ("rebased", {"2018-07-01": "breaches of every department are counted from here"})],
    )
    def test_accident_and_emergency_point_by_point(
        self, reference: Path, file: str, rebase: dict[str, str] | None
    ) -> None:
        told = pd.read_csv(reference / "population" / "nhsrdatasets" / f"expected_ptd_RRK_{file}.csv")
        chart = spc.xmr(told["y"], dates=told["x"], direction="lower", rebase=rebase)
        points = chart.points.reset_index()
        for own, theirs in (("value", "y"), ("mean", "mean_col"), ("lower", "lpl"), ("upper", "upl")):
            np.testing.assert_allclose(points[own], told[theirs], rtol=1e-12)
        assert points["special_cause"].tolist() == told["special_cause_flag"].tolist()
        assert points["point_type"].tolist() == told["point_type"].tolist()
        named = {"Common Cause": ("", ""), "7 Points Below CL": ("shift", "low"),
                 "Above UCL": ("outside_limits", "high"), "2 in 3 Below CL": ("two_of_three", "low"),
                 "2 in 3 Above CL": ("two_of_three", "high")}  # fmt: skip
        assert list(zip(points["rule"], points["side"], strict=True)) == told["special_cause_type"].map(named).tolist()
        assert chart.variation == told["point_type"].iloc[-1]

    @pytest.mark.reference
    def test_the_numbers_printed_with_it(self, reference: Path) -> None:
        told = pd.read_csv(reference / "population" / "nhsrdatasets" / "ae_attendances.csv", dtype={"org_code": str})
        rrk = told[(told["org_code"] == "RRK") & (told["type"] == "1")].sort_values("period")
        early = rrk[rrk["period"] < "2018-04"]
        chart = spc.xmr(early["breaches"], dates=early["period"])
        assert (chart.estimate, chart.low, chart.high) == pytest.approx((1711.875, 849.793182, 2573.956818), abs=5e-7)

    @pytest.mark.reference
    def test_limits_held_from_the_first_twenty_weeks(self, reference: Path) -> None:
        told = pd.read_csv(reference / "population" / "qic" / "montgomery" / "ex_6.5_3.csv")
        chart = spc.xmr(told["y"], baseline=20)
        assert chart.estimate == told["cl"].iloc[0]
        room = (chart.high - chart.estimate) / 2.66 * 3 / 1.128
        assert room == pytest.approx(told["ucl"].iloc[0] - told["cl"].iloc[0])
        beyond = chart.points.index[chart.points["rule"] == "outside_limits"] + 1
        assert beyond.tolist() == told.loc[told["sigma.signal"], "x"].tolist()
        assert chart.phases[["n", "used"]].to_numpy().tolist() == [[40, 20]]
        assert chart.method.endswith("lines held from the first 20 points")


class TestRules:
    def test_a_shift_marks_all_seven_and_a_point_on_the_mean_breaks_it(self) -> None:
        values = [*([9.0, 11] * 7), *([10.4, 10.5] * 4)]
        mean = np.mean(values)
        assert [at for at, rule, _ in flagged(values) if rule == "shift"] == list(range(13, 22))
        assert mean < 10.4
        broken = np.array([1.0, 2, 1, 0, 2, 1, 2, 1, 1])
        code, _ = spc.rules(broken, np.array(0.0), np.array(-9.0), np.array(9.0))
        assert not code.any()  # three above, one on the mean, five above
        whole = np.array([1.0, 2, 1, 1, 2, 1, 2])
        assert spc.rules(whole, np.array(0.0), np.array(-9.0), np.array(9.0))[0].tolist() == [4] * 7

    def test_a_falling_trend_counts_as_a_rising_one(self) -> None:
        """NHSRplotthedots issue 167: falling trends were not marked; 171: a trend across the mean had two colours."""
        rising = np.array([-3.0, -2, -1, 0, 1, 2, 3])
        for way, values in ((1, rising), (-1, rising[::-1])):
            code, side = spc.rules(values, np.array(0.0), np.array(-9.0), np.array(9.0))
            assert code.tolist() == [2] * 7
            assert side.tolist() == [way] * 7

    def test_a_step_that_stands_still_is_no_trend(self) -> None:
        values = np.array([-3.0, -2, -1, -1, 1, 2, 3])
        assert not spc.rules(values, np.array(0.0), np.array(-9.0), np.array(9.0))[0].any()

    def test_two_of_three_need_one_side(self) -> None:
        """NHSRplotthedots issue 143: near points on opposite sides of the mean were marked."""
        mean, lower, upper = np.array(0.0), np.array(-3.0), np.array(3.0)
        assert not spc.rules(np.array([2.5, -1, 2.5, 0, -2.5, 2.5]), mean, lower, upper)[0].any()
        assert spc.rules(np.array([2.5, 1, 2.5]), mean, lower, upper)[0].tolist() == [3, 0, 3]
        assert spc.rules(np.array([3.5, 2.5, 1]), mean, lower, upper)[0].tolist() == [1, 0, 0]  # outside is not near
        assert not spc.rules(np.array([2.0, 2.0, 2.0]), mean, lower, upper)[0].any()  # on the line is not beyond it

    def test_the_first_rule_of_several_names_the_point(self) -> None:
        values = np.array([0.1, 0.5, 1, 1.5, 2.1, 2.6, 3.5])
        assert spc.rules(values, np.array(0.0), np.array(-3.0), np.array(3.0))[0].tolist() == [2] * 6 + [1]

    def test_runs_do_not_reach_across_a_rebase(self) -> None:
        dates = pd.date_range("2024-01-01", periods=24, freq="MS")
        low = [5.0, 4, 5, 4, 5, 4, 5, 4, 9, 3, 3, 3, 3.0, 3, 3, 3, 20, 19, 21, 20, 22, 19, 20, 21]
        parts = spc.xmr(low, dates=dates, rebase={date(2025, 1, 1): "recording changed"}).points
        assert parts["phase"].tolist() == [0] * 12 + [1] * 12
        below = [at for at, row in enumerate(parts.to_dict("records")) if row["rule"] == "shift"]
        assert below == []  # 3 below at the end of one phase and 4 at the start of the next

    def test_limits_held_in_each_phase_are_of_its_first_points(self) -> None:
        """NHSRplotthedots groups fix_after_n_points by rebase (issue 93); a phase that is shorter takes what it has."""
        dates = pd.date_range("2022-01-01", periods=44, freq="MS")
        values = [*STEADY, *([14.0] * 6), *(v + 50 for v in STEADY), *([55.0, 57] * 3), *(v + 90 for v in STEADY[:8])]
        why = {dates[18]: "merger", dates[36]: "new count"}
        chart = spc.xmr(values, dates=dates, rebase=why, baseline=12)
        plain = spc.xmr(STEADY)
        assert chart.phases["used"].tolist() == [12, 12, 8]
        assert chart.phases["upper"].tolist()[:2] == pytest.approx([plain.high, plain.high + 50])
        assert chart.caveats == ("Trial limits from 2025-01-01: 8 points, fewer than 12.",)

    def test_the_turn_of_two_trends_belongs_to_the_earlier(self) -> None:
        up = np.array([*range(0, 8), *range(6, -1, -1)], dtype=float)
        mean, lower, upper = np.array(3.5), np.array(-50.0), np.array(50.0)
        assert spc.rules(up, mean, lower, upper)[1].tolist() == [1] * 8 + [-1] * 7
        assert spc.rules(-up, -mean, -upper, -lower)[1].tolist() == [-1] * 8 + [1] * 7

    def test_a_stack_of_series_is_done_as_each_alone(self) -> None:
        stack = np.random.default_rng(3).normal(size=(50, 30)).cumsum(axis=1)
        mean = stack.mean(axis=1, keepdims=True)
        code, side = spc.rules(stack, mean, mean - 2, mean + 2)
        for row in range(50):
            alone = spc.rules(stack[row], mean[row], mean[row] - 2, mean[row] + 2)
            np.testing.assert_array_equal(code[row], alone[0])
            np.testing.assert_array_equal(side[row], alone[1])


def slow(values: list[float], mean: float, lower: float, upper: float) -> list[int]:
    """The four rules read aloud, one point at a time."""
    n, code = len(values), [0] * len(values)
    side = [int(np.sign(v - mean)) for v in values]
    outside = [v > upper or v < lower for v in values]
    near = [
        not o and (v > mean + (upper - mean) * 2 / 3 or v < mean - (mean - lower) * 2 / 3)
        for v, o in zip(values, outside, strict=True)
    ]
    for start in range(n - 6):
        if abs(sum(side[start : start + 7])) == 7:
            code[start : start + 7] = [4] * 7
    for start in range(n - 2):
        window = range(start, start + 3)
        if abs(sum(side[at] for at in window)) == 3 and sum(near[at] for at in window) >= 2:
            for at in window:
                code[at] = 3 if near[at] else code[at]
    for start in range(n - 6):
        steps = [values[at + 1] - values[at] for at in range(start, start + 6)]
        if all(step > 0 for step in steps) or all(step < 0 for step in steps):
            code[start : start + 7] = [2] * 7
    return [1 if out else held for out, held in zip(outside, code, strict=True)]


class TestProperties:
    @given(st.lists(st.integers(-8, 8), min_size=6, max_size=40))
    def test_the_rules_as_read_aloud(self, values: list[int]) -> None:
        numbers = np.array(values, dtype=float)
        code, _ = spc.rules(numbers, np.array(0.0), np.array(-6.0), np.array(6.0))
        assert code.tolist() == slow([float(v) for v in values], 0.0, -6.0, 6.0)

    @given(st.lists(st.integers(0, 50), min_size=6, max_size=40), st.booleans())
    def test_the_mirror_image_has_the_same_rules_on_the_other_side(self, values: list[int], screen: bool) -> None:
        one, other = spc.xmr(values, screen=screen), spc.xmr([-v for v in values], screen=screen)
        assert one.points["rule"].tolist() == other.points["rule"].tolist()
        turned = other.points["side"].map({"high": "low", "low": "high", "": ""})
        assert one.points["side"].tolist() == turned.tolist()
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low))

    @given(st.lists(st.integers(0, 50), min_size=6, max_size=40), st.integers(-5, 5), st.sampled_from([0.25, 2.0, 8.0]))
    def test_another_unit_changes_nothing_but_the_unit(self, values: list[int], moved: int, scaled: float) -> None:
        one, other = spc.xmr(values), spc.xmr([scaled * v + moved for v in values])
        assert other.estimate == pytest.approx(scaled * one.estimate + moved)
        assert other.high - other.low == pytest.approx(scaled * (one.high - one.low))
        assert one.points["rule"].tolist() == other.points["rule"].tolist()

    @settings(max_examples=15)
    @given(st.integers(0, 10_000), st.sampled_from([None, 12]), st.booleans())
    def test_many_are_done_as_one_by_one(self, seed: int, baseline: int | None, screen: bool) -> None:
        stack = np.random.default_rng(seed).normal(size=(4, 30)).cumsum(axis=1).round(1)
        many = spc.xmr_many(stack, screen=screen, baseline=baseline)
        for row in range(4):
            chart = spc.xmr(stack[row], screen=screen, baseline=baseline)
            assert chart.points["special_cause"].tolist() == many.special_cause[row].tolist()
            codes = [get_args(spc.Rule).index(rule) for rule in chart.points["rule"]]
            assert codes == many.rule[row].tolist()
            assert (chart.low, chart.high) == pytest.approx((many.lower[row, 0], many.upper[row, 0]))
            assert chart.phases["screened"].item() == many.facts["screened"][row, 0]

    @given(st.lists(st.floats(-1e6, 1e6), min_size=6, max_size=40))
    def test_screening_never_widens_the_limits(self, values: list[float]) -> None:
        screened, plain = spc.xmr(values), spc.xmr(values, screen=False)
        assert screened.high - screened.low <= (plain.high - plain.low) * (1 + 1e-12)


def share_with_something(n: int, rho: float, *, series: int = 4000, seed: int = 4) -> float:
    """Of simulated series in which nothing happens, the % with a point that stands out, screened limits."""
    noise = np.random.default_rng(seed).normal(size=(series, n))
    values = noise.copy()
    for at in range(1, n):
        values[:, at] = rho * values[:, at - 1] + np.sqrt(1 - rho**2) * noise[:, at]
    mean, ranges = values.mean(axis=1, keepdims=True), np.abs(np.diff(values, axis=1))
    kept = ranges < spc.SCREEN * ranges.mean(axis=1, keepdims=True)
    reach = spc.TO_LIMIT * (ranges * kept).sum(axis=1, keepdims=True) / kept.sum(axis=1, keepdims=True)
    code, _ = spc.rules(values, mean, mean - reach, mean + reach)
    return float(100 * (code > 0).any(axis=1).mean())


class TestFalseAlarms:
    @pytest.mark.parametrize("n", spc.BY_CHANCE)
    def test_how_often_something_stands_out_where_nothing_happens(self, n: int) -> None:
        """Monte Carlo error of a share of 4,000 is under 0.8; the figure is rounded."""
        assert share_with_something(n, 0.0) == pytest.approx(spc.BY_CHANCE[n], abs=2.5)

    @pytest.mark.parametrize("n", [18, 30, 48, 90])
    def test_between_the_lengths_simulated_the_straight_line_holds(self, n: int) -> None:
        assert share_with_something(n, 0.0) == pytest.approx(spc.by_chance(n), abs=2.5)

    @pytest.mark.parametrize(("n", "said"), [(24, 46), (60, 87)])
    def test_more_often_where_points_hang_together(self, n: int, said: float) -> None:
        assert share_with_something(n, 0.3) == pytest.approx(said, abs=2.5)

    def test_the_stack_draws_the_limits_of_one(self) -> None:
        values = np.random.default_rng(4).normal(size=(1, 24))[0]
        chart = spc.xmr(values)
        ranges = np.abs(np.diff(values))
        assert chart.high - chart.estimate == pytest.approx(2.66 * ranges[ranges < 3.267 * ranges.mean()].mean())


class TestDirectionAndTarget:
    @pytest.mark.parametrize(("direction", "kind"), [
        ("higher", "special_cause_improvement"), ("lower", "special_cause_concern"),
        ("neutral", "special_cause_neutral_high"),
    ])  # fmt: skip
    def test_a_high_last_point(self, direction: str, kind: str) -> None:
        chart = spc.xmr([*STEADY, 30], direction=direction)
        assert (chart.variation, chart.side) == (kind, "high")

    def test_a_low_last_point_without_direction(self) -> None:
        assert spc.xmr([*STEADY, -30]).variation == "special_cause_neutral_low"

    @pytest.mark.parametrize(("direction", "target", "said"), [
        ("higher", 0.0, "consistent_pass"), ("higher", 99.0, "consistent_fail"), ("higher", 10.5, "inconsistent"),
        ("lower", 0.0, "consistent_fail"), ("lower", 99.0, "consistent_pass"), ("lower", 10.5, "inconsistent"),
        ("neutral", 99.0, ""), ("higher", None, ""),
    ])  # fmt: skip
    def test_assurance(self, direction: str, target: float | None, said: str) -> None:
        assert spc.xmr(STEADY, direction=direction, target=target).assurance == said

    def test_assurance_after_a_rebase_is_read_from_the_last_limits(self) -> None:
        dates = pd.date_range("2024-01-01", periods=24, freq="MS")
        values = [*STEADY, *(v + 100 for v in STEADY)]
        chart = spc.xmr(values, dates=dates, rebase={"2025-01-01": "merger"}, direction="higher", target=50)
        assert chart.assurance == "consistent_pass"
        assert chart.phases["mean"].tolist() == pytest.approx([10.5, 110.5])
        assert chart.phases["reason"].tolist() == ["", "merger"]

    def test_a_trajectory_is_judged_at_its_end(self) -> None:
        steps = [20.0] * 6 + [8.0] * 6
        chart = spc.xmr(STEADY, direction="higher", target=steps)
        assert chart.points["target"].tolist() == steps
        assert (chart.target, chart.assurance) == (8.0, "inconsistent")
        assert spc.xmr(STEADY, direction="higher", target=steps[::-1]).assurance == "consistent_fail"
        assert "target" not in spc.xmr(STEADY).points
        assert spc.xmr(STEADY, target=3).points["target"].tolist() == [3.0] * 12

    def test_a_trajectory_by_date_is_laid_on_the_dates(self) -> None:
        """Targets begin in March and run on into the next year; the last month drawn has one."""
        months = pd.date_range("2024-01-01", periods=24, freq="MS")
        aims = pd.Series(np.arange(24.0), index=months)[2:]
        chart = spc.xmr(STEADY, dates=months[:12], direction="higher", target=aims)
        assert chart.points["target"].isna().tolist() == [True] * 2 + [False] * 10
        assert (chart.target, chart.assurance) == (11.0, "inconsistent")
        ended = spc.xmr(STEADY, dates=months[:12], direction="higher", target=aims[:6])
        assert (ended.target, ended.assurance) == (None, "")

    @pytest.mark.parametrize(("target", "said"), [
        ([1.0] * 5, "a target for each of the 12 points; 5 were given"),
        (np.nan, "target must be a number"),
        ([np.nan] * 12, "target must be a number"),
        (np.inf, "target must be a number"),
    ])  # fmt: skip
    def test_a_target_that_is_none(self, target: object, said: str) -> None:
        with pytest.raises(ValueError, match=said):
            spc.xmr(STEADY, target=target)

    def test_an_unknown_direction_is_refused(self) -> None:
        with pytest.raises(ValueError, match="higher, lower, neutral"):
            spc.xmr(STEADY, direction="up")


class TestEdges:
    @pytest.mark.parametrize("n", [0, 1, 2, 3, 5])
    def test_too_few_points_have_no_limits(self, n: int) -> None:
        with pytest.raises(ValueError, match=f"at least 6 points in a row; there are {n}"):
            spc.xmr(STEADY[:n])

    def test_six_points_have_trial_limits(self) -> None:
        assert spc.xmr(STEADY[:6]).caveats == ("Trial limits: 6 points, fewer than 12.",)
        assert spc.xmr(STEADY).caveats == ()  # twelve are enough (the reference warns under 13, saying under 12)

    @pytest.mark.parametrize("value", [0.1, 0, -7.3, 1e9])
    def test_all_equal_stands_still_inside_its_limits(self, value: float) -> None:
        chart = spc.xmr([value] * 18)
        assert (chart.low, chart.high) == pytest.approx((value, value))
        assert chart.variation == "common_cause"
        assert not chart.points["special_cause"].any()
        assert chart.caveats == ("Limits have no width: every value they are drawn from is the same.",)

    def test_screening_that_would_leave_no_width_leaves_nothing_out(self) -> None:
        """One step among equal values: NHSRplotthedots draws limits of no width and marks every point."""
        chart = spc.xmr([1.0] * 17 + [5.0])
        assert chart.phases["screened"].item() == 0
        assert chart.high == pytest.approx(22 / 18 + 2.66 * 4 / 17)
        assert [at for at, rule, _ in flagged([1.0] * 17 + [5.0]) if rule == "outside_limits"] == [17]

    @pytest.mark.parametrize("baseline", [-1, 0, 6, 11, 13])
    def test_a_baseline_too_short_or_too_long(self, baseline: int) -> None:
        with pytest.raises(
            ValueError, match=f"baseline = {baseline}: limits are held from 12 points or more of the 12"
        ):
            spc.xmr(STEADY, baseline=baseline)
        assert spc.xmr(STEADY, baseline=12).low == spc.xmr(STEADY).low

    def test_many_refuse_what_one_refuses(self) -> None:
        with pytest.raises(ValueError, match="Value nan in series 1 at position 2"):
            spc.xmr_many([[1, 2, 3, 4, 5, 6], [1, 2, np.nan, 4, 5, 6]])
        with pytest.raises(ValueError, match=r"6 points or more; values: \(2, 5\)"):
            spc.xmr_many(np.ones((2, 5)))
        assert spc.xmr_many(np.ones((0, 8))).rule.shape == (0, 8)

    def test_a_missing_value_is_named(self) -> None:
        dates = pd.date_range("2024-01-01", periods=13, freq="MS")
        with pytest.raises(ValueError, match="no value at 2024-03-01"):
            spc.xmr([1, 2, np.nan, *STEADY[:10]], dates=dates)
        with pytest.raises(ValueError, match=r"no value at position 1 \(counted from 0\)"):
            spc.xmr(pd.array([1, pd.NA, *range(10)], dtype="Int64"))

    def test_a_missing_month_is_named(self) -> None:
        dates = pd.date_range("2024-01-01", periods=13, freq="MS").delete(4)
        with pytest.raises(ValueError, match="nothing between 2024-04-01 and 2024-06-01"):
            spc.xmr(STEADY, dates=dates)

    def test_months_may_be_periods(self) -> None:
        months = pd.period_range("2023-01", periods=24, freq="M")
        chart = spc.xmr([*STEADY, *STEADY], dates=months, rebase={pd.Period("2024-01", "M"): "merger"})
        assert chart.points["phase"].tolist() == [0] * 12 + [1] * 12
        assert chart.points.index[0] == pd.Timestamp("2023-01-01")

    def test_quarters_and_weeks_have_no_gaps(self) -> None:
        assert spc.xmr(STEADY, dates=pd.date_range("2024-01-01", periods=12, freq="QS")).n == 12
        assert spc.xmr(STEADY, dates=pd.date_range("2024-01-01", periods=12, freq="W")).n == 12

    @pytest.mark.parametrize(("dates", "said"), [
        (["2024-01-01"] * 12, "2024-01-01 comes after 2024-01-01"),
        ([*pd.date_range("2024-01-01", periods=11, freq="MS"), pd.NaT], "Value 11 has no date"),
        (pd.date_range("2024-01-01", periods=3, freq="MS"), "12 values need 12 dates"),
    ])  # fmt: skip
    def test_dates_go_forward_one_for_each_value(self, dates: list[object], said: str) -> None:
        with pytest.raises(ValueError, match=said):
            spc.xmr(STEADY, dates=dates)

    @pytest.mark.parametrize(("rebase", "said"), [
        ({"2024-07-15": "moved"}, "No limits anew from 2024-07-15"),
        ({"2024-01-01": "moved"}, "No limits anew from 2024-01-01"),
        ({"2024-07-01": " "}, "The rebase of 2024-07-01 has no reason"),
        ({"2024-11-01": "moved"}, "in a row from 2024-11-01; there are 2"),
    ])  # fmt: skip
    def test_a_rebase_is_a_date_with_a_reason_and_enough_points(self, rebase: dict[str, str], said: str) -> None:
        with pytest.raises(ValueError, match=said):
            spc.xmr(STEADY, dates=pd.date_range("2024-01-01", periods=12, freq="MS"), rebase=rebase)
        with pytest.raises(ValueError, match="the values need dates"):
            spc.xmr(STEADY, rebase=rebase)
