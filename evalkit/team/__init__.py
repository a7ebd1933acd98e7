"""Are organisations working better together? Questions about teams, places and the ties between organisations.

Scores exist to start a conversation: nothing here ranks places, teams or organisations. One file a question.
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
