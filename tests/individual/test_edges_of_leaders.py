"""The room of leaders at its edges: data an evaluator might send, and a result, a refusal or an error that says why."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.programme import Plan, Programme
from evalkit.resources import folder
from evalkit.result import FIRST, Result
from evalkit.terms import Audience
from evalkit.words import CAUSE
from tests.individual.rated import programme as built
from tests.individual.rated import rows as rated

Tables = dict[str, pd.DataFrame]
Change = Callable[[Tables], Any]
Ask = Callable[[Programme], Result]
TABLES = (
    "people", "participants", "respondents", "characteristics", "memberships", "teams", "organisations", "places",
    "waves", "sessions", "attendance", "support_requests", "responses", "events",
)  # fmt: skip
LEADING, SHORT = "system_leadership", ("learning", "leadership_styles", "knowledge_and_skills", "staying_power")
room = ek.individual
GROWN: dict[str, Ask] = {
    "growth": partial(room.growth, on=LEADING),
    "by sponsors": partial(room.growth, on=LEADING, rater="sponsor", domain="innovation"),
    "trajectories": room.trajectories,
    "attrition": partial(room.attrition, permutations=99),
}  # fmt: skip
SPLIT: dict[str, Ask] = {
    "by arm": partial(room.growth, on=LEADING, by="arm"), "by cohort": partial(room.growth, on=LEADING, by="cohort"),
    "by sex": partial(room.growth, on=LEADING, by="sex"),
    "by start": partial(room.growth, on=LEADING, by="readiness"),
    "counted by arm": partial(room.reliable_change, by="arm"),
}  # fmt: skip
BESIDE: dict[str, Ask] = {
    "seen": partial(room.seen_by_others, on=LEADING),
    "seen by domain": partial(room.seen_by_others, on=LEADING, by="domain"),
    "counted": partial(room.reliable_change, rater="sponsor", reliability=0.8, reliability_from="a retest study"),
}  # fmt: skip
BACK: dict[str, Ask] = {
    "response_shift": room.response_shift, "one domain": partial(room.response_shift, domain="learning", raters=()),
    "learning back": partial(room.learning, on=LEADING),
}  # fmt: skip
FORMS: dict[str, Ask] = {
    "learning": room.learning, "styles": room.styles, "balance": room.balance, "reaction": room.reaction,
    "behaviour": partial(room.behaviour, months=(0, 36)),
    "energy": partial(room.trajectories, on="staying_power", domain="energy"),
}  # fmt: skip
CAME: dict[str, Ask] = {
    "dose": room.dose, "by kind": partial(room.dose, by="intervention"), "by domain": partial(room.dose, by="domain"),
    "behaviour": room.behaviour, "reaction": room.reaction,
}  # fmt: skip
TOLD: dict[str, Ask] = {
    "counted": room.reliable_change, "reliability": room.reliability,
    "twice": partial(room.reliable_change, domain="innovation", method="hageman_arrindell"),
}  # fmt: skip
ALL = GROWN | SPLIT | BESIDE | BACK | FORMS | CAME | TOLD
ONE = r"(?<![\d,.])1 "
SLIPS = re.compile(
    r"\b(nan|NaN|NaT|inf)\b|<NA>|\b0 of 0\b|(?<!^)(?<![.:;] )\bNone\b|[:,;] ?\.(?!\d)|\(\)|  |sponsorss|"
    rf"(?<!of ){ONE}leaders|{ONE}(people|forms|sessions|waves|teams|others|parts|questions|kinds|sponsors)\b"
)
"""What a sentence made of few or missing figures may slip into."""
EVERY, FEW = bool(os.environ.get("EVALKIT_EVERY_EDGE")), 2
"""Whether every question is asked at every edge (two minutes), or so many of them."""
WHY = "Impact of coaching led to growth"


@pytest.fixture(scope="module")
def whole() -> Programme:
    """Northmere with some of its leaders, and what was said of them and of one session."""
    northmere = ek.load(folder("sample_data") / "northmere")
    tables = {name: getattr(northmere, name) for name in TABLES}
    told = tables["responses"]
    asked = told[told["instrument"].isin([*SHORT, "putting_to_use"])]
    some = {*sorted(asked["subject_id"].unique())[:14], *sorted(told.loc[told["wave"] == 4, "subject_id"])[::500]}
    of_one = told["subject_id"].isin(some) & (told["subject_kind"] == "person")
    tables["responses"] = told[
        of_one
        | (told["subject_id"].isin(sorted(told.loc[told["subject_kind"] == "session", "subject_id"].unique())[:2]))
    ]
    took_part = tables["participants"]
    tables["participants"] = took_part.assign(left=pd.NaT)
    return Programme.build(settings=northmere.settings, tables=tables)


def changed(programme: Programme, change: Change = lambda tables: None, **said: Any) -> Programme:
    """The programme with some of its tables changed; held to the same rules again where every edge is asked."""
    tables = {name: getattr(programme, name) for name in TABLES if programme.has(name)}
    change(tables)
    agreed = replace(programme.settings, **said)
    if EVERY:
        return Programme.build(settings=agreed, tables=tables)
    return Programme(replace(programme._contents, settings=agreed, tables=tables))


def some(asks: dict[str, Ask], place: int) -> dict[str, Ask]:
    """Every question, or a few of them: others for the next edge."""
    names = list(asks)
    taken = names if EVERY else [names[(place * FEW + at) % len(names)] for at in range(min(FEW, len(names)))]
    return {name: asks[name] for name in taken}


def to(table: str, **columns: Any) -> Change:
    """A change of whole columns of a table."""
    return lambda tables: tables.update({table: tables[table].assign(**columns)})


def only(keep: Callable[[pd.DataFrame], Any]) -> Change:
    """Some of what was said of leaders; what was said of sessions stays."""

    def change(tables: Tables) -> None:
        told = tables["responses"]
        tables["responses"] = told[keep(told) | (told["subject_kind"] != "person")]

    return change


def without(*names: str) -> Change:
    return lambda tables: [tables.pop(name) for name in names]


def both(*changes: Change) -> Change:
    def change(tables: Tables) -> None:
        for each in changes:
            each(tables)

    return change


def answers(new: Callable[[pd.DataFrame, pd.Series, pd.Series], Any]) -> Change:
    """Other answers where any was given, from the rows and the two ends of each one's scale."""

    def change(tables: Tables) -> None:
        told, known = tables["responses"], ek.load(folder("sample_data") / "salford").instruments
        scales = {name: found.scale for name, found in known.items()}
        ends = (told["instrument"].map(lambda name, end=end: getattr(scales[name], end)) for end in ("low", "high"))
        low, high = (end.astype(float) for end in ends)
        kept = told["answer"].notna() & (told["answer"] >= low)
        tables["responses"] = told.assign(answer=told["answer"].mask(kept, new(told, low, high)))

    return change


