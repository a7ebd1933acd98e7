"""What is true of an invented programme, worked out and not estimated: every figure is exact under the model."""

from __future__ import annotations

from typing import Any

from evalkit.simulation import doings, lives, maturity, people, reactions, relations
from evalkit.simulation.effects import EFFECTS
from evalkit.simulation.scenario import Scenario
from evalkit.simulation.world import World, form

Truth = dict[str, Any]

KEPT_DIGITS = 6


def of(world: World) -> Truth:
    """`fictional`, the `seed`, the `scenario`, the planted `effects` with their words, and what they come to.

    `expected` holds the population mean of each score at every wave were everybody to answer, by rater; the expected
    E-I index of these leaders' trust ties at the first and last wave; and the rate ratio. Population means are over
    all the leaders, teams and places this scenario could have drawn, not over those this seed drew.
    """
    scenario = world.scenario
    return {
        "fictional": True,
        "seed": world.seed,
        "scenario": {name: getattr(scenario, name) for name in Scenario.__dataclass_fields__ if name != "effects"},
        "effects": dict(scenario.effects),
        "words": {effect.measure: effect.words for effect in EFFECTS},
        "expected": {
            **_leadership(scenario),
            **_maturity(scenario),
            "bridging": _bridging(world),
            lives.MEASURE: {"rate_ratio": scenario.effects[lives.MEASURE]},
            "dose": {"points_a_session": 0.0},
            "reaction": reactions.expected(),
            "attendance": {"share_of_invited_who_come": doings.CAME},
            "dropout": {"share_gone_by_last_wave": scenario.dropout},
        },
        "elsewhere": _elsewhere(scenario),
    }


def _leadership(scenario: Scenario) -> Truth:
    found: Truth = {}
    for rated in people.RATERS:
        ticking = form("system_leadership").ticking(short=rated.rater != "self")
        means = people.expected_by_wave(rated, scenario, ticking)
        asked = people.asked_at(rated, scenario.waves)
        found[rated.measure] = {
            "change": _round(means[-1] - means[0]),
            "asked_at_waves": [int(wave) + 1 for wave in asked],
            "mean_by_wave": [_round(mean) for mean in means],
        }
    return found


def _maturity(scenario: Scenario) -> Truth:
    icfat = form("icfat")
    found: Truth = {}
    for suffix, partners in (("", False), ("_by_partners", True)):
        for domain, means in maturity.expected_by_wave(scenario, icfat, partners=partners).items():
            found[f"{icfat.instrument}_{domain}{suffix}"] = {
                "change": _round(means[-1] - means[0]),
                "mean_by_wave": [_round(mean) for mean in means],
            }
    return found


def _bridging(world: World) -> Truth:
    found = {}
    for relation in relations.RELATIONS:
        chances = relations.pairs(relation, world.scenario, world.cast)
        first, last = relations.expected_ei(chances)
        found[relation.name] = {"first": _round(first), "last": _round(last), "change": _round(last - first)}
    return found


def _elsewhere(scenario: Scenario) -> Truth:
    """What is not the programme's doing and is in the admissions all the same."""
    if not scenario.events:
        return {}
    return {
        "shock_rate_ratio": lives.SHOCK,
        "definition_change_rate_ratio": lives.DEFINITION,
        "other_scheme_rate_ratio": 1.0,
    }


def _round(figure: float) -> float:
    return round(figure, KEPT_DIGITS) + 0.0
