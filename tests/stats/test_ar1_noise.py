"""The AR(1)-plus-noise estimator held against nlme, direct likelihoods, closed cases and second derivations."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, stats

from evalkit.stats import ar1_noise

YEARS = np.arange(100)
NILE = sm.datasets.nile.load_pandas().data["volume"].to_numpy()  # annual flow at Aswan, 1871–1970; also R's `Nile`
STEP = np.column_stack([np.ones(100), YEARS, YEARS >= 28])  # trend, and a level from 1899

# R version 4.2.2 Patched, nlme 3.1.162
# > d <- data.frame(y = as.numeric(Nile), t = 0:99, level = as.numeric(0:99 >= 28))
# > f <- gls(y ~ t + level, d, method = "REML",
# +          correlation = corExp(c(-1/log(.5), .4), form = ~t, nugget = TRUE, fixed = TRUE))   # rho .5, w .6
# > coef(f); sqrt(diag(vcov(f))); c(f$sigma, logLik(f))
# 1090.8568494401325    0.6338463997495 -282.8120450095838
#   39.779018237357     1.045516505879    66.289592683697
#  134.6371821871    -616.2113766740
# > gls(…, correlation = corAR1(.3, form = ~t, fixed = TRUE))
# 1089.873667880185    0.685758731871 -284.597672438080
#   36.5855969583446   0.9734608995706  62.0683296147886
#  133.7338403874    -615.9997422653
# > gls(…)                                                                                      # independence
# 1088.0773576309791   0.7164920273349 -283.6023791445203
#   25.925595786418    0.703486906426    45.227066108749
#  127.6494389759    -617.0233784187
# > gls(…, d[!(d$t %in% c(10, 11, 40, 77)), ], corExp(c(-1/log(.5), .4), …))                    # four years missing
# 1101.9300301449605   0.5917993931897 -291.1778743001526
#   40.794655695492    1.058735060365    67.313646841174
#  135.7827550312    -592.0121183512
NLME = [
    ((0.5, 0.6), [], [1090.8568494401325, 0.6338463997495, -282.8120450095838],
     [39.779018237357, 1.045516505879, 66.289592683697], 134.6371821871, -616.2113766740),
    ((0.3, 1.0), [], [1089.873667880185, 0.685758731871, -284.597672438080],
     [36.5855969583446, 0.9734608995706, 62.0683296147886], 133.7338403874, -615.9997422653),
    ((0.0, 1.0), [], [1088.0773576309791, 0.7164920273349, -283.6023791445203],
     [25.925595786418, 0.703486906426, 45.227066108749], 127.6494389759, -617.0233784187),
    ((0.5, 0.6), [10, 11, 40, 77], [1101.9300301449605, 0.5917993931897, -291.1778743001526],
     [40.794655695492, 1.058735060365, 67.313646841174], 135.7827550312, -592.0121183512),
]  # fmt: skip


# A beaver's body temperature every ten minutes, active from the 39th reading (Reynolds 1994; R's `beaver2`).
BEAVER = """
36.58 36.73 36.93 37.15 37.23 37.24 37.24 36.9 36.95 36.89 36.95 37 36.9 36.99 36.99 37.01 37.04 37.04 37.14
37.07 36.98 37.01 36.97 36.97 37.12 37.13 37.14 37.15 37.17 37.12 37.12 37.17 37.28 37.28 37.44 37.51 37.64
37.51 37.98 38.02 38 38.24 38.1 38.24 38.11 38.02 38.11 38.01 37.91 37.96 38.03 38.17 38.19 38.18 38.15 38.04
37.96 37.84 37.83 37.84 37.74 37.76 37.76 37.64 37.63 38.06 38.19 38.35 38.25 37.86 37.95 37.95 37.76 37.6
37.89 37.86 37.71 37.78 37.82 37.76 37.81 37.84 38.01 38.1 38.15 37.92 37.64 37.7 37.46 37.41 37.46 37.56
37.55 37.75 37.76 37.73 37.77 38.01 38.04 38.07
"""


def test_a_published_generalised_least_squares_fit():
    # Venables & Ripley (2002), Modern Applied Statistics with S, 4th ed., section 14.2, readings 6 to 100: Phi 0.838,
    # activity 0.603 (se 0.0993), intercept 37.250 (0.0963). R 4.2.2, nlme 3.1.162:
    # > summary(gls(temp ~ activ, beaver2[6:100, ], corAR1(.8), method = "ML"))
    # Phi 0.8380447781; (Intercept) 37.25000675 se 0.096340469; activ 0.60276807 se 0.099319039
    temperature = np.array(BEAVER.split(), dtype=float)[5:]
    active = np.column_stack([np.ones(95), np.arange(6, 101) >= 39])
    fit = ar1_noise.fit(temperature, active, np.arange(95), held=(0.8380447781, 1.0))
    assert fit.beta == pytest.approx([37.25000675, 0.60276807], abs=5e-9)
    assert np.sqrt(np.diag(fit.plug_in)) == pytest.approx([0.096340469, 0.099319039], abs=5e-9)


@pytest.mark.parametrize(("held", "missing", "beta", "se", "sigma", "reml"), NLME)
def test_equals_nlme_with_the_covariance_parameters_held(held, missing, beta, se, sigma, reml):
    kept = ~np.isin(YEARS, missing)
    fit = ar1_noise.fit(NILE[kept], STEP[kept], YEARS[kept], held=held)
    assert fit.beta == pytest.approx(beta, rel=1e-9)
    assert np.sqrt(np.diag(fit.plug_in)) == pytest.approx(se, rel=1e-9)
    assert np.sqrt(fit.sigma2) == pytest.approx(sigma, rel=1e-9)
    assert fit.reml == pytest.approx(reml, rel=1e-11)


def test_grid_comes_close_below_the_likelihood_nlme_climbs_to():
    # R 4.2.2, nlme 3.1.162
    # > f <- gls(y ~ t, d, correlation = corExp(c(2, .5), form = ~t, nugget = TRUE), method = "REML"); logLik(f)
    # -628.6377341432
    # > coef(f$modelStruct$corStruct, unconstrained = FALSE)
    # exp(-1/range) = .7640035070876, so rho .7640; nugget .5460893237729, so w .4539
    fit = ar1_noise.fit(NILE, STEP[:, :2], YEARS)
    assert -628.6377341432 - 0.1 < fit.reml < -628.6377341432
    assert abs(fit.rho - 0.7640035) <= 0.1
    assert abs(fit.w - 0.4539107) <= 0.15
    assert not fit.at_boundary


@pytest.mark.parametrize("held", [(0.0, 1.0), (0.4, 0.3), (0.95, 0.75), (0.98, 1.0)])
def test_likelihood_is_that_of_the_error_contrasts(held):
    """The restricted likelihood is the density of A'y for any A orthogonal to X, up to ½ log|X'X|."""
    fit = ar1_noise.fit(NILE, STEP, YEARS, held=held)
    contrasts = linalg.null_space(STEP.T)
    spread = fit.sigma2 * contrasts.T @ ar1_noise.correlation(YEARS, *held) @ contrasts
    direct = stats.multivariate_normal(cov=spread).logpdf(contrasts.T @ NILE)
    assert fit.reml == pytest.approx(direct - 0.5 * np.linalg.slogdet(STEP.T @ STEP)[1], abs=1e-8)


@pytest.mark.parametrize("held", [(0.4, 0.3), (0.95, 0.75)])
def test_coefficients_equal_those_of_statsmodels(held):
    fit = ar1_noise.fit(NILE, STEP, YEARS, held=held)
    second = sm.GLS(NILE, STEP, sigma=ar1_noise.correlation(YEARS, *held)).fit()
    assert fit.beta == pytest.approx(second.params, rel=1e-9)
    assert fit.plug_in == pytest.approx(second.cov_params(), rel=1e-8)


def test_free_fit_is_the_best_of_the_grid():
    fit = ar1_noise.fit(NILE, STEP, YEARS)
    each = {
        (rho, w): ar1_noise.fit(NILE, STEP, YEARS, held=(rho, w)).reml
        for rho in ar1_noise.RHO_GRID
        for w in ar1_noise.W_GRID
    }
    assert fit.reml == pytest.approx(max(each.values()), abs=1e-9)
    assert each[fit.rho, fit.w] == pytest.approx(fit.reml, abs=1e-9)


def test_known_independence_is_ordinary_least_squares():
    fit = ar1_noise.fit(NILE, STEP, YEARS, held=(0.0, 1.0))
    plain = sm.OLS(NILE, STEP).fit()
    assert fit.df(np.eye(3)) == pytest.approx([97, 97, 97], abs=1e-9)
    assert fit.covariance == pytest.approx(plain.cov_params(), rel=1e-9)


@pytest.mark.parametrize(("pairs", "arms", "within_df", "between_df"), [(9, False, 8, None), (12, True, 11, 10)])
def test_balanced_pairs_have_the_degrees_of_freedom_of_the_analysis_of_variance(pairs, arms, within_df, between_df):
    """Pairs of neighbours, a million periods apart, are a balanced split-plot, where Kenward–Roger is exact:
    pairs − 1 within pairs, pairs − 2 between two arms of pairs, and nothing added to the variance."""
    rng = np.random.default_rng(20)
    periods = np.repeat(np.arange(pairs) * 1_000_000, 2) + np.tile([0, 1], pairs)
    y = np.repeat(rng.normal(size=pairs), 2) + 0.5 * rng.normal(size=2 * pairs)
    columns = [np.ones(2 * pairs), np.tile([0, 1], pairs)] + ([np.repeat(np.arange(pairs) % 2, 2)] if arms else [])
    fit = ar1_noise.fit(y, np.column_stack(columns), periods)
    assert fit.rho > 0
    df = fit.df(np.eye(len(columns)))
    assert df[1] == pytest.approx(within_df, abs=1e-8)
    assert fit.covariance == pytest.approx(fit.plug_in, abs=1e-12)
    if arms:
        assert df[2] == pytest.approx(between_df, abs=1e-8)


def test_within_pairs_the_interval_is_that_of_the_paired_t_test():
    rng = np.random.default_rng(4)
    first, second = rng.normal(size=(2, 10)) + rng.normal(size=10) * 2
    periods = np.repeat(np.arange(10) * 1_000_000, 2) + np.tile([0, 1], 10)
    X = np.column_stack([np.ones(20), np.tile([0, 1], 10)])
    fit = ar1_noise.fit(np.column_stack([first, second]).ravel(), X, periods)
    paired = stats.ttest_rel(second, first)
    assert fit.beta[1] == pytest.approx((second - first).mean())
    assert fit.df([0, 1])[0] == pytest.approx(paired.df, abs=1e-8)


def test_adjustment_and_df_follow_from_the_formulas_by_numerical_derivatives():
    """Every derivative of Ω taken numerically, and P, Q and the information written out one by one."""
    kept = YEARS[:40]
    X = np.column_stack([np.ones(40), kept, kept >= 18])
    fit = ar1_noise.fit(np.cumsum(np.random.default_rng(6).normal(size=40)), X, kept)
    assert 0 < fit.rho < 0.98
    at = np.array([np.log(fit.sigma2), fit.rho, fit.w])

    def spread(theta):
        return np.exp(theta[0]) * ar1_noise.correlation(kept, theta[1], theta[2])

    nudges = np.eye(3) * 1e-6
    moves = [(spread(at + nudge) - spread(at - nudge)) / 2e-6 for nudge in nudges]
    inverse = np.linalg.inv(spread(at))
    phi = np.linalg.inv(X.T @ inverse @ X)
    P = [-X.T @ inverse @ move @ inverse @ X for move in moves]
    Q = [[X.T @ inverse @ a @ inverse @ b @ inverse @ X for b in moves] for a in moves]
    information = np.array(
        [
            [
                0.5 * np.trace(inverse @ moves[i] @ inverse @ moves[j])
                - 0.5 * np.trace(2 * phi @ Q[i][j] - phi @ P[i] @ phi @ P[j])
                for j in range(3)
            ]
            for i in range(3)
        ]
    )
    W = np.linalg.inv(information)
    added = sum(W[i, j] * (Q[i][j] - P[i] @ phi @ P[j]) for i in range(3) for j in range(3))
    assert fit.covariance == pytest.approx(phi + 2 * phi @ added @ phi, rel=1e-5)
    contrast = np.array([0.0, 0.0, 1.0])
    slopes = np.array([-(contrast @ phi @ p @ phi @ contrast) for p in P])
    df = 2 * (contrast @ phi @ contrast) ** 2 / (slopes @ W @ slopes)
    assert fit.df(contrast)[0] == pytest.approx(df, rel=1e-5)
    assert df > ar1_noise.MIN_DF


def test_estimating_the_covariance_widens_and_never_narrows():
    fit = ar1_noise.fit(NILE, STEP, YEARS)
    held = ar1_noise.fit(NILE, STEP, YEARS, held=(fit.rho, fit.w))
    assert (fit.variance(np.eye(3)) > held.variance(np.eye(3))).all()
    assert (fit.df(np.eye(3)) < held.df(np.eye(3))).all()


def test_random_walks_are_seen_at_the_edge_and_df_stays_usable():
    """The mean of a walk is all but unknowable: the formula gives it almost no degrees of freedom."""
    walks = np.cumsum(np.random.default_rng(3).normal(size=(20, 120)), axis=1)
    fits = [ar1_noise.fit(walk, np.ones((120, 1)), np.arange(120)) for walk in walks]
    assert np.median([fit.rho for fit in fits]) >= 0.95
    assert np.median([fit.w for fit in fits]) >= 0.9
    assert any(fit.at_boundary for fit in fits)
    assert min(fit.df([1.0])[0] for fit in fits) == ar1_noise.MIN_DF


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    shift=st.lists(st.floats(-100, 100), min_size=3, max_size=3),
    scale=st.floats(0.01, 100),
    moved=st.integers(-500, 500),
)
def test_adding_a_line_moves_only_the_coefficients(seed, shift, scale, moved):
    rng = np.random.default_rng(seed)
    periods = np.sort(rng.choice(60, size=40, replace=False))
    X = np.column_stack([np.ones(40), periods / 60, periods >= 30])
    y = rng.normal(size=40) + np.convolve(rng.normal(size=59), 0.7 ** np.arange(20), mode="valid")
    first, second = ar1_noise.fit(y, X, periods), ar1_noise.fit(scale * y + X @ shift, X, periods + moved)
    assert (first.rho, first.w) == (second.rho, second.w)
    assert second.beta == pytest.approx(scale * first.beta + shift, abs=1e-6 * (1 + scale))
    assert second.covariance == pytest.approx(scale**2 * first.covariance, rel=1e-6, abs=1e-9)
    assert second.df(np.eye(3)) == pytest.approx(first.df(np.eye(3)), rel=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(30)))
def test_the_order_of_rows_does_not_matter(order):
    order = np.array(order)
    y, periods = NILE[:30], YEARS[:30]
    X = np.column_stack([np.ones(30), periods, periods >= 15])
    first, second = ar1_noise.fit(y, X, periods), ar1_noise.fit(y[order], X[order], periods[order])
    assert second.beta == pytest.approx(first.beta, rel=1e-7)
    assert (second.rho, second.w) == (first.rho, first.w)
    assert second.df(np.eye(3)) == pytest.approx(first.df(np.eye(3)), rel=1e-6)


@pytest.mark.parametrize(
    ("y", "X", "periods", "says"),
    [
        (NILE[:9], STEP[:10], YEARS[:10], "one row each"),
        (NILE[:10], NILE[:10], YEARS[:10], "one row each"),
        (NILE[:10], STEP[:10, :2], YEARS[:10] / 2, "whole numbers"),
        (NILE[:10], STEP[:10, :2], YEARS[:10] // 2, "more than once"),
        (np.r_[np.nan, NILE[:9]], STEP[:10, :2], YEARS[:10], "missing or infinite"),
        (NILE[:3], STEP[:3, :2], YEARS[:3], "at least 4 points"),
        (NILE[:0], STEP[:0, :2], YEARS[:0], "at least 4 points"),
        (NILE[:10], STEP[:10], YEARS[:10], "cannot be told apart"),
        (np.full(10, 7.0), STEP[:10, :2], YEARS[:10], "passes through every point"),
        (np.zeros(10), STEP[:10, :2], YEARS[:10], "passes through every point"),
        (3 + 2.5 * YEARS[:10], STEP[:10, :2], YEARS[:10], "passes through every point"),
        (np.ones(500), np.ones((500, 1)), np.arange(500), "by month"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_words(y, X, periods, says):
    with pytest.raises(ValueError, match=says):
        ar1_noise.fit(y, X, periods)


def test_the_fewest_points_still_give_a_finite_answer():
    fit = ar1_noise.fit([3.0, 5.0, 4.0, 6.0], np.column_stack([np.ones(4), np.arange(4)]), np.arange(4))
    assert np.isfinite(fit.beta).all()
    assert (fit.variance(np.eye(2)) > 0).all()
    assert (fit.df(np.eye(2)) >= ar1_noise.MIN_DF).all()


def test_stored_matrices_cannot_be_changed_by_accident():
    inverses, _ = ar1_noise._correlations((0, 1, 2), ((0.5, 1.0),))
    with pytest.raises(ValueError, match="read-only"):
        inverses[0, 0, 0] = 9
