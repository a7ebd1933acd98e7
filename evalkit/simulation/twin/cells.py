"""What may stand in each column of a twin, and tables drawn from that: held to the rules of their own models."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_schemas.tables import references, schema
from evalkit.reading.reads import about, form_of, missing
from evalkit.simulation.twin.cast import Cast, named
from evalkit.simulation.twin.shape import STEP, Shape, allowed

WORDS = 4
"""Invented words to a column of local words, more where a table needs more different rows."""

GAPS = 0.1
"""Share of cells left blank where a cell may be: code that reads the twin must bear gaps."""

ENDED = 0.7
"""The same in columns that say that something ended."""

ENDS = ("left", "end", "ends_on", "valid_to", "resolved_on")
TRIES = 40
"""How often a row that breaks a rule of its table is drawn again."""

NUMBERS: Mapping[tuple[str, str], tuple[int, int]] = {
    ("places", "population"): (5000, 50_000),
    ("organisations", "workforce"): (100, 5000),
    ("attendance", "minutes"): (15, 120),
    ("burden", "minutes"): (5, 30),
    ("sessions", "hours"): (1, 7),
    ("pdsa", "number"): (1, 4),
    ("costs", "confidence"): (1, 5),
    ("benefits", "confidence"): (1, 5),
}
"""Ends of invented numbers; elsewhere they go from the least the column allows, or 1, a hundred up."""

IN_ORDER = (("low", "estimate", "high"), ("low", "amount", "high"))

Values = NDArray[np.object_]


def distinct(choices: Sequence[Sequence[Any]], wanted: int, rng: np.random.Generator) -> list[Values]:
    """Different rows, one value of each list to a row: as many as are wanted, or as there are.

    >>> [len(column) for column in distinct([["a", "b"], [1, 2, 3]], 10, np.random.default_rng(1))]
    [6, 6]
    """
    every = min(math.prod(len(values) for values in choices), 2**62)
    row = rng.choice(every, size=min(wanted, every), replace=False)
    columns = []
    for values in choices:
        row, at = np.divmod(row, len(values))
        columns.append(_values(values)[at])
    return columns


@dataclass(frozen=True)
class Cells:
    """The columns of one twin. `measures`: ids a column in words may name; `forms`: of each observed feature."""

    shape: Shape
    cast: Cast
    measures: tuple[str, ...]
    forms: Mapping[str, tuple[str, ...]]

    @cached_property
    def days(self) -> Values:
        """Every day on which something may have happened."""
        return _values(list(pd.date_range(*self.shape.days, unit="us")))

    @cached_property
    def years(self) -> list[str]:
        """The financial years of those days."""
        first, last = ((day - pd.DateOffset(months=3)).year for day in map(pd.Timestamp, self.shape.days))
        return [f"{year}/{(year + 1) % 100:02d}" for year in range(first, last + 1)]

    def choices(self, table: str, column: str, rows: int, words: int = WORDS) -> Sequence[Any]:
        """What a cell may hold: one of these, each as likely as the other."""
        kind, _ = form_of(table, column)
        targets = references(table).get(column)
        if (table, column) in self.shape.words:
            return self.shape.words[table, column]
        if targets:
            return self.cast.of(targets)
        if allowed(table, column):
            return allowed(table, column)
        if kind == "text":
            return self._texts(table, column, rows, words)
        if kind == "date":
            return list(self.days)
        return (True, False) if kind == "yes_no" else _numbers(table, column)

    def _texts(self, table: str, column: str, rows: int, words: int) -> Sequence[str]:
        said = schema(table).columns[column]
        if column == "measure":
            return self.measures
        if column in ("year", "price_year"):
            return self.years
        if column == "ods_code":
            return [f"TWIN{number:05d}" for number in range(1, rows + 1)]
        if column == next(iter(schema(table).columns)) and said.unique:
            return self.cast.ids(table)
        if column.endswith("_id"):
            return named(column.removesuffix("_id"), max(1, rows // 2))
        if column == "coder":
            return [f"twin_coder_{number}" for number in range(1, max(2, words // 2) + 1)]
        if about(table, column)["form"] == "prose":
            return [_prose(column, str(said.title), number) for number in range(1, rows + 1)]
        return [f"word {number}" for number in range(1, words + 1)]

    def table(
        self, name: str, rows: int, rng: np.random.Generator, known: Mapping[str, Sequence[Any]] | None = None
    ) -> pd.DataFrame:
        """A table of so many rows, fewer where there are not so many different ones; `known` columns are given."""
        given = {column: _values(values) for column, values in (known or {}).items()}
        first = next(iter(schema(name).columns))
        if not given and schema(name).columns[first].unique and self.shape.rows.get(name) == rows:
            given = {first: _values(self.choices(name, first, rows))}
        keys = [key for key in schema(name).unique or [] if key in self.shape.columns[name]]
        if keys and not given:
            given = dict(zip(keys, self._keys(name, keys, rows, rng), strict=True))
        size = len(next(iter(given.values()))) if given else rows
        frame = self._right(name, given, size, rng)
        kept = min(rows, len(frame))
        return frame.head(kept if known else kept - kept % STEP).reset_index(drop=True)

    def _keys(self, table: str, keys: list[str], rows: int, rng: np.random.Generator) -> list[Values]:
        """Different keys, half as many again as are needed for rows that break a rule; more words until they do."""
        wanted, words = rows + rows // 2 + 10, WORDS
        while True:
            choices = [self.choices(table, key, wanted, words) for key in keys]
            if math.prod(map(len, choices)) >= wanted or words > rows:
                return distinct(choices, wanted, rng)
            words *= 2

    def _right(self, table: str, given: Mapping[str, Values], size: int, rng: np.random.Generator) -> pd.DataFrame:
        """Rows that break no rule of their table: those that do are drawn again, at last without gaps, or left out."""
        frame = self._drawn(table, given, np.arange(size), GAPS, rng)
        for attempt in range(TRIES):
            broken = np.flatnonzero(~keeps_rules(table, frame))
            if not len(broken):
                return frame
            part = {column: values[broken] for column, values in given.items()}
            again = self._drawn(table, part, broken, GAPS if attempt < TRIES // 2 else 0.0, rng)
            kept = frame.drop(index=broken.tolist())
            frame = pd.concat([kept, again.set_axis(broken)]).sort_index()
        return frame[keeps_rules(table, frame)]

    def _drawn(
        self, table: str, given: Mapping[str, Values], at: NDArray[np.intp], gaps: float, rng: np.random.Generator
    ) -> pd.DataFrame:
        """The rows at these positions: days go forward in the order of the columns, low numbers come before high."""
        columns: dict[str, Values] = {}
        latest = np.full(len(at), 0)
        for name in self.shape.columns[table]:
            if name in given:
                columns[name] = given[name]
                continue
            columns[name], latest = self._column(table, name, columns, at, latest, rng)
            columns[name][self._blank(table, name, at, gaps, rng)] = None
        for names in IN_ORDER:
            _sort({name: columns[name] for name in names if name in columns})
        return framed(table, columns)

    def _column(
        self, table: str, name: str, so_far: Mapping[str, Values], at: NDArray[np.intp], latest: Any, rng: Any
    ) -> tuple[Values, Any]:
        kind, form = form_of(table, name)
        if (table, name) == ("observations", "form"):
            return _values([rng.choice(self.forms[feature]) for feature in so_far["feature"]]), latest
        if kind == "date":
            day = rng.integers(latest, len(self.days))
            return self.days[day], day
        choices = self.choices(table, name, int(at.max(initial=0)) + 1)
        own = (form == "prose" and name != "measure") or name == "ods_code"
        return _values(choices)[at if own else rng.integers(0, len(choices), len(at))], latest

    def _blank(
        self, table: str, name: str, at: NDArray[np.intp], gaps: float, rng: np.random.Generator
    ) -> NDArray[np.bool_]:
        """Which cells are left blank: none in the first row, nor where something refers to who or what it is about."""
        said = about(table, name)
        may = schema(table).columns[name].nullable and (not said["refers"] or said["for_all"])
        share = (ENDED if name in ENDS and gaps else gaps) if may else 0.0
        return np.asarray((rng.random(len(at)) < share) & (at > 0), dtype=bool)


def framed(table: str, columns: Mapping[str, Any]) -> pd.DataFrame:
    """Plain values as the table's typed columns; columns that hold nothing are there, and blank."""
    size = len(next(iter(columns.values())))
    types: dict[str, Any] = {
        "text": "str",
        "whole": "Int64",
        "number": "float64",
        "date": "datetime64[us]",
        "yes_no": "boolean",
    }
    made = {}
    for name in schema(table).columns:
        if name in columns:
            values = pd.Series(columns[name], dtype="object")
            made[name] = values.where(values.notna(), None).astype(types[form_of(table, name)[0]])
        else:
            made[name] = pd.Series(missing(table, name).take(np.zeros(size, dtype="int64")))
    return pd.DataFrame(made)


