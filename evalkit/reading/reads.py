"""A table on its way in: typed columns, and for every cell where it stands in which file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_schemas.catalogues import nearest
from data_schemas.tables import schema
from evalkit.instrument import Instrument
from evalkit.reading import cells
from evalkit.reading.problems import HEADING, Problems
from evalkit.reading.sheets import Cells, Origin, Positions, Sheet

Mask = NDArray[np.bool_]


def about(table: str, column: str) -> dict[str, Any]:
    """What the model says of a column beside its checks: remedy, unit, refers, form, happened, derived."""
    return dict(schema(table).columns[column].metadata or {})


@cache
def form_of(table: str, column: str) -> tuple[str, str]:
    """The kind of a column's values, and the form they are written in."""
    return cells.kind_of(schema(table).columns[column].dtype), str(about(table, column)["form"])


@dataclass(frozen=True, slots=True)
class Held:
    """A typed column by its distinct values; `which` of them each row holds. A value may stand in it twice."""

    distinct: pd.Series[Any]
    which: Positions

    @classmethod
    def of(cls, values: Any) -> Held:
        """Any column."""
        which, distinct = pd.factorize(values, use_na_sentinel=False)
        return cls(pd.Series(distinct), which)

    def rows(self, right: Any) -> Mask:
        """Which rows hold a value that is right, when `right` says it of each distinct one."""
        return np.asarray(pd.array(right, dtype="boolean").fillna(False), dtype=bool)[self.which]

    def codes(self) -> tuple[NDArray[np.int64], int]:
        """One number for each row, equal when the values are (missing equals missing), and how many there are."""
        own, distinct = pd.factorize(self.distinct, use_na_sentinel=False)
        return own[self.which], len(distinct)


@dataclass(frozen=True, slots=True)
class Read:
    """A table with typed columns, and where its rows stand: one origin a file or sheet, in the order of the rows.

    `unreadable`: rows with a cell that could not be read, which rules over whole rows pass over. `absent`: needed
    columns no file has, reported once, held as missing, and passed over by every other rule.
    """

    table: str
    frame: pd.DataFrame
    held: Mapping[str, Held]
    origins: tuple[Origin, ...]
    unreadable: Mask
    absent: frozenset[str] = field(default_factory=frozenset)

    @property
    def file(self) -> str:
        """What a problem elsewhere calls this table."""
        return self.origins[0].file

    def cells(self, found: NDArray[np.intp], column: str) -> Iterator[tuple[str, int, str]]:
        """File, row and column of some cells, given by the position of their rows."""
        start = 0
        for origin in self.origins:
            own = found[(found >= start) & (found < start + len(origin.rows))] - start
            rows = origin.rows[own].tolist()
            yield from zip([origin.file] * len(own), rows, origin.labels(column, own), strict=True)
            start += len(origin.rows)

    def row_named(self, position: int, *, beside: int) -> str:
        """A row in words, with its file where that is another one than that of the row beside it."""
        (file, row, _), (other, _, _) = (next(self.cells(np.array([at]), "")) for at in (position, beside))
        return f"row {row}" if file == other else f"row {row} of {file}"

    def among(self, column: str, allowed: Collection[Any]) -> Mask:
        """Which rows hold one of the allowed values, or none at all."""
        distinct = self.held[column].distinct
        return self.held[column].rows(distinct.isin(list(allowed)) | distinct.isna())

    def holding(self, column: str, value: Any) -> Mask:
        """Which rows hold this value."""
        distinct = self.held[column].distinct
        return self.held[column].rows(distinct == value)

    def given(self, column: str) -> Mask:
        """Which rows hold anything."""
        return self.held[column].rows(self.held[column].distinct.notna())


def typed(table: str, sheet: Sheet, problems: Problems, instruments: Mapping[str, Instrument]) -> Read:
    """Text columns to typed ones, by the model; unknown and missing columns named once each."""
    columns, length = schema(table).columns, len(sheet.rows)
    _name_strangers(table, sheet, problems)
    held: dict[str, Held] = {}
    unreadable = np.zeros(length, dtype=bool)
    for name in columns:
        if name in sheet.columns:
            held[name], faulty = _column(table, name, sheet, problems)
            unreadable |= faulty
        else:
            held[name] = Held(pd.Series(missing(table, name)), np.zeros(length, dtype=np.intp))
    if table == "responses" and {"answer", "instrument"} <= sheet.columns.keys():
        held["answer"], faulty = _answers(held["instrument"], sheet, problems, instruments)
        unreadable |= faulty
    for name in columns:
        if about(table, name)["derived"]:
            held[name] = _span(table, name, held, sheet, problems)
    absent = frozenset(name for name, column in columns.items() if column.required and name not in sheet.columns)
    frame = {name: values.distinct.array.take(values.which) for name, values in held.items()}
    return Read(table, pd.DataFrame(frame, copy=False), held, (sheet.origin,), unreadable, absent)


