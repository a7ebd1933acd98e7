"""How long data and networks take, beside the plain ways of doing the same: `make benchmark`.

A million answers (ten columns, half a dozen menus, ids that must be listed, one answer to one item) are read and
checked; beside them, in the same run, pandas reads the same file as text, and the same rules are written out by hand
over typed columns. In a network of 300 people (3 in 100 pairs tied, 12 groups) 10,000 relabellings are counted for the
E-I index and for the correlation of two networks; beside them, a loop over the ties of a networkx graph, and one that
calls numpy's corrcoef. These loops are run for 200 relabellings a round and multiplied by 50. Prints seconds and
ratios; the least of several rounds, in turn, so that a busy moment hits both.
"""

from __future__ import annotations

import argparse
import io
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from evalkit import instrument
from evalkit.programme import load
from evalkit.reading import _read, folder
from evalkit.reading.planned import checked
from evalkit.stats import network
from tests import (
    benchmark_admissions,
    benchmark_bootstrap,
    benchmark_group_time,
    benchmark_growth,
    benchmark_reliability,
    benchmark_spc,
    benchmark_standardised,
    benchmark_synthetic,
)

try:
    import networkx
except ImportError:  # it is among the tools of development, not what evalkit needs
    networkx = None

ITEMS = [item.key for item in instrument.shipped()["system_leadership"].items][:25]
MENUS = {
    "subject_kind": ["person", "team", "place", "organisation", "session"],
    "rater": ["self", "sponsor", "line_manager", "peer", "direct_report", "partner", "team_member"],
    "timing": ["pre", "then", "post", "followup"],
    "instrument": ["system_leadership"],
    "item": [item.key for item in instrument.shipped()["system_leadership"].items],
}
KEY = ["respondent_id", "subject_kind", "subject_id", "rater", "instrument", "item", "wave", "timing"]

PEOPLE, RELABELLINGS, LOOPED = 300, 10_000, 200

IN_THEIR_OWN_FILES = {
    "growth": benchmark_growth.lines,
    "bootstrap": benchmark_bootstrap.lines,
    "reliability": benchmark_reliability.lines,
    "admissions": benchmark_admissions.lines,
    "charts": benchmark_spc.lines,
    "standardised": benchmark_standardised.lines,
    "group_time": benchmark_group_time.lines,
    "synthetic": benchmark_synthetic.lines,
}
"""What is measured of leaders and of people's lives, each in a file of its own that says how."""


