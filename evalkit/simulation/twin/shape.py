"""What a twin keeps of a programme: how its data are laid out and what was asked, and nothing of what was found.

This is the only part of the twin that sees the programme. Everything else is drawn from a `Shape` and a seed, so two
programmes of one shape have the same twin, whoever is in them and whatever they said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from data_schemas.tables import in_parts, models, references, schema
from evalkit.reading.between import SUBJECT_TABLES
from evalkit.reading.plan import Plan
from evalkit.reading.settings import Notes, Settings
from evalkit.simulation.twin.figures import Figures, figures
from evalkit.terms import Level

if TYPE_CHECKING:
    from evalkit.programme import Programme

STEP = 5
"""Numbers of rows are rounded up to a multiple of this, so that one person more or less seldom shows."""

PATIENTS = 1000
"""Rows of a table about single patients, however many there are: enough to write code on."""

DESIGN = (
    ("participants", "arm"),
    ("teams", "tier"),
    ("sessions", "intervention"),
    ("sessions", "theory"),
    ("attendance", "status"),
    ("interventions", "menu_code"),
    ("observations", "feature"),
    ("excerpts", "kind"),
    ("burden", "instrument"),
)
"""Columns of listed words that say how the programme or its evaluation is set up: which of the words are used is kept.
In every other column any of the words the column allows may stand, whichever were used."""

OCCASION = ["instrument", "edition", "subject_kind", "rater", "wave", "timing"]
SCORED = ["instrument", "edition", "subject_kind", "basis", "wave"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One instrument asked of one kind of rater about one kind of subject at one time.

    `sittings` and `subjects` are rounded up; of places, which are no people, the number is the true one. `by` are the
    kinds of people who answered, `about` the kinds answered about; `unnamed`: forms without a name were among them.
    """

    instrument: str
    edition: str | None
    subject_kind: str
    rater: str
    wave: int | None
    timing: str
    items: tuple[str, ...]
    sittings: int
    subjects: int
    by: tuple[str, ...]
    about: tuple[str, ...]
    unnamed: bool
    dated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Scores on one instrument of one kind of subject at one time; `organisations` 0: not one organisation's view."""

    instrument: str
    edition: str | None
    subject_kind: str
    basis: str
    wave: int | None
    domains: tuple[str, ...]
    subjects: int
    organisations: int
    levels: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Everything kept. `rows` are rounded up, and `unlisted` are numbers of ids that no table lists, rounded up too.

    `columns`: those of each table that hold anything. `kinds` and `arms`: people by kind (rounded up), places by arm
    ("" where none is said). `words`: which are used in the columns of `DESIGN`. `ties` by wave and relation, `rosters`
    by wave, `network` the kinds of people in both. `days`: the first and last day anything invented may fall on.
    """

    settings: Settings
    days: tuple[date, date]
    columns: Mapping[str, tuple[str, ...]]
    rows: Mapping[str, int]
    unlisted: Mapping[str, int]
    kinds: Mapping[str, int]
    arms: Mapping[str, int]
    words: Mapping[tuple[str, str], tuple[str, ...]]
    waves: Mapping[int, tuple[date | None, date | None]]
    asked: tuple[Asked, ...]
    scored: tuple[Scored, ...]
    outcomes: tuple[Figures, ...]
    denominators: tuple[Figures, ...]
    ties: Mapping[tuple[int, str], int]
    rosters: Mapping[int, int]
    network: tuple[str, ...]


def up(count: int) -> int:
    """A number rounded up to a multiple of five, and five at least.

    >>> up(0), up(5), up(6)
    (5, 5, 10)
    """
    return max(STEP, -(-count // STEP) * STEP)


def of(programme: Programme) -> Shape:
    """The shape of a programme."""
    columns = {table: _held(programme, table) for table in models() if programme.has(table)}
    frames = {table: getattr(programme, table) for table in columns if not in_parts(table)}
    said = settings(programme)
    kinds, arms = _counts(frames, "people", "kind"), _counts(frames, "places", "arm")
    rows = {table: up(len(frames[table])) if table in frames else PATIENTS for table in columns}
    if kinds:
        rows["people"] = sum(up(count) for count in kinds.values())
    if "alias_of" in columns.get("respondents", ()):
        rows["respondents"] = up(len(frames["respondents"])) + STEP  # one is an alias and answers nothing
    return Shape(
        settings=said,
        days=_days(said, frames),
        columns=columns,
        rows=rows | {table: len(frames[table]) for table in ("places", "waves") if table in frames},
        unlisted=_unlisted(frames),
        kinds={kind: up(count) for kind, count in kinds.items()},
        arms=arms,
        words=_words(programme, columns, frames),
        waves=_waves(programme.waves),
        asked=_asked(programme) if "responses" in frames else (),
        scored=_scored(programme) if "scores" in frames else (),
        outcomes=figures(frames["outcomes"], frames.get("places")) if "outcomes" in frames else (),
        denominators=figures(frames["denominators"], frames.get("places")) if "denominators" in frames else (),
        ties={_tie(at): up(len(own)) for at, own in programme.ties.groupby(["wave", "relation"])},
        rosters={wave: up(programme.rosters["wave"].eq(wave).sum()) for wave in _numbers(programme.rosters["wave"])},
        network=_network(programme),
    )


def settings(programme: Programme) -> Settings:
    """The programme's settings without its name and without a word anybody wrote.

    A day the data speak of that nobody declared is the day of something that happened, so the end of its month stands
    instead. `rebase` is left out: it is decided once a series was seen, and its months tell when something
    happened. So are meetings and those who watch, whom somebody named.
    """
    end = (pd.Timestamp(programme.as_of) + pd.offsets.MonthEnd(0)).date()
    plan, notes = programme.plan, programme.people_notes
    return Settings(
        name="Twin of a programme",
        starts_on=programme.starts_on,
        as_of=programme.settings.as_of or end,
        minimum_group=programme.minimum_group,
        audience=programme.audience,
        fictional=True,
        source="Invented: nothing here was observed.",
        agreed_open="Invented: as if it had been agreed (FICTIONAL)." if programme.settings.agreed_open else "",
        retention="Invented data may be kept (FICTIONAL)." if programme.settings.retention else "",
        plan=replace(
            plan,
            agreed_with="Somebody (FICTIONAL)" if plan.agreed_with else "",
            meetings={},
            watch={},
            primary={key: name for key, name in plan.primary.items() if key in list(Level)},
            families={f"family {at}": names for at, names in enumerate(plan.families.values(), start=1)},
            informant=plan.informant if plan.informant in allowed("responses", "rater") else "",
            rebase={},
        ),
        people=Notes(**{part: "Somebody (FICTIONAL)" for part in Notes.__dataclass_fields__ if getattr(notes, part)}),
    )


def allowed(table: str, column: str) -> tuple[Any, ...]:
    """The words a column is limited to by its model; none where it is not."""
    said = [check.statistics.get("allowed_values", ()) for check in schema(table).columns[column].checks]
    return tuple(word for words in said for word in words)


def without_plan(said: Shape) -> Shape:
    """The same, nothing being declared beforehand."""
    return replace(said, settings=replace(said.settings, plan=Plan()))


def _held(programme: Programme, table: str) -> tuple[str, ...]:
    """The columns in which anything stands, those worked out from others aside."""
    held: set[str] = set()
    for part in programme.parts(table):
        held |= {str(name) for name in part if part[name].notna().any()}
    columns = schema(table).columns.items()
    return tuple(name for name, column in columns if name in held and not (column.metadata or {})["derived"])


def _days(said: Settings, frames: Mapping[str, pd.DataFrame]) -> tuple[date, date]:
    """From the programme's first day, or where nobody knows it the first wave or two years before the end."""
    assert said.as_of is not None
    opened = frames["waves"]["opens_on"].min() if "waves" in frames else pd.NaT
    first = said.starts_on or (None if pd.isna(opened) else opened.date())
    first = first or (pd.Timestamp(said.as_of) - pd.DateOffset(years=2)).date()
    return min(first, said.as_of), said.as_of


