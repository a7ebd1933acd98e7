"""Whose change is more than error of measurement: people by class, counted with their intervals, by six methods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit.stats.rates import wilson
from evalkit.stats.reliable_methods import CRITERIA, METHODS, Criterion, Method, MethodNeedsMore, Told, tell
from evalkit.stats.reliable_scores import Better, known, known_scores, paired_scores
from evalkit.stats.student import share

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["CLASSES", "METHODS", "Criterion", "Method", "ReliableChange", "reliable", "reliable_compared"]

RECOVERED = "recovered"
IMPROVED = "improved"
UNCHANGED = "no reliable change"
DETERIORATED = "deteriorated"
PASSED_BACK = "deteriorated past the cut-off"

CLASSES = (RECOVERED, IMPROVED, UNCHANGED, DETERIORATED, PASSED_BACK)
"""Best first. The first and the last need a cut-off: reliably changed, and from one side of it to the other."""

COUNTED = ("count", "n", "share", "low", "high")
COMPARED = ("improved", "unchanged", "deteriorated", "estimate", "low", "high", "threshold", "recovered")


@dataclass(frozen=True, slots=True, eq=False)
class ReliableChange:
    """People whose change is more than error of measurement. Build it with `reliable`.

    estimate, low, high: share of the `n` complete pairs called reliably improved (recovered or improved), with
    Wilson's interval. n_incomplete: people without one of the two scores, who are in no class.
    critical: the index beyond which a change is called reliable. threshold: the change for the better beyond which
    anybody is called improved; None where that depends on the score before.
    expected_false: people expected to be called improved if nobody truly changed and the method's own assumption held;
    None for hageman_arrindell, which promises something else. Read the improved beside it, and see the limits in
    `reliable`: the assumption may be far from true.
    """

    method: Method
    estimate: float
    low: float
    high: float
    n: int
    n_incomplete: int
    threshold: float | None
    expected_false: float | None
    critical: float
    reliability: float
    sd_used: float
    sd_source: str
    cutoff_value: float | None
    better: Better
    confidence: float
    _people: pd.DataFrame = field(repr=False)
    _incomplete: pd.Index[Any] = field(repr=False)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes told: five with a cut-off, three without."""
        return CLASSES if self.cutoff_value is not None else CLASSES[1:4]

    @property
    def people(self) -> pd.DataFrame:
        """A row a complete pair, under the index of `before`: id (the same), before, after, change, index, class.

        change = after - before, and index has its sign, whichever way is better. Rows about single people are for the
        evaluator alone.
        """
        return self._people.copy()

    @property
    def tally(self) -> dict[str, int]:
        """How many people are in each class told."""
        counted = self._people["class"].value_counts()
        return {name: int(counted.get(name, 0)) for name in self.classes}

    @property
    def counts(self) -> pd.DataFrame:
        """A row a class told: class, count, n, share, low, high (Wilson's interval of count / n)."""
        return pd.DataFrame(_rows(self._people["class"], self.classes, self.confidence))

    def interval(self, confidence: float) -> tuple[float, float]:
        """Wilson's interval of the share improved at another confidence; who counts as improved stays the same."""
        found = wilson(round(self.estimate * self.n), self.n, confidence=confidence)
        return found.low, found.high

    def by(self, groups: pd.Series[Any], *, confidence: float | None = None) -> pd.DataFrame:
        """Counts within each group, as shares of that group's own complete pairs.

        Error of measurement and cut-off stay those of everybody together, so a class means the same in every group.
        groups: person -> group, by the index of `before`; others in it are passed over. confidence: that of the
        intervals; that of the result if not said.

        A row a group and class: group, class, count, n, share, low, high, n_incomplete; share, low and high are blank
        for a group of which nobody answered twice. Errors: ValueError where people have no group, or two.
        """
        level = self.confidence if confidence is None else confidence
        of = _grouped(groups, self._people.index.append(self._incomplete))
        told, untold = of.loc[self._people.index].to_numpy(), of.loc[self._incomplete].to_numpy()
        parts = []
        for group in _names(of):
            rows = _rows(self._people["class"][told == group], self.classes, level)
            left_out = int((untold == group).sum())
            parts += [{"group": group, **row, "n_incomplete": left_out} for row in rows]
        return pd.DataFrame(parts)


