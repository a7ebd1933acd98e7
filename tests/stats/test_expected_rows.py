"""Every row of the reference's list on people and networks, through the public functions, within its own tolerance.

The list names program and version of each value: base R, effectsize 0.8.3, MBESS's conf.limits.nct, boot 1.3-28.1,
psych 2.2.9, lavaan 0.6-14, clinicalsignificance 2.1.0, naniar, mice 3.15.0, lmerTest 3.1-3, clubSandwich 0.5.8,
multilevel 2.7, sna 2.7-1, irr 0.84.1 and netseg 1.0-2.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from evalkit.stats import agreement, change, clusters, correlation, effect_sizes, growth, missing, network, reliability

FOLDER = os.environ.get("EVALKIT_REFERENCE", "")
pytestmark = pytest.mark.skipif(not FOLDER, reason="EVALKIT_REFERENCE names no folder with the reference data")
ROLES = {"coordinator": "w_I", "consultant": "w_O", "representative": "b_IO", "gatekeeper": "b_OI", "liaison": "b_O"}


def expected() -> dict[str, dict[str, float]]:
    if not FOLDER:
        return {}
    listed: dict[str, dict[str, float]] = json.loads(
        (Path(FOLDER) / "people" / "expected.json").read_text(encoding="utf-8")
    )
    return listed


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


@cache
def drugs() -> tuple[np.ndarray, np.ndarray]:
    """Hours gained under each drug, in the order of the patients."""
    wide = read("student_sleep").pivot(index="ID", columns="group", values="extra")
    return wide[1].to_numpy(), wide[2].to_numpy()


def size(kind: change.Kind) -> change.EffectSize:
    return change.effect_size(*drugs(), kind=kind)


def t() -> float:
    found = change.paired(*drugs())
    return found.estimate / found.se


@cache
def schools(**settings: object) -> correlation.Correlation:
    held = read("efron_law_school")
    return correlation.pearson(held["LSAT"], held["GPA"], **settings)  # type: ignore[arg-type]


def scale(letter: str, turned: tuple[str, ...] = ()) -> pd.DataFrame:
    """Five items of the inventory, those named turned round (answers are 1 to 6)."""
    items = read("bfi")[[f"{letter}{at}" for at in range(1, 6)]]
    return items.assign(**{name: 7 - items[name] for name in turned})


def agreeable() -> pd.DataFrame:
    return scale("A", ("A1",))


@cache
def recovered() -> change.ReliableChange:
    held = read("claus_2020").pivot(index="id", columns="time", values="hamd")
    return change.reliable(
        held[1], held[4], reliability=0.8, method="jacobson_truax", better="lower", norm=(8.0, 8.0), cutoff="c"
    )


@cache
def nights() -> growth.Growth:
    return growth.model(read("sleepstudy"), outcome="Reaction", time="Days", person="Subject")


@cache
def led() -> growth.Mixed:
    return growth.in_teams(read("lq2002_8teams"), outcome="LEAD", team="COMPID", terms=["PROG"])


def row(found: growth.Mixed, term: str, column: str) -> float:
    """What the model's own errors say of one term."""
    return float(found.fixed.set_index("term").loc[term, column])


def pooled() -> missing.Pooled:
    """Five data sets of 40 people and two parameters whose estimates vary by .183 and whose variances average 1.1."""
    steps = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    return missing.pool(steps * math.sqrt(0.183 / steps.var(ddof=1)), np.full(5, 1.1), df=38)


def of_people() -> dict[str, Callable[[], float]]:
    """How evalkit gives each row on people."""
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
        "bfi.agree.alpha.complete": lambda: reliability.alpha(agreeable()).estimate,
        "bfi.neuro.alpha.complete": lambda: reliability.alpha(scale("N")).estimate,
        "bfi.agree.omega": lambda: reliability.omega(agreeable()).estimate,
        "bfi.neuro.omega": lambda: reliability.omega(scale("N")).estimate,
        "claus.n": lambda: recovered().n,
        "claus.JT.recovered": lambda: recovered().tally["recovered"],
        "claus.JT.improved_only": lambda: recovered().tally["improved"],
        "claus.JT.unchanged": lambda: recovered().tally["no reliable change"],
        "claus.JT.deteriorated": lambda: recovered().tally["deteriorated"],
        "claus.cutoff_c": lambda: recovered().cutoff_value or math.nan,
        "claus.sdiff": lambda: (recovered().threshold or math.nan) / recovered().critical,
        "airquality.little.chi2": lambda: little().statistic,
        "airquality.little.df": lambda: little().df,
        "pool.scalar.t": lambda: pooled().total,
        "pool.scalar.df": lambda: pooled().df,
        "lq8.LEAD.PROG.beta": lambda: row(led(), "PROG", "estimate"),
        "lq8.LEAD.PROG.se": lambda: row(led(), "PROG", "se"),
        "lq8.LEAD.PROG.df_satt": lambda: row(led(), "PROG", "df"),
        "sleepstudy.Days.beta": lambda: row(nights(), "Days", "estimate"),
        "sleepstudy.Days.se": lambda: row(nights(), "Days", "se"),
        "sleepstudy.Days.df_satt": lambda: row(nights(), "Days", "df"),
        "sleepstudy.var_int": lambda: nights().variances["person intercept"],
        "sleepstudy.var_slope": lambda: nights().variances["person slope"],
        "sleepstudy.sigma2": lambda: nights().variances["residual"],
    }


@cache
def little() -> missing.Little:
    return missing.little(read("airquality"))


def ours() -> dict[str, Callable[[], float]]:
    """How evalkit gives each row."""
    return of_people() | of_groups()


def of_groups() -> dict[str, Callable[[], float]]:
    """How evalkit gives each row on teams and networks."""
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


def test_no_row_is_left_out():
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


def test_the_criterion_of_the_growth_model_is_lme4s():
    """R 4.2.2, lme4 1.1-31: REMLcrit(lmer(Reaction ~ Days + (Days|Subject), sleepstudy)) is 1743.628272."""
    assert nights().reml_criterion == pytest.approx(1743.628272, abs=1e-6)


def test_a_fit_at_the_boundary_does_not_count_rows_as_teams():
    """HOSTILE ~ PROG + LEAD is singular: lmerTest says 230 degrees of freedom, Kenward and Roger's method 4.06."""
    found = growth.in_teams(read("lq2002_8teams"), outcome="HOSTILE", team="COMPID", terms=["PROG", "LEAD"])
    assert found.boundary
    assert row(found, "PROG", "df") < 6
