"""Two groups before and after: held against R, a published estimate, and what must not matter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import panel_of_units
from evalkit.stats.difference import ALIKE, ONE_OTHER, ONE_TREATED, difference

# R version 4.2.2 Patched (2022-11-10 r83330)
# > b <- c(8,9,7,8,9,6,5.5); a <- c(5,7,4,8,8,6,7); d <- a - b; t <- c(1,1,1,0,0,0,0) == 1
# > w <- t.test(d[t], d[!t]); est <- -diff(w$estimate); print(c(est, w$stderr, w$parameter), digits = 12)
# -2.791666666667  0.613788327611  4.780123845295
# > df <- sum(c(1/3, 1/4))^2 / sum(c((1/3)^2/2, (1/4)^2/3)); print(df, digits = 12)          # were scatter equal
# [1] 4.45454545455
# > print(c(est + c(-1, 1) * qt(.975, df) * w$stderr, 2 * pt(-abs(est) / w$stderr, df)), digits = 12)
# -4.42937912615584 -1.15395420717749  0.00809152575161
R = [-2.791666666667, 0.613788327611, 4.45454545455, -4.42937912615584, -1.15395420717749, 0.00809152575161]
ROWS = {"A": (8, 5), "B": (9, 7), "C": (7, 4), "D": (8, 8), "E": (9, 8), "F": (6, 6), "G": (5.5, 7)}
TREATED = ["A", "B", "C"]


def long(rows=ROWS, early=1, late=1):
    """A frame whose unit means before and after are these."""
    told = [
        (name, period, float(both[period >= early])) for name, both in rows.items() for period in range(early + late)
    ]
    return pd.DataFrame(told, columns=["place", "period", "days"])


def ask(frame, treated=TREATED, start=1, **settings):
    return difference(frame, outcome="days", unit="place", time="period", treated=treated, start=start, **settings)


def test_equals_r():
    found = ask(long())
    numbers = [found.estimate, found.se, found.df, found.low, found.high, found.p]
    assert numbers == pytest.approx(R, rel=1e-10)
    assert (found.n, found.n_treated, found.n_comparison) == (7, 3, 4)
    assert found.interval(0.95) == pytest.approx((found.low, found.high))
    wide = found.interval(0.99)
    assert wide[0] < found.low < found.high < wide[1]


def test_takes_welchs_degrees_of_freedom_where_they_are_fewer():
    rows = dict(zip("ABCDEFGH", [(0, 9), (0, -9), (0, 3), (0, 0.1), (0, 0.2), (0, 0.3), (0, 0.4), (0, 0)], strict=True))
    assert ask(long(rows)).df == pytest.approx(2.0, abs=0.01)


def test_equals_the_published_difference_of_proposition_99(reference):
    # synthdid 0.0.9 (R): did_estimate(setup$Y, setup$N0, setup$T0) prints -27.349
    packs = pd.read_csv(reference / "population/prop99/california_prop99.csv", sep=";")
    found = difference(packs, outcome="PacksPerCapita", unit="State", time="Year", treated=["California"], start=1989)
    assert found.estimate == pytest.approx(-27.34911, abs=5e-6)
    assert (found.n_treated, found.n_comparison, found.low, found.high, found.p) == (1, 38, None, None, None)
    assert found.caveats[0] == ONE_TREATED
    with pytest.raises(ValueError, match="no claim can rest"):
        found.interval(0.9)


def test_table_adds_up():
    table = ask(long(early=3, late=2), start=3).table
    assert list(table.index) == ["treated", "comparison", "difference"]
    assert list(table.columns) == ["before", "after", "change", "n"]
    assert table.loc["difference", "change"] == pytest.approx(R[0])
    assert table["n"].tolist() == [3, 4, 7]


def test_no_interval_is_described():
    two = {name: ROWS[name] for name in "AD"}
    assert ask(long({name: ROWS[name] for name in "ABD"}), ["A", "B"]).caveats[0] == ONE_OTHER
    assert ask(long(two), ["A"]).estimate == pytest.approx(-3)
    alike = ask(long(dict.fromkeys("ABCD", (5, 3)) | {"E": (1, 0), "F": (2, 1)}), list("ABCD"))
    assert (alike.estimate, alike.low) == (-1.0, None)
    assert alike.caveats[0] == ALIKE
    assert ask(long(dict.fromkeys("ABCDEF", (0, 0)))).caveats[0] == ALIKE


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"treated": list(ROWS)}, "Every unit is treated"),
        ({"treated": []}, "No unit is treated"),
        ({"treated": ["A", "Z"]}, "No rows for the treated Z"),
        ({"treated": "A"}, "write \\['A'\\]"),
        ({"start": 0}, "must come after the first period, 0"),
        ({"start": 2}, "not after the last, 1"),
        ({"start": "2020-01"}, "must be of one kind"),
        ({"confidence": 95}, "95 % is 0.95"),
    ],
)
def test_refuses_settings_by_name(settings, said):
    with pytest.raises(ValueError, match=said):
        ask(long(), **settings)


def broken(how):
    frame = long(early=2, late=2)
    if how == "missing row":
        return frame.drop(index=5)
    if how == "twice":
        return pd.concat([frame, frame.iloc[[5]]])
    if how == "no number":
        return frame.assign(days=frame["days"].where(frame.index != 5))
    if how == "infinite":
        return frame.assign(days=frame["days"].where(frame.index != 5, np.inf))
    if how == "words":
        return frame.assign(days=frame["days"].astype(str))
    if how == "no unit":
        return frame.assign(place=frame["place"].where(frame.index != 5))
    if how == "no time":
        return frame.assign(period=frame["period"].astype("Int64").where(frame.index != 5))
    if how == "one unit":
        return frame[frame["place"] == "A"]
    if how == "one period":
        return frame[frame["period"] == 1]
    if how == "empty":
        return frame.iloc[:0]
    return frame.rename(columns={"days": "hours"})


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("missing row", r"missing in B \(1\)"),
        ("twice", r"more than once: B \(1\)"),
        ("no number", r"No finite number in 'days' for B \(1\)"),
        ("infinite", r"No finite number in 'days' for B \(1\)"),
        ("words", "'days' must hold numbers"),
        ("no unit", "1 rows name no unit in 'place'"),
        ("no time", "1 rows have no time"),
        ("one unit", "the frame has 1 and 4"),
        ("one period", "the frame has 7 and 1"),
        ("empty", "the frame has 0 and 0"),
        ("no column", "No column 'days'"),
    ],
)
def test_refuses_frames_by_name(how, said):
    with pytest.raises(ValueError, match=said):
        ask(broken(how), start=2)


def test_months_may_be_dates_and_a_gap_for_all_is_a_gap():
    frame = long(early=3, late=3)
    months = pd.period_range("2021-01", periods=6, freq="M")
    dated = frame.assign(period=months[frame["period"]].to_timestamp())
    assert ask(dated, start="2021-04").estimate == pytest.approx(R[0])
    assert ask(frame.assign(period=months[frame["period"]]), start=months[3]).estimate == pytest.approx(R[0])
    gap = panel_of_units.read(frame[frame["period"] != 1], "days", "place", "period")
    assert gap.positions.tolist() == [0, 2, 3, 4, 5]
    assert gap.first_after(1) == 1


def test_one_each_refuses_units_of_which_two_things_are_said():
    frame = long().assign(began=[2021, 2021, 2020, None, *[None] * 10])
    with pytest.raises(ValueError, match="it does not in B"):
        panel_of_units.one_each(frame, "began", "place", list(ROWS))


changes = st.lists(st.integers(-50, 50), min_size=4, max_size=8)


@settings(max_examples=20)
@given(changes, st.integers(-1000, 1000), st.data())
def test_swapping_arms_turns_the_sign_and_constants_alter_nothing(values, shift, data):
    names = list("ABCDEFGH")[: len(values)]
    k = data.draw(st.integers(1, len(values) - 1))
    rows = {
        name: (place * 10, place * 10 + value) for place, (name, value) in enumerate(zip(names, values, strict=True))
    }
    found, swapped = ask(long(rows), names[:k]), ask(long(rows), names[k:])
    assert swapped.estimate == pytest.approx(-found.estimate, abs=1e-9)
    moved = {name: (before + shift, after + 3 * shift) for name, (before, after) in rows.items()}
    again = ask(long(moved), names[:k])
    assert again.estimate == pytest.approx(found.estimate, abs=1e-9)
    assert (again.low is None) == (found.low is None) == (swapped.low is None)
    if found.low is not None:
        assert found.low <= found.estimate <= found.high
        assert -swapped.high == pytest.approx(found.low, abs=1e-9)
