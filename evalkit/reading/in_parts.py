"""Tables too long to be held whole: read, checked and given out in parts of a quarter of a million rows."""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data_schemas.tables import in_parts, models, schema
from evalkit.reading import parquet
from evalkit.reading.engine import engine
from evalkit.reading.forms import is_copy, part_of
from evalkit.reading.parquet import SUFFIX
from evalkit.reading.problems import HEADING, Problems
from evalkit.reading.progress import Told
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

    `places`: those whose rows are given out; None gives out all. `plain`: the files DuckDB reads as they are read here,
    so that it may count in them.
    """

    table: str
    files: tuple[Path, ...]
    rows: int
    latest: pd.Timestamp | None = None
    places: frozenset[str] | None = field(default=None)
    plain: frozenset[Path] = frozenset()

    def __iter__(self) -> Iterator[pd.DataFrame]:
        for path in self.files:
            for read in reads(self.table, path, Problems()):
                kept = read.frame
                yield kept if self.places is None else kept[kept["place_id"].isin(self.places)].reset_index(drop=True)


def long_tables(files: Mapping[str, Path]) -> dict[str, list[Path]]:
    """The CSV and Parquet files that hold tables of this kind, by table."""
    found: dict[str, list[Path]] = {}
    for name, path in files.items():
        kind, table = part_of(path.stem, models())
        if path.suffix.lower() not in (".csv", SUFFIX) or "/" in name or is_copy(path.stem):
            continue
        if kind == "table" and in_parts(table):
            found.setdefault(table, []).append(path)
    return found


def reads(
    table: str,
    path: Path,
    problems: Problems,
    *,
    where: str = "TRUE",
    values: Sequence[Any] = (),
    told: Told | None = None,
) -> Iterator[Read]:
    """The table's rows, typed, part after part; nothing where the file cannot be read.

    `where` and `values` as a `Glance` gives them: of a Parquet file those rows alone. `told` hears how far it has come.
    """
    if path.suffix.lower() == SUFFIX:
        sheets = _from_parquet(path, problems, where, values)
    else:
        sheets = _from_csv(table, path, problems, told)
    first = True
    for sheet in sheets:
        said = problems if first else Problems()  # headings are named once, with the first part
        yield typed(table, sheet, said, {})
        if not first:
            _later(said, problems)
        first = False


def _from_csv(table: str, path: Path, problems: Problems, told: Told | None) -> Iterator[Sheet]:
    """The parts of a CSV file, the first under the file's headings and the others as if they had them."""
    if not is_text(path, problems):
        return
    headings: list[str] = []
    at, between, within = 0, 0, 0
    expected = list(schema(table).columns)
    try:
        for raw in _raw(path, told):
            columns = [coded(raw[number].to_numpy(dtype=object)) for number in raw]
            headings = headings or [str(cells.distinct[cells.which[0]]) for cells in columns]
            within += sum(map(commas, columns))
            between += (len(columns) - 1) * len(raw)
            sheet = _sheet(path.name, columns, headings if at else [], at, problems, expected)
            at += len(raw)
            if sheet is None:
                return
            yield sheet
    except (pd.errors.ParserError, pd.errors.EmptyDataError):
        between = -1
    if between + within != _count(path, b","):
        with path.open(encoding="utf-8-sig", newline="") as file:
            name_uneven(path.name, csv.reader(file), problems)


def _from_parquet(path: Path, problems: Problems, where: str, values: Sequence[Any]) -> Iterator[Sheet]:
    """The parts of a Parquet file, its records numbered as the rows of a spreadsheet."""
    import duckdb

    try:
        with engine(path) as connection:
            columns = parquet.readable(path.name, parquet.columns_of(connection, path), problems)
        for records, found in parquet.parts(path, columns, ROWS, where, values) if columns else ():
            headed = [parquet.with_heading(column.name, cells) for column, cells in zip(columns, found, strict=True)]
            sheet = under_headings(path.name, headed, Problems())
            if sheet is not None:
                yield Sheet(sheet.columns, Origin(path.name, records[sheet.rows - HEADING - 1] + HEADING + 1))
    except duckdb.Error:
        problems.add(path.name, *parquet.UNREADABLE)


def latest(table: str, frame: pd.DataFrame) -> pd.Timestamp | None:
    """The last day anything happened in a part."""
    days = [frame[name].max() for name in schema(table).columns if about(table, name)["happened"]]
    found = [day for day in days if pd.notna(day)]
    return max(found) if found else None


def digest_of(path: Path) -> str:
    """The same fingerprint `digest` gives, without reading the file whole; of Parquet, every byte as it is."""
    hashed, kept = hashlib.sha256(), b""
    with path.open("rb") as file:
        if path.suffix.lower() == SUFFIX:
            return hashlib.file_digest(file, "sha256").hexdigest()
        first = file.read(len(BOM))
        kept = b"" if first == BOM else first
        while block := file.read(BLOCK):
            block = kept + block
            kept = b"\r" if block.endswith(b"\r") else b""
            hashed.update(block.removesuffix(kept).replace(b"\r\n", b"\n"))
    hashed.update(kept)
    return hashed.hexdigest()


def _raw(path: Path, told: Told | None) -> Iterator[pd.DataFrame]:
    with path.open("rb") as file, pd.read_csv(file, dtype=object, chunksize=ROWS, **AS_TEXT) as chunks:
        for chunk in chunks:
            if told is not None:
                told(file.tell() / path.stat().st_size)
            yield chunk


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


def is_text(path: Path, problems: Problems) -> bool:
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
