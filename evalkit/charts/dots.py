"""Dots with intervals: one row a measure or group, a zero line, the smallest worthwhile change shaded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import words
from evalkit.charts import Chart, of, opening

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(marks: pd.DataFrame, ax: Axes) -> None:
    """`point` marks (x the name, y the value, low–high its interval), a `line` at y, a `band`, a `scale`'s ends."""
    import seaborn as sns

    from evalkit.charts import style

    points = of(marks, "point")
    heights = [float(len(points) - 1 - place) for place in range(len(points))]
    for band in of(marks, "band"):
        ax.axvspan(band.low, band.high, color="#ECECEC", zorder=0, label=band.label)
    for line in of(marks, "line"):
        ax.axvline(line.y, color=style.GREY, linewidth=1, linestyle="--", zorder=1, label=line.label)
    for scale in of(marks, "scale"):
        ax.set_xlim(scale.low, scale.high)
    ax.hlines(heights, [p.low for p in points], [p.high for p in points], color=style.BLUE, linewidth=2.2, zorder=2)
    sns.scatterplot(x=[p.y for p in points], y=heights, s=60, color=style.BLUE, ax=ax, zorder=3)
    style.rows(ax, [str(p.x) for p in points], heights)
    style.words_on(marks, ax)
    if of(marks, "line", "band"):
        style.keyed(ax)


def describe(marks: pd.DataFrame) -> str:
    """Every dot with its interval, in the order drawn."""
    said = [
        f"{p.x}: {words.number(p.y)}"
        if math.isnan(p.low)
        else f"{p.x}: {words.number(p.y, words.decimals(p.low, p.high))} ({words.span(p.low, p.high)})"
        for p in of(marks, "point")
    ]
    lines = [f"Dashed line at {words.significant(line.y)}: {line.label}." for line in of(marks, "line")]
    bands = [f"Shaded, {words.span(band.low, band.high)}: {band.label}." for band in of(marks, "band")]
    shown = "; ".join(said) or "nothing that may be shown"
    return " ".join([f"Dot chart. {opening(marks)} {shown}.", *lines, *bands])


CHART = Chart("dots", draw, describe)
