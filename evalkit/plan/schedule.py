"""Who is asked what, and when: what was planned, and what was done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, instrument, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import grade
from evalkit.plan.numbers import months_between
from evalkit.result import Method, Result, Sentence
from evalkit.terms import Attribution, Design, Level
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme

QUESTION = "Who is asked what and when, and was it done as planned?"
EVERY = 6
"""Months between waves where none are planned: the half-year of the sources."""
WITHIN = 3
"""An answer this many months from the planned month, or fewer, is that wave (a judgement: waves drift, and half a year
lies between them)."""
USUAL: Mapping[str, tuple[str, ...]] = {
    "system_leadership": ("self", "sponsor", "partner"), "icfat": ("team_member", "partner")
}  # fmt: skip
"""Who is asked what where nobody planned it: AQuA's three informants, and those in and outside a place."""
DONE, UNPLANNED, MISSED, TO_COME = "done as planned", "done without a plan", "planned and not done", "to come"
STATES = (DONE, UNPLANNED, MISSED, TO_COME)
GIVEN = "scores agreed or published"
"""What stands for who answered, where a score was given as a whole."""
BEGINNING, DURING, AFTER = "beginning", "during", "after"
GRID = {"participant": ("self", "team_member"), "commissioner": ("commissioner",), "deliverer": ("deliverer",),
        "sponsor": ("sponsor", "line_manager"), "partner": ("partner",)}  # fmt: skip
"""By whose eyes the evaluation grid wants it seen, and the raters who speak for each."""
METHOD = Method(
    name=f"Planned waves set beside dated answers; an answer within {WITHIN} months of its month is that wave",
    source="Baseline and six-monthly review: AQuA's ten learning points. Who is asked and when: NHS Leadership "
    "Academy, Leadership Development Evaluation Framework (2016), as described on the academy's pages.",
    assumes="Answers carry the day they were given, or their wave its last day.",
    design=Design.DESCRIBED,
)


@dataclass(frozen=True, slots=True)
class Moment:
    """One questionnaire, one kind of rater, one month: planned, done, both, or to come."""

    instrument: str
    rater: str
    month: int
    state: str
    respondents: int | None
    asked_in: int | None


def schedule(
    programme: Programme | None = None,
    *,
    months: int | None = None,
    on: Iterable[str] | None = None,
    starts_on: date | None = None,
) -> Result:
    """Who is asked what and when, and was it done as planned?

    Needs: nothing. Without a programme: a first plan to argue about, every half-year for so many `months`, of the
    questionnaires `on`. With one: `[plan] waves` and `informants`, set beside the `responses` that came, so that what
    was done without a plan, and planned and not done, can be seen; and who was asked at the beginning, during and after
    it, where a blank is a view nobody was asked for. What nobody planned counts as done and not planned.

    >>> schedule(months=12).table["month"].tolist()[:3]
    [0, 6, 12]
    """
    held = instrument.shipped() if programme is None else programme.instruments
    on = None if on is None else tuple(on)
    last = _last(programme, months)
    planned = _planned(programme, last, on)
    unknown = sorted(set(planned) - set(held))
    if unknown:
        raise ValueError(
            f"No questionnaire is called {words.listed(unknown)}. There are: {words.listed(sorted(held))}."
        )
    found = _moments(programme, planned, last, on)
    if not found:
        raise NotEnoughEvidence(
            QUESTION,
            missing="No questionnaire is planned and none was answered.",
            would_answer="[plan.waves] in programme.toml, such as system_leadership = [0, 6, 12, 24].",
        )
    begins = starts_on if programme is None else programme.starts_on
    table = _table(found, held, begins, _views(programme))
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
        marks=_marks(programme, found, held, headline.text, last),
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


