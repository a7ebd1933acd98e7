"""Workbooks as people's programs leave them: what cannot be read is named, what lies beside the data costs nothing."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import xlsxwriter

import evalkit as ek
from evalkit import workbook
from evalkit.errors import Refused
from evalkit.reading import grids
from evalkit.reading.raw import as_read

Rows = Sequence[Sequence[Any]]

TOML = 'schema = 1\nname = "x"\nstarts_on = 2024-01-01\n'
SETTINGS: Rows = [["setting", "value"], ["schema", 1], ["name", "x"], ["starts_on", datetime(2024, 1, 1)]]
PEOPLE: Rows = [["person_id", "kind"], ["P1", "participant"], ["P2", "participant"]]
ANSWERS: Rows = [
    ["respondent_id", "subject_kind", "subject_id", "rater", "instrument", "item", "wave", "timing", "answer"],
    *(
        [person, "place", "L1", "team_member", "icfat", "leadership", 1, "pre", 3]
        for person in ("P1", "P2", "P3", "F1")
    ),
]


def write(path: Path, sheets: dict[str, Rows], change: Callable[[Any], None] = lambda book: None) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    change(book)
    book.save(path)
    return path


def repacked(path: Path, change: Callable[[str, bytes], bytes]) -> Path:
    """The same workbook with other bytes in its parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as packed, zipfile.ZipFile(out, "w") as again:
        for name in packed.namelist():
            again.writestr(name, change(name, packed.read(name)))
    path.write_bytes(out.getvalue())
    return path


def said(problems: pd.DataFrame) -> list[tuple[str, int | None, str, str]]:
    return [(p.file, None if pd.isna(p.row) else p.row, p.column, p.problem) for p in problems.itertuples()]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return write(tmp_path / "b.xlsx", {"programme": SETTINGS, "people": PEOPLE})


def test_strict_open_xml_is_named(book: Path) -> None:
    said_so = {
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main": b"http://purl.oclc.org/ooxml/spreadsheetml/main",
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships": (
            b"http://purl.oclc.org/ooxml/officeDocument/relationships"
        ),
    }
    for old, new in said_so.items():
        repacked(book, lambda _, part, old=old, new=new: part.replace(old, new))  # type: ignore[misc]
    (problem,) = said(ek.check(book))
    assert "Strict Open XML" in problem[3]


@pytest.mark.parametrize("prefix", ["", "x:"])
def test_a_formula_never_worked_out_is_named_whatever_the_prefix(book: Path, prefix: str) -> None:
    def plant(name: str, part: bytes) -> bytes:
        if not name.endswith("sheet2.xml"):
            return part
        part = part.replace(b"</row></sheetData>", b'<c r="C3"><f>1+1</f></c></row></sheetData>')
        if prefix:
            part = part.replace(b"xmlns=", b"xmlns:x=").replace(b"</", b"<//").replace(b"<", b"<x:")
            part = part.replace(b"<x://", b"</x:").replace(b"<x:?xml", b"<?xml")
        return part

    repacked(book, plant)
    assert [(p[1], p[3]) for p in said(ek.check(book))] == [
        (3, "The cell holds a formula whose value was never worked out.")
    ]


