"""The traceability page is true: every id is there, what runs exists, and what is not yet does not."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pandas as pd
import pytest

import evalkit as ek
from data_schemas.tables import models
from evalkit import instrument, menu
from evalkit.resources import folder

IDS = [
    f"{letter}{n}"
    for letter, last in (("A", 14), ("B", 18), ("C", 14), ("D", 29), ("E", 16))
    for n in range(1, last + 1)
]
ROOMS = ("individual", "team", "population", "process", "stories", "kirkpatrick", "plan", "signals")


def rows() -> list[list[str]]:
    page = (folder("notebooks") / "pages" / "traceability.md").read_text(encoding="utf-8")
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if re.match(r"\| [A-E]\d+ \|", line)
    ]


def exists(name: str) -> bool:
    owner, _, asked = name.partition(".")
    if owner in ROOMS:
        try:
            return hasattr(importlib.import_module(f"evalkit.{owner}"), asked)
        except ImportError:
            return False
    thing = getattr(ek, owner)
    return not asked or hasattr(thing, asked)


def test_every_id_of_the_sources_has_its_row_once():
    assert [row[0] for row in rows()] == IDS


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_row_says_what_is_true(row):
    _, system, _, question, notebook, state = row
    assert system
    name = question.strip("`")
    if state.startswith(("runs", "part")):
        assert exists(name), f"{name} does not exist"
        assert notebook == "all" or list(folder("notebooks").glob(f"{notebook}_*.ipynb")), "no such notebook"
    else:
        assert state.startswith("not yet")
        assert not exists(name) or ":" in state or ";" in state or " by " in state, (
            f"{name} exists: say what is missing"
        )
    for later in re.findall(r"not yet \(([^)]*)\)", state):
        assert not [found for found in later.split(", ") if exists(found)], f"{later} exists now: mend the row"


def test_every_system_has_a_place_for_its_data():
    """The names in the data column are tables, instruments and menus, and all of these are somebody's data."""
    known = {"table": set(models()), "instrument": set(instrument.shipped()), "menu": set(menu.shipped())}
    used = {kind: set() for kind in known}
    for row in rows():
        for part in row[2].split("; "):
            kind = part.split(" ")[0].removesuffix("s")
            named = re.findall(r"`([a-z_]+)`", part)
            if kind in known:
                assert named, row
                assert set(named) <= known[kind], row
                used[kind] |= set(named)
    assert used["instrument"] == known["instrument"]
    assert used["menu"] == known["menu"]
    for id, data in [(row[0], row[2]) for row in rows() if row[0][0] in "AB"]:
        assert re.search(r"(table|instrument|menu)s? `|\[plan\]", data), id


@pytest.mark.parametrize("name", sorted(instrument.shipped()))
def test_every_instrument_scores_a_sitting_or_is_recorded(name):
    """A sitting with every item at the top of the scale: the best score there is, or none where nothing is averaged."""
    known = instrument.shipped()[name]
    top = {item.key: known.scale.low if item.reversed else known.scale.high for item in known.items}
    if known.has_points:
        top = {item.key: known.scale.codes[max(item.points, key=item.points.get)] for item in known.items}
    sitting = pd.DataFrame(
        {"respondent_id": "P1", "subject_kind": known.subjects[0], "subject_id": "P1", "rater": "self",
         "instrument": name, "item": list(top), "wave": 1, "timing": "pre",
         "answered_on": pd.Timestamp(2024, 3, 5), "answer": list(top.values())}
    ).astype({"wave": "Int64", "answer": "float64"})  # fmt: skip
    if known.recorded:
        with pytest.raises(ValueError, match="never averaged"):
            known.score(sitting)
        assert known.answers(sitting).notna().all(axis=None)
        return
    found = known.score(sitting).set_index("domain")["score"]
    assert found.to_dict() == pytest.approx({domain: high for domain, (_, high) in known.bounds.items()})


def test_every_table_loads():
    clean = ek.load(Path(__file__).parent / "broken" / "clean")
    assert [table for table in models() if not clean.has(table)] == []
