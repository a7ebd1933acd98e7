"""The team room at its edges: data an evaluator might send, and a result, a refusal or an error that says why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.programme import Programme
from evalkit.resources import folder
from evalkit.result import Result
from evalkit.terms import Audience, Verdict

Tables = dict[str, pd.DataFrame]
Ask = Callable[[Programme], Result]
TABLES = (
    "people", "participants", "teams", "organisations", "places", "waves", "respondents", "posts", "memberships",
    "responses", "scores", "ties", "rosters", "meetings", "meeting_attendance", "conflicts", "observations",
)  # fmt: skip
LAST = pd.Timestamp("2026-03-31")
LOGS: dict[str, Ask] = {
    "contact": ek.team.contact, "conflict": ek.team.conflict, "continuity": ek.team.continuity,
}  # fmt: skip
NETWORK: dict[str, Ask] = {
    "bridging": partial(ek.team.bridging, permutations=19),
    "either way": partial(ek.team.bridging, relation="contact", directed=False, permutations=19),
    "conflict ties": partial(ek.team.bridging, relation="conflict", permutations=19),
    "brokers": ek.team.brokers,
    "network_change": partial(ek.team.network_change, permutations=19),
    "help both ways": partial(ek.team.network_change, relation="help", directed=False, permutations=19),
}
SCORED: dict[str, Ask] = {
    "peers": ek.team.peers, "own": partial(ek.team.peers, place="P01"),
    "published": partial(ek.team.peers, on="devon_climate"),
    "common_needs": partial(ek.team.common_needs, permutations=99),
    "sustainability": ek.team.sustainability,
    "statements": partial(ek.team.conflict, until=date(2023, 1, 1)),
}  # fmt: skip
NAMED: dict[str, Ask] = {"own": SCORED["own"], "contact": ek.team.contact}
FORMS: dict[str, Ask] = {"network_form": partial(ek.team.network_form, resamples=20)}
CONFIDENT = {Verdict.IMPROVED, Verdict.WORSENED, Verdict.ROSE, Verdict.FELL, Verdict.NO_CLEAR_CHANGE}
ONE = r"(?<![\d,.])1 "
SLIPS = re.compile(
    r"\b(nan|NaN|NaT|inf)\b|<NA>|\b0 of 0\b|(?<!^)(?<![.:] )\bNone\b|[:,;] ?\.(?!\d)|\(\)|  |"
    rf"{ONE}(places|teams|people|forms|meetings|organisations|domains|waves|conflicts|others|posts|members)\b|"
    rf"(?<!of ){ONE}of \d+ (were|are|have|stand|rest)\b"
)
"""What a sentence made of few or missing figures may slip into."""


@pytest.fixture(scope="module")
def whole() -> Programme:
    """Northmere without its persons' own answers, at its first and its last wave."""
    northmere = ek.load(folder("sample_data") / "northmere")
    tables = {name: getattr(northmere, name) for name in TABLES}
    given = tables["responses"]
    tables["responses"] = given[given["subject_kind"].isin(["place", "team"]) & given["wave"].isin([1, 4])]
    return Programme.build(settings=northmere.settings, tables=tables)


def changed(programme: Programme, change: Callable[[Tables], Any], **settings: Any) -> Programme:
    """The programme with some of its tables changed, held to the same rules."""
    tables = {name: getattr(programme, name) for name in TABLES if programme.has(name)}
    change(tables)
    return Programme.build(settings=replace(programme.settings, **settings), tables=tables)


def to(table: str, **columns: Any) -> Callable[[Tables], None]:
    """A change of whole columns of a table."""
    return lambda tables: tables.update({table: tables[table].assign(**columns)})


def rows(table: str, keep: Callable[[pd.DataFrame], Any]) -> Callable[[Tables], None]:
    """A change that keeps some rows of a table."""
    return lambda tables: tables.update({table: tables[table][keep(tables[table])]})


def without(*names: str) -> Callable[[Tables], None]:
    return lambda tables: [tables.pop(name) for name in names]  # type: ignore[func-returns-value]


def both(*changes: Callable[[Tables], Any]) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        for each in changes:
            each(tables)

    return change


def sentences(found: Result) -> Iterator[str]:
    """Everything an answer says, of itself and of its drawing."""
    yield from (found.headline, found.reading, *found.caveats, found.decided.why, found.chart.describe(found.marks))
    for column in {"label", "x", "series"} & {*found.marks}:
        yield from (str(said) for said in found.marks[column].dropna().unique() if isinstance(said, str))
    if "ask" in found.table:
        yield from (said for said in found.table["ask"] if isinstance(said, str))


