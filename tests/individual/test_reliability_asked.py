"""individual.reliability, and the reliability of a score from a programme's own answers.

R 4.2.2, package psych 2.2.9, on the answers of BEFORE below (X, digits already turned round):
    psych::alpha(X, check.keys = FALSE)$total$raw_alpha   0.821364452424;  $feldt  lower 0.61, upper 0.93
    d1 <- rowMeans(X[, 1:2]); d2 <- rowMeans(X[, 3:5]); a1, a2 their psych::alpha
    a1 0.715855572998  a2 0.632415254237
    1 - .25 * (var(d1) * (1 - a1) + var(d2) * (1 - a2)) / var((d1 + d2) / 2)   0.819697603538
    the same with each row left out in turn (lo, n = 14): sqrt(13 / 14 * sum((lo - mean(lo))^2))   0.123042428276
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import evalkit as ek
from evalkit import instrument
from evalkit.disclosure import protect
from evalkit.individual.own_reliability import own_reliability, worth
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.stats.reliability import alpha
from evalkit.stats.stratified_alpha import jackknife_limits, stratified
from evalkit.terms import Audience, Design, Verdict
from tests.individual.rated import alike, programme, rows

FORMS = instrument.shipped()
AMBIGUITY = FORMS["role_ambiguity"]
BEFORE = ["33433", "54354", "34433", "33223", "32333", "23332", "33244",
          "24433", "43442", "21211", "54545", "34333", "55244", "32423"]  # fmt: skip
Given = dict[str, dict[int, dict[str, float | None]]]


def sheets(*waves: list[str], form: str = "role_ambiguity", first: str = "L") -> Given:
    """Leader → wave → item → answer, from a row of digits a leader and wave ("." for a blank), as they count once
    reversed items are turned round; what was ticked is turned back."""
    items = FORMS[form].items
    return {
        f"{first}{who:02d}": {
            wave: {item.key: None if digit == "." else (6 - float(digit) if item.reversed else float(digit))
                   for item, digit in zip(items, own, strict=True)}
            for wave, own in enumerate(told, 1)
        }
        for who, told in enumerate(zip(*waves, strict=True))
    }  # fmt: skip


def asked(*waves: list[str], form: str = "role_ambiguity", **told) -> Result:
    return ek.individual.reliability(programme(rows(form, sheets(*waves, form=form))), on=form, **told)


def digits(of: list[str]) -> np.ndarray:
    return np.array([[float(digit) for digit in row] for row in of])


class TestAgainstR:
    def test_alpha_with_reversed_items_turned_is_that_of_psych(self) -> None:
        row = asked(BEFORE).table.iloc[0]
        assert row["estimate"] == pytest.approx(0.821364452424, abs=1e-11)
        assert [round(row[end], 2) for end in ("low", "high")] == [0.61, 0.93]
        assert (row["n"], row["n_of"], row["items"], row["n_incomplete"], row["raters"]) == (14, "leaders", 5, 0, 14)
        assert row["interval"] == "95% confidence"

    def test_unturned_it_would_be_another_number(self) -> None:
        given = sheets(BEFORE)
        raw = pd.DataFrame([waves[1] for waves in given.values()])
        assert alpha(raw).estimate < 0.5

    def test_the_whole_is_the_stratified_alpha_written_out(self) -> None:
        weights = np.array([1 / 2, 1 / 2, 1 / 3, 1 / 3, 1 / 3])
        found = stratified(np.cov(digits(BEFORE).T), weights, [[0, 1], [2, 3, 4]])
        assert float(found) == pytest.approx(0.819697603538, abs=1e-11)
        centred = digits(BEFORE) - digits(BEFORE).mean(axis=0)
        low, high = jackknife_limits(centred, float(found), weights, [[0, 1], [2, 3, 4]], 0.95)
        half = stats.t.ppf(0.975, 13) * 0.123042428276 / (1 - 0.819697603538)
        assert (low, high) == pytest.approx((1 - 0.180302396462 * math.exp(half), 1 - 0.180302396462 / math.exp(half)))

    def test_the_question_gives_the_whole_where_there_is_one(self) -> None:
        rng = np.random.default_rng(4)
        people = rng.normal(size=(30, 1)) + rng.normal(size=(30, 30))
        told = ["".join(map(str, row)) for row in np.clip(np.round(3 + people), 1, 5).astype(int)]
        table = asked(told, form="system_leadership").table
        assert len(table) == 5
        X = digits(told)
        domains = [item.domain for item in FORMS["system_leadership"].items]
        parts = {key: X[:, [one == key for one in domains]] for key in dict.fromkeys(domains)}
        means = {key: part.mean(axis=1) for key, part in parts.items()}
        error = sum(means[key].var(ddof=1) * (1 - alpha(part).estimate) for key, part in parts.items()) / 16
        whole = table.iloc[-1]
        assert whole["estimate"] == pytest.approx(1 - error / np.mean([*means.values()], axis=0).var(ddof=1))
        assert whole["unit"] == "stratified alpha, at most 1"
        assert whole["low"] < whole["estimate"] < whole["high"]
        assert table["estimate"][:4].tolist() == pytest.approx([alpha(part).estimate for part in parts.values()])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 7), st.integers(5, 30))
def test_one_stratum_of_equal_weights_is_alpha_and_units_do_not_matter(seed: int, items: int, people: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(people, items)) + rng.normal(size=(people, 1))
    spread = np.cov(X.T)
    one = [list(range(items))]
    assert float(stratified(spread, np.full(items, 0.3), one)) == pytest.approx(alpha(X).estimate)
    assert float(stratified(spread * 9, np.ones(items), one)) == pytest.approx(alpha(X).estimate)
    apart = stratified(spread, np.ones(items), [[place] for place in range(items)])
    # a stratum of one counts wholly as error: what is left is what different items share
    assert float(apart) == pytest.approx(1 - np.trace(spread) / spread.sum())


class TestWhatIsLeftOut:
    def test_incomplete_sheets_are_counted_and_left_out(self) -> None:
        told = [*BEFORE[:12], "55.44", "..4.."]
        row = asked(told).table.iloc[0]
        assert (row["n"], row["n_incomplete"]) == (12, 2)
        assert row["estimate"] == pytest.approx(alpha(digits(BEFORE[:12])).estimate)

    def test_several_forms_about_one_leader_are_averaged_first(self) -> None:
        asked_of = [item.key for item in FORMS["system_leadership"].items if item.domain == "learning"][:5]
        told = {"S": BEFORE, "Z": BEFORE[::-1]}
        answers = [
            rows(
                "system_leadership",
                {f"L{at}": {1: dict(zip(asked_of, map(float, row), strict=True))} for at, row in enumerate(own)},
                rater="sponsor",
                by={f"L{at}": f"{who}{at}" for at in range(14)},
            )
            for who, own in told.items()
        ]
        found = ek.individual.reliability(programme(*answers), on="system_leadership", rater="sponsor")
        row = found.table.set_index("measure").loc["Learning and Capacity Building"]
        expected = alpha((digits(BEFORE) + digits(BEFORE)[::-1]) / 2).estimate
        assert (row["n"], row["raters"], row["items"]) == (14, 28, 5)
        assert row["estimate"] == pytest.approx(expected)
        assert any("another person may rate" in caution for caution in found.caveats)

    def test_looking_back_and_those_followed_for_comparison_are_left_out(self) -> None:
        own, followed = sheets(BEFORE), sheets(BEFORE, first="C")
        then = rows("role_ambiguity", {"L00": {1: alike([i.key for i in AMBIGUITY.items], 1.0)}}, timing="then")
        told = programme(rows("role_ambiguity", own), rows("role_ambiguity", followed), then,
                         arms=dict.fromkeys(followed, "comparison"))  # fmt: skip
        assert ek.individual.reliability(told, on="role_ambiguity").table["n"].tolist() == [14]

    def test_questions_not_asked_of_sponsors_do_not_count_against_them(self) -> None:
        """Northmere's sponsors have a shorter form."""
        northmere = ek.load(folder("sample_data") / "northmere")
        table = ek.individual.reliability(northmere, on="system_leadership", rater="sponsor").table
        assert table["items"].tolist() == [4, 4, 5, 5, 4, 4, 3, 3, 16, 16]
        assert table["estimate"].notna().all()

    def test_too_few_questions_asked_make_no_score_and_no_alpha(self) -> None:
        told = [f"{row[0]}{row[1]}..." for row in BEFORE]
        with pytest.raises(ek.NotEnoughEvidence, match="Too few of its questions were asked"):
            asked(told)


