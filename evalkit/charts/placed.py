"""Where each thing stands among a few named columns: one mark a row, its shape that of the column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit.charts import Chart, by_series, of, opening

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHAPES = ("^", "D", "v", "x", "s")
"""A shape a column, in their order: meaning never rests on the place or the colour alone."""


def draw(marks: pd.DataFrame, ax: Axes) -> None:
    """`column` marks (x the name) in order, then `placed` marks: series the row, x its column, label what is said."""
    from evalkit.charts import style

    columns = [str(column.x) for column in of(marks, "column")]
    rows = by_series(of(marks, "placed"))
    heights = [float(len(rows) - 1 - place) for place in range(len(rows))]
    for height, placed in zip(heights, rows.values(), strict=True):
        for mark in placed:
            at = columns.index(str(mark.x))
            ax.plot(at, height, SHAPES[at % len(SHAPES)], color=style.BLUE, markersize=7, markeredgewidth=1.8)
            ax.annotate(
                mark.label, (at, height), xytext=(0, -8), textcoords="offset points", ha="center", va="top", fontsize=8,
                color=style.GREY,
            )  # fmt: skip
    style.rows(ax, list(rows), heights)
    ax.set_xlim(-0.6, max(len(columns), 1) - 0.4)
    ax.xaxis.tick_top()
    slanted: dict[str, Any] = {"rotation": 38, "ha": "left", "va": "bottom", "rotation_mode": "anchor"}
    ax.set_xticks(range(len(columns)), columns, fontsize=9, **slanted)
    ax.tick_params(axis="x", length=0)
    ax.spines[["left", "bottom"]].set_visible(False)
    style.words_on(marks, ax)


def describe(marks: pd.DataFrame) -> str:
    """Each row with its column."""
    said = [
        f"{row}: {', '.join(f'{mark.x} ({mark.label})' if mark.label else str(mark.x) for mark in placed)}"
        for row, placed in by_series(of(marks, "placed")).items()
    ]
    return f"Chart of rows and columns. {opening(marks)} {'; '.join(said) or 'nothing that may be shown'}."


CHART = Chart("placed", draw, describe)
