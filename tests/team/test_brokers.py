"""team.brokers: who stands between organisations, on how few it hangs, and a drawing that tells nobody's name."""

from __future__ import annotations

from datetime import date
from importlib import import_module

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import IDENTIFIERS, protect
from evalkit.errors import NotEnoughEvidence, Refused
from evalkit.resources import folder
from evalkit.team import ties
from evalkit.terms import Audience
from tests.team.networks import everybody, pairs, programme, row, seen

module = import_module("evalkit.team.brokers")  # the room's own name is the question's

EIGHT = {"A": 4, "B": 2, "C": 2}
ELEVEN = pairs("A1 A2", "A2 A3", "A3 B1", "B1 A4", "B1 C1", "C1 A1", "A4 B2", "B2 C2", "A2 C1", "A1 B1", "B1 A1")
# R version 4.2.2 Patched, sna 2.7.1, people in the order A1-A4, B1, B2, C1, C2, m their ties:
#   > b <- brokerage(m, c("A","A","A","A","B","B","C","C")); b$raw.nli
#        w_I w_O b_IO b_OI b_O t
#   [1,]   0   0    0    2   1 3
#   [2,]   1   0    1    0   0 2
#   [3,]   0   0    1    0   0 1
#   [4,]   0   1    0    0   0 1
#   [5,]   0   3    0    0   2 5
#   [6,]   0   0    0    0   1 1
#   [7,]   0   1    0    0   0 1
#   [8,]   0   0    0    0   0 0
#   > b$raw.gli                          1 5 2 2 4 14
#   > round(b$exp.gli, 6)                0.744124 2.232371 2.232371 2.232371 2.976494 10.417730
#   > round(b$z.nli[,"t"], 6)            0.994650 0.408798 -0.177054 -0.177054 2.166354 -0.177054 -0.177054 -0.762906
WIDE = {"A": 9, "B": 9, "C": 9}


def dated(people: list[str], ends: list[str]) -> pd.DataFrame:
    """Posts at A that end on these days."""
    held = pd.DataFrame({"person_id": people, "organisation_id": "A", "role": "director", "end": pd.to_datetime(ends)})
    return held.assign(start=pd.Timestamp("2020-01-01"))


def test_roles_are_those_of_sna() -> None:
    found = ek.team.brokers(programme(EIGHT, {1: ELEVEN}))
    groups = [*module.ROLES.values(), "all"]
    rows = [row(found, module.BETWEEN_TWO, group) for group in groups]
    assert [each["estimate"] for each in rows] == [1, 5, 2, 2, 4, 14]
    assert [each["expected"] for each in rows] == pytest.approx(
        [0.744124, 2.232371, 2.232371, 2.232371, 2.976494, 10.417730], abs=1e-6
    )
    liaison = rows[4]  # sna's sd of this role is right: 2.322492
    assert (liaison["low"], liaison["high"]) == pytest.approx((0.0, 2.976494 + 1.96 * 2.322492), abs=1e-5)
    assert liaison["interval"] == "range expected by chance"
    assert "expectation ± 1.96 standard deviations" in found.method.source


def test_people_are_those_of_sna_in_the_order_of_the_alphabet_and_stay_with_the_evaluator() -> None:
    found = ek.team.brokers(programme(EIGHT, {1: ELEVEN}), of="people")
    people = found.table[found.table["person_id"] != ""]
    assert people["person_id"].tolist() == ["A1", "A2", "A3", "A4", "B1", "B2", "C1", "C2"]
    assert people["estimate"].tolist() == [3, 2, 1, 1, 5, 1, 1, 0]
    assert people["consultant"].tolist() == [0, 0, 0, 1, 3, 0, 1, 0]
    assert people["z"].tolist() == pytest.approx(
        [0.994650, 0.408798, -0.177054, -0.177054, 2.166354, -0.177054, -0.177054, -0.762906], abs=1e-6
    )
    for audience in (Audience.TEAM, Audience.COMMISSIONER, Audience.PUBLIC):
        with pytest.raises(Refused, match="person_id"):
            protect(found, audience)
    usual = ek.team.brokers(programme(EIGHT, {1: ELEVEN}))
    assert not IDENTIFIERS & {*usual.table.columns, *usual.marks.columns}
    with pytest.raises(ValueError, match="neither organisations nor people"):
        ek.team.brokers(programme(EIGHT, {1: ELEVEN}), of="teams")


def test_organisations_stand_in_the_alphabet_with_how_many_of_theirs_stand_between() -> None:
    found = ek.team.brokers(programme(EIGHT, {1: ELEVEN}))
    held = found.table[found.table["measure"] == module.STANDING]
    assert held["group"].tolist() == ["all", "A Trust", "B Trust", "C Trust"]
    assert list(zip(held["n"], held["out_of"], strict=True)) == [(7, 8), (4, 4), (2, 2), (1, 2)]
    assert "7 of 8 people who answered stand between two others" in found.reading


