"""Run notebooks, one kernel for all, and carry away their prose, their Results and their named blanks. Nothing else.

A kernel's HTML, pictures, printed text and warnings never reach a page: a Result is read back from its JSON.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from evalkit import result as results
from evalkit.errors import Refused
from evalkit.reporting import blanks, prose
from evalkit.reporting.blanks import Blank
from evalkit.result import Result

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbformat import NotebookNode

PATIENCE = 600
"""Seconds a cell may take before the report is given up."""
SET_UP = "from evalkit.reporting import kernel; kernel.prepare()"
SLOW_AND_UNUSED = "rfc3987_syntax"
"""A check of internet addresses that nbformat imports where it is there: over two seconds, and no notebook needs it."""
BLANK_ERROR = "NotEnoughEvidence"
_FOLDERS = re.compile(r"(?<![\w:/.])(?:[A-Za-z]:)?[\\/](?:[^\s'\":\\/]+[\\/])+")


@dataclass(frozen=True, slots=True)
class Prose:
    """A markdown cell, already made safe HTML."""

    html: str


Block = Prose | Result | Blank
"""What a notebook's page is made of, in the order it was written."""


@dataclass(frozen=True, slots=True)
class Told:
    """A notebook after it ran: its question, its blocks in order, and what it printed (for the log only)."""

    name: str
    title: str
    blocks: tuple[Block, ...]
    log: tuple[str, ...]

    @property
    def results(self) -> tuple[Result, ...]:
        """The answers, in order."""
        return tuple(block for block in self.blocks if isinstance(block, Result))

    @property
    def blanks(self) -> tuple[Blank, ...]:
        """The questions that could not be answered, in order."""
        return tuple(block for block in self.blocks if isinstance(block, Blank))


def run(
    notebooks: Sequence[Path],
    settings: Iterable[Mapping[str, str]],
    *,
    progress: Callable[[str], None] = lambda said: None,
    each: Callable[[Told], None] = lambda told: None,
) -> list[list[Told]]:
    """Run every notebook once for each of the settings, in one kernel whose names are forgotten between notebooks.

    `settings` give values to names in the cell tagged `parameters`, one mapping a round. Returns a list a round; `each`
    hears of every notebook as soon as it ran. Raises `Refused` when a cell fails, a name is not a parameter, or a
    heading is missing.
    """
    rounds_told: list[list[Told]] = []
    with _kernel(notebooks[0].parent) as manager:
        rounds = [[_ready(path, values) for path in notebooks] for values in settings]
        client = _client(manager, rounds[0][0])
        drawing = Thread(target=_make_ready_to_draw, daemon=True)
        drawing.start()
        with client.setup_kernel(cleanup_kc=True):
            for notebooks_of_round in rounds:
                rounds_told.append([])
                for path, notebook in zip(notebooks, notebooks_of_round, strict=True):
                    progress(path.stem)
                    _execute(client, notebook, path.name)
                    rounds_told[-1].append(_told(notebook, path))
                    each(rounds_told[-1][-1])
        drawing.join()
    return rounds_told


def _make_ready_to_draw() -> None:
    """Import what the pages are drawn with while the kernel works: the seconds would otherwise be waited for after."""
    import seaborn  # noqa: F401


def parameters(notebook: NotebookNode, name: str) -> tuple[int, dict[str, str]]:
    """Where the cell tagged `parameters` stands, and the names it gives values to."""
    tagged = [at for at, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise Refused(f"{name} has {len(tagged)} cells tagged 'parameters'; tag exactly one.")
    names: dict[str, str] = {}
    for line in ast.parse(notebook.cells[tagged[0]].source).body:
        plain = isinstance(line, ast.Assign) and len(line.targets) == 1 and isinstance(line.value, ast.Constant)
        if not (plain and isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name)):
            raise Refused(f'{name}: the parameters cell may hold only lines such as folder = "…".')
        names[line.targets[0].id] = ast.unparse(line.value)
    return tagged[0], names


