"""Every question speaks of no day after the one asked about, and nothing shown beside a withheld number tells it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

import evalkit as ek
from evalkit import register
from evalkit.disclosure import protect
from evalkit.errors import NotEnoughEvidence
from evalkit.html import WITHHELD
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.terms import Audience

MIDDLE = date(2025, 3, 31)
SETTINGS = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2025, 12, 31), fictional=True)


@pytest.fixture(scope="module")
def halfway() -> Programme:
    """Northmere as it was known half-way: the files hold another year."""
    return ek.load(folder("sample_data/northmere"), as_of=MIDDLE)


def n(found: Result, measure: str, group: str = "all") -> int:
    return int(found.table.query("measure == @measure and group == @group")["n"].iloc[0])


def withheld(found: Result, measure: str, audience: Audience = Audience.PUBLIC) -> set[str]:
    """The groups of a measure whose numbers this audience does not see."""
    shown = protect(found, audience).table
    return set(shown.loc[(shown["measure"] == measure) & (shown["interval"] == WITHHELD), "group"])


def test_answers_after_the_day_are_not_given_yet(halfway):
    held = register.answered(halfway)
    assert 0 < len(held) < len(halfway.responses)
    assert held["answered_on"].max() <= pd.Timestamp(MIDDLE)


def test_an_answer_without_a_day_counts_from_the_day_its_wave_opened():
    waves = pd.DataFrame({"wave": [1, 2], "opens_on": pd.to_datetime(["2024-04-01", "2025-10-01"])})
    waves["closes_on"] = waves["opens_on"] + pd.Timedelta(days=20)
    row = {"respondent_id": "L1", "subject_kind": "person", "subject_id": "L1", "rater": "self",
           "instrument": "system_leadership", "item": "ie_1", "timing": "post", "answer": 3.0}  # fmt: skip
    tables = {
        "people": pd.DataFrame({"person_id": ["L1"], "kind": ["participant"]}),
        "participants": pd.DataFrame({"participant_id": ["L1"]}),
        "waves": waves.astype({"wave": "Int64"}),
        "responses": pd.DataFrame([{**row, "wave": wave} for wave in (1, 2)]).astype({"wave": "Int64"}),
    }
    programme = Programme.build(settings=SETTINGS, tables=tables)
    assert register.answered(programme)["wave"].tolist() == [1, 2]
    programme.as_of = date(2025, 9, 30)
    assert register.answered(programme)["wave"].tolist() == [1]


def test_hours_of_later_forms_and_sessions_are_not_asked_yet(halfway):
    sessions = halfway.sessions[halfway.sessions["held_on"] <= pd.Timestamp(MIDDLE)]
    came = halfway.attendance.query("status == 'attended'").merge(sessions, on="session_id")
    found = ek.process.burden(halfway).table.set_index("group")
    assert found.loc["sessions", "estimate"] == pytest.approx(came["minutes"].sum() / 60)
    assert "forms, wave 3" not in found.index
    assert {"forms, wave 1", "forms, wave 2"} <= set(found.index)


def test_who_came_later_has_not_come_yet(halfway):
    sessions = halfway.sessions[halfway.sessions["held_on"] <= pd.Timestamp(MIDDLE)]["session_id"]
    came = halfway.attendance.query("status == 'attended'")
    by_then = came.loc[came["session_id"].isin(sessions), "person_id"].nunique()
    assert n(ek.process.reach(halfway), "Came at least once") == by_then < came["person_id"].nunique()


def test_what_became_known_later_is_not_known_yet(halfway):
    known = int((halfway.talent["outcome_on"] <= pd.Timestamp(MIDDLE)).sum())
    assert n(ek.process.talent(halfway), "Outcome known") == known == 3


def test_success_agreed_later_is_not_agreed_yet():
    programme = ek.load(folder("sample_data/northmere"), as_of=date(2024, 3, 10))
    assert n(ek.process.criteria(programme), "Success agreed, with whom and when") == 3


def test_requests_of_comparison_places_are_left_out():
    places = pd.DataFrame({"place_id": ["P1", "P9"], "name": ["Ash", "Elm"], "arm": ["programme", "comparison"]})
    teams = pd.DataFrame({"team_id": ["T1", "T9"], "name": ["One", "Nine"], "place_id": ["P1", "P9"]})
    log = pd.DataFrame({"request_id": ["R1", "R2"], "team_id": ["T1", "T9"], "theme": "coaching",
                        "asked_on": pd.to_datetime(["2024-06-01"] * 2)})  # fmt: skip
    tables = {"places": places, "teams": teams, "support_requests": log}
    found = ek.process.support(Programme.build(settings=SETTINGS, tables=tables))
    assert n(found, "Requests") == 1
    assert "Requests of teams in places to compare with are left out." in found.caveats
    tables["support_requests"] = log[log["team_id"] == "T9"]
    with pytest.raises(NotEnoughEvidence):
        ek.process.support(Programme.build(settings=SETTINGS, tables=tables))


def looked_at(**outcomes: int) -> Result:
    kinds = [kind for kind, number in outcomes.items() for _ in range(number)]
    people = [f"P{at:03}" for at in range(len(kinds))]
    log = pd.DataFrame({"person_id": people, "reviewed_on": pd.Timestamp("2024-06-01"),
                        "outcome": [None if kind == "none" else kind for kind in kinds]})  # fmt: skip
    tables = {"people": pd.DataFrame({"person_id": people, "kind": "participant"}), "talent": log}
    return ek.process.talent(Programme.build(settings=SETTINGS, tables=tables))


def test_no_share_tells_the_few_of_another_outcome():
    """Three in another post; the six in a higher post are withheld beside them, so their share may not tell them."""
    found = looked_at(same_post=20, higher_post=6, other_post=3)
    assert withheld(found, "What became of them") == {"another post", "higher post"}
    share = found.table.query("measure == 'Moved to a higher post'").iloc[0]
    assert share[["n", "estimate"]].isna().all()
    assert n(found, "Stayed in the system", "those of whom it is known") == 29
    assert "A share is not given where it would tell the number of a few people." in found.caveats


def test_those_of_whom_nothing_is_known_hide_nobody_else():
    """All of them but those known is shown, so they are no company to one who left: another outcome must be."""
    found = looked_at(same_post=20, left_organisation=6, other_post=2, none=3)
    assert {"another post", "left the organisation"} <= withheld(found, "What became of them")


def spread_of(came: dict[str, int], workforce: dict[str, int | None], invited: dict[str, int] | None = None) -> Result:
    organisations = pd.DataFrame({"organisation_id": [*came], "name": [f"The {name}" for name in came]})
    organisations["workforce"] = pd.array([workforce[name] for name in came], dtype="Int64")
    log = pd.DataFrame({"spread_id": "E1", "held_on": pd.Timestamp("2024-06-01"), "organisation_id": [*came],
                        "came": [*came.values()]})  # fmt: skip
    log["invited"] = pd.array([(invited or {}).get(name) for name in came], dtype="Int64")
    tables = {"organisations": organisations, "spread_events": log.astype({"came": "Int64"})}
    return ek.process.spread(Programme.build(settings=SETTINGS, tables=tables))


@pytest.mark.parametrize("came", [{"A": 3, "B": 6, "C": 20}, {"A": 3, "B": 60, "C": 20}])
def test_guests_out_of_a_workforce_do_not_tell_the_few_of_an_organisation_without_one(came: dict[str, int]):
    found = spread_of(came, {"A": None, "B": 100, "C": 400})
    assert "Guests, of the workforce" not in set(found.table["measure"])
    assert any("workforce are not given" in caveat for caveat in found.caveats)


def test_guests_out_of_a_workforce_stand_where_they_tell_of_nobody():
    enough = spread_of({"A": 8, "B": 60, "C": 20}, {"A": None, "B": 100, "C": 400})
    assert n(enough, "Guests, of the workforce") == 80
    known = spread_of({"A": 3, "B": 6, "C": 20}, {"A": 50, "B": 100, "C": 400})
    assert withheld(known, "Guests, of the workforce") == withheld(known, "Guests who came") == {"The A", "The B"}


def test_guests_of_those_invited_do_not_tell_the_few_of_one_row():
    found = spread_of({"A": 3, "B": 60}, {"A": 50, "B": 100}, invited={"B": 90})
    assert found.table.query("measure == 'Guests who came, of those invited'")["n"].isna().all()


def counted(*rows: tuple[str, str, int, int]) -> Result:
    counts = pd.DataFrame(rows, columns=["place_id", "counted_on", "people", "reached"]).assign(tier="high")
    counts["counted_on"] = pd.to_datetime(counts["counted_on"])
    places = pd.DataFrame({"place_id": ["P1", "P2"], "name": ["Ash", "Elm"]})
    tables: dict[str, Any] = {"places": places, "risk_tiers": counts}
    return ek.process.risk_tiers(Programme.build(settings=SETTINGS, tables=tables))


def test_places_counted_twice_do_not_tell_the_few_of_one_counted_once():
    twice = (("P1", "2024-05-01", 100, 40), ("P1", "2025-05-01", 100, 50))
    few = counted(*twice, ("P2", "2025-05-01", 60, 3))
    assert set(few.table["by"]) == {"latest count", ""}
    assert any("places counted once" in caveat for caveat in few.caveats)
    many = counted(*twice, ("P2", "2025-05-01", 60, 30))
    assert "latest count, places counted twice" in set(many.table["by"])


def test_hours_of_a_wave_with_few_people_are_not_told_by_the_others():
    people = [f"L{at:02}" for at in range(12)]
    row = {"subject_kind": "person", "rater": "self", "instrument": "system_leadership", "item": "ie_1",
           "timing": "post", "answer": 3.0}  # fmt: skip
    answers = [{"respondent_id": one, "subject_id": one, "wave": wave, **row}
               for wave, many in ((1, 12), (2, 8), (3, 3)) for one in people[:many]]  # fmt: skip
    tables = {
        "people": pd.DataFrame({"person_id": people, "kind": "participant"}),
        "participants": pd.DataFrame({"participant_id": people}),
        "waves": pd.DataFrame({"wave": pd.array([1, 2, 3], dtype="Int64")}),
        "burden": pd.DataFrame({"instrument": ["system_leadership"], "minutes": [9.0]}),
        "responses": pd.DataFrame(answers).astype({"wave": "Int64"}),
    }
    found = ek.process.burden(Programme.build(settings=SETTINGS, tables=tables))
    assert withheld(found, "Hours of forms or sessions") == {"forms, wave 2", "forms, wave 3"}


def test_hours_received_do_not_tell_the_few_leaders_who_stayed_away():
    people = [f"L{at:02}" for at in range(12)]
    sessions = pd.DataFrame({"session_id": ["S1"], "held_on": pd.to_datetime(["2024-06-01"]), "hours": [3.0],
                             "intervention": ["coaching_and_mentoring"], "theory": ["system_leadership"]})  # fmt: skip
    attendance = pd.DataFrame({"session_id": "S1", "person_id": people[:10], "status": "attended"})
    attendance["minutes"] = pd.array([None] * 10, dtype="Int64")
    tables = {
        "people": pd.DataFrame({"person_id": people, "kind": "participant"}),
        "participants": pd.DataFrame({"participant_id": people}),
        "sessions": sessions, "attendance": attendance,
    }  # fmt: skip
    found = ek.process.delivery(Programme.build(settings=SETTINGS, tables=tables))
    assert "System leadership" in withheld(found, "Leaders who came")
    assert "Coaching and Mentoring" in withheld(found, "Person-hours received")
    assert set(found.table.query("measure == 'Person-hours received'")["by"]) == {"everything", "menu"}
    assert "Nobody's own minutes were noted: whoever came counts for the whole session." in found.caveats


def test_burden_names_what_is_not_known_in_plain_words():
    found = ek.process.burden(ek.load(folder("sample_data/small_place")))
    assert "gave 114 hours of sessions; how long forms took is not known" in found.reading
    assert "about themselves" in found.reading
    assert any("fill in the End-of-session form?" in ask for ask in found.table["ask"])


def test_a_time_in_which_nothing_was_written_down_is_said_once_and_plainly():
    """No 0 of 0, and no nothing of nothing: the log holds other times."""
    first_day = ek.load(folder("sample_data/northmere"), as_of=date(2024, 4, 1))
    asked = (ek.process.spread, ek.process.pdsa, ek.process.compacts, ek.process.delivery)
    spread, pdsa, compacts, delivery = (question(first_day) for question in asked)
    assert spread.reading == "No spread event is on record, to 1 April 2024."
    assert pdsa.reading == "No test of change is on record, to 1 April 2024."
    assert pdsa.headline == "No test of change was begun"
    assert "0 of 0" not in compacts.reading
    assert delivery.reading.endswith("no adaptation is on record for this time.")


def test_parts_nobody_said_were_needed_are_not_missing():
    northmere = ek.load(folder("sample_data/northmere"))
    whole = ek.process.composition(northmere)
    assert whole.headline == "6 parts held in 24 teams; which of them a team needs, nobody said"
    needed = ek.process.composition(northmere, roles=("manager",))
    assert needed.headline == "The one part: held in 21 of 24 teams"
