"""This wave against the last: which days it covers, and every question a first look at it asks of the rooms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import circumstances, individual, population, process, questions, register, stories, team
from evalkit.errors import NotEnoughEvidence

if TYPE_CHECKING:
    from evalkit.programme import Programme
    from evalkit.result import Result

OWN = ("self", "sponsor", "partner")
"""Whose ratings of leaders are looked at: AQuA's three informants."""


def since(programme: Programme) -> date | None:
    """The day the wave before this one closed, None where there was none: what came after it belongs to this wave."""
    closed = programme.waves["closes_on"].dropna().sort_values()
    closed = closed[closed <= pd.Timestamp(programme.as_of)]
    return closed.iloc[-2].date() if len(closed) > 1 else None


def answers(programme: Programme, begins: date | None) -> list[Result]:
    """What the rooms say of this wave; a question that cannot be answered gives nothing to talk about here."""
    found = []
    for ask in (*_of_leaders(programme), *_of_places(programme), *_of_lives(programme), *_of_the_work(begins)):
        try:
            found.append(ask(programme))
        except NotEnoughEvidence:
            continue
    return found


def _of_leaders(programme: Programme) -> Iterator[Callable[[Programme], Result]]:
    """The main questionnaire as each informant answered it, at the last two waves they did."""
    on = circumstances.primary(programme, "individual", "system_leadership")
    held = register.answered(programme)
    told = held[held["instrument"] == on]
    for rater in OWN:
        waves = sorted(told.loc[told["rater"] == rater, "wave"].dropna().unique())
        if rater == "self" or len(waves):
            between = (int(waves[-2]), int(waves[-1])) if len(waves) > 1 else None
            yield partial(individual.growth, on=on, rater=rater, between=between)
    yield individual.reaction
    yield individual.behaviour


def _of_places(programme: Programme) -> Iterator[Callable[[Programme], Result]]:
    yield partial(team.maturity, on=circumstances.primary(programme, "team", "icfat"))
    yield team.bridging
    yield stories.themes


def _of_lives(programme: Programme) -> Iterator[Callable[[Programme], Result]]:
    """The measure that decides: by its months, and beside places outside the programme or, without any, its past."""
    name = circumstances.primary(programme, "population", "")
    if name in programme.measures:
        yield partial(population.variation, measure=name)
        compared = len(circumstances.comparison_places(programme)) > 0
        yield partial(population.against if compared else population.change, measure=name)


def _of_the_work(begins: date | None) -> Iterator[Callable[[Programme], Result]]:
    """Every question of logs and registers; those that can be told a time, of this wave alone."""
    for asked in questions.of_room(process).values():
        given: dict[str, Any] = {"since": begins} if "since" in questions.settings(asked) else {}
        yield partial(asked, **given)
