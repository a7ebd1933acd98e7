"""Six published ways to tell a person's change from error of measurement, and the cut-offs people may cross."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from evalkit.stats.pairs import flat
from evalkit.stats.student import NO_SPREAD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evalkit.stats.reliable_scores import Scores

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

Method = Literal[
    "jacobson_truax",
    "gulliksen_lord_novick",
    "edwards_nunnally",
    "hageman_arrindell",
    "hsu_linn_lord",
    "nunnally_kotsch",
]
METHODS: tuple[Method, ...] = get_args(Method)

Criterion = Literal["a", "b", "c"]
CRITERIA: tuple[Criterion, ...] = get_args(Criterion)

SAME_INDEX = 1e-9
"""An index this near to the critical value is on it but for rounding, and so not beyond it."""


class MethodNeedsMore(ValueError):
    """One method cannot be used on these answers, though another may."""


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What a method says of each person. `index` has the sign of after - before, whichever way is better."""

    index: Floats
    critical: float
    threshold: float | None
    expected_false: float | None
    improved: Flags
    deteriorated: Flags
    cutoff: float | None
    passed: Flags
    passed_back: Flags


def tell(method: Method, scores: Scores, *, cutoff: Criterion | float | None, confidence: float) -> Told:
    """Index, classes and crossings of every person by one method. Formulas and sources: `reliable_change.reliable`."""
    from scipy.special import ndtri

    arrindell = method == "hageman_arrindell"
    index = INDICES[method](scores)
    critical = float(ndtri(confidence if arrindell else (1 + confidence) / 2))
    if critical <= 0:
        raise MethodNeedsMore(f"confidence={confidence} is that of one side for {method}; it must be above one half.")
    good = scores.sign * index
    value = None if cutoff is None else cutoff_of(scores, cutoff, true=arrindell)
    passed, passed_back = _crossings(scores, value, critical if arrindell else None)
    return Told(
        index=index,
        critical=critical,
        threshold=_threshold(method, scores, critical),
        expected_false=None if arrindell else scores.n * (1 - confidence) / 2,
        improved=good > critical + SAME_INDEX,
        deteriorated=good < -critical - SAME_INDEX,
        cutoff=value,
        passed=passed,
        passed_back=passed_back,
    )


def cutoff_of(scores: Scores, cutoff: Criterion | float, *, true: bool) -> float:
    """The score that parts dysfunctional from functional. `true`: of true scores, as Hageman & Arrindell have it.

    a: two standard deviations better than the mean before. b: two worse than the mean of the norm. c: between the two
    means, nearer to that of the group that varies less.
    """
    if not isinstance(cutoff, str):
        return float(cutoff)
    if cutoff == "a":
        mean, sd = _dysfunctional(scores, true)
        return mean + 2 * scores.sign * sd
    if scores.norm is None:
        raise ValueError(
            f'Cut-off {cutoff} needs norm=(mean, sd) of a functional population; without one use "a" or a score.'
        )
    norm_mean, norm_sd = scores.norm[0], _spread(scores.norm[1], scores, "norm", true)
    if cutoff == "b":
        return norm_mean - 2 * scores.sign * norm_sd
    mean, sd = _dysfunctional(scores, true)
    return (sd * norm_mean + norm_sd * mean) / (sd + norm_sd)


def _dysfunctional(scores: Scores, true: bool) -> tuple[float, float]:
    """Mean and standard deviation before, which cut-offs take from the people themselves whatever `sd` says."""
    if scores.n < 2 or flat(scores.before):
        raise ValueError(
            f"Cut-offs a and c need people who differ before; of {scores.n} nobody does. Give a score as cutoff."
        )
    return float(scores.before.mean()), _spread(float(scores.before.std(ddof=1)), scores, "before", true)


def _spread(sd: float, scores: Scores, whose: str, true: bool) -> float:
    """A standard deviation; with `true`, what is left of it without error of measurement."""
    left = sd**2 - scores.error**2 if true else sd**2
    if left <= 0:
        raise MethodNeedsMore(
            f"Scores of {whose} vary no more (SD {sd:.4g}) than error of measurement alone would make them "
            f"({scores.error:.4g}), so Hageman & Arrindell's cut-off between true scores has no place."
        )
    return math.sqrt(left)


def _crossings(scores: Scores, cutoff: float | None, critical: float | None) -> tuple[Flags, Flags]:
    """Who passed the cut-off for the better and who for the worse. Nobody on the cut-off itself has passed it.

    critical: for Hageman & Arrindell, how sure the passing must be; None where the score after is taken as it is.
    """
    if cutoff is None:
        nobody = np.zeros(scores.n, dtype=bool)
        return nobody, nobody
    largest = max(abs(cutoff), float(np.abs(scores.before).max()), float(np.abs(scores.after).max()))
    hair = hair_after = NO_SPREAD * largest
    start, end = scores.sign * (scores.before - cutoff), scores.sign * (scores.after - cutoff)
    if critical is not None:
        hair_after, end = critical + SAME_INDEX, scores.sign * _passing_index(scores, cutoff)
    return (start < -hair) & (end > hair_after), (start > hair) & (end < -hair_after)


