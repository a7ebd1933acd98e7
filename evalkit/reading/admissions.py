"""Admissions counted: as rows of `outcomes` when a programme is read, or asked for by whoever has the file or a frame.

What is counted is places, periods and groups; rows about single patients are never held whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from data_schemas.catalogues import nearest
from data_schemas.tables import schema
from evalkit import periods
from evalkit.errors import DataProblems
from evalkit.reading import counted as declared
from evalkit.reading import frames
from evalkit.reading.contents import Contents
from evalkit.reading.counted import Counted
from evalkit.reading.counting import (
    GROUPS,
    TABLE,
    Asked,
    Counting,
    Group,
    bands,
    by_person,
    counted,
    how_often,
    of_files,
    of_frame,
    with_people,
)
from evalkit.reading.in_parts import Parts
from evalkit.reading.long_tables import looked_through
from evalkit.reading.problems import Problems
from evalkit.reading.reads import Read, missing
from evalkit.reading.rules import check_table
from evalkit.words import listed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Span = Literal[1, 3, 12]
SOURCE = "programme.toml"


def counts(
    source: Any,
    *,
    by: Collection[Group] = GROUPS,
    ages: str = "all",
    span: Span = 1,
    people: bool = False,
    spark: SparkSession | None = None,
) -> pd.DataFrame:
    """How many admissions each place had in each period, by age band (five years, 90+), sex and deprivation quintile.

    `source`: a CSV or Parquet file laid out as the table `admissions`, larger than memory if need be; the `Parts` of a
    programme; a Spark, pandas or DuckDB frame, or any other Narwhals reads. Files are counted by DuckDB, with `spark`
    by that session. `ages`: whole bands, as 65+ or 65-84. `span`: months of a period, 1, 3 or 12, quarters and years
    being those of the financial year. Gives place_id, period, span, what `by` names, and count; a group nobody was
    admitted from has no row, and an age, sex or quintile nobody wrote down is missing.

    With `people` also: people admitted, `squares` (each person's admissions squared, summed: what the interval of a
    standardised rate needs where one person may be admitted again) and admissions `without_id`, which are in count
    alone. Errors: DataProblems for cells that are not what the table holds, each named; nothing is read otherwise than
    it is written.

    >>> rows = pd.DataFrame({"place_id": ["L1"] * 3, "age": [81, 81, 67], "person_id": ["A", "A", "B"],
    ...                      "admitted_on": pd.to_datetime(["2024-04-03", "2024-04-20", "2024-05-02"])})
    >>> counts(rows, by=(), people=True)[["period", "count", "people", "squares"]]
          period  count  people  squares
    0 2024-04-01      2       1        4
    1 2024-05-01      1       1        1
    """
    asked = Asked(_kept(by), declared.ages(ages), span)
    return _of(source, asked, spark, *((by_person, with_people) if people else (counted, None)))


def frequencies(
    source: Any,
    *,
    by: Collection[Group] = (),
    ages: str = "all",
    span: Span = 12,
    spark: SparkSession | None = None,
) -> pd.DataFrame:
    """How many people of each place and period were admitted once, twice and so on: `times` and `people`.

    Everything else as in `counts`. Admissions without a person's id are in no row: `counts` says how many they are.

    >>> rows = pd.DataFrame({"place_id": "L1", "person_id": ["A", "A", "B"],
    ...                      "admitted_on": pd.to_datetime(["2024-04-03", "2024-06-20", "2025-01-02"])})
    >>> frequencies(rows)[["period", "times", "people"]]
          period  times  people
    0 2024-04-01      1       1
    1 2024-04-01      2       1
    """
    return _of(source, Asked(_kept(by), declared.ages(ages), span), spark, by_person, how_often)


def _kept(by: Collection[Group]) -> tuple[Group, ...]:
    unknown = [group for group in by if group not in GROUPS]
    if unknown:
        raise ValueError(f"Nothing counts by {unknown[0]!r}. {nearest(unknown[0], GROUPS)}")
    return tuple(group for group in GROUPS if group in by)


def _of(source: Any, asked: Asked, spark: SparkSession | None, first: Counting, then: Counting | None) -> pd.DataFrame:
    """Whatever holds the admissions, found right and counted."""
    if isinstance(source, str | Path) and spark is None:
        source = _file(Path(source))
    if isinstance(source, Parts):
        return of_files(source, replace(asked, places=source.places), first, then)
    frame = frames.read_by(spark, Path(source)) if spark is not None else frames.lazy(source)
    return of_frame(frames.typed(frame), asked, first, then)


def _file(path: Path) -> Parts:
    """A file looked through, or its problems."""
    problems = Problems()
    if path.suffix.lower() not in (".csv", ".parquet") or not path.is_file():
        problems.add(path.name, "There is no such CSV or Parquet file.", "Give the file that holds the admissions.")
        raise DataProblems(problems.table())

    def check(read: Read, found: Problems) -> None:
        check_table(read, found)

    parts = looked_through(TABLE, [path], check, problems)
    if problems:
        raise DataProblems(problems.table())
    return parts


def into_outcomes(contents: Contents, problems: Problems) -> Contents:
    """The contents with admissions counted into `outcomes`, as [admissions] of programme.toml declares."""
    said = contents.settings.admissions
    if said is None:
        return contents
    held: Parts | pd.DataFrame | None = contents.parts.get(TABLE, contents.tables.get(TABLE))
    if not _may_count(said, contents, held, problems) or problems or held is None:
        return contents
    found = _of(held, Asked(_with_bands(said), said.ages), None, counted, None)
    until = contents.settings.as_of or _last_day(held)
    rows, log = _whole_months(found, until)
    if _names_unsaid(rows, said, problems):
        return contents
    kept, more = _known(rows, said)
    made = _filled(kept, said)
    outcomes = pd.concat([*_given(contents), _as_outcomes(made, said.measure)], ignore_index=True)
    groups = listed(["place", "month", *(group.replace("_", " ") for group in said.by)])
    many = int(made["count"].sum())
    were = "admission was" if many == 1 else "admissions were"
    first = f"{many:,} {were} counted into outcomes as {said.measure}: {said.whose}, by {groups}."
    return replace(
        contents,
        tables={**contents.tables, "outcomes": outcomes},
        log=(*contents.log, first, *log, *more, *_gaps(kept)),
    )


def _may_count(said: Counted, contents: Contents, held: Any, problems: Problems) -> bool:
    """Whether there is something to count and a measure to count it into that nobody gave figures of."""
    if held is None:
        words = "[admissions] says how admissions are counted, and there is no table of them."
        problems.add(SOURCE, words, "Put admissions.csv or admissions.parquet beside it, or take [admissions] out.")
    elif said.measure not in contents.measures:
        remedy = nearest(said.measure, contents.measures)
        problems.add(SOURCE, "[admissions] names no known measure.", remedy, value=said.measure)
    elif contents.measures[said.measure].kind != "count":
        words = "[admissions] names a measure that is no count."
        problems.add(SOURCE, words, "Name a measure whose kind is count.", value=said.measure)
    elif any((frame["measure"] == said.measure).any() for frame in _given(contents)):
        words = "Both outcomes and [admissions] give figures of this measure: they would count twice."
        problems.add(SOURCE, words, "Take its rows out of outcomes, or take [admissions] out.", value=said.measure)
    else:
        return True
    return False


def _given(contents: Contents) -> list[pd.DataFrame]:
    return [contents.tables["outcomes"]] if "outcomes" in contents.tables else []


def _with_bands(said: Counted) -> tuple[Group, ...]:
    """The groups counted: where not every age is, those of unknown age must be told from the others."""
    return tuple(group for group in GROUPS if group in said.by or (group == "age_band" and said.ages))


def _last_day(held: Parts | pd.DataFrame) -> date | None:
    last = held.latest if isinstance(held, Parts) else held["admitted_on"].max()
    return None if last is None or pd.isna(last) else last.date()


def _whole_months(found: pd.DataFrame, until: date | None) -> tuple[pd.DataFrame, list[str]]:
    """Without months the data end within: a part of a month beside whole ones looks like a fall."""
    if until is None:
        return found, []
    ends = found["period"] + pd.offsets.MonthEnd(0)
    whole = ends <= pd.Timestamp(until)
    if whole.all():
        return found, []
    month = periods.spoken(found.loc[~whole, "period"].min().date(), 1)
    words = (
        f"{month} is not counted: the data end on {until.isoformat()}, within it. Where they hold the whole month, "
        "write its last day as as_of in programme.toml."
    )
    return found[whole], [words]


def _names_unsaid(found: pd.DataFrame, said: Counted, problems: Problems) -> bool:
    """Whether what is counted by stands in no row at all."""
    for group in _with_bands(said):
        if len(found) and found[group].isna().all():
            column = group.replace("age_band", "age")
            words = f"[admissions] counts by {group}, and no admission says the {column}."
            problems.add(SOURCE, words, f"Fill in the column {column}, or take it out of [admissions].", value=group)
            return True
    return False


def _known(found: pd.DataFrame, said: Counted) -> tuple[pd.DataFrame, list[str]]:
    """The groups that are known, and how many admissions are in none."""
    asked, log = _with_bands(said), []
    unknown = found[list(asked)].isna().any(axis="columns")
    if unknown.any():
        lost = int(found.loc[unknown, "count"].sum())
        names = [group.replace("age_band", "age") for group in asked if found[group].isna().any()]
        share = 100 * lost / int(found["count"].sum())
        says = "admission does not say" if lost == 1 else "admissions do not say"
        log = [f"{lost:,} {says} the {' or the '.join(names)}: {share:.1f} in 100, not counted."]
    keys = ["place_id", "period", *said.by]
    kept = found[~unknown].groupby(keys, sort=True)["count"].sum().reset_index()
    return kept, log


def _filled(kept: pd.DataFrame, said: Counted) -> pd.DataFrame:
    """A row for every group in every month from a place's first to its last, 0 where nobody was admitted."""
    if kept.empty:
        return kept
    groups = pd.DataFrame({"place_id": [], "period": []})
    months = kept.groupby("place_id")["period"].agg(["min", "max"])
    spans = [pd.date_range(first, last, freq="MS", unit="us") for first, last in months.to_numpy()]
    groups = pd.DataFrame(
        {"place_id": np.repeat(months.index.to_numpy(), list(map(len, spans))), "period": np.concatenate(spans)}
    ).astype({"place_id": "str"})
    for group in said.by:
        words = _bands_of(said) if group == "age_band" else sorted(kept[group].unique())
        groups = groups.merge(pd.DataFrame({group: pd.Series(words, dtype=kept[group].dtype)}), how="cross")
    filled = groups.merge(kept, on=list(groups), how="left")
    return filled.assign(count=filled["count"].fillna(0).astype("int64"))


