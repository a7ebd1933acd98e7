"""What could be seen at all: held against R, and against simulations written anew through the public statistics."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.special import chdtri, ndtr, stdtrit
from statsmodels.stats.power import TTestIndPower, TTestPower

from evalkit.stats import ar1_noise, change, clusters, contrast, designs, power, series
from evalkit.verdict import HEADLINE

# R version 4.2.2 Patched (2022-11-10 r83330). Only the right side counts here, so R is asked one-sided at half of .03.
# > for (n in c(8,20,104)) print(power.t.test(n=n, power=.8, sig.level=.015, type="one.sample",
# +                              alternative="one.sided", tol=1e-12)$delta, digits=12)
# 1.29025193126 0.7187484771 0.298749128219
# > for (k in list(c(6,8),c(12,12))) print(power.t.test(n=k[1], sd=sqrt(.15+.85/k[2]), power=.8, sig.level=.015,
# +                              type="one.sample", alternative="one.sided", tol=1e-12)$delta, digits=12)
# 0.825879090373 0.459061245385
# > for (k in list(c(3,8),c(6,12))) print(power.t.test(n=k[1], sd=sqrt(.15+.85/k[2]), power=.8, sig.level=.015,
# +                              type="two.sample", alternative="one.sided", tol=1e-12)$delta, digits=12)
# 1.80042019969 0.929888930036
# > pwr::pwr.t2n.test(n1=4, n2=7, power=.8, sig.level=.015, alternative="greater")$d             # pwr 1.3.0
# 2.18249553587
# > print(power.t.test(n=15, delta=.7, sd=1.1, sig.level=.015, type="one.sample", alternative="one.sided")$power)
# 0.534470397844
# > print(power.t.test(n=2, delta=10, sig.level=.015, type="one.sample", alternative="one.sided")$power, digits=12)
# 0.494707661261


@pytest.mark.parametrize(("n", "delta"), [(8, 1.29025193126), (20, 0.7187484771), (104, 0.298749128219)])
def test_paired_equals_r(n, delta):
    assert power.paired(n).estimate == pytest.approx(delta, rel=1e-9)
    assert power.paired(n, sd=1.7).estimate == pytest.approx(1.7 * delta, rel=1e-9)


def test_chance_of_other_changes_equals_r():
    assert power.paired(15, sd=1.1).chance(0.7) == pytest.approx(0.534470397844, rel=1e-9)
    assert power.paired(2).chance(10) == pytest.approx(0.494707661261, rel=1e-9)


@pytest.mark.parametrize(
    ("arms", "teams", "size", "delta"),
    [(1, 6, 8, 0.825879090373), (1, 12, 12, 0.459061245385), (2, 6, 8, 1.80042019969), (2, 12, 12, 0.929888930036)],
)
def test_clustered_equals_r(arms, teams, size, delta):
    assert power.clustered(teams, size=size, icc=0.15, arms=arms).estimate == pytest.approx(delta, rel=1e-9)


def test_unequal_arms_equal_r():
    found = power.clustered(11, size=1, icc=0.3, arms=2, treated=4)
    assert found.estimate == pytest.approx(2.18249553587, rel=1e-5)  # pwr stops its search at 1e-4
    odd = power.clustered(11, size=1, icc=0.3, arms=2)
    assert odd.estimate == power.clustered(11, size=1, icc=0.3, arms=2, treated=5).estimate


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.97])
def test_equals_statsmodels(confidence):
    half = (1 - confidence) / 2
    one = TTestPower().solve_power(nobs=30, alpha=half, power=0.9, alternative="larger")
    assert power.paired(30, power=0.9, confidence=confidence).estimate == pytest.approx(
        one, rel=1e-5
    )  # statsmodels stops its search there
    two = TTestIndPower().solve_power(nobs1=5, ratio=9 / 5, alpha=half, power=0.9, alternative="larger")
    found = power.clustered(14, size=1, icc=0, arms=2, treated=5, power=0.9, confidence=confidence)
    assert found.estimate == pytest.approx(two, rel=1e-5)


def test_the_default_is_the_confidence_of_the_headline():
    for found in (power.paired(9), power.clustered(9, size=3, icc=0.1), power.places(3, 9, runs=10)):
        assert found.confidence == HEADLINE
        assert found.power == 0.8


# --- the chance promised, found again through the public statistics


def seen_in_pairs(found, n, runs, rng):
    """Share of sets of n people in which the whole interval lies above no change."""
    before = rng.normal(3, 0.5, (runs, n))
    after = before + rng.normal(found.estimate, 1, (runs, n))
    return np.mean([change.paired(*each).interval(0.97)[0] > 0 for each in zip(before, after, strict=True)])


def seen_in_teams(found, sizes, icc, runs, rng, treated=None):
    """The same for people in teams, by CR2 on people where teams are alike, else by t on team means."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    seen = []
    for _ in range(runs):
        arm = np.ones(len(sizes)) if treated is None else rng.permutation(np.arange(len(sizes)) < treated)
        team = rng.normal(0, np.sqrt(icc), len(sizes)) + found.estimate * arm
        people = team[group] + rng.normal(0, np.sqrt(1 - icc), len(group))
        if treated is not None:
            fit = clusters.cr2(people, np.column_stack([np.ones(len(group)), arm[group]]), group)
            seen.append(fit.interval(0.97)[1, 0] > 0)
        elif len(set(sizes)) == 1:
            seen.append(clusters.cr2(people, np.ones((len(group), 1)), group).interval(0.97)[0, 0] > 0)
        else:
            means = np.bincount(group, people) / sizes
            seen.append(change.paired(np.zeros(len(sizes)), means).interval(0.97)[0] > 0)
    return np.mean(seen)


