"""Do those who improve something think that it will last?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.evidence import attribution, grade
from evalkit.instrument import OVERALL
from evalkit.result import Method, Result, Sentence
from evalkit.team import summed
from evalkit.team.deciding import question
from evalkit.team.scored import INSIDERS
from evalkit.team.summed import PEOPLE, SPREAD, SUBJECTS, UNSUMMED, row
from evalkit.team.totals import Totals, totals
from evalkit.terms import Design, Level, Step
from evalkit.verdict import LEAST_PAIRS, Decision, decide, described

if TYPE_CHECKING:
    from evalkit.programme import Programme
    from evalkit.stats.change import PairedChange

SOURCE = (
    "t on K − 1 degrees of freedom: Student 1908. Diversity of opinion: Doyle et al. 2013, Implementation Science "
    "8:127, formula not seen, ours is √(Σ(n − 1)s² ÷ Σ(n − 1)), its change by the jackknife: Tukey 1958."
)

ASKED = "Do those who improve something think that it will last?"


def sustainability(
    programme: Programme,
    *,
    on: str = "sustainability",
    rater: str = INSIDERS,
    subject: str | None = None,
    confidence: float = 0.95,
) -> Result:
    """Do those who improve something think that it will last?

    Needs: `responses` of `rater` on an instrument (`on`) whose letters score points that sum to a total. `subject`:
    team, place or organisation; None takes teams where any was scored, else places, else organisations. The model was
    made for one improvement project: a total for a whole place misleads, and so does a rise where other people
    answered. Scores are means over teams of the mean of those who answered; a sitting with a factor left out, or "no
    opinion", has no total and is counted. Comparison places, and teams in them, are left out. What is known from memory
    only is said to be, and no verdict is taken from a band. What `[plan.primary]` declares (team = "sustainability",
    or "sustainability/staff") decides; anything else is described.
    Columns: n_of, out_of, wave, what (mean, change, to be had, spread, spread change, answered), teams (or places …),
    most (the most points there can be), band.
    Errors: `NotEnoughEvidence` without answers that sum; `ValueError` for an unknown instrument or subject.

    >>> import evalkit as ek
    >>> found = sustainability(ek.load("sample_data/northmere"))
    >>> found.table["measure"].iloc[0], found.verdict
    ('Overall (sum of domains)', <Verdict.DESCRIBED: 'described'>)
    """
    asked = totals(programme, on, rater=rater, subject=subject, confidence=confidence)
    changes = asked.changes()
    table = summed.table(asked, changes)
    declared = _declared(asked)
    decided = _decided(asked, changes, declared)
    design = Design.BEFORE_AFTER if changes else Design.DESCRIBED
    evidence = grade(design, informants=(words.raters(rater),), rivals=circumstances.rivals(programme))
    headline = _headline(asked, table, declared if declared in changes else OVERALL, decided)
    return Result.of(
        question=question(programme, asked.instrument, ASKED),
        level=Level.TEAM,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(asked, table),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(asked, table, headline.text),
        chart=charts.named("profile"),
        method=_method(asked, design),
        evidence=evidence,
        cautions=[*_of_the_model(asked, table), *_of_the_answers(asked, table, evidence.rivals)],
        about=circumstances.about(
            programme,
            f"team.sustainability(on={on!r}, rater={rater!r}, subject={asked.subject!r}, confidence={confidence})",
            n=asked.own["respondent_id"].nunique(),
            of=None,
            counts="respondents",
        ),
        details=changes,
    )


def _method(asked: Totals, design: Design) -> Method:
    return Method(
        name=f"Mean over {asked.subject}s of the mean of those who answered, its change with the paired t of "
        f"{asked.subject}s; standard deviation within {asked.subject}s",
        source=f"{asked.instrument.source}. {SOURCE}",
        assumes=f"{asked.subject.capitalize()}s are independent of each other; those who answered speak for theirs.",
        design=design,
    )


def _declared(asked: Totals) -> str:
    """The domain of this instrument declared beforehand as what counts, the total where none is named; or nothing."""
    name, _, domain = asked.programme.plan.primary.get("team", "").partition("/")
    return (domain or OVERALL) if name == asked.instrument.id else ""


def _decided(asked: Totals, changes: dict[str, PairedChange], declared: str) -> Decision:
    """What was declared decides, by the eight steps; anything else is described."""
    instrument, plan = asked.instrument, asked.programme.plan
    if not declared:
        return described(f"The {instrument.name} was not declared beforehand as the measure that counts.")
    if declared not in changes:
        return described(f"Fewer than {LEAST_PAIRS} {asked.subject}s were scored at both ends, or all moved alike.")
    return decide(
        changes[declared],
        better=instrument.better,
        worthwhile=instrument.smallest_worthwhile_change,
        value_words=instrument.validated and not instrument.self_assessed,
        too_early=circumstances.too_early(
            asked.programme, plan.lag_months.get(instrument.id), circumstances.closes(asked.programme, asked.ends[-1])
        ),
    )


def _headline(asked: Totals, table: pd.DataFrame, domain: str, decided: Decision) -> Sentence:
    """What was declared, else the total: its change where it can be tested, else what it was and is."""
    label, most = asked.instrument.domain_labels[domain], asked.instrument.bounds[domain][1]
    of = f"{'Total' if domain == OVERALL else label} of {most:g} points"
    told = "self-assessed" if asked.rater == INSIDERS else f"told by {words.raters(asked.rater)}"
    moved = row(table, "change", label)
    if moved is not None:
        decides = decided.low == decided.low and _declared(asked) == domain
        low, high = (decided.low, decided.high) if decides else (moved["low"], moved["high"])
        places = words.decimals(low, high)
        text = f"{of}: {words.higher(moved['estimate'], places)} ({words.span(low, high, places)}), {told}"
        return Sentence(text, rows=(moved["row"],))
    ends = _at_ends(asked, table, "mean", label)
    means = [words.number(end["estimate"], 1) for end in ends]
    text = f"{of}: {means[0]}, not yet scored twice" if len(ends) == 1 else f"{of}: was {means[0]}, is now {means[1]}"
    return Sentence(f"{text}, {told}", rows=tuple(end["row"] for end in ends))


def _at_ends(asked: Totals, table: pd.DataFrame, what: str, measure: str) -> list[dict[Any, Any]]:
    """The rows of a measure at the first and the last wave, as far as there are any."""
    return [held for wave in asked.ends if (held := row(table, what, measure, wave))]


def _sentences(asked: Totals, table: pd.DataFrame) -> list[Sentence]:
    """Who answered, the total, where most is to be had, and how far people of one team differ."""
    said = []
    for wave in asked.ends:
        people, held = row(table, "answered", PEOPLE, wave), row(table, "answered", SUBJECTS, wave)
        assert people is not None
        assert held is not None
        about = words.counted(held["n"], asked.subject)
        if pd.notna(held["out_of"]):
            about = f"{words.of(held['n'], held['out_of'])} {asked.subject}{'' if held['out_of'] == 1 else 's'}"
        said.append((f"{words.counted(people['n'], 'person', 'people')} about {about} in {asked.when(wave)}",
                     (people["row"], held["row"])))  # fmt: skip
    who = Sentence(
        f"{asked.instrument.name}, answered by {words.listed([text for text, _ in said])}.",
        rows=tuple(at for _, rows in said for at in rows),
    )
    return [who, _total(asked, table), *_most_to_be_had(asked, table), *_differed(asked, table)]


def _total(asked: Totals, table: pd.DataFrame) -> Sentence:
    """The mean total at both ends, and its change."""
    label, most = asked.instrument.domain_labels[OVERALL], asked.instrument.bounds[OVERALL][1]
    ends = _at_ends(asked, table, "mean", label)
    means, rows = [words.number(end["estimate"], 1) for end in ends], [end["row"] for end in ends]
    first = f"The mean total of {asked.subject}s was {means[0]} of {most:g} points in {asked.when(asked.ends[0])}"
    if len(ends) == 1:
        return Sentence(f"{first}.", rows=tuple(rows))
    now = f"{first} and is now {means[1]} in {asked.when(asked.ends[1])}"
    moved = row(table, "change", label)
    if moved is None:
        why = f"fewer than {LEAST_PAIRS} {asked.subject}s were scored at both, or all moved alike"
        return Sentence(f"{now}; not tested, for {why}.", rows=tuple(rows))
    places = words.decimals(moved["low"], moved["high"])
    text = (
        f"{now}; over the {moved['teams']} {asked.subject}s scored at both it is "
        f"{words.higher(moved['estimate'], places)} ({words.span(moved['low'], moved['high'], places)}, "
        f"{moved['interval']})."
    )
    return Sentence(text, rows=(*rows, moved["row"]))


def _most_to_be_had(asked: Totals, table: pd.DataFrame) -> list[Sentence]:
    """The factor with the most points still to be had at the last wave, or those with as many."""
    held = table[(table["what"] == "to be had") & (table["wave"] == asked.ends[-1]) & table["estimate"].notna()]
    best = held[held["estimate"].round(9) == held["estimate"].round(9).max()]
    if not best["estimate"].gt(0).any():
        return [Sentence("No factor has points still to be had.", rows=tuple(map(int, held.index)))]
    named = [f"{one.measure} ({words.number(one.estimate, 1)} of {one.most:g})" for one in best.itertuples()]
    return [Sentence(f"Most points are still to be had on {words.listed(named)}.", rows=tuple(map(int, best.index)))]


def _differed(asked: Totals, table: pd.DataFrame) -> list[Sentence]:
    """How far the totals of people of one team differ at both ends."""
    ends = _at_ends(asked, table, "spread", SPREAD)
    if not ends:
        return []
    said = [f"{words.number(end['estimate'], 1)} points in {asked.when(int(end['wave']))}" for end in ends]
    text = f"Totals of people of one {asked.subject} differ (standard deviation) by {words.listed(said)}"
    rows = [end["row"] for end in ends]
    moved = row(table, "spread change", SPREAD)
    if moved is not None:
        places = words.decimals(moved["low"], moved["high"])
        text += (
            f"; over the {moved['teams']} {asked.subject}s with two people or more at both that is "
            f"{words.higher(moved['estimate'], places)} ({words.span(moved['low'], moved['high'], places)}, "
            f"{moved['interval']})"
        )
        rows.append(moved["row"])
    return [Sentence(f"{text}.", rows=tuple(rows))]


def _marks(asked: Totals, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """The total, then each domain with its factors: points had at both ends, in % of the most there can be."""
    instrument = asked.instrument
    shown = [("mean", instrument.domain_labels[OVERALL], "Total")]
    for domain in instrument.domains:
        shown.append(("mean", domain.label, f"{domain.label}, all"))
        shown += [("to be had", item.text, item.text) for item in instrument.items if item.domain == domain.key]
    drawn: list[dict[str, Any]] = []
    for what, measure, name in shown:
        for wave in asked.ends:
            held = row(table, what, measure, wave)
            if held is None or pd.isna(held["estimate"]):
                continue
            had = held["estimate"] if what == "mean" else held["most"] - held["estimate"]
            called = f"{name} (of\N{NO-BREAK SPACE}{held['most']:g})"
            drawn.append({"mark": "point", "series": asked.when(wave), "x": called, "y": 100 * had / held["most"],
                          "n": held["n"], "row": held["row"]})  # fmt: skip
    drawn.append({"mark": "scale", "low": 0.0, "high": 100.0})
    return charts.marks(
        drawn,
        headline=headline,
        subtitle=f"{instrument.name}, mean over {asked.subject}s, {asked.programme.title}",
        x_axis="points had, in % of the most there can be (in brackets)",
    )


def _of_the_model(asked: Totals, table: pd.DataFrame) -> Iterator[Sentence]:
    """What the model itself leaves open: its purpose, its points, its bands, its steps."""
    instrument = asked.instrument
    if asked.subject in instrument.cautions:
        yield Sentence(instrument.cautions[asked.subject])
    scoring = [(item, word) for item in instrument.items for word, points in item.points.items() if points > 0]
    memory = sum(word not in item.points_verified for item, word in scoring)
    if memory:
        yield Sentence(
            f"The points of {words.of(memory, len(scoring))} letters that score are from memory and were not checked: "
            "totals may be off by as much as those are."
        )
    now = row(table, "mean", instrument.domain_labels[OVERALL], asked.ends[-1])
    if now is not None and now["band"]:
        yield Sentence(f"{_bands(asked, now)} No verdict is taken from a band.", rows=(now["row"],))
    yield from _steps(asked)
    yield Sentence(
        f"Diversity of opinion is here the standard deviation within {asked.subject}s: our formula, for that of its "
        "authors was not seen."
    )


def _bands(asked: Totals, now: dict[Any, Any]) -> str:
    """The band of the total now, and how far the bands can be relied on."""
    bands = asked.instrument.bands
    text = f"A total of {words.number(now['estimate'], 1)} lies in the band {now['band']!r}."
    if all(band.verified for band in bands):
        return text
    edges = "; ".join(f"from {band.from_score:g} {band.label!r}" for band in bands)
    return f"{text} The bands are unverified ({edges}). {' '.join(dict.fromkeys(band.source for band in bands))}"


def _steps(asked: Totals) -> Iterator[Sentence]:
    """Where the step to the best letter is worth the most, so that letters are not read as amounts."""
    tops = {item.text: sorted(item.points.values())[-2:] for item in asked.instrument.items}
    steps = sorted(((most - next_, name) for name, (next_, most) in tops.items()), reverse=True)
    if len(steps) > 2 and steps[1][0] > steps[2][0]:
        best = words.listed([f"{name} ({step:.1f} points)" for step, name in steps[:2]])
        yield Sentence(
            f"The step to the best letter, from the next, is worth the most on {best}; on the others it is worth "
            f"{steps[-1][0]:.1f} to {steps[2][0]:.1f}. Read points, not letters."
        )


def _of_the_answers(asked: Totals, table: pd.DataFrame, rivals: tuple[str, ...]) -> Iterator[Sentence]:
    """What the answers leave open: who they are, what was left out, what else went on."""
    if asked.rater == INSIDERS:
        yield Sentence(f"People scored their own {asked.subject}: a lower score may mean that they see more clearly.")
    for wave in asked.begun:
        held = row(table, "answered", UNSUMMED, wave)
        if held is not None and held["n"]:
            have = "has" if held["n"] == 1 else "have"
            text = f"{words.of(held['n'], held['out_of'])} sittings in {asked.when(wave)} {have} no total: a factor"
            yield Sentence(
                f"{text} was left out or not scored. Their subtotals count where whole.", rows=(held["row"],)
            )
    silent = [asked.when(wave) for wave in asked.begun if wave not in set(asked.own["wave"])]
    if silent:
        yield Sentence(f"No answer stands for {words.listed(silent)}: not asked, or asked in vain.")
    if len(asked.ends) == 2:
        yield Sentence(_joined(asked))
    if len(asked.elsewhere):
        sittings = asked.elsewhere.drop_duplicates(["respondent_id", "subject_kind", "subject_id", "rater", "wave"])
        yield Sentence(f"{words.counted(len(sittings), 'sitting')} left out: by other raters, about others than "
                       f"{asked.subject}s of the programme, looking back, or at no wave.")  # fmt: skip
    yield Sentence(f"These {asked.subject}s are not compared with others.")
    if rivals:
        yield Sentence(f"Also going on in the same time: {words.listed(list(rivals))}.")


def _joined(asked: Totals) -> str:
    """How far the people at both ends are the same; the change is one of teams' means either way."""
    first, last = (set(asked.own.loc[asked.own["wave"] == wave, "respondent_id"]) for wave in asked.ends)
    both = len(first & last)
    if both == len(first) == len(last):
        return "The same people answered at both ends."
    return f"{words.counted(both, 'person', 'people')} answered at both ends, the others at one of them."
