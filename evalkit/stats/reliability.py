"""How far several items tell one thing: alpha and omega of a scale, with intervals that hold for small groups."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from evalkit.stats import one_factor
from evalkit.stats.scale_items import ScaleItems, counts, jackknife_se, left_out, percentiles, resampled, seed_used
from evalkit.stats.student import NO_SPREAD, share, t_interval

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

AlphaInterval = Literal["feldt", "jackknife", "bootstrap"]
OmegaInterval = Literal["jackknife", "bootstrap"]


@dataclass(frozen=True, slots=True, eq=False)
class Alpha:
    """Cronbach's alpha of n people who answered every item; n_incomplete answered some only and are left out.

    average_r: mean correlation between items. standardised: alpha of the items in standard deviations. negative: items
    that go against the rest. without_spread: items to which everybody gave one answer; they are left out. low and high
    are NaN where alpha is 1: items that are copies of each other leave nothing to make an interval of.
    """

    estimate: float
    low: float
    high: float
    n: int
    n_incomplete: int
    average_r: float
    standardised: float
    negative: tuple[Hashable, ...]
    without_spread: tuple[Hashable, ...]
    interval: AlphaInterval
    confidence: float
    resamples: int
    seed: int | None
    _items: pd.DataFrame = field(repr=False)

    @property
    def items(self) -> pd.DataFrame:
        """A row an item: item, alpha_without, r_rest (correlation with the sum of the others), n, missing.

        missing: people who left it blank. NaN: alpha_without where one item would be left, r_rest without spread.
        """
        return self._items.copy(deep=False)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What to look at before alpha is used, in words; empty where nothing stands out."""
        below = ("alpha is below 0: the items go against each other more than together.",) if self.estimate < 0 else ()
        copies = (
            ("alpha is 1: the items are copies of each other, and there is no interval.",) if self.estimate == 1 else ()
        )
        return (*below, *copies, *_said(self.negative, self.without_spread))


