"""An author's markdown as safe HTML: one H1, no heading jumped, no raw HTML, nothing that leaves the page."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from evalkit.errors import Refused

if TYPE_CHECKING:
    from mistune import Markdown

TAGS = {"h2", "h3", "h4", "p", "ul", "ol", "li", "strong", "em", "code", "pre", "blockquote", "br", "hr"}
_HEADING = re.compile(r"<h([1-6])>(.*?)</h\1>", re.DOTALL)


def title_and_html(cells: list[str], name: str) -> tuple[str, list[str]]:
    """The H1's words, and each cell as safe HTML without it.

    Raises `Refused` unless there is exactly one H1, first of the headings, and no level is jumped.

    >>> title_and_html(["# Who took part?", "Read <b>on</b>."], "01.ipynb")
    ('Who took part?', ['', '<p>Read &lt;b&gt;on&lt;/b&gt;.</p>'])
    """
    pages = [str(_markdown()(cell)).strip() for cell in cells]
    found = _HEADING.findall("\n".join(pages))
    _refuse_bad_order([int(level) for level, _ in found], name)
    return _plain(found[0][1]), [_safe(_without_title(page)) for page in pages]


def _refuse_bad_order(levels: list[int], name: str) -> None:
    if levels.count(1) != 1 or levels[0] != 1:
        raise Refused(f"{name} needs exactly one H1 (a line beginning '# '), before any other heading: its question.")
    for before, after in pairwise(levels):
        if after > before + 1:
            raise Refused(f"{name} jumps from a heading of level {before} to level {after}; use level {before + 1}.")


def _without_title(page: str) -> str:
    return re.sub(r"<h1>.*?</h1>\s*", "", page, count=1, flags=re.DOTALL)


def _safe(page: str) -> str:
    import nh3

    return nh3.clean(page, tags=TAGS, attributes={}, url_schemes=set()).strip()


def _plain(inner: str) -> str:
    """A heading's words alone."""
    import html

    return html.unescape(re.sub(r"<[^>]+>", "", inner)).strip()


def _markdown() -> Markdown:
    """Raw HTML comes out as text; a link gives its words and its address; a picture gives its words."""
    from mistune import HTMLRenderer, create_markdown

    class Words(HTMLRenderer):  # type: ignore[misc]
        def link(self, text: str, url: str, title: str | None = None) -> str:
            from evalkit.html import escape

            return text if url in text else f"{text} ({escape(url)})"

        def image(self, text: str, url: str, title: str | None = None) -> str:
            return str(text)

    renderer: Any = Words(escape=True)
    return create_markdown(renderer=renderer)
