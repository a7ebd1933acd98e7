"""Limits and rules of control charts on arrays: a stack of series of one length is done as each alone.

Time runs along the last axis everywhere. What a chart is drawn with, frames, dates and words, is in `control_chart`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.int8]
Rule = Literal["", "outside_limits", "trend", "two_of_three", "shift", "long_run"]
"""What a point stands out by; its place in this list is its code. `long_run` is of run charts alone."""

TO_LIMIT = 2.66
"""Limits lie 2.66 mean moving ranges from the mean: 3 / d2, d2 = 1.128, as MDC and Wheeler print it (two decimals)."""
D2 = 1.128
"""Mean range of two normal values in standard deviations (Montgomery 2009, appendix VI; three decimals)."""
SCREEN = 3.267
"""Moving ranges of this many times their mean and more are left out of a second mean (D4 for two points: Wheeler)."""
NEAR = 2 / 3
"""How far from the mean towards a limit a point counts as near it."""
RUN = 7
"""Points in a row that make a shift, and that make a trend (MDC)."""
BLOCK = 256
"""Series judged at once, of many."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Values and the lines they are judged by, on the scale the rules are read on.

    values: (…, time). centre, lower, upper: broadcast against them, limits not cut off. shown: from that scale to the
    one drawn, never falling: it cuts limits off at what is possible. facts: what the limits are made of, (…, 1) each.
    """

    values: Floats
    centre: Floats
    lower: Floats
    upper: Floats
    shown: Callable[[Floats], Floats] = np.asarray
    facts: Mapping[str, NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class ManyCharts:
    """Charts of many series of one length, judged at once.

    rule: codes of `Rule` in its order (0 none, 1 outside_limits, 2 trend, 3 two_of_three, 4 shift), side: −1 low, 0
    none, 1 high; both int8 of the shape of the values. mean, lower, upper: what is drawn; they broadcast against it.
    facts: what the limits are made of (moving ranges, how many were screened), one of each a series.
    """

    rule: Codes
    side: Codes
    mean: Floats
    lower: Floats
    upper: Floats
    facts: Mapping[str, NDArray[Any]]

    @property
    def special_cause(self) -> Flags:
        """True for every point that stands out."""
        return self.rule > 0


def judge(lines: Lines) -> ManyCharts:
    """The four rules read on the lines; limits as they are drawn."""
    code, side = rules(lines.values, lines.centre, lines.lower, lines.upper)
    mean, lower, upper = (lines.shown(line) for line in (lines.centre, lines.lower, lines.upper))
    return ManyCharts(code, side, mean, lower, upper, lines.facts)


def judge_many(lines: Callable[..., Lines], *columns: Floats) -> ManyCharts:
    """The charts of tables of series by time, some hundred at once: what fits the processor's cache goes fastest."""
    series = len(columns[0])
    parts = [judge(lines(*(column[at : at + BLOCK] for column in columns))) for at in range(0, max(series, 1), BLOCK)]
    return ManyCharts(
        rule=np.concatenate([part.rule for part in parts]),
        side=np.concatenate([part.side for part in parts]),
        mean=np.concatenate([part.mean for part in parts]),
        lower=np.concatenate([part.lower for part in parts]),
        upper=np.concatenate([part.upper for part in parts]),
        facts={name: np.concatenate([part.facts[name] for part in parts]) for name in parts[0].facts},
    )


def within(low: float, high: float) -> Callable[[Floats], Floats]:
    """Lines cut off at what is possible, as Montgomery (2009) sets a lower limit below nought to nought."""
    return lambda line: np.clip(line, low, high)


