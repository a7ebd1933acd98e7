"""A long table looked at all at once, by the distinct cells of its columns: whether all is well, or which rows to read.

Fifty million rows hold a few thousand days, a hundred ages, forty places. What is right for each distinct cell is right
for every row that holds it, so that only rows with a faulty cell are read one by one, to be named.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data_schemas.tables import schema
from evalkit.reading import parquet
from evalkit.reading.engine import engine, named, quoted
from evalkit.reading.in_parts import BLOCK, is_text
from evalkit.reading.parquet import SUFFIX, Column
from evalkit.reading.problems import HEADING, Problems
from evalkit.reading.progress import watched
from evalkit.reading.reads import Read, about, form_of, typed
from evalkit.reading.sheets import LONG, Cells, Origin, Sheet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_DISTINCT = 100_000
"""Distinct cells a column is looked at by; a table with more in a column is read row by row."""

MOST_FAULTY = 1_000
"""Distinct faulty cells by which rows are looked up; with more, all rows are read."""

ORDINARY = "([!-~]([ -~]*[!-~])?)?"
"""A cell in plain letters without space at either end, or a blank one: an id nobody need look at again."""

Check = Callable[[Read, Problems], None]
"""The rules a table's rows must keep."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What a look told: how many rows hold anything, the last day, and which rows are to be read one by one.

    `where` is SQL with a question mark for each of `values`; blank when every row is well, TRUE for all of them.
    """

    rows: int
    latest: pd.Timestamp | None
    where: str = ""
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    """The distinct values of columns as DuckDB holds them, None for a blank; ids out of the ordinary; rows."""

    held: dict[Column, list[Any]]
    odd: list[Column]
    rows: int

    def sheet(self, path: Path) -> Sheet:
        """The distinct cells side by side, as if each row held some: the last of a short column is repeated."""
        rows = max(map(len, self.held.values()), default=0)
        columns = {
            column.name: Cells(
                np.array([parquet.text(value) for value in values], dtype=object),
                np.minimum(np.arange(rows), len(values) - 1),
            )
            for column, values in self.held.items()
        }
        return Sheet(columns, Origin(path.name, np.arange(rows, dtype=np.int64) + HEADING + 1))


def glance(table: str, path: Path, check: Check) -> Glance | None:
    """The look; None where DuckDB does not read the file as the parts do, so that every row is to be read by these.

    Only for long files, and tables whose rules concern one cell at a time.
    """
    import duckdb

    short = path.stat().st_size < LONG  # read before DuckDB has begun
    if short or schema(table).checks or schema(table).unique or not (_is_parquet(path) or is_text(path, Problems())):
        return None
    try:
        with engine(path) as connection, watched(connection, f"Looking through {path.name}", [path]):
            columns = _in_parquet(table, path, connection) if _is_parquet(path) else _in_csv(table, path)
            seen = _seen(table, path, columns, connection) if columns else None
    except duckdb.Error:
        return None  # it is read row by row, and what is wrong is named
    return None if seen is None else _told(table, path, seen, check)


def plain_csv(headings: Collection[str], file: str = "?") -> str:
    """What SQL reads a CSV file from: every cell as text. The headings are those of the table's model."""
    columns = ", ".join(f"{quoted(heading)}: 'VARCHAR'" for heading in headings)
    return (
        f"read_csv({file}, auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', "
        f"strict_mode = true, nullstr = '', columns = {{{columns}}})"
    )


def headings_of(path: Path) -> list[str]:
    """The headings of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file), [])


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == SUFFIX


def _in_parquet(table: str, path: Path, connection: DuckDBPyConnection) -> list[Column]:
    """The table's columns among those of the file: what is strange or missing is named in any row that is read."""
    known = schema(table).columns
    return [column for column in parquet.columns_of(connection, path) if column.readable and column.name in known]


def _in_csv(table: str, path: Path) -> list[Column]:
    """The columns of a CSV file that is plain enough for a look; none where it is to be read row by row."""
    known, headings = schema(table).columns, headings_of(path)
    needed = {name for name, column in known.items() if column.required}
    plain = len({*headings}) == len(headings) and needed <= {*headings} <= known.keys()
    return [Column(heading, "VARCHAR") for heading in headings] if plain else []