def test_a_formula_worked_out_to_nothing_is_blank(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    with xlsxwriter.Workbook(str(path)) as made:
        for title, rows in {"programme": [*SETTINGS[:3], ["starts_on", "2024-01-01"]], "people": PEOPLE}.items():
            sheet = made.add_worksheet(title)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
        sheet.write(0, 2, "organisation_id")
        sheet.write_formula(1, 2, '=IF(1=1,"","O1")', None, "EMPTY")
    repacked(path, lambda name, part: part.replace(b"<v>EMPTY</v>", b"<v></v>"))
    assert ek.check(path).empty
    assert ek.load(path).people["organisation_id"].isna().all()


@pytest.mark.parametrize("far", ["A1048576", "XFD20", "XFD1048576"])
def test_a_stray_space_far_away_costs_nothing(tmp_path: Path, far: str) -> None:
    def plant(filled: Any) -> None:
        filled["people"][far] = " "

    path = write(tmp_path / "b.xlsx", {"programme": SETTINGS, "people": PEOPLE}, plant)
    begun = time.perf_counter()
    assert ek.check(path).empty
    assert len(as_read(path, {"b.xlsx, sheet people"})["b.xlsx, sheet people"]) == 3
    assert time.perf_counter() - begun < 5


def test_a_word_far_away_is_named(tmp_path: Path) -> None:
    def plant(filled: Any) -> None:
        filled["people"]["XFD1048576"] = "x"

    path = write(tmp_path / "b.xlsx", {"programme": SETTINGS, "people": PEOPLE}, plant)
    (problem,) = said(ek.check(path))
    assert problem[0] == "b.xlsx, sheet people"
    assert "XFD1048576" in problem[3]


@pytest.mark.parametrize("at", range(0, 100, 7))
def test_a_damaged_workbook_gives_no_traceback(book: Path, at: int) -> None:
    content = bytearray(book.read_bytes())
    start = len(content) * at // 100
    content[start : start + 20] = bytes(range(20))
    book.write_bytes(bytes(content))
    ek.check(book)


def test_what_openpyxl_warns_of_is_not_said(book: Path) -> None:
    extra = b'<extLst><ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}"/></extLst></worksheet>'
    repacked(book, lambda name, part: part.replace(b"</worksheet>", extra) if "sheet2" in name else part)
    assert ek.check(book).empty  # warnings are errors in these tests


def test_it_is_parsed_once(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[bool] = []
    load = grids._load

    def counted(content: bytes, *, values: bool) -> Any:
        loads.append(values)
        return load(content, values=values)

    monkeypatch.setattr(grids, "_load", counted)
    grids.grids.cache_clear()
    ek.check(book)
    as_read(book, {"b.xlsx, sheet people"})
    assert loads == [True]


def test_a_sheet_that_could_not_be_read_floods_nothing(tmp_path: Path) -> None:
    twice = [["person_id", "kind", "kind"], ["P1", "participant", None]]
    sheets = {"programme": SETTINGS, "people": twice, "respondents": [["respondent_id"], ["F1"]], "responses": ANSWERS}
    problems = ek.check(write(tmp_path / "b.xlsx", sheets))
    assert said(problems) == [("b.xlsx, sheet people", 1, "kind", "Two columns have this heading.")]


@pytest.mark.parametrize("name", ["people.xlsx", "data.xlsx"])
def test_a_workbook_that_could_not_be_read_floods_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "programme.toml").write_text(TOML)
    (tmp_path / name).write_bytes(b"PK\x03\x04junk")
    write(tmp_path / "rest.xlsx", {"respondents": [["respondent_id"], ["F1"]], "responses": ANSWERS})
    assert said(ek.check(tmp_path)) == [(name, None, "", "This is not an Excel workbook.")]


def test_a_settings_sheet_that_could_not_be_read_is_not_said_to_be_missing(tmp_path: Path) -> None:
    twice = [["setting", "value", "value"], *SETTINGS[1:]]
    problems = ek.check(write(tmp_path / "b.xlsx", {"programme": twice, "people": PEOPLE}))
    assert said(problems) == [("b.xlsx, sheet programme", 1, "value", "Two columns have this heading.")]


def test_an_export_that_could_not_be_read_is_not_said_to_be_away(tmp_path: Path) -> None:
    mapping = (
        '[mapping.autumn]\nfile = "autumn.xlsx"\ninstrument = "icfat"\ntiming = "pre"\nrater = "team_member"\n'
        'subject_kind = "place"\nsubject_id = "L1"\n[mapping.autumn.items]\n"How?" = "leadership"\n'
    )
    (tmp_path / "programme.toml").write_text(TOML + mapping)
    write(tmp_path / "autumn.xlsx", {"Form1": [["How?", "How?"], [1, 2]]})
    assert said(ek.check(tmp_path)) == [("autumn.xlsx, sheet Form1", 1, "How?", "Two columns have this heading.")]


def test_two_settings_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "programme.toml").write_text(TOML)
    write(tmp_path / "b.xlsx", {"programme": [*SETTINGS[:2], ["name", "Other"]], "people": PEOPLE})
    (problem,) = said(ek.check(tmp_path))
    assert problem[3].startswith("Both programme.toml and this sheet")
    write(tmp_path / "b.xlsx", {"programme": [*SETTINGS[:2], ["name", None]], "people": PEOPLE})
    assert ek.check(tmp_path).empty, "a template's sheet says its schema and nothing else"


