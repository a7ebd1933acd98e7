"""What was measured, and what was not: answers by level and step, with other people's findings counted beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import Parameter
from itertools import product
from typing import TYPE_CHECKING

import pandas as pd

from evalkit import charts, circumstances, questions, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import grade
from evalkit.kirkpatrick.cells import CELLS, LEVELS
from evalkit.kirkpatrick.found_by_others import BY_OTHERS, NOT_RERUN, found_by_others
from evalkit.result import About, Method, Result, Sentence
from evalkit.terms import Attribution, Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.programme import Programme

Beside = Mapping[tuple[Level | None, Step | None], int]
"""How many findings by others stand beside our answers, by level and step."""
METHOD = Method(
    name="Answers counted by level and step; blanks are shown, never filled",
    source="Kirkpatrick's four steps; three levels: The King's Fund, System leadership (2014)",
    assumes="A step says nothing about the next: liking is not learning, and learning is not doing.",
    design=Design.DESCRIBED,
)
ASKED = "kirkpatrick.coverage()"


def coverage(programme: Programme, results: Iterable[Result] | None = None) -> Result:
    """What was measured, and what was not?

    Takes the Results of the rooms, or asks the rooms itself when given none. A blank is a finding: it says that nobody
    knows, not that nothing happened. Never infers a later step from an earlier one. What others found fills no cell: it
    is counted beside our answers. Extras: n_of, answers (verdicts in words), by_others (findings, not re-run by us).

    >>> import evalkit as ek
    >>> coverage(ek.load("sample_data/salford")).question
    'What was measured, and what was not?'
    """
    answers = [*(results if results is not None else _ask(programme))]
    if len(programme.findings):
        answers.append(found_by_others(programme))
    held = Held(answers)
    return held.answer(circumstances.about(programme, ASKED, n=held.filled, of=len(held.cells), counts="cells"))


@dataclass(frozen=True, slots=True)
class Held:
    """Answers by level and step, and how many findings by others stand beside them."""

    answers: Sequence[Result]

    @property
    def cells(self) -> dict[tuple[Level, Step], list[Result]]:
        """Every combination of level and step with its answers, none where nobody asked."""
        return {
            (level, step): [a for a in self.answers if a.level is level and a.kirkpatrick is step]
            for level in LEVELS
            for step in Step
        }

    @property
    def filled(self) -> int:
        """How many combinations hold an answer."""
        return sum(1 for found in self.cells.values() if found)

    @property
    def others(self) -> Counter[tuple[Level | None, Step | None]]:
        """How many findings by others speak to each level and step: each is counted once, however often it is shown."""
        shown = [answer.table for answer in self.answers if answer.about.asked.startswith(BY_OTHERS)]
        told = {row["what"]: row["group"] for table in shown for row in table.to_dict("records")}
        return Counter(CELLS[group] for group in told.values())

    def on_one_page(self) -> Result:
        """The coverage of a page that was made of answers alone: it knows of the programme what they know."""
        about = replace(
            self.answers[0].about, asked=ASKED, n=self.filled, of=len(self.cells), counts="cells", beneficiary=""
        )
        return self.answer(about)

    def answer(self, about: About) -> Result:
        """What was measured, and what was not."""
        table = _table(self.cells, self.others)
        headline = Sentence(f"{self.filled} of {len(table)} cells hold an answer")
        return Result.of(
            question="What was measured, and what was not?",
            level=Level.SYNTHESIS,
            kirkpatrick=None,
            headline=headline,
            sentences=_sentences(table, self.filled),
            decided=described("A count of answers."),
            attribution=Attribution.CANNOT_TELL,
            table=table,
            marks=_marks(about.programme, self.cells, self.others, headline.text),
            chart=charts.named("grid"),
            method=METHOD,
            evidence=grade(Design.DESCRIBED),
            cautions=[Sentence("An answer in a cell says that the question was asked of data, not that it went well.")],
            about=about,
        )


def _ask(programme: Programme) -> list[Result]:
    """Every question of the three levels that these data can answer: of each instrument and measure they hold."""
    from evalkit import individual, population, team

    held = {"on": _answered(programme), "measure": sorted(programme.outcomes["measure"].unique())}
    found: list[Result] = []
    for room in (individual, team, population):
        for asked in questions.of_room(room).values():
            settings = questions.settings(asked)
            told = [name for name in settings if name in held]
            usual = [settings[name].default for name in told if settings[name].default is not Parameter.empty]
            each = [*product(*(held[name] for name in told))]
            if usual:  # what has its usual questionnaire is asked of that; where nobody answered it, of the first other
                found += _first(_of_each(programme, asked, told, [tuple(usual), *each]))
            else:
                found += _of_each(programme, asked, told, each)
    return found


def _of_each(
    programme: Programme, asked: questions.Question, told: list[str], each: Iterable[tuple[str, ...]]
) -> Iterator[Result]:
    """The answers there are: a blank cell is one too."""
    for names in each:
        try:
            yield asked(programme, **dict(zip(told, names, strict=True)))
        except NotEnoughEvidence:
            continue


def _first(answers: Iterator[Result]) -> list[Result]:
    return [answer for answer in (next(answers, None),) if answer is not None]


def _answered(programme: Programme) -> list[str]:
    """Instruments with answers or scores."""
    return sorted({*programme.responses["instrument"].unique(), *programme.scores["instrument"].unique()})


def _table(held: dict[tuple[Level, Step], list[Result]], others: Beside) -> pd.DataFrame:
    """A row a cell. `estimate` and `n` count answers. Extras: n_of, answers (verdicts in words), by_others."""
    return pd.DataFrame(
        [
            {"measure": LEVELS[level], "group": words.sentence_case(step.value), "estimate": float(len(found)),
             "low": float("nan"), "high": float("nan"), "interval": "none given", "n": len(found), "unit": "answers",
             "n_of": "answers", "answers": _verdicts(found, others.get((level, step), 0)),
             "by_others": others.get((level, step), 0)}
            for (level, step), found in held.items()
        ]
    ).astype({"n": "Int64", "by_others": "Int64"})  # fmt: skip


def _verdicts(found: Sequence[Result], others: int) -> str:
    """Each verdict once, in the order met, with how often where more than once; then what only others say."""
    times = Counter(answer.verdict.value for answer in found)
    said = [f"{verdict} ({n})" if n > 1 else verdict for verdict, n in times.items()] or ["not measured"]
    return "; ".join([*said, by_others(others)] if others else said)


def by_others(many: int) -> str:
    """So many findings of somebody else.

    >>> by_others(2)
    '2 findings by others (not re-run by us)'
    """
    return f"{words.counted(many, 'finding')} by others ({NOT_RERUN})"


def _sentences(table: pd.DataFrame, filled: int) -> list[Sentence]:
    alone = _cells_of(table[(table["n"] == 0) & (table["by_others"] > 0)])
    held = _cells_of(table[table["n"] > 0])
    said = [Sentence(f"{words.of(filled, len(table))} combinations of level and step hold an answer.")]
    if held:
        said.append(Sentence(f"Measured: {held}."))
    if alone:
        said.append(Sentence(f"Found by others alone, and {NOT_RERUN}: {alone}."))
    if held or alone:
        said.append(Sentence("Nobody knows about the rest."))
    return said


def _cells_of(rows: pd.DataFrame) -> str:
    return "; ".join(f"{row['measure'].lower()}, {row['group'].lower()}" for row in rows.to_dict("records"))


def _marks(programme: str, held: dict[tuple[Level, Step], list[Result]], others: Beside, headline: str) -> pd.DataFrame:
    rows = [
        {"mark": "cell", "series": LEVELS[level], "x": words.sentence_case(step.value), "y": float(len(found)),
         "row": place, "label": _label(found, others.get((level, step), 0))}
        for place, ((level, step), found) in enumerate(held.items())
    ]  # fmt: skip
    beside = f"; “others”: findings by others, {NOT_RERUN}" if others else ""
    return charts.marks(rows, headline=headline, subtitle=f"Levels and Kirkpatrick's steps, {programme}{beside}")


def _label(found: Sequence[Result], others: int) -> str:
    own = "\n".join(dict.fromkeys(answer.verdict.value for answer in found)) or "not measured"
    return f"{own}\nothers: {others}" if others else own
