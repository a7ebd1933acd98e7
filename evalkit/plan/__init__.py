"""What can we hope to see, when, and at what cost to people's time? Questions to ask before there are data, and after.

Every question takes the numbers one has instead of a programme; with a programme it takes them from there. One file a
question.
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
