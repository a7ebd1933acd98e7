"""How fast ratings moved: one straight line through every wave, from everybody's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit import words
from evalkit.individual import ratings
from evalkit.stats import growth as growth_models
from evalkit.verdict import LEAST_PAIRS

if TYPE_CHECKING:
    from evalkit.individual.courses import Course, Moments
    from evalkit.stats.growth import Growth

YEAR = 365.25
A_YEAR = "a year, by a straight line through all waves"


def pace(course: Course, moments: Moments, confidence: float) -> Growth | None:
    """The growth model of one course: points a year, leaders with a line of their own around it.

    None where a line says nothing more than two means (fewer than three waves), days are not known, fewer than five
    leaders answered twice, or the model cannot be fitted; its errors are robust by team, else by person.
    """
    if len(course.waves) < 3 or not moments.days or (course.answers.notna().sum(axis=1) > 1).sum() < LEAST_PAIRS:
        return None
    held = course.answers.rename_axis(index="leader").reset_index()
    rows = held.melt(id_vars="leader", var_name="wave", value_name="score").dropna()
    rows["years"] = [moments.place(int(wave)) / YEAR for wave in rows["wave"]]
    teams = ratings.teams(course.asked.programme, course.answers.index)
    if teams is not None:
        rows["team"] = rows["leader"].map(teams)
    try:
        return growth_models.model(
            rows, outcome="score", time="years", person="leader", team=None if teams is None else "team",
            confidence=confidence,
        )  # fmt: skip
    except ValueError:  # all alike, or every team is one person
        return None


def in_words(estimate: float, low: float, high: float, confidence: float) -> str:
    """The pace in words.

    >>> in_words(0.21, 0.15, 0.26, 0.95)
    ' By a straight line through all waves they are 0.21 higher a year (0.15 to 0.26, 95% interval).'
    """
    sure = f"{words.span(low, high)}, {confidence:.0%} interval"
    return f" By a straight line through all waves they are {words.higher(estimate)} a year ({sure})."
