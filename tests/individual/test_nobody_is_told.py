"""Nothing about one leader, and no few of them, is worked out from what a commissioner sees of the room's answers.

Each test holds one leader, or a few, who differ from all others, and tries to work out what they said: from counts and
what is left of a whole, or from two answers side by side, whose means times how many people are sums.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.individual.besides import besides
from evalkit.instrument import shipped
from evalkit.result import Result
from evalkit.terms import Audience
from tests.individual.rated import alike, programme, rows

MANY = 21
LEADERS = [f"L{at:02}" for at in range(MANY)]
DOMAINS = {
    domain.key: tuple(item.key for item in shipped()["system_leadership"].items if item.domain == domain.key)
    for domain in shipped()["system_leadership"].domains
}
KNOW_HOW = {
    domain.key: tuple(item.key for item in shipped()["knowledge_and_skills"].items if item.domain == domain.key)
    for domain in shipped()["knowledge_and_skills"].domains
}
PARTS = {
    domain.key: tuple(item.key for item in shipped()["learning"].items if item.domain == domain.key)
    for domain in shipped()["learning"].domains
}
rng = np.random.default_rng(20240401)
FIRST, LAST = (rng.integers(low, low + 3, (MANY, 30)) for low in (1, 3))


def shown(found: Result) -> Result:
    """The commissioner's copy."""
    return protect(found, Audience.COMMISSIONER)


def said(copy: Result) -> str:
    """All that a copy says, numbers and pictures too, without what is written of the row alone."""
    return json.dumps(copy.to_json(), ensure_ascii=False) + copy.alt + copy.svg()


def full(of: Mapping[str, Sequence[str]], answers: Any, without: Sequence[str] = ()) -> dict[str, float | None]:
    """One answer a question, those `without` left blank."""
    items = [item for each in of.values() for item in each]
    return {item: None if item in without else float(one) for item, one in zip(items, answers, strict=False)}


def everybody(
    of: Mapping[str, Sequence[str]], leaders: Sequence[str] = LEADERS, waves: Sequence[int] = (1, 4)
) -> dict[str, dict[int, dict[str, float | None]]]:
    """Every one of these leaders answers everything at the first wave and the last."""
    each = dict(zip((1, 4), (FIRST, LAST), strict=True))
    return {one: {wave: full(of, each[wave][LEADERS.index(one)]) for wave in waves} for one in leaders}


def small_counts(copy: Result, *columns: str) -> list[int]:
    """Counts in these columns that are few people, or leave few of the row's."""
    table = copy.table
    return [int(n) for name in columns for n in table[name].dropna() if 0 < n < copy.about.minimum_group]


def total(copy: Result, column: str, people: str, **row: Any) -> float | None:
    """A mean of one row times its people; None where the copy does not hold it."""
    held = copy.table
    for name, value in row.items():
        held = held[held[name] == value]
    found = held[[column, people]].astype(float).prod(axis=1, skipna=False)
    return None if found.isna().all() else float(found.iloc[0])


# what was answered, counted ------------------------------------------------------------------------------------------


def forms(answers: Mapping[str, Sequence[int]]) -> Result:
    """A form a person and session, the same answer to every question."""
    items = [item.key for item in shipped()["reaction"].items]
    told = [
        {"respondent_id": f"L{at:02}", "subject_kind": "session", "subject_id": session, "rater": "self",
         "instrument": "reaction", "item": item, "timing": "post", "answer": float(one)}
        for session, each in answers.items() for at, one in enumerate(each) for item in items
    ]  # fmt: skip
    sessions = pd.DataFrame({"session_id": [*answers], "held_on": pd.Timestamp("2025-01-01")})
    rated = rows("system_leadership", everybody(DOMAINS, [f"L{at:02}" for at in range(MANY)], (1,)))
    responses = pd.DataFrame(told).astype({"answer": float})
    return ek.individual.reaction(programme(rated, responses, tables={"sessions": sessions}))


def test_one_who_disagreed_with_a_session_is_not_counted_alone() -> None:
    """One disagrees, nine stand between, eleven agree; at the other session nobody disagrees."""
    raw = forms({"S1": [1] + [3] * 9 + [4] * 11, "S2": [3] * 10 + [4] * 11})
    assert raw.table["Strongly disagree"].eq(1).any()
    copy = shown(raw)
    assert not small_counts(copy, "Strongly disagree", "Disagree", "Neither", "Agree", "Strongly agree")
    everywhere = copy.table[copy.table["group"] == "all"]
    assert everywhere["Strongly disagree"].dropna().empty, "all sessions less the other would tell it"
    assert everywhere["Neither"].dropna().empty, "so would what is left of those who do not agree"
    assert "strongly disagree 1" not in copy.alt
    assert copy.headline == raw.headline, "most and least agreed with are still told"


