"""Which control chart fits the figures of a measure, why, and the chart itself.

| figures | chart |
|---|---|
| so many of so many people | p; p′ where they are thousands that differ by more than chance alone |
| events, many each month; scores | XmR, as NHS Making Data Count has it |
| events, few each month | u where somebody says out of how many, else c |
| too few or too far apart for limits | run |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.population import monthly
from evalkit.population.monthly import refuse
from evalkit.stats import spc
from evalkit.stats.run_charts import FEW_USEFUL

if TYPE_CHECKING:
    from evalkit.population.points import Points
    from evalkit.stats.spc import ControlChart

Word = Literal["xmr", "p", "p_prime", "u", "u_prime", "c", "run"]
WORDS: tuple[Word, ...] = get_args(Word)
ROUGH = 10
"""Under this mean count a month, limits of an XmR chart are rough: counts so small are lopsided (a judgement)."""
LARGE = 1_000
"""From this many people a month on average, what differs between months hides in a p chart's narrow limits, and p′ is
drawn where they do differ (a judgement; Laney speaks of very large samples)."""
FAR_APART = 6
"""Months from one point to the next, from which a run chart is drawn: what lies so far apart is too few for limits."""
NAMES: dict[Word, str] = {
    "xmr": "an XmR chart",
    "p": "a p chart",
    "p_prime": "a p′ chart",
    "u": "a u chart",
    "u_prime": "a u′ chart",
    "c": "a c chart",
    "run": "a run chart",
}
MDC = "NHS England, Making Data Count; rules as in NHSRplotthedots 0.2.2 (NHS-R Community)"
MONTGOMERY = f"Montgomery 2009, Introduction to Statistical Quality Control, sections 7.2 and 7.3; {MDC}."
LANEY = f"Laney 2002, Improved control charts for attributes, Quality Engineering 14(4), 531–537; {MDC}."
SOURCES: dict[Word, str] = {
    "xmr": f"{MDC}; Wheeler 1993, Understanding Variation.",
    "p": MONTGOMERY,
    "p_prime": LANEY,
    "u": MONTGOMERY,
    "u_prime": LANEY,
    "c": MONTGOMERY,
    "run": "Anhøj and Olesen 2014, Run charts revisited, PLoS ONE 9(11), e113825.",
}
ONE_LEVEL = "By themselves the {each}s would vary about one level, without season or drift"
ASSUMES: dict[Word, str] = {
    "xmr": f"{ONE_LEVEL}, each by itself.",
    "p": f"{ONE_LEVEL}, and by chance alone: each person counts for one, and no two hang together.",
    "p_prime": f"{ONE_LEVEL}, by chance and by as much again as they differ from one to the next.",
    "u": f"{ONE_LEVEL}, and by chance alone: each event comes by itself.",
    "u_prime": f"{ONE_LEVEL}, by chance and by as much again as they differ from one to the next.",
    "c": f"{ONE_LEVEL}, and by chance alone: each event comes by itself, among as many people in every {{each}}.",
    "run": "By themselves the {each}s would fall on either side of the median as a coin does.",
}
"""What must be true for a chart to mean anything; {each} is a month, a quarter or a year."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The chart of a measure: which, why that one, and what it found. `target`: for each point; None without one."""

    points: Points
    word: Word
    why: str
    chart: ControlChart
    target: list[float] | None

    @property
    def limited(self) -> bool:
        """Whether it has limits."""
        return self.word != "run"

    @property
    def stepped(self) -> bool:
        """Whether limits move with the number of people."""
        return self.word in ("p", "p_prime", "u", "u_prime")

    @property
    def method(self) -> str:
        """The chart, and why it was chosen."""
        return f"{self.chart.method}; {self.why}"

    @property
    def values(self) -> str:
        """What a value counts: a c chart holds counts, whatever they are out of."""
        return f"a {self.points.each}" if self.word == "c" else self.points.unit


def drawn(points: Points, *, asked: str | None, screen: bool, rebase: Mapping[date | str, str] | None) -> Drawn:
    """The chart asked for, or the one that fits; a refusal where there are too few points for any."""
    word = _known(points, asked)
    target = None if word == "c" and points.known else targets(points)  # a target of rates is none of counts
    how = {"dates": points.periods, "rebase": _starts(points, rebase), "direction": points.measure.better,
           "target": target}  # fmt: skip
    try:
        word, why = (word, "asked for") if word else _usual(points, how)
        chart = _draw(word, points, how, screen)
    except ValueError as refusal:
        raise refuse(
            f"{points.measure.label}: {refusal}",
            f"six {points.each}s or more in a row, better twelve, every one with its figure.",
        ) from refusal
    return Drawn(points, word, why, chart, target)


