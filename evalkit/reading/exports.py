"""What a form's website exports (Microsoft Forms, SmartSurvey), turned into answers by [mapping].

Names and addresses are dropped at the door: an address becomes a pseudonym or is not kept at all. Every other column is
mapped, dropped by name in the mapping, or named as a problem.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_schemas.catalogues import nearest
from evalkit.instrument import Instrument
from evalkit.reading.forms import constant, folded_out
from evalkit.reading.mapping import Export
from evalkit.reading.problems import HEADING, Problems
from evalkit.reading.pseudonyms import pseudonym
from evalkit.reading.sheets import Cells, Origin, Sheet, coded

PERSONAL = frozenset({
    "email", "e-mail", "email address", "e-mail address", "name", "first name", "last name", "surname", "full name",
    "your name", "user name", "username", "ip address", "phone", "telephone", "mobile",
})  # fmt: skip
"""Headings of columns that tell who somebody is: never kept, whatever the mapping says of them."""

TECHNICAL = frozenset({
    "id", "start time", "completion time", "last modified time", "language", "total points", "quiz feedback",
    "userid", "userno", "unique id", "started", "ended", "tracking link", "collector", "device",
})  # fmt: skip
"""Headings these websites add by themselves; dropped where the mapping does not use them."""

COLUMNS = ("respondent", "subject", "answered_on", "organisation", "level", "place")
"""Settings of a mapping that name one column each."""

UNNAMED = ("", "anonymous")
"""What stands in the address column of a form that asked for none."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An export's answers, those who gave them, and what was done to it, in sentences."""

    responses: Sheet
    respondents: Sheet
    log: tuple[str, ...]


def unfold(
    sheet: Sheet,
    said: Export,
    instrument: Instrument,
    key: bytes | None,
    problems: Problems,
    *,
    elsewhere: Collection[str] = (),
) -> Answered:
    """A row an answer and a row a respondent.

    `key` is needed where addresses become pseudonyms; `elsewhere` are columns another mapping reads from the same file.
    """
    found = {plain(heading): heading for heading in sheet.columns}
    said = _without_personal(sheet, _askable(said, instrument, problems), found, problems)
    log = _doors(sheet, said, found, elsewhere, problems)
    reader = _Reader(sheet, said, instrument, found, problems)
    who = reader.respondents(key)
    shared = reader.shared(who, key)
    long = folded_out(sheet, shared, reader.answers())
    blamed = {column: np.full(len(long.rows), heading, dtype=object) for column, heading in reader.blamed().items()}
    origin = replace(long.origin, spread={**long.origin.spread, **blamed})
    return Answered(Sheet(long.columns, origin), reader.people(who), log)


def plain(text: str) -> str:
    """A heading or an option without the spaces and line ends websites put into them."""
    return " ".join(text.replace("\xa0", " ").split()).casefold()


def headings(said: Export) -> list[str]:
    """The columns an export's mapping reads."""
    return [*filter(None, (getattr(said, name) for name in COLUMNS)), *said.items, *said.choices]


def _doors(
    sheet: Sheet, said: Export, found: Mapping[str, str], elsewhere: Collection[str], problems: Problems
) -> tuple[str, ...]:
    """What may not come in, what is left out by name, and what nobody spoke of."""
    named = headings(said)
    _name_alike(sheet, problems)
    for heading in [*named, *said.drop]:
        if plain(heading) not in found:
            words, remedy = f"[mapping.{said.name}] names a column that is not there.", nearest(heading, sheet.columns)
            problems.add(sheet.file, words, remedy, row=HEADING, value=heading)
    used = {plain(heading) for heading in [*named, *elsewhere]}
    left_out = {plain(heading) for heading in said.drop}
    mine = {plain(heading) for heading in _pseudonymous(said)}
    private = [heading for key, heading in found.items() if key in PERSONAL - mine]
    for key, heading in found.items():
        if key not in used | left_out | PERSONAL | TECHNICAL:
            remedy = f"Map it in [mapping.{said.name}.items], or add it to drop = […]."
            label = sheet.origin.label(heading)
            problems.add(sheet.file, "The mapping says nothing of this column.", remedy, row=HEADING, column=label)
    others = [found[key] for key in found if key in (left_out | TECHNICAL) - used - PERSONAL]
    log = (
        ([found[key] for key in mine if key in found], "kept as pseudonyms only"),
        (private, "not kept, because they tell who somebody is"),
        (others, "not read, because the mapping drops them or the website added them"),
    )
    return tuple(f"{sheet.file}: {why}: {', '.join(columns)}." for columns, why in log if columns)


