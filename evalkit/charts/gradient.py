"""A measure from the most to the least deprived: a line a time, its shapes as far apart as the groups are large."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import words
from evalkit.charts import Chart, Mark, by_series, of, opening, waves

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(marks: pd.DataFrame, ax: Axes) -> None:
    """As `waves` are drawn: a `tick` gives a group its rank (x its name, y 0 to 1), `point` marks by series its value
    with low and high."""
    waves.draw(marks, ax)
    if of(marks, "point"):
        bottom, top = ax.get_ylim()
        ax.set_ylim(max(bottom, 0.0), top)
        ax.yaxis.set_major_formatter(lambda value, _: words.significant(value, 3))


def describe(marks: pd.DataFrame) -> str:
    """Each time, group by group, with the intervals."""
    said = [f"{when}: {', '.join(map(_point, held))}" for when, held in by_series(of(marks, "point")).items()]
    shown = "; ".join(said) or "nothing that may be shown"
    return f"Line chart from one end of society to the other. {opening(marks)} {shown}."


def _point(point: Mark) -> str:
    """One group in words."""
    if math.isnan(point.low):
        return f"{point.x} {words.significant(point.y, 3)}"
    low, high = words.significant(point.low, 3), words.significant(point.high, 3)
    return f"{point.x} {words.significant(point.y, 3)} ({low} to {high})"


CHART = Chart("gradient", draw, describe)
