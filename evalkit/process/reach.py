"""Who took part, and who is missing?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, register, words
from evalkit.errors import NotEnoughEvidence
from evalkit.register import NOT_SAID
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.terms import Design

if TYPE_CHECKING:
    from evalkit.programme import Programme

METHOD = Method(
    name="Counts of people at each step, out of everybody eligible",
    source="RE-AIM: reach is the number, proportion and representativeness of those who took part "
    "(Implementation Science s13012-019-0928-9, Table 9).",
    assumes="The register is complete: whoever is not on it as eligible, invited or attended was not.",
    design=Design.DESCRIBED,
)
CAME = "Came at least once"
STEPS = ("Eligible", "Invited", CAME, "Answered at the first wave", "Answered at the last wave")
KNOWN = 0.5
"""A grouping known for less than this share of those who did not come cannot say who is missing (judgement)."""
BY = ("seniority", "sector")
"""What is asked about unless somebody asks for more: nobody's own characteristics, for these are theirs."""
WITHIN = ("organisation", "sector")
"""Each of the first lies within one of the second: side by side, the numbers of a small organisation that is withheld
could be worked out from those of its sector and of the others in it. Asked for one at a time."""
SPELT_OUT = 2
"""Groupings whose groups are all named in the reading; the table holds every one."""
MOST_GROUPS = 8
"""A grouping of more groups than this is too long for a sentence; the table holds them."""


def reach(programme: Programme, *, by: tuple[str, ...] = BY) -> Result:
    """Who took part, and who is missing?

    Needs: `attendance`; `people`, `participants`, `organisations` for the groups of `by` (seniority, sector,
    organisation), `characteristics` for any of those recorded there (sex, ethnic_group), which are counted only when
    asked for; answers count when there are `responses` by leaders of themselves. Somebody of whom nothing is written is
    `not recorded`; `prefer not to say` is an answer. These are everybody, not a sample, so no interval is given. A
    person who came once counts as much as one who came always: see dose, not reach, for that.
    Extras: n_of, out_of (eligible in the group), by; where people came at least once share_came and share_eligible, the
    group's % of those who came and of those eligible, and their difference in points (below 0: fewer than their share).
    Errors: `NotEnoughEvidence` when nobody's attendance was recorded; `ValueError` for a grouping nobody recorded,
    and for organisation and sector at once, from which a small organisation could be worked out.

    >>> import evalkit as ek
    >>> reach(ek.load("sample_data/northmere")).table["interval"].unique().tolist()
    ['none given']
    """
    attendance = _attendance(programme)
    if attendance.empty:
        raise NotEnoughEvidence(
            "Who took part, and who is missing?",
            missing="No attendance was recorded.",
            would_answer="attendance.csv: one row a session and person, with eligible, invited or attended.",
        )
    by = tuple(dict.fromkeys(by))
    if set(by) >= set(WITHIN):
        raise ValueError(
            f"by={by!r} holds both {words.listed([*WITHIN])}, and each organisation lies within a sector: a small one "
            "could be worked out from the two. Ask for one at a time."
        )
    people = _people(programme, attendance, by)
    known = tuple(grouping for grouping in by if _recorded(people, grouping))
    table = _table(people, known)
    every = table[table["group"] == ALL].set_index("measure")["n"]
    whole = "eligible" if "Eligible" in every.index and every["Eligible"] else "invited"
    came, out_of = int(every[CAME]), int(every[words.sentence_case(whole)])
    rests_on = (table["group"] == ALL) & table["measure"].isin([CAME, words.sentence_case(whole)])
    headline = Sentence(f"{words.of(came, out_of)} {whole} came", rows=tuple(table.index[rests_on]))
    said, marks = _sentences(table, every), _marks(programme, table, headline.text)
    cautions = _cautions(attendance, [grouping for grouping in by if grouping not in known])
    return register.counted(
        programme,
        f"process.reach({'' if by == BY else f'by={by!r}'})",
        question="Who took part, and who is missing?",
        headline=headline,
        sentences=said,
        table=table,
        marks=marks,
        method=METHOD,
        cautions=cautions,
        n=int(every[CAME]),
        of=int(every["Eligible"]),
        counts="people",
        why="A count of people; nothing is compared with a time before.",
    )


def _attendance(programme: Programme) -> pd.DataFrame:
    """Who was eligible for, invited to or at the sessions held by the day the data speak of."""
    sessions, held = programme.sessions, programme.attendance
    later = sessions.loc[~register.by_now(programme, sessions["held_on"]), "session_id"]
    return held[~held["session_id"].isin(later)]


