"""What every test shares: hypothesis without a clock, the outside numbers where they are at hand, the dearest first."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.told_once import Rounds

# Each worker has its processor: threads of linear algebra beside it only wait for one another, three times as long.
# Before numpy is first imported; the workers and the notebooks' kernels inherit it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("evalkit", deadline=None, max_examples=40)
settings.load_profile("evalkit")

DEAREST = (
    "test_accessibility.py", "test_questions.py", "test_notebooks.py", "test_names_that_say_why.py", "test_edges.py",
    "test_edges_of_leaders.py", "test_edges_together.py", "test_power.py", "test_whole.py", "test_small_place.py",
    "test_review.py", "test_cli.py", "test_nobody_told.py", "test_nobody_is_told.py", "test_feasibility.py",
    "test_detectable_change.py", "test_numbers_of_a_plan.py", "test_round_trip.py", "test_reading.py",
    "test_simulation.py", "test_twin.py", "test_withdrawal.py", "test_group_time.py", "test_synthetic.py",
    "test_series.py", "test_growth.py", "test_reliability.py", "test_trajectories.py", "test_attrition_asked.py",
    "test_response_shift.py",
)  # fmt: skip
"""What takes longest, longest first: a file goes to one worker whole, and one left to the end is waited for."""


def pytest_configure(config: pytest.Config) -> None:
    """Leave the order below alone, which xdist would else change to that of how many tests a file has."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The dearest files first; all others as they were found."""
    place = {name: at for at, name in enumerate(DEAREST)}
    items.sort(key=lambda item: place.get(item.path.name, len(DEAREST)))


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of numbers that other programs gave; the test is skipped where it is not at hand."""
    folder = os.environ.get("EVALKIT_REFERENCE")
    if not folder:
        pytest.skip("EVALKIT_REFERENCE is not set: the outside numbers are not at hand.")
    return Path(folder)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of one run of the tests have in common."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def told(shared: Path) -> Callable[[str], Rounds]:
    """What the notebooks told of a sample, by its name. They run once for all files of tests."""
    from tests import told_once

    return lambda name: told_once.told(name, shared)


@pytest.fixture(scope="session")
def bundles(shared: Path) -> Callable[[str], dict[str, bytes]]:
    """Every file of a sample's bundles, as `audience/file`, by its name. They are made once for all files of tests."""
    from tests import told_once

    return lambda name: told_once.bundled(name, shared)