def counts(mean, n, *, rho, dispersion, runs, rng):
    """Poisson counts about a latent AR(1) that makes their variance `dispersion` times their mean, (runs, n)."""
    sd = np.sqrt(np.log(1 + (dispersion - 1) / mean))
    latent = np.empty((runs, n))
    latent[:, 0] = rng.normal(0, sd, runs)
    for month in range(1, n):
        latent[:, month] = rho * latent[:, month - 1] + rng.normal(0, sd * np.sqrt(1 - rho**2), runs)
    return np.exp(latent - sd**2 / 2)


def seen_in_series(found, before, after, runs, rng, *, mean, rho=0.8, seasonal=None):
    step = np.where(np.arange(before + after) < before, 1, found.estimate)
    drawn = rng.poisson(mean * step * counts(mean, before + after, rho=rho, dispersion=2, runs=runs, rng=rng))
    time = pd.date_range("2019-04-01", periods=before + after, freq="MS")
    seen = []
    for row in drawn:
        if (row == 0).any():
            seen.append(False)
            continue
        frame = pd.DataFrame({"month": time, "calls": row})
        fit = series.interrupted(
            frame, outcome="calls", time="month", start=time[before], family="quasipoisson", seasonal=seasonal
        )
        low, high = fit.interval(0.97)
        seen.append(high < 1 if found.estimate < 1 else low > 1)
    return np.mean(seen)


def seen_in_places(found, treated, comparison, runs, rng, *, means=None, before=36, after=24):
    n, months = treated + comparison, before + after
    means = np.full(n, 120.0) if means is None else np.asarray(means)
    step = np.where((np.arange(n) < treated)[:, None] & (np.arange(months) >= before), found.estimate, 1)
    place, month = np.repeat(np.arange(n), months), np.tile(np.arange(months), n)
    seen = []
    for _ in range(runs):
        rates = [counts(mean, months, rho=0.6, dispersion=1.6, runs=1, rng=rng)[0] for mean in means]
        frame = pd.DataFrame({"place": place, "month": month})
        frame["calls"] = rng.poisson(means[:, None] * step * rates).ravel()
        answer = contrast.places(
            frame, outcome="calls", unit="place", time="month", treated=list(range(treated)), start=before,
            allocations=5000, seed=1,
        )  # fmt: skip
        low, high = answer.interval(0.97)
        seen.append((high < 1 if found.estimate < 1 else low > 1) and answer.p_relabelled <= 0.03)
    return np.mean(seen)