@pytest.mark.parametrize("name", ["people - Copy.csv", "people - Copy (2).csv", "people (1).csv", "admissions(1).csv"])
def test_copies_are_named_and_not_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "programme.toml").write_text(TOML)
    for file in ("people.csv", name):
        (tmp_path / file).write_text("person_id,kind\nP1,participant\n")
    (problem,) = said(ek.check(tmp_path))
    assert problem[0] == name
    assert "looks like a copy" in problem[3]
    (tmp_path / name).rename(tmp_path / "people wave 3.csv")
    assert "repeats row 2" in said(ek.check(tmp_path))[0][3], "renamed it is read"


def test_a_copied_sheet_is_named_and_a_book_asked_for_by_name_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "b (1).xlsx", {"programme": SETTINGS, "people": PEOPLE})
    assert ek.check(path).empty
    path = write(path, {"programme": SETTINGS, "people": PEOPLE, "people (2)": PEOPLE})
    assert [p[0] for p in said(ek.check(path))] == ["b (1).xlsx, sheet people (2)"]


SLIPS: list[tuple[list[list[Any]], int, str, str]] = [
    ([["name", "y"]], 5, "setting (A)", "given twice: row 3"),
    ([["fictional", "maybe"]], 5, "value (B)", "neither yes nor no"),
    ([["minimum_group", "5 people"]], 5, "value (B)", "not a number"),
    ([["minimum_group", 0.5]], 5, "value (B)", "not whole"),
    ([["minimum_group", 0]], 5, "value (B)", "below 1"),
    ([["as_of", "1/4/2024"]], 5, "value (B)", "ambiguous"),
    ([["as_of", datetime(2024, 4, 1, 9)]], 5, "value (B)", "time of day"),
    ([["as_of", 45383]], 5, "value (B)", "perhaps 1 April 2024"),
    ([["audience", "everyone"]], 5, "value (B)", "audience"),
    ([["nmae", "x"]], 5, "setting (A)", "No setting of this name"),
    ([["people.payed_by", "x"]], 5, "value (B)", "payed_by"),
    ([["plan.lag_months.icfat", "six"]], 5, "value (B)", "not a number"),
]


@pytest.mark.parametrize(("rows", "row", "column", "words"), SLIPS)
def test_a_slip_in_the_settings_sheet_is_named_at_its_cell(
    tmp_path: Path, rows: list[list[Any]], row: int, column: str, words: str
) -> None:
    problems = ek.check(write(tmp_path / "b.xlsx", {"programme": [*SETTINGS, *rows], "people": PEOPLE}))
    (problem,) = said(problems)
    assert problem[:3] == ("b.xlsx, sheet programme", row, column)
    assert words in problem[3]
    assert "toml" not in problem[3] + problems["remedy"][0]
    assert "quotes" not in problems["remedy"][0]


def test_what_the_settings_sheet_leaves_blank_is_named(tmp_path: Path) -> None:
    problems = ek.check(write(tmp_path / "b.xlsx", {"programme": SETTINGS[:2], "people": PEOPLE}))
    assert problems["remedy"].str.contains(r"Fill in the row (?:name|starts_on)").all()
    assert len(problems) == 2


@pytest.mark.parametrize("above", [[["Our people, 2024"], []], [[None, None]]])
def test_headings_below_a_title_are_one_problem(tmp_path: Path, above: Rows) -> None:
    path = write(tmp_path / "b.xlsx", {"programme": SETTINGS, "people": [*above, *PEOPLE]})
    (problem,) = said(ek.check(path))
    assert problem[:2] == ("b.xlsx, sheet people", len(above) + 1)
    assert f"headings are in row {len(above) + 1}" in problem[3]