def test_three_who_agree_with_a_question_are_not_told() -> None:
    copy = shown(forms({"S1": [2] * 18 + [4] * 3}))
    assert copy.headline.startswith("Withheld")
    assert " 3 of 21" not in said(copy)


def put_to_use(letters: str, on: Sequence[str] = ()) -> Result:
    """What leaders say became of asking partners, by letter."""
    codes = shipped()["putting_to_use"].scale.codes
    words = {"n": "not yet", "t": "tried", "u": "used", "e": "embedded", "s": "stopped", "?": "cannot say"}
    days = [*on, *["2025-05-01"] * (len(letters) - len(on))]
    told = pd.DataFrame(
        [{"respondent_id": f"L{at:02}", "subject_kind": "person", "subject_id": f"L{at:02}", "rater": "self",
          "instrument": "putting_to_use", "item": "asking", "timing": "followup", "answered_on": pd.Timestamp(day),
          "wave": 1, "answer": float(codes[words[one]])}
         for at, (one, day) in enumerate(zip(letters, days, strict=True))]
    ).astype({"wave": "Int64"})  # fmt: skip
    sessions = pd.DataFrame({"session_id": ["S1"], "held_on": pd.Timestamp("2025-01-10")})
    return ek.individual.behaviour(programme(told, tables={"sessions": sessions}))


def test_one_who_stopped_a_behaviour_is_not_counted_alone() -> None:
    raw = put_to_use("s" + "n" * 9 + "u" * 8 + "e" * 2 + "?")
    assert "1 of 20" in raw.reading
    copy = shown(raw)
    assert not small_counts(copy, "not yet", "tried", "used", "embedded", "stopped", "cannot say")
    assert "stopped 1" not in copy.alt
    assert not any(text in said(copy) for text in ("1 of 20", "Stopped by 1", "by 1 of"))
    assert "10 of 20" in copy.headline, "how many use it is still told"
    assert copy.table["used"].dropna().eq(0).all(), "used tells embedded, for in use is both"


@pytest.mark.parametrize("letters", ["u" * 3 + "n" * 17, "u" * 18 + "n" * 2])
def test_few_who_use_it_and_few_who_do_not_are_not_told(letters: str) -> None:
    assert shown(put_to_use(letters)).headline.startswith("Withheld")


def test_the_month_in_which_one_answered_late_is_not_told() -> None:
    copy = shown(put_to_use("n" * 10 + "u" * 11, on=["2025-12-17"]))
    assert "some forms given later" in " ".join(copy.caveats)
    assert "11.2" not in said(copy)


def lead(styles: Mapping[int, Mapping[str, str]]) -> Result:
    """Wave → style → a letter a leader: y, n or ? (cannot say)."""
    names = [item.key for item in shipped()["leadership_styles"].items]
    code = {"y": 1.0, "n": 0.0, "?": float(shipped()["leadership_styles"].scale.codes["cannot say"])}
    given: dict[str, dict[int, dict[str, float | None]]] = {}
    for wave, each in styles.items():
        for name in names:
            for at, letter in enumerate(each.get(name, each["else"])):
                given.setdefault(f"L{at:02}", {}).setdefault(wave, {})[name] = code[letter]
    return ek.individual.styles(programme(rows("leadership_styles", given)))


HALF = "y" * 10 + "n" * 10


def test_the_one_who_leads_in_a_style_is_not_told() -> None:
    copy = shown(lead({1: {"directive": "y" + "n" * 19, "else": HALF}}))
    assert not small_counts(copy, "yes")
    assert "1 of 20" not in said(copy)
    assert copy.headline.startswith("Most common style: Visionary (10 of 20 leaders)")
    number = copy.table[copy.table["what"] == "mean number"]
    assert number["estimate"].isna().all(), "the mean number of styles is their sum"


def test_the_one_who_took_up_a_style_is_not_told() -> None:
    """Twenty lead so then, ten before and ten after but for one: nobody else differs."""
    copy = shown(lead({1: {"else": HALF}, 4: {"else": HALF, "coaching": "y" * 11 + "n" * 9}}))
    assert not small_counts(copy, "gained", "lost")
    assert "1 lead so now" not in said(copy)


