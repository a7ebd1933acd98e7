"""What a programme says of itself: who, where, when, what and what is missing; counts, never people."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from data_schemas.tables import families
from evalkit.words import listed

if TYPE_CHECKING:
    from evalkit.programme import Programme

PLURALS = {"person": "people", "story": "stories", "unnamed form or other respondent": "unnamed forms or others"}


def lines(programme: Programme) -> list[tuple[str, str]]:
    """Label and words of each line."""
    arms = programme.places["arm"]
    compared = int((arms == "comparison").sum())
    where = _count(len(arms), "place") + (f", {compared} of them for comparison" if compared else "")
    began = "start not recorded" if programme.starts_on is None else f"began {_day(programme.starts_on)}"
    when = f"{began}, {_count(len(programme.waves), 'wave')}, data to {_day(programme.as_of)}"
    found = [
        ("Who", _who(programme) or "nobody is listed"),
        ("Who answered", _answered(programme)),
        ("Where", where),
        ("When", when),
        ("What", _what(programme) or "no answers and no figures"),
        ("Described by the folder itself", ", ".join(sorted(programme.local))),
        ("On the way in", " ".join(programme.log)),
        ("Source", programme.source),
        ("Missing", _missing(programme)),
    ]
    return [(label, words) for label, words in found if words]


def _who(programme: Programme) -> str:
    return _held(
        (programme.participants, "participant", f" in {_count(len(programme.teams), 'team')}"),
        (programme.people, "person", f" from {_count(len(programme.organisations), 'organisation')}"),
        (programme.respondents, "unnamed form or other respondent", ""),
    )


def _answered(programme: Programme) -> str:
    """How many leaders answered about themselves, wave by wave; nothing where none was asked."""
    said = programme.responses
    own = said[(said["subject_kind"] == "person") & (said["rater"] == "self")]
    own = own[own["answer"].notna() & (own["timing"] != "then")]
    by_wave = own.groupby("wave")["subject_id"].nunique()
    counts = ", ".join(f"{n} at wave {wave}" for wave, n in by_wave.items())
    return f"of themselves: {counts}, of {_count(len(programme.participants), 'participant')}" if counts else ""


def _what(programme: Programme) -> str:
    return _held(
        (programme.responses, "answer", _on(programme.responses, "instrument")),
        (programme.scores, "score", _on(programme.scores, "instrument")),
        (programme.outcomes, "figure", _on(programme.outcomes, "measure")),
        (programme.stories, "story", ""),
        (programme.excerpts, "excerpt", ""),
    )


def _missing(programme: Programme) -> str:
    """The tables without rows; a family of several that is missing altogether is named as one."""
    whole, single = [], []
    for family, tables in families().items():
        missing = [name for name in tables if not programme.has(name)]
        if len(missing) == len(tables) > 1:
            whole.append(family.partition(":")[0].lower())
        else:
            single += missing
    together = [f"everything under {listed(whole)}"] if whole else []
    return "; ".join([*together, *([", ".join(single)] if single else [])]) or "no table is missing"


def _held(*tables: tuple[pd.DataFrame, str, str]) -> str:
    """How many rows of each, and what goes with them; empty tables are passed over."""
    return "; ".join(
        f"{_count(len(table), one, PLURALS.get(one, ''))}{rest}" for table, one, rest in tables if len(table)
    )


def _on(table: pd.DataFrame, column: str) -> str:
    return f" on {', '.join(sorted(table[column].unique()))}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"
