"""What people scored about places or teams on one questionnaire, with who they are: what several questions rest on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from data_schemas.tables.answers import RATERS
from evalkit import circumstances, register, words
from evalkit.errors import NotEnoughEvidence
from evalkit.result import Sentence
from evalkit.stats import change
from evalkit.stats.pairs import flat
from evalkit.team.profile import QUESTION
from evalkit.verdict import LEAST_PAIRS

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme
    from evalkit.stats.change import PairedChange

INSIDERS = "team_member"
"""The rater who scores a place or team from inside it."""
KINDS = ("place", "team", "organisation")
"""What such answers may be about."""
NOT_RECORDED = "not recorded"


@dataclass(frozen=True, eq=False)
class Scored:
    """Domain scores on one instrument by one kind of rater about one kind of subject, up to the day the data speak of.

    Each person counts once a subject and wave: the later sitting, where there were two (`twice` counts the others).
    `scores`: a row a sitting and scored domain, with respondent_id, subject_id, wave, answered_on, domain, score, and
    who they are: organisation (on the day of the wave), level, place, team, tier; `not recorded` where nobody knows.
    `left_out`: domain scores without enough answers; `without_wave`: sittings at no wave; `others`: kinds of subject
    that were scored too. None of these is in `scores`.
    """

    programme: Programme
    instrument: Instrument
    subject: str
    rater: str
    scores: pd.DataFrame
    left_out: int
    without_wave: int
    twice: int = 0
    others: tuple[str, ...] = ()

    @cached_property
    def waves(self) -> list[int]:
        """The waves at which somebody scored, in their order."""
        return sorted(int(wave) for wave in self.scores["wave"].unique())

    @cached_property
    def subjects(self) -> list[str]:
        """The places or teams scored, by their names in the order of the alphabet."""
        return sorted(self.scores["subject_id"].unique(), key=self.name)

    @property
    def unit(self) -> str:
        """What a score is counted in."""
        return f"points on a scale of {self.instrument.scale.low:g} to {self.instrument.scale.high:g}"

    @property
    def informant(self) -> str:
        """Who scored, in the few words of a headline."""
        return "self-assessed" if self.rater == INSIDERS else f"told by {words.raters(self.rater)}"

    def name(self, subject_id: str) -> str:
        """What the place, team or organisation is called; its id where nobody says."""
        return self._names.get(subject_id, subject_id)

    @cached_property
    def _names(self) -> dict[str, str]:
        return named(self.programme, self.subject)

    def ends(self, between: tuple[int, int] | None = None) -> tuple[int, ...]:
        """The first and last wave asked for, or of all; one where there is no other."""
        held = self.waves
        if between is None:
            return tuple(dict.fromkeys((held[0], held[-1])))
        if len(between) != 2 or not {*between} <= {*held} or between[0] >= between[1]:
            raise ValueError(
                f"between={between!r} must name an earlier and a later wave at which somebody answered: "
                f"{words.listed([str(wave) for wave in held])}."
            )
        return between

    def wave(self, wave: int | None) -> int:
        """The wave asked for, which must have scores; the last where none is."""
        if wave is not None and wave not in self.waves:
            held = words.listed([str(each) for each in self.waves])
            raise ValueError(f"wave={wave!r} is none at which somebody scored: {held}.")
        return self.waves[-1] if wave is None else wave

    def means(self) -> pd.DataFrame:
        """A row a domain and subject, a column a wave: the mean of those who answered."""
        return self._means.copy(deep=False)

    @cached_property
    def _means(self) -> pd.DataFrame:
        return self.scores.pivot_table(index=["domain", "subject_id"], columns="wave", values="score", aggfunc="mean")

    def changes(self, between: tuple[int, int] | None, confidence: float) -> dict[str, PairedChange]:
        """Each domain's change over subjects with both waves, where these are enough and not all alike."""
        return over_subjects(self.means(), self.ends(between), confidence)

    def people(self, **where: Any) -> int:
        """How many different people scored, at one wave, domain or subject where these are given."""
        held = self.scores
        for column, value in where.items():
            held = held.loc[held[column] == value]
        return int(held["respondent_id"].nunique())

    def cautions(self) -> list[Sentence]:
        """What is not in the scores, counted."""
        said = []
        if self.left_out:
            said.append(f"{words.counted(self.left_out, 'domain score')} left out: too few of its questions answered.")
        if self.without_wave:
            said.append(f"{words.counted(self.without_wave, 'filled-in form')} left out: at no wave.")
        if self.twice:
            forms = words.counted(self.twice, "domain score")
            said.append(f"{forms} left out: the same person answered again at that wave, and the later form counts.")
        if self.others:
            other = words.listed([f"{kind}s" for kind in self.others])
            said.append(f"Scores of {other} on the same instrument are left out: ask with subject=… for them.")
        return [Sentence(text) for text in said]


