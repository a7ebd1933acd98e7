"""Did a measure change otherwise in the places of the programme than in places outside it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS
from evalkit.evidence import Evidence, attribution, grade
from evalkit.population import by_place, designs, monthly, told_beside
from evalkit.population.designs import YEAR, Asked
from evalkit.population.monthly import QUESTION, beside
from evalkit.result import Method, Result, Sentence
from evalkit.stats import counts_alone
from evalkit.terms import Design, Level, Step
from evalkit.verdict import EQUIVALENCE, HEADLINE, Decision, decide

if TYPE_CHECKING:
    from evalkit.measure import Measure
    from evalkit.programme import Programme
    from evalkit.stats.contrast import PlacesContrast

BINS = 24
"""Columns of the cloud."""
BEFORE, SHORTER, WITHOUT = (
    "the year before the start",
    "last year before the start left out",
    "months of a shock left out",
)
WEIGHED = "places weighed by their counts alone"
ASSUMES = "Without the programme, the rates of its places would have changed like those of the comparison places."
COLUMNS = ["measure", "group", "estimate", "low", "high", "interval", "n", "unit", "n_of", "what", "treated",
           "smallest_p", "p", TELLS]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was asked, what came of it, and what the year before the start says of how alike places were."""

    asked: Asked
    found: PlacesContrast
    before: PlacesContrast | None

    @property
    def measure(self) -> Measure:
        return self.asked.places.measure

    @property
    def programme(self) -> Programme:
        return self.asked.places.programme

    @property
    def alike(self) -> bool:
        """Whether places were shown to be alike: the year before lies wholly inside what would be worthwhile."""
        worth = self.measure.smallest_worthwhile_change
        if self.before is None or worth is None:
            return False
        low, high = self.before.interval(EQUIVALENCE)
        size = abs(float(np.log(worth)))
        return bool(-size < np.log(low) and np.log(high) < size)

    @property
    def apart(self) -> bool:
        """Whether places already differed in the year before."""
        if self.before is None:
            return False
        low, high = self.before.interval(0.95)
        return not low <= 1 <= high

    @property
    def chance(self) -> str:
        """How often names drawn at random differ as much, and how seldom they ever could."""
        found = self.found
        return (
            f"Drawn by lot, {found.n_treated} of {found.n} places would differ this much in "
            f"{_times(found.p_relabelled)}; no result could be rarer than {_times(found.smallest_p)}."
        )


def against(programme: Programme, *, measure: str, confidence: float = 0.95) -> Result:
    """Is anything different for patients, citizens, staff and taxpayers, beside places outside the programme?

    Needs: counts in `outcomes`, by month, quarter or year, with people in `denominators` or beside them, for places of
    the programme and three or more outside it, and the start of each. One change a place, from all months before its
    start to all after, with random-effects weights; a clear difference needs both the Knapp–Hartung interval and the
    exact relabelling of places (the methods page). Places that began at different times are read at their own. One
    programme place: where it stands among the others, and no verdict. `[plan.chosen]` says how places came to be
    chosen: for worsening, no verdict; for a high last year, that year is left out. Extras: what (answer, before,
    sensitivity), treated (places of the programme), smallest_p (the least that relabelling so many places could give)
    and p (both parts together), tells (how few events it would tell). Errors: `NotEnoughEvidence` without counts,
    people, starts, months on both sides or anybody to compare with.

    >>> import evalkit as ek
    >>> found = against(ek.load("sample_data/northmere"), measure="emergency_admissions_65_plus")
    >>> found.table[["treated", "n"]].iloc[0].tolist()
    [12, 19]
    """
    monthly.sure(confidence)
    asked = Asked(by_place.places(programme, measure), confidence)
    answer = _Answer(asked, asked.answer(), asked.year_before())
    decided = _decided(answer)
    rivals = circumstances.rivals(programme)
    evidence = _evidence(answer, rivals)
    table = _table(answer)
    headline = Sentence(_headline(answer, decided), rows=(0,))
    return Result.of(
        question=QUESTION,
        level=Level.POPULATION,
        kirkpatrick=Step.RESULTS,
        headline=headline,
        sentences=_sentences(answer, decided),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(answer, headline.text),
        chart=charts.named("cloud"),
        method=Method(answer.found.method, answer.found.source, ASSUMES, evidence.design),
        evidence=evidence,
        cautions=_cautions(answer, table, rivals),
        about=circumstances.about(
            programme,
            f"population.against(measure={measure!r})",
            n=answer.found.n_treated,
            of=answer.found.n,
            counts="places",
            beneficiary=answer.measure.beneficiary,
        ),
        details=answer.found,
    )


def _decided(answer: _Answer) -> Decision:
    found, asked = answer.found, answer.asked
    return decide(
        found,
        better=answer.measure.better,
        worthwhile=answer.measure.smallest_worthwhile_change,
        scale="ratio",
        described_as=designs.too_short(asked),
        unanswerable=designs.unanswerable(asked, found),
        smallest_p=found.smallest_p,
        relabelled_p=designs.to_bear(found),
        too_early=circumstances.too_early(answer.programme, answer.measure.expected_lag_months, asked.places.last),
    )


