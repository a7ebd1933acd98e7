"""Nobody can be told from figures of people's lives: attacks that hold every copy a commissioner or the public gets."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.kirkpatrick.found_by_others import found_by_others
from evalkit.measure import Measure
from evalkit.population.funnel import SPREAD
from evalkit.population.rate_rows import TOO_FEW
from evalkit.programme import Programme, Settings
from evalkit.reading import empty
from evalkit.result import Result
from evalkit.terms import Audience
from tests.population.counted import MEASURE, steady
from tests.population.counted import programme as counted
from tests.population.in_order import FALLS, SURVEY, made
from tests.population.places_by_hand import _typed, by_age, figure, programme
from tests.population.test_funnel import asked as funnel_of

ONE_PLACE = (20, 22, 19, 25, 21, 18, 3, 24, 23, 20, 19, 22)
"""A year of months, one of them small."""


def public(raw: Result) -> Result:
    return protect(raw, Audience.PUBLIC)


def shown(copy: Result) -> pd.DataFrame:
    return copy.table[copy.table["interval"] != "withheld"]


def everywhere(copy: Result) -> str:
    """All that leaves with a copy."""
    return json.dumps(copy.to_json(), ensure_ascii=False) + copy.alt + copy.reading + " ".join(copy.caveats)


def year_less(total: Result, parts: pd.DataFrame, kind: str = "programme places") -> float | None:
    """What the year in `rates` leaves when the parts shown are taken from it; None where the year is not shown."""
    year = shown(total)
    year = year[(year["kind"] == kind) & (year["what"] == "crude")].iloc[-1:]
    return None if year.empty else float(year["n"].iloc[0] - parts["n"].sum())


class TestMonths:
    """`variation` and `change` beside the year that `rates` tells."""

    def months(self, *years: tuple[int, ...]) -> Programme:
        return made({"P1": [(n, 1_000) for year in years for n in year]}, as_of=date(2023, 3, 31), first="2021-04")

    def test_a_small_month_is_not_the_year_less_its_other_months(self) -> None:
        """Two years with a small month each: neither is withheld alone, but each is alone in its year."""
        found = self.months(ONE_PLACE, ONE_PLACE[::-1])
        months = shown(public(ek.population.variation(found, measure=FALLS.id)))
        for when in ("2021/22", "2022/23"):
            year = public(ek.population.rates(found, measure=FALLS.id, period=when))
            own = [name for name in months["group"] if name in _named(when)]
            left = year_less(year, months[months["group"].isin(own)])
            assert left is not None
            assert left > 3
            assert len(own) <= 10

    def test_the_chart_of_a_change_draws_no_small_month_and_none_that_tells_it(self, tmp_path: Path) -> None:
        counts = steady(1, 36, at=30)
        counts[0, 24], counts[0, 8] = 2, 4
        found = counted(tmp_path, counts, mine=1, starts={0: "2022-10-01"})
        raw = ek.population.change(found, measure=MEASURE)
        copy = public(raw)
        drawn = copy.marks[copy.marks["mark"] == "point"]
        assert len(raw.marks[raw.marks["mark"] == "point"]) - len(drawn) >= 4
        assert copy.marks.loc[copy.marks["mark"] != "point", "n"].isna().all(), "lines told the counts of all months"
        since = int(re.findall(r"that is ([\d,]+) counted", copy.reading)[0].replace(",", ""))
        after = drawn[drawn["x"] >= "2022-10-01"]
        assert since - after["n"].sum() >= 5
        assert 12 <= len(after) <= 16
        held = shown(public(ek.population.variation(found, measure=MEASURE))).query("n_of == 'events'")
        assert set(held["n"].astype(float)) == set(drawn["n"]), "what one chart leaves out the other would tell"

    def test_few_events_since_the_start_are_not_counted_in_a_sentence(self, tmp_path: Path) -> None:
        """A month without any is refused, so that few are few only under a larger minimum."""
        counts = np.array([[4, 3, 5, 4] * 5 + [1, 2, 1, 1, 2, 1, 1, 1, 3, 1, 1, 2]])
        found = counted(tmp_path, counts, mine=1, starts={0: "2022-12-01"}, plan="minimum_group = 20")
        raw = ek.population.change(found, measure=MEASURE)
        assert "that is 17 counted" in raw.reading
        copy = public(raw)
        assert "that is 17 counted" not in everywhere(copy)
        assert copy.table["interval"].iloc[-1] == "withheld"

    def test_limits_do_not_tell_how_few_were_asked(self) -> None:
        told = [(30, 60)] * 11 + [(0, 3)]
        copy = public(ek.population.variation(made({"P1": told}, measure=SURVEY), measure=SURVEY, chart="p"))
        limits = copy.marks[copy.marks["series"].isin(["upper limit", "lower limit"])]
        assert "2022-03-01" not in set(limits["x"])
        assert copy.table[["low", "high"]].iloc[0].isna().all()
        assert "with as many people as in the last" not in copy.reading


def _named(year: str) -> set[str]:
    first = int(year[:4])
    return {f"{when:%B %Y}" for when in pd.date_range(f"{first}-04", periods=12, freq="MS")}


class TestPlaces:
    def test_one_kind_less_its_other_places_tells_no_small_place(self) -> None:
        """The next smallest of all was a comparison place, and the programme's own total told the small one."""
        found = funnel_of([3, 52, 50, 20, 45, 49])
        held = shown(public(found)).query("n_of == 'events'")
        assert (held["arm"] == "programme places").sum() == 1
        assert (held["arm"] == "comparison places").sum() == 3

    def test_a_small_place_alone_of_its_kind_is_not_all_less_the_others(self) -> None:
        held = shown(public(funnel_of([3, 52, 50, 20, 45, 49], comparison=5))).query("n_of == 'events' and arm == arm")
        assert held["group"].tolist() == sorted(held["group"])
        assert len(held.dropna(subset=["arm"])) == 3, "20 and 45 go with it: of all, and then of its own kind"

    def test_phi_does_not_tell_two_places_that_are_withheld(self) -> None:
        """Two unknown counts, of which the sum and the sum of squared z are known, are known."""
        raw = funnel_of([3, 52, 50, 55, 45, 49])
        copy = public(raw)
        assert copy.table.set_index("measure").loc[SPREAD, "interval"] == "withheld"
        assert "as far apart" not in copy.reading
        assert public(funnel_of([48, 52, 50, 55, 45, 49])).table["interval"].ne("withheld").all()

    @pytest.mark.parametrize("hidden", [[0], [0, 1], [5]])
    def test_a_place_not_to_be_named_is_nowhere_alone(self, hidden: list[int]) -> None:
        """Its people say which place it is, and so do the names of the others."""
        people = [1_000.0 + 37 * at for at in range(6)]
        raw = funnel_of([48, 52, 50, 55, 45, 49], people, hidden=hidden)
        copy = public(raw)
        drawn = copy.marks[copy.marks["mark"] == "place"]
        for at in hidden:
            assert people[at] not in copy.table["people"].tolist()
            assert people[at] not in drawn["x"].tolist()
        for arm in ("programme places", "comparison places"):
            assert 3 - len(drawn[drawn["series"] == arm]) != 1, "the total of its kind would tell it"
        assert "not to be named" in " ".join(copy.caveats)

    def test_limits_do_not_begin_at_a_place_where_few_were_asked(self) -> None:
        copy = public(funnel_of([2, 60, 55, 58, 62, 57], [4.0, 100, 100, 100, 100, 100], measure=SURVEY))
        assert copy.marks.loc[copy.marks["mark"] == "line", "x"].astype(float).min() == pytest.approx(90)

    def test_almost_everybody_is_withheld_as_a_total_too(self) -> None:
        copy = public(funnel_of([99, 98, 100, 100, 100, 99], 100.0, measure=SURVEY))
        assert copy.table["interval"].iloc[0] == "withheld"