def _counts(frames: Mapping[str, pd.DataFrame], table: str, column: str) -> dict[str, int]:
    """Rows by the words of a column, in the order its model lists them, blanks last."""
    if table not in frames:
        return {}
    found = frames[table][column].fillna("").value_counts()
    return {word: int(found[word]) for word in (*allowed(table, column), "") if word in found.index}


def _words(
    programme: Programme, columns: Mapping[str, tuple[str, ...]], frames: Mapping[str, pd.DataFrame]
) -> dict[tuple[str, str], tuple[str, ...]]:
    """The words used in the columns of DESIGN. All are words of a list; of questionnaires nobody checked that."""
    held = [(table, column) for table, column in DESIGN if column in columns.get(table, ())]
    found = {(table, column): sorted(frames[table][column].dropna().unique()) for table, column in held}
    known = programme.instruments
    return {at: tuple(word for word in words if at[0] != "burden" or word in known) for at, words in found.items()}


def _unlisted(frames: Mapping[str, pd.DataFrame]) -> dict[str, int]:
    """How many ids are used of each kind that no table lists."""
    used: dict[str, set[str]] = {}
    for table, frame in frames.items():
        for column, targets in references(table).items():
            if not frames.keys() & set(targets):
                used.setdefault(targets[0], set()).update(frame[column].dropna().astype("str"))
        if "subject_kind" in frame:
            for kind, own in frame.groupby("subject_kind"):
                if SUBJECT_TABLES[str(kind)] not in frames:
                    used.setdefault(SUBJECT_TABLES[str(kind)], set()).update(own["subject_id"].dropna())
    return {table: up(len(ids)) for table, ids in used.items() if ids}


