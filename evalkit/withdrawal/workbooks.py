"""Workbooks written anew without somebody's rows, and what a workbook loses by it, said aloud."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING

from evalkit.errors import Refused
from evalkit.reading.books import NOT_DATA
from evalkit.reading.problems import HEADING
from evalkit.withdrawal.cuts import Cut

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

LOST = {
    rb"<x14:dataValidation[ >]": "drop-downs whose words stand on another sheet",
    rb"<x14:sparkline[ >]": "sparklines",
    rb"<xdr:(sp|grpSp|cxnSp)[ >]": "text boxes and shapes",
}
"""What is not kept when a workbook is written anew, and how it is known that there was some."""

COPIES = re.compile(rb"<((?:\w+:)?(?:str|num|multiLvlStr)Cache)>.*?</\1>", re.DOTALL)
"""What a chart keeps of the cells it draws; Excel fills it anew from the cells."""


def book_without(file: str, content: bytes, cuts: Mapping[str, Cut]) -> tuple[bytes, tuple[str, ...]]:
    """The workbook with the rows made blank, by the titles of its sheets, and what else changes, in sentences.

    No other row gets another number. Raises Refused where a pivot table keeps a copy of the rows.
    """
    said = _losses(file, content)
    book = _opened(content)
    if _formulas_to_values(book, content):
        said += (f"{file}: formulas became the values they had.",)
    for title, cut in cuts.items():
        _make_blank(book[title], cut)
    page = io.BytesIO()
    book.save(page)
    return _without_copies(page.getvalue()), said


def _losses(file: str, content: bytes) -> tuple[str, ...]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if any(name.startswith("xl/pivotCache/") for name in packed.namelist()):
            raise Refused(
                f"{file} has a pivot table, which keeps a copy of the rows it counts. "
                "Delete the pivot table, or copy the data to a plain workbook, and try again."
            )
        parts = b"".join(packed.read(name) for name in packed.namelist() if name.endswith(".xml"))
    lost = [words for pattern, words in LOST.items() if re.search(pattern, parts)]
    return (f"{file} loses its {' and '.join(lost)}: make them again.",) if lost else ()


def _opened(content: bytes, *, values: bool = False) -> Workbook:
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is not kept, which is said in our own words
        return load_workbook(io.BytesIO(content), data_only=values)


def _formulas_to_values(book: Workbook, content: bytes) -> bool:
    """Formulas of data sheets become what Excel worked out last: saved as formulas they would have no value at all."""
    held: Workbook | None = None
    for sheet in book.worksheets:
        if sheet.title in NOT_DATA:
            continue
        # the cells there are: a stray one in the last row would make iter_rows invent millions
        for cell in [cell for cell in sheet._cells.values() if cell.data_type == "f"]:
            held = held or _opened(content, values=True)
            value = held[sheet.title][cell.coordinate].value
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"  # a text, whatever it begins with
    return held is not None


def _make_blank(sheet: Worksheet, cut: Cut) -> None:
    columns = {str(cell.value): cell.column for cell in sheet[HEADING] if cell.value is not None}
    for row in cut.rows:
        for cell in sheet[row]:
            _write(cell, None)
    for (row, name), value in cut.cells.items():
        _write(sheet.cell(row, columns[name]), value or None)
    for filtered in (sheet.auto_filter, *(table.autoFilter for table in sheet.tables.values())):
        if filtered is not None:
            filtered.filterColumn = []  # what was chosen in a filter is written down beside the cells


def _write(cell: object, value: str | None) -> None:
    """A new value; the link and the comment of a cell speak of the old one, and a link left alone becomes a value."""
    from openpyxl.cell.cell import Cell

    if isinstance(cell, Cell):  # not the other cells of merged ones, which hold nothing
        cell.hyperlink, cell.comment = None, None
        cell.value = value
        if isinstance(value, str):
            cell.data_type = "s"  # a text, whatever it begins with


def _without_copies(content: bytes) -> bytes:
    """The workbook without what its charts keep of cells that may be gone."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if not any(name.startswith("xl/charts/") for name in packed.namelist()):
            return content
        page = io.BytesIO()
        with zipfile.ZipFile(page, "w", zipfile.ZIP_DEFLATED) as made:
            for entry in packed.infolist():
                part = packed.read(entry)
                made.writestr(entry, COPIES.sub(b"", part) if entry.filename.startswith("xl/charts/") else part)
    return page.getvalue()
