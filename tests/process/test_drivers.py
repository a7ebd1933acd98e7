"""process.drivers: the latest look against the first; an organisation nobody looked at is not recorded."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

import evalkit as ek
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result

Look = tuple[str, str, bool, str]


def asked(*looks: Look, arms: tuple[str, ...] = ("programme",) * 3, merged: bool = False, **settings: Any) -> Result:
    """Three leaders, one in each of O1 (Zeal), O2 (Alder) and O3 (Moss)."""
    organisations = pd.DataFrame({"organisation_id": ["O1", "O2", "O3"], "name": ["Zeal", "Alder", "Moss"]})
    if merged:
        organisations = organisations.assign(
            successor_id=["O2", None, None], valid_to=pd.to_datetime(["2025-01-01", None, None])
        )
    people = pd.DataFrame({"person_id": ["L1", "L2", "L3"], "organisation_id": ["O1", "O2", "O3"],
                           "kind": "participant"})  # fmt: skip
    drivers = pd.DataFrame(looks, columns=["organisation_id", "kind", "present", "observed_on"])
    drivers["observed_on"] = pd.to_datetime(drivers["observed_on"])
    tables = {"organisations": organisations, "people": people, "drivers": drivers,
              "participants": pd.DataFrame({"participant_id": ["L1", "L2", "L3"], "arm": [*arms]})}  # fmt: skip
    told = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2026, 3, 31), fictional=True)
    return ek.process.drivers(Programme.build(settings=told, tables=tables), **settings)


def row(found: Result, measure: str, *, by: str = "latest look", group: str = "all") -> dict[str, Any]:
    table = found.table
    (held,) = table[(table["measure"] == measure) & (table["group"] == group) & (table["by"] == by)].to_dict("records")
    return held


TWICE = (
    ("O1", "reward", False, "2024-05-01"), ("O1", "reward", True, "2025-05-01"),
    ("O2", "reward", True, "2024-05-01"), ("O2", "reward", False, "2024-11-01"), ("O2", "reward", True, "2025-05-01"),
    ("O1", "monitor", True, "2024-05-01"), ("O1", "monitor", False, "2025-05-01"),
    ("O2", "monitor", True, "2025-05-01"),
)  # fmt: skip


def test_the_latest_look_against_the_first():
    found = asked(*TWICE)
    reward, monitor, whole = row(found, "Reward"), row(found, "Monitor"), row(found, "All four drivers")
    moves = ("n", "out_of", "gained", "lost", "same", "seen_once")
    assert [reward[name] for name in moves] == [2, 2, 1, 0, 1, 0]
    assert [monitor[name] for name in moves] == [1, 2, 0, 1, 0, 1]
    assert [whole[name] for name in moves] == [3, 4, 1, 1, 1, 1]
    assert [row(found, "Monitor", by="first look")[name] for name in ("n", "out_of")] == [1, 1]
    assert whole["sign"] == "uncertain"
    lost = row(found, "There at the first look and gone", by="")
    assert (lost["n"], lost["out_of"], lost["sign"]) == (1, 2, "uncertain")
    assert "1 new, 1 gone, 1 the same" in found.reading
    assert "Reinforce" not in set(found.table["measure"]), "nobody looked for it"


def test_organisations_of_leaders_never_looked_at_are_not_recorded():
    found = asked(*TWICE)
    seen = row(found, "Leaders' organisations looked at", by="")
    assert (seen["n"], seen["out_of"], seen["sign"]) == (2, 3, "not recorded")
    assert seen["ask"].endswith("?")
    places = found.table[found.table["measure"] == "Drivers there"]
    assert places["group"].tolist() == ["Alder", "Moss", "Zeal"]
    assert places["n"].isna().tolist() == [False, True, False]
    assert set(places["n_of"]) == {"drivers"}
    assert (found.about.n, found.about.of) == (2, 3)


def test_organisations_of_leaders_who_are_compared_with_are_not_missing():
    found = asked(*TWICE, arms=("programme", "programme", "comparison"))
    assert row(found, "Leaders' organisations looked at", by="")["sign"] == ""


def test_only_looks_in_the_window_count():
    first = asked(*TWICE, until=date(2024, 6, 1))
    assert (row(first, "Reward")["n"], row(first, "Reward")["seen_once"]) == (1, 2)
    assert "Nobody looked twice" in first.reading
    assert "first look" not in set(first.table["by"])
    later = asked(*TWICE, since=date(2025, 1, 1))
    assert row(later, "Monitor")["lost"] == 1, "the first look lies before the window"
    with pytest.raises(ek.NotEnoughEvidence, match="does not say that there was none"):
        asked(*TWICE, since=date(2025, 6, 1))


def test_all_there_is_working_and_none_is_not():
    every = [("O1", kind, True, "2025-05-01") for kind in ("reinforce", "monitor", "encourage", "reward")]
    assert row(asked(*every), "All four drivers")["sign"] == "working"
    assert row(asked(*every), "All four drivers")["ask"] == ""
    none = [(organisation, kind, False, day) for organisation, kind, _, day in every]
    assert row(asked(*none), "All four drivers")["sign"] == "not working"
    assert asked(*none).headline == "0 of 4 drivers looked for were there"


def test_an_organisation_merged_since_stands_as_it_was_seen():
    assert any("become part of another" in caution for caution in asked(*TWICE, merged=True).caveats)
    assert not any("become part of another" in caution for caution in asked(*TWICE).caveats)


def test_northmere():
    found = ek.process.drivers(ek.load(folder("sample_data") / "northmere"))
    assert row(found, "All four drivers")["out_of"] == 48
    assert 1 <= (found.table["sign"] != "").sum() <= 3
