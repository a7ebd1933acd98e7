"""Corrections are made on the way in, said, and never written into the files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import evalkit as ek

CLEAN = Path(__file__).parent / "broken" / "clean"
HEAD = "file,row_id,column,old,new,reason,who,decided_on\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CLEAN, tmp_path / "programme"))


def correct(folder: Path, *rows: str) -> None:
    (folder / "corrections.csv").write_text(HEAD + "".join(f"{row},Read again,evaluator,2025-01-14\n" for row in rows))


def test_a_cell_is_corrected_by_id_and_by_row_number(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.glob("*.csv")}
    correct(folder, "places.csv,L1,population,100000,110000", "responses,2,answer,2,3", "waves.csv,1,label,Baseline,")
    assert ek.check(folder).empty, ek.check(folder).to_string()
    programme = ek.load(folder)
    assert programme.places.set_index("place_id")["population"]["L1"] == 110_000
    assert programme.responses["answer"].iloc[0] == 3.0
    assert programme.waves["label"].isna().tolist() == [True, False]
    assert any(line.startswith("Corrections made on the way in: 3.") for line in programme.log)
    assert {name: (folder / name).read_bytes() for name in before if name != "corrections.csv"} == {
        name: content for name, content in before.items() if name != "corrections.csv"
    }


def test_a_faulty_cell_can_be_corrected_without_touching_the_file(folder: Path) -> None:
    text = (folder / "participants.csv").read_text()
    (folder / "participants.csv").write_text(text.replace("executive,2024-04-01", "executive,01/04/2024"))
    assert len(ek.check(folder)) == 1
    correct(folder, "participants.csv,P1,joined,01/04/2024,2024-04-01")
    assert ek.check(folder).empty


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ("places.csv,L1,population,90000,110000", "old", "holds '100000'"),
        ("places.csv,L9,population,100000,110000", "row_id", "No row"),
        ("places.csv,L1,populace,100000,110000", "column", "no column"),
        ("plaices.csv,L1,population,100000,110000", "file", "No file or table"),
        ("responses.csv,P1,answer,2,3", "row_id", "No row"),
        ("responses.csv,1,answer,2,3", "row_id", "No row"),
    ],
)
def test_a_correction_that_fits_nothing_is_named(folder: Path, row: str, column: str, words: str) -> None:
    correct(folder, row)
    (problem,) = ek.check(folder).itertuples()
    assert (problem.file, problem.row, problem.column) == ("corrections.csv", 2, column)
    assert words in problem.problem


def test_what_was_corrected_in_the_file_since_is_left_alone(folder: Path) -> None:
    correct(folder, "places.csv,L1,population,90000,100000")
    assert ek.load(folder).places.set_index("place_id")["population"]["L1"] == 100_000


def test_a_correction_can_still_break_a_rule(folder: Path) -> None:
    correct(folder, "responses.csv,2,answer,2,9")
    (problem,) = ek.check(folder).itertuples()
    assert (problem.file, problem.row, problem.column) == ("responses.csv", 2, "answer")


def test_one_id_stands_in_one_row_or_nothing_is_corrected(folder: Path) -> None:
    with (folder / "places.csv").open("a") as file:
        file.write("L1,North,S1,E08000006,GSS,programme,2024-04-01,100000,yes\n")
    correct(folder, "places.csv,L1,population,100000,110000")
    assert "Several rows" in ek.check(folder).set_index("file").loc["corrections.csv", "problem"]


def test_where_several_files_hold_a_table_the_file_is_named(folder: Path) -> None:
    lines = (folder / "people.csv").read_text().splitlines(keepends=True)
    (folder / "people.csv").write_text("".join(lines[:3]))
    (folder / "people later.csv").write_text(lines[0] + "".join(lines[3:]))
    correct(folder, "people later.csv,007,kind,sponsor,other")
    assert ek.load(folder).people.set_index("person_id")["kind"]["007"] == "other"
    correct(folder, "people.csv,P1,kind,participant,other")
    assert ek.load(folder).people.set_index("person_id")["kind"]["P1"] == "other"
    correct(folder, "people,007,kind,sponsor,other")
    (problem,) = ek.check(folder).itertuples()
    assert problem.problem == "Several files hold this table."
