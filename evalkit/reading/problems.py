"""Every problem found, each with its file, the row a spreadsheet shows, its column, its value and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

COLUMNS = ["file", "row", "column", "value", "problem", "remedy"]
HEADING = 1
"""The row a spreadsheet gives the headings; the first row of data is the one below."""

MOST = 10_000
"""Cells with one and the same problem that are listed; nobody mends more by hand, and a list of millions helps none."""

SHEET = ", sheet "
"""What stands between a workbook's name and a sheet's in the file a problem names."""

Problem = tuple[str, int | None, str, str, str, str]


class Problems:
    """A growing list of problems, in the order they were found."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(
        self, file: str, problem: str, remedy: str, *, row: int | None = None, column: str = "", value: Any = ""
    ) -> None:
        """One problem; `row` is None when it concerns the whole file."""
        self._found.append((file, row, column, shown(value), problem, remedy))

    @property
    def found(self) -> tuple[Problem, ...]:
        """Everything so far."""
        return tuple(self._found)

    def extend(self, found: Iterable[Problem]) -> None:
        """Problems found elsewhere."""
        self._found.extend(found)

    def add_cells(
        self, cells: Iterable[tuple[str, int, str]], problem: str, remedy: str, *, values: Iterable[Any]
    ) -> None:
        """The same problem in several cells, each given by its file, row and column; beyond MOST they are counted."""
        more, where = 0, ("", "")
        for number, ((file, row, column), value) in enumerate(zip(cells, values, strict=True)):
            if number < MOST:
                self.add(file, problem, remedy, row=int(row), column=column, value=value)
            else:
                more, where = more + 1, (file, column)
        if more:
            file, column = where
            self.add(file, f"The same in {more:,} more cells: {problem}", remedy, column=column)

    def table(self) -> pd.DataFrame:
        """One row a problem, at most one a cell: what follows from a cell that could not be read is not repeated."""
        found = [problem if SHEET not in problem[0] else _of_a_sheet(problem) for problem in self._found]
        table = pd.DataFrame(found, columns=COLUMNS).astype({"row": "Int64"})
        table = table.astype({name: "str" for name in COLUMNS if name != "row"})
        in_cell = table["row"].notna() & (table["column"] != "")
        again = in_cell & table.duplicated(["file", "row", "column"])
        return table[~again].sort_values(["file", "row"], kind="stable", na_position="first", ignore_index=True)


def in_sheets(text: str) -> str:
    """Words written for files, said of sheets.

    >>> in_sheets("Add the person to people.csv.")
    'Add the person to the sheet people.'
    """
    return re.sub(r"\b([a-z_]+)\.csv\b", lambda found: f"the sheet {found[1]}", text)


def _of_a_sheet(problem: Problem) -> Problem:
    """A problem in a workbook, whose evaluator has sheets and no files."""
    file, row, column, value, words, remedy = problem
    return file, row, column, value, in_sheets(words), in_sheets(remedy)


def shown(value: Any) -> str:
    """A value as the evaluator would have typed it.

    >>> shown(4.0), shown(pd.Timestamp("2026-03-31")), shown(None)
    ('4', '2026-03-31', '')
    """
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    return f"{value:g}" if isinstance(value, float) else str(value)