def test_the_one_who_cannot_say_is_not_told() -> None:
    copy = shown(lead({1: {"coaching": "?" + HALF, "else": "y" + HALF}}))
    assert not small_counts(copy, "cannot_say")
    assert "Left out as" not in " ".join(copy.caveats)


def test_the_one_who_learnt_nothing_is_not_told() -> None:
    """Asked once: one of 21 does not agree on knowledge; on the rest all do."""
    answers = {one: {4: alike([item for part in PARTS.values() for item in part], 4.0)} for one in LEADERS}
    answers[LEADERS[0]][4] |= alike(PARTS["knowledge"], 1.0)
    copy = shown(ek.individual.learning(programme(rows("learning", answers))))
    assert "20 of 21" not in said(copy)
    assert 20 not in copy.table["agreed"].dropna().tolist()


def test_questions_left_out_by_one_are_not_counted_alone() -> None:
    answers = everybody(DOMAINS)
    answers[LEADERS[3]][4]["ii_1"] = None
    copy = shown(ek.individual.reliability(programme(rows("system_leadership", answers))))
    assert not small_counts(copy, "n_incomplete")


# two answers side by side --------------------------------------------------------------------------------------------


def test_a_set_tells_whoever_is_in_another_alone() -> None:
    assert besides("abc", ["abcd", "abcdefghij"], 5) == 1
    assert besides("abc", ["abd", "abc"], 5) is None, "neither holds the other: their sums tell nobody"


def test_the_one_who_did_not_look_back_is_not_told_by_what_all_say_now() -> None:
    """Growth: the sum over 21; looking back: over the 20 who did."""
    back = {one: {4: waves[1]} for one, waves in everybody(DOMAINS, LEADERS[1:]).items()}
    asked = programme(rows("system_leadership", everybody(DOMAINS)), rows("system_leadership", back, timing="then"))
    growth = shown(ek.individual.growth(asked, on="system_leadership"))
    looked = ek.individual.response_shift(asked, on="system_leadership")
    now = total(growth, "mean_last", "n", measure="Overall (mean of domains)")
    assert now is not None
    theirs = total(looked, "mean_post", "n", of="then less pre", measure="Overall (mean of domains)")
    alone = np.mean([np.mean([LAST[0][at] for at, item in enumerate(full(DOMAINS, LAST[0])) if item in items])
                     for items in DOMAINS.values()])  # fmt: skip
    assert now - theirs == pytest.approx(alone), "the attack works on the evaluator's copies"
    copy = shown(looked)
    for column in ("mean_pre", "mean_then", "mean_post"):
        assert copy.table.loc[copy.table["told_by"] == "leaders", column].isna().all()
    assert "20 of 21" not in copy.headline
    assert not any("1 leader with only" in caution for caution in copy.caveats)


def test_the_one_whom_no_sponsor_rated_is_not_told_by_what_leaders_say() -> None:
    sponsored = everybody(DOMAINS, LEADERS[1:])
    asked = programme(
        rows("system_leadership", everybody(DOMAINS)),
        rows("system_leadership", sponsored, rater="sponsor", by={one: f"S{one}" for one in sponsored}),
    )
    raw = ek.individual.seen_by_others(asked, on="system_leadership", raters=("sponsor",))
    assert raw.table["mean_own"].notna().any()
    for by in (None, "domain"):
        copy = shown(ek.individual.seen_by_others(asked, on="system_leadership", raters=("sponsor",), by=by))
        assert copy.table["mean_own"].isna().all()
        assert copy.headline.startswith("Withheld")
    half = everybody(DOMAINS, LEADERS[:12])
    enough = programme(
        rows("system_leadership", everybody(DOMAINS)),
        rows("system_leadership", half, rater="sponsor", by={one: f"S{one}" for one in half}),
    )
    told = shown(ek.individual.seen_by_others(enough, on="system_leadership", raters=("sponsor",)))
    assert told.table["mean_own"].notna().any(), "nine without a sponsor are enough people"


def test_the_one_with_a_dimension_left_blank_is_not_told_by_the_others() -> None:
    answers = everybody(KNOW_HOW)
    answers[LEADERS[2]][4] |= alike(KNOW_HOW["personal"], None)
    asked = programme(rows("knowledge_and_skills", answers))
    growth = shown(ek.individual.growth(asked, on="knowledge_and_skills", domain="technical"))
    now = total(growth, "mean_last", "n")
    assert now is not None
    copy = shown(ek.individual.balance(asked))
    label = shipped()["knowledge_and_skills"].domain_labels["technical"]
    assert total(copy, "estimate", "n", measure=label, wave=4) is None
    assert "not counted: 1" not in " ".join(copy.caveats)


