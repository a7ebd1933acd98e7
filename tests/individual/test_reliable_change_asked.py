"""individual.reliable_change: leaders counted by class, what that rests on, and what its copies tell.

R 4.2.2, package psych 2.2.9, on the answers of BEFORE and AFTER below (X, Y: turned round already; lower is better):
    r <- psych::alpha(X, check.keys = FALSE)$total$raw_alpha; s <- sd(rowMeans(X)); d <- rowMeans(Y) - rowMeans(X)
    r 0.821364452424  s 0.782360474518;  for Y 0.945619126589
    thr <- qnorm(.975) * sqrt(2) * s * sqrt(1 - r)            0.916545296518
    sum(d < -thr), sum(abs(d) <= thr), sum(d > thr)           5 8 1
    prop.test(5, 14, correct = FALSE)$conf.int                0.163447317536 0.612355768961
    prop.test(1, 14, correct = FALSE)$conf.int                0.0127222152479 0.314687044242
    e <- rowMeans(Y) - (mean + r * (rowMeans(X) - mean)), beyond qnorm(.975) times
      s * sqrt(1 - r^2): 5 1;  s * sqrt(1 - r): 7 2;  s * sqrt(r^2 * (1 - r) + 1 - r_after): 7 2
    Hsu, Linn and Lord 4 3;  Hageman and Arrindell (qnorm(.95)) 7 1
"""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import evalkit as ek
from evalkit import instrument
from evalkit.disclosure import protect
from evalkit.individual.own_reliability import LEAST
from evalkit.individual.small_classes import classes_withheld, groups_withheld, rules_withheld
from evalkit.programme import Programme
from evalkit.reading.plan import Plan
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.stats.reliable_change import METHODS
from evalkit.terms import Attribution, Audience, Design, Verdict
from tests.individual.rated import alike, programme, rows

FORMS = instrument.shipped()
LEARNING = [item.key for item in FORMS["system_leadership"].items if item.domain == "learning"]
BEFORE = ["33433", "54354", "34433", "33223", "32333", "23332", "33244",
          "24433", "43442", "21211", "54545", "34333", "55244", "32423"]  # fmt: skip
AFTER = ["21111", "33123", "32122", "11111", "11121", "35555", "32453",
         "23233", "44443", "21121", "55555", "32232", "34432", "33432"]  # fmt: skip


def sheets(before: list[str], after: list[str]) -> Programme:
    """Leaders who answered the form on two sets of demands; reversed items are turned back to what was ticked."""
    items = FORMS["role_ambiguity"].items
    given = {
        f"L{who:02d}": {
            wave: {item.key: 6 - float(digit) if item.reversed else float(digit)
                   for item, digit in zip(items, told, strict=True)}
            for wave, told in ((1, first), (2, last))
        }
        for who, (first, last) in enumerate(zip(before, after, strict=True))
    }  # fmt: skip
    return programme(rows("role_ambiguity", given))


def moved(changes: list[float | None], *, begin: float = 2.0, first: str = "L", **told) -> Programme:
    """Leaders at `begin` or one above it on one domain, in turn, who then moved by so much; None: not asked again."""
    return programme(rows("system_leadership", given_of(changes, begin, first)), **told)


def given_of(changes: list[float | None], begin: float = 2.0, first: str = "L") -> dict:
    given = {}
    for at, change in enumerate(changes):
        start = begin + at % 2
        given[f"{first}{at:03d}"] = {1: alike(LEARNING, start)}
        if change is not None:
            given[f"{first}{at:03d}"][2] = alike(LEARNING, start + change)
    return given


def asked(of: Programme, **told) -> Result:
    """By a reliability from elsewhere: everybody gave one answer to all questions, so alpha is 1."""
    told = {"domain": "learning", "reliability": 0.85, "reliability_from": "a retest study (fictional)"} | told
    return ek.individual.reliable_change(of, on="system_leadership", **told)


def counted(found: Result, group: str = "all") -> list[int]:
    held = found.table[(found.table["what"] == "counted") & (found.table["group"] == group)]
    return held.set_index("class")["n"].loc[["better", "neither", "worse"]].tolist()


def of_copy(found: Result, audience: Audience = Audience.COMMISSIONER) -> pd.DataFrame:
    """What a copy shows of the classes: group, class as in the evaluator's copy, n missing where it is withheld."""
    whole = found.table[found.table["what"] == "counted"]
    return whole[["group", "class"]].assign(n=protect(found, audience).table["n"][whole.index], held=whole["n"])


