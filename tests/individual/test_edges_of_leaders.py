"""The room of leaders at its edges: data an evaluator might send, and a result, a refusal or an error that says why."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
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
    rf"{ONE}(leaders(?! who could say)|people|forms|sessions|waves|teams|others|parts|questions|kinds|sponsors)\b"
)
"""What a sentence made of few or missing figures may slip into."""
WHY = "Impact of coaching led to growth"


@pytest.fixture(scope="module")
def whole() -> Programme:
    """Northmere with some of its leaders, and what was said of them and of one session."""
    northmere = ek.load(folder("sample_data") / "northmere")
    tables = {name: getattr(northmere, name) for name in TABLES}
    told = tables["responses"]
    asked = told[told["instrument"].isin([*SHORT, "putting_to_use"])]
    some = {*sorted(asked["subject_id"].unique())[:16], *sorted(told.loc[told["wave"] == 4, "subject_id"])[::400]}
    of_one = told["subject_id"].isin(some) & (told["subject_kind"] == "person")
    tables["responses"] = told[of_one | (told["subject_id"].isin(["D01", "D02"]) & (told["respondent_id"] < "L020"))]
    took_part = tables["participants"]
    tables["participants"] = took_part.assign(left=pd.NaT)
    return Programme.build(settings=northmere.settings, tables=tables)


def changed(programme: Programme, change: Change = lambda tables: None, **said: Any) -> Programme:
    """The programme with some of its tables changed, held to the same rules."""
    tables = {name: getattr(programme, name) for name in TABLES if programme.has(name)}
    change(tables)
    return Programme.build(settings=replace(programme.settings, **said), tables=tables)


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
    scales = {name: found.scale for name, found in ek.load(folder("sample_data") / "salford").instruments.items()}

    def change(tables: Tables) -> None:
        told = tables["responses"]
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
        some = own.sort_values(ascending=False, kind="stable").index[:many]
        only(lambda rows: rows["subject_id"].isin(some))(tables)

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
    by = told["respondent_id"].mask(told["rater"] == "sponsor", told.loc[told["rater"] == "sponsor", "respondent_id"].min())
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
                          ("participants", "profession"), ("sessions", "theory")):  # fmt: skip
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
        team_id=tables["participants"]["team_id"].where(np.arange(len(tables["participants"])) % 2 == 0))), GROWN | SPLIT),
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
                            to("sessions", held_on=pd.NaT)), GROWN | BACK | CAME),
    "sessions without days": (to("sessions", held_on=pd.NaT), CAME),
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
    yield from (found.headline, found.reading, *found.caveats, found.decided.why, found.chart.describe(found.marks))
    for column in {"label", "x", "series"} & {*found.marks}:
        yield from (str(said) for said in found.marks[column].dropna().unique() if isinstance(said, str))


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
        assert refused.missing
        assert refused.would_answer
        return [refused.missing, refused.would_answer]
    holds(found)
    copy = protect(found, Audience.PUBLIC)
    people = copy.table[copy.table["n_of"].isin(["people", "leaders", "respondents"])]
    assert not ((people["n"] > 0) & (people["n"] < programme.minimum_group)).any()
    return [said for each in (found, copy) for said in sentences(each)]


def faults(asks: Mapping[str, Ask], programme: Programme) -> list[tuple[str, str]]:
    """The sentences that slip, or say why."""
    return [(name, said) for name, ask in asks.items() for said in said_of(ask, programme)
            if SLIPS.search(said) or CAUSE.search(said)]  # fmt: skip
