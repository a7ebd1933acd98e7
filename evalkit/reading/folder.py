"""A programme's folder or workbook on its way in: what is read first, what is made of it, the rules it must keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from data_schemas.catalogues import Misdescribed, nearest, read_toml
from evalkit.reading import exports, forms
from evalkit.reading.catalogued import Catalogues, described
from evalkit.reading.contents import Contents, digest
from evalkit.reading.corrections import Corrections
from evalkit.reading.in_parts import digest_of, long_tables
from evalkit.reading.pieces import SETTINGS_SHEET, Piece, Pieces, in_hand, take_apart
from evalkit.reading.planned import checked
from evalkit.reading.problems import Problems
from evalkit.reading.pseudonyms import key_for
from evalkit.reading.reads import Held, Read, joined, typed
from evalkit.reading.settings import THREE_LINES, Settings, settings
from evalkit.reading.settings_sheet import read_settings, says_anything
from evalkit.reading.sheets import Origin, Sheet

Reads = dict[str, list[Read]]


@dataclass(slots=True)
class Folder:
    """The files of one programme. `root` is the folder, or the workbook that holds everything."""

    root: Path
    files: Mapping[str, Path]
    problems: Problems
    catalogues: Catalogues = field(default_factory=Catalogues)
    log: list[str] = field(default_factory=list)

    def read(self) -> Contents | None:
        """Everything in the folder; None where nothing says what the programme is."""
        self.catalogues.add(self.files, self.problems)
        long = long_tables(self.files)
        apart = {path.name for paths in long.values() for path in paths}
        contents = {name: in_hand(path) for name, path in self.files.items() if name not in apart}
        found = self._from_toml()
        hashes = {
            name: digest(content) if isinstance(content, bytes) else digest_of(content)
            for name, content in contents.items()
        }
        hashes |= {path.name: digest_of(path) for paths in long.values() for path in paths}
        pieces = take_apart(contents, found.mapping if found else (), self.problems)
        del contents  # as large as the files themselves
        found = self._from_sheet(pieces) or found
        reads, mender = self._tables(pieces)
        self._exports(pieces, found, mender, reads)
        mender.left_over([piece.sheet.file for piece in pieces.found])
        if mender.made():
            self.log.append(f"Corrections made on the way in: {mender.made()}. The files are as they were.")
        tables = _renamed({table: joined(own) for table, own in reads.items()}, self.log)
        known = self.catalogues
        said = Contents(
            settings=found or Settings(name="", starts_on=date.min),
            tables={},
            instruments=known.instruments,
            measures=known.measures,
            menus=known.menus,
            local=known.local,
            truth=self._truth(),
            hashes=hashes,
        )
        said = checked(said, tables, self.problems, frozenset(pieces.unread), long)
        return replace(said, log=(*self.log, *said.log)) if found else None

    def _from_toml(self) -> Settings | None:
        path = self.files.get("programme.toml")
        if path is None:
            return None
        return described("programme.toml", path, lambda file: settings(read_toml(file)), self.problems)

    def _truth(self) -> Mapping[str, Any] | None:
        path = self.files.get("truth.toml")
        return described("truth.toml", path, read_toml, self.problems) if path else None

    def _from_sheet(self, pieces: Pieces) -> Settings | None:
        """The settings a workbook's own sheet holds."""
        sheets = [piece.sheet for piece in pieces.of("settings")]
        if "programme.toml" in self.files:
            for sheet in filter(says_anything, sheets):
                words = "Both programme.toml and this sheet say what the programme is."
                self.problems.add(sheet.file, words, "Keep one: blank the values here, or take programme.toml out.")
            return None
        if not sheets and (
            SETTINGS_SHEET in pieces.unread or (self.root.is_file() and not pieces.found and self.problems)
        ):
            return None  # it, or the workbook, could not be read, which has been said
        if len(sheets) == 1:
            return read_settings(sheets[0], self.problems)
        several = "Several sheets say what the programme is."
        if self.root.is_file():
            alone = "The workbook has no sheet programme."
            remedy = "Add it, with the columns setting and value, and the rows schema, name and starts_on."
        else:
            alone, remedy = "The folder has no programme.toml.", THREE_LINES
        file = self.root.name if self.root.is_file() else "programme.toml"
        self.problems.add(file, several if sheets else alone, "Keep one of them." if sheets else remedy)
        return None

    def _tables(self, pieces: Pieces) -> tuple[Reads, Corrections]:
        """Every table's sheets and forms, corrected and typed."""
        instruments = self.catalogues.instruments
        reads: Reads = {}
        own = [typed("corrections", piece.sheet, self.problems, {}) for piece in pieces.of("table", "corrections")]
        if own:
            reads["corrections"] = own
        mender = Corrections.of(pieces, joined(own) if own else None, self.problems)
        for piece in pieces.of("table"):
            if piece.name != "corrections":
                mended = mender.mend(piece.sheet, piece.name)
                reads.setdefault(piece.name, []).append(typed(piece.name, mended, self.problems, instruments))
        for piece in pieces.of("form"):
            mended = mender.mend(piece.sheet)
            instrument = forms.instrument_of(piece.name, instruments)
            if instrument is not None:
                long = forms.unfold(mended, instrument, self.problems)
                reads.setdefault("responses", []).append(typed("responses", long, self.problems, instruments))
            else:
                remedy = nearest(piece.name, instruments)
                self.problems.add(piece.sheet.file, "No instrument of this name is known.", remedy)
        return reads, mender

    def _exports(self, pieces: Pieces, found: Settings | None, mender: Corrections, reads: Reads) -> None:
        """The answers in exports, and those who gave them where nobody has listed them yet."""
        exported = pieces.of("export")
        if found is None or not exported:
            return
        key = self._key(found)
        for piece in exported:
            sheet = mender.mend(piece.sheet)
            for answered in self._unfolded(piece, sheet, key):
                self.log += [line for line in answered.log if line not in self.log]
                instruments = self.catalogues.instruments
                long = typed("responses", answered.responses, self.problems, instruments)
                reads.setdefault("responses", []).append(long)
                new = _unlisted(answered.respondents, reads)
                if len(new.rows):
                    reads.setdefault("respondents", []).append(typed("respondents", new, self.problems, {}))

    def _unfolded(self, piece: Piece, sheet: Sheet, key: bytes | None) -> list[exports.Answered]:
        """What each mapping of an exported sheet makes of it."""
        instruments, found = self.catalogues.instruments, []
        for said in piece.exports:
            if said.instrument not in instruments:
                words = f"[mapping.{said.name}] names no known instrument."
                remedy = nearest(said.instrument, instruments)
                self.problems.add("programme.toml", words, remedy, value=said.instrument)
                continue
            others = [
                heading
                for other in piece.exports
                if other is not said
                for heading in (*exports.headings(other), *other.drop)
            ]
            instrument = instruments[said.instrument]
            found.append(exports.unfold(sheet, said, instrument, key, self.problems, elsewhere=others))
        return found

    def _key(self, found: Settings) -> bytes | None:
        """The key that makes pseudonyms, where one is needed."""
        if not any(said.needs_key for said in found.mapping):
            return None
        try:
            return key_for(self.root if self.root.is_dir() else self.root.parent, found.pseudonyms)
        except Misdescribed as fault:
            self.problems.add("programme.toml", fault.problem, fault.remedy, value=fault.value)
            return None


