"""Tables too long to be held whole: read, checked and given out in parts of a quarter of a million rows."""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from data_schemas.tables import in_parts, models, schema
from evalkit.reading.forms import is_copy, part_of
from evalkit.reading.problems import HEADING, Problems
from evalkit.reading.reads import Read, about, typed
from evalkit.reading.sheets import (
    AS_TEXT,
    BOM,
    SAVE_AS,
    Cells,
    Origin,
    Sheet,
    coded,
    commas,
    name_uneven,
    under_headings,
)

ROWS = 250_000
"""Rows of a part: some 100 MB of ten columns on their way in."""

BLOCK = 2**22
"""Bytes looked at at a time."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The files of one such table, how many rows they hold, and the last day any of them tells of.

    `places`: those whose rows are given out; None gives out all.
    """

    table: str
    files: tuple[Path, ...]
    rows: int
    latest: pd.Timestamp | None = None
    places: frozenset[str] | None = field(default=None)

    def __iter__(self) -> Iterator[pd.DataFrame]:
        for path in self.files:
            for read in reads(self.table, path, Problems()):
                kept = read.frame
                yield kept if self.places is None else kept[kept["place_id"].isin(self.places)].reset_index(drop=True)


def long_tables(files: Mapping[str, Path]) -> dict[str, list[Path]]:
    """The CSV files that hold tables of this kind, by table."""
    found: dict[str, list[Path]] = {}
    for name, path in files.items():
        kind, table = part_of(path.stem, models())
        if path.suffix.lower() != ".csv" or "/" in name or is_copy(path.stem):
            continue
        if kind == "table" and in_parts(table):
            found.setdefault(table, []).append(path)
    return found


def reads(table: str, path: Path, problems: Problems) -> Iterator[Read]:
    """The table's rows, typed, part after part; nothing where the file cannot be read as text."""
    if not _is_text(path, problems):
        return
    headings: list[str] = []
    at, between, within = 0, 0, 0
    known: set[str] = set()
    expected = list(schema(table).columns)
    try:
        for raw in _raw(path):
            columns = [coded(raw[number].to_numpy(dtype=object)) for number in raw]
            headings = headings or [str(cells.distinct[cells.which[0]]) for cells in columns]
            within += sum(map(commas, columns))
            between += (len(columns) - 1) * len(raw)
            sheet = _sheet(path.name, columns, headings if at else [], at, problems, expected)
            at += len(raw)
            if sheet is None:
                return
            said = Problems() if known else problems  # headings are named once, with the first part
            known = known or set(sheet.columns)
            part = typed(table, sheet, said, {})
            if said is not problems:
                _later(said, problems)
            yield part
    except (pd.errors.ParserError, pd.errors.EmptyDataError):
        between = -1
    if between + within != _count(path, b","):
        with path.open(encoding="utf-8-sig", newline="") as file:
            name_uneven(path.name, csv.reader(file), problems)


def latest(table: str, frame: pd.DataFrame) -> pd.Timestamp | None:
    """The last day anything happened in a part."""
    days = [frame[name].max() for name in schema(table).columns if about(table, name)["happened"]]
    found = [day for day in days if pd.notna(day)]
    return max(found) if found else None


def digest_of(path: Path) -> str:
    """The same fingerprint `digest` gives, without reading the file whole."""
    hashed, kept = hashlib.sha256(), b""
    with path.open("rb") as file:
        first = file.read(len(BOM))
        kept = b"" if first == BOM else first
        while block := file.read(BLOCK):
            block = kept + block
            kept = b"\r" if block.endswith(b"\r") else b""
            hashed.update(block.removesuffix(kept).replace(b"\r\n", b"\n"))
    hashed.update(kept)
    return hashed.hexdigest()


def _raw(path: Path) -> Iterator[pd.DataFrame]:
    with pd.read_csv(path, dtype=object, chunksize=ROWS, **AS_TEXT) as chunks:
        yield from chunks


def _sheet(
    file: str, columns: list[Cells], headings: list[str], at: int, problems: Problems, expected: Collection[str]
) -> Sheet | None:
    """One part under the file's headings, its rows numbered as in the whole file."""
    if not headings:
        return under_headings(file, columns, problems, expected=expected)
    headed = [
        Cells(np.append(cells.distinct, heading), np.append(len(cells.distinct), cells.which))
        for heading, cells in zip(headings, columns, strict=True)
    ]
    sheet = under_headings(file, headed, Problems())
    assert sheet is not None
    return Sheet(sheet.columns, Origin(file, sheet.rows + at - HEADING))


def _later(found: Problems, problems: Problems) -> None:
    """What was found in a part that is not the first: all but the headings, which were named before."""
    problems.extend(problem for problem in found.found if problem[1] != HEADING)


def _count(path: Path, mark: bytes) -> int:
    with path.open("rb") as file:
        return sum(block.count(mark) for block in iter(lambda: file.read(BLOCK), b""))


def _is_text(path: Path, problems: Problems) -> bool:
    """Whether the file is UTF-8 with commas; told like any other table's, though only a block is held at a time."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    anything = False
    with path.open("rb") as file:
        head = file.read(BLOCK)
        first = head.split(b"\n", 1)[0]
        for block in (head, *iter(lambda: file.read(BLOCK), b"")):
            anything = anything or bool(block.strip(b"\xef\xbb\xbf\r\n\t ,;"))
            try:
                text = decoder.decode(block)
            except UnicodeDecodeError:
                text = "\0"
            if "\0" in text:
                problems.add(path.name, "The file is not text in UTF-8.", SAVE_AS)
                return False
    if not anything:
        problems.add(path.name, "The file is empty.", "Write the headings and rows, or take the file out.")
    elif b"," not in first and (b";" in first or b"\t" in first):
        mark = "semicolons" if b";" in first else "tabs"
        problems.add(path.name, f"The columns are separated by {mark}, not commas.", SAVE_AS, row=HEADING)
    else:
        return True
    return False
