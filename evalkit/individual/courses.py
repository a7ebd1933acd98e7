"""The course of ratings over waves: the mean at each, and how the waves between stand to the first and to a line."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evalkit import words
from evalkit.errors import NotEnoughEvidence
from evalkit.individual import ratings
from evalkit.individual.besides import besides
from evalkit.individual.compared import compared
from evalkit.individual.families import HIGHER, LOWER
from evalkit.stats import clusters, multiplicity, panel
from evalkit.verdict import HEADLINE, LEAST_PAIRS, LEVEL

if TYPE_CHECKING:
    from evalkit.individual.compared import Compared
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme

QUESTION = "How did leaders get from start to end?"
START, LINE = "against the first wave", "against a straight line"
"""What a wave between is set against."""
ALL_WAVES, OWN_WAVE = "all answers", "answers of the wave"
"""What a mean rests on."""
DIP, EARLY, LATE, BENT, STRAIGHT, TOO_FEW, TWO = (
    "dip", "early", "late", "bent", "straight", "too few", "two waves"
)  # fmt: skip
"""What a course may look like."""


@dataclass(frozen=True, slots=True)
class Bend:
    """How far one wave between stands from the first, or from the line; no interval where too few answered.

    `left`: the fewest people the plain mean of a wave holds beside those counted here, where under the minimum; else 0.
    `clear`: higher or lower, when all are judged together.
    """

    wave: int
    against: str
    estimate: float
    n: int
    low: float = math.nan
    high: float = math.nan
    se: float = math.nan
    df: float = math.nan
    p: float = math.nan
    left: int = 0
    clear: str = ""

    @property
    def judged(self) -> bool:
        """Whether there is anything to judge by."""
        return not math.isnan(self.p)


@dataclass(frozen=True, slots=True)
class Course:
    """One kind of rater's course: answers (leaders × waves), the mean at each wave, and what it rests on.

    `raters`: how many gave ratings at each wave.
    """

    asked: Compared
    answers: pd.DataFrame
    means: pd.DataFrame
    basis: str
    raters: dict[int, int]
    bends: tuple[Bend, ...] = ()

    @property
    def pairs_tell(self) -> dict[int, int | None]:
        """By wave, how few people its own mean would tell beside a change of those rated then and at another wave."""
        if self.basis != OWN_WAVE:
            return {}
        minimum, rated = self.asked.programme.minimum_group, {at: self.answers[at].dropna().index for at in self.waves}
        return {
            wave: besides(rated[wave], [rated[wave].intersection(rated[other]) for other in self.waves
                                        if other != wave and self._in_pairs(wave, other)], minimum)
            for wave in self.waves
        }  # fmt: skip

    def _in_pairs(self, wave: int, other: int) -> bool:
        """Whether the change between two waves is that of those rated at both alone."""
        first, last = sorted((wave, other))
        found = _change(self.asked, self.answers, first, last, HEADLINE)
        return found is None or found.basis == "complete pairs"

    @property
    def waves(self) -> list[int]:
        """The waves at which anybody was rated, the first first."""
        return [int(wave) for wave in self.answers.columns]

    @property
    def ends(self) -> tuple[int, int]:
        """The first wave and the last."""
        return self.waves[0], self.waves[-1]

    @property
    def both(self) -> int:
        """Leaders rated at the first wave and at the last."""
        return int(self.answers[[*self.ends]].notna().all(axis=1).sum())

    def mean(self, wave: int) -> float:
        """The mean at one wave."""
        return float(self.means.loc[self.means["wave"] == wave, "mean"].iloc[0])

    def clear(self, against: str, better: bool) -> list[Bend]:
        """The waves clearly better, or worse, than what they are set against."""
        wanted = HIGHER if better == (self.asked.instrument.better == "higher") else LOWER
        return [bend for bend in self.bends if bend.against == against and bend.clear == wanted]

    @property
    def shape(self) -> str:
        """What it looks like, the first that holds: a dip is a wave clearly worse than the first; early and late are a
        gain clearly above or below the straight line; bent is clearly off it otherwise."""
        if len(self.waves) == 2:
            return TWO
        if not any(bend.judged for bend in self.bends):
            return TOO_FEW
        if self.clear(START, better=False):
            return DIP
        ahead, behind = self.clear(LINE, better=True), self.clear(LINE, better=False)
        if not ahead and not behind:
            return STRAIGHT
        moved = self.mean(self.ends[1]) - self.mean(self.ends[0])
        gained = moved > 0 if self.asked.instrument.better == "higher" else moved < 0
        if not gained or (ahead and behind):
            return BENT
        return EARLY if ahead else LATE


@dataclass(frozen=True, slots=True)
class Moments:
    """When each wave was. Without days, waves stand as far apart as their numbers."""

    waves: tuple[int, ...]
    days: dict[int, pd.Timestamp] = field(default_factory=dict)

    def place(self, wave: int) -> float:
        """Days since the first wave; waves since, where days are not known."""
        return float((self.days[wave] - self.days[self.waves[0]]).days if self.days else wave - self.waves[0])

    def name(self, wave: int) -> str:
        """The month of a wave; its day, where two fell in one month; its number, where days are not known."""
        if not self.days:
            return f"wave {wave}"
        months = {words.month(day) for day in self.days.values()}
        return words.month(self.days[wave]) if len(months) == len(self.days) else words.day(self.days[wave])


@dataclass(frozen=True, slots=True)
class Courses:
    """The course of every kind of rater who rated at two waves, in one domain of one instrument."""

    programme: Programme
    instrument: Instrument
    domain: str
    moments: Moments
    each: tuple[Course, ...]

    @property
    def lead(self) -> int:
        """The course the headline is about: the first with a dip, else the first whose shape can be told."""
        shapes = [course.shape for course in self.each]
        known = [at for at, shape in enumerate(shapes) if shape not in (TWO, TOO_FEW)]
        return shapes.index(DIP) if DIP in shapes else known[0] if known else 0

    @property
    def judged(self) -> int:
        """How many comparisons are judged together."""
        return sum(bend.judged for course in self.each for bend in course.bends)


def known_kinds(programme: Programme, raters: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds of rater asked about, each once; refused where nobody could be of such a kind."""
    there = {rater for instrument in programme.instruments.values() for rater in instrument.raters}
    there |= set(programme.responses["rater"].dropna())
    if not raters or any(rater not in there for rater in raters):  # a single name is gone through by its letters
        raise ValueError(
            f"raters={raters!r} must name kinds of rater, as in ('self', 'sponsor'); "
            f"there are: {words.listed(sorted(there))}."
        )
    return tuple(dict.fromkeys(raters))


