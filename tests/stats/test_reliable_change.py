"""`stats.reliable_change` against clinicalsignificance (R), Jacobson & Truax's own figures, and at its edges."""

from __future__ import annotations

import math
import os
import pickle
from functools import cache
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.special import ndtr, ndtri

from evalkit.stats.rates import wilson
from evalkit.stats.reliable_change import CLASSES, METHODS, Method, reliable, reliable_compared

FOLDER = os.environ.get("EVALKIT_REFERENCE", "")
reference = pytest.mark.skipif(not FOLDER, reason="EVALKIT_REFERENCE names no folder with the reference data")
Z = 1.959963984540054

# Jacobson & Truax (1991), pp. 13-14, the hypothetical measure of table 1: means 40 and 60, both standard deviations
# 7.5, reliability .80. They print SE 3.35, S_diff 4.74, a = 55, b = 45, c = 50, and RC = (47.5 - 32.5)/4.74 = 3.16.
JT = {"reliability": 0.8, "method": "jacobson_truax"}


@cache
def claus(outcome: str) -> tuple[pd.Series, pd.Series, pd.Series]:
    held = pd.read_csv(Path(FOLDER) / "people" / "claus_2020.csv")
    wide = held.pivot(index="id", columns="time", values=outcome)
    return wide[1], wide[4], held.groupby("id")["treatment"].first()


# clinicalsignificance 2.1.0.9000, tests/testthat/_snaps/cs_combined.md:
#   cs_combined(claus_2020, id, time, hamd, pre = 1, post = 4, reliability = 0.8, m_functional = 8, sd_functional = 8,
#     cutoff_type = "c", rci_method = "JT")   (NK with reliability_post = 0.5)
#   Recovered | Improved | Unchanged | Deteriorated | Harmed; cs_distribution.md has the first two, and the last, in one
SNAPSHOTS: dict[Method, tuple[int, ...]] = {
    "jacobson_truax": (26, 3, 10, 1, 0),
    "gulliksen_lord_novick": (26, 3, 10, 1, 0),
    "edwards_nunnally": (26, 6, 5, 3, 0),
    "hageman_arrindell": (23, 9, 7, 1, 0),
    "hsu_linn_lord": (12, 0, 16, 11, 1),
    "nunnally_kotsch": (26, 2, 11, 1, 0),
}


@reference
@pytest.mark.parametrize("method", METHODS)
def test_counts_are_those_of_clinicalsignificance(method: Method) -> None:
    before, after, _ = claus("hamd")
    known = {"reliability": 0.8, "reliability_after": 0.5, "method": method, "better": "lower"}
    found = reliable(before, after, norm=(8, 8), cutoff="c", **known)
    assert tuple(found.tally.values()) == SNAPSHOTS[method]
    assert (found.n, found.n_incomplete) == (40, 3)
    assert found.counts["count"].tolist() == list(SNAPSHOTS[method])
    assert (found.counts["n"] == 40).all()
    recovered, improved, unchanged, deteriorated, passed_back = SNAPSHOTS[method]
    plain = reliable(before, after, **known)
    assert list(plain.tally.values()) == [recovered + improved, unchanged, deteriorated + passed_back]
    assert plain.estimate == found.estimate == (recovered + improved) / 40


@reference
def test_cut_off_and_error_are_those_listed() -> None:
    before, after, _ = claus("hamd")
    found = reliable(before, after, better="lower", norm=(8, 8), cutoff="c", **JT)
    assert found.cutoff_value == pytest.approx(19.886998076050197, abs=1e-9)
    assert found.threshold == pytest.approx(Z * 2.112478189843413, abs=1e-9)
    assert (found.people["change"] / found.people["index"]).dropna().to_numpy() == pytest.approx(2.112478189843413)
    assert found.sd_source == "before, in 40 complete pairs"
    assert found.expected_false == pytest.approx(1)


