"""Groups and the ties between them, without names: dots of one size on a circle, thicker lines where more are tied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from evalkit import words
from evalkit.charts import Chart, Mark, of, opening

if TYPE_CHECKING:
    from matplotlib.axes import Axes

THINNEST, THICKEST = 0.7, 7.0
"""Points of a line: of a share of nothing, and of the largest share drawn."""


def draw(marks: pd.DataFrame, ax: Axes) -> None:
    """`dot` marks: x a number that means nothing, in the order of the circle. `link` marks: series and x the two dots,
    y the share of possible ties, in whole %. A dot that is withheld leaves no gap, nor does its size tell anything."""
    from evalkit.charts import style

    dots, links = _shown(marks)
    places = _places(dots)
    most = max((link.y for link in links), default=0.0)
    for link in sorted(links, key=lambda link: link.y):
        ends = (places[link.series], places[str(link.x)])
        ax.plot(
            [x for x, _ in ends], [y for _, y in ends], color=style.LINK, linewidth=_width(link.y, most), zorder=1,
            solid_capstyle="butt",
        )  # fmt: skip
    ax.plot(
        [x for x, _ in places.values()], [y for _, y in places.values()], "o", color=style.BLUE, markersize=13,
        markeredgecolor="white", markeredgewidth=1.6, zorder=3,
    )  # fmt: skip
    ax.set_xlim(-1.15, 1.15)
    ax.set_ylim(-1.15, 1.15)
    ax.set_aspect("equal")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[["left", "bottom"]].set_visible(False)
    style.taller(ax, 4.6)
    style.words_on(marks, ax)
    if links:
        _key(links, most, ax)


def _shown(marks: pd.DataFrame) -> tuple[list[str], list[Mark]]:
    """The dots and the lines between two of them; of one dot alone there is nothing to show."""
    dots = [str(dot.x) for dot in of(marks, "dot")]
    links = [link for link in of(marks, "link") if link.series in dots and str(link.x) in dots]
    return (dots, links) if len(dots) > 1 else ([], [])


def _places(names: list[str]) -> dict[str, tuple[float, float]]:
    """Each dot on a circle, the first at the top."""
    import numpy as np

    turns = 2 * np.pi * np.arange(len(names)) / max(len(names), 1)
    return {name: (float(np.sin(turn)), float(np.cos(turn))) for name, turn in zip(names, turns, strict=True)}


def _width(share: float, most: float) -> float:
    return THINNEST + (THICKEST - THINNEST) * (share / most if most > 0 else 0.0)


def _key(links: list[Mark], most: float, ax: Axes) -> None:
    """What the thickness of a line says, on lines as thick as those drawn."""
    from evalkit.charts import style

    drawn = sorted({link.y for link in links})
    for share in dict.fromkeys((drawn[0], drawn[len(drawn) // 2], drawn[-1])):
        ax.plot([], [], color=style.LINK, linewidth=_width(share, most), label=f"{words.number(share, 0)} in 100")
    style.keyed(ax)


def describe(marks: pd.DataFrame) -> str:
    """How many groups, how many pairs are linked, and the largest share; no name, and nothing of any one of them."""
    dots, links = _shown(marks)
    pairs = len(dots) * (len(dots) - 1) // 2
    if not dots:
        return f"Drawing of a network. {opening(marks)} Nothing that may be shown."
    said = f"{words.counted(len(dots), 'dot')} without names; a line joins {words.of(len(links), pairs)} pairs."
    if links:
        most = words.number(max(link.y for link in links), 0)
        said += f" The thickest line stands for {most} of every 100 ties there could be between two."
    return f"Drawing of a network. {opening(marks)} {words.sentence_case(said)}"


CHART = Chart("network", draw, describe)
