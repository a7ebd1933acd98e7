"""Who rated leaders, on what, and when: the scores every question about leaders starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from data_schemas.tables.answers import RATERS
from evalkit import circumstances, register, words
from evalkit.instrument import OVERALL, Instrument
from evalkit.verdict import LEAST_PAIRS

if TYPE_CHECKING:
    from evalkit.programme import Programme

LEAST_TEAMS = 3
"""With two teams an interval by team has one degree of freedom and holds anything; people then stand alone."""
QUESTION = "Are people leading differently?"
OUTSIDE = "partner"
"""The rater who is not in the programme: 'partner agencies not directly involved' (AQuA, learning point 10)."""


def rated(rater: str) -> str:
    """Who rated whom.

    >>> rated("self"), rated("sponsor")
    ('leaders rated themselves', 'sponsors rated leaders')
    """
    return "leaders rated themselves" if rater == "self" else f"{words.raters(rater)} rated leaders"


def answers(
    programme: Programme, instrument: Instrument, rater: str, *, then: bool = False, leaders: set[str] | None = None
) -> pd.DataFrame:
    """Rows of `responses` about leaders by this kind of rater, up to the day the data speak of.

    Looking back ("then") is left out, or alone with `then`. Leaders followed for comparison are left out, for they did
    not take part; `leaders` asks for some only, whoever they are.
    Errors: ValueError for a kind of rater there is not.
    """
    if rater not in RATERS:
        raise ValueError(f"rater={rater!r} is no kind of rater. There are: {words.listed([*RATERS])}.")
    responses = programme.responses
    own = responses[
        (responses["instrument"] == instrument.id)
        & (responses["subject_kind"] == "person")
        & (responses["rater"] == rater)
        & ((responses["timing"] == "then") == then)
    ]
    others = own["subject_id"].isin(circumstances.comparison_leaders(programme))
    own = own[~others] if leaders is None else own[own["subject_id"].isin(leaders)]
    return own[own["answered_on"].isna() | register.by_now(programme, own["answered_on"])]


def given(
    programme: Programme, instrument: Instrument, rater: str, *, then: bool = False, leaders: set[str] | None = None
) -> pd.DataFrame:
    """Scores of leaders by this kind of rater, a row a sitting and domain: of the rows that `answers` gives."""
    return instrument.score(answers(programme, instrument, rater, then=then, leaders=leaders))


def points(instrument: Instrument) -> str:
    """What a score of this instrument is in."""
    return f"points on a scale of {instrument.scale.low:g} to {instrument.scale.high:g}"


def by_wave(scores: pd.DataFrame, domain: str) -> pd.DataFrame:
    """Leaders × waves, NaN where not rated; several raters of one leader are averaged."""
    of_domain = scores[scores["domain"] == domain]
    return of_domain.pivot_table(index="subject_id", columns="wave", values="score", aggfunc="mean")


def main_domain(instrument: Instrument) -> str:
    """What stands for the whole: the overall score where the instrument declares one, else its first domain."""
    return OVERALL if instrument.overall is not None else instrument.domains[0].key


def teams(programme: Programme, people: pd.Index) -> pd.Series[str] | None:
    """What stands alone among these leaders: their team; whoever is in none stands for one. None below three teams.

    With three or four teams an interval by team is wide and honest (it held 94.8-95.0 % where 95 were meant, the one
    by person 90-93 %), and nothing is decided from it: see `few_teams`.
    """
    members = programme.participants.set_index("participant_id")["team_id"].reindex(people)
    if members.nunique() < LEAST_TEAMS:
        return None
    return members.where(members.notna(), pd.Series([f"{one} alone" for one in people], index=people))


def few_teams(programme: Programme, people: pd.Index) -> str:
    """Why nothing is decided where leaders come from few teams, or one of two cannot be told from the other."""
    members = programme.participants.set_index("participant_id")["team_id"].reindex(people)
    known = int(members.nunique())
    if not 2 <= known < LEAST_PAIRS or members.isna().sum() + known >= LEAST_PAIRS:
        return ""
    return f"These leaders come from {known} teams: fewer than {LEAST_PAIRS} say nothing sure of how teams differ."
