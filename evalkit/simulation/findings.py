"""What others found and counted: published findings and scores, and how many people at risk are reached."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from evalkit.simulation.cast import ids
from evalkit.simulation.days import FIRST, last
from evalkit.simulation.lives import Lives
from evalkit.simulation.scenario import Scenario, shipped
from evalkit.simulation.spine import PEOPLE_65_PLUS

CLIMATE = "devon_climate"
MEAN, BETWEEN, SD = 3.1, 0.25, 0.8
"""Of the published means of places: their mean and spread; and the standard deviation given beside each."""

TIERS = {"top 2%": 0.02, "next 3%": 0.03, "next 15%": 0.15}
REACHED = {"top 2%": 0.45, "next 3%": 0.30, "next 15%": 0.08}
"""The share of people in each tier whom the programme reaches, at both counts."""

COUNTED = (30, -20)
"""People are counted so many days after the start, and before the last day."""


def tables(scenario: Scenario, lives: Lives, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """`findings`, `scores` and `risk_tiers`."""
    written = shipped("notes")["findings"]
    names = ("statement", "source", "level", "step", "design", "measure", "unit", "estimate", "low", "high", "n",
             "checked_by")  # fmt: skip
    said = {name: [row.get(name) for row in written] for name in names}
    findings = pd.DataFrame({"finding_id": ids("FD", len(written)), **said})
    return {"findings": findings, "scores": _scores(scenario, rng), "risk_tiers": _tiers(scenario, lives, rng)}


def _scores(scenario: Scenario, rng: np.random.Generator) -> pd.DataFrame:
    """The climate of each programme place at the first and last wave, as somebody else averaged it."""
    ends = (0, scenario.waves - 1)
    place, end = (at.ravel() for at in np.indices((scenario.programme_places, len(ends))))
    wave, many = np.array(ends)[end], len(place)
    days = [scenario.opens_on[at] + timedelta(days=10) for at in wave]
    return pd.DataFrame(
        {
            "subject_kind": "place",
            "subject_id": ids("P", scenario.places)[place],
            "instrument": CLIMATE,
            "domain": "climate",
            "wave": wave + 1,
            "measured_on": pd.to_datetime(days),
            "basis": "individuals",
            "mean": np.clip(np.round(rng.normal(MEAN, BETWEEN, many), 2), 1, 5),
            "sd": SD,
            "n": rng.integers(9, 24, many),
        }
    )


def _tiers(scenario: Scenario, lives: Lives, rng: np.random.Generator) -> pd.DataFrame:
    """Shares of everybody in the place, and those of them the programme reaches."""
    everybody = lives.population[:, scenario.start_month].sum(axis=1) / PEOPLE_65_PLUS
    place, count, tier = (at.ravel() for at in np.indices((scenario.programme_places, len(COUNTED), len(TIERS))))
    people = np.rint(everybody[place] * np.array(list(TIERS.values()))[tier]).astype(np.int64)
    on = FIRST + np.array([COUNTED[0], last(scenario) + COUNTED[1]])
    return pd.DataFrame(
        {
            "place_id": ids("P", scenario.places)[place],
            "counted_on": on[count],
            "tier": np.array(list(TIERS))[tier],
            "people": people,
            "reached": rng.binomial(people, np.array(list(REACHED.values()))[tier]),
        }
    )


def expected() -> dict[str, Any]:
    """What the published scores are drawn around, and shares of people reached."""
    return {"scores": {"mean_of_places": MEAN}, "risk_tiers": {"share_reached": REACHED}}
