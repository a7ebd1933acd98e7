"""A synthetic twin of a programme's folder: laid out alike, and nothing in it is anybody's.

An external team writes and tries its code on the twin and never sees the data. What is kept is a `Shape` (`shape`), the
one thing taken from the programme; ids (`cast`), cells (`cells`), answers (`answered`), figures (`figures`) and tables
(`drawn`) are made from the shape and a seed alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pandas as pd

from data_schemas.tables import schema
from evalkit import menu, reading
from evalkit.errors import Refused
from evalkit.programme import Programme, check, load
from evalkit.reading import Contents
from evalkit.reading.catalogued import FOLDERS
from evalkit.simulation import writing
from evalkit.simulation.twin import shape as shapes
from evalkit.simulation.twin.cast import Cast
from evalkit.simulation.twin.cells import Cells
from evalkit.simulation.twin.drawn import Drawn
from evalkit.simulation.twin.shape import Shape

if TYPE_CHECKING:
    from evalkit.menu import Menu

__all__ = ["Shape", "tables", "write"]

ROUNDS = 20
"""How often a twin is read and what is wrong in it left out; once has been enough so far."""


def write(source: str | Path, out: str | Path, *, seed: int = 1) -> Path:
    """Write the twin of a programme's folder or workbook to a new folder, and say where it is.

    The same source and seed give the same bytes. Raises DataProblems where the source has problems, Refused where the
    folder to write is there already and holds something.
    """
    target, programme = Path(out), load(source)
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise Refused(f"{target.name} is there already and holds something. Give the name of a new folder.")
    twin = _Twin(shapes.of(programme), programme, seed)
    with TemporaryDirectory() as made:
        folder = Path(made) / "twin"
        folder.mkdir()
        _copy_catalogues(Path(source), folder)
        twin.write(folder)
        shutil.copytree(folder, target, dirs_exist_ok=True)
    return target


def tables(shape: Shape, programme: Programme, seed: int) -> dict[str, pd.DataFrame]:
    """The tables drawn from a shape; of the programme only its catalogues are used: instruments, measures, menus."""
    named = sorted({said.measure for said in shape.outcomes}) or sorted(programme.measures)
    cells = Cells(shape, Cast(shape), tuple(named), _forms(programme.menus))
    return Drawn(shape, cells, programme.instruments, seed).tables()


def _forms(menus: Mapping[str, Menu]) -> dict[str, tuple[str, ...]]:
    return {feature: found.forms for feature, found in menu.observed(menus).items()}


def _copy_catalogues(source: Path, folder: Path) -> None:
    """What the source describes itself, byte for byte; a workbook holds no such thing."""
    if not source.is_dir():
        return
    own = [source / "measures.toml", *(source / f"{name}.toml" for name in menu.shipped())]
    inside = [path for name in FOLDERS for path in sorted((source / name).glob("*.toml"))]
    for path in [*own, *inside]:
        if path.is_file() and not path.name.startswith("."):
            copy = folder / path.relative_to(source)
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(path.read_bytes())


@dataclass(slots=True)
class _Twin:
    """A twin on its way into a folder; `left_out` is what could not be made right, in sentences."""

    shape: Shape
    programme: Programme
    seed: int
    left_out: list[str] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Tables, settings and README; what the reader finds wrong is left out and said, never left wrong."""
        made = tables(self.shape, self.programme, self.seed)
        self.left_out += [
            f"`{table}`: no rows of it could be made." for table in self.shape.columns if table not in made
        ]
        for _ in range(ROUNDS):
            self._put(folder, made)
            problems = check(folder)
            if problems.empty:
                return
            self._mend(made, problems)
        raise Refused(
            f"The twin cannot be made right: {problems['problem'].iloc[0]} Tell those who look after evalkit."
        )

    def _put(self, folder: Path, made: Mapping[str, pd.DataFrame]) -> None:
        for old in folder.glob("*.csv"):
            old.unlink()
        for table, frame in made.items():
            writing.put(folder / f"{table}.csv", reading.to_csv_text(frame, table, self.programme.instruments))
        known = {name: getattr(self.programme, name) for name in ("instruments", "measures", "menus")}
        twin = Programme(Contents(self.shape.settings, tables=made, **known))
        writing.put(folder / "programme.toml", writing.settings_text(twin))
        writing.put(folder / "README.md", self._readme(made))

    def _mend(self, made: dict[str, pd.DataFrame], problems: pd.DataFrame) -> None:
        """Leave out what is wrong: the plan, a column that may be left out, or a whole table."""
        for file, column, said in problems[["file", "column", "problem"]].drop_duplicates().itertuples(index=False):
            table = file.removesuffix(".csv")
            if file == "programme.toml":
                self.shape = shapes.without_plan(self.shape)
                self.left_out.append(f"`[plan]`: {said}")
            elif table in made:
                if column in made[table] and not schema(table).columns[column].required:
                    made[table] = made[table].drop(columns=column)
                    self.left_out.append(f"`{table}`, {column}: {said}")
                else:
                    del made[table]
                    self.left_out.append(f"`{table}`: {said}")

    def _readme(self, made: Mapping[str, pd.DataFrame]) -> str:
        """The template beside this module, filled in from the shape and what was made of it."""
        template = (Path(__file__).parent / "readme.md").read_text(encoding="utf-8")
        asked = [
            f"| `{one.instrument}` | {one.edition or ''} | {one.subject_kind} | {one.rater} | "
            f"{'' if one.wave is None else one.wave} | {one.timing} | {len(one.items)} |"
            for one in self.shape.asked
        ]
        rows = [
            f"| `{table}` | {len(frame)} | {', '.join(name for name in self.shape.columns[table] if name in frame)} |"
            for table, frame in made.items()
        ]
        return template.format(
            seed=self.seed,
            patients=f"{shapes.PATIENTS:,}",
            design=", ".join(f"`{table}.{column}`" for table, column in shapes.DESIGN),
            tables="\n".join(rows),
            asked="\n".join(asked) or "| nothing | | | | | | |",
            left_out="\n".join(f"- {line}" for line in self.left_out) or "Nothing was left out.",
        )
