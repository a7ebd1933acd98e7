"""Is it worth what it costs, and who pays and who gains?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.evidence import attribution, grade
from evalkit.population import money_doubts, money_rows
from evalkit.population.money_lines import NO_ONE, STANDARD, Money, pounds, written_down
from evalkit.population.money_rows import at
from evalkit.population.monthly import QUESTION
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats import money
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.programme import Programme

PAID, GAINED = "paid", "gained, as far as put down to it"
WHY = "Pounds as they were written down; what was gained is what people put down to the programme, not a test of it."
ASSUMES = (
    "Every cost was written down, once; a gain is as large as somebody put it, and the share put down to the programme "
    "is right; low and high take every amount at its worst, and at its best, at once."
)


def value(
    programme: Programme,
    results: Iterable[Result] | None = None,
    *,
    discount: str = STANDARD,
    base_year: str | None = None,
    until: str | None = None,
    deflators: Mapping[str, float] | None = None,
    unit_values: Mapping[str, float] | None = None,
) -> Result:
    """Is it worth what it costs, and who pays and who gains?

    Needs: `costs`, and `benefits` for what was gained. Costs and gains as they were written down, by kind, by who paid
    and by whose budget they fall to; present values from low to high; what each gain would have to be worth for gains
    to equal costs. A gain counts with the share that somebody put down to the programme; one without a share is shown
    and never added up. No single ratio is given: it would hide who pays, who gains and how sure anybody is. What would
    mislead: a gain is what somebody says it is worth, on a measure that may not have changed; give the answers of
    population.change as `results` and it is said.

    Amounts in the prices of different years are not added up without `deflators`, an index of prices by financial year
    ({"2024/25": 97.1, "2025/26": 100.0}). `discount`: standard, sensitivity, or health, which is for social gains alone
    (pounds stay at the standard rates). `base_year` is year 0 (the first year of the amounts), `until` the last year
    counted (the year the data end in). `unit_values`: pounds a unit of a measure is worth, to ask how many would equal
    the costs. n counts lines. Extras: by, prices, written, share, times, added, why_not.
    Errors: `NotEnoughEvidence` when no cost was written down; `ValueError` for a setting that is misspelt, a base year
    after the first amount, and a year without deflator.

    >>> import evalkit as ek
    >>> found = value(ek.load("sample_data/northmere"), deflators={"2024/25": 97.1, "2025/26": 100.0}).table
    >>> found.loc[found["measure"] == "Gains less costs", "interval"].unique().tolist()
    ['range']
    """
    held = written_down(programme, discount=discount, base_year=base_year, until=until, deflators=deflators)
    table = money_rows.table(held, unit_values)
    rivals = circumstances.rivals(programme)
    evidence = grade(Design.DESCRIBED, informants=("those who kept the accounts",), rivals=rivals)
    decided = described(WHY)
    said = _Said(held, table)
    settings = {"discount": (discount, STANDARD), "base_year": (base_year, None), "until": (until, None),
                "deflators": (deflators and dict(deflators), None),
                "unit_values": (unit_values and dict(unit_values), None)}  # fmt: skip
    asked = ", ".join(f"{name}={given!r}" for name, (given, usual) in settings.items() if given != usual)
    headline = said.headline
    return Result.of(
        question=QUESTION,
        level=Level.POPULATION,
        kirkpatrick=Step.RESULTS,
        headline=headline,
        sentences=said.sentences,
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(held, table, headline.text),
        chart=charts.named("money"),
        method=_method(held),
        evidence=evidence,
        cautions=money_doubts.cautions(held, table, results, rivals),
        about=circumstances.about(
            programme,
            f"population.value({asked})",
            n=int(held.lines["counted"].sum()),
            of=len(held.lines),
            counts="amounts",
            beneficiary="taxpayers",
        ),
        details=held.lines,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Said:
    """The headline and the sentences, each with the rows its pounds stand in."""

    held: Money
    table: pd.DataFrame

    @property
    def headline(self) -> Sentence:
        """What it cost, and what was gained as far as it may be set against that."""
        cost, rows = self._costs(ranged=False)
        if self.held.gains.empty:
            return Sentence(f"Cost {cost}; no gain that can be set against it", rows)
        if not self.held.alike:
            return Sentence(f"Cost {cost}; gains not set against it: prices differ", rows)
        row = self._row(money_rows.GAINS)
        return Sentence(f"Cost {cost}; gains put down to it {_pounds(row)}{_brackets(row)}", (*rows, row["row"]))

    @property
    def sentences(self) -> list[Sentence]:
        """What it cost; what was gained; the difference; and what would have to be true for gains to equal costs."""
        said = [self._cost(), self._gain()]
        if self.held.alike:
            said += self._difference() + self._to_equal()
        return said

    def _row(self, measure: str, group: str = ALL) -> dict[str, Any]:
        """A row with its place as `row`."""
        place = at(self.table, measure, group=group)[0]
        return {str(name): cell for name, cell in self.table.loc[place].items()} | {"row": place}

    def _at(self, place: int) -> str:
        """The pounds of one row."""
        return pounds(float(self.table["estimate"].iloc[place]))

    def _costs(self, *, ranged: bool) -> tuple[str, tuple[int, ...]]:
        """All costs, in the prices of each year they are in."""
        rows = [self._row(money_rows.COSTS, str(self.table["group"][place]))
                for place in at(self.table, money_rows.COSTS)]  # fmt: skip
        prices = "" if self.held.alike else " in {} prices"
        said = [f"{_pounds(row)}{prices.format(row['prices'])}{_brackets(row) if ranged else ''}" for row in rows]
        return words.listed(said), tuple(row["row"] for row in rows)

    def _cost(self) -> Sentence:
        years = sorted(self.held.costs["year"].unique())
        when = f"From {years[0]} to {years[-1]}" if len(years) > 1 else f"In {years[0]}"
        cost, rows = self._costs(ranged=True)
        if not self.held.alike:
            return Sentence(f"{when} the programme cost {cost}, which are not added up: prices differ.", rows)
        cash = at(self.table, money_rows.CASH, group=money_rows.IN_CASH[True])
        paid = f", {self._at(cash[0])} of it paid in cash" if cash else ", none of it known to be cash"
        return Sentence(f"{when} the programme cost {cost} in {self.held.prices[0]} prices{paid}.", (*rows, *cash))

    def _gain(self) -> Sentence:
        gains, unshared = self.held.gains, self.held.unshared
        whole = len(gains) + len(unshared)
        if not whole:
            return Sentence("No gain in pounds was written down, which does not say that there was none.")
        if gains.empty:
            return Sentence(
                f"Of {words.counted(whole, 'gain')} written down nobody said how much to put down to the programme, "
                "so nothing is set against the costs."
            )
        counted = words.of(len(gains), whole)
        if not self.held.alike:
            return Sentence(f"People put a share of {counted} gains down to the programme; the table has each.")
        row, out = self._row(money_rows.GAINS), at(self.table, money_rows.TAKEN_OUT, group=money_rows.OUT[True])
        taken = f"{self._at(out[0])} of it can be taken out as money" if out else (
            "none of it is known to be money that can be taken out"
        )  # fmt: skip
        return Sentence(
            f"Gains that people put down to the programme come to {_pounds(row)}{_brackets(row)}, {counted} gains; "
            f"{taken}.",
            (row["row"], *out),
        )

    def _difference(self) -> list[Sentence]:
        """Gains less costs in the base year, and whether the ranges leave it open which is larger."""
        if self.held.gains.empty:
            return []
        row = self._row(money_rows.NET)
        open_ = "whether gains or costs are larger cannot be said"
        if row["low"] != row["low"]:
            open_ = "nobody gave a range, so how sure this is cannot be said"
        elif row["high"] < 0:
            open_ = "costs are larger even with every amount at its best"
        elif row["low"] > 0:
            open_ = "gains are larger even with every amount at its worst"
        text = f"Counted as of {self.held.base}, gains less costs are {_pounds(row)}{_brackets(row)}: {open_}."
        return [Sentence(text, (row["row"],))]

    def _to_equal(self) -> list[Sentence]:
        """Units asked about; else what the largest gain alone would have to be; without a gain, the costs."""
        units = [self._row(money_rows.UNITS, str(self.table["group"][place]))
                 for place in at(self.table, money_rows.UNITS)]  # fmt: skip
        if units:
            said = " or ".join(self._units(row) for row in units)
            return [Sentence(f"To equal the costs it would take {said}.", tuple(row["row"] for row in units))]
        if self.held.gains.empty:
            row = self._row(money_rows.COSTS_NOW)
            text = f"For it to pay back, gains would have to be worth {_pounds(row)} as of {self.held.base}."
            return [Sentence(text, (row["row"],))]
        needed = self.table[(self.table["measure"] == money_rows.WOULD_BE) & self.table["times"].notna()]
        if needed.empty:
            return []
        least = int(needed["times"].sub(1).abs().argmin())
        row = self._row(money_rows.WOULD_BE, str(needed["group"].iloc[least]))
        now = words.number(row["estimate"] / row["times"], 0) if row["times"] else ""
        instead = f", not £{now}" if now else ""
        return [
            Sentence(
                f"For gains to equal costs, “{row['group']}” alone would have to be worth {_pounds(row)}{instead}, "
                "all else as it is.",
                (row["row"],),
            )
        ]

    def _units(self, row: Mapping[str, Any]) -> str:
        """So many fewer, or more, of what was asked about, and what each was taken to be worth."""
        better = {one.label: one.better for one in self.held.programme.measures.values()}.get(row["group"])
        way = {"lower": "fewer ", "higher": "more ", None: ""}[better]
        label, each = str(row["group"]), str(row["unit"]).partition(", ")[2]
        named = label[:1].lower() + label[1:] if better else label
        return f"{words.number(row['estimate'], 0)} {way}{named}, {each}"


def _pounds(row: Mapping[str, Any]) -> str:
    return pounds(float(row["estimate"]))


def _brackets(row: Mapping[str, Any]) -> str:
    """The range in brackets, or nothing where nobody gave one."""
    if row["low"] != row["low"]:
        return ""
    return f" ({pounds(row['low'])} to {pounds(row['high'])})"


def _marks(held: Money, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """Two bars an organisation, in the order of the alphabet: what it paid, and what falls to its budget."""
    shown = table[table["measure"].isin([money_rows.PAID_BY, money_rows.FALLS_TO])]
    order = sorted(shown["group"].unique(), key=lambda name: (str(name).startswith(NO_ONE), str(name).casefold()))
    bars = [
        {"mark": "bar", "series": PAID if row["measure"] == money_rows.PAID_BY else GAINED, "x": row["group"],
         "y": row["estimate"], "low": row["low"], "high": row["high"], "label": pounds(row["estimate"]), "row": place}
        for name in order
        for place, row in shown[shown["group"] == name].to_dict("index").items()
    ]  # fmt: skip
    years = sorted(held.lines["year"].unique())
    when = years[0] if len(years) == 1 else f"{years[0]} to {years[-1]}"
    return charts.marks(
        bars,
        headline=headline,
        subtitle=f"Pounds by organisation, {when}, {held.programme.title}",
    )


def _method(held: Money) -> Method:
    rates = money.rates(held.discount)
    now = f", discounted at the {held.discount} rates" if held.alike else ""
    return Method(
        name=f"Costs and gains added up with their ranges (interval arithmetic){now}; switching values",
        source=f"{rates.edition}: discounting, switching values and no single ratio; rates: {rates.source}. "
        f"Ranges by grade of confidence: {money.grades().source}.",
        assumes=ASSUMES,
        design=Design.DESCRIBED,
    )
