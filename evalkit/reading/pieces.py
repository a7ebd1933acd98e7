"""The files of a programme taken apart: each sheet as text, with what it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from data_schemas.catalogues import nearest
from data_schemas.tables import models
from evalkit import menu as menu_files
from evalkit.reading import forms
from evalkit.reading.books import open_book
from evalkit.reading.catalogued import FOLDERS
from evalkit.reading.mapping import Export
from evalkit.reading.problems import Problems
from evalkit.reading.sheets import SAVE_AS, Sheet, open_sheet

NOT_YET = {".xls", ".xlsm", ".xlsb", ".ods", ".parquet", ".tsv"}
"""Tables in a form this version does not read: never passed over in silence."""

SETTINGS_FILES = ("programme.toml", "measures.toml", "truth.toml")

SETTINGS_SHEET = "programme"
"""The sheet of a workbook that holds what programme.toml would say."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One sheet: a table's rows, forms of an instrument, an export some mappings read, or the settings."""

    kind: Literal["table", "form", "export", "settings"]
    name: str
    sheet: Sheet
    exports: tuple[Export, ...] = ()


@dataclass(slots=True)
class Pieces:
    """The sheets found, and the tables whose file could not be read, so that nobody knows what they list."""

    found: list[Piece]
    unread: set[str]

    def of(self, kind: str, name: str = "") -> list[Piece]:
        """Those of one kind, and of one name where it is given."""
        return [piece for piece in self.found if piece.kind == kind and name in ("", piece.name)]


def files_in(folder: Path, problems: Problems) -> dict[str, Path]:
    """The files evalkit reads, by name; nothing outside the folder, and no table passed over in silence."""
    found: dict[str, Path] = {}
    inside = [path for name in FOLDERS for path in sorted((folder / name).glob("*.toml"))]
    own = sorted(folder.iterdir(), key=lambda path: (path.stem, path.name))  # responses before responses wave 3
    for path in [*own, *inside]:
        name = path.relative_to(folder).as_posix()
        if path.name.startswith((".", "~$")) or path.is_dir():
            continue
        suffix = path.suffix.lower()
        if not path.resolve().is_relative_to(folder.resolve()):
            problems.add(name, "The file is a link to somewhere outside the folder.", "Put the file itself here.")
        elif suffix in (".csv", ".xlsx") or path.parent != folder:
            found[name] = path
        elif suffix == ".toml":
            known = (*SETTINGS_FILES, *(f"{menu}.toml" for menu in menu_files.shipped()))
            if path.name in known:
                found[name] = path
            else:
                problems.add(name, "Nothing reads this file.", nearest(path.name, known))
        elif suffix in NOT_YET or (path.stem in models() and suffix != ".md"):
            problems.add(name, "Tables are read from CSV files and Excel workbooks (.xlsx) only.", SAVE_AS)
    return found


def take_apart(contents: Mapping[str, bytes], exports: Sequence[Export], problems: Problems) -> Pieces:
    """Every sheet of the CSV files and workbooks, by their names."""
    pieces = Pieces([], set())
    for file, content in contents.items():
        stem = Path(file).stem
        if file.lower().endswith(".csv"):
            if not _known(file, stem, exports):
                _name_stranger(file, stem, problems)
                continue
            sheet = open_sheet(file, content, problems)
            if sheet is None:
                pieces.unread.add(forms.part_of(stem, models())[1])
            else:
                _sort_in(pieces, sheet, stem, _reading(file, "", exports), problems)
        elif file.lower().endswith(".xlsx"):
            for title, sheet in (open_book(file, content, problems) or {}).items():
                _sort_in(pieces, sheet, title, _reading(file, title, exports), problems)
    _name_absent(pieces, exports, problems)
    return pieces


def _known(file: str, stem: str, exports: Sequence[Export]) -> bool:
    return bool(forms.part_of(stem, models())[0] or _reading(file, "", exports))


def _reading(file: str, title: str, exports: Sequence[Export]) -> tuple[Export, ...]:
    """The mappings that read this file, or this sheet of it."""
    return tuple(said for said in exports if said.file == file and said.sheet in ("", title))


def _sort_in(pieces: Pieces, sheet: Sheet, name: str, exports: tuple[Export, ...], problems: Problems) -> None:
    kind, held = forms.part_of(name, models())
    if kind and sheet.origin.letters and not len(sheet.rows):
        return  # a sheet nobody has filled in is a table that is not there
    if exports:
        pieces.found.append(Piece("export", sheet.file, sheet, exports))
    elif name.strip().lower() == SETTINGS_SHEET and sheet.origin.letters:
        pieces.found.append(Piece("settings", SETTINGS_SHEET, sheet))
    elif kind:
        pieces.found.append(Piece(kind, held, sheet))
    else:
        _name_stranger(sheet.file, name, problems)


def _name_stranger(file: str, name: str, problems: Problems) -> None:
    remedy = f"{nearest(name, models())} Rename it, move it elsewhere, or describe it under [mapping]."
    problems.add(file, "No table of this name is known.", remedy)


def _name_absent(pieces: Pieces, exports: Sequence[Export], problems: Problems) -> None:
    """Mappings whose file is not here, or that fit several sheets of it."""
    for said in exports:
        fit = [piece for piece in pieces.found if said in piece.exports]
        if len(fit) != 1:
            words = "has several sheets" if fit else "is not here, or could not be read"
            remedy = 'Say which: sheet = "…".' if fit else "Put it beside programme.toml, or mend its name."
            problems.add("programme.toml", f"The file of [mapping.{said.name}] {words}.", remedy, value=said.file)