@dataclass(frozen=True, slots=True, eq=False)
class Omega:
    """McDonald's omega of n people who answered every item; n_incomplete answered some only and are left out.

    srmr: how far the correlations lie from those of one factor, as a root mean square; omega takes one factor as given.
    at_boundary: an item that one factor explains wholly (a Heywood case). negative, without_spread: as in `Alpha`.
    """

    estimate: float
    low: float
    high: float
    n: int
    n_incomplete: int
    srmr: float
    at_boundary: tuple[Hashable, ...]
    negative: tuple[Hashable, ...]
    without_spread: tuple[Hashable, ...]
    interval: OmegaInterval
    confidence: float
    resamples: int
    seed: int | None
    _items: pd.DataFrame = field(repr=False)

    @property
    def items(self) -> pd.DataFrame:
        """A row an item: item, loading and own (variance of its own) in units of the answers, standardised, n, missing.

        standardised: the loading in standard deviations of the item; NaN without spread.
        """
        return self._items.copy(deep=False)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What to look at before omega is used, in words; empty where nothing stands out."""
        edge = tuple(
            f"{item} fits best with nothing of its own (a Heywood case): too few people, or more than one factor."
            for item in self.at_boundary
        )
        return (*edge, *_said(self.negative, self.without_spread))


def alpha(
    items: ArrayLike | pd.DataFrame,
    *,
    confidence: float = 0.95,
    interval: AlphaInterval = "feldt",
    resamples: int = 9_999,
    seed: int | None = None,
) -> Alpha:
    """Cronbach's alpha: how reliable the sum of k items is, at the least, where their errors are unrelated.

    alpha = k/(k - 1) (1 - Σs_j²/s²), s_j² the variances of the items and s² that of their sum; standardised alpha =
    k r/(1 + (k - 1)r), r the average correlation. Sources: Cronbach (1951), Psychometrika 16(3), 297-334; Feldt,
    Woodruff & Salih (1987), Applied Psychological Measurement 11(1), 93-103, as psych::alpha.
    Alpha is no measure of one dimension, and below 0 where items go against each other more than together.

    interval: "feldt": 1 - (1 - alpha)F, F of n - 1 and (n - 1)(k - 1) degrees of freedom at both tails · "jackknife":
    alpha ± t(n - 1) x jackknife SE, cut at 1 · "bootstrap": percentiles of resampled people. Coverage of 95 % intervals
    (4 or 8 items of five answers, alpha .62-.87, n = 15, 30, 100, 4,000 sets each; bootstrap 6 items, 1,000 sets):
    answers spread over the scale: feldt .946-.959, jackknife .946-.958, bootstrap .90-.93;
    six in ten at the top answer:  feldt .892-.929, jackknife .936-.964, bootstrap .86-.92.
    **Feldt is too narrow where answers crowd at an end, and more people do not mend it**; choose "jackknife" there.

    items: people x items, NaN = no answer, **already keyed**: turn reversed items round first, for nothing is flipped
    here; what goes against the rest is named in `negative`. Only people who answered every item count (n); they are
    taken as independent of each other.
    Errors: ValueError for fewer than two items that vary, fewer than three complete people (four for "jackknife"), a
    total that does not vary, or resamples that leave none.

    >>> found = alpha([[4, 5, 4], [2, 3, 2], [5, 5, 4], [3, 3, 4], [1, 2, 2], [4, 3, 4]])
    >>> print(f"{found.estimate:.3f} ({found.low:.3f} to {found.high:.3f}), n = {found.n}")
    0.908 (0.612 to 0.986), n = 6
    """
    _known(interval, get_args(AlphaInterval))
    scale = ScaleItems.of(items)
    scale.require(people=4 if interval == "jackknife" else 3, items=2, why_items="a single item has no alpha.")
    n, k = scale.kept.shape
    covariance = scale.kept.T @ scale.kept / n
    estimate = float(_coefficient(k, np.trace(covariance), covariance.sum()))
    if math.isnan(estimate):
        raise ValueError("Everybody has the same total: the items cancel each other out, and there is no alpha.")
    limits = _alpha_limits(scale.kept, estimate, interval, share(confidence), resamples, seed)
    average, table = _by_item(scale, covariance)
    shared = 1 + (k - 1) * average
    return Alpha(
        estimate=estimate,
        low=limits.low,
        high=limits.high,
        n=n,
        n_incomplete=scale.given - n,
        average_r=average,
        standardised=k * average / shared if shared > NO_SPREAD else math.nan,
        negative=tuple(table.loc[table["r_rest"] < -NO_SPREAD, "item"]),
        without_spread=scale.without_spread,
        interval=interval,
        confidence=confidence,
        resamples=limits.resamples,
        seed=limits.seed,
        _items=table,
    )


def omega(
    items: ArrayLike | pd.DataFrame,
    *,
    confidence: float = 0.95,
    interval: OmegaInterval = "jackknife",
    resamples: int = 1_999,
    seed: int | None = None,
) -> Omega:
    """McDonald's omega (total): the share of the sum's variance that one factor behind the items carries.

    omega = (Σλ)²/((Σλ)² + Σθ), λ loadings and θ own variances of the one-factor model, by maximum likelihood
    (`one_factor.fit`), as lavaan. Source: McDonald (1999), Test Theory: A Unified Treatment, ch. 6. Where one factor
    fits, omega is alpha if loadings are equal and more if not; `srmr` above .08 says that it does not fit (Hu &
    Bentler 1999, Structural Equation Modeling 6(1), 1-55).
    **Heywood**: own variances are kept at 0 or above (lavaan lets them fall below); an item at 0 is named in
    `at_boundary`. Small groups often have one (4 items of unequal loadings: 41-48 % of sets at n = 20, 17-24 % at 50,
    2-4 % at 150): omega stands, with caution.

    interval: "jackknife": 1 - (1 - omega) exp(±h), h = t(n - 1) x jackknife SE/(1 - omega), every person left out in
    turn and the model fitted anew (150 people, 6 items: .03 s; 5,000, 40 items: half a minute) · "bootstrap":
    percentiles. Coverage of 95 % intervals (4 and 8 items of five answers, omega .64-.87; 800 sets at n = 20, 500 at
    50, 250 at 150): jackknife .936-.966, .924-.961 with six in ten at the top answer, .85-.95 in those sets of n = 20
    that are Heywood cases; bootstrap .92-.95 (4 items, 400 sets). Feldt's F about omega held .86-.92 at the top: not
    offered.

    items: as in `alpha`, already keyed. Errors: ValueError for fewer than three items that vary (with two the model is
    not identified: alpha is Spearman-Brown then), fewer than items + 2 complete people, items that are copies of each
    other (also where one person is left out), or a fit that does not settle.

    >>> answers = [[4, 3, 3], [2, 3, 2], [3, 2, 3], [1, 1, 1], [5, 5, 4], [5, 5, 3], [1, 2, 3], [4, 5, 4], [3, 2, 2]]
    >>> found = omega(answers)
    >>> print(f"{found.estimate:.3f} ({found.low:.3f} to {found.high:.3f}), n = {found.n}")
    0.923 (0.701 to 0.980), n = 9
    """
    _known(interval, get_args(OmegaInterval))
    scale = ScaleItems.of(items)
    two = "the model of two is not identified; alpha of two is Spearman-Brown's, use it."
    scale.require(people=len(scale.names_kept) + 2, items=3, why_items=two)
    n = len(scale.kept)
    covariance = scale.kept.T @ scale.kept / n
    sd = np.sqrt(np.diag(covariance))
    correlations = covariance / np.outer(sd, sd)
    model = _one_factor(correlations)
    estimate = float(one_factor.carried(model, sd)[0])
    limits = _omega_limits(scale.kept, model, estimate, interval, share(confidence), resamples, seed)
    loadings, own = model.loadings[0], model.own[0]
    apart = (correlations - model.implied[0])[np.tril_indices(len(sd))]
    return Omega(
        estimate=estimate,
        low=limits.low,
        high=limits.high,
        n=n,
        n_incomplete=scale.given - n,
        srmr=math.sqrt(float((apart**2).mean())),
        at_boundary=tuple(name for name, each in zip(scale.names_kept, own, strict=True) if each <= 0),
        negative=tuple(name for name, each in zip(scale.names_kept, loadings, strict=True) if each < 0),
        without_spread=scale.without_spread,
        interval=interval,
        confidence=confidence,
        resamples=limits.resamples,
        seed=limits.seed,
        _items=scale.frame(loading=loadings * sd, standardised=loadings, own=own * sd**2),
    )


class _Limits(NamedTuple):
    """An interval, with the draws it rests on (0 and None without)."""

    low: float
    high: float
    resamples: int = 0
    seed: int | None = None


def _known(interval: str, known: tuple[str, ...]) -> None:
    if interval not in known:
        raise ValueError(f"interval={interval!r} is not known; choose one of {', '.join(known)}.")


def _alpha_limits(
    kept: Floats, estimate: float, interval: AlphaInterval, confidence: float, resamples: int, seed: int | None
) -> _Limits:
    n, k = kept.shape
    if estimate == 1:
        return _Limits(math.nan, math.nan)
    if interval == "feldt":
        return _Limits(*_feldt(estimate, n, k, confidence))
    moments = _moments(kept)
    if interval == "jackknife":
        se = jackknife_se(_alphas(moments.sum(axis=0) - moments, n - 1), 'interval="feldt"')
        low, high = t_interval(estimate, se, n - 1, confidence)
        return _Limits(low, min(high, 1.0))
    used = seed_used(seed)
    drawn = np.concatenate([_alphas(each @ moments, n) for each in counts(n, k, resamples, used)])
    return _Limits(*percentiles(drawn, confidence, 'interval="feldt"'), resamples, used)


def _omega_limits(
    kept: Floats,
    model: one_factor.OneFactor,
    estimate: float,
    interval: OmegaInterval,
    confidence: float,
    resamples: int,
    seed: int | None,
) -> _Limits:
    n = len(kept)
    if interval == "bootstrap":
        used = seed_used(seed)
        drawn = np.concatenate([one_factor.carried_by(each, model) for each in resampled(kept, resamples, used)])
        return _Limits(*percentiles(drawn, confidence, 'interval="jackknife"'), resamples, used)
    without = np.concatenate([one_factor.carried_by(each, model) for each in left_out(kept)])
    _, half = t_interval(0.0, jackknife_se(without, "alpha") / (1 - estimate), n - 1, confidence)
    return _Limits(1 - (1 - estimate) * math.exp(half), 1 - (1 - estimate) * math.exp(-half))


def _moments(kept: Floats) -> Floats:
    """One row a person: the answers, the sum of their squares, the square of their sum. Sums of rows give alpha."""
    return np.column_stack([kept, (kept**2).sum(axis=1), kept.sum(axis=1) ** 2])


def _alphas(sums: Floats, n: int) -> Floats:
    """Alpha from summed moments (..., k + 2) of n people; NaN where the total does not vary."""
    k = sums.shape[-1] - 2
    means = sums[..., :k] / n
    apart = sums[..., k] / n - (means**2).sum(axis=-1)
    total = sums[..., k + 1] / n - means.sum(axis=-1) ** 2
    return _coefficient(k, apart, total)


def _coefficient(k: int, apart: ArrayLike, total: ArrayLike) -> Floats:
    """Alpha from the variances of k items, summed, and the variance of their sum; NaN where that is rounding."""
    added, whole = np.asarray(apart, dtype=float), np.asarray(total, dtype=float)
    found = k / (k - 1) * (1 - added / np.where(whole > NO_SPREAD * np.abs(added), whole, np.nan))
    return np.where(1 - found < NO_SPREAD, 1.0, found)


def _feldt(estimate: float, n: int, k: int, confidence: float) -> tuple[float, float]:
    from scipy.special import fdtri

    tails = (1 + confidence) / 2, (1 - confidence) / 2
    low, high = (1 - (1 - estimate) * float(fdtri(n - 1, (n - 1) * (k - 1), tail)) for tail in tails)
    return low, high


def _by_item(scale: ScaleItems, covariance: Floats) -> tuple[float, pd.DataFrame]:
    """The average correlation between items, and a row an item: alpha without it, its correlation with the rest."""
    k = len(covariance)
    own, beside = np.diag(covariance), covariance.sum(axis=1)
    total, spread = beside.sum(), own.sum()
    rest = total - 2 * beside + own
    rest = np.where(rest > NO_SPREAD * spread, rest, np.nan)
    without = (k - 1) / (k - 2) * (1 - (spread - own) / rest) if k > 2 else np.full(k, np.nan)
    correlations = covariance / np.sqrt(np.outer(own, own))
    table = scale.frame(alpha_without=without, r_rest=(beside - own) / np.sqrt(own * rest))
    return float((correlations.sum() - k) / (k * (k - 1))), table


def _one_factor(correlations: Floats) -> one_factor.OneFactor:
    if not one_factor.invertible(correlations[None])[0]:
        raise ValueError(
            "An item is a copy of others, up to its units: nothing is its own. Leave it out, or use alpha."
        )
    model = one_factor.fit(correlations[None])
    if not model.settled[0]:
        raise ValueError("The one-factor model does not settle on these answers; use alpha.")
    return model


def _said(negative: tuple[Hashable, ...], without_spread: tuple[Hashable, ...]) -> tuple[str, ...]:
    against = (f"{item} goes against the other items: is it still to be turned round?" for item in negative)
    flat = (
        f"{item} has one answer from everybody: it says nothing of people here and is left out."
        for item in without_spread
    )
    return (*against, *flat)
