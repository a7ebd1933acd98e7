"""From the bytes of a CSV file to its cells as text, or the named reason why not. No cell is given a type here."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.reading.problems import HEADING, Problems

BOM = b"\xef\xbb\xbf"
"""What Windows puts before text in UTF-8."""

LONG = 2**20
"""Bytes from which on it pays to look at the beginning of a file first."""

REPEATED = 4
"""How often each text of a column stands in that beginning, on average, when it is said to repeat."""

AS_TEXT: dict[str, Any] = {
    "header": None,
    "keep_default_na": False,
    "na_filter": False,
    "skip_blank_lines": False,
    "encoding": "utf-8-sig",
    "low_memory": False,
}
"""How a CSV file is read: nothing is a heading, nothing is missing, and nothing is a number yet."""

SAVE_AS = "In Excel: File, Save As, CSV UTF-8 (comma delimited)."
"""How to save what evalkit reads."""


csv.field_size_limit(2**31 - 1)
"""A cell may be as long as it likes: the csv module's own limit of 131,072 letters is less than a long interview."""

FIRST_ROWS = 10
"""Rows at the top of a sheet among which its headings are looked for."""

Positions = NDArray[np.integer[Any]]
"""Which of some distinct values each row holds: as small numbers as will do, for there is one for every cell."""


@dataclass(frozen=True, slots=True)
class Cells:
    """One column as text: its distinct values, and which of them each row holds."""

    distinct: NDArray[np.object_]
    which: Positions

    def at(self, rows: NDArray[Any]) -> Cells:
        """The cells of some rows, by position or by a mask."""
        return Cells(self.distinct, self.which[rows])

    def texts(self) -> NDArray[np.object_]:
        """Every cell, row by row."""
        return self.distinct[self.which]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the rows of a sheet stand: what a problem names.

    `rows` as a spreadsheet shows them; `letters` a workbook's columns by heading; `spread` holds, for a column whose
    values stood in several columns of the file (a filled-in form), the heading of each row's own.
    """

    file: str
    rows: NDArray[np.int64]
    letters: Mapping[str, str] = field(default_factory=dict)
    spread: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)

    def label(self, column: str) -> str:
        """A column as its reader finds it: with its letter where there is one."""
        return f"{column} ({self.letters[column]})" if column in self.letters else column

    def labels(self, columns: str, positions: NDArray[np.intp]) -> list[str]:
        """For each position the label of the cell that is blamed; "a, b" blames two columns."""
        if columns in self.spread:
            return [self.label(heading) for heading in self.spread[columns][positions]]
        return [", ".join(map(self.label, columns.split(", ")))] * len(positions)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file's columns as text, and where they stand. `days`: cells of a column that a workbook holds as dates."""

    columns: dict[str, Cells]
    origin: Origin
    days: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def rows(self) -> NDArray[np.int64]:
        """The row a spreadsheet shows for each record."""
        return self.origin.rows

    @property
    def file(self) -> str:
        """The file, and the sheet inside it."""
        return self.origin.file


def open_sheet(file: str, content: bytes, problems: Problems, expected: Collection[str] = ()) -> Sheet | None:
    """The sheet, or None when its problems leave nothing to read. `expected`: the headings such a sheet has."""
    if not _is_text(file, content, problems):
        return None
    try:
        columns = _columns(content)
    except (pd.errors.ParserError, pd.errors.EmptyDataError):
        if not _buried(file, (record for _, record in _records(content)), expected, problems):
            _report_shape(file, content, problems)
        return None
    records = len(columns[0].which)
    if _has_short_rows(content, columns, records) and _report_uneven_rows(file, content, problems):
        return None
    return under_headings(file, columns, problems, expected=expected)


def _columns(content: bytes) -> list[Cells]:
    """Every column as text. In a long file, columns that repeat a few texts are coded as they are parsed, which is
    faster; ids, of which there are about as many as rows, are coded afterwards.
    """
    kinds: dict[int, Any] = defaultdict(lambda: object)
    if len(content) > LONG:
        kinds |= dict.fromkeys(_repeating(content[: content.rfind(b"\n", 0, LONG) + 1]), "category")
    raw = pd.read_csv(io.BytesIO(content), dtype=kinds, **AS_TEXT)
    return [_cells(raw[number]) for number in raw]


def _repeating(begun: bytes) -> list[int]:
    """The columns that repeat a few texts in the beginning of a file; none where it was cut within a cell."""
    try:
        sample = pd.read_csv(io.BytesIO(begun), dtype=object, on_bad_lines="skip", **AS_TEXT)
    except (pd.errors.ParserError, pd.errors.EmptyDataError):
        return []
    repeats = sample.nunique() * REPEATED < len(sample)
    return [int(number) for number in repeats.index[repeats]]


def _cells(column: pd.Series[Any]) -> Cells:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return Cells(column.cat.categories.to_numpy(dtype=object), np.asarray(column.cat.codes))
    return coded(column.to_numpy(dtype=object))


def _is_text(file: str, content: bytes, problems: Problems) -> bool:
    if re.search(rb"[^\xef\xbb\xbf\r\n\t ,;]", content) is None:
        problems.add(file, "The file is empty.", "Write the headings and rows, or take the file out of the folder.")
        return False
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in content:
        problems.add(file, "The file is not text in UTF-8.", SAVE_AS)
        return False
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _report_bad_byte(file, content, error.start, problems)
        return False
    headings = re.match(rb"[^\r\n]*", content)
    first = headings[0] if headings else b""
    for mark, name in ((b";", "semicolons"), (b"\t", "tabs")):
        if mark in first and b"," not in first:
            problems.add(file, f"The columns are separated by {name}, not commas.", SAVE_AS, row=HEADING)
            return False
    return True


