"""team.peers: one's own scores beside others that nobody can name, and nothing that ranks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit import charts
from evalkit.charts import among, style
from evalkit.disclosure import protect
from evalkit.programme import Plan, Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.team.peers import HALF, MIDDLE
from evalkit.terms import Audience, Verdict

DOMAINS = ("leadership", "governance", "culture", "engagement", "finance", "information", "workforce", "redesign")
RANKS = re.compile(
    r"\b(rank\w*|percentile\w*|quartile\w*|above|below|average|better|worse|best|worst|top|bottom|\d+(st|nd|rd|th))\b",
    re.IGNORECASE,
)

# R 4.2.2 (2022-11-10 r83330):
#   x <- c(2.1,2.4,2.4,2.8,3.3,1.9,2.75,3.0,2.2,2.65,4.0); sprintf("%.12f", quantile(x, c(.25,.5,.75), type=7))
#   2.300000000000 2.650000000000 2.900000000000
#   y <- c(2.1,2.4,2.4,2.8,3.3); sprintf("%.12f", quantile(y, c(.25,.5,.75), type=7))
#   2.400000000000 2.400000000000 2.800000000000
ELEVEN = [2.1, 2.4, 2.4, 2.8, 3.3, 1.9, 2.75, 3.0, 2.2, 2.65, 4.0]
BY_R = {11: (2.3, 2.65, 2.9), 5: (2.4, 2.4, 2.8)}

Told = Mapping[str, Sequence[Mapping[str, int]]]
"""Of each place, what each person answered by domain."""


def places(n: int, arm: str = "programme") -> pd.DataFrame:
    ids = [f"P{at:02d}" for at in range(n)]
    return pd.DataFrame({"place_id": ids, "name": [f"Place {chr(65 + at)}" for at in range(n)], "arm": arm})


def programme(
    told: Told, *, waves: Sequence[int] = (1,), plan: Plan | None = None, **tables: pd.DataFrame
) -> Programme:
    """A programme in which the people of each place answered at each of the waves."""
    forms = [
        (f"{place}-{at}", place, wave, item, answer)
        for place, people in told.items()
        for at, form in enumerate(people)
        for wave in waves
        for item, answer in form.items()
    ]
    answers = pd.DataFrame(
        [
            {"respondent_id": who, "subject_kind": "place", "subject_id": place, "rater": "team_member",
             "instrument": "icfat", "item": item, "wave": wave, "timing": "post",
             "answered_on": pd.Timestamp(2025, wave, 1), "answer": answer}
            for who, place, wave, item, answer in forms
        ]
    )  # fmt: skip
    given_tables = {
        "places": places(max(len(told), 2)),
        "respondents": pd.DataFrame({"respondent_id": sorted({form[0] for form in forms})}),
        "waves": pd.DataFrame({"wave": list(waves), "closes_on": [pd.Timestamp(2025, wave, 28) for wave in waves]}),
        "responses": answers,
        **tables,
    }
    said = Settings(name="Testmere", as_of=pd.Timestamp(2026, 3, 31).date(), fictional=True, plan=plan or Plan())
    return Programme.build(settings=said, tables=given_tables)


def alike(means: Sequence[int], people: int = 5) -> dict[str, list[dict[str, int]]]:
    """Places whose people all give the same answer to every domain."""
    return {f"P{at:02d}": [dict.fromkeys(DOMAINS, mean)] * people for at, mean in enumerate(means)}


def averages(values: Sequence[float], **said: Any) -> pd.DataFrame:
    """Published scores of places on leadership at one wave."""
    row = {"subject_kind": "place", "instrument": "icfat", "domain": "leadership", "wave": 1,
           "measured_on": pd.Timestamp(2025, 1, 5), "basis": "individuals", **said}  # fmt: skip
    return pd.DataFrame([{**row, "subject_id": f"P{at:02d}", "mean": value} for at, value in enumerate(values)])


def published(values: Sequence[float], *, more: pd.DataFrame | None = None, **said: Any) -> Programme:
    scores = pd.concat([averages(values, **said), *([] if more is None else [more])], ignore_index=True)
    return Programme.build(
        settings=Settings(name="Testmere", as_of=pd.Timestamp(2026, 3, 31).date(), fictional=True),
        tables={"places": places(len(values)), "scores": scores, "waves": pd.DataFrame({"wave": [1, 2]})},
    )


def everywhere(result: Result) -> str:
    return json.dumps(result.to_json(), ensure_ascii=False) + result._repr_mimebundle_()["text/html"]


@pytest.fixture(scope="module")
def northmere() -> Programme:
    return ek.load(folder("sample_data") / "northmere")


@pytest.mark.parametrize("others", [11, 5])
def test_the_middle_half_is_that_of_r(others: int) -> None:
    found = ek.team.peers(published([1.0, *ELEVEN[:others]]), place="P00").table
    low, median, high = BY_R[others]
    row = found.iloc[0]
    assert (row["low"], row["others_median"], row["high"]) == pytest.approx((low, median, high), abs=1e-12)
    assert (row["estimate"], row["others"], row["interval"], row["group"]) == (1.0, others, MIDDLE, "Place A")


def test_ones_own_is_in_no_figure_of_the_others() -> None:
    one, other = (ek.team.peers(published([mine, *ELEVEN]), place="P00").table for mine in (0.0, 5.0))
    columns = ["low", "high", "others_median", "others", "by_chance"]
    pd.testing.assert_frame_equal(one[columns], other[columns])


def test_means_and_people_by_hand(northmere: Programme) -> None:
    held = northmere.responses.query("instrument == 'icfat' and rater == 'team_member' and wave == 4")
    means = held.query("item == 'leadership'").groupby("subject_id")["answer"].agg(["mean", "count"])
    row = ek.team.peers(northmere, place="P02").table.iloc[0]
    assert (row["estimate"], row["n"]) == (pytest.approx(means.loc["P02", "mean"]), means.loc["P02", "count"])
    assert row["low"] == pytest.approx(np.quantile(means["mean"].drop("P02"), 0.25))
    without = ek.team.peers(northmere).table.iloc[0]
    assert without["estimate"] == pytest.approx(means["mean"].median())
    assert (without["n"], without["others"], without["interval"]) == (means["count"].sum(), 12, "middle half")


def test_the_domains_stand_in_the_tools_order_and_the_declared_one_is_said_first() -> None:
    told = alike([1, 2, 3, 4, 5, 3])
    assert ek.team.peers(programme(told), place="P01").headline.startswith("Place B beside 5 others: Leadership 2.00")
    found = ek.team.peers(programme(told, plan=Plan(primary={"team": "icfat/culture"})), place="P01")
    assert found.headline == "Place B beside 5 others: Culture 2.00, half of the others between 3.00 and 4.00"
    labels = programme(told).instruments["icfat"].domain_labels
    assert found.table["measure"].tolist() == list(labels.values())


def test_what_chance_alone_would_spread_is_near_what_it_does_spread() -> None:
    """60 programmes of places that all see themselves alike: their middle half is as wide as is said, within 5 %."""
    dice = np.random.default_rng(3)
    seen, said = [], []
    for _ in range(60):
        answers = np.clip(np.round(dice.normal(2.5, 0.9, (60, 8))), 0, 5)
        scores = averages(answers.mean(axis=1).tolist()).assign(sd=answers.std(axis=1, ddof=1), n=8)
        held = Programme.build(
            settings=Settings(name="Testmere", as_of=pd.Timestamp(2026, 3, 31).date(), fictional=True),
            tables={"places": places(60).assign(name=[f"Place {at}" for at in range(60)]), "scores": scores,
                    "waves": pd.DataFrame({"wave": [1]})},
        )  # fmt: skip
        row = ek.team.peers(held).table.iloc[0]
        seen.append(row["high"] - row["low"])
        said.append(row["by_chance"])
    assert np.mean(said) == pytest.approx(np.mean(seen), rel=0.05)


def test_by_chance_by_hand() -> None:
    """Five others, of 4 and 9 people: within² = (3·1 + 3·1 + 8·4 + 8·4 + 8·4)/30, 1/n on average (2/4 + 3/9)/5."""
    scores = averages([2, 2, 2, 3, 3, 3]).assign(n=[5, 4, 4, 9, 9, 9], sd=[1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
    held = Programme.build(
        settings=Settings(name="Testmere", as_of=pd.Timestamp(2026, 3, 31).date(), fictional=True, minimum_group=4),
        tables={"places": places(6), "scores": scores, "waves": pd.DataFrame({"wave": [1]})},
    )
    row = ek.team.peers(held, place="P00").table.iloc[0]
    assert row["by_chance"] == pytest.approx(HALF * np.sqrt(102 / 30 * (2 / 4 + 3 / 9) / 5))
    assert pytest.approx(2 * 0.6744897501960817) == HALF  # R: sprintf("%.16f", qnorm(0.75))


class TestNobodyIsTold:
    def test_nobody_else_is_named_and_nothing_is_ranked(self, northmere: Programme) -> None:
        found = ek.team.peers(northmere, place="P07")
        said = " ".join([found.headline, found.reading, found.alt, *found.caveats, found.decided.why])
        assert not RANKS.search(said)
        assert not RANKS.search(
            " ".join([*found.table.columns, *found.table["interval"], *found.marks["series"].dropna()])
        )
        others, told = northmere.places.query("place_id != 'P07'"), everywhere(found)
        for name in (*others["name"], *others["place_id"]):
            assert name not in told

    def test_the_others_stand_in_the_order_of_their_values_and_nothing_tells_one_from_another(
        self, northmere: Programme
    ) -> None:
        rings = ek.team.peers(northmere, place="P07").marks.query("mark == 'other'")
        for _, row in rings.groupby("row"):
            assert row["y"].is_monotonic_increasing
        assert rings["n"].unique().tolist() == [northmere.minimum_group]
        assert rings["series"].unique().tolist() == ["others"]

    @given(order=st.permutations(list(range(1, 7))))
    @settings(max_examples=15)
    def test_who_has_which_score_leaves_no_trace(self, order: list[int]) -> None:
        """Places that swap their names among the others give the same answer to the last byte, bar the data's hash."""
        people = {at: [{"leadership": (at + k) % 6, "culture": at % 5} for k in range(4 + at)] for at in range(7)}
        before = ek.team.peers(programme({f"P{at:02d}": people[at] for at in range(7)}), place="P00").to_json()
        swapped = {f"P{at:02d}": people[to] for at, to in zip(range(7), (0, *order), strict=True)}
        after = ek.team.peers(programme(swapped), place="P00").to_json()
        for told in (before, after):
            told["about"].pop("data_hash")
        assert before == after

    def test_the_rings_are_not_joined_and_ones_own_are(self, northmere: Programme) -> None:
        axes = ek.team.peers(northmere, place="P07").plot()
        joined = [line for line in axes.get_lines() if len(line.get_xdata()) > 1 and line.get_linestyle() != "None"]
        assert len(joined) == 1
        own = ek.team.peers(northmere, place="P07").table["estimate"]
        assert list(joined[0].get_xdata()) == pytest.approx(own.tolist())
        assert not ek.team.peers(northmere).plot().get_lines()

    @pytest.mark.parametrize("audience", [Audience.TEAM, Audience.COMMISSIONER, Audience.PUBLIC])
    def test_a_place_of_few_and_the_one_beside_it_are_in_no_figure_and_no_wider_copy(self, audience: Audience) -> None:
        """The mean of all places less the others would tell the small one, were its neighbour shown."""
        told = alike([1, 0, 2, 3, 3, 4, 4])
        told["P00"] = [*told["P00"], told["P00"][0]]  # six people: P01 is the smallest of those that are enough
        small = {"P07": [{"leadership": 5, "culture": 5}, {"leadership": 4, "culture": 5}]}
        found = ek.team.peers(programme({**told, **small}), place="P00")
        assert found.table["others_median"].tolist() == [3.0] * 8
        assert found.table.loc[0, "others"] == 5
        assert (found.marks["y"] == 4.5).any()
        assert "places of under 5 people, or beside one" in found.alt
        said = "4 scores of others with fewer than 5 people, or beside one, left out of the figures."
        assert said in found.caveats
        copy = protect(found, audience)
        rings = copy.marks[copy.marks["mark"] == "other"]
        assert not rings["y"].isin([4.5, 5.0]).any()
        assert sorted(rings.loc[rings["row"] == 0, "y"]) == [2, 3, 3, 4, 4]
        assert "of under 5 people" not in copy.alt

    def test_the_place_beside_a_small_one_keeps_its_own_line_with_the_evaluator(self) -> None:
        told = alike([1, 2, 2, 3, 3, 4])
        small = {"P06": [dict.fromkeys(DOMAINS, 5)] * 2}
        found = ek.team.peers(programme({**told, **small}), place="P00")
        assert found.table["tells"].tolist() == [2] * 8
        assert protect(found, Audience.COMMISSIONER).table["interval"].eq("withheld").all()

    def test_ones_own_of_few_stays_with_the_evaluator(self) -> None:
        told = alike([2, 2, 3, 3, 4])
        found = ek.team.peers(programme({**told, "P05": [dict.fromkeys(DOMAINS, 1)] * 4}), place="P05")
        assert found.table["estimate"].tolist() == [1.0] * 8
        copy = protect(found, Audience.TEAM)
        assert copy.headline == "Withheld: too few people to show"
        assert copy.table["interval"].eq("withheld").all()
        assert not copy.marks["mark"].isin(["point", "other", "band"]).any()

    def test_too_few_others_are_not_shown_to_anybody(self) -> None:
        found = ek.team.peers(programme(alike([2, 3, 3, 4, 4])), place="P00")
        assert found.headline == "Place A: Leadership 2.00; too few others to show"
        assert "4 others with enough people would not hide each other" in found.reading
        assert not found.marks["mark"].isin(["other", "band"]).any()
        assert found.table[["low", "high", "others_median", "by_chance"]].isna().all().all()
        assert not any("middle half" in caveat for caveat in found.caveats)


