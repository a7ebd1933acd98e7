"""What comes in: every kind of broken file named at its file, row and column; every right file read unchanged."""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_schemas.tables import models, schema
from evalkit.programme import check, load
from evalkit.reading import cells, digest, empty, in_memory, read_folder, sheets, to_csv_text
from evalkit.reading.problems import COLUMNS, Problems
from evalkit.reading.reads import about
from evalkit.reading.settings import Settings

CLEAN = Path(__file__).parent / "broken" / "clean"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CLEAN, tmp_path / "programme"))


def swap(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} must stand once in {name}"
    (folder / name).write_text(text.replace(old, new), encoding="utf-8")


def found(folder: Path) -> list[tuple[str, int | None, str]]:
    return [(p.file, None if pd.isna(p.row) else p.row, p.column) for p in check(folder).itertuples()]


ONE_CELL = [
    # file, what stood there, what stands there now, row, column, words of the problem
    (
        "participants.csv",
        "executive,2024-04-01",
        "executive,03/04/2026",
        2,
        "joined",
        "ambiguous: 3 April 2026 or 4 March 2026",
    ),
    ("participants.csv", "executive,2024-04-01", "executive,31/02/2026", 2, "joined", "no such day: February 2026"),
    ("participants.csv", "executive,2024-04-01", "executive,31/03/2024", 2, "joined", "order differs by country"),
    ("participants.csv", "executive,2024-04-01", "executive,45383", 2, "joined", "perhaps 1 April 2024"),
    ("participants.csv", "executive,2024-04-01", "executive,2023-02-29", 2, "joined", "no such day: February 2023"),
    ("participants.csv", "executive,2024-04-01", "executive,0204-04-01", 2, "joined", "year 204 cannot be right"),
    ("participants.csv", "executive,2024-04-01", "executive,spring", 2, "joined", "not a date"),
    ("participants.csv", "2024-04-01,2025-01-31", "2024-04-01,2024-01-31", 3, "left", "left before joining"),
    ("participants.csv", "executive", "exceutive", 2, "seniority", "Not a word this column uses"),
    ("participants.csv", "P1,T1", "P1, T1", 2, "team_id", "spaces around"),
    ("participants.csv", "P1,T1", "P1,T9", 2, "team_id", "not in teams.csv"),
    ("people.csv", "P1,O1", "P1,O7", 2, "organisation_id", "not in organisations.csv"),
    ("participants.csv", "P2,T2", "p2,T2", 3, "participant_id", "not in people.csv"),
    ("people.csv", "007,O2,sponsor", "007,O2,", 4, "kind", "blank"),
    ("places.csv", "E08000006", "E0800000", 3, "code", "not in the form its scheme uses"),
    ("places.csv", "comparison,,", "comparison,2024-04-01,", 5, "start", "comparison place has a programme start"),
    ("places.csv", "100000,no\nL3", "100000,maybe\nL3", 4, "may_be_named", "neither yes nor no"),
    ("places.csv", "300000", '"300,000"', 2, "population", "commas between thousands"),
    ("organisations.csv", "RXX", "R X", 2, "ods_code", "not in the form"),
    ("waves.csv", "2024-10-31", "2024-09-30", 3, "closes_on", "closes before it opens"),
    ("responses.csv", "2024-03-05,2", "2024-03-05,6", 2, "answer", "off the scale: system_leadership goes from 1 to 5"),
    ("responses.csv", "2024-03-05,2", "2024-03-05,2.5", 2, "answer", "in whole numbers"),
    ("responses.csv", "2024-03-05,2", "2024-03-05,often", 2, "answer", "not a number"),
    ("responses.csv", "2024-03-05,2", "2024-03-05,NA", 2, "answer", "word stands where a number belongs"),
    ("responses.csv", "2024-03-06,0", "2024-03-06,-1", 6, "answer", "icfat goes from 0 to 5"),
    ("responses.csv", "2024-03-05,2", "2024-02-05,2", 2, "answered_on", "before its wave opened"),
    ("responses.csv", "2024-10-05,3", "2027-10-05,3", 4, "answered_on", "after 2026-03-31"),
    ("responses.csv", "ie_2,1", "ie_22,1", 3, "item", "no such item"),
    ("responses.csv", "ie_2,1,pre", "ie_2,4,pre", 3, "wave", "not in waves.csv"),
    ("responses.csv", "2015,ie_2", "2016,ie_2", 3, "edition", "another edition"),
    ("responses.csv", "system_leadership,2015,ie_2", "sytem_leadership,2015,ie_2", 3, "instrument", "No instrument"),
    ("responses.csv", "P1,sponsor", "P8,sponsor", 5, "subject_id", "not in people.csv"),
    ("responses.csv", "007,person", "P9,person", 5, "respondent_id", "not in people.csv or respondents.csv"),
    ("responses.csv", "P1,sponsor", "P1,citizen", 5, "rater", "not answered by such a rater"),
    (
        "responses.csv",
        "L2,self,icfat,2012,governance",
        "L8,self,icfat,2012,governance",
        7,
        "subject_id",
        "not in places",
    ),
    ("scores.csv", "2.13", "5.13", 2, "mean", "off the scale"),
    ("scores.csv", "leadership", "overall", 2, "domain", "no such domain"),
    ("ties.csv", "1,P1,P2", "1,P1,P1", 2, "to_id", "named themselves"),
    ("ties.csv", "1,P1,P2", "1,P1,5E1", 2, "to_id", "not on the roster"),
    ("ties.csv", "1,P2,007", "1,007,P2", 3, "from_id", "they did not answer"),
    ("outcomes.csv", "65-69,12,", "65-69,12.5,", 2, "count", "not whole"),
    ("outcomes.csv", "65-69,12,", "65-69,12.0,", 2, "count", "decimal point"),
    ("outcomes.csv", "65-69,12,", "65-69,-12,", 2, "count", "below 0"),
    ("outcomes.csv", "65-69,12,", "65-69,1e3,", 2, "count", "drops digits"),
    ("outcomes.csv", "12,4000", "12,0", 2, "denominator", "not above 0"),
    ("outcomes.csv", "2024-04", "Apr-24", 3, "period", "shortened the month"),
    ("outcomes.csv", "2024-04", "2024-04-15", 3, "period", "inside a month"),
    ("outcomes.csv", "90+", "90 +", 4, "age_band", "not in the form"),
    ("outcomes.csv", "65-69,12,", "65-69,,", 2, "count", "neither a count nor a value"),
    ("outcomes.csv", "emergency_admissions_65_plus,L3", "emergency,L3", 4, "measure", "No measure"),
    ("denominators.csv", "female,1", "female,6", 2, "quintile", "not between 1 and 5"),
    ("sessions.csv", "coaching_and_mentoring", "coaching", 2, "intervention", "No intervention"),
    ("attendance.csv", "M1,P2", "M2,P2", 3, "session_id", "not in sessions.csv"),
    ("codes.csv", "Y1,C1", "Y2,C1", 2, "source_id", "not in stories.csv or excerpts.csv"),
    ("excerpts.csv", "X1,", "Y1,", 2, "excerpt_id", "stands in stories.csv too"),
    ("excerpts.csv", "X1,interview", "X1,talk", 2, "kind", "Not a word"),
    ("respondents.csv", "F1,O2", "P1,O2", 2, "respondent_id", "stands in people.csv too"),
    ("respondents.csv", "F1,O2", "F1,O7", 2, "organisation_id", "not in organisations.csv"),
]


