"""Tables, figures and one Result as plain accessible HTML: captions, scoped headers, words for every picture.

No script, no outside address. Whatever comes from data is escaped here and nowhere else.
"""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import words
from evalkit.terms import Verdict

if TYPE_CHECKING:
    from evalkit.result import Quote, Result

SHAPES = {
    Verdict.IMPROVED: "▲",
    Verdict.ROSE: "▲",
    Verdict.WORSENED: "▼",
    Verdict.FELL: "▼",
    Verdict.UNCLEAR: "◆",
    Verdict.MIXED: "◆",
    Verdict.TOO_EARLY: "○",
    Verdict.NO_CLEAR_CHANGE: "■",
    Verdict.DESCRIBED: "□",
    Verdict.NOT_MEASURABLE: "×",
}
"""A shape beside every verdict's word: meaning never rests on colour."""

HEADERS = {
    "measure": "Measure",
    "group": "Group",
    "estimate": "Estimate",
    "low": "Low",
    "high": "High",
    "interval": "Low to high is",
    "n": "Number",
    "unit": "Unit",
    "n_of": "Number of what",
}
WITHHELD = "withheld"
"""Marks a row an audience may not see: neither missing nor zero."""


def escape(value: object) -> str:
    """Text that stays text.

    >>> escape("<script>")
    '&lt;script&gt;'
    """
    return html.escape(str(value), quote=True)


def table(frame: pd.DataFrame, caption: str, name: str = "") -> str:
    """A captioned table with scoped headers in a region that scrolls by keyboard; the region has a shorter name."""
    sides = {str(column): _side(frame[column]) for column in frame.columns}
    heads = "".join(f'<th scope="col"{side}>{escape(_header(column))}</th>' for column, side in sides.items())
    rows = "".join(_row(row, sides) for row in frame.to_dict("records"))
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(name or caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def numbers(frame: pd.DataFrame, caption: str) -> str:
    """The numbers behind a chart. What is the same in every row is said once, in the caption."""
    frame = frame.drop(columns=["ask", "meeting"] if "meeting" in frame else [])  # they stand above the chart
    frame = frame.drop(columns=_says_nothing(frame))
    same = [
        str(name)
        for name in frame.columns
        if name not in ("measure", "estimate", "n") and len(frame) > 1 and frame[name].nunique(dropna=False) == 1
    ]
    said = [f"{_header(name)}: {cell(frame[name].iloc[0])}" for name in same if pd.notna(frame[name].iloc[0])]
    return table(frame.drop(columns=same), ". ".join([caption.rstrip("."), *said]), caption)


def _says_nothing(frame: pd.DataFrame) -> list[str]:
    """Columns without a word: all blank, what is counted where nothing is, the whole where there is only the whole."""
    blank = [name for name in frame if name not in ("measure", "estimate") and frame[name].isna().all()]
    if "n" in blank and "n_of" in frame:
        blank.append("n_of")
    if len(frame) == 1:
        blank += [name for name, word in (("group", "all"), ("interval", "none given")) if (frame[name] == word).all()]
    return list(dict.fromkeys(map(str, blank)))


def _row(row: dict[Any, Any], sides: dict[str, str]) -> str:
    """A row of cells, each with the side its column's numbers stand on."""
    places = words.decimals(row["low"], row["high"]) if _has_interval(row) else 2
    first, *rest = sides
    cells = "".join(f"<td{sides[name]}>{escape(cell(row[name], places))}</td>" for name in rest)
    return f'<tr><th scope="row">{escape(cell(row[first], places))}</th>{cells}</tr>'


def _has_interval(row: dict[Any, Any]) -> bool:
    return "low" in row and "high" in row and bool(pd.notna(row["low"]) and pd.notna(row["high"]))


def _side(column: pd.Series[Any]) -> str:
    return ' class="number"' if pd.api.types.is_numeric_dtype(column) else ""


def _header(name: str) -> str:
    return HEADERS.get(name, words.sentence_case(name.replace("_", " ")))


def cell(value: object, places: int = 2) -> str:
    """One value as people read it; a dash where there is none.

    >>> cell(3.14159), cell(None), cell(1200)
    ('3.14', '–', '1,200')
    """
    if value is None or (not isinstance(value, str) and pd.isna(value)):  # type: ignore[call-overload]
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, pd.Timestamp):
        return words.day(value)
    if isinstance(value, float):
        return words.number(value, places)
    return f"{value:,}" if isinstance(value, int) else str(value)


def picture(svg: str, alt: str) -> str:
    """An SVG as an image with its words. Nothing in it can run."""
    coded = base64.b64encode(svg.encode()).decode("ascii")
    return f'<img src="data:image/svg+xml;base64,{coded}" alt="{escape(alt)}">'


