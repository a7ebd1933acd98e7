"""Admissions counted by place, period and group of people, whatever holds them: one expression for every engine.

Files are counted by DuckDB, which reads more than memory holds. The same expression runs on a Spark DataFrame (extra
`evalkit[spark]`), a pandas frame, or whatever else Narwhals knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.reading import parquet
from evalkit.reading.engine import engine, named, quoted
from evalkit.reading.glance import headings_of, plain_csv
from evalkit.reading.in_parts import Parts, reads
from evalkit.reading.parquet import SUFFIX, Column
from evalkit.reading.problems import Problems
from evalkit.reading.progress import watched
from evalkit.reading.reads import form_of

if TYPE_CHECKING:
    import narwhals as nw
    from duckdb import DuckDBPyConnection

Lazy: TypeAlias = "nw.LazyFrame[Any]"
Group = Literal["age_band", "sex", "quintile"]

GROUPS: tuple[Group, ...] = ("age_band", "sex", "quintile")
"""What admissions may be told apart by, beside place and period."""

YEARS_A_BAND, LAST_BAND = 5, 90
"""Age bands are of five years, as populations are published; everybody from 90 on is in one."""

APRIL = 3
"""Months of a calendar year before a financial year begins."""

TABLE = "admissions"
COLUMNS = {
    "place_id": "VARCHAR",
    "admitted_on": "DATE",
    "age": "INTEGER",
    "sex": "VARCHAR",
    "quintile": "INTEGER",
    "person_id": "VARCHAR",
}
"""What is counted, and what a column is where the files have none."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be counted.

    `ages`: the first and last age counted, whole bands; None counts every age, also where none is said. `span`: the
    months of a period, 1, 3 or 12, quarters and years being those of the financial year. `places`: these alone.
    """

    by: tuple[Group, ...] = GROUPS
    ages: tuple[int, int] | None = None
    span: Literal[1, 3, 12] = 1
    places: frozenset[str] | None = None

    @property
    def keys(self) -> list[str]:
        """The columns of a group."""
        return ["place_id", "period", *self.by]


def counted(frame: Lazy, asked: Asked) -> Lazy:
    """How many admissions each group had: its keys, and `count`. Periods and bands are numbers: see `in_words`."""
    import narwhals as nw

    return _grouped(frame, asked).group_by(*asked.keys).agg(nw.len().alias("count"))


def by_person(frame: Lazy, asked: Asked) -> Lazy:
    """How often each person of a group was admitted: its keys, `person_id`, and `times`."""
    import narwhals as nw

    return _grouped(frame, asked).group_by(*asked.keys, "person_id").agg(nw.len().alias("times"))


def with_people(persons: Lazy, asked: Asked) -> Lazy:
    """Out of `by_person`, of each group: admissions (`count`), `people`, `squares`, and admissions `without_id`.

    `squares` is the sum over people of their admissions squared, which intervals of rates need where one person may be
    admitted again; admissions of nobody known are in `count` and `without_id` alone.
    """
    import narwhals as nw

    times, known = nw.col("times"), ~nw.col("person_id").is_null()
    made = persons.with_columns(
        people=known.cast(nw.Int64),
        squares=nw.when(known).then(times * times).otherwise(0),
        without_id=nw.when(known).then(0).otherwise(times),
    )
    sums = [nw.col(name).sum() for name in ("people", "squares", "without_id")]
    return made.group_by(*asked.keys).agg(times.sum().alias("count"), *sums)


def how_often(persons: Lazy, asked: Asked) -> Lazy:
    """Out of `by_person`, how many `people` of each group were admitted so many `times`; those known alone."""
    import narwhals as nw

    known = persons.filter(~nw.col("person_id").is_null())
    return known.group_by(*asked.keys, "times").agg(nw.len().alias("people"))


def _grouped(frame: Lazy, asked: Asked) -> Lazy:
    """Each admission with its period, as months since the year 0, and the number of its band."""
    import narwhals as nw

    day, age = nw.col("admitted_on").dt, nw.col("age")
    month = day.year() * 12 + day.month() - 1
    band = nw.when(age >= LAST_BAND).then(LAST_BAND // YEARS_A_BAND).otherwise(age // YEARS_A_BAND)
    kept = frame.filter(~nw.col("admitted_on").is_null())  # without the rows that hold nothing
    if asked.places is not None:
        kept = kept.filter(nw.col("place_id").is_in(sorted(asked.places)))
    if asked.ages is not None:
        low, high = asked.ages
        kept = kept.filter(age.is_null() | ((age >= low) & (age <= high)))
    period = month if asked.span == 1 else month - (month - APRIL) % asked.span
    return kept.with_columns(period=period, **({"age_band": band} if "age_band" in asked.by else {}))


Counting = Callable[[Lazy, Asked], Lazy]


def of_files(parts: Parts, asked: Asked, first: Counting, then: Counting | None = None) -> pd.DataFrame:
    """A counting of the files of a table, and another of what comes out of it, in the words of the table.

    Files DuckDB reads as we do are counted by it; any other in parts, which are added up.
    """
    import narwhals as nw

    plain = [path for path in parts.files if path in parts.plain]
    others = [path for path in parts.files if path not in parts.plain]
    with engine(*plain) as connection:
        counts: list[pd.DataFrame] = []
        if plain:
            frame = nw.from_native(connection.sql(" UNION ALL ".join(_selected(connection, path) for path in plain)))
            found = first(frame, asked)
            with watched(connection, "Counting admissions", plain):
                counts.append(fetched(then(found, asked) if then and not others else found))
    for path in others:
        for read in reads(parts.table, path, Problems()):
            counts.append(fetched(first(nw.from_native(read.frame).lazy(), asked)))
    return in_words(added_up(counts, asked, then if others else None), asked)


def of_frame(frame: Lazy, asked: Asked, first: Counting, then: Counting | None = None) -> pd.DataFrame:
    """The same of a frame of any engine, whose columns are typed."""
    found = first(frame, asked)
    return in_words(fetched(then(found, asked) if then else found), asked)


def added_up(counts: Sequence[pd.DataFrame], asked: Asked, then: Counting | None) -> pd.DataFrame:
    """Counts of several parts as one."""
    import narwhals as nw

    if len(counts) == 1 and then is None:
        return counts[0]
    together = pd.concat(counts, ignore_index=True)
    keys = list(together.columns[:-1])
    summed = together.groupby(keys, dropna=False, sort=False, as_index=False).sum()
    return summed if then is None else fetched(then(nw.from_native(summed).lazy(), asked))


def fetched(frame: Lazy) -> pd.DataFrame:
    """What an engine worked out."""
    if frame.implementation.is_pyspark():  # its own way to pandas needs pyarrow, and warns of pandas 3
        native = frame.to_native()
        return pd.DataFrame.from_records(native.collect(), columns=native.columns)
    found: pd.DataFrame = frame.collect("pandas").to_native()
    return found


def in_words(found: pd.DataFrame, asked: Asked) -> pd.DataFrame:
    """Groups as tables write them: periods by their first day, bands as 65-69 and 90+, what is not known missing."""
    months = found["period"].to_numpy(dtype=np.int64)
    made: dict[str, Any] = {
        "place_id": _words(found["place_id"]),
        "period": (months - 1970 * 12).astype("datetime64[M]").astype("datetime64[us]"),
    }
    for name in asked.by:
        if name == "age_band":
            numbers = pd.to_numeric(found[name]).to_numpy(dtype=np.float64, na_value=np.nan)
            made[name] = _coded(np.where(np.isnan(numbers), -1, numbers).astype(np.intp), bands())
        else:
            made[name] = _words(found[name]) if name == "sex" else pd.to_numeric(found[name]).astype("Int64")
    keys = [*made, *(["times"] if "times" in found else [])]
    made |= {str(name): found[name].to_numpy(dtype=np.int64) for name in found if name not in made}
    frame = pd.DataFrame(made)
    if frame.duplicated(keys).any():  # a blank word and none at all
        frame = frame.groupby(keys, dropna=False, observed=True, as_index=False).sum()
    frame = frame.sort_values(keys, kind="stable", ignore_index=True)
    frame = frame.astype({name: "str" for name in ("place_id", "age_band", "sex") if name in frame})
    frame.insert(2, "span", pd.Series(asked.span, index=frame.index, dtype="Int64"))
    return frame


def _words(values: pd.Series[Any]) -> pd.Categorical[Any]:
    """A column of ids or words, in order; a blank one is missing."""
    which, known = pd.factorize(values)
    texts = [parquet.text(value) for value in known]
    order = sorted({*texts} - {""})
    places = {text: at for at, text in enumerate(order)}
    codes = np.array([*(places.get(text, -1) for text in texts), -1], dtype=np.intp)
    return _coded(codes[which], order)


def _coded(codes: NDArray[np.intp], words: list[str]) -> pd.Categorical[Any]:
    dtype = pd.CategoricalDtype(pd.Index(words), ordered=True)
    return pd.Categorical.from_codes(codes, dtype=dtype)


def bands() -> list[str]:
    """Every age band.

    >>> bands()[0], bands()[13], bands()[-1]
    ('0-4', '65-69', '90+')
    """
    firsts = range(0, LAST_BAND, YEARS_A_BAND)
    return [*(f"{first}-{first + YEARS_A_BAND - 1}" for first in firsts), f"{LAST_BAND}+"]


def _selected(connection: DuckDBPyConnection, path: Path) -> str:
    """The columns of one file as SQL selects them, each of its type. Every cell has been read and found right."""
    if path.suffix.lower() == SUFFIX:
        columns = {column.name: column for column in parquet.columns_of(connection, path)}
        source = f"read_parquet({quoted(named(path))})"
    else:
        columns = {heading: Column(heading, "VARCHAR") for heading in headings_of(path)}
        source = plain_csv(columns, quoted(named(path)))
    wanted = [
        f"{_typed(columns[name]) if name in columns else f'CAST(NULL AS {kind})'} AS {name}"
        for name, kind in COLUMNS.items()
    ]
    return f"SELECT {', '.join(wanted)} FROM {source}"


def _typed(column: Column) -> str:
    """A column as what its model declares; one that is so already stays as narrow as it is."""
    kind, _ = form_of(TABLE, column.name)
    name = quoted(column.name, '"')
    if column.name == "person_id" and column.type == "VARCHAR":
        return f"nullif({name}, '')"
    if kind == "text":
        return name  # a blank word is missing once it is counted
    if kind == "date" and column.type == "VARCHAR":
        spelt = f"try_strptime({name}, ['%d %B %Y', '%d %b %Y'])"
        return f"coalesce(TRY_CAST({name} AS DATE), CAST({spelt} AS DATE))"
    if kind == "date":
        return name if column.type == "DATE" else f"CAST({name} AS DATE)"
    return name if column.type in parquet.WHOLE else f"TRY_CAST({name} AS INTEGER)"
