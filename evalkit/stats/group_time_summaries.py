"""Averages of cells over cohorts and periods, and their errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalkit.stats.group_time_cells import Cells, Cohorts, Ints
from evalkit.stats.panel_of_units import Flags
from evalkit.stats.periods import Floats

ONE_UNIT = "one treated unit: no interval"
ONE_OTHER = "one unit to compare with: no interval"
NO_SCATTER = "all units alike: no interval"
OVERALL = ("simple", "dynamic", "group", "calendar")


@dataclass(frozen=True, slots=True, eq=False)
class Average:
    """A averages of K cells: `weights` (K, A) sum to 1 over the cells of each; `names` says what each is of."""

    names: list[Any]
    weights: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Rows with what each contributor adds to them, `parts` (R, A), and their errors; `se` is 0 where `note` says why.

    `df` is infinite for large samples.
    """

    estimate: Floats
    parts: Floats
    se: Floats
    df: Floats
    note: list[str]

    @property
    def known(self) -> Flags:
        """Rows with an interval."""
        return np.asarray(self.se > 0)


def simple(found: Cohorts, made: Cells) -> Average:
    """All cells from the start on, each weighing as its cohort has units."""
    return Average(["simple"], _shares(found, made, made.after[:, None]))


def dynamic(found: Cohorts, made: Cells) -> Average:
    """By periods since the start, each cell weighing as its cohort has units; before the start: leads."""
    since = np.unique(made.since)
    return Average(since.tolist(), _shares(found, made, made.since[:, None] == since))


def by_group(found: Cohorts, made: Cells) -> Average:
    """By cohort: the plain mean of its cells from the start on."""
    groups = np.unique(made.cohort[made.after])
    chosen = (made.cohort[:, None] == groups) & made.after[:, None]
    return Average([found.labels[group] for group in groups], chosen / chosen.sum(axis=0))


def calendar(found: Cohorts, made: Cells) -> Average:
    """By period: cells of cohorts already treated, each weighing as its cohort has units."""
    columns = np.unique(made.column[made.after])
    chosen = (made.column[:, None] == columns) & made.after[:, None]
    return Average([found.panel.labels[column] for column in columns], _shares(found, made, chosen))


def overall(found: Cohorts, made: Cells) -> Average:
    """One number from each: all cells; the mean over time since the start, by cohort size, and over periods."""
    events, groups, periods = dynamic(found, made), by_group(found, made), calendar(found, made)
    late = np.array(events.names) >= 0
    size = found.sizes[np.unique(made.cohort[made.after])].astype(float)
    columns = [
        simple(found, made).weights[:, 0],
        events.weights[:, late].mean(axis=1),
        groups.weights @ (size / size.sum()),
        periods.weights.mean(axis=1),
    ]
    return Average(list(OVERALL), np.column_stack(columns))


def sampled_weights(found: Cohorts, made: Cells, estimate: Floats) -> dict[str, Floats]:
    """What units add to an average because cohort sizes are themselves drawn: Callaway and Sant'Anna's large samples.

    (R, A) for each kind of average. With S the units of the cohorts in an average θ of cells θ_k, a unit of cohort h
    adds (1/S) Σ over cells of h (θ_k − θ), less the mean of this over units.
    """
    adds = {name: _drawn(found, made, estimate, average) for name, average in _sized(found, made).items()}
    late = np.array(dynamic(found, made).names) >= 0
    groups = by_group(found, made)
    theta = groups.weights.T @ estimate
    which = np.unique(made.cohort[made.after])
    of_group = np.zeros(len(found.sizes))
    of_group[which] = (theta - found.sizes[which] @ theta / found.sizes[which].sum()) / found.sizes[which].sum()
    middle = (of_group - of_group @ found.sizes / found.sizes.sum())[found.code]
    columns = [adds["simple"][:, 0], adds["dynamic"][:, late].mean(axis=1), middle, adds["calendar"].mean(axis=1)]
    return {"dynamic": adds["dynamic"], "calendar": adds["calendar"], "overall": np.column_stack(columns)}


