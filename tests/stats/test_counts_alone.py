"""Places weighed by their counts alone: held against weighted least squares, and against what must not matter."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import contrast, counts_alone

RATES = [[900], [700], [80], [60], [75], [90], [50]]
CALLS = dict(zip("ABCDEFG", np.random.default_rng(3).poisson(RATES, (7, 20)), strict=True))
PLACES = pd.DataFrame(
    [(place, month, count) for place, counts in CALLS.items() for month, count in enumerate(counts)],
    columns=["place", "month", "calls"],
)


def found(treated=("A", "B")):
    return contrast.places(PLACES, outcome="calls", unit="place", time="month", treated=list(treated), start=12)


def test_is_weighted_least_squares():
    told, places = counts_alone.beside(found()), found().places
    fit = sm.WLS(places["change"], sm.add_constant(places["treated"].astype(float)), 1 / places["se"] ** 2).fit()
    assert math.log(told.estimate) == pytest.approx(fit.params["treated"])
    assert told.se == pytest.approx(fit.bse["treated"])
    assert told.p == pytest.approx(fit.pvalues["treated"])
    assert [math.log(told.low), math.log(told.high)] == pytest.approx(fit.conf_int().loc["treated"].tolist())


def test_fits_is_a_difference_of_restricted_likelihoods():
    told, whole = counts_alone.beside(found()), found()
    places = whole.places

    def by_hand(variance):
        X, V = sm.add_constant(places["treated"].astype(float)).to_numpy(), np.diag(variance)
        W = np.linalg.inv(V)
        y = places["change"].to_numpy()
        beta = np.linalg.solve(X.T @ W @ X, X.T @ W @ y)
        free, left = len(y) - 2, (y - X @ beta) @ W @ (y - X @ beta)
        return -0.5 * (free * np.log(left / free) + np.linalg.slogdet(V)[1] + np.linalg.slogdet(X.T @ W @ X)[1])

    own = places["se"].to_numpy() ** 2
    assert told.fits == pytest.approx(by_hand(own) - by_hand(own + whole.tau2))


def test_larger_is_how_many_times_as_many_events():
    assert counts_alone.beside(found()).larger == pytest.approx(11.3, abs=0.5)
    assert counts_alone.beside(found(("C", "D"))).larger < 1


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), factor=st.floats(0.1, 10))
def test_one_factor_for_all_variances_changes_nothing(seed, factor):
    rng = np.random.default_rng(seed)
    y, v, treated = rng.normal(size=(3, 6)), rng.uniform(0.1, 2, (3, 6)), np.arange(6) < 2
    once, again = counts_alone.weighed(y, v, treated), counts_alone.weighed(y, factor * v, treated)
    for first, second in zip(once, again, strict=True):
        assert second == pytest.approx(first)
    assert counts_alone.restricted(y, factor * v, treated) == pytest.approx(counts_alone.restricted(y, v, treated))
    swapped = counts_alone.weighed(y, v, ~treated)
    assert swapped[0] == pytest.approx(-once[0])
