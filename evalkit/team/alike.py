"""How far people who score the same place or team see it alike: agreement within each, before means are formed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import words
from evalkit.result import ALL, Sentence
from evalkit.stats import agreement as agreement_stats
from evalkit.team.scored import about_subjects

if TYPE_CHECKING:
    from evalkit.instrument import Domain
    from evalkit.stats.agreement import GroupCorrelations, Shape
    from evalkit.team.scored import Scored

LEAST_RATERS = 3
"""Of a place with fewer people than this no agreement is given: they are counted (a convention)."""
STRONG = 0.70
"""From here on agreement is called strong (LeBreton and Senter 2008; a convention, known from citing only)."""
SIXTH = 6
"""An average deviation up to the number of answers divided by this is agreement (Burke and Dunlap 2002; likewise)."""
TELLS_APART = 0.70
"""From this ICC(2) on, means tell places apart reliably (a convention, known from citing only)."""
YES, WITH_CARE, NO, NOT_KNOWN = "yes", "with care", "no", "not known"
TOGETHER_RULE = (
    f"May be put together to one score: the median agreement (r_wg) is {STRONG:.2f} or more both against answers at "
    "random and against answers that lean to one side, and the median average deviation is at most a sixth of the "
    "number of answers. With care: against answers at random only. Otherwise not. The cut-offs (.51 to .70 moderate, "
    ".71 to .90 strong; a sixth) are conventions, known to us from citing only, and no laws."
)
METHOD = "r_wg (r_wg(j) where a domain has several questions) against two nulls, average deviation, ICC(1) and ICC(2)"
SOURCE = (
    "James, Demaree and Wolf 1984, J. Applied Psychology 69(1), 85-98; nulls and cut-offs: LeBreton and Senter 2008, "
    "Organizational Research Methods 11(4), 815-852 (not seen), Burke and Dunlap 2002 (not seen); ICC: Bliese 2000."
)
RANDOM, LEANING = "uniform null", "slight skew null"
EXTRAS = ("what", "counted", "reached", "together")
"""Columns of agreement rows: what the number is; how many places (or domains) it is the median of; how many of these
are at .70 or more (an average deviation: within its cut-off); and, once a domain, whether one score may be made."""


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """Agreement on one domain at one wave.

    `each`: a row a place with enough raters, by its id: n, uniform, skew, deviation. `few`: places with fewer.
    `people`: those behind `each`. `icc` is None where it cannot be had; `icc_missing` says why. `cutoff`: that of the
    average deviation. `several`: whether the domain has several questions.
    """

    asked: Scored
    domain: Domain
    wave: int
    each: pd.DataFrame
    few: int
    people: int
    cutoff: float
    several: bool
    icc: GroupCorrelations | None
    icc_missing: str

    @property
    def together(self) -> str:
        """Whether the people of a place may be put together to one score on this domain, by `TOGETHER_RULE`."""
        if self.each.empty:
            return NOT_KNOWN
        middle = self.each.median()
        if middle["uniform"] < STRONG or middle["deviation"] > self.cutoff:
            return NO
        return YES if middle["skew"] >= STRONG else WITH_CARE  # a skew that nobody tabulated is NaN: with care

    @property
    def r_wg(self) -> str:
        """Which r_wg it is."""
        return "r_wg(j)" if self.several else "r_wg"

    @property
    def differ(self) -> bool:
        """Whether places differ more than chance would have it: ICC(1) with its interval above 0."""
        return self.icc is not None and self.icc.icc1.low > 0

    @property
    def reliable(self) -> bool:
        """Whether means tell places apart: they differ, and ICC(2) is high enough."""
        return self.differ and self.icc is not None and self.icc.icc2.estimate >= TELLS_APART

    def rows(self) -> list[dict[str, Any]]:
        """The rows of a Result's table: both nulls, the average deviation, and the ICCs where they can be had."""
        step = f"{self.asked.unit}; up to {self.cutoff:.3g} counts as agreement"
        found = [
            self._median("uniform", f"{self.r_wg}, {RANDOM}", FROM_TO) | {"together": self.together},
            self._median("skew", f"{self.r_wg}, {LEANING}", FROM_TO),
            self._median("deviation", "average deviation", step),
        ]
        return found + self._correlations()

    def _median(self, column: str, what: str, unit: str) -> dict[str, Any]:
        """The median over places, and their range where each has enough people to be shown: its ends are places."""
        values = self.each[column].dropna()
        smallest = self.each.loc[values.index, "n"].min()
        ranged = len(values) > 1 and smallest >= self.asked.programme.minimum_group
        reached = values <= self.cutoff if column == "deviation" else values >= STRONG
        return self._row(what, unit) | {
            "estimate": values.median(),
            "low": values.min() if ranged else float("nan"),
            "high": values.max() if ranged else float("nan"),
            "interval": "range" if ranged else "none given",
            "counted": len(values),
            "reached": int(reached.sum()) if len(values) else None,
        }

    def _correlations(self) -> list[dict[str, Any]]:
        if self.icc is None:
            return []
        apart = f"share of the variation that lies between {self.asked.subject}s"
        found = (("ICC(1)", apart, self.icc.icc1), ("ICC(2)", "reliability of means, up to 1", self.icc.icc2))
        sure = f"{self.icc.confidence:.0%} confidence"
        return [
            self._row(what, unit)
            | {"estimate": of.estimate, "low": of.low, "high": of.high, "counted": self.icc.groups,
               "interval": sure if of.low == of.low else "none given"}
            for what, unit, of in found
        ]  # fmt: skip

    def _row(self, what: str, unit: str) -> dict[str, Any]:
        return {
            "measure": self.domain.label, "group": ALL, "n": self.people, "unit": unit, "n_of": "respondents",
            "wave": self.wave, "what": what,
        }  # fmt: skip