def without_paths(text: str) -> str:
    """The text with every folder cut from its paths: a message names a file, never a machine.

    >>> without_paths("No such file: '/home/someone/northmere/responses.csv'")
    "No such file: 'responses.csv'"
    """
    return _FOLDERS.sub("", text)


def _ready(path: Path, values: Mapping[str, str]) -> NotebookNode:
    """The notebook with its parameters set and the set-up cell before its first."""
    with _without(SLOW_AND_UNUSED):
        import nbformat

    notebook = nbformat.read(path, as_version=4)
    at, names = parameters(notebook, path.name)
    unknown = sorted(set(values) - set(names))
    if unknown:
        raise Refused(f"{path.name} has no parameter {', '.join(unknown)}; it has {', '.join(names)}.")
    names |= {name: repr(value) for name, value in values.items()}
    notebook.cells[at].source = "\n".join(f"{name} = {value}" for name, value in names.items())
    notebook.cells.insert(0, nbformat.v4.new_code_cell(SET_UP, id="set-up"))
    return notebook


@contextmanager
def _without(module: str) -> Iterator[None]:
    """Import what follows as if this module were not installed."""
    known = module in sys.modules
    if not known:
        sys.modules[module] = None  # type: ignore[assignment]  # Python's own way to say: not to be had
    try:
        yield
    finally:
        if not known:
            del sys.modules[module]


@contextmanager
def _kernel(folder: Path) -> Iterator[AsyncKernelManager]:
    """A kernel on encrypted channels, working in the notebooks' folder. It starts while the notebooks are read."""
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_core.utils import run_sync

    manager = AsyncKernelManager(kernel_name="python3", transport_encryption="required")
    run_sync(manager.start_kernel)(cwd=str(folder), extra_arguments=["--HistoryManager.hist_file=:memory:"])
    try:
        yield manager
    finally:
        if manager.has_kernel:
            run_sync(manager.shutdown_kernel)(now=True)


def _client(manager: AsyncKernelManager, first: NotebookNode) -> NotebookClient:
    from nbclient import NotebookClient

    return NotebookClient(
        first, km=manager, timeout=PATIENCE, shutdown_kernel="immediate", allow_error_names=[BLANK_ERROR]
    )


def _execute(client: NotebookClient, notebook: NotebookNode, name: str) -> None:
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    client.nb = notebook
    client.reset_execution_trackers()
    for at, cell in enumerate(notebook.cells):
        try:
            client.execute_cell(cell, at)
        except CellExecutionError as error:
            raise _failed(name, at, error.ename, error.evalue) from None
        except CellTimeoutError:
            raise _failed(name, at, "Timeout", f"the cell took more than {PATIENCE} seconds.") from None
        except DeadKernelError:
            raise _failed(name, at, "Kernel stopped", "Python ended while the cell ran.") from None
        for output in cell.get("outputs", []):
            if output.output_type == "error" and output.ename != BLANK_ERROR:
                raise _failed(name, at, output.ename, output.evalue)


def _failed(name: str, at: int, kind: str, message: str) -> Refused:
    return Refused(
        f"The report is refused: {name}, cell {at} failed with {kind}: {without_paths(message)}\n"
        "Mend the cell or the data and run the report again; no page was written."
    )


def _told(notebook: NotebookNode, path: Path) -> Told:
    """Prose, Results and blanks in order; everything printed goes to the log."""
    cells = notebook.cells[1:]
    title, written = prose.title_and_html([cell.source for cell in cells if cell.cell_type == "markdown"], path.name)
    texts = iter(written)
    blocks: list[Block] = []
    log: list[str] = []
    for cell in cells:
        if cell.cell_type == "markdown":
            text = next(texts)
            blocks += [Prose(text)] if text else []
        for output in cell.get("outputs", []):
            blocks += _carried(output)
            log += [without_paths(line) for line in output.get("text", "").splitlines()]
    return Told(path.stem, title, tuple(blocks), tuple(log))


def _carried(output: Mapping[str, Any]) -> list[Block]:
    data = output.get("data", {})
    if results.MIME in data:
        return [Result.from_json(data[results.MIME])]
    if blanks.MIME in data:
        return [Blank.from_json(data[blanks.MIME])]
    return []
