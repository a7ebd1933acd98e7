"""What was done, who took part, and what became of what was agreed? Logs and registers, counted in full. One file a
question.

Counted, never judged: an empty log is not recorded, never none, and nobody is ranked.
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
