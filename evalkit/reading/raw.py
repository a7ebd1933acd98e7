"""Files as they were read, cell by cell, so that problems can be marked where they stand."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from pathlib import Path

from evalkit.reading.books import open_values
from evalkit.reading.problems import SHEET


def as_read(source: str | Path, wanted: Collection[str]) -> dict[str, list[list[object]]]:
    """The rows of the files and sheets problems name, headings first; what is no table is left out."""
    root = Path(source)
    files = {root.name: root} if root.is_file() else {path.name: path for path in sorted(root.iterdir())}
    found: dict[str, list[list[object]]] = {}
    for name, path in files.items():
        if path.suffix.lower() == ".csv" and name in wanted:
            found[name] = _csv(path.read_bytes())
        elif path.suffix.lower() == ".xlsx" and any(file.startswith(f"{name}{SHEET}") for file in wanted):
            sheets = {f"{name}{SHEET}{title}": rows for title, rows in open_values(path.read_bytes()).items()}
            found |= {file: rows for file, rows in sheets.items() if file in wanted}
    return found


def _csv(content: bytes) -> list[list[object]]:
    """The records; a file that is not UTF-8 is shown as Windows would."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    return [list(record) for record in csv.reader(io.StringIO(text.replace("\0", ""), newline=""))]
