"""How often is evalkit wrong? Simulated programmes through the public questions, counted.

    python -m tests.calibration [--runs 2000] [--seed 1] [--jobs 2]

Half of the programmes have counts that are AR(1) as observed, half Poisson counts on a latent AR(1), each with ρ 0, .3
and .6 in turn; leaders are independent of each other, and a quarter drop out, low scorers more often. Every programme
is asked `population.change` against its comparison places and without them, and `individual.growth`. With nothing going
on, an interval that leaves out no change is an error; what is planted must lie in the interval as often as it says.

Limits (as in the tests of the releases): errors of `population.change` at most 6.5 %, coverage at least 93.5 %;
coverage of `individual.growth` 93 to 97 %. Exit 1 when one is broken.
"""

from __future__ import annotations

import argparse
import math
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from typing import Any

import pandas as pd

PROCESSES = ("observation", "latent")
RHOS = (0.0, 0.3, 0.6)
MEASURE = "emergency_admissions_65_plus"
ON = "system_leadership"
MOST_ERRORS, LEAST_COVERAGE = 6.5, 93.5
GROWTH_COVERAGE = (93.0, 97.0)
PLANTED: dict[str, dict[str, float]] = {"nothing": {}, "something": {ON: 0.3, MEASURE: 0.9}}


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


def main() -> int:
    """Run, count, print."""
    told = argparse.ArgumentParser(description="How often is evalkit wrong?")
    told.add_argument("--runs", type=int, default=2000, help="programmes with nothing going on; as many with something")
    told.add_argument("--seed", type=int, default=1)
    told.add_argument("--jobs", type=int, default=2)
    wanted = told.parse_args()
    with ProcessPoolExecutor(wanted.jobs) as pool:
        found = []
        for done, rows in enumerate(pool.map(partial(one, seed=wanted.seed), range(2 * wanted.runs), chunksize=12), 1):
            found += rows
            if done % 200 == 0:
                print(f"{done} of {2 * wanted.runs} programmes", file=sys.stderr)
    runs = pd.DataFrame(found)
    total = counted(runs, ["question"])
    print(counted(runs, ["question", "process", "rho"]).round(3).to_string(index=False))
    print(total.round(3).to_string(index=False))
    wrong = broken(total)
    print("Every promise kept." if not wrong else "\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
