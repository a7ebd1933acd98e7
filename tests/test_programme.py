"""The validated dataset: what it holds, how it is restricted, what it says of itself, and what it never says."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import get_type_hints

import pandas as pd
import pytest

from data_schemas.tables import models
from evalkit.errors import SHOWN, DataProblems
from evalkit.programme import Programme, Settings, check, load
from evalkit.reading import digest, to_csv_text

CLEAN = Path(__file__).parent / "broken" / "clean"


@pytest.fixture(scope="module")
def programme() -> Programme:
    return load(CLEAN)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CLEAN, tmp_path / "programme"))


def test_every_table_is_an_attribute_and_every_attribute_a_table() -> None:
    hints = get_type_hints(Programme)
    assert {name for name, hint in hints.items() if hint is pd.DataFrame} == set(models())


def test_a_table_is_a_copy(programme: Programme) -> None:
    people = programme.people
    people.loc[0, "person_id"] = "changed"
    del people["kind"]
    assert programme.people["person_id"][0] == "P1"
    assert "kind" in programme.people


def test_a_table_the_folder_lacks_is_there_without_rows(folder: Path) -> None:
    (folder / "ties.csv").unlink()
    found = load(folder)
    assert found.ties.empty
    assert list(found.ties.columns) == ["wave", "from_id", "to_id", "relation", "strength"]
    assert (found.has("ties"), found.has("people")) == (False, True)
    with pytest.raises(ValueError, match="No table is called 'tie'"):
        found.has("tie")
    with pytest.raises(AttributeError, match="no 'tie'"):
        _ = found.tie  # type: ignore[attr-defined]


def test_settings_are_read(programme: Programme) -> None:
    assert (programme.name, programme.starts_on, programme.fictional) == ("Leading together", date(2024, 4, 1), True)
    assert (programme.minimum_group, programme.audience) == (5, "commissioner")
    assert programme.truth is None


def test_as_of_is_the_argument_then_the_file_then_the_data(folder: Path) -> None:
    assert load(folder, as_of=date(2025, 1, 1)).as_of == date(2025, 1, 1)
    assert load(folder).as_of == date(2026, 3, 31)
    text = (folder / "programme.toml").read_text().replace("as_of = 2026-03-31\n", "")
    (folder / "programme.toml").write_text(text)
    assert load(folder).as_of == date(2025, 3, 2), "the last coder read the last story then"
    for name in ("stories", "excerpts", "codes", "coders", "responses", "scores"):
        (folder / f"{name}.csv").unlink()
    assert load(folder).as_of == date(2024, 4, 30), "a month has happened when it ends"


def test_what_the_plan_declares_reaches_instruments_and_measures(programme: Programme) -> None:
    leadership = programme.instruments["system_leadership"]
    assert leadership.smallest_worthwhile_change == 0.3
    assert "[plan]" in leadership.smallest_worthwhile_change_source
    assert programme.measures["emergency_admissions_65_plus"].expected_lag_months == 24


def test_local_descriptions_add_and_override_and_are_named(folder: Path) -> None:
    (folder / "instruments").mkdir()
    (folder / "instruments" / "icfat.toml").write_text('adapts = "icfat"\n[anchors.culture]\n0 = "None yet"\n')
    (folder / "measures.toml").write_text(
        '[falls]\nlabel = "Falls"\nunit = "falls"\nbetter = "lower"\nkind = "count"\nbeneficiary = "patients"\n'
        'source = "us"\nvalidated = false\n'
    )
    found = load(folder)
    assert found.local == ("instrument icfat", "measure falls")
    assert found.measures["falls"].label == "Falls"
    assert found.instruments["icfat"].anchors["culture"] == {"0": "None yet"}
    (folder / "instruments" / "icfat.toml").write_text('adapts = "icfat"\nedtion = "2"\n')
    problems = check(folder)
    assert problems["file"].tolist() == ["instruments/icfat.toml"]
    assert "Did you mean 'edition'" in problems["remedy"][0]


def test_truth_is_read_where_the_data_were_invented(folder: Path) -> None:
    (folder / "truth.toml").write_text("fictional = true\n[effects]\nsystem_leadership = 0.4\n")
    assert load(folder).truth == {"fictional": True, "effects": {"system_leadership": 0.4}}


def test_load_raises_every_problem_and_the_message_shows_ten(folder: Path) -> None:
    rows = "".join(f"X{number},O9,participant\n" for number in range(12))
    with (folder / "people.csv").open("a") as file:
        file.write(rows)
    with pytest.raises(DataProblems) as raised:
        load(folder)
    assert len(raised.value.table) == 12
    message = str(raised.value)
    assert message.count("\n") == 1 + SHOWN
    assert "people.csv, row 6, column organisation_id, 'O9': The id is not in organisations.csv." in message
    assert "… and 2 more" in message
    pd.testing.assert_frame_equal(raised.value.table, check(folder))


def test_a_whole_file_problem_shows_no_row_in_the_message(folder: Path) -> None:
    (folder / "rosters.csv").write_text("")
    with pytest.raises(DataProblems, match=r"rosters\.csv: The file is empty\."):
        load(folder)


def test_a_programme_built_in_memory_is_the_one_read_from_files(programme: Programme) -> None:
    tables = {name: getattr(programme, name) for name in models()}
    built = Programme.build(settings=programme.settings, tables=tables, truth={"a": 1})
    for name in models():
        pd.testing.assert_frame_equal(getattr(built, name), getattr(programme, name))
    assert built.truth == {"a": 1}
    assert set(built.hashes) == {f"{name}.csv" for name in models()}
    assert built.hashes["people.csv"] == digest(to_csv_text(programme.people, "people").encode())


def test_building_in_memory_takes_plain_types_and_refuses_what_files_may_not_hold(programme: Programme) -> None:
    settings = Settings(name="x", starts_on=date(2024, 4, 1))
    plain = pd.DataFrame(
        {"wave": [1, 2], "opens_on": pd.to_datetime(["2024-03-01", "2024-10-01"]).astype("datetime64[ns]")}
    )
    assert str(Programme.build(settings=settings, tables={"waves": plain}).waves["wave"].dtype) == "Int64"
    with pytest.raises(DataProblems, match=r"waves\.csv, row 3, column wave, '1'.*repeats row 2"):
        Programme.build(settings=settings, tables={"waves": plain.assign(wave=1)})
    with pytest.raises(DataProblems, match="No table of this name"):
        Programme.build(settings=settings, tables={"wave": plain})


def test_the_data_hash_follows_the_data_and_not_the_settings(folder: Path) -> None:
    before = load(folder)
    text = (folder / "programme.toml").read_text().replace("Leading together", "Leading on")
    (folder / "programme.toml").write_text(text)
    assert load(folder).data_hash == before.data_hash
    assert load(folder).hashes["programme.toml"] != before.hashes["programme.toml"]
    people = (folder / "people.csv").read_text()
    (folder / "people.csv").write_text(people.replace("carer", "citizen"))
    assert load(folder).data_hash != before.data_hash


def test_only_one_place_keeps_what_belongs_to_it(programme: Programme) -> None:
    north = programme.only(place="L1")
    assert north.places["place_id"].tolist() == ["L1"]
    assert north.teams["team_id"].tolist() == ["T1"]
    assert north.participants["participant_id"].tolist() == ["P1"]
    assert set(north.responses["subject_id"]) == {"P1"}
    assert sorted(north.people["person_id"]) == ["007", "P1"], "the leader, and the sponsor who rated them"
    assert north.ties.empty, "no tie has both ends here"
    assert north.outcomes["place_id"].unique().tolist() == ["L1"]
    assert north.stories["story_id"].tolist() == ["Y1"]
    assert north.excerpts["excerpt_id"].tolist() == ["X1"]
    assert len(north.coders) == 2
    assert len(north.events) == 1, "what happened everywhere happened here"
    assert north.data_hash != programme.data_hash
    assert north.as_of == programme.as_of


def test_only_a_place_keeps_the_places_inside_it(programme: Programme) -> None:
    assert programme.only(place="S1").places["place_id"].tolist() == ["S1", "L1", "L2"]


def test_only_one_cohort_keeps_its_places_and_those_compared_with(programme: Programme) -> None:
    second = programme.only(cohort="second")
    assert second.places["place_id"].tolist() == ["L2", "L3"]
    assert second.participants["participant_id"].tolist() == ["P2"]
    assert set(second.responses["subject_id"]) == {"L2"}


def test_what_is_left_still_obeys_every_rule(programme: Programme) -> None:
    for part in (programme.only(place="S1"), programme.only(cohort="first"), programme.only(cohort="second")):
        tables = {name: getattr(part, name) for name in models() if name != "places"}
        Programme.build(settings=programme.settings, tables=tables)


def test_only_refuses_what_it_does_not_know(programme: Programme) -> None:
    with pytest.raises(ValueError, match=r"no place 'L9'\. Known: L1, L2, L3, S1"):
        programme.only(place="L9")
    with pytest.raises(ValueError, match="no cohort 'third'"):
        programme.only(cohort="third")
    for both in ({}, {"place": "L1", "cohort": "first"}):
        with pytest.raises(ValueError, match="a place or a cohort"):
            programme.only(**both)


def test_a_programme_says_who_where_when_and_what_is_missing_in_counts(folder: Path) -> None:
    (folder / "ties.csv").unlink()
    found = load(folder)
    said = repr(found)
    assert said.startswith("Leading together (FICTIONAL)")
    for words in ("2 participants in 2 teams", "4 places, 1 of them for comparison", "2 waves", "31 March 2026"):
        assert words in said
    assert said.endswith("Missing: ties")
    for person in found.people["person_id"]:
        assert f" {person} " not in said
        assert person not in found._repr_html_()


def test_the_html_says_the_same_and_escapes_names(folder: Path) -> None:
    text = (folder / "programme.toml").read_text().replace("Leading together", "<script>x</script>")
    (folder / "programme.toml").write_text(text)
    html = load(folder)._repr_html_()
    assert "<script>" not in html
    assert "<dt>Missing</dt>" in html
