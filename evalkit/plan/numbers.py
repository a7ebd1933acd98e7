"""The numbers one has: how many leaders, teams, places and months, given outright or counted in a programme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import circumstances, words

if TYPE_CHECKING:
    from evalkit.programme import Programme

MONTH = 365.25 / 12
"""Days in a month, on average."""
USUAL: Mapping[str, float] = {"team_size": 6, "before": 36, "monthly": 300}
IN_WORDS = {
    "team_size": "leaders a team",
    "before": "months of figures before the start",
    "monthly": "events a place and month",
}
"""What is assumed where nobody gives it, and is said to be assumed: people a team, months before the start, events a
month in one place. The last two are the middle of the sizes the methods were tried at (the methods page)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What an evaluation has to work with. None: not known, so nothing is said that needs it.

    `leaders` who could answer twice, `teams` of `team_size` leaders, `places` in the programme and `comparison` places
    beside them, `months` from the start to the end of the evaluation and `before` it, `monthly` events a place and
    month. `assumed` names those that stand for what nobody gave.
    """

    leaders: int | None = None
    teams: int | None = None
    team_size: float | None = None
    places: int | None = None
    comparison: int | None = None
    months: int | None = None
    before: int | None = None
    monthly: float | None = None
    assumed: tuple[str, ...] = ()

    @property
    def settings(self) -> str:
        """The numbers as a question is asked with them."""
        held = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "assumed"}
        return ", ".join(f"{name}={value:g}" for name, value in held.items() if value is not None)

    @property
    def taken_as(self) -> str:
        """What is assumed, in words; nothing where everything was given."""
        return words.listed([f"{USUAL[name]:g} {IN_WORDS[name]}" for name in self.assumed])

    @property
    def given(self) -> str:
        """The numbers in words."""
        parts = [
            words.counted(value, one)
            for one, value in (("leader", self.leaders), ("team", self.teams), ("programme place", self.places),
                               ("comparison place", self.comparison))
            if value is not None
        ]  # fmt: skip
        parts += [words.counted(self.months, "month") + " from the start"] if self.months is not None else []
        return words.listed(parts)


def numbers(programme: Programme | None, **given: Any) -> Numbers:
    """What was given; what was not, as the programme has it. Refuses numbers that cannot be."""
    for name, value in given.items():
        least = 0 if name == "comparison" else 1
        if value is not None and not value >= least:
            raise ValueError(f"{name}={value} is below {least}.")
    found = {} if programme is None else _counted(programme)
    known = {**found, **{name: value for name, value in given.items() if value is not None}}
    wanted = [*(["team_size"] if "teams" in known else []), *(["before", "monthly"] if "months" in known else [])]
    usual: dict[str, Any] = {name: USUAL[name] for name in wanted if name not in known}
    return Numbers(**known, **usual, assumed=tuple(usual))


def _counted(programme: Programme) -> dict[str, Any]:
    """The numbers as the tables have them; what they do not hold is left out."""
    leaders = circumstances.taking_part(programme)
    compared = circumstances.comparison_places(programme)
    every = set(programme.places["place_id"])
    found: dict[str, Any] = {
        "leaders": len(leaders) or None,
        "teams": leaders["team_id"].nunique() or None,
        "team_size": float(leaders.groupby("team_id").size().mean()) if leaders["team_id"].notna().any() else None,
        "places": len(every - compared) or None,
        "comparison": len(compared) if every else None,
        "months": months_between(programme.starts_on, programme.as_of) or None if programme.starts_on else None,
    }
    return {name: value for name, value in {**found, **_series(programme, compared)}.items() if value is not None}


def _series(programme: Programme, compared: set[str]) -> dict[str, Any]:
    """Months before the start, and events a month in one place, of the measure that decides or else of the first."""
    outcomes = programme.outcomes
    here = outcomes[
        ~outcomes["place_id"].isin(compared) & outcomes["count"].notna() & (outcomes["span"].fillna(1) == 1)
    ]
    if here.empty or programme.starts_on is None:
        return {}
    name = programme.plan.primary.get("population")
    kept = here[here["measure"] == (name if name in set(here["measure"]) else here["measure"].iloc[0])]
    months = kept["period"].drop_duplicates()
    cells = kept.groupby(["place_id", "period"])["count"].sum()
    return {
        "before": int((months < pd.Timestamp(programme.starts_on)).sum()) or None,
        "monthly": float(cells.mean()),
    }


def months_between(first: Any, last: Any) -> int:
    """Whole months from one day to another, to the nearest.

    >>> from datetime import date
    >>> months_between(date(2024, 4, 1), date(2025, 10, 20))
    19
    """
    return round((pd.Timestamp(last) - pd.Timestamp(first)).days / MONTH)
