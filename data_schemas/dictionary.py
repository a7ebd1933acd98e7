"""The data dictionary: what every table and column means, as a page for people and as Table Schema for programs.

Both are made from the models, so neither can say anything else. `python -m data_schemas.dictionary` writes them.
"""

from __future__ import annotations

import inspect
import json
from functools import cache
from pathlib import Path
from typing import Any

import pandera.pandas as pa

from data_schemas.tables import families, models, references, schema

PAGE = Path("notebooks", "pages", "data_dictionary.md")
SCHEMAS = Path("data_schemas", "table_schema")

PROFILE = "https://datapackage.org/profiles/2.0/tableschema.json"

INTRODUCTION = """\
# Data dictionary

What a programme's folder may hold: one file a table, named after it (`people.csv`). Every table is optional; a question
says which it needs. A table that is missing means *not recorded*, never *none*.

How cells are written, everywhere:

- A blank cell means the value is not known, except where the column says otherwise. `NA` is a word like any other.
- A day is `2026-03-31` (or `31 March 2026`); a period is a month `2024-03`, a quarter `2024/25 Q1` (April to June) or a
  financial year `2024/25`.
- Numbers stand alone: no unit, no comma between thousands, no `%`. Yes or no is `yes` or `no`.
- Ids may be any text without spaces at either end. They never change, and say nothing about the person.
- A *needed* cell is never blank. Where a column is *optional*, its cells may be blank and the column itself may be left
  out.
- What *may tell who somebody is* is shown to nobody but the evaluator.
- `as_of` in `programme.toml` is the day the data speak of: what has happened cannot lie after it.

This page is made from the models in `data_schemas/tables`; the same for programs, as Table Schema, is in
`data_schemas/table_schema`."""

KINDS = {
    "prose": "text in sentences",
    "month": "month",
    "period": "month, quarter or year",
    "answer": "answer on the instrument's scale",
}
PLAIN = {"string": "text", "Int64": "whole number", "float64": "number", "datetime64": "day", "boolean": "yes or no"}

TYPES: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "text in sentences": {"type": "string"},
    "whole number": {"type": "integer"},
    "number": {"type": "number"},
    "day": {"type": "date", "format": "%Y-%m-%d"},
    "yes or no": {"type": "boolean", "trueValues": ["yes"], "falseValues": ["no"]},
    "month": {"type": "yearmonth"},
    "month, quarter or year": {"type": "string"},
    "answer on the instrument's scale": {"type": "any"},
}


def markdown() -> str:
    """The page for people: families, tables and columns in order.

    >>> markdown().splitlines()[0]
    '# Data dictionary'
    """
    parts = [INTRODUCTION, _contents()]
    for family, tables in families().items():
        title, _, rest = family.partition(": ")
        parts.append(f"## {title}\n\n{rest[:1].upper()}{rest[1:]}")
        parts += [_section(name) for name in tables]
    return "\n\n".join(parts) + "\n"


def table_schemas() -> dict[str, dict[str, Any]]:
    """Each table as a Frictionless Table Schema.

    >>> table_schemas()["teams"]["fields"][0]["name"]
    'team_id'
    """
    return {name: _table_schema(name) for name in models()}


def files() -> dict[Path, str]:
    """What stands in each file of the dictionary, by its path in the checkout."""
    written = {
        SCHEMAS / f"{name}.json": json.dumps(said, indent=2, ensure_ascii=False) + "\n"
        for name, said in table_schemas().items()
    }
    return {PAGE: markdown(), **written}


def _contents() -> str:
    links = {
        family.partition(":")[0]: ", ".join(f"[{name}](#{name})" for name in tables)
        for family, tables in families().items()
    }
    return "\n".join(f"- **{title}**: {names}" for title, names in links.items())


def _section(name: str) -> str:
    heads = ("Column", "What it is", "Kind", "Needed", "Allowed")
    rows = [heads, tuple("---" for _ in heads)]
    rows += [_row(name, column, said) for column, said in schema(name).columns.items()]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
    keys = [f"No two rows share {_listed(_coded(key))}." for key in _keys(name)]
    rules = [f"- `{rule.name}`: {rule.error}" for rule in schema(name).checks]
    wrong = "\n".join(["What is told as a problem:", "", *rules]) if rules else ""
    return "\n\n".join(part for part in (f"### {name}", _about(name), table, *keys, wrong) if part)


def _row(name: str, column: str, said: pa.Column) -> tuple[str, ...]:
    told = said.metadata or {}
    kind = _kind(said) + (f", in {told['unit']}" if told["unit"] else "")
    needed = "yes" if not said.nullable else "may be blank" if said.required else "optional"
    return f"`{column}`", _cell(said), kind, needed, _allowed(said, references(name).get(column, ()))


