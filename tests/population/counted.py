"""Programmes made by hand of counts in places: small, exact, and different in one thing at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

import evalkit as ek
from evalkit.programme import Programme

MEASURE = "emergency_admissions_65_plus"
FIRST = "2021-04"
START = "2024-04-01"


def steady(places: int, months: int = 60, *, seed: int = 1, at: float = 80.0, lift: Sequence[float] = ()) -> np.ndarray:
    """Counts (places, months) about one level; `lift` multiplies each of the first places from month 36 on."""
    mean = np.full((places, months), float(at))
    for place, times in enumerate(lift):
        mean[place, 36:] *= times
    return np.random.default_rng(seed).poisson(mean)


def programme(
    folder: Path,
    counts: np.ndarray,
    *,
    mine: int,
    starts: Mapping[int, str] | None = None,
    plan: str = "",
    people: int = 10_000,
    span: int = 1,
    measure: str = MEASURE,
    events: Sequence[str] = (),
) -> Programme:
    """A loaded programme: the first `mine` places take part, the others are compared with."""
    ids = [f"P{place:02}" for place in range(1, len(counts) + 1)]
    began = [(starts or {}).get(place, START) if place < mine else "" for place in range(len(ids))]
    rows = [f"{one},{one},{'programme' if at < mine else 'comparison'},{began[at]}" for at, one in enumerate(ids)]
    months = pd.period_range(FIRST, periods=counts.shape[1] * span, freq="M")[::span]
    named = [f"{m}" if span == 1 else f"{m} to {m + span - 1}" for m in months]
    tables = {
        "places": ["place_id,name,arm,start", *rows],
        "outcomes": [
            "measure,place_id,period,count,denominator",
            *(f"{measure},{one},{month},{counts[at, when]},{people}"
              for at, one in enumerate(ids) for when, month in enumerate(named)),
        ],
    }  # fmt: skip
    if events:
        tables["events"] = ["event_id,place_id,starts_on,ends_on,kind,name", *events]
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in tables.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "programme.toml").write_text(
        f'schema = 1\nname = "Testmere"\nstarts_on = {START}\nas_of = 2026-03-31\nfictional = true\n{plan}\n',
        encoding="utf-8",
    )
    return ek.load(folder)


LAG = f"[plan.lag_months]\n{MEASURE} = 12\n"
"""Agreed early enough for a verdict: the measure's own lag is five years."""
