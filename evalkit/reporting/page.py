"""The pages: one template, no script, nothing from outside; every word that comes from data is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from evalkit import __version__, evidence, html, verdict, words
from evalkit.reporting import grid
from evalkit.reporting.blanks import Blank
from evalkit.reporting.facts import NOT_RECORDED, Facts
from evalkit.reporting.notebooks import Prose, Told
from evalkit.result import Result
from evalkit.terms import Audience, Level

if TYPE_CHECKING:
    from jinja2 import Environment

SECTIONS: tuple[tuple[Level, str, str], ...] = (
    (Level.PROCESS, "took-part", "What was done and who took part"),
    (Level.INDIVIDUAL, "leaders", "Leaders"),
    (Level.TEAM, "organisations", "Organisations together"),
    (Level.POPULATION, "people", "Patients, citizens, staff, taxpayers"),
    (Level.STORY, "told", "What people tell us"),
    (Level.SYNTHESIS, "argument", "The argument"),
)
"""The order of the page after its first screen."""


def report(
    facts: Facts,
    answers: Sequence[Result],
    audience: Audience,
    *,
    blanks: Sequence[Blank] = (),
    notebooks: Sequence[tuple[str, str]] = (),
    folder: str = "",
) -> str:
    """The whole page. `answers` are the copies this audience may see; `notebooks` are (file, title) of the pages beside
    it; `folder` is what to type to make it again.
    """
    return _render(
        "report.html", facts=facts, answers=answers, blanks=blanks, audience=audience, notebooks=notebooks,
        folder=folder, asked=grid.first_screen(answers, blanks), levels=grid.steps(answers), sections=SECTIONS,
    )  # fmt: skip


def notebook(facts: Facts, told: Told, audience: Audience) -> str:
    """One notebook's argument: its prose, its answers and its blanks, in the order written."""
    return _render("notebook.html", facts=facts, told=told, audience=audience)


def first_screen(facts: Facts, answers: Sequence[Result]) -> str:
    """The grid alone, for a notebook."""
    return _render("first_screen.html", facts=facts, answers=answers, asked=grid.first_screen(answers), blanks=())


def _render(template: str, **given: Any) -> str:
    return _environment().get_template(template).render(**given)


@cache
def _environment() -> Environment:
    """The templates, with autoescape on and an unknown name an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    pages = Environment(
        loader=PackageLoader("evalkit.reporting"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    pages.globals |= {
        "chart": _chart,
        "sentences": lambda answer: [sentence.text for sentence in answer.parts[1]],
        "asked_why": {level for level, _, _ in grid.QUESTIONS},
        "verdict": lambda answer: Markup(html.verdict(answer.verdict)),
        "quotes": lambda answer: Markup(html.quotes(answer)),
        "who_many": grid.who_many,
        "because": grid.because,
        "in_short": grid.in_short,
        "other_way": grid.other_way,
        "not_yet": grid.not_yet,
        "tested": grid.tested,
        "steps": grid.STEPS,
        "kind": _kind,
        "rules": evidence.RULES,
        "attribution_rules": evidence.ATTRIBUTION_RULES,
        "verdict_rules": verdict.RULES,
        "mixed_rule": verdict.MIXED_RULE,
        "rose_rule": verdict.ROSE_RULE,
        "version": __version__,
        "not_recorded": NOT_RECORDED,
    }
    pages.filters |= {"day": words.day, "sentence_case": words.sentence_case, "safe_prose": _prose}
    return pages


@lru_cache(maxsize=64)
def _chart(answer: Result) -> Markup:
    """Each chart is drawn once, though it stands on two pages. A Result is frozen, so it cannot go stale."""
    return Markup(html.chart(answer))


def _kind(block: Prose | Result | Blank) -> str:
    return type(block).__name__.lower()


def _prose(block: Prose) -> Markup:
    """Prose was made safe when the notebook was read."""
    return Markup(block.html)
