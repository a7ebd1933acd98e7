"""A series over time: what was observed, what the trend before would have given, and everything that happened."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import words
from evalkit.charts import Chart, by_series, extent, happened, of, opening

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(marks: pd.DataFrame, ax: Axes) -> None:
    """`point` observed and `line` marks by series (x an ISO date), a `band` around one, `event` marks with words."""
    import seaborn as sns

    from evalkit.charts import style

    points, bands = of(marks, "point"), of(marks, "band")
    ax.fill_between(
        style.dates(bands), [b.low for b in bands], [b.high for b in bands], color=style.PALE, alpha=0.6, lw=0
    )
    sns.scatterplot(x=style.dates(points), y=[p.y for p in points], s=16, color=style.GREY, ax=ax, legend=False)
    lines = by_series(of(marks, "line"))
    ends = sorted((line[-1].y for line in lines.values()), reverse=True)
    for place, (name, line) in enumerate(lines.items()):
        shade, dash = style.COLOURS[place % 4], style.DASHES[place % 4]
        ax.plot(style.dates(line), [m.y for m in line], color=shade, linestyle=dash, linewidth=2)
        at = (style.dates(line)[-1], line[-1].y)
        ax.annotate(
            textwrap.fill(f"{style.DASH_WORDS[place % 4]} {name}", 11), at, xytext=(5, 0),
            textcoords="offset points", fontsize=8.5, color=style.GREY, va="bottom" if line[-1].y > ends[-1] else "top",
        )  # fmt: skip
    style.calendar(ax)
    style.words_on(marks, ax)
    style.events(of(marks, "event"), ax)


def describe(marks: pd.DataFrame) -> str:
    """First, last, lowest and highest; each line's end; each event with its date."""
    said = [f"Line chart. {opening(marks)}", *extent(of(marks, "point"))]
    said += [f"{name} ends at {_value(line[-1].y)}." for name, line in by_series(of(marks, "line")).items()]
    return " ".join([*said, *happened(marks)])


def _value(value: float) -> str:
    return words.significant(value, 3)


CHART = Chart("series", draw, describe)
