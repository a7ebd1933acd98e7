"""How long 12,600 directly standardised rates of 19 bands take, and beside them one at a time: `lines` to print."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

from evalkit.stats import rates
from evalkit.stats.life_expectancy import life_expectancy
from evalkit.stats.standard_population import weights

RATES, BANDS, FEW = 12_600, ["0-4", *(f"{age}-{age + 4}" for age in range(5, 90, 5)), "90+"], 300
"""42 places, five fifths of deprivation, 60 months; and how many are done one at a time."""


def least(do: Callable[[], object], rounds: int) -> float:
    """The least seconds of several rounds."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        do()
        took.append(time.perf_counter() - began)
    return min(took)


def lines(rounds: int = 5) -> Iterator[str]:
    """Seconds and ratios, a line each."""
    rng = np.random.default_rng(1)
    people = rng.integers(200, 3_000, (RATES, len(BANDS))).astype(float)
    events = rng.poisson(people * 0.01).astype(float)
    standard = weights("ESP2013", BANDS)
    rates.direct_many(events[:10], people[:10], standard)
    many = least(lambda: rates.direct_many(events, people, standard), rounds)
    again = least(lambda: rates.direct_many(events, people, standard, squares=1.5 * events), rounds)
    pairs = list(zip(events[:FEW], people[:FEW], strict=True))
    singly = least(lambda: [rates.direct(*pair, standard) for pair in pairs], rounds) * RATES / FEW
    ages, lived, died = [0, 1, *range(5, 95, 5)], [5_000] * 20, [*range(1, 191, 10), 900]
    table = least(lambda: life_expectancy(died, lived, ages), max(rounds, 5))
    yield f"12,600 rates x 19 bands          {many * 1e3:8.1f} ms  (at most 50)"
    yield f"  people who come again          {again * 1e3:8.1f} ms"
    yield f"  one at a time                  {singly * 1e3:8.0f} ms  (from {FEW}; {singly / many:.0f} times as long)"
    yield f"one life table                   {table * 1e3:8.2f} ms"


if __name__ == "__main__":
    for line in lines():
        print(line)
