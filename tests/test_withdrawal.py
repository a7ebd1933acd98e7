"""A person taken out: nothing of them is left in any file, everything else is as it was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from openpyxl.comments import Comment
from typer.testing import CliRunner

import evalkit as ek
from evalkit.cli import app
from evalkit.errors import DataProblems, Refused
from evalkit.reading.pseudonyms import pseudonym, read_key
from evalkit.withdrawal import withdraw
from tests.test_exports import ROWS, book, swap
from tests.test_exports import folder as exported  # noqa: F401 (a fixture)

CORRECTIONS = "file,row_id,column,old,new,reason,who,decided_on\n"
CLEAN = Path(__file__).parent / "broken" / "clean"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CLEAN, tmp_path / "programme"))


@pytest.mark.parametrize("person", ["P1", "P2", "007", "5E1"])
def test_nothing_of_the_person_is_left_and_the_rest_is_right(folder: Path, person: str) -> None:
    before = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.csv")}
    done = withdraw(folder, person)
    assert done.ids == (person,)
    for path in folder.glob("*.csv"):
        cells = [cell for line in path.read_text(encoding="utf-8").splitlines() for cell in line.split(",")]
        assert person not in cells, path.name
        if path.name not in done.rows and path.name not in done.cells:
            assert path.read_text(encoding="utf-8") == before[path.name]
    assert sum(done.rows.values()) > 0
    for file, count in done.rows.items():
        assert len(before[file].splitlines()) - len((folder / file).read_text("utf-8").splitlines()) == count
    assert ek.check(folder).empty, ek.check(folder).to_string()
    assert "stories" in done.by_hand


def test_a_row_about_something_else_loses_the_name_alone(folder: Path) -> None:
    done = withdraw(folder, "P1")
    assert done.cells == {"actions.csv": 1}
    actions = ek.load(folder).actions
    assert actions["action_id"].tolist() == ["Z1", "Z2"]
    assert actions["owner"].isna().all()


def test_a_patient_goes_from_the_admissions(folder: Path) -> None:
    assert withdraw(folder, "40017").rows == {"admissions.csv": 2}
    assert ek.check(folder).empty


def test_looking_first_changes_nothing(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    seen = withdraw(folder, "P1", look=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert withdraw(folder, "P1").rows == seen.rows


def test_byte_order_marks_line_ends_and_prose_stay_as_they_were(folder: Path) -> None:
    people = (folder / "people.csv").read_bytes()
    (folder / "people.csv").write_bytes(b"\xef\xbb\xbf" + people.replace(b"\n", b"\r\n"))
    withdraw(folder, "P1")
    expected = b"".join(line for line in people.splitlines(keepends=True) if not line.startswith(b"P1,"))
    assert (folder / "people.csv").read_bytes() == b"\xef\xbb\xbf" + expected.replace(b"\n", b"\r\n")
    assert (folder / "stories.csv").read_bytes() == (CLEAN / "stories.csv").read_bytes()


def test_corrections_go_with_their_rows_and_follow_those_that_move_up(folder: Path) -> None:
    (folder / "corrections.csv").write_text(
        "file,row_id,column,old,new,reason,who,decided_on\n"
        "responses.csv,2,answer,2,3,Read again,evaluator,2025-01-14\n"
        "responses.csv,6,answer,0,1,Read again,evaluator,2025-01-14\n"
        "participants.csv,P1,seniority,executive,other,Read again,evaluator,2025-01-14\n"
    )
    withdraw(folder, "P1")
    assert (folder / "corrections.csv").read_text().splitlines()[1:] == [
        "responses.csv,2,answer,0,1,Read again,evaluator,2025-01-14"
    ]
    responses = ek.load(folder).responses
    assert responses["answer"].tolist() == [1, 5]


def test_every_alias_goes(folder: Path) -> None:
    (folder / "respondents.csv").write_text("respondent_id,alias_of\nF1,\nF2,F1\nF3,F2\nF4,\n")
    with (folder / "responses.csv").open("a") as file:
        for id in ("F1", "F2", "F3", "F4"):
            file.write(f"{id},place,L1,carer,icfat,2012,culture,{1 if id != 'F2' else 2},pre,2024-10-06,3\n")
    text = (folder / "responses.csv").read_text().replace("F3,place,L1,carer", "F3,place,L2,carer")
    (folder / "responses.csv").write_text(text)
    done = withdraw(folder, "F2")
    assert set(done.ids) == {"F1", "F2", "F3"}
    assert (folder / "respondents.csv").read_text() == "respondent_id,alias_of\nF4,\n"


def test_a_workbook_keeps_its_numbers(folder: Path, tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.active.title = "people"
    for row in (["person_id", "kind"], ["Q1", "citizen"], ["Q2", "citizen"], ["Q3", "carer"]):
        made.active.append(row)
    made.save(folder / "more.xlsx")
    done = withdraw(folder, "Q2")
    assert done.rows == {"more.xlsx, sheet people": 1}
    rows = list(openpyxl.load_workbook(folder / "more.xlsx")["people"].iter_rows(values_only=True))
    assert rows == [("person_id", "kind"), ("Q1", "citizen"), (None, None), ("Q3", "carer")]
    assert set(ek.load(folder).people["person_id"]) == {"P1", "P2", "007", "5E1", "Q1", "Q3"}


def test_an_export_loses_the_row_its_address_sent(exported: Path) -> None:  # noqa: F811
    who = pseudonym("b@example.org", read_key(exported.parent / "our.key"))
    withdraw(exported, who)
    rows = list(openpyxl.load_workbook(exported / "autumn.xlsx").active.iter_rows(values_only=True))
    assert [row[3] for row in rows] == ["Email", "A.Person@Example.org", None, "anonymous"]
    assert who not in set(ek.load(exported).responses["respondent_id"])
    withdraw(exported, "autumn-0004")
    assert ek.load(exported).responses["respondent_id"].nunique() == 1


def test_reports_made_from_the_data_as_they_were_are_named(folder: Path, tmp_path: Path) -> None:
    programme = ek.load(folder)
    hashes = dict(programme.hashes)
    manifests = {
        "same": {"data": hashes},
        "one": {"data": {"people.csv": hashes["people.csv"], "waves.csv": "0"}},
        "earlier": {"data": {"people.csv": "0"}, "programme": programme.name},
        "other": {"data": {"people.csv": "0"}, "programme": "Another"},
        "unchanged": {"data": {"stories.csv": hashes["stories.csv"]}},
        "list": [],
        "wrong": {"data": []},
    }
    for name, said in manifests.items():
        (tmp_path / "reports" / name).mkdir(parents=True)
        (tmp_path / "reports" / name / "manifest.json").write_text(json.dumps(said))
    (tmp_path / "reports" / "broken").mkdir()
    (tmp_path / "reports" / "broken" / "manifest.json").write_bytes(b"{broken \xff")
    done = withdraw(folder, "P1", reports=tmp_path / "reports")
    assert [report.name for report in done.reports] == ["one", "same"]
    assert [report.name for report in done.may_hold] == ["earlier"]
    assert "reports/one\n" in str(done)
    assert "may hold the person too:\n" in str(done)


def test_what_cannot_be_done_is_refused(folder: Path) -> None:
    with pytest.raises(Refused, match="holds 'P77'"):
        withdraw(folder, "P77")
    (folder / "people.csv").write_text("person_id,kind\nP1,nobody\n")
    with pytest.raises(DataProblems):
        withdraw(folder, "P1")


def test_the_command_says_what_it_did(folder: Path) -> None:
    asked = CliRunner().invoke(app, ["withdraw", str(folder), "P1", "--look"])
    assert asked.exit_code == 0
    assert "people.csv: 1 row" in asked.stdout
    assert "P1," in (folder / "people.csv").read_text()
    done = CliRunner().invoke(app, ["withdraw", str(folder), "P1"])
    assert done.exit_code == 0
    assert "P1," not in (folder / "people.csv").read_text()
    again = CliRunner().invoke(app, ["withdraw", str(folder), "P1"])
    assert again.exit_code == 1


def address(exported: Path, text: str) -> str:  # noqa: F811
    return pseudonym(text, read_key(exported.parent / "our.key"))


@pytest.mark.parametrize(
    ("email", "as_written"),
    [("Email ", "b@example.org"), ("\xa0EMAIL", " B@Example.org\xa0"), ("e-mail", "B@EXAMPLE.ORG")],
)
def test_headings_and_addresses_are_met_as_reading_meets_them(
    exported: Path,  # noqa: F811
    email: str,
    as_written: str,
) -> None:
    rows = [list(row) for row in ROWS]
    rows[0][3], rows[2][3] = email, as_written
    book(rows, exported / "autumn.xlsx")
    if email == "e-mail":
        swap(exported, 'respondent = "Email"', 'respondent = "E-Mail"')
    who = address(exported, "b@example.org")
    assert who in set(ek.load(exported).responses["respondent_id"])
    assert withdraw(exported, who).rows == {"autumn.xlsx, sheet Form1": 1}
    assert who not in set(ek.load(exported).responses["respondent_id"])


def about_leaders(exported: Path, said: str) -> None:  # noqa: F811
    swap(exported, 'subject_kind = "place"', 'subject_kind = "person"')
    swap(exported, 'subject = "Which place do you work in?"\nsubjects = { North = "P1", South = "P2" }', said)
    swap(exported, 'instrument = "icfat"', 'instrument = "system_leadership"')
    swap(exported, 'rater = "team_member"', 'rater = "partner"')
    swap(exported, '"leadership"', '"ie_1"')
    swap(exported, '"governance"', '"ie_2"')
    (exported / "people.csv").write_text("person_id,kind\nP1,participant\nP2,participant\n")
    rows = [list(row) for row in ROWS]
    for row, (word, answer) in zip(
        rows[1:], (("leader one ", 3), ("Leader Two", 3), ("Leader\xa0One", 3)), strict=True
    ):
        row[5], row[6], row[7] = word, answer, answer
    book(rows, exported / "autumn.xlsx")


def test_words_for_a_subject_are_met_as_reading_meets_them(exported: Path) -> None:  # noqa: F811
    words = 'subject = "Which place do you work in?"\nsubjects = { "Leader One" = "P1", "Leader Two" = "P2" }'
    about_leaders(exported, words)
    assert ek.check(exported).empty, ek.check(exported).to_string()
    done = withdraw(exported, "P1")
    assert done.rows == {"people.csv": 1, "autumn.xlsx, sheet Form1": 2}
    assert done.mappings == ("autumn",)
    assert "[mapping.autumn]" in str(done)
    left = [row[5].value for row in openpyxl.load_workbook(exported / "autumn.xlsx").active.iter_rows(min_row=2)]
    assert left == [None, "Leader Two", None]


def test_the_one_whom_a_whole_export_is_about_takes_all_of_it_along(exported: Path) -> None:  # noqa: F811
    about_leaders(exported, 'subject_id = "P1"')
    swap(exported, 'drop = ["', 'drop = ["Which place do you work in?", "')
    assert ek.check(exported).empty, ek.check(exported).to_string()
    assert withdraw(exported, "P1").rows == {"people.csv": 1, "autumn.xlsx, sheet Form1": 3}


def answers(folder: Path, ids: list[str]) -> None:
    heading = (folder / "responses.csv").read_text().splitlines()[0]
    (folder / "respondents.csv").write_text("respondent_id\nF1\nF2\nF3\n")
    lines = [f"{id},place,L1,carer,icfat,2012,culture,1,pre,2024-10-06,{at}\n" for at, id in enumerate(ids)]
    (folder / "responses.csv").write_text(f"{heading}\n" + "".join(lines))


@pytest.mark.parametrize(
    ("person", "left", "corrections"),
    [
        ("F2", ["F1", "F3"], 0),  # whose the corrected row is
        ("F1", ["F2", "F3"], 0),  # whose it was: the right id is written in, for the correction names the wrong one
        ("F3", ["F1", "F2"], 1),
    ],
)
def test_a_row_is_whose_it_is_once_corrected(folder: Path, person: str, left: list[str], corrections: int) -> None:
    answers(folder, ["F1", "F1", "F3"])
    mended = CORRECTIONS + "responses.csv,3,respondent_id,F1,F2,Wrong id,evaluator,2025-01-14\n"
    (folder / "corrections.csv").write_text(mended)
    assert ek.load(folder).responses["respondent_id"].tolist() == ["F1", "F2", "F3"]
    withdraw(folder, person)
    for name in ("responses.csv", "corrections.csv", "respondents.csv"):
        assert person not in (folder / name).read_text()
    assert ek.check(folder).empty, ek.check(folder).to_string()
    assert ek.load(folder).responses["respondent_id"].tolist() == left
    assert len(ek.load(folder).corrections) == corrections


def test_corrections_of_other_cells_stay_whatever_they_say(folder: Path) -> None:
    answers(folder, ["F1", "F2", "3"])
    (folder / "respondents.csv").write_text("respondent_id\nF1\nF2\n3\n")
    (folder / "corrections.csv").write_text(
        CORRECTIONS + "responses.csv,3,answer,1,3,Read again,evaluator,2025-01-14\n"
    )
    withdraw(folder, "3")  # an id that is also a row's number and an answer
    assert ek.load(folder).responses["answer"].tolist() == [0, 3]
    assert len(ek.load(folder).corrections) == 1


def test_a_correction_of_an_address_goes_with_its_person(exported: Path) -> None:  # noqa: F811
    rows = [list(row) for row in ROWS]
    rows[2][3] = "b@exmaple.org"
    book(rows, exported / "autumn.xlsx")
    said = "b@exmaple.org,b@example.org,Typing,evaluator,2024-04-01\n"
    (exported / "corrections.csv").write_text(CORRECTIONS + f'"autumn.xlsx, sheet Form1",3,Email,{said}')
    who = address(exported, "b@example.org")
    done = withdraw(exported, who)
    assert done.rows == {"autumn.xlsx, sheet Form1": 1, "corrections.csv": 1}
    assert (exported / "corrections.csv").read_text() == CORRECTIONS
    assert ek.check(exported).empty


def everything_in(path: Path) -> bytes:
    with zipfile.ZipFile(path) as packed:
        return b"".join(packed.read(name) for name in packed.namelist())


def test_links_comments_and_filters_of_a_row_go_with_it(exported: Path) -> None:  # noqa: F811
    path = exported / "autumn.xlsx"
    made = openpyxl.load_workbook(path)
    made.active["D3"].hyperlink = "mailto:b@example.org"
    made.active["D3"].comment = Comment("b@example.org rang", "us")
    made.active.auto_filter.ref = "A1:J4"
    made.active.auto_filter.add_filter_column(3, ["b@example.org"])
    made.save(path)
    withdraw(exported, address(exported, "b@example.org"))
    assert b"b@example.org" not in everything_in(path).lower()
    assert openpyxl.load_workbook(path).active["D3"].value is None
    assert ek.check(exported).empty


def test_unnamed_forms_in_a_csv_export_keep_their_names(exported: Path) -> None:  # noqa: F811
    (exported / "autumn.xlsx").unlink()
    swap(exported, 'file = "autumn.xlsx"', 'file = "autumn.csv"')
    cells = [[str("" if cell is None else cell) for cell in row] for row in ROWS]
    lines = [",".join(row) + "\r\n" for row in cells]
    (exported / "autumn.csv").write_bytes("".join(lines).encode())
    assert ek.check(exported).empty, ek.check(exported).to_string()
    withdraw(exported, address(exported, "b@example.org"))
    assert (exported / "autumn.csv").read_bytes() == "".join([*lines[:2], ",,,,,,,,,\r\n", lines[3]]).encode()
    assert ek.check(exported).empty, ek.check(exported).to_string()
    assert ek.load(exported).responses["respondent_id"].unique()[1] == "autumn-0004"


def with_formulas(path: Path) -> None:
    with xlsxwriter.Workbook(str(path)) as made:
        sheet = made.add_worksheet("people")
        lists = made.add_worksheet("_lists")
        lists.write_column(0, 0, ["citizen", "carer"])
        for at, row in enumerate((["person_id", "kind"], ["Q1", ""], ["Q2", "citizen"], ["Q3", ""])):
            sheet.write_row(at, 0, row)
        for row, value in ((1, "citizen"), (3, "carer")):
            sheet.write_formula(row, 1, f"=_lists!A{1 if row == 1 else 2}", None, value)
        chart = made.add_chart({"type": "column"})
        chart.add_series({"categories": ["people", 1, 0, 3, 0], "values": ["people", 1, 0, 3, 0],
                          "categories_data": ["Q1", "Q2", "Q3"], "values_data": ["Q1", "Q2", "Q3"]})  # fmt: skip
        sheet.insert_chart("F2", chart)
        sheet.insert_textbox("F20", "a note")


def test_formulas_keep_what_was_worked_out_and_it_is_said(folder: Path) -> None:
    with_formulas(folder / "more.xlsx")
    assert ek.check(folder).empty, ek.check(folder).to_string()
    done = withdraw(folder, "Q2")
    assert done.changed == (
        "more.xlsx loses its text boxes and shapes: make them again.",
        "more.xlsx: formulas became the values they had.",
    )
    assert "formulas became" in str(done)
    assert ek.check(folder).empty, ek.check(folder).to_string()
    people = ek.load(folder).people.set_index("person_id")["kind"]
    assert people[["Q1", "Q3"]].tolist() == ["citizen", "carer"]
    assert b"Q2" not in everything_in(folder / "more.xlsx")  # nor in what the chart kept


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not here")
def test_another_program_opens_what_was_written(folder: Path, tmp_path: Path) -> None:
    with_formulas(folder / "more.xlsx")
    withdraw(folder, "Q2")
    home = f"-env:UserInstallation={(tmp_path / 'home').as_uri()}"
    asked = ["soffice", home, "--headless", "--convert-to", "csv", "--outdir", str(tmp_path), folder / "more.xlsx"]
    subprocess.run(asked, check=True, capture_output=True, timeout=120)
    assert (tmp_path / "more.csv").read_text().splitlines() == ["person_id,kind", "Q1,citizen", ",", "Q3,carer"]


def repacked(path: Path, change: Callable[[str, bytes], bytes], **more: bytes) -> None:
    with zipfile.ZipFile(path) as packed:
        parts = {name: change(name, packed.read(name)) for name in packed.namelist()}
    with zipfile.ZipFile(path, "w") as made:
        for name, part in (parts | more).items():
            made.writestr(name, part)


def test_a_pivot_table_is_refused_even_when_only_looking(folder: Path) -> None:
    with_formulas(folder / "more.xlsx")
    repacked(folder / "more.xlsx", lambda _, part: part, **{"xl/pivotCache/pivotCacheRecords1.xml": b"<Q2/>"})
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for look in (True, False):
        with pytest.raises(Refused, match=r"more.xlsx has a pivot table.*Delete the pivot table"):
            withdraw(folder, "Q2", look=look)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.filterwarnings("ignore:Data Validation extension")
def test_drop_downs_that_are_lost_are_named(folder: Path) -> None:
    with_formulas(folder / "more.xlsx")
    extension = (
        b'<extLst><ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}" '
        b'xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"><x14:dataValidations count="1" '
        b'xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main"><x14:dataValidation type="list">'
        b"<x14:formula1><xm:f>_lists!$A$1:$A$2</xm:f></x14:formula1><xm:sqref>B2:B9</xm:sqref></x14:dataValidation>"
        b"</x14:dataValidations></ext></extLst></worksheet>"
    )
    end = b"</worksheet>"
    repacked(folder / "more.xlsx", lambda name, part: part.replace(end, extension) if "sheet1" in name else part)
    (said, _) = withdraw(folder, "Q2").changed
    assert said.startswith("more.xlsx loses its drop-downs whose words stand on another sheet and text boxes")


def test_a_file_that_cannot_be_written_leaves_every_file_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    replace = Path.replace

    def locked(self: Path, target: Path) -> Any:
        if target.name == "responses.csv":
            raise PermissionError(13, "The process cannot access the file", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", locked)
    with pytest.raises(Refused, match=r"\Aresponses.csv cannot be written: close it in Excel and try again.\Z"):
        withdraw(folder, "P1")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_files_stay_as_private_as_they_were(folder: Path) -> None:
    (folder / "people.csv").chmod(0o600)
    withdraw(folder, "P1")
    assert os.name == "nt" or (folder / "people.csv").stat().st_mode & 0o777 == 0o600


def test_a_workbook_may_be_called_anything(folder: Path) -> None:
    for name in ("a, sheet 2.xlsx", "more.xlsx"):
        made = openpyxl.Workbook()
        made.active.title = "people"
        for row in (["person_id", "kind"], [f"Q{len(name)}", "citizen"], [f"R{len(name)}", "citizen"]):
            made.active.append(row)
        made.save(folder / name)
    assert withdraw(folder, "Q15").rows == {"a, sheet 2.xlsx, sheet people": 1}
    assert ek.check(folder).empty


@pytest.mark.parametrize(
    ("person", "hint"),
    [
        (" P1", "Did you mean 'P1'"),
        ("p2", "Did you mean 'P2'"),
        ("nobody at all", "Give the id as it stands"),
        ("a@example.org", "run evalkit pseudonym KEY ADDRESS"),
        ("", "Give the person's id"),
        ("L1", "Nothing in programme holds 'L1'"),  # a place
    ],
)
def test_who_is_not_known_is_asked_for_again(
    folder: Path, person: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(Refused, match=hint):
        withdraw(".", person)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_long_text_beside_the_person_is_no_hindrance(folder: Path) -> None:
    long = "word " * 40_000
    text = (folder / "actions.csv").read_text()
    (folder / "actions.csv").write_text(text.replace("Governance scored lowest", long, 1))
    withdraw(folder, "P1")
    assert long in (folder / "actions.csv").read_text()
    assert ek.load(folder).actions["owner"].isna().all()
