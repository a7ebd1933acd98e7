"""Emergency admissions of people 65 and over, by place, month and age band, and how many people there were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.simulation.cast import ids
from evalkit.simulation.scenario import Scenario
from evalkit.simulation.scoring import Floats, Numbers

MEASURE = "emergency_admissions_65_plus"

BANDS = ("65-69", "70-74", "75-79", "80-84", "85-89", "90+")
PEOPLE = np.array([0.27, 0.25, 0.20, 0.14, 0.09, 0.05])
"""Shares of people 65 and over in each band."""

RISK = np.array([0.55, 0.75, 1.00, 1.40, 1.90, 2.50])
"""Chance of an emergency admission, relative to 75-79."""

YEARLY_RATE = 0.24
"""Emergency admissions a year for each person 65 and over, all bands together, at the start."""

SIZES = 0.45
"""Standard deviation of the logarithm of places' sizes."""

SEASON = ((0.08, 1), (0.03, 2))
"""Two harmonics: half-width on the log scale, and turns a year; the first peaks in January."""

TREND = 0.0010
"""Rise a month, on the log scale, everywhere."""

AGEING = np.array([0.0004, 0.0006, 0.0012, 0.0010, 0.0014, 0.0018])
"""Growth of each band's population a month, on average: people are counted once a year, as estimates of them are."""

YEAR = 12

SHOCK = 1.12
SHOCK_MONTHS = (9, 10)
"""Winter pressures: the ratio, everywhere, in these months after the start (January and February 2025)."""

DEFINITION = 1.06
DEFINITION_MONTH = -24
"""Same-day emergency care counts from here (April 2022): the ratio, everywhere, from this month on."""


@dataclass(frozen=True, slots=True)
class Lives:
    """Place × month: the expected counts and the counts. Place × month × band: counts and people."""

    expected: Floats
    total: Numbers
    count: Numbers
    population: Numbers


def draw(scenario: Scenario, rng: np.random.Generator) -> Lives:
    """Sixty months in nineteen places."""
    population = _population(scenario, rng)
    expected = population @ _risk(scenario) * _times(scenario)
    total = _counts(expected, scenario, rng)
    share = population * RISK
    count = rng.multinomial(total, share / share.sum(axis=2, keepdims=True))
    return Lives(expected, total, count, population)


def after_start(scenario: Scenario) -> NDArray[np.bool_]:
    """Place × month: True in a programme place from the first month of the programme."""
    programme = np.arange(scenario.places) < scenario.programme_places
    return programme[:, None] & (np.arange(scenario.months) >= scenario.start_month)


def _population(scenario: Scenario, rng: np.random.Generator) -> Numbers:
    """Sized so that the programme places together expect `admissions` a month at the start."""
    size = np.exp(SIZES * rng.standard_normal(scenario.places))
    everybody = scenario.admissions * 12 / YEARLY_RATE * size / size[: scenario.programme_places].sum()
    mix = PEOPLE * np.exp(0.05 * rng.standard_normal((scenario.places, len(BANDS))))
    bands = everybody[:, None] * mix / mix.sum(axis=1, keepdims=True)
    years = (np.arange(scenario.months)[:, None] - scenario.start_month) // YEAR
    people = np.maximum(np.rint(bands[:, None, :] * np.exp(YEAR * years * AGEING)), 1)
    return np.asarray(people, dtype=np.int64)


def _risk(scenario: Scenario) -> Floats:
    """Each band's monthly rate at the start, so that all bands together have the yearly one."""
    return np.asarray(YEARLY_RATE / 12 * RISK / (PEOPLE @ RISK))


def _times(scenario: Scenario) -> Floats:
    """Place × month: what season, trend, shared events and the programme multiply the rate by."""
    months = np.arange(scenario.months) - scenario.start_month
    turn = 2 * np.pi * (scenario.periods.month.to_numpy() - 1) / 12
    log_rate = TREND * months + sum(half * np.cos(turns * turn) for half, turns in SEASON)
    if scenario.events:
        log_rate = log_rate + np.log(SHOCK) * np.isin(months, SHOCK_MONTHS)
        log_rate = log_rate + np.log(DEFINITION) * (months >= DEFINITION_MONTH)
    return np.asarray(np.exp(log_rate) * np.where(after_start(scenario), scenario.effects[MEASURE], 1.0))


def _counts(expected: Floats, scenario: Scenario, rng: np.random.Generator) -> Numbers:
    """Counts with variance `overdispersion` × mean and correlation `rho` from month to month, place by place.

    "observation": a Gaussian AR(1) turned into negative binomial counts through their quantiles, so that the counts
    themselves are correlated. "latent": Poisson counts on a log-normal AR(1), whose counts look less correlated
    but stay so for longer.
    """
    wander = _autoregression(expected.shape, scenario.rho, rng)
    extra = scenario.overdispersion - 1
    if scenario.process == "latent":
        variance = np.log1p(extra / expected)
        return rng.poisson(expected * np.exp(np.sqrt(variance) * wander - variance / 2)).astype(np.int64)
    from scipy.special import ndtr
    from scipy.stats import nbinom, poisson

    level = ndtr(wander)
    if extra == 0:
        return np.asarray(poisson.ppf(level, expected)).astype(np.int64)
    return np.asarray(nbinom.ppf(level, expected / extra, 1 / scenario.overdispersion)).astype(np.int64)


def _autoregression(shape: tuple[int, ...], rho: float, rng: np.random.Generator) -> Floats:
    """Stationary standard normal AR(1) along the second axis, one series to a row."""
    noise = rng.standard_normal(shape)
    noise[:, 1:] *= np.sqrt(1 - rho**2)
    for month in range(1, shape[1]):
        noise[:, month] += rho * noise[:, month - 1]
    return noise


def tables(scenario: Scenario, lives: Lives) -> dict[str, pd.DataFrame]:
    """`outcomes`, a row a place, month and age band, and `denominators`, a row a place, financial year and age band."""
    months = np.arange(scenario.months)
    first_of_year = months[(months == 0) | ((months - scenario.start_month) % YEAR == 0)]
    began = scenario.periods[first_of_year]
    short = (scenario.start_month - first_of_year[0]) % YEAR
    if short:  # the first year had begun before the first month
        began = began.delete(0).insert(0, began[0] - pd.DateOffset(months=YEAR - short))
    people = lives.population[:, first_of_year]
    outcomes = {"measure": np.repeat(MEASURE, lives.count.size), **_keys(scenario, scenario.periods, lives.count.shape)}
    return {
        "outcomes": pd.DataFrame(outcomes | {"count": lives.count.ravel()}),
        "denominators": pd.DataFrame(
            _keys(scenario, began, people.shape)
            | {"span": pd.array(np.full(people.size, YEAR), dtype="Int64"), "population": people.ravel().astype(float)}
        ),
    }


def _keys(scenario: Scenario, periods: pd.DatetimeIndex, shape: tuple[int, ...]) -> dict[str, Any]:
    place, period, band = (at.ravel() for at in np.indices(shape))
    return {
        "place_id": ids("P", scenario.places)[place],
        "period": periods.to_numpy()[period],
        "age_band": np.array(BANDS)[band],
    }
