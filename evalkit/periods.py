"""The periods UK statistics are given in: months, quarters and financial years, read from text and written back.

What `parse` reads, and nothing else (capitals and extra spaces are no matter; `–` counts as `-`):

- a month: `2024-03`, `March 2024`, `Mar 2024`;
- a quarter of the financial year, Q1 being April to June: `2024/25 Q1`, `2024-25 Q1`, `Q1 2024/25`;
- a financial year, April to March: `2024/25`, `2024-25`, `2024/2025`, `2024-2025`, each also after `FY`;
- three or twelve months that are none of these: `2024-01 to 2024-12`.

`2010-11` is a month and a financial year at once: `parse` reads November 2010, and `ambiguous` gives both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, get_args

Style = Literal["nhs", "ons"]
"""How a financial year is written: `2024/25` (nhs) or `2024-25` (ons)."""

DAYS_A_MONTH = 365.25 / 12
"""Days in a month, on average."""

LENGTHS = (1, 3, 12)
"""The months a period may have: a month, a quarter, a year."""

# not calendar.month_name, which follows the computer's language
_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_MONTHS = {name.lower(): number for number, name in enumerate(_NAMES, start=1)}
_MONTHS |= {name[:3]: number for name, number in _MONTHS.items()} | {"sept": 9}

_YEAR = r"(?:fy ?)?(?P<year>\d{4})[/-](?P<next>\d{4}|\d{2})"
_IN_NUMBERS = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})")
_IN_WORDS = re.compile(r"(?P<name>[a-z]+) (?P<year>\d{4})")
_QUARTER = re.compile(rf"{_YEAR} q(?P<quarter>[1-4])")
_QUARTER_FIRST = re.compile(rf"q(?P<quarter>[1-4]) {_YEAR}")
_FINANCIAL = re.compile(_YEAR)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A month, a quarter or a year, by its first day and its number of months.

    >>> Period(date(2024, 4, 1), 3).last
    datetime.date(2024, 6, 30)
    """

    first: date
    months: int

    def __post_init__(self) -> None:
        if isinstance(self.first, datetime):  # a pandas Timestamp too; it would never equal the same plain date
            object.__setattr__(self, "first", self.first.date())
        if self.first.day != 1:
            raise ValueError(f"A period starts on the first of a month, not on {self.first}. Give its first day.")
        if self.months not in LENGTHS:
            raise ValueError(f"A period has 1, 3 or 12 months, not {self.months}.")

    @property
    def last(self) -> date:
        """The last day."""
        return _later(self.first, self.months) - timedelta(days=1)


def parse(text: str) -> Period | None:
    """The period this text names; None when it names none. The forms are listed at the head of this module.

    >>> parse("2024-25 Q1")
    Period(first=datetime.date(2024, 4, 1), months=3)
    >>> parse("Mar 2024") == parse("2024-03")
    True
    >>> parse("spring 2024") is None
    True
    """
    plain = _plain(text)
    opening, to, closing = plain.partition(" to ")
    if to:
        return _span(_month(opening), _month(closing))
    return _month(plain) or _quarter(plain) or _financial(plain)


def ambiguous(text: str) -> tuple[Period, Period] | None:
    """Both readings, the month and the financial year, of a text that could be either; None for any other text.

    >>> [printed(period.first, period.months) for period in ambiguous("2010-11")]
    ['2010-11', '2010/11']
    >>> ambiguous("2024-25") is None
    True
    """
    month, year = _month(_plain(text)), _financial(_plain(text))
    return (month, year) if month and year else None


def printed(first: date, months: int, *, style: Style = "nhs") -> str:
    """The period in the one form it is written in; `parse` reads it back as the same period.

    In the style `ons` a financial year that could be taken for a month is written in full: `2010-2011`.

    >>> printed(date(2024, 4, 1), 1), printed(date(2024, 4, 1), 3), printed(date(2024, 4, 1), 12)
    ('2024-04', '2024/25 Q1', '2024/25')
    >>> printed(date(2024, 4, 1), 3, style="ons"), printed(date(2024, 4, 1), 12, style="ons")
    ('2024-25 Q1', '2024-25')
    >>> printed(date(2024, 1, 1), 12)
    '2024-01 to 2024-12'
    """
    if style not in get_args(Style):
        raise ValueError(f"Periods are not written in the style {style!r}. Write 'nhs' or 'ons'.")
    period = Period(first, months)
    if months == 1:
        return f"{first:%Y-%m}"
    if months == 3 and first.month % 3 == 1:
        return _with_dash(quarter(first), style)
    if months == 12 and first.month == 4:
        year = _with_dash(financial_year(first), style)
        return f"{first.year}-{first.year + 1}" if ambiguous(year) else year
    return f"{first:%Y-%m} to {period.last:%Y-%m}"


