"""Tables too long to be held, held to their rules: looked at all at once, and row by row where something is amiss."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from evalkit.reading.glance import Check, Glance, glance
from evalkit.reading.in_parts import Parts, latest, reads
from evalkit.reading.problems import MOST, Problems
from evalkit.reading.progress import shown

MANY = 10 * MOST
"""Problems of one long file after which no more are looked for."""


def looked_through(table: str, files: Sequence[Path], check: Check, problems: Problems) -> Parts:
    """The files of a table, every fault in them among the problems. `check` holds some rows to the rules."""
    rows = 0
    last: list[pd.Timestamp] = []
    plain: list[Path] = []
    for path in files:
        seen = glance(table, path, check)
        plain += [path] if seen is not None else []
        if seen is None or seen.where:
            seen = _row_by_row(table, path, check, problems, seen)
        rows += seen.rows
        last += [] if seen.latest is None else [seen.latest]
    return Parts(table, tuple(files), rows, max(last, default=None), plain=frozenset(plain))


def _row_by_row(table: str, path: Path, check: Check, problems: Problems, seen: Glance | None) -> Glance:
    """A file read in parts, or the rows of it that a look found amiss, until enough is wrong with it."""
    rows, before = 0, len(problems.found)
    last: list[pd.Timestamp] = []
    where, values = (seen.where, seen.values) if seen else ("TRUE", ())
    with shown(f"Checking {path.name}", [path]) as told:
        for read in reads(table, path, problems, where=where, values=values, told=told):
            check(read, problems)
            rows += len(read.frame)
            day = latest(table, read.frame)
            last += [] if day is None else [day]
            if len(problems.found) - before > MANY:
                words = f"More than {MANY:,} cells of this file are wrong; the rest of it was not looked at."
                problems.add(path.name, words, "Mend these first: most will have the same reason.")
                break
    return seen or Glance(rows, max(last, default=None))
