"""What calibrations of questions about people's lives share: a line a cell, and counts made into a programme."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

MEASURE = "emergency_admissions_65_plus"
BEGAN, START = pd.Timestamp(2024, 4, 1), 36
"""When what is simulated starts, and after how many months unless another number is said."""
POWER, ALL, NONE, ANY = (77.0, 83.0), (100.0, 100.0), (0.0, 0.0), (0.0, 100.0)
"""Limits, in %: of what is to be seen in 80 of 100, of what is always so, of what never is, and none."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of so many, and between which percentages that must lie."""

    what: str
    times: int
    runs: int
    limits: tuple[float, float] = ANY

    @property
    def percent(self) -> float:
        return 100 * self.times / self.runs

    @property
    def kept(self) -> bool:
        return self.limits[0] <= self.percent <= self.limits[1]

    def __str__(self) -> str:
        share = self.times / self.runs
        return f"{self.what} {self.percent:.1f} ±{100 * math.sqrt(share * (1 - share) / self.runs):.1f}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One design, what was counted in it, and a note."""

    name: str
    shares: tuple[Share, ...]
    note: str = ""

    @property
    def line(self) -> str:
        return "  ".join([f"{self.name:<56}", *map(str, self.shares), self.note]).rstrip()

    @property
    def broken(self) -> list[str]:
        """Promises not kept, in words."""
        return [f"{self.name}: {each}, not {each.limits[0]:g} to {each.limits[1]:g} %"
                for each in self.shares if not each.kept]  # fmt: skip


def point(confidence: float, df: Any) -> Any:
    """How many standard errors an interval reaches either way."""
    from scipy.special import stdtrit

    return stdtrit(df, 0.5 + confidence / 2)


def printed(cells: Iterator[Cell]) -> Iterator[str]:
    """A line a cell, in % with its Monte Carlo error; last the promises not kept."""
    wrong = []
    for cell in cells:
        wrong += cell.broken
        yield cell.line
    yield from wrong or ["Every promise kept."]


def built(
    drawn: np.ndarray,
    people: np.ndarray,
    treated: int,
    *,
    start: int = START,
    begun: Collection[int] = (),
    chosen: str = "willing",
    lag: int = 12,
) -> Any:
    """These counts (places, months) as a programme; `people` in any unit, `begun`: months before each treated start."""
    from evalkit.programme import Programme

    places, months = drawn.shape
    first = BEGAN - pd.DateOffset(months=start)
    starts = [first + pd.DateOffset(months=month) for month in begun or [start] * treated]
    ids = [f"P{number:02d}" for number in range(places)]
    arms = ["programme"] * treated + ["comparison"] * (places - treated)
    listed = pd.DataFrame({"place_id": ids, "name": ids, "kind": "neighbourhood", "arm": arms,
                           "start": [*starts, *[pd.NaT] * (places - treated)]})  # fmt: skip
    periods = pd.date_range(first, periods=months, freq="MS")
    figures = {"place_id": np.repeat(ids, months), "period": np.tile(periods, places), "measure": MEASURE}
    figures |= {"count": drawn.ravel(), "denominator": np.repeat(np.asarray(people, dtype=float), months)}
    until = (periods[-1] + pd.offsets.MonthEnd(0)).date()
    said = replace(settings(), as_of=max(until, date(2026, 3, 31)))
    plan = replace(said.plan, lag_months={MEASURE: lag}, worthwhile={}, chosen={MEASURE: chosen})
    return Programme.build(settings=replace(said, plan=plan),
                           tables={"places": listed, "outcomes": pd.DataFrame(figures)})  # fmt: skip


@cache
def settings() -> Any:
    """Those of an invented programme."""
    import evalkit as ek

    return ek.simulate(seed=1, tables=(), leaders=2, teams=1, waves=2).settings
