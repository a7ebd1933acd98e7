"""Filled-in forms: a row a respondent, a column a question, turned into a row an answer.

Which sheet or file holds what is told by its name: a table's name (`responses`), with anything after a space or a dot
(`responses wave 3`), or the word form and an instrument's (`form icfat`, `form icfat wave 3`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import numpy as np

from data_schemas.catalogues import nearest
from data_schemas.tables import schema
from evalkit.instrument import Instrument
from evalkit.reading.problems import HEADING, Problems
from evalkit.reading.sheets import Cells, Origin, Sheet

FORM = "form"
"""The word a sheet's or a file's name begins with when it holds filled-in forms."""

LONGEST_NAME = 31
"""Letters Excel allows a sheet's name: one as long may have lost its end."""

FROM_THE_FORM = ("instrument", "item", "answer")
"""Columns of the answers table that a form tells by its name, its headings and its cells."""


_COPY = re.compile(r"( - copy( ?\([0-9]+\))?| copy( [0-9]+)?|\([0-9]+\))\Z", re.IGNORECASE)
_EXPORTED = re.compile(r"form ?responses( ?[0-9]+)?\Z|form ?[0-9]+\Z", re.IGNORECASE)


def is_copy(name: str) -> bool:
    """Whether a name is one computers give to copies: its rows would count twice.

    >>> [is_copy(name) for name in ("people - Copy", "people (1)", "responses wave 3", "responses (autumn)")]
    [True, True, False, False]
    """
    return _COPY.search(name.strip()) is not None


def is_export(name: str) -> bool:
    """Whether a form's website gives its sheets such a name.

    >>> is_export("Form responses 1"), is_export("Form1"), is_export("form icfat")
    (True, True, False)
    """
    return _EXPORTED.match(name.strip()) is not None


def headings_of(name: str, tables: Collection[str]) -> Collection[str]:
    """The headings a sheet or file of this name has, as far as its name tells."""
    kind, held = part_of(name, tables)
    return list(schema("responses" if kind == "form" else held).columns) if kind else ()


def part_of(name: str, tables: Collection[str]) -> tuple[Literal["table", "form", ""], str]:
    """What a sheet or file of this name holds.

    >>> part_of("responses wave 3", ["responses"]), part_of("form icfat", ["responses"]), part_of("notes", [])
    (('table', 'responses'), ('form', 'icfat'), ('', 'notes'))
    """
    words = re.split(r"[ .]+", name.strip())
    if words[0].lower() == FORM and len(words) > 1:
        return "form", words[1].lower()
    return ("table", words[0].lower()) if words[0].lower() in tables else ("", name)


def instrument_of(name: str, instruments: Mapping[str, Instrument]) -> Instrument | None:
    """The instrument a sheet of forms is named for; Excel cuts a sheet's name, so one that begins so will do."""
    if name in instruments or len(f"{FORM} {name}") < LONGEST_NAME:
        return instruments.get(name)
    begun = [found for id, found in instruments.items() if id.startswith(name)]
    return begun[0] if len(begun) == 1 else None


def heading(key: str, text: str) -> str:
    """How an item's column is headed on a form: the question, and its key in brackets.

    >>> heading("leadership", "Leadership")
    'Leadership [leadership]'
    """
    return f"{text} [{key}]"


def unfold(sheet: Sheet, instrument: Instrument, problems: Problems) -> Sheet:
    """A sheet of filled-in forms as the answers table would hold them, each answer blamed where it stands."""
    about_whom = [name for name in schema("responses").columns if name not in FROM_THE_FORM]
    known = {key.casefold(): key for key in (item.key for item in instrument.items)}
    known |= {item.text.casefold(): item.key for item in instrument.items}
    shared: dict[str, Cells] = {}
    answers: list[tuple[str, str, Cells]] = []
    for name, cells in sheet.columns.items():
        bracketed = re.search(r"\[([^\[\]]+)\]\s*\Z", name)
        key = known.get((bracketed[1] if bracketed else name).strip().casefold())
        if name in about_whom:
            shared[name] = cells
        elif key is not None:
            answers.append((name, key, cells))
        else:
            near = nearest(name, [*about_whom, *(item.key for item in instrument.items)])
            label = sheet.origin.label(name)
            words = f"The heading is neither an item of {instrument.id} nor about the respondent."
            problems.add(sheet.file, words, near, row=HEADING, column=label)
    return folded_out(sheet, shared | _told(instrument, shared, len(sheet.rows)), answers)


def folded_out(sheet: Sheet, shared: Mapping[str, Cells], answers: Sequence[tuple[str, str, Cells]]) -> Sheet:
    """A row an answer: what all answers of a row share is repeated, each answer keeps its own heading.

    `answers`: of each question its heading, the key of its item, and the cells below it.
    """
    rows, many = len(sheet.rows), len(answers)
    columns = {name: Cells(cells.distinct, np.repeat(cells.which, many)) for name, cells in shared.items()}
    turns = np.tile(np.arange(many), rows)
    columns["item"] = Cells(np.array([key for _, key, _ in answers], dtype=object), turns)
    columns["answer"] = _side_by_side([cells for _, _, cells in answers], rows)
    headings = np.array([name for name, _, _ in answers], dtype=object)[turns] if many else np.array([], dtype=object)
    origin = sheet.origin
    spread = {"answer": headings, "item": headings}
    return Sheet(columns, Origin(origin.file, np.repeat(origin.rows, many), origin.letters, spread))


def constant(text: str, rows: int) -> Cells:
    """The same text in every row."""
    return Cells(np.array([text], dtype=object), np.zeros(rows, dtype=np.intp))


def _told(instrument: Instrument, shared: Mapping[str, Cells], rows: int) -> dict[str, Cells]:
    """What the instrument itself tells: its name, and whom it is about and who answers where there is but one kind."""
    said = {"instrument": instrument.id}
    for column, kinds in (("subject_kind", instrument.subjects), ("rater", instrument.raters)):
        if column not in shared and len(kinds) == 1:
            said[column] = kinds[0]
    return {name: constant(text, rows) for name, text in said.items()}


def _side_by_side(columns: list[Cells], rows: int) -> Cells:
    """Several columns as one, row by row."""
    if not columns:
        return Cells(np.array([""], dtype=object), np.zeros(0, dtype=np.intp))
    starts = np.cumsum([0, *(len(cells.distinct) for cells in columns)])
    which = np.column_stack([cells.which + start for cells, start in zip(columns, starts, strict=False)])
    distinct = np.concatenate([cells.distinct for cells in columns])
    return Cells(distinct, which.reshape(rows * len(columns)))
