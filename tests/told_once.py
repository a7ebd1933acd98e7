"""The notebooks run, and their pages written, once for all files of tests and both workers: they take longest.

Northmere's notebooks run each in a kernel of its own, so that what `bundle.publish` gets of one kernel can be held
against them, byte for byte.
"""

from __future__ import annotations

import json
import os
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import evalkit as ek
from evalkit import resources
from evalkit.reporting import bundle, notebooks
from evalkit.reporting.facts import READERS, Facts
from evalkit.reporting.notebooks import Told
from evalkit.result import Result
from evalkit.terms import Audience

Rounds = list[Told]
PAPERS = sorted(resources.folder("notebooks").glob(bundle.NUMBERED))
ALONE = "northmere"
PATIENCE, PAUSE = 900, 0.2
"""Seconds to wait for the other worker, and between two looks."""


def told(name: str, shared: Path) -> Rounds:
    """What each notebook told of a sample."""
    if name == ALONE:
        return [alone(paper, shared) for paper in PAPERS]
    return _once(shared / f"{name}.told", lambda: _run(PAPERS, name))


def alone(paper: Path, shared: Path) -> Told:
    """What one notebook told of northmere in a kernel of its own."""
    return _once(shared / f"{ALONE}-{paper.stem}.told", lambda: _run([paper], ALONE)[0])


def bundled(name: str, shared: Path) -> dict[str, bytes]:
    """Every file of a sample's bundle for every audience, as `audience/file`."""
    return _once(shared / f"{name}.bundled", lambda: _bundles(name, told(name, shared)))


def _run(papers: Sequence[Path], name: str) -> Rounds:
    (told,) = notebooks.run(papers, [{bundle.FOLDER: (resources.folder("sample_data") / name).as_posix()}])
    return told


def _bundles(name: str, told: Rounds) -> dict[str, bytes]:
    folder = resources.folder("sample_data") / name
    one = bundle._Programme(folder, Facts.of(ek.load(folder)))
    with each_chart_drawn_once():
        return {
            f"{readers}/{file}": content
            for readers in READERS
            for file, content in bundle._bundle(one, told, PAPERS, Audience(readers)).items()
        }


@contextmanager
def each_chart_drawn_once() -> Iterator[None]:
    """For three audiences mostly the same marks are drawn, and drawing takes longest. `test_charts` holds that the same
    marks give the same bytes.
    """
    drawn: dict[str, str] = {}
    draw = Result.svg

    def svg(answer: Result, **how: Any) -> str:
        marks = json.dumps([answer.chart.name, answer.about.fictional, answer.to_json()["marks"], how])
        return drawn.get(marks) or drawn.setdefault(marks, draw(answer, **how))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Result, "svg", svg)
        yield


def _once(kept: Path, make: Callable[[], Any]) -> Any:
    """What is kept in this file; made and kept by whoever asks first, while the other worker waits."""
    with _to_itself(kept.with_suffix(f"{kept.suffix}.made")):
        if not kept.exists():
            kept.write_bytes(pickle.dumps(make()))
    return pickle.loads(kept.read_bytes())


@contextmanager
def _to_itself(lock: Path) -> Iterator[None]:
    """One worker at a time: whoever makes the file `lock` goes on, and takes it away."""
    given_up = time.monotonic() + PATIENCE
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            if time.monotonic() > given_up:
                raise TimeoutError(f"{lock.name} was held by another worker for {PATIENCE} seconds.") from None
            time.sleep(PAUSE)
    try:
        yield
    finally:
        lock.unlink()
