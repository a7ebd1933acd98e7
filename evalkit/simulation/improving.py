"""Small tests of change, milestones, adaptations and small wins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit.simulation import days
from evalkit.simulation.cast import Cast, ids, named, where
from evalkit.simulation.scenario import Scenario, shipped

CYCLES = 0.15
"""Tests of change a team and month."""

DECISIONS = {"adopt": 0.40, "adapt": 0.35, "abandon": 0.25}
UNDER_WAY = 45
"""A test that began within so many days of the last one has no result yet."""

MET = 0.70
"""The share of milestones that were due and were reached."""

SLIPS = {-14: 0.15, 0: 0.20, 21: 0.25, 45: 0.20, 75: 0.20}
"""Days by which a milestone that is reached comes later than planned, and how often."""

WINS = 0.06
"""Small wins noted a programme place and month."""


def tables(scenario: Scenario, cast: Cast, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """`pdsa`, `milestones`, `adaptations` and `wins`."""
    return {
        "pdsa": _pdsa(scenario, rng),
        "milestones": _milestones(scenario, rng),
        "adaptations": _adaptations(scenario, cast, rng),
        "wins": _wins(scenario, cast, rng),
    }


def _pdsa(scenario: Scenario, rng: np.random.Generator) -> pd.DataFrame:
    """Each team works at one thing at a time, so its cycles are one series, numbered."""
    team, started = days.monthly(CYCLES, scenario.teams, (0, days.whole_months(scenario)), rng)
    written, many = shipped("notes")["cycles"], len(team)
    about = rng.integers(0, len(written), scenario.teams)[team]
    decided = rng.choice(list(DECISIONS), many, p=list(DECISIONS.values())).tolist()
    over = days.since_start(started) <= days.last(scenario) - UNDER_WAY
    return pd.DataFrame(
        {
            "cycle_id": ids("C", many, width=3),
            "team_id": ids("T", scenario.teams)[team],
            "number": pd.Series(team).groupby(team).cumcount() + 1,
            "started_on": started,
            "prediction": [written[at]["prediction"] for at in about],
            "measure": [written[at]["measure"] for at in about],
            "result": where(over, [written[at][what] for at, what in zip(about, decided, strict=True)]),
            "decision": where(over, decided),
        }
    )


def _milestones(scenario: Scenario, rng: np.random.Generator) -> pd.DataFrame:
    """The same list in every programme place; the last of it lies ahead, so that not everything is due."""
    listed = shipped("notes")["milestones"]
    place, kind = (at.ravel() for at in np.indices((scenario.programme_places, len(listed))))
    many, last = len(place), days.last(scenario)
    ahead = kind == len(listed) - 1
    due, later = days.between(40, last - 80, rng, many), days.between(last + 30, last + 180, rng, many)
    met = ~ahead & (rng.random(many) < MET)
    planned = np.where(ahead, later, due)
    achieved = planned + rng.choice(list(SLIPS), many, p=list(SLIPS.values()))
    targets = np.array([entry.get("target", np.nan) for entry in listed], dtype=float)[kind]
    short = np.round(targets * rng.uniform(0.4, 0.95, many))
    return pd.DataFrame(
        {
            "milestone_id": ids("G", many),
            "place_id": ids("P", scenario.places)[place],
            "name": [listed[at]["name"] for at in kind],
            "kind": [listed[at]["kind"] for at in kind],
            "target": targets,
            "value": np.where(met, targets, short),
            "unit": [listed[at].get("unit") for at in kind],
            "planned_on": planned,
            "achieved_on": np.where(met, achieved, days.NEVER),
        }
    )


def _adaptations(scenario: Scenario, cast: Cast, rng: np.random.Generator) -> pd.DataFrame:
    """Each of those written down, once, in the place of some team."""
    written = shipped("notes")["adaptations"]
    offered = ids("I", len(shipped("notes")["interventions"]))
    team = rng.integers(0, scenario.teams, len(written))
    return pd.DataFrame(
        {
            "adaptation_id": ids("AD", len(written)),
            "intervention_id": [
                str(offered[row["intervention"]]) if "intervention" in row else None for row in written
            ],
            "place_id": ids("P", scenario.places)[cast.team_place[team]],
            "team_id": ids("T", scenario.teams)[team],
            "adapted_on": np.sort(days.between(30, days.last(scenario), rng, len(written))),
            **{name: [row[name] for row in written] for name in ("what", "why", "kind", "change", "core_kept")},
        }
    )


def _wins(scenario: Scenario, cast: Cast, rng: np.random.Generator) -> pd.DataFrame:
    place, won = days.monthly(WINS, scenario.programme_places, (0, days.whole_months(scenario)), rng)
    written = shipped("notes")["wins"]
    about = rng.permutation(len(written))[np.arange(len(place)) % len(written)]
    team = days.team_of_place(place, cast, rng)
    return pd.DataFrame(
        {
            "win_id": ids("W", len(place)),
            "place_id": ids("P", scenario.places)[place],
            "team_id": named(ids("T", scenario.teams), team),
            "won_on": won,
            **{name: [written[at].get(name) for at in about] for name in ("what", "size", "evidence")},
        }
    )


def expected() -> dict[str, Any]:
    """Rates of teams and places and shares, over everything this scenario could have drawn."""
    kept = [row["core_kept"] for row in shipped("notes")["adaptations"]]
    return {
        "pdsa": {
            "cycles_per_team_per_month": CYCLES,
            **{f"share_{decision}": share for decision, share in DECISIONS.items()},
        },
        "milestones": {
            "share_of_due_met": MET,
            "mean_slip_in_days": sum(days_late * share for days_late, share in SLIPS.items()),
        },
        "adaptations": {"share_core_kept": sum(kept) / len(kept)},
        "wins": {"per_place_per_month": WINS},
    }