def reliable(
    before: ArrayLike,
    after: ArrayLike,
    *,
    reliability: float,
    method: Method,
    better: Better = "higher",
    reliability_after: float | None = None,
    sd: float | None = None,
    mean: float | None = None,
    norm: tuple[float, float] | None = None,
    cutoff: Criterion | float | None = None,
    confidence: float = 0.95,
) -> ReliableChange:
    """Who changed by more than error of measurement, and how many, by one of six published methods.

    x before, y after, r the reliability, s the SD, SE = s sqrt(1 - r), M the mean before, z = 1.96 at 95 %. Improved
    or deteriorated: an index beyond ±z.

    - jacobson_truax: (y - x) / (sqrt(2) SE). Jacobson & Truax (1991), J Consult Clin Psychol 59, p. 14.
    - gulliksen_lord_novick: (y - [M + r (x - M)]) / (s sqrt(1 - r²)). Gulliksen (1950) and Lord & Novick (1968), as
      set out by Hsu (1989), Behavioral Assessment 11, 459-467, and Hsu (1995), J Consult Clin Psychol 63, 141-144.
    - edwards_nunnally: (y - [M + r (x - M)]) / SE. Edwards et al. (1978) and Nunnally (1967), as set out by Speer
      (1992), J Consult Clin Psychol 60, 402-408, with 2 for z.
    - nunnally_kotsch: (y - [M + r (x - M)]) / (s sqrt(r² (1 - r) + 1 - r_after)). Nunnally & Kotsch (1983), Br J Clin
      Psychol 22, 83-93. s is that before for both terms.
    - hsu_linn_lord: ([y - M_after] - r [x - M]) / (s sqrt(1 - r²)), change beyond that of the group. Hsu (1989) after
      Linn & Slinde (1977) and Lord (1963), as named by Speer & Greenbaum (1995), J Consult Clin Psychol 63, 1044-1048.
    - hageman_arrindell: (r_D d + [1 - r_D] M_d) / (sqrt(r_D) sqrt(2) SE), d = y - x, r_D = 1 - 2 SE²/var(d); RC_INDIV
      of Hageman & Arrindell (1999), Behav Res Ther 37, 1169-1193. One-sided: z = 1.645 at 95 %. It is the mean of the
      true change given d over its SD, so whoever is called improved has truly not changed for the better with
      probability below 5 %. Their RC_GROUP, shares of a group and of no person, is not given.

    **Cut-offs** (m, s before; m0, s0 the norm; for higher = better): a = m + 2 s, b = m0 - 2 s0, c = (s m0 + s0 m) /
    (s + s0), Jacobson & Truax, p. 13; or a score of your own. Recovered: reliably improved, from below it to above.
    hageman_arrindell takes sqrt(s² - SE²) for each s and asks that the true score after be beyond it with the same
    confidence (CS_INDIV). Without a cut-off nobody is called recovered.

    **Limits.** Called improved where nobody truly changed, r = r_after = .8, 400,000 people in whom all else holds; and
    as many of the lowest 16 % before, with their own mean and SD and with those of all they were taken from:

    |                       | everybody    | low scorers | low scorers, `mean` and `sd` of all |
    |-----------------------|--------------|-------------|-------------------------------------|
    | jacobson_truax        | 2.5 %        | 34.1 %      | 6.2 %                               |
    | gulliksen_lord_novick | 2.5 %        | 35.7 %      | 2.5 %                               |
    | edwards_nunnally      | 7.2 %        | 44.3 %      | 7.2 %                               |
    | hageman_arrindell     | 0 or refused | 41.1 %      | refused                             |
    | hsu_linn_lord         | 2.5 %        | 19.1 %      | 2.5 %                               |
    | nunnally_kotsch       | 3.1 %        | 37.2 %      | 3.1 %                               |

    So sd, mean and reliability must be of one group: people chosen because they scored low vary less than those whose
    reliability is quoted, and drift up. jacobson_truax knows nothing of the drift; edwards_nunnally and nunnally_kotsch
    leave out part of the error (`expected_false` is too small). hsu_linn_lord calls as many deteriorated as improved
    where all gain alike. hageman_arrindell leans on the mean change: where changes hardly vary beyond error it refuses
    (54 % of 2,000 groups of 40 in whom nothing changed) or carries everybody along (up to all 40 called improved), and
    `threshold` below 0 says that people who did not move are called improved. Nobody near the end of a scale can gain
    more than is left of it. An SD from under some 30 people is unsteady.

    before, after: one number a person in the same order (two Series carry the same index), NaN = no answer. Units:
    those of the answers. reliability: above 0, below 1; retest rather than alpha, and say where it is from.
    sd: that of the error; if not said, that of `before` in complete pairs. mean: what scores are drawn towards in
    gulliksen_lord_novick, edwards_nunnally and nunnally_kotsch; likewise. Cut-offs always take m and s from `before`.
    reliability_after is used by nunnally_kotsch alone, norm by cut-offs b and c alone.
    confidence: sets both z and Wilson's intervals; for the interval alone see `ReliableChange.interval`.

    Errors: ValueError for settings that make no sense, unequal lengths or indexes, people named twice, infinite
    values, no complete pair, no spread before without `sd`, a cut-off without its norm, a method without what it needs.

    >>> found = reliable([32.5, 40.0, 47.5], [47.5, 41.0, 44.0], reliability=0.8, method="jacobson_truax", sd=7.5)
    >>> print(f"{found.people['index'].iloc[0]:.2f}; a change above {found.threshold:.2f} is reliable")
    3.16; a change above 9.30 is reliable
    >>> found.tally
    {'improved': 1, 'no reliable change': 2, 'deteriorated': 0}
    >>> print(f"{found.estimate:.2f} ({found.low:.2f} to {found.high:.2f}), n = {found.n}; sd: {found.sd_source}")
    0.33 (0.06 to 0.79), n = 3; sd: given
    """
    people = paired_scores(before, after)
    scores = known_scores(
        people.complete,
        reliability=reliability,
        reliability_after=reliability_after,
        better=better,
        sd=sd,
        mean=mean,
        norm=norm,
    )
    known(method, METHODS, "method")
    told = tell(method, scores, cutoff=_cutoff(cutoff), confidence=share(confidence))
    improved = wilson(int(told.improved.sum()), scores.n, confidence=confidence)
    return ReliableChange(
        method=method,
        estimate=improved.estimate,
        low=improved.low,
        high=improved.high,
        n=scores.n,
        n_incomplete=len(people.incomplete),
        threshold=told.threshold,
        expected_false=told.expected_false,
        critical=told.critical,
        reliability=float(reliability),
        sd_used=scores.sd,
        sd_source=f"before, in {scores.n} complete pairs" if sd is None else "given",
        cutoff_value=told.cutoff,
        better=better,
        confidence=confidence,
        _people=_people(people.complete, told),
        _incomplete=people.incomplete,
    )


