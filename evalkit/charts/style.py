"""One look for every chart: Government Analysis Function colours, meaning never by colour alone, horizontal words."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING

from evalkit.charts import text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, TEAL, PLUM, ORANGE, GREY, VIOLET = "#12436D", "#28A197", "#801650", "#F46A25", "#3D3D3D", "#A285D1"
COLOURS = (BLUE, ORANGE, TEAL, PLUM)
"""At most four series in one chart (Government Analysis Function: categorical palette, in this order of contrast)."""
SHAPES = ("o", "s", "^", "D")
DASHES = ("-", "--", ":", "-.")
DASH_WORDS = ("──", "╌╌", "┄┄", "─╌")
"""Each dash as it looks in a label."""
PALE = "#BFBFBF"
WIDTH = 6.2
"""Inches: words stay legible when the page is 390 pixels wide."""


def figure(height: float = 3.6) -> tuple[Figure, Axes]:
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


def words_on(drawn: pd.DataFrame, axes: Axes) -> None:
    """Name the axis and, left-aligned above the picture, say what is measured, where and when."""
    from matplotlib.figure import Figure

    axes.set_xlabel(text(drawn, "x_axis"), fontsize=9, color=GREY)
    axes.set_ylabel("")
    above = textwrap.fill(text(drawn, "subtitle"), 80)
    drawing = axes.get_figure()
    if isinstance(drawing, Figure) and len(drawing.axes) == 1:
        drawing.suptitle(above, x=0.01, ha="left", fontsize=9.5, color=GREY)
    else:
        axes.set_title(above, loc="left", fontsize=9.5, color=GREY)


def keyed(axes: Axes) -> None:
    """A key beneath the picture, for shapes that cannot be named in place."""
    from matplotlib.figure import Figure

    drawing = axes.get_figure()
    handles, names = axes.get_legend_handles_labels()
    if axes.legend_ is not None:
        axes.legend_.remove()
    if isinstance(drawing, Figure) and len(drawing.axes) == 1:
        drawing.legend(handles, names, loc="outside lower left", ncols=4, frameon=False, fontsize=9)
    else:
        axes.legend(handles, names, frameon=False, fontsize=9)


def rows(axes: Axes, names: list[str], heights: list[float]) -> None:
    """One named row a mark, horizontal words, the picture as tall as its rows."""
    from matplotlib.figure import Figure

    axes.set_yticks(heights, [textwrap.fill(name, 30) for name in names], fontsize=9.5)
    axes.tick_params(axis="x", labelsize=9)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.grid(visible=False)
    axes.grid(axis="x", color="#E3E3E3", linewidth=0.8)
    drawing = axes.get_figure()
    if isinstance(drawing, Figure):
        drawing.set_figheight(1.4 + 0.37 * max(len(names), 1))


def svg(drawing: Figure) -> str:
    """The figure as SVG, the same bytes on every run: a fixed salt and no date."""
    from matplotlib import rc_context

    page = io.StringIO()
    with rc_context({"svg.hashsalt": "evalkit", "svg.fonttype": "path"}):
        drawing.savefig(page, format="svg", metadata={"Date": None, "Creator": None})
    return page.getvalue()