def judge(
    found: Cohorts,
    made: Cells,
    estimate: Floats,
    parts: Floats,
    whose: Ints,
    few: bool,
    weights: Floats | None = None,
    extra: Floats | None = None,
) -> Judged:
    """Errors of cells (weights None) or of averages of them, with the degrees of freedom that few units leave.

    extra: what units add besides, because weights are drawn (`sampled_weights`).
    """
    mixed = estimate if weights is None else weights.T @ estimate
    added = parts if weights is None else parts @ weights
    added = added if extra is None else added + extra
    se = np.sqrt((added**2).sum(axis=0))
    note = _notes(found, made, weights)
    blank = np.array([bool(word) for word in note])
    flat = ~blank & (se <= 1e-12 * max(float(np.abs(found.panel.values).max()), 1e-300))
    note = [NO_SCATTER if flat[place] else word for place, word in enumerate(note)]
    se = np.where(blank | flat, 0.0, se)
    df = _freedom(found, made, added, whose, weights) if few else np.full(len(se), np.inf)
    return Judged(mixed, added, se, df, note)


def scores(made: Cells, weights: Floats) -> Floats:
    """(A, H + 1, T): an average is the sum over cohorts h of scores[:, h] · (mean path of cohort h)."""
    each = [(weights * role[:, None]).T @ made.rows for role in made.roles.T]
    return np.stack(each, axis=1)


def _shares(found: Cohorts, made: Cells, chosen: NDArray[np.bool_]) -> Floats:
    heavy = chosen * found.sizes[made.cohort][:, None].astype(float)
    return np.asarray(heavy / heavy.sum(axis=0))


def _sized(found: Cohorts, made: Cells) -> dict[str, Average]:
    return {"simple": simple(found, made), "dynamic": dynamic(found, made), "calendar": calendar(found, made)}


def _drawn(found: Cohorts, made: Cells, estimate: Floats, average: Average) -> Floats:
    chosen = average.weights > 0
    apart = chosen * (estimate[:, None] - average.weights.T @ estimate)
    per = np.zeros((len(found.sizes), chosen.shape[1]))
    np.add.at(per, made.cohort, apart)
    per /= (chosen * found.sizes[made.cohort][:, None]).sum(axis=0)
    return np.asarray((per - found.sizes @ per / found.sizes.sum())[found.code])


def _notes(found: Cohorts, made: Cells, weights: Floats | None) -> list[str]:
    """Why a row has no interval: it rests on one treated unit in all, or is compared with one."""
    alone = made.n_comparison == 1
    if weights is None:
        treated = found.sizes[made.cohort].astype(np.float64)
    else:
        used = weights > 0
        member = np.zeros((len(found.sizes), used.shape[1]))
        np.maximum.at(member, made.cohort, used.astype(float))
        treated = found.sizes @ member
        alone = (used & alone[:, None]).any(axis=0)
    return [ONE_UNIT if n == 1 else ONE_OTHER if one else "" for n, one in zip(treated, alone, strict=True)]


def _freedom(found: Cohorts, made: Cells, added: Floats, whose: Ints, weights: Floats | None) -> Floats:
    """Satterthwaite's degrees of freedom from the scatter found, or from equal scatter, whichever are fewer."""
    spare = len(found.code) - int((found.sizes > 0).sum())
    every = np.append(found.sizes - 1, spare).astype(float)  # borrowed scatter (−1) comes last
    carried = (np.arange(len(every))[:, None] == np.where(whose < 0, len(every) - 1, whose)) @ added**2
    expected = np.zeros_like(carried)
    expected[:-1] = _equal_scatter(found, made, weights)
    single = np.flatnonzero(found.sizes == 1)
    expected[-1] = expected[single].sum(axis=0)
    expected[single] = 0.0
    return np.minimum(_satterthwaite(carried, every), _satterthwaite(expected, every))


def _equal_scatter(found: Cohorts, made: Cells, weights: Floats | None) -> Floats:
    """(H + 1, A): each cohort's part in the variance were all units to scatter alike about their cohort's path."""
    size = np.maximum(found.sizes, 1).astype(np.float64)
    if weights is None:  # one path of change, so only the roles differ
        return np.asarray((made.roles**2 / size).T)
    values = found.panel.values
    member = np.zeros((len(size), len(values)))
    member[found.code, np.arange(len(values))] = 1.0
    within = values - ((member @ values) / size[:, None])[found.code]
    scatter = within.T @ within
    each = [((score @ scatter) * score).sum(axis=1) for score in np.moveaxis(scores(made, weights), 1, 0)]
    return np.asarray(np.stack(each) / size[:, None])


def _satterthwaite(parts: Floats, df: Floats) -> Floats:
    below = (parts**2 / np.maximum(df, 1.0)[:, None]).sum(axis=0)
    return np.asarray(np.where(below > 0, parts.sum(axis=0) ** 2 / np.where(below > 0, below, 1.0), np.inf))