def _known(points: Points, asked: str | None) -> Word | None:
    """The chart asked for, where it can be drawn of such figures."""
    if asked is None:
        return None
    known = next((word for word in WORDS if word == asked), None)
    if known is None:
        raise ValueError(f"chart={asked!r} is no chart of variation. There are: {words.listed(list(WORDS))}.")
    if known not in _fitting(points):
        if known in ("u", "u_prime") and points.counted:
            raise monthly.no_people()
        raise ValueError(
            f"chart={asked!r}: {NAMES[known]} cannot be drawn of {points.label}. "
            f"Of such figures there are: {words.listed(_fitting(points))}."
        )
    return known


def _fitting(points: Points) -> list[str]:
    """The charts such figures can be drawn as: shares have a whole, counts may have people, scores have nothing."""
    if not points.counted:
        return ["xmr", "run"]
    if points.share:
        return ["xmr", "p", "p_prime", "u", "u_prime", "run"]
    return ["xmr", *(["u", "u_prime"] if points.known else []), "c", "run"]


def _starts(points: Points, rebase: Mapping[date | str, str] | None) -> Mapping[Any, str]:
    """From when limits are drawn anew, as told or as the plan says; each with a figure, and one before it."""
    declared = points.programme.plan.rebase.get(points.measure.id, {}) if rebase is None else rebase
    known = set(points.periods[1:])
    stray = [f"{when}" for when in declared if pd.to_datetime(when, errors="coerce") not in known]
    if stray:
        raise ValueError(f"rebase: {words.listed(stray)} is no {points.each} of {points.label} after the first.")
    return declared


def targets(points: Points) -> list[float] | None:
    """The target of each point: what the plan says from each month on, before that the measure's own; None for none."""
    declared = points.programme.plan.trajectory.get(points.measure.id, {})
    own = np.nan if points.measure.target is None else points.measure.target
    steps = sorted((pd.Timestamp(month), value) for month, value in declared.items())
    held = [next((value for month, value in steps[::-1] if month <= when), own) for when in points.periods]
    if np.isnan(held).all():
        return None
    if points.share and np.nanmax(held) > points.per:
        raise ValueError(
            f"A target of {np.nanmax(held):g} for {points.label}: no share is over {points.per:g} in every 100."
        )
    return held


def _usual(points: Points, how: Mapping[str, Any]) -> tuple[Word, str]:
    """The chart that fits, and why."""
    each, rows = points.each, points.rows
    short = len(rows) < spc.FEW
    if (short or points.apart >= FAR_APART) and _has_runs(points, how):
        few = f"only {len(rows)} {each}s" if short else f"its {each}s lie half a year or more apart"
        return "run", f"chosen: {few}, too few for limits"
    if not points.counted:
        return "xmr", "chosen for single values"
    if points.share:
        return _of_shares(points, how)
    if rows["count"].mean() >= ROUGH:
        return "xmr", f"chosen: {ROUGH} or more a {each} on average"
    few = f"chosen: fewer than {ROUGH} a {each} on average, for which limits of an XmR chart are rough"
    return ("u", few) if points.known else ("c", f"{few}, and nobody says out of how many people")


def _has_runs(points: Points, how: Mapping[str, Any]) -> bool:
    """Whether enough points lie off the median, in every stretch, for its runs to say something."""
    try:
        chart = spc.run(points.values, **how)
    except ValueError:
        return False
    return bool(chart.phases["useful"].min() >= FEW_USEFUL)


def _of_shares(points: Points, how: Mapping[str, Any]) -> tuple[Word, str]:
    """p, or p′ where so many are asked that a p chart's limits are narrow, and points differ by more than chance."""
    people, each = points.rows["people"], points.each
    if (people != people.round()).any():
        return "xmr", "chosen: the shares are not of whole people"
    average = f"out of {words.number(people.mean(), 0)} people a {each} on average"
    steps = f"limits widen where a {each} has fewer people"
    spread = _draw("p", points, how, False).phases["sigma_z"].max()
    if people.mean() >= LARGE and spread > 1:
        return "p_prime", f"chosen: {average}, and {each}s differ by more than chance alone; {steps}"
    return "p", f"chosen for shares {average}; {steps}"


def _draw(word: Word, points: Points, how: Mapping[str, Any], screen: bool) -> ControlChart:
    if word == "xmr":
        return spc.xmr(points.values, screen=screen, **how)
    if word == "run":
        return spc.run(points.values, **how)
    if word == "c":
        return spc.c(points.rows["count"], **how)
    of_people: dict[str, Callable[..., ControlChart]] = {
        "p": spc.p, "p_prime": spc.p_prime, "u": spc.u, "u_prime": spc.u_prime,
    }  # fmt: skip
    return of_people[word](points.rows["count"], points.rows["people"], per=points.per, **how)
