"""`programme.toml`: what the programme is, who it is for, and what was agreed before anyone looked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np

from data_schemas.catalogues import Misdescribed, check_keys, check_kinds, is_a
from evalkit.reading.cells import parse
from evalkit.reading.mapping import Export, Pseudonyms, exports, pseudonyms
from evalkit.terms import Audience

MINIMUM_GROUP = 5
"""The smallest group a figure is shown for, unless programme.toml says otherwise. Survey practice uses 5, 8, 10 or 11;
a programme whose organisations are small should say more."""

THREE_LINES = 'Write a file programme.toml with three lines: schema = 1, name = "…", starts_on = 2026-03-31.'


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was declared before anyone looked.

    `primary`: the measure that decides, by question. `lag_months` and `worthwhile`: by measure or instrument, how long
    a change may take and the smallest worth having. `families`: measures judged together. `informant`: a rater, such
    as sponsor, whose clear disagreement makes a verdict mixed. `rebase`: by measure, each month from which limits of
    variation are drawn anew, and why.
    """

    primary: Mapping[str, str] = field(default_factory=dict)
    lag_months: Mapping[str, int] = field(default_factory=dict)
    worthwhile: Mapping[str, float] = field(default_factory=dict)
    families: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    informant: str = ""
    rebase: Mapping[str, Mapping[date, str]] = field(default_factory=dict)


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
    agreed that their scores are shown, and when.
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
    check_kinds(said, _KINDS, where="programme.toml")
    if said["schema"] != 1:
        raise Misdescribed("This evalkit reads schema 1.", "Write schema = 1.", value=str(said["schema"]))
    dates: dict[str, Any] = {name: _date(name, said[name]) for name in _DATES if name in said}
    plain = {name: said[name] for name in _KINDS if name in said and name != "schema"}
    if "audience" in plain:
        plain["audience"] = _audience(plain["audience"])
    return Settings(
        **plain,
        **dates,
        plan=_plan(said.get("plan", {})),
        people=_notes(said.get("people", {})),
        mapping=exports(said.get("mapping", {})),
        pseudonyms=pseudonyms(said.get("pseudonyms", {})),
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
        found = {"plan.lag_months": "whole number", "plan.worthwhile": "number", "plan.families": "list"}
        return found.get(part, "text")
    return "date" if name in _DATES else _KINDS.get(name, "text")


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
_TABLES = ("plan", "people", "mapping", "pseudonyms")


def _date(name: str, value: Any) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise Misdescribed(
            f"{name!r} is not a date.", f"Write it without quotes: {name} = 2026-03-31.", value=str(value)
        )
    return value


def _audience(value: str) -> Audience:
    if value not in list(Audience):
        raise Misdescribed("The audience is not one evalkit knows.", f"Write {', '.join(Audience)}.", value=value)
    return Audience(value)


def _plan(said: Mapping[str, Any]) -> Plan:
    kinds = {"primary": "text", "lag_months": "whole number", "worthwhile": "number", "families": "list",
             "rebase": "table"}  # fmt: skip
    check_keys(said, where="[plan]", needed=(), also=(*kinds, "informant"))
    is_a(said.get("informant", ""), "text", where="[plan] informant")
    for part, kind in kinds.items():
        is_a(said.get(part, {}), "table", where=f"[plan] {part}")
        for key, value in said.get(part, {}).items():
            is_a(value, kind, where=f"[plan] {part} {key!r}")
            for name in value if kind == "list" else ():
                is_a(name, "text", where=f"[plan] {part} {key!r}")
    return Plan(
        primary=dict(said.get("primary", {})),
        lag_months=dict(said.get("lag_months", {})),
        worthwhile={key: float(value) for key, value in said.get("worthwhile", {}).items()},
        families={key: tuple(value) for key, value in said.get("families", {}).items()},
        informant=said.get("informant", ""),
        rebase={key: _rebase(key, value) for key, value in said.get("rebase", {}).items()},
    )


def _rebase(measure: str, said: Mapping[str, Any]) -> dict[date, str]:
    """Months and reasons: 2024-07 = "…"."""
    where, found = f"[plan.rebase.{measure}]", {}
    for month, reason in said.items():
        try:
            first = datetime.strptime(month, "%Y-%m").date()
        except ValueError:
            raise Misdescribed(
                f"{where} holds {month!r}, which is no month.", 'Write 2024-07 = "why the series changed".', value=month
            ) from None
        is_a(reason, "text", where=f"{where} {month!r}")
        if not reason.strip():
            raise Misdescribed(f"{where} {month!r} gives no reason.", "Say what changed the series.", value=month)
        found[first] = reason
    return found


def _notes(said: Mapping[str, Any]) -> Notes:
    check_keys(said, where="[people]", needed=(), also=Notes.__dataclass_fields__)
    check_kinds(said, dict.fromkeys(said, "text"), where="[people]")
    return Notes(**said)
