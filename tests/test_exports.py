"""What forms' websites export: answers come in, addresses do not, and nothing is passed over in silence."""

from __future__ import annotations

import re
import shutil
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalkit as ek
from data_schemas.catalogues import Misdescribed
from evalkit import workbook
from evalkit.errors import Refused
from evalkit.reading.exports import PERSONAL
from evalkit.reading.mapping import Pseudonyms, exports
from evalkit.reading.pseudonyms import key_for, make_key, pseudonym, read_key, sign
from evalkit.reading.raw import as_read
from evalkit.reading.settings import settings

HEAD = """schema = 1
name = "x"
starts_on = 2024-01-01
"""

SURVEY = """
[mapping.autumn]
file = "autumn.xlsx"
instrument = "icfat"
timing = "pre"
rater = "team_member"
subject_kind = "place"
subject = "Which place do you work in?"
subjects = { North = "P1", South = "P2" }
respondent = "Email"
wave = 1
answered_on = "Completion time"
organisation = "Your organisation"
organisations = { Trust = "O1", Council = "O2" }
drop = ["Anything else?"]

[mapping.autumn.items]
"How is leadership?" = "leadership"
"Governance" = "governance"

[mapping.autumn.answers]
"Nothing yet" = "0"
"""

ROWS: list[list[Any]] = [
    ["ID", "Start time", "Completion time", "Email", "Name", "Which place do you\xa0work in?", "How is leadership? ",
     "Governance", "Your organisation", "Anything else?"],
    [1, datetime(2024, 3, 5, 10, 1), datetime(2024, 3, 5, 10, 20), "A.Person@Example.org", "A Person", "North ", "4",
     "0 (low)", "Trust", "call me"],
    [2, datetime(2024, 3, 5, 11, 1), datetime(2024, 3, 6, 11, 9), "b@example.org", "B Person", "South", 2,
     "Nothing yet", "Council", None],
    [3, datetime(2024, 3, 5, 12, 1), datetime(2024, 3, 7, 12, 9), "anonymous", None, "North", 5, None, "Council", None],
]  # fmt: skip


