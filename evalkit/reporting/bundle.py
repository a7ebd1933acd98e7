"""The bundle: a folder a programme with its pages, its ledger of claims, what it was made from, and a log.

The same data, parameters and versions give the same bytes for every file but the log.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from evalkit import programme, resources, spreadsheet, words
from evalkit.disclosure import protect
from evalkit.errors import Refused
from evalkit.reporting import ledger, notebooks, page
from evalkit.reporting.blanks import Blank
from evalkit.reporting.facts import Facts, shown_to
from evalkit.reporting.notebooks import Told
from evalkit.result import Result
from evalkit.terms import Audience

NUMBERED = "[0-9][0-9]_*.ipynb"
"""The notebooks a report is made of, in the order of their numbers."""
FOLDER = "folder"
"""The one parameter every notebook of a report has: where the programme's data are."""
HANDOUT = "handout.html"
MADE_WITH = ("evalkit", "pandas", "numpy", "scipy", "statsmodels", "matplotlib", "seaborn")


@dataclass(frozen=True, slots=True)
class _Programme:
    """One folder on its way to a bundle."""

    folder: Path
    facts: Facts

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @property
    def bundle(self) -> str:
        """What its pages are put under: the folder's name, a workbook's without its ending."""
        return self.folder.resolve().stem if self.folder.is_file() else self.name


def publish(
    folders: Sequence[str | Path],
    out: str | Path,
    *,
    audience: str = "commissioner",
    progress: Callable[[str], None] = lambda said: None,
    working: Path | None = None,
) -> list[Path]:
    """Load each folder, run the numbered notebooks on it (one kernel for all), and write `out/<folder>/`.

    Returns the path of each index.html. `working` is the folder of the notebooks, the shipped ones unless given.
    Nothing is written for any programme unless every notebook ran. Raises DataProblems, or Refused with the notebook,
    the cell and the reason.
    """
    readers = shown_to(audience)
    papers = sorted((working or resources.folder("notebooks")).glob(NUMBERED))
    asked = [_Programme(Path(folder), Facts.of(programme.load(folder))) for folder in folders]
    _refuse_same_names([one.bundle for one in asked])
    progress(f"{words.counted(len(papers), 'notebook')} for {words.listed([one.name for one in asked])}")
    settings = [{FOLDER: one.folder.resolve().as_posix()} for one in asked]
    with ThreadPoolExecutor(max_workers=1) as drawing:  # while the kernel works on the next notebook

        def draw(told: Told) -> None:
            drawing.submit(page.draw, _protected(told, readers).results)

        rounds = notebooks.run(papers, settings, progress=progress, each=draw)
        progress("Drawing the pages")
    bundles = [_bundle(one, told, papers, readers) for one, told in zip(asked, rounds, strict=True)]
    return [
        _write(Path(out) / one.bundle, files, told) for one, files, told in zip(asked, bundles, rounds, strict=True)
    ]


def _refuse_same_names(names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Refused(f"Two folders are called {twice[0]!r} and would be written over each other; report them apart.")


def _bundle(one: _Programme, told: Sequence[Told], papers: Sequence[Path], readers: Audience) -> dict[str, bytes]:
    """Every file of the bundle but the log, by name."""
    shown = [_protected(notebook, readers) for notebook in told]
    answers, where = _once([(answer, notebook.name) for notebook in shown for answer in notebook.results])
    blanks = tuple(dict.fromkeys(blank for notebook in shown for blank in notebook.blanks))
    beside = [(f"{notebook.name}.html", notebook.title) for notebook in shown]
    files = {f"{notebook.name}.html": page.notebook(one.facts, notebook, readers) for notebook in shown}
    files["index.html"] = page.report(
        one.facts, answers, readers, blanks=blanks, notebooks=beside, folder=one.name, handout=HANDOUT
    )
    files[HANDOUT] = page.handout(one.facts, answers, readers, blanks=blanks)
    written = {name: text.encode() for name, text in files.items()}
    written["claims.csv"] = spreadsheet.plain_csv(ledger.of(answers, where)).encode("utf-8-sig")
    written["manifest.json"] = _manifest(one, papers, readers, written)
    return written


@lru_cache(maxsize=128)
def _protected(told: Told, readers: Audience) -> Told:
    """The notebook with every answer in the copy these readers may see; the same copies whenever it is asked for."""
    try:
        blocks = tuple(protect(block, readers) if isinstance(block, Result) else block for block in told.blocks)
    except Refused as refusal:
        raise Refused(f"The report is refused: in {told.name}, {refusal}") from None
    return Told(told.name, told.title, blocks, told.log)


def _once(told: Sequence[tuple[Result, str]]) -> tuple[list[Result], dict[int, str]]:
    """Each answer once, where it was first asked, and the notebook of each position."""
    first: dict[str, tuple[Result, str]] = {}
    for answer, name in told:
        first.setdefault(answer.about.asked, (answer, name))
    return [answer for answer, _ in first.values()], {at: name for at, (_, name) in enumerate(first.values())}


def _manifest(one: _Programme, papers: Sequence[Path], readers: Audience, written: dict[str, bytes]) -> bytes:
    """What the bundle was made from, and a fingerprint of each file in it. No time, no machine, no path."""
    made = {
        "programme": one.facts.programme,
        "fictional": one.facts.fictional,
        "as_of": one.facts.as_of.isoformat(),
        "audience": readers.value,
        "parameters": {FOLDER: one.name},
        "data_hash": one.facts.data_hash,
        "data": dict(one.facts.files),
        "notebooks": {paper.name: _sha256(paper.read_bytes()) for paper in papers},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in MADE_WITH}},
        "files": {name: _sha256(content) for name, content in sorted(written.items())},
    }
    return (json.dumps(made, indent=2, ensure_ascii=False) + "\n").encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(target: Path, files: dict[str, bytes], told: Sequence[Told]) -> Path:
    """Write the bundle and its log; returns index.html."""
    target.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (target / name).write_bytes(content)
    log = [f"Written {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"]
    for notebook in told:
        log += [f"{notebook.name}: {len(notebook.results)} answers, {len(notebook.blanks)} not measured"]
        log += [f"  not measured: {_said(blank)}" for blank in notebook.blanks]
        log += [f"  printed: {line}" for line in notebook.log]
    (target / "run.log").write_bytes(("\n".join(log) + "\n").encode())
    return target / "index.html"


def _said(blank: Blank) -> str:
    return f"{blank.question} {blank.missing}"
