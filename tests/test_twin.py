"""A programme's twin: laid out alike, read without a problem, and nothing of anybody in it."""

from __future__ import annotations

import importlib
import math
import re
import shutil
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import evalkit as ek
from data_schemas.tables import models, references, schema
from evalkit import questions
from evalkit.cli import app
from evalkit.errors import Refused
from evalkit.reading import to_csv_text
from evalkit.reading.reads import about, form_of
from evalkit.resources import folder
from evalkit.simulation import twin, write
from evalkit.simulation.twin import shape as shapes
from evalkit.simulation.twin.cast import pairs
from evalkit.simulation.twin.cells import distinct

CLEAN = Path(__file__).parent / "broken" / "clean"
SOURCES = {
    "northmere": folder("sample_data") / "northmere",
    "small_place": folder("sample_data") / "small_place",
    "salford": folder("sample_data") / "salford",
    "clean": CLEAN,
}
EXACT = {"places", "waves", "burden", "scores", "outcomes", "denominators"}
"""Tables of which the number of rows follows from how things are laid out, and counts no people."""

ROOMS = ("individual", "team", "population", "process", "stories", "kirkpatrick")
GIVEN = {"on": "system_leadership", "measure": "emergency_admissions_65_plus"}
SECRET = "Xq7Hidden"
"""Stands in every id and text of a folder that was made strange, and nowhere else."""

