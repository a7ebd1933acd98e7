"""A programme: its people, teams, places and everything said, done and counted about them, once it is known right."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from data_schemas.catalogues import nearest
from data_schemas.tables import models
from evalkit.errors import DataProblems
from evalkit.instrument import Instrument
from evalkit.measure import Measure
from evalkit.reading import Contents, Notes, Plan, Settings, digest, empty, in_memory, read_folder, to_csv_text
from evalkit.reading.rules import about
from evalkit.terms import Audience

__all__ = ["Notes", "Plan", "Programme", "Settings", "check", "load"]


def load(source: str | Path, *, as_of: date | None = None) -> Programme:
    """Read a programme's folder: `programme.toml` and any of the tables as CSV.

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
    teams: pd.DataFrame
    organisations: pd.DataFrame
    places: pd.DataFrame
    waves: pd.DataFrame
    events: pd.DataFrame
    responses: pd.DataFrame
    scores: pd.DataFrame
    ties: pd.DataFrame
    rosters: pd.DataFrame
    sessions: pd.DataFrame
    attendance: pd.DataFrame
    outcomes: pd.DataFrame
    denominators: pd.DataFrame
    stories: pd.DataFrame
    excerpts: pd.DataFrame
    codes: pd.DataFrame
    coders: pd.DataFrame

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
                return empty(name) if table is None else table.copy(deep=False)
            raise AttributeError(f"A programme has no {name!r}. Its tables: {', '.join(sorted(models()))}.")

    def has(self, table: str) -> bool:
        """Whether the table has any rows."""
        if table not in models():
            raise ValueError(f"No table is called {table!r}. Tables: {', '.join(sorted(models()))}.")
        return table in self._contents.tables and len(self._contents.tables[table]) > 0

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
    def local(self) -> tuple[str, ...]:
        """The instruments and measures the folder itself described."""
        return self._contents.local

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
        return {f"{name}.csv": digest(to_csv_text(tables[name], name).encode()) for name in sorted(tables)}

    @cached_property
    def data_hash(self) -> str:
        """One SHA-256 over the tables' hashes: equal when every table is."""
        tables = [f"{name} {found}\n" for name, found in sorted(self.hashes.items()) if name.endswith(".csv")]
        return hashlib.sha256("".join(tables).encode()).hexdigest()

    def only(self, *, place: str | None = None, cohort: str | None = None) -> Programme:
        """The same programme with one place (and what lies in it), or one cohort, and what belongs to it.

        Kept: the teams there, their participants, every answer about those kept, the people who gave them, ties with
        both ends among the people kept, and the places' own figures and stories. A cohort keeps its teams' places and
        every comparison place. What cannot be tied to anything kept is left out. Raises ValueError for an unknown
        place or cohort.
        """
        if (place is None) == (cohort is None):
            raise ValueError("Give a place or a cohort: programme.only(place=…) or programme.only(cohort=…).")
        teams, places = self.teams, self.places
        if place is not None:
            _known(place, places["place_id"], "place")
            kept = _within(places, place)
            teams = teams[teams["place_id"].isin(kept)]
        else:
            _known(str(cohort), teams["cohort"], "cohort")
            teams = teams[teams["cohort"] == cohort]
            kept = {*teams["place_id"].dropna(), *places.loc[places["arm"] == "comparison", "place_id"]}
        tables = _restricted(self, set(teams["team_id"]), kept)
        return Programme(replace(self._contents, tables=tables, hashes={}), as_of=self.as_of)

    def _answered(self) -> str:
        """How many leaders answered about themselves, wave by wave; nothing where none was asked."""
        own = self.responses[(self.responses["subject_kind"] == "person") & (self.responses["rater"] == "self")]
        own = own[own["answer"].notna() & (own["timing"] != "then")]
        by_wave = own.groupby("wave")["subject_id"].nunique()
        counts = ", ".join(f"{n} at wave {wave}" for wave, n in by_wave.items())
        return f"of themselves: {counts}, of {_count(len(self.participants), 'participant')}" if counts else ""

    def __repr__(self) -> str:
        return "\n".join([self.title, *(f"{label}: {words}" for label, words in self._lines())])

    def _repr_html_(self) -> str:
        lines = "".join(f"<dt>{escape(label)}</dt><dd>{escape(words)}</dd>" for label, words in self._lines())
        return f"<section><p><strong>{escape(self.title)}</strong></p><dl>{lines}</dl></section>"

    def _lines(self) -> list[tuple[str, str]]:
        """Who, where, when, what and what is missing: counts, never people."""
        arms = self.places["arm"]
        compared = int((arms == "comparison").sum())
        where = _count(len(arms), "place") + (f", {compared} of them for comparison" if compared else "")
        began = "start not recorded" if self.starts_on is None else f"began {_day(self.starts_on)}"
        when = f"{began}, {_count(len(self.waves), 'wave')}, data to {_day(self.as_of)}"
        who = _held(
            (self.participants, "participant", f" in {_count(len(self.teams), 'team')}"),
            (self.people, "person", f" from {_count(len(self.organisations), 'organisation')}"),
            (self.respondents, "unnamed form or other respondent", ""),
        )
        what = _held(
            (self.responses, "answer", _on(self.responses, "instrument")),
            (self.scores, "score", _on(self.scores, "instrument")),
            (self.outcomes, "figure", _on(self.outcomes, "measure")),
            (self.stories, "story", ""),
            (self.excerpts, "excerpt", ""),
        )
        lines = [
            ("Who", who or "nobody is listed"),
            ("Who answered", self._answered()),
            ("Where", where),
            ("When", when),
            ("What", what or "no answers and no figures"),
        ]
        lines = [(label, words) for label, words in lines if words]
        if self.local:
            lines.append(("Described by the folder itself", ", ".join(self.local)))
        if self.source:
            lines.append(("Source", self.source))
        missing = [name for name in models() if not self.has(name)]
        return [*lines, ("Missing", ", ".join(missing) or "no table is missing")]