@pytest.mark.parametrize(("file", "old", "new", "row", "column", "words"), ONE_CELL)
def test_a_broken_cell_is_named_where_it_stands(
    folder: Path, file: str, old: str, new: str, row: int, column: str, words: str
) -> None:
    swap(folder, file, old, new)
    problems = check(folder)
    assert [(p.file, p.row, p.column) for p in problems.itertuples()] == [(file, row, column)], problems.to_string()
    assert words in problems["problem"][0]
    assert problems["remedy"][0].endswith((".", "?"))


def test_a_clean_folder_has_no_problem() -> None:
    assert found(CLEAN) == []
    assert list(check(CLEAN).columns) == COLUMNS


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_byte_order_marks_and_line_ends_change_nothing(folder: Path, mark: bytes, end: bytes) -> None:
    for path in folder.glob("*.csv"):
        if path.name != "stories.csv":
            path.write_bytes(mark + path.read_bytes().replace(b"\n", end))
    assert found(folder) == []
    assert load(folder).data_hash == load(CLEAN).data_hash
    pd.testing.assert_frame_equal(load(folder).people, load(CLEAN).people)


def test_a_duplicate_answer_is_named_once_with_the_row_it_repeats(folder: Path) -> None:
    with (folder / "responses.csv").open("a") as file:
        file.write("P1,person,P1,self,system_leadership,2015,ie_1,1,pre,2024-03-09,5\n")
    problems = check(folder)
    assert problems["row"].tolist() == [8]
    assert "repeats row 2" in problems["problem"][0]
    assert "respondent_id" in problems["column"][0]
    assert "answer" not in problems["column"][0]


