"""`stats.raters` against psych, Krippendorff's own table, R by hand, the formulas written out, and at its edges."""

from __future__ import annotations

import itertools
import math
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evalkit.stats import raters

NAN = math.nan

# Shrout & Fleiss (1979), Psychological Bulletin 86(2), table 2: six subjects, four judges.
TABLE_2 = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float)

# Krippendorff (2011), Computing Krippendorff's alpha-reliability: four coders, twelve units, with gaps.
CODERS = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)


def test_six_forms_are_psychs_with_their_limits() -> None:
    # R 4.2.2, psych 2.2.9: ICC(sf, lmer = FALSE)$results
    #  type             ICC      lower bound     upper bound
    #  ICC1  0.165741768405 -0.1329323248748  0.722560062328
    #  ICC2  0.289763779528  0.0187865133747  0.761084369649
    #  ICC3  0.714840714841  0.3424647650339  0.945858259955
    #  ICC1k 0.442797133679 -0.8844421552381  0.912415420341
    #  ICC2k 0.620050547599  0.0711368153025  0.927232040168
    #  ICC3k 0.909315542377  0.6756747138163  0.985891678169
    found = raters.icc_raters(TABLE_2)
    assert list(found.columns) == ["form", "estimate", "low", "high", "n", "raters", "missing"]
    assert list(found["form"]) == ["ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k"]
    estimates = [0.165741768405, 0.289763779528, 0.714840714841, 0.442797133679, 0.620050547599, 0.909315542377]
    low = [-0.1329323248748, 0.0187865133747, 0.3424647650339, -0.8844421552381, 0.0711368153025, 0.6756747138163]
    high = [0.722560062328, 0.761084369649, 0.945858259955, 0.912415420341, 0.927232040168, 0.985891678169]
    np.testing.assert_allclose(found[["estimate", "low", "high"]], np.column_stack([estimates, low, high]), atol=2e-12)
    assert (found[["n", "raters", "missing"]] == [6, 4, 0]).all(axis=None)


@pytest.mark.reference
def test_anxiety_ratings_are_irrs_and_psychs(reference: Path) -> None:
    # R irr 0.84.1 prints: icc(anxiety, "twoway", "agreement") ICC(A,1) = 0.198, 95%-CI -0.039 < ICC < 0.494;
    # icc(anxiety) ICC(1) = 0.175; icc(anxiety, "twoway", unit = "average") ICC(C,3) = 0.453
    # psych 2.2.9: ICC(anxiety, lmer = FALSE, alpha = .1): ICC1 -0.04051283631133 0.435681162170,
    # ICC2 -0.00450753271323 0.446673809549, ICC2k -0.01364561424490 0.707752456617
    anxiety = pd.read_csv(reference / "people" / "irr_anxiety.csv")
    found = raters.icc_raters(anxiety).set_index("form")
    assert found.loc[["ICC2", "ICC1", "ICC3k"], "estimate"].tolist() == pytest.approx([0.198, 0.175, 0.453], abs=5e-4)
    assert found.loc["ICC2", ["low", "high"]].tolist() == pytest.approx([-0.039, 0.494], abs=5e-4)
    narrow = raters.icc_raters(anxiety, confidence=0.9).set_index("form").loc[["ICC1", "ICC2", "ICC2k"]]
    assert narrow["low"].tolist() == pytest.approx([-0.04051283631133, -0.00450753271323, -0.0136456142449], abs=1e-11)
    assert narrow["high"].tolist() == pytest.approx([0.43568116217, 0.446673809549, 0.707752456617], abs=1e-11)