def joined(reads: Sequence[Read]) -> Read:
    """One table out of the files and sheets that hold it."""
    if len(reads) == 1:
        return reads[0]
    frame = pd.concat([read.frame for read in reads], ignore_index=True)
    return Read(
        reads[0].table,
        frame,
        {str(name): Held.of(values) for name, values in frame.items()},
        tuple(origin for read in reads for origin in read.origins),
        np.concatenate([read.unreadable for read in reads]),
        frozenset.union(*(read.absent for read in reads)),
    )


def missing(table: str, column: str) -> Any:
    """One missing value of the column's type."""
    kind, _ = form_of(table, column)
    return cells.parse(np.array([""], dtype=object), kind=kind, form="")[0]


def _name_strangers(table: str, sheet: Sheet, problems: Problems) -> None:
    columns = schema(table).columns
    for name in sheet.columns:
        if name not in columns:
            remedy = f"{nearest(name, list(columns))} Rename the column or remove it."
            label = sheet.origin.label(name)
            words = "No column of this name is known in this table."
            problems.add(sheet.file, words, remedy, row=HEADING, column=label)
    for name, column in columns.items():
        if column.required and name not in sheet.columns:
            remedy = f"Add a column headed {name}: {column.description}"
            problems.add(sheet.file, "A column this table needs is missing.", remedy, row=HEADING, column=name)


def _column(table: str, name: str, sheet: Sheet, problems: Problems) -> tuple[Held, Mask]:
    """The typed values of a column, and the rows in which one could not be read."""
    kind, form = form_of(table, name)
    text = sheet.columns[name]
    if form == "answer":
        return Held(pd.Series(missing(table, name)), np.zeros(len(text.which), dtype=np.intp)), _none(text)
    values, faults = cells.parse(text.distinct, kind=kind, form=form)
    faulty = _none(text)
    for position, (problem, remedy) in faults.items():
        faulty |= _blame(sheet, name, text.which == position, problem, remedy, problems)
    if name in sheet.days and kind == "text":
        words = "A spreadsheet has turned the text into a date."
        remedy = "Make the column text (Format Cells, Text), and type it again."
        faulty |= _blame(sheet, name, sheet.days[name], words, remedy, problems)
    return Held(pd.Series(values), text.which), faulty


def _none(text: Cells) -> Mask:
    return np.zeros(len(text.which), dtype=bool)


def _blame(sheet: Sheet, name: str, rows: Mask, problem: str, remedy: str, problems: Problems) -> Mask:
    """A problem in some cells of one column; gives the rows back."""
    found = np.flatnonzero(rows)
    text = sheet.columns[name]
    where = zip([sheet.file] * len(found), sheet.rows[found].tolist(), sheet.origin.labels(name, found), strict=True)
    problems.add_cells(where, problem, remedy, values=text.distinct[text.which[found]])
    return rows


def _answers(
    instrument: Held, sheet: Sheet, problems: Problems, instruments: Mapping[str, Instrument]
) -> tuple[Held, Mask]:
    """Answers, each by the scale of its own instrument: figures, or the words that stand for them."""
    text = sheet.columns["answer"]
    numbers, faults = cells.parse(text.distinct, kind="number", form="")
    answers, faulty = np.asarray(numbers)[text.which], _none(text)
    wordy = _none(text)
    for name in instrument.distinct.dropna().unique():
        codes = instruments[name].scale.codes if name in instruments else {}
        if codes:
            rows = instrument.rows(instrument.distinct == name)
            coded = np.array([codes.get(word.lower(), np.nan) for word in text.distinct], dtype="float64")
            answers[rows] = coded[text.which[rows]]
            strange = (np.isnan(coded) & (text.distinct != ""))[text.which] & rows
            words = f"The answer is none of {name}'s."
            remedy = f"Write one of: {instruments[name].scale.choices}. Leave it blank where the item was left out."
            faulty |= _blame(sheet, "answer", strange, words, remedy, problems)
            wordy |= rows
    for position, (problem, remedy) in faults.items():
        faulty |= _blame(sheet, "answer", (text.which == position) & ~wordy, problem, remedy, problems)
    return Held.of(answers), faulty


def _span(table: str, name: str, held: Mapping[str, Held], sheet: Sheet, problems: Problems) -> Held:
    """How long each period is, from how it is written; a length typed beside it must agree."""
    period = str(about(table, name)["derived"])
    if period not in sheet.columns:
        return held[name]
    text = sheet.columns[period]
    covered = pd.Series(cells.spans(text.distinct)).where(held[period].distinct.notna().to_numpy(), pd.NA)
    found = Held(covered.fillna(1).where(held[period].distinct.notna().to_numpy(), pd.NA), text.which)
    if name in sheet.columns:
        said = held[name].distinct.array.take(held[name].which)
        worked_out = found.distinct.array.take(found.which)
        differs = np.asarray((said != worked_out).fillna(False), dtype=bool)
        _blame(sheet, name, differs, f"The {period} covers another length.", "Leave the cell blank.", problems)
    return found
