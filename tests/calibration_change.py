"""How often `population.change` is wrong: one series of months, and its ratio to that of comparison places.

    python -m tests.calibration_change [--runs 4000] [--seed 1]

Called by `tests.calibration` (`--only series`). 300 events a month in programme places and 175 in comparison places,
variance twice the mean, a trend of .1 % a month and two waves a year, all in the model. Counts hang together as AR(1)
as observed (a Gaussian AR(1) turned into negative binomial counts), or are Poisson on a latent AR(1); ρ 0, .3, .6 and
.9; 24 months before and 12 after the start, 36 and 12, 36 and 24, 48 and 12, 60 and 24.

Errors: how often the 95 % interval of the change in level leaves out no change, in one series and in the ratio. Limit:
at most 6.5 % in each cell. A change moves the estimate by exactly as much, so coverage is the rest. Beside them how
often the verdict is improved or worsened (97 %; none where the series drifts), and how often the series drifts. Series
are fitted many at once by `ar1_noise.fit_many`; 50 by `series.interrupted`, and 200 simulated programmes asked one by
one, must say the same. "stress" has no limit: rates that walk at random, and a tenth less everywhere from a month after
the start on.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from evalkit.errors import NotEnoughEvidence
from evalkit.stats import ar1_noise, designs, series
from evalkit.stats.segments import DRIFT_RHO, DRIFT_W
from evalkit.verdict import HEADLINE
from tests.calibration_cells import ALL, ANY, MEASURE, NONE, START, Cell, Share, built, point, printed

DESIGNS = ((24, 12), (36, 12), (36, 24), (48, 12), (60, 24))
PROCESSES, RHOS = ("observation", "latent"), (0.0, 0.3, 0.6, 0.9)
MINE, OTHERS, DISPERSION = 300.0, 175.0, 2.0
TREND, WAVES = 0.001, ((0.08, 1), (0.03, 2))
MOST = (0.0, 6.5)
WALKS = (0.005, 0.01, 0.02)
LENGTHS = (40, 60, 80)
"""Months of simulated programmes: three in five lie before the start, so 24, 36 and 48."""
FITTED, ASKED, ASKED_OF_OTHERS = 50, 200, 10


@dataclass(frozen=True, slots=True)
class Fitted:
    """What is said of many series: change in level on the log, its standard error and df, and whether they drift."""

    estimate: np.ndarray
    se: np.ndarray
    df: np.ndarray
    drifts: np.ndarray

    def beyond(self, confidence: float) -> np.ndarray:
        """Whether the interval leaves out no change."""
        return np.abs(self.estimate) > point(confidence, self.df) * self.se

    @property
    def clear(self) -> np.ndarray:
        """Whether the verdict is improved or worsened."""
        return self.beyond(HEADLINE) & ~self.drifts


def fitted(y: np.ndarray, before: int) -> Fitted:
    """Trend, season and level through log rates, (series, months), as `series.interrupted` fits them."""
    months = np.arange(y.shape[1])
    terms, level = designs.design(before, len(months) - before, "harmonic")
    found = ar1_noise.fit_many(y, terms, months, np.eye(terms.shape[1])[level])
    inverses, determinants = ar1_noise._correlations(tuple(months.tolist()), ar1_noise._grid())
    left = y - np.linalg.lstsq(terms, y.T, rcond=None)[0].T @ terms.T
    pairs = np.array(ar1_noise._grid())[ar1_noise._best_of_many(left, terms, inverses, determinants)[1]]
    return Fitted(found.estimate, found.se, found.df, (pairs[:, 0] >= DRIFT_RHO) & (pairs[:, 1] >= DRIFT_W))


def expected(level: float, months: int) -> np.ndarray:
    """Events a month with trend and season."""
    month = np.arange(months)
    season = sum(half * np.cos(2 * np.pi * turns * month / 12) for half, turns in WAVES)
    return level * np.exp(TREND * month + season)


def counts(process: str, means: np.ndarray, rho: float, runs: int, rng: np.random.Generator) -> np.ndarray:
    """Series of counts, (series, months), about these means, by month, or for the latent process one row a series."""
    from scipy.special import ndtr
    from scipy.stats import nbinom

    wander = designs.wandering(rng, (runs, means.shape[-1]), rho)
    if process == "latent":
        variance = np.log1p((DISPERSION - 1) / means)
        return rng.poisson(means * np.exp(np.sqrt(variance) * wander - variance / 2))
    share = ndtr(wander)
    drawn = np.empty(share.shape, dtype=np.int64)
    for month, mean in enumerate(means):  # the quantiles of `nbinom.ppf`, looked up
        law = nbinom(mean / (DISPERSION - 1), 1 / DISPERSION)
        drawn[:, month] = np.searchsorted(law.cdf(np.arange(law.ppf(1 - 1e-13) + 2)), share[:, month])
    return drawn


def said(name: str, mine: np.ndarray, others: np.ndarray, before: int, limits: tuple[float, float] = ANY) -> Cell:
    """Errors of one series and of the ratio, with nothing going on."""
    runs, shares = len(mine), []
    for what, y in (("one series", np.log(mine)), ("ratio", np.log(mine / others))):
        found = fitted(y, before)
        shares += [
            Share(what, int(found.beyond(0.95).sum()), runs, limits),
            Share("verdict", int(found.clear.sum()), runs),
            Share("drifts", int(found.drifts.sum()), runs),
        ]
    return Cell(name, tuple(shares))


def nothing(process: str, rho: float, before: int, after: int, runs: int, rng: np.random.Generator) -> Cell:
    """Nothing going on."""
    both = [counts(process, expected(level, before + after), rho, runs, rng) for level in (MINE, OTHERS)]
    return said(f"{process}, ρ {rho:g}, {before} months and {after}", *both, before, MOST)


def walking(step: float, before: int, after: int, runs: int, rng: np.random.Generator) -> Cell:
    """Poisson counts about rates that walk at random, of each kind of places by themselves."""
    both = []
    for level in (MINE, OTHERS):
        walk = step * rng.standard_normal((runs, before + after)).cumsum(axis=1)
        both.append(rng.poisson(expected(level, before + after) * np.exp(walk - walk.mean(axis=1, keepdims=True))))
    return said(f"stress: walk of {100 * step:g} % a month, {before} months and {after}", *both, before)


def shared_dip(before: int, after: int, runs: int, rng: np.random.Generator) -> Cell:
    """A tenth less everywhere from the month after the start on, nothing of the programme's."""
    times = np.where(np.arange(before + after) > before, 0.9, 1.0)
    both = [counts("latent", times * expected(level, before + after), 0.6, runs, rng) for level in (MINE, OTHERS)]
    return said(f"stress: lasting dip in all, latent, ρ 0.6, {before} months and {after}", *both, before)