def _report_bad_byte(file: str, content: bytes, position: int, problems: Problems) -> None:
    """Latin-1 keeps one character a byte, so the cell can be counted out; Windows-1252 shows what was meant."""
    begun = 3 if content.startswith(b"\xef\xbb\xbf") else 0
    text = content[begun:].decode("latin-1")
    before = list(csv.reader(io.StringIO(text[: position - begun], newline="")))
    row, place = max(len(before), 1), max(len(before[-1]) - 1, 0) if before else 0
    if text[position - begun - 1 : position - begun] in ("\n", "\r"):
        row, place = row + 1, 0
    records = csv.reader(io.StringIO(text, newline=""))
    heading: list[str] = []
    record: list[str] = []
    for number, record in enumerate(records, start=HEADING):
        heading = heading or record
        if number == row:
            break
    cell = record[place].encode("latin-1").decode("cp1252", errors="replace") if place < len(record) else ""
    problems.add(
        file,
        "The file is not in UTF-8: this cell holds the first character that cannot be read.",
        SAVE_AS,
        row=row,
        column=heading[place] if place < len(heading) and row != HEADING else "",
        value=cell,
    )


def coded(texts: NDArray[np.object_]) -> Cells:
    """A column of texts by its distinct ones."""
    which, distinct = pd.factorize(texts)
    return Cells(np.asarray(distinct, dtype=object), which)


def _records(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Each record with the row a spreadsheet gives it, as the csv module reads it."""
    text = content.decode("utf-8-sig")
    return enumerate(csv.reader(io.StringIO(text, newline="")), start=HEADING)


def _report_shape(file: str, content: bytes, problems: Problems) -> None:
    """Why the file does not fall into rows and columns. Slow and exact: only ever for a broken file."""
    if content.count(b'"') % 2:
        problems.add(file, "A quotation mark is opened and never closed.", f"Close it. {SAVE_AS}")
    elif not _report_uneven_rows(file, content, problems):
        problems.add(file, "The file does not fall into rows and columns.", SAVE_AS)


def _has_short_rows(content: bytes, columns: list[Cells], records: int) -> bool:
    """A complete row has a comma fewer than columns: so count the commas, less those inside cells."""
    within = sum(map(commas, columns)) if b'"' in content else 0
    return content.count(b",") - within != (len(columns) - 1) * records


def commas(cells: Cells) -> int:
    """How many commas stand inside the cells of a column."""
    held = np.fromiter((text.count(",") for text in cells.distinct), dtype="int64", count=len(cells.distinct))
    return int(held[cells.which].sum())


def _report_uneven_rows(file: str, content: bytes, problems: Problems) -> bool:
    return name_uneven(file, (record for _, record in _records(content)), problems)


def name_uneven(file: str, records: Iterable[Sequence[str]], problems: Problems) -> bool:
    """Names each record with more or fewer cells than the first; whether there are any."""
    headings, found = 0, False
    for row, record in enumerate(records, start=HEADING):
        headings = headings or len(record)
        if not record or len(record) == headings:
            continue
        found = True
        problems.add(
            file,
            f"The row has {len(record)} cells and the headings have {headings}.",
            "Put text that holds a comma between quotation marks, and give every row as many cells as headings.",
            row=row,
        )
    return found


def _blank_rows(columns: list[Cells]) -> NDArray[np.bool_]:
    """Which records hold nothing at all: none, where a column always holds something."""
    blank = np.ones(len(columns[0].which), dtype=bool)
    if all((cells.distinct == "").any() for cells in columns):
        for cells in columns:
            blank &= (cells.distinct == "")[cells.which]
        return blank
    return ~blank


def _buried(file: str, records: Iterable[Sequence[str]], expected: Collection[str], problems: Problems) -> bool:
    """Whether the headings stand further down, below a title or blank rows; it is one problem."""
    for row, record in enumerate(islice(records, FIRST_ROWS), start=HEADING):
        written = [cell.strip().casefold() for cell in record if cell.strip()]
        known = len({*written} & {*expected})
        if known and row == HEADING:
            return False
        if known > 1 or 2 * known > len(written):
            words = f"The headings are in row {row}, and must be in row {HEADING}."
            problems.add(file, words, "Delete the rows above.", row=row)
            return True
    return False


def under_headings(
    file: str,
    columns: list[Cells],
    problems: Problems,
    *,
    letters: list[str] | None = None,
    expected: Collection[str] = (),
) -> Sheet | None:
    """The first record names the columns; records that are wholly blank are passed over without shifting numbers.

    `expected`: the headings such a sheet has, by which they are found where they stand too low.
    """
    if _buried(
        file, zip(*(cells.distinct[cells.which[:FIRST_ROWS]] for cells in columns), strict=True), expected, problems
    ):
        return None
    headings = [str(cells.distinct[cells.which[0]]) for cells in columns]
    keep = ~_blank_rows(columns)
    keep[0] = False
    twice = [name for name, times in Counter(headings).items() if times > 1 and name]
    for name in twice:
        problems.add(file, "Two columns have this heading.", "Rename or remove one.", row=HEADING, column=name)
    named: dict[str, Cells] = {}
    for at, (heading, cells) in enumerate(zip(headings, columns, strict=True)):
        held = cells.at(keep)
        if heading:
            named[heading] = held
        elif (held.distinct[np.unique(held.which)] != "").any():
            which, label = (f"Column {letters[at]}", f"({letters[at]})") if letters else (f"Column {at + 1}", "")
            words = f"{which} has cells and no heading."
            problems.add(file, words, "Write its heading, or remove it.", row=HEADING, column=label)
    where = dict(zip(headings, letters, strict=True)) if letters else {}
    return None if twice else Sheet(named, Origin(file, np.flatnonzero(keep) + HEADING, where))