FROM_TO = "from 0 (no agreement) to 1"


def alike(asked: Scored, wave: int, confidence: float) -> list[Alike]:
    """Agreement on each domain at one wave, in the instrument's order."""
    items = _items(asked, wave)
    return [_alike(asked, domain, wave, items, confidence) for domain in asked.instrument.domains]


def r_wg(found: list[Alike]) -> str:
    """Which r_wg stands for all of these domains: plain r_wg where some have one question and some several."""
    kinds = {each.r_wg for each in found}
    return kinds.pop() if len(kinds) == 1 else "r_wg"


def cautions(found: list[Alike]) -> list[Sentence]:
    """What limits these numbers: the rule, which nulls are known, places with too few, ICCs that could not be had."""
    scale, subject = found[0].asked.instrument.scale, found[0].asked.subject
    said = [TOGETHER_RULE]
    if any(each.several for each in found):
        said.append("Agreement over several questions, r_wg(j), rises with their number alone.")
    if scale.options not in agreement_stats.SLIGHT_SKEW:
        said.append(f"No skewed null was found for {scale.options} answers: no domain can do better than with care.")
    elif scale.options not in agreement_stats.SLIGHT_SKEW_VERIFIED:
        said.append(f"The skewed null for {scale.options} answers is taken from a program; its source was not seen.")
    few = max(each.few for each in found)
    if few:
        have = "has" if few == 1 else "have"
        said.append(
            f"{words.sentence_case(words.counted(few, subject))} {have} fewer than {LEAST_RATERS} people on some "
            "domain: counted, without a number."
        )
    reasons = dict.fromkeys(each.icc_missing for each in found if each.icc_missing)
    said += [
        f"No ICC on {words.listed([e.domain.label for e in found if e.icc_missing == why])}: {why}" for why in reasons
    ]
    own = found[0].asked.scores
    own = own[own["wave"] == found[0].wave]
    several = int((own.groupby("respondent_id")["subject_id"].nunique() > 1).sum())
    if several:
        people = words.counted(several, "person", "people")
        said.append(f"{people} scored more than one {subject}, and the ICCs take all answers as of different people.")
    return [Sentence(text) for text in said]


def _items(asked: Scored, wave: int) -> pd.DataFrame:
    """The answers behind the scores of a wave: a row a person and place, a column an item."""
    given = about_subjects(asked.programme, asked.instrument.id)
    own = given[(given["rater"] == asked.rater) & (given["subject_kind"] == asked.subject) & (given["wave"] == wave)]
    wide = asked.instrument.answers(own)
    # somebody with two sittings at one wave has one voice, the mean of both
    return wide.groupby(level=["respondent_id", "subject_id"]).mean()


def _alike(asked: Scored, domain: Domain, wave: int, items: pd.DataFrame, confidence: float) -> Alike:
    own = asked.scores[(asked.scores["domain"] == domain.key) & (asked.scores["wave"] == wave)]
    scores = own.groupby(["respondent_id", "subject_id"])["score"].mean()
    keys = [item.key for item in asked.instrument.items if item.domain == domain.key]
    answers = items.loc[scores.index, keys].dropna()
    sizes = answers.groupby(level="subject_id").size()
    enough = sizes.index[sizes >= LEAST_RATERS]
    held = answers[answers.index.get_level_values("subject_id").isin(enough)]
    kept = scores[scores.index.get_level_values("subject_id").isin(enough)]
    scale = asked.instrument.scale
    icc, why = (None, "") if own.empty else _icc(kept, confidence)
    return Alike(
        asked, domain, wave, _each(asked, held), own["subject_id"].nunique() - len(enough),
        int(kept.index.get_level_values("respondent_id").nunique() or own["respondent_id"].nunique()),
        scale.options * scale.step / SIXTH, len(keys) > 1, icc, why,
    )  # fmt: skip


def _each(asked: Scored, answers: pd.DataFrame) -> pd.DataFrame:
    """Each place's agreement on one domain, by its id."""
    columns = ["n", "uniform", "skew", "deviation"]
    if answers.empty:
        return pd.DataFrame(columns=columns, dtype=float)
    scale, groups = asked.instrument.scale, answers.index.get_level_values("subject_id").to_numpy()
    values = answers.to_numpy(dtype=float)
    found = agreement_stats.average_deviation(values, groups).set_index("group")[["n", "estimate"]]
    found = found.rename(columns={"estimate": "deviation"}).assign(uniform=float("nan"), skew=float("nan"))
    shapes: dict[str, Shape] = {"uniform": "uniform"}
    if scale.options in agreement_stats.SLIGHT_SKEW:
        shapes["skew"] = "slight_skew"
    for column, shape in shapes.items():
        variance = agreement_stats.null_variance(scale.options, shape=shape) * scale.step**2
        if answers.shape[1] == 1:
            one = agreement_stats.rwg(values[:, 0], groups, null_variance=variance)
        else:
            one = agreement_stats.rwg_j(values, groups, null_variance=variance)
        found[column] = one.set_index("group")["estimate"]
    return found[columns]


def _icc(scores: pd.Series[float], confidence: float) -> tuple[GroupCorrelations | None, str]:
    """The ICCs, or why there are none."""
    groups = scores.index.get_level_values("subject_id").to_numpy()
    if len(set(groups)) < 2:
        return None, f"fewer than two with {LEAST_RATERS} people or more to compare."
    try:
        return agreement_stats.icc_groups(scores.to_numpy(), groups, confidence=confidence), ""
    except ValueError as refusal:
        return None, f"{refusal}"
