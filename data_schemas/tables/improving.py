"""Improving: small tests of change, milestones, adaptations, wins, and what was done about signals."""

from __future__ import annotations

import pandas as pd

from data_schemas.tables._columns import (
    Date,
    Number,
    Table,
    Text,
    Whole,
    YesNo,
    at_least_one,
    column,
    day,
    in_order,
    key,
    needs,
    party,
    reference,
    rule,
)


class Pdsa(Table):
    """Plan, do, study, act: one row a cycle."""

    cycle_id: Text = key("Cycle")
    team_id: Text = reference("team", "Whose test it was.")
    number: Whole = column("Number", "Which cycle of its series, from 1.", "Write a whole number, 1 or more.", ge=1)
    started_on: Date = day("Started on", "The day the test began.", happened=True)
    prediction: Text | None = column(
        "Prediction", "What the team expected, said beforehand.", "Write what was expected.", blank=True, form="prose"
    )
    measure: Text | None = column(
        "Measure", "What was measured, as a measure's id or in words.", "Write it.", blank=True, form="prose"
    )
    result: Text | None = column("Result", "What was seen.", "Write what was seen.", blank=True, form="prose")
    decision: Text | None = column(
        "Decision",
        "What the team did with what it learnt; blank while the cycle goes on.",
        "Write adopt, adapt or abandon.",
        blank=True,
        isin=("adopt", "adapt", "abandon"),
    )

    @rule("result", "The team decided, and what it saw is not said.", "Write the result, or remove the decision.")
    def decided_on_something(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """A decision rests on what was studied."""
        return needs(table, "decision", "result")


class Milestones(Table):
    """What places set out to reach, by when, and when they did."""

    milestone_id: Text = key("Milestone")
    place_id: Text | None = reference("place", "Whose; blank when of all.", blank=True, for_all=True)
    name: Text = column("Name", "What is to be reached.", "Write it in a few words.", form="prose")
    kind: Text | None = column(
        "Kind", "Care model, business case, coverage and so on, in local words.", "Write a short word.", blank=True
    )
    target: Number | None = column("Target", "The figure to be reached.", "Write a number.", blank=True)
    value: Number | None = column("Value", "The figure reached so far.", "Write a number.", blank=True)
    unit: Text | None = column(
        "Unit", "What the two figures count.", "Write the unit, such as % of practices.", blank=True, form="prose"
    )
    planned_on: Date | None = day("Planned for", "The day it was to be reached by.", blank=True)
    achieved_on: Date | None = day(
        "Achieved on", "The day it was reached; blank while it is not.", blank=True, happened=True
    )

    @rule("unit", "There is a figure, and what it counts is not said.", "Write the unit.")
    def figures_have_a_unit(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """20 of what?"""
        return needs(table, "target", "unit") & needs(table, "value", "unit")


class Adaptations(Table):
    """How something taken from elsewhere was made to fit here: adapted, and not just adopted."""

    adaptation_id: Text = key("Adaptation")
    intervention_id: Text | None = column(
        "Intervention",
        "What was adapted, when it is one of the programme's interventions.",
        "Add it to interventions.csv, or mend the id here.",
        blank=True,
        refers="interventions",
    )
    place_id: Text | None = reference("place", "Where; blank when everywhere.", blank=True, for_all=True)
    team_id: Text | None = reference("team", "By which team.", blank=True)
    adapted_on: Date | None = day("Adapted on", "The day.", blank=True, happened=True)
    what: Text = column("What", "What was done otherwise.", "Write what was changed.", form="prose")
    why: Text | None = column("Why", "What made it necessary.", "Write the reason.", blank=True, form="prose")
    kind: Text | None = column(
        "Kind",
        "Technical (how the work is done) or cultural (how people are with each other).",
        "Write technical or cultural: the one it was more.",
        blank=True,
        isin=("technical", "cultural"),
    )
    change: Text | None = column(
        "Change",
        "Whether something was added, left out, done otherwise or done in another order.",
        "Write added, left_out, altered or reordered.",
        blank=True,
        isin=("added", "left_out", "altered", "reordered"),
    )
    core_kept: YesNo | None = column(
        "Core kept", "Whether what makes it work was left as it was.", "Write yes or no.", blank=True
    )


class Wins(Table):
    """Small wins, noted when they came."""

    win_id: Text = key("Win")
    place_id: Text | None = reference("place", "Where; blank when everywhere.", blank=True, for_all=True)
    team_id: Text | None = reference("team", "Whose, when one team's.", blank=True)
    won_on: Date = day("Won on", "The day.", happened=True)
    what: Text = column("What", "What was won.", "Write it in a sentence.", form="prose")
    size: Text | None = column(
        "Size",
        "How large those who won it think it is.",
        "Write small, middling or large.",
        blank=True,
        isin=("small", "middling", "large"),
    )
    evidence: Text | None = column(
        "Evidence", "How anyone else could see it.", "Write where it can be seen.", blank=True, form="prose"
    )


class Actions(Table):
    """From a signal to a decision to something done: one row a signal that was taken up."""

    action_id: Text = key("Action")
    signal: Text = column("Signal", "What was seen that called for something.", "Write it.", form="prose")
    place_id: Text | None = reference("place", "Where; blank when everywhere.", blank=True, for_all=True)
    team_id: Text | None = reference("team", "For which team, when for one.", blank=True)
    domain: Text | None = column(
        "Domain", "Which domain or theme it belongs to, in short.", "Write a short word.", blank=True
    )
    raised_on: Date = day("Raised on", "The day the signal was raised.", happened=True)
    decision: Text | None = column(
        "Decision", "What was decided; blank while nothing is.", "Write what was decided.", blank=True, form="prose"
    )
    decided_on: Date | None = day("Decided on", "The day it was decided.", blank=True, happened=True)
    owner: Text | None = party("Owner", "The person, team or organisation that undertook it.", blank=True)
    due_on: Date | None = day("Due on", "The day it is to be done by.", blank=True)
    done_on: Date | None = day("Done on", "The day it was done; blank while it is not.", blank=True, happened=True)
    reason: Text | None = column(
        "Reason", "Why it was not done, or not in time.", "Write the reason.", blank=True, form="prose"
    )

    @rule("decided_on", "It was decided before the signal was raised.", "Check both dates.")
    def decided_after_raising(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """`raised_on` comes first."""
        return in_order(table, "raised_on", "decided_on")

    @rule("decision", "There is a day of deciding, and what was decided is not said.", "Write what was decided.")
    def says_what_was_decided(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """A day alone is no decision."""
        return needs(table, "decided_on", "decision")

    @rule("due_on", "It was due before the signal was raised.", "Check both dates.")
    def due_after_raising(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """`raised_on` comes first."""
        return in_order(table, "raised_on", "due_on")

    @rule("done_on", "It was done before the signal was raised.", "Check both dates.")
    def done_after_raising(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """`raised_on` comes first."""
        return in_order(table, "raised_on", "done_on")


class SupportRequests(Table):
    """When teams and places asked the programme for help, and with what."""

    request_id: Text = key("Request")
    team_id: Text | None = reference("team", "Which team asked.", blank=True)
    place_id: Text | None = reference("place", "Which place asked.", blank=True)
    asked_on: Date = day("Asked on", "The day of asking.", happened=True)
    theme: Text = column("Theme", "What it was about, in short.", "Write a short word.")
    request: Text | None = column("Request", "What was asked for.", "Write it.", blank=True, form="prose")
    answered_on: Date | None = day("Answered on", "The day help came; blank while open.", blank=True, happened=True)

    @rule("team_id", "The row says neither which team asked nor which place.", "Write one of them.")
    def says_who_asked(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """Somebody asked."""
        return at_least_one(table, "team_id", "place_id")

    @rule("answered_on", "It was answered before it was asked.", "Check both dates.")
    def answered_after_asking(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """`asked_on` comes first."""
        return in_order(table, "asked_on", "answered_on")
