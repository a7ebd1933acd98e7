"""The tables themselves: each breaks where it should, at its row and column, and says why."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.tables import families, models, references, schema
from data_schemas.tables._columns import at_least_one, differ, in_order, needs, range_holds, years_follow
from evalkit.programme import check

CLEAN = Path(__file__).parent / "broken" / "clean"

NO_IDS = {"responses", "scores"}
"""Their subjects are looked up by kind."""

ONE_CELL = [
    # file, what stood there, what stands there now, row, column, words of the problem
    ("organisations.csv", "ods_code,place_id\nO1,North Trust,RXX,L1\nO2,South Council,,L2",
     "ods_code,successor_id\nO1,North Trust,RXX,O1\nO2,South Council,,", 2, "successor_id", "its own successor"),
    ("places.csv", "L1,North,S1", "L1,North,L1", 3, "parent_id", "a part of itself"),
    ("respondents.csv", "respondent_id,organisation_id,level,place_id\nF1,O2,senior middle,L1",
     "respondent_id,organisation_id,level,alias_of\nF1,O2,senior middle,F1", 2, "alias_of", "their own earlier id"),
    ("respondents.csv", "respondent_id,organisation_id,level,place_id\nF1,O2,senior middle,L1",
     "respondent_id,organisation_id,level,alias_of\nF1,O2,senior middle,F9", 2, "alias_of", "not in people.csv or"),
    ("posts.csv", "P1,O1", "P1,O9", 2, "organisation_id", "not in organisations.csv"),
    ("posts.csv", "P1,O1", "P9,O1", 2, "person_id", "not in people.csv"),
    ("posts.csv", "executive", "director", 2, "seniority", "Not a word"),
    ("posts.csv", "2022-01-01,", "2022-01-01,2021-12-31", 2, "end", "ends before it starts"),
    ("characteristics.csv", "P1,sex,female", "P1,sex,", 2, "value", "blank"),
    ("characteristics.csv", "P1,sex", "P9,sex", 2, "participant_id", "not in people.csv"),
    ("memberships.csv", "P1,T1,guest", "P1,T9,guest", 2, "team_id", "not in teams.csv"),
    ("memberships.csv", "2024-04-01,", "2024-04-01,2024-03-01", 3, "end", "ends before it starts"),
    ("interventions.csv", "yes,yes,yes,yes,no", "yes,yes,yes,yes,perhaps", 2, "affordable", "neither yes nor no"),
    ("interventions.csv", "Fewer handovers", "", 2, "agreed_success", "what was agreed is not said"),
    ("interventions.csv", "I2,", "I1,", 3, "intervention_id", "repeats row 2"),
    ("spread_events.csv", "20,14", "20,-14", 2, "came", "below 0"),
    ("talent.csv", "P1,", "P9,", 2, "person_id", "not in people.csv"),
    ("talent.csv", "higher_post,2025-01-06", "higher_post,2024-01-06", 2, "outcome_on", "before the conversation"),
    ("talent.csv", "higher_post,2025-01-06", ",2025-01-06", 2, "outcome", "what came of it is not said"),
    ("meetings.csv", "face_to_face", "face to face", 2, "mode", "Not a word"),
    ("meetings.csv", "2024-05-02", "2026-05-02", 2, "held_on", "after 2026-03-31"),
    ("meeting_attendance.csv", "B2,007", "B3,007", 4, "meeting_id", "not in meetings.csv"),
    ("meeting_attendance.csv", "B1,P2,no", "B1,P2,", 3, "present", "blank"),
    ("conflicts.csv", "2024-06-20", "2024-04-20", 2, "resolved_on", "before it was raised"),
    ("conflicts.csv", "all_gained", "", 2, "outcome", "how is not said"),
    ("conflicts.csv", "all_gained", "win-win", 2, "outcome", "Not a word"),
    ("compacts.csv", "T1,O2", "T1,T9", 2, "party_b", "not in people.csv or teams.csv or organisations.csv"),
    ("compacts.csv", "T1,O2", "O2,O2", 2, "party_b", "to themselves"),
    ("compacts.csv", "2024-09-30", "2024-03-30", 2, "due_on", "due before it was agreed"),
    ("compacts.csv", "2024-09-01", "2024-03-01", 2, "met_on", "kept before it was agreed"),
    ("compacts.csv", "yes,2024-09-01", "no,2024-09-01", 2, "met", "not said to be kept"),
    ("compacts.csv", "yes,2024-09-01", ",2024-09-01", 2, "met", "not said to be kept"),
    ("drivers.csv", "O1,reinforce", "O1,remind", 2, "kind", "Not a word"),
    ("drivers.csv", "O2,reward", "O9,reward", 3, "organisation_id", "not in organisations.csv"),
    ("observations.csv", "climate,network", "climate,", 2, "form", "blank"),
    ("observations.csv", "hierarchy,C2", "hierarchy,C1", 3, "place_id, feature, coder, observed_on", "repeats row 2"),
    ("pdsa.csv", "D1,T1,1", "D1,T1,0", 2, "number", "below 1"),
    ("pdsa.csv", "From 30 to 22,adapt", "From 30 to 22,keep", 2, "decision", "Not a word"),
    ("pdsa.csv", "From 30 to 22", "", 2, "result", "what it saw is not said"),
    ("milestones.csv", "20,4.0,cases", "20,4.0,", 3, "unit", "what it counts is not said"),
    ("milestones.csv", "2024-10-14", "2026-10-14", 2, "achieved_on", "after 2026-03-31"),
    ("adaptations.csv", "H1,I1", "H1,I3", 2, "intervention_id", "not in interventions.csv"),
    ("adaptations.csv", "altered,yes", "changed,yes", 2, "change", "Not a word"),
    ("wins.csv", "small", "tiny", 2, "size", "Not a word"),
    ("actions.csv", "2025-01-20", "2024-01-20", 2, "done_on", "done before the signal"),
    ("actions.csv", "2025-01-31", "2024-01-31", 2, "due_on", "due before the signal"),
    ("actions.csv", "2024-11-20", "2024-11-10", 2, "decided_on", "decided before the signal"),
    ("actions.csv", "A joint board", "", 2, "decision", "what was decided is not said"),
    ("actions.csv", "2024-11-20,P1", "2024-11-20,P9", 2, "owner", "not in people.csv or teams.csv"),
    ("support_requests.csv", "Q1,T1", "Q1,", 2, "team_id", "neither which team asked nor which place"),
    ("support_requests.csv", "2024-05-20", "2024-05-02", 2, "answered_on", "answered before it was asked"),
    ("admissions.csv", "67", "167", 4, "age", "not between 0 and 120"),
    ("admissions.csv", "L3,", "L9,", 4, "place_id", "not in places.csv"),
    ("risk_tiers.csv", "2000,150", "2000,2150", 2, "reached", "More people are reached"),
    ("findings.csv", "0.4,0.1,0.7", "0.8,0.1,0.7", 2, "estimate", "not lie between"),
    ("findings.csv", "0.4,0.1,0.7", ",0.8,0.7", 2, "estimate", "not lie between"),
    ("findings.csv", "before_after", "pre-post", 2, "design", "Not a word"),
    ("costs.csv", "9000,7000,12000", "9000,9500,12000", 3, "amount", "not lie between"),
    ("costs.csv", "9000,7000", "-9000,", 3, "amount", "below 0"),
    ("costs.csv", "O2,L2,2024/25", "O2,L2,2024", 3, "year", "not in the form"),
    ("costs.csv", "O2,L2,2024/25", "O2,L2,2024/26", 3, "year", "does not follow"),
    ("costs.csv", ",2024/25,yes", ",2024/23,yes", 2, "price_year", "does not follow"),
    ("costs.csv", "participant_time", "participants time", 3, "kind", "Not a word"),
    ("benefits.csv", "1000,4000", "1000,", 3, "amount", "neither an amount nor a low and a high"),
    ("benefits.csv", "30000,-5000", "30000,31000", 2, "amount", "not lie between"),
    ("benefits.csv", "yes,50", "yes,150", 2, "attributed", "not between 0 and 100"),
    ("benefits.csv", "Local unit costs", "", 2, "source", "gives no source"),
    ("benefits.csv", "2025/26,30000", "2025/25,30000", 2, "year", "does not follow"),
    ("benefits.csv", "60000,2024/25", "60000,1999/01", 2, "price_year", "does not follow"),
    ("benefits.csv", "fiscal,taxpayers", "fiscal,people", 2, "beneficiary", "Not a word"),
    ("funding.csv", "2024/25", "2024/26", 2, "year", "does not follow"),
    ("funding.csv", "50000", '"£50,000"', 2, "amount", "with its unit"),
    ("selections.csv", "Y1,team", "Y2,team", 2, "story_id", "not in stories.csv"),
    ("selections.csv", "Somebody rang.", "", 2, "reason", "why is not said"),
    ("theory.csv", "trust,joint_work", "joint_work,joint_work", 2, "to_node", "back to where it came from"),
    ("theory.csv", "reached,,,", "reached,,weak,", 3, "evidence", "and no evidence"),
    ("theory.csv", "moderate,for", "moderate,", 2, "direction", "whether it speaks for the link"),
    ("rivals.csv", "The winter was hard", "", 2, "evidence_against", "nothing speaks against it"),
    ("burden.csv", "leadership,12", "leadership,0", 2, "minutes", "not above 0"),
    ("corrections.csv", "A hard winter", "Hard winter", 2, "new", "old and new are the same"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CLEAN, tmp_path / "programme"))


@pytest.mark.parametrize(("file", "old", "new", "row", "column", "words"), ONE_CELL)
def test_a_broken_cell_is_named_where_it_stands(
    folder: Path, file: str, old: str, new: str, row: int, column: str, words: str
) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} must stand once in {file}"
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    problems = check(folder)
    problems = problems[problems["file"] == file]
    assert {(p.row, p.column) for p in problems.itertuples()} == {(row, column)}, problems.to_string()
    assert problems["problem"].str.contains(words, regex=False).any(), problems.to_string()
    assert problems["remedy"].str.endswith((".", "?")).all()


def test_every_rule_over_rows_is_broken_here_or_in_the_tests_of_reading() -> None:
    before = {"left_after_joining", "self_is_oneself", "joins_two_people", "closes_after_opening"}
    before |= {"comparison_never_starts", "code_fits_its_scheme", "says_something"}
    broken = {(file.removesuffix(".csv"), column) for file, _, _, _, column, _ in ONE_CELL}
    rules = {(name, rule.name) for name in models() for rule in schema(name).checks}
    known = {
        ("participants", "left"), ("responses", "subject_id"), ("ties", "to_id"), ("waves", "closes_on"),
        ("places", "start"), ("places", "code"), ("places", "valid_to"), ("outcomes", "count"),
        ("organisations", "valid_to"), ("events", "ends_on"),
    }  # fmt: skip
    assert rules - known <= broken


def test_every_table_has_right_rows_among_the_clean_ones() -> None:
    for name in models():
        assert len(pd.read_csv(CLEAN / f"{name}.csv", dtype=str)) > 0, name


def test_families_hold_every_table_once_and_are_led_by_who() -> None:
    held = [name for tables in families().values() for name in tables]
    assert sorted(held) == sorted(models())
    assert held == list(models())
    assert next(iter(models())) == "people"


def test_references_lead_to_a_table_whose_first_column_is_unique_or_the_key() -> None:
    for name in models():
        for column, targets in references(name).items():
            for target in targets:
                first = next(iter(schema(target).columns.values()))
                assert first.unique, f"{name}.{column} refers to {target}, whose first column may repeat"


def test_a_person_can_be_found_in_every_table_that_names_one() -> None:
    """By the model alone: a column of ids of people says so. A patient's number is not one of people.csv."""
    for name in models():
        for column in schema(name).columns:
            if column in ("person_id", "participant_id") and (name, column) not in {
                ("people", "person_id"),
                ("admissions", "person_id"),
            }:
                assert references(name)[column] == ("people",), (name, column)
    found = {(name, column) for name in models() for column, targets in references(name).items() if "people" in targets}
    assert {("compacts", "party_a"), ("compacts", "party_b"), ("actions", "owner"), ("talent", "person_id")} <= found


