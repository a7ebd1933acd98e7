"""Who: people, the leaders among them, their teams, organisations and places."""

from __future__ import annotations

import pandas as pd

from data_schemas.tables._columns import Date, Table, Text, Whole, YesNo, column, in_order, rule

ARMS = ("programme", "comparison")


class People(Table):
    """Everyone who answers, is answered about, takes part or is named in a network. Ids, never names."""

    person_id: Text = column(
        "Person",
        "An id that never changes and says nothing about the person.",
        "Give each person one row.",
        unique=True,
    )
    organisation_id: Text | None = column(
        "Organisation",
        "Where the person works; blank for citizens and others without one.",
        "Add the organisation to organisations.csv, or mend the id here.",
        blank=True,
        refers="organisations",
    )
    kind: Text = column(
        "Kind of person",
        "The part the person plays in the programme.",
        "Write one of the kinds listed.",
        isin=(
            "participant",
            "sponsor",
            "line_manager",
            "partner",
            "deliverer",
            "commissioner",
            "service_user",
            "carer",
            "citizen",
            "other",
        ),
    )


class Participants(Table):
    """The leaders taking part, or followed for comparison."""

    participant_id: Text = column(
        "Participant",
        "The leader's id in people.csv.",
        "Add the person to people.csv, and give each participant one row here.",
        unique=True,
        refers="people",
    )
    team_id: Text | None = column(
        "Team",
        "The team the leader takes part with; blank when on their own.",
        "Add the team to teams.csv, or mend the id here.",
        blank=True,
        refers="teams",
    )
    seniority: Text | None = column(
        "Seniority",
        "Executive, senior middle, or other.",
        "Write executive, senior_middle or other.",
        blank=True,
        isin=("executive", "senior_middle", "other"),
    )
    profession: Text | None = column(
        "Profession", "The leader's profession in local words.", "Write a short word, or leave it blank.", blank=True
    )
    joined: Date | None = column(
        "Joined", "The day the leader joined the programme.", "Write the day as 2026-03-31.", blank=True
    )
    left: Date | None = column(
        "Left",
        "The day the leader left the programme; blank for those who stayed.",
        "Write the day as 2026-03-31.",
        blank=True,
    )
    arm: Text | None = column(
        "Arm",
        "Whether the leader takes part or is followed for comparison; blank means takes part.",
        "Write programme or comparison.",
        blank=True,
        isin=ARMS,
    )

    @rule("left", "The leader left before joining.", "Check both dates.")
    def left_after_joining(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """`joined` comes first."""
        return in_order(table, "joined", "left")


class Respondents(Table):
    """Those who answer and are not among the people of the programme: unnamed forms, one row a form returned."""

    respondent_id: Text = column(
        "Respondent",
        "An id of the form, or of somebody outside; never one that stands in people.csv.",
        "Give each form its own id.",
        unique=True,
    )
    organisation_id: Text | None = column(
        "Organisation",
        "Where the respondent works, when the form asked.",
        "Add the organisation to organisations.csv, or mend the id here.",
        blank=True,
        refers="organisations",
    )
    level: Text | None = column(
        "Level", "The level of staff, in local words.", "Write a short word, or leave it blank.", blank=True
    )
    place_id: Text | None = column(
        "Place",
        "The place the respondent speaks from.",
        "Add the place to places.csv, or mend the id here.",
        blank=True,
        refers="places",
    )


class Teams(Table):
    """The teams leaders take part with, across organisations."""

    team_id: Text = column("Team", "An id that never changes.", "Give each team one row.", unique=True)
    name: Text | None = column("Name", "What the team is called.", "Write the name.", blank=True, form="prose")
    place_id: Text | None = column(
        "Place",
        "The place the team works in.",
        "Add the place to places.csv, or mend the id here.",
        blank=True,
        refers="places",
    )
    tier: Text | None = column(
        "Tier",
        "Micro (team and locality), meso (services and pathways) or macro (whole system).",
        "Write micro, meso or macro.",
        blank=True,
        isin=("micro", "meso", "macro"),
    )
    cohort: Text | None = column(
        "Cohort", "The intake the team belongs to.", "Write the cohort's short name, or leave it blank.", blank=True
    )


class Organisations(Table):
    """NHS bodies, councils, voluntary groups, police, housing: any partner, with or without an NHS code."""

    organisation_id: Text = column(
        "Organisation", "An id that never changes.", "Give each organisation one row.", unique=True
    )
    name: Text = column("Name", "What the organisation is called.", "Write the name.", form="prose")
    sector: Text | None = column(
        "Sector", "NHS, council, voluntary, police and so on, in local words.", "Write a short word.", blank=True
    )
    ods_code: Text | None = column(
        "ODS code",
        "The NHS organisation code; blank for partners who have none.",
        "Write up to nine letters and digits, or leave it blank.",
        blank=True,
        str_matches=r"^[A-Za-z0-9]{1,9}\Z",
    )
    place_id: Text | None = column(
        "Place",
        "The place the organisation serves, where it is one.",
        "Add the place to places.csv, or mend the id here.",
        blank=True,
        refers="places",
    )
    successor_id: Text | None = column(
        "Successor",
        "The organisation this one was merged into.",
        "Add the successor to organisations.csv, or mend the id here.",
        blank=True,
        refers="organisations",
    )
    valid_from: Date | None = column("Valid from", "When it began.", "Write the day as 2026-03-31.", blank=True)
    valid_to: Date | None = column("Valid to", "When it ended.", "Write the day as 2026-03-31.", blank=True)
    workforce: Whole | None = column(
        "Workforce", "How many people it employs.", "Write a whole number.", blank=True, unit="people", ge=0
    )

    @rule("valid_to", "The organisation ends before it begins.", "Check both dates.")
    def ends_after_beginning(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """`valid_from` comes first."""
        return in_order(table, "valid_from", "valid_to")


class Places(Table):
    """The places the programme is in, and those it is compared with."""

    place_id: Text = column("Place", "An id that never changes.", "Give each place one row.", unique=True)
    name: Text = column("Name", "What the place is called.", "Write the name.", form="prose")
    kind: Text | None = column(
        "Kind", "Locality, borough, system and so on, in local words.", "Write a short word.", blank=True
    )
    parent_id: Text | None = column(
        "Part of",
        "The larger place this one lies in.",
        "Add the larger place to places.csv, or mend the id here.",
        blank=True,
        refers="places",
    )
    code: Text | None = column(
        "Code",
        "The place's official code under the scheme named beside it.",
        "A GSS code is a letter and eight digits (E08000006); an ODS code is one to nine letters and digits.",
        blank=True,
    )
    code_scheme: Text | None = column(
        "Code scheme", "Whose code it is.", "Write GSS, ODS or local.", blank=True, isin=("GSS", "ODS", "local")
    )
    arm: Text | None = column(
        "Arm", "Programme or comparison.", "Write programme or comparison.", blank=True, isin=ARMS
    )
    start: Date | None = column(
        "Start",
        "When the programme began here; blank in comparison places.",
        "Write the day as 2026-03-31.",
        blank=True,
    )
    population: Whole | None = column(
        "Population", "How many people live there.", "Write a whole number.", blank=True, unit="people", ge=0
    )
    valid_from: Date | None = column("Valid from", "When these boundaries began.", "Write 2026-03-31.", blank=True)
    valid_to: Date | None = column("Valid to", "When these boundaries ended.", "Write 2026-03-31.", blank=True)
    may_be_named: YesNo | None = column(
        "May be named", "Whether the place agreed to be named in a report.", "Write yes or no.", blank=True
    )

    @rule("valid_to", "The boundaries end before they begin.", "Check both dates.")
    def ends_after_beginning(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """`valid_from` comes first."""
        return in_order(table, "valid_from", "valid_to")

    @rule("start", "A comparison place has a programme start.", "Leave the start blank, or make the arm programme.")
    def comparison_never_starts(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """Only programme places start."""
        if "arm" not in table or "start" not in table:
            return pd.Series(True, index=table.index)
        return ~((table["arm"] == "comparison").fillna(False) & table["start"].notna())

    @rule("code", "The code is not in the form its scheme uses.", "Check the code, or the scheme beside it.")
    def code_fits_its_scheme(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """GSS is a letter and eight digits; ODS is one to nine letters and digits."""
        if "code" not in table or "code_scheme" not in table:
            return pd.Series(True, index=table.index)
        code, scheme = table["code"].fillna(""), table["code_scheme"]
        gss = (scheme != "GSS") | code.str.match(r"^[A-Z][0-9]{8}\Z")
        ods = (scheme != "ODS") | code.str.match(r"^[A-Za-z0-9]{1,9}\Z")
        return table["code"].isna() | (gss & ods)