def scored(
    programme: Programme, on: str, *, rater: str = INSIDERS, subject: str | None = None, question: str = QUESTION
) -> Scored:
    """The scores of one instrument by one kind of rater, or NotEnoughEvidence with what there is instead.

    `subject` place, team or organisation; None for the kind most answers are about, and what else there is, is said.
    """
    instrument = on_one_scale(programme, on, question)
    known_rater(rater)
    given = about_subjects(programme, on)
    if given.empty:
        raise NotEnoughEvidence(
            question,
            missing=nobody(programme, instrument),
            would_answer="responses.csv with the answers of each person.",
        )
    own = given[given["rater"] == rater]
    if own.empty:
        there = words.listed(sorted(given["rater"].unique()))
        raise NotEnoughEvidence(
            question,
            missing=f"{words.sentence_case(words.raters(rater))} scored nothing on the {instrument.name}.",
            would_answer=f"asking about those who did, with rater=…: {there}.",
        )
    kind = _one_kind(own, subject, instrument, question)
    others = () if subject else tuple(sorted({*own["subject_kind"]} - {kind}))
    own = own[own["subject_kind"] == kind]
    dated = own[own["wave"].notna()]
    scores = instrument.score(dated)
    known = scores.dropna(subset=["score"])
    if known.empty:
        raise NotEnoughEvidence(
            question,
            missing=f"Not one domain of the {instrument.name} was answered enough at a wave to be scored.",
            would_answer="answers to more of its questions, each with its wave.",
        )
    once = known.sort_values("answered_on", kind="stable", na_position="first")
    once = once.drop_duplicates(["respondent_id", "subject_id", "wave", "domain"], keep="last").sort_index()
    without = own[own["wave"].isna()].drop_duplicates(["respondent_id", "subject_id", "timing"])
    return Scored(
        programme, instrument, kind, rater, _with_who(programme, kind, once), len(scores) - len(known), len(without),
        len(known) - len(once), others,
    )  # fmt: skip


def known_rater(rater: str) -> None:
    """ValueError for a kind of rater there is none of: a slip of the pen is no lack of answers."""
    if rater not in RATERS:
        raise ValueError(f"rater={rater!r} is none of {words.listed([*RATERS])}.")


def nobody(programme: Programme, instrument: Instrument) -> str:
    """That nobody's answers about places, teams or organisations can be read, and whether there are any at all."""
    given = programme.responses
    about = given[(given["instrument"] == instrument.id) & given["subject_kind"].isin(KINDS)]
    said = f"Nobody's answers to {instrument.name} about places, teams or organisations were given"
    if about.loc[about["timing"] != "then", "answer"].notna().any():
        return f"{said} by {words.day(programme.as_of)}, other than of places to compare with."
    return f"{said}."


def on_one_scale(programme: Programme, on: str, question: str = QUESTION) -> Instrument:
    """The instrument, once it is known that its domains can be set side by side; a refusal otherwise."""
    instrument = circumstances.instrument(programme, on)
    if instrument.recorded or not instrument.on_scale:
        adds = f"The {instrument.name} adds up points that are no steps of one scale."
        raise NotEnoughEvidence(
            question,
            missing=instrument.never_averaged if instrument.recorded else adds,
            would_answer="an instrument whose domains are scored on one scale, such as icfat.",
        )
    return instrument


def about_subjects(programme: Programme, on: str) -> pd.DataFrame:
    """The answers on an instrument about places, teams or organisations of the programme, none looking back."""
    given = register.answered(programme)
    return ours(programme, given[(given["instrument"] == on) & (given["timing"] != "then")])


def ours(programme: Programme, given: pd.DataFrame) -> pd.DataFrame:
    """The rows about places, teams or organisations that are not of places to compare with."""
    own = given[given["subject_kind"].isin(KINDS)]
    elsewhere = circumstances.comparison_places(programme)
    teams = programme.teams
    outside = {"place": elsewhere, "team": set(teams.loc[teams["place_id"].isin(elsewhere), "team_id"])}
    compared = pd.Series(False, index=own.index)
    for kind, ids in outside.items():
        compared |= (own["subject_kind"] == kind) & own["subject_id"].isin(ids)
    return own[~compared]