class TestRings:
    """Rings of `against`: a ratio of two counts, unlabelled."""

    def test_rings_stand_in_no_order_of_places(self, tmp_path: Path) -> None:
        raw = ek.population.against(counted(tmp_path, steady(12, lift=(1.5, 0.7, 1.2)), mine=6), measure=MEASURE)
        for _, rings in raw.marks[raw.marks["mark"] == "ring"].groupby("series"):
            assert rings["y"].is_monotonic_increasing
            assert rings["n"].isna().all()

    def test_a_ring_of_few_counts_is_not_drawn(self, tmp_path: Path) -> None:
        counts = steady(10, at=20)
        counts[2] = 0
        counts[2, [5, 12, 20, 25]], counts[2, [40, 44, 50]] = 1, 1  # 3 over 4, in 24 over 36 months
        copy = public(ek.population.against(counted(tmp_path, counts, mine=5), measure=MEASURE))
        rings = copy.marks[copy.marks["mark"] == "ring"]
        exact = (3 / 24) / (4 / 36)
        assert not np.isclose(rings["y"], exact, rtol=1e-6).any()
        assert rings["series"].value_counts().to_dict() == {"Comparison places (5)": 5, "Programme places (5)": 3}

    def test_one_place_of_few_counts_is_withheld_with_its_verdict(self, tmp_path: Path) -> None:
        counts = steady(6, at=20)
        counts[0] = 0
        counts[0, [5, 12, 20, 25]], counts[0, [40, 44, 50]] = 1, 1
        copy = public(ek.population.against(counted(tmp_path, counts, mine=1), measure=MEASURE))
        assert copy.headline == "Withheld: too few people to show"
        assert shown(copy).empty
        assert not copy.marks["mark"].isin(["ring", "heap"]).any() or "Programme places (1)" not in set(
            copy.marks["series"]
        )