def _waves(waves: pd.DataFrame) -> dict[int, tuple[date | None, date | None]]:
    """Each wave's number and days: they are planned, and nobody's."""
    rows = waves.sort_values("wave")[["wave", "opens_on", "closes_on"]].itertuples(index=False)
    return {int(wave): (_day(opens), _day(closes)) for wave, opens, closes in rows}


def _day(moment: Any) -> date | None:
    return None if pd.isna(moment) else pd.Timestamp(moment).date()


def _numbers(waves: pd.Series[int]) -> list[int]:
    return sorted(int(wave) for wave in waves.dropna().unique().tolist())


def _tie(key: Any) -> tuple[int, str]:
    return int(key[0]), str(key[1])


def _kinds(programme: Programme, ids: pd.Series[str]) -> tuple[str, ...]:
    """The kinds of people these ids stand for, in the model's order."""
    people = programme.people
    found = set(people.loc[people["person_id"].isin(ids), "kind"])
    return tuple(kind for kind in allowed("people", "kind") if kind in found)


def _network(programme: Programme) -> tuple[str, ...]:
    ends = [programme.rosters["person_id"], programme.ties["from_id"], programme.ties["to_id"]]
    return _kinds(programme, pd.concat(ends))


def _count(kind: str, ids: pd.Series[str]) -> int:
    """How many subjects there are: places counted, everybody else rounded up."""
    return ids.nunique() if kind == "place" else up(ids.nunique())


def _asked(programme: Programme) -> tuple[Asked, ...]:
    unnamed = programme.respondents["respondent_id"]
    found = []
    for key, own in programme.responses.groupby(OCCASION, dropna=False):
        occasion = _plain(OCCASION, key)
        pairs = own[["respondent_id", "subject_id"]].drop_duplicates()
        items = set(own["item"])
        found.append(
            Asked(
                **occasion,
                items=tuple(
                    item.key for item in programme.instruments[occasion["instrument"]].items if item.key in items
                ),
                sittings=up(len(pairs)),
                subjects=_count(occasion["subject_kind"], pairs["subject_id"]),
                by=_kinds(programme, pairs["respondent_id"]),
                about=_kinds(programme, pairs["subject_id"]) if occasion["subject_kind"] == "person" else (),
                unnamed=bool(pairs["respondent_id"].isin(unnamed).any()),
                dated=bool(own["answered_on"].notna().any()),
            )
        )
    return tuple(found)


def _scored(programme: Programme) -> tuple[Scored, ...]:
    found = []
    for key, own in programme.scores.groupby(SCORED, dropna=False):
        group = _plain(SCORED, key)
        found.append(
            Scored(
                **group,
                domains=tuple(sorted(own["domain"].unique())),
                subjects=_count(group["subject_kind"], own["subject_id"]),
                organisations=up(own["organisation_id"].nunique()) if own["organisation_id"].notna().any() else 0,
                levels=bool(own["level"].notna().any()),
            )
        )
    return tuple(found)


def _plain(names: list[str], key: Any) -> dict[str, Any]:
    """A group's key by name, what is blank being None."""
    said = {name: None if pd.isna(value) else value for name, value in zip(names, key, strict=True)}
    return said | {"wave": None if said["wave"] is None else int(said["wave"])}
