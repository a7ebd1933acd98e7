"""The standardised difference of two groups of different people."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from evalkit.stats import noncentral
from evalkit.stats.pairs import flat, numbers
from evalkit.stats.standardisers import correction
from evalkit.stats.student import share

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

GroupKind = Literal["d_s", "g_s"]

GROUP_STANDARDISER: dict[str, str] = {
    "d_s": "standard deviation within both groups together",
    "g_s": "standard deviation within both groups together, corrected for small samples",
}


@dataclass(frozen=True, slots=True)
class GroupEffectSize:
    """Mean of b minus mean of a in standard deviations. `n` counts answers in both; `missing_*` those left blank."""

    estimate: float
    low: float
    high: float
    n: int
    n_a: int
    n_b: int
    missing_a: int
    missing_b: int
    kind: GroupKind
    standardiser: str
    interval: Literal["noncentral"]
    confidence: float


def effect_size_two_groups(
    a: ArrayLike, b: ArrayLike, *, kind: GroupKind = "g_s", confidence: float = 0.95
) -> GroupEffectSize:
    """Difference of two means, b minus a, in standard deviations within the groups.

    d_s = (mean_b - mean_a)/s, s² = [(n_a - 1) s_a² + (n_b - 1) s_b²]/v, v = n_a + n_b - 2; g_s = J(v) d_s with the
    exact J of `effect_size`. Interval: the noncentralities of t = d_s/sqrt(1/n_a + 1/n_b) with v degrees of freedom, as
    an effect size; g_s corrects the estimate of the same quantity, so its interval is that of d_s.
    Sources: Cohen (1988), Statistical Power Analysis, 2nd ed., p. 67; Hedges (1981), J. Educational Statistics 6(2),
    107-128; Lakens (2013), Frontiers in Psychology 4:863; Cumming & Finch (2001) (interval).

    One spread is taken for both groups: exact for normal answers that vary alike. Where they do not, s belongs to
    neither group, and the interval is not exact; the Welch interval of `two_groups` is then the one to read.

    a, b: one number a person, different people; NaN = no answer, counted in `missing_a`, `missing_b`. No unit.
    Errors: ValueError for an unknown kind, fewer than two answers in a group, infinite values, or no spread in either.

    >>> size = effect_size_two_groups([1.0, 2.0, 3.0, 4.0], [3.0, 5.0, 4.0, 6.0, 7.0], kind="d_s")
    >>> print(f"{size.estimate:.3f} ({size.low:.3f} to {size.high:.3f}): {size.standardiser}")
    1.708 (0.087 to 3.248): standard deviation within both groups together
    """
    if kind not in get_args(GroupKind):
        raise ValueError(
            f"kind={kind!r} is not a difference of groups; choose one of {', '.join(get_args(GroupKind))}."
        )
    first, second = numbers(a, "a"), numbers(b, "b")
    in_a, in_b = first[~np.isnan(first)], second[~np.isnan(second)]
    n_a, n_b = len(in_a), len(in_b)
    if min(n_a, n_b) < 2:
        raise ValueError(f"Two answers in each group are needed; a has {n_a} and b has {n_b}.")
    scale = max(float(np.abs(in_a).max()), float(np.abs(in_b).max()))
    if flat(in_a, scale) and flat(in_b, scale):
        raise ValueError("Nobody differs from anybody within either group, so there is nothing to divide by.")
    df = n_a + n_b - 2
    squares = float(((in_a - in_a.mean()) ** 2).sum() + ((in_b - in_b.mean()) ** 2).sum())
    d_s = float(in_b.mean() - in_a.mean()) / math.sqrt(squares / df)
    one = math.sqrt(1 / n_a + 1 / n_b)
    low, high = noncentral.limits(d_s / one, df, share(confidence))
    return GroupEffectSize(
        estimate=d_s * float(correction(df)) if kind == "g_s" else d_s,
        low=low * one,
        high=high * one,
        n=n_a + n_b,
        n_a=n_a,
        n_b=n_b,
        missing_a=len(first) - n_a,
        missing_b=len(second) - n_b,
        kind=kind,
        standardiser=GROUP_STANDARDISER[kind],
        interval="noncentral",
        confidence=confidence,
    )
