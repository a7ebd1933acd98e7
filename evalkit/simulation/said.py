"""Forty invented stories and some excerpts, what two coders found in them, and which stories panels chose."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from evalkit.simulation.cast import ids
from evalkit.simulation.scenario import START, Scenario, shipped

CODERS = ("coder_1", "coder_2")

COLLECTED_FROM = 150
COLLECTED_EVERY = 12
"""Days after the start of the first story, and between one and the next."""

READ_AFTER = (20, 34)
"""Days between the collection of a story and each coder's reading."""


def tables(scenario: Scenario) -> dict[str, pd.DataFrame]:
    """`stories`, `excerpts`, `codes`, `coders` and `selections`. Nothing is drawn: the words never change."""
    told: list[dict[str, Any]] = list(shipped("stories")["stories"])
    numbers = ids("Y", len(told))
    days = [_collected(scenario, position, len(told)) for position in range(len(told))]
    place = ids("P", scenario.places)[np.arange(len(told)) * 5 % scenario.programme_places]
    stories = pd.DataFrame(
        {
            "story_id": numbers,
            "collected_on": pd.to_datetime(days),
            "place_id": place,
            "teller_role": [story["role"] for story in told],
            "organisation_id": _organisations([story.get("sector") for story in told]),
            "domain": [story["domain"] for story in told],
            "title": [story["title"] for story in told],
            "text": [story["text"] for story in told],
            "why_significant": [story["why"] for story in told],
            "consent": [story["consent"] for story in told],
        }
    )
    excerpts = _excerpts(scenario)
    everything = [*told, *shipped("stories")["excerpts"]]
    sources = [*numbers.tolist(), *excerpts["excerpt_id"]]
    collected = [*days, *excerpts["collected_on"].dt.date]
    return {
        "stories": stories,
        "excerpts": excerpts,
        **_coded(sources, collected, everything),
        "selections": _selections(stories),
    }


def _excerpts(scenario: Scenario) -> pd.DataFrame:
    """Collected over the same months as the stories; their ids come after, so that codes of stories stand first."""
    said: list[dict[str, Any]] = list(shipped("stories")["excerpts"])
    days = [_collected(scenario, position * 3, 3 * len(said)) for position in range(len(said))]
    place = ids("P", scenario.places)[np.arange(len(said)) * 7 % scenario.programme_places]
    plain = {name: [piece[name] for piece in said] for name in ("kind", "role", "text", "consent")}
    keys = {"excerpt_id": ids("Z", len(said)), "collected_on": pd.to_datetime(days), "place_id": place}
    return pd.DataFrame({**keys, **plain})


def _selections(stories: pd.DataFrame) -> pd.DataFrame:
    """Every place's panel looks at its stories and takes one; the region's panel takes every third of those.

    Stories told without consent are not looked at. Which one is taken goes by turn, and the reason by domain.
    """
    columns = (stories[name].tolist() for name in ("story_id", "place_id", "domain", "consent"))
    of_place: dict[str, list[tuple[str, str]]] = {}
    for story, place, domain, consent in zip(*columns, strict=True):
        if consent != "none":
            of_place.setdefault(place, []).append((story, domain))
    best = [own[at % len(own)] for at, own in enumerate(of_place.values())]
    looked = [("place", story, story in best) for own in of_place.values() for story in own]
    looked += [("region", story, at % 3 == 0) for at, story in enumerate(best)]
    last, after = stories["collected_on"].max(), {"place": 10, "region": 30}
    return pd.DataFrame(
        {
            "story_id": [story for _, (story, _), _ in looked],
            "level": [level for level, _, _ in looked],
            "selected": [chosen for _, _, chosen in looked],
            "selected_by": [f"the panel of the {level}" for level, _, _ in looked],
            "reason": [shipped("stories")["reasons"][domain] if chosen else None for _, (_, domain), chosen in looked],
            "decided_on": [last + pd.Timedelta(days=after[level]) for level, _, _ in looked],
        }
    )


def _collected(scenario: Scenario, position: int, stories: int) -> date:
    """Evenly from five months in; in a programme too short for that, evenly up to a month before its end."""
    last = (scenario.as_of - START).days - max(READ_AFTER)
    from_day = min(COLLECTED_FROM, max(last, 0))
    step = min(COLLECTED_EVERY, (last - from_day) / max(stories - 1, 1))
    return START + timedelta(days=from_day + int(position * step))


def _organisations(sectors: list[str | None]) -> list[str | None]:
    """The organisations of a sector in turn; none for carers, citizens and others who speak for themselves."""
    everybody = [entry["sector"] for entry in shipped("northmere")["organisations"]]
    numbers, told = ids("O", len(everybody)), dict.fromkeys(everybody, 0)
    chosen: list[str | None] = []
    for sector in sectors:
        if sector is None:
            chosen.append(None)
            continue
        own = [at for at, candidate in enumerate(everybody) if candidate == sector]
        chosen.append(str(numbers[own[told[sector] % len(own)]]))
        told[sector] += 1
    return chosen


def _coded(numbers: list[str], days: list[date], told: list[dict[str, Any]]) -> dict[str, pd.DataFrame]:
    found, read = [], []
    for coder, key, after in zip(CODERS, ("first", "second"), READ_AFTER, strict=True):
        found += [(number, coder, code) for number, story in zip(numbers, told, strict=True) for code in story[key]]
        read += [(number, coder, day + timedelta(days=after)) for number, day in zip(numbers, days, strict=True)]
    codes = pd.DataFrame(sorted(found), columns=["source_id", "coder", "code"])
    coders = pd.DataFrame(sorted(read), columns=["source_id", "coder", "coded_on"])
    return {"codes": codes, "coders": coders.assign(coded_on=pd.to_datetime(coders["coded_on"]))}
