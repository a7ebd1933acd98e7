"""What was reached of what was planned?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import circumstances, register, words
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.terms import Design, Sign

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "What was reached of what was planned?"
METHOD = Method(
    name="Milestones by whether they were reached by their day, and days between the day planned and the day reached",
    source="The King's Fund 2014, Living Longer Living Better in Manchester: care models, business cases and coverage "
    "as milestones; AQuA, ten learning points: process measures related to locality changes.",
    assumes="Days planned were not moved afterwards; a milestone counts one, however much there is in it.",
    design=Design.DESCRIBED,
)
ON_TIME, LATE, PAST, EARLY, NOT_DUE, NO_DAY = STATES = (
    "Reached on time", "Reached late", "Past its day and not reached", "Not due yet, and reached", "Not due yet",
    "No day planned",
)  # fmt: skip
"""Where a milestone can stand on the last day of the window."""
DUE = (ON_TIME, LATE, PAST)
REACHED = "Reached, of those due"
TARGET = "Share of target reached"
MOST_UNITS = 3
"""With more kinds of figure than this the sentence would be too long; the table holds them all (a judgement)."""
"""The places that did not agree to be named, together."""


@dataclass(frozen=True, slots=True)
class _Log:
    """The programme's milestones that the window speaks of, each with its state, its kind and its place in words."""

    programme: Programme
    window: register.Window
    milestones: pd.DataFrame
    elsewhere: int

    def count(self, *states: str) -> int:
        """How many stand there."""
        return int(self.milestones["state"].isin(states).sum())


def milestones(programme: Programme, *, since: date | None = None, until: date | None = None) -> Result:
    """What was reached of what was planned?

    Needs: `milestones`; `places` for their names, and for those only compared with, which are left out. Due is what was
    planned for a day from `since` to `until`; what was reached after `until` counts as not reached by then. A day later
    than planned is late. What has no day, or is not due yet, is counted apart. The share of a target is the figure
    reached so far out of the target, more taken as nearer. Errors: `NotEnoughEvidence` when no milestone was recorded.

    >>> import evalkit as ek
    >>> milestones(ek.load("sample_data/northmere")).about.counts
    'milestones due'
    """
    log = _log(programme, register.window(programme, since, until))
    table = _table(log)
    due, reached = log.count(*DUE), log.count(ON_TIME, LATE)
    measures = table["measure"].where(table["group"] == ALL).tolist()
    at = {measure: place for place, measure in enumerate(measures) if isinstance(measure, str)}
    headline = Sentence(
        f"{words.of(reached, due)} milestones due were reached, {log.count(ON_TIME)} of them on time"
        if due
        else "No milestone was due",
        rows=(at[REACHED], at[ON_TIME]),
    )
    subtitle = f"Milestones by where they stand, {log.window.words}, {programme.title}"
    return register.counted(
        programme,
        f"process.milestones({log.window.asked})",
        question=QUESTION,
        headline=headline,
        sentences=_sentences(log, table, at),
        table=table,
        marks=register.bars(table, [at[state] for state in STATES], headline=headline.text, subtitle=subtitle),
        method=METHOD,
        cautions=_cautions(log, table),
        n=reached,
        of=due,
        counts="milestones due",
    )


def _log(programme: Programme, window: register.Window) -> _Log:
    every = programme.milestones
    own = every[~every["place_id"].isin(circumstances.comparison_places(programme))]
    if own.empty:
        raise register.not_recorded(
            QUESTION,
            "No milestone was written down for a place of the programme.",
            "milestones.csv: one row a milestone, with what is to be reached and the day it is planned for; the day it "
            "was reached is added when it comes.",
        )
    state = own.apply(lambda row: _state(row["planned_on"], row["achieved_on"], window), axis="columns")
    kind = own["kind"].fillna("").map(lambda told: words.plain(told) if told else register.NOT_SAID)
    names = circumstances.place_names(programme)
    place = own["place_id"].fillna("").map(lambda told: names[told] if told else "for all places")
    told = own.assign(state=state, kind=kind, place=place)
    return _Log(programme, window, told[told["state"] != ""], len(every) - len(own))


def _state(planned: Any, achieved: Any, window: register.Window) -> str:
    """Where a milestone stands on the last day of the window; nothing when it fell due before the first."""
    last = pd.Timestamp(window.until)
    reached = achieved <= last  # never true of a day that is missing
    if pd.isna(planned):
        return NO_DAY
    if planned > last:
        return EARLY if reached else NOT_DUE
    if window.since is not None and planned < pd.Timestamp(window.since):
        return ""
    if not reached:
        return PAST
    return LATE if achieved > planned else ON_TIME


def _table(log: _Log) -> pd.DataFrame:
    """Rows for all, then for each kind and each place by name. Extra: by, what the groups are."""
    every = log.milestones
    rows = [_signed(log, row) for row in _states(every, ALL, "everything", STATES)]
    rows += [*_days(log, every, ALL, "everything"), *_targets(every)]
    for kind, members in every.groupby("kind"):
        rows += [*_states(members, str(kind), "kind", STATES), *_days(log, members, str(kind), "kind")]
    for place, members in every.groupby("place"):
        rows += _states(members, str(place), "place", STATES)
    return register.table(rows, extras=("by",))


def _states(members: pd.DataFrame, group: str, by: str, states: tuple[str, ...]) -> list[dict[str, Any]]:
    n = members["state"].value_counts()
    due = int(members["state"].isin(DUE).sum())
    shared: dict[str, Any] = {"of": "milestones due", "n_of": "milestones", "by": by}
    rows = [register.share(REACHED, group, int(n.get(ON_TIME, 0) + n.get(LATE, 0)), due, **shared)]
    rows += [register.share(state, group, int(n.get(state, 0)), due, **shared) for state in states if state in DUE]
    counted: dict[str, Any] = {"unit": "milestones", "n_of": "milestones", "by": by}
    return rows + [
        register.row(state, group, n=int(n.get(state, 0)), **counted) for state in states if state not in DUE
    ]


