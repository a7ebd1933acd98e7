"""The one gate: what a narrower audience may see is nowhere in the copy a wider one gets."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.disclosure import protect
from evalkit.errors import Refused
from evalkit.result import ALL, Result
from evalkit.terms import Audience, Verdict
from tests.hand_built import answer

SMALL = (ALL, 0.41, 104), ("police", 0.7321, 3), ("housing", 0.5917, 40), ("nhs", 0.30, 61)


def everywhere(result: Result) -> str:
    """All the words and numbers of a copy, its HTML too."""
    return json.dumps(result.to_json(), ensure_ascii=False) + result._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("audience", [Audience.TEAM, Audience.COMMISSIONER, Audience.PUBLIC])
def test_a_small_group_is_withheld_in_table_marks_sentence_and_description(audience):
    raw = answer(groups=SMALL)
    copy = protect(raw, audience)
    assert "0.7321" in everywhere(raw)
    assert "0.7321" not in everywhere(copy)
    assert "0.73" not in copy.alt
    assert "police: 0.7321" not in copy.reading
    assert "withheld: fewer than 5 people" in copy.reading.lower()
    row = copy.table.set_index("group").loc["police"]
    assert row["interval"] == "withheld"
    assert pd.isna(row["estimate"])
    assert pd.isna(row["n"])
    assert copy.audience is audience


def test_a_lone_withheld_group_takes_the_next_smallest_with_it():
    copy = protect(answer(groups=SMALL), Audience.PUBLIC)
    held = copy.table.set_index("group")["interval"]
    assert held["housing"] == "withheld"  # else police = all − housing − nhs
    assert held["nhs"] != "withheld"
    assert held[ALL] != "withheld"


def test_a_small_whole_takes_headline_and_verdict_with_it():
    copy = protect(answer(groups=((ALL, 0.41, 4),)), Audience.COMMISSIONER)
    assert copy.headline == "Withheld: too few people to show"
    assert copy.verdict is Verdict.NOT_MEASURABLE
    assert "0.41" not in everywhere(copy)


def test_the_evaluator_keeps_everything_and_the_model_stays_with_the_evaluator():
    raw = answer(groups=SMALL)
    assert protect(raw, Audience.EVALUATOR) is raw
    assert protect(raw, Audience.TEAM).details is None


def test_a_table_that_names_people_leaves_for_nobody():
    raw = answer()
    named = Result.from_json({**raw.to_json(), "table": _with_ids(raw)})
    with pytest.raises(Refused, match="about single people"):
        protect(named, Audience.TEAM)


def _with_ids(raw: Result) -> dict[str, object]:
    table = raw.to_json()["table"]
    return {"types": {**table["types"], "person_id": "object"}, "rows": [[*row, "L001"] for row in table["rows"]]}


@given(st.lists(st.integers(1, 30), min_size=1, max_size=6))
def test_no_number_of_a_small_group_survives_whatever_the_groups(sizes):
    groups = [(ALL, 0.4, sum(sizes)), *((f"g{place}", 1000 + place + 0.123, n) for place, n in enumerate(sizes))]
    copy = protect(answer(groups=tuple(groups)), Audience.PUBLIC)
    shown = copy.table[copy.table["interval"] != "withheld"]
    assert (shown["n"] >= 5).all()
    for place, n in enumerate(sizes):
        if n < 5:
            assert f"{1000 + place}.12" not in everywhere(copy).replace(",", "")
    parts = copy.table[copy.table["group"] != ALL]
    lost = sum(n for n, held in zip(sizes, parts["interval"] == "withheld", strict=True) if held)
    everything_hidden = bool((parts["interval"] == "withheld").all())
    assert lost == 0 or lost >= 5 or everything_hidden
