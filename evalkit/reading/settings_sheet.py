"""The sheet of a workbook that says what the programme is: every row checked, each fault named at its cell."""

from __future__ import annotations

import re

import numpy as np

from data_schemas.catalogues import Misdescribed, nearest
from evalkit.reading.cells import Fault, parse
from evalkit.reading.problems import HEADING, Problems
from evalkit.reading.settings import Settings, from_sheet, kind_of_setting, names_of_settings, settings
from evalkit.reading.sheets import Sheet

NEEDED = ("schema", "name")
"""Rows that must be filled in."""

Rows = dict[str, tuple[int, str]]
"""Of each setting its row and what stands there."""


def says_anything(sheet: Sheet) -> bool:
    """Whether somebody filled it in: a template says its schema, and nothing else."""
    if not {"setting", "value"} <= sheet.columns.keys():
        return False
    pairs = zip(sheet.columns["setting"].texts(), sheet.columns["value"].texts(), strict=True)
    return any(value.strip() and name.strip() not in ("", "schema") for name, value in pairs)


def read_settings(sheet: Sheet, problems: Problems) -> Settings | None:
    """The settings, or None and what is amiss among the problems."""
    if not {"setting", "value"} <= sheet.columns.keys():
        words, remedy = "The sheet has other columns than these two.", "Head them setting and value."
        problems.add(sheet.file, words, remedy, row=HEADING)
        return None
    before = len(problems.found)
    rows = _rows(sheet, problems)
    for name, (row, text) in rows.items():
        if name.split(".")[0] not in names_of_settings():
            words, remedy = "No setting of this name is known.", nearest(name, names_of_settings())
            problems.add(sheet.file, words, remedy, row=row, column=sheet.origin.label("setting"), value=name)
        elif fault := _fault(name, text):
            problems.add(sheet.file, *fault, row=row, column=sheet.origin.label("value"), value=text)
    _name_blank(sheet, rows, problems)
    if len(problems.found) > before:
        return None
    try:
        return settings(from_sheet((name, text) for name, (_, text) in rows.items()))
    except Misdescribed as fault:
        _name(fault, rows, sheet, problems)
        return None


def _rows(sheet: Sheet, problems: Problems) -> Rows:
    """The rows that say something; a setting given twice is a problem."""
    found: Rows = {}
    names, texts = (sheet.columns[column].texts() for column in ("setting", "value"))
    for row, name, text in zip(sheet.rows.tolist(), map(str.strip, names), map(str.strip, texts), strict=True):
        if name in found and text:
            words = f"The setting is given twice: row {found[name][0]} says {found[name][1]!r}."
            problems.add(sheet.file, words, "Keep one.", row=row, column=sheet.origin.label("setting"), value=name)
        elif name and text:
            found[name] = (row, text)
    return found


def _fault(name: str, text: str) -> Fault | None:
    """What is wrong with a value, in the words of any other cell."""
    if name == "schema" and text != "1":
        return "This evalkit reads schema 1.", "Write 1."
    kind = {"whole number": "whole", "number": "number", "date": "date", "yes or no": "yes_no"}
    if kind_of_setting(name) not in kind:
        return None
    faults = parse(np.array([text], dtype=object), kind=kind[kind_of_setting(name)], form="")[1]
    return faults.get(0)


def _name_blank(sheet: Sheet, rows: Rows, problems: Problems) -> None:
    """Rows that must be filled in and are not; one written with other capitals is named already."""
    written = {name.casefold() for name in rows}
    column = sheet.origin.label("value")
    for name in NEEDED:
        if name not in written:
            words = f"The sheet does not say the programme's {name}."
            problems.add(sheet.file, words, f"Fill in the row {name}.", column=column)
    if not {"starts_on", "as_of"} & written:
        words = "The sheet says neither when the programme began nor of which day the data speak."
        remedy = "Fill in the row starts_on; where nobody knows it, the row as_of. Write the day as 2026-03-31."
        problems.add(sheet.file, words, remedy, column=column)


def _name(fault: Misdescribed, rows: Rows, sheet: Sheet, problems: Problems) -> None:
    """A fault found later, at the row whose setting it names."""
    named = [name for name in rows if re.search(rf"\b{re.escape(name.rpartition('.')[2])}\b", fault.problem)]
    words, remedy = fault.problem.replace("programme.toml", "The sheet"), fault.remedy.replace(" without quotes", "")
    if named:
        name = max(named, key=lambda name: (rows[name][1] == fault.value, len(name)))
        row, text = rows[name]
        column = sheet.origin.label("value")
        problems.add(sheet.file, words, remedy, row=row, column=column, value=text)
    else:
        problems.add(sheet.file, words, remedy, value=fault.value)
