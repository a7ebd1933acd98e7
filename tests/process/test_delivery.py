"""What was done: by strand and menu, hours received, what was planned, what was adapted. Counted by hand."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.terms import Audience

SETTINGS = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2025, 3, 31), fictional=True)


def tables(**more: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Six leaders, one of them followed for comparison; three sessions, the last of no known length."""
    ids = [f"L{number}" for number in range(1, 7)]
    people = pd.DataFrame({"person_id": ids, "kind": "participant"})
    leaders = pd.DataFrame({"participant_id": ids, "arm": ["programme"] * 5 + ["comparison"]})
    sessions = pd.DataFrame(
        {
            "session_id": ["S1", "S2", "S3"],
            "intervention": ["coaching_and_mentoring", "action_learning_sets", None],
            "theory": ["system_leadership", "complexity_science", None],
            "held_on": pd.to_datetime(["2024-05-01", "2024-09-01", "2025-01-01"]),
            "hours": [2.0, 3.0, None],
        }
    )
    came = [("S1", "L1", 60), ("S1", "L2", None), ("S2", "L1", None), ("S2", "L3", 90), ("S3", "L4", None)]
    attendance = pd.DataFrame(came, columns=["session_id", "person_id", "minutes"]).assign(status="attended")
    attendance["minutes"] = attendance["minutes"].astype("Int64")
    return {"people": people, "participants": leaders, "sessions": sessions, "attendance": attendance, **more}


def asked(given: dict[str, pd.DataFrame], **window: date) -> Result:
    return ek.process.delivery(Programme.build(settings=SETTINGS, tables=given), **window)


def estimate(found: Result, measure: str, group: str = "all") -> float:
    rows = found.table.query("measure == @measure and group == @group")
    return float(rows["estimate"].iloc[0])


class TestHours:
    def test_person_hours_are_own_minutes_else_the_session(self) -> None:
        found = asked(tables())
        # S1: 60 minutes noted and 2 hours; S2: 3 hours and 90 minutes noted; S3 unknown
        assert estimate(found, "Person-hours received", "Coaching and Mentoring") == 1 + 2
        assert estimate(found, "Person-hours received", "Action Learning Sets") == 3 + 1.5
        assert estimate(found, "Person-hours received") == 7.5
        row = found.table.query("measure == 'Person-hours received' and group == 'all'")
        assert row["noted"].iloc[0] == pytest.approx(100 * 2 / 5)
        assert any("How long 1 of 5 attendances lasted is not known" in text for text in found.caveats)

    def test_hours_of_sessions_without_a_length_are_not_zero(self) -> None:
        found = asked(tables())
        assert estimate(found, "Hours held") == 5
        assert pd.isna(estimate(found, "Hours held", "not recorded"))
        assert "The length of 1 of 3 sessions is not recorded." in found.caveats

    def test_leaders_in_the_middle_leave_out_the_unknown_and_the_comparison(self) -> None:
        found = asked(tables())
        # L1 1 + 3, L2 2, L3 1.5, L5 0; L4 unknown, L6 for comparison
        middle = found.table.query("measure == 'Hours a leader received, median'").iloc[0]
        assert (middle["estimate"], middle["n"], middle["n_of"]) == (1.75, 4, "leaders")
        assert estimate(found, "Hours a leader received, lower quarter") == pytest.approx(1.125)
        assert found.table.query("measure == 'Leaders who came' and group == 'all'")["out_of"].iloc[0] == 5

    def test_a_window_counts_only_what_was_held_in_it(self) -> None:
        found = asked(tables(), since=date(2024, 8, 1), until=date(2024, 12, 31))
        assert found.headline == "1 session, on 1 of 4 strands of theory and 1 of 21 kinds of the menu"
        assert estimate(found, "Person-hours received") == 4.5

    def test_a_window_with_nothing_in_it_is_none_held(self) -> None:
        found = asked(tables(), until=date(2024, 4, 2))
        assert estimate(found, "Sessions held") == estimate(found, "Hours held") == 0
        assert 1 <= len(found.parts[1]) <= 4

    def test_without_attendance_nobody_is_said_to_have_come_or_not(self) -> None:
        given = tables()
        del given["attendance"]
        found = asked(given)
        assert not found.table["measure"].isin(["Person-hours received", "Leaders who came"]).any()
        assert "Who came was not recorded." in found.caveats


