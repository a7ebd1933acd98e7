"""What every test shares: hypothesis without a clock, and the outside numbers where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("evalkit", deadline=None, max_examples=40)
settings.load_profile("evalkit")


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of numbers that other programs gave; the test is skipped where it is not at hand."""
    folder = os.environ.get("EVALKIT_REFERENCE")
    if not folder:
        pytest.skip("EVALKIT_REFERENCE is not set: the outside numbers are not at hand.")
    return Path(folder)
