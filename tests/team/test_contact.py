"""team.contact: meetings by half year and place, and the pairs of organisations at them. Counted by hand."""

from __future__ import annotations

from datetime import date
from itertools import combinations
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.terms import Audience

PLACES = pd.DataFrame(
    {
        "place_id": ["P1", "P2", "P3", "P9"],
        "name": ["Zelkova", "Ash", "Secret", "Beech"],
        "arm": ["programme", "programme", "programme", "comparison"],
        "may_be_named": [True, None, False, True],
    }
)
TEAMS = pd.DataFrame({"team_id": ["T1", "T9"], "place_id": ["P1", "P9"]})
ORGANISATIONS = pd.DataFrame(
    {
        "organisation_id": ["A", "B", "C", "D"],
        "name": ["Council", "Hospital", "Clinic", "Police"],
        "successor_id": [None, None, "B", None],
        "valid_to": pd.to_datetime([None, None, "2024-06-30", None]),
    }
)
PEOPLE = {"a1": "A", "a2": "A", "a3": "A", "a4": "A", "b1": "B", "c1": "C", "d1": "D", "x1": None}


def met(held_on: str, *came: str, place: str | None = "P1", mode: str | None = "video", **said: Any) -> dict[str, Any]:
    row = {"held_on": held_on, "came": came, "place_id": place, "team_id": None, "mode": mode, "purpose": "business"}
    return {**row, **said}


def asked(log: list[dict[str, Any]], *, minimum: int = 1, posts: pd.DataFrame | None = None) -> Programme:
    meetings = pd.DataFrame([{"meeting_id": f"M{at}", **row} for at, row in enumerate(log)])
    tables = {
        "places": PLACES, "teams": TEAMS, "organisations": ORGANISATIONS,
        "people": pd.DataFrame({"person_id": [*PEOPLE], "organisation_id": [*PEOPLE.values()], "kind": "participant"}),
    }  # fmt: skip
    tables |= {} if posts is None else {"posts": posts}
    if log:
        lists = [(row["meeting_id"], who) for row in meetings.to_dict("records") for who in row["came"]]
        tables["meetings"] = meetings.drop(columns="came").assign(held_on=pd.to_datetime(meetings["held_on"]))
        tables["meeting_attendance"] = pd.DataFrame(lists, columns=["meeting_id", "person_id"]).assign(present=True)
    settings = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2025, 3, 31), fictional=True,
                        minimum_group=minimum)  # fmt: skip
    return Programme.build(settings=settings, tables=tables)


def row(found: Result, measure: str, group: str = "all") -> dict[str, Any]:
    (told,) = found.table.query("measure == @measure and group == @group").to_dict("records")
    return told


LOG = [
    met("2024-04-10", "a1", "b1", mode="face_to_face", purpose="relational"),
    met("2024-05-10", "a1", "a2", place=None, team_id="T1"),
    met("2024-11-01", "a1", "b1", "d1", place="P2", mode=None),
    met("2025-03-01", "c1", "b1", place="P3", purpose=None),
    met("2025-03-31", "a1", "d1", place=None, mode="face_to_face"),
    met("2024-05-01", "a1", place="P9"),
    met("2024-05-01", "a1", place=None, team_id="T9"),
]
FIRST, SECOND = "Months 1 to 6, from April 2024", "Months 7 to 12, from October 2024"


def test_meetings_are_counted_by_half_year_and_place():
    found = ek.team.contact(asked(LOG))
    assert found.headline == "5 meetings, 1 of 4 held to know each other better"
    months = [row(found, "Meetings a month", half)["months"] for half in (FIRST, SECOND)]
    assert months == pytest.approx([183 / 30.4375, 182 / 30.4375])
    assert row(found, "Meetings a month", FIRST)["estimate"] == pytest.approx(2 / (183 / 30.4375))
    middle = row(found, "Meetings a month, place in the middle", SECOND)  # P1 none, P2 one, P3 one
    assert (middle["n"], middle["low"]) == (3, 0)
    assert (middle["estimate"], middle["high"]) == pytest.approx((30.4375 / 182, 30.4375 / 182))
    face, relational = row(found, "Met face to face"), row(found, "Held to know each other better")
    assert (face["n"], face["out_of"], relational["n"], relational["out_of"]) == (2, 4, 1, 4)
    assert row(found, "How people met", "video")["n"] == 2
    assert {"The mode of 1 of 5 meetings was not recorded.", "The purpose of 1 of 5 meetings was not recorded.",
            "2 meetings of comparison places left out."} <= set(found.caveats)  # fmt: skip


