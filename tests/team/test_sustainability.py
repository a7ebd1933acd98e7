"""team.sustainability: totals by hand, what cannot be summed is counted, and nothing known from memory decides."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit import words
from evalkit.disclosure import protect
from evalkit.programme import Plan, Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.team.totals import pooled, totals
from evalkit.terms import Attribution, Audience, Design, Level, Verdict

ITEMS = ("benefits", "credibility", "adaptability", "monitoring", "involvement", "behaviours", "senior_leadership",
         "clinical_leadership", "fit", "infrastructure")  # fmt: skip
A_B = dict(zip(ITEMS, (8.5 - 4.7, 9.1 - 6.3, 7 - 3.4, 6.5 - 3.3, 11.4 - 6.3, 11 - 5.1, 15 - 6.2, 15 - 6.7, 3.5, 5.1),
               strict=True))  # fmt: skip
CODES = {"a": 0.0, "b": 1.0, "c": 2.0, "d": 3.0, "?": -1.0}
ALL_B, ALL_C = 49.9, 39.7
SETTINGS = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2026, 3, 31), fictional=True)
SITTING = {"subject_kind": "team", "rater": "team_member", "instrument": "sustainability", "timing": "post"}

Sitting = dict[str, Any]


def sitting(team: str, who: str, wave: int | None, letters: str | Mapping[str, str], **said: Any) -> list[Sitting]:
    """One person's letters on the ten factors: one for all, or by factor over `b`; "-" is blank, "?" no opinion."""
    given = dict.fromkeys(ITEMS, letters) if isinstance(letters, str) else {**dict.fromkeys(ITEMS, "b"), **letters}
    day = None if wave is None else pd.Timestamp(f"202{3 + wave}-06-01")
    return [
        {"respondent_id": who, "subject_id": team, "wave": wave, "item": item, "answered_on": day, **SITTING,
         "answer": CODES.get(letter, math.nan), **said}
        for item, letter in given.items()
    ]  # fmt: skip


def programme(*sittings: list[Sitting], plan: Plan | None = None, **others: pd.DataFrame) -> Programme:
    rows = pd.DataFrame([row for held in sittings for row in held])
    places = pd.DataFrame({"place_id": ["P1", "P2"], "name": ["Here", "There"], "arm": ["programme", "comparison"]})
    names = [f"T{at}" for at in range(1, 9)]
    teams = pd.DataFrame({"team_id": [*names, "X1"], "name": [*names, "X1"], "place_id": ["P1"] * 8 + ["P2"]})
    waves = pd.DataFrame({"wave": pd.array([1, 2], dtype="Int64")})
    for name, month in (("opens_on", "05"), ("closes_on", "07")):
        waves[name] = pd.to_datetime([f"202{3 + wave}-{month}-01" for wave in (1, 2)])
    tables = {"places": places, "teams": teams, "waves": waves, "responses": rows.astype({"wave": "Int64"}), **others}
    return Programme.build(settings=SETTINGS if plan is None else replace(SETTINGS, plan=plan), tables=tables)


def asked(*sittings: list[Sitting], plan: Plan | None = None, **settings: Any) -> Result:
    return ek.team.sustainability(programme(*sittings, plan=plan), **settings)


def row(found: Result, what: str, measure: str, wave: int | None = None) -> dict[str, Any]:
    table = found.table[(found.table["what"] == what) & (found.table["measure"] == measure)]
    (held,) = (table if wave is None else table[table["wave"] == wave]).to_dict("records")
    return held


def said(found: Result, start: str) -> str:
    (caution,) = [caution for caution in found.caveats if start in caution]
    return caution


TOTAL, SPREAD = "Overall (sum of domains)", "Diversity of opinion within teams"
GAINS = ("benefits", "credibility", "adaptability", "monitoring", "fit", "infrastructure")
"""Team k rises from all b by the step to a on the first k of these."""


