"""How few leaders the shares of styles would tell together with their change, or with the mean number of styles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evalkit.individual.small_classes import fewest, part_tells

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.stats import proportions


def change_tells(moved: proportions.PairedProportions, leads: Sequence[pd.Series[float]], minimum: int) -> int | None:
    """How few leaders the change in a style would tell beside its share at both waves; None where it does not.

    leads: at either wave, 1 where a leader leads so, 0 where not. It tells those who began or stopped to lead so, and a
    share that is kept back. Else: of those at both, so many lead so at both, whatever fits the shares shown. Where one
    number only fits, what the others said is known.
    """
    most = moved.n - moved.only_before - moved.only_after
    shares = [part_tells(int(each.sum()), int(each.notna().sum()), minimum) for each in leads]
    few = [each for each in (fewest([moved.only_before, moved.only_after, most], minimum), *shares) if each]
    if few:
        return min(few)
    fits, alone = [*range(most + 1)], []
    for each, moved_there in zip(leads, (moved.only_before, moved.only_after), strict=True):
        rest = int(each.notna().sum()) - moved.n
        fits = [both for both in fits if 0 <= int(each.sum()) - both - moved_there <= rest]
        alone += [rest] if rest else []
    return min(alone) if alone and len(fits) == 1 else None


def sum_tells(leads: pd.DataFrame, minimum: int) -> int | None:
    """How few leaders the mean number of styles would tell: it is a sum of shares, and tells the one style kept back,
    or those kept back together. leads: leaders × styles at a wave."""
    told = []
    for style in leads.columns:
        lead, others = int(leads[style].sum()), int((leads[style] == 0).sum())
        if part_tells(lead, lead + others, minimum):
            told.append((lead, others))
    return fewest((sum(each) for each in zip(*told, strict=True)), minimum)