def one_organisation(tables: Tables) -> None:
    tables["people"] = tables["people"].assign(organisation_id="O01")
    tables["respondents"] = tables["respondents"].assign(organisation_id="O01")
    tables.pop("posts")


def half_unknown(tables: Tables) -> None:
    people = tables["people"]
    tables["people"] = people.assign(organisation_id=people["organisation_id"].where(np.arange(len(people)) % 2 == 0))
    tables.pop("posts")


def roster_of(few: int) -> Callable[[Tables], None]:
    """Only so many who answered both times, each naming the next."""

    def change(tables: Tables) -> None:
        roster = tables["rosters"]
        answered = roster[roster["responded"].astype(bool)]
        twice = sorted(set(answered.loc[answered["wave"] == 1, "person_id"])
                       & set(answered.loc[answered["wave"] == 4, "person_id"]))[:few]  # fmt: skip
        tables["rosters"] = roster[roster["person_id"].isin(twice)]
        said = [(wave, one, other, relation, 1.0) for wave in (1, 4) for relation in ("trust", "contact", "help")
                for one, other in pairwise(twice)]  # fmt: skip
        made = pd.DataFrame(said, columns=["wave", "from_id", "to_id", "relation", "strength"])
        tables["ties"] = made.astype({"wave": "Int64"})

    return change


def nobody_at_wave_4(tables: Tables) -> None:
    roster, ties, given = tables["rosters"], tables["ties"], tables["responses"]
    tables["rosters"] = roster.assign(responded=roster["responded"].where(roster["wave"] != 4, False))
    tables["ties"] = ties[ties["wave"] != 4]
    tables["responses"] = given.assign(answer=given["answer"].where(given["wave"] != 4))


def one_tie(tables: Tables) -> None:
    ties = tables["ties"]
    tables["ties"] = ties[~ties.duplicated(["relation", "wave"])]


def one_wave(tables: Tables) -> None:
    for name in ("responses", "ties", "rosters", "scores"):
        tables[name] = tables[name][tables[name]["wave"] == 1]


def few_people(many: int) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        given = tables["responses"]
        first = given.groupby("instrument", observed=True)["respondent_id"].transform(
            lambda ids: ids.isin(sorted(ids.unique())[:many])
        )
        tables["responses"] = given[first.astype(bool)]

    return change


def domain_gone(tables: Tables) -> None:
    """Nobody answers the first domain of any instrument."""
    given, instruments = tables["responses"], ek.load(folder("sample_data") / "small_place").instruments
    first = {
        (name, item.key)
        for name in ("icfat", "five_factors", "sustainability")
        for item in instruments[name].items
        if item.domain == instruments[name].domains[0].key
    }
    asked = pd.Series([*zip(given["instrument"].astype(str), given["item"], strict=True)], index=given.index)
    tables["responses"] = given[~asked.isin(first)]


