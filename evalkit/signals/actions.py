"""What was done about what was seen?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import grade
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.terms import Attribution, Design, Level, Sign
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "What was done about what was seen?"
UNDECIDED, OVERDUE, OPEN, LATE, IN_TIME = (
    "not decided",
    "decided, past its day",
    "decided, in hand",
    "done late",
    "done",
)
STATES = (OVERDUE, UNDECIDED, OPEN, LATE, IN_TIME)
"""From what presses most to what is done; what has no day set is never late: in hand until it is done."""
UNNAMED = "a place not named"
METHOD = Method(
    name="The log of actions: days from seeing to deciding, and from deciding to doing; open ones first",
    source="Saying what is and is not working: The King's Fund (2014). The three questions: NHS Leadership "
    "Academy, Leadership Development Evaluation Framework (2016), triple-loop learning, in our own words.",
    assumes="What was decided and done was written down.",
    design=Design.DESCRIBED,
)


@dataclass(frozen=True, slots=True)
class Log:
    """The log with each action's state, and the days it took or has taken."""

    programme: Programme

    @property
    def rows(self) -> pd.DataFrame:
        """A row an action, open first, oldest first: the table's columns with state, to_decide, to_do, waiting."""
        held, today = self.programme.actions, pd.Timestamp(self.programme.as_of)
        held = held[held["raised_on"] <= today]
        later = held["decided_on"] > today
        held = held.assign(
            done_on=held["done_on"].mask(held["done_on"] > today),
            **{name: held[name].mask(later) for name in ("decision", "decided_on", "due_on", "owner")},
        )  # what was decided and done after the day the data speak of was not yet known on it
        decided = held["decision"].notna() | held["decided_on"].notna() | held["done_on"].notna()
        late = held["done_on"].notna() & (held["due_on"] < held["done_on"])
        state = pd.Series(IN_TIME, index=held.index).mask(late, LATE)
        state = state.mask(held["done_on"].isna(), OPEN).mask(
            held["done_on"].isna() & (held["due_on"] < today), OVERDUE
        )
        state = state.mask(~decided, UNDECIDED)
        rows = held.assign(
            state=state,
            to_decide=(held["decided_on"] - held["raised_on"]).dt.days,
            to_do=(held["done_on"] - held["decided_on"]).dt.days,
            waiting=(held["done_on"].fillna(today) - held["raised_on"]).dt.days,
            order=state.map(STATES.index),
        )
        return rows.sort_values(["order", "raised_on", "action_id"], kind="stable").reset_index(drop=True)


def actions(programme: Programme, results: Iterable[Result] | None = None) -> Result:
    """What was done about what was seen?

    Needs: `actions`. How many signals were taken up, decided and done, how long each step took, and what is still open,
    the longest waiting first, with its owner (a single person is called a person, never by id). It ends in three
    questions: are we doing it well, is it the right thing, how do we come to know what is right. `results` is not
    needed; it is taken so that every question of this room is asked alike. Errors: `NotEnoughEvidence` where nobody
    keeps the log, which does not say that nothing was done.

    >>> import evalkit as ek
    >>> actions(ek.load("sample_data/northmere")).about.counts
    'actions'
    """
    rows = Log(programme).rows
    if rows.empty:
        raise NotEnoughEvidence(
            QUESTION,
            missing="Nobody wrote down what was decided or done; that it was not recorded does not say there was none.",
            would_answer="actions.csv: one row a point, with the day it was raised, and what was decided by whom.",
        )
    table = _table(programme, rows)
    headline = Sentence(_headline(rows), rows=tuple(range(len(STATES))))
    done = int(rows["state"].isin([LATE, IN_TIME]).sum())
    sentences, marks = _sentences(rows), _marks(programme, table, headline.text)
    return Result.of(
        question=QUESTION,
        level=Level.NEXT,
        kirkpatrick=None,
        headline=headline,
        sentences=sentences,
        decided=described("A log read out; nothing is tested."),
        attribution=Attribution.CANNOT_TELL,
        table=table,
        marks=marks,
        chart=charts.named("bars"),
        method=METHOD,
        evidence=grade(Design.DESCRIBED),
        cautions=[
            Sentence("Only what was written down is here: much is decided and done without a log."),
            Sentence("That something was done says nothing of what came of it."),
        ],
        about=circumstances.about(programme, "signals.actions()", n=done, of=len(rows), counts="actions"),
    )