def spoken(first: date, months: int) -> str:
    """The period as it stands in a sentence.

    >>> spoken(date(2024, 4, 1), 1), spoken(date(2024, 4, 1), 3)
    ('April 2024', 'April to June 2024')
    >>> spoken(date(2024, 4, 1), 12)
    'the year from April 2024 to March 2025'
    """
    last = Period(first, months).last
    opening, closing = _NAMES[first.month - 1], f"{_NAMES[last.month - 1]} {last.year}"
    if months == 1:
        return closing
    if months == 12:
        return f"the year from {opening} {first.year} to {closing}"
    return f"{opening} to {closing}" if first.year == last.year else f"{opening} {first.year} to {closing}"


def financial_year(day: date) -> str:
    """The financial year a day lies in, 1 April to 31 March.

    >>> financial_year(date(2024, 3, 31)), financial_year(date(2024, 4, 1)), financial_year(date(1999, 4, 1))
    ('2023/24', '2024/25', '1999/00')
    """
    began = day.year if day.month >= 4 else day.year - 1
    return f"{began:04}/{(began + 1) % 100:02}"


def quarter(day: date) -> str:
    """The quarter of the financial year a day lies in.

    >>> quarter(date(2024, 3, 31)), quarter(date(2024, 4, 1))
    ('2023/24 Q4', '2024/25 Q1')
    """
    return f"{financial_year(day)} Q{(day.month - 4) % 12 // 3 + 1}"


def _plain(text: str) -> str:
    """Small letters, single spaces, plain hyphens."""
    return " ".join(re.sub("[‐‑–]", "-", text).lower().split())


def _month(text: str) -> Period | None:
    if found := _IN_NUMBERS.fullmatch(text):
        return _starting(int(found["year"]), int(found["month"]), 1)
    if found := _IN_WORDS.fullmatch(text):
        return _starting(int(found["year"]), _MONTHS.get(found["name"], 0), 1)
    return None


def _quarter(text: str) -> Period | None:
    found = _QUARTER.fullmatch(text) or _QUARTER_FIRST.fullmatch(text)
    year = found and _year(found)
    return Period(_later(year.first, 3 * (int(found["quarter"]) - 1)), 3) if found and year else None


def _financial(text: str) -> Period | None:
    found = _FINANCIAL.fullmatch(text)
    return _year(found) if found else None


def _year(found: re.Match[str]) -> Period | None:
    """The financial year whose second half is the year after its first: `2024/26` is none."""
    began, following = int(found["year"]), found["next"]
    return _starting(began, 4, 12) if f"{began + 1}".endswith(following) else None


def _span(opening: Period | None, closing: Period | None) -> Period | None:
    if opening is None or closing is None:
        return None
    first, last = opening.first, closing.first
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    return Period(first, months) if months in LENGTHS else None


def _starting(year: int, month: int, months: int) -> Period | None:
    """None for a thirteenth month, and for a year so far off that it is a slip."""
    return Period(date(year, month, 1), months) if 1900 <= year < 2200 and 1 <= month <= 12 else None


def _later(first: date, months: int) -> date:
    years, month = divmod(first.month - 1 + months, 12)
    return date(first.year + years, month + 1, 1)


def _with_dash(text: str, style: Style) -> str:
    return text.replace("/", "-") if style == "ons" else text


def months_between(first: date, last: date) -> int:
    """Months from one day to another, to the nearest whole one.

    >>> months_between(date(2024, 4, 1), date(2025, 10, 20))
    19
    """
    return round((last - first).days / DAYS_A_MONTH)