class TestWhatPeopleSay:
    def test_few_who_said_so_are_withheld_as_in_rates(self) -> None:
        found = made({"P1": [(2, 50)], "C1": [(30, 50)]}, measure=SURVEY, span=12, as_of=date(2022, 3, 31))
        rates = public(ek.population.rates(found, measure=SURVEY))
        said = public(ek.population.experience(found, measure=SURVEY))
        assert shown(rates).empty
        assert shown(said).empty
        assert "4 in every 100" not in said.reading
        assert not said.marks["mark"].eq("point").any()

    def test_one_organisation_of_few_staff_is_not_all_less_the_others(self) -> None:
        """B has no spread and is not in the mean of all: withheld with A it hid nothing."""
        name = "work_of_staff"
        measure = Measure(
            name, "Work", "points", "higher", "score", "staff", "made up", validated=False, per=1.0
        )  # fmt: skip
        organisations = pd.DataFrame({"organisation_id": list("ABCD"), "name": [f"Trust {at}" for at in "ABCD"],
                                      "place_id": "P1"})  # fmt: skip
        scores = pd.DataFrame(
            {"instrument": name, "subject_kind": "organisation", "subject_id": list("ABCD"), "domain": "all",
             "wave": 1, "mean": [3.1, 3.2, 3.3, 3.4], "n": [4, 12, 30, 40], "sd": [0.5, None, 0.6, 0.7]}
        )  # fmt: skip
        found = programme([], measures=[measure])
        held = found._contents
        places = pd.DataFrame({"place_id": ["P1"], "name": ["Place P1"], "arm": ["programme"]})
        typed = {name: _typed(name, frame) for name, frame in
                 {"places": places, "organisations": organisations, "scores": scores}.items()}  # fmt: skip
        whole = Programme(replace(held, tables={**held.tables, **typed}))
        copy = public(ek.population.experience(whole, measure=name))
        told = shown(copy).set_index("what")
        each = told.loc[["organisation"]]
        left = int(told["n"].loc[["mean"]].sum()) - int(each.loc[each["low"].notna(), "n"].sum())
        assert left >= 11


class TestFifths:
    def test_the_places_of_points_do_not_tell_how_few_were_asked(self) -> None:
        told = [(2, 3), (40, 80), (45, 90), (50, 100), (60, 110)]
        rows = [figure("P1", "2025/26", *each, measure=SURVEY, quintile=fifth) for fifth, each in enumerate(told, 1)]
        copy = public(ek.population.inequality(programme(rows), measure=SURVEY))
        ticks = copy.marks.loc[copy.marks["mark"] == "tick", "y"].tolist()
        assert ticks == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9])


class TestReasons:
    """Why something is blank is printed where nothing is withheld."""

    def test_a_rate_not_made_alike_does_not_say_how_few(self) -> None:
        bands = ["65-69", "70-74", "75+"]
        rows = [*by_age("P1", "2025/26", [1, 0, 2], [1_000, 800, 300], bands),
                *by_age("C1", "2025/26", [40, 50, 60], [1_000, 800, 300], bands)]  # fmt: skip
        copy = public(ek.population.rates(programme(rows), measure="deaths"))
        assert "3 events" not in everywhere(copy)
        assert TOO_FEW in " ".join(copy.caveats)

    def test_a_refusal_names_no_place_that_is_not_to_be_named(self) -> None:
        places = pd.DataFrame(
            {"place_id": ["P1", "P2", "C1"], "name": ["Ash", "Secret", "Cedar"], "may_be_named": [True, False, True],
             "arm": ["programme", "programme", "comparison"], "start": [pd.Timestamp("2024-04-01"), pd.NaT, pd.NaT]}
        )  # fmt: skip
        months = pd.date_range("2021-04", periods=60, freq="MS")
        outcomes = pd.DataFrame(
            {"measure": MEASURE, "place_id": np.repeat(["P1", "P2", "C1"], 60), "period": [*months] * 3, "span": 1,
             "count": 50, "denominator": 1_000}
        )  # fmt: skip
        told = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=date(2026, 3, 31), fictional=True)
        found = Programme.build(settings=told, tables={"places": places, "outcomes": outcomes})
        for asked in (ek.population.against, ek.population.change):
            with pytest.raises(ek.NotEnoughEvidence) as refusal:
                asked(found, measure=MEASURE)
            assert "Secret" not in str(refusal.value)
        assert "Secret" not in everywhere(public(ek.population.indicators(found)))


def test_findings_on_two_pages_of_one_source_tell_each_other() -> None:
    """All 20 on one page, 17 of them on the next and 3 on a third: 20 less 17 tells the three."""
    findings = pd.DataFrame(
        {"finding_id": list("ABC"), "level": "individual", "measure": "confidence",
         "statement": ["Whole", "Many", "Few"],
         "source": ["Smith 2024, p. 12", "Smith 2024, p. 13", "Smith 2024, Table 3"], "estimate": [3.0, 3.1, 2.4],
         "n": [20, 17, 3]}
    )  # fmt: skip
    settings = Settings(name="Testmere", as_of=date(2026, 3, 31), fictional=True)
    found = Programme.build(settings=settings, tables={"findings": findings.assign(**_findings(findings))})
    copy = public(found_by_others(found))
    assert shown(copy)["finding"].tolist() == ["Whole"]


def _findings(findings: pd.DataFrame) -> dict[str, Any]:
    return {name: None for name in empty("findings").columns if name not in findings}
