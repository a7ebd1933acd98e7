"""What changed: eight steps, in order, on one declared primary measure per question.

The figures behind the rule are in `notebooks/pages/methods.md`: with a 97% interval for each of the three questions a
programme where nothing happened is told of a change in any of them in under 5 of 100 evaluations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from evalkit.terms import Verdict

HEADLINE = 0.97
"""Confidence of the headline verdict and its interval: three questions at 3 % keep the whole under 5 %."""
EQUIVALENCE = 0.90
"""Two one-sided tests at 5 %: the interval that shows a change to be smaller than worthwhile."""
LEAST_PAIRS = 5
"""Fewer people or teams than this are described, never tested (teams: the methods page; pairs: a judgement)."""
LEAST_POINTS = 12
"""Fewer points than this on either side of the start are described, never tested."""
LEVEL = round(1 - HEADLINE, 2)
"""The smallest p a design can reach must be below this, or no verdict is possible."""


class Estimated(Protocol):
    """Anything with an estimate that can be asked for its interval."""

    @property
    def estimate(self) -> float:
        """After − before, or the ratio."""
        ...

    def interval(self, confidence: float) -> tuple[float, float]:
        """Low and high at this confidence."""
        ...


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the printed rule."""

    step: int
    verdict: str
    when: str


RULES: tuple[Rule, ...] = (
    Rule(
        1,
        "described",
        "No legitimate test: averages without numbers of people and spread, one wave, fewer than 5 people or teams, "
        "fewer than 12 points either side of the start.",
    ),
    Rule(
        2,
        "not measurable",
        "The data cannot answer; or no result could have been clear with so few places or teams; or the way they were "
        "chosen makes it unanswerable.",
    ),
    Rule(3, "too early to say", "The last observation lies before the time agreed. The estimate is still shown."),
    Rule(4, "no clear change", "Any change is smaller than worthwhile: the 90% interval lies inside it."),
    Rule(5, "improved (or rose)", "The whole 97% interval lies on the better side of no change."),
    Rule(6, "worsened (or fell)", "The whole 97% interval lies on the worse side of no change."),
    Rule(7, "unclear", "The 97% interval holds both a worthwhile gain and a worthwhile loss."),
    Rule(8, "no clear change", "Otherwise: said with which of the two is not ruled out."),
)
MIXED_RULE = (
    "mixed: the primary measure changed clearly, and another declared measure (Holm at .03 within the question) or the "
    "declared informant went clearly the other way."
)
PLACES_RULE = (
    "places beside places: steps 5 and 6 also need that, of all ways to name as many places, at most 3 of 100 differ "
    "as much."
)
ROSE_RULE = (
    "rose, fell: the words for self-assessed maturity and scales that are not validated, for which higher need not be "
    "better."
)


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, the step that gave it, and the interval it was read from (in the measure's own terms)."""

    verdict: Verdict
    step: int
    why: str
    low: float = math.nan
    high: float = math.nan
    confidence: float = HEADLINE


@dataclass(frozen=True, slots=True)
class Other:
    """Another declared measure of the same question: its sign (better +, worse −) and its adjusted p."""

    name: str
    better: bool
    adjusted_p: float


def described(why: str) -> Decision:
    """Step 1: shown, not tested.

    >>> described("One wave.").verdict
    <Verdict.DESCRIBED: 'described'>
    """
    return Decision(Verdict.DESCRIBED, 1, why)


def decide(
    primary: Estimated,
    *,
    better: Literal["higher", "lower"],
    worthwhile: float | None,
    scale: Literal["difference", "ratio"] = "difference",
    value_words: bool = True,
    described_as: str = "",
    unanswerable: str = "",
    smallest_p: float | None = None,
    relabelled_p: float | None = None,
    too_early: str = "",
    others: Sequence[Other] = (),
    informant: Estimated | None = None,
) -> Decision:
    """Take the eight steps in order.

    `worthwhile`: the smallest worthwhile change (a difference, or a ratio such as 0.95); `None` skips steps 4 and 7.
    `value_words`: False for self-assessed maturity and scales not validated, which rise and fall.
    `described_as`, `unanswerable`, `too_early`: the reason, when the question has one, for steps 1, 2 and 3.
    `relabelled_p`: where places are compared, the share of other ways to name them that differ as much; a clear change
    needs it at .03 or below beside the interval. `others` carry p values already adjusted within the question (Holm).
    The figures behind the steps: the methods page.

    >>> from evalkit.stats import change
    >>> grown = change.paired([1, 2, 3, 2, 1, 2], [2, 3, 3.5, 3, 2.2, 2.8])
    >>> decide(grown, better="higher", worthwhile=0.2).verdict
    <Verdict.IMPROVED: 'improved'>
    """
    low, high = _signed(primary.interval(HEADLINE), better, scale)
    own_low, own_high = primary.interval(HEADLINE)

    def decided(verdict: Verdict, step: int, why: str) -> Decision:
        return Decision(verdict, step, why, own_low, own_high)

    if described_as:
        return decided(Verdict.DESCRIBED, 1, described_as)
    if unanswerable:
        return decided(Verdict.NOT_MEASURABLE, 2, unanswerable)
    if smallest_p is not None and smallest_p > LEVEL:
        return decided(
            Verdict.NOT_MEASURABLE, 2, f"With so few, no result could have been clear (smallest p {smallest_p:.3f})."
        )
    if too_early:
        return decided(Verdict.TOO_EARLY, 3, too_early)
    worth = None if worthwhile is None else _size(worthwhile, scale)
    if worth is not None:
        inner_low, inner_high = _signed(primary.interval(EQUIVALENCE), better, scale)
        if -worth < inner_low and inner_high < worth:
            return decided(Verdict.NO_CLEAR_CHANGE, 4, "Any change is smaller than worthwhile.")
    if (low > 0 or high < 0) and (relabelled_p is None or relabelled_p <= LEVEL):
        return _clear(low > 0, better, value_words, others, informant, scale, decided)
    if worth is None:
        return decided(
            Verdict.NO_CLEAR_CHANGE,
            8,
            "No smallest worthwhile change was agreed, so we cannot say whether a change worth having is ruled out.",
        )
    if low <= -worth and worth <= high:
        return decided(Verdict.UNCLEAR, 7, "The data fit a worthwhile gain and a worthwhile loss.")
    if low > 0 or high < 0:
        why = "Places named at random, or weighed by their counts alone, differ as much too often."
        return decided(Verdict.NO_CLEAR_CHANGE, 8, why)
    ruled_in = "gain" if high >= worth else "loss"  # one of them: an interval inside ±W was step 4
    return decided(Verdict.NO_CLEAR_CHANGE, 8, f"A worthwhile {ruled_in} is not ruled out.")


def _clear(
    gained: bool,
    better: str,
    value_words: bool,
    others: Sequence[Other],
    informant: Estimated | None,
    scale: str,
    decided: Callable[[Verdict, int, str], Decision],
) -> Decision:
    against = [o.name for o in others if o.better != gained and o.adjusted_p < LEVEL]
    if informant is not None:
        low, high = _signed(informant.interval(HEADLINE), better, scale)
        if (high < 0) if gained else (low > 0):
            against.append("the declared informant")
    if against:
        return decided(Verdict.MIXED, 5 if gained else 6, f"Clearly the other way: {', '.join(against)}.")
    if value_words:
        return decided(
            Verdict.IMPROVED if gained else Verdict.WORSENED, 5 if gained else 6, RULES[4 if gained else 5].when
        )
    rose = gained == (better == "higher")
    return decided(
        Verdict.ROSE if rose else Verdict.FELL,
        5 if gained else 6,
        "The whole 97% interval lies on one side of no change.",
    )


def _signed(interval: tuple[float, float], better: str, scale: str) -> tuple[float, float]:
    """The interval about zero, turned so that + is better."""
    low, high = (math.log(limit) for limit in interval) if scale == "ratio" else interval
    return (low, high) if better == "higher" else (-high, -low)


def _size(worthwhile: float, scale: str) -> float:
    return abs(math.log(worthwhile)) if scale == "ratio" else abs(worthwhile)
