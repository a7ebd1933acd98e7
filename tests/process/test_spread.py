"""process.spread: guests are counted and never named; the root of the workforce is shown and never a target."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.process.spread import CAME, HELD, NAMED, OF_INVITED, OF_WORKFORCE, WORKFORCE
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.terms import Audience

ORGANISATIONS = pd.DataFrame(
    {
        "organisation_id": ["O1", "O2", "O3", "O4"],
        "name": ["Zeal Trust", "Ash Homes", "Old Trust", "Elm Voices"],
        "successor_id": [None, None, "O1", None],
        "valid_to": pd.to_datetime([None, None, "2025-03-31", None]),
        "workforce": pd.array([400, 100, 50, None], dtype="Int64"),
    }
)
PLACES = pd.DataFrame({"place_id": ["P1", "P9"], "name": ["Ash", "Elm"], "arm": ["programme", "comparison"]})


def guests(event: str, on: str, came: int, invited: int | None = None, **said: Any) -> dict[str, Any]:
    told = {"place_id": "P1", "organisation_id": None, "role": None}
    return {"spread_id": event, "held_on": pd.Timestamp(on), "came": came, "invited": invited, **told, **said}


LOG = [
    guests("E1", "2025-02-01", 20, 40, organisation_id="O3", role="nurse"),
    guests("E1", "2025-02-01", 10, 10, organisation_id="O2", role="porter"),
    guests("E2", "2025-09-01", 12, organisation_id="O1", role="nurse"),
    guests("E2", "2025-09-01", 8, organisation_id="O4", role="carer"),
    guests("E3", "2025-09-02", 99, place_id="P9"),
]


def asked(log: list[dict[str, Any]], *, bare: bool = False) -> Programme:
    tables = {"places": PLACES} | ({} if bare else {"organisations": ORGANISATIONS})
    if log:
        tables["spread_events"] = pd.DataFrame(log).astype({"came": "Int64", "invited": "Int64"})
    settings = Settings(name="Testmere", starts_on=date(2025, 1, 1), as_of=date(2025, 12, 31), fictional=True)
    return Programme.build(settings=settings, tables=tables)


def of(found: ek.result.Result, group: str = "all") -> dict[str, dict[str, Any]]:
    table = found.table
    return {row["measure"]: row for row in table[table["group"] == group].to_dict("records")}


def by(found: ek.result.Result, split: str, measure: str = CAME) -> dict[str, Any]:
    rows = found.table[(found.table["by"] == split) & (found.table["measure"] == measure)]
    return dict(zip(rows["group"], rows["n"], strict=True))


def test_the_numbers_of_a_small_log_by_hand():
    found = ek.process.spread(asked(LOG))
    rows = of(found)
    assert (rows[CAME]["n"], rows[HELD]["n"]) == (50, 2)
    assert (rows[OF_INVITED]["n"], rows[OF_INVITED]["out_of"], rows[OF_INVITED]["estimate"]) == (30, 50, 60)
    assert (rows[NAMED]["n"], rows[NAMED]["out_of"]) == (3, 3)
    assert list(by(found, "organisation").items()) == [("Ash Homes", 10), ("Elm Voices", 8), ("Zeal Trust", 32)]
    assert by(found, "role") == {"carer": 8, "nurse": 32, "porter": 10}
    assert list(by(found, "half year").values()) == [30, 20]
    assert found.table.loc[found.table["by"] == "half year", "so_far"].tolist() == [30, 50]
    assert "1 row of comparison places left out." in [said[:1].lower() + said[1:] for said in found.caveats]
    assert any("counted twice" in said for said in found.caveats)
    assert "How many were invited was not noted in 2 of 4 rows." in found.caveats


def test_the_root_of_a_workforce_stands_beside_and_is_no_target():
    found = ek.process.spread(asked(LOG))
    rows = of(found)
    assert (rows[OF_WORKFORCE]["n"], rows[OF_WORKFORCE]["out_of"]) == (42, 500)
    assert rows[OF_WORKFORCE]["root_of_workforce"] == pytest.approx(math.sqrt(500))
    assert rows[WORKFORCE]["n"] == 500  # the merged trust is in the one it was merged into
    assert of(found, "Zeal Trust")[OF_WORKFORCE]["estimate"] == 8
    assert not found.table.loc[found.table["root_of_workforce"].notna(), "n"].isna().any()
    assert "sign" not in found.table or (found.table.loc[found.table["measure"] == OF_WORKFORCE, "sign"] == "").all()
    assert any("not verified" in said and "no target" in said for said in found.caveats)
    assert "not verified" in found.method.source
    assert "Workforce not recorded, so left out of its shares: Elm Voices." in found.caveats


def test_a_window_counts_what_was_held_in_it():
    found = ek.process.spread(asked(LOG), since=date(2025, 7, 1))
    assert of(found)[CAME]["n"] == 20
    assert pd.isna(of(found)[OF_INVITED]["estimate"])
    assert "invited" not in found.reading


def test_a_half_year_without_an_event_is_a_question():
    found = ek.process.spread(asked(LOG[:2]))
    assert of(found)[HELD]["sign"] == "not recorded"
    assert "months 7 to 12" in of(found)[HELD]["ask"]
    empty = ek.process.spread(asked(LOG[:2]), since=date(2025, 7, 1))
    assert empty.headline == "No spread event is on record for this time"
    assert empty.alt


def test_whose_people_came_may_be_not_recorded():
    found = ek.process.spread(asked([guests("E1", "2025-08-01", 12, 20)], bare=True))
    assert of(found)[NAMED]["sign"] == "not recorded"
    assert pd.isna(of(found)[NAMED]["n"])
    assert "which organisations was not recorded" in found.reading
    assert found.table["root_of_workforce"].isna().all()
    assert by(found, "role") == {"not recorded": 12}


def test_few_guests_of_one_half_year_are_not_told_by_the_sums():
    found = ek.process.spread(asked([guests("E1", "2025-02-01", 40), guests("E2", "2025-08-01", 3)]))
    copy = protect(found, Audience.COMMISSIONER)
    halves = copy.table[copy.table["by"] == "half year"]
    assert halves["n"].isna().all()
    assert halves["so_far"].isna().all()
    assert "what they add up to is told only at the end" in " ".join(found.caveats)


@pytest.mark.parametrize("log", [[], LOG[-1:]])
def test_no_event_of_the_programmes_own_is_not_recorded(log):
    with pytest.raises(ek.NotEnoughEvidence, match="not say that there was none"):
        ek.process.spread(asked(log))


row = st.tuples(
    st.dates(date(2024, 9, 1), date(2025, 12, 31)), st.integers(0, 40), st.sampled_from(["O1", "O2", "O3", "O4", None])
)


@given(st.lists(row, min_size=1, max_size=8))
def test_every_split_adds_up_to_all_guests(drawn):
    log = [guests(f"E{at}", str(on), came, organisation_id=whose) for at, (on, came, whose) in enumerate(drawn)]
    found = ek.process.spread(asked(log))
    whole = sum(came for _, came, _ in drawn)
    assert of(found)[CAME]["n"] == whole
    assert sum(by(found, "half year").values()) == sum(by(found, "role").values()) == whole
    if any(whose for *_, whose in drawn):
        assert sum(by(found, "organisation").values()) == whole


def test_northmere_guests_come_about_as_often_as_planted():
    found = ek.process.spread(ek.load(folder("sample_data") / "northmere"))
    assert 50 < of(found)[OF_INVITED]["estimate"] < 70
    assert of(found)[NAMED]["sign"] == "not recorded"
