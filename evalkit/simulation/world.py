"""All parts together: every table, each part from its own stream of random numbers, and what is true of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import pandas as pd

from evalkit import instrument
from evalkit.simulation import answers, cast, doings, lives, maturity, people, reactions, relations, said, spine
from evalkit.simulation.forms import Form
from evalkit.simulation.people import PARTNER, SPONSOR
from evalkit.simulation.scenario import Scenario

ASKED = ("self", "looking_back", "sponsor", "partner", "place", "session")
"""Who answers: leaders on themselves, also looking back; sponsors and partners on leaders; all of them on places; those
who came to a session on the session."""

STREAMS = ("cast", "leaders", "places", *ASKED[:-1], "ties", "sessions", "lives", "session")
"""One stream of random numbers a part, so that leaving a part out changes nothing in the others. New ones come last."""

PARTS = {
    "responses": ("responses",),
    "ties": ("ties", "rosters"),
    "sessions": ("sessions", "attendance"),
    "outcomes": ("outcomes", "denominators"),
    "stories": ("stories", "codes", "coders"),
}
"""The parts that may be left out, and the tables each brings."""


@cache
def form(name: str) -> Form:
    """A shipped instrument as the simulation needs it."""
    return Form.of(instrument.shipped()[name])


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

    def responses(self, asked: Collection[str] = ASKED) -> dict[str, pd.DataFrame]:
        """The answers table, of those asked."""
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
            form_of = instrument.shipped()["reaction"]
            piles += reactions.rows(form_of, held, self.doings["attendance"], self.streams["session"])
        return {"responses": pd.concat(piles, ignore_index=True)} if piles else {}

    def _maturity(self, rng: np.random.Generator) -> list[answers.Sheet]:
        places = maturity.draw(self.scenario, self.streams["places"])
        return maturity.sheets(self.scenario, self.cast, self.leaders, places, form("icfat"), rng)

    def tables(self, parts: Collection[str] = tuple(PARTS), asked: Collection[str] = ASKED) -> dict[str, pd.DataFrame]:
        """The spine, always, and the tables of the parts asked for."""
        in_first_month = self.lives.population[:, self.scenario.start_month - 1].sum(axis=1).tolist()
        made = spine.tables(self.scenario, self.cast, self.leaders, in_first_month)
        drawn: dict[str, Callable[[], dict[str, pd.DataFrame]]] = {
            "responses": lambda: self.responses(asked),
            "ties": lambda: relations.tables(self.scenario, self.cast, self.leaders, self.streams["ties"]),
            "sessions": lambda: self.doings,
            "outcomes": lambda: lives.tables(self.scenario, self.lives),
            "stories": lambda: said.tables(self.scenario),
        }
        for part in PARTS:
            made |= drawn[part]() if part in parts else {}
        return made
