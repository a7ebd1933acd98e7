"""Every moment of asking, planned or done: the rounds in which answers came, set beside the months planned for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import register
from evalkit.periods import DAYS_A_MONTH, months_between
from evalkit.plan.asking import INFORMANTS

if TYPE_CHECKING:
    from evalkit.programme import Programme

WITHIN = 3
"""An answer this many months from the planned month, or fewer, is that wave (a judgement: waves drift, and half a year
lies between them)."""
APART = 2
"""Without a wave to join them, days with more than so many months between them are two rounds (a judgement)."""
DONE, UNPLANNED, MISSED, TO_COME = "done as planned", "done without a plan", "planned and not done", "to come"
STATES = (DONE, UNPLANNED, MISSED, TO_COME)
GIVEN = "scores agreed or published"
"""What stands for who answered, where a score was given as a whole."""

Planned = Mapping[str, tuple[tuple[int, ...], tuple[str, ...]]]
Done = dict[tuple[str, str], list[tuple[int, int | None]]]
"""By questionnaire and who answers: each round's month, and how many answered it (None for scores)."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One questionnaire, one kind of rater, one month: planned, done, both, or to come."""

    instrument: str
    rater: str
    month: int
    state: str
    respondents: int | None
    asked_in: int | None


def moments(done: Done, planned: Planned, last: int | None) -> list[Moment]:
    """Every moment planned or done, by questionnaire, rater and month; `last` is the month the data reach to.

    Without a `last` nothing planned can have been missed.
    """
    asked = []
    for name, (_, raters) in planned.items():
        answered = tuple(rater for held, rater in done if held == name)
        asked += [(name, rater) for rater in dict.fromkeys(raters or answered or INFORMANTS.get(name, ("self",))[:1])]
    found: list[Moment] = []
    for name, rater in [*asked, *(key for key in done if key not in asked)]:
        wanted = planned[name][0] if (name, rater) in asked else ()
        found += _of(name, rater, wanted, done.get((name, rater), []), last)
    return found


def _of(
    name: str, rater: str, wanted: Sequence[int], done: Sequence[tuple[int, int | None]], last: int | None
) -> list[Moment]:
    """The moments of one questionnaire and rater: nearest first, each planned month gets one round done."""
    near = sorted((abs(plan - done[at][0]), plan, at) for plan in wanted for at in range(len(done)))
    taken: dict[int, int] = {}
    for gap, plan, at in near:
        if gap <= WITHIN and plan not in taken and at not in taken.values():
            taken[plan] = at
    found = []
    for plan in wanted:
        if plan in taken:
            month, respondents = done[taken[plan]]
            found.append(Moment(name, rater, plan, DONE, respondents, month))
        else:
            missed = last is not None and plan + WITHIN < last
            found.append(Moment(name, rater, plan, MISSED if missed else TO_COME, None, None))
    left = [round_ for at, round_ in enumerate(done) if at not in taken.values()]
    found += [Moment(name, rater, month, UNPLANNED, respondents, month) for month, respondents in left]
    return sorted(found, key=lambda moment: moment.month)


def done_in(programme: Programme) -> Done:
    """What was done, in months from the start; nothing where the start is not recorded."""
    if programme.starts_on is None:
        return {}
    found: Done = {}
    for (name, rater), own in answers(programme).groupby(["instrument", "rater"], sort=True):
        rounds = _rounds(programme, own, "answered_on")
        found[str(name), str(rater)] = [(month, of_round["respondent_id"].nunique()) for month, of_round in rounds]
    for name, own in scores(programme).groupby("instrument", sort=True):
        found[str(name), GIVEN] = [(month, None) for month, _ in _rounds(programme, own, "measured_on")]
    return {key: rounds for key, rounds in found.items() if rounds}


def answers(programme: Programme) -> pd.DataFrame:
    """Answers to what is asked in waves: about anything but single sessions, which bring their own form each time."""
    held = register.answered(programme)
    return held[held["subject_kind"] != "session"]


def scores(programme: Programme) -> pd.DataFrame:
    """Scores given as such by the day the data speak of."""
    return programme.scores[register.by_now(programme, programme.scores["measured_on"])]


def undated(programme: Programme) -> int:
    """How many answered without a day, in a wave without one: they cannot be set beside the plan."""
    held = answers(programme)
    closed = held["wave"].map(programme.waves.set_index("wave")["closes_on"])
    return int(held.loc[held["answered_on"].isna() & closed.isna(), "respondent_id"].nunique())


def _rounds(programme: Programme, own: pd.DataFrame, day: str) -> list[tuple[int, pd.DataFrame]]:
    """Each round with its month: a wave by its middle day, or the day it closed where no answer has one; where no wave
    is named, days near each other."""
    closed = programme.waves.set_index("wave")["closes_on"]
    rounds: list[tuple[Any, pd.DataFrame]] = []
    for wave, of_wave in own.dropna(subset=["wave"]).groupby("wave", sort=True):
        days = of_wave[day].dropna()
        rounds.append((days.median() if len(days) else closed.get(wave), of_wave))
    loose = own[own["wave"].isna() & own[day].notna()].sort_values(day, kind="stable")
    which = (loose[day].diff() > pd.Timedelta(days=APART * DAYS_A_MONTH)).cumsum()
    rounds += [(near[day].median(), near) for _, near in loose.groupby(which)]
    begins = programme.starts_on
    assert begins is not None  # `done` asks for no rounds where nobody recorded the start
    return [(months_between(begins, when.date()), held) for when, held in rounds if not pd.isna(when)]
