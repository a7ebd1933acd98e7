"""team.conflict: statements item by item, and a log in which none is no good sign. Counted by hand and against R."""

from __future__ import annotations

from datetime import date
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
from evalkit.team.conflict import until_half
from evalkit.terms import Audience, Verdict

SETTINGS = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2025, 3, 31), fictional=True)
OPEN, WORKED = "conflict_open", "conflict_resolved"
DAYS, STATEMENT = (
    "Days until half are resolved, open ones counted",
    "Disagreements are spoken of in the meeting, not after it",
)
BEFORE, AFTER = [2.5, 3, 2, 3.5, 2.5, 4], [3, 3.5, 2.5, 3, 3.5, 4.5]


def raised(on: str, ended: str | None = None, outcome: str | None = None, **said: Any) -> dict[str, Any]:
    days = {"raised_on": pd.Timestamp(on), "resolved_on": pd.Timestamp(ended)}
    outcome = outcome or (None if ended is None else "all_gained")
    return {"place_id": "P1", "team_id": None, "kind": "professional", **days, "outcome": outcome, **said}


def said(team: str, wave: int, *answers: float, item: str = OPEN, **other: Any) -> list[dict[str, Any]]:
    """An answer of each person of a team."""
    row = {"subject_kind": "team", "subject_id": team, "rater": "team_member", "instrument": "five_factors",
           "item": item, "wave": wave, "timing": "pre" if wave == 1 else "post"}  # fmt: skip
    return [{"respondent_id": f"{team}{at}", "answer": float(told), **row, **other} for at, told in enumerate(answers)]


def asked(log: list[dict[str, Any]] | None = None, answers: list[dict[str, Any]] | None = None) -> Programme:
    teams = [f"T{at}" for at in range(1, 10)]
    tables = {
        "places": pd.DataFrame({"place_id": ["P1", "P2", "P9"], "name": ["Ash", "Elm", "Beech"],
                                "arm": ["programme", "programme", "comparison"]}),
        "teams": pd.DataFrame({"team_id": teams, "place_id": ["P1"] * 8 + ["P9"]}),
        "waves": pd.DataFrame({"wave": pd.array([1, 2, 3], dtype="Int64"),
                               "opens_on": pd.to_datetime(["2024-04-01", "2024-10-01", "2025-03-01"])}),
    }  # fmt: skip
    if log:
        tables["conflicts"] = pd.DataFrame([{"conflict_id": f"K{at}", **row} for at, row in enumerate(log)])
    if answers:
        given = pd.DataFrame(answers).astype({"wave": "Int64"})
        people = sorted(set(given["respondent_id"]))
        tables["responses"] = given
        tables["people"] = pd.DataFrame({"person_id": people, "kind": "participant"})
        arms = ["comparison" if who.startswith("X") else "programme" for who in people]
        tables["participants"] = pd.DataFrame({"participant_id": people, "arm": arms})
    return Programme.build(settings=SETTINGS, tables=tables)


def row(found: Result, measure: str, group: str = "all", **where: Any) -> dict[str, Any]:
    table = found.table.query("measure == @measure and group == @group")
    for column, value in where.items():
        table = table[table[column] == value]
    (told,) = table.to_dict("records")
    return told


LOG = [
    raised("2024-04-10", "2024-04-20", kind="organisational"),
    raised("2024-04-10", "2024-05-30", "set_aside"),
    raised("2024-10-02", place_id="P2", kind=None),
    raised("2025-01-01", place_id=None, team_id="T1"),
    raised("2024-05-01", place_id="P9"),
    raised("2024-05-01", place_id=None, team_id="T9"),
]


def halves(mean: float) -> tuple[float, float]:
    """Two whole answers whose mean this is."""
    return (mean, mean) if mean % 1 == 0 else (mean - 0.5, mean + 0.5)


PAIRED = [
    told
    for team, (was, now) in enumerate(zip(BEFORE, AFTER, strict=True), 1)
    for wave, mean in ((1, was), (3, now))
    for told in said(f"T{team}", wave, *halves(mean))
]


def test_what_was_raised_and_resolved_by_hand():
    found = ek.team.conflict(asked(LOG))
    assert found.headline == "4 conflicts raised, 2 resolved and 2 still open"
    first, second = "Months 1 to 6, from April 2024", "Months 7 to 12, from October 2024"
    assert [row(found, "Conflicts raised", half)["n"] for half in (first, second)] == [2, 2]
    kinds = found.table[(found.table["by"] == "kind") & (found.table["measure"] == "Conflicts raised")]
    assert dict(zip(kinds["group"], kinds["n"], strict=True)) == {
        "individual": 0, "professional": 2, "organisational": 1, "not recorded": 1
    }  # fmt: skip
    gained, aside = (row(found, "How it ended", how) for how in ("all gained", "set aside"))
    assert (gained["n"], gained["out_of"], aside["n"]) == (1, 2, 1)
    assert row(found, "Days open, of the one open longest")["estimate"] == 180
    places = row(found, "Places where one was raised")
    assert (places["n"], places["out_of"]) == (2, 2)
    assert (
        row(found, DAYS)["estimate"] == (50 + 50) / 2
    )  # 10, 50, and open for 89 and 180: a half by day 50, flat after
    assert "2 conflicts of comparison places left out." in found.caveats
    assert (found.verdict, found.about.n, found.about.of) == (Verdict.DESCRIBED, 2, 4)


