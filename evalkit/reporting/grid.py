"""The first screen: three questions in their own words, what changed, and whether it was because of the programme."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from evalkit import words
from evalkit.disclosure import PEOPLE
from evalkit.evidence import CLEAR
from evalkit.kirkpatrick.coverage import Held, by_others
from evalkit.reporting.blanks import Blank
from evalkit.result import Result
from evalkit.terms import Attribution, Level, Verdict

QUESTIONS: tuple[tuple[Level, str, tuple[str, ...]], ...] = (
    (Level.INDIVIDUAL, "Are people leading differently?", ("leaders",)),
    (Level.TEAM, "Are organisations working better together?", ("organisations",)),
    (
        Level.POPULATION,
        "Is anything different for patients, citizens, staff and taxpayers?",
        ("patients", "citizens", "staff", "taxpayers"),
    ),
)
"""The three questions, and who each is asked about: every one has its row, answered or not."""

REASONS = {
    "described": "seen, not tested",
    "before_after": "no comparison",
    "interrupted": "one series, no comparison",
    "comparability not shown": "compared, but the others may have differed from the start",
    "compared": "compared with others alike before the start",
    "randomised": "drawn by lot",
    "said": "told by people, not compared",
}
"""Why no more can be said, by the rule of the evidence."""
NO_CHANGE = {
    Verdict.DESCRIBED: "seen, not tested",
    Verdict.TOO_EARLY: "too early to ask",
    Verdict.NOT_MEASURABLE: "not measurable here",
}
"""Why attribution is not asked at all."""

_TOPIC = {
    "leaders": ("of how people lead", "how people lead", "people lead differently"),
    "organisations": (
        "of how organisations work together",
        "how organisations work together",
        "organisations work better together",
    ),
    "patients": ("for patients", "how things are for patients", "anything is different for patients"),
    "citizens": ("for citizens", "how things are for citizens", "anything is different for citizens"),
    "staff": ("for staff", "how things are for staff", "anything is different for staff"),
    "taxpayers": ("for taxpayers", "how things are for taxpayers", "anything is different for taxpayers"),
}
_SAID = {
    Verdict.IMPROVED: "The main measure {of} improved.",
    Verdict.WORSENED: "The main measure {of} got worse.",
    Verdict.ROSE: "The main score {of} rose.",
    Verdict.FELL: "The main score {of} fell.",
    Verdict.MIXED: "What was found about {topic} points both ways.",
    Verdict.UNCLEAR: "It is unclear whether {whether}.",
    Verdict.NO_CLEAR_CHANGE: "There is no clear change in the main measure {of}.",
    Verdict.TOO_EARLY: "It is too early to say whether {whether}.",
    Verdict.DESCRIBED: "The data show {topic}, but cannot test a change.",
    Verdict.NOT_MEASURABLE: "These data cannot say whether {whether}.",
}


FIRST = 2
"""Answers a row shows on the first screen, which is one printed page: the primary and one beside it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the first screen: who the question is about, the answers to it (the primary first), what stands beside
    them without answering it (how people liked it, how a measure varies), and the blanks."""

    who: str
    answers: tuple[Result, ...]
    beside: tuple[Result, ...]
    blanks: tuple[Blank, ...]

    @property
    def shown(self) -> tuple[Result, ...]:
        """What has room on the first screen; what stands beside the answers only where there is none."""
        return self.answers[:FIRST] or self.beside[:1]

    @property
    def missing(self) -> tuple[Blank, ...]:
        """The first blank, where the question was not answered."""
        return () if self.answers else self.blanks[:1]

    @property
    def more(self) -> str:
        """How many answers and blanks stand further down only."""
        answers = len(self.answers) + len(self.beside) - len(self.shown)
        blanks = len(self.blanks) - len(self.missing)
        parts = [words.counted(answers, "more answer")] if answers else []
        parts += [f"{words.counted(blanks, 'question')} not answered"] if blanks else []
        return f"Further down: {words.listed(parts)}." if parts else ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One of the three questions with its rows. `blanks` are those that belong to no one row; `others` counts what
    somebody else found about it, which answers nothing."""

    question: str
    level: Level
    rows: tuple[Row, ...]
    blanks: tuple[Blank, ...]
    others: int = 0

    @property
    def missing(self) -> tuple[Blank, ...]:
        """The first of what could not be answered of no one row in particular."""
        return self.blanks[:1]

    @property
    def more(self) -> str:
        """How many more of these stand further down only."""
        blanks = len(self.blanks) - len(self.missing)
        return f"Further down: {words.counted(blanks, 'question')} not answered." if blanks else ""

    @property
    def by_others(self) -> str:
        """How many findings by others there are, marked as such; nothing where there are none."""
        if not self.others:
            return ""
        own = any(row.answers or row.beside for row in self.rows)
        return by_others(self.others) if own else f"Nothing of our own; {by_others(self.others)}"


def first_screen(answers: Sequence[Result], blanks: Sequence[Blank] = ()) -> tuple[Asked, ...]:
    """The three questions, always all of them; the first answer given to each is its primary one.

    Of a measure that was also set beside other places, that comparison answers, and its series alone stands beside it.
    """
    return tuple(_asked(level, question, who, answers, blanks) for level, question, who in QUESTIONS)


