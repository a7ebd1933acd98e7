"""Places against funnel limits: how far each lies from the average of all, beside how far chance alone would put it.

No place is named and none stands before another: a shape says whether it takes part, its size where it stands.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import words
from evalkit.charts import Chart, Mark, by_series, of, opening

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AVERAGE = "average"
LIMITS = ("95% limits", "99.8% limits")
"""The series of `line` marks beside the average: low and high at each x."""
INSIDE = "within the limits"
"""What the label of a place says of most of them."""
TALL = 4.0
"""Inches: a key of five leaves the places less room."""
ROOM = 0.12
"""How far the picture reaches beyond its places and 95 % limits, as a share of what lies between."""


def draw(marks: pd.DataFrame, ax: Axes) -> None:
    """`place` marks: series who it is, x how many people, y its value, label where it lies. `line` marks: series the
    average (y) or the limits (low and high), x how many people."""
    from evalkit.charts import style

    places, lines = of(marks, "place"), by_series(of(marks, "line"))
    for name, line in lines.items():
        _line(name, line, ax)
    for at, (who, held) in enumerate(by_series(places).items()):
        ax.scatter(
            [float(p.x) for p in held], [p.y for p in held], s=34, marker=style.SHAPES[at % 4], zorder=3,
            facecolor=style.BLUE if at == 0 else "white", edgecolor=style.COLOURS[at % 4], linewidth=1.3, label=who,
        )  # fmt: skip
    _frame(places, lines, ax)
    style.words_on(marks, ax)
    style.taller(ax, TALL)
    if places or lines:
        style.keyed(ax)


def _line(name: str, line: list[Mark], ax: Axes) -> None:
    """The average, or both limits of one width under one name."""
    from evalkit.charts import style

    across = [float(mark.x) for mark in line]
    if name == AVERAGE:
        ax.plot(across, [mark.y for mark in line], color=style.GREY, linewidth=1.2, label=name, zorder=1)
        return
    look: dict[str, Any] = {"color": style.GREY, "linewidth": 1.5, "zorder": 1}
    look["linestyle"] = "--" if name == LIMITS[0] else ":"
    ax.plot(across, [mark.high for mark in line], label=name, **look)
    ax.plot(across, [mark.low for mark in line], **look)


def _frame(places: list[Mark], lines: dict[str, list[Mark]], ax: Axes) -> None:
    """Every place and narrower limit, and never below nought: wider limits may leave the picture at its left."""
    narrow = lines.get(LIMITS[0], [])
    drawn = [*(place.y for place in places), *(end for mark in narrow for end in (mark.low, mark.high))]
    lowest, highest = min(drawn, default=0.0), max(drawn, default=1.0)
    room = ROOM * (highest - lowest) or 1.0
    ax.set_ylim(max(lowest - room, 0), highest + room)
    ax.locator_params(axis="x", nbins=5)
    ax.xaxis.set_major_formatter(lambda people, _: f"{people:,.0f}")
    ax.yaxis.set_major_formatter(lambda value, _: words.number(value, 0 if highest >= 10 else 2))
    ax.tick_params(labelsize=9)


def describe(marks: pd.DataFrame) -> str:
    """How many places of each kind, the average and its limits at both ends, and how many lie where; none by name."""
    places, lines = of(marks, "place"), by_series(of(marks, "line"))
    said = [f"Funnel chart. {opening(marks)}"]
    if not places:
        return f"{said[0]} Nothing that may be shown."
    kinds = [words.counted(len(held), who.removesuffix("s")) for who, held in by_series(places).items()]
    said.append(f"{words.sentence_case(words.listed(kinds))}, none named.")
    if AVERAGE in lines:
        said.append(f"Average {_value(lines[AVERAGE][0].y)}.")
    said += [_limits(name, lines[name]) for name in LIMITS if name in lines]
    where = Counter(place.label or INSIDE for place in places)
    outside = [f"{count} {label}" for label, count in sorted(where.items()) if label != INSIDE]
    said.append(f"Places: {'; '.join([*outside, f'{where[INSIDE]} {INSIDE}'])}.")
    return " ".join(said)


def _limits(name: str, line: list[Mark]) -> str:
    small, large = (f"{_value(end.low)} to {_value(end.high)}" for end in (line[0], line[-1]))
    return f"{name}: {small} for the smallest places, {large} for the largest."


def _value(value: float) -> str:
    return words.significant(value, 3)


CHART = Chart("funnel", draw, describe)
