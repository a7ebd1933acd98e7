"""What should we talk about now?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import grade
from evalkit.result import Method, Result, Sentence
from evalkit.signals import record, talk, wave
from evalkit.signals.talk import ORDER, Talk
from evalkit.terms import Attribution, Design, Level, Sign
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "What should we talk about now?"
METHOD = Method(
    name="Each answer's most pressing point, as a question for a meeting. " + talk.RULE,
    source="Saying what is and is not working: The King's Fund (2014), System leadership; scores exist to start a "
    "debate (section 5 there).",
    assumes="What stands in logs is what happened; two waves in a row tell less than the whole time.",
    design=Design.DESCRIBED,
)


MEETING_OF = {Level.STORY: Level.TEAM}
"""Whose meeting talks about what has none of its own in [plan.meetings]: what people tell us, the partners'."""


def review(programme: Programme, results: Iterable[Result] | None = None, *, since: date | None = None) -> Result:
    """What should we talk about now?

    Needs: anything. Takes the Results of the rooms, or asks the rooms itself when given none: of leaders at the last
    two waves, of the logs since the wave before this one closed (`since` sets another day). Each answer gives at most
    one thing, its most pressing, said as a question for the meeting `[plan.meetings]` names, never as an instruction. A
    log nobody kept is not recorded, which is something to talk about; no disagreement is a question, not a success.
    What an answer withholds from a team is not given here either. Errors: `NotEnoughEvidence` where there is nothing to
    look at.

    >>> import evalkit as ek
    >>> review(ek.load("sample_data/small_place")).question
    'What should we talk about now?'
    """
    begins = since or wave.since(programme)
    found, left_out = _found(programme, results, begins)
    rows = [talk.row_of(one, _meeting(programme, one.level)) for one in found]
    table = pd.DataFrame(rows).astype({"n": "Int64", "out_of": "Int64"})
    headline = Sentence(_headline(found))
    return Result.of(
        question=QUESTION,
        level=Level.NEXT,
        kirkpatrick=None,
        headline=headline,
        sentences=_sentences(programme, found, begins),
        decided=described("Things to talk about; nothing is tested here."),
        attribution=Attribution.CANNOT_TELL,
        table=table,
        marks=_marks(programme, found, headline.text, begins),
        chart=charts.named("placed"),
        method=METHOD,
        evidence=grade(Design.DESCRIBED),
        cautions=_cautions(programme, found, begins, left_out),
        about=circumstances.about(
            programme,
            f"signals.review({'' if since is None else f'since=date({since.year}, {since.month}, {since.day})'})",
            n=len(found), of=None, counts="things to talk about",
        ),
    )  # fmt: skip


def _found(programme: Programme, results: Iterable[Result] | None, begins: date | None) -> tuple[list[Talk], int]:
    """What there is to talk about, the most pressing first, and how much was left out to protect people."""
    answers = wave.answers(programme, begins) if results is None else list(results)
    if results is None and not answers:
        raise NotEnoughEvidence(
            QUESTION,
            missing="No question of any room can be answered with these data yet.",
            would_answer="a first wave of answers, or one of the logs, such as actions.csv or attendance.csv.",
        )
    given, left_out = talk.of_answers(programme, answers, begins)
    found = sorted([*given, *record.of_programme(programme, begins)], key=lambda one: ORDER.index(one.sign))
    blank = results is None and not given and all(one.sign is Sign.NOT_RECORDED for one in found)
    if blank or not found:  # logs that nobody kept are alone no review
        raise NotEnoughEvidence(
            QUESTION,
            missing="Nothing in these answers looks one way or the other.",
            would_answer="the answers of a room that compares two waves, or of the logs.",
        )
    return found, left_out


def _meeting(programme: Programme, level: Level) -> str:
    named = programme.plan.meetings.get(MEETING_OF.get(level, level).value)
    return named or f"No meeting is named for {talk.ABOUT[level]}"


def _headline(found: Sequence[Talk]) -> str:
    counts = {sign: sum(one.sign is sign for one in found) for sign in ORDER}
    return words.sentence_case(words.listed([f"{n} {sign.value}" for sign, n in counts.items() if n]))


def _sentences(programme: Programme, found: Sequence[Talk], begins: date | None) -> list[Sentence]:
    said = [Sentence(f"Looked at {_when(begins)}, to {words.day(programme.as_of)}: {_headline(found).lower()}.")]
    for sign, opening in ((Sign.NOT_WORKING, "Not working"), (Sign.WORKING, "Working")):
        named = [(at, one.measure) for at, one in enumerate(found) if one.sign is sign]
        if named:
            listed = "; ".join(f"{name[:1].lower()}{name[1:]}" for _, name in named)
            said.append(Sentence(f"{opening}: {listed}.", rows=tuple(at for at, _ in named)))
    return said


def _marks(programme: Programme, found: Sequence[Talk], headline: str, begins: date | None) -> pd.DataFrame:
    drawn: list[dict[str, Any]] = [
        {"mark": "column", "x": sign.value}
        for sign in (Sign.WORKING, Sign.UNCERTAIN, Sign.NOT_WORKING, Sign.NOT_RECORDED)
    ]
    drawn += [
        {
            "mark": "placed",
            "series": one.measure,
            "x": one.sign.value,
            "label": one.short,
            "row": at,
        }
        for at, one in enumerate(found)
    ]
    return charts.marks(drawn, headline=headline, subtitle=f"What to talk about, {programme.title}, {_when(begins)}")


def _when(begins: date | None) -> str:
    return "from the start" if begins is None else f"since {words.day(begins)}"


def _cautions(programme: Programme, found: Sequence[Talk], begins: date | None, left_out: int) -> list[Sentence]:
    said = ["How something looks on the way is not a verdict: two waves in a row tell less than the whole time."]
    if begins is None:
        said.append("There was no wave before this one, so nothing is set beside an earlier time.")
    held = {one.level for one in found}
    homeless = [
        about
        for level, about in talk.ABOUT.items()
        if level in held and not programme.plan.meetings.get(MEETING_OF.get(level, level).value)
    ]
    if homeless:
        said.append(f"No meeting is named in [plan.meetings] for {words.listed(homeless)}.")
    if left_out:
        more = words.sentence_case(words.counted(left_out, "more thing"))
        said.append(f"{more} to talk about would give away figures of too few people, and stays with the evaluator.")
    return [Sentence(text) for text in said]