def book(rows: list[list[Any]], out: Path) -> None:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    made.active.title = "Form1"
    made.save(out)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an export and a key beside it."""
    data = tmp_path / "data"
    data.mkdir()
    key = make_key(tmp_path / "our.key")
    names = f'\n[pseudonyms]\nkey = "../our.key"\ncheck = "{sign(read_key(key))}"\n'
    (data / "programme.toml").write_text(HEAD + SURVEY + names, encoding="utf-8")
    book(ROWS, data / "autumn.xlsx")
    return data


def swap(folder: Path, old: str, new: str) -> None:
    text = (folder / "programme.toml").read_text(encoding="utf-8")
    assert old in text
    (folder / "programme.toml").write_text(text.replace(old, new), encoding="utf-8")


def test_an_export_becomes_answers_without_anybody_in_it(folder: Path) -> None:
    assert ek.check(folder).empty, ek.check(folder).to_string()
    programme = ek.load(folder)
    key = read_key(folder.parent / "our.key")
    first, second = pseudonym("a.person@example.org", key), pseudonym("b@example.org", key)
    answers = programme.responses
    assert answers["respondent_id"].unique().tolist() == [first, second, "autumn-0004"]
    assert answers["subject_id"].tolist() == ["P1", "P1", "P2", "P2", "P1", "P1"]
    assert answers["item"].tolist() == ["leadership", "governance"] * 3
    assert answers["answer"].fillna(-1).tolist() == [4, 0, 2, 0, 5, -1]
    assert answers["answered_on"].dt.strftime("%Y-%m-%d").unique().tolist() == [
        "2024-03-05",
        "2024-03-06",
        "2024-03-07",
    ]
    assert programme.respondents["organisation_id"].tolist() == ["O1", "O2", "O2"]
    everything = " ".join(getattr(programme, table).to_csv() for table in ("responses", "respondents"))
    assert "@" not in everything
    assert "Person" not in everything
    assert programme.log[0].endswith("kept as pseudonyms only: Email.")
    assert programme.log[1].endswith("not kept, because they tell who somebody is: Name.")
    assert "Anything else?" in programme.log[2]
    assert programme.log[0] in programme._repr_html_(), "what was dropped is said wherever the programme is shown"


def test_the_same_person_is_the_same_in_the_next_wave_and_an_alias_joins_a_new_address(folder: Path) -> None:
    day = datetime(2024, 9, 5, 10)
    later = [[8, None, day, "a.person@example.ORG ", "A", "North", 5, 5, "Trust", None],
             [9, None, day, "b.new@council.example", "B", "South", 4, 4, "Council", None]]  # fmt: skip
    second = [ROWS[0], *later]
    book(second, folder / "spring.xlsx")
    again = SURVEY.replace("mapping.autumn", "mapping.spring").replace("autumn.xlsx", "spring.xlsx")
    with (folder / "programme.toml").open("a") as file:
        file.write(again.replace("wave = 1", "wave = 2").replace('"pre"', '"post"'))
    key = read_key(folder.parent / "our.key")
    old, new = pseudonym("b@example.org", key), pseudonym("b.new@council.example", key)
    programme = ek.load(folder)
    by_wave = programme.responses.groupby("wave")["respondent_id"].unique()
    assert by_wave[2].tolist() == [by_wave[1][0], new]
    assert len(programme.respondents) == 4, "listed once, whatever they answer"
    (folder / "respondents.csv").write_text(f"respondent_id,alias_of\n{old},\n{new},{old}\n")
    programme = ek.load(folder)
    assert set(programme.responses["respondent_id"]) == {by_wave[1][0], old, "autumn-0004"}
    assert any("2 answers of respondents with a later id" in line for line in programme.log)


def test_an_alias_that_answers_twice_is_a_repeat(folder: Path) -> None:
    key = read_key(folder.parent / "our.key")
    one, other = pseudonym("a.person@example.org", key), pseudonym("b@example.org", key)
    (folder / "respondents.csv").write_text(f"respondent_id,alias_of\n{one},\n{other},{one}\n")
    book([ROWS[0], ROWS[1], [*ROWS[2][:5], "North", *ROWS[2][6:]]], folder / "autumn.xlsx")
    problems = ek.check(folder)
    assert problems["row"].tolist() == [3]
    assert "repeats row 2" in problems["problem"][0]


@pytest.mark.parametrize(
    ("row", "column", "value", "where", "words"),
    [
        (2, 7, "7", "How is leadership?  (G)", "off the scale"),
        (2, 8, "a little", "Governance (H)", "not a number"),
        (3, 6, "West", "Which place do you\xa0work in? (F)", "does not say what this word means"),
        (3, 9, "The Trust", "Your organisation (I)", "does not say what this word means"),
        (2, 4, "A Person", "Email (D)", "no address"),
        (2, 3, "5/3/2024 10:20", "Completion time (C)", "Which of the figures is the day"),
    ],
)
def test_each_fault_is_named_where_it_stands_in_the_export(
    folder: Path, row: int, column: int, value: str, where: str, words: str
) -> None:
    made = openpyxl.load_workbook(folder / "autumn.xlsx")
    made.active.cell(row, column).value = value
    made.save(folder / "autumn.xlsx")
    problems = ek.check(folder)
    assert [(p.file, p.row, p.column) for p in problems.itertuples()] == [("autumn.xlsx, sheet Form1", row, where)]
    assert words in problems["problem"][0]
    assert "A Person" not in problems.to_string() or column != 4, "who somebody is stays out of the list of problems"


def test_columns_nobody_spoke_of_and_columns_that_are_not_there_are_named(folder: Path) -> None:
    swap(folder, 'drop = ["Anything else?"]', "")
    swap(folder, '"Governance" = ', '"Governance of it" = ')
    problems = ek.check(folder)
    assert problems["row"].tolist() == [1, 1, 1]
    assert problems["column"].tolist() == ["", "Governance (H)", "Anything else? (J)"]
    assert "not there" in problems["problem"][0]


def test_dates_in_figures_are_read_only_in_the_order_the_mapping_says(folder: Path) -> None:
    rows = [row.copy() for row in ROWS]
    rows[1][2], rows[2][2], rows[3][2] = "05/03/2024 10:20", "31/3/24 1:02 PM", "2024-03-07T12:09:00Z"
    book(rows, folder / "autumn.xlsx")
    assert ek.check(folder)["column"].tolist() == ["Completion time (C)"] * 2
    swap(folder, "wave = 1", 'wave = 1\ndates = "day first"')
    days = ek.load(folder).responses["answered_on"].dt.strftime("%Y-%m-%d").unique().tolist()
    assert days == ["2024-03-05", "2024-03-31", "2024-03-07"]
    swap(folder, '"day first"', '"month first"')
    assert "There is no month 31" in ek.check(folder)["problem"][0]


def test_questions_with_several_answers_to_tick(tmp_path: Path) -> None:
    (tmp_path / "programme.toml").write_text(
        HEAD
        + """
