"""What was done, and of which kind?"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import circumstances, register, words
from evalkit.register import NOT_SAID, Window
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.terms import Design, Sign

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "What was done, and of which kind?"
METHOD = Method(
    name="Counts of sessions and of the time spent in them, by strand of theory and by the menu of interventions",
    source="AQuA, ten learning points, Figure 1 (four strands of theory); Developing Systems Leadership: "
    "Interventions, Options and Opportunities (menu of 21 in four columns).",
    assumes="The log of sessions is complete; a leader whom attendance does not show as present was there for no time; "
    "whoever has no minutes of their own stayed for the whole session.",
    design=Design.DESCRIBED,
)
BLANK_RULE = "a strand of theory on which no session drew: uncertain"
"""What a blank in the offer looks like (a judgement: it may be meant)."""
STRAND, COLUMN, MENU, EVERYTHING, ADAPTED = "strand", "column of the menu", "menu", "everything", "adaptations"
"""What cuts the rows: the values of the column `by`."""
HOURS = "Person-hours received"
QUARTERS = {0.25: "lower quarter", 0.5: "median", 0.75: "upper quarter"}


def delivery(programme: Programme, *, since: date | None = None, until: date | None = None) -> Result:
    """What was done, and of which kind?

    Needs: `sessions`; `attendance`, `participants`, `interventions`, `adaptations` where they are kept. Sessions held
    from `since` to `until`, by strand of theory and by the menu of interventions; a strand with no session is shown as
    0. Time received is each person's minutes where they were noted, else the hours of the session. Table extras:
    n_of, by (what cuts the rows), for_all (sessions for everybody, the others being for one team or place), noted (% of
    attendances with minutes of their own), planned, out_of, sign and ask.
    What would mislead: hours say how much was offered, not whether it was any good.
    Errors: `NotEnoughEvidence` when no session was recorded.

    >>> import evalkit as ek
    >>> found = delivery(ek.load("sample_data/northmere"))
    >>> found.headline
    '16 sessions, on 4 of 4 strands of theory and 6 of 21 kinds of the menu'
    """
    if not programme.has("sessions"):
        raise register.not_recorded(
            QUESTION, "No session was recorded.", "sessions.csv: one row a session, with its day, hours and kind."
        )
    offer = _offer(programme, register.window(programme, since, until))
    rows = [*_everything(offer), *_by_strand(offer), *_by_menu(offer), *_planned(offer), *_adapted(offer)]
    table = register.table(_once(rows, programme.minimum_group), extras=("by", "for_all", "noted", "planned"))
    headline = _headline(table)
    drawn = table.index[(table["measure"] == "Sessions held") & table["by"].isin([STRAND, COLUMN])]
    marks = register.bars(
        table, drawn, by="group", headline=headline.text,
        subtitle=f"Sessions held, by strand of theory and by column of the menu, {programme.title}, "
        f"{offer.window.words}",
    )  # fmt: skip
    return register.counted(
        programme, f"process.delivery({offer.window.asked})", question=QUESTION, headline=headline,
        sentences=_sentences(offer, table), table=table, marks=marks.assign(n=float("nan")), method=METHOD,
        cautions=_cautions(offer, table), n=len(offer.held), of=None, counts="sessions",
    )  # fmt: skip


def received(programme: Programme, sessions: pd.DataFrame) -> pd.DataFrame:
    """What those who came to these sessions received: a row a session and person, with `hours` and `noted`.

    Their own minutes where somebody `noted` them, else the hours of the session; missing where neither is known.
    """
    came = programme.attendance[programme.attendance["status"] == "attended"]
    found = came.merge(sessions[["session_id", "hours"]], on="session_id")
    own = pd.Series(found["minutes"].to_numpy(dtype=float, na_value=float("nan")) / 60, index=found.index)
    return found.assign(hours=own.fillna(found["hours"]), noted=own.notna())[
        ["session_id", "person_id", "hours", "noted"]
    ]


def per_leader(programme: Programme, got: pd.DataFrame) -> pd.Series[float]:
    """Hours each leader taking part received; missing where one of their sessions has no known length."""
    leaders = circumstances.taking_part(programme)["participant_id"]
    hours = got.groupby("person_id")["hours"].agg(lambda held: held.sum(skipna=False))
    return hours.reindex(leaders, fill_value=0.0).astype(float)


@dataclass(frozen=True, slots=True)
class Offer:
    """What was held in the window, what of it people received, and what was planned."""

    programme: Programme
    window: Window
    held: pd.DataFrame
    got: pd.DataFrame
    leaders: frozenset[str]
    kept: frozenset[str]
    """The sessions of which anybody's attendance was written down."""


