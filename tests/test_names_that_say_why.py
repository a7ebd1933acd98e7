"""A word of cause in a name that somebody typed: no question of any room fails, and no sentence says it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pandas as pd
import pytest

import evalkit as ek
from evalkit.programme import Programme
from evalkit.questions import of_room
from evalkit.resources import folder
from evalkit.words import CAUSE, LEFT_OUT, LEFT_OUT_RULE, without_why

TYPED = {
    "organisations": ("name",),
    "places": ("name",),
    "milestones": ("name", "unit"),
    "support_requests": ("theme",),
    "funding": ("source",),
    "talent": ("grid_cell",),
    "risk_tiers": ("tier",),
    "memberships": ("role",),
    "spread_events": ("role",),
    "characteristics": ("value",),
    "compacts": ("commitment", "reason"),
    "wins": ("what", "evidence"),
    "pdsa": ("prediction", "result"),
    "events": ("name",),
    "actions": ("signal", "decision", "domain"),
    "stories": ("title", "text"),
    "codes": ("code",),
    "interventions": ("who", "what", "where", "purpose", "agreed_success", "agreed_with"),
}
"""The columns in which evaluators write what they like."""
ROOMS = ("individual", "team", "population", "process", "stories", "kirkpatrick", "plan", "signals")
QUESTIONS = {f"{room}.{name}": asked for room in ROOMS for name, asked in of_room(getattr(ek, room)).items()}
ADMISSIONS = {"measure": "emergency_admissions_65_plus"}
ASKED: dict[str, dict[str, Any]] = {
    "process.reach": {"by": ("organisation", "sex")},
    "process.composition": {"roles": ("impact on a manager", "caused by nobody")},
    "process.burden": {"minutes": {"icfat": 6}},
    "individual.growth": {"on": "system_leadership"},
    "individual.seen_by_others": {"on": "system_leadership"},
    **{f"population.{name}": ADMISSIONS for name in ("against", "change", "funnel", "rates", "too_early", "variation")},
}
OF_THE_WORK = ("burden", "composition", "criteria", "delivery", "funding", "learning_points", "milestones", "reach",
               "risk_tiers", "spread", "support", "talent")  # fmt: skip
SAY_NAMES = (*(f"process.{name}" for name in OF_THE_WORK), "individual.growth", "individual.reaction",
             "team.maturity", "population.change", "plan.feasibility", "signals.review", "signals.actions")  # fmt: skip
"""The questions that say or draw what somebody typed."""


def why(name: str) -> str:
    return f"impact of {name}"


@cache
def named() -> Programme:
    """Northmere, had everything there a name that holds a word of cause.

    Guests come from organisations without a workforce, and people are placed on the grid twice: these are said by name.
    """
    programme = ek.load(folder("sample_data") / "northmere")
    held = programme._contents
    tables = dict(held.tables)
    for table, columns in TYPED.items():
        rows = tables[table].copy()
        for column in columns:
            rows[column] = rows[column].map(why, na_action="ignore").astype(rows[column].dtype)
        tables[table] = rows
    tables["organisations"]["workforce"] = tables["organisations"]["workforce"].mask(lambda size: size > 0)
    tables["spread_events"]["organisation_id"] = tables["organisations"]["organisation_id"].iloc[0]
    again = tables["talent"].assign(reviewed_on=tables["talent"]["reviewed_on"] + pd.Timedelta(days=90))
    tables["talent"] = pd.concat([tables["talent"], again], ignore_index=True)
    menus = {
        key: replace(
            menu, name=why(menu.name), groups={group: why(label) for group, label in menu.groups.items()},
            entries=tuple(replace(entry, label=why(entry.label)) for entry in menu.entries), verified=False,
        )
        for key, menu in programme.menus.items()
    }  # fmt: skip
    instruments = {
        key: replace(
            each, name=why(each.name), domains=tuple(replace(one, label=why(one.label)) for one in each.domains),
            items=tuple(replace(one, text=why(one.text)) for one in each.items),
        )
        for key, each in programme.instruments.items()
    }  # fmt: skip
    measures = {key: replace(each, label=why(each.label)) for key, each in programme.measures.items()}
    settings = replace(held.settings, name=why(programme.name))
    return Programme(
        replace(held, settings=settings, tables=tables, menus=menus, instruments=instruments, measures=measures)
    )


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_answers_whatever_things_are_called(name: str) -> None:
    given = {"results": [QUESTIONS["team.maturity"](named())]} if name == "kirkpatrick.coverage" else {}  # not all anew
    found = QUESTIONS[name](named(), **ASKED.get(name, {}), **given)
    written = [found.headline, found.reading, found.alt, *found.caveats, *found.table.get("ask", pd.Series(dtype=str))]
    own = named().title  # the programme's own name says what it likes
    assert not [text for text in written if CAUSE.search(text.replace(own, ""))]
    assert (LEFT_OUT_RULE in found.caveats) == any(LEFT_OUT in text for text in written)


@pytest.mark.parametrize("name", SAY_NAMES)
def test_what_is_left_out_is_seen_to_be(name: str) -> None:
    found = QUESTIONS[name](named(), **ASKED.get(name, {}))
    assert LEFT_OUT in f"{found.headline} {found.reading} {found.alt} {' '.join(found.caveats)}"


def test_a_name_without_such_a_word_stays_as_it_was() -> None:
    assert without_why("Resulting beds") == "Resulting beds"
