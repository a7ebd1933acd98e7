"""Is a change of the smallest size that could be seen seen in 80 of 100? Of places side by side, and of one series.

Called by `tests.calibration` (`--only places`, `--only series`). Data sets drawn here, by `tests.calibration_places`
and `tests.calibration_change`, at the change that `power.places`, `power.interrupted` or `population.too_early` gives;
seen is the whole 97 % interval below 1 and, for places, relabelling at .03. Limit: 77 to 83 %. Series that drift get no
verdict, which the two do not count; beside it stands how many are called improved.

What `too_early` prints rests on an error estimated from one programme's figures, so programmes alike print different
numbers. "mean": the change at the root of the mean square of what they print; "middle": at the middle of what they
print; "own": every data set at the change that another like it prints. Some programmes are asked, and must print the
same. The limit holds for the mean where places are compared (at the time agreed, later, 77 % or more). What is printed
of one series is rough and said to be: its own error is known too badly, so there is no limit ("stress").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from evalkit.stats import contrast, power
from evalkit.verdict import HEADLINE
from tests import calibration_change as change
from tests import calibration_places as places
from tests.calibration_cells import ALL, ANY, MEASURE, POWER, START, Cell, Share, built

PLACES = places.PLACES
ASKED = 10
"""How many programmes are asked in a cell."""


def fixed_sizes() -> np.ndarray:
    """Nineteen sizes that stand for the log-normal, in an order that has large and small among the first."""
    from scipy.special import ndtri

    drawn = places.MEDIAN * np.exp(places.SIZES * ndtri((np.arange(PLACES) + 0.5) / PLACES))
    return np.random.default_rng(19).permutation(drawn)


def seen(expected: np.ndarray, treated: int, ratio: Any, runs: int, rng: np.random.Generator, *,
         process: places.Process = places.DISPERSED, after: int = 24, spread: float = 0.0) -> int:  # fmt: skip
    """How many of so many sets of places are called improved, at this ratio or at one each."""
    months = np.arange(START + after)
    own = np.exp(spread * rng.standard_normal((runs, PLACES, 1)))
    moved = own * np.where(np.arange(PLACES)[:, None] < treated, np.reshape(ratio, (-1, 1, 1)), 1.0)
    times = np.where(months >= START, moved, 1.0)
    drawn = places.counts(process, np.tile(expected, (runs, 1)), len(months), rng, times)
    found = places.judged(*places.changes(drawn), places.labellings(treated))
    return int((found.clear & (found.estimate < 0)).sum())


def by_power_places(treated: int, alike: bool, runs: int, seed: int, rng: np.random.Generator) -> Cell:
    """Places all of one size, or of many sizes and each with a change of its own (SD 3 %)."""
    expected, spread = (np.full(PLACES, places.MEDIAN), 0.0) if alike else (fixed_sizes(), 0.03)
    found = power.places(treated, PLACES - treated, mean=expected.tolist(), spread=spread, seed=seed)
    clear = seen(expected, treated, found.estimate, runs, rng, spread=spread)
    return Cell(f"power.places, {treated} of {PLACES}, places {'alike' if alike else 'differ'}",
                (Share("seen", clear, runs, POWER),),
                f"ratio {found.estimate:.3f}; its own draws {100 * found.simulated:.1f}")  # fmt: skip


def asked(drawn: np.ndarray, people: np.ndarray, treated: int, start: int = START) -> Any:
    """What `population.too_early` prints, by what it is."""
    import evalkit as ek

    found = ek.population.too_early(built(drawn, people, treated, start=start, lag=60), measure=MEASURE)
    return found.table.set_index("what")["estimate"]


def by_too_early_of_places(
    treated: int, process: places.Process, runs: int, rng: np.random.Generator
) -> Iterator[Cell]:
    """Sets with nothing going on say what would be seen; others are drawn at that change."""
    expected, flags = fixed_sizes(), np.arange(PLACES) < treated
    drawn = places.counts(process, np.tile(expected, (runs, 1)), places.MONTHS, rng)
    told = [asked(each, expected, treated) for each in drawn[:ASKED]]
    y, v = places.changes(drawn)
    found = contrast.random_effects(y, v, flags[None])
    now, later = v + found.tau2, drawn[..., places.AFTER].sum(axis=-1)

    def variance(of: np.ndarray) -> np.ndarray:
        return np.sum([1 / (1 / of[:, arm]).sum(axis=1) for arm in (flags, ~flags)], axis=0)

    for what, after in (("seen now", 24), ("seen then", 60)):
        grown = np.sqrt(variance(now - (1 - 24 / after) / later) / variance(now))
        said = power.smallest_seen(1.0, PLACES - 2) * found.se[:, 0] * grown
        limits = {"mean": POWER if what == "seen now" else (POWER[0], 100.0)} if process is places.DISPERSED else {}
        draw = partial(seen, expected, treated, runs=runs, rng=rng, process=process, after=after)
        name = f"too_early, {what}, {treated} of {PLACES}, {process.name}"
        yield planted(name, said, [each[what] for each in told], limits, draw, runs)


def planted(name: str, said: np.ndarray, told: list[float], limits: dict[str, tuple[float, float]],
            draw: Callable[[Any], int], runs: int) -> Cell:  # fmt: skip
    """What is seen of the sizes that are printed: `said` (on the log) by sets, `told` by programmes asked."""
    sizes = {"mean": math.sqrt(np.square(said).mean()), "middle": np.median(said), "own": said}
    shares = [Share(how, draw(np.exp(-each)), runs, limits.get(how, ANY)) for how, each in sizes.items()]
    same = sum(math.isclose(one, math.exp(-own), rel_tol=1e-9) for one, own in zip(told, said, strict=False))
    called = f"{'' if limits else 'stress: '}{name}"
    low, middle, high = np.exp(-np.quantile(said, [0.9, 0.5, 0.1]))
    note = f"ratio {math.exp(-sizes['mean']):.3f}, middle {middle:.3f}, 8 in 10 print {low:.3f} to {high:.3f}"
    return Cell(called, (*shares, Share("same numbers", same, len(told), ALL)), note)


def series_seen(ratio: Any, *, rho: float, before: int, after: int, runs: int, rng: np.random.Generator) -> np.ndarray:
    """Of each series whether its interval lies below 1, and whether it is called improved as well: (2, runs)."""
    moved = np.where(np.arange(before + after) < before, 1.0, np.reshape(ratio, (-1, 1)))
    means = change.expected(change.MINE, before + after) * moved
    found = change.fitted(np.log(change.counts("latent", means, rho, runs, rng)), before)
    below = found.beyond(HEADLINE) & (found.estimate < 0)
    return np.array([below, below & ~found.drifts])


def by_power_interrupted(before: int, after: int, rho: float, runs: int, seed: int, rng: np.random.Generator) -> Cell:
    """One series with a season, at the change that `power.interrupted` gives."""
    found = power.interrupted(before, after, mean=change.MINE, rho=rho, seasonal="harmonic", seed=seed)
    below, called = series_seen(found.estimate, rho=rho, before=before, after=after, runs=runs, rng=rng).sum(axis=1)
    return Cell(f"power.interrupted, {before} months and {after}, ρ {rho:g}",
                (Share("seen", int(below), runs, POWER), Share("improved", int(called), runs)),
                f"ratio {found.estimate:.3f}; its own draws {100 * found.simulated:.1f}")  # fmt: skip


def by_too_early_of_series(before: int, after: int, rho: float, runs: int, rng: np.random.Generator) -> Cell:
    """Series with nothing going on say what would be seen; others are drawn at that change."""
    drawn = change.counts("latent", change.expected(change.MINE, before + after), rho, runs, rng)
    found = change.fitted(np.log(drawn), before)
    told = [asked(each[None], np.array([9.0]), 1, before)["seen now"] for each in drawn[:ASKED]]
    factor = {df: power.smallest_seen(1.0, df) for df in np.unique(found.df)}
    said = found.se * np.array([factor[df] for df in found.df])

    def draw(ratio: Any) -> int:
        return int(series_seen(ratio, rho=rho, before=before, after=after, runs=runs, rng=rng)[0].sum())

    return planted(f"too_early, seen now, {before} months and {after}, ρ {rho:g}", said, told, {}, draw, runs)


def of_places(runs: int = 4_000, seed: int = 1) -> Iterator[Cell]:
    """Places side by side."""
    for number, (treated, alike) in enumerate(product((3, 12), (True, False))):
        yield by_power_places(treated, alike, runs, seed, np.random.default_rng([seed, 3, number]))
    for number, (treated, process) in enumerate(product((3, 12), (places.DISPERSED, places.PROCESSES[-1]))):
        yield from by_too_early_of_places(treated, process, runs, np.random.default_rng([seed, 4, number]))


def of_series(runs: int = 4_000, seed: int = 1) -> Iterator[Cell]:
    """One series."""
    for number, ((before, after), rho) in enumerate(product(((24, 12), (36, 24), (60, 24)), (0.3, 0.8))):
        yield by_power_interrupted(before, after, rho, runs, seed, np.random.default_rng([seed, 5, number]))
    for number, ((before, after), rho) in enumerate(product(((24, 12), (36, 24), (60, 24)), (0.3, 0.8))):
        yield by_too_early_of_series(before, after, rho, runs, np.random.default_rng([seed, 6, number]))
