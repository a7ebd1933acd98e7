"""The one gate: `protect(result, audience)` gives the copy an audience may see, or refuses.

Three rules. Nothing about one person leaves the evaluator. A row with fewer people behind it than the programme's
minimum is withheld from table, marks, sentence, headline and description alike, and where one withheld row could be
worked out from the total, the next smallest goes with it; so does a row that would tell somebody beside other answers.
The fitted model never leaves.

Withheld is not missing and not zero: the row stays, says `withheld`, and holds no number.
"""

from __future__ import annotations

from typing import Any

from evalkit.errors import Refused
from evalkit.html import WITHHELD
from evalkit.result import ALL, Result, Sentence
from evalkit.terms import Audience, Verdict
from evalkit.verdict import Decision

import pandas as pd  # isort: skip

PEOPLE = ("people", "leaders", "respondents", "sponsors", "partners", "stories", "excerpts", "events")
"""What `n_of` may count for a row to be about people and so come under the minimum; events are what befell people."""
COUNTS = ("n", "raters")
"""Columns that count people: whom a row is about, and who said it."""
TELLS = "tells"
"""A column that says of a row how few people it would tell beside other answers on the same scores; mostly missing."""
KEEPS = "keeps"
"""A column that names columns of its row, parted by "; ", that would tell a few people: they are withheld, not the row.
"""
SAYS_WHICH = ("measure", "group", "unit", "n_of", "wave", "by", "interval", "what", "of", "told_by")
"""Columns that say which row it is, and nothing of what was found: they stay when a row is withheld."""
IDENTIFIERS = frozenset(
    (
        "person_id",
        "participant_id",
        "respondent_id",
        "from_id",
        "to_id",
        "subject_id",
        "story_id",
        "teller_role",
        "name",
        "email",
    )
)
"""Columns that name or number a person or a teller: their presence keeps a table with the evaluator."""


def protect(result: Result, audience: Audience) -> Result:
    """The copy of a result that this audience may see.

    Raises `Refused` when the result is about single people. Returns the evaluator's own copy untouched.
    """
    if audience is Audience.EVALUATOR:
        return result
    named = sorted(IDENTIFIERS & {*result.table.columns, *result.marks.columns})
    if named:
        raise Refused(
            f"{result.about.asked} is about single people ({', '.join(named)}) and stays with the evaluator. "
            "Show a question about the group instead."
        )
    hidden, kept = _hidden(result.table, result.about.minimum_group), _kept_cells(result.table)
    small = _small_marks(result.marks, result.table, result.about.minimum_group)
    headline, sentences, cautions = result.parts
    if hidden & set(headline.rows):
        headline = Sentence("Withheld: too few people to show")
    marks = result.marks[~(small | result.marks["row"].isin(hidden))]
    return result.copy_for(
        audience,
        headline=headline,
        sentences=_kept(sentences, hidden, kept, result.about.minimum_group),
        cautions=tuple(caution for caution in cautions if not _tells(caution, hidden, kept)),
        decided=_decided(result, hidden),
        table=_without(result.table, hidden),
        marks=marks.assign(label=marks["label"].mask(marks["mark"] == "headline", headline.text)),
    )


def _hidden(table: pd.DataFrame, minimum: int) -> set[int]:
    """Rows with too few people, and those from which they could be worked out."""
    about_people = table["n_of"].isin(PEOPLE) if "n_of" in table else pd.Series(True, index=table.index)
    counted = [name for name in COUNTS if name in table]
    people = table[counted].astype("Float64").min(axis="columns").where(about_people)
    few = ((people > 0) & (people < minimum)).fillna(False).astype(bool)
    if TELLS in table:
        few |= (table[TELLS] < minimum).fillna(False).astype(bool)
    rest = pd.Series(pd.NA, index=table.index, dtype="Float64")
    if "out_of" in table:  # who did not is told by who did
        rest = (table["out_of"] - table["n"]).where(about_people).astype("Float64")
        few |= ((rest > 0) & (rest < minimum) & (table["group"] != ALL)).fillna(False).astype(bool)
    hidden = set(table.index[few])
    for _, rows in table[(table["group"] != ALL) & about_people].groupby(["measure", *_split(table)], dropna=False):
        hidden |= _with_neighbours(people.loc[rows.index], rest.loc[rows.index], hidden, minimum)
    return hidden


