"""Marks in, axes out, and the same marks in words. One file a chart; each holds `CHART`.

Marks are one tidy frame: `mark` (what is drawn), `series`, `x`, `y`, `low`, `high`, `label`, `n`, `row`.
Whatever a chart draws stands there, its headline and axis names too, so what is withheld from the marks is withheld
from the picture and from its description alike.
"""

from __future__ import annotations

import math
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from evalkit import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = ("mark", "series", "x", "y", "low", "high", "label", "n", "row")
TEXTS = ("headline", "subtitle", "x_axis", "y_axis")
"""Marks that are words: the headline states the finding, the subtitle gives measure, place and period."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A frozen pair: how marks are drawn, and how they are said."""

    name: str
    draw: Callable[[pd.DataFrame, Axes], None]
    describe: Callable[[pd.DataFrame], str]


def named(name: str) -> Chart:
    """The chart in the file of this name.

    >>> named("dots").name
    'dots'
    """
    known = [module.name for module in pkgutil.iter_modules(__path__)]
    if name not in known:
        raise ValueError(f"There is no chart {name!r}; the charts are: {', '.join(known)}.")
    chart = import_module(f"{__name__}.{name}").CHART
    assert isinstance(chart, Chart)
    return chart


def marks(rows: Iterable[dict[str, Any]] = (), **texts: str) -> pd.DataFrame:
    """A frame of marks: the rows given, then the words of the chart.

    >>> marks([{"mark": "point", "series": "self", "x": "wave 1", "y": 3.1}], headline="Was 3.1").shape
    (2, 9)
    """
    unknown = set(texts) - set(TEXTS)
    if unknown:
        raise ValueError(f"A chart has no {', '.join(sorted(unknown))}; its words are {', '.join(TEXTS)}.")
    said = [{"mark": kind, "label": text} for kind, text in texts.items() if text]
    frame = pd.DataFrame([*rows, *said], columns=list(COLUMNS))
    numbers = {"y": float, "low": float, "high": float, "n": float}
    return frame.astype(numbers).assign(row=frame["row"].astype("Int64"))


class Mark(NamedTuple):
    """One mark, as it is drawn and said."""

    mark: str
    series: str
    x: Any
    y: float
    low: float
    high: float
    label: str
    n: float
    row: int | None


def of(drawn: pd.DataFrame, *kinds: str) -> list[Mark]:
    """The marks of these kinds, in their order; no label is an empty one."""
    frame = drawn.loc[drawn["mark"].isin(kinds), list(COLUMNS)].astype(object)
    frame = frame.where(frame.notna(), None).fillna({"y": math.nan, "low": math.nan, "high": math.nan, "n": math.nan})
    return [Mark._make([*row[:6], row[6] or "", *row[7:]]) for row in frame.to_numpy().tolist()]


def by_series(found: list[Mark]) -> dict[str, list[Mark]]:
    """Marks grouped by their series, in the order met."""
    grouped: dict[str, list[Mark]] = {}
    for mark in found:
        grouped.setdefault(mark.series, []).append(mark)
    return grouped


def opening(drawn: pd.DataFrame) -> str:
    """How every description begins: the finding, then measure, place and period."""
    return f"{text(drawn, 'headline')}. {text(drawn, 'subtitle')}."


def extent(points: list[Mark]) -> list[str]:
    """How a series over time is said: how many points, its first and last, its lowest and highest; nothing of none."""
    told = [point for point in points if point.y == point.y]
    if not told:
        return []
    if len(told) == 1:
        return [f"One point, {words.month(date.fromisoformat(told[0].x))} ({words.significant(told[0].y, 3)})."]
    ends = " to ".join(
        f"{words.month(date.fromisoformat(p.x))} ({words.significant(p.y, 3)})" for p in (told[0], told[-1])
    )
    low, high = (words.significant(end(point.y for point in told), 3) for end in (min, max))
    return [f"{len(told)} points from {ends}, lowest {low}, highest {high}."]


def happened(drawn: pd.DataFrame) -> list[str]:
    """How a description ends where events are marked: each with its month."""
    events = [f"{event.label} ({words.month(date.fromisoformat(event.x))})" for event in of(drawn, "event")]
    return [f"Marked: {'; '.join(events)}."] if events else []


def text(drawn: pd.DataFrame, kind: str) -> str:
    """The words of one kind, or none."""
    found = of(drawn, kind)
    return found[0].label if found else ""
