"""A new folder: it loads as it is, explains every setting, and keeps data out of version control."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from dataclasses import fields
from datetime import date
from pathlib import Path

import openpyxl
import pytest

import evalkit as ek
from evalkit import resources, starting
from evalkit.errors import Refused
from evalkit.reading.plan import Plan
from evalkit.reading.settings import Notes, Settings, settings

DAY = date(2026, 3, 31)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return starting.create(tmp_path_factory.mktemp("new") / "our_place", on=DAY)


def test_it_holds_what_it_says(made: Path) -> None:
    assert sorted(path.name for path in made.iterdir()) == [
        ".gitignore", "README.md", "before_you_start.md", "data", "notebooks", "sample", "workbook.xlsx",
    ]  # fmt: skip
    assert sorted(path.name for path in (made / "data").iterdir()) == ["README.md", "programme.toml"]
    assert openpyxl.load_workbook(made / "workbook.xlsx").sheetnames[:2] == ["Guide", "programme"]


def test_its_data_have_no_problem_and_load(made: Path) -> None:
    assert ek.check(made / "data").empty
    programme = ek.load(made / "data")
    assert (programme.name, programme.as_of) == ("our place", DAY)


def test_data_put_into_it_are_read(tmp_path: Path) -> None:
    ours = starting.create(tmp_path / "ours", name="Ours", on=DAY)
    (ours / "data" / "people.csv").write_text("person_id,kind\nL1,participant\n")
    assert ek.load(ours / "data").people["person_id"].tolist() == ["L1"]


def test_every_setting_is_explained_and_right_once_it_is_switched_on(made: Path) -> None:
    text = (made / "data" / "programme.toml").read_text(encoding="utf-8")
    switched_on = re.sub(r'^# (?=(\w+|[\d-]+|"[^"]+") = |\[)', "", text, flags=re.MULTILINE)
    found = settings(tomllib.loads(switched_on))
    said = tomllib.loads(switched_on)
    assert set(said) - {"schema"} == {field.name for field in fields(Settings)}
    assert set(said["plan"]) == {field.name for field in fields(Plan)}
    assert set(said["people"]) == {field.name for field in fields(Notes)}
    assert found.fictional
    assert found.starts_on == date(2024, 4, 1)


def test_as_it_is_it_says_nothing_that_nobody_decided(made: Path) -> None:
    said = tomllib.loads((made / "data" / "programme.toml").read_text(encoding="utf-8"))
    assert {key: value for key, value in said.items() if value != {} and key != "plan"} == {
        "schema": 1, "name": "our place", "as_of": DAY, "audience": "commissioner", "minimum_group": 5,
    }  # fmt: skip
    assert not any(said["plan"].values())


@pytest.mark.parametrize("name", ['The "old" town', "Back\\slash", "Môr & Mynydd’s $name", "100 % #1"])
def test_any_name_is_kept_to_the_letter(name: str, tmp_path: Path) -> None:
    assert ek.load(starting.create(tmp_path / "ours", name=name) / "data").name == name


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "bell\x07"])
def test_a_name_nobody_can_read_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="name is blank"):
        starting.create(tmp_path / "ours", name=name)
    assert not (tmp_path / "ours").exists()


def test_a_folder_that_holds_something_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(Refused, match="is there already and holds something"):
        starting.create(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]
    with pytest.raises(Refused, match=r"note\.txt is there already"):
        starting.create(tmp_path / "note.txt")


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert (starting.create(tmp_path / "empty") / "workbook.xlsx").exists()


def test_the_notebooks_read_its_data_and_are_otherwise_the_shipped_ones(made: Path) -> None:
    shipped = sorted(resources.folder("notebooks").glob("*.ipynb"))
    assert [path.name for path in sorted((made / "notebooks").iterdir())] == [path.name for path in shipped]
    for path in shipped:
        before = json.loads(path.read_text(encoding="utf-8"))
        after = json.loads((made / "notebooks" / path.name).read_text(encoding="utf-8"))
        cells = list(zip(before["cells"], after["cells"], strict=True))
        changed = [(old, new) for old, new in cells if old != new]
        if any("folder = " in "".join(cell["source"]) for cell in before["cells"]):
            ((old, new),) = changed
            assert "parameters" in new["metadata"]["tags"]
            assert 'folder = "../data"' in "".join(new["source"])
            assert len(new["source"]) == len(old["source"])
        assert before["metadata"] == after["metadata"]
        assert "sample_data" not in json.dumps(after)


def test_the_sample_is_invented_says_so_and_loads(made: Path) -> None:
    assert ek.check(made / "sample").empty
    assert ek.load(made / "sample").fictional
    assert "FICTIONAL" in (made / "sample" / "README.md").read_text(encoding="utf-8").upper()


def test_before_you_start_asks_and_does_not_rule(made: Path) -> None:
    text = (made / "before_you_start.md").read_text(encoding="utf-8")
    for asked in ("lawful basis", "privacy notice", "evalkit withdraw", "Freedom of information", "deleted", "named",
                  "Who pays", "checks the facts", "Who may ask for changes"):  # fmt: skip
        assert asked in text
    assert "not legal advice" in " ".join(text.split())
    assert text.count("____") > 30


def test_no_placeholder_is_left(made: Path) -> None:
    for path in made.rglob("*"):
        if path.suffix in (".md", ".toml") and "sample" not in path.parts:
            assert not re.search(r"\$\{?[a-z]", path.read_text(encoding="utf-8")), path.name


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_data_and_keys_stay_out_of_version_control(tmp_path: Path) -> None:
    ours = starting.create(tmp_path / "ours")
    subprocess.run(["git", "init", "--quiet"], cwd=ours, check=True)
    kept_out = ["data/people.csv", "data/notes.txt", "workbook.xlsx", "copy of people.csv", "pseudonyms.key",
                "id_key.csv", "who_is_who.xlsx", "reports/data/index.html", "notebooks/.ipynb_checkpoints/x.ipynb",
                "notebooks/people.parquet"]  # fmt: skip
    kept = ["data/programme.toml", "data/README.md", "data/instruments/ours.toml", "before_you_start.md",
            "sample/people.csv", "notebooks/01_who_took_part.ipynb", ".gitignore"]  # fmt: skip
    asked = subprocess.run(
        ["git", "check-ignore", *kept_out, *kept], cwd=ours, capture_output=True, text=True, check=False
    )
    assert asked.stdout.splitlines() == kept_out
