"""population.indicators: many measures, the share of false calls held, and four beneficiaries always listed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import evalkit as ek
from evalkit.terms import Verdict
from tests.population.counted import MEASURE, programme, steady

OTHERS = ("discharge_delays", "residential_admissions_65_plus", "joined_up_care", "staff_recommend")


def many(folder: Path, lifts: dict[str, float]):
    """Several measures of twelve places, six of them in the programme."""
    kept = []
    for seed, (measure, lift) in enumerate(lifts.items()):
        programme(folder, steady(12, seed=seed, lift=(lift,) * 6, at=300), mine=6, measure=measure)
        lines = (folder / "outcomes.csv").read_text(encoding="utf-8").splitlines()
        kept += lines if not kept else lines[1:]
    (folder / "outcomes.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    return ek.load(folder)


def test_each_is_read_as_its_own_question_reads_it(tmp_path: Path) -> None:
    held = many(tmp_path, {MEASURE: 0.7, "discharge_delays": 1.0})
    found = ek.population.indicators(held).table.set_index("measure")
    own = ek.population.against(held, measure=MEASURE)
    row = found.loc[held.measures[MEASURE].label]
    assert [row["estimate"], row["low"], row["p"]] == pytest.approx(
        own.table.loc[0, ["estimate", "low", "p"]].astype(float).tolist()
    )
    assert (row["called"], row["side"]) == ("beyond chance", "better")


def test_the_share_of_false_calls_is_held_over_all(tmp_path: Path) -> None:
    held = many(tmp_path, dict.fromkeys((MEASURE, *OTHERS), 1.0) | {MEASURE: 0.93})
    found = ek.population.indicators(held)
    tested = found.table[found.table["p"].notna()]
    assert tested["p_adjusted"].to_numpy() == pytest.approx(stats.false_discovery_control(tested["p"].to_numpy()))
    assert ((tested["p_adjusted"] <= 0.05) == (tested["called"] == "beyond chance")).all()
    assert found.verdict is Verdict.DESCRIBED


def test_all_four_are_listed_and_a_blank_is_named(tmp_path: Path) -> None:
    found = ek.population.indicators(many(tmp_path, {MEASURE: 1.0, "staff_recommend": 1.0}))
    assert list(dict.fromkeys(found.table["beneficiary"])) == ["patients", "citizens", "staff", "taxpayers"]
    assert "nothing was measured for citizens and taxpayers" in found.reading


def test_what_cannot_be_tested_says_why(tmp_path: Path) -> None:
    held = programme(tmp_path, steady(1, 8, at=40), mine=1)
    found = ek.population.indicators(held)
    assert found.table["called"].iloc[0] == "not tested"
    assert np.isnan(found.table["p"].iloc[0])
    assert found.table["why_not"].iloc[0] in " ".join(found.caveats)


def test_a_programme_without_figures_is_refused(tmp_path: Path) -> None:
    programme(tmp_path, steady(3), mine=1)
    (tmp_path / "outcomes.csv").unlink()
    with pytest.raises(ek.NotEnoughEvidence, match="No figures of people's lives"):
        ek.population.indicators(ek.load(tmp_path))
