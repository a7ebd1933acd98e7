"""population.experience: shares and means are those of other programs, and few answers are told nobody."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.population.experience import STAFF_LEAST, experience
from evalkit.result import Result
from evalkit.terms import Attribution, Audience, Verdict
from evalkit.words import CAUSE
from tests.population.places_by_hand import figure, made_up, northmere, programme

JOINED, STAFF = "joined_up_care", "staff_recommend"
CLIMATE = "devon_climate"


def said(
    place: str, period: str, yes: int | None, of: float | None, measure: str = JOINED, **more: Any
) -> dict[str, Any]:
    return figure(place, period, yes, of, measure=measure, **more)


def asked(figures: Any, how: dict[str, Any] | None = None, **told: Any) -> Result:
    return experience(programme(figures, **told), **(how or {}))


def scores(*rows: tuple[str, int, float, float | None, int | None], day: bool = True) -> dict[str, pd.DataFrame]:
    """Organisation, wave, mean, sd, n; an organisation whose id begins with X lies in the comparison place."""
    held = pd.DataFrame(rows, columns=["subject_id", "wave", "mean", "sd", "n"])
    days = [f"202{3 + wave}-06-01" for wave in held["wave"]]
    bodies = sorted(set(held["subject_id"]))
    return {
        "scores": held.assign(
            subject_kind="organisation", instrument=CLIMATE, domain="climate", basis="individuals",
            measured_on=pd.to_datetime(pd.Series(days)) if day else pd.NaT,
        ).astype({"wave": "Int64", "n": "Int64", "mean": float, "sd": float}),
        "organisations": pd.DataFrame(
            {"organisation_id": bodies, "name": [f"Body {body}" for body in bodies],
             "place_id": ["C1" if body[0] == "X" else "P1" for body in bodies]}
        ),
        "waves": pd.DataFrame({"wave": sorted(set(held["wave"]))}),
    }  # fmt: skip


def scored(*rows: tuple[str, int, float, float | None, int | None], day: bool = True, **told: Any) -> Result:
    # a place needs a figure to be known, whatever it is of
    found = programme(
        [figure("P1", "2025/26", 1, 10), figure("C1", "2025/26", 1, 10)], tables=scores(*rows, day=day),
        measures=[made_up(CLIMATE, kind="score", beneficiary="staff", unit="points")], **told,
    )  # fmt: skip
    return experience(found, measure=CLIMATE)


@pytest.fixture(scope="module")
def found() -> Result:
    return experience(northmere())


def test_shares_are_those_of_prop_test() -> None:
    # R 4.2.2: prop.test(60, 100, correct = FALSE)$conf.int: .502002586791 .690598713568
    held = asked([said("P1", "2025/26", 40, 60), said("P2", "2025/26", 20, 40)]).table.iloc[0]
    assert (held["estimate"], held["n"], held["count"], held["n_of"]) == (60, 100, 60, "respondents")
    assert (held["low"], held["high"]) == pytest.approx((50.2002586791, 69.0598713568), rel=1e-9)
    assert (held["method"], held["unit"]) == ("Wilson", "in every 100 who answered")


def test_quarters_make_a_year_and_a_place_may_miss_one() -> None:
    quarters = [said("P1", f"{year} Q{q}", 10, 20) for year in ("2023/24", "2024/25") for q in (1, 2, 3, 4)]
    found = asked([*quarters, said("P2", "2024/25 Q1", 30, 40)])
    assert found.table[["period", "when", "n"]].to_numpy().tolist() == [
        ["2023/24", "before", 80], ["2024/25", "after", 120],
    ]  # fmt: skip
    assert "1 of 2 places lack answers for some of the time told" in " ".join(found.caveats)
    assert "counts each time" in " ".join(found.caveats)
    assert "58.3 (49.4 to 66.8; 120 answered) in 2 programme places; before the start, in 2023/24," in found.reading


def test_every_proportion_about_people_is_told_and_nothing_else(found: Result) -> None:
    assert found.table["measure"].nunique() == 2
    assert found.table["beneficiary"].unique().tolist() == ["patients", "staff"]
    assert set(found.table["what"]) == {"share"}
    assert found.evidence.informants == ("patients", "staff")
    # planted: 58 and 63 in every 100 say so, and places lie apart (their log odds by .25)
    for share, name in ((58, "care"), (63, "work")):
        told = found.table.loc[found.table["measure"].str.contains(name), "estimate"]
        assert told.sub(share).abs().max() < 6


def test_it_is_described_and_sends_on_to_against(found: Result) -> None:
    assert (found.verdict, found.attribution) == (Verdict.DESCRIBED, Attribution.CANNOT_TELL)
    everything = " ".join([found.reading, found.headline, found.alt, *found.caveats])
    assert "population.against" in everything
    assert not CAUSE.search(everything)
    assert not any(name in everything for name in ("Aldersyke", "Netherquill"))


def test_staff_are_told_of_from_eleven_answers_on_and_that_is_not_verified(found: Result) -> None:
    assert found.about.minimum_group == STAFF_LEAST == 11
    assert "known from memory and was not checked" in " ".join(found.caveats)
    patients = asked([said("P1", "2025/26", 5, 10)])
    assert patients.about.minimum_group == 5
    assert protect(patients, Audience.PUBLIC).table["estimate"].tolist() == [50]
    staff = asked([said("P1", "2025/26", 6, 10, STAFF)], {"measure": STAFF})
    copy = protect(staff, Audience.PUBLIC)
    assert copy.table["estimate"].isna().all()
    assert "fewer than 11 people" in copy.reading
    assert staff.table["estimate"].tolist() == [60], "the evaluator's own copy is whole"


def test_few_answers_are_withheld_from_all_but_the_evaluator() -> None:
    copy = protect(asked([said("P1", "2025/26", 2, 4), said("C1", "2025/26", 20, 40)]), Audience.COMMISSIONER)
    assert copy.table["estimate"].isna().all()
    assert copy.headline == "Withheld: too few people to show"


def test_a_measure_that_cannot_be_read_is_left_out_with_the_reason() -> None:
    found = asked([said("P1", "2025/26", 20, 40), said("P1", "2025/26", 20, None, STAFF)])
    assert found.table["beneficiary"].tolist() == ["patients"]
    assert any("Left out: Staff who would recommend" in caution for caution in found.caveats)
    with pytest.raises(ek.NotEnoughEvidence, match="Nobody says out of how many"):
        asked([said("P1", "2025/26", 20, None, STAFF)])


def test_what_is_not_said_is_refused() -> None:
    with pytest.raises(ek.NotEnoughEvidence, match="Nobody was asked"):
        asked([figure("P1", "2025/26", 20, 100)])
    with pytest.raises(ek.NotEnoughEvidence, match=r"Deaths are counted, not said\..*population\.rates"):
        asked([figure("P1", "2025/26", 20, 100)], {"measure": "deaths"})
    with pytest.raises(ValueError, match="No measure is called 'mood'"):
        asked([figure("P1", "2025/26", 20, 100)], {"measure": "mood"})
    with pytest.raises(ek.NotEnoughEvidence, match="No place in the counts takes part"):
        asked([said("C1", "2025/26", 20, 40)])


def test_many_measures_are_drawn_a_row_for_both_times() -> None:
    names = (JOINED, STAFF, "discharge_delays", "deaths")
    measures = [made_up(name) for name in names]
    found = asked([said(place, year, 20, 40, name) for place in ("P1", "C1") for year in ("2023/24", "2024/25")
                   for name in names], measures=measures)  # fmt: skip
    assert found.chart.name == "profile"
    assert found.marks.query("mark == 'point'")["series"].unique().tolist() == ["2023/24", "2024/25"]
    assert "The table has 1 measure more." in found.reading


class TestScores:
    def test_means_of_organisations_are_those_of_t_test_and_together_those_of_all_answers(self) -> None:
        # R 4.2.2: a <- c(1,2,3,4,5,5,4); b <- c(2,2,3,5,4); mean, sd: 3.42857142857 1.51185789204, 3.2 1.30384048104;
        # t.test(a)$conf.int: 2.03033608506 4.82680677208; t.test(c(a, b)): 3.33333333333, 2.46243919765 4.20422746902
        table = scored(("A", 1, 3.42857142857, 1.51185789204, 7), ("B", 1, 3.2, 1.30384048104, 5)).table
        together, one = table.iloc[0], table.iloc[1]
        assert (together["what"], one["what"], one["group"]) == ("mean", "organisation", "Body A, June 2024")
        assert (one["low"], one["high"]) == pytest.approx((2.03033608506, 4.82680677208), rel=1e-9)
        assert tuple(together[["estimate", "low", "high"]]) == pytest.approx(
            (3.33333333333, 2.46243919765, 4.20422746902), rel=1e-9
        )
        assert (together["n"], together["method"]) == (12, "Student's t")

    def test_a_small_organisation_is_withheld_and_the_next_smallest_with_it(self) -> None:
        found = scored(("A", 1, 3.0, 1.0, 8), ("B", 1, 3.2, 1.0, 20), ("D", 1, 3.4, 1.0, 30))
        told = protect(found, Audience.COMMISSIONER).table.set_index("group")["estimate"]
        assert told.isna().to_dict() == {
            "programme places, June 2024": False, "Body A, June 2024": True, "Body B, June 2024": True,
            "Body D, June 2024": False,
        }  # fmt: skip

    def test_first_and_last_wave_and_organisations_of_comparison_places_apart(self) -> None:
        found = scored(("A", 1, 3.0, 1.0, 20), ("A", 2, 3.4, 1.0, 30), ("X", 2, 3.3, 1.0, 40), day=False)
        means = found.table[found.table["what"] == "mean"]
        assert means["group"].tolist() == ["programme places, wave 1", "programme places, wave 2",
                                           "comparison places, wave 2"]  # fmt: skip
        assert "3.40 (3.03 to 3.77; 30 answered) in 1 programme place" in found.reading

    @pytest.mark.parametrize(
        ("sd", "n", "why"), [(None, 20, "was not given"), (0.0, 20, "spread"), (1.0, 1, "2 or more")]
    )
    def test_without_spread_or_answers_there_is_no_interval(self, sd: float | None, n: int, why: str) -> None:
        table = scored(("A", 1, 3.0, sd, n), ("B", 1, 3.5, 1.0, 20)).table
        one = table.set_index("group").loc["Body A, June 2024"]
        assert one["estimate"] == 3.0
        assert one["interval"] == "none given"
        assert why in one["why"]

    def test_scores_of_places_are_weighed_by_answers_where_they_are_known(self) -> None:
        measure = made_up(JOINED, kind="score", unit="points")
        weighed = asked([said("P1", "2025/26", None, 10, value=2.0), said("P2", "2025/26", None, 30, value=4.0)],
                        {"measure": JOINED}, measures=[measure])  # fmt: skip
        held = weighed.table.iloc[0]
        assert (held["estimate"], held["n"], held["interval"]) == (3.5, 40, "none given")
        assert "3.50 (no interval; 40 answered)" in weighed.reading
        plain = asked([said("P1", "2025/26", None, None, value=2.0), said("P2", "2025/26", None, None, value=4.0)],
                      {"measure": JOINED}, measures=[measure]).table.iloc[0]  # fmt: skip
        assert plain["estimate"] == 3.0
        assert pd.isna(plain["n"])


@settings(max_examples=4)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), min_size=2, max_size=4))
def test_whatever_is_said_is_counted_once_and_lies_in_its_interval(answers: list[tuple[int, int]]) -> None:
    figures = [said(f"P{at}", "2025/26", min(yes, of), of) for at, (yes, of) in enumerate(answers)]
    held = asked(figures).table.iloc[0]
    assert held["n"] == sum(of for _, of in answers)
    assert held["count"] == sum(min(yes, of) for yes, of in answers)
    assert held["low"] <= held["estimate"] <= held["high"]
    assert held["low"] >= 0
    assert held["high"] <= 100