def test_places_stand_in_the_alphabet_with_the_days_since_and_those_that_said_no_are_not_named():
    found = ek.team.contact(asked(LOG))
    places = found.table[found.table["by"] == "place"]
    assert places.loc[places["measure"] == "Meetings held", "group"].tolist() == [
        "Ash",
        "Zelkova",
        "places not to be named",
    ]
    assert places.loc[places["measure"] == "Days since the last meeting", "group"].tolist() == ["Ash", "Zelkova"]
    assert "Secret" not in found.table.to_string()
    days = [(date(2025, 3, 31) - last).days for last in (date(2024, 5, 10), date(2024, 11, 1), date(2025, 3, 1))]
    since = row(found, "Days since the last meeting, place in the middle")
    assert (since["estimate"], since["low"], since["high"]) == (days[1], days[2], days[0])


@pytest.mark.parametrize(("weeks", "quiet", "sign"), [(4, 3, "not working"), (5, 2, "not working"),
                                                      (22, 1, "uncertain"), (60, 0, "working")])  # fmt: skip
def test_places_without_a_meeting_lately_are_asked_about(weeks, quiet, sign):
    told = row(ek.team.contact(asked(LOG), weeks=weeks), "Places without a meeting lately")
    assert (told["n"], told["out_of"], told["sign"]) == (quiet, 3, sign)
    assert told["ask"].endswith("?")


def test_a_place_that_never_met_counts_as_quiet_and_has_no_days():
    found = ek.team.contact(asked(LOG[:1]))
    assert row(found, "Places without a meeting lately", "all")["n"] == 3
    never = row(found, "Days since the last meeting", "Ash")
    assert (never["n"], pd.isna(never["estimate"])) == (0, True)


def test_pairs_of_organisations_by_hand_with_a_merger_as_one():
    found = ek.team.contact(asked(LOG))
    assert row(found, "Meetings with two organisations or more")["n"] == 3  # c1 works for B since June: one body
    pairs = row(found, "Pairs of organisations that met lately")
    assert (pairs["n"], pairs["out_of"], pairs["sign"]) == (3, 3, "")  # A–B, A–D and B–D since October
    first, second = (row(found, "Meetings of a pair of organisations, a month", half) for half in (FIRST, SECOND))
    assert (first["n"], second["n"]) == (1, 4)
    assert second["estimate"] == pytest.approx(4 / 3 / (182 / 30.4375))
    whole = row(found, "Meetings of a pair of organisations, a month")
    assert (whole["n"], whole["estimate"]) == (5, pytest.approx(5 / 3 / (365 / 30.4375)))


def test_pairs_that_did_not_meet_are_a_question():
    pairs = row(ek.team.contact(asked(LOG[:3])), "Pairs of organisations that met lately")
    assert pairs["sign"] == ""
    apart = row(
        ek.team.contact(asked([*LOG[:1], met("2025-03-01", "d1", "x1")])), "Pairs of organisations that met lately"
    )
    assert (apart["n"], apart["out_of"], apart["sign"]) == (0, 3, "uncertain")
    assert apart["ask"] == "3 of 3 pairs of organisations did not meet in 6 months: which should?"


def test_an_organisation_is_that_of_the_day():
    moves = pd.DataFrame(
        {
            "person_id": ["a1", "a1"],
            "organisation_id": ["B", "D"],
            "start": pd.to_datetime([None, "2024-10-01"]),
            "end": pd.to_datetime(["2024-09-30", None]),
        }
    )
    found = ek.team.contact(asked([met("2024-05-01", "a1", "b1"), met("2024-11-01", "a1", "b1")], posts=moves))
    assert row(found, "Meetings with two organisations or more")["n"] == 1