def write(target: Path, rows: int) -> Path:
    """A programme's folder with so many answers, all of them right."""
    rng = np.random.default_rng(1)
    people = [f"P{number:06d}" for number in range(max(rows // 100, 1))]
    index = pd.MultiIndex.from_product([people, [1, 2, 3, 4], ITEMS], names=["respondent_id", "wave", "item"])
    answers = index.to_frame(index=False).head(rows)
    days = pd.date_range("2024-04-01", periods=600).strftime("%Y-%m-%d").to_numpy()
    answers = answers.assign(
        subject_kind="person",
        subject_id=answers["respondent_id"],
        rater="self",
        instrument="system_leadership",
        timing=answers["wave"].map({1: "pre", 2: "post", 3: "followup", 4: "followup"}),
        answered_on=days[rng.integers(0, len(days), len(answers))],
        answer=rng.integers(1, 6, len(answers)),
    )
    answers.to_csv(target / "responses.csv", index=False)
    pd.DataFrame({"person_id": people, "kind": "participant"}).to_csv(target / "people.csv", index=False)
    pd.DataFrame({"wave": [1, 2, 3, 4]}).to_csv(target / "waves.csv", index=False)
    (target / "programme.toml").write_text('schema = 1\nname = "x"\nstarts_on = 2024-01-01\n', encoding="utf-8")
    return target


def by_hand(answers: pd.DataFrame, people: pd.Series[str], waves: pd.Series[int]) -> int:
    """How many rows break a rule: the same rules, written out over typed columns."""
    broken = answers[KEY].isna().any(axis="columns") & answers["wave"].notna()
    for column, words in MENUS.items():
        broken |= ~answers[column].isin(words)
    for column, listed in (("respondent_id", people), ("subject_id", people), ("wave", waves)):
        broken |= ~answers[column].isin(listed)
    broken |= ~(answers["answer"].isna() | (answers["answer"].between(1, 5) & (answers["answer"] % 1 == 0)))
    oneself = (answers["rater"] == "self") & (answers["subject_kind"] == "person")
    broken |= oneself & (answers["respondent_id"] != answers["subject_id"])
    broken |= answers.duplicated(KEY)
    return int(broken.sum())


def seconds(do: Callable[[], object]) -> float:
    """How long it takes once."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def fresh(target: Path) -> object:
    """Read and checked anew, whatever was read before."""
    _read.cache_clear()
    return load(target)


class Timed:
    """The checks alone, as they happen inside a load."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self, *said: object, **more: object) -> object:
        began = time.perf_counter()
        found = checked(*said, **more)  # type: ignore[arg-type]
        self.seconds = time.perf_counter() - began
        return found


def two_networks() -> Iterator[np.ndarray]:
    """Who of 300 is tied to whom in two relations: 3 in 100 pairs, by chance."""
    rng = np.random.default_rng(1)
    for _ in range(2):
        yield ((rng.random((PEOPLE, PEOPLE)) < 0.03) & ~np.eye(PEOPLE, dtype=bool)).astype(float)


def looped_ties(graph: networkx.DiGraph, groups: list[int]) -> int:
    """Ties across groups in each of 200 deals of the groups, over the ties of a networkx graph."""
    rng = np.random.default_rng(1)
    across = 0
    for _ in range(LOOPED):
        group = dict(zip(graph, rng.permutation(groups).tolist(), strict=True))
        across += sum(group[one] != group[other] for one, other in graph.edges)
    return across


def looped_correlations(first: np.ndarray, second: np.ndarray) -> float:
    """The highest of 200 correlations, each by numpy's corrcoef of the pairs of two people."""
    rng = np.random.default_rng(1)
    apart = ~np.eye(PEOPLE, dtype=bool)
    orders = (rng.permutation(PEOPLE) for _ in range(LOOPED))
    return max(np.corrcoef(first[apart], second[np.ix_(order, order)][apart])[0, 1] for order in orders)


def networks(rounds: int) -> None:
    """Measure 10,000 relabellings of a network, and print."""
    first, second = two_networks()
    ties = pd.DataFrame(np.argwhere(first), columns=["from_id", "to_id"])
    groups = pd.Series(np.random.default_rng(2).integers(12, size=PEOPLE))
    found: dict[str, list[float]] = {"E-I index": [], "networkx loop": [], "QAP": [], "corrcoef loop": []}
    graph = None
    if networkx is not None:
        graph = networkx.DiGraph(ties.itertuples(index=False))
        graph.add_nodes_from(range(PEOPLE))
    for _ in range(rounds):
        found["E-I index"].append(seconds(lambda: network.ei(ties, groups, permutations=RELABELLINGS, seed=1)))
        found["QAP"].append(seconds(lambda: network.qap(first, second, permutations=RELABELLINGS, seed=1)))
        loop = seconds(lambda: looped_correlations(first, second))
        found["corrcoef loop"].append(loop * RELABELLINGS / LOOPED)
        if graph is not None:
            loop = seconds(lambda: looped_ties(graph, groups.tolist()))
            found["networkx loop"].append(loop * RELABELLINGS / LOOPED)
    least = {name: min(times) for name, times in found.items() if times}
    for name, took in least.items():
        print(f"{name:22} {took:7.3f} s{'  (from 200 relabellings)' if 'loop' in name else ''}")
    if graph is None:
        print("networkx not installed")
    else:
        print(f"networkx / E-I index   {least['networkx loop'] / least['E-I index']:7.1f}  (at least 60)")
    print(f"corrcoef / QAP         {least['corrcoef loop'] / least['QAP']:7.1f}  (at least 40)")


def main() -> None:
    """Measure, and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--only", choices=["data", "networks", *IN_THEIR_OWN_FILES], help="one of these; all without it")
    said = asked.parse_args()
    if said.only in (None, "networks"):
        networks(said.rounds)
    for name, lines in IN_THEIR_OWN_FILES.items():
        if said.only in (None, name):
            print(*lines(rounds=min(said.rounds, 3)), sep="\n")
    if said.only in (None, "data"):
        data(said)


def data(said: argparse.Namespace) -> None:
    """Measure data on their way in, and print."""
    with tempfile.TemporaryDirectory() as place:
        target = write(Path(place), said.rows)
        content = (target / "responses.csv").read_bytes()
        timed = Timed()
        folder.checked = timed  # type: ignore[assignment]
        load(Path(__file__).parent / "broken" / "clean")  # imports are paid once, and not here
        found: dict[str, list[float]] = {"read_csv(dtype=str)": [], "load": [], "checks": [], "checks by hand": []}
        for _ in range(said.rounds):
            found["read_csv(dtype=str)"].append(seconds(lambda: pd.read_csv(io.BytesIO(content), dtype=str)))
            found["load"].append(seconds(lambda: fresh(target)))
            found["checks"].append(timed.seconds)
            programme = load(target)
            people, waves = programme.people["person_id"], programme.waves["wave"]
            found["checks by hand"].append(seconds(partial(by_hand, programme.responses, people, waves)))
        least = {name: min(times) for name, times in found.items()}
        for name, took in least.items():
            print(f"{name:22} {took:7.3f} s")
        print(f"load / read_csv        {least['load'] / least['read_csv(dtype=str)']:7.2f}  (at most 4)")
        print(f"checks / by hand       {least['checks'] / least['checks by hand']:7.2f}  (at most 2)")
        print(f"peak memory            {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:7.2f} GiB")


if __name__ == "__main__":
    main()
