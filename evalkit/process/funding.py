"""What money was there, from where, and will it last?"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, register, words
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.terms import Design, Sign

if TYPE_CHECKING:
    from evalkit.programme import Programme

QUESTION = "What money was there, from where, and will it last?"
METHOD = Method(
    name="Pounds granted, added up by year, kind and source",
    source="Fillingham and Weir, System leadership, The King's Fund 2014: start-up capital and transitional funding.",
    assumes="Every grant and budget the programme had is in the register, once, in the year it was for.",
    design=Design.DESCRIBED,
)
KINDS = {
    "start_up": "Start-up",
    "transitional": "Transitional",
    "recurrent": "Recurrent",
    "other": "Other",
    register.NOT_SAID: "Kind not recorded",
}
"""What money may be for, the shortest first."""
RECURRENT = KINDS["recurrent"]
NAMED = 5
"""More sources than this are counted in the sentence, and named in the table only (readability)."""
SIGN_RULE = (
    "Signs: recurrent money recorded for the financial year after the data end: working; other money only: uncertain; "
    "no money recorded for it: not recorded. This is a judgement."
)


def funding(programme: Programme) -> Result:
    """What money was there, from where, and will it last?

    Needs: `funding`: one row a grant or budget and financial year. What was granted, not what was spent. Amounts are in
    the prices of their own year and are added up as they stand. Estimates are pounds; n counts lines of the register.
    Columns: `by` (all, kind, source, next year), `last_year` (the last financial year recorded).
    Errors: `NotEnoughEvidence` when no funding was written down.

    >>> import evalkit as ek
    >>> found = funding(ek.load("sample_data/northmere")).table
    >>> found.loc[found["measure"] == "All money", ["group", "estimate"]].to_numpy().tolist()
    [['all', 405000.0], ['2024/25', 215000.0], ['2025/26', 190000.0]]
    """
    lines = programme.funding
    if lines.empty:
        raise register.not_recorded(
            QUESTION,
            "No funding was written down.",
            "funding.csv: one row a grant or budget and financial year, with its source, its kind and the pounds.",
        )
    lines = lines.assign(kind=lines["kind"].fillna(register.NOT_SAID).map(KINDS))
    table = register.table(_rows(lines, programme.as_of), extras=("by", "last_year"))
    total, recurrent = lines["amount"].sum(), lines.loc[lines["kind"] == RECURRENT, "amount"].sum()
    share = f", {words.number(100 * recurrent / total, 0)}% of it recurrent" if total else ""
    rests_on = (*_at(table, "All money")[:1], *_at(table, "Share recurrent"))
    headline = Sentence(f"{_pounds(total)} granted{share}", rows=rests_on)
    return register.counted(
        programme,
        "process.funding()",
        question=QUESTION,
        headline=headline,
        sentences=_sentences(table, lines, programme.as_of),
        table=table,
        marks=_marks(programme, table, headline.text),
        method=METHOD,
        cautions=_cautions(programme),
        n=len(lines),
        of=len(lines),
        counts="lines",
    )


def year_of(day: date) -> str:
    """The financial year, April to March, that a day falls in.

    >>> year_of(date(2026, 3, 31)), year_of(date(2026, 4, 1)), year_of(date(1999, 6, 1))
    ('2025/26', '2026/27', '1999/00')
    """
    first = day.year if day.month >= 4 else day.year - 1
    return f"{first}/{(first + 1) % 100:02d}"


def _rows(lines: pd.DataFrame, as_of: date) -> list[dict[str, Any]]:
    """All money, then by kind, then by source, each in all and by year; the share recurrent; and the year to come."""
    rows = _years("All money", lines, by="all")
    for kind in KINDS.values():
        if (lines["kind"] == kind).any():
            rows += _years(kind, lines[lines["kind"] == kind], by="kind")
    for source, given in sorted(lines.groupby("source"), key=lambda found: str(found[0]).casefold()):
        rows += _years(str(source), given, by="source")
    return [*rows, _share(lines), _to_come(lines, as_of)]


def _years(measure: str, lines: pd.DataFrame, *, by: str) -> list[dict[str, Any]]:
    """These lines in all, then year by year."""
    groups = [(ALL, lines), *((str(year), held) for year, held in lines.groupby("year"))]
    return [
        register.row(
            measure, group, n=len(held), unit="£", n_of="lines", estimate=held["amount"].sum(), by=by,
            last_year=held["year"].max(),
        )
        for group, held in groups
    ]  # fmt: skip


def _share(lines: pd.DataFrame) -> dict[str, Any]:
    """Recurrent pounds as a share of all, by the pound and not by the line."""
    recurrent, total = lines[lines["kind"] == RECURRENT], lines["amount"].sum()
    share = 100 * recurrent["amount"].sum() / total if total else float("nan")
    return register.row(
        "Share recurrent", ALL, n=len(recurrent), unit="% of pounds granted", n_of="lines", estimate=share, by="all",
        last_year=recurrent["year"].max() if len(recurrent) else "", out_of=len(lines),
    )  # fmt: skip


def _to_come(lines: pd.DataFrame, as_of: date) -> dict[str, Any]:
    """What is recorded for the financial year after the one the data end in, and how that looks (SIGN_RULE)."""
    this, coming = year_of(as_of), year_of(date(as_of.year + 1, as_of.month, 1))
    held = lines[lines["year"] == coming]
    row = register.row(
        "Recorded for the year to come", ALL, n=len(held), unit="£", n_of="lines", estimate=held["amount"].sum(),
        by="next year", last_year=lines["year"].max(),
    )  # fmt: skip
    if (held.loc[held["kind"] == RECURRENT, "amount"] > 0).any():
        return register.signed(row, Sign.WORKING, "")
    if held["amount"].sum() > 0:
        ask = f"{_pounds(held['amount'].sum())} is recorded for {coming}, none of it recurrent: what comes after it?"
        return register.signed(row, Sign.UNCERTAIN, ask)
    ask = f"The data end in {this} and no money is recorded for {coming}: what will pay for the work then?"
    return register.signed({**row, "estimate": float("nan"), "n": 0}, Sign.NOT_RECORDED, ask)


def _sentences(table: pd.DataFrame, lines: pd.DataFrame, as_of: date) -> list[Sentence]:
    years = [row for row in table.to_dict("records") if row["measure"] == "All money" and row["group"] != ALL]
    said = [f"{_pounds(row['estimate'])} for {row['group']}" for row in years]
    total = _pounds(lines["amount"].sum())
    first = f"{total} was granted on {words.counted(len(lines), 'line')} of the register: {words.listed(said)}."
    kinds = _whole(table, "kind")
    by_kind = [f"{name} {_pounds(row['estimate'])}" for name, row in kinds.items()]
    sources = _whole(table, "source")
    coming = year_of(date(as_of.year + 1, as_of.month, 1))
    held = lines.loc[lines["year"] == coming, "amount"].sum()
    after = f"{_pounds(held)} is recorded for {coming}." if held else f"Nothing is recorded for {coming}."
    return [
        Sentence(first, rows=_at(table, "All money")),
        Sentence(f"By kind: {words.listed(by_kind)}.", rows=_at(table, *kinds)),
        Sentence(f"The last year recorded of each source: {_lasting(sources)}.", rows=_at(table, *sources)),
        Sentence(after, rows=_at(table, "Recorded for the year to come")),
    ]


def _lasting(sources: dict[str, dict[Any, Any]]) -> str:
    """The last year recorded of each source by name; where they are many, how many end in each year."""
    if len(sources) <= NAMED:
        return words.listed([f"{name} {row['last_year']}" for name, row in sources.items()])
    ends = sorted(row["last_year"] for row in sources.values())
    return words.listed([f"{year} for {words.counted(ends.count(year), 'source')}" for year in dict.fromkeys(ends)])


def _whole(table: pd.DataFrame, by: str) -> dict[str, dict[Any, Any]]:
    """The rows over all years of one way of cutting the money, by name."""
    rows = table[(table["by"] == by) & (table["group"] == ALL)].to_dict("records")
    return {str(row["measure"]): row for row in rows}


def _at(table: pd.DataFrame, *measures: str) -> tuple[int, ...]:
    return tuple(table.index[table["measure"].isin(measures)])


def _pounds(amount: float) -> str:
    return f"£{words.number(amount, 0)}"


def _marks(programme: Programme, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    """A bar a year and kind."""
    shown = table[(table["by"] == "kind") & (table["group"] != ALL)].sort_values("group", kind="stable")
    bars = [
        {"mark": "bar", "x": f"{row['group']}: {row['measure']}", "y": row["estimate"], "n": row["n"], "row": at,
         "label": _pounds(row["estimate"])}
        for at, row in shown.to_dict("index").items()
    ]  # fmt: skip
    return charts.marks(bars, headline=headline, subtitle=f"Pounds granted by financial year, {programme.title}")


def _cautions(programme: Programme) -> list[Sentence]:
    said = [
        "This is what was granted, not what was spent; what the work cost is another question.",
        "Pounds of different years are added up as they stand, without correcting for prices.",
    ]
    if programme.funding["kind"].isna().any():
        said.append("Of some lines the kind was not recorded, so the share that recurs may be larger.")
    said.append("Money promised and not yet in the register is not seen here.")
    return [Sentence(text) for text in [*said, SIGN_RULE]]
