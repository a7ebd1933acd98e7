"""A small programme of places with figures of people's lives, for tests whose answers are worked out by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import pandas as pd

import evalkit as ek
from evalkit import periods
from evalkit.measure import Measure
from evalkit.programme import Programme, Settings
from evalkit.reading import Contents, empty
from evalkit.resources import folder

Figure = Mapping[str, Any]


@cache
def northmere() -> Programme:
    """The fictional sample, read once for all tests."""
    return ek.load(folder("sample_data") / "northmere")


def programme(
    figures: Iterable[Figure],
    *,
    people: Iterable[Figure] = (),
    start: str | None = "2024-04-01",
    starts: Mapping[str, str] | None = None,
    measures: Iterable[Measure] = (),
    as_of: date = date(2026, 3, 31),
    tables: Mapping[str, pd.DataFrame] | None = None,
    **told: Any,
) -> Programme:
    """Places are named in the figures; one whose id begins with C is for comparison. `starts` by place, else `start`.

    `measures` take the place of those evalkit knows by the same id.
    """
    rows, known = list(figures), list(people)
    places = sorted({row["place_id"] for row in rows}) or ["P1"]
    begun = [None if place[0] == "C" else (starts or {}).get(place, start) for place in places]
    built = {
        "places": pd.DataFrame(
            {"place_id": places, "name": [f"Place {place}" for place in places],
             "arm": ["comparison" if place[0] == "C" else "programme" for place in places],
             "start": pd.to_datetime(pd.Series(begun, dtype=object))}
        )
    }  # fmt: skip
    if rows:
        built["outcomes"] = _table(rows)
    if known:
        built["denominators"] = _table(known)
    settings = Settings(name="Testmere", starts_on=told.pop("starts_on", None), as_of=as_of, fictional=True, **told)
    held = {name: _typed(name, frame) for name, frame in built.items()}
    if tables:  # rules between tables are for the reader's own tests; these frames are held to them
        found = Programme.build(settings=settings, tables=held | dict(tables))
    else:
        found = Programme(replace(_nothing(), settings=settings, tables=held))
    changed = {each.id: each for each in measures}
    return Programme(replace(found._contents, measures=dict(found.measures) | changed)) if changed else found


@cache
def _nothing() -> Contents:
    """A programme without tables: its catalogues are read once."""
    return Programme.build(settings=Settings(name="Testmere", as_of=date(2026, 3, 31)), tables={})._contents


def _typed(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with every column of its table, each of the type that reading gives it."""
    whole = empty(name)
    return frame.reindex(columns=whole.columns).astype(whole.dtypes.to_dict())


def _table(rows: list[Figure]) -> pd.DataFrame:
    return pd.DataFrame([{**row, **_period(row["period"])} for row in rows])


def _period(text: str) -> dict[str, Any]:
    found = periods.parse(text)
    assert found is not None, text
    return {"period": pd.Timestamp(found.first), "span": found.months}


def figure(place: str, period: str, count: int | None, people: float | None = None, **said: Any) -> dict[str, Any]:
    """One figure of deaths, unless `measure` says otherwise."""
    row = {"measure": "deaths", "place_id": place, "period": period, "count": count, "denominator": people} | said
    return {name: value for name, value in row.items() if value is not None}


def by_age(
    place: str, period: str, counts: Iterable[int], people: Iterable[float], bands: Iterable[str], **said: Any
) -> Iterator[dict[str, Any]]:
    """A figure an age band."""
    for count, n, band in zip(counts, people, bands, strict=True):
        yield figure(place, period, count, n, age_band=band, **said)


def made_up(name: str, *, kind: str = "proportion", beneficiary: str = "patients", **said: Any) -> Measure:
    """Another measure under a name evalkit knows."""
    given = {"label": f"The {name}", "unit": "in every 100", "better": "higher", "source": "made up", "per": 100.0,
             "validated": False}  # fmt: skip
    return Measure(id=name, kind=kind, beneficiary=beneficiary, **(given | said))  # type: ignore[arg-type]
