"""How reliable a score is, from a programme's own answers: alpha of a domain, stratified alpha of a whole."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.instrument import OVERALL
from evalkit.instrument.parts import NEAR
from evalkit.stats import reliability as scales
from evalkit.stats.stratified_alpha import jackknife_limits, stratified
from evalkit.stats.student import NO_SPREAD
from evalkit.verdict import LEAST_PAIRS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evalkit.instrument import Instrument

    Floats = NDArray[np.float64]

LEAST = 0.70
"""Below this a score tells too little of one person to count changes by (Nunnally 1978, Psychometric Theory, p. 245: a
convention, not seen in the book itself)."""
FEW = 30
"""With fewer people a reliability and a spread are unsteady, and that is said (a judgement)."""
NO_SPREAD_LEFT = "All gave the same answers, but to one question at most: what does not vary cannot hang together."
SAME_TOTAL = "Everybody has the same total: the questions cancel each other out."
ALPHA, STRATIFIED = "alpha", "stratified alpha"


@dataclass(frozen=True, slots=True)
class OwnReliability:
    """How reliable one score was among the `n` leaders with an answer to every question of it; `n_some` left some out.

    kind: alpha, or stratified alpha for a whole of several domains; at the least, where errors are unrelated.
    low, high: Feldt's interval, of stratified alpha the jackknife's; NaN below five people, or where alpha is 1.
    omega: NaN where the model of one factor cannot be told, and of a whole. items: questions. against: those that run
    against the others; alike: those with one answer from everybody. why_not: why there is no estimate, else nothing.
    """

    label: str
    kind: str
    estimate: float
    low: float
    high: float
    n: int
    n_some: int
    items: int
    omega: float = math.nan
    against: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    why_not: str = ""

    @property
    def words(self) -> str:
        """The estimate with its interval and what it is.

        >>> OwnReliability("Learning", ALPHA, 0.83, 0.78, 0.87, 104, 3, 7).words
        '0.83 (0.78 to 0.87, alpha of 104 leaders)'
        """
        who = words.counted(self.n, "leader")
        sure = "" if math.isnan(self.low) else f"{words.span(self.low, self.high, 2)}, "
        return f"{words.number(self.estimate)} ({sure}{self.kind} of {who})"


def worth(instrument: Instrument, responses: pd.DataFrame) -> pd.DataFrame:
    """Leaders × items: what each answer is worth (reversed items turned round), NaN where there was none.

    Several forms about one leader are averaged item by item, as their scores are. `responses`: of one wave or sitting.
    """
    keys = [item.key for item in instrument.items]
    if instrument.has_points:
        scored = instrument.points(responses)  # a row a sitting and item, in this order
        leaders = scored["subject_id"].to_numpy(dtype=object)[:: len(keys)]
        forms = pd.DataFrame(scored["points"].to_numpy().reshape(-1, len(keys)), index=leaders, columns=keys)
    else:
        forms = instrument.answers(responses)
        forms.index = pd.Index(forms.index.get_level_values("subject_id"), dtype=object)
    return forms.groupby(level=0).mean()


def own_reliability(
    instrument: Instrument, domain: str, answers: pd.DataFrame, *, confidence: float = 0.95
) -> OwnReliability:
    """How reliable the score of a domain, or the overall score, is among these leaders; `answers`: as `worth` gives.

    A domain has Cronbach's alpha. A whole has the stratified alpha of Cronbach, Schönemann and McKie (1965),
    Educational and Psychological Measurement 25(2), 291-312: 1 - Σ w² s² (1 - alpha) / s_whole², over its domains of
    weight w and spread s. Domains of one question have no alpha: together they make one stratum, and one alone counts
    as error. All of it is of the leaders who answered everything. A question that nobody answered was not asked (a
    shorter form for sponsors), and counts for nothing.
    Never raises for what people answered: `why_not` says what is missing.
    """
    answers = answers.loc[:, answers.notna().any()]
    parts = [each.key for each in instrument.domains] if domain == OVERALL else [domain]
    short = [instrument.domain_labels[key] for key in parts if not _scored(instrument, key, answers)]
    if domain == OVERALL:
        return _whole(instrument, answers, short, confidence)
    keys = [item.key for item in instrument.items if item.domain == domain and item.key in answers]
    of = answers[keys].dropna(how="all")
    n = len(of.dropna())
    blank = _Blank(instrument.domain_labels[domain], ALPHA, n, len(of) - n, len(keys))
    if short:
        return blank.refused("Too few of its questions were asked to make a score of them.")
    if len(keys) == 1:
        return blank.refused("It is one question: nothing stands beside it to hang together with.")
    if n < 3:
        return blank.refused(_few(n, len(of)))
    try:
        found = scales.alpha(of, confidence=confidence)
    except ValueError:  # one question or none that varies, or totals all alike
        vary = (of.dropna().nunique() > 1).sum() > 1
        return blank.refused(SAME_TOTAL if vary else NO_SPREAD_LEFT)
    bounds = (found.low, found.high) if n >= LEAST_PAIRS else (math.nan, math.nan)
    text = {item.key: item.text for item in instrument.items}
    return OwnReliability(
        *blank[:2], found.estimate, *bounds, *blank[2:], _omega(of),
        tuple(text[str(key)] for key in found.negative), tuple(text[str(key)] for key in found.without_spread),
    )  # fmt: skip


class _Blank(NamedTuple):
    """What is known of a score before its reliability is."""

    label: str
    kind: str
    n: int
    n_some: int
    items: int

    def refused(self, why: str) -> OwnReliability:
        return OwnReliability(self.label, self.kind, *(math.nan,) * 3, self.n, self.n_some, self.items, why_not=why)


def _few(complete: int, some: int) -> str:
    return f"{complete} of {words.counted(some, 'leader')} answered every question; 3 are needed."


def _omega(of: pd.DataFrame) -> float:
    try:
        return scales.omega(of).estimate
    except ValueError:  # two questions, too few people, or copies: alpha stands alone
        return math.nan


def _scored(instrument: Instrument, domain: str, asked: pd.DataFrame) -> bool:
    """Whether enough of a domain's questions were asked for anybody to have a score of it."""
    keys = [item.key for item in instrument.items if item.domain == domain]
    return sum(key in asked for key in keys) >= max(instrument.at_least * len(keys) - NEAR, NEAR)


