"""The half years of a programme, counted from the day it began, and cut to the time an answer speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import words

if TYPE_CHECKING:
    from evalkit.programme import Programme
    from evalkit.register import Window

HALF = 6
"""Months of a half year, counted from the day the programme began."""


@dataclass(frozen=True, slots=True)
class HalfYear:
    """Six months counted from the start (the first is number 1; 0 is all before it), cut to the window."""

    number: int
    first: date
    last: date
    whole: bool

    @property
    def label(self) -> str:
        """How it is called in a table and on a chart.

        >>> HalfYear(2, date(2024, 10, 1), date(2025, 3, 31), True).label
        'Months 7 to 12, from October 2024'
        """
        months = f"Months {HALF * (self.number - 1) + 1} to {HALF * self.number}" if self.number else "Before the start"
        return f"{months}, from {words.month(self.first)}{'' if self.whole else ' (part)'}"

    def holds(self, days: pd.Series[Any]) -> pd.Series[bool]:
        """Which of these days lie in it."""
        return days.between(pd.Timestamp(self.first), pd.Timestamp(self.last))


def half_years(programme: Programme, days: pd.Series[Any], window: Window) -> list[HalfYear]:
    """The half years since the programme began that the window covers, also those in which none of these days lies.

    Where nobody recorded the start they are counted from the first of the days.
    """
    first, until = days.min(), pd.Timestamp(window.until)
    start = pd.Timestamp(programme.starts_on or first)
    opens = min(start, first) if window.since is None else pd.Timestamp(window.since)
    found = []
    if opens < start:
        eve = min(start - pd.Timedelta(days=1), until)
        found.append(HalfYear(0, opens.date(), eve.date(), True))
    number = 1
    while (begins := start + pd.DateOffset(months=HALF * (number - 1))) <= until:
        ends = start + pd.DateOffset(months=HALF * number) - pd.Timedelta(days=1)
        if ends >= opens:
            whole = opens <= begins and ends <= until
            found.append(HalfYear(number, max(begins, opens).date(), min(ends, until).date(), whole))
        number += 1
    return found
