"""Units that started at different times, beside those that had not: differences by cohort and period."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from evalkit.stats import group_time_cells as cells_of
from evalkit.stats import group_time_labels, group_time_leads, panel_of_units
from evalkit.stats import group_time_summaries as summaries
from evalkit.stats import group_time_tables as tables_of
from evalkit.stats.group_time_cells import Base, Cells, Cohorts, Comparison
from evalkit.stats.group_time_labels import Relabelled
from evalkit.stats.group_time_leads import PreTrend
from evalkit.stats.group_time_summaries import Judged
from evalkit.stats.panel_of_units import named
from evalkit.stats.periods import Floats
from evalkit.stats.resampling import seed_used
from evalkit.stats.student import share, t_interval, t_p

Errors = Literal["few_units", "large_sample"]

METHOD = "Average differences in differences by cohort and period, without covariates; start dates dealt out anew"
SOURCE = (
    "Callaway & Sant'Anna (2021), J. Econometrics 225, 200–230: effects by group and time, section 2; averages, table "
    "1; multiplier bootstrap and uniform bands, algorithm 1. Relabelling: Fisher (1935), The Design of Experiments."
)
FEW_FOR_LARGE_SAMPLE = 20
"""Judgement: with 12 treated of 19 the large-sample interval missed in 8–11 % where 5 % is meant."""
FEW_UNITS = 4
"""Judgement: below so many units a cohort's own scatter is hardly known, and intervals rest on the t curve."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupTime:
    """What `group_time` found. `estimate`, `low`, `high`, `se`, `df`, `p` are of the average over all treated units and
    periods ("simple"); None where there is no interval.

    `p_relabelled`: the share of ways to deal the start dates out to units with a statistic as far from zero; with
    `smallest_p`, `allocations`, `exact` and `seed` as in `permute_units`. A claim needs `p` and `p_relabelled`.
    `n` counts units used, of them `n_treated` treated while observed; `dropped` names units treated from the first
    period on (or, with anticipation, without a period before it), `later` those first treated after the last period.
    """

    estimate: float
    low: float | None
    high: float | None
    n: int
    n_treated: int
    n_never: int
    se: float | None
    df: float | None
    p: float | None
    p_relabelled: float
    smallest_p: float
    allocations: int
    exact: bool
    seed: int
    confidence: float
    comparison: Comparison
    base: Base
    anticipation: int
    errors: Errors
    draws: int
    dropped: tuple[str, ...]
    later: tuple[str, ...]
    caveats: tuple[str, ...]
    method: str
    source: str
    _tables: dict[str, pd.DataFrame] = field(repr=False)
    _cohorts: Cohorts = field(repr=False)
    _cells: Cells = field(repr=False)
    _by_cell: Judged = field(repr=False)
    _by_event: Judged = field(repr=False)

    @property
    def att(self) -> pd.DataFrame:
        """A row a cohort and period: first_treated, time, since, estimate, se, se_drawn, df, low, high, band_low,
        band_high, n, n_comparison, note. The base period itself, nought by construction, is left out."""
        return self._tables["att"].copy()

    @property
    def dynamic(self) -> pd.DataFrame:
        """The event study: a row a number of periods since the start; below 0 the leads. Columns as `att`."""
        return self._tables["dynamic"].copy()

    @property
    def by_group(self) -> pd.DataFrame:
        """A row a cohort: the mean over its periods from the start on."""
        return self._tables["group"].copy()

    @property
    def calendar(self) -> pd.DataFrame:
        """A row a period: the mean over cohorts already treated."""
        return self._tables["calendar"].copy()

    @property
    def overall(self) -> pd.DataFrame:
        """One number from each: simple, dynamic, group, calendar."""
        return self._tables["overall"].copy()

    @property
    def cohorts(self) -> pd.DataFrame:
        """A row a cohort: first_treated, n, units (names)."""
        return self._tables["cohorts"].copy()

    def interval(self, confidence: float) -> tuple[float, float]:
        """The interval of `estimate` at another confidence; refused where there is none."""
        if self.se is None or self.df is None:
            raise ValueError(f"There is no interval: {self._tables['overall']['note'].iloc[0]}.")
        return t_interval(self.estimate, self.se, self.df, confidence)

    def pretrend(self, *, allocations: int | None = None) -> PreTrend:
        """Did cohorts already differ in trend before their start? See `group_time_leads.pretrend`."""
        return group_time_leads.pretrend(
            self._cohorts,
            self._cells,
            self._by_cell,
            self._tables["dynamic"],
            allocations,
            self.seed,
        )

    def leads_and_lags(self) -> tuple[Floats, Floats, int, float | None]:
        """The event study for `honest.bounds`: estimates (E,), covariance (E, E), how many are leads, and df.

        Only with base "last" and no anticipation, because those bounds speak of steps from the last period before.
        """
        return group_time_leads.for_bounds(self._cells, self._by_event, self.base, self.anticipation)


