"""What was taken out, in figures and in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What was taken out: every id of the person, and rows and single cells by file or sheet.

    `reports` were made from the very files that change, `may_hold` from the same programme at another time. `changed`
    says what else changes in a workbook. `by_hand` are tables in which somebody must look for the person, `mappings`
    those of programme.toml that name them.
    """

    ids: tuple[str, ...]
    rows: Mapping[str, int]
    cells: Mapping[str, int]
    reports: tuple[Path, ...]
    may_hold: tuple[Path, ...]
    changed: tuple[str, ...]
    by_hand: tuple[str, ...]
    mappings: tuple[str, ...]

    def __str__(self) -> str:
        """In sentences."""
        lines = [f"Ids taken out: {', '.join(self.ids)}."]
        lines += [f"  {file}: {count} {'row' if count == 1 else 'rows'}" for file, count in self.rows.items()]
        lines += [
            f"  {file}: {count} {'cell' if count == 1 else 'cells'} made blank or written anew"
            for file, count in self.cells.items()
        ]
        lines += self.changed
        lines.append(
            "Reports made from the data as they were, to be made again and taken back wherever they were sent:"
        )
        lines += [f"  {report.as_posix()}" for report in self.reports] or ["  none found here; think of those sent."]
        if self.may_hold:
            lines.append("Reports of this programme from other states of the data; they may hold the person too:")
            lines += [f"  {report.as_posix()}" for report in self.may_hold]
        if self.by_hand:
            lines.append(
                f"These hold words and no ids; look for the person in them yourself: {', '.join(self.by_hand)}."
            )
        for name in self.mappings:
            lines.append(f"programme.toml still names them under [mapping.{name}]: take them out there yourself.")
        return "\n".join(lines)
