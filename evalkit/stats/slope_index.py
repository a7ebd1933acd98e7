"""The slope and relative index of inequality: how far a measure differs from one end of a society to the other."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from evalkit.stats.count_limits import normal, require

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

Kind = Literal["mean", "rate", "proportion"]
LEAST, MOST = 5, 100
"""So many quantiles a line is drawn through (as published)."""
DRAWS = 100_000
"""Draws of the published method."""
SCALES: dict[Kind, str] = {"mean": "as they are", "rate": "log", "proportion": "logit"}
"""The scale on which each kind of value is near enough normal."""
BENT = 0.05
"""A bend this seldom seen by chance is called one."""
DIFFERS = 0.05
"""Limits by formula that lie further than this share of the interval's width from the drawn ones are told."""

CROSSED = 0.001
"""With more of the drawn lines than this crossing 0 there is no ratio of their ends."""


@dataclass(frozen=True, slots=True, eq=False)
class SlopeIndex:
    """The slope index (`estimate`) and the relative index (`relative`) of inequality with their intervals.

    `at_0`, `at_1`: the fitted values at ranks 0 and 1, in the values' own terms; `estimate` = (`at_1` - `at_0`) times
    `multiplier`, `relative` = `at_1` / `at_0` (turned over for a negative `multiplier`).
    `formula`, `relative_formula`: their limits by the delta method, beside those drawn. `scale`: as they are, log or
    logit; `transformed`: the line was fitted on it. `r_squared`: of the line on its scale; `bend_p`: how often sampling
    alone bends a straight line so far. `fitted`: a row a quantile with rank, share, value, low, high, line (in the
    values' own terms). `n` quantiles, of `population`.
    """

    estimate: float
    low: float
    high: float
    n: int
    relative: float
    relative_low: float
    relative_high: float
    at_0: float
    at_1: float
    formula: tuple[float, float]
    relative_formula: tuple[float, float]
    population: float
    kind: Kind
    scale: str
    transformed: bool
    multiplier: float
    r_squared: float
    bend_p: float
    fitted: pd.DataFrame
    confidence: float
    draws: int
    seed: int
    caveats: tuple[str, ...]
    _slopes: Floats = field(repr=False)
    _ratios: Floats = field(repr=False)

    def interval(self, confidence: float) -> tuple[float, float]:
        """The drawn interval of the slope index at another level of confidence."""
        return _percentiles(self._slopes, confidence)

    def relative_interval(self, confidence: float) -> tuple[float, float]:
        """The drawn interval of the relative index at another level of confidence."""
        return _percentiles(self._ratios, confidence)


@dataclass(frozen=True, slots=True)
class IndexChange:
    """How far the slope index changed (`estimate`, after - before), and the relative index (`relative`, a ratio)."""

    estimate: float
    low: float
    high: float
    n: int
    relative: float
    relative_low: float
    relative_high: float
    confidence: float


@dataclass(frozen=True, slots=True)
class _Line:
    """Values by quantile on the scale they are drawn on, and what turns them into the two ends of the line."""

    y: Floats
    se: Floats
    weights: Floats
    kind: Kind
    transformed: bool
    multiplier: float

    def ends(self, drawn: Floats) -> tuple[Floats, Floats]:
        """The fitted values at ranks 0 and 1, in the values' own terms, of one set of values or of many (in rows)."""
        told = drawn if self.transformed else _back(drawn, self.kind)
        first, slope = (told @ row for row in self.weights)
        if self.transformed:
            return _back(first, self.kind), _back(first + slope, self.kind)
        return first, first + slope

    def indices(self, start: Floats, end: Floats) -> tuple[Floats, Floats]:
        """The slope and the relative index of lines with these ends."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = end / start if self.multiplier > 0 else start / end
        return self.multiplier * (end - start), ratio

    def turned(self, drawn: Floats) -> tuple[Floats, Floats]:
        """The ends of lines with the slopes drawn, their middle held where the values have it."""
        slope, middle = drawn @ self.weights[1], self.y @ (self.weights[0] + self.weights[1] / 2)
        return _back(middle - slope / 2, self.kind), _back(middle + slope / 2, self.kind)

    def by_formula(self, confidence: float) -> tuple[tuple[float, float], tuple[float, float]]:
        """Delta-method limits of both indices; the ratio's on its logarithm."""
        start, end = (float(value) for value in self.ends(self.y))
        first, last = self.weights[0], self.weights.sum(axis=0)
        steep = 1.0 if self.transformed else _steepness(_back(self.y, self.kind), self.kind)
        ends = [_steepness(np.array(end), self.kind) if self.transformed else 1.0 for end in (start, end)]
        by_start, by_end = ends[0] * first * steep * self.se, ends[1] * last * steep * self.se
        slope, ratio = (float(value) for value in self.indices(np.array(start), np.array(end)))
        half = normal(confidence)
        reach = half * abs(self.multiplier) * _norm(by_end - by_start)
        if not ratio > 0:
            return (slope - reach, slope + reach), (math.nan, math.nan)
        factor = math.exp(half * _norm(by_end / end - by_start / start))
        return (slope - reach, slope + reach), (ratio / factor, ratio * factor)


