"""An interrupted series again under other choices: what the answer rests on, and what it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd

from evalkit.stats.level_change import change
from evalkit.stats.periods import Family, Points, name
from evalkit.stats.segments import ON_LOGS, Errors, Model, fitted

PLACEBO_AT = (0.25, 0.5, 0.75)
"""How far into the time before the start the placebo starts lie, so that each side keeps a quarter of it."""
TRENDS: tuple[str | int, ...] = ("none", "linear", "quadratic", 2, 3, 4)
"""Forms of the trend, a number the df of a natural spline: with 1 to 4 a published change in Sicily stayed, one in
Tuscany vanished once the trend might bend."""
ERRORS: dict[Errors, str] = {
    "ar1_noise": "alike, with noise",
    "ar1": "alike, without noise (interval too narrow)",
    "model": "independent (interval too narrow)",
}
"""How neighbouring periods hang together, in words."""

Variation = tuple[str, str, bool, Points, Model]


def sensitivity(
    everything: Points, model: Model, shocks: dict[str, tuple[float, ...]], confidence: float
) -> pd.DataFrame:
    """A row a choice: variation, setting, chosen, estimate, low, high, p, and not_fitted, why the numbers are blank."""
    rows = []
    for variation, setting, chosen, points, tried in variations(everything, model, shocks):
        try:
            kept = points.only(~tried.left_out(points))
            found, why = change(fitted(kept, tried), kept, tried, "level", confidence), ""
            numbers = [found.estimate, found.low, found.high, found.p]
        except ValueError as refusal:
            numbers, why = [np.nan] * 4, str(refusal)
        rows.append([variation, setting, chosen, *numbers, why])
    names = ["variation", "setting", "chosen", "estimate", "low", "high", "p", "not_fitted"]
    return pd.DataFrame(rows, columns=names)


def variations(points: Points, model: Model, shocks: dict[str, tuple[float, ...]]) -> Iterator[Variation]:
    """Every choice but the placebo starts on the whole series; the chosen one comes in each kind of choice."""
    for trend in TRENDS:
        label = trend if isinstance(trend, str) else f"spline, {trend} df"
        yield "trend", label, trend == model.trend, points, replace(model, trend=trend)
    for season in (None, "harmonic", "monthly") if points.months is not None else (None,):
        yield "season", season or "none", season == model.seasonal, points, replace(model, seasonal=season)
    yield from _errors(points, model)
    if model.transition:
        for label, transition, ramp in (
            ("left out", model.transition, False),
            ("ramp", model.transition, True),
            ("none", 0, False),
        ):
            yield (
                "transition",
                label,
                label == ("ramp" if model.ramp else "left out"),
                points,
                replace(model, transition=transition, ramp=ramp),
            )
    if shocks:
        away = np.isin(points.positions, [each for positions in shocks.values() for each in positions])
        yield "shock periods", "left out", False, points.only(~away), model
        yield "shock periods", "a level of their own", False, points, replace(model, shocks=tuple(shocks.items()))
    yield from _placebo(points, model)


def _errors(points: Points, model: Model) -> Iterator[Variation]:
    """Other errors where the choice is on log rates, and other families where it is not."""
    if model.errors in ON_LOGS:
        for errors, label in ERRORS.items():
            family: Family = "normal" if points.family == "normal" else "quasipoisson"
            tried = replace(points, family=family) if errors == "model" else points
            yield "neighbouring periods", label, errors == model.errors, tried, replace(model, errors=errors)
    elif points.family != "normal" and model.errors == "model":
        for family in get_args(Family)[1:]:
            chosen = family == points.family
            yield "family", family.replace("_", " "), chosen, replace(points, family=family), model


def _placebo(points: Points, model: Model) -> Iterator[Variation]:
    """Starts at which nothing began, in the periods before the first."""
    before = points.only(points.positions < model.start)
    for share in PLACEBO_AT:
        begins = int(share * len(before.positions))
        if begins > 0:
            placebo = replace(model, start=float(before.positions[begins]), later=())
            yield "placebo start", name(before.labels.iloc[begins]), False, before, placebo
