"""plan.numbers: what was given outright, what a programme's tables hold, and what stands for what nobody gave."""

from __future__ import annotations

import math
import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest

import evalkit as ek
from evalkit.periods import months_between
from evalkit.plan.numbers import Numbers, numbers
from evalkit.plan.sizes import SIZES, visible


def programme(
    folder: Path, settings: str = "starts_on = 2024-04-01\nas_of = 2026-03-31", **tables: str
) -> ek.Programme:
    """A folder of what is given and nothing else."""
    (folder / "programme.toml").write_text(f'schema = 1\nname = "Testmere (FICTIONAL)"\nfictional = true\n{settings}\n')
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    return ek.load(folder)


PLACES = "place_id,name,arm,start\nP1,Ash,programme,2024-04-01\nP2,Beech,programme,2024-04-01\nP3,Cedar,comparison,\n"
LEADERS = "participant_id,team_id,arm\nL1,T1,\nL2,T1,programme\nL3,T1,\nL4,T2,\nL5,,\nL6,T2,comparison\n"
TEAMS = "team_id,name,place_id\nT1,One,P1\nT2,Two,P2\n"
PEOPLE = "person_id,kind\n" + "".join(f"L{n},participant\n" for n in range(1, 7))
COUNTS = "measure,place_id,period,count\n" + "".join(
    f"{measure},{place},{month},{count}\n"
    for measure, counts in (("discharge_delays", (10, 30)), ("emergency_admissions_65_plus", (4, 6)))
    for place, times in (("P1", 1), ("P2", 2), ("P3", 100))
    for month, count in zip(("2024-02", "2024-05"), (counts[0] * times, counts[1] * times), strict=True)
)


@pytest.fixture
def small(tmp_path: Path) -> ek.Programme:
    return programme(tmp_path, places=PLACES, participants=LEADERS, people=PEOPLE, teams=TEAMS, outcomes=COUNTS)


def test_a_programme_is_counted_without_those_who_are_compared_with(small):
    found = numbers(small)
    assert (found.leaders, found.teams, found.team_size) == (5, 2, 2.0)  # four of the five in two teams
    assert (found.places, found.comparison) == (2, 1)
    assert (found.months, found.before) == (24, 1)
    assert found.assumed == ()
    assert found.said == ()


def test_events_are_those_of_a_place_of_the_programme_and_month(small):
    assert numbers(small).monthly == (10 + 30 + 20 + 60) / 4  # the first measure, for none was declared
    assert numbers(small, measure="emergency_admissions_65_plus").monthly == (4 + 6 + 8 + 12) / 4
    assert numbers(small).seasonal
    assert not numbers(small, measure="residential_admissions_65_plus").seasonal


def test_the_measure_that_decides_is_counted_first(tmp_path):
    text = "starts_on = 2024-04-01\n[plan.primary]\npopulation = 'emergency_admissions_65_plus'"
    found = numbers(programme(tmp_path, text, places=PLACES, outcomes=COUNTS))
    assert found.monthly == 7.5


def test_of_a_measure_without_figures_the_usual_number_is_assumed_and_said(small):
    found = numbers(small, measure="residential_admissions_65_plus")
    assert (found.monthly, found.before) == (300, 36)
    assert found.taken_as == "36 months of figures before the start and 300 events a place and month"


def test_no_figures_before_the_start_are_none_and_not_the_usual_three_years(tmp_path):
    late = "measure,place_id,period,count\ndischarge_delays,P1,2024-05,7\n"
    found = numbers(programme(tmp_path, places=PLACES, outcomes=late))
    assert (found.before, found.monthly) == (0, 7)


def test_what_is_given_goes_before_what_is_counted(small):
    found = numbers(small, leaders=40, months=12, comparison=0)
    assert (found.leaders, found.months, found.comparison, found.places) == (40, 12, 0, 2)
    assert found.said == ("leaders=40", "months=12", "comparison=0")


def test_a_team_has_the_leaders_that_were_given_not_those_counted(small):
    assert numbers(small, leaders=40).team_size == 20
    assert numbers(small, leaders=40, team_size=7).team_size == 7
    assert numbers(None, leaders=30, teams=4).team_size == 7.5
    assert numbers(None, teams=4).team_size == 6
    assert numbers(None, teams=4).assumed == ("team_size",)


def test_more_teams_than_leaders_are_refused():
    with pytest.raises(ValueError, match="9 teams cannot be made of 3 leaders"):
        numbers(None, leaders=3, teams=9)


def test_a_programme_without_start_or_places_leaves_out_what_needs_them(tmp_path):
    found = numbers(programme(tmp_path, "as_of = 2026-03-31", participants=LEADERS, people=PEOPLE, teams=TEAMS))
    assert found.leaders == 5
    assert (found.places, found.comparison, found.months, found.before, found.monthly) == (None,) * 5


def test_a_programme_that_begins_today_has_had_no_months_and_one_to_come_none_known(tmp_path):
    assert numbers(programme(tmp_path, "starts_on = 2024-04-01\nas_of = 2024-04-01")).months == 0


def test_only_places_to_compare_with_are_no_programme_places(tmp_path):
    found = numbers(programme(tmp_path, places="place_id,name,arm\nP1,Ash,comparison\n"))
    assert (found.places, found.comparison) == (None, 1)


def test_nothing_is_assumed_before_it_is_needed():
    assert numbers(None, leaders=8) == Numbers(leaders=8, said=("leaders=8",))
    assert numbers(None, months=12).assumed == ("before", "monthly")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"leaders": 0}, "leaders=0 is too small: 1 or more"),
        ({"leaders": -3}, "leaders=-3 is too small"),
        ({"months": -1}, "months=-1 is too small: 0 or more"),
        ({"leaders": 8.5}, "leaders=8.5 must be a whole number"),
        ({"places": math.nan}, "is no number"),
        ({"months": math.inf}, "is no number"),
        ({"teams": "six"}, "teams='six' is no number. Write it in figures, such as teams=8"),
        ({"leaders": True}, "is no number"),
        ({"monthly": 0}, "monthly=0 is too small: above 0"),
        ({"team_size": 0.5}, "a team has one leader or more"),
    ],
)
def test_numbers_that_cannot_be_are_refused_and_the_refusal_teaches(given, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        numbers(None, **given)


def test_whole_numbers_of_any_kind_are_taken():
    assert numbers(None, leaders=np.int64(8)).leaders == numbers(None, leaders=8.0).leaders == 8
    assert numbers(None, months=0, comparison=0, before=0).months == 0
    assert numbers(None, team_size=6.25).team_size == 6.25


def test_the_numbers_are_said_in_words():
    found = numbers(None, leaders=1, teams=1, places=3, comparison=0, months=18)
    assert found.given == "1 leader, 1 team, 3 programme places, no comparison places and 18 months from the start"
    assert numbers(None).given == ""


def test_months_are_counted_to_the_nearest():
    assert [
        months_between(date(2024, 4, 1), date.fromisoformat(day)) for day in ("2024-04-01", "2025-04-01", "2024-03-01")
    ] == [
        0,
        12,
        -1,
    ]


def test_sizes_have_their_limits_on_the_better_side():
    assert [visible(at, "difference") for at in (0.2, 0.5, 0.8, 1.2, math.nan)] == list(SIZES)
    assert [visible(at, "ratio") for at in (0.95, 1.1, 0.8, 0.79, math.nan)] == list(SIZES)
