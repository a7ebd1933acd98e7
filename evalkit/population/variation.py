"""What does a measure do by itself from month to month, and what stands out?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.evidence import attribution, grade
from evalkit.population import monthly
from evalkit.population.monthly import refuse
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats import spc
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.measure import Measure
    from evalkit.programme import Programme
    from evalkit.stats.spc import ControlChart

QUESTION = "What does this measure do from month to month, and what stands out?"
SOURCE = (
    "NHS England, Making Data Count; rules as in NHSRplotthedots 0.2.2 (NHS-R Community); "
    "Wheeler 1993, Understanding Variation."
)
ROUGH = 10
"""Under this mean count a month, limits of an XmR chart are rough: counts so small are lopsided (a judgement)."""
STANDS_OUT = {
    ("outside_limits", "high"): "above the upper limit",
    ("outside_limits", "low"): "below the lower limit",
    ("trend", "high"): "in a rise of seven or more in a row",
    ("trend", "low"): "in a fall of seven or more in a row",
    ("two_of_three", "high"): "near the upper limit, two of three in a row",
    ("two_of_three", "low"): "near the lower limit, two of three in a row",
    ("shift", "high"): "above the mean, seven or more in a row",
    ("shift", "low"): "below the mean, seven or more in a row",
}
"""Each rule and side in words."""
KINDS = {
    "common_cause": "within what is usual",
    "special_cause_improvement": "better than usual",
    "special_cause_concern": "worse than usual",
    "special_cause_neutral_high": "higher than usual",
    "special_cause_neutral_low": "lower than usual",
}
SHOWN = 3
"""Spells named in the sentence; the chart and its description hold them all."""
LETTERS = {"high": "H", "low": "L", "": "~"}
TARGETS = {
    "consistent_pass": ("P", "met every month, as things are"),
    "consistent_fail": ("F", "missed every month, as things are"),
    "inconsistent": ("?", "met in some months, missed in others"),
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """One measure in the programme's places, month by month: period, value, and count and people where there are."""

    programme: Programme
    measure: Measure
    months: pd.DataFrame
    places: int
    chart: ControlChart
    screened: bool

    @property
    def events(self) -> pd.DataFrame:
        """What else happened in these months."""
        return monthly.events(self.programme, self.measure, self.months["period"])

    @property
    def unit(self) -> str:
        """What a value counts."""
        if "people" not in self.months:
            return self.measure.unit if "count" not in self.months else "a month"
        if self.measure.kind == "proportion":
            return "in every 100"
        return f"per {self.measure.per:,.0f} people a month"


def variation(
    programme: Programme, *, measure: str, screen: bool = True, rebase: Mapping[date | str, str] | None = None
) -> Result:
    """What does this measure do from month to month, and what stands out?

    Needs: monthly figures in `outcomes`; rates where `denominators` say out of how many. All programme places
    together; comparison places are left out. The XmR chart of NHS Making Data Count: limits show what the months do by
    themselves, and a month that stands out asks for a look. It does not test the programme: a series that stands out
    may do so everywhere. Where a measure follows the time of year, a season stands out like anything else. `rebase`
    gives each month from which limits are drawn anew with the reason; without it, what `[plan.rebase]` declares.
    `screen=False` draws limits as the Making Data Count workbook does. Errors: `NotEnoughEvidence` for fewer than six
    months in a row (three six-monthly scores have no limits), and for gaps.

    >>> import evalkit as ek
    >>> northmere = ek.load("sample_data/northmere")
    >>> variation(northmere, measure="emergency_admissions_65_plus").table["interval"].iloc[0]
    'process limits'
    """
    asked = _asked(programme, measure, screen, rebase)
    table = _table(asked)
    rivals = circumstances.rivals(programme)
    evidence = grade(Design.DESCRIBED, informants=("routine records",), rivals=rivals)
    decided = described("A chart of variation shows what is usual and what stands out; it does not test the programme.")
    headline = _headline(asked, table)
    settings = "" if screen else ", screen=False"
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
        chart=charts.named("variation"),
        method=Method(
            name=asked.chart.method,
            source=SOURCE,
            assumes="By themselves the months would vary about one level, without season or drift, each by itself.",
            design=Design.DESCRIBED,
        ),
        evidence=evidence,
        cautions=_cautions(asked, rivals),
        about=circumstances.about(
            programme,
            f"population.variation(measure={measure!r}{settings}{f', rebase={dict(rebase)!r}' if rebase else ''})",
            n=asked.chart.n,
            of=None,
            counts="months",
            beneficiary=asked.measure.beneficiary,
        ),
        details=asked.chart,
    )


