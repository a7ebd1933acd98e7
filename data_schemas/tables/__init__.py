"""The tables a programme may hold, one Pandera model each, by family.

A new table is one class in one of these files: its name is the class name in snake case, and `models()` finds it.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from data_schemas.tables._columns import Table


@cache
def models() -> dict[str, type[Table]]:
    """Every table by its name, in the order of the files and of the classes inside them.

    >>> "people" in models() and "responses" in models()
    True
    """
    for family in iter_modules(__path__):
        import_module(f"{__name__}.{family.name}")
    return {_table_name(model): model for model in Table.__subclasses__()}


def _table_name(model: type[Table]) -> str:
    return re.sub(r"(?<!\A)(?=[A-Z])", "_", model.__name__).lower()
