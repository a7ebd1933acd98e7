"""`stats.standardised` against the worked values of English public-health practice, to 9 digits, and PHStatsMethods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.stats import rates, standardised
from evalkit.stats.standard_population import weights

SAME_TO_NINE = 1e-9
BANDS = ["0-4", *(f"{age}-{age + 4}" for age in range(5, 90, 5)), "90+"]
EVENTS, PEOPLE = [3, 1, 0, 4, 9, 14], [812, 990, 1033, 1205, 870, 402]
STANDARD = [5000, 11000, 12000, 14000, 13000, 9500]
THEIR_EVENTS, THEIR_PEOPLE = [310, 95, 120, 400, 1100, 2100], [90000, 99000, 101000, 120000, 88000, 41000]


def sheet(reference: Path, name: str) -> list[dict[str, Any]]:
    path = reference / "population" / "phe" / "testdata_DSR_ISR.xlsx"
    names, *lines = openpyxl.load_workbook(path, data_only=True)[name].iter_rows(values_only=True)
    return [dict(zip(names, line, strict=True)) for line in lines if line[0] is not None]


def area(rows: list[dict[str, Any]], name: str, column: str) -> list[float]:
    return [row[column] or 0 for row in rows if row["area"] == name]


def limits(found: Any, confidence: float) -> tuple[float, float, float]:
    return (found.estimate, *found.interval(confidence))


@pytest.mark.reference
def test_direct_rates_are_phes(reference: Path) -> None:
    rows, checked = sheet(reference, "testdata_multiarea"), 0
    for said in sheet(reference, "testresults_DSR"):
        name, per = said["area"], int(said["statistic"].split()[-1]) if said["value"] else 100_000
        if name not in ("testdata_big", "testdata_small", "testdata_tiny"):
            continue
        call = (area(rows, name, "count"), area(rows, name, "pop"), weights("ESP2013", BANDS))
        if said["value"] is None:
            with pytest.raises(ValueError, match="9 events in all are too few"):
                rates.direct(*call)
            continue
        found = rates.direct(*call, per=per)
        assert limits(found, 0.95) == pytest.approx(
            (said["value"], said["lower95_0cl"], said["upper95_0cl"]), rel=SAME_TO_NINE
        )
        assert (found.low, found.high) == limits(found, 0.95)[1:]
        assert found.interval(0.998) == pytest.approx((said["lower99_8cl"], said["upper99_8cl"]), rel=SAME_TO_NINE)
        assert (found.count, found.n, found.method) == (said["total_count"], said["total_pop"], "Dobson with Byar's")
        checked += 1
    assert checked == 4


@pytest.mark.reference
def test_rates_by_the_population_of_1976_are_phes_but_for_limits_ten_times_too_large(reference: Path) -> None:
    # The workbook's 99.8 % limits of this row are ten times too large. PHStatsMethods 0.1.16 on the same rows:
    #   ph_dsr(d, 'count', 'pop', 'esp1976', euro_standard_pops=False, multiplier=100_000, confidence=[.95, .998])
    #   8592.097585  7991.160931  9225.25388  7659.282107  9599.211799
    rows = sheet(reference, "testdata_1976")
    bands = ["0-4", *(f"{age}-{age + 4}" for age in range(5, 85, 5)), "85+"]
    assert [row["esp1976"] for row in rows] == weights("ESP1976", bands).tolist()
    found = rates.direct([row["count"] for row in rows], [row["pop"] for row in rows], weights("ESP1976", bands))
    said = next(
        row for row in sheet(reference, "testresults_DSR") if "100000" in row["statistic"] and "1976" in row["area"]
    )
    assert limits(found, 0.95) == pytest.approx(
        (said["value"], said["lower95_0cl"], said["upper95_0cl"]), rel=SAME_TO_NINE
    )
    assert found.interval(0.998) == pytest.approx((7659.282107, 9599.211799), abs=5e-7)
    assert said["lower99_8cl"] == pytest.approx(10 * found.interval(0.998)[0], rel=SAME_TO_NINE)


@pytest.mark.reference
def test_people_who_come_again_are_phes(reference: Path) -> None:
    rows, checked = sheet(reference, "testdata_nonindepe"), 0
    for said in sheet(reference, "testresults_DSR"):
        name = said["area"]
        if "nonind" not in name:
            continue
        by_frequency = np.array([area(rows, name, f"f{times}") for times in (1, 2, 3, 4)], dtype=float).T
        call = {"population": area(rows, name, "pop"), "weights": weights("ESP2013", BANDS)}
        if said["value"] is None:
            with pytest.raises(ValueError, match="9 events in all are too few"):
                rates.direct(by_frequency, **call, frequencies=[1, 2, 3, 4])
            continue
        found = rates.direct(by_frequency, **call, frequencies=[1, 2, 3, 4])
        # The workbook gives these rows to 8 decimals
        assert limits(found, 0.95) == pytest.approx((said["value"], said["lower95_0cl"], said["upper95_0cl"]), abs=1e-8)
        assert found.interval(0.998) == pytest.approx((said["lower99_8cl"], said["upper99_8cl"]), abs=1e-8)
        assert found.method == "Dobson with Byar's, non-independent events"
        checked += 1
    assert checked == 3


@pytest.mark.reference
def test_indirect_ratios_and_rates_are_phes(reference: Path) -> None:
    rows, checked = sheet(reference, "testdata_multiarea_isr"), 0
    for said in sheet(reference, "testresults_ISR"):
        if said["area"] in ("Area1", "Area2"):  # of data that are not in the workbook
            continue
        columns = [area(rows, said["area"], name) for name in ("count", "pop", "refcount", "refpop")]
        kind, per = ("rate" if "rate" in said["statistic"] else "ratio"), float(said["statistic"].split()[-1])
        found = rates.indirect(sum(columns[0]), *columns[1:], measure=kind, per=per)
        assert limits(found, 0.95) == pytest.approx(
            (said["value"], said["lower95_0cl"], said["upper95_0cl"]), rel=SAME_TO_NINE
        )
        assert found.interval(0.998) == pytest.approx((said["lower99_8cl"], said["upper99_8cl"]), rel=SAME_TO_NINE)
        assert (found.count, found.expected) == pytest.approx((said["observed"], said["expected"]), rel=SAME_TO_NINE)
        assert found.reference == pytest.approx(said["ref_rate"] if kind == "rate" else per, rel=SAME_TO_NINE)
        assert found.method == {"Exact": "exact Poisson", "Byars": "Byar's"}[said["method"]]
        checked += 1
    assert checked == 12


def test_six_bands_are_phstatsmethods() -> None:
    # PHStatsMethods 0.1.16 under pandas 3.1.1, the six bands above as a frame, confidence=[.95, .998]:
    #   ph_dsr(own, 'x', 'n', 'w', euro_standard_pops=False)   839.357483 554.293914 1212.246003 425.298475 1452.821221
    #   ph_ISRatio(own, 'x', 'n', 'rx', 'rn')    40.456126  0.766262   0.520543   1.087685   0.409351   1.295057
    #   ph_ISRate(own, 'x', 'n', 'rx', 'rn')     40.456126 586.425148 398.374521 832.412106 313.278858 991.114675
    #   ph_ISRatio with x = 0, 1, 0, 1, 2, 3 (Exact)        0.173027   0.069566   0.356502   0.03758    0.485123
    known = (PEOPLE, THEIR_EVENTS, THEIR_PEOPLE)
    for found, said in (
        (rates.direct(EVENTS, PEOPLE, STANDARD), (839.357483, 554.293914, 1212.246003, 425.298475, 1452.821221)),
        (rates.indirect(EVENTS, *known), (0.766262, 0.520543, 1.087685, 0.409351, 1.295057)),
        (rates.indirect(EVENTS, *known, measure="rate"), (586.425148, 398.374521, 832.412106, 313.278858, 991.114675)),
        (rates.indirect([0, 1, 0, 1, 2, 3], *known), (0.173027, 0.069566, 0.356502, 0.03758, 0.485123)),
    ):
        assert (*limits(found, 0.95), *found.interval(0.998)) == pytest.approx(said, abs=6e-7)


cells = st.lists(st.tuples(st.integers(2, 60), st.integers(100, 5_000), st.integers(1, 9_000)), min_size=5, max_size=8)


@given(cells, st.floats(0.001, 1_000))
def test_only_the_shape_of_the_weights_counts(bands: list[tuple[int, int, int]], times: float) -> None:
    events, people, standard = (np.array(column, dtype=float) for column in zip(*bands, strict=True))
    one, other = rates.direct(events, people, standard), rates.direct(events, people, times * standard)
    assert (one.estimate, one.low, one.high) == pytest.approx((other.estimate, other.low, other.high), rel=1e-9)
    assert 0 < one.low < one.estimate < one.high
    # With its own people as the standard, a place's standardised rate is its crude rate, and so are its limits
    own, crude = rates.direct(events, people, people), rates.crude(events.sum(), people.sum())
    assert (own.estimate, own.low, own.high) == pytest.approx((crude.estimate, crude.low, crude.high), rel=1e-9)
    assert own.estimate >= min(events / people) * 99_999


@given(st.integers(10, 5_000), st.floats(1, 1e6), st.floats(0.5, 1e5), st.sampled_from([0.9, 0.95, 0.998]))
def test_one_band_is_the_crude_rate(count: int, people: float, weight: float, confidence: float) -> None:
    found = rates.direct([count], [people], [weight], confidence=confidence)
    crude = rates.crude(count, people, confidence=confidence)
    assert (found.estimate, found.low, found.high) == pytest.approx((crude.estimate, crude.low, crude.high), rel=1e-9)


@given(cells)
def test_people_who_come_once_are_independent_events(bands: list[tuple[int, int, int]]) -> None:
    events, people, standard = (np.array(column, dtype=float) for column in zip(*bands, strict=True))
    once = rates.direct(events[:, None], people, standard, frequencies=[1])
    known = rates.direct(events, people, standard)
    assert limits(once, 0.95) == pytest.approx(limits(known, 0.95), rel=1e-12)
    # The same events of half as many people, each twice: the variance doubles, the estimate does not move
    twice = rates.direct(events[:, None] / 2, people, standard, frequencies=[2])
    assert (twice.estimate, twice.se) == pytest.approx((known.estimate, known.se * 2**0.5), rel=1e-12)


@given(cells)
def test_the_reference_population_has_the_ratio_1(bands: list[tuple[int, int, int]]) -> None:
    events, people, others = (np.array(column, dtype=float) for column in zip(*bands, strict=True))
    itself = rates.indirect(events, people, events, people, per=100)
    assert itself.estimate == pytest.approx(100, rel=1e-12)
    assert itself.low < 100 < itself.high
    # ratio x crude rate of the reference = rate
    ratio, rate = (rates.indirect(events, people, others, people, measure=kind) for kind in ("ratio", "rate"))
    scale = 100_000 * others.sum() / people.sum()
    assert (rate.estimate, rate.low, rate.high) == pytest.approx(
        tuple(scale * each for each in (ratio.estimate, ratio.low, ratio.high)), rel=1e-12
    )


def test_many_rates_are_each_rate_and_say_which_were_refused() -> None:
    rng = np.random.default_rng(5)
    people = rng.integers(200, 3_000, (40, 6)).astype(float)
    events = rng.poisson(people * 0.004).astype(float)
    events[3], people[7, 2] = [0, 1, 2, 3, 2, 1], 0
    squares = events * 1.5
    found = rates.direct_many(events, people, STANDARD, squares=squares, per=1_000, confidence=0.998)
    assert found.refused[[3, 7]].tolist() == ["under 10 events", "a band without people"]
    assert np.isnan([column[[3, 7]] for column in (found.estimate, found.low, found.high, found.se)]).all()
    assert (found.count[3], found.n[7]) == (9, people[7].sum())
    for row in np.flatnonzero(found.refused == "")[:10]:
        one = rates.direct(events[row], people[row], STANDARD, per=1_000, confidence=0.998)
        assert found.estimate[row] == pytest.approx(one.estimate, rel=1e-12)
        assert found.se[row] == pytest.approx(one.se * 1.5**0.5, rel=1e-12)
    low, high = found.interval(0.95)
    stands = found.refused == ""
    assert stands.sum() == 38
    assert (low[stands] > found.low[stands]).all()
    assert (high[stands] < found.high[stands]).all()


def test_a_band_of_weight_0_is_left_out() -> None:
    found = rates.direct([500, *EVENTS], [900, *PEOPLE], [0, *STANDARD])
    assert found == rates.direct(EVENTS, PEOPLE, STANDARD)
    assert found == rates.direct([500, *EVENTS], [0, *PEOPLE], [0, *STANDARD])
    with pytest.raises(ValueError, match="9 events in all"):
        rates.direct([500, 4, 5], [900, 100, 100], [0, 1, 1])


def test_more_events_than_people_can_be() -> None:
    assert rates.direct([30, 40], [10, 20], [1, 1], per=1).estimate == 2.5
    assert rates.indirect(0, [100], [5], [100]).low == 0


def test_series_are_matched_by_their_index() -> None:
    frame = pd.DataFrame({"events": EVENTS, "people": PEOPLE, "standard": STANDARD}, index=list("abcdef"))
    assert rates.direct(frame["events"], frame["people"], frame["standard"]) == rates.direct(EVENTS, PEOPLE, STANDARD)
    with pytest.raises(ValueError, match="events and weights carry different indexes"):
        rates.direct(frame["events"], frame["people"], frame["standard"][::-1])
    many = pd.DataFrame([STANDARD, PEOPLE], columns=list("abcdef"))
    with pytest.raises(ValueError, match="columns of events are not the index of weights"):
        rates.direct_many(many, many, frame["standard"][::-1])
    assert rates.direct_many(many, many, frame["standard"]).estimate == pytest.approx([100_000, 100_000])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: rates.direct([], [], []), "a number for each band"),
        (lambda: rates.direct(20, 100, 1), "0 dimensions"),
        (lambda: rates.direct([[20, 2]], [100], [1]), "say the `frequencies`"),
        (lambda: rates.direct([20, -26], [100, 594], [1, 1]), r"events is -26\.0 in band 2"),
        (lambda: rates.direct([20, np.nan], [100, 594], [1, 1]), "events is nan in band 2"),
        (lambda: rates.direct([20, 3], [100, -558], [1, 1]), r"population is -558\.0 in band 2"),
        (lambda: rates.direct([20, 3], [100, np.inf], [1, 1]), "population is inf in band 2"),
        (lambda: rates.direct([20, 3], [100, 0], [1, 1]), "Band 2 has no people"),
        (lambda: rates.direct([20, 3], [100], [1, 1]), "population has 1 bands where 2 bands"),
        (lambda: rates.direct([20, 3], [100, 100], [1]), "1 weights and 2 bands"),
        (lambda: rates.direct([20, 3], [100, 100], [1, -6000]), r"weights is -6000\.0 in band 2"),
        (lambda: rates.direct([20, 3], [100, 100], [0, 0]), "All weights are 0"),
        (lambda: rates.direct([0, 0], [100, 100], [1, 1]), "0 events in all are too few"),
        (lambda: rates.direct([20, 3], [100, 100], [1, 1], per=0), "per = 0 must be above 0"),
        (lambda: rates.direct([20, 3], [100, 100], [1, 1], confidence=95), r"95 % is 0\.95"),
        (lambda: rates.direct([20, 3], [100, 100], [1, 1], frequencies=[1]), "a column for each number of events"),
        (lambda: rates.direct([[20, 3]], [100], [1], frequencies=[1, 1]), "each there once"),
        (lambda: rates.direct([[20, 3]], [100], [1], frequencies=[0, 1]), "1 or more"),
        (lambda: rates.direct([[20, -3]], [100], [1], frequencies=[1, 2]), r"events is -3\.0 in band 2"),
        (lambda: rates.direct_many([[20, 3], [4, np.nan]], np.ones((2, 2)), [1, 1]), "events is nan in rate 2, band 2"),
        (lambda: rates.direct_many([20, 3], [100, 100], [1, 1]), "a number for each band"),
        (lambda: rates.direct_many([[20, 3]], [[9, 9]], [1, 1], squares=[[20, 2]]), "squares is 2 below events, 3"),
        (lambda: rates.indirect([1, 2], [10, 10], [5, 5], [100, 0]), "Band 2 has no reference population"),
        (lambda: rates.indirect([1, 2], [10, 10], [0, 0], [100, 90]), "Nothing is expected"),
        (lambda: rates.indirect([1, 2], [0, 0], [5, 5], [100, 90]), "Nothing is expected"),
        (lambda: rates.indirect(-1, [10, 10], [5, 5], [100, 90]), r"events is -1\.0"),
        (lambda: rates.indirect([1, 2, 3], [10, 10], [5, 5], [100, 90]), "events has 3 bands where 2 bands"),
        (lambda: rates.indirect(1, [10, 10], [5], [100, 90]), "reference_events has 1 bands"),
        (lambda: rates.indirect(1, [10], [5], [100], measure="smr"), "neither 'ratio' nor 'rate'"),
        (lambda: rates.indirect(1, [10], [5], [100], per=-1), "per = -1 must be above 0"),
    ],
)
def test_standardising_refuses(call: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        call()


def test_the_front_room_has_what_is_written_here() -> None:
    assert (rates.direct, rates.direct_many, rates.indirect) == (
        standardised.direct,
        standardised.direct_many,
        standardised.indirect,
    )
