"""What was held and who came."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.simulation.cast import Cast, Numbers, ids
from evalkit.simulation.people import Leaders
from evalkit.simulation.scenario import START, Scenario, shipped

CAME = 0.68
"""Chance that a leader in the programme comes to a session they are invited to."""

KEENNESS = 0.8
"""Standard deviation, on the probit scale, of how readily one leader comes compared with another."""

WORKSHOPS = 4


def tables(scenario: Scenario, cast: Cast, leaders: Leaders, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """`sessions` and `attendance`. Coming is unrelated to how much a leader changes: the planted dose effect is nil."""
    held: list[dict[str, Any]] = [dict(entry) for entry in shipped("northmere")["sessions"]]
    keen = KEENNESS * rng.standard_normal(scenario.leaders)
    names = ids("D", len(held))
    attendance = [
        _attendance(name, entry, scenario, cast, leaders, keen, rng) for name, entry in zip(names, held, strict=True)
    ]
    sessions = {
        "session_id": names,
        "intervention": [entry["intervention"] for entry in held],
        "theory": [entry["theory"] for entry in held],
        "held_on": pd.to_datetime([START + timedelta(days=entry["on"]) for entry in held]),
        "hours": [entry["hours"] for entry in held],
    }
    return {"sessions": pd.DataFrame(sessions), "attendance": pd.concat(attendance, ignore_index=True)}


def _attendance(
    name: str,
    entry: dict[str, Any],
    scenario: Scenario,
    cast: Cast,
    leaders: Leaders,
    keen: NDArray[np.float64],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Leaders asked to this session; and at the first, those who never joined and those never invited."""
    here = _asked(entry["who"], cast, rng) & (_leaves_on(scenario, leaders) > entry["on"])
    came = here & (rng.standard_normal(scenario.leaders) + keen < _probit(CAME) * np.sqrt(1 + KEENNESS**2))
    people = [cast.leader[here]]
    status = [np.where(came[here], "attended", "invited")]
    if entry["who"] == "all":
        people += [cast.not_joined, cast.not_invited]
        status += [np.repeat("invited", len(cast.not_joined)), np.repeat("eligible", len(cast.not_invited))]
    person, reached = np.concatenate(people), np.concatenate(status)
    stayed = np.rint(entry["hours"] * 60 * rng.beta(12, 1.2, len(person)) / 5) * 5
    minutes = pd.array(stayed, dtype="Int64")
    minutes[reached != "attended"] = pd.NA
    return pd.DataFrame(
        {"session_id": np.repeat(name, len(person)), "person_id": person, "status": reached, "minutes": minutes}
    )


def _asked(who: str, cast: Cast, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Everybody, the places of one workshop, or a share of leaders."""
    if who.startswith("workshop_"):
        return np.asarray(cast.place % WORKSHOPS == int(who.removeprefix("workshop_")) - 1)
    share = {"all": 1.0, "half": 1 / 2, "third": 1 / 3}[who]
    return rng.random(len(cast.leader)) < share


def _leaves_on(scenario: Scenario, leaders: Leaders) -> Numbers:
    """Days after the start at which a leader leaves the programme; beyond the end for those who stay."""
    return np.array([10**6 if day is None else (day - START).days for day in leaders.left_on], dtype=np.int64)


def _probit(share: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(share))