def _once(rows: list[dict[str, Any]], minimum: int) -> list[dict[str, Any]]:
    """The rows, with hours received by kind only where very few came to one, or did not: hours of a column, less those
    of the other kinds in it, would tell who came to that one."""
    by_kind = [row for row in rows if row["measure"] == HOURS and row["by"] == MENU and row["n"]]
    if not any(0 < few < minimum for row in by_kind for few in (row["n"], row["out_of"] - row["n"])):
        return rows
    return [row for row in rows if row["measure"] != HOURS or row["by"] not in (COLUMN, STRAND)]


def _offer(programme: Programme, window: Window) -> Offer:
    sessions = programme.sessions
    held = sessions[window.holds(sessions["held_on"])]
    kept = frozenset(held["session_id"]) & frozenset(programme.attendance["session_id"])
    leaders = frozenset(circumstances.taking_part(programme)["participant_id"])
    return Offer(programme, window, held, received(programme, held), leaders, kept)


def _counts(offer: Offer, group: str, by: str, held: pd.DataFrame, planned: str = "") -> list[dict[str, Any]]:
    """The rows of some sessions: how many, how long, how much of it people received, and how many leaders came."""
    nothing: dict[str, Any] = {"by": by, "for_all": float("nan"), "noted": float("nan"), "planned": planned}
    for_all = int((held["team_id"].isna() & held["place_id"].isna()).sum())
    rows = [
        register.row("Sessions held", group, n=len(held), unit="sessions", n_of="sessions",
                     **{**nothing, "for_all": for_all}),
        register.row("Hours held", group, n=int(held["hours"].notna().sum()), unit="hours", n_of="sessions",
                     estimate=_total(held["hours"]), **nothing),
    ]  # fmt: skip
    if not offer.kept:
        return rows
    got = offer.got[offer.got["session_id"].isin(held["session_id"])]
    told = held.empty or bool(set(held["session_id"]) & offer.kept)
    noted = 100 * float(got["noted"].mean()) if len(got) else float("nan")
    rows.append(
        register.row(HOURS, group, n=got["person_id"].nunique() if told else None, unit="hours",
                     n_of="people", estimate=_total(got["hours"]) if told else float("nan"),
                     out_of=len({*got["person_id"], *offer.leaders}) if told else None,
                     **{**nothing, "noted": noted})
    )  # fmt: skip
    if offer.leaders and told:
        came = len(set(got["person_id"]) & offer.leaders)
        rows.append(register.share("Leaders who came", group, came, len(offer.leaders), of="leaders taking part",
                                   n_of="leaders", **nothing))  # fmt: skip
    return rows


def _total(hours: pd.Series[float]) -> float:
    """The hours that are known; not known where none is, and 0 only of nothing."""
    return 0.0 if hours.empty else float(hours.sum(min_count=1))


def _everything(offer: Offer) -> list[dict[str, Any]]:
    """Everything held, and what a leader in the middle received of it."""
    rows = _counts(offer, ALL, EVERYTHING, offer.held)
    if not offer.kept or not offer.leaders:
        return rows
    hours = per_leader(offer.programme, offer.got).dropna()
    said: dict[str, Any] = {"by": EVERYTHING, "for_all": float("nan"), "noted": float("nan"), "planned": ""}
    for part, name in QUARTERS.items() if len(hours) else ():
        rows.append(register.row(f"Hours a leader received, {name}", ALL, n=len(hours), unit="hours", n_of="leaders",
                                 estimate=float(hours.quantile(part)), **said))  # fmt: skip
    return rows


