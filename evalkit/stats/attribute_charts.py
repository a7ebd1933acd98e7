"""Charts of counts: p and u with limits that step with the denominator, Laney's p′ and u′, and c.

A p chart is for people or cases that either have something or have not (readmitted out of discharged), a u chart for
events out of an exposure in which one may have several (falls per 1,000 bed days), a c chart for events where the
exposure stays the same. Their limits assume that nothing but chance moves the counts. With large denominators that is
seldom so, and nearly every point lies outside; p′ and u′ widen the limits by what points differ from one to the next.

Rules: the four of NHS Making Data Count (`spc.rules`), read on limits that are not cut off. Drawn limits are cut off
at 0, and those of p and p′ at 1 (100 %): Montgomery (2009), example 7.4 (a lower limit of −.04 is set to 0).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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

__all__ = ["c", "c_many", "p", "p_many", "p_prime", "u", "u_many", "u_prime"]


def p(
    counts: Values,
    denominators: Values,
    *,
    dates: Dates = None,
    rebase: Rebase = None,
    direction: Direction = "neutral",
    target: Target = None,
    baseline: int | None = None,
    per: float = 1.0,
) -> ControlChart:
    """Proportions: p̄ ± 3 √(p̄(1 − p̄) / nᵢ), p̄ all counts over all denominators.

    counts: how many had it; denominators: out of how many, in order of time, without gaps. per: 100 draws percentages
    (target too). baseline: limits of the first so many points (12 or more) of each phase, held for the rest of it.
    dates, rebase, direction, target: as `spc.xmr`; target may be a trajectory, a number for each point, or a Series by
    date, and is judged at the last point. `phases` also holds sigma_z: well over 1, points differ by more than
    chance, and `p_prime` draws limits for that.

    Source: Montgomery (2009), Introduction to Statistical Quality Control, 6th ed., example 7.1 and table 7.4.
    Errors: ValueError as `spc.xmr`, and for counts that are negative, not whole or over their denominator,
    denominators of nought or less or not whole, a target over 1 (over `per`).

    >>> chart = p([12, 8, 6, 9, 10, 12], [100, 80, 80, 100, 110, 110])
    >>> round(chart.estimate, 6), round(chart.low, 6), round(chart.high, 6)
    (0.098276, 0.013126, 0.183426)
    """
    return _proportion(
        _counted(dates, counts, denominators, binomial=True),
        per, "p chart", prime=False, screen=False, rebase=rebase, direction=direction, target=target, baseline=baseline,
    )  # fmt: skip


def p_prime(
    counts: Values,
    denominators: Values,
    *,
    dates: Dates = None,
    screen: bool = False,
    rebase: Rebase = None,
    direction: Direction = "neutral",
    target: Target = None,
    baseline: int | None = None,
    per: float = 1.0,
) -> ControlChart:
    """Laney's p′: p̄ ± 3 σᵢ σ_z, σᵢ = √(p̄(1 − p̄) / nᵢ), σ_z the mean moving range of zᵢ = (pᵢ − p̄) / σᵢ over 1.128.

    screen: leave out moving ranges of z of 3.267 times their mean and more, once, before σ_z. Laney does not, nor does
    qicharts2 0.8.1 unless told (qic.screenedmr); its 0.7.4 always did. σ_z under 1 narrows the limits. All else as `p`.

    Source: Laney (2002), Improved control charts for attributes, Quality Engineering 14(4), 531–537.

    >>> chart = p_prime([310, 392, 325, 380, 318, 401], [1000] * 6)
    >>> round(chart.phases["sigma_z"].item(), 3), round(chart.low, 3), round(chart.high, 3)
    (4.091, 0.169, 0.54)
    """
    return _proportion(
        _counted(dates, counts, denominators, binomial=True),
        per, _laney("p′", screen), prime=True, screen=screen, rebase=rebase, direction=direction, target=target,
        baseline=baseline,
    )  # fmt: skip


def u(
    counts: Values,
    denominators: Values,
    *,
    dates: Dates = None,
    rebase: Rebase = None,
    direction: Direction = "neutral",
    target: Target = None,
    baseline: int | None = None,
    per: float = 1.0,
) -> ControlChart:
    """Rates: ū ± 3 √(ū / nᵢ), ū all counts over all denominators.

    counts: events; denominators: exposure (bed days, people), which need not be whole. per: 1,000 draws rates per
    1,000 (target too). The rest as `p`; counts may be over their denominators.

    Source: Montgomery (2009), examples 7.4 and 7.5.

    >>> chart = u([14, 12, 20, 11, 7, 10], [500, 400, 650, 500, 475, 500], per=50)
    >>> round(chart.estimate, 6), round(chart.low, 6), round(chart.high, 6)
    (1.22314, 0.173938, 2.272343)
    """
    return _rate(
        _counted(dates, counts, denominators, binomial=False),
        per, "u chart", prime=False, screen=False, rebase=rebase, direction=direction, target=target, baseline=baseline,
    )  # fmt: skip


def u_prime(
    counts: Values,
    denominators: Values,
    *,
    dates: Dates = None,
    screen: bool = False,
    rebase: Rebase = None,
    direction: Direction = "neutral",
    target: Target = None,
    baseline: int | None = None,
    per: float = 1.0,
) -> ControlChart:
    """Laney's u′: ū ± 3 σᵢ σ_z, σᵢ = √(ū / nᵢ), σ_z the mean moving range of zᵢ = (uᵢ − ū) / σᵢ over 1.128.

    screen: as `p_prime`; all else as `u`. Source: Laney (2002), Quality Engineering 14(4), 531–537.

    >>> chart = u_prime([310, 392, 325, 380, 318, 401], [1000] * 6, per=100)
    >>> round(chart.low, 2), round(chart.high, 2)
    (16.87, 54.0)
    """
    return _rate(
        _counted(dates, counts, denominators, binomial=False),
        per, _laney("u′", screen), prime=True, screen=screen, rebase=rebase, direction=direction, target=target,
        baseline=baseline,
    )  # fmt: skip


def c(
    values: Values,
    *,
    dates: Dates = None,
    rebase: Rebase = None,
    direction: Direction = "neutral",
    target: Target = None,
    baseline: int | None = None,
) -> ControlChart:
    """Counts where the exposure stays the same: c̄ ± 3 √c̄. Keywords as `p`.

    Source: Montgomery (2009), example 7.3.

    >>> chart = c([21, 24, 16, 12, 15, 28])
    >>> round(chart.estimate, 4), round(chart.low, 4), round(chart.high, 4)
    (19.3333, 6.1424, 32.5242)
    """
    reading = read(dates, count=values)
    _refuse_counts(reading)
    counts = reading["count"]

    def judged(stretch: slice, first: slice) -> ManyCharts:
        return judge(_count_lines(counts[stretch], first.stop - first.start))

    return draw(counts, reading, judged, rebase=rebase, direction=direction, target=target, baseline=baseline,
                method="c chart, NHS Making Data Count rules")  # fmt: skip


def p_many(
    counts: ArrayLike,
    denominators: ArrayLike,
    *,
    prime: bool = False,
    screen: bool = False,
    baseline: int | None = None,
    per: float = 1.0,
) -> ManyCharts:
    """`p` (or `p_prime`) of many series at once: counts and denominators are tables of series by time.

    >>> p_many([[12, 8, 6, 9, 10, 12], [1, 2, 3, 2, 1, 60]], [[100, 80, 80, 100, 110, 110]] * 2).special_cause[:, -1]
    array([False,  True])
    """
    return _many(_proportion_lines, counts, denominators, True, prime, screen, baseline, per)


def u_many(
    counts: ArrayLike,
    denominators: ArrayLike,
    *,
    prime: bool = False,
    screen: bool = False,
    baseline: int | None = None,
    per: float = 1.0,
) -> ManyCharts:
    """`u` (or `u_prime`) of many series at once: counts and denominators are tables of series by time.

    >>> u_many([[14, 12, 20, 11, 7, 10], [1, 2, 3, 2, 1, 60]], [[500, 400, 650, 500, 475, 500]] * 2).side[:, -1]
    array([0, 1], dtype=int8)
    """
    return _many(_rate_lines, counts, denominators, False, prime, screen, baseline, per)


def c_many(values: ArrayLike, *, baseline: int | None = None) -> ManyCharts:
    """`c` of many series at once: a table of series by time.

    >>> c_many([[21, 24, 16, 12, 15, 60], [1, 2, 3, 2, 1, 2]]).special_cause[:, -1]
    array([ True, False])
    """
    reading, used = stacked(baseline, count=values)
    _refuse_counts(reading)
    return judge_many(lambda counts: _count_lines(counts, used), reading["count"])


def _laney(chart: str, screen: bool) -> str:
    return f"{chart} chart (Laney), moving ranges of z {'' if screen else 'not '}screened"


def _proportion(reading: Reading, per: float, kind: str, **how: Any) -> ControlChart:
    return _drawn(_proportion_lines, reading, per, kind, highest=per, **how)


def _rate(reading: Reading, per: float, kind: str, **how: Any) -> ControlChart:
    return _drawn(_rate_lines, reading, per, kind, highest=np.inf, **how)


def _drawn(
    lines: Callable[..., Lines],
    reading: Reading,
    per: float,
    kind: str,
    *,
    prime: bool,
    screen: bool,
    **how: Any,
) -> ControlChart:
    _refuse_per(per)
    counts, exposed = reading["count"], reading["denominator"]

    def judged(stretch: slice, first: slice) -> ManyCharts:
        used = first.stop - first.start
        return judge(lines(counts[stretch], exposed[stretch], used, prime=prime, screen=screen, per=per))

    return draw(counts / exposed * per, reading, judged, method=f"{kind}, NHS Making Data Count rules", **how)


def _proportion_lines(counts: Floats, exposed: Floats, used: int, *, prime: bool, screen: bool, per: float) -> Lines:
    centre = counts[..., :used].sum(axis=-1, keepdims=True) / exposed[..., :used].sum(axis=-1, keepdims=True)
    error = np.sqrt(centre * (1 - centre) / exposed)
    return _lines(counts / exposed, centre, error, used, prime=prime, screen=screen, per=per, highest=1.0)


def _rate_lines(counts: Floats, exposed: Floats, used: int, *, prime: bool, screen: bool, per: float) -> Lines:
    centre = counts[..., :used].sum(axis=-1, keepdims=True) / exposed[..., :used].sum(axis=-1, keepdims=True)
    error = np.sqrt(centre / exposed)
    return _lines(counts / exposed, centre, error, used, prime=prime, screen=screen, per=per, highest=np.inf)


def _lines(
    values: Floats, centre: Floats, error: Floats, used: int, *, prime: bool, screen: bool, per: float, highest: float
) -> Lines:
    """Three errors either side, times sigma_z when prime; drawn within what is possible, per so many."""
    early = error[..., :used]
    z = np.divide(values[..., :used] - centre, early, out=np.zeros_like(early), where=early > 0)
    spread, screened = mean_range(z, screen)
    reach = 3 * error * (spread / D2) if prime else 3 * error
    cut = within(0.0, highest)
    return Lines(
        values, centre, centre - reach, centre + reach, shown=lambda line: cut(line) * per,
        facts={"sigma_z": spread / D2, "screened": screened} if prime else {"sigma_z": spread / D2},
    )  # fmt: skip


def _count_lines(counts: Floats, used: int) -> Lines:
    centre = counts[..., :used].mean(axis=-1, keepdims=True)
    reach = 3 * np.sqrt(centre)
    return Lines(counts, centre, centre - reach, centre + reach, shown=within(0.0, np.inf))


def _many(
    lines: Callable[..., Lines],
    counts: ArrayLike,
    denominators: ArrayLike,
    binomial: bool,
    prime: bool,
    screen: bool,
    baseline: int | None,
    per: float,
) -> ManyCharts:
    _refuse_per(per)
    reading, used = stacked(baseline, count=counts, denominator=denominators)
    _refuse_parts(reading, binomial)
    return judge_many(
        lambda some, exposed: lines(some, exposed, used, prime=prime, screen=screen, per=per),
        reading["count"], reading["denominator"],
    )  # fmt: skip


def _counted(dates: Dates, counts: Values, denominators: Values, *, binomial: bool) -> Reading:
    reading = read(dates, count=counts, denominator=denominators)
    _refuse_parts(reading, binomial)
    return reading


def _refuse_counts(reading: Reading) -> None:
    counts = reading["count"]
    reading.refuse("count", counts < 0, "a count cannot be negative.")
    reading.refuse("count", counts != np.round(counts), "a count is a whole number. For rates and means use spc.xmr.")


def _refuse_parts(reading: Reading, binomial: bool) -> None:
    _refuse_counts(reading)
    counts, exposed = reading["count"], reading["denominator"]
    reading.refuse("denominator", exposed <= 0, "a denominator must be above nought. Leave that point out, or wait.")
    if binomial:
        reading.refuse("denominator", exposed != np.round(exposed), "a proportion is of whole people or cases.")
        reading.refuse(
            "count", counts > exposed, "more than its denominator, so it is no proportion. Is it a rate (u)?"
        )


def _refuse_per(per: float) -> None:
    if not 0 < per < np.inf:
        raise ValueError(f"per = {per!r} must be above nought: 100 draws percentages, 1000 rates per thousand.")