class TestFewPlaces:
    def test_that_few_others_leave_the_middle_half_uncertain_is_said(self) -> None:
        said = "each end of the middle half rests on the two values next to it"
        few = ek.team.peers(programme(alike([2] * 20)), place="P00")
        assert any(f"With 19 others {said}" in caveat for caveat in few.caveats)
        many = ek.team.peers(programme(alike([2] * 21)), place="P00")
        assert not any(said in caveat for caveat in many.caveats)

    def test_all_alike(self) -> None:
        found = ek.team.peers(programme(alike([3] * 6)), place="P00")
        assert found.table[["estimate", "low", "high", "others_median"]].eq(3).all().all()
        assert found.table["by_chance"].eq(0).all()
        assert found.verdict is Verdict.DESCRIBED
        found.svg()

    def test_a_domain_a_place_did_not_answer_stays_a_blank(self) -> None:
        told = alike([1, 2, 3, 4, 5, 3])
        told["P00"] = [{"culture": 2}] * 5
        found = ek.team.peers(programme(told), place="P00")
        rows = found.table.set_index("measure")
        assert (rows.loc["Leadership", "n"], rows.loc["Leadership", "others"]) == (0, 5)
        assert pd.isna(rows.loc["Leadership", "estimate"])
        assert found.headline.startswith("Place A beside 5 others: Culture 2.00")
        assert "Leadership not known" in found.reading
        found.svg()

    def test_a_place_nobody_knows_is_an_error_that_lists_the_known(self) -> None:
        with pytest.raises(ValueError, match=r"No place has the id 'P99'\. There are: P00, P01, .* and P05"):
            ek.team.peers(programme(alike([1, 2, 3, 4, 5, 3])), place="P99")

    def test_a_place_without_answers_at_the_wave_is_refused(self) -> None:
        held = programme(alike([1, 2, 3, 4, 5, 3]), places=places(7))
        with pytest.raises(ek.NotEnoughEvidence, match=r"Place G has no scores on the Integrated .* January 2025"):
            ek.team.peers(held, place="P06")

    def test_a_wave_nobody_answered_at_is_an_error(self) -> None:
        held = programme(alike([1, 2, 3, 4, 5, 3]), waves=(1, 3))
        with pytest.raises(ValueError, match="wave=2 is none at which somebody scored: 1 and 3"):
            ek.team.peers(held, place="P00", wave=2)
        assert "January 2025" in ek.team.peers(held, place="P00", wave=1).reading
        assert ek.team.peers(held, place="P00").about.asked.endswith("wave=3)")

    @pytest.mark.parametrize("n", [2, 4])
    def test_few_places_without_one_of_ones_own_are_refused(self, n: int) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match=f"{n} of {n} places had 5 people or more: too few") as refused:
            ek.team.peers(programme(alike([2] * n)))
        assert refused.value.would_answer

    def test_one_place_alone_has_nobody_beside_it(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="one place was scored, and none beside it: too few"):
            ek.team.peers(programme(alike([2])), place="P00")

    def test_comparison_places_are_not_among_the_others(self) -> None:
        apart = places(7).assign(arm=["programme"] * 6 + ["comparison"])
        found = ek.team.peers(programme(alike([1, 2, 2, 3, 3, 4, 5]), places=apart), place="P00")
        assert found.table["others"].tolist() == [5] * 8
        assert not found.marks.query("mark == 'other'")["y"].eq(5).any()


