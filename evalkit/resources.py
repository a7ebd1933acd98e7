"""Where the shipped notebooks, sample data and catalogues are: the checkout first, the installed wheel otherwise."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder(kind: str) -> Path:
    """The folder `notebooks` or `sample_data`, read-only when evalkit is installed from a wheel.

    >>> folder("notebooks").name
    'notebooks'
    """
    for candidate in (_PACKAGE.parent / kind, _PACKAGE / "_data" / kind):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"evalkit was installed without its {kind!r} folder; install it again from the wheel.")


def catalogues() -> Path:
    """The shipped instruments, measures and menus.

    >>> (catalogues() / "measures.toml").exists()
    True
    """
    return _PACKAGE.parent / "data_schemas" / "catalogues"
