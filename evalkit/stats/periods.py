"""One series as periods in order: read from a frame, refused by name where it has gaps in sense."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Family = Literal["normal", "poisson", "quasipoisson", "negative_binomial"]
Start = int | str | date | pd.Period

NAMED = 10
"""How many periods an error names before it counts the rest."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How dates or numbers become positions: the first moment, the step between periods, and whether they are dates."""

    first: int
    step: int
    calendar: bool

    def position(self, moment: Start, called: str) -> float:
        """Where a date or number lies on the scale of the positions; it need not be one of the periods."""
        found, dated = moments_of(pd.Series([pd.Timestamp(moment) if isinstance(moment, str) else moment]))
        if dated != self.calendar:
            raise ValueError(f"{called} {moment!r} and the times must be of one kind: both dates, or both numbers.")
        return float((found[0] - self.first) / self.step)


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """One series in order of time. `positions` counts periods from the first; `months` is None without a calendar.

    `reference` is what the comparison series says, period by period: its rate for counts, its value otherwise; None
    without one. `clock` is None only for series that nobody reads dates into.
    """

    labels: pd.Series[Any]
    positions: NDArray[np.int64]
    months: NDArray[np.int64] | None
    outcome: Floats
    exposure: Floats
    family: Family
    reference: Floats | None = None
    clock: Clock | None = None

    def only(self, kept: NDArray[np.bool_]) -> Points:
        """The series at some of its periods."""
        return replace(
            self,
            labels=self.labels[kept].reset_index(drop=True),
            positions=self.positions[kept],
            months=None if self.months is None else self.months[kept],
            outcome=self.outcome[kept],
            exposure=self.exposure[kept],
            reference=None if self.reference is None else self.reference[kept],
        )

    @property
    def base(self) -> Floats:
        """What the line is fitted against: denominators times the comparison's rate, or the comparison's values."""
        if self.family == "normal":
            return np.zeros(len(self.outcome)) if self.reference is None else self.reference
        return self.exposure if self.reference is None else self.exposure * self.reference


def read(
    frame: pd.DataFrame,
    outcome: str,
    time: str,
    start: Start,
    offset: str | None,
    family: Family,
    comparison: str | None = None,
    comparison_offset: str | None = None,
) -> tuple[Points, float]:
    """The checked series in order of time, and the start on the scale of its positions."""
    columns = [outcome, time, *(each for each in (offset, comparison, comparison_offset) if each is not None)]
    absent = [column for column in columns if column not in frame.columns]
    if absent:
        raise ValueError(f"No column {', '.join(map(repr, absent))}; the frame has {', '.join(map(str, frame))}.")
    if len(frame) < 2:
        raise ValueError(f"A series needs periods before and after the start; the frame has {len(frame)} rows.")
    moments, calendar = moments_of(frame[time])
    order = np.argsort(moments, kind="stable")
    labels, moments = frame[time].iloc[order].reset_index(drop=True), moments[order]
    refuse(labels[np.r_[False, np.diff(moments) == 0]], "occur more than once", "Give one row a period.")
    exposure = _denominators(frame, offset, order, labels)
    values = _outcome(frame, outcome, order, labels, family)
    reference = None
    if comparison is not None:
        reference = _outcome(frame, comparison, order, labels, family)
        if family != "normal":
            refuse(labels[reference == 0], f"have no events in {comparison!r}", "No ratio to nothing: take quarters.")
            reference = reference / _denominators(frame, comparison_offset, order, labels)
        if np.allclose(values / exposure, reference, rtol=1e-12, atol=0):
            raise ValueError(
                f"{comparison!r} is the series itself in every period, so there is no scatter to judge by."
            )
    clock = Clock(int(moments[0]), int(np.gcd.reduce(np.diff(moments))), calendar)
    positions = (moments - moments[0]) // clock.step
    begins = clock.position(start, "start")
    if not 0 < begins <= positions[-1]:
        first, last = name(labels.iloc[0]), name(labels.iloc[-1])
        raise ValueError(f"start {start!s} must come after the first period, {first}, and not after the last, {last}.")
    months = moments % 12 + 1 if calendar else None
    return Points(labels, positions, months, values, exposure, family, reference, clock), begins


def _denominators(frame: pd.DataFrame, column: str | None, order: NDArray[np.int64], labels: pd.Series[Any]) -> Floats:
    if column is None:
        return np.ones(len(frame))
    exposure = _numbers(frame[column], order, labels)
    refuse(labels[exposure <= 0], f"have a {column!r} that is not above zero", "A rate needs a denominator.")
    return exposure


def _outcome(
    frame: pd.DataFrame, column: str, order: NDArray[np.int64], labels: pd.Series[Any], family: Family
) -> Floats:
    values = _numbers(frame[column], order, labels)
    if family != "normal":
        wrong = (values < 0) | (values != np.round(values))
        refuse(labels[wrong], f"have a {column!r} that is not a count", "Use family='normal' for other measures.")
    return values


def moments_of(times: pd.Series[Any]) -> tuple[NDArray[np.int64], bool]:
    """Whole numbers that count months or periods, and whether they are calendar months."""
    if times.isna().any():
        raise ValueError(f"{int(times.isna().sum())} rows have no time. Fill it in, or leave those rows out.")
    if pd.api.types.is_integer_dtype(times):
        return times.to_numpy(dtype=np.int64), False
    if pd.api.types.is_float_dtype(times) and (times == times.round()).all():  # years of a file with decimals
        return times.to_numpy(dtype=np.int64), False
    if times.dtype == object:
        kind = pd.api.types.infer_dtype(times)
        if kind == "period":
            times = pd.Series(pd.PeriodIndex(times))
        elif kind in ("date", "datetime", "datetime64"):
            times = pd.Series(pd.to_datetime(times))
    if isinstance(times.dtype, pd.PeriodDtype):
        if str(times.dtype) != "period[M]":
            raise ValueError(f"Periods must be months, not {times.dtype}. Number other periods 1, 2, 3 and so on.")
        times = times.dt.to_timestamp()
    if not pd.api.types.is_datetime64_any_dtype(times):
        raise ValueError("Times must be dates, monthly Periods or whole numbers, all of one kind.")
    refuse(times[times.dt.day != 1], "do not start a month", "Give each month as its first day.")
    return (times.dt.year * 12 + times.dt.month - 1).to_numpy(dtype=np.int64), True


def _numbers(column: pd.Series[Any], order: NDArray[np.int64], labels: pd.Series[Any]) -> Floats:
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        raise ValueError(f"Column {column.name!r} must hold numbers, not {column.dtype}.")
    values = column.iloc[order].to_numpy(dtype=np.float64, na_value=np.nan)
    refuse(
        labels[~np.isfinite(values)],
        f"have no {column.name!r}",
        "Nothing is filled in here: leave those periods out, gaps are allowed.",
    )
    return values


def refuse(periods: pd.Series[Any], wrong: str, remedy: str) -> None:
    """Raise, naming the periods, if there are any."""
    if len(periods):
        rest = f" and {len(periods) - NAMED} more" if len(periods) > NAMED else ""
        raise ValueError(f"These periods {wrong}: {', '.join(map(name, periods[:NAMED]))}{rest}. {remedy}")


def name(label: Any) -> str:
    """A period as people write it in an error."""
    return f"{label:%Y-%m}" if isinstance(label, (date, pd.Period)) else str(label)