SWEEP: list[tuple[str, Callable[[Tables], Any], dict[str, Ask]]] = [
    ("one wave", one_wave, NETWORK | SCORED),
    ("nobody at the last wave", nobody_at_wave_4, NETWORK | SCORED),
    ("waves without days", to("waves", opens_on=pd.NaT, closes_on=pd.NaT), SCORED | LOGS),
    ("answers without days", to("responses", answered_on=pd.NaT), {"sustainability": ek.team.sustainability}),
    ("one organisation", one_organisation, NETWORK | LOGS),
    ("half the organisations unknown", half_unknown, NETWORK | LOGS),
    ("no organisation known", both(to("people", organisation_id=None), without("posts")), NETWORK | LOGS),
    ("only places to compare with", to("places", arm="comparison", start=pd.NaT), LOGS | SCORED | FORMS),
        ("one respondent", few_people(1), SCORED),
    ("all answers blank", to("responses", answer=None), SCORED),
    ("one domain nobody answered", domain_gone, SCORED),
    ("two places", rows("responses", lambda told: told["subject_id"].isin(["P01", "P02"])), SCORED),
    ("places of one name", to("places", name="Place"), NAMED),
    ("places not to be named", to("places", may_be_named=False), NAMED),
    ("roster without ties", rows("ties", lambda told: told["wave"] < 0), NETWORK),
    ("no roster", without("rosters"), NETWORK),
    ("one tie of each relation", one_tie, NETWORK),
    ("strength blank", to("ties", strength=np.nan), NETWORK),
    *((f"roster of {many}", roster_of(many), NETWORK) for many in (1, 2, 3, 4, 7)),
    ("no lists of who came", without("meeting_attendance"), LOGS),
    ("nobody came", to("meeting_attendance", present=False), LOGS),
    ("all meetings on one day", to("meetings", held_on=pd.Timestamp("2025-05-05")), LOGS),
    ("one meeting, no place, mode or purpose", both(
        rows("meetings", lambda told: told["meeting_id"] == "M032"), without("meeting_attendance"),
        to("meetings", place_id=None, team_id=None, mode=None, purpose=None)), LOGS),
    ("all conflicts open", to("conflicts", resolved_on=pd.NaT, outcome=None), LOGS),
    ("all resolved the same day", lambda tables: tables.update(conflicts=tables["conflicts"].assign(
        resolved_on=tables["conflicts"]["raised_on"], outcome="all_gained")), LOGS),
    ("one conflict, today", both(rows("conflicts", lambda told: told["conflict_id"] == "K01"),
                                 to("conflicts", raised_on=LAST, resolved_on=pd.NaT, outcome=None)), LOGS),
    ("posts without days", to("posts", start=pd.NaT, end=pd.NaT), LOGS | NETWORK),
    ("one post, one member", both(rows("posts", lambda told: told.index == told.index[0]),
                                  rows("memberships", lambda told: told.index == told.index[0])), LOGS),
    ("nobody in post or team", without("posts", "memberships"), LOGS),
    ("one coder", rows("observations", lambda told: told["coder"] == "C1"), FORMS),
    ("one look", rows("observations", lambda told: told.index == told.index[0]), FORMS),
    ("one round, two places", rows("observations", lambda told: told["place_id"].isin(["P01", "P02"])
                                   & (told["observed_on"] < pd.Timestamp("2025-01-01"))), FORMS),
]  # fmt: skip


def answered(ask: Ask, programme: Programme) -> Result | ek.NotEnoughEvidence:
    """What came of a question; anything but an answer or a refusal fails the test."""
    try:
        return ask(programme)
    except ek.NotEnoughEvidence as refused:
        return refused


@pytest.mark.parametrize(("change", "asks"), [each[1:] for each in SWEEP], ids=[each[0] for each in SWEEP])
def test_an_answer_or_a_refusal_in_words_that_hold(whole, change, asks) -> None:
    """No traceback of another kind, no slip in a sentence, and no claim of change; for anybody who may see it."""
    programme = changed(whole, change)
    for name, ask in asks.items():
        found = answered(ask, programme)
        if isinstance(found, ek.NotEnoughEvidence):
            said = [found.missing, found.would_answer]
            assert all(said)
        else:
            assert found.verdict not in CONFIDENT
            said = [each for copy in (found, protect(found, Audience.PUBLIC)) for each in sentences(copy)]
        assert not [(name, slip.group(), each) for each in said for slip in SLIPS.finditer(each)]


@pytest.mark.parametrize("day", [date(2020, 1, 1), date(2024, 3, 1), date(2024, 6, 1)])
def test_before_anything_was_recorded_the_day_is_named(whole, day) -> None:
    """What came later is not there yet, and the refusal says as of when."""
    early = Programme.build(settings=whole.settings, tables={name: getattr(whole, name) for name in TABLES})
    early.as_of = day
    for name, ask in (LOGS | NETWORK | SCORED | FORMS).items():
        found = answered(ask, early) if name != "statements" else answered(ek.team.conflict, early)
        said = [str(found)] if isinstance(found, ek.NotEnoughEvidence) else sentences(found)
        assert not [(name, each) for each in said if SLIPS.search(each)]
    if day.year == 2020:
        for ask in (ek.team.contact, ek.team.network_form, ek.team.bridging, ek.team.peers, ek.team.conflict):
            with pytest.raises(ek.NotEnoughEvidence, match=r"by 1 January 2020"):
                ask(early)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda ties: pd.concat([ties, ties.head(1).assign(to_id=ties["from_id"].iloc[0])]), "named themselves"),
        (lambda ties: pd.concat([ties, ties.head(1)]), "repeats row"),
        (lambda ties: ties.assign(from_id=ties["from_id"].mask(ties.index == ties.index[0], "F01")), "not in people"),
    ],
)
def test_ties_that_cannot_be_are_refused_at_loading(whole, change, says) -> None:
    with pytest.raises(ek.DataProblems, match=says):
        changed(whole, lambda tables: tables.update(ties=change(tables["ties"])))


