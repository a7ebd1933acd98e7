"""Leaders counted by whether their score changed by more than error of measurement: better, no more than it, worse."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import words
from evalkit.errors import NotEnoughEvidence
from evalkit.individual import ratings
from evalkit.individual.groups import ARM, FOLLOWED, PROGRAMME, groups
from evalkit.individual.own_reliability import LEAST, own_reliability, worth
from evalkit.register import NOT_SAID
from evalkit.stats.reliable_change import CLASSES, METHODS, ReliableChange, reliable, reliable_compared
from evalkit.verdict import LEAST_PAIRS

if TYPE_CHECKING:
    from evalkit.individual.compared import Compared
    from evalkit.individual.own_reliability import OwnReliability
    from evalkit.stats.reliable_change import Method

QUESTION = "How many leaders changed by more than error of measurement?"
BETTER, NEITHER, WORSE = CLASSES[1:4]
SURE = 0.95
"""Beyond 1.96 errors of measurement a change counts, whatever interval is asked for: the published convention."""
LEAST_ANSWERED = 10
"""Fewer complete forms give no reliability to count by: at alpha .80 of seven questions its 95 % interval leaves the
smallest change counted open by a factor of 3.3 with eight people, 2.9 with ten and 1.8 with thirty (Feldt's F)."""
USUAL: Method = "jacobson_truax"
NAMES: dict[Method, str] = {
    "jacobson_truax": "Jacobson and Truax",
    "gulliksen_lord_novick": "Gulliksen, Lord and Novick",
    "edwards_nunnally": "Edwards and Nunnally",
    "hageman_arrindell": "Hageman and Arrindell",
    "hsu_linn_lord": "Hsu, Linn and Lord",
    "nunnally_kotsch": "Nunnally and Kotsch",
}
SOURCES: dict[Method, str] = {
    "jacobson_truax": "Jacobson and Truax 1991, Journal of Consulting and Clinical Psychology 59(1), 12-19, p. 14",
    "gulliksen_lord_novick": "Gulliksen 1950 and Lord and Novick 1968, as set out by Hsu 1989, Behavioral Assessment "
    "11, 459-467",
    "edwards_nunnally": "Edwards et al. 1978 and Nunnally 1967, as set out by Speer 1992, Journal of Consulting and "
    "Clinical Psychology 60, 402-408",
    "hageman_arrindell": "Hageman and Arrindell 1999, Behaviour Research and Therapy 37, 1169-1193",
    "hsu_linn_lord": "Hsu 1989, Behavioral Assessment 11, 459-467, after Linn and Slinde 1977 and Lord 1963",
    "nunnally_kotsch": "Nunnally and Kotsch 1983, British Journal of Clinical Psychology 22, 83-93",
}
DOUBTS: dict[Method, str] = {
    "edwards_nunnally": "This rule leaves out part of the error: more are counted though nobody changed than it says.",
    "nunnally_kotsch": "This rule leaves out part of the error: more are counted though nobody changed than it says.",
    "hsu_linn_lord": "This rule counts changes beyond that of all leaders together: where all gain alike, none.",
    "hageman_arrindell": "This rule leans on how all leaders changed, and can carry single ones along.",
}
"""What to know of a rule before its count is used; simulated in `evalkit.stats.reliable_change.reliable`."""
NO_AFTER = "Nunnally and Kotsch need the reliability at the last wave too, and these answers do not tell it."

Counts = tuple[int, int, int]
"""How many leaders are better, no more than error apart, and worse."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What error of measurement is reckoned from: all of the first wave compared.

    own: the reliability in the programme's own answers; None where `source` says where it is from instead. after: the
    reliability at the last wave, where it is the programme's own. sd, mean: of the n leaders rated at the first wave.
    """

    reliability: float
    after: float | None
    own: OwnReliability | None
    source: str
    sd: float
    mean: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """The leaders counted by one method; by the other methods, and at the ends of the reliability's interval.

    groups: counts by group, each with its leaders rated at both waves; `by` what parts them.
    others: a row a method: method, better, worse, threshold, why_not. ends: reliability → the count by the same method.
    raters: how many people rated, at the wave with fewer.
    """

    asked: Compared
    domain: str
    method: Method
    measured: Measured
    found: ReliableChange
    others: pd.DataFrame
    ends: dict[float, ReliableChange]
    by: str | None
    groups: dict[str, Counts]
    raters: int

    @property
    def label(self) -> str:
        """The score that is compared, as people call it."""
        return self.asked.instrument.domain_labels[self.domain]


def counts(found: ReliableChange) -> Counts:
    """How many are in each class."""
    tally = found.tally
    return tally[BETTER], tally[NEITHER], tally[WORSE]


def method_of(named: str | None, planned: str) -> Method:
    """The method named, else the one planned, else the usual one. ValueError for one there is not."""
    wanted = named or planned or USUAL
    for method in METHODS:
        if method == wanted:
            return method
    raise ValueError(f"method={wanted!r} is not known; choose one of {', '.join(METHODS)}.")


def measured(asked: Compared, domain: str, given: float | None, source: str, confidence: float) -> Measured:
    """Reliability and spread at the first of the two waves; or a refusal that says what would do instead.

    Errors: ValueError for a reliability that is none, or without its source.
    """
    if (given is None) != (not source.strip()):
        raise ValueError(
            "reliability and reliability_from belong together: a number, and where it is from (the form's manual, a "
            "test-retest study)."
        )
    if given is not None and not 0 < given < 1:
        raise ValueError(f"reliability={given} must lie between 0 and 1: at 0 all is error, at 1 nothing is.")
    own = _own(asked, domain, asked.first, confidence) if given is None else None
    if own is not None:
        _require_own(asked, own)
    value = own.estimate if own is not None else float(given or 0)
    if value < LEAST:
        said = f"{words.number(value)}, from {source}" if own is None else own.words
        raise _refused(
            f"The reliability of {asked.instrument.domain_labels[domain]} is {said}: below {LEAST:.2f} a change in one "
            "leader cannot be told from error of measurement."
        )
    after = _own(asked, domain, asked.last, confidence).estimate if own is not None else math.nan
    began = _began(asked, domain)
    return Measured(
        reliability=value,
        after=after if 0 < after < 1 else None,
        own=own,
        source=source.strip(),
        sd=float(began.std(ddof=1)),
        mean=float(began.mean()),
        n=len(began),
    )


def _began(asked: Compared, domain: str) -> pd.Series[float]:
    """Everybody's score at the first wave; refused where it does not tell how far scores differ."""
    began = asked.answers(domain)[asked.first].dropna()
    if len(began) >= LEAST_PAIRS and began.nunique() > 1:
        return began
    alike = ", all the same" if len(began) >= LEAST_PAIRS else ""
    raise NotEnoughEvidence(
        QUESTION,
        missing=f"In {asked.when(asked.first)} {words.counted(len(began), 'leader')} had a score{alike}: that does not "
        "tell how far scores differ.",
        would_answer=f"scores of {LEAST_PAIRS} leaders or more at the first wave that are not all the same.",
    )


def _own(asked: Compared, domain: str, wave: int, confidence: float) -> OwnReliability:
    given = ratings.answers(asked.programme, asked.instrument, asked.rater)
    answers = worth(asked.instrument, given[given["wave"] == wave])
    return own_reliability(asked.instrument, domain, answers, confidence=confidence)


def _require_own(asked: Compared, own: OwnReliability) -> None:
    """Refuse where the answers tell no reliability, or too few tell it."""
    when = asked.when(asked.first)
    if own.why_not:
        raise _refused(f"{own.label} in {when} tells no reliability of its own. {own.why_not}")
    if own.n < LEAST_ANSWERED:
        raise _refused(
            f"Only {words.counted(own.n, 'leader')} answered every question of {own.label} in {when}; a reliability "
            f"takes {LEAST_ANSWERED}."
        )
    if own.estimate >= 1:
        raise _refused(f"Everybody gave the same answer to all questions of {own.label} in {when}: they are copies.")


def _refused(missing: str) -> NotEnoughEvidence:
    return NotEnoughEvidence(
        QUESTION,
        missing=missing,
        would_answer=f"a reliability of {LEAST:.2f} or more from the form's manual or a test-retest study, with "
        "reliability=… and reliability_from=…; or the change of all leaders together (growth), which needs none.",
    )


def counted(asked: Compared, domain: str, method: Method, known: Measured, by: str | None) -> Counted:
    """Everybody rated at both waves, counted. `NotEnoughEvidence` where nobody was, or the method cannot be used."""
    answers = asked.answers(domain)
    if not answers[[asked.first, asked.last]].notna().all(axis=1).any():
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"Nobody has a score of {asked.instrument.domain_labels[domain]} at both waves.",
            would_answer="the same people answering at both waves, under the same id.",
        )
    try:
        found = _told(asked, answers, method, known, known.reliability)
    except ValueError as refusal:  # hageman_arrindell and nunnally_kotsch need what some answers have not
        raise NotEnoughEvidence(
            QUESTION,
            missing=NO_AFTER if method == "nunnally_kotsch" else f"By {NAMES[method]}: {refusal}",
            would_answer="another method, said to be chosen afterwards, with method=….",
        ) from refusal
    low, high = (math.nan, math.nan) if known.own is None else (known.own.low, known.own.high)
    ends = {}
    for end in (low, high):
        if 0 < end < 1:
            try:
                ends[end] = _told(asked, answers, method, known, end)
            except ValueError:  # a method that needs more; the count itself stands
                continue
    split = _groups(asked, domain, answers, found, known, by) if by is not None else {}
    others = _others(asked, answers, method, known)
    return Counted(asked, domain, method, known, found, others, ends, by, split, _raters(asked, domain))