@given(st.integers(0, 10_000), st.integers(3, 12), st.integers(2, 5), st.floats(0.1, 50), st.floats(-100, 100))
def test_units_do_not_matter_and_levels_do_not_for_icc3(seed: int, n: int, k: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    rated = rng.normal(size=(n, 1)) + rng.normal(size=(n, k))
    found = raters.icc_raters(rated)
    again = raters.icc_raters(rated[rng.permutation(n)][:, rng.permutation(k)] * scale + shift)
    numbers = ["estimate", "low", "high"]
    np.testing.assert_allclose(found[numbers], again[numbers], rtol=1e-6, atol=1e-6)
    levelled = raters.icc_raters(rated + rng.normal(size=k) * 10)
    np.testing.assert_allclose(found.loc[[2, 5], numbers], levelled.loc[[2, 5], numbers], rtol=1e-6, atol=1e-6)
    exact = found[found["form"].isin(["ICC1", "ICC3", "ICC1k", "ICC3k"])]
    assert ((exact["low"] < exact["estimate"]) & (exact["estimate"] < exact["high"])).all()


def test_subjects_with_a_gap_are_left_out_and_counted() -> None:
    gapped = np.vstack([TABLE_2, [5, NAN, 5, 5], [NAN] * 4])
    found = raters.icc_raters(pd.DataFrame(gapped))
    whole = raters.icc_raters(TABLE_2)
    pd.testing.assert_frame_equal(found.drop(columns="missing"), whole.drop(columns="missing"))
    assert (found["missing"] == 2).all()


def test_complete_agreement_is_one_without_limits() -> None:
    found = raters.icc_raters([[0.1] * 3, [0.7] * 3, [0.3] * 3])
    np.testing.assert_allclose(found["estimate"], 1)
    assert found[["low", "high"]].isna().all(axis=None)


def test_raters_who_differ_in_level_alone() -> None:
    found = raters.icc_raters([[1, 2, 3], [2, 3, 4], [5, 6, 7]]).set_index("form")
    assert found.loc["ICC3", "estimate"] == 1
    assert found.loc["ICC2", "estimate"] < 1
    assert found.loc[["ICC2", "ICC3", "ICC3k"], ["low", "high"]].isna().all(axis=None)
    assert found.loc["ICC1", ["low", "high"]].notna().all()


def test_subjects_who_do_not_differ_have_no_reliability_of_means() -> None:
    found = raters.icc_raters([[1, 2, 3], [3, 1, 2], [2, 3, 1]]).set_index("form")
    assert found.loc[["ICC1k", "ICC3k"], "estimate"].isna().all()
    assert found.loc["ICC1", "estimate"] == pytest.approx(-1 / 2)
    assert found[["low", "high"]].isna().all(axis=None)


def test_a_bound_too_low_for_any_mean_of_raters_is_minus_infinity() -> None:
    # Subjects nearly alike and raters too: ICC2 may lie below -1/(k - 1), which Spearman-Brown has no mean for
    found = raters.icc_raters([[1, 9], [9, 1.5], [1, 9.1], [9, 1.2]]).set_index("form")
    assert found.loc["ICC2", "low"] < -1
    assert found.loc["ICC2k", "low"] == -math.inf


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        ([], "there are 0 raters"),
        ([[1, 2, 3]], "3 raters and, of 1 subjects, 1 that all"),
        ([[1], [2], [3]], "there are 1 raters"),
        ([1, 2, 3], "there are 1 raters"),
        ([[1, NAN], [2, 3], [NAN, 4]], "of 3 subjects, 1 that all of them rated"),
        ([[4, 4], [4, 4]], "Every rating is 4"),
        ([[1, math.inf], [2, 3]], "1 infinite values"),
        ([["low", "high"], ["a", "b"]], "rows and columns of numbers"),
    ],
)
def test_icc_raters_refuses(matrix: list[object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        raters.icc_raters(matrix)


def test_confidence_is_a_share() -> None:
    with pytest.raises(ValueError, match=r"95 % is 0\.95"):
        raters.icc_raters(TABLE_2, confidence=95)


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        # R irr 0.84.1: kripp.alpha(x, level), equal to Python krippendorff 0.9.0
        ("nominal", 0.7434210526),
        ("ordinal", 0.8153875038),
        ("interval", 0.8491071429),
        ("ratio", 0.7974027747),
    ],
)
def test_alpha_is_krippendorffs_own(level: raters.Level, expected: float) -> None:
    found = raters.krippendorff(CODERS, level=level)
    assert found.estimate == pytest.approx(expected, abs=1e-9)
    assert (found.n, found.units, found.raters, found.values) == (11, 12, 4, 40)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def written_out(matrix: np.ndarray, level: str) -> float:
    """Alpha from every pair of values, one by one (Krippendorff 2011, equations of sections A to C)."""
    units = [unit[~np.isnan(unit)] for unit in matrix.T]
    units = [unit for unit in units if len(unit) > 1]
    values = np.concatenate(units)

    def apart(c: float, k: float) -> float:
        if level == "nominal":
            return float(c != k)
        if level == "interval":
            return (c - k) ** 2
        if level == "ratio":
            return ((c - k) / (c + k)) ** 2 if c != k else 0.0
        low, high = min(c, k), max(c, k)
        within = ((values >= low) & (values <= high)).sum()
        return float(within - ((values == low).sum() + (values == high).sum()) / 2) ** 2 if c != k else 0.0

    observed = sum(sum(apart(c, k) for c, k in itertools.permutations(unit, 2)) / (len(unit) - 1) for unit in units)
    expected = sum(apart(c, k) for c, k in itertools.permutations(values, 2))
    return float(1 - (len(values) - 1) * observed / expected) if expected else NAN


