"""The ledger: one row a claim, from the copies an audience may see, each with what it rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit.kirkpatrick.found_by_others import BY_OTHERS, NOT_RERUN, evidence_of, quoted
from evalkit.result import Result, Sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS = (
    "claim_id", "result", "part", "sentence", "measure", "group", "estimate", "low", "high", "interval", "n", "unit",
    "verdict", "verdict_low", "verdict_high", "verdict_confidence", "attribution", "maryland", "nesta", "design",
    "method", "rivals", "programme", "as_of", "data_hash", "notebook", "rerun", "source", "checked_by",
)  # fmt: skip
"""The ledger's columns, in order. A sentence that rests on several numbers has a row for each. `low` and `high` are the
table's; the interval the verdict was read from, which headlines print, is `verdict_low` to `verdict_high`. `rerun` says
whether the number is worked out here; somebody else's finding has its `source`, who checked it, and no verdict."""
BY_US = "by us"
WITHHELD = "Withheld: too few people to show"
APART = ("what", "of", "told_by")
"""Columns of words that tell two rows of one measure and group apart."""
FIGURES = ("measure", "group", "estimate", "low", "high", "interval", "n", "unit")


def of(answers: Sequence[Result], notebooks: Mapping[int, str] | None = None) -> pd.DataFrame:
    """Every headline, every sentence that rests on a number, and every finding by others, once.

    `notebooks` names the notebook of each position.
    """
    told = notebooks or {}
    rows = [claim for at, answer in enumerate(answers) for claim in _claims(answer, told.get(at, ""))]
    for at, answer in enumerate(answers):
        shown = {claim["claim_id"] for claim in rows}
        rows += [claim for claim in _by_others(answer, told.get(at, "")) if claim["claim_id"] not in shown]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"n": "Int64", "maryland": "Int64", "nesta": "Int64"})


def _claims(answer: Result, notebook: str) -> Iterator[dict[str, Any]]:
    headline, sentences, _ = answer.parts
    parts = [("headline", headline), *((f"sentence {at}", said) for at, said in enumerate(sentences, 1))]
    for part, said in parts:
        for figures in _figures(answer.table, said):
            if part == "headline" or figures or any(letter.isdigit() for letter in said.text):
                yield {**_rests_on(answer, part, said, figures), "notebook": notebook}


def _figures(table: pd.DataFrame, said: Sentence) -> list[dict[str, Any]]:
    """The rows of the table a sentence rests on; one empty row when it rests on none."""
    known = [row for row in said.rows if row in table.index]
    columns = [name for name in (*FIGURES, "wave", *APART) if name in table]
    return [
        {str(name): value for name, value in row.items()} for row in table.loc[known, columns].to_dict("records")
    ] or [{}]


def _by_others(answer: Result, notebook: str) -> Iterator[dict[str, Any]]:
    """Each finding of somebody else, in its source's own words, by whatever question it is shown."""
    if not answer.about.asked.startswith(BY_OTHERS):
        return
    for row in answer.table.to_dict("records"):
        shown = pd.notna(row["finding"])
        earned = evidence_of(row) if shown else None
        yield {
            **dict.fromkeys(COLUMNS),
            **_came_of(answer),
            "claim_id": claim_id(f"{BY_OTHERS})", row["what"], row["measure"], row["group"]),
            "part": row["what"],
            "sentence": quoted(row) if shown else WITHHELD,
            **{name: row[name] for name in FIGURES},
            "maryland": earned and earned.maryland,
            "nesta": earned and earned.nesta,
            "design": earned and earned.design.value,
            "method": answer.method.name,
            "notebook": notebook,
            "rerun": NOT_RERUN,
            "source": row["source"] if shown else None,
            "checked_by": row["checked_by"] if shown else None,
        }


def _came_of(answer: Result) -> dict[str, Any]:
    """The question asked, and the data it was asked of."""
    about = answer.about
    return {
        "result": about.asked,
        "programme": about.programme,
        "as_of": about.as_of and about.as_of.isoformat(),
        "data_hash": about.data_hash,
    }


def _rests_on(answer: Result, part: str, said: Sentence, figures: dict[str, Any]) -> dict[str, Any]:
    about, evidence = answer.about, answer.evidence
    measure, group, wave = (str(figures.get(name, "")) for name in ("measure", "group", "wave"))
    return {
        "claim_id": claim_id(
            about.asked, part, measure, group, wave, *(str(figures[name]) for name in APART if figures.get(name))
        ),
        **_came_of(answer),
        "part": part,
        "sentence": said.text,
        **{name: figures.get(name) for name in FIGURES},
        "verdict": answer.verdict.value,
        "verdict_low": answer.decided.low,
        "verdict_high": answer.decided.high,
        "verdict_confidence": answer.decided.confidence if answer.decided.low == answer.decided.low else None,
        "attribution": answer.attribution.value,
        "maryland": evidence.maryland,
        "nesta": evidence.nesta,
        "design": evidence.design.value,
        "method": answer.method.name,
        "rivals": "; ".join(evidence.rivals),
        "rerun": BY_US,
    }


def claim_id(asked: str, part: str, measure: str, group: str, wave: str = "", *apart: str) -> str:
    """A short name for a claim that stays the same while the same thing is asked, whatever the number becomes.

    >>> claim_id("individual.growth(programme)", "headline", "confidence", "all")
    'c-380be0fa81'
    """
    said = "\x1f".join((asked, part, measure, group, wave, *apart))
    return f"c-{hashlib.sha256(said.encode()).hexdigest()[:10]}"
