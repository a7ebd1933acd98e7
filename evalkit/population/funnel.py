"""Do places differ more than chance would have them?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.disclosure import TELLS
from evalkit.evidence import attribution, grade
from evalkit.population import in_period, told_beside
from evalkit.population.monthly import refuse
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats import funnels
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.measure import Measure
    from evalkit.programme import Programme
    from evalkit.stats.funnels import Funnel

QUESTION = "Do places differ more than chance would have them?"
SOURCE = (
    "Spiegelhalter 2005, Statistics in Medicine 24, 1185-1202; limits as PHEindicatormethods 2.1 has them: exact "
    "Poisson for rates, inverted Wilson for shares."
)
MINE, OTHERS = "programme places", "comparison places"
NOT_NAMED = "a place not to be named"
OUTSIDE_95, OUTSIDE_998 = "Places outside the 95% limits", "Places outside the 99.8% limits"
WIDENED = "Places outside 95% limits widened for how places differ"
SPREAD = "How far apart places lie, against chance alone"
APART = "times as far as by chance: the root of phi"
WHERE = {
    funnels.WITHIN: "within the limits",
    funnels.ABOVE_95: "above the upper 95% limit",
    funnels.ABOVE_998: "above the upper 99.8% limit",
    funnels.BELOW_95: "below the lower 95% limit",
    funnels.BELOW_998: "below the lower 99.8% limit",
}
DRAWN = 40
"""Points of each limit."""
DECIDED = "Places are set beside what chance would give; nothing is tested about the programme."
NO_ORDER = "Outside the limits is neither good nor bad: it asks for a look, at the figures first. Nobody is ranked."
NOT_ADJUSTED = "Nothing is adjusted for age or need: where people are older or poorer, more may be expected."
AGAIN = "Where one person may be counted several times, places lie further apart than these limits allow for."


@dataclass(frozen=True, slots=True)
class _Asked:
    """One measure in one stretch of time, a row a place, set against the limits of all."""

    programme: Programme
    measure: Measure
    stretch: in_period.Stretch
    places: pd.DataFrame
    found: Funnel
    widened: Funnel

    @property
    def tells(self) -> pd.Series[int]:
        """How few the figures of each place would tell beside those of all and of its kind; missing where none: one
        place, where it is not to be named and its people would say which it is."""
        counted = self.places[["count"]]
        if self.measure.kind == "proportion":
            counted = counted.assign(rest=self.places["people"] - self.places["count"])
        unnamed = self.places["name"] == NOT_NAMED
        sets = [self.places["arm"], self.places["arm"].map(lambda _: ALL)]
        return told_beside.tells(counted, sets, self.programme.minimum_group, besides=unnamed)

    @property
    def rest(self) -> int | None:
        """How many of those asked, of a share, were not counted, where they are few; None otherwise."""
        rest = int((self.places["people"] - self.places["count"]).sum()) if self.measure.kind == "proportion" else 0
        return rest if 0 < rest < self.programme.minimum_group else None

    @property
    def short(self) -> int:
        """How many places did not report the whole time."""
        return int((self.places["reported"] < self.places["reported"].max()).sum())


def funnel(programme: Programme, *, measure: str, period: str | None = None) -> Result:
    """Do places differ more than chance would have them?

    Needs: counts in `outcomes`, with the people beside them or in `denominators`, for two places or more. Every place,
    the programme's and those to compare with, is set against the 95% and 99.8% limits about the average of all: by
    chance alone one place in twenty lies outside the first. The answer is how many do, and whether places differ more
    than chance; no place stands before another, and one is named only where it may be. Small places lie further from
    the average by chance, and real places nearly always differ for reasons of their own: age and need first, which are
    not adjusted for. `period`: a month, quarter or financial year (2024/25); the last year unless given. Table extras:
    n_of; by_chance (how many would be so by chance); arm, people (years lived, or people asked), low_95, high_95 and
    where of each place, whose low and high are the 99.8% limits; tells (how few it would tell; only the evaluator
    sees a place that is not to be named); out_of. Errors: `NotEnoughEvidence` without counts,
    people or a second place; ValueError for a period without figures.

    >>> import evalkit as ek
    >>> found = funnel(ek.load("sample_data/northmere"), measure="emergency_admissions_65_plus")
    >>> found.about.n, found.table["interval"].iloc[-1]
    (19, '99.8% funnel')
    """
    asked = _asked(programme, measure, period)
    table = _table(asked)
    rivals = circumstances.rivals(programme)
    evidence = grade(Design.DESCRIBED, informants=("routine records",), rivals=rivals)
    decided = described(DECIDED)
    headline = _headline(asked)
    return Result.of(
        question=QUESTION,
        level=Level.POPULATION,
        kirkpatrick=Step.RESULTS,
        headline=headline,
        sentences=_sentences(asked, table),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(asked, table, headline.text),
        chart=charts.named("funnel"),
        method=Method(
            name="Funnel limits about the average of all places, and phi, the mean of their squared z",
            source=SOURCE,
            assumes="By chance alone every place has the average rate, and one event comes without another.",
            design=Design.DESCRIBED,
        ),
        evidence=evidence,
        cautions=_cautions(asked, rivals),
        about=circumstances.about(
            programme,
            f"population.funnel(measure={measure!r}{f', period={period!r}' if period else ''})",
            n=asked.found.n,
            of=len(programme.places),
            counts="places",
            beneficiary=asked.measure.beneficiary,
        ),
        details=asked.found,
    )


def _asked(programme: Programme, name: str, period: str | None) -> _Asked:
    measure = circumstances.measure(programme, name)
    held = in_period.figures(programme, measure)
    stretch = in_period.asked_for(held, period)
    places = in_period.of_places(programme, measure, in_period.within(held, stretch))
    if len(places) == 1:
        raise refuse("One place alone cannot be set against its own average.", "counts of two places or more.")
    compared = circumstances.comparison_places(programme)
    called = circumstances.place_names(programme).reindex(places.index)
    places = places.assign(
        arm=[OTHERS if place in compared else MINE for place in places.index],
        name=called.replace(circumstances.NOT_NAMED, NOT_NAMED),
    )
    places = places.iloc[sorted(range(len(places)), key=lambda at: _order(str(places["name"].iloc[at])))]
    try:
        found, widened = (_against(measure, places, how) for how in ("none", "additive"))
    except ValueError as refusal:
        raise refuse(
            f"{measure.label} {stretch.spoken}: {refusal}", "counts of two places or more, with their people."
        ) from refusal
    return _Asked(programme, measure, stretch, places, found, widened)


def _order(name: str) -> tuple[bool, str]:
    """By name, never by value; places not to be named last."""
    return name == NOT_NAMED, name


def _against(measure: Measure, places: pd.DataFrame, how: Any) -> Funnel:
    kind: Any = "proportion" if measure.kind == "proportion" else "rate"
    found = funnels.funnel(places["count"], places["people"], kind=kind, per=measure.out_of, overdispersion=how)
    judged = found.places[found.places["position"].isin(funnels.POSITIONS)]
    if judged[["low_998", "high_998"]].isna().any(axis=None):  # nothing is said to lie within limits that are not known
        raise ValueError("Counts this large have no limits of chance that can be worked out; check them.")
    return found


def _table(asked: _Asked) -> pd.DataFrame:
    """The average; how many lie outside, of all and of each arm, and by chance; phi; then a row a place, by name."""
    found, label, unit = asked.found, asked.measure.label, in_period.unit(asked.measure)
    tells = asked.tells  # phi and all but two places would tell these two
    rows = [
        register.row(
            label, ALL, n=int(asked.places["count"].sum()), unit=unit, n_of="events", estimate=found.estimate,
            tells=asked.rest,
        ),
        _outside(OUTSIDE_95, ALL, found.outside_95, found.n, found.chance_95),
        _outside(OUTSIDE_998, ALL, found.outside_998, found.n, found.chance_998),
        _outside(WIDENED, ALL, asked.widened.outside_95, found.n, asked.widened.chance_95),
        register.row(
            SPREAD, ALL, n=found.n, unit=APART, n_of="places", estimate=math.sqrt(found.phi), tells=tells.min()
        ),
    ]  # fmt: skip
    judged = found.places["position"].isin(funnels.POSITIONS)
    for arm in (MINE, OTHERS):
        own = found.places["position"][judged & (asked.places["arm"] == arm)]
        if len(own):
            rows.append(_outside(OUTSIDE_95, arm, int((own != funnels.WITHIN).sum()), len(own), None))
    rows += [
        _place(asked, place, told, label, unit) | {TELLS: few}
        for place, told, few in zip(
            asked.places.to_dict("records"), found.places.to_dict("records"), tells, strict=True
        )
        if told["position"] in WHERE
    ]  # fmt: skip
    found_rows = register.table(rows, extras=("by_chance", "arm", "people", "low_95", "high_95", "where", TELLS))
    return found_rows.astype({TELLS: "Int64"})


def _outside(measure: str, group: str, outside: int, places: int, by_chance: float | None) -> dict[str, Any]:
    return register.row(
        measure, group, n=outside, unit="places", n_of="places", by_chance=by_chance, out_of=places, where=""
    )  # fmt: skip


def _place(asked: _Asked, place: dict[Any, Any], told: dict[Any, Any], label: str, unit: str) -> dict[str, Any]:
    whole = {"out_of": int(place["people"])} if asked.measure.kind == "proportion" else {}
    row = register.row(
        label, place["name"], n=int(place["count"]), unit=unit, n_of="events", estimate=told["value"],
        arm=place["arm"], people=place["people"], low_95=told["low_95"], high_95=told["high_95"],
        where=WHERE[told["position"]], **whole,
    )  # fmt: skip
    return {**row, "low": told["low_998"], "high": told["high_998"], "interval": "99.8% funnel"}


def _about(places: float) -> str:
    """How many places chance would put there, in words."""
    return "hardly any" if places < 0.1 else "fewer than 1" if places < 0.75 else f"about {places:.0f}"


def _lie(places: int, whole: int) -> str:
    return f"{words.of(places, whole) if places else f'none of {whole}'} places {'lies' if places == 1 else 'lie'}"


def _headline(asked: _Asked) -> Sentence:
    found = asked.found
    return Sentence(
        f"{asked.measure.label}: {_lie(found.outside_95, found.n)} outside the 95% limits, where chance would put "
        f"{_about(found.chance_95)}",
        rows=(1,),
    )


def _sentences(asked: _Asked, table: pd.DataFrame) -> list[Sentence]:
    found, value = asked.found, _value(asked, asked.found.estimate)
    said = [
        Sentence(
            f"{words.sentence_case(asked.stretch.spoken)}, the average of all places was {value} "
            f"{in_period.unit(asked.measure)}.",
            rows=(0,),
        ),
        Sentence(
            f"{words.sentence_case(_lie(found.outside_95, found.n))} outside the 95% limits about it and "
            f"{found.outside_998 or 'none'} outside the 99.8% limits; chance alone would put {_about(found.chance_95)} "
            f"and {_about(found.chance_998)} there.",
            rows=(1, 2),
        ),
    ]
    if found.more_than_chance:
        said.append(
            Sentence(
                f"Places lie {words.significant(math.sqrt(found.phi))} times as far apart as by chance alone; with "
                f"limits widened for that, {_lie(asked.widened.outside_95, found.n)} outside.",
                rows=(3, 4),
            )
        )
    else:
        said.append(Sentence("Places do not lie clearly further apart than chance would have them.", rows=(4,)))
    return said + _by_arm(table)


def _by_arm(table: pd.DataFrame) -> list[Sentence]:
    """How many lie outside among the programme's places and among those to compare with, where there are both."""
    arms = table[(table["measure"] == OUTSIDE_95) & (table["group"] != ALL)]
    if len(arms) < 2:
        return []
    each = [f"{told['n'] or 'none'} of {told['out_of']} {told['group']}" for told in arms.to_dict("records")]
    return [Sentence(f"Outside are {words.listed(each)}.", rows=tuple(arms.index))]


