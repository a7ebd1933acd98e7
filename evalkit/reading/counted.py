"""`[admissions]` of programme.toml: into which measure admissions, a row a stay, are counted as the data are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data_schemas.catalogues import Misdescribed, check_keys, check_kinds, is_a, nearest
from evalkit.reading.counting import GROUPS, LAST_BAND, YEARS_A_BAND, Group

ALL = "all"
"""Says that every age is counted."""

HOW = 'Write ages = "65+", ages = "65-84" or ages = "all".'


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The measure admissions become, whose ages are counted, and by what groups beside place and month.

    `ages`: the first and last age, whole bands of five years, the last being without end at 90 and over; None is all.
    """

    measure: str
    ages: tuple[int, int] | None
    by: tuple[Group, ...] = ("age_band",)

    @property
    def whose(self) -> str:
        """The ages in words.

        >>> Counted(measure="x", ages=(65, 999)).whose
        'people aged 65 and over'
        """
        if self.ages is None:
            return "people of all ages"
        low, high = self.ages
        return f"people aged {low} and over" if high >= ENDLESS else f"people aged {low} to {high}"


ENDLESS = 999
"""The last age of those who have none."""


def counted(said: Mapping[str, Any] | None) -> Counted | None:
    """The declaration, every key checked; None where there is none. Raises Misdescribed."""
    if said is None:
        return None
    check_keys(said, where="[admissions]", needed=("measure", "ages"), also=("by",))
    check_kinds(said, {"measure": "text", "ages": "text", "by": "list"}, where="[admissions]")
    by = said.get("by", ["age_band"])
    for group in by:
        is_a(group, "text", where="[admissions] by")
        if group not in GROUPS:
            raise Misdescribed(f"[admissions] by: nothing counts by {group!r}.", nearest(group, GROUPS), value=group)
    kept = tuple(group for group in GROUPS if group in by)
    return Counted(measure=said["measure"], ages=ages(said["ages"]), by=kept)


def ages(text: str) -> tuple[int, int] | None:
    """The first and last age, or None for all. Raises Misdescribed where a band of five years would be cut.

    >>> ages("65+"), ages("65-84"), ages("all")
    ((65, 999), (65, 84), None)
    """
    if text == ALL:
        return None
    found = re.match(r"([0-9]{1,2})(?:\+|-([0-9]{1,2}))\Z", text)
    if found is None:
        raise Misdescribed("[admissions] ages are not written so that evalkit reads them.", HOW, value=text)
    low, high = int(found[1]), int(found[2]) if found[2] else ENDLESS
    whole = low % YEARS_A_BAND == 0 and low <= LAST_BAND
    whole = whole and (high == ENDLESS or ((high + 1) % YEARS_A_BAND == 0 and low < high < LAST_BAND))
    if not whole:
        words = "[admissions] ages cut a band of five years, or those of 90 and over, in two."
        raise Misdescribed(words, f"Begin with 0, 5, 10 and so on, and end before one of them. {HOW}", value=text)
    return low, high
