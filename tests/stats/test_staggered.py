"""Places that started at different times: held against sums by hand, against `contrast.places`, and at the edges."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import contrast
from evalkit.stats.staggered import NEVER, _one_number_a_place, staggered

STARTS = {"A": 6, "B": 6, "C": 12}


def months(seed: int = 4, places: str = "ABCDEFGH", n: int = 18, at: float = 60.0) -> pd.DataFrame:
    drawn = np.random.default_rng(seed).poisson(at, (len(places), n))
    return pd.DataFrame(
        [(place, month, int(drawn[row, month])) for row, place in enumerate(places) for month in range(n)],
        columns=["place", "month", "calls"],
    )


def ask(frame: pd.DataFrame, starts=STARTS, **settings):
    return staggered(frame, outcome="calls", unit="place", time="month", starts=starts, **settings)


def by_hand(frame: pd.DataFrame, starts) -> tuple[dict[str, float], dict[str, float]]:
    """Each place's number and variance, in plain loops."""
    wide = frame.pivot(index="place", columns="month", values="calls")

    def change(place: str, start: int) -> tuple[float, float]:
        before, after = wide.loc[place, : start - 1], wide.loc[place, start:]
        return (
            math.log(after.sum() / len(after)) - math.log(before.sum() / len(before)),
            1 / before.sum() + 1 / after.sum(),
        )

    never = [place for place in wide.index if place not in starts]
    mean = {g: sum(change(p, g)[0] for p in never) / len(never) for g in set(starts.values())}
    share = {g: list(starts.values()).count(g) / len(starts) for g in mean}
    shared = sum(share[g] * mean[g] for g in mean)
    y = {p: change(p, g)[0] - mean[g] + shared for p, g in starts.items()}
    y |= {p: sum(share[g] * change(p, g)[0] for g in mean) for p in never}
    v = {p: change(p, g)[1] for p, g in starts.items()}
    v |= {p: sum(share[g] * change(p, g)[1] for g in mean) for p in never}
    return y, v


def test_is_the_comparison_of_places_on_one_number_a_place():
    frame = months()
    y, v = by_hand(frame, STARTS)
    names = sorted(y)
    flags = np.array([[name in STARTS for name in names]])
    plain = contrast.random_effects([[y[n] for n in names]], [[v[n] for n in names]], flags)
    found = ask(frame)
    assert math.log(found.estimate) == pytest.approx(plain.estimate[0, 0], rel=1e-10)
    assert found.se == pytest.approx(plain.se[0, 0], rel=1e-10)
    assert (found.n, found.n_treated, found.n_comparison, found.df) == (8, 3, 5, 6)


def test_relabelling_tries_every_way_to_deal_out_the_starts():
    frame = months(places="ABCDE", seed=8)
    starts = {"A": 6, "B": 12}
    found = ask(frame, starts)
    ways = set(itertools.permutations([6, 12, None, None, None]))
    sizes = []
    for way in ways:
        dealt = {place: start for place, start in zip("ABCDE", way, strict=True) if start is not None}
        y, v = by_hand(frame, dealt)
        flags = np.array([[name in dealt for name in "ABCDE"]])
        sizes.append(abs(contrast.random_effects([[y[n] for n in "ABCDE"]], [[v[n] for n in "ABCDE"]], flags).t[0, 0]))
    y, v = by_hand(frame, starts)
    own = abs(
        contrast.random_effects(
            [[y[n] for n in "ABCDE"]], [[v[n] for n in "ABCDE"]], np.array([[True, True, False, False, False]])
        ).t[0, 0]
    )
    assert (found.exact, found.allocations, found.smallest_p) == (True, len(ways), 1 / len(ways))
    assert found.p_relabelled == pytest.approx(np.mean(np.array(sizes) >= own - 1e-9))
    assert len(found.differences) == len(ways)


@settings(max_examples=15)
@given(seed=st.integers(0, 500), lift=st.floats(0.5, 2.0))
def test_what_all_places_share_at_any_date_leaves_no_trace(seed: int, lift: float):
    changes, variances = np.random.default_rng(seed).normal(size=(7, 2)), np.full((7, 2), 0.01)
    groups = np.array([[0, 1, 1, NEVER, NEVER, NEVER, NEVER]])
    plain = contrast.row_effects(*_one_number_a_place(changes, variances, groups, 2))
    shared = contrast.row_effects(*_one_number_a_place(np.add(changes, [lift, -lift]), variances, groups, 2))
    assert shared.estimate == pytest.approx(plain.estimate)
    assert shared.se == pytest.approx(plain.se)


def test_a_planted_difference_is_found():
    frame = months(at=4000)
    late = frame["month"] >= frame["place"].map(STARTS).fillna(99)
    frame["calls"] = np.where(late, (frame["calls"] * 0.8).round(), frame["calls"]).astype(int)
    found = ask(frame)
    assert found.estimate == pytest.approx(0.8, abs=0.02)
    assert found.high < 1


def test_only_so_many_months_after_each_start_count_where_told():
    frame = months()
    late = frame["month"] >= 15
    longer = frame.assign(calls=frame["calls"].where(~(late & (frame["place"] == "A")), 500))
    # place A began at 6: three months followed end before month 15
    assert ask(frame, follow=3).estimate == ask(longer, follow=3).estimate
    assert ask(frame).estimate != ask(longer).estimate


def test_months_left_out_before_each_start_are_in_no_base():
    frame = months()
    high = frame["calls"].where(~((frame["place"] == "A") & frame["month"].between(3, 5)), 500)
    assert ask(frame, left_out=3).estimate == pytest.approx(
        ask(frame.assign(calls=high), left_out=3).estimate, abs=0.02
    )
    assert ask(frame.assign(calls=high)).estimate < 0.9 * ask(frame).estimate


@pytest.mark.parametrize(
    ("change", "starts", "settings", "why"),
    [
        (lambda f: f, {"A": 6, "B": 6}, {}, "All places started at once"),
        (lambda f: f, {name: 6 + (name > "D") for name in "ABCDEFGH"}, {}, "Every place is treated"),
        (lambda f: f, {"A": 6, "Z": 12}, {}, "No rows for the treated Z"),
        (lambda f: f, {"A": 0, "B": 6}, {}, "must come after the first period"),
        (lambda f: f, STARTS, {"left_out": 6}, "No period is left before the first start"),
        (lambda f: f.assign(calls=-1), STARTS, {}, "whole number of 0 or more"),
        (lambda f: f.assign(calls=f["calls"].where(f["place"] != "B", 0)), STARTS, {}, "No events before"),
        (lambda f: f.iloc[1:], STARTS, {}, "A"),
        (lambda f: f.assign(calls=20), STARTS, {}, "changed alike"),
    ],
)
def test_edges_are_refused_by_name(change, starts, settings, why):
    with pytest.raises(ValueError, match=why):
        ask(change(months()), starts, **settings)


def test_people_not_above_zero_are_refused():
    with pytest.raises(ValueError, match="people not above 0"):
        ask(months().assign(people=0), offset="people")
