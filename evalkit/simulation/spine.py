"""The tables of who and when: people, leaders, teams, organisations, places, waves, and what else happened."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from evalkit.simulation import lives
from evalkit.simulation.cast import SENIORITY, TIERS, Cast, ids
from evalkit.simulation.people import Leaders
from evalkit.simulation.scenario import OPEN_DAYS, START, Scenario, shipped

PEOPLE_65_PLUS = 0.20
"""Share of a place's population that is 65 or over."""


def tables(scenario: Scenario, cast: Cast, leaders: Leaders, people_65_plus: list[int]) -> dict[str, pd.DataFrame]:
    """Everything the other tables refer to."""
    return {
        "places": _places(scenario, people_65_plus),
        "organisations": _organisations(),
        "teams": _teams(scenario, cast),
        "people": _people(cast),
        "participants": _participants(cast, leaders),
        "waves": _waves(scenario),
        "events": _events(scenario),
    }


def _places(scenario: Scenario, people_65_plus: list[int]) -> pd.DataFrame:
    programme = np.arange(scenario.places) < scenario.programme_places
    return pd.DataFrame(
        {
            "place_id": ids("P", scenario.places),
            "name": shipped("northmere")["places"][: scenario.places],
            "kind": "neighbourhood",
            "arm": np.where(programme, "programme", "comparison"),
            "start": pd.Series(pd.Timestamp(START), index=range(scenario.places)).where(programme),
            "population": [round(people / PEOPLE_65_PLUS) for people in people_65_plus],
            "may_be_named": True,
        }
    )


def _organisations() -> pd.DataFrame:
    """Nobody's official code: these bodies do not exist. They serve all of Northmere, so no one place is theirs.

    Those that were merged before the start stand last, so that they change no other's id.
    """
    standing = [*shipped("northmere")["organisations"], *shipped("northmere")["outside"]]
    bodies = [*standing, *shipped("northmere")["former"]]
    names, numbers = [body["name"] for body in bodies], ids("O", len(bodies))
    return pd.DataFrame(
        {
            "organisation_id": numbers,
            "name": names,
            "sector": [body["sector"] for body in bodies],
            "ods_code": pd.Series([None] * len(bodies), dtype="str"),
            "successor_id": [numbers[names.index(body["into"])] if "into" in body else None for body in bodies],
            "valid_to": pd.to_datetime([body.get("ended") for body in bodies]),
            "workforce": [body["workforce"] for body in bodies],
        }
    )


def _teams(scenario: Scenario, cast: Cast) -> pd.DataFrame:
    names = shipped("northmere")["places"]
    turn = np.arange(scenario.teams) // scenario.programme_places
    return pd.DataFrame(
        {
            "team_id": ids("T", scenario.teams),
            "name": [f"{names[place]} team {number + 1}" for place, number in zip(cast.team_place, turn, strict=True)],
            "place_id": ids("P", scenario.places)[cast.team_place],
            "tier": np.array(TIERS)[np.arange(scenario.teams) % len(TIERS)],
            "cohort": np.where(cast.team_place % 2 == 0, "east", "west"),
        }
    )


def _people(cast: Cast) -> pd.DataFrame:
    outsiders = np.concatenate([cast.not_joined, cast.not_invited])
    groups = (
        (cast.leader, cast.organisation, "participant"),
        (cast.sponsor, cast.sponsor_organisation, "sponsor"),
        (cast.partner, cast.partner_organisation, "partner"),
        (cast.staff, cast.staff_organisation, "other"),
        (outsiders, cast.outsider_organisation, "other"),
    )
    bodies = ids("O", len(shipped("northmere")["organisations"]) + len(shipped("northmere")["outside"]))
    return pd.DataFrame(
        {
            "person_id": np.concatenate([names for names, _, _ in groups]),
            "organisation_id": bodies[np.concatenate([organisation for _, organisation, _ in groups])],
            "kind": np.repeat([kind for _, _, kind in groups], [len(names) for names, _, _ in groups]),
        }
    )


def _participants(cast: Cast, leaders: Leaders) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "participant_id": cast.leader,
            "team_id": ids("T", len(cast.team_place))[cast.team],
            "seniority": np.array(SENIORITY)[cast.seniority],
            "profession": cast.profession,
            "joined": pd.Timestamp(START),
            "left": pd.to_datetime(pd.Series(leaders.left_on, dtype="object")),
            "arm": "programme",
        }
    )


def _waves(scenario: Scenario) -> pd.DataFrame:
    labels = ["Baseline", *(f"Review {number}" for number in range(1, scenario.waves))]
    return pd.DataFrame(
        {
            "wave": np.arange(1, scenario.waves + 1),
            "label": labels,
            "opens_on": pd.to_datetime(list(scenario.opens_on)),
            "closes_on": pd.to_datetime([day + timedelta(days=OPEN_DAYS) for day in scenario.opens_on]),
        }
    )


def _events(scenario: Scenario) -> pd.DataFrame:
    """A shock and a change of definition everywhere, another scheme in some places; none with events=False."""
    months = pd.Timestamp(START)
    shock = [months + pd.DateOffset(months=month) for month in (lives.SHOCK_MONTHS[0], lives.SHOCK_MONTHS[-1] + 1)]
    defined = months + pd.DateOffset(months=lives.DEFINITION_MONTH)
    rows = [
        (None, shock[0], shock[1] - pd.Timedelta(days=1), "shock", "Winter pressures", lives.MEASURE),
        (None, defined, None, "definition_change", "Same-day emergency care is counted from here", lives.MEASURE),
        *(
            (place, pd.Timestamp(2024, 9, 2), None, "concurrent_intervention", "The Neighbours' Larder scheme", None)
            for place in ids("P", scenario.places)[: max(scenario.programme_places // 3, 1)]
        ),
    ]
    columns = ["place_id", "starts_on", "ends_on", "kind", "name", "measure"]
    events = pd.DataFrame(rows if scenario.events else [], columns=columns)
    return events.assign(
        event_id=ids("V", len(events)),
        starts_on=pd.to_datetime(events["starts_on"]),
        ends_on=pd.to_datetime(events["ends_on"]),
    )[["event_id", *columns]]
