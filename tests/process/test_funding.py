"""process.funding: pounds by year, kind and source as they were granted, and whether anything follows."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.process.funding import year_of
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.terms import Audience


def asked(*lines: tuple[str, str | None, str, float], as_of: date = date(2025, 3, 31)) -> Result:
    rows = [{"funding_id": f"F{k}", "source": source, "kind": kind, "year": year, "amount": float(amount)}
            for k, (source, kind, year, amount) in enumerate(lines)]  # fmt: skip
    settings = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=as_of, fictional=True)
    return ek.process.funding(Programme.build(settings=settings, tables={"funding": pd.DataFrame(rows)}))


def row(found: Result, measure: str, group: str = "all") -> dict[str, Any]:
    table = found.table
    (held,) = table[(table["measure"] == measure) & (table["group"] == group)].to_dict("records")
    return held


LINES = (
    ("Fund", "transitional", "2024/25", 300.0),
    ("Fund", "recurrent", "2024/25", 100.0),
    ("Budget", "recurrent", "2025/26", 100.0),
    ("Gift", None, "2023/24", 500.0),
)


def test_pounds_by_year_kind_and_source():
    found = asked(*LINES)
    assert row(found, "All money")["estimate"] == 1000
    assert [row(found, "All money", year)["estimate"] for year in ("2023/24", "2024/25", "2025/26")] == [500, 400, 100]
    assert row(found, "Recurrent")["estimate"] == 200
    assert row(found, "Recurrent", "2025/26")["n"] == 1
    assert row(found, "Kind not recorded", "2023/24")["estimate"] == 500
    assert row(found, "Fund")["estimate"] == 400
    assert (row(found, "Fund")["last_year"], row(found, "Budget")["last_year"]) == ("2024/25", "2025/26")
    assert set(found.table.loc[found.table["measure"] == "Fund", "unit"]) == {"£"}
    sources = found.table[found.table["by"] == "source"]["measure"].unique().tolist()
    assert sources == ["Budget", "Fund", "Gift"]


def test_the_share_that_recurs_is_by_the_pound():
    found = asked(*LINES)
    held = row(found, "Share recurrent")
    assert held["estimate"] == pytest.approx(20)  # 200 of 1,000 pounds, although 2 of 4 lines
    assert (held["n"], held["out_of"]) == (2, 4)
    assert "£1,000 granted, 20% of it recurrent" in found.headline
    assert any("kind was not recorded" in caution for caution in found.caveats)


@pytest.mark.parametrize(
    ("coming", "sign"),
    [((), "not recorded"), ((("Fund", "other", "2025/26", 7.0),), "uncertain"),
     ((("Fund", "recurrent", "2025/26", 7.0),), "working"), ((("Fund", "recurrent", "2025/26", 0.0),), "not recorded"),
     ((("Fund", "recurrent", "2026/27", 7.0),), "not recorded")],
)  # fmt: skip
def test_what_is_recorded_for_the_year_after_the_data_end(coming, sign):
    found = asked(("Grant", "start_up", "2024/25", 10.0), *coming)
    held = row(found, "Recorded for the year to come")
    assert held["sign"] == sign
    assert held["ask"].endswith("?") == (sign != "working")
    if sign == "not recorded":
        assert pd.isna(held["estimate"])
        assert "Nothing is recorded for 2025/26" in found.reading


def test_one_line_of_no_pounds():
    found = asked(("Grant", None, "2024/25", 0.0))
    assert pd.isna(row(found, "Share recurrent")["estimate"])
    assert found.headline == "£0 granted"


def test_many_sources_are_counted_in_the_sentence_and_named_in_the_table():
    found = asked(*((f"Source {k}", "other", "2024/25" if k else "2023/24", 1.0) for k in range(6)))
    assert "2023/24 for 1 source and 2024/25 for 5 sources" in found.reading
    assert "Source 5" in set(found.table["measure"])


@given(st.dates(date(1990, 1, 1), date(2098, 12, 31)))
def test_a_day_lies_in_its_financial_year(day):
    first = int(year_of(day)[:4])
    assert date(first, 4, 1) <= day <= date(first + 1, 3, 31)
    assert int(year_of(day)[5:]) == (first + 1) % 100


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["start_up", "transitional", "recurrent", "other"]),
            st.sampled_from(["2023/24", "2024/25"]),
            st.integers(0, 10**6),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_every_way_of_cutting_the_money_adds_up_to_all_of_it(lines):
    table = asked(*(("Fund", kind, year, float(amount)) for kind, year, amount in lines)).table
    total = sum(amount for *_, amount in lines)
    for by in ("kind", "source"):
        cut = table[table["by"] == by]
        assert cut.loc[cut["group"] == "all", "estimate"].sum() == total
        assert cut.loc[cut["group"] != "all", "estimate"].sum() == total
        assert cut.loc[cut["group"] == "all", "n"].sum() == len(lines)


def test_northmere():
    found = ek.process.funding(ek.load(folder("sample_data") / "northmere"))
    assert row(found, "All money")["estimate"] > 0
    assert row(found, "Recorded for the year to come")["sign"] in {"working", "uncertain", "not recorded"}


def test_a_chart_of_few_lines_is_drawn_for_every_audience():
    """Lines of a register are no people: the minimum group hides none of them."""
    found = asked(("A fund", "recurrent", "2024/25", 100), ("Another", "start_up", "2025/26", 50))
    copy = protect(found, Audience.PUBLIC)
    assert (copy.marks["mark"] == "bar").sum() == (found.marks["mark"] == "bar").sum() > 0