def same_as_interrupted(many: int, rng: np.random.Generator, lengths: Collection[tuple[int, int]] = DESIGNS) -> Cell:
    """Series fitted one by one, which begin in April."""
    worst, drifting, each_design = 0.0, 0, -(-many // (2 * len(lengths)))
    for before, after in lengths:
        mine, others = (
            counts("latent", expected(level, before + after), 0.9, each_design, rng) for level in (MINE, OTHERS)
        )
        months = pd.date_range("2018-04-01", periods=before + after, freq="MS")
        for compared in (False, True):
            own = fitted(np.log(mine / others) if compared else np.log(mine), before)
            for number in range(each_design):
                frame = pd.DataFrame({"month": months, "count": mine[number], "other": others[number]})
                found = series.interrupted(
                    frame, outcome="count", time="month", start=months[before], family="quasipoisson",
                    seasonal="harmonic", comparison="other" if compared else None,
                )  # fmt: skip
                numbers = [np.log(found.estimate), found.se, found.df]
                apart = np.abs(np.divide(numbers, [own.estimate[number], own.se[number], own.df[number]]) - 1).max()
                worst = max(worst, float(apart), float(found.drifts != own.drifts[number]))
                drifting += found.drifts
    total = 2 * each_design * len(lengths)
    return Cell("series.interrupted, one by one", (Share("same numbers", total * (worst < 1e-6), total, ALL),),
                f"furthest apart {worst:.0e} of a number; {drifting} drift")  # fmt: skip


def same_as_the_question(many: int, seed: int) -> Cell:
    """Simulated programmes with nothing going on, asked one by one, and the same months fitted all at once."""
    apart, verdicts, clear, drifting = [], 0, 0, 0
    for length, compared in product(LENGTHS, (True, False)):
        settings = [*product(PROCESSES, RHOS)]
        programmes = [
            simulated(1000 * seed + number, length, compared, *settings[number % len(settings)])
            for number in range(-(-many // (2 * len(LENGTHS))))
        ]
        own = fitted(np.stack([log_rates(each) for each in programmes]), round(0.6 * length))
        for number, programme in enumerate(programmes):
            told = asked(programme)
            found = told.details
            numbers = [np.log(found.estimate), found.se, found.df]
            mine = [own.estimate[number], own.se[number], own.df[number]]
            apart.append(float(np.abs(np.divide(numbers, mine) - 1).max()))
            changed = "improved" if own.estimate[number] < 0 else "worsened"
            expected_verdict = (
                "not measurable" if own.drifts[number] else changed if own.clear[number] else "no clear change"
            )
            verdicts += told.verdict.value == expected_verdict
            clear += told.verdict.value in ("improved", "worsened")
            drifting += told.verdict.value == "not measurable"
    same = sum(each < 1e-6 for each in apart)
    shares = (Share("same numbers", same, len(apart), ALL), Share("same verdict", verdicts, len(apart), ALL),
              Share("improved or worsened", clear, len(apart)), Share("drifts", drifting, len(apart)))  # fmt: skip
    return Cell("population.change, one by one", shares, f"furthest apart {max(apart):.0e} of a number")


def simulated(seed: int, months: int, compared: bool, process: Any, rho: float, **how: Any) -> Any:
    """`ek.simulate` with nothing going on, to be read after a year and without a change agreed to be worthwhile."""
    import evalkit as ek
    from evalkit.programme import Programme

    made = ek.simulate(seed=seed, effects={}, tables=("outcomes",), months=months, places=19 if compared else 12,
                       programme_places=12, process=process, rho=rho, leaders=2, teams=1, waves=2,
                       **({"events": False} | how))  # fmt: skip
    plan = replace(made.plan, lag_months={MEASURE: 12}, worthwhile={})
    tables = {name: getattr(made, name) for name in ("places", "outcomes", "denominators", "events")}
    return Programme.build(settings=replace(made.settings, plan=plan), tables=tables)


def log_rates(programme: Any) -> np.ndarray:
    """By month the log of the rate in programme places, over that in the others where there are any."""
    arm = programme.places.set_index("place_id")["arm"]
    months = programme.outcomes.assign(arm=programme.outcomes["place_id"].map(arm))
    events = months.pivot_table(index="period", columns="arm", values="count", aggfunc="sum").astype(float)
    years = programme.denominators.assign(arm=programme.denominators["place_id"].map(arm))
    people = years.pivot_table(index="period", columns="arm", values="population", aggfunc="sum").astype(float)
    rates = np.log(events / people.reindex(events.index, method="ffill"))
    return (rates["programme"] - rates.get("comparison", 0.0)).to_numpy()


def asked(programme: Any) -> Any:
    """The question."""
    import evalkit as ek

    return ek.population.change(programme, measure=MEASURE)


def verdict(programme: Any) -> str:
    """What is said in the end; "refused" where nothing is."""
    try:
        return str(asked(programme).verdict.value)
    except NotEnoughEvidence:
        return "refused"


def refusals(runs: int, seed: int, rng: np.random.Generator) -> Iterator[Cell]:
    """What is not answered: empty months, counted and some asked; and what a few programmes are told."""
    drawn = counts("latent", expected(6.0, 60), 0.6, runs, rng)
    empty = (drawn == 0).any(axis=1)
    told = [verdict(built(each[None], np.array([9.0]), 1)) == "refused" for each in drawn[:ASKED_OF_OTHERS]]
    same = int((np.array(told) == empty[:ASKED_OF_OTHERS]).sum())
    yield Cell("a month without events (6 a month)",
               (Share("refused", int(empty.sum()), runs), Share("asked, same", same, len(told), ALL)))  # fmt: skip
    ordinary = counts("latent", expected(MINE, 60), 0.6, 5, rng)
    for what, part, start in (
        ("11 months after the start", slice(47), START),
        ("23 months before the start, and a season", slice(13, None), 23),
    ):
        told = [verdict(built(each[None, part], np.array([9.0]), 1, start=start)) for each in ordinary]
        yield Cell(what, (Share("described", told.count("described"), len(told), ALL),))
    for compared in (False, True):
        told = [verdict(simulated(seed + each, 60, compared, "latent", 0.0, events=True)) for each in range(5)]
        share = Share("not measurable", told.count("not measurable"), len(told), NONE if compared else ALL)
        yield Cell(f"a registered break, {'with' if compared else 'without'} comparison places", (share,))


def cells(runs: int = 4_000, seed: int = 1) -> Iterator[Cell]:
    """Everything that is counted."""
    for number, (process, rho, (before, after)) in enumerate(product(PROCESSES, RHOS, DESIGNS)):
        yield nothing(process, rho, before, after, runs, np.random.default_rng([seed, 1, number]))
    for number, (step, (before, after)) in enumerate(product(WALKS, ((24, 12), (36, 24), (48, 12)))):
        yield walking(step, before, after, runs, np.random.default_rng([seed, 2, number]))
    yield shared_dip(36, 24, runs, np.random.default_rng([seed, 3]))
    yield same_as_interrupted(min(FITTED, runs), np.random.default_rng([seed, 4]))
    yield same_as_the_question(min(ASKED, runs), seed)
    yield from refusals(runs, seed, np.random.default_rng([seed, 5]))


def main() -> None:
    """Count, and print."""
    told = argparse.ArgumentParser(description="How often evalkit is wrong about one series.")
    told.add_argument("--runs", type=int, default=4_000)
    told.add_argument("--seed", type=int, default=1)
    for line in printed(cells(**vars(told.parse_args()))):
        print(line, flush=True)


if __name__ == "__main__":
    main()
