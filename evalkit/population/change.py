"""Did a measure change in the places of the programme, beside what comparison places would suggest?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS
from evalkit.evidence import attribution, grade
from evalkit.population import monthly, one_series, told_beside
from evalkit.population.monthly import QUESTION, beside
from evalkit.population.one_series import Asked
from evalkit.result import Method, Result, Sentence
from evalkit.terms import Design, Level, Step
from evalkit.verdict import HEADLINE, Decision

if TYPE_CHECKING:
    from evalkit.programme import Programme
    from evalkit.stats.series import Interrupted

TOO_NARROW = "neighbouring periods"
"""Other ways for months to hang together, whose intervals are too narrow: for the statistician, in `details`."""
ASSUMES = "Without the programme {kept} would have kept its trend and season; months hang together as AR(1) plus noise."


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
    monthly.sure(confidence)
    asked = one_series.asked(programme, measure)
    found = one_series.fit(asked, compared=asked.compared, confidence=confidence)
    alone = one_series.fit(asked, compared=False, confidence=confidence) if asked.compared else found
    decided = one_series.decided(asked, found)
    rivals = circumstances.rivals(programme)
    evidence = grade(Design.INTERRUPTED, comparison=asked.compared, informants=("routine records",), rivals=rivals)
    table = _table(asked, found, alone, confidence)
    headline = Sentence(_headline(asked, found, decided), rows=(0,))
    return Result.of(
        question=QUESTION,
        level=Level.POPULATION,
        kirkpatrick=Step.RESULTS,
        headline=headline,
        sentences=_sentences(asked, found, alone, decided, last=len(table) - 1),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(asked, found, headline.text),
        chart=charts.named("series"),
        method=_method(asked, found),
        evidence=evidence,
        cautions=[*_cautions(asked, found, rivals), *_otherwise(table)],
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


def _table(asked: Asked, found: Interrupted, alone: Interrupted, confidence: float) -> pd.DataFrame:
    """The answer; where compared, the programme places alone; then the answer under other choices.

    Extras: n_of, what (answer, alone, sensitivity, gap: events more or fewer than expected since the start), tells (how
    few events the gap would tell)."""
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
        if not other["chosen"] and not other["not_fitted"] and other["variation"] != TOO_NARROW:
            rows.append(
                {"measure": label, "group": f"{against}; {other['variation']}: {other['setting']}",
                 "estimate": other["estimate"], "low": other["low"], "high": other["high"], "n": found.n,
                 "what": "sensitivity"}
            )  # fmt: skip
    table = pd.DataFrame(rows).assign(unit="ratio, 1 is no change")
    table = pd.concat([table, pd.DataFrame([_gap(asked, found)])], ignore_index=True)
    table = table.assign(interval=sure, n_of="months")
    first = ["measure", "group", "estimate", "low", "high", "interval", "n", "unit", "n_of", "what", TELLS]
    return table.reindex(columns=first).astype({"n": "Int64", TELLS: "Int64"})


def _gap(asked: Asked, found: Interrupted) -> dict[str, Any]:
    """How many events more or fewer since the start than the line before it leads one to expect."""
    gap = found.cumulative
    few = 0 < gap.observed < asked.programme.minimum_group
    return {
        "measure": asked.measure.label, "group": "seen less expected, all months since the start",
        "estimate": gap.estimate, "low": gap.low, "high": gap.high, "n": gap.n, "what": "gap", "unit": "events",
        TELLS: round(gap.observed) if few else pd.NA,
    }  # fmt: skip


def _headline(asked: Asked, found: Interrupted, decided: Decision) -> str:
    said = words.in_every_100(found.estimate)
    return (
        f"{words.sentence_case(asked.measure.label)}: "
        f"{beside(found.estimate, 'comparison places') if asked.compared else said} "
        f"({words.ratio_interval(decided.low, decided.high)})"
    )


def _sentences(asked: Asked, found: Interrupted, alone: Interrupted, decided: Decision, *, last: int) -> list[Sentence]:
    said = [
        Sentence(
            f"From {words.month(asked.start)} to {words.month(asked.last)}, {asked.measure.label.lower()} in the "
            f"{words.counted(asked.places, 'programme place')} {_verb(asked, found)} "
            f"({words.ratio_interval(decided.low, decided.high)}, {HEADLINE:.0%} interval).",
            rows=(0,),
        ),
        Sentence(
            f"{asked.why} This rests on {words.counted(found.n_before, 'month')} before the start and {found.n_after} "
            "after"
            + (f", set against {words.counted(asked.comparisons, 'comparison place')}." if asked.compared else "."),
            rows=(0,),
        ),
    ]
    if asked.compared:
        said.append(
            Sentence(
                f"By themselves, programme places were {beside(alone.estimate, 'their own trend and season')} "
                f"({words.ratio_interval(alone.low, alone.high)}).",
                rows=(1,),
            )
        )
    said.append(Sentence(_in_events(asked, found), rows=(last,)))
    return said


def _verb(asked: Asked, found: Interrupted) -> str:
    """How the programme places stand to the others, or to their own past."""
    if not asked.compared:
        return f"were {beside(found.estimate, 'their trend and season before')}"
    change = words.in_every_100(found.estimate)
    same = change == "the same"
    return "were the same as comparison places" if same else f"differed from comparison places: {change}"


def _in_events(asked: Asked, found: Interrupted) -> str:
    """The change as a number of events, in round numbers."""
    gap = found.cumulative
    low, high = (f"{abs(end):,.0f} {'fewer' if end < 0 else 'more'}" for end in (gap.low, gap.high))
    where = "comparison places" if asked.compared else "their own past"
    return (
        f"Since the start that is {gap.observed:,.0f} counted where {where} would lead one to expect "
        f"{gap.expected:,.0f} (between {low} and {high})."
    )


def _marks(asked: Asked, found: Interrupted, headline: str) -> pd.DataFrame:
    """Rates of the programme places, the fitted line, and where it would have gone without a change at the start."""
    per, path = asked.measure.per, found.path
    at = asked.months["period"].dt.strftime("%Y-%m-%d")
    drawn, few = pd.DataFrame({"x": at, "row": 0}), _few(asked)
    observed = drawn.assign(
        mark="point", series="seen", y=per * asked.months["count"] / asked.months["people"],
        n=few.astype(float).fillna(asked.months["count"]), row=drawn["row"].mask(few.notna()),
    )  # fmt: skip
    after = asked.months["period"] >= asked.start
    expected = "expected from comparison places" if asked.compared else "expected from before"
    lines = [
        drawn.assign(mark="line", series="fitted", y=per * path["fitted"]),
        drawn.assign(mark="line", series=expected, y=per * path["counterfactual"])[after],
        drawn.assign(
            mark="band",
            low=per * path["counterfactual_low"],
            high=per * path["counterfactual_high"],
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


def _few(asked: Asked) -> pd.Series[int]:
    """How few each month would tell, by itself or beside a total told elsewhere; missing where it may be shown."""
    months = asked.months
    counted = months[["count"]].astype(float)
    if asked.measure.kind == "proportion":
        counted = counted.assign(rest=months["people"] - months["count"])
    sets = told_beside.times(asked.programme, asked.measure, months["period"], 1)
    return told_beside.tells(counted, sets, asked.programme.minimum_group)


def _method(asked: Asked, found: Interrupted) -> Method:
    return Method(
        name=found.method.replace(f"{found.comparison!r}", "comparison places"),
        source=found.source,
        assumes=ASSUMES.format(kept="the ratio to comparison places" if asked.compared else "the series"),
        design=Design.INTERRUPTED,
    )


def _otherwise(table: pd.DataFrame) -> list[Sentence]:
    """How far the answer moves under other choices of trend, season and months; placebo starts answer otherwise."""
    others = table[(table["what"] == "sensitivity") & ~table["group"].str.contains("placebo start")]
    if others.empty:
        return []
    low, high = float(others["estimate"].min()), float(others["estimate"].max())
    return [
        Sentence(
            f"Under {len(others)} other choices of trend, season and months it lies between {words.in_every_100(low)} "
            f"and {words.in_every_100(high)}.",
            rows=tuple(others.index),
        )
    ]


def _cautions(asked: Asked, found: Interrupted, rivals: tuple[str, ...]) -> list[Sentence]:
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