def _table(programme: Programme, rows: pd.DataFrame) -> pd.DataFrame:
    """A row a state, two rows of days, three questions, then a row an action, open first.

    Extras: n_of, out_of, sign, ask, meeting, state, decision, owner, raised_on, due_on, done_on.
    """
    none = {"low": float("nan"), "high": float("nan"), "interval": "none given"}
    counted: list[dict[str, Any]] = [
        {"measure": words.sentence_case(state), "group": ALL, "estimate": float((rows["state"] == state).sum()), **none,
         "n": int((rows["state"] == state).sum()), "unit": "actions", "n_of": "actions", "out_of": len(rows)}
        for state in STATES
    ]  # fmt: skip
    for name, column in (("From seeing to deciding, median", "to_decide"), ("From deciding to doing, median", "to_do")):
        held = rows[column].dropna()
        counted.append(
            {"measure": name, "group": ALL, "estimate": float(held.median()), **none, "n": len(held), "unit": "days",
             "n_of": "actions", "out_of": len(rows)}
        )  # fmt: skip
    meeting = programme.plan.meetings.get("process") or "No meeting is named for the work itself"
    counted += [{**ask, **none, "group": ALL, "meeting": meeting} for ask in _loops(programme, rows)]
    each = [
        {"measure": row["signal"], "group": _where(programme, row), "estimate": float(row["waiting"]), **none, "n": 1,
         "unit": "days from seeing to doing, or until now", "n_of": "actions",
         **{name: row[name] for name in ("state", "decision", "raised_on", "due_on", "done_on")},
         "owner": _owner(programme, row["owner"]), **_asked(programme, row, meeting)}
        for row in rows.to_dict("records")
    ]  # fmt: skip
    texts = ["sign", "ask", "meeting", "state", "decision", "owner"]
    first = ["measure", "group", "estimate", "low", "high", "interval", "n", "unit", "n_of", "out_of", *texts]
    table = pd.DataFrame([*counted, *each])[[*first, "raised_on", "due_on", "done_on"]]
    said = {
        name: table[name].astype(object).fillna("").astype(str) for name in texts
    }  # a blank log has no text in them
    return table.assign(**said).astype({"n": "Int64", "out_of": "Int64"})


def _asked(programme: Programme, row: dict[Any, Any], meeting: str) -> dict[str, str]:
    """What an open action gives to talk about; nothing for one that is done."""
    if row["state"] in (LATE, IN_TIME):
        return {}
    what = f"“{row['signal']}” ({_where(programme, row)}), since {words.day(row['raised_on'])}"
    if row["state"] == UNDECIDED:
        ask = f"{what}, with nothing decided. Does it still matter, and who takes it up?"
    else:
        due = f"due {words.day(row['due_on'])}" if not pd.isna(row["due_on"]) else "no day set"
        decided = f"Decided: “{str(row['decision']).rstrip('.')}”, {due}, {_owner(programme, row['owner'])}"
        still = "Is anything in the way?" if row["state"] == OPEN else "What is in the way, and is it still wanted?"
        ask = f"{what}. {decided}. {still}"
    sign = Sign.UNCERTAIN if row["state"] == OPEN else Sign.NOT_WORKING
    return {"sign": sign.value, "ask": words.without_why(ask), "meeting": meeting}