@settings(max_examples=60)
@given(
    st.integers(0, 10_000),
    st.integers(2, 5),
    st.integers(1, 9),
    st.floats(0, 0.6),
    st.sampled_from(["nominal", "ordinal", "interval", "ratio"]),
)
def test_alpha_is_its_formula(seed: int, many: int, units: int, gaps: float, level: raters.Level) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.choice([0, 0.5, 1, 2, 7], size=(many, units))
    matrix[rng.random(matrix.shape) < gaps] = np.nan
    if ((~np.isnan(matrix)).sum(axis=0) < 2).all():
        with pytest.raises(ValueError, match="has two values"):
            raters.krippendorff(matrix, level=level)
        return
    found = raters.krippendorff(matrix, level=level)
    assert found.estimate == pytest.approx(written_out(matrix, level), rel=1e-9, abs=1e-9, nan_ok=True)


@given(st.integers(0, 10_000))
def test_ordinal_alpha_looks_at_order_only(seed: int) -> None:
    codes = np.random.default_rng(seed).integers(1, 5, size=(3, 8)).astype(float)
    once = raters.krippendorff(codes, level="ordinal").estimate
    assert raters.krippendorff(codes**3 - 50, level="ordinal").estimate == pytest.approx(once, rel=1e-9, nan_ok=True)


def test_labels_may_be_words_when_nominal() -> None:
    words = pd.DataFrame(CODERS).map(lambda each: None if np.isnan(each) else "abcde"[int(each) - 1])
    assert raters.krippendorff(words, level="nominal").estimate == pytest.approx(0.7434210526, abs=1e-9)
    with pytest.raises(ValueError, match="rows and columns of numbers"):
        raters.krippendorff(words, level="ordinal")


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
def test_one_value_only_has_no_alpha(level: raters.Level) -> None:
    # Krippendorff (2019), ch. 12: without variation there is no evidence of reliability, and alpha is not defined
    found = raters.krippendorff([[3, 3, 3, 1], [3, 3, 3, NAN]], level=level, resamples=50, seed=1)
    assert math.isnan(found.estimate)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert (found.n, found.values, found.units) == (3, 6, 4)


def test_large_values_close_together_lose_no_digits() -> None:
    plain = raters.krippendorff(CODERS, level="interval").estimate
    assert raters.krippendorff(CODERS + 1e9, level="interval").estimate == pytest.approx(plain, rel=1e-9)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
def test_resampling_is_of_whole_units_with_everything_anew(level: raters.Level) -> None:
    # The same draws made by hand: columns repeated as often as drawn, and alpha taken of the new table
    paired = CODERS[:, (~np.isnan(CODERS)).sum(axis=0) > 1]
    rng = np.random.default_rng(5)
    drawn = rng.multinomial(11, np.full(11, 1 / 11), size=199)
    alphas = [raters.krippendorff(np.repeat(paired, times, axis=1), level=level).estimate for times in drawn]
    found = raters.krippendorff(CODERS, level=level, resamples=199, seed=5)
    assert found.low == pytest.approx(np.quantile(alphas, 0.025, method="lower"), rel=1e-9)
    assert found.high == pytest.approx(np.quantile(alphas, 0.975, method="higher"), rel=1e-9)
    assert found.low < found.estimate < found.high
    assert found.undefined == 0


def test_a_seed_gives_the_same_and_none_is_recorded() -> None:
    once = raters.krippendorff(CODERS, level="nominal", resamples=100)
    assert once.seed is not None
    assert raters.krippendorff(CODERS, level="nominal", resamples=100, seed=once.seed) == once
    assert raters.krippendorff(CODERS, level="nominal").seed is None


