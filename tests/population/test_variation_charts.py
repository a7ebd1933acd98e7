"""population.variation: the chart that fits is drawn, as the statistic draws it, and the method says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from in_order import FALLS, SURVEY, asked, made

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.population import stands_out, which_chart
from evalkit.reading.plan import Plan
from evalkit.reading.settings import from_sheet
from evalkit.reading.settings import settings as settings_of
from evalkit.simulation.writing import settings_text
from evalkit.stats import spc
from evalkit.terms import Audience

CHANCE = np.random.default_rng(20).binomial([90, 60, 200, 150] * 5, 0.6)
OUT_OF = [90, 60, 200, 150] * 5
ANSWERS = [*zip(CHANCE.tolist(), OUT_OF, strict=True)]
"""Twenty quarters of a survey whose level never moves."""
MANY = [(int(20_000 * (0.6 + 0.02 * (-1) ** at)), 20_000) for at in range(20)]
"""So many that chance alone hardly moves them, and yet they differ."""
RARE = [3, 5, 2, 4, 6, 1, 3, 4, 2, 5, 3, 4, 2, 6]
STEADY = [42, 44, 41, 45, 43, 42, 44, 41, 45, 43, 42, 44, 41, 45]
RISING = [42, 44, 41, 45, 47, 52, 55, 58, 57, 60, 61]
SCORE = replace(FALLS, kind="score")


def alone(values: Sequence[float], out_of: float | None = None) -> dict[str, list[tuple[float, ...]]]:
    """One place."""
    return {"P1": [(value,) if out_of is None else (value, out_of) for value in values]}


class TestTheChartThatFits:
    @pytest.mark.parametrize(("places", "of", "chart", "why"), [
        ({"P1": ANSWERS}, {"measure": SURVEY, "span": 3}, "p chart", "125 people a quarter on average; limits widen"),
        ({"P1": MANY}, {"measure": SURVEY}, "p′ chart", "20,000 people a month on average, and months differ by more"),
        (alone(RARE, 500), {}, "u chart", "fewer than 10 a month"),
        (alone(RARE), {}, "c chart", "nobody says out of how many"),
        (alone(STEADY, 500), {}, "XmR chart", "10 or more a month"),
        (alone(STEADY), {}, "XmR chart", "10 or more a month"),
        (alone(STEADY), {"measure": SCORE}, "XmR chart", "single values"),
        (alone(RISING), {}, "Run chart", "only 11 months, too few for limits"),
        (alone(STEADY[:9]), {}, "XmR chart", "10 or more"),  # 9 points cannot hold 10 off their median
        (alone([*RISING, 62]), {"step": 6}, "Run chart", "half a year or more apart"),
        (alone([*RISING, 62]), {"span": 12}, "Run chart", "half a year or more apart"),
        (alone([*RISING, 62]), {"span": 3}, "XmR chart", "10 or more a quarter"),
    ])  # fmt: skip
    def test_is_chosen_and_says_why(self, places: Any, of: dict[str, Any], chart: str, why: str) -> None:
        name = asked(places, **of).method.name
        assert name.startswith(chart)
        assert why in name

    def test_many_who_differ_by_chance_alone_have_a_p_chart(self) -> None:
        """p′ would narrow limits that chance alone explains."""
        people = [(at, 2_000) for at in (1200, 1204, 1198, 1203, 1199, 1202, 1201, 1197, 1205, 1200, 1203, 1198)]
        assert asked({"P1": people}, measure=SURVEY).method.name.startswith("p chart")

    def test_it_is_the_chart_of_the_statistic(self) -> None:
        counts, out_of = zip(*ANSWERS, strict=True)
        for word in ("p", "p_prime", "u", "u_prime"):
            found = asked({"P1": ANSWERS}, {"chart": word}, measure=SURVEY, span=3).table
            chart = getattr(spc, word)(counts, out_of, per=100)
            for column, line in (("estimate", "value"), ("low", "lower"), ("high", "upper")):
                assert found[column].iloc[1:].tolist() == chart.points[line].tolist()
        assert found["estimate"].iloc[0] == pytest.approx(100 * sum(counts) / sum(out_of))

    def test_limits_of_shares_worked_out_by_hand(self) -> None:
        """Of 60, 3 √(.6 × .4 / 60) = 19.0 either side of 60 in every 100; of 240 half of that."""
        people = [(36, 60), (144, 240)] * 6
        found = asked({"P1": people}, measure=SURVEY, span=3)
        points = found.table.iloc[1:]
        assert points["low"].tolist() == pytest.approx([41.0263, 50.5132] * 6, abs=1e-4)
        assert points["high"].tolist() == pytest.approx([78.9737, 69.4868] * 6, abs=1e-4)
        assert points["out_of"].tolist() == [60, 240] * 6
        assert "with as many people as in the last can be expected between 50.5 and 69.5." in found.reading
        assert "This is a p chart: limits widen where a quarter has fewer people." in found.reading
        assert "population.variation(measure='joined_up_care')" in found.about.asked

    @pytest.mark.parametrize("word", which_chart.WORDS)
    def test_the_one_asked_for_is_drawn_where_such_figures_have_one(self, word: str) -> None:
        if word in ("p", "p_prime"):
            with pytest.raises(
                ValueError, match=r"cannot be drawn of falls\. Of such figures there are: xmr, u, u_prime"
            ):
                asked(alone(STEADY, 500), {"chart": word})
            return
        found = asked(alone(STEADY, 500), {"chart": word})
        assert found.method.name.endswith("asked for")
        assert f"chart='{word}'" in found.about.asked
        assert found.table["unit"].iloc[0] == ("a month" if word == "c" else "per 1,000 people a month")

    def test_a_word_that_is_no_chart_is_refused_and_names_those_there_are(self) -> None:
        with pytest.raises(ValueError, match=r"'shewhart' is no chart .* xmr, p, p_prime, u, u_prime, c and run"):
            asked(alone(STEADY), {"chart": "shewhart"})
        with pytest.raises(ValueError, match="there are: xmr and run"):
            asked(alone(STEADY), {"chart": "c"}, measure=SCORE)
        with pytest.raises(ek.NotEnoughEvidence, match="Nobody says how many people"):
            asked(alone(STEADY), {"chart": "u"})

    def test_more_who_had_it_than_there_were_is_a_refusal(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="more than its denominator"):
            asked({"P1": [*ANSWERS[:11], (70, 60)]}, measure=SURVEY)


class TestQuartersAndYears:
    def test_they_are_named_as_people_write_them(self) -> None:
        found = asked({"P1": ANSWERS}, measure=SURVEY, span=3)
        assert found.headline.endswith("the last, 2025/26 Q4, is within what is usual")
        assert found.table["what"].unique().tolist() == ["limits", "quarter"]
        assert found.about.counts == "quarters"
        assert "20 points from 2021/22 Q1" in found.alt
        assert "Last quarter: within what is usual." in found.alt

    def test_people_of_a_quarter_are_those_of_its_months_on_average(self) -> None:
        months = pd.date_range("2021-04", periods=36, freq="MS")
        people = [("P1", f"{when:%Y-%m}", 100 + 10 * (at % 3)) for at, when in enumerate(months)]
        found = asked(alone(RARE[:12]), span=3, people=people).table
        assert found["estimate"].iloc[1:].tolist() == pytest.approx([1_000 * n / 110 for n in RARE[:12]])
        assert found["unit"].iloc[0] == "per 1,000 people a quarter"
        with pytest.raises(ek.NotEnoughEvidence, match="count but no people, the first P1 in January 2024"):
            asked(alone(RARE[:12]), span=3, people=people[:-1])

    def test_a_place_that_missed_one_is_named_by_the_quarter(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="every quarter, the first gap in 2021/22 Q2"):
            asked({"P1": ANSWERS, "P2": [ANSWERS[0], (), *ANSWERS[2:]]}, measure=SURVEY, span=3)

    def test_months_beside_quarters_are_refused(self) -> None:
        programme = made({"P1": ANSWERS}, measure=SURVEY, span=3)
        held = programme._contents.tables["outcomes"]
        held.loc[held.index[-1], "span"] = 1
        with pytest.raises(ek.NotEnoughEvidence, match="a month here and a quarter there"):
            ek.population.variation(programme, measure=SURVEY)

    def test_a_quarter_that_was_not_over_is_left_out_and_said_to_be(self) -> None:
        found = asked({"P1": ANSWERS}, measure=SURVEY, span=3, as_of=date(2026, 2, 28))
        assert found.about.n == 19
        assert "2025/26 Q4 was not over on the day the data speak of, and is left out." in found.caveats
        assert asked({"P1": ANSWERS}, measure=SURVEY, span=3, as_of=date(2026, 3, 31)).about.n == 20
        with pytest.raises(ek.NotEnoughEvidence, match=r"No quarter .* was over on 1 May 2021"):
            asked({"P1": ANSWERS}, measure=SURVEY, span=3, as_of=date(2021, 5, 1))

    @pytest.mark.parametrize(("rebased", "left"), [("2023-10", False), ("2024-01", False), ("2023-07", True)])
    def test_limits_anew_in_the_quarter_of_a_break_or_the_next_answer_it(self, rebased: str, left: bool) -> None:
        event = ("2023-11-15", "definition_change", "Other words")
        how = {"rebase": {rebased: "moved"}}
        found = asked({"P1": ANSWERS}, how, measure=SURVEY, span=3, events=[event])
        assert any("not drawn anew there: Other words" in caveat for caveat in found.caveats) is left
        assert found.table["group"].iloc[1].startswith("from 202")
        assert "Other words (November 2023)" in found.alt


class TestRunCharts:
    def test_few_crossings_are_said_and_no_limit_is_drawn(self) -> None:
        found = asked(alone(RISING))
        assert found.headline == "Falls: months cross their median less often than is usual"
        assert "at most 5 months in a row lie on one side of it (up to 6 is usual)" in found.reading
        assert "they cross it once (2 or more is usual)" in found.reading
        median = found.table.iloc[0]
        assert (median["what"], median["estimate"], median["interval"]) == ("median", 52.0, "none given")
        assert median[["longest_run", "longest_run_max", "crossings", "crossings_min"]].tolist() == [5, 6, 1, 2]
        assert found.table[["low", "high"]].isna().all(axis=None)
        assert set(found.marks.loc[found.marks["mark"] == "line", "series"]) == {"median"}
        assert not (found.marks["mark"] == "icon").any()
        assert found.alt.startswith("Run chart. ")
        assert "From April 2021: median 52.0." in found.alt

    def test_a_long_run_stands_out_on_its_side(self) -> None:
        values = [41, 51, 42, 43, 44, 52, 45, 46, 47, *range(53, 61), 40, 39, 38]
        found = asked(alone(values), {"chart": "run"})
        assert found.headline == "Falls: 8 months of 20 stand out as an unusually long run"
        spell = "January 2022 to August 2022"
        assert f"{spell}, 8 months (above the median, unusually many in a row)." in found.reading
        assert f"{spell}: above the median, unusually many in a row." in found.alt
        assert "The last month, November 2022, was 38.0." in found.reading
        last = asked(alone(values[:-3]), {"chart": "run"}).reading
        assert "was 60.0, worse than usual: above the median, unusually many in a row." in last

    def test_nothing_unusual_is_said_to_be_nothing(self) -> None:
        found = asked(alone(STEADY), {"chart": "run"})
        assert found.headline.endswith("cross their median as often as is usual")
        assert "Nothing in this is unusual." in found.reading
        assert any("does not see a single month far out" in caveat for caveat in found.caveats)

    def test_too_few_off_the_median_are_drawn_only_where_asked_and_then_said(self) -> None:
        found = asked(alone([5, 5, 5, 6, 4, 5, 7, 3]), {"chart": "run"})
        assert any("Only 4 months lie off the median" in caveat for caveat in found.caveats)
        with pytest.raises(ek.NotEnoughEvidence, match="Every point from"):
            asked(alone([5] * 12), {"chart": "run"})

    @pytest.mark.parametrize("n", [1, 2, 5])
    def test_it_does_not_stand_in_for_too_few_points(self, n: int) -> None:
        for how in ({}, {"chart": "run"}):
            with pytest.raises(ek.NotEnoughEvidence, match="six quarters or more in a row"):
                asked(alone(STEADY[:n]), how, span=3)

    def test_a_target_is_said_by_how_often_it_was_met(self) -> None:
        found = asked(alone(RISING), measure=replace(FALLS, target=50.0))
        assert "Targets were met in 5 of 11 months." in found.reading
        assert "would be" not in found.reading


class TestTrajectory:
    STEPS = Plan(trajectory={SURVEY: {"2022-05": 55.0, "2024-04": 75.0}})

    def test_each_target_holds_from_its_month_until_the_next(self) -> None:
        found = asked({"P1": ANSWERS}, measure=SURVEY, span=3, plan=self.STEPS)
        aims = found.table["target"].iloc[1:].tolist()
        assert aims == pytest.approx([np.nan] * 5 + [55.0] * 7 + [75.0] * 8, nan_ok=True)
        drawn = found.marks[found.marks["series"] == "target"]
        assert drawn["y"].tolist() == aims[5:]
        assert "Target 55.0, now 75.0." in found.alt
        met = sum(100 * n >= aim * m for (n, m), aim in zip(ANSWERS, aims, strict=True))
        assert f"Targets were met in {met} of 15 quarters." in found.reading
        chart = spc.p(*zip(*ANSWERS, strict=True), per=100, target=aims, direction="higher")
        assert chart.assurance == "consistent_fail"
        assert "The target of the last quarter, 75.0, would be missed every quarter, as things are." in found.reading
        found.svg()

    def test_before_it_begins_the_target_of_the_measure_stands(self) -> None:
        plan = Plan(trajectory={"falls": {"2022-03": 30.0}})
        found = asked(alone(STEADY), measure=replace(FALLS, target=50.0), plan=plan)
        assert found.table["target"].iloc[1:].tolist() == [50.0] * 11 + [30.0] * 3
        later = Plan(trajectory={"falls": {"2030-01": 30.0}})
        assert "target" not in asked(alone(STEADY), plan=later).table
        found = asked(alone(STEADY), measure=replace(FALLS, target=50.0), plan=later)
        assert "The target of 50.0 would be met every month" in found.reading

    def test_no_share_is_over_all(self) -> None:
        with pytest.raises(ValueError, match="no share is over 100 in every 100"):
            asked({"P1": ANSWERS}, measure=SURVEY, plan=Plan(trajectory={SURVEY: {"2022-04": 120.0}}))

    def test_a_target_of_rates_is_none_of_counts(self) -> None:
        found = asked(alone(STEADY, 500), {"chart": "c"}, measure=replace(FALLS, target=50.0))
        assert "target" not in found.table

    @pytest.mark.parametrize(("said", "problem"), [
        ("spring = 60", "no month"), ('2025-04 = "sixty"', "not a number"), ("2025-04 = nan", "no number to reach"),
    ])  # fmt: skip
    def test_a_slip_in_the_plan_is_named(self, tmp_path: Path, said: str, problem: str) -> None:
        text = f'schema = 1\nname = "Ours"\nstarts_on = 2024-04-01\n[plan.trajectory.{SURVEY}]\n{said}\n'
        (tmp_path / "programme.toml").write_text(text, encoding="utf-8")
        problems = ek.check(tmp_path)
        assert problems["file"].tolist() == ["programme.toml"]
        assert problem in problems["problem"][0]

    def test_it_is_read_from_the_file_and_the_sheet_and_written_again(self, tmp_path: Path) -> None:
        lines = 'schema = 1\nname = "Ours"\nas_of = 2024-04-01\n'
        said = lines + f"[plan.trajectory.{SURVEY}]\n2025-04 = 62\n[plan.trajectory.unheard_of]\n2025-04 = 6.5\n"
        (tmp_path / "programme.toml").write_text(said, encoding="utf-8")
        assert ek.check(tmp_path)["value"].tolist() == ["unheard_of"]
        (tmp_path / "programme.toml").write_text(said.split("[plan.trajectory.unheard")[0], encoding="utf-8")
        programme = ek.load(tmp_path)
        assert programme.plan.trajectory == {SURVEY: {"2025-04": 62.0}}
        assert f"[plan.trajectory.{SURVEY}]\n2025-04 = 62.0" in settings_text(programme)
        sheet = [("schema", "1"), ("name", "Ours"), ("as_of", "2024-04-01")]
        typed = from_sheet([*sheet, (f"plan.trajectory.{SURVEY}.2025-04", "62")])
        assert settings_of(typed).plan.trajectory == programme.plan.trajectory


class TestDoubts:
    @pytest.mark.parametrize(("places", "of", "said"), [
        ({"P1": ANSWERS[:12]}, {"measure": SURVEY}, "about 4 of every 100 series this long still have a month"),
        (alone([*RISING, 62]), {"step": 6}, "about 1 of every 100 series this long still have runs"),
        (alone([1, 0, 2, 1] * 6), {}, "about 37 of every 100"),
        (alone([1, 0, 2, 1] * 6, 500), {}, "about 30 of every 100"),
        (alone([6, 4] * 21, 500), {}, "about 35 of every 100"),  # 42 points: half way from 19 to 51
    ])  # fmt: skip
    def test_how_often_chance_stands_out_on_this_chart(self, places: Any, of: dict[str, Any], said: str) -> None:
        assert [one for one in asked(places, **of).caveats if said in one]

    def test_it_is_said_only_of_what_was_counted(self) -> None:
        for places in (alone([6, 4] * 31, 500), alone([6, 4] * 5, 500), alone([0, 0, 0, 1] * 6, 500)):
            assert not any("of every 100" in one for one in asked(places, {"chart": "u"}).caveats)

    def test_these_figures_are_what_independent_points_give(self) -> None:
        """4,000 series: three standard errors of a share of .2 are 1.9 in 100; all of them in
        tests/calibration_charts_of_counts.py."""
        rng = np.random.default_rng(1)
        for mean in (1, 5, 10):
            counts = rng.poisson(mean, (4_000, 24))
            found = 100 * spc.c_many(counts).special_cause.any(axis=1).mean()
            told = stands_out.BY_CHANCE_AND_MEAN["c"][1][stands_out.MEANS.index(mean)]
            assert found == pytest.approx(told, abs=2.4)
        out_of = rng.integers(100, 200, (4_000, 24))
        found = 100 * spc.p_many(rng.binomial(out_of, 0.6), out_of).special_cause.any(axis=1).mean()
        assert found == pytest.approx(stands_out.BY_CHANCE["p"][1], abs=2)

    def test_months_that_differ_more_than_limits_allow_for_are_said_to(self) -> None:
        wide = [(at, 100) for at in (40, 70, 45, 75, 50, 80, 42, 71, 47, 74, 52, 78)]
        found = asked({"P1": wide}, measure=SURVEY)
        assert any("Months differ more than chance alone" in one and "a p′ chart" in one for one in found.caveats)
        assert not any("of every 100 series" in one for one in found.caveats)
        assert not any("differ more" in one for one in asked({"P1": ANSWERS}, measure=SURVEY).caveats)

    def test_fewer_than_one_a_month_says_little(self) -> None:
        months = [1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 1, 0]
        assert any("no limits say much; the same figures by the quarter" in one for one in asked(alone(months)).caveats)
        assert any(one.endswith("no limits say much.") for one in asked(alone(months), span=3).caveats)

    def test_limits_of_shares_stay_within_what_can_be(self) -> None:
        people = [(at, 60) for at in (59, 50, 60, 48, 60, 52, 58, 45, 60, 59, 47, 60)]
        found = asked({"P1": people}, {"chart": "xmr"}, measure=SURVEY)
        assert found.table["high"].iloc[0] > 100
        assert (found.marks.loc[found.marks["series"] == "upper limit", "y"] == 100).all()
        assert any("above 100 in every 100, where nothing can be" in one for one in found.caveats)

    def test_those_few_who_did_not_are_withheld_too(self) -> None:
        people = [(57, 60) if at == 4 else (40, 60) for at in range(12)]
        copy = protect(asked({"P1": people}, measure=SURVEY), Audience.COMMISSIONER)
        held = copy.table.set_index("group")["interval"]
        assert held["August 2021"] == "withheld"
        assert "2021-08-01" not in set(copy.marks.loc[copy.marks["mark"] == "point", "x"])

    def test_a_chart_from_which_all_points_were_withheld_still_draws(self) -> None:
        for kind in ("p", "run"):
            copy = protect(asked({"P1": [(2, 60), (1, 60)] * 8}, {"chart": kind}, measure=SURVEY), Audience.PUBLIC)
            assert not (copy.marks["mark"] == "point").any()
            assert "April 2021" in copy.alt
        copy.svg()


@given(
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 300)), min_size=6, max_size=14), st.sampled_from([1, 3, 12])
)
@settings(max_examples=8, deadline=None)
def test_whatever_is_counted_shares_and_limits_lie_within_all(told: list[tuple[int, int]], span: int) -> None:
    people = [(n, n + others + 1) for n, others in told]
    found = asked({"P1": people}, measure=SURVEY, span=span)
    table, lines = found.table, found.marks[found.marks["mark"] == "line"]
    assert table["estimate"].iloc[1:].tolist() == pytest.approx([100 * n / of for n, of in people])
    assert lines["y"].between(0, 100).all()
    limited = table.iloc[1:].dropna(subset=["low"])
    assert (limited["low"] <= limited["high"]).all()
    assert "not known" not in found.reading + found.alt