def test_a_duplicate_id_is_named_once_in_its_column(folder: Path) -> None:
    swap(folder, "teams.csv", "T2,", "T1,")
    assert found(folder) == [("participants.csv", 3, "team_id"), ("teams.csv", 3, "team_id")]


def test_windows_1252_bytes_are_named_with_row_and_column(folder: Path) -> None:
    swap(folder, "stories.csv", "A call", "Zoë’s call")
    text = (folder / "stories.csv").read_text(encoding="utf-8")
    (folder / "stories.csv").write_bytes(text.encode("cp1252"))
    problems = check(folder)
    assert ("stories.csv", 2, "title") in found(folder)
    assert problems.loc[problems["file"] == "stories.csv", "value"].tolist() == ["Zoë’s call"]
    assert "UTF-8" in problems.loc[problems["file"] == "stories.csv", "remedy"].iloc[0]
    assert len(problems) == 1, "rules that need the unread table are passed over"


def test_a_bad_byte_at_the_start_of_a_row(folder: Path) -> None:
    (folder / "coders.csv").write_bytes(b"source_id,coder,coded_on\nY1,C1,\n\xe9,C2,\n")
    assert found(folder) == [("coders.csv", 3, "source_id")]


def test_utf_16_is_named(folder: Path) -> None:
    (folder / "coders.csv").write_bytes("source_id,coder\nY1,C1\n".encode("utf-16"))
    assert found(folder) == [("coders.csv", None, "")]


def test_a_missing_column_is_named_once_and_its_rules_are_passed_over(folder: Path) -> None:
    swap(folder, "ties.csv", "wave,from_id,to_id,", "wave,from_id,whom,")
    assert found(folder) == [("ties.csv", 1, "whom"), ("ties.csv", 1, "to_id")]
    assert "Did you mean" in check(folder)["remedy"][0] or "Known" in check(folder)["remedy"][0]


@pytest.mark.parametrize("table", sorted(models()))
def test_each_needed_column_may_be_missing_without_a_traceback(folder: Path, table: str) -> None:
    frame = pd.read_csv(CLEAN / f"{table}.csv", dtype=str, keep_default_na=False)
    for name, column in schema(table).columns.items():
        if column.required:
            frame.drop(columns=name).to_csv(folder / f"{table}.csv", index=False)
            own = [where for where in found(folder) if where[0] == f"{table}.csv"]
            assert own == [(f"{table}.csv", 1, name)]


def test_an_extra_column_is_named_with_its_nearest(folder: Path) -> None:
    swap(folder, "teams.csv", "cohort", "cohrt")
    assert found(folder) == [("teams.csv", 1, "cohrt")]
    assert "'cohort'" in check(folder)["remedy"][0]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b",,\n"])
def test_an_empty_file_is_named(folder: Path, content: bytes) -> None:
    (folder / "coders.csv").write_bytes(content)
    assert found(folder) == [("coders.csv", None, "")]


