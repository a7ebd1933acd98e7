"""Periods: each form read, both readings of what is ambiguous, and everything written read back."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.periods import LENGTHS, Period, Style, ambiguous, financial_year, parse, printed, quarter, spoken

DAYS = st.dates(date(1900, 4, 1), date(2199, 3, 31))
PERIODS = st.builds(Period, DAYS.map(lambda day: day.replace(day=1)), st.sampled_from(LENGTHS))
MARCH = Period(date(2024, 3, 1), 1)
SPRING = Period(date(2024, 4, 1), 3)
YEAR = Period(date(2024, 4, 1), 12)


@pytest.mark.parametrize(
    ("text", "period"),
    [
        *((text, MARCH) for text in ("2024-03", "March 2024", "Mar 2024", "MAR 2024", "  march   2024 ", "2024–03")),
        *((text, SPRING) for text in ("2024/25 Q1", "2024-25 Q1", "2024–25 q1", "Q1 2024/25", "Q1 FY2024/25")),
        *(
            (text, YEAR)
            for text in ("2024/25", "2024-25", "2024–25", "2024/2025", "2024-2025", "FY2024/25", "fy 2024-25")
        ),
        ("Sept 2024", Period(date(2024, 9, 1), 1)),
        ("2023/24 Q4", Period(date(2024, 1, 1), 3)),
        ("1999/00", Period(date(1999, 4, 1), 12)),
        ("1999/2000", Period(date(1999, 4, 1), 12)),
        ("1999-00 Q4", Period(date(2000, 1, 1), 3)),
        ("2024-01 to 2024-12", Period(date(2024, 1, 1), 12)),
        ("November 2023 to January 2024", Period(date(2023, 11, 1), 3)),
    ],
)
def test_each_form_is_read(text: str, period: Period) -> None:
    assert parse(text) == period


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2024",
        "2024-00",
        "2024-13",
        "2024-3",
        "2024-03-01",
        "2024/26",
        "2024/2026",
        "2024/25 Q5",
        "2024 Q1",
        "Q1",
        "Febtober 2024",
        "March 24",
        "0024-03",
        "2024-01 to 2024-02",
        "2024-12 to 2024-01",
        "2024/25 to 2025/26",
        "1 March 2024",
    ],
)
def test_anything_else_is_no_period(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("began", range(2000, 2012))
def test_a_month_that_could_be_a_financial_year_has_two_readings(began: int) -> None:
    following = began + 1 - 2000
    text = f"{began}-{following:02}"
    month, year = Period(date(began, following, 1), 1), Period(date(began, 4, 1), 12)
    assert ambiguous(text) == ambiguous(text.replace("-", "–")) == (month, year)
    assert parse(text) == month


@pytest.mark.parametrize(
    "text", ["1999-00", "2012-13", "2024-03", "2010/11", "2010-2011", "FY2010-11", "2010-11 Q1", "x"]
)
def test_nothing_else_has_two_readings(text: str) -> None:
    assert ambiguous(text) is None


def test_a_slash_or_a_year_in_full_says_which() -> None:
    assert parse("2010/11") == parse("2010-2011") == parse("FY2010-11") == Period(date(2010, 4, 1), 12)


def test_the_last_day_knows_leap_years_and_year_ends() -> None:
    assert Period(date(2024, 2, 1), 1).last == date(2024, 2, 29)
    assert Period(date(2023, 2, 1), 1).last == date(2023, 2, 28)
    assert Period(date(2024, 12, 1), 1).last == date(2024, 12, 31)
    assert YEAR.last == date(2025, 3, 31)


@pytest.mark.parametrize(
    ("first", "months", "words"), [(date(2024, 4, 2), 1, "first of a month"), (date(2024, 4, 1), 6, "1, 3 or 12")]
)
def test_a_period_that_is_none_is_refused(first: date, months: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Period(first, months)
    with pytest.raises(ValueError, match=words):
        printed(first, months)


def test_a_moment_counts_as_its_day() -> None:
    assert Period(datetime(2024, 4, 1), 3) == SPRING
    assert printed(datetime(2024, 4, 1), 3) == "2024/25 Q1"


def test_years_are_written_in_both_styles() -> None:
    assert printed(date(1999, 4, 1), 12) == "1999/00"
    assert printed(date(2000, 1, 1), 3, style="ons") == "1999-00 Q4"
    assert printed(date(2010, 4, 1), 12, style="ons") == "2010-2011"
    assert printed(date(2012, 4, 1), 12, style="ons") == "2012-13"
    assert printed(date(2024, 2, 1), 3) == "2024-02 to 2024-04"
    with pytest.raises(ValueError, match="'nhs' or 'ons'"):
        printed(date(2024, 4, 1), 12, style="iso")  # type: ignore[arg-type]


def test_periods_are_spoken() -> None:
    assert spoken(date(2024, 1, 1), 3) == "January to March 2024"
    assert spoken(date(2024, 11, 1), 3) == "November 2024 to January 2025"
    assert spoken(date(2024, 1, 1), 12) == "the year from January 2024 to December 2024"


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2024, 3, 31), "2023/24 Q4"),
        (date(2024, 4, 1), "2024/25 Q1"),
        (date(2024, 9, 30), "2024/25 Q2"),
        (date(2024, 12, 31), "2024/25 Q3"),
        (date(2000, 3, 31), "1999/00 Q4"),
        (date(2000, 4, 1), "2000/01 Q1"),
    ],
)
def test_days_lie_in_their_quarter_and_year(day: date, expected: str) -> None:
    assert quarter(day) == expected
    assert financial_year(day) == expected.split()[0]


@given(PERIODS, st.sampled_from(["nhs", "ons"]))
def test_what_is_written_is_read_back(period: Period, style: Style) -> None:
    text = printed(period.first, period.months, style=style)
    assert parse(text) == period


@given(DAYS)
def test_a_day_lies_within_its_quarter_and_its_year(day: date) -> None:
    for period in (parse(quarter(day)), parse(financial_year(day))):
        assert period is not None
        assert period.first <= day <= period.last


@given(PERIODS)
def test_the_next_period_starts_where_this_one_ends(period: Period) -> None:
    following = Period(period.last + timedelta(days=1), period.months)
    gap = (following.first.year - period.first.year) * 12 + following.first.month - period.first.month
    assert gap == period.months