def test_a_window_and_the_day_the_data_speak_of():
    found = ek.team.contact(asked(LOG), since=date(2024, 5, 1), until=date(2025, 1, 31))
    assert (found.about.n, found.about.asked) == (2, "team.contact(since=date(2024, 5, 1), until=date(2025, 1, 31))")
    programme = asked(LOG)
    programme.as_of = date(2024, 10, 31)
    assert ek.team.contact(programme).about.n == 2
    empty = ek.team.contact(asked(LOG), since=date(2024, 6, 1), until=date(2024, 7, 1))
    assert empty.headline == "No meeting is on record, 1 June 2024 to 1 July 2024"
    assert row(empty, "Meetings held")["sign"] == "uncertain"
    assert empty.reading.endswith("the log holds other times.")


def test_nothing_recorded_is_a_refusal_and_no_weeks_are_an_error():
    early = asked(LOG)
    early.as_of = date(2024, 4, 9)
    for programme in (asked([]), asked(LOG[5:]), early):
        with pytest.raises(ek.NotEnoughEvidence, match="does not say that there was none"):
            ek.team.contact(programme)
    with pytest.raises(ValueError, match="weeks=0 leaves no time"):
        ek.team.contact(asked(LOG), weeks=0)


def test_without_lists_purposes_or_places_what_is_known_is_told():
    bare = ek.team.contact(asked([met("2024-05-01", place=None, mode=None, purpose=None)]))
    assert bare.headline == "1 meeting; what for is not recorded"
    assert bare.reading == (
        "1 meeting is on record, to 31 March 2025: 0.2 a month (months 1 to 6, from April 2024) and 0.0 a month "
        "(months 7 to 12, from October 2024)."
    )
    assert "Who came was not recorded, so which organisations met is not known." in bare.caveats
    alone = ek.team.contact(asked([met("2024-05-01", "a1", "a2")]))
    assert any("no two are known to meet" in caveat for caveat in alone.caveats)
    assert row(alone, "Held to know each other better")["sign"] == "uncertain"


def test_few_people_on_the_lists_are_not_told_by_their_organisations():
    one_of_two = [met("2024-05-01", "a1", "a2", "a3", "a4", "b1"), met("2024-06-01", "a1", "d1")]
    found = ek.team.contact(asked(one_of_two, minimum=5))  # six people, and one each of two of the organisations
    assert not found.table["measure"].str.contains("rganisations").any()
    assert any("would tell of one person" in caveat for caveat in found.caveats)
    assert ek.team.contact(asked(one_of_two)).table["measure"].str.contains("rganisations").any()


meetings = st.tuples(st.dates(date(2024, 1, 1), date(2025, 3, 31)), st.sets(st.sampled_from(sorted(PEOPLE))))


@given(st.lists(meetings, min_size=1, max_size=8))
@settings(max_examples=12)  # each asks a whole question
def test_half_years_add_up_and_pairs_are_counted_once_a_meeting(drawn):
    found = ek.team.contact(asked([met(str(day), *sorted(came)) for day, came in drawn])).table
    halves = found[(found["measure"] == "Meetings a month") & (found["by"] == "half year")]
    assert halves["n"].sum() == len(drawn)
    often = found[(found["measure"] == "Meetings of a pair of organisations, a month") & (found["group"] == "all")]
    standing = {who: "B" if body == "C" else body for who, body in PEOPLE.items() if body}
    pairs = [len([*combinations({standing[who] for who in came if who in standing}, 2)]) for _, came in drawn]
    if len(often):
        assert often["n"].iloc[0] == sum(pairs)
    else:
        assert sum(pairs) == 0


def test_northmere_meets_as_planted_and_every_audience_sees_its_meetings():
    programme = ek.load(folder("sample_data") / "northmere")
    found = ek.team.contact(programme)
    relational, face = row(found, "Held to know each other better"), row(found, "Met face to face")
    assert relational["estimate"] == pytest.approx(30, abs=9)  # planted 0.30 of 242: three standard errors
    assert face["estimate"] == pytest.approx(45, abs=10)
    before = row(found, "Meetings a month", "Before the start, from October 2023")["n"]
    assert before == (programme.meetings["held_on"] < "2024-04-01").sum()
    for audience in (Audience.TEAM, Audience.PUBLIC):
        assert not (protect(found, audience).table["interval"] == "withheld").any()
