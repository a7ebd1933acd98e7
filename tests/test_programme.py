"""The validated dataset: what it holds, how it is restricted, what it says of itself, and what it never says."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import get_type_hints

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_schemas.tables import models
from evalkit.errors import SHOWN, DataProblems
from evalkit.programme import Programme, Settings, check, employers, load
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
    for path in folder.glob("*.csv"):
        if path.stem not in ("outcomes", "places"):
            path.unlink()
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
    assert sorted(found.local) == ["instrument icfat", "measure falls"]
    assert "Described by the folder itself: instrument icfat, measure falls" in repr(found)
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
    for name in ("theory", "rivals", "funding"):
        (folder / f"{name}.csv").unlink()
    assert repr(load(folder)).endswith("Missing: everything under the argument; ties, funding")
    for person in found.people["person_id"]:
        assert f" {person} " not in said
        assert person not in found._repr_html_()


def test_the_html_says_the_same_and_escapes_names(folder: Path) -> None:
    text = (folder / "programme.toml").read_text().replace("Leading together", "<script>x</script>")
    (folder / "programme.toml").write_text(text)
    html = load(folder)._repr_html_()
    assert "<script>" not in html
    assert "<dt>Missing</dt>" in html


# Every other table follows from what its model says it refers to.

IN_THE_NORTH = {
    "posts": ["P1"], "memberships": ["P1", "P1"], "characteristics": ["P1"], "talent": ["P1"],
    "interventions": ["I1", "I2"], "spread_events": ["G1", "G1"], "meetings": ["B1", "B2"],
    "meeting_attendance": ["B1", "B2"], "conflicts": ["K1"], "compacts": ["A1", "A2"], "drivers": ["O1", "O2"],
    "observations": ["L1", "L1"], "pdsa": ["D1", "D2"], "milestones": ["N1", "N2"], "adaptations": ["H1"],
    "wins": ["V1"], "actions": ["Z1", "Z2"], "support_requests": ["Q1"], "admissions": ["L1", "L1"],
    "risk_tiers": ["L1", "L1"], "findings": ["R1"], "costs": ["J1"], "benefits": ["U1"], "funding": ["W1"],
    "selections": ["Y1"], "theory": ["trust", "joint_work"], "rivals": ["fewer_admissions"],
    "burden": ["system_leadership", "icfat"], "corrections": ["events.csv"],
}  # fmt: skip


@pytest.mark.parametrize("table", sorted(IN_THE_NORTH))
def test_only_a_place_keeps_of_every_table_what_belongs_to_it(programme: Programme, table: str) -> None:
    north = programme.only(place="L1")
    assert getattr(north, table).iloc[:, 0].tolist() == IN_THE_NORTH[table]


def test_only_works_where_tables_are_missing() -> None:
    settings = Settings(name="x", starts_on=date(2024, 4, 1))
    places = pd.DataFrame({"place_id": ["L1", "L2"], "name": ["North", "South"]})
    part = Programme.build(settings=settings, tables={"places": places}).only(place="L2")
    assert part.places["place_id"].tolist() == ["L2"]
    assert [name for name in models() if part.has(name)] == ["places"]


def built(**tables: dict[str, list[object]]) -> Programme:
    """A programme of two places, each with a trust, a team and a leader, and these tables."""
    plain = {
        "places": {"place_id": ["L1", "L2"], "name": ["North", "South"]},
        "organisations": {"organisation_id": ["O1", "O2", "AQ"], "name": list("abc"), "place_id": ["L1", "L2", None]},
        "teams": {"team_id": ["T1", "T2"], "place_id": ["L1", "L2"]},
        "people": {"person_id": ["P1", "P2", "C1"], "organisation_id": ["O1", "O2", None], "kind": "participant"},
        "participants": {"participant_id": ["P1", "P2"], "team_id": ["T1", "T2"]},
    }  # fmt: skip
    frames = {name: pd.DataFrame(columns) for name, columns in {**plain, **tables}.items()}
    return Programme.build(settings=Settings(name="x", starts_on=date(2024, 4, 1)), tables=frames)


def test_a_promise_is_kept_with_its_other_party_from_outside_and_not_with_a_team_from_elsewhere() -> None:
    promises = [("AQ", "T1"), ("T1", "T2"), ("C1", "P1"), ("AQ", "T2"), ("AQ", "C1"), ("O1", "AQ"), ("O1", "P2")]
    north = built(
        compacts={
            "compact_id": [f"A{number}" for number in range(len(promises))],
            "kind": ["participants_with_each_other"] * len(promises),
            "party_a": [one for one, _ in promises],
            "party_b": [other for _, other in promises],
            "commitment": ["x"] * len(promises),
            "agreed_on": [pd.Timestamp(2024, 5, 1)] * len(promises),
        }
    ).only(place="L1")
    assert north.compacts["compact_id"].tolist() == ["A0", "A2", "A5"]
    assert north.people["person_id"].tolist() == ["P1", "C1"], "the sponsor who promised comes along, P2 does not"
    assert north.organisations["organisation_id"].tolist() == ["O1", "AQ"]


def test_an_action_stays_in_its_place_whoever_undertook_it() -> None:
    raised = {"signal": ["x"] * 4, "raised_on": [pd.Timestamp(2024, 5, 1)] * 4}
    owned = {"action_id": ["Z1", "Z2", "Z3", "Z4"], "place_id": ["L1", "L2", None, "L1"]}
    north = built(actions={**owned, **raised, "owner": ["P2", "P1", "P2", "T2"]}).only(place="L1")
    assert north.actions["action_id"].tolist() == ["Z1", "Z3"]


def test_what_a_part_names_it_lists(programme: Programme) -> None:
    """Successors, earlier employers and earlier ids come along, so that history can still be followed."""
    whole = built(
        organisations={
            "organisation_id": ["O1", "O2", "O3", "AQ"],
            "name": ["a", "b", "c", "d"],
            "place_id": ["L1", "L2", None, None],
            "successor_id": ["O3", None, None, None],
        },
        posts={"person_id": ["P1", "P2"], "organisation_id": ["AQ", "O2"]},
        respondents={"respondent_id": ["F1", "F2", "F3"], "alias_of": [None, "F1", None]},
    )
    north = whole.only(place="L1")
    assert north.organisations["organisation_id"].tolist() == ["O1", "O3", "AQ"]
    assert north.respondents.empty, "nobody of them answered"


# Who worked where, and what became of it.


def test_posts_say_where_somebody_worked_and_people_where_there_are_none(programme: Programme) -> None:
    on = {
        day: programme.organisations_on(date.fromisoformat(day)) for day in ("2023-03-31", "2023-04-01", "2021-12-31")
    }
    assert on["2023-03-31"].loc[["P1", "P2", "007"]].tolist() == ["O1", "O1", "O2"]
    assert on["2023-04-01"]["P2"] == "O2", "the last day of a post is in it, and the first"
    assert pd.isna(on["2021-12-31"]["P1"]), "P1's first post began later"
    assert on["2021-12-31"]["P2"] == "O1", "a blank start is long ago"
    assert pd.isna(on["2021-12-31"]["5E1"])
    assert on["2023-03-31"].index.tolist() == programme.people["person_id"].tolist()
    assert on["2023-03-31"].index.name == "person_id"


def test_of_two_posts_at_once_the_later_one_counts() -> None:
    starts = [pd.Timestamp(2024, 5, 1), pd.Timestamp(2023, 1, 1), None]
    found = built(posts={"person_id": ["P1"] * 3, "organisation_id": ["O2", "O1", "AQ"], "start": starts})
    assert found.organisations_on(date(2024, 6, 1))["P1"] == "O2"
    assert found.organisations_on(date(2024, 4, 30))["P1"] == "O1"
    assert found.organisations_on(date(2022, 1, 1))["P1"] == "AQ"


def bodies(*rows: tuple[str, str | None, str | None, str | None]) -> pd.DataFrame:
    said = pd.DataFrame(rows, columns=["organisation_id", "successor_id", "valid_from", "valid_to"])
    return said.assign(valid_from=pd.to_datetime(said["valid_from"]), valid_to=pd.to_datetime(said["valid_to"]))


def test_a_successor_is_followed_through_mergers_to_the_body_standing_on_the_day() -> None:
    """Three groups become a board, and boards merge; nobody's history changes."""
    chain = bodies(
        ("G1", "B1", None, "2022-06-30"),
        ("G2", "B1", None, None),
        ("B1", "B2", "2022-07-01", "2026-03-31"),
        ("B2", None, "2026-04-01", None),
        ("X", None, None, "2020-01-01"),
    )
    settings = Settings(name="x", starts_on=date(2024, 4, 1))
    found = Programme.build(settings=settings, tables={"organisations": chain.assign(name="a body")})
    assert found.successor("G1", on=date(2022, 6, 30)) == "G1"
    assert found.successor("G1", on=date(2022, 7, 1)) == "B1"
    assert found.successor("G1", on=date(2026, 4, 1)) == "B2"
    assert found.successor("G2", on=date(2022, 6, 30)) == "G2", "its end is not recorded: it stands until B1 begins"
    assert found.successor("G2", on=date(2022, 7, 1)) == "B1"
    assert found.successor("X") == "X", "it ended, and nothing followed"
    assert found.successor("G1") == found.successor("G1", on=found.as_of)
    with pytest.raises(ValueError, match="There is no organisation 'G9'"):
        found.successor("G9")


@given(st.lists(st.none() | st.sampled_from("abcde"), min_size=5, max_size=5))
def test_a_circle_of_successors_ends_somewhere(leads: list[str | None]) -> None:
    circle = bodies(*((name, later, None, None) for name, later in zip("abcde", leads, strict=True)))
    chain = {one: two for one, two in zip("abcde", leads, strict=True) if two}
    for name in "abcde":
        at = employers.standing(circle, name, date(2024, 4, 1))
        trail = employers.followed({name}, chain)
        assert at in trail
        assert at not in chain or {*chain} >= trail, "a trail with an end is followed to it"


def test_a_period_has_happened_when_its_last_day_has() -> None:
    for said, ends in (("2024-03", "2024-03-31"), ("2024/25 Q1", "2024-06-30"), ("2024/25", "2025-03-31")):
        figures = {"measure": ["discharge_delays"], "place_id": ["L1"], "period": [said], "value": [1.0]}
        assert built(outcomes=figures).as_of == date.fromisoformat(max(ends, "2024-04-01"))
