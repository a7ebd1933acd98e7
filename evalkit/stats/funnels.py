"""Funnel limits: how far places may lie from the average of all of them by chance, given how many were counted."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from evalkit.stats.count_limits import FEW_EVENTS, require

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

Kind = Literal["proportion", "rate", "ratio", "standardised"]
"""What is compared: shares of people, events per people, events over those expected, directly standardised rates."""
Overdispersion = Literal["none", "multiplicative", "additive"]
"""Limits of chance alone, or widened for places that differ more than chance."""
PER: dict[Kind, float] = {"proportion": 1.0, "rate": 100_000.0, "ratio": 1.0, "standardised": 100_000.0}
TAILS = {"95": 0.025, "998": 0.001}
"""What lies beyond each limit by chance: 95 % and 99.8 % of places lie between."""
BELOW_998, BELOW_95, WITHIN, ABOVE_95, ABOVE_998 = "below 99.8%", "below 95%", "within", "above 95%", "above 99.8%"
POSITIONS = (BELOW_998, BELOW_95, WITHIN, ABOVE_95, ABOVE_998)
NOT_GIVEN, NOBODY, FEW = "not given", "no denominator", f"under {FEW_EVENTS} events"
"""Why a place is not judged."""
WINSORISED = 0.1
"""The share of places at each end drawn in before their spread is measured (Spiegelhalter 2005)."""
LEAST_PLACES = 10
"""With fewer places their spread says little (a judgement)."""
LEAST_EXPECTED = 5
"""With fewer events expected in a place its z is lopsided, and phi with it (the usual rule for chi-squared)."""
CLEAR = 0.05
"""Spread this seldom seen by chance alone is called more than chance."""


@dataclass(frozen=True, slots=True, eq=False)
class Funnel:
    """Places against the limits of all of them together; `estimate` is their average, out of `per`.

    `places`: a row a place, in the order given: count, denominator, value, z, low_95, high_95, low_998, high_998 and
    position (`POSITIONS`, or why it is not judged). `n` were judged, `left_out` were not. `outside_95` counts all
    beyond the 95 % limits, `outside_998` those beyond the wider ones; `chance_95` and `chance_998` how many would be so
    by chance. `phi`: the mean of z², 1 by chance; `phi_winsorised` with the ends drawn in; `p`: how often chance alone
    spreads places so far. `tau`: the standard deviation between places beyond chance, out of `per`.
    """

    estimate: float
    n: int
    kind: Kind
    per: float
    places: pd.DataFrame
    left_out: int
    outside_95: int
    outside_998: int
    chance_95: float
    chance_998: float
    phi: float
    phi_winsorised: float
    p: float
    tau: float
    overdispersion: Overdispersion
    caveats: tuple[str, ...]

    @property
    def more_than_chance(self) -> bool:
        """Whether places differ clearly more than chance would have them: limits of chance alone then flag too many."""
        return self.phi > 1 and self.p < CLEAR

    def limits(self, denominators: ArrayLike) -> pd.DataFrame:
        """The limits at these denominators, for drawing: denominator, low_95, high_95, low_998, high_998."""
        sizes = np.asarray(denominators, dtype=float).ravel()
        require(bool((sizes > 0).all() and np.isfinite(sizes).all()), "Limits are drawn at denominators above 0.")
        average, stretch = self.estimate / self.per, self._stretch(sizes)
        drawn: dict[str, Floats] = {"denominator": sizes}
        for name, tail in TAILS.items():
            for side, limit in zip(("low", "high"), _chance_limits(sizes, average, self.kind, tail), strict=True):
                drawn[f"{side}_{name}"] = self.per * np.clip(average + stretch * (limit - average), 0, self._most())
        return pd.DataFrame(drawn)

    def axis(self, points: int = 100) -> pd.DataFrame:
        """The limits from the smallest to the largest place judged, closer together where they bend."""
        sizes = self.places.loc[self.places["position"].isin(POSITIONS), "denominator"]
        return self.limits(np.geomspace(0.9 * sizes.min(), 1.1 * sizes.max(), points))

    def _stretch(self, sizes: Floats) -> Floats:
        """How many times as far from the average as chance alone the limits lie."""
        if self.overdispersion == "multiplicative":
            return np.full(len(sizes), math.sqrt(max(self.phi_winsorised, 1.0)))
        if self.overdispersion == "additive":
            return np.sqrt(1 + (self.tau / self.per) ** 2 / _variance(sizes, self.estimate / self.per, self.kind))
        return np.ones(len(sizes))

    def _most(self) -> float:
        return 1.0 if self.kind == "proportion" else math.inf


def funnel(
    counts: ArrayLike,
    denominators: ArrayLike | None = None,
    *,
    kind: Kind = "rate",
    values: ArrayLike | None = None,
    per: float | None = None,
    average: float | None = None,
    overdispersion: Overdispersion = "none",
    winsorise: float = WINSORISED,
) -> Funnel:
    """Places against 95 % and 99.8 % limits about the average of all of them, A = sum of counts / sum of denominators.

    With n in the denominator and z = 1.960 or 3.090 (.025 or .001 beyond on each side):
        proportion: A ± z sqrt(A(1 - A)/n), where a place's Wilson interval just touches A;
        rate, ratio: O/n with the O for which nA is O's exact Poisson limit: χ²(1 - α; 2O + 2)/2 = nA below and
        χ²(α; 2O)/2 = nA above; a ratio has the events expected for n;
        standardised: the same, with n = count / rate, the people in whom so many events give that rate.
    As in PHEindicatormethods 2.1 `calculate_funnel_limits` and `assign_funnel_significance`; sources: Spiegelhalter
    (2005), Statistics in Medicine 24, 1185-1202; Wilson (1927), JASA 22, 209-212; Garwood (1936), Biometrika 28,
    437-442; Dover and Schopflocher (2011), Population Health Metrics 9:58.

    Real places nearly always differ more than chance, and limits of chance alone then call far too many different.
    phi = (1/I) Σ z², z = (value - A)/s, s² = A(1 - A)/n or A/n, over I places; Σ z² against χ²(I - 1), or χ²(I) about
    an average given, is `p`. With z Winsorised (beyond the quantiles q and 1 - q, set to them; q = .1):
        multiplicative: limits sqrt(phi) times as far from A, where phi > 1;
        additive: sqrt(1 + τ²/s²) times as far, τ² = (I phi - (I - 1)) / (Σw - Σw²/Σw), w = 1/s², not below 0.
    Source: Spiegelhalter (2005) as above, and Quality and Safety in Health Care 14, 347-351. z is not
    transformed first: its variance is then 1 by chance whatever the size, and exact limits are what is stretched.
    Winsorising makes phi smaller where there is chance alone (.68 for many places and q = .1).

    counts, denominators: one a place; Series keep their names. values: the rates, for kind standardised, out of `per`.
    per: 1 for proportions and ratios, 100,000 for rates unless given. average: what to compare with instead of A, out
    of `per`. A place without a count, people, or (standardised) 10 events is not judged, and `position` says why.
    chance_95, chance_998: the exact chance of every place at A; a share of n where limits are widened.
    Errors: ValueError for a count below 0 or above its people, no events at all or nothing but events, fewer than two
    places without `average`, unequal lengths, or settings other than those named.

    >>> found = funnel([12, 45, 80, 30, 160], [10_000, 40_000, 90_000, 50_000, 110_000])
    >>> print(f"{found.estimate:.1f} per 100,000; {found.outside_95} of {found.n} outside, phi {found.phi:.1f}")
    109.0 per 100,000; 2 of 5 outside, phi 5.6
    >>> list(found.places["position"])
    ['within', 'within', 'within', 'below 99.8%', 'above 99.8%']
    """
    require(kind in PER, f"kind={kind!r} is none of {', '.join(PER)}.")
    known = get_args(Overdispersion)
    require(overdispersion in known, f"overdispersion={overdispersion!r} is none of {', '.join(known)}.")
    require(0 <= winsorise < 0.5, f"winsorise = {winsorise} must lie from 0 to below .5 at each end.")
    per = PER[kind] if per is None else per
    require(per > 0 and math.isfinite(per), f"per = {per} must be above 0.")
    places = _places(counts, denominators, values, kind, per)
    centre = _centre(places, average, kind, per)
    return _judged(places, centre, kind, per, overdispersion, winsorise, known_average=average is not None)


def _judged(
    places: pd.DataFrame,
    centre: float,
    kind: Kind,
    per: float,
    overdispersion: Overdispersion,
    winsorise: float,
    *,
    known_average: bool,
) -> Funnel:
    judged = (places["position"] == "").to_numpy()
    sizes = places["denominator"].to_numpy(dtype=float)[judged]
    variance = _variance(sizes, centre, kind)
    z = (places["value"].to_numpy(dtype=float)[judged] / per - centre) / np.sqrt(variance)
    phi, phi_winsorised, p, tau = _spread(z, variance, winsorise, known_average)
    drafted = Funnel(
        estimate=per * centre, n=int(judged.sum()), kind=kind, per=per, places=places, left_out=int((~judged).sum()),
        outside_95=0, outside_998=0, chance_95=math.nan, chance_998=math.nan, phi=phi, phi_winsorised=phi_winsorised,
        p=p, tau=per * tau, overdispersion=overdispersion, caveats=(),
    )  # fmt: skip
    limits = drafted.limits(sizes)
    told = places.copy()
    for name, column in {"z": z, **{name: limits[name].to_numpy() for name in limits.columns[1:]}}.items():
        told[name] = np.nan
        told.loc[judged, name] = column
    told.loc[judged, "position"] = _positions(told[judged])
    return _counted(drafted, told, limits)


def _counted(drafted: Funnel, places: pd.DataFrame, limits: pd.DataFrame) -> Funnel:
    """How many lie outside, how many would by chance, and what to beware of."""
    narrow = places["position"].isin((BELOW_998, BELOW_95, ABOVE_95, ABOVE_998)).sum()
    wide = places["position"].isin((BELOW_998, ABOVE_998)).sum()
    by_chance = {name: _by_chance(drafted, limits, name) for name in TAILS}
    whole = replace(
        drafted, places=places[[*_FIRST, "z", *limits.columns[1:], "position"]], outside_95=int(narrow),
        outside_998=int(wide), chance_95=by_chance["95"], chance_998=by_chance["998"],
    )  # fmt: skip
    return replace(whole, caveats=_caveats(whole))


_FIRST = ("count", "denominator", "value")


def _places(
    counts: ArrayLike, denominators: ArrayLike | None, values: ArrayLike | None, kind: Kind, per: float
) -> pd.DataFrame:
    """count, denominator and value of each place, and why it is not judged where it is not."""
    count = _numbers(counts, "counts")
    index = counts.index if isinstance(counts, pd.Series) else pd.RangeIndex(len(count))
    if kind == "standardised":
        require(values is not None, "Directly standardised rates are needed beside their counts: values=….")
        value = _numbers(values, "values", len(count))
        with np.errstate(divide="ignore", invalid="ignore"):
            size = np.where(value > 0, per * count / value, np.nan)
        why = np.where(np.isnan(count), NOT_GIVEN, np.where(count < FEW_EVENTS, FEW, ""))
        why = np.where((why == "") & ~(value > 0), NOT_GIVEN, why)
    else:
        require(denominators is not None, "Denominators are needed: how many people, or events expected, a place.")
        size = _numbers(denominators, "denominators", len(count))
        why = np.where(np.isnan(count) | np.isnan(size), NOT_GIVEN, np.where(size == 0, NOBODY, ""))
        if kind == "proportion":
            over = np.flatnonzero(count > size)
            require(not len(over), f"{_place(index, over)}: the count is above its denominator.")
        value = per * np.divide(count, size, out=np.full(len(count), np.nan), where=(why == ""))
    return pd.DataFrame({"count": count, "denominator": size, "value": value, "position": why}, index=index)


def _numbers(given: Any, name: str, wanted: int | None = None) -> Floats:
    """One number a place, NaN where blank; none below 0 or infinite."""
    column: Floats = np.asarray(pd.Series(given).to_numpy(dtype=float, na_value=np.nan), dtype=float)
    require(wanted in (None, len(column)), f"{wanted} counts need as many {name}; {len(column)} were given.")
    wrong = np.flatnonzero((column < 0) | np.isinf(column))
    if len(wrong):
        index = given.index if isinstance(given, pd.Series) else pd.RangeIndex(len(column))
        raise ValueError(f"{_place(index, wrong)}: {name} hold {column[wrong[0]]:g}; they are 0 or more, or blank.")
    return column


def _place(index: pd.Index[Any], found: NDArray[np.intp]) -> str:
    return f"Place {index[found[0]]!r}" if len(found) else ""


def _centre(places: pd.DataFrame, average: float | None, kind: Kind, per: float) -> float:
    """The average all places are compared with, as a share or rate of one."""
    judged = int((places["position"] == "").sum())
    require(judged > 0, "No place can be judged: each lacks its count, its people, or enough events.")
    if average is None:
        require(judged > 1, "One place alone cannot be set against its own average. Give average=….")
        pooled = places[places["position"].isin(("", FEW)) & (places["denominator"] > 0)]
        average = per * float(pooled["count"].sum() / pooled["denominator"].sum())
    require(average > 0 and math.isfinite(average), "Nothing was counted anywhere: there is no average with limits.")
    whole = kind == "proportion" and average >= per
    require(not whole, "Everybody was counted everywhere: there is no average with limits.")
    return average / per


def _variance(sizes: Floats, average: float, kind: Kind) -> Floats:
    """The variance by chance of a place's value about the average."""
    return average * (1 - average if kind == "proportion" else 1) / sizes


