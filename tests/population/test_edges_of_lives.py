"""The room of people's lives at its edges: counts a sloppy evaluator might send, and an answer, a refusal or an error
that says why."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest

import evalkit as ek
from evalkit.disclosure import protect
from evalkit.periods import financial_year
from evalkit.programme import Plan, Programme
from evalkit.resources import folder
from evalkit.result import FIRST, Result
from evalkit.terms import Audience, Verdict
from evalkit.words import CAUSE

Tables = dict[str, pd.DataFrame]
Change = Callable[[Tables], Any]
Ask = Callable[[Programme], Result]
TABLES = ("places", "organisations", "outcomes", "denominators", "events", "costs", "benefits", "funding", "findings")
MINE, OTHERS = ("P01", "P02", "P03", "P04", "P05"), ("P13", "P14", "P15", "P16")
ADMITTED, AVOIDABLE, CARE = "emergency_admissions_65_plus", "avoidable_admissions", "joined_up_care"
PRICES = {"2024/25": 97.1, "2025/26": 100.0}
room, synthesis = ek.population, ek.kirkpatrick

SERIES: dict[str, Ask] = {
    "variation": partial(room.variation, measure=ADMITTED), "rates": partial(room.rates, measure=ADMITTED),
    "funnel": partial(room.funnel, measure=ADMITTED), "change": partial(room.change, measure=ADMITTED),
    "against": partial(room.against, measure=ADMITTED), "too early": partial(room.too_early, measure=ADMITTED),
    "indicators": room.indicators,
}  # fmt: skip
CHARTS: dict[str, Ask] = {
    "run": partial(room.variation, measure=ADMITTED, chart="run"),
    "u": partial(room.variation, measure=ADMITTED, chart="u"),
    "c": partial(room.variation, measure=ADMITTED, chart="c"),
    "p": partial(room.variation, measure=CARE, chart="p"), "shares": partial(room.variation, measure=CARE),
    "u_prime": partial(room.variation, measure=ADMITTED, chart="u_prime", screen=False),
}  # fmt: skip
SPLIT: dict[str, Ask] = {
    "deaths": partial(room.rates, measure="deaths"), "by sex": partial(room.rates, measure="deaths", by="sex"),
    "by age": partial(room.rates, measure="deaths", by="age_band"),
    "by fifth": partial(room.rates, measure=AVOIDABLE, by="quintile"), "inequality": room.inequality,
    "life": room.life_expectancy, "both sexes": partial(room.life_expectancy, sex="persons"),
    "all deaths": partial(room.funnel, measure="deaths"), "all fifths": partial(room.funnel, measure=AVOIDABLE),
}  # fmt: skip
ASKED: dict[str, Ask] = {
    "experience": room.experience, "one measure": partial(room.experience, measure=CARE),
    "shares": partial(room.rates, measure=CARE), "places asked": partial(room.funnel, measure=CARE),
    "over time": partial(room.variation, measure=CARE), "compared": partial(room.against, measure=CARE),
    "early": partial(room.too_early, measure=CARE),
}  # fmt: skip
MONEY: dict[str, Ask] = {
    "value": room.value, "in one year": partial(room.value, deflators=PRICES),
    "for health": partial(room.value, deflators=PRICES, discount="health", unit_values={ADMITTED: 2_000.0}),
}  # fmt: skip
FOUND: dict[str, Ask] = {
    "found": synthesis.found_by_others, "of lives": partial(synthesis.found_by_others, level="population"),
}  # fmt: skip
ALL = SERIES | CHARTS | SPLIT | ASKED | MONEY | FOUND
ONE = r"(?<![\d,.–-])1 "
SLIPS = re.compile(
    r"\b(nan|NaN|NaT|inf)\b|<NA>|\b0 of 0\b|(?<!^)(?<![.:;] )\bNone\b|[:,;] ?\.(?!\d)|\(\)|  |\.\.|not known to|"
    r"not known (lower|higher)|the same than|\bno (places|programme places) (differ|lie)\b|"
    rf"(?<!of ){ONE}(places|months|quarters|years|events|deaths|amounts|gains|findings|measures|draws|people|programme "
    r"places|comparison places)\b(?! a)"
)
"""What a sentence made of few or missing figures may slip into."""
EVERY, FEW = bool(os.environ.get("EVALKIT_EVERY_EDGE")), 1
"""Whether every question is asked at every edge (ten minutes), or so many of them at every third edge."""
WHY = "Impact of coaching led to growth"
HIDDEN = "Secretfold"


@cache
def whole() -> Programme:
    """Nine places of Northmere: what was counted there, paid, and found by others."""
    with TemporaryDirectory() as where:
        for name in TABLES:
            held = pd.read_csv(folder("sample_data") / "northmere" / f"{name}.csv", dtype=str, keep_default_na=False)
            if "place_id" in held:
                held = held[held["place_id"].isin([*MINE, *OTHERS, ""])]
            held = of_all_ages(held) if name == "outcomes" else held
            held.to_csv(Path(where) / f"{name}.csv", index=False)
        (Path(where) / "programme.toml").write_text(
            'schema = 1\nname = "Testmere"\nstarts_on = 2024-04-01\nas_of = 2026-03-31\nfictional = true\n'
            f"[plan.lag_months]\n{ADMITTED} = 12\n[plan.worthwhile]\n{ADMITTED} = 0.95\n"
            f"[plan.plausible]\n{ADMITTED} = 0.9\n",
            encoding="utf-8",
        )
        return ek.load(where)


def of_all_ages(held: pd.DataFrame) -> pd.DataFrame:
    """The monthly counts without their ages, which deaths have too: fewer rows to go through."""
    own = held["measure"] == ADMITTED
    counted = held[own].astype({"count": int}).groupby(["measure", "place_id", "period"], as_index=False)["count"].sum()
    return pd.concat([held[~own], counted], ignore_index=True)[list(held.columns)]


def changed(programme: Programme, change: Change = lambda tables: None, **said: Any) -> Programme:
    """The programme with some of its tables changed; held to the same rules again where every edge is asked."""
    tables = {name: getattr(programme, name) for name in TABLES if programme.has(name)}
    change(tables)
    as_of = said.pop("as_of", None)
    agreed = replace(programme.settings, **said)
    if EVERY:
        return Programme(Programme.build(settings=agreed, tables=tables)._contents, as_of=as_of)
    return Programme(replace(programme._contents, settings=agreed, tables=tables), as_of=as_of)


def some(asks: Mapping[str, Ask], place: int) -> dict[str, Ask]:
    """Every question, or a few of them: others for the next edge."""
    names = list(asks)
    taken = names if EVERY else [names[(place * FEW + at) % len(names)] for at in range(min(FEW, len(names)))]
    return {name: asks[name] for name in taken}


# --- what may be wrong with data --------------------------------------------------------------------------------------


def to(table: str, **columns: Any) -> Change:
    """A change of whole columns of a table."""
    return lambda tables: tables.update({table: tables[table].assign(**columns)})


def rows(table: str, keep: Callable[[pd.DataFrame], Any]) -> Change:
    """Some rows of a table."""
    return lambda tables: tables.update({table: tables[table][keep(tables[table])].reset_index(drop=True)})


def without(*names: str) -> Change:
    return lambda tables: [tables.pop(name) for name in names]


def both(*changes: Change) -> Change:
    def change(tables: Tables) -> None:
        for each in changes:
            each(tables)

    return change


def counts(new: Callable[[pd.DataFrame], Any]) -> Change:
    """Other counts."""

    def change(tables: Tables) -> None:
        held = tables["outcomes"]
        tables["outcomes"] = held.assign(count=pd.Series(new(held), index=held.index).astype("Int64"))

    return change


def of_unknown(new: Callable[[pd.DataFrame], Any]) -> Change:
    """Other counts where nobody says beside them out of how many."""
    return counts(lambda held: held["count"].mask(held["denominator"].isna(), pd.Series(new(held), index=held.index)))


def started(**at: str | None) -> Change:
    """Other days on which places started."""

    def change(tables: Tables) -> None:
        places = tables["places"].set_index("place_id")
        for place, day in at.items():
            places.loc[place, "start"] = pd.NaT if day is None else pd.Timestamp(day)
        tables["places"] = places.reset_index()

    return change


def only(*kept: str) -> Change:
    """Figures of these places alone; the others stay in places.csv."""
    return rows("outcomes", lambda held: held["place_id"].isin(kept))


def until(day: str, since: str = "2000-01-01") -> Change:
    """Figures of periods that begin in this time."""
    return rows("outcomes", lambda held: held["period"].between(since, day))


def arms(comparison: Callable[[pd.Series], Any], blank: Callable[[pd.Series], Any] = lambda ids: ids == "") -> Change:
    """Which places are for comparison, and of which nobody said."""

    def change(tables: Tables) -> None:
        places = tables["places"]
        ids = places["place_id"]
        arm = pd.Series(np.where(comparison(ids), "comparison", "programme"), index=ids.index, dtype="str")
        start = (
            places["start"]
            .mask(comparison(ids))
            .where(comparison(ids) | places["start"].notna(), pd.Timestamp("2024-04-01"))
        )
        tables["places"] = places.assign(arm=arm.mask(blank(ids)), start=start)

    return change


def one_name(tables: Tables) -> None:
    tables["places"] = tables["places"].assign(name="Brackenford")


def hidden(*ids: str) -> Change:
    """These places are not to be named."""

    def change(tables: Tables) -> None:
        places = tables["places"]
        own = places["place_id"].isin(ids)
        named = places["name"].mask(own, HIDDEN)
        tables["places"] = places.assign(name=named, may_be_named=pd.Series(~own, dtype="boolean"))

    return change


def as_values(tables: Tables) -> None:
    held = tables["outcomes"]
    tables["outcomes"] = held.assign(
        value=held["count"].astype(float) + 0.5, count=pd.Series(pd.NA, index=held.index, dtype="Int64")
    )


def by_the_quarter(measure: str, months: int = 3) -> Change:
    """Months put together; what is over is kept."""

    def change(tables: Tables) -> None:
        held = tables["outcomes"]
        own = held[held["measure"] == measure]
        first = own["period"].dt.to_period("M").astype("int64").to_numpy()
        begins = first - (first - 3) % months
        own = own.assign(period=pd.PeriodIndex.from_ordinals(begins, freq="M").to_timestamp().astype("datetime64[us]"))
        keys = ["measure", "place_id", "period", "age_band", "sex", "quintile"]
        summed = own.groupby(keys, dropna=False).agg(count=("count", "sum"), value=("value", "first")).reset_index()
        summed = summed.assign(span=months, denominator=np.nan)[list(held.columns)].astype(held.dtypes.to_dict())
        tables["outcomes"] = pd.concat([held[held["measure"] != measure], summed], ignore_index=True)

    return change


def mixed(tables: Tables) -> None:
    """A year beside months."""
    held = tables["outcomes"]
    own = (held["measure"] == ADMITTED) & (held["period"] == "2025-03-01")
    tables["outcomes"] = held.assign(span=held["span"].mask(own, 12))


def some_split(tables: Tables) -> None:
    """Both sexes beside each sex; ages that overlap."""
    held = tables["outcomes"]
    deaths = held[(held["measure"] == "deaths") & (held["sex"] == "female")]
    tables["outcomes"] = pd.concat([held, deaths.assign(sex="persons")], ignore_index=True)


def overlapping(tables: Tables) -> None:
    held = tables["outcomes"]
    own = held["age_band"] == "70-74"
    tables["outcomes"] = held.assign(age_band=held["age_band"].mask(own, "68-74"))


def years_of_people(later: int) -> Change:
    """People known of other years alone."""
    return lambda tables: tables.update(
        denominators=tables["denominators"].assign(period=tables["denominators"]["period"] + pd.DateOffset(years=later))
    )


def happened(**columns: Any) -> Change:
    """Another event, blank but for this."""

    def change(tables: Tables) -> None:
        held = tables["events"]
        row = {"event_id": "V99", "name": "A boundary was redrawn", "kind": "boundary_change", "measure": None,
               "place_id": None, "starts_on": pd.Timestamp("2024-10-01"), "ends_on": pd.NaT} | columns  # fmt: skip
        new = pd.DataFrame([row]).reindex(columns=held.columns).astype(held.dtypes.to_dict())
        tables["events"] = pd.concat([held, new], ignore_index=True)

    return change


def named_why(tables: Tables) -> None:
    """Words of cause in every name that people type."""
    for table, column in (("places", "name"), ("events", "name"), ("costs", "item"), ("benefits", "item"),
                          ("findings", "statement"), ("organisations", "name")):  # fmt: skip
        tables[table] = tables[table].assign(**{column: WHY})


def blank(table: str, *columns: str, where: Callable[[pd.DataFrame], Any] | None = None) -> Change:
    """These columns without anything in them."""

    def change(tables: Tables) -> None:
        held = tables[table]
        gone = pd.Series(True, index=held.index) if where is None else where(held)
        tables[table] = held.assign(**{name: held[name].mask(gone) for name in columns})

    return change


SWEEP: dict[str, tuple[Change, Mapping[str, Ask]]] = {
    "as it is": (lambda tables: None, ALL),
    "nothing counted": (without("outcomes"), ALL), "nobody lives there": (without("denominators"), ALL),
    "one month": (until("2025-06-01", "2025-06-01"), ALL), "two months": (until("2025-06-01", "2025-05-01"), SERIES),
    "six months": (until("2024-06-01", "2024-01-01"), SERIES | CHARTS),
    "a year": (until("2025-01-01", "2024-02-01"), ALL),
    "no before": (until("2026-03-01", "2024-04-01"), ALL),
    "a month before": (until("2026-03-01", "2024-03-01"), SERIES),
    "no after": (until("2024-03-01"), ALL), "a month after": (until("2024-04-01"), ALL),
    "a month missing": (rows("outcomes", lambda held: held["period"] != "2025-01-01"), ALL),
    "a month missing in one place": (
        rows("outcomes", lambda held: (held["period"] != "2025-01-01") | (held["place_id"] != "P02")), ALL),
    "a month missing elsewhere": (
        rows("outcomes", lambda held: (held["period"] != "2023-01-01") | (held["place_id"] != "P14")), ALL),
    "others end sooner": (
        rows("outcomes", lambda held: (held["period"] < "2025-01-01") | ~held["place_id"].isin(OTHERS)), ALL),
    "others begin later": (
        rows("outcomes", lambda held: (held["period"] >= "2023-05-01") | ~held["place_id"].isin(OTHERS)), ALL),
    "all noughts": (counts(lambda held: 0), ALL), "all ones": (counts(lambda held: 1), ALL),
    "all alike": (counts(lambda held: 40), ALL),
    "huge": (of_unknown(lambda held: 1_000_000_000 + held.index), ALL),
    "huge, and as many people": (both(counts(lambda held: 100_000_000 + held.index % 9_999),
                                      to("outcomes", denominator=2e9)), ALL),
    "more than people": (of_unknown(lambda held: 21_000), ALL),
    "as many as people": (lambda tables: counts(lambda held: held["denominator"].fillna(5).round())(tables), ALL),
    "nought in the programme": (counts(lambda held: held["count"].mask(held["place_id"].isin(MINE), 0)), ALL),
    "nought elsewhere": (counts(lambda held: held["count"].mask(held["place_id"].isin(OTHERS), 0)), ALL),
    "nought before": (counts(lambda held: held["count"].mask(held["period"] < "2024-04-01", 0)), ALL),
    "nought after": (counts(lambda held: held["count"].mask(held["period"] >= "2024-04-01", 0)), ALL),
    "half of it nought": (counts(lambda held: held["count"].mask(held.index % 2 == 0, 0)), ALL),
    "one large month": (of_unknown(lambda held: held["count"].mask(held["period"] == "2025-07-01", 9_999)), ALL),
    "values alone": (as_values, ALL),
    "some denominators": (blank("outcomes", "denominator", where=lambda held: held.index % 2 == 0), SPLIT | ASKED),
    "no denominators": (blank("outcomes", "denominator"), ALL),
    "people of other years": (both(blank("outcomes", "denominator"), years_of_people(9)), ALL),
    "people of earlier years": (both(blank("outcomes", "denominator"), years_of_people(-9)), ALL),
    "nobody of the last year": (rows("denominators", lambda held: held["period"] < "2025-04-01"), SERIES | CHARTS),
    "people of one place": (rows("denominators", lambda held: held["place_id"] == "P01"), SERIES),
    "quarters": (by_the_quarter(ADMITTED), SERIES | CHARTS), "years": (by_the_quarter(ADMITTED, 12), SERIES | CHARTS),
    "quarters and a late start": (both(by_the_quarter(ADMITTED), started(P02="2024-05-01")), SERIES),
    "mixed spans": (mixed, SERIES | CHARTS),
    "persons beside each sex": (some_split, SPLIT), "overlapping ages": (overlapping, SPLIT | SERIES),
    "one sex": (rows("outcomes", lambda held: held["sex"] != "male"), SPLIT),
    "persons alone": (both(rows("outcomes", lambda held: held["sex"] != "male"),
                           to("outcomes", sex=lambda held: held["sex"].mask(held["sex"].notna(), "persons"))), SPLIT),
    "young alone": (rows("outcomes", lambda held: ~held["age_band"].isin(["85-89", "90+"])), SPLIT),
    "one age": (rows("outcomes", lambda held: held["age_band"].isin(["90+"]) | held["age_band"].isna()), SPLIT),
    "four fifths": (rows("outcomes", lambda held: (held["quintile"] != 3).fillna(True)), SPLIT),
    "fifths missing in some places": (
        rows("outcomes", lambda held: (held["quintile"] < 4).fillna(True) | ~held["place_id"].isin(["P01", "P13"])),
        SPLIT),
    "fifths missing before": (
        rows("outcomes", lambda held: (held["quintile"] < 4).fillna(True) | (held["period"] > "2024-01-01")), SPLIT),
    "fifths in the programme alone": (
        rows("outcomes", lambda held: held["quintile"].isna() | held["place_id"].isin(MINE)), SPLIT),
    "fifths elsewhere alone": (
        rows("outcomes", lambda held: held["quintile"].isna() | held["place_id"].isin(OTHERS)), SPLIT),
    "no start": (blank("places", "start"), ALL), "no start in one place": (started(P03=None), ALL),
    "a start mid-month": (started(**dict.fromkeys(MINE, "2024-04-17")), SERIES | ASKED),
    "a start mid-quarter": (started(**dict.fromkeys(MINE, "2024-05-01")), ALL),
    "different years": (started(P01="2022-04-01", P02="2023-04-01", P03="2025-04-01"), ALL),
    "two starts": (started(P01="2023-04-01"), SERIES | SPLIT | ASKED),
    "starts after the end": (started(**dict.fromkeys(MINE, "2027-01-01")), ALL),
    "one starts after the end": (started(P01="2027-01-01"), ALL),
    "starts before the data": (started(**dict.fromkeys(MINE, "2015-01-01")), ALL),
    "all take part": (arms(lambda ids: ids == ""), ALL),
    "nobody takes part": (arms(lambda ids: ids != ""), ALL),
    "a comparison left blank": (arms(lambda ids: ids.isin(OTHERS[1:]), lambda ids: ids == "P13"), ALL),
    "comparisons left blank, no start": (
        both(to("places", arm=lambda held: held["arm"].mask(held["arm"] == "comparison"))), ALL),
    "one place alone": (only("P01"), ALL), "one of each": (only("P01", "P13"), ALL),
    "one beside many": (only("P01", *OTHERS), ALL), "many beside one": (only(*MINE, "P13"), ALL),
    "two beside two": (only("P01", "P02", "P13", "P14"), ALL), "elsewhere alone": (only(*OTHERS), ALL),
    "one name for all": (one_name, ALL),
    "not to be named": (hidden(*MINE, *OTHERS), ALL),
    "not to be named, no start": (both(hidden(*MINE), blank("places", "start")), ALL),
    "not to be named, a gap": (both(hidden("P02"), rows(
        "outcomes", lambda held: (held["period"] != "2025-04-01") | (held["place_id"] != "P02"))), ALL),
    "no events": (without("events"), SERIES), "a boundary change": (happened(), ALL),
    "a boundary change before": (happened(starts_on=pd.Timestamp("2010-01-01")), ALL),
    "a boundary change at the start": (happened(starts_on=pd.Timestamp("2024-04-01")), SERIES),
    "a shock without end": (happened(kind="shock"), SERIES | CHARTS),
    "a shock all the time": (happened(kind="shock", starts_on=pd.Timestamp("2021-04-01"),
                                      ends_on=pd.Timestamp("2026-03-31")), SERIES),
    "a shock all the time since": (happened(kind="shock", starts_on=pd.Timestamp("2024-04-01"),
                                            ends_on=pd.Timestamp("2026-03-31")), SERIES),
    "an event to come": (happened(starts_on=pd.Timestamp("2027-03-31")), ALL),
    "names that say why": (named_why, ALL),
    "no costs": (without("costs"), MONEY), "no gains": (without("benefits"), MONEY),
    "gains alone without costs or funding": (without("costs", "funding"), MONEY),
    "gains lost": (to("benefits", amount=-5_000.0, low=-9_000.0, high=-1_000.0), MONEY),
    "gains of nought": (to("benefits", amount=0.0, low=np.nan, high=np.nan, attributed=100), MONEY),
    "no shares": (blank("benefits", "attributed"), MONEY), "shares of nought": (to("benefits", attributed=0), MONEY),
    "costs of nought": (to("costs", amount=0.0, low=np.nan, high=np.nan), MONEY),
    "costs to come": (to("costs", year="2031/32"), MONEY),
    "long ago": (to("costs", year="1990/91", price_year=None), MONEY),
    "no grades": (blank("costs", "confidence", "cashable", "organisation_id", "price_year"), MONEY),
    "an odd grade": (to("costs", confidence=9, low=np.nan, high=np.nan), MONEY),
    "huge costs": (to("costs", amount=1e12, low=np.nan, high=np.nan), MONEY),
    "one cost, one gain": (both(rows("costs", lambda held: held.index == 0),
                                rows("benefits", lambda held: held.index == 0)), MONEY),
    "nothing found": (without("findings"), FOUND), 
    "one finding": (rows("findings", lambda held: held.index == 2), FOUND),
    "findings of nobody": (to("findings", n=1), FOUND), "findings blank": (blank(
        "findings", "level", "step", "place_id", "design", "measure", "unit", "estimate", "low", "high", "n",
        "checked_by"), FOUND),
    "findings without figures": (blank("findings", "estimate", "low", "high"), FOUND),
    "findings with one end": (blank("findings", "low"), FOUND),
    "huge findings": (to("findings", estimate=1e300, low=-1e300, high=np.nan), FOUND),
}  # fmt: skip
SAID: dict[str, tuple[dict[str, Any], Mapping[str, Ask]]] = {
    "no start known": ({"starts_on": None}, ALL), "starts later": ({"starts_on": date(2029, 1, 1)}, ALL),
    "minimum of 50": ({"minimum_group": 50}, ALL),
    "as of before the data": ({"as_of": date(2020, 1, 1)}, ALL),
    "as of before the start": ({"as_of": date(2023, 12, 31)}, ALL),
    "as of mid-month": ({"as_of": date(2025, 7, 15)}, ALL),
    "as of the first month after": ({"as_of": date(2024, 4, 30)}, ALL),
    "chosen by lot": ({"plan": Plan(chosen={ADMITTED: "by lot"})}, SERIES),
    "chosen for a high year": ({"plan": Plan(chosen={ADMITTED: "high"})}, SERIES),
    "chosen as worsening": ({"plan": Plan(chosen={ADMITTED: "worsening"})}, SERIES),
    "nothing worthwhile": ({"plan": Plan(lag_months={ADMITTED: 0}, worthwhile={ADMITTED: 1.0},
                                         plausible={ADMITTED: 1.0})}, SERIES),
    "a lag of ages": ({"plan": Plan(lag_months={ADMITTED: 600}, plausible={ADMITTED: 1e-6})}, SERIES),
}  # fmt: skip


# --- what must hold ---------------------------------------------------------------------------------------------------


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
    numbers = table.select_dtypes("number").astype("float64")
    assert not np.isinf(numbers.to_numpy()).any()
    assert not np.isinf(found.marks.select_dtypes("number").astype("float64").to_numpy()).any()
    quoted = table["interval"].eq("one end, as published")
    sure = table["low"].notna() & ~quoted
    assert (sure == (table["high"].notna() & ~quoted)).all()
    assert (sure == (~table["interval"].isin(["none given", "one end, as published"]))).all()
    about = sure & table["estimate"].notna() & ~table["interval"].isin(["99.8% funnel", "process limits"])
    held = table.loc[about, ["low", "estimate", "high"]]
    slack = 1e-9 * held.abs().max(axis="columns")
    assert (held["low"] <= held["estimate"] + slack).all()
    assert (held["estimate"] <= held["high"] + slack).all()
    assert 1 <= len(found.parts[1]) <= 5
    assert found.caveats
    sided(found)


def sided(found: Result) -> None:
    """No verdict that its own interval does not bear."""
    low, high = found.decided.low, found.decided.high
    if found.verdict in (Verdict.IMPROVED, Verdict.WORSENED):
        assert low > 1 or high < 1
    if found.verdict is Verdict.DESCRIBED:
        assert found.decided.why


def said_of(ask: Ask, programme: Programme) -> list[str]:
    """What came of a question, held to the contract; anything but an answer or a refusal fails the test."""
    try:
        found = ask(programme)
    except ek.NotEnoughEvidence as refused:
        return [refused.missing, refused.would_answer]
    except ValueError as wrong:
        if not SETTING.search(str(wrong)):
            raise
        return [str(wrong)]
    holds(found)
    copies = (found, protect(found, Audience.PUBLIC)) if EVERY else (found,)
    shown = [said for each in copies for said in sentences(each)]
    drawn = map(str, (*found.table.to_numpy().ravel(), *found.marks.to_numpy().ravel()))
    assert not any(HIDDEN in said for said in (*shown, *drawn))
    return shown


SETTING = re.compile(r"^(discount|base_year|until|deflators|chart|There is no deflator|No price index)")
"""Errors about what was asked, not about what is recorded."""


def faults(asks: Mapping[str, Ask], programme: Programme) -> list[tuple[str, str]]:
    """The sentences that slip, or say why."""
    return [(name, said) for name, ask in asks.items() for said in said_of(ask, programme)
            if not said or HIDDEN in said or SLIPS.search(said) or CAUSE.search(said)]  # fmt: skip


@pytest.mark.parametrize("name", list(SWEEP) if EVERY else list(SWEEP)[::3])
def test_an_answer_or_a_refusal_in_words_that_hold(name) -> None:
    """No traceback of another kind, no slip in a sentence, no verdict from nothing; for anybody who may see it."""
    change, asks = SWEEP[name]
    assert not faults(some(asks, list(SWEEP).index(name)), changed(whole(), change))


@pytest.mark.parametrize("name", SAID)
def test_whatever_was_agreed_beforehand(name) -> None:
    said, asks = SAID[name]
    assert not faults(some(asks, list(SAID).index(name)), changed(whole(), **said))


def over_by(day: date) -> Change:
    """What had happened by this day alone."""

    def change(tables: Tables) -> None:
        held, until = tables["outcomes"], pd.Timestamp(day)
        months = held["span"].fillna(1).astype("int64").to_numpy()
        last = (pd.PeriodIndex(held["period"], freq="M") + (months - 1)).end_time
        tables["outcomes"] = held[last.normalize() <= until].reset_index(drop=True)
        tables["events"] = tables["events"][tables["events"]["starts_on"] <= until].reset_index(drop=True)
        for name in ("costs", "benefits", "funding"):
            known = tables[name]["year"] <= financial_year(day)
            tables[name] = tables[name][known].reset_index(drop=True)

    return change


def came(ask: Ask, programme: Programme) -> tuple[str, ...]:
    try:
        found = ask(programme)
    except ek.NotEnoughEvidence as refused:
        return ("refused", refused.missing)
    return found.headline, found.reading, found.table.to_csv(), found.marks.to_csv(), found.method.name


@pytest.mark.parametrize("day", [date(2023, 12, 31), date(2025, 7, 15)])
def test_nothing_is_read_that_came_after_the_day_the_data_speak_of(day) -> None:
    """With all that came later in the tables, or without it: the same answer."""
    known, less = changed(whole(), as_of=day), changed(whole(), over_by(day), as_of=day)
    for name, ask in some(ALL, day.month).items():
        one, other = came(ask, known), came(ask, less)
        assert (one == other) or (one[0] == other[0] == "refused"), name


def test_before_anything_was_counted_every_question_is_refused() -> None:
    early = changed(whole(), as_of=date(2020, 1, 1))
    for ask in (SERIES | CHARTS | SPLIT | ASKED | MONEY).values():
        with pytest.raises(ek.NotEnoughEvidence):
            ask(early)


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        *((partial(getattr(room, name), measure="emergancy"), "No measure is called 'emergancy'. There are: avoid")
          for name in ("variation", "rates", "inequality", "life_expectancy", "funnel", "experience", "change",
                       "against", "too_early")),
        *((partial(ask, confidence=wrong), "between 0 and 1")
          for ask in (partial(room.rates, measure=ADMITTED), partial(room.change, measure=ADMITTED), room.indicators,
                      partial(room.against, measure=ADMITTED), partial(room.too_early, measure=ADMITTED),
                      room.experience)
          for wrong in (95, 0, 1, -0.5, float("nan"), "0.95", None)),
        *((partial(ask, period=wrong), f"period={wrong!r}")
          for ask in (partial(room.rates, measure=ADMITTED), partial(room.funnel, measure=ADMITTED), room.inequality,
                      room.life_expectancy, partial(room.experience, measure=CARE))
          for wrong in ("2024", "spring", 2024, "2024/25 Q5", "")),
        (partial(room.variation, measure=ADMITTED, chart="xbar"), "There are: xmr, p, p_prime, u, u_prime, c and run"),
        (partial(room.variation, measure=ADMITTED, chart="p"), "Of such figures there are: xmr, u, u_prime, c and run"),
        (partial(room.variation, measure=ADMITTED, rebase={"2024-13": "moved"}), "rebase: 2024-13 is no month of emer"),
        (partial(room.rates, measure=ADMITTED, by="ages"), "by='ages' is none of age_band, sex and quintile"),
        (partial(room.inequality, by="sex"), "by='sex': inequality is told by 'quintile'"),
        (partial(room.rates, measure=ADMITTED, standard="ESP2031"), "there are ESP1976, ESP2013"),
        (partial(room.life_expectancy, sex="women"), "sex='women' is none of female, male and persons"),
        (partial(room.value, discount="3.5%"), "There are: standard, health and sensitivity"),
        (partial(room.value, base_year="2025"), "base_year='2025' is no financial year"),
        (partial(room.value, base_year="2030/31"), "Give 2024/25 or an earlier year"),
        (partial(room.value, until=2024), "until=2024 is no financial year"),
        (partial(room.value, deflators={}), "There is no deflator for 2025/26"),
        (partial(room.value, deflators=PRICES, unit_values={ADMITTED: -5}), "its value must be above 0"),
        (partial(synthesis.found_by_others, level="teams"), "There are: individual, team, population, process and"),
    ],
)  # fmt: skip
def test_a_slip_in_what_is_asked_is_told_with_what_there_is(ask, says) -> None:
    """Never taken for something missing in the data, and never passed over."""
    with pytest.raises(ValueError, match=re.escape(says)) as wrong:
        ask(whole())
    assert not isinstance(wrong.value, ek.NotEnoughEvidence)


WRITTEN = {
    "a count below nought": ("-3,100", "column count", "0 or more"),
    "a count that is no number": ("many,100", "column count", "not a number"),
    "more than people": ("101,100", "column count, '101'", "larger than its denominator"),
    "out of nobody": ("0,0", "column denominator, '0'", "above 0"),
    "nothing at all": (",100", "column count", "neither a count nor a value"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
def test_what_cannot_be_is_refused_by_file_and_row(tmp_path, name) -> None:
    row, where, says = WRITTEN[name]
    (tmp_path / "places.csv").write_text("place_id,name,arm,start\nP1,Here,programme,2024-04-01\n", encoding="utf-8")
    (tmp_path / "outcomes.csv").write_text(
        f"measure,place_id,period,count,denominator\n{CARE},P1,2024-03,5,9\n{CARE},P1,2024-04,{row}\n",
        encoding="utf-8",
    )
    (tmp_path / "programme.toml").write_text('schema = 1\nname = "T"\nstarts_on = 2024-04-01\n', encoding="utf-8")
    with pytest.raises(ek.DataProblems, match=re.escape(says)) as wrong:
        ek.load(tmp_path)
    assert f"outcomes.csv, row 3, {where}" in str(wrong.value)


def test_a_series_read_beside_others_is_not_said_to_be_read_by_itself() -> None:
    """Too few places for a verdict on them: what is told is the ratio to the others, not their own past."""
    found = room.too_early(changed(whole(), only("P01", "P13", "P14", "P15")), measure=ADMITTED)
    assert "comparison places and their own past suggest" in found.parts[1][0].text


def test_one_side_of_the_start_is_told_by_its_month() -> None:
    for since, until_, side in (("2024-04-01", "2026-03-01", "before"), ("2021-04-01", "2024-03-01", "after")):
        programme = changed(whole(), until(until_, since))
        for ask in (SERIES["change"], SERIES["against"]):
            with pytest.raises(ek.NotEnoughEvidence, match=f"no figures from {side} the start in April 2024"):
                ask(programme)