@reference
def test_groups_are_counted_among_their_own() -> None:
    # clinicalsignificance, tests/testthat/_snaps/clinical_significance.md (its version 1; from 2 on, grouped per cents
    # are of the whole sample): clinical_significance(claus_2020, id, time, bdi, group = treatment, reliability = 0.8,
    #   pre = 1, post = 4), method JT, cut-off a: 19.16, M 35.48, SD 8.16
    #   TAU 3 .158, 2 .105, 14 .737, 0, 0; PA 7 .333, 6 .286, 8 .381, 0, 0; together 10 8 22 0 0
    before, after, treatment = claus("bdi")
    found = reliable(before, after, better="lower", cutoff="a", **JT)
    assert (found.cutoff_value, found.sd_used) == (pytest.approx(19.16, abs=0.005), pytest.approx(8.16, abs=0.005))
    assert list(found.tally.values()) == [10, 8, 22, 0, 0]
    table = found.by(treatment).set_index(["group", "class"])
    assert table.loc["TAU", "count"].tolist() == [3, 2, 14, 0, 0]
    assert table.loc["PA", "count"].tolist() == [7, 6, 8, 0, 0]
    assert table.loc["TAU", "share"].tolist() == pytest.approx([0.158, 0.105, 0.737, 0, 0], abs=5e-4)
    assert table.loc["PA", "share"].tolist() == pytest.approx([0.333, 0.286, 0.381, 0, 0], abs=5e-4)
    assert (table.loc["TAU", "n"] == 19).all()
    assert table["n_incomplete"].groupby("group").first().to_dict() == {"TAU": 1, "PA": 2}
    expected = wilson(3, 19)
    assert table.loc[("TAU", "recovered"), ["low", "high"]].tolist() == [expected.low, expected.high]


@reference
def test_hageman_and_arrindells_cut_off_and_whom_its_passing_needs() -> None:
    # as above, summary(clinical_significance(..., bdi, m_functional = 8, sd_functional = 8, type = "c",
    #   method = "HA")): c_true 21.57; 8 recovered, 17 improved, 15 unchanged. That version also called recovered
    # somebody who began on the functional side (person 3, 15 before); version 2 and this function do not.
    before, after, _ = claus("bdi")
    found = reliable(
        before, after, reliability=0.8, method="hageman_arrindell", better="lower", norm=(8, 8), cutoff="c"
    )
    assert found.cutoff_value == pytest.approx(21.57, abs=0.005)
    assert list(found.tally.values()) == [8 - 1, 17 + 1, 15, 0, 0]
    assert found.people.loc[3, "before"] == 15
    assert found.people.loc[3, "class"] == "improved"


@reference
def test_reliability_of_81_and_a_norm() -> None:
    # README of clinicalsignificance 1: reliability = 0.81, m_functional = 8, sd_functional = 8, type = "c": 21.6;
    # recovered 10, improved 9, unchanged 21
    before, after, _ = claus("bdi")
    found = reliable(before, after, reliability=0.81, method="jacobson_truax", better="lower", norm=(8, 8), cutoff="c")
    assert found.cutoff_value == pytest.approx(21.6, abs=0.05)
    assert list(found.tally.values()) == [10, 9, 21, 0, 0]


def test_jacobson_and_truaxs_own_example() -> None:
    found = reliable([32.5], [47.5], sd=7.5, **JT)
    assert found.people["index"].tolist() == pytest.approx([3.16], abs=0.005)
    assert found.tally == {"improved": 1, "no reliable change": 0, "deteriorated": 0}
    assert found.threshold == pytest.approx(1.96 * 4.74, abs=0.01)


@pytest.mark.parametrize(("cutoff", "expected"), [("a", 55), ("b", 45), ("c", 50), (52.5, 52.5)])
def test_jacobson_and_truaxs_cut_offs(cutoff: str | float, expected: float) -> None:
    before = 40 + 7.5 * np.array([-1, 0, 1])
    found = reliable(before, before + 20, norm=(60, 7.5), cutoff=cutoff, **JT)
    assert found.cutoff_value == pytest.approx(expected)


