"""When teams ask for help: by theme and half-year, how soon it came, what is open. Counted by hand."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalkit as ek
from evalkit.process.support import _period, _periods
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result


def asked(rows: list[tuple[str, str, str, str | None]], *, starts: date | None = date(2024, 4, 1), **window: date):
    log = pd.DataFrame(rows, columns=["team_id", "theme", "asked_on", "answered_on"])
    log = log.assign(request_id=[f"R{at}" for at in range(len(log))])
    for name in ("asked_on", "answered_on"):
        log[name] = pd.to_datetime(log[name])
    settings = Settings(name="Testmere", starts_on=starts, as_of=date(2025, 3, 31), fictional=True)
    tables = {"teams": pd.DataFrame({"team_id": ["T1", "T2", "T3"]}), "support_requests": log}
    return ek.process.support(Programme.build(settings=settings, tables=tables), **window)


def n(found: Result, measure: str, group: str = "all") -> int:
    return int(found.table.query("measure == @measure and group == @group")["n"].iloc[0])


FOUR = [
    ("T1", "coaching", "2024-04-10", "2024-04-20"),
    ("T1", "data", "2024-09-30", "2024-10-30"),
    ("T2", "data", "2024-10-01", None),
    ("T2", "coaching", "2025-03-20", None),
]


def test_counts_by_theme_and_half_year():
    found = asked(FOUR)
    assert found.headline == "4 requests for help, 2 answered and 2 still open"
    assert [n(found, "Requests", group) for group in ("months 1 to 6", "months 7 to 12", "data")] == [2, 2, 2]
    assert n(found, "Requests", "months 7 to 12, coaching") == 1
    assert found.table.query("measure == 'Days to an answer, median' and group == 'all'")["estimate"].iloc[0] == 20
    assert n(found, "Teams that asked") == 2
    row = found.table.query("measure == 'Still open' and group == 'all'").iloc[0]
    assert row["sign"] == "uncertain"  # 2 of the 3 made 90 days or more before were answered
    assert "the oldest since 1 October 2024" in row["ask"]


def test_an_answer_after_the_window_was_open_then():
    found = asked(FOUR, until=date(2024, 10, 15))
    assert (n(found, "Requests"), n(found, "Answered"), n(found, "Still open")) == (3, 1, 2)
    assert asked(FOUR, since=date(2025, 1, 1)).headline == "1 request for help, 0 answered and 1 still open"


def test_silence_is_a_question():
    found = asked(FOUR, until=date(2024, 4, 2))
    assert found.headline == "No requests for help"
    assert found.table["sign"].iloc[0] == "uncertain"
    assert found.table["ask"].iloc[0].endswith("?")


def test_all_answered_is_working_and_themes_are_in_order_of_the_alphabet():
    found = asked(FOUR[:2])
    assert found.table.query("measure == 'Still open' and group == 'all'")["sign"].iloc[0] == "working"
    assert found.table.query("by == 'theme' and measure == 'Requests'")["group"].tolist() == ["coaching", "data"]


def test_without_a_beginning_periods_run_from_the_first_request():
    found = asked(FOUR, starts=None)
    assert n(found, "Requests", "months 1 to 6") == 3  # 10 April to 9 October
    assert any("counted from the first request" in text for text in found.caveats)


def test_a_request_before_the_beginning_is_said_to_be():
    found = asked([("T1", "data", "2024-03-31", None)])
    assert n(found, "Requests", "before the beginning") == 1


@given(st.integers(0, 4000))
def test_every_day_lies_in_the_half_year_that_says_so(days):
    begins = pd.Timestamp("2024-04-01")
    day = begins + pd.Timedelta(days=days)
    number = int(_periods(pd.Series([day]), begins).iloc[0])
    assert begins + pd.DateOffset(months=6 * number) <= day < begins + pd.DateOffset(months=6 * (number + 1))
    assert _period(number).startswith(f"months {6 * number + 1} ")


def test_nothing_recorded_is_a_refusal_and_northmere_answers():
    with pytest.raises(ek.NotEnoughEvidence, match="does not say that there was none"):
        asked([])
    found = ek.process.support(ek.load(folder("sample_data") / "northmere"))
    assert 20 < n(found, "Requests") < 60
    assert not {"person_id", "team_id"} & set(found.table.columns)
