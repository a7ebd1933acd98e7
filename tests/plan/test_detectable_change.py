"""plan.detectable_change: a change of the size it names is found in 80 of 100 evaluations drawn without its help."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import evalkit as ek
from evalkit.plan.seen import LONGEST
from evalkit.resources import folder
from evalkit.stats import ar1_noise, change, contrast
from evalkit.verdict import HEADLINE
from evalkit.words import CAUSE

RUNS, BAND = 2_000, 0.03
"""2,000 evaluations: a true chance of .80 is off by .03 once in more than a thousand tries."""
LEADERS, SERIES = "Leaders, before and after", "One series of monthly counts"
TEAMS, PLACES = "Teams, before and after", "Places, against comparison places"


def row(found: ek.Result, measure: str, at: int = 0) -> pd.Series:
    return found.table[found.table["measure"] == measure].iloc[at]


def point(df: float) -> float:
    return float(stats.t.ppf((1 + HEADLINE) / 2, df))


# --- the numbers, from outside ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [5, 8, 25, 150])
def test_leaders_are_the_paired_t_of_a_table_of_the_noncentral_t(n):
    """scipy.stats.nct at 97 %, two-sided, the right side only (Cohen 1988, ch. 2); at 8 leaders 1.29 SD."""
    found = row(ek.plan.detectable_change(leaders=n, runs=50), LEADERS)["estimate"]
    assert stats.nct.sf(point(n - 1), n - 1, found * math.sqrt(n)) == pytest.approx(0.8, abs=1e-6)
    assert n != 8 or found == pytest.approx(1.290, abs=5e-4)


def test_teams_count_their_means():
    found = row(ek.plan.detectable_change(teams=12, team_size=12, runs=50), TEAMS)["estimate"]
    se = math.sqrt((0.15 + 0.85 / 12) / 12)
    assert stats.nct.sf(point(11), 11, found / se) == pytest.approx(0.8, abs=1e-6)


# --- 80 of 100, drawn here ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [6, 8, 40])
def test_80_of_100_paired(n):
    size = row(ek.plan.detectable_change(leaders=n, runs=50), LEADERS)["estimate"]
    rng = np.random.default_rng(202)
    trait = rng.normal(size=(RUNS, n))  # two answers that correlate: half of each is the person
    before, after = (trait + rng.normal(0, math.sqrt(0.5), (RUNS, n)) for _ in range(2))
    moved = after + size - before  # of SD 1
    clear = moved.mean(1) / (moved.std(1, ddof=1) / math.sqrt(n)) > point(n - 1)
    assert clear.mean() == pytest.approx(0.8, abs=BAND)
    for before_one, moved_one, seen in zip(before[:40], moved[:40], clear[:40], strict=True):
        low, _ = change.paired(before_one, before_one + moved_one).interval(HEADLINE)
        assert (low > 0) == seen


@pytest.mark.parametrize(("teams", "size"), [(8, 5), (24, 6)])
def test_80_of_100_clustered(teams, size):
    found = row(ek.plan.detectable_change(teams=teams, team_size=size, runs=50), TEAMS)["estimate"]
    rng = np.random.default_rng(303)
    people = rng.normal(0, math.sqrt(0.85), (RUNS, teams, size)) + rng.normal(0, math.sqrt(0.15), (RUNS, teams, 1))
    means = (people + found).mean(axis=2)
    clear = means.mean(1) / (means.std(1, ddof=1) / math.sqrt(teams)) > point(teams - 1)
    assert clear.mean() == pytest.approx(0.8, abs=BAND)


def wandering(rng: np.random.Generator, shape: tuple[int, ...], rho: float) -> np.ndarray:
    """Months that resemble their neighbours, by their covariance rather than step by step."""
    apart = np.abs(np.subtract.outer(np.arange(shape[-1]), np.arange(shape[-1])))
    return rng.standard_normal(shape) @ np.linalg.cholesky(rho**apart).T


def test_80_of_100_interrupted():
    before, after, mean = 36, 24, 300.0
    ratio = row(ek.plan.detectable_change(months=after, before=before, monthly=mean, runs=50), SERIES)["estimate"]
    rng, months = np.random.default_rng(404), np.arange(before + after)
    spread = math.log1p((2 - 1) / mean)  # of the log rate, so that counts scatter twice as widely as chance
    latent = math.sqrt(spread) * wandering(rng, (RUNS, len(months)), 0.8) - spread / 2
    season = 0.1 * np.cos(2 * np.pi * months / 12)
    level = (months >= before).astype(float)
    counts = rng.poisson(mean * np.exp(latent + season + 0.002 * months + math.log(ratio) * level))
    turn = 2 * np.pi * months / 12
    waves = [wave(times * turn) for times in (1, 2) for wave in (np.sin, np.cos)]
    terms = np.column_stack([np.ones(len(months)), months, *waves, level])
    fits = ar1_noise.fit_many(np.log(counts), terms, months, [0, 0, 0, 0, 0, 0, 1])
    clear = fits.estimate + stats.t.ppf((1 + HEADLINE) / 2, fits.df) * fits.se < 0
    assert clear.mean() == pytest.approx(0.8, abs=BAND)


@pytest.mark.parametrize(("mine", "others", "monthly"), [(3, 16, 120.0), (5, 7, 60.0)])
def test_80_of_100_places(mine, others, monthly):
    before, after = 36, 24
    asked = {"places": mine, "comparison": others, "months": after, "before": before, "monthly": monthly}
    ratio = row(ek.plan.detectable_change(**asked, runs=50), PLACES)["estimate"]
    rng, n = np.random.default_rng(505), mine + others
    spread = math.log1p(0.6 / monthly)
    rates = np.exp(math.sqrt(spread) * wandering(rng, (RUNS, n, before + after), 0.6) - spread / 2)
    rates[:, :mine, before:] *= ratio
    counts = rng.poisson(monthly * rates)
    first, second = counts[..., :before].sum(axis=2), counts[..., before:].sum(axis=2)
    moved, variance = np.log(second / after) - np.log(first / before), 1 / first + 1 / second
    ways = np.zeros((math.comb(n, mine), n), dtype=bool)
    for at, chosen in enumerate(combinations(range(n), mine)):
        ways[at, list(chosen)] = True  # the first way is the true one
    clear = []
    for some in np.array_split(np.arange(RUNS), 100):
        t = contrast.random_effects(moved[some], variance[some], ways).t
        p = (np.abs(t) >= np.abs(t[:, :1]) * (1 - 1e-9)).mean(axis=1)
        clear += list((t[:, 0] < -point(n - 2)) & (p <= 1 - HEADLINE + 1e-12))
    assert np.mean(clear) == pytest.approx(0.8, abs=BAND)


@pytest.mark.parametrize("measure", [LEADERS, TEAMS, SERIES, PLACES])
def test_its_own_simulation_says_80_as_well(measure):
    found = ek.plan.detectable_change(leaders=48, teams=8, places=3, comparison=7, months=24, monthly=100)
    assert row(found, measure)["seen_in_%"] == pytest.approx(80, abs=3)
    assert (found.table["runs"] == 2000).all()


# --- what it says --------------------------------------------------------------------------------------------------


def test_it_speaks_plainly_of_eight_leaders():
    found = ek.plan.detectable_change(leaders=8, runs=50)
    assert found.reading == (
        "Leaders, before and after (all answer twice): only a very large change could be seen, 1.3 standard deviations "
        "or more, in 80 of 100 such evaluations."
    )
    assert found.headline == f"{LEADERS}: only a very large change could be seen"
    assert found.about.asked == "plan.detectable_change(leaders=8, runs=50)"
    assert any("about two in three lie within one" in caveat for caveat in found.caveats)


def test_what_it_was_asked_can_be_asked_again_and_gives_the_same():
    found = ek.plan.detectable_change(leaders=20, teams=6, team_size=3.25, runs=60, seed=3)
    again = eval(f"ek.{found.about.asked}")
    pd.testing.assert_frame_equal(again.table, found.table)


def test_leaders_in_teams_are_told_to_go_by_the_row_of_teams():
    found = ek.plan.detectable_change(leaders=48, teams=8, runs=50)
    assert row(found, TEAMS)["group"] == "8 teams of 6"
    assert row(found, TEAMS)["estimate"] > row(found, LEADERS)["estimate"]
    assert any("go by the row of teams" in caveat for caveat in found.caveats)
    assert not any("go by the row" in caveat for caveat in ek.plan.detectable_change(leaders=48, runs=50).caveats)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"leaders": 4}, "Fewer than 5 leaders are described, never tested."),
        ({"leaders": 1}, "Fewer than 5 leaders are described, never tested."),
        ({"teams": 1}, "Fewer than 5 teams are described, never tested."),
        ({"months": 0}, "Fewer than 12 months after the start are described, never tested."),
        ({"months": 11}, "Fewer than 12 months after the start are described, never tested."),
        ({"months": 24, "before": 11}, "Fewer than 12 months before the start are described, never tested."),
        (
            {"months": 24, "before": 23},
            "Fewer than 24 months before the start cannot tell a trend from the time of year.",
        ),
        (
            {"months": 24, "monthly": 4.9},
            "Fewer than 5 events a month are too few: months without any would be common.",
        ),
        ({"places": 3}, "No test is possible with 3 programme places."),
        ({}, "No test is possible with no number of leaders, teams, places or months."),
    ],
)
def test_where_no_test_is_possible_the_reason_is_said(given, reason):
    with pytest.raises(ek.NotEnoughEvidence) as refused:
        ek.plan.detectable_change(**given)
    assert reason in refused.value.missing
    assert "plan.detectable_change(leaders=8)" in refused.value.would_answer
    assert not CAUSE.search(str(refused.value))


def test_one_row_without_a_number_does_not_hide_the_others():
    found = ek.plan.detectable_change(leaders=6, teams=2, places=1, comparison=6, months=12, runs=50)
    assert row(found, LEADERS)["visible"] == "only a very large change"
    assert row(found, LEADERS, 1)["why_not"] == "Fewer than 5 leaders are described, never tested."  # 4 of 6
    for measure, why in ((TEAMS, "Fewer than 5 teams"), (PLACES, "With 1 place against 6 no change, however large")):
        assert row(found, measure)["why_not"].startswith(why)
        assert row(found, measure)["visible"] == "no change"
        assert math.isnan(row(found, measure)["estimate"])
        assert why in found.reading
    assert "relabelling" not in found.reading


def test_no_comparison_places_are_no_row():
    found = ek.plan.detectable_change(places=3, comparison=0, months=24, runs=50)
    assert found.table["measure"].tolist() == [SERIES]
    assert row(found, SERIES)["group"] == "36 months before, 24 after, 900 events a month"


def test_months_beyond_what_was_tried_are_left_out_and_said(monkeypatch):
    monkeypatch.setattr("evalkit.plan.seen.LONGEST", 30)
    found = ek.plan.detectable_change(months=400, runs=50)
    assert row(found, SERIES)["group"] == "30 months before, 30 after, 300 events a month"
    assert any(f"{LONGEST} are counted" in caveat for caveat in found.caveats)


@given(st.integers(5, 60), st.integers(1, 20))
@settings(max_examples=15)
def test_more_leaders_never_see_less(n, more):
    few, many = (row(ek.plan.detectable_change(leaders=k, runs=1), LEADERS)["estimate"] for k in (n, n + more))
    assert many < few


# --- in points -----------------------------------------------------------------------------------------------------


def answered(tmp: Path, after: list[float], group: int = 5) -> ek.Programme:
    """Leaders who all answered 2 to everything, and then their number of `after`."""
    people = [f"L{n}" for n in range(len(after))]
    (tmp / "programme.toml").write_text(
        f'schema = 1\nname = "Testmere"\nfictional = true\nstarts_on = 2024-04-01\nminimum_group = {group}\n'
        '[plan.primary]\nindividual = "role_ambiguity"\n'
    )
    (tmp / "people.csv").write_text("person_id,kind\n" + "".join(f"{one},participant\n" for one in people))
    (tmp / "participants.csv").write_text("participant_id\n" + "".join(f"{one}\n" for one in people))
    (tmp / "waves.csv").write_text(
        "wave,label,opens_on,closes_on\n1,A,2024-03-01,2024-04-01\n2,B,2025-03-01,2025-04-01\n"
    )
    lines = ["respondent_id,subject_kind,subject_id,rater,instrument,edition,item,wave,timing,answered_on,answer"]
    for one, value in zip(people, after, strict=True):
        for wave, timing, day, answer in ((1, "pre", "2024-03-20", 2), (2, "post", "2025-03-20", value)):
            for item in ("pull", "unclear", "first", "switch", "authority"):
                lines.append(f"{one},person,{one},self,role_ambiguity,2026,{item},{wave},{timing},{day},{answer}")
    (tmp / "responses.csv").write_text("\n".join(lines) + "\n")
    return ek.load(tmp)


AFTER = [1, 2, 3, 4, 2, 3]
"""Changes −1, 0, 1, 2, 0, 1: mean 0.5, sum of squares about it 5.5. Two of the five items count the other way round,
so a score moves by a fifth of that: SD sqrt(5.5 / 5) / 5."""
SD = math.sqrt(1.1) / 5


def test_standard_deviations_are_said_in_points_where_leaders_answered_twice(tmp_path):
    found = ek.plan.detectable_change(answered(tmp_path, AFTER), runs=50)
    first = row(found, LEADERS)
    assert first["in_points"] == pytest.approx(first["estimate"] * SD)
    assert "1.6 standard deviations (here 0.34 points on a scale of 1 to 5) or more" in found.reading
    assert any("changes of 6 leaders scored twice had a standard deviation of 0.21" in said for said in found.caveats)


@pytest.mark.parametrize(("after", "group"), [(AFTER, 7), ([3] * 6, 5)])
def test_points_are_left_out_of_few_leaders_and_of_changes_all_alike(tmp_path, after, group):
    found = ek.plan.detectable_change(answered(tmp_path, after, group), runs=50)
    assert found.table["in_points"].isna().all()
    assert "points" not in found.reading


def test_points_go_with_numbers_given_instead(tmp_path):
    found = ek.plan.detectable_change(answered(tmp_path, AFTER), leaders=30, runs=50)
    assert row(found, LEADERS)["in_points"] == pytest.approx(row(found, LEADERS)["estimate"] * SD)


def test_northmere_is_counted():
    found = ek.plan.detectable_change(ek.load(folder("sample_data") / "northmere"), runs=50)
    assert found.about.asked == "plan.detectable_change(runs=50)"
    assert row(found, PLACES)["group"] == "12 against 7"
    assert 0.2 < row(found, LEADERS)["estimate"] < row(found, TEAMS)["estimate"] < 0.4
    assert 0.08 < row(found, LEADERS)["in_points"] < 0.2
    assert row(found, SERIES)["estimate"] < row(found, PLACES)["estimate"] < 0.9
    assert "FICTIONAL" in found.alt
