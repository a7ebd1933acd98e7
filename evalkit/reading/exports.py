"""What a form's website exports (Microsoft Forms, SmartSurvey), turned into answers by [mapping].

Names and addresses are dropped at the door: an address becomes a pseudonym or is not kept at all. Every other column is
mapped, dropped by name in the mapping, or named as a problem.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
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
    found = {_plain(heading): heading for heading in sheet.columns}
    log = _doors(sheet, said, found, elsewhere, problems)
    reader = _Reader(sheet, said, instrument, found, problems)
    who = reader.respondents(key)
    shared = reader.shared(who)
    long = folded_out(sheet, shared, reader.answers())
    blamed = {column: np.full(len(long.rows), heading, dtype=object) for column, heading in reader.blamed().items()}
    origin = replace(long.origin, spread={**long.origin.spread, **blamed})
    return Answered(Sheet(long.columns, origin), reader.people(who), log)


def _plain(text: str) -> str:
    """A heading or an option without the spaces and line ends websites put into them."""
    return " ".join(text.replace("\xa0", " ").split()).casefold()


def headings(said: Export) -> list[str]:
    """The columns an export's mapping reads."""
    columns = (said.respondent, said.subject, said.answered_on, said.organisation, said.level, said.place)
    return [*filter(None, columns), *said.items, *said.choices]


