"""A person taken out of a programme's folder, everywhere, and what must be written anew because of it.

What goes: every row about the person, every answer they gave or others gave about them, under every id of theirs
(`alias_of`). Where a row is about something else and only names them (who owns an action), the name alone goes. What
stays: what was counted before (scores, published figures), and words somebody wrote down, which hold no ids.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from data_schemas.tables import models, schema
from evalkit.errors import DataProblems, Refused
from evalkit.reading import Contents, read_folder
from evalkit.reading.pieces import Pieces, files_in, take_apart
from evalkit.reading.problems import SHEET, Problems
from evalkit.reading.pseudonyms import key_for
from evalkit.withdrawal.cuts import Cut, corrected, cut
from evalkit.withdrawal.files import book_without, csv_without


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What was taken out: every id of the person, rows and single cells by sheet, the reports made from the data as
    they were, and the tables in which somebody must look for them by hand.
    """

    ids: tuple[str, ...]
    rows: Mapping[str, int]
    cells: Mapping[str, int]
    reports: tuple[Path, ...]
    by_hand: tuple[str, ...]

    def __str__(self) -> str:
        """In sentences."""
        lines = [f"Ids taken out: {', '.join(self.ids)}."]
        lines += [f"  {file}: {count} {'row' if count == 1 else 'rows'}" for file, count in self.rows.items()]
        lines += [f"  {file}: {count} cell(s) that named them" for file, count in self.cells.items()]
        lines.append(
            "Reports made from the data as they were, to be made again and taken back wherever they were sent:"
        )
        lines += [f"  {report.as_posix()}" for report in self.reports] or ["  none found here; think of those sent."]
        if self.by_hand:
            lines.append(
                f"These hold words and no ids; look for the person in them yourself: {', '.join(self.by_hand)}."
            )
        return "\n".join(lines)


def withdraw(folder: str | Path, person: str, *, reports: str | Path = "reports", look: bool = False) -> Withdrawn:
    """Take a person out of every file of a programme's folder. With `look` nothing is written: it says what would be.

    `reports`: where bundles lie that may have been made from the data. Raises Refused where nothing holds the person,
    and DataProblems where the folder cannot be read as it is.
    """
    root = Path(folder)
    contents, problems = read_folder(root)
    if contents is None:
        raise DataProblems(problems)
    ids = _every_id(person, contents.tables.get("respondents"))
    files = files_in(root, Problems()) if root.is_dir() else {root.name: root}
    pieces = take_apart(
        {name: path.read_bytes() for name, path in files.items()}, contents.settings.mapping, Problems()
    )
    cuts = _cuts(pieces, ids, contents, root)
    if not cuts:
        raise Refused(f"Nothing in {root.name} holds {person!r}. Give the id as it stands in people or respondents.")
    if not look:
        for name, path in files.items():
            _rewrite(name, path, cuts)
    return Withdrawn(
        tuple(ids),
        {file: len(found.rows) for file, found in cuts.items() if found.rows},
        {file: len(found.cells) for file, found in cuts.items() if found.cells},
        tuple(_made_from(contents.hashes, Path(reports))),
        tuple(table for table in models() if _in_words(table) and len(contents.tables.get(table, ()))),
    )


def _every_id(person: str, respondents: pd.DataFrame | None) -> list[str]:
    """The id and every other one that leads to it or that it leads to."""
    ids = [person]
    if respondents is None:
        return ids
    pairs = respondents[["respondent_id", "alias_of"]].dropna().to_numpy().tolist()
    while more := [pair for pair in pairs if (pair[0] in ids) != (pair[1] in ids)]:
        ids += [id for pair in more for id in pair if id not in ids]
    return ids


def _cuts(pieces: Pieces, ids: list[str], contents: Contents, root: Path) -> dict[str, Cut]:
    """What goes, by the file or sheet; corrections last, because they name rows of the others."""
    addresses = any(said.respondent and said.respondent_is == "address" for said in contents.settings.mapping)
    key = key_for(root if root.is_dir() else root.parent, contents.settings.pseudonyms) if addresses else None
    others = {
        piece.sheet.file: (piece.name if piece.kind == "table" else "", cut(piece, ids, contents.instruments, key))
        for piece in pieces.found
    }
    found = {file: taken for file, (_, taken) in others.items()}
    for piece in pieces.of("table", "corrections"):
        more = corrected(piece.sheet, {file: said for file, said in others.items() if file != piece.sheet.file})
        found[piece.sheet.file] = Cut(found[piece.sheet.file].rows | more.rows, more.cells)
    return {file: taken for file, taken in found.items() if taken}


def _rewrite(name: str, path: Path, cuts: Mapping[str, Cut]) -> None:
    """The file without what goes; all of it or nothing, never half written."""
    titles = {file.partition(SHEET)[2]: found for file, found in cuts.items() if file.startswith(f"{name}{SHEET}")}
    if name not in cuts and not titles:
        return
    content = path.read_bytes()
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(csv_without(content, cuts[name]) if name in cuts else book_without(content, titles))
    beside.replace(path)


def _made_from(hashes: Mapping[str, str], reports: Path) -> list[Path]:
    """Bundles made from these very files."""
    found = []
    for manifest in sorted(reports.glob("*/manifest.json")):
        if json.loads(manifest.read_text(encoding="utf-8")).get("data") == dict(hashes):
            found.append(manifest.parent)
    return found


def _in_words(table: str) -> bool:
    """Whether a table holds prose, other than names of things, in which somebody may be spoken of."""
    columns = schema(table).columns
    return any((column.metadata or {})["form"] == "prose" and name != "name" for name, column in columns.items())
