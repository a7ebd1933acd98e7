"""The template as people fill it in: the clean one loads, and each of many faults is named at its cell."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from openpyxl.workbook import Workbook

import evalkit as ek
from data_schemas.tables import models, schema
from evalkit import workbook
from evalkit.reading.cells import kind_of

CLEAN = Path(__file__).parent / "broken" / "clean"

SETTINGS = {
    "name": "Leading together",
    "starts_on": datetime(2024, 4, 1),
    "as_of": "2026-03-31",
    "minimum_group": 5.0,
    "people.paid_by": "The two boards",
}

FORMS: dict[str, list[dict[str, Any]]] = {
    "form icfat": [
        {"respondent_id": "P1", "subject_kind": "place", "subject_id": "L1", "rater": "self", "wave": 2,
         "timing": "post", "answered_on": datetime(2024, 10, 4), "leadership": 3.0, "governance": "2",
         "culture": None, "workforce": 5},
        {"respondent_id": "5E1", "subject_kind": "place", "subject_id": "L2", "rater": "carer", "wave": 2,
         "timing": "post", "leadership": 1, "governance": 0},
    ],
    "form sustainability": [
        {"respondent_id": "P2", "subject_kind": "team", "subject_id": "T2", "rater": "team_member", "wave": 2,
         "timing": "post", "answered_on": datetime(2024, 10, 5), "ALL": "A"},
        {"respondent_id": "P1", "subject_kind": "team", "subject_id": "T1", "rater": "team_member", "wave": 2,
         "timing": "post", "answered_on": datetime(2024, 10, 5), "ALL": "no opinion"},
    ],
}  # fmt: skip


def as_typed(text: str, kind: str, form: str) -> Any:
    """A cell as somebody's spreadsheet holds it: dates are dates, figures are figures, and yes is Yes."""
    if text == "" or kind == "text" or form in ("period", "month"):
        return text or None
    if kind == "date":
        return datetime.combine(date.fromisoformat(text), datetime.min.time())
    if kind == "yes_no":
        return {"yes": "Yes", "no": False}[text]
    return float(text)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clean folder's data in the template, with the habits of people and nothing wrong."""
    out = workbook.template(tmp_path_factory.mktemp("filled") / "book.xlsx", instruments=["icfat", "sustainability"])
    filled = openpyxl.load_workbook(out)
    for row in filled["programme"].iter_rows(min_row=2):
        row[1].value = SETTINGS.get(row[0].value, row[1].value)
    filled["programme"].append(["fictional", "Yes"])
    for table in models():
        with (CLEAN / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            records = list(csv.reader(file))
        sheet = filled[table]
        letters = {cell.value: cell.column for cell in sheet[1]}
        for number, record in enumerate(records[1:], start=2):
            for name, text in zip(records[0], record, strict=True):
                column = schema(table).columns[name]
                typed = as_typed(text, kind_of(column.dtype), (column.metadata or {})["form"])
                sheet.cell(number, letters[name]).value = typed
    for name, records in FORMS.items():
        sheet = filled[name]
        for number, record in enumerate(records, start=2):
            for cell in sheet[1]:
                key = cell.value.rpartition("[")[2].rstrip("]")
                other = record.get("ALL") if "[" in cell.value else None
                sheet.cell(number, cell.column).value = record.get(key, other)
    filled["ties"].data_validations.dataValidation = []  # somebody deleted the drop-downs
    filled["wins"].cell(9, 2).number_format = "0.00"  # and coloured a row with nothing in it
    filled.save(out)
    return Path(out)


def planted(book: Path, out: Path, plant: Callable[[Workbook], None]) -> pd.DataFrame:
    filled = openpyxl.load_workbook(book)
    plant(filled)
    filled.save(out)
    return ek.check(out)


def at(filled: Workbook, sheet: str, heading: str) -> int:
    """The column under a heading; an item's by its key."""
    found = [
        cell.column for cell in filled[sheet][1] if cell.value == heading or str(cell.value).endswith(f"[{heading}]")
    ]
    assert len(found) == 1, (sheet, heading)
    return int(found[0])


def test_the_clean_copy_has_no_problem_and_holds_what_the_files_hold(book: Path) -> None:
    problems = ek.check(book)
    assert problems.empty, problems.to_string()
    filled, files = ek.load(book), ek.load(CLEAN)
    for table in models():
        mine, theirs = getattr(filled, table), getattr(files, table)
        if table == "responses":
            mine = mine[: len(theirs)]
        pd.testing.assert_frame_equal(mine, theirs)
    assert filled.name == "Leading together"
    assert filled.fictional
    assert filled.settings.people.paid_by == "The two boards"


def test_forms_become_answers(book: Path) -> None:
    filled = ek.load(book)
    answers = filled.responses[len(ek.load(CLEAN).responses) :]
    scores = filled.instruments["sustainability"].score(answers).set_index(["subject_id", "domain"])["score"]
    assert scores["T2", "overall"] == pytest.approx(100.0)
    assert pd.isna(scores["T1", "overall"])
    icfat = answers[(answers["instrument"] == "icfat") & (answers["subject_id"] == "L1")].set_index("item")["answer"]
    assert icfat.dropna().to_dict() == {"leadership": 3.0, "governance": 2.0, "workforce": 5.0}
    assert len(icfat) == 8, "an item left out is a blank answer"


FAULTS: list[tuple[str, int, str, Any, str]] = [
    # sheet, row, heading, what stands there now, words of the problem
    ("participants", 2, "joined", "03/04/2024", "ambiguous: 3 April 2024 or 4 March 2024"),
    ("participants", 3, "joined", "1st April 2024", "not a date"),
    ("participants", 3, "left", "31/01/2025", "order differs by country"),
    ("participants", 2, "seniority", "executive ", "spaces around"),
    ("sessions", 2, "held_on", datetime(2024, 5, 1, 9, 30), "time of day"),
    ("sessions", 2, "theory", "complexity", "No theory"),
    ("waves", 3, "closes_on", datetime(2024, 9, 1), "closes before it opens"),
    ("events", 2, "ends_on", 45597, "spreadsheet's number for a day, perhaps 1 November 2024"),
    ("stories", 2, "collected_on", "N/A", "word stands where a date belongs"),
    ("stories", 2, "consent", None, "blank"),
    ("conflicts", 2, "resolved_on", datetime(2024, 4, 1), "before"),
    ("conflicts", 3, "kind", "proffessional", "Not a word"),
    ("meetings", 2, "held_on", "May", "not a date"),
    ("meetings", 3, "mode", "Video", "Not a word"),
    ("meeting_attendance", 2, "present", "y", "neither yes nor no"),
    ("milestones", 2, "planned_on", "30.09.2024", "order differs by country"),
    ("milestones", 3, "target", "twenty", "not a number"),
    ("pdsa", 2, "started_on", "2024-13-20", "no month 13"),
    ("pdsa", 3, "number", 2.5, "not whole"),
    ("spread_events", 2, "held_on", "2024-02-30", "no such day: February 2024"),
    ("spread_events", 3, "came", "1e3", "drops digits"),
    ("coders", 2, "coded_on", datetime(2027, 3, 1), "after 2026-03-31"),
    ("codes", 2, "source_id", "Y9", "not in"),
    ("places", 2, "population", "300,000", "commas between thousands"),
    ("places", 3, "code", "E0800000", "not in the form"),
    ("organisations", 2, "ods_code", "R X", "not in the form"),
    ("attendance", 2, "minutes", "ninety", "not a number"),
    ("attendance", 3, "session_id", "M9", "not in"),
    ("outcomes", 2, "count", "12 ", "spaces around the number"),
    ("outcomes", 3, "count", "14.0", "decimal point"),
    ("outcomes", 4, "denominator", 0, "not above 0"),
    ("outcomes", 3, "period", "Apr-24", "shortened the month"),
    ("denominators", 2, "age_band", datetime(2024, 9, 5), "turned the text into a date"),
    ("denominators", 2, "quintile", 6, "not between 1 and 5"),
    ("costs", 2, "amount", "£24000", "with its unit"),
    ("costs", 3, "low", "7,5", "decimal comma"),
    ("benefits", 2, "cashable", "probably", "neither yes nor no"),
    ("funding", 2, "amount", "n/a", "word stands where a number belongs"),
    ("findings", 2, "n", "forty", "not a number"),
    ("burden", 2, "minutes", -3, "not above 0"),
    ("scores", 2, "mean", 5.13, "off the scale"),
    ("risk_tiers", 2, "people", 2000.5, "not whole"),
    ("people", 5, "kind", "carer (unpaid)", "Not a word"),
    ("rosters", 2, "responded", "maybe", "neither yes nor no"),
    ("drivers", 2, "kind", "rewards", "Not a word"),
    ("interventions", 2, "menu_code", "coaching", "No menu code"),
    ("interventions", 2, "affordable", "partly", "neither yes nor no"),
    ("observations", 2, "form", "networks", "not described in such a form"),
    ("observations", 3, "feature", "climat", "No feature"),
    ("selections", 2, "selected", "x", "neither yes nor no"),
    ("excerpts", 2, "kind", "talk", "Not a word"),
    ("adaptations", 2, "kind", "tech", "Not a word"),
    ("compacts", 3, "kind", "a", "Not a word"),
    ("ties", 2, "relation", "likes", "Not a word"),
    ("memberships", 2, "team_id", "T9", "not in"),
    ("posts", 2, "organisation_id", "O9", "not in"),
    ("talent", 2, "person_id", "P9", "not in"),
    ("responses", 5, "respondent_id", 7, "not in"),
    ("responses", 2, "answer", "often", "not a number"),
    ("responses", 3, "answer", 2.5, "in whole numbers"),
    ("respondents", 2, "place_id", "L9", "not in"),
    ("support_requests", 2, "team_id", "T 1", "not in"),
    ("characteristics", 2, "value", "#REF!", "error of Excel's"),
    ("wins", 2, "size", "=1+1", "formula whose value was never worked out"),
    ("form icfat", 2, "leadership", 7, "off the scale"),
    ("form icfat", 3, "governance", "N/A", "word stands where a number belongs"),
    ("form sustainability", 2, "behaviours", "e", "none of sustainability's"),
]


def test_each_of_many_planted_faults_is_named_at_its_cell(book: Path, tmp_path: Path) -> None:
    """All at once: nothing is named twice, nothing is passed over, and nothing right is blamed."""
    assert len(FAULTS) >= 60

    def plant(filled: Workbook) -> None:
        for sheet, row, heading, value, _ in FAULTS:
            cell = filled[sheet].cell(row, at(filled, sheet, heading))
            cell.value = value
            if sheet == "events":
                cell.number_format = "General"  # pasted as a number: formatted as a date it would be the date

    problems = planted(book, tmp_path / "book.xlsx", plant)
    filled = openpyxl.load_workbook(book)
    expected = {}
    for sheet, row, heading, _, words in FAULTS:
        cell = filled[sheet].cell(1, at(filled, sheet, heading))
        expected[f"book.xlsx, sheet {sheet}", row, f"{cell.value} ({cell.column_letter})"] = words
    found = {(p.file, p.row, p.column): p.problem for p in problems.itertuples()}
    assert set(found) == set(expected), sorted(set(found) ^ set(expected))
    for where, words in expected.items():
        assert words in found[where], (where, found[where])
    assert len(problems) == len(FAULTS)
    assert not problems["remedy"].str.contains(r"\.csv\b").any(), "a workbook has sheets"


def test_merged_cells_are_named_once(book: Path, tmp_path: Path) -> None:
    problems = planted(book, tmp_path / "book.xlsx", lambda filled: filled["costs"].merge_cells("D2:D3"))
    assert [(p.file, p.row, p.column) for p in problems.itertuples()] == [
        ("book.xlsx, sheet costs", 2, "organisation_id (D)")
    ]
    assert "D2:D3" in problems["problem"][0]


def test_a_repeated_row_is_named_with_the_one_it_repeats(book: Path, tmp_path: Path) -> None:
    def plant(filled: Workbook) -> None:
        filled["rosters"].append([1, "P1", "Yes"])

    problems = planted(book, tmp_path / "book.xlsx", plant)
    (problem,) = problems.itertuples()
    assert (problem.file, problem.row, problem.column) == ("book.xlsx, sheet rosters", 5, "wave (A), person_id (B)")
    assert "repeats row 2" in problem.problem


def test_headings_and_sheets_nobody_knows_are_named(book: Path, tmp_path: Path) -> None:
    def plant(filled: Workbook) -> None:
        filled["theory"].cell(1, at(filled, "theory", "strength")).value = "strenght"
        filled["form icfat"].cell(1, at(filled, "form icfat", "culture")).value = "Cultre"
        filled.create_sheet("Notes").append(["what"])

    problems = planted(book, tmp_path / "book.xlsx", plant)
    assert [(p.file, p.row, p.column) for p in problems.itertuples()] == [
        ("book.xlsx, sheet Notes", problems["row"][0], ""),
        ("book.xlsx, sheet form icfat", 1, "Cultre (J)"),
        ("book.xlsx, sheet theory", 1, "strenght (E)"),
    ]
    assert pd.isna(problems["row"][0])
    assert "'strength'" in problems["remedy"][2]


def test_the_marked_copy_marks_them(book: Path, tmp_path: Path) -> None:
    from evalkit.reading.raw import as_read

    def plant(filled: Workbook) -> None:
        filled["people"].cell(5, 3).value = "=1+1"
        filled["places"].cell(2, at(filled, "places", "population")).value = "@300"

    problems = planted(book, tmp_path / "book.xlsx", plant)
    source = tmp_path / "book.xlsx"
    marked = openpyxl.load_workbook(
        workbook.marked(tmp_path / "marked.xlsx", problems, as_read(source, set(problems["file"])))
    )
    assert marked.sheetnames == ["Problems", "people", "places"]
    cell = marked["places"].cell(2, at(marked, "places", "population"))
    assert cell.value == "@300"
    assert cell.data_type == "s"
    assert "not a number" in cell.comment.text
    assert cell.fill.fgColor.rgb != marked["places"].cell(3, cell.column).fill.fgColor.rgb
    assert not [c for sheet in marked for row in sheet.iter_rows() for c in row if c.data_type == "f"]