[mapping.styles]
file = "styles.csv"
instrument = "leadership_styles"
timing = "pre"
rater = "self"
subject_kind = "person"
respondent = "Code"
respondent_is = "id"
[mapping.styles.choices."Which styles do you use most?"]
"Pacesetting" = "pacesetting"
"Coaching" = "coaching"
"""
    )
    (tmp_path / "styles.csv").write_text(
        "Code,Which styles do you use most?\n007,Pacesetting;Coaching;\n008,coaching \n009,\n", encoding="utf-8"
    )
    assert ek.check(tmp_path).empty, ek.check(tmp_path).to_string()
    answers = ek.load(tmp_path).responses.pivot(index="respondent_id", columns="item", values="answer")
    assert answers.loc["007"].tolist() == [1, 1]
    assert answers.loc["008", ["coaching", "pacesetting"]].tolist() == [1, 0]
    assert answers.loc["009"].isna().all(), "who ticked nothing answered nothing"
    (tmp_path / "styles.csv").write_text("Code,Which styles do you use most?\n007,Shouting;Coaching;\n")
    problems = ek.check(tmp_path)
    assert [(p.file, p.row, p.column) for p in problems.itertuples()] == [
        ("styles.csv", 2, "Which styles do you use most?")
    ]
    assert "does not know one of the options" in problems["problem"][0]
    assert "Shouting" not in problems.to_string(), "what somebody wrote beside Other is not repeated"


def test_one_file_may_ask_two_questionnaires(folder: Path) -> None:
    rows = [[*row, extra] for row, extra in zip(ROWS, ["Shared vision", 3, 4, 5], strict=True)]
    book(rows, folder / "autumn.xlsx")
    assert ek.check(folder)["column"].tolist() == ["Shared vision (K)"]
    item = ek.load("sample_data/salford").instruments["five_factors"].items[0].key
    with (folder / "programme.toml").open("a") as file:
        file.write(
            f"""
