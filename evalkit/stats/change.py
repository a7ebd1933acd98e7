"""Change between two times or two groups: mean differences with t intervals, effect sizes that say which d they are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evalkit.stats.effect_sizes import EffectSize, Interval, Kind, effect_size, effect_sizes
from evalkit.stats.group_effect_sizes import GroupEffectSize, effect_size_two_groups
from evalkit.stats.pairs import flat, numbers, pairs, require_spread
from evalkit.stats.pairs_and_singles import PartlyPairedChange, partially_paired
from evalkit.stats.reliable_change import ReliableChange, reliable
from evalkit.stats.sign_flips import SignFlips, permute
from evalkit.stats.signed_ranks import SignedRank, signed_rank
from evalkit.stats.student import t_interval, t_p

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "Agreement",
    "EffectSize",
    "GroupDifference",
    "GroupEffectSize",
    "Interval",
    "Kind",
    "PairedChange",
    "PartlyPairedChange",
    "ReliableChange",
    "SignFlips",
    "SignedRank",
    "effect_size",
    "effect_size_two_groups",
    "effect_sizes",
    "limits_of_agreement",
    "paired",
    "partially_paired",
    "permute",
    "reliable",
    "signed_rank",
    "two_groups",
]


@dataclass(frozen=True, slots=True)
class PairedChange:
    """Mean change in complete pairs. `n` counts these; `n_before` and `n_after` all who answered at each time."""

    estimate: float
    low: float
    high: float
    n: int
    n_before: int
    n_after: int
    mean_before: float
    mean_after: float
    sd_before: float
    sd_after: float
    se: float
    df: float
    p: float
    confidence: float

    def interval(self, confidence: float) -> tuple[float, float]:
        """The t interval of this change at another level of confidence."""
        return t_interval(self.estimate, self.se, self.df, confidence)


@dataclass(frozen=True, slots=True)
class GroupDifference:
    """Mean of b minus mean of a. `n` counts answers in both; `missing_a` and `missing_b` those that were blank."""

    estimate: float
    low: float
    high: float
    n: int
    n_a: int
    n_b: int
    missing_a: int
    missing_b: int
    mean_a: float
    mean_b: float
    sd_a: float
    sd_b: float
    se: float
    df: float
    p: float
    confidence: float

    def interval(self, confidence: float) -> tuple[float, float]:
        """The Welch interval of this difference at another level of confidence."""
        return t_interval(self.estimate, self.se, self.df, confidence)


def paired(before: ArrayLike, after: ArrayLike, *, confidence: float = 0.95) -> PairedChange:
    """Mean change, after minus before, in people who answered both times.

    d_i = after_i - before_i; estimate = mean(d); se = sd(d)/sqrt(n); interval and p by t with n - 1 degrees of freedom.
    Source: Student (1908), The probable error of a mean, Biometrika 6(1), 1-25. The t interval kept 94-96 % coverage
    for ordinal answers from n = 8 where the bootstrap did not (simulated for this project).

    before, after: one number a person, in the same order (two Series must carry the same index); NaN = no answer.
    Units: those of the answers. Means and standard deviations are those of the complete pairs.
    A ceiling at `before` makes the misses lopsided; dropout that depends on `before` biases complete pairs: see
    `panel.available`.

    Errors: ValueError for unequal lengths or indexes, infinite values, fewer than two complete pairs, or when every
    pair changed by the same amount (no spread, so no interval).

    >>> change = paired([2.0, 3.0, 3.5, 1.0], [3.0, 3.5, 5.0, 2.5])
    >>> print(f"{change.estimate:.3f} ({change.low:.3f} to {change.high:.3f}), n = {change.n}")
    1.125 (0.363 to 1.887), n = 4
    """
    first, second, n_before, n_after = pairs(before, after)
    n = len(first)
    difference = second - first
    require_spread(difference, first, second, "Every complete pair changed by exactly {value:g}")
    estimate, se = float(difference.mean()), float(difference.std(ddof=1)) / math.sqrt(n)
    low, high = t_interval(estimate, se, n - 1, confidence)
    return PairedChange(
        estimate=estimate,
        low=low,
        high=high,
        n=n,
        n_before=n_before,
        n_after=n_after,
        mean_before=float(first.mean()),
        mean_after=float(second.mean()),
        sd_before=float(first.std(ddof=1)),
        sd_after=float(second.std(ddof=1)),
        se=se,
        df=float(n - 1),
        p=t_p(estimate, se, n - 1),
        confidence=confidence,
    )


def two_groups(a: ArrayLike, b: ArrayLike, *, confidence: float = 0.95) -> GroupDifference:
    """Difference of two means, b minus a, without assuming that the groups vary alike.

    se² = s_a²/n_a + s_b²/n_b; df = se⁴ / [(s_a²/n_a)²/(n_a - 1) + (s_b²/n_b)²/(n_b - 1)].
    Source: Welch (1947), The generalization of "Student's" problem, Biometrika 34(1-2), 28-35.

    a, b: one number a person, different people; NaN = no answer, counted in `missing_a`, `missing_b`.
    Errors: ValueError for fewer than two answers in a group, infinite values, or no spread in either group.

    >>> difference = two_groups([1.0, 2.0, 3.0, 4.0], [3.0, 5.0, 4.0, 6.0, 7.0])
    >>> print(f"{difference.estimate:.2f} ({difference.low:.2f} to {difference.high:.2f}), df {difference.df:.2f}")
    2.50 (0.23 to 4.77), df 6.98
    """
    first, second = numbers(a, "a"), numbers(b, "b")
    in_a, in_b = first[~np.isnan(first)], second[~np.isnan(second)]
    if min(len(in_a), len(in_b)) < 2:
        raise ValueError(f"Two answers in each group are needed; a has {len(in_a)} and b has {len(in_b)}.")
    if flat(in_a) and flat(in_b):
        raise ValueError("Nobody differs from anybody within either group, so the difference has no interval.")
    share_a, share_b = float(in_a.var(ddof=1)) / len(in_a), float(in_b.var(ddof=1)) / len(in_b)
    se = math.sqrt(share_a + share_b)
    df = se**4 / (share_a**2 / (len(in_a) - 1) + share_b**2 / (len(in_b) - 1))
    estimate = float(in_b.mean() - in_a.mean())
    low, high = t_interval(estimate, se, df, confidence)
    return GroupDifference(
        estimate=estimate,
        low=low,
        high=high,
        n=len(in_a) + len(in_b),
        n_a=len(in_a),
        n_b=len(in_b),
        missing_a=len(first) - len(in_a),
        missing_b=len(second) - len(in_b),
        mean_a=float(in_a.mean()),
        mean_b=float(in_b.mean()),
        sd_a=float(in_a.std(ddof=1)),
        sd_b=float(in_b.std(ddof=1)),
        se=se,
        df=df,
        p=t_p(estimate, se, df),
        confidence=confidence,
    )


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two ratings of the same people lie apart. `estimate` is the mean of b − a, low to high its interval.

    `lower` and `upper` are the limits between which 95 % of single differences lie; `lower_low` to `lower_high` and
    `upper_low` to `upper_high` their own intervals.
    """

    estimate: float
    low: float
    high: float
    n: int
    lower: float
    lower_low: float
    lower_high: float
    upper: float
    upper_low: float
    upper_high: float
    sd: float
    confidence: float


