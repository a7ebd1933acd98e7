"""How long BCa intervals of many effect sizes take, beside SciPy's and beside the least they could: `make benchmark`.

40 items, 200 people, g_z with its BCa interval from 9,999 resamples. Beside `change.effect_sizes`, in the same run and
in turn: SciPy's vectorised bootstrap of the same statistic, item by item and all items in one call, as they come (the
faster counts), and in one call with batches of 10 resamples, which nobody is told to choose and was the fastest of
those tried; and the bare steps that drawing counts cannot leave out: draw the people, count them, one matrix product,
sort. CPU seconds, the least of several rounds; for one thread set OPENBLAS_NUM_THREADS=1.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from scipy import stats

from evalkit.stats import change
from evalkit.stats.standardisers import correction

PEOPLE, ITEMS, RESAMPLES = 200, 40, 9_999
AT_LEAST, AT_MOST = 15, 2


def answers() -> tuple[pd.DataFrame, pd.DataFrame]:
    """People x items before and after: a change of 0.3, correlated .5 in the people."""
    rng = np.random.default_rng(1)
    before = rng.normal(size=(PEOPLE, ITEMS))
    return pd.DataFrame(before), pd.DataFrame(0.5 * before + rng.normal(0.3, 0.87, size=before.shape))


def seconds(do: Callable[[], object]) -> float:
    """CPU time it takes once."""
    began = time.process_time()
    do()
    return time.process_time() - began


def by_scipy(changes: np.ndarray, batch: int | None = None) -> np.ndarray:
    """SciPy's BCa limits of g_z along the last axis, the statistic vectorised."""
    j = float(correction(PEOPLE - 1))

    def g_z(sample: np.ndarray, axis: int = -1) -> np.ndarray:
        return j * sample.mean(axis=axis) / sample.std(axis=axis, ddof=1)

    found = stats.bootstrap(
        (changes,),
        g_z,
        n_resamples=RESAMPLES,
        method="BCa",
        vectorized=True,
        axis=-1,
        batch=batch,
        rng=np.random.default_rng(1),
    ).confidence_interval
    return np.array([found.low, found.high])


def bare(changes: np.ndarray) -> np.ndarray:
    """Draw, count, multiply, sort: nothing else."""
    rng = np.random.default_rng(1)
    picks = rng.integers(PEOPLE, size=(RESAMPLES, PEOPLE)) + PEOPLE * np.arange(RESAMPLES)[:, None]
    counts = np.bincount(picks.ravel(), minlength=RESAMPLES * PEOPLE).reshape(RESAMPLES, PEOPLE).astype(float)
    sums = np.concatenate([changes, changes**2]) @ counts.T
    return np.sort(sums[:ITEMS], axis=1)


def lines(rounds: int = 3) -> Iterator[str]:
    """Measure, and say seconds and ratios."""
    before, after = answers()
    changes = np.ascontiguousarray((after - before).to_numpy().T)

    def ours() -> pd.DataFrame:
        return change.effect_sizes(before, after, kind="g_z", interval="bca", resamples=RESAMPLES, seed=1)

    asked: dict[str, tuple[Callable[[], object], int]] = {  # the short ones oftener: a busy moment must not decide
        "effect_sizes": (ours, 5),
        "bare steps": (lambda: bare(changes), 5),
        "scipy, item by item": (lambda: [by_scipy(item) for item in changes], 1),
        "scipy, one call": (lambda: by_scipy(changes), 1),
        "scipy, batches of 10": (lambda: by_scipy(changes, batch=10), 1),
    }
    apart = np.abs(ours()[["low", "high"]].to_numpy().T - by_scipy(changes, batch=10)).max()  # and imports are paid
    took = dict.fromkeys(asked, np.inf)
    for _ in range(rounds):
        for name, (do, times) in asked.items():
            took[name] = min(took[name], *(seconds(do) for _ in range(times)), np.inf)
    for name, least in took.items():
        yield f"{name:22} {least:7.3f} s"
    mine, plain = took["effect_sizes"], min(took["scipy, item by item"], took["scipy, one call"])
    yield f"scipy / effect_sizes   {plain / mine:7.1f}  (at least {AT_LEAST})"
    yield f"  in batches of 10     {took['scipy, batches of 10'] / mine:7.1f}"
    yield f"effect_sizes / bare    {mine / took['bare steps']:7.2f}  (at most {AT_MOST})"
    yield f"limits apart, at most  {apart:7.0e}  (the same draws)"


if __name__ == "__main__":
    for line in lines():
        print(line)