def over_subjects(means: pd.DataFrame, ends: tuple[int, ...], confidence: float) -> dict[str, PairedChange]:
    """Each domain's change over subjects with both waves: none where these are under five, or all alike."""
    if len(ends) < 2:
        return {}
    by_domain = means.groupby(level="domain", sort=False)
    found = {str(domain): change_over(held[ends[0]], held[ends[1]], confidence) for domain, held in by_domain}
    return {domain: moved for domain, moved in found.items() if moved is not None}


def change_over(first: pd.Series[Any], last: pd.Series[Any], confidence: float) -> PairedChange | None:
    """Last less first over subjects with both; None with fewer than five of them, or where all differ alike.

    Alike up to rounding: means of decimals are not exact.
    """
    both = pd.concat([first, last], axis=1, keys=["first", "last"], join="inner").astype(float).dropna()
    if len(both) < LEAST_PAIRS or flat((both["last"] - both["first"]).to_numpy(), float(both.abs().to_numpy().max())):
        return None
    return change.paired(both["first"], both["last"], confidence=confidence)


def named(programme: Programme, kind: str) -> dict[str, str]:
    """What the teams, organisations, or places that may be named are called, by id."""
    table = programme.teams if kind == "team" else programme.organisations
    whole = circumstances.place_names(programme) if kind == "place" else table.set_index(f"{kind}_id")["name"]
    called = whole.dropna().astype(str)
    twice = called.duplicated(keep=False) & (called != circumstances.NOT_NAMED)  # two of one name are not one
    return {str(key): str(name) for key, name in called.where(~twice, called + " (" + called.index + ")").items()}


def _one_kind(own: pd.DataFrame, subject: str | None, instrument: Instrument, question: str) -> str:
    held = sorted(own["subject_kind"].unique())
    if subject is not None and subject not in KINDS:
        raise ValueError(f"subject={subject!r} is none of {words.listed(list(KINDS))}.")
    if subject is not None and subject not in held:
        raise NotEnoughEvidence(
            question,
            missing=f"No {subject} was scored on the {instrument.name}.",
            would_answer=f"asking about {words.listed([f'{kind}s' for kind in held])}, with subject=…",
        )
    return subject or str(own["subject_kind"].value_counts().sort_index().idxmax())


def _with_who(programme: Programme, kind: str, scores: pd.DataFrame) -> pd.DataFrame:
    """The scores with the organisation (of the wave's day), level, place, team and tier of each."""
    teams, subject = programme.teams.set_index("team_id"), scores["subject_id"]
    place = subject if kind == "place" else subject.map(teams["place_id"]) if kind == "team" else None
    tier = subject.map(teams["tier"]) if kind == "team" else None
    found = scores.assign(
        wave=scores["wave"].astype(int),
        organisation=_organisations(programme, scores),
        level=scores["respondent_id"].map(_levels(programme)),
        place=place,
        team=subject if kind == "team" else None,
        tier=tier,
    )
    known = {"organisation": named(programme, "organisation"), "place": named(programme, "place")}
    known["team"] = named(programme, "team")
    for column, names in known.items():
        found[column] = found[column].map(lambda each, names=names: names.get(each, each), na_action="ignore")
    who = ["organisation", "level", "place", "team", "tier"]
    found[who] = found[who].astype(object).where(found[who].notna(), NOT_RECORDED)
    return found.reset_index(drop=True)


def _organisations(programme: Programme, scores: pd.DataFrame) -> pd.Series[Any]:
    """Where each respondent worked at the wave: as the form says, else as the person's posts do."""
    told = programme.respondents.set_index("respondent_id")["organisation_id"].dropna()
    found = pd.Series(pd.NA, index=scores.index, dtype=object)
    for wave, rows in scores.groupby("wave"):
        closed = circumstances.closes(programme, int(str(wave)))
        employed = programme.organisations_on(programme.as_of if closed is None else closed.date())
        ids = rows["respondent_id"]
        found.loc[rows.index] = ids.map(told).astype(object).fillna(ids.map(employed).astype(object))
    return found


def _levels(programme: Programme) -> pd.Series[Any]:
    """Each respondent's level: in the words of the form where it asked, else the seniority that was recorded."""
    asked = programme.respondents.set_index("respondent_id")["level"].dropna()
    leaders = programme.participants.set_index("participant_id")["seniority"].dropna()
    posts = programme.posts.dropna(subset=["seniority"]).sort_values("start", na_position="first")
    latest = posts.drop_duplicates("person_id", keep="last").set_index("person_id")["seniority"]
    known: pd.Series[Any] = pd.concat([asked, leaders.map(words.plain), latest.map(words.plain)]).astype(object)
    return known.loc[~known.index.duplicated()]
