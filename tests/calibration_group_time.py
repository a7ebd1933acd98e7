"""How often `difference`, `group_time` and `honest.bounds` are wrong, counted on made-up places: `lines`.

difference: one change a unit, nothing going on, 2 to 12 treated, scatter of treated units half, as much or twice.
group_time: 19 units, 60 months, AR(1) .6 and a trend of each unit's own, nothing going on; base all months before.
honest: a drift of .3 before the start and M times as much after it, no effect: the interval must hold nought.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from evalkit.stats import honest
from evalkit.stats.difference import difference
from evalkit.stats.group_time import group_time

MONTHS, RHO, TREND = 60, 0.6, 0.02
STARTS = (30, 36, 42)
SPREADS = {"half": 0.5, "as much": 1.0, "twice": 2.0}
ARMS = ((2, 10), (3, 16), (4, 7), (12, 7))
COHORTS = ((4, 4, 4, 7), (12, 7), (2, 2, 2, 13), (3, 16))
NOMINAL = 0.05


def changes(treated: int, others: int, spread: float, sets: int, rng: np.random.Generator) -> float:
    """The share of nulls that `difference` calls a difference, in per cent."""
    n = treated + others
    frame = pd.DataFrame({"unit": np.repeat(np.arange(n), 2), "time": np.tile([0, 1], n), "y": 0.0})
    wrong = 0
    for _ in range(sets):
        change = rng.normal(size=n) * np.where(np.arange(n) < treated, spread, 1.0)
        told = frame.assign(y=np.column_stack([np.zeros(n), change]).ravel())
        p = difference(told, outcome="y", unit="unit", time="time", treated=range(treated), start=1).p
        wrong += p is not None and p < NOMINAL
    return 100 * wrong / sets


def paths(starts: np.ndarray, spread: float, rng: np.random.Generator) -> np.ndarray:
    """Noise that hangs together from month to month, and a trend of each unit's own."""
    noise = rng.normal(size=(len(starts), MONTHS))
    noise[:, 0] /= math.sqrt(1 - RHO**2)
    for month in range(1, MONTHS):
        noise[:, month] += RHO * noise[:, month - 1]
    noise += rng.normal(0, TREND, len(starts))[:, None] * np.arange(MONTHS)
    return noise * np.where(np.isfinite(starts), spread, 1.0)[:, None]


def staggered(sizes: tuple[int, ...], spread: float, sets: int, rng: np.random.Generator) -> dict[str, float]:
    """Shares of nulls called a difference, in per cent, by each part and where both are required."""
    starts = np.concatenate([np.full(n, s) for n, s in zip(sizes[:-1], STARTS, strict=False)])
    starts = np.concatenate([starts, np.full(sizes[-1], np.inf)])
    units = len(starts)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(units), MONTHS), "month": np.tile(np.arange(MONTHS), units)})
    frame["began"] = np.repeat(np.where(np.isfinite(starts), starts, np.nan), MONTHS)
    wrong = dict.fromkeys(("large sample", "few units", "relabelled", "both"), 0)
    for again in range(sets):
        told = frame.assign(y=paths(starts, spread, rng).ravel())
        settings = {"outcome": "y", "unit": "unit", "time": "month", "first_treated": "began", "draws": 1}
        few = group_time(told, allocations=399, seed=again, **settings)
        large = group_time(told, allocations=1, seed=again, errors="large_sample", **settings)
        clear = few.p < NOMINAL
        wrong["large sample"] += large.p < NOMINAL
        wrong["few units"] += clear
        wrong["relabelled"] += few.p_relabelled <= NOMINAL
        wrong["both"] += clear and few.p_relabelled <= NOMINAL
    return {name: 100 * count / sets for name, count in wrong.items()}


def drifting(m: float, sets: int, rng: np.random.Generator) -> float:
    """The share of intervals that hold the truth where the drift is as large as M allows, in per cent."""
    drawn = rng.normal([-0.3, 0.3 * m], 0.2, size=(sets, 2))
    held = 0
    for pair in drawn:
        row = honest.bounds(pair, np.eye(2) * 0.04, 1, m=[m]).table.iloc[0]
        held += row["low"] <= 0 <= row["high"]
    return 100 * held / sets


def lines(sets: int = 1_000, seed: int = 1) -> Iterator[str]:
    """What was counted, a line each; nulls at a nominal 5 %."""
    rng = np.random.default_rng(seed)
    for treated, others in ARMS:
        for name, spread in SPREADS.items():
            share = changes(treated, others, spread, sets, rng)
            yield f"difference, {treated} treated of {treated + others}, scatter {name}: {share:.1f} % (at most 6.5)"
    for sizes in COHORTS:
        for name, spread in SPREADS.items():
            found = ", ".join(f"{how} {share:.1f}" for how, share in staggered(sizes, spread, sets, rng).items())
            yield f"group_time, cohorts {sizes[:-1]} beside {sizes[-1]}, scatter {name}: {found} (both at most 6.5)"
    for m in (0.0, 1.0, 2.0):
        yield f"honest.bounds, drift at M = {m:g}: held in {drifting(m, sets, rng):.1f} % (at least 93)"


def main() -> None:
    """Print."""
    for line in lines():
        print(line, flush=True)


if __name__ == "__main__":
    main()