def test_that_it_hangs_on_a_few_is_said_and_how_few_is_not() -> None:
    """B1 with 5 and A1 with 3 of 13 paths make up half: two of eight, which all would know by name."""
    found = ek.team.brokers(programme(EIGHT, {1: ELEVEN}))
    assert found.headline == "Half of the paths across organisations run through at most 5 of 8 people"
    assert row(found, module.HALF_AT_MOST)["estimate"] == 5
    assert not (found.table["measure"] == module.IN_POST).any()


def test_how_many_of_them_are_still_there() -> None:
    """A1 to A7 stand between B1 and C1, each alone: four of the seven make up half, and all seven stand as often."""
    middle = [f"A{at}" for at in range(1, 8)]
    said = [pair for person in middle for pair in (("B1", person), (person, "C1"))]
    posts = dated([*middle, "A8"], ["2025-12-31", *["2026-12-31"] * 7])
    ten = programme({"A": 12, "B": 2, "C": 2}, {1: said}, posts=posts)
    few = ek.team.brokers(ten)
    assert few.headline.endswith("at most 5 of 16 people")
    many = [f"A{at}" for at in range(1, 12)]
    said = [pair for person in many for pair in (("B1", person), (person, "C1"))]
    posts = dated(many, ["2025-12-31", *["2026-12-31"] * 10])
    found = ek.team.brokers(programme({"A": 12, "B": 2, "C": 2}, {1: said}, posts=posts))
    assert found.headline == "Half of the paths across organisations run through 6 of 16 people"
    still = row(found, module.IN_POST, module.THOSE)
    assert (still["n"], still["out_of"]) == (10, 11)
    assert "10 of 11 were still with the organisation on 31 March 2026" in found.reading
    copy = protect(found, Audience.PUBLIC)  # the one who is not would be told
    assert "still with the organisation" not in copy.reading


def test_whoever_was_merged_is_still_with_the_organisation() -> None:
    many = [f"A{at}" for at in range(1, 12)]
    said = [pair for person in many for pair in (("B1", person), (person, "C1"))]
    organisations = pd.DataFrame(
        {"organisation_id": ["A", "B", "C", "Z"], "name": ["A Trust", "B Trust", "C Trust", "Z Trust"],
         "sector": "council", "successor_id": ["Z", None, None, None],
         "valid_from": pd.to_datetime([None, None, None, "2025-01-01"]),
         "valid_to": pd.to_datetime(["2024-12-31", None, None, None])}
    )  # fmt: skip
    posts = pd.concat(
        [dated(many, ["2024-12-31"] * 11),
         dated(many[:8], [None] * 8).assign(organisation_id="Z", start=pd.Timestamp("2025-01-01"))],  # type: ignore[list-item]
        ignore_index=True,
    )  # fmt: skip
    found = ek.team.brokers(programme({"A": 12, "B": 2, "C": 2}, {1: said}, posts=posts, organisations=organisations))
    still = row(found, module.IN_POST, module.THOSE)
    assert (still["n"], still["out_of"]) == (8, 11)


def test_only_those_who_answered_are_read_at_the_last_wave_unless_another_is_asked_for() -> None:
    said = [tie for tie in ELEVEN if tie[0] != "B1"]
    made = programme(EIGHT, {1: ELEVEN, 2: said}, silent={2: ["B1"]})
    found = ek.team.brokers(made)
    assert (found.about.n, found.about.of) == (7, 8)
    assert row(found, module.STANDING)["out_of"] == 7
    assert ek.team.brokers(made, wave=1).about.n == 8
    with pytest.raises(NotEnoughEvidence, match="Wave 3 cannot be read") as refused:
        ek.team.brokers(made, wave=3)
    assert "1 and 2" in refused.value.would_answer
    made.as_of = date(2025, 9, 1)
    assert ek.team.brokers(made).about.n == 8


@pytest.mark.parametrize("size", [1, 2])
def test_one_person_or_two_are_refused(size) -> None:
    sizes = {"A": 1, "B": size - 1} if size > 1 else {"A": 1, "B": 1}
    quiet = [] if size > 1 else ["B1"]
    with pytest.raises(NotEnoughEvidence, match="fewer than three people of two organisations answered"):
        ek.team.brokers(programme(sizes, {1: pairs("A1 B1")}, silent={1: quiet}))


def test_nobody_stands_between_where_every_path_is_closed() -> None:
    sizes = {"A": 3, "B": 2}
    found = ek.team.brokers(programme(sizes, {1: everybody(sizes, keep=1)}))
    assert found.headline == "None of 5 people who answered stands between organisations"
    assert found.table.loc[found.table["measure"] == module.BETWEEN_TWO, "estimate"].eq(0).all()


