"""The words a meeting is asked in: what an answer with a verdict says, why it is uncertain, and the question."""

from __future__ import annotations

from evalkit.result import Result
from evalkit.terms import Level, Sign, Verdict

ASKS: dict[tuple[Level, Sign], str] = {
    (Level.INDIVIDUAL, Sign.WORKING): "What do people do differently now, and who else sees it?",
    (Level.INDIVIDUAL, Sign.NOT_WORKING): "What do they see, and what is in the way?",
    (Level.INDIVIDUAL, Sign.UNCERTAIN): "Is it too early, or is something in the way?",
    (Level.TEAM, Sign.WORKING): "What do we do together now that we did not before?",
    (Level.TEAM, Sign.NOT_WORKING): "Do we see it more clearly now, or has something come apart?",
    (Level.TEAM, Sign.UNCERTAIN): "Where do we see this differently from each other?",
    (Level.POPULATION, Sign.WORKING): "What else changed at the same time?",
    (Level.POPULATION, Sign.NOT_WORKING): "What else changed at the same time, and who could look into it?",
    (Level.POPULATION, Sign.UNCERTAIN): "What would we expect to move first, and do we count that?",
}
"""What is asked of a tested answer, by level and by how it looks."""
OF_THEMSELVES = "Do people see themselves more clearly now, or is something in the way?"
"""What is asked where leaders rate themselves lower: scores often dip as understanding grows."""
SMALLER = "Is that what we expected by now, and what would more look like?"
"""What is asked where any change is smaller than worthwhile."""
HOW_MUCH = "How much would we call worth having?"
"""What is asked where nobody agreed the smallest change worth having."""
NOT_AGREED = "No smallest worthwhile change"
"""How the reason of such a verdict begins."""
EARLY = "It is early, and it already looks worse."
SMALLER_STEP, LAST_STEP = 4, 8
"""Two steps of the verdict's rule (`verdict.RULES`): smaller than worthwhile, and otherwise."""


def of_tested(answer: Result, sign: Sign, lead: str) -> str:
    """The finding in its own words, why it is uncertain in plainer ones, and a question."""
    said = [f"{lead}{answer.headline}.", _why(answer, sign), _question(answer, sign)]
    return " ".join(text for text in said if text)


def _why(answer: Result, sign: Sign) -> str:
    """Why it is uncertain, shorter than the verdict's own reason; that it is early, where it looks worse anyway."""
    decided = answer.decided
    if sign is Sign.NOT_WORKING and answer.verdict is Verdict.TOO_EARLY:
        return EARLY
    if sign is not Sign.UNCERTAIN:
        return ""
    if answer.verdict is Verdict.TOO_EARLY:
        return f"{decided.why.partition(';')[0].rstrip('.')}."
    if answer.verdict is Verdict.UNCLEAR:
        return "It may be a gain worth having, or a loss that matters."
    if decided.step == SMALLER_STEP:
        return "Any change is smaller than was agreed to be worth having."
    if decided.step == LAST_STEP:
        if decided.why.startswith(NOT_AGREED):
            return "Nobody agreed how much would be worth having."
        return f"A {'gain worth having' if 'gain' in decided.why else 'loss that matters'} is still possible."
    return decided.why


def _question(answer: Result, sign: Sign) -> str:
    decided = answer.decided
    if sign is Sign.UNCERTAIN and answer.verdict is Verdict.NO_CLEAR_CHANGE:
        if decided.step == SMALLER_STEP:
            return SMALLER
        if decided.why.startswith(NOT_AGREED):
            return HOW_MUCH
    if answer.level is Level.INDIVIDUAL and sign is Sign.NOT_WORKING and answer.evidence.informants in ((), ("self",)):
        return OF_THEMSELVES
    return ASKS[answer.level, sign]


def of_months(answer: Result, last: str, any_out: bool) -> str:
    """What months that stand out, or none that does, give to ask. `last`: how the last month stands out, if it does."""
    if last:
        return f"{answer.headline}. What happened then, and is it worth a closer look?"
    if any_out:
        return f"{answer.headline}. Do the months that stand out tell us anything?"
    return f"{answer.headline}. Did we expect anything to show by now?"
