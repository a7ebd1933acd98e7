"""Measures of places in a twin: the grid of places, periods and groups they are given for, with invented figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

GROUP = ["age_band", "sex", "quintile"]

MOST = 500_000
"""Figures of one measure: where a grid would hold more, it has fewer places."""

PEOPLE = (900, 1100)
COUNTS = (40, 60)
VALUES = (20.0, 80.0)
"""Between what the invented figures lie, each number as likely as the other: of real figures nothing is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One measure's grid: `places` by arm ("" where none is said), the first and last period and its months, the
    groups (age band, sex, quintile) and which columns are filled. The measure is blank for numbers of people."""

    measure: str
    span: int
    first: date
    last: date
    places: Mapping[str, int]
    groups: tuple[tuple[str | None, str | None, int | None], ...]
    filled: tuple[str, ...]

    @property
    def periods(self) -> pd.DatetimeIndex:
        """The first day of each period, from the first to the last."""
        return pd.date_range(self.first, self.last, freq=pd.DateOffset(months=self.span), unit="us")


def figures(frame: pd.DataFrame, places: pd.DataFrame | None) -> tuple[Figures, ...]:
    """The grids of a table of figures, a measure and length of period each."""
    arms = {} if places is None else dict(zip(places["place_id"], places["arm"].fillna(""), strict=True))
    named = frame.assign(measure="") if "measure" not in frame else frame
    found = []
    for key, own in named.assign(span=named["span"].fillna(1)).groupby(["measure", "span"]):
        measure, span = _key(key)
        here = [arms.get(place, "") for place in own["place_id"].unique()]
        found.append(
            Figures(
                measure=measure,
                span=span,
                first=own["period"].min().date(),
                last=own["period"].max().date(),
                places={arm: here.count(arm) for arm in ("programme", "comparison", "") if arm in here},
                groups=_groups(own),
                filled=tuple(name for name in ("count", "denominator", "value") if _given(own, name)),
            )
        )
    return tuple(found)


def grid(said: Figures, places: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """A row a place, period and group; `places` are the twin's, by arm."""
    here = [place for arm, many in said.places.items() for place in places[arm][:many]]
    each = len(said.periods) * len(said.groups)
    here = here[: max(1, MOST // each)]
    rows = pd.MultiIndex.from_product([here, said.periods, range(len(said.groups))], names=["place_id", "period", "at"])
    frame = rows.to_frame(index=False)
    for position, name in enumerate(GROUP):
        values = np.array([group[position] for group in said.groups], dtype=object)
        frame[name] = values[frame["at"].to_numpy()]
    return frame.drop(columns="at").assign(measure=said.measure, span=said.span)


def measured(said: Figures, places: Mapping[str, Sequence[str]], rng: np.random.Generator) -> pd.DataFrame:
    """The grid of a measure with invented figures."""
    frame = grid(said, places)
    people, counts = (rng.integers(*ends, size=len(frame), endpoint=True) for ends in (PEOPLE, COUNTS))
    values = np.round(rng.uniform(*VALUES, size=len(frame)), 3)
    drawn = {"count": counts, "denominator": people.astype(float), "value": values}
    return frame.assign(**{name: drawn[name] for name in said.filled})


def peopled(said: Figures, places: Mapping[str, Sequence[str]], rng: np.random.Generator) -> pd.DataFrame:
    """The grid of numbers of people."""
    frame = grid(said, places)
    return frame.assign(population=rng.integers(*PEOPLE, size=len(frame), endpoint=True).astype(float))


def _key(key: Any) -> tuple[str, int]:
    return str(key[0]), int(key[1])


def _groups(own: pd.DataFrame) -> tuple[tuple[str | None, str | None, int | None], ...]:
    distinct = own[GROUP].drop_duplicates().sort_values(GROUP).itertuples(index=False)
    return tuple(
        (None if pd.isna(age) else age, None if pd.isna(sex) else sex, None if pd.isna(fifth) else int(fifth))
        for age, sex, fifth in distinct
    )


def _given(own: pd.DataFrame, name: str) -> bool:
    return name in own and bool(own[name].notna().any())
