"""Who is missing, by group: shares of those who came against shares of those eligible. Counted by hand."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.terms import Audience
from evalkit.words import LEFT_OUT_RULE

EIGHT = [f"P{number}" for number in range(1, 9)]


@pytest.fixture(scope="module")
def northmere() -> Programme:
    return ek.load(folder("sample_data") / "northmere")


@pytest.fixture
def small() -> Programme:
    """Four women of whom one came, two men who came, one who would rather not say, one of whom nothing is written."""
    sexes = dict(zip(EIGHT[:7], ["female"] * 4 + ["male"] * 2 + ["prefer not to say"], strict=True))
    attendance = pd.DataFrame({"session_id": "S1", "person_id": EIGHT, "status": ["attended"] + ["eligible"] * 3
                               + ["attended"] * 2 + ["eligible", "attended"]})  # fmt: skip
    return Programme.build(
        settings=Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2025, 3, 31), fictional=True),
        tables={
            "organisations": pd.DataFrame({"organisation_id": ["O1", "O2"], "name": ["Ashby", "Birch"]}),
            "people": pd.DataFrame({"person_id": EIGHT, "kind": "participant", "organisation_id": ["O1", "O2"] * 4}),
            "participants": pd.DataFrame({"participant_id": EIGHT}),
            "characteristics": pd.DataFrame({"participant_id": list(sexes), "characteristic": "sex",
                                             "value": list(sexes.values())}),
            "sessions": pd.DataFrame({"session_id": ["S1"], "held_on": pd.to_datetime(["2024-05-01"])}),
            "attendance": attendance,
        },
    )  # fmt: skip


def came(found: Result, by: str) -> pd.DataFrame:
    rows = found.table[(found.table["measure"] == "Came at least once") & (found.table["by"] == by)]
    return rows.set_index("group")


def test_shares_of_those_who_came_against_those_eligible(small: Programme) -> None:
    found = came(ek.process.reach(small, by=("sex",)), "sex")
    assert list(found.index) == ["female", "male", "not recorded", "prefer not to say"]
    assert found["share_came"].tolist() == [25, 50, 25, 0]
    assert found["share_eligible"].tolist() == [50, 25, 12.5, 12.5]
    assert found["difference"].tolist() == [-25, 25, 12.5, -12.5]


def test_differences_of_a_grouping_come_to_nothing(northmere: Programme) -> None:
    by = ("sex", "ethnic_group", "sector")
    found = ek.process.reach(northmere, by=by)
    for grouping in ("sex", "ethnic group", "sector"):
        rows = came(found, grouping)
        assert rows["share_came"].sum() == pytest.approx(100)
        assert rows["difference"].sum() == pytest.approx(0, abs=1e-9)
        assert rows.index.is_monotonic_increasing
    assert len(found.parts[1]) <= 4
    assert found.about.asked == f"process.reach(by={by!r})"


def test_characteristics_are_counted_only_when_asked_for(northmere: Programme) -> None:
    found = ek.process.reach(northmere)
    assert set(found.table["by"]) == {"everybody", "sector"}
    assert found.about.asked == "process.reach()"
    assert found.headline == "147 of 195 eligible came"


def test_organisations_are_named_in_the_order_of_the_alphabet_and_not_in_a_long_sentence(northmere: Programme) -> None:
    found = ek.process.reach(northmere, by=("organisation",))
    assert "Northmere Council" not in found.reading
    assert "by organisation" in found.reading


@pytest.mark.parametrize("by", [("organisation", "sector"), ("sector", "sex", "organisation")])
def test_what_lies_within_another_is_asked_for_one_at_a_time(northmere: Programme, by: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"organisation and sector.*one at a time"):
        ek.process.reach(northmere, by=by)


def test_words_of_cause_in_what_people_typed_are_left_out_of_sentences_and_stay_in_the_table(small: Programme) -> None:
    named = pd.DataFrame({"organisation_id": ["O1", "O2"], "name": ["Impact of Care", "Birch"]})
    tables = {name: getattr(small, name) for name in
              ("people", "participants", "characteristics", "sessions", "attendance")}  # fmt: skip
    tables["organisations"] = named
    found = ek.process.reach(Programme.build(settings=small.settings, tables=tables), by=("organisation",))
    assert "Impact of Care" in set(found.table["group"])
    assert "[…] Care 2 of 4" in found.reading
    assert LEFT_OUT_RULE in found.caveats


def test_what_nobody_recorded_cannot_be_asked_about(small: Programme) -> None:
    with pytest.raises(ValueError, match=r"Nothing called 'age'.*profession, cohort, sector, organisation and sex"):
        ek.process.reach(small, by=("age",))


def test_where_nobody_came_there_is_no_share_of_those_who_came(small: Programme) -> None:
    tables = {name: getattr(small, name) for name in
              ("organisations", "people", "participants", "characteristics", "sessions", "attendance")}  # fmt: skip
    tables["attendance"] = tables["attendance"].assign(status="invited")
    found = ek.process.reach(Programme.build(settings=small.settings, tables=tables), by=("sex",))
    assert found.table["share_came"].isna().all()
    assert found.headline == "0 of 8 eligible came"


def test_what_is_withheld_takes_the_sentence_about_shares_with_it(northmere: Programme) -> None:
    copy = protect(ek.process.reach(northmere, by=("ethnic_group",)), Audience.PUBLIC)
    hidden = copy.table[copy.table["interval"] == "withheld"]
    assert len(hidden)
    assert hidden[["n", "out_of", "share_came", "share_eligible", "difference"]].isna().all().all()
    assert "points by ethnic group" not in copy.reading
