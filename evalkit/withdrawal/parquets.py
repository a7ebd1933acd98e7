"""Parquet files written anew without some of their rows: every other cell keeps its value and its type."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from evalkit.errors import Refused
from evalkit.reading.engine import engine, named, quoted
from evalkit.reading.parquet import ROW, Column, columns_of
from evalkit.reading.problems import HEADING
from evalkit.withdrawal.cuts import Cut


def parquet_without(path: Path, cut: Cut, *, blank: bool = False) -> bytes:
    """The file without the rows; cells that go become missing, or what is written into them.

    `blank`: the rows stay and hold nothing, so that no other row gets another number. Raises Refused where a column
    is of a type that cannot hold what is to be written.
    """
    import duckdb

    gone = ", ".join(str(row - HEADING - 1) for row in sorted(cut.rows)) or "-1"
    with TemporaryDirectory() as folder, engine(path, folder=Path(folder)) as connection:
        made = Path(folder) / "made.parquet"
        columns = columns_of(connection, path)
        said = [_column(column, cut, f"{ROW} IN ({gone})" if blank else "FALSE") for column in columns]
        wanted, written = ", ".join(sql for sql, _ in said), [text for _, texts in said for text in texts]
        source = f"read_parquet({quoted(named(path))}, {ROW} = true)"
        kept = "TRUE" if blank else f"{ROW} NOT IN ({gone})"
        try:
            connection.execute(f"COPY (SELECT {wanted} FROM {source} WHERE {kept}) TO {quoted(str(made))}", written)
        except duckdb.ConversionException:
            raise Refused(
                f"{path.name}: a corrected cell does not fit into its column. Write it there first, and try again."
            ) from None
        return made.read_bytes()


def _column(column: Column, cut: Cut, blank: str) -> tuple[str, list[str | None]]:
    """A column as it is written, missing in rows made blank; a question mark for each changed cell, and its text."""
    name = quoted(column.name, '"')
    changed = {row - HEADING - 1: value for (row, heading), value in cut.cells.items() if heading == column.name}
    cells = " ".join(f"WHEN {ROW} = {row:d} THEN CAST(? AS {column.type})" for row in changed)
    return f"CASE WHEN {blank} THEN NULL {cells} ELSE {name} END AS {name}", [text or None for text in changed.values()]
