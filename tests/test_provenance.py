"""What a report says of its questionnaires and data: editions, local changes, corrections; nobody is in it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import evalkit as ek
from evalkit.reporting import provenance
from evalkit.reporting.facts import Facts
from evalkit.reporting.page import report

CLEAN = Path(__file__).parent / "broken" / "clean"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CLEAN, tmp_path / "programme"))


def adapt(folder: Path, name: str, text: str) -> None:
    (folder / "instruments").mkdir(exist_ok=True)
    (folder / "instruments" / f"{name}.toml").write_text(text, encoding="utf-8")


def said(folder: Path) -> dict[str, str]:
    return {name: " ".join(lines) for name, lines in provenance.instruments(ek.load(folder))}


def test_each_questionnaire_is_named_with_its_edition_and_standing(folder: Path) -> None:
    found = said(folder)
    assert set(found) == {
        "Integrated Care Framework Assessment Tool, edition 2012",
        "Systems Leadership Development Framework, edition 2015",
    }
    assert "no scale of its own" in found["Systems Leadership Development Framework, edition 2015"]
    assert "No study shows how well it measures" in found["Integrated Care Framework Assessment Tool, edition 2012"]


def test_a_local_adaptation_is_named_with_what_it_changed(folder: Path) -> None:
    adapt(folder, "icfat", 'adapts = "icfat"\nedition = "2012 Northtown"\nname = "Our maturity tool"\n')
    for table in ("responses.csv", "scores.csv"):
        text = (folder / table).read_text(encoding="utf-8").replace("icfat,2012,", "icfat,2012 Northtown,")
        (folder / table).write_text(text, encoding="utf-8")
    programme = ek.load(folder)
    assert "instrument icfat" in programme.local
    words = said(folder)["Our maturity tool, edition 2012 Northtown"]
    assert "adapted from Integrated Care Framework Assessment Tool, edition 2012" in words
    html = report(Facts.of(programme), [ek.kirkpatrick.coverage(programme)], ek.terms.Audience.PUBLIC)
    assert "adapted from Integrated Care Framework Assessment Tool" in html


def test_a_menu_and_a_measure_of_ones_own_are_named(folder: Path) -> None:
    (folder / "theories.toml").write_text(
        'schema = 1\nname = "Our strands"\nsource = "us"\nlicence = "ours"\nverified = true\n'
        '[entries]\nnarrative = "Narrative practice"\n'
    )
    (folder / "measures.toml").write_text(
        '[falls]\nlabel = "Falls"\nunit = "falls"\nbetter = "lower"\nkind = "count"\nbeneficiary = "citizens"\n'
        'source = "us"\nvalidated = false\n'
    )
    programme = ek.load(folder)
    lines = " ".join(provenance.local(programme))
    assert "Narrative practice" in lines
    assert "Falls: a measure of this programme's own." in lines
    assert "narrative" in programme.menus["theories"].labels
    text = (folder / "sessions.csv").read_text().replace("system_leadership", "narrative")
    (folder / "sessions.csv").write_text(text)
    assert ek.load(folder).sessions["theory"].tolist() == ["narrative"]


def test_corrections_are_listed_without_row_or_value(folder: Path) -> None:
    (folder / "corrections.csv").write_text(
        "file,row_id,column,old,new,reason,who,decided_on\n"
        "participants.csv,P1,seniority,executive,other,Asked again,evaluator,2025-01-14\n"
        "participants.csv,P2,seniority,senior_middle,other,Asked again,evaluator,2025-01-14\n"
    )
    programme = ek.load(folder)
    assert provenance.corrections(programme) == (
        ("participants.csv", "seniority", "2 cells", "Asked again", "evaluator", "14 January 2025"),
    )
    html = report(Facts.of(programme), [ek.kirkpatrick.coverage(programme)], ek.terms.Audience.COMMISSIONER)
    assert "Asked again" in html
    assert "senior_middle" not in html
    assert "Corrections made on the way in: 2." in html


def test_organisations_that_are_history_are_not_counted(folder: Path) -> None:
    with (folder / "organisations.csv").open("w") as file:
        file.write("organisation_id,name,successor_id,valid_to\nO1,A,,\nO2,B,,\nO3,C,O1,2023-03-31\n")
    assert "2 organisations" in Facts.of(ek.load(folder)).counts
