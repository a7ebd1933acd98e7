"""From the bytes of an Excel workbook to its sheets as text, or the named reason why not.

A date cell becomes its day, a figure its digits, TRUE and FALSE yes and no; what a cell looks like on the screen is
never read. Formulas count with the value Excel last worked out for them.
"""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalkit.reading.grids import Grid, grids
from evalkit.reading.problems import HEADING, SHEET, Problems
from evalkit.reading.sheets import Sheet, coded, under_headings

MOST_UNPACKED = 512 * 2**20
"""Bytes a workbook may unpack to: a million rows of answers take a third of it, a bomb all there is."""

AS_XLSX = "In Excel: File, Save As, Excel Workbook (.xlsx), without a password."
"""How to save a workbook evalkit reads."""

GUIDE, LISTS, PROBLEMS = "Guide", "_lists", "Problems"
NOT_DATA = frozenset({GUIDE, LISTS, PROBLEMS})
"""Sheets that hold words for the reader of a workbook, and no data."""

ERRORS = frozenset(
    ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#SPILL!", "#CALC!", "#GETTING_DATA")
)


Days = Mapping[str, NDArray[np.bool_]]

_NO_ZIP = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, NotImplementedError, RuntimeError
)  # fmt: skip
"""What unpacking a damaged file raises."""


@dataclass(frozen=True, slots=True)
class Book:
    """A workbook's sheets by name, blank ones left out; and the names of those that could not be read."""

    sheets: Mapping[str, Sheet]
    unread: tuple[str, ...] = ()


def open_book(
    file: str, content: bytes, problems: Problems, headings: Callable[[str], Collection[str]] = lambda title: ()
) -> Book | None:
    """What a workbook holds; None when the file cannot be read at all.

    A sheet whose headings are amiss is left out, and its problem named. `headings`: those a sheet of this name has.
    """
    if not _may_open(file, content, problems):
        return None
    found = grids(content)
    if not found:
        damaged = "The workbook is damaged, or not one Excel would open."
        strict = "The workbook is saved as Strict Open XML, or holds no sheets."
        problems.add(file, damaged if found is None else strict, AS_XLSX)
        return None
    sheets: dict[str, Sheet] = {}
    unread: list[str] = []
    for grid in found:
        where = f"{file}{SHEET}{grid.title}"
        if grid.title in NOT_DATA:
            continue
        if grid.far:
            _name_far(where, grid, problems)
        read = _sheet(where, grid, headings(grid.title), problems)
        if read is not None:
            sheets[grid.title] = read
        elif grid.far or grid.values.size:
            unread.append(grid.title)
    return Book(sheets, tuple(unread))


def open_values(content: bytes) -> dict[str, list[list[object]]]:
    """The cells of every sheet as they stand, for a workbook that could be opened; none where it cannot."""
    found = grids(content) if _may_open("", content, Problems()) else None
    return {grid.title: grid.values.tolist() for grid in found or ()}


def _may_open(file: str, content: bytes, problems: Problems) -> bool:
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        problems.add(file, "The workbook has a password, or is in the format of Excel 97.", AS_XLSX)
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
            if unpacked <= MOST_UNPACKED and _is_as_large_as_it_says(packed):
                return True
    except _NO_ZIP:
        problems.add(file, "This is not an Excel workbook.", AS_XLSX)
        return False
    most = MOST_UNPACKED // 2**20
    problems.add(file, f"The workbook unpacks to more than {most} MB.", "Save the large sheets as CSV instead.")
    return False


def _is_as_large_as_it_says(packed: zipfile.ZipFile) -> bool:
    """Whether unpacking gives no more than was promised: a size in a zip's list is only what its maker wrote there."""
    left = MOST_UNPACKED
    for entry in packed.infolist():
        with packed.open(entry) as part:
            while chunk := part.read(2**20):
                left -= len(chunk)
                if left < 0:
                    return False
    return True


def _name_far(file: str, grid: Grid, problems: Problems) -> None:
    words = f"The sheet reaches as far as {grid.far}, which is more than a sheet of data."
    problems.add(file, words, "Delete what stands there (its whole row and column), and save the workbook.")


def _sheet(file: str, grid: Grid, headings: Collection[str], problems: Problems) -> Sheet | None:
    """One sheet's cells as text, its troubles named; None where it is blank or cannot be read by columns."""
    from openpyxl.utils import get_column_letter

    if not grid.values.size:
        return None
    values, texts = grid.values.copy(), np.full(grid.values.shape, "", dtype=object)
    held = grid.held()
    for place in held:
        texts[place] = _text(values[place])
    letters = [get_column_letter(at + 1) for at in range(values.shape[1])]
    _fill_merged(file, grid, values, texts, letters, problems)
    _name_blank_formulas(file, grid, texts, letters, problems)
    for row, column in sorted(place for place in held if texts[place] in ERRORS):
        words, remedy = "The cell holds an error of Excel's.", "Mend the formula, or leave the cell blank."
        label = _label(texts, column, letters)
        problems.add(file, words, remedy, row=row + 1, column=label, value=texts[row, column])
        texts[row, column] = ""
    read = under_headings(file, [coded(column) for column in texts.T], problems, letters=letters, expected=headings)
    return None if read is None else replace(read, days=_days(values, texts, grid, read))


def _days(values: NDArray[np.object_], texts: NDArray[np.object_], grid: Grid, read: Sheet) -> Days:
    """Which cells a workbook holds as dates, for the columns that have any."""
    found = np.zeros(values.shape, dtype=bool)
    for place in grid.held():
        found[place] = isinstance(values[place], date)
    found = found[read.rows - HEADING]
    return {str(heading): found[:, at] for at, heading in enumerate(texts[0]) if found[:, at].any()}


def _label(texts: NDArray[np.object_], column: int, letters: list[str]) -> str:
    """A column by its heading and its letter; one without a heading by its letter alone."""
    return f"{texts[0, column]} ({letters[column]})".strip()


def _fill_merged(
    file: str,
    grid: Grid,
    values: NDArray[np.object_],
    texts: NDArray[np.object_],
    letters: list[str],
    problems: Problems,
) -> None:
    """Merged cells are a problem: only the first holds a value. It is named once, and not again in the others."""
    for name, (left, top, right, bottom) in grid.merged:
        if left > values.shape[1] or top > values.shape[0]:
            continue
        label = _label(texts, left - 1, letters)
        words = f"Cells are merged ({name}): only the first of them holds a value."
        remedy = "Unmerge them (Home, Merge & Centre), and write the value into each."
        problems.add(file, words, remedy, row=top, column=label, value=texts[top - 1, left - 1])
        for filled in (values, texts):
            filled[top - 1 : bottom, left - 1 : right] = filled[top - 1, left - 1]


def _name_blank_formulas(
    file: str, grid: Grid, texts: NDArray[np.object_], letters: list[str], problems: Problems
) -> None:
    """A formula whose value was never worked out would be read as a blank cell."""
    for (row, column), formula in grid.unworked.items():
        words = "The cell holds a formula whose value was never worked out."
        remedy = "Open the workbook in Excel and save it, or write the value instead."
        label = _label(texts, column, letters)
        problems.add(file, words, remedy, row=row + 1, column=label, value=formula)


def _text(value: Any) -> str:
    """A cell as it would stand in a CSV file.

    >>> [_text(value) for value in (None, True, 3.0, 2.5, datetime(2026, 3, 31), "007")]
    ['', 'yes', '3', '2.5', '2026-03-31', '007']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else np.format_float_positional(value, trim="-")
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if not isinstance(value, timedelta) else f"{value.total_seconds() / 3600:g} hours"