def _chance_limits(sizes: Floats, average: float, kind: Kind, tail: float) -> tuple[Floats, Floats]:
    from scipy.special import chdtriv, ndtri

    if kind == "proportion":
        reach = -float(ndtri(tail)) * np.sqrt(_variance(sizes, average, kind))
        return average - reach, average + reach
    expected = average * sizes
    fewest = np.maximum(chdtriv(1 - tail, 2 * expected) / 2 - 1, 0)
    return fewest / sizes, chdtriv(tail, 2 * expected) / 2 / sizes


def _spread(z: Floats, variance: Floats, winsorise: float, known_average: bool) -> tuple[float, float, float, float]:
    """phi, phi with the ends drawn in, the chance of so much spread, and tau."""
    from scipy.special import chdtrc

    n = len(z)
    ends = np.quantile(z, [winsorise, 1 - winsorise])
    drawn_in = float(np.mean(np.clip(z, *ends) ** 2))
    degrees = n if known_average else n - 1
    weights = 1 / variance
    spare = float(weights.sum() - (weights**2).sum() / weights.sum())
    between = (n * drawn_in - (n - 1)) / spare if n > 1 else 0.0
    return float(np.mean(z**2)), drawn_in, float(chdtrc(degrees, (z**2).sum())), math.sqrt(max(between, 0.0))


