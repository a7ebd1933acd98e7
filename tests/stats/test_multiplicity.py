"""`stats.multiplicity` against R's p.adjust, statsmodels, and the closed test counted out."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from evalkit.stats import multiplicity

P = [0.001, 0.008, 0.012, 0.02, 0.04, 0.049, 0.06, 0.2, 0.5, 0.9]


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        # R: p.adjust(p, "holm"), p.adjust(p, "BH")
        ("holm", [0.010, 0.072, 0.096, 0.140, 0.240, 0.245, 0.245, 0.6, 1, 1]),
        (
            "benjamini_hochberg",
            [0.01, 0.04, 0.04, 0.05, 0.08, 0.049 * 10 / 6, 0.06 * 10 / 7, 0.25, 0.5 * 10 / 9, 0.9],
        ),
    ],
)
def test_the_vector_of_p_adjust(method: multiplicity.Method, expected: list[float]) -> None:
    assert multiplicity.adjust(P, method).tolist() == pytest.approx(expected, abs=1e-12)


family = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@settings(deadline=None, max_examples=25)  # statsmodels' Holm empties the garbage at each call: 0.1 s
@given(family)
def test_all_methods_are_statsmodels(p: list[float]) -> None:
    names = {"holm": "holm", "hochberg": "simes-hochberg", "hommel": "hommel", "benjamini_hochberg": "fdr_bh"}
    for ours, theirs in names.items():
        expected = multipletests(p, method=theirs)[1]
        np.testing.assert_allclose(multiplicity.adjust(p, ours), expected, rtol=1e-12, atol=1e-15)


@settings(deadline=None)
@given(st.lists(st.integers(0, 100).map(lambda x: x / 100), min_size=1, max_size=6))
def test_hommel_is_the_closed_simes_test(p: list[float]) -> None:
    def simes(members: tuple[int, ...]) -> float:
        values = sorted(p[i] for i in members)
        return min(len(values) * value / rank for rank, value in enumerate(values, 1))

    everyone = range(len(p))
    families = [s for size in range(1, len(p) + 1) for s in itertools.combinations(everyone, size)]
    expected = [max(simes(s) for s in families if i in s) for i in everyone]
    np.testing.assert_allclose(multiplicity.adjust(p, "hommel"), np.minimum(expected, 1), rtol=1e-12)


@settings(deadline=None)
@given(family)
def test_order_does_not_matter_and_nothing_shrinks(p: list[float]) -> None:
    order = np.random.default_rng(len(p)).permutation(len(p))
    for method in ("holm", "hochberg", "hommel", "benjamini_hochberg"):
        adjusted = multiplicity.adjust(p, method)
        assert (adjusted >= np.array(p) - 1e-15).all()
        assert (adjusted <= 1).all()
        np.testing.assert_allclose(multiplicity.adjust(np.array(p)[order], method), adjusted[order], rtol=1e-12)


def test_a_series_keeps_its_names_and_one_alone_is_itself() -> None:
    named = multiplicity.adjust(pd.Series({"trust": 0.04, "voice": 0.01}, name="p"), "holm")
    assert isinstance(named, pd.Series)
    assert named.to_dict() == pytest.approx({"trust": 0.04, "voice": 0.02})
    assert named.name == "p"
    for method in ("holm", "hochberg", "hommel", "benjamini_hochberg"):
        assert multiplicity.adjust([0.03], method).tolist() == [0.03]
        assert multiplicity.adjust([], method).tolist() == []


@pytest.mark.parametrize("p", [[0.1, math.nan], [0.1, 1.2], [0.1, -0.01]])
def test_what_is_not_a_p_is_refused(p: list[float]) -> None:
    with pytest.raises(ValueError, match=r"positions \[1\]"):
        multiplicity.adjust(p, "holm")


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="choose one of holm"):
        multiplicity.adjust([0.1], "bonferroni")  # type: ignore[arg-type]
