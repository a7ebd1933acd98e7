"""How leaders really are, wave by wave, and who stays: what the answers are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from evalkit.simulation.scenario import OPEN_DAYS, Scenario
from evalkit.simulation.scoring import Floats, Numbers, Ticking

BETWEEN = 0.50
"""Standard deviation of leaders at the first wave, in points of the latent scale; teams' share of it is team_icc."""

CHANGE = 0.45
"""Standard deviation of leaders' change from first wave to last; teams' share of it is team_icc."""

LEFT = 0.6
"""Of those who stop answering, the share who also leave the programme; the others stay and do not answer."""


@dataclass(frozen=True, slots=True)
class Rated:
    """One kind of rater of leaders: where its ratings start, how far they follow the leader, how many reply."""

    rater: str
    measure: str
    mean: float
    follows: float
    waves: str
    replies: tuple[float, float]


SELF = Rated("self", "system_leadership", mean=3.25, follows=1.0, waves="all", replies=(1.0, 1.0))
"""Leaders think best of themselves. How many reply is the scenario's `nonresponse`."""

SPONSOR = Rated(
    "sponsor",
    "system_leadership_by_sponsors",
    mean=3.10,
    follows=0.7,
    waves="first and last",
    replies=(0.82, 0.58),
)
PARTNER = Rated(
    "partner", "system_leadership_by_partners", mean=2.95, follows=0.5, waves="first and last", replies=(0.74, 0.60)
)
RATERS = (SELF, SPONSOR, PARTNER)


@dataclass(frozen=True, slots=True)
class Leaders:
    """Each leader's distance from the mean at the first wave and own change beside the planted one; who stays.

    `gone_from` is the first wave (from 0) at which a leader no longer answers, `left_on` the day they left the
    programme, None for who stayed, and `answers` says who answered at which wave.
    """

    baseline: Floats
    growth: Floats
    gone_from: Numbers
    left_on: tuple[date | None, ...]
    answers: NDArray[np.bool_]


def draw(scenario: Scenario, team: Numbers, rng: np.random.Generator) -> Leaders:
    """Leaders and their teams; low baselines leave a little more often, and nobody who has gone comes back."""
    baseline = _with_teams(BETWEEN, scenario, team, rng)
    growth = _with_teams(CHANGE, scenario, team, rng)
    gone_from = _gone_from(scenario, baseline / BETWEEN, rng)
    replies = rng.random((scenario.leaders, scenario.waves)) >= scenario.nonresponse
    answers = replies & (np.arange(scenario.waves) < gone_from[:, None])
    return Leaders(baseline, growth, gone_from, _left_on(scenario, gone_from, rng), answers)


def _with_teams(sd: float, scenario: Scenario, team: Numbers, rng: np.random.Generator) -> Floats:
    teams = np.sqrt(scenario.team_icc) * rng.standard_normal(scenario.teams)
    own = np.sqrt(1 - scenario.team_icc) * rng.standard_normal(scenario.leaders)
    return np.asarray(sd * (teams[team] + own))


def _gone_from(scenario: Scenario, baseline: Floats, rng: np.random.Generator) -> Numbers:
    """The first wave at which each is gone (`waves` for who stays). A threshold on a normal: exact on average."""
    from scipy.special import ndtri

    tie = scenario.dropout_on_baseline
    inclination = -tie * baseline + np.sqrt(1 - tie**2) * rng.standard_normal(scenario.leaders)
    when = rng.integers(1, scenario.waves, scenario.leaders)
    return np.where(inclination > ndtri(1 - scenario.dropout), when, scenario.waves)


def _left_on(scenario: Scenario, gone_from: Numbers, rng: np.random.Generator) -> tuple[date | None, ...]:
    """Between the close of the last wave they were there for and the opening of the next."""
    leaves = rng.random(scenario.leaders) < LEFT
    when = rng.random(scenario.leaders)
    opens = scenario.opens_on
    days: list[date | None] = []
    for gone, left, share in zip(gone_from.tolist(), leaves.tolist(), when.tolist(), strict=True):
        if gone == scenario.waves or not left:
            days.append(None)
            continue
        closed = opens[gone - 1] + timedelta(days=OPEN_DAYS + 1)
        days.append(closed + timedelta(days=int(share * (opens[gone] - closed).days)))
    return tuple(days)


def asked_at(rated: Rated, waves: int) -> Numbers:
    """The waves (from 0) at which this rater is asked."""
    chosen = {"all": range(waves), "first and last": {0, waves - 1}}
    return np.array(sorted(chosen[rated.waves]), dtype=np.int64)


def variance(rated: Rated, progress: float) -> float:
    """Of the latent positions this rater sees, over leaders of all teams, when so much of the change has happened."""
    return rated.follows**2 * (BETWEEN**2 + (progress * CHANGE) ** 2)


def shift(rated: Rated, scenario: Scenario, ticking: Ticking) -> float:
    """How far this rater's latent mean moves by the last wave, so that the expected score moves as planted."""
    return ticking.shift_for(
        scenario.effects[rated.measure],
        mean=rated.mean,
        variance=variance(rated, 0.0),
        variance_after=variance(rated, 1.0),
    )


def seen(rated: Rated, leaders: Leaders, scenario: Scenario, ticking: Ticking) -> Floats:
    """Leaders' latent positions in this rater's eyes: a row a leader, a column a wave."""
    moved = shift(rated, scenario, ticking) + rated.follows * leaders.growth
    return rated.mean + rated.follows * leaders.baseline[:, None] + moved[:, None] * scenario.progress


def expected_by_wave(rated: Rated, scenario: Scenario, ticking: Ticking) -> list[float]:
    """The population mean score at every wave, were everybody to answer."""
    moved = shift(rated, scenario, ticking)
    return [ticking.expected(rated.mean + moved * at, variance(rated, at)) for at in scenario.progress]


def then_shift(scenario: Scenario, ticking: Ticking) -> float:
    """How far leaders' memory of their first-wave selves lies from what they said then, on the latent scale."""
    at_first = variance(SELF, 0.0)
    return ticking.shift_for(
        scenario.effects["response_shift"], mean=SELF.mean, variance=at_first, variance_after=at_first
    )