class TestPublished:
    def test_salford_alone_has_no_others(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="too few to stand beside each other"):
            ek.team.peers(ek.load(folder("sample_data") / "salford"))

    def test_averages_somebody_published_stand_beside_each_other(self, northmere: Programme) -> None:
        found = ek.team.peers(northmere, place="P03", on="devon_climate")
        scores = northmere.scores.query("instrument == 'devon_climate' and wave == 4").set_index("subject_id")
        row = found.table.iloc[0]
        assert (row["estimate"], row["n"]) == (scores.loc["P03", "mean"], scores.loc["P03", "n"])
        assert row["high"] == pytest.approx(scores["mean"].drop("P03").quantile(0.75))
        assert "These are averages somebody else worked out." in found.caveats

    def test_without_numbers_of_people_nothing_is_made_up(self) -> None:
        found = ek.team.peers(published([1.0, *ELEVEN]), place="P00")
        assert found.table["n"].isna().all()
        assert found.table["by_chance"].isna().all()
        assert "if all saw themselves alike" not in found.reading
        assert found.about.n is None
        assert protect(found, Audience.PUBLIC).table["estimate"].tolist() == [1.0]

    def test_what_is_left_out_is_counted(self) -> None:
        extra = pd.concat(
            [
                averages(
                    [0.5], measured_on=pd.Timestamp(2025, 1, 1), basis="unknown"
                ),  # told twice: the later one stands
                averages([0.5], level="executive"),
                averages([0.5], wave=pd.NA, measured_on=pd.Timestamp(2025, 7, 1)),
            ]
        )
        found = ek.team.peers(published([1.0, *ELEVEN], more=extra), place="P00")
        assert found.table["estimate"].tolist() == [1.0]
        assert "3 scores left out: at no wave, of a part only, later, or told twice." in found.caveats

    def test_scores_without_a_wave_are_refused(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="No place has a score of its own"):
            ek.team.peers(published(ELEVEN, wave=pd.NA))


