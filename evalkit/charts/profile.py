"""A profile over time: one row a domain, one shape a date, so that six months and seven are told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from evalkit import words
from evalkit.charts import Chart, by_series, of, opening

if TYPE_CHECKING:
    from matplotlib.axes import Axes


SPREAD = 0.14
"""Rows between one date's dots and the next."""


def draw(marks: pd.DataFrame, ax: Axes) -> None:
    """`point` marks: x the domain, y the score, series the date; a `scale` mark gives the ends of the scale."""
    import seaborn as sns

    from evalkit.charts import style

    points = of(marks, "point")
    names = list(dict.fromkeys(str(p.x) for p in points))
    heights = {name: float(len(names) - 1 - place) for place, name in enumerate(names)}
    for name, height in heights.items():
        across = [p.y for p in points if p.x == name]
        ax.hlines(height, min(across), max(across), color=style.LINK, linewidth=2, zorder=1)
    dates = by_series(points)
    for place, (when, at) in enumerate(dates.items()):
        aside = SPREAD * (place - (len(dates) - 1) / 2)  # so that no date hides another
        sns.scatterplot(
            x=[p.y for p in at], y=[heights[str(p.x)] - aside for p in at], s=58, marker=style.SHAPES[place % 4],
            color=style.COLOURS[place % 4], ax=ax, label=when, zorder=2,
        )  # fmt: skip
    style.rows(ax, names, list(heights.values()))
    for scale in of(marks, "scale"):
        ax.set_xlim(scale.low, scale.high)
    style.words_on(marks, ax)
    if points:
        style.keyed(ax)


def describe(marks: pd.DataFrame) -> str:
    """Each row with its value at each date."""
    said: dict[str, list[str]] = {}
    for p in of(marks, "point"):
        said.setdefault(str(p.x), []).append(f"{p.series} {words.number(p.y)}")
    shown = "; ".join(f"{name}: {', '.join(values)}" for name, values in said.items()) or "nothing that may be shown"
    return f"Dot chart. {opening(marks)} {shown}."


CHART = Chart("profile", draw, describe)
