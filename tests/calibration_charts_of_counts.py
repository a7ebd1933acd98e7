"""How often charts of counts, shares and runs stand out where nothing happens: run by `make calibrate`, never by tests.

Independent points: counts about one mean (Poisson; of a u chart out of 80 to 120 people), shares about one chance
(binomial), values about one level (normal, for runs). Standard error of 20,000 series: at most .35 in 100.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evalkit.stats import spc

SERIES = 20_000
RUNS = 6_000
LENGTHS = (12, 24, 60)
MEANS = (0.5, 1, 2, 3, 5, 10, 50)
SHARES = ((30, 0.5), (150, 0.6), (150, 0.05), (500, 0.9))
WIDER = 1.5
"""As `population.stands_out.WIDER`: from here points are said to differ by more than chance alone."""


def lines(seed: int = 1) -> Iterator[str]:
    """A line a length and setting."""
    rng = np.random.default_rng(seed)
    for n in LENGTHS:
        for mean in MEANS:
            yield f"{n} points, {mean} on average: {_of_counts(rng, n, mean)}"
        for size, chance in SHARES:
            yield f"{n} points, {chance:.2f} of about {size}: {_of_shares(rng, n, size, chance)}"
        yield f"{n} points, runs about the median: {_of_runs(rng, n)}"


def _of_counts(rng: np.random.Generator, n: int, mean: float) -> str:
    counts = rng.poisson(mean, (SERIES, n))
    people = rng.integers(80, 121, (SERIES, n)).astype(float)
    events = rng.poisson(mean * people / 100)
    some = counts.any(axis=1) & events.any(axis=1)
    found = {
        "c": spc.c_many(counts[some]),
        "u": spc.u_many(events[some], people[some]),
        "u′": spc.u_many(events[some], people[some], prime=True),
        "XmR": spc.xmr_many(counts[some].astype(float)),
    }
    told = [f"{name} {100 * many.special_cause.any(axis=1).mean():.1f}" for name, many in found.items()]
    return f"{', '.join(told)} of 100 stand out; called wider than chance {_wider(found['u'])}"


def _of_shares(rng: np.random.Generator, n: int, size: int, chance: float) -> str:
    people = rng.integers(int(0.7 * size), int(1.3 * size), (SERIES, n))
    had = rng.binomial(people, chance)
    plain, prime = (spc.p_many(had, people, prime=prime) for prime in (False, True))
    told = [f"{100 * many.special_cause.any(axis=1).mean():.1f}" for many in (plain, prime)]
    return f"p {told[0]}, p′ {told[1]} of 100 stand out; called wider than chance {_wider(plain)}"


def _wider(found: spc.ManyCharts) -> str:
    return f"{100 * (found.facts['sigma_z'] > WIDER).mean():.1f}"


def _of_runs(rng: np.random.Generator, n: int) -> str:
    long = few = either = 0
    for values in rng.normal(size=(RUNS, n)):
        runs = spc.runs(values, float(np.median(values)))
        long += runs.longest_run > runs.longest_run_max
        few += runs.crossings < runs.crossings_min
        either += bool(runs.signal)
    return (
        f"too long {100 * long / RUNS:.1f}, too few crossings {100 * few / RUNS:.1f}, either {100 * either / RUNS:.1f}"
    )


if __name__ == "__main__":
    for line in lines():
        print(line)
