"""Is anything different for patients, citizens, staff and taxpayers? Questions about people's lives, in places.

Nothing here ranks places. A small number of places or months is said to be small, and what could be seen is said too.
One file a question.
"""

from evalkit.population.change import change

__all__ = ["change"]
