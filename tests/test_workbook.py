"""Workbooks out: what somebody may type, what nothing can run, and where each problem is marked."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

import evalkit as ek
from data_schemas.tables import models, references, schema
from evalkit import instrument as instruments
from evalkit import workbook
from evalkit.errors import DataProblems, Refused
from evalkit.reading import forms
from evalkit.reading.settings import from_sheet, kind_of_setting
from evalkit.reading.settings import settings as settings_of
from evalkit.spreadsheet import FORMULA_STARTS
from evalkit.workbook import columns, layout, marking

SHIPPED = instruments.shipped()
FIRST, LAST = 2, columns.LAST_ROW


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Workbook:
    """Every table and every questionnaire."""
    out = tmp_path_factory.mktemp("book") / "workbook.xlsx"
    return openpyxl.load_workbook(workbook.template(out, instruments=list(SHIPPED)))


def rule_of(sheet: Worksheet, heading: str) -> openpyxl.worksheet.datavalidation.DataValidation:
    """The check over the whole column under this heading: one, from row 2 to the last."""
    letter = column_of(sheet, heading)
    where = f"{letter}{FIRST}:{letter}{LAST}"
    found = [rule for rule in sheet.data_validations.dataValidation if str(rule.sqref) == where]
    assert len(found) == 1, (sheet.title, heading)
    return found[0]


def column_of(sheet: Worksheet, heading: str) -> str:
    return next(cell.column_letter for cell in sheet[1] if cell.value == heading)


def format_of(sheet: Worksheet, heading: str) -> str:
    """What the whole column is formatted as, where no cell is written yet."""
    number = openpyxl.utils.column_index_from_string(column_of(sheet, heading))
    group = next(found for found in sheet.column_dimensions.values() if found.min <= number <= found.max)
    return str(group.number_format)


def links(sheet: Worksheet) -> dict[str, str]:
    """Where each linked cell leads inside the workbook."""
    return {
        cell.coordinate: cell.hyperlink.location
        for row in sheet.iter_rows()
        for cell in row
        if cell.hyperlink is not None
    }


def every_cell(book: Workbook) -> Iterator[openpyxl.cell.Cell]:
    return (cell for sheet in book for row in sheet.iter_rows() for cell in row)


def test_it_has_a_sheet_for_every_table_and_questionnaire(full: Workbook) -> None:
    names = full.sheetnames
    assert names[:2] == ["Guide", "programme"]
    assert names[2 : 2 + len(SHIPPED)] == [f"form {one}"[:31] for one in SHIPPED]
    assert [name for name in names if name in models()] == list(models())
    assert all(len(name) <= 31 for name in names)
    assert [sheet.title for sheet in full if sheet.sheet_state == "hidden"] == ["_lists"]


def test_nothing_in_it_is_a_formula(full: Workbook) -> None:
    assert {cell.data_type for cell in every_cell(full)} <= {"s", "n"}


@pytest.mark.parametrize("table", list(models()))
def test_headings_are_the_tables_own(full: Workbook, table: str) -> None:
    found = [cell.value for cell in full[table][1]]
    derived = [name for name, column in schema(table).columns.items() if column.metadata.get("derived")]
    assert found == [name for name in schema(table).columns if name not in derived]
    assert full[table].freeze_panes == "B2"
    assert full[table].auto_filter.ref.startswith("A1:")


@pytest.mark.parametrize("table", list(models()))
def test_every_column_is_checked_and_explained(full: Workbook, table: str) -> None:
    sheet = full[table]
    for column in columns.of_table(table):
        rule, heading = rule_of(sheet, column.heading), sheet[f"{column_of(sheet, column.heading)}1"]
        assert rule.promptTitle
        assert rule.prompt
        assert len(rule.promptTitle) <= 32
        assert max(len(rule.prompt), len(rule.error)) <= 255
        assert heading.comment.text.startswith("Needed." if column.needed else "May be left blank.")
        assert column.remedy in heading.comment.text
        assert heading.font.bold == column.needed
        assert (heading.fill.fgColor.rgb == f"FF{layout.DARK[1:]}") == column.needed


@pytest.mark.parametrize("table", list(models()))
def test_each_kind_gets_its_own_check_and_format(full: Workbook, table: str) -> None:
    for column in columns.of_table(table):
        rule, shown = rule_of(full[table], column.heading), format_of(full[table], column.heading)
        looked_up = any(name in models() for name in column.refers)
        if column.is_text:
            assert shown == "@"
        elif column.kind == "date":
            assert (shown, rule.type) == ("yyyy-mm-dd", "date")
        if column.choices or column.kind == "yes_no" or looked_up:
            assert rule.type == "list"
            assert rule.errorStyle in ((None, "stop") if not looked_up else ("information",))
        elif column.kind in ("whole", "number"):
            assert rule.type == ("whole" if column.kind == "whole" else "decimal")


def test_lists_offer_just_what_the_model_allows(full: Workbook) -> None:
    assert rule_of(full["ties"], "relation").formula1 == '"contact,trust,help,conflict"'
    assert rule_of(full["rosters"], "responded").formula1 == '"yes,no"'
    for table in models():
        for column in columns.of_table(table):
            if column.choices:
                assert offered(full, rule_of(full[table], column.heading).formula1) == column.choices


def offered(book: Workbook, formula: str) -> tuple[str, ...]:
    """A drop-down's words, written out or on the hidden sheet."""
    if formula.startswith('"'):
        assert len(formula) <= 257
        return tuple(formula.strip('"').split(","))
    sheet, cells = formula.split("!")
    assert sheet.strip("'") == "_lists"
    return tuple(row[0].value for row in book["_lists"][cells.replace("$", "")])


