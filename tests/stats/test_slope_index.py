"""`stats.slope_index` against the published indices of English public health, R, and its own promises."""

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

from evalkit.stats.slope_index import change, slope_index

RATES = {"values": [520, 470, 455, 400, 390], "populations": [210, 200, 205, 190, 195]}
LIMITS = {"low": [497, 448, 433, 379, 369], "high": [544, 493, 478, 422, 412]}
SHARES = {"values": [0.31, 0.27, 0.22, 0.21, 0.15], "populations": RATES["populations"],
          "se": [0.05, 0.05, 0.06, 0.06, 0.07]}  # fmt: skip
AT = {"testing 99% confidence": 0.99, "with 98% CI": 0.98, "with 98% cis": 0.98}
"""What the worked values say of their confidence, where it is not 95 %."""
KINDS = ("mean", "rate", "proportion")


def cases(reference: Path) -> list[tuple[str, pd.DataFrame, dict[str, Any]]]:
    """Each worked index of PHEindicatormethods 2.1: its quantiles, and how to ask for it."""
    told = pd.read_excel(reference / "population" / "phe" / "testdata_SII.xlsx")
    found = []
    for (what, area), rows in told.groupby(["TestDescription", "Area"], sort=False):
        if rows["sii"].notna().any():
            rows = rows.sort_values("Quantile")
            kind = KINDS[rows["ValueType"].iloc[0]]
            how: dict[str, Any] = {"kind": kind, "transform": "transform" in what}
            how |= (
                {"se": rows["StandardError"]} if kind == "mean" else {"low": rows["LowerCL"], "high": rows["UpperCL"]}
            )
            if "multiplier" in what:
                how["multiplier"] = {"x 100)": 100, "x -100)": -100}.get(what.partition("(")[2], -1)
            found.append((f"{what} {area}", rows, how))
    return found


class TestPublished:
    """PHEindicatormethods 2.1's own worked values, every index in its file."""

    @pytest.mark.reference
    def test_every_index(self, reference: Path) -> None:
        checked = 0
        for what, rows, how in cases(reference):
            found = slope_index(rows["Value"], rows["Population"], draws=1_000, **how)
            first = rows.iloc[0]
            assert found.estimate == pytest.approx(first["sii"], rel=1e-9), what
            if not math.isnan(first["rii"]):
                assert found.relative == pytest.approx(first["rii"], rel=1e-9), what
            if not math.isnan(first["Intercept"]):
                assert found.at_0 == pytest.approx(first["Intercept"], rel=1e-9), what
            checked += 1
        assert checked == 44

    @pytest.mark.reference
    def test_every_drawn_limit_within_the_error_of_drawing(self, reference: Path) -> None:
        """Both theirs and ours are percentiles of so many draws: four standard errors of the difference of two."""
        checked, ours = 0, 20_000
        for what, rows, how in cases(reference):
            first = rows.iloc[0]
            if math.isnan(first["sii_lowercl_1"]):
                continue
            confidence = next((level for said, level in AT.items() if said in what), 0.95)
            found = slope_index(
                rows["Value"], rows["Population"], level="held", draws=ours, seed=7, confidence=confidence, **how
            )
            for name, drawn, limits in (
                ("sii", found._slopes, (found.low, found.high)),
                ("rii", found._ratios, (found.relative_low, found.relative_high)),
            ):
                z = stats.norm.ppf((1 + confidence) / 2)
                tail = (1 - confidence) / 2
                one = math.sqrt(tail * (1 - tail)) / stats.norm.pdf(z) * float(np.std(drawn))
                error = one * math.sqrt(1 / ours + 1 / first["Repetitions"])
                for limit, side in zip(limits, ("lower", "upper"), strict=True):
                    told = first[f"{name}_{side}cl_1"]
                    if not math.isnan(told):
                        assert abs(limit - told) < 4 * error, (what, name, side)
                        checked += 1
        assert checked == 160


