"""All parts together: every table, each part from its own stream of random numbers, and what is true of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import pandas as pd

from evalkit.simulation import (
    admissions,
    agreements,
    answers,
    argument,
    cast,
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
    said,
    spine,
    surveys,
    transfer,
)
from evalkit.simulation.forms import Form, instruments
from evalkit.simulation.people import PARTNER, SPONSOR
from evalkit.simulation.scenario import Scenario

ASKED = ("self", "looking_back", "sponsor", "partner", "place", "session", *surveys.SURVEYS, "use")
"""Who answers: leaders on themselves, also looking back; sponsors and partners on leaders; all of them on places; those
who came to a session on the session; teams on their project, on themselves as a team and on how it is to work together;
leaders on what they learnt, know and need to keep going, on how they lead, and on the demands on them; some months
after the last session leaders and sponsors on what came into use."""

STREAMS = (
    *("cast", "leaders", "places", "self", "looking_back", "sponsor", "partner", "place", "ties", "sessions", "lives"),
    *("session", "project", "team", "learning", "demands", "posts", "meetings", "conflicts", "improvement"),
    *("agreements", "observations", "findings", "money", "care", "admissions", "together"),
    *("knowing", "styles", "keeping_going", "ready", "use", "indicators"),
)
"""One stream of random numbers a part, so that leaving a part out changes nothing in the others. New ones come last."""

PARTS = {
    "responses": ("responses", "respondents"),
    "ties": ("ties", "rosters"),
    "sessions": ("sessions", "attendance"),
    "outcomes": ("outcomes", "denominators"),
    "indicators": ("outcomes",),
    "stories": ("stories", "excerpts", "codes", "coders", "selections"),
    "posts": ("posts", "memberships", "characteristics", "talent"),
    "meetings": ("meetings", "meeting_attendance"),
    "conflicts": ("conflicts",),
    "improvement": ("pdsa", "milestones", "adaptations", "wins"),
    "agreements": ("compacts", "interventions", "drivers", "actions", "support_requests", "spread_events"),
    "observations": ("observations",),
    "findings": ("findings", "scores", "risk_tiers"),
    "money": ("costs", "benefits", "funding"),
    "argument": ("theory", "rivals", "burden"),
    "care": ("corrections",),
    "admissions": ("admissions",),
}
"""The parts that may be left out, and the tables each brings."""

BY_NAME = ("admissions",)
"""Parts that are made only when asked for by name: rows about single patients, tens of thousands of them."""

USUAL = tuple(part for part in PARTS if part not in BY_NAME)
"""The parts that are made when none is named."""


@cache
def form(name: str) -> Form:
    """A shipped instrument as the simulation needs it."""
    return Form.of(instruments()[name])


@dataclass(frozen=True)
class World:
    """One invented programme. Nothing is drawn before it is asked for, and then once."""

    scenario: Scenario
    seed: int

    @cached_property
    def streams(self) -> dict[str, np.random.Generator]:
        """Independent children of the one generator that the seed starts."""
        return dict(zip(STREAMS, np.random.default_rng(self.seed).spawn(len(STREAMS)), strict=True))

    @cached_property
    def cast(self) -> cast.Cast:
        """Who there is."""
        return cast.draw(self.scenario, self.streams["cast"])

    @cached_property
    def leaders(self) -> people.Leaders:
        """How leaders really are, and who stays."""
        return people.draw(self.scenario, self.cast.team, self.streams["leaders"])

    @cached_property
    def lives(self) -> lives.Lives:
        """Admissions and people."""
        return lives.draw(self.scenario, self.streams["lives"])

    @cached_property
    def doings(self) -> dict[str, pd.DataFrame]:
        """What was held, and who came."""
        return doings.tables(self.scenario, self.cast, self.leaders, self.streams["sessions"])

    @cached_property
    def spine(self) -> dict[str, pd.DataFrame]:
        """Everything the other tables refer to."""
        in_first_month = self.lives.population[:, self.scenario.start_month - 1].sum(axis=1).tolist()
        return spine.tables(self.scenario, self.cast, self.leaders, in_first_month)

    def responses(self, asked: Collection[str] = ASKED) -> dict[str, pd.DataFrame]:
        """The answers table, of those asked, and those of them who have no name."""
        own = form("system_leadership")
        filled: dict[str, Callable[[np.random.Generator], list[answers.Sheet]]] = {
            "self": lambda rng: [answers.own(self.scenario, self.cast, self.leaders, own, rng)],
            "looking_back": lambda rng: [answers.looking_back(self.scenario, self.cast, self.leaders, own, rng)],
            "sponsor": lambda rng: [answers.others(SPONSOR, self.scenario, self.cast, self.leaders, own, rng)],
            "partner": lambda rng: [answers.others(PARTNER, self.scenario, self.cast, self.leaders, own, rng)],
            "place": self._maturity,
        }
        piles = [
            answers.rows(sheet, self.scenario, self.streams[who])
            for who in filled
            if who in asked
            for sheet in filled[who](self.streams[who])
        ]
        if "session" in asked:
            held = self.doings["sessions"]
            held = held[held["held_on"] <= pd.Timestamp(self.scenario.as_of)]
            form_of = instruments()["reaction"]
            piles += reactions.rows(form_of, held, self.doings["attendance"], self.streams["session"])
        if "use" in asked:
            known = instruments()["putting_to_use"]
            piles += transfer.rows(known, self.scenario, self.cast, self.leaders, self.doings, self.streams["use"])
        unnamed: dict[str, pd.DataFrame] = {}
        for name, survey in surveys.SURVEYS.items():
            if name in asked:
                piles.append(self._survey(survey, self.streams[name]))
                unnamed |= surveys.respondents(survey, self.scenario, self.cast) if survey.unnamed else {}
        return ({"responses": pd.concat(piles, ignore_index=True)} if piles else {}) | unnamed

    def _survey(self, survey: surveys.Survey, rng: np.random.Generator) -> pd.DataFrame:
        known = instruments()[survey.instrument]
        return answers.rows(
            surveys.sheet(survey, known, self.scenario, self.cast, self.leaders, rng), self.scenario, rng
        )

    def _maturity(self, rng: np.random.Generator) -> list[answers.Sheet]:
        places = maturity.draw(self.scenario, self.streams["places"])
        return maturity.sheets(self.scenario, self.cast, self.leaders, places, form("icfat"), rng)

    def tables(self, parts: Collection[str] = USUAL, asked: Collection[str] = ASKED) -> dict[str, pd.DataFrame]:
        """The spine, always, and the tables of the parts asked for; none without rows."""
        made = dict(self.spine)
        for part in PARTS:
            if part in parts:
                drawn = self.responses(asked) if part == "responses" else DRAWN[part](self)
                both = {name: pd.concat([made[name], drawn[name]], ignore_index=True) for name in drawn if name in made}
                made |= drawn | both
        return {name: frame for name, frame in made.items() if len(frame)}


DRAWN: Mapping[str, Callable[[World], dict[str, pd.DataFrame]]] = {
    "ties": lambda of: relations.tables(of.scenario, of.cast, of.leaders, of.streams["ties"]),
    "sessions": lambda of: of.doings,
    "outcomes": lambda of: lives.tables(of.scenario, of.lives),
    "indicators": lambda of: indicators.tables(of.scenario, of.lives, of.streams["indicators"]),
    "stories": lambda of: said.tables(of.scenario),
    "posts": lambda of: posts.tables(of.scenario, of.cast, of.leaders, of.streams["posts"]),
    "meetings": lambda of: meetings.tables(of.scenario, of.cast, of.leaders, of.streams["meetings"]),
    "conflicts": lambda of: meetings.conflicts(of.scenario, of.cast, of.streams["conflicts"]),
    "improvement": lambda of: improving.tables(of.scenario, of.cast, of.streams["improvement"]),
    "agreements": lambda of: agreements.tables(of.scenario, of.cast, of.streams["agreements"]),
    "observations": lambda of: observed.tables(of.scenario, of.streams["observations"]),
    "findings": lambda of: findings.tables(of.scenario, of.lives, of.streams["findings"]),
    "money": lambda of: money.tables(of.scenario, of.streams["money"]),
    "argument": lambda of: argument.tables(),
    "care": lambda of: argument.corrections(of.scenario, of.spine, of.streams["care"]),
    "admissions": lambda of: admissions.tables(of.scenario, of.lives, of.streams["admissions"]),
}
"""How each part but the answers comes about."""
