"""Differences by cohort and period: held against R's did, against diff-diff, and against what must not matter."""

from __future__ import annotations

import warnings
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats.difference import difference
from evalkit.stats.group_time import group_time

# R, did, as printed in the package's README (teen employment in US counties, mpdta; bcallaway11/did):
# > out <- att_gt(yname = "lemp", gname = "first.treat", idname = "countyreal", tname = "year", xformla = ~1,
# +               data = mpdta, est_method = "reg"); summary(out)
#   2004 2004  -0.0105 … 2007 2007  -0.0261 (below)
# P-value for pre-test of parallel trends assumption:  0.16812
# Control Group:  Never Treated,  Anticipation Periods:  0        (its base until the start is the period before)
# > aggte(out, type = "dynamic"): -0.0772, by exposure -0.0199 -0.0510 -0.1373 -0.1008; type = "group": -0.0310;
# type = "simple": -0.039951 (0.012034, without bootstrap)
PRINTED = {
    (2004, 2004): -0.0105,
    (2004, 2005): -0.0704,
    (2004, 2006): -0.1373,
    (2004, 2007): -0.1008,
    (2006, 2004): 0.0065,
    (2006, 2005): -0.0028,
    (2006, 2006): -0.0046,
    (2006, 2007): -0.0412,
    (2007, 2004): 0.0305,
    (2007, 2005): -0.0027,
    (2007, 2006): -0.0311,
    (2007, 2007): -0.0261,
}
BY_EXPOSURE = {0: -0.0199, 1: -0.0510, 2: -0.1373, 3: -0.1008}
STARTS = {"A": 3, "B": 3, "C": 3, "D": 4, "E": 4, "F": None, "G": None, "H": None, "I": None}


def made(starts=STARTS, periods=6, seed=1):
    """Numbers that differ by unit and period, lower by 2 from each start on."""
    rng = np.random.default_rng(seed)
    rows = [
        (name, year, began, rng.normal(len(name) + year, 1) - 2 * (began is not None and year >= began))
        for name, began in starts.items()
        for year in range(periods)
    ]
    return pd.DataFrame(rows, columns=["place", "year", "began", "days"])


def ask(frame, **asked):
    asked = {"draws": 19, "allocations": 199, "seed": 1} | asked
    return group_time(frame, outcome="days", unit="place", time="year", first_treated="began", **asked)


@pytest.fixture(scope="module")
def counties(reference):
    """County teen employment; `began` is missing for counties that never raised the minimum wage."""
    frame = pd.read_csv(reference / "population/did/mpdta.csv")
    frame["began"] = frame["first.treat"].where(frame["first.treat"] > 0)
    return frame


def of_counties(frame, **asked):
    asked = {"base": "varying", "errors": "large_sample", "draws": 99, "allocations": 99, "seed": 1} | asked
    return group_time(frame, outcome="lemp", unit="countyreal", time="year", first_treated="began", **asked)


def test_equals_the_printed_rows_of_did(counties):
    found = of_counties(counties)
    cells = {(row.first_treated, row.time): row.estimate for row in found.att.itertuples()}
    assert cells.keys() == PRINTED.keys()
    assert list(cells.values()) == pytest.approx(list(PRINTED.values()), abs=5.1e-5)
    assert found.estimate == pytest.approx(-0.039951, abs=5e-7)
    assert found.se == pytest.approx(0.012034, abs=5e-7)
    overall = found.overall.set_index("average")["estimate"]
    assert overall["dynamic"] == pytest.approx(-0.0772, abs=5e-5)
    assert overall["group"] == pytest.approx(-0.0310, abs=5e-5)
    lags = found.dynamic[found.dynamic["since"] >= 0].set_index("since")["estimate"]
    assert lags.to_dict() == pytest.approx(BY_EXPOSURE, abs=5e-5)
    assert found.pretrend().p_wald == pytest.approx(0.16812, abs=5e-6)
    assert (found.n, found.n_treated, found.n_never, found.caveats) == (500, 191, 309, ())


