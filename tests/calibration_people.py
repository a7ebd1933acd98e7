"""How often questions about leaders are wrong: errors with teams, coverage, leaving, and twelve questions at once.

Called by `tests.calibration` (`--only people`). Everything goes through what the rooms call: `panel.available` for one
group, `panel_difference.difference` for two, and the question `individual.growth` for twelve items.

Sizes: standardised changes of 8 to 100 people by the interval each kind takes, and by BCa, which is only counted.

Errors: nothing changes, though teams move together (share of the variance of change between teams .15); 6, 10 or 20
teams of 8, or of 4 to 14. Coverage: a change of .4 standard deviations in 15, 30 or 100 people, alone or in 3, 6 and 13
teams (latent share .2). Leaving: about 27 of 100 leave, low scorers more often. Answers are normal, or the mean of
three items answered 0 to 5, in the middle of the scale or at its ceiling.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evalkit.simulation.scoring import Ticking
from evalkit.stats import change, panel
from evalkit.stats.panel_difference import difference

ITEMS, LOW, HIGH, NOISE = 3, 0, 5, 0.6
LEVELS = {"middle": 2.8, "ceiling": 4.6}
STABLE = 0.5
"""The share of an answer's variance that a person keeps between waves; the rest is drawn anew."""
ERRORS = {"normal": (3.5, 6.5), "ceiling": (0.0, 7.0)}
COVERAGE, COVERAGE_LEAVING, SIZES = (93.5, 96.5), 93.0, 93.0
LEAVE, LEAN = 0.27, 0.6
TWELVE, FEW, MOST_RISES = 12, 17, 5.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One design. `teams` None: nobody is in a team. `sizes` None: people are dealt out evenly."""

    what: str
    answers: str
    people: int = 0
    teams: int | None = None
    sizes: str = ""
    icc: float = 0.15
    change: float = 0.0
    leaving: bool = False


CELLS = [
    *(Cell(what, answers, teams=teams, sizes=sizes)
      for what, answers, teams, sizes in product(("two groups", "one group"), ("normal", "ceiling"), (6, 10, 20),
                                                 ("8", "4 to 14"))),
    *(Cell("coverage", answers, people=people, teams=teams, icc=0.2, change=0.4)
      for answers in ("normal", "middle", "ceiling")
      for people, among in ((15, 3), (30, 6), (100, 13)) for teams in (None, among)),
    *(Cell("coverage, people leave", answers, people=people, change=0.4, leaving=True)
      for answers in ("normal", "middle") for people in (15, 30, 100, 200)),
]  # fmt: skip


def sizes(cell: Cell, rng: np.random.Generator) -> np.ndarray:
    """How many people are in each team; everybody in a team of their own where there are none."""
    if cell.teams is None:
        return np.ones(cell.people, dtype=int)
    if cell.people:
        return np.bincount(np.arange(cell.people) % cell.teams)
    return np.full(cell.teams, 8) if cell.sizes == "8" else rng.integers(4, 15, cell.teams)


def drawn(cell: Cell, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.Series]:
    """Answers at two waves, and teams. Positions vary by 1 at each wave; what is drawn anew lies partly in teams."""
    of_team = sizes(cell, rng)
    team, anew = np.repeat(np.arange(len(of_team)), of_team), 1 - STABLE
    icc = cell.icc if cell.teams else 0.0
    together = math.sqrt(icc * anew) * rng.standard_normal((len(of_team), 2))[team]
    alone = math.sqrt((1 - icc) * anew) * rng.standard_normal((len(team), 2))
    position = math.sqrt(STABLE) * rng.standard_normal((len(team), 1)) + together + alone
    position[:, 1] += cell.change
    answers = position if cell.answers == "normal" else ticked(cell, position, rng)
    if cell.leaving:
        z = (answers[:, 0] - answers[:, 0].mean()) / answers[:, 0].std()
        inclined = -LEAN * z + math.sqrt(1 - LEAN**2) * rng.standard_normal(len(z))
        answers[inclined > _point(1 - LEAVE), 1] = np.nan
    return pd.DataFrame(answers, columns=[1, 2]), pd.Series(team)


def _point(share: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(share))


def ticked(cell: Cell, position: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The mean of three items, each the position with noise of its own, rounded and held on the scale."""
    latent = LEVELS[cell.answers] + position[..., None] + NOISE * rng.standard_normal((*position.shape, ITEMS))
    return np.asarray(np.clip(np.rint(latent), LOW, HIGH).mean(axis=-1))


