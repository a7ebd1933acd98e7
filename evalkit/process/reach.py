"""What was done, and who took part? Counted, never judged."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, questions, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import grade
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.terms import Attribution, Design, Level
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.programme import Programme

METHOD = Method(
    name="Counts of people at each step, out of everybody eligible",
    source="RE-AIM: reach is the number, proportion and representativeness of those who took part "
    "(Implementation Science s13012-019-0928-9, Table 9).",
    assumes="The register is complete: whoever is not on it as eligible, invited or attended was not.",
    design=Design.DESCRIBED,
)
STEPS = ("Eligible", "Invited", "Came at least once", "Answered at the first wave", "Answered at the last wave")
NOT_SAID = "not recorded"
KNOWN = 0.5
"""A grouping known for less than this share of those who did not come cannot say who is missing (judgement)."""


def reach(programme: Programme, *, by: tuple[str, ...] = ("seniority", "sector")) -> Result:
    """Who took part, and who is missing?

    Needs: `attendance`; `people`, `participants`, `organisations` for the groups of `by` (seniority, sector); answers
    count when there are `responses` by leaders of themselves. These are everybody, not a sample, so no interval is
    given. A person who came once counts as much as one who came always: see dose, not reach, for that.
    Errors: `NotEnoughEvidence` when nobody's attendance was recorded.

    >>> import evalkit as ek
    >>> reach(ek.load("sample_data/northmere")).table["interval"].unique().tolist()
    ['none given']
    """
    if programme.attendance.empty:
        raise NotEnoughEvidence(
            "Who took part, and who is missing?",
            missing="No attendance was recorded.",
            would_answer="attendance.csv: one row a session and person, with eligible, invited or attended.",
        )
    people = _people(programme)
    known = tuple(grouping for grouping in by if _recorded(people, grouping))
    table = _table(people, known)
    every = table[table["group"] == ALL].set_index("measure")["n"]
    whole = "eligible" if "Eligible" in every.index and every["Eligible"] else "invited"
    came, out_of = int(every["Came at least once"]), int(every[words.sentence_case(whole)])
    rests_on = (table["group"] == ALL) & table["measure"].isin(["Came at least once", words.sentence_case(whole)])
    headline = Sentence(f"{words.of(came, out_of)} {whole} came", rows=tuple(table.index[rests_on]))
    return Result.of(
        question="Who took part, and who is missing?",
        level=Level.PROCESS,
        kirkpatrick=None,
        headline=headline,
        sentences=_sentences(table, every),
        decided=described("A count of people; nothing is compared with a time before."),
        attribution=Attribution.CANNOT_TELL,
        table=table,
        marks=_marks(programme, table, headline.text),
        chart=charts.named("bars"),
        method=METHOD,
        evidence=grade(Design.DESCRIBED),
        cautions=_cautions(programme, [grouping for grouping in by if grouping not in known]),
        about=circumstances.about(
            programme, "process.reach()", n=int(every["Came at least once"]), of=int(every["Eligible"]), counts="people"
        ),
    )


def _people(programme: Programme) -> pd.DataFrame:
    """A row a person on the register: how far they came (True/False a step), and the groups they belong to."""
    status = programme.attendance.groupby("person_id")["status"].agg(set)
    came = status.map(lambda said: "attended" in said)
    invited = came | status.map(lambda said: "invited" in said)
    people = pd.DataFrame({"Eligible": True, "Invited": invited, "Came at least once": came})
    answers = programme.responses
    own = answers[(answers["subject_kind"] == "person") & (answers["rater"] == "self") & answers["answer"].notna()]
    if own["wave"].nunique() > 1:
        ends = {"Answered at the first wave": own["wave"].min(), "Answered at the last wave": own["wave"].max()}
        for step, wave in ends.items():
            people[step] = people.index.isin(own.loc[own["wave"] == wave, "subject_id"])
    return people.join(_groups(programme).reindex(people.index))


def _groups(programme: Programme) -> pd.DataFrame:
    """Each person's seniority and the sector of their organisation, in words; blank is `not recorded`."""
    organisation = programme.people.set_index("person_id")["organisation_id"]
    sector = organisation.map(programme.organisations.set_index("organisation_id")["sector"])
    seniority = programme.participants.set_index("participant_id")["seniority"].reindex(organisation.index)
    groups = pd.DataFrame({"seniority": seniority, "sector": sector})
    return groups.fillna(NOT_SAID).map(words.plain)


def _table(people: pd.DataFrame, by: tuple[str, ...]) -> pd.DataFrame:
    """A row a step for everybody, then a row a step and group. Extras: n_of, out_of (eligible in the group), by."""
    rows = [_row(step, ALL, "everybody", people) for step in STEPS if step in people]
    for grouping in by:
        for group, members in people.groupby(grouping):
            rows += [_row(step, str(group), grouping, members) for step in STEPS[1:] if step in people]
    return pd.DataFrame(rows).astype({"n": "Int64", "out_of": "Int64"})


def _row(step: str, group: str, by: str, members: pd.DataFrame) -> dict[str, Any]:
    n, whole = int(members[step].sum()), len(members)
    return {
        "measure": step, "group": group, "estimate": 100 * n / whole, "low": float("nan"), "high": float("nan"),
        "interval": "none given", "n": n, "unit": "% of those eligible", "n_of": "people", "out_of": whole, "by": by,
    }  # fmt: skip


def _sentences(table: pd.DataFrame, every: pd.Series[int]) -> list[Sentence]:
    steps = [f"{every[step]} {step[0].lower()}{step[1:]}" for step in STEPS if step in every.index]
    everybody = tuple(table.index[table["group"] == ALL])
    said = [Sentence(f"Of people on the register: {words.listed(steps)}.", rows=everybody)]
    came = table[(table["group"] != ALL) & (table["measure"] == "Came at least once")]
    for grouping in map(str, came["by"].unique()):
        rows = came[came["by"] == grouping]
        shares = [f"{row['group']} {words.of(row['n'], row['out_of'])}" for row in rows.to_dict("records")]
        said += [Sentence(f"Came at least once, by {grouping}: {words.listed(shares)}.", rows=tuple(rows.index))]
    return said


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
    absent = people.loc[~people["Came at least once"], grouping]
    return absent.empty or bool((absent != NOT_SAID).mean() > KNOWN)


def _cautions(programme: Programme, unknown: list[str]) -> list[Sentence]:
    said = []
    if unknown:
        said.append(
            f"The {words.listed(unknown)} of those who did not come was not recorded: who is missing is unknown."
        )
    if "eligible" not in set(programme.attendance["status"]):
        said.append("Who could have come but was not invited was not recorded, so reach is out of those invited.")
    said.append("Whether those who came are like those who did not is shown by group, not tested.")
    return [Sentence(text) for text in said]


def __dir__() -> list[str]:
    """What can be asked here, and nothing else: what a notebook offers after the dot."""
    return sorted(questions.of_room(sys.modules[__name__]))
