"""A difference between two kinds of places, over the cloud of differences that names drawn at random would give.

Places are rings without names: what is to be seen is how far they lie apart, not which is which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from evalkit import words
from evalkit.charts import Chart, Mark, by_series, of, opening

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TALL = 0.34
"""Rows between the middle of a row and the highest thing in it."""
LANES = (0.0, 0.16, -0.16)
"""Where in its row a ring may stand, in turn, so that neighbours do not hide each other."""


def draw(marks: pd.DataFrame, ax: Axes) -> None:
    """`ring` marks (series the row, y the value), `heap` marks of a cloud (series the row, low–high, n its height), and
    a `point` a row (x the row, y the value, low–high its interval); a `line` at y."""
    from evalkit.charts import style

    rings, bars, points = by_series(of(marks, "ring")), by_series(of(marks, "heap")), of(marks, "point")
    heights = {str(point.x): float(len(points) - 1 - at) for at, point in enumerate(points)}
    for line in of(marks, "line"):
        ax.axvline(line.y, color=style.GREY, linewidth=1, linestyle="--", zorder=1, label=line.label)
    for row, cloud in bars.items():
        most = max(bar.n for bar in cloud)
        ax.bar(
            [bar.low for bar in cloud], [2 * TALL * bar.n / most for bar in cloud], align="edge", color=style.PALE,
            width=[bar.high - bar.low for bar in cloud], bottom=heights[row] - TALL, zorder=0,
        )  # fmt: skip
    for row, ringed in rings.items():
        for at, ring in enumerate(sorted(ringed, key=lambda one: one.y)):
            lane = heights[row] + LANES[at % len(LANES)]
            ax.plot(ring.y, lane, "o", color=style.LINK, markerfacecolor="none", markersize=6, zorder=2)
    for point in points:
        height = heights[str(point.x)]
        ax.hlines(height, point.low, point.high, color=style.BLUE, linewidth=2.2, zorder=3)
        ax.plot(point.y, height, "D", color=style.BLUE, markersize=7, zorder=4)
    style.rows(ax, list(heights), list(heights.values()))
    style.words_on(marks, ax)
    if of(marks, "line"):
        style.keyed(ax)


def describe(marks: pd.DataFrame) -> str:
    """Each row with its point, and how far its rings and its cloud reach."""
    rings, bars = by_series(of(marks, "ring")), by_series(of(marks, "heap"))
    said = [_row(point, rings.get(str(point.x), []), bars.get(str(point.x), [])) for point in of(marks, "point")]
    lines = [f"Dashed line at {words.significant(line.y)}: {line.label}." for line in of(marks, "line")]
    return " ".join([f"Dot chart. {opening(marks)} {'; '.join(said) or 'nothing that may be shown'}.", *lines])


def _row(point: Mark, rings: list[Mark], cloud: list[Mark]) -> str:
    told = f"{point.x}: {words.number(point.y)}"
    if point.low == point.low:
        told += f" ({words.span(point.low, point.high)})"
    if rings:
        first, last = min(ring.y for ring in rings), max(ring.y for ring in rings)
        told += f", {words.counted(len(rings), 'ring')} from {words.span(first, last)}"
    if cloud:
        told += f", over a cloud from {words.span(min(bar.low for bar in cloud), max(bar.high for bar in cloud))}"
    return told


CHART = Chart("cloud", draw, describe)
