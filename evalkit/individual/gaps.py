"""Leaders' own ratings beside others': the gap in those with both, and how many see themselves otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import register, words
from evalkit.disclosure import TELLS
from evalkit.individual import ratings
from evalkit.individual.besides import besides, everybody, kept_domain, least, of_waves
from evalkit.stats import change, clusters
from evalkit.verdict import LEAST_PAIRS

if TYPE_CHECKING:
    from evalkit.individual.compared import Compared
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme

APART = 0.5
"""Standard deviations of the gaps from which a leader is said to rate themselves otherwise than others do."""
APART_SOURCE = (
    "half a standard deviation: the convention of Atwater and Yammarino 1992, Personnel Psychology 45(1), 141-164 "
    "(from memory, not checked against the paper), here counted from no gap."
)
ABOVE, ALIKE, BELOW = "higher", "alike", "lower"
"""How a leader's own rating stands to others', by `APART`."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Own rating less others', for the leaders with both at one wave. Intervals are missing below five leaders."""

    rater: str
    wave: int
    domain: str
    n: int
    raters: int
    own: float
    others: float
    estimate: float
    low: float
    high: float
    lower: float
    upper: float
    counts: dict[str, int] | None = None
    """How many leaders rate themselves higher, alike, lower; None where the gaps are too few to tell, or all alike."""
    tells: int | None = None
    """How few people the means would tell beside those of everybody rated at the wave."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What leaders said of themselves and one kind of others of them, on one domain, by wave."""

    programme: Programme
    rater: str
    domain: str
    pairs: dict[int, pd.DataFrame]
    raters: dict[int, int]
    tells: dict[int, int | None]

    @property
    def waves(self) -> list[int]:
        """The waves at which any leader has both ratings."""
        return sorted(self.pairs)

    def gap(self, wave: int, confidence: float) -> Gap:
        """The mean gap at one wave, with its interval and the limits between which single leaders lie."""
        pairs = self.pairs[wave]
        difference = pairs["own"] - pairs["others"]
        low = high = lower = upper = float("nan")
        counts = None
        if len(pairs) >= LEAST_PAIRS and difference.nunique() > 1:
            teams = ratings.teams(self.programme, pairs.index)
            groups = np.arange(len(pairs)) if teams is None else teams.to_numpy(dtype=object)
            mean = clusters.cr2(difference, np.ones((len(pairs), 1)), groups, confidence=confidence).contrast([1.0])
            apart = change.limits_of_agreement(pairs["others"], pairs["own"])
            low, high, lower, upper = mean.low, mean.high, apart.lower, apart.upper
            counts = _counts(difference)
        means = pairs.mean()
        return Gap(
            self.rater, wave, self.domain, len(pairs), self.raters[wave], means["own"], means["others"],
            float(difference.mean()), low, high, lower, upper, counts, self.tells[wave],
        )  # fmt: skip


def beside(programme: Programme, instrument: Instrument, rater: str, domains: Iterable[str]) -> dict[str, Beside]:
    """Leaders' own ratings beside this kind of rater's on each of these domains, at every shared wave."""
    answered = programme.responses.loc[programme.responses["instrument"] == instrument.id, "rater"].dropna().unique()
    each = {kind: everybody(programme, instrument, kind) for kind in dict.fromkeys(["self", rater, *answered])}
    kept = dict(kept_domain(each[kind]) for kind in ("self", rater))
    return {domain: _beside(each, rater, domain, kept.get(domain)) for domain in domains}


def _beside(each: dict[str, Compared], rater: str, domain: str, kept: int | None) -> Beside:
    """One domain; `each`: what every kind of rater scored; `kept`: how few people its means would tell in any case."""
    programme, others = each["self"].programme, each[rater].scores
    by_self, by_others = (ratings.by_wave(each[kind].scores, domain) for kind in ("self", rater))
    shared: list[int] = by_self.columns.intersection(by_others.columns).astype(int).tolist()
    both = {wave: pd.DataFrame({"own": by_self[wave], "others": by_others[wave]}).dropna() for wave in shared}
    answered = others[(others["domain"] == domain) & others["score"].notna()]
    raters = answered.groupby("wave")["respondent_id"].nunique()
    pairs = {wave: rated for wave, rated in both.items() if not rated.empty}
    tells = {wave: least(kept, *_tells(each, rater, domain, wave, rated.index)) for wave, rated in pairs.items()}
    return Beside(programme, rater, domain, pairs, {wave: int(raters[wave]) for wave in pairs}, tells)


def _tells(each: dict[str, Compared], rater: str, domain: str, wave: int, rated: pd.Index[Any]) -> Iterator[int | None]:
    """How few leaders the means of those rated by both would tell: beside those of everybody either rated, or beside
    leaders' own of those whom another kind rated."""
    for kind in ("self", rater):
        yield of_waves(each[kind], domain, [wave], rated)
    minimum, own = each["self"].programme.minimum_group, ratings.by_wave(each["self"].scores, domain)[wave].dropna()
    for kind in each.keys() - {"self", rater}:
        scores = ratings.by_wave(each[kind].scores, domain)
        others = own.index.intersection(scores[wave].dropna().index) if wave in scores else ()
        yield besides(rated, [others], minimum) if len(others) >= minimum else None


def _counts(difference: pd.Series[float]) -> dict[str, int]:
    """How many gaps lie half a standard deviation or more above no gap, or below it, or between."""
    far = APART * float(difference.std())
    above, below = int((difference >= far).sum()), int((difference <= -far).sum())
    return {ABOVE: above, ALIKE: len(difference) - above - below, BELOW: below}


def gap_row(instrument: Instrument, gap: Gap, confidence: float) -> dict[str, Any]:
    """The row of a gap: own less others', in points."""
    return {
        "measure": instrument.domain_labels[gap.domain], "group": words.raters(gap.rater),
        "estimate": gap.estimate, "low": gap.low, "high": gap.high,
        "interval": "none given" if np.isnan(gap.low) else f"{confidence:.0%} confidence", "n": gap.n,
        "unit": f"{ratings.points(instrument)}, own less others'", "n_of": "leaders", "wave": gap.wave,
        "raters": gap.raters, "mean_own": gap.own, "mean_others": gap.others, "differs_from": gap.lower,
        "differs_to": gap.upper, TELLS: gap.tells,
    }  # fmt: skip


def count_rows(gap: Gap) -> list[dict[str, Any]]:
    """The rows of how many leaders rate themselves higher, alike or lower than these others do.

    A row without anybody tells what its raters said all the same.
    """
    return [
        register.share(
            f"Leaders' own rating beside {words.raters(gap.rater)}'", way, n, gap.n, of="leaders", n_of="leaders",
            wave=gap.wave, raters=gap.raters, **{TELLS: gap.raters},
        )
        for way, n in (gap.counts or {}).items()
    ]  # fmt: skip
