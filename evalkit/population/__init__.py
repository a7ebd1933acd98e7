"""Is anything different for patients, citizens, staff and taxpayers? Questions about people's lives, in places.

Nothing here ranks places. A small number of places or months is said to be small, and what could be seen is said too.
One file a question.
"""

from typing import TYPE_CHECKING

from evalkit import questions

if TYPE_CHECKING:

    def __getattr__(name: str) -> questions.Question: ...


_asked = questions.of_folder(__name__, __path__)
globals().update(_asked)


def __dir__() -> list[str]:
    """What can be asked here, and nothing else: what a notebook offers after the dot."""
    return sorted(_asked)