def _positions(places: pd.DataFrame) -> NDArray[Any]:
    value = places["value"]
    met = [
        value < places["low_998"], value > places["high_998"], value < places["low_95"], value > places["high_95"],
    ]  # fmt: skip
    return np.select(met, [BELOW_998, ABOVE_998, BELOW_95, ABOVE_95], WITHIN)


def _by_chance(drafted: Funnel, limits: pd.DataFrame, name: str) -> float:
    """How many places would lie beyond these limits were every one at the average."""
    from scipy.special import betainc, pdtr, pdtrc

    if drafted.overdispersion != "none":
        return drafted.n * 2 * TAILS[name]
    average, sizes = drafted.estimate / drafted.per, limits["denominator"].to_numpy()
    last_below = np.ceil(limits[f"low_{name}"].to_numpy() / drafted.per * sizes - 1e-9) - 1
    first_above = np.floor(limits[f"high_{name}"].to_numpy() / drafted.per * sizes + 1e-9) + 1
    if drafted.kind != "proportion":
        expected = average * sizes
        below = np.where(last_below >= 0, pdtr(np.maximum(last_below, 0), expected), 0.0)
        return float((below + pdtrc(first_above - 1, expected)).sum())
    some, most = last_below >= 0, first_above <= sizes
    fewest = np.where(some, last_below, 0.0)
    below = np.where(some, betainc(np.maximum(sizes - fewest, 1e-9), fewest + 1, 1 - average), 0.0)
    above = np.where(most, betainc(first_above, np.maximum(sizes - first_above + 1, 1e-9), average), 0.0)
    return float((below + above).sum())


def _caveats(found: Funnel) -> tuple[str, ...]:
    said = []
    if found.more_than_chance and found.overdispersion == "none":
        said.append(
            f"Places differ more than chance (phi {found.phi:.2g}, 1 by chance): limits of chance alone call too many "
            "different."
        )
    if found.n < LEAST_PLACES:
        said.append(f"{found.n} places are few: how far they differ beyond chance is hardly known.")
    expected = found.places["denominator"] * found.estimate / found.per
    few = int((expected[found.places["position"].isin(POSITIONS)] < LEAST_EXPECTED).sum())
    if few:
        said.append(f"In {few} of {found.n} places fewer than {LEAST_EXPECTED} events are expected: phi is rough.")
    if found.left_out:
        said.append(f"{found.left_out} places were not judged.")
    return tuple(said)
