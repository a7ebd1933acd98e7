"""Statistical process control by the rules of NHS Making Data Count: what a series does by itself, and what stands out.

The rules are those of NHSRplotthedots 0.2.2, the reference in code for Making Data Count (MDC):

1. outside_limits: a point beyond a process limit;
2. trend: 7 points in a row, each above (or each below) the one before; all 7 are marked;
3. two_of_three: of 3 points in a row on one side of the mean, 2 lie beyond two thirds of the way to the limit, limits
   themselves not crossed; those are marked;
4. shift: 7 points in a row on one side of the mean; all 7 are marked, and a point on the mean breaks the run.

A point under several rules carries the first in that order. Runs never reach across a rebase. Shewhart's other rules
are left out because MDC leaves them out: more rules, more false alarms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Direction = Literal["higher", "lower", "neutral"]
Rule = Literal["", "outside_limits", "trend", "two_of_three", "shift"]
Assurance = Literal["", "consistent_pass", "consistent_fail", "inconsistent"]

TO_LIMIT = 2.66
"""Limits lie 2.66 mean moving ranges from the mean: 3 / d2, d2 = 1.128, as MDC and Wheeler print it (two decimals)."""
SCREEN = 3.267
"""Moving ranges of this many times their mean and more are left out of a second mean (D4 for two points: Wheeler)."""
NEAR = 2 / 3
"""How far from the mean towards a limit a point counts as near it."""
RUN = 7
"""Points in a row that make a shift, and that make a trend (MDC)."""
FEW = 12
"""Under this many points limits are trial limits, and the chart says so (MDC)."""
BY_CHANCE = {12: 7, 24: 19, 36: 30, 60: 46, 84: 60, 120: 74}
"""Of 100 series of this many independent normal points, screened, how many have a point that stands out (simulated,
20,000 each: `tests/stats/test_spc.py`). Points that hang together stand out far more often: 46 and 87 of 100 series of
24 and 60 points at a correlation of .3 from one to the next."""
LEAST = 6
"""Under this many points there are no limits at all (Wheeler, Understanding Variation: five or six are usable)."""


@dataclass(frozen=True, slots=True, eq=False)
class ControlChart:
    """A series with its limits. `estimate`, `low`, `high`: mean and limits of the last phase; `n`: points in all.

    points: value, mean, lower, upper, special_cause (True or False), rule, side ("high", "low", ""), point_type (as
    NHSRplotthedots names it), phase; the index holds the dates where they were given.
    phases: first, last, n, mean, lower, upper, mean_range, screened (moving ranges left out), reason (of the rebase).
    variation: the point_type of the last point, and `side` its side. assurance: whether the target lies outside the
    last limits ("consistent_pass", "consistent_fail"), between them ("inconsistent"), or cannot be asked ("").
    """

    estimate: float
    low: float
    high: float
    n: int
    points: pd.DataFrame
    phases: pd.DataFrame
    direction: Direction
    target: float | None
    variation: str
    side: str
    assurance: Assurance
    method: str
    caveats: tuple[str, ...]


def xmr(
    values: ArrayLike | pd.Series[Any],
    *,
    dates: Sequence[Any] | pd.Series[Any] | pd.Index[Any] | None = None,
    screen: bool = True,
    rebase: Mapping[Any, str] | None = None,
    direction: Direction = "neutral",
    target: float | None = None,
) -> ControlChart:
    """Individual values and moving ranges: mean ± 2.66 × the mean of |xₜ − xₜ₋₁|, and the four MDC rules.

    values: numbers in order of time, without gaps. screen: leave out moving ranges of 3.267 times their mean and more,
    once, before the limits are drawn (NHSRplotthedots' default; the MDC workbook does not screen). rebase: for each
    date from which limits are drawn anew, the reason: a decision of people, never found by the program. direction:
    which way is better. target: judged against the last limits when a direction is given. Units: those of the values.

    Sources: NHS England, Making Data Count; NHSRplotthedots 0.2.2; Wheeler (1993), Understanding Variation.
    Errors: ValueError for fewer than 6 points in a phase, a missing value, dates out of order or with a month missing,
    a rebase without dates or reason, or on a date that is not there.

    >>> chart = xmr([1, 2, 1, 2, 10, *([1, 2] * 6), 1])
    >>> round(chart.estimate, 6), round(chart.low, 6), round(chart.high, 6)
    (1.944444, -0.715556, 4.604444)
    >>> chart.points.loc[chart.points["special_cause"], ["value", "rule", "side"]].to_dict("records")
    [{'value': 10.0, 'rule': 'outside_limits', 'side': 'high'}]
    """
    if direction not in get_args(Direction):
        raise ValueError(f"direction = {direction!r} must be one of {', '.join(get_args(Direction))}.")
    series, index = _read(values, dates)
    starts, reasons = _phases(index if dates is not None else None, rebase)
    ends = [*starts[1:], len(series)]
    parts = [
        _phase(series[start:end], index[start:end], number, screen, reason)
        for number, (start, end, reason) in enumerate(zip(starts, ends, reasons, strict=True))
    ]
    points = pd.concat([part for part, _ in parts]).assign(point_type=lambda found: _types(found, direction))
    phases = pd.DataFrame([row for _, row in parts])
    last = phases.iloc[-1]
    return ControlChart(
        estimate=float(last["mean"]),
        low=float(last["lower"]),
        high=float(last["upper"]),
        n=len(series),
        points=points,
        phases=phases,
        direction=direction,
        target=target,
        variation=str(points["point_type"].iloc[-1]),
        side=str(points["side"].iloc[-1]),
        assurance=_assurance(target, last["lower"], last["upper"], direction),
        method=f"XmR chart, NHS Making Data Count rules, moving ranges {'' if screen else 'not '}screened",
        caveats=_caveats(phases),
    )


def by_chance(n: int) -> int | None:
    """Of 100 screened series of n independent points, how many have one that stands out; None where none was simulated.

    Between two simulated lengths on the straight line that joins them.

    >>> by_chance(24), by_chance(30), by_chance(11), by_chance(121)
    (19, 24, None, None)
    """
    lengths = list(BY_CHANCE)
    if not lengths[0] <= n <= lengths[-1]:
        return None
    return round(float(np.interp(n, lengths, list(BY_CHANCE.values()))))


def rules(values: Floats, mean: Floats, lower: Floats, upper: Floats) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Which rule each point comes under, and on which side: arrays of the shape of `values`, time along the last axis.

    Codes: 0 none, 1 outside_limits, 2 trend, 3 two_of_three, 4 shift; sides −1 low, 0 none, 1 high. Mean and limits
    broadcast against the values, so a whole stack of series of one length is done at once.
    """
    mean, lower, upper = np.broadcast_arrays(mean, lower, upper)
    away = values - mean
    away = np.where(np.abs(away) <= 1e-12 * np.abs(values).max(axis=-1, keepdims=True, initial=0.0), 0.0, away)
    side = np.sign(away).astype(np.int8)
    room = np.where(away > 0, upper - mean, mean - lower)
    outside = np.abs(away) > room * (1 + 1e-12)
    near = ~outside & (np.abs(away) > NEAR * room) & (side != 0)
    steps = np.sign(np.diff(values, axis=-1)).astype(np.int8)
    code = np.zeros(values.shape, dtype=np.int8)
    sides = np.zeros(values.shape, dtype=np.int8)
    for way in (-1, 1):
        here = side == way
        marked = {
            4: _covered(_all(here, RUN), RUN, values.shape),
            3: near & _covered(_all(here, 3) & (_count(near, 3) >= 2), 3, values.shape),
            2: _covered(_all(steps == way, RUN - 1), RUN, values.shape),
            1: outside & here,
        }
        for rule, found in marked.items():
            first = found & ((code == 0) | (rule < code))
            code[first], sides[first] = rule, way
    return code, sides


def _all(found: Flags, length: int) -> Flags:
    """True where `length` in a row, from here on, are all found."""
    return np.equal(_count(found, length), length)


def _count(found: Flags, length: int) -> NDArray[np.int8]:
    """How many of `length` in a row, from here on, are found."""
    windows = found.shape[-1] - length + 1
    counted = np.zeros((*found.shape[:-1], max(windows, 0)), dtype=np.int8)
    for at in range(length if windows > 0 else 0):
        counted += found[..., at : at + windows]
    return counted


def _covered(begins: Flags, length: int, shape: tuple[int, ...]) -> Flags:
    """True for every point of the windows of this length that begin where `begins` is True."""
    covered = np.zeros(shape, dtype=bool)
    for at in range(length if begins.shape[-1] else 0):
        covered[..., at : at + begins.shape[-1]] |= begins
    return covered


def _read(values: Any, dates: Any) -> tuple[Floats, pd.Index[Any]]:
    """The values as numbers, and what names each: its date, or its position from 0."""
    held: Floats = np.array(pd.Series(values).astype("Float64").to_numpy(np.float64, na_value=np.nan), dtype=np.float64)
    index: pd.Index[Any] = pd.RangeIndex(len(held))
    if dates is not None:
        told = [when.to_timestamp() if isinstance(when, pd.Period) else when for when in dates]
        index = found = pd.DatetimeIndex(pd.to_datetime(pd.Series(told)), name="date")
        _refuse_dates(found, len(held))
    gaps = index[~np.isfinite(held)]
    if len(gaps):
        raise ValueError(f"A control chart has no gaps: no value at {_named(gaps[0])}. Nothing is filled in here.")
    return held, index


def _refuse_dates(dates: pd.DatetimeIndex, n: int) -> None:
    if len(dates) != n:
        raise ValueError(f"{n} values need {n} dates; {len(dates)} were given.")
    if dates.hasnans:
        raise ValueError(f"Value {int(np.argmax(dates.isna()))} has no date (counted from 0).")
    for earlier, later in pairwise(dates):
        if later <= earlier:
            raise ValueError(f"Dates must go forward, once each: {_named(later)} comes after {_named(earlier)}.")
    if n > 2 and (dates.day == 1).all():
        months = (dates.year * 12 + dates.month).to_numpy()
        step = np.diff(months)
        if (step != step.min()).any():
            at = int(np.argmax(step != step.min()))
            raise ValueError(
                f"A control chart has no gaps: nothing between {_named(dates[at])} and {_named(dates[at + 1])}."
            )


def _named(label: Any) -> str:
    return f"{label:%Y-%m-%d}" if isinstance(label, date) else f"position {label} (counted from 0)"


def _phases(dates: pd.Index[Any] | None, rebase: Mapping[Any, str] | None) -> tuple[list[int], list[str]]:
    """Where each phase begins, and why; the first begins at 0 for no reason."""
    if not rebase:
        return [0], [""]
    if dates is None:
        raise ValueError("A rebase is a date with its reason, so the values need dates=….")
    starts: dict[int, str] = {0: ""}
    for when, reason in rebase.items():
        day = when.to_timestamp() if isinstance(when, pd.Period) else pd.Timestamp(when)
        if day not in dates[1:]:
            raise ValueError(f"No limits anew from {day:%Y-%m-%d}: no point after the first has that date.")
        if not isinstance(reason, str) or not reason.strip():
            raise ValueError(f"The rebase of {day:%Y-%m-%d} has no reason. Say what changed the process.")
        starts[dates.tolist().index(day)] = reason
    order = sorted(starts)
    return order, [starts[at] for at in order]


def _phase(
    values: Floats, index: pd.Index[Any], number: int, screen: bool, reason: str
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """One stretch with its own limits: its points, and the row that sums it up."""
    if len(values) < LEAST:
        since = f" from {_named(index[0])}" if number else ""
        raise ValueError(f"Limits need at least {LEAST} points in a row{since}; there are {len(values)}.")
    mean = float(values.mean())
    spread, screened = _mean_range(values, screen)
    lower, upper = mean - TO_LIMIT * spread, mean + TO_LIMIT * spread
    code, side = rules(values, np.array(mean), np.array(lower), np.array(upper))
    points = pd.DataFrame(
        {
            "value": values,
            "mean": mean,
            "lower": lower,
            "upper": upper,
            "special_cause": code > 0,
            "rule": np.array(get_args(Rule), dtype=object)[code],
            "side": np.array(["", "high", "low"], dtype=object)[side],
            "phase": number,
        },
        index=index,
    )
    row = {"first": index[0], "last": index[-1], "n": len(values), "mean": mean, "lower": lower, "upper": upper,
           "mean_range": spread, "screened": screened, "reason": reason}  # fmt: skip
    return points, row


def _mean_range(values: Floats, screen: bool) -> tuple[float, int]:
    """The mean moving range, and how many were left out of it."""
    ranges = np.abs(np.diff(values))
    plain = float(ranges.mean())
    kept = ranges[ranges < SCREEN * plain] if screen and plain > 0 else ranges
    return float(kept.mean()), len(ranges) - len(kept)


def _types(points: pd.DataFrame, direction: Direction) -> list[str]:
    """Each point in the words of NHSRplotthedots."""
    better = {"higher": "high", "lower": "low", "neutral": ""}[direction]

    def named(side: str) -> str:
        if not side:
            return "common_cause"
        if not better:
            return f"special_cause_neutral_{side}"
        return "special_cause_improvement" if side == better else "special_cause_concern"

    return [named(side) for side in points["side"]]


def _assurance(target: float | None, lower: float, upper: float, direction: Direction) -> Assurance:
    if target is None or direction == "neutral":
        return ""
    if lower <= target <= upper:
        return "inconsistent"
    return "consistent_pass" if (target < lower) == (direction == "higher") else "consistent_fail"


def _caveats(phases: pd.DataFrame) -> tuple[str, ...]:
    said = []
    short = phases[phases["n"] < FEW]
    for row in short.to_dict("records"):
        since = f" from {_named(row['first'])}" if len(phases) > 1 else ""
        said.append(f"Trial limits{since}: {row['n']} points, fewer than {FEW}.")
    if phases["screened"].sum():
        said.append(f"{phases['screened'].sum()} unusually large moving ranges were left out of the limits.")
    return tuple(said)
