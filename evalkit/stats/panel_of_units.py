"""Units seen in the same periods, as a matrix: read from a long frame, refused by name where it does not fill one."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.stats import periods
from evalkit.stats.periods import NAMED, Floats, Start

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """N units by name over the same T periods in order of time: `values` is (N, T).

    `positions` counts steps from the first period, a step being the largest that fits all gaps (one month, one year),
    so that a period left out for everybody leaves a gap and not a shift. `moments` and `calendar` say the same in
    months since year 0, or in the whole numbers given.
    """

    units: list[Any]
    labels: list[Any]
    positions: NDArray[np.int64]
    values: Floats
    moments: NDArray[np.int64]
    calendar: bool

    @property
    def step(self) -> int:
        """How many months, or whole numbers, lie between two periods that follow each other."""
        return int(np.gcd.reduce(np.diff(self.moments)))

    def flags(self, chosen: Collection[Hashable], what: str = "treated") -> Flags:
        """(N,): which units are among the chosen; refuses names that no row bears."""
        if isinstance(chosen, str):
            raise ValueError(f"{what} must be a list or set of units; for one unit write [{chosen!r}].")
        wanted = frozenset(chosen)
        unknown = sorted(map(str, wanted - set(self.units)))
        if unknown:
            raise ValueError(f"No rows for the {what} {named(unknown)}. Write units as the frame does.")
        return np.array([unit in wanted for unit in self.units], dtype=bool)

    def first_after(self, start: Start) -> int:
        """The column of the first period at or after the start; the start lies after the first and by the last."""
        began, dated = periods.moments_of(pd.Series([pd.Timestamp(start) if isinstance(start, str) else start]))
        if dated != self.calendar:
            raise ValueError(f"start {start!r} and the times must be of one kind: both dates, or both whole numbers.")
        if not self.moments[0] < began[0] <= self.moments[-1]:
            first, last = periods.name(self.labels[0]), periods.name(self.labels[-1])
            raise ValueError(
                f"start {start!s} must come after the first period, {first}, and not after the last, {last}."
            )
        return int(np.searchsorted(self.moments, began[0]))


def read(frame: pd.DataFrame, outcome: str, unit: str, time: str) -> Panel:
    """A long frame, a row a unit and period, as a matrix of units by name and periods in order.

    `time` holds whole numbers, dates on the first of a month, or monthly Periods; `outcome` numbers. Periods may be
    left out, for every unit alike. Raises ValueError, naming units and periods: an absent column, rows without a unit
    or time, a unit and period twice, a unit without some period that others have, an outcome that is no finite number,
    fewer than two units or periods.

    >>> long = pd.DataFrame({"place": ["B", "A", "A", "B"], "year": [2020, 2021, 2020, 2021], "rate": [3.0, 2, 1, 4]})
    >>> panel = read(long, "rate", "place", "year")
    >>> panel.units, panel.labels, panel.values.tolist()
    (['A', 'B'], [2020, 2021], [[1.0, 2.0], [3.0, 4.0]])
    """
    absent = [column for column in (outcome, unit, time) if column not in frame.columns]
    if absent:
        raise ValueError(f"No column {', '.join(map(repr, absent))}; the frame has {', '.join(map(str, frame))}.")
    if frame[unit].isna().any():
        raise ValueError(
            f"{int(frame[unit].isna().sum())} rows name no unit in {unit!r}. Fill it in, or leave them out."
        )
    rows, units = _by_name(frame[unit])
    moments, calendar = periods.moments_of(frame[time])
    columns, when = _in_order(moments)
    if len(units) < 2 or len(when) < 2:
        raise ValueError(
            f"A comparison needs two units and two periods or more; the frame has {len(units)} and {len(when)}."
        )
    labels = _labels(frame[time], columns, len(when))
    _check_filled(rows, columns, units, labels)
    values = np.empty((len(units), len(when)))
    values[rows, columns] = _numbers(frame[outcome])
    _check_finite(values, units, labels, outcome)
    step = int(np.gcd.reduce(np.diff(when)))
    return Panel(units, labels, (when - when[0]) // step, values, when, calendar)


def one_each(frame: pd.DataFrame, column: str, unit: str, units: Sequence[Any]) -> pd.Series[Any]:
    """What a column says of each unit, in this order; refuses units of which it says two things.

    Blank in every row of a unit is one thing; blank in some and filled in others is two.

    >>> long = pd.DataFrame({"place": ["B", "A", "A", "B"], "began": [2021, None, None, 2021]})
    >>> one_each(long, "began", "place", ["A", "B"]).tolist()
    [nan, 2021.0]
    """
    if column not in frame.columns:
        raise ValueError(f"No column {column!r}; the frame has {', '.join(map(str, frame))}.")
    said, kinds = pd.factorize(frame[column], use_na_sentinel=True)
    of_unit = pd.Index(units).get_indexer(pd.Index(frame[unit]))
    low, high = np.full(len(units), len(kinds)), np.full(len(units), -2)
    np.minimum.at(low, of_unit, said)
    np.maximum.at(high, of_unit, said)
    torn = [str(units[int(row)]) for row in np.flatnonzero(low != high)]
    if torn:
        raise ValueError(f"{column!r} must say the same in every row of a unit; it does not in {named(torn)}.")
    first = np.zeros(len(units), dtype=np.intp)
    first[of_unit] = np.arange(len(frame))
    return frame[column].iloc[first].reset_index(drop=True)


def named(those: Sequence[object]) -> str:
    """The first ten, and how many more.

    >>> named(list("ABCDEFGHIJKL"))
    'A, B, C, D, E, F, G, H, I, J and 2 more'
    """
    rest = f" and {len(those) - NAMED} more" if len(those) > NAMED else ""
    return ", ".join(str(each) for each in those[:NAMED]) + rest


def _by_name(column: pd.Series[Any]) -> tuple[NDArray[np.intp], list[Any]]:
    """The row of the matrix for each row of the frame, and the units in order of their names."""
    codes, found = pd.factorize(column)
    units = list(found)
    order = sorted(range(len(units)), key=lambda place: str(units[place]))
    rank = np.empty(len(units), dtype=np.intp)
    rank[order] = np.arange(len(units))
    return rank[codes], [units[place] for place in order]


def _in_order(moments: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    codes, found = pd.factorize(moments)
    when = np.sort(found)
    return np.searchsorted(when, found)[codes], when


def _labels(times: pd.Series[Any], columns: NDArray[np.intp], n: int) -> list[Any]:
    """Periods as the frame writes them."""
    where = np.zeros(n, dtype=np.intp)
    where[columns] = np.arange(len(columns))
    found: list[Any] = times.iloc[where].tolist()
    return found


def _check_filled(rows: NDArray[np.intp], columns: NDArray[np.intp], units: list[Any], labels: list[Any]) -> None:
    """Each unit has each period once: else units would be compared over different times of year."""
    seen = np.bincount(rows * len(labels) + columns, minlength=len(units) * len(labels)).reshape(len(units), -1)
    if (seen == 1).all():
        return
    if (seen > 1).any():
        raise ValueError(
            f"These units have a period more than once: {_where(seen > 1, units, labels)}. Give one row a unit and "
            "period."
        )
    raise ValueError(
        f"Periods that other units have are missing in {_where(seen == 0, units, labels)}. Nothing is filled in here: "
        "leave those periods out for every unit, or leave the unit out and say so."
    )


def _check_finite(values: Floats, units: list[Any], labels: list[Any], outcome: str) -> None:
    wrong = ~np.isfinite(values)
    if wrong.any():
        raise ValueError(
            f"No finite number in {outcome!r} for {_where(wrong, units, labels)}. Nothing is filled in here: leave "
            "those periods out for every unit, or leave the unit out and say so."
        )


def _numbers(column: pd.Series[Any]) -> Floats:
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        raise ValueError(f"Column {column.name!r} must hold numbers, not {column.dtype}.")
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _where(wrong: Flags, units: list[Any], labels: list[Any]) -> str:
    """Units with the periods concerned, the first ten of each."""
    return named(
        [
            f"{units[row]} ({named([_period(labels[column]) for column in np.flatnonzero(wrong[row])])})"
            for row in np.flatnonzero(wrong.any(axis=1))
        ]
    )


def _period(label: Any) -> str:
    return periods.name(label) if isinstance(label, (date, pd.Period)) else str(label)
