"""Did a measure change in the places of the programme, beside what comparison places would suggest?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.evidence import attribution, grade
from evalkit.population import monthly
from evalkit.population.monthly import QUESTION, refuse
from evalkit.result import Method, Result, Sentence
from evalkit.stats import series
from evalkit.terms import Design, Level, Step
from evalkit.verdict import HEADLINE, LEAST_POINTS, Decision, decide

if TYPE_CHECKING:
    from evalkit.measure import Measure
    from evalkit.programme import Programme
    from evalkit.stats.series import Interrupted

ASSUMES = "Without the programme {kept} would have kept its trend and season; months hang together as AR(1) plus noise."


@dataclass(frozen=True, slots=True)
class _Asked:
    """One measure, the places of the programme and those to compare with, month by month."""

    programme: Programme
    measure: Measure
    months: pd.DataFrame
    start: pd.Timestamp
    places: int
    comparisons: int

    @property
    def compared(self) -> bool:
        return self.comparisons > 0

    @property
    def events(self) -> pd.DataFrame:
        """What else happened in these months."""
        return monthly.events(self.programme, self.measure, self.months["period"])

    @property
    def breaks(self) -> list[str]:
        """What broke the series, by name."""
        return monthly.breaks(self.events)

    @property
    def last(self) -> pd.Timestamp:
        last = self.months["period"].max()
        assert isinstance(last, pd.Timestamp)
        return last


def change(programme: Programme, *, measure: str, confidence: float = 0.95) -> Result:
    """Is anything different for patients, citizens, staff and taxpayers?

    Needs: monthly counts in `outcomes` with people in `denominators`, and `places` with their arm and start. The series
    of all programme places together, as a ratio to the comparison places whenever there are any; level only, with
    season, AR(1)-plus-noise errors and Kenward–Roger intervals, which keep their promise at 36 to 84 months where the
    usual ones do not (the methods page). One series this long can show a change of about one in seven, not of one in
    twenty: read what could be seen before reading that nothing was. Errors: `NotEnoughEvidence` without counts, people,
    start or months on both sides, and when places started at different times.

    >>> import evalkit as ek
    >>> change(ek.load("sample_data/northmere"), measure="emergency_admissions_65_plus").about.beneficiary
    'patients'
    """
    asked = _asked(programme, measure)
    found = _fit(asked, compared=asked.compared, confidence=confidence)
    alone = _fit(asked, compared=False, confidence=confidence) if asked.compared else found
    decided = _decided(asked, found)
    rivals = circumstances.rivals(programme)
    evidence = grade(Design.INTERRUPTED, comparison=asked.compared, informants=("routine records",), rivals=rivals)
    table = _table(asked, found, alone, confidence)
    headline = Sentence(_headline(asked, found, decided), rows=(0,))
    return Result.of(
        question=QUESTION,
        level=Level.POPULATION,
        kirkpatrick=Step.RESULTS,
        headline=headline,
        sentences=_sentences(asked, found, alone, decided),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(asked, found, headline.text),
        chart=charts.named("series"),
        method=_method(asked, found),
        evidence=evidence,
        cautions=_cautions(asked, found, rivals),
        about=circumstances.about(
            programme,
            f"population.change(measure={measure!r})",
            n=found.n_after,
            of=found.n,
            counts="months",
            beneficiary=asked.measure.beneficiary,
        ),
        details=found,
    )


def _asked(programme: Programme, name: str) -> _Asked:
    """The monthly counts asked for, programme and comparison side by side, or a refusal naming what is missing."""
    measure = circumstances.measure(programme, name)
    outcomes = monthly.counts(programme, measure)
    mine, others = monthly.mine_and_others(programme, outcomes)
    return _Asked(
        programme,
        measure,
        _months(programme, outcomes, mine, others),
        _start(programme.places.set_index("place_id").loc[mine]),
        len(mine),
        len(others),
    )


def _start(places: pd.DataFrame) -> pd.Timestamp:
    unknown = places["name"][places["start"].isna()]
    if len(unknown):
        raise monthly.no_start(sorted(unknown))
    starts = places["start"].unique()
    if len(starts) > 1:
        raise refuse(
            f"Places started at {len(starts)} different times, and one series has one start.",
            "asking about the places of one start at a time, with programme.only(cohort=…).",
        )
    first = pd.Timestamp(starts[0])
    return first if first.day == 1 else first + pd.offsets.MonthBegin(1)


def _months(programme: Programme, outcomes: pd.DataFrame, mine: list[str], others: list[str]) -> pd.DataFrame:
    """A row a month: period, count, people, and other_count, other_people where there is a comparison."""
    people = monthly.people(programme, outcomes)
    if people is None:
        raise monthly.no_people()
    months = monthly.together(outcomes, mine, people)
    if others:
        months = months.join(monthly.together(outcomes, others, people).add_prefix("other_"), how="left")
    return months.reset_index()


def _fit(asked: _Asked, *, compared: bool, confidence: float) -> Interrupted:
    """One change in level; the comparison's rate, where used, is part of the expected count."""
    months = asked.months.copy()
    months["expected"] = months["people"] * (months["other_count"] / months["other_people"] if compared else 1.0)
    try:
        return series.interrupted(
            months,
            outcome="count",
            time="period",
            start=asked.start,
            family="quasipoisson",
            offset="expected",
            seasonal=_season(asked),
            confidence=confidence,
        )
    except ValueError as refusal:
        raise refuse(
            str(refusal), "at least twelve months on either side of the start, none of them empty."
        ) from refusal