def _evidence(answer: _Answer, rivals: tuple[str, ...]) -> Evidence:
    drawn = answer.asked.places.chosen == "by lot"
    return grade(
        Design.RANDOMISED if drawn else Design.COMPARED,
        comparable=answer.alike,
        informants=("routine records",),
        rivals=rivals,
    )


def _table(answer: _Answer) -> pd.DataFrame:
    """The answer, the year before, and the answer in other ways."""
    rows = [_row(answer, "programme against comparison places", "answer", answer.found)]
    if answer.before is not None:
        rows.append(_row(answer, f"programme against comparison places, {BEFORE}", "before", answer.before))
    rows += [_row(answer, f"programme against comparison places, {how}", "sensitivity", found)
             for how, found in _otherwise(answer)]  # fmt: skip
    sure = f"{answer.asked.confidence:.0%} confidence"
    table = pd.DataFrame(rows).assign(interval=sure, unit="ratio, 1 is no change", n_of="places")
    table = table.assign(**{TELLS: answer.asked.few}).astype({"n": "Int64", "treated": "Int64"})
    return table.astype({TELLS: "Int64"})[COLUMNS]


def _row(answer: _Answer, group: str, what: str, found: PlacesContrast) -> dict[str, Any]:
    return {
        "measure": answer.measure.label, "group": group, "estimate": found.estimate, "low": found.low,
        "high": found.high, "n": found.n, "what": what, "treated": found.n_treated, "smallest_p": found.smallest_p,
        "p": found.p,
    }  # fmt: skip


def _otherwise(answer: _Answer) -> Iterator[tuple[str, PlacesContrast]]:
    """The same comparison with other months: each that can be made."""
    asked = answer.asked
    tried: list[tuple[str, dict[str, Any]]] = []
    if asked.left_out:
        tried.append(("every month before the start kept", {"left_out": 0}))
    elif asked.base >= 2 * YEAR:
        tried.append((SHORTER, {"left_out": YEAR}))
    shocks = _in_shocks(answer)
    if shocks.any() and asked.places.span == 1:
        tried.append((WITHOUT, {"left_out": asked.left_out, "figures": asked.places.figures[~shocks]}))
    alone = counts_alone.beside(answer.found)
    yield WEIGHED, replace(answer.found, estimate=alone.estimate, low=alone.low, high=alone.high, p=alone.p)
    for how, settings in tried:
        found = asked.tried(**settings)
        if found is not None:
            yield how, found


def _in_shocks(answer: _Answer) -> pd.Series[bool]:
    """Which rows lie in a shock that has an end."""
    period = answer.asked.places.figures["period"]
    held = pd.Series(False, index=period.index)
    events = answer.asked.places.events
    for shock in events[(events["kind"] == "shock") & events["ends_on"].notna()].to_dict("records"):
        held |= period.between(shock["starts_on"].replace(day=1), shock["ends_on"])
    return held


def _headline(answer: _Answer, decided: Decision) -> str:
    return (
        f"{words.sentence_case(answer.measure.label)}: {beside(answer.found.estimate, 'in comparison places')} "
        f"({words.ratio_interval(decided.low, decided.high)})"
    )


def _sentences(answer: _Answer, decided: Decision) -> list[Sentence]:
    asked, found = answer.asked, answer.found
    mine, others = (words.counted(n, f"{kind} place") for n, kind in
                    ((found.n_treated, "programme"), (found.n_comparison, "comparison")))  # fmt: skip
    same = words.in_every_100(found.estimate) == "the same"
    said = [
        Sentence(
            f"From {words.month(asked.first)} to {words.month(asked.places.last)}, the change in "
            f"{answer.measure.label.lower()} in {mine} {'was the same as' if same else 'differed from'} that in "
            f"{others}{'' if same else f': {words.in_every_100(found.estimate)}'} "
            f"({words.ratio_interval(decided.low, decided.high)}, {HEADLINE:.0%} interval).",
            rows=(0,),
        ),
        Sentence(_among(found) if found.n_treated == 1 else answer.chance, rows=(0,)),
        Sentence(asked.why),
    ]
    if answer.before is not None:
        said.append(Sentence(_year_before(answer), rows=(1,)))
    return said


def _among(found: PlacesContrast) -> str:
    """One place: how many of all places changed at least as much, either way."""
    size = np.abs(np.log(found.differences))
    as_far = int((size >= size[0] * (1 - 1e-9)).sum())
    return (
        f"Of {found.n} places, each set against all others, {as_far} {'differs' if as_far == 1 else 'differ'} at least "
        f"this much, the programme's own among them. One place cannot carry a verdict: chance alone puts it first in "
        f"1 of {found.n}."
    )


def _year_before(answer: _Answer) -> str:
    before = answer.before
    assert before is not None
    told = f"{words.in_every_100(before.estimate)} ({words.ratio_interval(*before.interval(0.95))})"
    if answer.apart:
        return f"Already in the year before the start programme places differed from the others: {told}."
    if answer.alike:
        return f"In the year before the start programme places went the same way as the others: {told}."
    return f"Whether they went the same way in the year before the start is not certain: {told}."


