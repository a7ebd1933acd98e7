"""`stats.money`: held against a Green Book package in R, a second library, and what must hold of any amounts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evalkit.stats import money

YEARS = (0, 1, 10, 30, 31, 75, 76, 125, 126, 200, 201, 300, 301, 400)
# R version 4.2.2 Patched (2022-11-10 r83330), gb_discount_factor and gb_stpr of greenbook 0.1.0 (350b2a4), loaded as
# source without their checks of arguments
# > y <- c(0,1,10,30,31,75,76,125,126,200,201,300,301,400)
# > for (s in c("standard","health","catastrophic")) cat(format(gb_discount_factor(y, s), digits=12), "\n")
FACTORS = {
    "standard": (
        1, 0.966183574879227, 0.708918813709772, 0.356278410602302, 0.345901369516798, 0.094213772576692,
        0.091915875684577, 0.027410763016195, 0.026873297074701, 0.006207378715701, 0.006115644054877,
        0.001400567414364, 0.001386700410262, 0.000517805476713,
    ),
    "health": (
        1, 0.9852216748768, 0.8616672317222, 0.6397624299065, 0.6316146015465, 0.3593544535519, 0.3555500678261,
        0.2110618529092, 0.2092621980063, 0.1110420471493, 0.1103358974059, 0.0586711565960, 0.0584199508075,
        0.0382013209406,
    ),
    "sensitivity": (
        1, 0.97087378640777, 0.74409391489672, 0.41198675951591, 0.40166399484830, 0.13151256874109, 0.12875716540150,
        0.04562202778125, 0.04485500715884, 0.01279088255277, 0.01262798159026, 0.00355012298125, 0.00351985225188,
        0.00150781137586,
    ),
}  # fmt: skip
# > format(sum(gb_discount_factor(0:4)), digits=12)                                       4.67307920861
# numpy-financial 1.0.0 under numpy 2.4.6, Python 3.11.7
# >>> npv(.035, [-464240, -446630 + 8750, 12000, -500, 40000]), npv(.035, [1]*5), -pv(.035, 10, 0, 1)
# (-841703.6176086103, 4.673079208612225, 0.7089188137097722)
STREAM, NPV = (-464240, -446630 + 8750, 12000, -500, 40000), -841703.6176086103


def value(amount: float, low: float | None = None, high: float | None = None, year: int = 0) -> money.PresentValue:
    return money.present_value([amount], [year], table="standard", low=[low], high=[high])


@pytest.mark.parametrize("table", FACTORS)
def test_factors_equal_those_of_a_second_implementation(table):
    found = [money.discount_factor(year, table=table) for year in YEARS]
    assert found == pytest.approx(FACTORS[table], rel=1e-9)


def test_a_later_band_goes_on_from_the_factor_reached():
    assert money.discount_factor(31, table="standard") == pytest.approx(1 / (1.035**30 * 1.03), rel=1e-12)
    assert money.discount_factor(76, table="standard") == pytest.approx(1 / (1.035**30 * 1.03**45 * 1.025), rel=1e-12)


def test_a_stream_equals_a_second_library():
    assert money.present_value(STREAM, range(5), table="standard").estimate == pytest.approx(NPV, rel=1e-12)
    annuity = money.present_value([1] * 5, range(5), table="standard")
    assert annuity.estimate == pytest.approx(4.673079208612225, rel=1e-12)
    assert (annuity.undiscounted, annuity.n, annuity.ranged) == (5, 5, 0)


def test_ranges_are_added_end_by_end():
    found = money.present_value(
        [100, -50, 30], [0, 0, 0], table="standard", low=[80, -90, None], high=[100, -10, np.nan]
    )
    assert (found.estimate, found.low, found.high, found.ranged) == (80, 20, 120, 2)
    net = money.net_present_value(found, value(60, 50, 90))
    assert (net.estimate, net.low, net.high, net.n) == (20, -70, 70, 4)


def test_switching_value_of_a_gain_a_cost_and_a_loss():
    gains, costs = value(80, 40, 130), value(100, 90, 120)
    net = money.net_present_value(gains, costs)
    gain = money.switching_value(net, gains)
    assert (gain.estimate, gain.low, gain.high, gain.times, gain.change) == (100, 90, 120, 1.25, 25)
    assert gain.within  # 100 lies in 40 to 130
    cost = money.switching_value(net, costs, counts_as="cost")
    assert (cost.estimate, cost.low, cost.high, cost.times, cost.within) == (80, 40, 130, 0.8, False)
    loss, rest = value(-30), value(50)
    net = money.net_present_value(money.added([loss, rest]), value(10))
    assert money.switching_value(net, loss).estimate == -40


@pytest.mark.parametrize(("gain", "cost", "says"), [(0, 10, "is 0"), (-5, 10, "other side of nothing")])
def test_where_no_size_does_it_is_refused(gain, cost, says):
    gains = value(gain)
    with pytest.raises(ValueError, match=says):
        money.switching_value(money.net_present_value(gains, value(cost)), gains)


def test_units_that_would_equal_the_costs():
    found = money.break_even(value(1000, 800, 1500), unit_value=10, low=8, high=16)
    assert (found.estimate, found.low, found.high) == (100, 50, 187.5)
    later = money.break_even(value(1000), unit_value=10, year=1)
    assert later.estimate == pytest.approx(103.5)
    assert money.break_even(value(0), unit_value=5).estimate == 0


@pytest.mark.parametrize(
    ("unit", "ends", "says"),
    [(0, {}, "above 0"), (-2, {}, "above 0"), (math.nan, {}, "above 0"), (5, {"low": 6}, "does not lie between"),
     (5, {"low": 0}, "above 0")],
)  # fmt: skip
def test_a_unit_worth_nothing_pays_nothing_back(unit, ends, says):
    with pytest.raises(ValueError, match=says):
        money.break_even(value(100), unit_value=unit, **ends)


def test_costs_below_nothing_have_no_break_even():
    with pytest.raises(ValueError, match="nothing to equal"):
        money.break_even(value(-1), unit_value=5)


def test_editions_say_where_they_are_from_and_what_was_verified():
    held = money.rates()
    assert (held.valid_from.isoformat(), held.verified(400)) == ("2026-02-05", True)
    assert "review" in held.note
    assert money.rates("health").verified(125)
    assert not money.rates("health").verified(126)
    older = money.rates(edition="green_book_2003")
    assert older.bands == held.bands
    with pytest.raises(ValueError, match=r"no rates 'health'. There are: standard"):
        money.rates("health", edition="green_book_2003")
    with pytest.raises(ValueError, match="No edition is called 'green_book_1997'"):
        money.rates(edition="green_book_1997")
    with pytest.raises(ValueError, match="health, sensitivity, standard"):
        money.discount_factor(1, table="private")


def test_rates_of_ones_own_are_checked():
    own = money.Rates("own", "ours", None, "us", "", (money.Band(0, 0.0), money.Band(2, 0.5)))
    assert [money.discount_factor(year, table=own) for year in range(4)] == pytest.approx([1, 1, 2 / 3, 4 / 9])
    for bands, says in (
        ((), "begin in year 0"),
        ((money.Band(1, 0.03),), "begin in year 0"),
        ((money.Band(0, 0.03), money.Band(5, 0.02), money.Band(3, 0.01)), "not in order"),
        ((money.Band(0, math.nan),), "is none"),
        ((money.Band(0, -1.0),), "is none"),
    ):
        with pytest.raises(ValueError, match=says):
            money.Rates("own", "ours", None, "us", "", bands)


@pytest.mark.parametrize("year", [-1, 0.5, 1.0, math.nan, True, "2"])
def test_a_year_is_a_whole_number_from_the_base_year(year):
    with pytest.raises(ValueError, match=r"whole number|before the base year"):
        money.discount_factor(year, table="standard")
    assert money.discount_factor(np.int64(1), table="standard") == pytest.approx(1 / 1.035)


@pytest.mark.parametrize(
    ("amounts", "years", "ends", "says"),
    [([], [], {}, "no amounts"), ([1], [0, 1], {}, "give each amount its year"), ([math.nan], [0], {}, "Amount 1"),
     ([1, 2], [0, 0], {"low": [1]}, "1 of low"), ([1], [0], {"low": [2]}, "does not lie between"),
     ([1], [0], {"high": [0.5]}, "does not lie between"), ([math.inf], [0], {}, "missing or no number"),
     ([1], [0], {"high": [math.inf]}, "missing or no number"), ([1], [-1], {}, "before the base year")],
)  # fmt: skip
def test_what_cannot_be_added_up_is_refused(amounts, years, ends, says):
    with pytest.raises(ValueError, match=says):
        money.present_value(amounts, years, table="standard", **ends)
    with pytest.raises(ValueError, match="no present values"):
        money.added([])


def test_grades_widen_the_range_towards_the_worse():
    held = money.grades()
    assert [held.shares[grade] for grade in range(1, 7)] == [0, 0.05, 0.10, 0.15, 0.25, 0.40]
    assert not held.verified
    assert money.range_by_grade(200, 6, counts_as="gain") == (120, 200)
    assert money.range_by_grade(200, 6, counts_as="cost") == (200, 280)
    assert money.range_by_grade(-200, 6, counts_as="gain") == (-280, -200)
    assert money.range_by_grade(200, 1, counts_as="gain") == (200, 200)
    with pytest.raises(ValueError, match=r"no grade 7. There are: 1, 2, 3, 4, 5, 6"):
        money.range_by_grade(1, 7, counts_as="gain")


def test_prices_of_another_year():
    index = {"2023/24": 95.0, "2025/26": 100.0, "2026/27": 0.0}
    assert money.in_prices(190, "2023/24", to="2025/26", deflators=index) == pytest.approx(200)
    assert money.in_prices(-7, "2025/26", to="2025/26", deflators=index) == -7
    with pytest.raises(ValueError, match="no deflator for 2024/25"):
        money.in_prices(1, "2024/25", to="2025/26", deflators=index)
    with pytest.raises(ValueError, match="must be above 0"):
        money.in_prices(1, "2023/24", to="2026/27", deflators=index)


def test_no_ratio_is_offered():
    """The Green Book of 2026 warns of one ratio that passes or fails; there is none to call."""
    assert not [name for name in dir(money) if "ratio" in name.lower() or "bcr" in name.lower()]


POUNDS = st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda pounds: round(pounds, 2))
ITEMS = st.lists(st.tuples(POUNDS, st.integers(0, 320), st.floats(0, 1e5), st.floats(0, 1e5)), min_size=1, max_size=6)


@given(gained=ITEMS, paid=ITEMS, table=st.sampled_from(list(FACTORS)))
@settings(max_examples=40, deadline=None)
def test_what_holds_of_any_amounts(gained, paid, table):
    def total(items: list[tuple[float, int, float, float]]) -> money.PresentValue:
        amounts, years, below, above = zip(*items, strict=True)
        low = [amount - less for amount, less in zip(amounts, below, strict=True)]
        high = [amount + more for amount, more in zip(amounts, above, strict=True)]
        return money.present_value(amounts, years, table=table, low=low, high=high)

    gains, costs = total(gained), total(paid)
    net = money.net_present_value(gains, costs)
    assert net.low <= net.estimate <= net.high
    apart = money.added([total([item]) for item in gained])
    assert (apart.estimate, apart.low, apart.high) == pytest.approx((gains.estimate, gains.low, gains.high), abs=1e-6)
    item = total(gained[:1])
    needed = item.estimate - net.estimate
    if item.estimate == 0 or needed / item.estimate < -1e-6:
        with pytest.raises(ValueError, match=r"is 0|other side"):
            money.switching_value(net, item)
        return
    assume(needed / item.estimate > 1e-6)
    found = money.switching_value(net, item)
    assert net.estimate - item.estimate + found.times * item.estimate == pytest.approx(0, abs=1e-6)
    assert found.low <= found.estimate + 1e-6
    assert found.estimate <= found.high + 1e-6


@given(st.integers(0, 399), st.sampled_from(list(FACTORS)))
@settings(max_examples=40, deadline=None)
def test_a_year_later_counts_for_less_by_the_rate_of_that_year(year, table):
    now, later = (money.discount_factor(at, table=table) for at in (year, year + 1))
    assert now / later == pytest.approx(1 + money.rates(table).band(year + 1).rate, rel=1e-12)
