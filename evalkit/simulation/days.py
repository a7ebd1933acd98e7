"""Days and months of the invented programme, and what happens on them."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from evalkit.simulation.cast import Cast, Numbers
from evalkit.simulation.scenario import START, Scenario

Days = NDArray[np.datetime64]

FIRST = np.datetime64(START, "D")
NEVER = np.datetime64("NaT", "D")


def last(scenario: Scenario) -> int:
    """The last day the data know of, in days after the start: 202 or more, whatever the size."""
    return (scenario.as_of - START).days


def whole_months(scenario: Scenario) -> int:
    """How many months of the programme are over."""
    after = np.datetime64(scenario.as_of, "D") + 1
    return int((after.astype("datetime64[M]") - FIRST.astype("datetime64[M]")).astype(int))


def years(scenario: Scenario) -> list[str]:
    """The financial years the programme has touched, as 2024/25."""
    ends = scenario.as_of.year - (scenario.as_of < date(scenario.as_of.year, 4, 1))
    return [f"{year}/{(year + 1) % 100:02d}" for year in range(START.year, ends + 1)]


def between(first: int | Numbers, latest: int | Numbers, rng: np.random.Generator, size: int) -> Days:
    """So many days, each as likely as the other, both ends included; ends are days after the start."""
    low, high = (np.broadcast_to(np.asarray(end, dtype=np.int64), size) for end in (first, latest))
    return FIRST + rng.integers(low, high, endpoint=True)


def since_start(days: Days) -> Numbers:
    """Days after the start; what is no day is far away."""
    return np.where(np.isnat(days), 10**6, (days - FIRST).astype(np.int64))


def monthly(rate: float, units: int, months: tuple[int, int], rng: np.random.Generator) -> tuple[Numbers, Days]:
    """Poisson happenings by unit and month (the second not included), in the order of their days: whose, and when."""
    numbers = np.arange(*months)
    firsts = (FIRST.astype("datetime64[M]") + np.append(numbers, months[1])).astype("datetime64[D]")
    counts = rng.poisson(rate, (units, len(numbers)))
    unit, month = (np.repeat(at, counts.ravel()) for at in (index.ravel() for index in np.indices(counts.shape)))
    day = firsts[month] + rng.integers(0, np.diff(firsts).astype(np.int64)[month])
    order = np.lexsort((unit, day))
    return unit[order], day[order]


def team_of_place(place: Numbers, cast: Cast, rng: np.random.Generator) -> Numbers:
    """One of the teams at each of these places; -1 where a place has none."""
    teams = np.bincount(cast.team_place, minlength=int(place.max(initial=0)) + 1)[place]
    order = np.argsort(cast.team_place, kind="stable")
    start = np.searchsorted(cast.team_place[order], place)
    chosen = start + (rng.random(len(place)) * teams).astype(np.int64)
    return np.where(teams > 0, order[np.minimum(chosen, len(order) - 1)], -1)