def _pseudonymous(said: Export) -> list[str]:
    """The columns whose addresses become pseudonyms."""
    told = ((said.respondent, said.respondent_is), (said.subject, said.subject_is))
    return [heading for heading, kind in told if heading and kind == "address"]


def _name_alike(sheet: Sheet, problems: Problems) -> None:
    """Two headings that differ by a space or a capital: nobody could say which one a mapping means."""
    seen: dict[str, str] = {}
    for heading in sheet.columns:
        if plain(heading) in seen:
            words = f"The heading is the same as {seen[plain(heading)]!r}, but for spaces or capitals."
            label = sheet.origin.label(heading)
            problems.add(sheet.file, words, "Rename or remove one of them.", row=HEADING, column=label)
        seen.setdefault(plain(heading), heading)


def _without_personal(sheet: Sheet, said: Export, found: Mapping[str, str], problems: Problems) -> Export:
    """The mapping without columns that tell who somebody is, each of which is named.

    They may become pseudonyms, or ids by a list; nothing else of them comes in.
    """
    allowed = {plain(heading) for heading in _pseudonymous(said)}
    allowed |= {plain(said.subject)} if said.subjects else set()
    refused = {plain(heading) for heading in headings(said)} & PERSONAL - allowed
    for key in sorted(refused):
        label = sheet.origin.label(found.get(key, key))
        words = f"[mapping.{said.name}] keeps a column that tells who somebody is."
        problems.add(sheet.file, words, "Take it out of the mapping.", row=HEADING, column=label)
    columns: dict[str, Any] = {name: "" for name in COLUMNS if plain(getattr(said, name)) in refused}
    items = {heading: item for heading, item in said.items.items() if plain(heading) not in refused}
    choices = {heading: known for heading, known in said.choices.items() if plain(heading) not in refused}
    return replace(said, **columns, items=items, choices=choices)


def _askable(said: Export, instrument: Instrument, problems: Problems) -> Export:
    """The mapping without what the instrument does not ask, which is named once."""
    items = {item.key for item in instrument.items}
    asked = {heading: item for heading, item in said.items.items() if item in items}
    ticked = {heading: known for heading, known in said.choices.items() if set(known.values()) <= items}
    for item in {*said.items.values(), *(item for known in said.choices.values() for item in known.values())} - items:
        words = f"[mapping.{said.name}] names an item {instrument.id} does not have."
        problems.add("programme.toml", words, nearest(item, items), value=item)
    if ticked and not {"yes", "no"} <= instrument.scale.codes.keys():
        words = f"[mapping.{said.name}.choices] ticks items that {instrument.id} does not answer with yes or no."
        problems.add("programme.toml", words, "Map the question under items instead.")
        ticked = {}
    dropped = [*said.items.keys() - asked.keys(), *said.choices.keys() - ticked.keys()]
    return replace(said, items=asked, choices=ticked, drop=(*said.drop, *dropped))