def said(found: Result) -> str:
    return " ".join([found.question, found.headline, found.reading, found.alt, found.decided.why, *found.caveats])


@pytest.fixture(scope="module")
def two_demands() -> Programme:
    return sheets(BEFORE, AFTER)


@pytest.fixture(scope="module")
def own(two_demands) -> Result:
    return ek.individual.reliable_change(two_demands, on="role_ambiguity")


@pytest.fixture(scope="module")
def northmere() -> Programme:
    return ek.load(folder("sample_data") / "northmere")


class TestAgainstR:
    def test_the_programme_s_own_alpha_spread_and_threshold(self, own) -> None:
        rests = own.table[own.table["what"] == "measurement"]
        assert rests["estimate"].tolist() == pytest.approx([0.821364452424, 0.782360474518, 0.916545296518], abs=1e-9)
        assert rests["n"].tolist() == [14, 14, 14]
        assert rests["interval"].tolist() == ["95% confidence", "none given", "none given"]

    def test_counts_with_wilson_and_lower_is_better(self, own) -> None:
        assert counted(own) == [5, 8, 1]
        table = own.table
        assert table.loc[0, ["low", "high"]].tolist() == pytest.approx([16.3447317536, 61.2355768961], abs=1e-7)
        assert table.loc[2, ["low", "high"]].tolist() == pytest.approx([1.27222152479, 31.4687044242], abs=1e-7)
        assert table["measure"][0] == "Two sets of demands: lower by more than error of measurement"
        assert "5 of 14 leaders rated themselves lower on the Two sets of demands" in own.reading
        assert "On the Two sets of demands lower is the better end." in own.caveats

    @pytest.mark.parametrize(
        ("method", "better", "worse"),
        [
            ("gulliksen_lord_novick", 5, 1),
            ("edwards_nunnally", 7, 2),
            ("nunnally_kotsch", 7, 2),
            ("hsu_linn_lord", 4, 3),
            ("hageman_arrindell", 7, 1),
        ],
    )
    def test_the_other_methods_in_the_annex(self, own, method, better, worse) -> None:
        annex = own.table[(own.table["what"] == "other method") & (own.table["method"] == method)]
        assert annex["n"].tolist() == [better, worse]

    def test_a_method_of_the_annex_asked_for_alone_counts_the_same(self, two_demands) -> None:
        alone = ek.individual.reliable_change(two_demands, on="role_ambiguity", method="hsu_linn_lord")
        assert counted(alone) == [4, 7, 3]
        assert set(alone.table.loc[alone.table["what"] == "other method", "method"]) == {*METHODS} - {"hsu_linn_lord"}
        assert any("beyond that of all leaders together" in caution for caution in alone.caveats)

    def test_the_ends_of_alpha_s_interval_are_counted_too(self, own) -> None:
        ends = own.table[own.table["what"] == "other reliability"]
        low, high = own.table.loc[own.table["measure"].str.endswith("reliability"), ["low", "high"]].iloc[0]
        assert ends["reliability"].tolist() == [low, low, high, high]
        smallest = stats.norm.ppf(0.975) * 2**0.5 * 0.782360474518 * (1 - pd.Series([low, high])) ** 0.5
        assert ends["threshold"].unique().tolist() == pytest.approx(smallest.tolist())
        change = pd.Series([sum(map(int, a)) - sum(map(int, b)) for b, a in zip(BEFORE, AFTER, strict=True)]) / 5
        expected = [n for end in smallest for n in ((change < -end).sum(), (change > end).sum())]
        assert ends["n"].tolist() == expected
        assert any("At the ends of the reliability's interval" in caution for caution in own.caveats)


