"""How much each predictor should count when donors are mixed: searched, so that the mix follows past outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.stats import simplex_weights
from evalkit.stats.panel_of_units import Panel, named
from evalkit.stats.periods import Start, moments_of
from evalkit.stats.student import NO_SPREAD

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NO_GAIN = 1e-9
"""A descent that lowers the mean squared error by less than this share has stopped."""
DESCENTS = 20
"""Descents, each from where the last stopped: the error has kinks, and one descent can stall on one."""


@dataclass(frozen=True, slots=True)
class Predictor:
    """The mean of a column over periods before the start: from `first` to `last`, both counted, or all.

    Periods in which the column is blank for every unit do not count.
    """

    column: str
    first: Start | None = None
    last: Start | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A predictor's column as a matrix (N, T), blank where not measured, and the periods asked for (T,)."""

    name: str
    values: Floats
    window: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """Weights of donors (J,), importance of predictors (K,) that sum to one, and the mean squared error they leave."""

    weights: Floats
    importance: Floats
    error: float


def window(panel: Panel, first: Start | None, last: Start | None, called: str) -> Flags:
    """(T,): which periods lie between two moments, both counted; an open side is all."""
    inside = np.ones(len(panel.moments), dtype=bool)
    for moment, later in ((first, True), (last, False)):
        if moment is None:
            continue
        found, dated = moments_of(pd.Series([pd.Timestamp(moment) if isinstance(moment, str) else moment]))
        if dated != panel.calendar:
            raise ValueError(f"{called}: {moment!r} and the times must be of one kind, both dates or both numbers.")
        inside &= panel.moments >= found[0] if later else panel.moments <= found[0]
    if not inside.any():
        raise ValueError(f"{called}: no period lies between {first} and {last}.")
    return inside


def read(
    frame: pd.DataFrame, panel: Panel, unit: str, time: str, predictors: Sequence[str | Predictor], before: Flags
) -> list[Measured]:
    """The columns of predictors, arranged as the panel is. Refuses windows that reach past the start."""
    if isinstance(predictors, str) or not predictors:
        raise ValueError("predictors is a list of columns, or of Predictor(column, first, last); or leave it out.")
    rows = pd.Index(panel.units).get_indexer(pd.Index(frame[unit]))
    columns = np.searchsorted(panel.moments, moments_of(frame[time])[0])
    found = []
    for each in predictors:
        asked = Predictor(each) if isinstance(each, str) else each
        if asked.column not in frame.columns:
            raise ValueError(f"No predictor {asked.column!r}; the frame has {', '.join(map(str, frame))}.")
        column = frame[asked.column]
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            raise ValueError(f"The predictor {asked.column!r} must hold numbers, not {column.dtype}.")
        inside = window(panel, asked.first, asked.last, f"The predictor {asked.column!r}")
        if asked.last is not None and (inside & ~before).any():
            raise ValueError(f"The predictor {asked.column!r} reaches past the start, to {asked.last}. End it before.")
        values = np.full(panel.values.shape, np.nan)
        values[rows, columns] = column.to_numpy(dtype=np.float64, na_value=np.nan)
        found.append(Measured(asked.column, values, inside))
    return found


def means(measured: Sequence[Measured], before: Flags, units: Sequence[object]) -> Floats:
    """(K, N): each predictor's mean over its periods before the start, divided by its SD across units.

    Refuses a predictor measured never, in other periods for some units than for others, or alike in every unit.
    """
    standard = np.empty((len(measured), len(units)))
    for row, each in enumerate(measured):
        values = each.values[:, each.window & before]
        seen = ~np.isnan(values)
        if not seen.any():
            raise ValueError(f"The predictor {each.name!r} is blank in all its periods before the start.")
        apart = (seen != seen.any(axis=0)).any(axis=1)
        if apart.any():
            lacking = [str(units[int(place)]) for place in np.flatnonzero(apart)]
            raise ValueError(
                f"The predictor {each.name!r} is blank for {named(lacking)} where it is filled in for others. Nothing "
                "is filled in here: shorten its periods, or leave the predictor or those units out."
            )
        mean = values[:, seen[0]].mean(axis=1)
        if not np.isfinite(mean).all():
            raise ValueError(f"The predictor {each.name!r} holds infinite numbers.")
        spread = float(mean.std(ddof=1))
        if spread <= NO_SPREAD * float(np.abs(mean).max()):
            raise ValueError(f"The predictor {each.name!r} is the same in every unit, so it tells no donors apart.")
        standard[row] = mean / spread
    return standard


