"""g and t charts, held against Montgomery's example 7.6 and qicharts2's own values, and their edges.

Outside answers, qicharts2 0.8.1: `qic(x, y, chart = "g", return.data = TRUE)` and `"t"` of the operations and days
between deaths after heart surgery (its data set cabg), the values that the test fixtures of PowerBI-SPC (Australian
Department of Health) print to 17 digits; ex_7.6_1 of EVALKIT_REFERENCE is `qic(failure, hours, data = tbl_07.14, chart
= "t")`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import spc

OPERATIONS = [23, 39, 15, 34, 1, 49, 98, 29, 27, 13, 45, 7, 10, 27, 24, 14, 20, 38, 44, 11, 10, 3, 113, 183, 3, 47, 18,
              18, 33, 15, 2, 38, 27, 27, 1, 52, 23, 7, 26, 82, 5, 49, 5, 17, 24, 44, 26, 2, 27, 46, 55, 97, 22, 22, 20,
              4, 60, 51, 7, 21, 66, 36, 25, 72, 15, 5, 3]  # fmt: skip
DAYS = [16, 20, 5, 13, 1, 26, 46, 12, 12, 5, 19, 4, 3, 15, 14, 9, 8, 15, 21, 6, 3, 1, 56, 117, 1, 33, 9, 9, 19, 12, 1,
        16, 13, 18, 1, 35, 16, 5, 21, 38, 3, 25, 3, 11, 13, 20, 9, 3, 8, 21, 24, 38, 8, 13, 9, 1, 30, 23, 3, 7, 22, 19,
        11, 31, 6, 1, 1]  # fmt: skip
DATES = pd.date_range("2024-01-02", periods=67)


def ends(chart: spc.ControlChart) -> list[float]:
    """Centre line and limits of the first and of the last point."""
    lines = chart.points[["mean", "lower", "upper"]]
    return [*lines.iloc[0], *lines.iloc[-1]]


class TestOutsideAnswers:
    def test_operations_between_deaths(self) -> None:
        chart = spc.g(OPERATIONS)
        assert ends(chart) == pytest.approx([24, 0, 128.17491023197215] * 2, rel=1e-14)
        assert chart.points.index[chart.points["rule"] == "outside_limits"].tolist() == [23]

    def test_days_between_deaths(self) -> None:
        plain, screened = spc.t(DAYS), spc.t(DAYS, screen=True)
        assert ends(plain)[:3] == pytest.approx([11.205060797289465, 0.0078717922788112422, 106.04183142495303])
        assert ends(screened)[:3] == pytest.approx([11.205060797289465, 0.02212887957455564, 97.268017722609528])
        assert screened.phases["screened"].item() == 1
        assert plain.phases["screened"].item() == 0

    def test_days_between_deaths_in_two_parts(self) -> None:
        chart = spc.t(DAYS, dates=DATES, rebase={DATES[33]: "new theatre"})
        assert ends(chart) == pytest.approx(
            [11.444906381144426, 0.0037537354435645313, 113.70598556391909,
             10.975761737580594, 0.009145568251862652, 102.58369462962973])  # fmt: skip

    @pytest.mark.reference
    def test_hours_between_failures(self, reference: Path) -> None:
        told = pd.read_csv(reference / "population" / "qic" / "montgomery" / "ex_7.6_1.csv")
        chart = spc.t(told["y.sum"])
        for own, theirs in (("value", "y"), ("mean", "cl"), ("lower", "lcl"), ("upper", "ucl")):
            np.testing.assert_allclose(chart.points[own], told[theirs], rtol=1e-12)
        runs = spc.runs(chart.points["value"], chart.points["mean"].to_numpy())
        assert (runs.longest_run, runs.crossings) == (told["longest.run"][0], told["n.crossings"][0])

    @pytest.mark.parametrize("mean", [5, 20, 100])
    def test_how_often_a_g_chart_cries_wolf(self, mean: float) -> None:
        """P(X > upper limit) of a geometric count is (mean / (mean + 1)) ^ (⌊upper⌋ + 1): about 1.8 in 100."""
        upper = mean + 3 * np.sqrt(mean * (mean + 1))
        assert (mean / (mean + 1)) ** (np.floor(upper) + 1) == pytest.approx(0.018, abs=0.002)

    def test_how_many_g_charts_have_a_point_that_stands_out(self) -> None:
        """Monte Carlo error of a share of 4,000 is under 0.8; t charts do as XmR charts do, or better."""
        rng = np.random.default_rng(3)
        cases, times = rng.geometric(1 / 21, size=(4000, 24)) - 1, rng.exponential(20, size=(4000, 24))
        assert 100 * spc.g_many(cases).special_cause.any(axis=1).mean() == pytest.approx(39, abs=2.5)
        assert 100 * spc.t_many(times).special_cause.any(axis=1).mean() < 19


gaps = st.lists(st.integers(0, 60), min_size=6, max_size=30)


class TestProperties:
    @settings(max_examples=20)
    @given(gaps, st.sampled_from([24, 1440, 0.125]))
    def test_days_or_hours(self, days: list[int], unit: float) -> None:
        one, other = spc.t(days), spc.t(np.array(days) * unit)
        np.testing.assert_allclose(one.points["upper"] * unit, other.points["upper"], rtol=1e-9, atol=1e-12)
        assert one.points["rule"].tolist() == other.points["rule"].tolist()

    @settings(max_examples=20)
    @given(gaps)
    def test_limits_hold_the_median_of_a_g_chart(self, cases: list[int]) -> None:
        chart = spc.g(cases)
        assert chart.low == 0
        assert chart.estimate == np.median(cases)
        assert chart.high >= np.mean(cases)
        assert "low" not in chart.points.loc[chart.points["rule"] == "outside_limits", "side"].tolist()

    @settings(max_examples=8)
    @given(st.integers(0, 10_000), st.sampled_from([None, 12]), st.booleans())
    def test_many_are_done_as_one_by_one(self, seed: int, baseline: int | None, screen: bool) -> None:
        cases = np.random.default_rng(seed).geometric(0.05, size=(3, 20)) - 1
        many_g, many_t = spc.g_many(cases, baseline=baseline), spc.t_many(cases, baseline=baseline, screen=screen)
        for row in range(3):
            for many, one in (
                (many_g, spc.g(cases[row], baseline=baseline)),
                (many_t, spc.t(cases[row], baseline=baseline, screen=screen)),
            ):
                assert one.points["special_cause"].tolist() == many.special_cause[row].tolist()
                assert one.high == pytest.approx(many.upper[row, 0])


class TestEdges:
    def test_longer_apart_is_a_shift_above_the_median(self) -> None:
        cases = [5, 9, 4, 8, 5, 9, 4, 8, 5, 9, 4, *([30, 34] * 5), 30]
        chart = spc.g(cases, direction="higher")
        assert chart.points["rule"].tolist() == ["shift"] * 22
        assert chart.variation == "special_cause_improvement"

    def test_two_events_on_one_day_and_months_apart(self) -> None:
        dates = pd.to_datetime(["2024-01-01", "2024-02-01", "2024-02-01", "2024-06-01", "2024-07-01", "2024-12-01"])
        assert spc.g([4, 9, 0, 30, 8, 41], dates=dates).n == 6
        with pytest.raises(ValueError, match="2024-02-01 comes after 2024-06-01"):
            spc.t([4, 9, 0, 30, 8, 41], dates=[*dates[:4], dates[1], dates[5]])

    def test_a_rebase_begins_with_the_first_event_of_its_day(self) -> None:
        dates = pd.to_datetime([f"2024-01-{day:02}" for day in (1, 2, 3, 4, 5, 6, 9, 9, 10, 11, 12, 13)])
        chart = spc.t([1.0, 2, 1, 3, 1, 2, 9, 8, 9, 7, 9, 8], dates=dates, rebase={"2024-01-09": "screening began"})
        assert chart.points["phase"].tolist() == [0] * 6 + [1] * 6

    def test_nothing_between_two_events_is_said(self) -> None:
        assert spc.t([4.5, 9, 0, 30, 8, 0.25] * 2).caveats == ("2 of 12 times are 0: a finer unit tells more.",)

    def test_a_low_limit_of_times_is_nought_at_least(self) -> None:
        assert spc.t([1, 90, 2, 80, 1, 95, 3, 70, 1, 88, 2, 91]).low == 0

    def test_all_equal_times_have_no_limits_and_all_equal_cases_have(self) -> None:
        times, cases = spc.t([7.0] * 12), spc.g([7] * 12)
        assert (times.low, times.high) == pytest.approx((7, 7))
        assert times.caveats == ("Limits have no width: every value they are drawn from is the same.",)
        assert not times.points["special_cause"].any()
        assert cases.high == pytest.approx(7 + 3 * np.sqrt(56))
        assert spc.g([0] * 12).caveats == times.caveats

    @pytest.mark.parametrize(("chart", "values", "said"), [
        (spc.g, [4, 9, -1, 3, 8, 4], "Count -1 at position 2 .*not fewer than no cases"),
        (spc.g, [4, 9, 1.5, 3, 8, 4], "Count 1.5 .*cases between events are whole. For times use spc.t"),
        (spc.t, [4, 9, -1, 3, 8, 4], "Time -1 at position 2 .*Sort the events first"),
        (spc.t, [4, 9, np.nan, 3, 8, 4], "no time at position 2"),
        (spc.g, [4, 9], "at least 6 points in a row; there are 2"),
        (spc.t, [], "at least 6 points in a row; there are 0"),
    ])  # fmt: skip
    def test_numbers_that_are_no_distance(self, chart: object, values: list[float], said: str) -> None:
        with pytest.raises(ValueError, match=said):
            chart(values)  # type: ignore[operator]