class TestTheNumbersByHand:
    def test_counts_threshold_and_how_many_would_be_counted_if_nobody_changed(self) -> None:
        found = asked(moved([2.0] * 9 + [0.0] * 16 + [-1.0] * 5))
        sd = 0.5 * (30 / 29) ** 0.5  # half begin at 2, half at 3
        threshold = stats.norm.ppf(0.975) * (2 * (1 - 0.85)) ** 0.5 * sd
        assert counted(found) == [9, 16, 5]
        assert found.table["threshold"][0] == pytest.approx(threshold)
        assert found.table["expected_false"][:3].tolist()[::2] == pytest.approx([0.75, 0.75])
        assert found.table["out_of"][:3].tolist() == [30, 30, 30]
        assert found.headline == (
            "9 of 30 leaders rated themselves higher by more than error of measurement, 5 lower; under 1 each way if "
            "nobody had changed"
        )
        assert f"a change counts beyond {threshold:.2f} points on a scale of 1 to 5" in found.reading
        assert "a reliability of 0.85, from a retest study (fictional)" in found.reading

    def test_a_change_of_the_threshold_itself_does_not_count(self) -> None:
        found = asked(moved([1.0] * 6 + [0.0] * 24), reliability=0.75)
        below, above = found.table["threshold"][0], 1.0
        assert (counted(found)[0] == 6) == (above > below)

    def test_people_without_both_scores_are_in_no_class_but_in_the_spread(self) -> None:
        found = asked(moved([2.0] * 9 + [0.0] * 16 + [-1.0] * 5 + [None] * 10))
        assert sum(counted(found)) == 30
        spread = found.table.loc[found.table["measure"].str.contains("spread")].iloc[0]
        assert (spread["n"], spread["estimate"]) == (40, pytest.approx(0.5 * (40 / 39) ** 0.5))
        assert "10 more leaders were not rated at both waves, and are not counted." in found.caveats

    def test_confidence_is_that_of_the_interval_and_moves_nobody(self) -> None:
        of = moved([2.0] * 9 + [0.0] * 16 + [-1.0] * 5)
        usual, wide = asked(of), asked(of, confidence=0.99)
        assert counted(usual) == counted(wide)
        assert wide.table["low"][0] < usual.table["low"][0]
        assert wide.table["interval"][0] == "99% confidence"
        assert wide.table["threshold"][0] == usual.table["threshold"][0]

    def test_no_word_of_the_trade_and_no_word_of_a_verdict(self, own) -> None:
        assert "reliable change" not in said(own).lower()
        assert own.verdict is Verdict.DESCRIBED
        assert own.attribution is Attribution.CANNOT_TELL
        assert own.method.design is Design.BEFORE_AFTER
        assert not any(word in said(own) for word in ("significant", "p =", "improved", "worsened"))


class TestTheMethodPlanned:
    def test_unplanned_it_is_the_usual_one_and_said(self, own) -> None:
        assert set(own.table.loc[own.table["what"] == "counted", "method"]) == {"jacobson_truax"}
        assert "Jacobson and Truax, not declared beforehand" in own.reading

    def test_planned_it_answers_and_the_others_stay_in_the_annex(self) -> None:
        of = moved([2.0] * 9 + [0.0] * 16 + [-1.0] * 5, plan=Plan(reliable_change="hsu_linn_lord"))
        found = asked(of)
        assert set(found.table.loc[found.table["what"] == "counted", "method"]) == {"hsu_linn_lord"}
        assert "Hsu, Linn and Lord, declared beforehand, how large a change counts hangs on where" in found.reading
        rows_drawn = set(found.marks["row"].dropna())
        assert set(found.table.loc[sorted(rows_drawn), "what"]) == {"counted"}
        assert set(found.table.loc[[*found.parts[0].rows], "what"]) == {"counted"}

    def test_another_than_planned_is_said(self) -> None:
        of = moved([2.0] * 9 + [0.0] * 16 + [-1.0] * 5, plan=Plan(reliable_change="hsu_linn_lord"))
        assert "not that declared beforehand, of Hsu, Linn and Lord" in asked(of, method="jacobson_truax").reading

    def test_a_method_that_cannot_be_used_says_why(self) -> None:
        found = asked(moved([2.0] * 9 + [0.0] * 16 + [-1.0] * 5))
        unused = found.table[found.table["method"] == "nunnally_kotsch"]
        assert unused["why_not"].str.contains("reliability at the last wave").all()
        assert unused[["estimate", "n"]].isna().all().all()
        assert set(unused["interval"]) == {"none given"}
        with pytest.raises(ek.NotEnoughEvidence, match="reliability at the last wave") as refused:
            asked(moved([2.0] * 9 + [0.0] * 21), method="nunnally_kotsch")
        assert "another method" in refused.value.would_answer
        with pytest.raises(ek.NotEnoughEvidence, match="By Hageman and Arrindell: Changes vary no more"):
            asked(moved([0.0] * 29 + [1.0]), method="hageman_arrindell")


