"""From a description to an instrument: every key checked, and a slip named with its remedy."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from data_schemas.catalogues import Misdescribed, check_keys, check_kinds, is_a, nearest
from evalkit.instrument.coherence import hold_together
from evalkit.instrument.parts import MOST_STEPS, Band, Domain, Item, Overall, Scale
from evalkit.instrument.questionnaire import Instrument

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
    "combine": "text",
    "recorded": "yes or no",
    "cautions": "table",
    "bands": "list",
}
_KINDS = ("ordinal", "interval", "nominal")
_OVERALLS = ("mean_of_domains", "sum_of_domains")


def build(said: Mapping[str, Any]) -> Instrument:
    """An instrument from its description, every key checked."""
    _check(said)
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
        combine=said.get("combine", "mean"),
        recorded=said.get("recorded", False),
        cautions=_cautions(said.get("cautions", {})),
        bands=tuple(_band(part) for part in said.get("bands", ())),
        **_worthwhile(said.get("smallest_worthwhile_change", {})),
    )
    hold_together(found)
    return found


def _check(said: Mapping[str, Any]) -> None:
    where = "The instrument"
    check_keys(said, where=where, needed=(*_TEXTS, *_FLAGS, *_PARTS), also=_MAY)
    kinds = {**dict.fromkeys(_TEXTS, "text"), **dict.fromkeys(_FLAGS, "yes or no"), **_PARTS, **_MAY}
    check_kinds(said, kinds, where=where)
    check_keys(said["missing"], where="[missing]", needed=("at_least", "source"))
    check_kinds(said["missing"], {"at_least": "number", "source": "text"}, where="[missing]")


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
    also = {"labels": "table", "evaluator_defined": "yes or no", "words": "list", "unscored": "list"}
    check_keys(said, where="[scale]", needed=(*numbers, "kind"), also=also)
    check_kinds(said, {**numbers, "kind": "text", **also}, where="[scale]")
    if said["kind"] not in _KINDS:
        raise Misdescribed(
            "[scale] kind is neither ordinal nor interval nor nominal.", "Write one of them.", value=said["kind"]
        )
    steps = (said["high"] - said["low"]) / said["step"] if said["step"] > 0 else -1.0
    if not 1 <= steps <= MOST_STEPS or abs(steps - round(steps)) > 1e-9:
        raise Misdescribed("[scale] does not go from low to high in whole steps.", "Check low, high and step.")
    scale = Scale(
        low=float(said["low"]),
        high=float(said["high"]),
        step=float(said["step"]),
        kind=said["kind"],
        evaluator_defined=said.get("evaluator_defined", False),
        labels=_labels(said.get("labels", {})),
        words=_words(said, "words"),
        unscored=_words(said, "unscored"),
    )
    _check_words(scale)
    return scale


def _labels(said: Mapping[str, Any]) -> dict[float, str]:
    for answer, label in said.items():
        if not re.match(r"-?[0-9]+(\.[0-9]+)?\Z", answer):
            raise Misdescribed("[scale] labels something that is no answer.", 'Write 1 = "Never".', value=answer)
        is_a(label, "text", where=f"[scale] labels {answer!r}")
    return {float(answer): label for answer, label in said.items()}


def _check_words(scale: Scale) -> None:
    """The words a respondent writes: told apart without capitals, and as many as the scale has steps."""
    written = [*scale.words, *scale.unscored]
    for word in written:
        if not word or word != word.strip():
            raise Misdescribed(
                "[scale] has a word that is blank or has spaces around it.", "Write the word.", value=word
            )
    lowered = [word.lower() for word in written]
    twice = sorted({word for word in lowered if lowered.count(word) > 1})
    if twice:
        raise Misdescribed(f"[scale] has {twice[0]!r} twice; capitals do not count.", "Rename one.", value=twice[0])
    if scale.words and len(scale.words) != scale.options:
        last = scale.low + (len(scale.words) - 1) * scale.step
        raise Misdescribed(
            f"[scale] has {len(scale.words)} words for {scale.options} steps.",
            f"Write a word for each step, or high = {last:g}.",
            value=f"{scale.high:g}",
        )
    if scale.unscored and not scale.words:
        raise Misdescribed(
            "[scale] has unscored words on a scale of numbers.", 'Write the others as words too: words = ["1", "2", …].'
        )


def _domain(said: Mapping[str, Any]) -> Domain:
    check_keys(said, where="A [[domains]] entry", needed=("key", "label"), also=("aspect",))
    check_kinds(said, {"key": "text", "label": "text", "aspect": "text"}, where="A [[domains]] entry")
    return Domain(**said)


def _item(said: Mapping[str, Any], domains: tuple[Domain, ...]) -> Item:
    where = "An [[items]] entry"
    also = {"role": "text", "reversed": "yes or no", "points": "table", "points_verified": "list"}
    check_keys(said, where=where, needed=("key", "domain", "text"), also=also)
    check_kinds(said, {"key": "text", "domain": "text", "text": "text", **also}, where=where)
    keys = [domain.key for domain in domains]
    if said["domain"] not in keys:
        raise Misdescribed(
            f"The item {said['key']!r} is in no known domain.", nearest(said["domain"], keys), value=said["domain"]
        )
    points = said.get("points", {})
    for word, value in points.items():
        is_a(value, "number", where=f"The item {said['key']!r}: points of {word!r}")
        if not math.isfinite(value):
            raise Misdescribed(
                f"The item {said['key']!r} gives {word!r} no finite points.", "Write a number.", value=str(value)
            )
    worth = {word: float(value) for word, value in points.items()}
    return Item(**{**said, "points": worth, "points_verified": _words(said, "points_verified")})


def _overall(said: Mapping[str, Any]) -> Overall:
    check_keys(said, where="[overall]", needed=("kind", "defined_by"))
    check_kinds(said, {"kind": "text", "defined_by": "text"}, where="[overall]")
    if said["kind"] not in _OVERALLS:
        raise Misdescribed(
            "[overall] kind is not one evalkit computes.", f"Write {' or '.join(_OVERALLS)}.", value=said["kind"]
        )
    return Overall(**said)


def _cautions(said: Mapping[str, Any]) -> dict[str, str]:
    for kind, sentence in said.items():
        is_a(sentence, "text", where=f"[cautions] {kind!r}")
    return dict(said)


def _band(said: Mapping[str, Any]) -> Band:
    where = "A [[bands]] entry"
    kinds = {"from_score": "number", "label": "text", "source": "text", "verified": "yes or no"}
    check_keys(said, where=where, needed=kinds)
    check_kinds(said, kinds, where=where)
    return Band(float(said["from_score"]), said["label"], said["source"], said["verified"])
