"""How it was meant to work, what else could explain it, how long forms take, and what was put right in the data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from evalkit.simulation.days import FIRST
from evalkit.simulation.scenario import START, Scenario, shipped


def tables() -> dict[str, pd.DataFrame]:
    """`theory`, `rivals` and `burden`: written once and the same whatever the seed."""
    links, rivals, minutes = (shipped("notes")[name] for name in ("theory", "rivals", "burden"))
    theory = {name: [row.get(name) for row in links] for name in ("assumption", "evidence", "strength", "direction")}
    ends = {"from_node": [row["from"] for row in links], "to_node": [row["to"] for row in links]}
    sides = {"evidence_for": "for", "evidence_against": "against", "plausibility": "plausibility"}
    return {
        "theory": pd.DataFrame({**ends, **theory}),
        "rivals": pd.DataFrame(
            {
                "to_node": [row["to"] for row in rivals],
                "explanation": [row["explanation"] for row in rivals],
                **{name: [row.get(key) for row in rivals] for name, key in sides.items()},
            }
        ),
        "burden": pd.DataFrame({"instrument": list(minutes), "minutes": np.array(list(minutes.values()), dtype=float)}),
    }


def corrections(
    scenario: Scenario, spine: Mapping[str, pd.DataFrame], rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """`corrections` of two slips of the keyboard and a day; the tables hold what is right already."""
    body, place = spine["organisations"].iloc[7], spine["places"].iloc[0]
    opened = scenario.opens_on[1].isoformat()
    workforce, population = str(body["workforce"]), str(place["population"])
    rows = [
        ("organisations.csv", body["organisation_id"], "workforce", f"{workforce}0", workforce,
         "A nought too many; checked against the yearly report (fictional)"),
        ("places.csv", place["place_id"], "population", population[1:] + population[0], population,
         "Digits in another order; checked against the list of the council (fictional)"),
        ("waves.csv", "2", "opens_on", START.isoformat(), opened,
         "The programme's first day stood there; the survey's own log has the day"),
    ]  # fmt: skip
    told = [row for row in rows if row[3] != row[4]]
    frame = pd.DataFrame(told, columns=["file", "row_id", "column", "old", "new", "reason"])
    decided = FIRST + np.sort(rng.integers(190, 201, len(told)))
    return {"corrections": frame.assign(who="data lead of the evaluation", decided_on=decided)}
