"""Agreement between raters who judge the same things: intraclass correlations, Krippendorff's alpha, Kendall's W."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import permutations as orders
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from evalkit.stats.pairs import flat
from evalkit.stats.student import NO_SPREAD, share

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

Level = Literal["nominal", "ordinal", "interval", "ratio"]
HowP = Literal["exact", "permutation", "none"]

CELLS = 4_000_000
"""How many numbers one block of resamples may hold (32 MB), so that memory does not grow with `resamples`."""

MOST_ORDERS = 200_000
"""Sums of ranks looked at for one judge; above it the exact p of W gives way to permutations."""

MOST_OBJECTS = 7
"""Objects up to which every order of one judge is listed (7! = 5,040)."""


@dataclass(frozen=True, slots=True)
class KrippendorffAlpha:
    """Krippendorff's alpha. `estimate` is NaN where every pairable value is the same; low and high without resamples.

    n: units with two values or more, of all `units`. values: how many values stand in them. raters: who gave one.
    undefined: resamples that drew one value only, which have no alpha.
    """

    estimate: float
    low: float
    high: float
    n: int
    units: int
    raters: int
    values: int
    level: Level
    undefined: int
    resamples: int
    seed: int | None
    confidence: float


@dataclass(frozen=True, slots=True)
class KendallW:
    """Kendall's W of `judges` over n objects. There is no interval: W has none that holds for few judges.

    missing: objects left out because a judge gave none. p: by `p_by`; p_chi_square: by chi-square with df.
    """

    estimate: float
    n: int
    judges: int
    missing: int
    p: float
    p_by: HowP
    chi_square: float
    df: int
    p_chi_square: float
    permutations: int
    seed: int | None


def icc_raters(matrix: ArrayLike | pd.DataFrame, *, confidence: float = 0.95) -> pd.DataFrame:
    """The six intraclass correlations of Shrout & Fleiss, a row each: ICC1 ICC2 ICC3 ICC1k ICC2k ICC3k.

    With the mean squares between subjects B, within subjects W, between raters J, and residual E, n subjects, k raters:
    ICC1 = (B - W)/(B + (k - 1)W): each subject has other raters · ICC2 = (B - E)/(B + (k - 1)E + k(J - E)/n): these
    raters stand for others, and their levels count · ICC3 = (B - E)/(B + (k - 1)E): these raters only, levels do not
    count. The three with k are those of the mean of k raters.
    Sources: Shrout & Fleiss (1979), Psychological Bulletin 86(2), 420-428; intervals by F, and for ICC2 by
    Satterthwaite's degrees of freedom, McGraw & Wong (1996), Psychological Methods 1(1), 30-46; as psych::ICC(lmer =
    FALSE). Negative estimates are kept: raters differ on one subject more than subjects differ.

    matrix: rows subjects, columns raters, NaN = not rated. **Only subjects rated by everybody count** (n);
    `missing` says how many were left out. Columns: form, estimate, low, high, n, raters, missing.
    NaN: low and high where residual or subject variation is zero, estimates with k where subjects do not differ.
    Errors: ValueError for fewer than two raters or two complete subjects, or no variation at all.

    >>> table = icc_raters([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
    >>> print(table.round(2).head(3).to_string(index=False))
    form  estimate  low  high  n  raters  missing
    ICC1      0.17 -0.13  0.72  6       4        0
    ICC2      0.29  0.02  0.76  6       4        0
    ICC3      0.71  0.34  0.95  6       4        0
    """
    given = rectangle(matrix, "matrix")
    rated = given[~np.isnan(given).any(axis=1)]
    n, k = rated.shape
    if k < 2 or n < 2:
        raise ValueError(
            f"Two raters and two subjects rated by all of them are needed; there are {k} raters and, of {len(given)} "
            f"subjects, {n} that all of them rated. krippendorff() takes gaps."
        )
    if flat(rated):
        raise ValueError(f"Every rating is {rated[0, 0]:g}: without variation there is nothing to correlate.")
    rows = _six(*_mean_squares(rated), n, k, share(confidence))
    table = pd.DataFrame(rows, columns=["form", "estimate", "low", "high"])
    return table.assign(n=n, raters=k, missing=len(given) - n)


def krippendorff(
    matrix: ArrayLike | pd.DataFrame,
    *,
    level: Level,
    resamples: int = 0,
    seed: int | None = None,
    confidence: float = 0.95,
) -> KrippendorffAlpha:
    """Krippendorff's alpha = 1 - observed / expected disagreement, for any number of raters and with gaps.

    Of the n values in units with two or more, D_o = Σ_u Σ_{pairs in u} δ/(m_u - 1)/n and D_e = Σ_{all pairs} δ/(n(n -
    1)). δ of two values c, k: nominal 1 where they differ · ordinal (values from c to k, ends half)² · interval
    (c - k)² · ratio ((c - k)/(c + k))².
    Source: Krippendorff (2019), Content Analysis, 4th ed., ch. 12; (2011) Computing Krippendorff's alpha-reliability.
    1 = complete agreement, 0 = as by chance, below 0 = raters disagree systematically. Where nearly everything has one
    value alpha is low though raters nearly always agree: chance alone would do as well.

    matrix: rows **raters**, columns units, NaN = not rated; numbers, or any labels when nominal. Units with fewer than
    two values say nothing of agreement and are left out (n of units).
    resamples: draw units with replacement so often, and take the percentile interval of their alphas, expected
    disagreement drawn anew each time. It speaks of other units for the same raters, and is too narrow with few units
    (simulated, 4 raters, 4 codes, alpha .14 to .65: 95 % intervals held the truth in 81-90 % of sets of 10 units,
    89-92 % of 20, 94 % of 50). Krippendorff's own algorithm draws pairs, not units (Hayes & Krippendorff 2007).
    A resample with one value only has no alpha: it counts as lowest for `low` and as 1 for `high`, so that the
    interval is never narrower for it; NaN where `low` would be one of these.

    Errors: ValueError for no unit with two values, text where numbers are needed, values below 0 at level "ratio".

    >>> codes = [[1, 2, 3, 3, 2, 1, 4, 1, 2], [1, 2, 3, 3, 2, 2, 4, 1, 2]]
    >>> alpha = krippendorff(codes, level="nominal")
    >>> print(f"{alpha.estimate:.3f}, {alpha.values} values in {alpha.n} units")
    0.852, 18 values in 9 units
    """
    if level not in get_args(Level):
        raise ValueError(f"level={level!r} is not known; choose one of {', '.join(get_args(Level))}.")
    codes, labels = _coded(matrix, level)
    paired = (codes >= 0).sum(axis=0) >= 2
    if not paired.any():
        raise ValueError(f"None of {codes.shape[1]} units has two values, so there is no agreement to look at.")
    counts = np.stack([(codes[:, paired] == code).sum(axis=0) for code in range(len(labels))], axis=1).astype(float)
    estimate = float(_alpha(np.ones((1, len(counts))), counts, labels, level)[0])
    used_seed = _seed(seed) if resamples else None
    low, high, undefined = math.nan, math.nan, 0
    if resamples and not math.isnan(estimate):
        drawn = _resampled(counts, labels, level, resamples, np.random.default_rng(used_seed))
        undefined = int(np.isnan(drawn).sum())
        low, high = _percentiles(drawn, share(confidence))
    return KrippendorffAlpha(
        estimate=estimate,
        low=low,
        high=high,
        n=int(paired.sum()),
        units=codes.shape[1],
        raters=int((codes[:, paired] >= 0).any(axis=1).sum()),
        values=int(counts.sum()),
        level=level,
        undefined=undefined,
        resamples=resamples,
        seed=used_seed,
        confidence=confidence,
    )


def kendall_w(matrix: ArrayLike | pd.DataFrame, *, permutations: int = 9_999, seed: int | None = None) -> KendallW:
    """Kendall's coefficient of concordance: how far m judges put n objects in one order, 0 (not at all) to 1.

    W = 12 S / [m²(n³ - n) - m Σ(t³ - t)], S the sum of squared deviations of the objects' rank sums and t the sizes of
    each judge's ties; chi-square = m(n - 1)W with n - 1 degrees of freedom, rough when n is small.
    Source: Kendall & Babington Smith (1939), Annals of Mathematical Statistics 10(3), 275-287; ties: Kendall & Gibbons
    (1990), Rank Correlation Methods, 5th ed., ch. 6. W says nothing of level: judges two points apart throughout agree.

    p is of judges who order at random, their own ties kept: "exact" over all orders where these can be gone through (up
    to 7 objects and few judges), else by `permutations`, (1 + as large)/(1 + all) (Phipson & Smyth 2010), NaN with 0.
    matrix: rows **judges**, columns objects; scores or ranks, higher or lower first, as long as all judges do alike;
    NaN = not judged. **Only objects that every judge judged count** (n), and are ranked among themselves; `missing`
    says how many were left out.

    Errors: ValueError for fewer than two judges or two complete objects, or when no judge tells objects apart.

    >>> found = kendall_w([[1, 2, 3, 4], [1, 3, 2, 4], [2, 1, 3, 4]])
    >>> print(f"W = {found.estimate:.3f}, p = {found.p:.3f} ({found.p_by})")
    W = 0.778, p = 0.054 (exact)
    """
    from scipy.special import chdtrc

    given = rectangle(matrix, "matrix")
    judged = given[:, ~np.isnan(given).any(axis=0)]
    m, n = judged.shape
    if m < 2 or n < 2:
        raise ValueError(
            f"Two judges and two objects judged by all of them are needed; there are {m} judges and, of "
            f"{given.shape[1]} objects, {n} that all of them judged."
        )
    # Twice the rank is a whole number even in ties, so that equal sums compare as equal.
    ranks: Whole = (2 * pd.DataFrame(judged).rank(axis=1)).to_numpy(dtype=np.int64)
    ties = sum(int((sizes**3 - sizes).sum()) for sizes in (np.unique(row, return_counts=True)[1] for row in ranks))
    most = m * m * (n**3 - n) - m * ties
    if most == 0:
        raise ValueError(f"None of {m} judges tells the objects apart, so there is no order to agree on.")
    squares = int((ranks.sum(axis=0) ** 2).sum())
    w = (3 * squares - 3 * n * (m * (n + 1)) ** 2) / most
    p, p_by, used_seed = _p_of_order(ranks, squares, permutations, seed)
    chi_square, drawn = m * (n - 1) * w, permutations if p_by == "permutation" else 0
    p_chi_square = float(chdtrc(n - 1, chi_square))
    missing = given.shape[1] - n
    return KendallW(w, n, m, missing, p, p_by, chi_square, n - 1, p_chi_square, drawn, used_seed)


def rectangle(values: ArrayLike | pd.DataFrame, name: str) -> Floats:
    """Rows and columns of numbers, NaN where blank; one column where a plain list is given."""
    cells: Any = values
    try:
        found: Floats = pd.DataFrame(cells).to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"{name} must be rows and columns of numbers, blank where nothing was said.") from problem
    if np.isinf(found).any():
        raise ValueError(f"{name} holds {int(np.isinf(found).sum())} infinite values; an answer is a number or blank.")
    return found


def f_limits(top: float, bottom: float, df_top: int, df_bottom: int, confidence: float) -> tuple[float, float]:
    """The observed F = top/bottom over and times its tabled limits; NaN where either is zero, for then none exists."""
    from scipy.special import fdtri

    if top <= 0 or bottom <= 0:
        return math.nan, math.nan
    tail = (1 + confidence) / 2
    f = top / bottom
    return f / float(fdtri(df_top, df_bottom, tail)), f * float(fdtri(df_bottom, df_top, tail))


def _mean_squares(rated: Floats) -> tuple[float, float, float, float]:
    """Between subjects, within subjects, between raters, residual. Rounding counts as zero."""
    n, k = rated.shape
    centred = rated - rated.mean()
    rows, columns = centred.mean(axis=1, keepdims=True), centred.mean(axis=0, keepdims=True)
    nothing = (NO_SPREAD * float(np.abs(rated).max())) ** 2 * rated.size
    sums = [k * (rows**2).sum(), n * (columns**2).sum(), ((centred - rows - columns) ** 2).sum()]
    between, raters, residual = (0.0 if each <= nothing else float(each) for each in sums)
    within = (raters + residual) / (n * (k - 1))
    return between / (n - 1), within, raters / (k - 1), residual / ((n - 1) * (k - 1))


def _six(b: float, w: float, j: float, e: float, n: int, k: int, confidence: float) -> list[tuple[Any, ...]]:
    """Form, estimate, low, high of all six from the mean squares."""
    one = f_limits(b, w, n - 1, n * (k - 1), confidence)
    three = f_limits(b, e, n - 1, (n - 1) * (k - 1), confidence)
    icc2 = _ratio(b - e, b + (k - 1) * e + k * (j - e) / n)
    two = _absolute(b, j, e, n, k, icc2, confidence)
    return [
        ("ICC1", _ratio(b - w, b + (k - 1) * w), *((f - 1) / (f + k - 1) for f in one)),
        ("ICC2", icc2, *two),
        ("ICC3", _ratio(b - e, b + (k - 1) * e), *((f - 1) / (f + k - 1) for f in three)),
        ("ICC1k", _ratio(b - w, b), *(1 - 1 / f for f in one)),
        ("ICC2k", _ratio(b - e, b + (j - e) / n), *(_stepped_up(each, k) for each in two)),
        ("ICC3k", _ratio(b - e, b), *(1 - 1 / f for f in three)),
    ]


def _ratio(top: float, bottom: float) -> float:
    return top / bottom if bottom > 0 else math.nan


def _absolute(b: float, j: float, e: float, n: int, k: int, icc: float, confidence: float) -> tuple[float, float]:
    """Limits of ICC2: F with Satterthwaite's degrees of freedom v (McGraw & Wong 1996, table 7)."""
    from scipy.special import fdtri

    if b <= 0 or e <= 0:
        return math.nan, math.nan
    tail, f, rest = (1 + confidence) / 2, j / e, n * (1 + (k - 1) * icc) - k * icc
    v = (k - 1) * (n - 1) * (k * icc * f + rest) ** 2 / ((n - 1) * (k * icc * f) ** 2 + rest**2)
    down, up = float(fdtri(n - 1, v, tail)), float(fdtri(v, n - 1, tail))
    spread = k * j + (k * n - k - n) * e
    return n * (b - down * e) / (down * spread + n * b), n * (up * b - e) / (spread + n * up * b)


def _stepped_up(bound: float, k: int) -> float:
    """Spearman-Brown to the mean of k raters; minus infinity where a bound lies too low for any mean of k."""
    below = 1 + (k - 1) * bound
    return k * bound / below if below > 0 or math.isnan(bound) else -math.inf


def _coded(matrix: ArrayLike | pd.DataFrame, level: Level) -> tuple[NDArray[np.intp], Floats]:
    """Each value as the position of its label, -1 for a gap; the labels as numbers, in order."""
    if level == "nominal":
        given: Any = matrix
        cells = pd.DataFrame(given).to_numpy(dtype=object)
        codes, names = pd.factorize(cells.ravel())
        return codes.reshape(cells.shape), np.arange(len(names), dtype=float)
    table = rectangle(matrix, "matrix")
    if level == "ratio" and (table < 0).any():
        raise ValueError(f'level="ratio" needs values from 0 up; {int((table < 0).sum())} lie below it.')
    codes, numbers = pd.factorize(table.ravel(), sort=True)
    return codes.reshape(table.shape), np.asarray(numbers, dtype=float)


def _alpha(weights: Floats, counts: Floats, labels: Floats, level: Level) -> Floats:
    """One alpha a row of weights: how often each unit counts. counts: units x labels.

    Squared differences are summed through first and second moments; ordinal ones are those of mid-ranks, which the
    weights change, so that no table of labels x labels is needed for each resample.
    """
    size, totals = counts.sum(axis=1), weights @ counts
    n = totals.sum(axis=1)
    if level in ("nominal", "ratio"):
        apart = 1 - np.eye(len(labels)) if level == "nominal" else _ratio_apart(labels)
        observed = weights @ (((counts @ apart) * counts).sum(axis=1) / (size - 1))
        expected = ((totals @ apart) * totals).sum(axis=1)
    else:
        middle = np.broadcast_to(labels - labels.mean(), totals.shape)
        if level == "ordinal":
            middle = np.cumsum(totals, axis=1) - totals / 2 - n[:, None] / 2
        first, second = middle @ counts.T, middle**2 @ counts.T
        observed = 2 * (weights * (size * second - first**2) / (size - 1)).sum(axis=1)
        expected = 2 * (n * (totals * middle**2).sum(axis=1) - (totals * middle).sum(axis=1) ** 2)
    varied = (totals > 0).sum(axis=1) > 1
    return np.where(varied, 1 - (n - 1) * observed / np.where(varied, expected, 1.0), np.nan)


def _seed(seed: int | None) -> int:
    """The seed used, drawn when none was given, so that every drawn number can be drawn again."""
    return seed if seed is not None else int(np.random.SeedSequence().generate_state(1)[0])


def _ratio_apart(labels: Floats) -> Floats:
    both = labels[:, None] + labels
    return np.asarray(((labels[:, None] - labels) / np.where(both > 0, both, 1.0)) ** 2)


def _resampled(counts: Floats, labels: Floats, level: Level, resamples: int, rng: np.random.Generator) -> Floats:
    units = len(counts)
    block = max(1, CELLS // max(units, len(labels)))
    drawn = []
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        weights = rng.multinomial(units, np.full(units, 1 / units), size=rows).astype(float)
        drawn.append(_alpha(weights, counts, labels, level))
    return np.concatenate(drawn)


def _percentiles(drawn: Floats, confidence: float) -> tuple[float, float]:
    """Percentile limits in which a resample without alpha counts against us at both ends."""
    lowest, highest = np.where(np.isnan(drawn), -np.inf, drawn), np.where(np.isnan(drawn), 1.0, drawn)
    low = float(np.quantile(lowest, (1 - confidence) / 2, method="lower"))
    high = float(np.quantile(highest, (1 + confidence) / 2, method="higher"))
    return (low if math.isfinite(low) else math.nan), high


def _p_of_order(ranks: Whole, squares: int, permutations: int, seed: int | None) -> tuple[float, HowP, int | None]:
    exact = _exact_p(ranks, squares)
    if exact is not None:
        return exact, "exact", None
    if not permutations:
        return math.nan, "none", None
    used = _seed(seed)
    rng, large = np.random.default_rng(used), 0
    block = max(1, CELLS // ranks.size)
    for start in range(0, permutations, block):
        rows = min(block, permutations - start)
        dealt: NDArray[Any] = rng.permuted(np.broadcast_to(ranks, (rows, *ranks.shape)), axis=2)
        large += int(((dealt.sum(axis=1) ** 2).sum(axis=1) >= squares).sum())
    return (1 + large) / (1 + permutations), "permutation", used


def _exact_p(ranks: Whole, squares: int) -> float | None:
    """Share of all orders with sums at least so unequal; None where these are too many.

    Judge by judge: any order of the next judge is as likely as any other, so only the sorted sums so far matter.
    """
    m, n = ranks.shape
    base = 2 * m * n + 1  # above any sum, so that a row of sums is one number in this base
    if n > MOST_OBJECTS or base**n > 2**62:
        return None
    sums = np.sort(ranks[:1], axis=1)
    ways: Floats = np.ones(1)
    for row in ranks[1:]:
        every = np.array(sorted(set(orders(row.tolist()))), dtype=np.int64)
        if len(sums) * len(every) > MOST_ORDERS:
            return None
        reached = np.sort((sums[:, None, :] + every).reshape(-1, n), axis=1)
        _, first, which = np.unique(reached @ base ** np.arange(n), return_index=True, return_inverse=True)
        sums = reached[first]
        ways = np.bincount(which.ravel(), np.repeat(ways, len(every)) / len(every)).astype(np.float64)
    return min(float(ways[(sums**2).sum(axis=1) >= squares].sum()), 1.0)
