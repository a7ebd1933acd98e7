"""How long a growth model takes beside statsmodels and lme4, in one thread: `lines` for `make benchmark`.

Five waves, a tenth missing, teams of ten, arms by team; outcome ~ wave x arm + (1 + wave | person), without and with
(1 | team). Ours is the whole of `growth.model` from the frame: checks, fit, Satterthwaite and robust errors.
statsmodels is MixedLM with its design made before and its default optimiser, without team (it has no form for the
other). lme4 is `lmer` inside R, without reading the data, where Rscript and lme4 are at hand. In turn, the least of so
many rounds of three calls (statsmodels one a round, and once where it takes over ten seconds).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from evalkit.stats import growth

SIZES = (200, 2_000, 20_000)
LEAST_STATSMODELS, LEAST_LME4 = 60, 5
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
LMER = """
suppressMessages(library(lme4))
told <- commandArgs(TRUE); d <- read.csv(told[1])
form <- y ~ wave * arm + (1 + wave | person)
if (told[2] == "team") form <- update(form, . ~ . + (1 | team))
took <- Inf; began <- proc.time()[["elapsed"]]
for (again in 1:3) {
  took <- min(took, system.time(m <- lmer(form, d))[["elapsed"]])
  if (proc.time()[["elapsed"]] - began > 3) break
}
cat(sprintf("%.6f %.9f", took, REMLcrit(m)))
"""


def people(count: int) -> pd.DataFrame:
    """A row an answer."""
    rng = np.random.default_rng(1)
    person, wave = np.repeat(np.arange(count), 5), np.tile(np.arange(5.0), count)
    team = person // 10
    arm = (team % 2).astype(float)
    own = rng.multivariate_normal([0, 0], [[0.5, 0.05], [0.05, 0.05]], size=count)
    y = 3 + 0.1 * wave + 0.05 * wave * arm + own[person, 0] + own[person, 1] * wave
    y += rng.normal(0, 0.4, count // 10)[team] + rng.normal(0, 0.6, len(wave))
    frame = pd.DataFrame({"person": person, "wave": wave, "team": team, "arm": arm, "y": y})
    return frame[rng.random(len(frame)) > 0.1].reset_index(drop=True)


def seconds(do: Callable[[], object]) -> float:
    """How long it takes once."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def ours(frame: pd.DataFrame, team: str | None) -> growth.Growth:
    """The whole model."""
    return growth.model(frame, outcome="y", time="wave", person="person", by="arm", team=team)


def statsmodels(frame: pd.DataFrame) -> Callable[[], object]:
    """MixedLM on a design made before."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    z = np.column_stack([np.ones(len(frame)), frame["wave"]])
    x = np.column_stack([z, z * frame["arm"].to_numpy()[:, None]])
    y, person = frame["y"].to_numpy(), frame["person"].to_numpy()

    def fit() -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return MixedLM(y, x, person, exog_re=z).fit()

    return fit


def lmer(path: Path, team: str | None) -> tuple[float, float] | None:
    """Seconds inside R and the criterion; None without R or lme4."""
    if shutil.which("Rscript") is None:
        return None
    done = subprocess.run(
        ["Rscript", "-e", LMER, str(path), team or "none"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return None
    took, criterion = done.stdout.split()
    return float(took), float(criterion)


def measured(count: int, rounds: int) -> Iterator[str]:
    """One number of people, in this process."""
    frame = people(count)
    other = statsmodels(frame)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "people.csv"
        frame.to_csv(path, index=False)
        for team in (None, "team"):
            took: dict[str, list[float]] = {"ours": [], "statsmodels": [], "lme4": []}
            theirs, apart = None, float("nan")
            found = ours(frame, team)
            for _ in range(rounds):
                took["ours"] += [seconds(lambda team=team: ours(frame, team)) for _ in range(3)]
                if team is None and min(took["statsmodels"], default=0) < 10:
                    took["statsmodels"].append(seconds(other))
                theirs = lmer(path, team)
                if theirs is not None:
                    took["lme4"].append(theirs[0])
                    apart = found.reml_criterion / theirs[1] - 1
            yield from said(count, team, {name: min(times) for name, times in took.items() if times}, apart)


def said(count: int, team: str | None, least: dict[str, float], apart: float) -> Iterator[str]:
    """Seconds and ratios in words."""
    what = f"growth.model, {count:,} people{', in teams' if team else ''}"
    yield f"{what:45} {least['ours']:8.4f} s"
    for name, goal in (("statsmodels", LEAST_STATSMODELS), ("lme4", LEAST_LME4)):
        if name in least:
            aim = f"  (at least {goal})" if count > 200 else ""
            yield f"  {name:43} {least[name]:8.4f} s   {least[name] / least['ours']:7.1f} times as long{aim}"
        elif name == "lme4":
            yield "  lme4 not at hand"
    if "lme4" in least:
        yield f"  criterion / lme4's - 1 {apart:31.1e}    (at most 1e-06)"


def lines(rounds: int = 3, sizes: tuple[int, ...] = SIZES) -> Iterator[str]:
    """What to print, measured in a process of its own with one thread."""
    alone = os.environ | dict.fromkeys(THREADS, "1")
    told = [sys.executable, "-m", "tests.benchmark_growth", "--rounds", str(rounds), "--sizes", *map(str, sizes)]
    done = subprocess.run(told, env=alone, capture_output=True, text=True, check=True)
    yield from done.stdout.splitlines()


def main() -> None:
    """Measure in this process, and print."""
    asked = argparse.ArgumentParser(description="How long a growth model takes, beside statsmodels and lme4.")
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    wanted = asked.parse_args()
    for count in wanted.sizes:
        for line in measured(count, wanted.rounds):
            print(line, flush=True)


if __name__ == "__main__":
    main()
