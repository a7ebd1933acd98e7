"""A frame of answers made ready for a mixed model: gaps are named, words become contrasts, and order is set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Codes = NDArray[np.intp]

NAMED = 5
"""How many rows or people an error names before it counts the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The rows with an outcome, everything else about them known; `missing` had none."""

    frame: pd.DataFrame
    outcome: Numbers
    missing: int


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A column as terms: names, values (rows x terms), and the level they are contrasts to ("" for numbers)."""

    terms: tuple[str, ...]
    values: Numbers
    reference: str


def kept(frame: pd.DataFrame, *, outcome: str, others: Sequence[str]) -> Kept:
    """Rows with an outcome. ValueError for unknown or repeated columns, and rows in which something else is missing."""
    named = [outcome, *others]
    unknown = [name for name in named if name not in frame.columns]
    if unknown:
        raise ValueError(f"The frame has no column {listed(unknown)}; it has {listed(list(frame.columns), 20)}.")
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise ValueError(f"{listed(twice)} is asked for twice; each column can be one thing only.")
    answers = numbers(frame[outcome], "outcome")
    here = ~np.isnan(answers)
    if not here.any():
        raise ValueError(f"No row has an outcome: {outcome} is missing in all {len(frame)} rows.")
    known = frame.loc[here, named]
    for name in others:
        gaps = known[name].isna().to_numpy()
        if gaps.any():
            rows = listed(known.index[gaps].tolist())
            raise ValueError(f"{name} is missing in {int(gaps.sum())} rows with an outcome: {rows}. Fill or leave out.")
    return Kept(known, answers[here], int((~here).sum()))


def numbers(column: pd.Series[Any], role: str) -> Numbers:
    """The column as numbers, NaN for missing; ValueError for words and infinite values."""
    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column)
    try:
        values = column.to_numpy(dtype=float, na_value=np.nan) if numeric or column.dtype == object else None
    except (TypeError, ValueError):
        values = None
    if values is None:
        raise ValueError(f"{role} must be numbers; {column.name} holds {column.dtype}. Turn dates or words to numbers.")
    endless = np.isinf(values)
    if endless.any():
        raise ValueError(f"{column.name} is infinite in rows {listed(column.index[endless].tolist())}.")
    return values


def coded(column: pd.Series[Any], name: str) -> Coded:
    """Numbers as they are under their own name; anything else as treatment contrasts, `name[T.level]`.

    The reference is the first category of a categorical (of those found), else the first in sorted order. True and
    False are words here, so that their term says which of them it is.
    """
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return Coded((name,), numbers(column, name)[:, None], "")
    codes, found = pd.factorize(column)
    ordered = isinstance(column.dtype, pd.CategoricalDtype)
    levels = [level for level in column.cat.categories if level in found] if ordered else _sorted(found)
    if len(levels) < 2:
        raise ValueError(f"Every row has {levels[0]} as {name}; a comparison needs two.")
    place = {level: number for number, level in enumerate(levels)}
    codes = np.array([place[level] for level in found])[codes]
    values = (codes[:, None] == np.arange(1, len(levels))).astype(float)
    return Coded(tuple(f"{name}[T.{level}]" for level in levels[1:]), values, str(levels[0]))


def _sorted(values: Iterable[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=str)


def require_of_person(column: pd.Series[Any], person: Codes, names: Sequence[Hashable]) -> None:
    """ValueError naming people for whom this column changes between rows."""
    codes, _ = pd.factorize(column)
    first = np.empty(len(names), dtype=np.intp)
    first[person[::-1]] = codes[::-1]
    differs = np.unique(person[codes != first[person]])
    if len(differs):
        people = listed([names[code] for code in differs])
        raise ValueError(
            f"{column.name} changes between the rows of one person: {people}. Give each person one value "
            "(what was so at the start)."
        )


def require_nested(person: Codes, team: Codes, names: Sequence[Hashable]) -> Codes:
    """The team of each person; ValueError naming people found in two."""
    first = np.empty(len(names), dtype=np.intp)
    first[person[::-1]] = team[::-1]
    differs = np.unique(person[team != first[person]])
    if len(differs):
        people = listed([names[code] for code in differs])
        raise ValueError(
            f"Found in more than one team: {people}. People are taken as nested in teams; give each the team of the "
            "start, or leave team out."
        )
    return first


def require_once(person: Codes, time: Numbers, names: Sequence[Hashable]) -> Codes:
    """The order of rows by person and time; ValueError naming people with two rows at one time."""
    same = np.diff(person) == 0
    if (np.diff(person) >= 0).all() and (np.diff(time)[same] > 0).all():
        return np.arange(len(person))
    order = np.lexsort((time, person))
    twice = (np.diff(person[order]) == 0) & (np.diff(time[order]) == 0)
    if twice.any():
        people = listed([names[code] for code in np.unique(person[order][1:][twice])])
        raise ValueError(f"More than one row at one time: {people}. Keep one answer a person and time.")
    return order


def patterns(time: Numbers, starts: Codes) -> Codes:
    """A number for each person, the same for people with the same times. Rows are sorted by person and time."""
    codes, distinct = pd.factorize(time)
    if len(distinct) > 50:  # beyond what a mask in one float holds, and hardly anybody shares times
        return np.arange(len(starts))
    masks = np.add.reduceat(2.0**codes, starts)
    return np.asarray(pd.factorize(masks)[0], dtype=np.intp)


def listed(names: Sequence[Hashable], most: int = NAMED) -> str:
    """The first few, and how many more.

    >>> listed(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    said = ", ".join(str(name) for name in names[:most])
    return said if len(names) <= most else f"{said} and {len(names) - most} more"