def _value(asked: _Asked, value: float) -> str:
    return words.number(value, 1 if asked.measure.kind == "proportion" else 0 if value >= 100 else 2)


def _marks(asked: _Asked, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    drawn: list[dict[str, Any]] = [
        {"mark": "place", "series": told["arm"], "x": float(told["people"]), "y": told["estimate"], "n": told["n"],
         "label": told["where"], "row": row}
        for row, told in table[table["arm"].notna()].to_dict("index").items()
    ]  # fmt: skip
    drawn.sort(key=lambda mark: mark["series"] != MINE)
    limits = asked.found.limits(_sizes(asked))
    for across in (limits["denominator"].iloc[0], limits["denominator"].iloc[-1]):
        drawn.append({"mark": "line", "series": "average", "x": float(across), "y": asked.found.estimate, "row": 0})
    for name, series in (("95", "95% limits"), ("998", "99.8% limits")):
        drawn += [
            {"mark": "line", "series": series, "x": float(at["denominator"]), "low": at[f"low_{name}"],
             "high": at[f"high_{name}"], "row": 0}
            for at in limits.to_dict("records")
        ]  # fmt: skip
    return charts.marks(
        drawn,
        headline=headline,
        subtitle=f"{asked.measure.label} {in_period.unit(asked.measure)}, {words.counted(asked.found.n, 'place')}, "
        f"{asked.stretch.spoken.removeprefix('from ').removeprefix('in ')}",
        x_axis=_across(asked),
    )


def _sizes(asked: _Asked) -> Any:
    """Where limits are drawn: from the smallest to the largest place, but for those where a few people were asked."""
    people = asked.places["people"][asked.found.places["position"].isin(funnels.POSITIONS).to_numpy()]
    if asked.measure.kind == "proportion":
        many = people[people >= asked.programme.minimum_group]
        people = many if len(many) else people.clip(lower=asked.programme.minimum_group)
    return np.geomspace(0.9 * people.min(), 1.1 * people.max(), DRAWN)


def _across(asked: _Asked) -> str:
    """What places stand along: in a year, years lived are people."""
    if asked.measure.kind == "proportion":
        return "people asked in a place"
    return "people in a place" if asked.stretch.months == in_period.YEAR else "years lived by the people of a place"


def _cautions(asked: _Asked, rivals: tuple[str, ...]) -> list[Sentence]:
    said = [Sentence(NO_ORDER), Sentence(NOT_ADJUSTED)]
    if asked.measure.kind != "proportion":
        said.append(Sentence(AGAIN))
    if asked.found.more_than_chance:
        said.append(
            Sentence("Limits of chance alone call many places different where all differ; read the widened ones too.")
        )
    said += [Sentence(text) for text in asked.found.caveats if not text.startswith("Places differ more")]
    unnamed = int((asked.places["name"] == NOT_NAMED).sum())
    if unnamed:
        said.append(
            Sentence(f"{words.counted(unnamed, 'place')} not to be named: counted with the others, not shown alone.")
        )
    if asked.short:
        said.append(Sentence(f"{words.counted(asked.short, 'place')} did not report the whole time."))
    if asked.stretch.months < in_period.YEAR and asked.measure.seasonal:
        said.append(Sentence("This is less than a year of a measure that follows the time of year."))
    if rivals:
        said.append(Sentence(f"Also going on in the same time: {words.listed(list(rivals))}."))
    return said