def test_long_lists_and_words_with_commas_stand_on_the_hidden_sheet() -> None:
    lists = columns.Lists()
    assert lists.source(("yes", "no")) == ["yes", "no"]
    assert lists.source(("one, or more", "none")) == "='_lists'!$A$1:$A$2"
    long = tuple(f"word {number}" for number in range(60))
    assert lists.source(long) == lists.source(long) == "='_lists'!$B$1:$B$60"


def test_catalogues_are_offered_and_may_be_added_to(full: Workbook) -> None:
    for table, column, among in (
        ("responses", "instrument", "icfat"),
        ("outcomes", "measure", "emergency_admissions_65_plus"),
        ("sessions", "intervention", "action_learning_sets"),
        ("responses", "item", "ie_1"),
        ("scores", "domain", "leadership"),
    ):
        rule = rule_of(full[table], column)
        assert among in offered(full, rule.formula1)
        assert rule.errorStyle == "information"


def test_limits_are_the_models_own(full: Workbook) -> None:
    quintile = rule_of(full["outcomes"], "quintile")
    assert (quintile.type, quintile.operator, quintile.formula1, quintile.formula2) == ("whole", None, "1", "5")
    hours = rule_of(full["sessions"], "hours")
    assert (hours.type, hours.operator, hours.formula1) == ("decimal", "greaterThanOrEqual", "0")
    denominator = rule_of(full["outcomes"], "denominator")
    assert (denominator.operator, denominator.formula1) == ("greaterThan", "0")


def test_ids_are_looked_up_in_the_sheet_that_lists_them(full: Workbook) -> None:
    rule = rule_of(full["attendance"], "person_id")
    assert f"people!$A$2:$A${LAST}" in rule.formula1
    assert "the sheet people" in rule.error
    for table in models():
        for name, targets in references(table).items():
            first = full[targets[0]]["A1"].value
            assert f"{targets[0]}!$A$2" in rule_of(full[table], name).formula1
            assert first == next(iter(schema(targets[0]).columns))


