"""signals.watch_list: what may be read only after the data end, who looks after it, and what nobody declared."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from hand_built import answer
from hypothesis import given
from hypothesis import strategies as st

import evalkit as ek
from evalkit.programme import Plan, Programme, Settings
from evalkit.reading.plan import Watch
from evalkit.resources import folder
from evalkit.result import Result

ADMISSIONS, DELAYS = "emergency_admissions_65_plus", "discharge_delays"
LABEL = "Emergency admissions of people aged 65 and over"
WHOLE = Watch(owner="The council", data="outcomes.csv", key_holder="Nobody", delete_on=date(2031, 3, 31))


def asked(
    starts_on: date | None = date(2025, 1, 31), as_of: date = date(2026, 3, 31), retention: str = "", **plan: Any
) -> Programme:
    settings = Settings(
        name="Testmere", starts_on=starts_on, as_of=as_of, fictional=True, retention=retention, plan=Plan(**plan)
    )
    return Programme.build(settings=settings, tables={})


def answered(results: list[Result] | None = None, **said: Any) -> Result:
    return ek.signals.watch_list(asked(**said), results)


def lag(months: int, name: str = "icfat") -> dict[str, Any]:
    return {"lag_months": {name: months}}


@pytest.mark.parametrize(
    ("months", "as_of", "listed"),
    [
        (14, date(2026, 3, 30), True),  # 31 January 2025 and 14 months: 31 March 2026, tomorrow
        (14, date(2026, 3, 31), False),  # today: it may be read now
        (14, date(2026, 4, 1), False),
        (15, date(2026, 3, 31), True),
        (1, date(2025, 2, 27), True),  # 31 January and a month: the last of February
        (1, date(2025, 2, 28), False),
    ],
)
def test_only_what_may_be_read_after_the_data_end(months, as_of, listed):
    if not listed:
        with pytest.raises(ek.NotEnoughEvidence, match="No measure is declared"):
            answered(as_of=as_of, **lag(months))
        return
    row = answered(as_of=as_of, **lag(months)).table.iloc[0]
    assert row["measure"] == "Integrated Care Framework Assessment Tool"
    assert row["read_on"] == pd.Timestamp(2025, 1, 31) + pd.DateOffset(months=months)


@given(st.integers(0, 120), st.dates(date(2025, 1, 31), date(2036, 1, 1)))
def test_listed_if_and_only_if_its_day_is_to_come(months, as_of):
    to_come = pd.Timestamp(2025, 1, 31) + pd.DateOffset(months=months) > pd.Timestamp(as_of)
    try:
        found = len(answered(as_of=as_of, **lag(months)).table)
    except ek.NotEnoughEvidence:
        found = 0
    assert found == int(to_come)


def test_what_was_declared_stands_in_the_table_and_nothing_is_missing():
    found = answered(watch={ADMISSIONS: WHOLE}, primary={"population": ADMISSIONS})
    row = found.table.iloc[0]
    assert (row["owner"], row["data"], row["key_holder"]) == ("The council", "outcomes.csv", "Nobody")
    assert (row["read_on"], row["delete_on"]) == (pd.Timestamp(2030, 1, 31), pd.Timestamp(2031, 3, 31))
    assert "Not declared" not in found.reading
    assert f"{LABEL}: to be read from January 2030; what would count: not agreed" in found.reading
    assert set(found.marks.loc[found.marks["mark"] == "point", "x"]) == {"to be read", "data deleted"}


def test_the_change_that_would_count_is_said_in_words():
    found = answered(watch={ADMISSIONS: WHOLE}, worthwhile={ADMISSIONS: 0.95, "icfat": 0.5}, **lag(36))
    assert found.table.set_index("measure")["threshold"].to_dict() == {
        LABEL: "5 in every 100 lower", "Integrated Care Framework Assessment Tool": "0.50 points higher",
    }  # fmt: skip
    assert found.table["estimate"].tolist() == [0.95, 0.5]


def test_each_gap_is_named():
    row = answered(**lag(36)).table.iloc[0]
    assert (row["owner"], row["data"], row["key_holder"]) == ("nobody named", "not agreed", "nobody named")
    assert pd.isna(row["delete_on"])
    assert "(an owner, where its data are, who holds the key and when data are deleted)" in answered(**lag(36)).reading
    part = answered(watch={ADMISSIONS: Watch(owner="The council", key_holder="Nobody")})
    assert part.reading.endswith(f"Not declared yet: {LABEL} (where its data are and when data are deleted).")


def test_what_is_declared_is_watched_though_nobody_agreed_when():
    found = answered(watch={"icfat": WHOLE})
    assert found.table["read_on"].isna().all()
    assert "nobody agreed when it may be read" in found.reading
    found.svg()


def test_what_is_declared_is_watched_also_when_its_day_is_past():
    assert answered(watch={"icfat": WHOLE}, **lag(1)).table["read_on"].iloc[0] == pd.Timestamp(2025, 2, 28)


def test_without_a_start_there_is_no_day_and_it_is_said():
    found = answered(starts_on=None, watch={ADMISSIONS: WHOLE})
    assert found.table["read_on"].isna().all()
    assert "to be read 60 months after the start, whose day is not recorded" in found.reading
    assert found.headline in found.alt
    found.svg()
    with pytest.raises(ek.NotEnoughEvidence):
        answered(starts_on=None, **lag(36))


@pytest.mark.parametrize(("day", "past"), [(date(2026, 3, 30), True), (date(2026, 3, 31), False), (None, False)])
def test_data_that_should_be_gone_are_spoken_of(day, past):
    found = answered(watch={ADMISSIONS: Watch(owner="x", data="x", key_holder="x", delete_on=day)})
    assert (f"Data were to be deleted by now: {LABEL} (30 March 2026)." in found.reading) == past
    found.svg()


def test_several_stand_by_name_and_the_rest_in_the_table():
    found = answered(watch={ADMISSIONS: WHOLE, DELAYS: Watch()}, lag_months={"icfat": 36, "system_leadership": 48})
    names = found.table["measure"].tolist()
    assert names == sorted(names)
    assert len(names) == 4
    assert "2 more measures in the table." in found.reading
    assert found.headline == "4 measures to be watched after 31 March 2026"
    assert len(found.parts[1]) <= 4
    said = answered(watch={one: Watch(delete_on=date(2026, 1, 1)) for one in (ADMISSIONS, DELAYS, "icfat")})
    assert len(said.parts[1]) == 4  # also where there is every gap, and data that should be gone
    assert "to be deleted by now" in said.reading
    assert said.reading.endswith(
        "Not declared yet: an owner (of 3 of 3 measures), where its data are (of 3 of 3 measures) and who holds the "
        "key (of 3 of 3 measures)."
    )


def test_results_keep_it_to_what_they_are_about():
    both = {"watch": {ADMISSIONS: WHOLE, "icfat": WHOLE, "system_leadership": WHOLE}}
    growth = answer("individual.growth(on='system_leadership', rater='self')")
    change = answer("population.change(measure='emergency_admissions_65_plus')")
    assert answered([growth], **both).table["measure"].tolist() == ["Systems Leadership Development Framework"]
    assert set(answered([growth, change], **both).table["measure"]) == {
        LABEL,
        "Systems Leadership Development Framework",
    }
    named = answer("somebody.asked()")
    with pytest.raises(ek.NotEnoughEvidence, match="Of what these answers are about: no measure"):
        answered([named], **both)
    with pytest.raises(ek.NotEnoughEvidence):
        answered([], **both)


def test_what_was_never_used_is_not_listed():
    """The catalogue's lag of five years is no reason to watch a measure nobody here has."""
    with pytest.raises(ek.NotEnoughEvidence):
        answered()


def test_how_long_data_are_kept_is_said_or_is_missing():
    assert answered(**lag(36)).caveats[-1] == "How long the data as a whole are kept, which is not recorded."
    kept = answered(retention="Ten years, as a result of the law.", **lag(36))
    assert kept.caveats[-2] == "How long the data as a whole are kept: Ten years, […] of the law."


def test_a_typed_word_of_cause_does_not_stop_it():
    assert (
        "looked after by: the desk that leads […] care"
        in answered(watch={ADMISSIONS: Watch(owner="the desk that leads due to care")}).reading
    )


def test_a_lag_that_is_only_agreed_is_said_to_be():
    assert any(
        LABEL in caveat and "agreed, not verified" in caveat for caveat in answered(watch={ADMISSIONS: WHOLE}).caveats
    )


@pytest.mark.parametrize(
    ("name", "owner"),
    [("northmere", "The public health team of Northmere (fictional)"), ("small_place", "nobody named")],
)
def test_sample_programmes(name, owner):
    found = ek.signals.watch_list(ek.load(folder("sample_data") / name))
    assert found.table["owner"].tolist() == [owner]
