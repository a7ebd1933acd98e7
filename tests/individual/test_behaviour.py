"""individual.behaviour: what is in use some months on, by who says so; what counts, what is left out, what is asked.

R 4.2.2: prop.test(6, 10, correct = FALSE)$conf.int  0.3126738 0.8318197   (Wilson, as every interval here)
         (a fraction of an answer, which prop.test refuses, is checked with Wilson's formula by hand)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.individual import behaviour
from evalkit.individual.afterwards import CAME, HELD, apart
from evalkit.instrument import shipped
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.signals import talk
from evalkit.terms import Attribution, Audience, Step, Verdict
from evalkit.words import CAUSE

FORM = shipped()["putting_to_use"]
CODES = FORM.scale.codes
ASKING, TESTING = "asking", "testing"
TEXT = {item.key: item.text for item in FORM.items}
SESSION, AFTER = "2025-01-10", "2025-05-10"
"""The last session, and four months later."""
LETTERS = {"n": "not yet", "t": "tried", "u": "used", "e": "embedded", "s": "stopped", "?": "cannot say"}


def said(
    letters: str,
    *,
    item: str = ASKING,
    on: str | None = AFTER,
    rater: str = "self",
    by: Sequence[str] = (),
    about: Sequence[str] = (),
    start: int = 1,
    wave: int | None = None,
) -> pd.DataFrame:
    """A row a letter: n not yet, t tried, u used, e embedded, s stopped, ? cannot say; by leaders L1, L2 … in turn."""
    leaders = list(about) or [f"L{start + at}" for at in range(len(letters))]
    return pd.DataFrame(
        {"respondent_id": list(by) or leaders, "subject_kind": "person", "subject_id": leaders, "rater": rater,
         "instrument": "putting_to_use", "item": item, "timing": "followup", "answered_on": pd.Timestamp(on or "NaT"),
         "wave": wave, "answer": [CODES[LETTERS[letter]] for letter in letters]}
    ).astype({"answered_on": "datetime64[us]", "wave": "Int64"})  # fmt: skip


def programme(
    *answers: pd.DataFrame,
    sessions: Mapping[str, str] | None = None,
    came: Sequence[tuple[str, str]] = (),
    arms: Mapping[str, str] | None = None,
    tables: Mapping[str, pd.DataFrame] | None = None,
    **told: Any,
) -> Programme:
    """Leaders are those spoken of; sessions by id and day (one, unless told), and who came to which."""
    responses = pd.concat(answers, ignore_index=True)
    leaders = sorted({*responses["subject_id"], *(arms or {})})
    others = sorted(set(responses["respondent_id"]) - set(leaders))
    held = {"S1": SESSION} if sessions is None else dict(sessions)
    built = {
        "responses": responses,
        "people": pd.DataFrame({"person_id": [*leaders, *others],
                                "kind": ["participant"] * len(leaders) + ["sponsor"] * len(others)}),
        "participants": pd.DataFrame({"participant_id": leaders, "arm": [(arms or {}).get(one) for one in leaders]}),
    }  # fmt: skip
    waves = sorted(responses["wave"].dropna().unique())
    if waves:
        built["waves"] = pd.DataFrame({"wave": waves})
    if held:
        days = pd.to_datetime(list(held.values()))
        built["sessions"] = pd.DataFrame({"session_id": list(held), "held_on": days})
    if came:
        built["attendance"] = pd.DataFrame(came, columns=["session_id", "person_id"]).assign(status="attended")
    settings = {"name": "Testmere", "starts_on": date(2024, 4, 1), "as_of": date(2026, 3, 31), "fictional": True}
    return Programme.build(settings=Settings(**{**settings, **told}), tables=built | dict(tables or {}))


def rows(found: Result, by: str = "self") -> pd.DataFrame:
    """The rows of behaviours by who says so, named by behaviour."""
    own = found.table[(found.table["by"] == by) & (found.table["group"] != "all")]
    return own.set_index("measure")


def row(found: Result, item: str = ASKING, by: str = "self") -> pd.Series:
    return rows(found, by).loc[TEXT[item]]


TEN = "nntuuueees"
"""Ten answers, six of them in use."""


def test_answers_are_counted_and_the_share_in_use_has_wilsons_interval() -> None:
    found = row(behaviour(programme(said(TEN))))
    assert found[["not yet", "tried", "used", "embedded", "stopped", "cannot say"]].tolist() == [2, 1, 3, 3, 1, 0]
    assert (found["estimate"], found["n"], found["answers"], found["raters"]) == (60.0, 10, 10, 10)
    assert (found["low"], found["high"]) == pytest.approx((31.26738, 83.18197), abs=1e-5)
    assert (found["group"], found["n_of"], found["interval"]) == ("leaders", "leaders", "95% confidence")


def test_it_is_behaviour_described_and_never_a_change() -> None:
    found = behaviour(programme(said(TEN)))
    assert (found.kirkpatrick, found.verdict) == (Step.BEHAVIOUR, Verdict.DESCRIBED)
    assert found.attribution is Attribution.CANNOT_TELL
    assert "no change to test" in found.decided.why
    assert "need not be new" in found.caveats[0]
    assert found.evidence.informants == ("self",)


def test_cannot_say_is_counted_and_left_out_of_the_share() -> None:
    found = behaviour(programme(said(f"{TEN}??")))
    assert (row(found)["estimate"], row(found)["n"], row(found)["cannot say"]) == (60.0, 10, 2)
    assert "Left out of the shares as “cannot say”: 2 of 12 answers by leaders." in found.caveats
    assert found.table["n"].iloc[0] == 12, "they answered all the same"


def test_a_blank_is_no_answer() -> None:
    blank = said("u", start=11).assign(answer=float("nan"))
    assert row(behaviour(programme(said(TEN), blank)))["answers"] == 10


@pytest.mark.parametrize(
    ("day", "within"),
    [("2025-04-09", False), ("2025-04-10", True), ("2025-07-10", True), ("2025-07-11", False), ("2025-01-10", False)],
)
def test_both_ends_of_the_time_are_within_it(day: str, within: bool) -> None:
    asked = programme(said(TEN), said("u", start=11, on=day))
    assert row(behaviour(asked))["answers"] == 10 + within


def test_sooner_and_later_answers_are_counted_and_left_out() -> None:
    asked = programme(said(TEN), said("uu", start=11, on="2025-02-10"), said("u", start=13, on="2025-12-10"))
    found = behaviour(asked)
    left = "some forms given sooner and some forms given later"
    assert f"Left out, for months=(3, 6): {left}." in found.caveats
    assert row(behaviour(asked, months=(0, 12)))["answers"] == 13


def test_months_run_from_the_last_session_a_leader_came_to_before_answering() -> None:
    """L1 came last in January; L2 in July and again after answering; L3 to none: from the last held by then."""
    held = {"S1": SESSION, "S2": "2025-07-10", "S3": "2025-12-10"}
    answers = said("uuu", on="2025-11-10")
    asked = programme(answers, sessions=held, came=[("S1", "L1"), ("S2", "L2"), ("S3", "L2")])
    found = behaviour(asked)
    forms = found.details.forms.set_index("subject_id")  # type: ignore[attr-defined]
    assert forms["since"].to_dict() == {"L1": CAME, "L2": CAME, "L3": HELD}
    assert forms["within"].to_dict() == {"L1": False, "L2": True, "L3": True}
    assert forms.loc["L1", "months"] == pytest.approx(304 / 30.4375)
    assert "for some forms months run from the last session held" in " ".join(found.caveats)


def test_invited_is_not_come() -> None:
    came = pd.DataFrame({"session_id": ["S2"], "person_id": ["L1"], "status": ["invited"]})
    asked = programme(said("u"), sessions={"S1": SESSION, "S2": "2025-04-10"}, tables={"attendance": came})
    with pytest.raises(ek.NotEnoughEvidence, match=r"after 1\.0 months"):
        behaviour(asked)
    assert behaviour(asked, months=(1, 2)).details.forms["since"].tolist() == [HELD]  # type: ignore[attr-defined]


def test_without_sessions_months_run_from_the_start_and_without_a_start_they_are_not_known() -> None:
    assert row(behaviour(programme(said(TEN), sessions={}, starts_on=date(2025, 1, 10))))["answers"] == 10
    with pytest.raises(ek.NotEnoughEvidence, match="when sessions were held or the programme started"):
        behaviour(programme(said(TEN), sessions={}, starts_on=None))


def test_an_answer_without_a_day_counts_from_the_day_its_wave_opened() -> None:
    waves = pd.DataFrame({"wave": [1], "opens_on": pd.to_datetime(["2025-05-01"])})
    asked = programme(
        said(TEN), said("u", start=11, on=None, wave=1), said("u", start=12, on=None), tables={"waves": waves}
    )
    found = behaviour(asked)
    assert row(found)["answers"] == 11
    assert "Left out, for months=(3, 6): 1 form without a known day." in found.caveats


def test_of_several_answers_by_one_person_the_latest_counts() -> None:
    asked = programme(said("nnnnnn", wave=1), said("uuu", on="2025-06-10", wave=2))
    found = row(behaviour(asked))
    assert (found["answers"], found["used"], found["not yet"]) == (6, 3, 3)


def test_answers_after_the_day_and_of_leaders_followed_for_comparison_are_left_out() -> None:
    waves = pd.DataFrame({"wave": [2], "opens_on": pd.to_datetime(["2025-06-10"])})
    later = said("uu", start=11, on=None, wave=2)
    asked = programme(said(TEN), later, as_of=date(2025, 5, 31), tables={"waves": waves})
    found = behaviour(asked)
    assert row(found)["answers"] == 10
    assert "without a known day" not in " ".join(found.caveats)
    found = behaviour(programme(said(TEN), arms={"L1": "comparison", "L2": "comparison"}))
    assert row(found)["answers"] == 8
    assert found.about.of == 8


def test_who_says_so_stands_apart_and_others_are_told_beside() -> None:
    sponsors = said("nnntsuueeu", rater="sponsor", by=[f"P{at}" for at in range(10)])
    found = behaviour(programme(said(TEN), sponsors))
    assert row(found, by="sponsor")[["group", "estimate", "n", "raters"]].tolist() == ["sponsors", 50.0, 10, 10]
    assert "sponsors: 5 of 10" in found.reading
    assert "was said by 10 of 10 leaders; and by 10 sponsors, of 10 leaders." in found.reading
    assert set(found.marks["row"].dropna()) <= set(found.table.index[found.table["by"] == "self"])
    alone = behaviour(programme(said(TEN), sponsors), raters=("sponsor",))
    assert alone.headline.endswith("5 of 10 sponsors who could say")
    assert "Leaders speak of themselves" not in " ".join(alone.caveats)


def test_answers_by_one_person_or_of_one_leader_count_as_one() -> None:
    """P1 speaks of three leaders, P2 to P5 of one each; 7 answers count as 49 / (9 + 4) = 3.77: fewer than five, so no
    interval. With P6 to P9 too: 121 / (9 + 8) = 7.12 answers, 4 of 11 in use."""
    by, about = ["P1", "P1", "P1", "P2", "P3", "P4", "P5"], [f"L{k}" for k in range(1, 8)]
    few = programme(said("nnnuunn", rater="sponsor", by=by, about=about))
    assert apart(few.responses) == pytest.approx(49 / 13)
    found = behaviour(few)
    assert row(found, by="sponsor")[["interval", "n", "raters", "answers"]].tolist() == ["none given", 7, 5, 7]
    more = programme(
        said(
            "nnnuunnuunn", rater="sponsor", by=[*by, "P6", "P7", "P8", "P9"], about=[*about, *["L8", "L9", "LA", "LB"]]
        )
    )
    asked = behaviour(more)
    seen, n = row(asked, by="sponsor"), 121 / 17
    p, z = 4 / 11, stats.norm.ppf(0.975)
    middle, half = (
        (p + z**2 / (2 * n)) / (1 + z**2 / n),
        z / (1 + z**2 / n) * (p * (1 - p) / n + z**2 / (4 * n * n)) ** 0.5,
    )
    assert (seen["low"], seen["high"]) == pytest.approx((100 * (middle - half), 100 * (middle + half)))
    assert "count as one in the intervals" in " ".join(asked.caveats)


def test_several_of_one_kind_may_speak_of_one_leader() -> None:
    peers = said("uunn", rater="peer", by=["Q1", "Q2", "Q3", "Q4"], about=["L1"] * 4)
    found = row(behaviour(programme(said(TEN), peers)), by="peer")
    assert found[["n", "raters", "answers", "interval"]].tolist() == [1, 4, 4, "none given"]


def test_what_became_of_what_was_tried_is_a_row_of_its_own() -> None:
    """Of eight asked twice six had tried it: two now embedded, one used, one stopped, one still tried, one not yet."""
    asked = programme(said("ttttttnu", on="2025-02-10", wave=1), said("eeustnut", wave=2), said("un", start=9))
    found = behaviour(asked)
    was = row(found, by="self, tried before")
    assert was["group"] == "leaders, who had tried it"
    assert was[["embedded", "used", "stopped", "tried", "not yet", "answers"]].tolist() == [2, 1, 1, 1, 1, 6]
    assert "6 leaders had tried" in found.reading
    assert "now: embedded 2, used 1, tried 1, not yet 1 and stopped 1." in found.reading
    assert was["tells"] == 2, "the other four would be told, and the two of them who use it"
    copy = protect(found, Audience.COMMISSIONER)
    assert row(copy, by="self, tried before")["interval"] == "withheld"
    assert "had tried" not in copy.reading
    assert row(copy)["answers"] == 10


def test_asked_once_nothing_is_said_of_what_was_tried_before() -> None:
    found = behaviour(programme(said(TEN)))
    assert not found.table["by"].str.contains("tried").any()
    assert "had tried" not in found.reading


def test_most_and_fewest_are_named_and_ties_go_to_the_earlier_in_the_form() -> None:
    found = behaviour(programme(said(TEN), said("nnnnnnnnsu", item=TESTING), said("nnnnnnnnsu", item="giving")))
    assert found.headline == (
        f"In use by most: “{TEXT[ASKING]}” (6 of 10 leaders who could say); by fewest: “{TEXT['giving']}” (1 of 10)"
    )
    assert f"Not yet begun most often: “{TEXT['giving']}” (8 of 10)." in found.reading


def test_where_all_are_in_use_alike_none_is_named() -> None:
    found = behaviour(programme(said("uuuuu"), said("eeeee", item=TESTING)))
    assert found.headline == "Every behaviour is in use alike: 5 of 5 leaders who could say"
    assert "Stopped: nothing. Not yet begun: nothing." in found.reading
    asks = found.table.loc[found.table["sign"] != "", ["sign", "ask"]].to_numpy().tolist()
    assert asks == [["working", f"“{TEXT[ASKING]}” is in use by 5 of 5 who could say: what helped?"]]
    low, high = stats.binomtest(5, 5).proportion_ci(method="wilson")
    assert row(found)[["low", "high"]].tolist() == pytest.approx([100 * low, 100 * high])


def test_where_nobody_could_say_that_is_what_is_said() -> None:
    found = behaviour(programme(said("??????")))
    assert found.headline == "None of the leaders could say what became of it"
    assert row(found)[["n", "answers", "cannot say", "interval"]].tolist() == [0, 0, 6, "none given"]
    assert (found.table["sign"] == "").all()
    assert not (found.marks["mark"] == "share").any()
    assert found.svg()


def test_the_behaviour_in_use_by_fewest_is_something_to_talk_about() -> None:
    asked = programme(said(TEN * 2), said("nnnnnsssuu" * 3, item=TESTING))
    found = behaviour(asked)
    signed = found.table[found.table["sign"] != ""].set_index("measure")
    assert signed["sign"].to_dict() == {TEXT[TESTING]: "not working"}
    ask = "in use by 6 of 30 who could say: what is in the way, and does their own organisation back it?"
    assert signed["ask"].iloc[0] == f"“{TEXT[TESTING]}” is {ask} Stopped by 9: what did they find?"
    (said_of,), left_out = talk.of_answers(asked, [found], None)
    assert (said_of.sign.value, said_of.n, said_of.n_of, left_out) == ("not working", 30, "leaders", 0)
    assert "does their own organisation back it" in said_of.ask


def test_a_behaviour_stopped_most_often_is_asked_about_beside_it() -> None:
    found = behaviour(programme(said("uuuuuuuuss"), said("nnnnnnnnnu", item=TESTING)))
    signed = found.table[found.table["sign"] != ""].set_index("measure")["sign"].to_dict()
    assert signed == {TEXT[ASKING]: "uncertain", TEXT[TESTING]: "not working"}


@pytest.mark.parametrize("n", [1, 2, 4])
def test_few_leaders_are_described_without_interval_and_stay_with_the_evaluator(n: int) -> None:
    found = behaviour(programme(said(TEN[-n:])))
    assert set(found.table["interval"]) == {"none given"}
    copy = protect(found, Audience.COMMISSIONER)
    assert set(copy.table.loc[copy.table["answers"].isna(), "interval"]) <= {"withheld", "none given"}
    assert copy.headline == "Withheld: too few people to show"
    assert not (copy.marks["mark"] == "share").any()


def test_few_sponsors_are_withheld_and_leaders_are_not() -> None:
    sponsors = said("nuu", rater="sponsor", by=["P1", "P2", "P3"])
    copy = protect(behaviour(programme(said(TEN * 2), sponsors)), Audience.COMMISSIONER)
    assert row(copy, by="sponsor")["interval"] == "withheld"
    assert row(copy)["estimate"] == 60.0
    assert "sponsors" not in copy.headline


def test_an_own_form_that_adapts_it_is_asked_alike(tmp_path: Path) -> None:
    (tmp_path / "instruments").mkdir()
    (tmp_path / "instruments" / "ours.toml").write_text(
        'schema = 1\nid = "ours"\nadapts = "putting_to_use"\nname = "Ours at work"\nedition = "2026"\n'
        'source = "ours"\n\n[[items]]\nkey = "calling"\ndomain = "use"\ntext = "Calling instead of writing"\n',
        encoding="utf-8",
    )
    (tmp_path / "programme.toml").write_text(
        'schema = 1\nname = "Testmere"\nstarts_on = 2025-01-10\nfictional = true\n'
    )
    people = [f"L{k}" for k in range(1, 7)]
    (tmp_path / "people.csv").write_text("\n".join(["person_id,kind", *(f"{one},participant" for one in people)]))
    head = "respondent_id,subject_kind,subject_id,rater,instrument,item,timing,answered_on,answer"
    lines = [f"{one},person,{one},self,ours,calling,followup,2025-05-10,{word}"
             for one, word in zip(people, [*BECAME_OF_SIX], strict=True)]  # fmt: skip
    (tmp_path / "responses.csv").write_text("\n".join([head, *lines]))
    found = behaviour(ek.load(tmp_path), on="ours")
    assert rows(found).loc["Calling instead of writing", ["used", "embedded", "cannot say", "n"]].tolist() == [
        2,
        1,
        1,
        5,
    ]
    assert "Ours at work" in found.alt


BECAME_OF_SIX = ("used", "Used", "embedded", "not yet", "stopped", "cannot say")


def test_what_cannot_be_answered_says_what_would_answer_it() -> None:
    asked = programme(said(TEN))
    with pytest.raises(ek.NotEnoughEvidence, match=r"does not ask what became of a behaviour.*not yet, tried, used"):
        behaviour(asked, on="system_leadership")
    with pytest.raises(ek.NotEnoughEvidence, match="Nobody answered the Putting it to use"):
        behaviour(asked, raters=("peer",))
    with pytest.raises(ek.NotEnoughEvidence, match=r"10 forms came after 3\.9 months.*months=\(3, 4\)"):
        behaviour(asked, months=(12, 18))


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"months": (6, 3)}, "fewer months first"),
        ({"months": (-1, 3)}, "fewer months first"),
        ({"months": (2.5, 6)}, "whole months"),
        ({"raters": ("boss",)}, "must name who says so, among: line_manager"),
        ({"raters": ()}, "must name who says so"),
        ({"on": "smiles"}, "No instrument is called 'smiles'"),
        ({"confidence": 95}, "between 0 and 1"),
    ],
)
def test_settings_there_cannot_be_are_errors_that_teach(told: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        behaviour(programme(said(TEN)), **told)


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text("ntues?", min_size=1, max_size=14), st.text("ntues?", min_size=1, max_size=14))
def test_whatever_is_answered_every_answer_stands_once(asking: str, testing: str) -> None:
    found = behaviour(programme(said(asking), said(testing, item=TESTING)))
    for item, letters in ((ASKING, asking), (TESTING, testing)):
        told = row(found, item)
        assert [told[LETTERS[letter]] for letter in "ntues?"] == [letters.count(letter) for letter in "ntues?"]
        could = len(letters) - letters.count("?")
        assert told["answers"] == could
        if could:
            assert told["estimate"] == pytest.approx(100 * sum(letters.count(one) for one in "ue") / could)
        assert (told["interval"] == "none given") == (could < 5)
    assert not CAUSE.search(f"{found.headline} {found.reading} {' '.join(found.caveats)} {found.alt}")
    pieces = found.marks[found.marks["mark"] == "share"]
    assert pieces.groupby("x")["y"].sum().to_numpy() == pytest.approx(100.0)
    protect(found, Audience.PUBLIC)


def test_northmere_is_counted_again_by_hand() -> None:
    """Leaders' last session by then, four months after: counted without evalkit's own code."""
    northmere = ek.load(folder("sample_data") / "northmere")
    found = behaviour(northmere)
    own = northmere.responses.query("instrument == 'putting_to_use' and rater == 'self' and item == 'testing'")
    came = northmere.attendance.query("status == 'attended'").merge(northmere.sessions, on="session_id")
    last = came[came["held_on"] <= "2026-01-10"].groupby("person_id")["held_on"].max()
    since = own["subject_id"].map(last).fillna(northmere.sessions["held_on"].max())
    within = (own["answered_on"] >= since + pd.DateOffset(months=3)) & (
        own["answered_on"] <= since + pd.DateOffset(months=6)
    )
    counts = own.loc[within, "answer"].value_counts()
    told = row(found, TESTING)
    assert [told[word] for word in CODES] == [counts.get(code, 0) for code in CODES.values()]
    assert told["answers"] == 35
