"""What pounds do not show: what rests on whom, what is not in them, and what their ranges rest on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import words
from evalkit.population import money_rows
from evalkit.population.money_lines import GRADED, HEALTH
from evalkit.population.money_rows import KINDS, at
from evalkit.result import Result, Sentence
from evalkit.stats import money
from evalkit.terms import Verdict

if TYPE_CHECKING:
    from evalkit.population.money_lines import Money

NAMED = 4
"""More gains than this are counted in a caution, and named in the table only."""
CHANGE = re.compile(r"^population\.change\(.*\bmeasure='([^']+)'")
"""How an answer about one measure was asked."""
FOUND = {
    Verdict.IMPROVED: "which got better; whether that was the programme is another question",
    Verdict.ROSE: "which rose; whether that was the programme is another question",
    Verdict.FELL: "which fell",
    Verdict.WORSENED: "which got worse",
    Verdict.MIXED: "for which the findings point both ways",
    Verdict.TOO_EARLY: "for which it is too early to say",
    Verdict.NO_CLEAR_CHANGE: "for which no clear change was found",
    Verdict.UNCLEAR: "for which no clear change was found",
    Verdict.DESCRIBED: "for which no change could be tested",
    Verdict.NOT_MEASURABLE: "for which no change could be measured",
}
"""What was found of the measure a gain rests on."""
NO_RATIO = (
    "No single ratio of gains to costs is given: it would hide who pays, who gains and how sure anybody is of either."
)


def cautions(
    held: Money, table: pd.DataFrame, results: Iterable[Result] | None, rivals: tuple[str, ...]
) -> list[Sentence]:
    """The main doubt first."""
    said = [*_on_prices(held), *_on_gains(held, table), *_rests_on(held, results), *_left_out(held)]
    said += [*_on_ranges(held), *_on_rates(held)]
    if at(table, money_rows.UNITS):
        said.append(Sentence("What a unit is worth was given with the question: no source of it was checked."))
    if rivals:
        said.append(Sentence(f"Also going on in the same time: {words.listed([*rivals])}."))
    return [*said, Sentence(NO_RATIO)]


def _on_prices(held: Money) -> Iterator[Sentence]:
    if not held.alike:
        yield Sentence(
            f"Amounts are in the prices of {words.listed(held.prices)} and are not added up. To have one sum, write "
            "all of them in the prices of one year (price_year), or give deflators=…, such as the Treasury's GDP "
            "deflators."
        )


def _on_gains(held: Money, table: pd.DataFrame) -> Iterator[Sentence]:
    """Whose word a gain is, what nobody gave a share of, and what frees no money."""
    if len(held.gains):
        yield Sentence(
            "The share put down to the programme is what people think, not a test: what would have come anyway is not "
            "known."
        )
    unshared = held.unshared
    if len(unshared):
        yield Sentence(
            f"Nobody said how much of {_items(unshared)} to put down to the programme: in the table, not added up.",
            at(table, money_rows.UNSHARED),
        )
    if not held.gains["cash"].fillna(True).all():
        yield Sentence(
            "A gain that cannot be taken out frees beds or hours that fill again; no budget is smaller by it."
        )


def _rests_on(held: Money, results: Iterable[Result] | None) -> Iterator[Sentence]:
    """What was found of each measure that a gain rests on, where its answer was given."""
    found = dict(_answers(results or ()))
    known = held.programme.measures
    ids = {one.label.casefold(): name for name, one in known.items()}
    gains = pd.concat([held.gains, held.unshared])
    for named, own in gains.dropna(subset="measure").groupby("measure", sort=False):
        name = ids.get(str(named).casefold(), str(named))
        label = known[name].label.lower() if name in known else str(named)
        rests = f"{words.sentence_case(_items(own))} {'rests' if own['item'].nunique() == 1 else 'rest'} on {label}"
        if name in found:
            yield Sentence(f"{rests}, {FOUND[found[name]]}.")
        else:
            yield Sentence(f"{rests}: whether that changed is another question (population.change).")
    alone = gains["item"][gains["measure"].isna()].nunique()
    if alone:
        every = gains["item"].nunique()
        yield Sentence(f"{words.of(alone, every)} gains rest on no measure at all.")


def _answers(results: Iterable[Result]) -> Iterator[tuple[str, Verdict]]:
    for answer in results:
        asked = CHANGE.match(answer.about.asked)
        if asked:
            yield asked.group(1), answer.verdict


def _left_out(held: Money) -> Iterator[Sentence]:
    """Kinds of cost nobody wrote down, years to come, and places to compare with."""
    absent = [label.lower() for kind, label in KINDS.items() if kind != "other" and kind not in set(held.costs["kind"])]
    if absent:
        yield Sentence(f"Not in these costs, for nobody wrote them down: {words.listed(absent)}.")
    if held.later:
        yield Sentence(
            f"{words.sentence_case(words.counted(held.later, 'amount'))} of years after {held.until} not counted: "
            "expected, not seen. until=… counts them."
        )
    if held.elsewhere:
        yield Sentence(f"{words.sentence_case(words.counted(held.elsewhere, 'amount'))} of places to compare with are "
                       "left out.")  # fmt: skip


def _on_ranges(held: Money) -> Iterator[Sentence]:
    """What low and high rest on, and how many amounts have none."""
    lines = held.lines[held.lines["counted"]]
    wide = lines["low"] < lines["high"]
    graded = int((wide & (lines["range_from"] == GRADED)).sum())
    if graded:
        yield Sentence(
            f"The range of {words.counted(graded, 'amount')} is worked out from a grade of confidence, by a table "
            "whose figures were never seen in their source."
        )
    if int(lines["middle"].sum()):
        yield Sentence(
            f"Of {words.counted(int(lines['middle'].sum()), 'gain')} only a low and a high were given; the middle "
            "stands for the amount."
        )
    bare = int((lines["range_from"] == "").sum())
    if bare:
        yield Sentence(f"{words.of(bare, len(lines))} amounts have no range and count as if they were certain.")
    if int(lines["odd_grade"].sum()):
        yield Sentence("Grades of confidence that stand in no table give no range.")


def _on_rates(held: Money) -> Iterator[Sentence]:
    """Which rates, and that they may change."""
    if not held.alike or held.lines["at"].max() == 0:
        return
    rates = money.rates(held.discount)
    yield Sentence(rates.note)
    if not rates.verified(int(held.lines["at"].max())):
        yield Sentence(f"Some of the {held.discount} rates this far ahead are known at second hand only.")
    if held.discount == HEALTH:
        yield Sentence("Health rates are applied to social gains alone; pounds spent or saved stay at standard rates.")


def _items(lines: pd.DataFrame) -> str:
    """Gains by name where they are few, with what they come to; else how many."""
    items = [str(item) for item in lines["item"].unique()]
    if len(items) > NAMED:
        return words.counted(len(items), "gain")
    return words.listed([f"“{item}”" for item in items])