def _people(programme: Programme, attendance: pd.DataFrame, by: tuple[str, ...]) -> pd.DataFrame:
    """A row a person on the register: how far they came (True/False a step), and the groups they belong to."""
    status = attendance.groupby("person_id")["status"].agg(set)
    came = status.map(lambda said: "attended" in said)
    invited = came | status.map(lambda said: "invited" in said)
    people = pd.DataFrame({"Eligible": True, "Invited": invited, CAME: came})
    answers = register.answered(programme)
    own = answers[(answers["subject_kind"] == "person") & (answers["rater"] == "self")]
    if own["wave"].nunique() > 1:
        ends = {"Answered at the first wave": own["wave"].min(), "Answered at the last wave": own["wave"].max()}
        for step, wave in ends.items():
            people[step] = people.index.isin(own.loc[own["wave"] == wave, "subject_id"])
    for grouping in by:
        people[grouping] = (
            circumstances.grouping(programme, grouping).reindex(people.index).astype(object).fillna(NOT_SAID)
        )
    return people


def _table(people: pd.DataFrame, by: tuple[str, ...]) -> pd.DataFrame:
    """A row a step for everybody, then a row a step and group."""
    rows = [_row(step, ALL, "everybody", people, people) for step in STEPS if step in people]
    for grouping in by:
        for group, members in people.groupby(grouping):
            rows += [_row(step, str(group), words.plain(grouping), members, people) for step in STEPS[1:]
                     if step in people]  # fmt: skip
    return pd.DataFrame(rows).astype({"n": "Int64", "out_of": "Int64"})


def _row(step: str, group: str, by: str, members: pd.DataFrame, people: pd.DataFrame) -> dict[str, Any]:
    """A step in a group; where people came, also the group's share of those who came and of those eligible."""
    n, whole, came = int(members[step].sum()), len(members), int(people[CAME].sum())
    compared = step == CAME and group != ALL and came > 0
    of_came, of_eligible = (100 * n / came, 100 * whole / len(people)) if compared else (float("nan"),) * 2
    return {
        "measure": step, "group": group, "estimate": 100 * n / whole, "low": float("nan"), "high": float("nan"),
        "interval": "none given", "n": n, "unit": "% of those eligible", "n_of": "people", "out_of": whole, "by": by,
        "share_came": of_came, "share_eligible": of_eligible, "difference": of_came - of_eligible,
    }  # fmt: skip


def _sentences(table: pd.DataFrame, every: pd.Series[int]) -> list[Sentence]:
    steps = [f"{every[step]} {step[0].lower()}{step[1:]}" for step in STEPS if step in every.index]
    everybody = tuple(table.index[table["group"] == ALL])
    said = [Sentence(f"Of people on the register: {words.listed(steps)}.", rows=everybody)]
    came = table[(table["group"] != ALL) & (table["measure"] == CAME)]
    cuts = [(str(grouping), rows) for grouping, rows in came.groupby("by", sort=False)]
    short = [(grouping, rows) for grouping, rows in cuts if len(rows) <= MOST_GROUPS][:SPELT_OUT]
    for grouping, rows in short:
        shares = [f"{row['group']} {words.of(row['n'], row['out_of'])}" for row in rows.to_dict("records")]
        said += [Sentence(f"{CAME}, by {grouping}: {words.listed(shares)}.", rows=tuple(rows.index))]
    return said + _alike(cuts)


def _alike(cuts: list[tuple[str, pd.DataFrame]]) -> list[Sentence]:
    """How far the groups' shares of those who came lie from their shares of those eligible, at most.

    Names no group, and goes with any group withheld: how far at most would tell the number of a small one.
    """
    told = [(grouping, rows["difference"].abs().max()) for grouping, rows in cuts if rows["difference"].notna().any()]
    if not told:
        return []
    rows = tuple(int(at) for _, held in cuts for at in held.index)
    apart = [f"{words.number(most, 1)} points by {grouping}" for grouping, most in told if round(most, 1) > 0]
    if not apart:
        return [Sentence("Each group's share of those who came is its share of those eligible.", rows=rows)]
    return [Sentence("A group's share of those who came and its share of those eligible differ by at most "
                     f"{words.listed(apart)}.", rows=rows)]  # fmt: skip


def _marks(programme: Programme, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    every = table[table["group"] == ALL]
    rows = [
        {"mark": "bar", "x": row["measure"], "y": row["n"], "n": row["n"], "row": place,
         "label": words.of(row["n"], row["out_of"])}
        for place, row in zip(every.index.tolist(), every.to_dict("records"), strict=True)
    ]  # fmt: skip
    return charts.marks(rows, headline=headline, subtitle=f"People on the register, {programme.title}")


def _recorded(people: pd.DataFrame, grouping: str) -> bool:
    """Whether the group is known for more than those who came: else nobody can tell who is missing by it."""
    absent = people.loc[~people[CAME], grouping]
    return absent.empty or bool((absent != NOT_SAID).mean() > KNOWN)


def _cautions(attendance: pd.DataFrame, unknown: list[str]) -> list[Sentence]:
    said = []
    groupings = words.listed([words.plain(grouping) for grouping in unknown])
    if unknown:
        said.append(f"The {groupings} of those who did not come was not recorded: who is missing is unknown.")
    if "eligible" not in set(attendance["status"]):
        said.append("Who could have come but was not invited was not recorded, so reach is out of those invited.")
    said.append("Whether those who came are like those who did not is shown by group, not tested.")
    return [Sentence(text) for text in said]