@pytest.mark.parametrize("n", [8, 20, 104])
def test_paired_sees_as_often_as_it_says(n):
    found = power.paired(n)
    assert seen_in_pairs(found, n, 2000, np.random.default_rng(n)) == pytest.approx(0.8, abs=0.03)
    assert found.simulated == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(
    ("sizes", "treated"), [([8] * 6, None), ([12] * 12, None), ([4, 14, 6, 9, 12, 5, 8, 14], None), ([12] * 12, 6)]
)
def test_clustered_sees_as_often_as_it_says(sizes, treated):
    found = power.clustered(len(sizes), size=sizes, icc=0.15, arms=1 if treated is None else 2)
    rng = np.random.default_rng(len(sizes))
    assert seen_in_teams(found, sizes, 0.15, 2000, rng, treated) == pytest.approx(0.8, abs=0.03)
    assert found.simulated == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(
    ("before", "after", "mean", "rho", "seasonal", "better"),
    [(36, 24, 300, 0.8, None, "lower"), (48, 12, 40, 0.4, "harmonic", "higher")],
)
def test_interrupted_sees_as_often_as_it_says(before, after, mean, rho, seasonal, better):
    found = power.interrupted(before, after, mean=mean, rho=rho, seasonal=seasonal, better=better)
    rng = np.random.default_rng(before)
    seen = seen_in_series(found, before, after, 400, rng, mean=mean, rho=rho, seasonal=seasonal)
    assert seen == pytest.approx(0.8, abs=0.065)  # three standard errors of 400 runs, and of the search
    assert found.simulated == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(("treated", "comparison"), [(3, 16), (12, 7)])
def test_places_see_as_often_as_it_says(treated, comparison):
    found = power.places(treated, comparison)
    seen = seen_in_places(found, treated, comparison, 150, np.random.default_rng(treated))
    assert seen == pytest.approx(0.8, abs=0.1)  # three standard errors of 150 runs, and of the search
    assert found.simulated == pytest.approx(0.8, abs=0.035)


@pytest.mark.parametrize(
    ("treated", "half_width", "five", "ten"), [(1, 9.4, None, None), (3, 5.7, 43, 92), (12, 4.2, 64, 99.7)]
)
def test_the_formula_for_places_gives_the_known_half_widths_and_chances(treated, half_width, five, ten):
    """19 places with sizes log-normal (median 120, sd .6), AR .6, at 95 %: the design note on inference, part (b).

    The note does not tell its overdispersion; 1.6 gives back all seven figures, half-widths by medians over sets
    of sizes. The chances known are those of both conditions together, which cost 1 or 2 in 100.
    """
    asked = designs.Asked(0.8, 0.95, 1, 1)
    sizes = 120 * np.exp(0.6 * np.random.default_rng(0).standard_normal((300, 19)))
    drawn = [designs.Places(asked, treated, 36, 24, each, designs.latent_sd(1.6, each), 0.6, 0.0, -1) for each in sizes]
    width = 100 * np.median([stdtrit(17, 0.975) * each.se(0) for each in drawn])
    assert width == pytest.approx(half_width, abs=0.15)
    for cut, known in ((0.05, five), (0.10, ten)):
        if known is not None:
            seen = 100 * np.mean([each.chance(-np.log(1 - cut)) for each in drawn])
            assert known - 1 < seen < known + 3.5


# --- properties


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 300), sd=st.floats(0.1, 50), wanted=st.floats(0.1, 0.99), confidence=st.floats(0.5, 0.995))
def test_paired_chance_of_the_estimate_is_the_power_and_more_people_see_less(n, sd, wanted, confidence):
    if wanted <= (1 - confidence) / 2:
        return
    found = power.paired(n, sd=sd, power=wanted, confidence=confidence, runs=1)
    assert found.chance(found.estimate) == pytest.approx(wanted, abs=1e-6)
    assert power.paired(n + 1, sd=sd, power=wanted, confidence=confidence, runs=1).estimate < found.estimate
    chances = found.chance(np.linspace(0, 3, 20) * found.estimate)
    assert (np.diff(chances) >= -1e-9).all()
    assert chances[0] == pytest.approx((1 - confidence) / 2, abs=1e-6)


@pytest.mark.parametrize(("n", "effect"), [(2, 30), (2, 100), (3, 40), (50, 9), (104, 8)])
def test_chance_far_out_has_no_holes(n, effect):
    """Where the usual routine gives no number; against the integral over the spread the data may show."""
    point = stdtrit(n - 1, 0.985)
    moved = effect * np.sqrt(n)
    direct = integrate.quad(
        lambda u: ndtr(moved - point * np.sqrt(chdtri(n - 1, u) / (n - 1))), 0, 1, epsabs=1e-12, limit=500
    )[0]
    assert power.paired(n, runs=1).chance(effect) == pytest.approx(direct, abs=2e-5)


