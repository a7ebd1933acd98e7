"""What can we hope to see, when, and at what cost to people's time?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, instrument, measure, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import grade
from evalkit.plan import in_points, sizes
from evalkit.plan.judged import LEVELS, UNTESTED, Judged, judged
from evalkit.plan.numbers import Numbers, numbers
from evalkit.plan.seen import LONGEST, STANDARD, SUCH, Row, size
from evalkit.result import Method, Result, Sentence
from evalkit.terms import Attribution, Design, Level
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "What can we hope to see, when, and at what cost to people's time?"
USUAL = ("system_leadership", "icfat", "emergency_admissions_65_plus")
"""What is asked about where neither measures nor a programme are given: one for each of the three questions."""
NO_TEST = "no test"
"""The same where a chart has little room."""
COLUMNS = (*sizes.SHORT[:4], "too early", NO_TEST)
METHOD = Method(
    name="For each measure: when it could move, the smallest change that could be seen by then, and what asking costs",
    source="When: the lag declared in [plan] or the catalogue. How small: plan.detectable_change; of leaders team by "
    f"team where there are five teams or more. {sizes.SOURCE}",
    assumes="Everybody asked answers at every wave; one sponsor and one partner answer for each leader; each measure "
    "is read once, at the end.",
    design=Design.DESCRIBED,
)


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
    month it may be read, whether the evaluation lasts so long (`months`), the smallest change that could be seen,
    whether a change worth having could be (`worthwhile_seen`), and what asking takes. `minutes` a form takes, by
    questionnaire, before those in `burden`; unknown minutes are said to be unknown and the questions are counted. It
    says what could be seen, not what will happen. Errors: `NotEnoughEvidence` where no number is known.

    >>> found = feasibility(leaders=8, months=18)
    >>> found.table[["measure", "answer"]].to_numpy().tolist()[0]
    ['Systems Leadership Development Framework', 'only a very large change']
    """
    given: dict[str, Any] = {
        "leaders": leaders, "teams": teams, "team_size": team_size, "places": places, "comparison": comparison,
        "months": months, "before": before, "monthly": monthly,
    }  # fmt: skip
    known = numbers(programme, **given)
    if known.leaders is None and known.teams is None and known.places is None:
        raise NotEnoughEvidence(
            QUESTION,
            missing="No number of leaders, teams or places is known.",
            would_answer="at least one of them, such as plan.feasibility(leaders=8, months=18).",
        )
    named, timed = _named(measures, programme), _timed(programme, minutes or {})
    all_of = [judged(name, programme, given, timed, seed) for name in named]
    rows = [one.row for one in all_of]
    table = pd.DataFrame(rows).drop(columns="scale").astype({"n": "Int64"})
    headline = Sentence(_headline(rows), rows=tuple(table.index))
    return Result.of(
        question=QUESTION,
        level=Level.PLAN,
        kirkpatrick=None,
        headline=headline,
        sentences=_sentences(rows),
        decided=described("A calculation; nothing is tested."),
        attribution=Attribution.CANNOT_TELL,
        table=table,
        marks=_marks(rows, headline.text, f"{known.given}. {circumstances.title(programme)}"),
        chart=charts.named("placed"),
        method=METHOD,
        evidence=grade(Design.DESCRIBED),
        cautions=_cautions(rows, all_of),
        about=circumstances.about(
            programme,
            f"plan.feasibility({_again(known, None if measures is None else named, minutes, seed)})",
            n=None,
            of=None,
            counts="measures",
        ),
    )


def _again(known: Numbers, named: list[str] | None, minutes: Mapping[str, float] | None, seed: int) -> str:
    """What was given, as the question is asked with it."""
    said = [f"measures={named!r}"] if named else []
    said += [*known.said, *([f"minutes={dict(minutes)!r}"] if minutes else [])]
    return ", ".join([*said, *([f"seed={seed}"] if seed != 1 else [])])