def few(many: int) -> Change:
    """So many leaders alone, those of the most waves."""

    def change(tables: Tables) -> None:
        told = tables["responses"]
        own = told[(told["instrument"] == LEADING) & (told["rater"] == "self")].groupby("subject_id")["wave"].nunique()
        most = own.sort_values(ascending=False, kind="stable").index[:many]
        only(lambda rows: rows["subject_id"].isin(most))(tables)

    return change


def unlinked(tables: Tables) -> None:
    """Another id at every wave."""
    told = tables["responses"]
    own = told[(told["rater"] == "self") & told["wave"].notna()].copy()
    own["subject_id"] = own["respondent_id"] = own["subject_id"] + "w" + own["wave"].astype(str)
    tables["responses"] = own
    new = pd.DataFrame({"person_id": sorted(set(own["subject_id"])), "kind": "participant"})
    tables["people"] = pd.concat([tables["people"], new], ignore_index=True)


def other_numbers(tables: Tables) -> None:
    """Waves 3, 7, 12 and 40."""
    numbers = {1: 3, 2: 7, 3: 12, 4: 40}
    for name in ("waves", "responses"):
        tables[name] = tables[name].assign(wave=tables[name]["wave"].map(numbers).astype("Int64"))


def at_no_wave(tables: Tables) -> None:
    """The last wave came as a follow-up that belongs to none."""
    told, last = tables["responses"], tables["responses"]["wave"] == 4
    later = last & (told["timing"] != "then")
    tables["responses"] = told.assign(
        wave=told["wave"].mask(last), timing=told["timing"].astype(str).mask(later, "followup")
    )


