"""What can we hope to see, when, and at what cost to people's time?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, instrument, measure, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import grade
from evalkit.plan import sizes
from evalkit.plan.numbers import Numbers, numbers
from evalkit.plan.seen import STANDARD, Seen, size
from evalkit.result import Method, Result, Sentence
from evalkit.terms import Attribution, Design, Level
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.measure import Measure
    from evalkit.programme import Programme

QUESTION = "What can we hope to see, when, and at what cost to people's time?"
USUAL = ("system_leadership", "icfat", "emergency_admissions_65_plus")
"""What is asked about where neither measures nor a programme are given: one for each of the three questions."""
RUNS = 200
"""Simulated evaluations a test: they check the number, and it does not rest on them."""
EVERY = 6
"""Months between waves where none are planned: the half-year of the sources."""
COLUMNS = (*sizes.SIZES[:4], "too early", "cannot be tested")
METHOD = Method(
    name="For each measure: when it could move, the smallest change that could be seen by then, and what asking costs",
    source="When: the lag declared in [plan] or the catalogue. How small: plan.detectable_change. " + sizes.SOURCE,
    assumes="Everybody asked answers at every wave; each measure is read once, at the end.",
    design=Design.DESCRIBED,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One measure or questionnaire to be judged: what it is about, its lag, what is worth having, what asking takes."""

    of: Instrument | Measure
    about: str
    lag: int | None
    waves: tuple[int, ...] = ()
    raters: int = 1
    minutes: float | None = None

    @property
    def label(self) -> str:
        """What it is called."""
        return self.of.label if isinstance(self.of, measure.Measure) else self.of.name


def feasibility(
    programme: Programme | None = None,
    *,
    measures: Iterable[str] | None = None,
    leaders: int | None = None,
    teams: int | None = None,
    team_size: float | None = None,
    places: int | None = None,
    comparison: int | None = None,
    months: int | None = None,
    before: int | None = None,
    monthly: float | None = None,
    minutes: Mapping[str, float] | None = None,
    seed: int = 1,
) -> Result:
    """What can we hope to see, when, and at what cost to people's time?

    Needs: the numbers one has, or a `programme` to count them in. For each of `measures` (ids of questionnaires and
    measures; without them those the programme planned or holds, else one for each of the three questions): from which
    month it may be read, whether the evaluation lasts so long (`months`), the smallest change that could be seen, and
    what a wave asks of leaders. `minutes` a form takes, by questionnaire, beside those in `burden`; unknown minutes are
    said to be unknown and the questions are counted. It says what could be seen, not what will happen. Errors:
    `NotEnoughEvidence` where no number is known.

    >>> found = feasibility(leaders=8, months=18)
    >>> found.table[["measure", "answer"]].to_numpy().tolist()[0]
    ['Systems leadership framework', 'only a very large change']
    """
    known = numbers(
        programme, leaders=leaders, teams=teams, team_size=team_size, places=places, comparison=comparison,
        months=months, before=before, monthly=monthly,
    )  # fmt: skip
    if known.leaders is None and known.teams is None and known.places is None:
        raise NotEnoughEvidence(
            QUESTION,
            missing="No number of leaders, teams or places is known.",
            would_answer="at least one of them, such as plan.feasibility(leaders=8, months=18).",
        )
    asked = [_asked(name, programme, known, minutes or {}) for name in _named(measures, programme)]
    seen = _by_level(known, seed)
    rows = [_row(one, known, seen.get(one.about)) for one in asked]
    table = pd.DataFrame(rows).astype({"n": "Int64"})
    headline = Sentence(_headline(rows), rows=tuple(table.index))
    return Result.of(
        question=QUESTION,
        level=Level.PLAN,
        kirkpatrick=None,
        headline=headline,
        sentences=_sentences(rows, asked, known),
        decided=described("A calculation; nothing is tested."),
        attribution=Attribution.CANNOT_TELL,
        table=table,
        marks=_marks(rows, headline.text, f"{known.given or 'no numbers given'}. {circumstances.title(programme)}"),
        chart=charts.named("placed"),
        method=METHOD,
        evidence=grade(Design.DESCRIBED),
        cautions=_cautions(rows, asked, known),
        about=circumstances.about(programme, f"plan.feasibility({known.settings})", n=None, of=None, counts="measures"),
    )


