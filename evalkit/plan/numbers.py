"""The numbers one has: how many leaders, teams, places and months, given outright or counted in a programme."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import circumstances, words
from evalkit.periods import months_between

if TYPE_CHECKING:
    from evalkit.programme import Programme

USUAL: Mapping[str, float] = {"team_size": 6, "before": 36, "monthly": 300}
IN_WORDS = {
    "team_size": "leaders a team",
    "before": "months of figures before the start",
    "monthly": "events a place and month",
}
"""What is assumed where nobody gives it, and is said to be assumed: people a team, months before the start, events a
month in one place. The last two are the middle of the sizes the methods were tried at (the methods page)."""
LEAST: Mapping[str, int] = {"comparison": 0, "months": 0, "before": 0}
"""The numbers that may be 0; of everything else there must be one."""
NEED_NOT_BE_WHOLE = ("team_size", "monthly")


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What an evaluation has to work with. None: not known, so nothing is said that needs it.

    `leaders` who could answer twice, `teams` of `team_size` leaders, `places` in the programme and `comparison` places
    beside them, `months` from the start to the end of the evaluation and `before` it, `monthly` events a place and
    month, which follow the time of year where `seasonal`. `assumed` names those that stand for what nobody gave, `said`
    those that were given outright, as they were given.
    """

    leaders: int | None = None
    teams: int | None = None
    team_size: float | None = None
    places: int | None = None
    comparison: int | None = None
    months: int | None = None
    before: int | None = None
    monthly: float | None = None
    seasonal: bool = True
    assumed: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

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


def numbers(programme: Programme | None, *, measure: str | None = None, **given: Any) -> Numbers:
    """What was given; what was not, as the programme has it. Refuses numbers that cannot be.

    The events of `measure` are counted, where it is named; else those of the measure that decides.
    """
    said = {name: _checked(name, value) for name, value in given.items() if value is not None}
    known = {**({} if programme is None else _counted(programme, measure)), **said}
    if "team_size" not in said and (said.keys() & {"leaders", "teams"} or "team_size" not in known):
        known.update(_team_size(known))
    wanted = [*(["team_size"] if "teams" in known else []), *(["before", "monthly"] if "months" in known else [])]
    usual: dict[str, Any] = {name: USUAL[name] for name in wanted if name not in known}
    asked = tuple(f"{name}={value!r}" for name, value in said.items())
    return Numbers(**{**known, **usual}, assumed=tuple(usual), said=asked)


def _checked(name: str, value: Any) -> float:
    """One number as it was given, whole where it counts something."""
    least = LEAST.get(name, 1 if name not in NEED_NOT_BE_WHOLE else 0)
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise ValueError(f"{name}={value!r} is no number. Write it in figures, such as {name}={max(least, 8)}.")
    value = float(value)
    shown = f"{value:g}"
    if value < least or (name == "monthly" and value == 0):
        raise ValueError(f"{name}={shown} is too small: {'above 0' if name == 'monthly' else f'{least} or more'}.")
    if name == "team_size" and value < 1:
        raise ValueError(f"{name}={shown} is too small: a team has one leader or more.")
    if name in NEED_NOT_BE_WHOLE:
        return value if value != int(value) else int(value)
    if value != int(value):
        raise ValueError(f"{name}={shown} must be a whole number: nobody comes in parts.")
    return int(value)


def _team_size(known: Mapping[str, Any]) -> dict[str, float]:
    """Leaders a team, from leaders and teams where both are known."""
    leaders, teams = known.get("leaders"), known.get("teams")
    if leaders is None or teams is None:
        return {}
    if teams > leaders:
        raise ValueError(f"{teams} teams cannot be made of {leaders} leaders. Give both numbers: leaders=…, teams=….")
    return {"team_size": leaders / teams}


def _counted(programme: Programme, measure: str | None) -> dict[str, Any]:
    """The numbers as the tables have them; what they do not hold is left out."""
    leaders = circumstances.taking_part(programme)
    compared = circumstances.comparison_places(programme)
    every = set(programme.places["place_id"])
    months = None if programme.starts_on is None else months_between(programme.starts_on, programme.as_of)
    found: dict[str, Any] = {
        "leaders": len(leaders) or None,
        "teams": leaders["team_id"].nunique() or None,
        "team_size": float(leaders.groupby("team_id").size().mean()) if leaders["team_id"].notna().any() else None,
        "places": len(every - compared) or None,
        "comparison": len(compared) if every else None,
        "months": months if months is not None and months >= 0 else None,
    }
    found |= _series(programme, compared, measure)
    return {name: value for name, value in found.items() if value is not None}


def _series(programme: Programme, compared: set[str], measure: str | None) -> dict[str, Any]:
    """Months before the start, and events a month in one place: of this measure, else of the one that decides, else of
    the first."""
    outcomes = programme.outcomes[programme.outcomes["period"] <= pd.Timestamp(programme.as_of)]
    here = outcomes[
        ~outcomes["place_id"].isin(compared) & outcomes["count"].notna() & (outcomes["span"].fillna(1) == 1)
    ]
    if measure is None and len(here):
        declared = programme.plan.primary.get("population")
        measure = declared if declared in set(here["measure"]) else str(here["measure"].iloc[0])
    if measure is None:
        return {}
    seasonal = {"seasonal": programme.measures[measure].seasonal}
    kept = here[here["measure"] == measure]
    if kept.empty or programme.starts_on is None:
        return seasonal
    months = kept["period"].drop_duplicates()
    before = int((months < pd.Timestamp(programme.starts_on)).sum())
    cells = kept.groupby(["place_id", "period"])["count"].sum()
    return {**seasonal, "before": before, "monthly": float(cells.mean())}