def risen(teams: int = 6, **said: Any) -> list[list[Sitting]]:
    """Teams T1 … of two people each: all b at the first wave, and then a on the first k factors in team k."""
    rows = []
    for k in range(1, teams + 1):
        after = dict.fromkeys(GAINS[:k], "a")
        for who in ("x", "y"):
            rows += [sitting(f"T{k}", f"{who}{k}", 1, "b", **said), sitting(f"T{k}", f"{who}{k}", 2, after, **said)]
    return rows


DECLARED = Plan(primary={"team": "sustainability"})


def test_totals_and_subtotals_by_hand():
    """Means over teams of means over people: a team of three weighs as much as a team of one."""
    found = asked(
        sitting("T1", "a", 1, "b"), sitting("T1", "b", 1, "b"), sitting("T1", "c", 1, {"senior_leadership": "a"}),
        sitting("T2", "d", 1, "c"),
    )  # fmt: skip
    first = (ALL_B + 8.8 / 3 + ALL_C) / 2
    held = row(found, "mean", TOTAL, 1)
    assert held["estimate"] == pytest.approx(first, abs=1e-9)
    assert (held["n"], held["teams"], held["most"], held["band"]) == (4, 2, 100.0, "in between")
    assert row(found, "mean", "Process", 1)["estimate"] == pytest.approx((17.7 + 11.9) / 2)
    assert row(found, "mean", "Staff", 1)["estimate"] == pytest.approx((24.3 + 8.8 / 3 + 21.2) / 2)
    assert row(found, "mean", "Organisation", 1)["estimate"] == pytest.approx((7.9 + 6.6) / 2)
    assert found.verdict is Verdict.DESCRIBED
    assert found.level is Level.TEAM
    assert found.method.design is Design.DESCRIBED
    assert found.headline == f"Total of 100 points: {words.number(first, 1)}, not yet scored twice, self-assessed"
    assert not (found.table["what"] == "change").any()


def test_points_still_to_be_had_name_the_factor_with_the_most():
    found = asked(sitting("T1", "a", 1, "b"), sitting("T2", "b", 1, {"fit": "a", "involvement": "d"}))
    senior = "Senior leadership engagement and support"
    involved = "Staff involvement and training to sustain the process"
    assert row(found, "to be had", senior, 1)["estimate"] == pytest.approx(8.8)
    assert row(found, "to be had", involved, 1)["estimate"] == pytest.approx((5.1 + 11.4) / 2)
    assert row(found, "to be had", "Fit with the organisation's strategic aims and culture", 1)["estimate"] == 1.75
    assert f"Most points are still to be had on {senior} (8.8 of 15)." in found.reading
    both = asked(sitting("T1", "a", 1, "d"))
    clinical = "Clinical leadership engagement and support"
    assert f"still to be had on {senior} (15.0 of 15) and {clinical} (15.0 of 15)" in both.reading
    assert "No factor has points still to be had." in asked(sitting("T1", "a", 1, "a")).reading
    step = said(found, "The step to the best letter")
    assert f"{senior} (8.8 points) and {clinical} (8.3 points)" in step
    assert "2.8 to 5.9" in step


def test_the_change_is_the_paired_t_of_teams():
    """R 4.2.2: print(t.test(c(3.8, 6.6, 10.2, 13.4, 16.9, 22))$conf.int, digits = 10)
    [1]  5.102744701 19.197255299
    """
    found = asked(*risen())
    held = row(found, "change", TOTAL)
    gains = np.cumsum([A_B[name] for name in GAINS])
    assert held["estimate"] == pytest.approx(12.15)
    assert gains.mean() == pytest.approx(12.15)
    assert [held["low"], held["high"]] == pytest.approx([5.102744701, 19.197255299], rel=1e-9)
    assert (held["n"], held["teams"], held["interval"]) == (12, 6, "95% confidence")
    assert found.verdict is Verdict.DESCRIBED, "nobody declared it"
    assert found.attribution is Attribution.CANNOT_TELL
    assert found.headline == "Total of 100 points: 12.2 higher (5.1 to 19.2), self-assessed"
    assert "was 49.9 of 100 points in July 2024 and is now 62.0 in July 2025" in found.reading


