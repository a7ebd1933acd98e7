"""How often is evalkit wrong? Simulated programmes through the public questions, and networks, counted.

    python -m tests.calibration [--runs 2000] [--seed 1] [--jobs 2] [--only WHAT]

Half of the programmes have counts that are AR(1) as observed, half Poisson counts on a latent AR(1), each with ρ 0, .3
and .6 in turn; leaders are independent of each other, and a quarter drop out, low scorers more often. Every programme
is asked `population.change` against its comparison places and without them, and `individual.growth`. With nothing going
on, an interval that leaves out no change is an error; what is planted must lie in the interval as often as it says.

Limits (as in the tests of the releases): errors of `population.change` at most 6.5 %, coverage at least 93.5 %;
coverage of `individual.growth` 93 to 97 %. Exit 1 when one is broken.

Networks: who is tied to whom is drawn by chance among groups of unequal size, so an E-I index with p ≤ .05 by
relabelling is an error. In each design (people, density, directed or not) as many networks as `--runs`, 999
relabellings each. Limit: errors 2.5 to 6.5 % in each design. With few ties an index comes in wide steps, and errs less
often than 5 %.

People: `tests.calibration_people` says what is drawn; twice as many data sets a design as `--runs`, as many evaluations
of twelve questions at once. Limits: errors with teams 3.5 to 6.5 % (at most 7 % at the ceiling of a scale); coverage
93.5 to 96.5 %, where low scorers leave at least 93 %; any rise claimed of twelve questions in at most 5 %.

Growth models: `tests.calibration_growth` says what is drawn; `--runs` data sets a design, with the same limits
(coverage 93 to 97 %).

Places and series: `tests.calibration_places` (`population.against`) and `tests.calibration_change`
(`population.change`) say what is drawn, `tests.calibration_seen` how often the smallest change that could be seen is
seen; twice as many data sets a design as `--runs`, in this process alone. Limits: errors of places 3 to 7 %, of series
at most 6.5 %; coverage 93 to 97 %; seen 77 to 83 %; whole programmes asked one by one say the same, without exception.

WHAT: networks, people, growth, places, series or programmes.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain, product
from typing import Any

import numpy as np
import pandas as pd

from tests import calibration_change, calibration_growth, calibration_people, calibration_places, calibration_seen
from tests.calibration_cells import Cell

PROCESSES = ("observation", "latent")
RHOS = (0.0, 0.3, 0.6)
MEASURE = "emergency_admissions_65_plus"
ON = "system_leadership"
MOST_ERRORS, LEAST_COVERAGE = 6.5, 93.5
GROWTH_COVERAGE = (93.0, 97.0)
PLANTED: dict[str, dict[str, float]] = {"nothing": {}, "something": {ON: 0.3, MEASURE: 0.9}}
NETWORKS = list(product((20, 60, 120), (0.05, 0.2), (True, False)))
GROUP_SHARES = (0.5, 0.25, 0.15, 0.1)
NETWORK_ERRORS = (2.5, 6.5)


def one(run: int, *, seed: int) -> list[dict[str, Any]]:
    """One simulated programme, asked everything that is calibrated."""
    import evalkit as ek

    cells = list(product(PROCESSES, RHOS, PLANTED))
    process, rho, planted = cells[run % len(cells)]
    settings = {"seed": seed + run, "effects": PLANTED[planted], "process": process, "rho": rho, "team_icc": 0.0}
    programme = ek.simulate(**settings, events=False, tables=("responses", "outcomes"), asked=("self",))
    alone = ek.simulate(**settings, events=False, places=12, programme_places=12, tables=("outcomes",))
    truth = programme.truth or {}
    ratio, grown = truth["effects"][MEASURE], truth["expected"][ON]["change"]
    asked = {
        "change, against comparison places": (ek.population.change(programme, measure=MEASURE), ratio, 1.0),
        "change, one series": (ek.population.change(alone, measure=MEASURE), ratio, 1.0),
        "growth": (ek.individual.growth(programme, on=ON), grown, 0.0),
    }
    return [
        {
            "question": question,
            "process": "" if question == "growth" else process,
            "rho": float("nan") if question == "growth" else rho,
            "planted": planted,
            "covered": row["low"] <= true <= row["high"],
            "error": planted == "nothing" and not row["low"] <= no_change <= row["high"],
            "half_width": (row["high"] - row["low"]) / 2,
            "verdict": result.verdict.value,
        }
        for question, (result, true, no_change) in asked.items()
        for row in [result.table.iloc[0]]
    ]


def counted(runs: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Errors and coverage in %, each with its Monte Carlo error, and the mean half-width."""
    rows = []
    for cell, of_cell in runs.groupby(by, dropna=False):
        nothing = of_cell[of_cell["planted"] == "nothing"]
        errors, covered = nothing["error"].mean(), of_cell["covered"].mean()
        rows.append(
            {
                **dict(zip(by, cell if isinstance(cell, tuple) else (cell,), strict=True)),
                "runs": len(of_cell),
                "nothing": len(nothing),
                "errors_%": 100 * errors,
                "±": 100 * math.sqrt(errors * (1 - errors) / max(len(nothing), 1)),
                "coverage_%": 100 * covered,
                "± ": 100 * math.sqrt(covered * (1 - covered) / len(of_cell)),
                "half_width": of_cell["half_width"].mean(),
            }
        )
    return pd.DataFrame(rows)