def _asked(programme: Programme, name: str, screen: bool, rebase: Mapping[date | str, str] | None) -> _Asked:
    measure = circumstances.measure(programme, name)
    months, places = _months(programme, measure)
    declared = programme.plan.rebase.get(name, {}) if rebase is None else rebase
    stray = [f"{when}" for when in declared if pd.Timestamp(when) not in set(months["period"][1:])]
    if stray:
        raise ValueError(f"rebase: {words.listed(stray)} is no month of {measure.label.lower()} after the first.")
    try:
        chart = spc.xmr(
            months["value"],
            dates=months["period"],
            screen=screen,
            rebase=declared,
            direction=measure.better,
            target=measure.target,
        )
    except ValueError as refusal:
        raise refuse(
            f"{measure.label}: {refusal}", "six months or more in a row, better twelve, every one with its figure."
        ) from refusal
    return _Asked(programme, measure, months, places, chart, screen)


def _months(programme: Programme, measure: Measure) -> tuple[pd.DataFrame, int]:
    """A row a month with the value drawn; and how many places stand behind it."""
    if measure.kind == "score":
        return _scores(programme, measure), 1
    held = monthly.counts(programme, measure)
    mine, _ = monthly.mine_and_others(programme, held)
    months = monthly.together(held, mine, monthly.people(programme, held)).reset_index()
    if "people" not in months:
        if measure.kind in ("rate", "proportion"):
            raise refuse(
                f"{measure.label} are a {measure.kind}, and nobody says out of how many.",
                "a denominator beside each count in outcomes.csv, or the people in denominators.csv.",
            )
        return months.assign(value=months["count"]), len(mine)
    per = 100.0 if measure.kind == "proportion" else measure.per
    return months.assign(value=per * months["count"] / months["people"]), len(mine)


def _scores(programme: Programme, measure: Measure) -> pd.DataFrame:
    held = monthly.figures(programme, measure)
    mine, _ = monthly.mine_and_others(programme, held)
    own = held[held["place_id"].isin(mine)]
    if len(mine) > 1 or own["period"].duplicated().any():
        raise refuse(
            f"{measure.label} are scores, and the scores of several places or groups have no sum.",
            "asking about one place at a time, with programme.only(place=…), one score a month.",
        )
    return own[["period", "value"]].sort_values("period", ignore_index=True)


def _table(asked: _Asked) -> pd.DataFrame:
    """A row a phase (`what` limits: mean, and process limits as low and high), then a row a month (`what` month).

    Extras: n_of, what, stands_out (the rule in words, blank where the month is usual)."""
    phases = asked.chart.phases
    limits = pd.DataFrame(
        {
            "group": ALL if len(phases) == 1 else [f"from {words.month(first)}" for first in phases["first"]],
            "estimate": phases["mean"],
            "low": phases["lower"],
            "high": phases["upper"],
            "n": phases["n"],
            "n_of": "months",
            "what": "limits",
            "stands_out": "",
        }
    )
    points = asked.chart.points
    months = pd.DataFrame(
        {
            "group": [words.month(when) for when in points.index],
            "estimate": points["value"].to_numpy(),
            "low": points["lower"].to_numpy(),
            "high": points["upper"].to_numpy(),
            "n": asked.months["count"].to_numpy() if "count" in asked.months else pd.NA,
            "n_of": "events",
            "what": "month",
            "stands_out": [STANDS_OUT.get(found, "") for found in zip(points["rule"], points["side"], strict=True)],
        }
    )
    table = pd.concat([limits.astype({"n": "Int64"}), months.astype({"n": "Int64"})], ignore_index=True)
    table = table.assign(measure=asked.measure.label, interval="process limits", unit=asked.unit)
    return table[["measure", "group", "estimate", "low", "high", "interval", "n", "unit", "n_of", "what", "stands_out"]]