class TestRefusals:
    @pytest.mark.parametrize(
        ("told", "match"),
        [
            ({"method": "rci"}, "method='rci' is not known; choose one of jacobson_truax"),
            ({"reliability": 1.2}, "must lie between 0 and 1"),
            ({"reliability_from": ""}, "belong together"),
            ({"reliability": None}, "belong together"),
            ({"domain": "courage"}, "has no domain 'courage'"),
            ({"by": "shoe_size"}, "Nothing called 'shoe_size'"),
            ({"between": (2, 1)}, "earlier wave first"),
        ],
    )
    def test_settings_that_make_no_sense(self, told, match) -> None:
        with pytest.raises(ValueError, match=match) as refused:
            asked(moved([1.0, 0.0] * 8), **told)
        assert not isinstance(refused.value, ek.NotEnoughEvidence)

    def test_below_the_line_from_elsewhere_or_of_its_own(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="cannot be told from error of measurement") as refused:
            asked(moved([1.0, 0.0] * 8), reliability=0.69, reliability_from="the manual")
        assert "0.69, from the manual" in refused.value.missing
        assert "test-retest study" in refused.value.would_answer
        assert asked(moved([1.0, 0.0] * 8), reliability=LEAST).table["n"].notna().any()
        odd = ["12341", "23451", "34512", "45123", "51234", "13524", "24135", "35241", "41352", "52413", "54323"]
        with pytest.raises(ek.NotEnoughEvidence, match=r"below 0\.70"):
            ek.individual.reliable_change(sheets(odd, odd[::-1]), on="role_ambiguity")

    def test_under_ten_complete_forms_tell_no_reliability(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="Only 9 leaders answered every question"):
            ek.individual.reliable_change(sheets(BEFORE[:9], AFTER[:9]), on="role_ambiguity")

    def test_copies_and_a_single_question_take_a_reliability_from_elsewhere(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="they are copies"):
            asked(moved([1.0, 0.0] * 8), reliability=None, reliability_from="")
        single = one_question()
        domain = FORMS["healthcare_leadership_model"].items[0].domain
        with pytest.raises(ek.NotEnoughEvidence, match="It is one question"):
            ek.individual.reliable_change(single, on="healthcare_leadership_model", domain=domain)
        found = ek.individual.reliable_change(
            single, on="healthcare_leadership_model", domain=domain, reliability=0.8, reliability_from="a retest"
        )
        assert sum(counted(found)) == 20

    def test_too_few_or_all_alike_at_the_first_wave(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="4 leaders had a score"):
            asked(moved([1.0, 0.0, 1.0, 0.0]))
        same = {f"L{at}": {1: alike(LEARNING, 3.0), 2: alike(LEARNING, 3.0 + at % 2)} for at in range(12)}
        with pytest.raises(ek.NotEnoughEvidence, match="12 leaders had a score, all the same"):
            asked(programme(rows("system_leadership", same)))

    def test_one_wave_unlinked_ids_or_nobody(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="at one wave only"):
            asked(moved([None] * 12))
        unlinked = {f"W{wave}{at}": {wave: alike(LEARNING, 2.0 + at % 2)} for wave in (1, 2) for at in range(12)}
        with pytest.raises(ek.NotEnoughEvidence, match="cannot be joined"):
            asked(programme(rows("system_leadership", unlinked)))
        with pytest.raises(ek.NotEnoughEvidence, match="gave no answers"):
            asked(moved([1.0, 0.0] * 8), rater="sponsor")

    def test_few_pairs_are_counted_without_an_interval(self) -> None:
        found = asked(moved([2.0, 0.0, -1.0] + [None] * 9))
        assert sum(counted(found)) == 3
        assert set(found.table.loc[found.table["what"] != "measurement", "interval"]) == {"none given"}
        assert of_copy(found)["n"].isna().all()


def one_question() -> Programme:
    item = FORMS["healthcare_leadership_model"].items[0]
    given = {f"L{at:02d}": {1: {item.key: 1.0 + at % 3}, 2: {item.key: 3.0}} for at in range(20)}
    return programme(rows("healthcare_leadership_model", given))


