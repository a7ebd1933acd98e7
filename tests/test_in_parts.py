"""Admissions, one row a patient's stay: checked and given out in parts, never held whole."""

from __future__ import annotations

import shutil
import tracemalloc
from pathlib import Path

import pandas as pd
import pytest

import evalkit as ek
from evalkit.reading import digest, in_parts

CLEAN = Path(__file__).parent / "broken" / "clean"
HEAD = "place_id,admitted_on,age,sex,quintile,person_id\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(in_parts, "ROWS", 3)
    return Path(shutil.copytree(CLEAN, tmp_path / "programme"))


def write(folder: Path, rows: list[str]) -> None:
    (folder / "admissions.csv").write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")


def test_they_come_in_parts_and_all_of_them(folder: Path) -> None:
    write(folder, [f"L1,2024-05-{day:02d},8{day % 10},female,1,{day}" for day in range(1, 11)])
    programme = ek.load(folder)
    parts = list(programme.parts("admissions"))
    assert [len(part) for part in parts] == [2, 3, 3, 2], "the headings count as a row of the first"
    assert programme.has("admissions")
    whole = programme.admissions
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole, check_dtype=False)
    assert whole["person_id"].tolist() == [str(day) for day in range(1, 11)]
    assert whole.dtypes.equals(ek.load(CLEAN).admissions.dtypes)
    assert programme.hashes["admissions.csv"] == digest((folder / "admissions.csv").read_bytes())


def test_each_fault_is_named_at_its_row_in_the_whole_file(folder: Path) -> None:
    rows = [f"L1,2024-05-{day:02d},81,female,1,{day}" for day in range(1, 13)]
    rows[1] = "L1,02/05/2024,81,female,1,2"
    rows[4] = "L9,2024-05-05,81,female,1,5"
    rows[7] = "L1,2024-05-08,181,female,1,8"
    rows[8] = ",,,,,"
    rows[10] = "L1,2029-05-11,81,femle,1,11"
    write(folder, rows)
    assert [(p.row, p.column) for p in ek.check(folder).itertuples()] == [
        (3, "admitted_on"), (6, "place_id"), (9, "age"), (12, "sex"), (12, "admitted_on")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "row", "words"),
    [
        (HEAD + "L1,2024-05-01,81\n" + "L1,2024-05-02,81,female,1,2\n" * 5, 2, "3 cells"),
        (HEAD + "L1,2024-05-02,81,female,1,2\n" * 5 + "L1,2024-05-01,81,female,1,2,9\n", 7, "7 cells"),
        (HEAD.replace("age", "aged") + "L1,2024-05-02,81,female,1,2\n" * 5, 1, "No column of this name"),
        ("", None, "empty"),
        (HEAD.replace(",", ";"), 1, "separated by semicolons, not commas"),
    ],
)
def test_files_that_do_not_fall_into_rows_and_columns(folder: Path, content: str, row: int | None, words: str) -> None:
    (folder / "admissions.csv").write_text(content)
    (problem,) = ek.check(folder).itertuples()
    assert (problem.file, None if pd.isna(problem.row) else problem.row) == ("admissions.csv", row)
    assert words in problem.problem


def test_bytes_that_are_no_text(folder: Path) -> None:
    (folder / "admissions.csv").write_bytes(HEAD.encode() + b"L1,2024-05-02,81,female,1,\xe9\n")
    (problem,) = ek.check(folder).itertuples()
    assert "UTF-8" in problem.problem


def test_byte_order_marks_and_line_ends_change_nothing(folder: Path) -> None:
    before = ek.load(folder)
    plain = (folder / "admissions.csv").read_bytes()
    (folder / "admissions.csv").write_bytes(b"\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n"))
    after = ek.load(folder)
    assert after.data_hash == before.data_hash
    pd.testing.assert_frame_equal(after.admissions, before.admissions)


def test_a_part_of_the_programme_keeps_its_places_only(folder: Path) -> None:
    write(folder, ["L1,2024-05-01,81,female,1,1", "L3,2024-05-01,81,female,1,2", "L2,2024-05-01,81,female,1,3"] * 3)
    part = ek.load(folder).only(place="L1")
    assert part.admissions["place_id"].tolist() == ["L1"] * 3
    assert ek.load(folder).only(place="S1").admissions["place_id"].value_counts().to_dict() == {"L1": 3, "L2": 3}


def test_the_latest_day_counts_for_as_of(folder: Path) -> None:
    text = (folder / "programme.toml").read_text().replace("as_of = 2026-03-31\n", "")
    (folder / "programme.toml").write_text(text)
    write(folder, ["L1,2024-05-01,81,female,1,1", *["L1,2026-02-01,81,female,1,1"] * 4])
    assert ek.load(folder).as_of.isoformat() == "2026-02-01"


def test_checking_takes_no_more_memory_than_a_part(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(CLEAN, tmp_path / "programme"))
    write(folder, [f"L1,2024-05-{1 + at % 28:02d},{at % 100},female,1,{at}" for at in range(600_000)])
    tracemalloc.start()
    programme = ek.load(folder)
    rows = sum(len(part) for part in programme.parts("admissions"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 600_000
    assert peak < 250 * 2**20, f"{peak / 2**20:.0f} MB"


def test_many_faults_of_one_kind_are_listed_up_to_a_number_and_counted_beyond(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(CLEAN, tmp_path / "programme"))
    write(folder, [f"L1,2024-05-01,{'x'},female,1,{at}" for at in range(12_000)])
    problems = ek.check(folder)
    assert len(problems) == 10_001
    assert "2,000 more" in problems["problem"][0]