def courses(
    programme: Programme, instrument: Instrument, domain: str, raters: tuple[str, ...], confidence: float
) -> Courses:
    """The course of each of these kinds of rater who rated the same leaders at two waves.

    Errors: `NotEnoughEvidence` where none did: the refusal of the first kind of rater.
    """
    found, refusals = [], []
    for rater in raters:
        try:
            asked = compared(programme, instrument.id, rater, None, QUESTION)
        except NotEnoughEvidence as refusal:
            refusals.append(refusal)
            continue
        answers = asked.answers(domain).dropna(axis="columns", how="all").dropna(how="all")
        if answers.shape[1] > 1:
            found.append(_course(asked, domain, answers, confidence))
    if not found:
        raise (
            refusals[0]
            if refusals
            else NotEnoughEvidence(
                QUESTION,
                missing=f"{instrument.domain_labels[domain]} was not scored at two waves.",
                would_answer="enough of its questions answered at two waves, or another domain, with domain=…",
            )
        )
    moments = _moments(found)
    bent = [replace(course, bends=tuple(_bends(course, moments, confidence))) for course in found]
    return Courses(programme, instrument, domain, moments, _judged(bent))


def _course(asked: Compared, domain: str, answers: pd.DataFrame, confidence: float) -> Course:
    """The means of one kind of rater: from all answers where enough answered every wave, else each wave's own."""
    scored = asked.scores[(asked.scores["domain"] == domain) & asked.scores["score"].notna()]
    counted = scored.groupby("wave")["respondent_id"].nunique()
    raters = dict(zip(counted.index.astype(int), counted.astype(int), strict=True))
    waves: list[int] = answers.columns.astype(int).tolist()
    found = _change(asked, answers, waves[0], waves[-1], confidence)
    if found is not None and found.basis == "all waves":
        return Course(asked, answers, found.wave_means, ALL_WAVES, raters)
    own = [_own(asked.programme, answers[wave].dropna(), confidence) for wave in waves]
    return Course(asked, answers, pd.DataFrame(own).assign(wave=waves), OWN_WAVE, raters)