def test_headings_alone_are_a_table_without_rows(folder: Path) -> None:
    (folder / "coders.csv").write_text("source_id,coder\n")
    assert found(folder) == []
    assert not load(folder).has("coders")


def test_a_table_nobody_knows_is_named_with_its_nearest(folder: Path) -> None:
    (folder / "coders.csv").rename(folder / "coder.csv")
    assert found(folder) == [("coder.csv", None, "")]
    assert "'coders'" in check(folder)["remedy"][0]


@pytest.mark.parametrize("name", ["coders.xlsx", "anything.xlsx", "people.parquet", "people.txt", "mesures.toml"])
def test_no_table_is_passed_over_in_silence(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"x = 1")
    assert found(folder) == [(name, None, "")]


def test_semicolons_are_named(folder: Path) -> None:
    text = (folder / "people.csv").read_text().replace(",", ";")
    (folder / "people.csv").write_text(text)
    assert found(folder) == [("people.csv", 1, "")]


@pytest.mark.parametrize(
    ("line", "rows"), [("P3,O1,participant,extra\n", [6]), ("P3\n", [6]), ("P3,O1\nP4,O1\n", [6, 7])]
)
def test_uneven_rows_are_named(folder: Path, line: str, rows: list[int]) -> None:
    with (folder / "people.csv").open("a") as file:
        file.write(line)
    assert found(folder) == [("people.csv", row, "") for row in rows]


def test_an_unclosed_quotation_mark_is_named(folder: Path) -> None:
    swap(folder, "teams.csv", '"Frailty, north"', '"Frailty, north')
    problems = check(folder)
    assert problems["file"].unique().tolist() == ["teams.csv"]
    assert "quotation mark" in problems["problem"][0]


def test_blank_rows_are_passed_over_without_shifting_numbers(folder: Path) -> None:
    swap(folder, "people.csv", "P2,O2,participant", "\n,,\nP2,O9,participant")
    assert found(folder) == [("people.csv", 5, "organisation_id")]


def test_columns_without_heading_are_named_when_they_hold_something(folder: Path) -> None:
    (folder / "coders.csv").write_text("source_id,coder,\nY1,C1,\n")
    assert found(folder) == []
    (folder / "coders.csv").write_text("source_id,coder,\nY1,C1,hm\n")
    assert found(folder) == [("coders.csv", 1, "")]


def test_two_columns_of_one_name_are_named(folder: Path) -> None:
    (folder / "coders.csv").write_text("source_id,coder,coder\nY1,C1,C2\n")
    assert found(folder) == [("coders.csv", 1, "coder")]


def test_many_problems_are_found_at_once(folder: Path) -> None:
    swap(folder, "participants.csv", "executive,2024-04-01", "executive,03/04/2026")
    swap(folder, "responses.csv", "2024-03-05,2", "2024-03-05,9")
    swap(folder, "outcomes.csv", "65-69,12,", "65-69,12.5,")
    swap(folder, "ties.csv", "1,P1,P2", "1,P1,P1")
    (folder / "notes.csv").write_text("a\n1\n")
    (folder / "rosters.csv").write_text("")
    assert found(folder) == [
        ("notes.csv", None, ""),
        ("outcomes.csv", 2, "count"),
        ("participants.csv", 2, "joined"),
        ("responses.csv", 2, "answer"),
        ("rosters.csv", None, ""),
        ("ties.csv", 2, "to_id"),
    ]


def test_one_unreadable_cell_is_not_reported_twice(folder: Path) -> None:
    swap(folder, "ties.csv", "1,P1,P2", "one,P1,P2")
    assert found(folder) == [("ties.csv", 2, "wave")]


def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    (folder / "coders.csv").rename(outside)
    (folder / "coders.csv").symlink_to(outside)
    assert found(folder) == [("coders.csv", None, "")]


