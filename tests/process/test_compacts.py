"""process.compacts: kept, late, broken and unknown stay apart; nobody who promised is shown."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalkit as ek
from evalkit.process.compacts import (
    DONE_IN_TIME,
    DONE_LATE,
    IN_TIME,
    LATE,
    NO_DAY,
    NO_DAY_SAID,
    NOT_DUE,
    NOT_KEPT,
    NOT_KNOWN,
    OPEN,
    STATES,
)  # fmt: skip
from evalkit.programme import Programme, Settings
from evalkit.resources import folder

EACH_OTHER, SPONSORS = "participants_with_each_other", "participants_and_sponsors"


def promise(due: str | None, met: bool | None = None, on: str | None = None, **said: Any) -> dict[str, Any]:
    told = {"kind": EACH_OTHER, "party_a": "A7", "party_b": "T1", "agreed_on": "2025-01-01", "reason": None}
    return {**told, "due_on": due, "met": met, "met_on": on, **said}


def action(raised: str, decision: str | None, due: str | None, done: str | None, team: str = "T1") -> dict[str, Any]:
    return {
        "signal": "Seen",
        "team_id": team,
        "raised_on": raised,
        "decision": decision,
        "due_on": due,
        "done_on": done,
    }


PROMISES = [
    promise("2025-03-01", True, "2025-03-01"),
    promise("2025-03-01", True, "2025-03-02", reason="Winter"),
    promise("2025-03-01", True),
    promise("2025-03-01", False, reason="Winter"),
    promise("2025-03-01", False, reason="A7 was on leave", kind=SPONSORS),
    promise("2025-03-01", None, kind=SPONSORS, agreed_on="2024-01-01"),
    promise("2025-09-01"),
    promise(None, True, kind=SPONSORS),
    promise(None, None),
]
ACTIONS = [
    action("2025-01-05", "Do it", "2025-02-01", "2025-02-01"),
    action("2025-01-05", "Do it", "2025-02-01", "2025-02-02"),
    action("2025-01-05", "Do it", "2025-02-01", None),
    action("2025-01-05", "Do it", None, None),
    action("2025-01-05", None, None, None),
    action("2025-01-05", "Do it", "2025-02-01", None, team="T9"),
]


def asked(promises: list[dict[str, Any]], actions: list[dict[str, Any]] = ()) -> Programme:
    dated = {"compacts": ("agreed_on", "due_on", "met_on"), "actions": ("raised_on", "due_on", "done_on")}
    tables = {
        "people": pd.DataFrame({"person_id": ["A7"], "kind": ["participant"]}),
        "places": pd.DataFrame({"place_id": ["P1", "P9"], "name": ["Ash", "Elm"], "arm": ["programme", "comparison"]}),
        "teams": pd.DataFrame({"team_id": ["T1", "T9"], "place_id": ["P1", "P9"]}),
    }
    if promises:
        log = pd.DataFrame(
            [{"compact_id": f"B{at}", "commitment": "To come", **told} for at, told in enumerate(promises)]
        )
        tables["compacts"] = log.astype({"met": "boolean"})
    if actions:
        tables["actions"] = pd.DataFrame([{"action_id": f"X{at}", **told} for at, told in enumerate(actions)])
    for name, columns in dated.items():
        if name in tables:
            tables[name] = tables[name].assign(**{day: pd.to_datetime(tables[name][day]) for day in columns})
    settings = Settings(name="Testmere", starts_on=date(2024, 1, 1), as_of=date(2025, 6, 30), fictional=True)
    return Programme.build(settings=settings, tables=tables)


def of(found: ek.result.Result, group: str = "all") -> dict[str, dict[str, Any]]:
    table = found.table
    return {row["measure"]: row for row in table[table["group"] == group].to_dict("records")}


def test_the_numbers_of_a_small_log_by_hand():
    found = ek.process.compacts(asked(PROMISES, ACTIONS))
    rows = of(found)
    assert {state: rows[state]["n"] for state in (*STATES, NOT_DUE, NO_DAY)} == {
        IN_TIME: 1, LATE: 1, NO_DAY_SAID: 1, NOT_KEPT: 2, NOT_KNOWN: 1, NOT_DUE: 1, NO_DAY: 2
    }  # fmt: skip
    assert (rows["Kept"]["n"], rows["Kept"]["out_of"], rows["Kept"]["sign"]) == (3, 6, "uncertain")
    assert rows["Kept"]["ask"].startswith("Of 6 promises due, 2 were not kept, and of 1 nobody can tell:")
    assert (rows["Kept, of those without a day"]["n"], rows["Kept, of those without a day"]["out_of"]) == (1, 2)
    assert of(found, "participants with each other")["Kept"]["estimate"] == 75
    assert of(found, "participants and sponsors")["Kept"]["estimate"] == 0
    assert of(found, "programme and participants")["Kept"]["out_of"] == 0
    assert (found.about.n, found.about.of) == (3, 6)


def test_decisions_back_home_stand_beside_in_the_same_shape():
    rows = of(ek.process.compacts(asked(PROMISES, ACTIONS)))
    assert (rows["Points decided on"]["n"], rows["Points taken up"]["n"]) == (4, 5)
    assert [rows[name]["n"] for name in (DONE_IN_TIME, DONE_LATE, OPEN)] == [1, 1, 1]
    assert rows["Decisions without a day"]["n"] == 1
    assert rows["Decisions done"]["sign"] == "uncertain"
    assert rows["Decisions done"]["ask"].startswith("Of 3 decisions due, 1 is not done")


def test_decisions_of_nobodys_team_and_place_are_counted():
    lone = ek.process.compacts(asked(PROMISES, [{**ACTIONS[0], "team_id": None}]))
    assert of(lone)["Decisions done"]["sign"] == "working"


def test_what_was_not_yet_agreed_is_not_counted():
    found = ek.process.compacts(asked(PROMISES), until=date(2024, 12, 31))
    assert of(found)[NOT_DUE]["n"] == 1


def test_decisions_nobody_wrote_down_are_not_none():
    found = ek.process.compacts(asked(PROMISES))
    assert "Decisions done" not in of(found)
    assert any("back home was not recorded" in said for said in found.caveats)


def test_kept_by_time_since_it_was_agreed():
    ages = [
        promise("2025-06-01", True, agreed_on=day) for day in ("2025-03-31", "2025-03-30", "2024-12-30", "2024-06-30")
    ]
    table = ek.process.compacts(asked(ages)).table
    told = table[table["measure"] == "Kept, by time since agreed"]
    assert told["out_of"].tolist() == [1, 1, 1, 1]
    assert told["group"].iloc[-1] == "over 12 months ago"


def test_nobody_who_promised_is_shown_and_a_reason_given_once_only_counted():
    found = ek.process.compacts(asked(PROMISES, ACTIONS))
    shown = " ".join([found.table.to_string(), found.reading, found.alt, *found.caveats])
    assert "A7" not in shown
    reasons = found.table[found.table["measure"] == "Reason given"]
    assert dict(zip(reasons["group"], reasons["n"], strict=True)) == {"Winter": 2, "a reason given once": 1}
    assert reasons["out_of"].tolist() == [3, 3]


def test_a_window_counts_what_fell_due_in_it_as_it_stood_then():
    found = ek.process.compacts(asked(PROMISES), since=date(2025, 2, 1), until=date(2025, 3, 1))
    rows = of(found)
    assert [rows[state]["n"] for state in STATES] == [1, 0, 1, 3, 1]
    later = ek.process.compacts(asked(PROMISES), since=date(2025, 3, 2))
    assert later.headline == "No promise was due"
    assert later.alt


def test_not_knowing_alone_is_never_not_working():
    assert of(ek.process.compacts(asked([promise("2025-03-01")] * 3)))["Kept"]["sign"] == "uncertain"
    assert of(ek.process.compacts(asked([promise("2025-03-01", False)])))["Kept"]["sign"] == "not working"
    all_kept = of(ek.process.compacts(asked([promise("2025-03-01", True)])))["Kept"]
    assert all_kept["sign"] == "working"
    assert "what do we want to promise next?" in all_kept["ask"]


def test_no_promise_is_not_recorded():
    with pytest.raises(ek.NotEnoughEvidence, match="not say that there was none"):
        ek.process.compacts(asked([], ACTIONS))


day = st.dates(date(2025, 1, 2), date(2025, 12, 31)).map(str)
promises = st.tuples(st.none() | day, st.sampled_from([None, True, False]), st.booleans())


@given(st.lists(promises, min_size=1, max_size=9))
def test_every_promise_stands_in_one_place(drawn):
    log = [promise(due, met, "2025-05-01" if met and dated else None) for due, met, dated in drawn]
    rows = of(ek.process.compacts(asked(log)))
    assert sum(rows[state]["n"] for state in (*STATES, NOT_DUE, NO_DAY)) == len(log)
    assert sum(rows[state]["n"] for state in STATES) == rows["Kept"]["out_of"]


def test_northmere_keeps_about_as_much_as_planted():
    rows = of(ek.process.compacts(ek.load(folder("sample_data") / "northmere")))
    assert 50 < rows["Kept"]["estimate"] < 80
    assert rows[NOT_KNOWN]["n"] > 0