def _doors(
    sheet: Sheet, said: Export, found: Mapping[str, str], elsewhere: Collection[str], problems: Problems
) -> tuple[str, ...]:
    """What may not come in, what is left out by name, and what nobody spoke of."""
    named = headings(said)
    for heading in [*named, *said.drop]:
        if _plain(heading) not in found:
            words, remedy = f"[mapping.{said.name}] names a column that is not there.", nearest(heading, sheet.columns)
            problems.add(sheet.file, words, remedy, row=HEADING, value=heading)
    used = {_plain(heading) for heading in [*named, *elsewhere]}
    left_out = {_plain(heading) for heading in said.drop}
    private = [heading for plain, heading in found.items() if plain in PERSONAL]
    for plain, heading in found.items():
        if plain not in used | left_out | PERSONAL | TECHNICAL:
            remedy = f"Map it in [mapping.{said.name}.items], or add it to drop = […]."
            label = sheet.origin.label(heading)
            problems.add(sheet.file, "The mapping says nothing of this column.", remedy, row=HEADING, column=label)
    others = [found[plain] for plain in found if plain in (left_out | TECHNICAL) - used - PERSONAL]
    log = (
        (private, "not kept, because they tell who somebody is"),
        (others, "not read, because the mapping drops them or the website added them"),
    )
    return tuple(f"{sheet.file}: {why}: {', '.join(columns)}." for columns, why in log if columns)


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
        nameless = np.array([_plain(text) in UNNAMED for text in texts], dtype=np.bool_)
        rows = [f"{self.said.name}-{row:04d}" for row in self.sheet.rows]
        if self.said.respondent_is == "id":
            return coded(np.where(nameless, rows, texts).astype(object))
        stray = np.array(["@" not in text for text in texts], dtype=np.bool_) & ~nameless
        self._amiss(
            self.said.respondent, stray, "This is no address.", 'Mend it, or say respondent_is = "id".', hide=True
        )
        named = rows if key is None else [pseudonym(text, key) for text in texts]  # no key: a problem named elsewhere
        return coded(np.where(nameless, rows, named).astype(object))

    def shared(self, who: Cells) -> dict[str, Cells]:
        """What every answer of a row shares."""
        said, rows = self.said, len(self.sheet.rows)
        shared = {
            "respondent_id": who,
            "instrument": constant(self.instrument.id, rows),
            **{name: constant(getattr(said, name), rows) for name in ("subject_kind", "rater", "timing")},
        }
        about = self._column(said.subject, said.subjects)
        shared["subject_id"] = about or (constant(said.subject_id, rows) if said.subject_id else who)
        if said.wave is not None:
            shared["wave"] = constant(str(said.wave), rows)
        answered = self._column(said.answered_on)
        if answered is not None:
            days = np.array([_day(text, said.dates) for text in answered.distinct], dtype=object)
            shared["answered_on"] = Cells(days, answered.which)
        return shared

    def answers(self) -> list[tuple[str, str, Cells]]:
        """Each question's heading, its item and its answers."""
        labels = {_plain(label): f"{step:g}" for step, label in self.instrument.scale.labels.items()}
        meant = labels | {_plain(option): answer for option, answer in self.said.answers.items()}
        given: list[tuple[str, str, Cells]] = []
        for heading, item in self.said.items.items():
            cells = self._column(heading)
            if cells is not None:
                texts = [meant.get(_plain(text), text.strip()) for text in cells.distinct]
                given.append((self.found[_plain(heading)], item, Cells(np.array(texts, dtype=object), cells.which)))
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
        together = list(zip(*(cells.texts() for cells in kept.values()), strict=True))
        first = np.array([pair not in together[:at] for at, pair in enumerate(together)], dtype=bool)
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
        return {column: self.found.get(_plain(heading), heading) for column, heading in told.items() if heading}

    def _column(self, heading: str, meant: Mapping[str, str] | None = None) -> Cells | None:
        """A column by its heading, its words turned into those meant; None where there is none."""
        cells = self.sheet.columns.get(self.found.get(_plain(heading), "")) if heading else None
        if cells is None or not meant:
            return cells
        known = {_plain(word): id for word, id in meant.items()}
        for position, text in enumerate(cells.distinct):
            if text and _plain(text) not in known:
                remedy = f"Add it to [mapping.{self.said.name}], or mend the word."
                self._amiss(heading, cells.which == position, "The mapping does not say what this word means.", remedy)
        texts = [known.get(_plain(text), "") for text in cells.distinct]
        return Cells(np.array(texts, dtype=object), cells.which)

    def _ticked(self, heading: str, options: Mapping[str, str]) -> list[tuple[str, str, Cells]]:
        """A question with several answers to tick: each option an item, ticked or not; a blank cell answers none."""
        cells = self._column(heading)
        if cells is None:
            return []
        known = {_plain(option): item for option, item in options.items()}
        ticked = [{_plain(part) for part in text.split(";")} - {""} for text in cells.distinct]
        for position, chosen in enumerate(ticked):
            if chosen - known.keys():
                words = f"The mapping does not know the option {sorted(chosen - known.keys())[0]!r}."
                self._amiss(heading, cells.which == position, words, f"Add it to [mapping.{self.said.name}.choices].")
        columns = []
        for option, item in known.items():
            texts = [("yes" if option in chosen else "no") if chosen else "" for chosen in ticked]
            columns.append((self.found[_plain(heading)], item, Cells(np.array(texts, dtype=object), cells.which)))
        return columns

    def _amiss(self, heading: str, rows: NDArray[np.bool_], problem: str, remedy: str, *, hide: bool = False) -> None:
        """A problem in some cells of a column; what tells who somebody is, is not repeated in it."""
        label = self.sheet.origin.label(self.found.get(_plain(heading), heading))
        cells = self.sheet.columns[self.found[_plain(heading)]] if _plain(heading) in self.found else None
        for at in np.flatnonzero(rows):
            value = "" if hide or cells is None else cells.distinct[cells.which[at]]
            self.problems.add(self.sheet.file, problem, remedy, row=int(self.sheet.rows[at]), column=label, value=value)


def _work(said: Export) -> dict[str, str]:
    told = {"organisation_id": said.organisation, "level": said.level, "place_id": said.place}
    return {column: heading for column, heading in told.items() if heading}


def _day(text: str, dates: str) -> str:
    """The day of a moment; in figures only in the order the mapping declares, and left as it is otherwise."""
    if iso := re.match(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T][0-9:.]+Z?\Z", text):
        return iso[1]
    figures = re.match(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{2,4})( [0-9:]+( ?[AaPp][Mm])?)?\Z", text)
    if figures is None or not dates:
        return text
    first, second, year = int(figures[1]), int(figures[2]), int(figures[3])
    day, month = (first, second) if dates == "day first" else (second, first)
    return f"{year + 2000 if year < 100 else year:04d}-{month:02d}-{day:02d}"