class TestGroups:
    LEVELS = ("executive", "other", "senior_middle")

    def told(self, **more) -> Programme:
        changes = [2.0] * 12 + [0.0] * 18 + [-1.0] * 6 + [0.0, 2.0, -1.0, None]
        level = {f"L{at:03d}": self.LEVELS[at % 3] for at in range(36)}
        return moved(changes, seniority=level, **more)

    def test_every_group_has_its_own_number_of_leaders_and_the_unknown_are_one(self) -> None:
        found = asked(self.told(), by="seniority")
        assert [counted(found, group) for group in ("executive", "other", "senior middle")] == [[4, 6, 2]] * 3
        assert counted(found, "not recorded") == [1, 1, 1]
        assert counted(found) == [13, 19, 7]
        groups = found.table[(found.table["what"] == "counted") & (found.table["group"] == "executive")]
        assert groups["out_of"].tolist() == [12, 12, 12]
        assert groups["expected_false"].tolist()[0] == pytest.approx(0.3)
        assert groups["estimate"].tolist() == pytest.approx([100 * n / 12 for n in (4, 6, 2)])
        assert "By seniority: executive 4 higher and 2 lower of 12; other 4" in found.reading

    def test_leaders_followed_for_comparison_stand_beside_and_move_nobody(self) -> None:
        programme_s = given_of([2.0] * 9 + [0.0] * 16 + [-1.0] * 5)
        followed = given_of([0.0] * 12 + [2.0] * 6, first="C")
        both = programme(rows("system_leadership", programme_s), rows("system_leadership", followed),
                         arms=dict.fromkeys(followed, "comparison"))  # fmt: skip
        found = asked(both, by="arm")
        assert counted(found) == counted(found, "in the programme") == [9, 16, 5]
        assert counted(found, "followed for comparison") == [6, 12, 0]
        assert not any("not compared with others" in caution for caution in found.caveats)
        alone = asked(both)
        assert counted(alone) == [9, 16, 5]
        assert any("not compared with others" in caution for caution in alone.caveats)


class TestWhatCopiesTell:
    """The classes add up to a number everybody knows: of one withheld alone, subtraction tells."""

    def test_few_worse_are_withheld_with_those_unmoved_and_the_better_are_told(self) -> None:
        found = asked(moved([2.0] * 9 + [0.0] * 18 + [-1.0] * 3))
        shown = protect(found, Audience.COMMISSIONER)
        own = of_copy(found).set_index("class")["n"]
        assert own.isna().tolist() == [False, True, True]
        assert own["better"] == 9
        assert shown.headline == (
            "9 of 30 leaders rated themselves higher by more than error of measurement; under 1 if nobody had changed"
        )
        assert shown.verdict is Verdict.DESCRIBED
        everything = " ".join([shown.headline, shown.reading, shown.alt, *shown.caveats])
        assert "9 of 30" in everything
        assert "3 were lower" not in everything
        assert "The other 18" not in everything
        assert "Lower" not in shown.alt
        assert "3 were lower" in found.reading

    def test_few_better_are_withheld_and_the_worse_are_told(self) -> None:
        shown = protect(asked(moved([2.0] * 2 + [0.0] * 20 + [-1.0] * 8)), Audience.COMMISSIONER)
        assert shown.headline.startswith("8 of 30 leaders rated themselves lower")

    def test_few_either_way_leave_nothing_to_subtract_from(self) -> None:
        found = asked(moved([2.0] * 2 + [0.0] * 26 + [-1.0] * 2))
        shown = protect(found, Audience.COMMISSIONER)
        assert of_copy(found)["n"].isna().all()
        assert shown.headline == "Withheld: too few people to show"
        assert "a change counts beyond" in shown.reading

    def test_nobody_worse_may_be_said(self) -> None:
        shown = protect(asked(moved([2.0] * 9 + [0.0] * 21)), Audience.COMMISSIONER)
        assert counted(shown) == [9, 21, 0]
        assert "None were lower by as much" in shown.reading

    def test_one_sponsor_who_rated_everybody_stays_with_the_evaluator(self) -> None:
        given = given_of([2.0] * 9 + [0.0] * 16 + [-1.0] * 5)
        of = programme(rows("system_leadership", given, rater="sponsor", by=dict.fromkeys(given, "S1")))
        assert of_copy(asked(of, rater="sponsor"))["n"].isna().all()

    @settings(max_examples=5, deadline=None)
    @given(st.lists(st.sampled_from([2.0, 2.0, 0.0, 0.0, 0.0, -1.0]), min_size=20, max_size=32), st.integers(2, 4))
    def test_whatever_happened_no_small_class_is_told(self, changes: list[float], levels: int) -> None:
        level = {f"L{at:03d}": ("executive", "other", "senior_middle")[at % levels]
                 for at in range(len(changes)) if at % levels < 3}  # fmt: skip
        found = asked(moved(changes, seniority=level), by="seniority")
        own = of_copy(found)
        assert not own["n"].dropna().between(1, 4).any()
        for _, part in own.groupby("group"):
            gone = part[part["n"].isna()]
            assert len(gone) != 1
            assert not 0 < gone["held"].sum() < 5 or len(gone) == 3
        for _, part in own[own["group"] != "all"].groupby("class"):
            gone = part[part["n"].isna()]
            assert len(gone) != 1 or len(part) == 1
            assert not 0 < gone["held"].sum() < 5 or len(gone) == len(part)
        apart = own[own["group"] != "all"].groupby("class")["held"].sum()
        assert apart.loc[["better", "neither", "worse"]].tolist() == counted(found)
        assert sum(counted(found)) == len(changes)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=3, max_size=3), st.integers(2, 8))