def broken(total: pd.DataFrame) -> list[str]:
    """Promises not kept, in words."""
    said = []
    for row in total.to_dict("records"):
        low, high = GROWTH_COVERAGE if row["question"] == "growth" else (LEAST_COVERAGE, 100.0)
        if not low <= row["coverage_%"] <= high:
            said.append(f"{row['question']}: covers {row['coverage_%']:.1f} %")
        if row["question"] != "growth" and row["errors_%"] > MOST_ERRORS:
            said.append(f"{row['question']}: errs {row['errors_%']:.1f} %")
    return said


def by_chance(
    people: int, density: float, directed: bool, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.Series[int]]:
    """Ties drawn without regard to groups, and groups of unequal size; drawn anew where nobody is tied."""
    labels = np.repeat(np.arange(len(GROUP_SHARES)), np.round(np.array(GROUP_SHARES) * people).astype(int))
    groups = pd.Series(rng.permutation(labels))
    may_be = ~np.eye(len(groups), dtype=bool) if directed else np.tri(len(groups), k=-1, dtype=bool)
    while True:
        tied = np.argwhere((rng.random(may_be.shape) < density) & may_be)
        if len(tied):
            return pd.DataFrame(tied, columns=["from_id", "to_id"]), groups


def network_errors(design: tuple[int, float, bool], *, runs: int, seed: int, permutations: int = 999) -> dict[str, Any]:
    """How often p is at most .05 in so many networks of one design with nothing in them."""
    from evalkit.stats import network

    people, density, directed = design
    rng = np.random.default_rng([seed, people, round(1000 * density), directed])
    errors = 0
    for _ in range(runs):
        ties, groups = by_chance(people, density, directed, rng)
        found = network.ei(ties, groups, directed=directed, permutations=permutations, seed=int(rng.integers(1 << 32)))
        errors += found.p <= 0.05
    share = errors / runs
    return {
        "question": "E-I index",
        "people": people,
        "density": density,
        "directed": directed,
        "runs": runs,
        "errors_%": 100 * share,
        "±": 100 * math.sqrt(share * (1 - share) / runs),
    }


def broken_by_networks(designs: pd.DataFrame) -> list[str]:
    """Designs in which the E-I index errs too often, or so seldom that its p cannot be right, in words."""
    low, high = NETWORK_ERRORS
    return [
        f"E-I index, {row['people']} people, density {row['density']}, {'' if row['directed'] else 'un'}directed: "
        f"errs {row['errors_%']:.2f} %"
        for row in designs.to_dict("records")
        if not low <= row["errors_%"] <= high
    ]


