"""Said: stories, what was said in interviews, and what those who read them found in them."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from data_schemas.tables._columns import Date, Table, Text, YesNo, column, day, needs, reference, rule


class Stories(Table):
    """What people told, why it mattered to them, and how far they let it be used."""

    story_id: Text = column("Story", "An id that never changes.", "Give each story one row.", unique=True)
    collected_on: Date | None = column(
        "Collected on", "The day it was collected.", "Write the day as 2026-03-31.", blank=True, happened=True
    )
    place_id: Text | None = reference("place", "The place it tells of.", blank=True)
    teller_role: Text | None = column(
        "Teller's role", "As what the teller speaks, never who.", "Write a role, not a name.", blank=True
    )
    organisation_id: Text | None = reference("organisation", "The teller's organisation.", blank=True)
    domain: Text | None = column(
        "Domain of change", "The domain it was told under; blank for any other.", "Write a short word.", blank=True
    )
    title: Text | None = column("Title", "A few words.", "Write a few words.", blank=True, form="prose")
    text: Text = column("Text", "The story as it was told.", "Write the story.", form="prose")
    why_significant: Text | None = column(
        "Why it matters", "Why the teller chose it.", "Write the teller's reason.", blank=True, form="prose"
    )
    consent: Text = column(
        "Consent",
        "use: as told; anonymise: without anything that names; none: never quoted.",
        "Write use, anonymise or none.",
        isin=("use", "anonymise", "none"),
    )


class Excerpts(Table):
    """What people said in interviews, groups and documents, or what somebody saw: short pieces, ready to be read."""

    excerpt_id: Text = column("Excerpt", "An id that never changes.", "Give each excerpt one row.", unique=True)
    kind: Text = column(
        "Kind",
        "Where it comes from.",
        "Write interview, focus_group, observation or document.",
        isin=("interview", "focus_group", "observation", "document"),
    )
    collected_on: Date | None = column(
        "Collected on", "The day it was said or seen.", "Write the day as 2026-03-31.", blank=True, happened=True
    )
    place_id: Text | None = reference("place", "The place it tells of.", blank=True)
    role: Text | None = column(
        "Role",
        "As what somebody speaks, never who: wide enough that nobody is told by it.",
        "Write a role, not a name.",
        blank=True,
    )
    text: Text = column("Text", "What was said.", "Write what was said.", form="prose")
    consent: Text = column(
        "Consent",
        "use: as said; anonymise: counted, and never quoted word for word; none: neither.",
        "Write use, anonymise or none.",
        isin=("use", "anonymise", "none"),
    )


class Codes(Table):
    """What a coder found in a story or an excerpt: one row a code."""

    source_id: Text = column(
        "Source",
        "Which story or excerpt.",
        "Add it to stories.csv or excerpts.csv, or mend the id.",
        refers="stories or excerpts",
    )
    coder: Text = column("Coder", "Who read it, by an id.", "Write the coder's id.")
    code: Text = column("Code", "What they found.", "Write a code of the scheme.")

    class Config:
        """Each code once a coder and source."""

        unique: ClassVar[list[str]] = ["source_id", "coder", "code"]


class Coders(Table):
    """Who read which story or excerpt: a coder who found nothing is here, and not in codes."""

    source_id: Text = column(
        "Source",
        "Which story or excerpt.",
        "Add it to stories.csv or excerpts.csv, or mend the id.",
        refers="stories or excerpts",
    )
    coder: Text = column("Coder", "Who read it, by an id.", "Write the coder's id.")
    coded_on: Date | None = column(
        "Coded on", "The day it was read.", "Write the day as 2026-03-31.", blank=True, happened=True
    )

    class Config:
        """Each coder once a source."""

        unique: ClassVar[list[str]] = ["source_id", "coder"]


class Selections(Table):
    """Which stories were chosen as the most significant, by whom and why: one row a story that was looked at."""

    story_id: Text = column("Story", "Which story.", "Add it to stories.csv, or mend the id.", refers="stories")
    level: Text = column(
        "Level", "Which round of choosing, from the nearest to the widest, such as team or region.", "Write a word."
    )
    selected: YesNo = column("Selected", "Whether it was chosen.", "Write yes or no.")
    selected_by: Text | None = column(
        "Selected by", "Who chose, as a group.", "Write the group, never names.", blank=True, form="prose"
    )
    reason: Text | None = column(
        "Reason", "Why it was chosen; a chosen story needs one.", "Write the group's reason.", blank=True, form="prose"
    )
    decided_on: Date | None = day("Decided on", "The day of choosing.", blank=True, happened=True)

    class Config:
        """One decision a story and level."""

        unique: ClassVar[list[str]] = ["story_id", "level"]

    @rule("reason", "The story was chosen, and why is not said.", "Write the reason: it is what the choosing is for.")
    def chosen_for_a_reason(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """Only those not chosen may do without."""
        chosen = table.assign(selected=table["selected"].where(table["selected"].fillna(False)))
        return needs(chosen, "selected", "reason")
