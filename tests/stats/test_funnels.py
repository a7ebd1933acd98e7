"""`stats.funnels` against the published limits and labels of English public health, R, and its own promises."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evalkit.stats.funnels import FEW, NOBODY, NOT_GIVEN, POSITIONS, funnel

LABELS = {
    "below 99.8%": "Low (0.001)", "below 95%": "Low (0.025)", "within": "Not significant",
    "above 95%": "High (0.025)", "above 99.8%": "High (0.001)",
}  # fmt: skip
"""The words of the published labels."""
COUNTS = [12, 45, 80, 30, 160, 22, 9, 64, 41, 118]
PEOPLE = [10_000, 40_000, 90_000, 50_000, 110_000, 21_000, 12_000, 70_000, 30_000, 100_000]
YES, ASKED = [31, 45, 52, 60, 22, 80, 41, 38], [60, 70, 90, 88, 70, 100, 64, 80]


def read(reference: Path, name: str) -> pd.DataFrame:
    found = pd.read_csv(reference / "population" / "phe" / f"testdata_funnel_{name}.csv", encoding="utf-8-sig")
    return found.rename(columns=str.strip)


def labels(found: Any) -> list[str]:
    return [LABELS.get(position, position) for position in found.places["position"]]


class TestPublished:
    """PHEindicatormethods 2.1's own worked values, every file of them.

    Its Poisson limits come from a solver that stops at about 1e-7 of an event; ours are the chi-squared quantiles, so
    the two agree to that and no further (1 event at 99.8 %: 0.001000547 published, -log(0.999) = 0.0010005003 exactly).
    """

    @pytest.mark.reference
    def test_every_share_gets_its_label(self, reference: Path) -> None:
        told = read(reference, "prop_inputs")
        found = funnel(told["numerator"], told["denominator"], kind="proportion")
        assert len(told) == found.n == 303
        assert labels(found) == told["significance"].tolist()

    @pytest.mark.reference
    def test_limits_of_shares(self, reference: Path) -> None:
        told, drawn = read(reference, "prop_inputs"), read(reference, "prop_outputs")
        found = funnel(told["numerator"], told["denominator"], kind="proportion", per=100)
        assert found.estimate == pytest.approx(drawn["Baseline"].iloc[0], abs=5e-7)
        self.same_limits(found, drawn, digits=5.1e-7)

    @pytest.mark.reference
    def test_limits_of_shares_on_another_axis(self, reference: Path) -> None:
        drawn = read(reference, "prop_outputs_with_axis_variation")
        average = drawn["Baseline"].iloc[0]
        found = funnel([8_000], [10_000], kind="proportion", per=100, average=average)
        self.same_limits(found, drawn, digits=1e-8)

    @staticmethod
    def same_limits(found: Any, drawn: pd.DataFrame, *, digits: float) -> None:
        limits = found.limits(drawn["Population"])
        pairs = {"low_95": "Lower2s0025limit", "high_95": "Upper2s0025limit",
                 "low_998": "Lower3s0001limit", "high_998": "Upper3s0001limit"}  # fmt: skip
        assert len(drawn) == 100
        for ours, theirs in pairs.items():
            assert limits[ours].to_numpy() == pytest.approx(drawn[theirs].to_numpy(), abs=digits)

    @pytest.mark.reference
    def test_every_ratio_gets_its_label(self, reference: Path) -> None:
        told = read(reference, "ratio_inputs")
        found = funnel(told["obs"], told["expected"], kind="ratio", average=1)
        assert found.n == 300
        assert labels(found) == told["significance"].tolist()

    @pytest.mark.reference
    def test_limits_of_ratios(self, reference: Path) -> None:
        drawn = read(reference, "ratio_outputs")
        drawn = drawn.rename(columns={drawn.columns[0]: "events"}).dropna().astype(float)
        found = funnel([8], [6.2], kind="ratio", per=100, average=100)
        assert len(drawn) == 100
        for name, sigmas in (("95", "2s"), ("998", "3s")):
            for side, place in (("lower", "low"), ("upper", "high")):
                expected = drawn[f"{side}_{sigmas}_exp_events"]
                limits = found.limits(expected)[f"{place}_{name}"].to_numpy()
                beyond = drawn["events"] > 1  # the published solver's error is 5e-5 of the one limit of 1 event
                assert limits == pytest.approx(drawn[f"{side}_{sigmas}_isr"].to_numpy(), rel=6e-5)
                assert limits[beyond] == pytest.approx(drawn[f"{side}_{sigmas}_isr"][beyond].to_numpy(), rel=2e-6)

    @pytest.mark.reference
    @pytest.mark.parametrize("file", ["rate_outputs", "rate_outputs_2", "rate_outputs_3"])
    def test_limits_of_rates_over_three_years(self, reference: Path, file: str) -> None:
        drawn = read(reference, file)
        found = funnel([100], [90_000], average=drawn["baseline"].iloc[0])
        assert len(drawn) == 100
        for name, sigmas in (("95", "2s"), ("998", "3s")):
            for side, place in (("lower", "low"), ("upper", "high")):
                person_years = 3 * drawn[f"{side}_{sigmas}_population_1_year"]
                limits = found.limits(person_years)[f"{place}_{name}"].to_numpy()
                few = drawn["events"].to_numpy() == 1 if "events" in drawn else drawn["Events"].to_numpy() == 1
                told = drawn[f"{side}_{sigmas}_limit"].to_numpy()
                assert limits == pytest.approx(told, rel=6e-5)
                assert limits[~few] == pytest.approx(told[~few], rel=2e-6)

    @pytest.mark.reference
    @pytest.mark.parametrize("kind", ["standardised", "rate"])
    @pytest.mark.parametrize("with_zero", [True, False])
    @pytest.mark.parametrize("per", [100_000, 100])
    def test_every_rate_gets_its_label(self, reference: Path, kind: str, with_zero: bool, per: int) -> None:
        """A place without events is a crude rate of 0 and no standardised rate: left in, or left out beforehand."""
        told = read(reference, "rate_dsr_inputs")
        zero = "with_0" if with_zero else "without_0"
        if not with_zero:
            told = told[told["count"] > 0]
        if kind == "standardised":
            found = funnel(told["count"], kind="standardised", values=told["rate_dsr"] * per / 100_000, per=per)
            wanted = told[f"dsr_per_{per}_{zero}"].replace("Not applicable for events less than 10 for dsrs", FEW)
        else:
            found = funnel(told["count"], told["pop"], per=per)
            wanted = told[f"crude_per_{per}_{zero}"]
        assert labels(found) == wanted.tolist()

    @pytest.mark.reference
    def test_people_behind_a_standardised_rate(self, reference: Path) -> None:
        told = read(reference, "rate_input_funnels")
        found = funnel(told["ev"], kind="standardised", values=told["rate"])
        years, crude = 3, told["denominator_derived_crude"]
        assert found.places["denominator"].to_numpy() == pytest.approx(years * crude.to_numpy(), rel=1e-9)
        assert found.estimate == pytest.approx(116.1720835, rel=1e-9)


class TestSpread:
    """R 4.2.2, psych 2.2.9, metafor 3.8-1. With o = COUNTS, n = PEOPLE:

    A <- sum(o)/sum(n); s2 <- A/n; z <- (o/n - A)/sqrt(s2)
    mean(z^2); pchisq(sum(z^2), 9, lower.tail = FALSE)              3.405871857  8.722997685e-05
    zw <- winsor(z, trim = .1); mean(zw^2)                          1.634128348
    w <- 1/s2; sqrt((10*mean(zw^2) - 9)/(sum(w) - sum(w^2)/sum(w)))*1e5   13.24034919
    sqrt(rma(yi = o/n, vi = s2, method = "DL")$tau2)*1e5            24.46205121
    With r = YES, d = ASKED, P <- sum(r)/sum(d), v <- P*(1 - P)/d:
    mean(((r/d - P)/sqrt(v))^2)                                     6.330333885
    sqrt(rma(yi = r/d, vi = v, method = "DL")$tau2)                 0.1393882595
    prop.test(r, d)$p.value                                         1.080104086e-08
    """

    def test_spread_of_rates_is_rs(self) -> None:
        found = funnel(COUNTS, PEOPLE)
        assert found.estimate == pytest.approx(109.0056285, abs=5e-8)
        assert found.phi == pytest.approx(3.405871857, abs=5e-10)
        assert found.p == pytest.approx(8.722997685e-05, rel=1e-9)
        assert found.phi_winsorised == pytest.approx(1.634128348, abs=5e-10)
        assert found.tau == pytest.approx(13.24034919, abs=5e-9)
        assert funnel(COUNTS, PEOPLE, winsorise=0).tau == pytest.approx(24.46205121, abs=5e-9)
        assert found.more_than_chance
        assert "Places differ more than chance (phi 3.4" in found.caveats[0]

    def test_spread_of_shares_is_rs(self) -> None:
        found = funnel(YES, ASKED, kind="proportion", winsorise=0)
        assert found.phi == found.phi_winsorised == pytest.approx(6.330333885, abs=5e-10)
        assert found.tau == pytest.approx(0.1393882595, abs=5e-11)
        assert found.p == pytest.approx(1.080104086e-08, rel=1e-9)

    def test_limits_widen_as_the_paper_has_them(self) -> None:
        """Spiegelhalter (2005): A ± z sqrt(phi) s, and A ± z sqrt(s² + τ²)."""
        plain = funnel(YES, ASKED, kind="proportion")
        average, s = plain.estimate, np.sqrt(plain.estimate * (1 - plain.estimate) / np.array(ASKED))
        z = stats.norm.ppf(0.975)
        wider = funnel(YES, ASKED, kind="proportion", overdispersion="multiplicative")
        assert wider.places["low_95"].to_numpy() == pytest.approx(average - z * math.sqrt(wider.phi_winsorised) * s)
        added = funnel(YES, ASKED, kind="proportion", overdispersion="additive")
        assert added.places["high_95"].to_numpy() == pytest.approx(average + z * np.sqrt(s**2 + added.tau**2))
        assert plain.outside_95 > wider.outside_95
        assert plain.outside_95 > added.outside_95
        assert added.chance_95 == pytest.approx(8 * 0.05)

    def test_chance_alone_is_not_widened(self) -> None:
        level = funnel([50, 51, 49, 50], [1000] * 4, overdispersion="multiplicative")
        assert level.phi < 1
        assert not level.more_than_chance
        pd.testing.assert_frame_equal(level.limits([900]), funnel([50, 51, 49, 50], [1000] * 4).limits([900]))


class TestByChance:
    def test_how_many_lie_outside_by_chance_is_counted_out(self) -> None:
        """R 4.2.2, E <- 20: uniroot(function(o) pgamma(E, o + 1) - .975, c(.01, 20), tol = 1e-12)$root and
        uniroot(function(o) pgamma(E, o) - .025, c(20, 60), tol = 1e-12)$root are 11.24765809 and 29.70632374 events;
        ppois(11, 20) and ppois(29, 20, lower.tail = FALSE) are 0.02138682159 and 0.02181821753.
        """
        found = funnel([20] * 30, [1000] * 30)
        low, high = found.limits([1000])[["low_95", "high_95"]].iloc[0] / 100
        assert (low, high) == pytest.approx((11.24765809, 29.70632374), abs=5e-9)
        assert found.chance_95 == pytest.approx(30 * (0.02138682159 + 0.02181821753), rel=1e-9)
        assert found.chance_998 < 30 * 0.002

    def test_shares_too(self) -> None:
        found = funnel([30] * 12, [100] * 12, kind="proportion")
        low, high = 30 - 1.959964 * math.sqrt(21), 30 + 1.959964 * math.sqrt(21)
        beyond = stats.binom.cdf(math.ceil(low) - 1, 100, 0.3) + stats.binom.sf(math.floor(high), 100, 0.3)
        assert found.chance_95 == pytest.approx(12 * beyond, rel=1e-9)

    @settings(max_examples=15)
    @given(st.integers(0, 2**32 - 1))
    def test_chance_alone_flags_about_as_many_as_said(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        people = rng.integers(5_000, 200_000, 400)
        found = funnel(rng.poisson(0.002 * people), people)
        assert found.outside_95 <= found.chance_95 + 5 * math.sqrt(found.chance_95)
        assert 0.6 < found.phi < 1.5

    @settings(max_examples=25)
    @given(
        st.lists(st.tuples(st.integers(0, 60), st.integers(60, 5_000)), min_size=2, max_size=12),
        st.sampled_from(["rate", "proportion", "ratio"]),
        st.sampled_from(["none", "multiplicative", "additive"]),
    )
    def test_promises(self, told: list[tuple[int, int]], kind: Any, how: Any) -> None:
        counts, people = (list(column) for column in zip(*told, strict=True))
        if not sum(counts) or (kind == "proportion" and counts == people):
            return
        found = funnel(counts, people, kind=kind, overdispersion=how)
        places = found.places
        assert (places["low_998"] <= places["low_95"]).all()
        assert (places["low_95"] <= found.estimate + 1e-9).all()
        assert (found.estimate <= places["high_95"] + 1e-9).all()
        assert (places["high_95"] <= places["high_998"]).all()
        assert (places["low_998"] >= 0).all()
        assert found.outside_998 <= found.outside_95 <= found.n == len(told)
        assert set(places["position"]) <= set(POSITIONS)
        scaled = funnel(counts, people, kind=kind, overdispersion=how, per=7 * found.per)
        assert scaled.estimate == pytest.approx(7 * found.estimate)
        assert list(scaled.places["position"]) == list(places["position"])
        turned = funnel(counts[::-1], people[::-1], kind=kind, overdispersion=how)
        assert list(turned.places["position"]) == list(places["position"])[::-1]
        assert turned.phi == pytest.approx(found.phi)


class TestEdges:
    def test_places_that_cannot_be_judged_stay_and_say_why(self) -> None:
        names = ["a", "b", "c", "d", "e"]
        counts = pd.Series([10, 20, None, 0, 30], index=names)
        found = funnel(counts, [100, 200, 300, 0, None])
        assert found.places["position"].tolist() == ["within", "within", NOT_GIVEN, NOBODY, NOT_GIVEN]
        assert list(found.places.index) == names
        assert (found.n, found.left_out) == (2, 3)
        assert found.estimate == pytest.approx(100_000 * 30 / 300)
        assert found.places.loc[["c", "d", "e"], ["z", "low_95", "high_998"]].isna().all().all()
        assert any("3 places were not judged" in caveat for caveat in found.caveats)

    def test_all_the_same(self) -> None:
        found = funnel([10] * 12, [100] * 12)
        assert (found.phi, found.p, found.tau, found.outside_95) == (0, 1, 0, 0)
        assert set(found.places["position"]) == {"within"}
        assert found.caveats == ()

    def test_one_place_needs_something_to_be_set_against(self) -> None:
        with pytest.raises(ValueError, match=r"One place alone.*Give average"):
            funnel([5], [100])
        alone = funnel([25], [100], kind="ratio", average=0.1)
        assert alone.places["position"].tolist() == ["above 99.8%"]
        assert alone.p == pytest.approx(stats.chi2.sf(alone.phi, 1))
        assert alone.tau == 0

    def test_so_few_expected_that_none_is_not_rare(self) -> None:
        found = funnel([0, 1, 4], [10, 10, 10], average=100, per=1000)
        assert found.places["low_95"].tolist() == [0, 0, 0]
        assert found.places["position"].tolist()[:2] == ["within", "within"]
        assert any("3 of 3 places fewer than 5 events" in caveat for caveat in found.caveats)
        tiny = funnel([1, 0], [1, 1], average=10, per=1000)  # one event where .01 were expected
        assert tiny.places["position"].tolist() == ["above 95%", "within"]

    def test_no_place_is_lost_where_names_come_twice(self) -> None:
        found = funnel(pd.Series([10, 90], index=["x", "x"]), [100, 100])
        assert found.places["z"].notna().all()

    @pytest.mark.parametrize(
        ("told", "how", "says"),
        [
            (([], []), {}, "No place can be judged"),
            (([-1, 2], [10, 10]), {}, "Place 0: counts hold -1"),
            (([1, 2], [10, -3]), {}, "Place 1: denominators hold -3"),
            (([1, 2], [10, math.inf]), {}, "Place 1: denominators hold inf"),
            (([1, 2, 3], [10, 10]), {}, "3 counts need as many denominators; 2 were given"),
            (([0, 0], [10, 10]), {}, "Nothing was counted anywhere"),
            (([10, 10], [10, 10]), {"kind": "proportion"}, "Everybody was counted"),
            (([11, 1], [10, 10]), {"kind": "proportion"}, "Place 0: the count is above"),
            (([1, 2], None), {}, "Denominators are needed"),
            (([11, 12], None), {"kind": "standardised"}, "values="),
            (([3, 4], None), {"kind": "standardised", "values": [1, 2]}, "No place can be judged"),
            (([3], None), {"kind": "standardised", "values": [1], "average": 2}, "No place can be judged"),
            (([1, 2], [10, 10]), {"kind": "mean"}, "kind='mean' is none of"),
            (([1, 2], [10, 10]), {"overdispersion": "random"}, "overdispersion='random' is none of"),
            (([1, 2], [10, 10]), {"winsorise": 0.5}, "winsorise"),
            (([1, 2], [10, 10]), {"per": 0}, "per = 0"),
            (([1, 2], [10, 10]), {"average": math.nan}, "no average"),
        ],
    )
    def test_what_has_no_answer_is_refused(self, told: Any, how: Any, says: str) -> None:
        with pytest.raises(ValueError, match=says):
            funnel(*told, **how)

    def test_limits_are_drawn_from_the_smallest_to_the_largest(self) -> None:
        found = funnel(COUNTS, PEOPLE)
        drawn = found.axis(50)
        assert len(drawn) == 50
        assert drawn["denominator"].iloc[0] < min(PEOPLE) < max(PEOPLE) < drawn["denominator"].iloc[-1]
        assert (drawn["high_95"].diff().dropna() < 0).all()
        with pytest.raises(ValueError, match="above 0"):
            found.limits([0])
