"""One change read from a fitted line, with its interval: a difference, or a ratio where the line is on the log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from evalkit.stats.periods import Floats, Points
from evalkit.stats.segments import Line, Model


@dataclass(frozen=True, slots=True)
class Change:
    """One change with its interval: a difference in the outcome's units, or a ratio. `se` is on the log for a ratio."""

    estimate: float
    low: float
    high: float
    scale: Literal["difference", "ratio"]
    confidence: float
    se: float
    df: float
    p: float

    def interval(self, confidence: float) -> tuple[float, float]:
        """The same interval at another confidence, such as .97 for a verdict."""
        centre = np.log(self.estimate) if self.scale == "ratio" else self.estimate
        half = reach(confidence, self.df) * self.se
        low, high = unlogged(np.array([centre - half, centre + half]), self.scale)
        return float(low), float(high)


def change(line: Line, points: Points, model: Model, term: str, confidence: float) -> Change:
    """What the line says of one of its terms."""
    which = list(model.columns(points)).index(term)
    se, df = (float(each[0]) for each in line.error(np.eye(len(line.beta))[[which]]))
    found = float(line.beta[which])
    p = float(p_value(found / se, df))
    if points.family == "normal":
        read = Change(found, np.nan, np.nan, "difference", confidence, se, df, p)
    else:
        read = Change(float(np.exp(found)), np.nan, np.nan, "ratio", confidence, se, df, p)
    low, high = read.interval(confidence)
    return replace(read, low=low, high=high)


def unlogged(values: Floats, scale: str) -> Floats:
    """Back from the log for a ratio; an end beyond the largest number is infinite, which is what it means."""
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(values)) if scale == "ratio" else values


def reach(confidence: float, df: Any) -> Any:
    """How many standard errors an interval reaches either way."""
    from scipy.special import stdtrit

    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, such as 0.95, not {confidence}.")
    return stdtrit(df, 0.5 + confidence / 2)


def p_value(ratio: Any, df: Any) -> Any:
    """Two-sided, of a change over its standard error."""
    from scipy.special import stdtr

    return 2 * stdtr(df, -np.abs(ratio))