def all_new(tables: Tables) -> None:
    """Nobody who answered at the end had answered before."""
    told = tables["responses"]
    ids = sorted(told.loc[told["subject_kind"] == "person", "subject_id"].unique())
    only(lambda rows: (rows["wave"] == 4).fillna(False) == rows["subject_id"].isin(ids[::2]))(tables)


def in_teams(many: int) -> Change:
    def change(tables: Tables) -> None:
        tables.pop("memberships")
        took_part, ids = tables["participants"], sorted(tables["teams"]["team_id"])[:many]
        tables["participants"] = took_part.assign(team_id=[ids[at % many] for at in range(len(took_part))])

    return change


def alone(tables: Tables) -> None:
    """A team each."""
    took_part = tables["participants"]
    ids = [f"X{at}" for at in range(len(took_part))]
    tables["teams"] = pd.DataFrame({"team_id": ids, "name": ids})
    tables["participants"] = took_part.assign(team_id=ids)
    without("memberships", "support_requests")(tables)


def moved_team(tables: Tables) -> None:
    """Everybody's membership ended, and began elsewhere."""
    held, when = tables["memberships"], pd.Timestamp("2025-02-01")
    held = held[held["end"].isna() & (held["start"] < when)].drop_duplicates("person_id")
    later = held.assign(start=when, team_id=np.roll(held["team_id"].to_numpy(), 11))
    tables["memberships"] = pd.concat([held.assign(end=when - pd.Timedelta(days=1)), later], ignore_index=True)


def one_sponsor(tables: Tables) -> None:
    """One sponsor rated everybody."""
    told = tables["responses"]
    by = told["respondent_id"].mask(
        told["rater"] == "sponsor", told.loc[told["rater"] == "sponsor", "respondent_id"].min()
    )
    said = told.assign(respondent_id=by)
    tables["responses"] = said.drop_duplicates([name for name in said if name not in ("answer", "answered_on")])


def one_rated(tables: Tables) -> None:
    """All sponsors rated one leader."""
    told = tables["responses"]
    one = told.loc[told["rater"] == "sponsor", "subject_id"].min()
    said = told.assign(subject_id=told["subject_id"].mask(told["rater"] == "sponsor", one))
    tables["responses"] = said.drop_duplicates([name for name in said if name not in ("answer", "answered_on")])


def then(*waves: int | None) -> Change:
    """Looking back, at these waves instead."""

    def change(tables: Tables) -> None:
        told = tables["responses"]
        back = told[told["timing"] == "then"]
        each = [told[told["timing"] != "then"], *(back.assign(wave=wave) for wave in waves)]
        tables["responses"] = pd.concat(each, ignore_index=True).astype({"wave": "Int64"})

    return change


def everybody_came(tables: Tables) -> None:
    ids = [(session, one) for session in tables["sessions"]["session_id"] for one in
           tables["participants"]["participant_id"]]  # fmt: skip
    log = pd.DataFrame(ids, columns=["session_id", "person_id"])
    tables["attendance"] = log.assign(status="attended", minutes=np.nan)


def arm(followed: Callable[[np.ndarray], Any]) -> Change:
    """Some leaders followed for comparison, by their place among all."""

    def change(tables: Tables) -> None:
        took_part = tables["participants"]
        with_answers = took_part["participant_id"].isin(tables["responses"]["subject_id"]).cumsum().to_numpy()
        tables["participants"] = took_part.assign(arm=np.where(followed(with_answers), "comparison", "programme"))

    return change


def named_why(tables: Tables) -> None:
    """Words of cause in every name that people type."""
    for table, column in (("teams", "name"), ("teams", "cohort"), ("characteristics", "value"), ("waves", "label"),
                          ("participants", "profession")):  # fmt: skip
        odd = np.arange(len(tables[table])) % 2 == 0
        tables[table] = tables[table].assign(**{column: np.where(odd, WHY, "Due to age")})


def half_blank(tables: Tables) -> None:
    told = tables["responses"]
    gone = np.random.default_rng(1).random(len(told)) < 0.5
    tables["responses"] = told.assign(answer=told["answer"].mask(gone))


