"""Meetings across organisations with who came to them, and disagreements that were brought into the open."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit.simulation import days
from evalkit.simulation.cast import Cast, Numbers, ids, named, where
from evalkit.simulation.days import Days
from evalkit.simulation.people import Leaders
from evalkit.simulation.scenario import Scenario

MONTHS_BEFORE = 6
"""Meetings are noted from so many months before the start."""

PER_MONTH = 0.5
"""Meetings a programme place and month before the start; afterwards the effect `meetings` multiplies them."""

RELATIONAL = 0.30
"""The share held to know each other better, before and after."""

MODES = {"face_to_face": 0.45, "video": 0.40, "telephone": 0.05, "mixed": 0.10}

OF_A_TEAM = 0.4
"""The share of meetings after the start that are one team's; who came is noted for these."""

PRESENT = 0.72
"""The share of a team's leaders, those who had not left, who come to its meetings."""

RAISED = 0.12
"""Disagreements noted a programme place and month, after the start."""

KINDS = {"individual": 0.25, "professional": 0.35, "organisational": 0.40}
RESOLVED = 0.62
OUTCOMES = {"all_gained": 0.30, "each_gave_something": 0.30, "one_gave_way": 0.15, "others_decided": 0.10,
            "set_aside": 0.15}  # fmt: skip
LONGEST = 120
"""Days at most until a disagreement that ends has ended."""


def tables(scenario: Scenario, cast: Cast, leaders: Leaders, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """`meetings` and `meeting_attendance`."""
    places, months = scenario.programme_places, days.whole_months(scenario)
    after = PER_MONTH * scenario.effects["meetings"]
    place, held = _both(
        days.monthly(PER_MONTH, places, (-MONTHS_BEFORE, 0), rng), days.monthly(after, places, (0, months), rng)
    )
    many = len(place)
    own = (held >= days.FIRST) & (rng.random(many) < OF_A_TEAM)
    team = np.where(own, days.team_of_place(place, cast, rng), -1)
    meetings = pd.DataFrame(
        {
            "meeting_id": ids("M", many, width=3),
            "held_on": held,
            "place_id": ids("P", scenario.places)[place],
            "team_id": named(ids("T", scenario.teams), team),
            "mode": rng.choice(list(MODES), many, p=list(MODES.values())),
            "purpose": np.where(rng.random(many) < RELATIONAL, "relational", "business"),
        }
    )
    return {"meetings": meetings, "meeting_attendance": _attendance(meetings, team, cast, leaders, rng)}


def _both(earlier: tuple[Numbers, Days], later: tuple[Numbers, Days]) -> tuple[Numbers, Days]:
    return np.concatenate([earlier[0], later[0]]), np.concatenate([earlier[1], later[1]])


def _attendance(
    meetings: pd.DataFrame, team: Numbers, cast: Cast, leaders: Leaders, rng: np.random.Generator
) -> pd.DataFrame:
    """The leaders of the team who had not left by then, and whether they came."""
    left = np.array(leaders.left_on, dtype="datetime64[D]")
    held = meetings["held_on"].to_numpy(dtype="datetime64[D]")
    still = np.isnat(left) | (left >= held[:, None])
    meeting, member = np.nonzero((team[:, None] == cast.team) & still)
    return pd.DataFrame(
        {
            "meeting_id": meetings["meeting_id"].to_numpy()[meeting],
            "person_id": cast.leader[member],
            "present": rng.random(len(meeting)) < PRESENT,
        }
    )


def conflicts(scenario: Scenario, cast: Cast, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """`conflicts`. Whether one ends is drawn first and the day then, so that the share is exact at any day."""
    place, raised = days.monthly(RAISED, scenario.programme_places, (0, days.whole_months(scenario)), rng)
    many = len(place)
    team = np.where(rng.random(many) < 0.5, days.team_of_place(place, cast, rng), -1)
    ended = rng.random(many) < RESOLVED
    latest = np.minimum(days.since_start(raised) + LONGEST, days.last(scenario))
    resolved = days.between(days.since_start(raised), latest, rng, many)
    outcome = rng.choice(list(OUTCOMES), many, p=list(OUTCOMES.values()))
    return {
        "conflicts": pd.DataFrame(
            {
                "conflict_id": ids("K", many),
                "place_id": ids("P", scenario.places)[place],
                "team_id": named(ids("T", scenario.teams), team),
                "raised_on": raised,
                "kind": rng.choice(list(KINDS), many, p=list(KINDS.values())),
                "resolved_on": np.where(ended, resolved, days.NEVER),
                "outcome": where(ended, outcome.tolist()),
            }
        )
    }


def expected(scenario: Scenario) -> dict[str, Any]:
    """Rates of the programme places and shares, over everything this scenario could have drawn."""
    return {
        "meetings": {
            "per_place_per_month_before": PER_MONTH,
            "per_place_per_month_after": PER_MONTH * scenario.effects["meetings"],
            "share_relational": RELATIONAL,
            "share_face_to_face": MODES["face_to_face"],
            "share_of_leaders_present": PRESENT,
        },
        "conflicts": {
            "raised_per_place_per_month": RAISED,
            "share_resolved": RESOLVED,
            "share_of_resolved_in_which_all_gained": OUTCOMES["all_gained"],
        },
    }
