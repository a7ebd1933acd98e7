"""Corrections agreed after the data were collected: applied on the way in, the files themselves left as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_schemas.catalogues import nearest
from data_schemas.tables import schema
from evalkit.reading.pieces import Pieces
from evalkit.reading.problems import Problems
from evalkit.reading.reads import Read
from evalkit.reading.sheets import Cells, Sheet


@dataclass(slots=True)
class Corrections:
    """The rows of the corrections table on their way into the sheets they mend.

    `file` is a file's name, a sheet as problems name it, or, where one file alone holds it, a table's name: `several`
    are the tables that stand in more than one. `column` is a heading, or a heading as problems print it. `row_id` is
    the id in the table's first column where each id stands once, and the row a spreadsheet shows otherwise.
    """

    read: Read | None
    problems: Problems
    several: frozenset[str] = frozenset()
    _met: set[int] = field(default_factory=set)

    def mend(self, sheet: Sheet, table: str = "") -> Sheet:
        """The sheet with its corrections made."""
        if self.read is None or self.read.absent:
            return sheet
        said = self.read.frame
        for at in np.flatnonzero(said["file"].isin(self.names(sheet, table)).to_numpy(dtype=bool)).tolist():
            if not self.read.unreadable[at]:
                self._met.add(at)
                sheet = self._made(sheet, table, at, said.iloc[at])
        return sheet

    def names(self, sheet: Sheet, table: str) -> set[str]:
        """What a correction may call a sheet."""
        return {sheet.file} if table in {"", *self.several} else {sheet.file, table, f"{table}.csv"}

    def left_over(self, files: Sequence[str]) -> None:
        """Names the corrections of a file that is not there."""
        if self.read is None or self.read.absent:
            return
        for at in range(len(self.read.frame)):
            name = self.read.frame["file"].iloc[at]
            if at not in self._met and pd.notna(name) and not self.read.unreadable[at]:
                words = (
                    "Several files hold this table."
                    if name in self.several
                    else "No file or table of this name is here."
                )
                self._amiss(at, "file", words, nearest(str(name), files))

    @classmethod
    def of(cls, pieces: Pieces, read: Read | None, problems: Problems) -> Corrections:
        """The corrections of a programme whose files are these."""
        counted = Counter(piece.name for piece in pieces.of("table"))
        return cls(read, problems, frozenset(table for table, many in counted.items() if many > 1))

    def made(self) -> int:
        """How many were made."""
        return len(self._met)

    def _made(self, sheet: Sheet, table: str, at: int, said: pd.Series[Any]) -> Sheet:
        column = str(said["column"])
        column = next((name for name in sheet.columns if sheet.origin.label(name) == column), column)
        if column not in sheet.columns:
            self._amiss(at, "column", "The file has no column of this name.", nearest(column, list(sheet.columns)))
            return sheet
        rows = _rows(sheet, table, str(said["row_id"]))
        if len(rows) != 1:
            words = "No row has this id." if len(rows) == 0 else "Several rows have this id."
            self._amiss(at, "row_id", words, "Write the id of one row; where rows have none, its number in the file.")
            return sheet
        old, new = ("" if pd.isna(said[name]) else str(said[name]) for name in ("old", "new"))
        cells, position = sheet.columns[column], int(rows[0])
        held = str(cells.distinct[cells.which[position]])
        if held == new:
            return sheet  # made in the file itself, since
        if held != old:
            remedy = "Check the row and the column, or write in old what stands there."
            holds = "something else" if "@" in held else repr(held)  # whose address it is, is nobody's business here
            self._amiss(at, "old", f"The cell holds {holds}, not what is to be corrected.", remedy)
            return sheet
        return replace(sheet, columns={**sheet.columns, column: _with(cells, position, new)})

    def _amiss(self, at: int, column: str, problem: str, remedy: str) -> None:
        assert self.read is not None
        said = self.read.frame[column].iloc[at]
        value = "" if "@" in str(said) else said
        self.problems.add_cells(self.read.cells(np.array([at]), column), problem, remedy, values=[value])


def _rows(sheet: Sheet, table: str, row_id: str) -> NDArray[np.intp]:
    """The positions of the rows meant."""
    columns: Mapping[str, Any] = schema(table).columns if table else {}
    first = next(iter(columns), "")
    if first in sheet.columns and columns[first].unique:
        return np.flatnonzero(sheet.columns[first].texts() == row_id)
    return np.flatnonzero(sheet.rows == int(row_id)) if row_id.isdigit() else np.array([], dtype=np.intp)


def _with(cells: Cells, position: int, text: str) -> Cells:
    """The cells with one of them changed."""
    which = cells.which.astype(np.intp)
    which[position] = len(cells.distinct)
    return Cells(np.append(cells.distinct, np.array([text], dtype=object)), which)