def test_criterion_b_takes_the_spread_of_the_norm() -> None:
    # "within two standard deviations of the mean of that population" (p. 13); clinicalsignificance takes the SD before
    before = 40 + 7.5 * np.array([-1, 0, 1])
    assert reliable(before, before, norm=(60, 5), cutoff="b", **JT).cutoff_value == pytest.approx(50)
    lower = reliable(-before, -before, norm=(-60, 5), cutoff="b", better="lower", **JT)
    assert lower.cutoff_value == pytest.approx(-50)


@pytest.mark.parametrize(("reliability", "expected"), [(0.8, 1.2396), (0.9, 0.8765)])
def test_the_smallest_reliable_change(reliability: float, expected: float) -> None:
    found = reliable([0.0], [expected + 1e-4], reliability=reliability, method="jacobson_truax", sd=1)
    assert found.threshold == pytest.approx(expected, abs=5e-5)
    assert found.tally["improved"] == 1
    below = reliable([0.0], [expected - 1e-4], reliability=reliability, method="jacobson_truax", sd=1)
    assert below.tally["no reliable change"] == 1


def drawn(n: int = 60, seed: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.normal(3, 0.8, n)
    return truth + rng.normal(0, 0.3, n), truth + rng.normal(0.4, 0.6, n) + rng.normal(0, 0.3, n)


def test_residuals_are_those_of_a_regression() -> None:
    # Where both times have one SD and reliability is their correlation, r (x - M) + M_after is the least-squares line
    # (numpy polyfit), and s sqrt(1 - r²) the SD about it: the index of hsu_linn_lord, and of gulliksen_lord_novick
    # where the means are alike too.
    x, y = ((each - each.mean()) / each.std(ddof=1) for each in drawn())
    r = float(np.corrcoef(x, y)[0, 1])
    residual = y - np.polyval(np.polyfit(x, y, 1), x)
    expected = residual / residual.std(ddof=1)
    for method, shift in (("hsu_linn_lord", 0.7), ("gulliksen_lord_novick", 0.0)):
        found = reliable(x, y + shift, reliability=r, method=method)
        assert found.people["index"].to_numpy() == pytest.approx(expected, abs=1e-9)


def test_regressed_methods_differ_only_in_the_error() -> None:
    x, y = drawn()
    indices = {
        method: reliable(x, y, reliability=0.8, reliability_after=0.7, method=method, sd=1).people["index"]
        for method in ("gulliksen_lord_novick", "edwards_nunnally", "nunnally_kotsch")
    }
    to_lord = indices["edwards_nunnally"] / indices["gulliksen_lord_novick"]
    to_kotsch = indices["edwards_nunnally"] / indices["nunnally_kotsch"]
    assert to_lord.to_numpy() == pytest.approx(math.sqrt(0.36 / 0.2))
    assert to_kotsch.to_numpy() == pytest.approx(math.sqrt((0.64 * 0.2 + 0.3) / 0.2))


def test_hageman_and_arrindell_is_the_true_change_given_the_observed() -> None:
    # Bayes' rule for normal variables, precisions added: true change ~ N(mean d, var d - 2 SE²), observed d about it
    # with 2 SE². And their own r_DD, with a reliability for each time from one SE.
    x, y = drawn()
    found = reliable(x, y, reliability=0.8, method="hageman_arrindell")
    d, error = y - x, 2 * x.var(ddof=1) * 0.2
    prior = d.var(ddof=1) - error
    weight = 1 / prior + 1 / error
    expected = (d.mean() / prior + d / error) / weight * math.sqrt(weight)
    assert found.people["index"].to_numpy() == pytest.approx(expected)
    before, after, together = x.var(ddof=1), y.var(ddof=1), np.cov(x, y)[0, 1]
    r_after = (after - error / 2) / after
    share = (before * 0.8 + after * r_after - 2 * together) / (before + after - 2 * together)
    theirs = (d * share + d.mean() * (1 - share)) / (math.sqrt(share) * math.sqrt(error))
    assert found.people["index"].to_numpy() == pytest.approx(theirs)
    assert found.critical == pytest.approx(1.645, abs=5e-4)
    assert found.expected_false is None
    assert found.people.loc[d > found.threshold, "class"].eq("improved").all()
    assert not found.people.loc[d < found.threshold, "class"].eq("improved").any()


def falsely(method: str, r: float = 0.8, *, low_scorers: bool = False) -> float:
    """Share called improved where nobody truly changed, by quadrature: y | x ~ N(r x, 1 - r²), x standard normal."""
    error = math.sqrt(1 - r)
    line = {
        "jacobson_truax": lambda x: x + Z * math.sqrt(2) * error,
        "gulliksen_lord_novick": lambda x: r * x + Z * math.sqrt(1 - r**2),
        "edwards_nunnally": lambda x: r * x + Z * error,
        "nunnally_kotsch": lambda x: r * x + Z * math.sqrt((1 - r) * (1 + r**2)),
        "hsu_linn_lord": lambda x: r * x + Z * math.sqrt(1 - r**2),
    }[method]
    end = -1.0 if low_scorers else 8.0
    density = lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi)  # noqa: E731
    inside = integrate.quad(lambda x: ndtr((r * x - line(x)) / math.sqrt(1 - r**2)) * density(x), -8, end)[0]
    return inside / float(ndtr(end))


