"""What a meeting is given speaks of no day after the one asked about, and of no place to compare with."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

import evalkit as ek
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.signals import record, talk, wave

MIDDLE = date(2025, 3, 31)
SETTINGS = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2025, 12, 31), fictional=True)
PLACES = pd.DataFrame({"place_id": ["P1", "P9"], "name": ["Ash", "Elm"], "arm": ["programme", "comparison"]})
TEAMS = pd.DataFrame({"team_id": ["T9"], "name": ["Nine"], "place_id": ["P9"]})


def talks(programme: Programme) -> dict[str, talk.Talk]:
    return {one.measure: one for one in record.of_programme(programme, None)}


def test_what_was_decided_and_done_later_is_still_open():
    """By hand from the log: nine raised by then; three never decided, one done by then, two due later, three past."""
    programme = ek.load(folder("sample_data/northmere"), as_of=MIDDLE)
    found = ek.signals.actions(programme).table.set_index("measure")
    states = ("Not decided", "Done late", "Done", "Decided, in hand", "Decided, past its day")
    assert [int(found.loc[state, "n"]) for state in states] == [3, 1, 0, 2, 3]
    days = found[["raised_on", "done_on"]].max()
    assert days.max() <= pd.Timestamp(MIDDLE)


def test_a_decision_of_a_later_day_is_not_told_with_its_owner():
    programme = ek.load(folder("sample_data/northmere"), as_of=date(2024, 5, 20))
    (row,) = ek.signals.actions(programme).table.query("state != ''").to_dict("records")
    assert (row["state"], row["decision"], row["owner"]) == ("not decided", "", "nobody named")


def test_disagreements_and_meetings_elsewhere_are_not_ours():
    days = pd.to_datetime(["2024-06-01"] * 3)
    said: dict[str, Any] = {"place_id": ["P9", None, "P9"], "team_id": [None, "T9", None]}
    conflicts = pd.DataFrame({"conflict_id": ["K1", "K2", "K3"], "raised_on": days, **said})
    meetings = pd.DataFrame({"meeting_id": ["M1", "M2", "M3"], "held_on": days, **said})
    tables = {"places": PLACES, "teams": TEAMS, "conflicts": conflicts, "meetings": meetings}
    found = talks(Programme.build(settings=SETTINGS, tables=tables))
    assert found["Disagreements in the open"].n == 0
    assert found["Meetings of partners"].n == 0
    ours = {**tables, "conflicts": conflicts.assign(place_id="P1", team_id=None)}
    assert "Disagreements in the open" not in talks(Programme.build(settings=SETTINGS, tables=ours))


def test_invitations_taken_up_by_very_few_people_are_not_spoken_of():
    people = [f"L{at:02}" for at in range(12)]
    sessions = pd.DataFrame({"session_id": ["S1"], "held_on": pd.to_datetime(["2024-06-01"]), "hours": [3.0]})

    def of(came: int) -> dict[str, talk.Talk]:
        status = ["attended" if at < came else "invited" for at in range(12)]
        tables = {
            "people": pd.DataFrame({"person_id": people, "kind": "participant"}),
            "participants": pd.DataFrame({"participant_id": people}),
            "sessions": sessions,
            "attendance": pd.DataFrame({"session_id": "S1", "person_id": people, "status": status}),
        }
        return talks(Programme.build(settings=SETTINGS, tables=tables))

    assert "Invitations taken up" not in of(3)
    assert "Invitations taken up" not in of(9)
    assert of(6)["Invitations taken up"].estimate == 50


def test_a_form_answered_about_no_session_in_particular_stops_nothing():
    """The rows of single sessions may be none: that is nothing to talk about, and no error."""
    programme = ek.load(folder("sample_data/small_place"))
    reaction = ek.individual.reaction(programme)
    none = reaction.table[reaction.table["group"] == "all"].iloc[:0]
    rows, when = talk._of_wave(programme, none, wave.since(programme))
    assert (len(rows), when) == (0, "")
