"""`stats.change` against R, MBESS and SciPy, and at its edges."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from evalkit.stats import change, effect_sizes

# Student (1908), Biometrika 6(1), table on p. 20: hours of sleep gained by ten patients under two drugs.
FIRST = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
SECOND = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])


def test_paired_is_students_own_t() -> None:
    # R 4.2.2: with(sleep, t.test(extra[group == 2], extra[group == 1], paired = TRUE))
    # t = 4.0621, df = 9, p-value = 0.002833; 95 percent confidence interval 0.7001142 2.4598858; mean difference 1.58
    found = change.paired(FIRST, SECOND)
    assert found.estimate == pytest.approx(1.58, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((0.7001142, 2.4598858), abs=5e-8)
    assert found.p == pytest.approx(0.002833, abs=5e-7)
    assert found.estimate / found.se == pytest.approx(4.0621277, abs=1e-6)
    assert (found.n, found.df) == (10, 9)


def test_the_interval_at_another_confidence_is_scipys() -> None:
    found = change.paired(FIRST, SECOND)
    other = stats.ttest_rel(SECOND, FIRST).confidence_interval(0.97)
    assert found.interval(0.97) == pytest.approx((other.low, other.high), rel=1e-10)
    assert found.interval(0.95) == (found.low, found.high)


def test_gaps_are_counted_and_only_complete_pairs_compared() -> None:
    before, after = FIRST.copy(), SECOND.copy()
    before[2], after[[4, 5]] = np.nan, np.nan
    found = change.paired(before, after)
    kept = [0, 1, 3, 6, 7, 8, 9]
    assert (found.n, found.n_before, found.n_after) == (7, 9, 8)
    assert found.estimate == pytest.approx((SECOND - FIRST)[kept].mean())
    assert (found.mean_before, found.mean_after) == pytest.approx((FIRST[kept].mean(), SECOND[kept].mean()))
    assert (found.sd_before, found.sd_after) == pytest.approx((FIRST[kept].std(ddof=1), SECOND[kept].std(ddof=1)))


def test_two_pairs_are_the_fewest() -> None:
    found = change.paired([1.0, 2.0], [2.0, 4.0])
    assert (found.estimate, found.n, found.df) == (1.5, 2, 1)
    assert (found.low, found.high) == pytest.approx((1.5 - 12.7062047 * 0.5, 1.5 + 12.7062047 * 0.5))


def test_pandas_missing_values_are_gaps() -> None:
    before = pd.Series([1, None, 3, 5], dtype="Int64")
    after = pd.Series([2, 2, 5, None], dtype="Int64")
    assert change.paired(before, after).n == 2


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ([], [], "Two complete pairs"),
        ([1.0], [2.0], "Two complete pairs"),
        ([1.0, math.nan, 2.0], [math.nan, 2.0, 3.0], "of 3 people 1 answered twice"),
        ([1.0, 2.0], [1.0, 2.0, 3.0], "before has 2 people and after has 3"),
        ([1.0, 2.0, 3.0], [2.0, 3.0, 4.0], "changed by exactly 1"),
        ([0.1, 0.2, 0.3], [0.3, 0.4, 0.5], "changed by exactly 0.2"),
        ([5.0, 5.0, 5.0], [5.0, 5.0, 5.0], "changed by exactly 0"),
        ([1.0, math.inf], [1.0, 2.0], "1 infinite"),
    ],
)
def test_paired_refuses(before: list[float], after: list[float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        change.paired(before, after)


def test_series_in_different_order_are_not_paired_by_position() -> None:
    with pytest.raises(ValueError, match="different indexes"):
        change.paired(pd.Series([1.0, 2.0], index=["a", "b"]), pd.Series([1.0, 2.0], index=["b", "a"]))


@pytest.mark.parametrize("confidence", [0, 1, 95])
def test_confidence_is_a_share(confidence: float) -> None:
    with pytest.raises(ValueError, match=r"95 % is 0\.95"):
        change.paired(FIRST, SECOND, confidence=confidence)


answers = hnp.arrays(float, st.integers(3, 30), elements=st.floats(-50, 50).map(lambda x: round(x, 2)))


@settings(deadline=None)
@given(answers, st.data())
def test_swapping_the_times_mirrors_the_change(before: np.ndarray, data: st.DataObject) -> None:
    after = data.draw(hnp.arrays(float, len(before), elements=st.floats(-50, 50).map(lambda x: round(x, 2))))
    if np.ptp(after - before) < 1e-6:
        return
    there, back = change.paired(before, after), change.paired(after, before)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), rel=1e-9, abs=1e-9)
    assert there.p == pytest.approx(back.p, abs=1e-12)
    assert there.p == pytest.approx(stats.ttest_rel(after, before).pvalue, rel=1e-6, abs=1e-12)
    assert (there.p < 0.05) == (there.low > 0 or there.high < 0)


def test_two_groups_is_r_and_scipys_welch() -> None:
    # R 4.2.2: t.test(extra ~ group, data = sleep)
    # t = -1.8608, df = 17.776, p-value = 0.07939,
    # 95 percent confidence interval of group 1 - group 2: -3.3654832 0.2054832
    found = change.two_groups(FIRST, SECOND)
    assert (found.low, found.high) == pytest.approx((-0.2054832, 3.3654832), abs=5e-8)
    assert found.df == pytest.approx(17.776, abs=5e-4)
    assert found.p == pytest.approx(0.07939, abs=5e-6)
    other = stats.ttest_ind(SECOND[:6], FIRST, equal_var=False).confidence_interval()
    part = change.two_groups(FIRST, np.append(SECOND[:6], np.nan))
    assert (part.low, part.high) == pytest.approx((other.low, other.high), rel=1e-10)
    assert (part.n, part.n_a, part.n_b, part.missing_a, part.missing_b) == (16, 10, 6, 0, 1)


def test_two_groups_needs_two_in_each_and_some_spread() -> None:
    with pytest.raises(ValueError, match="a has 3 and b has 1"):
        change.two_groups([1, 2, 3], [1, math.nan])
    with pytest.raises(ValueError, match="within either group"):
        change.two_groups([3, 3, 3], [4, 4])
    assert change.two_groups([3, 3, 3], [4, 5]).df == pytest.approx(1)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        # R effectsize 0.8.3, MBESS; J(9) exact; d_av with the root mean square of the SDs
        ("d_z", 1.284557563),
        ("g_z", 1.173924904),
        ("d_av", 0.8321810813),
        ("d_rm", 0.8221766384),
        ("d_pre", 0.8831701904),
    ],
)
def test_effect_sizes_are_rs(kind: change.Kind, expected: float) -> None:
    assert change.effect_size(FIRST, SECOND, kind=kind).estimate == pytest.approx(expected, abs=1e-8)


def test_the_other_convention_of_d_av_is_not_ours() -> None:
    mean_sd = 1.58 / ((FIRST.std(ddof=1) + SECOND.std(ddof=1)) / 2)
    assert mean_sd == pytest.approx(0.8334963413, abs=1e-8)
    ours = change.effect_size(FIRST, SECOND, kind="d_av")
    assert ours.estimate != pytest.approx(mean_sd, abs=1e-4)
    assert ours.standardiser == "root mean square of the two standard deviations"


def test_the_noncentral_interval_is_mbess() -> None:
    # R MBESS: conf.limits.nct(ncp = 4.0621277, df = 9) / sqrt(10): 0.4146277564 to 2.118016524
    found = change.effect_size(FIRST, SECOND, kind="d_z")
    assert found.interval == "noncentral"
    assert (found.low, found.high) == pytest.approx((0.4146277564, 2.118016524), abs=1e-6)
    corrected = change.effect_size(FIRST, SECOND, kind="g_z")
    assert (corrected.low, corrected.high) == (found.low, found.high)


def test_g_av_is_unbiased_where_d_av_is_not() -> None:
    # No program was at hand for this correction: its promise is checked. 4,000 groups of 8 people, true value 0.5;
    # standard error of the mean about .007 while the bias of d_av is about .037.
    rng = np.random.default_rng(3)
    before = rng.normal(size=(4_000, 8))
    after = 0.6 * before + 0.8 * rng.normal(size=before.shape) + 0.5
    groups = pd.DataFrame(before.T), pd.DataFrame(after.T)
    g, d = (change.effect_sizes(*groups, kind=k)["estimate"].mean() for k in ("g_av", "d_av"))
    assert abs(g - 0.5) < 0.028
    assert d - g > 0.02


def test_the_jackknife_interval_is_the_one_written_out() -> None:
    d = change.effect_size(FIRST, SECOND, kind="d_av")

    def d_av(b: np.ndarray, a: np.ndarray) -> float:
        return float((a - b).mean() / math.sqrt((b.var(ddof=1) + a.var(ddof=1)) / 2))

    left_out = [d_av(np.delete(FIRST, i), np.delete(SECOND, i)) for i in range(10)]
    se = math.sqrt(9 / 10 * sum((each - np.mean(left_out)) ** 2 for each in left_out))
    assert d.interval == "jackknife"
    assert (d.low, d.high) == pytest.approx((d.estimate - 2.26215716 * se, d.estimate + 2.26215716 * se), abs=1e-7)


def test_bca_is_scipys() -> None:
    ours = change.effect_size(FIRST, SECOND, kind="d_av", interval="bca", resamples=40_000, seed=1)

    def d_av(b: np.ndarray, a: np.ndarray, axis: int = -1) -> np.ndarray:
        return (a - b).mean(axis) / np.sqrt((b.var(axis, ddof=1) + a.var(axis, ddof=1)) / 2)

    theirs = stats.bootstrap(
        (FIRST, SECOND), d_av, paired=True, n_resamples=40_000, rng=np.random.default_rng(2)
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_the_studentised_interval_is_the_one_written_out() -> None:
    # d_pre at eight people, resampled in a plain loop from the same draws
    before, after = FIRST[:8], SECOND[:8]

    def size(rows: np.ndarray) -> float:
        return float((after - before)[rows].mean() / before[rows].std(ddof=1))

    def error(rows: np.ndarray) -> float:
        left_out = np.array([size(np.delete(rows, i)) for i in range(8)])
        return math.sqrt(7 / 8 * float(((left_out - left_out.mean()) ** 2).sum()))

    whole = np.arange(8)
    draws = np.random.default_rng(4).integers(8, size=(500, 8))
    pivots = [(size(rows) - size(whole)) / error(rows) for rows in draws]
    high, low = np.quantile(pivots, [0.025, 0.975])
    expected = (size(whole) - low * error(whole), size(whole) - high * error(whole))
    ours = change.effect_size(before, after, kind="d_pre", interval="studentised", resamples=500, seed=4)
    assert (ours.low, ours.high) == pytest.approx(expected, rel=1e-9)


def test_a_drawn_interval_can_be_drawn_again() -> None:
    once = change.effect_size(FIRST, SECOND, kind="d_av", interval="bca", resamples=500)
    assert once.seed is not None
    assert change.effect_size(FIRST, SECOND, kind="d_av", interval="bca", resamples=500, seed=once.seed) == once
    assert change.effect_size(FIRST, SECOND, kind="d_av").seed is None


@settings(deadline=None)
@given(st.floats(0.1, 10), st.floats(-100, 100))
def test_effect_sizes_do_not_depend_on_the_unit(scale: float, shift: float) -> None:
    for kind in ("d_z", "d_av", "d_rm", "d_pre", "g_av"):
        plain = change.effect_size(FIRST, SECOND, kind=kind)
        other = change.effect_size(scale * FIRST + shift, scale * SECOND + shift, kind=kind)
        assert (other.estimate, other.low, other.high) == pytest.approx(
            (plain.estimate, plain.low, plain.high), rel=1e-6
        )


def test_effect_size_refuses_what_it_cannot_say() -> None:
    with pytest.raises(ValueError, match="for d_av use"):
        change.effect_size(FIRST, SECOND, kind="d_av", interval="noncentral")
    with pytest.raises(ValueError, match="choose one of d_z"):
        change.effect_size(FIRST, SECOND, kind="d")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="choose one of noncentral"):
        change.effect_size(FIRST, SECOND, kind="d_z", interval="percentile")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="there are 2 pairs"):
        change.effect_size([1, 2], [2, 4], kind="d_z")
    with pytest.raises(ValueError, match="answers differ"):
        change.effect_size([5, 5, 5, 5], [5, 4, 3, 5], kind="d_pre")
    with pytest.raises(ValueError, match="one person carries all of it"):
        change.effect_size([5, 5, 5, 5, 4], [5, 4, 3, 5, 5], kind="d_pre")
    with pytest.raises(ValueError, match="resamples have no spread"):
        change.effect_size([5, 5, 5, 5, 4, 4], [5, 4, 3, 5, 5, 4], kind="d_pre", interval="bca", seed=1)
    with pytest.raises(ValueError, match="four complete pairs"):
        change.effect_size([1, 2, 3], [2, 4, 4], kind="d_av")
    with pytest.raises(ValueError, match="hardly differ"):
        change.effect_size(np.zeros(5), [1.0, 1.001, 0.999, 1.0, 1.002], kind="d_z")


@pytest.mark.parametrize(("df", "expected"), [(2, 1 / math.sqrt(math.pi)), (9, 0.9138748918)])
def test_hedges_correction(df: float, expected: float) -> None:
    # J(2) = Γ(1)/[1 x Γ(1/2)] = 1/sqrt(pi) by hand; J(9) from R: gamma(4.5)/(sqrt(4.5) * gamma(4))
    assert float(effect_sizes.correction(df)) == pytest.approx(expected, abs=1e-10)


# Bland & Altman 1986, table 1: peak expiratory flow of 17 people, first reading by each meter (l/min)
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_limits_of_agreement_are_bland_and_altmans() -> None:
    # The paper prints mean -2.1, SD 38.8, limits -79.7 and 75.5 (± 2 SD, of the rounded figures), interval of the
    # mean -22.0 to 17.8, of the lower limit -114.3 to -45.1, of the upper 40.9 to 110.1 (t 2.12, sqrt(3/n) SD = 16.3)
    found = change.limits_of_agreement(MINI, WRIGHT)
    assert (found.estimate, found.sd, found.n) == (pytest.approx(-2.1, abs=0.05), pytest.approx(38.8, abs=0.05), 17)
    assert found.estimate - 2 * found.sd == pytest.approx(-79.7, abs=0.1)
    assert found.estimate + 2 * found.sd == pytest.approx(75.5, abs=0.1)
    assert (found.low, found.high) == pytest.approx((-22.0, 17.8), abs=0.1)
    reach = (found.lower_high - found.lower_low) / 2
    assert reach == pytest.approx((114.3 - 45.1) / 2, abs=0.1)
    assert found.upper - found.lower == pytest.approx(2 * 1.96 * found.sd)


@given(st.lists(st.tuples(st.floats(1, 5), st.floats(1, 5)), min_size=3, max_size=30))
def test_limits_turn_round_with_the_raters(rated: list[tuple[float, float]]) -> None:
    a, b = [pair[0] for pair in rated], [pair[1] for pair in rated]
    if np.ptp(np.subtract(b, a)) < 1e-6:
        return
    one, other = change.limits_of_agreement(a, b), change.limits_of_agreement(b, a)
    assert (one.lower, one.upper) == pytest.approx((-other.upper, -other.lower))
    assert one.sd == pytest.approx(other.sd)


def test_limits_need_two_people_who_differ() -> None:
    with pytest.raises(ValueError, match="Two complete pairs"):
        change.limits_of_agreement([1.0], [2.0])
    with pytest.raises(ValueError, match="apart by exactly 1"):
        change.limits_of_agreement([1.0, 2.0], [2.0, 3.0])