@cache
def nobody_changed() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    truth = rng.normal(0, math.sqrt(0.8), 400_000)
    return tuple(truth + rng.normal(0, math.sqrt(0.2), truth.size) for _ in range(2))


@pytest.mark.parametrize(
    # the table of the docstring, in per cent
    ("method", "everybody", "own", "known"),
    [
        ("jacobson_truax", 2.5, 34.1, 6.2),
        ("gulliksen_lord_novick", 2.5, 35.7, 2.5),
        ("edwards_nunnally", 7.2, 44.3, 7.2),
        ("hsu_linn_lord", 2.5, 19.1, 2.5),
        ("nunnally_kotsch", 3.1, 37.2, 3.1),
    ],
)
def test_how_many_are_called_improved_where_nobody_changed(
    method: Method, everybody: float, own: float, known: float
) -> None:
    before, after = nobody_changed()
    some, low = slice(0, 60_000), before < -1  # some 63,000 low scorers
    settled = {"reliability": 0.8, "reliability_after": 0.8, "method": method}
    share = 100 * reliable(before[some], after[some], **settled).estimate
    assert share == pytest.approx(everybody, abs=0.4)
    assert 100 * falsely(method) == pytest.approx(everybody, abs=0.06)
    assert 100 * reliable(before[low], after[low], **settled).estimate == pytest.approx(own, abs=0.8)
    given_all = reliable(before[low], after[low], sd=1, mean=0, **settled)
    assert 100 * given_all.estimate == pytest.approx(known, abs=0.4)
    assert 100 * falsely(method, low_scorers=True) == pytest.approx(known, abs=0.06)
    assert given_all.expected_false == pytest.approx(low.sum() * 0.025)


def test_hageman_and_arrindell_where_nobody_changed() -> None:
    before, after = nobody_changed()
    low, settled = before < -1, {"reliability": 0.8, "method": "hageman_arrindell"}
    assert 100 * reliable(before[low], after[low], **settled).estimate == pytest.approx(41.1, abs=0.8)
    with pytest.raises(ValueError, match="no true differences of change"):
        reliable(before[low], after[low], sd=1, mean=0, **settled)
    refused, most = 0, 0.0
    for x, y in zip(before[:20_000].reshape(-1, 40), after[:20_000].reshape(-1, 40), strict=True):
        try:
            most = max(most, reliable(x, y, sd=1, **settled).estimate)
        except ValueError:
            refused += 1
    assert refused / 500 == pytest.approx(0.54, abs=0.07)
    assert most > 0.5


whole = st.integers(0, 40)
people = st.lists(st.tuples(whole, whole), min_size=4, max_size=25)
SETTINGS = {"reliability": 0.75, "reliability_after": 0.6}


