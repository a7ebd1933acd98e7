"""How long 10,000 control charts take beside a pandas loop, in one thread: `lines` for `make benchmark`.

10,000 series of 60 months: an XmR chart, a p chart and a u chart of each, all four rules, every point flagged. Ours is
the whole of `spc.xmr_many`, `p_many` and `u_many`, checks included. The loop takes one series at a time, as an analyst
would write it with diff, rolling and shift, over so many series and extrapolated; flags are compared on those. In turn,
the least of so many rounds.
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

from evalkit.stats import spc

SERIES, MONTHS, LOOPED, LEAST = 10_000, 60, 200, 200
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def tables(series: int) -> dict[str, np.ndarray]:
    """Values, counts out of cases, events out of days; a tenth of the series shift half way."""
    rng = np.random.default_rng(7)
    later = (np.arange(MONTHS) >= MONTHS // 2) * (rng.random((series, 1)) < 0.1)
    cases = rng.integers(200, 800, size=(series, MONTHS))
    days = rng.uniform(4_000, 8_000, size=(series, MONTHS))
    return {
        "values": rng.normal(100, 10, size=(series, MONTHS)) + 8 * later,
        "cases": cases.astype(float),
        "had": rng.binomial(cases, 0.2 + 0.02 * later).astype(float),
        "days": days,
        "events": rng.poisson(days * (0.005 + 0.001 * later)).astype(float),
    }


def ours(held: dict[str, np.ndarray]) -> tuple[np.ndarray, ...]:
    """Flags of the three charts of every series."""
    return (
        spc.xmr_many(held["values"]).special_cause,
        spc.p_many(held["had"], held["cases"]).special_cause,
        spc.u_many(held["events"], held["days"]).special_cause,
    )


def flags(values: pd.Series, mean: float, lower: pd.Series | float, upper: pd.Series | float) -> pd.Series:
    """The four rules of one series in pandas."""
    out = (values > upper) | (values < lower)
    found = out.copy()
    steps = values.diff()
    for way in (1, -1):
        here = (values - mean) * way > 0
        edge = mean + (upper - mean) * 2 / 3 if way > 0 else mean - (mean - lower) * 2 / 3
        near = here & ~out & ((values - edge) * way > 0)
        shift = here.rolling(7).sum() == 7
        trend = (steps * way > 0).rolling(6).sum() == 6
        two = (near.rolling(3).sum() >= 2) & (here.rolling(3).sum() == 3)
        for ends, length in ((shift, 7), (trend, 7)):
            found |= ends[::-1].rolling(length, min_periods=1).max()[::-1] == 1
        found |= near & (two[::-1].rolling(3, min_periods=1).max()[::-1] == 1)
    return found


def looped(held: dict[str, np.ndarray], series: int) -> tuple[np.ndarray, ...]:
    """The three charts of the first so many series, one at a time."""
    told: tuple[list[np.ndarray], ...] = ([], [], [])
    for at in range(series):
        values = pd.Series(held["values"][at])
        mean, ranges = values.mean(), values.diff().abs()
        reach = 2.66 * ranges[ranges < 3.267 * ranges.mean()].mean()
        told[0].append(flags(values, mean, mean - reach, mean + reach).to_numpy())
        had, cases = pd.Series(held["had"][at]), pd.Series(held["cases"][at])
        mean = had.sum() / cases.sum()
        error = 3 * (mean * (1 - mean) / cases) ** 0.5
        told[1].append(flags(had / cases, mean, mean - error, mean + error).to_numpy())
        events, days = pd.Series(held["events"][at]), pd.Series(held["days"][at])
        mean = events.sum() / days.sum()
        error = 3 * (mean / days) ** 0.5
        told[2].append(flags(events / days, mean, mean - error, mean + error).to_numpy())
    return tuple(np.array(rows) for rows in told)


def seconds(do: Callable[[], object]) -> float:
    """How long it takes once."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def measured(rounds: int, series: int, loop: int) -> Iterator[str]:
    """Both, in turn, in this process."""
    held = tables(series)
    mine, theirs = ours(held), looped(held, loop)
    differ = sum(int((one[:loop] != other).sum()) for one, other in zip(mine, theirs, strict=True))
    took: dict[str, list[float]] = {"ours": [], "pandas": []}
    for _ in range(rounds):
        took["ours"] += [seconds(lambda: ours(held)) for _ in range(3)]
        took["pandas"].append(seconds(lambda: looped(held, loop)) * series / loop)
    least = {name: min(times) for name, times in took.items()}
    yield f"{f'spc.xmr_many, p_many, u_many, {series:,} x {MONTHS}':45} {least['ours']:8.4f} s"
    yield (
        f"  {'a pandas loop, from ' + str(loop) + ' series':43} {least['pandas']:8.4f} s   "
        f"{least['pandas'] / least['ours']:7.1f} times as long  (at least {LEAST})"
    )
    yield f"  flags that differ, of {3 * loop * MONTHS:,} {differ:38}    (none)"


def lines(rounds: int = 5, series: int = SERIES, loop: int = LOOPED) -> Iterator[str]:
    """What to print, measured in a process of its own with one thread."""
    alone = os.environ | dict.fromkeys(THREADS, "1")
    told = [sys.executable, "-m", "tests.benchmark_spc", "--rounds", str(rounds), "--series", str(series)]
    done = subprocess.run([*told, "--loop", str(loop)], env=alone, capture_output=True, text=True, check=True)
    yield from done.stdout.splitlines()


def main() -> None:
    """Measure in this process, and print."""
    asked = argparse.ArgumentParser(description="How long control charts of many series take, beside a pandas loop.")
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--series", type=int, default=SERIES)
    asked.add_argument("--loop", type=int, default=LOOPED)
    wanted = asked.parse_args()
    for line in measured(wanted.rounds, wanted.series, wanted.loop):
        print(line, flush=True)


if __name__ == "__main__":
    main()
