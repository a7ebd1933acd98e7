"""Statistical process control by the rules of NHS Making Data Count: what a series does by itself, and what stands out.

| values | chart |
|---|---|
| one number a month, no denominator at hand | `xmr` |
| how many out of how many people or cases | `p`; `p_prime` with denominators of thousands |
| events out of an exposure, say bed days | `u`; `u_prime` with counts of hundreds |
| events, the exposure always the same | `c` |
| events so rare that most months have none | `g` cases between them, `t` time between them |
| a median and runs, no limits | `run` |

The rules are those of NHSRplotthedots 0.2.2, the reference in code for Making Data Count (MDC):

1. outside_limits: a point beyond a process limit;
2. trend: 7 points in a row, each above (or each below) the one before; all 7 are marked;
3. two_of_three: of 3 points in a row on one side of the mean, 2 lie beyond two thirds of the way to the limit, limits
   themselves not crossed; those are marked;
4. shift: 7 points in a row on one side of the mean; all 7 are marked, and a point on the mean breaks the run.

A point under several rules carries the first in that order. Runs never reach across a rebase. Shewhart's other rules
are left out because MDC leaves them out: more rules, more false alarms. Run charts have rules of their own: `run`.

`xmr_many`, `p_many`, `u_many`, `c_many`, `g_many` and `t_many` judge a table of series by time at once, and do what
the charts of one series do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from evalkit.stats.attribute_charts import c, c_many, p, p_many, p_prime, u, u_many, u_prime
from evalkit.stats.control_chart import (
    FEW,
    LEAST,
    Assurance,
    ControlChart,
    Dates,
    Direction,
    Rebase,
    Target,
    Values,
    draw,
    read,
    stacked,
)
from evalkit.stats.control_limits import (
    NEAR,
    RUN,
    SCREEN,
    TO_LIMIT,
    Floats,
    Lines,
    ManyCharts,
    Rule,
    judge,
    judge_many,
    mean_range,
    rules,
)
from evalkit.stats.rare_events import g, g_many, t, t_many
from evalkit.stats.run_charts import Runs, run, runs

__all__ = ["BY_CHANCE", "FEW", "LEAST", "NEAR", "RUN", "SCREEN", "TO_LIMIT", "Assurance", "ControlChart", "Direction"]
__all__ += ["ManyCharts", "Rule", "Runs", "by_chance", "c", "c_many", "g", "g_many", "p", "p_many", "p_prime", "rules"]
__all__ += ["run", "runs", "t", "t_many", "u", "u_many", "u_prime", "xmr", "xmr_many"]

BY_CHANCE = {12: 7, 24: 19, 36: 30, 60: 46, 84: 60, 120: 74}
"""Of 100 series of this many independent normal points, screened, how many have a point that stands out (simulated,
20,000 each: `tests/stats/test_spc.py`). Points that hang together stand out far more often: 46 and 87 of 100 series of
24 and 60 points at a correlation of .3 from one to the next."""


def xmr(
    values: Values,
    *,
    dates: Dates = None,
    screen: bool = True,
    rebase: Rebase = None,
    direction: Direction = "neutral",
    target: Target = None,
    baseline: int | None = None,
) -> ControlChart:
    """Individual values and moving ranges: mean ± 2.66 × the mean of |xₜ − xₜ₋₁|, and the four MDC rules.

    values: numbers in order of time, without gaps. screen: leave out moving ranges of 3.267 times their mean and more,
    once, before the limits are drawn (NHSRplotthedots' default; the MDC workbook does not screen). rebase: for each
    date from which limits are drawn anew, the reason: a decision of people, never found by the program. direction:
    which way is better. target: a number, or a trajectory (a number for each point, or a Series by date), judged at
    the last point against the last limits when a direction is given. baseline: limits of the first so many points (12
    or more) of each phase, held for the rest of it. Units: those of the values.

    Sources: NHS England, Making Data Count; NHSRplotthedots 0.2.2; Wheeler (1993), Understanding Variation.
    Errors: ValueError for fewer than 6 points in a phase, a missing value, dates out of order or with a month missing,
    a rebase without dates or reason, or on a date that is not there, a baseline of under 12 points or of more than
    there are.

    >>> chart = xmr([1, 2, 1, 2, 10, *([1, 2] * 6), 1])
    >>> round(chart.estimate, 6), round(chart.low, 6), round(chart.high, 6)
    (1.944444, -0.715556, 4.604444)
    >>> chart.points.loc[chart.points["special_cause"], ["value", "rule", "side"]].to_dict("records")
    [{'value': 10.0, 'rule': 'outside_limits', 'side': 'high'}]
    """
    reading = read(dates, value=values)
    held = reading["value"]

    def judged(stretch: slice, first: slice) -> ManyCharts:
        return judge(_lines(held[stretch], first.stop - first.start, screen))

    return draw(held, reading, judged, rebase=rebase, direction=direction, target=target, baseline=baseline,
                method=f"XmR chart, NHS Making Data Count rules, moving ranges "
                       f"{'' if screen else 'not '}screened")  # fmt: skip


def xmr_many(values: ArrayLike, *, screen: bool = True, baseline: int | None = None) -> ManyCharts:
    """`xmr` of many series at once: a table of series by time, all of one length and without a gap.

    >>> many = xmr_many([[1, 2, 1, 2, 10, *([1, 2] * 6), 1], [1, 2] * 9])
    >>> many.special_cause.sum(axis=1), many.mean[:, 0].round(3)
    (array([1, 0]), array([1.944, 1.5  ]))
    """
    reading, used = stacked(baseline, value=values)
    return judge_many(lambda some: _lines(some, used, screen), reading["value"])


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


def _lines(values: Floats, used: int, screen: bool) -> Lines:
    centre = values[..., :used].mean(axis=-1, keepdims=True)
    spread, screened = mean_range(values[..., :used], screen)
    reach = TO_LIMIT * spread
    return Lines(values, centre, centre - reach, centre + reach, facts={"mean_range": spread, "screened": screened})
