"""What of a sheet is about a person: rows that go, and cells that name them in rows about something else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from data_schemas.tables import references, schema
from evalkit.instrument import Instrument
from evalkit.reading import exports
from evalkit.reading.forms import instrument_of
from evalkit.reading.pieces import Piece
from evalkit.reading.problems import Problems
from evalkit.reading.pseudonyms import pseudonym
from evalkit.reading.reads import Mask
from evalkit.reading.sheets import Sheet

PEOPLE = frozenset({"people", "respondents"})
PATIENTS = {"admissions": "person_id"}
"""Tables with a row a patient, whose ids no other table lists."""


@dataclass(frozen=True, slots=True)
class Person:
    """Every id of the person; `key` makes an address the id it is read as, where exports hold addresses."""

    ids: Collection[str]
    key: bytes | None = None

    def named(self, text: str) -> bool:
        """Whether a text is one of the ids, or an address that becomes one."""
        return text in self.ids or (self.key is not None and "@" in text and pseudonym(text, self.key) in self.ids)


@dataclass(slots=True)
class Cut:
    """Rows to take out of one sheet, and cells to make blank or write anew, by the row a spreadsheet shows."""

    rows: set[int] = field(default_factory=set)
    cells: dict[tuple[int, str], str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.rows or self.cells)


@dataclass(frozen=True)
class Opened:
    """A sheet as its file holds it (`piece.sheet`), as it is once corrected (`sheet`), and what goes of it."""

    piece: Piece
    sheet: Sheet
    cut: Cut

    @property
    def stays_in_place(self) -> bool:
        """Whether rows are made blank and none moves up: in workbooks, and where unnamed forms are called by row."""
        return self.piece.kind == "export" or bool(self.sheet.origin.letters)

    @cached_property
    def by_id(self) -> Mapping[str, int] | None:
        """The row of each id, as it was and as it is corrected; None where rows are known by their number."""
        columns = schema(self.piece.name).columns if self.piece.kind == "table" else {}
        first = next(iter(columns), "")
        if first not in self.sheet.columns or not columns[first].unique:
            return None
        rows = self.sheet.rows.tolist()
        return {
            str(text): row
            for sheet in (self.piece.sheet, self.sheet)
            for text, row in zip(sheet.columns[first].texts(), rows, strict=True)
        }


def opened(piece: Piece, sheet: Sheet, person: Person, instruments: Mapping[str, Instrument]) -> Opened:
    """One sheet, corrected, and what of it is about the person."""
    cut = Cut()
    if piece.kind == "table" and piece.name != "corrections":
        cut = _table(piece.name, sheet, person.ids)
    elif piece.kind == "form":
        instrument = instrument_of(piece.name, instruments)
        only = instrument.subjects if instrument is not None else ()
        cut.rows = _rows(sheet, _answers(sheet, person.ids, only[0] if len(only) == 1 else ""))
    elif piece.kind == "export":
        cut.rows = _exported(piece, sheet, person, instruments)
    return Opened(piece, sheet, cut)


def naming(piece: Piece) -> set[str]:
    """The headings, in plain form, under which a sheet names people."""
    if piece.kind == "export":
        return {exports.plain(heading) for said in piece.exports for heading in (said.respondent, said.subject)} - {""}
    if piece.kind == "form":
        return {"respondent_id", "subject_id"}
    columns = schema(piece.name).columns
    listed = {column for column, tables in references(piece.name).items() if PEOPLE & set(tables)}
    listed |= {next(iter(columns))} if piece.name in PEOPLE else set()
    listed |= {"subject_id"} if "subject_kind" in columns else set()
    return listed | ({PATIENTS[piece.name]} if piece.name in PATIENTS else set())


def _table(table: str, sheet: Sheet, ids: Collection[str]) -> Cut:
    columns, found = schema(table).columns, Cut()
    first = next(iter(columns))
    named = {column for column, listed in references(table).items() if PEOPLE & set(listed)}
    named |= {first} if table in PEOPLE else set()
    gone = _answers(sheet, ids, "") if "subject_kind" in columns else np.zeros(len(sheet.rows), dtype=np.bool_)
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


def _exported(piece: Piece, sheet: Sheet, person: Person, instruments: Mapping[str, Instrument]) -> set[int]:
    """Rows of an export the person sent, or that are about them: whatever reading makes their answers of."""
    found: set[int] = set()
    for said in piece.exports:
        answers = exports.unfold(sheet, said, instruments[said.instrument], person.key, Problems()).responses
        found |= _rows(answers, _answers(answers, person.ids, ""))
    return found


def _holds(sheet: Sheet, column: str, wanted: Collection[str]) -> Mask:
    if column not in sheet.columns:
        return np.zeros(len(sheet.rows), dtype=np.bool_)
    cells = sheet.columns[column]
    return np.array([text in wanted for text in cells.distinct], dtype=np.bool_)[cells.which]


def _rows(sheet: Sheet, gone: Mask) -> set[int]:
    return set(sheet.rows[gone].tolist())
