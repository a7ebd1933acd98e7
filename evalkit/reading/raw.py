"""Files as they were read, cell by cell, so that problems can be marked where they stand."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from pathlib import Path

from data_schemas.tables import models
from evalkit.reading.books import open_values
from evalkit.reading.exports import PERSONAL, plain
from evalkit.reading.forms import part_of
from evalkit.reading.parquet import SUFFIX, as_rows
from evalkit.reading.problems import HEADING, SHEET

MOST = 2**20
"""Records of a Parquet file that are given: with more, a sheet of Excel could not hold it anyway."""

HIDDEN = "(hidden)"
"""Stands in the marked copy where an export says who somebody is."""


def as_read(source: str | Path, wanted: Collection[str]) -> dict[str, list[list[object]]]:
    """The rows of the files and sheets problems name, headings first; what is no table is left out.

    Of a form's export the columns that tell who somebody is are hidden: the marked copy is passed around.
    """
    root = Path(source)
    files = {root.name: root} if root.is_file() else {path.name: path for path in sorted(root.iterdir())}
    found: dict[str, list[list[object]]] = {}
    for name, path in files.items():
        if path.suffix.lower() == ".csv" and name in wanted:
            found[name] = _csv(path.read_bytes())
        elif path.suffix.lower() == SUFFIX and name in wanted:
            rows = as_rows(path, MOST)
            found |= {name: rows} if rows else {}
        elif path.suffix.lower() == ".xlsx" and any(file.startswith(f"{name}{SHEET}") for file in wanted):
            sheets = {f"{name}{SHEET}{title}": rows for title, rows in open_values(path.read_bytes()).items()}
            found |= {file: rows for file, rows in sheets.items() if file in wanted}
    return {file: _without_names(file, rows) for file, rows in found.items()}


def _without_names(file: str, rows: list[list[object]]) -> list[list[object]]:
    """An export's rows without names and addresses; a table's, which hold ids, as they are."""
    title = file.rpartition(SHEET)[2].removesuffix(".csv").removesuffix(SUFFIX)
    if part_of(title, models())[0] or not rows:
        return rows
    private = [at for at, heading in enumerate(rows[0]) if plain(str(heading or "")) in PERSONAL]
    for row in rows[HEADING:]:
        for at in private:
            if at < len(row) and row[at] not in (None, ""):
                row[at] = HIDDEN
    return rows


def _csv(content: bytes) -> list[list[object]]:
    """The records; a file that is not UTF-8 is shown as Windows would."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    return [list(record) for record in csv.reader(io.StringIO(text.replace("\0", ""), newline=""))]
