"""individual.learning: five parts judged together; looking back and what lasted beside; asked once, only described.

R 4.2.2 on START and END below, twelve leaders:
    t.test(end, start, paired = TRUE) by part     1.08333333333  0.7561632776  1.4105033890
                                                  0.50000000000  0.1681890025  0.8318109975
                                                  0.08333333333 -0.3414481054  0.5081147721
                                                  0.66666666667  0.3538322581  0.9795010752
                                                 -0.25000000000 -0.5373567531  0.0373567531
    p.adjust(p, "holm")    7.833163207e-05 2.061690993e-02 6.742372382e-01 2.641254099e-03 1.637284623e-01
    prop.test(9, 12, correct = FALSE)$conf.int    0.4676946651 0.9110583316
    prop.test(1, 12, correct = FALSE)$conf.int    0.0148650944 0.3538799111
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit import instrument
from evalkit.disclosure import protect
from evalkit.individual import ratings
from evalkit.reading.plan import Plan
from evalkit.result import Result
from evalkit.stats import power
from evalkit.terms import Attribution, Audience, Design, Step, Verdict
from evalkit.words import CAUSE
from tests.individual.rated import programme, rows

FORM = instrument.shipped()["learning"]
PARTS = [domain.key for domain in FORM.domains]
LABELS = [domain.label for domain in FORM.domains]
ITEMS = {part: [item.key for item in FORM.items if item.domain == part] for part in PARTS}
START = [[2, 3, 2, 3, 3, 2, 4, 3, 2, 3, 3, 2], [3, 3, 2, 4, 3, 2, 4, 3, 2, 3, 3, 3],
         [4, 3, 4, 4, 3, 4, 4, 3, 4, 4, 3, 4], [2, 3, 2, 3, 2, 2, 3, 3, 2, 3, 2, 2],
         [3, 4, 3, 3, 4, 3, 4, 3, 4, 3, 3, 4]]  # fmt: skip
END = [[4, 4, 3, 4, 4, 3, 4, 4, 3, 4, 4, 4], [4, 3, 3, 4, 4, 3, 4, 3, 3, 3, 4, 3],
       [4, 4, 4, 3, 3, 4, 5, 3, 4, 4, 4, 3], [3, 3, 3, 4, 2, 3, 4, 3, 2, 4, 3, 3],
       [2, 4, 3, 3, 3, 3, 4, 2, 4, 3, 3, 4]]  # fmt: skip
TOLD = {"individual": "learning/knowledge"}


def answers(wave: int, scores: Sequence[Sequence[float]], *, people: range = range(12), **told: Any) -> pd.DataFrame:
    """Both questions of a part answered alike, by these of the twelve."""
    given_ = {
        f"L{at:02d}": {
            wave: {item: held[at] for part, held in zip(PARTS, scores, strict=False) for item in ITEMS[part]}
        }
        for at in people
    }
    return rows("learning", given_, **told)


def asked(*held: pd.DataFrame, told: Mapping[str, Any] | None = None, **setting: Any) -> Result:
    return ek.individual.learning(programme(*held, **(told or {})), **setting)


def of(found: Result, what: str) -> pd.DataFrame:
    return found.table[found.table["what"] == what].set_index("measure")


BOTH = (answers(1, START), answers(3, END))


class TestTwoWaves:
    def test_each_part_is_the_paired_t_of_r_where_all_answered_twice(self) -> None:
        held = of(asked(*BOTH), "change")
        assert held.index.tolist() == LABELS
        assert held[["estimate", "low", "high"]].to_numpy() == pytest.approx(
            np.array([
                (1.08333333333, 0.7561632776, 1.4105033890),
                (0.50000000000, 0.1681890025, 0.8318109975),
                (0.08333333333, -0.3414481054, 0.5081147721),
                (0.66666666667, 0.3538322581, 0.9795010752),
                (-0.25000000000, -0.5373567531, 0.0373567531),
            ]),
            abs=1e-8,
        )  # fmt: skip
        assert held["mean_first"].tolist() == pytest.approx([np.mean(one) for one in START])
        assert held["mean_last"].tolist() == pytest.approx([np.mean(one) for one in END])

    def test_holm_at_three_in_a_hundred_over_all_five(self) -> None:
        found = asked(*BOTH)
        assert of(found, "change")["clear"].tolist() == ["higher", "higher", "", "higher", ""]
        assert found.headline == "Of 5 parts, clearly higher: Knowledge, Skill and Confidence, self-report"
        assert "Of 5 domains judged together" in found.reading

    def test_families_declared_beforehand_are_judged_apart(self) -> None:
        alone = {"plan": Plan(families={"head": ("learning/skill",), "heart": ("learning/attitude",)})}
        found = asked(*BOTH, told=alone)
        assert of(found, "change")["clear"].tolist() == ["", "higher", "", "", ""]

    def test_without_a_declared_part_it_is_described(self) -> None:
        found = asked(*BOTH)
        assert (found.question, found.kirkpatrick) == ("What did people learn?", Step.LEARNING)
        assert found.verdict is Verdict.DESCRIBED
        assert "No part of the End-of-programme form was declared" in found.decided.why
        assert found.attribution is Attribution.CANNOT_TELL
        assert found.method.design is Design.BEFORE_AFTER
        assert "nobody tested it" in found.caveats[0]
        assert "says nothing of doing" in found.caveats[1]

    def test_a_declared_part_decides_and_the_other_four_are_judged_without_it(self) -> None:
        found = asked(*BOTH, told={"plan": Plan(primary={"individual": "learning/skill"})})
        assert found.question == ratings.QUESTION
        assert found.verdict is Verdict.ROSE
        assert found.table["measure"][0] == "Skill"
        assert found.headline.startswith("Skill: 0.50 higher on a scale of 1 to 5 (0.12 to 0.88), self-report")
        assert "97% interval" in found.reading
        assert "Of 4 domains judged together" in found.reading
        assert of(found, "change")["clear"]["Skill"] == ""

    def test_a_declared_part_too_early_or_not_answered_twice_does_not_decide(self) -> None:
        early = asked(*BOTH, told={"plan": Plan(primary=TOLD, lag_months={"learning": 36})})
        assert early.verdict is Verdict.TOO_EARLY
        assert any(said.startswith("Only a change of") for said in early.caveats)
        few = asked(
            answers(1, START, people=range(3)), answers(3, END, people=range(3)), told={"plan": Plan(primary=TOLD)}
        )
        assert few.verdict is Verdict.DESCRIBED
        assert "fewer than 5 people answered twice" in few.decided.why

    def test_few_teams_decide_nothing(self) -> None:
        teams = {f"L{at:02d}": "ABC"[at % 3] for at in range(12)}
        found = asked(*BOTH, told={"teams": teams, "plan": Plan(primary=TOLD)})
        assert found.verdict is Verdict.DESCRIBED
        assert "3 teams" in found.decided.why

    def test_everybody_with_any_answer_counts_and_both_counts_are_said(self) -> None:
        found = asked(answers(1, START), answers(3, END, people=range(9)))
        held = of(found, "change").iloc[0]
        assert held[["n", "answered_first", "answered_last", "answered_both"]].tolist() == [12, 12, 9, 9]
        assert "9 of 12 leaders answered the End-of-programme form in both April 2024 and April 2025" in found.reading
        assert "all 12 who answered at least once count" in found.reading

    def test_what_could_have_been_seen_is_said_where_nothing_moved_clearly(self) -> None:
        found = asked(answers(1, START[2:3]), answers(3, END[2:3]))
        assert found.headline == "Knowledge: no clear change, self-report"
        tested = next(iter(found.details.moved.values())).tested  # type: ignore[union-attr]
        seen = power.smallest_seen(tested.se, tested.df, power=0.8, confidence=0.97)
        assert f"Only a change of {seen:.2f} points or more would have been clear in 80 of 100" in " ".join(
            found.caveats
        )

    def test_followed_leaders_are_not_counted(self) -> None:
        found = asked(*BOTH, told={"arms": {"L00": "comparison"}})
        assert set(found.table["n"]) == {11}


class TestBeside:
    BACK = tuple([[one - 1 for one in part] for part in START])

    def test_looking_back_stands_beside_and_never_instead(self) -> None:
        found = asked(*BOTH, answers(3, self.BACK, timing="then"))
        assert of(found, "change")["estimate"].tolist() == of(asked(*BOTH), "change")["estimate"].tolist()
        back = of(found, "change looking back")
        assert back["estimate"].tolist() == pytest.approx(
            [np.mean(e) - np.mean(s) + 1 for s, e in zip(START, END, strict=True)]
        )
        assert back["low"].iloc[0] == pytest.approx(1.7561632776)
        assert (back["clear"] == "").all()
        assert "Looking back at their start instead, the change is: Knowledge 2.08 (at the time 1.08)" in found.reading
        assert any("196 supervisors" in said for said in found.caveats)

    def test_what_lasted_is_read_from_the_end_to_the_follow_up(self) -> None:
        later = [[max(one - 1, 1) if at % 2 else one for at, one in enumerate(part)] for part in END]
        found = asked(*BOTH, answers(4, later, timing="followup"))
        assert found.about.asked.startswith("individual.learning(on='learning', rater='self', between=(1, 3)")
        lasted = of(found, "lasted")
        assert lasted["estimate"].tolist() == pytest.approx(
            [np.mean(b) - np.mean(a) for a, b in zip(END, later, strict=True)]
        )
        assert lasted["mean_first"].tolist() == pytest.approx([np.mean(one) for one in END])
        assert "By October 2025, since the end: Knowledge 0.50 lower" in found.reading
        assert len(found.parts[1]) <= 4

    def test_a_follow_up_is_the_end_where_nobody_was_asked_at_the_end(self) -> None:
        found = asked(answers(1, START), answers(4, END, timing="followup"))
        assert of(found, "change")["estimate"].iloc[0] == pytest.approx(1.08333333333)
        assert of(found, "lasted").empty

    def test_everything_at_once_is_still_four_sentences(self) -> None:
        found = asked(*BOTH, answers(3, self.BACK, timing="then"), answers(4, START, timing="followup"))
        assert len(found.parts[1]) == 4
        assert set(found.table["what"]) == {"change", "change looking back", "lasted"}


class TestAskedOnce:
    def test_the_shares_who_agree_stand_with_wilsons_interval(self) -> None:
        found = asked(answers(3, END))
        held = of(found, "agree")
        assert held["agreed"].tolist() == [9, 5, 8, 3, 4]
        assert held.loc["Knowledge", ["low", "high"]].tolist() == pytest.approx((46.76946651, 91.10583316))
        assert set(held["n"]) == {12}
        assert found.verdict is Verdict.DESCRIBED
        assert found.decided.why == "People were asked once: there is nothing to compare with."
        assert found.method.design is Design.DESCRIBED
        assert found.headline == (
            "Asked once: most agree on Knowledge (9 of 12), fewest on Confidence (3 of 12), self-report"
        )
        assert "answered the End-of-programme form once, at the end in April 2025" in found.reading
        assert "mean answer of “Agree” or higher" in found.reading
        assert any(said.startswith("Asked at the end only") for said in found.caveats)

    def test_answers_at_no_wave_are_answers_all_the_same(self) -> None:
        held = answers(3, END)
        held["wave"] = pd.array([pd.NA] * len(held), dtype="Int64")
        found = asked(held)
        assert of(found, "agree")["agreed"].iloc[0] == 9
        assert "once, at the end." in found.reading

    def test_answers_before_at_the_same_wave_are_not_mixed_in(self) -> None:
        found = asked(answers(3, END), answers(3, START, timing="pre"))
        assert of(found, "agree")["agreed"].iloc[0] == 9
        assert any(said.startswith("Answers from before stand at no other wave") for said in found.caveats)

    def test_looking_back_and_what_lasted_stand_beside_a_single_answer(self) -> None:
        found = asked(answers(3, END), answers(3, START, timing="then"), answers(4, END, timing="followup"))
        assert of(found, "change looking back")["estimate"].iloc[0] == pytest.approx(1.08333333333)
        assert of(found, "lasted")["estimate"].tolist() == pytest.approx([0] * 5, abs=1e-12)
        assert set(found.marks.loc[found.marks["mark"] == "point", "series"]) == {"agree"}

    def test_at_the_start_only_is_refused(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="at the start only") as refused:
            asked(answers(1, START))
        assert not CAUSE.search(str(refused.value))

    @pytest.mark.parametrize("n", [1, 2, 4])
    def test_few_are_described_without_interval_and_kept_back(self, n: int) -> None:
        found = asked(answers(3, END, people=range(n)))
        assert set(found.table["interval"]) == {"none given"}
        assert found.table["estimate"].notna().all()
        copy = protect(found, Audience.COMMISSIONER)
        assert set(copy.table["interval"]) == {"withheld"}
        assert "Withheld" in copy.headline

    def test_all_agreeing_alike_names_one(self) -> None:
        found = asked(answers(3, [[4] * 12] * 5))
        assert found.headline.startswith("Asked once: as many agree on each part as on Knowledge (12 of 12)")


class TestEdges:
    def test_nobody_is_refused(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="Leaders gave no answers on the End-of-programme form"):
            asked(rows("readiness", {"L00": {1: {"needed": 3.0}}}))

    def test_what_is_recorded_is_refused_and_what_is_unknown_an_error(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="recorded, never averaged"):
            asked(*BOTH, on="mbti")
        with pytest.raises(ValueError, match="No instrument is called 'tests'"):
            asked(*BOTH, on="tests")
        with pytest.raises(ValueError, match="must give the earlier wave first"):
            asked(*BOTH, between=(3, 1))

    @pytest.mark.parametrize("n", [1, 2, 4])
    def test_few_who_answered_twice_are_described(self, n: int) -> None:
        found = asked(answers(1, START, people=range(n)), answers(3, END, people=range(n)))
        assert found.verdict is Verdict.DESCRIBED
        assert set(found.table["interval"]) == {"none given"}
        assert f"answered twice by {n} leader" in found.headline
        assert found.table["estimate"].tolist() == pytest.approx(
            [np.mean(np.subtract(e, s)[:n]) for s, e in zip(START, END, strict=True)]
        )
        assert set(protect(found, Audience.COMMISSIONER).table["interval"]) == {"withheld"}

    def test_all_moving_alike_has_no_interval_and_the_other_parts_do(self) -> None:
        alike_ = [[one + 1 for one in START[0]], *END[1:]]
        found = asked(answers(1, START), answers(3, alike_))
        held = of(found, "change")
        assert held.loc["Knowledge", "interval"] == "none given"
        assert held.loc["Knowledge", "estimate"] == pytest.approx(1)
        assert held["interval"].iloc[1:].eq("95% confidence").all()
        assert any(said.startswith("No interval for Knowledge") for said in found.caveats)

    def test_ids_that_do_not_join_are_refused(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="cannot be joined"):
            asked(answers(1, START, people=range(6)), answers(3, END, people=range(6, 12)))

    def test_a_form_of_one_part_says_what_that_did(self) -> None:
        given_ = {f"L{at:02d}": {wave: dict.fromkeys(("needed", "backed", "room"), float(held[0][at]))
                                 for wave, held in ((1, START), (3, END))} for at in range(12)}  # fmt: skip
        found = asked(rows("readiness", given_), on="readiness")
        assert found.headline == "Readiness for change: clearly higher, self-report"


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=9))
def test_means_and_change_agree_whatever_is_answered(people: list[tuple[int, int]]) -> None:
    first, last = ([list(side)] for side in zip(*people, strict=True))
    some = range(len(people))
    held = of(asked(answers(1, first, people=some), answers(3, last, people=some)), "change").iloc[0]
    assert held["estimate"] == pytest.approx(held["mean_last"] - held["mean_first"])
    assert held["estimate"] == pytest.approx(np.mean(last) - np.mean(first))
    assert np.isnan(held["low"]) or held["low"] <= held["estimate"] <= held["high"]
