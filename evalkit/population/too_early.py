"""Is it too early to read a measure, and what do the figures say so far all the same?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.population import by_place, designs, monthly, one_series
from evalkit.result import Method, Result, Sentence
from evalkit.stats import power, spc
from evalkit.stats.contrast import PlacesContrast
from evalkit.terms import Design, Level, Step
from evalkit.verdict import HEADLINE, LEAST_POINTS, described

if TYPE_CHECKING:
    from evalkit.measure import Measure
    from evalkit.programme import Programme
    from evalkit.stats.series import Interrupted

QUESTION = "Is it too early to tell, and what do the figures say so far?"
CHANCE = 0.8
"""How often a change of the smallest size that could be seen would be seen."""
STEPS = 6
"""Months between the points of the line of what would be seen when."""
SOURCE = (
    "The time an improvement may take: Ovretveit and Staines (2007), in The King's Fund (2014), System leadership, "
    "section 7. Size that would be seen: Cohen (1988), Statistical Power Analysis, ch. 2, from the estimate's error."
)
ASSUMES = "Later months would scatter as these do; how places differ by themselves does not grow with time."


@dataclass(frozen=True, slots=True)
class _Asked:
    """A measure, what was agreed of it, and its estimate so far: of places side by side, else of one series.

    `months`: by month the rate of the programme places, over that of the comparison places where there are any.
    """

    programme: Programme
    measure: Measure
    found: PlacesContrast | Interrupted
    places: designs.Asked | None
    months: pd.Series[float]
    start: pd.Timestamp
    compared: bool
    span: int = 1

    @property
    def lag(self) -> int | None:
        """Months after the start from which it is agreed to be read."""
        return self.measure.expected_lag_months

    @property
    def last(self) -> pd.Timestamp:
        """The last month there are figures for."""
        return pd.Timestamp(self.months.index[-1])

    @property
    def followed(self) -> int:
        """Months since the start that there are figures for."""
        return int((self.months.index >= self.start).sum()) * self.span

    @property
    def worse(self) -> str:
        """The side on which figures are worse."""
        return "high" if self.measure.better == "lower" else "low"

    def seen(self, months: int) -> float:
        """The smallest change, as a ratio, that would mostly be seen with so many months after the start."""
        size = power.smallest_seen(self._se(months), self.found.df, power=CHANCE, confidence=HEADLINE)
        return math.exp(-size if self.worse == "high" else size)

    @property
    def looks_ahead(self) -> bool:
        """Whether later months can be reckoned with: places that started at once, side by side."""
        return self.places is not None and not self.places.many_starts

    @property
    def later(self) -> int | None:
        """The month from which it is agreed to be read, where that is to come and can be reckoned with."""
        return self.lag if self.looks_ahead and self.lag is not None and self.lag > self.followed else None

    def _se(self, months: int) -> float:
        """The standard error with so many months: counts after the start grow with them, and all else stays."""
        found = self.found
        if months == self.followed or self.places is None or not isinstance(found, PlacesContrast):
            return found.se
        placed = found.places.set_index("unit")
        held = self.places.places.figures
        later = held[held["period"] >= self.start].groupby("place_id")["count"].sum().loc[placed.index]
        between = placed["se"] ** 2 + found.tau2
        grown = between - 1 / later * (1 - self.followed / months)
        arms = [placed["treated"], ~placed["treated"]]
        now, then = (sum(1 / float((1 / each[arm]).sum()) for arm in arms) for each in (between, grown))
        return found.se * math.sqrt(then / now)

    @property
    def charted(self) -> bool:
        """Whether single months can be looked at: enough for limits, in a row, each with something to be a ratio to."""
        apart = np.diff(pd.PeriodIndex(self.months.index, freq="M").astype("int64"))
        held = len(self.months) >= spc.LEAST and bool(np.isfinite(self.months).all())
        return held and bool((apart == self.span).all())

    @property
    def adverse(self) -> list[pd.Timestamp]:
        """Months since the start that stand out on the worse side; none where they cannot be looked at."""
        if not self.charted:
            return []
        points = spc.xmr(self.months.to_numpy(), dates=list(self.months.index)).points
        out = points[points["special_cause"] & (points["side"] == self.worse)]
        return [pd.Timestamp(month) for month in out.index if month >= self.start]


def too_early(programme: Programme, *, measure: str, confidence: float = 0.95) -> Result:
    """Is it too early to tell, and what do the figures say so far?

    Needs: what `population.against` needs, or `population.change`. Beside each other: from when the measure is agreed
    to be read, how long it was followed, the smallest change that would be seen now (and, for places, at the agreed
    time), the largest that anybody expects (`[plan.plausible]`), and the estimate, which is always shown. What got
    worse is said at any month. Where even the largest change expected would not be seen, waiting alone will not do:
    more places are needed, or another measure. Extras: what (estimate, seen now, seen then, plausible, agreed,
    followed, adverse), tells (how few it would tell). Errors: `NotEnoughEvidence` as the two questions named.

    >>> import evalkit as ek
    >>> found = too_early(ek.load("sample_data/northmere"), measure="emergency_admissions_65_plus")
    >>> found.table.set_index("what")["estimate"][["agreed", "followed"]].tolist()
    [60.0, 24.0]
    """
    monthly.sure(confidence)
    asked = _asked(programme, measure, confidence)
    rivals = circumstances.rivals(programme)
    compared = asked.places is not None
    design = Design.COMPARED if compared else Design.INTERRUPTED
    evidence = grade(design, informants=("routine records",), rivals=rivals)
    table = _table(asked, confidence)
    headline = Sentence(_headline(asked), rows=tuple(table.index[table["what"].isin(["agreed", "followed"])]))
    decided = described("This says when and how well a measure can be read; whether it changed is another question.")
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
        chart=charts.named("series"),
        method=Method(f"What could be seen when; estimate: {asked.found.method}", SOURCE, ASSUMES, design),
        evidence=evidence,
        cautions=_cautions(asked, rivals),
        about=circumstances.about(
            programme,
            f"population.too_early(measure={measure!r})",
            n=asked.followed,
            of=len(asked.months) * asked.span,
            counts="months",
            beneficiary=asked.measure.beneficiary,
        ),
        details=asked.found,
    )


def _asked(programme: Programme, name: str, confidence: float) -> _Asked:
    """Places side by side where a verdict on them is possible, else the months of all programme places."""
    try:
        compared = designs.Asked(by_place.places(programme, name), confidence)
        found = compared.answer()
        if not designs.unanswerable(compared, found):
            held = compared.places
            return _Asked(programme, held.measure, found, compared, held.together(), compared.first, True, held.span)
    except NotEnoughEvidence:
        pass  # the series below says what is missing where it too cannot be read
    asked = one_series.asked(programme, name)
    series = one_series.fit(asked, compared=asked.compared, confidence=confidence)
    return _Asked(programme, asked.measure, series, None, asked.rates(), asked.start, asked.compared)


def _table(asked: _Asked, confidence: float) -> pd.DataFrame:
    """A row a thing that is set side by side."""
    label, found, ratio = asked.measure.label, asked.found, "ratio, 1 is no change"
    rows: list[dict[str, Any]] = [
        {"group": "what the figures say so far", "estimate": found.estimate, "low": found.low, "high": found.high,
         "interval": f"{confidence:.0%} confidence", "n": asked.followed, "unit": ratio, "what": "estimate"},
        {"group": "smallest change that would be seen now", "estimate": asked.seen(asked.followed), "n": asked.followed,
         "unit": ratio, "what": "seen now"},
    ]  # fmt: skip
    if asked.later is not None:
        then = asked.seen(asked.later)
        rows.append({"group": "smallest change that would be seen at the time agreed", "estimate": then,
                     "n": asked.later, "unit": ratio, "what": "seen then"})  # fmt: skip
    if asked.measure.largest_plausible_change is not None:
        rows.append({"group": "largest change anybody expects", "estimate": asked.measure.largest_plausible_change,
                     "unit": ratio, "what": "plausible"})  # fmt: skip
    if asked.lag is not None:
        rows.append({"group": "agreed to be read after", "estimate": float(asked.lag), "n": asked.lag, "unit": "months",
                     "what": "agreed"})  # fmt: skip
    rows.append({"group": "followed so far", "estimate": float(asked.followed), "n": asked.followed, "unit": "months",
                 "what": "followed"})  # fmt: skip
    out = len(asked.adverse)
    rows.append({"group": "months since the start that stand out on the worse side", "estimate": float(out), "n": out,
                 "unit": "months", "what": "adverse"})  # fmt: skip
    table = pd.DataFrame(rows).assign(measure=label, n_of="months")
    table["interval"] = table["interval"].fillna("none given")
    few = asked.places.few if asked.places is not None else None
    table[TELLS] = pd.Series(few, index=table.index, dtype="Int64").where(table["what"] == "estimate")
    first = ["measure", "group", "estimate", "low", "high", "interval", "n", "unit", "n_of", "what", TELLS]
    return table[first].astype({"n": "Int64"})


def _headline(asked: _Asked) -> str:
    label, months = words.sentence_case(asked.measure.label), words.counted(asked.followed, "month")
    if asked.lag is None:
        return f"{label}: followed for {months}; nobody agreed how long a change may take"
    if asked.followed >= asked.lag:
        return f"{label}: followed for {months}, {asked.lag} were agreed"
    return f"{label}: followed for {asked.followed} of the {asked.lag} months agreed"


def _sentences(asked: _Asked, table: pd.DataFrame) -> list[Sentence]:
    at = {what: (int(row),) for row, what in enumerate(table["what"])}
    found = asked.found
    other = "their own past would suggest"
    if asked.compared:
        other = "in comparison places" if asked.places is not None else "comparison places and their own past suggest"
    said = [
        Sentence(
            f"So far: {monthly.beside(found.estimate, other)} "
            f"({words.ratio_interval(*found.interval(HEADLINE))}, {HEADLINE:.0%} interval).",
            rows=at["estimate"],
        ),
        Sentence(_visible(asked), rows=(*at["seen now"], *at.get("seen then", ()), *at.get("plausible", ()))),
        Sentence(_adverse(asked), rows=(*at["estimate"], *at["adverse"])),
    ]
    if asked.lag is not None and asked.lag > asked.followed:
        ready = asked.start + pd.DateOffset(months=asked.lag)
        said.append(Sentence(f"It was agreed to be read from {words.month(ready)}.", rows=at["agreed"]))
    return said


def _visible(asked: _Asked) -> str:
    """What would be seen now and then, beside what anybody expects."""
    said = f"A change of {_size(asked.seen(asked.followed))} or more would mostly be seen now"
    if asked.later is not None:
        said += f", of {_size(asked.seen(asked.later))} at the time agreed"
    most = asked.measure.largest_plausible_change
    if most is None:
        return f"{said}; nobody said how large a change could be."
    last = max(asked.lag or 0, asked.followed) if asked.looks_ahead else asked.followed
    enough = abs(math.log(asked.seen(last))) <= abs(math.log(most))
    return f"{said}; the largest anybody expects is {_size(most)}, which {'would' if enough else 'would not'} be seen."


def _size(ratio: float) -> str:
    return f"{round(100 * abs(ratio - 1))} in every 100"


def _adverse(asked: _Asked) -> str:
    """What is worse already, whatever was agreed of the time."""
    low, high = asked.found.interval(HEADLINE)
    clear = low > 1 if asked.worse == "high" else high < 1
    out = asked.adverse
    if clear:
        return "A sign for the worse, early as it is: the whole interval lies on the worse side of no change."
    if out:
        return (
            f"A sign for the worse, early as it is: {words.counted(len(out), 'month')} since the start "
            f"{'stands' if len(out) == 1 else 'stand'} out on the worse side, the first {words.month(out[0])}."
        )
    if not asked.charted:
        return (
            "The interval holds no sign for the worse; single months are too few to be looked at, or some are missing."
        )
    return "There is no sign for the worse: neither the interval nor any month since the start stands out on that side."


def _marks(asked: _Asked, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """The smallest change that could be seen, month by month of follow-up, and the largest anybody expects."""
    at = {what: row for row, what in enumerate(table["what"])}
    last = max(asked.followed, asked.lag or 0)
    first = min(LEAST_POINTS, asked.followed)
    ahead = asked.looks_ahead
    months = sorted({asked.followed, last, *range(first, last + 1, STEPS)}) if ahead else [asked.followed, last]
    seen = [(month, 100 * abs(asked.seen(month if ahead else asked.followed) - 1)) for month in months]
    rows: list[dict[str, Any]] = [
        {"mark": "line", "series": "would mostly be seen", "x": _after(asked, month), "y": size, "row": at["seen now"]}
        for month, size in seen
    ]
    most = asked.measure.largest_plausible_change
    if most is not None:
        rows += [{"mark": "line", "series": "expected at most", "x": _after(asked, month),
                  "y": 100 * abs(most - 1), "row": at["plausible"]} for month in (0, last)]  # fmt: skip
    so_far = 100 * abs(asked.found.estimate - 1)
    rows.append({"mark": "point", "series": "so far", "x": _after(asked, asked.followed), "y": so_far, "row": 0})
    happened = [(_after(asked, 0), "programme starts"), (_after(asked, asked.followed), "figures end")]
    if asked.lag is not None:
        happened.append((_after(asked, asked.lag), "agreed to be read"))
    events = monthly.events(asked.programme, asked.measure, pd.Series(asked.months.index))
    since = events[events["starts_on"] >= asked.start]
    happened += [(f"{event['starts_on']:%Y-%m-%d}", event["name"]) for event in since.to_dict("records")]
    rows += [{"mark": "event", "x": when, "label": what} for when, what in sorted(happened)]
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"{asked.measure.label}: size of change, in every 100, that would be seen when figures end",
    )


def _after(asked: _Asked, months: int) -> str:
    return f"{asked.start + pd.DateOffset(months=months):%Y-%m-%d}"


def _cautions(asked: _Asked, rivals: tuple[str, ...]) -> list[Sentence]:
    said = [f"Also going on in the same time: {words.listed(list(rivals))}."] if rivals else []
    broken = monthly.breaks(monthly.events(asked.programme, asked.measure, pd.Series(asked.months.index)))
    if broken:
        said.append(f"The series was broken in this time: {words.listed(broken)}.")
    of = asked.measure
    if asked.lag is not None and not of.expected_lag_verified:
        said.append(f"How long a change may take is not verified. {of.expected_lag_source}")
    if of.largest_plausible_change is not None and not of.largest_plausible_change_verified:
        said.append(f"How large a change could be is not verified. {of.largest_plausible_change_source}")
    if asked.later is not None:
        said.append("What would be seen at the time agreed is rough: it takes places to scatter then as they do now.")
    if asked.places is None:
        said.append("What would be seen is rough here: it rests on the error of one series, which is not known well.")
    said.append("Months stand out by themselves now and then; a season stands out too where places do not share it.")
    return [Sentence(text) for text in said]
