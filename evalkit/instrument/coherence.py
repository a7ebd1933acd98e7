"""What the parts of a questionnaire demand of one another; Misdescribed where they do not hold together."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from data_schemas.catalogues import Misdescribed, nearest
from evalkit.instrument.parts import OVERALL

if TYPE_CHECKING:
    from evalkit.instrument.parts import Item
    from evalkit.instrument.questionnaire import Instrument


def hold_together(found: Instrument) -> None:
    """Every rule between the parts, those on which others rest first."""
    for rule in (_keys, _rules, _anchors, _cautions, _recorded, _points, _reversed, _sums, _bands):
        rule(found)


def _keys(found: Instrument) -> None:
    for what, keys in (("domain", [d.key for d in found.domains]), ("item", [i.key for i in found.items])):
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise Misdescribed(f"Two entries share the {what} key {twice[0]!r}.", "Rename one.", value=twice[0])
    bare = [domain.key for domain in found.domains if not any(item.domain == domain.key for item in found.items)]
    if bare:
        raise Misdescribed(f"The domain {bare[0]!r} has no item.", "Add an item to it, or remove it.", value=bare[0])
    if not found.domains:
        raise Misdescribed("The instrument has no domain.", "Add a [[domains]] entry, if only one for all items.")


def _rules(found: Instrument) -> None:
    if not 0 < found.at_least <= 1:
        raise Misdescribed("[missing] at_least is not a share above 0 and up to 1.", "Write 0.5 for half of the items.")
    if found.better not in ("higher", "lower"):
        raise Misdescribed("better is neither higher nor lower.", "Write one of them.", value=str(found.better))
    if found.combine not in ("mean", "sum"):
        raise Misdescribed("combine is neither mean nor sum.", "Write one of them.", value=str(found.combine))


def _anchors(found: Instrument) -> None:
    keys = [domain.key for domain in found.domains]
    stray = sorted(set(found.anchors) - set(keys))
    if stray:
        raise Misdescribed(
            f"[anchors] describes {stray[0]!r}, which is no domain.", nearest(stray[0], keys), value=stray[0]
        )


def _cautions(found: Instrument) -> None:
    stray = sorted(set(found.cautions) - set(found.subjects)) if found.subjects else []
    if stray:
        raise Misdescribed(
            f"[cautions] speaks of {stray[0]!r}, which the instrument is not about.",
            nearest(stray[0], found.subjects),
            value=stray[0],
        )


def _recorded(found: Instrument) -> None:
    if found.scale.kind == "nominal" and not found.scale.words:
        raise Misdescribed("[scale] names kinds without words for them.", 'Write words = ["…", "…"].')
    if found.scale.kind == "nominal" and not found.recorded:
        raise Misdescribed("[scale] names kinds, which have no average.", "Write recorded = true.")
    scored = {"overall": found.overall, "combine": found.combine == "sum", "bands": found.bands}
    said = [name for name, value in scored.items() if value]
    if found.recorded and said:
        raise Misdescribed(
            f"The instrument is recorded and never scored, yet it has {said[0]}.", "Remove one of the two."
        )
    if found.recorded and found.has_points:
        raise Misdescribed(
            "The instrument is recorded and never scored, yet its items have points.", "Remove one of the two."
        )


def _points(found: Instrument) -> None:
    """All items have points or none has, and each word of the scale has its own."""
    if not found.has_points and not any(item.points_verified for item in found.items):
        return
    if not found.scale.words:
        raise Misdescribed("Items have points for words, and [scale] has no words.", 'Write words = ["a", "b", …].')
    for item in found.items:
        _points_of(item, found.scale.words)


def _points_of(item: Item, words: tuple[str, ...]) -> None:
    for what, named in (("points", item.points), ("points_verified", item.points_verified)):
        stray = [word for word in named if word not in words]
        if stray:
            raise Misdescribed(
                f"The item {item.key!r} has {what} for {stray[0]!r}, which the scale does not score.",
                nearest(stray[0], words),
                value=stray[0],
            )
    bare = [word for word in words if word not in item.points]
    if bare:
        raise Misdescribed(
            f"The item {item.key!r} has no points for {bare[0]!r}.", f"Write points = {{ {bare[0]} = … }}."
        )


def _reversed(found: Instrument) -> None:
    """An item can be turned round where answers are steps of an amount, and nowhere else."""
    turned = [item.key for item in found.items if item.reversed]
    if not turned or not (found.recorded or found.has_points):
        return
    why = "recorded answers are never scored"
    if found.scale.kind == "nominal":
        why = "kinds have no order to turn round"
    if found.has_points:
        why = "its points say which way is up"
    raise Misdescribed(f"The item {turned[0]!r} is reversed, but {why}.", "Remove reversed.", value=turned[0])


def _sums(found: Instrument) -> None:
    """A sum over fewer items is another sum: nothing may be missing, and no mean may be taken of domains' sums."""
    if found.combine == "sum" and found.at_least < 1:
        raise Misdescribed('combine = "sum" needs every item answered.', "Write at_least = 1.0 in [missing].")
    if found.overall is not None and (found.overall.kind == "sum_of_domains") != (found.combine == "sum"):
        fits = "sum_of_domains" if found.combine == "sum" else "mean_of_domains"
        raise Misdescribed(
            f'[overall] kind does not go with combine = "{found.combine}".',
            f"Write {fits}.",
            value=found.overall.kind,
        )


def _bands(found: Instrument) -> None:
    starts = [band.from_score for band in found.bands]
    if starts and found.overall is None:
        raise Misdescribed("[[bands]] speak of an overall score, and there is none.", "Add [overall], or remove them.")
    if not all(lower < upper for lower, upper in pairwise(starts)):
        raise Misdescribed("[[bands]] do not rise from one to the next.", "Order them by from_score, each once.")
    low, high = found.bounds[OVERALL] if starts else (0.0, 0.0)
    off = [start for start in starts if not low <= start <= high]
    if off:
        raise Misdescribed(
            f"A band begins where no score can be: scores go from {low:g} to {high:g}.",
            "Check from_score.",
            value=f"{off[0]:g}",
        )