def test_resamples_of_one_value_never_make_the_interval_narrower() -> None:
    # One unit of ten holds another value: a resample misses it with probability .9^10 = .35, and has no alpha then
    # and where it is drawn the two raters disagree on it, so that no alpha comes near 1 by itself
    rare = np.ones((2, 10))
    rare[0, 0] = 2
    found = raters.krippendorff(rare, level="nominal", resamples=2_000, seed=1)
    assert found.undefined / 2_000 == pytest.approx(0.9**10, abs=0.045)
    assert math.isnan(found.low)
    assert found.high == 1


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    # 40 units, 3 raters; measured .94 (300 sets); 4 Monte Carlo errors of 150 sets are .08
    rng = np.random.default_rng(11)

    def codes(units: int) -> np.ndarray:
        return np.digitize(rng.normal(size=units) + 0.8 * rng.normal(size=(3, units)), [-1, 0, 1]).astype(float)

    truth = raters.krippendorff(codes(100_000), level="ordinal").estimate
    held = 0
    for seed in range(150):
        found = raters.krippendorff(codes(40), level="ordinal", resamples=299, seed=seed)
        held += found.low <= truth <= found.high
    assert held / 150 > 0.86


@pytest.mark.parametrize(
    ("matrix", "level", "says"),
    [
        ([], "nominal", "None of 0 units"),
        ([[1, 2, 3]], "nominal", "None of 3 units has two values"),
        ([[1, NAN], [NAN, 2]], "interval", "None of 2 units"),
        ([[1, -2], [1, 2]], "ratio", "1 lie below it"),
        ([[1, 2], [1, 2]], "likert", "choose one of nominal, ordinal, interval, ratio"),
        ([[1, math.inf], [1, 2]], "interval", "1 infinite"),
    ],
)
def test_krippendorff_refuses(matrix: list[object], level: raters.Level, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        raters.krippendorff(matrix, level=level)


@pytest.mark.reference
def test_w_of_anxiety_ratings_is_irrs_and_friedmans(reference: Path) -> None:
    # R irr 0.84.1: kendall(anxiety, correct = TRUE): Wt = 0.54. R 4.2.2: friedman.test(t(as.matrix(anxiety))):
    # Friedman chi-squared = 30.76044193, df = 19, p-value = 0.0428834731; W = chi-squared/(3 x 19) = 0.5396568759544
    anxiety = pd.read_csv(reference / "people" / "irr_anxiety.csv")
    found = raters.kendall_w(anxiety.T, seed=1)
    assert found.estimate == pytest.approx(0.5396568759544, abs=1e-12)
    assert (found.chi_square, found.df) == (pytest.approx(30.7604419293991, abs=1e-9), 19)
    assert found.p_chi_square == pytest.approx(0.0428834731269, abs=1e-10)
    assert (found.n, found.judges, found.missing) == (20, 3, 0)
    assert (found.p_by, found.permutations, found.seed) == ("permutation", 9_999, 1)
    assert 0.01 < found.p < 0.05


@pytest.mark.parametrize(
    ("matrix", "w", "chi_square", "p"),
    [
        # R 4.2.2, all 24 x 24 orders gone through: 31 of 576 at least as concordant
        ([[1, 2, 3, 4], [1, 3, 2, 4], [2, 1, 3, 4]], 7 / 9, 7.0, 31 / 576),
        # with ties: friedman.test chi-squared 7.444444444, /9 = 0.827160493827; 24 of 576 orders
        ([[1, 1, 2, 3], [1, 2, 2, 4], [3, 1, 4, 4]], 0.827160493827, 67 / 9, 24 / 576),
        # Friedman (1937), JASP 32, 675-701, tabulates 3 objects, 3 judges: chi-square 6, p .028; 4.667, p .194
        ([[1, 2, 3], [1, 2, 3], [1, 2, 3]], 1.0, 6.0, 1 / 36),
        ([[1, 2, 3], [1, 2, 3], [2, 1, 3]], 7 / 9, 14 / 3, 7 / 36),
        ([[1, 2], [2, 1]], 0.0, 0.0, 1.0),
        ([[1, 2], [1, 2]], 1.0, 2.0, 1 / 2),
    ],
)
def test_small_w_and_its_exact_p(matrix: list[list[float]], w: float, chi_square: float, p: float) -> None:
    found = raters.kendall_w(matrix)
    assert found.estimate == pytest.approx(w, abs=1e-11)
    assert found.chi_square == pytest.approx(chi_square, abs=1e-9)
    assert found.p == pytest.approx(p, abs=1e-12)
    assert (found.p_by, found.permutations, found.seed) == ("exact", 0, None)


def test_w_of_four_judges_is_friedmans_chi_square() -> None:
    # R 4.2.2: friedman.test(rbind(c(5,3,1,2,4), c(4,3,1,2,5), c(5,2,1,3,4), c(5,4,2,1,3))):
    # chi-squared 13.0, p-value 0.0112757939473; /16 = 0.8125
    found = raters.kendall_w([[5, 3, 1, 2, 4], [4, 3, 1, 2, 5], [5, 2, 1, 3, 4], [5, 4, 2, 1, 3]])
    assert (found.estimate, found.chi_square) == pytest.approx((0.8125, 13.0))
    assert found.p_chi_square == pytest.approx(0.0112757939473, abs=1e-11)
    assert found.p_by == "exact"


@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(3, 9))
def test_w_is_the_mean_rank_correlation(seed: int, judges: int, objects: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(judges, objects))
    found = raters.kendall_w(scores, permutations=0)
    mean = np.mean([stats.spearmanr(a, b).statistic for a, b in itertools.combinations(scores, 2)])
    assert found.estimate == pytest.approx((1 + (judges - 1) * mean) / judges, abs=1e-9)
    assert found.estimate == pytest.approx(raters.kendall_w(-np.exp(scores), permutations=0).estimate, abs=1e-12)


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(2, 4))
def test_the_exact_p_is_that_of_all_orders(seed: int, judges: int, objects: int) -> None:
    scores = np.random.default_rng(seed).integers(1, 4, size=(judges, objects))
    ranks = np.array([stats.rankdata(row) for row in scores])
    if all(np.ptp(row) == 0 for row in scores):
        with pytest.raises(ValueError, match="tells the objects apart"):
            raters.kendall_w(scores)
        return
    seen = (ranks.sum(axis=0) ** 2).sum()
    every = [[np.array(order) for order in itertools.permutations(row)] for row in ranks[1:]]
    large = [((ranks[0] + sum(chosen)) ** 2).sum() >= seen - 1e-9 for chosen in itertools.product(*every)]
    assert raters.kendall_w(scores).p == pytest.approx(np.mean(large), abs=1e-12)


