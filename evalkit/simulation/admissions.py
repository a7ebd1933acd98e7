"""Admissions one by one, as a hospital would list them: they add up to the counts of `outcomes`, cell by cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit.simulation.cast import Numbers, ids
from evalkit.simulation.lives import BANDS, Lives
from evalkit.simulation.scenario import Scenario

FEMALE = 0.54
QUINTILES = (0.28, 0.24, 0.20, 0.16, 0.12)
"""Shares of admissions from the most deprived fifth to the least."""

AGAIN = 0.18
"""The share of admissions that are the last patient's of this place and age band once more."""

OLDEST = 99


def tables(scenario: Scenario, lives: Lives, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """`admissions`, in the order of their days."""
    place, month, band = (np.repeat(at.ravel(), lives.count.ravel()) for at in np.indices(lives.count.shape))
    firsts = scenario.periods.to_numpy().astype("datetime64[D]")
    lengths = scenario.periods.days_in_month.to_numpy()
    day = firsts[month] + rng.integers(0, lengths[month])
    order = np.lexsort((day, band, place))
    place, band, day = place[order], band[order], day[order]
    patient = _patients(place, band, rng)
    many = int(patient.max(initial=-1)) + 1
    low, high = _ages()
    own = np.zeros(many, dtype=np.int64)
    own[patient[::-1]] = band[::-1]
    age = rng.integers(low[own], high[own], endpoint=True)
    sex = np.where(rng.random(many) < FEMALE, "female", "male")
    quintile = rng.choice(5, many, p=QUINTILES) + 1
    listed = pd.DataFrame(
        {
            "place_id": ids("P", scenario.places)[place],
            "admitted_on": day,
            "age": age[patient],
            "sex": sex[patient],
            "quintile": quintile[patient],
            "person_id": ids("H", many, width=6)[patient],
        }
    )
    return {"admissions": listed.sort_values("admitted_on", kind="stable", ignore_index=True)}


def _patients(place: Numbers, band: Numbers, rng: np.random.Generator) -> Numbers:
    """A number for each patient: some admissions are the same patient's as the one before in this place and band."""
    new = rng.random(len(place)) >= AGAIN
    new[:1] = True
    new[1:] |= (np.diff(place) != 0) | (np.diff(band) != 0)
    return np.cumsum(new) - 1


def _ages() -> tuple[Numbers, Numbers]:
    """The youngest and the oldest of each band."""
    ends = [band.rstrip("+").split("-") for band in BANDS]
    return np.array([int(end[0]) for end in ends]), np.array([int(end[1]) if len(end) > 1 else OLDEST for end in ends])


def expected() -> dict[str, Any]:
    """Shares of admissions; a place's first admission of a band is always a new patient."""
    return {"admissions": {"share_female": FEMALE, "share_by_quintile": list(QUINTILES), "share_again_at_most": AGAIN}}