class TestEveryWave:
    def test_a_row_a_domain_and_wave_in_month_words(self) -> None:
        table = asked(BEFORE, list(reversed(BEFORE))).table
        assert table["group"].tolist() == ["April 2024", "October 2024"]
        assert table["wave"].tolist() == [1, 2]
        assert table["estimate"][0] == pytest.approx(table["estimate"][1])

    def test_answers_at_no_wave_stand_by_themselves(self) -> None:
        answers = rows("role_ambiguity", sheets(BEFORE), timing="followup").assign(wave=pd.NA).astype({"wave": "Int64"})
        table = ek.individual.reliability(programme(answers), on="role_ambiguity").table
        assert table["group"].tolist() == ["at no wave"]
        assert table["wave"].isna().all()

    def test_lowest_and_highest_are_the_headline(self) -> None:
        found = asked(BEFORE, ["11111", "22222", "33333", "44444", "55555", *["33333"] * 8, "33334"])
        assert found.headline.startswith("Alpha (at most 1) lies between 0.82 (Two sets of demands, April 2024, 14 lea")
        assert "(Two sets of demands, October 2024, 14 leaders)" in found.headline
        assert found.verdict is Verdict.DESCRIBED
        assert found.method.design is Design.DESCRIBED
        assert "no proof that questions measure one thing" in found.caveats[0]