def kept_back(people: pd.Series[Any], minimum: int) -> set[Any]:
    """Which of these groups a table of them would hide: by how many people each has; one nobody knows is shown."""
    places = people.reset_index(drop=True).astype("Float64")
    gone = {int(at) for at in places.index[((places > 0) & (places < minimum)).fillna(False)]}
    rest = pd.Series(pd.NA, index=places.index, dtype="Float64")
    return {people.index[at] for at in _with_neighbours(places, rest, gone, minimum)}


def _with_neighbours(people: pd.Series[Any], rest: pd.Series[Any], hidden: set[int], minimum: int) -> set[int]:
    """The hidden rows of one set of groups, and the next smallest for as long as a total would tell one of them: while
    one alone is hidden, or those hidden hold too few people, or too few who did not, together."""
    gone = [row for row in people.index if row in hidden]
    left = people.drop(gone)
    shown = left[left > 0].sort_values(kind="stable").index.tolist()
    while gone and shown:
        lost, without = people.loc[gone].sum(), rest.loc[gone].sum()
        if len(gone) > 1 and not 0 < lost < minimum and not 0 < without < minimum:
            break
        gone.append(shown.pop(0))
    return {int(row) for row in gone}


def _split(table: pd.DataFrame) -> list[str]:
    """Columns that cut a measure into separate sets of groups, each with its own total."""
    when = "wave" if "wave" in table else "measured_on"
    return [name for name in (when, "by") if name in table]


def _small_marks(marks: pd.DataFrame, table: pd.DataFrame, minimum: int) -> pd.Series[bool]:
    """Marks with too few people behind them; one whose row counts other things comes under no minimum."""
    few = ((marks["n"] > 0) & (marks["n"] < minimum)).fillna(False)
    if "n_of" not in table:
        return few
    others = table.index[~table["n_of"].isin(PEOPLE)]
    return few & ~marks["row"].isin(others)


def _without(table: pd.DataFrame, hidden: set[int]) -> pd.DataFrame:
    """The table with every number of the hidden rows taken out and `withheld` in their place."""
    shown = table.copy()
    rows = shown.index.isin(hidden)
    for name in shown.columns:
        if name in SAYS_WHICH:
            continue
        shown[name] = shown[name].mask(rows)
    shown["interval"] = shown["interval"].mask(rows, WITHHELD)
    for at, names in _kept_cells(table).items():
        for name in names:
            shown[name] = shown[name].mask(shown.index == at)
    return shown


def _kept_cells(table: pd.DataFrame) -> dict[int, set[str]]:
    """The columns withheld alone, by row."""
    if KEEPS not in table:
        return {}
    named = table[KEEPS].fillna("").astype(str)
    return {int(str(at)): set(names.split("; ")) for at, names in named.items() if names}


def _tells(sentence: Sentence, hidden: set[int], kept: dict[int, set[str]]) -> bool:
    """Whether it prints a number that is withheld."""
    return bool(hidden & set(sentence.rows)) or any(kept.get(at, set()) & set(sentence.cells) for at in sentence.rows)


def _kept(
    sentences: tuple[Sentence, ...], hidden: set[int], cells: dict[int, set[str]], minimum: int
) -> tuple[Sentence, ...]:
    kept = tuple(sentence for sentence in sentences if not _tells(sentence, hidden, cells))
    if len(kept) == len(sentences):
        return kept
    return (*kept, Sentence(f"Some figures are withheld: fewer than {minimum} people stand behind them."))


def _decided(result: Result, hidden: set[int]) -> Decision:
    headline, *_ = result.parts
    if not hidden & set(headline.rows):
        return result.decided
    return Decision(Verdict.NOT_MEASURABLE, 2, "Withheld: too few people to show.")