@pytest.mark.parametrize(
    ("plan", "verdict"),
    [
        (DECLARED, Verdict.ROSE),
        (Plan(primary={"team": "sustainability/process"}), Verdict.ROSE),
        (Plan(primary={"team": "sustainability/staff"}), Verdict.DESCRIBED),  # nobody's staff moved, so no test
        (Plan(primary={"team": "icfat/leadership"}), Verdict.DESCRIBED),
        (Plan(primary={"team": "sustainability"}, lag_months={"sustainability": 24}), Verdict.TOO_EARLY),
    ],
)
def test_what_was_declared_decides_and_self_assessed_totals_rise_or_fall(plan: Plan, verdict: Verdict):
    found = asked(*risen(), plan=plan)
    assert found.verdict is verdict
    assert (found.verdict is Verdict.DESCRIBED) == math.isnan(found.decided.low)


def test_what_fell_is_said_to_have_fallen():
    turned = [[{**one, "wave": 3 - one["wave"], "answered_on": None} for one in held] for held in risen()]
    assert asked(*turned, plan=DECLARED).verdict is Verdict.FELL


def test_under_five_teams_nothing_is_tested():
    found = asked(*risen(4), plan=DECLARED)
    assert found.verdict is Verdict.DESCRIBED
    assert "Fewer than 5 teams" in found.decided.why
    assert found.headline == "Total of 100 points: was 49.9, is now 58.4, self-assessed"
    assert "not tested" in found.reading


def test_teams_that_all_moved_alike_have_no_interval():
    """Sums of decimals differ in their last digit: that is no spread."""
    before = [dict(zip(("fit", "benefits", "credibility"), text, strict=True)) for text in ("abc", "cda", "bdd", "daa",
              "acb", "ddc")]  # fmt: skip
    rows = [sitting(f"T{k}", f"x{k}", 1, letters) for k, letters in enumerate(before, 1)]
    rows += [sitting(f"T{k}", f"x{k}", 2, {**letters, "behaviours": "a"}) for k, letters in enumerate(before, 1)]
    scores = totals(programme(*rows), "sustainability", rater="team_member", subject=None, confidence=0.95).sums
    ends = scores.pivot_table(index="subject_id", columns="wave", values="score")
    assert (ends[2] - ends[1]).nunique() > 1, "the example would show nothing"
    found = asked(*rows, plan=DECLARED)
    assert found.verdict is Verdict.DESCRIBED
    assert not (found.table["what"] == "change").any()


def test_the_chart_shows_points_had_in_percent_of_the_most():
    found = asked(sitting("T1", "a", 1, "b"))
    drawn = found.marks[found.marks["mark"] == "point"].set_index("x")
    held = {str(name).replace("\N{NO-BREAK SPACE}", " "): y for name, y in drawn["y"].items()}
    assert list(held)[:3] == ["Total (of 100)", "Process, all (of 31.1)", "Benefits beyond helping patients (of 8.5)"]
    assert held["Total (of 100)"] == pytest.approx(ALL_B)
    assert held["Benefits beyond helping patients (of 8.5)"] == pytest.approx(100 * 4.7 / 8.5)
    assert held["Organisation, all (of 16.5)"] == pytest.approx(100 * 7.9 / 16.5)
    assert len(held) == 14


@pytest.mark.parametrize("missing", ["-", "?"])
def test_a_sitting_with_a_factor_left_out_has_no_total_and_is_counted(missing: str):
    found = asked(sitting("T1", "a", 1, "b"), sitting("T1", "b", 1, {"fit": missing}))
    held = row(found, "answered", "Sittings without a total", 1)
    assert (held["n"], held["out_of"]) == (1, 2)
    assert row(found, "mean", TOTAL, 1)["n"] == 1
    assert row(found, "mean", "Process", 1)["n"] == 2, "its other subtotals are whole"
    assert row(found, "mean", "Organisation", 1)["n"] == 1
    assert row(found, "to be had", "Fit with the organisation's strategic aims and culture", 1)["n"] == 1
    assert "1 of 2 sittings in July 2024 has no total" in said(found, "has no total")


