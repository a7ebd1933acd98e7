"""Who is asked what, and when: what was planned, and what was done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, instrument, register, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import grade
from evalkit.periods import months_between
from evalkit.plan import moments as asking_moments
from evalkit.plan.asking import INFORMANTS, half_years
from evalkit.plan.moments import GIVEN, MISSED, STATES, WITHIN, Moment, Planned
from evalkit.result import Method, Result, Sentence
from evalkit.terms import Attribution, Design, Level
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme

QUESTION = "Who is asked what and when, and was it done as planned?"
TWO_YEARS = 24
"""Months a first plan reaches to where nobody says."""
BEGINNING, DURING, AFTER = "beginning", "during", "after"
GRID = {"participant": ("self", "team_member"), "commissioner": ("commissioner",), "deliverer": ("deliverer",),
        "sponsor": ("sponsor", "line_manager"), "partner": ("partner",)}  # fmt: skip
"""By whose eyes the evaluation grid wants it seen, and the raters who speak for each."""
METHOD = Method(
    name=f"Planned waves set beside dated answers; an answer within {WITHIN} months of its month is that wave",
    source="Baseline and six-monthly review: AQuA's ten learning points. Who is asked and when: NHS Leadership "
    "Academy, Leadership Development Evaluation Framework (2016), as described on the academy's pages.",
    assumes="Answers carry the day they were given, or their wave its last day. Forms about single sessions are no "
    "waves and are left out.",
    design=Design.DESCRIBED,
)


def schedule(
    programme: Programme | None = None,
    *,
    months: int | None = None,
    on: Iterable[str] | None = None,
    starts_on: date | None = None,
) -> Result:
    """Who is asked what and when, and was it done as planned?

    Needs: nothing. Without a programme: a first plan to argue about, every half-year for so many `months` from
    `starts_on`, of the questionnaires `on`. With one: `[plan] waves` and `informants` (up to `months`), set beside the
    `responses` and `scores` that came, so that what was done without a plan, and planned and not done, can be seen; and
    whose answers there are from the beginning, during and after it, where a blank is a view that nobody recorded. What
    nobody planned counts as done and not planned. Errors: `NotEnoughEvidence` where nothing is planned or answered, and
    where there are answers and no start to count months from.

    >>> schedule(months=12).table["month"].tolist()[:3]
    [0, 6, 12]
    """
    held = instrument.shipped() if programme is None else programme.instruments
    on = None if on is None else (on,) if isinstance(on, str) else tuple(on)
    if months is not None and (months < 0 or months != int(months)):
        raise ValueError(f"months={months} must be a whole number, 0 or more.")
    planned = _planned(programme, months, on)
    unknown = sorted(set(planned) - set(held))
    if unknown:
        raise ValueError(
            f"No questionnaire is called {words.listed(unknown)}. There are: {words.listed(sorted(held))}."
        )
    found = _found(programme, planned, on)
    begins = starts_on if programme is None else programme.starts_on
    table = _table(found, held, begins, _views(programme, on))
    headline = Sentence(_headline(found), rows=tuple(range(len(found))))
    return Result.of(
        question=QUESTION,
        level=Level.PLAN,
        kirkpatrick=None,
        headline=headline,
        sentences=_sentences(programme, found, held, table),
        decided=described("What was planned and done; nothing is tested."),
        attribution=Attribution.CANNOT_TELL,
        table=table,
        marks=_marks(programme, found, held, headline.text),
        chart=charts.named("timeline"),
        method=METHOD,
        evidence=grade(Design.DESCRIBED),
        cautions=_cautions(programme, found),
        about=circumstances.about(programme, _again(months, on, starts_on), n=None, of=None, counts="waves"),
    )


def _again(months: int | None, on: Iterable[str] | None, starts_on: date | None) -> str:
    said = [f"months={months}"] if months is not None else []
    said += [f"on={list(on)!r}"] if on is not None else []
    said += [f"starts_on=date({starts_on.year}, {starts_on.month}, {starts_on.day})"] if starts_on else []
    return f"plan.schedule({', '.join(said)})"


def _last(programme: Programme | None) -> int | None:
    """The month the data reach to; none before there are data."""
    if programme is None or programme.starts_on is None:
        return None
    return months_between(programme.starts_on, programme.as_of)


def _planned(programme: Programme | None, months: int | None, on: Sequence[str] | None) -> Planned:
    """Months and raters of each questionnaire: as `[plan]` has them, or every half-year where there is no programme.

    No raters where nobody said who is to answer.
    """
    if programme is None:
        every = half_years(TWO_YEARS if months is None else months)
        return {name: (every, INFORMANTS.get(name, ("self",))) for name in (INFORMANTS if on is None else on)}
    plan = programme.plan
    wanted = plan.waves if on is None else {name: plan.waves.get(name, ()) for name in on}
    return {
        name: (tuple(month for month in waves if months is None or month <= months), plan.informants.get(name, ()))
        for name, waves in wanted.items()
    }


def _found(programme: Programme | None, planned: Planned, on: Sequence[str] | None) -> list[Moment]:
    """Every moment planned or done, or a refusal that says what is missing."""
    done = {} if programme is None else asking_moments.done_in(programme)
    done = {key: rounds for key, rounds in done.items() if on is None or key[0] in on}
    answered = programme is not None and _any_answered(programme)
    if programme is not None and programme.starts_on is None and answered:
        raise NotEnoughEvidence(
            QUESTION,
            missing="When the programme began is not recorded, so answers cannot be set beside the plan.",
            would_answer="starts_on in programme.toml, such as starts_on = 2024-04-01.",
        )
    found = asking_moments.moments(done, planned, _last(programme))
    if not found:
        raise NotEnoughEvidence(
            QUESTION,
            missing="No questionnaire is planned and none was answered.",
            would_answer="[plan.waves] in programme.toml, such as system_leadership = [0, 6, 12, 24].",
        )
    return found


def _any_answered(programme: Programme) -> bool:
    """Whether anybody answered, or a score was given as such."""
    return len(asking_moments.answers(programme)) + len(asking_moments.scores(programme)) > 0


def _views(programme: Programme | None, on: Sequence[str] | None) -> list[dict[str, Any]]:
    """How many of each perspective answered anything at the beginning, during the programme, and afterwards."""
    if programme is None or programme.responses.empty or programme.starts_on is None:
        return []
    held = register.answered(programme)
    held = held if on is None else held[held["instrument"].isin(on)]
    when = held["timing"].map({"pre": BEGINNING, "then": DURING, "post": DURING, "followup": AFTER})
    labels = programme.menus["evaluation_grid"].labels if "evaluation_grid" in programme.menus else {}
    rows = []
    for perspective, raters in GRID.items():
        for time in (BEGINNING, DURING, AFTER):
            n = held.loc[held["rater"].isin(raters) & (when == time), "respondent_id"].nunique()
            rows.append({"perspective": labels.get(perspective, perspective), "time": labels.get(time, time), "n": n})
    return rows


def _table(
    found: Sequence[Moment], held: Mapping[str, Instrument], begins: date | None, views: Sequence[Mapping[str, Any]]
) -> pd.DataFrame:
    """A row a moment, then a row a perspective and time. Extras: n_of, month, planned_for, state."""
    none = {"low": float("nan"), "high": float("nan"), "interval": "none given"}
    rows: list[dict[str, Any]] = [
        {"measure": held[one.instrument].name, "group": _who(one.rater), "estimate": float(one.month), **none,
         "n": one.respondents, "unit": "months from the start", "n_of": "respondents", "month": one.month,
         "planned_for": _day(begins, one.month), "state": one.state}
        for one in found
    ]  # fmt: skip
    rows += [
        {"measure": view["perspective"], "group": view["time"], "estimate": float(view["n"]), **none, "n": view["n"],
         "unit": "people who answered", "n_of": "respondents", "month": None, "planned_for": pd.NaT,
         "state": "answered" if view["n"] else "no answers recorded"}
        for view in views
    ]  # fmt: skip
    table = pd.DataFrame(rows).astype({"n": "Int64", "month": "Int64"})
    return table.assign(planned_for=pd.to_datetime(table["planned_for"]))


def _day(begins: date | None, month: int) -> pd.Timestamp | None:
    return None if begins is None else pd.Timestamp(begins) + pd.DateOffset(months=month)


def _who(rater: str) -> str:
    return rater if rater == GIVEN else words.raters(rater)


def _headline(found: Sequence[Moment]) -> str:
    counts = {state: sum(one.state == state for one in found) for state in STATES}
    first, *rest = [(n, state) for state, n in counts.items() if n]
    return words.listed([f"{words.counted(first[0], 'wave')} {first[1]}", *(f"{n} {state}" for n, state in rest)])


def _first_plan(found: Sequence[Moment], held: Mapping[str, Instrument]) -> str:
    """What a plan without a programme proposes, questionnaire by questionnaire."""
    proposed = []
    for name in dict.fromkeys(one.instrument for one in found):
        own = [one for one in found if one.instrument == name]
        raters = words.listed([_who(rater) for rater in dict.fromkeys(one.rater for one in own)])
        proposed.append(f"the {held[name].name} of {raters}")
    months = sorted({one.month for one in found})
    when = words.listed([str(month) for month in months])
    if len(months) > MOST_MONTHS:
        when = f"{when.split(',')[0]}, {months[1]} and so on to {months[-1]}"
    return f"A first plan: ask {words.listed(proposed)}, in {'month' if len(months) == 1 else 'months'} {when}."


MOST_MONTHS = 6
"""Months named one by one in a sentence."""


def _sentences(
    programme: Programme | None, found: Sequence[Moment], held: Mapping[str, Instrument], table: pd.DataFrame
) -> list[Sentence]:
    rows = tuple(range(len(found)))
    if programme is None:
        return [Sentence(_first_plan(found, held), rows=rows)]
    said = [Sentence(f"By questionnaire and by who answers it: {_headline(found)}.", rows=rows)]
    missed: dict[str, list[str]] = {}
    for one in found:
        if one.state == MISSED:
            missed.setdefault(f"{held[one.instrument].name}, {_who(one.rater)}", []).append(str(one.month))
    if missed:
        listed = [
            f"{who} (month{'s' if len(months) > 1 else ''} {words.listed(months)})" for who, months in missed.items()
        ]
        said.append(Sentence(f"Planned and not done: {'; '.join(listed)}.", rows=rows))
    views = table.iloc[len(found) :]
    asked = views.groupby("measure", sort=False)["n"].sum()
    blank = views[views["measure"].isin(asked.index[asked == 0])]
    if len(blank):
        never = words.listed([name[:1].lower() + name[1:] for name in dict.fromkeys(blank["measure"])])
        said.append(Sentence(f"No answers are recorded from {never}.", rows=tuple(blank.index)))
    return [*said, Sentence(_agreed(programme))]


def _agreed(programme: Programme) -> str:
    """Who agreed to the plan, when, and whether that was before anyone answered."""
    plan, first = programme.plan, register.answered(programme)["answered_on"].min()
    if not plan.agreed_with or plan.agreed_on is None:
        return "Who agreed to the plan, and when, is not recorded."
    agreed = f"The plan was agreed on {words.day(plan.agreed_on)} ({plan.agreed_with})"
    if pd.isna(first):
        return f"{agreed}."
    before = "before" if pd.Timestamp(plan.agreed_on) < first else "not before"
    return f"{agreed}, {before} the first answers ({words.day(first)})."


def _marks(
    programme: Programme | None, found: Sequence[Moment], held: Mapping[str, Instrument], headline: str
) -> pd.DataFrame:
    drawn: list[dict[str, Any]] = [
        {"mark": "point", "series": f"{held[one.instrument].name}: {_who(one.rater)}", "x": one.state,
         "y": float(one.month if one.asked_in is None else one.asked_in), "n": one.respondents, "row": at}
        for at, one in enumerate(found)
    ]  # fmt: skip
    last = _last(programme)
    if last is not None:
        drawn.append({"mark": "event", "y": float(last), "label": "data end"})
    title = f"Planned and done. {circumstances.title(programme)}"
    return charts.marks(drawn, headline=headline, subtitle=title, x_axis="months from the start")


def _cautions(programme: Programme | None, found: Sequence[Moment]) -> list[Sentence]:
    if programme is None:
        return [
            Sentence("These waves and informants are a first proposal: agree them with those who will be asked."),
            Sentence("What asking so often takes of people's time: plan.feasibility."),
        ]
    said = ["A wave counts as done when anybody answered it: how many did stands in the table."]
    if not programme.plan.waves:
        said.append("No waves were planned in [plan.waves], so whatever was asked counts as not planned.")
    if any(one.state == MISSED for one in found) and not any(one.asked_in is not None for one in found):
        said.append("No answers are recorded at all: they may have been given and not be in these files.")
    if programme.starts_on is None:
        said.append("When the programme began is not recorded, so nothing can be said to be late.")
    lost = asking_moments.undated(programme)
    if lost:
        said.append(f"{words.counted(lost, 'respondent')} answered on a day that is not recorded, and are left out.")
    return [Sentence(text) for text in said]