class TestR:
    """R 4.2.2, a <- n/sum(n); b <- cumsum(a) - a/2; X <- cbind(1, b); K <- solve(t(X) %*% (a*X)) %*% t(a*X)

    Rates: y <- log(v), se <- (log(hi) - log(lo))/(2*qnorm(.975)); m <- lm(y ~ b, weights = a);
    e <- exp(c(coef(m)[1], sum(coef(m))))                           536.4611736  370.7702828
    summary(m)$r.squared                                            0.9624152599
    V <- K %*% diag(se^2) %*% t(K); g <- c(diff(e), e[2]); s <- sqrt(t(g) %*% V %*% g)
    diff(e) + c(-1, 1)*qnorm(.975)*s                                -201.6167874  -129.7649942
    exp(coef(m)[2] + c(-1, 1)*qnorm(.975)*sqrt(V[2, 2]))            0.6381723513  0.7485059572
    with K2 from cbind(1, b, b^2), q <- sum(K2[3, ]*y): 2*pnorm(-abs(q)/sqrt(sum(K2[3, ]^2*se^2)))   0.6763060998
    Shares: y <- qlogis(p), e <- plogis(...)                        0.3394455416  0.1459130168
    D <- e*(1 - e), g <- c(D[2] - D[1], D[2]):                      -0.2250448964  -0.1620201533
    g <- c(D[2]/e[2] - D[1]/e[1], D[2]/e[2]), on log(e[2]/e[1]):    0.372870798  0.4955522854
    """

    def test_a_line_of_logarithms(self) -> None:
        found = slope_index(**RATES, **LIMITS, kind="rate")
        assert (found.at_0, found.at_1) == pytest.approx((536.4611736, 370.7702828), rel=1e-9)
        assert (found.estimate, found.relative) == pytest.approx((-165.6908908, 0.6911409456), rel=1e-9)
        assert found.formula == pytest.approx((-201.6167874, -129.7649942), rel=1e-9)
        assert found.relative_formula == pytest.approx((0.6381723513, 0.7485059572), rel=1e-9)
        assert found.r_squared == pytest.approx(0.9624152599, rel=1e-9)
        assert found.bend_p == pytest.approx(0.6763060998, rel=1e-8)
        assert (found.low, found.high) == pytest.approx(found.formula, abs=0.02 * (found.high - found.low))
        assert (found.relative_low, found.relative_high) == pytest.approx(found.relative_formula, abs=0.002)
        assert found.caveats == ("The line was fitted on the log scale; it explains 96 % of how the quantiles differ.",)
        assert (found.n, found.population, found.scale) == (5, 1000, "log")

    def test_a_line_of_logits(self) -> None:
        found = slope_index(**SHARES, kind="proportion")
        assert (found.at_0, found.at_1) == pytest.approx((0.3394455416, 0.1459130168), rel=1e-9)
        assert found.formula == pytest.approx((-0.2250448964, -0.1620201533), rel=1e-9)
        assert found.relative_formula == pytest.approx((0.372870798, 0.4955522854), rel=1e-9)
        assert (found.low, found.high) == pytest.approx(found.formula, abs=0.001)