def test_who_answered_is_counted_at_every_wave_that_had_opened():
    found = asked(sitting("T1", "a", 1, "b"), sitting("T1", "b", 1, "b"), sitting("T2", "c", 1, "b"))
    assert (row(found, "answered", "Scored by anybody", 1)["n"], row(found, "answered", "Scored by anybody", 2)["n"]) \
        == (2, 0)  # fmt: skip
    assert row(found, "answered", "Scored by anybody", 1)["out_of"] == 8, "the team to compare with is no part"
    assert row(found, "answered", "People who answered", 1)["n"] == 3
    assert said(found, "No answer stands for") == "No answer stands for July 2025: not asked, or asked in vain."


def test_diversity_of_opinion_is_pooled_over_teams():
    """T1: totals 49.9 and 58.7 (s² = 38.72, 1 free); T2: 39.7 twice and 49.9 (s² = 34.68, 2 free); T3 one person."""
    found = asked(
        sitting("T1", "a", 1, "b"), sitting("T1", "b", 1, {"senior_leadership": "a"}),
        sitting("T2", "c", 1, "c"), sitting("T2", "d", 1, "c"), sitting("T2", "e", 1, "b"), sitting("T3", "f", 1, "d"),
    )  # fmt: skip
    held = row(found, "spread", SPREAD, 1)
    assert held["estimate"] == pytest.approx(math.sqrt((38.72 + 2 * 34.68) / 3))
    assert (held["n"], held["teams"]) == (5, 2)
    assert "formula" in said(found, "Diversity of opinion is here")


def _divided(letters: list[tuple[str, str]], wave: int) -> list[list[Sitting]]:
    """Teams of two who differ on the two leadership factors alone: first and second person's letter, by team."""
    return [
        sitting(f"T{k}", f"{who}{k}", wave, {"senior_leadership": letter, "clinical_leadership": letter})
        for k, pair in enumerate(letters, 1)
        for who, letter in zip("xy", pair, strict=True)
    ]


def test_the_change_of_diversity_is_the_jackknife_over_teams():
    """R 4.2.2:
    > w <- c(a = 30, b = 12.9, c = 11.2, d = 0)  # both leadership factors
    > s2 <- function(p) sapply(p, function(q) (w[substr(q, 1, 1)] - w[substr(q, 2, 2)])^2 / 2)
    > b <- s2(c("ad", "ab", "bd", "ac", "aa", "cd")); a <- s2(c("ab", "aa", "bb", "bd", "bc", "dd"))
    > th <- function(i) sqrt(mean(a[i])) - sqrt(mean(b[i])); k <- 6; j <- sapply(1:k, function(i) th(-i))
    > e <- th(1:k); se <- sqrt((k - 1) / k * sum((j - mean(j))^2))
    > print(c(e, e - qt(.975, 5) * se, e + qt(.975, 5) * se), digits = 10)
    [1] -6.172152976 -8.918172362 -3.426133589
    """
    before = [("a", "d"), ("a", "b"), ("b", "d"), ("a", "c"), ("a", "a"), ("c", "d")]
    after = [("a", "b"), ("a", "a"), ("b", "b"), ("b", "d"), ("b", "c"), ("d", "d")]
    found = asked(*_divided(before, 1), *_divided(after, 2))
    held = row(found, "spread change", SPREAD)
    limits = [held["estimate"], held["low"], held["high"]]
    assert limits == pytest.approx([-6.172152976, -8.918172362, -3.426133589], rel=1e-8)
    assert (held["teams"], held["n"]) == (6, 12)
    first, last = (row(found, "spread", SPREAD, wave)["estimate"] for wave in (1, 2))
    assert last - first == pytest.approx(held["estimate"])


