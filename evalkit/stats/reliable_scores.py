"""What reliable change starts from: the people with both scores, and what is taken as known of the instrument."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from evalkit.stats.pairs import flat, numbers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

Better = Literal["higher", "lower"]
SIGNS = {"higher": 1, "lower": -1}


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Complete pairs and what is taken as known of them.

    sd: that of the error; mean: what a score is drawn towards, None for that of `before`; norm: mean and standard
    deviation of a functional population; sign: 1 where higher is better, -1 where lower.
    """

    before: Floats
    after: Floats
    reliability: float
    reliability_after: float | None
    sd: float
    mean: float | None
    norm: tuple[float, float] | None
    sign: int

    @property
    def error(self) -> float:
        """Standard error of measurement."""
        return self.sd * math.sqrt(1 - self.reliability)

    @property
    def n(self) -> int:
        """Complete pairs."""
        return len(self.before)


@dataclass(frozen=True, slots=True, eq=False)
class Paired:
    """People with both scores (before, after; a row a person), and those without."""

    complete: pd.DataFrame
    incomplete: pd.Index[Any]


def paired_scores(before: ArrayLike, after: ArrayLike) -> Paired:
    """ValueError where people cannot be matched, or none has both scores."""
    both = isinstance(before, pd.Series) and isinstance(after, pd.Series)
    if both and not before.index.equals(after.index):  # type: ignore[union-attr]
        raise ValueError("before and after carry different indexes; put them in one order first (before.align(after)).")
    first, second = numbers(before, "before"), numbers(after, "after")
    if len(first) != len(second):
        raise ValueError(
            f"before has {len(first)} people and after has {len(second)}; pairs need one order and length."
        )
    ids = before.index if isinstance(before, pd.Series) else pd.RangeIndex(len(first))
    if ids.has_duplicates:
        raise ValueError(f"A person has one row; {ids[ids.duplicated()].unique()[0]!r} has more in the index.")
    known = ~np.isnan(first) & ~np.isnan(second)
    if not known.any():
        answered = f"{(~np.isnan(first)).sum()} answered before and {(~np.isnan(second)).sum()} after"
        raise ValueError(f"Nobody has both scores: of {len(first)} people {answered}. There is no change to class.")
    scores = pd.DataFrame({"before": first[known], "after": second[known]}, index=ids[known].rename(None))
    return Paired(complete=scores, incomplete=ids[~known])


def known_scores(
    people: pd.DataFrame,
    *,
    reliability: float,
    reliability_after: float | None,
    better: Better,
    sd: float | None,
    mean: float | None,
    norm: tuple[float, float] | None,
) -> Scores:
    """The pairs with what is taken as known of them. ValueError for settings that make no sense."""
    known(better, tuple(SIGNS), "better")
    _require_reliability(reliability, "reliability")
    if reliability_after is not None:
        _require_reliability(reliability_after, "reliability_after")
    if sd is not None and not 0 < sd < math.inf:
        raise ValueError(f"sd={sd} must be a number above 0.")
    if mean is not None and not math.isfinite(mean):
        raise ValueError(f"mean={mean} must be a number.")
    if norm is not None and not (len(norm) == 2 and math.isfinite(norm[0]) and 0 < norm[1] < math.inf):
        raise ValueError(f"norm={norm} must be a mean and a standard deviation above 0, in that order.")
    before = people["before"].to_numpy()
    return Scores(
        before=before,
        after=people["after"].to_numpy(),
        reliability=float(reliability),
        reliability_after=None if reliability_after is None else float(reliability_after),
        sd=_own_spread(before) if sd is None else float(sd),
        mean=None if mean is None else float(mean),
        norm=None if norm is None else (float(norm[0]), float(norm[1])),
        sign=SIGNS[better],
    )


def _require_reliability(value: float, name: str) -> None:
    if value is None or not 0 < value < 1:
        raise ValueError(f"{name}={value} must lie between 0 and 1: at 0 all is error, at 1 nothing is.")


def _own_spread(before: NDArray[np.float64]) -> float:
    if len(before) < 2 or flat(before):
        found = (
            "one person has" if len(before) < 2 else f"all {len(before)} people scored {before[0]:g} before and have"
        )
        raise ValueError(f"{found} no spread, so error of measurement has no size: give sd, that of a wider group.")
    return float(before.std(ddof=1))


def known(value: object, choices: Sequence[object], name: str) -> None:
    """ValueError for a word that is not among the choices."""
    if value not in choices:
        raise ValueError(f"{name}={value!r} is not known; choose one of {', '.join(map(str, choices))}.")