def mean_range(values: Floats, screen: bool) -> tuple[Floats, NDArray[np.int64]]:
    """The mean moving range along time, and how many were left out of it: (…, 1) each.

    Where every range that would be kept is nought, none is left out: limits of no width would flag every point.
    """
    ranges = np.abs(np.diff(values, axis=-1))
    plain = ranges.mean(axis=-1, keepdims=True)
    if not screen:
        return plain, np.zeros(plain.shape, dtype=np.int64)
    kept = ranges < SCREEN * plain
    number = kept.sum(axis=-1, keepdims=True)
    again = (ranges * kept).sum(axis=-1, keepdims=True) / np.maximum(number, 1)
    wide = again > 0
    return np.where(wide, again, plain), np.where(wide, ranges.shape[-1] - number, 0)


def sides(values: Floats, centre: Floats) -> Codes:
    """−1 below the line, 1 above, 0 on it but for rounding (a trillionth of the largest value)."""
    away = values - centre
    rounding = 1e-12 * np.abs(values).max(axis=-1, keepdims=True, initial=0.0)
    side: Codes = (away > rounding).astype(np.int8) - (away < -rounding).astype(np.int8)
    return side


def rules(values: Floats, mean: Floats, lower: Floats, upper: Floats) -> tuple[Codes, Codes]:
    """Which rule each point comes under, and on which side: arrays of the shape of `values`, time along the last axis.

    Codes: 0 none, 1 outside_limits, 2 trend, 3 two_of_three, 4 shift; sides −1 low, 0 none, 1 high. Mean and limits
    broadcast against the values, so a whole stack of series of one length is done at once, and limits may step. The
    turn of a rising and a falling trend belongs to the earlier.
    """
    where = sides(values, mean)
    code, marked = np.zeros(values.shape, dtype=np.int8), np.zeros(values.shape, dtype=np.int8)
    steps = np.sign(np.diff(values, axis=-1)).astype(np.int8)
    found: dict[int, list[tuple[int, Flags]]] = {4: [], 3: [], 2: [], 1: []}
    for way in (1, -1):
        here = where == way
        reach = way * (values - mean)
        room = upper - mean if way > 0 else mean - lower
        outside = here & (reach > room * (1 + 1e-12))
        near = here & ~outside & (reach > NEAR * room * (1 + 1e-12))
        found[4].append((way, _covered(_all(here, RUN), RUN, values.shape)))
        found[3].append((way, near & _covered(_all(here, 3) & _two_of_three(near), 3, values.shape)))
        found[2].append((way, _covered(_all(steps == way, RUN - 1), RUN, values.shape)))
        found[1].append((way, outside))
    turn = found[2][0][1] & found[2][1][1]
    for rule, both in found.items():  # the first rule is written last, over the others
        for way, these in both:
            np.copyto(code, np.int8(rule), where=these)
            np.copyto(marked, np.int8(way), where=these)
        if rule == 2 and turn.any():
            marked[..., 1:][turn[..., 1:]] = steps[turn[..., 1:]]
    return code, marked


def named(code: Codes, side: Codes) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Codes as the words of `Rule`, and sides as "high", "low" and ""."""
    return np.array(get_args(Rule), dtype=object)[code], np.array(["", "high", "low"], dtype=object)[side]


def _all(found: Flags, length: int) -> Flags:
    """True where `length` in a row, from here on, are all found: two by two, so seven take three steps."""
    if found.shape[-1] < length:
        return found[..., :0]
    reach = 1
    while reach < length:
        step = min(reach, length - reach)
        found = found[..., :-step] & found[..., step:]
        reach += step
    return found


def _two_of_three(found: Flags) -> Flags:
    """True where two of three in a row, from here on, are found."""
    first, second, third = found[..., :-2], found[..., 1:-1], found[..., 2:]
    return (first & second) | (first & third) | (second & third)


def _covered(begins: Flags, length: int, shape: tuple[int, ...]) -> Flags:
    """True for every point of the windows of this length that begin where `begins` is True."""
    covered = np.zeros(shape, dtype=bool)
    covered[..., : begins.shape[-1]] = begins
    reach = 1
    while reach < length:
        step = min(reach, length - reach)
        covered[..., step:] |= covered[..., :-step]
        reach += step
    return covered
