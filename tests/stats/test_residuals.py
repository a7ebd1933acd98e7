"""What a line leaves over, held against R, exact moments and series made to fail."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import residuals, series

FLOW = sm.datasets.nile.load_pandas().data["volume"].astype(float)  # also R's `Nile`
NILE = pd.DataFrame({"year": range(100), "flow": FLOW})
MONTHS = pd.date_range("2018-04-01", periods=60, freq="MS")
COUNTS = [
    332, 340, 305, 308, 283, 276, 260, 265, 304, 296, 314, 349, 332, 327, 338, 295, 280, 284, 275, 290,
    284, 327, 332, 357, 335, 347, 324, 319, 287, 279, 303, 288, 302, 334, 336, 348, 322, 293, 279, 286,
    254, 253, 239, 273, 279, 297, 283, 303, 300, 322, 290, 282, 284, 269, 269, 270, 284, 298, 314, 319,
]  # fmt: skip
MONTHLY = pd.DataFrame({"month": MONTHS, "visits": COUNTS})


def visits(frame=MONTHLY, **changed):
    asked = {"outcome": "visits", "time": "month", "start": MONTHS[36], "family": "quasipoisson"}
    return series.interrupted(frame, **(asked | {"seasonal": "harmonic"} | changed))


def flow(frame=NILE, **changed):
    asked = {"outcome": "flow", "time": "year", "start": 28, "family": "normal", "errors": "model"}
    return series.interrupted(frame, **(asked | changed))


def row(found, check):
    return found.checks.set_index("check").loc[check]


# ---- second programs


def test_the_most_unusual_period_equals_car():
    # R version 4.2.2 Patched, car 3.1.1: y <- as.numeric(Nile); t <- 0:99; level <- as.numeric(t >= 28)
    # > outlierTest(lm(y ~ t + level), cutoff = Inf, n.max = 1)
    #              rstudent unadjusted p-value Bonferroni p
    # 43 -3.142592844294          0.0022276      0.22276
    found = row(flow(), "most unusual period")
    assert found["estimate"] == pytest.approx(-3.142592844294, rel=1e-10)
    assert found["p"] == pytest.approx(0.22276, abs=5e-6)
    assert "42" in found["reading"]
    second = sm.OLS(FLOW, np.column_stack([np.ones(100), np.arange(100), np.arange(100) >= 28])).fit().outlier_test()
    assert found["p"] == pytest.approx(second["bonf(p)"].min())


def test_the_shape_equals_r():
    # R 4.2.2: r <- residuals(lm(y ~ t + level)); u <- log(100); v <- log(u)
    # > w <- cor(sort(r), qnorm(ppoints(r, 3/8)))^2
    # > pnorm((log(1-w) - (-1.2725 + 1.0521*(v-u))) / (1.0308 - .26758*(v + 2/u)), lower.tail = FALSE)
    # w 0.9876537484842   p 0.4089822476919
    # > nortest::sf.test(r)                                                                        # nortest 1.0.4
    # W = 0.98765374848, p-value = 0.4089822477
    found = row(flow(), "shape")
    assert (found["estimate"], found["p"]) == pytest.approx((0.9876537484842, 0.4089822476919), rel=1e-8)


def test_the_season_left_over_equals_r():
    # R 4.2.2: > month <- factor((tt + 3) %% 12 + 1); anova(lm(counts ~ tt + lv), lm(counts ~ tt + lv + month))
    # F 22.26452 on 11 and 46, p 7.6437e-15
    found = row(visits(family="normal", seasonal=None, errors="model"), "season left over")
    assert found["estimate"] == pytest.approx(22.26452, abs=5e-6)
    assert found["p"] == pytest.approx(7.6437e-15, rel=1e-4)
    assert not found["ok"]
    assert "season left over" not in visits(seasonal="monthly").checks["check"].tolist()


def test_the_scatter_of_counts_equals_r():
    # R 4.2.2: > p <- glm(counts ~ tt + lv, poisson); x2 <- sum(residuals(p, "pearson")^2)
    # > c(x2/57, pchisq(x2, 57, lower.tail = FALSE))
    # 1.998340382116 1.142956611271e-05
    asked = {"seasonal": None, "errors": "model"}
    found = row(visits(family="poisson", **asked), "scatter of counts")
    assert (found["estimate"], found["p"]) == pytest.approx((1.998340382116, 1.142956611271e-05), rel=1e-8)
    assert not found["ok"]
    assert "2.0 times" in found["reading"]
    quasi = row(visits(**asked), "scatter of counts")
    assert quasi["estimate"] == pytest.approx(1.998340382116, rel=1e-8)
    assert quasi["ok"]
    assert np.isnan(quasi["p"])
    assert "scatter of counts" not in flow().checks["check"].tolist()


# ---- likeness of neighbours


@pytest.mark.parametrize("lag", [1, 2, 4])
def test_moments_about_a_mean_are_those_of_dufour_and_roy(lag):
    """Dufour & Roy (1985), Journal of Econometrics 30, 257–273: about an estimated mean r_k has mean −(n−k)/(n(n−1))
    and variance [n⁴ − (k+3)n³ + 3kn² + 2k(k+1)n − 4k²] / [(n+1) n² (n−1)²]."""
    n = 12
    left = np.sin(np.arange(n) ** 2)
    left -= left.mean()
    mean = -(n - lag) / (n * (n - 1))
    variance = n**4 - (lag + 3) * n**3 + 3 * lag * n**2 + 2 * lag * (lag + 1) * n - 4 * lag**2
    variance /= (n + 1) * n**2 * (n - 1) ** 2
    up_to = residuals.moments(np.ones((n, 1)), 4)
    assert (up_to[0][lag - 1], up_to[1][lag - 1, lag - 1]) == pytest.approx((mean, variance))
    if lag == 1:
        r = left[1:] @ left[:-1] / (left @ left)
        assert residuals.portmanteau(left, np.ones((n, 1)), 1) == pytest.approx((r - mean) ** 2 / variance)


def test_in_a_long_series_it_is_ljung_and_box():
    left = np.random.default_rng(4).normal(size=400)
    left -= left.mean()
    # statsmodels 0.15.0, acorr_ljungbox(left, lags=[10])
    second = float(sm.stats.acorr_ljungbox(left, lags=[10])["lb_stat"].iloc[0])
    assert residuals.portmanteau(left, np.ones((400, 1)), 10) == pytest.approx(second, rel=0.05)


def test_a_series_whose_neighbours_are_alike_is_told_unless_the_model_holds_it():
    wander = np.zeros(100)
    drawn = np.random.default_rng(8).normal(size=100)
    for t in range(1, 100):
        wander[t] = 0.8 * wander[t - 1] + drawn[t]
    frame = NILE.assign(flow=100 + wander)
    naive, held = flow(frame), flow(frame, errors="ar1_noise")
    assert not row(naive, "likeness of neighbours")["ok"]
    assert any("Neighbouring periods are alike" in each for each in naive.caveats)
    assert row(held, "likeness of neighbours")["ok"]
    assert not any("Neighbouring periods are alike" in each for each in held.caveats)


# ---- series made to fail, and properties


def test_one_odd_month_is_named():
    odd = MONTHLY.assign(visits=[*COUNTS[:20], 150, *COUNTS[21:]])
    found = visits(odd)
    assert any(each.startswith("2019-12 is further from the line") for each in found.caveats)
    assert not row(found, "most unusual period")["ok"]
    assert row(visits(), "most unusual period")["ok"]


def test_checks_are_whole_and_fail_nothing_in_a_sound_series():
    found = visits().checks
    assert list(found) == ["check", "estimate", "p", "threshold", "ok", "reading"]
    assert found["check"].tolist() == [
        "scatter of counts", "likeness of neighbours", "most unusual period", "season left over", "shape",
    ]  # fmt: skip
    assert found["ok"].all()
    assert found["reading"].str.endswith(".").all()
    assert visits().caveats == ()


@settings(max_examples=8, deadline=None)
@given(st.floats(0.1, 50), st.floats(-5, 5), st.sampled_from(["ar1_noise", "ar1", "model"]))
def test_units_and_trend_of_a_measure_change_no_check(times, slope, errors):
    first = flow(errors=errors).checks
    second = flow(NILE.assign(flow=times * FLOW + slope * np.arange(100)), errors=errors).checks
    assert second[["estimate", "p"]].to_numpy() == pytest.approx(first[["estimate", "p"]].to_numpy(), rel=1e-4)


def test_whitened_residuals_of_ar1_are_the_surprises():
    found = flow(errors="ar1")
    left = residuals.Left.of(found._points, found._line, found._model)
    e, rho, s = found._line.residuals, found.rho, np.sqrt(found._line.scatter[0, 0])
    assert left.residuals[0] == pytest.approx(e[0] / s)
    assert left.residuals[1:] == pytest.approx((e[1:] - rho * e[:-1]) / (s * np.sqrt(1 - rho**2)))


# ---- edges


def test_few_periods_leave_few_checks():
    short = pd.DataFrame({"t": range(5), "y": [3.0, 5.0, 4.0, 7.0, 9.0]})
    found = series.interrupted(short, outcome="y", time="t", start=3, family="normal", errors="model")
    assert found.checks["check"].tolist() == ["most unusual period", "shape"]
    assert found.checks["p"].between(0, 1).all()


def test_a_period_with_a_term_to_itself_is_never_the_most_unusual():
    found = flow(NILE[:20].assign(flow=[*FLOW[:19], 5000.0]), start=19)
    assert row(found, "most unusual period")["reading"].split(",")[1].strip() != "19"


def test_counts_that_never_vary_leave_only_their_scatter():
    found = visits(MONTHLY.assign(visits=7), errors="model", family="poisson")
    assert found.checks["check"].tolist() == ["scatter of counts"]
    assert found.checks["estimate"].iloc[0] == pytest.approx(0, abs=1e-12)


def test_zero_counts_and_gaps_are_no_trouble():
    gaps = MONTHLY.assign(visits=[0, 1, 1, 3] * 15).drop(index=[4, 5, 30])
    found = visits(gaps, errors="model", family="negative_binomial").checks
    assert found["p"].dropna().between(0, 1).all()
    assert "shape" not in found["check"].tolist()
