"""How did leaders get from start to end?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS
from evalkit.evidence import attribution, grade
from evalkit.individual import ratings
from evalkit.individual.besides import kept_rows
from evalkit.individual.compared import known_domain, usual
from evalkit.individual.courses import (
    BENT,
    DIP,
    EARLY,
    LATE,
    LINE,
    OWN_WAVE,
    QUESTION,
    START,
    STRAIGHT,
    TOO_FEW,
    TWO,
    courses,
    known_kinds,
)
from evalkit.individual.pace import A_YEAR, in_words, pace
from evalkit.instrument import OVERALL
from evalkit.result import FIRST, Method, Result, Sentence
from evalkit.stats import power
from evalkit.stats.student import share
from evalkit.terms import Design, Level, Step
from evalkit.verdict import LEAST_PAIRS, LEVEL, described

if TYPE_CHECKING:
    from evalkit.individual.courses import Bend, Course, Courses
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme

METHOD = Method(
    name="Mean at every wave from all answers given; each wave between set against the first, and against a straight "
    "line from first to last",
    source="EM: Dempster, Laird and Rubin 1977; CR2 and its degrees of freedom: Pustejovsky and Tipton 2018, J. "
    "Business & Economic Statistics 36(4), 672-683; judged together: Holm 1979, Scand. J. Statistics 6(2), 65-70.",
    assumes="Whether people stopped answering may depend on what they answered before, not on what they would have "
    "answered. The straight line is drawn through those who answered at all three waves it needs.",
    design=Design.DESCRIBED,
)
MEAN = "mean"
SEEN = 0.80
"""A dip that could be seen is one that this share of such evaluations would have found clear."""
COLUMNS = ("n_of", "wave", "measured_on", "what", "raters", "basis", "clear", TELLS)


def trajectories(
    programme: Programme,
    *,
    on: str | None = None,
    domain: str | None = None,
    raters: tuple[str, ...] = ("self", "sponsor", "partner"),
    confidence: float = 0.95,
) -> Result:
    """How did leaders get from start to end?

    Needs: `responses` about persons on the instrument `on` at two waves or more; three for a shape. The mean at every
    wave, by each kind of rater in `raters` who rated at two. Every wave between is set against the first wave, and
    against a straight line from first to last, all of them judged together by Holm: a dip is called one only where a
    wave stands clearly below the first. Ratings of oneself, energy, motivation, resilience and unlearning seldom go
    straight: a dip on the way is to be expected and is no failure. Whether the last differs from the first is asked of
    `individual.growth`. `domain`: as declared in `[plan.primary]`, else the whole, else the first.
    Columns: n_of, wave, measured_on, what (mean, against the first wave, against a straight line, a year), raters (how
    many gave ratings), basis (which answers), clear (higher or lower when judged together), tells (how few people the
    row would tell beside the means: it is withheld).
    Errors: `NotEnoughEvidence` without two waves of linked answers; ValueError for a domain or rater there is not.

    >>> import evalkit as ek
    >>> course = trajectories(ek.load("sample_data/northmere"), on="staying_power", domain="energy")
    >>> course.table.loc[course.table["what"] == "mean", "wave"].tolist()
    [1, 2, 3, 4]
    """
    share(confidence)
    instrument = circumstances.instrument(programme, usual(programme, on))
    kinds = known_kinds(programme, raters)
    found = courses(programme, instrument, known_domain(programme, instrument, domain), kinds, confidence)
    table = _table(found, confidence)
    informants = tuple(course.asked.rater for course in found.each)
    evidence = grade(Design.DESCRIBED, informants=informants, rivals=circumstances.rivals(programme))
    decided = described("Whether the last wave differs from the first is asked of individual.growth.")
    headline = _headline(found, table)
    settings = {"on": on, "domain": domain, "raters": raters}
    told = ", ".join(f"{name}={value!r}" for name, value in settings.items() if value is not None)
    return Result.of(
        question=QUESTION,
        level=Level.INDIVIDUAL,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(found, table, confidence),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(found, table, headline.text, confidence),
        chart=charts.named("waves"),
        method=METHOD,
        evidence=evidence,
        cautions=_cautions(found, table, kinds),
        about=circumstances.about(
            programme,
            f"individual.trajectories({told})",
            n=found.each[found.lead].both,
            of=len(circumstances.taking_part(programme)) or None,
            counts="leaders",
        ),
        details=found,
    )


def _table(found: Courses, confidence: float) -> pd.DataFrame:
    """Course by course: a row a wave with its mean, then a row a wave between and what it is set against."""
    rows = [
        row
        for course in found.each
        for row in kept_rows(course.asked, found.domain, _of_course(found, course, confidence))
    ]
    table = pd.DataFrame(rows).reindex(columns=[*FIRST, *COLUMNS])
    sure = table["low"].notna()
    table["interval"] = sure.map({True: f"{confidence:.0%} confidence", False: "none given"})
    table["measured_on"] = pd.to_datetime(table["measured_on"])
    whole = dict.fromkeys(("n", "wave", "raters", TELLS), "Int64")
    return table.astype({**whole, "estimate": float, "low": float, "high": float})


def _of_course(found: Courses, course: Course, confidence: float) -> list[dict[str, Any]]:
    return [*_means(found, course), *_bends(found, course), *_pace(found, course, confidence)]


def _shared(found: Courses, course: Course, wave: int) -> dict[str, Any]:
    """What every row of a course says of itself."""
    return {
        "measure": found.instrument.domain_labels[found.domain], "group": words.raters(course.asked.rater),
        "unit": ratings.points(found.instrument), "n_of": "leaders", "wave": wave,
        "measured_on": found.moments.days.get(wave, pd.NaT), "basis": course.basis, "clear": "",
    }  # fmt: skip


def _means(found: Courses, course: Course) -> Iterator[dict[str, Any]]:
    """A row a wave: the mean."""
    for held in course.means.to_dict("records"):
        wave = int(held["wave"])
        yield _shared(found, course, wave) | {
            "estimate": held["mean"], "low": held["low"], "high": held["high"], "n": held["n"], "what": MEAN,
            "raters": course.raters[wave], TELLS: course.pairs_tell.get(wave),
        }  # fmt: skip


def _bends(found: Courses, course: Course) -> Iterator[dict[str, Any]]:
    """A row a wave between and what it is set against; as many raters as at the wave with fewest."""
    first, last = course.ends
    for bend in course.bends:
        needs = (first, bend.wave) if bend.against == START else (first, bend.wave, last)
        shared = _shared(found, course, bend.wave)
        yield shared | {
            "measure": f"{shared['measure']}, {bend.against}",
            "estimate": bend.estimate, "low": bend.low, "high": bend.high, "n": bend.n, "what": bend.against,
            "raters": min(course.raters[wave] for wave in needs), "clear": bend.clear, TELLS: bend.left or pd.NA,
        }  # fmt: skip


def _pace(found: Courses, course: Course, confidence: float) -> Iterator[dict[str, Any]]:
    """One row: points a year by a straight line through all waves; none where no line can be told."""
    line = pace(course, found.moments, confidence)
    if line is not None:
        shared = _shared(found, course, course.ends[1])
        yield shared | {
            "measure": f"{shared['measure']}, {A_YEAR}", "wave": pd.NA, "measured_on": pd.NaT, "what": A_YEAR,
            "estimate": line.estimate, "low": line.low, "high": line.high, "n": line.n, "unit": "points a year",
            "raters": min(course.raters.values()),
        }  # fmt: skip


def _rows(table: pd.DataFrame, course: Course, *what: str) -> tuple[int, ...]:
    """The rows of one course of these kinds."""
    own = (table["group"] == words.raters(course.asked.rater)) & table["what"].isin(what)
    return tuple(int(row) for row in table.index[own])


def _whose(course: Course) -> str:
    """Whose ratings they are."""
    rater = course.asked.rater
    return "leaders' own ratings" if rater == "self" else f"{words.raters(rater)}' ratings"


def _turn(instrument: Instrument) -> str:
    """What a wave clearly worse than the first is called on this scale."""
    return "dipped" if instrument.better == "higher" else "rose, for the worse,"


def _headline(found: Courses, table: pd.DataFrame) -> Sentence:
    """From where to where, and by which way, for the course that leads."""
    course = found.each[found.lead]
    first, last = course.ends
    ends = f"from {words.number(course.mean(first))} to {words.number(course.mean(last))}"
    domain = "" if found.domain == OVERALL else f" of {found.instrument.domain_labels[found.domain]}"
    who = f"{words.sentence_case(_whose(course))}{domain}"
    said = {
        TWO: f"{who} went {ends}; two waves show no shape",
        TOO_FEW: f"{who} went {ends}; too few answered to tell a shape",
        STRAIGHT: f"{who} went {ends}, with no clear dip on the way",
        EARLY: f"{who} went {ends}, most of it early",
        LATE: f"{who} went {ends}, most of it late",
        BENT: f"{who} went {ends}, not in a straight line",
    }
    rows = _rows(table, course, MEAN)
    if course.shape != DIP:
        return Sentence(said[course.shape], rows=rows)
    lowest = _furthest(course.clear(START, better=False))
    return Sentence(
        f"{who} {_turn(found.instrument)} on the way: {words.number(course.mean(first))}, then "
        f"{words.number(course.mean(lowest.wave))} in {found.moments.name(lowest.wave)}, then "
        f"{words.number(course.mean(last))}",
        rows=rows,
    )


def _furthest(bends: list[Bend]) -> Bend:
    return max(bends, key=lambda bend: abs(bend.estimate))


def _sentences(found: Courses, table: pd.DataFrame, confidence: float) -> list[Sentence]:
    """The leading course and its shape; then the others' courses, and the shape of those that have one."""
    lead = found.each[found.lead]
    others = [course for at, course in enumerate(found.each) if at != found.lead]
    rater = words.sentence_case(ratings.rated(lead.asked.rater))
    said = [
        Sentence(f"{rater}, on {_measured(found)}: {_path(found, lead)}.", rows=_rows(table, lead, MEAN)),
        Sentence(
            f"{_shape(found, lead, confidence)}{_a_year(table, lead, confidence)}",
            rows=_rows(table, lead, MEAN, START, LINE, A_YEAR),
        ),
    ]
    if others:
        paths = [f"{words.raters(course.asked.rater)}: {_path(found, course)}" for course in others]
        line = " At two waves no shape can be told: two points make a line."
        rows = tuple(row for course in others for row in _rows(table, course, MEAN))
        two = lead.shape != TWO and all(course.shape == TWO for course in others)
        said.append(Sentence(f"Beside them {'; '.join(paths)}.{line if two else ''}", rows=rows))
    shaped = [course for course in others if course.shape != TWO]
    if shaped:
        told = [f"{words.sentence_case(_whose(course))}: {_shape(found, course, confidence)}" for course in shaped]
        rows = tuple(row for course in shaped for row in _rows(table, course, START, LINE))
        said.append(Sentence(" ".join(told), rows=rows))
    return said


