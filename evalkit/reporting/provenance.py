"""Where the answers come from: questionnaires in their editions, what a programme changed in them, and corrections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from evalkit import words

if TYPE_CHECKING:
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme


def instruments(programme: Programme) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each questionnaire the data hold answers or scores on, and what a reader must know of it."""
    asked = pd.concat([table[["instrument", "subject_kind"]] for table in (programme.responses, programme.scores)])
    kinds = asked.drop_duplicates().groupby("instrument")["subject_kind"].unique()
    found = []
    for id in sorted(kinds.index):
        known = programme.instruments[id]
        changed = programme.local.get(f"instrument {id}", ())
        cautions = [known.cautions[kind] for kind in sorted(kinds[id]) if kind in known.cautions]
        found.append((f"{known.name}, edition {known.edition}", (*_standing(known), *changed, *cautions)))
    return tuple(found)


def local(programme: Programme) -> tuple[str, ...]:
    """What the programme's own measures and menus say otherwise."""
    own = {name: said for name, said in programme.local.items() if not name.startswith("instrument ")}
    return tuple(line for said in own.values() for line in said)


def corrections(programme: Programme) -> tuple[tuple[str, ...], ...]:
    """File, column, how many cells, why, who decided and when: never which row, nor what stood there."""
    made = programme.corrections
    together = ["file", "column", "reason", "who", "decided_on"]
    counted = made.groupby(together, sort=False).size().reset_index(name="cells")
    return tuple(
        (row["file"], row["column"], words.counted(row["cells"], "cell"), row["reason"], row["who"],
         words.day(row["decided_on"]))
        for row in counted.to_dict("records")
    )  # fmt: skip


def _standing(known: Instrument) -> list[str]:
    """What is known of how good a questionnaire is, and where it comes from."""
    said = [f"Source: {known.source.removesuffix('.')}."]
    measures = "Studies show how well it measures" if known.validated else "No study shows how well it measures"
    checked = "was" if known.verified else "was not wholly"
    said.append(f"{measures}; what is shipped of it {checked} checked against the source.")
    if known.scale.evaluator_defined:
        said.append("It has no scale of its own: this one is the evaluator's.")
    if known.recorded:
        said.append("It is recorded and never averaged: another answer is a difference, not growth.")
    return said
