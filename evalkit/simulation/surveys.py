"""Smaller questionnaires, most at the first and last wave: teams on their project and themselves, leaders on theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from evalkit.instrument import Instrument
from evalkit.simulation.answers import Sheet
from evalkit.simulation.cast import Cast, Names, Numbers, ids
from evalkit.simulation.forms import Form
from evalkit.simulation.people import Leaders
from evalkit.simulation.scenario import Scenario
from evalkit.simulation.scoring import CLOSE, Floats, Ticking

TEAMS, LEADERS_OF_A_TEAM = 8, 4
"""So many teams are asked where a survey does not say otherwise, and of each so many leaders."""

SELF_ASKED = 24
"""So many leaders are asked about themselves."""

TEAM, PERSON, CHANGE, ITEM = 0.25, 0.40, 0.20, 0.60
"""Standard deviations: of teams, of people, of their own change beside the planted one, and of each answer."""

AGAIN = 0.75
"""The share of unnamed respondents who answer at the last wave too."""

NO_OPINION = 0.03
"""The share of answers on the project that are "no opinion"."""


ENDS, FIRST_ONLY, DIP = "first and last", "first", "a dip at the second"
"""At which waves a survey is asked, and how the planted change goes over them."""


@dataclass(frozen=True, slots=True)
class Survey:
    """Which questionnaire, who answers about whom, and where each domain starts before answers are rounded.

    `moves` says by how many times the planted change each domain moves; once, unless given.
    """

    instrument: str
    rater: str
    about: str
    starts: tuple[float, ...]
    unnamed: bool = False
    teams: int = TEAMS
    waves: str = ENDS
    moves: tuple[float, ...] = ()

    def asked_at(self, scenario: Scenario) -> Numbers:
        """The waves (from 0) at which it is asked."""
        chosen = {ENDS: [0, scenario.waves - 1], FIRST_ONLY: [0], DIP: range(scenario.waves)}[self.waves]
        return np.array(chosen, dtype=np.int64)

    def path(self, scenario: Scenario) -> Floats:
        """What part of the planted change there is at each wave asked."""
        every = {ENDS: [0.0, 1.0], FIRST_ONLY: [0.0], DIP: [0.0, 1.0, 0.5, *[0.0] * scenario.waves]}[self.waves]
        return np.array(every[: len(self.asked_at(scenario))])

    def along(self, scenario: Scenario) -> Floats:
        """How far the programme has come at each wave asked, from 0 to 1."""
        return np.asarray(self.asked_at(scenario) / (scenario.waves - 1))


SURVEYS = {
    "project": Survey("sustainability", "team_member", "team", (1.7, 1.4, 1.6), unnamed=True),
    "team": Survey("five_factors", "team_member", "team", (3.4, 2.9, 2.6, 2.7, 3.2)),
    "learning": Survey("learning", "self", "person", (3.0, 2.9, 3.6, 2.9, 3.3)),
    "demands": Survey("role_ambiguity", "self", "person", (3.1,)),
    "together": Survey("working_together", "team_member", "team", (3.4, 3.0, 2.7), teams=7),
    "knowing": Survey("knowledge_and_skills", "self", "person", (2.7, 3.0, 3.4)),
    "styles": Survey(
        "leadership_styles", "self", "person", (0.3, 0.6, 0.4, 0.45, 0.8, 0.3), moves=(0.0, 0.0, 0.0, 0.0, -1.0, 1.0)
    ),
    "keeping_going": Survey("staying_power", "self", "person", (3.4, 4.0, 3.5, 2.9), waves=DIP),
    "ready": Survey("readiness", "self", "person", (3.3,), waves=FIRST_ONLY),
}
"""By the name under which `asked` knows them. On the project low is good: a is 0 and d is 3."""


def variance(progress: float) -> float:
    """Of positions over teams and people, from the first wave (0) to the last (1)."""
    return TEAM**2 + PERSON**2 + progress * CHANGE**2


@dataclass(frozen=True, slots=True)
class Points:
    """What each answer of an instrument with points of its own is worth: a row an item, best answer first."""

    worth: tuple[tuple[float, ...], ...]
    domain: tuple[int, ...]

    @classmethod
    def of(cls, known: Instrument) -> Points:
        """Those of an instrument answered in words."""
        keys = [domain.key for domain in known.domains]
        worth = tuple(tuple(float(item.points[word]) for word in known.scale.words) for item in known.items)
        return cls(worth, tuple(keys.index(item.domain) for item in known.items))

    @property
    def best(self) -> list[float]:
        """The most points there are in each domain."""
        most = np.array(self.worth).max(axis=1)
        return [float(sum_of_domain) for sum_of_domain in np.bincount(self.domain, weights=most)]

    def expected(self, means: tuple[float, ...], progress: float) -> list[float]:
        """Each domain's expected sum, from normal probabilities of every answer: exact, without simulating."""
        from scipy.special import ndtr

        worth, own = np.array(self.worth), np.array(self.domain)
        steps = np.arange(worth.shape[1] - 1) + 0.5
        below = ndtr((steps - np.array(means)[own][:, None]) / np.sqrt(variance(progress) + ITEM**2))
        edges = np.column_stack([np.zeros(len(own)), below, np.ones(len(own))])
        each = (np.diff(edges, axis=1) * worth).sum(axis=1)
        return [float(each[own == domain].sum()) for domain in range(len(means))]


