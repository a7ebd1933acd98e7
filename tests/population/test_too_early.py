"""population.too_early: what was agreed, what could be seen and what the figures say stand side by side."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from scipy import optimize, stats

import evalkit as ek
from evalkit.terms import Verdict
from tests.population.counted import LAG, MEASURE, programme, steady

PLAN = f"[plan.lag_months]\n{MEASURE} = 60\n[plan.plausible]\n{MEASURE} = 0.9\n"


def ask(folder: Path, counts, mine: int = 6, plan: str = PLAN, **of):
    return ek.population.too_early(programme(folder, counts, mine=mine, plan=plan, **of), measure=MEASURE)


def rows(found):
    return found.table.set_index("what")["estimate"]


def test_sets_the_four_side_by_side_and_shows_the_estimate(tmp_path: Path) -> None:
    found = ask(tmp_path, steady(12, lift=(0.9,) * 6))
    told = rows(found)
    assert found.verdict is Verdict.DESCRIBED
    assert told[["agreed", "followed", "plausible"]].tolist() == [60.0, 24.0, 0.9]
    assert told["estimate"] == pytest.approx(0.9, abs=0.05)
    assert "from April 2029" in found.reading
    assert "So far:" in found.reading


def test_what_would_be_seen_is_seen_four_times_in_five(tmp_path: Path) -> None:
    found = ask(tmp_path, steady(12))
    fit = found.details

    def chance(size: float) -> float:
        beyond = stats.t.ppf(0.985, fit.df)
        return float(stats.nct.sf(beyond, fit.df, size / fit.se)) - 0.8

    size = optimize.brentq(chance, 1e-6, 5)
    assert rows(found)["seen now"] == pytest.approx(math.exp(-size), rel=1e-6)
    assert rows(found)["seen now"] < rows(found)["seen then"] < 1


def test_more_months_help_only_as_far_as_counts_scatter(tmp_path: Path) -> None:
    poisson = ask(tmp_path / "few", steady(12, at=15))
    assert rows(poisson)["seen then"] > rows(poisson)["seen now"]
    assert "would not be seen" in poisson.reading or "would be seen" in poisson.reading


def test_what_got_worse_is_said_at_any_month(tmp_path: Path) -> None:
    found = ask(tmp_path, steady(12, lift=(1.4,) * 6))
    assert "A sign for the worse" in found.reading
    assert rows(found)["adverse"] > 0
    assert "no sign for the worse" in ask(tmp_path / "steady", steady(12, at=900)).reading


def test_one_place_alone_is_read_as_a_series(tmp_path: Path) -> None:
    found = ask(tmp_path, steady(1, at=300), mine=1)
    assert "than their own past would suggest" in found.reading
    assert "seen then" not in set(found.table["what"])


def test_nobody_agreed_how_long_or_how_large(tmp_path: Path) -> None:
    counts = steady(12)
    held = programme(tmp_path, counts, mine=6, measure="joined_up_care")
    found = ek.population.too_early(held, measure="joined_up_care")
    assert "nobody agreed how long a change may take" in found.headline
    assert "nobody said how large a change could be" in found.reading


def test_a_time_that_has_come_is_not_waited_for(tmp_path: Path) -> None:
    found = ask(tmp_path, steady(12), plan=LAG)
    assert "agreed to be read from" not in found.reading
    assert "followed for 24 of the 12 months agreed" not in found.headline


def test_refuses_what_neither_question_can_answer(tmp_path: Path) -> None:
    with pytest.raises(ek.NotEnoughEvidence):
        ask(tmp_path, steady(3, 20), mine=3)