named = pytest.mark.parametrize("name", SOURCES)


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The twin of each sample, made once."""
    root = tmp_path_factory.mktemp("twins")

    @cache
    def made(name: str) -> Path:
        return twin.write(SOURCES[name], root / name, seed=1)

    return made


def contents(path: Path) -> dict[str, bytes]:
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def layout(programme: ek.Programme) -> dict[str, tuple[str, ...]]:
    """Each table that has rows, and its columns that hold anything."""
    tables = [table for table in models() if programme.has(table)]
    frames = {table: getattr(programme, table) for table in tables}
    return {table: tuple(name for name in frame if frame[name].notna().any()) for table, frame in frames.items()}


def is_listed(table: str, column: str) -> bool:
    """Whether the words of a column are known to everybody, so that they tell nothing."""
    design = (table, column) in shapes.DESIGN or column in (
        "instrument",
        "edition",
        "item",
        "age_band",
        "year",
        "price_year",
    )
    pointing = ("observations", "form"), ("corrections", "file"), ("corrections", "column")
    measured = column == "measure" or (table, column) in pointing
    scored = (table, column) == ("scores", "domain")
    return design or measured or scored or bool(shapes.allowed(table, column))


def texts(programme: ek.Programme) -> set[str]:
    """Every id and every word somebody wrote."""
    found: set[str] = set()
    for table in layout(programme):
        for name, values in getattr(programme, table).items():
            if form_of(table, name)[0] == "text" and not is_listed(table, name):
                found |= set(values.dropna())
    return found


class TestLayout:
    @named
    def test_reads_without_a_problem_and_is_laid_out_alike(self, name: str, twins: Callable[[str], Path]) -> None:
        assert ek.check(twins(name)).empty
        assert layout(ek.load(twins(name))) == layout(ek.load(SOURCES[name]))
        assert "Nothing was left out." in (twins(name) / "README.md").read_text(encoding="utf-8")

    @named
    def test_says_fictional_and_nothing_of_the_programme(self, name: str, twins: Callable[[str], Path]) -> None:
        made, real = ek.load(twins(name)), ek.load(SOURCES[name])
        assert made.fictional
        assert made.truth is None
        assert made.name == "Twin of a programme"
        assert (made.starts_on, made.minimum_group, made.audience) == (
            real.starts_on,
            real.minimum_group,
            real.audience,
        )
        somebody = "Somebody (FICTIONAL)" if real.plan.agreed_with else ""
        assert made.plan == replace(real.plan, agreed_with=somebody, meetings={}, watch={})
        readme = (twins(name) / "README.md").read_text(encoding="utf-8")
        assert readme.startswith("# FICTIONAL")
        assert "seed 1" in readme
        words = (twins(name) / "programme.toml").read_text(encoding="utf-8") + readme
        for said in (
            real.name,
            real.source,
            real.settings.agreed_open,
            real.settings.retention,
            real.people_notes.paid_by,
        ):
            assert not said or said == made.source or said not in words

    @named
    def test_numbers_of_rows_are_rounded_up(self, name: str, twins: Callable[[str], Path]) -> None:
        made, real = ek.load(twins(name)), ek.load(SOURCES[name])
        for table in layout(real).keys() - EXACT:
            many, were = len(getattr(made, table)), len(getattr(real, table))
            assert many % 5 == 0, table
            assert many >= were, table
            assert many != were or were % 5 == 0, table
        for table in layout(real).keys() & {"places", "waves"}:
            assert len(getattr(made, table)) == len(getattr(real, table))

    @named
    def test_keeps_what_was_asked_and_when(self, name: str, twins: Callable[[str], Path]) -> None:
        made, real = ek.load(twins(name)), ek.load(SOURCES[name])
        keys = ["instrument", "edition", "subject_kind", "rater", "wave", "timing", "item"]
        for table, columns in (
            ("responses", keys),
            ("scores", ["instrument", "edition", "subject_kind", "basis", "wave", "domain"]),
            ("ties", ["wave", "relation"]),
            ("outcomes", ["measure", "span", "age_band", "sex", "quintile"]),
            ("denominators", ["span", "age_band", "sex", "quintile"]),
            ("waves", ["wave", "opens_on", "closes_on"]),
        ):
            kept, was = (getattr(of, table)[columns].drop_duplicates() for of in (made, real))
            pd.testing.assert_frame_equal(*(frame.sort_values(columns).reset_index(drop=True) for frame in (kept, was)))

    def test_keeps_the_first_and_the_last_period_of_each_measure(self, twins: Callable[[str], Path]) -> None:
        for name in ("northmere", "small_place", "clean"):
            ends = [
                ek.load(path).outcomes.groupby(["measure", "span"])["period"].agg(["min", "max"])
                for path in (SOURCES[name], twins(name))
            ]
            pd.testing.assert_frame_equal(*ends)

    def test_people_of_a_team_answer_about_it_and_the_same_people_at_each_wave(self, twins) -> None:
        made = ek.load(twins("northmere"))
        teams = made.participants.set_index("participant_id")["team_id"]
        about = made.responses[made.responses["subject_kind"] == "team"].drop_duplicates(
            ["respondent_id", "subject_id"]
        )
        assert (about["respondent_id"].map(teams) == about["subject_id"]).mean() > 0.8
        own = made.responses[(made.responses["rater"] == "self") & (made.responses["subject_kind"] == "person")]
        waves = own[own["instrument"] == "system_leadership"].groupby("wave")["respondent_id"].agg(set)
        assert waves.loc[4] <= waves.loc[1]

    @named
    def test_every_question_answers_or_refuses(self, name: str, twins: Callable[[str], Path]) -> None:
        made = ek.load(twins(name))
        for room in ROOMS:
            for asked in questions.of_room(importlib.import_module(f"evalkit.{room}")).values():
                without = [told.name for told in questions.settings(asked).values() if told.default is told.empty]
                try:
                    answer = asked(made, **{told: GIVEN[told] for told in without})
                except ek.NotEnoughEvidence:
                    continue
                assert answer.about.fictional

    def test_northmere_s_twin_can_be_asked_all_that_northmere_can(self, twins: Callable[[str], Path]) -> None:
        made = ek.load(twins("northmere"))
        assert ek.individual.growth(made, on="system_leadership").about.n > 0
        assert ek.individual.seen_by_others(made, on="system_leadership").about.n > 0
        assert ek.team.bridging(made).about.n > 0
        assert ek.population.change(made, measure="emergency_admissions_65_plus").about.n > 0


class TestSeeds:
    @named
    def test_the_same_seed_gives_the_same_bytes(self, name: str, twins: Callable[[str], Path], tmp_path: Path) -> None:
        assert contents(twin.write(SOURCES[name], tmp_path / "again", seed=1)) == contents(twins(name))

    @named
    def test_another_seed_gives_other_figures(self, name: str, twins: Callable[[str], Path], tmp_path: Path) -> None:
        other = contents(twin.write(SOURCES[name], tmp_path / "other", seed=2))
        one = contents(twins(name))
        assert other.keys() == one.keys()
        assert any(other[file] != one[file] for file in one if file.endswith(".csv"))


def strange(name: str, target: Path) -> tuple[Path, Path]:
    """A sample without its corrections; and the same laid out alike, with nobody and nothing left as it was.

    Every id and text is another, every answer, score, count and pound too, every event a day later, the rows stand in
    another order, and the settings are said in other words.
    """
    plain = target / "plain"
    shutil.copytree(SOURCES[name], plain, ignore=shutil.ignore_patterns("corrections.csv", "truth.toml", "README.md"))
    programme, other = ek.load(plain), target / "other"
    other.mkdir()
    for table in layout(programme):
        frame = _strange(table, getattr(programme, table), programme)
        (other / f"{table}.csv").write_bytes(to_csv_text(frame, table, programme.instruments).encode())
    said = (plain / "programme.toml").read_text(encoding="utf-8")
    for key in ("name", "source", "agreed_open", "retention", "paid_by", "evaluated_by", "checked_by"):
        said = re.sub(rf'^{key} = ".*"$', f'{key} = "{SECRET} {key}"', said, flags=re.MULTILINE)
    (other / "programme.toml").write_text(said, encoding="utf-8")
    return plain, other


SHIFTED = (
    "population",
    "workforce",
    "amount",
    "low",
    "high",
    "estimate",
    "people",
    "invited",
    "came",
    "minutes",
    "hours",
)


def _strange(table: str, frame: pd.DataFrame, programme: ek.Programme) -> pd.DataFrame:
    changed, as_of = frame.copy(), pd.Timestamp(programme.as_of)
    for name in frame:
        kind, form = form_of(table, name)
        if kind == "text" and not is_listed(table, name) and name not in ("ods_code", "code"):
            changed[name] = frame[name].map(lambda text: f"{SECRET} {text}".strip(), na_action="ignore").astype("str")
        elif kind == "date" and form == "" and table != "waves":
            later = frame[name] + pd.Timedelta(days=1)
            changed[name] = later.where(later <= as_of, frame[name]) if about(table, name)["happened"] else later
        elif name in SHIFTED or (table, name) == ("outcomes", "count"):
            changed[name] = frame[name] + 7
        elif name == "answer":
            changed[name] = frame.groupby("instrument")[name].transform(lambda given: given.to_numpy()[::-1])
        elif (table, name) == ("scores", "mean"):
            changed[name] = 5 - frame[name]
    return changed.iloc[::-1].reset_index(drop=True)


class TestNothingOfAnybody:
    """What the twin is made from is the layout alone: the strongest claim, and it is tested as such.

    That no invented day is ever one on which something happened is not asked: a twin that shunned real days would
    tell them by its gaps.
    """

    @named
    def test_other_people_who_said_other_things_have_the_same_twin(self, name: str, tmp_path: Path) -> None:
        plain, other = strange(name, tmp_path)
        assert ek.check(other).empty
        one, two = (ek.load(path) for path in (plain, other))
        assert not texts(one) & {text for text in texts(two) if SECRET in text}
        made = [contents(twin.write(path, tmp_path / f"twin of {path.name}", seed=5)) for path in (plain, other)]
        assert made[0] == made[1]

    @named
    def test_no_id_and_no_word_of_it_is_anywhere(self, name: str, tmp_path: Path) -> None:
        _, other = strange(name, tmp_path)
        real = ek.load(other)
        assert sum(SECRET in text for text in texts(real)) >= 2
        made = twin.write(other, tmp_path / "made")
        assert not [file for file, held in contents(made).items() if SECRET.lower().encode() in held.lower()]

    @named
    def test_no_text_of_the_sample_itself_is_in_its_twin(self, name: str, twins: Callable[[str], Path]) -> None:
        assert not texts(ek.load(SOURCES[name])) & texts(ek.load(twins(name)))

    @named
    def test_every_id_says_that_it_is_invented(self, name: str, twins: Callable[[str], Path]) -> None:
        made = ek.load(twins(name))
        for table in layout(made):
            frame = getattr(made, table)
            ids = {column for column in references(table) if form_of(table, column)[0] == "text"} | {
                column for column in frame if column.endswith("_id") and column != "row_id"
            }
            for column in ids:
                assert frame[column].dropna().str.startswith("twin_").all(), (table, column)

    def test_answers_tell_nothing_of_what_was_answered(self, twins: Callable[[str], Path]) -> None:
        """Each step of the scale as often as the other, but for chance."""
        own = ek.load(twins("northmere")).responses
        answers = own.loc[own["instrument"] == "system_leadership", "answer"].dropna()
        shares = answers.value_counts() / len(answers)
        assert sorted(shares.index) == [1, 2, 3, 4, 5]
        assert (shares - 0.2).abs().max() < 5 * math.sqrt(0.2 * 0.8 / len(answers))

    def test_a_shape_is_all_that_is_used(self) -> None:
        """Drawn from a shape and the catalogues of another programme, the tables are the same."""
        shape = shapes.of(ek.load(SOURCES["salford"]))
        one, two = (twin.tables(shape, ek.load(SOURCES[name]), 3) for name in ("salford", "northmere"))
        assert one.keys() == two.keys()
        for table in one:
            pd.testing.assert_frame_equal(one[table], two[table])


INSTRUMENT = """schema = 1
id = "our_form"
name = "Our form"
edition = "2025"
source = "ours"
licence = "ours"
verified = true
validated = false
self_assessed = true
better = "higher"
subjects = ["team"]
raters = ["team_member"]

