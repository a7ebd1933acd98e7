"""individual.styles: a profile with intervals, its change among those asked twice, and never a word of better or worse.

R 4.2.2: prop.test(3, 8, correct = FALSE)$conf.int  0.1368442 0.6942576
         newcombe10(2, 1, 4, 1), typed out in tests/stats/test_proportions.py: 0.375 -0.1254500535 0.6932193614
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.individual import styles
from evalkit.instrument import shipped
from evalkit.programme import Programme
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.terms import Attribution, Audience, Design, Step, Verdict
from evalkit.words import CAUSE
from tests.individual.rated import programme, rows

FORM = shipped()["leadership_styles"]
ITEMS = [item.key for item in FORM.items]
ANSWERS = {"n": 0.0, "y": 1.0, "?": FORM.scale.codes["cannot say"], ".": None}
JUDGING = ("better", "worse", "improve", "worsen", "target")


def told(
    waves: dict[int, Sequence[str]], *, rater: str = "self", by: dict[str, str] | None = None, start: int = 1
) -> pd.DataFrame:
    """Wave → a word a leader, a letter a style in the form's order: y yes, n no, ? cannot say, . blank."""
    given_by: dict[str, dict[int, dict[str, float | None]]] = {}
    for wave, sheets in waves.items():
        for at, sheet in enumerate(sheets, start):
            if sheet:
                answers = {item: ANSWERS[letter] for item, letter in zip(ITEMS, sheet, strict=False)}
                given_by.setdefault(f"L{at}", {})[wave] = answers
    return rows("leadership_styles", given_by, rater=rater, by=by)


def of(waves: dict[int, Sequence[str]], **asked: Any) -> Result:
    return styles(programme(told(waves)), **asked)


def row(found: Result, what: str, wave: int | None = None, measure: str = "Directive") -> pd.Series:
    table = found.table[(found.table["what"] == what) & (found.table["measure"] == measure)]
    return (table if wave is None else table[table["wave"] == wave]).iloc[0]


BEFORE = ["yn", "yn", "yn", "nn", "nn", "nn", "nn", "nn"]
AFTER = ["yy", "yy", "nn", "yn", "yn", "yn", "yn", "nn"]
"""Directive: both times 2, before only 1, after only 4, neither 1. Visionary: nobody before, two after."""


def test_a_share_has_wilsons_interval_and_its_change_newcombes() -> None:
    found = of({1: BEFORE, 4: AFTER})
    first, last, moved = row(found, "share", 1), row(found, "share", 4), row(found, "change")
    assert (first["estimate"], first["yes"], first["n"]) == (37.5, 3, 8)
    assert (first["low"], first["high"]) == pytest.approx((13.68442, 69.42576), abs=1e-5)
    assert (last["estimate"], last["yes"], last["n"]) == (75.0, 6, 8)
    assert (moved["estimate"], moved["gained"], moved["lost"], moved["n"]) == (37.5, 4, 1, 8)
    assert (moved["low"], moved["high"]) == pytest.approx((-12.54501, 69.32194), abs=1e-5)
    assert set(found.table["interval"]) >= {"95% confidence"}


def test_nothing_is_judged() -> None:
    found = of({1: BEFORE, 4: AFTER})
    assert (found.verdict, found.attribution, found.kirkpatrick) == (
        Verdict.DESCRIBED, Attribution.CANNOT_TELL, Step.BEHAVIOUR,
    )  # fmt: skip
    assert found.method.design is Design.DESCRIBED
    assert "both pacesetting leaders and collaborative coaches" in found.caveats[0]
    assert "some move by chance" in " ".join(found.caveats)
    assert not any(word in f"{found.headline} {found.reading} {found.alt}".lower() for word in JUDGING)
    assert "sign" not in found.table


def test_what_moved_furthest_is_said_with_how_many_it_was() -> None:
    found = of({1: BEFORE, 4: AFTER})
    assert (
        "Among 8 leaders with an answer in both April 2024 and October 2025, Directive moved furthest: "
        in found.reading
    )
    assert "4 lead so now and did not before, 1 no longer do; 38 percentage points higher" in found.reading
    assert "(between −13 and 69, 95% confidence)." in found.reading


