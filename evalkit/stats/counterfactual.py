"""Where a series would have gone had its line before the start continued, and how many events more or fewer that makes.

A line that continues is an assumption, not a forecast: it is as good as the sensitivity table says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.stats.level_change import reach, unlogged
from evalkit.stats.periods import Floats, Points
from evalkit.stats.segments import Line, Model, fitted_counts


@dataclass(frozen=True, slots=True, eq=False)
class Cumulative:
    """What was observed after the start less what the line before it leads one to expect, over all periods after.

    `estimate`, `low` and `high` are in events (or, for other outcomes, in its units added up over the periods); minus
    is fewer. That interval holds both sources of doubt: the line, and how the periods scatter about it. `line_low` and
    `line_high` hold the line's doubt alone: what was observed is taken as it is. `observed` and `expected` are the two
    sums, `n` the periods added up. `periods` is the same a row a period: time, observed, expected, difference, low,
    high, and the running total with total_low and total_high, both sources in all of them.
    """

    estimate: float
    low: float
    high: float
    line_low: float
    line_high: float
    observed: float
    expected: float
    n: int
    confidence: float
    periods: pd.DataFrame


def path(everything: Points, kept: Points, line: Line, model: Model, confidence: float) -> pd.DataFrame:
    """The series, the fitted line, and where the line before the start leads: a row a period, also those in transition.

    All in the outcome's own units: rates, count / denominator, where there is an offset.
    """
    scale = "difference" if everything.family == "normal" else "ratio"
    rows = np.column_stack(list(model.columns(everything).values()))
    without = np.column_stack(list(model.unchanged(everything).values()))
    se, df = line.error(without)
    half = reach(confidence, df) * se
    centre = without @ line.beta
    lines = {"fitted": rows @ line.beta, "counterfactual": centre}
    lines |= {"counterfactual_low": centre - half, "counterfactual_high": centre + half}
    shown = pd.DataFrame({"time": everything.labels, "observed": everything.outcome / everything.exposure})
    for name, values in lines.items():
        shown[name] = _own_units(unlogged(values, scale), everything)
    if len(kept.positions) < len(everything.positions):
        shown["in_fit"] = ~model.left_out(everything)
        shown.loc[~shown["in_fit"], "fitted"] = np.nan
    return shown


def _own_units(values: Floats, points: Points) -> Floats:
    if points.reference is None:
        return values
    return points.reference + values if points.family == "normal" else points.reference * values


def cumulative(points: Points, line: Line, model: Model, confidence: float) -> Cumulative:
    """Observed less expected, one period at a time and added up, over the fitted periods from the start on.

    For counts expected_t = c · base_t · exp(x_t'β) with the change left out of x. c is 1 for count models; on log rates
    it is Σ observed / Σ exp(fitted log) over all fitted periods, as the mean of a log is below the log of a mean. With
    O and E the two sums over a set of periods, the log of O / E has variance

        d'Cd + w'(Ω − XΦX')w,   d = X'w − X₀'w₀,   w = fitted / Σ fitted,   w₀ = expected / Σ expected,

    C the covariance of β, Ω of the periods about the line, Φ = (X'Ω⁻¹X)⁻¹; its df are those of d'β. The interval is
    O (1 − 1/r) with r the ends for O / E, so that it leaves out 0 when that of the ratio leaves out 1. For other
    outcomes w = w₀ = 1 and O − E has the same variance, in its own units. The line alone: d = −X₀'w₀ and no Ω.
    """
    t = points.positions
    after = t >= model.start
    chosen = np.eye(len(t))[after]
    sums = _Sums(points, line, model, confidence)
    single, running = sums.of(chosen), sums.of(np.cumsum(chosen, axis=0))
    total = {name: float(values[-1]) for name, values in running.items()}
    frame = pd.DataFrame({"time": points.labels[after].reset_index(drop=True)})
    for name in ("observed", "expected", "difference", "low", "high"):
        frame[name] = single[name]
    frame["total"], frame["total_low"], frame["total_high"] = running["difference"], running["low"], running["high"]
    return Cumulative(
        estimate=total["difference"],
        low=total["low"],
        high=total["high"],
        line_low=total["line_low"],
        line_high=total["line_high"],
        observed=total["observed"],
        expected=total["expected"],
        n=int(after.sum()),
        confidence=confidence,
        periods=frame,
    )


class _Sums:
    """Sums over sets of periods of what was observed, fitted and expected, and how sure they are."""

    def __init__(self, points: Points, line: Line, model: Model, confidence: float) -> None:
        self.line, self.confidence = line, confidence
        self.X = np.column_stack(list(model.columns(points).values()))
        self.without = np.column_stack(list(model.unchanged(points).values()))
        self.counts = points.family != "normal"
        self.outcome = points.outcome
        if self.counts:
            self.fitted = fitted_counts(points, line, model)
            self.expected = fitted_counts(points, line, model, changed=False)
        else:
            self.fitted, self.expected = points.base + self.X @ line.beta, points.base + self.without @ line.beta

    def of(self, chosen: NDArray[np.float64]) -> dict[str, Floats]:
        """For each row of `chosen` (k, n), 1 for the periods added up: the sums and the ends of their intervals."""
        observed, expected = chosen @ self.outcome, chosen @ self.expected
        weight, weight_without = chosen, chosen
        if self.counts:
            weight = chosen * self.fitted / (chosen @ self.fitted)[:, None]
            weight_without = chosen * self.expected / expected[:, None]
        both = self._half(weight @ self.X - weight_without @ self.without, weight)
        line = self._half(weight_without @ self.without, None)
        if not self.counts:
            ends = {"low": observed - expected - both, "high": observed - expected + both}
            ends |= {"line_low": observed - expected - line, "line_high": observed - expected + line}
        else:
            with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
                ends = {"low": observed - expected * np.exp(both), "high": observed - expected * np.exp(-both)}
                ends |= {"line_low": observed - expected * np.exp(line)}
                ends |= {"line_high": observed - expected * np.exp(-line)}
        return {"observed": observed, "expected": expected, "difference": observed - expected} | ends

    def _half(self, contrasts: Floats, weight: Floats | None) -> Floats:
        """How far the interval reaches on the line's scale: its doubt, and that of the periods where weighted."""
        se, df = self.line.error(contrasts)
        variance = se**2
        if weight is not None:
            seen = weight @ self.X
            scatter = np.einsum("kn,nm,km->k", weight, self.line.scatter, weight)
            scatter -= np.einsum("ki,ij,kj->k", seen, self.line.plug_in, seen)
            variance = variance + np.maximum(scatter, 0)
        return np.asarray(reach(self.confidence, df) * np.sqrt(variance))
