"""A course over waves: a line a kind of rater with its intervals, spaced as far apart as the waves were."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import words
from evalkit.charts import Chart, Mark, by_series, of, opening

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ASIDE = 0.02
"""Share of the whole time between one series and the next at a wave: so that no interval hides another."""
LEAST_SHARE = 0.5
"""At least this share of the scale is shown: a picture zoomed in further makes little look like much."""
NEAREST = 0.13
"""Names of waves nearer than this share of the whole time would run into each other: the later is left out."""
LINE = 0.075
"""Share of the picture's height that one line of a name at its right takes."""
GLYPHS = ("●", "■", "▲", "◆")
"""Each shape of `style.SHAPES` as it looks in a name."""


def draw(marks: pd.DataFrame, ax: Axes) -> None:
    """`point` marks by series (x the wave; low–high its interval; label what is said of it), joined by a line.

    A `tick` gives a wave its place in time (x its name, y days or steps since the first), a `line` a level to compare
    a series with, a `scale` the ends of the scale.
    """
    from evalkit.charts import style

    places = _places(marks)
    series = by_series(of(marks, "point"))
    span = (max(places.values()) - min(places.values()) if places else 0) or 1.0
    looks = {name: place % 4 for place, name in enumerate(series)}
    for line in of(marks, "line"):
        shade = style.COLOURS[looks.get(line.series, 0)]
        ax.axhline(line.y, color=shade, linewidth=0.9, zorder=1)
    for name, own in series.items():
        aside = ASIDE * span * (looks[name] - (len(series) - 1) / 2)
        _line(ax, sorted(own, key=lambda point: places[str(point.x)]), places, looks[name], aside)
    _named(ax, places, span)
    bottom, top = _limits(marks)
    ax.set_ylim(bottom, top)
    ax.locator_params(axis="y", nbins=6)
    _labels(ax, series, places, looks, (bottom, top))
    style.words_on(marks, ax)


def _places(marks: pd.DataFrame) -> dict[str, float]:
    """Where each wave stands, by its name; waves without a place of their own stand in the order met."""
    told = {str(tick.x): tick.y for tick in of(marks, "tick")}
    if not told:
        met = dict.fromkeys(str(point.x) for point in of(marks, "point"))
        told = {name: float(place) for place, name in enumerate(met)}
    return told


def _line(ax: Axes, own: list[Mark], places: dict[str, float], look: int, aside: float) -> None:
    """One series: its intervals, its line, its shapes, and the words said of single points."""
    from evalkit.charts import style

    shade, at = style.COLOURS[look], [places[str(point.x)] + aside for point in own]
    ax.vlines(at, [p.low for p in own], [p.high for p in own], color=shade, linewidth=1.6, zorder=2)
    ax.plot(
        at, [p.y for p in own], color=shade, linestyle=style.DASHES[look], marker=style.SHAPES[look], markersize=6.5,
        linewidth=1.8, zorder=3,
    )  # fmt: skip
    for place, point in zip(at, own, strict=True):
        if point.label:
            foot = point.y if math.isnan(point.low) else point.low
            ax.annotate(
                point.label, (place, foot), xytext=(0, -4), textcoords="offset points", ha="center", va="top",
                fontsize=9, color=style.GREY,
            )  # fmt: skip


def _named(ax: Axes, places: dict[str, float], span: float) -> None:
    """The waves along the axis: month over year, and none that would run into the one before."""
    shown: list[str] = []
    for name in sorted(places, key=lambda name: places[name]):
        if not shown or places[name] - places[shown[-1]] >= NEAREST * span:
            shown.append(name)
    ax.set_xticks(list(places.values()), minor=True)
    ax.set_xticks([places[name] for name in shown], [_short(name) for name in shown])
    ax.tick_params(labelsize=9)
    if places:
        ax.set_xlim(min(places.values()) - 0.06 * span, max(places.values()) + 0.06 * span)


def _short(name: str) -> str:
    """A wave's name in two narrow lines.

    >>> _short("October 2024"), _short("wave 3")
    ('Oct\\n2024', 'wave\\n3')
    """
    *before, last = name.split(" ")
    shorter = [part[:3] if part.isalpha() and len(part) > 4 else part for part in before]
    return "\n".join([" ".join(shorter), last] if before else [last])


def _limits(marks: pd.DataFrame) -> tuple[float, float]:
    """The ends of the upright axis: all points, intervals and levels, and half of the scale or more."""
    drawn = of(marks, "point", "line")
    ends = [value for mark in drawn for value in (mark.y, mark.low, mark.high) if not math.isnan(value)]
    scale = of(marks, "scale")
    if not ends:
        return (scale[0].low, scale[0].high) if scale else (0.0, 1.0)
    low, high = min(ends), max(ends)
    room = 0.12 * (high - low) or 0.5
    if not scale:
        return low - room, high + room
    floor, ceiling = min(scale[0].low, low), max(scale[0].high, high)
    wide = min(max(high - low + 2 * room, LEAST_SHARE * (scale[0].high - scale[0].low)), ceiling - floor)
    bottom = min(max((low + high - wide) / 2, floor), ceiling - wide)
    return bottom, bottom + wide


def _labels(
    ax: Axes, series: dict[str, list[Mark]], places: dict[str, float], looks: dict[str, int], ends: tuple[float, float]
) -> None:
    """Each series named at the right of its last point, pushed apart where two would lie on each other."""
    from evalkit.charts import style

    ended = {name: max(own, key=lambda point: places[str(point.x)]).y for name, own in series.items()}
    free = -math.inf
    for name in sorted(ended, key=lambda name: ended[name]):
        wrapped = textwrap.fill(f"{GLYPHS[looks[name]]} {name}", 11)
        half = LINE * (wrapped.count("\n") + 1) / 2
        at = max((ended[name] - ends[0]) / (ends[1] - ends[0]), free + half)
        free = at + half
        ax.text(1.01, at, wrapped, transform=ax.transAxes, fontsize=9, color=style.GREY, va="center", ha="left")


def describe(marks: pd.DataFrame) -> str:
    """Each series wave by wave with its intervals, and what is said of a point or a level."""
    said = [f"{name}: {', '.join(map(_point, own))}" for name, own in by_series(of(marks, "point")).items()]
    levels = [f"Thin line at {words.number(line.y)}: {line.label}." for line in of(marks, "line")]
    shown = "; ".join(said) or "nothing that may be shown"
    return " ".join([f"Line chart over waves. {opening(marks)} {shown}.", *levels])


def _point(point: Mark) -> str:
    """One wave of a series in words."""
    sure = "" if math.isnan(point.low) else f" ({words.span(point.low, point.high)})"
    return f"{point.x} {words.number(point.y)}{sure}{f', {point.label}' if point.label else ''}"


CHART = Chart("waves", draw, describe)
