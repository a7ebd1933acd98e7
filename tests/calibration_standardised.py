"""How often standardised rates and life expectancies hold the truth in their 95 % intervals: `lines` to print.

Directly standardised: 19 bands, ESP2013, people as in a small place, events that rise with age; 15, 50 and 400 events
expected in all; a rate of under 10 events is refused and not counted. Once with independent events; once with people
who come again (60 % once, 25 % twice, 15 % four times), with and without the allowance for it.
Indirectly standardised: 4, 15 and 50 events expected. Life expectancy at birth: 6,000 and 60,000 person-years in 20
bands, and the difference of two such places.

    python -m tests.calibration_standardised [--runs 20000] [--seed 1]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from evalkit.stats import rates
from evalkit.stats.life_expectancy import difference, life_expectancy
from evalkit.stats.standard_population import weights

AGES = np.array([2.5, *np.arange(7.5, 92.5, 5), 93])
BANDS = ["0-4", *(f"{age}-{age + 4}" for age in range(5, 90, 5)), "90+"]
TIMES, SHARE = np.array([1, 2, 4]), np.array([0.6, 0.25, 0.15])
LIFE_BANDS = [0, 1, *range(5, 95, 5)]
MIDDLE = np.array([0.5, 3, *np.arange(7.5, 92.5, 5), 93])


def direct(runs: int, rng: np.random.Generator) -> Iterator[str]:
    """Coverage by how many events there are to be, independent and not."""
    people = 400 * np.clip(1.3 - (AGES / 85) ** 3, 0.05, None)
    standard = weights("ESP2013", BANDS)
    for expected in (15, 50, 400):
        rate = np.exp(0.05 * AGES)
        rate *= expected / (people * rate).sum()
        truth = 100_000 * (standard * rate).sum() / standard.sum()
        once = rates.direct_many(rng.poisson(people * rate, (runs, 19)), np.tile(people, (runs, 1)), standard)
        # so many people, each with their own number of events, that the events expected are the same
        heads = rng.poisson((people * rate / (TIMES @ SHARE))[:, None] * SHARE, (runs, 19, 3))
        counted, squares = heads @ TIMES, heads @ TIMES**2
        many = {"events": counted, "population": np.tile(people, (runs, 1)), "weights": standard}
        allowed, as_if = rates.direct_many(**many, squares=squares), rates.direct_many(**many)
        held = "  ".join(
            f"{name} {covered(found.low, found.high, truth, found.refused == ''):5.1f} %"
            for name, found in (("independent", once), ("come again", allowed), ("come again, not allowed for", as_if))
        )
        yield f"direct, {expected:3d} events expected:  {held}"


def indirect(runs: int, rng: np.random.Generator) -> Iterator[str]:
    """Coverage of a ratio of 1.3."""
    for expected in (4, 15, 50):
        found = [rates.indirect(float(count), [1.0], [expected], [1.0]) for count in rng.poisson(1.3 * expected, runs)]
        low, high = (np.array([getattr(each, side) for each in found]) for side in ("low", "high"))
        yield f"indirect, {expected:3d} expected:  {covered(low, high, 1.3, np.full(runs, True)):5.1f} %"


def life(runs: int, rng: np.random.Generator) -> Iterator[str]:
    """Coverage of life expectancy at birth, and of the difference between two places."""
    rate = np.minimum(0.00008 * np.exp(0.088 * MIDDLE), 0.25)
    rate[0] = 0.004
    shape = np.where(MIDDLE < 1, 0.2, np.where(MIDDLE < 5, 0.8, 1.0)) * np.clip(1.3 - (MIDDLE / 85) ** 3, 0.06, None)
    for size in (6_000, 60_000):
        people = np.round(size * shape / shape.sum())
        truth = life_expectancy(people * rate, people, LIFE_BANDS).estimate
        found = []
        while len(found) < runs:
            deaths = rng.poisson(people * rate)
            if deaths[-1] and (deaths <= people).all():
                found.append(life_expectancy(deaths, people, LIFE_BANDS))
        low, high = (np.array([getattr(each, side) for each in found]) for side in ("low", "high"))
        gaps = [difference(one, other) for one, other in zip(found[::2], found[1::2], strict=False)]
        all_of_them = np.full(runs, True)
        held = covered(low, high, truth, all_of_them)
        apart = covered(*(np.array([getattr(gap, side) for gap in gaps]) for side in ("low", "high")), 0.0,
                        np.full(len(gaps), True))  # fmt: skip
        off = float(np.mean([each.estimate for each in found])) - truth
        beside = f"difference {apart:5.1f} %  off by {off:+.2f} years"
        yield f"life expectancy, {size:6,d} person-years:  {held:5.1f} %  {beside}"


def covered(low: np.ndarray, high: np.ndarray, truth: float, counts: np.ndarray) -> float:
    """In how many of a hundred the truth lies within."""
    return float(100 * np.mean((low[counts] <= truth) & (truth <= high[counts])))


def lines(runs: int = 20_000, seed: int = 1) -> Iterator[str]:
    """What to print, a line a design; a tenth as many life tables as rates."""
    rng = np.random.default_rng(seed)
    yield from direct(runs, rng)
    yield from indirect(runs // 4, rng)
    yield from life(runs // 10, rng)


def main() -> None:
    """Count, and print."""
    asked = argparse.ArgumentParser(description="How often standardised rates and life expectancies hold the truth.")
    asked.add_argument("--runs", type=int, default=20_000)
    asked.add_argument("--seed", type=int, default=1)
    wanted = asked.parse_args()
    for line in lines(wanted.runs, wanted.seed):
        print(line, flush=True)


if __name__ == "__main__":
    main()
