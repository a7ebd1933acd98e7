"""The argument: how the programme is meant to lead to better lives, and what else could explain them."""

from __future__ import annotations

from typing import ClassVar

import pandas as pd

from data_schemas.tables._columns import Table, Text, column, differ, needs, rule


class Theory(Table):
    """How one thing is meant to bring about the next, and what speaks for it: one row a link and piece of evidence."""

    from_node: Text = column("From", "What comes first, as a short id.", "Write a short id.")
    to_node: Text = column("To", "What it is meant to bring about, as a short id.", "Write a short id.")
    assumption: Text | None = column(
        "Assumption", "What must hold for it.", "Write the assumption.", blank=True, form="prose"
    )
    evidence: Text | None = column(
        "Evidence", "What was found about the link, and where.", "Write what was found.", blank=True, form="prose"
    )
    strength: Text | None = column(
        "Strength",
        "How much weight the evidence bears.",
        "Write strong, moderate or weak.",
        blank=True,
        isin=("strong", "moderate", "weak"),
    )
    direction: Text | None = column(
        "Direction",
        "Whether the evidence speaks for the link, against it, or for both.",
        "Write for, against or mixed.",
        blank=True,
        isin=("for", "against", "mixed"),
    )

    class Config:
        """One piece of evidence once a link."""

        unique: ClassVar[list[str]] = ["from_node", "to_node", "evidence"]

    @rule("to_node", "The link leads back to where it came from.", "A link joins two things: mend one of them.")
    def joins_two_things(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """Nothing brings itself about."""
        return differ(table, "from_node", "to_node")

    @rule("evidence", "A strength or a direction is given, and no evidence.", "Write the evidence, or remove the word.")
    def weighs_something(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """Only evidence has weight."""
        return needs(table, "strength", "evidence") & needs(table, "direction", "evidence")

    @rule("direction", "There is evidence, and whether it speaks for the link is not said.", "Write for or against.")
    def evidence_speaks(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """Evidence that points nowhere proves nothing."""
        return needs(table, "evidence", "direction")


class Rivals(Table):
    """What else could have brought something about, with what speaks for that and against it."""

    to_node: Text = column("Of what", "What it would explain, by its id in theory.csv.", "Write the id.")
    explanation: Text = column("Explanation", "What else it could be.", "Write it in a sentence.", form="prose")
    plausibility: Text | None = column(
        "Plausibility",
        "How likely it looks once both sides are weighed; blank while nobody has looked.",
        "Write likely, possible or unlikely.",
        blank=True,
        isin=("likely", "possible", "unlikely"),
    )
    evidence_for: Text | None = column("For", "What speaks for it.", "Write it.", blank=True, form="prose")
    evidence_against: Text | None = column("Against", "What speaks against it.", "Write it.", blank=True, form="prose")

    class Config:
        """Each explanation once."""

        unique: ClassVar[list[str]] = ["to_node", "explanation"]

    @rule("evidence_against", "The rival is called unlikely, and nothing speaks against it.", "Write what does.")
    def ruled_out_by_something(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """A rival is not ruled out by wishing."""
        if "plausibility" not in table:
            return pd.Series(True, index=table.index)
        said = table.assign(plausibility=table["plausibility"].where(table["plausibility"] == "unlikely"))
        return needs(said, "plausibility", "evidence_against")
