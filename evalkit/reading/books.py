"""From the bytes of an Excel workbook to its sheets as text, or the named reason why not.

A date cell becomes its day, a figure its digits, TRUE and FALSE yes and no; what a cell looks like on the screen is
never read. Formulas count with the value Excel last worked out for them.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evalkit.reading.problems import HEADING, SHEET, Problems
from evalkit.reading.sheets import Sheet, coded, under_headings

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

MOST_UNPACKED = 512 * 2**20
"""Bytes a workbook may unpack to: a million rows of answers take a third of it, a bomb all there is."""

AS_XLSX = "In Excel: File, Save As, Excel Workbook (.xlsx), without a password."
"""How to save a workbook evalkit reads."""

GUIDE, LISTS, PROBLEMS = "Guide", "_lists", "Problems"
NOT_DATA = frozenset({GUIDE, LISTS, PROBLEMS})
"""Sheets that hold words for the reader of a workbook, and no data."""

ERRORS = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#SPILL!", "#CALC!", "#GETTING_DATA")


def open_book(file: str, content: bytes, problems: Problems) -> dict[str, Sheet] | None:
    """The workbook's sheets by name, blank ones left out; None when the file cannot be read at all.

    A sheet whose headings are amiss is left out too, and its problem named.
    """
    if not _may_open(file, content, problems):
        return None
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(content), data_only=True, keep_links=False)
        asked = load_workbook(io.BytesIO(content), keep_links=False) if _has_formulas(content) else None
    except Exception:  # openpyxl raises whatever its parsers do; no workbook may give a traceback
        problems.add(file, "The workbook is damaged, or not one Excel would open.", AS_XLSX)
        return None
    found: dict[str, Sheet] = {}
    for sheet in book.worksheets:
        if sheet.title in NOT_DATA:
            continue
        formulas = asked[sheet.title] if asked is not None else None
        read = _sheet(f"{file}{SHEET}{sheet.title}", sheet, formulas, problems)
        if read is not None:
            found[sheet.title] = read
    return found


def open_values(content: bytes) -> dict[str, list[list[object]]]:
    """The cells of every sheet as they stand, for a workbook that could be opened; none where it cannot."""
    if not _may_open("", content, Problems()):
        return {}
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(content), data_only=True, keep_links=False)
    except Exception:
        return {}
    return {sheet.title: [list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets}


def _may_open(file: str, content: bytes, problems: Problems) -> bool:
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        problems.add(file, "The workbook has a password, or is in the format of Excel 97.", AS_XLSX)
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
            if unpacked <= MOST_UNPACKED and _is_as_large_as_it_says(packed):
                return True
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
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


def _has_formulas(content: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sheets = [name for name in packed.namelist() if re.match(r"xl/worksheets/.*\.xml\Z", name)]
        return any(re.search(rb"<f[ >/]", packed.read(name)) for name in sheets)


def _sheet(file: str, sheet: Worksheet, formulas: Worksheet | None, problems: Problems) -> Sheet | None:
    """One sheet's cells as text, its troubles named; None where it is blank or cannot be read by columns."""
    from openpyxl.utils import get_column_letter

    values = np.array(list(sheet.iter_rows(values_only=True)), dtype=object)
    values = values[:, : _filled(values)] if values.ndim == 2 else values.reshape(0, 0)
    if values.size == 0 or all(value is None for value in values.ravel()):
        return None
    _fill_merged(file, sheet, values, problems)
    if formulas is not None:
        _name_blank_formulas(file, values, formulas, problems)
    letters = [get_column_letter(at + 1) for at in range(values.shape[1])]
    texts = np.array([[_text(value) for value in row] for row in values], dtype=object)
    for row, column in zip(*np.nonzero(np.isin(texts, ERRORS)), strict=True):
        label = _label(texts, column, letters)
        words, remedy = "The cell holds an error of Excel's.", "Mend the formula, or leave the cell blank."
        problems.add(file, words, remedy, row=int(row) + 1, column=label, value=texts[row, column])
        texts[row, column] = ""
    read = under_headings(file, [coded(column) for column in texts.T], problems, letters=letters)
    if read is None:
        return None
    days = np.array([[isinstance(value, date) for value in row] for row in values], dtype=bool)[read.rows - HEADING]
    kept = {str(heading): days[:, at] for at, heading in enumerate(texts[0]) if days[:, at].any()}
    return Sheet(read.columns, read.origin, kept)


def _filled(values: NDArray[np.object_]) -> int:
    """How many columns there are up to the last that holds anything."""
    filled = [at for at in range(values.shape[1]) if any(value not in (None, "") for value in values[:, at])]
    return max(filled, default=-1) + 1


def _label(texts: NDArray[np.object_], column: int, letters: list[str]) -> str:
    heading = texts[0, column]
    return f"{heading} ({letters[column]})" if heading else letters[column]


def _fill_merged(file: str, sheet: Worksheet, values: NDArray[np.object_], problems: Problems) -> None:
    """Merged cells are a problem: only the first holds a value. It is named once, and not again in the others."""
    from openpyxl.utils import get_column_letter

    letters = [get_column_letter(at + 1) for at in range(values.shape[1])]
    for merged in list(sheet.merged_cells.ranges):
        left, top, right, bottom = merged.bounds
        if left > values.shape[1] or top > values.shape[0]:
            continue
        held = values[top - 1, left - 1]
        label = _label(np.array([[_text(value) for value in values[0]]], dtype=object), left - 1, letters)
        words = f"Cells are merged ({merged.coord}): only the first of them holds a value."
        remedy = "Unmerge them (Home, Merge & Centre), and write the value into each."
        problems.add(file, words, remedy, row=top, column=label, value=_text(held))
        values[top - 1 : bottom, left - 1 : right] = held


def _name_blank_formulas(file: str, values: NDArray[np.object_], formulas: Worksheet, problems: Problems) -> None:
    """A formula whose value was never worked out would be read as a blank cell."""
    from openpyxl.utils import get_column_letter

    for row, column, formula in _formulas(formulas):
        if row < values.shape[0] and column < values.shape[1] and values[row, column] is None:
            label = f"{_text(values[0, column])} ({get_column_letter(column + 1)})"
            words = "The cell holds a formula whose value was never worked out."
            remedy = "Open the workbook in Excel and save it, or write the value instead."
            problems.add(file, words, remedy, row=row + 1, column=label, value=formula)


def _formulas(sheet: Worksheet) -> Iterator[tuple[int, int, str]]:
    for row in sheet.iter_rows():
        for cell in row:
            if cell.data_type == "f":
                yield cell.row - 1, cell.column - 1, str(getattr(cell.value, "text", cell.value))


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
