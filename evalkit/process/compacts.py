"""Is what was promised kept?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.terms import Design, Sign

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "Is what was promised kept?"
METHOD = Method(
    name="Promises due by whether they were kept, and points taken up by whether they were decided on and done",
    source="AQuA, ten learning points: a compact between programme and participants, participants with each other, "
    "participants and sponsors. The King's Fund 2014: what is agreed in partnership meets other pressures back home.",
    assumes="Whoever noted that a promise was kept would be believed by the other side too.",
    design=Design.DESCRIBED,
)
KINDS = ("participants_and_sponsors", "participants_with_each_other", "programme_and_participants")
IN_TIME, LATE, NO_DAY_SAID, NOT_KEPT, NOT_KNOWN = STATES = (
    "Kept in time", "Kept late", "Kept, day not recorded", "Not kept", "Not known",
)  # fmt: skip
"""Where a promise that is due can stand."""
DRAWN = (NOT_KEPT, NOT_KNOWN, NO_DAY_SAID, LATE, IN_TIME)
"""The pieces of a bar, from one end to the other."""
KEPT = (IN_TIME, LATE, NO_DAY_SAID)
NOT_DUE, NO_DAY = "Not yet due", "Promised without a day"
DONE_IN_TIME, DONE_LATE, OPEN = ACTED = ("Decisions done in time", "Decisions done late", "Decisions still open")
AGES = ((0, 3), (3, 6), (6, 12), (12, None))
"""Months since a promise was agreed, from and to."""
REPEATED = 2
"""A reason given in the same words this often stands by itself; one given once could tell who gave it (judgement)."""
SIGNS = f"{register.SIGN_RULE}; where it turns on promises of which nobody can tell: uncertain"


@dataclass(frozen=True, slots=True)
class _Log:
    """Promises and signals taken up that the window speaks of, each with its state and none with its parties."""

    programme: Programme
    window: register.Window
    promises: pd.DataFrame
    actions: pd.DataFrame
    recorded: bool

    @property
    def due(self) -> pd.DataFrame:
        """The promises that fell due in the window."""
        return self.promises[self.promises["state"].isin(STATES)]

    def count(self, *states: str) -> int:
        """How many promises stand there."""
        return int(self.promises["state"].isin(states).sum())


def compacts(programme: Programme, *, since: date | None = None, until: date | None = None) -> Result:
    """Is what was promised kept?

    Needs: `compacts`; `actions` for what became of decisions back home. Due is what was to be done by a day from
    `since` to `until`; what was kept or done after `until` counts as not kept or open by then. A promise of which
    nobody can tell stays among those due. What goes on without a day is counted apart. Who promised is never shown: it
    may be a person. Errors: `NotEnoughEvidence` when no promise was recorded.

    >>> import evalkit as ek
    >>> compacts(ek.load("sample_data/northmere")).about.counts
    'promises due'
    """
    log = _log(programme, register.window(programme, since, until))
    table = _table(log)
    measures = table["measure"].where(table["group"] == ALL).tolist()
    at = {measure: place for place, measure in enumerate(measures) if isinstance(measure, str)}
    due, kept = len(log.due), log.count(*KEPT)
    headline = Sentence(
        f"{words.of(kept, due)} promises due were kept" if due else "No promise was due", rows=(at["Kept"],)
    )
    return register.counted(
        programme,
        f"process.compacts({log.window.asked})",
        question=QUESTION,
        headline=headline,
        sentences=_sentences(log, table, at),
        table=table,
        marks=_marks(log, table, headline.text),
        method=METHOD,
        cautions=_cautions(log),
        n=kept,
        of=due,
        counts="promises due",
        chart="shares",
    )


def _log(programme: Programme, window: register.Window) -> _Log:
    promises, actions = programme.compacts, programme.actions
    if promises.empty:
        raise register.not_recorded(
            QUESTION,
            "No promise was written down.",
            "compacts.csv: one row a promise, with its kind, who promised what to whom, the day it was agreed and the "
            "day it is due; whether it was kept is added when both sides know.",
        )
    compared = circumstances.comparison_places(programme)
    home = actions["team_id"].map(programme.teams.set_index("team_id")["place_id"])
    home = actions["place_id"].fillna(home.astype(actions["place_id"].dtype))
    ours = actions[~home.isin(compared)]
    promised = [_state(row, window) for row in promises.to_dict("records")]
    acted = [_acted(row, window) for row in ours.to_dict("records")]
    stated = promises.assign(state=pd.Series(promised, index=promises.index, dtype="str"))
    return _Log(
        programme, window, stated[stated["state"] != ""],
        ours.assign(state=pd.Series(acted, index=ours.index, dtype="str")), not ours.empty,
    )  # fmt: skip


def _fallen(due: Any, window: register.Window) -> str | None:
    """Why a day is not counted as due: it is missing, it is to come, it lies before the window; None when it is due."""
    if pd.isna(due):
        return NO_DAY
    if due > pd.Timestamp(window.until):
        return NOT_DUE
    return "" if window.since is not None and due < pd.Timestamp(window.since) else None


def _state(promise: Mapping[Any, Any], window: register.Window) -> str:
    """Where a promise stands on the last day of the window."""
    other, met, on = _fallen(promise["due_on"], window), promise["met"], promise["met_on"]
    if promise["agreed_on"] > pd.Timestamp(window.until):
        return ""
    if other is not None:
        return other
    if pd.isna(met):
        return NOT_KNOWN
    if not met or on > pd.Timestamp(window.until):  # a missing day lies after nothing
        return NOT_KEPT
    if pd.isna(on):
        return NO_DAY_SAID
    return LATE if on > promise["due_on"] else IN_TIME


def _acted(action: Mapping[Any, Any], window: register.Window) -> str:
    """Where a decision stands on the last day of the window; nothing when there was none, or it is not due then."""
    if pd.isna(action["decision"]) or action["decided_on"] > pd.Timestamp(window.until):
        return ""
    if _fallen(action["due_on"], window) is not None:
        return ""
    if pd.isna(action["done_on"]) or action["done_on"] > pd.Timestamp(window.until):
        return OPEN
    return DONE_LATE if action["done_on"] > action["due_on"] else DONE_IN_TIME


def _table(log: _Log) -> pd.DataFrame:
    """Rows for all promises, each kind, time since agreed and reason; then decisions. Extra: by, what groups are."""
    rows = _promised(log.promises, ALL, "everything")
    rows[0] = _signed(log, rows[0])
    without = log.promises[log.promises["state"] == NO_DAY]
    known = without["met"].fillna(False).astype(bool) & ~(without["met_on"] > pd.Timestamp(log.window.until))
    told = int(known.sum())
    rows.append(
        register.share(
            "Kept, of those without a day", ALL, told, len(without), of="promises without a day", n_of="promises",
            by="everything",
        )
    )  # fmt: skip
    for kind in KINDS:
        rows += _promised(log.promises[log.promises["kind"] == kind], words.plain(kind), "kind")
    rows += [*_by_age(log), *_reasons(log), *_decisions(log)]
    return register.table(rows, extras=("by",))


def _promised(members: pd.DataFrame, group: str, by: str) -> list[dict[str, Any]]:
    n = members["state"].value_counts()
    due = int(members["state"].isin(STATES).sum())
    shared: dict[str, Any] = {"of": "promises due", "n_of": "promises", "by": by}
    rows = [register.share("Kept", group, int(members["state"].isin(KEPT).sum()), due, **shared)]
    rows += [register.share(state, group, int(n.get(state, 0)), due, **shared) for state in STATES]
    counted: dict[str, Any] = {"unit": "promises", "n_of": "promises", "by": by}
    return [*rows, *(register.row(state, group, n=int(n.get(state, 0)), **counted) for state in (NOT_DUE, NO_DAY))]


def _by_age(log: _Log) -> list[dict[str, Any]]:
    """Kept of those due, by months since they were agreed."""
    due, until = log.due, pd.Timestamp(log.window.until)
    rows = []
    for young, old in AGES:
        aged = due["agreed_on"] <= until - pd.DateOffset(months=young)
        if old is not None:
            aged &= due["agreed_on"] > until - pd.DateOffset(months=old)
        group = f"over {young} months ago" if old is None else f"{young} to {old} months ago"
        kept = int(due.loc[aged, "state"].isin(KEPT).sum())
        rows.append(
            register.share(
                "Kept, by time since agreed", group, kept, int(aged.sum()), of="promises due", n_of="promises",
                by="time since agreed",
            )
        )  # fmt: skip
    return rows


def _reasons(log: _Log) -> list[dict[str, Any]]:
    """How often a reason is given for what was not kept, or kept late; those given in the same words by themselves."""
    failed = log.due[log.due["state"].isin((NOT_KEPT, LATE))]
    given: dict[str, Any] = {"of": "promises not kept or kept late", "n_of": "promises"}
    said = failed["reason"].dropna().str.strip()
    rows = [register.share("With a reason", ALL, len(said), len(failed), by="everything", **given)]
    often = said.value_counts()
    repeated = sorted(often[often >= REPEATED].items(), key=lambda told: (-told[1], str(told[0])))
    named = [(str(reason), int(n)) for reason, n in repeated]
    once = len(said) - sum(n for _, n in named)
    named += [("a reason given once", once)] if once else []
    return rows + [register.share("Reason given", why, n, len(failed), by="reason", **given) for why, n in named]


def _decisions(log: _Log) -> list[dict[str, Any]]:
    """What became of signals that were taken up: raised and decided in the window, and what of the decisions due."""
    if not log.recorded:
        return []
    actions = log.actions
    raised = actions[log.window.holds(actions["raised_on"])]
    decided = raised["decision"].notna() & ~(raised["decided_on"] > pd.Timestamp(log.window.until))
    state = actions["state"].value_counts()
    due = int(actions["state"].isin(ACTED).sum())
    done = int(actions["state"].isin((DONE_IN_TIME, DONE_LATE)).sum())
    shared: dict[str, Any] = {"of": "decisions due", "n_of": "actions", "by": "everything"}
    followed = register.share("Decisions done", ALL, done, due, **shared)
    no_day = int((decided & raised["due_on"].isna()).sum())
    counted: dict[str, Any] = {"n_of": "actions", "by": "everything"}
    return [
        register.row("Points taken up", ALL, n=len(raised), unit="actions", **counted),
        register.share("Points decided on", ALL, int(decided.sum()), len(raised), of="points taken up", **counted),
        _followed(followed, done, due),
        *(register.share(name, ALL, int(state.get(name, 0)), due, **shared) for name in ACTED),
        register.row("Decisions without a day", ALL, n=no_day, unit="actions", **counted),
    ]


def _signed(log: _Log, row: dict[str, Any]) -> dict[str, Any]:
    due, kept, unknown = len(log.due), log.count(*KEPT), log.count(NOT_KNOWN)
    if not due:
        return row
    broken, sign = log.count(NOT_KEPT), register.sign_of(kept, due)
    if sign is Sign.NOT_WORKING and register.sign_of(kept + unknown, due) is not Sign.NOT_WORKING:
        sign = Sign.UNCERTAIN
    if kept == due:
        ask = f"All that was due was kept ({words.counted(due, 'promise')}): what do we want to promise next?"
        return register.signed(row, sign, ask)
    untold = f", and of {unknown} nobody can tell" if unknown else ""
    were = "was" if broken == 1 else "were"
    ask = f"Of {words.counted(due, 'promise')} due, {broken} {were} not kept{untold}: which do we still want?"
    return register.signed(row, sign, ask)


def _followed(row: dict[str, Any], done: int, due: int) -> dict[str, Any]:
    if not due:
        return row
    left = due - done
    ask = (
        f"Of {words.counted(due, 'decision')} due, {left} {'is' if left == 1 else 'are'} not done: "
        "what do we still want to do?"
        if left
        else f"All that was due was done ({words.counted(due, 'decision')}): do those who raised the points know?"
    )
    return register.signed(row, register.sign_of(done, due), ask)


def _sentences(log: _Log, table: pd.DataFrame, at: dict[str, int]) -> list[Sentence]:
    n, due = {state: log.count(state) for state in STATES}, len(log.due)
    apart = f"{log.count(NOT_DUE)} not yet due, {log.count(NO_DAY)} without a day"
    rest = (at[NOT_DUE], at[NO_DAY])
    if not due:
        text = f"No promise was due, {log.window.words}; of {len(log.promises)} on record, {apart}."
        return [Sentence(text, rows=(at["Kept"], *rest)), *_back_home(log, table, at)]
    unsaid = f", {n[NO_DAY_SAID]} on a day not recorded" if n[NO_DAY_SAID] else ""
    first = Sentence(
        f"{words.of(log.count(*KEPT), due)} promises due were kept, {log.window.words}: {n[IN_TIME]} in time, "
        f"{n[LATE]} late{unsaid}; {n[NOT_KEPT]} not kept, and of {n[NOT_KNOWN]} nobody can tell.",
        rows=tuple(at[name] for name in ("Kept", *STATES)),
    )
    kinds = table[(table["by"] == "kind") & (table["measure"] == "Kept") & (table["out_of"] > 0)]
    told = [f"{row['group']} {words.of(row['n'], row['out_of'])}" for row in kinds.to_dict("records")]
    by_kind = Sentence(f"Kept, by kind: {', '.join(told)}.", rows=tuple(map(int, kinds.index)))
    later = [Sentence(f"Beside these: {apart}.", rows=rest)] if log.count(NOT_DUE, NO_DAY) else []
    return [first, by_kind, *later, *_back_home(log, table, at)]


def _back_home(log: _Log, table: pd.DataFrame, at: dict[str, int]) -> list[Sentence]:
    if not log.recorded:
        return []
    n = {name: int(table["n"][place]) for name, place in at.items() if pd.notna(table["n"][place])}
    if not n["Points taken up"] and pd.isna(table["estimate"][at["Decisions done"]]):
        return []
    text = (
        f"Back home, {words.of(n['Points decided on'], n['Points taken up'])} points taken up were decided on; "
        f"{words.of(n['Decisions done'], int(table['out_of'][at['Decisions done']]))} decisions due were done, "
        f"{n[DONE_LATE]} of them late."
    )
    rows = ("Points taken up", "Points decided on", "Decisions done", DONE_LATE)
    return [Sentence(text, rows=tuple(at[name] for name in rows))]


def _marks(log: _Log, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A bar for all and for each kind with promises due, in pieces by where they stand."""
    seen = [state for state in DRAWN if log.count(state)]
    held = table[table["by"].isin(("everything", "kind")) & table["measure"].isin(seen) & (table["out_of"] > 0)]
    held = held.iloc[held["measure"].map(seen.index).argsort(kind="stable")]  # groups stay in their order
    drawn = [
        {"mark": "share", "x": words.sentence_case(row["group"]), "series": row["measure"], "y": row["estimate"],
         "row": at, "label": f"{row['n']}"}
        for at, row in held.to_dict("index").items()
    ]  # fmt: skip
    subtitle = f"Promises due, {log.window.words}, {log.programme.title}"
    return charts.marks(drawn, headline=headline, subtitle=subtitle, x_axis="% of promises due")


def _cautions(log: _Log) -> list[Sentence]:
    said = ["Whether a promise was kept is what one side wrote down; promises are of unequal weight."]
    if not log.recorded:
        said.append("What became of points and decisions back home was not recorded.")
    if log.count(NOT_KNOWN):
        said.append("Promises of which nobody can tell stay among those due, and are counted as neither.")
    if len(log.due):
        said.append(f"The sign rests on what was due ({SIGNS}).")
    said.append("A reason given once is counted and not shown; who promised is never shown.")
    if log.window.since is not None:
        said.append("What fell due before the first day is not counted.")
    return [Sentence(text) for text in said]