def test_one_resolved_after_the_window_was_open_then():
    found = ek.team.conflict(asked(LOG), until=date(2024, 4, 30))
    assert found.headline == "2 conflicts raised, 1 resolved and 1 still open"
    assert row(found, "Still open")["ask"].endswith("the oldest since 10 April 2024: what would help to work through "
                                                    "what is open?")  # fmt: skip
    assert found.about.asked == "team.conflict(until=date(2024, 4, 30))"


def test_a_quiet_log_is_a_question_and_never_good():
    quiet = ek.team.conflict(asked(LOG[:2]))
    told = row(quiet, "Conflicts raised")
    assert told["sign"] == "uncertain"
    assert told["ask"].startswith("No conflict is on record for months 7 to 12, from October 2024: do we agree")
    empty = ek.team.conflict(asked(LOG), since=date(2024, 6, 1), until=date(2024, 7, 1))
    assert empty.headline == "No conflict is on record for this time"
    assert row(empty, "Conflicts raised")["sign"] == "uncertain"
    busy = ek.team.conflict(asked(LOG))
    assert row(busy, "Conflicts raised")["sign"] == ""
    for found in (quiet, empty, busy):
        assert not {"working", "not working"} & set(found.table["sign"])


SIX_MP = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
ENDED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("days", "ended", "median"),
    [
        (SIX_MP, ENDED, 23),
        ([10, 20], [1, 1], 15),
        ([10, 20, 30, 40], [1, 1, 0, 0], 20),
        ([5, 10, 20, 40], [0, 1, 1, 0], 20),
        ([3, 3, 8, 8], [1, 1, 0, 1], 5.5),
        ([1, 2], [0, 0], None),
        ([], [], None),
        ([0], [1], 0),
    ],
)
def test_days_until_half_are_resolved_are_those_of_r(days, ended, median):
    """R 4.2.2, survival 3.5.3: summary(survfit(Surv(days, ended) ~ 1))$table["median"] gives 23 for the 6-MP arm of
    Freireich and others (1963, Blood 21, 699-716), then 15, 20, 20, 5.5 and NA. Nothing, and one on its first day: by
    hand."""
    found = until_half(pd.Series(days, dtype=float), pd.Series(ended, dtype=bool))
    assert found == pytest.approx(median if median is not None else float("nan"), nan_ok=True)


durations = st.lists(st.integers(0, 400), min_size=1, max_size=12)


@given(durations)
def test_with_nothing_open_it_is_the_median(days):
    assert until_half(pd.Series(days), pd.Series([True] * len(days))) == pd.Series(days).median()


@given(durations, st.lists(st.integers(0, 400), max_size=6))
def test_open_ones_never_make_it_shorter_than_leaving_them_open_at_the_start(days, still_open):
    """Somebody who is open the whole time counts against an end; one open for no time at all tells nothing."""
    ended = pd.Series([True] * len(days) + [False] * len(still_open))
    longest = until_half(pd.Series([*days, *(1000 for _ in still_open)]), ended)
    shown = until_half(pd.Series([*days, *still_open]), ended)
    assert pd.isna(longest) or shown <= longest


def test_statements_item_by_item_with_the_paired_t_of_teams():
    """R 4.2.2: t.test(c(3, 3.5, 2.5, 3, 3.5, 4.5), c(2.5, 3, 2, 3.5, 2.5, 4), paired = TRUE) gives 0.41666666667,
    -0.09923173827 to 0.93256507161."""
    found = ek.team.conflict(asked(answers=PAIRED))
    first, last = (row(found, STATEMENT, wave=wave) for wave in (1, 3))
    assert (first["estimate"], last["estimate"]) == pytest.approx((sum(BEFORE) / 6, sum(AFTER) / 6))
    people = sum(len(halves(mean)) for mean in BEFORE)
    assert (first["n"], first["teams"], first["interval"]) == (people, 6, "none given")
    moved = row(found, STATEMENT, what="change")
    assert moved["interval"] == "95% confidence"
    assert (moved["estimate"], moved["low"], moved["high"]) == pytest.approx(
        (0.41666666667, -0.09923173827, 0.93256507161), abs=1e-10
    )
    assert "was 2.92, is now 3.33 (change −0.10 to 0.93, 95% confidence)" in found.reading
    assert found.verdict is Verdict.DESCRIBED
    unkept = row(found, "Conflicts raised")
    assert (unkept["sign"], pd.isna(unkept["n"])) == ("not recorded", True)