def _measured(found: Courses) -> str:
    """The instrument, with its domain where that is not the whole."""
    label, name = found.instrument.domain_labels[found.domain], found.instrument.name
    return name if found.domain == OVERALL or label == name else f"{label} ({name})"


def _path(found: Courses, course: Course) -> str:
    """The mean at each wave with its interval, and how many leaders were rated first and last."""
    held = course.means.to_dict("records")
    each = []
    for row in held:
        sure = "" if row["low"] != row["low"] else f" ({words.span(row['low'], row['high'])})"
        each.append(f"{words.number(row['mean'])}{sure} in {found.moments.name(int(row['wave']))}")
    return f"{words.listed(each)} ({words.counted(int(held[0]['n']), 'leader')} at first, {held[-1]['n']} at last)"


def _shape(found: Courses, course: Course, confidence: float) -> str:
    """What can be said of the way between first and last."""
    shape = course.shape
    if shape == TWO:
        return "At two waves no shape can be told: two points make a line."
    if shape == TOO_FEW:
        return f"Fewer than {LEAST_PAIRS} leaders, or all of them alike: whether there was a dip cannot be told."
    if shape == STRAIGHT:
        return _straight(found, course, confidence)
    if shape == DIP:
        bends, what = course.clear(START, better=False), "the first wave"
    else:
        bends = [*course.clear(LINE, better=True), *course.clear(LINE, better=False)]
        what = "a straight line from first to last"
    told = [_stood(found, bend, confidence) for bend in bends]
    return f"Set against {what}, ratings stood {words.listed(told)}."


