"""What is measured about people's lives: its unit and direction, whom it concerns, how long it may take to move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from data_schemas.catalogues import Misdescribed, check_keys, check_kinds, read_toml
from evalkit.resources import catalogues


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure. `better` is the direction that is good; `per` the multiplier of a rate (100 000 people).

    `seasonal`: it follows the time of year. `leading`: a short-term sign rather than the result itself.
    `expected_lag_months`: how long after the start a change may take to show; None when nobody says.
    `largest_plausible_change`: more than this nobody expects of a programme, as a ratio for counts. A number that
    was never checked against its source has its `…_verified` False, and the report says so.
    """

    id: str
    label: str
    unit: str
    better: Literal["higher", "lower"]
    kind: Literal["count", "rate", "proportion", "score"]
    beneficiary: Literal["patients", "citizens", "staff", "taxpayers"]
    source: str
    validated: bool
    per: float = 1.0
    seasonal: bool = False
    leading: bool = False
    target: float | None = None
    expected_lag_months: int | None = None
    expected_lag_source: str = ""
    expected_lag_verified: bool = False
    smallest_worthwhile_change: float | None = None
    smallest_worthwhile_change_source: str = ""
    smallest_worthwhile_change_verified: bool = False
    largest_plausible_change: float | None = None
    largest_plausible_change_source: str = ""
    largest_plausible_change_verified: bool = False

    @property
    def out_of(self) -> float:
        """Out of how many a value is told: 100 for a share, else `per`."""
        return 100.0 if self.kind == "proportion" else self.per


def read(path: Path) -> dict[str, Measure]:
    """The measures a TOML file describes, by id. Raises Misdescribed, naming the key, where one does not hold."""
    said = read_toml(path)
    measures = {name: part for name, part in said.items() if name != "schema"}
    return {name: build(name, part) for name, part in measures.items()}


def shipped() -> dict[str, Measure]:
    """The measures that come with evalkit, by id.

    >>> shipped()["emergency_admissions_65_plus"].better
    'lower'
    """
    return dict(_shipped())


@cache
def _shipped() -> Mapping[str, Measure]:
    """Read once: they are frozen."""
    return read(catalogues() / "measures.toml")


def build(name: str, said: Mapping[str, Any]) -> Measure:
    """A measure from its description, every key checked."""
    where = f"The measure {name!r}"
    check_keys(said, where=where, needed=_NEEDED, also=_ALSO)
    check_kinds(said, {key: _KINDS.get(key, "text") for key in said}, where=where)
    for key, allowed in _MENUS.items():
        if said[key] not in allowed:
            raise Misdescribed(
                f"{where}: {key!r} is not one of its words.", f"Write {', '.join(allowed)}.", value=said[key]
            )
    plain = {key: said[key] for key in said if key not in _NUMBERS}
    numbers: dict[str, Any] = {}
    for key, known_as in _NUMBERS.items():
        if key in said:
            check_keys(said[key], where=f"{where}: {key!r}", needed=("value", "source", "verified"))
            kind = "whole number" if key == "expected_lag_months" else "number"
            check_kinds(
                said[key], {"value": kind, "source": "text", "verified": "yes or no"}, where=f"{where}: {key!r}"
            )
            numbers |= {key: said[key]["value"], f"{known_as}_source": said[key]["source"]}
            numbers[f"{known_as}_verified"] = said[key]["verified"]
    return Measure(id=name, **plain, **numbers)


_NEEDED = ("label", "unit", "better", "kind", "beneficiary", "source", "validated")
_ALSO = ("per", "seasonal", "leading", "target", "expected_lag_months", "smallest_worthwhile_change",
         "largest_plausible_change")  # fmt: skip
_NUMBERS = {
    "expected_lag_months": "expected_lag",
    "smallest_worthwhile_change": "smallest_worthwhile_change",
    "largest_plausible_change": "largest_plausible_change",
}
_KINDS = {
    "validated": "yes or no",
    "seasonal": "yes or no",
    "leading": "yes or no",
    "per": "number",
    "target": "number",
    "expected_lag_months": "table",
    "smallest_worthwhile_change": "table",
    "largest_plausible_change": "table",
}
_MENUS = {
    "better": ("higher", "lower"),
    "kind": ("count", "rate", "proportion", "score"),
    "beneficiary": ("patients", "citizens", "staff", "taxpayers"),
}
