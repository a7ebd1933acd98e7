"""One's own values among others that are not named: a dot and a line of one's own, over loose rings and a grey bar.

The others' rings are never joined from row to row: a line would show each by its shape to those who know it.
"""

from __future__ import annotations

import textwrap
from itertools import groupby
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import words
from evalkit.charts import Chart, Mark, by_series, of, opening

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RINGS = ("o", "s")
"""A shape a series of others, in the order met."""
TALL = 0.4
"""Inches of a row: rings stand above one another in it."""
LANES = (0.0, 0.2, -0.2, 0.4, -0.4)
"""Where in its row a ring may stand: in the middle, unless another ring or one's own dot is there."""
KEY = 24
"""Letters of a line in the key."""
CLOSE, CLOSE_TO_OWN = 0.028, 0.042
"""Nearer than this share of the scale a ring would lie on another ring, or on one's own dot."""


def draw(marks: pd.DataFrame, ax: Axes) -> None:
    """`point` marks: one's own, x the row, y the value, series whose; `other` marks: x the row, y the value, series in
    what words; a `band` a row, low to high, and a `line` in it at y, label what they are; a `scale`'s ends."""
    from evalkit.charts import style

    rows, scale = _rows(marks), of(marks, "scale")
    heights = {row: float(len(rows) - 1 - place) for place, row in enumerate(rows)}
    _behind(marks, heights, ax)
    own, others = of(marks, "point"), of(marks, "other")
    asides = _asides(others, {str(p.x): p.y for p in own}, scale[0].high - scale[0].low if scale else 1.0)
    placed = [(one, heights[str(one.x)] + aside) for one, aside in zip(others, asides, strict=True)]
    for place, series in enumerate(by_series(others)):
        ax.scatter(
            [one.y for one, _ in placed if one.series == series], [at for one, at in placed if one.series == series],
            s=20, marker=RINGS[place % len(RINGS)], facecolors="white", edgecolors=style.GREY, linewidths=1.1,
            label=textwrap.fill(series, KEY), zorder=3,
        )  # fmt: skip
    for series, held in by_series(own).items():
        ax.plot([p.y for p in held], [heights[str(p.x)] for p in held], color=style.BLUE, linewidth=1.6, zorder=2)
        ax.plot([p.y for p in held], [heights[str(p.x)] for p in held], "D", color=style.BLUE, markersize=6.5,
                label=textwrap.fill(series, KEY), zorder=4)  # fmt: skip
    style.rows(ax, rows, list(heights.values()))
    for ends in scale:
        ax.set_xlim(ends.low, ends.high)
    style.words_on(marks, ax)
    style.taller(ax, 1.8 + TALL * max(len(rows), 1))
    if rows:
        style.keyed(ax, columns=2)


def _behind(marks: pd.DataFrame, heights: dict[str, float], ax: Axes) -> None:
    """The grey bars, and the lines in them."""
    from evalkit.charts import style

    for label, found in groupby(of(marks, "band"), key=lambda band: band.label):
        bands = list(found)
        ax.barh(
            [heights[str(band.x)] for band in bands], [band.high - band.low for band in bands],
            left=[band.low for band in bands], height=0.8, color=style.PALE, alpha=0.7, label=label, zorder=1,
        )  # fmt: skip
    for label, found in groupby(of(marks, "line"), key=lambda line: line.label):
        lines = list(found)
        at = [heights[str(line.x)] for line in lines]
        ax.vlines(
            [line.y for line in lines], [y - 0.4 for y in at], [y + 0.4 for y in at], color=style.BLUE, linewidth=2.4,
            label=label, zorder=2,
        )  # fmt: skip


def _rows(marks: pd.DataFrame) -> list[str]:
    """The names of the rows, in the order met."""
    return list(dict.fromkeys(str(mark.x) for mark in of(marks, "point", "band", "line", "other")))


def _asides(others: list[Mark], own: dict[str, float], width: float) -> list[float]:
    """How far from the middle of its row each ring stands, so that neither a ring nor one's own dot hides it."""
    taken: dict[tuple[str, float], list[float]] = {}
    asides = []
    for one in others:
        row = str(one.x)
        lanes = LANES[abs(one.y - own.get(row, float("inf"))) < CLOSE_TO_OWN * width :]
        free = [lane for lane in lanes if all(abs(one.y - y) >= CLOSE * width for y in taken.get((row, lane), []))]
        lane = free[0] if free else lanes[0]
        taken.setdefault((row, lane), []).append(one.y)
        asides.append(lane)
    return asides


def describe(marks: pd.DataFrame) -> str:
    """Each row: one's own value, the line, the bar, and how many others lie from where to where."""
    said = [f"{row}: {', '.join(_said(marks[marks['x'] == row]))}" for row in _rows(marks)]
    return f"Dot chart. {opening(marks)} {'; '.join(said) or 'nothing that may be shown'}."


def _said(row: pd.DataFrame) -> list[str]:
    told = [f"{p.series} {words.number(p.y)}" for p in of(row, "point")]
    told += [f"{line.label} {words.number(line.y)}" for line in of(row, "line")]
    told += [f"{band.label} {words.span(band.low, band.high, 2)}" for band in of(row, "band")]
    for series, others in by_series(of(row, "other")).items():
        values = [one.y for one in others]
        told.append(f"{len(values)} {series} from {words.span(min(values), max(values), 2)}")
    return told


CHART = Chart("among", draw, describe)
