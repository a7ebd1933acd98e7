"""Ratings of leaders at two waves: what every question about a change in leaders starts from, or refuses."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import circumstances, words
from evalkit.errors import NotEnoughEvidence
from evalkit.individual import ratings
from evalkit.instrument import Instrument

if TYPE_CHECKING:
    from evalkit.programme import Programme

USUAL = "system_leadership"
"""The questionnaire asked about where nobody declared one and none is named."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What is compared: whose ratings, on what, and between which waves. `scores`: a row a sitting and domain."""

    programme: Programme
    instrument: Instrument
    rater: str
    first: int
    last: int
    scores: pd.DataFrame

    def answers(self, domain: str) -> pd.DataFrame:
        """Leaders × every wave at which anybody was rated, and the two compared; NaN where not rated."""
        waves = sorted({*self.scores["wave"].dropna().astype(int), self.first, self.last})
        return ratings.by_wave(self.scores, domain).reindex(columns=waves)

    def closes(self, wave: int) -> pd.Timestamp | None:
        """The day a wave closed, where it is known."""
        return circumstances.closes(self.programme, wave)

    def when(self, wave: int) -> str:
        """The month a wave closed, or its number."""
        return circumstances.when(self.programme, wave)

    def teams(self, domain: str) -> pd.Series[str] | None:
        """Each rated leader's team, when everybody has one and there are enough to count as independent."""
        return ratings.teams(self.programme, self.answers(domain).index)


def usual(programme: Programme, on: str | None) -> str:
    """The questionnaire named, else the one declared to decide about leaders, else evalkit's usual one."""
    return on or circumstances.primary(programme, "individual", USUAL)


def known_domain(programme: Programme, instrument: Instrument, domain: str | None) -> str:
    """The domain named; else the one declared to decide about leaders; else what stands for the whole.

    Errors: ValueError for a domain the instrument has not.
    """
    if domain is None:
        name, _, declared = programme.plan.primary.get("individual", "").partition("/")
        domain = declared if declared and name == instrument.id else ratings.main_domain(instrument)
    if domain not in instrument.domain_labels:
        raise ValueError(
            f"The {instrument.name} has no domain {domain!r}. It has: {words.listed(sorted(instrument.domain_labels))}."
        )
    return domain


def scored(programme: Programme, on: str, question: str) -> Instrument:
    """The instrument asked about; refused where it is recorded and never averaged."""
    instrument = circumstances.instrument(programme, on)
    if instrument.recorded:
        raise NotEnoughEvidence(
            question,
            missing=instrument.never_averaged,
            would_answer="an instrument that says how well or how often people lead, at two waves.",
        )
    return instrument


def compared(
    programme: Programme,
    on: str,
    rater: str,
    between: tuple[int, int] | None,
    question: str = ratings.QUESTION,
) -> Compared:
    """The ratings of two waves, the first and last unless others are named; or a refusal that says which are missing.

    Errors: `NotEnoughEvidence` without two waves or without anybody at both; ValueError for a malformed `between`.
    """
    instrument = scored(programme, on, question)
    scores = ratings.given(programme, instrument, rater)
    waves = sorted(int(wave) for wave in scores.loc[scores["score"].notna(), "wave"].dropna().unique())
    if len(waves) < 2:
        who = words.sentence_case(words.raters(rater))
        raise NotEnoughEvidence(
            question,
            missing=f"{who} answered the {instrument.name} at one wave only."
            if waves
            else f"{who} gave no answers on the {instrument.name}.",
            would_answer=f"the same people answering it {'' if waves else 'at the start and '}again, at least six "
            "months later, in responses.csv.",
        )
    first, last = _ends(between, waves, question)
    _refuse_cross_sections(scores, first, last, question)
    return Compared(programme, instrument, rater, first, last, scores)


def two_waves(between: tuple[int, int], waves: list[int]) -> tuple[int, int]:
    """The two waves named, once they are two numbers with the earlier first; `waves`: those answered.

    >>> two_waves((1, 4), [1, 2, 4])
    (1, 4)
    """
    two = isinstance(between, tuple | list) and len(between) == 2
    if not two or not all(isinstance(wave, Integral) for wave in between) or between[0] >= between[1]:
        raise ValueError(
            f"between={between!r} must give the earlier wave first, by number, such as ({waves[0]}, {waves[-1]})."
        )
    return int(between[0]), int(between[1])


def _ends(between: tuple[int, int] | None, waves: list[int], question: str) -> tuple[int, int]:
    """The two waves compared: both answered, the earlier first."""
    if between is None:
        return waves[0], waves[-1]
    first, last = two_waves(between, waves)
    absent = [str(wave) for wave in (first, last) if wave not in waves]
    if absent:
        raise NotEnoughEvidence(
            question,
            missing=f"Nobody answered at {words.listed([f'wave {wave}' for wave in absent])}.",
            would_answer=f"choosing between two of the waves answered: {words.listed([str(wave) for wave in waves])}.",
        )
    return first, last


def _refuse_cross_sections(scores: pd.DataFrame, first: int, last: int, question: str) -> None:
    """Two groups of people asked once each are not one group asked twice."""
    rated = scores[scores["score"].notna()]
    ids = [set(rated.loc[rated["wave"] == wave, "subject_id"]) for wave in (first, last)]
    if not ids[0] & ids[1]:
        raise NotEnoughEvidence(
            question,
            missing=f"No id stands at both waves {first} and {last}: these are two groups of people, or the same "
            "people under ids that cannot be joined.",
            would_answer="the same id for a person at every wave; where an id changed, respondents.csv joins it to the "
            "earlier one with alias_of.",
        )
