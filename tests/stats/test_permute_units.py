"""Every way to call as many units treated: held against a published p, brute force and closed forms."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import relabelling
from evalkit.stats.difference import difference, permute_units


def long(changes):
    rows = [(place, period, float(change * period)) for place, change in enumerate(changes) for period in (0, 1)]
    return pd.DataFrame(rows, columns=["place", "period", "days"])


def ask(changes, treated, **settings):
    return permute_units(
        long(changes), outcome="days", unit="place", time="period", treated=treated, start=1, **settings
    )


def test_equals_the_placebo_rank_of_organ_donations():
    # Kessler & Roth (2014), NBER working paper 20378: California's active choice, 27 states, third quarter of 2011 on.
    # R version 4.2.2 Patched (2022-11-10 r83330)
    # > d$after <- d$Quarter_Num >= 4; m <- tapply(d$Rate, list(d$State, d$after), mean); ch <- m[, 2] - m[, 1]
    # > e <- sapply(seq_along(ch), function(i) ch[i] - mean(ch[-i])); print(e[["California"]], digits = 10)
    # [1] -0.02245897436
    # > print(c(sum(abs(e) >= abs(e[["California"]]) - 1e-12), length(e)))
    # [1]  5 27
    causaldata = pytest.importorskip("causaldata", reason="causaldata is not installed")
    rates = causaldata.organ_donations.load_pandas().data
    found = permute_units(rates, outcome="Rate", unit="State", time="Quarter_Num", treated=["California"], start=4)
    assert found.estimate == pytest.approx(-0.02245897436, rel=1e-9)
    assert found.p == pytest.approx(5 / 27)
    assert (found.smallest_p, found.allocations, found.exact, found.seed) == (1 / 27, 27, True, None)
    assert (found.n, found.n_treated, found.n_comparison, found.mc_error) == (27, 1, 26, 0.0)


def test_equals_brute_force():
    changes = np.array([3.0, -1, 4, 1, -5, 9, 2])
    every = [
        changes[list(chosen)].mean() - np.delete(changes, list(chosen)).mean() for chosen in combinations(range(7), 3)
    ]
    found = ask(changes, [0, 2, 5])
    observed = changes[[0, 2, 5]].mean() - changes[[1, 3, 4, 6]].mean()
    assert found.p == np.mean(np.abs(every) >= abs(observed) - 1e-12)
    assert sorted(found.others) == pytest.approx(sorted(every))


def test_all_equal_is_p_one():
    found = ask([2, 2, 2, 2], [1])
    assert (found.estimate, found.p, found.smallest_p) == (0.0, 1.0, 0.25)


def test_two_units():
    assert ask([1, 5], [1]).p == 1.0


def test_drawn_says_its_seed_and_comes_again():
    changes = np.random.default_rng(3).normal(size=30)
    found = ask(changes, list(range(12)), allocations=2_000, seed=5)
    again = ask(changes, list(range(12)), allocations=2_000, seed=5)
    assert (found.exact, found.seed, found.allocations, found.smallest_p) == (False, 5, 2_000, 1 / 2_000)
    assert found.p == again.p
    assert found.mc_error == pytest.approx((found.p * (1 - found.p) / 2_000) ** 0.5)
    unseeded = ask(changes, list(range(12)), allocations=50)
    assert ask(changes, list(range(12)), allocations=50, seed=unseeded.seed).p == unseeded.p


def test_refuses_no_allocations():
    with pytest.raises(ValueError, match="allocations must be 1 or more"):
        ask([1, 2, 3], [0], allocations=0)


def test_ways_of_several_labels_are_all_and_once():
    labels = [0, 1, 1, 2, 0]
    every, exact = relabelling.ways(labels)
    assert exact
    assert every[0].tolist() == labels
    assert sorted(map(tuple, every.tolist())) == sorted(set(permutations(labels)))
    assert len(every) == relabelling.count([2, 2, 1]) == 30
    drawn, exact = relabelling.ways(labels, 20, 1)
    assert not exact
    assert drawn[0].tolist() == labels
    assert (np.sort(drawn, axis=1) == np.sort(labels)).all()


@settings(max_examples=20)
@given(st.lists(st.integers(-9, 9), min_size=2, max_size=8), st.data())
def test_p_is_a_count_of_allocations_and_swapping_arms_alters_only_the_sign(changes, data):
    k = data.draw(st.integers(1, len(changes) - 1))
    found, swapped = ask(changes, list(range(k))), ask(changes, list(range(k, len(changes))))
    count = found.p * found.allocations
    assert count == pytest.approx(round(count), abs=1e-9)
    assert found.smallest_p <= found.p + 1e-12 <= 1 + 1e-12
    assert swapped.p == pytest.approx(found.p)
    assert swapped.estimate == pytest.approx(-found.estimate, abs=1e-9)
    plain = difference(long(changes), outcome="days", unit="place", time="period", treated=list(range(k)), start=1)
    assert found.estimate == pytest.approx(plain.estimate, abs=1e-9)
