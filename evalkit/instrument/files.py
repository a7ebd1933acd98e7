"""Questionnaires in files: those that come with evalkit, and a programme's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from data_schemas.catalogues import Misdescribed, nearest, read_toml
from evalkit.instrument.description import build
from evalkit.instrument.questionnaire import Instrument
from evalkit.resources import catalogues


def read(path: Path) -> Instrument:
    """The instrument a TOML file describes. Raises Misdescribed, naming the key, where it does not hold together."""
    return build(read_toml(path))


def shipped() -> dict[str, Instrument]:
    """The instruments that come with evalkit, by id.

    >>> [domain.label for domain in shipped()["icfat"].domains][:3]
    ['Leadership', 'Governance', 'Culture']
    """
    return dict(_shipped())


@cache
def _shipped() -> Mapping[str, Instrument]:
    """Read once: they are frozen, and every folder that is read asks for them."""
    return {found.id: found for found in map(read, sorted((catalogues() / "instruments").glob("*.toml")))}


def adapt(path: Path) -> dict[str, Any]:
    """A local file's description; one that `adapts` a shipped instrument begins as that and changes what it says."""
    said = read_toml(path)
    base = said.pop("adapts", None)
    if base is None:
        return said
    known = sorted(file.stem for file in (catalogues() / "instruments").glob("*.toml"))
    if base not in known:
        raise Misdescribed(f"It adapts {base!r}, which is not shipped.", nearest(str(base), known), value=str(base))
    return read_toml(catalogues() / "instruments" / f"{base}.toml") | said
