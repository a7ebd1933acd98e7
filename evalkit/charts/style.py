"""One look for every chart: Government Analysis Function colours, meaning never by colour alone, horizontal words."""

from __future__ import annotations

import io
import textwrap
from datetime import date
from typing import TYPE_CHECKING

from evalkit import words
from evalkit.charts import Mark, text

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

BLUE, TEAL, PLUM, ORANGE, GREY, VIOLET = "#12436D", "#28A197", "#801650", "#F46A25", "#3D3D3D", "#A285D1"
COLOURS = (BLUE, ORANGE, TEAL, PLUM)
"""At most four series in one chart (Government Analysis Function: categorical palette, in this order of contrast)."""
SHAPES = ("o", "s", "^", "D")
DASHES = ("-", "--", ":", "-.")
DASH_WORDS = ("──", "╌╌", "┄┄", "─╌")
"""Each dash as it looks in a label."""
PALE, LINK = "#BFBFBF", "#767676"
"""A shade behind the data, and a thin line that joins them (4.5 to 1 from white)."""
WIDTH = 4.4
"""Inches: narrow enough that words stay legible where the page is 390 pixels wide, and in half a printed page."""
LINE, BETWEEN = 0.16, 0.07
"""Inches of one line of a row's name, and between two names of three lines or more, which would touch."""
MOST_MONTHS = 4
"""Months named along an axis: more would run into each other."""


def figure(height: float = 3.4) -> tuple[Figure, Axes]:
    """A blank figure in the house style, outside pyplot: nothing global is touched."""
    import seaborn as sns
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(), sns.axes_style("ticks"), sns.plotting_context("notebook", font_scale=0.95):
        drawing = Figure(figsize=(WIDTH, height), layout="constrained")
        axes = drawing.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#E3E3E3", linewidth=0.8)
        axes.set_axisbelow(True)
    return drawing, axes


def ordered(steps: int) -> list[str]:
    """Colours for the steps of a scale, from one end over pale to the other: neighbours differ in lightness."""
    from matplotlib.colors import LinearSegmentedColormap, to_hex

    ramp = LinearSegmentedColormap.from_list("scale", [PLUM, "#D9A9C0", "#F2F2F2", "#6BACE6", BLUE])
    return [to_hex(ramp(step / max(steps - 1, 1))) for step in range(steps)]


def ink_on(colour: str) -> str:
    """Black or white, whichever is read more easily on this colour (WCAG 2.2, relative luminance)."""
    from matplotlib.colors import to_rgb

    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    bright = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "white" if 1.05 / (bright + 0.05) > (bright + 0.05) / 0.05 else "black"


def words_on(drawn: pd.DataFrame, axes: Axes) -> None:
    """Name the axis and, left-aligned above the picture, say what is measured, where and when."""
    from matplotlib.figure import Figure

    axes.set_xlabel(textwrap.fill(text(drawn, "x_axis"), 40), fontsize=9, color=GREY)
    axes.set_ylabel("")
    above = textwrap.fill(text(drawn, "subtitle"), 56)
    drawing = axes.get_figure()
    if isinstance(drawing, Figure) and len(drawing.axes) == 1:
        drawing.suptitle(above, x=0.01, ha="left", fontsize=9.5, color=GREY)
    else:
        axes.set_title(above, loc="left", fontsize=9.5, color=GREY)


def keyed(axes: Axes, columns: int = 3) -> None:
    """A key beneath the picture, for shapes that cannot be named in place: fewer columns where names are long."""
    from matplotlib.figure import Figure

    drawing = axes.get_figure()
    handles, names = axes.get_legend_handles_labels()
    if axes.legend_ is not None:
        axes.legend_.remove()
    if isinstance(drawing, Figure) and len(drawing.axes) == 1:
        drawing.legend(
            handles, names, loc="outside lower left", ncols=columns, frameon=False, fontsize=9, columnspacing=1.2,
            handlelength=1.4,
        )  # fmt: skip
    else:
        axes.legend(handles, names, frameon=False, fontsize=9)


def rows(axes: Axes, names: list[str], heights: list[float]) -> None:
    """One named row a mark, horizontal words, the picture as tall as its rows."""
    from matplotlib.figure import Figure

    wrapped = [textwrap.fill(name, 26) for name in names]
    axes.set_yticks(heights, wrapped, fontsize=9.5)
    axes.tick_params(axis="x", labelsize=9)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.grid(visible=False)
    axes.grid(axis="x", color="#E3E3E3", linewidth=0.8)
    drawing = axes.get_figure()
    if isinstance(drawing, Figure):
        lines = max((name.count("\n") + 1 for name in wrapped), default=1)
        row = max(0.26, LINE * lines + (BETWEEN if lines > 2 else 0.0))
        drawing.set_figheight(1.4 + row * max(len(names), 1))


def taller(axes: Axes, height: float) -> None:
    """A taller picture, with room above for what is framed: only the letters in a frame are measured, not the frame."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    drawing = axes.get_figure()
    if isinstance(drawing, Figure):
        drawing.set_figheight(height)
        layout = drawing.get_layout_engine()
        if isinstance(layout, ConstrainedLayoutEngine):
            layout.set(h_pad=0.1)


def dates(found: list[Mark]) -> NDArray[np.datetime64]:
    """Where marks with an ISO date stand on a calendar axis."""
    import numpy as np

    return np.array([mark.x for mark in found], dtype="datetime64[D]")


def calendar(axes: Axes) -> None:
    """Months along the axis, and room at the right for the names of lines."""
    from matplotlib.dates import DateFormatter

    left, right = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if left <= tick <= right]
    axes.set_xticks(ticks[:: -(-len(ticks) // MOST_MONTHS) or 1])
    axes.xaxis.set_major_formatter(DateFormatter("%b %Y"))  # type: ignore[no-untyped-call]
    axes.set_xlim(left, right + 0.2 * (right - left))
    axes.tick_params(labelsize=9)


def events(happened: list[Mark], axes: Axes) -> None:
    """Vertical lines numbered along the top, their names beneath the picture: words never lie across the data."""
    from matplotlib.dates import date2num

    numbered: dict[str, list[str]] = {}
    for place, event in enumerate(happened, 1):
        numbered.setdefault(event.x, []).append(str(place))
    for day, places in numbered.items():
        at = float(date2num(date.fromisoformat(day)))  # type: ignore[no-untyped-call]
        axes.axvline(at, color=PLUM, linewidth=1.2, linestyle=":")
        axes.annotate(
            ", ".join(places), (at, 1), xycoords=("data", "axes fraction"), fontsize=8.5, ha="center", va="bottom",
            color=PLUM,
        )  # fmt: skip
    named = [f"{place}  {event.label}, {words.month(date.fromisoformat(event.x))}"
             for place, event in enumerate(happened, 1)]  # fmt: skip
    if named:
        axes.set_xlabel("\n".join(textwrap.fill(line, 62) for line in named), fontsize=8.5, loc="left", color=PLUM)


def svg(drawing: Figure) -> str:
    """The figure as SVG, the same bytes on every run: a fixed salt and no date."""
    from matplotlib import rc_context

    page = io.StringIO()
    with rc_context({"svg.hashsalt": "evalkit", "svg.fonttype": "path"}):
        drawing.savefig(page, format="svg", metadata={"Date": None, "Creator": None})
    return page.getvalue()