def _last(programme: Programme | None, months: int | None) -> int:
    """The month the plan reaches to: what was given, else the end of the data, else two years."""
    if months is not None:
        if months < 0:
            raise ValueError(f"months={months} is below 0.")
        return months
    if programme is None or programme.starts_on is None:
        return 24
    return months_between(programme.starts_on, programme.as_of)


Planned = Mapping[str, tuple[tuple[int, ...], tuple[str, ...]]]


def _planned(programme: Programme | None, last: int, on: Iterable[str] | None) -> Planned:
    """Months and raters of each questionnaire: as `[plan]` has them, or every half-year where there is no programme.

    No raters where nobody said who is to answer.
    """
    if programme is None:
        every = tuple(range(0, last + 1, EVERY))
        return {name: (every, USUAL.get(name, ("self",))) for name in (USUAL if on is None else on)}
    plan = programme.plan
    wanted = plan.waves if on is None else {name: plan.waves.get(name, ()) for name in on}
    return {name: (months, plan.informants.get(name, ())) for name, months in wanted.items()}


def _moments(programme: Programme | None, planned: Planned, last: int, on: Iterable[str] | None) -> list[Moment]:
    """Every moment planned or done, by questionnaire, rater and month."""
    done = {} if programme is None else {**_answered(programme), **_agreed_scores(programme)}
    done = {key: months for key, months in done.items() if on is None or key[0] in on}
    asked = []
    for name, (_, raters) in planned.items():
        answered = tuple(rater for held, rater in done if held == name)
        asked += [(name, rater) for rater in raters or answered or USUAL.get(name, ("self",))[:1]]
    found: list[Moment] = []
    for name, rater in [*asked, *(key for key in done if key not in asked)]:
        wanted = planned[name][0] if (name, rater) in asked else ()
        found += _of(name, rater, wanted, done.get((name, rater), {}), -1 if programme is None else last)
    return found


def _of(name: str, rater: str, wanted: Sequence[int], done: Mapping[int, int | None], last: int) -> list[Moment]:
    """The moments of one questionnaire and rater: each wave done goes to the nearest month planned for it."""
    taken: dict[int, int] = {}
    for month in done:
        near = [plan for plan in wanted if abs(plan - month) <= WITHIN and plan not in taken]
        if near:
            taken[min(near, key=lambda plan: abs(plan - month))] = month
    found = [Moment(name, rater, plan, DONE, done[taken[plan]], taken[plan]) for plan in wanted if plan in taken]
    found += [
        Moment(name, rater, plan, MISSED if plan + WITHIN < last else TO_COME, None, None)
        for plan in wanted if plan not in taken
    ]  # fmt: skip
    found += [
        Moment(name, rater, month, UNPLANNED, done[month], month) for month in done if month not in taken.values()
    ]
    return sorted(found, key=lambda moment: moment.month)


def _answered(programme: Programme) -> dict[tuple[str, str], dict[int, int | None]]:
    """Of each questionnaire and rater the months in which a wave was answered, and how many answered."""
    if programme.starts_on is None:
        return {}
    held = programme.responses[programme.responses["wave"].notna() & programme.responses["answer"].notna()]
    closed = programme.waves.set_index("wave")["closes_on"]
    found: dict[tuple[str, str], dict[int, int | None]] = {}
    for (name, rater, wave), answers in held.groupby(["instrument", "rater", "wave"], sort=True):
        days = answers["answered_on"].dropna()
        day = days.median() if len(days) else closed.get(wave)
        if day is not None and not pd.isna(day):
            month = months_between(programme.starts_on, day)
            found.setdefault((str(name), str(rater)), {})[month] = answers["respondent_id"].nunique()
    return found


def _agreed_scores(programme: Programme) -> dict[tuple[str, str], dict[int, int | None]]:
    """Scores that people agreed, or somebody published, by questionnaire: nobody's answers stand behind them."""
    if programme.starts_on is None:
        return {}
    found: dict[tuple[str, str], dict[int, int | None]] = {}
    held = programme.scores.dropna(subset=["measured_on"]).drop_duplicates(["instrument", "measured_on"])
    for name, day in held[["instrument", "measured_on"]].itertuples(index=False):
        found.setdefault((str(name), GIVEN), {})[months_between(programme.starts_on, day)] = None
    return found


