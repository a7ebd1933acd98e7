"""When: the waves of questions, and the other things that happened."""

from __future__ import annotations

import pandas as pd

from data_schemas.tables._columns import Date, Table, Text, Whole, column, in_order, rule


class Waves(Table):
    """The rounds in which questions were asked."""

    wave: Whole = column(
        "Wave", "The round's number; 0 or 1 is the baseline.", "Give each wave one row.", unique=True, ge=0
    )
    label: Text | None = column("Label", "What the round is called.", "Write a short name.", blank=True, form="prose")
    opens_on: Date | None = column("Opens", "The first day of asking.", "Write the day as 2026-03-31.", blank=True)
    closes_on: Date | None = column("Closes", "The last day of asking.", "Write the day as 2026-03-31.", blank=True)

    @rule("closes_on", "The wave closes before it opens.", "Check both dates.")
    def closes_after_opening(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """`opens_on` comes first."""
        return in_order(table, "opens_on", "closes_on")


class Events(Table):
    """What else happened: other programmes, shocks, and changes of definition or boundary."""

    event_id: Text = column("Event", "An id that never changes.", "Give each event one row.", unique=True)
    place_id: Text | None = column(
        "Place",
        "Where it happened; blank when everywhere.",
        "Add the place to places.csv, or mend the id here.",
        blank=True,
        refers="places",
        for_all=True,
    )
    starts_on: Date = column("Starts", "The first day.", "Write the day as 2026-03-31.")
    ends_on: Date | None = column(
        "Ends", "The last day; blank when it goes on.", "Write the day as 2026-03-31.", blank=True
    )
    kind: Text = column(
        "Kind",
        "What kind of thing happened.",
        "Write one of the kinds listed.",
        isin=("concurrent_intervention", "definition_change", "boundary_change", "shock"),
    )
    name: Text = column("Name", "What it was called.", "Write the name.", form="prose")
    measure: Text | None = column(
        "Measure",
        "The measure it touches; blank when all.",
        "Write the id of a measure, or describe it in measures.toml in this folder.",
        blank=True,
    )

    @rule("ends_on", "The event ends before it starts.", "Check both dates.")
    def ends_after_starting(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """`starts_on` comes first."""
        return in_order(table, "starts_on", "ends_on")
