"""`stats.network.brokerage` against sna, against every path and every network counted out, and at its edges."""

from __future__ import annotations

import itertools
import math
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evalkit.stats import network

ROLES = ["coordinator", "consultant", "representative", "gatekeeper", "liaison"]
SNA = dict(zip(["w_I", "w_O", "b_IO", "b_OI", "b_O", "t"], [*ROLES, "total"], strict=True))


def ties(*pairs: str) -> pd.DataFrame:
    """'ab' is a tie from a to b."""
    return pd.DataFrame({"from_id": [p[0] for p in pairs], "to_id": [p[1] for p in pairs]})


def frame(matrix: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(np.argwhere(matrix), columns=["from_id", "to_id"])


def role(i: object, j: object, k: object) -> str:
    """The role of j on a path from i to k, by their groups, in the words of Gould and Fernandez."""
    if i == j == k:
        return "coordinator"
    if i == k:
        return "consultant"
    return "representative" if i == j else "gatekeeper" if j == k else "liaison"


def one_by_one(matrix: np.ndarray, groups: list[int]) -> pd.DataFrame:
    counts = pd.DataFrame(0, index=range(len(matrix)), columns=ROLES)
    for i, j, k in itertools.permutations(range(len(matrix)), 3):
        if matrix[i, j] and matrix[j, k] and not matrix[i, k]:
            counts.loc[j, role(groups[i], groups[j], groups[k])] += 1
    return counts


# Six people by hand: a b c in Acute, d e in Council, f in Hospice.
#   a→b→c, no a→c: b coordinator      a→d→c, no a→c: d consultant (a and c share a group, d is of another)
#   b→c→d, no b→d: c representative   d→c? c→d, d→c, both: c→d→c is no path (its ends are one person)
#   f→d→e, no f→e: d gatekeeper       a→d→f, no a→f: d liaison      c→d→f, no c→f: d liaison
#   c→d→e, no c→e: d gatekeeper       a→d→e, no a→e: d gatekeeper   f→d→c, no f→c: d liaison
#   d→c→? c has ties to d only. e and f are on no path, nor is a (nobody names a).
SIX = pd.Series({"a": "Acute", "b": "Acute", "c": "Acute", "d": "Council", "e": "Council", "f": "Hospice"})
BY_HAND = ties("ab", "bc", "ad", "dc", "cd", "fd", "de", "df")


def test_six_people_by_hand() -> None:
    found = network.brokerage(BY_HAND, SIX)
    assert found.total == {
        "coordinator": 1, "consultant": 1, "representative": 1, "gatekeeper": 3, "liaison": 3,
    }  # fmt: skip
    of_d = found.nodes.set_index("id").loc["d"]
    assert of_d[[*ROLES, "total"]].tolist() == [0, 1, 0, 3, 3, 7]
    assert found.nodes.loc[found.nodes["total"] > 0, "id"].tolist() == ["b", "c", "d"]
    assert (found.n, found.groups, found.ties, found.density) == (6, 3, 8, pytest.approx(8 / 30))
    # d of Council: the one other of Council and the others 4; p = (8/30)²(22/30)
    p = (8 / 30) ** 2 * 22 / 30
    assert of_d["expected_coordinator"] == 0
    assert of_d["expected_consultant"] == pytest.approx((3 * 2 + 0) * p)
    assert of_d["expected_gatekeeper"] == pytest.approx(1 * 4 * p)
    assert of_d["expected_liaison"] == pytest.approx((3 * 1 + 1 * 3) * p)
    assert math.isnan(of_d["z_coordinator"])


@pytest.mark.reference
def test_krackhardts_managers_are_snas(reference: Path) -> None:
    # R sna 2.7-1: brokerage(advice, DEPT), raw.nli and z.nli as exported; raw.gli 28 69 95 62 246 500
    # exp.gli 47.7415775834 152.4144260879 152.4144260879 152.4144260879 389.3292031098 894.3140589569
    # sd.gli of w_O 25.73078790230 and of b_O 33.28447026925, z.gli -3.24181390809 and -4.30618850023;
    # sd.gli of w_I 9.67268, of b_IO and b_OI 23.83595, of t 63.61014: too large, see the enumeration below
    # exp.nli of person 1: .672416585682 9.18969333765 5.7155409783 5.7155409783 21.2931918799 42.5863837599
    folder = reference / "people"
    department = pd.read_csv(folder / "krackhardt_hightech_attributes.csv", index_col="id")["DEPT"]
    drawn = pd.read_csv(folder / "krackhardt_hightech_ties.csv").query("advice_tie == 1")
    found = network.brokerage(drawn.rename(columns={"ego": "from_id", "alter": "to_id"}), department)
    sna = pd.read_csv(folder / "expected_brokerage_krack_advice_dept.csv").set_index("id")
    nodes = found.nodes.set_index("id")
    assert len(nodes) == len(sna) == 21
    for theirs, ours in SNA.items():
        assert nodes[ours].tolist() == sna[theirs].tolist()
        np.testing.assert_allclose(nodes[f"z_{ours}"], sna[f"z_{theirs}"], atol=1e-9, rtol=0)
    assert list(found.total.values()) == [28, 69, 95, 62, 246]
    expected_1 = [0.672416585682, 9.18969333765, 5.7155409783, 5.7155409783, 21.2931918799, 42.5863837599]
    assert nodes.loc[1, [f"expected_{ours}" for ours in SNA.values()]].tolist() == pytest.approx(expected_1, rel=1e-10)
    roles = found.roles.set_index("role")
    expected = [47.7415775834, 152.4144260879, 152.4144260879, 152.4144260879, 389.3292031098, 894.3140589569]
    assert roles["expected"].tolist() == pytest.approx(expected, rel=1e-11)
    assert roles.loc[["consultant", "liaison"], "sd"].tolist() == pytest.approx([25.73078790230, 33.28447026925])
    assert roles.loc[["consultant", "liaison"], "z"].tolist() == pytest.approx([-3.24181390809, -4.30618850023])
    others = roles.loc[["coordinator", "representative", "gatekeeper", "total"], "sd"]
    assert (others < [9.67268, 23.83595, 23.83595, 63.61014]).all()
    assert roles.loc["total", "count"] == 500


@pytest.mark.reference
def test_emergency_organisations_are_snas(reference: Path) -> None:
    # R sna 2.7-1: brokerage(network::emon[[1]], Sponsorship): raw.gli 3 15 32 31 115 196,
    # exp.gli 4.07267463849 31.22383889507 31.22383889507 31.22383889507 149.33140341122 247.07559473494,
    # z.gli of w_O -1.7964963186776, of b_O -1.8427973786254
    folder = reference / "people"
    sponsor = pd.read_csv(folder / "emon_1_orgs.csv", index_col="org")["sponsorship"]
    drawn = pd.read_csv(folder / "emon_1_ties.csv").rename(columns={"ego": "from_id", "alter": "to_id"})
    found = network.brokerage(drawn, sponsor)
    assert found.total == dict(zip(ROLES, [3, 15, 32, 31, 115], strict=True))
    roles = found.roles.set_index("role")
    assert roles.loc[["coordinator", "liaison", "total"], "expected"].tolist() == pytest.approx(
        [4.07267463849, 149.33140341122, 247.07559473494], rel=1e-11
    )
    assert roles.loc[["consultant", "liaison"], "z"].tolist() == pytest.approx([-1.7964963186776, -1.8427973786254])
    assert found.nodes["id"].tolist() == sponsor.index.tolist()


@given(st.integers(0, 10_000), st.integers(3, 9), st.floats(0.1, 0.9))
def test_counts_are_every_path_counted(seed: int, n: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    matrix = (rng.random((n, n)) < density) & ~np.eye(n, dtype=bool)
    assume(matrix.any())
    groups = rng.integers(3, size=n).tolist()
    found = network.brokerage(frame(matrix), pd.Series(groups))
    counts = one_by_one(matrix, groups)
    assert found.nodes[ROLES].to_numpy().tolist() == counts.to_numpy().tolist()
    assert found.nodes["total"].tolist() == counts.sum(axis=1).tolist()
    assert found.total == counts.sum().to_dict()
    turned = network.brokerage(frame(matrix.T), pd.Series(groups))
    assert turned.nodes["gatekeeper"].tolist() == found.nodes["representative"].tolist()
    assert turned.nodes["liaison"].tolist() == found.nodes["liaison"].tolist()
    named = network.brokerage(frame(matrix), pd.Series([f"G{9 - group}" for group in groups]))
    np.testing.assert_allclose(named.nodes["z_total"], found.nodes["z_total"])


@pytest.mark.parametrize("groups", [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 1], [0, 0, 1, 2], [0, 1, 2, 3]])
@pytest.mark.parametrize("tied", [3, 8])
def test_expectation_and_sd_are_those_of_every_network_there_is(groups: list[int], tied: int) -> None:
    # All 4096 networks of four people, each weighted by its probability: what sna 2.7-1 gives for the whole network is
    # larger, e.g. for [0, 0, 0, 1] at 6 of 12 ties coordinator and representative.
    n, arcs = 4, [(i, j) for i in range(4) for j in range(4) if i != j]
    is_there = {arc: (np.arange(1 << 12) >> place) & 1 for place, arc in enumerate(arcs)}
    sent = sum(is_there.values())
    d = tied / 12
    weight = d**sent * (1 - d) ** (12 - sent)
    counts = {(j, name): np.zeros(1 << 12) for j in range(n) for name in [*ROLES, "total"]}
    for i, j, k in itertools.permutations(range(n), 3):
        open_path = is_there[i, j] * is_there[j, k] * (1 - is_there[i, k])
        counts[j, role(groups[i], groups[j], groups[k])] += open_path
        counts[j, "total"] += open_path
    found = network.brokerage(pd.DataFrame(arcs[:tied], columns=["from_id", "to_id"]), pd.Series(groups))
    for name in [*ROLES, "total"]:
        for j in range(n):
            mean = float(weight @ counts[j, name])
            sd = math.sqrt(float(weight @ (counts[j, name] - mean) ** 2))
            row = found.nodes.loc[j]
            assert row[f"expected_{name}"] == pytest.approx(mean, abs=1e-12)
            z = (row[name] - mean) / sd if sd > 1e-9 else math.nan
            assert row[f"z_{name}"] == pytest.approx(z, abs=1e-9, nan_ok=True)
        whole = sum(counts[j, name] for j in range(n))
        mean = float(weight @ whole)
        row = found.roles.set_index("role").loc[name]
        assert row["expected"] == pytest.approx(mean, abs=1e-12)
        assert row["sd"] == pytest.approx(math.sqrt(float(weight @ (whole - mean) ** 2)), abs=1e-9)


def test_everybody_alone_in_a_group_is_a_liaison_or_nothing() -> None:
    found = network.brokerage(BY_HAND, pd.Series({name: name for name in "abcdef"}))
    assert found.total["liaison"] == sum(found.total.values()) == 9
    assert found.nodes[["z_coordinator", "z_consultant", "z_representative", "z_gatekeeper"]].isna().all(axis=None)
    assert found.nodes["z_liaison"].tolist() == pytest.approx(found.nodes["z_total"].tolist())


def test_one_group_has_coordinators_only() -> None:
    found = network.brokerage(BY_HAND, pd.Series(dict.fromkeys("abcdef", "Acute")))
    assert found.total["coordinator"] == sum(found.total.values()) == 9
    assert found.roles.set_index("role").loc["coordinator", "z"] == pytest.approx(
        found.roles.set_index("role").loc["total", "z"]
    )


def test_everybody_tied_to_everybody_leaves_nothing_to_broker() -> None:
    found = network.brokerage(frame(~np.eye(5, dtype=bool)), pd.Series([0, 0, 1, 1, 2]))
    assert sum(found.total.values()) == 0
    assert found.nodes.filter(like="z_").isna().all(axis=None)
    assert found.roles["z"].isna().all()


def test_an_isolate_counts_among_the_people_and_brokers_nothing() -> None:
    found = network.brokerage(ties("ab", "bc"), SIX)
    assert found.nodes.set_index("id").loc[["d", "e", "f"], [*ROLES, "total"]].eq(0).all(axis=None)
    assert found.density == pytest.approx(2 / 30)
    three = network.brokerage(ties("ab", "bc"), SIX[:3])
    assert three.total["coordinator"] == found.total["coordinator"] == 1


def test_a_copy_is_given_out() -> None:
    found = network.brokerage(BY_HAND, SIX)
    nodes, roles = found.nodes, found.roles
    nodes["total"], roles["count"] = 99, 99
    assert found.nodes["total"].sum() == 9
    assert found.roles["count"].iloc[-1] == 9


@pytest.mark.parametrize(
    ("drawn", "groups", "says"),
    [
        (ties("aa", "ab"), SIX, "tied to themselves: a"),
        (ties("ab", "cd", "ab"), SIX, "given twice: a→b"),
        (ties("ab", "xz"), SIX, "not among the people given: x, z"),
        (ties(), SIX, "no ties"),
        (ties("ab"), SIX[:2], "takes three people"),
        (ties("ab"), SIX[:0], "takes three people"),
        (ties("ab"), pd.Series({"a": 1, "b": None, "c": 2}), "have no group: b"),
        (ties("ab"), pd.Series([1, 2, 2], index=["a", "b", "b"]), "more than one group: b"),
        (ties("ab"), pd.Series([1, 2, 2], index=["a", "b", None]), "1 of the people in groups have no id"),
        (pd.DataFrame({"from_id": ["a", None], "to_id": ["b", "c"]}), SIX, r"An end is missing in 1 ties \(rows 1"),
        (pd.DataFrame({"from_id": ["a"], "alter": ["b"]}), SIX, "to_id is missing"),
    ],
)
def test_brokerage_refuses_by_name(drawn: pd.DataFrame, groups: pd.Series, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        network.brokerage(drawn, groups)


def test_three_hundred_people_are_quick() -> None:
    rng = np.random.default_rng(1)
    matrix = (rng.random((300, 300)) < 0.05) & ~np.eye(300, dtype=bool)
    drawn, groups = frame(matrix), pd.Series(rng.integers(12, size=300))
    times = []
    for _ in range(3):
        start = time.perf_counter()
        network.brokerage(drawn, groups)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.5  # measured .06 s on a busy machine
