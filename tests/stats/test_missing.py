"""`stats.missing`: Little's test, Rubin's rules, and leavers against stayers, against R and by counting every way."""

from __future__ import annotations

import json
import math
import os
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import change, missing

FOLDER = os.environ.get("EVALKIT_REFERENCE", "")
needs_reference = pytest.mark.skipif(not FOLDER, reason="EVALKIT_REFERENCE names no folder with the reference data")

# Enders (2010), Applied Missing Data Analysis, table 1.1: IQ, well-being and job performance of 20 applicants.
IQ = [78, 84, 84, 85, 87, 91, 92, 94, 94, 96, 99, 105, 105, 106, 108, 112, 113, 115, 118, 134]
WELL_BEING = [13, 9, 10, 10, None, 3, 12, 3, 13, None, 6, 12, 14, 10, None, 10, 14, 14, 12, 11]
PERFORMANCE = [None] * 10 + [7, 10, 11, 15, 10, 10, 12, 14, 16, 12]

STAYERS = pd.DataFrame(
    {
        "score": [3.2, 2.8, 3.9, None, 3.0, 3.5, 2.6],
        "years": [4, 11, 7, 2, 9, 15, 6],
        "clinical": [1, 0, 1, 1, 0, 1, 0],
        "sector": ["nhs", "council", "nhs", "nhs", "charity", "council", "nhs"],
    }
)
LEAVERS = pd.DataFrame(
    {
        "score": [2.4, 2.9, 2.0, 3.1],
        "years": [3, 5, 1, 8],
        "clinical": [0, 0, 1, 0],
        "sector": ["council", "council", None, "charity"],
    }
)


def expected(name: str) -> dict[str, float]:
    listed = json.loads((Path(FOLDER) / "people" / "expected.json").read_text(encoding="utf-8"))
    row: dict[str, float] = listed[name]
    return row


@needs_reference
def test_littles_test_is_that_of_naniar() -> None:
    # R, naniar::mcar_test(airquality): statistic 35.1061288689702, df 14, p.value 0.00141778, missing.patterns 4.
    # naniar's EM stops early (norm::em.norm, 1e-4), hence its tolerance of .002.
    found = missing.little(pd.read_csv(Path(FOLDER) / "people" / "airquality.csv"))
    chi2, df = expected("airquality.little.chi2"), expected("airquality.little.df")
    assert found.statistic == pytest.approx(chi2["value"], abs=chi2["tol"])
    assert found.df == df["value"]
    assert found.p == pytest.approx(0.00141778, abs=2e-6)
    assert (found.n, found.n_blank) == (153, 0)
    assert found.patterns["missing"].tolist() == ["", "Ozone", "Solar.R", "Ozone, Solar.R"]
    assert found.patterns["n"].tolist() == [111, 35, 5, 2]


def test_littles_test_is_that_of_a_textbook() -> None:
    # Enders (2010), ch. 1; R, BaylorEdPsych::LittleMCAR(EndersTable1_1): chi.square 14.63, df 5, p .012, 4 patterns.
    found = missing.little(pd.DataFrame({"iq": IQ, "well_being": WELL_BEING, "performance": PERFORMANCE}, dtype=float))
    assert (round(found.statistic, 2), found.df, round(found.p, 3), found.n) == (14.63, 5, 0.012, 20)
    assert found.patterns["statistic"].sum() == pytest.approx(found.statistic)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.01, 1_000), st.floats(-100, 100))
def test_littles_test_does_not_hang_on_units_or_on_blank_people(seed: int, times: float, plus: float) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(40, 3)) + rng.normal(size=(40, 1)), columns=list("abc"))
    frame = frame.mask(rng.random(frame.shape) < 0.15)
    if frame.dropna().shape[0] < 12 or frame.notna().to_numpy().all():
        return
    plain = missing.little(frame)
    moved = missing.little(pd.concat([frame * times + plus, pd.DataFrame(np.nan, [99, 98], list("abc"))]))
    assert (moved.statistic, moved.p) == pytest.approx((plain.statistic, plain.p), rel=1e-3, abs=1e-6)
    assert (moved.n, moved.n_blank, moved.df) == (plain.n, plain.n_blank + 2, plain.df)
    assert plain.patterns["n"].sum() == plain.n