def test_ties_of_somebody_not_on_the_roster_are_refused_at_loading(whole) -> None:
    with pytest.raises(ek.DataProblems, match="not on the roster of this wave"):
        changed(whole, rows("rosters", lambda told: told["person_id"] != whole.ties["from_id"].iloc[0]))
    with pytest.raises(ek.DataProblems, match="says they did not answer"):
        changed(whole, to("rosters", responded=False))


def refusal(ask: Ask, programme: Programme) -> str:
    with pytest.raises(ek.NotEnoughEvidence) as refused:
        ask(programme)
    return refused.value.missing


def test_whoever_answered_and_has_no_organisation_did_answer(whole) -> None:
    unknown = changed(whole, both(to("people", organisation_id=None), without("posts")))
    said = refusal(ek.team.brokers, unknown)
    assert "At wave 4 no organisation is on record of anybody who answered." in said
    assert "Nobody on the roster" not in said
    silent = changed(whole, both(to("rosters", responded=False), rows("ties", lambda told: told["wave"] < 0)))
    assert "nobody on a roster answered" in refusal(ek.team.bridging, silent)


def test_a_wave_without_a_day_is_read_with_todays_organisations_and_says_so(whole) -> None:
    undated = changed(whole, to("waves", opens_on=pd.NaT, closes_on=pd.NaT))
    for ask in (NETWORK["bridging"], NETWORK["brokers"], NETWORK["network_change"]):
        told = " ".join(ask(undated).caveats)
        assert "The day wave 4 closed is not recorded: organisations are those of 31 March 2026" in told
        assert "closed is not recorded" not in " ".join(ask(whole).caveats)


def test_few_ties_are_said_to_be_few(whole) -> None:
    few = NETWORK["bridging"](changed(whole, one_tie))
    assert any("fewer than 5 ties: one more or less" in caveat for caveat in few.caveats)
    assert not any("one more or less" in caveat for caveat in NETWORK["bridging"](whole).caveats)


def test_without_permutations_no_range_is_given(whole) -> None:
    found = ek.team.bridging(whole, permutations=0)
    index = found.table.iloc[[0, 1]]
    assert index["interval"].tolist() == ["none given"] * 2
    assert index["low"].isna().all()
    expected = round(50 * (1 + index["expected"].iloc[-1]))
    assert f"regardless of it, about {expected} of every 100 would" in found.reading


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (partial(ek.team.conflict, rater="bogus"), "rater='bogus' is none of"),
        (partial(ek.team.sustainability, rater="bogus"), "rater='bogus' is none of"),
        (partial(ek.team.peers, rater="bogus"), "rater='bogus' is none of"),
        (partial(ek.team.common_needs, rater="bogus"), "rater='bogus' is none of"),
        (partial(ek.team.peers, on="devon_climate", subject="bogus"), "subject='bogus' is none of"),
        (partial(ek.team.common_needs, permutations=-1), "permutations=-1 gives no p under 0.05; give 20 or more"),
        (partial(ek.team.network_form, resamples=-1), "resamples=-1 must be 0"),
        (partial(ek.team.network_change, between=(1,)), r"between=\(1,\) must give the earlier wave first"),
        (partial(ek.team.five_factors, between=(1,)), r"between=\(1,\) must name an earlier and a later wave"),
        (partial(ek.team.maturity, between=(1, 2, 4)), r"between=\(1, 2, 4\) must name"),
    ],
)
def test_a_slip_in_what_is_asked_is_a_clear_error(whole, ask, says) -> None:
    with pytest.raises(ValueError, match=says) as wrong:
        ask(whole)
    assert not isinstance(wrong.value, ek.NotEnoughEvidence)


def test_too_few_draws_never_say_that_places_have_nothing_in_common(whole) -> None:
    """With 19 draws and the order seen the p is .05 at the least, so places that agree would be said not to."""
    with pytest.raises(ValueError, match="give 20 or more"):
        ek.team.common_needs(whole, permutations=19)
    agreed = ek.team.common_needs(whole, permutations=20).table.iloc[-1]
    assert agreed["p"] == pytest.approx(1 / 21)
    assert not agreed["ask"]


def test_averages_do_not_speak_for_a_rater_who_was_not_named(whole) -> None:
    said = refusal(partial(ek.team.peers, on="devon_climate", rater="partner"), whole)
    assert (
        said
        == "Of the System climate, after Devon's principles only averages came, and not what partner agencies scored."
    )
    assert ek.team.peers(whole, on="devon_climate").about.n is None


