"""What of a sheet is about a person: rows that go, and cells that name them in rows about something else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from data_schemas.tables import references, schema
from evalkit.instrument import Instrument
from evalkit.reading.forms import instrument_of
from evalkit.reading.mapping import Export
from evalkit.reading.pieces import Piece
from evalkit.reading.pseudonyms import pseudonym
from evalkit.reading.reads import Mask
from evalkit.reading.sheets import Sheet

PEOPLE = frozenset({"people", "respondents"})
PATIENTS = {"admissions": "person_id"}
"""Tables with a row a patient, whose ids no other table lists."""


@dataclass(slots=True)
class Cut:
    """Rows to take out of one sheet, and cells to make blank or write anew, by the row a spreadsheet shows."""

    rows: set[int] = field(default_factory=set)
    cells: dict[tuple[int, str], str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.rows or self.cells)


def cut(piece: Piece, ids: Collection[str], instruments: Mapping[str, Instrument], key: bytes | None) -> Cut:
    """What of one sheet is about the person."""
    if piece.kind == "table":
        return _table(piece.name, piece.sheet, ids)
    if piece.kind == "form":
        instrument = instrument_of(piece.name, instruments)
        only = instrument.subjects if instrument is not None else ()
        return Cut(_rows(piece.sheet, _answers(piece.sheet, ids, only[0] if len(only) == 1 else "")))
    if piece.kind == "export":
        gone = [_exported(piece.sheet, said, ids, key) for said in piece.exports]
        return Cut(_rows(piece.sheet, np.any(gone, axis=0)))
    return Cut()


def corrected(sheet: Sheet, cuts: Mapping[str, tuple[str, Cut]]) -> Cut:
    """The corrections that go with the rows they mend, and the numbers of rows that moved up.

    `cuts`: for each file, its table and what is taken out of it. In a workbook rows are made blank and none moves.
    """
    found = Cut()
    columns = {name: sheet.columns[name].texts() for name in ("file", "row_id") if name in sheet.columns}
    for at, row in enumerate(sheet.rows.tolist()):
        file, row_id = str(columns["file"][at]), str(columns["row_id"][at])
        for name, (table, taken) in cuts.items():
            numbered = table == "" or not next(iter(schema(table).columns.values())).unique
            if file not in (name, table, f"{table}.csv") or not numbered or not row_id.isdigit():
                continue
            if int(row_id) in taken.rows:
                found.rows.add(row)
            elif moved := 0 if sheet.origin.letters else sum(gone < int(row_id) for gone in taken.rows):
                found.cells[row, "row_id"] = str(int(row_id) - moved)
    return found


def _table(table: str, sheet: Sheet, ids: Collection[str]) -> Cut:
    columns, found = schema(table).columns, Cut()
    first = next(iter(columns))
    named = {column for column, listed in references(table).items() if PEOPLE & set(listed)}
    named |= {first} if table in PEOPLE else set()
    gone = _answers(sheet, ids, "") if "subject_kind" in columns else np.zeros(len(sheet.rows), dtype=np.bool_)
    if table == "corrections":
        gone = gone | _holds(sheet, "row_id", ids)
    if table in PATIENTS:
        gone = gone | _holds(sheet, PATIENTS[table], ids)
    for column in named:
        if column == first or not columns[column].nullable:
            gone = gone | _holds(sheet, column, ids)
    for column in named:
        for at in np.flatnonzero(_holds(sheet, column, ids) & ~gone):
            found.cells[int(sheet.rows[at]), column] = ""
    found.rows = _rows(sheet, gone)
    return found


def _answers(sheet: Sheet, ids: Collection[str], only: str) -> Mask:
    """Answers the person gave, and answers about them; `only`: the one kind of subject where no column says it."""
    about = _holds(sheet, "subject_kind", {"person"}) if "subject_kind" in sheet.columns else only == "person"
    return _holds(sheet, "respondent_id", ids) | (_holds(sheet, "subject_id", ids) & about)


def _exported(sheet: Sheet, said: Export, ids: Collection[str], key: bytes | None) -> Mask:
    """Rows of an export the person sent, or that are about them."""
    gone = np.zeros(len(sheet.rows), dtype=np.bool_)
    if said.respondent in sheet.columns:
        texts = sheet.columns[said.respondent].texts()
        sent = [pseudonym(text, key) if key is not None and said.respondent_is == "address" else text for text in texts]
        gone |= np.array([who in ids for who in sent], dtype=np.bool_)
    unnamed = [f"{said.name}-{row:04d}" in ids for row in sheet.rows]
    if said.subject in sheet.columns and said.subject_kind == "person":
        words = {word for word, id in said.subjects.items() if id in ids} or set(ids)
        gone |= _holds(sheet, said.subject, words)
    return gone | np.array(unnamed, dtype=np.bool_)


def _holds(sheet: Sheet, column: str, wanted: Collection[str]) -> Mask:
    if column not in sheet.columns:
        return np.zeros(len(sheet.rows), dtype=np.bool_)
    cells = sheet.columns[column]
    return np.array([text in wanted for text in cells.distinct], dtype=np.bool_)[cells.which]


def _rows(sheet: Sheet, gone: Mask) -> set[int]:
    return set(sheet.rows[gone].tolist())