def search(donors: Floats, target: Floats, past_donors: Floats, past: Floats) -> Searched:
    """The importance v of K predictors whose nearest mix of J donors follows past outcomes best.

    Two problems, one in the other: w(v) = argmin Σ_k v_k (x_k − X_k w)² over w ≥ 0, Σ w = 1 (`simplex_weights.fit`);
    v = argmin ‖z − Z w(v)‖² / T over v ≥ 0, Σ v = 1. With v_k = x_k² / Σ x², by L-BFGS from equal importance, begun
    anew from where it stopped until nothing is gained. The gradient is exact: with S the donors that count,
    H = X_S' V X_S and a solving H a + μ 1 = ∂error/∂w_S, 1'a = 0, it is ∂error/∂v_k = (X_S a)_k (x − X_S w_S)_k.

    The outer problem has many local minima; this is the one that is reached from equal importance, as published
    analyses mostly report. Its true minimum tends to one predictor that counts for everything (Kuosmanen et al. 2021),
    and with past outcomes among the predictors approaches the mix of those alone: `synthetic` gives that beside it.

    donors (K, J) and target (K,): predictors divided by their SD; past_donors (T, J) and past (T,): outcomes.
    Source: Abadie & Gardeazabal (2003), Am. Econ. Rev. 93(1), appendix B; Abadie, Diamond & Hainmueller (2011),
    J. Stat. Softw. 42(13); Kuosmanen, Zhou, Eskelinen & Malo (2021), MPRA paper 106390.

    >>> predictors, past = np.array([[1.0, 3.0], [5.0, 1.0]]), np.array([[1.0, 3.0]])
    >>> found = search(predictors, np.array([2.0, 2.0]), past, np.array([1.5]))
    >>> found.weights.round(3).tolist(), found.importance.round(3).tolist()
    ([0.5, 0.5], [1.0, 0.0])
    """
    from scipy.optimize import minimize

    at = np.full(len(target), len(target) ** -0.5)
    best, _ = _error(at, donors, target, past_donors, past)
    scale = best if best > 0 else 1.0

    def scaled(x: Floats) -> tuple[float, Floats]:
        error, slope = _error(x, donors, target, past_donors, past)
        return error / scale, slope / scale

    for _ in range(DESCENTS if len(target) > 1 and best > 0 else 0):
        stopped = minimize(scaled, at, jac=True, method="L-BFGS-B", options={"ftol": 1e-12, "gtol": 1e-10})
        error = float(stopped.fun) * scale
        if error >= best * (1 - NO_GAIN):
            break
        at, best = stopped.x, error
    importance = at**2 / (at @ at)
    weights = _mix(importance, donors, target)
    return Searched(weights, importance, float(((past - past_donors @ weights) ** 2).mean()))


def _mix(importance: Floats, donors: Floats, target: Floats) -> Floats:
    root = np.sqrt(importance)
    return simplex_weights.nearest(root[:, None] * (donors - target[:, None]))


def _error(x: Floats, donors: Floats, target: Floats, past_donors: Floats, past: Floats) -> tuple[float, Floats]:
    """The mean squared error over past outcomes and its slope in x."""
    size = float(x @ x)
    v = x**2 / size
    weights = _mix(v, donors, target)
    used = np.flatnonzero(weights)
    here, counts = donors[:, used], len(used)
    left = past - past_donors[:, used] @ weights[used]
    bordered = np.zeros((counts + 1, counts + 1))
    bordered[:counts, :counts] = (here.T * v) @ here
    bordered[counts, :counts] = bordered[:counts, counts] = 1.0
    wanted = np.append(-2 / len(past) * (past_donors[:, used].T @ left), 0.0)
    try:
        moved = np.linalg.solve(bordered, wanted)[:counts]
    except np.linalg.LinAlgError:  # two donors alike in all predictors: any split of their weight is as near
        moved = np.linalg.lstsq(bordered, wanted, rcond=None)[0][:counts]
    slope = (here @ moved) * (target - here @ weights[used])
    return float((left**2).mean()), np.asarray(2 * x * (slope - v @ slope) / size)
