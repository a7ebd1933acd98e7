"""What became of it at work, some months after the last session: leaders say so, and some of their sponsors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from evalkit.instrument import Instrument
from evalkit.simulation.cast import Cast, Names
from evalkit.simulation.people import Leaders
from evalkit.simulation.scenario import Scenario

ASKED = {"self": 48, "sponsor": 24}
"""So many leaders still there are asked about themselves, and for so many of them their sponsors."""

REPLIES = {"self": 0.85, "sponsor": 0.65}
"""The share of those asked who reply."""

MONTHS, SPREAD_DAYS = 4, 24
"""Asked so many months after the last session, over so many days."""

SHARES = {
    "self": (0.22, 0.27, 0.26, 0.12, 0.08, 0.05),
    "sponsor": (0.30, 0.24, 0.20, 0.06, 0.06, 0.14),
}
"""Of each answer (not yet, tried, used, embedded, stopped, cannot say), every behaviour alike: sponsors see less."""

LEAN = 0.5
"""How far one person leans the same way on every behaviour: the correlation of the positions behind two answers."""


def rows(
    form: Instrument,
    scenario: Scenario,
    cast: Cast,
    leaders: Leaders,
    doings: Mapping[str, pd.DataFrame],
    rng: np.random.Generator,
) -> list[pd.DataFrame]:
    """Rows of `responses`, a frame a rater; none where the day would lie after the last one known."""
    last = doings["sessions"].loc[doings["sessions"]["held_on"] <= pd.Timestamp(scenario.as_of), "held_on"].max()
    opens = last + pd.DateOffset(months=MONTHS)
    if pd.isna(last) or opens + pd.Timedelta(days=SPREAD_DAYS) > pd.Timestamp(scenario.as_of):
        return []
    there = np.flatnonzero(leaders.gone_from == scenario.waves)
    piles = []
    for rater, many in ASKED.items():
        asked = there[:: max(len(there) // many, 1)][:many]
        who = asked[rng.random(len(asked)) < REPLIES[rater]]
        by = cast.leader[who] if rater == "self" else cast.sponsor[cast.sponsor_of[who]]
        piles.append(_pile(form, rater, by, cast.leader[who], opens.date(), rng))
    return piles


def _pile(form: Instrument, rater: str, by: Names, about: Names, opens: date, rng: np.random.Generator) -> pd.DataFrame:
    from scipy.special import ndtr

    items = [item.key for item in form.items]
    own = rng.standard_normal((len(by), 1))
    position = np.sqrt(LEAN) * own + np.sqrt(1 - LEAN) * rng.standard_normal((len(by), len(items)))
    answers = np.searchsorted(np.cumsum(SHARES[rater])[:-1], ndtr(position)).astype(float)
    answers[answers == len(SHARES[rater]) - 1] = form.scale.codes["cannot say"]
    days = np.datetime64(opens, "D") + rng.integers(0, SPREAD_DAYS, len(by))
    return pd.DataFrame(
        {
            "respondent_id": np.repeat(by, len(items)),
            "subject_kind": "person",
            "subject_id": np.repeat(about, len(items)),
            "rater": rater,
            "instrument": form.id,
            "item": np.tile(items, len(by)),
            "timing": "followup",
            "answered_on": np.repeat(days, len(items)),
            "answer": answers.ravel(),
        }
    )


def expected() -> dict[str, Any]:
    """The share of each answer, by who is asked."""
    return {"putting_to_use": {f"shares_by_{rater}": list(shares) for rater, shares in SHARES.items()}}