def _named(measures: Iterable[str] | None, programme: Programme | None) -> list[str]:
    """What is judged: what was asked for, else what the programme planned and counts, else the usual three."""
    if measures is not None:
        return list(measures)
    if programme is None:
        return list(USUAL)
    plan = programme.plan
    planned = [*(name.split("/")[0] for name in plan.primary.values()), *plan.waves, *plan.lag_months]
    held = sorted(map(str, programme.outcomes["measure"].unique()))
    return list(dict.fromkeys([*planned, *held])) or list(USUAL)


def _asked(name: str, programme: Programme | None, known: Numbers, minutes: Mapping[str, float]) -> Asked:
    """The measure or questionnaire of this id with what is planned for it."""
    instruments = instrument.shipped() if programme is None else programme.instruments
    measures = measure.shipped() if programme is None else programme.measures
    lags = {} if programme is None else programme.plan.lag_months
    if name in measures:
        return Asked(measures[name], "lives", measures[name].expected_lag_months)
    if name not in instruments:
        there = words.listed(sorted([*instruments, *measures]))
        raise ValueError(f"No questionnaire or measure is called {name!r}. There are: {there}.")
    one = instruments[name]
    months = tuple(range(0, (known.months or 0) + 1, EVERY)) or (0,)
    waves = months if programme is None else programme.plan.waves.get(name, months)
    raters = 1 if programme is None else len(programme.plan.informants.get(name, ("self",)))
    timed: dict[str, float] = {}
    if programme is not None:
        timed = dict(programme.burden[["instrument", "minutes"]].to_numpy().tolist())
    about = "leaders" if "person" in one.subjects or not one.subjects else "organisations"
    return Asked(one, about, lags.get(name), waves, raters, {**timed, **minutes}.get(name))


def _by_level(known: Numbers, seed: int) -> dict[str, dict[str, Any]]:
    """What could be seen of leaders, of organisations (places where there are any, for those score themselves) and of
    people's lives (against comparison places where there are any)."""
    seen, scored = Seen(known, RUNS, seed), known if known.places is None else replace(known, teams=known.places)
    lives = seen.places() if known.comparison else seen.series()
    ways = {"leaders": seen.leaders(), "organisations": Seen(scored, RUNS, seed).teams(), "lives": lives}
    firsts = ((about, next(rows, None)) for about, rows in ways.items())
    return {about: row for about, row in firsts if row is not None}


LEVELS = {"leaders": "Leaders", "organisations": "Organisations together", "lives": "People's lives"}


def _row(one: Asked, known: Numbers, seen: Mapping[str, Any] | None) -> dict[str, Any]:
    """One measure. Extras: n_of, readable_from_month, ends_in_month, visible, worthwhile, questions, minutes, forms,
    answer (too early, cannot be tested, or what could be seen)."""
    visible = "cannot be tested" if seen is None or seen["why_not"] else seen["visible"]
    early = one.lag is not None and known.months is not None and one.lag > known.months
    form = not isinstance(one.of, measure.Measure)
    people = known.leaders if one.about == "leaders" and form else None
    forms = None if people is None else people * one.raters * len(one.waves)
    number: dict[str, Any] = {"estimate": float("nan"), "n": pd.NA, "unit": "", "n_of": ""}
    if seen is not None:
        number = {name: seen[name] for name in number}
    return {
        "measure": one.label, "group": LEVELS[one.about], "estimate": number["estimate"], "low": float("nan"),
        "high": float("nan"), "interval": "none given", "n": number["n"], "unit": number["unit"],
        "n_of": number["n_of"], "readable_from_month": one.lag, "ends_in_month": known.months, "visible": visible,
        "worthwhile": one.of.smallest_worthwhile_change,
        "questions": len(one.of.items) if isinstance(one.of, instrument.Instrument) else None,
        "waves": len(one.waves) or None, "forms": forms, "minutes_a_form": one.minutes,
        "hours_in_all": None if forms is None or one.minutes is None else forms * one.minutes / 60,
        "answer": "too early" if early else visible,
    }  # fmt: skip


def _headline(rows: list[dict[str, Any]]) -> str:
    said = [f"{LEVELS[about].lower()}: {_worst(rows, about)}" for about in LEVELS if _worst(rows, about)]
    return words.sentence_case("; ".join(said))


