"""Corrections when somebody is taken out: those that go with them, and those whose row has moved up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evalkit.reading.corrections import Corrections
from evalkit.reading.exports import plain
from evalkit.reading.pieces import Pieces
from evalkit.reading.problems import Problems
from evalkit.reading.reads import joined, typed
from evalkit.reading.sheets import Sheet
from evalkit.withdrawal.cuts import Cut, Opened, Person, naming

SAID = ("file", "row_id", "column", "old", "new")


def mender(pieces: Pieces) -> Corrections:
    """The corrections as reading makes them."""
    own = [typed("corrections", piece.sheet, Problems(), {}) for piece in pieces.of("table", "corrections")]
    return Corrections.of(pieces, joined(own) if own else None, Problems())


def corrected(sheet: Sheet, others: Sequence[Opened], person: Person, made: Corrections) -> Cut:
    """The corrections (`made`) that go, because their row does or they name the person, and numbers of moved rows.

    Where a correction goes and its row stays, what it put right is written into the cell itself.
    """
    found, none = Cut(), np.full(len(sheet.rows), "", dtype=object)
    said = [sheet.columns[name].texts() if name in sheet.columns else none for name in SAID]
    for number, *texts in zip(sheet.rows.tolist(), *said, strict=True):
        file, row_id, column, old, new = map(str, texts)
        for other in others:
            row = _row(other, row_id) if file in made.names(other.sheet, other.piece.table) else None
            if row is None:
                continue
            held = _heading(other.sheet, column)
            named = plain(held) in naming(other.piece) and (person.named(old) or person.named(new))
            if row in other.cut.rows or named:
                found.rows.add(number)
                if row not in other.cut.rows:
                    _write_in(other, row, held)
            elif moved := _moved(other, row):
                found.cells[number, "row_id"] = str(row - moved)
    return found


def _row(other: Opened, row_id: str) -> int | None:
    """The row a correction means, as a spreadsheet shows it."""
    if other.by_id is not None:
        return other.by_id.get(row_id)
    return int(row_id) if row_id.isdecimal() else None


def _heading(sheet: Sheet, column: str) -> str:
    """The heading a correction means, as the file writes it."""
    plainly = {plain(text): name for name in sheet.columns for text in (sheet.origin.label(name), name)}
    return column if column in sheet.columns else plainly.get(plain(column), "")


def _write_in(other: Opened, row: int, heading: str) -> None:
    """What corrections made of a cell, written into the file, for the corrections go."""
    (at,) = np.flatnonzero(other.sheet.rows == row)
    was, now = (str(sheet.columns[heading].texts()[at]) for sheet in (other.piece.sheet, other.sheet))
    if was != now:
        other.cut.cells.setdefault((row, heading), now)


def _moved(other: Opened, row: int) -> int:
    """How far a row known by its number moves up."""
    if other.stays_in_place or other.by_id is not None:
        return 0
    return sum(gone < row for gone in other.cut.rows)
