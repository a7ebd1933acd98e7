"""How far each place has come, in its own eyes and in its partners': the maturity tool's answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from evalkit.simulation.answers import Sheet
from evalkit.simulation.cast import Cast, Numbers, ids
from evalkit.simulation.forms import Form
from evalkit.simulation.people import Leaders
from evalkit.simulation.scenario import Scenario
from evalkit.simulation.scoring import Floats, Ticking

STARTS = (2.4, 2.1, 2.4, 1.6, 2.0, 2.0, 1.9, 1.7)
"""Latent position of each domain at the first wave, in the order of the published figure."""

BETWEEN_PLACES = 0.35
CHANGE_OF_PLACES = 0.30
LENIENCY = 0.45
"""Standard deviations: of places, of their change beside the planted one, and of one scorer's mildness."""

TICKING = Ticking(np.zeros(1), np.ones(1), low=0, high=5, occasion=0.0, item=0.55)

LEADERS_OF_A_TEAM = 4
PARTNERS_OF_A_PLACE = 5
"""How many of each team, and how many people from outside, score their place."""

PARTNERS_BELOW = 0.3
PARTNERS_FOLLOW = 0.5
"""Partners start lower, and see half of how places differ and of what changes."""

REPLIES = {"staff": 0.72, "partner": 0.66}


@dataclass(frozen=True, slots=True)
class Place:
    """Where each place stands at the first wave and how far it moves by itself: a row a place, a column a domain."""

    start: Floats
    change: Floats


def draw(scenario: Scenario, rng: np.random.Generator) -> Place:
    """The programme places, as they really are."""
    shape = (scenario.programme_places, len(STARTS))
    return Place(BETWEEN_PLACES * rng.standard_normal(shape), CHANGE_OF_PLACES * rng.standard_normal(shape))


def variance(progress: float, *, follows: float = 1.0) -> float:
    """Of latent positions over places and scorers when so much of the change has happened."""
    return follows**2 * (BETWEEN_PLACES**2 + (progress * CHANGE_OF_PLACES) ** 2) + LENIENCY**2


def shifts(scenario: Scenario, form: Form) -> Floats:
    """How far each domain's latent mean moves by the last wave, so that its expected score moves as planted."""
    wanted = (scenario.effects[f"{form.instrument}_{domain}"] for domain in form.domains)
    return np.array([_shift(change, mean) for change, mean in zip(wanted, STARTS, strict=True)])


@cache
def _shift(change: float, mean: float) -> float:
    return TICKING.shift_for(change, mean=mean, variance=variance(0.0), variance_after=variance(1.0))


def expected_by_wave(scenario: Scenario, form: Form, *, partners: bool = False) -> dict[str, list[float]]:
    """Each domain's population mean at every wave, were everybody to answer."""
    follows, below = (PARTNERS_FOLLOW, PARTNERS_BELOW) if partners else (1.0, 0.0)
    return {
        domain: [
            TICKING.expected(mean - below + follows * moved * at, variance(at, follows=follows))
            for at in scenario.progress
        ]
        for domain, mean, moved in zip(form.domains, STARTS, shifts(scenario, form), strict=True)
    }


def sheets(
    scenario: Scenario, cast: Cast, leaders: Leaders, places: Place, form: Form, rng: np.random.Generator
) -> list[Sheet]:
    """Some leaders of each team, staff of partner organisations, and partners who only look on."""
    every, ends = np.arange(scenario.waves), np.array([0, scenario.waves - 1])
    first = np.concatenate([np.flatnonzero(cast.team == team)[:LEADERS_OF_A_TEAM] for team in range(scenario.teams)])
    partner, watched = _partners(cast)
    staffed = rng.random((len(cast.staff), len(every))) < REPLIES["staff"]
    replied = rng.random((len(partner), len(ends))) < REPLIES["partner"]
    scorers = (
        ("team_member", cast.leader[first], cast.place[first], every, leaders.answers[first]),
        ("team_member", cast.staff, cast.staff_place, every, staffed),
        ("partner", cast.partner[partner], watched, ends, replied),
    )
    place_ids = ids("P", scenario.places)
    filled = []
    for rater, respondent, place, waves, answered in scorers:
        latent = _latent(scenario, places, place, waves, shifts(scenario, form), rng, partners=rater == "partner")
        ticks = TICKING.tick(latent, rng)[..., 0]
        given = np.broadcast_to(answered[..., None], ticks.shape)
        filled.append(Sheet(form, rater, respondent, "place", place_ids[place], waves, ticks, given))
    return filled


def _latent(
    scenario: Scenario,
    places: Place,
    place: Numbers,
    waves: Numbers,
    moved: Floats,
    rng: np.random.Generator,
    *,
    partners: bool,
) -> Floats:
    """Scorer × wave × domain."""
    follows, below = (PARTNERS_FOLLOW, PARTNERS_BELOW) if partners else (1.0, 0.0)
    mildness = LENIENCY * rng.standard_normal((len(place), 1, 1))
    start = np.array(STARTS) - below + follows * places.start[place]
    change = follows * (moved + places.change[place])
    return start[:, None] + change[:, None] * scenario.progress[waves][:, None] + mildness


def _partners(cast: Cast) -> tuple[Numbers, Numbers]:
    """Which partner scores which place: a few to each place, dealt in turn."""
    watched = np.unique(cast.team_place)
    each = min(PARTNERS_OF_A_PLACE, len(cast.partner))
    partner = np.arange(len(watched) * each) % len(cast.partner)
    return partner, np.repeat(watched, each)