def test_no_change_of_diversity_without_five_teams_of_two():
    pairs = [("a", "d"), ("a", "b"), ("b", "d"), ("a", "c")]
    few = asked(*_divided(pairs, 1), *_divided(pairs[::-1], 2))
    assert not (few.table["what"] == "spread change").any()
    alone = asked(*(sitting(f"T{k}", f"x{k}", wave, "b") for k in range(1, 7) for wave in (1, 2)))
    assert not alone.table["what"].isin(["spread", "spread change"]).any()
    same = asked(*_divided([("a", "b")] * 6, 1), *_divided([("a", "d")] * 6, 2))
    assert (same.table["what"] == "spread").sum() == 2
    assert not (same.table["what"] == "spread change").any(), "no team differs from another: no interval"


@given(
    st.lists(
        st.tuples(st.integers(2, 9), st.floats(0, 400, allow_subnormal=False)),
        min_size=1,
        max_size=12,
    )
)
def test_the_pooled_standard_deviation_lies_among_those_it_pools(teams: list[tuple[int, float]]):
    frame = pd.DataFrame(teams, columns=["n", "var"])
    deviations = np.sqrt(frame["var"])
    assert deviations.min() - 1e-9 <= pooled(frame) <= deviations.max() + 1e-9
    assert pooled(pd.concat([frame, frame])) == pytest.approx(pooled(frame))
    assert pooled(frame.assign(var=4 * frame["var"])) == pytest.approx(2 * pooled(frame))


@given(st.lists(st.lists(st.sampled_from("abcd"), min_size=10, max_size=10), min_size=1, max_size=6))
@settings(max_examples=12)  # each asks a whole question
def test_points_had_and_still_to_be_had_are_all_there_are(letters: list[list[str]]):
    """For anybody's letters the total and what is still to be had sum to 100, and the domains to the total."""
    people = [sitting("T1", f"p{at}", 1, dict(zip(ITEMS, row, strict=True))) for at, row in enumerate(letters)]
    table = asked(*people).table
    means = table[table["what"] == "mean"].set_index("measure")["estimate"]
    left = table.loc[table["what"] == "to be had", "estimate"].sum()
    assert means[TOTAL] + left == pytest.approx(100)
    assert means.drop(TOTAL).sum() == pytest.approx(means[TOTAL])
    assert 0 <= means[TOTAL] <= 100


def test_what_is_from_memory_is_said_and_no_band_decides():
    found = asked(*risen())
    assert said(found, "from memory and were not checked").startswith("The points of 18 of 30 letters")
    band = said(found, "lies in the band")
    assert "'reason for optimism'" in band
    assert "unverified" in band
    assert "45 instead of 35" in band
    assert "No verdict is taken from a band" in band
    assert found.verdict is Verdict.DESCRIBED


@pytest.mark.parametrize("kind", ["place", "organisation"])
def test_a_total_for_a_whole_place_or_organisation_is_warned_of(kind: str):
    about = sitting("P1" if kind == "place" else "O1", "a", 1, "b", subject_kind=kind)
    others = {"organisations": pd.DataFrame({"organisation_id": ["O1", "O2"], "name": ["One", "Two"]})}
    found = ek.team.sustainability(programme(about, **others))
    assert found.caveats[0].startswith("The model was made for one improvement project, not for a whole " + kind)
    assert f"subject={kind!r}" in found.about.asked
    held = row(found, "answered", "Scored by anybody", 1)
    assert (held["n"], held["out_of"], held["n_of"]) == (1, 1 if kind == "place" else 2, f"{kind}s")
    mixed = ek.team.sustainability(programme(about, sitting("T1", "b", 1, "c"), **others))
    assert "subject='team'" in mixed.about.asked
    assert not any("was made for one improvement project" in caution for caution in mixed.caveats)
    assert said(mixed, "left out").startswith("1 sitting left out")