@pytest.mark.parametrize("comparison", ["never", "not_yet"])
@pytest.mark.parametrize(("base", "theirs"), [("varying", "varying"), ("last", "universal")])
def test_equals_diff_diff(counties, comparison, base, theirs):
    other = pytest.importorskip("diff_diff", reason="the extra 'causal' is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        told = other.CallawaySantAnna(control_group=f"{comparison}_treated", base_period=theirs).fit(
            counties, outcome="lemp", unit="countyreal", time="year", first_treat="first.treat"
        )
        events = told.aggregate("event_study")
    found = of_counties(counties, base=base, comparison=comparison)
    assert (found.estimate, found.se) == pytest.approx((told.overall_att, told.overall_se), rel=1e-9)
    for row in found.att.itertuples():
        cell = told.group_time_effects[(row.first_treated, row.time)]
        assert (row.estimate, row.se) == pytest.approx((cell["effect"], cell["se"]), rel=1e-9)
    real = np.isfinite(events.se)
    assert found.dynamic["since"].tolist() == events.event_time[real].tolist()
    assert found.dynamic["estimate"].tolist() == pytest.approx(events.att[real].tolist(), rel=1e-9)
    assert found.dynamic["se"].tolist() == pytest.approx(events.se[real].tolist(), rel=1e-9)


def test_drawn_errors_and_bands_are_those_of_the_estimates(counties):
    found = of_counties(counties, draws=4_000)
    table = found.dynamic
    assert table["se_drawn"].to_numpy() == pytest.approx(table["se"].to_numpy(), rel=0.06)
    width, wide = table["high"] - table["low"], table["band_high"] - table["band_low"]
    assert width.to_numpy() == pytest.approx(2 * 1.959964 * table["se"].to_numpy(), rel=1e-6)
    # Seven rows, nearly independent: 2.69 were they wholly so (Šidák), 1.96 were they one.
    assert np.all((wide / width * 1.959964 > 2.4) & (wide / width * 1.959964 < 2.75))


def test_few_units_equal_welch_by_hand():
    frame = made({"A": 3, "B": 3, "C": 3, "D": None, "E": None, "F": None, "G": None})
    found = ask(frame, base="last")
    wide = frame.pivot(index="place", columns="year", values="days").to_numpy()
    change = wide[:, 4] - wide[:, 2]
    row = found.att.query("time == 4").iloc[0]
    assert row["estimate"] == pytest.approx(change[:3].mean() - change[3:].mean())
    assert row["se"] == pytest.approx((change[:3].var(ddof=1) / 3 + change[3:].var(ddof=1) / 4) ** 0.5)
    assert 2 <= row["df"] <= 4.4546


@pytest.mark.parametrize("errors", ["few_units", "large_sample"])
@pytest.mark.parametrize("comparison", ["never", "not_yet"])
def test_one_cohort_is_the_difference_with_the_same_base(errors, comparison):
    frame = made(dict.fromkeys("ABC", 3) | dict.fromkeys("DEFG"))
    found = ask(frame, errors=errors, comparison=comparison)
    plain = difference(frame, outcome="days", unit="place", time="year", treated=list("ABC"), start=3)
    assert found.estimate == pytest.approx(plain.estimate)
    if errors == "few_units":
        assert (found.se, found.df, found.low) == pytest.approx((plain.se, plain.df, plain.low))
        assert found.interval(0.9) == pytest.approx(plain.interval(0.9))


def brute(frame, starts, base):
    """The simple average, from its definition, cell by cell."""
    wide = frame.pivot(index="place", columns="year", values="days")
    cells = []
    for began in sorted({start for start in starts.values() if start is not None}):
        own = [name for name, start in starts.items() if start == began]
        never = [name for name, start in starts.items() if start is None]
        before = list(range(began)) if base == "all" else [began - 1]
        for year in range(began, wide.shape[1]):
            change = wide[year] - wide[before].mean(axis=1)
            cells.append((len(own), change[own].mean() - change[never].mean()))
    return np.average([cell for _, cell in cells], weights=[size for size, _ in cells])


@pytest.mark.parametrize("base", ["all", "last"])
def test_average_and_exact_relabelling_by_brute_force(base):
    starts = {"A": 2, "B": 3, "C": 3, "D": None, "E": None}
    frame = made(starts, periods=5)
    found = ask(frame, base=base, allocations=50)
    every = []
    for told in set(permutations(starts.values())):
        again = dict(zip(starts, told, strict=True))
        every.append(brute(frame, again, base))
    observed = brute(frame, starts, base)
    assert found.estimate == pytest.approx(observed)
    assert (found.allocations, found.exact, found.smallest_p) == (30, True, 1 / 30)
    assert found.p_relabelled == pytest.approx(np.mean(np.abs(every) >= abs(observed) - 1e-12))
    assert any("A cohort of one unit: relabelling" in said for said in found.caveats)


