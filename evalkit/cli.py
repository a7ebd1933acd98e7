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
def check(
    source: Annotated[Path, typer.Argument(metavar="FOLDER", help="A programme folder, or a workbook.", exists=True)],
    mark: Annotated[Path | None, typer.Option(help="Write a workbook with each problem marked at its cell.")] = None,
) -> None:
    """List every problem in a programme's data: where it is, what is wrong, what to do."""
    from evalkit.programme import check as problems_in

    with _refusals():
        _not_inside(source, mark)
        problems = problems_in(source)
        if problems.empty:
            typer.echo("No problems found.")
            return
        if mark is not None:
            from evalkit import workbook
            from evalkit.reading.raw import as_read

            typer.echo(workbook.marked(mark, problems, as_read(source, set(problems["file"]))))
        else:
            _show(problems)
    raise typer.Exit(1)


@app.command()
def template(
    out: Annotated[Path, typer.Option(help="The workbook to write.", dir_okay=False)],
    instrument: Annotated[
        list[str] | None, typer.Option(help="A questionnaire to add a sheet for; repeatable.")
    ] = None,
    folder: Annotated[Path | None, typer.Option(help="A programme folder whose own questionnaires count.")] = None,
) -> None:
    """Write a workbook to fill in: a sheet a table, with drop-downs, limits and explanations."""
    from evalkit import workbook

    with _refusals():
        typer.echo(workbook.template(out, instruments=instrument or (), folder=folder))


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")],
    name: Annotated[str | None, typer.Option(help="What the programme is called.")] = None,
) -> None:
    """Begin an evaluation: a folder with settings, a workbook, notebooks, a sample, and what to settle first."""
    from evalkit import starting

    with _refusals():
        typer.echo(starting.create(folder, name=name))


@app.command()
def withdraw(
    folder: Annotated[Path, typer.Argument(help="A programme folder, or a workbook.", exists=True)],
    person: Annotated[str, typer.Argument(help="The person's id in people or respondents.")],
    look: Annotated[bool, typer.Option("--look", help="Change nothing; say what would be taken out.")] = False,
    reports: Annotated[Path, typer.Option(help="Where reports made from the data may lie.")] = Path("reports"),
) -> None:
    """Take a person out of every file, and say which reports must be made again."""
    from evalkit import withdrawal

    with _refusals():
        typer.echo(str(withdrawal.withdraw(folder, person, reports=reports, look=look)))


@app.command()
def pseudonym(
    key: Annotated[Path, typer.Argument(metavar="KEY", help="The file of the secret key, outside the data.")],
    addresses: Annotated[list[str] | None, typer.Argument(metavar="[ADDRESS]...")] = None,
    new: Annotated[bool, typer.Option("--new", help="Make a new key there first.")] = False,
) -> None:
    """Say the pseudonym of each address; with --new, make the key that makes them."""
    from evalkit.reading import pseudonyms

    with _refusals():
        if new:
            typer.echo(f"{pseudonyms.make_key(key)}  check = {pseudonyms.sign(pseudonyms.read_key(key))!r}", err=True)
        secret = pseudonyms.read_key(key)
        for address in addresses or ():
            typer.echo(f"{pseudonyms.pseudonym(address, secret)}  {address}")


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


@app.command()
def twin(
    folder: Annotated[Path, typer.Argument(help="A programme folder, or a workbook.", exists=True)],
    out: Annotated[Path, typer.Option(help="The new folder to write.", file_okay=False)],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same twin.")] = 1,
) -> None:
    """Write an invented twin: the same tables, columns and questionnaires, and nobody's data, to write code on."""
    from evalkit.simulation import twin as twins

    with _refusals():
        typer.echo(twins.write(folder, out, seed=seed))


def _not_inside(source: Path, mark: Path | None) -> None:
    """A marked copy among the data would be read as more data the next time."""
    from evalkit.errors import Refused

    if mark is not None and source.is_dir() and mark.resolve().is_relative_to(source.resolve()):
        raise Refused(f"{mark.name} would lie inside the folder it is about. Give it a place outside.")


@contextmanager
def _refusals() -> Iterator[None]:
    """evalkit's own refusals, and the system's about a file, become a message and exit 1; a fault stays one."""
    from data_schemas.catalogues import Misdescribed
    from evalkit.errors import DataProblems, NotEnoughEvidence, Refused

    try:
        yield
    except (DataProblems, NotEnoughEvidence, Refused, Misdescribed) as refusal:
        typer.echo(str(refusal), err=True)
        raise typer.Exit(1) from None
    except BrokenPipeError:
        raise
    except OSError as error:  # held open by Excel, a name too long, a folder one may not write to
        file = Path(str(error.filename)).name if error.filename else "A file"
        words = f"{file} could not be read or written: {error.strerror or error}."
        typer.echo(f"{words} Close it where it is open, and look whether you may change it.", err=True)
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
