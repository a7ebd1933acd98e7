"""A plan set beside what was answered by a day: what came after it has not been done yet."""

from __future__ import annotations

from datetime import date

import evalkit as ek
from evalkit.plan import in_points
from evalkit.plan.moments import DONE, UNPLANNED
from evalkit.plan.numbers import numbers
from evalkit.resources import folder

MIDDLE = date(2025, 3, 31)


def test_waves_after_the_day_are_not_done():
    programme = ek.load(folder("sample_data/northmere"), as_of=MIDDLE)
    done = ek.plan.schedule(programme).table.query("state in [@DONE, @UNPLANNED]")
    assert len(done) > 0
    assert done["month"].max() <= 12
    assert {DONE, UNPLANNED} >= set(done["state"])


def test_points_rest_on_the_waves_before_the_day():
    whole = ek.load(folder("sample_data/northmere"))
    halfway = ek.load(folder("sample_data/northmere"), as_of=MIDDLE)
    first_two, all_four = (in_points.of_leaders(one, "system_leadership") for one in (halfway, whole))
    assert first_two is not None
    assert all_four is not None
    assert first_two.n > all_four.n  # fewer had left by the second wave
    assert first_two.sd < all_four.sd


def test_events_a_month_are_those_before_the_day():
    whole = ek.load(folder("sample_data/northmere"))
    early = ek.load(folder("sample_data/northmere"), as_of=date(2024, 4, 30))
    held = whole.outcomes.merge(whole.places[["place_id", "arm"]], on="place_id").query("arm == 'programme'")
    held = held[(held["period"] <= "2024-04-30") & (held["measure"] == "emergency_admissions_65_plus")]
    expected = held.groupby(["place_id", "period"])["count"].sum().mean()
    assert numbers(early).monthly == expected
