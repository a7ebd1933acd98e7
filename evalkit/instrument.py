"""A questionnaire as data: its items, scale, domains and direction, and the rule that turns answers into scores."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from data_schemas.catalogues import Misdescribed, check_keys, check_kinds, is_a, nearest, read_toml
from evalkit.resources import catalogues

OCCASION = ["respondent_id", "subject_kind", "subject_id", "rater", "wave", "timing"]
"""What makes two answers belong to the same sitting."""

MOST_STEPS = 1000
"""A scale with more steps than this is a slip of the keyboard (a visual analogue scale has 100)."""

OVERALL = "overall"
"""The domain name under which an overall score is given, where the instrument declares one."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The answers a respondent may choose from: every `step` from `low` to `high`.

    `evaluator_defined` marks a scale the framework itself does not have.
    """

    low: float
    high: float
    step: float = 1.0
    kind: Literal["ordinal", "interval"] = "ordinal"
    evaluator_defined: bool = False
    labels: Mapping[float, str] = field(default_factory=dict)

    @property
    def options(self) -> int:
        """How many answers there are: the A of r_wg's null variance (A² − 1) / 12.

        >>> Scale(0, 5).options
        6
        """
        return round((self.high - self.low) / self.step) + 1

    def holds(self, answers: pd.Series[float]) -> pd.Series[bool]:
        """True where an answer is blank, or one of the scale's steps.

        >>> Scale(1, 5).holds(pd.Series([1.0, 5.0, 2.5, 6.0, None])).tolist()
        [True, True, False, False, True]
        """
        steps = (answers - self.low) / self.step
        on_step = (steps - steps.round()).abs() < 1e-9
        return answers.isna() | (on_step & answers.between(self.low, self.high))


@dataclass(frozen=True, slots=True)
class Domain:
    """A part of an instrument that has a score of its own. `aspect`: anatomy or physiology, where it has one."""

    key: str
    label: str
    aspect: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One question. `role` is the leadership role it stands beside, where there is one."""

    key: str
    domain: str
    text: str
    role: str = ""
    reversed: bool = False


@dataclass(frozen=True, slots=True)
class Overall:
    """How domain scores become one, and who says so: "evalkit" when the instrument itself does not."""

    kind: Literal["mean_of_domains"]
    defined_by: str