def _worst(rows: list[dict[str, Any]], about: str) -> str:
    """The answer that stands for a level: the first of its measures."""
    return next((str(row["answer"]) for row in rows if row["group"] == LEVELS[about]), "")


def _sentences(rows: list[dict[str, Any]], asked: list[Asked], known: Numbers) -> list[Sentence]:
    said = []
    for about, what in (("leaders", "Leaders"), ("organisations", "Organisations"), ("lives", "People's lives")):
        found = [(at, row) for at, row in enumerate(rows) if row["group"] == LEVELS[about]]
        if found:
            said.append(Sentence(_of_level(what, [row for _, row in found]), rows=tuple(at for at, _ in found)))
    cost = _cost(rows, asked, known)
    return said + ([cost] if cost else [])


def _of_level(what: str, rows: list[dict[str, Any]]) -> str:
    """One level: how small a change could be seen, and which of its measures are too early."""
    first = rows[0]
    if first["visible"] == "cannot be tested":
        said = f"{what}: a change cannot be tested with the numbers given."
    else:
        n = (
            ""
            if first["unit"] != STANDARD
            else f" with {first['n']} of them answering twice"
            if what == "Leaders"
            else ""
        )
        said = f"{what}: {first['visible']} could be seen{n} ({size(first)} or more, in 80 of 100 such evaluations)."
    early = [row for row in rows if row["answer"] == "too early"]
    if early:
        months = f"month {early[0]['readable_from_month']:.0f}"
        more = f" and {words.counted(len(early) - 1, 'other measure')}" if len(early) > 1 else ""
        said += (
            f" It is too early for {early[0]['measure'].lower()}{more}: to be read from {months}, and the evaluation "
            f"ends in month {early[0]['ends_in_month']}."
        )
    return said


def _cost(rows: list[dict[str, Any]], asked: list[Asked], known: Numbers) -> Sentence | None:
    """What asking takes of people, in hours where minutes are known and in questions where they are not."""
    of_leaders = [(at, row) for at, row in enumerate(rows) if row["forms"]]
    if not of_leaders:
        return None
    forms = sum(row["forms"] for _, row in of_leaders)
    timed = [row for _, row in of_leaders if row["hours_in_all"] is not None]
    untimed = [row for _, row in of_leaders if row["hours_in_all"] is None]
    said = f"Asking about leaders takes {words.counted(forms, 'form')} in all"
    said += f", {sum(row['hours_in_all'] for row in timed):.0f} hours of people's time" if timed else ""
    if untimed:
        questions = words.listed([f"{row['measure']}, {row['questions']} questions" for row in untimed])
        said += f"; how long a form takes is not known of {questions}"
    return Sentence(f"{said}.", rows=tuple(at for at, _ in of_leaders))


def _marks(rows: list[dict[str, Any]], headline: str, given: str) -> pd.DataFrame:
    drawn: list[dict[str, Any]] = [{"mark": "column", "x": column} for column in COLUMNS]
    for at, row in enumerate(rows):
        label = f"from month {row['readable_from_month']:.0f}" if row["answer"] == "too early" else ""
        drawn.append({"mark": "placed", "series": row["measure"], "x": row["answer"], "label": label, "row": at})
    return charts.marks(drawn, headline=headline, subtitle=f"What could be seen with {given}")


def _cautions(rows: list[dict[str, Any]], asked: list[Asked], known: Numbers) -> list[Sentence]:
    said = ["What could be seen is not what will happen; a smaller change may be there and not be seen."]
    unverified = [one.of.expected_lag_source for one in asked if isinstance(one.of, measure.Measure)
                  and one.lag is not None and not one.of.expected_lag_verified]  # fmt: skip
    if unverified:
        said.append(f"How long a change may take is not verified. {unverified[0]}")
    silent = [row["measure"] for row in rows if row["readable_from_month"] is None]
    if silent:
        said.append(f"Nobody agreed when these may be read: {words.listed(silent)}.")
    none = [row["measure"] for row in rows if row["worthwhile"] is None]
    if none:
        said.append(f"Nobody agreed how large a change would be worthwhile: {words.listed(none)}.")
    if known.assumed:
        said.append(f"Assumed, for nobody gave it: {known.taken_as}.")
    return [Sentence(text) for text in said]
