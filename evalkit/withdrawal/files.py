"""Files written anew without some of their rows, all of them or none: everything else in them stays as it was."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from evalkit.errors import Refused
from evalkit.reading.problems import HEADING
from evalkit.reading.sheets import BOM
from evalkit.withdrawal.cuts import Cut

LONGEST_CELL = 2**31 - 1
"""What the csv module may be asked to take for a cell: its own limit is shorter than an interview."""


def csv_without(content: bytes, cut: Cut, *, blank: bool = False) -> bytes:
    """The CSV file without the rows; only rows with a changed cell are written anew.

    `blank`: the rows stay and hold only commas, so that no other row gets another number.
    """
    mark = BOM if content.startswith(BOM) else b""
    text = content[len(mark) :].decode("utf-8")
    kept: list[str] = []
    headings: list[str] = []
    for row, (lines, record) in enumerate(_records(text), start=HEADING):
        headings = headings or record
        end = lines[len(lines.rstrip("\r\n")) :]
        changed = {headings.index(name): value for (at, name), value in cut.cells.items() if at == row}
        if row in cut.rows:
            kept.append("," * (len(record) - 1) + end if blank else "")
        elif changed:
            kept.append(_written([changed.get(at, cell) for at, cell in enumerate(record)], end))
        else:
            kept.append(lines)
    return mark + "".join(kept).encode()


def write_all(made: Mapping[Path, bytes]) -> None:
    """Every file, or none: what was replaced is put back when another cannot be. Raises Refused then."""
    was = {path: path.read_bytes() for path in made}
    replaced: list[Path] = []
    path = next(iter(made), Path())
    try:
        for path in made:
            with path.open("r+b"):  # what Excel holds open cannot be opened so; then nothing is written at all
                pass
            _beside(path).write_bytes(made[path])
            shutil.copymode(path, _beside(path))
        for path in made:
            _beside(path).replace(path)
            replaced.append(path)
    except OSError:
        for done in replaced:
            done.write_bytes(was[done])
        raise Refused(f"{path.name} cannot be written: close it in Excel and try again.") from None
    finally:
        for one in made:
            _beside(one).unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def _records(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each record as it stands in the file, its line end and all, and its cells."""
    lines = io.StringIO(text, newline="").readlines()
    limit = csv.field_size_limit(LONGEST_CELL)
    try:
        reader, begun = csv.reader(iter(lines)), 0
        for record in reader:
            yield "".join(lines[begun : reader.line_num]), record
            begun = reader.line_num
    finally:
        csv.field_size_limit(limit)


def _written(record: list[str], end: str) -> str:
    page = io.StringIO(newline="")
    csv.writer(page, lineterminator=end).writerow(record)
    return page.getvalue()
