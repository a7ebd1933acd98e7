"""The command line: exit codes, what goes to stdout, what goes to stderr."""

from __future__ import annotations

import csv
import re
import shutil
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evalkit import __version__, resources
from evalkit.cli import app

SAMPLES = resources.folder("sample_data")
run = CliRunner()


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    folder = tmp_path / "broken"
    shutil.copytree(SAMPLES / "salford", folder)
    with (folder / "scores.csv").open("a", encoding="utf-8") as scores:
        scores.write("place,[red]nowhere[/red]\n")
    return folder


def test_version() -> None:
    said = run.invoke(app, ["--version"])
    assert (said.exit_code, said.stdout) == (0, f"{__version__}\n")


def test_report_writes_pages_and_prints_where(tmp_path: Path) -> None:
    said = run.invoke(app, ["report", str(SAMPLES / "salford"), "--out", str(tmp_path), "--audience", "public"])
    assert said.exit_code == 0, said.output
    page = Path(said.stdout.strip())
    assert page == tmp_path / "salford" / "index.html"
    assert "public audience" in page.read_text(encoding="utf-8")


def test_report_of_bad_data_says_what_is_wrong_and_writes_nothing(broken: Path, tmp_path: Path) -> None:
    said = run.invoke(app, ["report", str(broken), "--out", str(tmp_path / "out")])
    assert said.exit_code == 1
    assert said.stdout == ""
    assert "scores.csv" in said.stderr
    assert "Traceback" not in said.stderr
    assert not (tmp_path / "out").exists()


def test_check_finds_no_problems_in_the_samples() -> None:
    said = run.invoke(app, ["check", str(SAMPLES / "salford")])
    assert (said.exit_code, said.stdout) == (0, "No problems found.\n")


def test_check_lists_problems_as_they_were_written(broken: Path) -> None:
    said = run.invoke(app, ["check", str(broken)])
    assert said.exit_code == 1
    assert "scores.csv" in said.stdout
    assert "found" in said.stdout


def test_simulate_writes_a_folder_that_loads(tmp_path: Path) -> None:
    said = run.invoke(app, ["simulate", "--seed", "1", "--out", str(tmp_path / "made")])
    assert said.exit_code == 0, said.output
    assert said.stdout.strip() == str(tmp_path / "made")
    assert run.invoke(app, ["check", str(tmp_path / "made")]).exit_code == 0


@pytest.mark.parametrize("wrong", [
    [], ["reports"], ["report", "no_such_folder"], ["check"], ["check", "no_such_folder"], ["simulate"],
    ["report", "--audience", "evaluator"], ["simulate", "--seed", "x", "--out", "y"],
])  # fmt: skip
def test_wrong_usage_is_2(wrong: list[str]) -> None:
    assert run.invoke(app, wrong).exit_code == 2


def test_a_marked_copy_does_not_go_among_the_data(broken: Path, tmp_path: Path) -> None:
    said = run.invoke(app, ["check", str(broken), "--mark", str(broken / "marked.xlsx")])
    assert said.exit_code == 1
    assert "inside the folder" in said.stderr
    assert not (broken / "marked.xlsx").exists()
    said = run.invoke(app, ["check", str(broken), "--mark", str(tmp_path / "marked.xlsx")])
    assert said.stdout.strip() == str(tmp_path / "marked.xlsx")


def test_what_the_system_refuses_is_a_message(broken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = run.invoke(app, ["check", str(broken), "--mark", str(tmp_path / f"{'x' * 300}.xlsx")])
    assert said.exit_code == 1
    assert "could not be read or written" in said.stderr

    plainly = Path.read_bytes

    def locked(path: Path) -> bytes:
        if path.name == "scores.csv":
            raise PermissionError(13, "Permission denied", str(path))
        return plainly(path)

    monkeypatch.setattr(Path, "read_bytes", locked)
    said = run.invoke(app, ["check", str(broken)])
    assert said.exit_code == 1
    assert "scores.csv could not be read or written: Permission denied." in said.stderr
    assert "Traceback" not in said.output


def test_a_workbook_alone_is_reported_under_its_name(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "programme"
    for row in (["setting", "value"], ["schema", 1], ["name", "Ours"], ["starts_on", datetime(2012, 4, 1)]):
        book.active.append(row)
    for table in ("places", "waves", "scores"):
        sheet = book.create_sheet(table)
        path = resources.folder("sample_data") / "salford" / f"{table}.csv"
        for record in csv.reader(path.read_text(encoding="utf-8").splitlines()):
            sheet.append([float(cell) if re.fullmatch(r"\d\.\d+", cell) else cell for cell in record])
    book.save(tmp_path / "Our year.xlsx")
    said = ["report", str(tmp_path / "Our year.xlsx"), "--out", str(tmp_path / "out")]
    asked = CliRunner().invoke(app, said)
    assert asked.exit_code == 0, asked.output
    assert (tmp_path / "out" / "Our year" / "index.html").exists()
