"""team.seen_by_partners: places as seen from inside and from outside, at the same wave."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.team.scored import change_over
from evalkit.terms import Audience
from tests.team.answered import Row, programme


def scores(inside: dict[int, list[float]], outside: dict[int, list[float]]) -> ek.Programme:
    """By wave one score a place from three people inside and two outside."""

    def rows(held: dict[int, list[float]], who: str, n: int) -> list[Row]:
        return [
            (f"{who}{p}{k}", f"P{p}", wave, {"culture": score})
            for wave, given_at in held.items()
            for p, score in enumerate(given_at)
            for k in range(n)
        ]

    return programme(*rows(inside, "in", 3), outside=tuple(rows(outside, "out", 2)))


FIRST, LAST = [1.0, 2.0, 3.0, 2.0, 4.0, 1.0], [2.0, 2.0, 4.0, 3.0, 4.0, 2.0]
BELOW = [1.0, 1.0, 2.0, 1.0, 2.0, 0.0]


def rows_of(found: ek.Result, what: str) -> list[dict]:
    return found.table[found.table["what"] == what].to_dict("records")


def test_the_gap_is_the_paired_t_of_places_outside_less_inside():
    found = ek.team.seen_by_partners(scores({1: FIRST}, {1: BELOW}))
    (row,) = rows_of(found, "gap")
    t = stats.ttest_rel(BELOW, FIRST)
    interval = t.confidence_interval(0.95)
    assert row["estimate"] == pytest.approx(np.mean(np.array(BELOW) - FIRST))
    assert (row["low"], row["high"]) == (pytest.approx(interval.low), pytest.approx(interval.high))
    assert (row["places"], row["n"], row["raters"]) == (6, 18, 12)


def test_a_change_in_the_gap_stands_beside_what_each_of_the_two_saw_change():
    after = [1.0, 2.0, 2.0, 2.0, 3.0, 0.0]
    found = ek.team.seen_by_partners(scores({1: FIRST, 2: LAST}, {1: BELOW, 2: after}))
    (gap,), (inside,), (outside,) = (rows_of(found, what) for what in (
        "change in gap", "change seen inside", "change seen outside",
    ))  # fmt: skip
    assert inside["estimate"] == pytest.approx(np.mean(LAST) - np.mean(FIRST))
    assert outside["estimate"] == pytest.approx(np.mean(after) - np.mean(BELOW))
    assert gap["estimate"] == pytest.approx(outside["estimate"] - inside["estimate"])
    assert "the same way, up or down, on 1 of 1 domains" in found.reading


def test_only_places_both_scored_are_compared():
    held = scores({1: FIRST}, {1: BELOW[:5]})
    (row,) = rows_of(ek.team.seen_by_partners(held), "gap")
    assert row["places"] == 5
    assert row["inside"] == pytest.approx(np.mean(FIRST[:5]))


@pytest.mark.parametrize("places", [1, 4])
def test_few_places_give_the_gap_without_an_interval(places):
    found = ek.team.seen_by_partners(scores({1: FIRST[:places]}, {1: BELOW[:places]}))
    (row,) = rows_of(found, "gap")
    assert row["interval"] == "none given"
    assert row["estimate"] == pytest.approx(np.mean(np.array(BELOW[:places]) - FIRST[:places]))
    assert "too few places scored by both" in found.headline


def test_a_gap_the_same_everywhere_has_no_interval_of_no_width():
    (row,) = rows_of(ek.team.seen_by_partners(scores({1: FIRST}, {1: [score - 1 for score in FIRST]})), "gap")
    assert (row["estimate"], row["interval"]) == (pytest.approx(-1.0), "none given")


def test_a_gap_the_same_up_to_rounding_is_the_same():
    """Means of thirds: their differences are one number and not bit for bit."""
    inside = [1.1, 2.2, 3.3, 0.7, 1.9, 2.6]
    held = pd.DataFrame({"inside": inside, "outside": [score + 0.1 for score in inside]})
    assert (held["outside"] - held["inside"]).nunique() > 1
    assert change_over(held["inside"], held["outside"], 0.95) is None


def test_two_kinds_who_never_scored_at_the_same_wave_are_refused():
    with pytest.raises(ek.NotEnoughEvidence, match="scored no place at the same wave"):
        ek.team.seen_by_partners(scores({1: FIRST}, {2: BELOW}))
    with pytest.raises(ek.NotEnoughEvidence, match="scored nothing"):
        ek.team.seen_by_partners(scores({1: FIRST}, {}))


def test_few_people_outside_are_withheld_though_many_answered_inside():
    found = ek.team.seen_by_partners(scores({1: FIRST[:2]}, {1: BELOW[:2]}))
    (row,) = protect(found, Audience.COMMISSIONER).table.to_dict("records")
    assert row["interval"] == "withheld"
    assert np.isnan(row["outside"])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=5, max_size=8))
@settings(max_examples=12)  # each asks a whole question
def test_turning_the_two_round_turns_the_gap(pairs):
    inside, outside = ([float(pair[side]) for pair in pairs] for side in (0, 1))
    one, other = (
        rows_of(ek.team.seen_by_partners(scores({1: a}, {1: b})), "gap")[0]["estimate"]
        for a, b in ((inside, outside), (outside, inside))
    )
    assert one == pytest.approx(-other)
