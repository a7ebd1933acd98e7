"""What was promised, offered and asked for: compacts, interventions, drivers, actions, requests, and spread."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit.simulation import days
from evalkit.simulation.cast import Cast, Names, Numbers, ids, named, where
from evalkit.simulation.scenario import Scenario, shipped

KEPT = {
    "programme_and_participants": 0.80,
    "participants_with_each_other": 0.65,
    "participants_and_sponsors": 0.50,
}
"""The share kept of the promises of which anybody can tell."""

NOBODY_CAN_TELL = 0.10

PRESENT = {"reinforce": 0.55, "monitor": 0.30, "encourage": 0.60, "reward": 0.20}
"""The share of organisations in which each driver is there, at both looks."""

LOOKS = (30, -30)
"""Drivers are looked for so many days after the start, and before the last day."""

DECIDED, DONE = 0.85, 0.60
"""The share of signals on which something is decided, and of decisions that are carried out."""

REQUESTS, ANSWERED = 0.05, 0.80
"""Requests for support a team and month, and the share of them that is answered."""

SPREAD_FROM, SPREAD_EVERY = 90, 120
GUESTS = ("nurse", "social worker", "volunteer")
INVITED, CAME = 20, 0.60
"""Guests of each kind invited to a spread event on average, and the share who come."""

CRITERIA = ("brings_plan_nearer", "fits_workforce_strategy", "joins_organisations", "develops", "affordable")


def tables(scenario: Scenario, cast: Cast, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """All six."""
    return {
        "compacts": _compacts(scenario, cast, rng),
        "interventions": _interventions(),
        "drivers": _drivers(scenario, rng),
        "actions": _actions(scenario, cast, rng),
        "support_requests": _requests(scenario, rng),
        "spread_events": _spread(scenario, rng),
    }


def of_sector(sector: str) -> int:
    """The position of the first organisation of a sector."""
    return [body["sector"] for body in shipped("northmere")["organisations"]].index(sector)


def _compacts(scenario: Scenario, cast: Cast, rng: np.random.Generator) -> pd.DataFrame:
    """One of each kind a team: the programme to the team, one member to another, a sponsor to a leader."""
    teams, kinds = scenario.teams, list(KEPT)
    first = np.array([int(np.flatnonzero(cast.team == team)[0]) for team in range(teams)])
    programme = ids("O", len(shipped("northmere")["organisations"]))[of_sector("commissioner")]
    promised = [np.full(teams, programme), cast.leader[first], cast.sponsor[cast.sponsor_of[first]]]
    to = [ids("T", teams), cast.leader[first + 1], cast.leader[first]]
    kind, many = np.repeat(np.arange(3), teams), 3 * teams
    agreed = days.between(14, 60, rng, many)
    due = agreed + rng.integers(60, 121, many)
    told, kept = rng.random(many) >= NOBODY_CAN_TELL, rng.random(many) < np.array(list(KEPT.values()))[kind]
    met_on = days.between(days.since_start(agreed) + 7, days.since_start(due) + 20, rng, many)
    which = rng.integers(0, 3, many)
    said = shipped("notes")["compacts"]
    words = {
        what: [said[kinds[own]][what][at] for own, at in zip(kind, which, strict=True)]
        for what in ("commitments", "reasons")
    }
    return pd.DataFrame(
        {
            "compact_id": ids("B", many),
            "kind": np.array(kinds)[kind],
            "party_a": np.concatenate(promised),
            "party_b": np.concatenate(to),
            "commitment": words["commitments"],
            "agreed_on": agreed,
            "due_on": due,
            "met": pd.array(where(told, kept.tolist()), dtype="boolean"),
            "met_on": np.where(told & kept, met_on, days.NEVER),
            "reason": where(told & ~kept, words["reasons"]),
        }
    )


def _interventions() -> pd.DataFrame:
    """What was offered is the same whatever the seed; success was agreed before the start, but for one of them."""
    offered = shipped("notes")["interventions"]
    said = ("menu_code", "who", "what", "where", "purpose")
    return pd.DataFrame(
        {
            "intervention_id": ids("I", len(offered)),
            **{name: [row[name] for row in offered] for name in said},
            **{name: [row["criteria"][at] for row in offered] for at, name in enumerate(CRITERIA)},
            **{name: [row.get(name) for row in offered] for name in ("agreed_success", "agreed_with")},
            "agreed_on": [days.FIRST + row["on"] if "on" in row else days.NEVER for row in offered],
        }
    )


def _drivers(scenario: Scenario, rng: np.random.Generator) -> pd.DataFrame:
    """Every organisation whose leaders take part, looked at twice."""
    bodies = ids("O", len(shipped("northmere")["organisations"]))
    looks = days.FIRST + np.array([LOOKS[0], days.last(scenario) + LOOKS[1]])
    look, body, kind = (at.ravel() for at in np.indices((len(looks), len(bodies), len(PRESENT))))
    return pd.DataFrame(
        {
            "organisation_id": bodies[body],
            "kind": np.array(list(PRESENT))[kind],
            "present": rng.random(len(kind)) < np.array(list(PRESENT.values()))[kind],
            "observed_on": looks[look],
        }
    )


def _actions(scenario: Scenario, cast: Cast, rng: np.random.Generator) -> pd.DataFrame:
    """Each signal written down, once; whether it is decided on and done is drawn first and the days then."""
    written, last = shipped("notes")["actions"], days.last(scenario)
    many = len(written)
    team = rng.integers(0, scenario.teams, many)
    raised = np.sort(days.between(30, last - 60, rng, many))
    decided, done = rng.random(many) < DECIDED, rng.random(many) < DONE
    decided_on = raised + rng.integers(5, 31, many)
    done_on = days.between(days.since_start(decided_on), last, rng, many)
    done &= decided
    kinds = [row["owner"] for row in written]
    owners = _owners(kinds, team, scenario, cast)
    own_team = np.where(np.array(kinds) == "team", team, -1)
    return pd.DataFrame(
        {
            "action_id": ids("AC", many),
            "signal": [row["signal"] for row in written],
            "place_id": ids("P", scenario.places)[cast.team_place[team]],
            "team_id": named(ids("T", scenario.teams), own_team),
            "domain": [row["domain"] for row in written],
            "raised_on": raised,
            "decision": where(decided, [row["decision"] for row in written]),
            "decided_on": np.where(decided, decided_on, days.NEVER),
            "owner": where(decided, owners.tolist()),
            "due_on": np.where(decided, decided_on + 60, days.NEVER),
            "done_on": np.where(done, done_on, days.NEVER),
            "reason": where(decided & ~done, [row["reason"] for row in written]),
        }
    )


def _owners(kinds: list[str], team: Numbers, scenario: Scenario, cast: Cast) -> Names:
    """The team itself, the commissioning organisation, or the sponsor of its first leader."""
    first = np.array([int(np.flatnonzero(cast.team == own)[0]) for own in team])
    body = ids("O", len(shipped("northmere")["organisations"]))[of_sector("commissioner")]
    candidates = {
        "team": ids("T", scenario.teams)[team],
        "organisation": np.full(len(team), body),
        "sponsor": cast.sponsor[cast.sponsor_of[first]],
    }
    return np.array([candidates[kind][at] for at, kind in enumerate(kinds)])


def _requests(scenario: Scenario, rng: np.random.Generator) -> pd.DataFrame:
    team, asked = days.monthly(REQUESTS, scenario.teams, (0, days.whole_months(scenario)), rng)
    written, many = shipped("notes")["requests"], len(team)
    about = rng.integers(0, len(written), many)
    latest = np.minimum(days.since_start(asked) + 60, days.last(scenario))
    answered = days.between(days.since_start(asked), latest, rng, many)
    return pd.DataFrame(
        {
            "request_id": ids("RQ", many),
            "team_id": ids("T", scenario.teams)[team],
            "asked_on": asked,
            "theme": [written[at]["theme"] for at in about],
            "request": [written[at]["request"] for at in about],
            "answered_on": np.where(rng.random(many) < ANSWERED, answered, days.NEVER),
        }
    )


def _spread(scenario: Scenario, rng: np.random.Generator) -> pd.DataFrame:
    """Evenings to which teams bring their own people, in the programme places in turn."""
    held = days.FIRST + np.arange(SPREAD_FROM, days.last(scenario) + 1, SPREAD_EVERY)
    event, role = (at.ravel() for at in np.indices((len(held), len(GUESTS))))
    invited = rng.poisson(INVITED, len(event))
    return pd.DataFrame(
        {
            "spread_id": ids("SE", len(held))[event],
            "held_on": held[event],
            "place_id": ids("P", scenario.places)[event % scenario.programme_places],
            "role": np.array(GUESTS)[role],
            "invited": invited,
            "came": rng.binomial(invited, CAME),
        }
    )


def expected() -> dict[str, Any]:
    """Shares and rates, over everything this scenario could have drawn."""
    return {
        "compacts": {"share_kept": KEPT, "share_of_which_nobody_can_tell": NOBODY_CAN_TELL},
        "drivers": {"share_present": PRESENT},
        "actions": {"share_decided": DECIDED, "share_of_decided_done": DONE},
        "support_requests": {"per_team_per_month": REQUESTS, "share_answered": ANSWERED},
        "spread_events": {"guests_per_event": len(GUESTS) * INVITED * CAME, "share_of_invited_who_came": CAME},
    }