def keeps_rules(table: str, frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows break none of the rules the table's model has over whole rows."""
    right = np.ones(len(frame), dtype=bool)
    for rule in schema(table).checks:
        right &= np.asarray(rule(frame).check_output.fillna(False), dtype=bool)
    return right


def _numbers(table: str, column: str) -> range:
    """Whole numbers a column allows, be they counts or measured."""
    ends = {key: value for check in schema(table).columns[column].checks for key, value in check.statistics.items()}
    low = int(ends.get("min_value", 1))
    low, high = NUMBERS.get((table, column), (low, int(ends.get("max_value", max(low, 1) + 100))))
    return range(low, high + 1)


def _prose(column: str, title: str, number: int) -> str:
    if column == "text":
        return f"FICTIONAL: text number {number}, invented in place of what somebody said."
    return f"{title} {number} (FICTIONAL)"


def _sort(columns: Mapping[str, Values]) -> None:
    """The numbers of each row in order, where all are there."""
    if len(columns) > 1:
        together = np.array(list(columns.values()), dtype=object).T
        full = np.array([all(value is not None for value in row) for row in together], dtype=bool)
        together[full] = np.sort(together[full].astype(float), axis=1)
        for name, values in zip(columns, together.T, strict=True):
            columns[name][:] = values


def _values(values: Sequence[Any] | Values) -> Values:
    """Any values as an array of objects, days not turned into numbers."""
    found = np.empty(len(values), dtype=object)
    found[:] = list(values)
    return found
