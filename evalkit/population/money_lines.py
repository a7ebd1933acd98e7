"""What was written down in pounds: each cost and each gain with its range, its year, and the prices it is in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import circumstances, periods, words
from evalkit.population.monthly import refuse
from evalkit.stats import money

if TYPE_CHECKING:
    from evalkit.programme import Programme
    from evalkit.stats.money import PresentValue

COST, GAIN = "cost", "gain"
STANDARD, HEALTH = "standard", "health"
DISCOUNTS = (STANDARD, HEALTH, "sensitivity")
NO_ONE = "No one organisation"
"""Whose costs are several organisations' or nobody's in particular, and whose gains fall to no budget."""
SAID, GRADED = "given", "grade"
"""Where the range of an amount comes from; blank where it has none."""


@dataclass(frozen=True, slots=True, eq=False)
class Money:
    """Costs and gains in pounds, a row a line.

    `lines`: side, item, kind, organisation, who, cash, measure, year, at (years after the base year), prices, written
    (the amount as it was), share (per cent put down to the programme), amount, low, high (the share of it), range_from,
    middle (the amount is the middle of its range), counted (added up), odd_grade.
    `later`, `elsewhere`: how many lines of years to come, and of places to compare with, were left out.
    """

    programme: Programme
    lines: pd.DataFrame
    base: str
    until: str
    discount: str
    later: int
    elsewhere: int

    @property
    def costs(self) -> pd.DataFrame:
        """Every cost."""
        return self.lines[self.lines["side"] == COST]

    @property
    def gains(self) -> pd.DataFrame:
        """The gains that are added up: those of which somebody said a share."""
        return self.lines[(self.lines["side"] == GAIN) & self.lines["counted"]]

    @property
    def unshared(self) -> pd.DataFrame:
        """The gains of which nobody said a share: shown whole, and never added up."""
        return self.lines[~self.lines["counted"]]

    @property
    def prices(self) -> list[str]:
        """The years whose prices the amounts to be added up are in, in order."""
        return sorted(set(self.lines.loc[self.lines["counted"], "prices"]))

    @property
    def alike(self) -> bool:
        """Whether all that is added up is in the prices of one year; else there is no sum of it."""
        return len(self.prices) == 1

    def present(self, lines: pd.DataFrame, discount: str = "") -> PresentValue:
        """What these lines would count for in the base year, at the rates asked for."""
        table = discount or self.discount
        parts = [(lines, table)]
        if table == HEALTH:  # pounds spent or saved are no health: they stay at the standard rate
            social = (lines["side"] == GAIN) & (lines["kind"] == "social")
            parts = [(lines[social], HEALTH), (lines[~social], STANDARD)]
        return money.added(
            [
                money.present_value(held["amount"], held["at"], table=rates, low=held["low"], high=held["high"])
                for held, rates in parts
                if len(held)
            ]
        )


def pounds(amount: float) -> str:
    """Pounds as people write them, the minus before the sign.

    >>> pounds(-1234.4), pounds(0)
    ('−£1,234', '£0')
    """
    said = words.number(abs(amount), 0)
    return f"−£{said}" if round(amount) < 0 else f"£{said}"


def written_down(
    programme: Programme,
    *,
    discount: str = STANDARD,
    base_year: str | None = None,
    until: str | None = None,
    deflators: Mapping[str, float] | None = None,
) -> Money:
    """The costs and gains of a programme, or a refusal where no cost was written down."""
    if discount not in DISCOUNTS:
        raise ValueError(f"discount={discount!r} is no table of rates. There are: {words.listed([*DISCOUNTS])}.")
    last = periods.financial_year(programme.as_of) if until is None else _year(until, "until")
    both = [_costs(programme), _gains(programme)]
    lines = pd.concat([one for one in both if len(one)] or both, ignore_index=True)
    elsewhere = lines["place_id"].isin(circumstances.comparison_places(programme))
    later = lines["year"] > last
    kept = lines[~elsewhere & ~later]
    if not (kept["side"] == COST).any():
        raise _no_costs(lines, last)
    base = _base(kept, base_year)
    begins = int(base[:4])
    kept = kept.assign(at=[int(year[:4]) - begins for year in kept["year"]])
    if deflators is not None:
        kept = _in_prices_of(base, kept, deflators)
    told = _shared(kept)
    return Money(programme, told, base, last, discount, int((later & ~elsewhere).sum()), int(elsewhere.sum()))


def _year(said: str, setting: str) -> str:
    """A financial year as a setting names it, in the form the tables have it."""
    found = periods.parse(str(said))
    if found is None or found.months != 12 or found.first.month != 4:
        raise ValueError(f"{setting}={said!r} is no financial year: write it as '2024/25'.")
    return periods.financial_year(found.first)


def _base(kept: pd.DataFrame, base_year: str | None) -> str:
    first = str(kept["year"].min())
    base = first if base_year is None else _year(base_year, "base_year")
    if base > first:
        raise ValueError(
            f"base_year={base!r} lies after {first}, the first year of the amounts, and what is past is not counted "
            f"up. Give {first} or an earlier year."
        )
    return base


def _no_costs(lines: pd.DataFrame, last: str) -> Exception:
    gains = int(((lines["side"] == GAIN) & (lines["year"] <= last)).sum())
    few = f" ({words.counted(gains, 'gain')} in pounds {'was' if gains == 1 else 'were'})" if gains else ""
    return refuse(
        f"No cost up to {last} was written down{few}, which does not say that it cost nothing.",
        "costs.csv: one row an item and financial year, with its kind and its pounds, people's time included.",
    )


def _costs(programme: Programme) -> pd.DataFrame:
    held = programme.costs
    return _lines(programme, held, side=COST).assign(who="", measure=None, share=np.nan)


def _gains(programme: Programme) -> pd.DataFrame:
    held = programme.benefits
    told = {"who": held["beneficiary"], "measure": held["measure"], "share": held["attributed"].astype(float)}
    return _lines(programme, held, side=GAIN).assign(**told)


def _lines(programme: Programme, held: pd.DataFrame, *, side: str) -> pd.DataFrame:
    """What both tables have, each amount with its range: its own, else the one its grade gives it, else none."""
    names = programme.organisations.set_index("organisation_id")["name"]
    middle = held["amount"].isna()
    amount = held["amount"].fillna((held["low"] + held["high"]) / 2).astype(float)
    ends = [_range(*line, side) for line in zip(amount, held["low"], held["high"], held["confidence"], strict=True)]
    ranges = pd.DataFrame(ends, columns=["low", "high", "range_from", "odd_grade"], index=held.index)
    return pd.DataFrame(
        {
            "side": side,
            "item": held["item"],
            "kind": held["kind"],
            "organisation": held["organisation_id"].map(names).astype(object).fillna(NO_ONE),
            "place_id": held["place_id"],
            "cash": held["cashable"],
            "year": held["year"],
            "prices": held["price_year"].astype(object).fillna(held["year"]),
            "written": amount,
            "amount": amount,
            **ranges,
            "middle": middle,
        }
    )


def _range(amount: float, low: Any, high: Any, grade: Any, side: str) -> tuple[float, float, str, bool]:
    """The low and the high of an amount, where they are from, and whether its grade stands in no table."""
    if not (pd.isna(low) and pd.isna(high)):
        least, most = (amount if pd.isna(end) else float(end) for end in (low, high))
        return least, most, SAID, False
    if pd.isna(grade):
        return amount, amount, "", False
    if int(grade) not in money.grades().shares:
        return amount, amount, "", True
    least, most = money.range_by_grade(amount, int(grade), counts_as="cost" if side == COST else "gain")
    return least, most, GRADED, False


def _in_prices_of(base: str, lines: pd.DataFrame, deflators: Mapping[str, float]) -> pd.DataFrame:
    """Every amount in the prices of the base year."""
    factors = [money.in_prices(1.0, str(priced), to=base, deflators=deflators) for priced in lines["prices"]]
    scaled = {name: lines[name] * factors for name in ("written", "amount", "low", "high")}
    return lines.assign(**scaled, prices=base)


def _shared(lines: pd.DataFrame) -> pd.DataFrame:
    """Gains cut to the share that was put down to the programme; where nobody said one they stay whole, uncounted."""
    cost = lines["side"] == COST
    part = (lines["share"] / 100).where(~cost, 1.0)
    counted = part.notna()
    cut = {name: lines[name] * part.fillna(1.0) for name in ("amount", "low", "high")}
    return lines.assign(**cut, counted=counted)
