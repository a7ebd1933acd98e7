"""The rooms at their edges: few people, one team, nothing that varies, breaks in a series, places that start apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pandas as pd
import pytest

import evalkit as ek
from evalkit.programme import Plan, Programme
from evalkit.terms import Attribution, Verdict

ADMISSIONS = "emergency_admissions_65_plus"
Tables = dict[str, pd.DataFrame]
SPINE = ("people", "participants", "teams", "organisations", "places", "waves", "events")
TABLES = (*SPINE, "respondents", "responses", "ties", "rosters", "outcomes", "denominators")


@pytest.fixture(scope="module")
def whole() -> Programme:
    return ek.simulate(seed=3, leaders=60, teams=10, places=8, programme_places=5, months=48, events=False)


@pytest.fixture(scope="module")
def shaken() -> Programme:
    return ek.simulate(seed=3, leaders=12, teams=2, places=8, programme_places=5, months=48, tables=("outcomes",))


def changed(programme: Programme, change: Callable[[Tables], None], plan: Plan | None = None) -> Programme:
    """The programme with some of its tables changed, held to the same rules."""
    tables = {name: getattr(programme, name) for name in TABLES if programme.has(name)}
    change(tables)
    settings = programme.settings if plan is None else replace(programme.settings, plan=plan)
    return Programme.build(settings=settings, tables=tables)


def only_leaders(tables: Tables, *, wanted: int) -> None:
    some = sorted(set(tables["responses"].query("rater == 'self' and wave == 4")["subject_id"]))[:wanted]
    answers = tables["responses"]
    tables["responses"] = answers[(answers["subject_kind"] == "person") & answers["subject_id"].isin(some)]


grown = partial(ek.individual.growth, on="system_leadership")


def test_fewer_than_five_pairs_are_described_not_tested(whole):
    few = changed(whole, partial(only_leaders, wanted=4))
    found = grown(few)
    assert found.verdict is Verdict.DESCRIBED
    assert "answered twice" in found.decided.why
    assert found.about.n is not None
    assert found.about.n < 5


def test_nobody_differs_from_anybody_is_refused_not_reported_as_sure(whole):
    def all_alike(tables: Tables) -> None:
        held = tables["responses"]
        asked = (held["instrument"] == "system_leadership") & held["answer"].notna()
        tables["responses"] = held.assign(answer=held["answer"].mask(asked, 3.0))

    with pytest.raises(ek.NotEnoughEvidence, match=r"does not vary|no interval"):
        grown(changed(whole, all_alike))


def test_one_wave_is_refused_and_a_missing_wave_named(whole):
    def first_wave(tables: Tables) -> None:
        tables["responses"] = tables["responses"].query("wave == 1")

    with pytest.raises(ek.NotEnoughEvidence, match="at one wave only"):
        grown(changed(whole, first_wave))
    with pytest.raises(ek.NotEnoughEvidence, match="Nobody answered at wave 9"):
        grown(whole, between=(1, 9))
    with pytest.raises(ValueError, match="earlier wave first"):
        grown(whole, between=(4, 1))


def test_unlinked_ids_are_refused(whole):
    """People who answer under a new id each time make a cross-section, not a panel: nobody can be paired."""

    def unlinked(tables: Tables) -> None:
        own = tables["responses"].query("rater == 'self' and subject_kind == 'person'").copy()
        own["subject_id"] = own["respondent_id"] = own["subject_id"] + "w" + own["wave"].astype(str)
        tables["responses"] = own
        extra = pd.DataFrame({"person_id": sorted(set(own["subject_id"])), "kind": "participant"})
        tables["people"] = pd.concat([tables["people"], extra], ignore_index=True)

    with pytest.raises(ek.NotEnoughEvidence, match="cannot be joined"):
        grown(changed(whole, unlinked))


def test_few_teams_are_counted_by_person_and_said(whole):
    def one_team(tables: Tables) -> None:
        tables["participants"] = tables["participants"].assign(team_id=tables["teams"]["team_id"].iloc[0])

    together, apart = grown(whole), grown(changed(whole, one_team))
    assert next(iter(together.details.values())).clustered_on == "team"
    assert next(iter(apart.details.values())).clustered_on == "person"


def test_a_clear_change_seen_by_no_partner_with_no_rival_still_cannot_tell(whole):
    def without_partners(tables: Tables) -> None:
        tables["responses"] = tables["responses"].query("rater == 'self'")

    found = grown(changed(whole, without_partners))
    assert found.attribution is Attribution.CANNOT_TELL


def test_an_informant_who_went_clearly_the_other_way_makes_it_mixed(whole):
    def sponsors_fall(tables: Tables) -> None:
        answers = tables["responses"]
        turned = (answers["rater"] == "sponsor") & (answers["wave"] == 4)
        tables["responses"] = answers.assign(answer=answers["answer"].mask(turned & answers["answer"].notna(), 1.0))

    plan = replace(whole.settings.plan, informant="sponsor", worthwhile={})
    found = grown(changed(whole, sponsors_fall, plan))
    assert found.verdict is Verdict.MIXED
    assert "informant" in found.decided.why
    with pytest.raises(ek.NotEnoughEvidence):
        ek.individual.seen_by_others(whole, on="system_leadership", raters=("carer",))


def test_before_the_agreed_time_it_is_too_early(whole):
    late = replace(whole.settings.plan, lag_months={"system_leadership": 120})
    assert grown(changed(whole, lambda tables: None, late)).verdict is Verdict.TOO_EARLY


def series(programme: Programme):
    return ek.population.change(programme, measure=ADMISSIONS)


def no_comparison(tables: Tables) -> None:
    kept = tables["places"].query("arm == 'programme'")["place_id"]
    for name in ("places", "outcomes", "denominators"):
        tables[name] = tables[name][tables[name]["place_id"].isin(kept)]
    if "events" in tables:
        tables["events"] = tables["events"][
            tables["events"]["place_id"].isna() | tables["events"]["place_id"].isin(kept)
        ]


def without_lag(programme: Programme) -> Plan:
    return replace(programme.settings.plan, lag_months={ADMISSIONS: 0})


def test_a_shock_without_comparison_gives_no_verdict_and_with_one_it_does(shaken):
    alone = changed(shaken, no_comparison, without_lag(shaken))
    found = series(alone)
    assert found.verdict is Verdict.NOT_MEASURABLE
    assert "nowhere to compare" in found.decided.why
    assert found.table.loc[0, "low"] < found.table.loc[0, "high"]  # the estimate is still shown
    compared = series(changed(shaken, lambda tables: None, without_lag(shaken)))
    assert compared.verdict is not Verdict.NOT_MEASURABLE


def test_a_comparison_sharpens_the_grade_and_changes_the_words(whole):
    compared = series(whole)
    alone = series(changed(whole, no_comparison))
    assert (compared.evidence.maryland, alone.evidence.maryland) == (2, 1)
    assert "differed from comparison places" in compared.reading
    assert "comparison" not in alone.headline


@pytest.mark.parametrize(("months", "why"), [(10, "too few to test"), (20, "tell trend from season")])
def test_too_few_months_before_are_described(whole, months, why):
    def shorter(tables: Tables) -> None:
        start = tables["places"]["start"].dropna().iloc[0]
        first = start - pd.DateOffset(months=months)
        tables["outcomes"] = tables["outcomes"][tables["outcomes"]["period"] >= first]

    found = series(changed(whole, shorter, without_lag(whole)))
    assert found.verdict is Verdict.DESCRIBED
    assert why in found.decided.why


def drop_month(tables: Tables) -> None:
    place = tables["outcomes"]["place_id"].iloc[0]
    month = tables["outcomes"]["period"].iloc[100]
    gone = (tables["outcomes"]["place_id"] == place) & (tables["outcomes"]["period"] == month)
    tables["outcomes"] = tables["outcomes"][~gone]


def start_apart(tables: Tables) -> None:
    places = tables["places"]
    first = places.index[places["arm"] == "programme"][0]
    places.loc[first, "start"] = places.loc[first, "start"] + pd.DateOffset(months=6)
    tables["places"] = places


def nobody_starts(tables: Tables) -> None:
    tables["places"] = tables["places"].assign(start=pd.NaT)


def no_people(tables: Tables) -> None:
    del tables["denominators"]
    tables["outcomes"] = tables["outcomes"].assign(denominator=float("nan"))


def nobody_takes_part(tables: Tables) -> None:
    tables["places"] = tables["places"].assign(arm="comparison", start=pd.NaT)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (drop_month, "Not every place reported every month"),
        (start_apart, "2 different times"),
        (nobody_starts, "when the programme started"),
        (no_people, "how many people"),
        (nobody_takes_part, "No place in the counts takes part"),
    ],
)
def test_a_series_that_cannot_answer_is_refused_by_name(whole, change, says):
    with pytest.raises(ek.NotEnoughEvidence, match=says) as refused:
        series(changed(whole, change))
    assert refused.value.would_answer


def test_ties_within_one_organisation_only_are_refused(whole):
    def one_organisation(tables: Tables) -> None:
        tables["people"] = tables["people"].assign(organisation_id=tables["organisations"]["organisation_id"].iloc[0])

    with pytest.raises(ek.NotEnoughEvidence, match="two organisations or more"):
        ek.team.bridging(changed(whole, one_organisation))
    with pytest.raises(ek.NotEnoughEvidence, match="No conflict ties"):
        ek.team.bridging(whole, relation="conflict")


def test_maturity_of_fewer_than_five_places_is_described(whole):
    def four_places(tables: Tables) -> None:
        kept = sorted(tables["places"].query("arm == 'programme'")["place_id"])[:4]
        answers = tables["responses"]
        tables["responses"] = answers[(answers["subject_kind"] != "place") | answers["subject_id"].isin(kept)]

    plan = replace(whole.settings.plan, primary={"team": "icfat/leadership"})
    few = ek.team.maturity(changed(whole, four_places, plan))
    assert few.verdict is Verdict.DESCRIBED
    assert not (few.table["what"] == "change").any()
    assert ek.team.maturity(changed(whole, lambda tables: None, plan)).verdict is not Verdict.DESCRIBED


def test_outsiders_do_not_speak_for_a_place(whole):
    """Partner agencies see a place otherwise than those in it: their answers never move its own score."""

    def outsiders_gone(tables: Tables) -> None:
        answers = tables["responses"]
        tables["responses"] = answers[(answers["subject_kind"] != "place") | (answers["rater"] == "team_member")]

    both, insiders = ek.team.maturity(whole), ek.team.maturity(changed(whole, outsiders_gone))
    assert (whole.responses.query("subject_kind == 'place'")["rater"] == "partner").any()
    pd.testing.assert_frame_equal(both.table, insiders.table)
    outside = ek.team.maturity(whole, rater="partner")
    assert "(partner agencies) scored the places" in outside.reading
    assert outside.table["n"].max() < both.table["n"].max()
    with pytest.raises(ek.NotEnoughEvidence, match="rater=…: partner and team_member"):
        ek.team.maturity(whole, rater="carer")


def test_those_followed_for_comparison_are_not_counted_as_taking_part(whole):
    leaders = whole.participants["participant_id"]
    followed = set(leaders.iloc[::3])

    def some_compared(tables: Tables) -> None:
        arm = tables["participants"]["participant_id"].isin(followed).map({True: "comparison", False: "programme"})
        tables["participants"] = tables["participants"].assign(arm=arm)

    def some_gone(tables: Tables) -> None:
        answers = tables["responses"]
        tables["responses"] = answers[~answers["subject_id"].isin(followed)]
        ties = tables["ties"]
        tables["ties"] = ties[~ties["from_id"].isin(followed) & ~ties["to_id"].isin(followed)]
        tables["rosters"] = tables["rosters"][~tables["rosters"]["person_id"].isin(followed)]

    with_them, without = changed(whole, some_compared), changed(whole, some_gone)
    assert grown(with_them).about.of == len(leaders) - len(followed)
    for ask in (grown, partial(ek.individual.seen_by_others, on="system_leadership"), ek.team.bridging):
        pd.testing.assert_frame_equal(ask(with_them).table, ask(without).table)


def test_a_place_without_a_start_is_not_taken_to_have_started_with_the_others(whole):
    def one_unknown(tables: Tables) -> None:
        places = tables["places"]
        places.loc[places.index[places["arm"] == "programme"][0], "start"] = pd.NaT
        tables["places"] = places

    with pytest.raises(ek.NotEnoughEvidence, match="when the programme started in"):
        series(changed(whole, one_unknown))
