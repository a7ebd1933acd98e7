"""Money: what it cost, what it may have been worth, and who paid and who gained."""

from __future__ import annotations

from typing import Any

import pandas as pd

from data_schemas.tables._columns import (
    FINANCIAL_YEAR,
    Number,
    Table,
    Text,
    Whole,
    YesNo,
    at_least_one,
    column,
    key,
    needs,
    range_holds,
    reference,
    rule,
    years_follow,
)

BENEFICIARIES = ("patients", "citizens", "staff", "taxpayers")


def _year(title: str, description: str, **said: Any) -> Any:
    """A financial year, April to March."""
    return column(title, description, "Write the year as 2024/25.", str_matches=FINANCIAL_YEAR, **said)


def _pounds(title: str, description: str, **said: Any) -> Any:
    return column(title, description, "Write pounds in figures alone, such as 12500.", unit="pounds", **said)


def _confidence() -> Any:
    """The grades and what each does to a figure stand in a catalogue, with their source."""
    return column(
        "Confidence",
        "How sure the figure is, as a grade of the table of grades in use: 1 is the surest.",
        "Write a grade, or leave it blank.",
        blank=True,
        ge=1,
    )


class Costs(Table):
    """What the programme cost: one row an item and year, people's time included."""

    cost_id: Text = key("Cost")
    item: Text = column("Item", "What it was for.", "Write it in a few words.", form="prose")
    kind: Text = column(
        "Kind",
        "What sort of cost: participants' and sponsors' time and backfill are costs too.",
        "Write one of the kinds listed.",
        isin=(
            "delivery",
            "venue",
            "faculty",
            "coaching",
            "participant_time",
            "backfill",
            "sponsor_time",
            "evaluation",
            "travel",
            "other",
        ),
    )
    organisation_id: Text | None = reference("organisation", "Whose money or time it was.", title="Paid by", blank=True)
    place_id: Text | None = reference("place", "For which place; blank when for all.", blank=True, for_all=True)
    year: Text = _year("Year", "The financial year it fell in.")
    amount: Number = _pounds("Amount", "How much, in the prices of the price year.", ge=0)
    low: Number | None = _pounds("Low", "The least it may have been, when not certain.", blank=True, ge=0)
    high: Number | None = _pounds("High", "The most it may have been, when not certain.", blank=True, ge=0)
    price_year: Text | None = _year("Price year", "The year whose prices these are; blank when its own.", blank=True)
    cashable: YesNo | None = column(
        "Paid in cash", "Whether money was paid; no for time and rooms given.", "Write yes or no.", blank=True
    )
    confidence: Whole | None = _confidence()
    basis: Text | None = column(
        "Basis", "How it was worked out: hours times rate, or an invoice.", "Write how.", blank=True, form="prose"
    )

    @rule("amount", "The amount does not lie between its low and its high.", "Check the three amounts.")
    def amount_lies_within(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """Low, amount, high."""
        return range_holds(table, "low", "amount", "high")

    @rule("year", "The second year does not follow the first.", "Write the year as 2024/25.")
    def year_is_one_year(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """2024/25, and never 2024/26."""
        return years_follow(table, "year")

    @rule("price_year", "The second year does not follow the first.", "Write the year as 2024/25.")
    def price_year_is_one_year(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """2024/25, and never 2024/26."""
        return years_follow(table, "price_year")


class Benefits(Table):
    """What may have been gained, in pounds: one row an item and year. A loss is written with a minus sign."""

    benefit_id: Text = key("Benefit")
    item: Text = column("Item", "What was gained.", "Write it in a few words.", form="prose")
    kind: Text = column(
        "Kind",
        "Fiscal (a public purse), economic (earnings and output) or social (how well people live).",
        "Write fiscal, economic or social.",
        isin=("fiscal", "economic", "social"),
    )
    beneficiary: Text = column(
        "Who gains", "Whose lives or purse it is.", "Write one of those listed.", isin=BENEFICIARIES
    )
    organisation_id: Text | None = reference(
        "organisation", "Whose budget it falls to; blank when nobody's.", title="Falls to", blank=True
    )
    place_id: Text | None = reference("place", "In which place; blank when not known.", blank=True)
    measure: Text | None = column(
        "Measure", "The measure it rests on, as a measure's id or in words.", "Write it.", blank=True, form="prose"
    )
    year: Text = _year("Year", "The financial year it fell in.")
    amount: Number | None = _pounds("Amount", "How much, in the prices of the price year.", blank=True)
    low: Number | None = _pounds("Low", "The least it may have been.", blank=True)
    high: Number | None = _pounds("High", "The most it may have been.", blank=True)
    price_year: Text | None = _year("Price year", "The year whose prices these are; blank when its own.", blank=True)
    cashable: YesNo | None = column(
        "Can be taken out",
        "Whether money could be spent on something else; no for beds and hours that fill again.",
        "Write yes or no.",
        blank=True,
    )
    attributed: Number | None = column(
        "Share put down to it",
        "How much of it is put down to the programme, in per cent, and not to what else went on.",
        "Write 0 to 100, or leave it blank when nobody has said.",
        blank=True,
        unit="per cent",
        in_range={"min_value": 0, "max_value": 100},
    )
    confidence: Whole | None = _confidence()
    source: Text | None = column(
        "Source", "Where the figure and its unit cost come from.", "Write the source.", blank=True, form="prose"
    )

    @rule("amount", "The row holds neither an amount nor a low and a high.", "Write the amount, or both ends.")
    def says_how_much(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """A blank is not nothing gained."""
        ends = table.assign(both=table["low"].where(table["high"].notna())) if {"low", "high"} <= {*table} else table
        return at_least_one(ends, "amount", "both")

    @rule("amount", "The amount does not lie between its low and its high.", "Check the three amounts.")
    def amount_lies_within(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """Low, amount, high."""
        return range_holds(table, "low", "amount", "high")

    @rule("source", "A benefit that can be taken out gives no source.", "Write where the figure comes from.")
    def cash_has_a_source(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """What a commissioner may act on can be looked up."""
        if "cashable" not in table:
            return pd.Series(True, index=table.index)
        return needs(
            table.assign(cashable=table["cashable"].where(table["cashable"].fillna(False))), "cashable", "source"
        )

    @rule("year", "The second year does not follow the first.", "Write the year as 2024/25.")
    def year_is_one_year(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """2024/25, and never 2024/26."""
        return years_follow(table, "year")

    @rule("price_year", "The second year does not follow the first.", "Write the year as 2024/25.")
    def price_year_is_one_year(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """2024/25, and never 2024/26."""
        return years_follow(table, "price_year")


class Funding(Table):
    """Where the money came from, year by year: what was granted, not what was spent."""

    funding_id: Text = key("Funding line")
    source: Text = column("Source", "Which fund or budget.", "Write the fund's name.", form="prose")
    kind: Text | None = column(
        "Kind",
        "Start-up capital, money for a transition, recurrent, or other.",
        "Write start_up, transitional, recurrent or other.",
        blank=True,
        isin=("start_up", "transitional", "recurrent", "other"),
    )
    organisation_id: Text | None = reference("organisation", "Who gave it.", title="Given by", blank=True)
    place_id: Text | None = reference("place", "To which place; blank when to all.", blank=True, for_all=True)
    year: Text = _year("Year", "The financial year it was for.")
    amount: Number = _pounds("Amount", "How much, in the prices of that year.", ge=0)

    @rule("year", "The second year does not follow the first.", "Write the year as 2024/25.")
    def year_is_one_year(cls, table: pd.DataFrame) -> pd.Series[bool]:
        """2024/25, and never 2024/26."""
        return years_follow(table, "year")