def true_change(cell: Cell) -> float:
    """The change of the population mean: exact."""
    if cell.answers == "normal":
        return cell.change
    ticking = Ticking(np.zeros(ITEMS), np.full(ITEMS, 1 / ITEMS), LOW, HIGH, occasion=0.0, item=NOISE)
    level = LEVELS[cell.answers]
    return ticking.expected(level + cell.change, 1.0) - ticking.expected(level, 1.0)


def interval(cell: Cell, answers: pd.DataFrame, team: pd.Series) -> tuple[float, float]:
    """What evalkit says: of one group, or of the first half of the teams less the others."""
    available = partial(panel.available, first=1, last=2)
    if cell.what == "two groups":
        met = (team < cell.teams // 2).to_numpy()
        found = difference(*(available(answers[arm], teams=team[arm]) for arm in (met, ~met)))
        return found.low, found.high
    one = available(answers, teams=None if cell.teams is None else team)
    return one.low, one.high


def counted(cell: Cell, *, runs: int, seed: int) -> dict[str, Any]:
    """How many intervals of one design miss what is true; a refusal (nobody differs) misses nothing."""
    rng = np.random.default_rng([seed, CELLS.index(cell)])
    true, missed, refused = (0.0 if cell.what == "two groups" else true_change(cell)), 0, 0
    for _ in range(runs):
        try:
            low, high = interval(cell, *drawn(cell, rng))
        except ValueError:
            refused += 1
            continue
        missed += not low <= true <= high
    share = missed / runs
    return {
        "what": cell.what, "answers": cell.answers, "people": cell.people or "", "teams": cell.teams or "",
        "sizes": cell.sizes, "runs": runs, "refused": refused, "missed_%": 100 * share,
        "±": 100 * math.sqrt(share * (1 - share) / runs),
    }  # fmt: skip


def rises(runs: int, seed: int) -> dict[str, Any]:
    """Twelve correlated items, 17 people, nothing going on: in how many evaluations `growth` claims any rise."""
    import evalkit as ek

    rng = np.random.default_rng([seed, TWELVE])
    claimed = 0
    with tempfile.TemporaryDirectory() as place:
        write = _folder(Path(place))
        for _ in range(runs):
            write(rng)
            found = ek.individual.growth(ek.load(place), on="twelve")
            claimed += found.verdict.value in ("rose", "improved") or (found.table["clear"] == "higher").any()
    share = claimed / runs
    return {"what": "any rise of 12 items", "answers": "1 to 5", "people": FEW, "runs": runs, "missed_%": 100 * share,
            "±": 100 * math.sqrt(share * (1 - share) / runs)}  # fmt: skip


def sizes_of_change(*, runs: int, seed: int) -> Iterator[dict[str, Any]]:
    """How many intervals of a standardised change miss it: those taken unless another is asked for, and BCa.

    What is true is that of a million people. A set whose resamples have no spread is refused, and counts for nothing.
    """
    rng = np.random.default_rng([seed, 0, runs])
    for answers in ("normal", "middle", "ceiling"):
        many = two_waves(answers, 1, 1_000_000, rng)[0]
        moved, spread = many[:, 1].mean() - many[:, 0].mean(), many.var(axis=0)
        true = {"d_z": moved / (many[:, 1] - many[:, 0]).std(), "d_av": moved / math.sqrt(spread.mean())}
        for people in (8, 15, 30, 100):
            sets = two_waves(answers, runs, people, rng)
            before, after = (pd.DataFrame(sets[..., wave].T) for wave in (0, 1))
            for kind, interval in (("d_z", None), ("d_z", "bca"), ("d_av", None), ("d_av", "bca")):
                found = change.effect_sizes(before, after, kind=kind, interval=interval, resamples=1_999, seed=seed)
                told = found.dropna(subset="low")
                share = 1 - (told["low"].le(true[kind]) & told["high"].ge(true[kind])).mean()
                yield {
                    "what": f"{kind}, {told['interval'].iloc[0]}", "answers": answers, "people": people, "runs": runs,
                    "refused": runs - len(told), "missed_%": 100 * share,
                    "±": 100 * math.sqrt(share * (1 - share) / len(told)),
                }  # fmt: skip


def two_waves(answers: str, sets: int, people: int, rng: np.random.Generator) -> np.ndarray:
    """Sets × people × waves: a change of .4 standard deviations, nobody in a team."""
    cell = Cell("", answers, people=people, change=0.4)
    position = math.sqrt(STABLE) * rng.standard_normal((sets, people, 1))
    position = position + math.sqrt(1 - STABLE) * rng.standard_normal((sets, people, 2))
    position[..., 1] += cell.change
    return position if answers == "normal" else ticked(cell, position, rng)


def _folder(place: Path) -> Callable[[np.random.Generator], None]:
    """A programme's folder with a questionnaire of twelve domains; what writes one set of answers into it."""
    (place / "instruments").mkdir()
    lines = ['schema = 1\nid = "twelve"\nname = "Twelve"\nedition = "1"\nsource = "Invented"\nlicence = "None"',
             "verified = true\nvalidated = true\nself_assessed = true\nbetter = \"higher\"\nsubjects = [\"person\"]",
             "raters = [\"self\"]\n[scale]\nlow = 1\nhigh = 5\nstep = 1\nkind = \"ordinal\"\nevaluator_defined = true",
             '[missing]\nat_least = 1.0\nsource = "One item each."']  # fmt: skip
    for at in range(TWELVE):
        lines += [f'[[domains]]\nkey = "d{at}"\nlabel = "Domain {at}"',
                  f'[[items]]\nkey = "i{at}"\ndomain = "d{at}"\ntext = "Item {at}"']  # fmt: skip
    (place / "instruments" / "twelve.toml").write_text("\n".join(lines), encoding="utf-8")
    (place / "programme.toml").write_text(
        'schema = 1\nname = "Twelve"\nstarts_on = 2024-01-01\nas_of = 2025-01-01\nfictional = true\n', encoding="utf-8"
    )
    (place / "waves.csv").write_text("wave,closes_on\n1,2024-02-01\n2,2024-12-01\n", encoding="utf-8")
    leaders = [f"L{at:02d}" for at in range(FEW)]
    pd.DataFrame({"person_id": leaders, "kind": "participant"}).to_csv(place / "people.csv", index=False)
    pd.DataFrame({"participant_id": leaders}).to_csv(place / "participants.csv", index=False)
    key = pd.MultiIndex.from_product([leaders, [1, 2], [f"i{at}" for at in range(TWELVE)]])
    held = pd.DataFrame([*key], columns=["respondent_id", "wave", "item"]).assign(
        subject_kind="person", rater="self", instrument="twelve"
    )
    held["subject_id"] = held["respondent_id"]
    held["timing"] = held["wave"].map({1: "pre", 2: "post"})
    held["answered_on"] = held["wave"].map({1: "2024-01-20", 2: "2024-11-20"})

    def write(rng: np.random.Generator) -> None:
        person = rng.standard_normal((FEW, 1, 1)) + 0.7 * rng.standard_normal((FEW, 2, 1))
        answers = np.clip(np.rint(3.2 + 0.6 * person + 0.6 * rng.standard_normal((FEW, 2, TWELVE))), 1, 5)
        held.assign(answer=answers.ravel().astype(int)).to_csv(place / "responses.csv", index=False)

    return write


def broken(found: pd.DataFrame) -> Iterator[str]:
    """Promises not kept, in words."""
    for row in found.to_dict("records"):
        low, high = 0.0, MOST_RISES
        if row["what"] in ("two groups", "one group"):
            low, high = ERRORS[row["answers"]]
        elif row["what"] == "coverage":
            low, high = 100 - COVERAGE[1], 100 - COVERAGE[0]
        elif row["what"] == "coverage, people leave":
            low, high = 0.0, 100 - COVERAGE_LEAVING
        elif row["what"].startswith("d_"):
            low, high = 0.0, 100.0 if row["what"].endswith("bca") else 100 - SIZES
        if not low <= row["missed_%"] <= high:
            named = [str(row[name]) for name in ("what", "answers", "people", "teams", "sizes") if row.get(name)]
            yield f"{', '.join(named)}: misses {row['missed_%']:.2f} %"
