"""How long synthetic controls take beside pysyncon, in one thread: `lines` for `make benchmark`.

42 places, 120 months, 84 of them before the start; every place in turn as the treated one. Matched on all months before
(V = I): ours is the solver for all 42, and the whole of `contrast.synthetic` from the frame, ranks and interval
included; pysyncon's is its inner solver, called on matrices made before. Matched on seven yearly means whose importance
is searched: ours is the whole, with all placebos; pysyncon's is its fit of the first places asked for, times 42. In
turn, the least of so many rounds.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from evalkit.stats import simplex_weights
from evalkit.stats.predictor_weights import Predictor
from evalkit.stats.synthetic import SyntheticControl, synthetic

PLACES, MONTHS, BEFORE = 42, 120, 84
LEAST_SOLVER, LEAST_SEARCH = 100, 20
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def panel() -> pd.DataFrame:
    """Months by places: three shared courses, each place's own mixture, and noise that hangs together."""
    rng = np.random.default_rng(1)
    shared = 0.3 * rng.normal(size=(MONTHS, 3)).cumsum(axis=0)
    values = 10 + shared @ rng.uniform(0, 1, (3, PLACES)) + rng.normal(0, 1, PLACES)
    values += 0.1 * rng.normal(size=(MONTHS, PLACES)).cumsum(axis=0) + rng.normal(0, 0.2, (MONTHS, PLACES))
    months = pd.Index(range(MONTHS), name="month")
    return pd.DataFrame(values, index=months, columns=[f"place {number:02}" for number in range(PLACES)])


def whole(frame: pd.DataFrame, *, search: bool) -> SyntheticControl:
    """`contrast.synthetic` from a long frame."""
    years = [Predictor("rate", 12 * year, 12 * year + 11) for year in range(BEFORE // 12)]
    return synthetic(
        frame,
        outcome="rate",
        unit="place",
        time="month",
        treated=["place 00"],
        start=BEFORE,
        predictors=years if search else None,
    )


def solved(before: np.ndarray) -> np.ndarray:
    """All places mixed from all others."""
    each = np.eye(PLACES, dtype=bool)
    return simplex_weights.relabelled(before, each, ~each)


def theirs(before: np.ndarray) -> list[np.ndarray]:
    """The same by pysyncon's inner solver."""
    from pysyncon.base import VanillaOptimMixin

    importance = np.eye(BEFORE)
    return [
        VanillaOptimMixin.w_optimize(importance, np.delete(before, place, axis=1), before[:, place])[0]
        for place in range(PLACES)
    ]


def searched(before: pd.DataFrame, places: int) -> list[float]:
    """The mean squared gaps of pysyncon's fits of the first places on yearly means."""
    from pysyncon import Synth

    means = before.groupby(before.index // 12).mean()
    left = []
    for name in before.columns[:places]:
        others = before.columns.drop(name)
        fit = Synth()
        fit.fit(X0=means[others], X1=means[name], Z0=before[others], Z1=before[name])
        left.append(float(fit.loss_V))
    return left


def least(do: Callable[[], object], rounds: int) -> float:
    """Seconds it takes, at best."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        do()
        took.append(time.perf_counter() - began)
    return min(took)


def measured(rounds: int, places: int) -> Iterator[str]:
    """In this process."""
    wide = panel()
    frame = wide.stack().rename("rate").reset_index().set_axis(["month", "place", "rate"], axis=1)
    before = wide.iloc[:BEFORE]
    values = before.to_numpy()
    whole(frame, search=False)
    mine = [least(lambda: solved(values), 5 * rounds), least(lambda: whole(frame, search=False), 5 * rounds)]
    yield f"synthetic controls, {PLACES} places, all months, solver {mine[0]:9.4f} s"
    yield f"  the whole, from the frame                         {mine[1]:9.4f} s"
    try:
        other = least(lambda: theirs(values), rounds)
    except ImportError:
        yield "  pysyncon not at hand"
        return
    yield (
        f"  pysyncon, inner solver alone                      {other:9.4f} s   {other / mine[0]:7.1f} times the solver "
        f"(at least {LEAST_SOLVER}), {other / mine[1]:.1f} times the whole"
    )
    apart = max(
        np.sqrt(((values[:, place] - np.delete(values, place, axis=1) @ weights) ** 2).mean())
        / np.sqrt(((values @ row) ** 2).mean())
        for place, (row, weights) in enumerate(zip(solved(values), theirs(values), strict=True))
    )
    yield f"  pysyncon's fit / ours, at most                    {apart:9.6f}"
    search = least(lambda: whole(frame, search=True), rounds)
    began = time.perf_counter()
    left = searched(before, places)
    other = (time.perf_counter() - began) / places * PLACES
    yield f"synthetic controls, {PLACES} places, importance searched {search:7.4f} s, the whole"
    yield (
        f"  pysyncon, {PLACES} times the mean of its first {places} fits   {other:9.4f} s   {other / search:7.1f} "
        f"times as long (at least {LEAST_SEARCH})"
    )
    ours = whole(frame, search=True).placebos["fit"].to_numpy()[:places]
    yield "  mean squared gaps of pysyncon / ours              " + "  ".join(
        f"{one / two**2:.3f}" for one, two in zip(left, ours, strict=True)
    )


def lines(rounds: int = 3, places: int = 2) -> Iterator[str]:
    """What to print, measured in a process of its own with one thread."""
    alone = os.environ | dict.fromkeys(THREADS, "1") | {"MPLBACKEND": "agg"}
    told = [sys.executable, "-m", "tests.benchmark_synthetic", "--rounds", str(rounds), "--places", str(places)]
    done = subprocess.run(told, env=alone, capture_output=True, text=True, check=True)
    yield from done.stdout.splitlines()


def main() -> None:
    """Measure in this process, and print."""
    asked = argparse.ArgumentParser(description="How long synthetic controls take, beside pysyncon.")
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--places", type=int, default=2)
    wanted = asked.parse_args()
    for line in measured(wanted.rounds, wanted.places):
        print(line, flush=True)


if __name__ == "__main__":
    main()
