"""What did people learn?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.evidence import attribution, grade
from evalkit.individual import ratings
from evalkit.individual.compared import compared, known_domain, scored
from evalkit.individual.families import Judged, apart, judged
from evalkit.individual.growth import NULLS, SEEN
from evalkit.individual.learnt import AGREE, BACK, CHANGE, LASTED, QUESTION, Learnt, cut, learnt, of_kind, table_of
from evalkit.individual.looking_back import INFLATED, said_with_interval
from evalkit.result import Method, Result, Sentence
from evalkit.stats import panel, power
from evalkit.stats.student import share
from evalkit.terms import Design, Level, Step
from evalkit.verdict import HEADLINE, LEAST_PAIRS, LEVEL, Decision, Other, decide, described

if TYPE_CHECKING:
    from evalkit.programme import Programme
    from evalkit.stats.panel import PanelChange

TWICE = Method(
    name="Change in each part between two waves from all answers given, with errors robust to how people and teams "
    "vary; the parts judged together by Holm",
    source="EM: Dempster, Laird and Rubin 1977; CR2: Pustejovsky and Tipton 2018; Holm 1979, Scandinavian Journal of "
    "Statistics 6(2), 65-70. The five parts: Kirkpatrick's second step (New World Kirkpatrick Model).",
    assumes="Whether people stopped answering may depend on what they answered before, not on what they would have "
    "answered; people (or teams, when known) are independent of each other.",
    design=Design.BEFORE_AFTER,
)
ONCE = Method(
    name="Share of people whose mean answer to each part is agreeing, with Wilson's interval",
    source="Wilson 1927, Journal of the American Statistical Association 22, 209-212. The five parts: Kirkpatrick's "
    "second step (New World Kirkpatrick Model).",
    assumes="Those who answered are like those who did not, and are independent of each other.",
    design=Design.DESCRIBED,
)


@dataclass(frozen=True, slots=True)
class _Told:
    """What the answers say, the parts judged together, and the part that was declared to decide ("" for none)."""

    found: Learnt
    judged: Judged
    declared: str

    @property
    def tested(self) -> dict[str, PanelChange]:
        """The changes that have an interval."""
        return {part: moved.tested for part, moved in self.found.moved.items() if moved.tested}

    @property
    def decides(self) -> bool:
        """Whether the part that was declared can decide."""
        return self.declared in self.tested

    def label(self, part: str) -> str:
        """A part in words."""
        return self.found.instrument.domain_labels[part]


def learning(
    programme: Programme,
    *,
    on: str = "learning",
    rater: str = "self",
    between: tuple[int, int] | None = None,
    confidence: float = 0.95,
) -> Result:
    """What did people learn?

    Needs: `responses` about persons on the instrument `on` (evalkit's own asks of knowledge, skill, attitude,
    confidence and commitment), at the start and the end. Asked at the end only, it is told how many agree (their mean
    answer is one of the two highest of the scale) and that nobody knows how they began. Self-report is no test of
    knowledge, and learning says nothing of doing. Everybody with any answer is used. The parts are judged together by
    Holm, in the families that `[plan.families]` declares; one that `[plan.primary]` declares (individual =
    "learning/knowledge") decides, else the answer is described. Looking back (timing then) stands beside, never
    instead; what lasted is read at the last follow-up (timing followup) after the end.
    Columns: n_of; what (change, change looking back, lasted; agree when asked once); mean_first, mean_last (looking
    back: of the start as seen now, and now); answered_first, answered_last, answered_both; agreed (how many); clear
    (higher or lower when judged together); tells (how few people the row would tell: it is withheld).
    Errors: `NotEnoughEvidence` without answers, or with answers at the start only; ValueError for an instrument or
    `between` there is not.

    >>> import evalkit as ek
    >>> learning(ek.load("sample_data/northmere")).table["measure"].iloc[0]
    'Knowledge'
    """
    share(confidence)
    instrument = scored(programme, on, QUESTION)
    declared = _declared(programme, on)
    order = list(dict.fromkeys([declared, *instrument.domain_labels] if declared else instrument.domain_labels))
    told = _judged(learnt(programme, instrument, rater, between, order, confidence), declared)
    table = table_of(told.found, told.judged.clear, confidence)
    method = TWICE if told.found.pair else ONCE
    evidence = grade(method.design, informants=(rater,), rivals=circumstances.rivals(programme))
    decided = _decided(told)
    headline = _headline(told, table, decided)
    pair = told.found.pair
    settings = {"on": on, "rater": rater, "between": (pair.first, pair.last) if pair else None}
    said = ", ".join(f"{name}={value!r}" for name, value in settings.items() if value is not None)
    return Result.of(
        question=ratings.QUESTION if declared else QUESTION,
        level=Level.INDIVIDUAL,
        kirkpatrick=Step.LEARNING,
        headline=headline,
        sentences=[*_sentences(told, table, decided), *_beside(told, table)],
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(told, table, headline.text, confidence),
        chart=charts.named("dots"),
        method=method,
        evidence=evidence,
        cautions=[*_of_self_report(told), *_of_these(told, table, decided, evidence.rivals)],
        about=circumstances.about(
            programme,
            f"individual.learning({said}, confidence={confidence})",
            n=_people(told),
            of=len(circumstances.taking_part(programme)) or None,
            counts="leaders",
        ),
        details=told.found,
    )


def _declared(programme: Programme, on: str) -> str:
    """The part that was declared beforehand to decide about leaders: by name, or the whole where there is one score."""
    name, _, domain = programme.plan.primary.get("individual", "").partition("/")
    instrument = programme.instruments[on]
    if name != on or not (domain or instrument.overall):
        return ""
    return known_domain(programme, instrument, None)


def _judged(found: Learnt, declared: str) -> _Told:
    """Which parts moved, judged together; a part that decides by itself is not judged with the others."""
    tested = {part: moved.tested for part, moved in found.moved.items() if moved.tested}
    if not tested:
        return _Told(found, Judged({}, {}, False, ()), declared)
    first = next(iter(tested.values()))
    # families.judged leaves out the first, which decides: where none does, an unnamed one stands in its place
    whole = tested if declared in tested else {"": first, **tested}
    return _Told(found, judged(found.programme, found.instrument, whole), declared)


def _decided(told: _Told) -> Decision:
    """The part that was declared decides, by the eight steps; anything else is described."""
    found, instrument = told.found, told.found.instrument
    if found.pair is None:
        return described("People were asked once: there is nothing to compare with.")
    if not told.declared:
        return described(f"No part of the {instrument.name} was declared beforehand as the one that counts.")
    if not told.decides:
        label = told.label(told.declared)
        return described(f"{label}: fewer than {LEAST_PAIRS} people answered twice, or all moved alike.")
    higher, pair = instrument.better == "higher", found.pair
    return decide(
        told.tested[told.declared],
        better=instrument.better,
        worthwhile=instrument.smallest_worthwhile_change,
        value_words=instrument.validated,
        described_as=ratings.few_teams(found.programme, pair.answers(told.declared).index),
        too_early=circumstances.too_early(
            found.programme, found.programme.plan.lag_months.get(instrument.id), pair.closes(pair.last)
        ),
        others=[
            Other(told.label(part), (told.tested[part].estimate > 0) == higher, p)
            for part, p in told.judged.adjusted.items()
        ],
        informant=_informant(told),
    )


def _informant(told: _Told) -> PanelChange | None:
    """The same change as the declared informant saw it, where one is declared and answered."""
    found, informant = told.found, told.found.programme.plan.informant
    if found.pair is None or not informant or informant == found.rater:
        return None
    ends = (found.pair.first, found.pair.last)
    try:
        others = compared(found.programme, found.instrument.id, informant, ends, QUESTION)
        answers, teams = others.answers(told.declared), others.teams(told.declared)
        return panel.available(answers, first=ends[0], last=ends[1], teams=teams, confidence=HEADLINE)
    except ValueError:  # they did not answer at both, or saw all move alike
        return None


def _people(told: _Told) -> int:
    """How many answered both times, or once: on the part most answered."""
    found = told.found
    counts = [moved.answered[2] for moved in found.moved.values()] or [one.n for one in found.agreed.values()]
    return max(counts)


def _whole(told: _Told, n: int) -> str:
    took_part = len(circumstances.taking_part(told.found.programme))
    return f"{words.of(n, took_part)} leaders" if took_part else words.counted(n, "leader")


def _ends(rows: dict[int, dict[str, Any]]) -> tuple[int, ...]:
    """The rows with the highest and the lowest figure; of equals the earlier; one where it is both."""
    ends = (end(rows, key=lambda at: float(rows[at]["estimate"])) for end in (max, min))
    return tuple(dict.fromkeys(ends))


def _headline(told: _Told, table: pd.DataFrame, decided: Decision) -> Sentence:
    found, moved, agreed = told.found, of_kind(table, CHANGE), of_kind(table, AGREE)
    by = "self-report" if found.rater == "self" else f"told by {words.raters(found.rater)}"
    if found.pair is None:
        return Sentence(f"Asked once: {_agreed(agreed)}, {by}", rows=_ends(agreed))
    if told.decides:
        change, scale = told.tested[told.declared], found.instrument.scale
        places = words.decimals(decided.low, decided.high)
        return Sentence(
            f"{told.label(told.declared)}: {words.higher(change.estimate, places)} on a scale of {scale.low:g} to "
            f"{scale.high:g} ({words.span(decided.low, decided.high, places)}), {by}",
            rows=(0,),
        )
    if not told.tested:
        parts = [f"{moved[at]['measure']} {words.higher(moved[at]['estimate'])}" for at in _ends(moved)]
        few = f"answered twice by {words.counted(_people(told), 'leader')}"
        return Sentence(f"{'; '.join(parts)}; {few}, {by}", rows=_ends(moved))
    ways = {way: [part for part, one in told.judged.clear.items() if one == way] for way in ("higher", "lower")}
    clear = "; ".join(
        f"clearly {way}: {words.listed([told.label(part) for part in parts])}" for way, parts in ways.items() if parts
    )
    if len(told.tested) == 1:
        text = f"{told.label(next(iter(told.tested)))}: {clear.partition(':')[0] or 'no clear change'}"
    else:
        text = f"Of {len(told.tested)} parts, {clear or 'none moved clearly'}"
    return Sentence(f"{text}, {by}", rows=tuple(moved))


def _agreed(rows: dict[int, dict[str, Any]]) -> str:
    """What most and fewest agree with, of how many."""
    of = [f"{rows[at]['measure']} ({words.of(rows[at]['agreed'], rows[at]['n'])})" for at in _ends(rows)]
    if len(rows) == 1:
        return f"so many agree on {of[0]}"
    return f"most agree on {of[0]}, fewest on {of[1]}" if len(of) > 1 else f"as many agree on each part as on {of[0]}"


def _sentences(told: _Told, table: pd.DataFrame, decided: Decision) -> Iterator[Sentence]:
    """Who answered, the parts that stand out, and which moved clearly."""
    found = told.found
    if found.pair is None:
        yield from _once(told, table)
        return
    moved, pair = of_kind(table, CHANGE), found.pair
    asked = max(moved[at]["n"] for at in moved)
    all_count = f"; all {asked} who answered at least once count" if told.tested else ""
    together = told.decides or len(told.judged.adjusted) > 1
    judged_too = [text for text, _ in apart(told.judged, found.instrument, [*found.moved])] if together else []
    who = (
        f"{_whole(told, _people(told))} answered the {found.instrument.name} in both {pair.when(pair.first)} and "
        f"{pair.when(pair.last)}{all_count}."
    )
    yield Sentence(" ".join([who, *judged_too]), rows=tuple(moved))
    named = {at: moved[at] for at in _ends(moved)}
    if told.decides:
        sure = {"low": decided.low, "high": decided.high, "interval": f"{HEADLINE:.0%} confidence"}
        named = {0: moved[0] | sure}
    said = [
        f"{row['measure']} was {words.number(row['mean_first'])} and is now {words.number(row['mean_last'])}, "
        f"{said_with_interval(row)}"
        for row in named.values()
    ]
    levels = [row["interval"].removesuffix(" confidence") for row in named.values() if not np.isnan(row["low"])]
    brackets = f"; in brackets the {levels[0]} interval" if levels else ""
    yield Sentence(f"{'; '.join(said)}{brackets}.", rows=tuple(named))


def _once(told: _Told, table: pd.DataFrame) -> Iterator[Sentence]:
    found, agreed = told.found, of_kind(table, AGREE)
    when = f" in {found.when(found.wave)}" if found.wave is not None else ""
    yield Sentence(
        f"{_whole(told, _people(told))} answered the {found.instrument.name} once, at the end{when}.",
        rows=tuple(agreed),
    )
    scale, least = found.instrument.scale, cut(found.instrument)
    answer = scale.labels.get(least) or scale.word(least)
    higher = "" if least == scale.high else " or higher"
    rows = _ends(agreed)
    shares = [
        f"{words.span(agreed[at]['low'], agreed[at]['high'], 0)}% on {agreed[at]['measure']}"
        for at in rows
        if not np.isnan(agreed[at]["low"])
    ]
    sure = f"; {agreed[rows[0]]['interval'].removesuffix(' confidence')} intervals: {words.listed(shares)}"
    yield Sentence(
        f"{words.sentence_case(_agreed(agreed))}{sure if shares else ''}. Who agrees has a mean answer of "
        f"“{answer}”{higher}.",
        rows=rows,
    )


def _beside(told: _Told, table: pd.DataFrame) -> Iterator[Sentence]:
    """Looking back, and what lasted."""
    found = told.found
    back, lasted = of_kind(table, BACK), of_kind(table, LASTED)
    if back:
        now = {row["measure"]: row["estimate"] for row in of_kind(table, CHANGE).values()}
        said = [
            f"{row['measure']} {words.number(row['estimate'])}"
            + (f" (at the time {words.number(now[row['measure']])})" if row["measure"] in now else "")
            for row in back.values()
        ]
        yield Sentence(
            f"Looking back at their start instead, the change is: {words.listed(said)}.",
            rows=(*(at for at, row in of_kind(table, CHANGE).items()), *back),
        )
    if lasted:
        said = [f"{row['measure']} {words.higher(row['estimate'])}" for row in lasted.values()]
        yield Sentence(f"By {found.when(found.later)}, since the end: {words.listed(said)}.", rows=tuple(lasted))


def _marks(told: _Told, table: pd.DataFrame, headline: str, confidence: float) -> pd.DataFrame:
    found = told.found
    named = {CHANGE: "", AGREE: "", BACK: ", looking back", LASTED: ", since the end"}
    drawn = table if found.pair else table[table["what"] == AGREE]
    rows: list[dict[str, Any]] = [
        {"mark": "point", "series": row["what"], "x": f"{row['measure']}{named[row['what']]}", "y": row["estimate"],
         "low": row["low"], "high": row["high"], "n": row["n"], "row": at}
        for at, row in drawn.to_dict("index").items()
    ]  # fmt: skip
    end = {"mark": "line", "y": 0.0, "label": "no change"} if found.pair else {"mark": "scale", "low": 0, "high": 100}
    some = "" if drawn["low"].isna().all() else f", with {confidence:.0%} intervals"
    first = f"{found.pair.when(found.pair.first)} to " if found.pair else ""
    return charts.marks(
        [*rows, end],
        headline=headline,
        subtitle=f"{found.instrument.name}, {ratings.rated(found.rater)}, {first}{found.when(found.wave)}".rstrip(", "),
        x_axis=f"points, later minus earlier{some}" if found.pair else f"% who agree{some}",
    )


def _of_self_report(told: _Told) -> Iterator[Sentence]:
    """What no answer of this kind can say."""
    if told.found.rater == "self":
        yield Sentence(
            "People say what they learnt; nobody tested it. What people say they know goes more with how they liked a "
            "course than with tests (Sitzmann and others 2010)."
        )
    yield Sentence("Learning says nothing of doing: whether people do otherwise at work is another question.")
    if told.found.pair is None:
        yield Sentence(
            "Asked at the end only: how much people knew or could when they began is not known, so this is no change."
        )
        if told.found.asked_before:
            yield Sentence(
                "Answers from before stand at no other wave, and are not used: give them a wave of their own."
            )
    else:
        yield Sentence("These leaders are not compared with others, who may have learnt as much elsewhere.")
    if told.found.back:
        yield Sentence(INFLATED)


def _of_these(told: _Told, table: pd.DataFrame, decided: Decision, rivals: tuple[str, ...]) -> Iterator[Sentence]:
    """What is particular to these answers."""
    found, moved = told.found, of_kind(table, CHANGE)
    if told.decides and decided.verdict in NULLS:
        yield Sentence(_could_be_seen([told.tested[told.declared]], HEADLINE), rows=(0,))
    if told.tested and not told.decides and not told.judged.clear:
        yield Sentence(_could_be_seen([*told.tested.values()], 1 - LEVEL / len(told.tested)), rows=tuple(moved))
    few = ratings.few_teams(found.programme, found.pair.answers(next(iter(found.moved))).index) if found.pair else ""
    if few:
        yield Sentence(few)
    untested = {at: row["measure"] for at, row in moved.items() if np.isnan(row["low"])}
    if untested:
        yield Sentence(
            f"No interval for {words.listed([*untested.values()])}: fewer than {LEAST_PAIRS} answered twice, or all "
            "moved alike.",
            rows=tuple(untested),
        )
    if found.lasted:
        yield Sentence("Whoever answered the follow-up may be those with whom most lasted.")
    if found.instrument.scale.evaluator_defined:
        name = found.instrument.name
        yield Sentence(f"{name} has no scale of its own: this one is the evaluator's, and not validated.")
    if rivals and found.pair:
        yield Sentence(f"Also going on in the same time: {words.listed(list(rivals))}.")


def _could_be_seen(changes: list[PanelChange], confidence: float) -> str:
    """How large a change would have been clear: nothing seen is not nothing there."""
    seen = [power.smallest_seen(one.se, one.df, power=SEEN, confidence=confidence) for one in changes]
    sizes = list(dict.fromkeys(words.number(size) for size in (min(seen), max(seen))))
    size = f"{' to '.join(sizes)} points or more{', by part,' if len(sizes) > 1 else ''}"
    return f"Only a change of {size} would have been clear in {100 * SEEN:.0f} of 100 such evaluations."
