"""process.learning_points: readers who differ are counted and never averaged; nobody looked is not recorded."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalkit as ek
from evalkit.errors import Refused
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result

PLACES = ("P1", "P2", "P3")
BLENDED, SUSTAINED = "theory_blended", "support_sustained"
LABEL = "Theory and method blended"
Look = tuple[str, str, str, str, str]


def programme(*looks: Look, arms: dict[str, str] | None = None, **changed: dict[str, Any]) -> Programme:
    """Places P1 to P3, named Cole, Ash and Birch, with looks: place, feature, form, reader, day."""
    places = pd.DataFrame({"place_id": [*PLACES], "name": ["Cole", "Ash", "Birch"], "kind": "locality"})
    places["arm"] = [(arms or {}).get(place, "programme") for place in PLACES]
    for name, by_place in changed.items():
        places[name] = [by_place.get(place) for place in PLACES]
    observations = pd.DataFrame(looks, columns=["place_id", "feature", "form", "coder", "observed_on"])
    observations["observed_on"] = pd.to_datetime(observations["observed_on"])
    settings = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2026, 3, 31), fictional=True)
    return Programme.build(settings=settings, tables={"places": places, "observations": observations})


def asked(*looks: Look, **settings: Any) -> Result:
    return ek.process.learning_points(programme(*looks), **settings)


def row(found: Result, measure: str, group: str = "all") -> dict[str, Any]:
    table = found.table
    (held,) = table[(table["measure"] == measure) & (table["group"] == group)].to_dict("records")
    return held


def states(found: Result, measure: str = LABEL, group: str = "all") -> dict[str, Any]:
    held = row(found, measure, group)
    wanted = ("n", "partly", "absent", "differ", "not_looked_at", "more", "less", "out_of")
    return {name: held[name] for name in wanted if held[name] != 0}


def test_each_place_and_point_is_in_one_state():
    found = asked(("P1", BLENDED, "in_place", "C1", "2025-05-01"), ("P2", BLENDED, "absent", "C1", "2025-05-01"))
    assert states(found) == {"n": 1, "absent": 1, "not_looked_at": 1, "out_of": 2}
    assert row(found, LABEL)["estimate"] == 50
    assert row(found, LABEL)["phase"] == "Design and planning"
    assert row(found, "All points of the phase", "Design and planning")["not_looked_at"] == 3 * 3 - 2
    assert row(found, "Not looked at")["n"] == 3 * 10 - 2
    assert row(found, "Not looked at")["sign"] == "not recorded"
    assert (found.about.n, found.about.of) == (2, 3)


def test_readers_who_differ_are_counted_and_not_averaged():
    found = asked(
        ("P1", BLENDED, "in_place", "C1", "2025-05-01"), ("P1", BLENDED, "absent", "C2", "2025-05-09"),
        ("P2", BLENDED, "partly", "C1", "2025-05-01"), ("P2", BLENDED, "partly", "C2", "2025-05-09"),
    )  # fmt: skip
    expected = {"partly": 1, "differ": 1, "not_looked_at": 1, "out_of": 2}
    assert states(found) == expected
    assert "readers differ on 1" in found.reading


def test_a_reader_of_long_ago_is_not_set_against_one_of_now():
    """C2 looked a year before: that is a time before, which only counts as the first look."""
    found = asked(("P1", BLENDED, "absent", "C2", "2024-05-01"), ("P1", BLENDED, "in_place", "C1", "2025-05-01"))
    assert states(found) == {"n": 1, "not_looked_at": 2, "more": 1, "out_of": 1}
    assert any("other readers" in caution for caution in found.caveats)


@pytest.mark.parametrize(
    ("first", "last", "moved"),
    [("absent", "partly", "more"), ("in_place", "partly", "less"), ("partly", "partly", None)],
)
def test_change_since_the_first_look(first, last, moved):
    found = asked(
        ("P1", BLENDED, first, "C1", "2024-05-01"), ("P1", BLENDED, "absent", "C1", "2024-12-01"),
        ("P1", BLENDED, last, "C1", "2025-12-01"),
    )  # fmt: skip
    held = row(found, "All points")
    assert (held["more"], held["less"]) == (int(moved == "more"), int(moved == "less"))
    fell = row(found, "Less in place than at the first look")
    assert (fell["n"], fell["out_of"]) == (int(moved == "less"), 1)
    assert fell["sign"] == ("uncertain" if moved == "less" else "")


def test_where_readers_differed_neither_more_nor_less_is_said():
    found = asked(
        ("P1", BLENDED, "absent", "C1", "2024-05-01"), ("P1", BLENDED, "in_place", "C2", "2024-05-01"),
        ("P1", BLENDED, "in_place", "C1", "2025-05-01"), ("P1", BLENDED, "in_place", "C2", "2025-05-01"),
    )  # fmt: skip
    assert states(found) == {"n": 1, "not_looked_at": 2, "out_of": 1}
    assert "No finding can be set against an earlier look" in found.reading


def test_only_looks_in_the_window_count_and_the_first_ever_is_before():
    looks = (("P1", BLENDED, "in_place", "C1", "2024-05-01"), ("P1", BLENDED, "partly", "C1", "2025-05-01"))
    found = asked(*looks, since=date(2025, 1, 1))
    assert (row(found, LABEL)["partly"], row(found, LABEL)["less"]) == (1, 1)
    assert row(asked(*looks, until=date(2024, 12, 31)), LABEL)["n"] == 1
    with pytest.raises(ek.NotEnoughEvidence, match="does not say that there was none"):
        asked(*looks, since=date(2025, 6, 1))


def test_a_place_nobody_looked_at_is_not_recorded_and_places_stand_in_the_order_of_the_alphabet():
    found = asked(("P1", BLENDED, "in_place", "C1", "2025-05-01"), ("P1", SUSTAINED, "absent", "C1", "2025-05-01"))
    held = found.table[found.table["measure"] == "All points of the place"]
    assert held["group"].tolist() == ["Ash", "Birch", "Cole"]
    assert held["n"].isna().tolist() == [True, True, False]
    assert held["estimate"].tolist()[2] == 50
    nobody = row(found, "Measurement that is feasible")
    assert pd.isna(nobody["n"])
    assert nobody["not_looked_at"] == 3


def test_places_to_compare_with_and_larger_places_are_not_counted():
    look = ("P1", BLENDED, "in_place", "C1", "2025-05-01")
    there = ("P2", BLENDED, "absent", "C1", "2025-05-01")
    found = ek.process.learning_points(programme(look, there, arms={"P2": "comparison"}))
    assert states(found) == {"n": 1, "not_looked_at": 1, "out_of": 1}
    assert any("to compare with" in caution for caution in found.caveats)
    kinds = {"P1": "locality", "P2": "locality", "P3": "borough"}
    assert states(ek.process.learning_points(programme(look, kind=kinds))) == {"n": 1, "not_looked_at": 1, "out_of": 1}


def test_a_place_that_may_not_be_named_stands_under_its_id():
    allowed = {"P1": False, "P2": True, "P3": True}
    found = ek.process.learning_points(
        programme(("P1", BLENDED, "in_place", "C1", "2025-05-01"), may_be_named=allowed)
    )  # fmt: skip
    assert set(found.table[found.table["measure"] == "All points of the place"]["group"]) == {"Ash", "Birch", "P1"}


def test_the_first_lesson_is_a_gate():
    label = "The will for a new kind of leader"
    forms = zip(PLACES, ["in_place", "absent", "partly"], strict=True)
    looks = [(place, "will_built", form, "C1", "2025-05-01") for place, form in forms]
    found = asked(*looks, on="lessons")
    held = row(found, label)
    assert (held["n"], held["out_of"], held["sign"]) == (1, 3, "not working")
    assert "1 of 3 places" in held["ask"]
    assert held["ask"].endswith("?")
    assert "places where it is in place, 1 of 3" in found.reading
    assert row(found, "All points")["sign"] == ""
    other = asked(("P1", "focus_on_place", "in_place", "C1", "2025-05-01"), on="lessons")
    assert "places where it is in place, not looked at" in other.reading
    assert row(other, label)["sign"] == ""


def test_everything_in_place_is_working_and_asks_nothing():
    found = asked(("P1", BLENDED, "in_place", "C1", "2025-05-01"))
    held = row(found, "All points")
    assert (held["sign"], held["ask"]) == ("working", "")


def test_menus_that_are_no_steps_are_refused_with_words():
    with pytest.raises(Refused, match=r"market, hierarchy and network"):
        asked(on="network_forms")
    with pytest.raises(Refused, match="No observer writes"):
        asked(on="theories")
    with pytest.raises(ValueError, match=r"No menu is called 'point'.*virtuous_triangle"):
        asked(on="point")


def test_a_look_at_another_menu_is_no_look_at_this_one():
    with pytest.raises(ek.NotEnoughEvidence):
        asked(("P1", "new_leadership_roles", "absent", "C1", "2025-05-01"))


@given(
    st.lists(
        st.tuples(st.sampled_from(PLACES), st.sampled_from([BLENDED, SUSTAINED]),
                  st.sampled_from(["absent", "partly", "in_place"]), st.sampled_from(["C1", "C2"]),
                  st.sampled_from(["2024-05-01", "2024-06-01", "2025-09-01"])),
        min_size=1, max_size=12, unique_by=lambda look: (look[0], look[1], look[3], look[4]),
    )
)  # fmt: skip
def test_states_add_up_to_every_place_and_point(looks):
    table = asked(*looks).table
    points = table[(table["group"] == "all") & (table["n_of"] == "places")]
    states = points[["partly", "absent", "differ"]].sum(axis="columns") + points["n"].fillna(0)
    assert (states == points["out_of"]).all()
    assert (points["out_of"] + points["not_looked_at"] == len(PLACES)).all()
    whole = table[table["measure"] == "All points"].iloc[0]
    places = table[table["measure"] == "All points of the place"]
    assert whole["n"] == points["n"].sum() == places["n"].sum()
    assert (points["more"] + points["less"] <= points["out_of"]).all()


def test_northmere():
    found = ek.process.learning_points(ek.load(folder("sample_data") / "northmere"))
    assert found.about.of == 12
    assert (found.table["sign"] != "").sum() <= 3
    assert len(found.table[(found.table["n_of"] == "places")]) == 10