def _bands_of(said: Counted) -> list[str]:
    low, high = said.ages or (0, declared.ENDLESS)
    return [band for band in bands() if low <= int(band.split("-")[0].rstrip("+")) <= high]


def _gaps(kept: pd.DataFrame) -> list[str]:
    """Places that have months without an admission between others: perhaps nobody sent them."""
    said = []
    for place, own in kept.groupby("place_id")["period"]:
        every = pd.date_range(own.min(), own.max(), freq="MS", unit="us").difference(pd.DatetimeIndex(own.unique()))
        if len(every):
            first = periods.spoken(every[0].date(), 1)
            months = "month" if len(every) == 1 else "months"
            said.append(f"{place} has no admission in {len(every)} {months}, the first {first}: counted as 0.")
    return said


def _as_outcomes(made: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The counts as rows of the table, each column of its type."""
    given: Mapping[str, Any] = {
        **{str(name): made[name] for name in made},
        "measure": pd.Series(measure, index=made.index),
        "span": pd.Series(1, index=made.index),
    }
    columns = {}
    for name in schema("outcomes").columns:
        blank = pd.Series(missing("outcomes", name))
        columns[name] = (
            given[name].astype(blank.dtype) if name in given else blank.take([0] * len(made)).set_axis(made.index)
        )
    return pd.DataFrame(columns)
