"""The counting: arrays and frames in, small frozen results out. Knows no word of the NHS.

Each module is named for the number it gives and holds its formula, source, limits and a worked example.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any


def __getattr__(name: str) -> Any:
    """Enter a statistics module on first use, so that none of them slows `import evalkit`."""
    if not name.startswith("_") and (Path(__file__).parent / f"{name}.py").exists():
        return import_module(f"evalkit.stats.{name}")
    raise AttributeError(f"evalkit.stats has no module {name!r}.")
