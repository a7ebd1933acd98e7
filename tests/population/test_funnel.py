"""population.funnel: places against what chance would give, nobody ranked, nobody named who may not be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.population.funnel import NOT_NAMED, OUTSIDE_95, OUTSIDE_998, SPREAD, WIDENED, funnel
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import ALL, Result
from evalkit.stats import funnels
from evalkit.terms import Attribution, Audience, Verdict
from evalkit.words import CAUSE

ADMISSIONS = "emergency_admissions_65_plus"
SHARES = "joined_up_care"
COUNTS = [48, 52, 50, 55, 45, 49, 51, 90]
"""Seven places alike, one far out."""


def programme(
    counts: Sequence[int | None],
    people: Sequence[float] | float | None = 1_000.0,
    *,
    measure: str = ADMISSIONS,
    comparison: int = 3,
    named: Sequence[str] | None = None,
    hidden: Sequence[int] = (),
    rows: pd.DataFrame | None = None,
    denominators: pd.DataFrame | None = None,
    events: pd.DataFrame | None = None,
) -> Programme:
    """Places with one yearly count each, the last ones for comparison."""
    ids = [f"P{at:02}" for at in range(len(counts))]
    names = named or [f"Place {chr(ord('Z') - at)}" for at in range(len(counts))]
    places = pd.DataFrame({"place_id": ids, "name": names})
    places["arm"] = ["comparison" if at >= len(counts) - comparison else "programme" for at in range(len(counts))]
    places["start"] = pd.to_datetime(["2024-04-01" if arm == "programme" else None for arm in places["arm"]])
    places["may_be_named"] = pd.array([at not in hidden for at in range(len(counts))], dtype="boolean")
    outcomes = pd.DataFrame({"measure": measure, "place_id": ids, "period": pd.Timestamp("2025-04-01"), "span": 12})
    outcomes["count"] = pd.array(list(counts), dtype="Int64")
    outcomes["denominator"] = people if people is not None else np.nan
    outcomes = outcomes[outcomes["count"].notna()] if rows is None else rows
    tables = {"places": places, "outcomes": outcomes.astype({"span": "Int64"})}
    tables |= {} if denominators is None else {"denominators": denominators}
    tables |= {} if events is None else {"events": events}
    told = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2026, 3, 31), fictional=True)
    return Programme.build(settings=told, tables=tables)


def asked(counts: Sequence[int | None], people: Any = 1_000.0, *, period: str | None = None, **how: Any) -> Result:
    measure = how.get("measure", ADMISSIONS)
    return funnel(programme(counts, people, **how), measure=measure, period=period)


def row(found: Result, measure: str, group: str = ALL) -> Any:
    table = found.table
    return table[(table["measure"] == measure) & (table["group"] == group)].iloc[0]


class TestWhatIsSaid:
    def test_the_answer_is_how_many_and_how_many_by_chance(self) -> None:
        found, counted = asked(COUNTS), funnels.funnel(COUNTS, [1_000] * 8)
        assert (counted.outside_95, counted.outside_998) == (1, 1)
        assert row(found, OUTSIDE_95)["estimate"] == 1
        assert row(found, OUTSIDE_95)["by_chance"] == pytest.approx(counted.chance_95)
        assert row(found, OUTSIDE_998)["out_of"] == 8
        assert row(found, SPREAD)["estimate"] == pytest.approx(counted.phi**0.5)
        assert "1 of 8 places lies outside the 95% limits, where chance would put fewer than 1" in found.headline
        assert "the average of all places was 5,500 per 100,000 people a year" in found.reading
        assert "Outside are none of 5 programme places and 1 of 3 comparison places." in found.reading

    def test_more_than_chance_is_said_and_the_limits_are_widened(self) -> None:
        found = asked([20, 90, 30, 80, 45, 60, 100, 10, 55, 70, 25, 85])
        assert "times as far apart as by chance alone" in found.reading
        assert row(found, WIDENED)["estimate"] < row(found, OUTSIDE_95)["estimate"]
        assert any("read the widened ones too" in caveat for caveat in found.caveats)

    def test_chance_alone_is_said(self) -> None:
        found = asked([50, 49, 51, 50, 52, 48, 50, 51])
        assert "none of 8 places lie outside" in found.headline
        assert "do not lie clearly further apart than chance" in found.reading
        assert any("8 places are few" in caveat for caveat in found.caveats)

    def test_it_is_described_and_never_says_why(self) -> None:
        found = asked(COUNTS)
        assert found.verdict is Verdict.DESCRIBED
        assert found.attribution is Attribution.CANNOT_TELL
        written = " ".join([found.headline, found.reading, found.alt, *found.caveats])
        assert not CAUSE.search(written)
        for never in ("best", "worst", "highest", "lowest", "better", "worse", "significant"):
            assert never not in written

    def test_northmere(self) -> None:
        northmere = ek.load(folder("sample_data") / "northmere")
        found = funnel(northmere, measure=ADMISSIONS)
        begins, outcomes, known = pd.Timestamp("2025-04-01"), northmere.outcomes, northmere.denominators
        held = outcomes[(outcomes["measure"] == ADMISSIONS) & (outcomes["period"] >= begins)]
        people = known[known["period"] == begins].groupby("place_id")["population"].sum()
        counts = held.groupby("place_id")["count"].sum()
        expected = funnels.funnel(counts.astype(float), people.reindex(counts.index))
        assert row(found, OUTSIDE_95)["estimate"] == expected.outside_95
        assert found.table["estimate"].iloc[0] == pytest.approx(expected.estimate)
        own = found.table[found.table["interval"] == "99.8% funnel"].set_index("group")
        names = northmere.places.set_index("place_id")["name"]
        for place, told in expected.places.iterrows():
            assert own.loc[names[place], ["estimate", "low", "high"]].tolist() == pytest.approx(
                told[["value", "low_998", "high_998"]].tolist()
            )


class TestNobodyIsRanked:
    def test_places_stand_by_name_and_not_by_value(self) -> None:
        own = asked([10, 90, 30, 70], named=["Delta", "Alpha", "Charlie", "Bravo"]).table
        own = own[own["interval"] == "99.8% funnel"]
        assert own["group"].tolist() == ["Alpha", "Bravo", "Charlie", "Delta"]

    def test_a_place_that_may_not_be_named_is_not(self) -> None:
        found = asked(COUNTS, hidden=[0, 7])
        everything = " ".join([found.reading, found.alt, *found.table["group"], *found.caveats])
        assert "Place Z" not in everything
        assert "Place S" not in everything
        assert found.table["group"].tolist()[-2:] == [NOT_NAMED, NOT_NAMED]

    def test_the_chart_and_its_words_name_no_place(self) -> None:
        found = asked(COUNTS)
        drawn = found.marks[found.marks["mark"] == "place"]
        assert drawn["series"].tolist() == ["programme places"] * 5 + ["comparison places"] * 3
        assert not found.marks["label"].astype(str).str.contains("Place ").any()
        assert "5 programme places and 3 comparison places, none named" in found.alt
        assert found.svg().startswith("<?xml")

    def test_without_comparison_places(self) -> None:
        found = asked(COUNTS, comparison=0)
        assert "Outside are" not in found.reading
        assert set(found.marks.loc[found.marks["mark"] == "place", "series"]) == {"programme places"}


class TestWithheld:
    def test_a_small_count_and_the_next_smallest_are_withheld(self) -> None:
        found = asked([3, 52, 50, 55, 45, 49])
        copy = protect(found, Audience.COMMISSIONER)
        hidden = copy.table[copy.table["interval"] == "withheld"]
        assert hidden["group"].tolist() == [ALL, "Place X", "Place Z"]  # 50 is the next smallest of the programme's
        assert hidden["measure"].iloc[0] == SPREAD  # which would tell the two
        assert hidden[["estimate", "low", "high", "n", "people", "low_95"]].isna().all().all()
        drawn = copy.marks[copy.marks["mark"] == "place"]
        assert len(drawn) == 4
        assert 3.0 not in drawn["n"].tolist()
        assert "4 within the limits" in copy.alt or "none named" in copy.alt
        copy.svg()

    def test_few_who_said_no_are_withheld_too(self) -> None:
        found = asked([98, 60, 55, 58, 62, 57], 100.0, measure=SHARES)
        copy = protect(found, Audience.COMMISSIONER)
        hidden = set(copy.table.loc[copy.table["interval"] == "withheld", "group"])
        assert hidden == {ALL, "Place Y", "Place Z"}


class TestWhatIsRead:
    def test_months_make_a_year_and_years_lived(self) -> None:
        """Two places, twelve months, people in denominators by the year: 24 events of 1,000 people in a year."""
        months = pd.period_range("2025-04", periods=12, freq="M").to_timestamp()
        rows = pd.DataFrame(
            {"measure": ADMISSIONS, "place_id": np.repeat(["P00", "P01"], 12), "period": [*months, *months], "span": 1}
        )
        rows["count"] = pd.array([2] * 12 + [3] * 12, dtype="Int64")
        denominators = pd.DataFrame({"place_id": ["P00", "P01"], "period": pd.Timestamp("2025-04-01"), "span": 12})
        denominators["population"] = 1_000.0
        found = asked([1, 1], rows=rows, denominators=denominators, comparison=1)
        own = found.table[found.table["interval"] == "99.8% funnel"]
        assert own["n"].tolist() == [36, 24]  # Place Y, Place Z
        assert own["estimate"].tolist() == pytest.approx([3_600, 2_400])
        assert own["people"].tolist() == pytest.approx([1_000, 1_000])
        one = asked([1, 1], rows=rows, denominators=denominators, comparison=1, period="2025-06")
        assert one.table.loc[one.table["group"] == "Place Z", "estimate"].tolist() == pytest.approx([2_400])
        assert "In June 2025" in one.reading
        assert any("less than a year" in caveat for caveat in one.caveats)
        short = asked([1, 1], rows=rows[:-1], denominators=denominators, comparison=1)
        assert any("1 place did not report the whole time" in caveat for caveat in short.caveats)

    def test_nobody_is_counted_twice(self) -> None:
        """Rows for all stand beside rows by fifth: only the first are read."""
        whole = pd.DataFrame({"place_id": ["P00", "P01"], "quintile": pd.array([pd.NA, pd.NA], dtype="Int64")})
        parts = pd.DataFrame({"place_id": ["P00"] * 2, "quintile": pd.array([1, 2], dtype="Int64")})
        rows = pd.concat([whole, parts], ignore_index=True).assign(
            measure=ADMISSIONS, period=pd.Timestamp("2025-04-01"), span=12, denominator=500.0
        )
        rows["count"] = pd.array([40, 50, 25, 15], dtype="Int64")
        found = asked([1, 1], rows=rows, comparison=1)
        assert found.table.loc[found.table["group"] == "Place Z", "n"].tolist() == [40]

    def test_a_period_that_is_not_there_is_an_error(self) -> None:
        for period, says in (("2031/32", "holds no whole figure"), ("soon", "is no month, quarter or financial year")):
            with pytest.raises(ValueError, match=says) as refused:
                asked(COUNTS, period=period)
            assert not isinstance(refused.value, ek.NotEnoughEvidence)
            assert "April 2025 to March 2026" in str(refused.value)

    def test_shares_are_out_of_a_hundred(self) -> None:
        found = asked([60, 55, 58, 62], 100.0, measure=SHARES)
        assert found.table["estimate"].iloc[0] == pytest.approx(58.75)
        assert "58.8 in every 100" in found.reading


class TestRefused:
    @pytest.mark.parametrize(
        ("counts", "people", "how", "says"),
        [
            ([5], 100.0, {"comparison": 0}, "One place alone"),
            ([0, 0, 0], 100.0, {}, "Nothing was counted anywhere"),
            ([5, 6, 7], None, {}, "how many people the counts are out of"),
            ([5, 6, 7], None, {"measure": SHARES}, "nobody says out of how many"),
            ([100, 100, 100], 100.0, {"measure": SHARES}, "Everybody was counted everywhere"),
        ],
    )
    def test_what_cannot_be_answered(self, counts: Any, people: Any, how: Any, says: str) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match=says):
            asked(counts, people, **how)

    def test_values_without_counts(self) -> None:
        rows = pd.DataFrame({"measure": ADMISSIONS, "place_id": ["P00", "P01"], "period": pd.Timestamp("2025-04-01")})
        rows = rows.assign(span=12, value=[5.0, 6.0], count=pd.array([pd.NA, pd.NA], dtype="Int64"))
        with pytest.raises(ek.NotEnoughEvidence, match="values without counts"):
            asked([1, 1], rows=rows)

    def test_an_unknown_measure(self) -> None:
        with pytest.raises(ValueError, match="No measure is called 'beds'"):
            funnel(programme(COUNTS), measure="beds")


@settings(max_examples=6)
@given(st.lists(st.integers(0, 80), min_size=2, max_size=9).filter(any), st.integers(0, 8))
def test_promises(counts: list[int], comparison: int) -> None:
    found = asked(counts, comparison=min(comparison, len(counts) - 1))
    table = found.table
    own = table[table["interval"] == "99.8% funnel"]
    assert len(own) == len(counts)
    assert (own["low"] <= table["estimate"].iloc[0] + 1e-9).all()
    assert own["group"].is_monotonic_increasing
    assert row(found, OUTSIDE_998)["estimate"] <= row(found, OUTSIDE_95)["estimate"] <= len(counts)
    assert (own["where"] != "within the limits").sum() == row(found, OUTSIDE_95)["estimate"]
    assert table["n"].iloc[0] == sum(counts)
    copy = protect(found, Audience.PUBLIC).table
    shown = copy[(copy["n_of"] == "events") & copy["n"].notna() & (copy["n"] > 0)]
    assert (shown["n"] >= 5).all()