def _times(p: float) -> str:
    """A share of labellings in words.

    >>> _times(0.25), _times(1 / 50_000), _times(0.0526)
    ('25 of every 100 draws', '1 of every 50,000 draws', '5 of every 100 draws')
    """
    return f"{round(100 * p)} of every 100 draws" if p >= 0.015 else f"1 of every {round(1 / p):,} draws"


def _marks(answer: _Answer, headline: str) -> pd.DataFrame:
    """A ring a place by kind, the middle of each kind, and the cloud of differences with the one that was seen."""
    found, places = answer.found, answer.found.places
    kinds = [(f"Programme places ({found.n_treated})", places[places["treated"]]),
             (f"Comparison places ({found.n_comparison})", places[~places["treated"]])]  # fmt: skip
    drawn = "Difference, over draws by lot"
    rows: list[dict[str, Any]] = []
    for name, held in kinds:
        middle = float(np.exp((held["change"] * held["weight"]).sum()))
        rows += _rings(answer, name, held)
        rows.append({"mark": "point", "x": name, "y": middle, "row": 0})
    counts, edges = np.histogram(np.log(found.differences), bins=min(BINS, found.allocations))
    ends = np.exp(edges)
    rows += [{"mark": "heap", "series": drawn, "low": low, "high": high, "n": float(count), "row": 0}
             for count, low, high in zip(counts, ends[:-1], ends[1:], strict=True) if count]  # fmt: skip
    low, high = found.interval(answer.asked.confidence)
    rows.append({"mark": "point", "x": drawn, "y": found.estimate, "low": low, "high": high, "row": 0})
    rows.append({"mark": "line", "y": 1.0, "label": "no change"})
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"{answer.measure.label}: rate after the start over rate before, {found.n} places",
        x_axis="ratio, after over before",
    )


def _rings(answer: _Answer, name: str, held: pd.DataFrame) -> list[dict[str, Any]]:
    """A ring a place, by how far it changed and not by which it is; one of few counts bears how few it would tell."""
    counted = answer.asked.counted().loc[held["unit"]]
    kind = pd.Series(name, index=counted.index)
    few = told_beside.tells(counted, [kind], answer.programme.minimum_group)
    placed = held.assign(few=few.to_numpy()).sort_values("change", kind="stable")
    return [
        {"mark": "ring", "series": name, "y": float(np.exp(place["change"]))}
        | ({"row": 0} if pd.isna(place["few"]) else {"n": float(place["few"])})
        for place in placed.to_dict("records")
    ]


def _cautions(answer: _Answer, table: pd.DataFrame, rivals: tuple[str, ...]) -> list[Sentence]:
    asked, found = answer.asked, answer.found
    said = [Sentence(f"Also going on in the same time: {words.listed(list(rivals))}.")] if rivals else []
    if asked.places.chosen == "by lot":
        said.append(Sentence("Places were drawn by lot."))
    else:
        said.append(Sentence("Comparison places were not drawn by lot and may differ in ways that change over time."))
    said += [Sentence(text) for text in _of_choosing(answer)]
    others = table.index[table["what"] == "sensitivity"]
    for at in others:
        row = table.loc[at]
        said.append(
            Sentence(
                f"With {str(row['group']).rsplit(', ', 1)[1]}: {words.in_every_100(row['estimate'])} "
                f"({words.ratio_interval(row['low'], row['high'])}).",
                rows=(int(at),),
            )
        )
    broken = monthly.breaks(asked.places.events)
    if broken:
        alike = "where that was alike everywhere, it is in both kinds of places"
        said.append(Sentence(f"The series was broken in this time: {words.listed(broken)}; {alike}."))
    if answer.measure.smallest_worthwhile_change is None:
        said.append(Sentence("Nobody agreed beforehand how large a change would be worthwhile."))
    if answer.measure.expected_lag_months is not None and not answer.measure.expected_lag_verified:
        said.append(Sentence(f"How long a change may take is not verified. {answer.measure.expected_lag_source}"))
    half = abs(found.interval(HEADLINE)[1] / found.estimate - 1)
    said.append(
        Sentence(f"A difference smaller than about {round(100 * half)} in every 100 would not show yet.", rows=(0,))
    )
    return said


def _of_choosing(answer: _Answer) -> Iterator[str]:
    """What the way places were chosen, or the year before, does to the answer."""
    chosen = answer.asked.places.chosen
    other = designs.weighed_otherwise(answer.found)
    if other is not None:
        yield (
            f"Programme places are much {'larger' if other.larger > 1 else 'smaller'} than the others: to be clear, a "
            f"difference must also hold with {WEIGHED}."
        )
    if not chosen:
        yield (
            "Nobody wrote down how places came to be chosen ([plan.chosen] in programme.toml). Places chosen for high "
            "figures come down by themselves."
        )
    if chosen == "high":
        yield "Places were chosen for a high year; one such year left out keeps most of what comes down by itself out."
    if answer.apart and chosen != "by lot":
        yield (
            "Programme places differed from the others before anything began, which the comparison cannot undo: places "
            "that were high for a while come down by themselves."
        )
