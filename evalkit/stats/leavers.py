"""Who left: answers wave by wave, and those who left against those who stayed in what they were at the start."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations, islice
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit.stats import change, rates
from evalkit.stats.pairs import flat
from evalkit.stats.student import share

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

CELLS = 2_000_000
"""How many labels one block of relabellings may hold (16 MB), so that memory does not grow with `permutations`."""

TIED = 1e-9
"""Statistics this close, as a share of the observed, are one value: they differ by rounding only."""


@dataclass(frozen=True, slots=True, eq=False)
class Attrition:
    """Leavers against stayers at the start.

    p: joint, over all differences together; smallest_p: the least that relabelling these people could have given ·
    permutations: how many relabellings were compared, the observed one among them; exact: whether these are all there
    are; seed: that of the draw where they are not · left_out: variables of which a group has no value · no_spread:
    variables in which nobody differs, which cannot speak in p · n = n_stayers + n_leavers.
    """

    p: float
    smallest_p: float
    statistic: float
    n: int
    n_stayers: int
    n_leavers: int
    permutations: int
    exact: bool
    seed: int | None
    left_out: tuple[str, ...]
    no_spread: tuple[str, ...]
    confidence: float
    _table: pd.DataFrame = field(repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """A row a variable, and for words a row a level.

        variable, level ("" for numbers), mean_stayers, mean_leavers (for levels: shares), difference, standardised,
        low, high (of `difference`), n_stayers, n_leavers (with a value), missing (without), sd, sd_of.
        """
        return self._table.copy(deep=False)


def attrition(
    stayers: pd.DataFrame,
    leavers: pd.DataFrame,
    *,
    permutations: int = 9_999,
    seed: int | None = None,
    confidence: float = 0.95,
) -> Attrition:
    """Those who left against those who stayed, in what was known of both at the start; leavers minus stayers.

    difference = mean of leavers − mean of stayers; standardised = difference / sd, sd the root mean square of the two
    groups' SDs, sqrt((s_1² + s_2²)/2), and for shares sqrt([p_1(1 − p_1) + p_2(1 − p_2)]/2) (Austin 2009, Statistics in
    Medicine 28(25), 3083-3107; Imbens & Rubin 2015, Causal Inference, ch. 14; as the balance tables of R's tableone
    and cobalt). `sd_of` says whose SD it is: "both groups"; "stayers" or "leavers" where the other has one value;
    "everybody" where neither group varies within; "nobody" where there is no difference at all. Interval: Welch's t for
    numbers (`change.two_groups`), for shares Newcombe's score interval from two Wilson intervals (1998, Statistics in
    Medicine 17, 873-890, method 10). NaN low and high: no interval, because a group has one value or neither varies.

    p: one question of all variables together, Σ over variables of (difference / SD of everybody)², words counting once
    (the mean of their levels' squares), against every way to call as many of these people leavers: all of them when
    they are at most permutations + 1, else so many draws, p = (1 + k)/(1 + permutations) (Phipson & Smyth 2010, Stat.
    Appl. Genet. Mol. Biol. 9:39). The SD of everybody is the same under every relabelling, so p is exact. A large p is
    no proof that leavers were like stayers, and nothing here speaks of what was not measured. People are relabelled one
    by one: where whole teams leave together p is too small.

    stayers, leavers: people x baseline variables, the same columns. Numbers give means (0 and 1, true and false:
    shares); text and categories a share a level. Missing values: each variable is compared among those who have it,
    `missing` counts the others; in p, people are relabelled together with their gaps. A variable that a whole group
    lacks is left out and named in `left_out`.
    Errors: ValueError for nobody in a group, no or different columns, a column that is numbers in one frame and words
    in the other, dates, infinite values, or no variable that both groups have and in which anybody differs.

    >>> stayers = pd.DataFrame({"score": [3.0, 4, 4, 5, 3], "sector": ["a", "b", "a", "a", "b"]})
    >>> leavers = pd.DataFrame({"score": [2.0, 3, 1], "sector": ["a", "a", "a"]})
    >>> found = attrition(stayers, leavers)
    >>> found.table[["variable", "level", "difference", "standardised"]].round(2).values.tolist()
    [['score', '', -1.8, -1.95], ['sector', 'a', 0.4, 1.15], ['sector', 'b', -0.4, -1.15]]
    >>> print(f"p {found.p:.3f} of {found.permutations}, least {found.smallest_p:.3f}")
    p 0.054 of 56, least 0.018
    """
    if permutations < 1:
        raise ValueError(f"permutations = {permutations} must be 1 or more.")
    left_out, columns = _columns(stayers.infer_objects(), leavers.infer_objects())
    leaver = np.arange(len(stayers) + len(leavers)) >= len(stayers)
    moved = [each for each in columns if not flat(each.values[~np.isnan(each.values)])]
    if not moved:
        raise ValueError(
            f"Nobody differs from anybody in {', '.join(dict.fromkeys(each.variable for each in columns))}."
        )
    used = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
    ways = math.comb(len(leaver), len(leavers))
    exact = ways <= permutations + 1
    rng = None if exact else np.random.default_rng(used)
    statistics = np.concatenate(
        [_statistic(moved, labels) for labels in _relabelled(leaver, rng, ways if exact else permutations)]
    )
    observed = float(_statistic(moved, leaver[None, :])[0])
    p, smallest_p = _p(statistics if exact else np.append(statistics, observed), observed)
    return Attrition(
        p=p,
        smallest_p=smallest_p,
        statistic=observed,
        n=len(leaver),
        n_stayers=len(stayers),
        n_leavers=len(leavers),
        permutations=ways if exact else permutations + 1,
        exact=exact,
        seed=None if exact else used,
        left_out=left_out,
        no_spread=tuple(dict.fromkeys(each.variable for each in columns if each not in moved)),
        confidence=share(confidence),
        _table=pd.DataFrame([_row(each, leaver, confidence) for each in columns]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """One number a person, stayers first: a variable, or whether somebody is of one level of it."""

    variable: str
    level: str
    values: Numbers
    is_share: bool
    weight: float


def _columns(stayers: pd.DataFrame, leavers: pd.DataFrame) -> tuple[tuple[str, ...], list[_Column]]:
    """The variables that a group lacks altogether, and the columns of the others."""
    for name, people in (("stayed", stayers), ("left", leavers)):
        if not len(people):
            raise ValueError(f"Nobody {name}, so there is nobody to compare with.")
    names = list(stayers.columns)
    if not names or not stayers.columns.is_unique or not leavers.columns.is_unique or set(names) != set(leavers):
        different = ", ".join(map(str, stayers.columns.symmetric_difference(leavers.columns)))
        raise ValueError(f"Both frames need the same columns, each once; only one has: {different or 'none'}.")
    lacking = [name for name in names if stayers[name].isna().all() or leavers[name].isna().all()]
    kept = [name for name in names if name not in lacking]
    if not kept:
        raise ValueError(f"No variable has a value in both groups: {', '.join(map(str, lacking))}.")
    return tuple(map(str, lacking)), [column for name in kept for column in _levels(name, stayers[name], leavers[name])]


def _levels(name: Hashable, stayers: pd.Series, leavers: pd.Series) -> list[_Column]:
    numeric = [pd.api.types.is_numeric_dtype(each) for each in (stayers, leavers)]
    if any(pd.api.types.is_datetime64_any_dtype(each) for each in (stayers, leavers)):
        raise ValueError(f"{name} holds dates. Turn it into a number first, such as months since the start.")
    if numeric[0] != numeric[1]:
        raise ValueError(f"{name} is numbers in one frame and words in the other. Give both frames one kind.")
    if numeric[0]:
        values = np.concatenate([each.to_numpy(dtype=float, na_value=np.nan) for each in (stayers, leavers)])
        if np.isinf(values).any():
            raise ValueError(f"{name} holds {int(np.isinf(values).sum())} infinite values; a value is finite or blank.")
        return [_Column(str(name), "", values, set(values[~np.isnan(values)]) == {0, 1}, 1)]
    words = np.concatenate([each.astype(object).to_numpy() for each in (stayers, leavers)])
    blank = pd.isna(words)
    text = np.array([str(word) for word in words], dtype=object)
    levels = sorted(set(text[~blank]))
    return [
        _Column(str(name), level, np.where(blank, np.nan, (text == level).astype(float)), True, 1 / len(levels))
        for level in levels
    ]


def _row(column: _Column, leaver: NDArray[np.bool_], confidence: float) -> dict[str, object]:
    """The row of the table: means, difference, whose SD it is divided by, interval."""
    present = ~np.isnan(column.values)
    stayed, left = column.values[present & ~leaver], column.values[present & leaver]
    difference = float(left.mean() - stayed.mean())
    sd, sd_of = _spread(stayed, left, column.is_share)
    low, high = _interval(stayed, left, column.is_share, confidence)
    return {
        "variable": column.variable,
        "level": column.level,
        "mean_stayers": float(stayed.mean()),
        "mean_leavers": float(left.mean()),
        "difference": difference,
        "standardised": difference / sd if sd > 0 else 0.0,
        "low": low,
        "high": high,
        "n_stayers": len(stayed),
        "n_leavers": len(left),
        "missing": int((~present).sum()),
        "sd": sd,
        "sd_of": sd_of,
    }


def _spread(stayed: Numbers, left: Numbers, is_share: bool) -> tuple[float, str]:
    """The SD to divide by, and whose it is. A share of n has SD sqrt(p(1 − p)), divisor n; a number divisor n − 1."""
    less = 0 if is_share else 1
    groups = {"stayers": stayed, "leavers": left}
    own = {whose: float(values.var(ddof=less)) for whose, values in groups.items() if len(values) > 1}
    if own and max(own.values()) > 0 and not (flat(stayed) and flat(left)):
        return math.sqrt(sum(own.values()) / len(own)), "both groups" if len(own) == 2 else next(iter(own))
    everybody = np.concatenate([stayed, left])
    return (0.0, "nobody") if flat(everybody) else (float(everybody.std(ddof=less)), "everybody")


def _interval(stayed: Numbers, left: Numbers, is_share: bool, confidence: float) -> tuple[float, float]:
    if is_share:
        there, gone = (rates.wilson(each.sum(), len(each), confidence=confidence) for each in (stayed, left))
        middle = gone.estimate - there.estimate
        below = math.hypot(gone.estimate - gone.low, there.high - there.estimate)
        return middle - below, middle + math.hypot(gone.high - gone.estimate, there.estimate - there.low)
    if min(len(stayed), len(left)) < 2 or (flat(stayed) and flat(left)):
        return math.nan, math.nan
    found = change.two_groups(stayed, left, confidence=confidence)
    return found.low, found.high


def _statistic(columns: list[_Column], labels: NDArray[np.bool_]) -> Numbers:
    """For each row of labels the sum of squared differences in SDs of everybody; 0 where a group has no value."""
    total = np.zeros(len(labels))
    left = labels.astype(float)
    for column in columns:
        present = ~np.isnan(column.values)
        seen = column.values[present]
        z = np.where(present, (column.values - seen.mean()) / seen.std(), 0.0)
        n_left = left @ present
        n_stayed = len(seen) - n_left
        # z sums to nought over everybody, so the sum of the stayers is minus that of the leavers
        with_both = (n_left > 0) & (n_stayed > 0)
        apart = np.where(with_both, (left @ z) * len(seen) / np.where(with_both, n_left * n_stayed, 1), 0.0)
        total += column.weight * apart**2
    return total


def _relabelled(leaver: NDArray[np.bool_], rng: np.random.Generator | None, many: int) -> Iterator[NDArray[np.bool_]]:
    """Labels in blocks: every choice of as many leavers, or so many drawn at random."""
    n, chosen = len(leaver), int(leaver.sum())
    rows = max(CELLS // n, 1)
    every = combinations(range(n), chosen)
    for start in range(0, many, rows):
        block = min(rows, many - start)
        if rng is not None:
            yield rng.permuted(np.tile(leaver, (block, 1)), axis=1)
            continue
        labels = np.zeros((block, n), dtype=np.bool_)
        labels[np.arange(block)[:, None], np.array(list(islice(every, block)), dtype=np.intp)] = True
        yield labels


def _p(statistics: Numbers, observed: float) -> tuple[float, float]:
    """Share of relabellings at least as far apart as the observed, and as the furthest of them."""
    room = TIED * max(observed, 1e-6)
    furthest = float(statistics.max())
    return float((statistics >= observed - room).mean()), float((statistics >= furthest * (1 - TIED)).mean())


def flow(answered: pd.DataFrame) -> pd.DataFrame:
    """Who answered, came back, left and had gaps, wave by wave.

    A row a wave: wave · asked · answered · before (asked now, and answered an earlier wave) · again (of these, answered
    now) · first_time (answered now for the first time) · gap (of `before`: not now, but again later) · left (of
    `before`: neither now nor later) · newly_left (of `left`: answered the last time they were asked before) · not_yet
    (no answer so far). asked = again + gap + left + first_time + not_yet, answered = again + first_time, before = again
    + gap + left. At the last wave nobody can come back later: gap is 0 and left holds those too who would have.

    answered: people x waves in order; true = answered, false = asked without an answer, NaN = not asked (had not
    joined, or has withdrawn).
    Errors: ValueError for no people or waves, waves of one name, somebody twice, or other values than these.

    >>> answered = pd.DataFrame({"start": [True, True, True, False], "middle": [True, False, False, True],
    ...                          "end": [True, True, False, True]})
    >>> flow(answered)[["wave", "answered", "again", "first_time", "gap", "left"]].values.tolist()
    [['start', 3, 0, 3, 0, 0], ['middle', 2, 1, 1, 1, 1], ['end', 3, 3, 0, 0, 1]]
    """
    said, asked = _answered(answered)
    so_far = np.logical_or.accumulate(said, axis=1)
    earlier = np.column_stack([np.zeros(len(said), dtype=bool), so_far[:, :-1]])
    from_now = np.logical_or.accumulate(said[:, ::-1], axis=1)[:, ::-1]
    silent = asked & ~said & earlier
    left = silent & ~from_now
    counted = {
        "asked": asked,
        "answered": said,
        "before": asked & earlier,
        "again": said & earlier,
        "first_time": said & ~earlier,
        "gap": silent & from_now,
        "left": left,
        "newly_left": left & _answered_last(said, asked),
        "not_yet": asked & ~so_far,
    }
    return pd.DataFrame({"wave": list(answered.columns)} | {name: each.sum(axis=0) for name, each in counted.items()})


def _answered_last(said: NDArray[np.bool_], asked: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether somebody answered the last time they were asked before each wave."""
    waves = np.arange(said.shape[1])
    last_asked = np.maximum.accumulate(np.where(asked, waves, -1), axis=1)
    before = np.column_stack([np.full(len(said), -1), last_asked[:, :-1]])
    return np.asarray((before >= 0) & np.take_along_axis(said, np.maximum(before, 0), axis=1))


def _answered(answered: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    if not answered.size:
        raise ValueError(f"No answers to follow: {answered.shape[0]} people, {answered.shape[1]} waves.")
    if not answered.columns.is_unique or not answered.index.is_unique:
        raise ValueError("answered is one row a person and one column a wave, each once; some are twice.")
    values = answered.to_numpy(dtype=object)
    asked = ~pd.isna(values)
    wrong = {str(value) for value in values[asked] if value not in (True, False)}
    if wrong:
        raise ValueError(
            f"answered holds {', '.join(sorted(wrong)[:5])}; say true, false or blank (scores.notna() says so)."
        )
    return np.asarray(np.where(asked, values, False), dtype=np.bool_), np.asarray(asked, dtype=np.bool_)
