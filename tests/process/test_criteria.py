"""process.criteria: yes, no and not recorded are three things; agreed on the day of the first session is not before."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

import evalkit as ek
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.terms import Verdict

FIVE = ("brings_plan_nearer", "fits_workforce_strategy", "joins_organisations", "develops", "affordable")
WHOLE = {"who": "Leaders", "what": "Waiting", "where": "The town", "purpose": "To learn"}


def intervention(key: str, criteria: str = "yyyyy", **said: Any) -> dict[str, Any]:
    """A row: the five criteria as letters (y, n, or - for blank)."""
    answers = {"y": True, "n": False, "-": None}
    return {"intervention_id": key, **{name: answers[letter] for name, letter in zip(FIVE, criteria, strict=True)},
            **said}  # fmt: skip


def asked(*interventions: dict[str, Any], sessions: tuple[tuple[str, ...], ...] = (), **others: Any) -> Result:
    tables = {"interventions": pd.DataFrame([*interventions]), **others}
    if sessions:
        rows = [dict(zip(("intervention", "held_on", "place_id"), session, strict=False)) for session in sessions]
        tables["sessions"] = pd.DataFrame([{"session_id": f"D{k}", **row} for k, row in enumerate(rows)])
    for name, column in (("interventions", "agreed_on"), ("sessions", "held_on")):
        if name in tables and column in tables[name]:
            tables[name][column] = pd.to_datetime(tables[name][column])
    settings = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2025, 3, 31), fictional=True)
    return ek.process.criteria(Programme.build(settings=settings, tables=tables))


def row(found: Result, measure: str, group: str = "all") -> dict[str, Any]:
    table = found.table
    (held,) = table[(table["measure"] == measure) & (table["group"] == group)].to_dict("records")
    return held


def counts(found: Result, measure: str) -> tuple[int, int, int, int]:
    held = row(found, measure)
    return held["n"], held["said_no"], held["not_said"], held["out_of"]


def test_yes_no_and_blank_are_counted_apart():
    found = asked(intervention("A"), intervention("B", "ynyyy"), intervention("C", "yyyy-"), intervention("D", "n-yyy"))
    assert counts(found, "Fits the workforce strategy") == (2, 1, 1, 4)
    assert counts(found, "Affordable or funded") == (3, 0, 1, 4)
    # A meets all; B and D say no to one; C has none and one blank
    assert counts(found, "Meets all 5") == (1, 2, 1, 4)
    assert "met by 1 of 4 interventions; no to at least one: 2; no answer to at least one: 1" in found.reading
    assert found.verdict is Verdict.DESCRIBED
    assert row(found, "Meets all 5")["sign"] == "not working"
    assert row(found, "Meets all 5")["ask"].endswith("?")


def test_who_what_where_and_purpose_make_a_description_together():
    found = asked(intervention("A", **WHOLE), intervention("B", **{**WHOLE, "where": None}))
    assert counts(found, "Says in what place") == (1, 0, 1, 2)
    assert counts(found, "Says who it is for") == (2, 0, 0, 2)
    assert counts(found, "Says who, what, where and purpose") == (1, 0, 1, 2)


def test_success_is_agreed_with_whom_and_when_or_not_at_all():
    agreed = {"agreed_success": "They ring", "agreed_with": "The board", "agreed_on": "2024-03-01"}
    found = asked(intervention("A", **agreed), intervention("B", **{**agreed, "agreed_with": None}))
    assert counts(found, "Success agreed, with whom and when") == (1, 0, 1, 2)
    assert counts(found, "Success agreed before the first session")[3] == 0, "nothing was held, so nothing is due"
    assert "already held" not in found.reading
    assert any("No session was recorded for 2 of 2" in caution for caution in found.caveats)


@pytest.mark.parametrize(
    ("agreed_on", "expected"),
    [("2024-05-01", (1, 0, 0, 1)), ("2024-05-02", (0, 1, 0, 1)), ("2024-06-01", (0, 1, 0, 1)), (None, (0, 0, 1, 1))],
)
def test_agreed_before_the_first_session_of_the_menu_code(agreed_on, expected):
    said = {"menu_code": "action_learning_sets", "agreed_success": "They ring", "agreed_on": agreed_on}
    sessions = (("action_learning_sets", "2024-07-01"), ("action_learning_sets", "2024-05-02"),
                ("coaching_and_mentoring", "2024-04-02"))  # fmt: skip
    assert counts(asked(intervention("A", **said), sessions=sessions), BEFORE) == expected


BEFORE = "Success agreed before the first session"


def test_sessions_of_another_place_or_after_the_data_end_are_not_its_own():
    places = pd.DataFrame({"place_id": ["P1", "P2"], "name": ["Here", "There"]})
    said = {"menu_code": "action_learning_sets", "agreed_success": "x", "agreed_on": "2024-05-10", "place_id": "P1"}
    other = asked(
        intervention("A", **said), sessions=(("action_learning_sets", "2024-05-02", "P2"),
                                             ("action_learning_sets", "2024-06-02", "P1")), places=places
    )  # fmt: skip
    assert counts(other, BEFORE) == (1, 0, 0, 1)
    later = asked(intervention("A", **said), sessions=(("action_learning_sets", "2025-05-02", "P1"),), places=places)
    assert counts(later, BEFORE)[3] == 0


def test_each_gap_is_one_ask_and_interventions_stand_in_the_order_of_the_alphabet():
    found = asked(
        intervention("Z", menu_code="coaching_and_mentoring", **WHOLE),
        intervention("B", "ynyyy", menu_code="action_learning_sets", **{**WHOLE, "who": None}),
        intervention("C", menu_code="action_learning_sets", **WHOLE),
        intervention("D", "-----"),
    )
    table = found.table[found.table["measure"] == "Open points"]
    assert table["group"].tolist() == [
        "Action Learning Sets (B)", "Action Learning Sets (C)", "Coaching and Mentoring", "Not on the menu",
    ]  # fmt: skip
    first = row(found, "Open points", "Action Learning Sets (B)")
    assert first["open_points"] == (
        "Fits the workforce strategy: no; Says who it is for: not recorded; "
        "Success agreed, with whom and when: not recorded"
    )
    assert (first["n"], first["said_no"], first["not_said"]) == (3, 1, 2)
    assert row(found, "Open points", "Not on the menu")["n"] == 5 + 4 + 1


def test_all_met_is_working_and_asks_nothing():
    said = {"agreed_success": "x", "agreed_with": "y", "agreed_on": "2024-03-01", "menu_code": "action_learning_sets"}
    found = asked(intervention("A", **WHOLE, **said), sessions=(("action_learning_sets", "2024-05-02"),))
    signed = found.table[found.table["sign"] != ""]
    assert signed["sign"].tolist() == ["working"] * 3
    assert signed["ask"].tolist() == [""] * 3
    assert row(found, "Open points", "Action Learning Sets")["open_points"] == "none"


def test_nothing_written_is_not_recorded():
    found = asked(intervention("A", "-----"))
    assert row(found, "Meets all 5")["sign"] == "not recorded"
    assert row(found, "Meets all 5")["not_said"] == 1


def test_northmere():
    found = ek.process.criteria(ek.load(folder("sample_data") / "northmere"))
    assert (found.table["sign"] != "").sum() == 3
    assert row(found, "Meets all 5")["out_of"] == 6
