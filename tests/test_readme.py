"""What README says a newcomer can type works as printed."""

from __future__ import annotations

import ast
import re
import runpy
import tomllib
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

import evalkit as ek
from evalkit.cli import app
from evalkit.reading import pseudonyms
from evalkit.reporting import Report
from evalkit.resources import folder

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, *, of: int = 1, at: int = 0) -> str:
    """The README's block in this language, of so many."""
    found = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert len(found) == of
    return str(found[at])


def run(code: str, written: Path) -> dict[str, object]:
    """Run a cell as a notebook would, its last expression kept as `shown`."""
    last = ast.parse(code).body[-1]
    assert isinstance(last, ast.Expr)
    lines = code.splitlines()
    lines[last.lineno - 1] = f"shown = {lines[last.lineno - 1]}"
    written.write_text("\n".join(lines), encoding="utf-8")
    return runpy.run_path(str(written))


def test_the_fifteen_lines_work_as_printed(monkeypatch, tmp_path):
    monkeypatch.chdir(folder("notebooks"))
    names = run(block("python"), tmp_path / "cell.py")
    shown = names["shown"]
    assert isinstance(shown, Report)
    assert {answer.question for answer in shown.results} >= {
        "Are people leading differently?",
        "Are organisations working better together?",
        "Is anything different for patients, citizens, staff and taxpayers?",
    }
    assert "FICTIONAL" in shown._repr_html_()
    assert shown.save(tmp_path / "page.html").stat().st_size > 50_000
    assert len(shown.ledger) > 4


def test_of_the_fifteen_lines_those_that_apply_work_for_salford(monkeypatch):
    monkeypatch.chdir(folder("notebooks"))
    programme = ek.load("../sample_data/salford")
    assert "Salford" in repr(programme)
    shown = ek.report([ek.team.maturity(programme, on="icfat")])
    assert "Salford" in shown._repr_html_()
    with pytest.raises(ek.NotEnoughEvidence):
        ek.individual.growth(programme, on="system_leadership")


def test_the_three_lines_of_settings_are_enough(tmp_path):
    lines = block("toml", of=4)
    (tmp_path / "programme.toml").write_text(lines, encoding="utf-8")
    assert tomllib.loads(lines)["schema"] == 1
    assert ek.check(tmp_path).empty
    (tmp_path / "programme.toml").write_text(lines + block("toml", of=4, at=3), encoding="utf-8")
    assert ek.check(tmp_path).empty
    assert ek.load(tmp_path).plan.rebase["emergency_admissions_65_plus"]


def test_the_mapping_reads_the_export_it_describes(tmp_path):
    said = tomllib.loads(block("toml", of=4, at=2))["mapping"]["autumn"]
    headings = ["ID", "Completion time", "Email", "Name", said["subject"], *said["items"]]
    book = openpyxl.Workbook()
    book.active.append(headings)
    book.active.append([1, datetime(2024, 10, 5, 9, 30), "a.person@example.org", "A Person", "North", 3, 2])
    (tmp_path / "data").mkdir()
    book.save(tmp_path / "data" / said["file"])
    key = pseudonyms.read_key(pseudonyms.make_key(tmp_path / "our.key"))
    names = f'[pseudonyms]\nkey = "../our.key"\ncheck = "{pseudonyms.sign(key)}"\n'
    text = block("toml", of=4) + block("toml", of=4, at=2) + names
    (tmp_path / "data" / "programme.toml").write_text(text, encoding="utf-8")
    answers = ek.load(tmp_path / "data").responses
    assert answers["answer"].tolist() == [3, 2]
    assert answers["subject_id"].unique().tolist() == ["P1"]


def test_every_command_named_is_there():
    from typer.main import get_command

    known = get_command(app).commands
    named = set(re.findall(r"evalkit ([a-z]+)", " ".join(re.findall(r"`+[^`]*`+", README))))
    assert named - {"as"} <= known.keys(), named - known.keys()  # import evalkit as ek
    assert {"new", "template", "check", "report", "withdraw", "twin", "pseudonym"} <= named


@pytest.mark.parametrize("name", re.findall(r"`((?:notebooks|sample_data|data_schemas|evalkit)/[\w./]+)`", README))
def test_every_path_named_is_there(name):
    assert (ROOT / name).exists()