class TestTheChart:
    def test_rings_hide_neither_each_other_nor_ones_own(self) -> None:
        others = charts.marks([{"mark": "other", "series": "others", "x": "A", "y": y} for y in (2.0, 2.0, 2.01, 2.9)])
        free = among._asides(charts.of(others, "other"), {}, 5.0)
        assert free == [0.0, 0.2, -0.2, 0.0]
        beside = among._asides(charts.of(others, "other"), {"A": 2.0}, 5.0)
        assert 0.0 not in beside[:3]
        assert len(set(beside[:3])) == 3

    @given(st.lists(st.floats(0, 5), min_size=1, max_size=40), st.floats(0, 5))
    def test_every_ring_has_a_lane(self, values: list[float], own: float) -> None:
        drawn = charts.marks([{"mark": "other", "series": "others", "x": "A", "y": y} for y in sorted(values)])
        asides = among._asides(charts.of(drawn, "other"), {"A": own}, 5.0)
        assert len(asides) == len(values)
        assert set(asides) <= set(among.LANES)
        for y, aside in zip(sorted(values), asides, strict=True):
            assert aside != 0 or abs(y - own) >= among.CLOSE_TO_OWN * 5

    def test_it_says_what_it_draws(self) -> None:
        found = ek.team.peers(programme(alike([1, 2, 2, 3, 3, 4])), place="P00")
        assert (
            "Leadership: Place A 1.00, middle half of the others 2.00 to 3.00, 5 others from 2.00 to 4.00" in found.alt
        )
        assert found.chart.name == "among"

    def test_empty_marks_draw_and_say_so(self) -> None:
        drawn = charts.marks([], headline="Was 3.1", subtitle="Score")
        _, axes = style.figure()
        among.CHART.draw(drawn, axes)
        assert "nothing that may be shown" in among.CHART.describe(drawn)
