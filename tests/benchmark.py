"""How long data take on their way in, beside the fastest plain ways of doing the same: `make benchmark`.

A million answers (ten columns, half a dozen menus, ids that must be listed, one answer to one item) are read and
checked; beside them, in the same run, pandas reads the same file as text, and the same rules are written out by hand
over typed columns. Prints seconds and ratios; the least of several rounds, in turn, so that a busy moment hits both.
"""

from __future__ import annotations

import argparse
import io
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from evalkit import instrument
from evalkit.programme import load
from evalkit.reading import _read, folder
from evalkit.reading.planned import checked

ITEMS = [item.key for item in instrument.shipped()["system_leadership"].items][:25]
MENUS = {
    "subject_kind": ["person", "team", "place", "organisation", "session"],
    "rater": ["self", "sponsor", "line_manager", "peer", "direct_report", "partner", "team_member"],
    "timing": ["pre", "then", "post", "followup"],
    "instrument": ["system_leadership"],
    "item": [item.key for item in instrument.shipped()["system_leadership"].items],
}
KEY = ["respondent_id", "subject_kind", "subject_id", "rater", "instrument", "item", "wave", "timing"]


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


def main() -> None:
    """Measure, and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--rounds", type=int, default=5)
    said = asked.parse_args()
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