@cache
def shifts(survey: Survey, low: int, high: int, change: float, at: float) -> tuple[float, ...]:
    """How far each domain's position moves, so that its expected score has moved as planted so far along (`at`)."""
    if at == 0:
        return (0.0,) * len(survey.starts)
    ticking, (before, after) = _ticking(low, high), (variance(0), variance(at))
    moves = survey.moves or (1.0,) * len(survey.starts)
    return tuple(
        ticking.shift_for(move * change, mean=start, variance=before, variance_after=after)
        for start, move in zip(survey.starts, moves, strict=True)
    )


@cache
def project_shifts(survey: Survey, points: Points, change: float) -> tuple[float, ...]:
    """How far each domain's position moves, so that the total moves as planted: each domain by its part of the points.

    By bisection, as `Ticking.shift_for`; the lower the position, the better the letter and the more points.
    """
    if not 0 < sum(points.expected(survey.starts, 0)) + change < sum(points.best):
        raise ValueError(f"A change of {change} points in sustainability runs off the scale of {sum(points.best):g}.")
    return tuple(
        _project_shift(survey, points, domain, change * best / sum(points.best))
        for domain, best in enumerate(points.best)
    )


def _project_shift(survey: Survey, points: Points, domain: int, change: float) -> float:
    target = points.expected(survey.starts, 0)[domain] + change
    low, high = -10.0, 10.0
    while high - low > CLOSE:
        middle = (low + high) / 2
        reached = points.expected(tuple(start + middle for start in survey.starts), 1)[domain]
        low, high = (middle, high) if reached > target else (low, middle)
    return (low + high) / 2


def _ticking(low: int, high: int) -> Ticking:
    return Ticking(np.zeros(1), np.ones(1), low, high, occasion=0.0, item=ITEM)


def moved(survey: Survey, known: Instrument, scenario: Scenario) -> Floats:
    """How far each domain's position has moved at each wave asked, so that its expected score has moved as planted."""
    change = scenario.effects.get(survey.instrument, 0.0)
    if known.has_points:
        return np.outer(survey.path(scenario), project_shifts(survey, Points.of(known), change))
    low, high = int(known.scale.low), int(known.scale.high)
    at_each = zip(survey.path(scenario).tolist(), survey.along(scenario).tolist(), strict=True)
    return np.array([shifts(survey, low, high, part * change, at) for part, at in at_each])