def test_a_sheet_that_is_left_out_is_not_looked_into(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(workbook.template(tmp_path / "few.xlsx", tables=["attendance", "sessions"]))
    assert book.sheetnames == ["Guide", "programme", "sessions", "attendance", "_lists"]
    assert rule_of(book["attendance"], "person_id").type is None
    assert "sessions!" in rule_of(book["attendance"], "session_id").formula1


def test_the_guide_has_a_line_and_a_link_for_every_sheet(full: Workbook) -> None:
    guide = full["Guide"]
    linked = {where.split("!")[0].strip("'"): cell for cell, where in links(guide).items()}
    assert set(linked) == set(full.sheetnames) - {"Guide", "_lists"}
    for name, cell in linked.items():
        row = guide[cell].row
        assert guide[f"A{row}"].value == name
        assert guide[f"B{row}"].value
        assert guide[f"C{row}"].value.startswith("Needed" if name == "programme" else "Optional")
    words = " ".join(str(cell.value) for row in guide.iter_rows() for cell in row if cell.value)
    for said in ("evalkit check", "red message", "Pasting", "2026-03-31", "Blank"):
        assert said in words
    assert "FICTIONAL" not in words


def test_settings_are_those_of_programme_toml(full: Workbook) -> None:
    sheet = full["programme"]
    assert [cell.value for cell in sheet[1]] == ["setting", "value", "what it means"]
    assert (sheet["A2"].value, sheet["B2"].value) == ("schema", 1)
    typed = {"name": "Our programme", "starts_on": "2024-04-01", "minimum_group": "8", "audience": "team",
             "plan.reliable_change": "jacobson_truax"}  # fmt: skip
    examples = {"whole number": "7", "number": "7", "list of whole numbers": "0; 6; 12", "list": "a; b"}
    examples |= {"date": "2026-03-31"}
    pairs = []
    for setting, value, meaning in sheet.iter_rows(min_row=2, values_only=True):
        assert meaning
        pairs.append((setting, str(value or typed.get(setting, examples.get(kind_of_setting(setting), "x")))))
    found = settings_of(from_sheet(pairs))
    assert (found.name, found.minimum_group, found.people.paid_by) == ("Our programme", 8, "x")
    assert found.plan.primary == {"individual": "x", "team": "x", "population": "x"}
    assert found.plan.lag_months["icfat"] == 7
    assert found.plan.waves["icfat"] == (0, 6, 12)
    assert found.plan.informants["icfat"] == ("a", "b")
    assert (found.plan.agreed_with, found.plan.agreed_on) == ("x", dt.date(2026, 3, 31))
    assert found.plan.meetings["process"] == "x"


def test_settings_are_checked_as_they_are_typed(full: Workbook) -> None:
    sheet = full["programme"]
    rows = {row[0].value: row[0].row for row in sheet.iter_rows(min_row=2)}
    rules = {str(rule.sqref): rule for rule in sheet.data_validations.dataValidation}
    assert rules[f"B{rows['audience']}"].formula1 == '"evaluator,team,commissioner,public"'
    assert rules[f"B{rows['starts_on']}"].type == "date"
    assert sheet[f"B{rows['starts_on']}"].number_format == "yyyy-mm-dd"
    assert sheet[f"B{rows['name']}"].number_format == "@"


@pytest.mark.parametrize("one", SHIPPED.values(), ids=list(SHIPPED))
def test_a_questionnaires_sheet_is_laid_out_as_people_fill_it_in(full: Workbook, one: instruments.Instrument) -> None:
    sheet = full[workbook.form_sheet(one.id)]
    headings = [cell.value for cell in sheet[1]]
    assert headings[:7] == list(layout.FORM_COLUMNS)
    assert headings[7:] == [forms.heading(item.key, item.text) for item in one.items]
    for item, cell in zip(one.items, sheet[1][7:], strict=True):
        assert cell.alignment.wrap_text
        assert item.role in cell.comment.text
        rule = rule_of(sheet, cell.value)
        assert offered(full, rule.formula1) == (*one.scale.words, *one.scale.unscored) or not one.scale.words
        assert all(label in rule.prompt for label in one.scale.labels.values()) or len(rule.prompt) > 250
    if one.subjects:
        assert offered(full, rule_of(sheet, "subject_kind").formula1) == one.subjects
    if one.raters:
        assert offered(full, rule_of(sheet, "rater").formula1) == one.raters


def test_a_scale_of_numbers_is_a_list_of_its_steps_and_a_long_one_has_limits(full: Workbook) -> None:
    assert rule_of(full["form icfat"], "Leadership [leadership]").formula1 == '"0,1,2,3,4,5"'
    item = instruments.Item("a", "d", "How much,\nin all?")
    slider = columns.of_item(item, instruments.Scale(0, 100))
    assert slider.heading == "How much, in all? [a]"
    said = columns.validation(slider, columns.Lists(), {})
    assert (said["validate"], said["minimum"], said["maximum"]) == ("decimal", 0, 100)
    halves = columns.of_item(item, instruments.Scale(1, 2, 0.5))
    assert halves.choices == ("1", "1.5", "2")
    words = columns.of_item(item, instruments.Scale(0, 1, words=("no", "yes"), unscored=("cannot say",)))
    assert words.choices == ("no", "yes", "cannot say")
    assert words.is_text


def test_who_a_questionnaire_is_about_is_looked_up_where_there_is_one_kind(full: Workbook) -> None:
    assert "sessions!" in rule_of(full["form reaction"], "subject_id").formula1
    assert rule_of(full["form icfat"], "subject_id").type is None


def test_the_same_choices_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = (workbook.template(tmp_path / name, instruments=["icfat"]) for name in ("one.xlsx", "two.xlsx"))
    assert one.read_bytes() == two.read_bytes()


def test_unknown_names_are_refused_with_what_was_meant(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="Did you mean 'icfat'"):
        workbook.template(tmp_path / "x.xlsx", instruments=["icfta"])
    with pytest.raises(Refused, match="Did you mean 'people'"):
        workbook.template(tmp_path / "x.xlsx", tables=["peple"])
    assert not list(tmp_path.iterdir())


def test_what_somebody_filled_in_is_never_written_over(tmp_path: Path) -> None:
    out = tmp_path / "ours.xlsx"
    out.write_text("filled in")
    with pytest.raises(Refused, match=r"ours\.xlsx is there already"):
        workbook.template(out)
    with pytest.raises(Refused, match=r"ours\.xlsx is there already"):
        workbook.marked(out, ek.check(tmp_path), {})
    assert out.read_text() == "filled in"
    with pytest.raises(Refused, match=r"does not end in \.xlsx"):
        workbook.template(tmp_path / "ours.csv")
    with pytest.raises(Refused, match="There is no folder 'nowhere'"):
        workbook.template(tmp_path / "nowhere" / "ours.xlsx")


def test_a_folders_own_questionnaires_and_measures_are_offered(tmp_path: Path) -> None:
    folder = tmp_path / "ours"
    (folder / "instruments").mkdir(parents=True)
    (folder / "instruments" / "ours.toml").write_text('adapts = "icfat"\nid = "ours"\nname = "Our own"\n')
    book = openpyxl.load_workbook(workbook.template(tmp_path / "a.xlsx", instruments=["ours"], folder=folder))
    assert "form ours" in book.sheetnames
    assert offered(book, rule_of(book["responses"], "instrument").formula1) == ("ours",)
    (folder / "instruments" / "ours.toml").write_text('adapts = "icfta"\n')
    with pytest.raises(DataProblems, match="icfta"):
        workbook.template(tmp_path / "b.xlsx", folder=folder)


def test_an_id_too_long_for_a_sheet_is_cut_and_told_apart(tmp_path: Path) -> None:
    assert workbook.form_sheet("x" * 27) == "form " + "x" * 26
    assert len({workbook.form_sheet(one) for one in SHIPPED}) == len(SHIPPED)
    (tmp_path / "instruments").mkdir()
    for id in ("x" * 26 + "a", "x" * 26 + "b"):
        (tmp_path / "instruments" / f"{id[-1]}.toml").write_text(f'adapts = "icfat"\nid = "{id}"\n')
    with pytest.raises(Refused, match=r"xa and x+b would share the sheet"):
        workbook.template(tmp_path / "a.xlsx", instruments=["x" * 26 + "a", "x" * 26 + "b"], folder=tmp_path)


@pytest.mark.parametrize("id", ["a/b", "a b", "", "a.b", "a'"])
def test_an_id_no_sheet_can_bear_is_refused(id: str) -> None:
    with pytest.raises(Refused, match="cannot have a sheet"):
        workbook.form_sheet(id)


def test_what_is_filled_in_is_read_back(tmp_path: Path) -> None:
    out = workbook.template(tmp_path / "ours.xlsx", instruments=["reaction"])
    book = openpyxl.load_workbook(out)
    fill(book["programme"], {"name": "Ours", "starts_on": dt.datetime(2025, 1, 6)})
    for table, row in (
        ("people", ["007", None, "participant"]),
        ("sessions", ["5E1", None, None, dt.datetime(2025, 1, 21), None, None, 2.5]),
        ("places", ["E1", "Ellersyke"]),
        ("waves", [1, "Before"]),
        ("outcomes", ["emergency_admissions_65_plus", "E1", "2025-01"]),
    ):
        for column, value in enumerate(row, 1):
            book[table].cell(2, column, value)
    outcomes = book["outcomes"]
    outcomes[f"{column_of(outcomes, 'count')}2"] = 39
    form = ["007", "session", "5E1", "self", None, "post", dt.datetime(2025, 1, 21), 4, 4, None, 5, 3, 2]
    for column, value in enumerate(form, 1):
        book["form reaction"].cell(2, column, value)
    book.save(out)
    problems = ek.check(out)
    assert problems.empty, problems.to_string()
    ours = ek.load(out)
    assert ours.people["person_id"].tolist() == ["007"]
    assert ours.sessions["session_id"].tolist() == ["5E1"]
    assert ours.responses["answer"].dropna().tolist() == [4, 4, 5, 3, 2]
    assert ours.outcomes["period"].dt.strftime("%Y-%m").tolist() == ["2025-01"]


def fill(sheet: Worksheet, values: dict[str, object]) -> None:
    for row in sheet.iter_rows(min_row=2):
        if row[0].value in values:
            row[1].value = values[row[0].value]


# --- marked ---------------------------------------------------------------------------------------------------------

COLUMNS = ["file", "row", "column", "value", "problem", "remedy"]


def found(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=COLUMNS).astype({"row": "Int64"})


def mark(problems: pd.DataFrame, sheets: dict[str, list[list[object]]], tmp_path: Path) -> Workbook:
    out = tmp_path / f"marked {len(list(tmp_path.iterdir()))}.xlsx"
    return openpyxl.load_workbook(workbook.marked(out, problems, sheets))


def marks(sheet: Worksheet) -> set[str]:
    return {
        cell.coordinate
        for row in sheet.iter_rows()
        for cell in row
        if cell.fill.fgColor.rgb == f"FF{marking.FAULTY[1:]}"
    }


PEOPLE: list[list[object]] = [["person_id", "kind"], ["L1", "participant"], ["L1", "boss"], [], ["L3", ""]]


def test_each_problem_is_coloured_and_explained_at_its_cell(tmp_path: Path) -> None:
    problems = found(
        ("people.csv", 3, "kind", "boss", "Not a word this column uses.", "Write sponsor."),
        ("people.csv", 3, "person_id", "L1", "The row repeats row 2.", "Keep one."),
        ("people.csv", 5, "kind", "", "The cell is blank.", "Write one."),
    )
    book = mark(problems, {"people.csv": PEOPLE}, tmp_path)
    sheet = book["people"]
    assert book.sheetnames == ["Problems", "people"]
    assert marks(sheet) == {"A3", "B3", "B5"}
    assert sheet["B3"].comment.text == "Not a word this column uses. Write sponsor."
    assert [[cell.value or "" for cell in row][: len(said)] for row, said in zip(sheet, PEOPLE, strict=True)] == PEOPLE
    listed = list(book["Problems"].iter_rows(values_only=True))
    assert listed[0] == ("where", "row", "column", "value", "problem", "remedy")
    assert listed[1] == ("people.csv", 3, "kind", "boss", "Not a word this column uses.", "Write sponsor.")
    assert links(book["Problems"]) == {"A2": "'people'!B3", "A3": "'people'!A3", "A4": "'people'!B5"}


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [
        (3, "person_id, kind", {"A3", "B3"}),
        (3, "", {"A3", "B3"}),
        (3, "no_such", {"A3", "B3"}),
        (1, "kinds", {"A1", "B1"}),
        (1, "kind", {"B1"}),
        (None, "", {"A1", "B1"}),
        (None, "kind", {"B1"}),
        (9, "kind", set()),
    ],
)
def test_columns_may_be_several_or_none_and_rows_missing(
    row: int | None, column: str, expected: set[str], tmp_path: Path
) -> None:
    book = mark(found(("people.csv", row, column, "", "Wrong.", "Mend it.")), {"people.csv": PEOPLE}, tmp_path)
    assert marks(book["people"]) == expected


