"""Pounds of several years: discounted, added up with their ranges, and how far one of them may move.

There is no ratio of gains to costs here, on purpose: one number hides who pays, who gains and how sure anybody is.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Literal

from evalkit.resources import catalogues

CountsAs = Literal["gain", "cost"]
MOST_OFF = 1e-9
"""How far a low or a high may pass its amount, as a share of it: what is left of working with decimals."""


@dataclass(frozen=True, slots=True)
class Band:
    """A rate (0.035 is 3.5 % a year) from its first year on. `verified`: read where it is published, or quoted."""

    first: int
    rate: float
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Rates:
    """A table of discount rates: bands by year counted from the base year, in real terms."""

    name: str
    edition: str
    valid_from: date | None
    source: str
    note: str
    bands: tuple[Band, ...]

    def __post_init__(self) -> None:
        firsts = [band.first for band in self.bands]
        _require(bool(firsts) and firsts[0] == 0, f"The rates {self.name!r} do not begin in year 0; add that band.")
        _require(firsts == sorted(set(firsts)), f"The bands of {self.name!r} are not in order of their first year.")
        for band in self.bands:
            _require(
                math.isfinite(band.rate) and band.rate > -1,
                f"The rate {band.rate} from year {band.first} of {self.name!r} is none: 3.5 % is written 0.035.",
            )

    def band(self, year: int) -> Band:
        """The band a year lies in."""
        return next(band for band in reversed(self.bands) if band.first <= year)

    def verified(self, year: int) -> bool:
        """Whether every rate that this year is discounted by was verified."""
        return all(band.verified for band in self.bands if band.first <= year)


@dataclass(frozen=True, slots=True)
class PresentValue:
    """Pounds as the base year would count them.

    estimate, low, high: the sum, with every amount at its low end, and at its high end; an amount without a range
    counts as itself in all three · n amounts, `ranged` of them with a range · undiscounted: the same sum, year by year
    as written.
    """

    estimate: float
    low: float
    high: float
    n: int
    ranged: int
    undiscounted: float


@dataclass(frozen=True, slots=True)
class SwitchingValue:
    """What one item would have to be for gains to equal costs, all else as it is.

    estimate: that present value · low, high: with all else at its best and at its worst for the item · item: its
    present value now · times: how many times as large · change: that in per cent (0: no change) · within: whether the
    item's own range reaches it · n: amounts behind it.
    """

    estimate: float
    low: float
    high: float
    item: float
    times: float
    change: float
    within: bool
    n: int


@dataclass(frozen=True, slots=True)
class BreakEven:
    """How many units would equal a cost: estimate; low and high from the ranges of the cost and of the unit's value."""

    estimate: float
    low: float
    high: float
    unit_value: float
    n: int


@dataclass(frozen=True, slots=True)
class Grades:
    """How far an amount may be too hopeful, by grade of confidence, as shares (0.05 is 5 %)."""

    name: str
    source: str
    verified: bool
    shares: Mapping[int, float]


def rates(name: str = "standard", *, edition: str | None = None) -> Rates:
    """A table of discount rates as shipped: `standard`, `health`, `sensitivity`; the edition in use unless named.

    The figures stand in `data_schemas/catalogues/discount_rates.toml` with source, day and whether they were verified.
    Errors: ValueError for a table or edition there is not, naming those there are.

    >>> rates("health").band(40).rate, rates("standard", edition="green_book_2003").valid_from.year
    (0.0129, 2003)
    """
    said = _shipped("discount_rates")
    wanted = edition or str(said["in_use"])
    editions = said["editions"]
    _require(wanted in editions, f"No edition is called {wanted!r}. There are: {', '.join(sorted(editions))}.")
    held = editions[wanted]
    tables = held["tables"]
    _require(name in tables, f"{held['name']} has no rates {name!r}. There are: {', '.join(sorted(tables))}.")
    bands = tuple(Band(one["from_year"], one["per_cent"] / 100, one["verified"]) for one in tables[name])
    return Rates(name, held["name"], held["valid_from"], held["source"], held["note"], bands)