def _seen(table: str, path: Path, columns: Collection[Column], connection: DuckDBPyConnection) -> _Seen | None:
    """All distinct cells in one go through the file; None where there are too many, or it does not fall into rows."""
    free = [column for column in columns if _is_free(table, column)]
    listed = [column for column in columns if column not in free]
    texts = [column for column in free if column.type == "VARCHAR"]  # a number is no strange id
    asked = [f"list(DISTINCT {column.fetched})" for column in listed]
    asked += [f"count(*) - count({column.fetched})" for column in listed]
    asked += [f"count_if({_odd(column)})" for column in texts]
    asked.append(f"count(coalesce({', '.join(f'CAST({column.fetched} AS VARCHAR)' for column in columns)}))")
    source = parquet.SOURCE if _is_parquet(path) else plain_csv([column.name for column in columns])
    found: tuple[Any, ...] = (
        connection.execute(f"SELECT {', '.join(asked)} FROM {source}", [named(path)]).fetchone() or ()
    )
    many = len(listed)
    held = {
        column: [*(value for value in values or () if value is not None), *([None] if blanks else [])]
        for column, values, blanks in zip(listed, found[:many], found[many : 2 * many], strict=True)
    }
    if any(len(values) > MOST_DISTINCT for values in held.values()):
        return None
    if not _is_parquet(path) and not _falls_into_columns(path, columns, connection):
        return None
    odd = [column for column, count in zip(texts, found[2 * many : -1], strict=True) if count]
    return _Seen(held, odd, int(found[-1]))


def _is_free(table: str, column: Column) -> bool:
    """Whether a column holds ids that no table lists, as many perhaps as rows."""
    told = schema(table).columns[column.name].checks or about(table, column.name)["refers"]
    return form_of(table, column.name)[0] == "text" and not told


def _odd(column: Column) -> str:
    return f"NOT regexp_full_match({column.fetched}, {quoted(ORDINARY)})"


def _falls_into_columns(path: Path, columns: Collection[Column], connection: DuckDBPyConnection) -> bool:
    """Whether a CSV file has a comma fewer than columns in every row, those inside cells aside.

    DuckDB takes a comma too many at the end of a row, and reads a quotation mark with a space beside it in its own way.
    """
    commas, quotes, before = 0, False, b""
    with path.open("rb") as file:
        for block in iter(lambda: file.read(BLOCK), b""):
            commas += block.count(b",")
            seen = before + block
            quotes = quotes or b'"' in seen
            if b'"' in seen and any(mark in seen for mark in (b' "', b'" ', b'\t"', b'"\t')):
                return False
            before = block[-1:]
    inside = [f"sum(length({column.fetched}) - length(replace({column.fetched}, ',', '')))" for column in columns]
    within = " + ".join(f"coalesce({count}, 0)" for count in inside) if quotes else "0"
    source = plain_csv([column.name for column in columns])
    found = connection.execute(f"SELECT count(*), {within} FROM {source}", [named(path)]).fetchone() or (0, 0)
    return commas == (len(columns) - 1) * (int(found[0]) + 1) + int(found[1])


def _told(table: str, path: Path, seen: _Seen, check: Check) -> Glance | None:
    """The distinct cells held to the rules of the table."""
    problems = Problems()
    read = typed(table, seen.sheet(path), problems, {})
    check(read, problems)
    faulty = {(name, row - HEADING - 1) for _, row, name, *_ in problems.found if row and row > HEADING}
    days = [read.frame[name].max() for name in schema(table).columns if about(table, name)["happened"]]
    known = [day for day in days if pd.notna(day)]
    where, values = _rows_with(seen, faulty) if _is_parquet(path) else ("TRUE" if faulty or seen.odd else "", ())
    return Glance(seen.rows, max(known, default=None), where or ("FALSE" if problems else ""), values)


def _rows_with(seen: _Seen, faulty: Collection[tuple[str, int]]) -> tuple[str, tuple[Any, ...]]:
    """Which rows hold a faulty cell or an id out of the ordinary."""
    if len(faulty) > MOST_FAULTY:
        return "TRUE", ()
    said, values = [_odd(column) for column in seen.odd], []
    for column, held in seen.held.items():
        amiss = [held[min(at, len(held) - 1)] for name, at in faulty if name == column.name]
        said += [f"{column.fetched} IS NULL"] if None in amiss else []
        present = [value for value in amiss if value is not None]
        said += [f"{column.fetched} IN ({', '.join('?' * len(present))})"] if present else []
        values += present
    return " OR ".join(said), tuple(values)