def programmes(pool: ProcessPoolExecutor, runs: int, seed: int) -> list[str]:
    """Count and print what happens in simulated programmes; the promises not kept."""
    found = []
    for done, rows in enumerate(pool.map(partial(one, seed=seed), range(2 * runs), chunksize=12), 1):
        found += rows
        if done % 200 == 0:
            print(f"{done} of {2 * runs} programmes", file=sys.stderr)
    asked = pd.DataFrame(found)
    total = counted(asked, ["question"])
    print(counted(asked, ["question", "process", "rho"]).round(3).to_string(index=False))
    print(total.round(3).to_string(index=False))
    return broken(total)


def networks(pool: ProcessPoolExecutor, runs: int, seed: int) -> list[str]:
    """Count and print what happens in networks drawn by chance; the promises not kept."""
    designs = pd.DataFrame(pool.map(partial(network_errors, runs=runs, seed=seed), NETWORKS))
    print(designs.round(3).to_string(index=False))
    return broken_by_networks(designs)


def people(pool: ProcessPoolExecutor, runs: int, seed: int) -> list[str]:
    """Count and print how often questions about leaders are wrong; the promises not kept."""
    of_twelve = pool.submit(calibration_people.rises, runs, seed)
    designs = pool.map(partial(calibration_people.counted, runs=2 * runs, seed=seed), calibration_people.CELLS)
    sizes = calibration_people.sizes_of_change(runs=runs, seed=seed)
    found = pd.DataFrame([*designs, *sizes, of_twelve.result()]).fillna("")
    print(found.round(2).to_string(index=False))
    return [*calibration_people.broken(found)]


def growth_models(pool: ProcessPoolExecutor, runs: int, seed: int) -> list[str]:
    """Count and print how often the growth model misses, two arms of teams and one line; the promises not kept."""
    parts = pool.map(partial(calibration_growth.cells, runs, seed), calibration_growth.QUESTIONS)
    found = pd.concat(parts, ignore_index=True)
    print(found.round(2).to_string(index=False))
    return calibration_growth.broken(found)


def one_by_one(cells: Iterable[Cell]) -> list[str]:
    """Print each cell as it is counted; the promises not kept."""
    wrong = []
    for cell in cells:
        print(cell.line, flush=True)
        wrong += cell.broken
    return wrong


def places(pool: ProcessPoolExecutor, runs: int, seed: int) -> list[str]:
    """Count and print how often places beside places mislead, and what they can show; the promises not kept."""
    return one_by_one(chain(calibration_places.cells(2 * runs, seed), calibration_seen.of_places(2 * runs, seed)))


def series(pool: ProcessPoolExecutor, runs: int, seed: int) -> list[str]:
    """Count and print how often one series misleads, and what it can show; the promises not kept."""
    return one_by_one(chain(calibration_change.cells(2 * runs, seed), calibration_seen.of_series(2 * runs, seed)))


COUNTED = {"networks": networks, "people": people, "growth": growth_models, "places": places, "series": series,
           "programmes": programmes}  # fmt: skip
"""What can be counted, by the name under which it is asked for."""


def main() -> int:
    """Run, count, print."""
    told = argparse.ArgumentParser(description="How often is evalkit wrong?")
    told.add_argument("--runs", type=int, default=2000, help="programmes with nothing going on; as many with something")
    told.add_argument("--seed", type=int, default=1)
    told.add_argument("--jobs", type=int, default=2)
    told.add_argument("--only", choices=[*COUNTED], help="one of these; all without it")
    wanted = told.parse_args()
    wrong = []
    with ProcessPoolExecutor(wanted.jobs) as pool:
        for name, count in COUNTED.items():
            if wanted.only in (None, name):
                wrong += count(pool, wanted.runs, wanted.seed)
    print("Every promise kept." if not wrong else "\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
