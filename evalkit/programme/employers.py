"""Who worked where on a day, and what became of an organisation: a merger rewrites no history."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from data_schemas.catalogues import nearest


def on_day(people: pd.DataFrame, posts: pd.DataFrame, day: date) -> pd.Series[str]:
    """The organisation each person worked for on a day, missing where they held no post; index person_id."""
    when, index = pd.Timestamp(day), pd.Index(people["person_id"], name="person_id")
    plain = pd.Series(people["organisation_id"].to_numpy(), index=index, name="organisation_id", dtype="str")
    held = posts[~(posts["start"] > when) & ~(posts["end"] < when)]
    # of two posts at once the one taken up later counts; a blank start is long ago
    latest = held.sort_values("start", na_position="first", kind="stable").drop_duplicates("person_id", keep="last")
    by_post = latest.set_index("person_id")["organisation_id"].reindex(index)
    return plain.where(~index.isin(posts["person_id"]), by_post)


def standing(organisations: pd.DataFrame, organisation_id: str, day: date) -> str:
    """The body that stands on a day for an organisation that may have been merged since, once or several times."""
    bodies: dict[str, Any] = {str(row.organisation_id): row for row in organisations.itertuples()}
    if organisation_id not in bodies:
        raise ValueError(f"There is no organisation {organisation_id!r}. {nearest(organisation_id, list(bodies))}")
    seen, at = {organisation_id}, organisation_id
    while (later := bodies[at].successor_id) in bodies and later not in seen:
        if not _gone(bodies[at], bodies[later], pd.Timestamp(day)):
            break
        seen.add(later)
        at = later
    return at


def followed(ids: set[str], leads: Mapping[str, str]) -> set[str]:
    """These ids and all that a chain of references leads to from them."""
    kept, ahead = set(ids), set(ids)
    while ahead := {leads[found] for found in ahead if found in leads} - kept:
        kept |= ahead
    return kept


def _gone(body: Any, successor: Any, day: pd.Timestamp) -> bool:
    """Whether its last day has passed; where that is blank, whether its successor had begun."""
    if pd.notna(body.valid_to):
        return bool(body.valid_to < day)
    return not successor.valid_from > day
