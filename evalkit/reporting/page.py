"""The pages: one template, no script, nothing from outside; every word that comes from data is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from evalkit import __version__, evidence, html, verdict, words
from evalkit.disclosure import protect
from evalkit.kirkpatrick.coverage import ASKED, Held
from evalkit.reporting import grid
from evalkit.reporting.blanks import Blank
from evalkit.reporting.facts import NOT_RECORDED, Facts
from evalkit.reporting.notebooks import Prose, Told
from evalkit.result import Result
from evalkit.terms import Audience, Level

if TYPE_CHECKING:
    from jinja2 import Environment

PICTURES = 5
"""Small charts that one side of A4 holds."""
BLANKS = 4
"""Blanks that they hold beside them: the page has them all."""
SECTIONS: tuple[tuple[Level, str, str], ...] = (
    (Level.PROCESS, "took-part", "What was done and who took part"),
    (Level.INDIVIDUAL, "leaders", "Leaders"),
    (Level.TEAM, "organisations", "Organisations together"),
    (Level.POPULATION, "people", "Patients, citizens, staff, taxpayers"),
    (Level.STORY, "told", "What people tell us"),
    (Level.SYNTHESIS, "argument", "The argument"),
    (Level.PLAN, "planned", "What was planned, and what was done"),
    (Level.NEXT, "next", "What to talk about now, and what to watch"),
)
"""The order of the page after its first screen."""
OPEN = {Level.INDIVIDUAL: 5, Level.PROCESS: 3, Level.TEAM: 5, Level.PLAN: 1}
MOST = 1_000
"""How many answers of a section stand open; the rest are folded under their findings. Other sections stand open."""
LOGS = (Level.PROCESS, Level.PLAN, Level.NEXT)
"""Levels whose blanks are logs nobody kept: too many for paper, where what the three questions lack stands."""
ON_PAPER = (Level.PROCESS, Level.INDIVIDUAL, Level.TEAM, Level.POPULATION, Level.STORY)
"""Levels whose charts may stand on the two sides of paper."""


def report(
    facts: Facts,
    answers: Sequence[Result],
    audience: Audience,
    *,
    blanks: Sequence[Blank] = (),
    notebooks: Sequence[tuple[str, str]] = (),
    folder: str = "",
    handout: str = "",
) -> str:
    """The whole page. `answers` are the copies this audience may see; `notebooks` are (file, title) of the pages beside
    it, and `handout` the file of its two sides of paper; `folder` is what to type to make it again.
    """
    return _render(
        "report.html", facts=facts, answers=answers, blanks=blanks, audience=audience, notebooks=notebooks,
        folder=folder, handout=handout, asked=grid.first_screen(answers, blanks),
        sections=SECTIONS, argument=_argument(answers, audience),
    )  # fmt: skip


def _argument(answers: Sequence[Result], audience: Audience) -> list[Result]:
    """What joins the answers, what was measured and what was not among it though nobody asked for it."""
    joined = [answer for answer in answers if answer.level is Level.SYNTHESIS]
    if any(answer.about.asked == ASKED for answer in joined):
        return joined
    return [protect(Held(answers).on_one_page(), audience), *joined]


def handout(facts: Facts, answers: Sequence[Result], audience: Audience, *, blanks: Sequence[Blank] = ()) -> str:
    """Two sides of paper for a meeting: the first screen, then the pictures and the blanks."""
    asked = grid.first_screen(answers, blanks)
    return _render(
        "handout.html", facts=facts, answers=answers, audience=audience, asked=asked,
        shown=_for_paper(answers, asked),
        unanswered=_once([blank for blank in blanks if blank.level not in LOGS]),
    )  # fmt: skip


def _for_paper(answers: Sequence[Result], asked: Sequence[grid.Asked]) -> list[Result]:
    """As many answers as a side of paper holds: of each part of the page its primary, then its second, and so on."""
    parts = {level: [answer for answer in answers if answer.level is level] for level in ON_PAPER}
    parts |= {one.level: [*chain(*(row.answers for row in one.rows)), *chain(*(row.beside for row in one.rows))]
              for one in asked}  # fmt: skip
    turns = [answer for turn in zip_longest(*parts.values()) for answer in turn if answer is not None]
    return [answer for answer in answers if answer in turns[:PICTURES]]


def _once(blanks: Sequence[Blank]) -> list[Blank]:
    """The first blank of each question, those of the three questions first, as many as there is room for."""
    first = [*{blank.question: blank for blank in reversed(blanks)}.values()][::-1]
    asked = [question for _, question, _ in grid.QUESTIONS]
    held = sorted(first, key=lambda blank: blank.question not in asked)[:BLANKS]
    return [blank for blank in first if blank in held]


def notebook(facts: Facts, told: Told, audience: Audience) -> str:
    """One notebook's argument: its prose, its answers and its blanks, in the order written."""
    return _render("notebook.html", facts=facts, told=told, blocks=_together(told.blocks), audience=audience)


def _together(blocks: Sequence[Prose | Result | Blank]) -> list[Prose | Result | list[Blank]]:
    """The blocks in their order, blanks that follow one another as one."""
    found: list[Prose | Result | list[Blank]] = []
    for block in blocks:
        if not isinstance(block, Blank):
            found.append(block)
        elif found and isinstance(found[-1], list):
            found[-1].append(block)
        else:
            found.append([block])
    return found


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
        "picture": _picture,
        "sentences": lambda answer: [sentence.text for sentence in answer.parts[1]],
        "asked_why": {level for level, _, _ in grid.QUESTIONS},
        "verdict": lambda answer: Markup(html.verdict(answer.verdict)),
        "to_talk_about": lambda answer: Markup(html.to_talk_about(answer)),
        "quotes": lambda answer: Markup(html.quotes(answer)),
        "who_many": grid.who_many,
        "because": grid.because,
        "in_short": grid.in_short,
        "other_way": grid.other_way,
        "know_more": grid.know_more,
        "open_of": lambda level: OPEN.get(level, MOST),
        "took_part": grid.took_part,
        "could_test": grid.could_test,
        "kind": _kind,
        "rules": evidence.RULES,
        "attribution_rules": evidence.ATTRIBUTION_RULES,
        "verdict_rules": verdict.RULES,
        "mixed_rule": verdict.MIXED_RULE,
        "places_rule": verdict.PLACES_RULE,
        "rose_rule": verdict.ROSE_RULE,
        "version": __version__,
        "not_recorded": NOT_RECORDED,
    }
    pages.filters |= {"day": words.day, "sentence_case": words.sentence_case, "safe_prose": _prose}
    return pages


def draw(answers: Sequence[Result]) -> None:
    """Draw the charts of these answers ahead of the pages they stand on."""
    for answer in answers:
        _picture(answer)


@lru_cache(maxsize=256)
def _picture(answer: Result) -> Markup:
    """Each chart is drawn once, though it stands on three pages. A Result is frozen, so it cannot go stale."""
    return Markup(html.drawn(answer))


def _chart(answer: Result) -> Markup:
    return Markup(html.chart(answer, _picture(answer)))


def _kind(block: Prose | Result | Blank) -> str:
    return type(block).__name__.lower()


def _prose(block: Prose) -> Markup:
    """Prose was made safe when the notebook was read."""
    return Markup(block.html)