@dataclass(frozen=True, slots=True)
class _Reader:
    """One export on its way in."""

    sheet: Sheet
    said: Export
    instrument: Instrument
    found: Mapping[str, str]
    problems: Problems

    def respondents(self, key: bytes | None) -> Cells:
        """Who answered, row by row: a pseudonym, an id, or an unnamed form's own."""
        cells = self._column(self.said.respondent)
        texts: list[str] = cells.texts().tolist() if cells is not None else [""] * len(self.sheet.rows)
        nameless = np.array([plain(text) in UNNAMED for text in texts], dtype=np.bool_)
        rows = [f"{self.said.name}-{row:04d}" for row in self.sheet.rows]
        if self.said.respondent_is == "id":
            self._no_addresses(self.said.respondent, "Leave out respondent_is: then it becomes a pseudonym.")
            return coded(np.where(nameless, rows, texts).astype(object))
        named = rows if key is None else self._pseudonyms(self.said.respondent, texts, nameless, key)
        return coded(np.where(nameless, rows, named).astype(object))  # without a key, which is named elsewhere

    def _pseudonyms(self, heading: str, texts: list[str], blank: NDArray[np.bool_], key: bytes) -> list[str]:
        """Addresses as ids; what is no address is a problem that does not repeat it."""
        stray = np.array([ADDRESS.fullmatch(text.strip()) is None for text in texts], dtype=np.bool_) & ~blank
        remedy = "Write the address alone: no name, no sign before or after it, no letter that cannot be seen."
        self._amiss(heading, stray, "This is no address.", remedy, hide=True)
        return [pseudonym(text, key) for text in texts]

    def _no_addresses(self, heading: str, remedy: str) -> None:
        """An address in a column of ids would come in as it is."""
        cells = self._column(heading)
        if cells is not None:
            held = np.array(["@" in text for text in cells.distinct], dtype=np.bool_)[cells.which]
            self._amiss(heading, held, "An address stands where an id belongs.", remedy, hide=True)

    def _subject(self, who: Cells, key: bytes | None) -> Cells:
        """Whom the answers are about: everybody themselves, one for all, a list's id, or a pseudonym."""
        said = self.said
        if not said.subject:
            return constant(said.subject_id, len(self.sheet.rows)) if said.subject_id else who
        cells = self._column(said.subject, said.subjects)
        if cells is None:
            return who
        texts: list[str] = cells.texts().tolist()
        if said.subject_is == "address":
            blank = np.array([text == "" for text in texts], dtype=np.bool_)
            named = texts if key is None else self._pseudonyms(said.subject, texts, blank, key)
            return coded(np.where(blank, "", [""] * len(texts) if key is None else named).astype(object))
        if not said.subjects:
            self._no_addresses(said.subject, 'Say subject_is = "address": then it becomes a pseudonym.')
        return cells

    def shared(self, who: Cells, key: bytes | None) -> dict[str, Cells]:
        """What every answer of a row shares."""
        said, rows = self.said, len(self.sheet.rows)
        shared = {
            "respondent_id": who,
            "instrument": constant(self.instrument.id, rows),
            **{name: constant(getattr(said, name), rows) for name in ("subject_kind", "rater", "timing")},
        }
        shared["subject_id"] = self._subject(who, key)
        if said.wave is not None:
            shared["wave"] = constant(str(said.wave), rows)
        answered = self._column(said.answered_on)
        if answered is not None:
            shared["answered_on"] = self._days(said.answered_on, answered)
        return shared

    def _days(self, heading: str, answered: Cells) -> Cells:
        """The day of each moment; figures only in the order the mapping declares."""
        days = np.array([_day(text, self.said.dates) for text in answered.distinct], dtype=object)
        if not self.said.dates:
            unsaid = np.array([_FIGURES.match(text) is not None for text in answered.distinct], dtype=np.bool_)
            words = "Which of the figures is the day, and which the month, is not said."
            remedy = f'Write dates = "day first" (or "month first") under [mapping.{self.said.name}].'
            self._amiss(heading, unsaid[answered.which], words, remedy)
        return Cells(days, answered.which)

    def answers(self) -> list[tuple[str, str, Cells]]:
        """Each question's heading, its item and its answers."""
        labels = {plain(label): f"{step:g}" for step, label in self.instrument.scale.labels.items()}
        meant = labels | {plain(option): answer for option, answer in self.said.answers.items()}
        given: list[tuple[str, str, Cells]] = []
        for heading, item in self.said.items.items():
            cells = self._column(heading)
            if cells is not None:
                texts = [meant.get(plain(text), text.strip()) for text in cells.distinct]
                given.append((self.found[plain(heading)], item, Cells(np.array(texts, dtype=object), cells.which)))
        for heading, options in self.said.choices.items():
            given += self._ticked(heading, options)
        return given

    def people(self, who: Cells) -> Sheet:
        """A row a respondent: where they work and speak from, as far as the form asked."""
        said = self.said
        columns = {
            "respondent_id": who,
            "organisation_id": self._column(said.organisation, said.organisations),
            "level": self._column(said.level),
            "place_id": self._column(said.place, said.places),
        }
        kept = {name: cells for name, cells in columns.items() if cells is not None}
        together = pd.MultiIndex.from_arrays([cells.texts() for cells in kept.values()])
        first = ~together.duplicated()
        rows = self.sheet.rows[first]
        spread = {
            column: np.full(len(rows), heading, dtype=object)
            for column, heading in (self.blamed() | _work(said)).items()
            if column in kept
        }
        origin = Origin(self.sheet.file, rows, self.sheet.origin.letters, spread)
        return Sheet({name: cells.at(first) for name, cells in kept.items()}, origin)

    def blamed(self) -> dict[str, str]:
        """The heading under which a column of the answers table stood."""
        said = self.said
        told = {"respondent_id": said.respondent, "subject_id": said.subject, "answered_on": said.answered_on}
        return {column: self.found.get(plain(heading), heading) for column, heading in told.items() if heading}

    def _column(self, heading: str, meant: Mapping[str, str] | None = None) -> Cells | None:
        """A column by its heading, its words turned into those meant; None where there is none."""
        cells = self.sheet.columns.get(self.found.get(plain(heading), "")) if heading else None
        if cells is None or not meant:
            return cells
        known = {plain(word): id for word, id in meant.items()}
        for position, text in enumerate(cells.distinct):
            if text and plain(text) not in known:
                remedy = f"Add it to [mapping.{self.said.name}], or mend the word."
                self._amiss(heading, cells.which == position, "The mapping does not say what this word means.", remedy)
        texts = [known.get(plain(text), "") for text in cells.distinct]
        return Cells(np.array(texts, dtype=object), cells.which)

    def _ticked(self, heading: str, options: Mapping[str, str]) -> list[tuple[str, str, Cells]]:
        """A question with several answers to tick: each option an item, ticked or not; a blank cell answers none."""
        cells = self._column(heading)
        if cells is None:
            return []
        known = {plain(option): item for option, item in options.items()}
        ticked = [{plain(part) for part in text.split(";")} - {""} for text in cells.distinct]
        strange = np.array([bool(chosen - known.keys()) for chosen in ticked], dtype=np.bool_)[cells.which]
        words = "The mapping does not know one of the options; options are separated by semicolons."
        # what somebody wrote beside "Other" may tell who they are: it is not repeated
        self._amiss(heading, strange, words, f"Add it to [mapping.{self.said.name}.choices].", hide=True)
        columns = []
        for option, item in known.items():
            texts = [("yes" if option in chosen else "no") if chosen else "" for chosen in ticked]
            columns.append((self.found[plain(heading)], item, Cells(np.array(texts, dtype=object), cells.which)))
        return columns

    def _amiss(self, heading: str, rows: NDArray[np.bool_], problem: str, remedy: str, *, hide: bool = False) -> None:
        """A problem in some cells of a column; what tells who somebody is, is not repeated in it."""
        label = self.sheet.origin.label(self.found.get(plain(heading), heading))
        cells = self.sheet.columns[self.found[plain(heading)]] if plain(heading) in self.found else None
        for at in np.flatnonzero(rows):
            value = "" if hide or cells is None else cells.distinct[cells.which[at]]
            self.problems.add(self.sheet.file, problem, remedy, row=int(self.sheet.rows[at]), column=label, value=value)


