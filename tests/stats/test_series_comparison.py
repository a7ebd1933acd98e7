"""Interrupted series beside a comparison series, and events more or fewer than expected."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import series

MONTHS = pd.date_range("2018-04-01", periods=60, freq="MS")
# 60 months from April, as in test_series.py; the others typed in by hand from the same season
COUNTS = [
    332, 340, 305, 308, 283, 276, 260, 265, 304, 296, 314, 349, 332, 327, 338, 295, 280, 284, 275, 290,
    284, 327, 332, 357, 335, 347, 324, 319, 287, 279, 303, 288, 302, 334, 336, 348, 322, 293, 279, 286,
    254, 253, 239, 273, 279, 297, 283, 303, 300, 322, 290, 282, 284, 269, 269, 270, 284, 298, 314, 319,
]  # fmt: skip
OTHERS = [
    510, 488, 470, 455, 461, 430, 399, 412, 450, 477, 480, 515, 520, 499, 505, 460, 451, 436, 421, 418,
    440, 490, 497, 530, 525, 512, 480, 489, 455, 441, 430, 425, 466, 501, 509, 540, 515, 500, 490, 470,
    449, 460, 433, 440, 471, 492, 505, 528, 541, 530, 498, 480, 477, 459, 440, 452, 480, 512, 522, 550,
]  # fmt: skip
MONTHLY = pd.DataFrame(
    {"month": MONTHS, "visits": COUNTS, "people": 10_000 + 10 * np.arange(60), "other_visits": OTHERS}
    | {"other_people": 15_000 - 7 * np.arange(60)}
)
RATES = MONTHLY["other_visits"] / MONTHLY["other_people"]


def visits(frame=MONTHLY, **changed):
    chosen = {"outcome": "visits", "time": "month", "start": MONTHS[36], "family": "quasipoisson"}
    chosen |= {"offset": "people", "seasonal": "harmonic"}
    return series.interrupted(frame, **(chosen | changed))


def compared(frame=MONTHLY, **changed):
    return visits(frame, **({"comparison": "other_visits", "comparison_offset": "other_people"} | changed))


def stays(frame=MONTHLY, **changed):
    """The same numbers as a measure that is no count."""
    return series.interrupted(frame, outcome="visits", time="month", start=MONTHS[36], family="normal", **changed)


# ---- comparison


@pytest.mark.parametrize("errors", ["ar1_noise", "ar1", "model"])
def test_the_comparison_equals_an_offset_of_people_times_its_rate(errors):
    route = visits(MONTHLY.assign(expected=MONTHLY["people"] * RATES), offset="expected", errors=errors)
    found = compared(errors=errors)
    assert (found.estimate, found.low, found.high, found.p) == pytest.approx(
        (route.estimate, route.low, route.high, route.p)
    )
    assert found.comparison == "other_visits"
    assert found.method.endswith("as a ratio to 'other_visits'")
    assert route.comparison is None
    assert found.cumulative.estimate == pytest.approx(route.cumulative.estimate)
    # the path is in the series' own units; that of the route is a ratio to the comparison
    for name in ("observed", "fitted", "counterfactual", "counterfactual_low", "counterfactual_high"):
        assert found.path[name].tolist() == pytest.approx((route.path[name] * RATES).tolist())
    assert found.path["observed"].tolist() == pytest.approx((MONTHLY["visits"] / MONTHLY["people"]).tolist())
    placebo, same = (each.sensitivity.set_index(["variation", "setting"]) for each in (found, route))
    assert placebo["estimate"].tolist() == pytest.approx(same["estimate"].tolist())


def test_the_difference_from_a_comparison_equals_least_squares_on_the_difference():
    found = stays(comparison="other_visits", errors="model")
    t = np.arange(60.0)
    X = np.column_stack([np.ones(60), t, t >= 36])
    second = sm.OLS(MONTHLY["visits"] - MONTHLY["other_visits"], X).fit()
    assert (found.estimate, found.se) == pytest.approx((second.params.iloc[2], second.bse.iloc[2]))
    assert found.method.endswith("as a difference from 'other_visits'")
    assert found.path["observed"].tolist() == COUNTS
    assert found.path["fitted"].tolist() == pytest.approx((second.fittedvalues + MONTHLY["other_visits"]).tolist())
    assert found.cumulative.estimate == pytest.approx(24 * found.estimate)


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(50, 900), min_size=60, max_size=60))
def test_programme_and_comparison_swapped_invert_the_ratio(others):
    frame = MONTHLY.assign(other_visits=others)
    found = compared(frame)
    swapped = compared(
        frame, outcome="other_visits", offset="other_people", comparison="visits", comparison_offset="people"
    )
    assert (1 / swapped.estimate, 1 / swapped.high, 1 / swapped.low) == pytest.approx(
        (found.estimate, found.low, found.high)
    )


@settings(max_examples=8, deadline=None)
@given(st.floats(-1000, 1000), st.sampled_from(["ar1_noise", "ar1", "model"]))
def test_a_constant_added_to_a_measure_leaves_the_difference(more, errors):
    first = stays(errors=errors)
    second = stays(MONTHLY.assign(visits=MONTHLY["visits"] + more), errors=errors)
    assert (second.estimate, second.se, second.df) == pytest.approx((first.estimate, first.se, first.df), rel=1e-6)
    assert second.cumulative.estimate == pytest.approx(first.cumulative.estimate, rel=1e-6)


@settings(max_examples=8, deadline=None)
@given(st.integers(2, 40), st.sampled_from(["ar1_noise", "ar1", "model"]))
def test_scaling_either_denominator_leaves_the_ratio_and_the_events(times, errors):
    first = compared(errors=errors)
    more = MONTHLY.assign(people=times * MONTHLY["people"], other_people=(times + 1) * MONTHLY["other_people"])
    second = compared(more, errors=errors)
    assert (second.estimate, second.low, second.high) == pytest.approx((first.estimate, first.low, first.high))
    assert second.cumulative.estimate == pytest.approx(first.cumulative.estimate)


def test_what_both_series_share_leaves_no_trace():
    """A dip of a half from the month after the start in both series: there in the one, gone in the ratio."""
    dip = np.where(np.arange(60) >= 37, 1, 2)
    dipped = MONTHLY.assign(visits=MONTHLY["visits"] * dip, other_visits=MONTHLY["other_visits"] * dip)
    assert compared(dipped).estimate == pytest.approx(compared().estimate)
    assert visits(dipped).estimate < 0.85 * visits().estimate


def test_a_comparison_taken_as_known_is_said_and_a_shock_beside_one_bars_nothing():
    assert any("taken as known" in each for each in compared(family="poisson", errors="model").caveats)
    assert not any("taken as known" in each for each in compared().caveats)
    assert compared(shocks=["2020-04"]).cautions == ()
    assert len(visits(shocks=["2020-04"]).cautions) == 1


@pytest.mark.parametrize(
    ("frame", "changed", "says"),
    [
        (MONTHLY, {"comparison": "nobody"}, "No column 'nobody'"),
        (MONTHLY, {"comparison_offset": "nobody"}, "No column 'nobody'"),
        (MONTHLY, {"comparison": None}, "name that column too"),
        (MONTHLY, {"comparison_offset": None}, "or neither: a rate compares with a rate"),
        (MONTHLY, {"offset": None}, "or neither: a rate compares with a rate"),
        (MONTHLY.assign(other_visits=[0, *OTHERS[1:]]), {}, "no events in 'other_visits': 2018-04"),
        (MONTHLY.assign(other_visits=[-1, *OTHERS[1:]]), {}, "'other_visits' that is not a count: 2018-04"),
        (MONTHLY.assign(other_visits=[None, *OTHERS[1:]]), {}, "have no 'other_visits'"),
        (MONTHLY.assign(other_people=0), {}, "'other_people' that is not above zero"),
        (MONTHLY, {"family": "normal"}, "belongs to counts"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(frame, changed, says):
    with pytest.raises(ValueError, match=says):
        compared(frame, **changed)


def test_a_series_compared_with_itself_has_no_scatter():
    with pytest.raises(ValueError, match="no scatter"):
        compared(comparison="visits", comparison_offset="people")


# ---- events more or fewer


def test_cumulative_of_least_squares_equals_r():
    # R version 4.2.2 Patched: y <- as.numeric(Nile); t <- 0:99; level <- as.numeric(t >= 28); s1 <- pmax(t-28, 0)*level
    # > f <- lm(y ~ t + level + s1); X <- model.matrix(f); X0 <- X; X0[, 3:4] <- 0; a <- t >= 28
    # > d <- colSums(X[a, ] - X0[a, ]); est <- sum(y[a] - (X0 %*% coef(f))[a])
    # > est + c(0, -1, 1)*qt(.975, 96)*sqrt(t(d) %*% vcov(f) %*% d)
    # -22014.3842364533 -43848.6988966240   -180.0695762826
    # > d <- colSums(X0[a, ]); est + c(-1, 1)*…                                           # the line alone
    # -43741.5029245699   -287.2655483367
    flow = sm.datasets.nile.load_pandas().data["volume"]
    nile = pd.DataFrame({"year": range(100), "flow": flow})
    found = series.interrupted(
        nile, outcome="flow", time="year", start=28, family="normal", slope=True, errors="model"
    ).cumulative
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (-22014.3842364533, -43848.6988966240, -180.0695762826), rel=1e-9
    )
    assert (found.line_low, found.line_high) == pytest.approx((-43741.5029245699, -287.2655483367), rel=1e-9)
    assert (found.n, found.observed) == (72, flow[28:].sum())


@pytest.mark.parametrize("family", ["poisson", "quasipoisson"])
def test_cumulative_of_counts_is_the_count_less_the_count_over_the_ratio(family):
    found = visits(family=family, errors="model")
    total, seen = found.cumulative, sum(COUNTS[36:])
    assert total.observed == seen
    for events, ratio in ((total.estimate, found.estimate), (total.low, found.low), (total.high, found.high)):
        assert events == pytest.approx(seen * (1 - 1 / ratio))
    assert total.estimate == pytest.approx(total.observed - total.expected)


@pytest.mark.parametrize("errors", ["ar1_noise", "ar1"])
def test_cumulative_on_log_rates_by_direct_variance(errors):
    """The variance of log O − log E is that of w'y − w₀'X₀β̂ written out as one linear form of the log rates y."""
    found = visits(errors=errors)
    line, points, model = found._line, found._points, found._model
    X = np.column_stack(list(model.columns(points).values()))
    without = np.column_stack(list(model.unchanged(points).values()))
    smear = sum(COUNTS) / (points.exposure * np.exp(X @ line.beta)).sum()
    after = np.arange(60) >= 36
    expected = smear * points.exposure * np.exp(without @ line.beta) * after
    total = found.cumulative
    assert total.expected == pytest.approx(expected.sum())
    weight = smear * points.exposure * np.exp(X @ line.beta) * after
    estimator = line.plug_in @ X.T @ np.linalg.inv(line.scatter)
    form = weight / weight.sum() - estimator.T @ without.T @ (expected / expected.sum())
    half = np.log((total.observed - total.low) / total.expected)
    se, df = line.error((X.T @ weight / weight.sum() - without.T @ expected / expected.sum())[None])
    extra = max(0.0, se[0] ** 2 - found._line.plug_in[2, 2])  # the allowance for ρ and w having been estimated
    from scipy.special import stdtrit

    assert half == pytest.approx(stdtrit(df[0], 0.975) * np.sqrt(form @ line.scatter @ form + extra), rel=1e-6)


def test_the_running_total_ends_in_the_total_and_adds_up():
    total = compared(transition=2).cumulative
    rows = total.periods
    assert list(rows) == [
        "time",
        "observed",
        "expected",
        "difference",
        "low",
        "high",
        "total",
        "total_low",
        "total_high",
    ]
    assert len(rows) == total.n == 22
    assert rows["difference"].cumsum().tolist() == pytest.approx(rows["total"].tolist())
    last = rows[["total", "total_low", "total_high"]].iloc[-1].tolist()
    assert last == pytest.approx([total.estimate, total.low, total.high])
    assert (rows["low"] < rows["difference"]).all()
    assert (rows["difference"] < rows["high"]).all()
    assert total.low < total.line_low < total.estimate < total.line_high < total.high
    assert rows["time"].iloc[0] == MONTHS[38]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=24, max_size=24, unique=True), st.sampled_from(["ar1_noise", "model"]))
def test_events_expected_are_never_below_nothing(counts, errors):
    frame = pd.DataFrame({"t": range(24), "y": counts})
    total = series.interrupted(frame, outcome="y", time="t", start=12, family="quasipoisson", errors=errors).cumulative
    assert total.low < total.estimate < total.high < total.observed
    assert total.observed == sum(counts[12:])