@dataclass(frozen=True, slots=True)
class Instrument:
    """A questionnaire in one edition.

    `verified`: its words and scale were checked against the source. `validated`: studies show how well it measures.
    `at_least`: the share of a domain's items that must be answered for the domain to be scored; nothing is imputed.
    `subjects` and `raters`: whom it may be about and who may answer; empty means anyone.
    `overall` is None where no overall score may be given. `anchors`: for a domain, what each level of it means.
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

    @property
    def domain_labels(self) -> dict[str, str]:
        """Domain keys to their labels, in the instrument's order, the overall score last where there is one."""
        labels = {domain.key: domain.label for domain in self.domains}
        return labels if self.overall is None else labels | {OVERALL: "Overall (mean of domains)"}

    def answers(self, responses: pd.DataFrame) -> pd.DataFrame:
        """One row a sitting, one column an item, reversed items turned round; missing where there was no answer.

        `responses` is the programme's table. The index names the sitting: respondent, subject, rater, wave, timing.
        """
        own, sittings = self._own(responses)
        wide = own.set_index(["sitting", "item"])["answer"].unstack("item")
        wide = wide.reindex(columns=[item.key for item in self.items])
        return wide.set_axis(pd.MultiIndex.from_frame(sittings[OCCASION]), axis="index")

    def score(self, responses: pd.DataFrame) -> pd.DataFrame:
        """Domain scores, and the overall score where the instrument declares one: a row a sitting and domain.

        A domain's score is the mean of its answered items (reversed items are low + high − answer), given only when
        at least `at_least` of its items were answered. The overall score is the mean of the domain scores, given only
        when every domain has one. Nothing is imputed: `answered` of `items` says what each score rests on.

        Columns: respondent_id, subject_kind, subject_id, rater, wave, timing, answered_on (the sitting's last day),
        domain, score, answered, items. Raises ValueError for unknown items or answers off the scale.
        """
        own, sittings = self._own(responses)
        keys = [domain.key for domain in self.domains]
        position = {item.key: keys.index(item.domain) for item in self.items}
        place = own["item"].map(position).to_numpy(dtype="int64")
        cell = own["sitting"].to_numpy() * len(keys) + place
        given = own["answer"].notna().to_numpy()
        size = (len(sittings), len(keys))
        answered = np.bincount(cell[given], minlength=size[0] * size[1]).reshape(size)
        total = np.bincount(cell[given], own["answer"].to_numpy()[given], size[0] * size[1]).reshape(size)
        asked = np.array([sum(item.domain == key for item in self.items) for key in keys])
        enough = (answered >= np.ceil(self.at_least * asked - 1e-9)) & (answered > 0)
        means = np.divide(total, answered, out=np.full(size, np.nan), where=enough)
        if self.overall is not None:
            keys = [*keys, OVERALL]
            means = np.column_stack([means, means.mean(axis=1)])
            answered = np.column_stack([answered, answered.sum(axis=1)])
            asked = np.append(asked, len(self.items))
        return (
            sittings.loc[sittings.index.repeat(len(keys))]
            .assign(
                domain=pd.array(keys * len(sittings), dtype="str"),
                score=means.ravel(),
                answered=answered.ravel(),
                items=np.tile(asked, len(sittings)),
            )
            .reset_index(drop=True)
        )

    def _own(self, responses: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """This instrument's answers, each with the number of its sitting; and the sittings, in order of appearance."""
        own = responses[responses["instrument"] == self.id]
        unknown = sorted(set(own["item"]) - {item.key for item in self.items})
        if unknown:
            raise ValueError(f"{self.id} has no item {', '.join(unknown)}: check the responses with ek.check first.")
        answer = own["answer"].astype("float64")
        if not self.scale.holds(answer).all():
            raise ValueError(f"{self.id} has answers off its scale of {self.scale.low:g} to {self.scale.high:g}.")
        turned = own["item"].isin([item.key for item in self.items if item.reversed])
        groups = own.groupby(OCCASION, dropna=False, sort=False)
        own = own.assign(
            answer=answer.where(~turned, self.scale.low + self.scale.high - answer), sitting=groups.ngroup()
        )
        sittings = own.drop_duplicates("sitting").set_index("sitting")[OCCASION]
        return own, sittings.assign(answered_on=own.groupby("sitting")["answered_on"].max())


def read(path: Path) -> Instrument:
    """The instrument a TOML file describes. Raises Misdescribed, naming the key, where it does not hold together."""
    return build(read_toml(path))


def shipped() -> dict[str, Instrument]:
    """The instruments that come with evalkit, by id.

    >>> [domain.label for domain in shipped()["icfat"].domains][:3]
    ['Leadership', 'Governance', 'Culture']
    """
    return {found.id: found for found in map(read, sorted((catalogues() / "instruments").glob("*.toml")))}


def adapt(path: Path) -> dict[str, Any]:
    """A local file's description; one that `adapts` a shipped instrument begins as that and changes what it says."""
    said = read_toml(path)
    base = said.pop("adapts", None)
    if base is None:
        return said
    known = sorted(file.stem for file in (catalogues() / "instruments").glob("*.toml"))
    if base not in known:
        raise Misdescribed(f"It adapts {base!r}, which is not shipped.", nearest(str(base), known), value=str(base))
    return read_toml(catalogues() / "instruments" / f"{base}.toml") | said


def build(said: Mapping[str, Any]) -> Instrument:
    """An instrument from its description, every key checked."""
    where = "The instrument"
    check_keys(said, where=where, needed=(*_TEXTS, *_FLAGS, *_PARTS), also=_MAY)
    check_kinds(
        said, {**dict.fromkeys(_TEXTS, "text"), **dict.fromkeys(_FLAGS, "yes or no"), **_PARTS, **_MAY}, where=where
    )
    check_keys(said["missing"], where="[missing]", needed=("at_least", "source"))
    check_kinds(said["missing"], {"at_least": "number", "source": "text"}, where="[missing]")
    domains = tuple(_domain(part) for part in said["domains"])
    found = Instrument(
        **{name: said[name] for name in (*_TEXTS, *_FLAGS)},
        scale=_scale(said["scale"]),
        domains=domains,
        items=tuple(_item(part, domains) for part in said["items"]),
        at_least=float(said["missing"]["at_least"]),
        missing_source=said["missing"]["source"],
        better=said.get("better", "higher"),
        subjects=_words(said, "subjects"),
        raters=_words(said, "raters"),
        overall=_overall(said["overall"]) if "overall" in said else None,
        anchors=said.get("anchors", {}),
        **_worthwhile(said.get("smallest_worthwhile_change", {})),
    )
    _holds_together(found)
    return found


_TEXTS = ("id", "name", "edition", "source", "licence")
_FLAGS = ("verified", "validated", "self_assessed")
_PARTS = {"schema": "whole number", "scale": "table", "missing": "table", "domains": "list", "items": "list"}
_MAY = {
    "better": "text",
    "subjects": "list",
    "raters": "list",
    "overall": "table",
    "anchors": "table",
    "smallest_worthwhile_change": "table",
}


def _words(said: Mapping[str, Any], key: str) -> tuple[str, ...]:
    for word in said.get(key, ()):
        is_a(word, "text", where=f"{key!r}")
    return tuple(said.get(key, ()))


def _worthwhile(said: Mapping[str, Any]) -> dict[str, Any]:
    name = "smallest_worthwhile_change"
    if not said:
        return {}
    check_keys(said, where=name, needed=("value", "source", "verified"))
    check_kinds(said, {"value": "number", "source": "text", "verified": "yes or no"}, where=name)
    return {name: float(said["value"]), f"{name}_source": said["source"], f"{name}_verified": said["verified"]}


def _scale(said: Mapping[str, Any]) -> Scale:
    numbers = dict.fromkeys(("low", "high", "step"), "number")
    also = {"labels": "table", "evaluator_defined": "yes or no"}
    check_keys(said, where="[scale]", needed=(*numbers, "kind"), also=also)
    check_kinds(said, {**numbers, "kind": "text", **also}, where="[scale]")
    if said["kind"] not in ("ordinal", "interval"):
        raise Misdescribed("[scale] kind is neither ordinal nor interval.", "Write one of them.", value=said["kind"])
    steps = (said["high"] - said["low"]) / said["step"] if said["step"] > 0 else -1.0
    if not 1 <= steps <= MOST_STEPS or abs(steps - round(steps)) > 1e-9:
        raise Misdescribed("[scale] does not go from low to high in whole steps.", "Check low, high and step.")
    labels = said.get("labels", {})
    for answer, label in labels.items():
        if not re.match(r"-?[0-9]+(\.[0-9]+)?\Z", answer):
            raise Misdescribed("[scale] labels something that is no answer.", 'Write 1 = "Never".', value=answer)
        is_a(label, "text", where=f"[scale] labels {answer!r}")
    return Scale(
        low=float(said["low"]),
        high=float(said["high"]),
        step=float(said["step"]),
        kind=said["kind"],
        evaluator_defined=said.get("evaluator_defined", False),
        labels={float(answer): label for answer, label in labels.items()},
    )


def _domain(said: Mapping[str, Any]) -> Domain:
    check_keys(said, where="A [[domains]] entry", needed=("key", "label"), also=("aspect",))
    check_kinds(said, {"key": "text", "label": "text", "aspect": "text"}, where="A [[domains]] entry")
    return Domain(**said)


def _item(said: Mapping[str, Any], domains: tuple[Domain, ...]) -> Item:
    where = "An [[items]] entry"
    check_keys(said, where=where, needed=("key", "domain", "text"), also=("role", "reversed"))
    kinds = {"key": "text", "domain": "text", "text": "text", "role": "text", "reversed": "yes or no"}
    check_kinds(said, kinds, where=where)
    keys = [domain.key for domain in domains]
    if said["domain"] not in keys:
        raise Misdescribed(
            f"The item {said['key']!r} is in no known domain.", nearest(said["domain"], keys), value=said["domain"]
        )
    return Item(**said)


def _overall(said: Mapping[str, Any]) -> Overall:
    check_keys(said, where="[overall]", needed=("kind", "defined_by"))
    check_kinds(said, {"kind": "text", "defined_by": "text"}, where="[overall]")
    if said["kind"] != "mean_of_domains":
        raise Misdescribed("[overall] kind is not one evalkit computes.", "Write mean_of_domains.", value=said["kind"])
    return Overall(**said)


def _holds_together(found: Instrument) -> None:
    for what, keys in (("domain", [d.key for d in found.domains]), ("item", [i.key for i in found.items])):
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise Misdescribed(f"Two entries share the {what} key {twice[0]!r}.", "Rename one.", value=twice[0])
    bare = [domain.key for domain in found.domains if not any(item.domain == domain.key for item in found.items)]
    if bare:
        raise Misdescribed(f"The domain {bare[0]!r} has no item.", "Add an item to it, or remove it.", value=bare[0])
    if not 0 < found.at_least <= 1:
        raise Misdescribed("[missing] at_least is not a share above 0 and up to 1.", "Write 0.5 for half of the items.")
    if found.better not in ("higher", "lower"):
        raise Misdescribed("better is neither higher nor lower.", "Write one of them.", value=str(found.better))
    if not found.domains:
        raise Misdescribed("The instrument has no domain.", "Add a [[domains]] entry, if only one for all items.")
    stray = sorted(set(found.anchors) - {domain.key for domain in found.domains})
    if stray:
        raise Misdescribed(
            f"[anchors] describes {stray[0]!r}, which is no domain.",
            nearest(stray[0], [domain.key for domain in found.domains]),
            value=stray[0],
        )