def _a_year(table: pd.DataFrame, course: Course, confidence: float) -> str:
    """How fast, where nothing speaks against a straight line."""
    rows = _rows(table, course, A_YEAR)
    if course.shape != STRAIGHT or not rows:
        return ""
    estimate, low, high = (float(table[name][rows[0]]) for name in ("estimate", "low", "high"))
    return in_words(estimate, low, high, confidence)


def _straight(found: Courses, course: Course, confidence: float) -> str:
    """That nothing is clear, and how far the furthest wave stood the worse way."""
    way, line = ("below", "lowest") if found.instrument.better == "higher" else ("above", "highest"), "a straight line"
    worse = [bend for bend in course.bends if bend.against == START and (bend.estimate < 0) == (way[0] == "below")]
    if not worse:
        return f"No wave between stands {way[0]} the first, and none clearly off {line} from first to last."
    return (
        f"The {way[1]} wave between stood {_stood(found, _furthest(worse), confidence)} than the first, which is not "
        f"clear when all are judged together; none is clearly off {line} from first to last."
    )


def _stood(found: Courses, bend: Bend, confidence: float) -> str:
    """How one wave stood, with its interval."""
    return (
        f"{words.higher(bend.estimate)} in {found.moments.name(bend.wave)} "
        f"({words.span(bend.low, bend.high)}, {confidence:.0%} interval)"
    )