def _months_of(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["what"] == "month"]


def _headline(asked: _Asked, table: pd.DataFrame) -> Sentence:
    months = _months_of(table)
    out = months[months["stands_out"] != ""]
    last = KINDS[asked.chart.variation]
    return Sentence(
        f"{asked.measure.label}: {words.counted(len(out), 'month')} of {len(months)} "
        f"{'stands' if len(out) == 1 else 'stand'} out; the last, {months['group'].iloc[-1]}, is {last}",
        rows=(*out.index, months.index[-1]),
    )


def _sentences(asked: _Asked, table: pd.DataFrame) -> list[Sentence]:
    months, last = _months_of(table), asked.chart.phases.iloc[-1]
    row = len(asked.chart.phases) - 1
    anew = f", since limits were drawn anew ({last['reason']})" if row else ""
    where = words.counted(asked.places, "programme place")
    said = [
        Sentence(
            f"From {words.month(last['first'])} to {words.month(last['last'])}{anew}, "
            f"{asked.measure.label.lower()} in {where} had a mean of "
            f"{_value(last['mean'])} {asked.unit}; by itself a month can be expected "
            f"{words.between(max(_floor(asked), last['lower']), last['upper'], _places(last['mean']))}.",
            rows=(row,),
        ),
        _last(asked, months),
        *_spells(asked, months),
    ]
    if asked.chart.assurance:
        _, meaning = TARGETS[asked.chart.assurance]
        said.append(Sentence(f"The target of {_value(float(asked.chart.target or 0))} would be {meaning}.", (row,)))
    return said


def _last(asked: _Asked, months: pd.DataFrame) -> Sentence:
    last = months.iloc[-1]
    how = f": {last['stands_out']}" if last["stands_out"] else ""
    return Sentence(
        f"The last month, {last['group']}, was {_value(last['estimate'])}, {KINDS[asked.chart.variation]}{how}.",
        rows=(months.index[-1],),
    )


def _spells(asked: _Asked, months: pd.DataFrame) -> list[Sentence]:
    """What stands out, one spell on one side after another, the latest first and the rest counted."""
    sides = zip(asked.chart.points["side"], months.index.tolist(), strict=True)
    spells = [[row for _, row in held] for side, held in groupby(sides, key=lambda month: month[0]) if side]
    if not spells:
        return [Sentence("No month stands out.", rows=tuple(months.index))]
    latest = [_spell(months.loc[rows]) for rows in spells[::-1][:SHOWN]]
    more = len(spells) - SHOWN
    text = f"What stands out, the latest first: {'; '.join(latest)}"
    text += f"; and {words.counted(more, 'earlier spell')}." if more > 0 else "."
    return [Sentence(text, rows=tuple(row for rows in spells for row in rows))]


def _spell(spell: pd.DataFrame) -> str:
    """When, how long, and by which rules."""
    when = spell["group"].iloc[0] if len(spell) == 1 else f"{spell['group'].iloc[0]} to {spell['group'].iloc[-1]}"
    long = "" if len(spell) == 1 else f", {len(spell)} months"
    return f"{when}{long} ({' and '.join(spell['stands_out'].unique())})"


