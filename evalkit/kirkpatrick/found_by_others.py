"""What did others find? Each finding in its source's own words, with its figure, how it was found, and who checked it.

None of it is worked out again here: it stands beside our answers, marked so, and decides none of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS, kept_back
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import Evidence, grade
from evalkit.kirkpatrick.cells import CELLS, SPOKEN_OF
from evalkit.result import Method, Quote, Result, Sentence
from evalkit.terms import Attribution, Design, Level
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.programme import Programme

FINDINGS = "What did others find, and did anybody check it?"
BY_OTHERS = "kirkpatrick.found_by_others("
"""How the question of other people's findings is asked: what holds them is known by it."""
NOT_RERUN = "not re-run by us"
"""What stands beside every finding of somebody else, wherever it is shown."""
NOBODY = "nobody"
OTHERS = Method(
    name="Findings of others, quoted as published",
    source="Beside each finding: where it stands, as whoever wrote it down gave it.",
    assumes="That each source says what is quoted here, and that it counted what it says it counted.",
    design=Design.DESCRIBED,
)
DESIGNS = {
    Design.DESCRIBED: "described once",
    Design.BEFORE_AFTER: "before and after",
    Design.INTERRUPTED: "an interrupted series",
    Design.COMPARED: "compared",
    Design.RANDOMISED: "randomised",
}
"""How a source came by its finding, in the words of the table `findings`."""
NOT_SAID = "not said"
PAGE = r"[\s,;(]+(pp?\.|pages?|tables?|figures?|sections?|chapters?|ch\.|annex|appendix|§)\s*[\w.]+.*$"
"""Where in a source a finding stands: findings of two pages are of one source, and tell each other."""


def found_by_others(programme: Programme, *, level: str | None = None) -> Result:
    """What did others find, and did anybody check it?

    Needs: `findings`. Every one is shown as its source published it, in the source's own words, marked "not re-run by
    us": it is no answer of ours, changes none, and has no verdict. `level`: only what speaks to it (individual, team,
    population, process or story). The grade follows from the design the source names; a comparison counts as one with
    others who may have differed from the start. One that rests on fewer than the minimum is withheld from every reader
    but the evaluator, and so is one that would tell it. Extras: n_of, what (which finding), finding (the statement),
    source, place, design, grade, checked_by (by role), rerun, tells. Errors: `NotEnoughEvidence` without findings.

    >>> import evalkit as ek
    >>> found_by_others(ek.load("sample_data/northmere")).headline
    '4 findings by others, not re-run by us'
    """
    table = _found(programme, level)
    headline = Sentence(f"{words.counted(len(table), 'finding')} by others, {NOT_RERUN}")
    told = f"level={level!r}" if level else ""
    return Result.of(
        question=FINDINGS,
        level=Level.SYNTHESIS,
        kirkpatrick=None,
        headline=headline,
        sentences=_of_findings(table, programme.minimum_group),
        decided=described(f"Found by others, and {NOT_RERUN}."),
        attribution=Attribution.CANNOT_TELL,
        table=table,
        marks=_spoken_to(table, programme.title, headline.text),
        chart=charts.named("bars"),
        method=OTHERS,
        evidence=grade(Design.DESCRIBED),
        cautions=_doubts(table),
        about=circumstances.about(
            programme, f"{BY_OTHERS}{told})", n=len(table), of=len(programme.findings), counts="findings"
        ),
        quotes=map(_quote, table[table[TELLS].isna()].to_dict("records")),
    )


def _found(programme: Programme, level: str | None) -> pd.DataFrame:
    """A row a finding, by what it speaks to, else in the order written."""
    every, known = programme.findings, [one.value for one in SPOKEN_OF if one]
    if level is not None and level not in known:
        raise ValueError(f"No level of findings is called {level!r}. There are: {words.listed(known)}.")
    held = every.assign(**{TELLS: _telling(every, programme.minimum_group)})
    held = held if level is None else held[held["level"] == level]
    if held.empty:
        raise NotEnoughEvidence(
            FINDINGS,
            missing=f"No finding by others{f' of level {level!r}' if level else ''} is written down.",
            would_answer="findings.csv: one row a finding, with what was found in one sentence, where it stands, how "
            "it was found, its figures, and the role of whoever checked it against its source.",
        )
    places, labels = circumstances.place_names(programme), {key: one.label for key, one in programme.measures.items()}
    named = held.assign(place=held["place_id"].map(places), measure=held["measure"].replace(labels))
    rows = [_row(row) for row in named.to_dict("records")]
    table = pd.DataFrame([row for group in CELLS for row in rows if row["group"] == group])
    return table.astype({**dict.fromkeys(("estimate", "low", "high"), float), "n": "Int64", TELLS: "Int64"})


def _telling(findings: pd.DataFrame, minimum: int) -> pd.Series[int]:
    """Of each finding that is withheld, how few it would tell: its own, or another's of this source and measure."""
    tells = pd.Series(pd.NA, index=findings.index, dtype="Int64")
    source = findings["source"].fillna("").str.lower().str.replace(PAGE, "", regex=True).str.strip(" .,;")
    for _, rows in findings.groupby([source, "measure"], dropna=False):
        for row in kept_back(rows["n"], minimum):
            tells[row] = rows["n"].min()
    return tells