def _raters(asked: Compared, domain: str) -> int:
    own = asked.scores[(asked.scores["domain"] == domain) & asked.scores["score"].notna()]
    by_wave = own.groupby("wave")["respondent_id"].nunique()
    return int(min(by_wave[asked.first], by_wave[asked.last]))


def _told(asked: Compared, answers: pd.DataFrame, method: Method, known: Measured, value: float) -> ReliableChange:
    return reliable(
        answers[asked.first],
        answers[asked.last],
        reliability=value,
        method=method,
        better=asked.instrument.better,
        reliability_after=known.after,
        sd=known.sd,
        mean=known.mean,
        confidence=SURE,
    )


def _others(asked: Compared, answers: pd.DataFrame, method: Method, known: Measured) -> pd.DataFrame:
    """The methods that were not asked for, each with its counts or why it has none."""
    every = reliable_compared(
        answers[asked.first],
        answers[asked.last],
        reliability=known.reliability,
        better=asked.instrument.better,
        reliability_after=known.after,
        sd=known.sd,
        mean=known.mean,
        confidence=SURE,
    )
    named = every.rename(columns={"improved": "better", "deteriorated": "worse", "reason": "why_not"})
    if known.after is None:
        named.loc[named["method"] == "nunnally_kotsch", "why_not"] = NO_AFTER
    kept = named.loc[named["method"] != method, ["method", "better", "worse", "threshold", "why_not"]]
    return kept.reset_index(drop=True)


