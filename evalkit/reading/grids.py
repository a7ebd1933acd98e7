"""From the bytes of an Excel workbook to the values of its sheets: only cells that hold something are looked at.

Blank cells far below and beside the data, which a stray space or a format leaves behind, cost nothing. The values of
the last workbook are kept, because what was checked is often marked straight afterwards.
"""

from __future__ import annotations

import gc
import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from openpyxl.workbook.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

MOST_CELLS = 20_000_000
"""Cells a sheet may span, blank ones counted: twenty columns of a million rows."""

Place = tuple[int, int]
"""A row and a column, counted from 0."""


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet: its values, its merged cells (as Excel names them, and left, top, right, bottom), and its formulas
    whose value was never worked out. `far`: the cells that make it too large.
    """

    title: str
    values: NDArray[np.object_]
    merged: tuple[tuple[str, tuple[int, int, int, int]], ...]
    unworked: Mapping[Place, str]
    far: str = ""

    def held(self) -> list[Place]:
        """The cells that hold anything, row by row."""
        rows, columns = np.nonzero(self.values != np.array(None, dtype=object))
        return list(zip(rows.tolist(), columns.tolist(), strict=True))


@lru_cache(maxsize=1)
def grids(content: bytes) -> tuple[Grid, ...] | None:
    """Every sheet of a workbook; None where it is damaged. None of them where openpyxl sees none."""
    try:
        with _quickly():
            book = _load(content, values=True)
            asked = _load(content, values=False) if _has_formulas(content) else None
            return tuple(_grid(sheet, asked) for sheet in book.worksheets)
    except Exception:  # openpyxl raises whatever its parsers do; no workbook may give a traceback
        return None


@contextmanager
def _quickly() -> Iterator[None]:
    """A million cells are a million objects that all stay: looking for refuse among them takes a third of the time.

    What openpyxl warns of (styles, drop-downs it does not know) is nothing an evaluator could mend.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if was_on:
            gc.enable()


def _load(content: bytes, *, values: bool) -> Workbook:
    from openpyxl import load_workbook

    return load_workbook(io.BytesIO(content), data_only=values, keep_links=False)


def _has_formulas(content: bytes) -> bool:
    """Whether any sheet holds a formula, whatever prefix its elements have."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sheets = [name for name in packed.namelist() if re.match(r"/?xl/worksheets/.*\.xml\Z", name, re.IGNORECASE)]
        return any(re.search(rb"<(?:[\w.-]+:)?f[\s>/]", packed.read(name)) for name in sheets)


def _grid(sheet: Worksheet, asked: Workbook | None) -> Grid:
    cells: Mapping[tuple[int, int], Any] = sheet._cells  # iter_rows would make every blank cell in between
    formulas = {} if asked is None else asked[sheet.title]._cells
    unworked = {
        (row - 1, column - 1): str(getattr(cell.value, "text", cell.value))
        for (row, column), cell in formulas.items()
        if cell.data_type == "f" and _was_never_worked_out(cells.get((row, column)))
    }
    places = [*unworked, *((row - 1, column - 1) for (row, column), cell in cells.items() if not _is_blank(cell.value))]
    rows, columns = (max((place[side] for place in places), default=-1) + 1 for side in (0, 1))
    if rows * columns > MOST_CELLS:
        return Grid(sheet.title, np.empty((0, 0), dtype=object), (), {}, _furthest(places))
    values = np.full((rows, columns), None, dtype=object)
    for (row, column), cell in cells.items():
        if row <= rows and column <= columns:
            values[row - 1, column - 1] = cell.value
    merged = tuple((one.coord, one.bounds) for one in sheet.merged_cells.ranges)
    return Grid(sheet.title, values, merged, unworked)


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _was_never_worked_out(cell: Any) -> bool:
    """Excel keeps a formula's empty text as a text; what it never worked out has no value and no kind."""
    return cell is None or (cell.value is None and cell.data_type == "n")


def _furthest(places: list[Place]) -> str:
    """The cells furthest down and furthest to the right, by the names Excel gives them."""
    from openpyxl.utils import get_column_letter

    lowest, widest = max(places), max(places, key=lambda place: place[::-1])
    names = [f"{get_column_letter(column + 1)}{row + 1}" for row, column in (lowest, widest)]
    return " and ".join(dict.fromkeys(names))
