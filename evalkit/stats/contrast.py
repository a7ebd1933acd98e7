"""Places with a programme beside places without: one change a place, so that months hang together as they like.

Beside `places`: `difference` (averages that weigh the same), `permute_units`, `group_time` (staggered starts) and
`synthetic` (a mix of other places), each told in its own module.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from evalkit.stats import periods, relabelling
from evalkit.stats.difference import difference as difference
from evalkit.stats.difference import permute_units as permute_units
from evalkit.stats.group_time import group_time as group_time
from evalkit.stats.periods import NAMED, Floats, Start
from evalkit.stats.student import NO_SPREAD, t_interval, t_p
from evalkit.stats.synthetic import synthetic as synthetic

Flags = NDArray[np.bool_]

TIED = 1e-9
"""Relabelled statistics within this share of the observed one, or this near, are ties: they differ by rounding only."""
METHOD = (
    "One before–after change in the log rate a place, random-effects weights (DerSimonian–Laird), Knapp–Hartung "
    "interval, and relabelling of places"
)
SOURCE = (
    "DerSimonian & Laird (1986), Control. Clin. Trials 7, 177–188; Knapp & Hartung (2003), Stat. Med. 22, 2693–2710; "
    "relabelling: Fisher (1935), The Design of Experiments; Phipson & Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9(1)."
)


@dataclass(frozen=True, slots=True)
class WeightedDifference:
    """Treated minus comparison for sets of changes (rows) under ways to label places (columns): (R, L) each."""

    estimate: Floats
    se: Floats
    tau2: Floats

    @property
    def t(self) -> Floats:
        """The estimate in standard errors; infinite or not a number where the places do not scatter at all."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.estimate / self.se)


@dataclass(frozen=True, slots=True, eq=False)
class PlacesContrast:
    """What `places` found: how much more (ratio above 1) or less the treated places changed than the others.

    `p` is the larger of its two parts, `p_interval` (Knapp–Hartung) and `p_relabelled`: a claim needs both.
    `smallest_p` is the least that relabelling so many places could ever give, `allocations` how many labellings were
    compared, `exact` whether these were all there are, `seed` that of the draw where they were not. `se` and `tau2`
    (variance of changes between places beyond that of their counts) are on the log. `n` counts places.
    """

    estimate: float
    low: float
    high: float
    scale: Literal["ratio"]
    confidence: float
    p: float
    p_interval: float
    p_relabelled: float
    smallest_p: float
    allocations: int
    exact: bool
    seed: int | None
    n: int
    n_treated: int
    n_comparison: int
    tau2: float
    se: float
    df: float
    method: str
    source: str
    _places: pd.DataFrame = field(repr=False)
    _drawn: Floats = field(repr=False)

    @property
    def differences(self) -> Floats:
        """The estimate under every labelling that was tried, as ratios, the observed one first: (allocations,)."""
        return np.exp(self._drawn)

    @property
    def places(self) -> pd.DataFrame:
        """A row a place, by name: unit, treated, change (log), se (of its counts alone), weight (share within arm)."""
        return self._places.copy()

    def interval(self, confidence: float) -> tuple[float, float]:
        """The Knapp–Hartung interval at another confidence. A verdict needs `p_relabelled` as well."""
        low, high = t_interval(math.log(self.estimate), self.se, self.df, confidence)
        return ratio(low), ratio(high)