[mapping.factors]
file = "autumn.xlsx"
instrument = "five_factors"
timing = "pre"
rater = "team_member"
subject_kind = "team"
subject_id = "T1"
respondent = "Email"
[mapping.factors.items]
"Shared vision" = "{item}"
"""
        )
    assert ek.check(folder).empty, ek.check(folder).to_string()
    counts = ek.load(folder).responses["instrument"].value_counts().to_dict()
    assert counts == {"icfat": 6, "five_factors": 3}


def test_the_key_is_outside_the_folder_the_same_as_before_and_long_enough(folder: Path, tmp_path: Path) -> None:
    assert key_for(folder, Pseudonyms(key="../our.key", check=sign(read_key(tmp_path / "our.key"))))
    for said, words in (
        (Pseudonyms(), "with which key"),
        (Pseudonyms(key="our.key"), "lies in the data folder"),
        (Pseudonyms(key="../nowhere.key"), "is not there"),
        (Pseudonyms(key="../our.key"), "which key it is"),
        (Pseudonyms(key="../our.key", check="00000000"), "not the key"),
    ):
        with pytest.raises(Misdescribed, match=words):
            key_for(folder, said)
    (tmp_path / "short.key").write_text("secret")
    with pytest.raises(Misdescribed, match="too short"):
        read_key(tmp_path / "short.key")
    with pytest.raises(Refused, match="there already"):
        make_key(tmp_path / "our.key")


def test_without_its_key_nothing_is_loaded_and_only_the_key_is_blamed(folder: Path) -> None:
    (folder.parent / "our.key").unlink()
    problems = ek.check(folder)
    assert problems["file"].tolist() == ["programme.toml"]
    assert "is not there" in problems["problem"][0]


def test_a_file_the_mapping_names_that_is_not_here(folder: Path) -> None:
    (folder / "autumn.xlsx").unlink()
    problems = ek.check(folder)
    assert problems["file"].tolist() == ["programme.toml"]
    assert problems["value"].tolist() == ["autumn.xlsx"]


@given(st.emails(), st.emails())
def test_a_pseudonym_tells_addresses_apart_and_nothing_else(one: str, other: str) -> None:
    key = b"k" * 64
    assert re.fullmatch("R[0-9a-f]{12}", pseudonym(one, key))
    same = one.strip().casefold() == other.strip().casefold()
    assert (pseudonym(one, key) == pseudonym(other, key)) == same
    assert pseudonym(one, key) != pseudonym(one, b"j" * 64)
    assert pseudonym(f" {one.upper()} ", key) == pseudonym(one.upper(), key)


def test_headings_that_tell_who_somebody_is_are_never_kept_whatever_the_mapping_says(folder: Path) -> None:
    assert {"email", "name", "ip address"} <= PERSONAL
    swap(folder, 'drop = ["Anything else?"]', 'drop = ["Anything else?", "Name"]')
    assert "Name" in ek.load(folder).log[1]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('organisation = "Your organisation"', 'organisation = "Name"', "keeps a column that tells who somebody is"),
        ('"Governance" = "governance"', '"Name" = "governance"', "keeps a column that tells who somebody is"),
        ('respondent = "Email"', 'respondent = "Email"\nrespondent_is = "id"', "keeps a column that tells who"),
    ],
)
def test_who_somebody_is_cannot_be_mapped_to_anything_else(folder: Path, old: str, new: str, words: str) -> None:
    swap(folder, old, new)
    problems = ek.check(folder)
    assert words in " ".join(problems["problem"])
    assert "Person" not in " ".join(problems["value"])
    assert "@" not in " ".join(problems["value"])


@pytest.mark.parametrize(
    "address",
    ["ann@example.org\u200b", "Ann <ann@example.org>", "mailto:ann@example.org", "ann@example.org;", "an n@example.org",
     "ann@example", "@example.org"],
)  # fmt: skip
def test_an_address_stands_alone_or_is_none(folder: Path, address: str) -> None:
    book([ROWS[0], [*ROWS[1][:3], address, *ROWS[1][4:]]], folder / "autumn.xlsx")
    (problem,) = ek.check(folder).itertuples()
    assert problem.problem == "This is no address."
    assert problem.value == ""


def test_a_subject_given_by_address_becomes_a_pseudonym_by_the_same_key(folder: Path) -> None:
    swap(folder, 'subject_kind = "place"', 'subject_kind = "team"')
    swap(folder, 'subjects = { North = "P1", South = "P2" }\n', "")
    rows = [[*row] for row in ROWS]
    for row, who in zip(rows[1:], ("b@example.org", "a.person@example.org", "B@Example.org "), strict=True):
        row[5] = who
    book(rows, folder / "autumn.xlsx")
    problems = ek.check(folder)
    assert set(problems["problem"]) == {"An address stands where an id belongs."}
    assert set(problems["value"]) == {""}
    swap(folder, 'subject_kind = "team"', 'subject_kind = "team"\nsubject_is = "address"')
    answers = ek.load(folder).responses
    one, other = (
        pseudonym(who, read_key(folder.parent / "our.key")) for who in ("a.person@example.org", "b@example.org")
    )
    assert answers["subject_id"].tolist() == [other, other, one, one, other, other]


def test_two_headings_alike_but_for_a_space_are_named(folder: Path) -> None:
    book([[*row, extra] for row, extra in zip(ROWS, ["governance ", 1, 2, 3], strict=True)], folder / "autumn.xlsx")
    assert "same as 'Governance'" in ek.check(folder)["problem"].iloc[0]


def test_an_item_nobody_asks_is_named_once_at_the_mapping(folder: Path) -> None:
    swap(folder, '"Governance" = "governance"', '"Governance" = "goverance"')
    (problem,) = ek.check(folder).itertuples()
    assert (problem.file, problem.value) == ("programme.toml", "goverance")
    assert "'governance'" in problem.remedy


def test_many_respondents_are_listed_in_no_time(folder: Path) -> None:
    rows = [ROWS[0]] + [[*ROWS[1][:3], f"p{at}@example.org", *ROWS[1][4:]] for at in range(4000)]
    book(rows, folder / "autumn.xlsx")
    began = time.perf_counter()
    assert len(ek.load(folder).respondents) == 4000
    assert time.perf_counter() - began < 20


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"file": "a.xlsx"}, "does not say its 'instrument'"),
        ({"respondent_is": "name"}, "not one of its words"),
        ({"subject": "a", "subject_id": "b"}, "says the subject twice"),
        ({"items": {}}, "maps no question"),
        ({"wave": "one"}, "not a whole number"),
        ({"colour": "red"}, "which nothing reads"),
        ({"items": {"Q": 1}}, "not a text"),
        ({"items": {"Q": "leadership", "R": "leadership"}}, "two questions"),
        ({"subject_is": "name"}, "not one of its words"),
    ],
)
def test_a_mapping_that_does_not_hold_together_is_refused_by_name(said: dict[str, Any], words: str) -> None:
    whole = {
        "file": "a.xlsx", "instrument": "icfat", "timing": "pre", "rater": "self", "subject_kind": "place",
        "items": {"Q": "leadership"},
    }  # fmt: skip
    described = said if "file" in said else whole | said
    with pytest.raises(Misdescribed, match=re.escape(words)):
        exports({"one": described})


def test_settings_hold_mappings(folder: Path) -> None:
    assert settings({"schema": 1, "name": "x", "starts_on": datetime(2024, 1, 1).date()}).mapping == ()
    assert ek.load(folder).settings.mapping[0].items["Governance"] == "governance"


def test_forms_and_waves_on_sheets_and_files_of_their_own(folder: Path, tmp_path: Path) -> None:
    """Adding a wave to last year's folder is one new sheet, or one new file."""
    target = tmp_path / "plain"
    shutil.copytree(Path(__file__).parent / "broken" / "clean", target)
    before = len(ek.load(target).responses)
    (target / "responses wave 3.csv").write_text(
        "respondent_id,subject_kind,subject_id,rater,instrument,item,wave,timing,answer\n"
        "P1,person,P1,self,system_leadership,ie_1,,followup,4\n"
    )
    (target / "form icfat.csv").write_text(
        "respondent_id,subject_kind,subject_id,rater,timing,Leadership [leadership],governance\n"
        "P1,place,L1,self,then,3,\n"
    )
    assert ek.check(target).empty, ek.check(target).to_string()
    responses = ek.load(target).responses
    assert len(responses) == before + 1 + 2
    assert responses["answer"].iloc[-2:].fillna(-1).tolist() == [3, -1]
    (target / "responses wave 3.csv").write_text(
        "respondent_id,subject_kind,subject_id,rater,instrument,edition,item,wave,timing,answer\n"
        "P1,person,P1,self,system_leadership,2015,ie_1,1,pre,4\n"
    )
    (problem,) = ek.check(target).itertuples()
    assert (problem.file, problem.row) == ("responses wave 3.csv", 2)
    assert "repeats row 2 of responses.csv" in problem.problem


