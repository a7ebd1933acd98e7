"""How often is an interrupted series wrong? Simulated months through `series.interrupted`, counted.

    python -m tests.calibration_series [--runs 1000] [--seed 1]

Counts are Poisson about trend · season · a latent AR(1); dispersion is the variance of a count over its mean. 36 months
before, 24 after; trend, two sine waves and a level are fitted. A row a design:

errors: intervals of the ratio that leave out the true one (5 of 100). events: intervals of `.cumulative` that leave out
the true difference in events (5), and those that hold the line's doubt alone. Checks: how often each speaks up although
nothing is wrong (1). Limits: errors and events at most 6.5 for `ar1_noise`; the other errors are bound to nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evalkit.stats import designs, series

MOST = 6.5
BEFORE, MONTHS = 36, pd.date_range("2018-04-01", periods=60, freq="MS")
CHECKS = ("likeness of neighbours", "most unusual period", "season left over", "shape")


@dataclass(frozen=True)
class Cell:
    """What is simulated, and how it is fitted."""

    mean: float
    rho: float
    dispersion: float
    ratio: float
    errors: str = "ar1_noise"
    family: str = "quasipoisson"


CELLS = [
    *(Cell(mean, 0.6, 2, ratio) for mean in (300, 20) for ratio in (1.0, 0.8)),
    Cell(300, 0.0, 1, 1.0),
    Cell(300, 0.9, 2, 0.8),
    Cell(300, 0.9, 3, 1.0, "ar1"),
    *(
        Cell(mean, 0.0, 2, 1.0, "model", family)
        for mean in (300, 20)
        for family in ("negative_binomial", "quasipoisson")
    ),
]


def lines(runs: int = 1000, seed: int = 1) -> Iterator[str]:
    """A line a design, and one that says whether a limit is broken."""
    told = pd.DataFrame([counted(cell, runs, seed) for cell in CELLS])
    yield from told.to_string(index=False).splitlines()
    bound = told[told["errors by"] == "ar1_noise"]
    most = bound[["errors", "events"]].to_numpy().max()
    yield f"Most wrong with ar1_noise: {most:.1f} of 100 ({'within' if most <= MOST else 'ABOVE'} {MOST})"


def counted(cell: Cell, runs: int, seed: int) -> dict[str, Any]:
    """Shares of 100 over the simulated series of one design."""
    rng, t = np.random.default_rng(seed), np.arange(len(MONTHS))
    mean = cell.mean * np.exp(0.001 * t + 0.08 * np.sin(2 * np.pi * t / 12))
    sd = float(designs.latent_sd(cell.dispersion, cell.mean))
    latent = sd * designs.wandering(rng, (runs, len(t)), cell.rho) - sd**2 / 2
    counts = rng.poisson(mean * np.where(t >= BEFORE, cell.ratio, 1.0) * np.exp(latent))
    counts = counts[(counts > 0).all(axis=1)]
    truth = (cell.ratio - 1) * mean[t >= BEFORE].sum()
    found = pd.DataFrame([_one(row, cell, truth) for row in counts])
    design = {"mean": cell.mean, "rho": cell.rho, "dispersion": cell.dispersion, "ratio": cell.ratio}
    design |= {"errors by": cell.errors, "family": cell.family, "runs": len(counts)}
    return design | (100 * found.mean()).round(1).to_dict()


def _one(counts: np.ndarray, cell: Cell, truth: float) -> dict[str, float]:
    found = series.interrupted(
        pd.DataFrame({"month": MONTHS, "count": counts}), outcome="count", time="month", start=MONTHS[BEFORE],
        family=cell.family, seasonal="harmonic", errors=cell.errors,
    )  # fmt: skip
    total, checks = found.cumulative, found.checks.set_index("check")["ok"]
    wrong = {
        "errors": not found.low <= cell.ratio <= found.high,
        "events": not total.low <= truth <= total.high,
        "line alone": not total.line_low <= truth <= total.line_high,
    }
    return {name: float(is_wrong) for name, is_wrong in wrong.items()} | {
        name: float(not checks[name]) for name in CHECKS if name in checks
    }


def main() -> None:
    """Print the lines."""
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--runs", type=int, default=1000)
    told.add_argument("--seed", type=int, default=1)
    asked = told.parse_args()
    for line in lines(asked.runs, asked.seed):
        print(line)


if __name__ == "__main__":
    main()
