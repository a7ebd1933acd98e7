"""The files of a programme taken apart: each sheet as text, with what it holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from data_schemas.catalogues import nearest
from data_schemas.tables import models
from evalkit import menu as menu_files
from evalkit.reading import forms
from evalkit.reading.books import open_book
from evalkit.reading.catalogued import FOLDERS
from evalkit.reading.engine import engine
from evalkit.reading.mapping import Export
from evalkit.reading.parquet import SUFFIX, open_parquet
from evalkit.reading.problems import Problems
from evalkit.reading.sheets import SAVE_AS, Sheet, open_sheet

NOT_YET = {".xls", ".xlsm", ".xlsb", ".ods", ".tsv"}
"""Tables in a form this version does not read: never passed over in silence."""

SETTINGS_FILES = ("programme.toml", "measures.toml", "truth.toml")

SETTINGS_SHEET = "programme"
"""The sheet of a workbook that holds what programme.toml would say."""

SETTINGS_HEADINGS = ("setting", "value")
"""Its columns that are read."""


Opening = Callable[[Problems, Collection[str]], Sheet | None]
"""Opens a file as a sheet, given where problems go and the headings expected."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One sheet: a table's rows, forms of an instrument, an export some mappings read, or the settings."""

    kind: Literal["table", "form", "export", "settings"]
    name: str
    sheet: Sheet
    exports: tuple[Export, ...] = ()

    @property
    def table(self) -> str:
        """The table whose rows it holds as they are; blank for forms and exports, which become a table's."""
        return self.name if self.kind == "table" else ""


@dataclass(slots=True)
class Pieces:
    """The sheets found, and the tables whose file could not be read, so that nobody knows what they list.

    `broken`: the files of which something could not be read, which has been said.
    """

    found: list[Piece] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)

    def of(self, kind: str, name: str = "") -> list[Piece]:
        """Those of one kind, and of one name where it is given."""
        return [piece for piece in self.found if piece.kind == kind and name in ("", piece.name)]

    def lacks(self, file: str, name: str, exports: Sequence[Export]) -> None:
        """A file or sheet that could not be read: its table lists nobody knows what, and a nameless one may be any."""
        held = forms.part_of(name, models())[1].lower()
        self.unread |= {held} if held in models() or held == SETTINGS_SHEET else {*models(), SETTINGS_SHEET}
        self.unread |= {"responses", "respondents"} if exports else set()
        self.broken.add(file)


def files_in(folder: Path, problems: Problems) -> dict[str, Path]:
    """The files evalkit reads, by name; nothing outside the folder, and no table passed over in silence."""
    found: dict[str, Path] = {}
    inside = [path for name in FOLDERS for path in sorted((folder / name).glob("*.toml"))]
    own = sorted(folder.iterdir(), key=lambda path: (path.stem, path.name))  # responses before responses wave 3
    for path in [*own, *inside]:
        name = path.relative_to(folder).as_posix()
        suffix = path.suffix.lower()
        if path.name.startswith((".", "~$")) or (path.is_dir() and suffix != SUFFIX):
            continue
        if not path.resolve().is_relative_to(folder.resolve()):
            problems.add(name, "The file is a link to somewhere outside the folder.", "Put the file itself here.")
        elif path.is_dir():
            remedy = f"Put its files here, each under a name such as {path.stem} 2024{SUFFIX}."
            problems.add(name, "A table in Parquet is a file, and this is a folder.", remedy)
        elif suffix in (".csv", ".xlsx", SUFFIX) or path.parent != folder:
            found[name] = path
        elif suffix == ".toml":
            known = (*SETTINGS_FILES, *(f"{menu}.toml" for menu in menu_files.shipped()))
            if path.name in known:
                found[name] = path
            else:
                problems.add(name, "Nothing reads this file.", nearest(path.name, known))
        elif suffix in NOT_YET or (path.stem in models() and suffix != ".md"):
            problems.add(name, "Tables are read from CSV and Parquet files and Excel workbooks (.xlsx) only.", SAVE_AS)
    for name in _in_both_forms(found):
        words = "This table is here as CSV and as Parquet: its rows would count twice."
        problems.add(name, words, "Take one of the files out, or give all parts of the table in one form.")
        del found[name]
    return found


def _in_both_forms(files: Collection[str]) -> list[str]:
    """Parquet files of tables that are there in CSV too: nobody knows whether one was made of the other."""
    held = {file: forms.part_of(Path(file).stem, models()) for file in files}
    plain = {part for file, part in held.items() if part[0] and file.lower().endswith(".csv")}
    return [file for file, part in held.items() if part in plain and file.lower().endswith(SUFFIX)]


def in_hand(path: Path) -> bytes | Path:
    """What `take_apart` asks of a file: its bytes; of Parquet where it lies, for it is read column by column."""
    return path if path.suffix.lower() == SUFFIX else path.read_bytes()


