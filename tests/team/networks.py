"""Small programmes of people, organisations and ties, made by hand for tests of the network questions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import permutations
from typing import Any

import pandas as pd

from evalkit.disclosure import protect
from evalkit.programme import Programme, Settings
from evalkit.result import Result
from evalkit.terms import Audience

SETTINGS = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2026, 3, 31), fictional=True)
OPENS = ("2024-03-01", "2025-09-01", "2026-03-15")
CLOSES = ("2024-03-31", "2025-09-30", "2026-03-31")

Named = Mapping[int, Iterable[tuple[str, str]]]


def programme(
    sizes: Mapping[str, int],
    named: Named,
    *,
    silent: Mapping[int, Iterable[str]] | None = None,
    rosters: Mapping[int, Sequence[str]] | None = None,
    relation: str = "trust",
    **more: Any,
) -> Programme:
    """So many people an organisation (A1, A2, …), whom each named at each wave, and who did not answer.

    Everybody is on the roster of every wave with ties unless `rosters` says who is. `more`: whole tables, and as_of.
    """
    people = [(f"{name}{at}", name) for name, size in sizes.items() for at in range(1, size + 1)]
    told = rosters if rosters is not None else {wave: [person for person, _ in people] for wave in named}
    quiet = silent or {}
    rows = [(wave, person, person not in set(quiet.get(wave, ()))) for wave, each in told.items() for person in each]
    pairs = [(wave, one, other, relation) for wave, each in named.items() for one, other in each]
    as_of = more.pop("as_of", None)
    tables: dict[str, pd.DataFrame] = {
        "people": pd.DataFrame(people, columns=["person_id", "organisation_id"]).assign(kind="participant"),
        "organisations": pd.DataFrame({"organisation_id": [*sizes], "name": [f"{name} Trust" for name in sizes]})
        .assign(sector="council"),
        "waves": pd.DataFrame({"wave": pd.array([1, 2, 3], dtype="Int64"), "opens_on": pd.to_datetime(OPENS),
                               "closes_on": pd.to_datetime(CLOSES)}),
        "rosters": pd.DataFrame(rows, columns=["wave", "person_id", "responded"]).astype({"wave": "Int64"}),
        "ties": pd.DataFrame(pairs, columns=["wave", "from_id", "to_id", "relation"]).astype({"wave": "Int64"}),
        **more,
    }  # fmt: skip
    built = Programme.build(settings=SETTINGS, tables=tables)
    if as_of is not None:
        built.as_of = as_of
    return built


def pairs(*said: str) -> list[tuple[str, str]]:
    """'A1 B2' is a tie from A1 to B2."""
    return [(one.split()[0], one.split()[1]) for one in said]


def everybody(sizes: Mapping[str, int], keep: int = 3) -> list[tuple[str, str]]:
    """Every keep-th of all the ties there could be, in a fixed order."""
    people = [f"{name}{at}" for name, size in sizes.items() for at in range(1, size + 1)]
    return [pair for place, pair in enumerate(permutations(people, 2)) if place % keep == 0]


def row(found: Result, measure: str, group: str = "all", wave: int | None = None) -> dict[str, Any]:
    """The one row of a measure."""
    table = found.table
    held = table[table["measure"].str.startswith(measure) & (table["group"] == group)]
    held = held if wave is None else held[held["wave"] == wave]
    (one,) = held.to_dict("records")
    return one


def seen(found: Result, audience: Audience = Audience.PUBLIC) -> str:
    """All that an audience gets, but the fingerprint of the data."""
    plain = protect(found, audience).to_json()
    plain["about"].pop("data_hash")
    return json.dumps(plain, ensure_ascii=False)
