"""What a questionnaire is made of: the answers there are, its parts, its questions, and what a total means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

MOST_STEPS = 1000
"""A scale with more steps than this is a slip of the keyboard (a visual analogue scale has 100)."""

OVERALL = "overall"
"""The domain name under which an overall score is given, where the instrument declares one."""

NEAR = 1e-9
"""Answers closer to a step than this are that step: 0.1 + 0.2 is 0.3."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The answers a respondent may choose from: every `step` from `low` to `high`.

    `words`: what respondents write instead of numbers, in the order of the codes low, low + step, …; letters count as
    words, capitals do not matter. `unscored`: answers such as "no opinion", which are given and never scored; their
    codes lie below `low`. A `nominal` scale names kinds: its codes are no amounts. `evaluator_defined` marks a scale
    the framework itself does not have.
    """

    low: float
    high: float
    step: float = 1.0
    kind: Literal["ordinal", "interval", "nominal"] = "ordinal"
    evaluator_defined: bool = False
    labels: Mapping[float, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    unscored: tuple[str, ...] = ()

    @property
    def options(self) -> int:
        """How many scored answers there are: the A of r_wg's null variance (A² − 1) / 12.

        >>> Scale(0, 5).options
        6
        """
        return round((self.high - self.low) / self.step) + 1

    @property
    def codes(self) -> dict[str, float]:
        """Each word, without capitals, and the number it is kept as; empty where answers are numbers.

        >>> Scale(0, 3, words=("a", "b", "c", "D"), unscored=("No opinion",)).codes
        {'a': 0.0, 'b': 1.0, 'c': 2.0, 'd': 3.0, 'no opinion': -1.0}
        """
        return {word.lower(): code for code, word in self._written().items()}

    @property
    def choices(self) -> str:
        """What there is to choose from, in words for a message.

        >>> Scale(1, 5).choices
        '1 to 5'
        >>> Scale(0, 1, words=("no", "yes"), unscored=("cannot say",)).choices
        'no, yes; not scored: cannot say'
        """
        if not self.words:
            return f"{self.low:g} to {self.high:g}"
        aside = f"; not scored: {', '.join(self.unscored)}" if self.unscored else ""
        return ", ".join(self.words) + aside

    def word(self, code: float) -> str:
        """What a respondent wrote for this code: the word, or the number itself on a scale of numbers; "" for a blank.

        >>> Scale(0, 1, words=("no", "yes")).word(1.0), Scale(1, 5).word(4.0)
        ('yes', '4')
        """
        if math.isnan(code):
            return ""
        if not self.holds(pd.Series([float(code)])).all():
            raise ValueError(f"{code:g} is no answer on a scale of {self.choices}.")
        written = self._written()
        return written[min(written, key=lambda known: abs(known - code))] if written else f"{code:g}"

    def holds(self, answers: pd.Series[float]) -> pd.Series[bool]:
        """True where an answer is blank, one of the scale's steps, or an answer that is not scored.

        >>> Scale(1, 5).holds(pd.Series([1.0, 5.0, 2.5, 6.0, None])).tolist()
        [True, True, False, False, True]
        """
        steps = (answers - self.low) / self.step
        on_step = (steps - steps.round()).abs() < NEAR
        aside = [self.low - 1 - place for place in range(len(self.unscored))]
        return answers.isna() | (on_step & answers.between(self.low, self.high)) | answers.isin(aside)

    def scored(self, answers: pd.Series[float]) -> pd.Series[float]:
        """The answers that count; missing where one was given that is never scored, such as "no opinion".

        >>> Scale(0, 1, words=("no", "yes"), unscored=("cannot say",)).scored(pd.Series([1.0, -1.0, None])).tolist()
        [1.0, nan, nan]
        """
        return answers.where(answers >= self.low - NEAR) if self.unscored else answers

    def _written(self) -> dict[float, str]:
        """Code to word, scored words first."""
        scored = {self.low + place * self.step: word for place, word in enumerate(self.words)}
        return scored | {self.low - 1.0 - place: word for place, word in enumerate(self.unscored)}


@dataclass(frozen=True, slots=True)
class Domain:
    """A part of an instrument that has a score of its own. `aspect`: anatomy or physiology, where it has one."""

    key: str
    label: str
    aspect: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One question. `role` is the leadership role it stands beside, where there is one.

    `points`: what each word scores, where the steps between words are not alike; empty otherwise. `points_verified`:
    the words whose points were seen in a public copy; the others are from memory.
    """

    key: str
    domain: str
    text: str
    role: str = ""
    reversed: bool = False
    points: Mapping[str, float] = field(default_factory=dict)
    points_verified: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overall:
    """How domain scores become one, and who says so: "evalkit" when the instrument itself does not."""

    kind: Literal["mean_of_domains", "sum_of_domains"]
    defined_by: str

    @property
    def label(self) -> str:
        """Its name in tables and charts.

        >>> Overall("sum_of_domains", "the tool").label
        'Overall (sum of domains)'
        """
        return f"Overall ({self.kind.replace('_', ' ')})"


@dataclass(frozen=True, slots=True)
class Band:
    """What an overall score of `from_score` or more is said to mean, until the next band begins."""

    from_score: float
    label: str
    source: str
    verified: bool
