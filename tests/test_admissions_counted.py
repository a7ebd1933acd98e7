"""Admissions counted: the same whatever holds them, into outcomes as declared, and nothing read but what is written."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from data_schemas.catalogues import Misdescribed
from evalkit.errors import Refused
from evalkit.reading import glance, in_parts, progress
from evalkit.reading.admissions import counts, frequencies
from evalkit.reading.counted import ages
from evalkit.withdrawal import withdraw

CLEAN = Path(__file__).parent / "broken" / "clean"
DECLARED = '\n[admissions]\nmeasure = "{measure}"\nages = "{ages}"\nby = {by}\n'
PLACES = ("L1", "L2", "L3")


def people(rows: int = 4_000, seed: int = 1) -> pd.DataFrame:
    """Admissions of people admitted several times each; here and there an age, a sex, a quintile, a person missing."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2023-03-15", "2024-06-20", unit="us").to_numpy()

    def some(values: Any) -> Any:
        return pd.array(np.where(rng.random(rows) < 0.03, np.nan, values), dtype="Int64")

    frame = pd.DataFrame(
        {"place_id": rng.choice(PLACES, rows), "admitted_on": days[rng.integers(len(days), size=rows)]}
    )
    frame = frame.assign(age=some(rng.integers(0, 106, rows)), quintile=some(rng.integers(1, 6, rows)))
    frame["sex"] = pd.Series(rng.choice(["female", "male", None], rows, p=[0.5, 0.47, 0.03]), dtype="str")
    who = rng.integers(900, size=rows).astype("str").astype(object)
    frame["person_id"] = pd.Series(np.where(rng.random(rows) < 0.05, None, who), dtype="str")
    return frame


def put(path: Path, frame: pd.DataFrame, days: str = "DATE", whole: str = "UTINYINT") -> Path:
    """The frame as CSV, or as Parquet with narrow columns."""
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
        return path
    with duckdb.connect() as connection:
        connection.register("frame", frame)
        connection.execute(
            f"COPY (SELECT place_id, CAST(admitted_on AS {days}) AS admitted_on, CAST(age AS {whole}) AS age, sex, "
            f"CAST(quintile AS {whole}) AS quintile, person_id FROM frame) TO '{path}'"
        )
    return path


@pytest.fixture(scope="module")
def held() -> pd.DataFrame:
    return people()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "programme").mkdir()
    for name in ("programme.toml", "places.csv", "outcomes.csv"):
        shutil.copy(CLEAN / name, tmp_path / "programme" / name)
    return tmp_path / "programme"


def declare(folder: Path, *, measure: str = "discharge_delays", ages: str = "65+", by: list[str] | None = None) -> None:
    text = (CLEAN / "programme.toml").read_text() + DECLARED.format(measure=measure, ages=ages, by=by or [])
    (folder / "programme.toml").write_text(text)


def one_by_one(frame: pd.DataFrame, low: int, high: int) -> Counter[tuple[Any, ...]]:
    """The counts by place, month, age band, sex and quintile, a row at a time."""
    found: Counter[tuple[Any, ...]] = Counter()
    for row in frame.astype(object).itertuples():
        if pd.notna(row.age) and low <= row.age <= high:
            first = row.age - row.age % 5
            band = "90+" if row.age >= 90 else f"{first}-{first + 4}"
            month = pd.Timestamp(row.admitted_on).replace(day=1)
            rest = (None if pd.isna(value) else value for value in (row.sex, row.quintile))
            found[row.place_id, month, band, *rest] += 1
    return found


