"""How long effects by cohort and period take beside diff-diff, in one thread: `lines` for `make benchmark`.

Five cohorts of a tenth of the units each and half never treated, months with AR(1) noise; all cells, the event study,
and 999 multiplier draws. Ours is the whole of `group_time` from the frame, with every average, few-unit errors and
start dates dealt out anew; "same work" leaves out the dealing. diff-diff is `CallawaySantAnna` with 999 draws and its
event study. In turn, the least of so many rounds of three calls.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from evalkit.stats import group_time as ours

SIZES = ((42, 120), (1_000, 60))
MOST = 1.3
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")


def places(units: int, periods: int) -> pd.DataFrame:
    """A row a unit and period, in no order."""
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(units, periods))
    for t in range(1, periods):
        noise[:, t] += 0.6 * noise[:, t - 1]
    starts = np.full(units, np.nan)
    tenth = max(units // 10, 2)
    for cohort in range(5):
        starts[cohort * tenth : (cohort + 1) * tenth] = periods // 2 + 4 * cohort
    unit, period = np.repeat(np.arange(units), periods), np.tile(np.arange(periods), units)
    began = starts[unit]
    y = noise.ravel() + 0.02 * period - 0.3 * (period >= began)
    frame = pd.DataFrame({"unit": unit, "period": period, "began": began, "y": y})
    return frame.sample(frac=1, random_state=1).reset_index(drop=True)


def diff_diff(frame: pd.DataFrame) -> Callable[[], float]:
    """The other package, which marks those never treated by 0."""
    from diff_diff import CallawaySantAnna

    marked = frame.assign(began=frame["began"].fillna(0).astype(int))

    def fit() -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            told = CallawaySantAnna(n_bootstrap=999, seed=1, base_period="universal")
            return float(
                told.fit(
                    marked,
                    outcome="y",
                    unit="unit",
                    time="period",
                    first_treat="began",
                    aggregate="event_study",
                ).overall_att
            )

    return fit


def asked(frame: pd.DataFrame, allocations: int | None) -> float:
    """The whole of ours."""
    return ours.group_time(
        frame,
        outcome="y",
        unit="unit",
        time="period",
        first_treated="began",
        base="last",
        draws=999,
        allocations=allocations,
        seed=1,
    ).estimate


def seconds(do: Callable[[], object]) -> float:
    """How long it takes once."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def measured(units: int, periods: int, rounds: int) -> Iterator[str]:
    """One size, in this process."""
    frame = places(units, periods)
    try:
        theirs: Callable[[], float] | None = diff_diff(frame)
    except ImportError:
        theirs = None
    took: dict[str, list[float]] = {"ours": [], "same work": [], "diff-diff": []}
    for _ in range(rounds):
        for _ in range(3):
            took["ours"].append(seconds(lambda: asked(frame, None)))
            took["same work"].append(seconds(lambda: asked(frame, 1)))
            if theirs is not None:
                took["diff-diff"].append(seconds(theirs))
    least = {name: min(times) for name, times in took.items() if times}
    yield f"{f'group_time, {units:,} x {periods}':45} {least['ours']:8.4f} s"
    yield f"  {'same work: no start dates dealt out':43} {least['same work']:8.4f} s"
    if theirs is None:
        yield "  diff-diff not at hand"
        return
    yield f"  {'diff-diff':43} {least['diff-diff']:8.4f} s"
    for name in ("ours", "same work"):
        yield f"  {name + ' / diff-diff':43} {least[name] / least['diff-diff']:8.2f}     (at most {MOST})"
    yield f"  {'largest difference of the average':43} {abs(asked(frame, 1) - theirs()):8.1e}"


def lines(rounds: int = 3, sizes: tuple[tuple[int, int], ...] = SIZES) -> Iterator[str]:
    """What to print, measured in a process of its own with one thread."""
    alone = os.environ | dict.fromkeys(THREADS, "1")
    told = [sys.executable, "-m", "tests.benchmark_group_time", "--rounds", str(rounds)]
    told += ["--sizes", *(f"{units}x{periods}" for units, periods in sizes)]
    done = subprocess.run(told, env=alone, capture_output=True, text=True, check=True)
    yield from done.stdout.splitlines()


def main() -> None:
    """Measure in this process, and print."""
    parser = argparse.ArgumentParser(description="How long effects by cohort and period take, beside diff-diff.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", nargs="+", default=[f"{units}x{periods}" for units, periods in SIZES])
    wanted = parser.parse_args()
    for size in wanted.sizes:
        units, periods = map(int, size.split("x"))
        for line in measured(units, periods, wanted.rounds):
            print(line, flush=True)


if __name__ == "__main__":
    main()
