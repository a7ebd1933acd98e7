"""population.life_expectancy: the numbers of PHEindicatormethods, the refusals in the row, and nobody ranked."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.population.life_expectancy import STANDING, life_expectancy
from evalkit.result import Result
from evalkit.terms import Attribution, Audience, Verdict
from evalkit.words import CAUSE
from tests.population.places_by_hand import by_age, figure, northmere, programme

# PHEindicatormethods 2.1, tests/testthat/testLifeExpectancy.R, first worked example: phe_life_expectancy(df1, deaths,
# pops, startage) gives 80.16960813 (79.88268548 to 80.45653078) at birth, limits with z = 1.96
BANDS = ["0-0", "1-4", *(f"{age}-{age + 4}" for age in range(5, 90, 5)), "90+"]
PEOPLE = [7060, 35059, 46974, 48489, 43219, 38561, 46009, 57208, 61435, 55601]
PEOPLE += [50209, 56416, 46411, 39820, 37978, 37039, 33288, 23306, 11936, 11936]
DEATHS = [17, 9, 4, 8, 20, 15, 24, 33, 50, 71, 100, 163, 263, 304, 536, 872, 1390, 1605, 1936, 1937]
FOUR = ["0-39", "40-64", "65-79", "80+"]


def asked(figures: Any, how: dict[str, Any] | None = None, **told: Any) -> Result:
    return life_expectancy(programme(figures, **told), **(how or {}))


def four(place: str, deaths: list[int], people: list[float], period: str = "2025/26", **said: Any) -> list[Any]:
    return list(by_age(place, period, deaths, people, FOUR, **said))


@pytest.fixture(scope="module")
def found() -> Result:
    return life_expectancy(northmere())


def test_life_expectancy_is_that_of_phe_indicator_methods() -> None:
    mine = asked(by_age("P1", "2025/26", DEATHS, PEOPLE, BANDS)).table.iloc[0]
    assert mine["estimate"] == pytest.approx(80.16960813, rel=1e-9)
    assert (mine["low"], mine["high"]) == pytest.approx((79.88268548, 80.45653078), abs=6e-6)
    assert (mine["n"], mine["person_years"], mine["method"]) == (9357, 787954, "Chiang, Silcocks")
    assert mine["sex"] == "persons"


def test_places_together_and_years_in_months_add_up() -> None:
    """Half of everybody in each of two places, a quarter of the deaths in each quarter of a year: the same life."""
    quarters = ["2025/26 Q1", "2025/26 Q2", "2025/26 Q3", "2025/26 Q4"]
    figures = [
        figure(place, quarter, 2, people, age_band=band)
        for place in ("P1", "P2")
        for quarter in quarters
        for band, people in zip(FOUR, [5000, 4000, 400, 100], strict=True)
    ]
    together = asked(figures).table.iloc[0]
    once = asked(four("P1", [16] * 4, [10_000, 8000, 800, 200])).table.iloc[0]
    assert together[["estimate", "low", "n", "person_years"]].tolist() == pytest.approx(
        once[["estimate", "low", "n", "person_years"]].tolist()
    )


def test_the_gap_is_the_difference_with_the_variances_added() -> None:
    found = asked([*four("P1", [5, 20, 60, 95], [5000, 4000, 2000, 800]),
                   *four("C1", [8, 25, 70, 90], [5000, 4000, 2000, 800])])  # fmt: skip
    mine, others, gap = (found.table.iloc[at] for at in range(3))
    assert gap["estimate"] == pytest.approx(mine["estimate"] - others["estimate"])
    half = math.hypot(mine["high"] - mine["estimate"], others["high"] - others["estimate"])
    assert (gap["low"], gap["high"]) == pytest.approx((gap["estimate"] - half, gap["estimate"] + half))
    assert (gap["what"], gap["n"], gap["tells"]) == ("gap", 373, 180)
    assert "Beside comparison places that is 2.5 years higher for everybody (−1.6 to 6.7)." in found.reading


@pytest.mark.parametrize(
    ("deaths", "people", "why"),
    [
        ([1, 1, 1, 1], [1000, 900, 300, 100], "2300 person-years are too few for a life table (the least is 5,000)"),
        ([5, 20, 60, 0], [5000, 4000, 2000, 800], "Nobody died in the last band, '80+'"),
        ([5, 20, 60, 1], [5000, 4000, 2000, 100], "wider than 20 years"),
    ],
)
def test_the_published_refusals_stand_in_the_row(deaths: list[int], people: list[float], why: str) -> None:
    figures = [*four("P1", [5, 20, 60, 95], [5000, 4000, 2000, 800]), *four("C1", deaths, people)]
    found = asked(figures)
    others, gap = found.table.iloc[1], found.table.iloc[2]
    assert why in others["why"]
    assert others[["estimate", "low"]].isna().all()
    assert others["interval"] == gap["interval"] == "none given"
    assert gap["why"] == "One of the two may not be told."
    assert why in " ".join(found.caveats)
    assert "comparison" not in found.reading
    with pytest.raises(ek.NotEnoughEvidence, match="No life expectancy may be told"):
        asked(four("P1", deaths, people))


def test_what_cannot_be_asked_is_refused_by_name() -> None:
    with pytest.raises(ek.NotEnoughEvidence, match="Deaths are not given by age"):
        asked([figure("P1", "2025/26", 90, 12_000)])
    with pytest.raises(ek.NotEnoughEvidence, match="No deaths were given"):
        asked([])
    everybody = four("P1", [5, 20, 60, 95], [5000, 4000, 2000, 800])
    with pytest.raises(ValueError, match="sex='woman' is none of female, male and persons"):
        asked(everybody, {"sex": "woman"})
    with pytest.raises(ek.NotEnoughEvidence, match="not given for the female sex"):
        asked(everybody, {"sex": "female"})
    with pytest.raises(ek.NotEnoughEvidence, match=r"a life table begins at 0"):
        asked(by_age("P1", "2025/26", [20, 60, 95], [4000, 2000, 800], FOUR[1:]))


def test_one_sex_alone_and_both_together() -> None:
    figures = [
        row for sex in ("female", "male") for row in four("P1", [5, 20, 60, 95], [5000, 4000, 2000, 800], sex=sex)
    ]
    assert asked(figures, {"sex": "male"}).table["sex"].tolist() == ["male"]
    together, apart = asked(figures, {"sex": "persons"}).table.iloc[0], asked(figures).table.iloc[0]
    assert together["estimate"] == pytest.approx(apart["estimate"])
    assert together["n"] == 360


def test_northmere_is_told_before_and_after_for_women_and_men(found: Result) -> None:
    lives = found.table[found.table["what"] == "life expectancy"]
    assert lives[["sex", "kind", "period"]].drop_duplicates().shape[0] == len(lives) == 8
    assert lives["when"].unique().tolist() == ["before", "after"]
    assert lives.query("sex == 'female'")["estimate"].min() > lives.query("sex == 'male'")["estimate"].max()
    assert found.headline == "Life expectancy at birth in programme places, 2025/26: women 80.1 years, men 75.9 years"
    assert found.marks.query("mark == 'point'").shape[0] == 8


def test_it_is_described_and_never_claimed(found: Result) -> None:
    assert (found.verdict, found.attribution) == (Verdict.DESCRIBED, Attribution.CANNOT_TELL)
    assert found.caveats[0] == STANDING
    assert "decades" in found.caveats[0]
    assert found.about.counts == "places"
    said = " ".join([found.reading, found.headline, found.alt, *found.caveats])
    assert not CAUSE.search(said)
    assert not any(word in said for word in ("rank", "worst", "improved", "second-", "longest"))


def test_no_place_is_told_by_itself(found: Result) -> None:
    said = " ".join([found.reading, found.alt, *found.caveats, *found.table["group"]])
    assert not any(name in said for name in ("Aldersyke", "Brackenford", "Netherquill", "P01"))


def test_few_deaths_are_withheld_and_the_gap_with_them() -> None:
    figures = [*four("P1", [0, 0, 1, 3], [5000, 900, 30, 10]), *four("C1", [5, 20, 60, 95], [5000, 4000, 2000, 800])]
    raw = asked(figures)
    copy = protect(raw, Audience.PUBLIC).table
    assert raw.table["n"].tolist() == [4, 180, 184]
    assert copy["estimate"].isna().tolist() == [True, False, True]


@settings(max_examples=4)
@given(st.lists(st.integers(0, 40), min_size=3, max_size=3), st.integers(1, 90))
def test_more_deaths_are_a_shorter_life_and_every_blank_says_why(early: list[int], late: int) -> None:
    people = [5000.0, 4000.0, 2000.0, 800.0]
    fewer, more = [*early, late], [early[0] + 9, *early[1:], late]
    figures = [*four("P1", fewer, people), *four("C1", more, people)]
    try:
        table = asked(figures).table
    except ek.NotEnoughEvidence:  # the interval is wider than 20 years
        return
    blank = table["estimate"].isna()
    assert (table.loc[blank, "why"] != "").all()
    assert table.loc[~blank, "why"].eq("").all()
    if not blank.any():
        assert table["estimate"][0] > table["estimate"][1]
        assert table["estimate"][2] > 0


def test_a_year_without_sexes_is_blank_where_the_other_has_them() -> None:
    figures = four("P1", [5, 20, 60, 95], [5000, 4000, 2000, 800], "2023/24")
    figures += [row for sex in ("female", "male")
                for row in four("P1", [5, 20, 60, 95], [5000, 4000, 2000, 800], sex=sex)]  # fmt: skip
    table = asked(figures).table
    before = table[table["when"] == "before"]
    assert before["estimate"].isna().all()
    assert (before["why"] != "").all()
    assert table["n"].dtype == pd.Int64Dtype()
