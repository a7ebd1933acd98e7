"""team.conversation_guide: where people, organisations and levels see it differently, and nobody can be told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.html import to_talk_about
from evalkit.resources import folder
from evalkit.terms import Audience
from tests.team.answered import Row, alike, programme


def place(name: str, *scores: float, domain: str = "culture", start: int = 0) -> list[Row]:
    return [(f"{name}r{start + k}", name, 1, {domain: score}) for k, score in enumerate(scores)]


def test_the_average_deviation_is_that_of_the_answers_from_their_mean():
    found = ek.team.conversation_guide(programme(*place("P1", 0, 1, 5))).table
    row = found[found["what"] == "between people"].iloc[0]
    assert row["estimate"] == pytest.approx(np.abs(np.array([0, 1, 5]) - 2).mean())
    assert bool(row["beyond"])  # 2 is above 6 steps / 6
    assert "beyond the usual limit" in row["ask"]


def test_a_place_is_asked_about_the_domain_its_people_differ_most_on():
    people = [(f"r{k}", "P1", 1, {"culture": 2.0, "finance": float(k), "workforce": 2.0 + (k == 0)}) for k in range(4)]
    found = ek.team.conversation_guide(programme(*people))
    asks = [ask for ask in found.table["ask"] if ask]
    assert asks == [
        "Place P1, on Financial and contractual mechanisms: what did each have in mind? Answers lie 1.0 points from "
        "their mean, on average."
    ]
    assert found.headline == "People differ most on Financial and contractual mechanisms, in 1 of 1 places"
    assert asks[0] in to_talk_about(found)


def test_where_all_score_alike_there_is_nothing_to_ask():
    found = ek.team.conversation_guide(programme(*alike("P1", 1, 2.0), *alike("P2", 1, 4.0)))
    assert not any(found.table["ask"])
    assert found.headline == "People score their place alike in all 2"


@pytest.mark.parametrize("n", [1, 2])
def test_a_place_with_fewer_than_three_people_gets_no_point(n):
    with pytest.raises(ek.NotEnoughEvidence, match="No place was scored by 3 people"):
        ek.team.conversation_guide(programme(*place("P1", *range(n))))
    found = ek.team.conversation_guide(programme(*place("P1", *range(n)), *place("P2", 1, 2, 4))).table
    assert set(found.loc[found["what"] == "between people", "group"]) == {"Place P2"}


def organisations(*sizes: int, **told: str) -> ek.Programme:
    """Everybody in one place: organisation k scores k."""
    rows, works = [], {}
    for k, size in enumerate(sizes):
        own = place("P1", *[float(k)] * size, start=10 * k)
        rows += own
        works |= {row[0]: f"O{k}" for row in own}
    return programme(*rows, works=works, **told)


def test_an_organisations_view_needs_three_respondents_and_two_where_scores_are_agreed_to_be_open():
    gap = "between organisations"
    three = ek.team.conversation_guide(organisations(3, 3, 2)).table
    assert three.loc[three["what"] == gap, "estimate"].tolist() == [pytest.approx(1.0)]
    opened = ek.team.conversation_guide(organisations(3, 3, 2, agreed_open="The partners, 1 May 2024."))
    assert opened.table.loc[opened.table["what"] == gap, "estimate"].tolist() == [pytest.approx(2.0)]
    assert "Agreed on showing scores: The partners, 1 May 2024." in opened.caveats
    alone = ek.team.conversation_guide(organisations(3, 1, 1, agreed_open="The partners, 1 May 2024.")).table
    assert gap not in set(alone["what"]), "one respondent's view is never set beside another's"


def test_which_organisations_lie_furthest_apart_is_never_said():
    found = ek.team.conversation_guide(organisations(4, 4, 4))
    said = " ".join([found.headline, found.reading, found.alt, *found.caveats, *map(str, found.table["ask"])])
    assert "Body" not in said


def test_a_gap_between_organisations_is_not_one_between_the_places_they_score():
    rows = [*alike("P1", 1, 1.0), *alike("P2", 1, 5.0)]
    works = {row[0]: f"O{row[1][1]}" for row in rows}
    found = ek.team.conversation_guide(programme(*rows, works=works)).table
    assert found.loc[found["what"] == "between organisations", "estimate"].tolist() == [pytest.approx(0.0)]


def test_levels_of_staff_are_set_beside_each_other_in_the_words_of_the_form():
    rows = place("P1", 1, 1, 1, 3, 3, 3)
    levels = {row[0]: "board" if k < 3 else "ward" for k, row in enumerate(rows)}
    found = ek.team.conversation_guide(programme(*rows, levels=levels)).table
    row = found[found["what"] == "between levels of staff"].iloc[0]
    assert (row["estimate"], row["n"]) == (pytest.approx(2.0), 6)
    assert "what does one see that another does not?" in row["ask"]


def test_the_wave_asked_for_is_the_one_given_and_another_is_named():
    held = programme(*place("P1", 1, 2, 3), *[(f"s{k}", "P1", 2, {"culture": 2.0}) for k in range(3)])
    assert ek.team.conversation_guide(held, wave=1).table["estimate"].max() > 0
    with pytest.raises(ValueError, match="1 and 2"):
        ek.team.conversation_guide(held, wave=7)


def test_a_wider_copy_loses_points_few_people_stand_behind():
    found = ek.team.conversation_guide(programme(*place("P1", 0, 2, 4), *place("P2", 0, 1, 2, 3, 5)))
    copy = protect(found, Audience.COMMISSIONER)
    assert "Place P1, on" not in to_talk_about(copy)
    assert "Place P2, on" in to_talk_about(found)


def test_northmere_has_a_question_for_every_place_in_the_order_of_the_alphabet():
    northmere = ek.load(folder("sample_data") / "northmere")
    found = ek.team.conversation_guide(northmere)
    asked = found.table[(found.table["what"] == "between people") & (found.table["ask"] != "")]["group"].tolist()
    assert len(asked) == 12
    assert asked == sorted(asked)


@given(st.lists(st.integers(0, 5), min_size=3, max_size=9))
@settings(max_examples=12)  # each asks a whole question
def test_the_deviation_lies_between_none_and_half_the_scale_and_does_not_hang_on_the_direction(scores):
    turned = [5 - score for score in scores]
    one, other = (
        ek.team.conversation_guide(programme(*place("P1", *held))).table.query("what == 'between people'")["estimate"]
        for held in (scores, turned)
    )
    assert 0 <= one.iloc[0] <= 2.5
    assert one.iloc[0] == pytest.approx(other.iloc[0])
