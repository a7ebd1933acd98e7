"""How often `population.against` is wrong: places with a programme beside places without.

    python -m tests.calibration_places [--runs 4000] [--seed 1]

Called by `tests.calibration` (`--only places`). 19 places, 60 months, start after 36; sizes log-normal (SD .6, median
120 events a month). Months of a place: Poisson; latent AR .6 with an SD of 7 % in all places; AR .9 with an SD of 8 %
and for each place a trend of its own (SD .1 % a month). Treated: 3 or 12, drawn by lot, largest or smallest.

Errors: how often nothing is called a difference, at a nominal 5 % by the Knapp–Hartung interval, by relabelling (all
969 ways; 2,000 drawn of 50,388), and by both; and how often the verdict is improved or worsened, both at 3 %. Limit:
both at 5 % err in 3 to 7 %. Coverage of the 95 % interval, at a ratio of .9 in treated places: 93 to 97 %. Sets are
judged many at once with the very functions of `contrast` and `staggered`; some are asked as whole programmes, which
must say the same numbers and verdicts. One place of 19: never a verdict. "stress": no limit.

Where the variance of a count is 1.6 times its mean in every place, small places change the more, beyond their counts,
and the model has one variance beyond counts for all: alone it errs in 9 to 10 % with the smallest three treated, and in
near 2 % with the largest three. So places that differ in size must also differ clearly when weighed by their counts
alone, where that fits nearly as well (`population.designs.to_bear`). The largest three still err in under 3 %, on the
safe side, so these two arrangements stand under "stress".
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import product
from typing import Any

import numpy as np
from scipy.special import stdtr

from evalkit.errors import NotEnoughEvidence
from evalkit.population import designs as asking
from evalkit.stats import contrast, counts_alone, designs, staggered
from evalkit.verdict import HEADLINE, LEVEL
from tests.calibration_cells import ALL, ANY, MEASURE, NONE, START, Cell, Share, built, point, printed

PLACES, MONTHS, YEAR = 19, 60, 12
BEFORE, AFTER = slice(START), slice(START, None)
MEDIAN, SIZES = 120.0, 0.6
ARRANGED = ("drawn by lot", "largest", "smallest")
LABELLINGS = 2_000
FEWER = 400
"""Ways to give starts to places that are gone through for each set of places with several starts."""
RATIO = 0.9
ERRORS, COVERAGE = (3.0, 7.0), (93.0, 97.0)
ASKED, ASKED_OF_ONE, ASKED_OF_OTHERS = 50, 200, 10
"""How many whole programmes are asked in a cell."""


@dataclass(frozen=True, slots=True)
class Process:
    """How months of a place hang together. `sd` of the latent log rate; None: what makes the dispersion 1.6."""

    name: str
    rho: float = 0.0
    sd: float | None = 0.0
    trend: float = 0.0
    df: float = math.inf


POISSON, AR6 = Process("Poisson"), Process("AR .6", rho=0.6, sd=0.07)
DISPERSED = Process("AR .6, dispersion 1.6 in all", rho=0.6, sd=None)
PROCESSES = (POISSON, AR6, Process("AR .9 + trends", rho=0.9, sd=0.08, trend=0.001))
HEAVY = Process("heavy-tailed trends", rho=0.6, sd=0.07, trend=0.001, df=3)
EXTREME = Process("AR .9, SD 8 %", rho=0.9, sd=0.08)
SIMULATED: dict[str, dict[str, Any]] = {
    "Poisson": {"rho": 0.0, "overdispersion": 1.0},
    "AR .6 as observed": {"rho": 0.6},
    "latent AR .9": {"rho": 0.9, "process": "latent"},
}


@dataclass(frozen=True, slots=True)
class Judged:
    """What is said of many sets at once: difference on the log, its standard error, p by relabelling."""

    estimate: np.ndarray
    se: np.ndarray
    p: np.ndarray
    """By relabelling or, where places differ in size, the larger of that and of places weighed by counts alone."""

    def beyond(self, confidence: float, true: float = 0.0) -> np.ndarray:
        """Whether the interval leaves out the truth."""
        return np.abs(self.estimate - true) > point(confidence, PLACES - 2) * self.se

    @property
    def clear(self) -> np.ndarray:
        """Whether the verdict is improved or worsened."""
        return self.beyond(HEADLINE) & (self.p <= LEVEL)


def sizes(arranged: str, treated: int, runs: int, rng: np.random.Generator) -> np.ndarray:
    """Events a month in each place, the treated first: (runs, places)."""
    drawn = MEDIAN * np.exp(SIZES * rng.standard_normal((runs, PLACES)))
    if arranged == "drawn by lot":
        return drawn
    drawn = np.sort(drawn, axis=1)[:, :: -1 if arranged == "largest" else 1]
    return np.hstack([drawn[:, :treated], rng.permuted(drawn[:, treated:], axis=1)])


def counts(process: Process, expected: np.ndarray, months: int, rng: np.random.Generator, times: Any = 1.0) -> Any:
    """Events by set, place and month; `times`: what multiplies the rates, by month or by place and month."""
    shape = (*expected.shape, months)
    log_rate = np.zeros(shape)
    if process.sd != 0:
        sd = designs.latent_sd(1.6, expected)[..., None] if process.sd is None else process.sd
        log_rate += sd * designs.wandering(rng, shape, process.rho) - np.square(sd) / 2
    if process.trend:
        drawn = rng.standard_normal(shape[:2]) if math.isinf(process.df) else rng.standard_t(process.df, shape[:2])
        log_rate += process.trend * drawn[..., None] * (np.arange(months) - months / 2)
    return rng.poisson(expected[..., None] * np.exp(log_rate) * times)


def changes(drawn: np.ndarray, base: slice = BEFORE, after: slice = AFTER) -> tuple[np.ndarray, np.ndarray]:
    """The change of each place and its variance by counts, people being the same in every month."""
    parts = [drawn[..., base], drawn[..., after]]
    first, second = (part.sum(axis=-1) for part in parts)
    y = np.log(second / parts[1].shape[-1]) - np.log(first / parts[0].shape[-1])
    return y, 1 / first + 1 / second


@cache
def labellings(treated: int, most: int = LABELLINGS) -> np.ndarray:
    """Ways to call so many of the places treated; those the question itself tries where `most` is its own."""
    return contrast.labellings(np.arange(PLACES) < treated, most, asking.SEED)[0]


def judged(y: np.ndarray, v: np.ndarray, tried: np.ndarray) -> Judged:
    """By blocks, so that the weights of one lie close at hand."""
    found = []
    for block in np.array_split(np.arange(len(y)), 1 + len(y) * tried.size // designs.CELLS):
        each = contrast.random_effects(y[block], v[block], tried)
        p = to_bear(y[block], v[block], each.tau2[:, 0], tried[0], contrast.relabelled(each.t))
        found.append((each.estimate[:, 0], each.se[:, 0], p))
    return Judged(*map(np.concatenate, zip(*found, strict=True)))


def to_bear(y: np.ndarray, v: np.ndarray, tau2: np.ndarray, treated: np.ndarray, p: np.ndarray) -> np.ndarray:
    """`population.designs.to_bear` of many sets at once."""
    estimate, se = counts_alone.weighed(y, v, treated)
    fits = counts_alone.restricted(y, v, treated) - counts_alone.restricted(y, v + tau2[:, None], treated)
    larger = np.exp(np.log(1 / v[:, treated]).mean(axis=1) - np.log(1 / v[:, ~treated]).mean(axis=1))
    passed_over = ((larger > 1 / asking.UNLIKE) & (larger < asking.UNLIKE)) | (fits <= -asking.NEARLY)
    return np.where(passed_over, p, np.maximum(p, 2 * stdtr(PLACES - 2, -np.abs(estimate / se))))


def errors(found: Judged, runs: int, limits: tuple[float, float] = ANY) -> tuple[Share, ...]:
    """Where nothing was going on."""
    interval, relabelled = found.beyond(0.95), found.p <= 0.05
    return (
        Share("interval", int(interval.sum()), runs),
        Share("relabelling", int(relabelled.sum()), runs),
        Share("both", int((interval & relabelled).sum()), runs, limits),
        Share("verdict", int(found.clear.sum()), runs),
    )


def nothing(
    process: Process, treated: int, arranged: str, runs: int, rng: np.random.Generator, *, stress: bool = False
) -> Cell:
    """Errors with nothing going on; then a ratio planted by leaving out events at random, and the coverage of it."""
    drawn = counts(process, sizes(arranged, treated, runs, rng), MONTHS, rng)
    found = errors(judged(*changes(drawn), labellings(treated)), runs, ANY if stress else ERRORS)
    drawn[:, :treated, AFTER] = rng.binomial(drawn[:, :treated, AFTER], RATIO)
    planted = judged(*changes(drawn), labellings(treated)[:1])
    held = Share("coverage", int((~planted.beyond(0.95, math.log(RATIO))).sum()), runs, ANY if stress else COVERAGE)
    return Cell(f"{'stress: ' if stress else ''}{process.name}, {treated} of {PLACES}, {arranged}", (*found, held))


def shared_shock(treated: int, runs: int, rng: np.random.Generator) -> Cell:
    """A tenth less everywhere from the month after the start on."""
    times = np.where(np.arange(MONTHS) > START, 0.9, 1.0)
    drawn = counts(AR6, sizes(ARRANGED[0], treated, runs, rng), MONTHS, rng, times)
    found = errors(judged(*changes(drawn), labellings(treated)), runs)
    return Cell(f"stress: lasting shock in all, {treated} of {PLACES}", found)


def chosen(treated: int, runs: int, rng: np.random.Generator) -> Iterator[Cell]:
    """Places picked because they were extreme, read with each base; and what is said where that was declared."""
    people = sizes(ARRANGED[0], treated, runs, rng)
    drawn = counts(EXTREME, people, MONTHS, rng)
    early, late = (drawn[..., part].mean(axis=-1) for part in (slice(24), slice(24, START)))
    for why, declared, by in (
        ("high last year", "high", late / people),
        ("worsening", "worsening", np.log(late) - np.log(early)),
    ):
        order = np.argsort(-by, axis=1)
        those = np.take_along_axis(drawn, order[..., None], axis=1)
        for base, part in (
            ("whole base", BEFORE),
            ("base without that year", slice(24)),
            ("that year alone", slice(24, START)),
        ):
            found = errors(judged(*changes(those, part), labellings(treated)), runs)
            yield Cell(f"stress: {treated} picked for {why}, {base}", found)
        some = range(min(runs, ASKED_OF_OTHERS))
        told = [asked(built(those[each], people[each, order[each]], treated, chosen=declared)) for each in some]
        kept = told_of_choosing(declared, told, those[: len(told)], treated)
        what = "not measurable" if declared == "worsening" else "that year left out"
        yield Cell(f"{treated} picked for {why}, declared", (Share(what, kept, len(told), ALL),))


def told_of_choosing(declared: str, told: list[Any], drawn: np.ndarray, treated: int) -> int:
    """How many answers did as they must where the way of choosing was declared."""
    if declared == "worsening":
        return sum(each.verdict.value == "not measurable" for each in told)
    return alike(told, judged(*changes(drawn, slice(24)), labellings(treated)[:1]))


def alike(told: list[Any], own: Judged) -> int:
    """How many answers have these numbers."""
    said = np.array([(math.log(each.details.estimate), each.details.se) for each in told])
    mine = np.stack([own.estimate, own.se], axis=1)[: len(told)]
    return int(np.isclose(said, mine, rtol=1e-9, atol=1e-12).all(axis=1).sum())


def several_starts(process: Process, runs: int, rng: np.random.Generator) -> Cell:
    """Three groups of four that began after 30, 36 and 42 months, seven places that never did."""
    when = (30, 36, 42)
    groups = staggered._groupings(np.array([0, 1, 2] * 4 + [staggered.NEVER] * 7), FEWER, 1)[0]
    drawn = counts(process, sizes(ARRANGED[0], 12, runs, rng), MONTHS, rng)
    at_each = [changes(drawn, slice(at), slice(at, None)) for at in when]
    y, v = (np.stack(each, axis=-1) for each in zip(*at_each, strict=True))
    found = [contrast.row_effects(*staggered._one_number_a_place(*each, groups, 3)) for each in zip(y, v, strict=True)]
    own = Judged(
        np.array([each.estimate[0] for each in found]),
        np.array([each.se[0] for each in found]),
        np.array([contrast.relabelled(each.t[None])[0] for each in found]),
    )
    told = [asked(built(each, np.full(PLACES, MEDIAN), 12, begun=when * 4)) for each in drawn[:ASKED_OF_OTHERS]]
    shares = (*errors(own, runs, (0.0, ERRORS[1])), Share("same numbers", alike(told, own), len(told), ALL))
    return Cell(f"three starts, {process.name}", shares)


def simulated(seed: int, treated: int, **how: Any) -> Any:
    """`ek.simulate` with nothing going on, to be read after a year and without a change agreed to be worthwhile."""
    import evalkit as ek
    from evalkit.programme import Programme

    made = ek.simulate(seed=seed, effects={}, events=False, tables=("outcomes",), months=MONTHS, places=PLACES,
                       programme_places=treated, leaders=2, teams=1, waves=2, **how)  # fmt: skip
    plan = replace(made.plan, lag_months={MEASURE: 12}, worthwhile={})
    tables = {name: getattr(made, name) for name in ("places", "outcomes", "denominators")}
    return Programme.build(settings=replace(made.settings, plan=plan), tables=tables)


def asked(programme: Any) -> Any:
    """The question."""
    import evalkit as ek

    return ek.population.against(programme, measure=MEASURE)


def verdict(programme: Any) -> str:
    """What is said in the end; "refused" where nothing is."""
    try:
        return str(asked(programme).verdict.value)
    except NotEnoughEvidence:
        return "refused"


def same_as_the_question(treated: int, process: str, many: int, seed: int) -> Cell:
    """Simulated programmes asked one by one, and the same counts judged all at once."""
    programmes = [simulated(1000 * seed + each, treated, **SIMULATED[process]) for each in range(many)]
    by = {"index": "place_id", "columns": "period", "aggfunc": "sum"}
    held = [(each.outcomes.pivot_table(values="count", **by), each.denominators.pivot_table(values="population", **by))
            for each in programmes]  # fmt: skip
    drawn, years = (np.stack([each[which].to_numpy(dtype=float) for each in held]) for which in (0, 1))
    y, v = changes(drawn)
    y = y - changes(np.repeat(years, YEAR, axis=-1))[0]
    own = judged(y, v, labellings(treated, 50_000))
    half = point(0.95, PLACES - 2) * own.se
    worst, agreed, clear = 0.0, 0, 0
    for each, programme in enumerate(programmes):
        told = asked(programme)
        row, found = told.table.iloc[0], told.details
        numbers = [*np.log(row[["estimate", "low", "high"]].astype(float)), found.se, asking.to_bear(found)]
        mine = [own.estimate[each], own.estimate[each] - half[each], own.estimate[each] + half[each]]
        worst = max(worst, float(np.abs(np.subtract(numbers, [*mine, own.se[each], own.p[each]])).max()))
        said = ("improved" if own.estimate[each] < 0 else "worsened") if own.clear[each] else "no clear change"
        expected = "not measurable" if treated == 1 else said
        agreed += told.verdict.value == expected
        clear += told.verdict.value in ("improved", "worsened")
    shares = (Share("same numbers", many * (worst < 1e-9), many, ALL), Share("same verdict", agreed, many, ALL),
              Share("improved or worsened", clear, many, NONE if treated == 1 else ANY))  # fmt: skip
    return Cell(f"asked one by one: {process}, {treated} of {PLACES}", shares, f"furthest apart {worst:.0e}")


def one_place(runs: int, rng: np.random.Generator) -> Cell:
    """One of 19: the rule lets no verdict through, for relabelling has no p below 1 in 19."""
    drawn = counts(AR6, sizes(ARRANGED[0], 1, runs, rng), MONTHS, rng)
    found = judged(*changes(drawn), labellings(1))
    interval, clear = int(found.beyond(0.95).sum()), int(found.clear.sum())
    shares = (Share("interval", interval, runs), Share("verdict", clear, runs, NONE))
    return Cell(f"AR .6, 1 of {PLACES}", shares, f"smallest p {contrast.smallest_p(1, PLACES - 1):.3f}")


def refusals(runs: int, rng: np.random.Generator) -> Iterator[Cell]:
    """What is not answered, counted among sets; and some of them asked."""
    drawn = counts(POISSON, sizes(ARRANGED[0], 12, runs, rng) / 600, MONTHS, rng)
    empty = ((drawn[..., BEFORE].sum(axis=-1) == 0) | (drawn[..., AFTER].sum(axis=-1) == 0)).any(axis=1)
    told = [verdict(built(each, np.full(PLACES, 9.0), 12)) == "refused" for each in drawn[:ASKED_OF_OTHERS]]
    same = int((np.array(told) == empty[:ASKED_OF_OTHERS]).sum())
    yield Cell("a place without events on a side (median .2 a month)",
               (Share("refused", int(empty.sum()), runs), Share("asked, same", same, len(told), ALL)))  # fmt: skip
    ordinary = counts(AR6, sizes(ARRANGED[0], 12, 5, rng), MONTHS, rng)
    for what, treated, part, start, said in (
        ("11 months after the start", 12, slice(47), START, "described"),
        ("11 months before the start", 12, slice(25, None), 11, "described"),
        ("2 comparison places", 17, slice(None), START, "not measurable"),
        ("no comparison place", PLACES, slice(None), START, "refused"),
    ):
        told = [verdict(built(each[:, part], np.full(PLACES, 9.0), treated, start=start)) for each in ordinary]
        yield Cell(what, (Share(said, told.count(said), len(told), ALL),))


def cells(runs: int = 4_000, seed: int = 1) -> Iterator[Cell]:
    """Everything that is counted."""
    for number, (process, treated, arranged) in enumerate(product((*PROCESSES, DISPERSED), (3, 12), ARRANGED)):
        stress = process is DISPERSED and arranged != ARRANGED[0]
        yield nothing(process, treated, arranged, runs, np.random.default_rng([seed, 1, number]), stress=stress)
    stream = partial(next, (np.random.default_rng([seed, 2, number]) for number in range(100)))
    yield one_place(runs, stream())
    asking_of = min(ASKED, runs)
    for treated, process in product((3, 12), SIMULATED):
        yield same_as_the_question(treated, process, asking_of, seed)
    yield same_as_the_question(1, "AR .6 as observed", min(ASKED_OF_ONE, runs), seed + 1)
    for process in PROCESSES:
        yield several_starts(process, runs, stream())
    yield from refusals(runs, stream())
    for treated in (3, 12):
        yield nothing(HEAVY, treated, ARRANGED[0], runs, stream(), stress=True)
        yield shared_shock(treated, runs, stream())
        yield from chosen(treated, runs, stream())


def main() -> None:
    """Count, and print."""
    told = argparse.ArgumentParser(description="How often evalkit is wrong about places.")
    told.add_argument("--runs", type=int, default=4_000)
    told.add_argument("--seed", type=int, default=1)
    for line in printed(cells(**vars(told.parse_args()))):
        print(line, flush=True)


if __name__ == "__main__":
    main()