@pytest.mark.parametrize("above", ["Our people\n", "Our people,\n", "\n", ",\n\n"])
def test_headings_below_a_title_in_a_csv_file_too(tmp_path: Path, above: str) -> None:
    (tmp_path / "programme.toml").write_text(TOML)
    (tmp_path / "people.csv").write_text(f"{above}person_id,kind\nP1,participant\nP2,participant\n")
    (problem,) = said(ek.check(tmp_path))
    assert "headings are in row" in problem[3]


def test_a_column_without_heading_is_named_by_its_letter_and_marked(tmp_path: Path) -> None:
    people = [["person_id", "kind", None], ["P1", "participant", "x"]]
    path = write(tmp_path / "b.xlsx", {"programme": SETTINGS, "people": people})
    problems = ek.check(path)
    assert said(problems) == [("b.xlsx, sheet people", 1, "(C)", "Column C has cells and no heading.")]
    out = workbook.marked(tmp_path / "m.xlsx", problems, as_read(path, set(problems["file"])))
    assert openpyxl.load_workbook(out)["people"]["C1"].comment is not None


@pytest.mark.parametrize("title", ["Form responses 1", "Form1"])
def test_a_websites_sheet_is_sent_to_the_mapping(tmp_path: Path, title: str) -> None:
    sheets: dict[str, Rows] = {"programme": SETTINGS, "people": PEOPLE, title: [["Timestamp", "How?"], ["x", 1]]}
    problems = ek.check(write(tmp_path / "b.xlsx", sheets))
    assert len(problems) == 1
    assert "website exported" in problems["problem"][0]
    assert "[mapping]" in problems["remedy"][0]


@pytest.mark.parametrize(("id", "character"), [("P1\u200b", "U+200B"), ("P\xa01", "U+00A0"), ("\ufeffP6", "U+FEFF")])
def test_ids_with_characters_nobody_sees_are_named(tmp_path: Path, id: str, character: str) -> None:
    problems = ek.check(write(tmp_path / "b.xlsx", {"programme": SETTINGS, "people": [*PEOPLE, [id, "participant"]]}))
    (problem,) = said(problems)
    assert problem[1:3] == (4, "person_id (A)")
    assert character in problem[3]
    assert not set(problems["remedy"][0]) & set("\u200b\xa0\ufeff")


def test_a_cell_may_be_longer_than_the_csv_module_likes(tmp_path: Path) -> None:
    (tmp_path / "programme.toml").write_text(TOML)
    long = "word " * 40_000
    (tmp_path / "excerpts.csv").write_text(
        f'excerpt_id,kind,collected_on,text,consent\nX1,interview,2024-13-04,"{long}.",use\nX2,interview\n'
    )
    assert [p[1] for p in said(ek.check(tmp_path))] == [3], "the uneven row is found behind the long cell"
    (rows,) = as_read(tmp_path, {"excerpts.csv"}).values()
    assert rows[1][3] == f"{long}."


def test_another_key_is_noticed(tmp_path: Path) -> None:
    from evalkit.reading.pseudonyms import make_key, read_key, sign

    folder, key = tmp_path / "data", make_key(tmp_path / "keys" / "k.txt")
    right = key.read_text(encoding="utf-8")
    folder.mkdir()
    pseudonyms = f'[pseudonyms]\nkey = "../keys/k.txt"\ncheck = "{sign(read_key(key))}"\n'
    mapping = (
        '[mapping.autumn]\nfile = "autumn.csv"\ninstrument = "icfat"\ntiming = "pre"\nrater = "team_member"\n'
        'subject_kind = "place"\nsubject_id = "L1"\nrespondent = "Email"\n'
        '[mapping.autumn.items]\n"How?" = "leadership"\n'
    )
    (folder / "programme.toml").write_text(TOML + pseudonyms + mapping)
    (folder / "autumn.csv").write_text("Email,How?\na@example.org,3\n")
    before = ek.check(folder)
    key.write_text("0" * 64)
    assert "not the key" in " ".join(ek.check(folder)["problem"])
    key.write_text(right)
    pd.testing.assert_frame_equal(ek.check(folder), before)


def test_a_template_for_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no folder 'nowhere'"):
        workbook.template(tmp_path / "t.xlsx", folder=tmp_path / "nowhere")
