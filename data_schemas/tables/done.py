"""Done: what the programme did, and who came."""

from __future__ import annotations

from typing import ClassVar

from data_schemas.tables._columns import Date, Number, Table, Text, Whole, column


class Sessions(Table):
    """What was held, when, and for whom."""

    session_id: Text = column("Session", "An id that never changes.", "Give each session one row.", unique=True)
    intervention: Text | None = column(
        "Intervention",
        "Which of the 21 interventions of the menu it was.",
        "Write a code of the menu, or leave it blank.",
        blank=True,
    )
    theory: Text | None = column(
        "Theory",
        "Which of the four strands it drew on most.",
        "Write one of the strands listed, or leave it blank.",
        blank=True,
        isin=("system_leadership", "complexity_science", "improvement_science", "large_scale_change"),
    )
    held_on: Date = column("Held on", "The day it was held.", "Write the day as 2026-03-31.")
    team_id: Text | None = column(
        "Team",
        "The team it was for; blank when for all.",
        "Add the team to teams.csv, or mend the id here.",
        blank=True,
        refers="teams",
    )
    place_id: Text | None = column(
        "Place",
        "The place it was for; blank when for all.",
        "Add the place to places.csv, or mend the id here.",
        blank=True,
        refers="places",
    )
    hours: Number | None = column(
        "Hours", "How long it lasted.", "Write a number of hours.", blank=True, unit="hours", ge=0
    )


class Attendance(Table):
    """Who could have come, was invited, and came."""

    session_id: Text = column(
        "Session", "Which session.", "Add the session to sessions.csv, or mend the id here.", refers="sessions"
    )
    person_id: Text = column("Person", "Who.", "Add the person to people.csv, or mend the id here.", refers="people")
    status: Text = column(
        "Status",
        "How far it went: eligible, then invited, then attended. One row a person and session, the furthest reached.",
        "Write eligible, invited or attended.",
        isin=("eligible", "invited", "attended"),
    )
    minutes: Whole | None = column(
        "Minutes", "How long they stayed.", "Write whole minutes, or leave it blank.", blank=True, unit="minutes", ge=0
    )

    class Config:
        """Each person once a session."""

        unique: ClassVar[list[str]] = ["session_id", "person_id"]
