"""Phrases: what is said of a number is what the number says."""

from __future__ import annotations

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit import words

ORDINARY = st.floats(-1e6, 1e6, allow_nan=False)


@given(ORDINARY, st.integers(0, 4))
def test_a_number_read_back_is_the_number_rounded(value, places):
    said = words.number(value, places)
    assert float(said.replace("−", "-").replace(",", "")) == pytest.approx(round(value, places), abs=1e-9)
    assert not (said.startswith("−") and float(said[1:].replace(",", "")) == 0)
    assert "-" not in said


@given(st.floats(-50, 50), st.floats(0.001, 50))
def test_an_interval_said_still_tells_low_from_high(low, width):
    low_said, high_said = (
        part.replace("−", "-").replace(",", "") for part in words.span(low, low + width).split(" to ")
    )
    assert float(low_said) < float(high_said)


@given(st.floats(0.05, 5))
def test_a_ratio_said_in_every_100_is_within_one_of_it(ratio):
    said = words.in_every_100(ratio)
    if said == "the same":
        assert abs(ratio - 1) <= 0.005 + 1e-9
    else:
        change = int(said.split()[0]) * (1 if said.endswith("higher") else -1)
        assert change == pytest.approx(100 * (ratio - 1), abs=0.5 + 1e-6)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.91, 1.06, "between 9 lower and 6 higher in every 100"),
        (0.80, 0.95, "between 5 and 20 in every 100 lower"),
        (1.05, 1.20, "between 5 and 20 in every 100 higher"),
        (0.996, 1.10, "between 0 and 10 in every 100 higher"),
        (0.90, 1.004, "between 10 lower and 0 higher in every 100"),
    ],
)
def test_a_ratios_interval(low, high, said):
    assert words.ratio_interval(low, high) == said


@pytest.mark.parametrize(
    "text",
    [
        "The programme led to better scores.",
        "Admissions fell due to the programme.",
        "It caused a fall.",
        "The impact of the programme was large.",
        "Leaders grew because of it: thanks to coaching.",
        "The fall is attributable to the team.",
        "This resulted in trust.",
    ],
)
def test_words_of_cause_are_refused(text):
    with pytest.raises(ValueError, match="says why"):
        words.refuse_cause(text)


@pytest.mark.parametrize(
    "text",
    [
        "Was 3.1, is now 3.4.",
        "Differed from comparison places by 4 in every 100.",
        "Consistent with it.",
        "Cannot tell.",
    ],
)
def test_words_of_change_are_not(text):
    assert words.refuse_cause(text) == text


def test_what_is_not_known_is_said_so():
    assert words.number(math.nan) == "not known"
    assert words.significant(math.inf) == "not known"
    assert words.listed([]) == ""
    assert words.listed(["one"]) == "one"
    assert words.day(date(2024, 2, 29)) == "29 February 2024"
