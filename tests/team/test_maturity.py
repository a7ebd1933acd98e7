"""team.maturity: groups side by side, anatomy and physiology apart, waves chosen, and scores that came as means."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.resources import folder
from evalkit.terms import Audience, Design
from tests.team.answered import alike, plan, programme

ANATOMY = ("finance", "information", "workforce", "redesign")


@pytest.fixture(scope="module")
def northmere() -> ek.Programme:
    return ek.load(folder("sample_data") / "northmere")


def test_a_group_has_the_mean_of_its_people_and_the_interval_of_a_t_over_them():
    scores = [1, 2, 2, 3, 4, 4]
    found = ek.team.maturity(programme(*[(f"r{k}", "P1", 1, {"culture": s}) for k, s in enumerate(scores)]), by="place")
    (row,) = found.table.to_dict("records")
    half = stats.t.ppf(0.975, 5) * np.std(scores, ddof=1) / np.sqrt(6)
    assert row["group"] == "Place P1"
    assert (row["estimate"], row["n"], row["wave"]) == (pytest.approx(np.mean(scores)), 6, 1)
    assert (row["low"], row["high"]) == (pytest.approx(np.mean(scores) - half), pytest.approx(np.mean(scores) + half))
    assert row["sd"] == pytest.approx(np.std(scores, ddof=1))


@pytest.mark.parametrize("scores", [[2], [1, 2], [1, 2, 3, 4], [3, 3, 3, 3, 3, 3]])
def test_few_people_or_all_alike_get_no_interval(scores):
    found = ek.team.maturity(programme(*[(f"r{k}", "P1", 1, {"culture": s}) for k, s in enumerate(scores)]), by="place")
    assert found.table["interval"].tolist() == ["none given"]
    assert found.table["low"].isna().all()


def test_an_organisations_interval_is_over_the_places_its_people_scored():
    rows = [(f"r{p}{k}", f"P{p}", 1, {"culture": float((p + k) % 5)}) for p in range(6) for k in range(2)]
    works = {row[0]: "O1" for row in rows}
    (row,) = ek.team.maturity(programme(*rows, works=works), by="organisation").table.to_dict("records")
    means = np.array([np.mean([r[3]["culture"] for r in rows if r[1] == f"P{p}"]) for p in range(6)])
    half = stats.t.ppf(0.975, 5) * means.std(ddof=1) / np.sqrt(6)  # equal sizes: CR2 is the t of place means
    assert (row["low"], row["high"]) == (pytest.approx(means.mean() - half), pytest.approx(means.mean() + half))


def test_groups_stand_in_the_order_of_the_alphabet_and_what_is_not_known_is_named(northmere):
    found = ek.team.maturity(northmere, by="organisation")
    groups = list(dict.fromkeys(found.table["group"]))
    assert groups == sorted(groups)
    levels = ek.team.maturity(northmere, by="level")
    assert "not recorded" in set(levels.table["group"])
    assert "the level was not recorded" in levels.reading
    assert "3 levels of staff" in levels.headline


def test_no_wider_copy_shows_a_group_of_few(northmere):
    found = ek.team.maturity(northmere, by="organisation")
    few = found.table[found.table["n"] < northmere.minimum_group]
    assert len(few), "the sample has organisations with few respondents, or this shows nothing"
    for audience in (Audience.TEAM, Audience.PUBLIC):
        copy = protect(found, audience)
        assert copy.table.loc[few.index, "estimate"].isna().all()
        assert not set(copy.marks["row"].dropna()) & set(few.index)


def test_anatomy_and_physiology_are_means_of_places_with_every_domain_and_said_to_be_ours():
    whole = {"finance": 1.0, "information": 2.0, "workforce": 3.0, "redesign": 4.0}
    part = dict.fromkeys(ANATOMY[:3], 5.0)
    found = ek.team.maturity(programme(("a", "P1", 1, whole), ("b", "P2", 1, part)))
    (row,) = found.table[found.table["measure"] == "Anatomy, mean of 4 domains"].to_dict("records")
    assert (row["estimate"], row["places"]) == (2.5, 1)
    assert "which the tool itself does not sum up" in found.reading
    assert "Anatomy" not in set(found.marks["x"])


def test_between_chooses_the_waves_and_names_those_there_are(northmere):
    whole = ek.team.maturity(northmere)
    part = ek.team.maturity(northmere, between=(2, 3))
    assert part.about.asked.endswith("between=(2, 3))")
    mean = part.table[(part.table["measure"] == "Physiology, mean of 4 domains") & (part.table["what"] == "mean")]
    was, now = (f"{mean.set_index('wave').loc[wave, 'estimate']:.2f}" for wave in (2, 3))
    assert f"Physiology, mean of 4 domains (was {was}, is now {now})" in part.reading
    assert "in May 2025 than in October 2024" in part.reading
    assert not np.allclose(
        *(one.table.loc[one.table["what"] == "change", "estimate"].to_numpy()[:8] for one in (whole, part))
    )
    for wrong in ((1, 9), (4, 1), (2, 2)):
        with pytest.raises(ValueError, match="1, 2, 3 and 4"):
            ek.team.maturity(northmere, between=wrong)


def test_a_by_there_is_not_is_named_and_one_nobody_recorded_is_refused():
    held = programme(*alike("P1", 1, 2.0))
    with pytest.raises(ValueError, match="place, team, organisation, level and tier"):
        ek.team.maturity(held, by="colour")
    with pytest.raises(ek.NotEnoughEvidence, match="level of those who scored was not recorded"):
        ek.team.maturity(held, by="level")


def test_nothing_after_the_day_the_data_speak_of_counts():
    early = ek.load(folder("sample_data") / "northmere", as_of=date(2024, 12, 31))
    assert "at 2 waves" in ek.team.maturity(early).reading
    assert set(ek.team.maturity(early, by="place").table["wave"]) == {1, 2}


def test_comparison_places_are_left_out():
    held = programme(*alike("P1", 1, 1.0), *alike("P2", 1, 4.0), comparison=("P2",))
    assert ek.team.maturity(held, by="place").table["group"].tolist() == ["Place P1"]


def test_forms_at_no_wave_are_counted_not_dropped_in_silence():
    held = programme(*alike("P1", 1, 2.0))
    tables = {"responses": held.responses.assign(wave=held.responses["wave"].mask(held.responses.index == 0))}
    found = ek.team.maturity(programme(*alike("P1", 1, 2.0), tables=tables))
    assert "1 filled-in form left out: at no wave." in found.caveats


def declared(**lag: int) -> ek.Programme:
    rows = [row for p in range(6) for wave in (1, 2) for row in alike(f"P{p}", wave, 1.0 + wave * (1 + p % 2))]
    return programme(*rows, plan=replace(plan("icfat/culture"), lag_months=lag))


def test_the_declared_domain_decides_unless_the_agreed_time_has_not_passed():
    assert ek.team.maturity(declared()).verdict.value == "rose"
    assert ek.team.maturity(declared(icfat=24)).verdict.value == "too early to say"


# Scores that came as means

SCORED = pd.DataFrame(
    [
        {"subject_kind": "place", "subject_id": f"P{k}", "instrument": "icfat", "domain": "culture", "wave": wave,
         "measured_on": pd.Timestamp(f"202{3 + wave}-05-01"), "basis": "individuals", "mean": 2.0 + 0.1 * k * wave,
         "sd": 0.5, "n": 10}
        for k in range(6)
        for wave in (1, 2)
    ]
)  # fmt: skip


def given_scores(scores: pd.DataFrame, **told: object) -> ek.Programme:
    places = pd.DataFrame({"place_id": [f"P{k}" for k in range(6)], "name": [f"Place {k}" for k in range(6)]})
    empty = programme(("x", "P0", 1, {"culture": 1.0}), tables={"places": places}).responses.head(0)
    bodies = pd.DataFrame({"organisation_id": ["O0", "O1"], "name": ["Another body", "The council"]})
    tables = {"responses": empty, "places": places, "scores": scores, "organisations": bodies}
    return programme(("x", "P0", 1, {"culture": 1.0}), tables=tables, **told)


def test_means_with_numbers_and_spread_are_tested_over_places():
    found = ek.team.maturity(given_scores(SCORED))
    (row,) = found.table[found.table["what"] == "change"].to_dict("records")
    change = np.array([0.1 * k for k in range(6)])
    t = stats.ttest_1samp(change, 0).confidence_interval(0.95)
    assert (row["estimate"], row["low"], row["high"]) == (
        pytest.approx(change.mean()), pytest.approx(t.low), pytest.approx(t.high),
    )  # fmt: skip
    assert (row["places"], row["n_of"]) == (6, "places")
    assert found.method.design is Design.BEFORE_AFTER
    assert "We cannot tell whether the same people answered." in found.caveats


@pytest.mark.parametrize(
    "unknown",
    [{"sd": np.nan}, {"n": np.nan}, {"basis": "unknown"}, {"basis": "mean_of_organisations"}, {"basis": "consensus"}],
)
def test_scores_not_known_well_enough_are_described_each_by_its_own_rule(unknown):
    found = ek.team.maturity(given_scores(SCORED.assign(**unknown)))
    assert found.method.design is Design.DESCRIBED
    assert found.verdict.value == "described"
    assert set(found.table["interval"]) == {"none given"}
    assert ("agreed" in found.method.name) is (unknown.get("basis") == "consensus")


def test_an_organisations_or_levels_view_stands_under_its_own_name_and_is_not_the_places_change():
    own = SCORED.assign(organisation_id="O1", level="ward staff")
    found = ek.team.maturity(given_scores(own))
    assert found.table["group"].iloc[0] == "Place 0, The council, ward staff"
    assert found.verdict.value == "described"
    both = ek.team.maturity(given_scores(pd.concat([SCORED, own.assign(mean=5.0)])))
    alone = ek.team.maturity(given_scores(SCORED))
    changes = [one.table.loc[one.table["what"] == "change", "estimate"].iloc[0] for one in (both, alone)]
    assert changes[0] == changes[1]


def test_four_places_are_too_few_to_test():
    found = ek.team.maturity(given_scores(SCORED[SCORED["subject_id"] < "P4"]))
    assert found.verdict.value == "described"
    assert (found.table["what"] == "mean").all()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.integers(0, 3))
@settings(max_examples=12)  # each asks a whole question
def test_the_group_mean_is_the_mean_whatever_the_order(scores, turn):
    rows = [(f"r{k}", "P1", 1, {"culture": float(s)}) for k, s in enumerate(scores)]
    turned = rows[turn:] + rows[:turn]
    first, second = (ek.team.maturity(programme(*held), by="place").table for held in (rows, turned))
    assert first["estimate"].iloc[0] == pytest.approx(np.mean(scores))
    pd.testing.assert_frame_equal(first, second)
