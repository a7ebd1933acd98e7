"""population.rates: the rates are those of other programs, nobody is counted twice, few are told nobody."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any, ClassVar

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.population import rate_rows, spans
from evalkit.population.rates import rates
from evalkit.population.spans import MINE, OTHERS
from evalkit.programme import Programme
from evalkit.result import Result
from evalkit.terms import Attribution, Audience, Verdict
from evalkit.words import CAUSE
from tests.population.places_by_hand import by_age, figure, made_up, northmere, programme

OLD = ["65-74", "75-84", "85+"]
MONTHS = [f"{when:%Y-%m}" for when in pd.period_range("2023-04", "2026-03", freq="M")]


def asked(figures: Any, measure: str = "deaths", how: dict[str, Any] | None = None, **told: Any) -> Result:
    return rates(programme(figures, **told), measure=measure, **(how or {}))


def row(found: Result, what: str, kind: str = MINE, period: str = "2025/26") -> Any:
    table = found.table
    own = table[(table["what"] == what) & (table["kind"] == kind) & (table["period"] == period)]
    assert len(own) == 1
    return own.iloc[0]


def old(place: str, period: str, counts: list[int], people: list[float], **said: Any) -> list[dict[str, Any]]:
    return list(by_age(place, period, counts, people, OLD, **said))


BOTH = [
    *old("P1", "2025/26", [20, 30, 40], [1000, 800, 300]),
    *old("C1", "2025/26", [25, 45, 60], [1500, 900, 400]),
]


@pytest.fixture(scope="module")
def both() -> Result:
    return asked(BOTH)


@pytest.fixture(scope="module")
def deaths() -> Result:
    return rates(northmere(), measure="deaths")


class TestNumbers:
    def test_standardised_rates_are_those_of_ph_stats_methods(self, both: Result) -> None:
        # PHStatsMethods 0.1.16: ph_dsr(d, "obs", "pop", group_cols="area", ref_denom_col="std",
        # euro_standard_pops=False), std 10500, 6500, 2500; value, lower_95_ci, upper_95_ci
        expected = {
            MINE: (4036.324786325, 3241.015040342, 4966.735680631),
            OTHERS: (4487.179487179, 3747.308851247, 5330.090834719),
        }
        for kind, numbers in expected.items():
            held = row(both, "standardised", kind)
            assert tuple(held[["estimate", "low", "high"]]) == pytest.approx(numbers, rel=1e-9)
            assert held["method"] == "Dobson with Byar's"

    def test_the_ratio_of_standardised_rates_is_that_of_epi(self, both: Result) -> None:
        # R 4.2.2, Epi 2.47: d = sum(w e / n) / sum(w), s = sqrt(sum((w / sum(w))^2 e / n^2));
        # ci.ratio(d1, d2, s1 / d1, s2 / d2, log.tr = FALSE): .899523809524 .68672726519 1.17825973267
        held = both.table.query("what == 'ratio'").iloc[0]
        expected = (0.899523809524, 0.68672726519, 1.17825973267)
        assert tuple(held[["estimate", "low", "high"]]) == pytest.approx(expected, rel=1e-9)
        assert held["method"] == "ratio of standardised rates, on the log scale"

    def test_the_ratio_of_crude_rates_is_that_of_epi(self) -> None:
        # ci.ratio(30 / 5000, 45 / 6000, sqrt(1 / 30), sqrt(1 / 45), log.tr = FALSE): .8 .504034030295 1.26975553541
        found = asked([figure("P1", "2025/26", 30, 5000), figure("C1", "2025/26", 45, 6000)])
        held = found.table.query("what == 'ratio'").iloc[0]
        assert tuple(held[["estimate", "low", "high"]]) == pytest.approx((0.8, 0.504034030295, 1.26975553541), rel=1e-9)
        assert "not made comparable for age" in " ".join(found.caveats)

    def test_proportions_are_those_of_prop_test_and_their_ratio_that_of_epi(self) -> None:
        # R: prop.test(60, 100, correct = FALSE)$conf.int: .502002586791 .690598713568
        # Epi: ci.ratio(.6, .7, sqrt(1/60 - 1/100), sqrt(1/70 - 1/100), log.tr = FALSE): .698187202943 1.05228780255
        held = {"measure": "joined_up_care"}
        found = asked(
            [figure("P1", "2025/26", 60, 100, **held), figure("C1", "2025/26", 70, 100, **held)], "joined_up_care"
        )
        mine, ratio = row(found, "crude"), found.table.query("what == 'ratio'").iloc[0]
        assert tuple(mine[["estimate", "low", "high"]]) == pytest.approx((60, 50.2002586791, 69.0598713568), rel=1e-9)
        assert (mine["method"], mine["unit"], mine["out_of"]) == ("Wilson", "in every 100", 100)
        expected = (6 / 7, 0.698187202943, 1.05228780255)
        assert tuple(ratio[["estimate", "low", "high"]]) == pytest.approx(expected, rel=1e-9)
        assert "0.86 (0.70 to 1.05), 1 would be the same" in found.reading

    def test_few_events_have_exact_limits_and_nought_is_told(self) -> None:
        few = row(asked([figure("P1", "2025/26", 5, 100_000)]), "crude")
        assert tuple(few[["low", "high"]]) == pytest.approx((1.6235, 11.6683), abs=1e-4)  # Garwood 1936
        assert few["method"] == "exact Poisson"
        none = row(asked([figure("P1", "2025/26", 0, 100_000)]), "crude")
        assert (none["estimate"], none["low"]) == (0, 0)
        assert none["high"] == pytest.approx(3.6889, abs=1e-4)

    def test_under_ten_events_no_rate_is_standardised_and_the_row_says_so(self) -> None:
        found = asked([*old("P1", "2025/26", [2, 3, 4], [1000, 800, 300]), *BOTH[3:]])
        held = row(found, "standardised")
        assert pd.isna(held["estimate"])
        assert held["interval"] == "none given"
        assert "Fewer than 10 events are too few" in held["why"]
        ratio = found.table.query("what == 'ratio'").iloc[0]
        assert pd.isna(ratio["estimate"])
        assert ratio["why"] == "A ratio needs 10 events or more on both sides."
        assert "429 (196 to 814; 9 events) in 1 programme place" in found.reading
        assert "could not be made comparable" in " ".join(found.caveats)

    def test_bands_that_cut_the_standard_leave_the_row_blank_and_the_crude_rate_told(self) -> None:
        figures = list(by_age("P1", "2025/26", [20, 30], [1000, 800], ["18-66", "67+"]))
        found = asked(figures)
        assert "cuts through" in row(found, "standardised")["why"]
        assert row(found, "crude")["estimate"] == pytest.approx(1e5 * 50 / 1800)
        assert found.headline.startswith("Deaths in 2025/26, per 100,000 people a year: 2,778 in programme places")

    def test_another_standard(self) -> None:
        assert asked(BOTH, how={"standard": "ESP1976"}).about.asked == (
            "population.rates(measure='deaths', standard='ESP1976')"
        )
        with pytest.raises(ValueError, match=r"no standard population of ours; there are ESP1976, ESP2013"):
            asked(BOTH, how={"standard": "world"})


class TestTimes:
    def test_the_last_whole_year_and_the_last_one_before_the_start(self) -> None:
        found = asked([figure("P1", year, n, 1000) for year, n in
                       (("2021/22", 9), ("2022/23", 20), ("2023/24", 30), ("2024/25", 40))])  # fmt: skip
        table = found.table
        assert table[["period", "when", "n"]].to_numpy().tolist() == [
            ["2023/24", "before", 30], ["2024/25", "after", 40],
        ]  # fmt: skip
        assert "Before the start, in 2023/24: 3,000 (2,024 to 4,283; 30 events)" in found.reading

    def test_months_make_a_year_out_of_the_people_there_on_average(self) -> None:
        people = [
            {"place_id": "P1", "period": year, "population": n} for year, n in (("2023/24", 900), ("2025/26", 1200))
        ]
        monthly = [figure("P1", month, 2) for month in MONTHS if not month.startswith("2024-0")]
        shown = [m for m in monthly if m["period"] < "2024" or m["period"] >= "2025-04"]
        found = asked(shown, people=people)
        held = row(found, "crude")
        assert (held["n"], held["people"]) == (24, 1200)
        assert held["estimate"] == pytest.approx(1e5 * 24 / 1200)
        assert held["unit"] == "per 100,000 people a year"

    def test_where_no_whole_year_lies_before_the_start_quarters_of_one_season_are_told(self) -> None:
        months = [f"{when:%Y-%m}" for when in pd.period_range("2023-10", "2024-12", freq="M")]
        found = asked([figure("P1", month, 4, 1000) for month in months])
        assert found.table["period"].tolist() == ["2023/24 Q3", "2024/25 Q3"]
        assert row(found, "crude", period="2024/25 Q3")["estimate"] == pytest.approx(1e5 * 12 / 1000)
        assert found.table["unit"].unique().tolist() == ["per 100,000 people a quarter"]

    def test_a_period_is_named_as_people_write_it(self) -> None:
        figures = [figure("P1", month, 4, 1000) for month in MONTHS]
        for written, printed, n in (
            ("2024-25", "2024/25", 48),
            ("Q1 2024/25", "2024/25 Q1", 12),
            ("2024-05", "2024-05", 4),
        ):
            held = row(asked(figures, how={"period": written}), "crude", period=printed)
            assert held["n"] == n
        with pytest.raises(ValueError, match=r"period='spring' is no period; write 2024/25"):
            asked(figures, how={"period": "spring"})
        with pytest.raises(ek.NotEnoughEvidence, match="There is no figure for 2019/20"):
            asked(figures, how={"period": "2019/20"})

    def test_a_programme_starts_when_the_last_of_its_places_has(self) -> None:
        figures = [
            figure(place, year, 20, 1000) for place in ("P1", "P2") for year in ("2023/24", "2024/25", "2025/26")
        ]
        found = asked(figures, starts={"P1": "2024-04-01", "P2": "2025-02-01"})
        assert found.table["period"].tolist() == ["2023/24", "2025/26"]
        within = asked(figures, starts={"P1": "2024-04-01", "P2": "2025-02-01"}, how={"period": "2024/25"})
        assert within.table["when"].tolist() == ["during"]
        assert "neither before nor after" in " ".join(within.caveats)

    def test_without_a_start_only_the_last_year_is_told(self) -> None:
        found = asked([figure("P1", year, 20, 1000) for year in ("2023/24", "2024/25")], start=None)
        assert found.table[["period", "when"]].to_numpy().tolist() == [["2024/25", ""]]
        assert "Nobody says when the programme started" in " ".join(found.caveats)
        own = asked([figure("P1", year, 20, 1000) for year in ("2023/24", "2024/25")], start=None,
                    starts_on=date(2024, 4, 1))  # fmt: skip
        assert own.table["when"].tolist() == ["before", "after"]

    def test_figures_after_the_day_the_data_speak_of_are_left_out(self) -> None:
        earlier = Programme(northmere()._contents, as_of=date(2025, 6, 30))
        found = rates(earlier, measure="avoidable_admissions")
        assert found.table["period"].unique().tolist() == ["2023/24", "2024/25"]


class TestNobodyTwice:
    def test_totals_beside_their_parts_are_refused_by_name(self) -> None:
        figures = [*BOTH, figure("P1", "2025/26", 90, 2100)]
        with pytest.raises(ek.NotEnoughEvidence, match="Deaths in P1 would be counted twice") as refused:
            asked(figures)
        assert "all for 2025/26" in refused.value.missing
        assert "aged 65-74 for 2025/26" in refused.value.missing

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({"sex": "persons"}, {"sex": "female"}),
            ({"age_band": "65+"}, {"age_band": "85-89"}),
            ({"age_band": "65+", "sex": "male"}, {"quintile": 2}),
        ],
    )
    def test_groups_that_hold_the_same_people_are_refused(self, one: dict[str, Any], other: dict[str, Any]) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="counted twice"):
            asked([figure("P1", "2025/26", 20, 1000, **group) for group in (one, other)])

    def test_groups_that_share_nobody_are_not(self) -> None:
        apart = [{"sex": "female", "age_band": "65+"}, {"sex": "male", "quintile": 2}]
        found = programme([figure("P1", "2025/26", 20, 1000, **group) for group in apart])
        assert len(spans.figures(found, found.measures["deaths"]).rows) == 2

    def test_months_beside_their_year_are_refused(self) -> None:
        figures = [figure("P1", "2024/25", 90, 2100), figure("P1", "2024-09", 9, 2100)]
        with pytest.raises(ek.NotEnoughEvidence, match="gives all for 2024/25 and all for September 2024"):
            asked(figures)

    def test_people_given_whole_and_in_parts_are_refused_too(self) -> None:
        figures = [figure("P1", "2025/26", 20, age_band="65-84")]
        people = [{"place_id": "P1", "period": "2025/26", "population": 10, "age_band": band}
                  for band in ("65-74", "75-84", "75-79", "80-84")]  # fmt: skip
        with pytest.raises(ek.NotEnoughEvidence, match=r"The people in P1 would be counted twice: denominators\.csv"):
            asked(figures, people=people)


class TestPeople:
    def test_narrower_bands_of_people_make_up_the_bands_of_the_counts(self) -> None:
        figures = [figure("P1", "2025/26", 20, age_band="65+")]
        people = [{"place_id": "P1", "period": "2025/26", "population": n, "age_band": band}
                  for n, band in ((500, "60-64"), (600, "65-74"), (400, "75+"))]  # fmt: skip
        held = row(asked(figures, people=people), "crude")
        assert held["people"] == 1000
        with pytest.raises(ek.NotEnoughEvidence, match="how many people"):
            asked(figures, people=people[:2])  # nobody says how many are 75 and over

    def test_people_by_sex_are_added_up_where_counts_are_not_split(self) -> None:
        people = [{"place_id": "P1", "period": "2025/26", "population": n, "sex": sex}
                  for n, sex in ((600, "female"), (400, "male"))]  # fmt: skip
        assert row(asked([figure("P1", "2025/26", 20)], people=people), "crude")["people"] == 1000

    def test_a_place_without_people_is_named(self) -> None:
        people = [{"place_id": "P1", "period": "2025/26", "population": 1000}]
        with pytest.raises(ek.NotEnoughEvidence, match="the first that of P2 for 2025/26"):
            asked([figure(place, "2025/26", 20) for place in ("P1", "P2")], people=people)

    def test_some_denominators_are_refused(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="1 of 2 figures have no denominator"):
            asked([figure("P1", "2025/26", 20, 1000), figure("P2", "2025/26", 20)])

    def test_a_proportion_of_nobody_knows_how_many_is_refused(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="Nobody says out of how many"):
            asked([figure("P1", "2025/26", 20, measure="joined_up_care")], "joined_up_care")


class TestRefusals:
    def test_gaps_are_named(self) -> None:
        figures = [figure("P1", "2025/26", 20, 1000), figure("P2", "2024/25", 20, 1000)]
        with pytest.raises(ek.NotEnoughEvidence, match="P2 has not every figure for 2025/26"):
            asked(figures)
        with pytest.raises(ek.NotEnoughEvidence, match="C1 has not every figure of aged 85"):
            asked(BOTH[:-1])

    def test_no_figures_no_programme_place_no_count_and_scores(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="No deaths were given"):
            asked([])
        with pytest.raises(ek.NotEnoughEvidence, match="No place in the counts takes part"):
            asked([figure("C1", "2025/26", 20, 1000)])
        with pytest.raises(ek.NotEnoughEvidence, match="Some figures have no count"):
            asked([figure("P1", "2025/26", None, 1000, value=3.0)])
        scored = made_up("discharge_delays", kind="score")
        with pytest.raises(ek.NotEnoughEvidence, match=r"scores, which have no rate.*population\.experience"):
            asked(
                [figure("P1", "2025/26", None, measure="discharge_delays", value=3.0)],
                "discharge_delays",
                measures=[scored],
            )

    def test_by_what_nobody_gave_and_by_what_there_is_not(self) -> None:
        with pytest.raises(ValueError, match=r"by='town' is none of age_band, sex and quintile"):
            asked(BOTH, how={"by": "town"})
        with pytest.raises(ek.NotEnoughEvidence, match="Deaths are not given by quintile"):
            asked(BOTH, how={"by": "quintile"})


class TestGroups:
    FIGURES: ClassVar = [
        figure(place, "2025/26", n, 1000, sex=sex)
        for place, counts in (("P1", (3, 7)), ("C1", (40, 50)))
        for sex, n in zip(("female", "male"), counts, strict=True)
    ]

    def test_a_small_group_is_withheld_and_the_next_with_it(self) -> None:
        found = asked(self.FIGURES, how={"by": "sex"})
        assert found.table["group"].tolist()[0] == "female, programme places, 2025/26"
        assert not (found.table["what"] == "ratio").any(), "a ratio by group would tell the withheld one"
        copy = protect(found, Audience.COMMISSIONER)
        told = copy.table.set_index("group")["estimate"].isna()
        assert told.tolist() == [True, True, False, False]
        assert "programme places" not in "".join(copy.marks["x"].dropna().astype(str))
        assert copy.verdict is Verdict.NOT_MEASURABLE

    def test_a_small_count_of_all_takes_its_comparison_and_the_ratio_with_it(self) -> None:
        found = asked([figure("P1", "2025/26", 3, 1000), figure("C1", "2025/26", 40, 1000)])
        copy = protect(found, Audience.PUBLIC)
        assert copy.table["estimate"].isna().all()
        assert "40" not in copy.reading

    def test_those_to_whom_it_did_not_happen_count_too(self) -> None:
        found = asked([figure("P1", "2025/26", 98, 100, measure="joined_up_care"),
                       figure("C1", "2025/26", 70, 100, measure="joined_up_care")], "joined_up_care")  # fmt: skip
        assert protect(found, Audience.PUBLIC).table["estimate"].isna().all()

    def test_ages_run_from_young_to_old_and_many_are_drawn_in_one_row_each(self) -> None:
        found = rates(northmere(), measure="deaths", by="age_band", period="2025/26")
        mine = found.table.query("kind == 'programme places'")
        starts = [
            int(group.split(",")[0].removeprefix("aged ").split("-")[0].removesuffix("+")) for group in mine["group"]
        ]
        assert all(one < other for one, other in pairwise(starts))
        assert set(found.table["what"]) == {"crude"}
        assert (found.chart.name, found.marks.query("mark == 'point'")["x"].nunique()) == ("profile", 19)

    def test_the_sexes_are_each_made_comparable_for_age(self) -> None:
        found = rates(northmere(), measure="deaths", by="sex")
        told = found.table.query("what == 'standardised' and when == 'after' and kind == 'programme places'")
        women, men = told["estimate"]
        assert men / women == pytest.approx(1.38, abs=0.15)  # planted: men die 1.38 times as often at every age
        assert found.chart.name == "dots"

    def test_the_fifths_are_named(self) -> None:
        found = rates(northmere(), measure="avoidable_admissions", by="quintile")
        assert "the most deprived fifth 7,149 (6,300 to 8,080; 256 events)" in found.reading


class TestWhatIsSaid:
    def test_it_is_described_and_sends_on_to_against(self) -> None:
        found = rates(northmere(), measure="emergency_admissions_65_plus")
        assert (found.verdict, found.attribution) == (Verdict.DESCRIBED, Attribution.CANNOT_TELL)
        assert "population.against" in found.reading
        said = " ".join([found.reading, found.headline, found.alt, *found.caveats, found.method.name])
        assert not CAUSE.search(said)
        assert not any(word in said for word in ("rank", "worst", "improved", "worsened"))
        assert "counted again" in " ".join(found.caveats)

    def test_deaths_befall_nobody_twice(self, deaths: Result) -> None:
        assert "counted again" not in " ".join(deaths.caveats)

    def test_alone_it_says_so(self) -> None:
        found = asked([figure("P1", "2025/26", 20, 1000)])
        assert "nowhere to compare with" in " ".join(found.caveats)
        assert "comparison" not in found.headline

    def test_no_place_is_told_by_itself(self, deaths: Result) -> None:
        whole = " ".join([deaths.reading, deaths.alt, *deaths.table["group"]])
        assert not any(name in whole for name in northmere().places["name"])

    def test_a_measure_out_of_one_person(self) -> None:
        found = asked([figure("P1", "2025/26", 20, 40, measure="discharge_delays")], "discharge_delays",
                      measures=[made_up("discharge_delays", kind="count", per=1.0)])  # fmt: skip
        assert found.table["unit"].tolist() == ["per person a year"]


@settings(max_examples=4)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(100, 5000)), min_size=6, max_size=6),
    st.lists(st.tuples(st.integers(0, 60), st.integers(100, 5000)), min_size=6, max_size=6),
)
def test_places_together_are_the_sum_of_places_and_rates_lie_in_their_intervals(
    mine: list[tuple[int, int]], others: list[tuple[int, int]]
) -> None:
    figures = [
        figure(f"{arm}{at // 3}", "2025/26", count, people, age_band=OLD[at % 3])
        for arm, held in (("P", mine), ("C", others))
        for at, (count, people) in enumerate(held)
    ]
    found = spans.counted(spans.figures(place := programme(figures), place.measures["deaths"]))
    table = rate_rows.table(rate_rows.Asked(found, spans.asked(found, None), "ESP2013", None, 0.95))
    crude = table[table["what"] == "crude"].set_index("kind")
    for kind, held in ((MINE, mine), (OTHERS, others)):
        assert crude["n"][kind] == sum(count for count, _ in held)
        assert crude["estimate"][kind] == pytest.approx(1e5 * crude["n"][kind] / sum(people for _, people in held))
    told = table[table["estimate"].notna()]
    assert (told["low"] <= told["estimate"] + 1e-9).all()
    assert (told["estimate"] <= told["high"] + 1e-9).all()
    blank = table[table["estimate"].isna()]
    assert (blank["why"] != "").all()
    assert (blank["interval"] == "none given").all()
