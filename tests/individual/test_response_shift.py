"""individual.response_shift: both changes side by side over the same leaders, and what others saw.

R 4.2.2 and clubSandwich 0.5.8 on PRE, LOOKING and POST below, teams A A B B C C D D E E F F:
    t.test(then - pre)    -0.5833333333   -0.9105033890 -0.2561632776
    t.test(post - pre)     0.5833333333    0.2561632776  0.9105033890
    t.test(post - then)    1.1666666667    0.7106360698  1.6226972635
    t.test(pre)            3.1666666667    2.5710476979  3.7622856355
    conf_int(lm(d ~ 1), vcov = "CR2", cluster = tm, test = "Satterthwaite")
      then - pre          -0.5833333333   -0.7975484863 -0.3691181804
      post - pre           0.5833333333    0.3691181804  0.7975484863
      post - then          1.1666666667    0.8957035496  1.4376297837
    t.test(c(3,4,2,3,4,4) - c(3,3,2,3,4,3))   0.3333333333  -0.2085929008  0.8752595675
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
from evalkit.reading.plan import Plan
from evalkit.result import Result
from evalkit.terms import Attribution, Audience, Step, Verdict
from evalkit.words import CAUSE
from tests.individual.rated import alike, programme, rows

ON = "knowledge_and_skills"
DOMAIN = "personal"
FORM = instrument.shipped()[ON]
EVERY = [item.key for item in FORM.items if item.domain == DOMAIN]
ITEMS = EVERY[:-1]
"""All but one question of one domain: a leader's score is the answer they give to all of them."""
PRE = [3, 4, 2, 3, 4, 3, 2, 4, 3, 5, 2, 3]
LOOKING = [2, 4, 2, 2, 3, 3, 1, 3, 3, 4, 2, 2]
POST = [4, 4, 3, 3, 5, 4, 3, 4, 4, 5, 2, 4]
TEAMS = {f"L{at:02d}": "ABCDEF"[at // 2] for at in range(12)}


def answers(wave: int, scores: Sequence[float | None], *, items: Sequence[str] = ITEMS, **told: Any) -> pd.DataFrame:
    """One answer a leader, to every one of these questions, at one wave."""
    given_ = {f"L{at:02d}": {wave: alike(items, score)} for at, score in enumerate(scores) if score is not None}
    return rows(ON, given_, **told)


def all_three(*, back: int = 3, now: int = 3) -> list[pd.DataFrame]:
    return [answers(1, PRE), answers(back, LOOKING, timing="then"), answers(now, POST)]


def asked(*held: pd.DataFrame, teams: Mapping[str, str] | None = None, told: Mapping[str, Any] | None = None,
          **setting: Any) -> Result:  # fmt: skip
    return ek.individual.response_shift(programme(*held, teams=teams, **(told or {})), **{"on": ON, **setting})


def figures(found: Result, of: str, told_by: str = "leaders") -> pd.Series:
    table = found.table
    return table[(table["of"] == of) & (table["told_by"] == told_by)].iloc[0]


class TestTheThree:
    def test_both_changes_stand_beside_each_other_as_r_has_them(self) -> None:
        found = asked(*all_three())
        for of, told in {
            "then less pre": (-0.5833333333, -0.9105033890, -0.2561632776),
            "post less pre": (0.5833333333, 0.2561632776, 0.9105033890),
            "post less then": (1.1666666667, 0.7106360698, 1.6226972635),
            "pre": (3.1666666667, 2.5710476979, 3.7622856355),
        }.items():
            assert figures(found, of)[["estimate", "low", "high"]].tolist() == pytest.approx(told, abs=1e-9)
        assert found.table["of"].tolist() == [
            "pre", "then", "post", "then less pre", "post less pre", "post less then",
        ]  # fmt: skip
        assert set(found.table["n"]) == {12}

    def test_teams_are_kept_together_as_clubsandwich_has_them(self) -> None:
        found = asked(*all_three(), teams=TEAMS)
        for of, told in {
            "then less pre": (-0.7975484863, -0.3691181804),
            "post less pre": (0.3691181804, 0.7975484863),
            "post less then": (0.8957035496, 1.4376297837),
        }.items():
            assert figures(found, of)[["low", "high"]].tolist() == pytest.approx(told, abs=1e-9)

    def test_it_is_described_and_never_tested(self) -> None:
        found = asked(*all_three())
        assert found.verdict is Verdict.DESCRIBED
        assert found.decided.why == "Looking back cannot be tested against what was."
        assert found.attribution is Attribution.CANNOT_TELL
        assert found.kirkpatrick is Step.BEHAVIOUR
        assert "196 supervisors" in found.caveats[0]

    def test_what_is_said_is_what_is_in_the_table(self) -> None:
        found = asked(*all_three())
        assert found.headline == (
            "Looking back, leaders put their start 0.58 lower (−0.91 to −0.26); the change is 0.58 as rated at the "
            "time, 1.17 looking back"
        )
        assert "12 of 12 leaders answered all three" in found.reading
        assert "was 3.17 at the start; looking back they put it at 2.58" in found.reading
        assert "It is now 3.75" in found.reading

    def test_only_leaders_with_all_three_count_and_the_others_are_counted(self) -> None:
        held = [answers(1, [*PRE[:9], None, None, None]), answers(3, [None, *LOOKING[1:]], timing="then"),
                answers(3, POST)]  # fmt: skip
        found = asked(*held)
        assert set(found.table["n"]) == {8}
        assert "8 of 12 leaders answered all three" in found.reading
        assert "9, 11 and 12 answered each" in found.reading
        change = np.subtract(POST, PRE)[1:9]
        assert figures(found, "post less pre")["estimate"] == pytest.approx(change.mean())
        assert any(said.startswith("Left out: some leaders with only one or two") for said in found.caveats)

    def test_how_those_left_out_began_is_said_only_of_enough_of_them(self) -> None:
        many = asked(answers(1, PRE), answers(3, [*LOOKING[:6], *[None] * 6], timing="then"), answers(3, POST))
        few = asked(answers(1, PRE), answers(3, [*LOOKING[:9], *[None] * 3], timing="then"), answers(3, POST))
        assert any("the 6 of them who answered at the start had begun no different" in said for said in many.caveats)
        assert not any("had begun" in said for said in few.caveats)

    def test_learning_is_the_step_of_a_form_about_learning(self) -> None:
        parts = ["knows_system", "knows_ways"]
        given_ = {f"L{at}": alike(parts, 3.0 + at % 2) for at in range(6)}
        held = [rows("learning", {who: {wave: said} for who, said in given_.items()}, timing=timing)
                for wave, timing in ((1, "pre"), (3, "then"), (3, "post"))]  # fmt: skip
        found = ek.individual.response_shift(programme(*held), on="learning")
        assert found.kirkpatrick is Step.LEARNING
        assert found.table["measure"].unique().tolist() == ["Knowledge"]


class TestOthers:
    def saw(self, wave: int, scores: Sequence[float], who: str, rater: str = "sponsor") -> pd.DataFrame:
        by = {f"L{at:02d}": f"{who}{at}" for at in range(len(scores))}
        return answers(wave, scores, rater=rater, by=by)

    def test_the_change_others_saw_is_over_those_they_rated_both_times(self) -> None:
        found = asked(*all_three(), self.saw(1, [3, 3, 2, 3, 4, 3, 5], "S"), self.saw(3, [3, 4, 2, 3, 4, 4], "S"))
        row = figures(found, "post less pre", "sponsors")
        assert row["n"] == 6
        assert row["raters"] == 6
        assert row[["estimate", "low", "high"]].tolist() == pytest.approx(
            (0.3333333333, -0.2085929008, 0.8752595675), abs=1e-9
        )
        assert "partner agencies" not in set(found.table["told_by"])
        assert "nearer" not in found.reading, "halfway is 0.875, just inside: it tells nothing"

    @pytest.mark.parametrize(("moved", "said"), [
        ([1, 0, 0, 0, 1, 0, 1, 0], "nearer to the change as rated at the time"),
        ([2, 1, 2, 1, 2, 2, 1, 2], "nearer to the change looking back"),
        ([0, 2, 0, 2, 1, 1, 2, 0], "which does not tell the two changes apart"),
    ])  # fmt: skip
    def test_it_tells_the_two_apart_where_its_interval_lies_on_one_side_of_halfway(
        self, moved: list[int], said: str
    ) -> None:
        found = asked(*all_three(), self.saw(1, [2] * 8, "S"), self.saw(3, [2 + more for more in moved], "S"))
        assert said in found.reading

    def test_nobody_else_is_said_to_be_nobody(self) -> None:
        assert any(said.startswith("No others rated these leaders") for said in asked(*all_three()).caveats)
        alone = asked(*all_three(), self.saw(1, [3, 3], "S"), self.saw(3, [3, 4], "S"), raters=())
        assert set(alone.table["told_by"]) == {"leaders"}

    def test_few_others_stay_with_the_evaluator_and_take_nobody_with_them(self) -> None:
        held = [self.saw(wave, [3, 4, 3, 2], "S") for wave in (1, 3)]
        held += [self.saw(wave, [3 + wave / 3 * (at % 2) for at in range(8)], "P", "partner") for wave in (3,)]
        held += [self.saw(1, [3] * 8, "P", "partner")]
        copy = protect(asked(*all_three(), *held), Audience.COMMISSIONER)
        assert (copy.table["interval"] == "withheld").tolist() == [False] * 6 + [True, False]
        assert copy.table["told_by"].iloc[-1] == "partner agencies"
        assert "Sponsors saw" not in copy.reading
        assert "Partner agencies saw 8 leaders" in copy.reading

    def test_a_kind_of_rater_there_is_not_is_an_error_that_lists_them(self) -> None:
        with pytest.raises(ValueError, match=r"'boss' is no kind of others.*sponsor"):
            asked(*all_three(), raters=("boss",))
        with pytest.raises(ValueError, match="'self' is no kind"):
            asked(*all_three(), raters=("self",))


class TestQuestionsAndWaves:
    def test_only_questions_asked_all_three_times_count(self) -> None:
        """A question left out of the form that looks back would else make a shift of its own."""
        more = answers(1, [5] * 12, items=EVERY[-1:])
        found = asked(*all_three(), more)
        assert figures(found, "pre")["estimate"] == pytest.approx(np.mean(PRE))
        assert any("Only the 2 questions asked all three times count, of 3" in said for said in found.caveats)

    def test_too_few_shared_questions_are_refused_with_counts(self) -> None:
        held = [answers(1, PRE), answers(3, LOOKING, items=EVERY[:1], timing="then"), answers(3, POST)]
        with pytest.raises(ek.NotEnoughEvidence, match="no leader has all three: 0 at the start, 0 looking back"):
            asked(*held)

    def test_a_domain_that_was_not_looked_back_on_is_left_out_and_said(self) -> None:
        form = instrument.shipped()["curiosity"]
        every = [item.key for item in form.items if not item.reversed]
        short = [item.key for item in form.items if item.domain == "connectivity"]
        given_ = [f"L{at}" for at in range(6)]
        held = [
            rows("curiosity", {who: {wave: alike(items, 2.0 + at % 3)} for at, who in enumerate(given_)}, timing=timing)
            for wave, timing, items in ((1, "pre", every), (3, "then", short), (3, "post", every))
        ]
        whole = programme(*held)
        found = ek.individual.response_shift(whole, on="curiosity")
        assert found.table["measure"].unique().tolist() == ["Connectivity"]
        assert any(said.startswith("Not scored all three times, so not compared: Curiosity") for said in found.caveats)
        with pytest.raises(ek.NotEnoughEvidence, match=r"On Curiosity no leader.*asking about Connectivity"):
            ek.individual.response_shift(whole, on="curiosity", domain="curiosity")
        with pytest.raises(ValueError, match="has no domain 'speed'"):
            ek.individual.response_shift(whole, on="curiosity", domain="speed")

    def test_now_is_the_wave_at_which_leaders_looked_back_and_of_several_the_latest(self) -> None:
        later = answers(4, [5] * 12)
        found = asked(*all_three(), later)
        assert "now (April 2025)" in found.reading
        twice = asked(*all_three(), answers(2, POST), answers(2, PRE, timing="then"), later)
        assert figures(twice, "then")["estimate"] == pytest.approx(np.mean(LOOKING))
        assert any("looked back more than once; what they said in April 2025" in said for said in twice.caveats)
        earlier = asked(*all_three(), answers(2, POST), answers(2, PRE, timing="then"), between=(1, 2))
        assert figures(earlier, "then less pre")["estimate"] == 0

    def test_looking_back_at_another_wave_than_now_is_said(self) -> None:
        found = asked(*all_three(back=2), between=(1, 3))
        assert any("looked back in October 2024, and not in April 2025" in said for said in found.caveats)

    def test_another_start_than_the_first_wave_is_said(self) -> None:
        found = asked(*all_three(), answers(2, PRE), between=(2, 3))
        assert any("Looking back may mean April 2024" in said for said in found.caveats)
        with pytest.raises(ek.NotEnoughEvidence, match="Nobody looked back after April 2025"):
            asked(*all_three(), answers(4, POST), between=(3, 4))

    def test_two_answers_on_one_day_are_warned_of(self) -> None:
        same = asked(*all_three())
        apart = all_three()
        apart[1]["answered_on"] -= pd.Timedelta(days=3)
        assert any("on the day they said" in said for said in same.caveats)
        assert not any("on the day they said" in said for said in asked(*apart).caveats)

    def test_what_was_declared_is_asked_about_unless_another_is_named(self) -> None:
        told = {"plan": Plan(primary={"individual": f"{ON}/{DOMAIN}"})}
        assert asked(*all_three(), told=told, on=None).about.asked.startswith(
            "individual.response_shift(on='knowledge_and_skills', raters=('sponsor', 'partner'), between=(1, 3)"
        )


class TestRefusals:
    @pytest.mark.parametrize(("which", "said"), [
        ((0, 2), "No leader looked back on the Knowledge and skills framework"),
        ((1, 2), "12 leaders looked back on the Knowledge and skills framework, but nobody had answered at an"),
        ((0, 1), "12 leaders looked back on the Knowledge and skills framework in April 2025, but nobody said"),
        ((1,), "nobody had answered at an earlier wave"),
    ])  # fmt: skip
    def test_each_of_the_three_is_needed(self, which: tuple[int, ...], said: str) -> None:
        held = all_three()
        with pytest.raises(ek.NotEnoughEvidence, match=said) as refused:
            asked(*(held[at] for at in which))
        assert refused.value.would_answer
        assert not CAUSE.search(str(refused.value))

    def test_looking_back_at_the_start_is_a_fault_of_the_data(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="stand at wave 1, the start itself"):
            asked(*all_three(back=1))
        with pytest.raises(ek.NotEnoughEvidence, match="stand at wave 1, the start itself"):
            asked(answers(1, PRE), answers(1, LOOKING, timing="then"))

    def test_looking_back_at_no_wave_is_refused(self) -> None:
        held = all_three()
        held[1]["wave"] = pd.array([pd.NA] * len(held[1]), dtype="Int64")
        with pytest.raises(ek.NotEnoughEvidence, match="but at no wave"):
            asked(*held)

    def test_nobody_with_all_three_is_refused_with_all_counts(self) -> None:
        held = [answers(1, PRE[:8]), answers(3, [None] * 8 + LOOKING[8:], timing="then"), answers(3, POST)]
        with pytest.raises(ek.NotEnoughEvidence, match="8 at the start, 4 looking back, 12 later"):
            asked(*held)

    def test_ids_that_do_not_join_are_refused(self) -> None:
        held = [answers(1, PRE[:6]), answers(3, [None] * 6 + LOOKING[6:], timing="then"),
                answers(3, [None] * 6 + POST[6:])]  # fmt: skip
        with pytest.raises(ek.NotEnoughEvidence, match="cannot be joined"):
            asked(*held)

    def test_what_is_recorded_is_refused(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="recorded, never averaged"):
            asked(*all_three(), on="mbti")


class TestFew:
    @pytest.mark.parametrize("n", [1, 2, 4])
    def test_few_leaders_are_described_without_interval_and_kept_back(self, n: int) -> None:
        held = [answers(1, PRE[:n]), answers(3, LOOKING[:n], timing="then"), answers(3, POST[:n])]
        found = asked(*held)
        assert set(found.table["interval"]) == {"none given"}
        assert found.table["estimate"].notna().all()
        assert any(said.startswith("Fewer than 5 leaders have all three") for said in found.caveats)
        copy = protect(found, Audience.COMMISSIONER)
        assert set(copy.table["interval"]) == {"withheld"}
        assert copy.headline == "Withheld: too few people to show"

    def test_where_all_differ_alike_there_is_no_interval(self) -> None:
        held = [answers(1, PRE), answers(3, [one - 1 for one in PRE], timing="then"), answers(3, POST)]
        found = asked(*held)
        assert figures(found, "then less pre")["interval"] == "none given"
        assert figures(found, "post less pre")["interval"] == "95% confidence"
        assert "Where all leaders differ alike, no interval is given." in found.caveats
        assert "1.00 lower; the change is" in found.headline

    def test_one_team_counts_by_person(self) -> None:
        one = asked(*all_three(), teams=dict.fromkeys(TEAMS, "A"))
        assert figures(one, "post less pre")["low"] == pytest.approx(0.2561632776)

    def test_leaders_followed_for_comparison_are_left_out(self) -> None:
        arms = {"L00": "comparison", "L01": "comparison"}
        assert set(asked(*all_three(), told={"arms": arms}).table["n"]) == {10}


@settings(max_examples=6, deadline=None)
@given(st.lists(st.tuples(*[st.integers(1, 5)] * 3), min_size=1, max_size=9))
def test_the_two_changes_always_differ_by_the_shift(people: list[tuple[int, int, int]]) -> None:
    pre, looking, post = zip(*people, strict=True)
    found = asked(answers(1, pre), answers(3, looking, timing="then"), answers(3, post))
    shift, change, looked = (
        figures(found, of)["estimate"] for of in ("then less pre", "post less pre", "post less then")
    )
    assert change - looked == pytest.approx(shift)
    assert change == pytest.approx(np.mean(post) - np.mean(pre))
    held = found.table.dropna(subset=["low"])
    assert (held["low"] <= held["estimate"]).all()
    assert (held["estimate"] <= held["high"]).all()


def test_the_planted_shift_is_found_again() -> None:
    planted = ek.simulate(
        seed=5, leaders=120, teams=24, dropout=0.0, tables=("responses",), asked=("self", "looking_back")
    )
    assert planted.truth is not None
    effects = planted.truth["effects"]
    found = ek.individual.response_shift(planted)
    shift, change = figures(found, "then less pre"), figures(found, "post less pre")
    assert shift["low"] < effects["response_shift"] < shift["high"]
    assert change["low"] < effects["system_leadership"] < change["high"]