def test_littles_test_refuses_what_it_cannot_answer() -> None:
    frame = pd.DataFrame({"a": [1.0, 2, 3, 5, 4, None], "b": [2.0, 1, 4, 3, 6, 2]})
    refused = {
        "Nothing is missing": frame.dropna(),
        "2 to 60 columns": frame[["a"]],
        "not numbers: b": frame.assign(b=list("uvwxyz")),
        "value in b": frame.assign(b=np.nan),
        "do not differ in b": frame.assign(b=3),
        "1 values are infinite": frame.assign(b=[1, 2, 3, 4, 5, np.inf]),
        "1 people have a value in all 2": frame.iloc[[0, 5]],
        "copy of others": frame.assign(b=frame["a"].fillna(2) * 2),
    }
    for message, wrong in refused.items():
        with pytest.raises(ValueError, match=message):
            missing.little(wrong)


def test_pooled_is_that_of_mice() -> None:
    # R 4.2.2, mice 3.15.0. The expected rows (t 1.3196, df 24.930362829 at n = 40, k = 2) hold for any five estimates
    # with variance .183 and variances with mean 1.1, for these two and m are all that the rules use:
    # r <- pool.scalar(c(10.7, 9.6, 9.8, 10.2, 9.9), c(1.0, 1.1, 1.2, 0.9, 1.3), n = 40, k = 2)
    #   qbar 10.04, ubar 1.1, b 0.183, t 1.3196, r 0.19963636363636, df 24.93036282901617, fmi 0.22610436966188
    # pool.scalar(same Q, same U): df 144.43749025384830, fmi 0.17772171713076
    estimates, variances = [10.7, 9.6, 9.8, 10.2, 9.9], [1.0, 1.1, 1.2, 0.9, 1.3]
    found = missing.pool(estimates, variances, df=40 - 2)
    assert (found.estimate, found.within, found.between) == pytest.approx((10.04, 1.1, 0.183), abs=1e-12)
    assert found.total == pytest.approx(1.3196, abs=1e-12)
    assert found.df == pytest.approx(24.93036282901617, abs=1e-10)
    assert found.fmi == pytest.approx(0.22610436966188, abs=1e-12)
    large = missing.pool(estimates, variances)
    assert (large.df, large.fmi) == pytest.approx((144.43749025384830, 0.17772171713076), abs=1e-9)
    assert (found.n, found.m) == (5, 5)
    assert found.interval(0.95) == (found.low, found.high)
    if FOLDER:
        for name, ours in {"pool.scalar.t": found.total, "pool.scalar.df": found.df}.items():
            assert ours == pytest.approx(expected(name)["value"], abs=expected(name)["tol"])


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(0.5, 20)), min_size=2, max_size=12),
    st.floats(1, 500),
    st.floats(0.1, 40),
)
def test_pooling_never_knows_more_than_complete_data(pairs: list[tuple[float, float]], df: float, times: float) -> None:
    estimates, variances = np.array(pairs).T
    found = missing.pool(estimates, variances, df=df)
    assert found.total >= found.within
    assert 0 < found.df <= (df + 1) / (df + 3) * df * (1 + 1e-12)
    assert 0 <= found.fmi <= 1
    assert found.low < found.estimate < found.high
    scaled = missing.pool(estimates * times, variances * times**2, df=df)
    assert (scaled.p, scaled.df, scaled.fmi) == pytest.approx((found.p, found.df, found.fmi), rel=1e-6)


def test_equal_estimates_have_nothing_between_them() -> None:
    found = missing.pool([0.1 + 0.2] * 20, [0.04] * 20, df=30)
    assert (found.between, found.total, found.df) == pytest.approx((0, 0.04, 31 / 33 * 30), abs=1e-15)
    assert found.between == 0
    without = missing.pool([1.0, 1.0], [0.04, 0.04])
    assert (without.df, without.fmi) == (math.inf, 0)
    assert (without.low, without.high) == pytest.approx((1 - 0.2 * 1.959964, 1 + 0.2 * 1.959964), abs=1e-6)


