"""A named blank: a question these data could not answer, carried from a notebook's cell to the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from evalkit.terms import Level

MIME = "application/vnd.evalkit.refusal+json"


@dataclass(frozen=True, slots=True)
class Blank:
    """What was asked, what is missing, and what would answer it. `level` is None when no room was asked."""

    question: str
    missing: str
    would_answer: str
    level: Level | None

    def to_json(self) -> dict[str, Any]:
        """The blank as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Blank:
        """The blank again.

        >>> blank = Blank("Are people leading differently?", "One wave.", "A second wave.", Level.INDIVIDUAL)
        >>> Blank.from_json(blank.to_json()) == blank
        True
        """
        level = Level(plain["level"]) if plain["level"] else None
        return cls(plain["question"], plain["missing"], plain["would_answer"], level)