def _whole(instrument: Instrument, answers: pd.DataFrame, short: list[str], confidence: float) -> OwnReliability:
    some, complete = answers.dropna(how="all"), answers.dropna()
    n = len(complete)
    blank = _Blank(instrument.domain_labels[OVERALL], STRATIFIED, n, len(some) - n, len(answers.columns))
    if short:
        return blank.refused(f"Too few questions were asked on {words.listed(short)} to make one score of all.")
    if n < 3:
        return blank.refused(_few(n, len(some)))
    of = complete.to_numpy(dtype=float)
    kept = np.ptp(of, axis=0) > NO_SPREAD * np.abs(of).max(axis=0)
    weights, strata = _strata(instrument, answers.columns, kept)
    if max(map(len, strata), default=0) < 2:
        return blank.refused("Too many gave the same answers, or every domain is one question.")
    deviations = (of - of.mean(axis=0))[:, kept]
    estimate = float(stratified(deviations.T @ deviations / n, weights[kept], strata))
    if math.isnan(estimate):
        return blank.refused("Everybody has the same overall score.")
    low, high = jackknife_limits(deviations, estimate, weights[kept], strata, confidence)
    return OwnReliability(blank.label, blank.kind, estimate, low, high, n, blank.n_some, blank.items)


def _strata(instrument: Instrument, items: pd.Index, kept: NDArray[np.bool_]) -> tuple[Floats, list[list[int]]]:
    """The weight of every question in the overall score; the strata, as places among the questions that are kept."""
    domain_of = {item.key: item.domain for item in instrument.items}
    asked = [domain_of[key] for key in items]
    shared = {domain: 1 if instrument.combine == "sum" else asked.count(domain) for domain in set(asked)}
    weights = np.array([1 / shared[domain] for domain in asked])
    left = [domain for domain, stays in zip(asked, kept, strict=True) if stays]
    alone = [place for place, domain in enumerate(left) if asked.count(domain) == 1]
    several = [domain for domain in dict.fromkeys(left) if asked.count(domain) > 1]
    strata = [[place for place, other in enumerate(left) if other == domain] for domain in several]
    return weights, [*strata, *([alone] if alone else [])]
