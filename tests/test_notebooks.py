"""The notebooks as they are kept, as they run, and the bundle that comes of them."""

from __future__ import annotations

import ast
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import page_checks
import pytest
from nbformat import NotebookNode

from evalkit import resources
from evalkit.errors import DataProblems, Refused
from evalkit.reporting import bundle, notebooks
from evalkit.reporting.blanks import Blank
from evalkit.result import Result
from evalkit.terms import Level
from tests import told_once

SHIPPED = sorted(resources.folder("notebooks").glob(bundle.NUMBERED))
SAMPLES = resources.folder("sample_data")
AVOID = (
    "arm", "arms", "dose", "bridging", "signal", "signals", "assurance", "reliable change", "grow", "grew", "growth",
    "worsened", "marks", "room", "rooms", "ledger",
)  # fmt: skip
"""Words a page does without (`report_and_notebooks.md` §4)."""


def cells(path: Path, kind: str) -> list[str]:
    return [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def prose_of(path: Path) -> str:
    return "\n".join(cells(path, "markdown"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
class TestKept:
    def test_without_outputs_and_with_fixed_ids(self, path: Path) -> None:
        notebook: NotebookNode = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert all(not cell.outputs and cell.execution_count is None for cell in code)
        ids = [cell.id for cell in notebook.cells]
        assert len(set(ids)) == len(ids)
        assert not any(re.fullmatch(r"[0-9a-f]{8,}", name) for name in ids), "ids are words, so that they stay"
        assert notebook.metadata.kernelspec.name == "python3"
        assert path.read_bytes().endswith(b"}\n")

    def test_its_one_h1_is_a_question(self, path: Path) -> None:
        headings = re.findall(r"^# (.+)$", prose_of(path), flags=re.MULTILINE)
        assert len(headings) == 1
        assert headings[0].endswith("?")
        assert nbformat.read(path, as_version=4).cells[0].source.startswith("# ")

    def test_its_cells_only_ask(self, path: Path) -> None:
        for source in cells(path, "code"):
            tree = ast.parse(source)
            assert not [
                node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda))
            ]
            assert len(tree.body) <= 3

    def test_its_prose_states_no_number_and_no_word_to_avoid(self, path: Path) -> None:
        said = prose_of(path).lower()
        assert not re.search(r"\d", said), "a finding comes from a Result, never from prose"
        assert not [word for word in AVOID if re.search(rf"\b{word}\b", said)]

    def test_it_runs_alone(self, path: Path, shared: Path) -> None:
        alone = told_once.alone(path, shared)
        assert alone.title.endswith("?")
        assert len(alone.results) >= 1
        assert alone.blanks == ()


def test_the_notebooks_are_numbered_in_order_and_each_number_once() -> None:
    numbers = [int(path.name[:2]) for path in SHIPPED]
    assert numbers[:8] == list(range(8))
    assert len(set(numbers)) == len(numbers)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    bundle.publish([SAMPLES / "northmere", SAMPLES / "salford"], out)
    return out


@pytest.mark.parametrize("name", ["northmere", "salford"])
class TestBundle:
    def test_no_page_has_faults(self, published: Path, name: str) -> None:
        pages = sorted((published / name).glob("*.html"))
        assert len(pages) == len(SHIPPED) + 2  # the report and the handout
        assert {path.name: page_checks.faults(path.read_text(encoding="utf-8")) for path in pages} == {
            path.name: [] for path in pages
        }

    def test_every_link_is_to_a_page_beside_it(self, published: Path, name: str) -> None:
        for path in (published / name).glob("*.html"):
            for target in re.findall(r'href="([^"#]+)"', path.read_text(encoding="utf-8")):
                assert (published / name / target).exists(), target

    def test_nothing_says_where_it_was_made(self, published: Path, name: str) -> None:
        for path in (published / name).iterdir():
            written = path.read_text(encoding="utf-8")
            for place in (str(published), str(resources.folder("notebooks").parent), "site-packages"):
                assert place not in written, path.name

    def test_the_manifest_names_what_it_was_made_from(self, published: Path, name: str) -> None:
        made = json.loads((published / name / "manifest.json").read_text(encoding="utf-8"))
        assert made["parameters"] == {"folder": name}
        assert set(made["versions"]) == {"python", *bundle.MADE_WITH}
        assert set(made["files"]) == {path.name for path in (published / name).iterdir()} - {"manifest.json", "run.log"}
        assert set(made["notebooks"]) == {path.name for path in SHIPPED}
        assert "responses.csv" in made["data"] or name == "salford"

    def test_claims_open_in_a_spreadsheet_as_text(self, published: Path, name: str) -> None:
        said = (published / name / "claims.csv").read_bytes()
        assert said.startswith(b"\xef\xbb\xbfclaim_id,result,part,sentence")
        assert not re.search(rb'(^|,)"?[=@]', said, flags=re.MULTILINE)


def test_a_second_run_gives_the_same_bytes(published: Path, bundles: Callable[[str], dict[str, bytes]]) -> None:
    """The first ran all notebooks in one kernel, the second each in its own."""
    again = bundles("northmere")
    for path in (published / "northmere").iterdir():
        if path.name != "run.log":
            assert path.read_bytes() == again[f"commissioner/{path.name}"], path.name


def test_what_cannot_be_answered_is_a_named_blank(published: Path) -> None:
    words = page_checks.text((published / "salford" / "index.html").read_text(encoding="utf-8"))
    assert words.count("What would answer it:") > 6
    assert "not measured" in (published / "salford" / "run.log").read_text(encoding="utf-8")


def test_invented_data_say_so_on_every_page(published: Path) -> None:
    for path in (published / "northmere").glob("*.html"):
        assert "<strong>FICTIONAL.</strong>" in path.read_text(encoding="utf-8")
    for path in (published / "salford").glob("*.html"):
        assert "FICTIONAL" not in path.read_text(encoding="utf-8")


PARAMETERS = 'folder = "../sample_data/northmere"'
LOAD = "import evalkit as ek\nprogramme = ek.load(folder)"


def written(
    folder: Path, *code: str, prose: tuple[str, ...] = ("# What is so?",), parameters: str = PARAMETERS
) -> Path:
    """A small notebook: prose, parameters, then the code."""
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    notebook.cells = [nbformat.v4.new_markdown_cell(text) for text in prose]
    notebook.cells.append(nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    notebook.cells += [nbformat.v4.new_code_cell(source) for source in code]
    path = folder / "01_small.ipynb"
    nbformat.write(notebook, path)
    return path


def told_by(path: Path, **settings: str) -> notebooks.Told:
    ((told,),) = notebooks.run([path], [{"folder": (SAMPLES / "salford").as_posix(), **settings}])
    return told


def test_only_results_and_blanks_are_carried(tmp_path: Path) -> None:
    path = written(
        tmp_path, LOAD,
        "import sys, warnings\nprint('said aloud')\nprint('/home/an/secret/x.csv', file=sys.stderr)",
        "from IPython.display import HTML, display\ndisplay(HTML('<script>alert(1)</script>'))\nprogramme.scores",
        "ek.team.maturity(programme)",
        'ek.individual.growth(programme, on="system_leadership")',
        "after = 1",
        prose=("# What is so?", "Raw <script>alert(1)</script> stays words."),
    )  # fmt: skip
    told = told_by(path)
    kinds = [type(block).__name__ for block in told.blocks]
    assert kinds == ["Prose", "Result", "Blank"]
    assert isinstance(told.blocks[1], Result)
    assert isinstance(told.blocks[2], Blank)
    assert told.blocks[2].level is Level.INDIVIDUAL
    assert told.log == ("said aloud", "x.csv")
    bundle.publish([SAMPLES / "salford"], tmp_path / "out", working=tmp_path)
    page = (tmp_path / "out" / "salford" / "01_small.html").read_text(encoding="utf-8")
    assert page_checks.faults(page) == []
    assert "Raw &lt;script&gt;alert(1)&lt;/script&gt; stays words." in page
    assert "said aloud" not in page


def test_names_do_not_pass_from_notebook_to_notebook(tmp_path: Path) -> None:
    first = written(tmp_path, "left_over = 1")
    second = tmp_path / "02_next.ipynb"
    shutil.copy(written(tmp_path, "left_over"), second)
    written(tmp_path, "left_over = 1")
    with pytest.raises(Refused, match="NameError"):
        notebooks.run([first, second], [{}])


@pytest.mark.parametrize(("code", "said"), [
    ("open('/no/such/place/data.csv')", r"cell 4 failed with FileNotFoundError: .*'data\.csv'"),
    ("1 / 0", "cell 4 failed with ZeroDivisionError"),
    ("raise ek.errors.Refused('no')", "cell 4 failed with Refused: no"),
])  # fmt: skip
def test_a_failing_cell_refuses_the_report(tmp_path: Path, code: str, said: str) -> None:
    written(tmp_path, LOAD, code)
    with pytest.raises(Refused, match=said) as refused:
        bundle.publish([SAMPLES / "salford"], tmp_path / "out", working=tmp_path)
    assert "01_small.ipynb" in str(refused.value)
    assert "Traceback" not in str(refused.value)
    assert "/no/such" not in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_a_cell_that_hides_its_error_still_refuses_the_report(tmp_path: Path) -> None:
    path = written(tmp_path, "1 / 0")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].metadata["tags"] = ["raises-exception"]
    nbformat.write(notebook, path)
    with pytest.raises(Refused, match="ZeroDivisionError"):
        told_by(path)


def test_data_problems_in_a_cell_are_told_without_a_path(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "programme.toml").write_text('schema = 1\nname = "Broken"\nstarts_on = "soon"\n', encoding="utf-8")
    with pytest.raises(DataProblems):
        bundle.publish([broken], tmp_path / "out")
    with pytest.raises(Refused, match=r"DataProblems: The data have 1 problem") as refused:
        told_by(written(tmp_path, LOAD), folder=broken.as_posix())
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize(("how", "settings", "said"), [
    ({}, {"folders": "x"}, "has no parameter folders; it has folder"),
    ({"parameters": "folder = 'x'\nprint(1)"}, {}, "only lines such as"),
    ({"parameters": "folder = open('x')"}, {}, "only lines such as"),
    ({"prose": ("## No question",)}, {}, "exactly one H1"),
    ({"prose": ("# One?", "# Two?")}, {}, "exactly one H1"),
    ({"prose": ("# One?", "### Deep")}, {}, "jumps"),
])  # fmt: skip
def test_an_ill_made_notebook_is_refused(
    tmp_path: Path, how: dict[str, str], settings: dict[str, str], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        told_by(written(tmp_path, **how), **settings)  # type: ignore[arg-type]


def test_a_parameter_is_a_value_never_code(tmp_path: Path) -> None:
    nasty = "x'; raise SystemExit; '\n"
    path = written(tmp_path, f"assert folder == {nasty!r}")
    assert told_by(path, folder=nasty).blocks == ()


def test_two_folders_of_one_name_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "salford"
    shutil.copytree(SAMPLES / "salford", other)
    with pytest.raises(Refused, match="'salford'"):
        bundle.publish([SAMPLES / "salford", other], tmp_path / "out")
