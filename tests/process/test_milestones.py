"""process.milestones: due, late and never reached are kept apart from what is not due and what has no day."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalkit as ek
from evalkit.circumstances import NOT_NAMED
from evalkit.process.milestones import EARLY, LATE, NO_DAY, NOT_DUE, ON_TIME, PAST, REACHED, STATES, TARGET
from evalkit.programme import Programme, Settings
from evalkit.resources import folder

PLACES = pd.DataFrame(
    {
        "place_id": ["P1", "P2", "P3", "P9"],
        "name": ["Zelkova", "Ash", "Secret", "Beech"],
        "arm": ["programme", "programme", "programme", "comparison"],
        "may_be_named": [True, None, False, True],
    }
)


def goal(place: str | None, planned: str | None, achieved: str | None = None, **said: Any) -> dict[str, Any]:
    days = {"planned_on": pd.Timestamp(planned), "achieved_on": pd.Timestamp(achieved)}
    return {
        "place_id": place,
        "name": "Model",
        "kind": None,
        "target": None,
        "value": None,
        "unit": None,
        **days,
        **said,
    }


PLAN = [
    goal("P1", "2025-03-01", "2025-03-01", kind="care_model"),
    goal("P1", "2025-03-01", "2025-03-11", kind="care_model"),
    goal("P2", "2025-04-01", "2025-05-01", kind="care_model", target=80.0, value=80.0, unit="% of practices"),
    goal("P2", "2025-06-30", kind="coverage", target=50.0, value=20.0, unit="% of practices"),
    goal(None, "2026-02-01", "2025-05-30"),
    goal("P3", "2026-03-01"),
    goal("P3", None, target=0.0, value=3.0, unit="beds"),
    goal("P9", "2025-03-01", "2025-03-01"),
]


def asked(plan: list[dict[str, Any]]) -> Programme:
    log = pd.DataFrame([{"milestone_id": f"G{at}", **told} for at, told in enumerate(plan)])
    numbers = {"target": float, "value": float}
    tables = {"places": PLACES} | ({"milestones": log.astype(numbers)} if plan else {})
    settings = Settings(name="Testmere", starts_on=date(2025, 1, 1), as_of=date(2025, 6, 30), fictional=True)
    return Programme.build(settings=settings, tables=tables)


def of(found: ek.result.Result, group: str = "all") -> dict[str, dict[str, Any]]:
    table = found.table
    return {row["measure"]: row for row in table[table["group"] == group].to_dict("records")}


def test_the_numbers_of_a_small_plan_by_hand():
    found = ek.process.milestones(asked(PLAN))
    rows = of(found)
    assert {state: rows[state]["n"] for state in STATES} == {
        ON_TIME: 1, LATE: 2, PAST: 1, EARLY: 1, NOT_DUE: 1, NO_DAY: 1
    }  # fmt: skip
    assert (rows[REACHED]["n"], rows[REACHED]["out_of"], rows[REACHED]["estimate"]) == (3, 4, 75)
    assert rows[REACHED]["sign"] == "uncertain"
    assert rows[REACHED]["ask"].startswith("Of 4 milestones due, 1 is not reached: ")
    assert rows[NO_DAY]["ask"].startswith("Of 7 milestones, 1 has no day")
    assert rows["Days late, of those reached late"]["estimate"] == 20  # of 10 and 30
    assert rows["Days after the day planned, of those reached"]["estimate"] == 10  # of 0, 10 and 30
    assert rows["Days past, of those not reached"]["estimate"] == 0
    assert of(found, "care model")[REACHED]["n"] == 3
    assert of(found, "not recorded")[NOT_DUE]["n"] == 1
    assert "1 milestone of comparison places left out" in " ".join(found.caveats)


def test_a_target_is_shared_by_unit_and_nought_is_left_out_aloud():
    found = ek.process.milestones(asked(PLAN))
    row = found.table[found.table["measure"] == TARGET].iloc[0]
    assert len(found.table[found.table["measure"] == TARGET]) == 1
    assert (row["group"], row["n"], row["estimate"], row["low"], row["high"]) == ("% of practices", 2, 70, 40, 100)
    assert row["interval"] == "range"
    assert "1 figure without both a value and a target above nought left out." in found.caveats


def test_places_stand_in_the_alphabet_and_those_that_said_no_are_not_named():
    found = ek.process.milestones(asked(PLAN))
    places = found.table.loc[found.table["by"] == "place", "group"].unique().tolist()
    assert places == sorted(places) == ["Ash", "Zelkova", "for all places", NOT_NAMED]
    assert "Secret" not in found.table.to_string()
    assert "Beech" not in found.table.to_string()


def test_a_window_counts_what_fell_due_in_it_as_it_stood_then():
    found = ek.process.milestones(asked(PLAN), since=date(2025, 3, 2), until=date(2025, 4, 20))
    rows = of(found)
    assert {state: rows[state]["n"] for state in STATES} == {
        ON_TIME: 0, LATE: 0, PAST: 1, EARLY: 0, NOT_DUE: 3, NO_DAY: 1
    }  # fmt: skip
    assert rows[REACHED]["sign"] == "not working"
    assert found.about.asked == "process.milestones(since=date(2025, 3, 2), until=date(2025, 4, 20))"


@pytest.mark.parametrize("plan", [[goal(None, None)], [goal("P1", "2026-01-01")]])
def test_nothing_due_is_said_and_not_signed_as_done(plan):
    found = ek.process.milestones(asked(plan))
    assert found.headline == "No milestone was due"
    assert found.about.of == 0
    assert pd.isna(of(found)[REACHED]["estimate"])
    assert not (found.table.get("sign", pd.Series(dtype=str)) == "working").any()
    assert found.alt


def test_all_reached_is_working_and_still_asks_about_lateness():
    row = of(ek.process.milestones(asked(PLAN[:2])))[REACHED]
    assert row["sign"] == "working"
    assert "1 of them late" in row["ask"]


@pytest.mark.parametrize("plan", [[], PLAN[-1:]])
def test_no_milestone_of_the_programmes_own_is_not_recorded(plan):
    with pytest.raises(ek.NotEnoughEvidence, match="not say that there was none"):
        ek.process.milestones(asked(plan))


day = st.dates(date(2024, 6, 1), date(2026, 6, 1)).map(str)
reached = st.none() | st.dates(date(2024, 6, 1), date(2025, 6, 30)).map(str)


@given(st.lists(st.tuples(st.none() | day, reached), min_size=1, max_size=9))
def test_every_milestone_stands_in_one_place(drawn):
    rows = of(ek.process.milestones(asked([goal("P1", *days) for days in drawn])))
    assert sum(rows[state]["n"] for state in STATES) == len(drawn)
    assert rows[REACHED]["n"] + rows[PAST]["n"] == rows[REACHED]["out_of"]


def test_northmere_reaches_about_as_much_as_planted():
    found = ek.process.milestones(ek.load(folder("sample_data") / "northmere"))
    assert 50 < of(found)[REACHED]["estimate"] < 85
    assert found.table.loc[found.table["by"] == "place", "group"].nunique() == 12
