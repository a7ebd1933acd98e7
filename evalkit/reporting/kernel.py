"""What the kernel does between notebooks: forget the last one, and turn `NotEnoughEvidence` into a named blank."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from evalkit.errors import NotEnoughEvidence
from evalkit.reporting.blanks import MIME, Blank
from evalkit.result import MIME as RESULT
from evalkit.result import Result
from evalkit.terms import Level

ROOMS = {
    "individual": Level.INDIVIDUAL,
    "team": Level.TEAM,
    "population": Level.POPULATION,
    "process": Level.PROCESS,
    "stories": Level.STORY,
    "kirkpatrick": Level.SYNTHESIS,
    "plan": Level.PLAN,
    "signals": Level.NEXT,
}
"""The level of a question, by the room it was asked in."""


def prepare() -> None:
    """Run before each notebook: no names from the last, no failure where a question cannot be answered, no drawing."""
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    shell.reset(new_session=False)
    shell.set_custom_exc((NotEnoughEvidence,), publish)
    shell.display_formatter.mimebundle_formatter.for_type(Result, carried)


def carried(answer: Result, include: object = None, exclude: object = None) -> dict[str, Any]:
    """A Result as its JSON alone: the report draws it afterwards, in the copy its readers may see."""
    return {"text/plain": answer.reading, RESULT: answer.to_json()}


def publish(
    shell: Any, kind: type[BaseException], error: NotEnoughEvidence, trace: TracebackType | None, tb_offset: Any = None
) -> list[str]:
    """Show the blank where the answer would have stood."""
    blank = Blank(error.question, error.missing, error.would_answer, asked_in(trace))
    shell.display_pub.publish({"text/plain": str(error), MIME: blank.to_json()})
    return [str(error)]


def asked_in(trace: TracebackType | None) -> Level | None:
    """The level of the first room the call went through: the one the notebook asked."""
    while trace is not None:
        package, _, rest = str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")
        room = rest.partition(".")[0]
        if package == "evalkit" and room in ROOMS:
            return ROOMS[room]
        trace = trace.tb_next
    return None
