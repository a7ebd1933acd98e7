"""Run charts, held against qicharts2's own counts, the printed table of critical values, a slow reading, and edges.

Outside answers: EVALKIT_REFERENCE population/qic/montgomery, qicharts2's test references (n.useful, longest.run,
longest.run.max, n.crossings, n.crossings.min, runs.signal about the centre line of each chart). CRITICAL is from the
table printed with qicharts2 (appendix 2 of its introduction): `round(log2(n) + 3)` and `qbinom(0.05, n - 1, 0.5)`.
Medians of the Clostridium difficile infections: qicharts2 0.8.1, `qic(month, n, data = cdi)`, freeze = 18, part = 18.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import groupby
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import run_charts, spc

CRITICAL = {10: (6, 2), 11: (6, 2), 12: (7, 3), 16: (7, 4), 17: (7, 5), 20: (7, 6), 22: (7, 7), 23: (8, 7), 24: (8, 8),
            45: (8, 17), 46: (9, 17), 60: (9, 23), 90: (9, 37), 91: (10, 37), 100: (10, 41)}  # fmt: skip
CDI = [17, 12, 27, 20, 20, 18, 22, 19, 19, 24, 17, 16, 24, 19, 19, 22, 25, 19,
       17, 6, 25, 17, 11, 14, 9, 11, 7, 13, 5, 5, 3, 5, 9, 4, 5, 9]  # fmt: skip
MONTHS = pd.date_range("2012-11-01", periods=36, freq="MS")


class TestOutsideAnswers:
    @pytest.mark.reference
    @pytest.mark.parametrize("file", [
        "ex_6.3_1", "ex_6.3_2", "ex_6.4_1", "ex_6.4_2", "ex_6.5_3", "ex_6.5_4", "ex_7.1_5", "ex_7.3_3", "ex_7.4_1",
        "ex_7.5_1", "ex_7.6_1", "tbl_7.4_1", "NA_test",
    ])  # fmt: skip
    def test_runs_about_every_line_of_the_textbook(self, reference: Path, file: str) -> None:
        told = pd.read_csv(reference / "population" / "qic" / "montgomery" / f"{file}.csv")
        for _, part in told[told["include"] & told["y"].notna()].groupby("part"):
            found, row = spc.runs(part["y"], part["cl"].to_numpy()), part.iloc[0]
            assert found.useful == row["n.useful"]
            assert (found.longest_run, found.longest_run_max) == (row["longest.run"], row["longest.run.max"])
            assert (found.crossings, found.crossings_min) == (row["n.crossings"], row["n.crossings.min"])
            assert bool(found.signal) == row["runs.signal"]

    def test_critical_values_as_printed(self) -> None:
        assert {n: (run_charts.longest_run_max(n), run_charts.crossings_min(n)) for n in CRITICAL} == CRITICAL

    @pytest.mark.parametrize("n", [1, 2, 5, 9, 10, 37, 250])
    def test_fewest_crossings_are_the_first_with_a_twentieth(self, n: int) -> None:
        fewest = run_charts.crossings_min(n)
        shares = [Fraction(comb(n - 1, crossed), 2 ** (n - 1)) for crossed in range(fewest + 1)]
        assert sum(shares) >= Fraction(1, 20) > sum(shares[:-1])

    def test_infections_whole_held_and_rebased(self) -> None:
        whole, held = spc.run(CDI), spc.run(CDI, baseline=18)
        assert (whole.estimate, held.estimate) == (17, 19)
        assert whole.runs == spc.Runs(useful=32, longest_run=14, longest_run_max=8, crossings=6, crossings_min=11)
        assert whole.runs.signal == "unusually long run and unusually few crossings"
        assert held.method == "Run chart, median, Anhøj's rules, lines held from the first 18 points"
        parts = spc.run(CDI, dates=MONTHS, rebase={MONTHS[18]: "new guidance"})
        assert parts.phases["mean"].tolist() == [19, 9]
        assert parts.phases["useful"].tolist() == [13, 15]
        assert (parts.runs.signal, parts.caveats) == ("", ())


def slow(values: list[int], median: float) -> tuple[int, int, int]:
    """Useful points, longest run and crossings, read aloud."""
    above = [value > median for value in values if value != median]
    lengths = [len(list(run)) for _, run in groupby(above)]
    return len(above), max(lengths), len(lengths) - 1


series = st.lists(st.integers(0, 9), min_size=6, max_size=40).filter(lambda values: len(set(values)) > 1)


class TestProperties:
    @settings(max_examples=20)
    @given(series)
    def test_as_read_aloud(self, values: list[int]) -> None:
        found = spc.run(values).runs
        assert found is not None
        assert (found.useful, found.longest_run, found.crossings) == slow(values, float(np.median(values)))

    @settings(max_examples=20)
    @given(series, st.sampled_from([0.1, 3.0, -1.0, -7.0]), st.integers(-5, 5))
    def test_another_unit_or_the_mirror_changes_no_run(self, values: list[int], scaled: float, moved: int) -> None:
        one, other = spc.run(values), spc.run([scaled * value + moved for value in values])
        assert one.runs == other.runs
        assert one.points["rule"].tolist() == other.points["rule"].tolist()

    @settings(max_examples=20)
    @given(series, st.integers(0, 40))
    def test_a_point_on_the_median_counts_for_nothing(self, values: list[int], at: int) -> None:
        median = float(np.median(values))
        assert spc.runs(values, median) == spc.runs([*values[:at], median, *values[at:]], median)


class TestMarks:
    def test_every_useful_point_of_a_long_run_is_marked(self) -> None:
        held = spc.run([*([4, 6, 4, 6, 6, 4, 4, 6] * 2), 8, 5, 8, 5, 7, 8, 9, 8, 7, 8, 9], baseline=16)
        assert held.estimate == 5
        assert held.runs == spc.Runs(useful=25, longest_run=10, longest_run_max=8, crossings=11, crossings_min=8)
        marked = held.points[held.points["rule"] == "long_run"]
        assert marked.index.tolist() == [15, 16, 18, *range(20, 27)]  # two points on the median are passed over
        assert held.points["special_cause"].sum() == 10
        assert held.variation == "special_cause_neutral_high"

    def test_few_crossings_belong_to_no_point(self) -> None:
        chart = spc.run([3, 4, 2, 5, 3, 4, 2, 9, 8, 9, 7, 9, 8, 9, 10, 9])
        assert chart.runs.signal == "unusually few crossings"
        assert not chart.points["special_cause"].any()
        assert chart.caveats == ("Unusually few crossings of the median: 3, at least 4 are to be expected.",)

    def test_no_limits_and_no_assurance(self) -> None:
        chart = spc.run(CDI, direction="lower", target=5)
        assert np.isnan(chart.low)
        assert np.isnan(chart.high)
        assert chart.points[["lower", "upper"]].isna().all(axis=None)
        assert (chart.assurance, chart.target) == ("", 5)
        assert chart.points["target"].eq(5).all()


class TestEdges:
    def test_few_useful_points_are_said(self) -> None:
        assert spc.run([1, 2, 3, 3, 3, 4, 5, 3]).caveats == (
            "Only 4 points off the median: under 10, runs say little.",
        )

    def test_a_phase_is_named(self) -> None:
        values = [*range(12), *([30, 40] * 6)]
        said = spc.run(values, dates=MONTHS[:24], rebase={MONTHS[12]: "moved"}).caveats
        assert said == ("Unusually few crossings of the median from 2012-11-01: 1, at least 3 are to be expected.",)

    @pytest.mark.parametrize("values", [[5] * 12, [0.1] * 7])
    def test_all_equal_has_no_runs(self, values: list[float]) -> None:
        with pytest.raises(ValueError, match=r"Every point from position 0 .* lies on the centre line"):
            spc.run(values)
        with pytest.raises(ValueError, match="Every point from the first point on lies on the centre line"):
            spc.runs(values, values[0])

    @pytest.mark.parametrize("n", [0, 1, 2, 5])
    def test_too_few(self, n: int) -> None:
        with pytest.raises(ValueError, match=f"at least 6 points in a row; there are {n}"):
            spc.run(CDI[:n])

    def test_a_missing_value(self) -> None:
        with pytest.raises(ValueError, match="no value at 2013-01-01"):
            spc.run([1, 2, np.nan, 4, 5, 6], dates=MONTHS[:6])
