"""How long people would live at the death rates of one place and time: the abridged life table, with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit.stats.age_bands import in_order
from evalkit.stats.count_limits import normal

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from evalkit.stats.age_bands import Band

    Floats = NDArray[np.float64]

LEAST_PERSON_YEARS = 5_000
"""The fewest person-years for a life table (Toson & Baker 2003, National Statistics Methodological Series 33)."""

WIDEST_INTERVAL = 20.0
"""A life expectancy whose 95 % interval is wider than so many years is withheld (as in PHEindicatormethods)."""

METHOD = "Chiang, Silcocks"


@dataclass(frozen=True, slots=True, eq=False)
class LifeExpectancy:
    """Years of life still to come at the age `at` (0: at birth). `n` person-years and `count` deaths from there on."""

    estimate: float
    low: float
    high: float
    count: float
    n: float
    per: float
    confidence: float
    method: str
    se: float
    at: int
    _ages: pd.DataFrame = field(repr=False)

    @property
    def ages(self) -> pd.DataFrame:
        """A row an age: age, band, population, deaths, estimate, low, high, se, n, count, withheld.

        `n` and `count`: person-years and deaths at that age and over. Where the interval is too wide the estimate is
        NaN and `withheld` says why; it is blank elsewhere.
        """
        return self._ages.copy()

    def interval(self, confidence: float) -> tuple[float, float]:
        """The interval of this life expectancy at another level of confidence."""
        half = normal(confidence) * self.se
        return self.estimate - half, self.estimate + half


@dataclass(frozen=True, slots=True)
class LifeExpectancyDifference:
    """Years by which one life expectancy is above another, at the age `at`. `n` person-years and `count` deaths."""

    estimate: float
    low: float
    high: float
    count: float
    n: float
    per: float
    confidence: float
    method: str
    se: float
    at: int
    p: float

    def interval(self, confidence: float) -> tuple[float, float]:
        """The interval of this difference at another level of confidence."""
        half = normal(confidence) * self.se
        return self.estimate - half, self.estimate + half


def life_expectancy(
    deaths: ArrayLike,
    population: ArrayLike,
    ages: Sequence[Any],
    *,
    at: int = 0,
    confidence: float = 0.95,
) -> LifeExpectancy:
    """Life expectancy at birth, or at the age `at`, by Chiang's abridged life table with Silcocks' variance.

    In band i, w_i years wide: M_i = deaths / population; q_i = w_i M_i / (1 + w_i (1 - a_i) M_i), 1 in the last band;
    a_i, the part of the band lived by those who die in it, .1 in the first year of life and .5 elsewhere.
    l_0 = 1, l_i+1 = l_i (1 - q_i); L_i = w_i (l_i+1 + a_i l_i q_i), and l/M in the last; e_i = Σ_j≥i L_j / l_i.
    var(q_i) = w_i² M_i (1 - a_i w_i M_i) / (n_i (1 + (1 - a_i) w_i M_i)³), 0 where nobody died;
    var(e_i) = [Σ_i≤j<last l_j² ((1 - a_j) w_j + e_j+1)² var(q_j) + l_last² / (M_last² deaths_last)] / l_i²,
    the last term being Silcocks'. Interval: e ± z se.
    Sources: Chiang (1968), Introduction to Stochastic Processes in Biostatistics, pp. 189-214; Silcocks, Jenner & Reza
    (2001), J Epidemiol Community Health 55, 38-43; Eayres & Williams (2004), same journal 58, 243-249; as in
    PHEindicatormethods `phe_life_expectancy`. A period measure: nobody lives a whole life at one year's rates.

    deaths, population (person-years: years put together are added up), ages: one each a band, in any order; ages as
    `0`, `1-4`, … `90+` or starting ages (see `age_bands.edges`), from 0 on and the last one open. With 0-4 in one band
    a is .5 there, which credits infants who die with more life than they had (.03 years in the example below).
    Errors: ValueError for under 5,000 person-years in all, a band without people, more deaths than people or so many
    that nobody could survive it, no deaths in the last band, negative or missing values, bands that do not follow one
    another, or a 95 % interval at `at` wider than 20 years.

    >>> ages = [0, 1, *range(5, 95, 5)]
    >>> deaths = [17, 9, 4, 8, 20, 15, 24, 33, 50, 71, 100, 163, 263, 304, 536, 872, 1390, 1605, 1936, 1937]
    >>> people = [7060, 35059, 46974, 48489, 43219, 38561, 46009, 57208, 61435, 55601, 50209, 56416, 46411, 39820]
    >>> people += [37978, 37039, 33288, 23306, 11936, 11936]
    >>> life = life_expectancy(deaths, people, ages)
    >>> print(f"{life.estimate:.2f} years ({life.low:.2f} to {life.high:.2f})")
    80.17 years (79.88 to 80.46)
    >>> life.ages.loc[life.ages["age"] == 65, ["estimate", "low", "high"]].round(2).values.tolist()
    [[18.77, 18.58, 18.96]]
    """
    bands, order = _in_order(written := list(ages))
    _same_index(deaths, population)
    died, lived = _column(deaths, "deaths", order), _column(population, "population", order)
    labels = [str(written[place]) for place in order]
    _check(died, lived, labels)
    expected, variance = _table(died, lived, bands, labels)
    frame = _frame(bands, labels, died, lived, expected, np.sqrt(variance), confidence)
    if at not in set(frame["age"]):
        raise ValueError(
            f"No age band begins at {at}; life expectancy is known at {', '.join(map(str, frame['age']))}."
        )
    row = frame.loc[frame["age"] == at].iloc[0]
    if row["withheld"]:
        raise ValueError(f"Life expectancy at {at} is withheld: {row['withheld']}. Put years or places together.")
    estimate, low, high, count, n, se = (float(row[name]) for name in ("estimate", "low", "high", "count", "n", "se"))
    return LifeExpectancy(estimate, low, high, count, n, 1, confidence, METHOD, se, at, frame)


def difference(one: LifeExpectancy, other: LifeExpectancy, *, confidence: float = 0.95) -> LifeExpectancyDifference:
    """By how many years one life expectancy is above another: two places, two times, the least and the most deprived.

    estimate = e_one - e_other; se² = se_one² + se_other², since nobody is in both; interval ± z se, p by the normal.
    Source: Silcocks, Jenner & Reza (2001), J Epidemiol Community Health 55, 38-43, for the variances.
    Set a place beside the others rather than beside a whole it is part of: that holds its own deaths a second time, and
    the interval is then a little too wide.
    Errors: ValueError where the two are of different ages.

    >>> bands, people = ["0-39", "40-64", "65-79", "80+"], [5_000, 4_000, 2_000, 800]
    >>> here = life_expectancy([5, 20, 60, 95], people, bands)
    >>> there = life_expectancy([8, 25, 70, 98], people, bands)
    >>> gap = difference(here, there)
    >>> print(f"{gap.estimate:.2f} years ({gap.low:.2f} to {gap.high:.2f})")
    2.86 years (-1.26 to 6.97)
    """
    from scipy.special import ndtr

    if one.at != other.at:
        raise ValueError(f"One is at the age of {one.at}, the other at {other.at}; compare them at one age.")
    estimate, se = one.estimate - other.estimate, math.hypot(one.se, other.se)
    half = normal(confidence) * se
    return LifeExpectancyDifference(
        estimate=estimate,
        low=estimate - half,
        high=estimate + half,
        count=one.count + other.count,
        n=one.n + other.n,
        per=1,
        confidence=confidence,
        method=METHOD,
        se=se,
        at=one.at,
        p=float(2 * ndtr(-abs(estimate) / se)),
    )


def _in_order(ages: Sequence[Any]) -> tuple[list[Band], list[int]]:
    """The bands from young to old; ValueError unless they run from birth to an open end."""
    bands, order = in_order(ages)
    if bands[0].start != 0:
        raise ValueError(f"The youngest band begins at {bands[0].start}; a life table begins at 0.")
    if len(bands) < 2 or bands[-1].end != math.inf:
        raise ValueError(f"The oldest band, {str(ages[order[-1]])!r}, must be open (90+), with another before it.")
    return bands, order


def _same_index(deaths: Any, population: Any) -> None:
    both = isinstance(deaths, pd.Series) and isinstance(population, pd.Series)
    if both and not deaths.index.equals(population.index):
        raise ValueError("deaths and population carry different indexes; put them in one order first.")


def _column(values: ArrayLike, name: str, order: list[int]) -> Floats:
    """One number of 0 or more a band, from young to old."""
    column = np.asarray(values, dtype=float)
    if column.shape != (len(order),):
        raise ValueError(f"{name} has {column.size} values for {len(order)} age bands; each band needs one.")
    if not (np.isfinite(column) & (column >= 0)).all():
        place = int(np.argmin(np.isfinite(column) & (column >= 0)))
        raise ValueError(
            f"{name} is {column[place]} in band {place + 1}; a number of 0 or more is needed in every band."
        )
    return column[order]


def _check(died: Floats, lived: Floats, labels: list[str]) -> None:
    """The published refusals that are about the numbers themselves."""
    if (lived == 0).any():
        empty = labels[int(np.argmin(lived))]
        raise ValueError(f"There are no people in the band {empty!r}; put years or neighbouring bands together.")
    if lived.sum() < LEAST_PERSON_YEARS:
        raise ValueError(
            f"{lived.sum():g} person-years are too few for a life table (the least is {LEAST_PERSON_YEARS:,}); put "
            "years or places together."
        )
    if (died > lived).any():
        place = int(np.argmax(died > lived))
        raise ValueError(f"More died ({died[place]:g}) than lived ({lived[place]:g}) in the band {labels[place]!r}.")
    if died[-1] == 0:
        raise ValueError(f"Nobody died in the last band, {labels[-1]!r}: how long they live there is then not known.")


def _table(died: Floats, lived: Floats, bands: list[Band], labels: list[str]) -> tuple[Floats, Floats]:
    """Life expectancy at the start of each band, and its variance."""
    rate, last = died / lived, died[-1] / lived[-1]
    width = np.array([band.end - band.start for band in bands[:-1]])
    part = np.array([0.1 if band == (0, 1) else 0.5 for band in bands[:-1]])
    early, people = rate[:-1], lived[:-1]
    stretch = 1 + width * (1 - part) * early
    dying = width * early / stretch
    if (dying >= 1).any():
        place = int(np.argmax(dying >= 1))
        raise ValueError(
            f"At the death rate of the band {labels[place]!r}, {early[place]:.3g} a year, nobody would survive it; are "
            "deaths and population of one place and of as many years?"
        )
    alive = np.concatenate([[1.0], np.cumprod(1 - dying)])
    years = np.append(width * (alive[1:] + part * alive[:-1] * dying), alive[-1] / last)
    expected = np.cumsum(years[::-1])[::-1] / alive
    variance_dying = width**2 * early * (1 - part * width * early) / (people * stretch**3)
    terms = alive[:-1] ** 2 * ((1 - part) * width + expected[1:]) ** 2 * variance_dying
    terms = np.append(terms, alive[-1] ** 2 / (last**2 * died[-1]))
    return expected, np.cumsum(terms[::-1])[::-1] / alive**2


def _frame(
    bands: list[Band], labels: list[str], died: Floats, lived: Floats, expected: Floats, se: Floats, confidence: float
) -> pd.DataFrame:
    half = normal(confidence) * se
    wide = 2 * normal(0.95) * se > WIDEST_INTERVAL
    return pd.DataFrame(
        {
            "age": [band.start for band in bands],
            "band": labels,
            "population": lived,
            "deaths": died,
            "estimate": np.where(wide, np.nan, expected),
            "low": expected - half,
            "high": expected + half,
            "se": se,
            "n": np.cumsum(lived[::-1])[::-1],
            "count": np.cumsum(died[::-1])[::-1],
            "withheld": np.where(wide, f"its 95 % interval is wider than {WIDEST_INTERVAL:g} years", ""),
        }
    )