def take_apart(contents: Mapping[str, bytes | Path], exports: Sequence[Export], problems: Problems) -> Pieces:
    """Every sheet of the CSV and Parquet files and workbooks, by their names; see `in_hand`."""
    pieces = Pieces()
    lying = [content for content in contents.values() if isinstance(content, Path)]
    with engine(*lying) if lying else nullcontext() as connection:
        for file, content in contents.items():
            is_table, is_book = file.lower().endswith((".csv", SUFFIX)), file.lower().endswith(".xlsx")
            mapped = _reading(file, None, exports)
            if (is_table or (is_book and len(contents) > 1)) and forms.is_copy(Path(file).stem) and not mapped:
                _name_copy(file, pieces, Path(file).stem, problems)
            elif isinstance(content, Path) and connection is not None:
                _table(pieces, file, partial(open_parquet, file, content, connection), exports, problems)
            elif is_table and isinstance(content, bytes):
                _table(pieces, file, partial(open_sheet, file, content), exports, problems)
            elif is_book and isinstance(content, bytes):
                _book(pieces, file, content, exports, problems)
    _name_absent(pieces, exports, problems)
    return pieces


def _table(pieces: Pieces, file: str, read: Opening, exports: Sequence[Export], problems: Problems) -> None:
    stem, mapped = Path(file).stem, _reading(file, "", exports)
    if not mapped and not forms.part_of(stem, models())[0]:
        _name_stranger(file, stem, problems)
        return
    sheet = read(problems, () if mapped else forms.headings_of(stem, models()))
    if sheet is None:
        pieces.lacks(file, stem, mapped)
    else:
        _sort_in(pieces, sheet, stem, mapped, problems)


def _book(pieces: Pieces, file: str, content: bytes, exports: Sequence[Export], problems: Problems) -> None:
    def headings(title: str) -> Collection[str]:
        if _reading(file, title, exports):
            return ()
        return SETTINGS_HEADINGS if _holds_settings(title) else forms.headings_of(title, models())

    book = open_book(file, content, problems, headings)
    if book is None:
        pieces.lacks(file, Path(file).stem, _reading(file, None, exports))
        return
    for title in book.unread:
        pieces.lacks(file, title, _reading(file, title, exports))
    for title, sheet in book.sheets.items():
        _sort_in(pieces, sheet, title, _reading(file, title, exports), problems)


def _holds_settings(title: str) -> bool:
    return title.strip().lower() == SETTINGS_SHEET


def _reading(file: str, title: str | None, exports: Sequence[Export]) -> tuple[Export, ...]:
    """The mappings that read this file, or this sheet of it; any of its sheets where `title` is None."""
    return tuple(said for said in exports if said.file == file and (title is None or said.sheet in ("", title)))


def _sort_in(pieces: Pieces, sheet: Sheet, name: str, exports: tuple[Export, ...], problems: Problems) -> None:
    kind, held = forms.part_of(name, models())
    if kind and sheet.origin.letters and not len(sheet.rows):
        return  # a sheet nobody has filled in is a table that is not there
    if exports:
        pieces.found.append(Piece("export", sheet.file, sheet, exports))
    elif forms.is_copy(name):
        _name_copy(sheet.file, pieces, name, problems)
    elif forms.is_export(name):
        _name_stranger(sheet.file, name, problems)
    elif _holds_settings(name) and sheet.origin.letters:
        pieces.found.append(Piece("settings", SETTINGS_SHEET, sheet))
    elif kind:
        pieces.found.append(Piece(kind, held, sheet))
    else:
        _name_stranger(sheet.file, name, problems)


def _name_copy(file: str, pieces: Pieces, name: str, problems: Problems) -> None:
    held = forms.part_of(name, models())[1]
    words = "This looks like a copy: its rows would count twice."
    problems.add(file, words, f"Take it out; if it holds other rows, rename it, such as {_plain(held)} wave 3.")
    pieces.lacks(file, name, ())


def _plain(name: str) -> str:
    return name if name in models() else "responses"


def _name_stranger(file: str, name: str, problems: Problems) -> None:
    if forms.is_export(name):
        words = "This looks like what a form's website exported, and nothing says what its columns are."
        remedy = "Describe it under [mapping] in programme.toml, or name it for what it holds, such as form icfat."
        problems.add(file, words, remedy)
        return
    remedy = f"{nearest(name, models())} Rename it, move it elsewhere, or describe it under [mapping]."
    problems.add(file, "No table of this name is known.", remedy)


def _name_absent(pieces: Pieces, exports: Sequence[Export], problems: Problems) -> None:
    """Mappings whose file is not here, or that fit several sheets of it."""
    for said in exports:
        fit = [piece for piece in pieces.found if said in piece.exports]
        if len(fit) > 1 or (not fit and said.file not in pieces.broken):
            words = "has several sheets" if fit else "is not here"
            remedy = 'Say which: sheet = "…".' if fit else "Put it beside programme.toml, or mend its name."
            problems.add("programme.toml", f"The file of [mapping.{said.name}] {words}.", remedy, value=said.file)