def _days(log: _Log, members: pd.DataFrame, group: str, by: str) -> list[dict[str, Any]]:
    """Slippage: the median days between the day planned and the day reached, or until now where it is not."""
    slipped = (members["achieved_on"] - members["planned_on"]).dt.days
    waiting = (pd.Timestamp(log.window.until) - members["planned_on"]).dt.days
    told = {
        "Days late, of those reached late": slipped[members["state"] == LATE],
        "Days after the day planned, of those reached": slipped[members["state"].isin((ON_TIME, LATE))],
        "Days past, of those not reached": waiting[members["state"] == PAST],
    }
    return [
        register.row(
            measure, group, n=len(days), unit="days, median", n_of="milestones", estimate=float(days.median()), by=by
        )
        for measure, days in told.items()
        if len(days)
    ]


def _targets(every: pd.DataFrame) -> list[dict[str, Any]]:
    """By unit, because figures of different things do not add up: the median share of the target, and its range."""
    figured = every[every["value"].notna() & (every["target"] > 0)]
    rows = []
    for unit, members in figured.groupby("unit"):
        shares = 100 * members["value"] / members["target"]
        ends = {"low": float(shares.min()), "high": float(shares.max()), "interval": "range"}
        rows.append(
            register.row(
                TARGET, str(unit), n=len(shares), unit="% of the target, median", n_of="milestones",
                estimate=float(shares.median()), by="what is counted", **ends,
            )
        )  # fmt: skip
    return rows


def _signed(log: _Log, row: dict[str, Any]) -> dict[str, Any]:
    """Signs on two rows for all: what is due and done, and what has no day."""
    due, past, no_day = log.count(*DUE), log.count(PAST), log.count(NO_DAY)
    if row["measure"] == NO_DAY and no_day:
        have = "has" if no_day == 1 else "have"
        ask = (
            f"Of {words.counted(len(log.milestones), 'milestone')}, {no_day} {have} no day: "
            "by when do we want what is planned?"
        )
        return register.signed(row, Sign.NOT_RECORDED, ask)
    if row["measure"] != REACHED or not due:
        return row
    ask = (
        f"Of {words.counted(due, 'milestone')} due, {past} {'is' if past == 1 else 'are'} not reached: "
        "which do we still want, and by when?"
        if past
        else f"All that was due was reached ({words.counted(due, 'milestone')}, {log.count(LATE)} of them late): "
        "what does that say about the next ones?"
    )
    return register.signed(row, register.sign_of(due - past, due), ask)


def _sentences(log: _Log, table: pd.DataFrame, at: dict[str, int]) -> list[Sentence]:
    due = log.count(*DUE)
    n = {state: log.count(state) for state in STATES}
    later = n[NOT_DUE] + n[EARLY]
    rest = Sentence(
        f"Of {words.counted(len(log.milestones), 'milestone')}, {later} {'is' if later == 1 else 'are'} not due yet "
        f"({n[EARLY]} reached already) and {n[NO_DAY]} {'has' if n[NO_DAY] == 1 else 'have'} no day.",
        rows=(at[NOT_DUE], at[EARLY], at[NO_DAY]),
    )
    if due == 0:
        return [Sentence(f"No milestone was due, {log.window.words}.", rows=(at[REACHED],)), rest]
    late = at.get("Days late, of those reached late")
    by = "" if late is None else f" (median {words.number(table['estimate'][late], 0)} days)"
    reached = Sentence(
        f"{words.of(n[ON_TIME] + n[LATE], due)} milestones due were reached, {log.window.words}: {n[ON_TIME]} on time "
        f"and {n[LATE]} late{by}; {n[PAST]} {'is' if n[PAST] == 1 else 'are'} past the day and not reached.",
        rows=tuple(at[name] for name in (REACHED, *DUE)) + (() if late is None else (late,)),
    )
    return [reached, rest, *_of_target(table)]


def _of_target(table: pd.DataFrame) -> list[Sentence]:
    held = table[table["measure"] == TARGET]
    if held.empty or len(held) > MOST_UNITS:
        return []
    told = [
        f"{words.number(row['estimate'], 0)}% ({row['group']}, {words.counted(row['n'], 'milestone')})"
        for row in held.to_dict("records")
    ]
    return [Sentence(f"Share of the target reached, median: {words.listed(told)}.", rows=tuple(map(int, held.index)))]


def _cautions(log: _Log, table: pd.DataFrame) -> list[Sentence]:
    said = ["A day that was moved looks kept: the log does not say whether the days planned are the first ones."]
    if log.count(*DUE):
        said.append(f"The sign rests on milestones due, reached late or on time ({register.SIGN_RULE}).")
    if (table["measure"] == TARGET).any():
        said.append("Figures towards a target are the latest written down, whenever that was.")
        figured = log.milestones[log.milestones["target"].notna() | log.milestones["value"].notna()]
        without = int((~(figured["value"].notna() & (figured["target"] > 0))).sum())
        if without:
            said.append(f"{words.counted(without, 'figure')} without both a value and a target above nought left out.")
    if circumstances.NOT_NAMED in set(table["group"]):
        said.append("Places that did not agree to be named stand together.")
    if log.elsewhere:
        said.append(f"{words.counted(log.elsewhere, 'milestone')} of comparison places left out.")
    if log.window.since is not None:
        said.append("Milestones that fell due before the first day are not counted.")
    return [Sentence(words.sentence_case(text)) for text in said]