def test_a_workbooks_columns_are_found_by_heading_and_letter(tmp_path: Path) -> None:
    file = "our book.xlsx, sheet form ours"
    rows: list[list[object]] = [["respondent_id", "Calm, open, and (IT) kind [a]", "kind", "kind"], ["F1", 9, 1, 2]]
    problems = found(
        (file, 2, "Calm, open, and (IT) kind [a] (B)", "9", "Off the scale.", "Check."),
        (file, 2, "respondent_id (A), kind (D)", "", "Twice.", "Keep one."),
    )
    sheet = mark(problems, {file: rows}, tmp_path)["form ours"]
    assert marks(sheet) == {"A2", "B2", "D2"}
    assert sheet["B2"].value == 9
    assert marking.columns_named("gone (C)", ["a", "b", "c"]) == [2]


def test_two_problems_of_one_cell_share_its_note(tmp_path: Path) -> None:
    problems = found(("people.csv", 2, "kind", "", "One.", ""), ("people.csv", 2, "kind", "", "Two.", "Mend."))
    assert mark(problems, {"people.csv": PEOPLE}, tmp_path)["people"]["B2"].comment.text == "One.\nTwo. Mend."


def test_a_problem_of_a_file_that_is_not_in_the_workbook_is_listed(tmp_path: Path) -> None:
    book = mark(found(("programme.toml", None, "", "", "There is none.", "Write one.")), {}, tmp_path)
    assert [cell.value for cell in book["Problems"][2]] == [
        "programme.toml",
        None,
        None,
        None,
        "There is none.",
        "Write one.",
    ]
    assert not links(book["Problems"])
    assert mark(found(), {}, tmp_path)["Problems"]["A2"].value == "No problems found."


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_no_text_becomes_a_formula_or_a_link(start: str, tmp_path: Path) -> None:
    assert len(FORMULA_STARTS) == 10
    nasty = f"{start}1+1"
    problems = found((f"{nasty}.csv", 2, nasty, nasty, nasty, nasty), ("people.csv", 2, "a", nasty, nasty, nasty))
    sheets: dict[str, list[list[object]]] = {f"{nasty}.csv": [[nasty], [nasty]], "people.csv": [["a"], [nasty]]}
    book = mark(problems, sheets, tmp_path)
    assert {cell.data_type for cell in every_cell(book)} <= {"s", "n"}
    kept = nasty.replace("\r", "_x000D_")  # how a workbook spells it
    assert book["people"]["A2"].value == kept
    assert book["people"]["A2"].hyperlink is None
    assert book["Problems"]["D2"].value == kept