def test_pooling_refuses_what_it_cannot_answer() -> None:
    for message, estimates, variances, df in (
        ("1 data set says nothing", [1.0], [1.0], None),
        ("Every variance is zero", [1.0, 2.0], [0.0, 0.0], None),
        ("positions \\[1\\]", [1.0, 2.0], [1.0, -1.0], None),
        ("positions \\[0\\]", [math.nan, 2.0], [1.0, 1.0], None),
        ("one estimate and one variance", [1.0, 2.0], [1.0], None),
        ("df = 0 must be above 0", [1.0, 2.0], [1.0, 1.0], 0),
        ("all but", [0.0, 1e9], [1e-9, 1e-9], 20),
    ):
        with pytest.raises(ValueError, match=message):
            missing.pool(estimates, variances, df=df)


def test_leavers_against_stayers_is_what_base_r_gives() -> None:
    # R 4.2.2, base, on the two frames above:
    # smd <- function(a, b) (mean(b) - mean(a)) / sqrt((var(a) + var(b)) / 2)            # without the missing
    # shr <- function(a, b) {p <- mean(a); q <- mean(b); (q - p) / sqrt((p*(1 - p) + q*(1 - q)) / 2)}
    #   -1.164820806707 -0.923321123287 -0.691285835378 0.458831467741 0.825136997007 -1.632993161855
    # t.test(leavers$score, stayers$score)$conf.int: -1.327622504146 0.194289170812
    # Newcombe's method 10 for 1/4 against 4/7, by hand: -0.660360041109 0.230789345119
    # combn(11, 4, statistic), z by the SD of everybody, weights 1 1 1 1/3 1/3 1/3: observed 3.126153405498, 330 ways,
    #   48 at least as far, 1 as far as the furthest
    found = missing.attrition(STAYERS, LEAVERS)
    table = found.table
    assert table["level"].tolist() == ["", "", "", "charity", "council", "nhs"]
    assert table["standardised"].to_numpy() == pytest.approx(
        [-1.164820806707, -0.923321123287, -0.691285835378, 0.458831467741, 0.825136997007, -1.632993161855], abs=1e-11
    )
    assert table.loc[0, ["low", "high"]].tolist() == pytest.approx([-1.327622504146, 0.194289170812], abs=1e-10)
    assert table.loc[2, ["low", "high"]].tolist() == pytest.approx([-0.660360041109, 0.230789345119], abs=1e-10)
    assert table["missing"].tolist() == [1, 0, 0, 1, 1, 1]
    assert table["n_stayers"].tolist() == [6, 7, 7, 7, 7, 7]
    assert table["n_leavers"].tolist() == [4, 4, 4, 3, 3, 3]
    assert found.statistic == pytest.approx(3.126153405498, abs=1e-11)
    assert (found.p, found.smallest_p) == pytest.approx((48 / 330, 1 / 330))
    assert (found.permutations, found.exact, found.seed) == (330, True, None)
    assert (found.n, found.n_stayers, found.n_leavers) == (11, 7, 4)
    assert set(table["sd_of"]) == {"both groups"}


def test_newcombes_interval_is_the_published_one() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, (a) 56/70 - 48/80, method 10: .0524 to .3339.
    shares = [pd.DataFrame({"yes": [1] * yes + [0] * (of - yes)}) for yes, of in ((48, 80), (56, 70))]
    row = missing.attrition(*shares, permutations=1, seed=1).table.iloc[0]
    assert (round(row["low"], 4), round(row["high"], 4)) == (0.0524, 0.3339)


def drawn(seed: int, people: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.normal(size=people), "b": np.arange(people) % 3 == 0})
    return frame.assign(
        a=frame["a"].mask(rng.random(people) < 0.2), c=pd.Series(rng.choice(["x", "y", None], people), dtype=object)
    )


