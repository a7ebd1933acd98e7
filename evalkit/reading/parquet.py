"""Parquet files, read through DuckDB into the same cells of text as any other file, so that the same rules hold.

A Parquet file has no rows a spreadsheet would show: the first record counts as row 2, below the headings, as it would
in the same table saved as CSV.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.reading.engine import engine, named, quoted
from evalkit.reading.problems import HEADING, Problems
from evalkit.reading.sheets import LONG, Cells, Sheet, under_headings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SUFFIX = ".parquet"

ROW = "file_row_number"
"""What DuckDB calls the number of a record, from 0."""

SOURCE = f"read_parquet(?, {ROW} = true)"
"""What SQL reads from, with a question mark for the file."""

WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
"""Types of whole numbers."""

AS_THEY_ARE = WHOLE | {
    *("BOOLEAN", "FLOAT", "DOUBLE", "DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")
}
"""Types of columns whose values are fetched as they are; what they are as text is worked out here."""

AS_TEXT = {"VARCHAR", "UUID", "HUGEINT", "UHUGEINT", "TIME"}
"""Types DuckDB turns to text without loss, as it does decimals. Lists, bytes and times in a zone are not read."""

DECIMAL = "DECIMAL("

UNREADABLE = "The file cannot be read as Parquet.", "Write it again, or save the table as CSV UTF-8."

Values = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file: its name and DuckDB's type for it."""

    name: str
    type: str

    @property
    def readable(self) -> bool:
        """Whether its values are single words, numbers, days, or yes and no."""
        return self.type in AS_THEY_ARE | AS_TEXT or self.type.startswith(DECIMAL)

    @property
    def fetched(self) -> str:
        """The column as SQL fetches it."""
        name = quoted(self.name, '"')
        if self.type.startswith(DECIMAL) and not self.type.endswith(",0)"):
            return f"rtrim(rtrim(CAST({name} AS VARCHAR), '0'), '.')"  # 81.00 is 81
        return name if self.type in AS_THEY_ARE else f"CAST({name} AS VARCHAR)"


def open_parquet(
    file: str, path: Path, connection: DuckDBPyConnection, problems: Problems, expected: Collection[str] = ()
) -> Sheet | None:
    """The sheet, or None when its problems leave nothing to read. `expected`: the headings such a sheet has."""
    import duckdb

    try:
        columns = readable(file, columns_of(connection, path), problems)
        together = [columns] if path.stat().st_size < LONG else [[column] for column in columns]
        found = [cells for some in together for cells in _cells(connection, path, some)[1]]
    except duckdb.Error:
        problems.add(file, *UNREADABLE)
        return None
    headed = [with_heading(column.name, cells) for column, cells in zip(columns, found, strict=True)]
    return under_headings(file, headed, problems, expected=expected) if headed else None


def as_rows(path: Path, most: int) -> list[list[object]]:
    """The headings and up to so many records as text, blank ones kept; nothing where the file cannot be read."""
    import duckdb

    try:
        with engine(path) as connection:
            columns = [column for column in columns_of(connection, path) if column.readable]
            _, found = _cells(connection, path, columns, f"{ROW} < {most:d}")
    except duckdb.Error:
        return []
    records = zip(*(cells.texts().tolist() for cells in found), strict=True)
    return [[column.name for column in columns], *map(list, records)]


def columns_of(connection: DuckDBPyConnection, path: Path) -> list[Column]:
    """The columns of a file, in its order."""
    found = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [named(path)]).fetchall()
    return [Column(str(name), str(kind)) for name, kind, *_ in found]


def readable(file: str, columns: Collection[Column], problems: Problems) -> list[Column]:
    """Those whose values are single ones; the others are named."""
    for column in columns:
        if not column.readable:
            words = f"The column holds values of a kind evalkit does not read ({column.type.lower()})."
            remedy = "Write one word, number, day, or yes or no in each cell."
            problems.add(file, words, remedy, row=HEADING, column=column.name)
    return [column for column in columns if column.readable]


def parts(
    path: Path, columns: Collection[Column], rows: int, where: str = "TRUE", values: Sequence[Any] = ()
) -> Iterator[tuple[NDArray[np.int64], list[Cells]]]:
    """Cells of these columns, out of so many records at a time, with the number of each record.

    `where`: SQL made here or beside, never of what a file says; `values` stand for its question marks.
    """
    with engine(path) as connection:
        asked = f"SELECT count(*), count_if({where}) FROM {SOURCE}"
        found: tuple[int, ...] = connection.execute(asked, [*values, named(path)]).fetchone() or (0, 0)
        step = rows if found[1] > rows else max(found[0], 1)
        for start in range(0, max(found[0], 1), step):
            within = f"({where}) AND {ROW} >= {start:d} AND {ROW} < {start + step:d}"
            yield _cells(connection, path, columns, within, values)


def text(value: Any) -> str:
    """A value as it would stand in a CSV file; what is missing is blank, and so is not-a-number.

    >>> [text(value) for value in (True, 3.0, np.float32(0.1), np.datetime64("2026-03-31T00:00"), "007", None)]
    ['yes', '3', '0.1', '2026-03-31', '007', '']
    """
    if pd.isna(value):
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return str(int(value)) if float(value).is_integer() else np.format_float_positional(value, trim="-")
    if isinstance(value, np.datetime64 | date):
        moment = np.datetime64(value)
        day = moment.astype("datetime64[D]")
        return str(day) if day == moment else str(moment).replace("T", " ")
    return str(value)


def _cells(
    connection: DuckDBPyConnection,
    path: Path,
    columns: Collection[Column],
    where: str = "TRUE",
    values: Sequence[Any] = (),
) -> tuple[NDArray[np.int64], list[Cells]]:
    """All cells of these columns where a condition holds, in the order of the file."""
    wanted = ", ".join([f"{ROW} AS at", *(f"{column.fetched} AS c{at}" for at, column in enumerate(columns))])
    query = f"SELECT {wanted} FROM {SOURCE} WHERE {where}"
    found = connection.execute(query, [named(path), *values]).fetchnumpy()
    held = {name: np.ma.asarray(cells) for name, cells in found.items()}
    rows = np.asarray(held["at"].data, dtype=np.int64)
    return rows, [_coded(held[f"c{at}"]) for at in range(len(columns))]


def _coded(values: np.ma.MaskedArray[Any, Any]) -> Cells:
    """A column's distinct texts, and which of them each row holds; the last is the blank."""
    which, distinct = pd.factorize(values.data)
    blank = np.ma.getmaskarray(values) | (which < 0)
    texts = np.array([*map(text, distinct), ""], dtype=object)
    return Cells(texts, np.where(blank, len(distinct), which))


def with_heading(heading: str, cells: Cells) -> Cells:
    """The column with its heading for the first record, as a CSV file has it."""
    return Cells(np.append(cells.distinct, heading), np.append(len(cells.distinct), cells.which))
