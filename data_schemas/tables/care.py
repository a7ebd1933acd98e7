"""Care: how much is asked of people, and what was put right in the data."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from data_schemas.tables._columns import Date, Number, Table, Text, column, day, rule


class Burden(Table):
    """How long it takes to fill each questionnaire in."""

    instrument: Text = column("Instrument", "Which questionnaire.", "Write an instrument's id, once each.", unique=True)
    minutes: Number = column(
        "Minutes", "How long it takes one person.", "Write minutes, above 0.", unit="minutes", gt=0
    )


class Corrections(Table):
    """What was put right, cell by cell: applied as the data are read, so that the files stay as they came."""

    file: Text = column("File", "Which file.", "Write the file's name, such as responses.csv, or the table's.")
    row_id: Text = column(
        "Row",
        "Which row: its id where the first column gives each row one, else its number in a spreadsheet.",
        "Write the id of one row, or its number in the file.",
    )
    column_: Text = column("Column", "Which column.", "Write the column's heading.", alias="column")
    old: Text | None = column(
        "Old", "What stood there; blank when nothing did.", "Write it as it stood.", blank=True, form="prose",
        disclosive=True,
    )  # fmt: skip
    new: Text | None = column(
        "New", "What is right; blank when nothing is known.", "Write what is right.", blank=True, form="prose",
        disclosive=True,
    )  # fmt: skip
    reason: Text = column(
        "Reason", "How it is known; it stands in the report, so name nobody.", "Write the reason.", form="prose"
    )
    who: Text = column("Who", "Who decided it, by role.", "Write a role, not a name.", form="prose")
    decided_on: Date = day("Decided on", "The day it was decided.", happened=True)

    class Config:
        """One correction of a cell."""

        unique: ClassVar[list[str]] = ["file", "row_id", "column"]

    @rule("new", "Nothing is corrected: old and new are the same.", "Write what is right, or delete the row.")
    def changes_something(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """A correction has a before and an after."""
        old, new = (table[name].fillna("") if name in table else "" for name in ("old", "new"))
        return pd.Series(old != new, index=table.index)