def limits_of_agreement(a: ArrayLike, b: ArrayLike, *, confidence: float = 0.95) -> Agreement:
    """Limits of agreement: mean difference ± 1.96 SD of the differences, in people with both ratings.

    The limits have standard error sqrt(3/n) SD (Bland & Altman 1986), and t intervals with n − 1 degrees of freedom.
    Source: Bland & Altman (1986), Lancet i, 307-310; they print ± 2 SD, later papers and this function 1.96. The limits
    speak of 95 % of people whatever `confidence` is, which is that of the intervals.

    a, b: one number a person in the same order, NaN = not rated. Errors: ValueError as for `paired`.

    >>> apart = limits_of_agreement([3.0, 3.5, 2.0, 4.0], [2.5, 3.5, 2.5, 3.0])
    >>> print(f"{apart.estimate:.2f}, limits {apart.lower:.2f} to {apart.upper:.2f}")
    -0.25, limits -1.52 to 1.02
    """
    first, second, _, _ = pairs(a, b)
    difference = second - first
    require_spread(difference, first, second, "Every pair of ratings is apart by exactly {value:g}")
    n, mean, sd = len(difference), float(difference.mean()), float(difference.std(ddof=1))
    low, high = t_interval(mean, sd / math.sqrt(n), n - 1, confidence)
    lower, upper = mean - 1.96 * sd, mean + 1.96 * sd
    lower_low, lower_high = t_interval(lower, math.sqrt(3 / n) * sd, n - 1, confidence)
    upper_low, upper_high = t_interval(upper, math.sqrt(3 / n) * sd, n - 1, confidence)
    return Agreement(mean, low, high, n, lower, lower_low, lower_high, upper, upper_low, upper_high, sd, confidence)