def test_one_wave_is_a_profile_and_no_change() -> None:
    found = of({1: BEFORE})
    assert set(found.table["what"]) == {"share"}, "nobody answered every style, so no number of styles"
    assert "moved" not in found.reading
    assert "by chance" not in " ".join(found.caveats)
    whole = of({1: ["ynynyn", "yyyyyy", "nnnnnn", "ynynnn", "yynnnn"]})
    number = row(whole, "mean number", 1, "Styles a leader leads in")
    interval = stats.t.interval(0.95, 4, 2.6, stats.sem([3, 6, 0, 2, 2]))
    assert number["estimate"] == pytest.approx(2.6)
    assert (number["low"], number["high"]) == pytest.approx(interval)
    assert "Of 6 styles, a leader led on average in April 2024 2.6 (5 leaders)." in whole.reading


def test_the_number_of_styles_is_set_against_itself() -> None:
    sheets = ["ynynyn", "yyyyyy", "nnnnnn", "ynynnn", "yynnnn"]
    later = ["yyynyn", "yyyyyy", "ynnnnn", "yyynnn", "yyynnn"]
    moved = row(of({1: sheets, 4: later}), "change", measure="Styles a leader leads in")
    assert (moved["estimate"], moved["n"]) == (pytest.approx(0.8), 5)
    assert (moved["low"], moved["high"]) == pytest.approx(stats.t.interval(0.95, 4, 0.8, stats.sem([1, 0, 1, 1, 1])))
    alike = row(of({1: sheets, 4: sheets}), "change", measure="Styles a leader leads in")
    assert (alike["estimate"], alike["interval"]) == (0.0, "none given")


def test_cannot_say_is_counted_and_left_out() -> None:
    found = of({1: [*BEFORE, "?y", ".y"]})
    first = row(found, "share", 1)
    assert (first["n"], first["yes"], first["cannot_say"]) == (8, 3, 1), "a blank is no answer"
    assert "Left out as “cannot say”: 1 answer about a leader's style." in found.caveats


def test_where_several_speak_of_a_leader_half_of_those_who_could_say_is_enough() -> None:
    """L1: yes, no, cannot say; L2: yes, no, no; L3 to L7: no."""
    sponsors = [
        told({1: [sheet, other]}, rater="sponsor", by={"L1": one, "L2": one})
        for one, sheet, other in (("P1", "y", "y"), ("P2", "n", "n"), ("P3", "?", "n"))
    ]
    rest = told({1: ["n"] * 5}, rater="sponsor", by={f"L{k}": "P4" for k in range(3, 8)}, start=3)
    found = styles(programme(*sponsors, rest), rater="sponsor")
    first = row(found, "share", 1)
    assert (first["yes"], first["n"], first["raters"], first["cannot_say"]) == (1, 7, 4, 0)
    assert "at least half of those who could say" in " ".join(found.caveats)
    assert found.headline.endswith("as sponsors say")
    assert found.evidence.informants == ("sponsor",)


def test_between_names_two_waves() -> None:
    found = of({1: BEFORE, 2: AFTER, 4: BEFORE}, between=(1, 2))
    assert found.table["wave"].dropna().unique().tolist() == [1, 2]
    assert "between=(1, 2)" in found.about.asked
    with pytest.raises(ValueError, match="earlier wave first"):
        of({1: BEFORE, 4: AFTER}, between=(4, 1))
    with pytest.raises(ek.NotEnoughEvidence, match=r"no answers at wave 3.*1 and 4"):
        of({1: BEFORE, 4: AFTER}, between=(1, 3))


def test_different_people_at_each_wave_are_two_profiles_and_no_change() -> None:
    found = of({1: [*BEFORE, *[""] * 8], 4: [*[""] * 8, *AFTER]})
    assert set(found.table["what"]) == {"share"}
    assert "No leader has an answer in both April 2024 and October 2025" in found.reading


def test_all_alike_still_has_an_interval_of_shares() -> None:
    found = of({1: ["yyyyyy"] * 6, 4: ["yyyyyy"] * 6})
    assert found.headline.startswith("Every style is as common as the others (6 of 6 leaders)")
    low, high = stats.binomtest(6, 6).proportion_ci(method="wilson")
    assert row(found, "share", 4)[["low", "high"]].tolist() == pytest.approx([100 * low, 100 * high])
    moved = row(found, "change")
    assert moved["estimate"] == 0
    assert moved["low"] < 0 < moved["high"]


