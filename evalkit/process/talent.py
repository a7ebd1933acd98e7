"""What became of people who were looked at for their promise?"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import register, words
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats import rates
from evalkit.terms import Design, Sign

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "What became of people who were looked at for their promise?"
METHOD = Method(
    name="Counts of people by what became of them, with Wilson's interval for the two shares that are read as rates",
    source="Developing Systems Leadership (Talent Management Toolkit); Wilson 1927, JASA 22, 209-212.",
    assumes="What became of a person is what was written at their latest conversation that says so; whoever left the "
    "organisation and not the system is still in the system.",
    design=Design.DESCRIBED,
)
OUTCOMES = {
    "higher_post": "higher post",
    "other_post": "another post",
    "same_post": "same post",
    "left_organisation": "left the organisation",
    "left_system": "left the system",
}
"""What may have become of a person, in words."""
UNKNOWN = "not known yet"
UNKNOWN_RULE = "somebody of whom nobody wrote what became of them: uncertain"
"""What a gap in the register looks like (a judgement)."""
KNOWN = "those of whom it is known"
"""The group the two shares are of. Not everybody: where few left, they would be told by those who stayed."""
CAME_OF_IT, STAYED = "What became of them", "Stayed in the system"
ROSE = "Moved to a higher post"
NOT_GIVEN = dict.fromkeys(("n", "out_of")) | dict.fromkeys(("estimate", "low", "high"), float("nan"))
"""What a share holds that is not given, to nobody: it would tell the number of a few people."""
TWICE, MOVED = "Placed on the grid more than once", "From cell to cell"
"""Measures of the table that are looked up again."""


def talent(programme: Programme) -> Result:
    """What became of people who were looked at for their promise?

    Needs: `talent`. Each person counts once, by the latest conversation of which the outcome is known; never by person,
    and never by the cells' worth: their names are local and have no order here. The shares that stayed in the system
    and that moved to a higher post are of those known, with Wilson's interval; a share is not given where it would tell
    the few of another outcome. Table extras: n_of, by, out_of, sign, ask.
    What would mislead: those looked at were chosen for their promise, so they are like nobody else.
    Errors: `NotEnoughEvidence` when nobody was looked at.

    >>> import evalkit as ek
    >>> talent(ek.load("sample_data/northmere")).headline
    '17 of 17 people of whom it is known stayed in the system'
    """
    log = _log(programme)
    if log.empty:
        raise register.not_recorded(
            QUESTION, "No conversation about anybody's promise was recorded.",
            "talent.csv: one row a person and conversation, with what became of them.",
        )  # fmt: skip
    people = _people(log)
    cells = _cells(log)
    blank = {"by": ""}
    rows = [{**blank, **row} for row in (*_rows(people, programme.minimum_group), *_moves(cells))]
    table = register.table(rows, extras=("by",))
    headline = _headline(table)
    drawn = table.index[table["measure"] == CAME_OF_IT]
    marks = register.bars(
        table, drawn, by="group", headline=headline.text,
        subtitle=f"People who were looked at, {programme.title}, to {words.day(programme.as_of)}",
    )  # fmt: skip
    return register.counted(
        programme, "process.talent()", question=QUESTION, headline=headline, sentences=_sentences(table), table=table,
        marks=marks, method=METHOD, cautions=_cautions(people, cells, table), n=int(people.notna().sum()),
        of=len(people), counts="people",
        why="A count of what was written down; the intervals say how far chance alone would move two shares.",
    )  # fmt: skip


def _log(programme: Programme) -> pd.DataFrame:
    """The conversations held by the day the data speak of; what became known after it is not known yet."""
    held = programme.talent[register.by_now(programme, programme.talent["reviewed_on"])]
    return held.assign(outcome=held["outcome"].where(register.by_now(programme, held["outcome_on"])))


def _people(log: pd.DataFrame) -> pd.Series[str]:
    """What became of each person, by the latest conversation that says so; missing where none does."""
    in_time = log.sort_values("reviewed_on", kind="stable")
    known = in_time[in_time["outcome"].notna()].drop_duplicates("person_id", keep="last")
    return known.set_index("person_id")["outcome"].reindex(pd.Index(log["person_id"].unique()))


def _cells(log: pd.DataFrame) -> pd.DataFrame:
    """The first and the last cell of each person placed on the grid more than once."""
    placed = log[log["grid_cell"].notna()].sort_values("reviewed_on", kind="stable").groupby("person_id")["grid_cell"]
    ends = pd.DataFrame({"first": placed.first(), "last": placed.last(), "times": placed.size()})
    return ends[ends["times"] > 1]


def _rows(people: pd.Series[str], minimum: int) -> list[dict[str, Any]]:
    """Everybody, what became of them, and the two shares that are read as rates."""
    known = int(people.notna().sum())
    told = register.share("Outcome known", ALL, known, len(people), of="people looked at", n_of="people")
    if known < len(people):
        ask = f"What became of {words.of(len(people) - known, len(people))} people is not written down: who would know?"
        told = register.signed(told, Sign.UNCERTAIN, ask)
    rows = [register.row("Looked at", ALL, n=len(people), unit="people", n_of="people"), told]
    stands = people.map(OUTCOMES).fillna(UNKNOWN)
    rows += [
        register.share(CAME_OF_IT, group, int((stands == group).sum()), len(people), of="people looked at",
                       n_of="people", by="not known" if group == UNKNOWN else "outcome")
        for group in (*OUTCOMES.values(), UNKNOWN)
    ]  # fmt: skip
    left, rose = (int((people == outcome).sum()) for outcome in ("left_system", "higher_post"))
    each = people.value_counts()
    rates = (_rate(STAYED, known - left, known), _rate(ROSE, rose, known))
    given = [not _tells(n, each, minimum) for n in (left, rose)]
    return [*rows, *(rate if shown else {**rate, **NOT_GIVEN} for rate, shown in zip(rates, given, strict=True))]


def _tells(n: int, each: pd.Series[int], minimum: int) -> bool:
    """Whether the share of these `n` would tell the few of another outcome: in wider copies they are withheld with the
    next smallest outcome beside them, and this is it."""
    few = each[each < minimum]
    return 0 < few.sum() < minimum and bool(n == each[each >= minimum].min())


def _rate(measure: str, n: int, known: int) -> dict[str, Any]:
    """A share of those known, in %, with its interval; nothing where nobody is known."""
    found = register.share(measure, KNOWN, n, known, of="people whose outcome is known", n_of="people")
    if known == 0:
        return {**found, "n": None}
    rate = rates.wilson(n, known)
    return {**found, "low": 100 * rate.low, "high": 100 * rate.high, "interval": "95% confidence"}


def _moves(cells: pd.DataFrame) -> list[dict[str, Any]]:
    """Between which cells people moved, in the order of the alphabet."""
    if cells.empty:
        return []
    rows = [register.row(TWICE, ALL, n=len(cells), unit="people", n_of="people")]
    for (first, last), held in cells.groupby(["first", "last"]):
        group = f"{first}, both times" if first == last else f"{first}, then {last}"
        rows.append(register.share(MOVED, group, len(held), len(cells), of="people placed more than once",
                                   n_of="people"))  # fmt: skip
    return rows


def _stayed(table: pd.DataFrame) -> tuple[int, dict[Hashable, Any]]:
    """The row of those who stayed, and where it stands."""
    rows = table[table["measure"] == STAYED]
    return int(rows.index[0]), rows.to_dict("records")[0]


def _headline(table: pd.DataFrame) -> Sentence:
    at, row = _stayed(table)
    if pd.isna(row["n"]):
        looked_at, known = table["n"].iloc[:2]
        if known:
            return Sentence(f"What became of {words.of(known, looked_at)} people is known", rows=(0, 1))
        return Sentence(f"What became of {words.counted(looked_at, 'person', 'people')} is not recorded", rows=(0,))
    return Sentence(f"{words.of(row['n'], row['out_of'])} people of whom it is known stayed in the system", rows=(at,))


def _sentences(table: pd.DataFrame) -> list[Sentence]:
    """How many; what became of them; how many stayed; how they moved between cells."""
    looked_at, known = table["n"].iloc[:2]
    people = words.sentence_case(words.counted(looked_at, "person", "people"))
    said = [Sentence(f"{people} {'was' if looked_at == 1 else 'were'} looked at for their promise; what became of them "
                     f"is known for {words.of(known, looked_at)}.", rows=(0, 1))]  # fmt: skip
    became = table[(table["measure"] == CAME_OF_IT) & (table["n"] > 0)]
    said.append(Sentence(f"What became of them: {_named(became)}.", rows=tuple(became.index)))
    at, row = _stayed(table)
    if pd.notna(row["n"]):
        interval = f"95% interval {words.span(row['low'], row['high'], 0)}%"
        said.append(Sentence(f"{words.of(row['n'], row['out_of'])} stayed in the system "
                             f"({words.number(row['estimate'], 0)}%, {interval}).", rows=(at,)))  # fmt: skip
    moved = table[table["measure"] == MOVED]
    if len(moved):
        whole = table[table["measure"] == TWICE]
        said.append(Sentence(f"Of {whole['n'].iloc[0]} placed on the grid more than once: {_named(moved)}.",
                             rows=(*whole.index, *moved.index)))  # fmt: skip
    return said


def _named(rows: pd.DataFrame) -> str:
    return words.listed([f"{group} {n}" for group, n in zip(rows["group"], rows["n"], strict=True)])


def _cautions(people: pd.Series[str], cells: pd.DataFrame, table: pd.DataFrame) -> list[Sentence]:
    """Whom this is about, what is not known, and what the sign rests on."""
    said = [
        "These people were chosen for their promise: what became of them says nothing about others.",
        "The interval says how far chance alone would move the share; those of whom nothing is known may differ.",
    ]
    if people.notna().any() and table.loc[table["measure"].isin((STAYED, ROSE)), "n"].isna().any():
        said.append("A share is not given where it would tell the number of a few people.")
    if cells.empty:
        said.append("Nobody was placed on the grid more than once, so no movement between its cells is known.")
    else:
        said.append("The cells are named as they are locally; which is better is not said here.")
    if people.isna().any():
        said.append(f"The sign of what is known rests on a judgement: {UNKNOWN_RULE}.")
    return [Sentence(text) for text in said]
