"""A new evaluation's folder: what `evalkit new` writes, ready to be filled in."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path
from string import Template

from evalkit import resources, workbook
from evalkit.errors import Refused

_FILES = Path(__file__).resolve().parent / "files"

WRITTEN = {
    "README.md": "readme.md",
    "before_you_start.md": "before_you_start.md",
    ".gitignore": "gitignore",
    "data/README.md": "data.md",
    "data/programme.toml": "programme.toml",
}
"""Each file of the new folder, and the template it is made from."""

SAMPLE = "small_place"
"""The invented data that are copied beside, to try things on."""

DATA_FROM_NOTEBOOKS = "../data"
"""Where the notebooks of the new folder find its data."""


def create(folder: str | Path, *, name: str | None = None, on: date | None = None) -> Path:
    """Write a folder to begin an evaluation in, and say where it is. Raises Refused where something is there already.

    `name`: what the programme is called; the folder's own name when None. `on`: the day its `as_of` begins with, today
    when None: nothing in the data can lie after it.
    """
    where = Path(folder)
    called = _name(where, name)
    if where.exists() and not (where.is_dir() and not any(where.iterdir())):
        raise Refused(f"{where.name} is there already and holds something. Give the name of a new folder.")
    notebooks, sample = resources.folder("notebooks"), resources.folder("sample_data") / SAMPLE
    for part in ("data", "notebooks"):
        (where / part).mkdir(parents=True, exist_ok=True)
    words = {"title": called, "name": _quoted(called), "as_of": (on or date.today()).isoformat()}
    for target, source in WRITTEN.items():
        text = Template((_FILES / source).read_text(encoding="utf-8")).substitute(words)
        (where / target).write_text(text, encoding="utf-8", newline="\n")
    workbook.template(where / "workbook.xlsx")
    for notebook in sorted(notebooks.glob("*.ipynb")):
        (where / "notebooks" / notebook.name).write_text(_pointed(notebook), encoding="utf-8", newline="\n")
    _copy(sample, where / "sample")
    return where


def _name(where: Path, name: str | None) -> str:
    called = (where.resolve().name.replace("_", " ") if name is None else name).strip()
    if not called or not called.isprintable():
        raise Refused("The programme's name is blank, or holds a character that cannot be shown. Give another name.")
    return called


def _quoted(text: str) -> str:
    """As TOML writes it: printable text is quoted there as it is in JSON."""
    return json.dumps(text, ensure_ascii=False)


def _pointed(notebook: Path) -> str:
    """A shipped notebook whose cell tagged `parameters` names the new folder's data."""
    said = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in said["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            lines = "".join(cell["source"]).splitlines(keepends=True)
            cell["source"] = [
                f"folder = {_quoted(DATA_FROM_NOTEBOOKS)}\n" if line.startswith("folder = ") else line for line in lines
            ]
            cell["source"][-1] = cell["source"][-1].rstrip("\n")
    return json.dumps(said, ensure_ascii=False, indent=1) + "\n"


def _copy(source: Path, target: Path) -> None:
    """Contents only: what evalkit ships may be read-only, and the copy is to be changed."""
    for path in sorted(source.rglob("*")):
        if path.is_file():
            copied = target / path.relative_to(source)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied)
