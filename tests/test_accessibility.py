"""The pages as people use them, in a browser: axe-core's rules, 320 pixels, wide spacing, the keyboard, no request.

`accessibility/check.mjs` says what each check asks. Every page of every sample is read for every audience, and so is
what a notebook shows. At the end, bad pages: each check must be able to fail.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import page_checks
import pytest

import evalkit as ek
from evalkit import resources, words
from evalkit.reporting import bundle
from evalkit.reporting.facts import READERS
from evalkit.reporting.notebooks import Told
from evalkit.result import Result
from tests.told_once import each_chart_drawn_once

CHECK = Path(__file__).parent / "accessibility" / "check.mjs"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 600
"""Seconds all pages may take."""
SAMPLES = sorted(toml.parent for toml in resources.folder("sample_data").glob("*/programme.toml"))
PAPERS = sorted(resources.folder("notebooks").glob(bundle.NUMBERED))
BUNDLES = [f"{folder.name}/{readers}" for folder in SAMPLES for readers in READERS]
SHOWN = "notebook.html"
SAVED = "saved.html"

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
BARE = (
    f'<!DOCTYPE html><html lang="en-GB"><head><title>A page</title><meta http-equiv="Content-Security-Policy" '
    f'content="{POLICY}"></head><body><a href="#main">Skip to the answers</a><header></header>'
    '<main id="main"><h1>A page</h1>{}</main><footer></footer></body></html>'
)
"""The least page that has no faults of its own: what a notebook shows stands in it, and so does each bad example."""

BAD_TOGETHER = {
    "pale words": ('<p style="color: #BBB">Pale words</p>', "axe", "color-contrast"),
    "a picture without alt": ('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', "axe", "image-alt"),
    "a button without a name": ("<button></button>", "axe", "button-name"),
    "small things to press": ('<p><a href="#a">a</a> <a href="#b">b</a></p>', "axe", "target-size"),
    "a wide box": ('<div style="width: 600px">wide</div>', "reflow", "reaches to 6"),
    "a scroller without a name": (
        '<div style="overflow-x: auto"><p style="width: 500px">wide</p></div>', "reflow", "no focusable region",
    ),
    "a caption that goes with its table": (
        '<div class="scroll" role="region" tabindex="0" aria-label="Numbers" style="overflow-x: auto"><table>'
        '<caption>Many words, all in one line</caption><tr><td style="min-width: 700px">1</td></tr></table></div>',
        "reflow", "go sideways with their table",
    ),
    "a box that cuts": ('<p style="height: 1.2em; overflow: hidden">One line of words.</p>', "spacing", "hides some"),
    "a stop out of sight": ('<a style="position: absolute; left: -99em" href="#a">a</a>', "keyboard", "out of sight"),
    "something fetched": ('<img alt="A chart" src="https://example.org/chart.png">', "requests", "is asked for"),
}  # fmt: skip
"""On one page: a body, the check that must find fault with it, and what it must say."""
BAD_APART = {
    "a tabindex": ('<a href="#a" tabindex="3">first</a>', "keyboard", "out of its order"),
    "a first stop that skips nothing": ('<a href="#a" tabindex="3">first</a>', "keyboard", "no link to <main>"),
    "no outline": ("<style>a { outline: none }</style>", "keyboard", "has no outline"),
    "a trap": ('<button onkeydown="event.preventDefault()">hold</button><a href="#a">a</a>', "keyboard", "holds the"),
    "a fold that stays": (
        '<details><summary onclick="event.preventDefault()">More</summary></details>', "keyboard", "does not unfold",
    ),
}  # fmt: skip
"""The same, each on a page of its own, because one would hide the next from the keyboard."""
BAD = BAD_TOGETHER | BAD_APART


def needs() -> list[str]:
    """What is not installed, each with how to install it."""
    packages = [CHECK.parent / "node_modules" / name for name in ("axe-core", "playwright-core")]
    browser = os.environ.get("EVALKIT_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), "")
    return [
        how
        for here, how in (
            (shutil.which("node"), "Node 20 or later (Debian: nodejs)"),
            (all(package.is_dir() for package in packages), "axe-core (npm install --prefix tests/accessibility)"),
            (Path(browser).is_file(), "Chromium (Debian: chromium; elsewhere, name the program in EVALKIT_CHROMIUM)"),
        )
        if not here
    ]


def skip_without_browser() -> None:
    """Skip where something is not installed; fail where EVALKIT_ACCESSIBILITY says that it must be."""
    lacking = needs()
    if lacking:
        said = f"No page was read in a browser. Install {words.listed(lacking)}."
        if os.environ.get("EVALKIT_ACCESSIBILITY") == "required":
            pytest.fail(said)
        pytest.skip(said)


def in_browser(files: Sequence[Path]) -> list[dict[str, Any]]:
    """What `check.mjs` says of each file."""
    asked = json.dumps([str(file) for file in files])
    said = subprocess.run(["node", CHECK], input=asked, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert said.returncode == 0, said.stderr
    read: list[dict[str, Any]] = json.loads(said.stdout)
    return read


def without_reader(name: str, page: str) -> str:
    """The page without the word for its audience. Pages that differ in no more are read in the browser once."""
    readers = "|".join(READERS)
    return name.rpartition("/")[2] + re.sub(rf"(?<=--audience )({readers})|\b({readers})(?= audience)", "", page)


def once(told: Sequence[Told]) -> list[Result]:
    """Each answer once."""
    return list({answer.about.asked: answer for notebook in told for answer in notebook.results}.values())


def shown(rounds: Sequence[Sequence[Told]]) -> str:
    """What a notebook shows: every programme, one Result for each kind of chart, and a first screen."""
    charts = {answer.chart.name: answer for told in rounds for answer in once(told)}
    parts = [ek.load(folder)._repr_html_() for folder in SAMPLES]
    parts += [answer._repr_mimebundle_()["text/html"] for answer in charts.values()]
    return BARE.format("".join([*parts, ek.report(once(rounds[0]))._repr_html_()]))


@pytest.fixture(scope="module")
def pages(
    tmp_path_factory: pytest.TempPathFactory,
    told: Callable[[str], list[Told]],
    bundles: Callable[[str], dict[str, bytes]],
) -> dict[str, Path]:
    """Every page by name. `bundle.publish` would run the notebooks anew for each audience; here they run once."""
    out = tmp_path_factory.mktemp("pages")
    made = {folder.name: bundles(folder.name) for folder in SAMPLES}
    written = {f"{name}/{file}": made[name][file].decode() for name in made for file in made[name] if "html" in file}
    rounds = [told(folder.name) for folder in SAMPLES]
    with each_chart_drawn_once():
        written[SHOWN] = shown(rounds)
    ek.report(min(map(once, rounds), key=len)).save(out / SAVED)
    for name, page in written.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(page, encoding="utf-8")
    return {name: out / name for name in (*written, SAVED)}


@pytest.fixture(scope="module")
def different(pages: dict[str, Path]) -> dict[str, str]:
    """By the name of each page, that of the one read for it: the same, but perhaps for the word for its audience."""
    alike = {name: without_reader(name, page.read_text(encoding="utf-8")) for name, page in pages.items()}
    first = {content: name for name, content in alike.items()}
    return {name: first[content] for name, content in alike.items()}


@pytest.fixture(scope="module")
def browser() -> None:
    skip_without_browser()


@pytest.fixture(scope="module")
def read(browser: None, pages: dict[str, Path], different: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Each page as the browser found it, by name."""
    names = sorted(set(different.values()), key=list(pages).index)
    found = dict(zip(names, in_browser([pages[name] for name in names]), strict=True))
    return {name: found[one] for name, one in different.items()}


