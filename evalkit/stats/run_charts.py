"""Run charts: a median, no limits, and Anhøj's two rules on runs.

A run chart asks less than a control chart, one number from each point and no distribution, and finds a change that
lasts; it does not find a single point far out.
"""

from __future__ import annotations

from dataclasses import replace
from math import comb, log2
from typing import Any, get_args

import numpy as np
import pandas as pd

from evalkit.stats.control_chart import ControlChart, Dates, Direction, Rebase, Runs, Target, Values, draw, read, say
from evalkit.stats.control_limits import Codes, Flags, Floats, ManyCharts, Rule, sides

__all__ = ["FEW_USEFUL", "Runs", "crossings_min", "longest_run_max", "run", "runs"]

FEW_USEFUL = 10
"""Under this many points off the median the two rules say little: Anhøj's tables begin here."""
LONG_RUN = get_args(Rule).index("long_run")


def run(
    values: Values,
    *,
    dates: Dates = None,
    rebase: Rebase = None,
    direction: Direction = "neutral",
    target: Target = None,
    baseline: int | None = None,
) -> ControlChart:
    """The median, and whether runs about it are unusual: one too long, or too few crossings.

    A point on the median is not useful: it neither breaks a run nor counts. With n useful points a run is unusually
    long over round(log₂ n + 3), and crossings are unusually few under the 5 % point of Binomial(n − 1, ½).

    In `points`, `mean` is the median, limits are missing, and every useful point of a run that is unusually long has
    the rule "long_run"; few crossings belong to no point. `chart.runs` (last phase) and `chart.phases` (each) hold
    useful, longest_run, longest_run_max, crossings and crossings_min, `chart.runs.signal` what is unusual in words,
    and the caveats say it of each phase. assurance is "": there are no limits to hold a target against. baseline: the
    median of the first so many points; runs are counted over all. Keywords as `spc.p`.

    Source: Anhøj and Olesen (2014), Run charts revisited, PLoS ONE 9(11), e113825; Anhøj (2015), Diagnostic value of
    run chart analysis, PLoS ONE 10(3), e0121349. Errors: ValueError as `spc.xmr`, and where every point is on the
    median.

    >>> chart = run([3, 4, 2, 5, 3, 4, 2, 9, 8, 9, 7, 9, 8, 9, 10, 9])
    >>> chart.estimate, chart.runs
    (7.5, Runs(useful=16, longest_run=7, longest_run_max=7, crossings=3, crossings_min=4))
    >>> chart.runs.signal
    'unusually few crossings'
    """
    reading = read(dates, value=values)
    held = reading["value"]
    counted: list[Runs] = []

    def judged(stretch: slice, first: slice) -> ManyCharts:
        marked, found = _judged(held[stretch], float(np.median(held[first])), say(reading.index[stretch.start]))
        counted.append(found)
        return marked

    chart = draw(held, reading, judged, rebase=rebase, direction=direction, target=target, baseline=baseline,
                 method="Run chart, median, Anhøj's rules")  # fmt: skip
    return replace(chart, runs=counted[-1], caveats=(*chart.caveats, *_caveats(chart.phases, counted)))


def runs(values: Values, centre: float | Floats) -> Runs:
    """Anhøj's counts about any line, say the mean of a p chart: values in order of time, the line or one a point.

    Errors: ValueError for a missing value, and where every point is on the line.

    >>> runs([1, 5, 3, 4, 1, 2, 5, 6], 3)
    Runs(useful=7, longest_run=2, longest_run_max=6, crossings=3, crossings_min=1)
    """
    held = read(None, value=values)["value"]
    return _counted(sides(held, np.asarray(centre, dtype=np.float64)), "the first point")[0]


def longest_run_max(useful: int) -> int:
    """The longest run to be expected of so many useful points: round(log₂ n + 3).

    >>> [longest_run_max(n) for n in (10, 12, 23, 46, 91)]
    [6, 7, 8, 9, 10]
    """
    return round(log2(useful) + 3)


def crossings_min(useful: int) -> int:
    """The fewest crossings to be expected of so many useful points: the 5 % point of Binomial(n − 1, ½), exact.

    >>> [crossings_min(n) for n in (10, 16, 24, 100)]
    [2, 4, 8, 41]
    """
    steps, crossed, ways = useful - 1, 0, 1
    while 20 * ways < 2**steps:
        crossed += 1
        ways += comb(steps, crossed)
    return crossed


def _judged(values: Floats, median: float, begins: str) -> tuple[ManyCharts, Runs]:
    """A phase with the points of its long runs marked; its counts."""
    where = sides(values, np.asarray(median))
    found, long = _counted(where, begins)
    none = np.array([np.nan])
    marked = ManyCharts(
        rule=np.where(long, LONG_RUN, 0).astype(np.int8),
        side=np.where(long, where, 0).astype(np.int8),
        mean=np.array([median]),
        lower=none,
        upper=none,
        facts={name: np.array(getattr(found, name)) for name in Runs.__slots__},
    )
    return marked, found


def _counted(where: Codes, begins: str) -> tuple[Runs, Flags]:
    """The counts from the side each point is on, and which points are of a run that is unusually long."""
    at = np.flatnonzero(where)
    if not len(at):
        raise ValueError(f"Every point from {begins} on lies on the centre line: there are no runs to count.")
    crossed = np.flatnonzero(np.diff(where[at]))
    lengths = np.diff([0, *(crossed + 1), len(at)])
    most = longest_run_max(len(at))
    long = np.zeros(len(where), dtype=bool)
    long[at] = np.repeat(lengths > most, lengths)
    return Runs(len(at), int(lengths.max()), most, len(crossed), crossings_min(len(at))), long


def _caveats(phases: pd.DataFrame, counted: list[Runs]) -> list[str]:
    said = []
    for row, found in zip(phases.to_dict("records"), counted, strict=True):
        since: Any = f" from {say(row['first'])}" if len(phases) > 1 else ""
        if found.useful < FEW_USEFUL:
            said.append(f"Only {found.useful} points off the median{since}: under {FEW_USEFUL}, runs say little.")
        if found.longest_run > found.longest_run_max:
            said.append(f"Unusually long run{since}: {found.longest_run} points on one side of the median, "
                        f"at most {found.longest_run_max} are to be expected.")  # fmt: skip
        if found.crossings < found.crossings_min:
            said.append(f"Unusually few crossings of the median{since}: {found.crossings}, "
                        f"at least {found.crossings_min} are to be expected.")  # fmt: skip
    return said
