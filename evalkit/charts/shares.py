"""How answers fall on their scale: one bar a question, one piece an answer, from one end of the scale to the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from evalkit.charts import Chart, by_series, of, opening

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROOM = 5
"""Pieces narrower than this, in % of the bar, have no room for their number."""


def draw(marks: pd.DataFrame, ax: Axes) -> None:
    """`share` marks: x the question, series the answer in the order of the scale, y its %, label its number."""
    from evalkit.charts import style

    shares = of(marks, "share")
    questions = list(dict.fromkeys(str(share.x) for share in shares))
    heights = {question: float(len(questions) - 1 - place) for place, question in enumerate(questions)}
    answers = by_series(shares)
    ends = dict.fromkeys(questions, 0.0)
    for colour, (answer, pieces) in zip(style.ordered(len(answers)), answers.items(), strict=True):
        for piece in pieces:
            left = ends[str(piece.x)]
            ax.barh(
                heights[str(piece.x)], piece.y, left=left, height=0.7, color=colour, edgecolor="black", linewidth=0.6,
                label=answer if piece is pieces[0] else None,
            )  # fmt: skip
            if piece.y >= ROOM:
                ax.text(
                    left + piece.y / 2, heights[str(piece.x)], piece.label, ha="center", va="center", fontsize=9,
                    color=style.ink_on(colour),
                )  # fmt: skip
            ends[str(piece.x)] = left + piece.y
    style.rows(ax, questions, list(heights.values()))
    ax.set_xlim(0, 100)
    style.words_on(marks, ax)
    if shares:
        style.keyed(ax)


def describe(marks: pd.DataFrame) -> str:
    """Every question with the number of each answer."""
    said: dict[str, list[str]] = {}
    for share in of(marks, "share"):
        said.setdefault(str(share.x), []).append(f"{share.series.lower()} {share.label}")
    shown = "; ".join(f"{name}: {', '.join(pieces)}" for name, pieces in said.items()) or "nothing that may be shown"
    return f"Bar chart of answers. {opening(marks)} {shown}."


CHART = Chart("shares", draw, describe)
