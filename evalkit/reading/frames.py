"""Admissions in a frame of some engine: Spark's, pandas's, DuckDB's. Found right by their distinct cells, and typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from data_schemas.tables import schema
from evalkit.errors import DataProblems, Refused
from evalkit.reading.counting import COLUMNS, TABLE, Lazy, fetched
from evalkit.reading.glance import MOST_DISTINCT
from evalkit.reading.parquet import SUFFIX
from evalkit.reading.problems import HEADING, Problems
from evalkit.reading.reads import form_of
from evalkit.reading.reads import typed as typed_cells
from evalkit.reading.rules import check_table
from evalkit.reading.sheets import Cells, Origin, Sheet

if TYPE_CHECKING:
    import narwhals as nw
    from pyspark.sql import SparkSession

FRAME = "the frame"
"""What a problem calls it."""


def lazy(source: Any) -> Lazy:
    """Any frame Narwhals knows. Raises Refused for what is none."""
    import narwhals as nw

    try:
        frame: Lazy = nw.from_native(source).lazy()
    except TypeError:
        what = type(source).__name__
        raise Refused(
            f"Admissions cannot be counted in a {what}. Give a CSV or Parquet file, or a Spark, pandas or DuckDB frame."
        ) from None
    return frame


def read_by(spark: SparkSession, path: Path) -> Lazy:
    """A file as a Spark session reads it: of CSV every cell as text. Raises Refused for a name it reads as several."""
    if re.search(r"[*?\[\]{}]", str(path)):
        raise Refused(f"Spark reads {path.name!r} as a pattern. Rename it without stars, question marks and brackets.")
    if path.suffix.lower() == SUFFIX:
        read = spark.read.parquet(str(path))
    else:
        read = spark.read.csv(str(path), header=True, inferSchema=False, enforceSchema=False, mode="FAILFAST")
    return lazy(read)


def typed(frame: Lazy) -> Lazy:
    """The columns that are counted, each of its type. Raises DataProblems for cells that are not what they should be.

    A frame of Spark or DuckDB has no rows in an order, so that a problem says in how many rows its value stands.
    """
    import narwhals as nw

    held = frame.collect_schema()
    problems = Problems()
    columns = [name for name in COLUMNS if name in held]
    _check(_distinct(frame, {name: held[name] for name in columns if name != "person_id"}), problems)
    if problems:
        raise DataProblems(problems.table())
    made = [_typed(name, held[name]) for name in columns]
    absent = [
        nw.lit(None, dtype=nw.String() if kind == "VARCHAR" else nw.Float64()).alias(name)
        for name, kind in COLUMNS.items()
        if name not in held
    ]
    return frame.select(*made, *absent)


def _distinct(frame: Lazy, columns: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """The distinct cells of some columns as text, and how many rows hold each: asked for in one go."""
    import narwhals as nw

    if not columns:
        return {}
    each = [
        frame.group_by(name)
        .agg(nw.len().alias("rows"))
        .select(nw.lit(name).alias("column"), nw.col(name).cast(nw.String()).alias("text"), "rows")
        .head(MOST_DISTINCT + 1)
        for name in columns
    ]
    found = fetched(nw.concat(each, how="vertical"))
    texts = found["text"].astype("str").fillna("")
    for name, dtype in columns.items():
        own = found["column"] == name
        if dtype.is_float():
            texts[own] = texts[own].str.replace(r"\.0$|^nan$|^NaN$", "", regex=True)
        elif dtype.is_temporal():
            texts[own] = texts[own].str.replace(r"[ T]00:00:00(\.0+)?$", "", regex=True)
    found = pd.DataFrame({"column": found["column"], "text": texts.astype(object), "rows": found["rows"]})
    found = found.sort_values("text", kind="stable")
    return {name: found[found["column"] == name].reset_index(drop=True) for name in columns}


def _check(columns: Mapping[str, pd.DataFrame], problems: Problems) -> None:
    """Every distinct cell held to the rules of the table, and named with the rows it stands in."""
    found = Problems()
    for name, cells in columns.items():
        if len(cells) > MOST_DISTINCT:
            words = f"The column holds more than {MOST_DISTINCT:,} different values."
            problems.add(FRAME, words, schema(TABLE).columns[name].description or "", column=name)
    rows = max(map(len, columns.values()), default=0)
    held = {
        name: Cells(cells["text"].to_numpy(dtype=object), np.minimum(np.arange(rows), len(cells) - 1))
        for name, cells in columns.items()
    }
    sheet = Sheet(held, Origin(FRAME, np.arange(rows, dtype=np.int64) + HEADING + 1))
    read = typed_cells(TABLE, sheet, found, {})
    check_table(read, found)
    _name_spelt(columns, problems)
    named: set[tuple[str, str]] = set()
    for _, row, name, value, words, remedy in found.table().itertuples(index=False):
        if pd.isna(row) or row <= HEADING:
            problems.add(FRAME, words, remedy, column=name)
        elif (name, value) not in named:
            named.add((name, value))
            many = int(columns[name].loc[columns[name]["text"] == value, "rows"].sum())
            counted = f"{words} (In {many:,} {'row' if many == 1 else 'rows'}.)"
            problems.add(FRAME, counted, remedy, column=name, value=value)


def _name_spelt(columns: Mapping[str, pd.DataFrame], problems: Problems) -> None:
    """Days with their month in letters, which a file may hold: an engine is asked for figures only."""
    texts = columns["admitted_on"]["text"].astype("str") if "admitted_on" in columns else pd.Series([], dtype="str")
    for text in texts[texts.str.match("[0-9]{1,2} [A-Za-z]+ [0-9]{4}$")].head(10):
        words = "The day is not written in figures alone."
        problems.add(FRAME, words, "Write the day as 2026-03-31.", column="admitted_on", value=text)


def _typed(name: str, dtype: Any) -> nw.Expr:
    """One column as what its model declares; what is so already stays as it is."""
    import narwhals as nw

    column, kind = nw.col(name), form_of(TABLE, name)[0]
    if isinstance(dtype, nw.Categorical | nw.Enum):
        column, dtype = column.cast(nw.String), nw.String()
    if isinstance(dtype, nw.String) and name != "place_id":
        column = nw.when(column != "").then(column)
        if kind == "date":
            column = column.str.to_datetime(format="%Y-%m-%d")  # a date of pandas would be an object
        elif kind == "whole":
            column = column.cast(nw.Float64)  # pandas has no other missing number
    elif dtype.is_float():
        column = nw.when(~column.is_nan()).then(column)
    return column.alias(name)
