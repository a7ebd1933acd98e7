"""The answers table: leaders on themselves, sponsors and partners on leaders, everybody on their place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.simulation import people
from evalkit.simulation.cast import Cast, Names
from evalkit.simulation.forms import Form
from evalkit.simulation.people import SELF, Leaders, Rated
from evalkit.simulation.scenario import OPEN_DAYS, Scenario
from evalkit.simulation.scoring import Numbers

LEFT_BLANK = 0.012
"""The share of items a leader skips."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One pile of filled-in questionnaires. `ticks` and `given`: who answered × wave asked × item."""

    form: Form
    rater: str
    respondent: Names
    subject_kind: str
    subject: Names
    waves: Numbers
    ticks: Numbers
    given: NDArray[np.bool_]
    looking_back: bool = False


def own(scenario: Scenario, cast: Cast, leaders: Leaders, form: Form, rng: np.random.Generator) -> Sheet:
    """What leaders tick about themselves at every wave. With `nonresponse=0` nobody skips an item either."""
    ticks = form.ticking().tick(people.seen(SELF, leaders, scenario, form.ticking()), rng)
    blank = LEFT_BLANK if scenario.nonresponse else 0.0
    given = leaders.answers[..., None] & (rng.random(ticks.shape) >= blank)
    return Sheet(form, "self", cast.leader, "person", cast.leader, np.arange(scenario.waves), ticks, given)


def looking_back(scenario: Scenario, cast: Cast, leaders: Leaders, form: Form, rng: np.random.Generator) -> Sheet:
    """At the last wave, beside that wave's own answers: how were you when the programme began?"""
    then = people.seen(SELF, leaders, scenario, form.ticking())[:, :1] + people.then_shift(scenario, form.ticking())
    ticks = form.ticking().tick(then, rng)
    given = np.broadcast_to(leaders.answers[:, -1:, None], ticks.shape)
    last = np.array([scenario.waves - 1])
    return Sheet(form, "self", cast.leader, "person", cast.leader, last, ticks, given, looking_back=True)


def others(
    rated: Rated, scenario: Scenario, cast: Cast, leaders: Leaders, form: Form, rng: np.random.Generator
) -> Sheet:
    """What sponsors, or partners outside the programme, tick about leaders still in it, on the short form."""
    by = {"sponsor": cast.sponsor[cast.sponsor_of], "partner": cast.partner[cast.partner_of]}[rated.rater]
    waves, ticking = people.asked_at(rated, scenario.waves), form.ticking(short=True)
    ticks = ticking.tick(people.seen(rated, leaders, scenario, ticking)[:, waves], rng)
    replied = rng.random((scenario.leaders, len(waves))) < np.linspace(*rated.replies, len(waves))
    given = (replied & (waves < leaders.gone_from[:, None]))[..., None] & form.short
    return Sheet(form, rated.rater, by, "person", cast.leader, waves, ticks, given)


def rows(sheet: Sheet, scenario: Scenario, rng: np.random.Generator) -> pd.DataFrame:
    """One pile as rows of `responses`: one answer to one item, each sitting on a day of its own."""
    opens = np.array(scenario.opens_on, dtype="datetime64[D]")
    who, asked, item = np.nonzero(sheet.given)
    wave = sheet.waves[asked]
    day = rng.integers(0, OPEN_DAYS, sheet.ticks.shape[:2])
    timing = np.full(len(wave), 2) if sheet.looking_back else np.minimum(wave, 1)
    many = len(who)
    return pd.DataFrame(
        {
            "respondent_id": sheet.respondent[who],
            "subject_kind": np.repeat(sheet.subject_kind, many),
            "subject_id": sheet.subject[who],
            "rater": np.repeat(sheet.rater, many),
            "instrument": np.repeat(sheet.form.instrument, many),
            "item": sheet.form.items[item],
            "wave": pd.array(wave + 1, dtype="Int64"),
            "timing": np.array(["pre", "post", "then"])[timing],
            "answered_on": opens[wave] + day[who, asked],
            "answer": sheet.ticks[who, asked, item].astype(float),
        }
    )
