"""What the programme cost, what it may have been worth, and who gave the money."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit.simulation import days
from evalkit.simulation.agreements import of_sector
from evalkit.simulation.cast import ids, named
from evalkit.simulation.scenario import Scenario, shipped

VARIES = 0.08
"""An amount lies anywhere between so much below and above what is expected of it."""

ROUNDED = 10
"""Amounts are written in tens of pounds."""


def tables(scenario: Scenario, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """`costs`, `benefits` and `funding`."""
    return {"costs": _costs(scenario, rng), "benefits": _benefits(scenario), "funding": _funding(scenario)}


def _usual(row: dict[str, Any], scenario: Scenario) -> float:
    """What a year of this item is expected to cost: an amount, or hours of every leader."""
    return float(row["amount"] if "amount" in row else row["hours"] * row["rate"] * scenario.leaders)


def _payers(rows: list[dict[str, Any]]) -> list[str | None]:
    names = ids("O", len(shipped("northmere")["organisations"]))
    return named(names, np.array([of_sector(row["organisation"]) if "organisation" in row else -1 for row in rows]))


def _costs(scenario: Scenario, rng: np.random.Generator) -> pd.DataFrame:
    """Each item in every financial year the programme touched."""
    years, items = days.years(scenario), shipped("notes")["costs"]
    rows = [row for _ in years for row in items]
    usual = np.array([_usual(row, scenario) for row in rows])
    amount = np.rint(usual * rng.uniform(1 - VARIES, 1 + VARIES, len(rows)) / ROUNDED) * ROUNDED
    spread = np.array([row.get("spread", np.nan) for row in rows])
    return pd.DataFrame(
        {
            "cost_id": ids("CO", len(rows)),
            "item": [row["item"] for row in rows],
            "kind": [row["kind"] for row in rows],
            "organisation_id": _payers(rows),
            "year": np.repeat(years, len(items)),
            "amount": amount,
            "low": np.rint(amount * (1 - spread)),
            "high": np.rint(amount * (1 + spread)),
            "price_year": years[-1],
            "cashable": [row["cashable"] for row in rows],
            "confidence": pd.array([row.get("confidence", 1) for row in rows], dtype="Int64"),
            "basis": [row["basis"] for row in rows],
        }
    )


def _benefits(scenario: Scenario) -> pd.DataFrame:
    """As somebody put them together for the last year; nothing is drawn, and nothing about them is planted."""
    rows = shipped("notes")["benefits"]
    plain = ("item", "kind", "beneficiary", "measure", "amount", "low", "high", "cashable", "attributed", "confidence",
             "source")  # fmt: skip
    said = {name: [row.get(name) for row in rows] for name in plain}
    numbers = {name: np.array(said[name], dtype=float) for name in ("amount", "low", "high", "attributed")}
    ours = {"benefit_id": ids("BN", len(rows)), "organisation_id": _payers(rows), "year": days.years(scenario)[-1]}
    return pd.DataFrame({**ours, **said, **numbers})


def _funding(scenario: Scenario) -> pd.DataFrame:
    years = days.years(scenario)
    lasts = {"first": years[:1], "first two": years[:2], "all": years}
    rows = [{**row, "year": year} for row in shipped("notes")["funding"] for year in lasts[row["years"]]]
    return pd.DataFrame(
        {
            "funding_id": ids("FN", len(rows)),
            "organisation_id": _payers(rows),
            **{name: [row.get(name) for row in rows] for name in ("source", "kind", "year")},
            "amount": [float(row["amount"]) for row in rows],
        }
    )


def expected(scenario: Scenario) -> dict[str, Any]:
    """Pounds over all years: in all, by kind, and the part that is paid in cash."""
    years, items = len(days.years(scenario)), shipped("notes")["costs"]
    usual = {row["kind"]: years * _usual(row, scenario) for row in items}
    cash = sum(usual[row["kind"]] for row in items if row["cashable"])
    return {"costs": {"total": sum(usual.values()), "paid_in_cash": cash, "by_kind": usual}}