@pytest.mark.parametrize("n", [1, 2, 4])
def test_few_leaders_are_described_without_interval_and_stay_with_the_evaluator(n: int) -> None:
    found = of({1: BEFORE[:n], 4: AFTER[:n]})
    assert set(found.table["interval"]) == {"none given"}
    copy = protect(found, Audience.COMMISSIONER)
    assert set(copy.table.loc[found.table["n"] > 0, "interval"]) == {"withheld"}
    assert copy.headline == "Withheld: too few people to show"
    assert not (copy.marks["mark"] == "point").any()
    assert found.svg()


def test_a_change_that_would_tell_one_leader_is_withheld() -> None:
    """Six asked twice took it up, all six; the last share is 6 of 7, so the seventh, new then, said no."""
    found = of({1: ["n"] * 6, 4: ["y"] * 6 + ["n"]})
    assert row(found, "change")["tells"] == 1
    copy = protect(found, Audience.COMMISSIONER)
    assert copy.table.loc[found.table["what"] == "change", "interval"].iloc[0] == "withheld"
    assert row(copy, "share", 4)["interval"] == "withheld", "all but one lead so: it would tell the one by itself"
    assert "moved furthest" not in copy.reading
    same = of({1: ["n"] * 6, 4: ["y"] * 6})
    assert pd.isna(row(same, "change")["tells"]), "nobody else is there to be told"
    apart = of({1: [*"yyynnn" * 5, "", "y"], 4: [*"yynynn" * 5, "y", ""]})
    assert pd.isna(row(apart, "change")["tells"]), "the last two may both have said yes, or both no"


def test_leaders_followed_for_comparison_are_left_out() -> None:
    asked = programme(told({1: BEFORE}), arms={"L1": "comparison"})
    first = row(styles(asked), "share", 1)
    assert (first["n"], first["yes"]) == (7, 2)


def test_what_cannot_be_answered_says_what_would_answer_it() -> None:
    asked = programme(told({1: BEFORE}))
    for on in ("system_leadership", "putting_to_use", "mbti", "learning"):
        with pytest.raises(ek.NotEnoughEvidence, match=r"one question, answered no or yes.*leadership_styles"):
            styles(asked, on=on)
    with pytest.raises(ek.NotEnoughEvidence, match="Partner agencies gave no answers"):
        styles(asked, rater="partner")
    with pytest.raises(ek.NotEnoughEvidence, match="Leaders gave no answers"):
        styles(programme(told({1: ["??????"] * 6})))
    with pytest.raises(ValueError, match="No instrument is called 'smiles'"):
        styles(asked, on="smiles")
    with pytest.raises(ValueError, match="between 0 and 1"):
        styles(asked, confidence=95)


SHEETS = st.lists(st.text("yn?.", min_size=6, max_size=6), min_size=1, max_size=9)


@settings(max_examples=6, deadline=None)
@given(SHEETS, SHEETS)
def test_whatever_is_answered_shares_lie_in_their_intervals_and_nothing_is_judged(
    before: list[str], after: list[str]
) -> None:
    asked: Programme = programme(told({1: [*before, "ynynyn"], 4: [*after, "ynynyn"]}))
    found = styles(asked)
    known = found.table[found.table["low"].notna()]
    assert ((known["low"] <= known["estimate"]) & (known["estimate"] <= known["high"])).all()
    for wave, sheets in ((1, before), (4, after)):
        for place, domain in enumerate(FORM.domains):
            letters = [sheet[place] for sheet in [*sheets, "ynynyn"]]
            told_of = row(found, "share", wave, domain.label)
            assert told_of["yes"] == letters.count("y")
            assert told_of["n"] == letters.count("y") + letters.count("n")
            assert told_of["cannot_say"] == letters.count("?")
    written = f"{found.headline} {found.reading} {found.alt}"
    assert not CAUSE.search(written)
    assert not any(word in written.lower() for word in JUDGING)
    protect(found, Audience.PUBLIC)


def test_northmere_is_counted_again_by_hand() -> None:
    northmere = ek.load(folder("sample_data") / "northmere")
    found = styles(northmere)
    own = northmere.responses.query("instrument == 'leadership_styles' and item == 'pacesetting'")
    wide = own.pivot(index="subject_id", columns="wave", values="answer").dropna()
    moved = row(found, "change", measure="Pacesetting")
    assert moved["n"] == len(wide) == 15
    assert moved["gained"] == int(((wide[1] == 0) & (wide[4] == 1)).sum())
    assert moved["lost"] == int(((wide[1] == 1) & (wide[4] == 0)).sum())
    assert row(found, "share", 4, "Coaching")[["yes", "n", "cannot_say"]].tolist() == [8, 15, 1]