def group_time(
    frame: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    first_treated: str,
    comparison: Comparison = "never",
    base: Base = "all",
    anticipation: int = 0,
    errors: Errors = "few_units",
    confidence: float = 0.95,
    draws: int = 999,
    allocations: int | None = None,
    seed: int | None = None,
) -> GroupTime:
    """How differently did units change after each had started, beside units that had not?

    For the cohort g of units first treated in period g, and period t,

        ATT(g, t) = mean over g of (Y_t − Y_base) − mean over those compared with of (Y_t − Y_base)

    `comparison`: "never" treated units, or also those "not_yet" treated (in t and in the base, plus `anticipation`).
    `base`: "all" periods before g − anticipation, averaged (the default: with monthly data it halves the error); "last"
    of them, for every period ("universal" elsewhere); "varying" is "last" from the start on and the period before t
    until then, as R's `did` prints by default. Averages: `overall` and its tables; weights are cohort sizes.

    `errors`: "few_units" (default): each cohort's scatter with divisor n − 1, t with Satterthwaite's degrees of freedom
    (from the scatter found or from equal scatter, whichever are fewer); cohort sizes taken as they are; a cohort of one
    unit borrows the scatter of the others in averages over several. "large_sample": the published influence function
    (divisor n, normal curve, cohort sizes as draws), for setting beside published rows. A row that rests on one treated
    unit, or on one to compare with, has no interval: blank, and `note` says why. `se_drawn` and the bands that hold for
    all rows of a table at once come from `draws` multiplier draws (standard normal multipliers).

    `p_relabelled` deals the start dates out to units anew, all ways or `allocations` drawn ones (9,999; 999 above 200
    units): the average over its standard error, because scatter that goes with start dates does less harm so; where
    some cohort has one unit, the average itself. A claim needs both p. Nulls called wrong (nominal 5 %, 2,000–4,000
    sets a cell; 19 units, 60 months, AR(1) .6 and trends of their own; treated scatter half, as much or twice):

    | cohorts, never | large sample | few units | relabelled | averages relabelled | both required |
    |---|---|---|---|---|---|
    | 4, 4, 4 and 7 | 11–12 | 4.7–5.1 | 4.8–6.1 | 3.1–9.4 | 4.2–4.9 |
    | 12 and 7 | 8–11 | 4.6–5.5 | 4.2–6.2 | 2.2–10.0 | 3.9–5.2 |
    | 2, 2, 2 and 13 | 11–22 | 1.9–4.6 | 2.7–7.5 | 1.3–11.8 | 1.9–4.5 |
    | 3 and 16 | 10–21 | .8–5.8 | 1.3–8.8 | .4–19.9 | .6–5.6 |
    | 1, 2, 3 and 8 | 12–23 | 3.3–6.6 | – | 3.2–8.6 | 2.6–4.8 |

    `frame`: a row a unit and period, every unit with the same periods; `first_treated` the same in every row of a unit,
    missing = never; otherwise as in `difference`. Source: see `SOURCE`.

    Raises ValueError, naming units and periods: nobody treated, everybody treated from the first period, nobody never
    treated with comparison="never", nobody to compare with, missing rows or values, repeated periods, a start that
    differs within a unit.

    >>> starts = {"A": 3, "B": 3, "C": 4, "D": 4, "E": None, "F": None, "G": None}
    >>> days = [[9, 8, 8, 6, 6], [7, 7, 6, 5, 4], [8, 8, 7, 8, 5], [6, 6, 6, 6, 4], [9, 9, 8, 9, 8], [5, 5, 5, 4, 5],
    ...     [7, 6, 7, 6, 6]]
    >>> wait = pd.DataFrame([(place, year, began, value) for (place, began), row in zip(starts.items(), days)
    ...     for year, value in enumerate(row)], columns=["place", "year", "began", "days"])
    >>> found = group_time(wait, outcome="days", unit="place", time="year", first_treated="began", seed=1)
    >>> print(f"{found.estimate:.2f} ({found.low:.2f} to {found.high:.2f}), p {found.p_relabelled:.3f}")
    -1.88 (-2.45 to -1.31), p 0.005
    >>> found.dynamic.set_index("since")["estimate"].round(2).to_dict()
    {-4: -0.21, -3: 0.2, -2: -0.13, -1: 0.03, 0: -1.8, 1: -2.06}
    """
    share(confidence)
    _check_choices(comparison, base, errors, anticipation, draws)
    panel = panel_of_units.read(frame, outcome, unit, time)
    found = cells_of.cohorts(panel, frame, unit, first_treated, anticipation)
    if comparison == "never" and found.sizes[-1] == 0:
        raise ValueError(
            "Every unit is treated while observed, so none is never treated. Use comparison='not_yet', or add "
            "comparison units."
        )
    made = cells_of.cells(found, comparison, base, anticipation)
    if not made.after.any():
        raise ValueError("From each start on there is nobody left to compare with. Add units, or earlier periods.")
    used = seed_used(seed)
    judged = _judged(found, made, errors == "few_units")
    sums = tables_of.drawn([each.parts for each in judged.values()], draws, used)
    tables = {
        name: tables_of.table(each, drawn, confidence) for (name, each), drawn in zip(judged.items(), sums, strict=True)
    }
    score = summaries.scores(made, summaries.simple(found, made).weights)[0]
    again = group_time_labels.average(found, score, allocations, used)
    return GroupTime(
        **_headline(judged["overall"], confidence),
        n=len(found.code),
        n_treated=int(found.sizes[:-1].sum()),
        n_never=int(found.sizes[-1]),
        p_relabelled=again.p,
        smallest_p=again.smallest_p,
        allocations=again.allocations,
        exact=again.exact,
        seed=used,
        confidence=confidence,
        comparison=comparison,
        base=base,
        anticipation=anticipation,
        errors=errors,
        draws=draws,
        dropped=found.dropped,
        later=found.later,
        caveats=_caveats(found, made, errors, judged["overall"].note[0], again),
        method=METHOD,
        source=SOURCE,
        _tables=tables_of.named(found, made, tables),
        _cohorts=found,
        _cells=made,
        _by_cell=judged["att"],
        _by_event=judged["dynamic"],
    )


