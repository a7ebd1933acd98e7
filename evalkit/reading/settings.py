"""`programme.toml`: what the programme is, who it is for, and what was agreed before anyone looked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from data_schemas.catalogues import Misdescribed, check_keys, check_kinds, is_a
from evalkit.reading.cells import parse
from evalkit.reading.counted import Counted, counted
from evalkit.reading.mapping import Export, Pseudonyms, exports, pseudonyms
from evalkit.reading.plan import Plan, plan
from evalkit.terms import Audience

MINIMUM_GROUP = 5
"""The smallest group a figure is shown for, unless programme.toml says otherwise. Survey practice uses 5, 8, 10 or 11;
a programme whose organisations are small should say more."""

THREE_LINES = 'Write a file programme.toml with three lines: schema = 1, name = "…", starts_on = 2026-03-31.'


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """Who stands behind the evaluation."""

    paid_by: str = ""
    evaluated_by: str = ""
    checked_by: str = ""
    signed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The contents of programme.toml.

    `starts_on` None means that nobody recorded it, and `as_of` None the latest date in the data; one of the two must be
    there. `source` says where published data come from; `agreed_open` who
    agreed that their scores are shown, and when; `admissions` into which measure they are counted, None into none.
    """

    name: str
    starts_on: date | None = None
    as_of: date | None = None
    minimum_group: int = MINIMUM_GROUP
    audience: Audience = Audience.COMMISSIONER
    fictional: bool = False
    source: str = ""
    agreed_open: str = ""
    retention: str = ""
    plan: Plan = field(default_factory=Plan)
    people: Notes = field(default_factory=Notes)
    mapping: tuple[Export, ...] = ()
    pseudonyms: Pseudonyms = field(default_factory=Pseudonyms)
    admissions: Counted | None = None

    def __post_init__(self) -> None:
        if self.minimum_group < 1:
            raise Misdescribed("minimum_group is below 1.", "Write 5 or more.", value=str(self.minimum_group))
        if self.starts_on is None and self.as_of is None:
            raise Misdescribed(
                "Neither starts_on nor as_of is given.",
                "Write the day the programme began, starts_on = 2024-04-01; where nobody knows it, the day the data "
                "speak of, as_of = 2026-03-31.",
            )


def settings(said: Mapping[str, Any]) -> Settings:
    """Settings from the file's contents, every key checked."""
    check_keys(said, where="programme.toml", needed=("schema", "name"), also=(*_KINDS, *_DATES, *_TABLES))
    check_kinds(said, _KINDS | dict.fromkeys(_DATES, "date"), where="programme.toml")
    if said["schema"] != 1:
        raise Misdescribed("This evalkit reads schema 1.", "Write schema = 1.", value=str(said["schema"]))
    plain = {name: said[name] for name in (*_KINDS, *_DATES) if name in said and name != "schema"}
    if "audience" in plain:
        plain["audience"] = _audience(plain["audience"])
    return Settings(
        **plain,
        plan=plan(said.get("plan", {})),
        people=_notes(said.get("people", {})),
        mapping=exports(said.get("mapping", {})),
        pseudonyms=pseudonyms(said.get("pseudonyms", {})),
        admissions=counted(said.get("admissions")),
    )


def from_sheet(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Settings typed into a workbook's sheet, a row each, as programme.toml would say them.

    A dot goes into a part (`people.paid_by`); several names are separated by semicolons; blank values are left out.

    >>> from_sheet([("name", "Ours"), ("minimum_group", "8"), ("people.paid_by", "The council"), ("as_of", "")])
    {'name': 'Ours', 'minimum_group': 8, 'people': {'paid_by': 'The council'}}
    """
    said: dict[str, Any] = {}
    seen: set[str] = set()
    for name, text in pairs:
        if not name.strip() or not text.strip():
            continue
        if name.strip() in seen:
            raise Misdescribed(f"The setting {name.strip()!r} is given twice.", "Keep one of its rows.", value=text)
        seen.add(name.strip())
        *parts, last = name.strip().split(".")
        within = said
        for part in parts:
            within = within.setdefault(part, {})
            is_a(within, "table", where=f"The setting {part!r}")
        is_a(within.get(last, ""), "text", where=f"The setting {name.strip()!r}")
        within[last] = _from_cell(name.strip(), text.strip())
    return said


def names_of_settings() -> tuple[str, ...]:
    """What a row of the settings sheet may begin with."""
    return (*_KINDS, *_DATES, *_TABLES)


def kind_of_setting(name: str) -> str:
    """What a row of the settings sheet calls for.

    >>> kind_of_setting("as_of"), kind_of_setting("plan.lag_months.icfat"), kind_of_setting("people.paid_by")
    ('date', 'whole number', 'text')
    """
    part = name.rpartition(".")[0]
    if part:
        return _in_part(name, part)
    return "date" if name in _DATES else _KINDS.get(name, "text")


def _in_part(name: str, part: str) -> str:
    """What a row of `plan.` or `people.` calls for."""
    if name == "plan.agreed_on" or (part.startswith("plan.watch.") and name.endswith(".delete_on")):
        return "date"
    if part.startswith("plan.trajectory."):
        return "number"
    return {
        "plan.lag_months": "whole number",
        "plan.worthwhile": "number",
        "plan.plausible": "number",
        "plan.families": "list",
        "plan.informants": "list",
        "plan.waves": "list of whole numbers",
    }.get(part, "list" if name == "admissions.by" else "text")


def _from_cell(name: str, text: str) -> Any:
    """One value by what its setting calls for; text that cannot be one is passed on, to be refused by name."""
    kind = kind_of_setting(name)
    if kind == "date":
        days, faults = parse(np.array([text], dtype=object), kind="date", form="")
        return text if faults else days[0].astype("datetime64[D]").item()
    if kind == "yes or no":
        return {"yes": True, "no": False}.get(text.lower(), text)
    if kind == "list":
        return [word.strip() for word in text.split(";")]
    if kind == "list of whole numbers":
        return [int(word) if re.match(r" *[0-9]+ *\Z", word) else word.strip() for word in text.split(";")]
    if kind in ("whole number", "number") and re.match(r"-?[0-9]+(\.[0-9]+)?\Z", text):
        return float(text) if "." in text else int(text)
    return text


_KINDS = {
    "schema": "whole number",
    "name": "text",
    "minimum_group": "whole number",
    "audience": "text",
    "fictional": "yes or no",
    "source": "text",
    "agreed_open": "text",
    "retention": "text",
}
_DATES = ("starts_on", "as_of")
_TABLES = ("plan", "people", "mapping", "pseudonyms", "admissions")


def _audience(value: str) -> Audience:
    if value not in list(Audience):
        raise Misdescribed("The audience is not one evalkit knows.", f"Write {', '.join(Audience)}.", value=value)
    return Audience(value)


def _notes(said: Mapping[str, Any]) -> Notes:
    check_keys(said, where="[people]", needed=(), also=Notes.__dataclass_fields__)
    check_kinds(said, dict.fromkeys(said, "text"), where="[people]")
    return Notes(**said)