def statistic(everybody: pd.DataFrame, left: tuple[int, ...]) -> float:
    """The joint statistic from its definition, one person after the other."""
    total = 0.0
    gone = np.isin(np.arange(len(everybody)), left)
    for name in everybody:
        values = everybody[name]
        if name == "c":
            levels = [(values == word).astype(float).where(values.notna()) for word in sorted(set(values.dropna()))]
        else:
            levels = [values.astype(float)]
        for level in levels:
            here, there = level[gone].dropna(), level[~gone].dropna()
            if len(here) and len(there) and level.std() > 0:
                total += ((here.mean() - there.mean()) / level.std(ddof=0)) ** 2 / len(levels)
    return total


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 10_000), st.integers(5, 8), st.integers(1, 3))
def test_the_joint_p_counts_every_way(seed: int, people: int, leave: int) -> None:
    everybody = drawn(seed, people)
    stayers, leavers = everybody.iloc[leave:], everybody.iloc[:leave]
    found = missing.attrition(stayers, leavers)
    kept = everybody.drop(columns=list(found.left_out))
    every = np.array([statistic(kept, left) for left in combinations(range(people), leave)])
    observed = statistic(kept, tuple(range(leave)))
    assert found.statistic == pytest.approx(observed, abs=1e-12)
    assert found.p == pytest.approx((every >= observed - 1e-9).mean())
    assert found.smallest_p == pytest.approx((every >= every.max() - 1e-9).mean())
    assert found.p >= found.smallest_p
    assert found.permutations == len(every) == math.comb(people, leave)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.integers(6, 9), st.floats(0.01, 100), st.floats(-50, 50))
def test_swapping_the_frames_turns_signs_and_units_do_not_matter(seed: int, n: int, times: float, plus: float) -> None:
    everybody = drawn(seed, n).assign(a=np.random.default_rng(seed).normal(size=n), c="x")
    ours = missing.attrition(everybody.iloc[:-2], everybody.iloc[-2:])
    swapped = missing.attrition(everybody.iloc[-2:], everybody.iloc[:-2])
    assert swapped.p == ours.p
    for one, other in (("difference", "difference"), ("standardised", "standardised"), ("low", "high")):
        assert swapped.table[one].to_numpy() == pytest.approx(-ours.table[other].to_numpy(), nan_ok=True, abs=1e-9)
    moved = everybody.assign(a=everybody["a"] * times + plus)
    again = missing.attrition(moved.iloc[:-2], moved.iloc[-2:])
    assert again.p == ours.p
    assert again.table["standardised"].to_numpy() == pytest.approx(ours.table["standardised"].to_numpy(), abs=1e-6)
    assert ours.no_spread == ("c",)


def test_many_people_are_drawn_with_a_seed_that_is_told() -> None:
    rng = np.random.default_rng(1)
    stayers, leavers = (pd.DataFrame({"a": rng.normal(at, 1, many)}) for at, many in ((0, 60), (1, 20)))
    found = missing.attrition(stayers, leavers, permutations=999)
    again = missing.attrition(stayers, leavers, permutations=999, seed=found.seed)
    assert (found.exact, found.permutations, again.p) == (False, 1_000, found.p)
    assert found.p < 0.02
    assert found.smallest_p <= found.p
    welch = change.two_groups(stayers["a"], leavers["a"])
    row = found.table.iloc[0]
    assert (row["difference"], row["low"], row["high"]) == pytest.approx((welch.estimate, welch.low, welch.high))


def test_one_leaver_and_groups_without_spread_are_said() -> None:
    stayers = pd.DataFrame({"score": [1.0, 2, 3, 4], "here": [1, 1, 0, 0], "site": list("aaaa"), "grade": [2, 2, 2, 2]})
    leaver = pd.DataFrame({"score": [5.0], "here": [1], "site": ["b"], "grade": [3]})
    found = missing.attrition(stayers, leaver)
    table = found.table.set_index(["variable", "level"])
    assert table["sd_of"].tolist() == ["stayers", "stayers", "everybody", "everybody", "everybody"]
    assert table.loc[("score", ""), "standardised"] == pytest.approx(2.5 / np.std([1, 2, 3, 4], ddof=1))
    assert math.isnan(table.loc[("score", ""), "low"])
    assert np.isfinite(table.loc[("here", ""), ["low", "high"]].astype(float)).all()
    assert np.isfinite(table["standardised"]).all()
    assert (found.p, found.smallest_p) == pytest.approx((0.2, 0.2))
    two = missing.attrition(stayers.iloc[[0]], leaver)
    assert (two.p, two.smallest_p, two.n) == (1, 1, 2)


