"""A process control chart: every point, the mean and limits of each phase, what stands out, and two icons with words.

Limits move in steps where the number of people does, and a target where it is a trajectory. A run chart has a median
and no limits. Points are months, quarters or years, each drawn at its first day.

Kinds of point are told apart by shape as well as colour, and each icon by its frame and letter: the colours of the
NHS icons fail WCAG 1.4.11 on white, and two of them are one grey in print.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import periods, words
from evalkit.charts import Chart, Mark, by_series, happened, of, opening

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ABOVE = 1.2
"""Heights of the picture at which icons stand: over the numbers of events."""
APART = 0.16
"""Part of the picture's height by which the names of limits stand clear of the mean's."""
TALL = 3.9
"""Inches: icons, events and a key leave the months less room."""
KEY = 0.25
"""Inches of the key's second row, where a target is named."""
CENTRES = ("mean", "median")
LIMITS = ("lower limit", "upper limit")
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
    """`point` marks (series the kind of point, x an ISO date), `line` marks of mean (or median), limits and target by
    phase (`row`), `event` marks with words, `icon` marks (series the kind, x its letter, label its words), and a
    `covers` mark (y the months of a point)."""
    from evalkit.charts import style

    points = of(marks, "point")
    lines = by_series(of(marks, "line"))
    for name, line in lines.items():
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
    _names(lines, ax)
    style.words_on(marks, ax)
    style.events(of(marks, "event"), ax)
    if len(by_series(points)) > 1 or "target" in lines:
        style.keyed(ax, 2 if "target" in lines else 3)
    _icons(of(marks, "icon"), ax)
    style.taller(ax, TALL + (KEY if "target" in lines else 0))


def _line(name: str, line: list[Mark], ax: Axes) -> None:
    """One line, broken where a new phase begins; in steps where it moves within one."""
    from evalkit.charts import style

    label = f"target {_reach(line)}" if name == "target" else None
    for _, phase in groupby(line, key=lambda mark: mark.row):
        held = list(phase)
        steps = "steps-mid" if len({mark.y for mark in held}) > 1 else "default"
        limit = "--" if steps == "default" else (0, (2.5, 1))  # long dashes break at the corners of steps
        dash = {"mean": "-", "median": "-", "target": (0, (1, 1))}.get(name, limit)
        ax.plot(
            style.dates(held), [m.y for m in held], color=style.PLUM if label else style.GREY, linestyle=dash,
            linewidth=1.4, zorder=1, drawstyle=steps, label=label,
        )  # fmt: skip


def _names(lines: dict[str, list[Mark]], ax: Axes) -> None:
    """Each line named at its end, limits clear of the mean; a target is named in the key, for it may lie anywhere."""
    from evalkit.charts import style

    low, high = ax.get_ylim()
    centre = next((lines[name][-1].y for name in CENTRES if name in lines), 0.0)
    clear = {"upper limit": centre + APART * (high - low), "lower limit": centre - APART * (high - low)}
    for name, line in lines.items():
        if name == "target":
            continue
        end = line[-1]
        height = {"lower limit": min}.get(name, max)(end.y, clear.get(name, end.y))
        ax.annotate(
            textwrap.fill(f"{name} {_value(end.y)}", 12), (style.dates([end])[0], height), xytext=(6, 0),
            textcoords="offset points", fontsize=8.5, va="center", color=style.GREY,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8}, zorder=4,
        )  # fmt: skip


def _reach(target: list[Mark]) -> str:
    """A target, or where a trajectory begins and where it is now."""
    first, last = _value(target[0].y), _value(target[-1].y)
    return first if first == last else f"{first}, now {last}"


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
    points, lines = of(marks, "point"), of(marks, "line")
    months = next((int(mark.y) for mark in of(marks, "covers")), 1)
    kind = "Run chart" if any(line.series == "median" for line in lines) else "Process control chart"
    said = [f"{kind}. {opening(marks)}", *_extent(points, months)]
    said += _phases(lines, months)
    spells = [list(held) for _, held in groupby(points, key=lambda p: p.series)]
    said += [_spell(spell, months) for spell in spells if spell[0].label]
    said += [f"{icon.label}." for icon in of(marks, "icon")]
    return " ".join([*said, *happened(marks)])


def _extent(points: list[Mark], months: int) -> list[str]:
    """How many points, the first and last, the lowest and highest; nothing of none."""
    if not points:
        return []
    ends = " to ".join(f"{_when(p, months)} ({_value(p.y)})" for p in (points[0], points[-1]))
    low, high = (_value(end(point.y for point in points)) for end in (min, max))
    return [f"{len(points)} points from {ends}, lowest {low}, highest {high}."]


def _phases(lines: list[Mark], months: int) -> list[str]:
    """Mean and limits, a sentence a phase; the target after them."""
    held: dict[int | None, dict[str, list[Mark]]] = {}
    for mark in lines:
        held.setdefault(mark.row, {}).setdefault(mark.series, []).append(mark)
    said = []
    for phase in held.values():
        centre = next((phase[name] for name in CENTRES if name in phase), None)
        if centre:
            limits = f", limits {_limits(phase)}" if all(name in phase for name in LIMITS) else ""
            said.append(f"From {_when(centre[0], months)}: {centre[0].series} {_value(centre[0].y)}{limits}.")
    targets = [mark for mark in lines if mark.series == "target"]
    return [*said, *([f"Target {_reach(targets)}."] if targets else [])]


def _limits(phase: dict[str, list[Mark]]) -> str:
    """From the lower to the upper, at both ends where they move."""
    first, last = (" to ".join(_value(phase[name][end].y) for name in LIMITS) for end in (0, -1))
    moved = any(len({mark.y for mark in phase[name]}) > 1 for name in LIMITS)
    return f"{first} at first and {last} at last, moving with the number of people" if moved else first


def _spell(spell: list[Mark], months: int) -> str:
    """Points in a row that stand out alike: when, and by which rules."""
    when = " to ".join(dict.fromkeys(_when(point, months) for point in (spell[0], spell[-1])))
    return f"{when}: {' and '.join(dict.fromkeys(point.label for point in spell))}."


def _when(mark: Mark, months: int) -> str:
    """The month, quarter or year that a mark stands for."""
    first = date.fromisoformat(mark.x)
    short = periods.printed(first, months)
    return short if "/" in short else periods.spoken(first, months)


def _value(value: float) -> str:
    return words.significant(value, 3)


CHART = Chart("variation", draw, describe)
