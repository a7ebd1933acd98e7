"""Every row of the reference's list that belongs to level 2, through the public functions, within its own tolerance.

The list names program and version of each value: R's multilevel 2.7, psych 2.2.9, sna 2.7-1, irr 0.84.1, clubSandwich
0.5.8 and netseg 1.0-2.
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

from evalkit.stats import agreement, clusters, network

FOLDER = os.environ.get("EVALKIT_REFERENCE", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="EVALKIT_REFERENCE names no folder with the reference data")
OURS = ("bh1996.", "sf.", "krack.", "emon1.", "kripp.", "lq8.CR2.")
ROLES = {"coordinator": "w_I", "consultant": "w_O", "representative": "b_IO", "gatekeeper": "b_OI", "liaison": "b_O"}


def expected() -> dict[str, dict[str, float]]:
    if not FOLDER:
        return {}
    listed = json.loads((Path(FOLDER) / "people" / "expected.json").read_text(encoding="utf-8"))
    return {name: row for name, row in listed.items() if name.startswith(OURS)}


@cache
def read(name: str) -> pd.DataFrame:
    return pd.read_csv(Path(FOLDER) / "people" / f"{name}.csv")


def krackhardt(relation: str) -> tuple[pd.DataFrame, pd.Series]:
    named = read("krackhardt_hightech_ties")
    ties = named[(named[relation] == 1) & (named["ego"] != named["alter"])]
    departments = read("krackhardt_hightech_attributes").set_index("id")["DEPT"]
    return ties.rename(columns={"ego": "from_id", "alter": "to_id"})[["from_id", "to_id"]], departments


def emon() -> tuple[pd.DataFrame, pd.Series]:
    ties = read("emon_1_ties").rename(columns={"ego": "from_id", "alter": "to_id"})
    return ties[["from_id", "to_id"]], read("emon_1_orgs").set_index("org")["sponsorship"]


def matrix(relation: str) -> pd.DataFrame:
    named = read("krackhardt_hightech_ties")
    return named.pivot(index="ego", columns="alter", values=relation)


def index(relation: str, *, directed: bool = True) -> network.ExternalInternal:
    return network.ei(*krackhardt(f"{relation}_tie"), directed=directed, permutations=0)


def nodewise() -> float:
    listed = read("expected_brokerage_krack_advice_dept").set_index("id")
    nodes = network.brokerage(*krackhardt("advice_tie")).nodes.set_index("id").loc[listed.index]
    return float(max((nodes[role] - listed[column]).abs().max() for role, column in ROLES.items()))


def raters(form: str) -> float:
    return float(agreement.icc_raters(read("shrout_fleiss")).set_index("form").loc[form, "estimate"])


def soldiers() -> agreement.GroupCorrelations:
    held = read("bh1996")
    return agreement.icc_groups(held["WBEING"], held["GRP"])


def teams() -> clusters.ClusterRobust:
    held = read("lq2002_8teams")
    return clusters.cr2(held["LEAD"], np.column_stack([np.ones(len(held)), held["PROG"]]), held["COMPID"])


def alpha(level: str) -> float:
    return agreement.krippendorff(read("krippendorff_4x12").to_numpy(dtype=float), level=level).estimate  # type: ignore[arg-type]


def ours() -> dict[str, Callable[[], float]]:
    """How evalkit gives each row."""
    found: dict[str, Callable[[], float]] = {
        "bh1996.WBEING.ICC1": lambda: soldiers().icc1.estimate,
        "bh1996.WBEING.ICC2": lambda: soldiers().icc2.estimate,
        "krack.EI.expected.dept": lambda: index("advice").expected,
        "krack.gcor.advice_friend": lambda: (
            network.qap(matrix("advice_tie"), matrix("friendship_tie"), permutations=1, seed=1).estimate
        ),
        "krack.advice.recip_edgewise": lambda: network.reciprocity(krackhardt("advice_tie")[0]),
        "krack.advice.brokerage.nodewise_maxdiff": nodewise,
        "emon1.EI.sponsorship": lambda: network.ei(*emon(), permutations=0).estimate,
        "lq8.CR2.beta": lambda: float(teams().estimate[1]),
        "lq8.CR2.se": lambda: float(teams().se[1]),
        "lq8.CR2.df": lambda: float(teams().df[1]),
    }
    for short, relation in (("advice", "advice"), ("friend", "friendship"), ("reports", "reports_to")):
        found[f"krack.{short}.EI.dept"] = lambda relation=relation: index(relation).estimate
        found[f"krack.{short}.EI.dept.sym"] = lambda relation=relation: index(relation, directed=False).estimate
    for role in ROLES:
        found[f"krack.advice.brokerage.{role}"] = lambda role=role: network.brokerage(*krackhardt("advice_tie")).total[
            role
        ]
        found[f"emon1.brokerage.{role}"] = lambda role=role: network.brokerage(*emon()).total[role]
    for form in ("ICC1", "ICC2", "ICC3", "ICC2k", "ICC3k"):
        found[f"sf.{form}"] = lambda form=form: raters(form)
    for level in ("nominal", "ordinal", "interval", "ratio"):
        found[f"kripp.{level}"] = lambda level=level: alpha(level)
    return found


def test_no_row_of_level_two_is_left_out():
    assert set(expected()) == set(ours())


@pytest.mark.parametrize("name", sorted(expected()))
def test_a_row_is_given_within_its_tolerance(name):
    row = expected()[name]
    assert ours()[name]() == pytest.approx(row["value"], abs=max(row["tol"], 1e-12), rel=0)


def test_advice_that_looks_open_is_not_called_open():
    """.516 is below what department sizes alone would give, .552: nothing says that advice crosses departments more."""
    seen = network.ei(*krackhardt("advice_tie"), seed=1)
    assert seen.estimate < seen.expected
    assert seen.p > 0.05
