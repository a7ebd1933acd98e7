"""The worst and the best that unknown answers allow, for a share and for a mean on a bounded scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evalkit.stats import rates
from evalkit.stats.pairs import flat, numbers
from evalkit.stats.student import share

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class Bounds:
    """What could be the case for all who were asked, whatever those who did not answer would have said.

    estimate: among the n who answered · worst to best: where it lies for all asked, sampling left aside (worst is the
    lower end) · low to high: with sampling, holding the truth with about `confidence` where it lies at one end, and
    more often where it lies between.
    """

    estimate: float
    worst: float
    best: float
    low: float
    high: float
    n: int
    asked: int
    unknown: int
    confidence: float


def bounds(improved: int, answered: int, asked: int, *, confidence: float = 0.95) -> Bounds:
    """Worst and best share, e.g. of people reliably improved, when some who were asked did not answer.

    worst = improved / asked (nobody unknown improved), best = (improved + asked − answered) / asked (all did): no
    assumption at all about who leaves. Source: Manski (1989), J. Human Resources 24(3), 343-360.
    low to high: Imbens & Manski (2004), Econometrica 72(6), 1845-1857, eq. 6-7: worst − c s_w/√N to best + c s_b/√N,
    with c solving Φ(c + √N (best − worst)/max(s_w, s_b)) − Φ(−c) = confidence, 1.96 with no gap and 1.645 with a wide
    one at 95 %: the truth can be outside at one end only. Here the ends are Wilson's limits at that c, which holds
    for few people and near 0 and 1, and is Wilson's interval itself when all answered. Truth at an end was held in
    92-97 % (n = 15 to 100; 90 % for shares under .05 at n = 15 and 30; simulated for this project).

    improved, answered, asked: counts of people. Errors: ValueError for counts out of order, or nobody who answered.

    >>> found = bounds(12, 20, 30)
    >>> print(f"{found.estimate:.0%} of {found.n}; {found.worst:.0%} to {found.best:.0%} of {found.asked}")
    60% of 20; 40% to 73% of 30
    >>> print(f"{found.low:.0%} to {found.high:.0%}")
    27% to 84%
    """
    for name, count in {"improved": improved, "answered": answered, "asked": asked}.items():
        if isinstance(count, bool) or not hasattr(count, "__index__"):
            raise TypeError(f"{name} = {count!r} must be a whole number of people.")
    if not 0 <= improved <= answered <= asked:
        raise ValueError(f"0 ≤ improved ({improved}) ≤ answered ({answered}) ≤ asked ({asked}) must hold.")
    if not answered:
        raise ValueError(f"None of {asked} people answered: the share could be anything from 0 to 1.")
    unknown = asked - answered
    worst, best = improved / asked, (improved + unknown) / asked
    spread = max(math.sqrt(end * (1 - end)) for end in (worst, best)) / math.sqrt(asked)
    reach = _reach(unknown / asked, spread, math.inf, share(confidence))
    both = 2 * _below(reach, math.inf) - 1
    return Bounds(
        estimate=improved / answered,
        worst=worst,
        best=best,
        low=rates.wilson(improved, asked, confidence=both).low,
        high=rates.wilson(improved + unknown, asked, confidence=both).high,
        n=answered,
        asked=asked,
        unknown=unknown,
        confidence=confidence,
    )


def mean_bounds(
    answers: ArrayLike, *, low: float, high: float, asked: int | None = None, confidence: float = 0.95
) -> Bounds:
    """Worst and best mean on a bounded scale: all unknown answers at its lowest, or all at its highest.

    worst = (Σ answers + unknown x low)/asked, best likewise with high. Sources as in `bounds`; the interval has the
    Imbens-Manski c from Student's t with asked − 1 degrees of freedom and the SDs of the answers so completed, and ends
    where the scale does. With nothing unknown it is the t interval of the mean.
    For a change, give changes with low and high the least and the largest change possible (lowest − highest possible
    answer, and the reverse): wide, because nothing is assumed; see `tipping_point` for what an assumption buys.

    answers: one number a person, NaN = unknown. low, high: ends of the scale. asked: people asked when these are more
    than the rows of `answers`.
    Errors: ValueError for answers off the scale, fewer people asked than rows, nobody who answered, fewer than two
    asked, or all answers equal and none unknown (no spread, so no interval).

    >>> found = mean_bounds([3.0, 4.0, 5.0, 4.0, 2.0, None], low=1, high=5, asked=7)
    >>> print(f"{found.estimate:.2f} of {found.n}; {found.worst:.2f} to {found.best:.2f} of {found.asked}")
    3.60 of 5; 2.86 to 4.00 of 7
    >>> print(f"{found.low:.2f} to {found.high:.2f}")
    1.67 to 4.87
    """
    given = numbers(answers, "answers")
    seen = given[~np.isnan(given)]
    people = len(given) if asked is None else asked
    if not low < high:
        raise ValueError(f"low = {low} and high = {high} are the ends of the scale, in this order.")
    if people < len(given) or people < 2 or not len(seen):
        raise ValueError(
            f"{len(seen)} of {people} people asked answered, in {len(given)} rows: no mean can be bounded."
        )
    if seen.min() < low or seen.max() > high:
        raise ValueError(f"{int(((seen < low) | (seen > high)).sum())} answers lie outside {low} to {high}.")
    unknown = people - len(seen)
    if flat(seen) and not unknown:
        raise ValueError(f"All {people} people answered {seen[0]:g}: without spread there is no interval.")
    lowest, highest = (np.concatenate([seen, np.full(unknown, end)]) for end in (float(low), float(high)))
    worst, best = float(lowest.mean()), float(highest.mean())
    errors = [0.0 if flat(each) else float(each.std(ddof=1)) / math.sqrt(people) for each in (lowest, highest)]
    reach = _reach(best - worst, max(errors), people - 1, share(confidence))
    return Bounds(
        estimate=float(seen.mean()),
        worst=worst,
        best=best,
        low=max(worst - reach * errors[0], low),
        high=min(best + reach * errors[1], high),
        n=len(seen),
        asked=people,
        unknown=unknown,
        confidence=confidence,
    )


def _reach(width: float, error: float, df: float, confidence: float) -> float:
    """Imbens and Manski's c: how many standard errors beyond each bound."""
    from scipy.optimize import brentq
    from scipy.special import stdtrit

    widest, least = float(stdtrit(df, (1 + confidence) / 2)), float(stdtrit(df, confidence))
    if not error > 0:
        return least if width > 0 else widest

    def over(c: float) -> float:
        return _below(c + width / error, df) - _below(-c, df) - confidence

    # the ends of the bracket are the answers at no gap and at a wide one, where rounding may take their sign
    return (
        least if over(least) >= 0 else widest if over(widest) <= 0 else float(brentq(over, least, widest, xtol=1e-12))
    )


def _below(value: float, df: float) -> float:
    from scipy.special import stdtr

    return float(stdtr(df, value))
