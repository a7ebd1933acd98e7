"""DuckDB, shut in: it reads the files it is given, and nothing else; it loads no extension and holds a part of memory.

What does not fit into its memory goes to a folder of its own, which is gone when the reading is done.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = 320
"""Mebibytes DuckDB may hold for each thread; what goes beyond lies in its folder."""

THREADS = 4
"""Threads it works with at most: memory grows with them."""


@contextmanager
def engine(*files: Path, folder: Path | None = None, threads: int | None = None) -> Iterator[DuckDBPyConnection]:
    """A connection that may read these files, and write into a folder that is taken away again, and into `folder`."""
    import duckdb

    used = threads or min(_processors(), THREADS)
    with TemporaryDirectory() as aside, duckdb.connect(":memory:") as connection:
        allowed = ", ".join(quoted(name) for path in files for name in (str(path), named(path)))
        folders = ", ".join(quoted(str(path)) for path in (aside, folder) if path is not None)
        for setting in (
            "autoinstall_known_extensions = false",
            "autoload_known_extensions = false",
            "python_enable_replacements = false",
            "enable_progress_bar = true",  # so that it can be asked how far it is
            "enable_progress_bar_print = false",
            f"threads = {used:d}",
            f"memory_limit = '{MEMORY * used:d}MiB'",
            f"temp_directory = {quoted(aside)}",
            f"allowed_directories = [{folders}]",
            f"allowed_paths = [{allowed}]",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            connection.execute(f"SET {setting}")
        yield connection


def _processors() -> int:
    """Those this process may use, where the system says."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def named(path: Path) -> str:
    """A file's path as DuckDB is told it: where a name holds a star or brackets, they stand for themselves.

    >>> named(Path("admissions [1].csv"))
    'admissions [[]1].csv'
    """
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def quoted(text: str, mark: str = "'") -> str:
    """A text as SQL holds it; a name with the mark `"`.

    >>> print(quoted("Pat's"), quoted('the "old" age', '"'))
    'Pat''s' "the ""old"" age"
    """
    return mark + text.replace(mark, mark * 2) + mark
