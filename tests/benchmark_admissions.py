"""How long counting admissions takes beside DuckDB's own SQL, and in how much memory: `lines` for `make benchmark`.

Rows about single patients in Parquet, made here: 42 places, five years of days, ages to 105, sexes, quintiles, people
admitted three times on average. Counted by place, quintile, month and age band, and made 12,600 directly standardised
rates with intervals. Ours is counting, words, pivot and `standardised.direct_many`; beside it, the same file grouped by
SQL written by hand, with Dobson's interval from Byar's limits in plain numpy. The look through the file for each
faulty cell, as the data are loaded, is a line of its own. All in a process of its own on one processor, in turn;
seconds are of that processor, so that a busy machine changes little, the least of so many rounds. `--rows 50000000` (or
EVALKIT_BENCHMARK_ROWS) for as many as the goal names.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

ROWS = int(os.environ.get("EVALKIT_BENCHMARK_ROWS", "10_000_000"))
SMALL = 2_000_000
PLACES, QUINTILES, MONTHS, BANDS = 42, 5, 60, 19
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
AT_MOST, MEMORY = 1.2, 500
FIRST = (2021 - 1970) * 12 + 3
"""April 2021, in months since 1970."""

MADE = """COPY (
  SELECT 'P' || lpad(CAST(1 + CAST(random() * 42 AS INT) % 42 AS VARCHAR), 2, '0') AS place_id,
         CAST(DATE '2021-04-01' + CAST(random() * 1826 AS INT) % 1826 AS DATE) AS admitted_on,
         CAST(105 * sqrt(random()) AS UTINYINT) AS age,
         CASE WHEN random() < 0.52 THEN 'female' ELSE 'male' END AS sex,
         CAST(1 + CAST(random() * 5 AS INT) % 5 AS UTINYINT) AS quintile,
         CAST(random() * {people} AS INT) AS person_id
  FROM range({rows})
) TO '{path}' (FORMAT parquet)"""

BY_HAND = """
  SELECT place_id, quintile, date_trunc('month', admitted_on) AS month, least(age // 5, 18) AS band, count(*) AS events
  FROM read_parquet('{path}') GROUP BY ALL
"""


def make(path: Path, rows: int) -> None:
    """The file."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET enable_progress_bar = false; SELECT setseed(0.5)")
        connection.execute(MADE.format(people=max(rows // 3, 1), rows=rows, path=path))


def population() -> np.ndarray:
    """How many people of each band lived in each place and quintile, every month the same."""
    return np.random.default_rng(1).integers(500, 9_000, (PLACES * QUINTILES * MONTHS, BANDS)).astype(float)


def weights() -> np.ndarray:
    """A standard population in which the old are fewer."""
    return np.linspace(7_000, 500, BANDS).round()


def table(
    place: np.ndarray, quintile: np.ndarray, month: np.ndarray, band: np.ndarray, events: np.ndarray
) -> np.ndarray:
    """A row a rate, a column a band."""
    row = (place * QUINTILES + quintile) * MONTHS + month
    found = np.zeros((PLACES * QUINTILES * MONTHS, BANDS))
    np.add.at(found, (row, band), events)
    return found


def ours(path: Path) -> np.ndarray:
    """From the file to rates, as evalkit does it."""
    from evalkit.reading import counting
    from evalkit.reading.in_parts import Parts
    from evalkit.stats.standardised import direct_many

    parts = Parts("admissions", (path,), 1, plain=frozenset([path]))
    found = counting.of_files(parts, counting.Asked(by=("age_band", "quintile")), counting.counted)
    place, _ = pd.factorize(found["place_id"], sort=True)
    month = found["period"].to_numpy().astype("datetime64[M]").astype(int) - FIRST
    band = pd.Categorical(found["age_band"], counting.bands()).codes
    quintile = found["quintile"].to_numpy(dtype=int) - 1
    rates = direct_many(table(place, quintile, month, band, found["count"].to_numpy()), population(), weights())
    return np.column_stack([rates.estimate, rates.low, rates.high])


def by_hand(path: Path) -> np.ndarray:
    """The same in SQL and plain numpy."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET enable_progress_bar = false")
        held = connection.execute(BY_HAND.format(path=path)).fetchnumpy()
    place = pd.factorize(held["place_id"], sort=True)[0]
    month = held["month"].astype("datetime64[M]").astype(int) - FIRST
    events = table(place, held["quintile"].astype(int) - 1, month, held["band"].astype(int), held["events"])
    people, share = population(), weights() / weights().sum()
    rate = (events / people) @ share
    error = np.sqrt((events / people**2) @ share**2)
    total = events.sum(axis=1)
    low = total * (1 - 1 / (9 * total) - 1.959964 / (3 * np.sqrt(total))) ** 3
    high = (total + 1) * (1 - 1 / (9 * (total + 1)) + 1.959964 / (3 * np.sqrt(total + 1))) ** 3
    each = error / np.sqrt(total)
    return 100_000 * np.column_stack([rate, rate + each * (low - total), rate + each * (high - total)])


def looked(path: Path) -> np.ndarray:
    """The look through the file that finds every faulty cell, before anything is counted."""
    from evalkit.reading.long_tables import looked_through
    from evalkit.reading.problems import Problems
    from evalkit.reading.rules import check_table

    problems = Problems()
    parts = looked_through("admissions", [path], check_table, problems)
    return np.array([parts.rows, len(problems.found)])


CONTENDERS: dict[str, Callable[[Path], np.ndarray]] = {"ours": ours, "by hand": by_hand, "look": looked}


def alone(name: str, path: Path) -> dict[str, float]:
    """One contender in a process of its own on one processor."""
    told = [sys.executable, "-m", "tests.benchmark_admissions", "--alone", name, "--file", str(path)]
    one = os.environ | dict.fromkeys(THREADS, "1")
    done = subprocess.run(told, env=one, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(name: str, path: Path, small: Path) -> dict[str, float]:
    """Seconds of this process, after a first time on a short file, which pays for what is loaded once."""
    CONTENDERS[name](small)
    began = time.process_time()
    found = CONTENDERS[name](path)
    took = time.process_time() - began
    return {
        "seconds": took,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "sum": float(found.sum()),
    }


def lines(rounds: int = 3, rows: int = ROWS) -> Iterator[str]:
    """What to print."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "admissions.parquet"
        make(path, rows)
        make(Path(place) / "small.parquet", SMALL)
        found = [{name: alone(name, path) for name in CONTENDERS} for _ in range(rounds)]
    least = {name: min(round[name]["seconds"] for round in found) for name in CONTENDERS}
    most = {name: max(round[name]["memory"] for round in found) for name in CONTENDERS}
    apart = abs(found[0]["ours"]["sum"] / found[0]["by hand"]["sum"] - 1)
    yield f"{rows:,} admissions counted, 12,600 standardised rates"
    for name, words in (("ours", "evalkit"), ("by hand", "SQL by hand"), ("look", "looking for faults before")):
        yield f"  {words:28} {least[name]:7.2f} s   {most[name]:5.0f} MiB at most"
    yield f"  evalkit / by hand            {least['ours'] / least['by hand']:7.2f}     (at most {AT_MOST})"
    yield f"  memory of evalkit            {most['ours']:7.0f} MiB (at most {MEMORY}, whatever the rows)"
    yield f"  rates apart                  {apart:9.1e}"


def main() -> None:
    """Measure, and print."""
    asked = argparse.ArgumentParser(description="How long counting admissions takes, beside SQL written by hand.")
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--rows", type=int, default=ROWS)
    asked.add_argument("--alone", choices=list(CONTENDERS))
    asked.add_argument("--file", type=Path)
    wanted = asked.parse_args()
    if wanted.alone is None:
        print(*lines(wanted.rounds, wanted.rows), sep="\n")
        return
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(json.dumps(measured(wanted.alone, wanted.file, wanted.file.with_name("small.parquet"))))


if __name__ == "__main__":
    main()
