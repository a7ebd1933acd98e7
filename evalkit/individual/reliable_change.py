"""How many leaders changed by more than error of measurement?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS
from evalkit.evidence import attribution, grade
from evalkit.individual import counted_rows, ratings
from evalkit.individual.beyond_error import DOUBTS, NAMES, QUESTION, SOURCES, SURE, counted, measured, method_of
from evalkit.individual.compared import compared, known_domain, usual
from evalkit.individual.counted_rows import ENDS, MEASUREMENT, OTHER, THIS, ways
from evalkit.individual.groups import ARM
from evalkit.individual.own_reliability import FEW, LEAST
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats.student import share
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.individual.beyond_error import Counted
    from evalkit.programme import Programme

WHY = "Leaders are counted by a rule; whether all of them together changed is another question (growth)."
ASSUMES = (
    "Leaders' scores carry one error of measurement, the same at both waves and for everybody; the reliability and the "
    "spread are those of these leaders; leaders are independent of each other."
)
CROWDED = 0.25
"""Above this share of leaders too near the better end to be counted as better, that is said (a judgement)."""
TOLD_GROUPS = 6
"""So many groups are named in a sentence; more stand in the table only."""


def reliable_change(
    programme: Programme,
    *,
    on: str | None = None,
    rater: str = "self",
    domain: str | None = None,
    reliability: float | None = None,
    reliability_from: str = "",
    method: str | None = None,
    by: str | None = None,
    between: tuple[int, int] | None = None,
    confidence: float = 0.95,
) -> Result:
    """How many leaders changed by more than error of measurement?

    Needs: `responses` about persons on the instrument `on`, at two waves. `method` is the one that `[plan]
    reliable_change` declares, else jacobson_truax; the other five stand in the table. `reliability` with its source,
    `reliability_from` (retest before alpha); without, alpha of the programme's own answers at the first wave, the
    stratified one of a whole of domains. The spread is that of everybody rated at the first wave. A few are counted
    where nobody changed (expected_false), many more where leaders were chosen for low scores. `by` as in `growth`;
    `confidence` is that of Wilson's intervals, while a change counts beyond 1.96 errors whatever it is.
    Columns: n_of; what (counted, other method, other reliability: at the ends of its interval, measurement); class
    (better, neither, worse); method; reliability; threshold (points); expected_false; raters (people who rated, at the
    wave with fewer); why_not (a method that cannot be used); tells; out_of (leaders of the group rated at both waves).
    Errors: `NotEnoughEvidence` without two linked waves, with a reliability below .70, or where the answers tell none
    (one question, under ten complete forms); ValueError for a method, domain, `by` or `between` there is not.

    >>> import evalkit as ek
    >>> int(reliable_change(ek.load("sample_data/northmere")).table["out_of"].iloc[0])
    104
    """
    share(confidence)
    asked = compared(programme, usual(programme, on), rater, between, QUESTION)
    wanted = known_domain(programme, asked.instrument, domain)
    chosen = method_of(method, programme.plan.reliable_change)
    known = measured(asked, wanted, reliability, reliability_from, confidence)
    held = counted(asked, wanted, chosen, known, by)
    table = counted_rows.table(held, confidence)
    evidence = grade(Design.BEFORE_AFTER, informants=(rater,), rivals=circumstances.rivals(programme))
    decided = described(WHY)
    headline = _headline(held, table)
    told = {"on": asked.instrument.id, "rater": rater, "domain": domain, "reliability": reliability,
            "reliability_from": reliability_from or None, "method": method, "by": by,
            "between": (asked.first, asked.last)}  # fmt: skip
    said = ", ".join(f"{name}={value!r}" for name, value in told.items() if value is not None)
    return Result.of(
        question=QUESTION,
        level=Level.INDIVIDUAL,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(held, table, confidence),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(held, table, headline.text),
        chart=charts.named("dots"),
        method=Method(
            f"Single leaders by {NAMES[chosen]}: a change beyond 1.96 errors; counts with Wilson's interval",
            f"{SOURCES[chosen]}. Wilson 1927, Journal of the American Statistical Association 22, 209-212.",
            ASSUMES,
            Design.BEFORE_AFTER,
        ),
        evidence=evidence,
        cautions=_cautions(held, table),
        about=circumstances.about(
            programme,
            f"individual.reliable_change({said})",
            n=held.found.n,
            of=len(circumstances.taking_part(programme)) or None,
            counts="leaders",
        ),
        details=held.found,
    )


def _at(table: pd.DataFrame, *classes: str, group: str = ALL, what: str = THIS) -> tuple[int, ...]:
    """The rows of these classes."""
    held = table[(table["what"] == what) & (table["group"] == group) & table["class"].isin(classes)]
    return tuple(int(row) for row in held.index)


def _headline(held: Counted, table: pd.DataFrame) -> Sentence:
    """Both directions where both may be shown, so that the copy of whoever may not see one still says the other."""
    better, worse = (_at(table, one)[0] for one in ("better", "worse"))
    kept = [row for row in (better, worse) if pd.isna(table[TELLS][row])] or [better, worse]
    said = [
        f"{table['n'][row]} of {held.found.n} leaders {_rated(held, way)} by more than error of measurement"
        for row, way in zip((better, worse), ways(held), strict=True)
        if row in kept
    ]
    if len(said) == 2:
        said[1] = f"{table['n'][worse]} {ways(held)[1]}"
    false = _falsely(held, " each way" if len(said) == 2 else "")
    text = "; ".join([", ".join(said), *([false] if false else [])])
    return Sentence(text, rows=tuple(kept))


def _rated(held: Counted, way: str, on: str = "") -> str:
    """Who rated leaders so, and on what."""
    rater = held.asked.rater
    told = f"{way}{on and f' on {on}'}"
    return f"rated themselves {told}" if rater == "self" else f"were rated {told} by {words.raters(rater)},"


def _falsely(held: Counted, each: str = "") -> str:
    """How many would be counted either way if nobody had changed; nothing where the method promises no such number."""
    if held.found.expected_false is None:
        return ""
    expected = held.found.expected_false
    return f"{'under 1' if expected < 1 else f'about {round(expected)}'}{each} if nobody had changed"


def _named(held: Counted) -> str:
    """The instrument; its domain too, where that is not the whole."""
    instrument = held.asked.instrument
    whole = held.domain == ratings.main_domain(instrument)
    return f"the {instrument.name}" if whole else f"{held.label} ({instrument.name})"


def _sentences(held: Counted, table: pd.DataFrame, confidence: float) -> list[Sentence]:
    asked = held.asked
    better, neither, worse = (_at(table, one)[0] for one in ("better", "neither", "worse"))
    up, down = ways(held)
    n = {row: int(table["n"][row]) for row in (better, neither, worse)}
    false = _falsely(held, " would be")
    return [
        Sentence(
            f"From {asked.when(asked.first)} to {asked.when(asked.last)}, {words.of(n[better], held.found.n)} leaders "
            f"{_rated(held, up, _named(held))} by more than error of measurement{_sure(table, better, confidence)}."
            f"{f' {words.sentence_case(false)}.' if false else ''}",
            rows=(better,),
        ),
        Sentence(
            f"{n[worse] or 'None'} {'was' if n[worse] == 1 else 'were'} {down} by as much"
            f"{_sure(table, worse, confidence)}{f'; again {false}' if false else ''}. "
            f"The other {n[neither]} moved by less, or not at all.",
            rows=(worse, neither),
        ),
        _rests_on(held, table),
        *_by_group(held, table),
    ]


def _sure(table: pd.DataFrame, row: int, confidence: float) -> str:
    """A share and its interval, in brackets."""
    share, low, high = (words.number(float(table[end][row]), 0) for end in ("estimate", "low", "high"))
    if table["interval"][row] == "none given":
        return f" ({share}%)"
    return f" ({share}%, between {low}% and {high}%, {confidence:.0%} interval)"


def _rests_on(held: Counted, table: pd.DataFrame) -> Sentence:
    """The rule, whether it was declared, and the reliability and spread it was worked out from."""
    asked, known = held.asked, held.measured
    planned = asked.programme.plan.reliable_change
    if planned == held.method:
        declared = "declared beforehand"
    elif planned:
        declared = f"not that declared beforehand, of {NAMES[method_of(planned, '')]}"
    else:
        declared = "not declared beforehand"
    smallest = held.found.threshold
    counts_from = (
        "how large a change counts hangs on where a leader began"
        if smallest is None
        else f"a change counts beyond {words.number(smallest)} points on a scale of {asked.instrument.scale.low:g} to "
        f"{asked.instrument.scale.high:g}"
    )
    source = f"{words.number(known.reliability)}, from {known.source}" if known.own is None else known.own.words
    return Sentence(
        f"By the rule of {NAMES[held.method]}, {declared}, {counts_from}. It rests on a reliability of {source} and a "
        f"spread of {words.number(known.sd)} points, {asked.when(asked.first)}.",
        rows=tuple(int(row) for row in table.index[table["what"] == MEASUREMENT]),
    )


def _by_group(held: Counted, table: pd.DataFrame) -> Iterator[Sentence]:
    """Each group with its own number of leaders, in the order of the alphabet: nobody is ranked."""
    if not 0 < len(held.groups) <= TOLD_GROUPS:
        return
    assert held.by is not None
    up, down = ways(held)
    said = [
        f"{name} {better} {up} and {worse} {down} of {better + same + worse}"
        for name, (better, same, worse) in held.groups.items()
    ]
    rows = tuple(row for name in held.groups for row in _at(table, "better", "worse", group=name))
    yield Sentence(f"By {words.plain(held.by)}: {'; '.join(said)}.", rows=rows)


def _marks(held: Counted, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """The three classes of everybody; by group, who moved in either direction."""
    asked, (up, down) = held.asked, ways(held)
    way = {"better": up, "worse": down} if held.groups else {"better": up, "neither": "", "worse": down}
    drawn = table[(table["what"] == THIS) & table["class"].isin(list(way))]
    rows: list[dict[str, Any]] = [
        {"mark": "point", "series": row["class"], "y": row["estimate"], "low": row["low"], "high": row["high"],
         "n": row["n"], "row": at,
         "x": f"{'all leaders' if row['group'] == ALL else row['group']}: {way[row['class']]}" if held.groups
         else words.sentence_case(row["measure"].removeprefix(f"{held.label}: "))}
        for at, row in drawn.to_dict("index").items()
    ]  # fmt: skip
    if held.found.expected_false is not None:
        rows.append({"mark": "line", "y": 100 * (1 - SURE) / 2, "label": "either way, if nobody had changed"})
    sure = "" if table["interval"].iloc[0] == "none given" else f", {table['interval'].iloc[0].split()[0]} intervals"
    beyond = ", beyond error of measurement" if held.groups else ""
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"{words.sentence_case(_named(held).removeprefix('the '))}, {ratings.rated(asked.rater)}, "
        f"{asked.when(asked.first)} to {asked.when(asked.last)}{beyond}",
        x_axis=f"% of leaders rated at both{sure}",
    )


def _cautions(held: Counted, table: pd.DataFrame) -> list[Sentence]:
    """What would mislead, the main doubt first."""
    asked, instrument = held.asked, held.asked.instrument
    said = [
        Sentence(
            "Were leaders chosen for low scores, scores rise by themselves, and far more are counted though nobody "
            "changed."
        ),
        *_of_the_reliability(held),
        *_of_the_rule(held),
        *_of_the_others(held, table),
    ]
    if held.by != ARM:
        said.append(Sentence("These leaders are not compared with others: as many elsewhere may have changed."))
    once = held.found.n_incomplete
    if once >= asked.programme.minimum_group:
        said.append(Sentence(f"{once} more leaders were not rated at both waves, and are not counted."))
    elif once:
        said.append(Sentence("Leaders not rated at both waves are not counted."))
    if asked.rater == "self":
        said.append(Sentence("People rated themselves; ratings often dip as understanding grows, whatever they do."))
    if instrument.better == "lower":
        said.append(Sentence(f"On the {instrument.name} lower is the better end."))
    if instrument.scale.evaluator_defined:
        said.append(
            Sentence(f"The {instrument.name} has no scale of its own: this one is the evaluator's, and not validated.")
        )
    rivals = circumstances.rivals(asked.programme)
    if rivals:
        said.append(Sentence(f"Also going on in the same time: {words.listed(list(rivals))}."))
    return said


def _of_the_reliability(held: Counted) -> Iterator[Sentence]:
    """How far the error of measurement itself is known."""
    known, own = held.measured, held.measured.own
    if own is None:
        yield Sentence(
            f"The reliability, from {known.source}, holds here only if leaders differ as much as people there."
        )
    else:
        yield Sentence(
            "The reliability is from answers given at one time. From day to day people answer less alike: by a "
            "test-retest study usually fewer are counted."
        )
        if own.low < LEAST:
            yield Sentence(f"The reliability may lie below {LEAST:.2f}, where nobody should be counted.")
    if known.n < FEW or (own is not None and own.n < FEW):
        yield Sentence(f"Fewer than {FEW} leaders tell the spread or the reliability: both are unsteady.")
    if held.asked.rater != "self":
        yield Sentence("That another person may rate the same leader otherwise is not in this error.")


def _of_the_rule(held: Counted) -> Iterator[Sentence]:
    """What this rule does with groups that all move, and who had no room to move."""
    smallest, instrument = held.found.threshold, held.asked.instrument
    if held.method in DOUBTS:
        yield Sentence(DOUBTS[held.method])
    if smallest is None:
        return
    if smallest <= 0:
        yield Sentence("By this rule even leaders whose score did not move are counted: look at another.")
    low, high = instrument.bounds[held.domain]
    began = held.found.people["before"]
    room = high - began if instrument.better == "higher" else began - low
    if (room <= smallest).mean() > CROWDED:
        yield Sentence("Over a quarter of leaders began so near the better end that no later score could have counted.")


def _of_the_others(held: Counted, table: pd.DataFrame) -> Iterator[Sentence]:
    """How far the count hangs on the rule, and on the reliability; both stand in the table."""
    up, _ = ways(held)
    for what, of in ((OTHER, "By the other rules"), (ENDS, "At the ends of the reliability's interval")):
        told = table.loc[[*_at(table, "better", what=what)]].dropna(subset="n").sort_values(TELLS, na_position="first")
        if told.empty:
            continue
        ends = [told.index[told["n"] == told["n"].agg(end)][0] for end in ("min", "max")]  # one to be shown, of equals
        least, most = (int(table["n"][row]) for row in ends)
        many = f"{least}" if least == most else f"between {least} and {most}"
        text = f"{of}, {many} of {held.found.n} leaders would be counted as {up}."
        yield Sentence(text, rows=tuple(dict.fromkeys(map(int, ends))))
