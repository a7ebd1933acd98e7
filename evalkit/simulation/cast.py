"""Who there is: places, organisations, teams, leaders, those who were invited and did not join, sponsors, partners."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalkit.simulation.scenario import Scenario, shipped

SENIORITY = ("executive", "senior_middle", "other")
TIERS = ("micro", "meso", "macro")
LEADERS_TO_A_SPONSOR = 4
LEADERS_TO_A_PARTNER = 3
STAFF_TO_A_PLACE = 5
"""People of partner organisations, not in the programme, who score a place on the maturity tool."""

NOT_JOINED = 0.14
"""People invited who never joined, as a share of the leaders who did: 21 beside 150."""

NOT_INVITED = 0.16
"""People eligible and never invited, as a share of the leaders who joined: 24 beside 150."""

Numbers = NDArray[np.int64]
Names = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody, as positions: `team[i]` is the team of leader i, and so on. No person has a name, only an id."""

    team_place: Numbers
    leader: Names
    team: Numbers
    place: Numbers
    organisation: Numbers
    seniority: Numbers
    profession: tuple[str, ...]
    sponsor: Names
    sponsor_organisation: Numbers
    sponsor_of: Numbers
    partner: Names
    partner_organisation: Numbers
    partner_of: Numbers
    staff: Names
    staff_place: Numbers
    staff_organisation: Numbers
    not_joined: Names
    not_invited: Names
    outsider_organisation: Numbers


def ids(letter: str, count: int, *, width: int = 0) -> Names:
    """`L001`, `L002` … as wide as the count needs.

    >>> ids("T", 3).tolist()
    ['T01', 'T02', 'T03']
    """
    wide = width or max(2, len(str(count)))
    return np.array([f"{letter}{number:0{wide}d}" for number in range(1, count + 1)], dtype=np.str_)


def named(names: Names, which: Numbers) -> list[str | None]:
    """The names at these positions; none where the position is -1.

    >>> named(ids("T", 3), np.array([2, -1]))
    ['T03', None]
    """
    return [str(names[at]) if at >= 0 else None for at in which]


def where(holds: NDArray[np.bool_], values: Iterable[Any]) -> list[Any]:
    """The values where something holds, and None elsewhere.

    >>> where(np.array([True, False]), ["adopt", "adapt"])
    ['adopt', None]
    """
    return [value if held else None for held, value in zip(holds.tolist(), values, strict=True)]


def draw(scenario: Scenario, rng: np.random.Generator) -> Cast:
    """Everybody in the invented programme."""
    places = _places_with_teams(scenario)
    team = np.repeat(np.arange(scenario.teams), _team_sizes(scenario, rng))
    organisation = rng.permutation(_by_share(scenario.leaders))
    sponsor_organisation, sponsor_of = _sponsors(organisation)
    partners = max(3, -(-scenario.leaders // LEADERS_TO_A_PARTNER))
    staff = STAFF_TO_A_PLACE * len(np.unique(places))
    not_joined, not_invited = round(scenario.leaders * NOT_JOINED), round(scenario.leaders * NOT_INVITED)
    inside, outside = len(shipped("northmere")["organisations"]), len(shipped("northmere")["outside"])
    return Cast(
        team_place=places,
        leader=ids("L", scenario.leaders, width=max(3, len(str(scenario.leaders)))),
        team=team,
        place=places[team],
        organisation=organisation,
        seniority=rng.choice(3, scenario.leaders, p=(0.2, 0.6, 0.2)),
        profession=_professions(organisation, rng),
        sponsor=ids("S", len(sponsor_organisation)),
        sponsor_organisation=sponsor_organisation,
        sponsor_of=sponsor_of,
        partner=ids("X", partners),
        partner_organisation=inside + np.arange(partners) % outside,
        partner_of=rng.permutation(np.arange(scenario.leaders) % partners),
        staff=ids("R", staff),
        staff_place=np.repeat(np.unique(places), STAFF_TO_A_PLACE),
        staff_organisation=rng.integers(0, inside, staff),
        not_joined=ids("N", not_joined),
        not_invited=ids("E", not_invited),
        outsider_organisation=rng.permutation(_by_share(not_joined + not_invited)),
    )


def _places_with_teams(scenario: Scenario) -> Numbers:
    """Teams are dealt to the programme places in turn, so two neighbouring numbers share no place."""
    return np.arange(scenario.teams) % scenario.programme_places


def _team_sizes(scenario: Scenario, rng: np.random.Generator) -> Numbers:
    """Even teams, then up to two people moved from one to the next: 4 to 8 for 150 leaders in 24."""
    sizes = np.full(scenario.teams, scenario.leaders // scenario.teams)
    sizes[: scenario.leaders % scenario.teams] += 1
    pairs = scenario.teams // 2
    giving, receiving = sizes[pairs : 2 * pairs], sizes[:pairs]
    moved = np.minimum(rng.integers(0, 3, pairs), np.minimum(np.maximum(giving - 4, 0), np.maximum(8 - receiving, 0)))
    sizes[pairs : 2 * pairs] -= moved
    sizes[:pairs] += moved
    return sizes


def _by_share(people: int) -> Numbers:
    """An organisation for each of so many people, in the shares of the catalogue (largest remainders)."""
    share = np.array([organisation["share"] for organisation in shipped("northmere")["organisations"]], dtype=float)
    exact = people * share / share.sum()
    counts = np.floor(exact).astype(np.int64)
    counts[np.argsort(counts - exact, kind="stable")[: people - int(counts.sum())]] += 1
    return np.repeat(np.arange(len(share)), counts)


def _sponsors(organisation: Numbers) -> tuple[Numbers, Numbers]:
    """One sponsor to every four leaders of an organisation: where sponsors work, and each leader's own."""
    sponsor_of = np.zeros(len(organisation), dtype=np.int64)
    organisations: list[int] = []
    for own in np.unique(organisation):
        leaders = np.flatnonzero(organisation == own)
        sponsors = -(-len(leaders) // LEADERS_TO_A_SPONSOR)
        sponsor_of[leaders] = len(organisations) + np.arange(len(leaders)) % sponsors
        organisations += [int(own)] * sponsors
    return np.array(organisations, dtype=np.int64), sponsor_of


def _professions(organisation: Numbers, rng: np.random.Generator) -> tuple[str, ...]:
    choices = [entry["professions"] for entry in shipped("northmere")["organisations"]]
    drawn = rng.random(len(organisation))
    return tuple(choices[own][int(at * len(choices[own]))] for own, at in zip(organisation, drawn, strict=True))
