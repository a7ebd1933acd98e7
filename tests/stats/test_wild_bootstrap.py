"""`clusters.wild` against wildboottest, against R with every draw a regression, and at its edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import clusters

# R version 4.2.2 Patched (2022-11-10 r83330), base R alone; lq2002 (multilevel 2.7), 8 teams
# > d <- read.csv("lq2002_8teams.csv")
# > cr1 <- function(y, X, g, j) {           # estimate and CR1 standard error of column j
# +   M <- solve(crossprod(X)); b <- M %*% crossprod(X, y); e <- drop(y - X %*% b)
# +   S <- rowsum(X * e, g); G <- nrow(S); N <- nrow(X)
# +   V <- G/(G-1) * (N-1)/(N-ncol(X)) * M %*% crossprod(S) %*% M; c(b[j], sqrt(V[j, j])) }
# > wild <- function(y, X, g, j, points, null = 0) {
# +   t <- function(y) { f <- cr1(y, X, g, j); (f[1] - null) / f[2] }
# +   Z <- X[, -j, drop = FALSE]; z <- y - null * X[, j]
# +   fit <- if (ncol(Z)) drop(Z %*% solve(crossprod(Z), crossprod(Z, z))) else 0 * y
# +   ids <- as.integer(factor(g)); W <- as.matrix(expand.grid(rep(list(points), max(ids)))); own <- t(y)
# +   theirs <- apply(W, 1, function(w) t(fit + null * X[, j] + (z - fit) * w[ids]))
# +   c(t = own, count = sum(abs(theirs) >= abs(own) * (1 - 1e-9)), of = nrow(W)) }
# > signs <- c(1, -1); webb <- c(-1, 1) * rep(sqrt(c(.5, 1, 1.5)), each = 2); X <- cbind(1, d$PROG)
# > wild(d$LEAD, X, d$COMPID, 2, signs)                                    # -0.809950927732 134 256
# > wild(d$LEAD, X, d$COMPID, 1, signs)                                    # 25.3708514533 32 256
# > for (null in c(-0.5878, -0.5877, 0.3597, 0.3598)) wild(d$LEAD, X, d$COMPID, 2, signs, null)
#   2.6478483514 12 256;  2.64726009021 14 256;  -2.9259264308 14 256;  -2.92651469199 12 256
# > wild(d$LEAD, cbind(1, d$PROG, d$HOSTILE), d$COMPID, 3, signs)          # -9.95236593792 2 256
# > five <- d[d$COMPID %in% c(2, 4, 6, 7, 9), ]
# > wild(five$LEAD, cbind(1, five$PROG), five$COMPID, 2, signs)            # -4.36584502057 14 32
# > wild(five$LEAD, cbind(1, five$HOSTILE), five$COMPID, 2, webb)          # -8.13429025541 444 7776
#
# Python wildboottest 0.3.2 (numpy 2.4.6, numba 0.68.1, statsmodels 0.15.0), the same PROG:
# >>> wildboottest(sm.OLS(d["LEAD"], X), param="PROG", cluster=d["COMPID"], B=99999, weights_type="rademacher",
# ...     impose_null=True, bootstrap_type="11")                            # statistic -0.809951, p 0.515625
# with all 256 sign vectors, but counting only |t*| > |t|: 132, to which the observed one and its mirror are added here.


@pytest.fixture(scope="module")
def people(reference: Path) -> pd.DataFrame:
    return pd.read_csv(reference / "people" / "lq2002_8teams.csv").assign(intercept=1.0)


@pytest.mark.reference
def test_p_is_wildboottests_with_ties_counted(people: pd.DataFrame) -> None:
    found = clusters.wild(people["LEAD"], people[["intercept", "PROG"]], people["COMPID"], "PROG")
    assert found.t == pytest.approx(-0.809951, abs=1e-6)
    assert found.p == 0.515625 + 2 / 256
    # with the reference's own CR1S standard error, from clubSandwich
    assert (found.estimate, found.se) == pytest.approx((-0.1376855962, 0.1699925162), abs=1e-9)
    assert (found.draws, found.exact, found.seed, found.clusters, found.n) == (256, True, None, 8, 233)


@pytest.mark.reference
@pytest.mark.parametrize(
    ("terms", "term", "t", "count"),
    [
        (["intercept", "PROG"], "PROG", -0.809950927732, 134),
        (["intercept", "PROG"], "intercept", 25.3708514533, 32),
        (["intercept", "PROG", "HOSTILE"], "HOSTILE", -9.95236593792, 2),
    ],
)
def test_p_is_that_of_every_regression_run_in_r(
    people: pd.DataFrame, terms: list[str], term: str, t: float, count: int
) -> None:
    found = clusters.wild(people["LEAD"], people[terms], people["COMPID"], term)
    assert (found.t, found.p) == (pytest.approx(t, abs=1e-8), count / 256)
    assert clusters.wild(people["LEAD"], people[terms].to_numpy(), people["COMPID"], terms.index(term)).p == found.p


@pytest.mark.reference
def test_the_interval_ends_where_p_falls_in_r(people: pd.DataFrame) -> None:
    """At −0.5878 and 0.3598 p is 12/256 = .047, at −0.5877 and 0.3597 it is 14/256 = .055."""
    found = clusters.wild(people["LEAD"], people[["intercept", "PROG"]], people["COMPID"], "PROG")
    assert -0.5878 < found.low < -0.5877
    assert 0.3597 < found.high < 0.3598
    assert found.interval(0.95) == (found.low, found.high)


@pytest.mark.reference
def test_five_teams_with_signs_and_with_webbs_points(people: pd.DataFrame) -> None:
    five = people[people["COMPID"].isin([2, 4, 6, 7, 9])]
    signs = clusters.wild(five["LEAD"], five[["intercept", "PROG"]], five["COMPID"], "PROG")
    assert (signs.t, signs.p, signs.draws) == (pytest.approx(-4.36584502057, abs=1e-9), 14 / 32, 32)
    webb = clusters.wild(five["LEAD"], five[["intercept", "HOSTILE"]], five["COMPID"], "HOSTILE", weights="webb")
    assert (webb.t, webb.p, webb.draws) == (pytest.approx(-8.13429025541, abs=1e-9), 444 / 7776, 7776)
    assert (webb.exact, webb.smallest_p) == (True, pytest.approx(6**-4))


@pytest.mark.reference
def test_a_term_that_rests_on_few_clusters_cannot_reach_what_all_could(people: pd.DataFrame) -> None:
    """Signs of the four treated teams do not touch the intercept: 2 x 2⁴ of 256 vectors tie, none is implausible."""
    found = clusters.wild(people["LEAD"], people[["intercept", "PROG"]], people["COMPID"], "intercept")
    assert found.smallest_p == found.p == 32 / 256
    assert (found.low, found.high) == (-np.inf, np.inf)
    low, high = found.interval(0.8)
    assert 0 < low < found.estimate < high < 10


def in_full(y: np.ndarray, design: np.ndarray, groups: np.ndarray, null: float) -> float:
    """p of the last column with signs, every draw a regression of its own."""
    others, rest = design[:, :-1], y - null * design[:, -1]
    fitted = others @ np.linalg.lstsq(others, rest, rcond=None)[0]

    def statistic(outcome: np.ndarray) -> float:
        beta, *_ = np.linalg.lstsq(design, outcome, rcond=None)
        left, inverse = outcome - design @ beta, np.linalg.inv(design.T @ design)
        sums = np.array([design[groups == one].T @ left[groups == one] for one in np.unique(groups)])
        return float(abs(beta[-1] - null) / np.sqrt((inverse @ sums.T @ sums @ inverse)[-1, -1]))

    own, teams = statistic(y), len(np.unique(groups))
    vectors = [np.array([1 - 2 * (number >> bit & 1) for bit in range(teams)]) for number in range(2**teams)]
    each = [statistic(fitted + null * design[:, -1] + (rest - fitted) * vector[groups]) for vector in vectors]
    return float(np.mean(np.array(each) >= own * (1 - 1e-9)))


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), teams=st.integers(3, 6), terms=st.integers(1, 3))
def test_p_and_interval_are_the_definition(seed: int, teams: int, terms: int) -> None:
    rng = np.random.default_rng(seed)
    groups = np.concatenate([np.arange(teams), rng.integers(teams, size=20)])
    design = np.column_stack([np.ones(len(groups)), rng.normal(size=(len(groups), terms))])
    y = rng.normal(size=len(groups)) + groups / 3
    found = clusters.wild(y, design, groups, terms, confidence=0.6)
    assert found.p == pytest.approx(in_full(y, design, groups, 0.0))
    assert found.smallest_p == 2.0 ** (1 - teams)
    assert found.smallest_p <= found.p <= 1
    for end, outward in ((found.low, -1), (found.high, 1)):
        if np.isfinite(end):
            step = outward * 1e-6 * found.se
            assert in_full(y, design, groups, end - step) > 0.4
            assert in_full(y, design, groups, end + step) <= 0.4 + 1e-12


@given(seed=st.integers(0, 10_000), shift=st.floats(-50, 50), scale=st.floats(0.1, 10))
def test_what_must_not_matter(seed: int, shift: float, scale: float) -> None:
    """Order of rows, names of teams, a shift of all answers, their unit; and a slope added moves estimate and ends."""
    rng = np.random.default_rng(seed)
    groups = np.concatenate([np.arange(6), rng.integers(6, size=24)])
    x = rng.normal(size=30)
    design = np.column_stack([np.ones(30), x])
    y = rng.normal(size=30) + rng.normal(size=6)[groups]
    order = rng.permutation(30)
    once = clusters.wild(y, design, groups, 1)
    again = clusters.wild(scale * (y + shift)[order], design[order], [f"team {one}" for one in groups[order]], 1)
    assert again.p == once.p
    assert (again.estimate, again.low, again.high) == pytest.approx(
        (scale * once.estimate, scale * once.low, scale * once.high), rel=1e-6, abs=1e-6
    )
    steeper = clusters.wild(y + shift * x, design, groups, 1)
    assert (steeper.low - shift, steeper.high - shift) == pytest.approx((once.low, once.high), rel=1e-6, abs=1e-6)


def test_equal_teams_with_an_intercept_alone_are_sign_flips() -> None:
    """For equal teams |t*| grows with |mean of signed team means|, so both counts are one."""
    rng = np.random.default_rng(9)
    groups = np.repeat(np.arange(9), 3)
    for change in (0.2, 0.5, 1.0):
        y = change + rng.normal(size=27) + rng.normal(size=9)[groups]
        assert clusters.wild(y, np.ones((27, 1)), groups, 0).p == clusters.flip(y, groups).p


def test_a_draw_counts_the_observed_and_can_be_repeated() -> None:
    rng = np.random.default_rng(2)
    groups, x = np.repeat(np.arange(20), 3), rng.normal(size=60)
    y, design = x / 2 + rng.normal(size=60), np.column_stack([np.ones(60), x])
    once, again = (clusters.wild(y, design, groups, 1, seed=5) for _ in range(2))
    assert (once.draws, once.exact, once.seed, once.smallest_p) == (10_000, False, 5, 1 / 10_000)
    assert (once.p, once.low, once.high) == (again.p, again.low, again.high)
    unseeded = clusters.wild(y, design, groups, 1, resamples=300)
    assert clusters.wild(y, design, groups, 1, resamples=300, seed=unseeded.seed).p == unseeded.p
    assert clusters.wild(y, design, groups, 1, resamples=1).p == 1
    few = groups < 8
    enough, short = (clusters.wild(y[few], design[few], groups[few], 1, resamples=most) for most in (256, 255))
    assert (enough.exact, enough.draws, short.exact, short.draws) == (True, 256, False, 255)


def test_draws_come_near_all_there_are() -> None:
    rng = np.random.default_rng(3)
    groups, x = np.repeat(np.arange(12), 4), rng.normal(size=48)
    y, design = x / 8 + rng.normal(size=48), np.column_stack([np.ones(48), x])
    exact = clusters.wild(y, design, groups, 1)
    drawn = clusters.wild(y, design, groups, 1, resamples=4000, seed=1)
    webb = clusters.wild(y, design, groups, 1, weights="webb", seed=1)
    assert (exact.exact, drawn.exact, webb.exact, webb.draws) == (True, False, False, 10_000)
    assert drawn.p == pytest.approx(exact.p, abs=4 * np.sqrt(exact.p * (1 - exact.p) / 4000))
    assert (drawn.low, drawn.high) == pytest.approx((exact.low, exact.high), abs=0.3 * exact.se)
    assert (webb.low, webb.high) == pytest.approx((exact.low, exact.high), abs=0.3 * exact.se)


def test_no_residuals_or_nothing_within_clusters_gives_no_p() -> None:
    groups = [0, 0, 1, 1, 2, 2]
    flat = clusters.wild([0.1 + 0.2] * 6, np.ones((6, 1)), groups, 0)
    decided = clusters.wild([1, 2, 4, 6], np.column_stack([np.ones(4), [0, 0, 1, 1]]), [0, 0, 1, 1], 1)
    for found in (flat, decided):
        assert found.se == 0
        assert np.isnan([found.t, found.p, found.low, found.high, *found.interval(0.5)]).all()
    assert decided.estimate == pytest.approx(3.5)


def test_two_clusters_say_next_to_nothing() -> None:
    found = clusters.wild([1, 2, 4, 6.5], np.ones((4, 1)), [0, 0, 1, 1], 0)
    assert found.smallest_p == found.p == 0.5
    assert (found.low, found.high) == (-np.inf, np.inf)


def test_one_treated_cluster_finds_next_to_nothing() -> None:
    """The warning of the literature: 200 sets in which nothing happened, one treated of ten; 5 % would be 10."""
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(10), 5)
    design = np.column_stack([np.ones(50), groups == 0])
    sets = rng.normal(size=(200, 50)) + 0.42 * rng.normal(size=(200, 10))[:, groups]
    assert sum(clusters.wild(y, design, groups, 1).p <= 0.05 for y in sets) <= 1


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"term": "programme"}, "no term 'programme'; X has x0, x1"),
        ({"term": 2}, "no term 2"),
        ({"term": -1}, "no term -1"),
        ({"term": "x1", "weights": "mammen"}, "rademacher, webb"),
        ({"term": "x1", "resamples": 0}, "1 or more, not 0"),
        ({"term": "x1", "confidence": 95}, "confidence"),
    ],
)
def test_settings_out_of_range_are_refused(how: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        clusters.wild([1, 2, 4, 3, 5, 5], [[1, 0], [1, 1]] * 3, [0, 0, 1, 1, 2, 2], **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("y", "design", "groups", "says"),
    [
        ([1, 2, 3], [[1], [1], [1]], [1, 1, 1], "there is 1"),
        ([1, np.nan, 3], [[1], [1], [1]], [1, None, 2], "1 numbers and 1 groups"),
        ([1, 2, 3], [[1], [1], [1]], [1, 2], "cluster of 2 rows"),
        ([1, 2, 3, 4], [[1, 2, 3]] * 4, [1, 1, 2, 2], "x1, x2 is a sum"),
        ([], np.empty((0, 1)), [], "there is 0"),
    ],
)
def test_what_cr2_refuses_is_refused(
    y: list[float], design: list[list[float]], groups: list[object], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        clusters.wild(y, design, groups, 0)


def test_the_level_is_kept_with_eight_teams() -> None:
    """500 sets in which nothing happened, 4 v 4 teams of eight."""
    rng = np.random.default_rng(8)
    groups = np.repeat(np.arange(8), 8)
    design = np.column_stack([np.ones(64), groups < 4])
    sets = rng.normal(size=(500, 64)) + 0.42 * rng.normal(size=(500, 8))[:, groups]
    assert 0.025 <= np.mean([clusters.wild(y, design, groups, 1).p <= 0.05 for y in sets]) <= 0.08
