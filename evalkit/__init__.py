"""evalkit: evaluate system-leadership programmes in health and care.

Three questions, always shown together: are people leading differently? are organisations working better
together? is anything different for patients, citizens, staff and taxpayers?

    import evalkit as ek
    programme = ek.load("my_programme")
    ek.individual.growth(programme, on="system_leadership")

The front door is lazy: a room is imported when it is first entered.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from evalkit import individual as individual
    from evalkit import kirkpatrick as kirkpatrick
    from evalkit import plan as plan
    from evalkit import population as population
    from evalkit import process as process
    from evalkit import signals as signals
    from evalkit import stats as stats
    from evalkit import stories as stories
    from evalkit import team as team
    from evalkit.errors import DataProblems as DataProblems
    from evalkit.errors import NotEnoughEvidence as NotEnoughEvidence
    from evalkit.programme import Programme as Programme
    from evalkit.programme import check as check
    from evalkit.programme import load as load
    from evalkit.reporting import report as report
    from evalkit.result import Result as Result
    from evalkit.simulation import simulate as simulate

_FROM = {
    "load": "programme",
    "check": "programme",
    "Programme": "programme",
    "DataProblems": "errors",
    "NotEnoughEvidence": "errors",
    "Result": "result",
    "simulate": "simulation",
    "report": "reporting",
}
_ROOMS = ("individual", "team", "population", "process", "stories", "kirkpatrick", "plan", "signals", "stats")


def __getattr__(name: str) -> Any:
    if name in _FROM:
        return getattr(import_module(f"evalkit.{_FROM[name]}"), name)
    if name in _ROOMS:
        return import_module(f"evalkit.{name}")
    raise AttributeError(f"evalkit has no {name!r}. It offers: {', '.join(sorted([*_FROM, *_ROOMS]))}.")


def __dir__() -> list[str]:
    return sorted([*_FROM, *_ROOMS, "__version__"])