def _marks(asked: _Asked, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    points, phases = asked.chart.points, asked.chart.phases
    at = [f"{when:%Y-%m-%d}" for when in points.index]
    first = len(phases)
    months = _months_of(table)
    befell = months["n"].to_numpy(dtype=float, na_value=float("nan"))
    each = zip(at, points["point_type"], points["value"], befell, months["stands_out"], strict=True)
    drawn: list[dict[str, Any]] = [
        {"mark": "point", "series": kind, "x": when, "y": value, "n": n, "row": first + place, "label": out}
        for place, (when, kind, value, n, out) in enumerate(each)
    ]
    floor = _floor(asked)
    for when, point in zip(at, points.to_dict("records"), strict=True):
        levels = {"mean": point["mean"], "upper limit": point["upper"], "lower limit": max(floor, point["lower"])}
        drawn += [{"mark": "line", "series": name, "x": when, "y": y, "row": point["phase"]}
                  for name, y in levels.items()]  # fmt: skip
    if asked.measure.target is not None:
        drawn += [{"mark": "line", "series": "target", "x": when, "y": asked.measure.target, "row": first - 1}
                  for when in (at[0], at[-1])]  # fmt: skip
    return charts.marks(
        [*drawn, *_happened(asked), *_icons(asked, len(table) - 1)],
        headline=headline,
        subtitle=f"{asked.measure.label} {asked.unit}, {words.counted(asked.places, 'programme place')}, "
        f"{words.month(points.index[0])} to {words.month(points.index[-1])}",
    )


def _happened(asked: _Asked) -> list[dict[str, Any]]:
    """The start, registered events, and each rebase with its reason, in order."""
    begun = asked.programme.starts_on
    within = asked.months["period"].min(), asked.months["period"].max() + pd.offsets.MonthEnd(0)
    named = [(row["starts_on"], row["name"]) for row in asked.events.to_dict("records")]
    if begun is not None and within[0] <= pd.Timestamp(begun) <= within[1]:
        named.append((pd.Timestamp(begun), "programme starts"))
    named += [
        (row["first"], f"limits drawn anew: {row['reason']}") for row in asked.chart.phases[1:].to_dict("records")
    ]
    return [{"mark": "event", "x": f"{when:%Y-%m-%d}", "label": what} for when, what in sorted(named)]


def _icons(asked: _Asked, last: int) -> list[dict[str, Any]]:
    chart = asked.chart
    icons = [{"mark": "icon", "series": chart.variation, "x": LETTERS[chart.side], "row": last,
              "label": f"Last month: {KINDS[chart.variation]}"}]  # fmt: skip
    if chart.assurance:
        letter, meaning = TARGETS[chart.assurance]
        icons.append({"mark": "icon", "series": chart.assurance, "x": letter, "row": last,
                      "label": f"Target: {meaning}"})  # fmt: skip
    return icons


def _cautions(asked: _Asked, rivals: tuple[str, ...]) -> list[Sentence]:
    phases = asked.chart.phases
    said = []
    if asked.measure.seasonal:
        said.append("This measure follows the time of year, and a season stands out on this chart like anything else.")
    said.append(
        "A month that stands out asks for a look; the chart does not say whether the programme had a part in it."
    )
    chance = spc.by_chance(asked.chart.n) if asked.screened and len(phases) == 1 else None
    if chance is not None:
        said.append(
            f"Where nothing happens, about {chance} of every 100 series this long still have a month that stands out; "
            "more, where months hang together."
        )
    for row in phases[phases["n"] < spc.FEW].to_dict("records"):
        since = f" since {words.month(row['first'])}" if len(phases) > 1 else ""
        said.append(f"Only {row['n']} months{since}: trial limits, which will move as months are added.")
    said += _broken(asked)
    if phases["screened"].sum():
        steps = words.counted(int(phases["screened"].sum()), "unusually large step")
        said.append(f"{words.sentence_case(steps)} from one month to the next did not count towards the limits.")
    if "count" in asked.months and asked.months["count"].mean() < ROUGH:
        said.append(f"There are fewer than {ROUGH} a month on average, for which these limits are rough.")
    if phases["lower"].lt(_floor(asked)).any():
        said.append("The lower limit lies below nought, where nothing can fall; it is drawn at nought.")
    if rivals:
        said.append(f"Also going on in the same time: {words.listed(list(rivals))}.")
    return [Sentence(text) for text in said]


def _broken(asked: _Asked) -> list[str]:
    """Changes of definition or boundary at which limits were not drawn anew."""
    anew = set(asked.chart.phases["first"])
    events = asked.events[asked.events["kind"].isin(("definition_change", "boundary_change"))]
    left = [row["name"] for row in events.to_dict("records") if row["starts_on"].to_period("M").start_time not in anew]
    return [f"The series was broken, and limits were not drawn anew there: {words.listed(left)}."] if left else []


def _floor(asked: _Asked) -> float:
    """Counts and rates cannot fall below nought; scores may."""
    return 0.0 if "count" in asked.months else float("-inf")


def _places(value: float) -> int:
    """Decimals of three significant figures, two at most."""
    return 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2


def _value(value: float) -> str:
    return words.number(value, _places(value))
