"""What the sheets and headings of a workbook are called: who writes one and who reads it both look here."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

from evalkit.errors import Refused
from evalkit.reading import forms
from evalkit.reading.books import GUIDE as GUIDE
from evalkit.reading.books import LISTS as LISTS
from evalkit.reading.books import NOT_DATA as NOT_DATA
from evalkit.reading.books import PROBLEMS as PROBLEMS
from evalkit.reading.forms import LONGEST_NAME
from evalkit.reading.pieces import SETTINGS_SHEET as SETTINGS_SHEET

FORM_COLUMNS = ("respondent_id", "subject_kind", "subject_id", "rater", "wave", "timing", "answered_on")
"""The first columns of a sheet that takes a questionnaire, a row a form; a column an item follows."""

CREATED = datetime(2026, 1, 1)
"""Stands where Excel keeps the time of writing, so that the same workbook always has the same bytes."""

DARK, PALE, LINK = "#12436D", "#DCE6F0", "#0B5394"
"""Needed headings are white on dark (contrast 10 to 1), the others black on pale (16 to 1)."""


def form_sheet(instrument_id: str) -> str:
    """The sheet that takes this questionnaire; a long id is cut to the letters Excel has room for.

    Raises Refused for an id that cannot be part of a sheet's name.

    >>> form_sheet("icfat"), form_sheet("healthcare_leadership_importance")
    ('form icfat', 'form healthcare_leadership_impo')
    """
    name = f"{forms.FORM} {instrument_id}"[:LONGEST_NAME]
    kept = name.removeprefix(f"{forms.FORM} ")
    if sheet_name(name) != name or forms.part_of(name, ()) != ("form", kept.lower()):
        raise Refused(
            f"The questionnaire {instrument_id!r} cannot have a sheet of its own. "
            "Give it an id of letters, figures and _ in its file."
        )
    return name


def sheet_name(wanted: str, taken: Collection[str] = ()) -> str:
    """A name Excel accepts, and none of those taken: capitals make no difference.

    >>> sheet_name("a/b: c"), sheet_name("People", {"people"}), sheet_name("")
    ('a b c', 'People 2', 'sheet')
    """
    plain = " ".join(re.sub(r"[\[\]:*?/\\\x00-\x1f\x7f\ufffe\uffff]", " ", wanted).split())
    base = plain[:LONGEST_NAME].strip(" '") or "sheet"
    lowered = {name.lower() for name in taken} | {"history"}  # a name Excel keeps for itself
    name, number = base, 1
    while name.lower() in lowered:
        number += 1
        name = f"{base[: LONGEST_NAME - len(f' {number}')]} {number}"
    return name


def note(text: str) -> dict[str, Any]:
    """What XlsxWriter is told of a note as tall as its words, by nobody in particular."""
    height = 18 * sum(1 + len(line) // 44 for line in text.splitlines()) + 10
    return {"comment": text, "options": {"author": "", "width": 290, "height": min(height, 600), "font_size": 9}}


def write_new(out: str | Path, content: bytes) -> Path:
    """Put a workbook where there is none yet: what somebody filled in is never written over. Raises Refused."""
    path = Path(out)
    if path.suffix.lower() != ".xlsx":
        raise Refused(f"{path.name} does not end in .xlsx. Give the workbook a name such as workbook.xlsx.")
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise Refused(f"{path.name} is there already and is left as it is. Give another name, or move it.") from None
    except FileNotFoundError:
        raise Refused(f"There is no folder {path.parent.name!r} to write {path.name} in. Make it first.") from None
    return path
