"""Are people leading differently? Questions about leaders, as they and others see them. One file a question.

Nothing here is about one leader: every answer is about the group, and no answer ranks anybody.
"""

from evalkit.individual.growth import growth
from evalkit.individual.seen_by_others import seen_by_others

__all__ = ["growth", "seen_by_others"]
