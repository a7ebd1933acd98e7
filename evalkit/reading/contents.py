"""What a programme's folder or workbook holds once it is read and found right."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from evalkit.instrument import Instrument
from evalkit.measure import Measure
from evalkit.menu import Menu
from evalkit.reading.in_parts import Parts
from evalkit.reading.settings import Settings


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything read. `local`: what the folder describes itself, and how that differs from what is shipped.

    `log`: what was done to the data on the way in, in sentences: corrections, columns dropped, ids replaced. `parts`:
    tables too long to be held, which are not among `tables`.
    """

    settings: Settings
    tables: Mapping[str, pd.DataFrame]
    instruments: Mapping[str, Instrument]
    measures: Mapping[str, Measure]
    menus: Mapping[str, Menu]
    local: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    truth: Mapping[str, Any] | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)
    log: tuple[str, ...] = ()
    parts: Mapping[str, Parts] = field(default_factory=dict)


def digest(content: bytes) -> str:
    """SHA-256 of a file, whatever byte-order mark and line ends it was saved with."""
    plain = content.removeprefix(b"\xef\xbb\xbf")
    return hashlib.sha256(plain.replace(b"\r\n", b"\n") if b"\r" in plain else plain).hexdigest()
