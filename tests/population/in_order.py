"""Programmes made by hand of the figures of one measure over time: shares, rates, counts and scores by any period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

import evalkit as ek
from evalkit.measure import Measure
from evalkit.programme import Programme
from evalkit.reading.plan import Plan
from evalkit.result import Result

SURVEY = "joined_up_care"
"""A shipped measure: so many of those who answered, higher is better, without a season."""
FALLS = Measure(
    "falls", "Falls", "per 1,000 people", "lower", "count", "patients", "made up", validated=False, per=1_000
)  # fmt: skip


@cache
def _loaded() -> Programme:
    """A programme of one row a table, loaded once: what is put into it is typed like what was read."""
    tables = {
        "places": "place_id,name,arm\nP1,P1,programme\nP2,P2,programme\nC1,C1,comparison\n",
        "outcomes": f"measure,place_id,period,count,denominator\n{SURVEY},P1,2024-04,1,2\n",
        "denominators": "place_id,period,population\nP1,2024-04,10\n",
        "events": "event_id,place_id,starts_on,ends_on,kind,name\nV1,,2024-04-01,,shock,Flood\n",
        "programme": "",
    }
    with TemporaryDirectory() as where:
        for name, rows in tables.items():
            (Path(where) / f"{name}.csv").write_text(rows, encoding="utf-8") if rows else None
        said = 'schema = 1\nname = "Testmere"\nstarts_on = 2022-04-01\nas_of = 2040-12-31\nfictional = true\n'
        (Path(where) / "programme.toml").write_text(said, encoding="utf-8")
        return ek.load(where)


def made(
    places: Mapping[str, Sequence[Sequence[float]]],
    *,
    measure: Measure | str = FALLS,
    first: str = "2021-04",
    span: int = 1,
    step: int = 0,
    plan: Plan | None = None,
    as_of: date | None = None,
    events: Sequence[tuple[str, str, str]] = (),
    people: Sequence[tuple[str, str, int]] = (),
) -> Programme:
    """By place, a row a period: (count,), (count, out of how many) or, of scores, (value,); none where () stands.

    `span`: months of a period; `step`: months from one to the next. `events`: first day, kind and name. `people`: rows
    of denominators. C1 is a place to compare with.
    """
    base = _loaded()._contents
    what = base.measures[measure] if isinstance(measure, str) else measure
    value = "value" if what.kind == "score" else "count"
    rows = [
        {"measure": what.id, "place_id": place, "period": begins, "span": span, value: told[0],
         "denominator": told[1] if len(told) > 1 else None}
        for place, held in places.items()
        for begins, told in zip(pd.date_range(first, periods=len(held), freq=f"{step or span}MS"), held, strict=True)
        if told
    ]  # fmt: skip
    happened = [{"event_id": f"V{at}", "starts_on": pd.Timestamp(day), "kind": kind, "name": name}
                for at, (day, kind, name) in enumerate(events)]  # fmt: skip
    known = [{"place_id": place, "period": pd.Timestamp(month), "span": 1, "population": n}
             for place, month, n in people]  # fmt: skip
    tables: dict[str, list[dict[str, Any]]] = {"outcomes": rows, "events": happened, "denominators": known}
    typed = {
        name: pd.DataFrame(held, columns=base.tables[name].columns).astype(base.tables[name].dtypes.to_dict())
        for name, held in tables.items()
    }
    settings = replace(base.settings, plan=plan or Plan(), as_of=as_of or base.settings.as_of)
    measures = {**base.measures, what.id: what}
    return Programme(replace(base, settings=settings, tables={**base.tables, **typed}, measures=measures))


def asked(places: Mapping[str, Sequence[Sequence[float]]], how: Mapping[str, Any] | None = None, **of: Any) -> Result:
    """The variation of that measure."""
    measure = of.get("measure", FALLS)
    name = measure if isinstance(measure, str) else measure.id
    return ek.population.variation(made(places, **of), measure=name, **(how or {}))
