"""team.cohesion: whether a team's people may be put together, the means of teams, and their change with the least p.

R 4.2.2, package multilevel 2.7, on the answers of BEFORE and AFTER below (x, y: the third question turned round),
tm the team of each person, b and a the team means of rowMeans(x) and rowMeans(y):
    t.test(a, b, paired = TRUE)      mean difference 0.3055556, 95: -0.1815365 0.7926476, 97: -0.2634504 0.8745615
    t.test(b)$conf.int               2.231640 4.360953;  mean(a) 3.601852
    every sign of the six changes: share as far from 0 as the mean   0.15625
    median(rwg.j(y, tm, 2)$rwg.j) 0.9489222118;  with 1.34: 0.9196711657;  median(ad.m(y, tm)$AD.M) 0.3333333333
    m <- aov(rowMeans(y) ~ as.factor(tm)); ICC1(m) 0.9157284433; ICC2(m) 0.9731336868
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.team.alike import LEAST_RATERS, TOGETHER_RULE
from evalkit.terms import Audience, Design, Verdict
from tests.team.answered import plan

ITEMS = ("cohesion_pressure", "cohesion_missed", "cohesion_apart")
SAFETY = ("safety_senior", "safety_news", "safety_money")
BEFORE = {
    "T1": ["454", "444", "544"],
    "T2": ["232", "333", "223", "322"],
    "T3": ["153", "421", "245"],
    "T4": ["334", "443", "444"],
    "T5": ["554", "455", "545", "444"],
    "T6": ["221", "122", "322"],
}
AFTER = {
    "T1": ["555", "545", "554"],
    "T2": ["333", "343", "324", "333"],
    "T3": ["333", "243", "332"],
    "T4": ["444", "543", "445"],
    "T5": ["454", "444", "544", "443"],
    "T6": ["333", "232", "332"],
}
Answers = dict[str, list[str]]


def answers(teams: Answers, wave: int, items: tuple[str, ...] = ITEMS, rater: str = "team_member") -> pd.DataFrame:
    """A row an answer; the third question is asked the other way round."""
    return pd.DataFrame(
        [
            {"respondent_id": f"{team}r{k}", "subject_kind": "team", "subject_id": team, "rater": rater,
             "instrument": "working_together", "item": item, "wave": wave, "timing": "pre",
             "answered_on": pd.Timestamp(f"202{3 + wave}-05-01"),
             "answer": float(said) if item != items[2] else 6 - float(said)}
            for team, own in teams.items()
            for k, sheet in enumerate(own)
            for item, said in zip(items, sheet, strict=True)
        ]
    ).astype({"wave": "Int64"})  # fmt: skip


def programme(*given: pd.DataFrame, comparison: tuple[str, ...] = (), **told: Any) -> Programme:
    responses = pd.concat(given, ignore_index=True)
    who, teams = sorted(set(responses["respondent_id"])), sorted(set(responses["subject_id"]))
    tables = {
        "responses": responses,
        "respondents": pd.DataFrame({"respondent_id": who}),
        "places": pd.DataFrame({"place_id": ["P1", "P2"], "name": ["Ash", "Elm"], "arm": ["programme", "comparison"]}),
        "teams": pd.DataFrame(
            {"team_id": teams, "name": [f"Team {team}" for team in teams],
             "place_id": ["P2" if team in comparison else "P1" for team in teams]}
        ),
        "waves": pd.DataFrame({"wave": [1, 2], "closes_on": pd.to_datetime(["2024-05-31", "2025-05-31"])}),
    }  # fmt: skip
    said = {"name": "Testmere", "starts_on": date(2024, 4, 1), "as_of": date(2026, 3, 31), "fictional": True, **told}
    return Programme.build(settings=Settings(**said), tables=tables)


def held(found: Result, measure: str = "Team cohesion") -> pd.DataFrame:
    return found.table[found.table["measure"] == measure].set_index("what")


@pytest.fixture(scope="module")
def both() -> Programme:
    return programme(answers(BEFORE, 1), answers(AFTER, 2))


def test_the_numbers_are_those_of_r(both):
    found = ek.team.cohesion(both)
    rows = held(found)
    change = rows.loc["change"]
    assert [change[name] for name in ("estimate", "low", "high")] == pytest.approx(
        [0.3055556, -0.1815365, 0.7926476], abs=1e-7
    )
    assert (change["sign_flip_p"], change["smallest_p"], change["counted"], change["n"]) == (0.15625, 2 / 64, 6, 20)
    means = rows.loc["mean"]
    assert (means["low"].iloc[0], means["high"].iloc[0]) == pytest.approx((2.231640, 4.360953), abs=1e-6)
    assert means["estimate"].iloc[1] == pytest.approx(3.601852, abs=1e-6)
    agreed = [rows.loc[what, "estimate"] for what in ("r_wg(j), uniform null", "r_wg(j), slight skew null")]
    assert agreed == pytest.approx([0.9489222118, 0.9196711657], abs=1e-9)
    assert rows.loc["average deviation", "estimate"] == pytest.approx(1 / 3)
    icc = [rows.loc[what, "estimate"] for what in ("ICC(1)", "ICC(2)")]
    assert icc == pytest.approx([0.9157284433, 0.9731336868], abs=1e-9)
    assert "One score a team may be made of them" in found.reading
    assert "was 3.30 and is now 3.60: in the 6 with both waves 0.31 higher" in found.reading
    assert "in 16 of 100 (with 6 teams never in fewer than 3.1 of 100)" in found.reading


def test_undeclared_it_is_described_with_the_interval_asked_for(both):
    found = ek.team.cohesion(both, confidence=0.9)
    assert (found.verdict, found.method.design) == (Verdict.DESCRIBED, Design.BEFORE_AFTER)
    assert found.decided.why == "Team cohesion was not declared beforehand as what counts."
    assert held(found).loc["change", "interval"] == "90% confidence"
    assert "90% interval" in found.reading


def test_declared_beforehand_it_decides_at_its_own_confidence():
    told = programme(answers(BEFORE, 1), answers(AFTER, 2), plan=plan("working_together/cohesion"))
    found = ek.team.cohesion(told)
    assert found.verdict is Verdict.NO_CLEAR_CHANGE
    assert (found.decided.low, found.decided.high) == pytest.approx((-0.2634504, 0.8745615), abs=1e-7)
    assert "97% interval" in found.reading
    assert "(−0.26 to 0.87), self-assessed" in found.headline


def test_another_domain_than_the_declared_is_described():
    told = programme(
        *(answers(teams, wave, items) for teams, wave in ((BEFORE, 1), (AFTER, 2)) for items in (ITEMS, SAFETY)),
        plan=plan("working_together/cohesion"),
    )
    found = ek.team.cohesion(told, domain="safety")
    assert found.verdict is Verdict.DESCRIBED
    assert found.table["measure"].iloc[0] == "Safety to speak"
    assert "Beside it, over teams: Team cohesion was 3.30 and is now 3.60." in found.reading
    assert ek.team.cohesion(told).verdict is Verdict.NO_CLEAR_CHANGE


def test_a_clear_rise_rose_and_did_not_improve():
    low = {f"T{k}": ["222", "223", "232"] for k in range(7)}
    higher = {team: ["444", "454", f"4{3 + int(team[1]) % 2}4"] for team in low}
    found = ek.team.cohesion(programme(answers(low, 1), answers(higher, 2), plan=plan("working_together/cohesion")))
    assert found.verdict is Verdict.ROSE
    assert held(found).loc["change", "sign_flip_p"] == held(found).loc["change", "smallest_p"] == 2 / 128


def test_four_teams_are_described_without_a_test():
    few = {team: BEFORE[team] for team in ("T1", "T2", "T3", "T4")}
    later = {team: AFTER[team] for team in few}
    found = ek.team.cohesion(programme(answers(few, 1), answers(later, 2), plan=plan("working_together/cohesion")))
    assert found.verdict is Verdict.DESCRIBED
    assert found.decided.why == "Fewer than 5 teams were scored at both ends."
    assert "change" not in held(found).index
    assert found.method.design is Design.DESCRIBED
    assert held(found).loc["mean", "interval"].tolist() == ["none given", "none given"]
    assert "change is not tested (fewer than 5 teams have both waves, or all moved alike)" in found.reading


def test_one_wave_shows_agreement_and_means(both):
    found = ek.team.cohesion(programme(answers(BEFORE, 1)))
    assert found.verdict is Verdict.DESCRIBED
    assert "change is not tested (one wave)" in found.reading
    assert "Team cohesion: mean 3.30 on a scale of 1 to 5" in found.headline
    with pytest.raises(ValueError, match="must name an earlier and a later wave"):
        ek.team.cohesion(programme(answers(BEFORE, 1)), between=(1, 2))


def test_small_teams_count_in_the_means_and_are_told_of():
    small = {**BEFORE, "T7": ["555"]}, {**AFTER, "T7": ["111"]}
    found = ek.team.cohesion(programme(answers(small[0], 1), answers(small[1], 2)))
    rows = held(found)
    assert rows.loc["mean", "counted"].tolist() == [7, 7]
    assert rows.loc["r_wg(j), uniform null", "counted"] == 6
    changes = [0.5555556, 0.5833333, -0.1111111, 0.4444444, -0.4166667, 0.7777778, -4.0]
    assert rows.loc["change", "estimate"] == pytest.approx(sum(changes) / 7, abs=1e-6)
    assert any(
        said.startswith(f"1 of 7 teams had fewer than {LEAST_RATERS} people at a wave") for said in found.caveats
    )


def test_teams_of_single_people_have_means_and_no_agreement():
    alone = {team: own[:1] for team, own in BEFORE.items()}, {team: own[:1] for team, own in AFTER.items()}
    found = ek.team.cohesion(programme(answers(alone[0], 1), answers(alone[1], 2)))
    rows = held(found)
    assert pd.isna(rows.loc["r_wg(j), uniform null", "estimate"])
    assert rows.loc["r_wg(j), uniform null", "together"] == "not known"
    assert "is not known" in found.reading
    assert rows.loc["change", "counted"] == 6


def test_people_who_left_a_question_blank_count_in_means_and_not_in_agreement():
    gap = answers(AFTER, 2)
    gap = gap[~((gap["respondent_id"] == "T1r0") & (gap["item"] == "cohesion_apart"))]
    rows = held(ek.team.cohesion(programme(answers(BEFORE, 1), gap)))
    assert rows.loc["mean", "n"].tolist() == [20, 20]
    assert rows.loc["r_wg(j), uniform null", "counted"] == 5  # two complete people are too few


def test_all_teams_moving_alike_has_no_test():
    start = {f"T{k}": [f"{1 + k % 2}22", "222", "232"] for k in range(6)}
    same = {team: ["".join(str(int(each) + 1) for each in sheet) for sheet in own] for team, own in start.items()}
    found = ek.team.cohesion(programme(answers(start, 1), answers(same, 2)))
    assert not (found.table["low"].isna() & (found.table["interval"] != "none given")).any()
    assert "change" not in held(found).index
    assert "all moved alike" in found.reading


def test_everybody_of_one_mind_has_means_without_interval_and_no_icc():
    same = {f"T{k}": ["333", "333", "333"] for k in range(6)}
    found = ek.team.cohesion(programme(answers(same, 1), answers(same, 2)))
    rows = held(found)
    assert rows.loc["mean", ["estimate", "interval"]].to_numpy().tolist() == [[3.0, "none given"]] * 2
    assert rows.loc["r_wg(j), uniform null", "estimate"] == 1
    assert not {"ICC(1)", "change"} & set(rows.index)
    assert any(said.startswith("No ICC on Team cohesion") for said in found.caveats)


def test_comparison_teams_are_left_out():
    found = ek.team.cohesion(programme(answers(BEFORE, 1), answers(AFTER, 2), comparison=("T6",)))
    assert held(found).loc["mean", "counted"].tolist() == [5, 5]


def test_a_domain_there_is_not_is_named_and_one_not_answered_is_refused(both):
    with pytest.raises(ValueError, match=r"domain='trust' is none of Working together: cohesion, safety and place_fir"):
        ek.team.cohesion(both, domain="trust")
    with pytest.raises(ek.NotEnoughEvidence, match="Nobody answered enough on Safety to speak"):
        ek.team.cohesion(both, domain="safety")


def test_places_are_no_teams():
    with pytest.raises(ek.NotEnoughEvidence, match="No team was scored"):
        ek.team.cohesion(ek.load(folder("sample_data") / "northmere"), on="icfat", domain="leadership")


def test_nothing_here_ranks_or_names_a_team(both):
    found = ek.team.cohesion(both)
    assert set(found.table["group"]) == {"all"}
    assert TOGETHER_RULE in found.caveats
    assert not any("Team T" in text for text in (found.reading, found.alt, *found.caveats))
    copy = protect(found, Audience.PUBLIC)
    assert copy.headline == found.headline


def test_too_few_people_are_withheld():
    copy = protect(ek.team.cohesion(programme(answers({"T1": BEFORE["T1"]}, 1))), Audience.COMMISSIONER)
    assert (copy.table.loc[copy.table["n"].isna(), "interval"] == "withheld").all()
    assert copy.headline == "Withheld: too few people to show"


SHEETS = st.lists(st.lists(st.integers(1, 5), min_size=3, max_size=3), min_size=1, max_size=4)


@given(st.lists(st.tuples(SHEETS, SHEETS), min_size=5, max_size=8))
@settings(max_examples=12)  # each asks a whole question
def test_what_holds_of_any_answers(teams):
    before, after = (
        {f"T{k}": ["".join(map(str, sheet)) for sheet in pair[end]] for k, pair in enumerate(teams)} for end in (0, 1)
    )
    rows = held(ek.team.cohesion(programme(answers(before, 1), answers(after, 2))))
    first, last = (
        pd.Series([sum(sum(sheet) / 3 for sheet in pair[end]) / len(pair[end]) for pair in teams]) for end in (0, 1)
    )
    assert rows.loc["mean", "estimate"].tolist() == pytest.approx([first.mean(), last.mean()])
    if "change" not in rows.index:
        assert (last - first).round(9).nunique() == 1
        return
    change = rows.loc["change"]
    paired = stats.ttest_rel(last, first).confidence_interval(0.95)
    assert (change["low"], change["high"]) == pytest.approx((paired.low, paired.high))
    assert change["smallest_p"] == pytest.approx(2 / 2 ** len(teams))
    assert change["smallest_p"] <= change["sign_flip_p"] <= 1
