"""The table of money: costs and gains cut every way, present values, and what would have to be true to pay back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import circumstances, register
from evalkit.population.money_lines import DISCOUNTS, HEALTH, STANDARD, pounds
from evalkit.result import ALL
from evalkit.stats import money

if TYPE_CHECKING:
    from evalkit.population.money_lines import Money
    from evalkit.stats.money import PresentValue

COSTS, GAINS = "All costs", "All gains"
GAIN, UNSHARED = "Gain", "Gain of which nobody said a share"
PAID_BY, FALLS_TO = "Costs by who paid", "Gains by whose budget"
CASH, TAKEN_OUT = "Costs in cash or not", "Gains that can be taken out or not"
COSTS_NOW, GAINS_NOW, NET = "Costs, present value", "Gains, present value", "Gains less costs"
WOULD_BE, UNITS = "Would have to be worth, for gains to equal costs", "Units that would equal the costs"
GRANTED = "Granted"
KINDS = {
    "delivery": "Delivery",
    "venue": "Venue",
    "faculty": "Faculty",
    "coaching": "Coaching",
    "participant_time": "Time of those who take part",
    "backfill": "Cover for them",
    "sponsor_time": "Sponsors' time",
    "evaluation": "Evaluation",
    "travel": "Travel",
    "other": "Other",
}
"""What a programme costs; all but the last are asked for."""
IN_CASH = {True: "paid in cash", False: "given in time and rooms"}
OUT = {True: "can be taken out", False: "cannot be taken out"}
EXTRAS = ("by", "prices", "written", "share", "times", "added", "why_not")


def table(held: Money, unit_values: Mapping[str, float] | None) -> pd.DataFrame:
    """Every row. Extras: by (how it is cut), prices, written (pounds before the share), share (per cent put down to the
    programme), times (of the item as it is), added (yes or no, for a gain), why_not."""
    rows = [*_costs(held), *_gains(held)]
    if held.alike:
        rows += _present(held)
        rows += [*_switching(held), *_units(held, unit_values or {})]
    rows += _granted(held)
    found = register.table(rows, extras=EXTRAS)
    numbers = dict.fromkeys(("written", "share", "times"), float)
    return found.astype(numbers).fillna(dict.fromkeys(("prices", "added", "why_not"), ""))


def at(found: pd.DataFrame, *measures: str, group: str = "") -> tuple[int, ...]:
    """Where these measures stand in the table, of one group where it is named."""
    rows = found["measure"].isin(measures)
    return tuple(int(row) for row in found.index[rows & (found["group"] == group) if group else rows])


def _row(
    measure: str, group: str, n: int, unit: str, ends: tuple[float, float, float], **extras: Any
) -> dict[str, Any]:
    """One row: the estimate, and a low and a high where anybody gave a range."""
    estimate, low, high = ends
    blank = dict.fromkeys(EXTRAS)
    row = {**blank, **register.row(measure, group, n=n, unit=unit, n_of="lines", estimate=estimate), **extras}
    return {**row, "low": low, "high": high, "interval": "range"} if low < high else row


def _sum(measure: str, group: str, lines: pd.DataFrame, held: Money, *, by: str, **extras: Any) -> list[dict[str, Any]]:
    """These lines added up: a row for the prices of each year they are in, which are never added to each other."""
    rows = []
    for prices, alike in lines.groupby("prices"):
        ends = tuple(float(alike[end].sum()) for end in ("amount", "low", "high"))
        name = group
        if not held.alike or prices != held.prices[0]:
            name = f"{prices} prices" if group == ALL else f"{group}, {prices} prices"
        unit = f"£ in {prices} prices"
        rows.append(_row(measure, name, len(alike), unit, ends, by=by, prices=str(prices), **extras))  # type: ignore[arg-type]
    return rows


def _cut(
    measure: str, lines: pd.DataFrame, held: Money, *, by: str, called: Callable[[Any], str], column: str
) -> list[dict[str, Any]]:
    """A row a group of this column, in the order of the alphabet; what belongs to no one comes last."""
    names = lines[column].map(called, na_action="ignore").astype(object).fillna(register.NOT_SAID)
    last = (register.NOT_SAID,)
    order = sorted(names.unique(), key=lambda name: (name in last, str(name).casefold()))
    return [row for name in order for row in _sum(measure, str(name), lines[names == name], held, by=by)]


def _costs(held: Money) -> list[dict[str, Any]]:
    costs = held.costs
    return [
        *_sum(COSTS, ALL, costs, held, by="all"),
        *_cut("Costs by kind", costs, held, by="kind", called=lambda kind: KINDS[kind], column="kind"),
        *_cut(PAID_BY, costs, held, by="organisation", called=str, column="organisation"),
        *_cut(CASH, costs, held, by="cash", called=lambda cash: IN_CASH[bool(cash)], column="cash"),
    ]


def _gains(held: Money) -> list[dict[str, Any]]:
    gains = held.gains
    rows: list[dict[str, Any]] = []
    if len(gains):
        rows += [
            *_sum(GAINS, ALL, gains, held, by="all"),
            *_cut("Gains by kind", gains, held, by="kind", called=str, column="kind"),
            *_cut("Gains by who gains", gains, held, by="who gains", called=str, column="who"),
            *_cut(FALLS_TO, gains, held, by="organisation", called=str, column="organisation"),
            *_cut(TAKEN_OUT, gains, held, by="cash", called=lambda cash: OUT[bool(cash)], column="cash"),
        ]
    for measure, lines, yes in ((GAIN, gains, "yes"), (UNSHARED, held.unshared, "no")):
        for item, own in lines.groupby("item", sort=False):
            share = float(own["share"].iloc[0]) if own["share"].nunique(dropna=False) == 1 else float("nan")
            written = float(own["written"].sum()) if own["prices"].nunique() == 1 else float("nan")
            rows += _sum(measure, str(item), own, held, by="gain", share=share, written=written, added=yes)
    return rows


def _present(held: Money) -> list[dict[str, Any]]:
    """Present values at the rates asked for, then the difference at the others and not discounted at all."""
    unit = f"£ in {held.prices[0]} prices, discounted to {held.base}"
    extras = {"by": "present value", "prices": held.prices[0]}
    costs = held.present(held.costs)
    rows = [_row(COSTS_NOW, ALL, costs.n, unit, _ends(costs), **extras)]
    if held.gains.empty:
        return rows
    gains = held.present(held.gains)
    net = money.net_present_value(gains, costs)
    rows += [_row(GAINS_NOW, ALL, gains.n, unit, _ends(gains), **extras)]
    rows += [_row(NET, ALL, net.n, unit, _ends(net), **extras)]
    others = {**extras, "by": "other rates"}
    for name in DISCOUNTS:
        if name != held.discount:
            other = money.net_present_value(held.present(held.gains, name), held.present(held.costs, name))
            rows.append(_row(NET, f"at the {name} rates", other.n, unit, _ends(other), **others))
    plain = [float(held.gains[end].sum() - held.costs[paid].sum())
             for end, paid in (("amount", "amount"), ("low", "high"), ("high", "low"))]  # fmt: skip
    plain_unit = f"£ in {held.prices[0]} prices"
    return [*rows, _row(NET, "not discounted", net.n, plain_unit, (plain[0], plain[1], plain[2]), **others)]


def net(held: Money) -> PresentValue:
    """Gains less costs in the base year, at the rates asked for."""
    return money.net_present_value(held.present(held.gains), held.present(held.costs))


def _switching(held: Money) -> list[dict[str, Any]]:
    """What each gain would have to be worth, all else as it is; where no size of it would do, why not."""
    rows: list[dict[str, Any]] = []
    if held.gains.empty:
        return rows
    whole, unit = net(held), f"£ in {held.prices[0]} prices, discounted to {held.base}"
    for item, own in held.gains.groupby("item", sort=False):
        now = held.present(own)
        extras = {"by": "switching", "prices": held.prices[0]}
        try:
            found = money.switching_value(whole, now)
        except ValueError:
            ends = (float("nan"),) * 3
            rows.append(_row(WOULD_BE, str(item), now.n, unit, ends, why_not=_why_not(whole, now), **extras))
            continue
        ends = (found.estimate, found.low, found.high)
        rows.append(_row(WOULD_BE, str(item), now.n, unit, ends, times=found.times, **extras))
    return rows


def _why_not(whole: PresentValue, item: PresentValue) -> str:
    """Why no size of an item makes gains equal costs."""
    if item.estimate == 0:
        return "nothing of it is put down to the programme"
    if whole.estimate < 0:
        return "costs are larger even without this loss"
    return "gains are larger even without it"


def _units(held: Money, unit_values: Mapping[str, float]) -> list[dict[str, Any]]:
    """How many of each, at the value asked about, would equal the costs if all fell in the last year counted."""
    costs, last = held.present(held.costs), str(held.lines["year"].max())
    rows = []
    for name, worth in unit_values.items():
        label = held.programme.measures[name].label if name in held.programme.measures else name
        year = int(last[:4]) - int(held.base[:4])
        table = held.discount if held.discount != HEALTH else STANDARD
        found = money.break_even(costs, unit_value=worth, year=year, table=table)
        each = f"at {pounds(worth)} each in {last}"
        ends = (found.estimate, found.low, found.high)
        extras = {"by": "break-even", "prices": held.prices[0]}
        rows.append(_row(UNITS, label, found.n, f"units, {each}", ends, **extras))
    return rows


def _granted(held: Money) -> list[dict[str, Any]]:
    """Pounds granted, a row a year in the prices of that year: set beside the costs and added to nothing."""
    lines = held.programme.funding
    elsewhere = lines["place_id"].isin(circumstances.comparison_places(held.programme))
    years = lines[(lines["year"] <= held.until) & ~elsewhere].groupby("year")
    return [
        _row(GRANTED, str(year), len(own), f"£ in {year} prices", (float(own["amount"].sum()),) * 3, by="granted",
             prices=str(year))
        for year, own in years
    ]  # fmt: skip


def _ends(value: PresentValue) -> tuple[float, float, float]:
    return value.estimate, value.low, value.high
