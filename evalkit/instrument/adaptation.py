"""What a local adaptation changed, in plain sentences for the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from evalkit.instrument.parts import Domain

if TYPE_CHECKING:
    from evalkit.instrument.parts import Item, Scale
    from evalkit.instrument.questionnaire import Instrument


def differences(own: Instrument, base: Instrument) -> tuple[str, ...]:
    """What `own` says otherwise than `base`, a sentence each; empty when they are alike. The id is not compared.

    >>> from dataclasses import replace
    >>> from evalkit.instrument import shipped
    >>> differences(replace(shipped()["icfat"], edition="2013, ours"), shipped()["icfat"])
    ('The edition is 2013, ours, not 2012.',)
    """
    parts = (_names, _scale, _domains, _items, _asked_otherwise, _who, _scoring, _worthwhile, _meaning, _standing)
    return tuple(sentence for part in parts for sentence in part(own, base))


def _names(own: Instrument, base: Instrument) -> Iterator[str]:
    if own.edition != base.edition:
        yield f"The edition is {own.edition}, not {base.edition}."
    if own.name != base.name:
        yield f"It is called {_quoted([own.name])}, not {_quoted([base.name])}."
    if own.source != base.source:
        yield f"Its source is given as: {own.source}"
    if own.licence != base.licence:
        yield f"Its licence is given as: {own.licence}"


def _scale(own: Instrument, base: Instrument) -> Iterator[str]:
    new, old = own.scale, base.scale
    if _steps(new) != _steps(old):
        yield f"The scale is {_steps(new)}, not {_steps(old)}."
    if new.unscored != old.unscored:
        yield f"Answers that are not scored: {_or_none(new.unscored)} (before: {_or_none(old.unscored)})."
    if new.kind != old.kind:
        yield f"The scale is taken as {new.kind}, not {old.kind}."
    if new.labels != old.labels:
        yield "The answers have other labels."
    if new.evaluator_defined != old.evaluator_defined:
        whose = "the evaluator's" if new.evaluator_defined else "the instrument's own"
        yield f"The scale is now said to be {whose}."


def _steps(scale: Scale) -> str:
    """The scale without its unscored answers; codes are named where words leave them open."""
    if not scale.words:
        return f"{scale.low:g} to {scale.high:g}" + ("" if scale.step == 1 else f" in steps of {scale.step:g}")
    from_code = "" if scale.low == 0 and scale.step == 1 else f" (from {scale.low:g} in steps of {scale.step:g})"
    return ", ".join(scale.words) + from_code


def _domains(own: Instrument, base: Instrument) -> Iterator[str]:
    new, old = {part.key: part for part in own.domains}, {part.key: part for part in base.domains}
    yield from _came_and_went("domain", _only(new, old), _only(old, new))
    both = [key for key in new if key in old]
    for key in both:
        if new[key].label != old[key].label:
            yield f"The domain {_quoted([old[key].label])} is now called {_quoted([new[key].label])}."
        if new[key].aspect != old[key].aspect:
            yield f"The domain {_quoted([new[key].label])} now belongs to {new[key].aspect or 'no aspect'}."
    if both != [key for key in old if key in new]:
        yield "The domains stand in another order."


def _only(here: Mapping[str, Domain | Item], there: Mapping[str, Domain | Item]) -> list[str]:
    """The labels of domains, or the texts of items, that are here and not there."""
    parts = [part for key, part in here.items() if key not in there]
    return [part.label if isinstance(part, Domain) else part.text for part in parts]


def _items(own: Instrument, base: Instrument) -> Iterator[str]:
    new, old = {item.key: item for item in own.items}, {item.key: item for item in base.items}
    yield from _came_and_went("item", _only(new, old), _only(old, new))
    both = [key for key in new if key in old]
    labels = base.domain_labels | own.domain_labels
    for key in both:
        if new[key].text != old[key].text:
            yield f"Reworded: {_quoted([old[key].text])} is now {_quoted([new[key].text])}."
        if new[key].domain != old[key].domain:
            was, now = labels[old[key].domain], labels[new[key].domain]
            yield f"Moved: {_quoted([new[key].text])} from {_quoted([was])} to {_quoted([now])}."
    if both != [key for key in old if key in new]:
        yield "The items are asked in another order."


def _asked_otherwise(own: Instrument, base: Instrument) -> Iterator[str]:
    """Of the items both have: how an answer counts, and the role it stands beside."""
    old = {item.key: item for item in base.items}
    for item in own.items:
        was = old.get(item.key, item)
        named = _quoted([item.text])
        if item.reversed != was.reversed:
            yield f"{named} is {'now' if item.reversed else 'no longer'} turned round when it is scored."
        if dict(item.points) != dict(was.points):
            yield f"{named} scores other points: {_points(item.points)} (before: {_points(was.points)})."
        if item.points_verified != was.points_verified:
            seen, before = _or_none(item.points_verified), _or_none(was.points_verified)
            yield f"Points of {named} that were checked: {seen} (before: {before})."
        if item.role != was.role:
            yield f"{named} stands beside the role {_quoted([item.role]) if item.role else 'of none'}."


def _points(points: Mapping[str, float]) -> str:
    return ", ".join(f"{word} {value:g}" for word, value in points.items()) or "none"


def _came_and_went(what: str, came: Sequence[str], went: Sequence[str]) -> Iterator[str]:
    if came:
        yield f"Added {what if len(came) == 1 else f'{what}s'}: {_quoted(came)}."
    if went:
        yield f"Taken out, {what if len(went) == 1 else f'{what}s'}: {_quoted(went)}."


def _who(own: Instrument, base: Instrument) -> Iterator[str]:
    for what, new, old in (
        ("It may be about", own.subjects, base.subjects),
        ("It may be answered by", own.raters, base.raters),
    ):
        if new != old:
            yield f"{what}: {_people(new)} (before: {_people(old)})."


def _people(kinds: Sequence[str]) -> str:
    return ", ".join(kind.replace("_", " ") for kind in kinds) or "anyone"


def _scoring(own: Instrument, base: Instrument) -> Iterator[str]:
    if own.at_least != base.at_least:
        new, old = 100 * own.at_least, 100 * base.at_least
        yield f"A domain is scored when {new:.4g}% of its items are answered, not {old:.4g}%."
    if own.missing_source != base.missing_source:
        yield f"The rule for items left out rests on: {own.missing_source}"
    if own.combine != base.combine:
        yield f"A domain's score is now the {own.combine} of its items, not the {base.combine}."
    if own.recorded != base.recorded:
        yield f"It is {'now recorded and never averaged' if own.recorded else 'now scored, not only recorded'}."
    if own.better != base.better:
        yield f"A {own.better} score is now the better one."
    if own.overall != base.overall:
        yield f"Overall score: {_overall(own)} (before: {_overall(base)})."


def _overall(of: Instrument) -> str:
    return f"{of.overall.kind.replace('_', ' ')}, defined by {of.overall.defined_by}" if of.overall else "none"


def _worthwhile(own: Instrument, base: Instrument) -> Iterator[str]:
    if own.smallest_worthwhile_change != base.smallest_worthwhile_change:
        new, old = own.smallest_worthwhile_change, base.smallest_worthwhile_change
        said = ["not agreed" if value is None else f"{value:g}" for value in (new, old)]
        yield f"The smallest change that is worthwhile: {said[0]} (before: {said[1]})."
    if own.smallest_worthwhile_change_source != base.smallest_worthwhile_change_source:
        source = own.smallest_worthwhile_change_source or "nothing that is named"
        yield f"The smallest worthwhile change rests on: {source}"
    if own.smallest_worthwhile_change_verified != base.smallest_worthwhile_change_verified:
        checked = "was" if own.smallest_worthwhile_change_verified else "was not"
        yield f"The smallest worthwhile change {checked} checked against its source."


def _meaning(own: Instrument, base: Instrument) -> Iterator[str]:
    if own.anchors != base.anchors:
        given = sum(bool(own.anchors.get(domain.key)) for domain in own.domains)
        yield f"What each level means is written out for {given} of {len(own.domains)} domains."
    if own.bands != base.bands:
        bands = ", ".join(f"{band.label} from {band.from_score:g}" for band in own.bands)
        yield f"What overall scores are said to mean: {bands or 'nothing'}."
    for kind in sorted({*own.cautions, *base.cautions}):
        if own.cautions.get(kind) != base.cautions.get(kind):
            yield f"Caution when it is about a {kind}: {own.cautions.get(kind, 'none any more.')}"


def _standing(own: Instrument, base: Instrument) -> Iterator[str]:
    if own.verified != base.verified:
        yield f"Its words and scale {'were' if own.verified else 'were not'} checked against the source."
    if own.validated != base.validated:
        yield (
            "Studies show how well it measures." if own.validated else "No study shows how well it measures as adapted."
        )
    if own.self_assessed != base.self_assessed:
        yield f"It is {'now' if own.self_assessed else 'no longer'} a self-assessment."


def _or_none(words: Sequence[str]) -> str:
    return ", ".join(words) or "none"


def _quoted(texts: Sequence[str]) -> str:
    """Texts between quotation marks, listed."""
    marked = [f"‘{text}’" for text in texts]
    return marked[0] if len(marked) == 1 else f"{', '.join(marked[:-1])} and {marked[-1]}"