def test_a_folder_that_is_not_there_is_a_problem_too(tmp_path: Path) -> None:
    assert found(tmp_path / "nowhere") == [("nowhere", None, "")]
    (tmp_path / "book.xlsx").write_bytes(b"")
    assert found(tmp_path / "book.xlsx") == [("book.xlsx", None, "")]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("schema = 1", "schema = 2", "reads schema 1"),
        ("starts_on", "start_on", "'start_on'"),
        ("starts_on = 2024-04-01", 'starts_on = "2024-04-01"', "not a date"),
        ('name = "Leading together"', "name = Leading together", "line 2"),
        ("fictional = true", 'fictional = "yes"', "not a yes or no"),
        ("fictional = true", 'audience = "everyone"', "audience"),
        ("fictional = true", "minimum_group = 0", "below 1"),
        ("[plan.worthwhile]", "[plan]\ninformant = 1\n[plan.worthwhile]", "not a text"),
        ("fictional = true", "minimum_group = true", "not a whole number"),
        ("[plan.worthwhile]", "[plan.worthwile]", "'worthwile'"),
        ("[plan.worthwhile]", "[plan]\nagreed_on = 1\n[plan.worthwhile]", "not a date"),
        ("[plan.worthwhile]", "[plan.waves]\nicfat = [6, 0]\n[plan.worthwhile]", "no list of months"),
        ("[plan.worthwhile]", '[plan.waves]\nicfat = ["six"]\n[plan.worthwhile]', "not a whole number"),
        ("[plan.worthwhile]", "[plan.waves]\nicfet = [0, 6]\n[plan.worthwhile]", "no known questionnaire"),
        ("[plan.worthwhile]", '[plan]\ninformant = "sponsors"\n[plan.worthwhile]', "no kind of rater"),
        ("[plan.worthwhile]", '[plan.informants]\nicfat = ["citizens"]\n[plan.worthwhile]', "it is not for"),
        ("[plan.worthwhile]", '[plan.meetings]\nteams = "Board"\n[plan.worthwhile]', "'teams'"),
        ("[plan.worthwhile]", '[plan.watch.icfat]\nwho = "Us"\n[plan.worthwhile]', "'who'"),
        ("[plan.worthwhile]", '[plan.watch.none]\nowner = "Us"\n[plan.worthwhile]', "no known measure, instrument"),
        ("system_leadership = 0.3", "sytem_leadership = 0.3", "no known measure, instrument or domain"),
    ],
)
def test_a_slip_in_programme_toml_is_named(folder: Path, old: str, new: str, words: str) -> None:
    swap(folder, "programme.toml", old, new)
    problems = check(folder)
    assert problems["file"].tolist() == ["programme.toml"], problems.to_string()
    assert words in problems["problem"][0]


def test_no_programme_toml_is_a_problem_that_shows_what_to_write(folder: Path) -> None:
    (folder / "programme.toml").unlink()
    assert found(folder) == [("programme.toml", None, "")]
    assert "starts_on = " in check(folder)["remedy"][0]


def test_dates_with_the_month_in_letters_are_read(folder: Path) -> None:
    swap(folder, "participants.csv", "executive,2024-04-01", "executive,29 February 2024")
    assert load(folder).participants["joined"][0] == pd.Timestamp(2024, 2, 29)


def test_codes_and_words_survive_as_text() -> None:
    programme = load(CLEAN)
    assert programme.people["person_id"].tolist() == ["P1", "P2", "007", "5E1"]
    assert programme.codes["code"].tolist() == ["NA"]
    assert programme.stories["text"][0] == 'She said: "ring me", and I did.\nIt helped.'


def test_types_are_the_models_and_not_the_look_of_the_cells() -> None:
    programme = load(CLEAN)
    kinds = {"text": "str", "whole": "Int64", "number": "float64", "date": "datetime64[us]", "yes_no": "boolean"}
    for name in models():
        for frame in (getattr(programme, name), empty(name)):
            expected = {column: kinds[cells.kind_of(made.dtype)] for column, made in schema(name).columns.items()}
            assert {column: str(dtype) for column, dtype in frame.dtypes.items()} == expected