SWEEP: dict[str, tuple[Change, dict[str, Ask]]] = {
    **{f"{many} leaders": (few(many), ALL if many < 2 else GROWN | BESIDE | BACK | CAME | TOLD)
       for many in (0, 1, 2, 3, 4, 5, 8)},
    "everybody alike": (answers(lambda told, low, high: (low + high) // 2), ALL),
    "at the ceiling": (answers(lambda told, low, high: high), GROWN | FORMS),
    "at the floor": (answers(lambda told, low, high: low), BESIDE | BACK),
    "moved alike": (answers(lambda told, low, high: (low + told["wave"].fillna(1).clip(upper=2).astype(float) - 1)),
                    GROWN | BESIDE | FORMS | CAME),
    "reversed the wrong way": (answers(lambda told, low, high: told["answer"].where(
        told["item"].str[-1].isin(["1", "3", "5"]), low + high - told["answer"])), GROWN | TOLD),
    "half of it blank": (half_blank, GROWN | BACK | FORMS | TOLD),
    "all of it blank": (to("responses", answer=np.nan), ALL),
    "one wave": (only(lambda told: told["wave"] == 1), ALL),
    "the last wave alone": (only(lambda told: told["wave"] == 4), BACK | FORMS),
    "other numbers": (other_numbers, GROWN | BACK | FORMS),
    "nobody at the end": (answers(lambda told, low, high: told["answer"].mask(told["wave"] == 4)), GROWN | BACK),
    "the end at no wave": (at_no_wave, GROWN | BACK | FORMS),
    "unlinked": (unlinked, GROWN | TOLD),
    "all left after the start": (both(only(lambda told: told["wave"] == 1),
                                      to("participants", left=pd.Timestamp("2024-05-01"))), GROWN | CAME),
    "all new at the end": (all_new, GROWN | BACK | CAME),
    "one team": (in_teams(1), GROWN | BESIDE), "two teams": (in_teams(2), GROWN | CAME),
    "three teams": (in_teams(3), GROWN | SPLIT),
    "teams for half": (lambda tables: tables.update(participants=tables["participants"].assign(
        team_id=tables["participants"]["team_id"].where(np.arange(len(tables["participants"])) % 2 == 0))),
        GROWN | SPLIT),
    "no teams": (both(to("participants", team_id=None), without("memberships", "teams", "support_requests")), SPLIT),
    "teams of one": (alone, GROWN | BESIDE), "moved to another team": (moved_team, GROWN),
    "one sponsor of all": (one_sponsor, BESIDE | BACK), "one rated by all": (one_rated, BESIDE | BACK),
    "looked back at the start": (then(1), BACK), "looked back thrice": (then(2, 3, 4), BACK),
    "looked back at no wave": (then(None), BACK),
    "no start": (only(lambda told: told["timing"] != "pre"), BACK | FORMS),
    "looking back alone": (only(lambda told: told["timing"] == "then"), GROWN | BACK),
    "a short form to look back": (only(lambda told: (told["timing"] != "then") | told["item"].isin(["ie_1", "rc_1"])),
                                  BACK),
    "a domain nobody was asked": (only(lambda told: ~told["item"].str.startswith("ii_")), GROWN | BESIDE | TOLD),
    "a domain of one question": (only(lambda told: ~told["item"].str.match("ii_[2-9]")), GROWN | BACK | TOLD),
    "cannot say": (lambda tables: tables.update(responses=tables["responses"].assign(answer=tables["responses"][
        "answer"].mask(tables["responses"]["instrument"].isin(["leadership_styles", "putting_to_use"]), -1.0))), FORMS),
    "no participants": (without("participants", "characteristics"), ALL),
    "nobody's waves known": (to("waves", opens_on=pd.NaT, closes_on=pd.NaT), GROWN | BACK | CAME),
    "no days at all": (both(to("waves", opens_on=pd.NaT, closes_on=pd.NaT), to("responses", answered_on=pd.NaT),
                            without("sessions", "attendance")), GROWN | BACK | CAME),
    "sessions of unknown kind and length": (to("sessions", intervention=None, hours=np.nan), CAME),
    "sessions after the end": (to("sessions", held_on=pd.Timestamp("2026-03-30")), CAME),
    "nobody on a list": (without("attendance"), CAME), "everybody came to everything": (everybody_came, CAME),
    "followed for comparison alone": (arm(lambda at: at >= 0), ALL),
    "one followed": (arm(lambda at: at == 3), SPLIT), "one taking part": (arm(lambda at: at != 3), SPLIT | GROWN),
    "a third followed": (arm(lambda at: at % 3 == 0), SPLIT | GROWN),
    "nothing known of anybody": (both(without("characteristics"), to("participants", seniority=None, profession=None)),
                                 SPLIT | GROWN),
    "names that say why": (named_why, SPLIT | FORMS | GROWN),
}  # fmt: skip
SAID: dict[str, tuple[dict[str, Any], dict[str, Ask]]] = {
    "no start known": ({"starts_on": None}, GROWN | CAME), "starts later": ({"starts_on": date(2027, 1, 1)}, GROWN),
    "minimum of 10": ({"minimum_group": 10}, GROWN | SPLIT | FORMS | CAME | BESIDE),
    "another question declared": ({"plan": Plan(primary={"individual": "icfat/leadership"}, informant="carer",
                                   lag_months={LEADING: 120})}, GROWN | CAME),
    "families": ({"plan": Plan(primary={"individual": f"{LEADING}/learning"}, informant="partner",
                  lag_months={LEADING: 1}, families={"x": (LEADING,), "y": ("learning",)})}, GROWN | TOLD | FORMS),
    "learning declared": ({"plan": Plan(primary={"individual": "learning/knowledge"}, informant="self",
                           worthwhile={"learning": 0.3})}, FORMS),
    "never averaged, declared": ({"plan": Plan(primary={"individual": "firo_b"})}, GROWN | CAME | TOLD),
}  # fmt: skip


def sentences(found: Result) -> Iterator[str]:
    """Everything an answer says, of itself and of its drawing."""
    yield from (found.headline, found.reading, *found.caveats, found.decided.why)
    if found.audience is Audience.EVALUATOR:  # a copy's drawing is of fewer of the same marks
        yield found.alt


def holds(found: Result) -> None:
    """The contract of every answer, whatever the data."""
    table = found.table
    assert tuple(table.columns[:8]) == FIRST
    assert table["n"].dtype == "Int64"
    assert not (table["n"] < 0).any()
    sure = table["low"].notna()
    assert (sure == table["high"].notna()).all()
    assert (sure == (table["interval"] != "none given")).all()
    held = table.loc[sure, ["low", "estimate", "high"]].astype(float)
    assert np.isfinite(held.to_numpy()).all()
    assert (held["low"] <= held["estimate"] + 1e-9).all()
    assert (held["estimate"] <= held["high"] + 1e-9).all()
    assert 1 <= len(found.parts[1]) <= 4
    assert found.caveats
    on_scale(table)


def on_scale(table: pd.DataFrame) -> None:
    """No mean of ratings lies outside their scale."""
    unit = table["unit"].astype(str)
    ends = unit.str.extract(r"points on a scale of (-?[\d.]+) to (-?[\d.]+)").astype(float)
    undone = table["what"].eq("what would undo it") if "what" in table else pd.Series(False, index=table.index)
    for name in table.columns.intersection(
        ["mean_first", "mean_last", "mean_own", "mean_others", "mean_pre", "mean_then", "mean_post", "mean_stayed",
         "mean_stopped"]
    ):  # fmt: skip
        outside = (table[name] < ends[0] - 1e-9) | (table[name] > ends[1] + 1e-9)
        assert not (outside & ~undone).any(), name


def said_of(ask: Ask, programme: Programme) -> list[str]:
    """What came of a question, held to the contract; anything but an answer or a refusal fails the test."""
    try:
        found = ask(programme)
    except ek.NotEnoughEvidence as refused:
        return [refused.missing, refused.would_answer]
    except ValueError as wrong:
        if "There are: " not in str(wrong):  # asked for what is not recorded, and told what is
            raise
        return [str(wrong)]
    holds(found)
    copy = protect(found, Audience.PUBLIC)
    people = copy.table[copy.table["n_of"].isin(["people", "leaders", "respondents"])]
    assert not ((people["n"] > 0) & (people["n"] < programme.minimum_group)).any()
    return [said for each in (found, copy) for said in sentences(each)]


def faults(asks: Mapping[str, Ask], programme: Programme) -> list[tuple[str, str]]:
    """The sentences that slip, or say why."""
    return [(name, said) for name, ask in asks.items() for said in said_of(ask, programme)
            if not said or SLIPS.search(said) or CAUSE.search(said)]  # fmt: skip


@pytest.mark.parametrize("name", SWEEP)
def test_an_answer_or_a_refusal_in_words_that_hold(whole, name) -> None:
    """No traceback of another kind, no slip in a sentence, nothing outside its bounds; for anybody who may see it."""
    change, asks = SWEEP[name]
    assert not faults(some(asks, list(SWEEP).index(name)), changed(whole, change))


def test_the_ends_of_the_day_the_data_speak_of() -> None:
    """What came later is not there yet: a result of what there was, or a refusal, through the folder itself."""
    for day in (date(2020, 1, 1), date(2024, 6, 1)):
        early = ek.load(folder("sample_data") / "northmere", as_of=day)
        asks = {name: ALL[name] for name in ("growth", "learning", "dose", "reaction", "behaviour")}
        assert not faults(asks, early)
        if day.year == 2020:
            for ask in asks.values():
                with pytest.raises(ek.NotEnoughEvidence):
                    ask(early)
        else:
            held = early.sessions.set_index("session_id")["held_on"]
            told = early.responses[early.responses["subject_kind"] == "session"]
            by_then = told[told["answered_on"] <= pd.Timestamp(day)]
            found = room.reaction(early)
            assert found.about.n == len(by_then[["subject_id", "respondent_id"]].drop_duplicates())
            assert held[by_then["subject_id"].unique()].max() <= pd.Timestamp(day)


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        *((partial(getattr(room, name), rater="sponsors", **({"on": LEADING} if name == "growth" else {})),
           "rater='sponsors' is no kind of rater. There are: self, sponsor, line_manager")
          for name in ("growth", "reliable_change", "learning", "styles", "dose", "attrition", "reliability",
                       "balance")),
        *((partial(getattr(room, name), on=LEADING, domain="inovation"), "has no domain 'inovation'. It has:")
          for name in ("growth", "trajectories", "reliable_change", "response_shift", "dose", "attrition")),
        *((partial(getattr(room, name), between=wrong), "must give the earlier wave first, by number, such as (1, 4)")
          for name in ("learning", "styles", "balance", "dose")
          for wrong in (4, (4, 1), ("1", "4"), (1,))),
        (partial(room.growth, on=LEADING, by="Team"), "'Team' is recorded of people. There are: seniority"),
        (partial(room.growth, on="leadership"), "No instrument is called 'leadership'. There are: curiosity"),
        *((partial(getattr(room, name), confidence=95), "must lie between 0 and 1; 95 % is 0.95")
          for name in ("learning", "dose", "attrition", "reliability", "styles", "balance", "response_shift")),
        (partial(room.growth, on=LEADING, confidence=95), "confidence=95 must lie between 0 and 1"),
        (partial(room.dose, by="kind"), "by='kind' is not known; there are: intervention and domain"),
        (partial(room.behaviour, months=3), "months=3 must give whole months, the fewer months first"),
        (partial(room.behaviour, raters=("sponsors",)), "must name who says so, among: line_manager"),
        (partial(room.attrition, permutations=0), "permutations=0 must be 1 or more"),
        (partial(room.attrition, seed=-1), "seed=-1 nought or more"),
        (partial(room.seen_by_others, on=LEADING, raters=()), "raters=() names nobody"),
        (partial(room.seen_by_others, on=LEADING, raters=("self",)), "'self' is no kind of others. There are: sponsor"),
        (partial(room.seen_by_others, on=LEADING, by="Team"), "by='Team' is none of what gaps can be split by"),
        (partial(room.trajectories, raters=("sponsors",)), "there are: carer"),
        (partial(room.reliable_change, method="jt"), "method='jt' is not known; choose one of jacobson_truax"),
        (partial(room.reliable_change, reliability=8.0, reliability_from="a study"), "must lie between 0 and 1"),
    ],
)  # fmt: skip
def test_a_slip_in_what_is_asked_is_told_with_what_there_is(whole, ask, says) -> None:
    """Never taken for something missing in the data, and never passed over."""
    with pytest.raises(ValueError, match=re.escape(says)) as wrong:
        ask(whole)
    assert not isinstance(wrong.value, ek.NotEnoughEvidence)