def _by_strand(offer: Offer) -> list[dict[str, Any]]:
    """The strands of theory, in the order of their menu; the row of all of them asks about a blank."""
    strands, drew = offer.programme.menus["theories"].labels, offer.held["theory"]
    rows = [found for key, label in strands.items() for found in _counts(offer, label, STRAND, offer.held[drew == key])]
    if drew.isna().any():
        rows += _counts(offer, NOT_SAID, STRAND, offer.held[drew.isna()])
    blank = [label for key, label in strands.items() if key not in set(drew)]
    whole = register.share("Strands with a session", ALL, len(strands) - len(blank), len(strands),
                           of="strands of theory", n_of="strands", by=STRAND, for_all=float("nan"),
                           noted=float("nan"), planned="")  # fmt: skip
    if not blank:
        return [whole, *rows]
    named = words.listed([f"{label[:1].lower()}{label[1:]}" for label in blank])
    ask = f"No session drew on {named} ({len(blank)} of {len(strands)} strands of theory): is that as we want?"
    return [register.signed(whole, Sign.UNCERTAIN, ask), *rows]


def _by_menu(offer: Offer) -> list[dict[str, Any]]:
    """The columns of the menu, then each kind on it: all that were held, and 0 sessions of the others."""
    menu, kind = offer.programme.menus["interventions"], offer.held["intervention"]
    column = kind.map({entry.key: entry.group for entry in menu.entries})
    named = {**menu.groups, **({"": "no column"} if any(not entry.group for entry in menu.entries) else {})}
    rows = [found for key, label in named.items() for found in _counts(offer, label, COLUMN, offer.held[column == key])]
    planned, plan_kept = _plan(offer), offer.programme.has("interventions")
    for entry in menu.entries:
        said = ("planned" if entry.key in planned else "not planned") if plan_kept else ""
        held = offer.held[kind == entry.key]
        rows += _counts(offer, entry.label, MENU, held, said)[: None if len(held) else 1]
    if kind.isna().any():
        rows += _counts(offer, NOT_SAID, MENU, offer.held[kind.isna()])
    return rows


def _plan(offer: Offer) -> set[str]:
    """The kinds on the menu that were planned by the end of the window; a plan without a day counts."""
    plans = offer.programme.interventions
    known = ~(plans["agreed_on"] > pd.Timestamp(offer.window.until))
    return set(plans.loc[known, "menu_code"].dropna())


def _planned(offer: Offer) -> list[dict[str, Any]]:
    """How the offer compares with the menu and with the plan."""
    said: dict[str, Any] = {"by": MENU, "for_all": float("nan"), "noted": float("nan"), "planned": ""}
    labels = offer.programme.menus["interventions"].labels
    planned, held = _plan(offer), set(offer.held["intervention"].dropna())
    kinds = register.share("Kinds of the menu held", ALL, len(held), len(labels), of="kinds of the menu",
                           n_of="interventions", **said)  # fmt: skip
    if not offer.programme.has("interventions"):
        return [kinds]
    missed = [label for key, label in labels.items() if key in planned - held]
    both = register.share("Planned and held", ALL, len(planned & held), len(planned), of="kinds planned",
                          n_of="interventions", **said)  # fmt: skip
    if missed:
        ask = (
            f"{len(missed)} of {words.counted(len(planned), 'kind')} planned ({words.listed(missed)}) had no session: "
            "which do we still want?"
        )
        both = register.signed(both, register.sign_of(len(planned & held), len(planned)), ask)
    extra = register.row("Held and not planned", ALL, n=len(held - planned), unit="kinds of the menu",
                         n_of="interventions", **said)  # fmt: skip
    return [kinds, both, extra]


def _adapted(offer: Offer) -> list[dict[str, Any]]:
    """The register of adaptations: technical or cultural, and whether the core was kept. Empty is not recorded."""
    said: dict[str, Any] = {"by": ADAPTED, "for_all": float("nan"), "noted": float("nan"), "planned": ""}
    said |= {"unit": "adaptations", "n_of": "adaptations"}
    if not offer.programme.has("adaptations"):
        nothing = register.row("Adaptations", ALL, n=None, **said)
        ask = "No adaptation was written down: was everything taken over as it came, or did nobody note it?"
        return [register.signed(nothing, Sign.NOT_RECORDED, ask)]
    found = _adaptations(offer)
    rows = [register.row("Adaptations", ALL, n=len(found), **said)]
    kinds = found["kind"].fillna(NOT_SAID)
    kept = found["core_kept"].map({True: "yes", False: "no"}).fillna(NOT_SAID)
    for measure, groups, answers in (
        ("Adaptations by kind", ("cultural", "technical", NOT_SAID), kinds),
        ("Core kept", ("yes", "no", NOT_SAID), kept),
    ):
        rows += [register.row(measure, group, n=int((answers == group).sum()), **said) for group in groups]
    return rows