def _named(measures: Iterable[str] | None, programme: Programme | None) -> list[str]:
    """What is judged: what was asked for, else what the programme planned and counts, else the usual three."""
    if measures is not None:
        named = list(dict.fromkeys([measures] if isinstance(measures, str) else measures))
        if not named:
            raise ValueError("measures=[] names nothing. Leave it out, or name a questionnaire or measure.")
        return named
    if programme is None:
        return list(USUAL)
    plan = programme.plan
    planned = [*plan.primary.values(), *plan.waves, *plan.lag_months]
    held = sorted(map(str, programme.outcomes["measure"].unique()))
    return list(dict.fromkeys([*(name.partition("/")[0] for name in planned), *held])) or list(USUAL)


def _timed(programme: Programme | None, minutes: Mapping[str, float]) -> dict[str, float]:
    """Minutes a form takes, by questionnaire: as given, else as recorded. Refuses what cannot be."""
    known = instrument.shipped() if programme is None else programme.instruments
    for name, value in minutes.items():
        if name not in known:
            raise ValueError(f"minutes names no questionnaire: {name!r}. There are: {words.listed(sorted(known))}.")
        if not 0 < value < float("inf"):
            raise ValueError(f"minutes of {name}: {value} is too small or no number. Give the minutes a form takes.")
    recorded: dict[str, float] = {}
    if programme is not None:
        means = programme.burden.dropna(subset=["minutes"]).groupby("instrument")["minutes"].mean()
        recorded = {str(name): float(mean) for name, mean in means.items()}
    return {**recorded, **minutes}


def _headline(rows: list[Row]) -> str:
    """The answer that stands for each level: that of the first of its measures."""
    first = {row["group"]: row["answer"] for row in reversed(rows)}
    said = [f"{label.lower()}: {first[label]}" for label in LEVELS.values() if label in first]
    return words.sentence_case("; ".join(said))


def _sentences(rows: list[Row]) -> list[Sentence]:
    said = []
    for label, what in ((LEVELS["leaders"], "Leaders"), (LEVELS["organisations"], "Organisations"),
                        (LEVELS["lives"], "People's lives")):  # fmt: skip
        found = tuple(at for at, row in enumerate(rows) if row["group"] == label)
        if found:
            said.append(Sentence(_of_level(what, [rows[at] for at in found]), rows=found))
    sessions = tuple(at for at, row in enumerate(rows) if row["group"] == LEVELS["sessions"])
    if sessions and not said:
        said.append(Sentence(f"{rows[sessions[0]]['measure']}: {_no_test(rows[sessions[0]])}", rows=sessions))
    cost = _cost(rows)
    return said + ([cost] if cost else [])


def _no_test(row: Row) -> str:
    return f"a change cannot be tested. {row['why_not']}"


def _of_level(what: str, rows: list[Row]) -> str:
    """One level by the first of its measures: what could be seen, whether it is worth having, what is too early."""
    first = rows[0]
    if first["why_not"]:
        return f"{what}: {_no_test(first)}{_early(rows)}"
    with_so_many = f" if all {first['n']} {first['n_of']} answer twice" if first["unit"] == STANDARD else ""
    with_so_many = with_so_many.replace(" leaders planned for", "")
    seen = f"{first['visible']} could be seen{with_so_many}, {size(first, first['scale'])} or more, {SUCH}."
    return f"{what}: {seen}{_worthwhile(first)}{_early(rows)}"


def _worthwhile(row: Row) -> str:
    if row["worthwhile"] is None or row["worthwhile_seen"] == "not known":
        return ""
    worth = f"{row['worthwhile']:g} points"
    if row["unit"] != STANDARD:
        worth = size({"unit": row["unit"], "estimate": row["worthwhile"]})
    return (
        f" A change worth having ({worth}) {'would' if row['worthwhile_seen'] == 'yes' else 'would often not'} be seen."
    )