def test_a_team_answered_once_is_left_out_of_a_change_and_few_teams_are_only_described():
    once = [*PAIRED, *said("T7", 1, 5, 5, 5)]
    assert row(ek.team.conflict(asked(answers=once)), STATEMENT, wave=1)["teams"] == 6
    four = [answer for answer in once if answer["subject_id"] in ("T1", "T2", "T3", "T4", "T7")]
    found = ek.team.conflict(asked(answers=four))
    assert (row(found, STATEMENT, wave=1)["teams"], row(found, STATEMENT, wave=3)["teams"]) == (5, 4)
    assert not (found.table["what"] == "change").any()
    assert any(caveat.startswith("A change without an interval: fewer than 5 teams") for caveat in found.caveats)


def test_teams_that_all_moved_alike_have_no_interval():
    alike = [told for team in range(1, 7) for wave in (1, 3) for told in said(f"T{team}", wave, 2 + wave // 3)]
    assert not (ek.team.conflict(asked(answers=alike)).table["what"] == "change").any()


def test_who_is_compared_with_looked_back_or_answered_later_does_not_count():
    others = [
        *said("T9", 1, 1, 1, 1),
        *said("T1", 1, 1, respondent_id="X1"),
        *said("T1", 1, 1, respondent_id="Y1", timing="then"),
        *said("T1", 1, 1, respondent_id="Y2", rater="partner"),
        *said("T1", 1, 1, respondent_id="Y3", answered_on=pd.Timestamp("2025-03-31")),
    ]
    mine, with_others = asked(answers=PAIRED), asked(answers=[*PAIRED, *others])
    mine.as_of = with_others.as_of = date(2025, 3, 30)
    pd.testing.assert_frame_equal(ek.team.conflict(mine).table, ek.team.conflict(with_others).table)


def test_one_wave_is_said_to_be_one_and_a_statement_nobody_answered_is_not_there():
    found = ek.team.conflict(asked(answers=said("T1", 1, 2, 3, 4, item=WORKED)))
    assert found.headline == "Team members: “We work disagreements through until we can go on” is 3.00"
    assert found.table["measure"].tolist().count(STATEMENT) == 0
    assert "Statements were answered at one wave only." in found.caveats
    assert found.about.counts == "respondents"


def test_a_change_does_not_tell_the_mean_of_a_wave_with_few_people():
    many = [told for team in range(1, 7) for told in said(f"T{team}", 1, 2, 3)]
    last = [told for team in range(1, 7) for told in said(f"T{team}", 3, 2 + team % 3, respondent_id=f"Q{team % 4}")]
    found = ek.team.conflict(asked(answers=[*many, *last]))
    assert row(found, STATEMENT, what="change")["n"] == 4
    copy = protect(found, Audience.COMMISSIONER)
    shown = copy.table[copy.table["measure"] == STATEMENT]
    assert shown["interval"].tolist() == ["none given", "withheld", "withheld"]
    assert "3.0" not in copy.reading


def test_both_parts_stand_in_one_answer():
    found = ek.team.conflict(asked(LOG, PAIRED))
    assert found.reading.startswith("Team members (")
    assert "4 conflicts" in found.headline
    assert {"statement", "everything", "half year", "kind", "outcome"} == set(found.table["by"])


def test_neither_answers_nor_a_log_is_refused_and_so_is_another_questionnaire():
    early = asked(LOG)
    early.as_of = date(2024, 4, 9)
    for programme in (asked(), asked(LOG[4:]), early):
        with pytest.raises(ek.NotEnoughEvidence, match="does not say that there was none"):
            ek.team.conflict(programme)
    with pytest.raises(ek.NotEnoughEvidence, match="no statements on conflict"):
        ek.team.conflict(asked(LOG), on="icfat")
    with pytest.raises(ValueError, match="No instrument is called 'five'"):
        ek.team.conflict(asked(LOG), on="five")
    with pytest.raises(ValueError, match="95 % is"):
        ek.team.conflict(asked(LOG), confidence=95)


def test_northmere_is_as_r_has_it_and_as_planted():
    """R 4.2.2, survival 3.5.3, conflicts.csv with open ones to 31 March 2026: median 105; of the resolved alone, 78."""
    programme = ek.load(folder("sample_data") / "northmere")
    found = ek.team.conflict(programme)
    assert row(found, DAYS)["estimate"] == 105
    resolved = row(found, "Resolved, of those raised")
    assert resolved["estimate"] == pytest.approx(62, abs=23)  # planted 0.62 of 41: three standard errors
    later = ek.team.conflict(ek.load(folder("sample_data") / "northmere", as_of=date(2025, 3, 31)))
    assert row(later, "Conflicts raised")["n"] == (programme.conflicts["raised_on"] <= "2025-03-31").sum()
