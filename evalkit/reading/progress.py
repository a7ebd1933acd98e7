"""How far a long reading has come, on stderr and only where somebody looks: never into a file, a pipe or a notebook."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LONG = 64 * 2**20
"""Bytes from which on reading takes long enough for somebody to wonder."""

PAUSE = 0.2
"""Seconds between two looks at how far DuckDB has come."""

Told = Callable[[float], None]
"""Says how much of the work is done, from 0 to 1."""


@contextmanager
def shown(words: str, files: Iterable[Path]) -> Iterator[Told | None]:
    """A bar on the screen while long files are read; None for short ones, or where stderr is no screen."""
    if not sys.stderr.isatty() or sum(path.stat().st_size for path in files) < LONG:
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(words, total=1.0)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def watched(connection: DuckDBPyConnection, words: str, files: Iterable[Path]) -> Iterator[None]:
    """The same for one question to DuckDB, which is asked beside its work how far it is."""
    with shown(words, files) as told:
        if told is None:
            yield
            return
        over = threading.Event()

        def look() -> None:
            while not over.wait(PAUSE):
                told(max(connection.query_progress(), 0.0) / 100)

        beside = threading.Thread(target=look, daemon=True)
        beside.start()
        try:
            yield
        finally:
            over.set()
            beside.join()
