"""`stats.rates` against the worked values of English public-health practice, to 9 digits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evalkit.stats import rates

SAME_TO_NINE = 1e-9


def rows(reference: Path, workbook: str, sheet: str) -> Iterator[dict[str, Any]]:
    """The rows of a PHEindicatormethods worked-values sheet that have a denominator and an answer."""
    path = reference / "population" / "phe" / workbook
    lines = openpyxl.load_workbook(path, data_only=True)[sheet].iter_rows(values_only=True)
    names = next(lines)
    for line in lines:
        row = dict(zip(names, line, strict=True))
        if line[0] is not None and row.get("value", 0) is not None:
            yield row


def level(row: dict[str, Any]) -> float:
    return float(row["confidence"].rstrip("%")) / 100


@pytest.mark.reference
def test_byars_and_wilson_are_phes(reference: Path) -> None:
    checked = 0
    for row in rows(reference, "testdata_Byars_Wilson.xlsx", "testdata_B_W"):
        if row["method"] == "Byars":
            found = rates.byars(row["x"], confidence=level(row))
        else:
            found = rates.wilson(row["x"], row["n"], confidence=level(row))
        # The workbook is blank where Byar's lower limit does not exist (1 event at 99.8 %)
        low = math.nan if row["lowercl"] is None else row["lowercl"]
        assert found.low == pytest.approx(low, rel=SAME_TO_NINE, nan_ok=True)
        assert found.high == pytest.approx(row["uppercl"], rel=SAME_TO_NINE)
        checked += 1
    assert checked == 13


@pytest.mark.reference
def test_crude_rates_are_phes(reference: Path) -> None:
    checked = 0
    for row in rows(reference, "testdata_Rate.xlsx", "testdata_Rate"):
        for confidence, name in ((0.95, "95_0"), (0.998, "99_8")):
            found = rates.crude(row["Numerator"], row["Denominator"], per=row["multiplier"], confidence=confidence)
            expected = (row["value"], row[f"lower{name}cl"], row[f"upper{name}cl"])
            assert (found.estimate, found.low, found.high) == pytest.approx(expected, rel=SAME_TO_NINE)
            assert found.method == {"Exact": "exact Poisson", "Byars": "Byar's"}[row["method"]]
            checked += 1
    for row in rows(reference, "testdata_Rate.xlsx", "testdata_Rate_g"):
        found = rates.crude(row["Numerator"], row["Denominator"], confidence=level(row))
        expected = (row["value"], row["lowercl"], row["uppercl"])
        assert (found.estimate, found.low, found.high) == pytest.approx(expected, rel=SAME_TO_NINE)
        checked += 1
    assert checked == 2 * 17 + 9


@pytest.mark.reference
def test_proportions_are_phes(reference: Path) -> None:
    checked = 0
    for row in rows(reference, "testdata_Proportion.xlsx", "testdata_Prop"):
        for confidence, name in ((0.95, "95_0"), (0.998, "99_8")):
            found = rates.wilson(row["Numerator"], row["Denominator"], confidence=confidence)
            ours = [row["multiplier"] * each for each in (found.estimate, found.low, found.high)]
            assert ours == pytest.approx([row["value"], row[f"lower{name}cl"], row[f"upper{name}cl"]], rel=SAME_TO_NINE)
            checked += 1
    assert checked == 2 * 16


@pytest.mark.reference
def test_proportions_out_of_100_are_phes(reference: Path) -> None:
    checked = 0
    for row in rows(reference, "testdata_Proportion.xlsx", "testdata_Prop"):
        found = rates.proportion(row["Numerator"], row["Denominator"], per=row["multiplier"])
        for confidence, name in ((0.95, "95_0"), (0.998, "99_8")):
            ours = (found.estimate, *found.interval(confidence))
            assert ours == pytest.approx((row["value"], row[f"lower{name}cl"], row[f"upper{name}cl"]), rel=SAME_TO_NINE)
            checked += 1
    assert checked == 2 * 16


@pytest.mark.reference
def test_means_are_phes(reference: Path) -> None:
    values = list(rows(reference, "testdata_Mean.xlsx", "testdata_Mean"))
    checked = 0
    for said in rows(reference, "testdata_Mean.xlsx", "testdata_Mean_results"):
        mine = [row["values"] for row in values if said["area"] in ("No grouping", row["area"])]
        found, again = rates.mean(mine), rates.mean(said["value"], sd=said["stdev"], n=said["value_count"])
        for each in (found, again):
            assert (each.estimate, each.sd, each.n) == pytest.approx(
                (said["value"], said["stdev"], said["value_count"]), rel=SAME_TO_NINE
            )
            for confidence, name in ((0.95, "95_0"), (0.998, "99_8")):
                expected = (said[f"lower{name}cl"], said[f"upper{name}cl"])
                assert each.interval(confidence) == pytest.approx(expected, rel=SAME_TO_NINE)
            assert (each.low, each.high) == each.interval(0.95)
        checked += 1
    assert checked == 3


@settings(deadline=None)
@given(st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=30).filter(lambda held: np.ptp(held) > 1e-3))
def test_a_mean_is_the_t_test_inverted(values: list[float]) -> None:
    found = rates.mean([*values, None])
    other = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((other.low, other.high), rel=1e-7, abs=1e-7)
    assert (found.n, found.count, found.missing, found.method) == (len(values), len(values), 1, "Student's t")


def test_every_rate_gives_its_interval_at_another_confidence() -> None:
    for make in (
        lambda confidence: rates.wilson(7, 30, confidence=confidence),
        lambda confidence: rates.proportion(0, 30, per=100, confidence=confidence),
        lambda confidence: rates.byars(65, confidence=confidence),
        lambda confidence: rates.byars(0, confidence=confidence),
        lambda confidence: rates.crude(5, 812, confidence=confidence),
        lambda confidence: rates.crude(0, 812, confidence=confidence),
        lambda confidence: rates.crude(50, 812, per=1000, confidence=confidence),
    ):
        usual, wide = make(0.95), make(0.998)
        assert usual.interval(0.998) == (wide.low, wide.high)
        assert wide.interval(0.95) == (usual.low, usual.high)


def test_wilson_is_newcombes_table() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3 (score): four examples, 4 decimals
    table = {(81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605), (0, 20): (0, 0.1611), (1, 29): (0.0061, 0.1718)}
    for (count, n), limits in table.items():
        found = rates.wilson(count, n)
        assert (found.low, found.high) == pytest.approx(limits, abs=5e-5)


@settings(deadline=None)
@given(st.integers(1, 500), st.floats(0.5, 0.999), st.data())
def test_wilson_inverts_the_score_test(n: int, confidence: float, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, n))
    found = rates.wilson(count, n, confidence=confidence)
    other = stats.binomtest(count, n).proportion_ci(confidence, method="wilson")
    assert (found.low, found.high) == pytest.approx((other.low, other.high), rel=1e-9, abs=1e-12)
    assert found.low <= found.estimate <= found.high


@settings(deadline=None)
@given(st.integers(0, 9), st.floats(1, 1e6), st.floats(0.8, 0.999))
def test_exact_limits_leave_each_tail_its_half(count: int, denominator: float, confidence: float) -> None:
    found = rates.crude(count, denominator, per=1, confidence=confidence)
    tail = (1 - confidence) / 2
    assert stats.poisson.cdf(count, found.high * denominator) == pytest.approx(tail, rel=1e-6)
    if count:
        assert stats.poisson.sf(count - 1, found.low * denominator) == pytest.approx(tail, rel=1e-6)
    else:
        assert found.low == 0


def test_ten_events_are_where_byars_begins() -> None:
    nine, ten = rates.crude(9, 100), rates.crude(10, 100)
    assert (nine.method, ten.method) == ("exact Poisson", "Byar's")
    assert (ten.low, ten.high) == pytest.approx((1000 * rates.byars(10).low, 1000 * rates.byars(10).high))
    assert (ten.count, ten.n, ten.per) == (10, 100, 100_000)


def test_no_events() -> None:
    assert rates.byars(0).low == 0
    assert rates.byars(0).high == pytest.approx((1 - 1 / 9 + 1.959963984540054 / 3) ** 3)
    assert rates.crude(0, 1000, per=1000).high == pytest.approx(-math.log(0.025))
    assert rates.wilson(0, 10).low == 0
    assert rates.wilson(10, 10).high == 1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: rates.wilson(1, 0), "n must be above 0"),
        (lambda: rates.wilson(3, 2), "between 0 and n = 2"),
        (lambda: rates.wilson(-1, 2), "between 0 and n = 2"),
        (lambda: rates.wilson(math.nan, 2), "between 0 and n = 2"),
        (lambda: rates.wilson(1, 2, confidence=95), r"95 % is 0\.95"),
        (lambda: rates.proportion(1, 2, per=0), "1 for a proportion, 100 for a percentage"),
        (lambda: rates.mean([]), "0 of 0 are known"),
        (lambda: rates.mean([3]), "1 of 1 are known"),
        (lambda: rates.mean([3, None, math.nan]), "1 of 3 are known"),
        (lambda: rates.mean([3, 3, 3]), "All 3 values are 3: without spread"),
        (lambda: rates.mean([3, math.inf]), "1 infinite values"),
        (lambda: rates.mean(3, sd=1), "both its sd and its n"),
        (lambda: rates.mean([3, 4], sd=1, n=5), "one mean, not 2 values"),
        (lambda: rates.mean(math.nan, sd=1, n=5), "The mean is nan"),
        (lambda: rates.mean(3, sd=0, n=5), "sd = 0 must be above 0"),
        (lambda: rates.mean(3, sd=math.nan, n=5), "sd = nan must be above 0"),
        (lambda: rates.mean(3, sd=1, n=1), "whole number of 2 or more"),
        (lambda: rates.mean(3, sd=1, n=2.5), "whole number of 2 or more"),
        (lambda: rates.mean([1, 2], confidence=95), r"95 % is 0\.95"),
        (lambda: rates.byars(-1), "0 or more"),
        (lambda: rates.byars(math.nan), "0 or more"),
        (lambda: rates.crude(-1, 10), "0 or more"),
        (lambda: rates.crude(math.nan, 10), "0 or more"),
        (lambda: rates.crude(1, 0), "denominator above 0"),
        (lambda: rates.crude(1, math.nan), "denominator above 0"),
        (lambda: rates.crude(1, 10, per=0), "must be above 0"),
    ],
)
def test_rates_refuse(call: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()
