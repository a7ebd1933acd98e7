"""What is true of an invented programme, worked out and not estimated: every figure is exact under the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evalkit.simulation import (
    admissions,
    agreements,
    doings,
    findings,
    improving,
    indicators,
    lives,
    maturity,
    meetings,
    money,
    observed,
    people,
    posts,
    reactions,
    relations,
    surveys,
    transfer,
)
from evalkit.simulation.effects import EFFECTS
from evalkit.simulation.forms import instruments
from evalkit.simulation.scenario import Scenario
from evalkit.simulation.world import World, form

Truth = dict[str, Any]

KEPT_DIGITS = 6

MEANINGS = {
    "sustainability": "mean points of team members' answers on their project, by domain and all, first and last wave",
    "five_factors": "mean of each factor, as members see their own team, first and last wave",
    "working_together": "mean of each part, as members see their own team, first and last wave",
    "learning": "mean of each part, as leaders see themselves, first and last wave",
    "role_ambiguity": "mean, as leaders see themselves, first and last wave; lower is better",
    "knowledge_and_skills": "mean of each dimension, as leaders see themselves, first and last wave",
    "leadership_styles": "share of leaders who say that they lead in each style, first and last wave",
    "staying_power": "mean of each part, as leaders see themselves, every wave",
    "readiness": "mean, as leaders see themselves, first wave",
    "putting_to_use": "share of each answer, by leaders and by their sponsors, some months after the last session",
    "posts": "shares of all leaders, by what had become of their post by the last day",
    "memberships": "share of team members who left whose seat was taken by somebody else",
    "characteristics": "shares of each answer to who people are",
    "meetings": "meetings a programme place and month before and after the start; share held to know each other better "
    "(before and after alike) and face to face; share of a team's leaders who come",
    "conflicts": "disagreements noted a programme place and month after the start; share resolved, and of those the "
    "share in which all sides gained",
    "pdsa": "tests of change a team and month; shares adopted, adapted and abandoned of those with a decision",
    "milestones": "share reached of those that were due; days later than planned, mean of those reached",
    "adaptations": "share in which the core was kept",
    "wins": "small wins a programme place and month",
    "compacts": "share kept by kind, of those of which anybody can tell; share of which nobody can",
    "drivers": "share of organisations in which each driver is there, the same at both looks",
    "actions": "share of signals decided on, and share of decisions carried out",
    "support_requests": "requests a team and month; share answered",
    "spread_events": "guests who come to an event, mean; share of those invited who come",
    "observations": "share of features that are a network's at each look, and as observers write them down; share of "
    "features two observers agree on; share of lessons in place, the same at both looks",
    "scores": "mean of the climate scores somebody else published, the same at both waves",
    "risk_tiers": "share of the people in each tier whom the programme reaches, the same at both counts",
    "costs": "pounds over all financial years: in all, in cash, and by kind",
    "indicators": "deaths: rate of men over that of women, at every age; avoidable admissions: rate of each fifth of "
    "deprivation over that of the next; shares who say that care is joined up, and of staff who would recommend their "
    "place: the same before and after the start",
    "admissions": "shares by sex and quintile; admissions that are the same patient's again, at most",
}
"""What stands in `expected` beside the measures that can be planted, in the order of the README. All of it follows from
the settings of the parts; nothing is counted from what was drawn."""


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
            **_of_the_rest(scenario),
        },
        "elsewhere": _elsewhere(scenario),
    }


def _of_the_rest(scenario: Scenario) -> Truth:
    """What `MEANINGS` lists: each part says what its own tables are drawn from."""
    parts: Truth = {
        **surveys.expected(scenario, instruments()),
        **transfer.expected(),
        **posts.expected(scenario),
        **meetings.expected(scenario),
        **improving.expected(),
        **agreements.expected(),
        **observed.expected(scenario),
        **findings.expected(),
        **money.expected(scenario),
        **admissions.expected(),
        **indicators.expected(),
    }
    return {name: _rounded(parts[name]) for name in MEANINGS}


def _rounded(said: Any) -> Any:
    """Every figure inside, at any depth, with the digits that are kept."""
    if isinstance(said, Mapping):
        return {name: _rounded(part) for name, part in said.items()}
    if isinstance(said, (list, tuple)):
        return [_rounded(part) for part in said]
    return _round(said) if isinstance(said, float) else said


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