def grades() -> Grades:
    """The table of confidence grades as shipped. It was never seen in its source: say so wherever a number rests on it.

    >>> grades().shares[4], grades().verified
    (0.15, False)
    """
    said = _shipped("confidence_grades")
    shares = {int(grade): per_cent / 100 for grade, per_cent in said["per_cent"].items()}
    return Grades(said["name"], said["source"], said["verified"], shares)


def discount_factor(year: int, *, table: Rates | str) -> float:
    """What a pound of this year counts for in the base year.

    D(t) = Π 1 / (1 + r_k) over k = 1 … t, where r_k is the rate of the band year k lies in; D(0) = 1. So a later band
    goes on from the factor reached and does not begin anew. Years are whole, counted from the base year; amounts are in
    real terms. table: rates of your own, or the name of a shipped table.
    Source: HM Treasury, The Green Book (2026), discounting; Green Book (2003), Annex 6, Table 6.1.
    Errors: ValueError for a year before the base year or not whole.

    >>> round(discount_factor(10, table="standard"), 5), discount_factor(0, table="standard")
    (0.70892, 1.0)
    >>> round(sum(discount_factor(year, table="standard") for year in range(5)), 5)
    4.67308
    """
    _require(
        hasattr(year, "__index__") and not isinstance(year, bool),
        f"year = {year!r} is no whole number of years after the base year, such as 0, 1 or 2.",
    )
    last = int(year)
    _require(last >= 0, f"year = {last} lies before the base year, which is year 0: choose an earlier base year.")
    known = rates(table) if isinstance(table, str) else table
    logged = 0.0
    for place, band in enumerate(known.bands):
        ends = known.bands[place + 1].first - 1 if place + 1 < len(known.bands) else last
        logged += max(min(last, ends) - max(band.first, 1) + 1, 0) * math.log1p(band.rate)
    return math.exp(-logged)


def present_value(
    amounts: Iterable[float],
    years: Iterable[int],
    *,
    table: Rates | str,
    low: Iterable[float | None] | None = None,
    high: Iterable[float | None] | None = None,
) -> PresentValue:
    """Amounts of several years, discounted and added up, with the sum of their lows and the sum of their highs.

    Σ a_i D(t_i). Ranges are added by interval arithmetic: every amount at its low end at once, then every one at its
    high end. That is the widest the sum can be, needs no guess of how amounts hang together, and has no chance in it.
    amounts, low, high: pounds in the prices of one year, one an item, a loss below 0; a missing low or high is none.
    years: whole, from the base year. table: as in `discount_factor`.
    Sources: HM Treasury, The Green Book (2026); Moore (1966), Interval Analysis, ch. 2.
    Errors: ValueError for no amounts, lists of unequal length, an amount that is missing, or outside its range.

    >>> found = present_value([100, 100], [0, 1], table="standard", low=[90, None], high=[120, None])
    >>> print(f"{found.estimate:.2f} ({found.low:.2f} to {found.high:.2f}), {found.ranged} of {found.n} with a range")
    196.62 (186.62 to 216.62), 1 of 2 with a range
    """
    held, when = [float(one) for one in amounts], list(years)
    _require(bool(held), "There are no amounts to add up; give at least one.")
    lows, highs = (_ends(end, held, name) for end, name in ((low, "low"), (high, "high")))
    _require(len(when) == len(held), f"{len(held)} amounts have {len(when)} years; give each amount its year.")
    for place, (amount, least, most) in enumerate(zip(held, lows, highs, strict=True)):
        _require(
            all(map(math.isfinite, (amount, least, most))),
            f"Amount {place + 1} ({amount}, {least} to {most}) is missing or no number; leave it out or write it.",
        )
        slack = MOST_OFF * max(abs(amount), 1.0)
        _require(
            least <= amount + slack and amount <= most + slack,
            f"Amount {place + 1} ({amount}) does not lie between its low ({least}) and its high ({most}).",
        )
    known = rates(table) if isinstance(table, str) else table
    factors = [discount_factor(year, table=known) for year in when]
    estimate, least, most = (
        math.fsum(one * factor for one, factor in zip(each, factors, strict=True)) for each in (held, lows, highs)
    )
    ranged = sum(end != other for end, other in zip(lows, highs, strict=True))
    return PresentValue(estimate, least, most, len(held), ranged, math.fsum(held))


