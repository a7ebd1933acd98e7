"""One column of a workbook, as its table's model describes it, and the check Excel makes while somebody types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any

from data_schemas.tables import references, schema
from evalkit.instrument import Instrument, Item, Scale
from evalkit.reading import forms
from evalkit.reading.between import SUBJECT_TABLES
from evalkit.reading.cells import YEARS, kind_of
from evalkit.reading.problems import in_sheets
from evalkit.workbook.layout import LISTS

LAST_ROW = 2000
"""The last row whose cells are checked while somebody types; rows below are read just the same."""

LONGEST_LIST = 255
"""Letters Excel takes in a drop-down written out in its cell; longer lists, and words with commas, need a sheet."""

LONGEST_TITLE, LONGEST_MESSAGE = 32, 255
"""Letters Excel takes in the title and the text of a message."""

MOST_CHOICES = 25
"""Steps of a scale beyond which a drop-down is no help, and limits stand in its place."""

FIRST_DAY, LAST_DAY = date(YEARS[0], 1, 1), date(YEARS[-1], 12, 31)
BOUNDLESS = 10**15
"""Excel has no check for "any number": numbers within this are any number that can be meant."""

_WRITTEN_AS_TEXT = ("month", "period")
"""Forms of a date that Excel would turn into another date: 2024-03 is kept as it is typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What one column is called, what belongs in it, and what Excel offers and refuses.

    `choices` are the only words allowed; `suggested` are offered, and others may be typed. `refers` are the tables
    whose ids are meant. `low` and `high` are a sign of comparison and a number.
    """

    heading: str
    title: str
    description: str = ""
    remedy: str = ""
    kind: str = "text"
    form: str = ""
    unit: str = ""
    needed: bool = False
    refers: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()
    low: tuple[str, float] | None = None
    high: tuple[str, float] | None = None

    @property
    def is_text(self) -> bool:
        """Whether its cells are kept letter by letter (007, 5E1, 2024-03), so that Excel changes none."""
        return self.kind == "text" or self.form in _WRITTEN_AS_TEXT

    @property
    def note(self) -> str:
        """What a pointer resting on the heading reads."""
        unit = f"In {self.unit}." if self.unit else ""
        said = ("Needed." if self.needed else "May be left blank.", f"{self.title}: {self.description}", unit)
        return "\n".join(filter(None, (*said, self.remedy)))

    @property
    def width(self) -> int:
        """Letters its cells show."""
        least = {"date": 12, "text": 14}.get(self.kind, 10)
        return 50 if self.form == "prose" else max(len(self.heading) + 4, least)


@dataclass(slots=True)
class Lists:
    """The words of long drop-downs, which stand on a hidden sheet of their own, a list a column."""

    held: list[tuple[str, ...]] = field(default_factory=list)

    def source(self, words: tuple[str, ...]) -> list[str] | str:
        """The words themselves where Excel takes them, and otherwise where they stand on the hidden sheet."""
        if len(",".join(words)) <= LONGEST_LIST and not any("," in word for word in words):
            return list(words)
        if words not in self.held:
            self.held.append(words)
        letter = letters(self.held.index(words))
        return f"='{LISTS}'!${letter}$1:${letter}${len(words)}"


def letters(column: int) -> str:
    """A column's letters, the first being 0.

    >>> letters(0), letters(27)
    ('A', 'AB')
    """
    from xlsxwriter.utility import xl_col_to_name

    return str(xl_col_to_name(column))


@cache
def of_table(table: str) -> tuple[Column, ...]:
    """The columns somebody fills in, in the model's order: those that are worked out from others are left out."""
    listed = references(table)
    return tuple(
        _described(name, column, listed.get(name, ()))
        for name, column in schema(table).columns.items()
        if not (column.metadata or {}).get("derived")
    )


def of_item(item: Item, scale: Scale) -> Column:
    """An item's own column on the sheet of its questionnaire: what may be answered, and what it means."""
    words = (*scale.words, *scale.unscored)
    choices = words or tuple(f"{scale.low + place * scale.step:g}" for place in range(scale.options))
    meaning = "; ".join(f"{step:g}: {label}" for step, label in sorted(scale.labels.items()))
    aside = f" Not scored: {', '.join(scale.unscored)}." if scale.unscored else ""
    return Column(
        heading=forms.heading(item.key, " ".join(item.text.split())),
        title="Answer",
        description=(f"{meaning}." if meaning else "") + aside,
        remedy="Choose from the list, or leave the cell blank where the item was left out.",
        kind="text" if words else "number",
        choices=choices if len(choices) <= MOST_CHOICES else (),
        low=None if words else (">=", scale.low),
        high=None if words else ("<=", scale.high),
    )


