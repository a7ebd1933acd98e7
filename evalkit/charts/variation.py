"""A process control chart: every point, the mean and limits of each phase, what stands out, and two icons with words.

Kinds of point are told apart by shape as well as colour, and each icon by its frame and letter: the colours of the
NHS icons fail WCAG 1.4.11 on white, and two of them are one grey in print.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import words
from evalkit.charts import Chart, Mark, by_series, extent, happened, of, opening

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ABOVE = 1.2
"""Heights of the picture at which icons stand: over the numbers of events."""
TALL = 3.9
"""Inches: icons, events and a key leave the months less room."""
LINES = ("mean", "upper limit", "lower limit")
"""The series of `line` marks: one row of the table a phase. A target is a line of its own."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one kind of point or icon looks: its marker, the frame of its icon, its colours, and its words in the key."""

    marker: str
    frame: str
    fill: str
    ink: str
    words: str


def _looks() -> dict[str, Look]:
    from evalkit.charts import style

    return {
        "common_cause": Look("o", "circle", "white", style.GREY, "usual"),
        "special_cause_improvement": Look("D", "round", style.BLUE, "white", "stands out, better"),
        "special_cause_concern": Look("s", "square", style.ORANGE, "black", "stands out, worse"),
        "special_cause_neutral_high": Look("^", "round4", style.PLUM, "white", "stands out, high"),
        "special_cause_neutral_low": Look("v", "round4", style.PLUM, "white", "stands out, low"),
        "consistent_pass": Look("", "round", style.BLUE, "white", ""),
        "consistent_fail": Look("", "square", style.ORANGE, "black", ""),
        "inconsistent": Look("", "circle", "white", style.GREY, ""),
    }


def draw(marks: pd.DataFrame, ax: Axes) -> None:
    """`point` marks (series the kind of point, x an ISO date), `line` marks of mean, limits and target by phase
    (`row`), `event` marks with words, and `icon` marks (series the kind, x its letter, label its words)."""
    from evalkit.charts import style

    points = of(marks, "point")
    for name, line in by_series(of(marks, "line")).items():
        _line(name, line, ax)
    ax.plot(style.dates(points), [p.y for p in points], color=style.LINK, linewidth=0.9, zorder=2)
    for kind, held in by_series(points).items():
        look = _looks()[kind]
        ax.scatter(
            style.dates(held), [p.y for p in held], s=16 if kind == "common_cause" else 40, marker=look.marker,
            color=style.GREY if kind == "common_cause" else look.fill, edgecolor="black", linewidth=0.5, zorder=3,
            label=look.words,
        )  # fmt: skip
    ax.margins(y=0.12)
    style.calendar(ax)
    style.words_on(marks, ax)
    style.events(of(marks, "event"), ax)
    if len(by_series(points)) > 1:
        style.keyed(ax)
    _icons(of(marks, "icon"), ax)
    style.taller(ax, TALL)


def _line(name: str, line: list[Mark], ax: Axes) -> None:
    """One line, broken where a new phase begins, and named at its end."""
    from evalkit.charts import style

    dash = {"mean": "-", "target": (0, (1, 1))}.get(name, "--")
    shade = style.PLUM if name == "target" else style.GREY
    for _, phase in groupby(line, key=lambda mark: mark.row):
        held = list(phase)
        ax.plot(style.dates(held), [m.y for m in held], color=shade, linestyle=dash, linewidth=1.4, zorder=1)
    end, aside = (0, (0, 4)) if name == "target" else (-1, (6, 0))  # a target may lie on a limit's own name
    ax.annotate(
        textwrap.fill(f"{name} {_value(line[end].y)}", 12), (style.dates(line)[end], line[end].y), xytext=aside,
        textcoords="offset points", fontsize=8.5, va="bottom" if name == "target" else "center", color=shade,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8}, zorder=4,
    )  # fmt: skip


def _icons(icons: list[Mark], ax: Axes) -> None:
    """Each icon a letter in a frame above the picture, its words beside it."""
    for place, icon in enumerate(icons):
        look, left = _looks()[icon.series], 0.02 + 0.5 * place
        box = {"boxstyle": f"{look.frame},pad=0.3", "facecolor": look.fill, "edgecolor": "black", "linewidth": 1.2}
        ax.text(
            left, ABOVE, str(icon.x), transform=ax.transAxes, fontsize=9, weight="bold", ha="center", va="center",
            color=look.ink, bbox=box,
        )  # fmt: skip
        beside = textwrap.fill(icon.label, 24 if len(icons) > 1 else 50)
        ax.text(left + 0.04, ABOVE, beside, transform=ax.transAxes, fontsize=8.5, va="center")


def describe(marks: pd.DataFrame) -> str:
    """First, last, lowest and highest; mean and limits of each phase; each spell that stands out; icons; events."""
    points = of(marks, "point")
    said = [f"Process control chart. {opening(marks)}", *extent(points)]
    said += _phases(of(marks, "line"))
    spells = [list(held) for _, held in groupby(points, key=lambda p: p.series)]
    said += [_spell(spell) for spell in spells if spell[0].label]
    said += [f"{icon.label}." for icon in of(marks, "icon")]
    return " ".join([*said, *happened(marks)])


def _phases(lines: list[Mark]) -> list[str]:
    """Mean and limits, a sentence a phase; the target after them."""
    held: dict[int | None, dict[str, Mark]] = {}
    for mark in lines:
        held.setdefault(mark.row, {}).setdefault(mark.series, mark)
    said = []
    for phase in held.values():
        if all(name in phase for name in LINES):
            mean, upper, lower = (phase[name] for name in LINES)
            said.append(f"From {_month(mean)}: mean {_value(mean.y)}, limits {_value(lower.y)} to {_value(upper.y)}.")
    targets = [mark for mark in lines if mark.series == "target"]
    return [*said, *(f"Target {_value(target.y)}." for target in targets[:1])]


def _spell(spell: list[Mark]) -> str:
    """Points in a row that stand out alike: when, and by which rules."""
    when = _month(spell[0]) if len(spell) == 1 else f"{_month(spell[0])} to {_month(spell[-1])}"
    return f"{when}: {' and '.join(dict.fromkeys(point.label for point in spell))}."


def _month(mark: Mark) -> str:
    return words.month(pd.Timestamp(mark.x))


def _value(value: float) -> str:
    return words.significant(value, 3)


CHART = Chart("variation", draw, describe)