def _work(said: Export) -> dict[str, str]:
    told = {"organisation_id": said.organisation, "level": said.level, "place_id": said.place}
    return {column: heading for column, heading in told.items() if heading}


ADDRESS = re.compile(
    r"[^\s<>;,:@\u00ad\u200b-\u200f\u2060\ufeff]+@[^\s<>;,:@\u00ad\u200b-\u200f\u2060\ufeff]+\.[a-zA-Z0-9-]+"
)
"""An address by itself: with a name or a sign beside it, one person would become two."""

_FIGURES = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{2,4})( [0-9:]+( ?[AaPp][Mm])?)?\Z")
_ISO = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T][0-9:.]+(Z|[+-][0-9]{2}:?[0-9]{2})?\Z")
_SPELT = re.compile(r"([0-9]{1,2})[ -]([A-Za-z]{3,9})[ -]([0-9]{4}|[0-9]{2})( [0-9:]+( ?[AaPp][Mm])?)?\Z")


def _day(text: str, dates: str) -> str:
    """The day of a moment; in figures only in the order the mapping declares, and left as it is otherwise.

    >>> _day("2024-03-05T10:20:15+00:00", ""), _day("05-Mar-24", ""), _day("5/3/24 10:20", "day first")
    ('2024-03-05', '05 Mar 2024', '2024-03-05')
    """
    if iso := _ISO.match(text):
        return iso[1]
    if spelt := _SPELT.match(text):
        return f"{spelt[1]} {spelt[2]} {_whole_year(spelt[3])}"
    figures = _FIGURES.match(text)
    if figures is None or not dates:
        return "" if figures is not None else text
    first, second = int(figures[1]), int(figures[2])
    day, month = (first, second) if dates == "day first" else (second, first)
    return f"{_whole_year(figures[3])}-{month:02d}-{day:02d}"


def _whole_year(year: str) -> str:
    return f"20{year}" if len(year) == 2 else f"{int(year):04d}"
