"""Levels and steps in words: where an answer stands, and what a finding of somebody else speaks to."""

from __future__ import annotations

from evalkit.terms import Level, Step

LEVELS: dict[Level, str] = {
    Level.INDIVIDUAL: "Leaders",
    Level.TEAM: "Organisations together",
    Level.POPULATION: "People's lives",
}
"""The three levels, as the page calls them."""
SPOKEN_OF: dict[Level | None, str] = dict(
    (*LEVELS.items(), (Level.PROCESS, "What was done"), (Level.STORY, "What people tell us"), (None, "Level not said"))
)
"""What a finding of somebody else may be about."""
CELLS: dict[str, tuple[Level | None, Step | None]] = {
    f"{about}, {step.value}" if step else about: (level, step)
    for level, about in SPOKEN_OF.items()
    for step in (*Step, None)
}
"""What a finding speaks to, in words, in the order shown: its level and its step, as far as they were said."""
