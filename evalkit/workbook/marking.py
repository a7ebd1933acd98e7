"""The data as they were read, with every problem marked at its cell and listed in front."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from evalkit.errors import Refused
from evalkit.workbook import layout
from evalkit.workbook.columns import letters
from evalkit.workbook.layout import DARK, LINK, note

Rows = Sequence[Sequence[object]]

MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
"""What a sheet of Excel holds."""

LONGEST_CELL = 32_767
"""Letters a cell of Excel holds."""

MOST_LINKS = 60_000
"""Excel opens a sheet with up to 65,530 links; problems beyond these are listed without one."""

MOST_NOTES = 5_000
"""Notes a sheet gets; a workbook with more is slow to open. Cells beyond are coloured, and listed in front."""

EXACT = 2**53
"""Whole numbers up to this one keep every digit in Excel."""

FAULTY, RED = "#FFD8A8", "#B3261E"
HEADINGS = ("where", "row", "column", "value", "problem", "remedy")
_WIDTHS = (28, 8, 28, 28, 56, 56)


def marked(out: str | Path, problems: pd.DataFrame, sheets: Mapping[str, Rows]) -> Path:
    """Write what was read with its problems marked, and say where it is.

    `problems` as `ek.check` gives them. `sheets`: by the name in the column `file`, the rows as they were read, blank
    ones kept and the headings first, so that the first is row 1. Nothing in the workbook runs: text stays text,
    whatever it begins with. Raises Refused where a file is there already, or where a table is too large for Excel.
    """
    import xlsxwriter

    for file, rows in sheets.items():
        if len(rows) > MOST_ROWS or max(map(len, rows), default=0) > MOST_COLUMNS:
            raise Refused(f"{file} is larger than a sheet of Excel can be. Mend it in the file itself.")
    pages = _pages(problems, sheets)
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(content, options) as book:
        book.set_properties({"title": "Problems in the data", "created": layout.CREATED})
        looks = _looks(book)
        _list(book.add_worksheet(layout.PROBLEMS), problems, pages, looks[False])
        for page in pages.values():
            _copy(book.add_worksheet(page.name), page, looks)
    return layout.write_new(out, content.getvalue())


@dataclass(slots=True)
class _Page:
    """A sheet of the copy: its name, its rows, and what is wrong at which cells, counted from 0."""

    name: str
    rows: Rows
    notes: dict[tuple[int, int], list[str]] = field(default_factory=dict)
    coloured: set[tuple[int, int]] = field(default_factory=set)
    width: int = 0
    places: dict[str, list[int]] = field(default_factory=dict)
    """Where the columns stand that problems named so far."""

    def __post_init__(self) -> None:
        self.width = max(map(len, self.rows), default=0)

    def cells(self, problem: Any) -> list[tuple[int, int]]:
        """The cells a problem is about: those of the columns it names, else its whole row, else the headings."""
        at = 0 if pd.isna(problem.row) else int(problem.row) - 1
        if at >= len(self.rows):
            return []
        column = str(problem.column)
        if column not in self.places:
            self.places[column] = [at for at in columns_named(column, self.rows[0]) if at < self.width]
        return [(at, place) for place in self.places[column] or range(self.width)]

    def mark(self, problem: Any) -> None:
        """Colour those cells; the note stands at each that was named, or at the first of a row."""
        cells = self.cells(problem)
        self.coloured.update(cells)
        for cell in cells if problem.column else cells[:1]:
            self.notes.setdefault(cell, []).append(f"{problem.problem} {problem.remedy}".strip())


def columns_named(column: str, headings: Sequence[object]) -> list[int]:
    """Where the columns stand that a problem names: "a, b" names two, and a letter may follow a name.

    >>> columns_named("mean (B)", ["n", "mean"]), columns_named("a, b", ["a, b", "a", "b"]), columns_named("", ["a"])
    ([1], [0], [])
    """
    places: dict[str, list[int]] = {}
    for place, heading in enumerate(headings):
        text = "" if heading is None else str(heading)
        places.setdefault(f"{text} ({letters(place)})", []).append(place)
        if text:
            places.setdefault(text, []).append(place)
    parts, found, start = column.split(", "), [], 0
    while start < len(parts):
        ends = range(len(parts), start, -1)  # a heading may hold a comma itself, so the longest name comes first
        end = next((end for end in ends if ", ".join(parts[start:end]) in places), None)
        if end is None:
            lettered = re.search(r"\(([A-Z]{1,3})\)\Z", parts[start])
            found += [_place(lettered[1])] if lettered else []
        else:
            found += places[", ".join(parts[start:end])]
        start = end or start + 1
    return found


def _place(letter: str) -> int:
    from xlsxwriter.utility import xl_cell_to_rowcol

    return int(xl_cell_to_rowcol(f"{letter}1")[1])


def _pages(problems: pd.DataFrame, sheets: Mapping[str, Rows]) -> dict[str, _Page]:
    pages: dict[str, _Page] = {}
    for file, rows in sheets.items():
        plain = file.rpartition(", sheet ")[2] if ", sheet " in file else Path(file).stem
        taken = [layout.PROBLEMS, *(page.name for page in pages.values())]
        pages[file] = _Page(layout.sheet_name(plain, taken), rows)
    for problem in _each(problems):
        if str(problem.file) in pages:
            pages[str(problem.file)].mark(problem)
    return pages


Looks = Mapping[str, Any]
"""What a cell looks like, by the kind of its value or of its place."""


def _looks(book: Any) -> dict[bool, Looks]:
    """How sound cells look, and how faulty ones: a colour and a thick edge, so that colour alone says nothing."""
    kinds: dict[str, dict[str, object]] = {
        "plain": {},
        "day": {"num_format": "yyyy-mm-dd"},
        "moment": {"num_format": "yyyy-mm-dd hh:mm:ss"},
        "heading": {"bold": True, "text_wrap": True},
        "words": {"text_wrap": True},
        "top": {"bold": True, "bg_color": DARK, "font_color": "#FFFFFF"},
        "row": {"align": "left"},
        "link": {"font_color": LINK, "underline": 1, "text_wrap": True},
    }
    edge: dict[str, object] = {"bg_color": FAULTY, "font_color": "#000000", "border": 2, "border_color": RED}
    found: dict[bool, Looks] = {}
    for wrong, more in ((False, {}), (True, edge)):
        found[wrong] = {kind: book.add_format({"valign": "top", **said, **more}) for kind, said in kinds.items()}
    return found


def _list(sheet: Any, problems: pd.DataFrame, pages: Mapping[str, _Page], looks: Looks) -> None:
    words = looks["words"]
    for at, (heading, width) in enumerate(zip(HEADINGS, _WIDTHS, strict=True)):
        sheet.set_column(at, at, width)
        sheet.write_string(0, at, heading, looks["top"])
    sheet.freeze_panes(1, 0)
    if problems.empty:
        sheet.write_string(1, 0, "No problems found.", words)
    for row, problem in enumerate(_each(problems), 1):
        target = _target(pages.get(str(problem.file)), problem) if row <= MOST_LINKS else ""
        if target:
            sheet.write_url(row, 0, target, looks["link"], _fitting(str(problem.file)), "Go to the cell")
        else:
            sheet.write_string(row, 0, _fitting(str(problem.file)), words)
        if not pd.isna(problem.row):
            sheet.write_number(row, 1, int(problem.row), looks["row"])
        for at, text in enumerate((problem.column, problem.value, problem.problem, problem.remedy), 2):
            if text:
                sheet.write_string(row, at, _fitting(str(text)), words)
    sheet.autofilter(0, 0, max(len(problems), 1), len(HEADINGS) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:F{len(problems) + 1}"})
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _each(problems: pd.DataFrame) -> Iterator[Any]:
    return iter(problems.itertuples(index=False))


def _target(page: _Page | None, problem: Any) -> str:
    """Where a problem's link leads; nowhere when what was read is not in the workbook."""
    if page is None:
        return ""
    row, column = next(iter(page.cells(problem)), (0, 0))
    name = page.name.replace("'", "''")
    return f"internal:'{name}'!{letters(column)}{row + 1}"


