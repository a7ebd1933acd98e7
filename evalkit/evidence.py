"""How sure: grades derived from the design of a finding, never typed in, and the table of rules behind them.

Maryland Scientific Methods Scale (What Works Centre for Local Economic Growth); Nesta Standards of Evidence
levels 1 to 3. Nesta 4 and 5 need replication and manuals, which no single evaluation has.
"""

from __future__ import annotations

from dataclasses import dataclass

from evalkit.terms import Attribution, Design, Verdict

CLEAR = (Verdict.IMPROVED, Verdict.WORSENED, Verdict.ROSE, Verdict.FELL, Verdict.MIXED)
"""Verdicts that state a change. Only a change can be asked why."""


@dataclass(frozen=True, slots=True)
class Grade:
    """One row of the printed rule: what a design earns, and what may be said of it."""

    design: str
    maryland: int | None
    nesta: int | None
    may_say: str


RULES: dict[str, Grade] = {
    "described": Grade("Described at one time, or without a legitimate test", 1, 1, "what was seen"),
    "before_after": Grade("The same people or places before and after, no comparison", 1, 2, "was X, is now Y"),
    "interrupted": Grade("One series before and after the start, no comparison", 1, 2, "was X, is now Y"),
    "comparability not shown": Grade(
        "Compared with others who may have differed from the start", 2, 2, "differed from comparison places by"
    ),
    "compared": Grade(
        "Before and after, with comparison shown to be alike before", 3, 3, "differed from comparison places by"
    ),
    "randomised": Grade("Places or people drawn by lot", 5, 3, "differed from comparison places by"),
    "said": Grade(
        "Stories, interviews and case studies",
        None,
        None,
        "not on these scales: judged by adequacy, coherence, relevance",
    ),
}
"""The table printed in every report under 'how sure'."""

ATTRIBUTION_RULES: tuple[tuple[Attribution, str], ...] = (
    (
        Attribution.DIFFERENCE,
        "The design compares with places or people outside the programme, and the two differed clearly.",
    ),
    (
        Attribution.PLAUSIBLY_CONTRIBUTED,
        "Every condition of contribution analysis holds: a plausible theory, carried out as planned, evidence at every "
        "link, rival explanations weighed. Only the contribution question may say so.",
    ),
    (
        Attribution.CONSISTENT,
        "A clear change without comparison, seen also by people outside the programme, and no rival explanation on the "
        "register.",
    ),
    (Attribution.CANNOT_TELL, "Everything else."),
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a finding rests on. Made by `grade`, from the design."""

    design: Design
    rule: str
    maryland: int | None
    nesta: int | None
    informants: tuple[str, ...]
    rivals: tuple[str, ...]

    @property
    def words(self) -> str:
        """The grade in one line.

        >>> grade(Design.BEFORE_AFTER, informants=("self",)).words
        'Maryland 1 of 5, Nesta 2 of 5; told by: self'
        """
        scales = (
            f"Maryland {self.maryland} of 5, Nesta {self.nesta} of 5"
            if self.maryland is not None
            else RULES["said"].may_say
        )
        told = f"; told by: {', '.join(self.informants)}" if self.informants else ""
        return f"{scales}{told}"


def grade(
    design: Design,
    *,
    comparison: bool = False,
    comparable: bool = False,
    said: bool = False,
    informants: tuple[str, ...] = (),
    rivals: tuple[str, ...] = (),
) -> Evidence:
    """The grade a design earns.

    `comparison`: an interrupted series has a comparison series. `comparable`: comparison places were shown to be
    alike before the start. `said`: interviews and stories, which these scales do not score.

    >>> grade(Design.COMPARED, comparable=True).maryland, grade(Design.COMPARED).maryland
    (3, 2)
    >>> grade(Design.INTERRUPTED).nesta
    2
    """
    if said:
        rule = "said"
    elif design is Design.COMPARED or (design is Design.INTERRUPTED and comparison):
        rule = "compared" if comparable else "comparability not shown"
    else:
        rule = design.value
    earned = RULES[rule]
    return Evidence(design, rule, earned.maryland, earned.nesta, informants, rivals)


def attribution(evidence: Evidence, verdict: Verdict, *, outside_agrees: bool = False) -> Attribution:
    """Whether it was because of the programme, by the printed rule.

    `outside_agrees`: people outside the programme saw the same change, clearly.

    >>> attribution(grade(Design.BEFORE_AFTER, informants=("self",)), Verdict.IMPROVED)
    <Attribution.CANNOT_TELL: 'cannot tell'>
    >>> attribution(grade(Design.COMPARED, comparable=True), Verdict.IMPROVED)
    <Attribution.DIFFERENCE: 'difference from comparison'>
    """
    if verdict not in CLEAR:
        return Attribution.CANNOT_TELL
    if evidence.rule in ("compared", "randomised", "comparability not shown"):
        return Attribution.DIFFERENCE
    if outside_agrees and not evidence.rivals and evidence.rule != "described":
        return Attribution.CONSISTENT
    return Attribution.CANNOT_TELL
