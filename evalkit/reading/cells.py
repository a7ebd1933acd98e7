"""From text to typed values by the type a column declares, never by what the text looks like; and back to text."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit import periods

Fault = tuple[str, str]
"""What is wrong with a cell, and how to mend it."""

Texts = NDArray[np.object_]
Parsed = tuple[Any, dict[int, Fault]]

MISSING_WORDS = {
    "na",
    "n/a",
    "#n/a",
    "nan",
    "null",
    "none",
    "nil",
    "missing",
    "-",
    "--",
    ".",
    "?",
    "not known",
    "unknown",
}
"""Words people write for a value they do not have. In a text column they are text."""

EXCEL_BEGINS = date(1899, 12, 30)
EXCEL_SERIALS = range(20_000, 80_000)
"""Excel counts days from 1899-12-30; these serials are 1954 to 2119, the days a programme could mean."""

YEARS = range(1900, 2101)
"""A date outside these years is a slip of the keyboard."""

_EDGES = re.compile(r"\n\s|\s\n")
"""Space at either end of one of several texts, each on a line of its own."""

BLANK = "Leave the cell blank where the value is not known."
_MONTHS = {
    name.lower(): number for names in (calendar.month_name, calendar.month_abbr) for number, name in enumerate(names)
}
_WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]*)\Z")
_DECIMAL = re.compile(r"[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?\Z")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

_UNSEEN = re.compile(
    "[\xa0\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    "\u3000\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0001\U000e0020-\U000e007f]"
)
"""Spaces that are not the plain one, and characters nobody sees: two ids may differ by one and look the same."""


def parse(texts: Texts, *, kind: str, form: str) -> Parsed:
    """Typed values of distinct texts, and the faults by position; "" is missing, and a faulty text is too.

    `kind` is the dtype the table's model declares; `form` how the column is written ("prose", "month", "period").
    """
    if form == "month":
        return _each(texts, _month, dtype="datetime64[us]")
    if form == "period":
        return _periods(texts)
    return _PARSERS[kind](texts, form)


def kind_of(dtype: Any) -> str:
    """Which of the five types evalkit reads a declared dtype is.

    >>> kind_of("Int64"), kind_of("string[python]"), kind_of("datetime64[ns]")
    ('whole', 'text', 'date')
    """
    found = {
        "string": "text",
        "Int64": "whole",
        "float": "number",
        "datetim": "date",
        "boolean": "yes_no",
        "str": "text",
    }
    return next(kind for start, kind in found.items() if str(dtype).startswith(start))


def spans(texts: Texts) -> Any:
    """How many months the period in each text covers: 1, 3 or 12, missing where it is none."""
    found = [periods.parse(text) for text in texts]
    return pd.array([pd.NA if period is None else period.months for period in found], dtype="Int64")


def _text(texts: Texts, form: str) -> Parsed:
    faults: dict[int, Fault] = {}
    for position, text in enumerate(texts) if _needs_a_look(texts, form) else ():
        if _CONTROL.search(text):
            faults[position] = ("The text holds a character that cannot be shown.", "Type it again.")
        elif form != "prose" and (unseen := _UNSEEN.search(text)):
            faults[position] = _unseen_fault(text, unseen[0])
        elif text != text.strip() and form != "prose":
            faults[position] = ("There are spaces around the text.", f"Write {text.strip()!r}.")
        elif text and not text.strip():
            faults[position] = ("The cell holds only spaces.", "Write the text, or leave the cell blank.")
    values = texts.copy()
    values[[*faults, *np.flatnonzero(texts == "")]] = np.nan
    return pd.array(values, dtype="str"), faults


def _unseen_fault(text: str, character: str) -> Fault:
    """Named by its number, because it cannot be shown; a space of another kind becomes a plain one."""
    plain = _UNSEEN.sub(lambda found: " " if found[0].isspace() else "", text).strip()
    words = f"The text holds a character nobody can see (U+{ord(character):04X})."
    return words, f"Write {plain!r}, typed anew." if plain else "Write the text, or leave the cell blank."


def _needs_a_look(texts: Texts, form: str) -> bool:
    """Whether any of the texts may be at fault: one search through all of them, so that long columns are read fast."""
    written = texts[texts != ""]
    together = "\n".join(written)
    if form == "prose":
        return _CONTROL.search(together) is not None or not all(map(str.strip, written))
    if not together.isascii() and _UNSEEN.search(together) is not None:
        return True
    return _EDGES.search(f"\n{together}\n") is not None or _CONTROL.search(together) is not None


def _whole(texts: Texts, form: str) -> Parsed:
    return _numbers(texts, _WHOLE, _whole_fault, dtype="Int64")


def _number(texts: Texts, form: str) -> Parsed:
    return _numbers(texts, _DECIMAL, _number_fault, dtype="float64")


def _numbers(texts: Texts, pattern: re.Pattern[str], fault: Callable[[str], Fault], *, dtype: str) -> Parsed:
    good = _all_match(texts, pattern)
    if dtype == "Int64":
        good &= np.fromiter((len(text) <= 18 for text in texts), dtype=bool, count=len(texts))
    faults = {int(at): fault(texts[at]) for at in np.flatnonzero(~good & (texts != ""))}
    if dtype == "Int64":
        whole = np.zeros(len(texts), dtype="int64")
        whole[good] = texts[good].astype("int64")
        return pd.arrays.IntegerArray(whole, ~good), faults
    decimal = np.full(len(texts), np.nan)
    decimal[good] = texts[good].astype("float64")
    return decimal, faults


def _all_match(texts: Texts, pattern: re.Pattern[str]) -> NDArray[np.bool_]:
    """Which of the texts are numbers of this kind."""
    return np.fromiter(map(bool, map(pattern.match, texts)), dtype=bool, count=len(texts))


def _whole_fault(text: str) -> Fault:
    if re.match(r"[+-]?[0-9]+\.0+\Z", text):
        return "A whole number is written with a decimal point.", f"Write {text.split('.')[0]}."
    if _DECIMAL.match(text):
        return "The number is not whole.", "Write a whole number: this column counts."
    if re.match(r"[+-]?[0-9]{19,}\Z", text):
        return "The number is too large.", "Check it."
    return _number_fault(text)


def _number_fault(text: str) -> Fault:
    if text != text.strip():
        return "There are spaces around the number.", f"Write {text.strip()}."
    if text.lower() in MISSING_WORDS:
        return "A word stands where a number belongs.", BLANK
    if re.match(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?\Z", text):
        return "The number is written with commas between thousands.", f"Write {text.replace(',', '')}."
    if re.match(r"[+-]?[0-9]+,[0-9]+\Z", text):
        return "The number is written with a decimal comma.", f"Write {text.replace(',', '.')}."
    if re.match(r"[+-]?[0-9.]+[eE][+-]?[0-9]+\Z", text):
        return "The number is in the short form a spreadsheet shows, which drops digits.", "Write it out in full."
    if re.match(r"[+-]?0[0-9]", text):
        return "The number starts with zeros, as an id does.", f"Write {text.lstrip('+-0') or '0'}, if it is a number."
    if text.endswith("%") or text.startswith(("£", "$", "€")):
        return "The number is written with its unit.", "Write the number alone."
    return "This is not a number.", f"Write a number in figures. {BLANK}"


def _yes_no(texts: Texts, form: str) -> Parsed:
    words = {"yes": True, "no": False}
    lowered = [text.lower() for text in texts]
    faults = {
        at: ("This is neither yes nor no.", f"Write yes or no. {BLANK}")
        for at, text in enumerate(lowered)
        if text and text not in words
    }
    return pd.array([words.get(text, pd.NA) for text in lowered], dtype="boolean"), faults


def _date(texts: Texts, form: str) -> Parsed:
    return _each(texts, _day, dtype="datetime64[us]")


def _each(texts: Texts, read: Callable[[str], date | Fault], *, dtype: str) -> Parsed:
    faults: dict[int, Fault] = {}
    values = np.full(len(texts), np.datetime64("NaT"), dtype=dtype)
    for position, text in enumerate(texts):
        if text == "":
            continue
        found = read(text)
        if isinstance(found, date):
            values[position] = np.datetime64(found, "us")
        else:
            faults[position] = found
    return values, faults


def _day(text: str) -> date | Fault:
    """`2026-03-31`, or the month in letters; anything else is a fault that says what it may have meant."""
    if iso := re.match(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\Z", text):
        return _calendar_day(*map(int, iso.groups()))
    if (spelt := re.match(r"([0-9]{1,2}) ([A-Za-z]{3,9}) ([0-9]{4})\Z", text)) and spelt[2].lower() in _MONTHS:
        return _calendar_day(int(spelt[3]), _MONTHS[spelt[2].lower()], int(spelt[1]))
    if figures := re.match(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})\Z", text):
        return _figures(*map(int, figures.groups()))
    if re.match(r"[0-9]{5}\Z", text) and int(text) in EXCEL_SERIALS:
        meant = EXCEL_BEGINS + timedelta(days=int(text))
        return f"This is a spreadsheet's number for a day, perhaps {_spoken(meant)}.", f"Write {meant.isoformat()}."
    if timed := re.match(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T][0-9:.]+\Z", text):
        return "The cell holds a time of day beside the date.", f"Write {timed[1]}."
    if text.strip().lower() in MISSING_WORDS:
        return "A word stands where a date belongs.", BLANK
    return "This is not a date evalkit reads.", "Write the day as 2026-03-31."


def _calendar_day(year: int, month: int, day: int) -> date | Fault:
    if not 1 <= month <= 12:
        return f"There is no month {month}.", "Write the year, the month, the day: 2026-03-31."
    if not 1 <= day <= calendar.monthrange(year or 1, month)[1]:
        return f"There is no such day: {calendar.month_name[month]} {year} does not have {day} days.", "Check the day."
    if year not in YEARS:
        return f"The year {year} cannot be right.", "Check the year."
    return date(year, month, day)


def _figures(first: int, second: int, year: int) -> Fault:
    """Never read as a date, also when only one reading is possible: the next row may be a different one."""
    readings = [_calendar_day(year, second, first), _calendar_day(year, first, second)]
    days = list(dict.fromkeys(reading for reading in readings if isinstance(reading, date)))
    if len(days) == 2:
        either = " or ".join(map(_spoken, days))
        return f"The date is ambiguous: {either}.", f"Write {days[0].isoformat()} or {days[1].isoformat()}."
    if len(days) == 1:
        return "The date is written in figures whose order differs by country.", f"Write {days[0].isoformat()}."
    named = 1 <= second <= 12 and (readings[0][0] if isinstance(readings[0], tuple) else "")
    return named or "There is no such day.", "Write the day as 2026-03-31."


def _month(text: str) -> date | Fault:
    if month := re.match(r"([0-9]{4})-([0-9]{2})\Z", text):
        return _calendar_day(int(month[1]), int(month[2]), 1)
    if short := re.match(r"([A-Za-z]{3})-([0-9]{2})\Z", text):
        return "A spreadsheet has shortened the month.", f"Write {_lengthened(short[1], short[2])}."
    found = _day(text)
    if not isinstance(found, date):
        return found[0], "Write the month as 2024-03."
    return found if found.day == 1 else ("This is a day inside a month.", f"Write {found:%Y-%m}.")


def _periods(texts: Texts) -> Parsed:
    """Months, quarters and financial years, by their first day; a text that may be two of them is a fault.

    `2010-11` is November 2010, unless others in the column are years written in the same way (`2012-13`).
    """
    years = any(re.match(r"[0-9]{4}[-–][0-9]{2}\Z", text) and _covers(text) == 12 for text in texts)

    def period(text: str) -> date | Fault:
        both = periods.ambiguous(text) if years else None
        if both is not None:
            month, year = (periods.spoken(found.first, found.months) for found in both)
            written = periods.printed(both[1].first, both[1].months)
            return f"This may be {month} or {year}.", f"Write {written} for the year, {month} for the month."
        found = periods.parse(text) if text == text.strip() else None
        if found is None:
            fault = _month(text)
            return fault if isinstance(fault, date) else (fault[0], _PERIOD if "2024-03." in fault[1] else fault[1])
        return found.first if found.first.year in YEARS else (f"The year {found.first.year} cannot be right.", _PERIOD)

    return _each(texts, period, dtype="datetime64[us]")


_PERIOD = "Write a month as 2024-03, a quarter as 2024/25 Q1, a financial year as 2024/25."


def _covers(text: str) -> int:
    found = periods.parse(text)
    return 0 if found is None else found.months


def _lengthened(month: str, year: str) -> str:
    return f"20{year}-{_MONTHS[month.lower()]:02d}" if month.lower() in _MONTHS else "the month as 2024-03"


def _spoken(day: date) -> str:
    return f"{day.day} {calendar.month_name[day.month]} {day.year}"


_PARSERS: dict[str, Callable[[Texts, str], Parsed]] = {
    "text": _text,
    "whole": _whole,
    "number": _number,
    "date": _date,
    "yes_no": _yes_no,
}


def written(value: Any, *, kind: str, form: str) -> str:
    """A value as its cell in a CSV file: the inverse of `parse`.

    A day inside a month, a fraction in a whole-number column or a time of day is written out, so that reading it
    again finds the fault.
    """
    if isinstance(value, str):
        return value
    if kind == "yes_no" and isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if kind == "date" and isinstance(value, date):
        moment = pd.Timestamp(value)
        if moment != moment.normalize():
            return moment.isoformat(sep=" ")
        month = form in ("month", "period") and moment.day == 1
        return f"{moment:%Y-%m}" if month else f"{moment:%Y-%m-%d}"
    if isinstance(value, float | np.floating) and np.isfinite(value):
        return np.format_float_positional(value, trim="-")
    return str(value)


def quoted(text: str) -> str:
    """A cell as CSV holds it: in quotation marks where it needs them."""
    return '"' + text.replace('"', '""') + '"' if re.search('[",\r\n]', text) else text
