"""Are people leading differently? Questions about leaders, as they and others see them. One file a question.

Nothing here is about one leader: every answer is about the group, and no answer ranks anybody.
"""

from typing import TYPE_CHECKING

from evalkit import questions

if TYPE_CHECKING:

    def __getattr__(name: str) -> questions.Question: ...


globals().update(questions.of_folder(__name__, __path__))
