"""Interrupted series held against Stata, R, exact properties, and a small simulation."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from evalkit.stats import ar1_noise, segments, series

NILE = pd.DataFrame(
    {
        "year": range(1871, 1971),
        "flow": sm.datasets.nile.load_pandas().data["volume"].astype(int),  # also R's `Nile`
        "people": 1000 + 10 * np.arange(100),
    }
)
# 60 months from April, made in R 4.2.2 with a sine of one year and a fall of 14 % from the 37th:
# > tt <- 0:59; round(300*exp(.002*tt + .1*sin(2*pi*(tt+3)/12) - .15*(tt>=36)) + 15*sin(tt^2))
COUNTS = [
    332, 340, 305, 308, 283, 276, 260, 265, 304, 296, 314, 349, 332, 327, 338, 295, 280, 284, 275, 290,
    284, 327, 332, 357, 335, 347, 324, 319, 287, 279, 303, 288, 302, 334, 336, 348, 322, 293, 279, 286,
    254, 253, 239, 273, 279, 297, 283, 303, 300, 322, 290, 282, 284, 269, 269, 270, 284, 298, 314, 319,
]  # fmt: skip
MONTHS = pd.date_range("2018-04-01", periods=60, freq="MS")
MONTHLY = pd.DataFrame({"month": MONTHS, "visits": COUNTS, "people": 10_000 + 10 * np.arange(60)})
BEGINS = MONTHS[36]


def visits(frame=MONTHLY, **changed):
    chosen = {"outcome": "visits", "time": "month", "start": BEGINS, "family": "quasipoisson", "seasonal": "harmonic"}
    return series.interrupted(frame, **(chosen | changed))


def term(found, name):
    return found.terms.set_index("term").loc[name]


# ---- published and second-program values


@pytest.mark.reference
def test_california_cigarette_sales_equal_stata(reference):
    """Linden (2015), Stata Journal 15, 480–500: Proposition 99, packs a head, 1970–2000, one group, Newey–West, lag 1.

    Coefficients and standard errors as Stata's itsa gives them, carried over to six decimals in the outside numbers:
    trend −1.779474 (.383419), level −20.058097 (4.724395), slope −1.494652 (.436820).
    """
    smoking = pd.read_csv(reference / "population" / "prop99" / "california_prop99.csv", sep=";")
    found = series.interrupted(
        smoking[smoking["State"] == "California"],
        outcome="PacksPerCapita", time="Year", start=1989, family="normal", slope=True, errors="newey_west", lags=1,
    )  # fmt: skip
    assert term(found, "trend")[["estimate", "se"]].tolist() == pytest.approx([-1.779474, 0.383419], abs=1e-6)
    assert (found.estimate, found.se) == pytest.approx((-20.058097, 4.724395), abs=1e-6)
    assert (found.slope.estimate, found.slope.se) == pytest.approx((-1.494652, 0.436820), abs=1e-6)
    assert (found.scale, found.df, found.n_before, found.n_after) == ("difference", 27, 19, 12)
    assert "too narrow" in found.caveats[0]


def test_quasi_poisson_with_offset_equals_r():
    # R version 4.2.2 Patched
    # > y <- as.numeric(Nile); t <- 0:99; level <- as.numeric(t >= 28); people <- 1000 + 10*t
    # > summary(glm(y ~ t + level + offset(log(people)), family = quasipoisson, control = glm.control(epsilon = 1e-14)))
    #              Estimate          Std. Error         Pr(>|t|)
    # (Intercept)  0.04347333494031  0.026609078627987  1.05547139227e-01
    # t           -0.00553021347569  0.000799605469798  4.96356398436e-10
    # level       -0.33841734678395  0.049853495481018  9.06770064006e-10
    found = series.interrupted(
        NILE, outcome="flow", time="year", start=1899, offset="people", family="quasipoisson", errors="model"
    )
    assert found.terms["estimate"].tolist() == pytest.approx(
        [0.04347333494, -0.005530213476, -0.338417346784], rel=1e-8
    )
    assert found.terms["se"].tolist() == pytest.approx([0.026609078628, 0.0007996054698, 0.049853495481], rel=1e-8)
    assert found.p == pytest.approx(9.06770064006e-10, rel=1e-6)
    assert found.estimate == pytest.approx(np.exp(-0.33841734678395), rel=1e-9)
    assert (found.rho, found.w, found.drifts) == (None, None, False)


def test_poisson_and_its_newey_west_errors_equal_r():
    # The same model with family = poisson: standard errors .006260297020039 .000188122550569 .011728992708154
    # sandwich 3.0.2
    # > sqrt(diag(NeweyWest(p, lag = 2, prewhite = FALSE, adjust = TRUE)))
    # 0.028061888269750 0.000919701908258 0.056497358732228
    asked = {"outcome": "flow", "time": "year", "start": 1899, "offset": "people", "family": "poisson"}
    plain = series.interrupted(NILE, **asked, errors="model")
    assert plain.terms["se"].tolist() == pytest.approx([0.00626029702, 0.000188122550569, 0.011728992708], rel=1e-8)
    assert plain.df == np.inf
    assert plain.low == pytest.approx(np.exp(-0.33841734678395 - 1.959963984540054 * 0.011728992708154), rel=1e-9)
    robust = series.interrupted(NILE, **asked, errors="newey_west", lags=2)
    assert robust.terms["se"].tolist() == pytest.approx([0.02806188827, 0.000919701908258, 0.056497358732], rel=1e-6)
    assert robust.df == 97


def test_least_squares_equal_r():
    # > confint(lm(y ~ t + level))["level", ]
    # -373.365585886 -193.839172403        level -283.602379144520 (45.227066108749), p 9.98463972756e-09
    found = series.interrupted(NILE, outcome="flow", time="year", start=1899, family="normal", errors="model")
    assert (found.estimate, found.se) == pytest.approx((-283.602379144520, 45.227066108749), rel=1e-9)
    assert (found.low, found.high) == pytest.approx((-373.365585886, -193.839172403), rel=1e-9)
    assert found.p == pytest.approx(9.98463972756e-09, rel=1e-6)


@pytest.mark.parametrize(
    ("seasonal", "level", "se"),
    [
        # > month <- (tt + 3) %% 12 + 1; lv <- as.numeric(tt >= 36)
        # > glm(counts ~ tt + lv + sin(2*pi*month/12) + cos(2*pi*month/12) + sin(4*pi*month/12) + cos(4*pi*month/12),
        # +     family = quasipoisson)                    # R 4.2.2, epsilon = 1e-14
        ("harmonic", -0.147567627279, 0.0180310396163),
        # > glm(counts ~ tt + lv + factor(month), family = quasipoisson)
        ("monthly", -0.145845550763, 0.0187636558051),
    ],
)
def test_seasons_equal_r(seasonal, level, se):
    found = visits(seasonal=seasonal, errors="model")
    assert (np.log(found.estimate), found.se) == pytest.approx((level, se), rel=1e-8)


def test_level_on_log_rates_is_that_of_the_estimator():
    found = visits(offset="people")
    t, month = np.arange(60), MONTHS.month.to_numpy()
    waves = [wave(k * 2 * np.pi * month / 12) for k in (1, 2) for wave in (np.sin, np.cos)]
    X = np.column_stack([np.ones(60), t, t >= 36, *waves])
    fit = ar1_noise.fit(np.log(MONTHLY["visits"] / MONTHLY["people"]), X, t)
    assert np.log(found.estimate) == pytest.approx(fit.beta[2])
    assert found.se**2 == pytest.approx(fit.variance(np.eye(7)[2])[0])
    assert found.df == pytest.approx(fit.df(np.eye(7)[2])[0])
    assert (found.rho, found.w) == (fit.rho, fit.w)


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_on_log_rates_the_count_families_are_one(family):
    first, second = visits(family=family), visits()
    assert (first.estimate, first.low, first.high) == (second.estimate, second.low, second.high)


# ---- what the result holds


def test_result_is_whole_and_consistent():
    found = visits(slope=True, confidence=0.9)
    assert (found.n, found.n_before, found.n_after, found.scale, found.confidence) == (60, 36, 24, "ratio", 0.9)
    assert found.low < found.estimate < found.high
    assert found.interval(0.9) == pytest.approx((found.low, found.high))
    assert found.interval(0.97)[0] < found.low
    assert found.effect.interval(0.97) == found.interval(0.97)
    assert found.effect.scale == "ratio"
    assert found.slope.low < found.slope.estimate < found.slope.high
    assert list(found.terms) == ["term", "estimate", "se", "df", "low", "high", "p"]
    assert found.terms["term"].tolist()[:4] == ["intercept", "trend", "level", "slope"]
    assert term(found, "level")[["low", "high"]].tolist() == pytest.approx(np.log([found.low, found.high]))
    with pytest.raises(AttributeError):
        found.estimate = 1.0


def test_p_falls_below_a_level_exactly_when_the_interval_leaves_no_change():
    found = visits()
    low, high = found.interval(1 - found.p)
    assert min(abs(np.log(low)), abs(np.log(high))) == pytest.approx(0, abs=1e-9)


def test_path_ratio_after_the_start_is_the_effect_and_before_it_one():
    found = visits(offset="people")
    path = found.path
    assert list(path) == ["time", "observed", "fitted", "counterfactual", "counterfactual_low", "counterfactual_high"]
    assert path["observed"].tolist() == pytest.approx((MONTHLY["visits"] / MONTHLY["people"]).tolist())
    ratio = path["fitted"] / path["counterfactual"]
    assert ratio[:36].tolist() == pytest.approx([1.0] * 36)
    assert ratio[36:].tolist() == pytest.approx([found.estimate] * 24)
    assert (path["counterfactual_low"] < path["counterfactual"]).all()
    assert (path["counterfactual"] < path["counterfactual_high"]).all()
    width = np.log(path["counterfactual_high"] / path["counterfactual_low"])
    assert width[36:].mean() > width[:36].mean()


def test_counterfactual_interval_of_least_squares_is_that_of_statsmodels():
    found = series.interrupted(NILE, outcome="flow", time="year", start=1899, family="normal", errors="model")
    t = np.arange(100)
    fit = sm.OLS(NILE["flow"], np.column_stack([np.ones(100), t, t >= 28])).fit()
    limits = fit.get_prediction(np.column_stack([np.ones(100), t, 0 * t])).conf_int()
    assert found.path[["counterfactual_low", "counterfactual_high"]].to_numpy() == pytest.approx(limits)


def test_sensitivity_repeats_the_choice_made_and_tries_the_others():
    found = visits()
    rows = found.sensitivity
    chosen = rows[rows["chosen"]]
    assert chosen["setting"].tolist() == ["linear", "harmonic", "alike, with noise"]
    assert chosen["estimate"].tolist() == pytest.approx([found.estimate] * 3)
    assert chosen["low"].tolist() == pytest.approx([found.low] * 3)
    placebo = rows[rows["variation"] == "placebo start"]
    assert placebo["setting"].tolist() == ["2019-01", "2019-10", "2020-07"]
    by_hand = visits(MONTHLY[:36], start=MONTHS[18])
    assert placebo["estimate"].tolist()[1] == pytest.approx(by_hand.estimate)
    assert (rows["not_fitted"] == "").all()


def test_sensitivity_says_why_a_row_is_empty():
    """Eight months before: no room for a placebo start beside trend and season; and with one level a calendar month
    the months seen twice are all twelve apart across the start, so trend and level are the same thing."""
    rows = visits(MONTHLY[30:50], start=MONTHS[38]).sensitivity
    refused = rows[rows["not_fitted"] != ""]
    assert refused["setting"].tolist() == ["monthly", "2020-12", "2021-02", "2021-04"]
    assert refused[["estimate", "low", "high", "p"]].isna().all(axis=None)
    told_apart, *too_few = refused["not_fitted"]
    assert "cannot be told apart" in told_apart
    assert set(too_few) == {"8 periods cannot carry 7 terms: at least 9 are needed."}
    assert rows.loc[rows["not_fitted"] == "", ["estimate", "low", "high", "p"]].notna().all(axis=None)


def test_a_drifting_series_is_called_so():
    steps = np.random.default_rng(11).normal(size=90).cumsum()
    frame = pd.DataFrame({"t": range(90), "y": 100 + steps})
    found = series.interrupted(frame, outcome="y", time="t", start=45, family="normal")
    assert found.drifts == (found.rho >= segments.DRIFT_RHO and found.w >= segments.DRIFT_W)
    assert found.drifts
    assert any("drifts too much" in caveat for caveat in found.caveats)
    assert not visits().drifts


def test_caveats_name_small_numbers_gaps_and_independence():
    few = MONTHLY.assign(visits=(MONTHLY["visits"] / 80).round().astype(int)).drop(index=[3, 50])
    caveats = visits(few, errors="ar1_noise").caveats
    assert any("fewer than 5 events" in caveat for caveat in caveats)
    assert any("missing between the first and the last: 2" in caveat for caveat in caveats)
    assert any("neighbouring periods" in caveat for caveat in visits(errors="model").caveats)
    assert visits().caveats == ()


# ---- properties


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 9), st.sampled_from(["ar1_noise", "model"]))
def test_multiplying_the_counts_after_the_start_multiplies_the_ratio(times, errors):
    """On log rates exactly; in the Poisson model too, when the level has its own mean on each side."""
    more = MONTHLY.assign(visits=np.where(MONTHS >= BEGINS, times, 1) * MONTHLY["visits"])
    if errors == "ar1_noise":
        first, second = visits(), visits(more)
        assert second.se == pytest.approx(first.se)
        assert (second.low, second.high) == pytest.approx((times * first.low, times * first.high))
        assert second.estimate == pytest.approx(times * first.estimate)
    else:
        offset = more.assign(people=np.where(MONTHS >= BEGINS, times, 1) * MONTHLY["people"])
        first = visits(offset="people", errors="model")
        assert visits(more, offset="people", errors="model").estimate > first.estimate
        assert visits(offset.assign(visits=MONTHLY["visits"]), offset="people", errors="model").estimate == (
            pytest.approx(first.estimate / times)
        )


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 50), st.sampled_from(["ar1_noise", "model"]))
def test_scaling_the_denominators_leaves_the_ratio(times, errors):
    first = visits(offset="people", errors=errors)
    second = visits(MONTHLY.assign(people=times * MONTHLY["people"]), offset="people", errors=errors)
    both = visits(
        MONTHLY.assign(people=times * MONTHLY["people"], visits=times * MONTHLY["visits"]),
        offset="people",
        errors=errors,
    )
    for other in (second, both):
        assert (other.estimate, other.low, other.high) == pytest.approx(
            (first.estimate, first.low, first.high), rel=1e-7
        )


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(60)), st.sampled_from(["ar1_noise", "model", "newey_west"]))
def test_the_order_of_rows_does_not_matter(order, errors):
    lags = 2 if errors == "newey_west" else None
    first, second = visits(errors=errors, lags=lags), visits(MONTHLY.iloc[list(order)], errors=errors, lags=lags)
    assert (second.estimate, second.se, second.df) == pytest.approx((first.estimate, first.se, first.df))
    assert second.path["time"].is_monotonic_increasing


@settings(max_examples=15, deadline=None)
@given(st.sets(st.integers(1, 58), max_size=12))
def test_months_may_be_missing(gone):
    kept = MONTHLY.drop(index=list(gone))
    found = visits(kept)
    assert found.n == 60 - len(gone)
    assert 0.7 < found.estimate < 1.05
    assert found.low < found.estimate < found.high
    assert term(found, "trend")["estimate"] == pytest.approx(term(visits(), "trend")["estimate"], abs=0.004)


def test_dates_periods_and_days_give_one_answer():
    first = visits()
    for times, start in [
        (MONTHS.to_period("M"), pd.Period("2021-04", "M")),
        ([day.date() for day in MONTHS], dt.date(2021, 4, 1)),
        ([pd.Period(day, "M") for day in MONTHS], "2021-04"),
        (MONTHS.tz_localize("Europe/London"), BEGINS),
    ]:
        assert visits(MONTHLY.assign(month=times), start=start).estimate == pytest.approx(first.estimate)
    numbered = MONTHLY.assign(month=range(60))
    assert visits(numbered, start=36, seasonal=None).estimate == pytest.approx(visits(seasonal=None).estimate)


def test_years_apart_by_a_step_are_counted_in_steps():
    every_fifth = NILE[::5].assign(count=range(20))
    asked = {"outcome": "flow", "family": "normal", "slope": True}
    by_year = series.interrupted(every_fifth, **asked, time="year", start=1921)
    by_number = series.interrupted(every_fifth, **asked, time="count", start=10)
    assert by_year.terms["estimate"].tolist() == pytest.approx(by_number.terms["estimate"].tolist())


def test_of_series_in_which_nothing_happens_few_show_a_change_and_of_real_falls_many():
    """Poisson counts about an AR(1) of .6, overdispersion 2, 300 a month, 36 before and 24 after.

    The true rate is near 3.5 % (4.1 to 2.8 over processes), so more than 9 % of 300 comes up once in some 10,000
    seeds; a fall of a fifth is seen in over 70 %, so in fewer than 50 of 100 less than once in a million.
    """
    rng = np.random.default_rng(2026)
    t, rho = np.arange(60), 0.6
    mean = 300 * np.exp(0.001 * t + 0.08 * np.sin(2 * np.pi * t / 12))
    noise = signal.lfilter([1], [1, -rho], rng.normal(size=(400, 160)) * np.sqrt(1 - rho**2), axis=1)[:, 100:]
    counts = rng.poisson(
        mean * np.where((np.arange(400) >= 300)[:, None] & (t >= 36), 0.8, 1.0) * np.exp(noise / 300**0.5)
    )
    p = np.array([visits(MONTHLY.assign(visits=row)).p for row in counts])
    assert (p[:300] < 0.05).mean() <= 0.09
    assert (p[300:] < 0.05).mean() >= 0.5


# ---- edges


@pytest.mark.parametrize(
    ("frame", "changed", "says"),
    [
        (MONTHLY.assign(visits=[None, *COUNTS[1:]]), {}, r"2018-04\. Nothing is filled in"),
        (MONTHLY.assign(visits=[float("inf"), *COUNTS[1:]]), {}, "have no 'visits'"),
        (MONTHLY.assign(visits=[-1, *COUNTS[1:]]), {}, r"not a count: 2018-04"),
        (MONTHLY.assign(visits=[1.5, *COUNTS[1:]]), {}, r"not a count: 2018-04"),
        (MONTHLY.assign(visits=[0, *COUNTS[1:]]), {}, r"no events.*2018-04.*quarters"),
        (MONTHLY.assign(visits=[0] * 36 + COUNTS[36:]), {"errors": "model"}, "no events at all before"),
        (MONTHLY.assign(visits=COUNTS[:36] + [0] * 24), {"errors": "model"}, "no events at all after"),
        (MONTHLY.assign(visits=7), {}, "no scatter"),
        (MONTHLY.assign(visits=7), {"errors": "model"}, "no scatter"),
        (MONTHLY.assign(visits=7), {"errors": "model", "family": "normal"}, "no scatter"),
        (MONTHLY.assign(visits=0), {"errors": "model", "family": "normal"}, "no scatter"),
        (MONTHLY.assign(visits=[0, *COUNTS[1:12]] * 5), {"seasonal": "monthly", "errors": "model"}, "no best fit"),
        (MONTHLY.assign(visits="7"), {}, "must hold numbers"),
        (MONTHLY.assign(people=0), {"offset": "people"}, r"not above zero.*and 50 more"),
        (MONTHLY.assign(people=[np.nan] + [1.0] * 59), {"offset": "people"}, "have no 'people'"),
        (MONTHLY.assign(month=[MONTHS[1], *MONTHS[1:]]), {}, "more than once: 2018-05"),
        (MONTHLY.assign(month=[pd.NaT, *MONTHS[1:]]), {}, "1 rows have no time"),
        (MONTHLY.assign(month=MONTHS + pd.Timedelta(days=14)), {}, "do not start a month"),
        (MONTHLY.assign(month=MONTHS.strftime("%Y-%m")), {}, "must be dates"),
        (MONTHLY.assign(month=pd.period_range("2001", periods=60, freq="Q")), {}, "Periods must be months"),
        (MONTHLY.assign(month=range(60)), {}, "of one kind"),
        (MONTHLY.assign(month=range(60)), {"start": 36}, "needs calendar months"),
        (MONTHLY, {"start": "2021-04-15"}, "do not start a month"),
        (MONTHLY, {"start": MONTHS[0]}, "must come after the first period, 2018-04"),
        (MONTHLY, {"start": "2023-04"}, "not after the last, 2023-03"),
        (MONTHLY, {"start": 2021}, "of one kind"),
        (MONTHLY, {"start": MONTHS[59], "slope": True}, "cannot be told apart"),
        (MONTHLY[:0], {}, "has 0 rows"),
        (MONTHLY[:1], {}, "has 1 rows"),
        (MONTHLY[:2], {"start": MONTHS[1]}, "at least 9 are needed"),
        (MONTHLY, {"outcome": "visitors"}, "No column 'visitors'"),
        (MONTHLY, {"family": "gamma"}, "family must be"),
        (MONTHLY, {"errors": "white"}, "errors must be"),
        (MONTHLY, {"seasonal": "weekly"}, "seasonal must be"),
        (MONTHLY, {"errors": "newey_west"}, "cannot do without it"),
        (MONTHLY, {"lags": 1}, "give both or neither"),
        (MONTHLY, {"errors": "newey_west", "lags": -1}, "0 or more"),
        (MONTHLY.drop(index=4), {"errors": "newey_west", "lags": 1}, "without gaps"),
        (MONTHLY, {"family": "normal", "offset": "people"}, "belongs to counts"),
        (MONTHLY, {"confidence": 95}, "between 0 and 1"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(frame, changed, says):
    with pytest.raises(ValueError, match=says):
        visits(frame, **changed)


def test_the_fewest_points_that_are_enough():
    found = series.interrupted(
        pd.DataFrame({"t": range(5), "y": [3.0, 5.0, 4.0, 7.0, 9.0]}), outcome="y", time="t", start=3, family="normal"
    )
    assert (found.n, found.n_before, found.n_after) == (5, 3, 2)
    assert np.isfinite([found.low, found.high]).all()


def test_one_point_after_the_start_is_enough_for_a_level():
    found = series.interrupted(NILE[:20], outcome="flow", time="year", start=1890, family="normal")
    assert found.n_after == 1
    assert np.isfinite([found.low, found.high]).all()


def test_counts_that_never_vary_have_a_poisson_interval_because_their_variance_is_known():
    found = visits(MONTHLY.assign(visits=7), errors="model", family="poisson")
    assert found.estimate == pytest.approx(1)
    assert found.low < 1 < found.high


def test_ties_and_zero_counts_are_no_trouble_for_the_poisson_model():
    small = MONTHLY.assign(visits=[0, 1, 1] * 20)
    found = visits(small, errors="model", family="poisson")
    assert found.low < found.estimate < found.high
    assert any("fewer than 5 events" in caveat for caveat in found.caveats)


def test_an_interval_too_wide_for_a_number_is_infinite_not_an_error():
    wild = series.Change(2.0, np.nan, np.nan, "ratio", 0.95, se=100.0, df=1.0, p=0.9)
    assert wild.interval(0.95) == (0.0, np.inf)