class TestCounts:
    def test_agree_with_a_count_made_by_hand(self, held: pd.DataFrame) -> None:
        found = counts(held, ages="65+")
        known = found[found["age_band"].notna()].astype(object)
        keys = known[["place_id", "period", "age_band", "sex", "quintile"]].where(known.notna(), None)
        assert dict(zip(keys.itertuples(index=False, name=None), known["count"], strict=True)) == one_by_one(
            held, 65, 999
        )
        assert found.loc[found["age_band"].isna(), "count"].sum() == held["age"].isna().sum()

    @pytest.mark.parametrize("asked", [{}, {"by": ("sex",), "span": 3, "ages": "20-64"}, {"by": (), "people": True}])
    def test_are_the_same_from_csv_parquet_duckdb_and_pandas(
        self, tmp_path: Path, held: pd.DataFrame, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plain = counts(held, **asked)
        assert plain["count"].sum() > 0
        pd.testing.assert_frame_equal(counts(put(tmp_path / "a.csv", held), **asked), plain)
        monkeypatch.setattr(glance, "LONG", 0)  # from here on all files are long ones
        pd.testing.assert_frame_equal(counts(tmp_path / "a.csv", **asked), plain)
        pd.testing.assert_frame_equal(counts(put(tmp_path / "a.parquet", held), **asked), plain)
        wide = put(tmp_path / "wide.parquet", held, days="TIMESTAMP", whole="DOUBLE")
        pd.testing.assert_frame_equal(counts(wide, **asked), plain)
        with duckdb.connect() as connection:
            pd.testing.assert_frame_equal(counts(connection.read_parquet(str(wide)), **asked), plain)

    def test_persons_are_counted_once_a_group(self, held: pd.DataFrame) -> None:
        found = counts(held, by=(), span=12, people=True)
        year = (held["admitted_on"] - pd.DateOffset(months=3)).dt.year
        known = held.assign(year=year).dropna(subset="person_id")
        times = known.groupby(["place_id", "year"])["person_id"].value_counts()
        each = times.groupby(["place_id", "year"])
        assert found["people"].tolist() == each.size().tolist()
        assert found["squares"].tolist() == each.apply(lambda own: int((own**2).sum())).tolist()
        assert (found["count"] - found["without_id"]).tolist() == each.sum().tolist()
        often = frequencies(held)
        assert (often["times"] * often["people"]).groupby([often["place_id"], often["period"]]).sum().tolist() == (
            found["count"] - found["without_id"]
        ).tolist()

    def test_a_year_is_the_financial_one_and_90_and_over_one_band(self) -> None:
        rows = {"place_id": "L1", "age": [89, 90, 104, 0], "admitted_on": pd.to_datetime(
            ["2024-03-31", "2024-04-01", "2025-03-31", "2025-04-01"])}  # fmt: skip
        found = counts(pd.DataFrame(rows), by=("age_band",), span=12)
        assert found["period"].dt.strftime("%Y-%m").tolist() == ["2023-04", "2024-04", "2025-04"]
        assert found["age_band"].tolist() == ["85-89", "90+", "0-4"]

    @settings(max_examples=10)
    @given(
        st.lists(
            st.tuples(st.sampled_from(PLACES), st.dates(date(1999, 12, 1), date(2001, 2, 1)),
                      st.one_of(st.none(), st.integers(0, 120))),
            min_size=1, max_size=30,
        )
    )  # fmt: skip
    def test_add_up_to_the_rows_and_do_not_depend_on_their_order(self, rows: list[tuple[Any, ...]]) -> None:
        frame = pd.DataFrame(rows, columns=["place_id", "admitted_on", "age"])
        frame = frame.astype({"admitted_on": "datetime64[us]", "age": "Int64"})
        found = counts(frame)
        assert found["count"].sum() == len(rows)
        pd.testing.assert_frame_equal(counts(frame.iloc[::-1]), found)
        assert not found.duplicated(["place_id", "period", "age_band", "sex", "quintile"]).any()

    @pytest.mark.parametrize(
        "content",
        [
            "place_id,admitted_on,age\nL1,31 March 2024,81\nL1,2024-03-01,+82\n,,\n",
            'place_id,admitted_on,age\n"L1","31 March 2024","81"\n\n"L1",2024-03-01,82\n',
            "age,place_id,admitted_on\r\n81,L1,31 Mar 2024\n82,L1,2024-03-01\r\n",
            '\ufeffplace_id,admitted_on,age,person_id\nL1,31 March 2024,81,"a ""b"" c"\nL1,2024-03-01,82,é\n',
        ],
    )
    @pytest.mark.parametrize("long", [False, True])
    def test_days_in_letters_quotation_marks_and_line_ends_change_nothing(
        self, tmp_path: Path, content: str, long: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(glance, "LONG", 0 if long else 2**30)
        (tmp_path / "a.csv").write_bytes(content.encode())
        found = counts(tmp_path / "a.csv", by=("age_band",))
        assert found[["place_id", "age_band", "count"]].to_numpy().tolist() == [["L1", "80-84", 2]]
        assert found["period"].tolist() == [pd.Timestamp("2024-03-01")]

    @pytest.mark.parametrize("row", ["L1,2024-03-01,82,", "L1,2024-03-01", '"L1,2024-03-01,82'])
    def test_rows_that_do_not_fall_into_columns_are_named_in_long_files_too(
        self, tmp_path: Path, row: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a.csv").write_text(f"place_id,admitted_on,age\nL1,2024-03-01,81\n{row}\n")
        named = []
        for least in (2**30, 0):
            monkeypatch.setattr(glance, "LONG", least)
            with pytest.raises(ek.DataProblems) as refusal:
                counts(tmp_path / "a.csv")
            named.append(refusal.value.table)
        pd.testing.assert_frame_equal(*named)

    def test_no_rows_are_no_counts(self) -> None:
        assert counts(people().head(0)).empty


class TestFaults:
    @pytest.mark.parametrize("suffix", [".csv", ".parquet"])
    @pytest.mark.parametrize("long", [False, True])
    def test_are_named_in_their_rows(
        self, tmp_path: Path, suffix: str, long: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(glance, "LONG", 0 if long else 2**30)
        monkeypatch.setattr(in_parts, "ROWS", 7)
        frame = people(40).astype("str").fillna("")
        frame.loc[3, "admitted_on"], frame.loc[20, "age"], frame.loc[25, "sex"] = "02/05/2024", "181", "f"
        frame.loc[30, "person_id"], frame.loc[31, "place_id"] = " 7", ""
        path = tmp_path / f"a{suffix}"
        if suffix == ".csv":
            frame.to_csv(path, index=False)
        else:
            duckdb.register("given_rows", frame)
            duckdb.sql("SELECT * FROM given_rows").write_parquet(str(path))
        with pytest.raises(ek.DataProblems) as refusal:
            counts(path)
        found = [(p.file, p.row, p.column) for p in refusal.value.table.itertuples()]
        amiss = ((3, "admitted_on"), (20, "age"), (25, "sex"), (30, "person_id"), (31, "place_id"))
        assert found == [(path.name, row + 2, column) for row, column in amiss]

    @pytest.mark.parametrize("engine", ["pandas", "duckdb"])
    def test_of_a_frame_are_named_with_the_rows_they_stand_in(self, engine: str) -> None:
        frame = pd.DataFrame({
            "place_id": ["L1", "L1 ", "L2", "L2"],
            "admitted_on": ["2024-01-01", "01/02/2024", "3 March 2024", "01/02/2024"],
            "age": ["81", "181", "8l", ""], "sex": ["female", "f", "", ""],
        })  # fmt: skip
        duckdb.register("some_rows", frame)
        with pytest.raises(ek.DataProblems) as refusal:
            counts(frame if engine == "pandas" else duckdb.sql("SELECT * FROM some_rows"))
        table = refusal.value.table
        assert {(p.column, p.value) for p in table.itertuples()} == {
            ("place_id", "L1 "), ("admitted_on", "01/02/2024"), ("admitted_on", "3 March 2024"), ("age", "181"),
            ("age", "8l"), ("sex", "f"),
        }  # fmt: skip
        assert table["row"].isna().all()
        assert "(In 2 rows.)" in table.loc[table["value"] == "01/02/2024", "problem"].item()

    def test_beyond_a_number_the_rest_is_not_looked_at(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from evalkit.reading import long_tables

        monkeypatch.setattr(long_tables, "MANY", 3)
        monkeypatch.setattr(in_parts, "ROWS", 5)
        put(tmp_path / "a.csv", people(60).assign(sex="f"))
        with pytest.raises(ek.DataProblems) as refusal:
            counts(tmp_path / "a.csv")
        assert len(refusal.value.table) == 5
        assert "was not looked at" in refusal.value.table["problem"][0]

    def test_a_frame_of_nothing_known_a_missing_file_and_a_misspelt_group_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(Refused, match="Spark, pandas or DuckDB"):
            counts(3)
        with pytest.raises(ek.DataProblems, match="no such CSV or Parquet"):
            counts(tmp_path / "a.csv")
        with pytest.raises(ValueError, match="'age_band'"):
            counts(people(9), by=("age_bands",))  # type: ignore[arg-type]
        with pytest.raises(ek.DataProblems, match="admitted_on"):
            counts(people(9).drop(columns="admitted_on"))

    @pytest.mark.parametrize("text", ["66+", "65-80", "0-90", "over 65", "95+", "70-69"])
    def test_ages_that_cut_a_band_are_refused(self, text: str) -> None:
        with pytest.raises(Misdescribed):
            ages(text)


class TestIntoOutcomes:
    def test_counts_become_rows_with_noughts_between(self, folder: Path, held: pd.DataFrame) -> None:
        old = held[(held["age"] >= 65).fillna(False)]
        sparse = pd.concat([old[old["place_id"] != "L3"], old[old["place_id"] == "L3"].head(9)])
        put(folder / "admissions.parquet", sparse)
        declare(folder, by=["age_band"])
        programme = ek.load(folder)
        rows = programme.outcomes[programme.outcomes["measure"] == "discharge_delays"]
        assert rows.dtypes.equals(ek.load(CLEAN).outcomes.dtypes)
        assert rows["age_band"].unique().tolist() == ["65-69", "70-74", "75-79", "80-84", "85-89", "90+"]
        assert rows["count"].sum() == len(sparse)
        months = rows.groupby("place_id")["period"].agg(["min", "max", "nunique"])
        assert months.loc["L1"].tolist() == [pd.Timestamp("2023-03-01"), pd.Timestamp("2024-06-01"), 16]
        assert (rows["count"] == 0).any()
        assert any("no admission in" in line and line.startswith("L3") for line in programme.log)
        assert "admissions.parquet" in programme.hashes
        assert len(next(programme.parts("admissions"))) == len(sparse), "the rows themselves stay where they are"

    def test_the_same_from_csv_and_from_memory(self, folder: Path, held: pd.DataFrame) -> None:
        declare(folder, by=["sex", "quintile"])
        put(folder / "admissions.csv", held)
        plain = ek.load(folder)
        tables = {name: getattr(plain, name) for name in ("places", "admissions")}
        given = ek.load(folder).outcomes
        tables["outcomes"] = given[given["measure"] != "discharge_delays"]
        built = ek.Programme.build(settings=plain.settings, tables=tables)
        pd.testing.assert_frame_equal(built.outcomes, plain.outcomes)
        assert any("do not say the age or the sex or the quintile" in line for line in plain.log)

    def test_a_month_the_data_end_within_is_left_out_and_said(self, folder: Path, held: pd.DataFrame) -> None:
        put(folder / "admissions.csv", held)
        declare(folder)
        text = (folder / "programme.toml").read_text()
        (folder / "programme.toml").write_text(text.replace("as_of = 2026-03-31\n", ""))
        programme = ek.load(folder)
        rows = programme.outcomes[programme.outcomes["measure"] == "discharge_delays"]
        assert rows["period"].max() == pd.Timestamp("2024-05-01")
        assert any(line.startswith("June 2024 is not counted: the data end on 2024-06-20") for line in programme.log)
        assert programme.as_of.isoformat() == "2024-06-20"

    def test_withdrawing_takes_a_patient_out_of_the_counts(self, folder: Path, held: pd.DataFrame) -> None:
        put(folder / "admissions.parquet", held)
        declare(folder, ages="all")
        before = ek.load(folder).outcomes["count"].sum()
        patient = str(held["person_id"].dropna().iloc[0])
        gone = int((held["person_id"] == patient).sum())
        assert withdraw(folder, patient).rows == {"admissions.parquet": gone}
        assert before - ek.load(folder).outcomes["count"].sum() == gone

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ({"measure": "emergency_admissions_65_plus"}, "would count twice"),
            ({"measure": "discharge"}, "no known measure"),
            ({"measure": "joined_up_care"}, "no count"),
            ({"by": ["sex"]}, "no admission says the sex"),
            ({"by": ["gender"]}, "nothing counts by 'gender'"),
            ({"ages": "66+"}, "cut a band"),
        ],
    )
    def test_what_cannot_be_counted_is_said(self, folder: Path, said: dict[str, Any], words: str) -> None:
        put(folder / "admissions.csv", people(30).assign(sex=None))
        declare(folder, **said)
        (problem,) = ek.check(folder).itertuples()
        assert (problem.file, words in problem.problem) == ("programme.toml", True), problem.problem

    def test_a_declaration_without_admissions_and_admissions_of_places_nobody_lists(self, folder: Path) -> None:
        declare(folder)
        (problem,) = ek.check(folder).itertuples()
        assert "there is no table of them" in problem.problem
        put(folder / "admissions.parquet", people(30).assign(place_id="L9"))
        assert set(ek.check(folder)["column"]) == {"place_id"}

    def test_admissions_nobody_declared_are_counted_into_nothing(self, folder: Path) -> None:
        put(folder / "admissions.csv", people(30))
        assert ek.load(folder).outcomes["measure"].unique().tolist() == ["emergency_admissions_65_plus"]


class TestProgress:
    def test_is_shown_on_a_screen_for_long_files_only(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = put(tmp_path / "a.csv", people(200))
        counts(path)
        assert capsys.readouterr().err == ""
        monkeypatch.setattr(progress, "LONG", 0)
        counts(path)
        assert capsys.readouterr().err == "", "stderr is no screen"
        monkeypatch.setattr("sys.stderr.isatty", lambda: True)
        monkeypatch.setattr(glance, "LONG", 0)
        counts(path)
        said = capsys.readouterr()
        assert "Looking through a.csv" in said.err
        assert said.out == ""
