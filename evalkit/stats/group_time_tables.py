"""Rows of `group_time` as tables: intervals, bands that hold for all rows at once, and what each row is of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit.stats.group_time_cells import Cells, Cohorts
from evalkit.stats.group_time_summaries import OVERALL, Judged
from evalkit.stats.periods import Floats

ERRORS = ("se", "se_drawn", "df", "low", "high", "band_low", "band_high")


def drawn(parts: list[Floats], draws: int, seed: int) -> list[Floats]:
    """The multiplier bootstrap: Σ over contributors of V_i · part_i, V standard normal, the same V for every table.

    Gives (draws, A) each. Single precision: a draw is wrong by a ten-millionth of itself.
    """
    together = np.concatenate(parts, axis=1).astype(np.float32)
    v = np.random.default_rng(seed).standard_normal((draws, len(together)), dtype=np.float32)
    sums = v @ together
    return np.split(sums, np.cumsum([part.shape[1] for part in parts])[:-1], axis=1)


def table(judged: Judged, sums: Floats, confidence: float) -> pd.DataFrame:
    """estimate, se, se_drawn, df, low, high, and the band that holds all rows at once; blank where `note` says why."""
    known = judged.known
    columns = {"estimate": judged.estimate} | {name: np.full(len(known), np.nan) for name in ERRORS}
    if known.any():
        kept = sums if known.all() else sums[:, known]
        drawn = np.sqrt(np.einsum("da,da->a", kept, kept) / len(kept)).astype(np.float64)
        largest = np.abs(kept * (1 / np.where(drawn > 0, drawn, 1)).astype(np.float32)).max(axis=1)
        se, df, middle = judged.se[known], judged.df[known], judged.estimate[known]
        own, shared = _widths(df, float(np.quantile(largest, confidence)), confidence)
        found = (se, drawn, df, middle - own * se, middle + own * se, middle - shared * se, middle + shared * se)
        for name, value in zip(ERRORS, found, strict=True):
            columns[name][known] = value
    return pd.DataFrame(columns | {"note": judged.note})


def _widths(df: Floats, largest: float, confidence: float) -> tuple[Floats, Floats]:
    """Half-widths in standard errors: of each row alone, and of all together.

    The draws are normal; their critical value goes to each row's t at the same tail, and never inside the row's own.
    """
    from scipy.special import ndtr, ndtri, stdtrit

    tail = (1 - confidence) / 2
    finite = np.isfinite(df)
    safe = np.where(finite, df, 1.0)
    tails = tail, min(float(ndtr(-largest)), tail)
    own, shared = (np.asarray(np.where(finite, -stdtrit(safe, each), -ndtri(each))) for each in tails)
    return own, shared


def named(found: Cohorts, made: Cells, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables with what each row is of first, how many treated units it rests on last, and one of the cohorts."""
    labels, own = found.panel.labels, found.sizes[made.cohort]
    named = {"att": tables["att"].copy()}
    named["att"].insert(0, "first_treated", [found.labels[cohort] for cohort in made.cohort])
    named["att"].insert(1, "time", [labels[column] for column in made.column])
    named["att"].insert(2, "since", made.since)
    named["att"] = named["att"].assign(n=own, n_comparison=made.n_comparison)
    late = made.after
    for name, key, values, chosen in (
        ("dynamic", "since", made.since, np.ones_like(late)),
        ("calendar", "time", made.column, late),
    ):
        which, place = np.unique(values[chosen], return_inverse=True)
        of: list[Any] = which.tolist() if name == "dynamic" else [labels[column] for column in which]
        named[name] = tables[name].assign(n=np.bincount(place, weights=own[chosen]).astype(np.int64))
        named[name].insert(0, key, of)
    groups = np.unique(made.cohort[late])
    named["group"] = tables["group"].assign(n=found.sizes[groups])
    named["group"].insert(0, "first_treated", [found.labels[group] for group in groups])
    named["overall"] = tables["overall"].assign(n=int(found.sizes[groups].sum()))
    named["overall"].insert(0, "average", list(OVERALL))
    units = np.array(found.panel.units, dtype=object)
    members = [tuple(units[found.code == code]) for code in range(len(found.sizes))]
    named["cohorts"] = pd.DataFrame({"first_treated": [*found.labels, None], "n": found.sizes, "units": members})
    return named