def _groups(
    asked: Compared, domain: str, answers: pd.DataFrame, found: ReliableChange, known: Measured, by: str
) -> dict[str, Counts]:
    """Counts by group, in the order of the alphabet; those of no known group last."""
    split = groups(asked.programme, by, QUESTION)
    if by == ARM:
        return _arms(asked, domain, found, known, split.leaders(FOLLOWED))
    of = split.of.reindex(answers.index).astype(object).fillna(NOT_SAID)
    names = [*(name for name in split.names if name in set(of)), *([NOT_SAID] if (of == NOT_SAID).any() else [])]
    told = found.by(of.astype(pd.CategoricalDtype(list(dict.fromkeys(names)), ordered=True)))
    each = told.set_index(["group", "class"])["count"]
    parted = {name: tuple(int(each[name, one]) for one in (BETTER, NEITHER, WORSE)) for name in told["group"].unique()}
    return {str(name): (better, same, worse) for name, (better, same, worse) in parted.items() if better + same + worse}


def _arms(
    asked: Compared, domain: str, found: ReliableChange, known: Measured, followed: set[str]
) -> dict[str, Counts]:
    """Those in the programme, and those followed for comparison by the same error of measurement."""
    scores = ratings.given(asked.programme, asked.instrument, asked.rater, leaders=followed)
    answers = ratings.by_wave(scores, domain).reindex(columns=[asked.first, asked.last])
    both: dict[str, Counts] = {PROGRAMME: counts(found)}
    if answers.notna().all(axis=1).any():
        try:
            both[FOLLOWED] = counts(_told(asked, answers, found.method, known, known.reliability))
        except ValueError:  # hageman_arrindell leans on how these leaders changed
            return both
    return both