def _unlisted(respondents: Sheet, reads: Mapping[str, list[Read]]) -> Sheet:
    """The respondents of an export whom neither people nor respondents list; the first that names one counts."""
    listed: set[Any] = set()
    for table in ("people", "respondents"):
        for read in reads.get(table, ()):
            listed |= set(read.frame.iloc[:, 0].dropna())
    ids = respondents.columns["respondent_id"].texts()
    new = np.array([id not in listed for id in ids], dtype=bool)
    origin = respondents.origin
    spread = {column: labels[new] for column, labels in origin.spread.items()}
    columns = {name: cells.at(new) for name, cells in respondents.columns.items()}
    return Sheet(columns, Origin(origin.file, origin.rows[new], origin.letters, spread))


def _renamed(tables: dict[str, Read], log: list[str]) -> dict[str, Read]:
    """Answers under a later id of a respondent counted under the first, as respondents' alias_of says."""
    if not {"respondents", "responses"} <= tables.keys():
        return tables
    listed = tables["respondents"].frame[["respondent_id", "alias_of"]].dropna()
    leads = dict(zip(listed["respondent_id"], listed["alias_of"], strict=True))
    if not leads:
        return tables
    first = {id: _first(id, leads) for id in leads}
    answers = tables["responses"]
    renamed = int(answers.frame["respondent_id"].isin(first).sum())
    held, frame = dict(answers.held), answers.frame.copy(deep=False)
    for column in ("respondent_id", "subject_id"):
        distinct = held[column].distinct
        held[column] = Held(distinct.map(lambda id: first.get(id, id)).astype("str"), held[column].which)
        frame[column] = held[column].distinct.array.take(held[column].which)
    log.append(f"{renamed} answers of respondents with a later id counted under their first (respondents, alias_of).")
    return {**tables, "responses": replace(answers, held=held, frame=frame)}


def _first(id: str, leads: Mapping[str, str]) -> str:
    """The id a chain of aliases begins with; a circle, a problem of its own, stops where it closes."""
    seen = {id}
    while id in leads and leads[id] not in seen:
        id = leads[id]
        seen.add(id)
    return id
