"""What surrounds a question: what the answer is about, what else was going on, and whether it is too early to say."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import __version__, words
from evalkit.reading.settings import MINIMUM_GROUP
from evalkit.result import About

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.measure import Measure
    from evalkit.programme import Programme


NO_DATA = "A plan, before there are data"
"""What stands where an answer names its programme."""
NOT_NAMED = "places not to be named"
"""What stands for every place that did not agree to be named in a report."""
COMPARISON = "comparison"
"""The arm of people and places that the programme is compared with; a blank arm takes part."""


def instrument(programme: Programme, on: str) -> Instrument:
    """The questionnaire asked about, or a ValueError with the ones there are."""
    if on not in programme.instruments:
        raise ValueError(f"No instrument is called {on!r}. There are: {words.listed(sorted(programme.instruments))}.")
    return programme.instruments[on]


def measure(programme: Programme, name: str) -> Measure:
    """The measure asked about, or a ValueError with the ones there are."""
    if name not in programme.measures:
        raise ValueError(f"No measure is called {name!r}. There are: {words.listed(sorted(programme.measures))}.")
    return programme.measures[name]


def about(
    programme: Programme | None, asked: str, *, n: int | None, of: int | None, counts: str, beneficiary: str = ""
) -> About:
    """What an answer is about: enough to ask it again and get the same number. Without a programme it is a plan."""
    if programme is None:
        return About(NO_DATA, asked, None, "", __version__, n, of, counts, MINIMUM_GROUP, False, beneficiary)
    return About(
        programme=programme.title,
        asked=asked,
        as_of=programme.as_of,
        data_hash=programme.data_hash,
        version=__version__,
        n=n,
        of=of,
        counts=counts,
        minimum_group=programme.minimum_group,
        fictional=programme.fictional,
        beneficiary=beneficiary,
    )


def title(programme: Programme | None) -> str:
    """What a chart says it is about."""
    return NO_DATA if programme is None else programme.title


def primary(programme: Programme, level: str, usual: str) -> str:
    """The questionnaire or measure that decides at this level (without its domain), or the usual one."""
    return programme.plan.primary.get(level, usual).partition("/")[0]


def taking_part(programme: Programme) -> pd.DataFrame:
    """The participants who take part: all but those followed for comparison."""
    participants = programme.participants
    return participants[participants["arm"] != COMPARISON]


def comparison_leaders(programme: Programme) -> set[str]:
    """The participants followed for comparison, who do not take part."""
    participants = programme.participants
    return set(participants.loc[participants["arm"] == COMPARISON, "participant_id"])


def grouping(programme: Programme, by: str, *, also: tuple[str, ...] = ()) -> pd.Series[str]:
    """Each person's group, in words, by person_id: of their work and team, or of what they said of themselves.

    `by`: seniority, profession, cohort, sector, organisation, or a characteristic that is recorded. A person of whom
    nothing is written is missing. Errors: ValueError that names what there is; `also`: what else may be asked for.
    """
    organisation = programme.people.set_index("person_id")["organisation_id"]
    participants = programme.participants.set_index("participant_id")
    if by in ("organisation", "sector"):
        listed = programme.organisations.set_index("organisation_id")
        named = organisation.map(listed["name" if by == "organisation" else "sector"])
        return named.map(words.plain, na_action="ignore") if by == "sector" else named
    if by in ("seniority", "profession"):
        return participants[by].map(words.plain, na_action="ignore")
    if by == "cohort":
        return participants["team_id"].map(programme.teams.set_index("team_id")["cohort"])
    said = programme.characteristics
    recorded = sorted(said["characteristic"].unique())
    if by not in recorded:
        known = words.listed(["seniority", "profession", "cohort", "sector", "organisation", *also, *recorded])
        raise ValueError(f"Nothing called {by!r} is recorded of people. There are: {known}.")
    return said[said["characteristic"] == by].set_index("participant_id")["value"]


def comparison_places(programme: Programme) -> set[str]:
    """The places to compare with. Every other place is the programme's."""
    places = programme.places
    return set(places.loc[places["arm"] == COMPARISON, "place_id"])


def place_names(programme: Programme) -> pd.Series[str]:
    """What each place is called where it may be named, by id; `NOT_NAMED` for the others."""
    places = programme.places.set_index("place_id")
    return places["name"].where(places["may_be_named"].fillna(True).astype(bool), NOT_NAMED)


def closes(programme: Programme, wave: int) -> pd.Timestamp | None:
    """The day a wave closed, where it is known."""
    closed = programme.waves.set_index("wave")["closes_on"].reindex([wave]).iloc[0]
    return None if pd.isna(closed) else closed


def when(programme: Programme, wave: int) -> str:
    """The month a wave closed, or its number."""
    closed = closes(programme, wave)
    return f"wave {wave}" if closed is None else words.month(closed)


def rivals(programme: Programme) -> tuple[str, ...]:
    """What else was going on where the programme is, by name and month: explanations that are not ruled out.

    Registered `events` of every kind, anywhere or in a programme place, from the start to `as_of`
    (on `as_of` alone, where nobody recorded the start).
    """
    events = programme.events
    here = ~events["place_id"].isin(comparison_places(programme))
    begins = pd.Timestamp(programme.starts_on or programme.as_of)
    during = (events["starts_on"] <= pd.Timestamp(programme.as_of)) & ~(events["ends_on"] < begins)
    before = events["ends_on"].isna() & (events["starts_on"] < begins)
    held = events[here & during & ~before].sort_values("starts_on", kind="stable")
    named = (f"{event['name']} ({words.month(event['starts_on'])})" for event in held.to_dict("records"))
    return tuple(dict.fromkeys(named))


def too_early(programme: Programme, lag_months: int | None, last: date | pd.Timestamp | None) -> str:
    """Why it is too early to read a measure, when its last observation lies before the time agreed; else nothing.

    `lag_months`: how long after the start a change may take to show; None when nobody agreed one.
    """
    if lag_months is None or last is None or programme.starts_on is None:
        return ""
    readable = pd.Timestamp(programme.starts_on) + pd.DateOffset(months=lag_months)
    if pd.Timestamp(last) >= readable:
        return ""
    return f"Agreed to be read from {words.month(readable)}; the data end in {words.month(pd.Timestamp(last))}."
