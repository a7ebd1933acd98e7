"""The words evalkit's answers are made of: closed vocabularies, used everywhere instead of strings."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """Where a finding lives: the three levels of the King's Fund paper, what feeds or joins them,
    what was planned, and what comes next."""

    INDIVIDUAL = "individual"
    TEAM = "team"
    POPULATION = "population"
    PROCESS = "process"
    STORY = "story"
    SYNTHESIS = "synthesis"
    PLAN = "plan"
    NEXT = "next"


class Step(StrEnum):
    """Kirkpatrick's four steps."""

    REACTION = "reaction"
    LEARNING = "learning"
    BEHAVIOUR = "behaviour"
    RESULTS = "results"


class Verdict(StrEnum):
    """What changed. Says nothing about why."""

    DESCRIBED = "described"
    NOT_MEASURABLE = "not measurable"
    TOO_EARLY = "too early to say"
    NO_CLEAR_CHANGE = "no clear change"
    IMPROVED = "improved"
    WORSENED = "worsened"
    ROSE = "rose"
    FELL = "fell"
    UNCLEAR = "unclear"
    MIXED = "mixed"


class Attribution(StrEnum):
    """Whether it was because of the programme, in the only words evalkit may use."""

    CANNOT_TELL = "cannot tell"
    CONSISTENT = "consistent with it"
    PLAUSIBLY_CONTRIBUTED = "plausibly contributed"
    DIFFERENCE = "difference from comparison"


class Design(StrEnum):
    """How a finding was come by, weakest first."""

    DESCRIBED = "described"
    BEFORE_AFTER = "before_after"
    INTERRUPTED = "interrupted"
    COMPARED = "compared"
    RANDOMISED = "randomised"


class Audience(StrEnum):
    """Who a copy of a result may be shown to, narrowest first."""

    EVALUATOR = "evaluator"
    TEAM = "team"
    COMMISSIONER = "commissioner"
    PUBLIC = "public"


class Sign(StrEnum):
    """How something looks on the way, so that it can be talked about in time: never a verdict."""

    WORKING = "working"
    NOT_WORKING = "not working"
    UNCERTAIN = "uncertain"
    NOT_RECORDED = "not recorded"