@pytest.fixture(scope="module")
def wrong(pages: dict[str, Path], different: dict[str, str]) -> dict[str, list[str]]:
    """What is wrong with the HTML of each page, by name."""
    found = {name: page_checks.faults(pages[name].read_text(encoding="utf-8")) for name in set(different.values())}
    return {name: found[one] for name, one in different.items()}


@pytest.fixture(scope="module")
def bad(browser: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the browser found with each bad example, by name, and with a page in order."""
    bodies = {"in order": "<details><summary>More</summary><p>Words.</p></details>"}
    bodies |= {"together": "".join(body for body, _, _ in BAD_TOGETHER.values())}
    bodies |= {name: body for name, (body, _, _) in BAD_APART.items()}
    out = tmp_path_factory.mktemp("bad")
    files = [out / f"{at}.html" for at in range(len(bodies))]
    for file, body in zip(files, bodies.values(), strict=True):
        file.write_text(BARE.format(body), encoding="utf-8")
    found = dict(zip(bodies, in_browser(files), strict=True))
    return found | dict.fromkeys(BAD_TOGETHER, found["together"])


def said(name: str, read: dict[str, Any], *checks: str) -> list[str]:
    """The faults of a page, each in a line a person can act on."""
    return [
        f"{name}: {fault['check']} {fault.get('rule', '')}: {fault['target']}: {fault['said']}"
        for fault in read["faults"]
        if not checks or fault["check"] in checks
    ]


@pytest.mark.parametrize("bundled", BUNDLES)
def test_a_bundle_has_a_page_for_every_notebook(pages: dict[str, Path], bundled: str) -> None:
    assert {f"{bundled}/{page}.html" for page in ("index", *(paper.stem for paper in PAPERS))} <= set(pages)


@pytest.mark.parametrize("where", [*BUNDLES, SHOWN, SAVED])
def test_no_page_has_faults(wrong: dict[str, list[str]], where: str) -> None:
    assert any(where in name for name in wrong)
    assert {name: faults for name, faults in wrong.items() if where in name and faults} == {}


@pytest.mark.parametrize("where", [*BUNDLES, SAVED])
def test_nothing_stands_in_a_readers_way(read: dict[str, dict[str, Any]], where: str) -> None:
    found = {name: read[name] for name in read if where in name}
    assert [line for name in found for line in said(name, found[name])] == []
    assert all(page["stops"] > 1 for page in found.values())
    for name, page in found.items():
        for unsure in page["unsure"][:1]:  # pytest -rP shows it
            print(f"{name}: of {len(page['unsure'])} elements axe cannot tell the contrast, first {unsure}")


@pytest.mark.parametrize("bundled", BUNDLES)
def test_the_handout_is_two_sides_of_paper(read: dict[str, dict[str, Any]], bundled: str) -> None:
    assert read[f"{bundled}/handout.html"]["sides"] == 2


@pytest.mark.parametrize("bundled", BUNDLES)
def test_what_to_talk_about_takes_two_sides_of_paper_at_most(read: dict[str, dict[str, Any]], bundled: str) -> None:
    assert read[f"{bundled}/07_signals_this_wave.html"]["sides"] <= 2


def test_what_a_notebook_shows_breaks_no_rule(read: dict[str, dict[str, Any]]) -> None:
    """How it is laid out is for Jupyter to say, so only axe's rules and requests are asked about."""
    assert said(SHOWN, read[SHOWN], "axe", "requests") == []


def test_a_page_in_order_has_no_faults(bad: dict[str, dict[str, Any]]) -> None:
    assert said("in order", bad["in order"]) == []
    assert bad["in order"]["stops"] == 2


@pytest.mark.parametrize("name", BAD)
def test_a_bad_page_is_found_out(bad: dict[str, dict[str, Any]], name: str) -> None:
    _, check, what = BAD[name]
    assert [fault for fault in said(name, bad[name], check) if what in fault]


@pytest.mark.parametrize("alt", [
    "No description has been provided for this image", "<Figure size 640x480 with 1 Axes> and nothing else at all",
    "evaluation_of_system_leadership_chart_number_1.png", "Chart", "",
])  # fmt: skip
def test_a_placeholder_is_no_description(alt: str) -> None:
    found = page_checks.faults(BARE.format(f'<img src="data:image/svg+xml;base64," alt="{alt}">'))
    assert found == [f"a picture without words: {alt!r}"]


def test_two_pictures_have_words_of_their_own() -> None:
    picture = f'<img src="data:image/svg+xml;base64," alt="{"The same words for two charts. " * 2}">'
    assert "two pictures with the same words" in " ".join(page_checks.faults(BARE.format(picture * 2)))


def test_without_a_browser_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("EVALKIT_CHROMIUM", raising=False)
    monkeypatch.delenv("EVALKIT_ACCESSIBILITY", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"Install Node 20 .*Debian: chromium"):
        skip_without_browser()
    monkeypatch.setenv("EVALKIT_ACCESSIBILITY", "required")
    with pytest.raises(pytest.fail.Exception, match="No page was read in a browser"):
        skip_without_browser()