def _season(asked: _Asked) -> series.Season | None:
    """A season is fitted where the measure has one and a year on each side can show it."""
    before = int((asked.months["period"] < asked.start).sum())
    return "harmonic" if asked.measure.seasonal and min(before, len(asked.months) - before) >= LEAST_POINTS else None


def _decided(asked: _Asked, found: Interrupted) -> Decision:
    return decide(
        found,
        better=asked.measure.better,
        worthwhile=asked.measure.smallest_worthwhile_change,
        scale="ratio",
        described_as=_too_short(asked, found),
        unanswerable=_unanswerable(asked, found),
        too_early=circumstances.too_early(asked.programme, asked.measure.expected_lag_months, asked.last),
    )


def _too_short(asked: _Asked, found: Interrupted) -> str:
    if min(found.n_before, found.n_after) < series.MIN_EITHER_SIDE:
        return f"{found.n_before} months before and {found.n_after} after the start are too few to test."
    if asked.measure.seasonal and found.n_before < series.MIN_BEFORE_WITH_SEASON:
        return f"{found.n_before} months before the start are too few to tell trend from season."
    return ""


def _unanswerable(asked: _Asked, found: Interrupted) -> str:
    broken = asked.breaks
    if found.drifts:
        return "The series drifts too much by itself to say."
    if broken and not asked.compared:
        return f"The series was broken ({words.listed(broken)}) and there is nowhere to compare with."
    return ""


def _table(asked: _Asked, found: Interrupted, alone: Interrupted, confidence: float) -> pd.DataFrame:
    """The answer; where compared, the programme places alone; then the answer under other choices.

    Extras: n_of, what (answer, alone, sensitivity)."""
    label, sure = asked.measure.label, f"{confidence:.0%} confidence"
    against = "programme against comparison places" if asked.compared else "programme places"
    rows: list[dict[str, Any]] = [
        {"measure": label, "group": against, "estimate": found.estimate, "low": found.low, "high": found.high,
         "n": found.n, "what": "answer"}
    ]  # fmt: skip
    if asked.compared:
        rows.append(
            {"measure": label, "group": "programme places alone", "estimate": alone.estimate, "low": alone.low,
             "high": alone.high, "n": alone.n, "what": "alone"}
        )  # fmt: skip
    for other in found.sensitivity.to_dict("records"):
        if not other["chosen"] and not other["not_fitted"]:
            rows.append(
                {"measure": label, "group": f"{against}; {other['variation']}: {other['setting']}",
                 "estimate": other["estimate"], "low": other["low"], "high": other["high"], "n": found.n,
                 "what": "sensitivity"}
            )  # fmt: skip
    table = pd.DataFrame(rows).assign(interval=sure, unit="ratio, 1 is no change", n_of="months")
    first = ["measure", "group", "estimate", "low", "high", "interval", "n", "unit", "n_of", "what"]
    return table[first].astype({"n": "Int64"})


def _headline(asked: _Asked, found: Interrupted, decided: Decision) -> str:
    than = " than comparison places" if asked.compared else ""
    return (
        f"{words.sentence_case(asked.measure.label)}: {words.in_every_100(found.estimate)}{than} "
        f"({words.ratio_interval(decided.low, decided.high)})"
    )