def places(
    frame: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    treated: Collection[Hashable],
    start: Start,
    left_out: int = 0,
    offset: str | None = None,
    confidence: float = 0.95,
    allocations: int = 50_000,
    seed: int | None = None,
) -> PlacesContrast:
    """How differently did counts change in treated places than in comparison places?

    For place i, with counts C and offsets (people) E summed over all periods before (0) and from (1) `start`,

        y_i = log(C_1i / E_1i) − log(C_0i / E_0i),    v_i = 1 / C_0i + 1 / C_1i

    v_i is what counts alone would scatter; whatever else makes places change apart, such as months that hang together,
    is τ², estimated by DerSimonian and Laird's moments about the two group means:
    τ² = max(0, (Q − (N − 2)) / tr P). Weights w_i = 1 / (v_i + τ²); estimate = difference of the two weighted means;
    se² = [Σ w_i r_i² / (N − 2)] (1/W_treated + 1/W_comparison), r_i the residuals; interval and `p_interval` by t with
    N − 2 degrees of freedom (Knapp and Hartung, without a lower limit on the bracket). `p_relabelled` is the share of
    ways to call as many places treated in which |estimate / se|, τ² estimated anew, is at least as large: all ways when
    at most `allocations`, else that many, of which one is the observed and the others are drawn with `seed`.

    Of the three usual estimators of τ², DerSimonian–Laird is the closed one: nothing can fail to converge, and it can
    be estimated anew in each of 50,000 labellings, without which relabelling would not be exact. Its known weakness,
    too small a τ² when places are few, is what Knapp and Hartung's scale repairs.

    Both parts are required because each alone went wrong somewhere in simulations of 19 places (3.9–6.2 % and 3.9–7.4 %
    false positives at a nominal 5 %); together they gave 3.7–5.6 %. With one treated place the numbers are computed;
    `smallest_p` says that they cannot carry a claim. Treated places must not have been picked for worsening. Where they
    were picked for a high last year before the start, that year must leave the base, since such a year comes down by
    itself: `left_out` is how many of the last periods before the start are in neither sum.

    `frame`: a row a place and period, every place with the same periods; `outcome` counts, `offset` above zero. `time`
    and `start` as in `series.interrupted`. Source: see `SOURCE`.

    Raises ValueError, naming places and periods: unknown treated places, nobody to compare with, fewer than three
    places, missing rows or values, repeated periods, no period before or after, no events before or after, no scatter.

    >>> months = pd.DataFrame([(place, month) for place in "ABCDEFG" for month in range(4)], columns=["place", "month"])
    >>> months["calls"] = [90, 99, 80, 79, 70, 75, 58, 61, 50, 53, 45, 44, 60, 58, 61, 63, 80, 83, 79, 85, 40, 44, 42,
    ...     40, 95, 90, 99, 97]
    >>> found = places(months, outcome="calls", unit="place", time="month", treated={"A", "B", "C"}, start=2)
    >>> print(f"{found.estimate:.2f} ({found.low:.2f} to {found.high:.2f}), p {found.p:.3f} of {found.smallest_p:.3f}")
    0.82 (0.77 to 0.87), p 0.029 of 0.029
    """
    chosen = _chosen(frame, unit, treated)
    labels, counts, exposures = _totals(frame, outcome, unit, time, start, offset, left_out)
    flags = np.array([label in chosen for label in labels])
    check_arms(flags)
    change = np.log(counts[1] / exposures[1]) - np.log(counts[0] / exposures[0])
    variance = 1 / counts[0] + 1 / counts[1]
    found = random_effects(change[None], variance[None], flags[None])
    estimate, se, tau2 = (float(each[0, 0]) for each in (found.estimate, found.se, found.tau2))
    if se <= NO_SPREAD * max(1.0, float(np.abs(change).max())):
        raise ValueError("All places of each kind changed alike, so there is no scatter to judge a difference by.")
    used = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
    tried, exact = labellings(flags, allocations, used)
    drawn = random_effects(change[None], variance[None], tried)
    p_relabelled = float(relabelled(drawn.t)[0])
    df = float(len(labels) - 2)
    p_interval = t_p(estimate, se, df)
    low, high = t_interval(estimate, se, df, confidence)
    return PlacesContrast(
        estimate=ratio(estimate),
        low=ratio(low),
        high=ratio(high),
        scale="ratio",
        confidence=confidence,
        p=max(p_interval, p_relabelled),
        p_interval=p_interval,
        p_relabelled=p_relabelled,
        smallest_p=smallest_p(int(flags.sum()), int((~flags).sum()), allocations),
        allocations=len(tried),
        exact=exact,
        seed=None if exact else used,
        n=len(labels),
        n_treated=int(flags.sum()),
        n_comparison=int((~flags).sum()),
        tau2=tau2,
        se=se,
        df=df,
        method=METHOD,
        source=SOURCE,
        _places=table(labels, flags, change, variance, tau2),
        _drawn=drawn.estimate[0],
    )


