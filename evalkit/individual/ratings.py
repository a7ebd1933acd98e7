"""Who rated leaders, on what, and when: the scores every question about leaders starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from evalkit import circumstances, words
from evalkit.instrument import OVERALL, Instrument
from evalkit.verdict import LEAST_PAIRS

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "Are people leading differently?"
OUTSIDE = "partner"
"""The rater who is not in the programme: 'partner agencies not directly involved' (AQuA, learning point 10)."""


def rated(rater: str) -> str:
    """Who rated whom.

    >>> rated("self"), rated("sponsor")
    ('leaders rated themselves', 'sponsors rated leaders')
    """
    return "leaders rated themselves" if rater == "self" else f"{words.raters(rater)} rated leaders"


def given(programme: Programme, instrument: Instrument, rater: str) -> pd.DataFrame:
    """Scores of leaders by this kind of rater, a row a sitting and domain.

    Looking back ("then") is left out, and so are leaders followed for comparison: they did not take part.
    """
    responses = programme.responses
    own = responses[
        (responses["instrument"] == instrument.id)
        & (responses["subject_kind"] == "person")
        & (responses["rater"] == rater)
        & (responses["timing"] != "then")
        & ~responses["subject_id"].isin(circumstances.comparison_leaders(programme))
    ]
    return instrument.score(own)


def by_wave(scores: pd.DataFrame, domain: str) -> pd.DataFrame:
    """Leaders × waves, NaN where not rated; several raters of one leader are averaged."""
    of_domain = scores[scores["domain"] == domain]
    return of_domain.pivot_table(index="subject_id", columns="wave", values="score", aggfunc="mean")


def main_domain(instrument: Instrument) -> str:
    """What stands for the whole: the overall score where the instrument declares one, else its first domain."""
    return OVERALL if instrument.overall is not None else instrument.domains[0].key


def teams(programme: Programme, people: pd.Index) -> pd.Series[str] | None:
    """Each leader's team, when everybody has one and there are enough teams to count as independent."""
    members = programme.participants.set_index("participant_id")["team_id"].reindex(people)
    return members if members.notna().all() and members.nunique() >= LEAST_PAIRS else None
