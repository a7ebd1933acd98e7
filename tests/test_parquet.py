"""Tables in Parquet: read into the same cells as CSV, held to the same rules, and nothing left in them unsaid."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pytest

import evalkit as ek
from data_schemas.tables import models
from evalkit.errors import Refused
from evalkit.reading import parquet
from evalkit.reading.engine import engine
from evalkit.reading.problems import Problems
from evalkit.reading.raw import as_read
from evalkit.withdrawal import withdraw

CLEAN = Path(__file__).parent / "broken" / "clean"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "programme").mkdir()
    for name in ("programme.toml", "places.csv", "teams.csv", "coders.csv"):
        shutil.copy(CLEAN / name, tmp_path / "programme" / name)
    return tmp_path / "programme"


def put(path: Path, query: str, **frames: pd.DataFrame) -> None:
    """What a query gives, in Parquet."""
    with duckdb.connect() as connection:
        for name, frame in frames.items():
            connection.register(name, frame)
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")


@pytest.fixture(scope="module")
def programme() -> ek.Programme:
    return ek.load(CLEAN)


@pytest.fixture(scope="module")
def in_parquet(tmp_path_factory: pytest.TempPathFactory, programme: ek.Programme) -> dict[bool, Path]:
    """The clean folder with each table in Parquet: its cells as text, or as days, numbers, and yes and no (True)."""
    return {
        typed: all_in_parquet(tmp_path_factory.mktemp("parquet") / "x", programme, typed) for typed in (False, True)
    }


def all_in_parquet(folder: Path, programme: ek.Programme, typed: bool) -> Path:
    shutil.copytree(CLEAN, folder)
    with duckdb.connect() as connection:
        for path in sorted(folder.glob("*.csv")):
            cells = pd.read_csv(path, dtype="str", keep_default_na=False)
            if typed and path.stem not in ("responses", "people"):  # answers in words; what a correction put right
                cells = getattr(programme, path.stem)[list(cells.columns)]
            days = [name for name in cells if cells[name].dtype.kind == "M"]
            wanted = ", ".join(f'CAST("{name}" AS DATE) AS "{name}"' if name in days else f'"{name}"' for name in cells)
            connection.register("cells", cells)
            connection.execute(f"COPY (SELECT {wanted} FROM cells) TO '{path.with_suffix('.parquet')}'")
            path.unlink()
    return folder


@pytest.mark.parametrize("typed", [False, True])
def test_the_same_tables_in_parquet_are_the_same_programme(
    in_parquet: dict[bool, Path], programme: ek.Programme, typed: bool
) -> None:
    assert not list(in_parquet[typed].glob("*.csv"))
    found = ek.load(in_parquet[typed])
    assert [name for name in models() if found.has(name)] == [name for name in models() if programme.has(name)]
    for table in models():
        pd.testing.assert_frame_equal(getattr(found, table), getattr(programme, table), obj=table)
    assert found.as_of == programme.as_of
    assert found.data_hash != programme.data_hash
    assert set(found.hashes) == {name.replace(".csv", ".parquet") for name in programme.hashes}


def test_a_fault_is_named_at_the_row_the_table_would_have_in_csv(folder: Path) -> None:
    rows = [("T1", "One", "L9"), (None, None, None), ("T2", "Two", "L1"), ("T2", " Three", "L1")]
    given = pd.DataFrame(rows, columns=["team_id", "name", "place_id"])
    (folder / "teams.csv").unlink()
    put(folder / "teams.parquet", "SELECT * FROM given", given=given)
    problems = ek.check(folder)
    own = problems[problems["file"] == "teams.parquet"]
    assert {(int(p.row), p.column, p.value) for p in own.itertuples()} == {(2, "place_id", "L9"), (5, "team_id", "T2")}
    assert as_read(folder, {"teams.parquet"})["teams.parquet"][4] == ["T2", " Three", "L1"]


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("81::DOUBLE", "81"), ("2.50::DECIMAL(9,2)", "2.5"), ("100::DECIMAL(9,0)", "100"), ("0.1::FLOAT", "0.1"),
        ("'nan'::DOUBLE", ""), ("TRUE", "yes"), ("FALSE", "no"), ("DATE '2026-03-31'", "2026-03-31"),
        ("TIMESTAMP '2026-03-31 00:00:00'", "2026-03-31"), ("TIMESTAMP_NS '2026-03-31 00:00:00'", "2026-03-31"),
        ("TIMESTAMP '2026-03-31 10:30:00'", "2026-03-31 10:30:00.000000"), ("'007'", "007"), ("'NA'", "NA"),
        ("9007199254740993::BIGINT", "9007199254740993"), ("NULL::INTEGER", ""), ("0.00000012::DOUBLE", "0.00000012"),
    ],
)  # fmt: skip
def test_every_type_becomes_what_a_csv_file_would_hold(tmp_path: Path, sql: str, text: str) -> None:
    path = tmp_path / "x.parquet"
    put(path, f"SELECT {sql} AS a, 'x' AS b")
    with engine(path) as connection:
        sheet = parquet.open_parquet("x.parquet", path, connection, Problems())
    assert sheet is not None
    assert sheet.columns["a"].texts().tolist() == [text]


@pytest.mark.parametrize("sql", ["[1, 2]", "{'a': 1}", "'x'::BLOB", "TIMESTAMPTZ '2026-03-31 00:00:00+00'"])
def test_a_column_of_another_kind_is_named(folder: Path, sql: str) -> None:
    (folder / "coders.csv").unlink()
    put(folder / "coders.parquet", f"SELECT 'Y1' AS source_id, {sql} AS coder")
    (problem,) = ek.check(folder).itertuples()
    assert (problem.file, problem.row, problem.column) == ("coders.parquet", 1, "coder")
    assert "a kind evalkit does not read" in problem.problem


def test_a_table_in_both_forms_is_a_problem(folder: Path) -> None:
    put(folder / "coders 2024.parquet", "SELECT 'Y1' AS source_id, 'C1' AS coder")
    (problem,) = ek.check(folder).itertuples()
    assert (problem.file, "as CSV and as Parquet" in problem.problem) == ("coders 2024.parquet", True)


def test_a_table_in_several_parquet_files_is_one(folder: Path) -> None:
    (folder / "coders.csv").unlink()
    put(folder / "coders.parquet", "SELECT 'Y1' AS source_id, 'C1' AS coder")
    put(folder / "coders 2024.parquet", "SELECT 'Y1' AS source_id, 'C2' AS coder")
    assert sorted(ek.load(folder).coders["coder"]) == ["C1", "C2"]


def test_what_is_no_parquet_or_a_folder_of_files_is_named(folder: Path) -> None:
    (folder / "coders.csv").unlink()
    (folder / "coders.parquet").write_bytes(b"PAR1 nothing PAR1")
    (folder / "pdsa.parquet").mkdir()
    problems = ek.check(folder)
    assert problems["file"].tolist() == ["coders.parquet", "pdsa.parquet"]
    assert "cannot be read as Parquet" in problems["problem"][0]
    assert "is a folder" in problems["problem"][1]


def test_only_the_file_of_that_name_is_read(tmp_path: Path) -> None:
    """Names with a star or brackets stand for themselves, and DuckDB reads nothing else."""
    put(tmp_path / "it''s [1] all.parquet", "SELECT 1 AS a")
    put(tmp_path / "it''s 1 all.parquet", "SELECT 2 AS a")
    odd = tmp_path / "it's [1]*.parquet"
    (tmp_path / "it's [1] all.parquet").rename(odd)
    with engine(odd) as connection:
        sheet = parquet.open_parquet("odd", odd, connection, Problems())
        assert sheet is not None
        assert sheet.columns["a"].texts().tolist() == ["1"]
        for query in ("FROM read_csv('/etc/hosts')", "FROM 'https://example.org/x.parquet'", "INSTALL httpfs"):
            with pytest.raises(duckdb.Error):
                connection.execute(query).fetchall()


@pytest.mark.parametrize(("person", "typed"), [("P1", True), ("40017", False)])
def test_nothing_of_a_person_who_withdraws_is_left(
    tmp_path: Path, in_parquet: dict[bool, Path], person: str, typed: bool
) -> None:
    own, folder = (
        Path(shutil.copytree(source, tmp_path / name))
        for name, source in (("parquet", in_parquet[typed]), ("csv", CLEAN))
    )
    kinds = {path: duckdb.sql(f"DESCRIBE FROM '{path}'").fetchall() for path in own.glob("*.parquet")}
    done, plain = withdraw(own, person), withdraw(folder, person)
    assert {Path(name).stem: count for name, count in done.rows.items()} == {
        Path(name).stem: count for name, count in plain.rows.items()
    }
    for path, kind in kinds.items():
        held = duckdb.sql(f"SELECT CAST(t AS VARCHAR) FROM read_parquet('{path}') AS t").fetchall()
        assert not [row for (row,) in held if f": {person}," in row or f"'{person}'" in row], path.name
        assert duckdb.sql(f"DESCRIBE FROM '{path}'").fetchall() == kind, "columns keep their types"
    left, right = ek.load(own), ek.load(folder)
    for table in ("people", "participants", "actions", "responses", "admissions", "corrections"):
        pd.testing.assert_frame_equal(getattr(left, table), getattr(right, table), obj=table)


def test_a_word_that_does_not_fit_a_column_is_refused(tmp_path: Path) -> None:
    from evalkit.withdrawal.cuts import Cut
    from evalkit.withdrawal.parquets import parquet_without

    path = tmp_path / "x.parquet"
    put(path, "SELECT 1 AS a UNION ALL SELECT 2")
    with pytest.raises(Refused, match="does not fit"):
        parquet_without(path, Cut(cells={(2, "a"): "many"}))
    (tmp_path / "y.parquet").write_bytes(parquet_without(path, Cut(cells={(2, "a"): "7"}, rows={3})))
    assert duckdb.sql(f"FROM '{tmp_path / 'y.parquet'}'").fetchall() == [(7,)]
    (tmp_path / "y.parquet").write_bytes(parquet_without(path, Cut(rows={3}), blank=True))
    assert duckdb.sql(f"FROM '{tmp_path / 'y.parquet'}'").fetchall() == [(1,), (None,)]