def random_effects(changes: ArrayLike, variances: ArrayLike, treated: ArrayLike) -> WeightedDifference:
    """The weighted difference of `places` for R sets of changes of the same N places under L labellings.

    changes, variances: (R, N), the variances above zero; treated: (L, N) true or false, both kinds in every row.
    Gives (R, L) arrays. Formula and source: `places`.

    >>> found = random_effects([[0.1, 0.3, 0.0, 0.0, 0.1]], [[0.01] * 5], [[True, True, False, False, False]])
    >>> print(f"{found.estimate[0, 0]:.4f}, se {found.se[0, 0]:.4f}, tau2 {found.tau2[0, 0]:.4f}")
    0.1667, se 0.0861, tau2 0.0000
    """
    y, v = np.asarray(changes, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    flags = np.asarray(treated, dtype=np.float64)
    y = y - y.mean(axis=1, keepdims=True)  # a shift changes nothing but rounding
    first = 1 / v
    total, squared = first.sum(axis=1, keepdims=True), (first**2).sum(axis=1, keepdims=True)
    mine, mine_y, mine_squared = first @ flags.T, (first * y) @ flags.T, first**2 @ flags.T
    others, others_y = total - mine, (first * y).sum(axis=1, keepdims=True) - mine_y
    scatter = (first * y**2).sum(axis=1, keepdims=True) - mine_y**2 / mine - others_y**2 / others
    trace = total - mine_squared / mine - (squared - mine_squared) / others
    tau2 = np.maximum(0.0, (scatter - (y.shape[1] - 2)) / trace)
    weight = 1 / (v[:, None, :] + tau2[:, :, None])  # (R, L, N)
    powers = np.stack([np.ones_like(y), y, y**2], axis=2)  # (R, N, 3)
    everyone, treated_sums = weight @ powers, (weight * flags) @ powers  # (R, L, 3) each
    w1, y1, _ = np.moveaxis(treated_sums, 2, 0)
    w0, y0 = everyone[:, :, 0] - w1, everyone[:, :, 1] - y1
    left = np.maximum(0.0, everyone[:, :, 2] - y1**2 / w1 - y0**2 / w0)
    se = np.sqrt(left / (y.shape[1] - 2) * (1 / w1 + 1 / w0))
    return WeightedDifference(y1 / w1 - y0 / w0, se, tau2)


def row_effects(changes: Floats, variances: Floats, treated: Flags) -> WeightedDifference:
    """`random_effects` where each set of changes has its own labelling: (R, N) in, (R,) out.

    >>> changes, treated = np.array([[0.1, 0.3, 0.0, 0.0, 0.1]]), np.array([[True, True, False, False, False]])
    >>> found = row_effects(changes, np.full((1, 5), 0.01), treated)
    >>> print(f"{found.estimate[0]:.4f}, se {found.se[0]:.4f}")
    0.1667, se 0.0861
    """
    y, arms = changes - changes.mean(axis=1, keepdims=True), (treated, ~treated)

    def parts(weight: Floats) -> tuple[list[Floats], list[Floats], Floats]:
        """By arm the sum of weights and the weighted mean; the weighted scatter about the means."""
        sums = [(weight * arm).sum(axis=1) for arm in arms]
        means = [(weight * arm * y).sum(axis=1) / whole for arm, whole in zip(arms, sums, strict=True)]
        off = y - np.where(treated, means[0][:, None], means[1][:, None])
        return sums, means, (weight * off**2).sum(axis=1)

    first = 1 / variances
    sums, _, scatter = parts(first)
    trace = sum(whole - (first**2 * arm).sum(axis=1) / whole for arm, whole in zip(arms, sums, strict=True))
    tau2 = np.maximum(0.0, (scatter - (y.shape[1] - 2)) / trace)
    sums, means, left = parts(1 / (variances + tau2[:, None]))
    se = np.sqrt(left / (y.shape[1] - 2) * (1 / sums[0] + 1 / sums[1]))
    return WeightedDifference(means[0] - means[1], se, np.asarray(tau2))


def labellings(treated: Flags, most: int, seed: int | None) -> tuple[Flags, bool]:
    """Ways to call as many places treated, (L, N), the observed one first; and whether these are all there are.

    All when at most `most`; else `most`, drawn independently after the observed one.

    >>> ways, exact = labellings(np.array([True, False, False]), 100, None)
    >>> ways.tolist(), exact
    ([[True, False, False], [False, True, False], [False, False, True]], True)
    """
    if most < 1:
        raise ValueError(f"allocations must be 1 or more, not {most}.")
    n, k = len(treated), int(treated.sum())
    if math.comb(n, k) > most:
        drawn = np.random.default_rng(seed).permuted(np.tile(treated, (most, 1)), axis=1)
        drawn[0] = treated
        return drawn, False
    which = np.array(list(combinations(range(n), k)))
    ways = np.zeros((len(which), n), dtype=bool)
    ways[np.arange(len(which))[:, None], which] = True
    observed = (ways == treated).all(axis=1)
    return np.concatenate([ways[observed], ways[~observed]]), True


def relabelled(t: Floats) -> Floats:
    """The share of labellings, a row a set of changes, with a statistic at least as large as the first's, either way.

    >>> relabelled(np.array([[2.0, 1.0, -3.0, 0.5]])).tolist()
    [0.5]
    """
    size = np.abs(t)
    return np.asarray((size >= size[:, :1] * (1 - TIED) - TIED).mean(axis=1))


def smallest_p(treated: int, comparison: int, allocations: int = 50_000) -> float:
    """The least p that relabelling can give. With as many treated as not, swapping all labels is always a tie.

    >>> round(smallest_p(1, 18), 3), round(smallest_p(3, 16), 4), round(smallest_p(4, 4), 3)
    (0.053, 0.001, 0.029)
    """
    return relabelling.smallest_p([treated, comparison], allocations)


def ratio(log: float) -> float:
    """Back from the log; an end beyond the largest number is infinite, which is what it means."""
    with np.errstate(over="ignore"):
        return float(np.exp(log))


def _chosen(frame: pd.DataFrame, unit: str, treated: Collection[Hashable]) -> frozenset[Hashable]:
    if unit not in frame.columns:
        raise ValueError(f"No column {unit!r}; the frame has {', '.join(map(str, frame))}.")
    if isinstance(treated, str):
        raise ValueError(f"treated must be a list or set of places; for one place write [{treated!r}].")
    if frame[unit].isna().any():
        raise ValueError(
            f"{int(frame[unit].isna().sum())} rows name no place in {unit!r}. Fill it in, or leave them out."
        )
    chosen = frozenset(treated)
    unknown = sorted(map(str, chosen - set(frame[unit])))
    if unknown:
        raise ValueError(f"No rows for the treated {_named(unknown)}. Places are named as in column {unit!r}.")
    return chosen


def check_arms(flags: Flags) -> None:
    """Refuse arms that cannot be compared."""
    if not flags.any():
        raise ValueError("No place is treated. Name in `treated` at least one of the places.")
    if flags.all():
        raise ValueError("Every place is treated, so there is nobody to compare with. Add comparison places.")
    if len(flags) < 3:
        raise ValueError(
            "Two places, one of each kind, leave nothing to judge their difference by (N − 2 = 0 degrees of freedom). "
            "Add comparison places."
        )


def _totals(
    frame: pd.DataFrame, outcome: str, unit: str, time: str, start: Start, offset: str | None, left_out: int
) -> tuple[list[Any], Floats, Floats]:
    """Places by name, their counts (2, N) and offsets (2, N) summed before and from the start."""
    if left_out < 0:
        raise ValueError(f"left_out must be 0 or more periods, not {left_out}.")
    labels = sorted(frame[unit].unique(), key=str)
    read = {label: _read(frame[frame[unit] == label], label, outcome, time, start, offset) for label in labels}
    _check_same_periods({label: list(points.labels) for label, (points, _) in read.items()})
    counts, exposures = np.empty((2, len(labels))), np.empty((2, len(labels)))
    for column, (points, begins) in enumerate(read.values()):
        for side, kept in enumerate((points.positions < begins - left_out, points.positions >= begins)):
            counts[side, column] = points.outcome[kept].sum()
            exposures[side, column] = points.exposure[kept].sum()
    if any((points.positions >= begins - left_out).all() for points, begins in read.values()):
        raise ValueError(f"No period is left before the start once {left_out} are left out. Leave out fewer.")
    for side, when in enumerate(("before", "from")):
        empty = [str(label) for label, count in zip(labels, counts[side], strict=True) if count == 0]
        if empty:
            raise ValueError(
                f"No events {when} the start in {_named(empty)}, and a log rate needs at least one. Take more periods "
                "or a commoner outcome, join the place to a neighbour, or leave it out and say so."
            )
    return labels, counts, exposures


def _read(
    rows: pd.DataFrame, label: Any, outcome: str, time: str, start: Start, offset: str | None
) -> tuple[periods.Points, float]:
    try:
        return periods.read(rows, outcome, time, start, offset, "quasipoisson")
    except ValueError as refusal:
        raise ValueError(f"{label}: {refusal}") from refusal


def _check_same_periods(seen: dict[Any, list[Any]]) -> None:
    """A place without some period would be compared with others over another time of year."""
    every = {period for times in seen.values() for period in times}
    lacking = [
        f"{label} ({', '.join(map(periods.name, sorted(every - set(times))[:NAMED]))})"
        for label, times in seen.items()
        if len(times) < len(every)
    ]
    if lacking:
        raise ValueError(
            f"Periods that other places have are missing in {_named(lacking)}. Nothing is filled in here: leave those "
            "periods out for every place, or leave the place out and say so."
        )


def _named(those: list[str]) -> str:
    return ", ".join(those[:NAMED]) + (f" and {len(those) - NAMED} more" if len(those) > NAMED else "")


def table(labels: list[Any], flags: Flags, change: Floats, variance: Floats, tau2: float) -> pd.DataFrame:
    """A row a place, as `PlacesContrast.places` gives them."""
    weight = 1 / (variance + tau2)
    share = weight / np.where(flags, weight[flags].sum(), weight[~flags].sum())
    return pd.DataFrame({"unit": labels, "treated": flags, "change": change, "se": np.sqrt(variance), "weight": share})