@settings(max_examples=30, deadline=None)
@given(teams=st.integers(3, 60), size=st.integers(1, 40), icc=st.floats(0, 1), arms=st.sampled_from([1, 2]))
def test_clustered_moves_the_right_way(teams, size, icc, arms):
    found = power.clustered(teams, size=size, icc=icc, arms=arms, runs=1)
    assert found.chance(found.estimate) == pytest.approx(0.8, abs=1e-6)
    assert power.clustered(teams + 2, size=size, icc=icc, arms=arms, runs=1).estimate < found.estimate
    assert power.clustered(teams, size=size + 1, icc=icc, arms=arms, runs=1).estimate <= found.estimate * (1 + 1e-9)
    same = power.clustered(teams, size=[size] * teams, icc=icc, arms=arms, runs=1)
    assert same.estimate == pytest.approx(found.estimate, rel=1e-12)


def test_one_a_team_is_people():
    assert power.clustered(20, size=1, icc=0.4).estimate == pytest.approx(power.paired(20).estimate)


def test_interrupted_moves_the_right_way():
    found = power.interrupted(36, 24, mean=300, runs=10)
    assert found.scale == "ratio"
    assert found.chance(found.estimate) == pytest.approx(0.8, abs=1e-9)
    assert (np.diff(found.chance([1.0, 0.95, 0.9, 0.8, 0.7, 0.5])) > 0).all()
    assert found.chance(1.0) < 0.03
    assert found.chance(1.2) < 0.01
    assert found.estimate < power.interrupted(60, 36, mean=300, runs=10).estimate < 1
    assert power.interrupted(36, 24, mean=300, dispersion=4, runs=10).estimate < found.estimate
    higher = power.interrupted(36, 24, mean=300, better="higher", runs=10)
    assert np.log(higher.estimate) == pytest.approx(-np.log(found.estimate), rel=0.1)


def test_interrupted_can_be_repeated_and_checks_with_other_numbers():
    once, again, other = (power.interrupted(15, 12, mean=100, seed=seed, runs=100) for seed in (3, 3, 4))
    assert (once.estimate, once.simulated) == (again.estimate, again.simulated)
    assert once.estimate != other.estimate
    assert once.estimate == pytest.approx(other.estimate, rel=0.05)


def test_one_series_has_the_known_half_width():
    # design note on inference (a3): 60 months from 36, 300 a month, latent AR .8, at 95 %: half-width 15.2 %
    found = power.interrupted(36, 24, mean=300, rho=0.8, seasonal="harmonic", confidence=0.95, runs=10)
    assert 100 * stdtrit(found.df, 0.975) * found.se == pytest.approx(15.2, abs=1)


def test_places_move_the_right_way():
    found = power.places(3, 16, runs=10)
    assert found.chance(found.estimate) == pytest.approx(0.8, abs=1e-9)
    assert (np.diff(found.chance([1.0, 0.95, 0.9, 0.8])) > 0).all()
    assert found.smallest_p == pytest.approx(1 / 969)
    assert (found.n, found.df) == (19, 17)
    assert found.estimate < power.places(6, 13, runs=10).estimate < 1
    assert power.places(3, 16, runs=10, spread=0.05).estimate < found.estimate
    assert power.places(3, 16, runs=10, rho=0).estimate > found.estimate
    assert power.places(3, 16, runs=10, better="higher").estimate > 1


def test_places_of_different_sizes_see_as_often_as_it_says():
    means = 120 * np.exp(0.6 * np.random.default_rng(3).standard_normal(19))
    found = power.places(12, 7, mean=list(means), runs=4000, spread=0.02)
    assert found.simulated == pytest.approx(0.8, abs=0.03)


def test_few_places_need_more_because_relabelling_is_coarse():
    found = power.places(3, 4, runs=4000)
    assert found.smallest_p == pytest.approx(1 / 35)
    assert found.simulated == pytest.approx(0.8, abs=0.03)


