"""Answers: single answers, published scores, and who turns to whom."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from data_schemas.tables._columns import Date, Number, Table, Text, Whole, YesNo, column, reference, rule

SUBJECTS = ("person", "team", "place", "organisation", "session")


RATERS = (
    "self",
    "sponsor",
    "line_manager",
    "peer",
    "direct_report",
    "partner",
    "team_member",
    "commissioner",
    "deliverer",
    "service_user",
    "carer",
    "citizen",
)
"""As what somebody may answer."""


class Responses(Table):
    """One answer to one item: who answered, about whom, as what, on which instrument, when."""

    respondent_id: Text = column(
        "Respondent",
        "Who answered.",
        "Add the person to people.csv (or an unnamed form to respondents.csv), or mend the id here.",
        refers="people or respondents",
    )
    subject_kind: Text = column(
        "Kind of subject", "What the answer is about.", "Write one of the kinds listed.", isin=SUBJECTS
    )
    subject_id: Text = column(
        "Subject", "Whom or what the answer is about.", "Mend the id, or add it to its own table."
    )
    rater: Text = column(
        "Rater",
        "As what the respondent answered; self is the leader.",
        "Write one of the raters listed.",
        isin=RATERS,
    )
    instrument: Text = column(
        "Instrument",
        "Which questionnaire.",
        "Mend the name, or describe the questionnaire in instruments/ in this folder.",
    )
    edition: Text | None = column(
        "Edition",
        "Which edition of it; blank when there is only one.",
        "Write the edition the answers were given on.",
        blank=True,
    )
    item: Text = column("Item", "Which question of it.", "Write the key of one of the instrument's items.")
    wave: Whole | None = column(
        "Wave",
        "The round it was asked in.",
        "Add the wave to waves.csv, or mend the number.",
        blank=True,
        refers="waves",
    )
    timing: Text = column(
        "Timing",
        "Before (pre), after (post), looking back (then), or later (followup).",
        "Write pre, then, post or followup.",
        isin=("pre", "then", "post", "followup"),
    )
    answered_on: Date | None = column(
        "Answered on", "The day it was answered.", "Write the day as 2026-03-31.", blank=True, happened=True
    )
    answer: Number = column(
        "Answer",
        "The answer on the instrument's scale; blank when the item was left out.",
        "Write a step of the instrument's scale, or leave it blank.",
        blank=True,
        form="answer",
    )

    class Config:
        """One answer to one item by one respondent about one subject at one time."""

        unique: ClassVar[list[str]] = [
            "respondent_id",
            "subject_kind",
            "subject_id",
            "rater",
            "instrument",
            "edition",
            "item",
            "wave",
            "timing",
        ]

    @rule("subject_id", "A self-rating is about somebody else.", "Make the subject the respondent, or mend the rater.")
    def self_is_oneself(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """Whoever answers as `self` about a person answers about themselves."""
        about_self = (table["rater"] == "self") & (table["subject_kind"] == "person")
        return ~about_self | (table["respondent_id"] == table["subject_id"]) | table["respondent_id"].isna()


class Scores(Table):
    """Scores others worked out: published means, with or without their n and SD."""

    subject_kind: Text = column(
        "Kind of subject", "What the score is about.", "Write one of the kinds listed.", isin=SUBJECTS
    )
    subject_id: Text = column("Subject", "Whom or what the score is about.", "Mend the id, or add it to its own table.")
    organisation_id: Text | None = reference("organisation", "Whose view it is, when one organisation's.", blank=True)
    level: Text | None = column(
        "Level", "The level of staff who answered.", "Write a short word, or leave it blank.", blank=True
    )
    instrument: Text = column(
        "Instrument",
        "Which questionnaire.",
        "Mend the name, or describe the questionnaire in instruments/ in this folder.",
    )
    edition: Text | None = column(
        "Edition",
        "Which edition of it; blank when there is only one.",
        "Write the edition the score comes from.",
        blank=True,
    )
    domain: Text = column("Domain", "Which domain of it.", "Write the key of one of the instrument's domains.")
    wave: Whole | None = column(
        "Wave",
        "The round it was asked in.",
        "Add the wave to waves.csv, or mend the number.",
        blank=True,
        refers="waves",
    )
    measured_on: Date | None = column(
        "Measured on", "The day, or the first of the month.", "Write the day as 2026-03-31.", blank=True, happened=True
    )
    basis: Text = column(
        "Basis",
        "What was averaged.",
        "Write individuals, consensus, mean_of_organisations or unknown.",
        isin=("individuals", "consensus", "mean_of_organisations", "unknown"),
    )
    mean: Number = column("Mean", "The score.", "Write a number on the instrument's scale.")
    sd: Number | None = column(
        "SD", "The standard deviation, when known.", "Write a number, or leave it blank.", blank=True, ge=0
    )
    n: Whole | None = column(
        "n", "How many answers it averages, when known.", "Write a whole number, or leave it blank.", blank=True, ge=1
    )

    class Config:
        """One score for one subject, view, domain and time."""

        unique: ClassVar[list[str]] = [
            "subject_kind",
            "subject_id",
            "organisation_id",
            "level",
            "instrument",
            "edition",
            "domain",
            "wave",
            "basis",
        ]


class Ties(Table):
    """Who turns to whom: one row a tie, from the one who was asked."""

    wave: Whole = column(
        "Wave", "The round it was asked in.", "Add the wave to waves.csv, or mend the number.", refers="waves"
    )
    from_id: Text = column(
        "From", "Who named the other.", "Add the person to people.csv, or mend the id.", refers="people"
    )
    to_id: Text = column("To", "Who was named.", "Add the person to people.csv, or mend the id.", refers="people")
    relation: Text = column(
        "Relation",
        "What ties them.",
        "Write contact, trust, help or conflict.",
        isin=("contact", "trust", "help", "conflict"),
    )
    strength: Number | None = column(
        "Strength", "How strong, when asked.", "Write a number, or leave it blank.", blank=True, ge=0
    )

    class Config:
        """One tie of a kind from one person to another in a wave."""

        unique: ClassVar[list[str]] = ["wave", "from_id", "to_id", "relation"]

    @rule("to_id", "The person named themselves.", "Delete the row: a tie joins two people.")
    def joins_two_people(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """No tie leads back to where it came from."""
        return table["from_id"] != table["to_id"]


class Rosters(Table):
    """Who was asked about their ties in each wave, and who answered: the denominator of every network figure."""

    wave: Whole = column("Wave", "The round.", "Add the wave to waves.csv, or mend the number.", refers="waves")
    person_id: Text = column(
        "Person", "Who was asked.", "Add the person to people.csv, or mend the id.", refers="people"
    )
    responded: YesNo = column("Responded", "Whether they answered.", "Write yes or no.")

    class Config:
        """Each person once in a wave."""

        unique: ClassVar[list[str]] = ["wave", "person_id"]
