"""What the record itself gives to ask: invitations taken up, the lowest joint score, and what nobody wrote down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import circumstances, register, words
from evalkit.signals.talk import Talk
from evalkit.terms import Level, Sign

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUIET = 2
"""Fewer disagreements brought into the open than this in a wave are asked about (a judgement: none is no good sign)."""
LOGS = {
    "actions": "what was decided and done",
    "compacts": "promises",
    "milestones": "milestones",
    "pdsa": "small tests of change",
    "wins": "small wins",
    "support_requests": "requests for help",
    "drivers": "what organisations do to back it",
    "spread_events": "wider events",
}
"""Logs worth an hour a month to a team, by table."""


def of_programme(programme: Programme, begins: date | None) -> list[Talk]:
    """Everything the record gives to ask, one thing each."""
    return [
        *_empty_chairs(programme, begins),
        *_lowest_together(programme),
        *_disagreements(programme, begins),
        *_meetings(programme, begins),
        *_never_kept(programme),
    ]


def _empty_chairs(programme: Programme, begins: date | None) -> Iterator[Talk]:
    """Invitations taken up; nothing where fewer people than the minimum group took one up, or fewer invitations than it
    were not: either would point at people."""
    sessions = programme.sessions[_since(programme, programme.sessions["held_on"], begins)]
    held = programme.attendance[programme.attendance["session_id"].isin(sessions["session_id"])]
    held = held[held["status"].isin(["invited", "attended"])]
    held = held[~held["person_id"].isin(circumstances.comparison_leaders(programme))]
    asked, came = len(held), int((held["status"] == "attended").sum())
    people = held.loc[held["status"] == "attended", "person_id"].nunique()
    if asked - came < programme.minimum_group or 0 < people < programme.minimum_group:
        return
    where = words.counted(int(held["session_id"].nunique()), "session")
    yield Talk(
        Level.PROCESS, "Invitations taken up", register.sign_of(came, asked),
        f"{words.of(came, asked)} invitations to {where} were taken up. What kept people away, and what would help?",
        "", estimate=100 * came / asked, n=int(held["person_id"].nunique()), unit="% of invitations", n_of="people",
    )  # fmt: skip


def _lowest_together(programme: Programme) -> Iterator[Talk]:
    """The domain one place agreed its lowest score for; with several places it would set them side by side."""
    on = circumstances.primary(programme, "team", "icfat")
    scores = programme.scores[register.by_now(programme, programme.scores["measured_on"])]
    own = scores[
        (scores["instrument"] == on) & (scores["subject_kind"] == "place") & (scores["basis"] == "consensus")
        & ~scores["subject_id"].isin(circumstances.comparison_places(programme))
    ]  # fmt: skip
    if on not in programme.instruments or own["subject_id"].nunique() != 1 or len(_places(programme)) != 1:
        return
    last = own[own["measured_on"] == own["measured_on"].max()]
    lowest = last[last["mean"] == last["mean"].min()]
    if len(lowest) == len(last):
        return
    instrument = programme.instruments[on]
    named = [instrument.domain_labels[domain] for domain in lowest["domain"]]
    listed = words.listed([f"{name[:1].lower()}{name[1:]}" for name in named])
    score = f"{lowest['mean'].iloc[0]:g} of {instrument.scale.high:g}"
    yield Talk(
        Level.TEAM, "Lowest joint score", Sign.UNCERTAIN,
        f"On {words.day(last['measured_on'].iloc[0])} we scored {listed} lowest together, {score}. What would one step "
        "up look like here?", f"team.maturity(on={on!r})", estimate=float(lowest["mean"].iloc[0]),
        unit=f"points on a scale of {instrument.scale.low:g} to {instrument.scale.high:g}", n_of="domains",
    )  # fmt: skip


def _places(programme: Programme) -> set[str]:
    """The places that take part."""
    return set(programme.places["place_id"]) - circumstances.comparison_places(programme)


def _disagreements(programme: Programme, begins: date | None) -> Iterator[Talk]:
    """No disagreement on record is a question, never a success; nor is it said that there was none."""
    name = "Disagreements in the open"
    if not programme.has("conflicts"):
        ask = "Nobody writes down where partners disagree. Do we disagree, and where is it heard?"
        yield Talk(Level.TEAM, name, Sign.NOT_RECORDED, ask, "")
        return
    conflicts = register.of_programme(programme, programme.conflicts)
    raised = int(_since(programme, conflicts["raised_on"], begins).sum())
    if raised < QUIET:
        many = words.sentence_case(words.counted(raised, "disagreement"))
        was = "was" if raised == 1 else "were"
        ask = f"{many} {was} written down {_from(programme, begins)}. Do we agree, or is something not said?"
        yield Talk(
            Level.TEAM, name, Sign.UNCERTAIN, ask, "", estimate=float(raised), n=raised, unit="disagreements",
            n_of="disagreements",
        )  # fmt: skip


def _meetings(programme: Programme, begins: date | None) -> Iterator[Talk]:
    name = "Meetings of partners"
    if not programme.has("meetings"):
        ask = "Nobody writes down when partners meet. Do we meet often enough, and ever without business to do?"
        yield Talk(Level.TEAM, name, Sign.NOT_RECORDED, ask, "")
    elif not _since(programme, register.of_programme(programme, programme.meetings)["held_on"], begins).any():
        ask = f"No meeting is on record {_from(programme, begins)}. Did partners meet?"
        yield Talk(
            Level.TEAM, name, Sign.UNCERTAIN, ask, "", estimate=0.0, n=0, unit="meetings", n_of="meetings"
        )  # fmt: skip


def _never_kept(programme: Programme) -> Iterator[Talk]:
    """Logs nobody keeps, in one: which of them is worth it is the question."""
    none = [name for table, name in LOGS.items() if not programme.has(table)]
    if none:
        which = "Which of these is" if len(none) > 1 else "Is it"
        ask = f"Not written down here: {words.listed(none)}. {which} worth an hour a month?"
        yield Talk(Level.PROCESS, "Logs nobody keeps", Sign.NOT_RECORDED, ask, "")


def _since(programme: Programme, days: pd.Series[Any], begins: date | None) -> pd.Series[bool]:
    """What happened in this wave, its first day included as in the logs; everything recorded where there was none."""
    first = begins or programme.starts_on
    until = days <= pd.Timestamp(programme.as_of)
    return until if first is None else until & (days >= pd.Timestamp(first))


def _from(programme: Programme, begins: date | None) -> str:
    if begins is None:
        return "since the start" if programme.starts_on else f"to {words.day(programme.as_of)}"
    return f"since {words.day(begins)}"
