"""process.composition: parts held on the day; n counts teams; a blank part is not a part that is missing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalkit as ek
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import Result

Member = tuple[str, str, str | None, str | None, str | None]
NEEDED = ("commissioner", "manager")


def asked(*members: Member, comparison: str = "", roles: Any = None) -> Result:
    """Teams T1 (micro), T2 (meso) and T3 (no tier); members as person, team, role, start, end; odd people in O1."""
    rows = pd.DataFrame(members, columns=["person_id", "team_id", "role", "start", "end"])
    rows = rows.assign(**{name: pd.to_datetime(rows[name]) for name in ("start", "end")})
    people = pd.DataFrame({"person_id": sorted(set(rows["person_id"])), "kind": "participant"})
    people["organisation_id"] = ["O1" if int(one[1:]) % 2 else "O2" for one in people["person_id"]]
    places = pd.DataFrame({"place_id": ["P1", "P2"], "name": ["Here", "There"], "arm": ["programme", "comparison"]})
    teams = pd.DataFrame({"team_id": ["T1", "T2", "T3"], "tier": ["micro", "meso", None]})
    teams["place_id"] = ["P2" if team == comparison else "P1" for team in teams["team_id"]]
    organisations = pd.DataFrame({"organisation_id": ["O1", "O2"], "name": ["One", "Two"], "sector": "council"})
    tables = {"people": people, "memberships": rows, "teams": teams.assign(name=teams["team_id"]), "places": places,
              "organisations": organisations}  # fmt: skip
    told = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2025, 3, 31), fictional=True)
    return ek.process.composition(Programme.build(settings=told, tables=tables), roles=roles)


def row(found: Result, measure: str, group: str = "all") -> dict[str, Any]:
    table = found.table
    (held,) = table[(table["measure"] == measure) & (table["group"] == group)].to_dict("records")
    return held


def counts(found: Result, measure: str, group: str = "all") -> tuple[int, int, int, int]:
    held = row(found, measure, group)
    return held["n"], held["not_held"], held["not_said"], held["out_of"]


MEMBERS: tuple[Member, ...] = (
    ("L1", "T1", "commissioner", None, None), ("L2", "T1", "Manager", "2024-04-01", None),
    ("L3", "T2", "manager", None, None), ("L4", "T2", "manager", None, None),
    ("L5", "T3", None, None, None), ("L6", "T3", "manager", None, None),
)  # fmt: skip


def test_held_not_held_and_not_recorded():
    found = asked(*MEMBERS, roles=NEEDED)
    assert counts(found, "Manager") == (3, 0, 0, 3)
    assert counts(found, "Commissioner") == (1, 1, 1, 3)  # in T3 somebody's part is blank
    assert counts(found, "All 2 parts") == (1, 1, 1, 3)
    assert counts(found, "All 2 parts", "micro") == (1, 0, 0, 1)
    assert counts(found, "All 2 parts", "meso") == (0, 1, 0, 1)
    assert row(found, "All 2 parts")["sign"] == "not working"
    assert row(found, "All 2 parts")["ask"].endswith("?")
    assert set(found.table["n_of"]) == {"teams"}
    assert any("part is blank" in caution for caution in found.caveats)


def test_who_left_or_has_not_joined_holds_no_part():
    found = asked(
        ("L1", "T1", "commissioner", None, "2025-03-30"), ("L2", "T1", "manager", None, "2025-03-31"),
        ("L3", "T1", "commissioner", "2025-04-01", None), roles=NEEDED,
    )  # fmt: skip
    assert counts(found, "Commissioner") == (0, 1, 2, 3)  # nobody is recorded in T2 and T3
    assert counts(found, "Manager") == (1, 0, 2, 3)


def test_without_parts_named_every_part_is_counted_and_nothing_is_signed():
    found = asked(*MEMBERS)
    assert found.table["measure"].tolist()[:2] == ["Commissioner", "Manager"]
    assert "sign" not in found.table
    assert any("Nobody said which parts" in caution for caution in found.caveats)


def test_a_part_nobody_holds_is_said_with_the_parts_there_are():
    found = asked(*MEMBERS, roles=("social care",))
    assert counts(found, "Social care") == (0, 2, 1, 3)
    assert any("written as social care; the parts written are commissioner and manager" in c for c in found.caveats)
    for named in ((), "manager"):
        with pytest.raises(ValueError, match="names no parts"):
            asked(*MEMBERS, roles=named)


def test_people_organisations_and_sectors_a_team_joins():
    found = asked(*MEMBERS[:4], ("L6", "T2", "manager", None, None), ("L8", "T3", "manager", None, None))
    people, organisations = row(found, "People a team joins"), row(found, "Organisations a team joins")
    assert (people["estimate"], people["low"], people["high"], people["n"]) == (2, 1, 3, 3)  # 2, 3 and 1
    assert (organisations["estimate"], organisations["low"], organisations["high"]) == (2, 1, 2)  # 2, 2 and 1
    assert row(found, "Sectors a team joins")["estimate"] == 1
    assert people["interval"] == "range"


def test_teams_to_compare_with_are_left_out_and_blank_parts_alone_are_refused():
    assert counts(asked(*MEMBERS, comparison="T3", roles=NEEDED), "Commissioner") == (1, 1, 0, 2)
    with pytest.raises(ek.NotEnoughEvidence, match="was recorded"):
        asked(("L1", "T1", None, None, None))
    with pytest.raises(ek.NotEnoughEvidence, match="was recorded"):
        asked(("L1", "T1", "manager", "2025-06-01", None))


def test_all_teams_whole_is_working():
    every = [(f"L{2 * team + k}", f"T{team}", part, None, None) for team in (1, 2, 3) for k, part in enumerate(NEEDED)]
    assert row(asked(*every, roles=NEEDED), "All 2 parts")["sign"] == "working"


@given(st.lists(st.tuples(st.sampled_from(["T1", "T2", "T3"]), st.sampled_from(["manager", "commissioner", None])),
                min_size=1, max_size=9).filter(lambda held: any(part for _, part in held)))  # fmt: skip
def test_held_not_held_and_not_recorded_are_all_the_teams(held):
    members = [(f"L{k}", team, part, None, None) for k, (team, part) in enumerate(held, 1)]
    found = asked(*members, roles=NEEDED)
    for measure in ("Manager", "Commissioner", "All 2 parts"):
        n, without, blank, out_of = counts(found, measure)
        assert n + without + blank == out_of == 3
    assert row(found, "All 2 parts")["n"] <= min(row(found, part)["n"] for part in ("Manager", "Commissioner"))


def test_northmere():
    four = ("commissioner", "clinical lead", "manager", "social care")
    found = ek.process.composition(ek.load(folder("sample_data") / "northmere"), roles=four)
    assert counts(found, "All 4 parts")[3] == 24
    assert row(found, "People a team joins")["estimate"] > 3
