"""The front door is light, whole, and gives functions where functions are promised."""

from __future__ import annotations

import subprocess
import sys

import pytest

import evalkit as ek

HEAVY = ("pandera", "scipy.stats", "statsmodels", "matplotlib", "seaborn", "nbclient", "duckdb", "narwhals")


def test_importing_evalkit_loads_nothing_heavy():
    said = subprocess.run(
        [sys.executable, "-c", "import sys, evalkit; print('\\n'.join(sys.modules))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = set(said.stdout.split())
    assert not [name for name in HEAVY if name in loaded]


def test_the_names_promised_stay_what_they_are_after_their_modules_are_imported():
    import importlib

    for module in ("reporting", "simulation", "programme", "result", "individual", "team", "population"):
        importlib.import_module(f"evalkit.{module}")
    for name in ("load", "check", "simulate", "report"):
        assert callable(getattr(ek, name)), name
    assert issubclass(ek.DataProblems, ValueError)
    assert issubclass(ek.NotEnoughEvidence, ValueError)
    assert callable(ek.team.maturity)
    assert callable(ek.population.change)


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(AttributeError, match=r"evalkit has no 'lod'. It offers: .*load"):
        _ = ek.lod
    assert "load" in dir(ek)
    with pytest.raises(AttributeError, match="no module 'magic'"):
        _ = ek.stats.magic