def test_frames_stay_typed_when_a_table_comes_from_several_files(tmp_path: Path) -> None:
    target = tmp_path / "plain"
    shutil.copytree(Path(__file__).parent / "broken" / "clean", target)
    whole = ek.load(target)
    lines = (target / "people.csv").read_text().splitlines(keepends=True)
    (target / "people.csv").write_text("".join(lines[:3]))
    (target / "people later.csv").write_text(lines[0] + "".join(lines[3:]))
    pd.testing.assert_frame_equal(
        ek.load(target).people.sort_values("person_id", ignore_index=True),
        whole.people.sort_values("person_id", ignore_index=True),
    )


def test_a_marked_copy_of_an_export_hides_who_somebody_is(folder: Path, tmp_path: Path) -> None:
    made = openpyxl.load_workbook(folder / "autumn.xlsx")
    made.active.cell(2, 7).value = "7"
    made.active.cell(3, 4).value = "B Person"
    made.save(folder / "autumn.xlsx")
    problems = ek.check(folder)
    marked = workbook.marked(tmp_path / "marked.xlsx", problems, as_read(folder, set(problems["file"])))
    cells = [str(cell.value) for sheet in openpyxl.load_workbook(marked) for row in sheet.iter_rows() for cell in row]
    assert "(hidden)" in cells
    assert not [text for text in cells if "@" in text or "Person" in text]
