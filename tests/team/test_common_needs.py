"""team.common_needs: which domains many places find lowest, beside what chance would give, and no place told."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit import circumstances
from evalkit.disclosure import protect
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.team.common_needs import SIGN_RULE, _by_chance
from evalkit.terms import Audience, Sign, Verdict

DOMAINS = ("leadership", "governance", "culture", "engagement", "finance", "information", "workforce", "redesign")

# R 4.2.2 (2022-11-10 r83330): for each n, p: qbinom(c(.025,.975),n,p); h <- qbinom(.975,n,p); 1-pbinom(h,n,p)
BY_R = [
    (12, 0.25, 0, 6, 0.014252781868),
    (19, 0.25, 1, 9, 0.008903279304),
    (12, 0.125, 0, 4, 0.011285478104),
    (5, 0.4, 0, 4, 0.010240000000),
    (2, 0.25, 0, 2, 0.0),
]
# R 4.2.2: m <- rbind(c(1,2,3,3,4,4,5,5),c(2,1,3,3,4,5,4,5),c(1,1,2,3,3,4,5,4)); f <- friedman.test(m)
#   sprintf("%.12f", f$statistic/(3*7))   "0.928669410151"
THREE = ((1, 2, 3, 3, 4, 4, 5, 5), (2, 1, 3, 3, 4, 5, 4, 5), (1, 1, 2, 3, 3, 4, 5, 4))
W_BY_R = 0.928669410151

Forms = Mapping[str, Sequence[Sequence[float]]]
"""Of each place, what each person answered, in the order of DOMAINS; NaN where blank."""


def programme(told: Forms, *, waves: Sequence[int] = (1,), arms: Sequence[str] | None = None) -> Programme:
    forms = [
        {"respondent_id": f"{place}-{at}", "subject_kind": "place", "subject_id": place, "rater": "team_member",
         "instrument": "icfat", "item": item, "wave": wave, "timing": "post",
         "answered_on": pd.Timestamp(2025, wave, 1), "answer": answer}
        for place, people in told.items()
        for at, form in enumerate(people)
        for item, answer in zip(DOMAINS, form, strict=True)
        for wave in waves
        if not math.isnan(answer)
    ]  # fmt: skip
    answers = pd.DataFrame(forms)
    return Programme.build(
        settings=Settings(name="Testmere", as_of=pd.Timestamp(2026, 3, 31).date(), fictional=True),
        tables={
            "places": pd.DataFrame({"place_id": list(told), "name": [f"Town of {place}" for place in told],
                                    "arm": arms or ["programme"] * len(told)}),
            "respondents": pd.DataFrame({"respondent_id": answers["respondent_id"].unique()}),
            "waves": pd.DataFrame({"wave": waves, "closes_on": [pd.Timestamp(2025, wave, 28) for wave in waves]}),
            "responses": answers,
        },
    )  # fmt: skip


def like(orders: Sequence[Sequence[float]], people: int = 3) -> dict[str, list[Sequence[float]]]:
    """Places whose people all answer alike: a row of `orders` each."""
    return {f"P{at:02d}": [order] * people for at, order in enumerate(orders)}


def domains(found: Result) -> pd.DataFrame:
    return found.table.iloc[:-1].set_index("measure")


def agreement(found: Result) -> pd.Series:
    return found.table.iloc[-1]


@pytest.fixture(scope="module")
def northmere() -> Programme:
    return ek.load(folder("sample_data") / "northmere")


@pytest.mark.parametrize(("n", "p", "low", "high", "above"), BY_R)
def test_chance_is_that_of_r(n: int, p: float, low: int, high: int, above: float) -> None:
    found = _by_chance(pd.Series([p] * n))
    assert (found.low, found.high) == (low, high)
    assert found.above == pytest.approx(above, abs=1e-12)


@given(st.lists(st.integers(1, 8).map(lambda tied: tied / 8), min_size=1, max_size=7))
def test_chance_of_places_with_ties_is_that_of_every_way_it_can_fall(shares: list[float]) -> None:
    found = _by_chance(pd.Series(shares))
    falls = [
        (sum(fall), math.prod(p if hit else 1 - p for p, hit in zip(shares, fall, strict=True)))
        for fall in itertools.product((0, 1), repeat=len(shares))
    ]
    assert found.above == pytest.approx(sum(p for n, p in falls if n > found.high), abs=1e-9)
    assert found.above <= 0.025 + 1e-9
    assert sum(p for n, p in falls if n < found.low) <= 0.025 + 1e-9
    assert sum(p for n, p in falls if n > found.high - 1) > 0.025 - 1e-9 or found.high == 0


def test_chance_is_that_of_dealing_the_domains_anew() -> None:
    """Two lowest of eight in each of twelve places, one place with three tied: 20,000 dealings."""
    dice = np.random.default_rng(5)
    least = np.zeros((12, 8), dtype=bool)
    least[:, :2] = True
    least[0, 2] = True
    dealt = sum(dice.permuted(np.broadcast_to(row, (20_000, 8)), axis=1)[:, 0].astype(int) for row in least)
    found = _by_chance(pd.Series(least.sum(axis=1) / 8))
    assert np.mean(dealt > found.high) == pytest.approx(found.above, abs=0.003)


class TestCounts:
    def test_the_numbers_of_northmere_by_hand(self, northmere: Programme) -> None:
        held = northmere.responses.query("instrument == 'icfat' and rater == 'team_member' and wave == 4")
        means = held.pivot_table(index="subject_id", columns="item", values="answer", aggfunc="mean")
        second = means.round(9).apply(lambda place: sorted(place)[1], axis="columns")
        counts = means.round(9).le(second, axis="index").sum()
        found = domains(ek.team.common_needs(northmere))
        labels = northmere.instruments["icfat"].domain_labels
        for key in DOMAINS:
            row = found.loc[labels[key]]
            assert (row["n"], row["out_of"]) == (counts[key], 12)
            assert row["estimate"] == pytest.approx(100 * counts[key] / 12)
            assert row["mean"] == pytest.approx(means[key].mean())
        assert found.index.tolist() == [labels[key] for key in DOMAINS], "in the tool's order, not sorted by need"
        assert (found["interval"] == "range expected by chance").all()

    def test_one_domain_low_everywhere_is_a_question_and_no_failing(self) -> None:
        dice = np.random.default_rng(2)
        orders = [(*dice.permutation([2, 3, 4, 5, 4, 3]), 0, 3) for _ in range(12)]
        found = ek.team.common_needs(programme(like(orders)))
        row = domains(found).loc["Workforce"]
        assert (row["n"], row["sign"]) == (12, Sign.UNCERTAIN.value)
        assert row["ask"].startswith("Workforce is among the 2 lowest in 12 of 12 places: is that need or clear sight")
        assert "Workforce in 12 of 12 places" in found.headline
        assert SIGN_RULE in found.caveats
        assert found.verdict is Verdict.DESCRIBED

    def test_what_ties_with_the_last_counts_too_and_chance_allows_for_it(self) -> None:
        orders = [(0, 1, 1, 1, 5, 5, 5, 5)] * 6
        found = ek.team.common_needs(programme(like(orders)))
        assert domains(found)["n"].tolist() == [6, 6, 6, 6, 0, 0, 0, 0]
        assert "6 places have more than 2 counted: what ties with the last of them counts too." in found.caveats
        half = _by_chance(pd.Series([0.5] * 6))
        assert domains(found)["high"].iloc[0] == pytest.approx(100 * half.high / 6)

    def test_places_that_tell_no_domain_from_another_ask_nothing_of_any_domain(self) -> None:
        found = ek.team.common_needs(programme(like([(3,) * 8] * 5)))
        assert (domains(found)["n"] == 5).all()
        assert (domains(found)["low"] == 100).all()
        assert (domains(found)["ask"] == "").all()
        assert math.isnan(agreement(found)["estimate"])
        assert "no order to agree on" in found.reading
        assert "no order of domains in common" in agreement(found)["ask"]
        found.svg()

    def test_one_lowest_and_seven(self) -> None:
        orders = [tuple((at + shift) % 6 for at in range(8)) for shift in range(4)]
        held = programme(like(orders))
        one = ek.team.common_needs(held, lowest=1)
        assert (
            one.marks.query("mark == 'subtitle'")["label"].iloc[0].startswith("Places where a domain is the lowest (")
        )
        assert domains(ek.team.common_needs(held, lowest=7))["n"].sum() >= 4 * 7
        for wrong in (0, 8):
            with pytest.raises(ValueError, match=f"lowest={wrong} must be 1 to 7"):
                ek.team.common_needs(held, lowest=wrong)

    @given(st.lists(st.lists(st.integers(0, 5), min_size=8, max_size=8), min_size=2, max_size=5), st.integers(1, 7))
    @settings(max_examples=12)  # each asks a whole question
    def test_the_order_of_places_does_not_matter_and_each_counts_at_least_the_lowest(
        self, orders: list[list[int]], lowest: int
    ) -> None:
        first, turned = (
            ek.team.common_needs(programme(like(told)), lowest=lowest, permutations=99)
            for told in (orders, orders[::-1])
        )
        assert domains(first)["n"].tolist() == domains(turned)["n"].tolist()
        assert domains(first)["n"].sum() >= lowest * len(orders)
        assert (domains(first)["n"] <= len(orders)).all()
        assert agreement(first)["estimate"] == pytest.approx(agreement(turned)["estimate"], nan_ok=True)

    def test_where_less_is_better_the_highest_are_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        plain = circumstances.instrument
        monkeypatch.setattr(circumstances, "instrument", lambda held, on: replace(plain(held, on), better="lower"))
        found = ek.team.common_needs(programme(like([(0, 1, 2, 3, 4, 4, 5, 5)] * 6)))
        assert domains(found)["n"].tolist() == [0, 0, 0, 0, 0, 0, 6, 6]
        assert "Among the 2 highest" in found.headline
        assert any("A high score is not yet a need" in caveat for caveat in found.caveats)


class TestAgreement:
    def test_kendalls_w_is_that_of_r(self) -> None:
        found = ek.team.common_needs(programme(like(THREE)))
        assert agreement(found)["estimate"] == pytest.approx(W_BY_R, abs=1e-11)
        assert agreement(found)["n"] == 3

    def test_places_that_agree_are_not_asked_what_each_needs_of_its_own(self) -> None:
        found = ek.team.common_needs(programme(like([(*range(6), 5, 5)] * 8)))
        assert agreement(found)["p"] < 0.05
        assert agreement(found)["ask"] == ""
        assert "p under .001" in found.reading

    def test_places_with_no_order_in_common_are(self) -> None:
        orders = [(0, 1, 2, 3, 4, 5, 4, 3), (5, 4, 3, 2, 1, 0, 1, 2)] * 3
        found = ek.team.common_needs(programme(like(orders)))
        assert agreement(found)["p"] > 0.05
        assert agreement(found)["sign"] == Sign.UNCERTAIN.value
        assert "what does each of them need of its own?" in agreement(found)["ask"]
        assert "about 0.17 would come of chance" in found.reading

    def test_the_same_seed_gives_the_same_p(self, northmere: Programme) -> None:
        first, again = (ek.team.common_needs(northmere, wave=2, permutations=199, seed=3) for _ in range(2))
        pd.testing.assert_frame_equal(first.table, again.table)
        assert first.about.asked.endswith("wave=2, lowest=2, permutations=199, seed=3)")


class TestWhoCounts:
    def test_one_persons_place_is_left_out_and_said(self) -> None:
        told = like([(0, 1, 2, 3, 4, 5, 5, 5)] * 3)
        found = ek.team.common_needs(programme({**told, "P09": [(5, 5, 5, 5, 4, 4, 0, 0)]}))
        assert (found.about.n, found.about.of) == (3, 4)
        assert domains(found).loc["Workforce", "n"] == 0
        assert "1 place was left out: scored by one person alone, or not on every domain." in found.caveats
        assert "9 people scored 3 places" in found.reading

    def test_a_place_without_a_domain_is_left_out_and_said(self) -> None:
        told = like([(0, 1, 2, 3, 4, 5, 5, 5)] * 3)
        partly = {**told, "P09": [(0, 1, 2, 3, 4, 5, 5, math.nan)] * 4, "P10": [(*[1] * 7, math.nan)] * 2}
        found = ek.team.common_needs(programme(partly))
        assert (domains(found)["out_of"] == 3).all()
        assert "2 places were left out: scored by one person alone, or not on every domain." in found.caveats

    def test_comparison_places_are_not_counted(self) -> None:
        held = programme(like([(0, 1, 2, 3, 4, 5, 5, 5)] * 4), arms=["programme"] * 3 + ["comparison"])
        assert (domains(ek.team.common_needs(held))["out_of"] == 3).all()

    @pytest.mark.parametrize(("orders", "people"), [(1, 9), (2, 2), (3, 1)])
    def test_too_few_places_or_people_are_refused(self, orders: int, people: int) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="by 2 people or more") as refused:
            ek.team.common_needs(programme(like([(0, 1, 2, 3, 4, 5, 5, 5)] * orders, people)))
        assert "two places or more" in refused.value.would_answer

    def test_the_last_wave_unless_another_is_said(self) -> None:
        held = programme(like([(0, 1, 2, 3, 4, 5, 5, 5)] * 3), waves=(1, 4))
        assert "April 2025" in ek.team.common_needs(held).reading
        assert "January 2025" in ek.team.common_needs(held, wave=1).reading
        with pytest.raises(ValueError, match="wave=2 is none at which somebody scored: 1 and 4"):
            ek.team.common_needs(held, wave=2)

    def test_an_instrument_of_one_domain_has_no_lowest(self) -> None:
        answers = pd.DataFrame(
            [
                {"respondent_id": f"{place}-{at}", "subject_kind": "place", "subject_id": place, "rater": "team_member",
                 "instrument": "devon_climate", "item": item, "wave": 1, "timing": "post", "answer": 3}
                for place in ("P1", "P2")
                for at in range(4)
                for item in ("belief", "told", "passed_on", "challenge")
            ]
        )  # fmt: skip
        held = Programme.build(
            settings=Settings(name="Testmere", as_of=pd.Timestamp(2026, 3, 31).date(), fictional=True),
            tables={"places": pd.DataFrame({"place_id": ["P1", "P2"], "name": ["Ash", "Elm"]}),
                    "respondents": pd.DataFrame({"respondent_id": answers["respondent_id"].unique()}),
                    "waves": pd.DataFrame({"wave": [1]}), "responses": answers},
        )  # fmt: skip
        with pytest.raises(ek.NotEnoughEvidence, match="has one domain, so none is lower than another"):
            ek.team.common_needs(held, on="devon_climate")

    def test_published_averages_are_no_answers(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="Nobody's answers"):
            ek.team.common_needs(ek.load(folder("sample_data") / "salford"))


class TestWhatIsShown:
    def test_no_place_is_told(self, northmere: Programme) -> None:
        found = ek.team.common_needs(northmere)
        told = json.dumps(found.to_json(), ensure_ascii=False)
        for name in (*northmere.places["name"], *northmere.places["place_id"]):
            assert name not in told

    @pytest.mark.parametrize("audience", [Audience.TEAM, Audience.COMMISSIONER, Audience.PUBLIC])
    def test_every_audience_sees_the_counts(self, northmere: Programme, audience: Audience) -> None:
        found = ek.team.common_needs(northmere)
        pd.testing.assert_frame_equal(protect(found, audience).table, found.table)

    def test_the_bars_are_the_counts(self, northmere: Programme) -> None:
        found = ek.team.common_needs(northmere)
        bars = found.marks.query("mark == 'bar'")
        assert bars["y"].tolist() == domains(found)["n"].astype(float).tolist()
        assert "Information and IT: 7 of 12" in found.alt

    def test_how_many_looked_at_together_is_said(self, northmere: Programme) -> None:
        """8 domains, each above 6 of 12 by chance in 1.4 of 100 (R above; more with three tied in one place)."""
        (said,) = (caveat for caveat in ek.team.common_needs(northmere).caveats if "looked at together" in caveat)
        shares = pd.Series([0.25] * 11 + [0.375])
        assert f"up to {round(100 * 8 * _by_chance(shares).above)} of 100" in said

    def test_it_is_something_to_talk_about(self, northmere: Programme) -> None:
        found = ek.signals.review(northmere, [ek.team.common_needs(northmere)])
        asked = " ".join(found.table["ask"])
        assert "Information and IT is among the 2 lowest in 7 of 12 places" in asked
