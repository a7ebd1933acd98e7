"""signals.review: how each answer looks, what it asks, of which meeting, and what it must not give away."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hand_built import admissions, answer, everything, working_together
from hypothesis import given
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import PEOPLE, protect
from evalkit.programme import Plan, Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.signals import talk, wave
from evalkit.terms import Audience, Level, Sign, Step, Verdict
from evalkit.words import CAUSE

WIDER = (Audience.TEAM, Audience.COMMISSIONER, Audience.PUBLIC)
MEETINGS = {"individual": "The sets", "team": "The partners", "population": "The board", "process": "The office"}
JARGON = ("mean of domains", "signal", " arm", "dose", "bridging", "None", "nan", "<NA>")
KEPT = {
    "conflicts": pd.DataFrame({"conflict_id": ["C1", "C2"], "raised_on": pd.to_datetime(["2025-06-01", "2025-07-01"])}),
    "meetings": pd.DataFrame({"meeting_id": ["M1"], "held_on": pd.to_datetime(["2025-06-01"])}),
}
"""Logs in which two disagreements and a meeting stand, so that nothing is asked about their silence."""


def programme(*, plan: Plan | None = None, as_of: date = date(2026, 3, 31), **tables: pd.DataFrame) -> Programme:
    settings = Settings(
        name="Testmere", starts_on=date(2025, 1, 1), as_of=as_of, fictional=True, plan=plan or Plan(meetings=MEETINGS)
    )
    return Programme.build(settings=settings, tables={**KEPT, **tables})


def waves(*days: str | None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "wave": range(1, len(days) + 1),
            "opens_on": pd.to_datetime(list(days)),
            "closes_on": pd.to_datetime(list(days)),
        }
    )


def rows(found: Result) -> dict[str, dict[str, Any]]:
    return {row["measure"]: row for row in found.table.to_dict("records")}


def looks(given: Result, of: Programme | None = None) -> str | None:
    """The sign of the one row this answer gives."""
    table = ek.signals.review(of or programme(), [given]).table
    held = table[table["asked"] == given.about.asked]
    assert len(held) <= 1
    return None if held.empty else str(held["sign"].iloc[0])


def decided(given: Result, low: float, high: float, *, step: int = 3, unit: str | None = None) -> Result:
    table = given.table if unit is None else given.table.assign(unit=unit)
    return replace(given, decided=replace(given.decided, low=low, high=high, step=step), _table=table)


@pytest.mark.parametrize(
    ("verdict", "sign"),
    [
        (Verdict.IMPROVED, "working"),
        (Verdict.ROSE, "working"),
        (Verdict.WORSENED, "not working"),
        (Verdict.FELL, "not working"),
        (Verdict.MIXED, "uncertain"),
        (Verdict.UNCLEAR, "uncertain"),
        (Verdict.NO_CLEAR_CHANGE, "uncertain"),
        (Verdict.NOT_MEASURABLE, "uncertain"),
        (Verdict.TOO_EARLY, "uncertain"),
        (Verdict.DESCRIBED, None),
    ],
)
@pytest.mark.parametrize("build", [answer, working_together, admissions])
def test_how_each_verdict_looks(build, verdict, sign):
    given = build(verdict=verdict)
    assert looks(replace(given, about=replace(given.about, asked="a.question()"))) == sign


GROWTH, TWO_DEMANDS = "individual.growth(on='system_leadership')", "individual.growth(on='role_ambiguity')"


@pytest.mark.parametrize(
    ("asked", "unit", "low", "high", "sign"),
    [
        (GROWTH, "points", -0.6, -0.1, "not working"),  # higher is better
        (GROWTH, "points", -0.6, 0.1, "uncertain"),
        (GROWTH, "points", 0.1, 0.6, "uncertain"),  # clearly better is no verdict before its time
        (GROWTH, "points", -0.6, 0.0, "uncertain"),
        (TWO_DEMANDS, "points", 0.1, 0.6, "not working"),  # lower is better
        (TWO_DEMANDS, "points", -0.6, -0.1, "uncertain"),
        (
            "population.change(measure='emergency_admissions_65_plus')",
            "ratio, 1 is no change",
            1.01,
            1.2,
            "not working",
        ),
        ("population.change(measure='emergency_admissions_65_plus')", "ratio, 1 is no change", 0.8, 0.99, "uncertain"),
        ("population.change(measure='emergency_admissions_65_plus')", "ratio, 1 is no change", 0.9, 1.1, "uncertain"),
        ("population.change(measure='nobody_knows_it')", "ratio, 1 is no change", 1.1, 1.2, "uncertain"),
    ],
)
def test_worse_before_its_time_is_said(asked, unit, low, high, sign):
    level = Level.POPULATION if asked.startswith("population") else Level.INDIVIDUAL
    early = decided(
        answer(asked, verdict=Verdict.TOO_EARLY, level=level, why="Agreed to be read from May 2030; x."),
        low,
        high,
        unit=unit,
    )
    assert looks(early) == sign
    ask = ek.signals.review(programme(), [early]).table["ask"].iloc[0]
    assert ("already looks worse" in ask) == (sign == "not working")
    assert ("Agreed to be read from May 2030." in ask) == (sign == "uncertain")


def test_worse_of_a_measure_where_higher_is_better(tmp_path):
    (tmp_path / "programme.toml").write_text('schema = 1\nname = "T"\nstarts_on = 2025-01-01\nas_of = 2026-03-31\n')
    (tmp_path / "measures.toml").write_text(
        '[at_home]\nlabel = "People still at home"\nunit = "per 100"\nbetter = "higher"\nkind = "count"\nper = 100\n'
        'seasonal = false\nleading = true\nbeneficiary = "citizens"\nvalidated = false\nsource = "Invented"\n'
    )
    held = ek.load(tmp_path)
    early = admissions(verdict=Verdict.TOO_EARLY)
    early = replace(early, about=replace(early.about, asked="population.change(measure='at_home')"))
    assert looks(decided(early, 0.7, 0.9, unit="ratio, 1 is no change"), held) == "not working"
    assert looks(decided(early, 1.1, 1.3, unit="ratio, 1 is no change"), held) == "uncertain"


@given(st.floats(-3, 3), st.floats(0, 3))
def test_early_is_not_working_only_when_the_whole_interval_is_worse(low, width):
    for asked, worse in ((GROWTH, low + width < 0), (TWO_DEMANDS, low > 0)):
        early = decided(answer(asked, verdict=Verdict.TOO_EARLY), low, low + width)
        row = early.table.iloc[0].to_dict()
        assert (talk._sign(BARE, early, row) is Sign.NOT_WORKING) == worse


BARE = programme()


def test_the_question_fits_why_it_is_uncertain():
    def ask(why: str, step: int, verdict: Verdict = Verdict.NO_CLEAR_CHANGE) -> str:
        given = decided(answer(verdict=verdict, why=why), -0.1, 0.1, step=step)
        return str(ek.signals.review(programme(), [given]).table["ask"].iloc[0])

    assert ask("Any change is smaller than worthwhile.", 4).endswith(
        "Any change is smaller than was agreed to be worth having. "
        "Is that what we expected by now, and what would more look like?"
    )
    assert "gain worth having is still possible" in ask("A worthwhile gain is not ruled out.", 8)
    assert "loss that matters is still possible" in ask("A worthwhile loss is not ruled out.", 8)
    assert ask("No smallest worthwhile change was agreed, so …", 8).endswith("How much would we call worth having?")
    assert "a gain worth having, or a loss that matters" in ask("The data fit both.", 7, Verdict.UNCLEAR)
    assert "Clearly the other way: trust." in ask("Clearly the other way: trust.", 5, Verdict.MIXED)


def test_only_leaders_of_themselves_are_asked_whether_they_see_more_clearly():
    fell = answer(verdict=Verdict.FELL)
    others = replace(fell, evidence=replace(fell.evidence, informants=("sponsor",)))
    own, told = (ek.signals.review(programme(), [one]).table["ask"].iloc[0] for one in (fell, others))
    assert own.endswith("Do people see themselves more clearly now, or is something in the way?")
    assert told.endswith("What do they see, and what is in the way?")


def test_the_row_is_the_one_the_headline_rests_on():
    """Of a questionnaire with eight domains the first row is a mean at the first wave, not the change that decided."""
    given = working_together(groups=(("all", 2.3, 90), ("change", 0.5, 70)))
    headline, *_ = given.parts
    moved = replace(given, _headline=replace(headline, rows=(1,)))
    row = ek.signals.review(programme(), [moved]).table.iloc[0]
    assert (row["estimate"], row["n"]) == (0.5, 70)


COLUMNS = ("measure", "group", "estimate", "low", "high", "interval", "n", "unit", "n_of", "out_of", "sign", "ask")


def counts(*told: tuple[Any, ...], asked: str = "process.pdsa(since=date(2025, 5, 1))") -> Result:
    """An answer of the process room: a row of measure, group, n, n_of, out_of, sign and ask."""
    table = pd.DataFrame(
        [(m, g, float(n), float("nan"), float("nan"), "none given", n, "% of tests", n_of, of, sign, ask)
         for m, g, n, n_of, of, sign, ask in told], columns=list(COLUMNS)
    ).astype({"n": "Int64", "out_of": "Int64"})  # fmt: skip
    given = answer(asked, level=Level.PROCESS, verdict=Verdict.DESCRIBED)
    return replace(given, _table=table)


def test_of_counts_only_the_most_pressing_row_is_talked_about():
    given = counts(
        ("Begun", "all", 9, "tests", 9, "working", "W?"),
        ("Ended", "all", 3, "tests", 9, "not recorded", "R?"),
        ("Learnt", "all", 4, "tests", 9, "uncertain", "U?"),
        ("Kept", "all", 2, "tests", 9, "not working", "N?"),
        ("Kept too", "all", 1, "tests", 9, "not working", "N2?"),
        ("Silent", "all", 1, "tests", 9, "", ""),
    )
    found = ek.signals.review(programme(), [given]).table
    held = found[found["asked"] == given.about.asked].iloc[0]
    assert (held["ask"], held["n"], held["out_of"], held["measure"]) == ("N?", 2, 9, "Small tests of change")
    assert len(found[found["about"] == "the work itself"]) == 2  # this one, and the logs nobody keeps


def test_counts_without_a_sign_say_nothing():
    unsigned = counts(("Begun", "all", 9, "tests", 9, "", ""))
    assert ek.signals.review(programme(), [unsigned]).table["measure"].tolist() == ["Logs nobody keeps"]


def test_what_does_not_work_comes_first_and_what_works_last():
    told = [
        counts(("x", "all", 9, "tests", 9, sign, f"{sign}?"), asked=f"process.{name}()")
        for name, sign in [
            ("wins", "working"), ("milestones", "not recorded"), ("pdsa", "uncertain"), ("support", "not working")
        ]
    ]  # fmt: skip
    found = ek.signals.review(programme(), told)
    signs = found.table["sign"].tolist()
    assert signs == ["not working", "uncertain", "not recorded", "not recorded", "working"]
    assert found.headline == "1 not working, 1 uncertain, 2 not recorded and 1 working"
    assert "Not working: requests for help. Working: small wins." in found.reading


def test_a_finding_goes_to_the_meeting_that_is_named():
    found = rows(ek.signals.review(programme(), everything()))
    assert {row["about"]: row["meeting"] for row in found.values()} == {
        "leaders": "The sets", "organisations together": "The partners", "people's lives": "The board",
        "the work itself": "The office",
    }  # fmt: skip


def test_a_meeting_nobody_named_is_said_to_be_missing():
    found = ek.signals.review(programme(plan=Plan(meetings={"team": "The partners"})), everything())
    assert rows(found)["Overall (organisations together)"]["meeting"] == "The partners"
    assert {row["meeting"] for row in rows(found).values()} - {"The partners"} == {
        "No meeting is named for leaders", "No meeting is named for people's lives",
        "No meeting is named for the work itself",
    }  # fmt: skip
    assert "No meeting is named in [plan.meetings] for leaders, people's lives and the work itself." in found.caveats


SILENT = ("Disagreements in the open", "Meetings of partners")


def test_no_table_of_disagreements_is_not_recorded_and_not_none():
    settings = Settings(name="T", starts_on=date(2025, 1, 1), as_of=date(2026, 3, 31), plan=Plan(meetings=MEETINGS))
    bare = Programme.build(settings=settings, tables={})
    found = rows(ek.signals.review(bare, [answer()]))
    for name in SILENT:
        assert found[name]["sign"] == "not recorded"
        assert pd.isna(found[name]["n"])
        assert found[name]["ask"].startswith("Nobody writes down")
        assert " no " not in found[name]["ask"]


@pytest.mark.parametrize(
    ("since", "asked"),
    [
        (date(2025, 7, 2), "No disagreements were"),
        (date(2025, 7, 1), "1 disagreement was"),
        (date(2025, 6, 1), None),
    ],
)
def test_few_disagreements_are_a_question_and_never_working(since, asked):
    found = rows(ek.signals.review(programme(), [answer()], since=since))
    if asked is None:
        assert SILENT[0] not in found  # many are no success either: nothing is said
        return
    row = found[SILENT[0]]
    assert row["sign"] == "uncertain"
    assert row["ask"].startswith(f"{asked} written down since {since.day} ")
    assert row["ask"].endswith("Do we agree, or is something not said?")


def test_no_meeting_in_this_wave_is_a_question():
    row = rows(ek.signals.review(programme(), [answer()], since=date(2025, 6, 2)))[SILENT[1]]
    assert (row["sign"], row["n"]) == ("uncertain", 0)
    assert row["ask"] == "No meeting is on record since 2 June 2025. Did partners meet?"
    assert SILENT[1] not in rows(ek.signals.review(programme(), [answer()], since=date(2025, 6, 1)))


def test_a_log_kept_where_nobody_wrote_down_the_start_counts_whole():
    settings = Settings(name="T", as_of=date(2026, 3, 31), plan=Plan(meetings=MEETINGS))
    found = rows(ek.signals.review(Programme.build(settings=settings, tables=KEPT), [answer()]))
    assert not set(SILENT) & set(found)


def test_logs_nobody_keeps_are_one_row():
    row = rows(ek.signals.review(programme(), [answer()]))["Logs nobody keeps"]
    assert row["sign"] == "not recorded"
    for name in talk_logs():
        assert name in row["ask"]
    wins = pd.DataFrame({"win_id": ["W1"], "won_on": pd.to_datetime(["2025-06-01"]), "what": ["It worked"]})
    assert "small wins" not in rows(ek.signals.review(programme(wins=wins), [answer()]))["Logs nobody keeps"]["ask"]


def talk_logs() -> list[str]:
    from evalkit.signals.record import LOGS

    return list(LOGS.values())


@pytest.mark.parametrize(
    ("closed", "as_of", "since"),
    [
        ((), date(2026, 3, 31), None),
        (("2025-02-01",), date(2026, 3, 31), None),
        (("2025-02-01", "2025-08-01"), date(2026, 3, 31), date(2025, 2, 1)),
        (("2025-02-01", "2025-08-01", "2026-01-01"), date(2026, 3, 31), date(2025, 8, 1)),
        (("2025-02-01", "2025-08-01"), date(2025, 8, 1), date(2025, 2, 1)),  # closed on the day
        (("2025-02-01", "2025-08-01"), date(2025, 7, 31), None),  # the second is still to come
        (("2025-02-01", None), date(2026, 3, 31), None),
    ],
)
def test_this_wave_begins_when_the_one_before_closed(closed, as_of, since):
    held = programme(as_of=as_of, waves=waves(*closed)) if closed else programme(as_of=as_of)
    assert wave.since(held) == since
    found = ek.signals.review(held, [answer()])
    alone = "There was no wave before this one, so nothing is set beside an earlier time."
    assert (alone in found.caveats) == (since is None)
    assert ("from the start" in found.reading) == (since is None)


def test_another_day_can_be_given_and_asked_again():
    found = ek.signals.review(programme(waves=waves("2025-02-01", "2025-08-01")), [answer()], since=date(2025, 5, 9))
    assert "since 9 May 2025, to 31 March 2026" in found.reading
    assert found.about.asked == "signals.review(since=date(2025, 5, 9))"
    assert "since 9 May 2025" in found.alt


def test_a_day_after_the_data_is_an_error():
    tests = pd.DataFrame({"win_id": ["W1"], "won_on": pd.to_datetime(["2025-06-01"]), "what": ["It worked"]})
    with pytest.raises(ValueError, match="lies after"):
        ek.signals.review(programme(wins=tests), since=date(2027, 1, 1))


def test_the_same_answer_twice_is_talked_about_once():
    once, twice = (ek.signals.review(programme(), [answer()] * n) for n in (1, 2))
    pd.testing.assert_frame_equal(once.table, twice.table)
    assert len(ek.signals.review(programme(), [answer(), answer(GROWTH.replace("growth", "growth_of"))]).table) == 3


def test_other_synthesis_and_this_question_itself_are_left_alone():
    found = ek.signals.review(programme(), [answer()])
    more = ek.signals.review(programme(), [answer(), found, answer(level=Level.SYNTHESIS, reading="S.")])
    assert len(more.table) == len(found.table)


# what it must not give away


@pytest.mark.parametrize("audience", WIDER)
def test_too_few_people_lose_their_question_and_their_number(audience):
    few = answer(groups=(("all", 0.41, 4),), verdict=Verdict.WORSENED)
    found = ek.signals.review(programme(), [few, admissions(groups=(("all", 0.9, 60),))])
    assert "0.41" in rows(found)["How people lead, told by leaders"]["ask"]
    copy = protect(found, audience)
    held = rows(copy)["How people lead, told by leaders"]
    assert held["interval"] == "withheld"
    assert pd.isna(held["ask"])
    assert pd.isna(held["n"])
    assert pd.isna(held["estimate"])
    assert "how people lead" not in copy.reading
    assert "0.41" not in str(copy.to_json())
    assert "0.41" not in ek.html.to_talk_about(copy)
    assert copy.alt.count("How people lead") == 0


def test_a_row_its_neighbour_would_give_away_is_not_in_the_review_at_all():
    """South is withheld beside North (3 people); its own 8 people would have let it through here."""
    given = counts(
        ("Came", "North", 3, "people", pd.NA, "", ""), ("Came", "South", 8, "people", pd.NA, "not working", "8 came?"),
        ("Came", "West", 40, "people", pd.NA, "", ""),
    )  # fmt: skip
    assert protect(given, Audience.TEAM).table["interval"].tolist() == ["withheld", "withheld", "none given"]
    found = ek.signals.review(programme(), [given])
    assert given.about.asked not in set(found.table["asked"])
    assert (
        "1 more thing to talk about would give away figures of too few people, and stays with the evaluator."
        in found.caveats
    )


def test_who_did_not_is_not_told_by_who_did():
    given = counts(("Came", "North", 8, "people", 9, "uncertain", "8 of 9 came?"))
    found = ek.signals.review(programme(), [given])
    assert "8 of 9" not in " ".join(found.table["ask"])


def test_an_answer_about_single_people_gives_nothing():
    given = answer()
    single = replace(given, _table=given.table.assign(person_id="A1"))
    found = ek.signals.review(programme(), [single])
    assert found.table["measure"].tolist() == ["Logs nobody keeps"]
    assert any("stays with the evaluator" in caveat for caveat in found.caveats)


def test_a_copy_from_which_it_was_withheld_gives_nothing_either():
    copy = protect(answer(groups=(("all", 0.41, 4),)), Audience.TEAM)
    assert ek.signals.review(programme(), [copy]).table["measure"].tolist() == ["Logs nobody keeps"]


def test_words_that_rest_on_several_rows_carry_the_fewest_people():
    given = working_together(groups=(("all", 0.5, 90), ("later", 0.6, 3)))
    both = replace(given, _headline=replace(given.parts[0], rows=(0, 1)))
    found = ek.signals.review(programme(), [both])
    assert found.table["n"].iloc[0] == 3
    assert protect(found, Audience.PUBLIC).table["interval"].iloc[0] == "withheld"


@given(
    st.lists(
        st.tuples(st.sampled_from(["all", "a", "b", "c"]), st.integers(0, 12), st.integers(0, 6)),
        min_size=1,
        max_size=5,
    )
)
def test_nothing_its_answer_withholds_reaches_a_wider_copy(told):
    table = [
        ("Came", group, n, "people", n + rest, "uncertain", f"<{at}>?") for at, (group, n, rest) in enumerate(told)
    ]
    given = counts(*table)
    open_rows = protect(given, Audience.TEAM).table["ask"].dropna()
    copy = protect(ek.signals.review(BARE, [given]), Audience.TEAM)
    said = {ask for ask in copy.table["ask"].dropna() if ask.startswith("<")}
    assert said <= set(open_rows)


# what the record itself gives: one place, hand-made


@pytest.fixture(scope="module")
def small() -> Programme:
    return ek.load(folder("sample_data") / "small_place")


@pytest.fixture(scope="module")
def northmere() -> Programme:
    return ek.load(folder("sample_data") / "northmere")


@pytest.fixture(scope="module")
def reviews(small, northmere) -> dict[str, Result]:
    return {"small": ek.signals.review(small), "northmere": ek.signals.review(northmere)}


@pytest.mark.parametrize(("name", "most"), [("small", 10), ("northmere", 22)])
def test_every_row_is_one_short_question_in_plain_words(reviews, name, most):
    found = reviews[name].table
    assert len(found) <= most
    assert found["measure"].is_unique
    for ask in found["ask"]:
        assert ask.endswith("?"), ask
        assert len(ask) <= 260, ask  # two lines of a page
        assert not CAUSE.search(ask)
        assert not [word for word in JARGON if word in ask], ask
    assert not [name for name in found["measure"] if len(name) > 60 or "mean of" in name]
    assert (found["meeting"] != "").all()


@pytest.mark.parametrize("name", ["small", "northmere"])
@pytest.mark.parametrize("audience", WIDER)
def test_a_wider_copy_names_no_few(reviews, name, audience):
    copy = protect(reviews[name], audience)
    people = copy.table[copy.table["n_of"].isin(PEOPLE)]
    assert not ((people["n"] > 0) & (people["n"] < copy.about.minimum_group)).any()
    copy.svg()


def test_what_a_team_of_eight_can_talk_about(reviews):
    found = rows(reviews["small"])
    said = found["What was said after sessions"]
    # after W4, 4 of 6 agreed: told of so few, the four would be known, so it is spoken of over all sessions
    assert said["ask"].startswith("“I could say what I really think”: 6 of 13 agreed over all sessions.")
    assert (said["sign"], said["n"]) == ("not working", 7)
    assert found["Lowest joint score"]["ask"] == (
        "On 18 November 2025 we scored information and IT lowest together, 0 of 5. "
        "What would one step up look like here?"
    )
    came = found["Invitations taken up"]
    assert came["ask"].startswith("27 of 32 invitations to 4 sessions were taken up.")
    assert (came["n"], came["estimate"], came["sign"]) == (8, 84.375, "uncertain")
    assert "Easier contact, in 5 of 9 excerpts" in found["What people told us"]["ask"]
    assert found["What people told us"]["meeting"] == "The partners' meeting of Ellersyke (fictional)"


def test_many_places_are_never_set_side_by_side(reviews, northmere):
    found = rows(reviews["northmere"])
    assert " (over all sessions: " in found["What was said after sessions"]["ask"]
    assert "Lowest joint score" not in found
    named = set(northmere.places["name"])
    assert not [ask for row in found.values() for ask in [row["ask"]] if any(place in ask for place in named)]


def copied(to: Path, **changed: str) -> Programme:
    """small_place with some files as given; a file given as nothing is left out."""
    for file in (folder("sample_data") / "small_place").iterdir():
        if file.suffix in (".csv", ".toml") and changed.get(file.stem) != "":
            (to / file.name).write_text(changed.get(file.stem) or file.read_text(encoding="utf-8"), encoding="utf-8")
    return ek.load(to)


def text(name: str) -> str:
    return (folder("sample_data") / "small_place" / f"{name}.csv").read_text(encoding="utf-8")


def test_empty_chairs_that_would_point_at_people_are_not_spoken_of(tmp_path):
    one_less = copied(tmp_path, attendance=text("attendance").replace("W4,A4,invited", "W4,A4,attended"))
    assert "Invitations taken up" not in rows(ek.signals.review(one_less, [answer()]))  # 28 of 32: four are too few


def test_fewer_than_half_of_the_invitations_taken_up_is_not_working(tmp_path):
    lines = text("attendance").splitlines()
    few = "\n".join([lines[0], *(line.replace(",attended", ",invited") for line in lines[1:18]), *lines[18:]])
    row = rows(ek.signals.review(copied(tmp_path, attendance=few), [answer()]))["Invitations taken up"]
    assert row["sign"] == "not working"
    assert row["ask"].startswith("12 of 32 ")


def test_invitations_of_this_wave_alone(small):
    assert "Invitations taken up" not in rows(ek.signals.review(small, [answer()], since=date(2026, 1, 1)))
    assert rows(ek.signals.review(small, [answer()], since=date(2025, 5, 13)))["Invitations taken up"][
        "ask"
    ].startswith("19 of 24")


def test_equal_scores_have_no_lowest_and_two_lowest_are_both_named(tmp_path):
    lines = text("scores").splitlines()
    alike = "\n".join([lines[0], *(f"{line.rpartition(',')[0]},2" for line in lines[1:])])
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert "Lowest joint score" not in rows(ek.signals.review(copied(tmp_path / "a", scores=alike), [answer()]))
    two = text("scores").replace("information,1,2025-11-18,consensus,0", "information,1,2025-11-18,consensus,1")
    ask = rows(ek.signals.review(copied(tmp_path / "b", scores=two), [answer()]))["Lowest joint score"]["ask"]
    assert (
        "we scored service user and carer engagement, financial and contractual mechanisms and information and IT "
        "lowest together, 1 of 5" in ask
    )


def test_sessions_of_several_places_are_counted_together_since_the_wave_before(northmere):
    """Summed by hand from the answers themselves."""
    given = ek.individual.reaction(northmere)
    held = northmere.sessions.set_index("session_id")["held_on"]
    own = northmere.responses[(northmere.responses["instrument"] == "reaction") & northmere.responses["answer"].notna()]
    own = own[(own["timing"] == "post") & (own["subject_id"].map(held) >= "2025-05-19")]
    agreed = own.assign(yes=own["answer"] > 3).groupby("item")["yes"].agg(["sum", "count"])
    least = agreed.loc[(agreed["sum"] / agreed["count"]).idxmin()]
    row = rows(ek.signals.review(northmere, [given], since=date(2025, 5, 19)))["What was said after sessions"]
    assert f": {least['sum']} of {least['count']} agreed after " in row["ask"]
    assert row["estimate"] == pytest.approx(100 * least["sum"] / least["count"])
    later = rows(ek.signals.review(northmere, [given], since=date(2026, 3, 31)))["What was said after sessions"]
    assert "agreed over all sessions. " in later["ask"]


def test_scores_somebody_else_published_are_not_ours():
    salford = ek.load(folder("sample_data") / "salford")
    assert "Lowest joint score" not in rows(ek.signals.review(salford, [ek.team.maturity(salford)]))


def test_forms_of_an_earlier_wave_are_not_of_the_last_session(small):
    given = ek.individual.reaction(small)
    row = rows(ek.signals.review(small, [given], since=date(2026, 4, 1)))["What was said after sessions"]
    assert "over all sessions. " in row["ask"]
    assert row["sign"] == "not working"  # 6 of 13


@pytest.mark.parametrize(
    ("everywhere", "since", "said"),
    [
        (False, None, "6 of 13 agreed over all sessions. "),
        (False, date(2026, 1, 1), "6 of 13 agreed over all sessions. "),  # that session was one place's of two
        (True, date(2025, 1, 6), "6 of 13 agreed over all sessions. "),
        (True, date(2026, 1, 1), "6 of 13 agreed over all sessions. "),  # 4 of 6 at the last are too few to tell
    ],
)
def test_among_several_places_one_place_does_not_stand_for_itself(tmp_path, everywhere, since, said):
    two = text("places") + "E2,Otherby,neighbourhood,programme,2025-01-06,1000,yes\n"
    sessions = text("sessions").replace(",E1,", ",,") if everywhere else text("sessions")
    held = copied(tmp_path, places=two, sessions=sessions)
    found = rows(ek.signals.review(held, [ek.individual.reaction(held)], since=since))
    assert said in found["What was said after sessions"]["ask"]
    assert "Lowest joint score" not in found  # one of two places was scored


def test_a_last_session_with_few_forms_is_not_spoken_of(tmp_path):
    kept = [line for line in text("responses").splitlines() if not line.startswith(("H3,", "H4,", "H5,", "H6,"))]
    held = copied(tmp_path, responses="\n".join(kept))
    assert "What was said after sessions" not in rows(ek.signals.review(held, [ek.individual.reaction(held)]))


def test_forms_that_agree_with_everything_give_nothing(tmp_path):
    lines = text("responses").splitlines()
    happy = "\n".join(
        [lines[0], *(f"{line.rpartition(',')[0]},5" if ",reaction," in line else line for line in lines[1:])]
    )
    held = copied(tmp_path, responses=happy)
    assert "What was said after sessions" not in rows(ek.signals.review(held, [ek.individual.reaction(held)]))


def test_a_reaction_without_forms_gives_nothing():
    found = ek.signals.review(programme(), [answer(step=Step.REACTION, verdict=Verdict.DESCRIBED)])
    assert found.table["measure"].tolist() == ["Logs nobody keeps"]


def test_a_story_is_asked_about_and_not_judged():
    told = "Told most often: Trust, in 7 of 9 stories"
    given = answer("stories.themes()", level=Level.STORY, verdict=Verdict.DESCRIBED, headline=told)
    row = rows(ek.signals.review(programme(), [given]))["What people told us"]
    assert (row["sign"], row["meeting"]) == ("uncertain", "The partners")
    assert (
        row["ask"] == "Told most often: Trust, in 7 of 9 stories. Does that fit what we see, and whom did we not ask?"
    )


def test_months_ask_by_what_stands_out(small):
    given = ek.population.variation(small, measure="emergency_admissions_65_plus")
    name = "Emergency admissions of people aged 65 and over, by month"
    months = given.table["stands_out"].astype(str)

    def ask(stands_out: pd.Series) -> str:
        changed = replace(given, _table=given.table.assign(stands_out=stands_out))
        return str(rows(ek.signals.review(small, [changed]))[name]["ask"])

    assert ask(months).endswith("Do the months that stand out tell us anything?")
    assert ask(months.where(months.index < len(months) - 1, "above")).endswith("is it worth a closer look?")
    assert ask(months.mask(months != "")).endswith("Did we expect anything to show by now?")
    few = replace(given, _table=given.table.assign(n=given.table["n"].mask(given.table.index == len(months) - 1, 3)))
    copy = protect(ek.signals.review(small, [few]), Audience.TEAM)
    assert rows(copy)[name]["interval"] == "withheld"


def test_typed_words_of_cause_do_not_stop_the_page():
    given = counts(("x", "all", 9, "tests", 9, "not working", "Why?"), asked="process.led_to_this()")
    found = ek.signals.review(programme(), [given])
    assert "not working: […] this" in found.reading.lower()


def test_nothing_at_all_is_refused():
    with pytest.raises(ek.NotEnoughEvidence, match="No question of any room"):
        ek.signals.review(
            Programme.build(settings=Settings(name="T", starts_on=date(2025, 1, 1), as_of=date(2026, 1, 1)), tables={})
        )


def test_published_scores_alone_are_no_wave_to_review():
    """Salford's table is all there is: that nobody wrote logs there is nothing to talk about."""
    with pytest.raises(ek.NotEnoughEvidence, match="looks one way or the other"):
        ek.signals.review(ek.load(folder("sample_data") / "salford"))