def _sentences(asked: _Asked, found: Interrupted, alone: Interrupted, decided: Decision) -> list[Sentence]:
    verb = (
        f"differed from comparison places: {words.in_every_100(found.estimate)}"
        if asked.compared
        else f"were {words.in_every_100(found.estimate)} than their trend and season before"
    )
    said = [
        Sentence(
            f"From {words.month(asked.start)} to {words.month(asked.last)}, {asked.measure.label.lower()} in the "
            f"{words.counted(asked.places, 'programme place')} {verb} "
            f"({words.ratio_interval(decided.low, decided.high)}, {HEADLINE:.0%} interval).",
            rows=(0,),
        ),
        Sentence(
            f"This rests on {found.n_before} months before the start and {found.n_after} after"
            + (f", set against {words.counted(asked.comparisons, 'comparison place')}." if asked.compared else "."),
            rows=(0,),
        ),
    ]
    if asked.compared:
        said.append(
            Sentence(
                f"By themselves, programme places were {words.in_every_100(alone.estimate)} than their own trend and "
                f"season ({words.ratio_interval(alone.low, alone.high)}).",
                rows=(1,),
            )
        )
    return said


def _marks(asked: _Asked, found: Interrupted, headline: str) -> pd.DataFrame:
    """Rates of the programme places, the fitted line, and where it would have gone without a change at the start."""
    per, path = asked.measure.per, found.path
    level = asked.months["other_count"] / asked.months["other_people"] if asked.compared else 1.0
    at = asked.months["period"].dt.strftime("%Y-%m-%d")
    drawn = pd.DataFrame({"x": at, "n": asked.months["count"], "row": 0})
    observed = drawn.assign(mark="point", series="seen", y=per * asked.months["count"] / asked.months["people"])
    after = asked.months["period"] >= asked.start
    expected = "expected from comparison places" if asked.compared else "expected from before"
    lines = [
        drawn.assign(mark="line", series="fitted", y=per * level * path["fitted"]),
        drawn.assign(mark="line", series=expected, y=per * level * path["counterfactual"])[after],
        drawn.assign(
            mark="band",
            low=per * level * path["counterfactual_low"],
            high=per * level * path["counterfactual_high"],
        )[after],
    ]
    rows: list[dict[str, Any]] = [*pd.concat([observed, *lines], ignore_index=True).T.to_dict().values()]
    happened = [(asked.start, "programme starts")]
    happened += [(event["starts_on"], event["name"]) for event in asked.events.to_dict("records")]
    named = [{"mark": "event", "x": f"{when:%Y-%m-%d}", "label": what} for when, what in sorted(happened)]
    return charts.marks(
        [*rows, *named],
        headline=headline,
        subtitle=f"{asked.measure.label} per {per:,.0f} people a month, "
        f"{words.counted(asked.places, 'programme place')}, "
        f"{words.month(asked.months['period'].min())} to {words.month(asked.last)}",
    )


def _method(asked: _Asked, found: Interrupted) -> Method:
    against = ", as a ratio to comparison places" if asked.compared else ""
    return Method(
        name=f"{found.method}{against}",
        source=found.source,
        assumes=ASSUMES.format(kept="the ratio to comparison places" if asked.compared else "the series"),
        design=Design.INTERRUPTED,
    )


def _cautions(asked: _Asked, found: Interrupted, rivals: tuple[str, ...]) -> list[Sentence]:
    said = []
    if rivals:
        said.append(f"Also going on in the same time: {words.listed(list(rivals))}.")
    if asked.compared:
        said.append("Comparison places were not drawn by lot and may differ in ways that change over time.")
    else:
        said.append("There is nowhere to compare with: whatever else began at the same time looks the same.")
    broken = asked.breaks
    if broken:
        said.append(f"The series was broken in this time: {words.listed(broken)}.")
    half = abs(found.interval(HEADLINE)[1] / found.estimate - 1)
    said.append(f"A change smaller than about {round(100 * half)} in every 100 would not show yet.")
    if asked.measure.smallest_worthwhile_change is None:
        said.append("Nobody agreed beforehand how large a change would be worthwhile.")
    if asked.measure.expected_lag_months is not None and not asked.measure.expected_lag_verified:
        said.append(f"How long a change may take is not verified. {asked.measure.expected_lag_source}")
    return [Sentence(text) for text in (*said, *found.caveats)]
