"""individual.dose: how change goes with coming is described beside what else differs; nobody is told by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.individual.dose import ALIKE, APART, CHANGED, HOUR, LITTLE, MUCH, SESSION, dose
from evalkit.instrument import shipped
from evalkit.programme import Programme
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.stats import change, multiplicity
from evalkit.terms import Attribution, Audience, Verdict
from tests.individual.rated import alike, programme, rows

FRAMEWORK = "system_leadership"
LEADERSHIP = shipped()[FRAMEWORK]
DOMAIN = "innovation"
ITEMS = [item.key for item in LEADERSHIP.items if item.domain == DOMAIN]
OTHER = [item.key for item in LEADERSHIP.items if item.domain == "learning"]
OFFERED = 10

CAME = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 2, 4, 6, 8]
MOVED = [0, 1, 0, 0, 1, 1, 2, 0, 1, 2, 1, 0, 1, 1]
FIRST = [3, 2, 3, 4, 2, 3, 2, 4, 3, 2, 2, 4, 3, 3]
TEAM = "AABBCCDDEEFFAB"


def sessions(days: int = OFFERED, **columns: Sequence[Any]) -> pd.DataFrame:
    """Sessions D00, D01, … held ten days apart from May 2024, which lie between the first two waves."""
    held = pd.Timestamp("2024-05-10") + pd.to_timedelta(np.arange(days) * 10, unit="D")
    return pd.DataFrame({"session_id": [f"D{at:02d}" for at in range(days)], "held_on": held, **columns})


def register(came: Mapping[str, set[int]], days: int = OFFERED, *, only_came: bool = False) -> pd.DataFrame:
    """Who came to which of the sessions; the others were invited, or are not written down."""
    found = [
        {"session_id": f"D{day:02d}", "person_id": leader, "status": "attended" if day in there else "invited"}
        for leader, there in came.items()
        for day in range(days)
        if day in there or not only_came
    ]
    return pd.DataFrame(found, columns=["session_id", "person_id", "status"])


def held(
    came: Sequence[int],
    moved: Sequence[int],
    first: Sequence[int],
    *,
    team: str = "",
    tables: Mapping[str, pd.DataFrame] | None = None,
    others: Mapping[str, int] | None = None,
    only_came: bool = False,
    **told: Any,
) -> Programme:
    """Leaders L00, L01, … who began at `first`, changed by `moved` and came to the first so many sessions."""
    names = [f"L{at:02d}" for at in range(len(came))]
    given = {
        name: {1: alike(ITEMS, began), 2: alike(ITEMS, began + more)}
        for name, began, more in zip(names, first, moved, strict=True)
    } | {name: {1: alike(ITEMS, 3.0), 2: alike(ITEMS, 3.0 + more)} for name, more in (others or {}).items()}
    listed = {name: set(range(many)) for name, many in zip(names, came, strict=True)}
    return programme(
        rows(FRAMEWORK, given),
        teams=dict(zip(names, team, strict=True)) if team else None,
        tables={"sessions": sessions(), "attendance": register(listed, only_came=only_came), **(tables or {})},
        **told,
    )


@cache
def fourteen() -> Programme:
    """The fourteen leaders above, in no team."""
    return held(CAME, MOVED, FIRST)


def row(found: Result, what: str, group: str = "all") -> pd.Series:
    table = found.table
    kept = table[(table["what"] == what) & (table["group"] == group)]
    assert len(kept) == 1, (what, group)
    return kept.iloc[0]


@pytest.fixture(scope="module")
def found() -> Result:
    return dose(fourteen(), domain=DOMAIN)


@pytest.fixture(scope="module")
def northmere() -> Programme:
    return ek.load(folder("sample_data") / "northmere")


GOLDEN = {
    "team": {SESSION: (0.1252595156, -0.0090401208, 0.2595591519), ALIKE: (0.1343042071, 0.1136478748, 0.1549605395)},
    "person": {SESSION: (0.1252595156, -0.0152488550, 0.2657678861), ALIKE: (0.1343042071, 0.0935940859, 0.1750143283)},
}
"""R 4.2.2, clubSandwich 0.5.8, of the fourteen leaders above: conf_int(lm(moved ~ came), vcov = "CR2", cluster = team,
test = "Satterthwaite")["came", ], then lm(moved ~ came + first), then both with cluster = seq_along(came)."""


@pytest.mark.parametrize("by", ["team", "person"])
@pytest.mark.parametrize("what", [SESSION, ALIKE])
def test_slopes_are_those_of_cr2_in_r(by: str, what: str) -> None:
    told = row(dose(held(CAME, MOVED, FIRST, team=TEAM if by == "team" else ""), domain=DOMAIN), what)
    assert (told["estimate"], told["low"], told["high"]) == pytest.approx(GOLDEN[by][what], abs=1e-9)
    assert told["unit"] == "points a session"


def test_two_teams_are_counted_by_person_and_few_teams_are_said() -> None:
    two = dose(held(CAME, MOVED, FIRST, team="AB" * 7), domain=DOMAIN)
    assert row(two, SESSION)["low"] == pytest.approx(GOLDEN["person"][SESSION][1], abs=1e-9)
    four = dose(held(CAME, MOVED, FIRST, team="ABCD" * 3 + "AB"), domain=DOMAIN)
    assert any("These leaders come from 4 teams" in said for said in four.caveats)


def test_bands_are_parted_at_half_of_what_was_offered_not_at_the_median(found: Result) -> None:
    little = [more for many, more in zip(CAME, MOVED, strict=True) if many <= OFFERED / 2]
    much = [more for many, more in zip(CAME, MOVED, strict=True) if many > OFFERED / 2]
    for group, own in ((LITTLE, little), (MUCH, much)):
        told, paired = row(found, CHANGED, group), change.paired([0.0] * len(own), own)
        assert told["n"] == len(own)
        assert (told["estimate"], told["low"], told["high"]) == pytest.approx(
            (paired.estimate, paired.low, paired.high)
        )
    apart = change.two_groups(little, much)
    assert row(found, APART)["estimate"] == pytest.approx(apart.estimate)
    assert row(found, CHANGED, LITTLE)["sessions"] == pytest.approx(np.mean([many for many in CAME if many <= 5]))


def test_it_says_what_differs_and_never_why(found: Result) -> None:
    assert (found.verdict, found.attribution) == (Verdict.DESCRIBED, Attribution.CANNOT_TELL)
    assert found.caveats[:2] == (
        "Those who came more differ in other ways, such as keenness, post or health: this does not say what coming "
        "does.",
        "Coming less may follow from changing less.",
    )
    written = " ".join([found.headline, found.reading, found.alt, *found.caveats, found.method.name, found.decided.why])
    assert "dose" not in written.lower()
    assert "For each further session leaders came to, the change on the Systems Leadership" in found.reading
    assert "Among leaders who began at the same score it was 0.13 points higher" in found.reading


def test_the_headline_follows_the_interval() -> None:
    steep = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 0, 1, 1, 2]
    rose = dose(held(CAME, steep, [2] * 14), domain=DOMAIN)
    assert rose.headline.startswith("The more leaders came, the higher their change: ")
    fell = dose(held(CAME, [2 - each for each in steep], [2] * 14), domain=DOMAIN)
    assert fell.headline.startswith("The more leaders came, the lower their change: ")
    flat = dose(fourteen(), domain=DOMAIN)
    assert flat.headline.startswith("Those who came more did not clearly change more or less: ")


def test_where_all_began_alike_the_slope_among_those_is_left_out() -> None:
    assert ALIKE not in set(dose(held(CAME, MOVED, [2] * 14), domain=DOMAIN).table["what"])


def test_where_change_follows_coming_exactly_there_is_no_interval() -> None:
    found = dose(held([0, 1, 2, 0, 1, 2], [0, 1, 2, 0, 1, 2], [2, 3, 2, 3, 2, 2]), domain=DOMAIN)
    assert row(found, SESSION)["estimate"] == pytest.approx(1.0)
    assert row(found, SESSION)["interval"] == "none given"
    assert "no interval given" in found.headline


def test_hours_are_minutes_where_noted_else_those_of_the_session() -> None:
    """Sessions last two hours; minutes of the first are noted as half of that: a leader at k was there 2k - 1 hours."""
    came = [1, 2, 3, 4, 5, 6, 7]
    attendance = register({f"L{at:02d}": set(range(many)) for at, many in enumerate(came)})
    first = (attendance["session_id"] == "D00") & (attendance["status"] == "attended")
    attendance["minutes"] = pd.Series(pd.NA, index=attendance.index, dtype="Int64").mask(first, 60)
    tables = {"sessions": sessions(hours=[2.0] * OFFERED), "attendance": attendance}
    found = dose(held(came, [0, 1, 0, 1, 1, 2, 1], [2] * 7, tables=tables), domain=DOMAIN)
    assert row(found, HOUR)["estimate"] == pytest.approx(row(found, SESSION)["estimate"] / 2)
    assert row(found, HOUR)["unit"] == "points an hour"
    tables["sessions"] = sessions(hours=[2.0] * 6 + [None] * 4)
    less = dose(held(came, [0, 1, 0, 1, 1, 2, 1], [2] * 7, tables=tables), domain=DOMAIN)
    assert (row(less, SESSION)["n"], row(less, HOUR)["n"]) == (7, 6)
    tables["sessions"] = sessions()
    assert HOUR not in set(dose(held(came, [0, 1, 0, 1, 1, 2, 1], [2] * 7, tables=tables), domain=DOMAIN).table["what"])


def test_only_sessions_between_the_two_waves_and_before_the_day_of_the_data_count() -> None:
    """Three of ten sessions before the day the data speak of; and none that was held before the first rating."""
    early = sessions()
    early.loc[0, "held_on"] = pd.Timestamp("2024-01-05")
    early.loc[9, "held_on"] = pd.Timestamp("2025-01-05")
    found = dose(held(CAME, MOVED, FIRST, tables={"sessions": early}), domain=DOMAIN)
    whole = [max(many - 1, 0) for many in CAME]
    assert row(found, SESSION)["estimate"] == pytest.approx(np.polyfit(whole, MOVED, 1)[0])
    assert found.details["session_id"].nunique() == 8  # type: ignore[index]


def test_whoever_is_on_no_list_is_left_out_and_said() -> None:
    some = dose(held(CAME, MOVED, FIRST, others={"M1": 1, "M2": 2}), domain=DOMAIN)
    assert row(some, SESSION)["n"] == 14
    assert "A few of those rated at both times stand on no attendance list, and are left out." in some.caveats
    many = dose(held(CAME, MOVED, FIRST, others={f"M{at}": 1 for at in range(6)}), domain=DOMAIN)
    assert "6 of those rated at both times stand on no attendance list, and are left out." in many.caveats


def test_a_list_of_those_who_came_alone_says_nothing_of_what_was_offered() -> None:
    found = dose(held(CAME, MOVED, FIRST, only_came=True), domain=DOMAIN)
    assert set(found.table["what"]) == {SESSION, ALIKE}
    assert any("how much was offered to each is not known" in said for said in found.caveats)
    assert row(found, SESSION)["n"] == 13, "whoever came to nothing is on no list"
    assert "a session" in found.alt


def test_what_cannot_be_set_side_by_side_is_refused() -> None:
    with pytest.raises(ek.NotEnoughEvidence, match="came to the same number of sessions"):
        dose(held([4] * 8, MOVED[:8], FIRST[:8]), domain=DOMAIN)
    with pytest.raises(ek.NotEnoughEvidence, match="Of 4 leaders both a change"):
        dose(held(CAME[:4], MOVED[:4], FIRST[:4]), domain=DOMAIN)
    nothing = {"attendance": register({})}
    with pytest.raises(ek.NotEnoughEvidence, match="attendance at sessions from 23 April 2024 to 31 October 2024"):
        dose(held(CAME, MOVED, FIRST, tables=nothing), domain=DOMAIN)
    with pytest.raises(ValueError, match="by='theory' is not known; there are: intervention and domain"):
        dose(fourteen(), by="theory")


def test_one_wave_and_ids_that_do_not_join_are_refused() -> None:
    one = programme(rows(FRAMEWORK, {"a": {1: alike(ITEMS, 3)}}))
    with pytest.raises(ek.NotEnoughEvidence, match="one wave only"):
        dose(one)
    apart = programme(rows(FRAMEWORK, {"a": {1: alike(ITEMS, 3)}, "b": {2: alike(ITEMS, 3)}}))
    with pytest.raises(ek.NotEnoughEvidence, match="cannot be joined"):
        dose(apart)


@pytest.mark.parametrize("few", [1, 4])
def test_few_who_came_otherwise_stay_with_the_evaluator(few: int) -> None:
    raw = dose(held([1] * few + [9] * 10, [0, 1, 0, 2, 1, 1, 0, 1, 2, 1, 0, 1, 2, 0][: few + 10],
                    ([2, 3, 1] * 5)[: few + 10]), domain=DOMAIN)  # fmt: skip
    copy = protect(raw, Audience.COMMISSIONER)
    assert set(copy.table["interval"]) == {"withheld"}
    assert copy.headline == "Withheld: too few people to show"
    assert not (copy.marks["mark"] == "point").any()


def test_a_small_band_is_withheld_and_the_slope_stays() -> None:
    came = [2, 3, 6, 7, 8, 9, 6, 7, 8, 9, 10, 10]
    copy = protect(dose(held(came, [0, 1] * 6, [2, 3] * 6), domain=DOMAIN), Audience.COMMISSIONER)
    hidden = copy.table["interval"] == "withheld"
    assert set(copy.table.loc[hidden, "group"]) == {LITTLE, MUCH}
    assert set(copy.table.loc[~hidden, "what"]) == {SESSION, ALIKE}


KINDS = ["coaching_and_mentoring", "action_learning_sets"]


def by_kind(came: Sequence[set[int]], moved: Sequence[int], **told: Any) -> Programme:
    """The first five sessions are coaching, the others learning sets."""
    listed = {f"L{at:02d}": there for at, there in enumerate(came)}
    tables = {
        "sessions": sessions(intervention=[KINDS[0]] * 5 + [KINDS[1]] * 5),
        "attendance": register(listed),
    }
    return held([0] * len(came), moved, [2] * len(came), tables=tables, **told)


COACHED = [set(range(at % 6)) | set(range(5, 5 + (at // 6) % 6)) for at in range(36)]


def test_kinds_of_session_are_gone_through_and_judged_together() -> None:
    moved = [min(len(there & set(range(5))), 3) for there in COACHED]
    found = dose(by_kind(COACHED, moved), by="intervention", domain=DOMAIN)
    assert found.table["group"].tolist() == ["Coaching and Mentoring", "Action Learning Sets"]
    coached = [len(there & set(range(5))) for there in COACHED]
    sets = [len(there) - many for there, many in zip(COACHED, coached, strict=True)]
    slopes = [np.polyfit(each, moved, 1)[0] for each in (coached, sets)]
    assert found.table["estimate"].tolist() == pytest.approx(slopes)
    assert found.table["clear"].tolist() == ["higher", ""]
    assert found.headline == "1 of 2 looked at went clearly with a higher or lower change"
    assert "clear: Innovation and Improvement with Coaching and Mentoring" in found.reading
    assert "Explored, not tested" in found.reading
    assert found.verdict is Verdict.DESCRIBED


def test_domains_are_gone_through_and_those_nobody_answered_named() -> None:
    found = dose(fourteen(), by="domain", domain=DOMAIN)
    assert found.table["measure"].tolist() == ["Innovation and Improvement"]
    left_out = next(said for said in found.caveats if said.startswith("Not looked at"))
    assert "Learning and Capacity Building" in left_out
    assert "Looked at alone, it was not clear." in found.reading


def test_a_kind_that_too_few_came_to_otherwise_is_not_looked_at() -> None:
    came = [{0} if at < 4 else set() for at in range(16)]
    for at, there in enumerate(came):
        there |= set(range(5, 5 + at % 5))
    found = dose(by_kind(came, [0, 1] * 8), by="intervention", domain=DOMAIN)
    assert found.table["group"].tolist() == ["Action Learning Sets"]
    assert any(said.endswith("than most did: Coaching and Mentoring.") for said in found.caveats)
    assert not (protect(found, Audience.PUBLIC).table["interval"] == "withheld").any()


def test_without_kinds_written_down_it_is_refused() -> None:
    with pytest.raises(ek.NotEnoughEvidence, match="which kind of intervention"):
        dose(fourteen(), by="intervention")
    with pytest.raises(ek.NotEnoughEvidence, match="By intervention, fewer than 5 leaders"):
        dose(by_kind([set()] * 8, MOVED[:8]), by="intervention")


def test_northmere_was_planted_with_none_and_shows_none(northmere: Programme) -> None:
    planted = northmere.truth["expected"]["dose"]["points_a_session"]  # type: ignore[index]
    found = dose(northmere)
    told = row(found, SESSION)
    assert told["low"] < planted < told["high"]
    assert row(found, CHANGED, LITTLE)["n"] + row(found, CHANGED, MUCH)["n"] == told["n"] == 104
    assert protect(found, Audience.COMMISSIONER).reading == found.reading


def test_northmere_kind_by_kind_and_domain_by_domain(northmere: Programme) -> None:
    found = dose(northmere, by="intervention")
    assert len(found.table) == 30
    assert set(found.table["clear"]) == {""}
    raw = pd.Series([each.p for each in found.details])  # type: ignore[union-attr]
    assert found.table["adjusted_p"].tolist() == multiplicity.adjust(raw, "benjamini_hochberg").tolist()
    drawn = found.marks[found.marks["mark"] == "point"]
    assert len(drawn) == 6
    assert "dose" not in f"{found.headline} {found.reading} {found.alt} {' '.join(found.caveats)}"
    assert len(dose(northmere, by="domain").table) == 5


@given(st.lists(st.tuples(st.integers(0, OFFERED), st.integers(0, 2), st.integers(1, 2)), min_size=5, max_size=12))
@settings(max_examples=4, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
def test_whatever_people_came_to_the_slope_is_least_squares_and_a_rise_of_all_leaves_it(
    people: list[tuple[int, int, int]],
) -> None:
    came, moved, first = (list(each) for each in zip(*people, strict=True))
    if len(set(came)) < 2:
        return
    there = row(dose(held(came, moved, first), domain=DOMAIN), SESSION)
    assert there["estimate"] == pytest.approx(np.polyfit(came, moved, 1)[0], abs=1e-9)
    assert there["n"] == len(people)
    lifted = row(dose(held(came, [each + 1 for each in moved], first), domain=DOMAIN), SESSION)
    assert lifted["estimate"] == pytest.approx(there["estimate"], abs=1e-9)
    assert (lifted["low"], lifted["high"]) == pytest.approx((there["low"], there["high"]), abs=1e-9, nan_ok=True)