def test_a_cohort_of_one_has_no_interval_and_borrows_scatter_in_averages():
    found = ask(made(STARTS | {"J": 2}))
    alone = found.att[found.att["first_treated"] == 2]
    assert alone["se"].isna().all()
    assert set(alone["note"]) == {"one treated unit: no interval"}
    assert found.by_group["note"].tolist() == ["one treated unit: no interval", "", ""]
    assert found.low < found.estimate < found.high
    assert any("One unit each first treated in 2" in said for said in found.caveats)
    assert found.dynamic.query("since == 3")["se"].isna().tolist() == [True]  # cohort 2 alone is seen so long


def test_one_treated_unit_in_all_gives_no_interval():
    found = ask(made({"A": 3} | dict.fromkeys("BCDE")))
    assert (found.low, found.high, found.se, found.p, found.df) == (None, None, None, None, None)
    assert found.smallest_p == found.p_relabelled == 1 / 5
    assert found.caveats[0] == "There is no interval of the average: one treated unit: no interval."
    with pytest.raises(ValueError, match="one treated unit"):
        found.interval(0.9)


def test_one_unit_to_compare_with_gives_no_interval():
    found = ask(made({"A": 3, "B": 3, "C": None}))
    assert found.att["note"].unique().tolist() == ["one unit to compare with: no interval"]


def test_all_units_alike_give_no_interval_and_p_one():
    found = ask(made().assign(days=1.0))
    assert (found.estimate, found.low, found.p_relabelled) == (0.0, None, 1.0)
    assert found.pretrend().p == 1.0


def test_what_cannot_be_used_is_named():
    early = {"always": 0, "earlier": -2, "late": 99} | STARTS
    found = ask(made(early))
    assert found.dropped == ("always", "earlier")
    assert found.later == ("late",)
    assert found.n_never == 5
    assert found.cohorts["units"].iloc[0] == ("A", "B", "C")
    assert any("Left out" in said and "always, earlier" in said for said in found.caveats)


def test_the_last_cohort_has_nobody_left_and_is_named():
    found = ask(made({"A": 2, "B": 2, "C": 3, "D": 3, "E": 5, "F": 5}), comparison="not_yet")
    assert found.by_group["first_treated"].tolist() == [2, 3]
    assert found.att.query("first_treated == 2")["time"].max() == 4
    assert any("First treated in 5: nobody is left" in said for said in found.caveats)


def test_columns_of_other_kinds():
    frame, found = made(), ask(made())
    for other in (
        frame.assign(began=frame["began"].astype("Int64")),
        frame.assign(began=frame["began"].astype(object).where(frame["began"].notna(), None)),
        frame.assign(place=frame["place"].astype("category"), days=frame["days"].astype("Float64")),
    ):
        assert ask(other).estimate == pytest.approx(found.estimate)


def test_anticipation_moves_the_base_back():
    frame = made()
    found = ask(frame, base="last", anticipation=1)
    wide = frame.pivot(index="place", columns="year", values="days")
    change = wide[4] - wide[1]
    row = found.att.query("first_treated == 3 and time == 4").iloc[0]
    assert row["estimate"] == pytest.approx(change[list("ABC")].mean() - change[list("FGHI")].mean())
    assert found.pretrend().leads["since"].max() < -1
    assert ask(made({"soon": 1} | STARTS), anticipation=1).dropped == ("soon",)


def test_months_as_dates():
    frame = made(periods=6)
    months = pd.Series(pd.period_range("2021-01", periods=6, freq="M").to_timestamp())
    dated = frame.assign(
        year=months[frame["year"]].to_numpy(), began=frame["began"].map(lambda year: months.get(year, pd.NaT))
    )
    found = ask(dated)
    assert found.estimate == pytest.approx(ask(frame).estimate)
    assert found.by_group["first_treated"].tolist() == [pd.Timestamp("2021-04-01"), pd.Timestamp("2021-05-01")]


