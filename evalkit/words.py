"""Numbers in, phrases out: the plain English of every sentence evalkit writes. Holds no number of its own.

evalkit never writes a word of cause: `without_why` takes it out of every generated sentence before it leaves the
house, and `refuse_cause` refuses a text that is evalkit's own from end to end.
"""

from __future__ import annotations

import math
import re
from datetime import date

CAUSE = re.compile(
    r"\b(led to|leads? to|leading to|caus(?:e|es|ed|ing|al|ally)|due to|owing to|thanks to|because of|"
    r"impact(?:s|ed)? (?:of|on)|effects? of|result(?:s|ed|ing)? (?:in|from)|as a result|attributable|attributed|"
    r"brought about|driven by|drove|gave rise to|produced by|worked because|made a difference)\b",
    re.IGNORECASE,
)
"""Words that say why. Checked in every generated sentence, headline, caveat and description of a chart."""


LEFT_OUT = "[…]"
"""What stands for a word of cause in a name that somebody typed, as editors mark what they leave out."""
LEFT_OUT_RULE = f"Where {LEFT_OUT} stands, a word that says why was left out of a name; the table has the name whole."


def without_why(text: str) -> str:
    """The text without a word of cause: names that people typed may hold one, and evalkit says none.

    >>> without_why("Beds freed because of home care: 12"), without_why("% of practices")
    ('Beds freed […] home care: 12', '% of practices')
    """
    return CAUSE.sub(LEFT_OUT, text)


def refuse_cause(text: str) -> str:
    """The text itself, unless it holds a word of cause; then a ValueError, because evalkit wrote it.

    >>> refuse_cause("The mean was 3.1 and is now 3.4.")
    'The mean was 3.1 and is now 3.4.'
    """
    found = CAUSE.search(text)
    if found:
        raise ValueError(f"A generated sentence says why ({found.group(0)!r}), which evalkit may not say: {text}")
    return text


def decimals(low: float, high: float) -> int:
    """Decimals that half the interval bears: two significant figures of it, and no third decimal before it is tiny.

    >>> decimals(0.21, 0.61), decimals(-9.1, 6.3), decimals(120, 480), decimals(0.25, 0.43), decimals(0.001, 0.009)
    (2, 1, 0, 2, 4)
    """
    half = abs(high - low) / 2
    if not math.isfinite(half) or half == 0:
        return 2
    wanted = max(1 - math.floor(math.log10(half)), 0)
    return 2 if 0.02 <= half < 1 else min(wanted, 4)


def number(value: float, places: int = 2) -> str:
    """A number with a true minus sign, thousands commas, and no negative zero.

    >>> number(-0.004), number(1234.5, 0), number(-3.14159)
    ('0.00', '1,234', '−3.14')
    """
    if not math.isfinite(value):
        return "not known"
    rounded = round(value, places) + 0.0
    return f"{rounded:,.{places}f}".replace("-", "−")


def significant(value: float, figures: int = 2) -> str:
    """A number to two significant figures, as people say it.

    >>> significant(0.0417), significant(11.6), significant(0)
    ('0.042', '12', '0')
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "not known"
    return number(value, max(figures - 1 - math.floor(math.log10(abs(value))), 0))


def between(low: float, high: float, places: int | None = None) -> str:
    """An interval in words.

    >>> between(0.213, 0.608)
    'between 0.21 and 0.61'
    """
    places = decimals(low, high) if places is None else places
    return f"between {number(low, places)} and {number(high, places)}"


def span(low: float, high: float, places: int | None = None) -> str:
    """An interval in brackets' length, for a table cell.

    >>> span(-0.213, 0.608)
    '−0.21 to 0.61'
    """
    places = decimals(low, high) if places is None else places
    return f"{number(low, places)} to {number(high, places)}"


def higher(value: float, places: int = 2, unit: str = "") -> str:
    """A difference said with its direction.

    >>> higher(0.41), higher(-2.0, 0, " points"), higher(0.0)
    ('0.41 higher', '2 points lower', 'no different')
    """
    if round(value, places) == 0:
        return "no different"
    return f"{number(abs(value), places)}{unit} {'higher' if value > 0 else 'lower'}"


def in_every_100(ratio: float) -> str:
    """A ratio as so many in every 100 more or fewer.

    >>> in_every_100(0.98), in_every_100(1.0625), in_every_100(1.001)
    ('2 in every 100 lower', '6 in every 100 higher', 'the same')
    """
    change = round((ratio - 1) * 100)
    if change == 0:
        return "the same"
    return f"{abs(change)} in every 100 {'higher' if change > 0 else 'lower'}"


def ratio_interval(low: float, high: float) -> str:
    """A ratio's interval as so many in every 100 either way.

    >>> ratio_interval(0.91, 1.06)
    'between 9 lower and 6 higher in every 100'
    >>> ratio_interval(0.80, 0.95)
    'between 5 and 20 in every 100 lower'
    """
    low_change, high_change = round((low - 1) * 100), round((high - 1) * 100)
    if low_change < 0 <= high_change:
        return f"between {-low_change} lower and {high_change} higher in every 100"
    near, far = sorted((abs(low_change), abs(high_change)))
    return f"between {near} and {far} in every 100 {'lower' if high_change < 0 else 'higher'}"


def of(n: int, whole: int) -> str:
    """So many of so many.

    >>> of(104, 171)
    '104 of 171'
    """
    return f"{n:,} of {whole:,}"


def counted(n: int, one: str, many: str | None = None) -> str:
    """A count with its noun.

    >>> counted(1, "place"), counted(12, "place"), counted(0, "story", "stories")
    ('1 place', '12 places', 'no stories')
    """
    return f"{f'{n:,}' if n else 'no'} {one if n == 1 else (many or one + 's')}"


def day(value: date) -> str:
    """A date as people write it.

    >>> day(date(2026, 3, 31))
    '31 March 2026'
    """
    return f"{value.day} {value:%B %Y}"


def month(value: date) -> str:
    """A month as people write it.

    >>> month(date(2012, 4, 1))
    'April 2012'
    """
    return f"{value:%B %Y}"


def listed(items: list[str]) -> str:
    """A list in a sentence.

    >>> listed(["police", "housing", "health"])
    'police, housing and health'
    """
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


ACRONYMS = {"nhs": "NHS", "gp": "GP", "vcse": "VCSE", "ods": "ODS"}
"""Words of keys that are written in capitals."""


def plain(key: str) -> str:
    """A key of the data as people write it.

    >>> plain("gp_federation"), plain("senior_middle")
    ('GP federation', 'senior middle')
    """
    return " ".join(ACRONYMS.get(part, part) for part in key.split("_"))


RATERS = {"self": "leaders", "partner": "partner agencies"}
"""Kinds of rater whose plural is not their name and an s."""


def raters(kind: str) -> str:
    """A kind of rater in the plural.

    >>> raters("line_manager"), raters("partner")
    ('line managers', 'partner agencies')
    """
    return RATERS.get(kind, f"{plain(kind)}s")


def sentence_case(text: str) -> str:
    """The first letter large, the rest untouched.

    >>> sentence_case("emergency admissions of people 65+")
    'Emergency admissions of people 65+'
    """
    return text[:1].upper() + text[1:]