def verdict(given: Verdict) -> str:
    """The verdict's word with its shape."""
    return f'<span class="shape" aria-hidden="true">{SHAPES[given]}</span> {escape(words.sentence_case(given.value))}'


def chart(result: Result, already_drawn: str = "") -> str:
    """Headline, picture, source line, and the numbers folded beneath."""
    headline = escape(result.headline)
    return (
        f"<figure>{already_drawn or drawn(result)}"
        f'<p class="source">{escape(source(result))}</p>'
        f'<details><summary>The numbers in this chart<span class="hidden">: {headline}</span></summary>'
        f"{numbers(result.table, result.headline)}</details></figure>"
    )


def drawn(result: Result) -> str:
    """Headline and picture."""
    return f"<figcaption>{escape(result.headline)}</figcaption>{picture(result.svg(), result.alt)}"


def source(result: Result) -> str:
    """Where the numbers of a chart come from, in one line."""
    about = result.about
    invented = "FICTIONAL. " if about.fictional and "FICTIONAL" not in about.programme else ""
    until = f", data to {words.day(about.as_of)}" if about.as_of else ""
    return f"{invented}{about.programme}{until}. {result.method.name}."


def result(asked: Result) -> str:
    """One Result in a notebook: what changed, because of it, the chart, and the rest folded away."""
    caveats = "".join(f"<li>{escape(caveat)}</li>" for caveat in asked.caveats)
    return (
        f'<section class="result"><p><strong>{escape(asked.question)}</strong></p><p>{escape(asked.reading)}</p>'
        f"<p><strong>What changed?</strong> {verdict(asked.verdict)}. {escape(asked.decided.why)} "
        f"<strong>Because of it?</strong> {escape(words.sentence_case(asked.attribution.value))}.</p>"
        f"{pictured(asked)}{quotes(asked)}"
        f"<details><summary>What could make this wrong ({len(asked.caveats)})</summary><ul>{caveats}</ul></details>"
        f"<details><summary>How it was counted, and how sure</summary>{counted(asked)}</details></section>"
    )


def pictured(asked: Result) -> str:
    """The chart; where an answer gives questions for meetings these instead, and the chart folded beneath."""
    questions = to_talk_about(asked)
    if not questions:
        return chart(asked)
    return f"{questions}<details><summary>The same as a picture</summary>{chart(asked)}</details>"


SIGNS = {"working": "▲", "not working": "▼", "uncertain": "◆", "not recorded": "×"}
"""A shape beside every sign's word, as its column in the chart has it."""


def to_talk_about(asked: Result) -> str:
    """Questions for meetings, under the meeting they are for; nothing where an answer has none."""
    frame = asked.table
    if "meeting" not in frame:
        return ""
    held = frame[frame["ask"].notna() & (frame["ask"] != "")]
    return "".join(
        f'<p class="meeting"><strong>{escape(meeting)}</strong></p><ul class="asks">{"".join(map(_ask, rows))}</ul>'
        for meeting, rows in (
            (str(name), group.to_dict("records")) for name, group in held.groupby("meeting", sort=False)
        )
    )


def _ask(row: dict[Any, Any]) -> str:
    sign = str(row.get("sign", "") or "")
    if not sign:  # a question that comes of no rule about how things look
        return f'<li><span class="shape" aria-hidden="true">?</span> {escape(row["ask"])}</li>'
    shape = SIGNS[sign]
    return (
        f'<li><span class="shape" aria-hidden="true">{shape}</span> <span class="sign">{escape(row["sign"])}:</span> '
        f"{escape(row['ask'])}</li>"
    )


def counted(asked: Result) -> str:
    """Method, assumption, source and grade, in one paragraph."""
    method = asked.method
    said = (
        f"{method.name}. Assumes: {method.assumes} Source: {method.source} How sure: {asked.evidence.words}. "
        f"Asked as {asked.about.asked}."
    )
    return f"<p>{escape(said)}</p>"


def quotes(asked: Result) -> str:
    """The stories chosen, each with who told it and why it was chosen."""
    return "".join(map(_quote, asked.quotes))


def _quote(quote: Quote) -> str:
    told = "".join(f"<p>{escape(line)}</p>" for line in quote.text.splitlines() if line.strip())
    source = f"Told by: {quote.told_by or 'not recorded'}. {quote.why_chosen}"
    title = f"<p><strong>{escape(quote.title)}</strong></p>" if quote.title else ""
    return f'<blockquote>{title}{told}<p class="source">{escape(source)}</p></blockquote>'