def _early(rows: list[Row]) -> str:
    early = [row for row in rows if row["answer"] == "too early"]
    if not early:
        return ""
    first = early[0]
    label = first["measure"] if first["unit"] == STANDARD else first["measure"][:1].lower() + first["measure"][1:]
    more = f" (and {words.counted(len(early) - 1, 'other measure')})" if len(early) > 1 else ""
    return (
        f" It is too early for {label}{more}: to be read from month {first['readable_from_month']:.0f}, and this "
        f"evaluation reaches month {first['ends_in_month']}."
    )


def _cost(rows: list[Row]) -> Sentence | None:
    """What asking takes of people, in hours where minutes are known and in questions where they are not."""
    asked = [(at, row) for at, row in enumerate(rows) if row["forms"]]
    if not asked:
        return None
    timed = [row for _, row in asked if row["hours_in_all"] is not None]
    untimed = [row for _, row in asked if row["hours_in_all"] is None]
    when = "in all" if all(row["waves"] for _, row in asked) else "each time"
    said = f"Asking takes {words.counted(sum(row['forms'] for _, row in asked), 'form')} {when}"
    if timed:
        hours = words.significant(sum(row["hours_in_all"] for row in timed), 2)
        said += f"; about {hours} hours of people's time" + (" for those whose minutes are known" if untimed else "")
    if untimed:
        questions = [f"the {row['measure']} ({words.counted(row['questions'], 'question')})" for row in untimed]
        said += f"; how long a form takes is not known of {words.listed(questions)}"
    return Sentence(f"{said}.", rows=tuple(at for at, _ in asked))


def _marks(rows: list[Row], headline: str, given: str) -> pd.DataFrame:
    drawn: list[dict[str, Any]] = [{"mark": "column", "x": column} for column in COLUMNS]
    for at, row in enumerate(rows):
        label = f"from month {row['readable_from_month']:.0f}" if row["answer"] == "too early" else ""
        column = NO_TEST if row["answer"] == UNTESTED else sizes.short(row["answer"])
        drawn.append({"mark": "placed", "series": row["measure"], "x": column, "label": label, "row": at})
    return charts.marks(drawn, headline=headline, subtitle=f"The smallest change that could be seen with {given}")


def _cautions(rows: list[Row], all_of: list[Judged]) -> list[Sentence]:
    said = ["What could be seen is not what will happen; a smaller change may be there and not be seen."]
    if any(row["unit"] == STANDARD for row in rows):
        said.append(
            "A standard deviation says how far apart the changes of those who answer lie: about two in three lie "
            "within one of the average change."
        )
    for one in all_of:
        if isinstance(one.of, measure.Measure) and one.lag is not None and not one.of.expected_lag_verified:
            said.append(f"How long a change may take is not verified. {one.of.expected_lag_source}")
    for one, row in zip(all_of, rows, strict=True):
        if row["scale"] and one.spread is not None and isinstance(one.of, instrument.Instrument):
            said.append(in_points.from_whom(one.spread, one.of, "leaders" if one.about == "leaders" else one.units))
    silent = [row["measure"] for row in rows if row["readable_from_month"] is None]
    if silent:
        said.append(f"Nobody agreed when these may be read: {words.listed(silent)}.")
    none = [row["measure"] for row in rows if row["worthwhile"] is None]
    if none:
        said.append(f"Nobody agreed how large a change would be worthwhile: {words.listed(none)}.")
    return [Sentence(text) for text in dict.fromkeys([*said, *_assumed(all_of)])]


def _assumed(all_of: list[Judged]) -> list[str]:
    """What stands for what nobody gave."""
    lives = [one.known for one in all_of if one.about == "lives"]
    others = [one for one in all_of if one.about == "organisations"]
    said = [f"Assumed, for nobody gave it: {known.taken_as}." for known in lives if known.assumed]
    said += [f"Taken for the {one.label}: {one.assumed}." for one in others if one.assumed]
    if any(max(known.months or 0, known.before or 0) > LONGEST for known in lives):
        said.append(f"Of the months on either side of the start {LONGEST} are counted, no more were tried.")
    return said
