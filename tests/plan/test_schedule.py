"""plan.schedule: what was planned and done, done and not planned, planned and not done, by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalkit as ek
from evalkit.plan.moments import DONE, GIVEN, MISSED, TO_COME, UNPLANNED, WITHIN, moments
from evalkit.resources import folder

HEADS = "respondent_id,subject_kind,subject_id,rater,instrument,edition,item,wave,timing,answered_on,answer"
WAVES = (
    "wave,label,opens_on,closes_on\n1,A,2024-03-15,2024-04-01\n2,B,2024-09-15,2024-10-01\n3,C,2025-03-15,2025-04-01\n"
)
SCORES = "subject_kind,subject_id,instrument,domain,wave,measured_on,basis,mean\n"


def answer(who: str, day: str, wave: str = "", rater: str = "self", timing: str = "post", value: str = "3") -> str:
    about = {"self": "person", "sponsor": "leader"}.get(rater, "place")
    name, subject, edition, item = {
        "person": ("role_ambiguity", "L1", "2026", "pull"),
        "leader": ("knowledge_and_skills", "L1", "2014", "service_design"),
        "place": ("devon_climate", "P1", "2026", "belief"),
    }[about]
    about = "person" if about == "leader" else about
    return f"{who},{about},{subject},{rater},{name},{edition},{item},{wave},{timing},{day},{value}"


def programme(tmp: Path, *answers: str, plan: str = "", starts: str = "2024-04-01", scores: str = "") -> ek.Programme:
    """One leader, one place, three waves, and what was answered."""
    start = f"starts_on = {starts}\n" if starts else ""
    (tmp / "programme.toml").write_text(
        f'schema = 1\nname = "Testmere"\nfictional = true\n{start}as_of = 2026-03-31\n{plan}\n'
    )
    (tmp / "people.csv").write_text("person_id,kind\nL1,participant\n")
    (tmp / "participants.csv").write_text("participant_id\nL1\n")
    (tmp / "places.csv").write_text("place_id,name,arm\nP1,Ash,programme\nP2,Beech,programme\n")
    (tmp / "waves.csv").write_text(WAVES)
    respondents = sorted({line.split(",")[0] for line in answers} - {"L1"})
    if respondents:
        (tmp / "respondents.csv").write_text("respondent_id\n" + "".join(f"{one}\n" for one in respondents))
    if answers:
        (tmp / "responses.csv").write_text("\n".join([HEADS, *answers]) + "\n")
    if scores:
        (tmp / "scores.csv").write_text(SCORES + scores)
    return ek.load(tmp)


def told(found: ek.Result) -> list[tuple[int, str]]:
    """Months and states of the questionnaires, without the perspectives."""
    asked = found.table[found.table["month"].notna()]
    return list(zip(asked["month"].tolist(), asked["state"].tolist(), strict=True))


def of(wanted: tuple[int, ...], done: list[int], last: int = 99) -> list[tuple[int, int | None, str]]:
    """Planned months and rounds done, set beside each other."""
    planned = {"q": (wanted, ("self",))}
    rounds = [(month, 7) for month in done]
    return [(one.month, one.asked_in, one.state) for one in moments({("q", "self"): rounds}, planned, last)]


# --- planned and done --------------------------------------------------------------------------------------------


def test_each_wave_done_goes_to_its_planned_month():
    assert of((0, 6, 12), [0, 7, 12]) == [(0, 0, DONE), (6, 7, DONE), (12, 12, DONE)]


def test_a_wave_that_drifts_three_months_is_that_wave_and_one_that_drifts_four_is_not():
    assert WITHIN == 3
    assert of((0, 12), [0, 15]) == [(0, 0, DONE), (12, 15, DONE)]
    assert of((0, 12), [0, 16]) == [(0, 0, DONE), (12, None, MISSED), (16, 16, UNPLANNED)]


def test_of_two_waves_near_one_planned_month_the_nearer_is_it_whichever_came_first():
    assert of((6,), [4, 6]) == [(4, 4, UNPLANNED), (6, 6, DONE)]
    assert of((6,), [6, 4]) == of((6,), [4, 6])
    assert of((0, 6), [3, 4]) == [(0, 3, DONE), (6, 4, DONE)]


def test_what_is_not_over_yet_is_to_come_and_not_missed():
    assert [state for *_, state in of((0, 6, 9, 12), [0], last=10)] == [DONE, MISSED, TO_COME, TO_COME]


@given(
    st.lists(st.integers(0, 40), unique=True).map(lambda months: tuple(sorted(months))),
    st.lists(st.integers(-6, 46), max_size=8),
    st.integers(0, 48),
)
def test_nothing_planned_and_nothing_done_is_lost_or_told_twice(wanted, done, last):
    found = of(wanted, done, last)
    assert sorted(month for month, _, state in found if state != UNPLANNED) == sorted(wanted)
    assert sorted(asked for _, asked, _ in found if asked is not None) == sorted(done)
    assert all(abs(month - asked) <= WITHIN for month, asked, state in found if state == DONE)
    assert all(month + WITHIN < last for month, _, state in found if state == MISSED)


# --- from the tables -----------------------------------------------------------------------------------------------

PLAN = "[plan.waves]\nrole_ambiguity = [0, 6, 12, 36]\n"


def test_answers_are_set_beside_the_plan(tmp_path):
    found = ek.plan.schedule(
        programme(tmp_path, answer("L1", "2024-03-20", "1", timing="pre"), answer("L1", "2025-05-01", "3"), plan=PLAN)
    )
    assert told(found) == [(0, DONE), (6, MISSED), (12, DONE), (36, TO_COME)]
    assert found.headline == "2 waves done as planned, 1 planned and not done and 1 to come"
    assert "Planned and not done: Two sets of demands, leaders (month 6)." in found.reading
    assert found.table["planned_for"].iloc[1] == pd.Timestamp("2024-10-01")
    assert found.marks.query("mark == 'event'")["y"].tolist() == [24]


def test_answers_without_a_day_take_the_day_their_wave_closed(tmp_path):
    found = ek.plan.schedule(programme(tmp_path, answer("L1", "", "2"), plan=PLAN))
    assert told(found)[1] == (6, DONE)


def test_answers_without_a_wave_are_rounds_by_their_days(tmp_path):
    answers = [
        answer(f"R{n}", day, rater="sponsor") for n, day in enumerate(("2024-04-02", "2024-05-20", "2025-04-03"))
    ]
    found = ek.plan.schedule(programme(tmp_path, *answers))
    assert told(found) == [(1, UNPLANNED), (12, UNPLANNED)]
    assert found.table["n"].tolist()[:2] == [2, 1]
    assert any("No waves were planned" in caveat for caveat in found.caveats)


def test_answers_that_cannot_be_dated_are_left_out_and_said(tmp_path):
    asked = programme(tmp_path, answer("L1", "2024-04-02", "1"), answer("R1", "", rater="sponsor"), plan=PLAN)
    found = ek.plan.schedule(asked)
    assert any("1 respondent answered on a day that is not recorded" in caveat for caveat in found.caveats)


def test_blank_answers_are_no_answers(tmp_path):
    found = ek.plan.schedule(programme(tmp_path, answer("L1", "2024-04-02", "1", value=""), plan=PLAN))
    assert told(found)[0] == (0, MISSED)


def test_a_plan_and_no_answers_at_all_may_be_answers_not_in_these_files(tmp_path):
    found = ek.plan.schedule(programme(tmp_path, plan=PLAN))
    assert [state for _, state in told(found)] == [MISSED, MISSED, MISSED, TO_COME]
    assert any("may have been given and not be in these files" in caveat for caveat in found.caveats)
    assert "Who agreed to the plan, and when, is not recorded." in found.reading


def test_informants_planned_who_did_not_answer_and_others_who_did(tmp_path):
    plan = PLAN.replace("36", "13") + "[plan.informants]\nrole_ambiguity = ['self']\n"
    found = ek.plan.schedule(programme(tmp_path, answer("L1", "2024-04-02", "1"), plan=plan))
    assert set(found.table.loc[found.table["month"].notna(), "group"]) == {"leaders"}
    climate = ek.plan.schedule(
        programme(tmp_path, answer("R1", "2024-04-02", "1", rater="team_member"), plan=plan)
    ).table
    assert climate.loc[climate["month"].notna(), ["group", "state"]].to_numpy().tolist() == [
        ["leaders", MISSED], ["leaders", MISSED], ["leaders", MISSED], ["leaders", MISSED],
        ["team members", UNPLANNED],
    ]  # fmt: skip


@pytest.mark.parametrize("waves", [("", "", "3"), ("2", "2", "3"), ("2", "", "3")])
def test_scores_agreed_together_over_some_weeks_are_one_round(tmp_path, waves):
    days = (("P1", "2024-09-20"), ("P2", "2024-10-30"), ("P1", "2025-10-01"))
    scores = "".join(
        f"place,{place},devon_climate,climate,{wave},{day},consensus,3\n"
        for wave, (place, day) in zip(waves, days, strict=True)
    )
    found = ek.plan.schedule(programme(tmp_path, scores=scores, plan="[plan.waves]\ndevon_climate = [6]\n"))
    one_each = [(7, UNPLANNED)] if waves == ("2", "", "3") else []  # a wave of its own, and one that names none
    assert told(found) == [(6, DONE), *one_each, (18, UNPLANNED)]
    assert set(found.table.loc[found.table["month"].notna(), "group"]) == {GIVEN}
    assert found.table["n"].isna().iloc[0]  # nobody's answers stand behind them


def test_scores_without_a_day_take_the_day_their_wave_closed(tmp_path):
    found = ek.plan.schedule(programme(tmp_path, scores="place,P1,devon_climate,climate,3,,consensus,3\n"))
    assert told(found) == [(12, UNPLANNED)]


def test_without_a_start_answers_cannot_be_placed_and_a_plan_alone_is_to_come(tmp_path):
    with pytest.raises(ek.NotEnoughEvidence, match="When the programme began is not recorded"):
        ek.plan.schedule(programme(tmp_path, answer("L1", "2024-04-02", "1"), plan=PLAN, starts=""))
    (tmp_path / "responses.csv").unlink()
    found = ek.plan.schedule(programme(tmp_path, plan=PLAN, starts=""))
    assert {state for _, state in told(found)} == {TO_COME}
    assert found.table["planned_for"].isna().all()
    assert any("nothing can be said to be late" in caveat for caveat in found.caveats)


def test_months_cut_the_plan_and_do_not_move_the_end_of_the_data(tmp_path):
    asked = programme(tmp_path, answer("L1", "2024-04-02", "1"), plan=PLAN)
    assert told(ek.plan.schedule(asked, months=60)) == told(ek.plan.schedule(asked))
    assert told(ek.plan.schedule(asked, months=6)) == [(0, DONE), (6, MISSED)]


def test_nothing_planned_and_nothing_answered_is_refused(tmp_path):
    with pytest.raises(ek.NotEnoughEvidence, match="No questionnaire is planned and none was answered"):
        ek.plan.schedule(programme(tmp_path))


# --- by whose eyes, and when -----------------------------------------------------------------------------------


def test_views_are_counted_at_the_beginning_during_and_afterwards(tmp_path):
    found = ek.plan.schedule(
        programme(
            tmp_path,
            answer("L1", "2024-04-02", "1", timing="pre"),
            answer("L1", "2025-04-02", "3", timing="followup"),
            answer("R1", "2024-10-02", "2", rater="sponsor"),
            answer("R2", "2024-10-02", "2", rater="sponsor"),
        )
    )
    views = found.table[found.table["month"].isna()].set_index(["measure", "group"])
    assert views.loc[("Those who take part", "Afterwards"), "n"] == 1
    assert views.loc[("Those who take part", "During"), "state"] == "no answers recorded"
    assert views.loc[("Sponsors of those who take part", "During"), "n"] == 2
    assert "No answers are recorded from those who commission it, those who deliver it and partner organisations." in (
        found.reading
    )


def test_only_what_is_asked_about_is_shown(tmp_path):
    asked = programme(
        tmp_path, answer("L1", "2024-04-02", "1"), answer("R1", "2024-04-02", "1", rater="team_member"), plan=PLAN
    )
    found = ek.plan.schedule(asked, on="devon_climate")
    assert told(found) == [(0, UNPLANNED)]
    assert found.about.asked == "plan.schedule(on=['devon_climate'])"
    views = found.table[found.table["month"].isna()]
    assert views["n"].sum() == 1


@pytest.mark.parametrize(("agreed", "said"), [("2024-02-01", "before"), ("2024-09-01", "not before")])
def test_when_the_plan_was_agreed_is_set_beside_the_first_answers(tmp_path, agreed, said):
    plan = f'[plan]\nagreed_with = "the board"\nagreed_on = {agreed}\n{PLAN}'
    found = ek.plan.schedule(programme(tmp_path, answer("L1", "2024-04-02", "1"), plan=plan))
    assert f"(the board), {said} the first answers (2 April 2024)." in found.reading


# --- a first plan, before there is a programme ---------------------------------------------------------------------


def test_a_first_plan_is_half_yearly_and_asks_three_kinds_of_people():
    found = ek.plan.schedule(months=18, starts_on=date(2026, 9, 1))
    leadership = found.table[found.table["measure"] == "Systems Leadership Development Framework"]
    assert leadership["month"].tolist() == [0, 6, 12, 18] * 3
    assert leadership["group"].unique().tolist() == ["leaders", "sponsors", "partner agencies"]
    assert leadership["planned_for"].iloc[1] == pd.Timestamp("2027-03-01")
    assert set(found.table["state"]) == {TO_COME}
    assert found.reading.startswith(
        "A first plan: ask the Systems Leadership Development Framework of leaders, sponsors"
    )
    assert found.reading.endswith("in months 0, 6, 12 and 18.")
    assert found.about.asked == "plan.schedule(months=18, starts_on=date(2026, 9, 1))"
    assert any("agree them with those who will be asked" in caveat for caveat in found.caveats)


def test_a_first_plan_reaches_as_far_as_asked():
    assert ek.plan.schedule().table["month"].max() == 24
    assert ek.plan.schedule(months=0).reading.endswith("in month 0.")
    assert ek.plan.schedule(months=11, on=["mbti"]).table["month"].tolist() == [0, 6]
    assert ek.plan.schedule(months=400, on="icfat").reading.endswith("in months 0, 6 and so on to 396.")


@pytest.mark.parametrize("months", [-1, 2.5])
def test_months_that_cannot_be_are_refused(months):
    with pytest.raises(ValueError, match="must be a whole number, 0 or more"):
        ek.plan.schedule(months=months)


def test_unknown_questionnaires_are_refused_with_the_known(tmp_path):
    with pytest.raises(ValueError, match=r"No questionnaire is called deaths\. There are: curiosity"):
        ek.plan.schedule(on=["deaths"])
    with pytest.raises(ValueError, match="No questionnaire is called deaths"):
        ek.plan.schedule(programme(tmp_path, plan=PLAN), on="deaths")


def test_northmere_and_one_small_place():
    found = ek.plan.schedule(ek.load(folder("sample_data") / "northmere"))
    assert {state for _, state in told(found)} == {DONE, UNPLANNED, MISSED, TO_COME}
    assert "before the first answers (8 March 2024)" in found.reading
    small = ek.plan.schedule(ek.load(folder("sample_data") / "small_place"))
    assert told(small) == [(9, DONE), (21, TO_COME)]
