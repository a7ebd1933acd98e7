"""Did one group change more than another? Two panels of different people, each with its own gaps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalkit.stats.student import t_interval, t_p

if TYPE_CHECKING:
    from evalkit.stats.panel import PanelChange


@dataclass(frozen=True, slots=True)
class DifferenceInChange:
    """The change of one group less that of another. `n` people, of them `n_both` at both waves; `clusters` in both."""

    estimate: float
    low: float
    high: float
    n: int
    n_both: int
    clusters: int
    se: float
    df: float
    p: float
    confidence: float

    def interval(self, confidence: float) -> tuple[float, float]:
        """The interval of this difference at another level of confidence."""
        return t_interval(self.estimate, self.se, self.df, confidence)


def difference(one: PanelChange, other: PanelChange, *, confidence: float = 0.95) -> DifferenceInChange:
    """How much more one group changed than another, each from all answers given (`panel.available`).

    Groups share nobody (and no team), so the robust variances add. It is CR2 of one regression with wave means of its
    own for each group: with v_g the variance of group g's change were people independent (`working_se`²) and d_g its
    degrees of freedom, df = (v_1 + v_2)² / (v_1²/d_1 + v_2²/d_2), Satterthwaite's under that working model, which for
    two arms of equal teams is K − 2. Welch's df, from the estimated variances, err on the safe side with few teams
    (3.0–3.9 % at 3 against 3 where 5 is meant); these kept 3.9–5.5 % with 6, 10 and 20 teams (`make calibrate`).
    Source: Pustejovsky & Tipton (2018), JBES 36(4), 672-683.

    Errors: none of its own; both changes exist already.

    >>> import pandas as pd
    >>> from evalkit.stats import panel
    >>> met = panel.available(pd.DataFrame({1: [2.0, 3, 3.5, 1], 2: [3, 3.5, 5, 2.5]}), first=1, last=2)
    >>> not_met = panel.available(pd.DataFrame({1: [2.0, 3, 3, 2], 2: [2.5, 2.5, 3.2, 2]}), first=1, last=2)
    >>> more = difference(met, not_met)
    >>> print(f"{more.estimate:.3f} ({more.low:.3f} to {more.high:.3f}), df {more.df:.0f}")
    1.075 (0.296 to 1.854), df 6
    """
    estimate = one.estimate - other.estimate
    se = math.hypot(one.se, other.se)
    working = [change.working_se**2 for change in (one, other)]
    df = sum(working) ** 2 / sum(v**2 / change.df for v, change in zip(working, (one, other), strict=True))
    low, high = t_interval(estimate, se, df, confidence)
    return DifferenceInChange(
        estimate=estimate,
        low=low,
        high=high,
        n=one.n + other.n,
        n_both=one.n_both + other.n_both,
        clusters=one.clusters + other.clusters,
        se=se,
        df=df,
        p=t_p(estimate, se, df),
        confidence=confidence,
    )
