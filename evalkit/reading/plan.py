"""`[plan]` of `programme.toml`: what was agreed before anyone looked, and what is left to watch at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from math import isfinite
from typing import Any

from data_schemas.catalogues import Misdescribed, check_keys, check_kinds, is_a
from evalkit.stats.reliable_methods import METHODS


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Who looks after a measure once the evaluation is over, and until when; blank where nobody was named.

    `data` says where its figures are, `key_holder` who holds the list that joins ids to people, by role.
    """

    owner: str = ""
    data: str = ""
    key_holder: str = ""
    delete_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was declared before anyone looked.

    `agreed_with`, `agreed_on`: who agreed to it, and when. `primary`: the measure that decides, by question.
    `lag_months` and `worthwhile`: by measure or instrument, how long a change may take and the smallest worth having;
    `plausible`: by measure, the largest anybody expects. `families`: measures judged together. `informant`: a rater,
    such as sponsor, whose clear disagreement makes a verdict mixed. `waves`: by instrument, in which months after the
    start it is to be answered; `informants`: by whom. `meetings`: by level (individual, team, population, process), the
    meeting where its findings are talked about. `reliable_change`: the method by which single leaders' changes are told
    from error of measurement. `watch`: by measure, who looks after it when the evaluation is over. `rebase`: by
    measure, each month from which limits of variation are drawn anew, and why. `trajectory`: by measure, the target
    from each month (2025-04) until the next. `chosen`: by measure, how places came to be in the programme (`CHOSEN`):
    places chosen for a high point come down by themselves.
    """

    agreed_with: str = ""
    agreed_on: date | None = None
    primary: Mapping[str, str] = field(default_factory=dict)
    lag_months: Mapping[str, int] = field(default_factory=dict)
    worthwhile: Mapping[str, float] = field(default_factory=dict)
    plausible: Mapping[str, float] = field(default_factory=dict)
    families: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    informant: str = ""
    reliable_change: str = ""
    waves: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    informants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    meetings: Mapping[str, str] = field(default_factory=dict)
    watch: Mapping[str, Watch] = field(default_factory=dict)
    rebase: Mapping[str, Mapping[date, str]] = field(default_factory=dict)
    trajectory: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    chosen: Mapping[str, str] = field(default_factory=dict)


PARTS = {
    "primary": "text",
    "lag_months": "whole number",
    "worthwhile": "number",
    "plausible": "number",
    "families": "list",
    "waves": "list",
    "informants": "list",
    "meetings": "text",
    "watch": "table",
    "rebase": "table",
    "trajectory": "table",
    "chosen": "text",
}
"""The tables of `[plan]`, and what stands in each."""
SETTINGS = ("informant", "reliable_change", "agreed_with", "agreed_on")
"""What stands in `[plan]` itself."""
_IN_LISTS = {"families": "text", "informants": "text", "waves": "whole number"}
LEVELS = ("individual", "team", "population", "process")
"""What a meeting may be named for."""
CHOSEN = ("by lot", "willing", "high", "worsening", "other")
"""How places may have been chosen: drawn by lot; those that were willing; for a high figure in the year before the
start; for a figure that got worse; in another way that had nothing to do with the measure."""


def plan(said: Mapping[str, Any]) -> Plan:
    """The plan from the file's contents, every key checked."""
    check_keys(said, where="[plan]", needed=(), also=(*PARTS, *SETTINGS))
    check_kinds(
        said,
        {"informant": "text", "reliable_change": "text", "agreed_with": "text", "agreed_on": "date"},
        where="[plan]",
    )
    for part, kind in PARTS.items():
        is_a(said.get(part, {}), "table", where=f"[plan] {part}")
        for key, value in said.get(part, {}).items():
            is_a(value, kind, where=f"[plan] {part} {key!r}")
            for one in value if kind == "list" else ():
                is_a(one, _IN_LISTS[part], where=f"[plan] {part} {key!r}")
    check_keys(said.get("meetings", {}), where="[plan.meetings]", needed=(), also=LEVELS)
    return Plan(
        agreed_with=said.get("agreed_with", ""),
        agreed_on=said.get("agreed_on"),
        primary=dict(said.get("primary", {})),
        lag_months=dict(said.get("lag_months", {})),
        worthwhile={key: float(value) for key, value in said.get("worthwhile", {}).items()},
        plausible={key: float(value) for key, value in said.get("plausible", {}).items()},
        families={key: tuple(value) for key, value in said.get("families", {}).items()},
        informant=said.get("informant", ""),
        reliable_change=_method(said.get("reliable_change", "")),
        waves={key: _months(key, value) for key, value in said.get("waves", {}).items()},
        informants={key: tuple(value) for key, value in said.get("informants", {}).items()},
        meetings=dict(said.get("meetings", {})),
        watch={key: _watch(key, value) for key, value in said.get("watch", {}).items()},
        rebase={key: _rebase(key, value) for key, value in said.get("rebase", {}).items()},
        trajectory={key: _trajectory(key, value) for key, value in said.get("trajectory", {}).items()},
        chosen={key: _chosen(key, value) for key, value in said.get("chosen", {}).items()},
    )


