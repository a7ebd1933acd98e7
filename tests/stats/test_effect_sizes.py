"""Effect sizes of many items and of two groups against SciPy, R's effectsize, one item at a time, and at the edges."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evalkit.stats import change, resampling

FIRST = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
SECOND = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])


@pytest.fixture(scope="module")
def frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Thirty people, five items: 'c' and 'e' have gaps of their own, the others all thirty pairs."""
    rng = np.random.default_rng(1)
    before = pd.DataFrame(rng.normal(3, 1, (30, 5)), columns=list("abcde"))
    after = 0.6 * before + rng.normal(1.5, 0.8, before.shape)
    before.loc[:4, "c"], after.loc[20:, "e"] = np.nan, np.nan
    return before, after


@pytest.mark.parametrize("kind", get_args(change.Kind))
@pytest.mark.parametrize("interval", ["noncentral", "jackknife", "bca", "studentised"])
def test_many_items_are_each_item_alone(
    frames: tuple[pd.DataFrame, pd.DataFrame], kind: change.Kind, interval: change.Interval
) -> None:
    if interval == "noncentral" and kind not in ("d_z", "g_z"):
        return
    before, after = frames
    settings = {"kind": kind, "interval": interval, "resamples": 60, "seed": 3}
    found = change.effect_sizes(before, after, **settings).set_index("item")  # type: ignore[arg-type]
    for item in before:
        alone = change.effect_size(before[item], after[item], **settings)  # type: ignore[arg-type]
        row = found.loc[item]
        expected = (alone.estimate, alone.low, alone.high)
        assert (row["estimate"], row["low"], row["high"]) == pytest.approx(expected, rel=1e-9)
        assert (row["n"], row["interval"], row["problem"]) == (alone.n, interval, "")