def _copy(sheet: Any, page: _Page, looks: Mapping[bool, Looks]) -> None:
    sheet.freeze_panes(1, 0)
    if page.coloured:
        sheet.set_tab_color(RED)
    for column in range(page.width):
        sheet.set_column(column, column, 18)
        for at, row in enumerate(page.rows):
            value = row[column] if column < len(row) else None
            look = looks[(at, column) in page.coloured]
            if at == 0 and value is not None:
                sheet.write_string(at, column, _fitting(str(value)), look["heading"])
            elif value is not None and value != "":
                _put(sheet, at, column, value, look)
            elif (at, column) in page.coloured:
                sheet.write_blank(at, column, None, look["plain"])
            if isinstance(value, str) and len(value) > LONGEST_CELL // 2 and value != _fitting(value):
                words = f"Cut short: the text has {len(value):,} letters, and a cell holds {LONGEST_CELL:,}."
                page.notes.setdefault((at, column), []).append(words)
    _notes(sheet, page)
    if page.width:
        sheet.ignore_errors({"number_stored_as_text": f"A1:{letters(page.width - 1)}{max(len(page.rows), 1)}"})


def _notes(sheet: Any, page: _Page) -> None:
    """What is wrong and how to mend it, at the cell; the topmost cells first."""
    for (at, column), said in sorted(page.notes.items())[:MOST_NOTES]:
        sheet.write_comment(at, column, **note("\n".join(dict.fromkeys(said))))


def _put(sheet: Any, row: int, column: int, value: Any, look: Looks) -> None:
    """One cell by the kind of its value; what Excel has no kind for is written as it would be said."""
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value, look["plain"])
    elif isinstance(value, int | float) and math.isfinite(value) and abs(value) <= EXACT:
        sheet.write_number(row, column, value, look["plain"])
    elif isinstance(value, date) and value.year >= 1900 and getattr(value, "tzinfo", None) is None:
        moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
        kind = "day" if moment == datetime(moment.year, moment.month, moment.day) else "moment"
        sheet.write_datetime(row, column, moment, look[kind])
    else:
        sheet.write_string(row, column, _fitting(str(value)), look["plain"])


def _fitting(text: str) -> str:
    """As much of a text as a cell of Excel holds: it counts in units of UTF-16."""
    if text.isascii() and len(text) <= LONGEST_CELL:
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) // 2 <= LONGEST_CELL:
        return text.encode("utf-8", "replace").decode()
    return units[: 2 * (LONGEST_CELL - 2)].decode("utf-16-le", "ignore") + " …"
