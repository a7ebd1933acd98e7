"""Are organisations working better together? Questions about teams, places and the ties between organisations.

Scores exist to start a conversation: nothing here ranks places, teams or organisations. One file a question.
"""

from evalkit.team.bridging import bridging
from evalkit.team.maturity import maturity

__all__ = ["bridging", "maturity"]