class TestPromises:
    @settings(max_examples=25)
    @given(
        st.lists(st.tuples(st.floats(0.05, 0.95), st.integers(1, 500), st.floats(0.01, 0.2)), min_size=5, max_size=12),
        st.sampled_from(KINDS),
        st.booleans(),
    )
    def test_promises(self, told: list[tuple[float, int, float]], kind: Any, transform: bool) -> None:
        values, people, se = (np.array(column) for column in zip(*told, strict=True))
        how: dict[str, Any] = {"kind": kind, "se": se, "transform": transform, "draws": 2_000}
        found = slope_index(values, people, **how)
        assert found.low <= found.high
        assert found.estimate == pytest.approx(found.at_1 - found.at_0)
        assert found.interval(0.5) == pytest.approx(tuple(np.quantile(found._slopes, (0.25, 0.75))))
        if math.isfinite(found.relative):
            assert found.relative == pytest.approx(found.at_1 / found.at_0)
            assert found.relative_low <= found.relative_high
            assert found.relative_interval(0.5)[0] >= found.relative_low
        assert 0 <= found.bend_p <= 1
        again = slope_index(values, people * 7, **how)
        assert (again.estimate, again.low) == pytest.approx((found.estimate, found.low)), "only shares matter"
        times = slope_index(values, people, multiplier=-100, **how)
        assert (times.estimate, times.high) == pytest.approx((-100 * found.estimate, -100 * found.low))
        if math.isfinite(found.relative):
            assert times.relative == pytest.approx(1 / found.relative)
        if kind != "rate" and not transform:
            turned = slope_index(values[::-1], people[::-1], **{**how, "se": se[::-1]})
            assert turned.estimate == pytest.approx(-found.estimate)

    @settings(max_examples=15)
    @given(st.floats(-0.3, 0.3), st.lists(st.integers(50, 400), min_size=5, max_size=10))
    def test_a_straight_line_is_found_whole(self, slope: float, people: list[int]) -> None:
        share = np.array(people) / sum(people)
        rank = np.cumsum(share) - share / 2
        found = slope_index(0.5 + slope * rank, people, se=[0.01] * len(people), draws=2_000)
        assert found.estimate == pytest.approx(slope, abs=1e-9)
        assert found.bend_p == pytest.approx(1, abs=1e-6)
        assert found.formula == pytest.approx((found.low, found.high), abs=0.01)

    def test_the_seed_decides(self) -> None:
        first, again, other = (slope_index(**RATES, **LIMITS, kind="rate", draws=1_000, seed=s) for s in (1, 1, 2))
        assert (first.low, first.high) == (again.low, again.high)
        assert first.low != other.low

    def test_drawing_keeps_its_promise(self) -> None:
        """95 % intervals hold the true index in about 95 of 100 (300 sets of counts: standard error 1.3)."""
        rng, people = np.random.default_rng(5), np.array([4000, 3500, 3000, 2500, 2000])
        share = people / people.sum()
        rank = np.cumsum(share) - share / 2
        rates, true = 0.06 * np.exp(-0.5 * rank), 0.06 * (math.exp(-0.5) - 1)
        held = 0
        for counts in rng.poisson(rates * people, (300, 5)):
            se = 1 / np.sqrt(counts)
            found = slope_index(counts / people, people, kind="rate", se=se, draws=2_000)
            held += found.low <= true <= found.high
        assert 0.91 <= held / 300 <= 0.985


class TestChange:
    def test_two_indices_seen_apart_differ_by_the_sum_of_their_variances(self) -> None:
        """Means: both indices are normal, so the change is, with the variance of both."""
        was = slope_index([9, 8, 7, 6, 5], [10] * 5, se=[0.5] * 5, seed=1)
        now = slope_index([8, 7, 7, 6, 6], [10] * 5, se=[0.7] * 5, seed=2)
        found = change(was, now)
        half = math.hypot(*((each.formula[1] - each.formula[0]) / 2 for each in (was, now)))
        assert found.estimate == pytest.approx(2.5)
        assert (found.low, found.high) == pytest.approx((2.5 - half, 2.5 + half), abs=0.03)
        assert found.relative == pytest.approx(now.relative / was.relative)
        assert found.relative_low < found.relative < found.relative_high

    @pytest.mark.parametrize(
        ("how", "says"),
        [({"seed": 1}, "seed 1"), ({"multiplier": 100}, "multipliers"), ({"draws": 2_000}, "1000 and 2000 draws")],
    )
    def test_what_cannot_be_set_side_by_side(self, how: Any, says: str) -> None:
        told: dict[str, Any] = {"values": [1, 2, 3, 4, 5], "populations": [10] * 5, "se": [1] * 5, "draws": 1_000}
        with pytest.raises(ValueError, match=says):
            change(slope_index(**told, seed=1), slope_index(**{**told, "seed": 2, **how}))