def test_what_a_group_lacks_is_left_out_by_name() -> None:
    found = missing.attrition(STAYERS.assign(extra=1.0, other=None), LEAVERS.assign(extra=np.nan, other="a"))
    assert found.left_out == ("extra", "other")
    assert set(found.table["variable"]) == {"score", "years", "clinical", "sector"}
    assert found.p == pytest.approx(48 / 330)


def test_nullable_and_categorical_columns_are_read() -> None:
    dressed = [each.convert_dtypes().astype({"sector": "category"}) for each in (STAYERS, LEAVERS)]
    assert missing.attrition(*dressed).p == pytest.approx(48 / 330)
    unsure = [each.astype(object) for each in (STAYERS, LEAVERS)]
    assert missing.attrition(*unsure).table.equals(missing.attrition(STAYERS, LEAVERS).table)


def test_leavers_cannot_be_compared_with_nobody() -> None:
    dates = pd.to_datetime(["2024-01-01"] * 4)
    for message, stayers, leavers in (
        ("Nobody left", STAYERS, LEAVERS.iloc[:0]),
        ("Nobody stayed", STAYERS.iloc[:0], LEAVERS),
        ("only one has: years", STAYERS, LEAVERS.drop(columns="years")),
        ("each once; only one has: none", STAYERS[[]], LEAVERS[[]]),
        ("numbers in one frame and words in the other", STAYERS, LEAVERS.assign(score=list("abcd"))),
        ("score holds 1 infinite", STAYERS, LEAVERS.assign(score=[1, 2, 3, np.inf])),
        ("score holds dates", STAYERS, LEAVERS.assign(score=dates)),
        ("No variable has a value in both groups: score", STAYERS[["score"]], LEAVERS[["score"]].assign(score=None)),
        ("Nobody differs from anybody in a", pd.DataFrame({"a": [1, 1]}), pd.DataFrame({"a": [1]})),
    ):
        with pytest.raises(ValueError, match=message):
            missing.attrition(stayers, leavers)
    with pytest.raises(ValueError, match="permutations = 0"):
        missing.attrition(STAYERS, LEAVERS, permutations=0)


def test_everybody_is_in_one_place_at_every_wave() -> None:
    # One a row: always, leaves, has a gap, leaves after two, joins late, never answers, was not asked at first.
    rows = [(1, 1, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0), (0, 1, 1), (0, 0, 0), (None, 1, 0)]
    answered = pd.DataFrame([[None if each is None else bool(each) for each in row] for row in rows])
    found = missing.flow(answered).set_index("wave")
    assert found["asked"].tolist() == [6, 7, 7]
    assert found["answered"].tolist() == [4, 4, 3]
    assert found["before"].tolist() == [0, 4, 6]
    assert found["again"].tolist() == [0, 2, 3]
    assert found["first_time"].tolist() == [4, 2, 0]
    assert found["gap"].tolist() == [0, 1, 0]
    assert found["left"].tolist() == [0, 1, 3]
    assert found["newly_left"].tolist() == [0, 1, 2]
    assert found["not_yet"].tolist() == [2, 1, 1]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 6))
def test_the_flow_adds_up(seed: int, people: int, waves: int) -> None:
    said = np.random.default_rng(seed).choice(np.array([True, False, None], dtype=object), (people, waves))
    found = missing.flow(pd.DataFrame(said))
    assert (found["asked"] == found[["again", "gap", "left", "first_time", "not_yet"]].sum(axis=1)).all()
    assert (found["answered"] == found["again"] + found["first_time"]).all()
    assert (found["before"] == found["again"] + found["gap"] + found["left"]).all()
    assert (found["newly_left"] <= found["left"]).all()
    assert found["first_time"].sum() == (said == True).any(axis=1).sum()  # noqa: E712
    assert found["gap"].iloc[-1] == 0


def test_flow_refuses_scores_and_nobody() -> None:
    for message, wrong in (
        ("0 people", pd.DataFrame({"a": []})),
        ("answered holds 3.5", pd.DataFrame({"a": [3.5, 1.0]})),
        ("each once", pd.DataFrame([[True, True]], columns=["a", "a"])),
    ):
        with pytest.raises(ValueError, match=message):
            missing.flow(wrong)
