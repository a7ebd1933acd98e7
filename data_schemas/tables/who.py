"""Who: people, the leaders among them, their teams, organisations and places."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from data_schemas.tables._columns import Date, Table, Text, Whole, YesNo, column, differ, in_order, reference, rule

ARMS = ("programme", "comparison")
SENIORITIES = ("executive", "senior_middle", "other")


class People(Table):
    """Everyone who answers, is answered about, takes part or is named in a network. Ids, never names."""

    person_id: Text = column(
        "Person",
        "An id that never changes and says nothing about the person.",
        "Give each person one row.",
        unique=True,
    )
    organisation_id: Text | None = reference(
        "organisation", "Where the person works; blank for citizens and others without one.", blank=True
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
    team_id: Text | None = reference(
        "team", "The team the leader takes part with; blank when on their own.", blank=True
    )
    seniority: Text | None = column(
        "Seniority",
        "Executive, senior middle, or other.",
        "Write executive, senior_middle or other.",
        blank=True,
        isin=SENIORITIES,
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
    alias_of: Text | None = column(
        "Also known as",
        "An earlier id of the same respondent, where two forms are known to come from one person; else blank.",
        "Write the earlier id as it stands in people.csv or respondents.csv, or leave it blank.",
        blank=True,
        refers="people or respondents",
    )
    organisation_id: Text | None = reference(
        "organisation", "Where the respondent works, when the form asked.", blank=True
    )
    level: Text | None = column(
        "Level", "The level of staff, in local words.", "Write a short word, or leave it blank.", blank=True
    )
    place_id: Text | None = reference("place", "The place the respondent speaks from.", blank=True)

    @rule("alias_of", "The respondent is given as their own earlier id.", "Write the other id, or leave it blank.")
    def alias_is_another_id(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """Nobody is known by the id they have anyway."""
        return differ(table, "respondent_id", "alias_of")


class Posts(Table):
    """Where each person worked, and when: a move or a merger adds a row and rewrites none."""

    person_id: Text = column(
        "Person", "Who held the post.", "Add the person to people.csv, or mend the id.", refers="people"
    )
    organisation_id: Text = reference("organisation", "Where the post was, under the name the organisation had then.")
    role: Text | None = column(
        "Role", "What the post was, in local words.", "Write a short word.", blank=True, disclosive=True
    )
    seniority: Text | None = column(
        "Seniority",
        "Executive, senior middle, or other.",
        "Write executive, senior_middle or other.",
        blank=True,
        isin=SENIORITIES,
    )
    start: Date | None = column(
        "Start", "The first day in the post; blank when long ago.", "Write the day as 2026-03-31.", blank=True
    )
    end: Date | None = column(
        "End", "The last day in the post; blank when it goes on.", "Write the day as 2026-03-31.", blank=True
    )

    class Config:
        """One post once."""

        unique: ClassVar[list[str]] = ["person_id", "organisation_id", "role", "start"]

    @rule("end", "The post ends before it starts.", "Check both dates.")
    def ends_after_starting(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """`start` comes first."""
        return in_order(table, "start", "end")


class Characteristics(Table):
    """What people said of themselves when asked who they are, so that reach can be seen group by group."""

    participant_id: Text = reference("person", "Of whom.")
    characteristic: Text = column(
        "Characteristic",
        "Which: sex, ethnic group, disability, age band and so on, by the name the form used.",
        "Write the characteristic's name.",
    )
    value: Text = column(
        "Value",
        "What the person answered, in the words of the form; 'prefer not to say' is an answer.",
        "Write the answer, or delete the row when the question was not asked.",
        disclosive=True,
    )

    class Config:
        """One answer a person and characteristic."""

        unique: ClassVar[list[str]] = ["participant_id", "characteristic"]


class Memberships(Table):
    """Who belonged to which team, and when: dated, so that joining and leaving can be counted."""

    person_id: Text = reference("person", "Who.")
    team_id: Text = reference("team", "Which team.")
    role: Text | None = column(
        "Role",
        "The part the person has in the team (commissioner, clinical lead, manager, social care), in local words.",
        "Write a short word, or leave it blank.",
        blank=True,
    )
    start: Date | None = column(
        "Start", "The first day in the team; blank when from its beginning.", "Write the day as 2026-03-31.", blank=True
    )
    end: Date | None = column(
        "End", "The last day in the team; blank when it goes on.", "Write the day as 2026-03-31.", blank=True
    )

    class Config:
        """One spell of a person in a team once."""

        unique: ClassVar[list[str]] = ["person_id", "team_id", "start"]

    @rule("end", "The membership ends before it starts.", "Check both dates.")
    def ends_after_starting(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """`start` comes first."""
        return in_order(table, "start", "end")


class Teams(Table):
    """The teams leaders take part with, across organisations."""

    team_id: Text = column("Team", "An id that never changes.", "Give each team one row.", unique=True)
    name: Text | None = column("Name", "What the team is called.", "Write the name.", blank=True, form="prose")
    place_id: Text | None = reference("place", "The place the team works in.", blank=True)
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
    place_id: Text | None = reference("place", "The place the organisation serves, where it is one.", blank=True)
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

    @rule("successor_id", "The organisation is given as its own successor.", "Write the other one, or leave it blank.")
    def successor_is_another(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """No organisation follows itself."""
        return differ(table, "organisation_id", "successor_id")

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

    @rule("parent_id", "The place is given as a part of itself.", "Write the larger place, or leave it blank.")
    def parent_is_another(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """No place lies in itself."""
        return differ(table, "place_id", "parent_id")

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
