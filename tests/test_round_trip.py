"""Any table that is right survives writing and reading: made up from the models themselves."""

from __future__ import annotations

import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_schemas.tables import models, schema
from evalkit import instrument
from evalkit.reading import in_memory, read_folder, to_csv_text
from evalkit.reading.cells import kind_of
from evalkit.reading.reads import about
from evalkit.reading.settings import Settings

TRICKY = (
    "5E1", "007", "NA", "None", "null", "1.0", "TRUE", "yes", "-", "=1+1", "+44", "@here", "29 February", "2024-03-31",
    "é ü ß", "日本", "🙂", "a,b", 'say "hello"', "“quoted”", "semi;colon", "1e5", "0x1F", "nan", "#REF!", "‘x’",
)  # fmt: skip
PROSE = (*TRICKY, "two\nlines", "ends\n", " leading", "tab\there", "line\r\nend", '"', ",", "  a  ")

SURVEYED = ("icfat", "system_leadership", "sustainability", "mbti", "leadership_styles")


def texts(form: str) -> st.SearchStrategy[str]:
    letters = st.text(
        st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp", "Cn", "Co")), min_size=1, max_size=8
    )
    return st.sampled_from(PROSE if form == "prose" else TRICKY) | letters.filter(
        lambda text: text == text.strip() != ""
    )


def numbers(checks: dict[str, dict[str, Any]], *, whole: bool) -> st.SearchStrategy[Any]:
    low, high, above = None, None, False
    for name, said in checks.items():
        low = said.get("min_value", low)
        high = said.get("max_value", high)
        above = above or name == "greater_than"
    if whole:
        return st.integers(int(low or 0) + above, int(high) if high is not None else 10**12)
    return st.floats(
        float(low if low is not None else -1e9),
        float(high if high is not None else 1e9),
        exclude_min=above,
        allow_nan=False,
        allow_subnormal=False,
    )


def values(table: str, name: str) -> st.SearchStrategy[Any]:
    """Any value the column itself allows."""
    column = schema(table).columns[name]
    kind, form = kind_of(column.dtype), about(table, name)["form"]
    checks = {str(check.name): dict(check.statistics or {}) for check in column.checks}
    listed = next((list(said["allowed_values"]) for said in checks.values() if "allowed_values" in said), None)
    if listed is not None:
        return st.sampled_from(listed)
    pattern = next((said["pattern"] for said in checks.values() if "pattern" in said), None)
    if pattern is not None:
        source = pattern.pattern if isinstance(pattern, re.Pattern) else pattern
        return st.from_regex(source, fullmatch=True).filter(lambda text: text == text.strip() and text.isascii())
    if kind == "date":
        days = st.dates(date(1990, 1, 1), date(2026, 3, 31)) | st.just(date(2024, 2, 29))
        first = form in ("month", "period")
        return days.map(lambda day: pd.Timestamp(datetime(day.year, day.month, 1 if first else day.day)))
    if kind == "yes_no":
        return st.booleans()
    return texts(form) if kind == "text" else numbers(checks, whole=kind == "whole")


