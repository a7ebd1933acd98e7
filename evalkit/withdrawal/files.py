"""Files written anew without some of their rows: everything else in them stays as it was, to the letter."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from evalkit.reading.problems import HEADING
from evalkit.reading.sheets import BOM
from evalkit.withdrawal.cuts import Cut


def csv_without(content: bytes, cut: Cut) -> bytes:
    """The CSV file without the rows; only rows with a changed cell are written anew."""
    mark = BOM if content.startswith(BOM) else b""
    text = content[len(mark) :].decode("utf-8")
    kept: list[str] = []
    headings: list[str] = []
    for row, (lines, record) in enumerate(_records(text), start=HEADING):
        headings = headings or record
        changed = {headings.index(name): value for (at, name), value in cut.cells.items() if at == row}
        if changed and row not in cut.rows:
            end = "\r\n" if lines.endswith("\r\n") else "\n"
            kept.append(_written([changed.get(at, cell) for at, cell in enumerate(record)], end))
        elif row not in cut.rows:
            kept.append(lines)
    return mark + "".join(kept).encode()


def book_without(content: bytes, cuts: Mapping[str, Cut]) -> bytes:
    """The workbook with the rows made blank, by the titles of its sheets: no other row gets another number."""
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(content))
    for title, cut in cuts.items():
        sheet = book[title]
        columns = {str(cell.value): cell.column for cell in sheet[HEADING] if cell.value is not None}
        for row in cut.rows:
            for cell in sheet[row]:
                if cell.__class__.__name__ != "MergedCell":
                    cell.value, cell.comment = None, None
        for (row, name), value in cut.cells.items():
            sheet.cell(row, columns[name]).value = value or None
    page = io.BytesIO()
    book.save(page)
    return page.getvalue()


def _records(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each record as it stands in the file, its line end and all, and its cells."""
    lines = io.StringIO(text, newline="").readlines()
    reader, begun = csv.reader(iter(lines)), 0
    for record in reader:
        yield "".join(lines[begun : reader.line_num]), record
        begun = reader.line_num


def _written(record: list[str], end: str) -> str:
    page = io.StringIO(newline="")
    csv.writer(page, lineterminator=end).writerow(record)
    return page.getvalue()