def sheet(
    survey: Survey, known: Instrument, scenario: Scenario, cast: Cast, leaders: Leaders, rng: np.random.Generator
) -> Sheet:
    """The filled-in questionnaires of one survey."""
    form, waves = Form.of(known), survey.asked_at(scenario)
    who, team = _asked(survey, cast)
    unnamed = asked_unnamed(survey, cast)
    group = np.concatenate([team, unnamed])
    names = np.concatenate([cast.leader[who], ids("F", len(unnamed))])
    answered = leaders.answers[who][:, waves]
    if len(unnamed):
        again = rng.random(len(unnamed)) < AGAIN
        answered = np.concatenate([answered, np.column_stack([np.ones(len(unnamed), dtype=bool), again])])
    position = _positions(survey, moved(survey, known, scenario), group, scenario, rng)[..., form.domain]
    ticks = np.clip(np.rint(position + ITEM * rng.standard_normal(position.shape)), form.low, form.high).astype(
        np.int64
    )
    turned = np.array([item.reversed for item in known.items])
    ticks = np.where(turned, form.low + form.high - ticks, ticks)
    if known.scale.unscored:
        ticks = np.where(rng.random(ticks.shape) < NO_OPINION, form.low - 1, ticks)
    subject = names if survey.about == "person" else ids("T", scenario.teams)[group]
    given = np.broadcast_to(answered[..., None], ticks.shape)
    return Sheet(form, survey.rater, names, survey.about, subject, waves, ticks, given)


def _positions(survey: Survey, planted: Floats, group: Numbers, scenario: Scenario, rng: np.random.Generator) -> Floats:
    """Respondent × wave asked × domain."""
    many = len(group)
    own = TEAM * rng.standard_normal(scenario.teams)[group] + PERSON * rng.standard_normal(many)
    change = CHANGE * rng.standard_normal(many)
    person = own[:, None] + change[:, None] * survey.along(scenario)
    return np.asarray(person[..., None] + np.array(survey.starts) + planted)


def _asked(survey: Survey, cast: Cast) -> tuple[Numbers, Numbers]:
    """Which leaders, and of which teams: a few of each of some teams, or leaders spread over all of them."""
    if survey.about == "person":
        every = np.arange(len(cast.leader))
        who = every[:: max(len(every) // SELF_ASKED, 1)][:SELF_ASKED]
    else:
        teams = range(min(survey.teams, len(cast.team_place)))
        who = np.concatenate([np.flatnonzero(cast.team == team)[:LEADERS_OF_A_TEAM] for team in teams])
    return who, cast.team[who]


def asked_unnamed(survey: Survey, cast: Cast) -> Numbers:
    """The teams of which somebody answers without a name: one to each, where the survey has such."""
    return np.arange(min(survey.teams, len(cast.team_place)) if survey.unnamed else 0)


def respondents(survey: Survey, scenario: Scenario, cast: Cast) -> dict[str, pd.DataFrame]:
    """`respondents`: those who answered without a name."""
    teams = asked_unnamed(survey, cast)
    names: Names = ids("F", len(teams))
    place = ids("P", scenario.places)[cast.team_place[teams]]
    return {"respondents": pd.DataFrame({"respondent_id": names, "level": "team staff", "place_id": place})}


def expected(scenario: Scenario, instruments: Mapping[str, Instrument]) -> dict[str, Any]:
    """Population means at each wave asked, were everybody to answer, by instrument and domain."""
    found: dict[str, Any] = {}
    for survey in SURVEYS.values():
        known = instruments[survey.instrument]
        along = survey.along(scenario)
        at = [tuple(mean) for mean in np.array(survey.starts) + moved(survey, known, scenario)]
        if known.has_points:
            means = [Points.of(known).expected(mean, progress) for progress, mean in zip(along, at, strict=True)]
        else:
            ticking = _ticking(int(known.scale.low), int(known.scale.high))
            means = [
                [ticking.expected(mean, variance(progress)) for mean in means]
                for progress, means in zip(along, at, strict=True)
            ]
        by_domain = {
            domain.key: list(each) for domain, each in zip(known.domains, zip(*means, strict=True), strict=True)
        }
        overall = {"overall": [sum(mean) for mean in means]} if known.has_points else {}
        waves = [int(wave) + 1 for wave in survey.asked_at(scenario)]
        found[survey.instrument] = {"asked_at_waves": waves, "mean_by_wave": {**by_domain, **overall}}
    return found