def _adaptations(offer: Offer) -> pd.DataFrame:
    """Those of the window; one without a day counts only where the whole log is asked about."""
    found = offer.programme.adaptations
    whole = offer.window.since is None and offer.window.until == offer.programme.as_of
    return found[offer.window.holds(found["adapted_on"]) | (found["adapted_on"].isna() & whole)]


def _found(table: pd.DataFrame, measure: str, *groups: str) -> dict[int, dict[Hashable, Any]]:
    """The rows of a measure, by where they stand; of everything unless groups are named."""
    rows = table[(table["measure"] == measure) & table["group"].isin(groups or (ALL,))]
    return {int(at): held for at, held in zip(rows.index.tolist(), rows.to_dict("records"), strict=True)}


def _headline(table: pd.DataFrame) -> Sentence:
    rows: dict[int, dict[Hashable, Any]] = {}
    for name in ("Sessions held", "Strands with a session", "Kinds of the menu held"):
        rows |= _found(table, name)
    sessions, strands, kinds = rows.values()
    return Sentence(
        f"{words.counted(sessions['n'], 'session')}, on {words.of(strands['n'], strands['out_of'])} strands of theory "
        f"and {words.of(kinds['n'], kinds['out_of'])} kinds of the menu",
        rows=tuple(rows),
    )


def _sentences(offer: Offer, table: pd.DataFrame) -> list[Sentence]:
    """What was held; of which strand; what leaders received; what was adapted."""
    known = words.number(table["estimate"].iloc[1], 1)
    held = f"{words.sentence_case(words.counted(len(offer.held), 'session'))} {offer.window.words}"
    length = f"{known} hours in all" if len(offer.held) else "so no hours"
    strands = table[(table["measure"] == "Sessions held") & (table["by"] == STRAND)]
    named = [f"{group} {n}" for group, n in zip(strands["group"], strands["n"], strict=True)]
    said = [
        Sentence(f"{held}: {length}.", rows=(0, 1)),
        Sentence(f"Sessions by strand of theory: {words.listed(named)}.", rows=tuple(strands.index)),
    ]
    return [*said, *_said_of_leaders(table), _said_of_plan(table)]


def _said_of_leaders(table: pd.DataFrame) -> list[Sentence]:
    """How many leaders came, and the hours of the middle half of them."""
    came = _found(table, "Leaders who came")
    quarters: dict[int, dict[Hashable, Any]] = {}
    for name in QUARTERS.values():
        quarters |= _found(table, f"Hours a leader received, {name}")
    if not came or not quarters:
        return []
    (all_of_them,) = came.values()
    low, middle, high = (words.number(held["estimate"], 1) for held in quarters.values())
    return [
        Sentence(
            f"{words.of(all_of_them['n'], all_of_them['out_of'])} leaders came; the one in the middle received {middle}"
            f" hours, and the middle half {low} to {high}.",
            rows=(*came, *quarters),
        )
    ]