def _asked(
    level: Level, question: str, everyone: tuple[str, ...], answers: Sequence[Result], blanks: Iterable[Blank]
) -> Asked:
    mine = [answer for answer in answers if answer.level is level]
    unanswered = tuple(blank for blank in blanks if blank.level is level or blank.question == question)
    alone = len(everyone) == 1
    series = _series_alone(answers)

    def row(who: str) -> Row:
        own = [answer for answer in mine if alone or answer.about.beneficiary == who]
        to_it = [series.get(answer.about.asked, answer) for answer in own if answer.question == question]
        beside = [answer for answer in own if answer.question != question or answer.about.asked in series]
        return Row(who, tuple(dict.fromkeys(to_it)), tuple(beside), unanswered if alone else ())

    others = sum(many for (about, _), many in Held(answers).others.items() if about is level)
    return Asked(question, level, tuple(map(row, everyone)), () if alone else unanswered, others)


def _series_alone(answers: Sequence[Result]) -> dict[str, Result]:
    """What a series says by itself of a measure that was also set beside other places, with that comparison, which
    answers in its place. One that could test nothing takes nobody's place."""
    compared = [answer for answer in _asked_as("population.against(", answers) if could_test([answer])]
    return {answer.about.asked.replace("against", "change", 1): answer for answer in compared}


def because(answer: Result) -> str:
    """The attribution and one short reason, derived from the evidence."""
    if answer.attribution is not Attribution.CANNOT_TELL or answer.verdict in CLEAR:
        reason = REASONS[answer.evidence.rule]
        if answer.evidence.rivals:
            reason += f"; {words.counted(len(answer.evidence.rivals), 'other explanation')} not ruled out"
    else:
        reason = NO_CHANGE.get(answer.verdict, "no clear change to explain")
    return f"{words.sentence_case(answer.attribution.value)}: {reason}"


def who_many(answer: Result) -> str:
    """How many people of how many stand behind an answer; nothing where months or scores were counted."""
    about = answer.about
    if about.n is None or about.counts not in PEOPLE:
        return ""
    return f"{about.n:,} {about.counts}" if about.of is None else f"{words.of(about.n, about.of)} {about.counts}"


def in_short(asked: Sequence[Asked]) -> tuple[str, ...]:
    """A few plain sentences made from the verdicts and the blanks, and never a word of cause."""
    rows = [row for question in asked for row in question.rows]
    primaries = [(row.who, row.answers[0]) for row in rows if row.answers]
    if not any(row.answers or row.beside for row in rows):
        return ("None of the three questions could be answered with these data.",)
    told = [_of_row(row, question) for question in asked for row in question.rows if row.answers or row.beside]
    said = [sentence for sentence in told if sentence]
    untested = [row.who for question in asked for row in question.rows if row.beside and not _of_row(row, question)]
    said += [f"Whether {whether} was not tested; figures stand further down." for whether in _whether(untested)]
    said += [_was_it([answer for _, answer in primaries])] if primaries else []
    blank = [row.who for row in rows if not row.answers and not row.beside]
    if blank:
        said.append(f"Nothing was measured for {words.listed(blank)}.")
    return tuple(words.refuse_cause(sentence) for sentence in said)


def _whether(untested: Sequence[str]) -> list[str]:
    """What was not tested, those whose lives it is in one clause."""
    lives = [who for who in untested if who not in ("leaders", "organisations")]
    said = [_TOPIC[who][2] for who in untested if who not in lives]
    return [*said, f"anything is different for {words.listed(lives)}"] if lives else said


def _of_row(row: Row, question: Asked) -> str:
    """The primary answer's verdict; without one, whether the data were asked and could not say; else nothing."""
    if row.answers:
        return _said(row.who, row.answers[0].verdict)
    if row.blanks or question.blanks:
        return _said(row.who, Verdict.NOT_MEASURABLE)
    return ""


def _said(who: str, verdict: Verdict) -> str:
    of, topic, whether = _TOPIC[who]
    return _SAID[verdict].format(of=of, topic=topic, whether=whether)


def _was_it(primaries: Sequence[Result]) -> str:
    found = {answer.attribution for answer in primaries}
    if found == {Attribution.CANNOT_TELL}:
        return "Whether any of this was the programme, these data cannot tell."
    if Attribution.DIFFERENCE in found:
        return "At least one finding differed from places or people outside the programme."
    return "At least one finding is consistent with the programme; that is not proof."


def other_way(answers: Iterable[Result]) -> tuple[Result, ...]:
    """The findings that got worse, fell, or point both ways."""
    return tuple(answer for answer in answers if answer.verdict in (Verdict.WORSENED, Verdict.FELL, Verdict.MIXED))


def could_test(answers: Iterable[Result]) -> bool:
    """Whether any answer could have shown a change for the worse."""
    return any(answer.verdict not in (Verdict.DESCRIBED, Verdict.NOT_MEASURABLE) for answer in answers)


def took_part(answers: Iterable[Result]) -> tuple[Result, ...]:
    """The answer that says who took part, where it was asked."""
    return _asked_as("process.reach(", answers)[:1]


def know_more(answers: Sequence[Result]) -> tuple[str, ...]:
    """When more will be known: measure, month, threshold and owner where there is a list, else what is too early."""
    for watched in _asked_as("signals.watch_list(", answers):
        rows = watched.table.to_dict("records")
        return tuple(
            f"{row['measure']}: {'day not agreed' if pd.isna(row['read_on']) else words.month(row['read_on'])}, "
            f"{row['threshold']}; {row['owner']}."
            for row in rows
        )
    return tuple(answer.decided.why for answer in answers if answer.verdict is Verdict.TOO_EARLY)


def _asked_as(question: str, answers: Iterable[Result]) -> tuple[Result, ...]:
    return tuple(answer for answer in answers if answer.about.asked.startswith(question))
