"""The same rows for several groups: one small panel a group, all on one scale, in the order of the alphabet."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import words
from evalkit.charts import Chart, Mark, by_series, of, opening

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACROSS = 2
"""Panels beside each other: more would be too narrow on a telephone."""
ROW, HEADING, GAP = 0.17, 0.4, 0.07
"""Inches: of a row in a panel, of its heading, and the share of a panel's width between two."""
ASIDE = 0.16
WIDE = 20
"""Letters of a group's name in one line over its panel."""


def draw(marks: pd.DataFrame, ax: Axes) -> None:
    """`point` marks: label the panel, x the row, y the value, series the date; `scale` gives the ends."""
    from evalkit.charts import style

    points = of(marks, "point")
    groups = sorted({p.label for p in points})
    names = list(dict.fromkeys(str(p.x) for p in points))
    dates = list(by_series(points))
    down = max(math.ceil(len(groups) / ACROSS), 1)
    tall = len(names) * ROW + HEADING
    style.taller(ax, 1.1 + down * tall)
    ax.set_frame_on(False)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.grid(visible=False)
    for place, group in enumerate(groups):
        across, row = place % ACROSS, place // ACROSS
        wide, high = (1 - GAP * (ACROSS - 1)) / ACROSS, len(names) * ROW / (down * tall)
        top = 1 - (row * tall + HEADING) / (down * tall)
        panel = ax.inset_axes((across * (wide + GAP), top - high, wide, high))
        _panel(panel, [p for p in points if p.label == group], names, dates, of(marks, "scale"))
        panel.set_title(_heading(group), loc="left", fontsize=8.5, color=style.GREY, pad=3, in_layout=False)
        if across:
            panel.set_yticklabels([])
        if row < down - 1:
            panel.set_xticklabels([])
    for place, when in enumerate(dates):  # the panels' dots are no handles of this frame
        ax.plot([], [], style.SHAPES[place % 4], color=style.COLOURS[place % 4], label=when)
    ax.xaxis.labelpad = 18
    style.words_on(marks, ax)
    if points:
        style.keyed(ax)


def _heading(group: str) -> str:
    """A group's name in the width of its panel: two lines at most."""
    return "\n".join(textwrap.wrap(group, WIDE, max_lines=2, placeholder=" …"))


def _panel(ax: Axes, points: list[Mark], names: list[str], dates: list[str], scale: list[Mark]) -> None:
    """One group: a row a name, a dot a date, a thin line between them."""
    from evalkit.charts import style

    heights = {name: float(len(names) - 1 - place) for place, name in enumerate(names)}
    for name, height in heights.items():
        across = [p.y for p in points if p.x == name and p.y == p.y]
        if len(across) > 1:
            ax.hlines(height, min(across), max(across), color=style.LINK, linewidth=1.4, zorder=1)
    for place, when in enumerate(dates):
        own = [p for p in points if p.series == when]
        aside = ASIDE * (place - (len(dates) - 1) / 2)
        ax.plot(
            [p.y for p in own], [heights[str(p.x)] - aside for p in own], style.SHAPES[place % 4], markersize=4.2,
            color=style.COLOURS[place % 4], zorder=2,
        )  # fmt: skip
    ax.set_yticks(list(heights.values()), [textwrap.shorten(name, 28, placeholder=" …") for name in names], fontsize=8)
    ax.set_ylim(-0.6, len(names) - 0.4)
    for ends in scale:
        ax.set_xlim(ends.low, ends.high)
    ax.tick_params(labelsize=8, length=2)
    ax.grid(axis="x", color="#E3E3E3", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def describe(marks: pd.DataFrame) -> str:
    """Each panel with its lowest and highest row at its last date; the table beside it has them all."""
    panels: dict[str, list[Mark]] = {}
    for point in of(marks, "point"):
        panels.setdefault(point.label, []).append(point)
    said = []
    for group in sorted(panels):
        when, last = list(by_series(panels[group]).items())[-1]
        least, most = min(last, key=lambda p: p.y), max(last, key=lambda p: p.y)
        said.append(f"{group}, {when}: from {words.number(least.y)} ({least.x}) to {words.number(most.y)} ({most.x})")
    shown = "; ".join(said) or "nothing that may be shown"
    return f"Small dot charts, one a group. {opening(marks)} Lowest and highest of each: {shown}."


CHART = Chart("panels", draw, describe)