def _said_of_plan(table: pd.DataFrame) -> Sentence:
    """What was planned and held, and what was adapted; what nobody wrote down is said to be so."""
    both, extra = _found(table, "Planned and held"), _found(table, "Held and not planned")
    plan = "What was planned is not recorded"
    for held, more in zip(both.values(), extra.values(), strict=True):
        due = words.counted(held["out_of"], "planned kind")
        beside = f", and {words.counted(more['n'], 'kind')} not planned had one too" if more["n"] else ""
        plan = f"{held['n']} of {due} had a session{beside}"
    adapted = _found(table, "Adaptations")
    (number,) = (held["n"] for held in adapted.values())
    if pd.isna(number):
        return Sentence(f"{plan}; adaptations are not recorded.", rows=(*both, *extra, *adapted))
    if number == 0:
        return Sentence(f"{plan}; no adaptation is on record for this time.", rows=(*both, *extra, *adapted))
    kinds = _found(table, "Adaptations by kind", "technical", "cultural")
    core = _found(table, "Core kept", "yes", "no")
    named = [f"{held['n']} {held['group']}" for held in kinds.values()]
    kept, lost = (held["n"] for held in core.values())
    return Sentence(
        f"{plan}; {words.counted(number, 'adaptation')}, {words.listed(named)}, with the core kept in {kept} and not in"
        f" {lost}.",
        rows=(*both, *extra, *adapted, *kinds, *core),
    )


def _cautions(offer: Offer, table: pd.DataFrame) -> list[Sentence]:
    """What is not known, what was for some only, and what the signs rest on."""
    held, got = offer.held, offer.got
    said = ["Hours say how much was offered and received, not whether it was any use."]
    some = _for_some(offer)
    if some:
        said.append(f"{words.of(some, len(held))} sessions were for one team or place: few who came to them are not "
                    "few of those they were for.")  # fmt: skip
    if not offer.kept:
        said.append("Who came was not recorded.")
    elif len(offer.kept) < len(held):
        said.append(f"Who came was recorded for {words.of(len(offer.kept), len(held))} sessions; of the others it is "
                    "not known.")  # fmt: skip
    for what, unknown in (("length", held["hours"].isna()), ("strand", held["theory"].isna()),
                          ("kind", held["intervention"].isna())):  # fmt: skip
        if unknown.any():
            said.append(f"The {what} of {words.of(int(unknown.sum()), len(held))} sessions is not recorded.")
    if len(got):
        said.append(_noted(int(got["noted"].sum()), len(got)))
    if got["hours"].isna().any():
        said.append(f"How long {words.of(int(got['hours'].isna().sum()), len(got))} attendances lasted is not known; "
                    "leaders among them are left out of the middle.")  # fmt: skip
    return [Sentence(text) for text in [*said, *_doubts(offer, table)]]


def _noted(n: int, attendances: int) -> str:
    """Whose minutes were noted, and what stands for those of whom they were not."""
    if n == attendances:
        return "Each person's own minutes were noted, and are what is counted."
    if n == 0:
        return "Nobody's own minutes were noted: whoever came counts for the whole session."
    share = words.of(n, attendances)
    return f"Minutes of their own were noted for {share} attendances; the others count for the whole session."


def _for_some(offer: Offer) -> int:
    """How many sessions were for one of several teams or places; where there is only one it was for everybody."""
    places = set(offer.programme.places["place_id"]) - circumstances.comparison_places(offer.programme)
    one_team = offer.held["team_id"].notna() & (len(offer.programme.teams) > 1)
    return int((one_team | (offer.held["place_id"].notna() & (len(places) > 1))).sum())


def _doubts(offer: Offer, table: pd.DataFrame) -> list[str]:
    """About plans and adaptations, and the rules of the signs."""
    said = []
    off = int(offer.programme.interventions["menu_code"].isna().sum())
    if off:
        said.append(f"{words.counted(off, 'intervention')} planned without a place on the menu: whether they were held "
                    "cannot be told.")  # fmt: skip
    undated = int(offer.programme.adaptations["adapted_on"].isna().sum())
    counted = int(_adaptations(offer)["adapted_on"].isna().sum())
    if undated > counted:
        said.append(f"{words.counted(undated, 'adaptation')} without a day left out of this time.")
    if offer.kept and not ((table["measure"] == HOURS) & (table["by"] == STRAND)).any():
        said.append("Hours received are given by kind only: cut in other ways too, they would tell of very few people.")
    signed = set(table.loc[table.get("sign", pd.Series("", index=table.index)) != "", "measure"])
    if "Planned and held" in signed:
        said.append(f"The sign of what was planned: {register.SIGN_RULE}; nobody wrote by when each was to be held.")
    if "Strands with a session" in signed:
        said.append(f"The sign of the strands: {BLANK_RULE}.")
    return said