def test_only_a_column_that_may_be_blank_says_what_a_blank_means() -> None:
    for name in models():
        for column, made in schema(name).columns.items():
            said = made.metadata or {}
            if said["for_all"]:
                assert made.nullable, (name, column)
                assert said["refers"] in ("places", "teams"), (name, column)
            if said["derived"]:
                assert said["derived"] in schema(name).columns
                assert not made.required, (name, column)


def test_people_are_kept_from_view_where_a_row_may_tell_who_they_are() -> None:
    hidden = {(n, c) for n in models() for c, made in schema(n).columns.items() if (made.metadata or {})["disclosive"]}
    assert {("admissions", "person_id"), ("talent", "grid_cell"), ("characteristics", "value")} <= hidden


# What the rules are made of.


def frame(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(columns).convert_dtypes()


def test_order_is_broken_only_by_two_filled_cells() -> None:
    days = pd.DataFrame({"a": pd.to_datetime(["2024-01-02", "2024-01-02", None]), "b": pd.to_datetime("2024-01-01")})
    assert in_order(days, "a", "b").tolist() == [False, False, True]
    assert in_order(days, "a", "c").all()
    assert in_order(frame(a=[3, None, 1], b=[2, 2, None]), "a", "b").tolist() == [False, True, True]


def test_needs_and_at_least_one_look_at_absent_columns_as_blank() -> None:
    rows = frame(a=["x", None], b=[None, None])
    assert needs(rows, "a", "b").tolist() == [False, True]
    assert needs(rows, "a", "c").tolist() == [False, True]
    assert needs(rows, "c", "a").all()
    assert at_least_one(rows, "a", "b", "c").tolist() == [True, False]


def test_two_columns_differ_unless_both_hold_the_same() -> None:
    assert differ(frame(a=["x", "x", None], b=["x", "y", None]), "a", "b").tolist() == [False, True, True]
    assert differ(frame(a=["x"]), "a", "b").all()


@given(st.lists(st.none() | st.floats(-5, 5), min_size=3, max_size=3))
def test_a_range_holds_when_what_is_filled_is_sorted(three: list[float | None]) -> None:
    low, middle, high = three
    rows = pd.DataFrame({"low": [low], "middle": [middle], "high": [high]}, dtype="float64")
    filled = [value for value in three if value is not None]
    assert range_holds(rows, "low", "middle", "high").tolist() == [filled == sorted(filled)]


@given(st.integers(1900, 2150), st.integers(0, 99))
def test_a_financial_year_ends_in_the_year_after_it_begins(began: int, ended: int) -> None:
    said = pd.DataFrame({"year": pd.Series([f"{began}/{ended:02}", "soon", None], dtype="str")})
    assert years_follow(said, "year").tolist() == [(began + 1) % 100 == ended, True, True]
    assert years_follow(said, "price_year").all()
