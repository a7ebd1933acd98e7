"""population.inequality: rates by fifth, the slope through them before and now, said without a why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.population.inequality import MOVED, NAMES, RATIO, SLOPE, TURNED, inequality
from evalkit.programme import Programme, Settings
from evalkit.resources import folder
from evalkit.result import ALL, Result
from evalkit.stats import rates
from evalkit.stats.slope_index import slope_index
from evalkit.terms import Attribution, Audience, Design, Verdict
from evalkit.words import CAUSE

AVOIDABLE, SHARES = "avoidable_admissions", "joined_up_care"
PEOPLE = [3_000.0, 2_500.0, 2_500.0, 2_000.0, 1_500.0]
WAS, NOW = [210, 140, 120, 80, 45], [200, 138, 122, 84, 48]
ELSEWHERE = [160, 110, 90, 60, 40]
MINE, OTHERS = "programme places", "comparison places"


def programme(
    counts: Mapping[str, Mapping[str, Sequence[int | None]]],
    *,
    measure: str = AVOIDABLE,
    people: Sequence[float] | None = PEOPLE,
    denominators: Sequence[float] | None = None,
    start: str | None = "2024-04-01",
) -> Programme:
    """Counts by place, financial year and fifth; a place whose id begins with C is for comparison."""
    ids = list(counts)
    places = pd.DataFrame({"place_id": ids, "name": ids})
    places["arm"] = ["comparison" if place.startswith("C") else "programme" for place in ids]
    begun = [start if arm == "programme" else None for arm in places["arm"]]
    places["start"] = pd.to_datetime(pd.Series(begun, dtype=object))
    rows = [
        {"measure": measure, "place_id": place, "period": pd.Timestamp(f"{year}-04-01"), "span": 12, "quintile": fifth,
         "count": count, "denominator": people[fifth - 1] if people else None}
        for place, years in counts.items()
        for year, told in years.items()
        for fifth, count in enumerate(told, start=1)
        if count is not None
    ]  # fmt: skip
    kinds = {"span": "Int64", "quintile": "Int64", "count": "Int64", "denominator": float}
    tables = {"places": places, "outcomes": pd.DataFrame(rows).astype(kinds)}
    if denominators:
        lived = [
            {"place_id": place, "period": pd.Timestamp(f"{year}-04-01"), "span": 12, "quintile": fifth, "population": n}
            for place, years in counts.items() for year in years for fifth, n in enumerate(denominators, start=1)
        ]  # fmt: skip
        tables["denominators"] = pd.DataFrame(lived).astype({"span": "Int64", "quintile": "Int64"})
    told = Settings(
        name="Testmere",
        starts_on=date.fromisoformat(start) if start else None,
        as_of=date(2026, 3, 31),
        fictional=True,
    )
    return Programme.build(settings=told, tables=tables)


BOTH = {"P1": {"2023": WAS, "2025": NOW}, "C1": {"2023": ELSEWHERE, "2025": ELSEWHERE}}


@pytest.fixture(scope="module")
def both() -> Result:
    return inequality(programme(BOTH), measure=AVOIDABLE)


def row(found: Result, measure: str, by: str, group: str = ALL) -> Any:
    table = found.table
    held = table[(table["measure"] == measure) & table["by"].str.startswith(by) & (table["group"] == group)]
    return held.iloc[-1]


def index(counts: Sequence[int], people: Sequence[float] = PEOPLE, seed: int = 0) -> Any:
    told = [rates.crude(count, n) for count, n in zip(counts, people, strict=True)]
    return slope_index(
        [each.estimate for each in told], people, kind="rate", low=[each.low for each in told],
        high=[each.high for each in told], multiplier=-1, seed=seed,
    )  # fmt: skip


class TestWhatIsSaid:
    def test_the_slope_through_the_fifths_is_the_statistics(self, both: Result) -> None:
        for counts, when, seed in ((WAS, "year to March 2024", 1), (NOW, "year to March 2026", 2)):
            expected = index(counts, seed=seed)
            told = row(both, SLOPE, f"{MINE}, {when}")
            assert told[["estimate", "low", "high"]].tolist() == pytest.approx(
                [expected.estimate, expected.low, expected.high]
            )
            assert told["interval"] == "95% confidence"
            times = row(both, RATIO, f"{MINE}, {when}")
            assert times[["estimate", "low", "high"]].tolist() == pytest.approx(
                [expected.relative, expected.relative_low, expected.relative_high]
            )
            assert told["estimate"] > 0, "higher where people are more deprived"
            assert times["estimate"] > 1

    def test_each_fifth_has_its_rate_and_interval(self, both: Result) -> None:
        told = row(both, "Emergency admissions for conditions usually looked after outside hospital",
                   f"{MINE}, year to March 2026", NAMES[1])  # fmt: skip
        expected = rates.crude(NOW[0], PEOPLE[0])
        assert told[["estimate", "low", "high"]].tolist() == pytest.approx(
            [expected.estimate, expected.low, expected.high]
        )
        assert (told["n"], told["people"], told["n_of"]) == (200, 3_000, "events")

    def test_the_change_is_told_with_both_ways_it_may_be(self, both: Result) -> None:
        was, now = index(WAS).estimate, index(NOW).estimate
        told = row(both, MOVED, MINE)
        assert told["estimate"] == pytest.approx(now - was)
        assert told["low"] < 0 < told["high"]
        assert f"The gap is now {was - now:,.0f} narrower (between" in both.reading
        assert "it may be either" in both.reading
        assert row(both, TURNED, MINE)["estimate"] == pytest.approx(index(NOW).relative / index(WAS).relative)
        assert "In comparison places it is no different" in both.reading

    def test_a_clear_change_is_not_said_to_be_either(self) -> None:
        found = inequality(programme({"P1": {"2023": WAS, "2025": [130, 115, 115, 95, 75]}}))
        assert row(found, MOVED, MINE)["high"] < 0
        assert "narrower (between" in found.reading
        assert "either" not in found.reading
        assert found.verdict is Verdict.DESCRIBED

    def test_it_is_described_and_never_says_why(self, both: Result) -> None:
        assert both.verdict is Verdict.DESCRIBED
        assert both.attribution is Attribution.CANNOT_TELL
        assert both.method.design is Design.BEFORE_AFTER
        written = " ".join([both.headline, both.reading, both.alt, *both.caveats, both.decided.why])
        assert not CAUSE.search(written)
        assert f"was {index(WAS).estimate:,.0f} and is now {index(NOW).estimate:,.0f}" in both.headline
        assert "1 (most deprived) 6,667" in both.alt

    def test_places_are_added_up_before_rates_are_made(self) -> None:
        half = [count // 2 for count in NOW]
        rest = [count - part for count, part in zip(NOW, half, strict=True)]
        twice = inequality(programme({"P1": {"2025": half}, "P2": {"2025": rest}}), measure=AVOIDABLE)
        expected = index(NOW, [2 * n for n in PEOPLE])
        assert row(twice, SLOPE, MINE)["estimate"] == pytest.approx(expected.estimate)
        assert "in 2 programme places" in twice.reading

    def test_people_by_fifth_may_stand_apart(self, both: Result) -> None:
        apart = inequality(programme(BOTH, people=None, denominators=PEOPLE), measure=AVOIDABLE)
        pd.testing.assert_frame_equal(apart.table, both.table)

    def test_shares_are_told_in_every_hundred(self) -> None:
        yes = [100, 130, 150, 160, 165]
        found = inequality(programme({"P1": {"2023": yes, "2025": yes}}, measure=SHARES, people=[200.0] * 5))
        expected = slope_index(
            [count / 200 for count in yes], [200] * 5, kind="proportion", multiplier=-100,
            low=[rates.wilson(count, 200).low for count in yes], high=[rates.wilson(count, 200).high for count in yes],
        )  # fmt: skip
        told = row(found, SLOPE, f"{MINE}, year to March 2026")
        assert told["estimate"] == pytest.approx(expected.estimate)
        assert told["estimate"] < 0, "fewer say yes where people are more deprived"
        assert told["unit"] == "in every 100"
        assert any("nowhere to compare with" in caveat for caveat in found.caveats)

    def test_northmere_without_being_told_which_measure(self) -> None:
        northmere = ek.load(folder("sample_data") / "northmere")
        found = inequality(northmere)
        held = northmere.outcomes[northmere.outcomes["quintile"].notna()]
        mine = northmere.places.loc[northmere.places["arm"] == "programme", "place_id"]
        now = held[held["place_id"].isin(mine) & (held["period"] == held["period"].max())]
        by = now.groupby("quintile")[["count", "denominator"]].sum()
        expected = index(by["count"].tolist(), by["denominator"].tolist())
        assert row(found, SLOPE, f"{MINE}, year to March 2026")["estimate"] == pytest.approx(expected.estimate)
        assert found.svg().startswith("<?xml")


class TestEdges:
    def test_one_time_only_is_the_gap_as_it_is(self) -> None:
        found = inequality(programme({"P1": {"2025": NOW}}))
        assert found.method.design is Design.DESCRIBED
        assert "the gap from most to least deprived is" in found.headline
        assert MOVED not in set(found.table["measure"])
        assert any("no figures from before the start" in caveat for caveat in found.caveats)

    def test_a_fifth_without_events_has_no_slope_and_says_so(self) -> None:
        found = inequality(programme({"P1": {"2025": [20, 15, 12, 8, 0]}}))
        assert found.headline.endswith("no slope can be drawn")
        assert "There is no slope index: nothing was counted in fifth 5." in found.reading
        assert SLOPE not in set(found.table["measure"])
        found = inequality(programme({"P1": {"2023": [20, 15, 12, 8, 0], "2025": NOW}}))
        assert any("No slope for programme places, year to March 2024" in caveat for caveat in found.caveats)

    def test_a_fifth_that_is_not_given_is_refused(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="not given for fifth 4"):
            inequality(programme({"P1": {"2025": [20, 15, 12, None, 5]}}))

    def test_without_fifths_it_is_refused_clearly(self) -> None:
        held = programme({"P1": {"2025": NOW}})
        outcomes = held.outcomes.assign(quintile=pd.array([pd.NA] * 5, dtype="Int64"), age_band=[*"12345"])
        outcomes["age_band"] = [f"{at}0-{at}9" for at in range(1, 6)]
        again = Programme.build(settings=held.settings, tables={"places": held.places, "outcomes": outcomes})
        with pytest.raises(ek.NotEnoughEvidence, match="No measure is given by deprivation fifth"):
            inequality(again)
        with pytest.raises(ek.NotEnoughEvidence, match="are not given by deprivation fifth"):
            inequality(again, measure=AVOIDABLE)

    def test_misspelt_settings_say_what_there_is(self) -> None:
        held = programme({"P1": {"2025": NOW}})
        with pytest.raises(ValueError, match="by='sex': inequality is told by 'quintile'"):
            inequality(held, by="sex")
        with pytest.raises(ValueError, match="There are figures from April 2025 to March 2026"):
            inequality(held, period="2031/32")
        with pytest.raises(ValueError, match="No measure is called 'beds'"):
            inequality(held, measure="beds")

    def test_nobody_says_when_it_started_or_how_many_live_there(self) -> None:
        with pytest.raises(ek.NotEnoughEvidence, match="when the programme started"):
            inequality(programme({"P1": {"2025": NOW}}, start=None))
        with pytest.raises(ek.NotEnoughEvidence, match="how many people the counts are out of"):
            inequality(programme({"P1": {"2025": NOW}}, people=None))

    def test_a_time_before_the_start_is_said_to_be_none_after_it(self) -> None:
        found = inequality(programme(BOTH), period="2023/24", measure=AVOIDABLE)
        assert any("In 1 place the programme started after this time began" in caveat for caveat in found.caveats)

    def test_all_the_same_rate(self) -> None:
        found = inequality(programme({"P1": {"2023": [30] * 5, "2025": [30] * 5}}, people=[1_000.0] * 5))
        assert row(found, SLOPE, MINE)["estimate"] == pytest.approx(0, abs=1e-9)
        assert "The gap is now no different" in found.reading


class TestWithheld:
    def test_a_small_fifth_takes_the_slope_with_it(self) -> None:
        """Four fifths, their line and its slope would tell the fifth."""
        found = inequality(programme({"P1": {"2025": [180, 130, 125, 90, 3]}}))
        copy = protect(found, Audience.COMMISSIONER)
        hidden = copy.table[copy.table["interval"] == "withheld"]
        assert {SLOPE, RATIO} <= set(hidden["measure"])
        assert set(hidden["group"]) == {ALL, NAMES[4], NAMES[5]}
        assert copy.headline.startswith("Withheld")
        assert "Along the whole range" not in copy.reading
        assert copy.marks.loc[copy.marks["mark"] == "point", "x"].tolist() == [NAMES[1], NAMES[2], NAMES[3]]
        copy.svg()


@settings(max_examples=6)
@given(st.lists(st.integers(1, 300), min_size=5, max_size=5))
def test_promises(counts: list[int]) -> None:
    found = inequality(programme({"P1": {"2025": counts}}))
    gap, times = row(found, SLOPE, MINE), row(found, RATIO, MINE)
    assert (gap["estimate"] > 0) == (times["estimate"] > 1) or gap["estimate"] == pytest.approx(0, abs=1e-6)
    assert gap["low"] <= gap["high"]
    assert gap["n"] == sum(counts)
    fifths = found.table[found.table["group"].isin(NAMES.values())]
    assert fifths["n"].tolist() == counts
    assert (fifths["low"] <= fifths["estimate"]).all()