def test_a_single_name_of_a_rater_is_no_list_of_letters(whole) -> None:
    one, listed = (room.seen_by_others(whole, on=LEADING, raters=each) for each in ("sponsor", ("sponsor",)))
    pd.testing.assert_frame_equal(one.table, listed.table)


def test_waves_that_nobody_answered_are_named_one_by_one(whole) -> None:
    for ask in (partial(room.growth, on=LEADING), room.styles):
        with pytest.raises(ek.NotEnoughEvidence, match="at wave 8 and wave 9") as refused:
            ask(whole, between=(8, 9))
        assert re.search(r"waves answered: 1", refused.value.would_answer)


def test_one_leader_rated_twice_is_told_in_months(whole) -> None:
    with pytest.raises(ek.NotEnoughEvidence) as refused:
        room.growth(changed(whole, few(1)), on=LEADING)
    assert refused.value.missing.endswith(", rated in both April 2024 and November 2025: 1 leader.")
    found = room.attrition(changed(whole, few(1)))
    assert found.headline == "The only leader rated at the start was rated at the end"


def test_a_form_of_kinds_makes_no_groups(whole) -> None:
    with pytest.raises(ek.NotEnoughEvidence, match="did not answer the FIRO-B about themselves, or it is never scored"):
        room.growth(whole, on=LEADING, by="firo_b")


