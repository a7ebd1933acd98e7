"""plan.feasibility: when each measure could move, whether that could be seen and is worth seeing, and its cost."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import evalkit as ek
from evalkit.resources import folder
from evalkit.words import CAUSE

LEADERSHIP = "Systems Leadership Development Framework"
MATURITY = "Integrated Care Framework Assessment Tool"
ADMISSIONS = "Emergency admissions of people aged 65 and over"


def row(found: ek.Result, measure: str) -> pd.Series:
    return found.table[found.table["measure"] == measure].iloc[0]


def programme(folder: Path, plan: str = "", **tables: str) -> ek.Programme:
    (folder / "programme.toml").write_text(
        f'schema = 1\nname = "Testmere"\nfictional = true\nstarts_on = 2024-04-01\nas_of = 2026-03-31\n{plan}\n'
    )
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    return ek.load(folder)


PLACES = "place_id,name,arm,start\n" + "".join(f"P{n},Place {n},programme,2024-04-01\n" for n in range(6))
LEADERS = "participant_id\n" + "".join(f"L{n}\n" for n in range(10))
PEOPLE = "person_id,kind\n" + "".join(f"L{n},participant\n" for n in range(10))


@pytest.fixture(scope="module")
def manchester() -> ek.Result:
    return ek.plan.feasibility(leaders=8, months=18)


@pytest.fixture(scope="module")
def northmere() -> ek.Result:
    return ek.plan.feasibility(ek.load(folder("sample_data") / "northmere"))


# --- Manchester: eight leaders, eighteen months ----------------------------------------------------------------


def test_manchester_is_told_with_figures_that_only_very_large_changes_could_be_seen(manchester):
    assert manchester.headline == (
        "Leaders: only a very large change; organisations together: cannot be tested; people's lives: too early"
    )
    assert manchester.reading.startswith(
        "Leaders: only a very large change could be seen if all 8 answer twice, 1.3 standard deviations or more, in 80 "
        "of 100 such evaluations."
    )
    leaders, lives = row(manchester, LEADERSHIP), row(manchester, ADMISSIONS)
    assert leaders["estimate"] == pytest.approx(1.290, abs=5e-4)
    assert lives["estimate"] == pytest.approx(0.778, abs=0.01)
    assert (leaders["visible"], lives["visible"]) == ("only a very large change",) * 2


def test_manchester_is_told_that_outcomes_for_people_are_too_early(manchester):
    assert row(manchester, ADMISSIONS)["answer"] == "too early"
    assert (
        "It is too early for emergency admissions of people aged 65 and over: to be read from month 60, and this "
        "evaluation reaches month 18." in manchester.reading
    )
    assert any("does not time leadership programmes" in caveat for caveat in manchester.caveats)


def test_manchester_is_told_what_is_not_known(manchester):
    assert "Organisations: a change cannot be tested. How many places there are is not known." in manchester.reading
    assert any(caveat.startswith("Assumed, for nobody gave it: 36 months") for caveat in manchester.caveats)
    assert set(manchester.table["worthwhile_seen"]) == {"not known"}
    assert row(manchester, LEADERSHIP)["asked_of"] == "leaders, sponsors and partner agencies"
    assert row(manchester, LEADERSHIP)["forms"] == 8 * 3 * 4
    assert "Asking takes 96 forms in all; how long a form takes is not known" in manchester.reading


def test_what_it_was_asked_can_be_asked_again(manchester):
    assert manchester.about.asked == "plan.feasibility(leaders=8, months=18)"
    found = ek.plan.feasibility(measures="mbti", leaders=8, minutes={"mbti": 20})
    assert found.about.asked == "plan.feasibility(measures=['mbti'], leaders=8, minutes={'mbti': 20})"


def test_nothing_says_why(manchester, northmere):
    for found in (manchester, northmere):
        cells = [str(cell) for cell in found.table.select_dtypes(exclude="number").to_numpy().ravel()]
        assert not [text for text in [found.reading, found.alt, *found.caveats, *cells] if CAUSE.search(text)]
        assert 1 <= len(found.parts[1]) <= 4


# --- northmere --------------------------------------------------------------------------------------------------


def test_northmere_is_judged_team_by_team_as_its_leaders_will_be(northmere):
    leaders = row(northmere, LEADERSHIP)
    assert (leaders["n"], leaders["n_of"]) == (24, "teams")
    assert leaders["estimate"] == pytest.approx(0.347, abs=0.002)
    assert leaders["worthwhile_seen"] == "yes"
    assert "A change worth having (0.25 points) would be seen." in northmere.reading


def test_northmere_counts_those_who_score_a_place_not_the_leaders_of_a_team(northmere):
    maturity = row(northmere, MATURITY)
    assert (maturity["n"], maturity["n_of"]) == (12, "places")
    assert any(f"Taken for the {MATURITY}: 11 people answer in each place." == caveat for caveat in northmere.caveats)


def test_northmere_is_told_that_a_worthwhile_fall_would_often_not_be_seen(northmere):
    lives = row(northmere, ADMISSIONS)
    assert (lives["worthwhile"], lives["worthwhile_seen"], lives["answer"]) == (0.95, "no", "too early")
    assert "(a fall of 5 in every 100) would often not be seen" in northmere.reading
    assert (lives["n"], lives["n_of"]) == (19, "places")  # beside others, which is how population.against reads them


def test_minutes_given_go_before_those_recorded(northmere):
    asked = row(northmere, LEADERSHIP)
    assert asked["minutes_a_form"] == 9
    assert asked["hours_in_all"] == pytest.approx(asked["forms"] * 9 / 60)
    again = ek.plan.feasibility(
        ek.load(folder("sample_data") / "northmere"), measures=["system_leadership"], minutes={"system_leadership": 20}
    )
    assert row(again, LEADERSHIP)["hours_in_all"] == pytest.approx(asked["forms"] * 20 / 60)
    assert "about 750 hours of people's time." in again.reading


# --- what is counted and what is not ----------------------------------------------------------------------------


def test_without_months_one_wave_is_costed_and_nothing_is_called_early():
    found = ek.plan.feasibility(leaders=10, measures=["system_leadership", "emergency_admissions_65_plus"])
    assert row(found, LEADERSHIP)["forms"] == 30
    assert pd.isna(row(found, LEADERSHIP)["waves"])
    assert "Asking takes 30 forms each time" in found.reading
    assert row(found, ADMISSIONS)["why_not"] == "How many months there are is not known."
    assert "too early" not in found.reading


def test_teams_stand_for_organisations_only_where_places_are_not_known():
    found = row(ek.plan.feasibility(teams=8, team_size=5, months=24), MATURITY)
    assert (found["n"], found["n_of"]) == (8, "teams")
    found = row(ek.plan.feasibility(teams=8, team_size=5, places=6, months=24), MATURITY)
    assert (found["n"], found["n_of"]) == (6, "places")
    assert found["forms"] == 6 * (6 + 1) * 5  # six inside and a partner for each place, at five half-years


@pytest.mark.parametrize(
    ("given", "measure", "reason"),
    [
        ({"leaders": 4, "months": 18}, "system_leadership", "Fewer than 5 leaders"),
        ({"leaders": 1}, "system_leadership", "Fewer than 5 leaders"),
        ({"places": 1, "months": 18}, "icfat", "Fewer than 5 places"),
        ({"teams": 1, "months": 18}, "icfat", "Fewer than 5 teams"),
        ({"leaders": 8, "months": 0}, "system_leadership", "It is asked once in these months"),
        ({"leaders": 8, "months": 24}, "reaction", "It asks about one session at a time"),
        ({"leaders": 8, "months": 24}, "mbti", "The Myers-Briggs Type Indicator is recorded, never averaged"),
        ({"places": 8, "months": 24}, "sustainability", "It adds up points that are no steps of one scale."),
        ({"places": 1, "months": 24, "monthly": 4}, "emergency_admissions_65_plus", "Fewer than 5 events a month"),
        ({"places": 1, "months": 11}, "emergency_admissions_65_plus", "Fewer than 12 months after the start"),
        ({"places": 1, "months": 24, "before": 20}, "emergency_admissions_65_plus", "Fewer than 24 months before"),
    ],
)
def test_what_cannot_be_tested_says_why_not(given, measure, reason):
    found = ek.plan.feasibility(measures=[measure], **given)
    only = found.table.iloc[0]
    assert only["visible"] == "cannot be tested"
    assert only["why_not"].startswith(reason)
    assert math.isnan(only["estimate"])
    assert f"a change cannot be tested. {only['why_not']}" in found.reading


def test_a_measure_without_a_season_needs_fewer_months_before():
    given = {"places": 1, "months": 24, "before": 20, "monthly": 200}
    found = ek.plan.feasibility(measures=["residential_admissions_65_plus"], **given)
    assert found.table["why_not"].tolist() == [""]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"measures": ["contentment"]}, "No questionnaire or measure is called 'contentment'. There are: "),
        ({"measures": []}, "names nothing"),
        ({"minutes": {"contentment": 3}}, "minutes names no questionnaire: 'contentment'"),
        ({"minutes": {"icfat": 0}}, "minutes of icfat: 0 is too small"),
        ({"minutes": {"icfat": math.nan}}, "is too small or no number"),
        ({"leaders": 2.5}, "must be a whole number"),
    ],
)
def test_what_cannot_be_asked_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        ek.plan.feasibility(**{"leaders": 8, "months": 18, **given})


@pytest.mark.parametrize("given", [{}, {"months": 24}, {"comparison": 6, "monthly": 100}])
def test_without_leaders_teams_or_places_nothing_is_said(given):
    with pytest.raises(ek.NotEnoughEvidence, match="No number of leaders, teams or places is known"):
        ek.plan.feasibility(**given)


# --- what a programme planned -------------------------------------------------------------------------------------


def test_the_plan_says_what_is_judged_when_and_of_whom(tmp_path):
    plan = (
        "[plan.primary]\nteam = 'icfat/culture'\n[plan.lag_months]\nsystem_leadership = 12\nicfat = 30\n"
        "[plan.waves]\nsystem_leadership = [0, 9, 24, 36]\n[plan.informants]\nsystem_leadership = ['self', 'sponsor']\n"
        "[plan.worthwhile]\nsystem_leadership = 0.3\n"
    )
    found = ek.plan.feasibility(programme(tmp_path, plan, places=PLACES, participants=LEADERS, people=PEOPLE))
    assert found.table["measure"].tolist() == [MATURITY, LEADERSHIP]
    leaders = row(found, LEADERSHIP)
    assert (leaders["forms"], leaders["asked_of"]) == (10 * 2 * 4, "leaders and sponsors")
    assert (leaders["answer"], leaders["readable_from_month"]) == ("only a very large change", 12)
    assert (leaders["worthwhile"], leaders["worthwhile_seen"]) == (0.3, "not known")  # nobody answered twice yet
    assert "A change worth having" not in found.reading
    assert row(found, MATURITY)["answer"] == "too early"
    assert f"It is too early for {MATURITY}: to be read from month 30" in found.reading


@pytest.mark.parametrize(
    ("waves", "answer", "why_not"),
    [
        ([0, 12, 24], "only a very large change", ""),
        ([0, 9], "too early", ""),  # the evaluation lasts long enough, the last wave lies before the lag
        ([0, 30], "too early", "It is asked once in these months, and a change needs two times."),
        ([30, 36], "cannot be tested", "It is never asked in these months, and a change needs two times."),
    ],
)
def test_only_waves_within_the_months_can_show_a_change(tmp_path, waves, answer, why_not):
    plan = f"[plan.lag_months]\nsystem_leadership = 12\n[plan.waves]\nsystem_leadership = {waves}\n"
    found = row(ek.plan.feasibility(programme(tmp_path, plan, participants=LEADERS, people=PEOPLE)), LEADERSHIP)
    assert (found["answer"], found["why_not"]) == (answer, why_not)


def test_a_folder_may_have_measures_of_its_own(tmp_path):
    (tmp_path / "measures.toml").write_text(
        'schema = 1\n[falls]\nlabel = "Falls"\nunit = "falls"\nbetter = "lower"\nkind = "count"\nseasonal = false\n'
        'beneficiary = "patients"\nvalidated = false\nsource = "Ours"\n'
        '[pride]\nlabel = "Pride"\nunit = "points"\nbetter = "higher"\nkind = "score"\n'
        'beneficiary = "staff"\nvalidated = false\nsource = "Ours"\n'
        '[walks]\nlabel = "Walks"\nunit = "walks"\nbetter = "higher"\nkind = "count"\nseasonal = false\n'
        'beneficiary = "citizens"\nvalidated = false\nsource = "Ours"\n'
    )
    months = pd.period_range("2022-04", "2026-03", freq="M")
    counts = "".join(f"falls,P{n},{month},{40 + n}\n" for n in range(6) for month in months)
    asked = programme(
        tmp_path, "[plan.worthwhile]\nfalls = 0.5\n", places=PLACES, outcomes="measure,place_id,period,count\n" + counts
    )
    found = ek.plan.feasibility(asked, measures=["falls", "walks", "pride"])
    falls, walks = row(found, "Falls"), row(found, "Walks")
    assert falls["estimate"] < 1 < walks["estimate"]  # fewer falls and more walks are better
    assert falls["worthwhile_seen"] == "yes"
    assert row(found, "Pride")["why_not"] == "It is no monthly count, and only counts are tested."
    assert any("300 events a place and month" in caveat for caveat in found.caveats)  # of walks, nobody counted any
    assert ek.plan.feasibility(asked).table["measure"].tolist() == ["Falls"]


def test_a_change_worth_having_may_be_too_small_to_be_seen_of_places_too(tmp_path):
    rng = np.random.default_rng(7)
    people = [f"R{n}" for n in range(18)]
    lines = ["respondent_id,subject_kind,subject_id,rater,instrument,edition,item,wave,timing,answered_on,answer"]
    for at, one in enumerate(people):
        for wave, timing, day in ((1, "pre", "2024-03-20"), (2, "post", "2026-03-20")):
            lines += [
                f"{one},place,P{at % 6},team_member,icfat,2012,{item},{wave},{timing},{day},{rng.integers(0, 6)}"
                for item in ("leadership", "governance", "culture", "engagement", "finance", "information", "workforce",
                             "redesign")
            ]  # fmt: skip
    asked = programme(
        tmp_path, "[plan.primary]\nteam = 'icfat/culture'\n[plan.worthwhile]\nicfat = 0.2\n", places=PLACES,
        responses="\n".join(lines) + "\n", respondents="respondent_id\n" + "\n".join(people) + "\n",
        waves="wave,label,opens_on,closes_on\n1,A,2024-03-01,2024-04-01\n2,B,2026-03-01,2026-03-31\n",
    )  # fmt: skip
    found = row(ek.plan.feasibility(asked), MATURITY)
    culture = asked.instruments["icfat"].score(asked.responses).query("domain == 'culture'")
    means = culture.pivot_table(index="subject_id", columns="wave", values="score")
    sd = (means[2] - means[1]).std(ddof=1)
    assert found["in_points"] == pytest.approx(1.6315 * sd, rel=1e-3)  # 6 places: 1.6315 SD, the paired t
    assert found["worthwhile_seen"] == "no"
