"""team.agreement: agreement within places before one score is made of them, told by both nulls, and never ranked.

(Not called test_agreement.py: that is the statistics' file, and two test files of one name cannot be collected.)

R 4.2.2, package multilevel 2.7, on the answers of CULTURE and LATER below, g the place of each:
    rwg(culture, g, 35/12)$rwg   0.8857143 0.8857143 0.7600000 1.0000000 0.0000000
    rwg(culture, g, 1.85)$rwg    0.8198198 0.8198198 0.6216216 1.0000000 0.0000000
    ad.m(culture, g)$AD.M        0.5000000 0.4444444 0.6400000 0.0000000 2.0000000
    m <- aov(culture ~ as.factor(g)); ICC1(m); ICC2(m)       0.3784249139 0.6982044199
    limits by F = 3.3135 on 4 and 14:   ICC1 -0.04070219745 0.87964663749   ICC2 -0.17456257549 0.96524603100
    t.test(tapply(later, g, sd)/c4(k), tapply(culture, g, sd)/c4(k), paired = TRUE), k the sizes of places:
        mean difference -0.1828936, 95 percent confidence interval -1.372305 1.006517
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.team.alike import NO, NOT_KNOWN, TOGETHER_RULE, WITH_CARE, YES
from evalkit.terms import Audience, Verdict
from tests.team.answered import Row, alike, programme

CULTURE = {"P1": [3, 4, 3, 4], "P2": [1, 2, 1], "P3": [5, 4, 4, 5, 3], "P4": [2, 2, 2], "P5": [0, 5, 1, 4]}
LATER = {"P1": [3, 3, 3, 4], "P2": [2, 2, 1], "P3": [4, 4, 4, 5, 4], "P4": [2, 1, 3], "P5": [1, 3, 2, 3]}


def rows(scores: dict[str, list[int]], wave: int = 1, domain: str = "culture") -> list[Row]:
    return [
        (f"{place}r{k}", place, wave, {domain: float(score)})
        for place, own in scores.items()
        for k, score in enumerate(own)
    ]


def by_what(found: Result, measure: str = "Culture") -> dict[str, dict[str, Any]]:
    """The rows over all places on one domain, by what they are; of two waves the later."""
    table = found.table
    held = table[(table["measure"] == measure) & (table["group"] == "all")]
    return {row["what"]: row for row in held.to_dict("records")}


def of_places(found: Result, null: str = "uniform null") -> pd.DataFrame:
    return found.table[found.table["measure"] == f"Median over domains, {null}"]


@pytest.fixture(scope="module")
def northmere() -> ek.Programme:
    return ek.load(folder("sample_data") / "northmere")


def test_the_numbers_are_those_of_r():
    found = ek.team.agreement(programme(*rows(CULTURE)))
    held = by_what(found)
    assert held["r_wg, uniform null"]["estimate"] == pytest.approx(0.8857143, abs=1e-7)
    assert held["r_wg, slight skew null"]["estimate"] == pytest.approx(0.8198198, abs=1e-7)
    assert held["average deviation"]["estimate"] == pytest.approx(0.5)
    assert [held["r_wg, uniform null"][name] for name in ("counted", "reached", "n")] == [5, 4, 19]
    assert held["r_wg, slight skew null"]["reached"] == 3
    assert held["average deviation"]["reached"] == 4  # 2.0 is beyond 6/6
    icc = [held[f"ICC({k})"][name] for k in (1, 2) for name in ("estimate", "low", "high")]
    r = [0.3784249139, -0.04070219745, 0.87964663749, 0.6982044199, -0.17456257549, 0.96524603100]
    assert icc == pytest.approx(r, abs=1e-9)
    places = of_places(found)
    assert places["estimate"].tolist() == pytest.approx([0.8857143, 0.8857143, 0.76, 1.0, 0.0], abs=1e-7)
    skewed = of_places(found, "slight skew null")["estimate"].tolist()
    assert skewed == pytest.approx([0.8198198, 0.8198198, 0.6216216, 1.0, 0.0], abs=1e-7)
    assert "clearly differ from each other on none of 1 domains" in found.reading  # the interval of ICC(1) holds 0


def test_the_change_of_spread_is_the_paired_t_of_places():
    found = ek.team.agreement(programme(*rows(CULTURE), *rows(LATER, wave=2)))
    change = by_what(found)["change in spread"]
    assert [change[name] for name in ("estimate", "low", "high")] == pytest.approx(
        [-0.1828936, -1.372305, 1.006517], abs=1e-6
    )
    assert (change["counted"], change["n"], change["interval"]) == (5, 19, "95% confidence")
    assert "clearly more alike on no domain, clearly less alike on none" in found.reading
    assert found.verdict is Verdict.DESCRIBED
    assert set(found.table["wave"].dropna()) == {1, 2}


def test_a_spread_that_clearly_shrank_is_said_and_the_verdict_stays_described():
    apart = {f"P{k}": [0, 1, 2, 3, 4 + k % 2] for k in range(7)}
    close = {f"P{k}": [2, 2, 3, 3, 2 + k % 2] for k in range(7)}
    narrowed = ek.team.agreement(programme(*rows(apart), *rows(close, wave=2)))
    assert "clearly more alike on Culture, clearly less alike on none" in narrowed.reading
    widened = ek.team.agreement(programme(*rows(close), *rows(apart, wave=2)))
    assert "clearly more alike on no domain, clearly less alike on Culture" in widened.reading
    assert {narrowed.verdict, widened.verdict} == {Verdict.DESCRIBED}


@pytest.mark.parametrize(
    ("scores", "together"),
    [
        ([3, 3, 3, 4], YES),  # variance .25: 1 - .25/2.917 = .91, 1 - .25/1.85 = .86
        ([2, 3, 3, 4], WITH_CARE),  # variance .667: .77, .64
        ([1, 3, 3, 3], NO),  # variance 1: .66, .46
        ([0, 5, 0, 5], NO),  # variance 8.33: 0 and 0, and an average deviation of 2.5 over 6/6
    ],
)
def test_the_rule_for_one_score(scores, together):
    found = ek.team.agreement(programme(*rows({"P1": scores})))
    held = by_what(found)
    assert held["r_wg, uniform null"]["together"] == together
    variance = pd.Series(scores, dtype=float).var()
    assert held["r_wg, uniform null"]["estimate"] == pytest.approx(max(1 - variance / (35 / 12), 0))
    assert held["r_wg, slight skew null"]["estimate"] == pytest.approx(max(1 - variance / 1.85, 0))
    assert TOGETHER_RULE in found.caveats


def test_one_place_has_agreement_and_the_reason_why_it_has_no_icc():
    found = ek.team.agreement(programme(*rows({"P1": CULTURE["P1"]})))
    assert set(by_what(found)) == {"r_wg, uniform null", "r_wg, slight skew null", "average deviation"}
    assert by_what(found)["r_wg, uniform null"]["estimate"] == pytest.approx(0.8857143, abs=1e-7)
    assert any("No ICC on Culture: fewer than two" in said for said in found.caveats)
    assert "ICC" not in found.reading


def test_everybody_alike_everywhere_has_no_icc_and_says_so():
    found = ek.team.agreement(programme(*alike("P1", 1, 3), *alike("P2", 1, 3)))
    assert by_what(found)["r_wg, uniform null"]["estimate"] == 1
    assert any("No ICC on Culture" in said for said in found.caveats)


def test_a_place_with_two_people_is_counted_without_a_number():
    found = ek.team.agreement(programme(*rows({**CULTURE, "P6": [0, 5]})))
    assert by_what(found)["r_wg, uniform null"]["counted"] == 5
    assert by_what(found)["r_wg, uniform null"]["n"] == 19
    last = of_places(found).iloc[-1]
    assert (last["group"], last["n"], last["counted"]) == ("Place P6", 2, 0)
    assert pd.isna(last["estimate"])
    assert pd.isna(last["reached"])
    assert "1 place has fewer than 3 people on some domain: counted, without a number." in found.caveats


@pytest.mark.parametrize("n", [1, 2])
def test_fewer_than_three_people_anywhere_is_refused(n):
    with pytest.raises(ek.NotEnoughEvidence, match="No place was scored by 3 people or more at wave 1") as refused:
        ek.team.agreement(programme(*alike("P1", 1, 3, n=n), *alike("P2", 1, 4, n=n)))
    assert "at least 3 people about each place" in refused.value.would_answer


def test_a_domain_nobody_answered_enough_has_no_verdict_and_stays_in_the_table():
    two = [("P1r0", "P1", 1, {"culture": 3.0, "finance": 2.0}), ("P1r1", "P1", 1, {"culture": 3.0, "finance": 2.0})]
    found = ek.team.agreement(programme(*two, ("P1r2", "P1", 1, {"culture": 4.0})))
    finance = by_what(found, "Financial and contractual mechanisms")["r_wg, uniform null"]
    assert (finance["together"], finance["counted"], finance["n"]) == (NOT_KNOWN, 0, 2)
    assert pd.isna(finance["estimate"])
    assert "1 of 1 domains" in found.headline
    assert "not known on Leadership, Governance" in found.reading
    five = [*rows(CULTURE), ("P1r0", "P1", 1, {"finance": 2.0})]
    copy = protect(ek.team.agreement(programme(*five)), Audience.COMMISSIONER)
    assert "1 of 1 domains" in copy.headline  # the one answer on finance is withheld, and nothing else for it
    governance = by_what(found, "Governance")["r_wg, uniform null"]
    assert (governance["together"], governance["n"]) == (NOT_KNOWN, 0)


def test_somebody_with_two_sittings_at_a_wave_has_one_voice():
    sat = programme(*rows({"P1": [3, 4, 3, 4], "P2": [1, 2, 1]}))
    again = sat.responses.head(1).assign(timing="post")
    tables = {name: getattr(sat, name) for name in ("places", "waves", "respondents", "organisations")}
    tables["responses"] = pd.concat([sat.responses, again], ignore_index=True)
    twice = ek.Programme.build(settings=sat.settings, tables=tables)
    pd.testing.assert_frame_equal(ek.team.agreement(twice).table, ek.team.agreement(sat).table)


def test_people_who_scored_several_places_are_counted():
    found = ek.team.agreement(programme(*rows(CULTURE), ("P1r0", "P2", 1, {"culture": 2.0})))
    assert any(said.startswith("1 person scored more than one place") for said in found.caveats)


def test_a_wave_is_chosen_and_one_there_is_not_is_named():
    built = programme(*rows(CULTURE), *rows(LATER, wave=2))
    first, last = ek.team.agreement(built, wave=1), ek.team.agreement(built, wave=2)
    assert by_what(first)["r_wg, uniform null"]["wave"] == 1
    assert any(said.startswith("No earlier wave") for said in first.caveats)
    pd.testing.assert_frame_equal(last.table, ek.team.agreement(built).table)
    assert "wave=1" in first.about.asked
    with pytest.raises(ValueError, match=r"wave=7 is none at which somebody answered: 1 and 2\."):
        ek.team.agreement(built, wave=7)


def test_ranges_over_places_are_given_where_each_has_people_enough():
    """An end of a range is one place's own number, so it comes under the minimum like any other."""
    large = {"P1": [3, 4, 3, 4, 2], "P2": [1, 2, 1, 1, 3], "P3": [5, 4, 4, 5, 3]}
    ranged = by_what(ek.team.agreement(programme(*rows(large))))["r_wg, uniform null"]
    assert (ranged["interval"], ranged["low"] <= ranged["estimate"] <= ranged["high"]) == ("range", True)
    bare = by_what(ek.team.agreement(programme(*rows({**large, "P4": [2, 2, 2]}))))["r_wg, uniform null"]
    assert bare["interval"] == "none given"


