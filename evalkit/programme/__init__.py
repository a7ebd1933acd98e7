"""A programme: its people, teams, places and everything said, done and counted about them, once it is known right."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from data_schemas.catalogues import nearest
from data_schemas.tables import models, schema
from evalkit.errors import DataProblems
from evalkit.instrument import Instrument
from evalkit.measure import Measure
from evalkit.menu import Menu
from evalkit.programme import employers, portrait, restriction
from evalkit.reading import Contents, Notes, Plan, Settings, digest, empty, in_memory, read_folder, to_csv_text
from evalkit.terms import Audience

__all__ = ["Notes", "Plan", "Programme", "Settings", "check", "load"]


def load(source: str | Path, *, as_of: date | None = None) -> Programme:
    """Read a programme's folder: `programme.toml` and any of the tables as CSV or Parquet.

    `as_of` is the day the data speak of: this argument, else programme.toml's, else the latest date in the data;
    never today. Raises DataProblems with every problem at once.
    """
    contents, problems = read_folder(source)
    if contents is None:
        raise DataProblems(problems)
    return Programme(contents, as_of=as_of)


def check(source: str | Path) -> pd.DataFrame:
    """Every problem in a programme's folder, without raising: file, row, column, value, problem, remedy.

    `row` is the number a spreadsheet shows, missing where a problem concerns the whole file. Empty when all is well.
    """
    return read_folder(source)[1]


class Programme:
    """One dated spine from person to organisation, team and place, and the tables that hang on it.

    Each table is an attribute and gives a copy; a table the folder does not hold is there without rows, so ask
    `has`. `instruments` and `measures` are by id, and `local` names those the folder itself described. `truth` is
    what was planted, where the data were invented. After loading, nothing checks a value again.
    """

    people: pd.DataFrame
    participants: pd.DataFrame
    respondents: pd.DataFrame
    posts: pd.DataFrame
    characteristics: pd.DataFrame
    memberships: pd.DataFrame
    teams: pd.DataFrame
    organisations: pd.DataFrame
    places: pd.DataFrame
    waves: pd.DataFrame
    events: pd.DataFrame
    sessions: pd.DataFrame
    attendance: pd.DataFrame
    interventions: pd.DataFrame
    spread_events: pd.DataFrame
    talent: pd.DataFrame
    meetings: pd.DataFrame
    meeting_attendance: pd.DataFrame
    conflicts: pd.DataFrame
    compacts: pd.DataFrame
    drivers: pd.DataFrame
    observations: pd.DataFrame
    pdsa: pd.DataFrame
    milestones: pd.DataFrame
    adaptations: pd.DataFrame
    wins: pd.DataFrame
    actions: pd.DataFrame
    support_requests: pd.DataFrame
    responses: pd.DataFrame
    scores: pd.DataFrame
    ties: pd.DataFrame
    rosters: pd.DataFrame
    outcomes: pd.DataFrame
    denominators: pd.DataFrame
    admissions: pd.DataFrame
    risk_tiers: pd.DataFrame
    findings: pd.DataFrame
    costs: pd.DataFrame
    benefits: pd.DataFrame
    funding: pd.DataFrame
    stories: pd.DataFrame
    excerpts: pd.DataFrame
    codes: pd.DataFrame
    coders: pd.DataFrame
    selections: pd.DataFrame
    theory: pd.DataFrame
    rivals: pd.DataFrame
    burden: pd.DataFrame
    corrections: pd.DataFrame

    def __init__(self, contents: Contents, *, as_of: date | None = None) -> None:
        self._contents = contents
        self.as_of: date = as_of or contents.settings.as_of or _latest(contents)

    @classmethod
    def build(
        cls, *, settings: Settings, tables: Mapping[str, pd.DataFrame], truth: Mapping[str, Any] | None = None
    ) -> Programme:
        """A programme from frames that were never files, held to the same rules. Raises DataProblems."""
        contents, problems = in_memory(settings, tables, truth=truth)
        if len(problems):
            raise DataProblems(problems)
        return cls(contents)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> pd.DataFrame:
            if name in models():
                table = self._contents.tables.get(name)
                if name in self._contents.parts:
                    return pd.concat([empty(name), *self.parts(name)], ignore_index=True)
                return empty(name) if table is None else table.copy(deep=False)
            raise AttributeError(f"A programme has no {name!r}. Its tables: {', '.join(sorted(models()))}.")

    def has(self, table: str) -> bool:
        """Whether the table has any rows."""
        if table not in models():
            raise ValueError(f"No table is called {table!r}. Tables: {', '.join(sorted(models()))}.")
        if table in self._contents.parts:
            return self._contents.parts[table].rows > 0
        return table in self._contents.tables and len(self._contents.tables[table]) > 0

    def parts(self, table: str) -> Iterator[pd.DataFrame]:
        """A table in parts of at most 250,000 rows: how to go through `admissions`, which are never held whole.

        Asking for `programme.admissions` reads them all at once, which takes as much memory as they need.
        """
        if table in self._contents.parts:
            yield from self._contents.parts[table]
        elif self.has(table):
            yield getattr(self, table)

    @property
    def settings(self) -> Settings:
        """Everything programme.toml says."""
        return self._contents.settings

    @property
    def name(self) -> str:
        """What the programme is called."""
        return self.settings.name

    @property
    def title(self) -> str:
        """The name as it stands on every page and chart: invented data say so."""
        return f"{self.name} (FICTIONAL)" if self.fictional and "FICTIONAL" not in self.name else self.name

    @property
    def starts_on(self) -> date | None:
        """The day the programme began, where it is recorded."""
        return self.settings.starts_on

    @property
    def minimum_group(self) -> int:
        """The smallest group a figure is shown for."""
        return self.settings.minimum_group

    @property
    def audience(self) -> Audience:
        """Who the programme's reports are for unless one says otherwise."""
        return self.settings.audience

    @property
    def fictional(self) -> bool:
        """Whether the data were invented."""
        return self.settings.fictional

    @property
    def source(self) -> str:
        """Where published data come from."""
        return self.settings.source

    @property
    def plan(self) -> Plan:
        """What was declared before anyone looked."""
        return self.settings.plan

    @property
    def people_notes(self) -> Notes:
        """Who paid, evaluated, checked and signed."""
        return self.settings.people

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Questionnaires by id, with what [plan] declares."""
        return self._contents.instruments

    @property
    def measures(self) -> Mapping[str, Measure]:
        """Measures by id, with what [plan] declares."""
        return self._contents.measures

    @property
    def local(self) -> Mapping[str, tuple[str, ...]]:
        """What the folder itself described (instrument …, measure …, menu …), and how it differs from the shipped."""
        return self._contents.local

    @property
    def menus(self) -> Mapping[str, Menu]:
        """Lists of words by id: interventions, learning points, network forms and the like."""
        return self._contents.menus

    @property
    def log(self) -> tuple[str, ...]:
        """What was done to the data on the way in: corrections made, columns not kept, ids replaced."""
        return self._contents.log

    @property
    def truth(self) -> Mapping[str, Any] | None:
        """What was planted, where the data were invented with known truth."""
        return self._contents.truth

    @cached_property
    def hashes(self) -> Mapping[str, str]:
        """SHA-256 of each file, of each table in its canonical form where there was no file."""
        if self._contents.hashes:
            return self._contents.hashes
        tables = self._contents.tables
        return {
            f"{name}.csv": digest(to_csv_text(tables[name], name, self.instruments).encode()) for name in sorted(tables)
        }

    @cached_property
    def data_hash(self) -> str:
        """One SHA-256 over the files that hold data, equal when every one is; settings in TOML are no part of it."""
        tables = [f"{name} {found}\n" for name, found in sorted(self.hashes.items()) if not name.endswith(".toml")]
        return hashlib.sha256("".join(tables).encode()).hexdigest()

    def only(self, *, place: str | None = None, cohort: str | None = None) -> Programme:
        """The same programme with one place (and what lies in it), or one cohort, and what belongs to it.

        Kept: the teams there, their participants, every answer about those kept, the people who gave them, ties with
        both ends among the people kept, and the places' own figures and stories. A cohort keeps its teams' places and
        every comparison place. What was for all stays, also costs and funding, so they are not the part's share; what
        cannot be tied to anything kept is left out. Raises ValueError for an unknown place or cohort.
        """
        if (place is None) == (cohort is None):
            raise ValueError("Give a place or a cohort: programme.only(place=…) or programme.only(cohort=…).")
        teams, places = self.teams, self.places
        if place is not None:
            _known(place, places["place_id"], "place")
            kept = restriction.within(places, place)
            teams = teams[teams["place_id"].isin(kept)]
        else:
            _known(str(cohort), teams["cohort"], "cohort")
            teams = teams[teams["cohort"] == cohort]
            kept = {*teams["place_id"].dropna(), *places.loc[places["arm"] == "comparison", "place_id"]}
        held = self._contents.tables
        every = {name: held[name] if name in held else empty(name) for name in models()}
        found = restriction.restricted(every, set(teams["team_id"]), kept)
        tables = {name: frame for name, frame in found.items() if name in self._contents.tables}
        parts = {name: replace(found, places=frozenset(kept)) for name, found in self._contents.parts.items()}
        return Programme(replace(self._contents, tables=tables, parts=parts, hashes={}), as_of=self.as_of)

    def organisations_on(self, day: date) -> pd.Series[str]:
        """The organisation each person worked for on a day, by person_id; missing where they held no post then.

        Somebody with rows in `posts` worked where those say, both ends of a post included and of two at once the one
        taken up later; anybody else where `people` says. The organisation is the one the post was in, whatever it was
        merged into since: `successor` says into what.
        """
        return employers.on_day(self.people, self.posts, day)

    def successor(self, organisation_id: str, on: date | None = None) -> str:
        """The organisation that stands on a day (`as_of` unless given) for one that was merged, perhaps more than once.

        `valid_to` is an organisation's last day; where that is blank it stands until its successor begins. One that
        ended and has no successor is given back itself. Raises ValueError for an organisation nobody lists.
        """
        return employers.standing(self.organisations, organisation_id, on or self.as_of)

    def __repr__(self) -> str:
        return "\n".join([self.title, *(f"{label}: {words}" for label, words in portrait.lines(self))])

    def _repr_html_(self) -> str:
        lines = "".join(f"<dt>{escape(label)}</dt><dd>{escape(words)}</dd>" for label, words in portrait.lines(self))
        return f"<section><p><strong>{escape(self.title)}</strong></p><dl>{lines}</dl></section>"


def _latest(contents: Contents) -> date:
    """The latest day anything happened in the data; the programme's first day where nothing is dated."""
    days = [] if contents.settings.starts_on is None else [pd.Timestamp(contents.settings.starts_on)]
    days += [found.latest for found in contents.parts.values() if found.latest is not None]
    for table, frame in contents.tables.items():
        columns = schema(table).columns
        said = {name: column.metadata or {} for name, column in columns.items()}
        spans = {about["derived"]: frame[name].fillna(1) for name, about in said.items() if about["derived"]}
        for name in frame.select_dtypes("datetime"):
            happened = frame[name]
            if said[name]["form"] in ("month", "period"):  # it has happened when its last day has
                months = (
                    happened.dt.to_period("M") + spans.get(name, pd.Series(1, index=frame.index)).astype("int64") - 1
                )
                happened = months.dt.end_time
            if said[name]["happened"] and pd.notna(happened.max()):
                days.append(happened.max())
    return max(days).date()


def _known(name: str, names: pd.Series[str], kind: str) -> None:
    if name not in set(names.dropna()):
        raise ValueError(f"There is no {kind} {name!r}. {nearest(name, sorted(names.dropna().unique()))}")
