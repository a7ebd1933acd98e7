"""A person taken out of a programme's folder, everywhere, and what must be written anew because of it.

What goes: every row about the person, every answer they gave or others gave about them, under every id of theirs
(`alias_of`), as corrections have put them right. Where a row is about something else and only names them (who owns an
action), the name alone goes. What stays: what was counted before (scores, published figures), and words somebody wrote
down, which hold no ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from data_schemas.tables import models, schema
from evalkit.errors import DataProblems, Refused
from evalkit.reading import Contents, read_folder
from evalkit.reading.parquet import SUFFIX
from evalkit.reading.pieces import Pieces, files_in, in_hand, take_apart
from evalkit.reading.problems import SHEET, Problems
from evalkit.reading.pseudonyms import key_for
from evalkit.withdrawal.cuts import Cut, Opened, Person, opened
from evalkit.withdrawal.files import csv_without, write_all
from evalkit.withdrawal.parquets import parquet_without
from evalkit.withdrawal.put_right import corrected, mender
from evalkit.withdrawal.reports import made_from
from evalkit.withdrawal.said import Withdrawn
from evalkit.withdrawal.who import every_id, find
from evalkit.withdrawal.workbooks import book_without

__all__ = ["Withdrawn", "withdraw"]


def withdraw(folder: str | Path, person: str, *, reports: str | Path = "reports", look: bool = False) -> Withdrawn:
    """Take a person out of every file of a programme's folder. With `look` nothing is written: it says what would be.

    `reports`: where bundles lie that may have been made from the data. Raises Refused where nothing holds the person or
    a file cannot be written (then none is), and DataProblems where the folder cannot be read as it is.
    """
    root = Path(folder).resolve()
    contents, problems = read_folder(root)
    if contents is None:
        raise DataProblems(problems)
    find(person, contents, root.name)
    ids = every_id(person, contents.tables.get("respondents"))
    files = files_in(root, Problems()) if root.is_dir() else {root.name: root}
    sheets = _opened(files, Person(ids, _key(contents, root)), contents)
    cut = [sheet for sheet in sheets if sheet.cut]
    if not cut:
        raise Refused(f"Nothing in {root.name} holds {person!r}.")
    written, changed = _written(files, cut)
    gone = {name: contents.hashes[name] for name in written}
    surely, perhaps = made_from(Path(reports), gone, contents.settings.name)
    if not look:
        write_all({files[name].resolve(): content for name, content in written.items()})
    return Withdrawn(
        ids=tuple(ids),
        rows={sheet.piece.sheet.file: len(sheet.cut.rows) for sheet in cut if sheet.cut.rows},
        cells={sheet.piece.sheet.file: len(sheet.cut.cells) for sheet in cut if sheet.cut.cells},
        reports=tuple(surely),
        may_hold=tuple(perhaps),
        changed=changed,
        by_hand=tuple(table for table in models() if _in_words(table) and len(contents.tables.get(table, ()))),
        mappings=_mappings(contents, ids),
    )


def _key(contents: Contents, root: Path) -> bytes | None:
    """The key that makes pseudonyms, where addresses become some."""
    if not any(said.needs_key for said in contents.settings.mapping):
        return None
    return key_for(root if root.is_dir() else root.parent, contents.settings.pseudonyms)


def _opened(files: Mapping[str, Path], person: Person, contents: Contents) -> list[Opened]:
    """Every sheet and what goes of it; corrections last, because they name rows of the others."""
    mapping = contents.settings.mapping
    pieces = take_apart({name: in_hand(path) for name, path in files.items()}, mapping, Problems())
    corrections = mender(pieces)
    found = [
        opened(piece, corrections.mend(piece.sheet, piece.table), person, contents.instruments)
        for piece in pieces.found
        if (piece.kind, piece.name) != ("table", "corrections") and piece.kind != "settings"
    ]
    return found + _corrections(pieces, found, person)


def _corrections(pieces: Pieces, others: Sequence[Opened], person: Person) -> list[Opened]:
    own = pieces.of("table", "corrections")
    return [Opened(piece, piece.sheet, corrected(piece.sheet, others, person, mender(pieces))) for piece in own]


def _written(files: Mapping[str, Path], cut: Sequence[Opened]) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The files anew, by name, and what else changes in them, in sentences."""
    by_file: dict[str, dict[str, Opened]] = {}
    for sheet in cut:
        file = sheet.piece.sheet.file
        name = max((name for name in files if file == name or file.startswith(f"{name}{SHEET}")), key=len)
        by_file.setdefault(name, {})[file.removeprefix(name).removeprefix(SHEET)] = sheet
    made: dict[str, bytes] = {}
    changed: tuple[str, ...] = ()
    for name, sheets in by_file.items():
        content = files[name].read_bytes()
        if files[name].suffix.lower() == SUFFIX:
            made[name] = parquet_without(files[name], sheets[""].cut, blank=sheets[""].stays_in_place)
        elif "" in sheets:
            made[name] = csv_without(content, sheets[""].cut, blank=sheets[""].stays_in_place)
        else:
            cuts: dict[str, Cut] = {title: sheet.cut for title, sheet in sheets.items()}
            made[name], more = book_without(name, content, cuts)
            changed += more
    return made, changed


def _mappings(contents: Contents, ids: Sequence[str]) -> tuple[str, ...]:
    """Mappings that name the person themselves: a word that means them, or the one all answers are about."""
    return tuple(
        said.name
        for said in contents.settings.mapping
        if said.subject_kind == "person" and {said.subject_id, *said.subjects.values()} & set(ids)
    )


def _in_words(table: str) -> bool:
    """Whether a table holds prose, other than names of things, in which somebody may be spoken of."""
    columns = schema(table).columns
    return any((column.metadata or {})["form"] == "prose" and name != "name" for name, column in columns.items())