def _loops(programme: Programme, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The three questions of triple-loop learning, each with a figure from the log."""
    labels = {"doing_it_well": "Are we doing it well?", "right_thing": "Is it the right thing to do?",
              "how_we_decide": "How do we come to know what is right?"}  # fmt: skip
    if "evaluation_grid" in programme.menus:
        labels |= {key: label for key, label in programme.menus["evaluation_grid"].labels.items() if key in labels}
    due = rows[rows["due_on"] <= pd.Timestamp(programme.as_of)]
    late = int(due["state"].isin([LATE, OVERDUE]).sum())
    again = _raised_again(rows)
    undecided = int((rows["state"] == UNDECIDED).sum())
    said = [
        ("doing_it_well", late, len(due), f"{words.of(late, len(due))} actions due were late or are past their day."),
        ("right_thing", again, len(rows), f"{words.of(again, len(rows))} came up again after something had been done "
         "about it."),
        ("how_we_decide", undecided, len(rows), f"On {words.of(undecided, len(rows))} nothing was decided."),
    ]  # fmt: skip
    return [
        {"measure": labels[key], "estimate": float(n), "n": n, "unit": "actions", "n_of": "actions", "out_of": whole,
         "sign": Sign.UNCERTAIN.value, "ask": words.without_why(f"{figure} {labels[key]}")}
        for key, n, whole, figure in said if whole
    ]  # fmt: skip


def _raised_again(rows: pd.DataFrame) -> int:
    """Signals raised after something had been done about an earlier one of the same domain, there or everywhere."""
    done = rows.dropna(subset=["done_on", "domain"])
    return sum(
        bool(((done["domain"] == row["domain"]) & (done["done_on"] < row["raised_on"]) & _covers(done, row)).any())
        for row in rows.dropna(subset=["domain"]).to_dict("records")
    )


def _covers(done: pd.DataFrame, row: dict[Any, Any]) -> pd.Series[bool]:
    """Which of what was done was done where this was seen: for the same place and team, or for all."""
    covers = pd.Series(True, index=done.index)
    for name in ("place_id", "team_id"):
        covers &= done[name].isna() | (done[name] == row[name])
    return covers


def _where(programme: Programme, row: dict[Any, Any]) -> str:
    """The place's name where it may be named, or the team's id; everywhere where neither is given."""
    places = programme.places.set_index("place_id")
    if not pd.isna(row["place_id"]):
        may_be_named = places["may_be_named"].fillna(True).astype(bool)
        return str(places["name"].where(may_be_named, UNNAMED).get(row["place_id"], row["place_id"]))
    return "everywhere" if pd.isna(row["team_id"]) else f"team {row['team_id']}"


def _owner(programme: Programme, owner: Any) -> str:
    """Who undertook it: an organisation by name, a team by id, and a single person as a person."""
    if pd.isna(owner):
        return "nobody named"
    organisations = programme.organisations.set_index("organisation_id")["name"]
    if owner in organisations.index:
        return str(organisations[owner])
    return f"team {owner}" if owner in set(programme.teams["team_id"]) else "a person"


def _headline(rows: pd.DataFrame) -> str:
    still = int(rows["state"].isin([UNDECIDED, OVERDUE, OPEN]).sum())
    return f"{words.of(still, len(rows))} actions are still open"


def _sentences(rows: pd.DataFrame) -> list[Sentence]:
    counts = rows["state"].value_counts()
    states = words.listed([f"{counts[state]} {state}" for state in STATES if state in counts])
    said = [Sentence(f"Of {words.counted(len(rows), 'point')} taken up: {states}.", rows=tuple(range(len(STATES))))]
    decide, do = rows["to_decide"].dropna(), rows["to_do"].dropna()
    if len(decide):
        took = f"Of {len(decide)} with both days, the one in the middle was decided {_days(decide)} after it was seen"
        done = f"; of {len(do)}, it was done {_days(do)} after the decision" if len(do) else ""
        said.append(Sentence(f"{took}{done}.", rows=(len(STATES), len(STATES) + 1)))
    waiting = rows[rows["state"].isin([UNDECIDED, OVERDUE, OPEN])].sort_values("raised_on", kind="stable")
    if len(waiting):
        first = waiting.iloc[0]
        seen = str(first["signal"])
        said.append(Sentence(f"Open longest: “{seen}”, since {words.day(first['raised_on'])} ({first['state']})."))
    return said


def _days(held: pd.Series[Any]) -> str:
    return words.counted(round(float(held.median())), "day")


def _marks(programme: Programme, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    drawn = [
        {"mark": "bar", "x": row["measure"], "y": row["n"], "label": words.of(int(row["n"]), int(row["out_of"])),
         "row": at}
        for at, row in table.head(len(STATES)).to_dict("index").items()
    ]  # fmt: skip
    subtitle = f"Actions in the log, {programme.title}, to {words.day(programme.as_of)}"
    return charts.marks(drawn, headline=headline, subtitle=subtitle)
