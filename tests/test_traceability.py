"""The traceability page is true: every id is there, what runs exists, and what is not yet does not."""

from __future__ import annotations

import importlib
import re

import pytest

import evalkit as ek
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
    _, system, question, notebook, state = row
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
