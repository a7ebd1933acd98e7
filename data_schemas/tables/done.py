"""Done: what the programme offered, agreed and held, and whom it reached."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from data_schemas.tables._columns import (
    Date,
    Number,
    Table,
    Text,
    Whole,
    YesNo,
    column,
    day,
    in_order,
    key,
    needs,
    reference,
    rule,
)


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
        "Which strand it drew on most: system_leadership, complexity_science, improvement_science, large_scale_change, "
        "or one of the folder's own theories.toml.",
        "Write a key of the menu of theories, or leave it blank.",
        blank=True,
    )
    held_on: Date = column("Held on", "The day it was held.", "Write the day as 2026-03-31.")
    team_id: Text | None = column(
        "Team",
        "The team it was for; blank when for all.",
        "Add the team to teams.csv, or mend the id here.",
        blank=True,
        refers="teams",
        for_all=True,
    )
    place_id: Text | None = column(
        "Place",
        "The place it was for; blank when for all.",
        "Add the place to places.csv, or mend the id here.",
        blank=True,
        refers="places",
        for_all=True,
    )
    hours: Number | None = column(
        "Hours", "How long it lasted.", "Write a number of hours.", blank=True, unit="hours", ge=0
    )


class Attendance(Table):
    """Who could have come, was invited, and came."""

    session_id: Text = column(
        "Session", "Which session.", "Add the session to sessions.csv, or mend the id here.", refers="sessions"
    )
    person_id: Text = reference("person", "Who.")
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


class Interventions(Table):
    """What was offered to whom, where and what for, and what success was agreed to be: before it began."""

    intervention_id: Text = key("Intervention")
    menu_code: Text | None = column(
        "On the menu",
        "Which of the 21 interventions of the menu it is.",
        "Write a code of the menu, or leave it blank.",
        blank=True,
    )
    who: Text | None = column(
        "Who", "The right people for it, by role.", "Write roles, not names.", blank=True, form="prose"
    )
    what: Text | None = column("What", "The priority to work on.", "Write the priority.", blank=True, form="prose")
    where: Text | None = column("Where", "In what place.", "Write where, in words.", blank=True, form="prose")
    purpose: Text | None = column("Purpose", "For what purpose.", "Write the purpose.", blank=True, form="prose")
    place_id: Text | None = reference("place", "The place, where it is one.", blank=True, for_all=True)
    team_id: Text | None = reference("team", "The team, where it is one.", blank=True)
    brings_plan_nearer: YesNo | None = column(
        "Brings the plan nearer", "Whether it takes the system's plan a step further.", "Write yes or no.", blank=True
    )
    fits_workforce_strategy: YesNo | None = column(
        "Fits the workforce strategy", "Whether it fits the place's workforce strategy.", "Write yes or no.", blank=True
    )
    joins_organisations: YesNo | None = column(
        "Joins organisations", "Whether several organisations take part.", "Write yes or no.", blank=True
    )
    develops: YesNo | None = column(
        "Develops", "Whether it develops leadership, organisations or systems.", "Write yes or no.", blank=True
    )
    affordable: YesNo | None = column(
        "Affordable", "Whether it can be afforded, or is paid for.", "Write yes or no.", blank=True
    )
    agreed_success: Text | None = column(
        "Success", "What those it is for agreed would be success.", "Write what was agreed.", blank=True, form="prose"
    )
    agreed_with: Text | None = column(
        "Agreed with", "With whom, by role or group.", "Write a role, not a name.", blank=True, form="prose"
    )
    agreed_on: Date | None = day("Agreed on", "The day success was agreed.", blank=True, happened=True)

    @rule("agreed_success", "There is a day of agreement, and what was agreed is not said.", "Write what was agreed.")
    def says_what_was_agreed(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """A day alone is no agreement."""
        return needs(table, "agreed_on", "agreed_success")


class SpreadEvents(Table):
    """Events to which teams brought a wider group: one row a kind of guest, counted and never named."""

    spread_id: Text = column("Spread event", "An id that never changes, the same in all rows of it.", "Write its id.")
    held_on: Date = day("Held on", "The day it was held.", happened=True)
    place_id: Text | None = reference("place", "Where; blank when for all.", blank=True, for_all=True)
    organisation_id: Text | None = reference("organisation", "Whose people these were.", blank=True)
    role: Text | None = column(
        "Role", "As what they came, wide enough that nobody is told by it.", "Write a role, not a name.", blank=True
    )
    invited: Whole | None = column(
        "Invited", "How many were asked.", "Write a whole number, 0 or more.", blank=True, unit="people", ge=0
    )
    came: Whole = column("Came", "How many came.", "Write a whole number, 0 or more.", unit="people", ge=0)

    class Config:
        """One count an event, organisation and role."""

        unique: ClassVar[list[str]] = ["spread_id", "organisation_id", "role"]


class Talent(Table):
    """What became of people who were looked at for their promise. About single people: never shown to anyone else."""

    person_id: Text = reference("person", "Who.")
    reviewed_on: Date = day("Reviewed on", "The day of the conversation.", happened=True)
    grid_cell: Text | None = column(
        "Cell of the grid",
        "Where the conversation placed the person on the local grid.",
        "Write the cell's name on the local grid.",
        blank=True,
        disclosive=True,
    )
    outcome: Text | None = column(
        "Outcome",
        "What came of it: a higher post, another post, the same post, or gone from the organisation or the system.",
        "Write one of the outcomes listed.",
        blank=True,
        isin=("higher_post", "other_post", "same_post", "left_organisation", "left_system"),
        disclosive=True,
    )
    outcome_on: Date | None = day("Outcome on", "The day it was known.", blank=True, happened=True)

    class Config:
        """One conversation a person and day."""

        unique: ClassVar[list[str]] = ["person_id", "reviewed_on"]

    @rule("outcome_on", "The outcome was known before the conversation.", "Check both dates.")
    def known_after_reviewing(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """`reviewed_on` comes first."""
        return in_order(table, "reviewed_on", "outcome_on")

    @rule("outcome", "There is a day, and what came of it is not said.", "Write the outcome, or remove the day.")
    def says_what_came_of_it(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """A day alone is no outcome."""
        return needs(table, "outcome_on", "outcome")
