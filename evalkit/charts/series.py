"""A series over time: what was observed, what the trend before would have given, and everything that happened."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.charts import Chart, Mark, by_series, of, opening

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(marks: pd.DataFrame, ax: Axes) -> None:
    """`point` observed and `line` marks by series (x an ISO date), a `band` around one, `event` marks with words."""
    import seaborn as sns
    from matplotlib.dates import DateFormatter

    from evalkit.charts import style

    points, bands = of(marks, "point"), of(marks, "band")
    ax.fill_between(_dates(bands), [b.low for b in bands], [b.high for b in bands], color=style.PALE, alpha=0.6, lw=0)
    sns.scatterplot(x=_dates(points), y=[p.y for p in points], s=16, color=style.GREY, ax=ax, legend=False)
    for place, (name, line) in enumerate(by_series(of(marks, "line")).items()):
        shade, dash = style.COLOURS[place % 4], style.DASHES[place % 4]
        ax.plot(_dates(line), [m.y for m in line], color=shade, linestyle=dash, linewidth=2)
        ax.annotate(
            textwrap.fill(f"{style.DASH_WORDS[place % 4]} {name}", 15), (_dates(line)[-1], line[-1].y), xytext=(5, 0),
            textcoords="offset points", fontsize=8.5, color=style.GREY, va="bottom" if place % 2 else "top",
        )  # fmt: skip
    left, right = ax.get_xlim()
    ax.set_xticks([tick for tick in ax.get_xticks() if left <= tick <= right])
    ax.xaxis.set_major_formatter(DateFormatter("%b %Y"))  # type: ignore[no-untyped-call]
    ax.set_xlim(left, right + 0.2 * (right - left))  # room for the lines' names
    ax.tick_params(labelsize=9)
    style.words_on(marks, ax)
    _mark_events(of(marks, "event"), ax)


def _dates(found: list[Mark]) -> np.ndarray:
    return np.array([mark.x for mark in found], dtype="datetime64[D]")


def _mark_events(events: list[Mark], ax: Axes) -> None:
    """Vertical lines numbered along the top, their names beneath the picture: words never lie across the data."""
    from matplotlib.dates import date2num

    from evalkit.charts import style

    for place, event in enumerate(events, 1):
        at = float(date2num(pd.Timestamp(event.x)))  # type: ignore[no-untyped-call]
        ax.axvline(at, color=style.PLUM, linewidth=1.2, linestyle=":")
        ax.annotate(
            str(place), (at, 1), xycoords=("data", "axes fraction"), fontsize=8.5, ha="center", va="bottom",
            color=style.PLUM,
        )  # fmt: skip
    named = [f"{place}  {event.label}, {words.month(pd.Timestamp(event.x))}" for place, event in enumerate(events, 1)]
    if named:
        ax.set_xlabel("\n".join(textwrap.fill(line, 90) for line in named), fontsize=8.5, loc="left", color=style.PLUM)


def describe(marks: pd.DataFrame) -> str:
    """First, last, lowest and highest; each line's end; each event with its date."""
    points = [p for p in of(marks, "point") if p.y == p.y]
    said = [f"Line chart. {opening(marks)}"]
    if points:
        ends = " to ".join(f"{words.month(pd.Timestamp(p.x))} ({_value(p.y)})" for p in (points[0], points[-1]))
        heights = [p.y for p in points]
        said.append(f"{len(points)} points from {ends}, lowest {_value(min(heights))}, highest {_value(max(heights))}.")
    said += [f"{name} ends at {_value(line[-1].y)}." for name, line in by_series(of(marks, "line")).items()]
    events = [f"{event.label} ({words.month(pd.Timestamp(event.x))})" for event in of(marks, "event")]
    return " ".join([*said, *([f"Marked: {'; '.join(events)}."] if events else [])])


def _value(value: float) -> str:
    return words.significant(value, 3)


CHART = Chart("series", draw, describe)
