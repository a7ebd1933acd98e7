"""Spreadsheets: whatever the text, nothing in them runs, and what goes in comes out."""

from __future__ import annotations

import io
from datetime import date

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit import spreadsheet

NASTY = [f"{start}1+1" for start in spreadsheet.FORMULA_STARTS] + [
    "=cmd|' /C calc'!A0", "{=1+1}", "http://example.org", "mailto:x", "file:///etc", "007", "5E1", "3.0", "",
]  # fmt: skip


def book(frame: pd.DataFrame) -> openpyxl.Workbook:
    page = spreadsheet.workbook({"Numbers": frame}, said_on=date(2026, 3, 31), title="Test")
    return openpyxl.load_workbook(io.BytesIO(page))


@pytest.mark.parametrize("text", NASTY)
def test_text_stays_text(text: str) -> None:
    sheet = book(pd.DataFrame({text or "blank": [text], "n": [3]}))["Numbers"]
    kept = text.replace("\r", "_x000D_")  # how a workbook spells it
    assert [cell.value for cell in sheet[1]] == [kept or "blank", "n"]
    assert sheet.cell(2, 1).value == kept
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    assert sheet.cell(2, 1).hyperlink is None


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20), max_size=5))
def test_no_text_becomes_a_formula(texts: list[str]) -> None:
    sheet = book(pd.DataFrame({"text": pd.Series(texts, dtype="object")}))["Numbers"]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert [cell.value or "" for (cell,) in sheet.iter_rows(min_row=2)] == texts[: sheet.max_row - 1]


def test_kinds_keep_their_kind_and_a_missing_value_is_a_blank_cell() -> None:
    frame = pd.DataFrame(
        {
            "n": pd.array([3, None], dtype="Int64"),
            "estimate": [0.25, float("nan")],
            "on": pd.to_datetime(["2026-03-31", None]),
            "yes": pd.array([True, None], dtype="boolean"),
            "word": ["a", None],
            "last": ["b", "c"],
        }
    )
    first, second = book(frame)["Numbers"].iter_rows(min_row=2, values_only=True)
    assert first[:2] == (3, 0.25)
    assert first[2].date() == date(2026, 3, 31)
    assert first[3:] == (True, "a", "b")
    assert second == (None,) * 5 + ("c",)


def test_an_empty_frame_is_its_headings() -> None:
    sheet = book(pd.DataFrame({"measure": [], "n": []}))["Numbers"]
    assert [cell.value for cell in sheet[1]] == ["measure", "n"]
    assert sheet.max_row == 1


def test_csv_marks_text_that_excel_would_run_and_leaves_numbers_alone() -> None:
    page = spreadsheet.plain_csv(pd.DataFrame({"text": ["=1+1", "-x", "fine"], "n": [-1, 2, 3]}))
    assert page.splitlines() == ["text,n", "'=1+1,-1", "'-x,2", "fine,3"]