@given(st.lists(st.text(max_size=12), min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_any_text_at_all_can_be_marked(texts: list[str]) -> None:
    import tempfile

    problems = found(*(("t.csv", at + 2, texts[0], text, text, text) for at, text in enumerate(texts)))
    with tempfile.TemporaryDirectory() as folder:
        rows: list[list[object]] = [[texts[0]], *([text] for text in texts)]
        out = workbook.marked(Path(folder) / "out.xlsx", problems, {"t.csv": rows, "T.csv": rows})
        book = openpyxl.load_workbook(io.BytesIO(out.read_bytes()))
    assert book.sheetnames == ["Problems", "t", "T 2"]
    assert all(cell.data_type != "f" for cell in every_cell(book))


def test_values_keep_their_kind(tmp_path: Path) -> None:
    day, moment = dt.date(2026, 3, 31), dt.datetime(2026, 3, 31, 9, 30)
    values: list[object] = [
        "007",
        "5E1",
        7,
        2.5,
        True,
        day,
        moment,
        None,
        10**17,
        float("inf"),
        dt.time(9),
        dt.date(1850, 1, 1),
    ]
    sheet = mark(
        found(("t.csv", 2, "", "", "Row.", "Mend.")), {"t.csv": [[*"abcdefghijkl"], values, values]}, tmp_path
    )["t"]
    for row in (2, 3):
        read = [cell.value for cell in sheet[row]]
        assert read[:5] == ["007", "5E1", 7, 2.5, True]
        assert read[5:7] == [dt.datetime(2026, 3, 31), moment]
        assert read[7:] == [None, str(10**17), "inf", "09:00:00", "1850-01-01"]
        assert sheet[row][5].number_format == "yyyy-mm-dd"


def test_sheet_names_are_valid_and_unique(tmp_path: Path) -> None:
    files = [
        "people.csv",
        "b.xlsx, sheet People",
        "Problems.csv",
        "a[1]*?.csv",
        "x" * 40 + ".csv",
        "x" * 41 + ".csv",
        "History.csv",
        "'.csv",
    ]
    rows: list[list[object]] = [["a"], ["b"]]
    problems = found(*((file, 2, "a", "b", "Wrong.", "Mend.") for file in files))
    book = mark(problems, dict.fromkeys(files, rows), tmp_path)
    names = book.sheetnames[1:]
    assert names == ["people", "People 2", "Problems 2", "a 1", "x" * 31, "x" * 29 + " 2", "History 2", "sheet"]
    assert [marks(book[name]) for name in names] == [{"A2"}] * len(files)
    assert len(links(book["Problems"])) == len(files)


def test_what_excel_cannot_hold_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = "é" * 40_000
    sheet = mark(found(("t.csv", 1, "a", "", "Wrong.", "")), {"t.csv": [["a"], [long]]}, tmp_path)["t"]
    assert len(sheet["A2"].value) == marking.LONGEST_CELL
    assert "Cut short: the text has 40,000 letters" in sheet["A2"].comment.text
    monkeypatch.setattr(marking, "MOST_ROWS", 3)
    with pytest.raises(Refused, match="larger than a sheet of Excel"):
        mark(found(), {"t.csv": [["a"]] * 4}, tmp_path)


def test_beyond_the_most_links_and_notes_problems_are_still_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marking, "MOST_LINKS", 1)
    monkeypatch.setattr(marking, "MOST_NOTES", 1)
    problems = found(*(("people.csv", row, "kind", "", "Wrong.", "Mend.") for row in (2, 3)))
    book = mark(problems, {"people.csv": PEOPLE}, tmp_path)
    assert len(links(book["Problems"])) == 1
    assert book["Problems"]["A3"].value == "people.csv"
    assert marks(book["people"]) == {"B2", "B3"}
    assert (book["people"]["B2"].comment is None, book["people"]["B3"].comment is None) == (False, True)


def test_the_same_problems_give_the_same_bytes(tmp_path: Path) -> None:
    problems = found(("people.csv", 2, "kind", "", "Wrong.", "Mend."))
    one, two = (workbook.marked(tmp_path / name, problems, {"people.csv": PEOPLE}) for name in ("1.xlsx", "2.xlsx"))
    assert one.read_bytes() == two.read_bytes()
