"""Figures as a table holds them: which time and group each is of, in words, and that nobody is in two of them."""

from __future__ import annotations

from datetime import date
from itertools import combinations
from typing import Any

import pandas as pd

from evalkit import periods, words
from evalkit.periods import Period
from evalkit.population.monthly import refuse
from evalkit.stats.age_bands import Band, edges

SPLITS = ("age_band", "sex", "quintile")
"""What figures may be split by."""
EVERYBODY = "persons"
"""How figures say that they hold both sexes; a blank says it too."""
FIFTHS = {
    1: "the most deprived fifth",
    2: "the second most deprived fifth",
    3: "the middle fifth",
    4: "the second least deprived fifth",
    5: "the least deprived fifth",
}
"""The quintiles in words."""


def timed(held: pd.DataFrame) -> pd.DataFrame:
    """With `first` and `after`, the days from and up to which each figure counts; both sexes are a blank."""
    span = held["span"].fillna(1).astype("int64")
    after = held["period"].to_numpy(dtype="datetime64[M]") + span.to_numpy(dtype="timedelta64[M]")
    return held.assign(
        first=held["period"], span=span, after=after.astype("datetime64[us]"),
        sex=held["sex"].mask(held["sex"] == EVERYBODY),
    )  # fmt: skip


def refuse_twice(held: pd.DataFrame, label: str, file: str) -> None:
    """A refusal where two rows of one place hold the same people in the same time."""
    numbered = held.groupby(list(SPLITS), dropna=False, sort=False).ngroup()
    _refuse_overlap(held.assign(group=numbered), ["group", "place_id"], label, file)
    keys = held.assign(group=numbered).drop_duplicates("group")[["group", *SPLITS]].to_dict("records")
    bands = {band: edges([band])[0] for band in held["age_band"].dropna().unique()}
    for one, other in combinations(keys, 2):
        if _meet(one, other, bands):
            _refuse_overlap(held[numbered.isin([one["group"], other["group"]])], ["place_id"], label, file)


def _refuse_overlap(rows: pd.DataFrame, within: list[str], label: str, file: str) -> None:
    """A refusal where, within these, a row begins before the one before it is over."""
    ordered = rows.sort_values([*within, "first", "after"], kind="stable")
    before = ordered.groupby(within)["after"].shift()
    twice = (ordered["first"] < before).to_numpy().nonzero()[0]
    if not len(twice):
        return
    one, other = ordered.iloc[twice[0] - 1], ordered.iloc[twice[0]]
    told = [f"{group_words(*row[list(SPLITS)])} for {in_words(period_of(row))}" for row in (one, other)]
    raise refuse(
        f"{label} in {one['place_id']} would be counted twice: {file} gives {words.listed(told)}.",
        f"one of the two in {file}, so that each person stands in one row a time.",
    )


def _meet(one: Any, other: Any, bands: dict[Any, Band]) -> bool:
    """Whether somebody can be in both groups; a blank holds everybody."""
    for split in SPLITS:
        if pd.isna(one[split]) or pd.isna(other[split]) or one[split] == other[split]:
            continue
        if split != "age_band":
            return False
        here, there = bands[one[split]], bands[other[split]]
        if here.end <= there.start or there.end <= here.start:
            return False
    return True


def in_words(period: Period) -> str:
    """The period as it stands in a sentence: 2024/25, April 2024, or the year from January 2024 to December 2024."""
    short = periods.printed(period.first, period.months)
    return short if "/" in short else periods.spoken(period.first, period.months)


def period_of(row: Any) -> Period:
    """The period of a figure."""
    first: date = row["first"].date()
    return Period(first, int(row["span"]))


def group_words(age_band: Any, sex: Any, quintile: Any) -> str:
    """Who is in a group.

    >>> group_words("65-69", "female", None), group_words(None, None, 1), group_words(None, None, None)
    ('female, aged 65-69', 'the most deprived fifth', 'all')
    """
    said = [
        "" if pd.isna(sex) else str(sex),
        "" if pd.isna(age_band) else f"aged {age_band}",
        "" if pd.isna(quintile) else FIFTHS[int(quintile)],
    ]
    return ", ".join(filter(None, said)) or "all"
