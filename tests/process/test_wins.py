"""process.wins: half years since the start add up, those without a win stand there, and silence is a question."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalkit as ek
from evalkit.process.wins import NOTED, SEEN
from evalkit.programme import Programme, Settings
from evalkit.resources import folder

PLACES = pd.DataFrame(
    {
        "place_id": ["P0", "P1", "P2", "P9"],
        "name": ["All of it", "Ash", "Elm", "Beech"],
        "parent_id": [None, "P0", "P0", None],
        "arm": ["programme", "programme", "programme", "comparison"],
    }
)
TEAMS = pd.DataFrame({"team_id": ["T1", "T2", "T9"], "place_id": ["P1", "P2", "P9"]})


def win(on: str, team: str | None = None, place: str | None = None, **said: Any) -> dict[str, Any]:
    return {"won_on": pd.Timestamp(on), "team_id": team, "place_id": place, "size": None, "evidence": None, **said}


LOG = [
    win("2025-01-01", "T1", size="small", evidence="The letter"),
    win("2025-06-30", "T1", size="small"),
    win("2026-01-01", None, "P0", size="large"),
    win("2026-02-01"),
    win("2025-02-01", "T9"),
]


def asked(wins: list[dict[str, Any]], *, starts: date | None = date(2025, 1, 1), bare: bool = False) -> Programme:
    log = pd.DataFrame([{"win_id": f"W{at}", "what": "Won", **told} for at, told in enumerate(wins)])
    tables = ({} if bare else {"places": PLACES, "teams": TEAMS}) | ({"wins": log} if wins else {})
    settings = Settings(name="Testmere", starts_on=starts, as_of=date(2026, 3, 31), fictional=True)
    return Programme.build(settings=settings, tables=tables)


def every(found: ek.result.Result) -> dict[str, dict[str, Any]]:
    table = found.table
    return {row["measure"]: row for row in table[table["group"] == "all"].to_dict("records")}


def halves(found: ek.result.Result) -> pd.DataFrame:
    return found.table[(found.table["measure"] == NOTED) & (found.table["group"] != "all")]


def test_the_numbers_of_a_small_log_by_hand():
    found = ek.process.wins(asked(LOG))
    rows = every(found)
    assert rows[NOTED]["n"] == 4
    assert [rows[size]["n"] for size in ("Small", "Middling", "Large", "Size not said")] == [2, 0, 1, 1]
    assert rows[SEEN]["estimate"] == 25
    assert (rows["Teams that noted one"]["n"], rows["Teams that noted one"]["out_of"]) == (1, 2)
    assert (rows["Places that noted one"]["n"], rows["Places that noted one"]["out_of"]) == (1, 2)
    assert rows["Teams that noted one"]["ask"].startswith("No small win is on record for 1 of 2 teams")
    assert halves(found)["group"].tolist() == [
        "Months 1 to 6, from January 2025",
        "Months 7 to 12, from July 2025",
        "Months 13 to 18, from January 2026 (part)",
    ]
    assert halves(found)["n"].tolist() == [2, 0, 2]
    assert halves(found)["so_far"].tolist() == [2, 2, 4]
    assert "1 without a size" in found.reading
    assert "2 wins of no single team: counted for no team." in found.caveats
    assert "1 win of comparison places left out." in found.caveats


def test_a_whole_half_year_without_a_win_is_a_question():
    found = ek.process.wins(asked(LOG))
    assert halves(found)["sign"].tolist() == ["", "not recorded", ""]
    assert "months 7 to 12, from July 2025" in halves(found)["ask"].iloc[1]


def test_a_window_cuts_half_years_and_says_so():
    found = ek.process.wins(asked(LOG), since=date(2025, 3, 1), until=date(2025, 8, 31))
    assert halves(found)["group"].tolist() == [
        "Months 1 to 6, from March 2025 (part)", "Months 7 to 12, from July 2025 (part)"
    ]  # fmt: skip
    assert halves(found)["n"].tolist() == [1, 0]
    assert found.about.n == 1
    assert found.reading.startswith("1 small win was noted, 1 March 2025 to 31 August 2025")


def test_what_came_before_the_start_stands_by_itself():
    found = ek.process.wins(asked([win("2024-11-05", "T1"), win("2025-01-05", "T1")]))
    assert halves(found)["group"].iloc[0] == "Before the start, from November 2024"
    assert halves(found)["n"].tolist() == [1, 1, 0, 0]


def test_without_a_start_half_years_run_from_the_first_win():
    found = ek.process.wins(asked([win("2025-10-15", "T1")], starts=None))
    assert halves(found)["group"].tolist() == ["Months 1 to 6, from October 2025 (part)"]
    assert any("Nobody recorded when the programme began" in said for said in found.caveats)


def test_a_log_without_teams_and_places_is_still_counted():
    found = ek.process.wins(asked([win("2025-10-15")], bare=True))
    assert found.about.n == 1
    assert "on record for" not in found.reading
    assert found.alt


def test_a_window_without_a_win_is_said():
    found = ek.process.wins(asked(LOG), since=date(2025, 7, 1), until=date(2025, 12, 31))
    assert found.headline.startswith("No small wins noted")
    assert every(found)["Teams that noted one"]["sign"] == "not recorded"


@pytest.mark.parametrize("log", [[], LOG[-1:]])
def test_no_win_of_the_programmes_own_is_not_recorded(log):
    with pytest.raises(ek.NotEnoughEvidence, match="not say that there was none"):
        ek.process.wins(asked(log))


@given(
    st.lists(st.dates(date(2024, 3, 1), date(2026, 3, 31)), min_size=1, max_size=12),
    st.dates(date(2024, 1, 1), date(2026, 3, 1)),
)
def test_half_years_add_up_to_every_win_of_the_window(days, since):
    programme = asked([win(str(day), "T1") for day in days])
    whole, part = ek.process.wins(programme), ek.process.wins(programme, since=since)
    assert halves(whole)["n"].sum() == len(days) == halves(whole)["so_far"].iloc[-1]
    assert halves(part)["n"].sum() == sum(day >= since for day in days)


def test_northmere_notes_about_as_many_as_planted():
    found = ek.process.wins(ek.load(folder("sample_data") / "northmere"))
    assert 8 < found.about.n < 30  # 0.06 a place and month: 17
    assert len(halves(found)) == 4
