"""A programme's own catalogues: instruments, measures and menus that add to the shipped ones or take their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TypeVar

from data_schemas.catalogues import Misdescribed, read_toml
from evalkit import instrument as instrument_files
from evalkit import measure as measure_files
from evalkit import menu as menu_files
from evalkit.instrument import Instrument
from evalkit.measure import Measure
from evalkit.menu import Menu
from evalkit.reading.between import Known
from evalkit.reading.problems import Problems

Said = TypeVar("Said")

FOLDERS = ("instruments", "menus")
"""Where a programme's folder keeps catalogues of its own."""


def described(name: str, path: Path, read: Callable[[Path], Said], problems: Problems) -> Said | None:
    """What a TOML file says, or None and its fault among the problems."""
    try:
        return read(path)
    except Misdescribed as fault:
        problems.add(name, fault.problem, fault.remedy, value=fault.value)
        return None


@dataclass(slots=True)
class Catalogues:
    """The shipped catalogues, and what a folder adds to them or says otherwise: `local` has it in sentences."""

    instruments: dict[str, Instrument] = field(default_factory=instrument_files.shipped)
    measures: dict[str, Measure] = field(default_factory=measure_files.shipped)
    menus: dict[str, Menu] = field(default_factory=menu_files.shipped)
    local: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def known(self) -> Known:
        """All of them, as the rules between tables need them."""
        return Known(self.instruments, self.measures, self.menus)

    def add(self, files: Mapping[str, Path], problems: Problems) -> None:
        """Those among a folder's files."""
        for name, path in files.items():
            folder, _, stem = name.removesuffix(".toml").rpartition("/")
            if not name.endswith(".toml"):
                continue
            if folder == "instruments":
                self._instrument(name, path, problems)
            elif name == "measures.toml":
                self._measures(name, path, problems)
            elif folder == "menus" or stem in self.menus:
                self._menu(name, path, problems)

    def _instrument(self, name: str, path: Path, problems: Problems) -> None:
        found = described(name, path, lambda file: instrument_files.build(instrument_files.adapt(file)), problems)
        if found is None:
            return
        base = instrument_files.shipped().get(str(read_toml(path).get("adapts", found.id)))
        named = f"{found.name}, edition {found.edition}"
        said: tuple[str, ...] = (f"{named}: this programme's own.",)
        if base is not None:
            changed = instrument_files.differences(found, base)
            said = (f"{named}, adapted from {base.name}, edition {base.edition}.", *changed)
            said = said if changed else (f"{named}: as it is shipped.",)
        self.local[f"instrument {found.id}"] = said
        self.instruments[found.id] = found

    def _measures(self, name: str, path: Path, problems: Problems) -> None:
        for id, found in (described(name, path, measure_files.read, problems) or {}).items():
            base = measure_files.shipped().get(id)
            self.local[f"measure {id}"] = _measure_differs(found, base)
            self.measures[id] = found

    def _menu(self, name: str, path: Path, problems: Problems) -> None:
        found = described(name, path, menu_files.read, problems)
        if found is None:
            return
        base = self.menus.get(found.id)
        together = {**self.menus, found.id: menu_files.merge(base, found) if base else found}
        try:
            menu_files.observed(together)
        except Misdescribed as fault:
            problems.add(name, fault.problem, fault.remedy, value=fault.value)
            return
        self.local[f"menu {found.id}"] = menu_files.differences(found, base)
        self.menus[found.id] = together[found.id]


def _measure_differs(own: Measure, base: Measure | None) -> tuple[str, ...]:
    """What a programme's own measure says otherwise than the shipped one of its name."""
    if base is None:
        return (f"{own.label}: a measure of this programme's own.",)
    names = {part.name: part.name.replace("_", " ") for part in fields(Measure)}
    changed = [words for name, words in names.items() if getattr(own, name) != getattr(base, name)]
    return (f"{own.label}: its {', '.join(changed)} said otherwise than shipped.",) if changed else ()
