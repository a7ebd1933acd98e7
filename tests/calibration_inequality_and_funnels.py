"""How often the limits of slope indices and of funnels keep their promise, counted on made-up places."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from evalkit.stats.funnels import funnel
from evalkit.stats.slope_index import slope_index

SETS = 400
SHAPES = {
    "even fifths, rates fall by half": ([3000] * 5, -0.7),
    "even fifths, rates double": ([3000] * 5, 0.7),
    "most people most deprived, rates fall by half": ([6000, 4500, 3000, 2000, 1000], -0.7),
    "most people most deprived, rates double": ([6000, 4500, 3000, 2000, 1000], 0.7),
}


def covered(people: list[int], slope: float, level: float, random: np.random.Generator) -> dict[str, float]:
    """The share of 95 % intervals that hold the true slope index: drawn, with the level held, and by formula."""
    sizes = np.array(people)
    share = sizes / sizes.sum()
    rank = np.cumsum(share) - share / 2
    rates = level * np.exp(slope * (rank - 0.5))
    true = level * (math.exp(slope / 2) - math.exp(-slope / 2))
    held = {"drawn": 0, "held": 0, "formula": 0}
    counts = np.maximum(random.poisson(rates * sizes, (SETS, 5)), 1)
    for seen in counts:
        asked = {"kind": "rate", "se": 1 / np.sqrt(seen), "draws": 1_000}
        for how in ("drawn", "held"):
            found = slope_index(seen / sizes, sizes, level=how, **asked)
            held[how] += found.low <= true <= found.high
        held["formula"] += found.formula[0] <= true <= found.formula[1]
    return {how: times / SETS for how, times in held.items()}


def flagged(places: int, spread: float, how: str, random: np.random.Generator) -> float:
    """The share of places called different where their rates vary about the average by `spread` of it."""
    called = 0
    for _ in range(SETS):
        people = random.integers(5_000, 60_000, places)
        rates = 0.005 * np.exp(random.normal(-(spread**2) / 2, spread, places))
        called += funnel(random.poisson(rates * people), people, overdispersion=how).outside_95
    return called / (places * SETS)


def lines() -> Iterator[str]:
    """What was counted, a line each."""
    random = np.random.default_rng(20260401)
    for level, word in ((0.05, "150 events a fifth"), (0.01, "30 events a fifth")):
        for name, (people, slope) in SHAPES.items():
            found = covered(people, slope, level, random)
            said = ", ".join(f"{how} {100 * share:.1f}" for how, share in found.items())
            yield f"Slope index, {name}, about {word}: 95 % intervals hold in {said} of 100"
    for spread in (0.0, 0.1, 0.2):
        for places in (8, 19, 60):
            said = ", ".join(
                f"{how} {100 * flagged(places, spread, how, random):.1f}"
                for how in ("none", "multiplicative", "additive")
            )
            yield f"Funnel, {places} places whose rates vary by {100 * spread:.0f} %: outside 95 %, of 100: {said}"


if __name__ == "__main__":
    print(*lines(), sep="\n")
