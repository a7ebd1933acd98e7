"""Frames for Excel in which nothing runs: no text can be read as a formula, whatever it begins with."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
WIDEST = 60
"""Letters of the widest column; longer text is wrapped."""


def plain_csv(frame: pd.DataFrame) -> str:
    """CSV for Excel in which no text can be read as a formula; numbers are left alone.

    >>> plain_csv(pd.DataFrame({"group": ["=1+1"], "n": [3]})).splitlines()[1]
    "'=1+1,3"
    """
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\r\n")
    writer.writerow([_safe(name) for name in frame.columns])
    for row in frame.astype(object).to_numpy().tolist():
        writer.writerow([_safe(value) for value in row])
    return page.getvalue()


def _safe(value: object) -> object:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    return "" if pd.isna(value) else value  # type: ignore[call-overload]


def workbook(sheets: Mapping[str, pd.DataFrame], *, said_on: date, title: str) -> bytes:
    """An Excel workbook, a sheet a frame: text stays text, numbers stay numbers, a missing value is a blank cell.

    The same frames give the same bytes: `said_on` stands where Excel keeps the time of writing.
    """
    import xlsxwriter

    page = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(page, options) as book:
        book.set_properties({"title": title, "created": datetime(said_on.year, said_on.month, said_on.day)})
        bold, day = book.add_format({"bold": True, "text_wrap": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        for name, frame in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            for column, (heading, values) in enumerate(frame.astype(object).items()):
                cells = values.tolist()
                sheet.set_column(column, column, _width(str(heading), cells), wrapped)
                sheet.write_string(0, column, str(heading), bold)
                for row, value in enumerate(cells, 1):
                    _put(sheet, row, column, value, day)
    return page.getvalue()


def _width(heading: str, cells: Iterable[Any]) -> int:
    return min(max(len(heading), *(len(str(cell)) for cell in cells), 6) + 2, WIDEST)


def _put(sheet: Any, row: int, column: int, value: Any, day: Any) -> None:
    """One cell by the kind of its value; nothing where there is none."""
    if isinstance(value, str):
        sheet.write_string(row, column, value)
    elif pd.isna(value):
        return
    elif isinstance(value, date):
        sheet.write_datetime(row, column, pd.Timestamp(value).to_pydatetime(), day)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    else:
        sheet.write_number(row, column, value)