@settings(deadline=None, max_examples=40)
@given(people, st.sampled_from(METHODS), st.sampled_from([None, "a", "b", "c", 20.0]), st.integers(-200, 200))
def test_mirror_and_shift_leave_the_classes(
    scores: list[tuple[int, int]], method: Method, cutoff: str | float | None, by: int
) -> None:
    before, after = np.array(scores, dtype=float).T
    try:
        found = reliable(before, after, method=method, norm=(25, 6), cutoff=cutoff, **SETTINGS)
    except ValueError as refused:
        found, said = None, str(refused)
    mirrored = -cutoff if isinstance(cutoff, float) else cutoff
    shifted = cutoff + by if isinstance(cutoff, float) else cutoff
    turned = {"better": "lower", "norm": (-25, 6), "cutoff": mirrored, **SETTINGS}
    moved = {"norm": (25 + by, 6), "cutoff": shifted, **SETTINGS}
    if found is None:
        with pytest.raises(ValueError, match=said.split()[0]):
            reliable(-before, -after, method=method, **turned)
        return
    assert sum(found.tally.values()) == found.n == len(scores)
    assert np.isfinite(found.people["index"]).all()
    mirror = reliable(-before, -after, method=method, **turned)
    assert mirror.people["class"].tolist() == found.people["class"].tolist()
    assert mirror.people["index"].to_numpy() == pytest.approx(-found.people["index"].to_numpy())
    shift = reliable(before + by, after + by, method=method, **moved)
    assert shift.people["class"].tolist() == found.people["class"].tolist()
    assert shift.threshold == pytest.approx(found.threshold)


def test_nobody_on_the_cut_off_has_passed_it() -> None:
    before, after = [1.0, 3.0, 1.0, 3.0, 5.0, 5.0], [3.0, 5.0, 5.0, 1.0, 1.0, 3.0]
    found = reliable(before, after, reliability=0.9, method="jacobson_truax", sd=1, cutoff=3)
    assert found.people["class"].tolist() == [
        "improved",
        "improved",
        "recovered",
        "deteriorated",
        "deteriorated past the cut-off",
        "deteriorated",
    ]
    assert tuple(found.tally) == CLASSES


def test_people_keep_their_names_and_gaps_are_counted() -> None:
    before = pd.Series([1.0, 2.0, None, 3.0, 4.0], index=pd.Index(["p1", "p2", "p3", "p4", "p5"], name="leader"))
    after = pd.Series([3.0, None, 2.0, 3.5, 4.0], index=before.index)
    found = reliable(before, after, reliability=0.8, method="jacobson_truax")
    assert (found.n, found.n_incomplete) == (3, 2)
    assert found.people.columns.tolist() == ["id", "before", "after", "change", "index", "class"]
    assert found.people["id"].tolist() == found.people.index.tolist() == ["p1", "p4", "p5"]
    assert found.sd_used == pytest.approx(np.std([1, 3, 4], ddof=1))
    assert found.interval(0.9) == (wilson(1, 3, confidence=0.9).low, wilson(1, 3, confidence=0.9).high)
    assert (found.low, found.high) == found.interval(0.95)
    people = found.people
    people.loc["p1", "class"] = "deteriorated"
    assert found.tally == {"improved": 1, "no reliable change": 2, "deteriorated": 0}
    assert "p1" not in repr(found)
    assert pickle.loads(pickle.dumps(found)).tally == found.tally


def test_groups_without_answers_stay_in_the_table() -> None:
    index = ["p1", "p2", "p3", "p4"]
    before = pd.Series([1.0, 2.0, 3.0, 4.0], index=index)
    after = pd.Series([4.0, 2.0, 3.0, None], index=index)
    found = reliable(before, after, reliability=0.9, method="jacobson_truax")
    teams = pd.Series(["b", "a", "b", "c", "d"], index=[*index, "somebody else"])
    table = found.by(teams)
    assert table["group"].unique().tolist() == ["b", "a", "c"]
    assert table.loc[table["group"] == "b", ["count", "n"]].to_numpy().tolist() == [[1, 2], [1, 2], [0, 2]]
    last = table[table["group"] == "c"]
    assert (last["n"] == 0).all()
    assert last[["share", "low", "high"]].isna().all(axis=None)
    assert (last["n_incomplete"] == 1).all()
    ordered = teams.astype(pd.CategoricalDtype(["a", "b", "c", "d"]))
    assert found.by(ordered, confidence=0.9)["group"].unique().tolist() == ["a", "b", "c"]
    assert found.by(ordered, confidence=0.9)["high"].iloc[0] == wilson(0, 1, confidence=0.9).high
    with pytest.raises(ValueError, match="1 of 4 people have no group"):
        found.by(teams.drop("p4"))
    with pytest.raises(ValueError, match="names a person twice"):
        found.by(pd.concat([teams, teams]))


