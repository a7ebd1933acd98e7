"""A questionnaire as data: its items, scale, domains and direction, and the rule that turns answers into scores."""

from evalkit.instrument.adaptation import differences
from evalkit.instrument.description import build
from evalkit.instrument.files import adapt, read, shipped
from evalkit.instrument.parts import MOST_STEPS, OVERALL, Band, Domain, Item, Overall, Scale
from evalkit.instrument.questionnaire import OCCASION, Instrument

__all__ = [
    "MOST_STEPS",
    "OCCASION",
    "OVERALL",
    "Band",
    "Domain",
    "Instrument",
    "Item",
    "Overall",
    "Scale",
    "adapt",
    "build",
    "differences",
    "read",
    "shipped",
]