def added(values: Sequence[PresentValue]) -> PresentValue:
    """Present values added up, those of different tables too: lows to lows, highs to highs.

    >>> gains = present_value([10], [1], table="standard"), present_value([10], [1], table="health")
    >>> round(added(gains).estimate, 3)
    19.514
    """
    _require(bool(values), "There are no present values to add up; give at least one.")
    return PresentValue(
        math.fsum(one.estimate for one in values),
        math.fsum(one.low for one in values),
        math.fsum(one.high for one in values),
        sum(one.n for one in values),
        sum(one.ranged for one in values),
        math.fsum(one.undiscounted for one in values),
    )


def net_present_value(gains: PresentValue, costs: PresentValue) -> PresentValue:
    """Gains less costs; low: gains at their lowest and costs at their highest, high: the other way round.

    >>> gains, costs = (present_value([amount], [0], table="standard", low=[amount - 5], high=[amount + 5])
    ...     for amount in (80, 100))
    >>> found = net_present_value(gains, costs)
    >>> found.estimate, found.low, found.high
    (-20.0, -30.0, -10.0)
    """
    return PresentValue(
        gains.estimate - costs.estimate,
        gains.low - costs.high,
        gains.high - costs.low,
        gains.n + costs.n,
        gains.ranged + costs.ranged,
        gains.undiscounted - costs.undiscounted,
    )


def switching_value(net: PresentValue, item: PresentValue, *, counts_as: CountsAs = "gain") -> SwitchingValue:
    """What one item would have to be for the net present value to be zero, all else as it is.

    With R the net present value without the item, R + x = 0 for a gain and R - x = 0 for a cost: x is -R or R. `times`
    is x / item. low and high: x with all else at its best and at its worst. net: of which the item is a part, made by
    `net_present_value`; item: its present value, a cost as it stands in `costs`.
    Source: HM Treasury, The Green Book (2026), switching values.
    Errors: ValueError where no size of the item does: it is 0, so no multiple of it is anything; or the rest lies on
    the other side, so that it would have to turn from a gain into a loss, or the other way.

    >>> gains, costs = (present_value([amount], [0], table="standard") for amount in (80, 100))
    >>> found = switching_value(net_present_value(gains, costs), gains)
    >>> found.estimate, found.times
    (100.0, 1.25)
    """
    _require(counts_as in ("gain", "cost"), f"counts_as = {counts_as!r}: an item counts as a 'gain' or as a 'cost'.")
    _require(item.estimate != 0, "The item is 0: no multiple of it moves the net present value. Leave it out.")
    if counts_as == "gain":
        needed, least, most = (item.estimate - net.estimate, item.high - net.high, item.low - net.low)
    else:
        needed, least, most = (item.estimate + net.estimate, item.high + net.low, item.low + net.high)
    if abs(needed) <= MOST_OFF * max(abs(net.estimate), abs(item.estimate)):
        needed = 0.0
    times = needed / item.estimate
    _require(
        times >= 0,
        f"No size of the item brings the net present value to 0: it is {item.estimate:,.0f} and would have to be "
        f"{needed:,.0f}, on the other side of nothing. Ask about a larger item.",
    )
    within = item.low <= needed <= item.high
    return SwitchingValue(needed, least, most, item.estimate, times, 100 * (times - 1), within, net.n)


