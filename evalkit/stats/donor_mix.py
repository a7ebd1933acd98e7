"""The mix of donors beside the treated units, for them and for every placebo, and what is left between."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evalkit.stats import placebos, predictor_weights, simplex_weights
from evalkit.stats.panel_of_units import Panel
from evalkit.stats.periods import Floats
from evalkit.stats.placebos import Relabellings
from evalkit.stats.predictor_weights import Measured
from evalkit.stats.student import NO_SPREAD

Flags = NDArray[np.bool_]

COUNTS = 1e-6
"""A donor of less weight than this is rounding."""
CLOSE = 5.0
"""Placebos that fit more than so many times worse than the treated are left out where only close fits count. Our
choice: Abadie, Diamond and Hainmueller (2010, figures 5-7) leave out at 20, 5 and 2 times the mean *squared* gap; 5
times its root is 25 times the mean squared gap, near the widest of theirs."""


@dataclass(frozen=True, slots=True, eq=False)
class DonorMix:
    """Places (N, T), which periods lie before and which were fitted, predictors (K, N), and all labellings mixed."""

    panel: Panel
    treated: Flags
    before: Flags
    used: Flags
    standard: Floats | None
    measured: list[Measured]
    relabellings: Relabellings
    factors: Floats
    importance: Floats | None

    @property
    def mean_gap(self) -> float:
        """The treated units less their mix, over all periods from the start on."""
        return float(self.gaps[0, ~self.before].mean())

    @property
    def gaps(self) -> Floats:
        """(L, T): the labelled places less their mix, in every period."""
        return self.factors @ self.panel.values

    def spreads(self) -> tuple[Floats, Floats, Floats]:
        """(L,) each: root mean squared gaps over the periods fitted and after the start, and their ratio.

        A fit exact to rounding is 0, and makes the ratio infinite, or 0 where nothing is left after the start either.
        """
        gaps = self.gaps
        fit, after = root_mean_square(gaps[:, self.used]), root_mean_square(gaps[:, ~self.before])
        rounding = NO_SPREAD * 1e3 * float(np.abs(self.panel.values - self.panel.values.mean(axis=0)).max())
        fit = np.where(fit > rounding, fit, 0.0)
        ratio = np.where(after > rounding, np.inf, 0.0)
        return fit, after, np.divide(after, fit, out=ratio, where=fit > 0)

    def interval(self, confidence: float) -> tuple[tuple[float, float] | None, str]:
        """All constant differences that relabelling by the ratio does not reject; or none, and the words why."""
        labellings = len(self.factors)
        fit, _, ratio = self.spreads()
        if (1 - confidence) * labellings < 1 - placebos.TIED:
            reach = math.floor(1000 * (1 - 1 / labellings)) / 10
            return None, (
                f"{labellings} labellings can reject nothing at {100 * confidence:g} % confidence; they reach "
                f"{reach:g} %. Take a lower confidence, or more places."
            )
        if not np.isfinite(ratio[0]) or fit[0] == 0:
            return None, "The mix fits to the last digit before the start, so there is no size to measure gaps by."
        pieces = placebos.standing(self.gaps[:, ~self.before], fit, self.factors @ self.treated)
        found = placebos.interval(*pieces, labellings, confidence)
        return found, "" if found else (
            f"No difference that is the same in all periods stands at {100 * confidence:g} % confidence: after "
            "the start the gap changes more than in the placebos. See the path."
        )

    def weights(self) -> pd.Series[float]:
        """The observed mix, by donor."""
        donors = ~self.treated
        labels = pd.Index([self.panel.units[int(place)] for place in np.flatnonzero(donors)], name="unit")
        return pd.Series(np.maximum(0.0, -self.factors[0, donors]), index=labels, name="weight")

    def path(self) -> pd.DataFrame:
        """A row a period."""
        observed = self.panel.values[self.treated].mean(axis=0)
        gap = self.gaps[0]
        told = {"observed": observed, "synthetic": observed - gap, "gap": gap, "after": ~self.before}
        return pd.DataFrame({"period": self.panel.labels} | told | {"fitted": self.used})

    def placebos(self) -> pd.DataFrame:
        """A row a labelling."""
        fit, after, ratio = self.spreads()
        labels = self.relabellings.labels
        called = [", ".join(str(self.panel.units[int(place)]) for place in np.flatnonzero(row)) for row in labels]
        told = {"gap": self.gaps[:, ~self.before].mean(axis=1), "fit": fit, "fit_after": after, "ratio": ratio}
        rows = {"treated": called, "observed": np.arange(len(labels)) == 0} | told | {"close": close_fits(fit)}
        return pd.DataFrame(rows)

    def leave_one_out(self) -> pd.DataFrame:
        """A row a donor that counts; predictors are weighed anew each time."""
        left = np.flatnonzero((self.factors[0] < -COUNTS) & ~self.treated)
        donors = np.tile(~self.treated, (len(left), 1))
        donors[np.arange(len(left)), left] = False
        labels = np.tile(self.treated, (len(left), 1))
        factors, _ = mixed(self.panel.values[:, self.used], self.standard, labels, donors)
        gaps = factors @ self.panel.values
        told = {"effect": gaps[:, ~self.before].mean(axis=1), "fit": root_mean_square(gaps[:, self.used])}
        named_so = [self.panel.units[int(place)] for place in left]
        return pd.DataFrame({"left_out": named_so, "weight": -self.factors[0, left]} | told)

    def predictors(self) -> pd.DataFrame:
        """A row a predictor, in its own unit."""
        columns = ["predictor", "importance", "treated", "synthetic", "donors"]
        if self.standard is None or self.importance is None:
            return pd.DataFrame({name: pd.Series(dtype=object if name == "predictor" else float) for name in columns})
        raw = np.array([np.nanmean(each.values[:, each.window & self.before], axis=1) for each in self.measured])
        mine = raw[:, self.treated].mean(axis=1)
        told = [[each.name for each in self.measured], self.importance, mine, mine - raw @ self.factors[0]]
        return pd.DataFrame(dict(zip(columns, [*told, raw[:, ~self.treated].mean(axis=1)], strict=True)))


def mix(
    panel: Panel, treated: Flags, before: Flags, within: Flags, measured: list[Measured], relabellings: Relabellings
) -> DonorMix:
    """All labellings mixed: over the periods `before` and `within` those to be fitted, or to match predictors."""
    used = before & within
    if not used.any():
        raise ValueError("No period before the start lies within the periods to be fitted. Widen `fitted`.")
    past = panel.values[:, used]
    if np.ptp(past, axis=0).max() <= NO_SPREAD * np.abs(past).max():
        raise ValueError("Before the start all places are alike, so no mix of donors is nearer than another.")
    standard = predictor_weights.means(measured, before, panel.units) if measured else None
    factors, importance = mixed(past, standard, relabellings.labels, relabellings.donors)
    return DonorMix(panel, treated, before, used, standard, measured, relabellings, factors, importance)


def mixed(past: Floats, standard: Floats | None, labels: Flags, donors: Flags) -> tuple[Floats, Floats | None]:
    """The factors of all labellings (L, N), and the importance of predictors in the first."""
    if standard is None:
        return simplex_weights.relabelled(past.T, labels, donors), None
    factors = np.where(labels, 1 / labels.sum(axis=1, keepdims=True), 0.0)
    first = None
    for row, used in enumerate(donors):
        target = factors[row]
        found = predictor_weights.search(standard[:, used], standard @ target, past[used].T, target @ past)
        factors[row, used] = -found.weights
        first = found.importance if first is None else first
    return factors, first


def limit(fitted: DonorMix) -> tuple[float, float]:
    """Fit and mean gap of the mix that lies nearest in outcomes, which without predictors is the mix itself."""
    row = fitted.factors[:1]
    if fitted.standard is not None:
        row, _ = mixed(fitted.panel.values[:, fitted.used], None, fitted.treated[None], ~fitted.treated[None])
    gaps = row @ fitted.panel.values
    return float(root_mean_square(gaps[:, fitted.used])[0]), float(gaps[0, ~fitted.before].mean())


def outside(fitted: DonorMix) -> float:
    """The share of periods fitted in which the treated lie above all donors or below all."""
    past = fitted.panel.values[:, fitted.used]
    mine, others = past[fitted.treated].mean(axis=0), past[~fitted.treated]
    return float(((mine > others.max(axis=0)) | (mine < others.min(axis=0))).mean())


def close_fits(fit: Floats) -> Flags:
    """Which fits are at most `CLOSE` times the first, which is always one of them."""
    close = fit <= CLOSE * fit[0]
    close[0] = True
    return np.asarray(close)


def root_mean_square(gaps: Floats) -> Floats:
    """(L,) of gaps (L, T)."""
    return np.asarray(np.sqrt((gaps**2).mean(axis=1)))
