"""p, p′, u, u′ and c charts, held against Montgomery's tables and qicharts2's own values, and their edges.

Outside answers:
- EVALKIT_REFERENCE population/qic/montgomery: qicharts2's test references, `summary(qic(sample, count, size, data =
  tbl_07.04, chart = "p"))` and the like; hai_*: `qic(month, n, days, data = hospital_infections, chart = "u")`, whole,
  by infection, by hospital and infection, and by infection in six hospitals; aLCL and aUCL are means of the limits.
- Typed below: qicharts2 0.8.1, `qic(x, y, n, chart = "pp", return.data = TRUE)`, the values that the test fixtures of
  PowerBI-SPC (Australian Department of Health) print to 17 digits: nhs_accidents "pp", hospital_infections "up".
- sigma_z: R 4.2.2, Laney's formula written out, `z <- (y / n - cl) / s; mr <- abs(diff(z)); mean(mr) / 1.128`, screened
  `mr <- mr[mr < 3.267 * mean(mr)]`: nhs_accidents 10.640421863497, cdi 1.098444073645829, screened 0.998381815255254.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import spc

SEEN = [266501, 264225, 276532, 281461, 269071, 261215, 270409, 279778, 270483, 270320,
        267923, 271478, 255353, 256820, 261835, 259144, 255910, 260863, 264465, 260989]  # fmt: skip
CAME = [280443, 276823, 291681, 296155, 282343, 275888, 283867, 295251, 284468, 282529,
        279618, 283932, 266629, 268091, 276803, 271578, 266005, 273520, 278574, 273772]  # fmt: skip
DAYS = pd.date_range("2024-01-02", periods=20)
CDI = [17, 12, 27, 20, 20, 18, 22, 19, 19, 24, 17, 16, 24, 19, 19, 22, 25, 19,
       17, 6, 25, 17, 11, 14, 9, 11, 7, 13, 5, 5, 3, 5, 9, 4, 5, 9]  # fmt: skip


def same(chart: spc.ControlChart, told: pd.DataFrame) -> None:
    """Every point and line as qicharts2 has it."""
    for own, theirs in (("value", "y"), ("mean", "cl"), ("lower", "lcl"), ("upper", "ucl")):
        np.testing.assert_allclose(chart.points[own], told[theirs], rtol=1e-12, atol=1e-15)


def ends(chart: spc.ControlChart) -> list[float]:
    """Mean and limits of the first and of the last point."""
    lines = chart.points[["mean", "lower", "upper"]]
    return [*lines.iloc[0], *lines.iloc[-1]]


@pytest.fixture(scope="module")
def textbook(reference: Path) -> Path:
    return reference / "population" / "qic" / "montgomery"


@pytest.mark.reference
class TestTextbook:
    def test_p_with_steps(self, textbook: Path) -> None:
        told = pd.read_csv(textbook / "tbl_7.4_1.csv")
        same(spc.p(told["y.sum"], told["n"]), told)

    def test_p_in_two_parts_with_two_samples_left_out(self, textbook: Path) -> None:
        told = pd.read_csv(textbook / "ex_7.1_5.csv")
        told["date"] = pd.date_range("2024-01-02", periods=len(told))
        kept = told[told["include"]]
        new = kept.loc[kept["part"] == 2, "date"].iloc[0]
        same(spc.p(kept["y.sum"], kept["n"], dates=kept["date"], rebase={new: "machine adjusted"}), kept)

    def test_c_held_from_a_baseline(self, textbook: Path) -> None:
        told = pd.read_csv(textbook / "ex_7.3_3.csv")
        kept = told[told["include"]]
        same(spc.c(kept["y"], baseline=int(kept["baseline"].sum())), kept)

    @pytest.mark.parametrize(("file", "per"), [("ex_7.4_1", 1), ("ex_7.5_1", 50)])
    def test_u(self, textbook: Path, file: str, per: float) -> None:
        told = pd.read_csv(textbook / f"{file}.csv")
        same(spc.u(told["y.sum"], told["n"], per=per), told)

    @pytest.mark.parametrize(("file", "by"), [
        ("hai_1", []), ("hai_2", ["infection"]), ("hai_3", ["hospital", "infection"]),
    ])  # fmt: skip
    def test_infections_by_month(self, textbook: Path, file: str, by: list[str]) -> None:
        told = pd.read_csv(textbook / f"{file}.csv")
        held = pd.read_csv(textbook.parent / "hospital_infections.csv")
        groups = [group for _, group in held.groupby(by)] if by else [held]
        for group, row in zip(groups, told.to_dict("records"), strict=True):
            month = group.groupby("month", as_index=False)[["n", "days"]].sum()
            chart = spc.u(month["n"], month["days"], dates=month["month"])
            found = [chart.points[line].mean() for line in ("lower", "mean", "upper")]
            assert found == pytest.approx([row["aLCL"], row["CL"], row["aUCL"]], rel=1e-9)
            assert (chart.points["rule"] == "outside_limits").any() == bool(row["sigma.signal"])
            runs = spc.runs(chart.points["value"], chart.points["mean"].to_numpy())
            assert runs.longest_run == row["longest.run"]
            assert runs.crossings == row["n.crossings"]
            assert bool(runs.signal) == bool(row["runs.signal"])

    def test_infections_of_six_hospitals(self, textbook: Path) -> None:
        told = pd.read_csv(textbook / "hai_4.csv")
        held = pd.read_csv(textbook.parent / "hospital_infections.csv").query("month >= '2016-07-01'")
        for (_, group), row in zip(held.groupby("infection"), told.to_dict("records"), strict=True):
            sums = group.groupby("hospital")[["n", "days"]].sum().sort_values("days")
            chart = spc.u(sums["n"], sums["days"], per=10_000)
            found = [chart.points[line].mean() for line in ("lower", "mean", "upper")]
            assert found == pytest.approx([row["aLCL"], row["CL"], row["aUCL"]], rel=1e-12)
            assert (chart.points["rule"] == "outside_limits").any()

    def test_u_prime_whole_held_and_rebased(self, textbook: Path) -> None:
        held = pd.read_csv(textbook.parent / "hospital_infections.csv")
        month = held.groupby("month", as_index=False)[["n", "days"]].sum()
        whole = spc.u_prime(month["n"], month["days"], dates=month["month"])
        assert ends(whole) == pytest.approx(
            [0.0018235751654857592, 0.0015763817754848699, 0.0020707685554866486,
             0.0018235751654857592, 0.0015514774813533132, 0.002095672849618205], rel=1e-13)  # fmt: skip
        froze = spc.u_prime(month["n"], month["days"], baseline=12)
        assert ends(froze) == pytest.approx(
            [0.0018135371760980396, 0.0016028174413353386, 0.0020242569108607405,
             0.0018135371760980396, 0.0015815878030596751, 0.0020454865491364039], rel=1e-13)  # fmt: skip
        parts = spc.u_prime(month["n"], month["days"], dates=month["month"], rebase={"2016-01-01": "new unit"})
        assert ends(parts)[3:] == pytest.approx(
            [0.0018341007230021627, 0.001510147440559953, 0.0021580540054443723], rel=1e-13
        )

    def test_screening_changes_u_prime_where_one_month_jumps(self, textbook: Path) -> None:
        held = pd.read_csv(textbook.parent / "cdi.csv")
        plain, screened = (spc.u_prime(held["n"], held["days"], screen=screen) for screen in (False, True))
        assert (plain.phases["sigma_z"].item(), plain.low) == pytest.approx((1.098444073645829, 0.000146476228688))
        assert screened.phases[["sigma_z", "screened"]].to_numpy()[0] == pytest.approx([0.998381815255254, 1])


class TestPackage:
    def test_p_prime_whole_and_rebased(self) -> None:
        assert ends(spc.p_prime(SEEN, CAME)) == pytest.approx(
            [0.95289971134419116, 0.9401296441775141, 0.96566977851086822,
             0.95289971134419116, 0.93997499652290417, 0.96582442616547814], rel=1e-13)  # fmt: skip
        parts = spc.p_prime(SEEN, CAME, dates=DAYS, rebase={DAYS[10]: "new rule"})
        assert ends(parts) == pytest.approx(
            [0.95105964383277042, 0.93866469138900677, 0.96345459627653407,
             0.95481431224580271, 0.94045977497287903, 0.96916884951872639], rel=1e-13)  # fmt: skip

    def test_a_p_chart_of_a_quarter_of_a_million_shows_why(self) -> None:
        """Its p chart: .95169956464601502 to .9540998580423673 at the first point; nearly every point lies outside."""
        plain, prime = spc.p(SEEN, CAME), spc.p_prime(SEEN, CAME)
        assert ends(plain)[1:3] == pytest.approx([0.95169956464601502, 0.9540998580423673], rel=1e-13)
        assert (plain.points["rule"] == "outside_limits").sum() == 16
        assert not prime.points["special_cause"].any()
        assert plain.phases["sigma_z"].item() == prime.phases["sigma_z"].item() == pytest.approx(10.640421863497)

    def test_c(self) -> None:
        assert ends(spc.c(CDI))[:3] == pytest.approx([14.833333333333334, 3.2791133250419904, 26.387553341624677])


counts = st.lists(st.integers(0, 40), min_size=6, max_size=30)
parts = st.lists(st.tuples(st.integers(0, 30), st.integers(31, 90)), min_size=6, max_size=30)


class TestProperties:
    @settings(max_examples=20)
    @given(parts)
    def test_a_u_chart_is_wider_by_those_who_had_it_not(self, told: list[tuple[int, int]]) -> None:
        had, of = np.array(told, dtype=float).T
        one, other = spc.p(had, of), spc.u(had, of)
        assert one.estimate == other.estimate
        narrower = (other.points["upper"] - other.estimate) * np.sqrt(1 - one.estimate)
        np.testing.assert_allclose(np.minimum(one.estimate + narrower, 1), one.points["upper"], rtol=1e-12, atol=1e-15)

    @settings(max_examples=20)
    @given(counts, st.integers(41, 500))
    def test_with_one_denominator_the_charts_agree(self, had: list[int], of: int) -> None:
        """p′ and u′ are one chart, and the XmR chart but for 3 / 1.128 against 2.66; a c chart is a u chart."""
        same_of = [of] * len(had)
        p_prime, u_prime = spc.p_prime(had, same_of), spc.u_prime(had, same_of)
        x = spc.xmr(np.array(had) / of, screen=False)
        upper = x.estimate + (x.high - x.estimate) * (3 / 1.128) / 2.66
        assert u_prime.high == pytest.approx(upper, rel=1e-9, abs=1e-12)
        assert p_prime.high == pytest.approx(min(upper, 1), rel=1e-9, abs=1e-12)
        assert p_prime.points["rule"].tolist() == u_prime.points["rule"].tolist()
        c, u = spc.c(had), spc.u(had, same_of)
        assert (u.low * of, u.high * of) == pytest.approx((c.low, c.high), rel=1e-9, abs=1e-12)
        assert u.points["rule"].tolist() == c.points["rule"].tolist()

    @settings(max_examples=20)
    @given(parts, st.booleans())
    def test_the_mirror_image_has_the_same_rules_on_the_other_side(
        self, told: list[tuple[int, int]], prime: bool
    ) -> None:
        had, of = np.array(told, dtype=float).T
        chart = spc.p_prime if prime else spc.p
        one, other = chart(had, of), chart(of - had, of)
        assert one.points["rule"].tolist() == other.points["rule"].tolist()
        assert one.points["side"].tolist() == other.points["side"].map({"high": "low", "low": "high", "": ""}).tolist()
        np.testing.assert_allclose(one.points["lower"], 1 - other.points["upper"], rtol=0, atol=1e-12)

    @settings(max_examples=20)
    @given(parts, st.sampled_from([0.5, 7.0, 365.25]))
    def test_another_unit_of_exposure_changes_only_the_unit(self, told: list[tuple[int, int]], unit: float) -> None:
        had, of = np.array(told, dtype=float).T
        one, other = spc.u(had, of), spc.u(had, of * unit, per=unit)
        np.testing.assert_allclose(one.points["upper"], other.points["upper"], rtol=1e-9, atol=1e-15)
        assert one.points["special_cause"].tolist() == other.points["special_cause"].tolist()

    @settings(max_examples=8)
    @given(st.integers(0, 10_000), st.sampled_from([None, 12]), st.booleans())
    def test_many_are_done_as_one_by_one(self, seed: int, baseline: int | None, prime: bool) -> None:
        rng = np.random.default_rng(seed)
        of = rng.integers(5, 60, size=(3, 24))
        had = rng.binomial(of, [[0.1], [0.5], [0.9]])
        p, u = (spc.p_prime, spc.u_prime) if prime else (spc.p, spc.u)
        for many, one in (
            (spc.p_many(had, of, prime=prime, baseline=baseline), lambda row: p(had[row], of[row], baseline=baseline)),
            (spc.u_many(had, of, prime=prime, baseline=baseline), lambda row: u(had[row], of[row], baseline=baseline)),
            (spc.c_many(had, baseline=baseline), lambda row: spc.c(had[row], baseline=baseline)),
        ):
            for row in range(3):
                points = one(row).points
                assert points["special_cause"].tolist() == many.special_cause[row].tolist()
                assert points["side"].map({"high": 1, "low": -1, "": 0}).tolist() == many.side[row].tolist()
                for line in ("mean", "lower", "upper"):
                    np.testing.assert_allclose(points[line], np.broadcast_to(getattr(many, line), (3, 24))[row])


class TestLimits:
    def test_rules_are_read_on_limits_that_are_not_cut_off(self) -> None:
        """At 3 in 100 the lower limit lies below 0, and so does two thirds of the way to it: no low point is near."""
        chart = spc.p([0, 1, 0, 7, 3, 3, 6, 4, 3, 0, 0, 5], [100] * 12)
        assert chart.points["lower"].eq(0).all()
        assert not chart.points["special_cause"].any()

    def test_the_upper_limit_of_a_proportion_ends_at_all(self) -> None:
        assert spc.p([19, 18, 20, 20, 19, 20], [20] * 6, per=100).high == 100

    def test_limits_step_so_the_same_rate_may_lie_inside_or_out(self) -> None:
        chart = spc.u([200, 210, 190, 200, 30, 300], [10_000] * 4 + [1000, 10_000])
        assert chart.points["value"].iloc[-1] == chart.points["value"].iloc[-2]
        assert chart.points["rule"].tolist()[-2:] == ["", "outside_limits"]

    def test_a_target_is_held_against_the_last_limits(self) -> None:
        had, of = [80, 82, 79, 81, 80, 8], [100, 100, 100, 100, 100, 10]
        assert spc.p(had, of, target=0.92, direction="higher").assurance == "inconsistent"
        assert spc.p(had[::-1], of[::-1], target=0.92, direction="higher").assurance == "inconsistent"
        assert spc.p(had[::-1], of[::-1], target=0.95, direction="higher").assurance == "consistent_fail"
        assert spc.p(had, of, target=95, per=100, direction="higher").assurance == "inconsistent"

    def test_no_events_leave_limits_without_width(self) -> None:
        chart = spc.c([0] * 12, direction="lower", target=0)
        assert (chart.low, chart.high, chart.assurance) == (0, 0, "")
        assert chart.caveats == ("Limits have no width: every value they are drawn from is the same.",)
        assert spc.p([9] * 12, [9] * 12).caveats == chart.caveats
        assert spc.u_prime([5] * 12, [9] * 12).caveats == chart.caveats

    def test_a_screened_chart_says_so(self) -> None:
        chart = spc.p_prime([10, 11, 10, 11, 60, 11, 10, 11, 10, 11, 10, 11], [100] * 12, screen=True)
        assert chart.phases["screened"].item() == 2
        assert chart.caveats == ("2 unusually large moving ranges were left out of the limits.",)
        assert "moving ranges of z screened" in chart.method


class TestRefusals:
    @pytest.mark.parametrize(("had", "of", "said"), [
        ([3, -1, 2, 2, 2, 2], [9] * 6, r"Count -1 at position 1 \(counted from 0\): a count cannot be negative"),
        ([3, 1.5, 2, 2, 2, 2], [9] * 6, "Count 1.5 at position 1 .*: a count is a whole number"),
        ([3, 1, 2, 2, 2, 2], [9, 9, 0, 9, 9, 9], "Denominator 0 at position 2 .*: a denominator must be above nought"),
        ([3, 1, 2, 2, 2, 2], [9, 9, -4, 9, 9, 9], "Denominator -4"),
        ([3, 1, 2, 2, 2, 2], [9, 9, 4.5, 9, 9, 9], "Denominator 4.5 .*: a proportion is of whole people"),
        ([3, 1, 12, 2, 2, 2], [9] * 6, "Count 12 at position 2 .*: more than its denominator"),
        ([3, 1, np.nan, 2, 2, 2], [9] * 6, "no count at position 2"),
        ([3, 1, 2, 2, 2, 2], [9, 9, np.nan, 9, 9, 9], "no denominator at position 2"),
        ([3, 1, 2, 2, 2, 2], [9] * 5, "6 counts need as many denominators; 5 were given"),
        ([3, 1, 2, 2, 2], [9] * 5, "at least 6 points in a row; there are 5"),
        ([], [], "at least 6 points in a row; there are 0"),
    ])  # fmt: skip
    def test_numbers_that_are_no_proportion(self, had: list[float], of: list[float], said: str) -> None:
        for chart in (spc.p, spc.p_prime):
            with pytest.raises(ValueError, match=said):
                chart(had, of)

    def test_a_rate_may_be_over_one_of_a_broken_exposure(self) -> None:
        assert spc.u([3, 12, 2, 2, 2, 2], [1.5] * 6).estimate == pytest.approx(23 / 9)

    @pytest.mark.parametrize("value", [-1, 2.5])
    def test_counts_alone(self, value: float) -> None:
        with pytest.raises(ValueError, match=f"Count {value:g} at position 5"):
            spc.c([1, 2, 3, 1, 2, value])

    def test_two_columns_in_another_order(self) -> None:
        had = pd.Series([3, 1, 2, 2, 2, 2], index=list("abcdef"))
        with pytest.raises(ValueError, match="The labels of counts and denominators differ"):
            spc.p(had, pd.Series([9] * 6, index=list("fedcba")))

    def test_a_target_that_no_proportion_reaches(self) -> None:
        with pytest.raises(ValueError, match="A target of 95 cannot be met: no value is above 1"):
            spc.p([3, 1, 2, 2, 2, 2], [9] * 6, target=95)

    @pytest.mark.parametrize("per", [0, -1, np.inf, np.nan])
    def test_per_nothing(self, per: float) -> None:
        with pytest.raises(ValueError, match="must be above nought"):
            spc.u([3, 1, 2, 2, 2, 2], [9] * 6, per=per)

    def test_many_name_the_series(self) -> None:
        of = np.full((2, 8), 9)
        with pytest.raises(ValueError, match="Count -1 in series 1 at position 3"):
            spc.p_many([[1] * 8, [1, 1, 1, -1, 1, 1, 1, 1]], of)
        with pytest.raises(ValueError, match="Count nan in series 0 at position 7"):
            spc.u_many([[1] * 7 + [np.nan], [1] * 8], of)
        with pytest.raises(ValueError, match=r"counts are \(2, 7\), denominators \(2, 8\)"):
            spc.p_many(np.ones((2, 7)), of)
        with pytest.raises(ValueError, match="a table of series by time, 6 points or more"):
            spc.c_many([1, 2, 3, 4, 5, 6])

    @pytest.mark.parametrize("baseline", [0, 11, 21])
    def test_a_baseline_too_short_or_too_long(self, baseline: int) -> None:
        with pytest.raises(
            ValueError, match=f"baseline = {baseline}: limits are held from 12 points or more of the 20"
        ):
            spc.p(SEEN, CAME, baseline=baseline)
