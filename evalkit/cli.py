"""`evalkit …`: a thin shell over the front door. Answers go to stdout, progress to stderr, never a traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(
    help="What changed, and was it the programme? Reports on system-leadership programmes in health and care.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Readers(StrEnum):
    """Who a report may be written for."""

    COMMISSIONER = "commissioner"
    TEAM = "team"
    PUBLIC = "public"


def _print_version(asked: bool) -> None:
    if asked:
        from evalkit import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say the version, and stop.")
    ] = False,
) -> None:
    """Evaluate system-leadership programmes."""
    for stream in (sys.stdout, sys.stderr):  # a Windows console may not speak UTF-8 by itself
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8")


@app.command()
def report(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FOLDER]...", help="Programme folders; the shipped samples when none is given.", exists=True
        ),
    ] = None,
    audience: Annotated[Readers, typer.Option(help="Who will read it.")] = Readers.COMMISSIONER,
    out: Annotated[Path, typer.Option(help="Where to write.", file_okay=False)] = Path("reports"),
) -> None:
    """Run the notebooks on each folder and write its pages; prints where each index.html is."""
    from rich.console import Console

    from evalkit import resources
    from evalkit.reporting import bundle

    asked = folders or sorted(found.parent for found in resources.folder("sample_data").glob("*/programme.toml"))
    screen = Console(stderr=True)
    with _refusals(), screen.status("Reading the data"):
        pages = bundle.publish(
            asked, out, audience=audience.value, progress=lambda said: screen.print(said, markup=False)
        )
    for written in pages:
        typer.echo(written)


@app.command()
def check(folder: Annotated[Path, typer.Argument(help="A programme folder.", exists=True)]) -> None:
    """List every problem in a folder's data: where it is, what is wrong, what to do."""
    from evalkit.programme import check as problems_in

    with _refusals():
        problems = problems_in(folder)
    if problems.empty:
        typer.echo("No problems found.")
        return
    _show(problems)
    raise typer.Exit(1)


@app.command()
def simulate(
    seed: Annotated[int, typer.Option(help="The same seed gives the same programme.")],
    out: Annotated[Path, typer.Option(help="The folder to write.", file_okay=False)],
) -> None:
    """Write an invented programme whose truth is known, to try things on."""
    from evalkit import simulation

    with _refusals():
        written = simulation.write(simulation.simulate(seed=seed), out)
    typer.echo(written)


@contextmanager
def _refusals() -> Iterator[None]:
    """evalkit's own refusals become a message and exit 1; anything else is a fault and stays one."""
    from evalkit.errors import DataProblems, NotEnoughEvidence, Refused

    try:
        yield
    except (DataProblems, NotEnoughEvidence, Refused) as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(1) from None


def _show(problems: pd.DataFrame) -> None:
    """The problems as a table, as wide as the screen; as lines where there is no screen to fit."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from evalkit.html import cell

    screen = Console(width=None if sys.stdout.isatty() else 200)
    table = Table(*(name.capitalize() for name in problems.columns), caption=f"{len(problems)} found")
    for row in problems.astype(object).to_numpy().tolist():
        table.add_row(*(Text(cell(value)) for value in row))
    screen.print(table)
