"""Domains judged together: which of them clearly moved, and how sure one may be when many are asked at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalkit import words
from evalkit.stats import multiplicity
from evalkit.verdict import LEVEL

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme
    from evalkit.stats.panel import PanelChange

HIGHER, LOWER = "higher", "lower"


@dataclass(frozen=True, slots=True)
class Judged:
    """`adjusted`: each judged domain's p, by Holm within its family; `clear`: those that moved, and which way.

    `declared` says whether the families stand in `[plan.families]`; `left` are the domains in none of them, shown and
    never judged.
    """

    adjusted: Mapping[str, float]
    clear: Mapping[str, str]
    declared: bool
    left: tuple[str, ...]


def judged(programme: Programme, instrument: Instrument, found: Mapping[str, PanelChange]) -> Judged:
    """The domains after the first, which decides by itself, judged within their declared families, else all together.

    A family names domains ("system_leadership/innovation") or a whole instrument. Holm holds the chance that any of a
    family is called clear though nothing moved at 3 of 100.
    """
    rest = [*found][1:]
    families = [
        [key for key in rest if instrument.id in names or f"{instrument.id}/{key}" in names]
        for names in programme.plan.families.values()
    ]
    families = [family for family in families if family]
    adjusted: dict[str, float] = {}
    for family in families or [rest]:
        p = multiplicity.adjust([found[key].p for key in family], "holm").tolist()
        adjusted |= {key: max(p, adjusted.get(key, 0.0)) for key, p in zip(family, p, strict=True)}
    clear = {key: HIGHER if found[key].estimate > 0 else LOWER for key, p in adjusted.items() if p < LEVEL}
    return Judged(adjusted, clear, bool(families), tuple(key for key in rest if key not in adjusted))


def apart(others: Judged, instrument: Instrument, order: list[str]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A sentence on the domains beside the one that decides, with the rows it rests on; none where there are none."""
    if not others.adjusted:
        return
    moved = {way: [key for key, found in others.clear.items() if found == way] for way in (HIGHER, LOWER)}
    told = [
        f"{len(keys)} {'is' if len(keys) == 1 else 'are'} clearly {way} "
        f"({words.listed([instrument.domain_labels[key] for key in keys])})"
        for way, keys in moved.items()
        if keys
    ]
    which = "in the families declared beforehand" if others.declared else "together"
    yield (
        f"Of {words.counted(len(others.adjusted), 'domain')} judged {which}, "
        f"{words.listed(told) if told else 'none is clearly higher or lower'}.",
        tuple(order.index(key) for key in others.adjusted),
    )