def _judged(found: Cohorts, made: Cells, few: bool) -> dict[str, Judged]:
    """Cells and averages with their errors, by the name of their table."""
    estimate, parts, whose = cells_of.contributions(found, made, few)
    extra = {} if few else summaries.sampled_weights(found, made, estimate)
    averages = {
        "dynamic": summaries.dynamic(found, made),
        "group": summaries.by_group(found, made),
        "calendar": summaries.calendar(found, made),
        "overall": summaries.overall(found, made),
    }
    return {"att": summaries.judge(found, made, estimate, parts, whose, few)} | {
        name: summaries.judge(found, made, estimate, parts, whose, few, average.weights, extra.get(name))
        for name, average in averages.items()
    }


def _headline(overall: Judged, confidence: float) -> dict[str, Any]:
    """The average over all cells from the start on, with its interval where there is one."""
    estimate, se, df = float(overall.estimate[0]), float(overall.se[0]), float(overall.df[0])
    if not se > 0:
        return {"estimate": estimate} | dict.fromkeys(("low", "high", "se", "df", "p"))
    low, high = t_interval(estimate, se, df, confidence)
    return {"estimate": estimate, "low": low, "high": high, "se": se, "df": df, "p": t_p(estimate, se, df)}


def _check_choices(comparison: str, base: str, errors: str, anticipation: int, draws: int) -> None:
    for name, value, known in (
        ("comparison", comparison, get_args(Comparison)),
        ("base", base, get_args(Base)),
        ("errors", errors, get_args(Errors)),
    ):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, not {value!r}.")
    if anticipation < 0 or draws < 1:
        raise ValueError("anticipation must be 0 or more, and draws 1 or more.")


def _caveats(found: Cohorts, made: Cells, errors: Errors, note: str, again: Relabelled) -> tuple[str, ...]:
    """What would mislead, in the order of its weight."""
    sizes = found.sizes[:-1]
    alone = [str(label) for label, size in zip(found.labels, sizes, strict=True) if size == 1]
    unseen = [str(found.labels[group]) for group in np.setdiff1d(np.arange(len(sizes)), made.cohort[made.after])]
    fewest = int(min(sizes.min(), made.n_comparison.min()))
    said = [f"There is no interval of the average: {note}."] if note else []
    if errors == "large_sample" and fewest < FEW_FOR_LARGE_SAMPLE:
        said.append(
            f"These intervals are for large samples and too narrow here, where a cohort or those it is compared with "
            f"count {fewest}: judge by errors='few_units' and by p_relabelled."
        )
    elif 1 < fewest < FEW_UNITS and not note:
        said.append(
            f"A cohort, or those it is compared with, count {fewest}: how far such units scatter is hardly known, and "
            "the intervals rest on the t curve."
        )
    if alone and not note:
        said.append(
            f"One unit each first treated in {named(alone)}: their own rows have no interval, and averages take them "
            "to scatter as the other units do."
        )
    if not again.studentised:
        said.append("A cohort of one unit: relabelling compares averages as they are, not over their standard errors.")
    if unseen:
        said.append(
            f"First treated in {named(unseen)}: nobody is left to compare with from then on, so they have no row."
        )
    if found.dropped:
        said.append(f"Left out, being treated from the first period on: {named(found.dropped)}.")
    if found.later:
        said.append(f"First treated after the last period, and untreated here: {named(found.later)}.")
    return tuple(said)
