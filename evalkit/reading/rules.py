"""Rules inside a table: those of its Pandera model, each broken one named at its row and column.

A model's checks of single values are asked once for every distinct value, its rules over rows of the whole frame, and
its unique keys of codes: the same answers as Pandera's own `validate` (a test holds them to it), in less time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pandera.pandas as pa
from numpy.typing import NDArray

from data_schemas.catalogues import close_to
from data_schemas.tables import schema
from evalkit.reading.problems import Problems
from evalkit.reading.reads import Mask, Read, about

MOST_CODES = 2**62
"""Beyond this the codes of several columns do not fit into one whole number any more."""


def check_table(read: Read, problems: Problems) -> None:
    """Every rule of the table's own model. Rules that need a column the file lacks are passed over."""
    for name, column in schema(read.table).columns.items():
        if name in read.absent:
            continue
        if not column.nullable:
            blank = ~read.given(name)
            report(read, blank, name, "The cell is blank, and this column needs a value.", "", problems)
        for check in column.checks:
            _check_column(read, name, check, problems)
    _check_rows(read, problems)
    _check_repeats(read, problems)


def report(read: Read, broken: Mask, column: str, problem: str, remedy: str, problems: Problems) -> None:
    """One problem in every broken cell of a column; without a remedy, the column's own."""
    found = np.flatnonzero(broken)
    if len(found):
        values = read.frame[column].iloc[found]
        problems.add_cells(
            read.cells(found, column), problem, remedy or about(read.table, column)["remedy"], values=values
        )


def _check_column(read: Read, name: str, check: pa.Check, problems: Problems) -> None:
    """One rule over the values of one column, asked of each distinct value."""
    held = read.held[name]
    right = pd.Series(True, index=held.distinct.index)
    asked = held.distinct.dropna()
    right[asked.index] = np.asarray(check(asked).check_output, dtype=bool)
    broken = ~held.rows(right)
    said = check.statistics or {}
    if "allowed_values" in said:
        _report_unlisted(read, broken, name, list(said["allowed_values"]), problems)
        return
    words = {
        "greater_than_or_equal_to": "The value is below {min_value}.",
        "greater_than": "The value is not above {min_value}.",
        "less_than_or_equal_to": "The value is above {max_value}.",
        "in_range": "The value is not between {min_value} and {max_value}.",
    }
    problem = words.get(str(check.name), "The text is not in the form this column uses.").format(**said)
    report(read, broken, name, problem, "", problems)


def _report_unlisted(read: Read, broken: Mask, column: str, allowed: Sequence[object], problems: Problems) -> None:
    if not broken.any():
        return
    listed = [str(word) for word in allowed]
    for value in read.frame.loc[broken, column].unique():
        close = close_to(str(value), listed)
        hint = f"Did you mean {close!r}? " if close else ""
        remedy = f"{hint}Write one of: {', '.join(listed)}."
        alike = broken & read.holding(column, value)
        report(read, alike, column, "Not a word this column uses.", remedy, problems)


def _check_rows(read: Read, problems: Problems) -> None:
    """Rules over a whole row, blamed on one column; rows with a cell that could not be read are passed over."""
    for rule in schema(read.table).checks:
        if rule.name not in read.absent:
            right = np.asarray(rule(read.frame).check_output.fillna(False), dtype=bool)
            broken = ~right & ~read.unreadable
            report(read, broken, str(rule.name), str(rule.error), str(rule.description), problems)


def _check_repeats(read: Read, problems: Problems) -> None:
    """Each row that repeats an earlier one, once, naming the earlier row and the columns that make it the same."""
    said = schema(read.table)
    alone = [[name] for name, column in said.columns.items() if column.unique and name not in read.absent]
    together = [name for name in said.unique or [] if name in said.columns]
    sets = alone + ([together] if together and not set(together) & read.absent else [])
    for names in sets:
        given = np.any([read.given(name) for name in names], axis=0)
        fit = np.flatnonzero(given & ~read.unreadable)
        keys = pd.Series(_one_code(read, names)[fit])
        again = keys.duplicated().to_numpy()
        if again.any():
            _report_repeats(read, names, fit, keys, again, problems)


def _one_code(read: Read, names: Sequence[str]) -> NDArray[np.int64]:
    """One number a row, equal where all the named columns are."""
    code, size = read.held[names[0]].codes()
    for name in names[1:]:
        other, many = read.held[name].codes()
        if size * many >= MOST_CODES:
            code, distinct = pd.factorize(code)
            size = len(distinct)
        code, size = code * many + other, size * many
    return code


def _report_repeats(
    read: Read, names: Sequence[str], fit: NDArray[np.intp], keys: pd.Series[int], again: Mask, problems: Problems
) -> None:
    firsts = pd.Series(fit, index=keys.to_numpy()).groupby(level=0).first()
    column = ", ".join(names)
    remedy = "Keep one of the two." + (f" {about(read.table, names[0])['remedy']}" if len(names) == 1 else "")
    for position, key in zip(fit[again].tolist(), keys[again].tolist(), strict=True):
        earlier = read.row_named(int(firsts[key]), beside=position)
        value = read.frame[names[0]].iloc[position] if len(names) == 1 else ""
        where = read.cells(np.array([position]), column)
        problems.add_cells(where, f"The row repeats {earlier}: the same {column}.", remedy, values=[value])
