"""What happens when: one row a thing, its moments along a line of months from the start, each state with its shape."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import words
from evalkit.charts import Chart, Mark, by_series, of, opening

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FILLED = (True, False, True, False)
"""Of the states in the order met: filled and open shapes in turn, so that four can be told apart in grey."""


def draw(marks: pd.DataFrame, ax: Axes) -> None:
    """`point` marks: series the row, y the months from the start, x the state. `event` marks: y and label.

    `state` marks, where there are any, give the states in the order in which they take their shapes.
    """
    from evalkit.charts import style

    points = of(marks, "point")
    rows = list(by_series(points))
    heights = {row: float(len(rows) - 1 - place) for place, row in enumerate(rows)}
    for place, (state, found) in enumerate(_by_state(marks).items()):
        if not found:
            continue
        colour = style.COLOURS[place % len(style.COLOURS)]
        ax.scatter(
            [point.y for point in found], [heights[point.series] for point in found], s=48, zorder=3,
            marker=style.SHAPES[place % len(style.SHAPES)], edgecolors=colour, linewidths=1.6, label=state,
            facecolors=colour if FILLED[place % len(FILLED)] else "white",
        )  # fmt: skip
    style.rows(ax, rows, list(heights.values()))
    for event in of(marks, "event"):
        ax.axvline(event.y, color=style.PLUM, linewidth=1.2, linestyle=":")
        ax.annotate(
            textwrap.fill(event.label, 14), (event.y, 1), xycoords=("data", "axes fraction"), fontsize=8.5, ha="center",
            va="bottom", color=style.PLUM,
        )  # fmt: skip
    style.words_on(marks, ax)
    if points:
        style.keyed(ax, columns=2)


def _by_state(marks: pd.DataFrame) -> dict[str, list[Mark]]:
    found: dict[str, list[Mark]] = {str(state.x): [] for state in of(marks, "state")}
    for point in of(marks, "point"):
        found.setdefault(str(point.x), []).append(point)
    return found


def describe(marks: pd.DataFrame) -> str:
    """Each row with its moments and their states."""
    said = [
        f"{row}: {', '.join(f'month {words.number(point.y, 0)} {point.x}' for point in points)}"
        for row, points in by_series(of(marks, "point")).items()
    ]
    events = [f"Marked: {event.label}, month {words.number(event.y, 0)}." for event in of(marks, "event")]
    shown = "; ".join(said) or "nothing that may be shown"
    return " ".join([f"Timeline. {opening(marks)} {shown}.", *events])


CHART = Chart("timeline", draw, describe)