def test_the_canonical_form_of_the_clean_tables_reads_back_equal(folder: Path) -> None:
    before = load(folder)
    for name in models():
        (folder / f"{name}.csv").write_bytes(to_csv_text(getattr(before, name), name).encode())
    after = load(folder)
    for name in models():
        pd.testing.assert_frame_equal(getattr(before, name), getattr(after, name))


# Every right frame survives being written and read.

prose = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\r\t,\"'"), min_size=1, max_size=20)
seen = st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zs", "Zl", "Zp")) | st.sampled_from(" \n\t,\"'")
words = st.text(seen, min_size=1, max_size=20).map(str.strip).filter(bool)
tricky = st.sampled_from(["5E1", "007", "NA", "N/A", "null", "None", "TRUE", "1,000", "=1+1", "é", "𝔘", "#N/A", '"'])
days = st.dates(date(1900, 1, 1), date(2100, 12, 31)) | st.just(date(2024, 2, 29))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            words | tricky,
            st.none() | prose.filter(str.strip) | tricky | st.just("\ufeff"),
            prose.filter(str.strip) | tricky,
            st.none() | days,
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda row: row[0],
    )
)
def test_text_and_dates_survive_writing_and_reading(tmp_path: Path, rows: list[tuple[str, str, str, date]]) -> None:
    stories = pd.DataFrame(rows, columns=["story_id", "title", "text", "collected_on"]).assign(consent="use")
    survives(tmp_path, "stories", stories.astype({"title": "str", "collected_on": "datetime64[us]"}))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.dates(date(1900, 1, 1), date(2100, 12, 1)).map(lambda day: day.replace(day=1)),
            st.none() | st.integers(0, 10**17),
            st.floats(allow_nan=False, allow_infinity=False, width=64),
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda row: row[0],
    )
)
def test_numbers_and_months_survive_writing_and_reading(tmp_path: Path, rows: list[tuple[date, int, float]]) -> None:
    frame = pd.DataFrame(rows, columns=["period", "count", "value"])
    frame = frame.astype({"period": "datetime64[us]", "count": "Int64"})
    survives(tmp_path, "outcomes", frame.assign(measure="discharge_delays", place_id="007"))


def survives(folder: Path, table: str, frame: pd.DataFrame) -> None:
    found, problems = in_memory(Settings(name="x", starts_on=date(2024, 4, 1)), {table: frame})
    assert problems.empty, problems.to_string()
    (folder / "programme.toml").write_text('schema = 1\nname = "x"\nstarts_on = 2024-04-01\n')
    text = to_csv_text(found.tables[table], table).encode()
    (folder / f"{table}.csv").write_bytes(text)
    contents, problems = read_folder(folder)
    assert contents is not None, problems.to_string()
    pd.testing.assert_frame_equal(found.tables[table], contents.tables[table])
    given_columns = found.tables[table][list(frame.columns)]
    pd.testing.assert_frame_equal(given_columns, frame, check_dtype=False)


def test_values_that_cannot_be_written_down_are_problems_in_memory_too() -> None:
    said = Settings(name="x", starts_on=date(2024, 4, 1))
    broken = pd.DataFrame({"story_id": ["a", "b\x00"], "text": ["ok", "\ud800"], "consent": ["use", "use"]})
    assert in_memory(said, {"stories": broken})[1]["column"].tolist() == ["story_id", "text"]
    for value in (np.inf, 1.5):
        counts = pd.DataFrame({"measure": "discharge_delays", "place_id": "a", "period": ["2024-03"], "count": [value]})
        assert in_memory(said, {"outcomes": counts})[1]["column"].tolist() == ["count"]
    late = pd.DataFrame(
        {"story_id": ["a"], "text": "ok", "consent": "use", "collected_on": [pd.Timestamp("2024-03-01 10:00")]}
    )
    assert in_memory(said, {"stories": late})[1]["column"].tolist() == ["collected_on"]


