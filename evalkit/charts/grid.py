"""A grid of cells with words in them: filled where there is an answer, hatched where there is none."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pandas as pd

from evalkit.charts import Chart, by_series, of, opening

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(marks: pd.DataFrame, ax: Axes) -> None:
    """`cell` marks: x the column, series the row, y how many answers, label the words."""
    from matplotlib.patches import Rectangle

    from evalkit.charts import style

    cells = of(marks, "cell")
    columns = list(dict.fromkeys(str(cell.x) for cell in cells))
    rows = list(by_series(cells))
    for cell in cells:
        left, bottom = columns.index(str(cell.x)), len(rows) - 1 - rows.index(cell.series)
        filled = cell.y > 0
        ax.add_patch(
            Rectangle(
                (left, bottom), 0.96, 0.94, facecolor="#DCE6EF" if filled else "white",
                edgecolor=style.BLUE if filled else style.PALE, hatch=None if filled else "//", linewidth=1,
            )
        )  # fmt: skip
        ax.text(
            left + 0.48, bottom + 0.47, _wrapped(cell.label), ha="center", va="center", fontsize=8.5, color=style.GREY,
            bbox={"facecolor": "white" if not filled else "#DCE6EF", "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip
    ax.set_xlim(-0.02, len(columns))
    ax.set_ylim(-0.03, len(rows))
    ax.set_xticks([place + 0.48 for place in range(len(columns))], columns)
    ax.set_yticks([len(rows) - 1 - place + 0.47 for place in range(len(rows))], [r.replace(" ", "\n") for r in rows])
    ax.tick_params(labelsize=9.5, length=0)
    ax.grid(visible=False)
    ax.spines[["left", "bottom"]].set_visible(False)
    style.words_on(marks, ax)


def _wrapped(label: str) -> str:
    """Each line of the words, as narrow as its cell."""
    return "\n".join(textwrap.fill(line, 10) for line in label.splitlines())


def describe(marks: pd.DataFrame) -> str:
    """Each row, cell by cell."""
    said = [
        f"{row}: {', '.join(f'{cell.x} {cell.label}'.replace(chr(10), ' and ') for cell in cells)}"
        for row, cells in by_series(of(marks, "cell")).items()
    ]
    return f"Grid. {opening(marks)} {'; '.join(said)}."


CHART = Chart("grid", draw, describe)