def rows(table: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    columns = schema(table).columns
    drawn = {
        name: values(table, name) if not column.nullable else st.none() | values(table, name)
        for name, column in columns.items()
    }
    if table == "responses":
        return st.lists(answers(), min_size=1, max_size=6)
    if "instrument" in drawn:
        drawn["instrument"] = st.just("icfat")
    if "edition" in drawn:
        drawn["edition"] = st.none() | st.just("2012")
    return st.lists(st.fixed_dictionaries(drawn), min_size=1, max_size=6)


@st.composite
def answers(draw: st.DrawFn) -> dict[str, Any]:
    """One answer on a shipped instrument: figures, letters, types, and those that are not scored."""
    known = instrument.shipped()[draw(st.sampled_from(SURVEYED))]
    scale = known.scale
    steps = [scale.low + place * scale.step for place in range(scale.options)]
    codes = [*steps, *scale.codes.values()]
    who = draw(st.sampled_from(["P1", "007", "5E1"]))
    return {
        "respondent_id": who, "subject_kind": known.subjects[0], "subject_id": who,
        "rater": draw(st.sampled_from(known.raters or ("self", "carer"))), "instrument": known.id,
        "edition": None, "item": draw(st.sampled_from([item.key for item in known.items])),
        "wave": draw(st.none() | st.integers(0, 5)), "timing": draw(st.sampled_from(["pre", "then", "post"])),
        "answered_on": None, "answer": draw(st.none() | st.sampled_from(codes)),
    }  # fmt: skip


def typed(table: str, drawn: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(drawn, columns=list(schema(table).columns))
    kinds = {"text": "str", "whole": "Int64", "number": "float64", "date": "datetime64[us]", "yes_no": "boolean"}
    said = {name: kinds[kind_of(column.dtype)] for name, column in schema(table).columns.items()}
    return frame.astype(said)


@pytest.mark.parametrize("table", sorted(set(models()) - {"corrections"}))  # each of which needs the file it mends
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_right_table_survives_writing_and_reading(tmp_path: Path, table: str, data: st.DataObject) -> None:
    frame = typed(table, data.draw(rows(table)))
    said, known = Settings(name="x", starts_on=date(2024, 4, 1)), instrument.shipped()
    for _ in range(3):  # what breaks a rule between columns or rows is taken out; what is left is right
        found, problems = in_memory(said, {table: frame})
        wrong = sorted(set((problems["row"].dropna() - 2).astype(int)))
        if not len(problems):
            break
        assert len(wrong), problems.to_string()
        frame = frame.drop(index=wrong).reset_index(drop=True)
    assert problems.empty, problems.to_string()
    kept = found.tables[table]
    (tmp_path / "programme.toml").write_text('schema = 1\nname = "x"\nstarts_on = 2024-04-01\n')
    (tmp_path / f"{table}.csv").write_bytes(to_csv_text(kept, table, known).encode())
    contents, problems = read_folder(tmp_path)
    assert contents is not None, problems.to_string()
    long = contents.parts.get(table)
    back = contents.tables[table] if long is None else pd.concat(long, ignore_index=True)
    pd.testing.assert_frame_equal(back, kept, check_dtype=long is None)
    for name in kept:
        if not about(table, name)["derived"]:
            pd.testing.assert_series_equal(kept[name], frame[name], check_dtype=False)


def test_periods_keep_their_length(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"measure": "discharge_delays", "place_id": "a", "period": pd.to_datetime(["2024-04-01"] * 3),
         "count": [1, 2, 3], "span": [1, 3, 12]}
    )  # fmt: skip
    found, problems = in_memory(Settings(name="x", starts_on=date(2024, 4, 1)), {"outcomes": frame})
    assert problems.empty, problems.to_string()
    text = to_csv_text(found.tables["outcomes"], "outcomes")
    assert [line.split(",")[2] for line in text.splitlines()[1:]] == ["2024-04", "2024/25 Q1", "2024/25"]
    (tmp_path / "programme.toml").write_text('schema = 1\nname = "x"\nstarts_on = 2024-04-01\n')
    (tmp_path / "outcomes.csv").write_text(text)
    (tmp_path / "places.csv").write_text("place_id,name\na,A\n")
    contents, problems = read_folder(tmp_path)
    assert contents is not None, problems.to_string()
    assert contents.tables["outcomes"]["span"].tolist() == [1, 3, 12]


@pytest.mark.parametrize(
    ("periods", "spans", "faulty"),
    [
        (["2024-04", "2024/25 Q2", "2023-24", "FY2022/23", "1 April 2024"], [1, 3, 12, 12, 1], []),
        (["2010-11", "2011-01"], [1, 1], []),
        (["2010-11", "2012-13"], None, [2]),
        (["2024/26", "2024-13", "2024 Q1"], None, [2, 3, 4]),
    ],
)
def test_periods_as_people_write_them(
    tmp_path: Path, periods: list[str], spans: list[int] | None, faulty: list[int]
) -> None:
    (tmp_path / "programme.toml").write_text('schema = 1\nname = "x"\nstarts_on = 2009-04-01\n')
    lines = [f"discharge_delays,a{place},{period},1" for place, period in enumerate(periods)]
    (tmp_path / "outcomes.csv").write_text("measure,place_id,period,count\n" + "\n".join(lines) + "\n")
    contents, problems = read_folder(tmp_path)
    assert problems["row"].tolist() == faulty, problems.to_string()
    if contents is not None:
        assert contents.tables["outcomes"]["span"].tolist() == spans


def test_a_length_typed_beside_a_period_must_agree(tmp_path: Path) -> None:
    (tmp_path / "programme.toml").write_text('schema = 1\nname = "x"\nstarts_on = 2024-04-01\n')
    (tmp_path / "outcomes.csv").write_text(
        "measure,place_id,period,span,count\ndischarge_delays,a,2024/25,12,1\ndischarge_delays,b,2024-04,3,1\n"
    )
    (problem,) = read_folder(tmp_path)[1].itertuples()
    assert (problem.row, problem.column) == (3, "span")


def test_the_model_and_the_reader_agree_on_what_is_right() -> None:
    """Checks asked once for each distinct value say what Pandera says of the whole frame."""
    import pandera.pandas as pa

    frame = typed("places", [
        {"place_id": "a", "name": "A", "population": -1, "arm": "programme"},
        {"place_id": "a", "name": "B", "population": 5, "arm": "elsewhere"},
        {"place_id": "c", "name": None, "start": pd.Timestamp("2024-04-01"), "arm": "comparison"},
    ])  # fmt: skip
    with pytest.raises(pa.errors.SchemaErrors) as found:
        schema("places").validate(frame, lazy=True)
    theirs = found.value.failure_cases
    theirs = {int(row) + 2 for row in theirs["index"].dropna()}
    _, problems = in_memory(Settings(name="x", starts_on=date(2024, 4, 1)), {"places": frame})
    assert {int(row) for row in problems["row"]} <= theirs
    assert [(p.row, p.column) for p in problems.itertuples()] == [
        (2, "population"), (3, "arm"), (3, "place_id"), (4, "name"), (4, "start")
    ]  # fmt: skip
    assert np.isnan(frame["population"].astype("float64").iloc[2])
