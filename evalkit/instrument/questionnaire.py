"""A questionnaire in one edition, and the rule that turns its answers into scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.instrument.parts import NEAR, OVERALL, Band, Domain, Item, Overall, Scale

OCCASION = ["respondent_id", "subject_kind", "subject_id", "rater", "wave", "timing"]
"""What makes two answers belong to the same sitting."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A questionnaire in one edition.

    `verified`: its words and scale were checked against the source. `validated`: studies show how well it measures.
    `at_least`: the share of a domain's items that must be answered for the domain to be scored; nothing is imputed.
    `subjects` and `raters`: whom it may be about and who may answer; empty means anyone.
    `overall` is None where no overall score may be given. `anchors`: for a domain, what each level of it means.
    `combine`: a domain's score is the mean of its answers, or their sum. `recorded`: its answers are kept and counted,
    never averaged. `cautions`: a sentence to show when it is used about that kind of subject. `bands`: what overall
    scores are said to mean.
    """

    id: str
    name: str
    edition: str
    source: str
    licence: str
    verified: bool
    validated: bool
    self_assessed: bool
    scale: Scale
    domains: tuple[Domain, ...]
    items: tuple[Item, ...]
    at_least: float
    missing_source: str
    better: Literal["higher", "lower"] = "higher"
    subjects: tuple[str, ...] = ()
    raters: tuple[str, ...] = ()
    overall: Overall | None = None
    anchors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    smallest_worthwhile_change: float | None = None
    smallest_worthwhile_change_source: str = ""
    smallest_worthwhile_change_verified: bool = False
    combine: Literal["mean", "sum"] = "mean"
    recorded: bool = False
    cautions: Mapping[str, str] = field(default_factory=dict)
    bands: tuple[Band, ...] = ()

    @property
    def domain_labels(self) -> dict[str, str]:
        """Domain keys to their labels, in the instrument's order, the overall score last where there is one."""
        labels = {domain.key: domain.label for domain in self.domains}
        return labels if self.overall is None else labels | {OVERALL: self.overall.label}

    @property
    def has_points(self) -> bool:
        """Whether its answers score points of their own instead of counting steps."""
        return any(item.points for item in self.items)

    @property
    def on_scale(self) -> bool:
        """Whether every score lies between the ends of its scale: no points of their own, and no sums."""
        return not self.has_points and self.combine == "mean"

    @property
    def bounds(self) -> dict[str, tuple[float, float]]:
        """The lowest and the highest score there can be, by domain, the overall score last where there is one."""
        found: dict[str, tuple[float, float]] = {}
        for domain in self.domains:
            ends = [self._ends(item) for item in self.items if item.domain == domain.key]
            low, high = (math.fsum(end) for end in zip(*ends, strict=True))
            found[domain.key] = (low, high) if self.combine == "sum" else (low / len(ends), high / len(ends))
        if self.overall is not None:
            low, high = (math.fsum(end) for end in zip(*found.values(), strict=True))
            summed = self.overall.kind == "sum_of_domains"
            found[OVERALL] = (low, high) if summed else (low / len(self.domains), high / len(self.domains))
        return found

    @property
    def never_averaged(self) -> str:
        """Why a recorded instrument has no score: the sentence every refusal begins with."""
        return f"The {self.name} is recorded, never averaged: another answer is a difference, not growth."

    def band(self, score: float) -> Band | None:
        """The band an overall score falls in; None below the first, without bands, or without a score."""
        reached = [band for band in self.bands if score >= band.from_score - NEAR]
        return reached[-1] if reached else None

    def answers(self, responses: pd.DataFrame) -> pd.DataFrame:
        """One row a sitting, one column an item, reversed items turned round; missing where there was no answer.

        `responses` is the programme's table. The index names the sitting: respondent, subject, rater, wave, timing.
        An answer that is never scored ("no opinion") is missing too; words stand as their codes.
        """
        own, sittings = self._own(responses)
        own = own.assign(answer=self._turned(own))
        wide = own.set_index(["sitting", "item"])["answer"].unstack("item")
        wide = wide.reindex(columns=[item.key for item in self.items])
        return wide.set_axis(pd.MultiIndex.from_frame(sittings[OCCASION]), axis="index")

    def score(self, responses: pd.DataFrame) -> pd.DataFrame:
        """Domain scores, and the overall score where the instrument declares one: a row a sitting and domain.

        A domain's score is the mean (or, with combine = "sum", the sum) of its answered items, each worth its points,
        else its place on the scale (reversed items are low + high − answer). It is given only when at least `at_least`
        of its items were answered; "no opinion" is no such answer. The overall score is given only when every domain
        has one. Nothing is imputed: `answered` of `items` says what each score rests on.

        Columns: respondent_id, subject_kind, subject_id, rater, wave, timing, answered_on (the sitting's last day),
        domain, score, answered, items. Raises ValueError for unknown items, answers off the scale, or an instrument
        that is recorded and never scored.
        """
        if self.recorded:
            raise ValueError(f"{self.never_averaged} Count its answers instead, with answers(responses).")
        own, sittings = self._own(responses)
        keys = [domain.key for domain in self.domains]
        scores, answered = self._scores(own, len(sittings))
        asked = np.array([sum(item.domain == key for item in self.items) for key in keys])
        if self.overall is not None:
            keys = [*keys, OVERALL]
            whole = scores.sum(axis=1) if self.overall.kind == "sum_of_domains" else scores.mean(axis=1)
            scores = np.column_stack([scores, whole])
            answered = np.column_stack([answered, answered.sum(axis=1)])
            asked = np.append(asked, len(self.items))
        return (
            sittings.loc[sittings.index.repeat(len(keys))]
            .assign(
                domain=pd.array(keys * len(sittings), dtype="str"),
                score=scores.ravel(),
                answered=answered.ravel(),
                items=np.tile(asked, len(sittings)),
            )
            .reset_index(drop=True)
        )

    def points(self, responses: pd.DataFrame) -> pd.DataFrame:
        """What each answer scored and what was still to be had: a row a sitting and item.

        Columns: respondent_id, subject_kind, subject_id, rater, wave, timing, answered_on (the sitting's last day),
        domain, item, word (as it is written in the instrument; missing where blank), points, maximum, available
        (maximum − points). Points and available are missing where the item was left blank or answered with a word that
        is not scored. Raises ValueError for an instrument whose answers score no points.
        """
        if not self.has_points:
            raise ValueError(f"The answers of the {self.name} score no points of their own: use score(responses).")
        own, sittings = self._own(responses)
        grid = pd.MultiIndex.from_product([sittings.index, [item.key for item in self.items]])
        given = own.set_index(["sitting", "item"])["answer"].reindex(grid)
        words = {code: self.scale.word(code) for code in given.dropna().unique()}
        points = self._worth(np.tile(np.arange(len(self.items)), len(sittings)), self.scale.scored(given))
        maximum = np.tile([max(item.points.values()) for item in self.items], len(sittings))
        return (
            sittings.loc[grid.get_level_values(0)]
            .assign(
                domain=pd.array([item.domain for item in self.items] * len(sittings), dtype="str"),
                item=pd.array([item.key for item in self.items] * len(sittings), dtype="str"),
                word=given.map(words).astype("str").array,
                points=points,
                maximum=maximum,
                available=maximum - points,
            )
            .reset_index(drop=True)
        )

    def _ends(self, item: Item) -> tuple[float, float]:
        """The least and the most an answer to this item is worth."""
        if item.points:
            return min(item.points.values()), max(item.points.values())
        return self.scale.low, self.scale.high

    def _scores(self, own: pd.DataFrame, sittings: int) -> tuple[NDArray[np.floating], NDArray[np.integer]]:
        """Sittings × domains: the scores, missing where too little was answered; and how many items were."""
        keys = [domain.key for domain in self.domains]
        position = {item.key: keys.index(item.domain) for item in self.items}
        place = own["item"].map(position).to_numpy(dtype="int64")
        cell = own["sitting"].to_numpy() * len(keys) + place
        values = self._values(own)
        given = ~np.isnan(values)
        size = (sittings, len(keys))
        answered = np.bincount(cell[given], minlength=size[0] * size[1]).reshape(size)
        total = np.bincount(cell[given], values[given], size[0] * size[1]).reshape(size)
        asked = np.array([sum(item.domain == key for item in self.items) for key in keys])
        enough = (answered >= np.ceil(self.at_least * asked - NEAR)) & (answered > 0)
        over = np.ones(size) if self.combine == "sum" else answered
        return np.divide(total, over, out=np.full(size, np.nan), where=enough), answered

    def _values(self, own: pd.DataFrame) -> NDArray[np.floating]:
        """What each answer adds to its domain; missing where there is nothing to add."""
        if not self.has_points:
            return self._turned(own).to_numpy()
        places = own["item"].map({item.key: place for place, item in enumerate(self.items)}).to_numpy(dtype="int64")
        return self._worth(places, self.scale.scored(own["answer"]))

    def _worth(self, items: NDArray[np.integer], answers: pd.Series[float]) -> NDArray[np.floating]:
        """The points of each answer to the item at that place; missing where the answer is."""
        worth = np.array([[item.points[word] for word in self.scale.words] for item in self.items])
        steps = ((answers - self.scale.low) / self.scale.step).round().to_numpy(dtype="float64")
        given = ~np.isnan(steps)
        points = np.full(len(steps), np.nan)
        points[given] = worth[items[given], steps[given].astype("int64")]
        return points

    def _turned(self, own: pd.DataFrame) -> pd.Series[float]:
        """The scored answers, those to reversed items turned round."""
        answer = self.scale.scored(own["answer"])
        turned = own["item"].isin([item.key for item in self.items if item.reversed])
        return answer.where(~turned, self.scale.low + self.scale.high - answer)

    def _own(self, responses: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """This instrument's answers, each with the number of its sitting; and the sittings, in order of appearance."""
        own = responses[responses["instrument"] == self.id]
        unknown = sorted(set(own["item"]) - {item.key for item in self.items})
        if unknown:
            raise ValueError(f"{self.id} has no item {', '.join(unknown)}: check the responses with ek.check first.")
        answer = own["answer"].astype("float64")
        if not self.scale.holds(answer).all():
            raise ValueError(f"{self.id} has answers off its scale of {self.scale.choices}.")
        groups = own.groupby(OCCASION, dropna=False, sort=False)
        own = own.assign(answer=answer, sitting=groups.ngroup())
        sittings = own.drop_duplicates("sitting").set_index("sitting")[OCCASION]
        return own, sittings.assign(answered_on=own.groupby("sitting")["answered_on"].max())
