"""team.bridging: ties across organisations, how dense, how often returned, and what may be told of few people."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.errors import NotEnoughEvidence, Refused
from evalkit.resources import folder
from evalkit.stats import network
from evalkit.team import ties
from evalkit.terms import Audience
from tests.team.networks import everybody, pairs, programme, row, seen

SIX = {"A": 3, "B": 2, "C": 1}
# By hand. Six people, A1 A2 A3 of one organisation, B1 B2 of another, C1 of a third; everybody answered.
#   A1→A2 and A2→A1 within, returned; A1→B1 and B1→A1 across, returned; A2→B1 across; A3→B2 across; B1→B2 within.
#   within 3 of 3x2 + 2x1 + 0 = 8; between 4 of 6x5 - 8 = 22; E-I (4 - 3)/7; returned 4 of 7, 2 of 3 within, 2 of 4.
#   Either way: A1A2 and B1B2 within (2 of 4 pairs), A1B1, A2B1 and A3B2 across (3 of 11 pairs): E-I (3 - 2)/5.
SEVEN = pairs("A1 A2", "A2 A1", "A1 B1", "B1 A1", "A2 B1", "A3 B2", "B1 B2")


def test_six_people_by_hand() -> None:
    found = ek.team.bridging(programme(SIX, {1: SEVEN}), permutations=50)
    assert row(found, "E-I")["estimate"] == pytest.approx(1 / 7)
    assert [row(found, "Density", group)["estimate"] for group in ("all", ties.WITHIN, ties.BETWEEN)] == pytest.approx(
        [100 * 7 / 30, 100 * 3 / 8, 100 * 4 / 22]
    )
    assert [row(found, "Returned", group)["estimate"] for group in ("all", ties.WITHIN, ties.BETWEEN)] == pytest.approx(
        [100 * 4 / 7, 100 * 2 / 3, 50.0]
    )
    assert found.about.asked == "team.bridging(relation='trust', directed=True, permutations=50, seed=1)"
    assert ties.NAMED in found.method.assumes


def test_either_way_counts_a_pair_once_and_says_so() -> None:
    found = ek.team.bridging(programme(SIX, {1: SEVEN}), directed=False, permutations=50)
    assert row(found, "E-I")["estimate"] == pytest.approx(1 / 5)
    assert row(found, "Density", ties.WITHIN)["estimate"] == pytest.approx(50.0)
    assert row(found, "Density", ties.BETWEEN)["estimate"] == pytest.approx(100 * 3 / 11)
    assert not found.table["measure"].str.startswith("Returned").any()
    assert "either of the two names the other" in found.method.assumes


def test_whoever_did_not_answer_is_not_taken_to_have_named_nobody() -> None:
    """A1, A2 and B1 answered. Of A1 and A2 each could have named 2 within and 3 across, B1 1 and 4: 5 and 10."""
    said = [tie for tie in SEVEN if tie[0] != "A3"]
    found = ek.team.bridging(programme(SIX, {1: said}, silent={1: ["A3", "B2", "C1"]}), permutations=50)
    within, between = (row(found, "Density", group) for group in (ties.WITHIN, ties.BETWEEN))
    # between two who both answered: A1→B1, B1→A1, A2→B1
    assert (within["ties"], within["possible"], between["ties"], between["possible"]) == (3, 5, 3, 10)
    back = row(found, "Returned", ties.BETWEEN)
    assert (back["ties"], back["estimate"]) == (3, pytest.approx(100 * 2 / 3))
    assert "Under 80% answered at wave 1" in found.caveats[0]
    assert "50 of every 100 asked answered" in found.reading
    either = ek.team.bridging(programme(SIX, {1: said}, silent={1: ["A3", "B2", "C1"]}), directed=False, permutations=9)
    # pairs with an answer at an end: of 15, those without are A3B2, A3C1 and B2C1, all across
    assert [row(either, "Density", group)["possible"] for group in ("all", ties.WITHIN, ties.BETWEEN)] == [12, 4, 8]


@given(st.lists(st.integers(1, 6), min_size=2, max_size=5), st.integers(2, 7), st.booleans())
def test_parts_add_up_and_with_everybody_answering_are_the_densities_of_stats(sizes, keep, directed) -> None:
    named = dict(zip("ABCDE", sizes, strict=False))
    told = ties.read(programme(named, {1: everybody(named, keep)}), "trust", "?")
    (wave,) = told.waves.values()
    held = [each for each in ties.rows(wave, "trust", directed=directed) if each["measure"].startswith("Density")]
    whole, within, between = held
    assert whole["ties"] == within["ties"] + between["ties"]
    assert whole["possible"] == within["possible"] + between["possible"]
    assert whole["estimate"] / 100 == pytest.approx(
        network.density(wave.ties, list(wave.organisation.index), directed=directed)
    )


def test_ties_with_people_who_were_not_asked_or_did_not_answer_are_problems_of_the_file() -> None:
    asked = ["A1", "A2", "A3", "B1", "B2"]
    for said in (pairs("A1 C1"), pairs("C1 A1")):
        with pytest.raises(ek.DataProblems, match="not on the roster of this wave"):
            programme(SIX, {1: [*SEVEN, *said]}, rosters={1: asked})
    with pytest.raises(ek.DataProblems, match="did not answer"):
        programme(SIX, {1: SEVEN}, silent={1: ["A1"]})


def test_whoever_held_no_post_that_day_is_left_out_and_counted() -> None:
    posts = pd.DataFrame({"person_id": ["A3"], "organisation_id": ["A"], "role": ["director"],
                          "start": pd.to_datetime(["2025-01-01"]), "end": pd.to_datetime([None])})  # fmt: skip
    found = ek.team.bridging(programme(SIX, {1: SEVEN}, posts=posts), permutations=20)
    assert row(found, "E-I")["n"] == 5
    assert row(found, "E-I")["ties"] == 6
    caveat = "fewer than 5 people on the roster held no post that day: they are left out, and fewer than 5 ties"
    assert any(caveat in each for each in found.caveats)


def test_each_wave_is_read_with_the_organisations_of_its_day() -> None:
    posts = pd.DataFrame({"person_id": ["B1", "B1"], "organisation_id": ["B", "A"], "role": ["director"] * 2,
                          "start": pd.to_datetime([None, "2025-01-01"]),
                          "end": pd.to_datetime(["2024-12-31", None])})  # fmt: skip
    found = ek.team.bridging(programme(SIX, {1: SEVEN, 2: SEVEN}, posts=posts), permutations=20)
    # B1 works with A at wave 2: A1→B1, B1→A1 and A2→B1 are within, B1→B2 across; A3→B2 stays across
    assert [row(found, "E-I", wave=wave)["estimate"] for wave in (1, 2)] == pytest.approx([1 / 7, (2 - 5) / 7])


def test_nothing_after_the_day_counts() -> None:
    both = {1: SEVEN, 2: SEVEN[:4]}
    whole = ek.team.bridging(programme(SIX, both), permutations=20)
    assert set(whole.table["wave"]) == {1, 2}
    early = ek.team.bridging(programme(SIX, both, as_of=date(2025, 9, 29)), permutations=20)
    assert set(early.table["wave"]) == {1}
    with pytest.raises(NotEnoughEvidence, match="No trust ties were recorded"):
        ek.team.bridging(programme(SIX, both, as_of=date(2024, 3, 30)))


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: programme(SIX, {1: SEVEN}, rosters={}), "no roster, so who was asked is not known"),
        (lambda: programme(SIX, {1: SEVEN}, rosters={2: ["A1", "B1"]}, silent={2: ["A1", "B1"]}),
         "Nobody on the roster of wave 2 answered"),
        (lambda: programme({"A": 4}, {1: pairs("A1 A2")}), "not of two organisations"),
        (lambda: programme(dict.fromkeys("ABC", 1), {1: pairs("A1 B1")}), "nobody on the roster shares an organi"),
        (lambda: programme(SIX, {1: SEVEN}, rosters={2: ["C1", "B2"]}), "nobody on the roster named anybody on it"),
        (lambda: programme(SIX, {}), "No trust ties were recorded"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name_and_names_nobody(made, says) -> None:
    with pytest.raises(NotEnoughEvidence, match=says) as refused:
        ek.team.bridging(made())
    assert refused.value.would_answer
    assert not any(person in str(refused.value) for person in ("A1", "A2", "B1", "C1"))


def test_a_wave_that_cannot_be_read_is_left_out_and_named() -> None:
    everybody_of = [f"{name}{at}" for name, size in SIX.items() for at in range(1, size + 1)]
    found = ek.team.bridging(programme(SIX, {1: SEVEN, 2: SEVEN}, rosters={1: everybody_of}), permutations=20)
    assert set(found.table["wave"]) == {1}
    assert "Wave 2 has trust ties and no roster, so who was asked is not known. That wave is left out." in found.caveats


def test_self_ties_and_duplicates_are_problems_of_the_file() -> None:
    for said in (pairs("A1 A1"), pairs("A1 B1", "A1 B1")):
        with pytest.raises(ek.DataProblems):
            programme(SIX, {1: said})


def test_relations_are_listed_and_conflict_stays_with_the_evaluator() -> None:
    with pytest.raises(ValueError, match=r"No relation is called 'liking'. There are: contact, help and trust; and"):
        ek.team.bridging(programme(SIX, {1: SEVEN}), relation="liking")
    sizes = {"A": 8, "B": 8}
    asked = programme(sizes, {1: everybody(sizes)}, relation="conflict")
    with pytest.raises(NotEnoughEvidence, match="No trust ties"):
        ek.team.bridging(asked)
    for question in (ek.team.bridging, ek.team.brokers):
        found = question(asked, relation="conflict")
        for audience in (Audience.TEAM, Audience.COMMISSIONER, Audience.PUBLIC):
            with pytest.raises(Refused):
                protect(found, audience)
        assert "stays with the evaluator" in " ".join(found.caveats)


@pytest.mark.parametrize("sizes", [{"A": 20, "B": 1}, {"A": 20, "B": 4}, {"A": 2, **dict.fromkeys("BCDEFGHIJK", 1)}])
def test_what_one_or_a_few_said_is_told_to_nobody_else(sizes) -> None:
    """Twenty of one organisation and one of another: every tie across is that one person's. Eleven people and only two
    who share an organisation: every tie within is theirs. Whatever those named, others are shown the same."""
    said = everybody(sizes)
    few = "A" if sizes["A"] == 2 else "B"
    other = [tie for tie in said if not tie[0].startswith(few)]
    versions = [ek.team.bridging(programme(sizes, {1: each}), permutations=20) for each in (said, other)]
    assert versions[0].table["ties"].iloc[0] != versions[1].table["ties"].iloc[0]
    for audience in (Audience.TEAM, Audience.PUBLIC):
        assert seen(versions[0], audience) == seen(versions[1], audience)
    assert protect(versions[0], Audience.PUBLIC).headline == "Withheld: too few people to show"


def test_two_organisations_of_enough_people_are_shown() -> None:
    sizes = {"A": 9, "B": 6}
    copy = protect(ek.team.bridging(programme(sizes, {1: everybody(sizes)}), permutations=20), Audience.PUBLIC)
    assert (copy.table["interval"] != "withheld").all()


def test_an_answer_of_few_is_withheld_however_many_were_asked() -> None:
    sizes = {"A": 12, "B": 12}
    told = [tie for tie in everybody(sizes) if tie[0] in ("A1", "A2", "B1", "B2")]
    quiet = [f"{name}{at}" for name in "AB" for at in range(3, 13)]
    found = ek.team.bridging(programme(sizes, {1: told}, silent={1: quiet}), permutations=20)
    assert protect(found, Audience.PUBLIC).headline == "Withheld: too few people to show"


def test_three_waves_are_said_in_four_sentences_at_most() -> None:
    found = ek.team.bridging(programme(SIX, {1: SEVEN, 2: SEVEN, 3: SEVEN}), permutations=20)
    assert len(found.parts[1]) <= 4
    assert set(found.table["wave"]) == {1, 2, 3}
    assert len(found.marks.query("mark == 'point'")) == 6


def test_northmere_as_it_was() -> None:
    """The first rows are the index, a row a wave, as the report and the ledger read them."""
    found = ek.team.bridging(ek.load(folder("sample_data/northmere")))
    held = found.table.iloc[:2]
    assert held["measure"].tolist() == ["E-I index of trust ties"] * 2
    assert held["estimate"].tolist() == pytest.approx([(286 - 230) / 516, (153 - 94) / 247])
    assert held["ties"].tolist() == [516, 247]
    assert found.parts[0].rows == (1,)