def test_classes_kept_back_cannot_be_worked_out(counts: list[int], minimum: int) -> None:
    gone = classes_withheld(counts, minimum, companions=(1, 0, 2))
    assert {place for place, count in enumerate(counts) if 0 < count < minimum} <= set(gone)
    if gone and len(gone) < 3 and all(counts[place] for place in set(range(3)) - set(gone)):
        assert len(gone) > 1
        assert sum(counts[place] for place in gone) >= minimum


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 12)] * 3), min_size=1, max_size=5), st.integers(2, 8))
def test_groups_kept_back_cannot_be_worked_out(groups: list[tuple[int, int, int]], minimum: int) -> None:
    named = {f"g{at}": one for at, one in enumerate(groups)}
    gone = groups_withheld(named, minimum)
    assert not any(0 < part < minimum for name, one in named.items() if name not in gone for part in one)
    if 0 < len(gone) < len(groups):
        assert len(gone) > 1
        together = [sum(one) for one in zip(*(named[name] for name in gone), strict=True)]
        assert not any(0 < part < minimum or 0 < sum(together) - part < minimum for part in together)


def test_counts_by_another_rule_that_lie_a_few_apart_are_kept_back() -> None:
    assert rules_withheld([(20, 10), (23, 10)], 60, 5, shown=(20, 10)) == [(None, None), (3, None)]
    assert rules_withheld([(40, 18)], 60, 5, shown=(None, None)) == [(2, 2)]  # two between them


class TestCautions:
    def test_chosen_low_scorers_come_first_and_a_small_spread_is_unsteady(self, own) -> None:
        assert own.caveats[0].startswith("Were leaders chosen for low scores, scores rise by themselves")
        assert any("Fewer than 30 leaders tell the spread" in caution for caution in own.caveats)
        assert any("answers given at one time" in caution for caution in own.caveats)

    def test_no_room_at_the_top_is_said(self) -> None:
        crowded = asked(moved([0.0] * 28 + [-1.0] * 5, begin=4.0))
        assert any("near the better end that no later score could" in caution for caution in crowded.caveats)
        assert not any("near the better end" in caution for caution in asked(moved([2.0] * 9 + [0.0] * 21)).caveats)

    def test_a_reliability_from_elsewhere_holds_only_if_people_differ_as_much(self) -> None:
        found = asked(moved([2.0] * 9 + [0.0] * 21), reliability_from="a study, because of X")
        assert "holds here only if leaders differ as much as people there" in " ".join(found.caveats)
        assert "because of" not in said(found)


class TestNorthmere:
    def test_the_whole_rests_on_the_stratified_alpha(self, northmere) -> None:
        found = ek.individual.reliable_change(northmere)
        alphas = ek.individual.reliability(northmere).table
        whole = alphas[(alphas["unit"].str.startswith("stratified")) & (alphas["wave"] == 1)].iloc[0]
        own = found.table[found.table["what"] == "measurement"].iloc[0]
        assert own[["estimate", "low", "high", "n"]].tolist() == whole[["estimate", "low", "high", "n"]].tolist()
        assert sum(counted(found)) == found.about.n == 104
        assert found.details.n == 104

    def test_nobody_stands_in_table_or_marks(self, northmere) -> None:
        found = ek.individual.reliable_change(northmere, by="cohort")
        people = set(northmere.participants["participant_id"])
        for frame in (found.table, found.marks):
            assert not people & {str(cell) for cell in frame.to_numpy().ravel()}
        protect(found, Audience.PUBLIC)

    def test_weak_domains_of_sponsors_are_refused(self, northmere) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match=r"Learning and Capacity Building is 0\.51"):
            ek.individual.reliable_change(northmere, rater="sponsor", domain="learning")