def slope_index(
    values: ArrayLike,
    populations: ArrayLike,
    *,
    kind: Kind = "mean",
    se: ArrayLike | None = None,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    limits_at: float = 0.95,
    transform: bool = True,
    multiplier: float = 1.0,
    level: Literal["drawn", "held"] = "drawn",
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> SlopeIndex:
    """The slope index of inequality (SII) and the relative index (RII) over 5 to 100 quantiles, by simulation.

    Quantile k holds the share a of the population; its relative rank b is the share before it plus a/2, so that 0 is
    the very first person and 1 the very last. A line through the values y, weighted by a (least squares of sqrt(a) y on
    sqrt(a) and b sqrt(a)), gives SII = f(1) - f(0) and RII = f(1) / f(0). With `transform`, y is log(value) for rates
    and logit(value) for proportions and f the line turned back, so that no end is negative; means stay as they are.
    Intervals: each quantile's value is drawn `draws` times from its normal distribution on that scale (SE = (t(high) -
    t(low)) / 2z, or `se`), with both indices anew each time; the percentiles of those. With `transform=False` rates and
    proportions are drawn there all the same and the line is fitted to what they turn back into.
    Sources: Low and Low (2004), Journal of Public Health 26, 388-395 (the method of PHEindicatormethods 2.1 `phe_sii`);
    Mackenbach and Kunst (1997), Social Science and Medicine 44, 757-771.

    The published worked limits of transformed lines (rows 306 to 505 of its test data) are those of lines turned about
    their middle, held where the values have it: `level="held"` gives these. Drawing the level too is the default, as
    the method is described: where it moves with the slope, limits that hold it are too wide or too narrow.

    values: one a quantile in order, most deprived first; then a negative SII says that the measure is higher there.
    populations: people a quantile, all above 0. se: on the scale drawn on. low, high: its interval at `limits_at`.
    multiplier: what SII and the ends of the line are multiplied by, 100 for percentages; negative where the direction
    is to be turned, which turns RII over too. seed: of the draws. `bend_p` tests a weighted quadratic term in b against
    the sampling errors; `caveats` say so where the line bends, and where limits by formula lie elsewhere.
    Errors: ValueError for fewer than 5 or more than 100 quantiles, anything missing, populations or errors not above 0,
    rates not above 0 and proportions not between 0 and 1 (a quantile without events has no logarithm), limits that do
    not hold their value. Where a line reaches 0 its RII is NaN, and `caveats` say so.

    >>> fifths = slope_index([520, 470, 455, 400, 390], [210, 200, 205, 190, 195], kind="rate",
    ...     low=[497, 448, 433, 379, 369], high=[544, 493, 478, 422, 412])
    >>> print(f"{fifths.estimate:.0f} ({fifths.low:.0f} to {fifths.high:.0f}), ratio {fifths.relative:.2f}")
    -166 (-202 to -130), ratio 0.69
    """
    require(kind in SCALES, f"kind={kind!r} is none of {', '.join(SCALES)}.")
    require(level in ("drawn", "held"), f"level={level!r} is neither drawn nor held.")
    require(multiplier != 0 and math.isfinite(multiplier), f"multiplier = {multiplier} may not be 0.")
    require(draws >= 1_000, f"draws = {draws}: percentiles need 1,000 draws or more.")
    told = _told(values, populations, kind, low, high)
    share = told["population"].to_numpy() / told["population"].sum()
    rank = np.cumsum(share) - share / 2
    y, errors = _on_scale(told["value"].to_numpy(), kind), _errors(told, kind, se, limits_at)
    straight = _least_squares(share, np.column_stack([np.ones_like(rank), rank]))
    line = _Line(y, errors, straight, kind, transform and kind != "mean", multiplier)
    return _drawn(line, told.assign(share=share, rank=rank), level, confidence, draws, seed)


def change(before: SlopeIndex, after: SlopeIndex, *, confidence: float = 0.95) -> IndexChange:
    """The change in both indices between two sets of values that were seen independently of each other.

    Percentiles of the differences (ratios) of the draws of one and the other, as the indices themselves are drawn; the
    two need different seeds, or their draws would go together. relative is NaN where either has no relative index.
    n: quantiles. Errors: ValueError for equal seeds, different multipliers, or different numbers of draws.

    >>> was = slope_index([9, 8, 7, 6, 5], [10] * 5, se=[0.5] * 5, seed=1)
    >>> found = change(was, slope_index([8, 7, 7, 6, 6], [10] * 5, se=[0.5] * 5, seed=2))
    >>> print(f"{found.estimate:.1f} ({found.low:.1f} to {found.high:.1f})")
    2.5 (0.3 to 4.7)
    """
    require(before.seed != after.seed, f"Both were drawn with seed {after.seed}: their draws would go together.")
    require(before.multiplier == after.multiplier, "The two have different multipliers: they are in different units.")
    require(before.draws == after.draws, f"{before.draws} and {after.draws} draws cannot be set side by side.")
    low, high = _percentiles(after._slopes - before._slopes, confidence)
    relative_low, relative_high = _percentiles(after._ratios / before._ratios, confidence)
    return IndexChange(
        after.estimate - before.estimate, low, high, after.n, after.relative / before.relative, relative_low,
        relative_high, confidence,
    )  # fmt: skip


def _drawn(line: _Line, told: pd.DataFrame, level: str, confidence: float, draws: int, seed: int) -> SlopeIndex:
    random = np.random.default_rng(seed)
    many = line.y + line.se * random.standard_normal((draws, len(line.y)))
    held = level == "held" and line.transformed
    slopes, ratios = line.indices(*(line.turned(many) if held else line.ends(many)))
    start, end = line.ends(line.y)
    estimate, relative = (float(value) for value in line.indices(start, end))
    relative, ratios = _sensible(relative, ratios)
    (low, high), (relative_low, relative_high) = (_percentiles(drawn, confidence) for drawn in (slopes, ratios))
    formula, relative_formula = line.by_formula(confidence)
    fitted, r_squared, bend_p = _straightness(line, told)
    found = SlopeIndex(
        estimate=estimate, low=low, high=high, n=len(line.y), relative=relative, relative_low=relative_low,
        relative_high=relative_high, at_0=float(start), at_1=float(end), formula=formula,
        relative_formula=relative_formula if math.isfinite(relative) else (math.nan, math.nan),
        population=float(told["population"].sum()), kind=line.kind, scale=SCALES[line.kind],
        transformed=line.transformed, multiplier=line.multiplier, r_squared=r_squared, bend_p=bend_p, fitted=fitted,
        confidence=confidence, draws=draws, seed=seed, caveats=(), _slopes=slopes, _ratios=ratios,
    )  # fmt: skip
    return replace(found, caveats=_caveats(found))


def _told(values: Any, populations: Any, kind: Kind, low: Any, high: Any) -> pd.DataFrame:
    """value, population, low and high of each quantile, every one of them sensible."""
    given = {"value": values, "population": populations, "low": low, "high": high}
    columns = {name: _numbers(column, name) for name, column in given.items() if column is not None}
    n = len(columns["value"])
    for name, column in columns.items():
        require(len(column) == n, f"{n} values need as many of {name}; {len(column)} were given.")
        blank = np.flatnonzero(~np.isfinite(column))
        require(not len(blank), f"Quantile {_first(blank)} has no {name}: no index without every quantile.")
    require(LEAST <= n <= MOST, f"{n} quantiles were given; a line is drawn through {LEAST} to {MOST}.")
    nobody = np.flatnonzero(columns["population"] <= 0)
    require(not len(nobody), f"Quantile {_first(nobody)} has a population that is not above 0.")
    inside = _inside(columns["value"], kind)
    sense = {"rate": "not above 0", "proportion": "not between 0 and 1", "mean": ""}[kind]
    outside = np.flatnonzero(~inside)
    require(not len(outside), f"Quantile {_first(outside)} has a {kind} {sense}: it has no {SCALES[kind]}.")
    return pd.DataFrame(columns)


def _numbers(column: Any, name: str) -> Floats:
    found: Floats = np.asarray(pd.Series(column).to_numpy(dtype=float, na_value=np.nan), dtype=float)
    require(not np.isinf(found).any(), f"{name} holds infinite numbers.")
    return found


def _first(found: NDArray[np.intp]) -> int:
    """The number of the first quantile found, counted from 1."""
    return int(found[0]) + 1 if len(found) else 0


def _inside(values: Floats, kind: Kind) -> NDArray[np.bool_]:
    if kind == "mean":
        return np.isfinite(values)
    return (values > 0) & ((values < 1) if kind == "proportion" else True)


def _on_scale(values: Floats, kind: Kind) -> Floats:
    if kind == "rate":
        return np.log(values)
    return np.log(values / (1 - values)) if kind == "proportion" else values


def _back(values: Floats, kind: Kind) -> Floats:
    if kind == "rate":
        return np.exp(values)
    return 1 / (1 + np.exp(-values)) if kind == "proportion" else values


def _steepness(values: Floats, kind: Kind) -> Floats:
    """How far a value moves, in its own terms, for a small step on its scale."""
    if kind == "rate":
        return values
    return values * (1 - values) if kind == "proportion" else np.ones_like(values)


def _errors(told: pd.DataFrame, kind: Kind, se: Any, limits_at: float) -> Floats:
    """The standard error of each quantile's value on the scale it is drawn on."""
    both = {"low", "high"} <= set(told)
    require((se is None) == both, "Give either se=…, or both low=… and high=…: how sure each quantile's value is.")
    if se is not None:
        found = _numbers(se, "se")
        require(len(found) == len(told), f"{len(told)} values need as many of se; {len(found)} were given.")
    else:
        held = told["low"].le(told["value"]) & told["value"].le(told["high"])
        wrong = np.flatnonzero(~held.to_numpy())
        require(not len(wrong), f"Quantile {_first(wrong)} lies outside its own limits.")
        for name in ("low", "high"):
            wrong = np.flatnonzero(~_inside(told[name].to_numpy(), kind))
            require(not len(wrong), f"Quantile {_first(wrong)} has a {name} limit without {SCALES[kind]}.")
        reach = _on_scale(told["high"].to_numpy(), kind) - _on_scale(told["low"].to_numpy(), kind)
        found = reach / (2 * normal(limits_at))
    wrong = np.flatnonzero(~(found > 0))
    require(not len(wrong), f"Quantile {_first(wrong)} has a standard error that is not above 0.")
    return found


def _least_squares(share: Floats, terms: Floats) -> Floats:
    """What y is multiplied by to give each coefficient: a row a term."""
    root = np.sqrt(share)
    return np.asarray(np.linalg.pinv(terms * root[:, None]) * root, dtype=np.float64)


def _norm(values: Floats) -> float:
    return float(np.sqrt((values**2).sum()))


def _sensible(relative: float, ratios: Floats) -> tuple[float, Floats]:
    """A ratio only where both ends of the line lie on one side of 0, in (nearly) every draw."""
    if relative > 0 and np.mean(~(ratios > 0)) < CROSSED:
        return relative, ratios
    return math.nan, np.full(len(ratios), math.nan)


def _percentiles(drawn: Floats, confidence: float) -> tuple[float, float]:
    require(0 < confidence < 1, f"confidence = {confidence} must lie between 0 and 1; 95 % is 0.95.")
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _straightness(line: _Line, told: pd.DataFrame) -> tuple[pd.DataFrame, float, float]:
    """The line beside the values, how much it explains on its own scale, and whether it bends beyond chance."""
    from scipy.special import ndtr

    y = line.y if line.transformed else told["value"].to_numpy()
    se = line.se if line.transformed else line.se * _steepness(_back(line.y, line.kind), line.kind)
    rank, share = told["rank"].to_numpy(), told["share"].to_numpy()
    first, slope = (float(row @ y) for row in line.weights)
    path = first + slope * rank
    whole = float(share @ (y - share @ y) ** 2)
    explained = 1 - float(share @ (y - path) ** 2) / whole if whole > 1e-24 * float((y**2).max()) else math.nan
    bend = _least_squares(share, np.column_stack([np.ones_like(rank), rank, rank**2]))[2]
    size = abs(float(bend @ y)) / _norm(bend * se)
    shown = told.assign(line=_back(path, line.kind) if line.transformed else path).drop(columns="population")
    columns = ["rank", "share", "value", *(name for name in ("low", "high") if name in shown), "line"]
    shown = shown[columns].set_axis(pd.RangeIndex(1, len(shown) + 1, name="quantile"))
    return shown, explained, float(2 * ndtr(-size))


def _caveats(found: SlopeIndex) -> tuple[str, ...]:
    on = f"on the {found.scale} scale" if found.transformed else "to the values as they are"
    said = [f"The line was fitted {on}; it explains {100 * found.r_squared:.0f} % of how the quantiles differ."]
    if math.isnan(found.r_squared):
        said = [f"The line was fitted {on}; the quantiles do not differ at all."]
    if found.bend_p < BENT:
        said.append("The quantiles do not lie along a straight line: one slope does not say how they differ.")
    if math.isnan(found.relative):
        said.append("The line reaches 0 or below at one end: there is no ratio of its ends.")
    apart = max(abs(ours - drawn) for ours, drawn in zip(found.formula, (found.low, found.high), strict=True))
    if apart > DIFFERS * (found.high - found.low):
        said.append(
            "Limits by formula lie elsewhere than those drawn: the errors are too large for either to be exact."
        )
    return tuple(said)