@pytest.mark.parametrize(
    ("starts", "asked", "said"),
    [
        (dict.fromkeys("ABC"), {}, "nobody is treated"),
        ({"A": 3, "B": 4}, {}, "comparison='not_yet'"),
        ({"A": 3, "B": 3}, {"comparison": "not_yet"}, "nobody left to compare with"),
        ({"A": 0, "B": None}, {}, r"\(A are treated from the first period on\)"),
        ({"A": 3, "B": 0}, {}, "Only A can be used"),
        (STARTS, {"base": "first"}, "base must be one of 'all', 'last', 'varying'"),
        (STARTS, {"comparison": "always"}, "comparison must be one of"),
        (STARTS, {"errors": "robust"}, "errors must be one of"),
        (STARTS, {"anticipation": -1}, "anticipation must be 0 or more"),
        (STARTS, {"confidence": 1.0}, "must lie between 0 and 1"),
    ],
)
def test_refuses_by_name(starts, asked, said):
    with pytest.raises(ValueError, match=said):
        ask(made(starts), **asked)


def test_refuses_starts_that_are_no_starts():
    frame = made()
    with pytest.raises(ValueError, match="it does not in A"):
        ask(frame.assign(began=frame["began"].where(frame.index != 0, 4.0)))
    with pytest.raises(ValueError, match="must be a period, or missing"):
        ask(frame.assign(began=frame["began"] + 0.5))
    with pytest.raises(ValueError, match=r"is 0 for F, G, H, I\. Leave it missing"):
        ask(frame.assign(year=frame["year"] + 2000, began=(frame["began"] + 2000).fillna(0)))
    with pytest.raises(ValueError, match=r"missing in A \(1\)"):
        ask(frame.drop(index=1))
    with pytest.raises(ValueError, match="No column 'began'"):
        ask(frame.drop(columns="began"))


def test_pretrend_says_what_it_cannot_show_and_sees_a_trend():
    frame = made(dict.fromkeys("ABCDE", 5) | dict.fromkeys("FGHIJKL"), periods=8)
    calm = ask(frame).pretrend()
    assert "does not show that there was none" in calm.caveat
    assert calm.leads["since"].tolist() == [-5, -4, -3, -2, -1]
    assert (calm.wald, calm.p_wald) == (None, None)  # twelve units, four leads
    steep = frame.assign(days=frame["days"] + 1.5 * frame["year"] * frame["began"].notna())
    trend = ask(steep).pretrend()
    assert trend.p < 0.02 < calm.p
    assert trend.farthest in (-5, -1)
    with pytest.raises(ValueError, match="gives no lead"):
        ask(made(dict.fromkeys("ABC", 1) | dict.fromkeys("DEF"))).pretrend()


def test_leads_and_lags_feed_bounds():
    found = ask(made(), base="last")
    estimates, covariance, leads, df = found.leads_and_lags()
    assert leads == 3
    assert np.sqrt(np.diag(covariance)) == pytest.approx(found.dynamic["se"].to_numpy())
    assert estimates == pytest.approx(found.dynamic["estimate"].to_numpy())
    assert df == pytest.approx(found.dynamic["df"].min())
    with pytest.raises(ValueError, match="base='last'"):
        ask(made()).leads_and_lags()


starts_drawn = st.lists(st.sampled_from([1, 2, 3, None]), min_size=4, max_size=8).filter(
    lambda told: None in told and any(start is not None for start in told)
)


@settings(max_examples=15)
@given(starts_drawn, st.sampled_from(["all", "last", "varying"]), st.sampled_from(["never", "not_yet"]), st.data())
def test_constants_of_units_and_periods_alter_nothing(told, base, comparison, data):
    names = list("ABCDEFGH")[: len(told)]
    frame = made(dict(zip(names, told, strict=True)), periods=4, seed=data.draw(st.integers(0, 99)))
    found = ask(frame, base=base, comparison=comparison, allocations=30)
    moved = frame.assign(
        days=frame["days"] + frame["place"].map({name: 10.0 * i for i, name in enumerate(names)}) + frame["year"] ** 3
    )
    again = ask(moved.sample(frac=1, random_state=1), base=base, comparison=comparison, allocations=30)
    assert again.estimate == pytest.approx(found.estimate, abs=1e-9)
    assert again.p_relabelled == found.p_relabelled
    assert again.att["estimate"].to_numpy() == pytest.approx(found.att["estimate"].to_numpy(), abs=1e-9)
    assert again.att["se"].to_numpy() == pytest.approx(found.att["se"].to_numpy(), abs=1e-7, nan_ok=True)
    count = found.p_relabelled * found.allocations
    assert count == pytest.approx(round(count))
    assert found.smallest_p <= found.p_relabelled + 1e-12
    blank = found.att["note"] != ""
    assert (found.att["se"].isna() == blank).all()
    assert (found.att.loc[~blank, "band_low"] <= found.att.loc[~blank, "low"] + 1e-9).all()