def of_form(instrument: Instrument, identity: tuple[str, ...]) -> tuple[Column, ...]:
    """The columns that say who answered, about whom and when, narrowed to what the questionnaire allows."""
    found = {column.heading: column for column in of_table("responses")}
    found["subject_kind"] = replace(found["subject_kind"], choices=instrument.subjects or found["subject_kind"].choices)
    found["rater"] = replace(found["rater"], choices=instrument.raters or found["rater"].choices)
    if len(instrument.subjects) == 1:
        found["subject_id"] = replace(found["subject_id"], refers=(SUBJECT_TABLES[instrument.subjects[0]],))
    return tuple(found[name] for name in identity)


def validation(column: Column, lists: Lists, sheets: Mapping[str, str]) -> dict[str, Any]:
    """What XlsxWriter is told of a column. `sheets`: for each table in the workbook, the letter its ids stand in."""
    said = {
        "input_title": clipped(column.title, LONGEST_TITLE),
        "input_message": clipped(" ".join(filter(None, (column.description, column.remedy))), LONGEST_MESSAGE),
        "error_title": "This cell cannot take that",
        "error_message": clipped(column.remedy, LONGEST_MESSAGE),
    }
    present = [table for table in column.refers if table in sheets]
    if column.choices:
        return said | {"validate": "list", "source": lists.source(column.choices)}
    if column.kind == "yes_no":
        return said | {"validate": "list", "source": ["yes", "no"]}
    if present:
        return said | _looked_up(column, present[0], sheets[present[0]])
    if column.suggested:
        words = "This is not among those evalkit knows. To keep it, press OK, and describe it in your folder."
        return said | _may_be_kept(lists.source(column.suggested), words)
    if column.is_text:
        return said | {"validate": "any"}
    if column.kind == "date":
        return said | {"validate": "date", "criteria": "between", "minimum": FIRST_DAY, "maximum": LAST_DAY}
    return said | {"validate": "integer" if column.kind == "whole" else "decimal", **_limits(column)}


def clipped(text: str, longest: int) -> str:
    """The text, cut at a word where it is too long.

    >>> clipped("one two three", 10)
    'one two …'
    """
    if len(text.encode("utf-16-le")) // 2 <= longest:
        return text
    kept = text[: longest - 2]
    return f"{kept.rpartition(' ')[0] or kept} …"


def _described(name: str, column: Any, refers: tuple[str, ...]) -> Column:
    about = column.metadata or {}
    said = {str(check.name): check.statistics or {} for check in column.checks}
    return Column(
        heading=name,
        title=column.title or name,
        description=in_sheets(column.description or ""),
        remedy=in_sheets(about.get("remedy", "")),
        kind=kind_of(column.dtype),
        form=about.get("form", ""),
        unit=about.get("unit", ""),
        needed=not column.nullable,
        refers=refers,
        choices=tuple(map(str, said.get("isin", {}).get("allowed_values", ()))),
        low=_limit(said, "min_value", {"greater_than_or_equal_to": ">=", "greater_than": ">", "in_range": ">="}),
        high=_limit(said, "max_value", {"less_than_or_equal_to": "<=", "less_than": "<", "in_range": "<="}),
    )


def _limit(said: Mapping[str, Any], end: str, signs: Mapping[str, str]) -> tuple[str, float] | None:
    return next(((sign, said[name][end]) for name, sign in signs.items() if name in said), None)


def _limits(column: Column) -> dict[str, Any]:
    """Excel checks one comparison, or that a number lies between two."""
    if column.low and not column.high:
        return {"criteria": column.low[0], "value": column.low[1]}
    if column.high and not column.low:
        return {"criteria": column.high[0], "value": column.high[1]}
    low, high = (column.low or ("", -BOUNDLESS))[1], (column.high or ("", BOUNDLESS))[1]
    return {"criteria": "between", "minimum": low, "maximum": high}


def _looked_up(column: Column, table: str, letter: str) -> dict[str, Any]:
    """The ids listed so far in another sheet, as far as it is filled: a list with blanks would open at its end."""
    ids = f"{table}!${letter}$2:${letter}${LAST_ROW}"
    source = f"=OFFSET({table}!${letter}$2,0,0,MAX(1,COUNTA({ids})),1)"
    where = " or ".join(column.refers)
    return _may_be_kept(source, f"This is not in the sheet {where} yet. To keep it, press OK, and add it there.")


def _may_be_kept(source: list[str] | str, words: str) -> dict[str, Any]:
    return {
        "validate": "list",
        "source": source,
        "error_type": "information",
        "error_title": "Not in the list",
        "error_message": clipped(words, LONGEST_MESSAGE),
    }