def break_even(
    costs: PresentValue,
    *,
    unit_value: float,
    low: float | None = None,
    high: float | None = None,
    year: int = 0,
    table: Rates | str = "standard",
) -> BreakEven:
    """How many units, each worth so much, would equal the costs: costs / (unit_value D(year)).

    low, high: the range of a unit's value. Fewest units: costs at their lowest and a unit at its highest. year: in
    which the units fall, counted from the base year.
    Errors: ValueError for a unit worth nothing or less, a range it lies outside, and costs below 0.

    >>> round(break_even(present_value([120_000], [0], table="standard"), unit_value=2_400).estimate)
    50
    """
    least, most = (unit_value if end is None else end for end in (low, high))
    _require(
        all(math.isfinite(one) and one > 0 for one in (unit_value, least, most)),
        f"A unit worth {least} to {most} pays nothing back; its value must be above 0.",
    )
    _require(least <= unit_value <= most, f"unit_value = {unit_value} does not lie between {least} and {most}.")
    _require(costs.low >= 0, f"Costs of {costs.low:,.0f} are below 0: there is nothing to equal.")
    factor = discount_factor(year, table=table)
    fewest, number, many = (
        each / (worth * factor)
        for each, worth in ((costs.low, most), (costs.estimate, unit_value), (costs.high, least))
    )
    return BreakEven(number, fewest, many, unit_value, costs.n)


def range_by_grade(
    amount: float, grade: int, *, counts_as: CountsAs, table: Grades | None = None
) -> tuple[float, float]:
    """The range of an amount whose figure has a grade of confidence, where nobody gave one.

    A gain may be c less of itself, a cost c more, c the share of the grade: amount - c |amount| to amount, or amount to
    amount + c |amount|. The model the table comes from corrects the amount itself; here it widens the range and leaves
    the amount as it was written. See `grades`: the table was never seen in its source.
    Errors: ValueError for a grade the table does not have.

    >>> range_by_grade(1000, 4, counts_as="gain"), range_by_grade(-1000, 4, counts_as="gain")
    ((850.0, 1000.0), (-1150.0, -1000.0))
    """
    held = table or grades()
    known = ", ".join(map(str, sorted(held.shares)))
    _require(grade in held.shares, f"The table of grades has no grade {grade}. There are: {known}.")
    _require(counts_as in ("gain", "cost"), f"counts_as = {counts_as!r}: an amount counts as a 'gain' or as a 'cost'.")
    off = held.shares[grade] * abs(amount)
    return (amount - off, float(amount)) if counts_as == "gain" else (float(amount), amount + off)


def in_prices(amount: float, priced: str, *, to: str, deflators: Mapping[str, float]) -> float:
    """An amount in the prices of one year, in those of another: amount × deflator of `to` / deflator of `priced`.

    deflators: an index of prices by year, such as the GDP deflator; only their ratios count.
    Errors: ValueError for a year without a deflator, or a deflator not above 0.

    >>> round(in_prices(100, "2023/24", to="2025/26", deflators={"2023/24": 95.0, "2025/26": 100.0}), 2)
    105.26
    """
    for year in (priced, to):
        _require(year in deflators, f"There is no deflator for {year}; add it beside the others.")
        index = deflators[year]
        _require(math.isfinite(index) and index > 0, f"The deflator {index} for {year} must be above 0.")
    return amount * deflators[to] / deflators[priced]


def _ends(given: Iterable[float | None] | None, amounts: list[float], name: str) -> list[float]:
    """Lows or highs, an amount itself where there is none."""
    ends = [None] * len(amounts) if given is None else list(given)
    _require(len(ends) == len(amounts), f"{len(amounts)} amounts have {len(ends)} of {name}; give one each, or None.")
    return [amount if end is None or math.isnan(end) else float(end) for end, amount in zip(ends, amounts, strict=True)]


@cache
def _shipped(name: str) -> dict[str, Any]:
    """Read once; nobody writes into it."""
    return tomllib.loads((catalogues() / f"{name}.toml").read_text(encoding="utf-8"))


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
