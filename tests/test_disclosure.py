"""The one gate: what a narrower audience may see is nowhere in the copy a wider one gets."""

from __future__ import annotations

import json
from dataclasses import replace

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


def counted(groups: list[tuple[int, int]]) -> Result:
    """An answer that counts n of out_of in each group and in all."""
    n, whole = (sum(group[at] for group in groups) for at in (0, 1))
    held = [(ALL, n, whole), *((f"g{at}", *group) for at, group in enumerate(groups))]
    raw = answer(groups=tuple((name, 100.0, n) for name, n, _ in held))
    return replace(raw, _table=raw.table.assign(out_of=pd.array([whole for *_, whole in held], dtype="Int64")))


def test_who_did_not_cannot_be_worked_out_from_the_total():
    """18 of 20 hides two who did not; 60 of 80 in all, less the groups shown, would tell them."""
    table = protect(counted([(18, 20), (20, 30), (22, 30)]), Audience.PUBLIC).table
    assert (table["interval"] == "withheld").tolist() == [False, True, True, False]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=6))
def test_no_small_count_is_told_by_what_is_left_over(pairs):
    groups = [(n, n + others) for n, others in pairs]
    table = protect(counted(groups), Audience.PUBLIC).table
    gone = [group for group, state in zip(groups, table["interval"].iloc[1:], strict=True) if state == "withheld"]
    kept = [group for group in groups if group not in gone and group[0] > 0]
    for n, whole in groups:
        if 0 < n < 5 or 0 < whole - n < 5:
            assert (n, whole) in gone
    if gone and kept and table["interval"].iloc[0] != "withheld":
        assert len(gone) > 1
        assert not 0 < sum(n for n, _ in gone) < 5
        assert not 0 < sum(whole - n for n, whole in gone) < 5


@pytest.fixture(scope="module")
def small():
    """A smaller invented programme, in which the minimum bites."""
    import evalkit as ek

    return ek.simulate(seed=7, leaders=40, teams=8, places=6, programme_places=4)


def test_what_a_room_withholds_from_its_table_it_withholds_from_its_words(small):
    import evalkit as ek

    raw = ek.process.reach(small)
    copy = protect(raw, Audience.PUBLIC)
    hidden = raw.table[(copy.table["interval"] == "withheld").to_numpy()]
    assert not hidden.empty
    said = " ".join([copy.reading, copy.headline, copy.alt, *copy.caveats])
    for row in hidden.to_dict("records"):
        assert f"{row['group']} {row['n']} of {row['out_of']}" not in said
    themes = ek.stories.themes(small)
    few = themes.table[themes.table["n"] < small.minimum_group]
    assert not few.empty
    shown = protect(themes, Audience.PUBLIC)
    for row in few.to_dict("records"):
        assert f"{row['measure'].lower()} ({row['n']})" not in shown.reading.lower()
        assert f"{row['measure'].lower()}: {row['n']} of" not in shown.alt.lower()


def test_few_raters_are_withheld_though_they_rated_many():
    plain = answer(groups=((ALL, 0.41, 104), ("sponsors", 0.5, 40))).to_json()
    plain["table"] = {
        "types": {**plain["table"]["types"], "raters": "Int64"},
        "rows": [[*row, raters] for row, raters in zip(plain["table"]["rows"], (60, 2), strict=True)],
    }
    copy = protect(Result.from_json(plain), Audience.COMMISSIONER)
    assert copy.table["interval"].tolist() == ["95% confidence", "withheld"]
