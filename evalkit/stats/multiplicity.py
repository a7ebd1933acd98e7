"""Adjusted p values for questions asked together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args, overload

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Method = Literal["holm", "hochberg", "hommel", "benjamini_hochberg"]


@overload
def adjust(p: pd.Series, method: Method) -> pd.Series: ...
@overload
def adjust(p: ArrayLike, method: Method) -> NDArray[np.float64]: ...
def adjust(p: ArrayLike | pd.Series, method: Method) -> NDArray[np.float64] | pd.Series:
    """p values adjusted for how many were asked together: compare each with the level wanted for the whole family.

    With the m values sorted, p_(1) ≤ … ≤ p_(m), the adjusted p_(i) is
    holm: max over j ≤ i of (m - j + 1) p_(j) (Holm 1979, Scand. J. Statistics 6(2), 65-70); any dependence.
    hochberg: min over j ≥ i of (m - j + 1) p_(j) (Hochberg 1988, Biometrika 75(4), 800-802); independence or positive
    dependence. hommel: the closed Simes test (Hommel 1988, Biometrika 75(2), 383-386); same condition, never larger.
    These three hold the chance of any false finding. benjamini_hochberg: min over j ≥ i of m p_(j)/j (1995, JRSS B
    57(1), 289-300) holds the expected share of false findings: for exploring lists of items, not for verdicts.
    Capped at 1. The family is declared before the tests; a family chosen after looking protects from nothing.

    p: values from 0 to 1 in any order; a Series keeps its index and name. An empty family gives an empty answer.
    Errors: ValueError for a missing value (a test that was not made: leave it out and say so), one outside 0 to 1, or
    an unknown method.

    >>> adjust([0.01, 0.04, 0.03], "holm").round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    if method not in get_args(Method):
        raise ValueError(f"method={method!r} is not known; choose one of {', '.join(get_args(Method))}.")
    values = np.asarray(p, dtype=float)
    outside = np.flatnonzero(~((values >= 0) & (values <= 1)))
    if values.ndim != 1 or len(outside):
        raise ValueError(f"Each p lies from 0 to 1 and none is missing; look at positions {outside.tolist()[:10]}.")
    order = np.argsort(values, kind="stable")
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(_sorted(values[order], method), 1)
    return pd.Series(adjusted, index=p.index, name=p.name) if isinstance(p, pd.Series) else adjusted


def _sorted(values: NDArray[np.float64], method: Method) -> NDArray[np.float64]:
    m = len(values)
    rank = np.arange(1, m + 1)
    if method == "holm":
        return np.maximum.accumulate((m - rank + 1) * values)
    if method == "hochberg":
        return np.minimum.accumulate(((m - rank + 1) * values)[::-1])[::-1]
    if method == "benjamini_hochberg":
        return np.minimum.accumulate((m * values / rank)[::-1])[::-1]
    return _hommel(values)


def _hommel(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Wright's algorithm (1992, Biometrics 48(4), 1005-1013, appendix) on sorted values."""
    m = len(values)
    adjusted = values.copy()
    for size in range(m, 1, -1):
        split = m - size + 1
        upper = values[split:]
        least = float((size * upper / np.arange(2, size + 1)).min())
        adjusted[split:] = np.maximum(adjusted[split:], least)
        adjusted[:split] = np.maximum(adjusted[:split], np.minimum(least, size * values[:split]))
    return adjusted
