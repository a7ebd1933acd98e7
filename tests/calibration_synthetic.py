"""How often a synthetic control finds something where nothing happened: `lines` for a calibration.

19 places, log rates: a level of its own for each, an AR(1) of standard deviation 5 %, a course shared by all; one place
treated, nothing done to it. It comes out first of 19 with chance 1/19 = 5.3 % if ranks keep their promise. Which place
is treated: one drawn by lot, the highest before, the highest in the last 12 periods before (or half of them), or the
one that rose most. `ratio` ranks the gap after against that before, `gap` the mean gap alone. Last, how often the
interval at 90 % holds a constant difference of 10 % planted in a place drawn by lot. It is not given where the mix fits
to the last digit.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from evalkit.stats import placebos, simplex_weights

PLACES, NOISE, PLANTED = 19, 0.05, 0.1
CELLS = (  # rho, SD of levels, periods before and after
    (0.6, 0.15, 36, 24),
    (0.9, 0.15, 36, 24),
    (0.6, 0.03, 36, 24),
    (0.0, 0.15, 10, 10),
    (0.0, 0.05, 4, 4),
)
ALONE = np.eye(PLACES, dtype=bool)


def panel(rng: np.random.Generator, rho: float, levels: float, periods: int) -> np.ndarray:
    """Periods by places."""
    own = rng.normal(size=(periods, PLACES))
    own[1:] *= np.sqrt(1 - rho**2)
    for period in range(1, periods):
        own[period] += rho * own[period - 1]
    shared = rng.normal(0, 0.03, (periods, 1)).cumsum(axis=0)
    return NOISE * own + shared + rng.normal(0, levels, PLACES)


def gaps(values: np.ndarray, before: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gaps from the start on (N, T), fits before (N,), and the factors that made them, of each place in turn."""
    factors = simplex_weights.relabelled(values[:before], ALONE, ~ALONE)
    every = factors @ values.T
    return every[:, before:], np.sqrt((every[:, :before] ** 2).mean(axis=1)), factors


def chosen(past: np.ndarray) -> dict[str, int]:
    """Which place is treated, by what it was chosen for."""
    some = min(12, len(past) // 2)
    late, early = past[-some:].mean(axis=0), past[:some].mean(axis=0)
    return {
        "by lot": 0,
        "highest": int(past.mean(axis=0).argmax()),
        "highest of late": int(late.argmax()),
        "rose most": int((late - early).argmax()),
    }


def cell(rng: np.random.Generator, rho: float, levels: float, before: int, after: int, sets: int) -> Iterator[str]:
    """One row a way to choose."""
    first: dict[str, np.ndarray] = {}
    given = covered = 0
    for _ in range(sets):
        values = panel(rng, rho, levels, before + after)
        left, fit, _ = gaps(values, before)
        ratio, mean = np.sqrt((left**2).mean(axis=1)) / np.maximum(fit, 1e-12), np.abs(left.mean(axis=1))
        for what, place in chosen(values[:before]).items():
            counts = first.setdefault(what, np.zeros(2))
            counts += [ratio.argmax() == place, mean.argmax() == place]
        values[before:, 0] += PLANTED
        left, fit, factors = gaps(values, before)
        found = placebos.interval(*placebos.standing(left, fit, factors[:, 0]), PLACES, 0.9) if fit[0] > 1e-9 else None
        given += found is not None
        covered += found is not None and found[0] <= PLANTED <= found[1]
    yield f"rho {rho:g}, levels {100 * levels:g} %, {before} periods before and {after} after"
    for what, counts in first.items():
        yield f"  {what:16} ratio {100 * counts[0] / sets:5.1f} %   gap {100 * counts[1] / sets:5.1f} %"
    held = 100 * covered / given
    yield f"  interval at 90 %, given in {100 * given / sets:.0f} %, holds the difference planted {held:5.1f} %"


def lines(sets: int = 2_000, seed: int = 1) -> Iterator[str]:
    """What to print: nominally 5.3 % by lot, and at least 90 %."""
    rng = np.random.default_rng(seed)
    for settings in CELLS:
        yield from cell(rng, *settings, sets)


def main() -> None:
    """Simulate, and print."""
    asked = argparse.ArgumentParser(description="How often a synthetic control finds something where nothing happened.")
    asked.add_argument("--sets", type=int, default=2_000)
    for line in lines(asked.parse_args().sets):
        print(line, flush=True)


if __name__ == "__main__":
    main()
