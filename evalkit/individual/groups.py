"""Which group a leader belongs to: of the programme or followed for comparison, of their work, or by how they began."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import circumstances
from evalkit.errors import NotEnoughEvidence
from evalkit.individual import ratings

if TYPE_CHECKING:
    from evalkit.programme import Programme

ARM = "arm"
PROGRAMME, FOLLOWED = "in the programme", "followed for comparison"


@dataclass(frozen=True, slots=True)
class Groups:
    """`of`: each leader's group, by id, missing where nobody knows it. `two`: whether the difference means something:
    two groups that were there before anything changed, the second set against the first."""

    by: str
    of: pd.Series[str]
    two: tuple[str, str] | None = None

    def leaders(self, group: str) -> set[str]:
        """The ids of those in one group."""
        return set(self.of.index[self.of == group])

    @property
    def names(self) -> list[str]:
        """Every group, in the order of the alphabet; the two of a comparison in its order."""
        return list(self.two) if self.two else sorted(self.of.dropna().unique())


def groups(programme: Programme, by: str, question: str = ratings.QUESTION) -> Groups:
    """The groups of leaders that `by` names.

    arm sets those who take part beside those followed for comparison. The id of an instrument that leaders answered
    about themselves at the first wave cuts at the middle of its scale, never at the middle of the answers: groups made
    by a programme's own median are other people in every programme.
    Errors: ValueError for what is not recorded; `NotEnoughEvidence` where nobody was followed, or nobody answered.
    """
    if by == ARM:
        return _arms(programme, question)
    if by in programme.instruments:
        return _began(programme, by, question)
    named = circumstances.grouping(programme, by, also=(ARM, *sorted(_own_instruments(programme))))
    return Groups(by, named[named.index.isin(circumstances.taking_part(programme)["participant_id"])])


def _arms(programme: Programme, question: str) -> Groups:
    followed = circumstances.comparison_leaders(programme)
    if not followed:
        raise NotEnoughEvidence(
            question,
            missing="Nobody was followed for comparison.",
            would_answer="leaders elsewhere who answer the same at the same waves, in participants.csv with the arm "
            "comparison.",
        )
    who = programme.participants["participant_id"]
    of = pd.Series([FOLLOWED if one in followed else PROGRAMME for one in who], index=who.to_numpy(dtype=object))
    return Groups(ARM, of, (PROGRAMME, FOLLOWED))


def _own_instruments(programme: Programme) -> set[str]:
    """Questionnaires that leaders answered about themselves."""
    own = programme.responses
    own = own[(own["subject_kind"] == "person") & (own["rater"] == "self")]
    return {name for name in own["instrument"].unique() if not programme.instruments[name].recorded}


def _began(programme: Programme, on: str, question: str) -> Groups:
    """How leaders answered at the first wave this was asked: on the better half of the scale, or not."""
    instrument = circumstances.instrument(programme, on)
    scores = pd.DataFrame()
    if not instrument.recorded:
        scores = ratings.by_wave(ratings.given(programme, instrument, "self"), ratings.main_domain(instrument))
    if scores.empty:
        raise NotEnoughEvidence(
            question,
            missing=f"Leaders did not answer the {instrument.name} about themselves, or it is never scored.",
            would_answer="their answers at the first wave, in responses.csv.",
        )
    first = scores[min(scores.columns)].dropna()
    middle = (instrument.scale.low + instrument.scale.high) / 2
    label = instrument.domain_labels[ratings.main_domain(instrument)]
    below, above = (f"who began {way} {middle:g} on {label}" for way in ("at or below", "above"))
    return Groups(on, first.map(lambda score: above if score > middle else below), (above, below))