def test_a_ceiling_is_described() -> None:
    # eight of ten already gave the best answer of 5: they cannot improve, and nothing of theirs is undefined
    before = np.array([5.0] * 8 + [3.0, 4.0])
    after = np.array([5.0] * 8 + [5.0, 5.0])
    for method in METHODS[:3]:
        found = reliable(before, after, reliability=0.8, method=method)
        assert (found.people["class"][:8] == "no reliable change").all()
        assert found.people["class"].iloc[8] == "improved"


def test_six_methods_side_by_side() -> None:
    before, after = drawn()
    table = reliable_compared(before, after, reliability=0.8, norm=(4, 0.8), cutoff="c").set_index("method")
    assert tuple(table.index) == METHODS == get_args(Method)
    assert "reliability_after" in table.loc["nunnally_kotsch", "reason"]
    assert table.loc["nunnally_kotsch", ["improved", "estimate", "recovered"]].isna().all()
    for method in METHODS[:5]:
        found, row = (
            reliable(before, after, reliability=0.8, method=method, norm=(4, 0.8), cutoff="c"),
            table.loc[method],
        )
        tally = list(found.tally.values())
        assert [row["improved"], row["unchanged"], row["deteriorated"]] == [sum(tally[:2]), tally[2], sum(tally[3:])]
        assert (row["estimate"], row["low"], row["high"], row["recovered"]) == (
            found.estimate,
            found.low,
            found.high,
            tally[0],
        )
        assert row["reason"] == ""
    assert table["threshold"].notna().tolist() == [True, False, False, True, False, False]
    assert (table["n"] == 60).all()


def test_what_is_wrong_with_all_methods_is_refused_not_listed() -> None:
    with pytest.raises(ValueError, match="reliability=1"):
        reliable_compared([1, 2, 3], [2, 3, 4], reliability=1)
    with pytest.raises(ValueError, match="needs norm"):
        reliable_compared([1, 2, 3], [2, 3, 4], reliability=0.8, cutoff="c")


def test_one_person_and_two() -> None:
    one = reliable_compared([1.0], [3.0], reliability=0.8, reliability_after=0.8, sd=1).set_index("method")
    assert one.loc["jacobson_truax", "improved"] == 1
    assert one["reason"].drop("jacobson_truax").str.contains("takes 2 people; there is 1").all()
    known = reliable([1.0], [3.0], reliability=0.8, method="gulliksen_lord_novick", sd=1, mean=0)
    assert known.people["index"].tolist() == pytest.approx([(3 - 0.8) / 0.6])
    two = reliable([1.0, 2.0], [3.0, 2.0], reliability=0.8, method="jacobson_truax")
    assert (two.n, two.estimate, two.sd_source) == (2, 0.5, "before, in 2 complete pairs")