[scale]
low = 0
high = 3
step = 1
kind = "ordinal"
evaluator_defined = false
words = ["never", "now and then", "often", "always"]
unscored = ["cannot say"]

[missing]
at_least = 0.5
source = "ours"

[[domains]]
key = "meeting"
label = "Meeting"

[[items]]
key = "listens"
domain = "meeting"
text = "We listen"
"""
MENU = """schema = 1
name = "Paths"
source = "ours"
licence = "ours"
verified = true
forms = ["open", "shut"]

[entries]
north_path = "North"
"""
MEASURE = """schema = 1

[own_measure]
label = "Own measure"
unit = "points"
better = "higher"
kind = "score"
beneficiary = "staff"
source = "ours"
validated = false
"""
THEORIES = """schema = 1
name = "Ours"
source = "ours"
licence = "ours"
verified = true

[entries]
our_theory = "A theory of our own"
"""


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """The clean folder with a questionnaire, menus and a measure of its own, and answers in words."""
    here = tmp_path / "local"
    shutil.copytree(CLEAN, here)
    for file, text in (
        ("instruments/our_form.toml", INSTRUMENT),
        ("menus/paths.toml", MENU),
        ("measures.toml", MEASURE),
        ("theories.toml", THEORIES),
    ):
        (here / file).parent.mkdir(exist_ok=True)
        (here / file).write_bytes(text.replace("\n", "\r\n").encode())
    rows = {
        "responses": [
            "P1,team,T1,team_member,our_form,2025,listens,2,post,2024-10-05,often",
            "P2,team,T1,team_member,our_form,2025,listens,2,post,2024-10-05,cannot say",
            "P2,team,T1,team_member,sustainability,2010,fit,2,post,2024-10-05,b",
        ],
        "outcomes": ["own_measure,L1,2024/25 Q1,,12,"],
        "observations": ["L1,north_path,open,C1,2024-11-06"],
        "sessions": ["M2,coaching_and_mentoring,our_theory,2024-05-02,1"],
    }
    for table, lines in rows.items():
        with (here / f"{table}.csv").open("a", encoding="utf-8", newline="") as file:
            file.writelines(f"{line}\n" for line in lines)
    return here


class TestCatalogues:
    def test_a_folder_s_own_are_copied_byte_for_byte_and_used(self, local: Path, tmp_path: Path) -> None:
        real, made = ek.load(local), twin.write(local, tmp_path / "made")
        assert ek.check(made).empty
        for file in ("instruments/our_form.toml", "menus/paths.toml", "measures.toml", "theories.toml"):
            assert (made / file).read_bytes() == (local / file).read_bytes()
        copy = ek.load(made)
        assert copy.local == real.local
        assert layout(copy) == layout(real)
        assert set(copy.outcomes["measure"]) == {"own_measure", "emergency_admissions_65_plus"}
        assert set(copy.outcomes.loc[copy.outcomes["measure"] == "own_measure", "span"]) == {3}
        assert set(copy.observations["feature"]) == {"climate", "north_path"}
        assert set(copy.sessions["theory"]) <= {"system_leadership", "our_theory"}

    def test_answers_in_words_are_written_in_words(self, local: Path, tmp_path: Path) -> None:
        made = twin.write(local, tmp_path / "made")
        cells = pd.read_csv(made / "responses.csv", dtype="str")
        assert {*cells.loc[cells["instrument"] == "our_form", "answer"].dropna()} <= {
            "never", "now and then", "often", "always", "cannot say",
        }  # fmt: skip
        assert {*cells.loc[cells["instrument"] == "sustainability", "answer"].dropna()} <= {
            "a",
            "b",
            "c",
            "d",
            "no opinion",
        }
        assert {*cells.loc[cells["instrument"] == "sustainability", "item"]} == {"fit"}

    def test_nothing_else_of_the_folder_is_copied(self, local: Path, tmp_path: Path) -> None:
        (local / "notes.md").write_text("Mrs A told us.", encoding="utf-8")
        (local / "menus" / "notes.txt").write_text("Mrs A told us.", encoding="utf-8")
        made = contents(twin.write(local, tmp_path / "made"))
        assert not [file for file, held in made.items() if b"Mrs A" in held]
        assert {Path(file).suffix for file in made} == {".csv", ".toml", ".md"}


class TestThingsThatHangTogether:
    def test_an_alias_answers_nothing_and_leads_to_another(self, tmp_path: Path) -> None:
        here = tmp_path / "alias"
        shutil.copytree(CLEAN, here)
        (here / "respondents.csv").write_text("respondent_id,alias_of\nF1,\nF2,F1\n", encoding="utf-8")
        with (here / "responses.csv").open("a", encoding="utf-8") as answers:
            item = ek.load(CLEAN).instruments["icfat"].items[0].key
            answers.write(f"F2,place,L1,partner,icfat,2012,{item},2,post,2024-10-05,3\n")
        made = ek.load(twin.write(here, tmp_path / "made"))
        (alias,) = made.respondents.dropna(subset="alias_of").itertuples(index=False)
        assert alias.alias_of != alias.respondent_id
        assert alias.respondent_id not in set(made.responses["respondent_id"])
        assert made.responses["respondent_id"].isin(made.respondents["respondent_id"]).any()

    def test_everybody_tied_to_everybody_is_as_many_ties(self, tmp_path: Path) -> None:
        here = tmp_path / "dense"
        here.mkdir()
        shutil.copy(CLEAN / "programme.toml", here)
        ids = [f"A{at}" for at in range(5)]
        tables = {
            "people": ["person_id,kind", *(f"{one},participant" for one in ids)],
            "waves": ["wave", "1"],
            "rosters": ["wave,person_id,responded", *(f"1,{one},yes" for one in ids)],
            "ties": [
                "wave,from_id,to_id,relation",
                *(f"1,{one},{other},trust" for one in ids for other in ids if one != other),
            ],
            "sessions": ["session_id,held_on", *(f"M{at},2024-05-0{at}" for at in range(1, 6))],
            "attendance": [
                "session_id,person_id,status",
                *(f"M{at},{one},attended" for one in ids for at in range(1, 6)),
            ],
        }
        for table, rows in tables.items():
            (here / f"{table}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        made = ek.load(twin.write(here, tmp_path / "made"))
        assert (len(made.ties), len(made.attendance), len(made.rosters)) == (20, 25, 5)
        assert set(made.attendance["status"]) == {"attended"}

    def test_places_keep_their_arms_and_comparison_places_never_start(self, twins: Callable[[str], Path]) -> None:
        made, real = (ek.load(path).places for path in (twins("northmere"), SOURCES["northmere"]))
        assert made["arm"].value_counts().to_dict() == real["arm"].value_counts().to_dict()
        assert made.loc[made["arm"] == "comparison", "start"].isna().all()
        assert ek.load(twins("northmere")).only(place="twin_place_001").has("responses")


class TestSettings:
    def changed(self, tmp_path: Path, more: str, *, without: str = "") -> ek.Programme:
        here = tmp_path / "changed"
        shutil.copytree(SOURCES["small_place"], here)
        said = (here / "programme.toml").read_text(encoding="utf-8")
        said = re.sub(rf"^{without} = .*\n", "", said, flags=re.MULTILINE) if without else said
        (here / "programme.toml").write_text(said + more, encoding="utf-8")
        return ek.load(twin.write(here, tmp_path / "made"))

    def test_a_last_day_nobody_declared_becomes_the_end_of_its_month(self, tmp_path: Path) -> None:
        assert self.changed(tmp_path, "", without="as_of").settings.as_of is not None
        stated = tomllib.loads((tmp_path / "made" / "programme.toml").read_text(encoding="utf-8"))
        assert pd.Timestamp(stated["as_of"]).is_month_end

    def test_a_first_day_nobody_knows_stays_unknown(self, tmp_path: Path) -> None:
        made = self.changed(tmp_path, "", without="starts_on")
        assert made.starts_on is None
        assert made.sessions["held_on"].min() >= made.waves["opens_on"].min()

    def test_names_of_families_and_reasons_for_new_limits_are_left_out(self, tmp_path: Path) -> None:
        made = self.changed(
            tmp_path,
            '\n[plan.families]\n"Mrs A and others" = ["system_leadership", "icfat"]\n'
            '\n[plan.rebase.emergency_admissions_65_plus]\n2025-03 = "Mrs A left"\n',
        )
        assert made.plan.families == {"family 1": ("system_leadership", "icfat")}
        assert made.plan.rebase == {}
        assert b"Mrs A" not in b"".join(contents(tmp_path / "made").values())


class TestAdmissions:
    def test_are_a_thousand_at_most_with_the_columns_there_are(self, tmp_path: Path) -> None:
        here = tmp_path / "many"
        shutil.copytree(CLEAN, here)
        days = pd.date_range("2024-04-01", periods=700).strftime("%Y-%m-%d")
        rows = "".join(f"L1,{day},81,{at},\n" for at, day in enumerate(np.tile(days, 3), start=40_000))
        (here / "admissions.csv").write_text("place_id,admitted_on,age,person_id,sex\n" + rows, encoding="utf-8")
        made, real = ek.load(twin.write(here, tmp_path / "made")), ek.load(here)
        assert real.has("admissions")
        admissions = pd.concat(made.parts("admissions"))
        assert len(admissions) == 1000
        assert [name for name in admissions if admissions[name].notna().any()] == [
            "place_id", "admitted_on", "age", "person_id",
        ]  # fmt: skip


class TestWriting:
    def test_a_folder_that_holds_something_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "there").mkdir()
        twin.write(SOURCES["salford"], tmp_path / "there")
        before = contents(tmp_path / "there")
        with pytest.raises(Refused, match="holds something"):
            twin.write(SOURCES["salford"], tmp_path / "there", seed=2)
        assert contents(tmp_path / "there") == before
        (tmp_path / "file").write_text("x", encoding="utf-8")
        with pytest.raises(Refused, match="is there already"):
            twin.write(SOURCES["salford"], tmp_path / "file")

    def test_a_folder_with_problems_has_no_twin(self, tmp_path: Path) -> None:
        here = tmp_path / "bad"
        shutil.copytree(SOURCES["salford"], here)
        (here / "waves.csv").write_text("wave,label,opens_on\nfirst,April 2012,2012-04-01\n", encoding="utf-8")
        with pytest.raises(ek.DataProblems):
            twin.write(here, tmp_path / "made")
        assert not (tmp_path / "made").exists()

    def test_a_workbook_has_a_twin_too(self, tmp_path: Path) -> None:
        book = openpyxl.Workbook()
        book.remove(book.worksheets[0])
        sheets: Mapping[str, list[list[Any]]] = {
            "programme": [["setting", "value"], ["schema", "1"], ["name", "Secret name"], ["as_of", "2026-03-31"]],
            "waves": [["wave", "label"], [1, "Secret label"]],
            "people": [["person_id", "kind"], ["P1", "participant"], ["P2", "sponsor"]],
        }
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
        book.save(tmp_path / "secret.xlsx")
        made = twin.write(tmp_path / "secret.xlsx", tmp_path / "made")
        assert layout(ek.load(made)) == layout(ek.load(tmp_path / "secret.xlsx"))
        assert b"Secret" not in b"".join(contents(made).values())
        assert ek.load(made).people["kind"].value_counts().to_dict() == {"participant": 5, "sponsor": 5}

    def test_what_cannot_be_made_is_left_out_and_said(self, tmp_path: Path) -> None:
        """A correction that fills in a blank has no cell in the twin that it could fill."""
        here = tmp_path / "blank"
        shutil.copytree(CLEAN, here)
        (here / "corrections.csv").write_text(
            "file,row_id,column,new,reason,who,decided_on\npdsa.csv,D2,result,Fewer,Asked,evaluator,2025-01-14\n",
            encoding="utf-8",
        )
        made = twin.write(here, tmp_path / "made")
        assert ek.check(made).empty
        assert layout(ek.load(made)) == {
            table: columns for table, columns in layout(ek.load(here)).items() if table != "corrections"
        }
        readme = (made / "README.md").read_text(encoding="utf-8")
        assert "`corrections`: no rows of it could be made." in readme

    def test_what_the_reader_finds_wrong_is_left_out_column_by_column(self, tmp_path: Path, monkeypatch) -> None:
        """A fault put in on purpose: a column that may be blank goes, a needed one takes its table along."""
        drawn = twin.tables

        def faulty(*asked: Any) -> dict[str, pd.DataFrame]:
            made = drawn(*asked)
            made["sessions"] = made["sessions"].assign(hours=-1.0)
            made["wins"] = made["wins"].assign(won_on=pd.Timestamp("2090-01-01"))
            return made

        monkeypatch.setattr(twin, "tables", faulty)
        made = twin.write(CLEAN, tmp_path / "made")
        assert ek.check(made).empty
        assert not ek.load(made).has("wins")
        assert ek.load(made).sessions["hours"].isna().all()
        readme = (made / "README.md").read_text(encoding="utf-8")
        assert "- `sessions`, hours: The value is below 0." in readme
        assert "- `wins`: The date lies after" in readme


class TestCommand:
    run = CliRunner()

    def test_writes_the_folder_and_prints_it(self, tmp_path: Path) -> None:
        asked = ["twin", str(SOURCES["salford"]), "--out", str(tmp_path / "made"), "--seed", "4"]
        said = self.run.invoke(app, asked)
        assert (said.exit_code, said.stdout) == (0, f"{tmp_path / 'made'}\n")
        assert contents(tmp_path / "made") == contents(twin.write(SOURCES["salford"], tmp_path / "again", seed=4))
        again = self.run.invoke(app, asked)
        assert again.exit_code == 1
        assert "holds something" in again.stderr

    @pytest.mark.parametrize(
        "wrong", [["twin"], ["twin", "no_such_folder"], ["twin", ".", "--out", "x", "--seed", "-1"]]
    )
    def test_wrong_usage_is_2(self, wrong: list[str]) -> None:
        assert self.run.invoke(app, wrong).exit_code == 2


@st.composite
def parts(draw: st.DrawFn) -> Mapping[str, tuple[str, ...]]:
    """Some of the tables of the clean folder, each with some of the columns it may do without."""
    tables = draw(st.sets(st.sampled_from(sorted(path.stem for path in CLEAN.glob("*.csv"))), min_size=1))
    found = {}
    for table in sorted(tables):
        columns = [name for name in schema(table).columns if name in pd.read_csv(CLEAN / f"{table}.csv", nrows=0)]
        needed = [name for name in columns if schema(table).columns[name].required]
        left = draw(st.sets(st.sampled_from([name for name in columns if name not in needed] or columns)))
        found[table] = tuple(name for name in columns if name in needed or name in left)
    return found


@settings(max_examples=25)
@given(parts(), st.integers(0, 2**32))
def test_any_part_of_a_folder_has_a_twin_laid_out_alike(
    tmp_path_factory: pytest.TempPathFactory, part: Mapping[str, tuple[str, ...]], seed: int
) -> None:
    here = tmp_path_factory.mktemp("part")
    shutil.copy(CLEAN / "programme.toml", here)
    for table, columns in part.items():
        cells = pd.read_csv(CLEAN / f"{table}.csv", dtype="str", keep_default_na=False)
        cells[list(columns)].to_csv(here / f"{table}.csv", index=False, lineterminator="\n")
    problems = ek.check(here)
    for file in set(problems["file"]) - {"programme.toml"}:
        (here / file).unlink()
    if not ek.check(here).empty:  # what was left out took something else along
        return
    made = twin.write(here, here / "made", seed=seed)
    assert ek.check(made).empty
    kept = layout(ek.load(here))
    left = set(kept) - set(layout(ek.load(made)))
    assert left <= {"corrections"}, "only corrections of what is not there are left out"
    assert layout(ek.load(made)) == {table: columns for table, columns in kept.items() if table not in left}


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 200))
def test_pairs_are_different_and_as_many_as_there_can_be(subjects: int, raters: int, wanted: int) -> None:
    whom, who = pairs(subjects, raters, wanted)
    assert len(set(zip(whom.tolist(), who.tolist(), strict=True))) == len(whom) == min(wanted, subjects * raters)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.integers(1, 300), st.integers(0, 9))
def test_keys_are_different_and_as_many_as_there_can_be(sizes: list[int], wanted: int, seed: int) -> None:
    columns = distinct([range(size) for size in sizes], wanted, np.random.default_rng(seed))
    rows = set(zip(*(column.tolist() for column in columns), strict=True))
    assert len(rows) == len(columns[0]) == min(wanted, math.prod(sizes))


@pytest.mark.parametrize("seed", range(3))
def test_a_small_simulated_programme_with_every_table_has_a_twin(seed: int, tmp_path: Path) -> None:
    size = {"leaders": 7, "teams": 2, "places": 3, "programme_places": 1, "waves": 2, "months": 13}
    real = ek.simulate(seed=seed, **size)
    made = twin.write(write(real, tmp_path / "real"), tmp_path / "made", seed=seed)
    assert layout(ek.load(made)) == layout(ek.load(tmp_path / "real"))