def test_groups_cut_by_what_is_compared_are_said_to_move_by_themselves(whole) -> None:
    by_itself = "These groups are cut by the very answers that are compared"
    one, other = (room.growth(whole, on=LEADING, by=by) for by in (LEADING, "sex"))
    assert any(said.startswith(by_itself) for said in one.caveats)
    assert not any(said.startswith(by_itself) for said in other.caveats)


def test_a_question_one_session_left_out_is_not_counted_there(whole) -> None:
    """Sessions may have forms of their own; nobody's answer is no number."""
    first = whole.instruments["reaction"].items[0].key
    gone = whole.responses
    asked = sorted(gone.loc[gone["subject_kind"] == "session", "subject_id"].unique())
    gone = gone[~((gone["item"] == first) & (gone["subject_id"] == asked[1]))]
    found = room.reaction(changed(whole, lambda tables: tables.update(responses=gone)))
    assert len(found.parts[1]) == 3
    assert " on 17 April 2024." in found.parts[1][2].text
    nowhere = gone[gone["item"] != first]
    assert len(room.reaction(changed(whole, lambda tables: tables.update(responses=nowhere))).parts[1]) == 2


@pytest.mark.parametrize("name", SAID)
def test_whatever_was_agreed_beforehand(whole, name) -> None:
    said, asks = SAID[name]
    assert not faults(some(asks, list(SAID).index(name)), changed(whole, **said))


@settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    given_at=st.lists(
        st.tuples(st.sets(st.sampled_from([1, 2, 3, 4])), st.integers(1, 5), st.integers(1, 5)), max_size=9
    ),
    teams=st.integers(0, 3),
    spread=st.booleans(),
    place=st.integers(0, 6),
)
def test_any_small_programme_is_answered_or_refused(given_at, teams, spread, place) -> None:
    """Nine leaders at most, who answered at some waves, the same to all questions or not."""
    items = ["ie_1", "ie_2", "ie_3", "ie_4", "rc_1", "rc_2", "rc_3", "rc_4", "rc_5"]
    told = {
        f"L{at}": {wave: {item: float(np.clip(start + (end - start) * (wave > 1) + spread * (place % 2), 1, 5))
                          for place, item in enumerate(items)} for wave in waves}
        for at, (waves, start, end) in enumerate(given_at)
    }  # fmt: skip
    told = {one: waves for one, waves in told.items() if waves} or {"L0": {1: dict.fromkeys(items, 3.0)}}
    by = {one: f"S{one}" for one in told}
    of = {one: f"T{at % teams}" for at, one in enumerate(told)} if teams else None
    small = built(rated(LEADING, told), rated(LEADING, told, rater="sponsor", by=by), teams=of)
    domain = {"domain": "relationships"}
    asks: dict[str, Ask] = {
        "growth": partial(room.growth, on=LEADING, **domain), "trajectories": partial(room.trajectories, **domain),
        "counted": partial(room.reliable_change, reliability=0.8, reliability_from="a retest study", **domain),
        "seen": partial(room.seen_by_others, on=LEADING, by="domain"), "reliability": room.reliability,
        "attrition": partial(room.attrition, permutations=19, **domain), "learning": partial(room.learning, on=LEADING),
    }  # fmt: skip
    assert not faults(some(asks, place), small)
