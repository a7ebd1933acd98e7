"""Cohorts by their first treated period, the cells that can be compared, and what each unit contributes to a cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.stats import panel_of_units, periods
from evalkit.stats.panel_of_units import Flags, Panel, named
from evalkit.stats.periods import Floats

Comparison = Literal["never", "not_yet"]
Base = Literal["all", "last", "varying"]
Ints = NDArray[np.int64]
NEVER = np.iinfo(np.int64).max // 2
"""A first treated position beyond every period."""


@dataclass(frozen=True, slots=True, eq=False)
class Cohorts:
    """Who was first treated when: `code` (N,) counts cohorts in order of time, those never treated last of all.

    `starts` holds the position of each cohort's first treated period, `labels` as the frame writes it, `sizes` the
    units of each cohort and, last, of those never treated while observed. `dropped` names units without a period
    before, `later` those first treated after the last period.
    """

    panel: Panel
    code: Ints
    starts: Ints
    labels: list[Any]
    sizes: Ints
    dropped: tuple[str, ...]
    later: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """K cells, each one cohort in one period: `rows` (K, T) makes a unit's path into its change from the base.

    `roles` (K, H + 1): by how much the mean change of each cohort, those never treated last, enters the cell: 1 for its
    own, −n_h / n for the n units compared with. `since`: periods from the start, 0 the first treated one.
    """

    cohort: Ints
    column: Ints
    since: Ints
    lead: Flags
    rows: Floats
    roles: Floats
    n_comparison: Ints

    @property
    def after(self) -> Flags:
        """Cells from the start on."""
        return self.since >= 0


def cohorts(panel: Panel, frame: pd.DataFrame, unit: str, first_treated: str, anticipation: int) -> Cohorts:
    """Sort units by first treated period; those treated from the first period on cannot be used and are named."""
    first = _first(panel, frame, unit, first_treated)
    early = first - anticipation <= 0
    dropped = tuple(f"{panel.units[row]}" for row in np.flatnonzero(early))
    last = int(panel.positions[-1])
    later = tuple(f"{panel.units[row]}" for row in np.flatnonzero((first > last) & (first < NEVER)))
    first = np.where(first > last + anticipation, NEVER, first)
    kept = np.flatnonzero(~early & ((first <= last) | (first == NEVER)))
    _check_someone(panel, first, kept, dropped)
    starts, code = np.unique(first[kept], return_inverse=True)
    if starts[-1] != NEVER:
        starts = np.append(starts, NEVER)
    inside = Panel(
        [panel.units[row] for row in kept],
        panel.labels,
        panel.positions,
        panel.values[kept],
        panel.moments,
        panel.calendar,
    )
    sizes = np.bincount(code, minlength=len(starts)).astype(np.int64)
    labels = [_label(panel, int(start)) for start in starts[:-1]]
    return Cohorts(inside, code.astype(np.int64), starts[:-1], labels, sizes, dropped, later)


def cells(found: Cohorts, comparison: Comparison, base: Base, anticipation: int) -> Cells:
    """Every cohort and period with a base to change from and somebody to compare with."""
    positions = found.panel.positions
    began = np.append(found.starts, NEVER)
    columns = np.arange(len(positions))
    parts: list[tuple[Ints, Ints, Floats, Ints]] = []
    for cohort, start in enumerate(found.starts.tolist()):
        before = np.flatnonzero(positions + anticipation < start)
        rows, latest = _rows(len(columns), before, positions < start, base)
        reach = positions[np.maximum(columns, latest)]
        eligible = began[None, :] == NEVER
        if comparison == "not_yet":
            eligible = eligible | (began[None, :] > reach[:, None] + anticipation)
        eligible = np.broadcast_to(eligible, (len(columns), len(began))).copy()
        eligible[:, cohort] = False
        n = eligible @ found.sizes
        kept = np.flatnonzero((np.abs(rows).sum(axis=1) > 0) & (n > 0))
        roles = -(eligible[kept] * found.sizes) / n[kept, None]
        roles[:, cohort] = 1.0
        parts.append((np.full(len(kept), cohort), kept, np.hstack([rows[kept], roles]), n[kept]))
    own, column, both, n_comparison = (np.concatenate([part[place] for part in parts]) for place in range(4))
    own, column = own.astype(np.int64), column.astype(np.int64)
    since = positions[column] - found.starts[own]
    split = len(columns)
    lead = since + anticipation < 0
    return Cells(own, column, since, lead, both[:, :split], both[:, split:], n_comparison.astype(np.int64))


def contributions(found: Cohorts, made: Cells, few: bool) -> tuple[Floats, Floats, Ints]:
    """Cell estimates (K,), what each row contributes to them (R, K), and whose scatter each row carries (R,).

    Rows are units, after Callaway and Sant'Anna's influence function: in its own cohort (change − mean) / n_g, among
    those compared with −(change − mean) / n. A cell's variance is the sum of squares over rows. With `few`, means and
    divisors are those of each cohort alone (n_h − 1), and a cohort of one unit borrows the scatter of all others within
    their cohorts: its rows, marked −1, follow those of the units.
    """
    change = found.panel.values @ made.rows.T
    sums = _by_cohort(change, found)
    means = sums / np.maximum(found.sizes, 1)[:, None]
    estimate = (made.roles * means.T).sum(axis=1)
    weight = made.roles / np.maximum(found.sizes, 1)  # (K, H + 1): of one unit of each cohort
    if few:
        within = change - means[found.code]
        several = np.sqrt(found.sizes / np.maximum(found.sizes - 1, 1))
        blocks, whose = [within * (weight * several).T[found.code]], [found.code]
        spare = len(found.code) - int((found.sizes > 0).sum())
        for alone in np.flatnonzero(found.sizes == 1) if spare > 0 else []:
            blocks.append(within * weight[:, alone] / np.sqrt(spare))
            whose.append(np.full(len(within), -1))
        return estimate, np.concatenate(blocks), np.concatenate(whose)
    compared = np.where(made.roles < 0, made.roles, 0.0)
    middle = -(compared * means.T).sum(axis=1)
    own = made.cohort == found.code[:, None]
    centre = np.where(own, means[made.cohort, np.arange(len(made.cohort))], middle)
    return estimate, (change - centre) * weight.T[found.code], found.code


def _by_cohort(values: Floats, found: Cohorts) -> Floats:
    member = np.zeros((len(found.sizes), len(found.code)))
    member[found.code, np.arange(len(found.code))] = 1.0
    return np.asarray(member @ values)


def _rows(n: int, before: Ints, early: Flags, base: Base) -> tuple[Floats, Ints]:
    """For each period, its row of change from the base, zero where there is none, and the last column of the base."""
    rows = np.eye(n)
    if base == "all":
        rows[:, before] -= 1 / len(before)
    elif base == "last":
        rows[:, before[-1]] -= 1
    else:
        rows[~early, before[-1]] -= 1
        step = np.flatnonzero(early)
        rows[step[1:], step[:-1]] -= 1
        rows[0] = 0
        return rows, np.where(early, np.maximum(np.arange(n) - 1, 0), before[-1])
    return np.where(np.abs(rows) < 1e-15, 0.0, rows), np.full(n, before[-1])


def _first(panel: Panel, frame: pd.DataFrame, unit: str, first_treated: str) -> Ints:
    """The position of each unit's first treated period; NEVER where it is missing."""
    told = panel_of_units.one_each(frame, first_treated, unit, panel.units)
    known = told.notna().to_numpy()
    if not known.any():
        raise ValueError(f"No unit has a {first_treated!r}: nobody is treated, so there is nothing to compare.")
    given = told[known].infer_objects()
    if pd.api.types.is_float_dtype(given):
        if not np.isfinite(given).all() or (given != np.round(given)).any():
            raise ValueError(f"{first_treated!r} must be a period, or missing for units never treated.")
        given = given.astype(np.int64)
    moments, calendar = periods.moments_of(given)
    if calendar != panel.calendar:
        raise ValueError(f"{first_treated!r} and the times must be of one kind: both dates, or both whole numbers.")
    if not calendar and (moments == 0).any() and panel.moments[0] > 0:
        zero = [str(panel.units[row]) for row in np.flatnonzero(known)[moments == 0]]
        raise ValueError(f"{first_treated!r} is 0 for {named(zero)}. Leave it missing for units never treated.")
    first = np.full(len(known), NEVER)
    first[known] = np.ceil((moments - panel.moments[0]) / panel.step)
    return first


def _check_someone(panel: Panel, first: Ints, kept: Ints, dropped: tuple[str, ...]) -> None:
    if not (first[kept] < NEVER).any():
        raise ValueError(
            "No treated unit has a period before its start"
            + (f" ({named(dropped)} are treated from the first period on)" if dropped else "")
            + ", so there is nothing to change from. Add earlier periods."
        )
    if len(kept) < 2:
        raise ValueError(f"Only {panel.units[kept[0]]} can be used, so there is nobody to compare with. Add units.")


def _label(panel: Panel, start: int) -> Any:
    """The first treated period as the frame writes it, where it is among the periods."""
    where = np.flatnonzero(panel.positions == start)
    if len(where):
        return panel.labels[int(where[0])]
    moment = int(panel.moments[0]) + start * panel.step
    return pd.Timestamp(moment // 12, moment % 12 + 1, 1) if panel.calendar else moment