def test_a_small_place_is_withheld_with_its_neighbour_and_the_rest_stays():
    large = {f"P{k}": [3, 4, 3, 4, 2, k % 5] for k in range(1, 5)}
    copy = protect(ek.team.agreement(programme(*rows({**large, "P5": [0, 5, 1]}))), Audience.COMMISSIONER)
    places = of_places(copy)
    assert places.loc[places["group"] == "Place P5", "interval"].tolist() == ["withheld"]
    assert (places["interval"] == "withheld").sum() == 2  # what is left would tell it from the total
    assert by_what(copy)["r_wg, uniform null"]["estimate"] > 0


def test_places_stand_in_the_order_of_the_alphabet_and_disagreement_is_no_fault(northmere):
    found = ek.team.agreement(northmere)
    for wave in (1, 4):
        groups = of_places(found).loc[lambda held, wave=wave: held["wave"] == wave, "group"].tolist()
        assert groups == sorted(groups)
        assert len(groups) == 12
    assert found.caveats[0].startswith("Disagreement is a finding, not a fault")
    assert not set(northmere.places["name"]) & set(found.reading.split())


def test_several_questions_have_r_wg_j(northmere):
    found = ek.team.agreement(northmere, on="five_factors")
    assert set(found.table["what"].dropna()) >= {"r_wg(j), uniform null", "r_wg(j), slight skew null"}
    assert "team" in found.headline
    assert any("rises with their number alone" in said for said in found.caveats)


