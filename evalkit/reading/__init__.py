"""Files in: CSV and Parquet files and workbooks with their settings become typed tables, or a list of every problem.

Every cell is read as text and parsed by the type its column declares, never by what it looks like. A blank cell is
missing; `NA` in a text column is text. Dates are 2026-03-31 (or 31 March 2026, or a date cell of Excel's); anything
else is a problem that says what it may have meant. Spaces around an id or a word are a problem, around prose they are
kept.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from data_schemas.catalogues import nearest
from data_schemas.tables import models, schema
from evalkit.reading.catalogued import FOLDERS, Catalogues
from evalkit.reading.contents import Contents, digest
from evalkit.reading.folder import Folder
from evalkit.reading.pieces import files_in
from evalkit.reading.plan import Plan
from evalkit.reading.planned import checked
from evalkit.reading.problems import Problems
from evalkit.reading.reads import missing, typed
from evalkit.reading.settings import Notes, Settings
from evalkit.reading.writing import as_sheet, to_csv_text

__all__ = ["Contents", "Notes", "Plan", "Settings", "digest", "empty", "in_memory", "read_folder", "to_csv_text"]


LARGE = 16 * 2**20
"""Bytes from which on a file is known by its size and time: reading it twice would cost more than it saves."""


def read_folder(source: str | Path) -> tuple[Contents | None, pd.DataFrame]:
    """The contents of a folder or workbook, and its problems; the contents are None when there is a problem."""
    problems = Problems()
    path = Path(source)
    if not path.exists():
        problems.add(path.name, "There is no such folder.", "Give the folder that holds programme.toml and the tables.")
    elif not path.is_dir() and path.suffix.lower() != ".xlsx":
        words = "This is neither a folder of tables nor an Excel workbook (.xlsx)."
        problems.add(path.name, words, "Give the folder that holds programme.toml and the tables.")
    else:
        contents, found = _read(path.resolve(), _fingerprint(path))
        return contents, found.copy()
    return None, problems.table()


@lru_cache(maxsize=2)
def _read(root: Path, fingerprint: str) -> tuple[Contents | None, pd.DataFrame]:
    """Read and checked once for every state of the files: the notebooks of one report all load the same folder."""
    problems = Problems()
    files = files_in(root, problems) if root.is_dir() else {root.name: root}
    contents = Folder(root, files, problems).read()
    return (None if problems else contents), problems.table()


def _fingerprint(root: Path) -> str:
    """Changes with the name or any byte of any file that is read."""
    hashed = hashlib.blake2b()
    inside = [path for name in FOLDERS for path in (root / name).glob("*")]
    for path in sorted([*root.iterdir(), *inside]) if root.is_dir() else [root]:
        hashed.update(f"{path.name}\n".encode())
        if path.is_file() and path.stat().st_size < LARGE:
            hashed.update(hashlib.blake2b(path.read_bytes()).digest())
        elif path.is_file():
            hashed.update(f"{path.stat().st_size} {path.stat().st_mtime_ns}\n".encode())
    hashed.update(_key(root))
    return hashed.hexdigest()


def _key(root: Path) -> bytes:
    """The key that makes pseudonyms, wherever programme.toml says it lies; nothing where no key can be read."""
    try:
        said = tomllib.loads((root / "programme.toml").read_text(encoding="utf-8-sig"))
        return Path(root, str(said["pseudonyms"]["key"])).read_bytes()
    except (OSError, ValueError, KeyError, TypeError):
        return b""


def in_memory(
    found: Settings, tables: Mapping[str, pd.DataFrame], *, truth: Mapping[str, Any] | None = None
) -> tuple[Contents, pd.DataFrame]:
    """The same rules for typed frames that were never files, and the problems found."""
    problems, catalogues = Problems(), Catalogues()
    read = {}
    for name, frame in tables.items():
        if name in models():
            sheet = as_sheet(name, frame, catalogues.instruments)
            read[name] = typed(name, sheet, problems, catalogues.instruments)
        else:
            problems.add(f"{name}.csv", "No table of this name is known.", nearest(name, models()))
    contents = Contents(found, {}, catalogues.instruments, catalogues.measures, catalogues.menus, truth=truth)
    return checked(contents, read, problems), problems.table()


def empty(table: str) -> pd.DataFrame:
    """The table without rows: every column, each of its type."""
    return pd.DataFrame({name: missing(table, name)[:0] for name in schema(table).columns})
