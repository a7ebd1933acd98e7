"""team.network_change: the same people at two waves, described and never tested as better."""

from __future__ import annotations

from datetime import date
from importlib import import_module

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.errors import NotEnoughEvidence, Refused
from evalkit.resources import folder
from evalkit.team import ties
from evalkit.terms import Audience, Verdict
from tests.team.networks import everybody, pairs, programme, row, seen

module = import_module("evalkit.team.network_change")  # the room's own name is the question's

EIGHT = {"A": 4, "B": 2, "C": 2}
FIRST = pairs("A1 A2", "A2 A3", "A3 B1", "B1 A4", "B1 C1", "C1 A1", "A4 B2", "B2 C2", "A2 C1", "A1 B1", "B1 A1")
LAST = [tie for tie in FIRST if tie not in pairs("A1 A2", "A3 B1")] + pairs("C2 A1", "A3 A4")
# R version 4.2.2 Patched, sna 2.7.1, people in the order A1-A4, B1, B2, C1, C2, m and m2 their ties:
#   > gcor(m, m2); hdist(m, m2)                            0.7737374 4
#   > grecip(m, measure = "edgewise"); gden(m)             0.1818182 0.1964286
# By hand: 2 of 16 pairs within and 9 of 40 between at either wave; E-I (9 - 2)/11; 9 ties kept, 2 begun, 2 ended.


def asked(last: list[tuple[str, str]] = LAST, **said):
    return ek.team.network_change(programme(EIGHT, {1: FIRST, 2: last}), **{"permutations": 200, **said})


def test_two_waves_are_those_of_sna_and_of_a_count_by_hand() -> None:
    found = asked()
    for wave in (1, 2):
        assert row(found, "Density", "all", wave)["estimate"] == pytest.approx(19.64286)
        assert row(found, "Density", ties.WITHIN, wave)["estimate"] == pytest.approx(100 * 2 / 16)
        assert row(found, "Density", ties.BETWEEN, wave)["estimate"] == pytest.approx(100 * 9 / 40)
        assert row(found, "E-I", "all", wave)["estimate"] == pytest.approx(7 / 11)
    assert row(found, "Returned", "all", 1)["estimate"] == pytest.approx(18.18182)
    assert row(found, module.COMPARED)["estimate"] == pytest.approx(100 * 9 / 13)
    counts = [row(found, module.COMPARED, group)["estimate"] for group in (module.KEPT, module.BEGUN, module.ENDED)]
    assert counts == [9, 2, 2]
    alike = row(found, module.ALIKE)
    assert alike["estimate"] == pytest.approx(0.7737374, abs=1e-6)
    assert 0 < alike["p"] <= 1
    assert alike["interval"] == "range expected by chance"


def test_it_is_described_and_says_that_it_is_not_tested() -> None:
    found = asked()
    assert found.verdict is Verdict.DESCRIBED
    assert found.caveats[0] == "Whether the network got better is not tested: its ties depend on each other."
    said = " ".join([found.headline, found.reading, found.alt])
    for never in ("improved", "worsened", "rose", "fell", "significant", "better"):
        assert never not in said
    assert ties.NAMED in found.method.assumes
    assert found.about.asked.startswith("team.network_change(relation='trust', between=(1, 2), directed=True")


def test_only_those_who_answered_at_both_waves_are_compared() -> None:
    """D1 answered once and named everybody: nothing but the rosters is other than without D1."""
    more = [("D1", f"A{at}") for at in range(1, 5)] + [("A1", "D1"), ("B1", "D1")]
    sizes = {**EIGHT, "D": 1}
    with_them = ek.team.network_change(
        programme(sizes, {1: [*FIRST, *more], 2: [*LAST, ("A1", "D1")]}, silent={2: ["D1"]}), permutations=50
    )
    without = asked(permutations=50)
    own, other = (each.table[each.table["measure"] != module.ROSTER] for each in (with_them, without))
    pd.testing.assert_frame_equal(own.reset_index(drop=True), other.reset_index(drop=True))
    assert (with_them.about.n, with_them.about.of) == (8, 9)


def test_who_stayed_left_and_joined_is_counted() -> None:
    people = [f"{name}{at}" for name, size in EIGHT.items() for at in range(1, size + 1)]
    rosters = {1: [*people, "D1", "D2"], 2: [*people, "D3"]}
    found = ek.team.network_change(programme({**EIGHT, "D": 3}, {1: FIRST, 2: LAST}, rosters=rosters), permutations=50)
    held = found.table[found.table["measure"] == module.ROSTER].set_index("group")["n"]
    assert held.to_dict() == {"both times": 8, "the first time only": 2, "the second time only": 1}
    shown = protect(found, Audience.PUBLIC)
    assert "the first time only and" not in shown.reading


def test_without_direction_a_pair_counts_once() -> None:
    found = asked(directed=False)
    assert row(found, "Density", "all", 1)["estimate"] == pytest.approx(100 * 10 / 28)
    assert row(found, module.COMPARED)["estimate"] == pytest.approx(100 * 8 / 12)
    assert not found.table["measure"].str.startswith("Returned").any()
    assert "either of the two names the other" in found.method.assumes


def test_the_same_network_twice_is_wholly_kept() -> None:
    found = asked(last=FIRST)
    assert row(found, module.COMPARED)["estimate"] == 100
    assert row(found, module.ALIKE)["estimate"] == pytest.approx(1)