class TestLowOrAgainst:
    ODD = ("12341", "23451", "34512", "45123", "51234", "13524", "24135", "35241", "41352", "52413", "54323", "15432")

    def test_below_the_line_is_said_with_what_it_means_for_one_leader(self) -> None:
        found = asked([*self.ODD])
        assert "too low to tell one leader's change" in found.reading
        assert any("changes of single leaders cannot be told" in caution for caution in found.caveats)

    def test_items_against_the_others_are_named_by_their_words(self) -> None:
        told = [f"{row[:4]}{6 - int(row[0])}" for row in BEFORE]
        found = asked(told)
        last = AMBIGUITY.items[-1].text
        assert found.table["against"][0].split("; ") == [last]
        assert f"“{last}”" in found.reading

    def test_an_item_with_one_answer_from_everybody_is_named_and_left_out(self) -> None:
        told = [f"{row[:4]}3" for row in BEFORE]
        row = asked(told).table.iloc[0]
        assert row["alike"] == AMBIGUITY.items[-1].text
        assert row["estimate"] == pytest.approx(alpha(digits(told)[:, :4]).estimate)


class TestOneQuestionADomain:
    def told(self) -> list[str]:
        rng = np.random.default_rng(2)
        level = np.clip(np.round(2.5 + rng.normal(size=(20, 1)) * 0.8 + rng.normal(size=(20, 9)) * 0.6), 1, 4)
        return ["".join(map(str, row)) for row in level.astype(int)]

    def test_every_such_domain_is_a_row_with_its_reason_and_a_caution(self) -> None:
        found = asked(self.told(), form="healthcare_leadership_model")
        domains = found.table[:-1]
        assert domains["estimate"].isna().all()
        assert set(domains["interval"]) == {"none given"}
        assert domains["why_not"].str.contains("one question").all()
        assert any("have no alpha: one question has nothing to hang together with" in said for said in found.caveats)

    def test_their_mean_has_the_alpha_of_the_questions(self) -> None:
        whole = asked(self.told(), form="healthcare_leadership_model").table.iloc[-1]
        assert whole["estimate"] == pytest.approx(alpha(digits(self.told())).estimate)


class TestEdges:
    def test_nobody_is_refused_and_a_recorded_form_too(self) -> None:
        told = programme(rows("readiness", {"L1": {1: {"needed": 3.0}}}))
        with pytest.raises(ek.NotEnoughEvidence, match="gave no answers"):
            ek.individual.reliability(told, on="role_ambiguity")
        with pytest.raises(ek.NotEnoughEvidence, match="never averaged"):
            ek.individual.reliability(told, on="mbti")
        with pytest.raises(ValueError, match="No instrument is called"):
            ek.individual.reliability(told, on="rolls")

    @pytest.mark.parametrize("people", [1, 2])
    def test_one_or_two_people_have_no_alpha(self, people: int) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match=f"{people} of {people} leader.* answered every question"):
            asked(BEFORE[:people])

    def test_four_people_have_no_interval_and_it_is_said(self) -> None:
        found = asked(BEFORE[:4])
        assert found.table["interval"].tolist() == ["none given"]
        assert "Fewer than 5 leaders have no interval." in found.caveats

    def test_all_alike_is_refused(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="what does not vary cannot hang together"):
            asked(["33333"] * 12)

    def test_totals_all_alike_are_refused(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="the questions cancel each other out"):
            asked(["12345", "23451", "34512", "45123", "51234", "13524"])

    def test_copies_have_an_alpha_of_one_and_no_interval(self) -> None:
        found = asked([str(1 + at % 5) * 5 for at in range(12)])
        assert found.table[["estimate", "interval"]].iloc[0].tolist() == [1.0, "none given"]

    def test_everybody_s_overall_score_the_same_is_a_row_with_a_reason(self) -> None:
        form = FORMS["healthcare_leadership_model"]
        told = pd.DataFrame([[1, 4, *[2] * 7], [4, 1, *[2] * 7], [2, 3, *[2] * 7]], columns=[i.key for i in form.items])
        assert own_reliability(form, "overall", told).why_not == "Everybody has the same overall score."

    def test_a_few_stay_with_the_evaluator(self) -> None:
        shown = protect(asked(BEFORE, [*BEFORE[:4], *["....."] * 10]), Audience.COMMISSIONER)
        assert shown.table["interval"].tolist() == ["95% confidence", "withheld"]
        assert shown.table["n"].isna().tolist() == [False, True]

    def test_letters_with_points_count_as_their_points(self) -> None:
        form = FORMS["sustainability"]
        codes = pd.DataFrame([[1, 2], [3, 0], [2, 2]], columns=[item.key for item in form.items[:2]])
        answers = rows("sustainability", {f"L{at}": {1: row.to_dict()} for at, row in codes.iterrows()})
        found = worth(form, answers)
        points = [
            [list(form.items[j].points.values())[int(code)] for j, code in enumerate(row)] for row in codes.values
        ]
        assert found.iloc[:, :2].to_numpy().tolist() == points
        assert found.iloc[:, 2:].isna().all().all()
