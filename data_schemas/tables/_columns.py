"""What a column is made of: its type, its words, and what to do when a cell breaks its rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

import pandas as pd
import pandera.pandas as pa
from pandera.typing.pandas import Series

Text: TypeAlias = Series[str]
Whole: TypeAlias = Series[pd.Int64Dtype]
Number: TypeAlias = Series[float]
Date: TypeAlias = Series[pd.Timestamp]
YesNo: TypeAlias = Series[pd.BooleanDtype]


class Table(pa.DataFrameModel):
    """A table evalkit knows. Columns nobody described are problems; nothing is coerced."""

    class Config:
        """Strict, and silent about types: a cell is parsed by the reader or it is a problem."""

        strict = True
        coerce = False


def column(
    title: str,
    description: str,
    remedy: str,
    *,
    blank: bool = False,
    unit: str = "",
    refers: str = "",
    form: str = "",
    happened: bool = False,
    **checks: Any,
) -> Any:
    """One column: `remedy` is the sentence shown beside a cell that breaks its rule.

    `blank`: cells may be left blank (annotate with Optional as well when the whole column may be absent).
    `refers`: the table whose first column lists the ids allowed here; "people or respondents" names two.
    `form`: "prose" (kept to the letter), "month" (2024-03), "answer" (typed by the instrument), else plain.
    `happened`: the date of something past, which cannot lie after the day the data were drawn.
    """
    about = {"remedy": remedy, "unit": unit, "refers": refers, "form": form, "happened": happened}
    return pa.Field(title=title, description=description, nullable=blank, metadata=about, **checks)


Method = TypeVar("Method", bound=Callable[..., Any])


def rule(blamed: str, problem: str, remedy: str) -> Callable[[Method], Method]:
    """Turn a method over the whole table into a rule about one column: True where a row is right."""
    check = pa.dataframe_check(name=blamed, error=problem, description=remedy, ignore_na=False)
    return cast("Callable[[Method], Method]", check)


def in_order(table: pd.DataFrame, earlier: str, later: str) -> pd.Series[bool]:
    """True where `later` does not precede `earlier`, or either is blank or its column absent."""
    if earlier not in table or later not in table:
        return pd.Series(True, index=table.index)
    return ~(table[later] < table[earlier])
