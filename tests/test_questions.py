"""Every question held to one form: found by its annotation, asked of northmere, of Salford, and of nothing at all."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable
from functools import partial

import openpyxl
import pandas as pd
import pytest

import evalkit as ek
from evalkit.html import picture
from evalkit.questions import of_room, settings
from evalkit.resources import folder
from evalkit.result import FIRST, MIME, Result
from evalkit.spreadsheet import plain_csv
from evalkit.terms import Audience, Design
from evalkit.words import CAUSE, LEFT_OUT
from tests.told_once import each_chart_drawn_once

ROOMS = ("individual", "team", "population", "process", "stories", "kirkpatrick", "plan", "signals")
GIVEN = {"on": "system_leadership", "measure": "emergency_admissions_65_plus"}
"""What a question may need to be told. Everything else must have a default."""


def questions() -> dict[str, Callable[..., Result]]:
    return {
        f"{room}.{name}": asked
        for room in ROOMS
        for name, asked in of_room(importlib.import_module(f"evalkit.{room}")).items()
    }


def needs(name: str) -> dict[str, str]:
    """The settings without a default, with what to give for each."""
    without = [told.name for told in settings(QUESTIONS[name]).values() if told.default is told.empty]
    return {told: GIVEN[told] for told in without}


QUESTIONS = questions()
TOGETHER = [name for name, asked in QUESTIONS.items() if "results" in settings(asked)]


@pytest.fixture(scope="module")
def northmere() -> ek.Programme:
    return ek.load(folder("sample_data") / "northmere")


@pytest.fixture(scope="module")
def salford() -> ek.Programme:
    return ek.load(folder("sample_data") / "salford")


@pytest.fixture(scope="module")
def answers(northmere: ek.Programme) -> dict[str, Result]:
    """Every question's answer; what puts answers together is given the others', as a notebook does."""
    found = {name: asked(northmere, **needs(name)) for name, asked in QUESTIONS.items() if name not in TOGETHER}
    held = list(found.values())
    return found | {name: QUESTIONS[name](northmere, held, **needs(name)) for name in TOGETHER}


def test_the_questions_of_the_rooms_are_found():
    assert {"individual.growth", "team.maturity", "population.change", "process.reach"} <= set(QUESTIONS)
    assert {"stories.themes", "kirkpatrick.coverage"} <= set(QUESTIONS)


@pytest.mark.parametrize("room", ROOMS)
def test_every_file_of_a_room_that_promises_a_result_is_a_question_of_it(room):
    """A question whose function is not named like its file would be lost without a word."""
    here = importlib.import_module(f"evalkit.{room}")
    for file in pkgutil.iter_modules(getattr(here, "__path__", [])):
        defined = importlib.import_module(f"evalkit.{room}.{file.name}")
        promised = {name for name, asked in of_room(defined).items() if asked.__module__ == defined.__name__}
        assert promised <= {file.name}
        assert all(getattr(here, name) is getattr(defined, name) for name in promised)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_offers_its_questions_and_nothing_else(room):
    assert {f"{room}.{name}" for name in dir(importlib.import_module(f"evalkit.{room}"))} == {
        name for name in QUESTIONS if name.startswith(f"{room}.")
    }


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_is_asked_in_one_form(name):
    asked = QUESTIONS[name]
    first, *rest = inspect.signature(asked).parameters.values()
    assert first.name == "programme"
    positional = {parameter.name for parameter in rest if parameter.kind is not inspect.Parameter.KEYWORD_ONLY}
    assert positional <= {"results"}
    said = inspect.getdoc(asked) or ""
    assert said.splitlines()[0].rstrip().endswith("?"), "the first line of the docstring is the question"
    assert ">>>" in said
    assert "Needs:" in said or name.startswith("kirkpatrick")


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_answer_is_whole(name, answers):
    answer = answers[name]
    table, marks = answer.table, answer.marks
    assert tuple(table.columns[:8]) == FIRST
    assert table["n"].dtype == "Int64"
    assert "n_of" in table.columns, "what n counts decides what may be shown"
    none = table["low"].isna()
    assert (table.loc[none, "interval"] == "none given").all()
    assert not (table.loc[~none, "interval"] == "none given").any()
    assert (table.loc[~none, "low"] <= table.loc[~none, "high"]).all()
    assert set(marks["row"].dropna()) <= set(table.index)
    drawn = marks[~marks["mark"].isin(["event", "scale"]) & marks["series"].notna()]
    assert drawn["row"].notna().all(), "a mark without its row cannot be withheld with it"
    assert answer.method.name
    assert answer.method.source
    assert answer.method.assumes
    assert answer.caveats
    assert answer.about.fictional
    assert "FICTIONAL" in answer.alt
    assert answer.headline in answer.alt
    assert 1 <= len(answer.parts[1]) <= 4, "a reading has one to three sentences, four at most"


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_generated_sentence_says_why(name, answers):
    answer = answers[name]
    written = [answer.question, answer.headline, answer.reading, answer.alt, answer.decided.why, *answer.caveats]
    written += [answer.method.name, answer.method.assumes, answer.evidence.words]
    written += [str(cell) for cell in answer.table.select_dtypes(exclude="number").to_numpy().ravel()]
    assert not [text for text in written if CAUSE.search(text) or LEFT_OUT in text]


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_answer_travels_as_json_and_comes_back_the_same(name, answers):
    answer = answers[name]
    bundle = answer._repr_mimebundle_()
    again = Result.from_json(json.loads(json.dumps(bundle[MIME], allow_nan=False)))
    pd.testing.assert_frame_equal(again.table, answer.table)
    pd.testing.assert_frame_equal(again.marks, answer.marks)
    assert (again.reading, again.alt, again.caveats) == (answer.reading, answer.alt, answer.caveats)
    assert (again.verdict, again.attribution, again.evidence) == (answer.verdict, answer.attribution, answer.evidence)
    assert picture(again.svg(), again.alt) in bundle["text/html"], "the same picture as the answer's own"


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_answer_saves_without_formulas(name, answers, tmp_path):
    answer = answers[name]
    assert answer.save(tmp_path / "answer.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert answer.save(tmp_path / "answer.png").stat().st_size > 5_000
    cells = plain_csv(answer.table)
    assert answer.save(tmp_path / "answer.csv").read_text(encoding="utf-8-sig") == cells.replace("\r\n", "\n")
    with pytest.raises(ek.errors.Refused, match=r"\.csv, \.xlsx, \.svg or \.png"):
        answer.save(tmp_path / "answer.pkl")


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_answer_opens_in_excel_as_it_is(name, answers, tmp_path):
    answer = answers[name]
    book = openpyxl.load_workbook(answer.save(tmp_path / "answer.xlsx"))
    assert book.sheetnames == ["Answer", "Numbers (FICTIONAL)"]
    said = dict(book["Answer"].iter_rows(min_row=2, values_only=True))
    assert said["Answer"] == answer.reading
    assert "invented" in said["FICTIONAL"]
    heading, *rows = book["Numbers (FICTIONAL)"].iter_rows()
    assert [cell.value for cell in heading] == list(answer.table.columns)
    assert not [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    for row, told in zip(rows, answer.table.astype(object).to_numpy().tolist(), strict=True):
        for cell, value in zip(row, told, strict=True):
            held = None if cell.value == "" or (not isinstance(value, str) and pd.isna(value)) else value
            found = None if cell.value == "" else cell.value
            assert found == held or found == pytest.approx(held, rel=1e-14)  # Excel keeps 16 digits
    first, again = (tmp_path / file for file in ("answer.xlsx", "again.xlsx"))
    assert answer.save(again).read_bytes() == first.read_bytes()


@pytest.mark.parametrize("name", QUESTIONS)
def test_tables_are_copies(name, answers):
    answer = answers[name]
    table, marks = answer.table, answer.marks
    table.loc[0, "estimate"] = 1e9
    marks.loc[0, "y"] = 1e9
    assert not (answer.table["estimate"] == 1e9).any()
    assert not (answer.marks["y"] == 1e9).any()


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_wider_audience_gets_a_copy_without_people(name, answers):
    from evalkit.disclosure import protect

    with each_chart_drawn_once():
        for audience in (Audience.TEAM, Audience.COMMISSIONER, Audience.PUBLIC):
            copy = protect(answers[name], audience)
            people = copy.table[copy.table["n_of"].isin(["people", "leaders", "respondents"])]
            assert not ((people["n"] > 0) & (people["n"] < copy.about.minimum_group)).any()
            copy.svg()


@pytest.mark.parametrize("name", [name for name in QUESTIONS if not name.startswith("kirkpatrick")])
def test_an_empty_programme_gets_a_refusal_that_teaches(name, tmp_path):
    (tmp_path / "programme.toml").write_text('schema = 1\nname = "Empty"\nstarts_on = 2024-04-01\n')
    empty = ek.load(tmp_path)
    with pytest.raises(ek.NotEnoughEvidence) as refused:
        QUESTIONS[name](empty, **needs(name))
    assert refused.value.missing
    assert refused.value.would_answer
    assert not CAUSE.search(str(refused.value))


def test_salford_is_described_and_never_tested(salford):
    """The published table: means to two decimals at three dates, no n, no SD (The King's Fund 2014, figure 3)."""
    found = ek.team.maturity(salford)
    table = found.table
    assert found.verdict.value == "described"
    assert found.method.design is Design.DESCRIBED
    assert len(table) == 24
    assert table[["low", "high", "n"]].isna().all().all()
    assert set(table["interval"]) == {"none given"}
    leadership = table[table["measure"] == "Leadership"]
    assert leadership["estimate"].tolist() == [2.13, 2.71, 3.15]
    assert leadership["measured_on"].dt.strftime("%Y-%m").tolist() == ["2012-04", "2012-10", "2013-05"]
    assert "6 months and 7 months apart" in found.reading
    assert "We cannot tell whether the same people answered." in found.caveats
    everything = " ".join([found.reading, found.headline, found.alt, *found.caveats])
    for never in ("a year", "per year", "improved", "worsened", "rose", "fell", "significant", "p ="):
        assert never not in everything


def test_what_salford_cannot_answer_is_refused(salford):
    for ask in (
        partial(ek.individual.growth, on="system_leadership"),
        ek.team.bridging,
        partial(ek.population.change, measure="emergency_admissions_65_plus"),
        ek.process.reach,
        ek.stories.themes,
    ):
        with pytest.raises(ek.NotEnoughEvidence):
            ask(salford)


def test_unknown_names_are_errors_that_list_the_known(northmere):
    with pytest.raises(ValueError, match=r"No instrument is called 'system'.*system_leadership"):
        ek.individual.growth(northmere, on="system")
    with pytest.raises(ValueError, match=r"No measure is called 'contentment'.*emergency_admissions_65_plus"):
        ek.population.change(northmere, measure="contentment")
