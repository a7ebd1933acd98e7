"""Before the start: did cohorts already go another way? Leads of the event study, tested together."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from evalkit.stats import group_time_labels
from evalkit.stats import group_time_summaries as summaries
from evalkit.stats.group_time_cells import Cells, Cohorts
from evalkit.stats.group_time_summaries import Judged
from evalkit.stats.periods import Floats

UNITS_A_LEAD = 20
"""With fewer units of a cohort to each of its leads the Wald test finds pre-trends that are not there and is left out:
its statistic is about n / (n − leads − 1) too large, so that 6 to 8 % pass 5 % at twenty units a lead (5 to 20 leads).
"""


@dataclass(frozen=True, slots=True, eq=False)
class PreTrend:
    """What `pretrend` found. `p` is by relabelling, always there; `wald`, `wald_df` and `p_wald` are None where units
    are too few for so many leads. `farthest` is the lead farthest from nought, in periods since the start."""

    p: float
    smallest_p: float
    allocations: int
    exact: bool
    seed: int | None
    farthest: int
    wald: float | None
    wald_df: int | None
    p_wald: float | None
    n: int
    caveat: str
    _leads: pd.DataFrame = field(repr=False)

    @property
    def leads(self) -> pd.DataFrame:
        """The event study before the start, a row a lead, with pointwise intervals and bands that hold for all."""
        return self._leads.copy()


CAVEAT = (
    "That no trend before the start is clear does not show that there was none, nor that groups would have gone the "
    "same way afterwards."
)


def pretrend(
    found: Cohorts,
    made: Cells,
    by_cell: Judged,
    dynamic: pd.DataFrame,
    allocations: int | None,
    seed: int | None,
) -> PreTrend:
    """Did cohorts differ in trend from those compared with already before their start?

    Leads are the event study before the start (less `anticipation`). `p`: start dates are dealt out to units anew; the
    statistic is the lead farthest from nought, each in its root mean square over all labellings. `wald`, as R's `did`
    prints it: leads by cohort and period, b' V⁺ b against χ²; only where every cohort has twenty units a lead.

    Absence of a clear pre-trend is not proof: such tests miss differences large enough to matter (Roth 2022, Am. Econ.
    Rev.: Insights 4, 305–322), and analysing only what passes makes it worse. `honest.bounds` says instead how large a
    departure the finding would bear.

    Raises ValueError where there is no lead: one period before the start.
    """
    events = summaries.dynamic(found, made)
    early = np.array([bool(made.lead[made.since == since].all()) for since in events.names])
    if not early.any():
        raise ValueError("One period before the start gives no lead: a trend needs two or more. Add earlier periods.")
    scores = summaries.scores(made, events.weights[:, early])
    again = group_time_labels.largest(found, scores, allocations, seed)
    leads = dynamic[early].reset_index(drop=True)
    wald, df, p_wald = _wald(found, by_cell, made)
    far, error = np.abs(leads["estimate"].to_numpy()), leads["se"].to_numpy()
    far = far / error if bool((error > 0).all()) else far
    return PreTrend(
        p=again.p,
        smallest_p=again.smallest_p,
        allocations=again.allocations,
        exact=again.exact,
        seed=again.seed,
        farthest=int(leads["since"].to_numpy()[np.argmax(far)]),
        wald=wald,
        wald_df=df,
        p_wald=p_wald,
        n=len(found.code),
        caveat=CAVEAT,
        _leads=leads,
    )


def for_bounds(made: Cells, by_event: Judged, base: str, anticipation: int) -> tuple[Floats, Floats, int, float | None]:
    """Event-study estimates, their covariance, how many are leads, and the fewest degrees of freedom of any."""
    if base != "last" or anticipation:
        raise ValueError(
            "Bounds speak of steps from the last period before the start: ask group_time again with base='last' and "
            "anticipation=0."
        )
    since = np.unique(made.since)
    wanted = np.r_[np.arange(since[0], -1), np.arange(0, since[-1] + 1)]
    if since[0] >= 0 or not np.array_equal(since, wanted):
        raise ValueError("Bounds need every period from the first lead to the last: at least one lead, and no gap.")
    if not by_event.known.all():
        lacking = ", ".join(str(each) for each in since[~by_event.known])
        raise ValueError(f"Bounds need a standard error of every period; there is none of {lacking}.")
    fewest = float(by_event.df.min())
    covariance = by_event.parts.T @ by_event.parts
    return by_event.estimate.copy(), covariance, int((since < 0).sum()), fewest if np.isfinite(fewest) else None


def _wald(found: Cohorts, by_cell: Judged, made: Cells) -> tuple[float | None, int | None, float | None]:
    from scipy.special import chdtrc

    leads = made.lead
    each = np.bincount(made.cohort[leads], minlength=len(found.sizes))
    enough = (each * UNITS_A_LEAD <= found.sizes).all() and each.max() * UNITS_A_LEAD <= made.n_comparison[leads].min()
    if not enough or not by_cell.known[leads].all():
        return None, None, None
    parts = by_cell.parts[:, leads] / by_cell.se[leads]
    values, vectors = np.linalg.eigh(parts.T @ parts)
    kept = values > 1e-10 * values[-1]
    wald = float(((vectors[:, kept].T @ (by_cell.estimate[leads] / by_cell.se[leads])) ** 2 / values[kept]).sum())
    return wald, int(kept.sum()), float(chdtrc(kept.sum(), wald))
