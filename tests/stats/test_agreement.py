"""`stats.agreement` against R's multilevel and psych, against the formulas written out, and at its edges."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.stats import agreement, raters

NAN = math.nan
QUESTIONS = [f"COH0{i}" for i in range(1, 6)]


@pytest.fixture(scope="module")
def soldiers(reference: Path) -> pd.DataFrame:
    return pd.read_csv(reference / "people" / "bh1996.csv")


@pytest.fixture(scope="module")
def cohesion(reference: Path) -> pd.DataFrame:
    return pd.read_csv(reference / "people" / "cohesion.csv")


def test_null_variances() -> None:
    # James, Demaree & Wolf (1984): (A² - 1)/12; R package WGA (LeBreton), RWG.R: column "ss"
    assert [agreement.null_variance(a) for a in (2, 5, 7)] == [0.25, 2.0, 4.0]
    assert agreement.null_variance(6) == pytest.approx(2.9167, abs=5e-5)
    skewed = [agreement.null_variance(a, shape="slight_skew") for a in range(5, 12)]
    assert skewed == [1.34, 1.85, 2.90, 3.47, 5.66, 6.30, 7.31]
    assert all(skewed[a - 5] < agreement.null_variance(a) for a in range(5, 12))


def test_the_verified_skew_follows_from_its_distribution() -> None:
    shares = [0.05, 0.15, 0.20, 0.35, 0.25]
    assert {5} == agreement.SLIGHT_SKEW_VERIFIED
    assert agreement.null_variance(5, probabilities=shares) == pytest.approx(agreement.SLIGHT_SKEW[5], abs=1e-12)
    assert agreement.null_variance(5, probabilities=shares[::-1]) == pytest.approx(1.34, abs=1e-12)


@given(st.integers(2, 30))
def test_equal_shares_are_the_uniform_null(options: int) -> None:
    equal = agreement.null_variance(options, probabilities=[1 / options] * options)
    assert equal == pytest.approx(agreement.null_variance(options), rel=1e-12)


@pytest.mark.parametrize(
    ("options", "settings", "says"),
    [
        (1, {}, "at least two"),
        (4, {"shape": "slight_skew"}, "for 4 options; give probabilities="),
        (12, {"shape": "slight_skew"}, "for 12 options"),
        (5, {"shape": "normal"}, "choose one of uniform, slight_skew"),
        (3, {"probabilities": [0.5, 0.5]}, "3 shares"),
        (2, {"probabilities": [0.5, 0.6]}, "add up to 1"),
        (2, {"probabilities": [-0.5, 1.5]}, "shares from 0"),
        (2, {"probabilities": [NAN, 1]}, "shares from 0"),
    ],
)
def test_null_variance_refuses(options: int, settings: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        agreement.null_variance(options, **settings)  # type: ignore[arg-type]


@pytest.mark.reference
def test_rwg_is_multilevels(soldiers: pd.DataFrame) -> None:
    # R 4.2.2, multilevel 2.7: rwg(bh1996$COHES, bh1996$GRP, ranvar = 2): groups 1-5 0.656018604221 0.629980799497
    # 0.692028131155 0.330964158312 0.692514939144, sizes 74 63 96 42 102; mean of 99 groups 0.631644069459
    # rwg(WBEING, GRP, ranvar = 1.04): sum 25.242535346990 (mean 0.254975104515), least 0
    found = agreement.rwg(soldiers["COHES"], soldiers["GRP"], null_variance=2.0)
    expected = [0.656018604221, 0.629980799497, 0.692028131155, 0.330964158312, 0.692514939144]
    np.testing.assert_allclose(found["estimate"].head(5), expected, atol=1e-12)
    assert list(found["n"].head(5)) == [74, 63, 96, 42, 102]
    assert len(found) == 99
    assert found["estimate"].mean() == pytest.approx(0.631644069459, abs=1e-12)
    strict = agreement.rwg(soldiers["WBEING"], soldiers["GRP"], null_variance=1.04)
    assert strict["estimate"].sum() == pytest.approx(25.242535346990, abs=1e-11)
    assert strict["estimate"].min() == 0
    assert strict["raw"].min() < 0


@pytest.mark.reference
def test_rwg_resets_as_multilevel_does_and_keeps_the_raw_value(soldiers: pd.DataFrame) -> None:
    # R: s <- bh1996[bh1996$GRP <= 6 & seq_len(7382) %% 5 == 0, ]; rwg(s$LEAD, s$GRP, ranvar = .5)
    some = soldiers[(soldiers["GRP"] <= 6) & ((np.arange(len(soldiers)) + 1) % 5 == 0)]
    found = agreement.rwg(some["LEAD"], some["GRP"], null_variance=0.5)
    expected = [0.289034500835, 0.250029431880, 0, 0.139348025685, 0, 0.177655341336]
    np.testing.assert_allclose(found["estimate"], expected, atol=1e-12)
    assert (found["raw"] < 0).tolist() == [False, False, True, False, True, False]


@pytest.mark.reference
def test_rwg_j_is_multilevels(cohesion: pd.DataFrame) -> None:
    # R 4.2.2, multilevel 2.7, data(cohesion), complete rows:
    # rwg.j(cohesion[, 3:7], UNIT, ranvar = 5.25): 1044B 0.941756693283, 1044C 0.969191270860, n 5 and 5
    #   (these two units are what the reference README lists as means of cohesion and chen2005)
    # rwg.j.lindell(…): 0.763809523810, 0.862857142857
    # by unit and platoon, ranvar = 2: 0, 0.813953488372, 0.921052631579, 0.909090909091; n 2 3 2 3
    # rwg.j.lindell: 0, 0.466666666667, 0.7, 0.666666666667
    found = agreement.rwg_j(cohesion[QUESTIONS], cohesion["UNIT"], null_variance=5.25)
    assert list(found.columns) == ["group", "n", "estimate", "raw", "sd", "missing"]
    np.testing.assert_allclose(found["estimate"], [0.941756693283, 0.969191270860], atol=1e-12)
    np.testing.assert_allclose(found["raw"], [0.763809523810, 0.862857142857], atol=1e-12)
    assert found[["n", "missing"]].to_numpy().tolist() == [[5, 1], [5, 0]]
    platoons = agreement.rwg_j(cohesion[QUESTIONS], cohesion["UNIT"] + cohesion["PLATOON"], null_variance=2)
    np.testing.assert_allclose(platoons["estimate"], [0, 0.813953488372, 0.921052631579, 0.909090909091], atol=1e-12)
    np.testing.assert_allclose(platoons["raw"], [0, 0.466666666667, 0.7, 0.666666666667], atol=1e-12)
    assert list(platoons["n"]) == [2, 3, 2, 3]


@pytest.mark.reference
def test_average_deviation_is_multilevels(soldiers: pd.DataFrame, cohesion: pd.DataFrame) -> None:
    # R 4.2.2, multilevel 2.7: ad.m(bh1996$COHES, GRP): 0.686267348430 0.648406099653 0.601671006943, mean of all
    # 0.679874688079; type = "median": 0.682432432432 0.637282690854 0.598214285713, mean 0.672906281945
    # ad.m(cohesion[, 3:7], unit and platoon): 1, 0.711111111111, 0.4, 0.488888888889; "median": 1, 0.533333333333,
    # 0.4, 0.466666666667
    first = {
        "mean": [0.686267348430, 0.648406099653, 0.601671006943],
        "median": [0.682432432432, 0.637282690854, 0.598214285713],
    }
    mean = {"mean": 0.679874688079, "median": 0.672906281945}
    small = {"mean": [1, 0.711111111111, 0.4, 0.488888888889], "median": [1, 0.533333333333, 0.4, 0.466666666667]}
    centre: agreement.Centre
    for centre in ("mean", "median"):
        found = agreement.average_deviation(soldiers["COHES"], soldiers["GRP"], centre=centre)["estimate"]
        np.testing.assert_allclose(found.head(3), first[centre], atol=1e-12)
        assert found.mean() == pytest.approx(mean[centre], abs=1e-12)
        platoons = agreement.average_deviation(
            cohesion[QUESTIONS], cohesion["UNIT"] + cohesion["PLATOON"], centre=centre
        )
        np.testing.assert_allclose(platoons["estimate"], small[centre], atol=1e-12)
        assert list(platoons["missing"]) == [1, 0, 0, 0]


@pytest.mark.reference
def test_awg_is_multilevels(soldiers: pd.DataFrame) -> None:
    # R 4.2.2, multilevel 2.7: awg(bh1996$COHES, GRP, range = c(1, 5)): 0.660239469978 0.626123283487 0.693095363989,
    # mean of 99 groups 0.633245957201
    found = agreement.awg(soldiers["COHES"], soldiers["GRP"], low=1, high=5)
    np.testing.assert_allclose(found["estimate"].head(3), [0.660239469978, 0.626123283487, 0.693095363989], atol=1e-12)
    assert found["estimate"].mean() == pytest.approx(0.633245957201, abs=1e-12)
    assert found["estimate"].notna().all()


def test_awg_at_the_ends_of_the_scale_is_multilevels() -> None:
    # R 4.2.2, multilevel 2.7: awg(x, g, range = c(1, 5)) with these groups:
    # a -1, b 1, c NA, d -1, e NA (one rater), f 0.650793650794, h -1
    answers = {"a": [1, 1, 5], "b": [1, 1, 1], "c": [5, 5, 4], "d": [1, 5], "e": [3], "f": [2, 2, 3, 4]}
    answers["h"] = [5, 5, 5, 1]
    groups = [name for name, given in answers.items() for _ in given]
    found = agreement.awg([each for given in answers.values() for each in given], groups, low=1, high=5)
    assert list(found["group"]) == list("abcdefh")
    np.testing.assert_allclose(found["estimate"], [-1, 1, NAN, -1, NAN, 0.650793650794, -1], atol=1e-12)
    assert found.loc[2, ["lowest_mean", "highest_mean"]].tolist() == pytest.approx([7 / 3, 11 / 3])


def test_awg_takes_a_group_whose_mean_is_the_very_limit() -> None:
    # .1 steps: (0.1 x 2 + 0.7)/3 is the limit but for rounding; one at the top and all others at the bottom is the most
    found = agreement.awg([0.1, 0.1, 0.7], ["a"] * 3, low=0.1, high=0.7)
    assert found.loc[0, "estimate"] == pytest.approx(-1)
    assert agreement.awg([0.7, 0.7, 0.7], ["a"] * 3, low=0.1, high=0.7).loc[0, "estimate"] == 1
    assert math.isnan(agreement.awg([0.7], ["a"], low=0.1, high=0.7).loc[0, "estimate"])


@given(st.integers(0, 10_000), st.integers(1, 5))
def test_indices_are_their_formulas(seed: int, questions: int) -> None:
    rng = np.random.default_rng(seed)
    people = int(rng.integers(1, 40))
    items = rng.integers(1, 6, size=(people, questions)).astype(float)
    items[rng.random(items.shape) < 0.1] = np.nan
    groups = np.array(list("dacb"))[rng.integers(4, size=people)]
    tables = {
        "rwg_j": agreement.rwg_j(items, groups, null_variance=1.34),
        "mean": agreement.average_deviation(items, groups, centre="mean"),
        "median": agreement.average_deviation(items, groups, centre="median"),
    }
    for position, name in enumerate(sorted(set(groups))):
        own = items[groups == name]
        whole = own[~np.isnan(own).any(axis=1)]
        for table in tables.values():
            assert table.loc[position, ["group", "n", "missing"]].tolist() == [name, len(whole), len(own) - len(whole)]
        if len(whole) < 2:
            assert all(math.isnan(table.loc[position, "estimate"]) for table in tables.values())
            continue
        r = 1 - whole.var(axis=0, ddof=1).mean() / 1.34
        floor = max(r, 0)
        assert tables["rwg_j"].loc[position, "raw"] == pytest.approx(r, abs=1e-12)
        expected = questions * floor / (1 + (questions - 1) * floor)
        assert tables["rwg_j"].loc[position, "estimate"] == pytest.approx(expected, abs=1e-12)
        assert tables["mean"].loc[position, "estimate"] == pytest.approx(np.abs(whole - whole.mean(axis=0)).mean())
        away = np.abs(whole - np.median(whole, axis=0)).mean()
        assert tables["median"].loc[position, "estimate"] == pytest.approx(away)


@given(st.lists(st.integers(1, 5), min_size=2, max_size=12))
def test_awg_lies_between_minus_one_and_one(answers: list[int]) -> None:
    found = agreement.awg(answers, ["team"] * len(answers), low=1, high=5).loc[0]
    if math.isnan(found["estimate"]):
        assert not found["lowest_mean"] <= found["mean"] <= found["highest_mean"]
    else:
        assert -1 - 1e-12 <= found["estimate"] <= 1
        assert (found["estimate"] == 1) == (len(set(answers)) == 1)


def test_edges_of_the_indices() -> None:
    scores, groups = [4, 4, 4, 5, NAN, NAN, 1, 5], ["b", "b", "b", "a", "a", "c", "d", "d"]
    found = agreement.rwg(scores, groups, null_variance=2.0).set_index("group")
    assert list(found.index) == ["a", "b", "c", "d"]
    assert found["n"].tolist() == [1, 3, 0, 2]
    assert found["missing"].tolist() == [1, 0, 1, 0]
    np.testing.assert_array_equal(found["estimate"], [NAN, 1, NAN, 0])
    assert found.loc["d", "raw"] == -3
    away = agreement.average_deviation(scores, groups, centre="median").set_index("group")["estimate"]
    np.testing.assert_array_equal(away, [NAN, 0, NAN, 2])


def test_nobody_answered_is_a_row_without_a_value() -> None:
    found = agreement.rwg([NAN, NAN], ["a", "b"], null_variance=2)
    assert found["n"].tolist() == [0, 0]
    assert found["estimate"].isna().all()


def test_groups_stand_by_name_whatever_order_a_category_has() -> None:
    groups = pd.Series(pd.Categorical(["north", "south", "north", "east"], categories=["south", "north", "east"]))
    assert list(agreement.rwg([1, 2, 3, 4], groups, null_variance=2)["group"]) == ["east", "north", "south"]


def test_pandas_missing_values_are_gaps() -> None:
    scores = pd.Series([1, None, 3, 5], dtype="Int64")
    assert agreement.rwg(scores, pd.Series(list("aabb")), null_variance=2)["n"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("scores", "groups", "null", "says"),
    [
        ([], [], 2.0, "no answers at all"),
        ([1, 2], ["a"], 2.0, "2 rows of scores and 1 groups"),
        ([1, 2], ["a", None], 2.0, "1 of 2 rows have no group"),
        ([1, 2], ["a", "a"], 0.0, "must be above 0"),
        ([1, 2], ["a", "a"], NAN, "must be above 0"),
        ([1, math.inf], ["a", "a"], 2.0, "1 infinite"),
        (["agree", "disagree"], ["a", "a"], 2.0, "rows and columns of numbers"),
        ([[1, 2], [3, 4]], ["a", "a"], 2.0, "rwg_j takes several"),
        (pd.Series([1, 2], index=[1, 2]), pd.Series(["a", "a"]), 2.0, "different indexes"),
    ],
)
def test_rwg_refuses(scores: list[object], groups: list[object], null: float, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        agreement.rwg(scores, groups, null_variance=null)


def test_awg_and_average_deviation_refuse() -> None:
    with pytest.raises(ValueError, match="low=5 must lie below high=1"):
        agreement.awg([1, 2], ["a", "a"], low=5, high=1)
    with pytest.raises(ValueError, match="1 answers lie off the scale from 1 to 5"):
        agreement.awg([1, 6], ["a", "a"], low=1, high=5)
    with pytest.raises(ValueError, match="choose one of mean, median"):
        agreement.average_deviation([1, 2], ["a", "a"], centre="mode")  # type: ignore[arg-type]


@pytest.mark.reference
def test_icc_is_multilevels(soldiers: pd.DataFrame) -> None:
    # R 4.2.2, multilevel 2.7: m <- aov(WBEING ~ as.factor(GRP), bh1996); ICC1(m) 0.0433690500771; ICC2(m) 0.77171287554
    # Mean squares 3.459004059 and 0.789646090, F 4.3804485354452; with qf(.975, 98, 7283), qf(.975, 7283, 98) and the
    # mean size 74.5656565656566: ICC1 0.0307480479372 to 0.0620231137645, ICC2 0.7028657717235 to 0.8313831592783
    found = agreement.icc_groups(soldiers["WBEING"], soldiers["GRP"])
    assert found.icc1.estimate == pytest.approx(0.0433690500771, abs=2e-9)
    assert found.icc2.estimate == pytest.approx(0.77171287554, abs=2e-9)
    assert (found.icc1.low, found.icc1.high) == pytest.approx((0.0307480479372, 0.0620231137645), abs=1e-11)
    assert (found.icc2.low, found.icc2.high) == pytest.approx((0.7028657717235, 0.8313831592783), abs=1e-11)
    assert (found.between, found.within) == pytest.approx((3.459004059, 0.78964609), abs=1e-9)
    assert (found.n, found.groups, found.icc1.n) == (7382, 99, 7382)


@given(st.integers(0, 10_000), st.integers(2, 8), st.integers(2, 6))
def test_equal_groups_are_icc_raters_first_form(seed: int, groups: int, size: int) -> None:
    # psych's ICC1 and ICC1k, tested with its limits in test_raters.py
    scores = np.random.default_rng(seed).normal(size=(groups, size))
    found = agreement.icc_groups(scores.ravel(), np.repeat(np.arange(groups), size))
    forms = raters.icc_raters(scores).set_index("form")
    one, two = forms.loc["ICC1"], forms.loc["ICC1k"]
    np.testing.assert_allclose(
        [found.icc1.estimate, found.icc1.low, found.icc1.high], one[["estimate", "low", "high"]], rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(
        [found.icc2.estimate, found.icc2.low, found.icc2.high], two[["estimate", "low", "high"]], rtol=1e-9, atol=1e-12
    )


@given(st.integers(0, 10_000), st.floats(0.1, 50), st.floats(-100, 100))
def test_units_order_and_names_do_not_matter(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    groups = np.concatenate([[0, 0, 1, 2], rng.integers(3, size=12)])
    scores, order = rng.normal(size=16), rng.permutation(16)
    once = agreement.icc_groups(scores, groups)
    again = agreement.icc_groups(scores[order] * scale + shift, [f"team {9 - g}" for g in groups[order]])
    assert once.icc1.low < once.icc1.estimate < once.icc1.high
    for name in ("estimate", "low", "high"):
        assert getattr(again.icc1, name) == pytest.approx(getattr(once.icc1, name), rel=1e-6, abs=1e-6)


def test_blank_answers_and_groups_are_counted() -> None:
    found = agreement.icc_groups([4, 5, NAN, 2, 1, NAN, NAN], list("aaabbcc"))
    assert (found.n, found.groups, found.missing, found.unanswered, found.mean_size) == (4, 2, 3, 1, 2)


def test_groups_that_agree_wholly_have_a_correlation_of_one_without_limits() -> None:
    found = agreement.icc_groups([0.1, 0.1, 0.1, 0.3, 0.3, 0.3], list("aaabbb"))
    assert (found.icc1.estimate, found.icc2.estimate, found.within) == (1, 1, 0)
    assert math.isnan(found.icc1.low)
    assert math.isnan(found.icc2.high)


def test_groups_with_one_mean_have_no_reliability_of_means() -> None:
    found = agreement.icc_groups([1, 3, 5, 1, 3, 5], list("aaabbb"))
    assert found.icc1.estimate == pytest.approx(-1 / 2)
    assert math.isnan(found.icc2.estimate)
    assert math.isnan(found.icc1.low)


@pytest.mark.parametrize(
    ("scores", "groups", "says"),
    [
        ([], [], "no answers at all"),
        ([NAN, NAN], ["a", "b"], "0 answers in 0 groups"),
        ([1], ["a"], "1 answers in 1 groups"),
        ([1, 2], ["a", "a"], "2 answers in 1 groups"),
        ([1, 2], ["a", "b"], "2 answers in 2 groups"),
        ([3, 3, 3, 3], ["a", "a", "b", "b"], "All 4 answers are 3"),
    ],
)
def test_icc_groups_refuses(scores: list[float], groups: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        agreement.icc_groups(scores, groups)


@pytest.mark.reference
def test_consensus_of_sherifs_groups(reference: Path) -> None:
    # R 4.2.2, multilevel 2.7: for each time m <- aov(y ~ as.factor(group), sherifdat[sherifdat$time == t, ])
    # ICC1(m) 0.748166466234 0.905463392207 0.985392079418; sqrt(mean square within) 0.543139024560 0.442530601578
    # 0.156790731019; S <- tapply(y, list(group, time), sd)/0.886226925453 (c4 of 3 answers)
    # t.test(apply(S, 1, function(s) coef(lm(s ~ c(0, 1, 2)))[2])): mean -0.1768181890741, 95 percent
    # -0.3379669058727 -0.0156694722755, p 0.0357073265298, stderr 0.0681498198668. Group 8 agrees wholly at time 2.
    sherif = pd.read_csv(reference / "people" / "sherifdat.csv")
    found = agreement.consensus(sherif, score="y", group="group", time="time")
    times = found.times
    np.testing.assert_allclose(times["estimate"], [0.748166466234, 0.905463392207, 0.985392079418], atol=1e-11)
    np.testing.assert_allclose(times["sd"], [0.543139024560, 0.442530601578, 0.156790731019], atol=1e-11)
    assert times[["time", "n", "groups"]].to_numpy().tolist() == [[0, 24, 8], [1, 24, 8], [2, 24, 8]]
    assert found.estimate == pytest.approx(-0.1768181890741, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((-0.3379669058727, -0.0156694722755), abs=1e-11)
    assert (found.p, found.se) == pytest.approx((0.0357073265298, 0.0681498198668), abs=1e-11)
    assert (found.n, found.df, found.left_out, found.missing) == (8, 7, 0, 0)


SHRINKING = pd.DataFrame(
    {
        "team": [1] * 9 + [2] * 8 + [3] * 8,
        "wave": [0, 0, 0, 0, 1, 1, 1, 2, 2, 0, 0, 0, 1, 1, 1, 2, 2, 0, 0, 0, 0, 1, 1, 1, 2],
        "score": [1, 3, 5, 4, 2, 3, 5, 3, 4, 2, 2, 5, 1, 3, 4, 2, 4, 5, 1, 2, 4, 3, 3, 4, 2.0],
    }
)


def test_groups_that_shrink_are_weighed_by_what_their_size_gives() -> None:
    # R 4.2.2: c4 <- function(k) sqrt(2/(k-1))*gamma(k/2)/gamma((k-1)/2); for each team s <- tapply(y, wave, sd)/c4(k),
    # coef(lm(s ~ wave))[2] where k > 1: -0.4837248409793 -0.0909780983531 -1.3301936329324; t.test: mean
    # -0.634965524088, -2.208170335971 to 0.938239287795, p 0.224590485657, stderr 0.365636018219
    # ICC1(aov(y ~ factor(team))) by wave: -0.361869031378 -0.323529411765 -0.315789473684; sd 1.758905909934
    # 1.290994448736 1.118033988750
    found = agreement.consensus(SHRINKING, score="score", group="team", time="wave")
    assert found.estimate == pytest.approx(-0.634965524088, abs=1e-11)
    assert (found.low, found.high) == pytest.approx((-2.208170335971, 0.938239287795), abs=1e-10)
    assert (found.p, found.se, found.n) == pytest.approx((0.224590485657, 0.365636018219, 3), abs=1e-10)
    np.testing.assert_allclose(found.times["estimate"], [-0.361869031378, -0.323529411765, -0.315789473684], atol=1e-11)
    np.testing.assert_allclose(found.times["sd"], [1.758905909934, 1.290994448736, 1.118033988750], atol=1e-11)


@given(st.integers(0, 10_000), st.floats(0.1, 20), st.floats(-50, 50), st.floats(0.5, 10))
def test_consensus_is_in_units_of_answers_and_of_time(seed: int, scale: float, shift: float, clock: float) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"score": rng.normal(size=60), "team": np.tile([1, 2, 3, 4], 15), "wave": np.repeat([0, 1, 3], 20)}
    )
    once = agreement.consensus(frame, score="score", group="team", time="wave")
    other = frame.assign(score=frame["score"] * scale + shift, wave=frame["wave"] * clock + 2).sample(
        frac=1, random_state=1
    )
    again = agreement.consensus(other, score="score", group="team", time="wave")
    assert again.estimate * clock / scale == pytest.approx(once.estimate, rel=1e-6, abs=1e-8)
    assert again.p == pytest.approx(once.p, rel=1e-6)
    np.testing.assert_allclose(again.times["estimate"], once.times["estimate"], rtol=1e-6, atol=1e-8)


def test_groups_without_two_times_are_left_out_and_said_so() -> None:
    late = pd.DataFrame({"team": [9, 9, 9], "wave": [2, 2, 2], "score": [1.0, 2.0, NAN]})
    found = agreement.consensus(pd.concat([SHRINKING, late]), score="score", group="team", time="wave")
    before = agreement.consensus(SHRINKING, score="score", group="team", time="wave")
    assert (found.n, found.left_out, found.missing) == (3, 1, 1)
    assert found.estimate == before.estimate
    assert found.times.loc[2, ["n", "groups"]].tolist() == [7, 4]


def test_one_group_has_a_slope_without_an_interval() -> None:
    found = agreement.consensus(SHRINKING[SHRINKING["team"] == 1], score="score", group="team", time="wave")
    assert found.estimate == pytest.approx(-0.4837248409793, abs=1e-12)
    assert np.isnan([found.low, found.high, found.p, found.se]).all()
    assert found.times["estimate"].isna().all()
    assert found.times["sd"].notna().all()


def test_groups_that_all_change_alike_have_no_interval() -> None:
    frame = pd.DataFrame({"t": [0, 0, 1, 1] * 2, "g": [1] * 4 + [2] * 4, "y": [1, 5, 2, 4, 2, 6, 3, 5.0]})
    found = agreement.consensus(frame, score="y", group="g", time="t")
    assert found.estimate < 0
    assert np.isnan([found.low, found.high, found.p]).all()


def test_whole_agreement_at_a_time_is_spread_of_nothing() -> None:
    frame = pd.DataFrame({"t": [0, 0, 1, 1] * 2, "g": [1] * 4 + [2] * 4, "y": [1, 5, 3, 3, 2, 3, 3, 3.0]})
    found = agreement.consensus(frame, score="y", group="g", time="t")
    assert found.times.loc[1, "sd"] == 0
    assert math.isnan(found.times.loc[1, "estimate"])
    c4 = math.sqrt(2 / math.pi)
    assert found.estimate == pytest.approx(-(4 / math.sqrt(2) + 1 / math.sqrt(2)) / 2 / c4)


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (SHRINKING.drop(columns="score"), "no column score; it has team, wave"),
        (SHRINKING.assign(wave=SHRINKING["wave"].map(str)), "wave must be numbers"),
        (SHRINKING.assign(wave=pd.Timestamp("2024-01-01")), "wave must be numbers"),
        (SHRINKING.assign(wave=SHRINKING["wave"].replace(1, NAN)), "9 of 25 rows have no wave"),
        (SHRINKING.assign(team=SHRINKING["team"].replace(1, NAN)), "9 of 25 rows have no group"),
        (SHRINKING[SHRINKING["wave"] == 0], "each of two times"),
        (SHRINKING.assign(score=NAN), "no answers at all"),
        (SHRINKING.drop_duplicates(["team", "wave"]), "each of two times"),
        (SHRINKING[:0], "no answers at all"),
    ],
)
def test_consensus_refuses(frame: pd.DataFrame, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        agreement.consensus(frame, score="score", group="team", time="wave")


def test_shrinking_groups_alone_are_not_called_consensus() -> None:
    # 12 groups of 8, 5 and 3 people whose spread does not change: mean slope 0 (without c4 -.04, 4 standard errors off)
    rng = np.random.default_rng(7)
    sizes = {0: 8, 1: 5, 2: 3}
    frame = pd.DataFrame(
        [(t, g) for t, size in sizes.items() for g in range(12) for _ in range(size)], columns=["t", "g"]
    )
    slopes, alarms = [], 0
    for _ in range(200):
        found = agreement.consensus(frame.assign(y=rng.normal(size=len(frame))), score="y", group="g", time="t")
        slopes.append(found.estimate)
        alarms += found.p < 0.05
    assert abs(np.mean(slopes)) < 3 * np.std(slopes) / math.sqrt(200)
    assert alarms / 200 < 0.11  # 5 % and four Monte Carlo errors


def test_intervals_of_equal_groups_are_exact() -> None:
    # 8 groups of 6, ICC .2: 400 sets; 95 % and four Monte Carlo errors
    rng = np.random.default_rng(3)
    groups, held = np.repeat(np.arange(8), 6), 0
    for _ in range(400):
        scores = math.sqrt(0.2) * rng.normal(size=8)[groups] + math.sqrt(0.8) * rng.normal(size=48)
        found = agreement.icc_groups(scores, groups).icc1
        held += found.low <= 0.2 <= found.high
    assert 0.906 < held / 400 < 0.994


def test_the_raters_statistics_are_reached_here_too() -> None:
    for name in ("icc_raters", "krippendorff", "kendall_w", "KendallW", "KrippendorffAlpha"):
        assert getattr(agreement, name) is getattr(raters, name)
        assert name in agreement.__all__
    assert all(hasattr(agreement, name) for name in agreement.__all__)


def test_seven_thousand_people_in_ninety_nine_groups_are_quick() -> None:
    rng = np.random.default_rng(1)
    scores, groups = rng.integers(1, 6, size=7_382).astype(float), rng.integers(99, size=7_382)
    times = []
    for _ in range(3):
        start = time.process_time()
        agreement.rwg(scores, groups, null_variance=2.0)
        times.append(time.process_time() - start)
    assert min(times) < 0.05  # measured .7 ms
