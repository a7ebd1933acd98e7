"""Who paid and to whom gains fall: two bars a row from one zero line, in pounds, each with its range."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import words
from evalkit.charts import Chart, Mark, by_series, of, opening

if TYPE_CHECKING:
    from matplotlib.axes import Axes

THICK = 0.34
"""Of a bar, where rows are 1 apart: two and a gap."""
ROOM = 0.42
"""Room for the words at the end of the longest bar, as a share of all bars."""
BETWEEN = 0.42
"""Inches from one row to the next: two lines of words and a gap."""


def draw(marks: pd.DataFrame, ax: Axes) -> None:
    """`bar` marks: x the row, series what the bar is (first above, second hatched), y pounds, low–high, label words."""
    from evalkit.charts import style

    bars = of(marks, "bar")
    names = list(dict.fromkeys(str(bar.x) for bar in bars))
    heights = {name: float(len(names) - 1 - place) for place, name in enumerate(names)}
    for place, (series, held) in enumerate(by_series(bars).items()):
        aside = THICK * (0.5 - place)
        at = [heights[str(bar.x)] + aside for bar in held]
        ax.barh(
            at, [bar.y for bar in held], height=0.9 * THICK, label=series, color="white" if place else style.BLUE,
            edgecolor=style.COLOURS[place % 4], hatch="////" if place else None, linewidth=1,
        )  # fmt: skip
        ranged = [(height, bar) for height, bar in zip(at, held, strict=True) if not math.isnan(bar.low)]
        for colour, width in (("white", 3.4), ("black", 1.4)):  # a pale edge, so that the range is seen in its bar too
            ax.hlines([height for height, _ in ranged], [bar.low for _, bar in ranged], [bar.high for _, bar in ranged],
                      color=colour, linewidth=width, zorder=3)  # fmt: skip
        for height, bar in zip(at, held, strict=True):
            ax.annotate(bar.label, (max(_ends(bar)), height), xytext=(4, 0), textcoords="offset points", va="center",
                        fontsize=8)  # fmt: skip
    style.rows(ax, names, list(heights.values()))
    lines = max((label.get_text().count("\n") + 1 for label in ax.get_yticklabels()), default=1)
    style.taller(ax, 1.4 + max(BETWEEN, style.LINE * lines + style.BETWEEN) * max(len(names), 1))
    _bare(ax, [end for bar in bars for end in _ends(bar)])
    style.words_on(marks, ax)
    if bars:
        style.keyed(ax, columns=2)


def _ends(bar: Mark) -> list[float]:
    """Where a bar and its range end, and the zero line they begin from."""
    return [end for end in (0.0, bar.y, bar.low, bar.high) if not math.isnan(end)]


def _bare(ax: Axes, ends: list[float]) -> None:
    """No scale, for each bar says its pounds; a line at zero; room for the words at the right."""
    low, high = min(ends, default=0.0), max(ends, default=0.0)
    whole = (high - low) or 1.0
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_xlim(low - 0.03 * whole, high + ROOM * whole)
    ax.set_xticks([])
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    ax.spines["left"].set_visible(False)


def describe(marks: pd.DataFrame) -> str:
    """Each row with its pounds and their range, in the order drawn."""
    said: dict[str, list[str]] = {}
    for bar in of(marks, "bar"):
        ranged = "" if math.isnan(bar.low) else f" ({words.span(bar.low, bar.high, 0)})"
        said.setdefault(str(bar.x), []).append(f"{bar.series} {bar.label}{ranged}")
    shown = "; ".join(f"{name}: {', '.join(held)}" for name, held in said.items()) or "nothing that may be shown"
    return f"Bar chart of pounds. {opening(marks)} {shown}."


CHART = Chart("money", draw, describe)
