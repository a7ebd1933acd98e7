"""Which figures would tell a few people beside the totals that other questions print, and so go with the few."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import circumstances
from evalkit.errors import NotEnoughEvidence
from evalkit.population import spans

if TYPE_CHECKING:
    from evalkit.measure import Measure
    from evalkit.programme import Programme

YEAR = 12
APRIL = 4


def tells(
    counted: pd.DataFrame, sets: Sequence[pd.Series[Any]], minimum: int, *, besides: pd.Series[bool] | None = None
) -> pd.Series[int]:
    """How few each row would tell; missing where it may be shown.

    `counted`: columns that count people, each of which is told by its total less the other rows. `sets`: a label a row;
    the rows of one label make up a total that is told somewhere, those without a label none. `besides`: rows withheld
    for another reason. In each set the next smallest go too, until neither one alone nor too few together are left out.

    >>> monthly = pd.DataFrame({"n": [3, 30, 20, 25]})
    >>> tells(monthly, [pd.Series(["2024/25", "2024/25", "2025/26", "2025/26"])], 5).tolist()
    [3, 3, <NA>, <NA>]
    """
    few = ((counted > 0) & (counted < minimum)).any(axis="columns")
    gone = few if besides is None else few | besides
    size, grown = counted.min(axis="columns"), True
    while grown:
        grown = False
        for labels in sets:
            for _, rows in counted.groupby(labels):
                another = _another(rows, gone.loc[rows.index], size, minimum)
                grown |= another is not None
                if another is not None:
                    gone.loc[another] = True
    smallest = counted[few].where(counted > 0).min().min() if few.any() else 1
    return pd.Series(int(smallest), index=counted.index, dtype="Int64").where(gone)


def _another(rows: pd.DataFrame, gone: pd.Series[bool], size: pd.Series[Any], minimum: int) -> Any:
    """The row of a set that must go as well, by its index; None where what is gone cannot be worked out."""
    lost = rows[gone].sum()
    if not gone.any() or (gone.sum() > 1 and not ((lost > 0) & (lost < minimum)).any()):
        return None
    left = rows[~gone & (rows.max(axis="columns") > 0)]
    return None if left.empty else size.loc[left.index].sort_values(kind="stable").index[0]


def times(programme: Programme, measure: Measure, periods: pd.Series[pd.Timestamp], span: int) -> list[pd.Series[Any]]:
    """Sets of periods whose totals other questions print: financial years, the last year, the year before the start and
    all since it, and what `population.rates` tells unless it is asked for another time."""
    after = periods + pd.DateOffset(months=span)
    ends = [after.max()]
    sets = [periods.dt.year - (periods.dt.month < APRIL)]
    start = _start(programme)
    if start is not None:
        ends.append(start)
        sets.append((periods >= start).astype(int))
    told = [(end - pd.DateOffset(months=YEAR), end) for end in ends] + _rates(programme, measure)
    for begins, over in told:
        inside = (periods >= begins) & (after <= over)
        sets.append(inside.astype("Int64").where(inside))
    return sets


def _start(programme: Programme) -> pd.Timestamp | None:
    """The first whole month of the programme in its first place, where somebody says."""
    own = programme.places[~programme.places["place_id"].isin(circumstances.comparison_places(programme))]
    begun = own["start"].min() if own["start"].notna().any() else programme.starts_on
    if begun is None:
        return None
    day = pd.Timestamp(begun)
    return day if day.day == 1 else day + pd.offsets.MonthBegin(1)


def _rates(programme: Programme, measure: Measure) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """The periods of `population.rates`, each from its first day to the day after its last."""
    try:
        told = spans.asked(spans.figures(programme, measure), None)
    except NotEnoughEvidence:
        return []
    day = pd.Timedelta(days=1)
    return [(pd.Timestamp(one.first), pd.Timestamp(one.last) + day) for one in told]
