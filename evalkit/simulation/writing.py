"""An invented programme as a folder: tables, settings, the truth, and a README that says FICTIONAL first."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_schemas.tables import models
from evalkit import reading
from evalkit.reading.settings import Settings
from evalkit.simulation.effects import EFFECTS, Effect, planted
from evalkit.simulation.scenario import Scenario, shipped
from evalkit.simulation.truth import MEANINGS

if TYPE_CHECKING:
    from evalkit.programme import Programme

SETTINGS_HEAD = "# FICTIONAL: invented by evalkit from a seed. No person, place or body here is real."


def write(programme: Programme, folder: str | Path) -> Path:
    """Write a simulated programme to a folder that `ek.load` reads back; the same programme gives the same bytes.

    Files of the same name are replaced, others are left alone. Raises ValueError for a programme that was not
    simulated: somebody's real data are never written out again as invented ones.
    """
    truth = programme.truth
    if truth is None or not truth.get("fictional"):
        raise ValueError("Only a simulated programme can be written: this one has no truth. Make one with ek.simulate.")
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for table in models():
        if programme.has(table):
            frame = getattr(programme, table)
            put(target / f"{table}.csv", reading.to_csv_text(frame, table, programme.instruments))
    put(target / "programme.toml", settings_text(programme))
    put(target / "truth.toml", f"{SETTINGS_HEAD}\n{_toml(truth)}")
    put(target / "README.md", _readme(truth))
    return target


def put(path: Path, text: str) -> None:
    """UTF-8 and LF on every system, or the bytes would differ."""
    path.write_bytes(text.encode("utf-8"))


def settings_text(programme: Programme) -> str:
    """`programme.toml`, blank settings left out."""
    said = {name: getattr(programme.settings, name) for name in Settings.__dataclass_fields__}
    parts = {name: _filled(asdict(said.pop(name))) for name in ("plan", "people", "pseudonyms")}
    return f"{SETTINGS_HEAD}\n{_toml({'schema': 1, **_filled(said), **_filled(parts)})}"


def _filled(said: Mapping[str, Any]) -> dict[str, Any]:
    """What says anything, at every depth."""
    within = {name: _filled(value) if isinstance(value, Mapping) else value for name, value in said.items()}
    return {name: value for name, value in within.items() if value not in (None, "", {}, ())}


def _toml(said: Mapping[str, Any], within: str = "") -> str:
    """Plain values first, then each table under its own heading, in the order given."""
    plain = "".join(
        f"{_key(name)} = {_value(value)}\n" for name, value in said.items() if not isinstance(value, Mapping)
    )
    tables = [(f"{within}{_key(name)}", part) for name, part in said.items() if isinstance(part, Mapping)]
    return plain + "".join(
        (f"\n[{name}]\n" if _has_plain(part) else "") + _toml(part, f"{name}.") for name, part in tables
    )


def _key(name: str) -> str:
    """A key as it may stand: one with spaces, such as an answer in words, between quotes."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _has_plain(part: Mapping[str, Any]) -> bool:
    return not part or any(not isinstance(value, Mapping) for value in part.values())


def _value(value: Any) -> str:
    """One TOML value: JSON's escapes for text are TOML's too."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    return value.isoformat() if isinstance(value, date) else repr(value)


def _readme(truth: Mapping[str, Any]) -> str:
    """The template beside this module, filled in from the truth alone."""
    scenario, trust = truth["scenario"], truth["expected"]["bridging"]["trust"]
    template = (Path(__file__).parent / "readme.md").read_text(encoding="utf-8")
    return template.format(
        **scenario,
        seed=truth["seed"],
        arguments=_arguments(truth),
        comparison_places=scenario["places"] - scenario["programme_places"],
        stories=len(shipped("stories")["stories"]),
        rows="\n".join(_row(effect, truth["effects"][effect.measure]) for effect in EFFECTS),
        meanings="\n".join(f"| `{name}` | {words} |" for name, words in MEANINGS.items()),
        elsewhere=_elsewhere(truth["elsewhere"]),
        first=trust["first"],
        last=trust["last"],
    )


def _arguments(truth: Mapping[str, Any]) -> str:
    """What was said to `ek.simulate` beside the seed, as it would be typed."""
    usual = Scenario(effects=planted(None))
    said = {name: value for name, value in truth["scenario"].items() if value != getattr(usual, name)}
    if truth["effects"] != usual.effects:
        neutral = planted({})
        said["effects"] = {name: value for name, value in truth["effects"].items() if value != neutral[name]}
    return "".join(f", {name}={value!r}" for name, value in said.items())


def _row(effect: Effect, value: float) -> str:
    """One line of the table of effects: a ratio with ×, a difference with its sign."""
    shown = f"× {value:.2f}" if effect.neutral else f"{value:+.2f}"
    return f"| `{effect.measure}` | {shown} | {effect.words} |"


def _elsewhere(ratios: Mapping[str, float]) -> str:
    if not ratios:
        return "No shock, no change of definition and no other scheme is in these figures.\n"
    return ELSEWHERE.format(**ratios)


ELSEWHERE = """Not the programme's doing, in `events.csv` and in the figures everywhere alike: winter pressures in
January and February 2025 (admissions × {shock_rate_ratio:.2f}), and same-day emergency care counted from April 2022
(× {definition_change_rate_ratio:.2f}). The Neighbours' Larder scheme, in some programme places from September 2024,
stands in `events.csv` and changes nothing (× {other_scheme_rate_ratio:.2f}).
"""
