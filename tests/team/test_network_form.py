"""team.network_form: rounds by days, coders who differ count in part, and no form is better than another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.terms import Attribution, Audience, Design, Verdict

FEATURES = ("normative_basis", "means_of_communication", "conflict_resolution", "commitment", "climate", "actions")
PLACES = tuple(f"P{at}" for at in range(1, 7))
LETTERS = {"m": "market", "h": "hierarchy", "n": "network"}
FIRST, LAST = "2024-05-01", "2025-11-01"
SHARE = "Features in network form"
ALPHA, AGREED = "Krippendorff's alpha of coders", "Findings on which coders agree"

Look = tuple[str, str, str, str, str]


def looked(place: str, forms: str, day: str = FIRST, coder: str = "C1") -> list[Look]:
    """One coder's look at a place: the forms of its features as letters, in the menu's order; "-" not looked at."""
    pairs = zip(FEATURES, forms, strict=False)
    return [(place, feature, LETTERS[letter], coder, day) for feature, letter in pairs if letter != "-"]


def programme(*looks: list[Look]) -> Programme:
    places = pd.DataFrame({"place_id": [*PLACES, "X1"], "name": [*PLACES, "X1"]})
    places["arm"] = ["programme"] * 6 + ["comparison"]
    rows = [row for held in looks for row in held]
    observations = pd.DataFrame(rows, columns=["place_id", "feature", "form", "coder", "observed_on"])
    observations["observed_on"] = pd.to_datetime(observations["observed_on"])
    settings = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2026, 3, 31), fictional=True)
    return Programme.build(settings=settings, tables={"places": places, "observations": observations})


def asked(*looks: list[Look], **settings: Any) -> Result:
    return ek.team.network_form(programme(*looks), **{"resamples": 50, **settings})


def rows(found: Result, what: str, **where: Any) -> list[dict[Any, Any]]:
    table = found.table[found.table["what"] == what]
    for column, value in where.items():
        table = table[table[column] == value]
    return table.to_dict("records")


def forms(found: Result, feature: str, number: int = 1) -> Mapping[str, int]:
    """How many places are in each form, those of none left out."""
    held = rows(found, "form", measure=feature, round=number)
    return {row["group"]: row["n"] for row in held if row["n"]}


def caution(found: Result, words: str) -> str:
    (held,) = [caution for caution in found.caveats if words in caution]
    return held


def test_shares_are_of_features_in_a_place_and_then_of_places():
    """P1: 1 of 2 features; P2: 1 of 6. The mean of places is 1/3, of findings 2/8."""
    found = asked(looked("P1", "nh"), looked("P2", "nhhhmm"))
    (share,) = rows(found, "share")
    assert share["estimate"] == pytest.approx(100 * (1 / 2 + 1 / 6) / 2)
    assert (share["n"], share["round"], share["coders"]) == (2, 1, 1)
    assert forms(found, "Normative basis") == {"network": 2}
    assert forms(found, "Tone or climate") == {"market": 1}
    (climate, *_) = rows(found, "form", measure="Tone or climate", group="market")
    assert (climate["estimate"], climate["out_of"]) == (100, 1)
    assert found.headline == "Features in network form: 33% (1 May 2024)"
    assert found.method.design is Design.DESCRIBED
    assert (found.about.n, found.about.of) == (2, 6)
    (hierarchy,) = rows(asked(looked("P1", "nh"), looked("P2", "nhhhmm"), form="hierarchy"), "share")
    assert hierarchy["estimate"] == pytest.approx(50)


def test_where_coders_differ_each_reading_counts_as_its_part():
    """P1: agreed network, network and hierarchy, hierarchy of one coder alone: (1 + 1/2 + 0)/3."""
    found = asked(looked("P1", "nnh", coder="C1"), looked("P1", "nh", coder="C2"))
    (share,) = rows(found, "share")
    assert share["estimate"] == pytest.approx(50)
    assert forms(found, "Normative basis") == {"network": 1}
    assert forms(found, "Means of communication") == {"coders differ": 1}
    assert forms(found, "Conflict resolution") == {"hierarchy": 1}
    (agreed,) = rows(found, "agreement", measure=AGREED)
    assert (agreed["n"], agreed["out_of"], agreed["estimate"]) == (1, 2, 50)
    assert "1 of 3 findings rests on one coder alone." in found.caveats
    assert caution(found, "each one's reading counts")


CODED = ("nhhmnn", "hhhmmn", "nnnhhh", "mmhhnn"), ("nhhmnh", "hhhmmm", "nnnhhn", "mmhhnn")


def test_alpha_is_krippendorffs_nominal_one():
    """R 4.2.2, base R, from the definition: 1 - (n - 1) Σ o_ck / Σ n_c n_k over c ≠ k, 24 units of two coders.

    > a <- strsplit("nhhmnnhhhmmnnnnhhhmmhhnn", "")[[1]]; b <- strsplit("nhhmnhhhhmmmnnnhhnmmhhnn", "")[[1]]
    > o <- table(factor(c(a, b)), factor(c(b, a))); n <- rowSums(o); N <- sum(n)
    > print(1 - (N - 1) * (N - sum(diag(o))) / (N^2 - sum(n^2)), digits = 10)
    [1] 0.8112449799
    """
    looks = [looked(f"P{place}", text, coder=coder) for coder, texts in zip(("C1", "C2"), CODED, strict=True)
             for place, text in enumerate(texts, 1)]  # fmt: skip
    found = asked(*looks, resamples=500, seed=3)
    (alpha,) = rows(found, "agreement", measure=ALPHA)
    assert alpha["estimate"] == pytest.approx(0.8112449799, abs=1e-9)
    assert (alpha["n"], alpha["coders"], alpha["interval"]) == (24, 2, "95% bootstrap")
    assert alpha["low"] < alpha["estimate"] < alpha["high"]
    assert asked(*looks, resamples=500, seed=3).table.equals(found.table), "a seed gives it again"
    assert not [said for said in found.caveats if "0.667" in said]
    assert "Coders agree on 21 of 24 findings" in found.reading


def test_the_form_asked_about_stands_at_the_right_end_and_those_who_differ_before_it():
    looks = looked("P1", "nhmnhm"), looked("P1", "nhmhhm", coder="C2")
    drawn = asked(*looks).marks
    assert list(dict.fromkeys(drawn["series"].dropna())) == ["Market", "Hierarchy", "Coders differ", "Network"]
    assert next(iter(drawn["x"].dropna())).split(", ")[0] == "Normative basis"
    assert drawn.groupby("x")["y"].sum().eq(100).all()
    other = asked(*looks, form="market").marks
    assert list(dict.fromkeys(other["series"].dropna())) == ["Hierarchy", "Network", "Coders differ", "Market"]


def test_little_agreement_is_cautioned_and_one_coder_is_not_agreement():
    found = asked(looked("P1", "nhmnhm"), looked("P1", "hnmnmh", coder="C2"))
    assert "Alpha lies below 0.667" in caution(found, "0.667")
    one = asked(looked("P1", "nhmnhm"), looked("P2", "nhmnhm", coder="C2"))
    assert rows(one, "agreement") == []
    assert "how far coders agree is not known" in one.reading


def test_coders_who_saw_one_form_alone_have_no_alpha():
    found = asked(looked("P1", "nn"), looked("P1", "nn", coder="C2"))
    (alpha,) = rows(found, "agreement", measure=ALPHA)
    assert math.isnan(alpha["estimate"])
    assert alpha["interval"] == "none given"
    assert "agreement beyond chance is not known" in found.reading
    assert Result.from_json(found.to_json()).table.equals(found.table)


def test_no_resamples_no_interval():
    found = asked(looked("P1", "nhmnhm"), looked("P1", "nhmnhh", coder="C2"), resamples=0)
    (alpha,) = rows(found, "agreement", measure=ALPHA)
    assert alpha["interval"] == "none given"
    assert "without an interval" in found.reading


def rising(places: int = 6) -> list[list[Look]]:
    """Place k goes from one feature of six in network form to k of six."""
    looks = []
    for k, place in enumerate(PLACES[:places], 1):
        looks += [looked(place, "nhhhhh"), looked(place, ("n" * k).ljust(6, "h"), LAST)]
    return looks


def test_the_change_is_the_paired_t_of_places_and_decides_nothing():
    """R 4.2.2: print(t.test(100 * (0:5) / 6)$conf.int, digits = 10) gives 8.94476155 74.38857178."""
    found = asked(*rising())
    (change,) = rows(found, "change")
    limits = [change["estimate"], change["low"], change["high"]]
    assert limits == pytest.approx([250 / 6, 8.94476155, 74.38857178], rel=1e-8)
    assert (change["n"], change["unit"], change["interval"]) == (6, "percentage points", "95% confidence")
    assert change["low"] > 0
    assert found.verdict is Verdict.DESCRIBED, "a network is no better than a hierarchy"
    assert found.attribution is Attribution.CANNOT_TELL
    assert found.method.design is Design.BEFORE_AFTER
    assert "does not make it better" in found.caveats[0]
    everything = " ".join([found.headline, found.reading, found.alt, found.decided.why])
    for never in ("improved", "worse", "rose", "fell"):
        assert never not in everything


def test_nothing_is_tested_with_few_places_or_where_all_moved_alike():
    few = asked(*rising(4))
    assert rows(few, "change") == []
    assert len(rows(few, "share")) == 2
    assert "no interval is given" in few.reading
    alike = [look for place in PLACES for look in (looked(place, "nhhhhh"), looked(place, "nnhhhh", LAST))]
    assert rows(asked(*alike), "change") == []


@pytest.mark.parametrize(
    ("days", "round_days", "rounds"),
    [
        (("2024-05-01", "2024-07-31"), 92, [("2024-05-01", "2024-07-31")]),
        (("2024-05-01", "2024-08-01"), 92, [("2024-05-01",) * 2, ("2024-08-01",) * 2]),
        (("2024-05-01", "2024-06-20", "2024-08-10", "2024-09-20"), 92,
         [("2024-05-01", "2024-06-20"), ("2024-08-10", "2024-09-20")]),  # a chain of looks is not one long round
        (("2024-05-01", "2024-05-02"), 1, [("2024-05-01",) * 2, ("2024-05-02",) * 2]),
    ],
)  # fmt: skip
def test_a_round_holds_the_looks_of_so_many_days_from_its_first(days, round_days, rounds):
    found = asked(*(looked(place, "nh", day) for place, day in zip(PLACES, days, strict=False)), round_days=round_days)
    held = [(f"{row['from_day']:%Y-%m-%d}", f"{row['to_day']:%Y-%m-%d}") for row in rows(found, "share")]
    assert held == rounds
    assert len({mark.x for mark in found.marks.dropna(subset="series").itertuples()}) == 2 * min(len(rounds), 2)
    assert any("several days" in said for said in found.caveats) == any(first != last for first, last in rounds)


def test_a_coder_who_looks_again_in_a_round_counts_with_the_latest():
    found = asked(looked("P1", "h", "2024-05-01"), looked("P1", "n", "2024-06-01"))
    (share,) = rows(found, "share")
    assert share["estimate"] == 100
    assert caution(found, "looked again").startswith("1 look left out")
    assert rows(found, "agreement") == [], "one coder twice is no second coder"


def test_a_round_between_is_shown_and_the_ends_are_compared():
    found = asked(*rising(), *(looked(place, "mmmmmm", "2025-02-01") for place in PLACES))
    assert [row["estimate"] for row in rows(found, "share")] == pytest.approx([100 / 6, 0, 100 * 21 / 36])
    assert {row["round"] for row in rows(found, "form")} == {1, 3}
    assert rows(found, "change")[0]["estimate"] == pytest.approx(250 / 6)


def test_other_places_features_and_coders_in_the_other_round_are_said():
    found = asked(*rising(), looked("P1", "--n---", coder="C2"), looked("X1", "nnnnnn"))
    assert "Other coders looked in the last round" in caution(found, "Other coders")
    assert caution(found, "compare with left out").startswith("6 looks")
    uneven = asked(looked("P1", "nh"), looked("P1", "n", LAST), looked("P2", "n", LAST))
    assert caution(uneven, "in one of the two rounds alone").startswith("2 features of a place")


def test_comparison_places_and_later_days_do_not_count():
    kept = [looked("P1", "nh"), looked("P2", "hh")]
    found = asked(*kept, looked("X1", "nnnnnn"))
    pd.testing.assert_frame_equal(found.table, asked(*kept).table)
    early = programme(*kept, looked("P1", "nn", LAST))
    early.as_of = date(2025, 1, 1)
    pd.testing.assert_frame_equal(ek.team.network_form(early).table, asked(*kept).table)


def test_lessons_seen_in_place_are_no_network():
    lesson = [("P1", "theory_blended", "in_place", "C1", FIRST)]
    found = asked(looked("P1", "nh"), lesson)
    assert not found.table["measure"].str.contains("Theory").any()
    with pytest.raises(ek.NotEnoughEvidence, match="not recorded does not say that there was none"):
        asked(lesson)
    with pytest.raises(ek.NotEnoughEvidence, match="In no place of the programme"):
        asked(looked("X1", "nn"))


def test_words_that_are_not_on_the_menu_are_refused_by_name():
    with pytest.raises(ek.errors.DataProblems, match="climat"):
        programme([("P1", "climat", "network", "C1", FIRST)])
    with pytest.raises(ek.errors.DataProblems, match="clan"):
        programme([("P1", "climate", "clan", "C1", FIRST)])
    with pytest.raises(ValueError, match=r"form='clan' is none .*market or hierarchy or network"):
        asked(looked("P1", "n"), form="clan")
    with pytest.raises(ValueError, match="round_days=0 must be 1 or more"):
        asked(looked("P1", "n"), round_days=0)


@given(st.lists(st.tuples(st.sampled_from("mhn"), st.sampled_from("mhn-")), min_size=6, max_size=6))
@settings(max_examples=12)  # each asks a whole question
def test_every_finding_is_in_one_state_and_shares_of_the_forms_sum_to_all(pairs: list[tuple[str, str]]):
    firsts, seconds = ("".join(letters) for letters in zip(*pairs, strict=True))
    looks = [looked("P1", firsts), looked("P1", seconds, coder="C2")]
    found = asked(*looks, resamples=0)
    assert sum(row["n"] for row in rows(found, "form")) == 6
    shares = [rows(asked(*looks, form=form, resamples=0), "share")[0]["estimate"] for form in LETTERS.values()]
    assert sum(shares) == pytest.approx(100)
    assert sum(row["n"] for row in rows(found, "form", group="coders differ")) == sum(
        two not in (first, "-") for first, two in pairs
    )


def test_places_come_under_no_minimum_and_stay_for_every_audience():
    found = asked(*rising())
    public = protect(found, Audience.PUBLIC)
    pd.testing.assert_frame_equal(public.table, found.table)
    assert public.headline == found.headline


def test_northmere_holds_what_was_planted():
    """Two looks at every place, slips of the observers included in what is expected."""
    northmere = ek.load(folder("sample_data") / "northmere")
    found = ek.team.network_form(northmere)
    assert northmere.truth is not None
    planted = northmere.truth["expected"]["observations"]
    first, last = planted["share_written_down_as_network_by_look"]
    (change,) = rows(found, "change")
    assert change["low"] < 100 * (last - first) < change["high"]
    (agreed,) = rows(found, "agreement", measure=AGREED)
    assert abs(agreed["estimate"] / 100 - planted["share_of_features_two_observers_agree_on"]) < 0.2
    assert found.verdict is Verdict.DESCRIBED
    assert [f"{row['from_day']:%Y-%m-%d}" for row in rows(found, "share")] == ["2024-04-21", "2026-02-19"]