def _latest(contents: Contents) -> date:
    """The latest day anything happened in the data; the programme's first day where nothing is dated."""
    days = [] if contents.settings.starts_on is None else [pd.Timestamp(contents.settings.starts_on)]
    for table, frame in contents.tables.items():
        for column in frame.select_dtypes("datetime"):
            said = about(table, str(column))
            latest = frame[column].max()
            if said["happened"] and pd.notna(latest):
                days.append(latest + pd.offsets.MonthEnd(0) if said["form"] == "month" else latest)
    return max(days).date()


def _within(places: pd.DataFrame, place: str) -> set[str]:
    """A place and every place that lies in it, however deep."""
    kept: set[str] = {place}
    while True:
        inner = set(places.loc[places["parent_id"].isin(kept), "place_id"]) - kept
        if not inner:
            return kept
        kept |= inner


def _known(name: str, names: pd.Series[str], kind: str) -> None:
    if name not in set(names.dropna()):
        raise ValueError(f"There is no {kind} {name!r}. {nearest(name, sorted(names.dropna().unique()))}")


def _restricted(programme: Programme, teams: set[str], places: set[str]) -> dict[str, pd.DataFrame]:
    """The rows that belong to the teams and places kept, table by table."""
    participants = programme.participants
    leaders = set(participants.loc[participants["team_id"].isin(teams), "participant_id"])
    organisations, sessions = programme.organisations, programme.sessions
    local = set(organisations.loc[organisations["place_id"].isin(places), "organisation_id"])
    open_to_all = sessions["team_id"].isna() & sessions["place_id"].isna()
    held = sessions[open_to_all | sessions["team_id"].isin(teams) | sessions["place_id"].isin(places)]
    told, said = (table[table["place_id"].isin(places)] for table in (programme.stories, programme.excerpts))
    sources = {*told["story_id"], *said["excerpt_id"]}
    subjects: dict[str, Collection[str]] = {
        "person": leaders,
        "team": teams,
        "place": places,
        "organisation": local,
        "session": set(held["session_id"]),
    }
    responses = _about(programme.responses, subjects)
    staff = programme.people
    people = (
        leaders | set(responses["respondent_id"]) | set(staff.loc[staff["organisation_id"].isin(local), "person_id"])
    )
    employers = local | set(staff.loc[staff["person_id"].isin(people), "organisation_id"].dropna())
    ids: dict[str, tuple[tuple[str, set[str]], ...]] = {
        "people": (("person_id", people),),
        "participants": (("participant_id", leaders),),
        "respondents": (("respondent_id", set(responses["respondent_id"])),),
        "teams": (("team_id", teams),),
        "organisations": (("organisation_id", employers),),
        "places": (("place_id", places),),
        "ties": (("from_id", people), ("to_id", people)),
        "rosters": (("person_id", people),),
        "attendance": (("session_id", set(held["session_id"])), ("person_id", people)),
        "outcomes": (("place_id", places),),
        "denominators": (("place_id", places),),
        "codes": (("source_id", sources),),
        "coders": (("source_id", sources),),
    }
    kept = {name: _with(getattr(programme, name), *wanted) for name, wanted in ids.items()}
    events = programme.events
    kept |= {"responses": responses, "scores": _about(programme.scores, subjects), "sessions": held}
    kept |= {"stories": told, "excerpts": said}
    kept |= {"events": events[events["place_id"].isna() | events["place_id"].isin(places)], "waves": programme.waves}
    return {name: frame.reset_index(drop=True) for name, frame in kept.items()}


def _with(table: pd.DataFrame, *wanted: tuple[str, set[str]]) -> pd.DataFrame:
    for column, ids in wanted:
        table = table[table[column].isin(ids)]
    return table


def _about(table: pd.DataFrame, subjects: Mapping[str, Collection[str]]) -> pd.DataFrame:
    """The rows whose subject is kept."""
    kept = pd.Series(False, index=table.index)
    for kind, ids in subjects.items():
        kept |= (table["subject_kind"] == kind) & table["subject_id"].isin(ids)
    return table[kept]


PLURALS = {"person": "people", "story": "stories", "unnamed form or other respondent": "unnamed forms or others"}


def _held(*tables: tuple[pd.DataFrame, str, str]) -> str:
    """How many rows of each, and what goes with them; empty tables are passed over."""
    return "; ".join(
        f"{_count(len(table), one, PLURALS.get(one, ''))}{rest}" for table, one, rest in tables if len(table)
    )


def _on(table: pd.DataFrame, column: str) -> str:
    return f" on {', '.join(sorted(table[column].unique()))}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"
