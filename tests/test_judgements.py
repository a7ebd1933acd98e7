"""The table of judgements on the methods page says what the code holds: the number has one home, and this is it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping

import pandas as pd
import pytest

from evalkit.resources import folder

PAGE = (folder("notebooks") / "pages" / "methods.md").read_text(encoding="utf-8")
TOLD = re.findall(r"^\| [^|]+ \| ([\d., ]+) \| `([a-z_.]+)\.([A-Z_]+)` \|$", PAGE, re.MULTILINE)


def numbers(held: object) -> list[float]:
    """A constant as the numbers in it."""
    if isinstance(held, pd.Timedelta):
        return [float(held.days)]
    if isinstance(held, Mapping):
        held = tuple(held.values())
    return [float(each) for each in (held if isinstance(held, tuple) else (held,))]


def test_the_table_is_there():
    assert len(TOLD) >= 14
    assert {"register", "plan.schedule", "signals.talk"} <= {home for _, home, _ in TOLD}


@pytest.mark.parametrize(("value", "home", "name"), TOLD)
def test_a_judgement_is_what_the_page_says(value, home, name):
    module = importlib.import_module(f"evalkit.{home}")
    assert [float(number) for number in value.split(",")] == numbers(getattr(module, name))


@pytest.mark.parametrize(("home", "name"), re.findall(r"\(`([a-z_.]+)\.([A-Z]+_RULE)`\)", PAGE))
def test_a_rule_in_words_has_the_home_the_page_names(home, name):
    assert isinstance(getattr(importlib.import_module(f"evalkit.{home}"), name), str)
