"""Files in: a folder of CSV files and settings becomes typed tables, or a list of every problem in it.

Every cell is read as text and parsed by the type its column declares, never by what it looks like. A blank cell is
missing; `NA` in a text column is text. Dates are 2026-03-31 (or 31 March 2026); anything else is a problem that says
what it may have meant. Spaces around an id or a word are a problem, around prose they are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from data_schemas.catalogues import Misdescribed, nearest, read_toml
from data_schemas.tables import models
from evalkit import instrument as instrument_files
from evalkit import measure as measure_files
from evalkit.instrument import Instrument
from evalkit.measure import Measure
from evalkit.reading import cells
from evalkit.reading.problems import HEADING, Problems
from evalkit.reading.rules import Between, Read, about, check_table, schema
from evalkit.reading.settings import THREE_LINES, Notes, Plan, Settings, settings
from evalkit.reading.sheets import SAVE_AS, Cells, Sheet, open_sheet

__all__ = ["Contents", "Notes", "Plan", "Settings", "digest", "empty", "in_memory", "read_folder", "to_csv_text"]

NOT_YET = {".xlsx", ".xls", ".xlsm", ".ods", ".parquet", ".tsv"}
"""Tables in a form this version does not read: never passed over in silence."""

Said = TypeVar("Said")

SETTINGS_FILES = ("programme.toml", "measures.toml", "truth.toml")


@dataclass(frozen=True, slots=True)
class Contents:
    """What a folder holds once it is read and found right."""

    settings: Settings
    tables: Mapping[str, pd.DataFrame]
    instruments: Mapping[str, Instrument]
    measures: Mapping[str, Measure]
    local: tuple[str, ...] = ()
    truth: Mapping[str, Any] | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)


def read_folder(source: str | Path) -> tuple[Contents | None, pd.DataFrame]:
    """A folder's contents and its problems; the contents are None when there is a problem."""
    problems = Problems()
    folder = Path(source)
    if not folder.is_dir():
        words = "There is no such folder." if not folder.exists() else "This is a file, not a folder of tables."
        problems.add(folder.name, words, "Give the folder that holds programme.toml and the tables as CSV.")
        return None, problems.table()
    contents, found = _read(folder.resolve(), _fingerprint(folder))
    return contents, found.copy()


@lru_cache(maxsize=2)
def _read(folder: Path, fingerprint: str) -> tuple[Contents | None, pd.DataFrame]:
    """Read and checked once for every state of the files: the notebooks of one report all load the same folder."""
    problems = Problems()
    contents = _Folder(_files(folder, problems), problems).read()
    return (None if problems else contents), problems.table()


def _fingerprint(folder: Path) -> str:
    """Changes with the name or any byte of any file in the folder or its instruments."""
    hashed = hashlib.blake2b()
    for path in sorted([*folder.iterdir(), *(folder / "instruments").glob("*")]):
        hashed.update(f"{path.relative_to(folder)}\n".encode())
        if path.is_file():
            hashed.update(hashlib.blake2b(path.read_bytes()).digest())
    return hashed.hexdigest()


def in_memory(
    found: Settings, tables: Mapping[str, pd.DataFrame], *, truth: Mapping[str, Any] | None = None
) -> tuple[Contents, pd.DataFrame]:
    """The same rules for typed frames that were never files, and the problems found."""
    problems = Problems()
    known = [name for name in tables if _is_known(name, problems)]
    read = {name: _typed(name, _as_sheet(name, tables[name]), problems) for name in known}
    contents = Contents(found, {}, instrument_files.shipped(), measure_files.shipped(), truth=truth)
    return _checked(contents, read, problems), problems.table()


def empty(table: str) -> pd.DataFrame:
    """The table without rows: every column, each of its type."""
    kinds = {name: cells.kind_of(column.dtype) for name, column in schema(table).columns.items()}
    return pd.DataFrame({name: _missing(kind, 0) for name, kind in kinds.items()})


def to_csv_text(frame: pd.DataFrame, table: str) -> str:
    """The table as CSV in its one canonical form: reading it again gives the same frame.

    UTF-8, a comma between cells, LF after each row, ISO dates, yes and no; the model's columns in the model's order,
    without optional columns that are wholly blank.
    """
    columns = schema(table).columns
    kept = [
        name for name, column in columns.items() if name in frame and (column.required or frame[name].notna().any())
    ]
    written = [
        cells.texts(frame[name], kind=cells.kind_of(columns[name].dtype), form=about(table, name)["form"])
        for name in kept
    ]
    return "".join(",".join(record) + "\n" for record in (kept, *zip(*written, strict=True)))