def test_permutations_come_near_the_exact_p(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = [[1, 2, 3, 4, 5], [2, 1, 3, 5, 4], [1, 3, 2, 2, 5]]
    exact = raters.kendall_w(scores)
    monkeypatch.setattr(raters, "MOST_OBJECTS", 0)
    drawn = raters.kendall_w(scores, permutations=20_000, seed=3)
    assert (exact.p_by, drawn.p_by) == ("exact", "permutation")
    assert drawn.p == pytest.approx(exact.p, abs=4 * math.sqrt(exact.p / 20_000))
    assert raters.kendall_w(scores, permutations=0).p_by == "none"
    assert math.isnan(raters.kendall_w(scores, permutations=0).p)
    again = raters.kendall_w(scores, permutations=99)
    assert raters.kendall_w(scores, permutations=99, seed=again.seed) == again


def test_objects_with_a_gap_are_left_out_and_ranked_anew() -> None:
    whole = raters.kendall_w([[1, 2, 4], [2, 3, 9], [1, 5, 7]])
    gapped = raters.kendall_w([[1, 1.5, 2, 4], [2, NAN, 3, 9], [1, 6, 5, 7]])
    assert (gapped.estimate, gapped.p, gapped.n, gapped.missing) == (whole.estimate, whole.p, 3, 1)


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        ([], "there are 0 judges"),
        ([[1, 2, 3]], "there are 1 judges"),
        ([[1], [2]], "of 1 objects, 1 that all"),
        ([[1, NAN], [NAN, 2]], "of 2 objects, 0 that all"),
        ([[2, 2, 2], [5, 5, 5]], "None of 2 judges tells the objects apart"),
    ],
)
def test_kendall_w_refuses(matrix: list[object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        raters.kendall_w(matrix)


def test_ten_thousand_resamples_of_two_hundred_units_take_about_a_third_of_a_second() -> None:
    codes = np.random.default_rng(1).integers(1, 5, size=(4, 200)).astype(float)
    start = time.process_time()
    raters.krippendorff(codes, level="ordinal", resamples=9_999, seed=1)
    assert time.process_time() - start < 3  # measured .35 s; the rest is for a busy machine
