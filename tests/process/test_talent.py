"""What became of people who were looked at: counted once each, with Wilson's interval, and never by person."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.terms import Audience


def asked(rows: list[tuple[str, str, str | None, str | None]]) -> Result:
    log = pd.DataFrame(rows, columns=["person_id", "reviewed_on", "grid_cell", "outcome"])
    log["reviewed_on"] = pd.to_datetime(log["reviewed_on"])
    people = pd.DataFrame({"person_id": sorted(set(log["person_id"])) or ["P"], "kind": "participant"})
    settings = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2025, 3, 31), fictional=True)
    return ek.process.talent(Programme.build(settings=settings, tables={"people": people, "talent": log}))


def n(found: Result, measure: str, group: str) -> int:
    return int(found.table.query("measure == @measure and group == @group")["n"].iloc[0])


def many(**outcomes: int) -> list[tuple[str, str, str | None, str | None]]:
    kinds = [kind for kind, number in outcomes.items() for _ in range(number)]
    return [(f"P{at:03}", "2024-06-01", None, None if kind == "none" else kind) for at, kind in enumerate(kinds)]


def test_retention_is_of_those_known_with_wilsons_interval():
    """scipy 1.17.1: binomtest(65, 100).proportion_ci(0.95, method='wilson') gives 0.5525444329688796 and
    0.7363575175690247."""
    found = asked(many(same_post=60, higher_post=5, left_system=35, none=10))
    row = found.table.query("measure == 'Stayed in the system'").iloc[0]
    assert (row["n"], row["out_of"], row["interval"]) == (65, 100, "95% confidence")
    assert (row["low"], row["high"]) == (pytest.approx(55.25444, abs=1e-4), pytest.approx(73.63575, abs=1e-4))
    assert n(found, "What became of them", "not known yet") == 10
    known = found.table.query("measure == 'Outcome known'").iloc[0]
    assert known["sign"] == "uncertain"
    assert known["ask"].startswith("What became of 10 of 110 people")


def test_a_person_counts_once_by_the_latest_conversation_that_says():
    found = asked(
        [
            ("A", "2024-05-01", "growing", "same_post"),
            ("A", "2024-11-01", "ready now", "higher_post"),
            ("A", "2025-02-01", "ready now", None),
            ("B", "2024-05-01", "growing", None),
            ("B", "2024-12-01", "growing", None),
        ]
    )
    assert n(found, "Looked at", "all") == 2
    assert n(found, "What became of them", "higher post") == 1
    assert n(found, "What became of them", "same post") == 0
    assert n(found, "From cell to cell", "growing, then ready now") == 1
    assert n(found, "From cell to cell", "growing, both times") == 1


def test_nothing_known_gives_no_share():
    found = asked(many(none=6))
    row = found.table.query("measure == 'Stayed in the system'").iloc[0]
    assert pd.isna(row["n"])
    assert pd.isna(row["estimate"])
    assert row["interval"] == "none given"
    assert found.headline == "What became of 6 people is not recorded"


def test_one_who_left_is_not_told_by_those_who_stayed():
    found = asked(many(same_post=12, left_system=1))
    copy = protect(found, Audience.COMMISSIONER)
    assert copy.headline == "Withheld: too few people to show"
    assert "12" not in copy.reading
    assert not {"person_id", "grid_cell", "name"} & {*found.table.columns, *found.marks.columns}


def test_one_person_is_withheld_from_everybody_else():
    copy = protect(asked(many(higher_post=1)), Audience.TEAM)
    assert copy.table.loc[copy.table["n"] > 0].empty
    assert "higher post" not in copy.reading


def test_nothing_recorded_is_a_refusal_and_northmere_answers():
    with pytest.raises(ek.NotEnoughEvidence, match="does not say that there was none"):
        asked([])
    found = ek.process.talent(ek.load(folder("sample_data") / "northmere"))
    assert n(found, "Looked at", "all") == 17
    became = found.table[found.table["measure"] == "What became of them"]
    assert became["n"].sum() == 17