def _row(finding: Mapping[Any, Any]) -> dict[str, Any]:
    said = {name: "" if pd.isna(value) else value for name, value in finding.items()}
    about = SPOKEN_OF[Level(said["level"]) if said["level"] else None]
    ends = pd.notna(finding["low"]) + pd.notna(finding["high"])
    row = {
        "measure": said["measure"] or NOT_SAID, "group": f"{about}, {said['step']}" if said["step"] else about,
        "estimate": finding["estimate"], "low": finding["low"], "high": finding["high"],
        "interval": ("none given", "one end, as published", "as published")[ends], "n": finding["n"],
        "unit": said["unit"] or NOT_SAID, "n_of": "people, teams or cases, as the source counted",
        "what": f"finding {said['finding_id']}", "finding": " ".join(said["statement"].split()),
        "source": said["source"], "place": said["place"],
        "design": DESIGNS[Design(said["design"])] if said["design"] else NOT_SAID,
    }  # fmt: skip
    earned = evidence_of(row)
    row["grade"] = earned.words if earned else "no grade"
    return {**row, "checked_by": said["checked_by"] or NOBODY, "rerun": NOT_RERUN, TELLS: finding[TELLS]}


def evidence_of(row: Mapping[Any, Any]) -> Evidence | None:
    """What the design of somebody else's finding earns, by its row; None where nobody said how it was found."""
    named = {said: design for design, said in DESIGNS.items()}.get(row["design"])
    return None if named is None else grade(named, said=CELLS[row["group"]][0] is Level.STORY)


def quoted(row: Mapping[Any, Any]) -> str:
    """The statement as its source's own words: whole, so that its meaning stays, and in quotation marks."""
    return f"“{row['finding']}”"


def _quote(row: Mapping[Any, Any]) -> Quote:
    """A finding with where it stands, how it was come by, and who checked it."""
    where = f"{row['group']}: {row['place']}" if row["place"] else row["group"]
    how = f"How it was found: {row['design']} ({row['grade']}). Checked against its source by {row['checked_by']}."
    marked = words.without_why(f"{words.sentence_case(NOT_RERUN)}. {how}")
    return Quote(
        words.without_why(where), f"{quoted(row)}\n{_figure(row)}", row["source"].strip().removesuffix("."), marked
    )


def _figure(row: Mapping[Any, Any]) -> str:
    """The figure with its ends and on how many it rests, with the digits that were written down."""
    if pd.isna(row["estimate"]):
        return "As published: no figure."
    low, high = (_digits(row[end]) if pd.notna(row[end]) else NOT_SAID for end in ("low", "high"))
    ends = "no interval given" if row["interval"] == "none given" else f"{low} to {high}"
    rests = "on how many it rests is not said" if pd.isna(row["n"]) else f"rests on {row['n']:,}"
    return f"As published: {row['measure']}, {_digits(row['estimate'])} {row['unit']} ({ends}; {rests})."


def _digits(value: float) -> str:
    return f"{value:,.10g}".replace("-", "−")


def _of_findings(table: pd.DataFrame, minimum: int) -> list[Sentence]:
    """Counts of findings, which tell nobody: the figures stand with each finding."""
    about = table["group"].map(lambda group: SPOKEN_OF[CELLS[group][0]].lower())
    checked, few = int((table["checked_by"] != NOBODY).sum()), int(table[TELLS].notna().sum())
    by = sorted({*table["checked_by"]} - {NOBODY})
    said = [
        f"{words.sentence_case(words.counted(len(table), 'finding'))} by others, {NOT_RERUN}: {_times(about)}.",
        f"How they were found: {_times(table['design'])}.",
        f"Checked against its source: {words.of(checked, len(table))} (by role: {words.listed(by)})."
        if by
        else "Nobody checked any of them against its source.",
    ]
    if few:
        said.append(f"Not quoted: {words.of(few, len(table))}, on fewer than {minimum}, or telling one that is.")
    return [Sentence(text) for text in said]


def _times(said: pd.Series[str]) -> str:
    return words.listed([f"{text} ({n})" for text, n in Counter(said).items()])


def _doubts(table: pd.DataFrame) -> list[Sentence]:
    said = [
        "We re-ran none of it: a mistake in a source stands here as it stood there.",
        "These are the findings somebody wrote down for this evaluation; what else was found is not known.",
        "The grade follows from the design a source names; how well that was carried out was not looked at.",
    ]
    if (table["checked_by"] == NOBODY).any():
        said.insert(1, "What nobody checked may say something else where it was published.")
    return [Sentence(text) for text in said]


def _spoken_to(table: pd.DataFrame, programme: str, headline: str) -> pd.DataFrame:
    """A bar for each level and step, on a row that may be shown where one may."""
    bars = []
    for group in dict.fromkeys(table["group"]):
        rows = table[table["group"] == group].sort_values(TELLS, na_position="first", kind="stable")
        checked = int((rows["checked_by"] != NOBODY).sum())
        label = f"{len(rows)} ({checked} checked)"
        bars.append({"mark": "bar", "x": group, "y": len(rows), "row": rows.index[0], "label": label})
    said = "Findings by what they speak to, and how many were checked against their source"
    return charts.marks(bars, headline=headline, subtitle=f"{said}, {programme}")
