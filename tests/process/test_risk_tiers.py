"""process.risk_tiers: complete counts by tier; who is reached, left blank, is not recorded and not nobody."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

import evalkit as ek
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result

Count = tuple[str, str, str, int, int | None]


def asked(*counts: Count, comparison: str = "", **settings: Any) -> Result:
    """Three places; counts as place, day, tier, people, reached."""
    rows = pd.DataFrame(counts, columns=["place_id", "counted_on", "tier", "people", "reached"])
    rows["counted_on"] = pd.to_datetime(rows["counted_on"])
    places = pd.DataFrame({"place_id": ["P1", "P2", "P3"], "name": ["A", "B", "C"]})
    places["arm"] = ["comparison" if place == comparison else "programme" for place in places["place_id"]]
    told = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2026, 3, 31), fictional=True)
    programme = Programme.build(settings=told, tables={"risk_tiers": rows, "places": places})
    return ek.process.risk_tiers(programme, **settings)


def row(found: Result, tier: str, by: str = "latest count") -> dict[str, Any]:
    table = found.table
    (held,) = table[(table["measure"] == f"Reached: {tier}") & (table["by"] == by)].to_dict("records")
    return held


COUNTS: tuple[Count, ...] = (
    ("P1", "2024-05-01", "very high", 20, 5), ("P1", "2024-05-01", "high", 100, 10),
    ("P1", "2025-05-01", "very high", 20, 10), ("P2", "2024-06-01", "very high", 30, 15),
    ("P2", "2025-05-01", "very high", 40, 10), ("P2", "2025-05-01", "high", 100, None),
)  # fmt: skip


def test_the_latest_count_and_the_first_over_places():
    found = asked(*COUNTS)
    latest, first = row(found, "very high"), row(found, "very high", "first count")
    assert (latest["n"], latest["out_of"], latest["places"]) == (20, 60, 2)
    assert latest["estimate"] == pytest.approx(100 / 3)
    assert (first["n"], first["out_of"], first["estimate"]) == (20, 50, 40)
    assert found.table["low"].isna().all(), "everybody is counted: no interval"
    assert set(found.table.loc[found.table["unit"].str.contains("tier"), "n_of"]) == {"people"}
    assert "very high 40% then, 33% now" in found.reading


def test_tiers_stand_in_the_order_of_the_file():
    latest = asked(*COUNTS).table
    assert latest.loc[latest["by"] == "latest count", "measure"].tolist() == ["Reached: very high", "Reached: high"]


def test_reached_left_blank_is_not_recorded():
    found = asked(*COUNTS)
    high = row(found, "high")
    assert (high["n"], high["out_of"], high["places"]) == (10, 100, 1)  # the 100 people of P2 are left out too
    assert (high["not_said"], high["not_counted"]) == (1, 1)
    assert any("left blank" in caution for caution in found.caveats)
    with pytest.raises(ek.NotEnoughEvidence, match="does not say that there was none"):
        asked(("P1", "2024-05-01", "high", 10, None))
    with pytest.raises(ek.NotEnoughEvidence):
        asked(("P1", "2024-05-01", "high", 0, 0))


def test_then_and_now_are_compared_in_the_same_places():
    found = asked(*COUNTS, ("P3", "2025-05-01", "very high", 40, 40))
    assert row(found, "very high")["n"] == 60
    assert row(found, "very high", "latest count, places counted twice")["n"] == 20
    assert "very high 40% then, 33% now" in found.reading


def test_places_that_did_not_count_are_said_and_asked_about():
    found = asked(*COUNTS)
    (held,) = found.table[found.table["measure"] == "Places that counted"].to_dict("records")
    assert (held["n"], held["out_of"], held["sign"]) == (2, 3, "not recorded")
    assert held["ask"].endswith("?")
    assert "2 of 3 places counted" in found.reading
    assert "sign" not in asked(("P1", "2025-05-01", "high", 9, 9), ("P2", "2025-05-01", "high", 9, 9),
                               ("P3", "2025-05-01", "high", 9, 9)).table  # fmt: skip


def test_only_counts_in_the_window_are_the_latest():
    early = asked(*COUNTS, until=date(2024, 12, 31))
    assert (row(early, "very high")["n"], row(early, "very high")["out_of"]) == (20, 50)
    assert "first count" not in set(early.table["by"])
    late = asked(*COUNTS, since=date(2025, 1, 1))
    assert row(late, "very high", "first count")["n"] == 20
    with pytest.raises(ek.NotEnoughEvidence):
        asked(*COUNTS, since=date(2025, 6, 1))


def test_places_to_compare_with_are_left_out():
    found = asked(*COUNTS, comparison="P2")
    assert (row(found, "very high")["n"], found.about.of) == (10, 2)
    assert any("to compare with" in caution for caution in found.caveats)


def test_northmere():
    found = ek.process.risk_tiers(ek.load(folder("sample_data") / "northmere"))
    assert len(found.table[found.table["by"] == "latest count"]) == 3
    assert (found.about.n, found.about.of) == (12, 12)