class TestKinds:
    def test_a_strand_with_no_session_is_shown_as_zero_and_asked_about(self) -> None:
        found = asked(tables())
        assert estimate(found, "Sessions held", "Large-scale change") == 0
        row = found.table.query("measure == 'Strands with a session'").iloc[0]
        assert row["sign"] == "uncertain"
        assert row["ask"].startswith("No session drew on improvement science and large-scale change (2 of 4")
        assert found.table.query("by == 'menu' and measure == 'Sessions held'")["group"].nunique() == 22  # 21, not said

    def test_planned_and_never_held_and_held_and_never_planned(self) -> None:
        planned = pd.DataFrame(
            {"intervention_id": ["I1", "I2", "I3"],
             "menu_code": ["coaching_and_mentoring", "systems_thinking", None]}
        )  # fmt: skip
        found = asked(tables(interventions=planned))
        row = found.table.query("measure == 'Planned and held'").iloc[0]
        assert (row["n"], row["out_of"], row["sign"]) == (1, 2, "uncertain")
        assert "Systems Thinking and Collective Leadership" in row["ask"]
        assert row["ask"].endswith("?")
        assert estimate(found, "Held and not planned") == 1
        assert any("1 intervention planned without a place on the menu" in text for text in found.caveats)

    def test_adaptations_are_counted_and_an_empty_register_is_not_recorded(self) -> None:
        none = asked(tables()).table.query("measure == 'Adaptations'").iloc[0]
        assert pd.isna(none["n"])
        assert none["sign"] == "not recorded"
        log = pd.DataFrame(
            {"adaptation_id": ["A1", "A2", "A3"], "what": ["x", "y", "z"], "kind": ["technical", "cultural", None],
             "core_kept": pd.array([True, None, False], dtype="boolean"),
             "adapted_on": pd.to_datetime(["2024-06-01", None, "2024-12-01"])}
        )  # fmt: skip
        found = asked(tables(adaptations=log))
        assert estimate(found, "Adaptations") == 3
        assert [estimate(found, "Core kept", group) for group in ("yes", "no", "not recorded")] == [1, 1, 1]
        part = asked(tables(adaptations=log), until=date(2024, 7, 1))
        assert estimate(part, "Adaptations") == 1
        assert "1 adaptation without a day left out of this time." in part.caveats


class TestPrivacyAndSample:
    def test_few_people_are_withheld_and_sessions_stay_in_the_picture(self) -> None:
        found = protect(asked(tables()), Audience.PUBLIC)
        people = found.table[found.table["n_of"].isin(["people", "leaders"])]
        assert people.loc[people["n"] > 0].empty or people.loc[people["n"] > 0, "n"].min() >= 5
        assert "System leadership: 1" in found.alt

    def test_no_session_recorded_is_a_refusal(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="does not say that there was none"):
            asked({})

    def test_northmere(self) -> None:
        found = ek.process.delivery(ek.load(folder("sample_data") / "northmere"))
        assert estimate(found, "Sessions held") == 16
        assert 10 < estimate(found, "Hours a leader received, median") < 40
        assert "FICTIONAL" in found.alt

    def test_sessions_for_one_of_several_teams_are_said_to_be(self) -> None:
        teams = pd.DataFrame({"team_id": ["T1", "T2"]})
        given = tables(teams=teams)
        given["sessions"] = given["sessions"].assign(team_id=["T1", None, None])
        found = asked(given)
        assert any(text.startswith("1 of 3 sessions were for one team or place") for text in found.caveats)
        assert found.table.query("measure == 'Sessions held' and group == 'all'")["for_all"].iloc[0] == 2