def reliable_compared(
    before: ArrayLike,
    after: ArrayLike,
    *,
    reliability: float,
    better: Better = "higher",
    reliability_after: float | None = None,
    sd: float | None = None,
    mean: float | None = None,
    norm: tuple[float, float] | None = None,
    cutoff: Criterion | float | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """The six methods of `reliable` side by side: how far the answer hangs on the method.

    A row a method: method, n, improved (recovered among them), unchanged, deteriorated, estimate, low, high (share
    improved, Wilson), threshold, recovered (blank without a cut-off), reason. A method that cannot be used on these
    answers stays in the table, blank, with the reason; otherwise reason is empty. Settings and errors: `reliable`.

    >>> found = reliable_compared([1.0, 2.0, 3.0, 4.0], [3.0, 3.0, 3.5, 4.0], reliability=0.9)
    >>> found[["method", "improved", "unchanged"]].head(3).values.tolist()
    [['jacobson_truax', 1, 3], ['gulliksen_lord_novick', 1, 3], ['edwards_nunnally', 2, 2]]
    >>> found["reason"].iloc[-1]
    'Nunnally & Kotsch need the reliability after as well: give reliability_after.'
    """
    rows: list[dict[str, Any]] = []
    for method in METHODS:
        try:
            found = reliable(
                before,
                after,
                reliability=reliability,
                method=method,
                better=better,
                reliability_after=reliability_after,
                sd=sd,
                mean=mean,
                norm=norm,
                cutoff=cutoff,
                confidence=confidence,
            )
        except MethodNeedsMore as refused:
            rows.append({"method": method, "n": len(paired_scores(before, after).complete), "reason": str(refused)})
            continue
        rows.append({"method": method, "n": found.n, **_compared(found), "reason": ""})
    whole = dict.fromkeys(("n", "improved", "unchanged", "deteriorated", "recovered"), "Int64")
    parts = dict.fromkeys(("estimate", "low", "high", "threshold"), "float64")
    return pd.DataFrame(rows, columns=["method", "n", *COMPARED, "reason"]).astype(whole | parts)


def _cutoff(cutoff: Criterion | float | None) -> Criterion | float | None:
    """The cut-off itself, once it is known to be one."""
    if isinstance(cutoff, str):
        known(cutoff, CRITERIA, "cutoff")
    elif cutoff is not None and not math.isfinite(cutoff):
        raise ValueError(f"cutoff={cutoff} must be a, b, c or a score.")
    return cutoff


def _people(scores: pd.DataFrame, told: Told) -> pd.DataFrame:
    classes = np.select(
        [told.improved & told.passed, told.improved, told.deteriorated & told.passed_back, told.deteriorated],
        [RECOVERED, IMPROVED, PASSED_BACK, DETERIORATED],
        UNCHANGED,
    )
    people = scores.copy()
    people.insert(0, "id", people.index)
    people["change"] = people["after"] - people["before"]
    people["index"], people["class"] = told.index, classes.astype(object)
    return people


def _rows(classes: pd.Series[Any], named: Sequence[str], confidence: float) -> list[dict[str, Any]]:
    """A row a class: how many of these people, of how many, and Wilson's interval where there are any."""
    n, rows = len(classes), []
    for name in named:
        count = int((classes == name).sum())
        found = wilson(count, n, confidence=confidence) if n else None
        shares = (found.estimate, found.low, found.high) if found else (math.nan,) * 3
        rows.append({"class": name, **dict(zip(COUNTED, (count, n, *shares), strict=True))})
    return rows


def _grouped(groups: pd.Series[Any], people: pd.Index[Any]) -> pd.Series[Any]:
    """The group of each of these people, refusing those without one or with two."""
    if groups.index.has_duplicates:
        raise ValueError("groups names a person twice; a person is in one group, or change is counted twice.")
    of = groups.reindex(people)
    without = int(of.isna().sum())
    if without:
        raise ValueError(
            f'{without} of {len(of)} people have no group; give them one ("not stated") or leave them out.'
        )
    return of


def _names(of: pd.Series[Any]) -> list[Any]:
    """Groups in their own order where they have one, else as they come. Never by size."""
    found = list(of.unique())
    return [name for name in of.cat.categories if name in found] if isinstance(of.dtype, pd.CategoricalDtype) else found


def _compared(found: ReliableChange) -> dict[str, Any]:
    tally = found.tally
    counted = (
        tally.get(RECOVERED, 0) + tally[IMPROVED],
        tally[UNCHANGED],
        tally[DETERIORATED] + tally.get(PASSED_BACK, 0),
    )
    rest = (found.estimate, found.low, found.high, found.threshold, tally.get(RECOVERED))
    return dict(zip(COMPARED, (*counted, *rest), strict=True))