def _cell(said: pa.Column) -> str:
    """Title and description, and who must not see it."""
    hidden = " *May tell who somebody is.*" if (said.metadata or {})["disclosive"] else ""
    return f"**{said.title}.** {said.description}{hidden}".replace("|", "\\|")


def _allowed(said: pa.Column, refers: tuple[str, ...]) -> str:
    """The words, limits or ids of a column, in words."""
    limits, told = _limits(said), said.metadata or {}
    low, high = (limits.get(name) for name in ("minimum", "maximum"))
    if refers:
        return "an id in " + " or ".join(f"[{target}](#{target})" for target in refers)
    if "enum" in limits:
        return ", ".join(f"`{word}`" for word in limits["enum"])
    if "pattern" in limits:
        return str(told["remedy"])
    if low is not None:
        return f"{low} or more" if high is None else f"{low} to {high}"
    if "exclusiveMinimum" in limits:
        return f"above {limits['exclusiveMinimum']}"
    return "not after `as_of`" if told["happened"] else ""


def _kind(said: pa.Column) -> str:
    return KINDS.get((said.metadata or {})["form"]) or PLAIN[str(said.dtype).partition("[")[0]]


def _limits(said: pa.Column) -> dict[str, Any]:
    """A column's checks, by the names Table Schema gives them."""
    found: dict[str, Any] = {}
    for check in said.checks:
        told = check.statistics or {}
        if "allowed_values" in told:
            found["enum"] = list(told["allowed_values"])
        elif "pattern" in told:
            pattern = getattr(told["pattern"], "pattern", told["pattern"])
            found["pattern"] = pattern.removeprefix("^").removesuffix(r"\Z")  # anchored at both ends by the standard
        elif check.name == "greater_than":
            found["exclusiveMinimum"] = told["min_value"]
        else:
            found |= {"minimum": told["min_value"]}
            found |= {"maximum": told["max_value"]} if "max_value" in told else {}
    return found


def _keys(name: str) -> list[list[str]]:
    """The columns, alone or together, in which no two rows are alike."""
    alone = [[column] for column, said in schema(name).columns.items() if said.unique]
    return [*alone, *([list(together)] if (together := schema(name).unique) else [])]


@cache
def _about(name: str) -> str:
    return " ".join(inspect.cleandoc(str(models()[name].__doc__)).split())


def _table_schema(name: str) -> dict[str, Any]:
    columns, keys = schema(name).columns, _keys(name)
    said: dict[str, Any] = {
        "$schema": PROFILE,
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "description": _about(name),
        "fields": [_field(name, column) for column in columns],
        "missingValues": [""],
    }
    whole = [key for key in keys if not any(columns[column].nullable for column in key)]
    if whole:  # a primary key may hold no blank; what may be blank can still be unique
        said["primaryKey"] = whole[0]
    if rest := [key for key in keys if key not in whole[:1]]:
        said["uniqueKeys"] = rest
    if foreign := _foreign_keys(name):
        said["foreignKeys"] = foreign
    return said


def _field(name: str, column: str) -> dict[str, Any]:
    said = schema(name).columns[column]
    told = said.metadata or {}
    limits = {"required": not said.nullable, "unique": bool(said.unique), **_limits(said)}
    field = {
        "name": column,
        "title": said.title,
        "description": said.description,
        **TYPES[_kind(said)],
        "constraints": {key: value for key, value in limits.items() if value is not False},
    }
    extras = {
        "unit": told["unit"],
        "refersTo": list(references(name).get(column, ())),
        "derivedFrom": told["derived"],
        "happened": told["happened"],
        "disclosive": told["disclosive"],
        "optional": not said.required,
        "remedy": told["remedy"],
    }
    return {**field, **{key: value for key, value in extras.items() if value}}


def _foreign_keys(name: str) -> list[dict[str, Any]]:
    """Columns that refer to one table; the standard has no word for one of several, so `refersTo` says those."""
    found = []
    for column, targets in references(name).items():
        if len(targets) == 1:
            (target,) = targets
            other = {} if target == name else {"resource": target}
            found.append({"fields": [column], "reference": {**other, "fields": [next(iter(schema(target).columns))]}})
    return found


def _coded(names: list[str]) -> list[str]:
    return [f"`{name}`" for name in names]


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def main(root: Path = Path(__file__).parents[1]) -> None:
    """Write every file of the dictionary into a checkout, and remove the schema of a table that is no more."""
    if not (root / PAGE.parent).is_dir():
        raise SystemExit(f"{root} is no checkout of evalkit: run this where {PAGE.parent} is.")
    (root / SCHEMAS).mkdir(exist_ok=True)
    written = files()
    for stale in {path.relative_to(root) for path in (root / SCHEMAS).glob("*.json")} - written.keys():
        (root / stale).unlink()
    for path, text in written.items():
        (root / path).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
