"""Every row of the reference's list on Student's sleep data and Efron's law schools, within its own tolerance.

The list names program and version of each value: base R, effectsize 0.8.3, MBESS's conf.limits.nct, boot 1.3-28.1.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.stats import change, correlation, effect_sizes

FOLDER = os.environ.get("EVALKIT_REFERENCE", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="EVALKIT_REFERENCE names no folder with the reference data")


def expected() -> dict[str, dict[str, float]]:
    if not FOLDER:
        return {}
    listed = json.loads((Path(FOLDER) / "people" / "expected.json").read_text(encoding="utf-8"))
    return {name: row for name, row in listed.items() if name.startswith(("sleep.", "law."))}


@cache
def drugs() -> tuple[np.ndarray, np.ndarray]:
    """Hours gained under each drug, in the order of the patients."""
    held = pd.read_csv(Path(FOLDER) / "people" / "student_sleep.csv")
    wide = held.pivot(index="ID", columns="group", values="extra")
    return wide[1].to_numpy(), wide[2].to_numpy()


def size(kind: change.Kind) -> change.EffectSize:
    return change.effect_size(*drugs(), kind=kind)


def schools(**settings: object) -> correlation.Correlation:
    held = pd.read_csv(Path(FOLDER) / "people" / "efron_law_school.csv")
    return correlation.pearson(held["LSAT"], held["GPA"], **settings)  # type: ignore[arg-type]


def t() -> float:
    found = change.paired(*drugs())
    return found.estimate / found.se


def ours() -> dict[str, Callable[[], float]]:
    """How evalkit gives each row."""
    return {
        "sleep.t": t,
        "sleep.dz": lambda: size("d_z").estimate,
        "sleep.dz.lo": lambda: size("d_z").low,
        "sleep.dz.hi": lambda: size("d_z").high,
        "sleep.gz": lambda: size("g_z").estimate,
        "sleep.J9": lambda: float(effect_sizes.correction(9)),
        "sleep.r": lambda: correlation.pearson(*drugs()).estimate,
        "sleep.dav_rms": lambda: size("d_av").estimate,
        "sleep.dav_meansd": lambda: size("d_av_mean").estimate,
        "sleep.drm": lambda: size("d_rm").estimate,
        "sleep.d_pre": lambda: size("d_pre").estimate,
        "sleep.ds.lo": lambda: change.effect_size_two_groups(*drugs(), kind="d_s").low,
        "sleep.ds.hi": lambda: change.effect_size_two_groups(*drugs(), kind="d_s").high,
        "sleep.gs": lambda: change.effect_size_two_groups(*drugs(), kind="g_s").estimate,
        "law.r": lambda: schools().estimate,
        "law.bca.lo": lambda: schools(interval="bca", resamples=20_000, seed=1).low,
        "law.bca.hi": lambda: schools(interval="bca", resamples=20_000, seed=1).high,
    }


def test_no_row_is_left_out() -> None:
    assert set(expected()) == set(ours())


@pytest.mark.parametrize("name", sorted(expected()))
def test_a_row_is_given_within_its_tolerance(name: str) -> None:
    row = expected()[name]
    assert ours()[name]() == pytest.approx(row["value"], abs=max(row["tol"], 1e-12), rel=0)
