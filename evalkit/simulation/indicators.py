"""Other figures of people's lives, given once a year or quarter: deaths, admissions by deprivation, what people say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit.simulation.cast import ids
from evalkit.simulation.lives import Lives
from evalkit.simulation.scenario import Scenario
from evalkit.simulation.scoring import Floats, Numbers
from evalkit.simulation.spine import PEOPLE_65_PLUS

DEATHS, AVOIDABLE, JOINED_UP, RECOMMEND = "deaths", "avoidable_admissions", "joined_up_care", "staff_recommend"

BANDS = (*(f"{low}-{low + 4}" for low in range(0, 90, 5)), "90+")
PEOPLE = np.array([55, 58, 60, 58, 55, 60, 66, 68, 66, 62, 66, 70, 62, 52, 48, 38, 27, 17, 12], dtype=float)
"""How many of a thousand people are in each band, women and men together."""
SEXES = {"female": 1.0, "male": 1.38}
"""Death rates of men are that many times those of women at every age."""
YOUNGEST, AT_30, DOUBLING = 0.0009, 0.00045, 7.2
"""Deaths a woman and year: under 5; at 30, from where the rate doubles every so many years."""
SIZES = 0.10
"""Standard deviation of the logarithm of places' death rates."""

QUINTILES = (0.28, 0.24, 0.20, 0.16, 0.12)
"""Shares of people 65 and over from the most deprived fifth of neighbourhoods to the least, in all places together."""
AVOIDABLE_RATE, STEEPER = 0.030, 1.22
"""Avoidable admissions a person and year in the least deprived fifth, and how many times more in each fifth below."""

SAY_JOINED_UP, SAY_RECOMMEND = 0.58, 0.63
"""Shares of those who answer, everywhere and always alike."""
ANSWER = {JOINED_UP: (60, 240), RECOMMEND: (40, 420)}
"""How many answer in a place, at the least and at the most."""
BETWEEN = 0.25
"""How far places lie apart in what people say: standard deviation of the log odds."""


def tables(scenario: Scenario, lives: Lives, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Rows of `outcomes`. Nothing planted changes any of them. Yearly figures need a whole financial year."""
    whole_years = np.arange(scenario.start_month % 12, scenario.months - 11, 12)
    ends = np.unique([at for at in (scenario.start_month - 12, *whole_years[-1:]) if at >= 0]).astype(np.int64)
    quarters = np.arange(scenario.start_month % 3, scenario.months - 2, 3)
    piles = [
        _deaths(scenario, lives, ends, rng),
        _avoidable(scenario, lives, whole_years, rng),
        _said(scenario, JOINED_UP, SAY_JOINED_UP, quarters, 3, rng),
        _said(scenario, RECOMMEND, SAY_RECOMMEND, whole_years, 12, rng),
    ]
    return {"outcomes": pd.concat(piles, ignore_index=True)}


def _rows(
    scenario: Scenario, measure: str, months: Numbers, span: int, shape: tuple[int, ...]
) -> tuple[dict[str, Any], list[Numbers]]:
    """The keys of a row a place, period and whatever else the shape has, and where each row lies on it."""
    at = [axis.ravel() for axis in np.indices(shape)]
    keys = {
        "measure": np.repeat(measure, at[0].size),
        "place_id": ids("P", scenario.places)[at[0]],
        "period": scenario.periods.to_numpy()[months[at[1]]],
        "span": pd.array(np.full(at[0].size, span), dtype="Int64"),
    }
    return keys, at


def _deaths(scenario: Scenario, lives: Lives, months: Numbers, rng: np.random.Generator) -> pd.DataFrame:
    """By age band and sex, in the last year before the start and in the last whole year."""
    rates = np.stack([_death_rates() * times for times in SEXES.values()])  # sex, band
    own = np.exp(SIZES * rng.standard_normal(scenario.places))
    everybody = lives.population[:, months].sum(axis=2) / PEOPLE_65_PLUS
    people = np.rint(everybody[:, :, None, None] / 2 * (PEOPLE / PEOPLE.sum())).repeat(len(SEXES), axis=2)
    died = rng.binomial(people.astype(np.int64), np.minimum(rates * own[:, None, None, None], 0.9))
    keys, at = _rows(scenario, DEATHS, months, 12, people.shape)
    sex, band = np.array(list(SEXES))[at[2]], np.array(BANDS)[at[3]]
    return pd.DataFrame(keys | {"age_band": band, "sex": sex, "count": died.ravel(), "denominator": people.ravel()})


def _death_rates() -> Floats:
    """A woman's chance to die within a year, by band."""
    middle = np.array([*range(2, 90, 5), 93], dtype=float)
    rising = AT_30 * 2 ** ((middle - 30) / DOUBLING)
    return np.where(middle < 5, YOUNGEST, np.maximum(rising, 0.0001))


def _avoidable(scenario: Scenario, lives: Lives, months: Numbers, rng: np.random.Generator) -> pd.DataFrame:
    """By fifth of deprivation, of people 65 and over, every whole year."""
    mix = np.array(QUINTILES) * np.exp(0.4 * rng.standard_normal((scenario.places, len(QUINTILES))))
    shares = mix / mix.sum(axis=1, keepdims=True)
    people = np.maximum(np.rint(lives.population[:, months].sum(axis=2)[:, :, None] * shares[:, None, :]), 1)
    rates = AVOIDABLE_RATE * STEEPER ** np.arange(len(QUINTILES))[::-1]
    keys, at = _rows(scenario, AVOIDABLE, months, 12, people.shape)
    quintile = pd.array(at[2] + 1, dtype="Int64")
    admitted = rng.poisson(people * rates)
    return pd.DataFrame(
        keys | {"age_band": "65+", "quintile": quintile, "count": admitted.ravel(), "denominator": people.ravel()}
    )


def _said(
    scenario: Scenario, measure: str, share: float, months: Numbers, span: int, rng: np.random.Generator
) -> pd.DataFrame:
    """How many of those who answered said yes, place by place."""
    shape = (scenario.places, len(months))
    apart = np.log(share / (1 - share)) + BETWEEN * rng.standard_normal(scenario.places)
    asked = rng.integers(*ANSWER[measure], size=shape, endpoint=True)
    yes = rng.binomial(asked, 1 / (1 + np.exp(-apart[:, None])))
    keys, _ = _rows(scenario, measure, months, span, shape)
    return pd.DataFrame(keys | {"count": yes.ravel(), "denominator": asked.ravel().astype(float)})


def expected() -> dict[str, Any]:
    """What the figures are drawn around; nothing planted changes them."""
    return {
        "indicators": {
            DEATHS: {"men_to_women": SEXES["male"]},
            AVOIDABLE: {"rate_ratio_a_fifth": STEEPER},
            JOINED_UP: {"share": SAY_JOINED_UP},
            RECOMMEND: {"share": SAY_RECOMMEND},
        }
    }
