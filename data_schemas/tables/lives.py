"""People's lives: what happened to patients and citizens, how many there were of them, and what others found."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from data_schemas.tables._columns import (
    IN_PARTS,
    Date,
    Number,
    Table,
    Text,
    Whole,
    at_least_one,
    column,
    day,
    in_order,
    key,
    range_holds,
    reference,
    rule,
)

AGE_BAND = r"^([0-9]{1,3}-[0-9]{1,3}|[0-9]{1,3}\+)\Z"
SEXES = ("female", "male", "persons")
SPANS = (1, 3, 12)
PERIOD = "The month, quarter or financial year the figure is for."
AS_WRITTEN = "Write a month as 2024-03, a quarter as 2024/25 Q1, a financial year as 2024/25."


class Outcomes(Table):
    """A measure in a place and period: a count and its denominator, or a value."""

    measure: Text = column(
        "Measure",
        "Which measure.",
        "Mend the id, or describe the measure in measures.toml in this folder.",
    )
    place_id: Text = reference("place", "Where.")
    period: Date = column("Period", PERIOD, AS_WRITTEN, form="period", happened=True)
    span: Whole | None = column(
        "Months covered",
        "1, 3 or 12: worked out from how the period is written, and need not be typed.",
        "Leave it out: it follows from the period.",
        blank=True,
        unit="months",
        isin=SPANS,
        derived="period",
    )
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
        """One figure a measure, place, period and group."""

        unique: ClassVar[list[str]] = ["measure", "place_id", "period", "span", "age_band", "sex", "quintile"]

    @rule("count", "The row holds neither a count nor a value.", "Write one of them, or delete the row.")
    def says_something(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """A wholly blank row is not a zero."""
        return at_least_one(table, "count", "value")


class Denominators(Table):
    """How many people of each group lived in a place."""

    place_id: Text = reference("place", "Where.")
    period: Date = column("Period", PERIOD, AS_WRITTEN, form="period")
    span: Whole | None = column(
        "Months covered",
        "1, 3 or 12: worked out from how the period is written, and need not be typed.",
        "Leave it out: it follows from the period.",
        blank=True,
        unit="months",
        isin=SPANS,
        derived="period",
    )
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
        """One figure a place, period and group."""

        unique: ClassVar[list[str]] = ["place_id", "period", "span", "age_band", "sex", "quintile"]


class Admissions(Table):
    """Admissions to hospital, one row each: about single patients, so never shown, and counted before anything else."""

    place_id: Text = reference("place", "Where the patient lived.")
    admitted_on: Date = day("Admitted on", "The day of admission.", happened=True, disclosive=True)
    age: Whole | None = column(
        "Age",
        "The patient's age on that day.",
        "Write whole years, 0 to 120.",
        blank=True,
        unit="years",
        disclosive=True,
        in_range={"min_value": 0, "max_value": 120},
    )
    sex: Text | None = column(
        "Sex", "Female or male; blank when not known.", "Write female or male.", blank=True, isin=("female", "male")
    )
    quintile: Whole | None = column(
        "Deprivation quintile",
        "1 is the most deprived fifth, 5 the least; blank when not known.",
        "Write 1 to 5, or leave it blank.",
        blank=True,
        in_range={"min_value": 1, "max_value": 5},
    )
    person_id: Text | None = column(
        "Patient",
        "A number made up for the patient, so that a second admission can be told from a second patient; it stands in "
        "no other table.",
        "Write a made-up number, never an NHS number, or leave it blank.",
        blank=True,
        disclosive=True,
    )

    class Config:
        """One row a patient's stay: read in parts, never held whole."""

        metadata: ClassVar[dict[str, bool]] = {IN_PARTS: True}


class RiskTiers(Table):
    """How many people of a place stand in each tier of risk, and how many of those the programme reaches."""

    place_id: Text = reference("place", "Where.")
    counted_on: Date = day("Counted on", "The day of counting.", happened=True)
    tier: Text = column("Tier", "Which tier, in local words, such as top 2%.", "Write the tier's short name.")
    people: Whole = column("People", "How many stand in it.", "Write a whole number, 0 or more.", unit="people", ge=0)
    reached: Whole | None = column(
        "Reached", "How many of them the programme reaches.", "Write a whole number.", blank=True, unit="people", ge=0
    )

    class Config:
        """One count a place, day and tier."""

        unique: ClassVar[list[str]] = ["place_id", "counted_on", "tier"]

    @rule("reached", "More people are reached than stand in the tier.", "Check both numbers.")
    def reached_are_among_them(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """Nobody outside the tier is counted."""
        return in_order(table, "reached", "people")


class Findings(Table):
    """What somebody else found and published: shown beside our own answers, and not worked out again by us."""

    finding_id: Text = key("Finding")
    statement: Text = column("Statement", "What was found, in one sentence.", "Write the sentence.", form="prose")
    source: Text = column("Source", "Where it stands: author, title, year, page.", "Write the source.", form="prose")
    level: Text | None = column(
        "Level",
        "What it is about.",
        "Write individual, team, population, process or story.",
        blank=True,
        isin=("individual", "team", "population", "process", "story"),
    )
    step: Text | None = column(
        "Step",
        "Which of Kirkpatrick's four steps it speaks to, when one.",
        "Write reaction, learning, behaviour or results, or leave it blank.",
        blank=True,
        isin=("reaction", "learning", "behaviour", "results"),
    )
    place_id: Text | None = reference("place", "The place, when about one.", blank=True, for_all=True)
    design: Text | None = column(
        "Design",
        "How it was found: described once, before and after, an interrupted series, compared, or randomised.",
        "Write one of the designs listed.",
        blank=True,
        isin=("described", "before_after", "interrupted", "compared", "randomised"),
    )
    measure: Text | None = column(
        "Measure", "What was measured, as a measure's id or in words.", "Write it.", blank=True, form="prose"
    )
    unit: Text | None = column("Unit", "What the figures count.", "Write the unit.", blank=True, form="prose")
    estimate: Number | None = column("Estimate", "The figure.", "Write a number, or leave it blank.", blank=True)
    low: Number | None = column("Low", "The lower end of its interval.", "Write a number.", blank=True)
    high: Number | None = column("High", "The upper end of its interval.", "Write a number.", blank=True)
    n: Whole | None = column("n", "On how many it rests.", "Write a whole number, 1 or more.", blank=True, ge=1)
    checked_by: Text | None = column(
        "Checked by", "Who checked it against its source, by role.", "Write a role, not a name.", blank=True
    )

    @rule("estimate", "The figure does not lie between its low and its high.", "Check the three numbers.")
    def figure_lies_within(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """Low, estimate, high."""
        return range_holds(table, "low", "estimate", "high")