@pytest.mark.parametrize(
    ("before", "after", "changed", "says"),
    [
        ([], [], {}, "Nobody has both scores: of 0 people 0"),
        ([1.0, math.nan], [math.nan, 2.0], {}, "of 2 people 1 answered before and 1 after"),
        ([math.nan] * 3, [math.nan] * 3, {}, "of 3 people 0 answered before"),
        ([1.0], [2.0], {}, "one person has no spread"),
        ([3.0, 3.0, 3.0], [4.0, 5.0, 5.0], {}, "all 3 people scored 3 before"),
        ([3.0, 3.0], [4.0, 5.0], {"sd": 1, "cutoff": "a"}, "of 2 nobody does"),
        ([1.0, 2.0], [1.0], {}, "before has 2 people and after has 1"),
        ([1.0, math.inf], [1.0, 2.0], {}, "1 infinite"),
        ([1.0, 2.0], [2.0, 3.0], {"reliability": 0}, "reliability=0 must lie between 0 and 1"),
        ([1.0, 2.0], [2.0, 3.0], {"reliability": 1.0}, "at 1 nothing is"),
        ([1.0, 2.0], [2.0, 3.0], {"reliability": math.nan}, "reliability=nan"),
        ([1.0, 2.0], [2.0, 3.0], {"reliability_after": 1.2}, r"reliability_after=1\.2"),
        ([1.0, 2.0], [2.0, 3.0], {"method": "jt"}, "choose one of jacobson_truax, gulliksen_lord_novick"),
        ([1.0, 2.0], [2.0, 3.0], {"better": "up"}, "choose one of higher, lower"),
        ([1.0, 2.0], [2.0, 3.0], {"cutoff": "d"}, "choose one of a, b, c"),
        ([1.0, 2.0], [2.0, 3.0], {"cutoff": math.nan}, "must be a, b, c or a score"),
        ([1.0, 2.0], [2.0, 3.0], {"cutoff": "b"}, "Cut-off b needs norm"),
        ([1.0, 2.0], [2.0, 3.0], {"cutoff": "c"}, "Cut-off c needs norm"),
        ([1.0, 2.0], [2.0, 3.0], {"norm": (3, 0)}, "standard deviation above 0"),
        ([1.0, 2.0], [2.0, 3.0], {"sd": 0}, "sd=0 must be a number above 0"),
        ([1.0, 2.0], [2.0, 3.0], {"mean": math.nan}, "mean=nan"),
        ([1.0, 2.0], [2.0, 3.0], {"confidence": 95}, r"95 % is 0\.95"),
        ([1.0, 4.0], [4.0, 1.0], {"method": "hageman_arrindell", "confidence": 0.4}, "above one half"),
        ([1.0, 2.0], [2.0, 3.0], {"method": "nunnally_kotsch"}, "give reliability_after"),
        ([1.0, 2.0, 4.0], [2.0, 3.0, 5.0], {"method": "hageman_arrindell"}, "see no true differences of change"),
    ],
)
def test_refusals_say_what_to_do(
    before: list[float], after: list[float], changed: dict[str, object], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        reliable(before, after, **{**JT, **changed})  # type: ignore[arg-type]


def test_hageman_and_arrindells_cut_off_needs_more_than_error() -> None:
    before, after = drawn()
    held = {"reliability": 0.8, "method": "hageman_arrindell"}
    with pytest.raises(ValueError, match="Scores of norm vary no more"):
        reliable(before, after, norm=(4, 0.1), cutoff="c", **held)
    with pytest.raises(ValueError, match="cannot tell who passed"):
        reliable(before, np.tile([4.0, 4.1], 30), cutoff=3, **held)
    with pytest.raises(ValueError, match="Scores of before vary no more"):
        reliable(before, before + np.linspace(-9, 9, 60), cutoff="a", sd=3, **held)


def test_people_are_not_paired_by_position_or_named_twice() -> None:
    with pytest.raises(ValueError, match="different indexes"):
        reliable(pd.Series([1.0, 2.0], index=["a", "b"]), pd.Series([1.0, 2.0], index=["b", "a"]), **JT)
    twice = pd.Series([1.0, 2.0, 3.0], index=["a", "b", "a"])
    with pytest.raises(ValueError, match="'a' has more"):
        reliable(twice, twice + 1, **JT)


def test_confidence_sets_the_bar() -> None:
    before, after = drawn()
    loose, strict = (reliable(before, after, confidence=c, **JT) for c in (0.8, 0.99))
    assert strict.critical == pytest.approx(float(ndtri(0.995)))
    assert strict.estimate < loose.estimate
    assert strict.expected_false == pytest.approx(60 * 0.005)