def _chosen(measure: str, said: str) -> str:
    """One of the ways there are."""
    if said not in CHOSEN:
        raise Misdescribed(
            f"[plan.chosen] {measure}: {said!r} is no way places are chosen.",
            f"Write one of {', '.join(CHOSEN)}.",
            value=said,
        )
    return said


def _method(said: str) -> str:
    """One of the methods there are, or none."""
    if said and said not in METHODS:
        raise Misdescribed(
            f"[plan] reliable_change names no method: {said}.",
            f"Write one of {', '.join(METHODS)}; jacobson_truax is the usual one.",
            value=said,
        )
    return said


def _months(instrument: str, said: list[int]) -> tuple[int, ...]:
    """Months after the start, each later than the one before."""
    if not said or said != sorted(set(said)):
        raise Misdescribed(
            f"[plan.waves] {instrument!r} is no list of months, each later than the one before.",
            f"Write the months after the start: {instrument} = [0, 6, 12].",
            value=str(said),
        )
    return tuple(said)


def _watch(measure: str, said: Mapping[str, Any]) -> Watch:
    where = f"[plan.watch.{measure}]"
    check_keys(said, where=where, needed=(), also=Watch.__dataclass_fields__)
    check_kinds(said, {"owner": "text", "data": "text", "key_holder": "text", "delete_on": "date"}, where=where)
    return Watch(**said)


def _rebase(measure: str, said: Mapping[str, Any]) -> dict[date, str]:
    """Months and reasons: 2024-07 = "…"."""
    where, found = f"[plan.rebase.{measure}]", {}
    for month, reason in said.items():
        first = _month(month, where, 'Write 2024-07 = "why the series changed".')
        is_a(reason, "text", where=f"{where} {month!r}")
        if not reason.strip():
            raise Misdescribed(f"{where} {month!r} gives no reason.", "Say what changed the series.", value=month)
        found[first] = reason
    return found


def _trajectory(measure: str, said: Mapping[str, Any]) -> dict[str, float]:
    """Months and targets: 2025-04 = 62."""
    where, found = f"[plan.trajectory.{measure}]", {}
    for month, target in said.items():
        first = _month(month, where, "Write 2025-04 = 62.")
        is_a(target, "number", where=f"{where} {month!r}")
        if not isfinite(target):
            raise Misdescribed(f"{where} {month!r} is no number to reach.", "Write 2025-04 = 62.", value=f"{target}")
        found[f"{first:%Y-%m}"] = float(target)
    return found


def _month(said: str, where: str, example: str) -> date:
    """The first day of a month."""
    try:
        return datetime.strptime(said, "%Y-%m").date()
    except ValueError:
        raise Misdescribed(f"{where} holds {said!r}, which is no month.", example, value=said) from None
