"""Stratified alpha: how reliable a sum of several scales is, each item hanging together with its own scale only."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from evalkit.stats.scale_items import jackknife_se, left_out
from evalkit.stats.student import NO_SPREAD, t_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEAST_PEOPLE = 5
"""With fewer, leaving one out says nothing of how sure the rest are: no interval (a judgement)."""


def stratified(covariances: Floats, weights: Floats, strata: Sequence[Sequence[int]]) -> Floats:
    """Stratified alpha of a weighted sum of items, from stacks of their covariances (…, items × items).

    1 - Σ V (1 - alpha) / V_whole, V the variance of each stratum's weighted sum and alpha = k/(k - 1) (1 - Σ w²s²/V) of
    its k items; the one item of a stratum of one counts wholly as error. With one stratum it is alpha itself. NaN where
    the sum does not vary. strata: places of items, each in one stratum.
    Source: Cronbach, Schönemann & McKie (1965), Educational and Psychological Measurement 25(2), 291-312.

    >>> alike = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    >>> print(round(float(stratified(alike, np.ones(4), [[0, 1], [2, 3]])), 3))
    0.8
    """
    whole = np.einsum("i,...ij,j->...", weights, covariances, weights)
    own = np.einsum("i,...ii->...i", weights**2, covariances)
    error = np.zeros_like(whole)
    for stratum in strata:
        places, k = list(stratum), len(stratum)
        part = covariances[..., places, :][..., places]
        spread = np.einsum("i,...ij,j->...", weights[places], part, weights[places])
        error += spread - k / (k - 1) * (spread - own[..., places].sum(axis=-1)) if k > 1 else spread
    return np.asarray(1 - error / np.where(whole > NO_SPREAD * own.sum(axis=-1), whole, np.nan), dtype=float)


def jackknife_limits(
    deviations: Floats, estimate: float, weights: Floats, strata: list[list[int]], confidence: float
) -> tuple[float, float]:
    """1 - (1 - estimate) exp(±t x the jackknife's error of the logarithm), people left out one by one.

    Coverage of 95 % intervals, four domains of 6 to 10 items of five answers, 1,000 sets each of 10, 15, 30 and 100
    people: .946-.955; where six in ten give the top answer .926-.938.
    """
    n = len(deviations)
    if n < LEAST_PEOPLE or 1 - estimate < NO_SPREAD:
        return math.nan, math.nan
    without = np.concatenate([stratified(each, weights, strata) for each in left_out(deviations)])
    if np.isnan(without).any():
        return math.nan, math.nan
    _, half = t_interval(0.0, jackknife_se(without, "stratified alpha") / (1 - estimate), n - 1, confidence)
    return 1 - (1 - estimate) * math.exp(half), 1 - (1 - estimate) * math.exp(-half)