def test_the_bca_limits_are_scipys_from_the_same_draws(frames: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    # SciPy draws people by the same calls: with one seed the limits agree to rounding, item by item
    before, after = frames[0][["a", "b", "d"]], frames[1][["a", "b", "d"]]

    def d_z(sample: np.ndarray, axis: int = -1) -> np.ndarray:
        return sample.mean(axis=axis) / sample.std(axis=axis, ddof=1)

    theirs = stats.bootstrap(
        ((after - before).to_numpy().T,), d_z, axis=-1, n_resamples=999, rng=np.random.default_rng(4), batch=999
    ).confidence_interval
    ours = change.effect_sizes(before, after, kind="d_z", interval="bca", resamples=999, seed=4)
    assert ours["low"].to_numpy() == pytest.approx(theirs.low, abs=1e-12)
    assert ours["high"].to_numpy() == pytest.approx(theirs.high, abs=1e-12)


def test_draws_do_not_depend_on_the_size_of_blocks(
    frames: tuple[pd.DataFrame, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = change.effect_sizes(*frames, kind="d_av", interval="bca", resamples=300, seed=5)
    monkeypatch.setattr(resampling, "BLOCK", 200)
    parts = change.effect_sizes(*frames, kind="d_av", interval="bca", resamples=300, seed=5)
    pd.testing.assert_frame_equal(whole, parts, rtol=1e-10)


def test_an_item_without_an_answer_says_why_and_holds_up_no_other() -> None:
    before = pd.DataFrame({"fine": FIRST, "same": FIRST, "few": np.nan, "flat": 3.0})
    after = pd.DataFrame({"fine": SECOND, "same": FIRST, "few": SECOND, "flat": SECOND})
    before.loc[:1, "few"] = [1.0, 2.0]
    found = change.effect_sizes(before, after, kind="d_pre").set_index("item")
    assert found.loc["fine", "estimate"] == pytest.approx(0.8831701904, abs=1e-8)
    assert found.loc["fine", "problem"] == ""
    assert found.loc["same", "estimate"] == 0
    assert "there are 2 pairs" in found.loc["few", "problem"]
    assert "answers differ" in found.loc["flat", "problem"]
    assert found.loc[["few", "flat"], ["estimate", "low", "high"]].isna().all(axis=None)
    assert found["n"].tolist() == [10, 10, 2, 10]
    assert found["seed"].isna().all()


@pytest.mark.parametrize(
    ("interval", "says"),
    [("jackknife", "one person carries all"), ("bca", "one person carries all"), ("studentised", "one person carries")],
)
def test_limits_that_do_not_exist_are_blank_and_explained(interval: change.Interval, says: str) -> None:
    before = pd.DataFrame({"one": [5.0, 5, 5, 5, 4], "other": [1.0, 2, 3, 4, 5]})
    after = pd.DataFrame({"one": [5.0, 4, 3, 5, 5], "other": [2.0, 2, 4, 4, 7]})
    found = change.effect_sizes(before, after, kind="d_pre", interval=interval, resamples=50, seed=1)
    assert says in found.loc[0, "problem"]
    assert math.isfinite(found.loc[0, "estimate"])
    assert found.loc[0, ["low", "high"]].isna().all()


def test_every_drawn_frame_can_be_drawn_again(frames: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    once = change.effect_sizes(*frames, kind="g_z", interval="bca", resamples=100)
    again = change.effect_sizes(*frames, kind="g_z", interval="bca", resamples=100, seed=int(once.loc[0, "seed"]))
    pd.testing.assert_frame_equal(once, again)


def test_effect_sizes_refuses_frames_that_do_not_match() -> None:
    frame = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [2.0, 1, 4, 3]})
    with pytest.raises(ValueError, match="different people or items"):
        change.effect_sizes(frame, frame.rename(columns={"b": "c"}), kind="d_z")
    with pytest.raises(ValueError, match="different people or items"):
        change.effect_sizes(frame, frame.iloc[::-1], kind="d_z")
    with pytest.raises(ValueError, match="stand twice: a"):
        change.effect_sizes(frame[["a", "a"]], frame[["a", "a"]], kind="d_z")
    with pytest.raises(ValueError, match="1 infinite"):
        change.effect_sizes(frame, frame.replace(4.0, np.inf)[["a", "b"]].assign(b=frame["b"]), kind="d_z")
    with pytest.raises(ValueError, match="for d_av use"):
        change.effect_sizes(frame, frame + 1, kind="d_av", interval="noncentral")
    with pytest.raises(ValueError, match="resamples=1"):
        change.effect_sizes(frame, frame + 1, kind="d_av", interval="bca", resamples=1)
    assert change.effect_sizes(frame[[]], frame[[]], kind="d_z").empty
    assert change.effect_sizes(frame[:0], frame[:0], kind="d_z")["n"].tolist() == [0, 0]


def test_two_groups_are_rs_effectsize() -> None:
    # R 4.2.2, effectsize 0.8.3: cohens_d(extra[group == 2], extra[group == 1]): 0.8321810813 [-0.0954503815,
    # 1.7388170306]; hedges_g: 0.7969352392 (its interval is that of d times the correction; ours is that of d)
    d, g = (change.effect_size_two_groups(FIRST, SECOND, kind=kind) for kind in ("d_s", "g_s"))
    assert (d.estimate, d.low, d.high) == pytest.approx((0.8321810813, -0.0954503815, 1.7388170306), abs=5e-7)
    assert g.estimate == pytest.approx(0.7969352392, abs=1e-10)
    assert (g.low, g.high, g.n, g.n_a, g.n_b) == (d.low, d.high, 20, 10, 10)
    # cohens_d(c(3, 5, 4, 6, 7), c(1, 2, 3, 4)): 1.70782512766, 0.08673027645 to 3.24769773212
    uneven = change.effect_size_two_groups([1, 2, math.nan, 3, 4], [3, 5, 4, 6, 7], kind="d_s")
    assert (uneven.estimate, uneven.low, uneven.high) == pytest.approx(
        (1.70782512766, 0.08673027645, 3.24769773212),
        abs=5e-7,  # R searches its limits to about seven digits
    )
    assert (uneven.n_a, uneven.n_b, uneven.missing_a, uneven.missing_b) == (4, 5, 1, 0)


group = st.lists(st.integers(1, 50).map(lambda value: value / 10), min_size=2, max_size=12)


@settings(deadline=None, max_examples=40)
@given(group, group, st.floats(0.1, 10), st.floats(-100, 100))
def test_the_difference_of_groups_mirrors_and_has_no_unit(
    a: list[float], b: list[float], scale: float, shift: float
) -> None:
    if max(np.ptp(a), np.ptp(b)) < 0.05:
        return
    there, back = change.effect_size_two_groups(a, b), change.effect_size_two_groups(b, a)
    other = change.effect_size_two_groups(scale * np.array(a) + shift, scale * np.array(b) + shift)
    assert (there.estimate, there.low, there.high) == pytest.approx((-back.estimate, -back.high, -back.low), abs=1e-6)
    assert (there.estimate, there.low, there.high) == pytest.approx((other.estimate, other.low, other.high), abs=1e-5)


def test_the_difference_of_groups_refuses() -> None:
    with pytest.raises(ValueError, match="a has 3 and b has 1"):
        change.effect_size_two_groups([1, 2, 3], [1, math.nan])
    with pytest.raises(ValueError, match="nothing to divide by"):
        change.effect_size_two_groups([3, 3, 3], [4, 4])
    with pytest.raises(ValueError, match="choose one of d_s"):
        change.effect_size_two_groups(FIRST, SECOND, kind="d_z")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="hardly differ"):
        change.effect_size_two_groups([1, 1.0001], [2, 2.0001])
