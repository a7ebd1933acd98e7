"""Everything that was measured of people's lives beside each other: what moved more than chance, and what is blank."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.population import by_place, designs, one_series
from evalkit.population.monthly import over, refuse, sure
from evalkit.result import Method, Result, Sentence
from evalkit.stats import multiplicity
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.measure import Measure
    from evalkit.programme import Programme

QUESTION = "Of everything measured of people's lives, what moved more than chance would?"
BENEFICIARIES = ("patients", "citizens", "staff", "taxpayers")
"""The four whose lives or purse it is, in the order they are always listed."""
SHARE = 0.05
"""The share of measures called moved that may have moved by chance alone (Benjamini and Hochberg)."""
NOT_TESTED, BEYOND, WITHIN, BLANK = "not tested", "beyond chance", "within chance", "nothing measured"
UNIT = "ratio, 1 is no change"
METHOD = Method(
    name="Each measure as population.against reads it, else as population.change; Benjamini–Hochberg over all of them",
    source="Benjamini & Hochberg (1995), J. R. Statist. Soc. B 57, 289–300; the rest as in those two questions.",
    assumes="Each test keeps its own promise, and measures move together or independently of each other.",
    design=Design.COMPARED,
)


@dataclass(frozen=True, slots=True)
class _Read:
    """One measure as it was read: its ratio and p, or why there is none."""

    measure: Measure
    estimate: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    n: int | None = None
    n_of: str = "places"
    p: float = float("nan")
    why_not: str = ""
    few: int | None = None

    @property
    def better(self) -> bool:
        """Whether it moved to the better side."""
        return (self.estimate < 1) == (self.measure.better == "lower")


def indicators(programme: Programme, *, confidence: float = 0.95) -> Result:
    """Of everything measured of people's lives, what moved more than chance would?

    Needs: figures of one measure or more in `outcomes`. Every measure in the order of whom it concerns, patients,
    citizens, staff and taxpayers, each of the four listed whether or not anything was measured. Of many measures some
    move by chance; those called beyond chance are held to one in twenty wrong among them. This is for looking around:
    the verdict belongs to the one measure agreed beforehand. Extras: beneficiary, p, p_adjusted, called (beyond chance,
    within chance, not tested, nothing measured), side (better, worse), why_not and tells (how few it would
    tell). Errors: `NotEnoughEvidence` where nothing was measured at all.

    >>> import evalkit as ek
    >>> found = indicators(ek.load("sample_data/northmere")).table
    >>> found.loc[found["called"] == "nothing measured", "beneficiary"].tolist()
    ['taxpayers']
    """
    sure(confidence)
    read = [*_read(programme, confidence)]
    if not read:
        raise refuse("No figures of people's lives were given.", "outcomes.csv: one row a place and month.")
    table = _table(read, confidence)
    rivals = circumstances.rivals(programme)
    evidence = grade(Design.COMPARED, informants=("routine records",), rivals=rivals)
    decided = described(
        "Measures beside each other, for looking around; verdicts belong to what was agreed beforehand."
    )
    tested = table[table["called"].isin([BEYOND, WITHIN])]
    headline = Sentence(
        f"{words.of(int((table['called'] == BEYOND).sum()), len(tested))} measures moved beyond chance"
        if len(tested)
        else f"Could not be tested: {words.counted(len(read), 'measure')}",
        rows=tuple(tested.index),
    )
    return Result.of(
        question=QUESTION,
        level=Level.POPULATION,
        kirkpatrick=Step.RESULTS,
        headline=headline,
        sentences=_sentences(table),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(programme, table, headline.text),
        chart=charts.named("dots"),
        method=METHOD,
        evidence=evidence,
        cautions=_cautions(table, rivals),
        about=circumstances.about(programme, "population.indicators()", n=len(tested), of=len(read), counts="measures"),
    )


def _read(programme: Programme, confidence: float) -> Iterator[_Read]:
    told = programme.outcomes
    held = set(told.loc[over(programme, told), "measure"])
    known = [measure for name, measure in programme.measures.items() if name in held]
    for measure in sorted(known, key=lambda one: BENEFICIARIES.index(one.beneficiary)):
        yield _one(programme, measure, confidence)


def _one(programme: Programme, measure: Measure, confidence: float) -> _Read:
    """Places side by side where they can be, else the months as one series, else why neither."""
    try:
        compared = designs.Asked(by_place.places(programme, measure.id), confidence)
        found = compared.answer()
        if not (designs.unanswerable(compared, found) or designs.too_short(compared)):
            told = found.estimate, found.low, found.high, found.n, "places", max(found.p, designs.to_bear(found))
            return _Read(measure, *told, few=compared.few)
    except NotEnoughEvidence:
        pass  # the series says what is missing where it cannot be read either
    try:
        asked = one_series.asked(programme, measure.id)
        series = one_series.fit(asked, compared=asked.compared, confidence=confidence)
    except NotEnoughEvidence as refusal:
        return _Read(measure, why_not=refusal.missing)
    why_not = one_series.too_short(asked, series) or one_series.unanswerable(asked, series)
    p = float("nan") if why_not else series.p
    return _Read(measure, series.estimate, series.low, series.high, series.n, "months", p, why_not)


def _table(read: list[_Read], confidence: float) -> pd.DataFrame:
    """A row a measure, and one for each of the four of whom nothing was measured."""
    rows: list[dict[str, Any]] = [
        {"measure": one.measure.label, "group": one.measure.beneficiary, "estimate": one.estimate, "low": one.low,
         "high": one.high, "n": one.n, "n_of": one.n_of, "p": one.p, "why_not": one.why_not, TELLS: one.few,
         "side": "" if one.estimate != one.estimate else "better" if one.better else "worse"}
        for one in read
    ]  # fmt: skip
    measured = {one.measure.beneficiary for one in read}
    rows += [{"measure": BLANK, "group": who, "n_of": "measures", "n": 0, "why_not": "", "side": ""}
             for who in BENEFICIARIES if who not in measured]  # fmt: skip
    table = pd.DataFrame(rows)
    tested = table["p"].notna()
    table.loc[tested, "p_adjusted"] = multiplicity.adjust(table.loc[tested, "p"].to_list(), "benjamini_hochberg")
    table["called"] = [
        BLANK if name == BLANK else NOT_TESTED if p != p else BEYOND if p <= SHARE else WITHIN
        for name, p in zip(table["measure"], table["p_adjusted"], strict=True)
    ]
    sure = table["low"].notna().map({True: f"{confidence:.0%} confidence", False: "none given"})
    table = table.assign(interval=sure, unit=UNIT, beneficiary=table["group"])
    first = ["measure", "group", "estimate", "low", "high", "interval", "n", "unit", "n_of", "beneficiary", "p",
             "p_adjusted", "called", "side", "why_not", TELLS]  # fmt: skip
    order = table["group"].map(BENEFICIARIES.index)
    ordered = table.loc[order.sort_values(kind="stable").index, first].reset_index(drop=True)
    return ordered.astype({"n": "Int64", TELLS: "Int64"})


def _sentences(table: pd.DataFrame) -> list[Sentence]:
    said = []
    for called in (BEYOND, WITHIN, NOT_TESTED):
        held = table[table["called"] == called]
        if len(held):
            named = [_named(*row) for row in zip(held["measure"], held["estimate"], strict=True)]
            said.append(Sentence(f"{words.sentence_case(called)}: {'; '.join(named)}.", rows=tuple(held.index)))
    blank = list(table.loc[table["called"] == BLANK, "beneficiary"])
    every = words.listed([who for who in BENEFICIARIES if who not in blank])
    said.append(
        Sentence(
            f"Measured for {every}; nothing was measured for {words.listed(blank)}."
            if blank
            else f"Something was measured for each of {words.listed(list(BENEFICIARIES))}."
        )
    )
    return said


def _named(label: str, ratio: float) -> str:
    told = "" if ratio != ratio else f" ({words.in_every_100(ratio)})"
    return f"{label[0].lower()}{label[1:]}{told}"


def _marks(programme: Programme, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    drawn = table[table["estimate"].notna()]
    rows: list[dict[str, Any]] = [
        {"mark": "point", "x": f"{row['measure']} ({row['beneficiary']})", "y": row["estimate"], "low": row["low"],
         "high": row["high"], "row": at}
        for at, row in drawn.to_dict("index").items()
    ]  # fmt: skip
    rows.append({"mark": "line", "y": 1.0, "label": "no change"})
    return charts.marks(
        rows, headline=headline, subtitle=f"Programme places beside others, {programme.title}", x_axis=UNIT
    )


def _cautions(table: pd.DataFrame, rivals: tuple[str, ...]) -> list[Sentence]:
    said = [Sentence(f"Also going on in the same time: {words.listed(list(rivals))}.")] if rivals else []
    for at, name, why_not in zip(table.index, table["measure"], table["why_not"], strict=True):
        if why_not:
            said.append(Sentence(f"{name}: {why_not}", rows=(at,)))
    said.append(
        Sentence("Intervals are each measure's own; beyond chance takes account of how many measures were looked at.")
    )
    return said
