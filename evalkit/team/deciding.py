"""What changed in scores of places or teams: which domain decides, and which of all of them clearly moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit import circumstances
from evalkit.stats import multiplicity
from evalkit.team.profile import QUESTION
from evalkit.verdict import LEAST_PAIRS, LEVEL, Decision, decide, described

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.instrument import Instrument
    from evalkit.programme import Programme
    from evalkit.stats.change import PairedChange


def declared_domain(programme: Programme, instrument: Instrument) -> str:
    """The domain of this instrument that was declared beforehand as the one that counts, or none."""
    name, _, domain = programme.plan.primary.get("team", "").partition("/")
    return domain if name == instrument.id else ""


def question(programme: Programme, instrument: Instrument, own: str) -> str:
    """The main question where this instrument was declared to answer it, else the one of its own."""
    declared = programme.plan.primary.get("team", "").partition("/")[0]
    return QUESTION if declared == instrument.id else own


def decision(
    programme: Programme, instrument: Instrument, changes: dict[str, PairedChange], last: pd.Timestamp | None
) -> Decision:
    """The declared domain decides; without one, the tool has no overall score, so the answer is described.

    `last`: the day of the last scores, for the time that was agreed to pass first.
    """
    declared = declared_domain(programme, instrument)
    if not declared:
        return described("No domain was declared beforehand as the one that counts, and the tool has no overall score.")
    if declared not in changes:
        return described(f"Fewer than {LEAST_PAIRS} places or teams were scored at both ends.")
    return decide(
        changes[declared],
        better=instrument.better,
        worthwhile=instrument.smallest_worthwhile_change,
        value_words=instrument.validated and not instrument.self_assessed,
        too_early=circumstances.too_early(programme, programme.plan.lag_months.get(instrument.id), last),
    )


def clear(changes: dict[str, PairedChange]) -> tuple[list[str], list[str]]:
    """Domains clearly higher and clearly lower: Holm over the domains at the verdict's level."""
    adjusted = multiplicity.adjust([moved.p for moved in changes.values()], "holm").tolist()
    moved = [key for key, p in zip(changes, adjusted, strict=True) if p < LEVEL]
    return [key for key in moved if changes[key].estimate > 0], [key for key in moved if changes[key].estimate < 0]
