"""A part of a programme: the rows of every table that belong to some of its teams and places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter

import pandas as pd

from data_schemas.tables import models, references, schema
from evalkit.programme.employers import followed

Tables = Mapping[str, pd.DataFrame]
Ids = Mapping[str, set[str]]

ORGANISATIONS = "organisations"


def within(places: pd.DataFrame, place: str) -> set[str]:
    """A place and every place that lies in it, however deep."""
    kept: set[str] = {place}
    while True:
        inner = set(places.loc[places["parent_id"].isin(kept), "place_id"]) - kept
        if not inner:
            return kept
        kept |= inner


def restricted(tables: Tables, teams: set[str], places: set[str]) -> dict[str, pd.DataFrame]:
    """Every table with the rows that belong to the teams and places kept.

    First come those the programme is about: places, teams, leaders, those who answered about them. What any other
    table keeps follows from the columns its model says refer to another, so that a new table needs nothing here.
    """
    spine = _spine(tables, teams, places)
    answers = {name: _about(tables[name], spine) for name in ("responses", "scores")}
    rest = _rest(tables, spine, decided={*spine, *answers})
    named = _named({**answers, **rest})
    people = spine["people"] | named & set(tables["people"]["person_id"])
    ids = {**spine, "people": people, ORGANISATIONS: _organisations(tables, spine, people, named)}
    kept = {name: tables[name][tables[name].iloc[:, 0].isin(found)] for name, found in ids.items()}
    return {name: frame.reset_index(drop=True) for name, frame in {**kept, **answers, **rest}.items()}


def _spine(tables: Tables, teams: set[str], places: set[str]) -> dict[str, set[str]]:
    """The ids kept of everything an answer can be about or come from."""
    leaders = _ids(tables["participants"], "team_id", teams, "participant_id")
    local = _ids(tables[ORGANISATIONS], "place_id", places, "organisation_id")
    sessions, staff = tables["sessions"], tables["people"]
    for_all = sessions["team_id"].isna() & sessions["place_id"].isna()
    held = for_all | sessions["team_id"].isin(teams) | sessions["place_id"].isin(places)
    spine = {
        "places": places,
        "teams": teams,
        "participants": leaders,
        "people": leaders,
        ORGANISATIONS: local,
        "sessions": set(sessions.loc[held, "session_id"]),
    }
    respondents = _about(tables["responses"], spine)["respondent_id"]
    answered = _with_earlier_ids(tables["respondents"], set(respondents.dropna()))
    members = _ids(tables["memberships"], "team_id", teams, "person_id")
    people = leaders | answered | members | _ids(staff, "organisation_id", local, "person_id")
    employers = _ids(staff, "person_id", people, "organisation_id")
    return {**spine, "people": people, "respondents": answered, ORGANISATIONS: local | employers}


def _ids(table: pd.DataFrame, column: str, wanted: Iterable[str], wished: str) -> set[str]:
    return set(table.loc[table[column].isin(set(wanted)), wished].dropna())


def _with_earlier_ids(respondents: pd.DataFrame, answered: set[str]) -> set[str]:
    """Those who answered, also under the ids they had before."""
    known = respondents.dropna(subset="alias_of")
    return followed(answered, dict(zip(known["respondent_id"], known["alias_of"], strict=True)))


def _about(table: pd.DataFrame, spine: Ids) -> pd.DataFrame:
    """The rows whose subject is kept; a person is a subject as a leader, and not as somebody's rater."""
    subjects = {
        "person": spine["participants"],
        "team": spine["teams"],
        "place": spine["places"],
        "organisation": spine[ORGANISATIONS],
        "session": spine["sessions"],
    }
    kept = pd.Series(False, index=table.index)
    for kind, ids in subjects.items():
        kept |= (table["subject_kind"] == kind) & table["subject_id"].isin(ids)
    return table[kept]


def _rest(tables: Tables, spine: Ids, *, decided: set[str]) -> dict[str, pd.DataFrame]:
    """The rows kept of every other table, those first that others refer to."""
    undecided = [name for name in models() if name not in decided]
    leans_on = {name: {target for targets in references(name).values() for target in targets} for name in undecided}
    ids, kept = dict(spine), {}
    for name in TopologicalSorter({name: found - decided for name, found in leans_on.items()}).static_order():
        kept[name] = _belonging(tables, name, ids)
        if leans_on[name] & ids.keys():
            ids[name] = set(kept[name].iloc[:, 0].dropna())
    return kept


def _belonging(tables: Tables, name: str, ids: Ids) -> pd.DataFrame:
    """The rows that refer to something kept and to nothing that lies elsewhere.

    A column that may hold an organisation may name one from outside (a payer, a teller's employer, the other party), or
    somebody from there: they bar no row and come along. An organisation kept ties a row only where nobody nearer is
    named. A row that refers to nothing stays where its model says that a blank is for all, and is left out where a
    blank means not known.
    """
    columns = {column: targets for column, targets in references(name).items() if ids.keys() & set(targets)}
    if not columns:
        return tables[name]
    near = [column for column, targets in columns.items() if ORGANISATIONS not in targets]
    deciding = {column: targets for column, targets in columns.items() if targets != (ORGANISATIONS,)} or columns
    named = pd.DataFrame({column: _sort(tables, column, name, ids) for column in deciding})
    by_organisation = (named == "ours").any(axis="columns") & ~(named == "stranger").any(axis="columns")
    for_all = any((schema(name).columns[column].metadata or {})["for_all"] for column in near)
    open_to_all = (named[near] == "blank").all(axis="columns") & for_all
    tied = (named == "kept").any(axis="columns") | by_organisation | open_to_all
    return tables[name][tied & ~(named == "elsewhere").any(axis="columns")]


def _sort(tables: Tables, column: str, name: str, ids: Ids) -> pd.Series[str]:
    """What each cell of a column names: something kept or ours, a stranger or another organisation, or elsewhere."""
    values, targets = tables[name][column], set(references(name)[column])
    sort = pd.Series("elsewhere", index=values.index)
    if ORGANISATIONS in targets:
        if "people" in targets:
            sort[values.isin(tables["people"]["person_id"])] = "stranger"
        sort[values.isin(tables[ORGANISATIONS]["organisation_id"])] = "another"
        sort[values.isin(ids[ORGANISATIONS])] = "ours"
    sort[values.isin({found for target in targets - {ORGANISATIONS} for found in ids.get(target, ())})] = "kept"
    sort[values.isna()] = "blank"
    return sort


def _named(kept: Tables) -> set[str]:
    """The ids in columns that may hold an organisation."""
    return {
        found
        for name, frame in kept.items()
        for column, targets in references(name).items()
        if ORGANISATIONS in targets
        for found in frame[column].dropna().unique()
    }


def _organisations(tables: Tables, spine: Ids, people: set[str], named: set[str]) -> set[str]:
    """Those kept, those who employ the people kept, those named beside them, and all their successors."""
    listed = tables[ORGANISATIONS].dropna(subset="successor_id")
    employers = _ids(tables["people"], "person_id", people, "organisation_id")
    chain = dict(zip(listed["organisation_id"], listed["successor_id"], strict=True))
    return followed(spine[ORGANISATIONS] | employers | named, chain)