def _views(programme: Programme | None) -> list[dict[str, Any]]:
    """How many of each perspective answered anything at the beginning, during the programme, and afterwards."""
    if programme is None or programme.responses.empty or programme.starts_on is None:
        return []
    held = programme.responses[programme.responses["answer"].notna()]
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
         "state": "asked" if view["n"] else "not asked"}
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
    return words.sentence_case(words.listed([f"{n} {state}" for state, n in counts.items() if n]))


def _sentences(
    programme: Programme | None, found: Sequence[Moment], held: Mapping[str, Instrument], table: pd.DataFrame
) -> list[Sentence]:
    rows = tuple(range(len(found)))
    waves = words.counted(len(found), "wave")
    said = [Sentence(f"Of {waves} by questionnaire and by who answers: {_headline(found).lower()}.", rows=rows)]
    missed: dict[str, list[str]] = {}
    for one in found:
        if one.state == MISSED:
            missed.setdefault(f"{held[one.instrument].name}, {_who(one.rater)}", []).append(str(one.month))
    if missed:
        listed = [f"{who} (month {words.listed(months)})" for who, months in missed.items()]
        said.append(Sentence(f"Planned and not done: {'; '.join(listed)}.", rows=rows))
    views = table.iloc[len(found) :]
    asked = views.groupby("measure", sort=False)["n"].sum()
    blank = views[views["measure"].isin(asked.index[asked == 0])]
    if len(blank):
        never = words.listed([name[:1].lower() + name[1:] for name in dict.fromkeys(blank["measure"])])
        said.append(Sentence(f"Never asked: {never}.", rows=tuple(blank.index)))
    if programme is not None:
        said.append(Sentence(_agreed(programme)))
    return said


def _agreed(programme: Programme) -> str:
    """Who agreed to the plan, when, and whether that was before anyone answered."""
    plan, first = programme.plan, programme.responses["answered_on"].min()
    if not plan.agreed_with or plan.agreed_on is None:
        return "Who agreed to the plan, and when, is not recorded."
    agreed = f"The plan was agreed on {words.day(plan.agreed_on)} ({plan.agreed_with})"
    if pd.isna(first):
        return f"{agreed}."
    before = "before" if pd.Timestamp(plan.agreed_on) < first else "not before"
    return f"{agreed}, {before} the first answers ({words.day(first)})."


def _marks(
    programme: Programme | None, found: Sequence[Moment], held: Mapping[str, Instrument], headline: str, last: int
) -> pd.DataFrame:
    drawn: list[dict[str, Any]] = [
        {"mark": "point", "series": f"{held[one.instrument].name}: {_who(one.rater)}", "x": one.state,
         "y": float(one.month if one.asked_in is None else one.asked_in), "n": one.respondents, "row": at}
        for at, one in enumerate(found)
    ]  # fmt: skip
    if programme is not None:
        drawn.append({"mark": "event", "y": float(last), "label": "data end"})
    title = f"Planned and done. {circumstances.title(programme)}"
    return charts.marks(drawn, headline=headline, subtitle=title, x_axis="months from the start")


def _cautions(programme: Programme | None, found: Sequence[Moment]) -> list[Sentence]:
    said = ["A wave counts as done when anybody answered it: how many did stands in the table."]
    if programme is None:
        said.append("These waves and informants are a first proposal: agree them with those who will be asked.")
    elif not programme.plan.waves:
        said.append("No waves were planned in [plan.waves], so whatever was asked counts as not planned.")
    if programme is not None and programme.starts_on is None:
        said.append("When the programme began is not recorded, so answers cannot be set beside the plan.")
    return [Sentence(text) for text in said]
