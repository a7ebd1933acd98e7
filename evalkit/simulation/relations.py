"""Who turns to whom: ties among leaders at the first and last wave, and who was asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.simulation.cast import Cast
from evalkit.simulation.people import Leaders
from evalkit.simulation.scenario import Scenario
from evalkit.simulation.scoring import Floats

REPLY_TO_NAMES = (0.82, 0.66)
"""Share of leaders still in the programme who fill in the network question, at the first and the last wave."""

KEPT = 0.6
"""How much of one wave's draw for a pair is used again at the next: ties persist."""

RETURNED = 0.4
"""How much of a draw is shared by the two directions of a pair: ties are returned more often than by chance."""


@dataclass(frozen=True, slots=True)
class Relation:
    """Expected ties a leader names, and where they fall: relative chances by how near the other stands."""

    name: str
    named: float
    own_organisation: float
    own_place: float
    elsewhere: float


RELATIONS = (
    Relation("contact", 6.0, own_organisation=5.0, own_place=6.0, elsewhere=1.0),
    Relation("help", 2.5, own_organisation=8.0, own_place=5.0, elsewhere=0.5),
    Relation("trust", 4.0, own_organisation=7.0, own_place=6.0, elsewhere=0.7),
)


@dataclass(frozen=True, slots=True)
class Pairs:
    """For every ordered pair of leaders: are they of different organisations, and the chance of a tie at each end."""

    external: NDArray[np.bool_]
    chance: Floats


def pairs(relation: Relation, scenario: Scenario, cast: Cast) -> Pairs:
    """Chances at the first and last wave: the same expected number of ties, more of them external as planted."""
    same_place = cast.place[:, None] == cast.place
    external = cast.organisation[:, None] != cast.organisation
    weight = np.where(external, np.where(same_place, relation.own_place, relation.elsewhere), relation.own_organisation)
    np.fill_diagonal(weight, 0.0)
    first = np.minimum(weight * relation.named * scenario.leaders / weight.sum(), 0.9)
    total, outside = first.sum(), first[external].sum()
    wanted = outside + total * _change(relation, scenario) / 2
    last = np.where(external, first * wanted / outside, first * (total - wanted) / max(total - outside, 1e-9))
    if last.max() > 1 or last.min() < 0:
        change = scenario.effects["bridging"]
        raise ValueError(f"A change of {change} in the E-I index runs off what {scenario.leaders} leaders can name.")
    return Pairs(external, np.stack([first, last]))


def _change(relation: Relation, scenario: Scenario) -> float:
    return scenario.effects["bridging"] if relation.name == "trust" else 0.0


def expected_ei(pairs_of: Pairs) -> tuple[float, float]:
    """(expected external − expected internal) / all expected ties, first and last wave, were everybody to answer."""
    total = pairs_of.chance.sum(axis=(1, 2))
    outside = (pairs_of.chance * pairs_of.external).sum(axis=(1, 2))
    first, last = (2 * outside - total) / total
    return float(first), float(last)


def tables(scenario: Scenario, cast: Cast, leaders: Leaders, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """`ties` and `rosters`: nobody who did not reply has ties of their own; others may still name them."""
    ends = (0, scenario.waves - 1)
    present = np.stack([leaders.gone_from > wave for wave in ends])
    replied = present & (rng.random(present.shape) < np.array(REPLY_TO_NAMES)[:, None])
    found = [_ties(relation, scenario, cast, present, replied, rng) for relation in RELATIONS]
    end, person = np.nonzero(present)
    rosters = {"wave": np.array(ends)[end] + 1, "person_id": cast.leader[person], "responded": replied[end, person]}
    ties = pd.concat(found, ignore_index=True).sort_values(["wave", "relation", "from_id", "to_id"], ignore_index=True)
    return {"ties": ties, "rosters": pd.DataFrame(rosters)}


def _ties(
    relation: Relation,
    scenario: Scenario,
    cast: Cast,
    present: NDArray[np.bool_],
    replied: NDArray[np.bool_],
    rng: np.random.Generator,
) -> pd.DataFrame:
    drawn = _draws(scenario.leaders, rng)
    tied = (drawn < pairs(relation, scenario, cast).chance) & replied[:, :, None] & present[:, None, :]
    end, giver, taker = np.nonzero(tied)
    return pd.DataFrame(
        {
            "wave": np.array([1, scenario.waves])[end],
            "from_id": cast.leader[giver],
            "to_id": cast.leader[taker],
            "relation": np.repeat(relation.name, len(end)),
            "strength": rng.integers(1, 4, len(end)).astype(float),
        }
    )


def _draws(leaders: int, rng: np.random.Generator) -> Floats:
    """A uniform draw for every ordered pair at both ends: partly returned, partly kept, uniform all the same."""
    shape = (leaders, leaders)
    first, last = (_returned(rng.random(shape), rng.random(shape)) for _ in range(2))
    return np.stack([first, np.where(rng.random(shape) < KEPT, first, last)])


def _returned(drawn: Floats, chosen: Floats) -> Floats:
    """One direction of some pairs takes the other's draw."""
    copied = np.triu(chosen < RETURNED, 1)
    return np.where(copied, drawn.T, drawn)
