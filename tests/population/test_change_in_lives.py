"""population.change: one series beside its comparison, what it may say and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import evalkit as ek
from evalkit.stats import series
from evalkit.terms import Verdict
from tests.population.counted import LAG, MEASURE, programme, steady


def ask(folder: Path, counts: np.ndarray, mine: int, plan: str = LAG, **of):
    return ek.population.change(programme(folder, counts, mine=mine, plan=plan, **of), measure=MEASURE)


def test_is_the_ratio_to_the_comparison_series(tmp_path: Path) -> None:
    held = programme(tmp_path, steady(4, lift=(0.7, 0.7)), mine=2, plan=LAG)
    found = ek.population.change(held, measure=MEASURE)
    both = held.outcomes.assign(mine=held.outcomes["place_id"].isin(["P01", "P02"]))
    sums = both.groupby(["period", "mine"])[["count", "denominator"]].sum().unstack("mine")
    frame = sums.set_axis([f"{name}_{mine}" for name, mine in sums.columns], axis=1).reset_index()
    plain = series.interrupted(
        frame, outcome="count_True", time="period", start="2024-04-01", family="quasipoisson",
        offset="denominator_True", comparison="count_False", comparison_offset="denominator_False",
        seasonal="harmonic",
    )  # fmt: skip
    answer, gap = found.table.iloc[0], found.table[found.table["what"] == "gap"].iloc[0]
    assert [answer["estimate"], answer["low"], answer["high"]] == pytest.approx([plain.estimate, plain.low, plain.high])
    assert gap["estimate"] == pytest.approx(plain.cumulative.estimate)
    assert found.verdict is Verdict.IMPROVED
    assert f"{plain.cumulative.observed:,.0f} counted" in found.reading


def test_the_chart_draws_the_rate_and_where_it_would_have_gone_in_the_same_units(tmp_path: Path) -> None:
    found = ask(tmp_path, steady(4, at=100), 2)
    drawn = found.marks.set_index("mark")
    seen, lines = drawn.loc["point", "y"], drawn.loc["line", "y"]
    assert lines.min() > 0.7 * seen.min()
    assert lines.max() < 1.3 * seen.max()
    assert "programme starts" in found.marks.loc[found.marks["mark"] == "event", "label"].tolist()


def test_why_the_series_is_read_so_is_said(tmp_path: Path) -> None:
    assert "as a ratio to the comparison places" in ask(tmp_path / "beside", steady(4), 2).reading
    assert "its own trend and season" in ask(tmp_path / "alone", steady(2), 2).reading


def test_a_shock_without_comparison_bears_no_verdict_and_stands_in_the_table(tmp_path: Path) -> None:
    events = ["E1,,2025-01-01,2025-02-28,shock,Winter"]
    alone = ask(tmp_path / "alone", steady(2, lift=(0.6, 0.6)), 2, events=events)
    assert alone.verdict is Verdict.NOT_MEASURABLE
    assert "nowhere to compare with" in alone.decided.why
    assert alone.table["group"].str.contains("shock periods: left out").any()
    beside = ask(tmp_path / "beside", steady(4, lift=(0.6, 0.6)), 2, events=events)
    assert beside.verdict is Verdict.IMPROVED


def test_a_boundary_that_moved_breaks_the_series(tmp_path: Path) -> None:
    found = ask(tmp_path, steady(2), 2, events=["E1,,2025-01-01,,boundary_change,Wards moved"])
    assert found.verdict is Verdict.NOT_MEASURABLE
    assert any("Wards moved" in said for said in found.caveats)


@pytest.mark.parametrize(
    ("counts", "how", "why"),
    [
        (steady(2), {"starts": {0: "2024-04-01", 1: "2024-10-01"}}, "population.against"),
        (np.zeros((2, 60), dtype=int), {}, "no events"),
        (steady(2, 30), {}, "must come after"),
        (steady(2, 20), {"span": 3}, "cover a quarter or a year"),
        (steady(2), {"starts": {0: "", 1: ""}}, "Nobody says when"),
    ],
)
def test_edges_are_refused_with_what_would_answer(tmp_path: Path, counts, how, why) -> None:
    with pytest.raises(ek.NotEnoughEvidence, match=why):
        ask(tmp_path, counts, 2, **how)


def test_few_months_are_described(tmp_path: Path) -> None:
    assert ask(tmp_path, steady(2, 44), 2).verdict is Verdict.DESCRIBED