def test_the_drawing_bears_no_name_and_no_size() -> None:
    sizes = {"A": 12, "B": 9, "C": 7, "D": 2}
    made = programme(sizes, {1: everybody(sizes, keep=5)})
    found = ek.team.brokers(made)
    drawn = found.marks[found.marks["mark"].isin(["dot", "link"])]
    assert not any(f"{name} Trust" in found.alt + found.svg() for name in sizes)
    assert not {f"{name} Trust" for name in sizes} & {*drawn["x"].astype(str), *drawn["series"].astype(str)}
    assert set(drawn["n"]) == {2, 5}, "no dot tells how many its organisation has, but that they are enough"
    assert (drawn.loc[drawn["mark"] == "link", "y"] % 1 == 0).all()
    assert "4 dots without names; a line joins 6 of 6 pairs" in found.alt
    (told,) = ties.read(made, "trust", "?").waves.values()
    assert f"{max(module._links(told).values()):.0f} of every 100" in found.alt
    copy = protect(found, Audience.PUBLIC)
    assert "3 dots without names; a line joins 3 of 3 pairs" in copy.alt
    assert "of pairs of organisations with 5 or more who answered, 3 of 3 have a tie" in copy.reading


def test_dots_are_dealt_by_the_seed_and_by_what_only_the_data_know() -> None:
    sizes = dict.fromkeys("ABCDEFG", 5)
    made = programme(sizes, {1: everybody(sizes, keep=5)})
    (told,) = ties.read(made, "trust", "?").waves.values()
    deals = {tuple(module._dealt(told, seed)) for seed in range(8)}
    assert len(deals) > 1
    other = [tie for tie in everybody(sizes, keep=5) if tie != ("A1", "A2")][1:]
    (again,) = ties.read(programme(sizes, {1: other}), "trust", "?").waves.values()
    assert module._dealt(told, 1) != module._dealt(again, 1)
    assert module._dealt(told, 1) == module._dealt(told, 1)


@given(st.lists(st.integers(1, 7), min_size=2, max_size=5), st.integers(2, 9))
def test_whatever_the_sizes_no_organisation_of_few_is_told(sizes, keep) -> None:
    named = dict(zip("ABCDE", sizes, strict=False))
    said = everybody(named, keep)
    if sum(sizes) < 3 or not said:
        return
    found = ek.team.brokers(programme(named, {1: said}))
    paths = found.table.query("measure == @module.BETWEEN_TWO").set_index("group")["estimate"]
    assert paths["all"] == paths.drop("all").sum()
    copy = protect(found, Audience.PUBLIC)
    held = copy.table[(copy.table["measure"] == module.STANDING) & (copy.table["group"] != "all")]
    for each in held.to_dict("records"):
        if named[each["group"][0]] < 5:
            assert each["interval"] == "withheld"
    dots = copy.marks[copy.marks["mark"] == "dot"]
    assert len(dots) <= sum(size >= 5 for size in sizes)
    outside = sum(sizes) - max(sizes)
    if outside < 5:
        assert copy.headline == "Withheld: too few people to show"
        assert dots.empty


@pytest.mark.parametrize("sizes", [{"A": 20, "B": 1}, {"A": 20, "B": 3}, {"A": 2, **dict.fromkeys("BCDEFGHIJK", 1)}])
def test_what_one_or_a_few_said_is_told_to_nobody_else(sizes) -> None:
    said, few = everybody(sizes), "A" if sizes["A"] == 2 else "B"
    other = [tie for tie in said if not tie[0].startswith(few)]
    versions = [ek.team.brokers(programme(sizes, {1: each})) for each in (said, other)]
    assert not versions[0].table["estimate"].equals(versions[1].table["estimate"])
    for audience in (Audience.TEAM, Audience.PUBLIC):
        shown = [protect(each, audience) for each in versions]
        assert shown[0].headline == "Withheld: too few people to show"
        assert not shown[0].marks["mark"].isin(["dot", "link"]).any()
        assert shown[0].reading == shown[1].reading
        if few == "B":
            assert seen(versions[0], audience) == seen(versions[1], audience)


def test_two_organisations_of_one_name_are_kept_apart() -> None:
    organisations = pd.DataFrame({"organisation_id": ["A", "B", "C"], "name": ["Trust", "Trust", "C Trust"],
                                  "sector": "council"})  # fmt: skip
    found = ek.team.brokers(programme(EIGHT, {1: ELEVEN}, organisations=organisations))
    groups = found.table.loc[found.table["measure"] == module.STANDING, "group"].tolist()
    assert groups == ["all", "C Trust", "Trust (A)", "Trust (B)"]


def test_northmere_answers_in_the_alphabet() -> None:
    found = ek.team.brokers(ek.load(folder("sample_data/northmere")))
    groups = found.table.loc[found.table["measure"] == module.STANDING, "group"].tolist()[1:]
    assert groups == sorted(groups)
    assert found.about.asked == "team.brokers(relation='trust', wave=4, of='organisations', seed=1)"
    assert "Under 80% answered at wave 4" in found.caveats[0]
