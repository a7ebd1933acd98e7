"""population.against: what the statistic says, when it may speak, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import evalkit as ek
from evalkit.evidence import ATTRIBUTION_RULES
from evalkit.stats import contrast
from evalkit.terms import Attribution, Verdict
from tests.population.counted import LAG, MEASURE, programme, steady

LOWER = (0.75,) * 6


def ask(folder: Path, counts: np.ndarray, mine: int, plan: str = LAG, **of):
    return ek.population.against(programme(folder, counts, mine=mine, plan=plan, **of), measure=MEASURE)


class TestWhatItSays:
    def test_is_the_comparison_of_places(self, tmp_path: Path) -> None:
        counts = steady(12, lift=LOWER)
        held = programme(tmp_path, counts, mine=6, plan=LAG)
        found = ek.population.against(held, measure=MEASURE)
        frame = held.outcomes.rename(columns={"denominator": "people"})
        plain = contrast.places(
            frame, outcome="count", unit="place_id", time="period", offset="people",
            treated=[f"P{n:02}" for n in range(1, 7)], start="2024-04-01", seed=1,
        )  # fmt: skip
        row = found.table.iloc[0]
        assert [row["estimate"], row["low"], row["high"]] == pytest.approx([plain.estimate, plain.low, plain.high])
        assert (row["n"], row["treated"], row["smallest_p"]) == (12, 6, 2 / 924)
        assert found.verdict is Verdict.IMPROVED
        assert found.attribution is Attribution.DIFFERENCE
        assert "6 programme places differed from that in 6 comparison places" in found.reading
        assert "no result could be rarer than 1 of every 462 draws" in found.reading

    def test_a_clear_interval_that_relabelling_does_not_bear_out_is_no_clear_change(self, tmp_path: Path) -> None:
        # two of five: the interval is narrow, but of ten ways to name two places one is the least there can be
        found = ask(tmp_path, steady(5, lift=(0.5, 0.5), at=900), 2)
        assert found.verdict is Verdict.NOT_MEASURABLE
        assert "smallest p 0.100" in found.decided.why
        assert found.table["high"].iloc[0] < 1

    def test_what_all_places_share_is_no_difference(self, tmp_path: Path) -> None:
        counts = steady(12)
        counts[:, 40:] = (counts[:, 40:] * 0.8).astype(int)
        found = ask(tmp_path, counts, 6)
        assert found.verdict is Verdict.NO_CLEAR_CHANGE

    def test_before_the_time_agreed_it_is_too_early_and_the_estimate_is_shown(self, tmp_path: Path) -> None:
        found = ask(tmp_path, steady(12, lift=LOWER), 6, plan="")
        assert found.verdict is Verdict.TOO_EARLY
        assert found.table["estimate"].iloc[0] < 0.9

    def test_programme_places_of_several_starts_are_each_read_at_their_own(self, tmp_path: Path) -> None:
        counts = steady(10)
        counts[:2, 36:] = counts[:2, 36:] // 2
        counts[2:4, 42:] = counts[2:4, 42:] // 2
        starts = {0: "2024-04-01", 1: "2024-04-01", 2: "2024-10-01", 3: "2024-10-01"}
        found = ask(tmp_path, counts, 4, starts=starts)
        assert found.table["estimate"].iloc[0] == pytest.approx(0.5, abs=0.04)
        assert "began at 2 times" in found.reading
        assert found.verdict is Verdict.IMPROVED

    def test_quarters_and_years_are_read_as_well(self, tmp_path: Path) -> None:
        counts = steady(12, 20, at=240)
        counts[:6, 12:] = counts[:6, 12:] // 2
        found = ask(tmp_path, counts, 6, span=3)
        assert found.verdict is Verdict.IMPROVED
        assert "to March 2026" in found.reading

    def test_no_place_is_named_and_no_mark_tells_which_is_which(self, tmp_path: Path) -> None:
        found = ask(tmp_path, steady(12), 6)
        assert not found.table.astype(str).apply(lambda column: column.str.contains("P0")).any().any()
        assert set(found.marks.loc[found.marks["mark"] == "ring", "series"]) == {
            "Programme places (6)", "Comparison places (6)",
        }  # fmt: skip


class TestHowPlacesWereChosen:
    def test_places_that_got_worse_get_better_by_themselves(self, tmp_path: Path) -> None:
        plan = f'{LAG}[plan.chosen]\n{MEASURE} = "worsening"\n'
        found = ask(tmp_path, steady(12, lift=LOWER), 6, plan=plan)
        assert found.verdict is Verdict.NOT_MEASURABLE
        assert "got worse" in found.decided.why

    def test_a_high_last_year_leaves_the_base(self, tmp_path: Path) -> None:
        counts = steady(12, at=200)
        counts[:6, 24:36] = counts[:6, 24:36] * 13 // 10
        whole = ask(tmp_path / "whole", counts, 6)
        declared = ask(tmp_path / "high", counts, 6, plan=f'{LAG}[plan.chosen]\n{MEASURE} = "high"\n')
        assert whole.verdict is Verdict.IMPROVED  # a year that was high came down, and nothing else happened
        assert declared.verdict is not Verdict.IMPROVED
        assert "before anything began" in " ".join(whole.caveats)
        assert "that year is left out" in declared.reading
        kept = declared.table[declared.table["group"].str.contains("every month before the start kept")]
        assert kept["estimate"].iloc[0] == pytest.approx(whole.table["estimate"].iloc[0])

    def test_drawn_by_lot_is_an_experiment(self, tmp_path: Path) -> None:
        found = ask(tmp_path, steady(12, lift=LOWER), 6, plan=f'{LAG}[plan.chosen]\n{MEASURE} = "by lot"\n')
        assert found.evidence.maryland == 5
        assert any("drawn by lot" in said for said in found.caveats)

    def test_places_shown_alike_before_earn_the_better_grade(self, tmp_path: Path) -> None:
        plan = f"{LAG}[plan.worthwhile]\n{MEASURE} = 0.8\n"
        assert ask(tmp_path / "alike", steady(12, at=900), 6, plan=plan).evidence.maryland == 3
        assert ask(tmp_path / "not said", steady(12, at=900), 6).evidence.maryland == 2

    def test_an_unknown_word_for_how_is_a_problem_of_the_file(self, tmp_path: Path) -> None:
        with pytest.raises(ek.DataProblems, match="no way places are chosen"):
            ask(tmp_path, steady(6), 3, plan=f'[plan.chosen]\n{MEASURE} = "best"\n')


class TestWhatItCannotSay:
    def test_one_place_of_many_has_a_rank_and_an_interval_and_no_verdict(self, tmp_path: Path) -> None:
        found = ask(tmp_path, steady(40, lift=(0.3,), at=400), 1)  # 1 in 40 is under .03, and still no verdict
        assert found.verdict is Verdict.NOT_MEASURABLE
        assert found.attribution is Attribution.CANNOT_TELL
        assert "Of 40 places, each set against all others, 1 differs at least this much" in found.reading
        assert found.table["high"].iloc[0] < 1

    def test_two_comparison_places_are_too_few(self, tmp_path: Path) -> None:
        assert "2 comparison places cannot show" in ask(tmp_path, steady(9), 7).decided.why

    def test_few_months_are_described(self, tmp_path: Path) -> None:
        assert ask(tmp_path, steady(12, 42), 6).verdict is Verdict.DESCRIBED

    @pytest.mark.parametrize(
        ("mine", "counts", "how", "why"),
        [
            (6, steady(6), {}, "no place to compare with"),
            (3, steady(6, 20), {}, "must come after the first period"),
            (3, steady(6)[:, :30], {}, "must come after"),
            (3, np.zeros((6, 60), dtype=int), {}, "No events before"),
            (3, steady(6), {"starts": {0: ""}}, "Nobody says when the programme started"),
            (1, steady(2), {}, "leave nothing to judge"),
            (3, steady(6, 20), {"span": 3, "starts": {0: "2024-05-01"}}, "within a quarter or year"),
        ],
    )
    def test_edges_are_refused_with_what_would_answer(self, tmp_path: Path, mine, counts, how, why) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match=why) as refused:
            ask(tmp_path, counts, mine, **how)
        assert refused.value.would_answer

    def test_a_month_that_is_missing_somewhere_is_refused(self, tmp_path: Path) -> None:
        programme(tmp_path, steady(6), mine=3)
        outcomes = (tmp_path / "outcomes.csv").read_text(encoding="utf-8").splitlines()
        (tmp_path / "outcomes.csv").write_text("\n".join(outcomes[:-1]) + "\n", encoding="utf-8")
        with pytest.raises(ek.NotEnoughEvidence, match="first gap in March 2026"):
            ek.population.against(ek.load(tmp_path), measure=MEASURE)

    def test_negative_counts_are_a_problem_of_the_file(self, tmp_path: Path) -> None:
        counts = steady(6)
        counts[0, 0] = -1
        with pytest.raises(ek.DataProblems, match="count"):
            programme(tmp_path, counts, mine=3)


def test_a_difference_is_the_most_that_is_ever_said() -> None:
    assert ATTRIBUTION_RULES[0][0] is Attribution.DIFFERENCE


def test_shock_months_left_out_stand_in_the_table(tmp_path: Path) -> None:
    events = ["E1,,2025-01-01,2025-02-28,shock,Winter", "E2,,2024-09-01,,concurrent_intervention,Other scheme"]
    found = ask(tmp_path, steady(12), 6, events=events)
    assert found.table["group"].str.contains("months of a shock left out").sum() == 1
    assert any("Other scheme" in said for said in found.caveats)


def test_places_that_differ_in_size_must_also_differ_by_their_counts_alone(tmp_path: Path) -> None:
    # small places wander more than large ones, and the three smallest take part
    size = np.array([8, 9, 10, *[300] * 9])
    rng = np.random.default_rng(2)
    drift = np.exp(rng.normal(0, 1.2 / np.sqrt(size)))
    counts = rng.poisson(size[:, None] * np.where(np.arange(60) >= 36, drift[:, None], 1.0))
    found = ask(tmp_path, counts, 3)
    told = found.table.set_index("group")
    assert told.index.str.contains("places weighed by their counts alone").any()
    alike = ask(tmp_path / "alike", steady(12), 6)
    assert not any("much smaller" in said or "much larger" in said for said in alike.caveats)