def test_comparison_places_other_raters_and_answers_at_no_wave_are_left_out_and_counted():
    kept = sitting("T1", "a", 1, "b")
    found = asked(
        kept, sitting("X1", "b", 1, "a"), sitting("T1", "c", 1, "a", rater="partner"), sitting("T1", "d", None, "a"),
        sitting("T1", "e", 1, "a", timing="then"), sitting("P2", "f", 1, "a", subject_kind="place"),
    )  # fmt: skip
    assert row(found, "mean", TOTAL, 1)["estimate"] == pytest.approx(ALL_B)
    assert row(found, "answered", "People who answered", 1)["n"] == 1
    assert said(found, "left out:").startswith("5 sittings left out")
    pd.testing.assert_frame_equal(found.table, asked(kept).table)


def test_answers_after_the_day_asked_about_are_not_known():
    whole = programme(*risen())
    whole.as_of = date(2024, 12, 31)
    found = ek.team.sustainability(whole)
    assert found.table["wave"].dropna().unique().tolist() == [1]


def test_people_scored_twice_at_one_wave_count_once():
    twice = sitting("T1", "a", 1, "a", timing="pre")
    found = asked(twice, sitting("T1", "a", 1, "c"), sitting("T1", "b", 1, "b"))
    assert row(found, "mean", TOTAL, 1)["estimate"] == pytest.approx(((100 + ALL_C) / 2 + ALL_B) / 2)
    assert row(found, "mean", TOTAL, 1)["n"] == 2


def test_what_cannot_be_asked_is_refused_with_what_can():
    with pytest.raises(ek.NotEnoughEvidence, match="a factor was left out or not scored, so none has a total"):
        asked(sitting("T1", "a", 1, {"fit": "?"}))
    with pytest.raises(ek.NotEnoughEvidence, match="rater='partner', subject='team'"):
        asked(sitting("T1", "a", 1, "b", rater="partner"))
    with pytest.raises(ek.NotEnoughEvidence, match=r"scored no place.*subject='team'"):
        asked(sitting("T1", "a", 1, "b"), subject="place")
    with pytest.raises(ek.NotEnoughEvidence, match="given at a wave"):
        asked(sitting("T1", "a", None, "b"))
    with pytest.raises(ek.NotEnoughEvidence, match="no letters whose points sum"):
        asked(sitting("T1", "a", 1, "b"), on="icfat")
    with pytest.raises(ValueError, match="subject='person' is none of organisation, place and team"):
        asked(sitting("T1", "a", 1, "b"), subject="person")
    with pytest.raises(ValueError, match="No instrument is called 'lasting'"):
        asked(sitting("T1", "a", 1, "b"), on="lasting")


def test_few_people_are_withheld_from_everybody_but_the_evaluator():
    found = protect(asked(sitting("T1", "a", 1, "b"), sitting("T2", "b", 1, "c")), Audience.COMMISSIONER)
    people = found.table[found.table["n_of"] == "respondents"]
    assert people.loc[people["measure"] == TOTAL, "estimate"].isna().all()
    assert not (found.marks["mark"] == "point").any()
    assert "44.8" not in " ".join([found.headline, found.reading, found.alt, *found.caveats])


def test_northmere_holds_what_was_planted():
    """Planted: 44.94 at the first and 50.94 at the last wave, of the population of members; eight teams were asked."""
    northmere = ek.load(folder("sample_data") / "northmere")
    found = ek.team.sustainability(northmere)
    assert northmere.truth is not None
    planted = northmere.truth["expected"]["sustainability"]["mean_by_wave"]["overall"]
    change = row(found, "change", TOTAL)
    assert change["low"] < planted[1] - planted[0] < change["high"]
    assert found.verdict is Verdict.DESCRIBED
    asked_again = totals(northmere, "sustainability", rater="team_member", subject=None, confidence=0.95)
    scores = asked_again.scores.query("domain == 'overall' and wave == 1").dropna(subset=["score"])
    by_hand = scores.groupby("subject_id")["score"].mean().mean()
    assert row(found, "mean", TOTAL, 1)["estimate"] == pytest.approx(by_hand)
