"""A person taken out: nothing of them is left in any file, everything else is as it was."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

import evalkit as ek
from evalkit.cli import app
from evalkit.errors import DataProblems, Refused
from evalkit.reading.pseudonyms import pseudonym, read_key
from evalkit.withdrawal import withdraw
from tests.test_exports import folder as exported  # noqa: F401 (a fixture)

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
    for name, hashes in (("old", dict(ek.load(folder).hashes)), ("other", {"people.csv": "0"})):
        (tmp_path / "reports" / name).mkdir(parents=True)
        (tmp_path / "reports" / name / "manifest.json").write_text(json.dumps({"data": hashes}))
    done = withdraw(folder, "P1", reports=tmp_path / "reports")
    assert [report.name for report in done.reports] == ["old"]
    assert "old" in str(done)


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
