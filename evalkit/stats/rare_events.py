"""Charts of rare events: g counts the cases between one event and the next, t the time between them.

Where most months have no event, p, u and c charts are blind: their lower limit is nought, and so are most points. How
far events lie apart still tells. Higher is fewer events. Each point needs the event that ends it, so the stretch since
the last event is on neither chart.

Runs are counted about a median, since such distances are far from symmetrical: on a g chart the median of the values;
on a t chart the mean of the transformed values, transformed back, which is the median of the distribution assumed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from evalkit.stats.control_chart import (
    ControlChart,
    Dates,
    Direction,
    Reading,
    Rebase,
    Target,
    Values,
    draw,
    read,
    stacked,
)
from evalkit.stats.control_limits import D2, Floats, Lines, ManyCharts, judge, judge_many, mean_range, within

__all__ = ["POWER", "g", "g_many", "t", "t_many"]

POWER = 3.6
"""The 3.6th root of exponential times is nearly normal (Nelson 1994; Montgomery 2009, section 7.3.5)."""


def g(
    values: Values,
    *,
    dates: Dates = None,
    rebase: Rebase = None,
    direction: Direction = "neutral",
    target: Target = None,
    baseline: int | None = None,
) -> ControlChart:
    """Cases between events: median; limits mean ± 3 √(mean (mean + 1)), the geometric distribution's.

    values: cases without the event between one event and the next, whole and not negative, in order. dates: of the
    event that ends each stretch; two may have one date. baseline, rebase, direction, target: as `spc.p`.

    The centre line is the median of the values, as in qicharts2 0.8.1 (Benneyan draws the mean; older qicharts2 .693
    of it). The lower limit is always nought, so events that come closer together show as a run alone. About 1.8 in 100
    of independent values lie above the upper limit where nothing happens, against .13 in 100 on a chart of normal
    values, so 39 of 100 series of 24 have a point that stands out (XmR: 19).

    Source: Benneyan (2001), Number-between g-type statistical quality control charts, Health Care Management
    Science 4(4), 305–318. Errors: ValueError as `spc.c`.

    >>> chart = g([12, 31, 4, 18, 0, 25, 9])
    >>> chart.estimate, chart.low, round(chart.high, 4)
    (12.0, 0.0, 58.0458)
    """
    reading = read(dates, repeat=True, count=values)
    _refuse_cases(reading)
    counts = reading["count"]

    def judged(stretch: slice, first: slice) -> ManyCharts:
        return judge(_case_lines(counts[stretch], first.stop - first.start))

    return draw(counts, reading, judged, rebase=rebase, direction=direction, target=target, baseline=baseline,
                method="g chart (geometric, centre line the median), NHS Making Data Count rules")  # fmt: skip


def t(
    values: Values,
    *,
    dates: Dates = None,
    screen: bool = False,
    rebase: Rebase = None,
    direction: Direction = "neutral",
    target: Target = None,
    baseline: int | None = None,
) -> ControlChart:
    """Time between events: an XmR chart of y = x^(1/3.6), mean and limits (3 mean ranges / 1.128) transformed back.

    values: days, or hours, from one event to the next, not negative, in order. screen: leave out moving ranges of y of
    3.267 times their mean and more, once (Montgomery does not, nor qicharts2 0.8.1 unless told). dates: of the event
    that ends each stretch; two may have one date. The rules are read on y. A lower limit under nought is drawn at
    nought. Times of 0, two events at once, are kept and said (qicharts2 refuses them).

    Source: Nelson (1994), A control chart for parts-per-million nonconforming items, Journal of Quality Technology
    26(3), 239–240; Montgomery (2009), example 7.6. Errors: ValueError as `spc.xmr`, and for negative times.

    >>> chart = t([286, 948, 536, 124, 816, 729])
    >>> round(chart.estimate, 2), round(chart.low, 2), round(chart.high, 2)
    (501.59, 5.09, 3538.61)
    """
    reading = read(dates, repeat=True, time=values)
    _refuse_times(reading)
    times = reading["time"]

    def judged(stretch: slice, first: slice) -> ManyCharts:
        return judge(_time_lines(times[stretch], first.stop - first.start, screen))

    chart = draw(times, reading, judged, rebase=rebase, direction=direction, target=target, baseline=baseline,
                 method=f"t chart (power 1/{POWER}), NHS Making Data Count rules, moving ranges "
                        f"{'' if screen else 'not '}screened")  # fmt: skip
    at_once = int((times == 0).sum())
    if not at_once:
        return chart
    return replace(chart, caveats=(*chart.caveats, f"{at_once} of {len(times)} times are 0: a finer unit tells more."))


def g_many(values: ArrayLike, *, baseline: int | None = None) -> ManyCharts:
    """`g` of many series at once: a table of series by event.

    >>> g_many([[12, 31, 4, 18, 0, 25, 9], [1, 0, 2, 1, 0, 1, 50]]).special_cause[:, -1]
    array([False,  True])
    """
    reading, used = stacked(baseline, count=values)
    _refuse_cases(reading)
    return judge_many(lambda counts: _case_lines(counts, used), reading["count"])


def t_many(values: ArrayLike, *, screen: bool = False, baseline: int | None = None) -> ManyCharts:
    """`t` of many series at once: a table of series by event.

    >>> t_many([[286, 948, 536, 124, 816, 729], [5, 6, 5, 6, 5, 60]]).side[:, -1]
    array([0, 1], dtype=int8)
    """
    reading, used = stacked(baseline, time=values)
    _refuse_times(reading)
    return judge_many(lambda times: _time_lines(times, used, screen), reading["time"])


def _case_lines(counts: Floats, used: int) -> Lines:
    early = counts[..., :used]
    mean = early.mean(axis=-1, keepdims=True)
    reach = 3 * np.sqrt(mean * (mean + 1))
    centre = np.median(early, axis=-1, keepdims=True)
    return Lines(counts, centre, mean - reach, mean + reach, shown=within(0.0, np.inf))


def _time_lines(times: Floats, used: int, screen: bool) -> Lines:
    roots = times ** (1 / POWER)
    centre = roots[..., :used].mean(axis=-1, keepdims=True)
    spread, screened = mean_range(roots[..., :used], screen)
    reach = 3 * spread / D2
    cut = within(0.0, np.inf)
    return Lines(
        roots, centre, centre - reach, centre + reach, shown=lambda line: cut(line) ** POWER,
        facts={"mean_range": spread, "screened": screened},
    )  # fmt: skip


def _refuse_cases(reading: Reading) -> None:
    counts = reading["count"]
    reading.refuse("count", counts < 0, "there are not fewer than no cases between two events.")
    reading.refuse("count", counts != np.round(counts), "cases between events are whole. For times use spc.t.")


def _refuse_times(reading: Reading) -> None:
    reading.refuse("time", reading["time"] < 0, "the next event comes before the last. Sort the events first.")