def _change(
    asked: Compared, answers: pd.DataFrame, first: int, last: int, confidence: float
) -> panel.PanelChange | None:
    """The change between two waves from all answers; None for few pairs, or where all moved alike."""
    if answers[[first, last]].notna().all(axis=1).sum() < LEAST_PAIRS:
        return None
    teams = ratings.teams(asked.programme, answers.index)
    try:
        return panel.available(answers, first=first, last=last, teams=teams, confidence=confidence)
    except ValueError:
        return None


def _own(programme: Programme, scores: pd.Series[float], confidence: float) -> dict[str, float]:
    """Mean of one wave's own answers, with its interval where five or more differ."""
    found = mean_of(programme, scores, confidence)
    low, high = (found.low, found.high) if found else (math.nan, math.nan)
    return {"mean": float(scores.mean()), "low": low, "high": high, "n": len(scores)}


def mean_of(programme: Programme, scores: pd.Series[float], confidence: float) -> clusters.Contrast | None:
    """The mean over leaders with errors by team (by person where teams are few); None for few, or all alike."""
    if len(scores) < LEAST_PAIRS:
        return None
    teams = ratings.teams(programme, scores.index)
    groups = np.arange(len(scores)) if teams is None else teams.to_numpy(dtype=object)
    found = clusters.cr2(scores, np.ones((len(scores), 1)), groups, confidence=confidence).contrast([1.0])
    return None if math.isnan(found.p) else found


def _moments(found: list[Course]) -> Moments:
    """The day each wave closed, else the middle day of its answers; no days where one is missing or out of order."""
    waves = tuple(sorted({wave for course in found for wave in course.waves}))
    answered = pd.concat([course.asked.scores[["wave", "answered_on"]] for course in found]).dropna()
    middle = answered.groupby("wave")["answered_on"].median()
    days = {}
    for wave in waves:
        closed = found[0].asked.closes(wave)
        day = middle.get(wave) if closed is None else closed
        if day is not None:
            days[wave] = pd.Timestamp(day).normalize()
    in_order = all(one < following for one, following in pairwise(days.values()))
    return Moments(waves, days if len(days) == len(waves) and in_order else {})


def _bends(course: Course, moments: Moments, confidence: float) -> Iterator[Bend]:
    """Each wave between against the first, and against the straight line through first and last."""
    first, last = course.ends
    answers, whole = course.answers, moments.place(last) - moments.place(first)
    for wave in course.waves[1:-1]:
        gone = (moments.place(wave) - moments.place(first)) / whole
        on_line = (1 - gone) * answers[first] + gone * answers[last]
        yield from _from_first(course, first, wave, confidence)
        yield from _apart(course, wave, LINE, answers[wave] - on_line, [first, wave, last], confidence)


def _from_first(course: Course, first: int, wave: int, confidence: float) -> Iterator[Bend]:
    """The change from the first wave, from all answers where these carry it, else in those with both."""
    found = _change(course.asked, course.answers, first, wave, confidence)
    if found is not None and found.basis != "complete pairs":
        yield Bend(wave, START, found.estimate, found.n, found.low, found.high, found.se, found.df, found.p)
        return
    moved = course.answers[wave] - course.answers[first]
    yield from _apart(course, wave, START, moved, [first, wave], confidence)


def _apart(
    course: Course, wave: int, against: str, moved: pd.Series[float], waves: list[int], confidence: float
) -> Iterator[Bend]:
    """The mean of what each leader with all these waves moved; nothing where nobody has them."""
    moved = moved.dropna()
    if moved.empty:
        return
    programme, plain = course.asked.programme, course.basis == OWN_WAVE
    left = [int(course.answers[each].notna().sum()) - len(moved) for each in waves]
    few = [n for n in left if plain and 0 < n < programme.minimum_group]
    bend = Bend(wave, against, float(moved.mean()), len(moved), left=min(few, default=0))
    found = mean_of(programme, moved, confidence)
    if found is not None:
        bend = replace(bend, low=found.low, high=found.high, se=found.se, df=found.df, p=found.p)
    yield bend


def _judged(found: list[Course]) -> tuple[Course, ...]:
    """The courses with what is clear when every wave between, of every course, is judged together by Holm."""
    asked = [bend.p for course in found for bend in course.bends if bend.judged]
    adjusted = iter(multiplicity.adjust(asked, "holm").tolist())

    def told(bend: Bend) -> Bend:
        if not bend.judged or next(adjusted) >= LEVEL:
            return bend
        return replace(bend, clear=HIGHER if bend.estimate > 0 else LOWER)

    return tuple(replace(course, bends=tuple(told(bend) for bend in course.bends)) for course in found)
