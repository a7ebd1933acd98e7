"""The tables a programme may hold, one Pandera model each, by family.

A new table is one class in one of these files: its name is the class name in snake case, and `models()` finds it.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import pandera.pandas as pa

from data_schemas.tables._columns import IN_PARTS, Table

ORDER = ("who", "when", "done", "together", "improving", "answers", "lives", "money", "said", "argument", "care")
"""The families as a reader meets them; one not named here comes last."""


@cache
def families() -> dict[str, dict[str, type[Table]]]:
    """The tables by what their family's file says it holds.

    >>> list(families())[0]
    'Who: people, the leaders among them, their teams, organisations and places.'
    """
    names = [family.name for family in iter_modules(__path__) if not family.name.startswith("_")]
    names.sort(key=lambda name: ORDER.index(name) if name in ORDER else len(ORDER))
    modules = [import_module(f"{__name__}.{name}") for name in names]
    return {str(module.__doc__).splitlines()[0]: _tables(module) for module in modules}


@cache
def models() -> dict[str, type[Table]]:
    """Every table by its name, in the order of the families and of the classes inside them.

    >>> "people" in models() and "responses" in models()
    True
    """
    return {name: model for family in families().values() for name, model in family.items()}


@cache
def schema(table: str) -> pa.DataFrameSchema:
    """The table's Pandera schema, built once."""
    return models()[table].to_schema()


@cache
def in_parts(table: str) -> bool:
    """Whether a table may be too long to be held whole, so that it is read in parts.

    >>> in_parts("admissions"), in_parts("people")
    (True, False)
    """
    return bool((getattr(models()[table].Config, "metadata", None) or {}).get(IN_PARTS))


@cache
def references(table: str) -> dict[str, tuple[str, ...]]:
    """The columns that hold ids listed elsewhere, with the tables that may list them.

    >>> references("codes")
    {'source_id': ('stories', 'excerpts')}
    """
    said = {name: (column.metadata or {})["refers"] for name, column in schema(table).columns.items()}
    return {name: tuple(refers.split(" or ")) for name, refers in said.items() if refers}


def _tables(module: ModuleType) -> dict[str, type[Table]]:
    own = [model for model in vars(module).values() if isinstance(model, type) and issubclass(model, Table)]
    return {_table_name(model): model for model in own if model.__module__ == module.__name__}


def _table_name(model: type[Table]) -> str:
    return re.sub(r"(?<!\A)(?=[A-Z])", "_", model.__name__).lower()
