"""A series drawn as a control chart: values and dates read, phases, targets, and what is said beside the chart.

The limits and rules themselves, on arrays, are in `control_limits`; each kind of chart brings its own to `draw`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evalkit.stats.control_limits import Flags, Floats, ManyCharts, named

Direction = Literal["higher", "lower", "neutral"]
Assurance = Literal["", "consistent_pass", "consistent_fail", "inconsistent"]
Values: TypeAlias = "ArrayLike | pd.Series[Any]"
Dates: TypeAlias = "Sequence[Any] | pd.Series[Any] | pd.Index[Any] | None"
Rebase: TypeAlias = "Mapping[Any, str] | None"
Target: TypeAlias = "float | Sequence[Any] | pd.Series[Any] | Floats | None"

FEW = 12
"""Under this many points limits are trial limits, and the chart says so (MDC); none are held for later points."""
LEAST = 6
"""Under this many points there are no limits at all (Wheeler, Understanding Variation: five or six are usable)."""


@dataclass(frozen=True, slots=True)
class Runs:
    """Anhøj's two counts of runs about a line. useful: points off the line; only they are counted.

    longest_run: most useful points in a row on one side, of which longest_run_max is the most to be expected.
    crossings: how often the line is crossed, of which crossings_min is the least to be expected.
    """

    useful: int
    longest_run: int
    longest_run_max: int
    crossings: int
    crossings_min: int

    @property
    def signal(self) -> str:
        """What is unusual, in words; "" for nothing."""
        long = "unusually long run" if self.longest_run > self.longest_run_max else ""
        few = "unusually few crossings" if self.crossings < self.crossings_min else ""
        return " and ".join(said for said in (long, few) if said)


@dataclass(frozen=True, slots=True, eq=False)
class ControlChart:
    """A series with its limits. `estimate`, `low`, `high`: mean and limits at the last point; `n`: points in all.

    points: value, mean (the centre line: a median in run and g charts), lower, upper, special_cause (True or False),
    rule, side ("high", "low", ""), phase, point_type (as NHSRplotthedots names it), and target where one was given;
    the index holds the dates where they were given.
    phases: first, last, n, used (points its limits are drawn from), mean, lower, upper (at its last point), what the
    limits are made of (mean_range, screened, sigma_z, by kind of chart), reason (of the rebase).
    variation: the point_type of the last point, and `side` its side. target: the last one. assurance: whether it lies
    outside the last limits ("consistent_pass", "consistent_fail"), between them ("inconsistent"), or cannot be asked
    (""). runs: of a run chart's last phase; a run chart has no limits, and they are missing.
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
    runs: Runs | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What was given, checked: columns of numbers by their name, and what names each point."""

    columns: dict[str, Floats]
    index: pd.Index[Any]
    dated: bool

    def __getitem__(self, name: str) -> Floats:
        return self.columns[name]

    def refuse(self, name: str, wrong: Flags, what: str) -> None:
        """A ValueError that names the first number of a column where `wrong` is True."""
        if wrong.any():
            *row, at = np.argwhere(wrong)[0]
            series = f"in series {row[0]} " if row else ""
            number = self[name][(*row, at)]
            raise ValueError(f"{name.capitalize()} {number:g} {series}at {say(self.index[at])}: {what}")


def read(dates: Dates, *, repeat: bool = False, **columns: Values) -> Reading:
    """Columns of one length without a gap, and what names each point: its date, or its position from 0.

    repeat: two points may have one date, and months may be missing (events come when they come).
    """
    held = {name: _numbers(told) for name, told in columns.items()}
    (first, given), *others = held.items()
    index: pd.Index[Any] = pd.RangeIndex(len(given))
    for name, other in others:
        if len(other) != len(given):
            raise ValueError(f"{len(given)} {first}s need as many {name}s; {len(other)} were given.")
        _refuse_order(columns[first], columns[name], f"{first}s and {name}s")
    if dates is not None:
        told = [when.to_timestamp() if isinstance(when, pd.Period) else when for when in dates]
        index = found = pd.DatetimeIndex(pd.to_datetime(pd.Series(told)), name="date")
        _refuse_dates(found, len(given), repeat)
    for name, numbers in held.items():
        gaps = index[~np.isfinite(numbers)]
        if len(gaps):
            raise ValueError(f"A control chart has no gaps: no {name} at {say(gaps[0])}. Nothing is filled in here.")
    return Reading(held, index, dates is not None)


def say(label: Any) -> str:
    """A date, or a position."""
    return f"{label:%Y-%m-%d}" if isinstance(label, date) else f"position {label} (counted from 0)"


def draw(
    values: Floats,
    reading: Reading,
    judged: Callable[[slice, slice], ManyCharts],
    *,
    rebase: Rebase,
    direction: Direction,
    target: Target,
    baseline: int | None,
    method: str,
    highest: float = np.inf,
) -> ControlChart:
    """The chart of values; `judged` says of a stretch, with limits from another (its first points), what stands out.

    highest: what no value, and so no target, can be above.
    """
    if direction not in get_args(Direction):
        raise ValueError(f"direction = {direction!r} must be one of {', '.join(get_args(Direction))}.")
    targets = _targets(target, reading, highest)
    starts, reasons = _phases(reading, rebase)
    ends = [*starts[1:], len(values)]
    parts = [
        _phase(values, reading.index, slice(start, end), number, judged, baseline, reason)
        for number, (start, end, reason) in enumerate(zip(starts, ends, reasons, strict=True))
    ]
    points = pd.concat([part for part, _ in parts]).assign(point_type=lambda found: _types(found, direction))
    phases = pd.DataFrame([row for _, row in parts])
    last = phases.iloc[-1]
    aim = None if targets is None or np.isnan(targets[-1]) else float(targets[-1])
    return ControlChart(
        estimate=float(last["mean"]),
        low=float(last["lower"]),
        high=float(last["upper"]),
        n=len(values),
        points=points if targets is None else points.assign(target=targets),
        phases=phases,
        direction=direction,
        target=aim,
        variation=str(points["point_type"].iloc[-1]),
        side=str(points["side"].iloc[-1]),
        assurance=_assurance(aim, last["lower"], last["upper"], direction),
        method=method + ("" if baseline is None else f", lines held from the first {baseline} points"),
        caveats=_caveats(phases),
    )


def stacked(baseline: int | None, **columns: ArrayLike) -> tuple[Reading, int]:
    """Columns for many charts at once, series by time, of one shape without a gap; and how many points draw limits."""
    held = {name: np.array(told, dtype=np.float64) for name, told in columns.items()}
    (first, given), *others = held.items()
    if given.ndim != 2 or given.shape[-1] < LEAST:
        raise ValueError(f"Many charts are a table of series by time, {LEAST} points or more; {first}s: {given.shape}.")
    for name, other in others:
        if other.shape != given.shape:
            raise ValueError(f"{first}s are {given.shape}, {name}s {other.shape}: they must be of one shape.")
    n = given.shape[-1]
    reading = Reading(held, pd.RangeIndex(n), False)
    for name, numbers in held.items():
        reading.refuse(name, ~np.isfinite(numbers), "a control chart has no gaps, and nothing is filled in here.")
    refuse_baseline(baseline, n)
    return reading, n if baseline is None else baseline


def refuse_baseline(baseline: int | None, n: int) -> None:
    """Limits are held from 12 points or more (NHSRplotthedots), of those there are."""
    if baseline is not None and not FEW <= baseline <= n:
        raise ValueError(f"baseline = {baseline}: limits are held from {FEW} points or more of the {n} there are.")


def _numbers(told: Values) -> Floats:
    numbers = pd.Series(told).astype("Float64").to_numpy(np.float64, na_value=np.nan)
    return np.array(numbers, dtype=np.float64)


def _refuse_order(one: Values, other: Values, what: str) -> None:
    """Two labelled columns go by position here, so their labels must agree."""
    if isinstance(one, pd.Series) and isinstance(other, pd.Series) and not one.index.equals(other.index):
        raise ValueError(f"The labels of {what} differ. Bring them into one order first, or give plain lists.")


def _refuse_dates(dates: pd.DatetimeIndex, n: int, repeat: bool) -> None:
    if len(dates) != n:
        raise ValueError(f"{n} values need {n} dates; {len(dates)} were given.")
    if dates.hasnans:
        raise ValueError(f"Value {int(np.argmax(dates.isna()))} has no date (counted from 0).")
    for earlier, later in pairwise(dates):
        if later < earlier or (later == earlier and not repeat):
            raise ValueError(f"Dates must go forward, once each: {say(later)} comes after {say(earlier)}.")
    if n > 2 and not repeat and (dates.day == 1).all():
        months = (dates.year * 12 + dates.month).to_numpy()
        step = np.diff(months)
        if (step != step.min()).any():
            at = int(np.argmax(step != step.min()))
            raise ValueError(f"A control chart has no gaps: nothing between {say(dates[at])} and {say(dates[at + 1])}.")


def _phases(reading: Reading, rebase: Rebase) -> tuple[list[int], list[str]]:
    """Where each phase begins, and why; the first begins at 0 for no reason."""
    if not rebase:
        return [0], [""]
    if not reading.dated:
        raise ValueError("A rebase is a date with its reason, so the values need dates=….")
    dates = reading.index
    starts: dict[int, str] = {0: ""}
    for when, reason in rebase.items():
        day = when.to_timestamp() if isinstance(when, pd.Period) else pd.Timestamp(when)
        if day not in dates[1:] or day == dates[0]:
            raise ValueError(f"No limits anew from {day:%Y-%m-%d}: no point after the first has that date.")
        if not isinstance(reason, str) or not reason.strip():
            raise ValueError(f"The rebase of {day:%Y-%m-%d} has no reason. Say what changed the process.")
        starts[dates.tolist().index(day)] = reason
    order = sorted(starts)
    return order, [starts[at] for at in order]


def _phase(
    values: Floats,
    index: pd.Index[Any],
    stretch: slice,
    number: int,
    judged: Callable[[slice, slice], ManyCharts],
    baseline: int | None,
    reason: str,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """One stretch with its own limits: its points, and the row that sums it up."""
    n, first = stretch.stop - stretch.start, stretch.start
    if n < LEAST:
        since = f" from {say(index[first])}" if number else ""
        raise ValueError(f"Limits need at least {LEAST} points in a row{since}; there are {n}.")
    if not number:
        refuse_baseline(baseline, n)
    used = n if baseline is None else min(baseline, n)
    found = judged(stretch, slice(first, first + used))
    rule, side = named(found.rule, found.side)
    lines = {
        name: np.broadcast_to(line, (n,))
        for name, line in (("mean", found.mean), ("lower", found.lower), ("upper", found.upper))
    }
    points = pd.DataFrame(
        {"value": values[stretch], **lines, "special_cause": found.rule > 0, "rule": rule, "side": side,
         "phase": number},
        index=index[stretch],
    )  # fmt: skip
    ends = {name: float(line[-1]) for name, line in lines.items()}
    facts = {name: fact.item() for name, fact in found.facts.items()}
    row = {"first": index[first], "last": index[stretch.stop - 1], "n": n, "used": used, **ends, **facts,
           "reason": reason}  # fmt: skip
    return points, row


def _targets(target: Target, reading: Reading, highest: float) -> Floats | None:
    """A target for each point, missing where there was none; a trajectory with dates is laid on the dates."""
    if target is None:
        return None
    n = len(reading.index)
    if np.ndim(target) == 0:
        targets = np.full(n, float(np.asarray(target, dtype=np.float64)))
    elif isinstance(target, pd.Series) and isinstance(target.index, pd.DatetimeIndex) and reading.dated:
        targets = _numbers(target.reindex(reading.index))
    else:
        targets = _numbers(target)
    if len(targets) != n:
        raise ValueError(f"A trajectory needs a target for each of the {n} points; {len(targets)} were given.")
    if np.isnan(targets).all() or np.isinf(targets).any():
        raise ValueError("target must be a number, or a number for each point (missing where there was none).")
    if np.nanmax(targets) > highest:
        raise ValueError(f"A target of {np.nanmax(targets):g} cannot be met: no value is above {highest:g}.")
    return targets


def _types(points: pd.DataFrame, direction: Direction) -> list[str]:
    """Each point in the words of NHSRplotthedots."""
    better = {"higher": "high", "lower": "low", "neutral": ""}[direction]

    def name(side: str) -> str:
        if not side:
            return "common_cause"
        if not better:
            return f"special_cause_neutral_{side}"
        return "special_cause_improvement" if side == better else "special_cause_concern"

    return [name(side) for side in points["side"]]


def _assurance(target: float | None, lower: float, upper: float, direction: Direction) -> Assurance:
    if target is None or direction == "neutral" or np.isnan(lower):
        return ""
    if lower <= target <= upper:
        return "inconsistent" if lower < upper else ""
    return "consistent_pass" if (target < lower) == (direction == "higher") else "consistent_fail"


def _caveats(phases: pd.DataFrame) -> tuple[str, ...]:
    said = []
    limited = phases["lower"].notna()
    since = {at: f" from {say(row)}" if len(phases) > 1 else "" for at, row in phases["first"].items()}
    for at, n in phases.loc[limited & (phases["used"] < FEW), "used"].items():
        said.append(f"Trial limits{since[at]}: {n} points, fewer than {FEW}.")
    for at in phases.index[limited & (phases["upper"] <= phases["lower"])]:
        said.append(f"Limits{since[at]} have no width: every value they are drawn from is the same.")
    screened = int(phases["screened"].sum()) if "screened" in phases else 0
    if screened:
        said.append(f"{screened} unusually large moving ranges were left out of the limits.")
    return tuple(said)
