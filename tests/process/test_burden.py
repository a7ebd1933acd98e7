"""How much is asked of people: forms, minutes, hours; what nobody timed is not known. Counted by hand."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

import evalkit as ek
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result

SETTINGS = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2025, 3, 31), fictional=True)
ANSWER = ("respondent_id", "subject_id", "rater", "instrument", "item", "timing", "answer")


def tables(answers: list[tuple[object, ...]], minutes: dict[str, float]) -> dict[str, pd.DataFrame]:
    people = pd.DataFrame({"person_id": ["L1", "L2", "SP"], "kind": ["participant", "participant", "sponsor"]})
    responses = pd.DataFrame(answers, columns=list(ANSWER)).assign(subject_kind="person", wave=1)
    responses = responses.astype({"wave": "Int64", "answer": float})
    timed = pd.DataFrame({"instrument": list(minutes), "minutes": list(minutes.values())}).astype({"minutes": float})
    return {
        "people": people, "participants": pd.DataFrame({"participant_id": ["L1", "L2"]}), "burden": timed,
        "waves": pd.DataFrame({"wave": pd.array([1], dtype="Int64")}), "responses": responses,
    }  # fmt: skip


ANSWERS: list[tuple[object, ...]] = [
    ("L1", "L1", "self", "system_leadership", "ie_1", "post", 3),
    ("L1", "L1", "self", "system_leadership", "ie_2", "post", 4),
    ("L1", "L1", "self", "system_leadership", "ie_1", "then", 2),
    ("L1", "L1", "self", "learning", "", "post", 3),
    ("L2", "L2", "self", "system_leadership", "ie_1", "post", None),
    ("SP", "L1", "sponsor", "system_leadership", "ie_1", "post", 3),
    ("SP", "L2", "sponsor", "system_leadership", "ie_1", "post", 3),
]


def answers() -> list[tuple[object, ...]]:
    item = ek.load(folder("sample_data") / "northmere").instruments["learning"].items[0].key
    return [(*row[:4], row[4] or item, *row[5:]) for row in ANSWERS]


def asked(given: dict[str, pd.DataFrame], **said: dict[str, float]) -> Result:
    return ek.process.burden(Programme.build(settings=SETTINGS, tables=given), **said)


def held(found: Result, measure: str, group: str) -> pd.Series:
    return found.table.query("measure == @measure and group == @group").iloc[0]


def test_a_form_is_a_questionnaire_about_somebody_at_one_time():
    found = asked(tables(answers(), {"system_leadership": 9, "learning": 4}))
    # L1: post, then, learning; L2 left everything out; the sponsor two
    assert held(found, "Forms a person, most", "as sponsor")["estimate"] == 2
    assert held(found, "Minutes a person, median", "as sponsor")["estimate"] == 18
    leader = held(found, "Minutes a person, median", "leaders, all their forms")
    assert (leader["estimate"], leader["n"], leader["n_of"]) == (22, 1, "leaders")
    assert found.table["estimate"].iloc[0] == pytest.approx((9 + 9 + 4 + 18) / 60)
    assert found.about.n == 2


def test_what_nobody_timed_is_not_known_and_never_zero():
    found = asked(tables(answers(), {"system_leadership": 9}))
    leader = held(found, "Minutes a person, median", "leaders, all their forms")
    assert pd.isna(leader["estimate"])
    assert (leader["n"], leader["unknown"]) == (0, 1)
    assert found.headline.startswith("At least")
    row = held(found, "Questionnaires with no minutes written", "all")
    assert (row["n"], row["out_of"], row["sign"]) == (1, 2, "not recorded")
    assert "1 form of unknown length" in found.reading
    nothing = asked(tables(answers(), {}))
    assert nothing.headline == "How many hours were asked of 2 people is not known"
    assert pd.isna(nothing.table["estimate"].iloc[0])


def test_the_asker_may_supply_minutes_which_go_first():
    found = asked(tables(answers(), {"system_leadership": 90}), minutes={"system_leadership": 9, "learning": 4})
    assert found.table["estimate"].iloc[0] == pytest.approx(40 / 60)
    assert found.about.asked == "process.burden(minutes={'system_leadership': 9.0, 'learning': 4.0})"
    assert any("given by whoever asked" in text for text in found.caveats)
    with pytest.raises(ValueError, match="No instrument is called 'lerning'"):
        asked(tables(answers(), {}), minutes={"lerning": 4})
    for wrong in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="above 0"):
            asked(tables(answers(), {}), minutes={"learning": wrong})


def test_forms_without_a_name_count_one_each_unless_one_is_known_as_another():
    given = tables(answers(), {"system_leadership": 9, "learning": 4})
    given["respondents"] = pd.DataFrame({"respondent_id": ["F1", "F2", "F3"], "alias_of": [None, "F1", None]})
    forms = [(who, "L1", "partner", "system_leadership", "ie_1", "post", 3) for who in ("F1", "F2", "F3")]
    given["responses"] = tables([*answers(), *forms], {})["responses"]
    found = asked(given)
    row = held(found, "Forms a person, most", "as partner")
    assert (row["n"], row["estimate"]) == (2, 2)
    assert any("came without a name" in text for text in found.caveats)


def test_sessions_alone_are_an_answer_and_nothing_at_all_is_a_refusal():
    given = tables([], {})
    with pytest.raises(ek.NotEnoughEvidence):
        asked(given)
    given["sessions"] = pd.DataFrame({"session_id": ["S1"], "held_on": pd.to_datetime(["2024-05-01"]), "hours": [2.0]})
    given["attendance"] = pd.DataFrame({"session_id": ["S1"], "person_id": ["L1"], "status": ["attended"]})
    found = asked(given)
    assert found.table["estimate"].iloc[0] == 2
    assert held(found, "Hours of sessions a leader, median", "leaders, all their forms")["estimate"] == 1


def test_samples():
    found = ek.process.burden(ek.load(folder("sample_data") / "northmere"))
    assert 1000 < found.table["estimate"].iloc[0] < 10_000
    assert 2 <= held(found, "Forms a person, most", "as sponsor")["estimate"] <= 10
    unnamed = ek.process.burden(ek.load(folder("sample_data") / "small_place"))
    assert held(unnamed, "Forms a person, most", "as self")["estimate"] == 1
    assert "End-of-session form" in unnamed.reading


def test_a_session_of_unknown_length_makes_the_total_a_least():
    given = tables(answers(), {"system_leadership": 9, "learning": 4})
    given["sessions"] = pd.DataFrame({"session_id": ["S1"], "held_on": pd.to_datetime(["2024-05-01"])})
    given["attendance"] = pd.DataFrame({"session_id": ["S1"], "person_id": ["L1"], "status": ["attended"]})
    found = asked(given)
    assert found.headline.startswith("At least")
    assert "how long sessions took is not known" in found.reading
    assert "How long 1 of 1 attendances lasted is not known." in found.caveats
