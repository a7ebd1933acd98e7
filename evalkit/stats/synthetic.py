"""One place, or a few, beside a mix of the others that went the same way before: the synthetic control."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.stats import donor_mix, panel_of_units, placebos, predictor_weights
from evalkit.stats.donor_mix import DonorMix
from evalkit.stats.panel_of_units import Panel
from evalkit.stats.periods import Start
from evalkit.stats.placebos import Pool
from evalkit.stats.predictor_weights import Measured, Predictor
from evalkit.stats.student import share
from evalkit.stats.synthetic_cautions import Chosen, cautions

Flags = NDArray[np.bool_]

METHOD = "Synthetic control: the mix of untreated places nearest before the start; placebos in space"
SOURCE = (
    "Abadie & Gardeazabal (2003), Am. Econ. Rev. 93(1), 113–132; Abadie, Diamond & Hainmueller (2010), J. Am. Stat. "
    "Assoc. 105(490), 493–505; interval: Firpo & Possebom (2018), J. Causal Inference 6(2), 20160026, section 4."
)


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticControl:
    """What `synthetic` found: how far the treated places went from the mix of others that had gone along with them.

    `estimate`, also called `effect`: the mean gap from the start on, in the outcome's unit. `low` and `high`: the
    constant differences that relabelling does not reject, an end infinite where placebos made of the treated places
    rule nothing out; not numbers where `no_interval` says why. `p` ranks the ratio of the root mean squared gap after
    to that before, `p_gap` the mean gap itself: the shares `rank` / `of` and `rank_gap` / `of` of labellings, the
    observed one among them, that lie at least as far out. `smallest_p` is the least they can be. `p_close` is `p` among
    the `of_close` labellings that fit not much worse (`donor_mix.CLOSE`).

    `fit`: root mean squared gap over the periods fitted; `fit_limit`: the least any mix could leave there, and
    `effect_limit` the mean gap of that mix (they differ from `fit` and `effect` with predictors only). `outside`: share
    of the periods fitted in which the treated lie outside all donors. `cautions`: sentences to print with the number.
    `n` counts places. `backdated`: the same question asked of a start before the start, where asked for.
    """

    estimate: float
    low: float
    high: float
    no_interval: str
    confidence: float
    p: float
    p_gap: float
    p_close: float
    smallest_p: float
    rank: int
    rank_gap: int
    of: int
    of_close: int
    exact: bool
    seed: int | None
    fit: float
    fit_limit: float
    effect_limit: float
    outside: float
    n: int
    n_treated: int
    n_comparison: int
    n_before: int
    n_after: int
    cautions: tuple[str, ...]
    method: str
    source: str
    backdated: SyntheticControl | None
    _mix: DonorMix = field(repr=False)

    @property
    def effect(self) -> float:
        """The mean gap from the start on: the `estimate` by its name in the literature."""
        return self.estimate

    @property
    def weights(self) -> pd.Series[float]:
        """The share of each donor in the mix, by name; they sum to one."""
        return self._mix.weights()

    @property
    def path(self) -> pd.DataFrame:
        """A row a period: period, observed, synthetic, gap, after (from the start on), fitted."""
        return self._mix.path()

    @property
    def placebos(self) -> pd.DataFrame:
        """A row a labelling, the observed first: treated, observed, gap, fit, fit_after, ratio, close."""
        return self._mix.placebos()

    @property
    def leave_one_out(self) -> pd.DataFrame:
        """A row a donor that counts, by name: left_out, weight, and without it effect and fit."""
        return self._mix.leave_one_out()

    @property
    def predictors(self) -> pd.DataFrame:
        """A row a predictor: predictor, importance, treated, synthetic, donors (their plain mean); none without any."""
        return self._mix.predictors()

    def interval(self, confidence: float) -> tuple[float, float]:
        """The differences that relabelling does not reject at another confidence; refuses one out of its reach."""
        found, why_not = self._mix.interval(share(confidence))
        if found is None:
            raise ValueError(why_not)
        return found


def synthetic(
    frame: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    treated: Collection[Hashable],
    start: Start,
    predictors: Sequence[str | Predictor] | None = None,
    fitted: tuple[Start | None, Start | None] | None = None,
    backdated: Start | None = None,
    chosen: Chosen = "not said",
    placebo_donors: Pool = "everyone",
    confidence: float = 0.95,
    allocations: int = 1_000,
    seed: int | None = None,
) -> SyntheticControl:
    """How far did the treated places go from the mix of others that had gone along with them?

    With y_t the mean outcome of the treated places and Y_jt that of J donors, weights w ≥ 0 with Σ w = 1 minimise
    Σ_t (y_t − Σ_j w_j Y_jt)² over the periods before `start`, or those within `fitted` (first, last). That is V = I,
    solved to rounding (`simplex_weights.fit`). With `predictors`, a list of columns or of
    `Predictor(column, first, last)`, donors are mixed to match predictors instead, each counted as much as makes the
    mix follow past outcomes (`predictor_weights.search`). The estimate is the mean gap y_t − Σ_j w_j Y_jt from the
    start on.

    Placebos: every way to call as many places treated (`allocations` of them, drawn with `seed`, where there are more),
    mixed and measured alike. Treated places are donors then, as in Abadie, Diamond and Hainmueller (2010, p. 501), so
    that without any effect all labellings are alike; placebo_donors="untreated" sets them aside, as several programs
    do. `p` ranks √(Σ gap² / T) after the start over that before, so that a place nobody could match is not unusual for
    it. `p_gap` ranks the mean gap alone and takes such a misfit for news: with one of 19 places treated and nothing
    going on, the place came out first (nominally 5.3 %) in 4.8-6.0 % of simulations by either if drawn by lot, but if
    it was the highest before in 0-1 % by `p` and 11-41 % by `p_gap` (`tests/calibration_synthetic.py`).

    The interval runs over all differences, the same in each period, that relabelling does not reject once they are
    taken off the treated (`placebos.standing`): 0 lies in it whenever `p` exceeds 1 − `confidence`. There can be one
    only where 1 / labellings is at most 1 − `confidence`: from 20 places on at 95 % with one treated.

    One treated place gives a rank and an interval, never a verdict. `chosen` says how places came to be treated: "by
    lot", "for being extreme" or "not said". `backdated` asks of a start before the start, with the periods up to it.

    `frame`: a row a place and period, every place with the same periods; `time` and `start` as in
    `series.interrupted`. Counts should be rates: places of other sizes do not mix. Source: see `SOURCE`.

    Raises ValueError, naming places and periods: unknown treated places, all treated, fewer than two donors, missing
    rows or values, repeated periods, no period before or after, places all alike, predictors with gaps or past the
    start.

    >>> years = pd.DataFrame([(year, place) for year in range(7) for place in "ABCDE"], columns=["year", "place"])
    >>> years["rate"] = [5, 4, 8, 2, 6, 6, 4, 9, 3, 5, 6, 5, 9, 3, 6, 7, 5, 10, 4, 7, 7, 6, 11, 5, 7, 5, 6, 11, 5, 7,
    ...     5, 7, 12, 4, 8]
    >>> found = synthetic(years, outcome="rate", unit="place", time="year", treated=["A"], start=5)
    >>> print(f"{found.effect:.2f}, fit {found.fit:.2f}, p {found.p:.1f}, rank {found.rank} of {found.of}")
    -2.69, fit 0.34, p 0.2, rank 1 of 5
    >>> found.weights.round(3).to_dict()
    {'B': 0.0, 'C': 0.333, 'D': 0.381, 'E': 0.286}
    """
    share(confidence)
    panel = panel_of_units.read(frame, outcome, unit, time)
    flags = panel.flags(treated)
    _check_arms(flags)
    first = panel.first_after(start)
    before = np.arange(len(panel.labels)) < first
    within = np.ones_like(before) if fitted is None else predictor_weights.window(panel, *fitted, "fitted")
    measured = [] if predictors is None else predictor_weights.read(frame, panel, unit, time, predictors, before)
    relabellings = placebos.relabellings(flags, pool=placebo_donors, most=allocations, seed=seed)
    now = donor_mix.mix(panel, flags, before, within, measured, relabellings)
    then = None
    if backdated is not None:
        earlier = panel.first_after(backdated)
        if earlier >= first:
            raise ValueError(f"backdated {backdated} must come before the start, {start}.")
        cut = _until(panel, first)
        shorter = [Measured(each.name, each.values[:, :first], each.window[:first]) for each in measured]
        kept = np.arange(first) < earlier
        then = _answer(donor_mix.mix(cut, flags, kept, within[:first], shorter, relabellings), confidence, chosen, None)
    return _answer(now, confidence, chosen, then)


def _answer(mix: DonorMix, confidence: float, chosen: Chosen, backdated: SyntheticControl | None) -> SyntheticControl:
    """Ranks, interval and cautions from gaps."""
    gaps = np.abs(mix.gaps[:, ~mix.before].mean(axis=1))
    fit, _, ratio = mix.spreads()
    close = donor_mix.close_fits(fit)
    rank, rank_gap, of = placebos.at_least(ratio), placebos.at_least(gaps), len(gaps)
    ends, no_interval = mix.interval(confidence)
    low, high = ends or (math.nan, math.nan)
    limit, effect_limit = donor_mix.limit(mix)
    return SyntheticControl(
        estimate=mix.mean_gap,
        low=low,
        high=high,
        no_interval=no_interval,
        confidence=confidence,
        p=rank / of,
        p_gap=rank_gap / of,
        p_close=placebos.at_least(ratio[close]) / int(close.sum()),
        smallest_p=1 / of,
        rank=rank,
        rank_gap=rank_gap,
        of=of,
        of_close=int(close.sum()),
        exact=mix.relabellings.exact,
        seed=mix.relabellings.seed,
        fit=float(fit[0]),
        fit_limit=limit,
        effect_limit=effect_limit,
        outside=donor_mix.outside(mix),
        n=len(mix.treated),
        n_treated=int(mix.treated.sum()),
        n_comparison=int((~mix.treated).sum()),
        n_before=int(mix.before.sum()),
        n_after=int((~mix.before).sum()),
        cautions=cautions(mix, chosen),
        method=METHOD,
        source=SOURCE,
        backdated=backdated,
        _mix=mix,
    )


def _check_arms(flags: Flags) -> None:
    if not flags.any():
        raise ValueError("No place is treated. Name in `treated` at least one of the places.")
    if flags.all():
        raise ValueError("Every place is treated, so there is nobody to mix. Add comparison places.")
    if (~flags).sum() < 2:
        raise ValueError("One donor is no mix: compare with it directly, or add comparison places.")


def _until(panel: Panel, column: int) -> Panel:
    """The panel before a period."""
    return replace(
        panel,
        labels=panel.labels[:column],
        positions=panel.positions[:column],
        values=panel.values[:, :column],
        moments=panel.moments[:column],
    )