def test_outsiders_are_asked_by_name_and_others_refused(northmere):
    assert ek.team.agreement(northmere, rater="partner").evidence.informants == ("partner agencies",)
    with pytest.raises(ek.NotEnoughEvidence, match="Citizens scored nothing"):
        ek.team.agreement(northmere, rater="citizen")


@given(
    st.lists(st.lists(st.integers(0, 5), min_size=3, max_size=7), min_size=1, max_size=5),
    st.permutations(range(5)),
)
@settings(max_examples=12)  # each asks a whole question
def test_what_holds_of_any_answers(answers, order):
    scores = {f"P{k}": own for k, own in enumerate(answers)}
    found = ek.team.agreement(programme(*rows(scores)))
    held = by_what(found)
    uniform, skew = held["r_wg, uniform null"], held["r_wg, slight skew null"]
    assert 0 <= skew["estimate"] <= uniform["estimate"] <= 1
    assert skew["reached"] <= uniform["reached"] <= uniform["counted"] == len(scores)
    assert (of_places(found)["estimate"].median()) == pytest.approx(uniform["estimate"])
    turned = {place: [5 - score for score in own] for place, own in scores.items()}
    mirrored = by_what(ek.team.agreement(programme(*rows(turned))))
    assert mirrored["r_wg, uniform null"]["estimate"] == pytest.approx(uniform["estimate"], abs=1e-9)
    shuffled = {name: scores[name] for place in order if (name := f"P{place}") in scores}
    pd.testing.assert_frame_equal(ek.team.agreement(programme(*rows(shuffled))).table, found.table)
