"""What may be planted, in each measure's own terms, and what northmere plants when nothing else is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ICFAT = "icfat"
"""Planting `icfat` plants the same change in all eight domains that are not named on their own."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that can be planted: what it is, the value that means nothing is going on, and northmere's own."""

    measure: str
    neutral: float
    default: float
    words: str


EFFECTS = (
    Effect(
        "system_leadership", 0.0, 0.40, "points of 5: population mean of leaders' own overall score, last wave − first"
    ),
    Effect("system_leadership_by_sponsors", 0.0, 0.20, "points of 5: the same, as sponsors rate leaders"),
    Effect(
        "system_leadership_by_partners", 0.0, 0.05, "points of 5: the same, as partners outside the programme rate them"
    ),
    Effect(
        "response_shift",
        0.0,
        -0.25,
        "points of 5: how leaders at the last wave rate their first-wave selves − how they did then",
    ),
    Effect("icfat_leadership", 0.0, 0.45, "points of 5: population mean of the domain, last wave − first"),
    Effect("icfat_governance", 0.0, 0.30, "points of 5: as above"),
    Effect("icfat_culture", 0.0, 0.20, "points of 5: as above"),
    Effect("icfat_engagement", 0.0, 0.35, "points of 5: as above"),
    Effect("icfat_finance", 0.0, 0.10, "points of 5: as above"),
    Effect("icfat_information", 0.0, -0.10, "points of 5: as above"),
    Effect("icfat_workforce", 0.0, -0.25, "points of 5: as above"),
    Effect("icfat_redesign", 0.0, 0.15, "points of 5: as above"),
    Effect(
        "bridging",
        0.0,
        0.06,
        "E-I index of trust ties, external against internal to one's organisation, last wave − first",
    ),
    Effect(
        "emergency_admissions_65_plus",
        1.0,
        0.98,
        "rate ratio in programme places after the start, beside what season, trend and shared events do",
    ),
    Effect("meetings", 1.0, 1.80, "rate ratio of meetings across organisations in a programme place, after the start"),
    Effect("sustainability", 0.0, 6.0, "points of 100: population mean of team members' score, last wave − first"),
    Effect("five_factors", 0.0, 0.25, "points of 5: population mean of each of the five factors, last wave − first"),
    Effect("working_together", 0.0, 0.20, "points of 5: population mean of each of the three parts, last wave − first"),
    Effect("learning", 0.0, 0.35, "points of 5: population mean of each of the five parts, last wave − first"),
    Effect("role_ambiguity", 0.0, 0.10, "points of 5, lower is better: population mean, last wave − first"),
    Effect("knowledge_and_skills", 0.0, 0.20, "points of 5: population mean of each dimension, last wave − first"),
    Effect(
        "leadership_styles",
        0.0,
        0.12,
        "share who lead by coaching, last wave − first; the share who lead by pacesetting moves as far the other way",
    ),
    Effect(
        "staying_power",
        0.0,
        -0.30,
        "points of 5: population mean of each of the four parts, second wave − first; back at the first by the last",
    ),
    Effect("network_form", 0.0, 0.20, "share of features that are a network's, second look − first"),
)
"""A believable story, not a rosy one: leaders say most, sponsors half of it, partners next to nothing; two domains of
eight go down, and leaders are torn a little more; the admissions ratio is too near 1 for 60 months of this size to
show."""


def planted(effects: Mapping[str, float] | None) -> dict[str, float]:
    """Every measure's true effect: the defaults for None, otherwise the neutral value unless named.

    >>> planted({})["emergency_admissions_65_plus"], planted({"icfat": 0.3})["icfat_culture"]
    (1.0, 0.3)
    """
    if effects is None:
        return {effect.measure: effect.default for effect in EFFECTS}
    known = {effect.measure: effect.neutral for effect in EFFECTS}
    unknown = sorted(set(effects) - set(known) - {ICFAT})
    if unknown:
        raise ValueError(f"No effect can be planted on {', '.join(unknown)}. Known: {', '.join([ICFAT, *known])}.")
    if ICFAT in effects:
        known |= {measure: float(effects[ICFAT]) for measure in known if measure.startswith(f"{ICFAT}_")}
    known |= {measure: float(value) for measure, value in effects.items() if measure != ICFAT}
    for effect in EFFECTS:
        if effect.neutral and known[effect.measure] < 0:
            raise ValueError(
                f"The rate ratio of {effect.measure} is below 0: write 1 for no change, 0.95 for 5 % fewer."
            )
    return known