def test_a_wave_in_which_those_people_named_none_of_each_other_is_none_and_not_missing() -> None:
    """D1, who answers at the second wave alone, is the only one named there."""
    sizes = {**EIGHT, "D": 1}
    found = ek.team.network_change(programme(sizes, {1: FIRST, 2: pairs("A1 D1")}, silent={1: ["D1"]}), permutations=50)
    assert row(found, "Density", "all", 2)["estimate"] == 0
    assert row(found, module.COMPARED)["estimate"] == 0
    assert not (found.table["measure"] == module.ALIKE).any()
    assert not ((found.table["measure"].str.startswith("E-I")) & (found.table["wave"] == 2)).any()
    assert "Of every 100 ties" not in found.reading


def test_a_move_to_another_organisation_is_said() -> None:
    posts = pd.DataFrame({"person_id": ["B1"] * 2, "organisation_id": ["B", "A"], "role": "director",
                          "start": pd.to_datetime([None, "2025-01-01"]),
                          "end": pd.to_datetime(["2024-12-31", None])})  # fmt: skip
    found = ek.team.network_change(programme(EIGHT, {1: FIRST, 2: FIRST}, posts=posts), permutations=50)
    assert any("fewer than 5 people worked for another organisation" in caveat for caveat in found.caveats)
    assert row(found, "E-I", "all", 1)["estimate"] != row(found, "E-I", "all", 2)["estimate"]


@pytest.mark.parametrize(
    ("made", "between", "says"),
    [
        (lambda: programme(EIGHT, {1: FIRST}), None, "Only wave 1 can be read"),
        (lambda: programme(EIGHT, {1: FIRST, 2: LAST}), (1, 3), "Wave 3 cannot be read"),
        (lambda: programme(EIGHT, {1: FIRST, 2: LAST}, as_of=date(2025, 1, 1)), None, "Only wave 1 can be read"),
        (lambda: programme(EIGHT, {1: pairs("A1 B1"), 2: pairs("A2 B2")}, rosters={1: ["A1", "B1"], 2: ["A2", "B2"]}),
         None, "Fewer than 3 people of two organisations answered both"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused_by_name(made, between, says) -> None:
    with pytest.raises(NotEnoughEvidence, match=says) as refused:
        ek.team.network_change(made(), between=between)
    assert refused.value.would_answer


def test_waves_in_the_wrong_order_and_unknown_relations_are_errors() -> None:
    with pytest.raises(ValueError, match="must give the earlier wave first"):
        asked(between=(2, 1))
    with pytest.raises(ValueError, match="There are: contact, help and trust"):
        asked(relation="respect")


def test_conflict_stays_with_the_evaluator() -> None:
    sizes = {"A": 8, "B": 8}
    made = programme(sizes, {1: everybody(sizes), 2: everybody(sizes, 4)}, relation="conflict")
    with pytest.raises(Refused):
        protect(ek.team.network_change(made, relation="conflict", permutations=20), Audience.TEAM)


@pytest.mark.parametrize("sizes", [{"A": 20, "B": 1}, {"A": 20, "B": 4}, {"A": 2, **dict.fromkeys("BCDEFGHIJK", 1)}])
def test_what_one_or_a_few_said_is_told_to_nobody_else(sizes) -> None:
    said, few = everybody(sizes), "A" if sizes["A"] == 2 else "B"
    other = [tie for tie in said if not tie[0].startswith(few)]
    versions = [ek.team.network_change(programme(sizes, {1: said, 2: each}), permutations=20) for each in (said, other)]
    for audience in (Audience.TEAM, Audience.PUBLIC):
        assert seen(versions[0], audience) == seen(versions[1], audience)
    assert protect(versions[0], Audience.PUBLIC).headline == "Withheld: too few people to show"


@given(st.lists(st.integers(1, 6), min_size=2, max_size=4), st.integers(2, 6), st.integers(2, 6))
@settings(max_examples=12)  # each asks a whole question
def test_kept_begun_and_ended_add_up_and_both_ways_round(sizes, one, other) -> None:
    named = dict(zip("ABCD", sizes, strict=False))
    if sum(sizes) < 3:
        return
    first, last = everybody(named, one), everybody(named, other)
    there, back = (
        ek.team.network_change(programme(named, {1: a, 2: b}), permutations=0)
        for a, b in ((first, last), (last, first))
    )
    kept, begun, ended = (row(there, module.COMPARED, group)["estimate"] for group in (
        module.KEPT, module.BEGUN, module.ENDED))  # fmt: skip
    assert (kept + ended, kept + begun) == (len(first), len(last))
    assert row(back, module.COMPARED, module.BEGUN)["estimate"] == ended
    assert row(back, module.COMPARED)["estimate"] == pytest.approx(row(there, module.COMPARED)["estimate"])


def test_northmere_compares_those_who_answered_twice() -> None:
    northmere = ek.load(folder("sample_data/northmere"))
    found = ek.team.network_change(northmere, permutations=100)
    answered = [set(each["person_id"]) for _, each in northmere.rosters[northmere.rosters["responded"]].groupby("wave")]
    assert found.about.n == len(answered[0] & answered[-1])
    assert "Under 80% answered at wave 4" in " ".join(found.caveats)
