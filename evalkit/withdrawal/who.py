"""Who is meant: every id of a person, and a hint where nobody has the one that was given."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from data_schemas.catalogues import close_to
from data_schemas.tables import references, schema
from evalkit.errors import Refused
from evalkit.reading import Contents, empty
from evalkit.withdrawal.cuts import PATIENTS, PEOPLE


def every_id(person: str, respondents: pd.DataFrame | None) -> list[str]:
    """The id and every other one that leads to it or that it leads to.

    >>> every_id("F1", pd.DataFrame({"respondent_id": ["F2", "F3"], "alias_of": ["F1", None]}))
    ['F1', 'F2']
    """
    ids = [person]
    if respondents is None:
        return ids
    pairs = respondents[["respondent_id", "alias_of"]].dropna().to_numpy().tolist()
    while more := [pair for pair in pairs if (pair[0] in ids) != (pair[1] in ids)]:
        ids += [id for pair in more for id in pair if id not in ids]
    return ids


def find(person: str, contents: Contents, name: str) -> None:
    """Raises Refused, with a hint, where nobody has this id."""
    known = _people(contents.tables)
    if person in known or _is_patient(person, contents):
        return
    if not person.strip():
        raise Refused("Give the person's id, as it stands in people or respondents.")
    meant = close_to(person.strip(), known)
    hint = f"Did you mean {meant!r}?" if meant else "Give the id as it stands in people or respondents."
    if "@" in person:
        hint = "This is an address: run evalkit pseudonym KEY ADDRESS, and give the id it says."
    raise Refused(f"Nothing in {name} holds {person!r}. {hint}")


def _people(tables: Mapping[str, pd.DataFrame]) -> set[str]:
    """Every id of a person any table knows."""
    found: set[str] = set()
    for table, frame in tables.items():
        columns = {column for column, listed in references(table).items() if set(listed) <= PEOPLE}
        if table in PEOPLE:
            columns.add(next(iter(schema(table).columns)))
        for column in columns:
            found |= set(frame[column].dropna().unique())
        if {"subject_kind", "subject_id"} <= set(frame.columns):
            found |= set(frame.loc[frame["subject_kind"] == "person", "subject_id"].dropna().unique())
    return found


def _is_patient(person: str, contents: Contents) -> bool:
    """Whether the id is one of those that only their own table knows."""
    return any(
        bool((part[column] == person).any())
        for table, column in PATIENTS.items()
        for part in (contents.parts.get(table) or [contents.tables.get(table, empty(table))])
    )
