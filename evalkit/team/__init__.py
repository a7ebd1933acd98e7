"""Are organisations working better together? Questions about teams, places and the ties between organisations.

Scores exist to start a conversation: nothing here ranks places, teams or organisations. One file a question.
"""

from typing import TYPE_CHECKING

from evalkit import questions

if TYPE_CHECKING:

    def __getattr__(name: str) -> questions.Question: ...


globals().update(questions.of_folder(__name__, __path__))