class TestEdges:
    def test_all_the_same(self) -> None:
        found = slope_index([7] * 5, [10] * 5, se=[1] * 5)
        assert (found.estimate, found.relative) == pytest.approx((0, 1))
        assert found.low < 0 < found.high
        assert found.caveats[0].endswith("the quantiles do not differ at all.")
        assert found.bend_p == pytest.approx(1)

    def test_a_bend_is_told(self) -> None:
        found = slope_index([9, 3, 1, 3, 9], [10] * 5, se=[0.5] * 5)
        assert found.bend_p < 0.001
        assert any("do not lie along a straight line" in caveat for caveat in found.caveats)

    def test_a_line_through_nothing_has_no_ratio(self) -> None:
        found = slope_index([4, 3, 2, 1, 0], [10] * 5, se=[0.1] * 5)
        assert found.estimate == pytest.approx(-5)
        assert math.isnan(found.relative)
        assert math.isnan(found.relative_low)
        assert any("no ratio of its ends" in caveat for caveat in found.caveats)

    def test_wide_errors_are_told(self) -> None:
        found = slope_index(**{**SHARES, "se": [1.5] * 5}, kind="proportion", draws=20_000)
        assert any("Limits by formula lie elsewhere" in caveat for caveat in found.caveats)

    @pytest.mark.parametrize(
        ("how", "says"),
        [
            ({"values": [1, 2, 3, 4], "populations": [1] * 4, "se": [1] * 4}, "4 quantiles were given"),
            ({"values": [1] * 101, "populations": [1] * 101, "se": [1] * 101}, "101 quantiles"),
            ({"values": [], "populations": [], "se": []}, "0 quantiles"),
            ({"populations": [1, 2, 0, 4, 5]}, "Quantile 3 has a population that is not above 0"),
            ({"populations": [1, 2, -3, 4, 5]}, "Quantile 3 has a population"),
            ({"populations": [1, 2, None, 4, 5]}, "Quantile 3 has no population"),
            ({"populations": [1, 2]}, "5 values need as many of population; 2"),
            ({"values": [1, 2, 3, 4, None]}, "Quantile 5 has no value"),
            ({"values": [1, 2, 3, 4, math.inf]}, "infinite"),
            ({"values": [1, 0, 3, 4, 5], "kind": "rate"}, "Quantile 2 has a rate not above 0: it has no log"),
            ({"values": [0.1, 1, 0.3, 0.4, 0.5], "kind": "proportion"}, "Quantile 2 has a proportion not between"),
            ({"se": None}, "Give either se"),
            ({"se": [1, 1, 1, 0, 1]}, "Quantile 4 has a standard error"),
            ({"se": [1, 1, 1, None, 1]}, "Quantile 4 has a standard error"),
            ({"se": [1, 1]}, "as many of se; 2"),
            ({"se": None, "low": [0, 1, 2, 5, 4], "high": [2, 3, 4, 6, 6]}, "Quantile 4 lies outside its own limits"),
            (
                {"se": None, "low": [0, 1, 2, 3, 4], "high": [2, 3, 4, 5, 6], "kind": "rate"},
                "Quantile 1 has a low limit",
            ),
            ({"low": [0, 1, 2, 3, 4], "high": [2, 3, 4, 5, 6]}, "Give either se"),
            ({"kind": "count"}, "kind='count'"),
            ({"level": "free"}, "level='free'"),
            ({"multiplier": 0}, "multiplier = 0"),
            ({"draws": 10}, "draws = 10"),
            ({"confidence": 95}, "confidence = 95"),
        ],
    )
    def test_what_has_no_answer_is_refused(self, how: Any, says: str) -> None:
        given: dict[str, Any] = {"values": [1, 2, 3, 4, 5], "populations": [10] * 5, "se": [1] * 5}
        with pytest.raises(ValueError, match=says):
            slope_index(**{**given, **how})
