"""stats.proportions: Newcombe's interval for pairs as he published it, McNemar's exact p, and what cannot be counted.

R 4.2.2, method 10 typed out from the paper's formula with R's own Wilson limits, after minus before:
    newcombe10 <- function(a, b, c, d, level = 0.95) {
      n <- a + b + c + d
      first <- prop.test(a + b, n, conf.level = level, correct = FALSE)$conf.int
      second <- prop.test(a + c, n, conf.level = level, correct = FALSE)$conf.int
      p1 <- (a + b) / n; p2 <- (a + c) / n
      product <- (a + b) * (c + d) * (a + c) * (b + d); cross <- a * d - b * c
      phi <- if (product == 0) 0 else (if (cross > 0) max(cross - n / 2, 0) else cross) / sqrt(product)
      low <- sqrt((p2 - second[1])^2 - 2 * phi * (p2 - second[1]) * (first[2] - p1) + (first[2] - p1)^2)
      high <- sqrt((second[2] - p2)^2 - 2 * phi * (second[2] - p2) * (p1 - first[1]) + (p1 - first[1])^2)
      c(p2 - p1, p2 - p1 - low, p2 - p1 + high) }
    newcombe10(3, 2, 9, 6)                0.35000000000  0.04442262897  0.57784482054
    newcombe10(3, 2, 9, 6, level = .90)                  0.09286296023  0.54969497960
    newcombe10(20, 12, 2, 16)            -0.20000000000 -0.32920699540 -0.05615642484
    newcombe10(14, 5, 0, 22)             -0.12195121951 -0.22649268435 -0.01148324138
    newcombe10(53, 0, 0, 1)               0              -0.07293814548  0.07293814548
    binom.test(9, 11)$p.value 0.0654296875;  binom.test(2, 14)$p.value 0.01293945313;  binom.test(0, 5)$p.value 0.0625
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats.proportions import PairedProportions, paired

TABLE_III = {
    (36, 12, 2, 0): (0.0569, 0.3404),
    (20, 12, 2, 16): (0.0562, 0.3292),
    (18, 12, 2, 18): (0.0562, 0.3290),
    (36, 14, 0, 0): (0.1528, 0.4167),
    (35, 14, 0, 1): (0.1461, 0.4175),
    (18, 14, 0, 18): (0.1441, 0.3963),
    (2, 97, 1, 0): (0.8721, 0.9854),
    (1, 97, 1, 1): (0.8736, 0.9850),
    (0, 29, 1, 0): (0.6666, 0.9882),
    (2, 98, 0, 0): (0.9178, 0.9945),
    (1, 98, 0, 1): (0.9171, 0.9916),
    (0, 30, 0, 0): (0.8395, 1.0),
    (54, 0, 0, 0): (-0.0664, 0.0664),
    (53, 0, 0, 1): (-0.0729, 0.0729),
    (30, 0, 0, 24): (-0.0358, 0.0358),
    (27, 0, 0, 27): (-0.0351, 0.0351),
}
"""Newcombe 1998, Table III, rows of method 10 (first minus second), as quoted elsewhere: the paper itself not seen."""


def people(both: int, only_before: int, only_after: int, neither: int) -> tuple[list[int], list[int]]:
    """The answers of so many people in each cell, before and after."""
    cells = [(1, 1)] * both + [(1, 0)] * only_before + [(0, 1)] * only_after + [(0, 0)] * neither
    return [before for before, _ in cells], [after for _, after in cells]


def of(*cells: int, confidence: float = 0.95) -> PairedProportions:
    return paired(*people(*cells), confidence=confidence)


@pytest.mark.parametrize(("cells", "published"), TABLE_III.items())
def test_the_interval_is_the_one_newcombe_published(
    cells: tuple[int, int, int, int], published: tuple[float, float]
) -> None:
    found = of(*cells)
    assert (-found.high, -found.low) == pytest.approx(published, abs=1.01e-4)


@pytest.mark.parametrize(
    ("cells", "estimate", "low", "high", "p"),
    [
        ((3, 2, 9, 6), 0.35, 0.04442262897, 0.57784482054, 0.0654296875),
        ((20, 12, 2, 16), -0.2, -0.32920699540, -0.05615642484, 0.01293945313),
        ((14, 5, 0, 22), -0.12195121951, -0.22649268435, -0.01148324138, 0.0625),
        ((53, 0, 0, 1), 0.0, -0.07293814548, 0.07293814548, 1.0),
    ],
)
def test_r_gives_the_same(cells: tuple[int, ...], estimate: float, low: float, high: float, p: float) -> None:
    found = of(*cells)
    assert (found.estimate, found.low, found.high) == pytest.approx((estimate, low, high), abs=1e-10)
    assert found.p == pytest.approx(p, rel=1e-9)


def test_a_second_package_gives_the_same() -> None:
    """contingencytables 3 (Fagerland, Lydersen and Laake), from its own checks: rows before, columns after, 59 6 16 80:
    Newcombe -0.0621 (95% CI -0.1186 to -0.0046), first minus second; McNemar exact conditional test P = 0.052479."""
    found = of(59, 6, 16, 80)
    assert (-found.estimate, -found.high, -found.low) == pytest.approx((-0.0621, -0.1186, -0.0046), abs=5.1e-5)
    assert found.p == pytest.approx(0.052479, abs=5.1e-7)


def test_the_cells_and_shares_are_counted() -> None:
    found = of(3, 2, 9, 6)
    assert (found.n, found.both, found.only_before, found.only_after, found.neither) == (20, 3, 2, 9, 6)
    assert (found.before, found.after) == (5 / 20, 12 / 20)
    assert (found.n_before, found.n_after) == (20, 20)


def test_another_confidence_can_be_asked_for_later() -> None:
    found = of(3, 2, 9, 6)
    assert found.interval(0.90) == pytest.approx((0.09286296023, 0.54969497960), abs=1e-10)
    assert of(3, 2, 9, 6, confidence=0.90).interval(0.95) == (found.low, found.high)
    with pytest.raises(ValueError, match="between 0 and 1"):
        found.interval(95)


def test_series_are_put_together_by_their_index_and_arrays_by_position() -> None:
    before = pd.Series([1, 0, 1, 0], index=["a", "b", "c", "d"])
    after = pd.Series([0, 1, 1, 1], index=["e", "d", "c", "b"])
    found = paired(before, after)
    assert (found.n, found.both, found.only_after, found.only_before) == (3, 1, 2, 0)
    assert (found.n_before, found.n_after) == (4, 4)
    assert paired(before.to_numpy(), after.to_numpy()).n == 4


def test_blank_answers_leave_the_pair_out() -> None:
    found = paired([1, None, 0, 1, 0], [np.nan, 1, 1, 1, 0])
    assert (found.n, found.n_before, found.n_after, found.both, found.only_after) == (3, 4, 4, 1, 1)
    assert paired([True, False], [False, False]).only_before == 1


@pytest.mark.parametrize("cells", [(1, 0, 0, 0), (0, 0, 0, 1), (0, 1, 0, 0), (0, 0, 1, 0), (1, 0, 0, 1), (5, 0, 0, 5)])
def test_one_or_two_people_and_nobody_moved_are_no_certainty(cells: tuple[int, ...]) -> None:
    found = of(*cells)
    assert found.high - found.low > 0.1
    assert found.low <= found.estimate <= found.high
    assert found.p == 1.0


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ([], [], "Of 0 people nobody answered both times"),
        ([1, None], [None, 0], "Of 2 people nobody answered both times"),
        ([1, 2], [0, 1], "before holds 2; an answer is 0"),
        ([1, 0], [0, 0.5], "after holds 0.5"),
        ([1, 0, 1], [1, 0], "before has 3 people and after has 2"),
        ([1, math.inf], [0, 1], "infinite"),
        (pd.Series([1, 0], index=["a", "a"]), pd.Series([1], index=["a"]), "before holds 'a' twice"),
    ],
)
def test_what_cannot_be_counted_is_refused_by_name(before: list[float], after: list[float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        paired(before, after)


CELLS = st.tuples(*[st.integers(0, 12)] * 4).filter(lambda cells: sum(cells) > 0)


@settings(max_examples=40)
@given(CELLS, st.floats(0.5, 0.99))
def test_it_holds_the_estimate_turns_with_time_and_stays_within_its_bounds(
    cells: tuple[int, int, int, int], confidence: float
) -> None:
    both, only_before, only_after, neither = cells
    found, turned = of(*cells, confidence=confidence), of(both, only_after, only_before, neither, confidence=confidence)
    others = of(neither, only_after, only_before, both, confidence=confidence)
    assert -1 <= found.low <= found.estimate <= found.high <= 1
    assert (turned.estimate, turned.low, turned.high) == pytest.approx((-found.estimate, -found.high, -found.low))
    assert (others.low, others.high) == pytest.approx((-found.high, -found.low)), "counting no instead of yes"
    assert turned.p == others.p == found.p
    assert 0 < found.p <= 1
    wider = found.interval((1 + confidence) / 2)
    assert wider[0] <= found.low + 1e-12
    assert wider[1] >= found.high - 1e-12
