"""What a catalogue file may hold: a misspelt key is refused by name, never ignored."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any


class Misdescribed(ValueError):
    """A catalogue or settings file that says something evalkit cannot read. `.problem`, `.value` and `.remedy`."""

    def __init__(self, problem: str, remedy: str, *, value: str = "") -> None:
        self.problem, self.remedy, self.value = problem, remedy, value
        super().__init__(f"{problem} {remedy}")


def close_to(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known name most like this one, capitals aside; None when none is near.

    >>> close_to("l9", ["L1", "S2"], cutoff=0.5)
    'L1'
    """
    lowered = {each.lower(): each for each in known}
    close = get_close_matches(name.lower(), lowered, n=1, cutoff=cutoff)
    return lowered[close[0]] if close else None


def nearest(name: str, known: Collection[str]) -> str:
    """A sentence naming what was probably meant, or what there is to choose from.

    >>> nearest("lable", ["label", "domain"])
    "Did you mean 'label'?"
    >>> nearest("colour", ["label", "domain"])
    'Known: domain, label.'
    """
    close = close_to(name, known)
    return f"Did you mean {close!r}?" if close else f"Known: {', '.join(sorted(known))}."


def check_keys(found: Any, *, where: str, needed: Collection[str], also: Collection[str] = ()) -> None:
    """Refuse what is no table, keys nobody described, and the lack of those that are needed."""
    is_a(found, "table", where=where)
    for key in found:
        if key not in needed and key not in also:
            raise Misdescribed(
                f"{where} holds {key!r}, which nothing reads.", nearest(key, [*needed, *also]), value=key
            )
    for key in needed:
        if key not in found:
            raise Misdescribed(f"{where} does not say its {key!r}.", f"Add a line: {key} = …", value=key)


def read_toml(path: Path) -> dict[str, Any]:
    """The file's contents; its own faults (bytes that are not UTF-8, a slip of syntax) named with their line."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise Misdescribed(f"Line {line} holds a character that is not UTF-8.", "Save the file as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise Misdescribed(f"The file is not well-formed TOML: {error}.", "Mend that line.") from None


def check_kinds(found: Mapping[str, Any], kinds: Mapping[str, str], *, where: str) -> None:
    """Refuse values of another kind than the one each key calls for."""
    for key, kind in kinds.items():
        if key in found:
            is_a(found[key], kind, where=f"{where}: {key!r}")


def is_a(value: Any, kind: str, *, where: str) -> None:
    """Refuse a value of another kind than `text`, `number`, `whole number`, `yes or no`, `date`, `list` or
    `table`."""
    types: dict[str, type | tuple[type, ...]] = {
        "text": str,
        "number": (int, float),
        "whole number": int,
        "yes or no": bool,
        "date": date,
        "list": list,
        "table": dict,
    }
    stray = (isinstance(value, bool) and kind != "yes or no") or isinstance(value, datetime)
    if stray or not isinstance(value, types[kind]):
        raise Misdescribed(f"{where} is not a {kind}.", _HOW[kind], value=str(value))


_HOW = {
    "text": 'Write it between quotes: "…".',
    "number": "Write a number without quotes.",
    "whole number": "Write a whole number without quotes.",
    "yes or no": "Write true or false.",
    "date": "Write the day without quotes: 2026-03-31.",
    "list": 'Write a list: ["…", "…"].',
    "table": "Write a table: { … = … }.",
}