def digest(content: bytes) -> str:
    """SHA-256 of a file, whatever byte-order mark and line ends it was saved with."""
    return hashlib.sha256(content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")).hexdigest()


def _files(folder: Path, problems: Problems) -> dict[str, Path]:
    """The files evalkit reads, by name; nothing outside the folder, and no table passed over in silence."""
    found: dict[str, Path] = {}
    inside = sorted((folder / "instruments").glob("*.toml"))
    for path in [*sorted(folder.iterdir()), *inside]:
        name = path.relative_to(folder).as_posix()
        if path.name.startswith((".", "~$")) or path.is_dir():
            continue
        if not path.resolve().is_relative_to(folder.resolve()):
            problems.add(name, "The file is a link to somewhere outside the folder.", "Put the file itself here.")
        elif path.suffix.lower() == ".csv" or path.parent != folder:
            found[name] = path
        elif path.suffix.lower() == ".toml":
            if path.name in SETTINGS_FILES:
                found[name] = path
            else:
                problems.add(name, "Nothing reads this file.", nearest(path.name, SETTINGS_FILES))
        elif path.suffix.lower() in NOT_YET or (path.stem in models() and path.suffix.lower() != ".md"):
            problems.add(name, "This version reads tables as CSV only.", f"Save each sheet as CSV. {SAVE_AS}")
    return found


@dataclass(frozen=True, slots=True)
class _Folder:
    """The files of one folder on their way in."""

    files: Mapping[str, Path]
    problems: Problems

    def read(self) -> Contents | None:
        found = self._settings()
        instruments, measures = instrument_files.shipped(), measure_files.shipped()
        local = self._local(instruments, measures)
        hashes: dict[str, str] = {}
        tables: dict[str, Read] = {}
        unread: set[str] = set()
        for name, path in self.files.items():
            content = path.read_bytes()
            hashes[name] = digest(content)
            if path.suffix.lower() == ".csv" and _is_known(path.stem, self.problems):
                sheet = open_sheet(name, content, self.problems)
                if sheet is None:
                    unread.add(path.stem)
                else:
                    tables[path.stem] = _typed(path.stem, sheet, self.problems)
        placeholder = found or Settings(name="", starts_on=date.min)
        contents = Contents(placeholder, {}, instruments, measures, local, self._truth(), hashes)
        contents = _checked(contents, tables, self.problems, frozenset(unread))
        return contents if found else None

    def _settings(self) -> Settings | None:
        if "programme.toml" not in self.files:
            self.problems.add("programme.toml", "The folder has no programme.toml.", THREE_LINES)
            return None
        return self._described("programme.toml", lambda path: settings(read_toml(path)))

    def _truth(self) -> Mapping[str, Any] | None:
        return self._described("truth.toml", read_toml) if "truth.toml" in self.files else None

    def _described(self, name: str, read: Callable[[Path], Said]) -> Said | None:
        """What a TOML file says, or None and its fault among the problems."""
        try:
            return read(self.files[name])
        except Misdescribed as fault:
            self.problems.add(name, fault.problem, fault.remedy, value=fault.value)
            return None

    def _local(self, instruments: dict[str, Instrument], measures: dict[str, Measure]) -> tuple[str, ...]:
        """The folder's own instruments and measures, which add to the shipped ones or take their place."""
        own: list[str] = []
        for name in self.files:
            if name.startswith("instruments/"):
                found = self._described(name, lambda path: instrument_files.build(instrument_files.adapt(path)))
                if found is not None:
                    own.append(f"instrument {found.id}")
                    instruments[found.id] = found
        if "measures.toml" in self.files:
            adds = self._described("measures.toml", measure_files.read) or {}
            own += [f"measure {name}" for name in adds]
            measures |= adds
        return tuple(own)


def _is_known(table: str, problems: Problems) -> bool:
    """Whether a table of this name exists; a table nobody knows is a problem, not a thing to pass over."""
    if table in models():
        return True
    remedy = f"{nearest(table, models())} Rename the file, or move it elsewhere."
    problems.add(f"{table}.csv", "No table of this name is known.", remedy)
    return False


def _typed(table: str, sheet: Sheet, problems: Problems) -> Read:
    """Text columns to typed ones, by the model; unknown and missing columns named once each."""
    file, columns = f"{table}.csv", schema(table).columns
    for name in sheet.columns:
        if name not in columns:
            remedy = f"{nearest(name, list(columns))} Rename the column or remove it."
            problems.add(file, "No column of this name is known in this table.", remedy, row=HEADING, column=name)
    frame: dict[str, Any] = {}
    for name, column in columns.items():
        kind = cells.kind_of(column.dtype)
        held = sheet.columns.get(name)
        frame[name] = _missing(kind, len(sheet.rows)) if held is None else _column(table, name, held, sheet, problems)
        if held is None and column.required:
            remedy = f"Add a column headed {name}: {column.description}"
            problems.add(file, "A column this table needs is missing.", remedy, row=HEADING, column=name)
    absent = frozenset(name for name, column in columns.items() if column.required and name not in sheet.columns)
    return Read(file, pd.DataFrame(frame, copy=False), sheet.rows, absent)


def _column(table: str, name: str, held: Cells, sheet: Sheet, problems: Problems) -> Any:
    kind = cells.kind_of(schema(table).columns[name].dtype)
    values, faults = cells.parse(held.distinct, kind=kind, form=about(table, name)["form"])
    for position, (problem, remedy) in faults.items():
        rows = sheet.rows[held.which == position]
        texts = [held.distinct[position]] * len(rows)
        problems.add_rows(f"{table}.csv", problem, remedy, rows=rows, column=name, values=texts)
    return values.take(held.which)


def _missing(kind: str, length: int) -> Any:
    """A column of a type with nothing in it."""
    nothing = np.array([""], dtype=object)
    return cells.parse(nothing, kind=kind, form="")[0].take(np.zeros(length, dtype="int64"))


def _as_sheet(table: str, frame: pd.DataFrame) -> Sheet:
    """A typed frame as its CSV file would be, so that memory and files obey one set of rules."""
    columns, held = schema(table).columns, {}
    for name, values in frame.items():
        kind = cells.kind_of(columns[name].dtype) if name in columns else "text"
        form = about(table, str(name))["form"] if name in columns else ""
        which, distinct = pd.factorize(values)
        texts = [cells.written(value, kind=kind, form=form) for value in distinct]
        held[str(name)] = Cells(np.array([*texts, ""], dtype=object), np.where(which < 0, len(texts), which))
    return Sheet(held, np.arange(len(frame), dtype="int64") + HEADING + 1)


def _checked(
    contents: Contents, tables: Mapping[str, Read], problems: Problems, unread: frozenset[str] = frozenset()
) -> Contents:
    for table, read in tables.items():
        check_table(table, read, problems)
    Between(tables, contents.instruments, contents.measures, contents.settings.as_of, problems, unread).check()
    if "outcomes" in tables:
        _check_rebases(contents.settings.plan, tables["outcomes"].frame, problems)
    return replace(_planned(contents, problems), tables={name: read.frame for name, read in tables.items()})


def _check_rebases(plan: Plan, outcomes: pd.DataFrame, problems: Problems) -> None:
    """Limits can be drawn anew only from a month that has a figure and one before it."""
    for measure, months in plan.rebase.items():
        known = sorted(outcomes.loc[outcomes["measure"] == measure, "period"].dropna().unique())
        for month in months:
            if known and pd.Timestamp(month) not in known[1:]:
                problems.add(
                    "programme.toml",
                    f"[plan.rebase.{measure}] draws limits anew from a month without a figure, or from the first.",
                    "Write a month of outcomes.csv after the first.",
                    value=f"{month:%Y-%m}",
                )


def _planned(contents: Contents, problems: Problems) -> Contents:
    """What [plan] declares takes the place of what instruments and measures say of lags and worthwhile changes."""
    plan = contents.settings.plan
    instruments, measures = dict(contents.instruments), dict(contents.measures)
    domains = [f"{one.id}/{domain.key}" for one in instruments.values() for domain in one.domains]
    known = [*instruments, *measures, *domains]
    for name in [
        *plan.primary.values(), *plan.lag_months, *plan.worthwhile, *sum(plan.families.values(), ()), *plan.rebase
    ]:  # fmt: skip
        if name not in known:
            problems.add(
                "programme.toml",
                "[plan] names no known measure, instrument or domain.",
                nearest(name, known),
                value=name,
            )
    for name, months in plan.lag_months.items():
        if name in measures:
            measures[name] = replace(measures[name], expected_lag_months=months, **_declared("expected_lag"))
    for name, change in plan.worthwhile.items():
        said: dict[str, Any] = {"smallest_worthwhile_change": change, **_declared("smallest_worthwhile_change")}
        if name in measures:
            measures[name] = replace(measures[name], **said)
        elif name in instruments:
            instruments[name] = replace(instruments[name], **said)
    return replace(contents, instruments=instruments, measures=measures)


def _declared(number: str) -> dict[str, Any]:
    return {f"{number}_source": "Declared in [plan] of programme.toml.", f"{number}_verified": False}
