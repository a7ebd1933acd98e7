"""A small programme whose places were scored on the maturity tool, for tests of what rests on scores."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from evalkit.programme import Programme, Settings
from evalkit.reading.plan import Plan

Row = tuple[str, str, int, dict[str, float | None]]
"""Respondent, place, wave, answers by domain."""


def programme(
    *rows: Row,
    outside: tuple[Row, ...] = (),
    works: dict[str, str] | None = None,
    levels: dict[str, str] | None = None,
    comparison: tuple[str, ...] = (),
    tables: dict[str, pd.DataFrame] | None = None,
    as_of: date = date(2026, 3, 31),
    **told: Any,
) -> Programme:
    """`rows` by those inside, `outside` by partners; `works` and `levels` by respondent (else organisation O0)."""
    held = [("team_member", row) for row in rows] + [("partner", row) for row in outside]
    answers = pd.DataFrame(
        [
            {"respondent_id": who, "subject_kind": "place", "subject_id": place, "rater": rater, "instrument": "icfat",
             "item": domain, "wave": wave, "timing": "pre", "answered_on": f"202{3 + wave}-05-01", "answer": answer}
            for rater, (who, place, wave, given) in held
            for domain, answer in given.items()
        ]
    )  # fmt: skip
    answers["answered_on"] = pd.to_datetime(answers["answered_on"])
    answers["wave"] = answers["wave"].astype("Int64")
    who, places = sorted(set(answers["respondent_id"])), sorted(set(answers["subject_id"]))
    works, levels = works or {}, levels or {}
    bodies = sorted({"O0", *works.values()})
    built = {
        "responses": answers,
        "respondents": pd.DataFrame({"respondent_id": who, "organisation_id": [works.get(one, "O0") for one in who],
                                     "level": [levels.get(one) for one in who]}),
        "organisations": pd.DataFrame({"organisation_id": bodies, "name": [f"Body {body}" for body in bodies]}),
        "places": pd.DataFrame({"place_id": places, "name": [f"Place {place}" for place in places],
                                "arm": ["comparison" if place in comparison else "programme" for place in places]}),
        "waves": pd.DataFrame({"wave": [1, 2], "closes_on": pd.to_datetime(["2024-05-31", "2025-05-31"])}),
    }  # fmt: skip
    said = {"name": "Testmere", "starts_on": date(2024, 4, 1), "as_of": as_of, "fictional": True, **told}
    return Programme.build(settings=Settings(**said), tables=built | (tables or {}))


def alike(place: str, wave: int, score: float, *, n: int = 3, domain: str = "culture", start: int = 0) -> list[Row]:
    """`n` people of a place who all score it the same on one domain."""
    return [(f"{place}r{start + one}", place, wave, {domain: score}) for one in range(n)]


def plan(primary: str) -> Plan:
    """A plan that declared beforehand what counts."""
    return Plan(primary={"team": primary})
