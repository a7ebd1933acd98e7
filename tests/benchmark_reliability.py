"""How long alpha of 5,000 people and 40 items takes, beside scipy's bootstrap of the same: `make benchmark`.

Beside evalkit's 10,000 resamples scipy draws 100 (percentile limits, all items of a person together, vectorised, in
batches of 2, its fastest), which are multiplied by 100. Goals: the default interval in about 5 ms; the bootstrap at
least 8 times as fast. One thread: OPENBLAS_NUM_THREADS=1 before the start.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from scipy import stats

from evalkit.stats import reliability

PEOPLE, ITEMS, RESAMPLES, DRAWN = 5_000, 40, 10_000, 100


def answers() -> np.ndarray:
    """Answers of 1 to 5 with one factor behind them."""
    rng = np.random.default_rng(1)
    behind = 0.6 * rng.normal(size=(PEOPLE, 1)) + 0.8 * rng.normal(size=(PEOPLE, ITEMS))
    return 1.0 + np.digitize(behind, [-1.5, -0.5, 0.5, 1.5])


def coefficient(items: np.ndarray, axis: int = -1) -> np.ndarray:
    """Alpha of resamples as scipy hands them over: items first, people along the axis, drawn for all items together."""
    apart = items.var(axis=axis).sum(axis=0)
    return np.asarray(ITEMS / (ITEMS - 1) * (1 - apart / items.sum(axis=0).var(axis=axis)))[None]


def least(do: Callable[[], object], rounds: int) -> float:
    """The least time of several."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        do()
        took.append(time.perf_counter() - began)
    return min(took)


def lines(rounds: int = 3) -> Iterator[str]:
    """Seconds and ratios, a line each."""
    table = answers()
    turned = np.ascontiguousarray(table.T)

    def scipys() -> object:
        how = {"n_resamples": DRAWN, "batch": 2, "vectorized": True, "method": "percentile", "axis": -1}
        return stats.bootstrap((turned,), coefficient, rng=1, **how)

    def ours() -> object:
        return reliability.alpha(table, interval="bootstrap", resamples=RESAMPLES, seed=1)

    reliability.alpha(table)
    by_feldt = least(lambda: reliability.alpha(table), max(rounds, 5))
    by_jackknife = least(lambda: reliability.alpha(table, interval="jackknife"), max(rounds, 5))
    drawn, theirs = least(ours, rounds), least(scipys, rounds) * RESAMPLES / DRAWN
    few = table[:150, :6]
    omega = least(lambda: reliability.omega(few), rounds)
    yield f"alpha, Feldt           {by_feldt:7.4f} s  (about 0.005)"
    yield f"alpha, jackknife       {by_jackknife:7.4f} s"
    yield f"alpha, bootstrap       {drawn:7.3f} s"
    yield f"scipy bootstrap        {theirs:7.3f} s  (from {DRAWN} resamples)"
    yield f"scipy / bootstrap      {theirs / drawn:7.1f}  (at least 8)"
    yield f"omega, 150 x 6         {omega:7.3f} s"


if __name__ == "__main__":
    for line in lines():
        print(line)
