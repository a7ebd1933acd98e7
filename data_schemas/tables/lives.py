"""People's lives: what happened to patients and citizens, and how many there were of them."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from data_schemas.tables._columns import Date, Number, Table, Text, Whole, column, rule

AGE_BAND = r"^([0-9]{1,3}-[0-9]{1,3}|[0-9]{1,3}\+)\Z"
SEXES = ("female", "male", "persons")


class Outcomes(Table):
    """A measure in a place and month: a count and its denominator, or a value."""

    measure: Text = column(
        "Measure",
        "Which measure.",
        "Mend the id, or describe the measure in measures.toml in this folder.",
    )
    place_id: Text = column("Place", "Where.", "Add the place to places.csv, or mend the id here.", refers="places")
    period: Date = column("Period", "The month.", "Write the month as 2024-03.", form="month", happened=True)
    age_band: Text | None = column(
        "Age band", "Ages, as 65-69 or 90+; blank for all.", "Write 65-69 or 90+.", blank=True, str_matches=AGE_BAND
    )
    sex: Text | None = column(
        "Sex", "Female, male or persons; blank for all.", "Write female, male or persons.", blank=True, isin=SEXES
    )
    quintile: Whole | None = column(
        "Deprivation quintile",
        "1 is the most deprived fifth, 5 the least; blank for all.",
        "Write 1 to 5, or leave it blank.",
        blank=True,
        in_range={"min_value": 1, "max_value": 5},
    )
    count: Whole | None = column("Count", "How many.", "Write a whole number, 0 or more.", blank=True, ge=0)
    denominator: Number | None = column(
        "Denominator", "Out of how many.", "Write a number above 0, or leave it blank.", blank=True, gt=0
    )
    value: Number | None = column(
        "Value", "The figure itself, when it is not a count.", "Write a number, or leave it blank.", blank=True
    )

    class Config:
        """One figure a measure, place, month and group."""

        unique: ClassVar[list[str]] = ["measure", "place_id", "period", "age_band", "sex", "quintile"]

    @rule("count", "The row holds neither a count nor a value.", "Write one of them, or delete the row.")
    def says_something(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """A wholly blank row is not a zero."""
        held = [table[name].notna() for name in ("count", "value") if name in table]
        return pd.Series(False, index=table.index) if not held else held[0] | held[-1]


class Denominators(Table):
    """How many people of each group lived in a place."""

    place_id: Text = column("Place", "Where.", "Add the place to places.csv, or mend the id here.", refers="places")
    period: Date = column("Period", "The month.", "Write the month as 2024-03.", form="month")
    age_band: Text | None = column(
        "Age band", "Ages, as 65-69 or 90+; blank for all.", "Write 65-69 or 90+.", blank=True, str_matches=AGE_BAND
    )
    sex: Text | None = column(
        "Sex", "Female, male or persons; blank for all.", "Write female, male or persons.", blank=True, isin=SEXES
    )
    quintile: Whole | None = column(
        "Deprivation quintile",
        "1 is the most deprived fifth, 5 the least; blank for all.",
        "Write 1 to 5, or leave it blank.",
        blank=True,
        in_range={"min_value": 1, "max_value": 5},
    )
    population: Number = column("Population", "How many people.", "Write a number, 0 or more.", unit="people", ge=0)

    class Config:
        """One figure a place, month and group."""

        unique: ClassVar[list[str]] = ["place_id", "period", "age_band", "sex", "quintile"]
