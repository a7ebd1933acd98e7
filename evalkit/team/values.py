"""What each place or team is worth on each domain at one wave, from answers or from published averages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import circumstances, register, words
from evalkit.disclosure import kept_back
from evalkit.errors import NotEnoughEvidence
from evalkit.result import Sentence
from evalkit.team.scored import INSIDERS, KINDS, about_subjects, known_rater, named, on_one_scale, scored

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme


@dataclass(frozen=True, slots=True)
class Held:
    """Values of places or teams at one wave: a row a domain and subject, with subject_id, value, sd and n (people)."""

    programme: Programme
    instrument: Instrument
    kind: str
    rater: str
    """Who scored; nothing where the averages were published."""
    wave: int
    values: pd.DataFrame
    cautions: tuple[Sentence, ...]
    people: dict[str, int]
    """How many different people answered, by subject; nobody knows where the averages were published."""

    def name(self, subject_id: str) -> str:
        """What one's own is called; one that may not be named is known to whoever asks about it."""
        called = named(self.programme, self.kind).get(subject_id, subject_id)
        return f"the {self.kind} asked about" if called == circumstances.NOT_NAMED else called

    @property
    def when(self) -> str:
        """The month of the wave."""
        return circumstances.when(self.programme, self.wave)

    @property
    def unit(self) -> str:
        """What a value is counted in."""
        return f"points on a scale of {self.instrument.scale.low:g} to {self.instrument.scale.high:g}"


def values_beside(
    programme: Programme, on: str, rater: str, subject: str | None, wave: int | None, question: str
) -> Held:
    """The values: of people's answers where there are any, else averages somebody published."""
    instrument = on_one_scale(programme, on, question)
    known_rater(rater)
    if about_subjects(programme, on).empty and (programme.scores["instrument"] == on).any():
        if rater != INSIDERS:
            raise NotEnoughEvidence(
                question,
                missing=f"Of the {instrument.name} only averages came, and not what {words.raters(rater)} scored.",
                would_answer="responses.csv with the answers of each person; without rater=…, the averages.",
            )
        return _published(programme, instrument, subject, wave, question)
    asked = scored(programme, on, rater=rater, subject=subject, question=question)
    at = asked.wave(wave)
    scores = asked.scores[asked.scores["wave"] == at]
    by = scores.groupby(["domain", "subject_id"])
    values = by["score"].agg(value="mean", sd="std").assign(n=by["respondent_id"].nunique()).reset_index()
    people = {str(key): int(n) for key, n in scores.groupby("subject_id")["respondent_id"].nunique().items()}
    return Held(programme, instrument, asked.subject, rater, at, values, tuple(asked.cautions()), people)


def _published(
    programme: Programme, instrument: Instrument, subject: str | None, wave: int | None, question: str
) -> Held:
    """Averages of whole places in `scores`, at one wave; the latest where a place has two for the same."""
    if subject is not None and subject not in KINDS:
        raise ValueError(f"subject={subject!r} is none of {words.listed([*KINDS])}.")
    scores = programme.scores
    own = scores[(scores["instrument"] == instrument.id) & scores["subject_kind"].isin(KINDS)]
    whole = own["organisation_id"].isna() & own["level"].isna() & register.by_now(programme, own["measured_on"])
    teams, elsewhere = programme.teams, circumstances.comparison_places(programme)
    outside = elsewhere | set(teams.loc[teams["place_id"].isin(elsewhere), "team_id"])
    used = own[whole & own["wave"].notna() & ~own["subject_id"].isin(outside)]
    kinds = sorted(used["subject_kind"].unique())
    if subject is None and len(kinds) > 1:
        raise ValueError(f"Scores of {instrument.name} are about {words.listed(kinds)}: say which, with subject=…")
    kind = subject or (kinds[0] if kinds else KINDS[0])
    used = used[used["subject_kind"] == kind]
    if used.empty:
        raise NotEnoughEvidence(
            question,
            missing=f"No {kind} has a score of its own on the {instrument.name} at a wave.",
            would_answer="scores.csv with the wave of each score, or responses.csv with the answers of each person.",
        )
    at = _wave(sorted(int(each) for each in used["wave"].unique()), wave)
    latest = used[used["wave"] == at].sort_values("measured_on", kind="stable", na_position="first")
    values = latest.drop_duplicates(["domain", "subject_id"], keep="last").rename(columns={"mean": "value"})
    left = int((~whole | own["wave"].isna()).sum()) + len(latest) - len(values)
    said = ["These are averages somebody else worked out."]
    if left:
        said.append(f"{words.counted(left, 'score')} left out: at no wave, of a part only, later, or told twice.")
    values = values[["domain", "subject_id", "value", "sd", "n"]]
    return Held(programme, instrument, kind, "", at, values, tuple(Sentence(text) for text in said), {})


def _wave(there: list[int], wave: int | None) -> int:
    if wave is not None and wave not in there:
        waves = words.listed([str(each) for each in there])
        raise ValueError(f"wave={wave} is none at which somebody scored: {waves}.")
    return there[-1] if wave is None else wave


def counted_of(held: Held) -> pd.DataFrame:
    """The values that a table of places would show: enough people behind them, or nobody knows how many.

    Where one is too small its neighbour is left out as well, as it is there: else it would be told by the others.
    """
    minimum = held.programme.minimum_group
    left_out = [
        (domain, subject)
        for domain, rows in held.values.groupby("domain")
        for subject in kept_back(rows.set_index("subject_id")["n"], minimum)
    ]
    keys = pd.MultiIndex.from_frame(held.values[["domain", "subject_id"]])
    return held.values[~keys.isin(left_out)]
