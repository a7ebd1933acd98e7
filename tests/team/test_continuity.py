"""team.continuity: posts left for every 100 person-years, and who is still in the team. By hand and against R."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.terms import Audience

ORGANISATIONS = pd.DataFrame(
    {
        "organisation_id": ["A", "B", "C"],
        "name": ["Council", "Hospital", "Clinic"],
        "successor_id": [None, None, "B"],
        "valid_to": pd.to_datetime([None, None, "2024-09-30"]),
    }
)
START, NOW = date(2024, 4, 1), date(2026, 3, 31)
NEXT = "Posts left, by what came next"
STILL, IN_POST = "Still in the post held at the start", "Years in post now, median"
MEMBERS, JOINED, HALVED = (
    "Still in the team",
    "Joined the team since, of those in it at the end",
    "Teams that kept half or fewer",
)
ELSEWHERE, INSIDE = "a post in another organisation", "another post in the same organisation"
NOTHING = "no further post on record"

Post = tuple[str, str, str | None, str | None, str | None]
Seat = tuple[str, str, str | None, str | None]


def asked(
    posts: list[Post] | None = None,
    seats: list[Seat] | None = None,
    *,
    minimum: int = 1,
    starts: date | None = START,
    kinds: dict[str, str] | None = None,
    waves: tuple[str, ...] = ("2024-04-30", "2025-10-31"),
) -> Programme:
    posts, seats = posts or [], seats or []
    people = sorted({row[0] for row in (*posts, *seats)})
    kind = [(kinds or {}).get(who, "participant") for who in people]
    leaders = [who for who, what in zip(people, kind, strict=True) if what == "participant"]
    arms = ["comparison" if who.startswith("X") else "programme" for who in leaders]
    tables = {
        "organisations": ORGANISATIONS,
        "people": pd.DataFrame({"person_id": people, "kind": kind}),
        "participants": pd.DataFrame({"participant_id": leaders, "arm": arms}),
        "places": pd.DataFrame({"place_id": ["P1", "P9"], "name": ["Ash", "Elm"], "arm": ["programme", "comparison"]}),
        "teams": pd.DataFrame({"team_id": ["T1", "T2", "T9"], "place_id": ["P1", "P1", "P9"],
                               "tier": ["micro", "macro", None]}),
        "waves": pd.DataFrame({"wave": pd.array(range(1, len(waves) + 1), dtype="Int64"),
                               "closes_on": pd.to_datetime([*waves])}),
    }  # fmt: skip
    if posts:
        held = pd.DataFrame(posts, columns=["person_id", "organisation_id", "role", "start", "end"])
        tables["posts"] = held.assign(start=pd.to_datetime(held["start"]), end=pd.to_datetime(held["end"]))
    if seats:
        sat = pd.DataFrame(seats, columns=["person_id", "team_id", "start", "end"])
        tables["memberships"] = sat.assign(start=pd.to_datetime(sat["start"]), end=pd.to_datetime(sat["end"]))
    settings = Settings(name="Testmere", starts_on=starts, as_of=NOW, fictional=True, minimum_group=minimum)
    return Programme.build(settings=settings, tables=tables)


def row(found: Result, measure: str, group: str = "all") -> dict[str, Any]:
    (told,) = found.table.query("measure == @measure and group == @group").to_dict("records")
    return told


def came_next(found: Result) -> dict[str, int]:
    rows = found.table[found.table["measure"] == NEXT]
    return dict(zip(rows["group"], rows["n"], strict=True))


POSTS: list[Post] = [
    ("a", "C", "chief", "2020-01-01", "2024-09-30"),  # merged into B: the same post goes on
    ("a", "B", "chief", "2024-10-01", None),
    ("b", "A", "chief", None, "2025-03-31"),  # moved
    ("b", "B", "chief", "2025-06-01", None),
    ("c", "A", "officer", "2023-04-01", "2025-03-31"),  # another part in the same body
    ("c", "A", "chief", "2025-04-01", None),
    ("d", "A", "officer", "2024-04-01", "2026-03-30"),  # left, and nothing after
    ("e", "A", "officer", "2025-04-01", "2026-03-31"),  # in post on the last day
    ("f", "A", "officer", "2020-01-01", "2024-03-31"),  # had left before
    ("X1", "A", "officer", "2023-04-01", "2025-03-31"),
]


def test_posts_left_and_what_came_next_by_hand():
    found = ek.team.continuity(asked(POSTS))
    days = 730 + (365 + 304) + 730 + 729 + 365  # a, b (two months without), c, d, e
    left = row(found, "Posts left")
    assert (left["n"], left["person_years"]) == (3, pytest.approx(days / 365.25))
    assert left["estimate"] == pytest.approx(100 * 3 / (days / 365.25))
    assert came_next(found) == {ELSEWHERE: 1, INSIDE: 1, NOTHING: 1}
    still = row(found, STILL)
    assert (still["n"], still["out_of"], still["interval"]) == (1, 4, "95% confidence")
    assert found.reading.startswith(
        "3 posts left, 34.0 for every 100 person-years (7.0 to 99.4, 95% confidence), since"
    )
    assert "Posts are on record for 5 of 6 leaders, sponsors and partners." in found.caveats


def test_rates_and_shares_are_those_of_r():
    """R 4.2.2: poisson.test(3, 8) gives 0.375, 0.07733401536 to 1.09590913372; prop.test(4, 6, correct = FALSE) gives
    0.2999933151 to 0.9032285889."""
    posts: list[Post] = [(f"p{at}", "A", "chief", None, "2025-03-31" if at < 3 else None) for at in range(6)]
    posts += [("q", "A", "chief", "2025-04-01", None)]
    found = ek.team.continuity(
        asked(posts, [(f"p{at}", "T1", None, "2024-12-31" if at < 2 else None) for at in range(6)])
    )
    left, years = row(found, "Posts left"), row(found, "Posts left")["person_years"]
    assert [left[end] * years / 8 for end in ("estimate", "low", "high")] == pytest.approx(
        [37.5, 7.733401536, 109.590913372], rel=1e-9
    )
    stay = row(found, MEMBERS)
    assert (stay["n"], stay["out_of"]) == (4, 6)
    assert (stay["low"], stay["high"]) == pytest.approx((29.99933151, 90.32285889), rel=1e-9)
    wide = row(ek.team.continuity(asked(posts), confidence=0.99), "Posts left")
    assert wide["low"] < left["low"]
    assert wide["interval"] == "99% confidence"


@pytest.mark.parametrize(("second", "left"), [
    (("a", "B", "chief", "2024-10-01", None), {}),  # the merged body, the same part
    (("a", "B", "chief", "2024-09-30", None), {}),  # written on the same day
    (("a", "B", None, "2024-10-01", None), {}),  # what part is not said
    (("a", "B", "officer", "2024-10-01", None), {INSIDE: 1}),
    (("a", "A", "chief", "2024-10-01", None), {ELSEWHERE: 1}),
    (("a", "B", "chief", "2024-12-01", None), {INSIDE: 1}),  # two months between
    (("a", "A", "chief", None, None), {ELSEWHERE: 1}),  # two posts at once, one given up
    (("a", "A", "chief", "2026-04-01", None), {NOTHING: 1}),  # not known yet
])  # fmt: skip
def test_a_merger_is_no_move_and_a_move_is(second, left):
    found = ek.team.continuity(asked([("a", "C", "chief", "2020-01-01", "2024-09-30"), second]))
    assert {group: n for group, n in came_next(found).items() if n} == left
    assert row(found, "Posts left")["n"] == len(left)


def test_two_posts_at_once_are_one_persons_time():
    both: list[Post] = [("a", "A", "chief", None, None), ("a", "B", "chief", "2024-06-01", None)]
    assert row(ek.team.continuity(asked(both)), "Posts left")["person_years"] == pytest.approx(730 / 365.25)


def test_long_ago_is_longer_than_any_day_on_record():
    since: list[Post] = [(f"p{at}", "A", None, day, None) for at, day in
                         enumerate(["2025-03-31", "2024-03-31", "2023-03-31", "2022-03-31", None])]  # fmt: skip
    found = ek.team.continuity(asked(since))
    now = row(found, IN_POST)
    assert (now["n"], now["interval"]) == (5, "middle half")
    years = [days / 365.25 for days in (365 + 365 + 366, 365 + 365, 4 * 365 + 1)]
    assert [now[end] for end in ("estimate", "low", "high")] == pytest.approx(years)
    assert row(found, "In post since long ago")["n"] == 1
    most = ek.team.continuity(asked([*since[:2], *((f"q{at}", "A", None, None, None) for at in range(3))]))
    assert pd.isna(row(most, IN_POST)["estimate"])
    assert "years ago" not in most.reading


SEATS: list[Seat] = [
    ("a", "T1", None, None),
    ("b", "T1", "2024-04-01", "2025-10-30"),
    ("c", "T1", "2024-04-01", "2025-10-31"),
    ("c", "T2", "2024-04-01", "2024-12-31"),
    ("c", "T2", "2025-02-01", None),  # away between the waves
    ("d", "T2", "2024-04-30", "2024-12-31"),
    ("e", "T1", "2024-05-01", None),
    ("e", "T9", None, None),
    ("X1", "T1", None, None),
]


def test_members_at_two_waves_by_hand():
    found = ek.team.continuity(asked(seats=SEATS))
    assert found.headline == "3 of 5 team members still there after 18 months"
    assert [row(found, "Still in the team, by tier", tier)["n"] for tier in ("micro", "macro")] == [2, 1]
    joined, halved = row(found, JOINED), row(found, HALVED)
    assert (joined["n"], joined["out_of"]) == (1, 4)
    assert (halved["n"], halved["out_of"], halved["sign"]) == (1, 2, "uncertain")  # c stayed in T2 and d did not
    assert halved["ask"] == "Half or fewer of the first members are left in 1 of 2 teams: what do others need to know?"
    assert row(found, "Posts left")["sign"] == "not recorded"


def test_the_first_wave_is_the_first_with_anybody_in_a_team():
    found = ek.team.continuity(
        asked(seats=[("a", "T1", "2024-06-01", None)], waves=("2024-04-30", "2024-10-31", "2025-10-31"))
    )
    assert found.headline == "1 of 1 team members still there after 12 months"
    assert row(found, HALVED)["sign"] == "working"


def test_it_works_with_either_part_and_refuses_neither():
    posts = ek.team.continuity(asked(POSTS))
    assert row(posts, MEMBERS)["sign"] == "not recorded"
    assert posts.headline.startswith("3 posts left, ")
    unknown = ek.team.continuity(asked(POSTS, SEATS, starts=None))
    assert row(unknown, "Posts left")["sign"] == "not recorded"  # since when is not known
    assert row(ek.team.continuity(asked(POSTS, starts=None), since=START), "Posts left")["n"] == 3
    for programme in (asked([("a", "A", None, None, "2024-01-31")], [("a", "T9", None, None)]),
                      asked(seats=SEATS, waves=("2024-04-30",)), asked(POSTS, starts=date(2026, 6, 1)),
                      asked(POSTS, kinds={row[0]: "other" for row in POSTS})):  # fmt: skip
        with pytest.raises(ek.NotEnoughEvidence, match="does not say that there was none"):
            ek.team.continuity(programme)


def test_a_part_of_the_programme_speaks_of_its_own_leaders():
    programme = ek.load(folder("sample_data") / "northmere")
    part = programme.only(place="P01")
    found = ek.team.continuity(part)
    assert f"of {len(part.participants)} leaders" in found.reading
    assert len(part.participants) < len(part.people)


def test_nothing_after_the_day_counts():
    programme = asked(POSTS, SEATS, waves=("2024-04-30", "2024-10-31", "2026-03-01"))
    programme.as_of = date(2025, 3, 31)
    found = ek.team.continuity(programme)
    assert row(found, "Posts left")["n"] == 0  # b and c hold theirs on that day
    assert row(found, MEMBERS)["out_of"] == 5
    assert found.headline.endswith("after 6 months")
    assert (
        ek.team.continuity(asked(POSTS), until=date(2025, 4, 30)).about.asked
        == "team.continuity(until=date(2025, 4, 30))"
    )


def test_kinds_of_people_stand_apart_where_none_is_of_very_few():
    posts: list[Post] = [
        (f"{kind}{at}", "A", None, None, "2025-01-31" if at < 5 else None) for kind in "ls" for at in range(9)
    ]
    kinds = {f"s{at}": "sponsor" for at in range(9)}
    found = ek.team.continuity(asked(posts, minimum=5, kinds=kinds))
    assert [row(found, "Posts left, by whom", kind)["n"] for kind in ("leaders", "sponsors")] == [5, 5]
    few = ek.team.continuity(asked(posts[:-5], minimum=5, kinds=kinds))
    assert not (few.table["measure"] == "Posts left, by whom").any()
    assert "Posts are not told by kind of person: of one kind there are very few." in few.caveats


def test_very_few_people_are_not_told():
    nobody = ek.team.continuity(asked(POSTS, minimum=9))
    assert nobody.table["n"].isna().all()
    assert nobody.headline == "Posts are on record for very few people, and what became of them is not given"
    many: list[Post] = [(f"p{at}", "A", None, None, "2025-01-31" if at < 3 else None) for at in range(20)]
    found = ek.team.continuity(asked(many, minimum=5))
    assert pd.isna(row(found, STILL)["n"])  # 17 of 20 would tell the three
    copy = protect(found, Audience.PUBLIC)
    assert copy.headline == "Withheld: too few people to show"
    assert not (copy.table["n"] == 3).any()
    assert "3 posts" not in copy.reading
    seats: list[Seat] = [(f"p{at}", "T1", "2024-04-01" if at < 12 else "2024-06-01", None if at > 8 else "2025-01-31")
                         for at in range(20)]  # fmt: skip
    stayed = ek.team.continuity(asked(seats=seats, minimum=5))
    assert row(stayed, MEMBERS)["n"] == 3
    assert pd.isna(row(stayed, JOINED)["n"])  # 8 of 11 would tell the three


day = st.dates(date(2023, 1, 1), date(2026, 6, 30))
spells = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("ABC"), day, st.integers(0, 500) | st.none()),
                  min_size=1, max_size=7, unique_by=lambda spell: (spell[0], spell[1], spell[2]))  # fmt: skip


@given(spells)
def test_every_post_left_has_one_next_and_time_is_counted_day_by_day(drawn):
    ends = [None if many is None else first + timedelta(days=many) for _, _, first, many in drawn]
    posts: list[Post] = [(who, body, None, str(first), None if last is None else str(last))
                         for (who, body, first, _), last in zip(drawn, ends, strict=True)]  # fmt: skip
    held = {(who, on) for (who, _, first, _), last in zip(drawn, ends, strict=True)
            for on in pd.date_range(max(first, START), min(NOW, last or NOW))}  # fmt: skip
    if not held:
        with pytest.raises(ek.NotEnoughEvidence):
            ek.team.continuity(asked(posts))
        return
    found = ek.team.continuity(asked(posts))
    left = row(found, "Posts left")
    assert left["person_years"] == pytest.approx(len(held) / 365.25)
    assert sum(came_next(found).values()) == left["n"]
    over = sum(last is not None and START <= last < NOW for last in ends)
    assert left["n"] <= over


def test_northmere_is_as_planted_and_by_hand():
    """R 4.2.2: 37 posts in 290.2094 person-years by Byar's formula (Breslow and Day 1987, p. 69), 8.975574 to 17.573886
    for every 100; prop.test(132, 150, correct = FALSE) 81.82916 to 92.27310."""
    found = ek.team.continuity(ek.load(folder("sample_data") / "northmere"))
    left, stay = row(found, "Posts left"), row(found, MEMBERS)
    assert (left["n"], left["low"], left["high"]) == (
        37,
        pytest.approx(8.975574, rel=1e-6),
        pytest.approx(17.57389, rel=1e-6),
    )
    assert (stay["low"], stay["high"]) == pytest.approx((81.82916, 92.27310), rel=1e-6)
    assert row(found, STILL)["estimate"] == pytest.approx(78.2, abs=10.2)  # planted: three standard errors of 150
