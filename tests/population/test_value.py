"""population.value: what it cost, what people put down to it, and what would have to be true to pay back."""

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
from evalkit.errors import NotEnoughEvidence
from evalkit.population.value import value
from evalkit.programme import Programme, Settings
from evalkit.result import Result
from evalkit.terms import Attribution, Audience, Verdict
from evalkit.words import CAUSE
from tests.hand_built import admissions

ADMISSIONS = "emergency_admissions_65_plus"
COST = {"item": "Running it", "kind": "delivery", "year": "2024/25", "amount": 1000.0, "price_year": "2024/25"}
GAIN = {"item": "Beds freed", "kind": "fiscal", "beneficiary": "taxpayers", "year": "2024/25", "amount": 400.0,
        "attributed": 50.0, "price_year": "2024/25"}  # fmt: skip
TYPES = {
    "amount": float,
    "low": float,
    "high": float,
    "attributed": float,
    "cashable": "boolean",
    "confidence": "Int64",
}


def table(key: str, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame([{key: f"{key}{at}", **row} for at, row in enumerate(rows)])
    return frame.astype({name: kind for name, kind in TYPES.items() if name in frame})


def programme(
    costs: Sequence[Mapping[str, Any]] = (COST,),
    gains: Sequence[Mapping[str, Any]] = (GAIN,),
    *,
    as_of: date = date(2026, 3, 31),
    **tables: pd.DataFrame,
) -> Programme:
    organisations = pd.DataFrame({"organisation_id": ["O1", "O2"], "name": ["Trust", "Council"]})
    held = {"organisations": organisations.assign(sector=["nhs_trust", "local_authority"])} | tables
    held |= {"costs": table("cost_id", costs)} if costs else {}
    held |= {"benefits": table("benefit_id", gains)} if gains else {}
    told = Settings(name="Testmere", starts_on=date(2024, 4, 1), as_of=as_of, fictional=True)
    return Programme.build(settings=told, tables=held)


def asked(*args: Any, results: Any = None, **said: Any) -> Result:
    own = {name: said.pop(name) for name in ("as_of", "places", "funding") if name in said}
    return value(programme(*args, **own), results, **said)


def row(found: Result, measure: str, group: str = "all") -> dict[str, Any]:
    (held,) = found.table.query("measure == @measure and group == @group").to_dict("records")
    return held


def ends(found: Result, measure: str, group: str = "all") -> tuple[float, float, float]:
    held = row(found, measure, group)
    return held["estimate"], held["low"], held["high"]


PAID = (
    {**COST, "organisation_id": "O1", "cashable": True},
    {**COST, "item": "Shifts covered", "kind": "backfill", "amount": 500.0, "low": 400.0, "high": 700.0,
     "organisation_id": "O2", "cashable": False},
    {**COST, "item": "Running it", "year": "2025/26", "amount": 207.0},
)  # fmt: skip
GAINED = (
    {**GAIN, "organisation_id": "O1", "low": 100.0, "high": 900.0, "cashable": False, "measure": ADMISSIONS},
    {**GAIN, "item": "A lease ended", "year": "2025/26", "amount": 1035.0, "attributed": 100.0, "organisation_id": "O2",
     "cashable": True, "source": "The lease"},
    {**GAIN, "item": "More care asked for", "amount": -300.0, "attributed": 100.0},
    {**GAIN, "item": "Hours for carers", "kind": "social", "beneficiary": "citizens", "attributed": None},
)  # fmt: skip


def test_pounds_by_kind_by_payer_and_by_budget():
    found = asked(PAID, GAINED)
    assert ends(found, "All costs") == (1707, 1607, 1907)
    assert row(found, "Costs by kind", "Delivery")["estimate"] == 1207
    assert row(found, "Costs by kind", "Cover for them")["interval"] == "range"
    assert row(found, "Costs by kind", "Delivery")["interval"] == "none given"
    assert row(found, "Costs by who paid", "Trust")["estimate"] == 1000
    assert row(found, "Costs by who paid", "No one organisation")["estimate"] == 207
    assert row(found, "Costs in cash or not", "not recorded")["n"] == 1
    assert ends(found, "All gains") == (935, 785, 1185)  # 400 × 50 %, 1,035, −300; the hours of carers in none
    assert row(found, "Gains by whose budget", "Trust")["estimate"] == 200
    assert row(found, "Gains that can be taken out or not", "can be taken out")["estimate"] == 1035
    assert row(found, "Gains by who gains", "taxpayers")["n"] == 3
    assert "citizens" not in set(found.table.loc[found.table["by"] == "who gains", "group"])
    assert (found.about.n, found.about.of) == (6, 7)


def test_a_gain_of_which_nobody_said_a_share_is_shown_and_not_added_up():
    found = asked(PAID, GAINED)
    held = row(found, "Gain of which nobody said a share", "Hours for carers")
    assert (held["estimate"], held["added"]) == (400, "no")
    assert any("“Hours for carers”" in caution and "not added up" in caution for caution in found.caveats)
    assert "3 of 4 gains" in found.reading


def test_later_years_count_for_less_and_the_range_is_the_widest():
    found = asked(PAID, GAINED)
    assert ends(found, "Costs, present value") == pytest.approx((1700, 1600, 1900))  # 1,500 + 207 / 1.035
    assert ends(found, "Gains, present value") == pytest.approx((900, 750, 1150))
    assert ends(found, "Gains less costs") == pytest.approx((-800, -1150, -450))
    assert ends(found, "Gains less costs", "not discounted") == pytest.approx((-772, -1122, -422))
    other = row(found, "Gains less costs", "at the sensitivity rates")
    assert other["estimate"] == pytest.approx(-100 - 1500 + (1035 - 207) / 1.03)
    assert "costs are larger even with every amount at its best" in found.reading
    assert row(found, "Gains less costs")["unit"] == "£ in 2024/25 prices, discounted to 2024/25"


def test_what_each_gain_would_have_to_be():
    found = asked(PAID, GAINED)
    would = "Would have to be worth, for gains to equal costs"
    held = row(found, would, "A lease ended")
    assert (held["estimate"], held["times"]) == pytest.approx((1800, 1.8))
    assert (held["low"], held["high"]) == pytest.approx((1450, 2150))
    loss = row(found, would, "More care asked for")
    assert pd.isna(loss["estimate"])
    assert loss["why_not"] == "costs are larger even without this loss"
    assert "“A lease ended” alone would have to be worth £1,800, not £1,000" in found.reading


def test_units_that_would_equal_the_costs():
    found = asked(unit_values={ADMISSIONS: 250.0, "Home visits": 10.0})
    label = "Emergency admissions of people aged 65 and over"
    assert row(found, "Units that would equal the costs", label)["estimate"] == pytest.approx(4)
    assert "4 fewer emergency admissions of people aged 65 and over, at £250 each in 2024/25" in found.reading
    assert "100 Home visits, at £10 each" in found.reading
    assert any("no source of it was checked" in caution for caution in found.caveats)
    with pytest.raises(ValueError, match="above 0"):
        asked(unit_values={ADMISSIONS: 0})


def test_prices_of_different_years_are_not_added_up_without_deflators():
    costs = (COST, {**COST, "year": "2025/26", "price_year": None, "amount": 600.0})
    found = asked(costs)
    assert set(found.table.loc[found.table["measure"] == "All costs", "group"]) == {"2024/25 prices", "2025/26 prices"}
    assert not found.table["measure"].str.contains("present value|less costs|equal").any()
    assert "£1,000 in 2024/25 prices and £600 in 2025/26 prices" in found.headline
    assert "price_year" in found.caveats[0]
    alike = asked(costs, deflators={"2024/25": 100.0, "2025/26": 120.0})
    assert row(alike, "All costs")["estimate"] == pytest.approx(1500)
    assert alike.about.asked == "population.value(deflators={'2024/25': 100.0, '2025/26': 120.0})"
    with pytest.raises(ValueError, match="no deflator for 2025/26"):
        asked(costs, deflators={"2024/25": 100.0})


def test_no_cost_is_no_answer():
    with pytest.raises(NotEnoughEvidence, match=r"No cost up to 2025/26.*1 gain in pounds.*costs\.csv"):
        asked((), (GAIN,))
    with pytest.raises(NotEnoughEvidence, match="No cost up to 2022/23"):
        asked(as_of=date(2023, 3, 31))


def test_costs_alone_say_what_would_pay_back():
    found = asked(PAID, ())
    assert found.headline == "Cost £1,707; no gain that can be set against it"
    assert "gains would have to be worth £1,700 as of 2024/25" in found.reading
    assert "does not say that there was none" in found.reading
    unshared = asked(PAID, ({**GAIN, "attributed": None},))
    assert "nobody said how much to put down to the programme" in unshared.reading
    assert "All gains" not in set(unshared.table["measure"])


def test_a_low_and_a_high_alone_stand_for_their_middle():
    found = asked((COST,), ({**GAIN, "amount": None, "low": -100.0, "high": 500.0},))
    assert ends(found, "All gains") == (100, -50, 250)
    assert any("the middle stands" in caution for caution in found.caveats)


@pytest.mark.parametrize(
    ("gains", "says"),
    [(({**GAIN, "amount": 4000.0, "low": 3000.0, "high": 5000.0},), "gains are larger even with every amount at its"),
     (({**GAIN, "low": 0.0, "high": 9000.0},), "whether gains or costs are larger cannot be said"),
     ((GAIN,), "nobody gave a range")],
)  # fmt: skip
def test_which_is_larger_is_said_as_far_as_the_ranges_go(gains, says):
    assert says in asked((COST,), gains).reading


def test_nothing_put_down_to_it_and_nothing_spent():
    none = asked((COST,), ({**GAIN, "attributed": 0.0},))
    assert row(none, "Would have to be worth, for gains to equal costs", "Beds freed")["why_not"].startswith("nothing")
    assert none.headline == "Cost £1,000; gains put down to it £0"
    free = asked(({**COST, "amount": 0.0},))
    assert ends(free, "Gains less costs")[0] == 200
    assert row(free, "Would have to be worth, for gains to equal costs", "Beds freed")["times"] == 0
    assert "“Beds freed” alone would have to be worth £0, all else" in free.reading
    loss = asked((COST,), ({**GAIN, "amount": -400.0},))
    assert "gains put down to it −£200" in loss.headline
    assert "−£1,200" in loss.reading


def test_a_grade_gives_a_range_where_nobody_did_and_it_is_said_to_be_unseen():
    found = asked(({**COST, "confidence": 6},), ({**GAIN, "confidence": 4},))
    assert ends(found, "All costs") == (1000, 1000, 1400)
    assert ends(found, "All gains") == pytest.approx((200, 170, 200))
    assert any("never seen in their source" in caution for caution in found.caveats)
    odd = asked(({**COST, "confidence": 9},))
    assert any("stand in no table" in caution for caution in odd.caveats)
    assert "grade" not in " ".join(asked(({**COST, "confidence": 1},)).caveats)


@pytest.mark.parametrize(
    ("said", "why"),
    [({"discount": "private"}, "standard, health and sensitivity"), ({"base_year": "2024"}, "write it as '2024/25'"),
     ({"base_year": "2024/26"}, "no financial year"), ({"until": "March 2025"}, "until='March 2025'"),
     ({"base_year": "2025/26"}, "lies after 2024/25"), ({"deflators": {}}, "no deflator")],
)  # fmt: skip
def test_a_misspelt_setting_says_what_there_is(said, why):
    with pytest.raises(ValueError, match=why):
        asked(**said)


def test_base_year_and_health_rates():
    found = asked((COST,), ({**GAIN, "kind": "social", "year": "2025/26"},), base_year="2023-24", discount="health")
    assert row(found, "Costs, present value")["estimate"] == pytest.approx(1000 / 1.035)  # pounds are no health
    assert row(found, "Gains, present value")["estimate"] == pytest.approx(200 / 1.015**2)
    assert found.about.asked == "population.value(discount='health', base_year='2023-24')"


def test_years_to_come_are_expected_and_not_seen():
    gains = (GAIN, {**GAIN, "item": "Later", "year": "2030/31"})
    assert any("1 amount of years after 2025/26" in caution for caution in asked((COST,), gains).caveats)
    later = asked((COST,), gains, until="2030/31")
    assert row(later, "Gains, present value")["estimate"] == pytest.approx(200 + 200 / 1.035**6)


def test_places_to_compare_with_pay_and_gain_apart():
    places = pd.DataFrame({"place_id": ["P1", "P2"], "name": ["Ashby", "Elsewhere"], "kind": "locality",
                           "arm": ["programme", "comparison"]})  # fmt: skip
    found = asked(({**COST, "place_id": "P1"}, {**COST, "place_id": "P2"}), places=places)
    assert row(found, "All costs")["estimate"] == 1000
    assert any("places to compare with" in caution for caution in found.caveats)


def test_a_gain_is_read_beside_what_was_found_of_its_measure():
    found = " ".join(asked(PAID, GAINED, results=[admissions()]).caveats)
    assert "“Beds freed” rests on emergency admissions of people aged 65 and over, for which it is too early" in found
    for verdict, says in ((Verdict.NO_CLEAR_CHANGE, "no clear change was found"), (Verdict.WORSENED, "got worse"),
                          (Verdict.IMPROVED, "whether that was the programme is another question")):  # fmt: skip
        assert says in " ".join(asked(PAID, GAINED, results=[admissions(verdict=verdict)]).caveats)
    alone = " ".join(asked(PAID, GAINED).caveats)
    assert "whether that changed is another question (population.change)" in alone
    assert "3 of 4 gains rest on no measure" in alone
    by_name = {**GAIN, "measure": "Emergency admissions of people aged 65 and over"}
    assert "too early" in " ".join(asked((COST,), (by_name,), results=[admissions()]).caveats)


def test_kinds_of_cost_nobody_wrote_down_are_named():
    said = next(caution for caution in asked().caveats if "Not in these costs" in caution)
    assert "time of those who take part, cover for them, sponsors' time" in said
    assert "delivery" not in said


def test_it_is_described_and_says_no_ratio_and_no_cause():
    found = asked(PAID, GAINED)
    assert (found.verdict, found.attribution) == (Verdict.DESCRIBED, Attribution.CANNOT_TELL)
    assert (found.about.beneficiary, found.about.counts) == ("taxpayers", "amounts")
    written = " ".join([found.headline, found.reading, found.alt, found.decided.why, *found.caveats])
    assert not CAUSE.search(written)
    assert "pays for itself" not in written
    assert not found.table["unit"].str.contains("ratio").any()
    for name, audience in (("public", Audience.PUBLIC), ("commissioner", Audience.COMMISSIONER)):
        assert protect(found, audience).headline == found.headline, name  # organisations are no people


def test_the_chart_shows_who_paid_and_whose_budget_gains():
    marks = asked(PAID, GAINED).marks.query("mark == 'bar'")
    assert marks["x"].tolist() == ["Council", "Council", "Trust", "Trust", "No one organisation", "No one organisation"]
    assert marks["y"].tolist() == [500, 1035, 1000, 200, 207, -300]
    one = asked((COST,), ())
    assert "No one organisation: paid £1,000." in one.alt


def test_what_was_granted_stands_beside_the_costs():
    funding = pd.DataFrame({"funding_id": ["F1", "F2"], "source": "Fund", "year": ["2024/25", "2030/31"],
                            "amount": [700.0, 900.0]})  # fmt: skip
    found = asked(funding=funding)
    assert found.table.loc[found.table["measure"] == "Granted", ["group", "estimate"]].to_numpy().tolist() == [
        ["2024/25", 700.0]
    ]


@given(
    costs=st.lists(st.tuples(st.integers(0, 9999), st.integers(2020, 2025)), min_size=1, max_size=4),
    gains=st.lists(
        st.tuples(st.integers(-9999, 9999), st.integers(2020, 2025), st.none() | st.integers(0, 100)), max_size=4
    ),
)
@settings(max_examples=10, deadline=None)
def test_parts_make_the_whole(costs, gains):
    def year(begins: int) -> str:
        return f"{begins}/{(begins + 1) % 100:02d}"

    paid = [{**COST, "amount": float(amount), "year": year(begins)} for amount, begins in costs]
    gained = [{**GAIN, "item": f"gain {at}", "amount": float(amount), "year": year(begins), "attributed": share}
              for at, (amount, begins, share) in enumerate(gains)]  # fmt: skip
    found = asked(paid, gained)
    held = found.table
    assert held.loc[held["by"] == "organisation", "estimate"].sum() == pytest.approx(
        held.loc[held["by"] == "all", "estimate"].sum()
    )
    counted = [amount * share / 100 for amount, _, share in gains if share is not None]
    assert held.loc[held["added"] == "yes", "estimate"].sum() == pytest.approx(sum(counted))
    assert 1 <= len(found.parts[1]) <= 4


def test_the_fictional_sample_is_answered():
    northmere = ek.load(ek.resources.folder("sample_data") / "northmere")
    found = value(northmere)
    assert "4 of 5 gains" in found.reading
    assert value(northmere, deflators={"2024/25": 97.1, "2025/26": 100.0}).headline.startswith("Cost £")
