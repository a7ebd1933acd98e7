"""How often is a growth model wrong? Simulated people in teams through `growth.model`, counted.

Called by `tests.calibration` (`--only growth`).

arms: half of the teams in each arm, two waves, nothing going on; teams differ in how they change (.15 of the variance
of a change lies between teams), which an intercept by team does not hold. An interval of time x arm that leaves out
zero is an error; beside it that of the team means of the changes (complete pairs). lines: one line for all, people who
change differently, three or four waves; coverage of the slope. A quarter are gone by the last wave, likelier after low
answers. Answers are normal, or 1 to 5 with over half of the first answers at the top. Teams of 8, or of 4 to 14.

Limits: errors of the robust interval 3.5 to 6.5 % (at most 7 % at the ceiling), its coverage 93 to 97 %. The model's
own errors (`fixed`) are counted and bound to nothing.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from evalkit.stats import clusters, growth

ICC = 0.15
SLOPE = 0.2
TURN = math.pi / 3
"""A person is level cos(t) + slope sin(t), t from 0 to this: much like a line, but as spread out at each wave, so that
the mean stays where it was under a ceiling too. The change from first to last then has variance 1, and 1.5 with noise
of .5, of which .15 lies between teams."""
ERRORS, ERRORS_AT_CEILING, COVERAGE = (3.5, 6.5), 7.0, (93.0, 97.0)
QUESTIONS = ("arms", "lines")
RESULTS = ["robust", "fixed", "team means"]


@dataclass(frozen=True)
class Cell:
    """What is simulated: question "arms" or "lines" (then of so many people); teams: how many, 0 for none."""

    question: str
    answers: str
    teams: int
    sizes: str
    waves: int
    people: int
    missing: str


ARMS = [
    Cell("arms", answers, teams, sizes, 2, 0, missing)
    for answers, teams, sizes, missing in product(
        ("normal", "ceiling"), (6, 10, 20), ("8", "4-14"), ("none", "low leave")
    )
]
LINES = [
    Cell("lines", answers, teams, "", waves, people, "low leave")
    for answers, (people, teams), waves in product(
        ("normal", "ceiling"), ((15, 0), (30, 0), (100, 0), (15, 3), (30, 6), (100, 13)), (3, 4)
    )
]


def people(cell: Cell, rng: np.random.Generator) -> pd.DataFrame:
    """One data set: a row a person and wave; nothing going on in "arms" and at the ceiling, else a slope of .2."""
    if cell.question == "arms":
        sizes = np.full(cell.teams, 8) if cell.sizes == "8" else rng.integers(4, 15, cell.teams)
    else:
        sizes = np.array([part.size for part in np.array_split(np.arange(cell.people), cell.teams or cell.people)])
    team = np.repeat(np.arange(len(sizes)), sizes)
    count, wave = len(team), np.arange(float(cell.waves))
    shared = ICC * 1.5 if cell.teams else 0.0
    drawn = [
        (rng.normal(0, math.sqrt(shared), len(sizes))[team] + rng.normal(0, math.sqrt(1 - shared), count))[:, None]
        for _ in range(2)
    ]
    turn = wave * TURN / (cell.waves - 1)
    noise = rng.normal(0, 0.5, (count, cell.waves))
    score = drawn[0] * np.cos(turn) + drawn[1] * np.sin(turn) + true_slope(cell) * wave + noise
    if cell.answers == "ceiling":
        score = np.clip(np.round(4.6 + 0.8 * score), 1, 5)
    frame = pd.DataFrame(
        {
            "person": np.repeat(np.arange(count), cell.waves),
            "team": np.repeat(team, cell.waves),
            "arm": np.repeat(np.where(team % 2, "new", "usual"), cell.waves),
            "wave": np.tile(wave, count),
            "score": score.ravel(),
        }
    )
    return frame.assign(score=np.where(left(cell, score, rng).ravel(), np.nan, score.ravel()))


def true_slope(cell: Cell) -> float:
    """Per wave."""
    return SLOPE if cell.question == "lines" and cell.answers == "normal" else 0.0


def left(cell: Cell, score: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Who is gone at which wave, for good: likelier after an answer below the median before, a quarter in all."""
    gone = np.zeros(score.shape, dtype=bool)
    if cell.missing == "none":
        return gone
    a_wave = 1 - 0.75 ** (1 / (cell.waves - 1))
    for wave in range(1, score.shape[1]):
        low = score[:, wave - 1] < np.median(score[:, 0])
        gone[:, wave] = gone[:, wave - 1] | (rng.random(len(score)) < np.where(low, 1.6, 0.4) * a_wave)
    return gone


def once(cell: Cell, rng: np.random.Generator) -> dict[str, float]:
    """Of each way of judging, whether its interval leaves out the truth; NaN where it refuses."""
    frame, missed = people(cell, rng), dict.fromkeys(RESULTS, float("nan"))
    arms = cell.question == "arms"
    told: dict[str, Any] = {"outcome": "score", "time": "wave", "person": "person"}
    told |= {"team": "team"} if cell.teams else {}
    try:
        found = growth.model(frame, **told, by="arm" if arms else None)
    except ValueError:
        return missed
    true, place = (0.0, 3) if arms else (true_slope(cell), 1)
    for name, table in (("robust", found.robust), ("fixed", found.fixed)):
        missed[name] = float(not table["low"][place] <= true <= table["high"][place])
    if arms:
        wide = frame.pivot(index=["person", "team", "arm"], columns="wave", values="score").dropna().reset_index()
        other = clusters.means(wide[1.0] - wide[0.0], wide["team"], treated=wide["arm"] == "new", allocations=1)
        missed["team means"] = float(not other.low <= 0 <= other.high)
    return missed


def cells(runs: int, seed: int, only: str | None = None) -> pd.DataFrame:
    """A row a cell: what was simulated, misses in % with the Monte Carlo error of the robust ones, and refusals."""
    rows: list[dict[str, Any]] = []
    for place, cell in enumerate(cell for cell in ARMS + LINES if only in (None, cell.question)):
        print(f"cell {place + 1}: {cell}", file=sys.stderr)
        rng = np.random.default_rng([seed, place])
        missed = pd.DataFrame([once(cell, rng) for _ in range(runs)])
        share = missed["robust"].mean()
        rows.append(
            {name: getattr(cell, name) for name in Cell.__dataclass_fields__}
            | {f"{name}_%": 100 * missed[name].mean() for name in RESULTS}
            | {"±": 100 * math.sqrt(share * (1 - share) / runs), "refused": int(missed["robust"].isna().sum())}
        )
    return pd.DataFrame(rows)


def broken(found: pd.DataFrame) -> list[str]:
    """Promises not kept, in words."""
    said = []
    for row in found.to_dict("records"):
        low, high = 100 - COVERAGE[1], 100 - COVERAGE[0]
        if row["question"] == "arms":
            low, high = ERRORS if row["answers"] == "normal" else (0.0, ERRORS_AT_CEILING)
        if not low <= row["robust_%"] <= high:
            what = ", ".join(f"{name} {row[name]}" for name in Cell.__dataclass_fields__)
            said.append(f"growth.model ({what}): misses {row['robust_%']:.1f} %")
    return said
