"""Agreement within groups: how alike the members of one team answer, and whether that grows; raters are in `raters`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pandas as pd

from evalkit.stats.pairs import flat
from evalkit.stats.raters import KendallW, KrippendorffAlpha, f_limits, icc_raters, kendall_w, krippendorff, rectangle
from evalkit.stats.student import NO_SPREAD, share, t_interval, t_p

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]

__all__ = ["Consensus", "GroupCorrelations", "Icc", "KendallW", "KrippendorffAlpha", "average_deviation", "awg"]
__all__ += ["consensus", "icc_groups", "icc_raters", "kendall_w", "krippendorff", "null_variance", "rwg", "rwg_j"]

Shape = Literal["uniform", "slight_skew"]
Centre = Literal["mean", "median"]

SLIGHT_SKEW = {5: 1.34, 6: 1.85, 7: 2.90, 8: 3.47, 9: 5.66, 10: 6.30, 11: 7.31}
"""Variance of a slightly skewed answer by number of options, as LeBreton's own R package WGA (RWG.R) tabulates it from
LeBreton & Senter (2008), Organizational Research Methods 11(4), 815-852; two decimals."""

SLIGHT_SKEW_VERIFIED = frozenset({5})
"""Options whose variance follows from a known distribution: shares .05, .15, .20, .35, .25 give 1.34. The others rest
on the package alone, for the printed table was not seen; 9 options stand out (.85 of uniform, the others .63-.76)."""


@dataclass(frozen=True, slots=True)
class Icc:
    """One intraclass correlation, of n answers."""

    estimate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class GroupCorrelations:
    """icc1: how much of the variation lies between groups. icc2: how reliable the means of groups are.

    missing: answers left blank. unanswered: groups in which every answer was. between, within: mean squares.
    """

    icc1: Icc
    icc2: Icc
    n: int
    groups: int
    missing: int
    unanswered: int
    mean_size: float
    between: float
    within: float
    confidence: float


@dataclass(frozen=True, slots=True, eq=False)
class Consensus:
    """Change of the spread within groups in one unit of time: negative = members answer more and more alike.

    n: groups with spread at two times or more; left_out: the others. missing: blank answers. NaN for low, high and p
    with one group, or where all slopes are one number.
    """

    estimate: float
    low: float
    high: float
    n: int
    left_out: int
    missing: int
    se: float
    df: int
    p: float
    confidence: float
    _times: pd.DataFrame = field(repr=False)

    @property
    def times(self) -> pd.DataFrame:
        """A row a time: time, n, groups, estimate, low, high (ICC1, or NaN), sd (within groups, pooled)."""
        return self._times.copy(deep=False)


def null_variance(options: int, *, shape: Shape = "uniform", probabilities: ArrayLike | None = None) -> float:
    """The variance of answers given without any agreement, which rwg compares with; options stand one unit apart.

    "uniform": (A² - 1)/12, every one of A options as likely (James, Demaree & Wolf 1984: see `rwg`). People rarely
    answer so, and compared with it they seem to agree: "slight_skew" (`SLIGHT_SKEW`, 5 to 11 options) is the stricter
    comparison that LeBreton & Senter (2008) ask for beside it; only its variance for 5 options has been checked against
    a distribution (`SLIGHT_SKEW_VERIFIED`). Or give `probabilities`, one an option, lowest first: the variance is then
    theirs, and `shape` is not used.
    Errors: ValueError for fewer than two options, a skew that is not tabulated, or probabilities that are none.

    >>> null_variance(5), null_variance(5, shape="slight_skew")
    (2.0, 1.34)
    >>> round(null_variance(5, probabilities=[0.05, 0.15, 0.2, 0.35, 0.25]), 10)
    1.34
    """
    if options < 2:
        raise ValueError(f"options={options}: at least two are needed for answers to differ.")
    if probabilities is not None:
        weights = np.asarray(probabilities, dtype=float)
        if weights.shape != (options,) or not (weights >= 0).all() or abs(weights.sum() - 1) > 1e-9:
            raise ValueError(f"probabilities must be {options} shares from 0 that add up to 1, lowest option first.")
        steps = np.arange(options)
        return float(weights @ (steps - weights @ steps) ** 2)
    if shape not in get_args(Shape):
        raise ValueError(f"shape={shape!r} is not known; choose one of {', '.join(get_args(Shape))}.")
    if shape == "uniform":
        return (options**2 - 1) / 12
    if options not in SLIGHT_SKEW:
        raise ValueError(f"No published slight skew was found for {options} options; give probabilities= instead.")
    return SLIGHT_SKEW[options]


def rwg(scores: ArrayLike | pd.Series, groups: ArrayLike | pd.Series, *, null_variance: float) -> pd.DataFrame:
    """Agreement on one question: rwg = 1 - s²/σ², s² the variance within the group, σ² that of answers without any.

    Source: James, Demaree & Wolf (1984), J. Applied Psychology 69(1), 85-98. Groups that differ more than answers
    without agreement would come out below 0: `estimate` is then 0, as these authors advise and R's multilevel::rwg
    does; `raw` keeps the number. In small groups chance alone gives high values: set it beside other null variances.

    scores: one a person, NaN = no answer. groups: the group of each person. null_variance: see `null_variance()`.
    Columns, a row a group by name: group, n (answers), estimate, raw, sd (n - 1), missing (blank). No interval.
    NaN for groups with fewer than two answers: one voice neither agrees nor disagrees.
    Errors: ValueError for no rows, people without a group, or a null variance not above 0.

    >>> rwg([4, 5, 4, 1, 5, 3], ["A", "A", "A", "B", "B", "C"], null_variance=2.0).round(3)
      group  n  estimate    raw     sd  missing
    0     A  3     0.833  0.833  0.577        0
    1     B  2     0.000 -3.000  2.828        0
    2     C  1       NaN    NaN    NaN        0
    """
    return rwg_j(_column(scores), groups, null_variance=null_variance)


def rwg_j(items: ArrayLike | pd.DataFrame, groups: ArrayLike | pd.Series, *, null_variance: float) -> pd.DataFrame:
    """Agreement on J questions of one scale: rwg(J) = J r/(J r + 1 - r), r = 1 - mean of the J variances / σ².

    Source: James, Demaree & Wolf (1984), as R's multilevel::rwg.j. r below 0 counts as 0. rwg(J) rises with the number
    of questions alone: r = .5 gives .5 with one and .91 with ten. `raw` is r itself, which does not and may be negative
    (Lindell, Brandt & Whitney 1999, Applied Psychological Measurement 23(2), 127-135).

    items: rows people, columns questions, NaN = no answer. **Only people who answered every question count** (n), as in
    multilevel; `missing` says how many of the group were left out. sd: root of the mean variance. Else as `rwg`.

    >>> rwg_j([[4, 5], [5, 5], [4, 4]], ["A", "A", "A"], null_variance=2.0).round(3)
      group  n  estimate    raw     sd  missing
    0     A  3     0.909  0.833  0.577        0
    """
    if not 0 < null_variance < math.inf:
        raise ValueError(f"null_variance={null_variance} must be above 0; null_variance(options) gives it.")
    table = _Grouped.of(items, groups)
    variance, questions = table.variances().mean(axis=1), table.values.shape[1]
    raw = 1 - variance / null_variance
    agreed = np.maximum(raw, 0)
    return table.frame(estimate=questions * agreed / (questions * agreed + 1 - agreed), raw=raw, sd=np.sqrt(variance))


def awg(scores: ArrayLike | pd.Series, groups: ArrayLike | pd.Series, *, low: float, high: float) -> pd.DataFrame:
    """Agreement against the most that a group with this mean could disagree: from 1 down to -1, 0 = half of that.

    awg = 1 - 2 s²/{[(H + L)M - M² - HL] k/(k - 1)}, M the mean of k answers on a scale from L (low) to H (high).
    Source: Brown & Hauenstein (2005), Organizational Research Methods 8(2), 165-184, as R's multilevel::awg. No null
    distribution is chosen. Near an end of the scale k people cannot disagree fully, so it is defined for M from
    [L(k - 1) + H]/k to [H(k - 1) + L]/k only (columns lowest_mean, highest_mean) and NaN beyond; a group that is
    unanimous at an end of the scale has 1.

    Columns: group, n, estimate, mean, lowest_mean, highest_mean, missing. Groups of one: NaN. Errors: as `rwg`, and
    ValueError when low is not below high, or for answers off the scale.

    >>> awg([3, 4, 3, 5, 5, 4], ["A", "A", "A", "B", "B", "B"], low=1, high=5).round(3)
      group  n  estimate   mean  lowest_mean  highest_mean  missing
    0     A  3     0.886  3.333        2.333         3.667        0
    1     B  3       NaN  4.667        2.333         3.667        0
    """
    if not low < high:
        raise ValueError(f"low={low:g} must lie below high={high:g}: the ends of the scale that was offered.")
    table = _Grouped.of(_column(scores), groups)
    off = int(((table.values < low) | (table.values > high)).sum())
    if off:
        raise ValueError(f"{off} answers lie off the scale from {low:g} to {high:g}; mend them, or the scale.")
    k, mean = table.n, table.means()[:, 0]
    many = np.where(k > 1, k, np.nan)
    least, greatest = (low * (many - 1) + high) / many, (high * (many - 1) + low) / many
    slack = NO_SPREAD * (high - low)
    widest = np.where((mean >= least - slack) & (mean <= greatest + slack), (high - mean) * (mean - low), np.nan)
    at_end = (k > 1) & (np.minimum(mean - low, high - mean) <= slack)
    estimate = np.where(at_end, 1.0, 1 - 2 * table.variances()[:, 0] * (many - 1) / many / widest)
    return table.frame(estimate=estimate, mean=mean, lowest_mean=least, highest_mean=greatest)


def average_deviation(
    items: ArrayLike | pd.DataFrame, groups: ArrayLike | pd.Series, *, centre: Centre = "mean"
) -> pd.DataFrame:
    """How far answers lie from the middle of their group on average, in units of the scale: 0 = all alike.

    AD = mean over questions of Σ|x - centre|/k, k answers; centre "mean" (AD_M) or "median" (AD_Md).
    Source: Burke, Finkelstein & Dusig (1999), Organizational Research Methods 2(1), 49-68, as R's multilevel::ad.m.
    **Lower is more agreement**. It divides by k, not k - 1, so that small groups seem a little closer than they are.

    items: one question, or people x questions, complete people only (`rwg_j`). Columns: group, n, estimate, missing.

    >>> average_deviation([4, 5, 3, 1, 1, 4], ["A", "A", "A", "B", "B", "B"], centre="median").round(3)
      group  n  estimate  missing
    0     A  3     0.667        0
    1     B  3     1.000        0
    """
    if centre not in get_args(Centre):
        raise ValueError(f"centre={centre!r} is not known; choose one of {', '.join(get_args(Centre))}.")
    table = _Grouped.of(items, groups)
    middle = table.means() if centre == "mean" else table.medians()
    deviation = table.means(np.abs(table.values - middle[table.codes])).mean(axis=1)
    return table.frame(estimate=np.where(table.n > 1, deviation, np.nan))


def icc_groups(
    scores: ArrayLike | pd.Series, groups: ArrayLike | pd.Series, *, confidence: float = 0.95
) -> GroupCorrelations:
    """ICC(1) and ICC(2) of answers in groups, from the one-way analysis of variance, with intervals by F.

    With mean squares B between and W within groups and m = n/groups: ICC1 = (B - W)/(B + (m - 1)W); ICC2 = (B - W)/B.
    Limits: f = B/W over and times tabled F (groups - 1, n - groups); (f - 1)/(f + m - 1) and 1 - 1/f.
    Sources: Bliese (2000), in Klein & Kozlowski (eds), Multilevel Theory, Research, and Methods in Organizations,
    349-381, as R's multilevel::ICC1 and ICC2; limits: Shrout & Fleiss (1979), Psychological Bulletin 86(2), 420-428.
    **Unequal groups**: m is the plain mean size, as in multilevel, for estimate and limits alike. Limits are exact for
    equal groups; simulated 95 % intervals held the truth in 94-95 % of sets with 4 to 14 people a group, 88-95 % with 2
    to 30, and ICC1 then comes out low by about a fifth.
    Negative values are kept: members differ more than groups do. NaN: limits where B or W is zero, ICC2 where B is.

    scores: one a person, NaN = no answer. Errors: ValueError for one group, none with two answers, or all alike.

    >>> found = icc_groups([4, 5, 4, 2, 1, 2, 3, 4, 3], list("AAABBBCCC"))
    >>> print(f"{found.icc1.estimate:.3f} ({found.icc1.low:.3f} to {found.icc1.high:.3f})")
    0.836 (0.294 to 0.995)
    """
    table = _Grouped.of(_column(scores), groups)
    n, k, between, within, problem = _mean_squares(table.values[:, 0], table.codes)
    if problem:
        raise ValueError(problem)
    icc1, icc2 = _correlations(n, k, between, within, share(confidence))
    missing, unanswered = int(table.missing.sum()), int((table.n == 0).sum())
    return GroupCorrelations(icc1, icc2, n, k, missing, unanswered, n / k, between, within, confidence)


def consensus(frame: pd.DataFrame, *, score: str, group: str, time: str, confidence: float = 0.95) -> Consensus:
    """Whether members of groups come to answer alike: change in the spread within groups, and ICC1 at each time.

    estimate: each group's least-squares slope of its standard deviation on time, averaged over groups; t interval with
    groups - 1 degrees of freedom. Each standard deviation is divided by c4(k - 1) = E(s)/σ for k answers: without it
    groups that shrink from 8 to 3 answers seem to converge (simulated: 7 and 10 % false alarms at 8 and 20 groups, 4
    and 5 % with it).
    Source of the question: Lang, Bliese & de Voogt (2018), Personnel Psychology 71(2), 255-281, who model log spread in
    one mixed model. Here the slope is of the spread itself, in units of answers: a group that agrees wholly has no
    logarithm. Answers that crowd at an end of the scale lose spread by that alone.
    frame: a row an answer. score: NaN = no answer. time: numbers, such as 0, 1, 2; all groups on one clock.
    Errors: ValueError for columns not there, times no numbers, blank groups or times, or no group to take a slope of.

    >>> answers = pd.DataFrame({"team": list("AAABBB") * 2, "wave": [0] * 6 + [1] * 6,
    ...     "score": [1, 3, 5, 2, 3, 4, 2, 3, 4, 3, 3, 4]})
    >>> found = consensus(answers, score="score", group="team", time="wave")
    >>> print(f"{found.estimate:.2f} a wave ({found.low:.2f} to {found.high:.2f}), {found.n} teams")
    -0.80 a wave (-4.94 to 3.34), 2 teams
    """
    _require(frame, score, group, time)
    table = _Grouped.of(_column(frame[score]), frame[group])
    when, waves = pd.factorize(frame[time].to_numpy(dtype=float)[table.rows], sort=True)
    slopes = _slopes(table, when, np.asarray(waves, dtype=float))
    if not len(slopes):
        raise ValueError(f"No group has two answers at each of two times ({len(waves)} times): no spread can change.")
    n, estimate, times = len(slopes), float(slopes.mean()), _by_time(table, when, waves, share(confidence))
    se = float(slopes.std(ddof=1)) / math.sqrt(n) if n > 1 and not flat(slopes) else math.nan
    low, high = t_interval(estimate, se, max(n - 1, 1), confidence)
    left_out, missing, p = len(table.labels) - n, int(table.missing.sum()), t_p(estimate, se, max(n - 1, 1))
    return Consensus(estimate, low, high, n, left_out, missing, se, n - 1, p, confidence, times)


@dataclass(frozen=True, slots=True, eq=False)
class _Grouped:
    """Complete rows of numbers with the group of each; `rows` are their positions in what was given."""

    values: Floats
    codes: Places
    rows: Places
    labels: Any
    n: NDArray[np.intp]
    missing: NDArray[np.intp]

    @classmethod
    def of(cls, items: Any, groups: Any) -> _Grouped:
        indexed = isinstance(items, pd.DataFrame | pd.Series) and isinstance(groups, pd.Series)
        if indexed and not items.index.equals(groups.index):
            raise ValueError("scores and groups carry different indexes; put them in one order first.")
        values, names = rectangle(items, "scores"), pd.Series(groups)
        if isinstance(names.dtype, pd.CategoricalDtype):
            names = names.astype(names.cat.categories.dtype)
        if len(values) != len(names):
            raise ValueError(f"There are {len(values)} rows of scores and {len(names)} groups; give one group a row.")
        if not values.size:
            raise ValueError("There are no answers at all.")
        if names.isna().any():
            raise ValueError(f"{int(names.isna().sum())} of {len(names)} rows have no group; give each one or drop it.")
        codes, labels = pd.factorize(names, sort=True)
        rows = np.flatnonzero(~np.isnan(values).any(axis=1))
        n = np.bincount(codes[rows], minlength=len(labels))
        return cls(values[rows], codes[rows], rows, labels, n, np.bincount(codes, minlength=len(labels)) - n)

    def means(self, of: Floats | None = None) -> Floats:
        """Groups x questions; NaN where nobody answered."""
        columns = (self.values if of is None else of).T
        sums = np.column_stack([np.bincount(self.codes, column, len(self.n)) for column in columns])
        return np.asarray(sums / np.where(self.n > 0, self.n, np.nan)[:, None])

    def medians(self) -> Floats:
        return pd.DataFrame(self.values).groupby(self.codes).median().reindex(range(len(self.n))).to_numpy(dtype=float)

    def variances(self) -> Floats:
        """Groups x questions, with n - 1; NaN below two answers. Two passes, so that no digits are lost."""
        squares = self.means((self.values - self.means()[self.codes]) ** 2)
        return np.asarray(squares * (self.n / np.where(self.n > 1, self.n - 1, np.nan))[:, None])

    def frame(self, **columns: Floats) -> pd.DataFrame:
        return pd.DataFrame({"group": self.labels, "n": self.n} | columns | {"missing": self.missing})


def _mean_squares(values: Floats, codes: Places) -> tuple[int, int, float, float, str]:
    """n, groups, mean squares between and within, and why there is no correlation ("" where there is)."""
    _, inside, sizes = np.unique(codes, return_inverse=True, return_counts=True)
    n, k = len(values), len(sizes)
    means = np.bincount(inside, values) / sizes
    sums = float((sizes * (means - values.sum() / max(n, 1)) ** 2).sum()), float(((values - means[inside]) ** 2).sum())
    nothing = (NO_SPREAD * float(np.abs(values).max(initial=0))) ** 2 * n
    over = zip(sums, (k - 1, n - k), strict=True)
    between, within = (math.nan if df < 1 else 0.0 if each <= nothing else each / df for each, df in over)
    problem = f"All {n} answers are {values[0]:g}: without variation there is no share." if n and flat(values) else ""
    if k < 2 or n == k:
        problem = f"{n} answers in {k} groups: two groups are needed, and two answers in at least one."
    return n, k, between, within, problem


def _correlations(n: int, k: int, b: float, w: float, confidence: float) -> tuple[Icc, Icc]:
    """ICC1 and ICC2, NaN where mean squares leave them undefined."""
    m, limits = n / max(k, 1), f_limits(b, w, k - 1, n - k, confidence)
    one = (b - w) / (b + (m - 1) * w) if b + (m - 1) * w > 0 else math.nan
    low, high = ((f - 1) / (f + m - 1) for f in limits)
    least, most = (1 - 1 / f for f in limits)
    return Icc(one, low, high, n), Icc((b - w) / b if b > 0 else math.nan, least, most, n)


def _column(scores: Any) -> Any:
    """One number a person; a table is refused, for its columns would be taken as questions."""
    if np.ndim(scores) != 1:
        raise ValueError(f"scores must be one number a person, not {np.ndim(scores)} dimensions; rwg_j takes several.")
    return scores


def _require(frame: pd.DataFrame, score: str, group: str, time: str) -> None:
    absent = [each for each in (score, group, time) if each not in frame.columns]
    if absent:
        raise ValueError(f"The frame has no column {', '.join(absent)}; it has {', '.join(map(str, frame.columns))}.")
    if not pd.api.types.is_numeric_dtype(frame[time]):
        raise ValueError(f"{time} must be numbers on one clock, such as 0, 1, 2, not {frame[time].dtype}.")
    if frame[time].isna().any():
        raise ValueError(f"{int(frame[time].isna().sum())} of {len(frame)} rows have no {time}.")


def _slopes(table: _Grouped, when: Places, times: Floats) -> Floats:
    """The slope of spread on time of each group that has spread at two times or more."""
    from scipy.special import gammaln

    cells = _Grouped.of(table.values[:, 0], table.codes * len(times) + when)
    df = np.where(cells.n > 1, cells.n - 1, np.nan)
    c4 = np.sqrt(2 / df) * np.exp(gammaln((df + 1) / 2) - gammaln(df / 2))
    spread = np.full((len(table.labels), len(times)), np.nan)
    spread.flat[np.asarray(cells.labels)] = np.sqrt(cells.variances()[:, 0]) / c4
    slopes = []
    for row in spread:
        seen = ~np.isnan(row)
        if seen.sum() > 1:
            clock = times[seen] - times[seen].mean()
            slopes.append(float(clock @ row[seen] / (clock @ clock)))
    return np.array(slopes)


def _by_time(table: _Grouped, when: Places, waves: Any, confidence: float) -> pd.DataFrame:
    rows = []
    for position, wave in enumerate(waves):
        n, k, between, within, _ = _mean_squares(table.values[when == position, 0], table.codes[when == position])
        icc, _ = _correlations(n, k, between, within, confidence)
        rows.append((wave, n, k, icc.estimate, icc.low, icc.high, math.sqrt(within)))
    return pd.DataFrame(rows, columns=["time", "n", "groups", "estimate", "low", "high", "sd"])