def test_one_place_of_unknown_size_is_not_said_to_have_had_enough_people() -> None:
    salford = ek.load(folder("sample_data") / "salford")
    assert refusal(ek.team.peers, salford).startswith("In May 2013 one place was scored, and none beside it")


def test_places_of_one_name_stay_apart(whole) -> None:
    alike = changed(whole, to("places", name="Place"))
    assert ek.team.peers(alike, place="P02").table["group"].unique().tolist() == ["Place (P02)"]
    met = ek.team.contact(alike).table
    held = met[(met["measure"] == "Meetings held") & (met["by"] == "place")]
    was = ek.team.contact(whole).table
    one_each = was[(was["measure"] == "Meetings held") & (was["by"] == "place")]
    assert sorted(held["n"]) == sorted(one_each["n"])
    assert held["group"].is_unique


def test_ones_own_place_that_may_not_be_named_is_spoken_of_in_the_singular(whole) -> None:
    found = ek.team.peers(changed(whole, to("places", may_be_named=False)), place="P02")
    assert found.headline.startswith("The place asked about beside 11 others: ")
    assert "people scored the place asked about in November 2025" in found.reading


def test_a_domain_nobody_answered_is_named(whole) -> None:
    gone = changed(whole, domain_gone)
    said = refusal(SCORED["common_needs"], gone)
    assert said.startswith("In November 2025 0 of 12 places were scored on every domain")
    assert said.endswith("Nobody's answers gave a score on Leadership.")
    found = ek.team.peers(gone)
    assert "Leadership" not in set(found.table["measure"])
    assert "No score in November 2025 on Leadership: not in the table." in found.caveats


def test_an_outcome_without_its_day_is_said_and_counts_as_open(whole) -> None:
    found = ek.team.conflict(changed(whole, to("conflicts", resolved_on=pd.NaT)))
    assert found.headline == "41 conflicts raised, 0 resolved and 41 still open"
    ended = int((whole.conflicts["outcome"].notna()).sum())
    assert f"{ended} conflicts with an outcome and no day of it: taken as still open." in found.caveats
    assert not any("no day of it" in caveat for caveat in ek.team.conflict(whole).caveats)


def test_statements_at_no_wave_are_counted(whole) -> None:
    given = whole.responses
    late = (given["instrument"] == "five_factors") & (given["wave"] == 4)
    undated = ek.team.conflict(changed(whole, to("responses", wave=given["wave"].mask(late))))
    forms = given[late & given["item"].str.startswith("conflict")].drop_duplicates(["respondent_id", "subject_id"])
    assert f"{len(forms)} filled-in forms left out: at no wave." in undated.caveats
    assert not any("at no wave" in caveat for caveat in ek.team.conflict(whole).caveats)


def test_conflicts_before_the_start_are_not_in_before_it(whole) -> None:
    late = changed(whole, lambda tables: None, starts_on=date(2026, 3, 1))
    reading = ek.team.conflict(late).reading
    assert "41 before the start, from April 2024" in reading
    assert "in before" not in reading


def test_no_post_left_is_not_no_posts_left(whole) -> None:
    stayed = ek.team.continuity(changed(whole, to("posts", end=pd.NaT)))
    assert "No post was left, 0.0 for every 100 person-years" in stayed.reading


def test_the_numbers_in_sentences_are_those_of_the_table(whole) -> None:
    """Counted again by hand from the tables, with half of the ties gone."""
    thin = changed(whole, rows("ties", lambda told: np.arange(len(told)) % 2 == 0))
    found, ties, roster = NETWORK["bridging"](thin), thin.ties, thin.rosters
    worked = thin.organisations_on(thin.waves.set_index("wave")["closes_on"][4].date())
    own = ties[(ties["wave"] == 4) & (ties["relation"] == "trust")]
    ends = own[["from_id", "to_id"]].apply(lambda people: people.map(worked)).dropna()
    outside = int((ends["from_id"] != ends["to_id"]).sum())
    assert f"November 2025: {outside} of {len(ends)} trust ties, {round(100 * outside / len(ends))} of every 100" in (
        found.reading
    )
    placed = roster[(roster["wave"] == 4) & roster["person_id"].map(worked).notna()]
    assert f"{round(100 * placed['responded'].astype(float).mean())} of every 100 asked answered." in found.reading
