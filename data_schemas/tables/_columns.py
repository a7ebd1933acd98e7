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


IN_PARTS = "in_parts"
"""What a table's Config says of itself in its metadata when it may be too long to be held whole."""


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
    for_all: bool = False,
    disclosive: bool = False,
    derived: str = "",
    **checks: Any,
) -> Any:
    """One column: `remedy` is the sentence shown beside a cell that breaks its rule.

    `blank`: cells may be left blank (annotate with Optional as well when the whole column may be absent).
    `refers`: the table whose first column lists the ids allowed here; "people or respondents" names two.
    `form`: "prose" (kept to the letter), "month" (2024-03), "period" (a month, a quarter 2024/25 Q1 or a financial year
    2024/25), "answer" (typed by the instrument), else plain.
    `happened`: the date of something past, which cannot lie after the day the data were drawn.
    `for_all`: a blank means for all or everywhere, so the row belongs to every place; else a blank is not known.
    `disclosive`: with the rest of its row it may tell who somebody is, though it holds no id of people.csv.
    `derived`: the column it is worked out from, so that nobody need type it.
    """
    about = {"remedy": remedy, "unit": unit, "refers": refers, "form": form, "happened": happened}
    about |= {"for_all": for_all, "disclosive": disclosive, "derived": derived}
    return pa.Field(title=title, description=description, nullable=blank, metadata=about, **checks)


def key(title: str) -> Any:
    """The column that names each row, which other tables may refer to."""
    return column(title, "An id that never changes.", f"Give each {title.lower()} one row.", unique=True)


LISTS = {"person": "people", "team": "teams", "organisation": "organisations", "place": "places", "wave": "waves"}
"""Where each kind of thing is listed."""


def reference(kind: str, description: str, *, title: str = "", **said: Any) -> Any:
    """A column of ids of one kind, each of which its own table lists."""
    listed = LISTS[kind]
    remedy = f"Add the {kind} to {listed}.csv, or mend the id here."
    return column(title or kind.capitalize(), description, remedy, refers=listed, **said)


def party(title: str, description: str, **said: Any) -> Any:
    """A column of whoever can promise or undertake something; the programme's deliverer is an organisation too."""
    remedy = "Add it to people.csv, teams.csv or organisations.csv, or mend the id here."
    return column(title, description, remedy, refers="people or teams or organisations", **said)


def day(title: str, description: str, **said: Any) -> Any:
    """A column of days."""
    return column(title, description, "Write the day as 2026-03-31.", **said)


Method = TypeVar("Method", bound=Callable[..., Any])


def rule(blamed: str, problem: str, remedy: str) -> Callable[[Method], Method]:
    """Turn a method over the whole table into a rule about one column: True where a row is right."""
    check = pa.dataframe_check(name=blamed, error=problem, description=remedy, ignore_na=False)
    return cast("Callable[[Method], Method]", check)


def in_order(table: pd.DataFrame, earlier: str, later: str) -> pd.Series[bool]:
    """True where `later` does not precede `earlier`, or either is blank or its column absent."""
    if earlier not in table or later not in table:
        return pd.Series(True, index=table.index)
    return ~(table[later] < table[earlier]).fillna(False).astype(bool)


def differ(table: pd.DataFrame, one: str, other: str) -> pd.Series[bool]:
    """True where the two columns do not hold the same, or either is blank or absent."""
    if one not in table or other not in table:
        return pd.Series(True, index=table.index)
    return (table[one] != table[other]) | table[one].isna()


def at_least_one(table: pd.DataFrame, *names: str) -> pd.Series[bool]:
    """True where any of these columns is filled."""
    filled = pd.Series(False, index=table.index)
    for name in names:
        filled |= table[name].notna() if name in table else False
    return filled


def needs(table: pd.DataFrame, stated: str, *needed: str) -> pd.Series[bool]:
    """True where `stated` is blank, or all that is needed with it is filled."""
    right = pd.Series(True, index=table.index)
    if stated in table:
        for name in needed:
            right &= table[stated].isna() | (table[name].notna() if name in table else False)
    return right


def range_holds(table: pd.DataFrame, low: str, middle: str, high: str) -> pd.Series[bool]:
    """True where `low` is no higher than `middle`, nor `middle` than `high`; what is blank breaks nothing."""
    return in_order(table, low, middle) & in_order(table, middle, high) & in_order(table, low, high)


FINANCIAL_YEAR = r"^[0-9]{4}/[0-9]{2}\Z"


def years_follow(table: pd.DataFrame, name: str) -> pd.Series[bool]:
    """True where a financial year ends in the year after it begins: 2024/25, and 1999/00."""
    if name not in table:
        return pd.Series(True, index=table.index)
    shaped = table[name].where(table[name].str.match(FINANCIAL_YEAR).fillna(False).astype(bool))
    began, ended = (pd.to_numeric(shaped.str.slice(*part)) for part in ((0, 4), (5, 7)))
    return shaped.isna() | ((began + 1) % 100 == ended)