@pytest.mark.parametrize("repeated", [0.1, 1, 4])
def test_a_long_file_reads_as_a_short_one(monkeypatch: pytest.MonkeyPatch, repeated: float) -> None:
    """Columns that repeat few texts are coded as they are parsed: blank lines, quotes and all stay what they were."""
    lines = ["id,b,c", *(f'{at},"x, {at % 3}",{at % 2 or ""}' for at in range(300)), "", ",,", '300,"two\nlines",y', ""]
    content = "\r\n".join(lines).encode()
    short = sheets.open_sheet("x.csv", content, Problems())
    monkeypatch.setattr(sheets, "LONG", 700)
    monkeypatch.setattr(sheets, "REPEATED", repeated)
    long = sheets.open_sheet("x.csv", content, Problems())
    assert short is not None
    assert long is not None
    assert list(long.columns) == list(short.columns)
    assert long.rows.tolist() == short.rows.tolist()
    for name, held in short.columns.items():
        assert long.columns[name].texts().tolist() == held.texts().tolist()


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("cut", range(200, 260, 7))
def test_wherever_the_beginning_of_a_long_file_is_cut(monkeypatch: pytest.MonkeyPatch, end: str, cut: int) -> None:
    lines = ["id,text,use", *(f'Y{at},"once\nand, then\nagain",use' for at in range(60))]
    monkeypatch.setattr(sheets, "LONG", cut)
    problems = Problems()
    found = sheets.open_sheet("x.csv", end.join(lines).encode(), problems)
    assert found is not None
    assert not problems
    assert found.columns["text"].texts().tolist() == ["once\nand, then\nagain"] * 60


def test_a_digest_does_not_know_how_a_file_was_saved() -> None:
    assert digest(b"a,b\n1,2\n") == digest(b"\xef\xbb\xbfa,b\r\n1,2\r\n") != digest(b"a,b\n1,3\n")


broken_bytes = st.binary(max_size=60) | st.text(st.sampled_from('wave,from_id\n\r"; 1P-\ufeffé'), max_size=60).map(
    lambda text: ("wave,from_id,to_id,relation\n" + text).encode()
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=broken_bytes, name=st.sampled_from(["ties.csv", "measures.toml", "programme.toml", "instruments/a.toml"])
)
def test_no_bytes_whatever_give_a_traceback(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / "instruments").mkdir(exist_ok=True)
    (tmp_path / "programme.toml").write_text('schema = 1\nname = "x"\nstarts_on = 2024-04-01\n')
    (tmp_path / name).write_bytes(content)
    problems = check(tmp_path)
    (tmp_path / name).unlink()
    assert problems["remedy"].str.len().gt(0).all()


# The models themselves.


@pytest.mark.parametrize("table", sorted(models()))
def test_every_column_says_what_it_is_and_how_to_mend_it(table: str) -> None:
    assert models()[table].__doc__, "the docstring is the table's description"
    for name, column in schema(table).columns.items():
        assert column.title, name
        assert column.description, name
        assert column.description.endswith("."), name
        assert about(table, name)["remedy"].endswith("."), name
        assert not column.coerce, name
        assert column.nullable or column.required, f"{name}: a column that may be absent may be blank"
        assert set(about(table, name)["refers"].split(" or ")) <= {"", *models()}, name


@pytest.mark.parametrize("table", sorted(models()))
def test_every_pattern_is_anchored_at_both_ends(table: str) -> None:
    for name, column in schema(table).columns.items():
        for rule in column.checks:
            pattern = (rule.statistics or {}).get("pattern")
            if pattern is not None:
                source = pattern.pattern if isinstance(pattern, re.Pattern) else pattern
                assert source.startswith("^"), name
                assert source.endswith(r"\Z"), name


@pytest.mark.parametrize("table", sorted(models()))
def test_rules_over_rows_blame_a_column_and_say_how_to_mend_it(table: str) -> None:
    said = schema(table)
    assert said.strict
    for rule in said.checks:
        assert rule.name in said.columns
        assert rule.error.endswith(".")
        assert rule.description.endswith(".")
        assert rule.ignore_na is False