def _marks(found: Courses, table: pd.DataFrame, headline: str, confidence: float) -> pd.DataFrame:
    """A point a wave and kind of rater; the level at which a course with a shape began; the waves' places in time."""
    moments, scale = found.moments, found.instrument.scale
    rows: list[dict[str, Any]] = [
        {"mark": "tick", "x": moments.name(wave), "y": moments.place(wave)} for wave in moments.waves
    ]
    for course in found.each:
        means, series = _rows(table, course, MEAN), words.raters(course.asked.rater)
        low = {bend.wave for bend in course.clear(START, better=False) if found.instrument.better == "higher"}
        if course.shape not in (TWO, TOO_FEW):
            rows.append({"mark": "line", "series": series, "y": course.mean(course.ends[0]), "row": means[0],
                         "n": table["n"][means[0]], "label": f"where {series} began"})  # fmt: skip
        for row, wave in zip(means, course.waves, strict=True):
            held = table.loc[row]
            rows.append({"mark": "point", "series": series, "x": moments.name(wave), "y": held["estimate"],
                         "low": held["low"], "high": held["high"], "n": held["n"], "row": row,
                         "label": "dip" if wave in low else ""})  # fmt: skip
    if found.instrument.on_scale:
        rows.append({"mark": "scale", "low": scale.low, "high": scale.high})
    below = [] if moments.days else ["waves by number"]
    below += [f"{confidence:.0%} intervals"] if table["low"].notna().any() else []
    below += ["thin line: the start"] if any(row["mark"] == "line" for row in rows) else []
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"{_measured(found)}, mean by wave, scale {scale.low:g} to {scale.high:g}, {found.programme.title}",
        x_axis="; ".join(below),
    )


def _cautions(found: Courses, table: pd.DataFrame, raters: tuple[str, ...]) -> list[Sentence]:
    lead, instrument = found.each[found.lead], found.instrument
    rows = _rows(table, lead, MEAN)
    own = any(course.asked.rater == "self" for course in found.each)
    said = [Sentence("These leaders are not compared with others: leaders elsewhere may have gone the same way.")]
    if own and len(found.moments.waves) > 2:
        said.append(Sentence("A dip on the way is to be expected in what people say of themselves, and is no failure: "
                             "understanding grows, and energy sags."))  # fmt: skip
    if own and len(found.moments.waves) == 2:
        said.append(Sentence("People rated themselves; ratings often dip as understanding grows, whatever they do."))
    said += _unseen(found, table)
    if found.judged:
        said.append(Sentence(f"Clear means clear when all {found.judged} comparisons of waves between are judged "
                             "together: by chance alone, at most 3 of 100 such answers would hold one.",
                             rows=rows))  # fmt: skip
    if any(course.basis == OWN_WAVE for course in found.each):
        said.append(Sentence("Too few answered every wave to use all answers together: those who answered one wave are "
                             "not quite those who answered another."))  # fmt: skip
    if not found.moments.days:
        said.append(Sentence("The days of the waves are not known: they are drawn as far apart as their numbers."))
    said += _once(found, raters)
    if instrument.scale.evaluator_defined:
        said.append(
            Sentence(f"{instrument.name} has no scale of its own: this one is the evaluator's, and not validated.")
        )
    return said


def _unseen(found: Courses, table: pd.DataFrame) -> Iterator[Sentence]:
    """How deep a dip would have had to be to show, where none did."""
    lead = found.each[found.lead]
    asked = [bend for bend in lead.bends if bend.against == START and bend.judged]
    if lead.shape == DIP or not asked:
        return
    sizes = [power.smallest_seen(bend.se, bend.df, power=SEEN, confidence=1 - LEVEL / found.judged) for bend in asked]
    yield Sentence(
        f"Only a dip of {words.number(max(sizes))} points or more would have shown in {100 * SEEN:.0f} of 100 such "
        "evaluations.",
        rows=_rows(table, lead, START),
    )


def _once(found: Courses, raters: tuple[str, ...]) -> Iterator[Sentence]:
    """The kinds of rater who rated, and have no course."""
    drawn = {course.asked.rater for course in found.each}
    for rater in raters:
        if rater not in drawn and not ratings.given(found.programme, found.instrument, rater).empty:
            who = words.sentence_case(words.raters(rater))
            yield Sentence(f"{who} rated no leader at two waves, so no course of theirs is shown.")