# --- refusals


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: power.paired(1), "at least 2 who answer twice"),
        (lambda: power.paired(0), "at least 2 who answer twice"),
        (lambda: power.paired(9, sd=0), "sd=0 must be above zero"),
        (lambda: power.paired(9, power=1), "must lie between"),
        (lambda: power.paired(9, power=0.01), "needs no change at all"),
        (lambda: power.paired(9, confidence=97), "between 0 and 1"),
        (lambda: power.paired(9, runs=0), "at least one data set"),
        (lambda: power.clustered(1, size=8, icc=0.1), "at least 2 are needed"),
        (lambda: power.clustered(2, size=8, icc=0.1, arms=2), "at least 3 are needed"),
        (lambda: power.clustered(6, size=8, icc=1.1), "icc=1.1"),
        (lambda: power.clustered(6, size=[8, 8], icc=0.1), "6 teams, but 2 sizes"),
        (lambda: power.clustered(2, size=[8, 0], icc=0.1), "at least one person"),
        (lambda: power.clustered(6, size=8, icc=0.1, treated=3), "belongs to arms=2"),
        (lambda: power.clustered(6, size=8, icc=0.1, arms=2, treated=6), "in each arm"),
        (lambda: power.clustered(6, size=8, icc=0.1, arms=3), "arms must be"),
        (lambda: power.interrupted(36, 24, mean=4.9), "Take quarters"),
        (lambda: power.interrupted(36, 24, mean=5), "no change could be seen"),
        (lambda: power.interrupted(36, 24, mean=100, dispersion=0.9), "dispersion=0.9"),
        (lambda: power.interrupted(36, 24, mean=100, rho=1), "rho=1"),
        (lambda: power.interrupted(36, 24, mean=100, better="up"), "'higher' or 'lower'"),
        (lambda: power.interrupted(1, 24, mean=100), "two months before"),
        (lambda: power.interrupted(36, 0, mean=100), "one after"),
        (lambda: power.interrupted(2, 2, mean=100), "at least 5 points"),
        (lambda: power.places(1, 18), "no change however large could be clear at 97%"),
        (lambda: power.places(3, 3), "no change however large"),
        (lambda: power.places(0, 5), "one of each"),
        (lambda: power.places(3, 16, mean=[100, 50]), "19 places, but 2 means"),
        (lambda: power.places(3, 16, mean=0.1), "fewer than 5 events"),
        (lambda: power.places(3, 16, before=0), "one month before"),
        (lambda: power.places(3, 16, spread=-0.1), "spread=-0.1"),
    ],
)
def test_refusals_teach(ask, says):
    with pytest.raises(ValueError, match=says):
        ask()


def test_the_smallest_designs_are_computed():
    assert power.paired(2).df == 1
    assert power.clustered(3, size=5, icc=0, arms=2).df == 1
    assert power.places(3, 4, runs=10).df == 5
    assert power.interrupted(3, 2, mean=1000, power=0.3, runs=10).estimate < 1


def test_many_series_at_once_are_fitted_as_one_by_one():
    """What makes the simulation of an interrupted series fast is the very estimator that sets the verdict."""
    rng = np.random.default_rng(5)
    periods = np.delete(np.arange(40), [7, 8, 30])
    terms = np.column_stack([np.ones(37), periods, periods >= 24])
    noise, steps = rng.normal(0, 0.1, (60, 37)), rng.normal(0, 0.05, (60, 37))
    drawn = 5 + noise + np.cumsum(steps, axis=1) * (np.arange(60) % 3)[:, None]
    many = ar1_noise.fit_many(drawn, terms, periods, [0, 0, 1])
    single = [ar1_noise.fit(row, terms, periods) for row in drawn]
    assert many.estimate == pytest.approx(np.array([fit.beta[2] for fit in single]), rel=1e-8, abs=1e-10)
    assert many.se == pytest.approx(np.array([fit.variance([0, 0, 1])[0] ** 0.5 for fit in single]), rel=1e-8)
    assert many.df == pytest.approx(np.array([fit.df([0, 0, 1])[0] for fit in single]), rel=1e-8)
    assert len({(fit.rho, fit.w) for fit in single}) > 5
    with pytest.raises(ValueError, match="passes through every point"):
        ar1_noise.fit_many(np.vstack([drawn, terms[:, 1]]), terms, periods, [0, 0, 1])
    with pytest.raises(ValueError, match="a series a row"):
        ar1_noise.fit_many(drawn[0], terms, periods, [0, 0, 1])
