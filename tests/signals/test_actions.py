"""signals.actions: what was seen, decided and done, at each edge of its dates; and nobody named by id."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.programme import Plan, Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.signals.actions import IN_TIME, LATE, OPEN, OVERDUE, STATES, UNDECIDED, UNNAMED
from evalkit.terms import Audience

TODAY = date(2026, 3, 31)
OTHERS = {
    "places": pd.DataFrame(
        {"place_id": ["P1", "P2", "P3"], "name": ["Ash", "Beech", "Secret"], "may_be_named": [True, None, False]}
    ),
    "organisations": pd.DataFrame({"organisation_id": ["G1"], "name": ["The council"], "sector": ["council"]}),
    "teams": pd.DataFrame({"team_id": ["T1"], "name": ["Ash one"], "place_id": ["P1"]}),
    "people": pd.DataFrame({"person_id": ["Z77"], "organisation_id": ["G1"], "kind": ["participant"]}),
}
DAYS = ("raised_on", "decided_on", "due_on", "done_on")


def action(raised: str = "2026-01-01", **said: Any) -> dict[str, Any]:
    told = {"signal": "Few came", "raised_on": raised, **said}
    if told.get("decided_on") and "decision" not in told:
        told["decision"] = "Ring them"
    days = {name: pd.Timestamp(told.pop(name)) if told.get(name) else pd.NaT for name in DAYS}
    texts = dict.fromkeys(("place_id", "team_id", "domain", "decision", "owner", "reason"))
    return {**texts, **told, **days}


def asked(*log: dict[str, Any], as_of: date = TODAY, meetings: dict[str, str] | None = None) -> Programme:
    frame = pd.DataFrame([{"action_id": f"A{at:03}", **row} for at, row in enumerate(log)])
    settings = Settings(
        name="Testmere", starts_on=date(2025, 1, 1), as_of=as_of, fictional=True, plan=Plan(meetings=meetings or {})
    )
    return Programme.build(settings=settings, tables=OTHERS | ({"actions": frame} if log else {}))


def answered(*log: dict[str, Any], **said: Any) -> Result:
    return ek.signals.actions(asked(*log, **said))


def each(found: Result) -> pd.DataFrame:
    return found.table[found.table["state"] != ""].reset_index(drop=True)


def counted(found: Result) -> dict[str, int]:
    return dict(zip(STATES, found.table["n"].head(len(STATES)).tolist(), strict=True))


DECIDED = {"decided_on": "2026-01-10"}


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({}, UNDECIDED),
        ({"due_on": "2026-02-01"}, UNDECIDED),  # a day without a decision is no decision
        ({"decision": "Ring them"}, OPEN),  # its day was not written down
        ({**DECIDED}, OPEN),  # no due day: never past it
        ({**DECIDED, "due_on": "2026-04-01"}, OPEN),
        ({**DECIDED, "due_on": "2026-03-31"}, OPEN),  # the day itself is still in time
        ({**DECIDED, "due_on": "2026-03-30"}, OVERDUE),
        ({"decision": "Ring them", "due_on": "2026-03-30"}, OVERDUE),
        ({**DECIDED, "due_on": "2026-03-01", "done_on": "2026-02-28"}, IN_TIME),
        ({**DECIDED, "due_on": "2026-03-01", "done_on": "2026-03-01"}, IN_TIME),  # done on its day
        ({**DECIDED, "due_on": "2026-03-01", "done_on": "2026-03-02"}, LATE),
        ({**DECIDED, "done_on": "2026-03-31"}, IN_TIME),  # no day was set
        ({"done_on": "2026-03-02"}, IN_TIME),  # done without a word of deciding
        ({"due_on": "2026-03-01", "done_on": "2026-03-02"}, LATE),
    ],
)
def test_the_state_at_each_edge(said, state):
    found = answered(action(**said))
    assert counted(found) == {one: int(one == state) for one in STATES}
    row = each(found).iloc[0]
    assert row["state"] == state
    assert (row["ask"] == "") == (state in (LATE, IN_TIME))


def test_what_is_raised_after_the_day_of_the_data_is_a_mistake_in_the_log():
    with pytest.raises(ek.errors.DataProblems, match="raised_on"):
        asked(action("2026-04-01"))


def test_open_first_what_is_past_its_day_before_all_and_the_oldest_before_the_newer():
    found = answered(
        action("2026-01-05", **DECIDED, done_on="2026-02-01"), action("2026-01-04"), action("2026-01-03"),
        action("2026-01-02", **DECIDED, due_on="2026-02-01"), action("2026-01-01", **DECIDED),
        action("2026-01-06", **DECIDED, due_on="2026-02-01", done_on="2026-02-02"),
    )  # fmt: skip
    assert each(found)["state"].tolist() == [OVERDUE, UNDECIDED, UNDECIDED, OPEN, LATE, IN_TIME]
    assert each(found)["raised_on"].dt.day.tolist() == [2, 3, 4, 1, 6, 5]
    assert found.headline == "4 of 6 actions are still open"
    assert (found.about.n, found.about.of) == (2, 6)


def test_the_days_each_step_took():
    found = answered(
        action("2026-01-01", decided_on="2026-01-11", done_on="2026-01-31"),  # 10, then 20
        action("2026-01-01", decided_on="2026-01-05", done_on="2026-01-06"),  # 4, then 1
        action("2026-01-01", decided_on="2026-01-04"),  # 3
        action("2026-01-01", done_on="2026-03-01"),  # nobody wrote down when it was decided
    )
    decide, do = (found.table.iloc[len(STATES) + at] for at in (0, 1))
    assert (decide["estimate"], decide["n"]) == (4, 3)
    assert (do["estimate"], do["n"]) == (10.5, 2)
    assert each(found).set_index("state").loc[OPEN, "estimate"] == 89  # 1 January to 31 March
    assert sorted(each(found)["estimate"]) == [5, 30, 59, 89]
    took = "Of 3 with both days, the one in the middle was decided 4 days after it was seen; of 2, it was done 10 days"
    assert took in found.reading


def test_a_median_of_one():
    found = answered(action("2026-01-01", decided_on="2026-01-02", done_on="2026-01-02"))
    took = "Of 1 with both days, the one in the middle was decided 1 day after it was seen; of 1, it was done no days"
    assert took in found.reading
    assert found.table["estimate"].iloc[len(STATES)] == 1


def test_nothing_decided_has_no_days():
    found = answered(action())
    assert found.table["n"].iloc[len(STATES)] == 0
    assert pd.isna(found.table["estimate"].iloc[len(STATES)])
    assert "in the middle" not in found.reading


@pytest.mark.parametrize(
    ("owner", "said"), [("Z77", "a person"), ("G1", "The council"), ("T1", "team T1"), (None, "nobody named")]
)
def test_an_owner_is_never_a_person_by_id(owner, said):
    found = answered(action(**DECIDED, owner=owner), action(**DECIDED, owner=owner, done_on="2026-02-01"))
    assert set(each(found)["owner"]) == {said}
    assert said in each(found)["ask"].iloc[0]
    for audience in Audience:
        assert "Z77" not in str(protect(found, audience).to_json())


def test_a_place_that_may_not_be_named_is_not():
    found = answered(
        action(place_id="P1"), action(place_id="P2"), action(place_id="P3"), action(team_id="T1"), action()
    )
    assert each(found)["group"].tolist() == ["Ash", "Beech", UNNAMED, "team T1", "everywhere"]
    assert "Secret" not in str(found.to_json())


def loops(found: Result) -> list[str]:
    return [ask for ask in found.table["ask"].iloc[len(STATES) + 2 :] if "“" not in ask and ask]


def test_three_questions_each_with_its_figure():
    found = answered(
        action("2025-06-01", decided_on="2025-06-02", due_on="2025-07-01", done_on="2025-08-01", domain="trust"),
        action("2025-09-01", domain="trust"), action("2025-09-01", domain="money"),
        action("2025-09-01", decided_on="2025-09-02", due_on="2026-04-01"),
    )  # fmt: skip
    assert loops(found) == [
        "1 of 1 actions due were late or are past their day. Are we doing it well?",
        "1 of 4 came up again after something had been done about it. Is it the right thing to do?",
        "On 2 of 4 nothing was decided. How do we come to know what is right?",
    ]


@pytest.mark.parametrize(
    ("first", "second", "again"),
    [
        ({"domain": "trust"}, {"domain": "trust"}, 1),
        ({"domain": "trust"}, {"domain": "money"}, 0),
        ({}, {}, 0),  # nobody said what they were about
        ({"domain": "trust", "place_id": "P1"}, {"domain": "trust", "place_id": "P1"}, 1),
        ({"domain": "trust", "place_id": "P1"}, {"domain": "trust", "place_id": "P2"}, 0),
        ({"domain": "trust"}, {"domain": "trust", "place_id": "P2"}, 1),  # done everywhere, seen there again
        ({"domain": "trust", "place_id": "P1"}, {"domain": "trust"}, 0),
        ({"domain": "trust", "team_id": "T1"}, {"domain": "trust", "team_id": "T1"}, 1),
    ],
)
def test_what_came_up_again_where_something_had_been_done(first, second, again):
    found = answered(action("2025-06-01", done_on="2025-07-01", **first), action("2025-07-02", **second))
    assert f"{again} of 2 came up again" in loops(found)[0]  # nothing was due
    same_day = answered(action("2025-06-01", done_on="2025-07-02", **first), action("2025-07-02", **second))
    assert "0 of 2 came up again" in loops(same_day)[0]


def test_each_open_one_is_a_question_for_the_meeting_of_the_work():
    log = [action(place_id="P1"), action(**DECIDED, due_on="2026-02-01"), action(**DECIDED)]
    found = answered(*log, meetings={"process": "The office"})
    asks = found.table[found.table["ask"] != ""]
    assert set(asks["meeting"]) == {"The office"}
    assert asks["ask"].str.endswith("?").all()
    assert each(found)["ask"].tolist() == [
        "“Few came” (everywhere), since 1 January 2026. Decided: “Ring them”, due 1 February 2026, nobody named. "
        "What is in the way, and is it still wanted?",
        "“Few came” (Ash), since 1 January 2026, with nothing decided. Does it still matter, and who takes it up?",
        "“Few came” (everywhere), since 1 January 2026. Decided: “Ring them”, no day set, nobody named. "
        "Is anything in the way?",
    ]
    assert each(found)["sign"].tolist() == ["not working", "not working", "uncertain"]
    assert set(answered(action()).table["meeting"]) == {"", "No meeting is named for the work itself"}


def test_a_typed_word_of_cause_is_left_out_of_sentences_and_said_to_be():
    found = answered(action(signal="Beds were blocked due to flu"))
    assert "“Beds were blocked […] flu”" in found.reading
    assert "[…]" in " ".join(found.caveats)
    assert "due to" not in each(found)["ask"].iloc[0]


def test_an_empty_log_is_not_recorded_and_never_none():
    with pytest.raises(ek.NotEnoughEvidence, match="not recorded does not say there was none") as refused:
        ek.signals.actions(asked())
    assert "actions.csv" in refused.value.would_answer


def test_everything_done_leaves_nothing_open():
    found = answered(action(**DECIDED, due_on="2026-02-01", done_on="2026-02-01"))
    assert found.headline == "0 of 1 actions are still open"
    assert "Open longest" not in found.reading
    assert not found.table["ask"].str.contains("“").any()


OPTIONAL = st.one_of(st.none(), st.dates(date(2026, 1, 1), TODAY))


@given(st.lists(st.tuples(OPTIONAL, OPTIONAL, OPTIONAL), min_size=1, max_size=6))
def test_every_action_is_in_one_state_and_no_state_is_lost(told):
    log = [action("2026-01-01", decided_on=decided, due_on=due, done_on=done) for decided, due, done in told]
    found = answered(*log)
    assert sum(counted(found).values()) == len(log) == len(each(found))
    assert counted(found)[LATE] + counted(found)[IN_TIME] == sum(done is not None for _, _, done in told)
    assert len(found.parts[1]) <= 4


def test_northmere_reads_its_log():
    found = ek.signals.actions(ek.load(folder("sample_data") / "northmere"))
    assert sum(counted(found).values()) == found.about.of == 12
    assert found.table.loc[found.table["ask"] != "", "ask"].str.endswith("?").all()
