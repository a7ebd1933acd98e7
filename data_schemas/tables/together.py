"""Working together: meetings, disagreements, what was promised, and what organisations do about it."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from data_schemas.tables._columns import (
    Date,
    Table,
    Text,
    YesNo,
    column,
    day,
    differ,
    in_order,
    key,
    needs,
    party,
    reference,
    rule,
)


class Meetings(Table):
    """Meetings across organisations that were held. A missing table means not recorded, not that nobody met."""

    meeting_id: Text = key("Meeting")
    held_on: Date = day("Held on", "The day it was held.", happened=True)
    place_id: Text | None = reference(
        "place", "The place it was about; blank when about all.", blank=True, for_all=True
    )
    team_id: Text | None = reference("team", "The team that met, when one did.", blank=True)
    mode: Text | None = column(
        "Mode",
        "How people met.",
        "Write face_to_face, video, telephone or mixed.",
        blank=True,
        isin=("face_to_face", "video", "telephone", "mixed"),
    )
    purpose: Text | None = column(
        "Purpose",
        "Business: there was something to decide. Relational: to know each other better.",
        "Write business or relational: the one it was held for.",
        blank=True,
        isin=("business", "relational"),
    )


class MeetingAttendance(Table):
    """Who was asked to each meeting, and who came: where only comers were noted, every row says yes."""

    meeting_id: Text = column(
        "Meeting", "Which meeting.", "Add the meeting to meetings.csv, or mend the id here.", refers="meetings"
    )
    person_id: Text = reference("person", "Who.")
    present: YesNo = column("Present", "Whether the person came.", "Write yes or no.")

    class Config:
        """Each person once a meeting."""

        unique: ClassVar[list[str]] = ["meeting_id", "person_id"]


class Conflicts(Table):
    """Disagreements that were brought into the open.

    A missing table or an empty log means not recorded, not none; and none would be no good sign either.
    """

    conflict_id: Text = key("Conflict")
    place_id: Text | None = reference("place", "The place it arose in; blank when not known.", blank=True)
    team_id: Text | None = reference("team", "The team it arose in, when in one.", blank=True)
    raised_on: Date = day("Raised on", "The day it was brought into the open.", happened=True)
    kind: Text | None = column(
        "Kind",
        "Between individuals, professions or organisations.",
        "Write individual, professional or organisational.",
        blank=True,
        isin=("individual", "professional", "organisational"),
    )
    resolved_on: Date | None = day("Resolved on", "The day it ended; blank while open.", blank=True, happened=True)
    outcome: Text | None = column(
        "Outcome",
        "How it ended: all sides gained, each gave something, one gave way, others decided, or it was set aside.",
        "Write one of the outcomes listed; leave it blank while the conflict is open.",
        blank=True,
        isin=("all_gained", "each_gave_something", "one_gave_way", "others_decided", "set_aside"),
    )

    @rule("resolved_on", "The conflict was resolved before it was raised.", "Check both dates.")
    def resolved_after_raising(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """`raised_on` comes first."""
        return in_order(table, "raised_on", "resolved_on")

    @rule("outcome", "The conflict was resolved, and how is not said.", "Write the outcome, or remove the date.")
    def says_how_it_ended(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """A day without an outcome would count as resolved and as nothing else."""
        return needs(table, "resolved_on", "outcome")


class Compacts(Table):
    """What was promised to whom, and whether it was kept: one row a promise."""

    compact_id: Text = key("Compact")
    kind: Text = column(
        "Kind",
        "Between the programme and its participants, participants with each other, or participants and sponsors.",
        "Write one of the kinds listed.",
        isin=("programme_and_participants", "participants_with_each_other", "participants_and_sponsors"),
    )
    party_a: Text = party("Who promised", "The person, team or organisation that promised.")
    party_b: Text = party("To whom", "The person, team or organisation it was promised to.")
    commitment: Text = column("Commitment", "What was promised.", "Write what was promised.", form="prose")
    agreed_on: Date = day("Agreed on", "The day it was agreed.", happened=True)
    due_on: Date | None = day("Due on", "The day it was to be done by; blank when it goes on.", blank=True)
    met: YesNo | None = column(
        "Kept", "Whether it was kept; blank while nobody can tell.", "Write yes or no.", blank=True
    )
    met_on: Date | None = day("Kept on", "The day it was kept.", blank=True, happened=True)
    reason: Text | None = column(
        "Reason", "Why it was not kept, or how it came to be.", "Write the reason.", blank=True, form="prose"
    )

    @rule("party_b", "Somebody promised something to themselves.", "A compact is between two: mend one of them.")
    def between_two(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """A promise has two ends."""
        return differ(table, "party_a", "party_b")

    @rule("due_on", "It was due before it was agreed.", "Check both dates.")
    def due_after_agreeing(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """`agreed_on` comes first."""
        return in_order(table, "agreed_on", "due_on")

    @rule("met_on", "It was kept before it was agreed.", "Check both dates.")
    def kept_after_agreeing(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """`agreed_on` comes first."""
        return in_order(table, "agreed_on", "met_on")

    @rule("met", "There is a day it was kept on, and it is not said to be kept.", "Write yes, or remove the day.")
    def day_means_kept(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """Only what was kept was kept on a day."""
        if "met_on" not in table:
            return pd.Series(True, index=table.index)
        kept = table["met"].fillna(False).astype(bool) if "met" in table else False
        return table["met_on"].isna() | kept


class Drivers(Table):
    """What leaders' own organisations do so that new ways of leading last: one row a driver and day of looking."""

    organisation_id: Text = reference("organisation", "Whose.")
    kind: Text = column(
        "Kind",
        "Reinforce, monitor, encourage or reward: what the organisation does about the new behaviour.",
        "Write reinforce, monitor, encourage or reward.",
        isin=("reinforce", "monitor", "encourage", "reward"),
    )
    present: YesNo = column("Present", "Whether it was there.", "Write yes or no.")
    observed_on: Date = day("Observed on", "The day somebody looked.", happened=True)

    class Config:
        """One look a day at each driver of an organisation."""

        unique: ClassVar[list[str]] = ["organisation_id", "kind", "observed_on"]


class Observations(Table):
    """What an observer found a place to be like, feature by feature: with two coders one can see if they agree."""

    place_id: Text = reference("place", "Where.")
    feature: Text = column("Feature", "Which feature of the scheme was looked at.", "Write a feature of the scheme.")
    form: Text = column("Form", "Which form of it was found.", "Write one of the forms the scheme gives the feature.")
    coder: Text = column("Coder", "Who looked, by an id, never a name.", "Write the coder's id.")
    observed_on: Date = day("Observed on", "The day of looking.", happened=True)

    class Config:
        """One finding a place, feature, coder and day."""

        unique: ClassVar[list[str]] = ["place_id", "feature", "coder", "observed_on"]
