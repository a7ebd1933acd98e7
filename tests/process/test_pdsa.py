"""process.pdsa: every team counts, an abandoned test is one learnt from, and limits are never drawn anew by it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalkit as ek
from evalkit.process.pdsa import ENDED_AFTER, ENOUGH_DECIDED, FROM, LEARNT
from evalkit.programme import Plan, Programme, Settings
from evalkit.resources import folder

ADMISSIONS = "emergency_admissions_65_plus"
PLACES = pd.DataFrame({"place_id": ["P1", "P2"], "name": ["Ash", "Beech"], "arm": ["programme", "comparison"]})
TEAMS = pd.DataFrame({"team_id": ["T1", "T2", "T3", "T9"], "place_id": ["P1", "P1", None, "P2"]})


def cycle(team: str, number: int, on: str, **said: Any) -> dict[str, Any]:
    steps = {"prediction": None, "measure": None, "result": None, "decision": None}
    return {"team_id": team, "number": number, "started_on": pd.Timestamp(on), **steps, **said}


WHOLE = {"prediction": "Fewer calls", "result": "Fewer"}
LOG = [
    cycle("T1", 1, "2025-01-10", **WHOLE, decision="adapt"),
    cycle("T1", 2, "2025-03-10", **WHOLE, decision="abandon"),
    cycle("T1", 3, "2025-09-01", result="Seen", decision="adopt"),
    cycle("T2", 1, "2025-12-20", prediction="More"),
    cycle("T9", 1, "2025-02-01", **WHOLE, decision="adopt"),
]


def asked(cycles: list[dict[str, Any]], plan: Plan | None = None) -> Programme:
    log = pd.DataFrame([{"cycle_id": f"C{at}", **told} for at, told in enumerate(cycles)])
    settings = Settings(
        name="Testmere", starts_on=date(2025, 1, 1), as_of=date(2025, 12, 31), fictional=True, plan=plan or Plan()
    )
    tables = {"places": PLACES, "teams": TEAMS, "pdsa": log} if cycles else {"places": PLACES, "teams": TEAMS}
    return Programme.build(settings=settings, tables=tables)


def every(found: ek.result.Result) -> dict[str, dict[str, Any]]:
    table = found.table
    return {row["measure"]: row for row in table[table["group"] == "all"].to_dict("records")}


def test_the_numbers_of_a_small_log_by_hand():
    found = ek.process.pdsa(asked(LOG))
    rows = every(found)
    assert (rows["Teams that began a test"]["n"], rows["Teams that began a test"]["out_of"]) == (2, 3)
    assert rows["Tests begun"]["n"] == 4
    assert rows["Tests a team and month"]["estimate"] == pytest.approx(4 / (3 * 365 / (365.25 / 12)))
    assert rows["Longest series"]["n"] == 3
    assert rows["Teams with a second or later test"]["n"] == 1
    assert rows["With a prediction"]["estimate"] == 75
    assert rows["With a result"]["n"] == 3
    assert [rows[name]["n"] for name in ("Adopted", "Adapted", "Abandoned", "Not decided")] == [1, 1, 1, 1]
    assert (rows[LEARNT]["n"], rows[LEARNT]["out_of"], rows[LEARNT]["sign"]) == (2, 3, "uncertain")
    assert (found.about.n, found.about.of, found.about.counts) == (2, 3, "teams")
    assert any("1 test of teams in comparison places left out" in said for said in found.caveats)
    assert rows["Teams that began a test"]["ask"].startswith("No test of change is written down for 1 of 3 teams")
    assert rows["Teams that began a test"]["sign"] == "not recorded"


def test_a_window_counts_what_began_in_it_and_says_so():
    found = ek.process.pdsa(asked(LOG), since=date(2025, 3, 10), until=date(2025, 9, 1))
    assert every(found)["Tests begun"]["n"] == 2
    assert found.about.asked == "process.pdsa(since=date(2025, 3, 10), until=date(2025, 9, 1))"
    assert "10 March 2025 to 1 September 2025" in found.reading


def test_a_window_with_no_test_is_a_question_and_no_success():
    found = ek.process.pdsa(asked(LOG), since=date(2025, 4, 1), until=date(2025, 8, 31))
    rows = every(found)
    assert rows["Tests begun"]["n"] == 0
    assert rows["Teams that began a test"]["sign"] == "not recorded"
    assert rows[LEARNT]["sign"] == ""
    assert pd.isna(rows["Longest series"]["n"])
    assert found.alt


def test_only_what_should_have_ended_is_expected_to_be_written_to_the_end():
    last = pd.Timestamp(2025, 12, 31) - pd.Timedelta(days=ENDED_AFTER)
    edge = [cycle("T1", 1, str(last.date())), cycle("T1", 2, str((last + pd.Timedelta(days=1)).date()))]
    row = every(ek.process.pdsa(asked(edge)))[LEARNT]
    assert (row["n"], row["out_of"], row["sign"]) == (0, 1, "not working")


def test_never_abandoning_is_asked_about_once_enough_was_decided():
    adopted = [cycle("T1", at, "2025-02-01", **WHOLE, decision="adopt") for at in range(1, ENOUGH_DECIDED + 1)]
    assert every(ek.process.pdsa(asked(adopted)))["Abandoned"]["sign"] == "uncertain"
    assert every(ek.process.pdsa(asked(adopted[1:])))["Abandoned"]["sign"] == ""


def test_a_declared_month_is_named_beside_the_tests_begun_in_it():
    named = [
        cycle("T1", 1, "2025-02-03", measure=ADMISSIONS),
        cycle("T2", 1, "2025-05-20", measure=ADMISSIONS),
        cycle("T2", 2, "2025-06-01", measure="calls"),
    ]
    months = pd.DataFrame(
        {
            "place_id": "P1", "measure": ADMISSIONS, "value": 10.0,
            "period": pd.date_range("2025-01-01", periods=8, freq="MS"), "span": 1,
        }
    )  # fmt: skip
    programme = asked(named)
    plan = Plan(rebase={ADMISSIONS: {date(2025, 5, 1): "A ward opened"}})
    settings = Settings(name="T", starts_on=date(2025, 1, 1), as_of=date(2025, 12, 31), plan=plan)
    whole = {"places": PLACES, "teams": TEAMS, "pdsa": programme.pdsa, "outcomes": months}
    found = ek.process.pdsa(Programme.build(settings=settings, tables=whole))
    row = found.table[found.table["measure"] == FROM].iloc[0]
    assert (row["n"], row["started"], row["drawn_anew"]) == (2, "February 2025 and May 2025", "May 2025")
    assert "declared to be drawn anew" in found.reading
    assert "(May 2025)" in found.reading
    plain = ek.process.pdsa(programme)
    assert plain.table.loc[plain.table["measure"] == FROM, "drawn_anew"].tolist() == [""]
    assert "drawn anew" not in plain.reading


@pytest.mark.parametrize("log", [[], [cycle("T9", 1, "2025-02-01")]])
def test_no_test_of_the_programmes_own_teams_is_not_recorded(log):
    with pytest.raises(ek.NotEnoughEvidence, match="not say that there was none"):
        ek.process.pdsa(asked(log))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["T1", "T2", "T3"]), st.integers(1, 4), st.dates(date(2024, 12, 1), date(2026, 2, 1)),
            st.booleans(), st.sampled_from([None, "adopt", "adapt", "abandon"]),
        ),
        min_size=1, max_size=12,
    )
)  # fmt: skip
def test_decisions_add_up_and_nothing_learnt_exceeds_what_was_begun(drawn):
    log = [
        cycle(team, number, str(min(on, date(2025, 12, 31))), prediction="p" if said else None, decision=decision,
              result="r" if decision else None)
        for team, number, on, said, decision in drawn
    ]  # fmt: skip
    rows = every(ek.process.pdsa(asked(log)))
    decided = sum(rows[name]["n"] for name in ("Adopted", "Adapted", "Abandoned", "Not decided"))
    assert decided == rows["Tests begun"]["n"] == len(log)
    assert rows[LEARNT]["n"] <= min(rows["With a prediction"]["n"], rows["With a result"]["n"])
    assert rows["Teams that began a test"]["n"] == len({team for team, *_ in drawn})


def test_northmere_tests_about_as_often_as_planted():
    northmere = ek.load(folder("sample_data") / "northmere")
    rows = every(ek.process.pdsa(northmere))
    assert 0.1 < rows["Tests a team and month"]["estimate"] < 0.2
    assert rows["Teams that began a test"]["out_of"] == 24
