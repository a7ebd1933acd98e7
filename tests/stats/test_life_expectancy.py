"""`stats.life_expectancy` against the worked values of PHEindicatormethods, age by age."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.stats import rates
from evalkit.stats.life_expectancy import difference, life_expectancy

AGES = [0, 1, *range(5, 95, 5)]
PEOPLE = [7060, 35059, 46974, 48489, 43219, 38561, 46009, 57208, 61435, 55601]
PEOPLE += [50209, 56416, 46411, 39820, 37978, 37039, 33288, 23306, 11936, 11936]
DEATHS = [17, 9, 4, 8, 20, 15, 24, 33, 50, 71, 100, 163, 263, 304, 536, 872, 1390, 1605, 1936, 1937]

# PHEindicatormethods 2.1, tests/testthat/testLifeExpectancy.R, `answer1`: phe_life_expectancy(df1, deaths, pops,
# startage) on the numbers above, compared there to 4 decimals. Its limits are e ± 1.96 se, not 1.959964: see the test.
VALUE = [80.16960813, 79.36245674, 75.44193645, 70.47299936, 65.52909542, 60.67510088, 55.78835987, 50.92752727]
VALUE += [46.06740425, 41.24505636, 36.49322717, 31.83343842, 27.26027992, 22.9719144, 18.76856852, 14.95858336]
VALUE += [11.51684445, 8.618849241, 6.163942934, 6.16210635]
LOW = [79.88268548, 79.0898816, 75.17407307, 70.20675732, 65.26548673, 60.41876577, 55.53801579, 50.68279939]
LOW += [45.82666794, 41.00842831, 36.26223216, 31.60996318, 27.04337271, 22.76653134, 18.57570352, 14.77985004]
LOW += [11.34831778, 8.451134045, 5.978358351, 5.887683386]
HIGH = [80.45653078, 79.63503188, 75.70979983, 70.7392414, 65.79270412, 60.931436, 56.03870395, 51.17225516]
HIGH += [46.30814055, 41.48168441, 36.72422219, 32.05691365, 27.47718713, 23.17729746, 18.96143352, 15.13731667]
HIGH += [11.68537112, 8.786564437, 6.349527517, 6.436529314]

# The same file, `answer_widecis`, "Area 2", a made-up place in which hardly anybody old dies: the life expectancies at
# 40 and over are withheld there, their lower 95 % limits given
FEW_PEOPLE = [270, 235, 246, 248, 243, 238, 246, 257, 261, 355, 350, 356, 346, 339, 337, 337, 333, 323, 311, 311]
FEW_DEATHS = [17, 9, 4, 8, 20, 15, 24, 33, 50, 51, 10, 16, 26, 30, 36, 22, 13, 5, 6, 1]
WIDE_VALUE = [19.22914685, 19.44120610, 18.33467808, 14.67659995, 11.81284556, 11.63815414, 10.05641628, 9.93152356]
WIDE_VALUE += [11.95846561]
WIDE_LOW = [16.43900644, 16.53437505, 15.62922550, 12.08108630, 9.21823373, 8.68414661, 6.54020385, 4.71570153]
WIDE_LOW += [2.37762283, -1.60695210, -10.33328815, -17.16409724, -26.91715103, -45.04820928, -76.27067271]
WIDE_LOW += [-137.12203187, -195.39453664, -242.37480291, -266.74198466, -298.54880400]


def test_every_age_is_phes() -> None:
    found = life_expectancy(DEATHS, PEOPLE, AGES).ages
    assert found["estimate"].to_numpy() == pytest.approx(VALUE, rel=1e-9)
    assert found["low"].to_numpy() == pytest.approx(LOW, abs=6e-5)
    assert found["high"].to_numpy() == pytest.approx(HIGH, abs=6e-5)
    # to 9 digits once z is the 1.96 the worked limits were made with
    assert (found["estimate"] - 1.96 * found["se"]).to_numpy() == pytest.approx(LOW, rel=2e-9)
    assert (found["estimate"] + 1.96 * found["se"]).to_numpy() == pytest.approx(HIGH, rel=2e-9)
    assert (found["withheld"] == "").all()
    # the same file, `df1_cum`: person-years and deaths at that age and over
    assert found.loc[found["age"].isin([0, 25, 90]), ["n", "count"]].to_numpy().tolist() == [
        [787954, 9357],
        [568592, 9284],
        [11936, 1937],
    ]


def test_at_birth_at_65_and_at_another_confidence() -> None:
    born = life_expectancy(DEATHS, PEOPLE, AGES, confidence=0.998)
    assert (born.estimate, *born.interval(0.95)) == pytest.approx((80.16960813, 79.88268548, 80.45653078), abs=6e-6)
    assert (born.low, born.high) == pytest.approx(
        (80.16960813 - 3.090232306 * born.se, 80.16960813 + 3.090232306 * born.se)
    )
    assert (born.n, born.count, born.per, born.at, born.method) == (787954, 9357, 1, 0, "Chiang, Silcocks")
    old = life_expectancy(DEATHS, PEOPLE, AGES, at=65)
    assert (old.estimate, old.low, old.high) == pytest.approx((18.76856852, 18.57570352, 18.96143352), abs=4e-6)
    assert (old.n, old.count) == (155483, 8276)


def test_ages_may_come_in_any_order_and_as_labels() -> None:
    labels = ["0", "1-4", "5-9", "10 – 14", *(f"{age} to {age + 4}" for age in range(15, 90, 5)), "90 +"]
    mixed = np.random.default_rng(2).permutation(20)
    found = life_expectancy(*(np.array(column)[mixed] for column in (DEATHS, PEOPLE)), [labels[at] for at in mixed])
    assert found.estimate == pytest.approx(VALUE[0], rel=1e-9)
    assert found.ages["band"].tolist() == labels


def test_an_interval_wider_than_twenty_years_is_withheld() -> None:
    found = life_expectancy(FEW_DEATHS, FEW_PEOPLE, AGES).ages
    assert found["estimate"].to_numpy()[:9] == pytest.approx(WIDE_VALUE, rel=1e-9)
    assert found["estimate"][9:].isna().all()
    assert set(found["withheld"][9:]) == {"its 95 % interval is wider than 20 years"}
    # made with z = 1.959964, whose last digit shows where the standard error is over a hundred years
    assert found["low"].to_numpy() == pytest.approx(WIDE_LOW, abs=6e-6)
    with pytest.raises(ValueError, match="at 65 is withheld: its 95 % interval"):
        life_expectancy(FEW_DEATHS, FEW_PEOPLE, AGES, at=65)


def test_by_hand() -> None:
    # Two bands, 0-9 and 10+: M = .01 and .1, q = .1 / 1.05, e_10 = 10, e_0 = 10 (1 - q/2) + (1 - q) 10
    found = life_expectancy([40, 200], [4_000, 2_000], ["0-9", "10+"])
    q = 0.1 / 1.05
    assert found.estimate == pytest.approx(10 * (1 - q / 2) + 10 * (1 - q), rel=1e-12)
    # var(q) = q² (1 - q) / D (Chiang); the last band adds (1 - q)² / (M² D)
    assert found.se**2 == pytest.approx(15**2 * q**2 * (1 - q) / 40 + (1 - q) ** 2 / (0.01 * 200), rel=1e-12)


def test_nobody_dying_in_a_band_is_no_obstacle() -> None:
    deaths = [*DEATHS[:2], 0, 0, *DEATHS[4:]]
    found = life_expectancy(deaths, PEOPLE, AGES)
    assert found.estimate > VALUE[0]
    assert math.isfinite(found.se)
    # as a death so rare that it weighs nothing
    assert found.se == pytest.approx(life_expectancy([max(each, 1e-9) for each in deaths], PEOPLE, AGES).se, rel=1e-6)


def test_standard_error_is_that_of_simulated_deaths() -> None:
    people = np.array([900, 3_600, 20_000, 20_000, 9_000, 2_500])
    rate, bands = np.array([0.004, 0.0002, 0.001, 0.005, 0.03, 0.15]), ["0", "1-4", "5-39", "40-64", "65-79", "80+"]
    drawn = np.random.default_rng(11).poisson(people * rate, (300, 6))
    found = [life_expectancy(deaths, people, bands) for deaths in drawn]
    truth = life_expectancy(people * rate, people, bands)
    assert np.std([each.estimate for each in found]) == pytest.approx(truth.se, rel=0.12)
    covered = np.mean([each.low <= truth.estimate <= each.high for each in found])
    assert 0.92 <= covered <= 0.98


@given(st.lists(st.integers(0, 200), min_size=19, max_size=19), st.integers(0, 19), st.integers(1, 200))
def test_it_lies_in_bounds_and_falls_when_more_die(deaths: list[int], at: int, more: int) -> None:
    people, deaths = [5_000] * 20, [*deaths, 900]
    before = life_expectancy(deaths, people, AGES)
    after = life_expectancy([each + more * (place == at) for place, each in enumerate(deaths)], people, AGES)
    assert 0 < after.estimate < before.estimate <= 90 + 5_000 / 900
    assert before.low < before.estimate < before.high
    worse = difference(after, before)
    assert worse.estimate < 0
    assert 0 <= worse.p <= 1


def test_the_gap_between_two_places() -> None:
    here = life_expectancy(DEATHS, PEOPLE, AGES)
    there = life_expectancy(1.1 * np.array(DEATHS), PEOPLE, AGES)
    gap = difference(here, there)
    assert gap.estimate == pytest.approx(here.estimate - there.estimate)
    assert gap.se == pytest.approx(math.sqrt(here.se**2 + there.se**2))
    assert gap.high - gap.low == pytest.approx(2 * 1.959963985 * gap.se)
    assert gap.interval(0.998)[0] < gap.low
    assert (gap.n, gap.at, gap.per) == (2 * here.n, 0, 1)
    none = difference(here, here)
    assert (none.estimate, none.p) == (0, 1)
    with pytest.raises(ValueError, match="One is at the age of 0, the other at 65"):
        difference(here, life_expectancy(DEATHS, PEOPLE, AGES, at=65))


def put(column: list[int], place: int, value: float) -> list[float]:
    return [*column[:place], value, *column[place + 1 :]]


@pytest.mark.parametrize(
    ("deaths", "people", "ages", "says"),
    [
        (put(DEATHS, 3, -5), PEOPLE, AGES, r"deaths is -5\.0 in band 4"),
        (put(DEATHS, 3, math.nan), PEOPLE, AGES, "deaths is nan in band 4"),
        (DEATHS, put(PEOPLE, 3, -10), AGES, r"population is -10\.0 in band 4"),
        (DEATHS, put(PEOPLE, 5, 0), AGES, "no people in the band '20'"),
        (put(DEATHS, 18, 11937), PEOPLE, AGES, r"More died \(11937\) than lived \(11936\) in the band '85'"),
        (put(DEATHS, 18, 5000), PEOPLE, AGES, "nobody would survive it"),
        (put(DEATHS, 19, 0), PEOPLE, AGES, "Nobody died in the last band, '90'"),
        ([1] * 20, [249] * 20, AGES, "4980 person-years are too few"),
        (DEATHS[:-1], PEOPLE, AGES, "deaths has 19 values for 20 age bands"),
        (DEATHS[1:], PEOPLE[1:], AGES[1:], "begins at 1; a life table begins at 0"),
        ([20, 90], [9_000, 900], ["0-64", "65-89"], "'65-89', must be open"),
        ([20], [9_000], ["0+"], "with another before it"),
        ([20, 90, 90], [9_000, 900, 900], ["0-64", "70-89", "90+"], "between '0-64' and '70-89' a band is missing"),
        ([20, 90, 90], [9_000, 900, 900], ["0-64", "60-89", "90+"], "'0-64' and '60-89' overlap"),
        ([], [], [], "No age bands"),
    ],
)
def test_a_life_table_refuses(deaths: Any, people: Any, ages: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        life_expectancy(deaths, people, ages)


def test_what_else_is_refused() -> None:
    with pytest.raises(ValueError, match=r"No age band begins at 4; .* 0, 1, 5"):
        life_expectancy(DEATHS, PEOPLE, AGES, at=4)
    with pytest.raises(ValueError, match=r"95 % is 0\.95"):
        life_expectancy(DEATHS, PEOPLE, AGES, confidence=95)
    deaths, people = pd.Series(DEATHS), pd.Series(PEOPLE)
    with pytest.raises(ValueError, match="different indexes"):
        life_expectancy(deaths, people[::-1], AGES)
    table = life_expectancy(deaths, people, pd.Series(AGES)).ages
    table["estimate"] = 0.0
    assert rates.life_expectancy is life_expectancy
