"""What the page says of the programme before any answer: who, where, when, and who paid, evaluated and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import circumstances, words
from evalkit.errors import Refused
from evalkit.reporting import provenance
from evalkit.terms import Audience

if TYPE_CHECKING:
    from evalkit.programme import Programme
    from evalkit.result import Result

READERS = (Audience.COMMISSIONER, Audience.TEAM, Audience.PUBLIC)
"""Who a page may be written for. The evaluator's own copy never becomes a page."""
NOT_RECORDED = "not recorded"


@dataclass(frozen=True, slots=True)
class Facts:
    """The first lines of the page. Built from the programme, or from the answers alone."""

    programme: str
    as_of: date
    fictional: bool
    data_hash: str
    minimum_group: int
    starts_on: date | None = None
    counts: tuple[str, ...] = ()
    people: tuple[tuple[str, str], ...] = ()
    """Who paid, evaluated and checked, as (part, who); the second is empty when not known."""
    signed_by: str = ""
    source: str = ""
    files: tuple[tuple[str, str], ...] = ()
    """Each data file and its hash."""
    instruments: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Each questionnaire the data hold answers on: its name and edition, and what to know of it, in sentences."""
    local: tuple[str, ...] = ()
    """What the programme's own measures and menus say otherwise than those shipped."""
    log: tuple[str, ...] = ()
    """What was done to the data on the way in."""
    corrections: tuple[tuple[str, ...], ...] = ()
    """File, column, how many cells, why, who, when: never which row, nor what stood there."""

    @classmethod
    def from_results(cls, answers: Sequence[Result]) -> Facts:
        """All that the answers themselves know. Refuses answers of two programmes on one page."""
        if not answers:
            raise Refused('A report needs at least one Result, such as ek.individual.growth(programme, on="…").')
        about = answers[0].about
        others = sorted({other.about.programme for other in answers} - {about.programme})
        if others:
            raise Refused(
                f"One report is about one programme; these answers are about {about.programme} and {others[0]}."
            )
        if about.as_of is None:
            raise Refused("A report is about data; a plan without data is shown in its notebook, or saved by itself.")
        return cls(about.programme, about.as_of, about.fictional, about.data_hash, about.minimum_group)

    @classmethod
    def of(cls, programme: Programme) -> Facts:
        """All that the programme knows of itself."""
        notes = programme.people_notes
        return cls(
            programme.title,
            programme.as_of,
            programme.fictional,
            programme.data_hash,
            programme.minimum_group,
            starts_on=programme.starts_on,
            counts=_counts(programme),
            people=(
                ("Paid for by", notes.paid_by),
                ("Evaluated by", notes.evaluated_by),
                ("Facts checked by", notes.checked_by),
            ),
            signed_by=notes.signed_by,
            source=programme.source,
            files=tuple(sorted(programme.hashes.items())),
            instruments=provenance.instruments(programme),
            local=provenance.local(programme),
            log=programme.log,
            corrections=provenance.corrections(programme),
        )

    @property
    def name(self) -> str:
        """The programme's name, with FICTIONAL beside it when nobody in the data exists."""
        said = "FICTIONAL" in self.programme.upper()
        return f"{self.programme} (FICTIONAL)" if self.fictional and not said else self.programme


def _counts(programme: Programme) -> tuple[str, ...]:
    """How many places, organisations and leaders, where the data say."""
    compared = len(circumstances.comparison_places(programme))
    found = [
        (len(programme.places) - compared, "place", None),
        (compared, "place to compare with", "places to compare with"),
        (len(_standing(programme)), "organisation", None),
        (len(circumstances.taking_part(programme)), "leader", None),
    ]
    return tuple(words.counted(number, one, many) for number, one, many in found if number)


def _standing(programme: Programme) -> pd.DataFrame:
    """The organisations there are on the day the data speak of; those merged or closed before are history."""
    held = programme.organisations
    return held[~(held["valid_to"] < pd.Timestamp(programme.as_of))]


def shown_to(audience: str) -> Audience:
    """The audience of a page.

    >>> shown_to("public")
    <Audience.PUBLIC: 'public'>
    """
    if audience not in READERS:
        raise Refused(
            f"A report is for {', '.join(READERS)}; not for {audience!r}. Results stay with the evaluator unarranged."
        )
    return Audience(audience)