def _passing_index(scores: Scores, cutoff: float) -> Floats:
    """Hageman & Arrindell's CS_INDIV: how far the true score after is estimated beyond the cut-off, in its error."""
    _at_least(scores, 2, "passing of the cut-off")
    mean, sd = float(scores.after.mean()), float(scores.after.std(ddof=1))
    kept = 1 - (scores.error / sd) ** 2 if sd > 0 else 0.0
    if kept <= 0:
        raise MethodNeedsMore(
            f"Scores after vary no more (SD {sd:.4g}) than error of measurement alone would make them "
            f"({scores.error:.4g}), so Hageman & Arrindell cannot tell who passed the cut-off."
        )
    estimated = mean + kept * (scores.after - mean)
    return np.asarray((estimated - cutoff) / (math.sqrt(kept) * scores.error), dtype=float)


def _threshold(method: Method, scores: Scores, critical: float) -> float | None:
    """The change for the better beyond which anybody is called improved; None where it depends on the score before."""
    if method == "jacobson_truax":
        return critical * math.sqrt(2) * scores.error
    if method == "hageman_arrindell":
        kept, mean = _true_share(scores), scores.sign * float((scores.after - scores.before).mean())
        return (critical * math.sqrt(2 * kept) * scores.error - mean * (1 - kept)) / kept
    return None


def _jacobson_truax(scores: Scores) -> Floats:
    return np.asarray((scores.after - scores.before) / (math.sqrt(2) * scores.error), dtype=float)


def _gulliksen_lord_novick(scores: Scores) -> Floats:
    return _beyond_expected(scores) / (scores.sd * math.sqrt(1 - scores.reliability**2))


def _edwards_nunnally(scores: Scores) -> Floats:
    return _beyond_expected(scores) / scores.error


def _nunnally_kotsch(scores: Scores) -> Floats:
    r, r_after = scores.reliability, scores.reliability_after
    if r_after is None:
        raise MethodNeedsMore("Nunnally & Kotsch need the reliability after as well: give reliability_after.")
    return _beyond_expected(scores) / (scores.sd * math.sqrt(r**2 * (1 - r) + 1 - r_after))


def _hsu_linn_lord(scores: Scores) -> Floats:
    _at_least(scores, 2, "mean change of the group")
    before, after = scores.before - scores.before.mean(), scores.after - scores.after.mean()
    r = scores.reliability
    return np.asarray((after - r * before) / (scores.sd * math.sqrt(1 - r**2)), dtype=float)


def _hageman_arrindell(scores: Scores) -> Floats:
    difference, kept = scores.after - scores.before, _true_share(scores)
    estimated = kept * difference + (1 - kept) * difference.mean()
    return np.asarray(estimated / (math.sqrt(2 * kept) * scores.error), dtype=float)


INDICES: dict[Method, Callable[[Scores], Floats]] = {
    "jacobson_truax": _jacobson_truax,
    "gulliksen_lord_novick": _gulliksen_lord_novick,
    "edwards_nunnally": _edwards_nunnally,
    "hageman_arrindell": _hageman_arrindell,
    "hsu_linn_lord": _hsu_linn_lord,
    "nunnally_kotsch": _nunnally_kotsch,
}


def _beyond_expected(scores: Scores) -> Floats:
    """After, less the score before drawn towards the mean (the estimated true score: Kelley's formula)."""
    mean = scores.mean
    if mean is None:
        _at_least(scores, 2, "mean that scores are drawn towards")
        mean = float(scores.before.mean())
    return np.asarray(scores.after - mean - scores.reliability * (scores.before - mean), dtype=float)


def _true_share(scores: Scores) -> float:
    """Reliability of the differences: 1 - 2 SE²/var(differences).

    Hageman & Arrindell write (s1² r1 + s2² r2 - 2 cov) / (s1² + s2² - 2 cov); with one error at both times, as they
    assume, s² r = s² - SE², which leaves this.
    """
    _at_least(scores, 2, "spread of the changes")
    spread = float((scores.after - scores.before).var(ddof=1))
    alone = 2 * scores.error**2
    if spread <= alone:
        raise MethodNeedsMore(
            f"Changes vary no more (SD {math.sqrt(spread):.4g}) than error of measurement alone would make them "
            f"({math.sqrt(alone):.4g}), so Hageman & Arrindell see no true differences of change; use another method."
        )
    return 1 - alone / spread


def _at_least(scores: Scores, people: int, what: str) -> None:
    if scores.n < people:
        raise MethodNeedsMore(f"The {what} takes {people} people; there is {scores.n}. Jacobson & Truax need one.")
