"""What observers found places to be like: market, hierarchy or network, and how far lessons are heeded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit.menu import Menu
from evalkit.simulation import days
from evalkit.simulation.cast import Numbers, ids
from evalkit.simulation.forms import menus
from evalkit.simulation.scenario import Scenario

OBSERVERS = ("C1", "C2")

LOOKS = (20, -40)
"""Places are looked at so many days after the start, and before the last day."""

FORMS = "network_forms"
FIRST_FORMS = (0.15, 0.65, 0.20)
"""Shares of features that are a market's, a hierarchy's and a network's at the first look; by the second the effect
`network_form` has been taken from hierarchies and given to networks."""

READS_RIGHT = 0.85
"""The share of features an observer reads as they are; the other readings fall on the other forms alike."""

TWICE_EVERY = 2
"""The second observer looks at every so manieth place."""

HEEDED = ("learning_points", "virtuous_triangle")
HEEDED_SHARES = (0.40, 0.40, 0.20)
"""Shares of entries that are absent, there in part, and in place, at both looks."""
HEEDED_PLACES = 3
"""How many places are looked at for these, by the first observer alone."""


def shares(scenario: Scenario) -> list[list[float]]:
    """True shares of the three forms at each look. Raises ValueError when the planted change runs off."""
    change = scenario.effects["network_form"]
    market, hierarchy, network = FIRST_FORMS
    last = [market, hierarchy - change, network + change]
    if min(last) < 0:
        raise ValueError(
            f"A change of {change} in network_form runs off: from {-network:g} to {hierarchy:g} is possible."
        )
    return [list(FIRST_FORMS), last]


def tables(scenario: Scenario, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """`observations`."""
    parts = [_forms(scenario, menus()[FORMS], rng), *(_heeded(scenario, menus()[name], rng) for name in HEEDED)]
    return {"observations": pd.concat(parts, ignore_index=True)}


def _forms(scenario: Scenario, scheme: Menu, rng: np.random.Generator) -> pd.DataFrame:
    """Place × look × feature as it is, and then as each observer reads it."""
    shape = (scenario.programme_places, len(LOOKS), len(scheme.entries))
    place, look, feature = (at.ravel() for at in np.indices(shape))
    true = _drawn(np.array(shares(scenario))[look], rng)
    piles = []
    for observer in OBSERVERS:
        slip = rng.integers(1, 3, len(true)) * (rng.random(len(true)) >= READS_RIGHT)
        looked = (place % TWICE_EVERY == 0) | (observer == OBSERVERS[0])
        read = (true + slip) % 3
        at = (part[looked] for part in (place, look, feature, read))
        piles.append(_rows(scenario, scheme, *at, coder=observer))
    return pd.concat(piles)


def _heeded(scenario: Scenario, scheme: Menu, rng: np.random.Generator) -> pd.DataFrame:
    shape = (min(HEEDED_PLACES, scenario.programme_places), len(LOOKS), len(scheme.entries))
    place, look, feature = (at.ravel() for at in np.indices(shape))
    found = _drawn(np.broadcast_to(HEEDED_SHARES, (len(place), 3)), rng)
    return _rows(scenario, scheme, place, look, feature, found, coder=OBSERVERS[0])


def _drawn(chances: Any, rng: np.random.Generator) -> Numbers:
    """One of three kinds for each row of chances."""
    return np.asarray((rng.random(len(chances))[:, None] >= np.cumsum(chances, axis=1)[:, :2]).sum(axis=1))


def _rows(
    scenario: Scenario, scheme: Menu, place: Numbers, look: Numbers, feature: Numbers, form: Numbers, *, coder: str
) -> pd.DataFrame:
    on = days.FIRST + np.array([LOOKS[0], days.last(scenario) + LOOKS[1]])
    return pd.DataFrame(
        {
            "place_id": ids("P", scenario.places)[place],
            "feature": np.array([entry.key for entry in scheme.entries])[feature],
            "form": np.array(scheme.forms)[form],
            "coder": coder,
            "observed_on": on[look],
        }
    )


def expected(scenario: Scenario) -> dict[str, Any]:
    """Shares as they are and as observers write them down, slips included, and how often two observers agree."""
    slip = (1 - READS_RIGHT) / 2
    network = [form[-1] for form in shares(scenario)]
    return {
        "observations": {
            "share_network_by_look": network,
            "share_written_down_as_network_by_look": [READS_RIGHT * share + slip * (1 - share) for share in network],
            "share_of_features_two_observers_agree_on": READS_RIGHT**2 + 2 * slip**2,
            "share_of_lessons_in_place": HEEDED_SHARES[-1],
        }
    }
