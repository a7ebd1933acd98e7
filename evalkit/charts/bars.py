"""Horizontal bars: counts of people or stories, each with its number written at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from evalkit.charts import Chart, of, opening

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(marks: pd.DataFrame, ax: Axes) -> None:
    """`bar` marks: x the name, y the length, label the words at its end."""
    from evalkit.charts import style

    bars = of(marks, "bar")
    heights = [float(len(bars) - 1 - place) for place in range(len(bars))]
    ax.barh(heights, [bar.y for bar in bars], height=0.62, color=style.BLUE)
    for height, bar in zip(heights, bars, strict=True):
        ax.annotate(bar.label, (bar.y, height), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9)
    style.rows(ax, [str(bar.x) for bar in bars], heights)
    ax.grid(visible=False)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.set_xlim(0, 1.3 * (max([bar.y for bar in bars if bar.y == bar.y], default=0.0) or 1.0))
    style.words_on(marks, ax)


def describe(marks: pd.DataFrame) -> str:
    """Every bar with its number."""
    said = "; ".join(f"{bar.x}: {bar.label}" for bar in of(marks, "bar")) or "nothing that may be shown"
    return f"Bar chart. {opening(marks)} {said}."


CHART = Chart("bars", draw, describe)
