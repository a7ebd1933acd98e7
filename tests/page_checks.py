"""What every page must have: asked of the HTML itself, because a checker of rules does not see a placeholder."""

from __future__ import annotations

import re
from itertools import pairwise

from bs4 import BeautifulSoup, Tag

LEAST_ALT = 40
"""Letters: a chart's words say what it shows, which no placeholder does."""
PLACEHOLDER = re.compile(r"no description|figure size|alt text|placeholder|\.(?:png|svg|jpe?g|gif)\b", re.IGNORECASE)
"""What programs write where a description should stand; the first is nbconvert's, and long enough to look like one."""


def faults(page: str) -> list[str]:
    """Everything wrong with a page, in words; empty when it may be published."""
    soup = BeautifulSoup(page, "html.parser")
    return [*_head(soup), *_order(soup), *_pictures(soup), *_tables(soup), *_leaks(soup, page)]


def text(page: str) -> str:
    """The words a reader meets, descriptions of pictures included."""
    soup = BeautifulSoup(page, "html.parser")
    return " ".join([soup.get_text(" "), *(str(img["alt"]) for img in soup.find_all("img"))])


def _head(soup: BeautifulSoup) -> list[str]:
    found = []
    html = soup.find("html")
    if not isinstance(html, Tag) or html.get("lang") != "en-GB":
        found.append("the page is not marked en-GB")
    if soup.title is None or not soup.title.get_text(strip=True):
        found.append("no title")
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})
    if not isinstance(policy, Tag) or "default-src 'none'" not in str(policy["content"]):
        found.append("no content security policy")
    first_link = soup.find("a")
    if not isinstance(first_link, Tag) or soup.find(id=str(first_link["href"]).lstrip("#")) is None:
        found.append("the first link does not skip to the answers")
    found += [f"no <{name}>" for name in ("header", "main", "footer") if len(soup.find_all(name)) != 1]
    return found


def _order(soup: BeautifulSoup) -> list[str]:
    levels = [int(heading.name[1]) for heading in soup.find_all(re.compile(r"^h[1-6]$"))]
    found = [] if levels.count(1) == 1 and levels[0] == 1 else ["not exactly one H1, first"]
    found += [f"a heading jumps from {before} to {after}" for before, after in pairwise(levels) if after > before + 1]
    ids = [tag["id"] for tag in soup.find_all(id=True)]
    return found + [f"id {name!r} twice" for name in {str(i) for i in ids if ids.count(i) > 1}]


def _pictures(soup: BeautifulSoup) -> list[str]:
    alts = [str(img.get("alt", "")) for img in soup.find_all("img")]
    found = [f"a picture without words: {alt!r}" for alt in alts if len(alt) < LEAST_ALT or PLACEHOLDER.search(alt)]
    return found + [f"two pictures with the same words: {alt!r}" for alt in sorted(set(alts)) if alts.count(alt) > 1]


def _tables(soup: BeautifulSoup) -> list[str]:
    found = []
    for table in soup.find_all("table"):
        caption = table.find("caption")
        name = caption.get_text(strip=True) if caption else ""
        found += [] if name else ["a table without a caption"]
        found += [f"a header without scope in {name!r}" for head in table.find_all("th") if not head.get("scope")]
        found += [f"an empty header in {name!r}" for head in table.find_all("th") if not head.get_text(strip=True)]
    return found


def _leaks(soup: BeautifulSoup, page: str) -> list[str]:
    found = [f"<{name}>" for name in ("script", "iframe", "object", "embed", "form", "link", "base") if soup.find(name)]
    for tag in soup.find_all(True):
        found += [f"{name} on <{tag.name}>" for name in tag.attrs if name.startswith("on")]
        for name in ("src", "href", "srcset", "action"):
            target = str(tag.get(name, ""))
            if re.match(r"[a-z][a-z0-9+.-]*:|//", target) and not (
                tag.name == "img" and target.startswith("data:image/svg")
            ):
                found.append(f"{name} leaves the page: {target[:60]}")
    found += ["CSS fetches something"] * ("url(" in page or "@import" in page)
    return found