def test_the_one_who_lacks_a_domain_is_not_told_by_the_whole() -> None:
    """The sums of all domains less those of the whole are what one leader said on the domains they answered."""
    answers = everybody(DOMAINS)
    for wave in (1, 4):
        answers[LEADERS[2]][wave] |= alike(DOMAINS["innovation"], None)
    asked = programme(rows("system_leadership", answers))
    labels = shipped()["system_leadership"].domain_labels
    copy = shown(ek.individual.growth(asked, on="system_leadership"))
    assert copy.headline.endswith("self-report"), "the whole is still told"
    sums = [total(copy, "mean_last", "n", measure=labels[key]) for key in DOMAINS]
    assert sums.count(None) == 1
    kept = [*DOMAINS][sums.index(None)]
    alone = ek.individual.growth(asked, on="system_leadership", domain=kept)
    for other in (alone, ek.individual.trajectories(asked, domain=kept), ek.individual.attrition(asked)):
        table = shown(other).table
        means = table[table["measure"].str.startswith(labels[kept])].filter(like="mean")
        assert means.isna().all(axis=None)
    course = shown(ek.individual.trajectories(asked, domain=kept)).table
    assert course["estimate"].isna().all()


def test_the_one_of_no_known_group_is_not_told_by_the_groups() -> None:
    ranks = {one: "executive" if at < 11 else "senior_middle" for at, one in enumerate(LEADERS[1:])}
    asked = programme(rows("system_leadership", everybody(DOMAINS)), seniority=ranks)
    raw = ek.individual.growth(asked, on="system_leadership", by="seniority")
    assert raw.table["estimate"].notna().sum() == 2
    copy = shown(raw)
    assert copy.table["estimate"].isna().all(), "both, for one alone is told by its total"
    assert not any("1 leader" in caution for caution in copy.caveats)


def test_groups_of_two_splits_do_not_tell_who_is_in_one_alone() -> None:
    """All executives but one are of one team's cohort: their sums differ by that leader."""
    ranks = {one: "executive" if at < 11 else "senior_middle" for at, one in enumerate(LEADERS)}
    teams = {one: "T1" if at < 10 else "T2" for at, one in enumerate(LEADERS)}
    cohorts = pd.DataFrame({"team_id": ["T1", "T2"], "cohort": ["first", "second"]})
    asked = programme(
        rows("system_leadership", everybody(DOMAINS)), seniority=ranks, teams=teams, tables={"teams": cohorts}
    )
    seen = [shown(ek.individual.growth(asked, on="system_leadership", by=by)) for by in ("seniority", "cohort")]
    told = [copy.table["estimate"].notna().any() for copy in seen]
    assert not all(told)


def test_pairs_alone_are_not_told_apart_by_the_means_of_each_wave() -> None:
    """Six answer twice, one at the start alone: growth is of six, the first mean of the course of seven."""
    answers = everybody(DOMAINS, LEADERS[:6]) | everybody(DOMAINS, LEADERS[6:7], (1,))
    asked = programme(rows("system_leadership", answers))
    growth = shown(ek.individual.growth(asked, on="system_leadership"))
    pairs = total(growth, "mean_first", "answered_both", measure="Overall (mean of domains)")
    raw = ek.individual.trajectories(asked)
    wave = total(raw, "estimate", "n", what="mean", wave=1)
    assert pairs is not None
    assert wave is not None
    items = [*full(DOMAINS, FIRST[6])]
    alone = np.mean([FIRST[6][[items.index(item) for item in own]].mean() for own in DOMAINS.values()])
    assert wave - pairs == pytest.approx(alone), "the attack works on the evaluator's copies"
    assert total(shown(raw), "estimate", "n", what="mean", wave=1) is None


def test_a_real_programme_still_says_the_main_thing() -> None:
    """What is withheld from a programme of the usual size is the few, not the answer."""
    northmere = ek.load("sample_data/northmere")
    for ask in ("reaction", "learning", "behaviour", "styles", "balance"):
        copy = shown(getattr(ek.individual, ask)(northmere))
        assert not copy.headline.startswith("Withheld"), ask
