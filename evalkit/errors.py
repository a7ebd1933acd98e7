"""The three ways evalkit says no. Each says what was wrong, where, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 10
"""How many problems a message prints before it counts the rest."""


class DataProblems(ValueError):
    """The data break their own rules. `.table` lists every problem: file, row, column, value, problem, remedy.

    The message shows the first ten and counts the rest; a row is the number a spreadsheet shows.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table
        lines = [
            f"  {_where(problem)}: {problem.problem} {problem.remedy}" for problem in table.head(SHOWN).itertuples()
        ]
        rest = len(table) - SHOWN
        if rest > 0:
            lines.append(f"  … and {rest} more: see ek.check(folder), which lists them all.")
        found = "1 problem" if len(table) == 1 else f"{len(table)} problems"
        super().__init__(f"The data have {found}; nothing was loaded.\n" + "\n".join(lines))

    def _render_traceback_(self) -> list[str]:
        """Jupyter shows the problems, not the inside of the library."""
        return str(self).splitlines()


def _where(problem: Any) -> str:
    """The file, and as far as it is known the row, the column and what stands there."""
    places = [problem.file]
    if str(problem.row).isdigit():
        places.append(f"row {problem.row}")
    if problem.column:
        places.append(f"column {problem.column}")
    return ", ".join(places) + (f", {problem.value!r}" if problem.value else "")


class NotEnoughEvidence(ValueError):
    """A question these data cannot answer. Says what is missing and what would answer it.

    >>> raise NotEnoughEvidence("Are people leading differently?",
    ...     missing="Only one wave was answered.", would_answer="A second wave from the same people.")
    Traceback (most recent call last):
    evalkit.errors.NotEnoughEvidence: Are people leading differently? These data cannot say. Only one wave was answered. What would answer it: A second wave from the same people.
    """  # noqa: E501

    def __init__(self, question: str, *, missing: str, would_answer: str) -> None:
        self.question, self.missing, self.would_answer = question, missing, would_answer
        super().__init__(f"{question} These data cannot say. {missing} What would answer it: {would_answer}")

    def _render_traceback_(self) -> list[str]:
        """Jupyter shows the sentence, not the inside of the library."""
        return [str(self)]


class Refused(ValueError):
    """Something evalkit will not do, with the reason: show a person, publish a failed notebook, invent a claim."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]
