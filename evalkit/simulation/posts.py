"""Who held which post and sat in which team, what they said of themselves, and what became of those with promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.simulation import days, people
from evalkit.simulation.cast import SENIORITY, Cast, Numbers, ids
from evalkit.simulation.days import Days
from evalkit.simulation.people import Leaders
from evalkit.simulation.scenario import Scenario, shipped

NEW_POST = 0.6
"""Of leaders who leave the programme, the share who take a post in another organisation; the others leave Northmere."""

STEPPED_UP = 0.08
"""Of leaders who stay, the share who are given another post in their own organisation."""

FROM_FORMER = 0.4
"""Of leaders of an organisation that others were merged into, the share who had worked for one of those before."""

LONG_AGO = 0.5
"""The share of first posts whose beginning nobody wrote down."""

REPLACED, AFTER_DAYS = 0.6, 21
"""The share of leaving team members whose seat is taken by somebody else, and how much later."""

LOOKED_AT = 0.12
"""The share of leaders whose promise was talked about in the first months."""

ROLES = ("director", "head of service", "team leader", "chief officer")
SEATS = {"commissioning": "commissioner", "social work": "social care", "medicine": "clinical lead",
         "nursing": "clinical lead", "allied health": "clinical lead", "policing": "partner", "housing": "partner",
         "community work": "community"}  # fmt: skip
"""The part a leader has in the team, by profession; a manager without one of these."""

SAID = {
    "sex": {"female": 0.62, "male": 0.36, "prefer not to say": 0.02},
    "ethnic_group": {"White": 0.79, "Asian": 0.10, "Black": 0.05, "Mixed or other": 0.03, "prefer not to say": 0.03},
}
"""What people answer when asked who they are, and how often: the same among those who joined and those who did not."""


@dataclass(frozen=True, slots=True)
class Fates:
    """What became of each leader: moved to another organisation, left Northmere, or stepped up; and from which day."""

    moved: NDArray[np.bool_]
    away: NDArray[np.bool_]
    stepped: NDArray[np.bool_]
    last_day: Days
    new_organisation: Numbers


def draw(scenario: Scenario, cast: Cast, leaders: Leaders, rng: np.random.Generator) -> Fates:
    """Whoever leaves the programme leaves the post too, on the same day; so no one moves while still taking part."""
    left = np.array(leaders.left_on, dtype="datetime64[D]")
    gone, many = ~np.isnat(left), scenario.leaders
    moved = gone & (rng.random(many) < NEW_POST)
    stepped = ~gone & (rng.random(many) < STEPPED_UP)
    raised = days.between(60, days.last(scenario) - 30, rng, many)
    bodies = len(shipped("northmere")["organisations"])
    elsewhere = (cast.organisation + rng.integers(1, bodies, many)) % bodies
    return Fates(moved, gone & ~moved, stepped, np.where(stepped, raised, left), elsewhere)


def tables(scenario: Scenario, cast: Cast, leaders: Leaders, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """`posts`, `memberships`, `characteristics` and `talent`."""
    fates = draw(scenario, cast, leaders, rng)
    return {
        "posts": _posts(scenario, cast, fates, rng),
        "memberships": _memberships(scenario, cast, leaders, rng),
        "characteristics": _characteristics(cast, rng),
        "talent": _talent(scenario, cast, fates, rng),
    }


def _posts(scenario: Scenario, cast: Cast, fates: Fates, rng: np.random.Generator) -> pd.DataFrame:
    """A row a post: before a merger, the one held at the start, and the one after it."""
    many, person = scenario.leaders, np.arange(scenario.leaders)
    began, known = days.between(-3000, -120, rng, many), rng.random(many) >= LONG_AGO
    start = np.where(known, began, days.NEVER)
    earlier = [_merged(at, body, cast, start, rng) for at, body in enumerate(shipped("northmere")["former"])]
    for former in earlier:
        start[former["person"]] = former["end"] + 1
    higher = np.where(cast.seniority == 0, 3, cast.seniority - 1)
    second = np.flatnonzero(fates.moved | fates.stepped)
    rows = [
        *earlier,
        {"person": person, "organisation": cast.organisation, "rank": cast.seniority, "start": start,
         "end": fates.last_day},
        {"person": second, "organisation": np.where(fates.moved, fates.new_organisation, cast.organisation)[second],
         "rank": np.where(fates.stepped, higher, cast.seniority)[second], "start": fates.last_day[second] + 1,
         "end": np.full(len(second), days.NEVER)},
    ]  # fmt: skip
    held = pd.concat([pd.DataFrame(part) for part in rows], ignore_index=True)
    held = held.sort_values("person", kind="stable", ignore_index=True)
    bodies = ids("O", sum(len(shipped("northmere")[kind]) for kind in ("organisations", "outside", "former")))
    return pd.DataFrame(
        {
            "person_id": cast.leader[held["person"]],
            "organisation_id": bodies[held["organisation"]],
            "role": np.array(ROLES)[held["rank"]],
            "seniority": np.array([*SENIORITY, "executive"])[held["rank"]],
            "start": held["start"],
            "end": held["end"],
        }
    )


def _merged(at: int, body: dict[str, Any], cast: Cast, start: Days, rng: np.random.Generator) -> dict[str, Any]:
    """Posts in a body that was merged: held to its last day, and from the next one under the new name."""
    names = [entry["name"] for entry in shipped("northmere")["organisations"]]
    standing = len(names) + len(shipped("northmere")["outside"])
    own = cast.organisation == names.index(body["into"])
    person = np.flatnonzero(own & (rng.random(len(own)) < FROM_FORMER))
    ended = np.datetime64(body["ended"], "D")
    began = np.minimum(start[person], ended - 400)
    return {
        "person": person,
        "organisation": np.full(len(person), standing + at),
        "rank": cast.seniority[person],
        "start": began,
        "end": np.full(len(person), ended),
    }


def _memberships(scenario: Scenario, cast: Cast, leaders: Leaders, rng: np.random.Generator) -> pd.DataFrame:
    """Leaders from the start until they leave, and staff of the place who take an empty seat."""
    left = np.array(leaders.left_on, dtype="datetime64[D]")
    seats = np.array([SEATS.get(profession, "manager") for profession in cast.profession])
    refilled = np.flatnonzero(~np.isnat(left) & (rng.random(scenario.leaders) < REPLACED))
    turn: dict[int, int] = {}
    new = []
    for place in cast.place[refilled].tolist():
        here = np.flatnonzero(cast.staff_place == place)
        new.append(int(here[turn.setdefault(place, 0) % len(here)]))
        turn[place] += 1
    frame = pd.DataFrame(
        {
            "person_id": np.concatenate([cast.leader, cast.staff[np.array(new, dtype=np.int64)]]),
            "team_id": ids("T", scenario.teams)[np.concatenate([cast.team, cast.team[refilled]])],
            "role": np.concatenate([seats, seats[refilled]]),
            "start": np.concatenate([np.full(scenario.leaders, days.FIRST), left[refilled] + AFTER_DAYS]),
            "end": np.concatenate([left, np.full(len(refilled), days.NEVER)]),
        }
    )
    return frame.drop_duplicates(["person_id", "team_id", "start"], ignore_index=True)


def _characteristics(cast: Cast, rng: np.random.Generator) -> pd.DataFrame:
    """Asked of everybody who was eligible, so that reach can be seen group by group."""
    person = np.concatenate([cast.leader, cast.not_joined, cast.not_invited])
    parts = [
        pd.DataFrame(
            {
                "participant_id": person,
                "characteristic": characteristic,
                "value": rng.choice(list(shares), len(person), p=list(shares.values())),
            }
        )
        for characteristic, shares in SAID.items()
    ]
    return pd.concat(parts).sort_values("participant_id", kind="stable", ignore_index=True)


def _talent(scenario: Scenario, cast: Cast, fates: Fates, rng: np.random.Generator) -> pd.DataFrame:
    """A conversation about some leaders, and what became of them: what their posts say, known at the end or before."""
    who = np.flatnonzero(rng.random(scenario.leaders) < LOOKED_AT)
    cell = rng.choice(["ready now", "ready soon", "growing"], len(who), p=[0.2, 0.35, 0.45])
    known = np.where(np.isnat(fates.last_day), days.FIRST + days.last(scenario) - 14, fates.last_day)[who]
    came = [fates.moved[who], fates.away[who], fates.stepped[who]]
    return pd.DataFrame(
        {
            "person_id": cast.leader[who],
            "reviewed_on": np.minimum(days.between(0, 120, rng, len(who)), known),
            "grid_cell": cell,
            "outcome": np.select(came, ["left_organisation", "left_system", "higher_post"], "same_post"),
            "outcome_on": known,
        }
    )


def expected(scenario: Scenario) -> dict[str, Any]:
    """Shares of leaders by what became of them, over all leaders this scenario could have drawn."""
    leave = scenario.dropout * people.LEFT
    return {
        "posts": {
            "share_who_moved_to_another_organisation": leave * NEW_POST,
            "share_who_left_northmere": leave * (1 - NEW_POST),
            "share_who_stepped_up": (1 - leave) * STEPPED_UP,
            "share_in_the_post_they_began_in": (1 - leave) * (1 - STEPPED_UP),
        },
        "memberships": {"share_of_leavers_replaced": REPLACED},
        "characteristics": SAID,
    }
