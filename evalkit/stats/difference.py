"""Two groups, before and after: the difference between their changes, and the same under every way to label units."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from evalkit.stats import panel_of_units, relabelling
from evalkit.stats.panel_of_units import Flags, Panel
from evalkit.stats.periods import Floats, Start
from evalkit.stats.resampling import seed_used
from evalkit.stats.student import NO_SPREAD, share, t_interval, t_p

METHOD = "Difference in differences of means, one change a unit, every unit weighing the same; Welch's t"
SOURCE = (
    "Card & Krueger (1994), Am. Econ. Rev. 84, 772–793, table 3; one change a unit: Bertrand, Duflo & Mullainathan "
    "(2004), Q. J. Econ. 119, 249–275, section IV.C; Welch (1947), Biometrika 34, 28–35; degrees of freedom: Welch's "
    "or those of Bell & McCaffrey (2002), Surv. Methodol. 28, 169–181, whichever are fewer."
)
SOURCE_RELABELLED = (
    "Fisher (1935), The Design of Experiments; Conley & Taber (2011), Rev. Econ. Stat. 93, 113–125 (one treated unit)."
)
ONE_TREATED = (
    "One unit is treated, so nothing shows how far treated units scatter: there is an estimate and no interval, and no "
    "claim can rest on it."
)
ONE_OTHER = "One unit is left to compare with, so nothing shows how far such units scatter: there is no interval."
ALIKE = "All units of each kind changed alike, so there is no scatter to judge a difference by: there is no interval."
EQUAL_WEIGHT = (
    "Every unit weighs the same, however many people live there, and the interval takes the units to be chosen by "
    "something that does not go with how they would have changed."
)


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """What `difference` found: how much more the treated units changed than the others, in the outcome's own unit.

    `low`, `high`, `se`, `df` and `p` are None where no interval exists; `caveats` says why. `n` counts units.
    """

    estimate: float
    low: float | None
    high: float | None
    n: int
    n_treated: int
    n_comparison: int
    se: float | None
    df: float | None
    p: float | None
    confidence: float
    caveats: tuple[str, ...]
    method: str
    source: str
    _table: pd.DataFrame = field(repr=False)
    _units: pd.DataFrame = field(repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """The two by two: rows treated, comparison, difference; columns before, after, change (means of units), n."""
        return self._table.copy()

    @property
    def units(self) -> pd.DataFrame:
        """A row a unit, by name: unit, treated, before, after, change."""
        return self._units.copy()

    def interval(self, confidence: float) -> tuple[float, float]:
        """The t interval at another confidence; refused where there is none."""
        if self.se is None or self.df is None:
            raise ValueError(self.caveats[0])
        return t_interval(self.estimate, self.se, self.df, confidence)


@dataclass(frozen=True, slots=True, eq=False)
class PermutedUnits:
    """What `permute_units` found. `p`: share of `allocations` ways to call as many units treated that lie as far out.

    `smallest_p` is the least p so many units could ever give, `exact` whether the allocations are all there are, `seed`
    that of the draw where they are not, `mc_error` by how much p would vary from draw to draw. `n` counts units.
    """

    estimate: float
    p: float
    smallest_p: float
    allocations: int
    exact: bool
    seed: int | None
    mc_error: float
    n: int
    n_treated: int
    n_comparison: int
    method: str
    source: str
    _others: Floats = field(repr=False)

    @property
    def others(self) -> Floats:
        """The difference under every allocation compared, the observed one first."""
        return self._others.copy()


def difference(
    frame: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    treated: Collection[Hashable],
    start: Start,
    confidence: float = 0.95,
) -> Difference:
    """How differently did the mean change in treated units and in the others?

    For unit i, with d_i = its mean from `start` on − its mean before,

        estimate = mean of d_i over treated units − mean over the others
        se² = s₁²/n₁ + s₀²/n₀,    s² the variance of d_i within its group
        df = the smaller of Welch's (s₁²/n₁ + s₀²/n₀)² / Σ (s²/n)²/(n − 1) and (1/n₁ + 1/n₀)² / Σ 1/(n²(n − 1))

    One change a unit, so that months of a unit may hang together as they like. Not the pooled t: where treated units
    scatter more than the others it was wrong too often (3 of 19: 21.6 % of nulls at a nominal 5 % with twice the
    scatter); Welch alone errs while groups are tiny (7–12 % with 2 or 3 treated). With the smaller of the two degrees
    of freedom 0–5.6 % in all 36 cells tried (2 to 12 treated of 6 to 19, scatter half, as much or twice, normal and
    heavy-tailed, 40,000 sets each): safe, and wide with 2 or 3 treated units. With one treated or one other unit there
    is no interval. For counts of places of very different size use `contrast.places`, which weighs them.

    `frame`: a row a unit and period, every unit with the same periods; `outcome` any numbers. `time`: whole numbers,
    months as dates or Periods; `start` in the same kind, the first period that counts as after. `treated`: units as the
    frame writes them. Source: see `SOURCE`.

    Raises ValueError, naming units and periods: unknown treated units, none or all treated, missing rows or values,
    repeated periods, no period before or after.

    >>> rows = [("A", 8, 5), ("B", 9, 7), ("C", 7, 4), ("D", 8, 8), ("E", 9, 8), ("F", 6, 6)]
    >>> wait = pd.DataFrame([(name, year, days) for name, *both in rows for year, days in enumerate(both)],
    ...     columns=["place", "year", "days"])
    >>> found = difference(wait, outcome="days", unit="place", time="year", treated=["A", "B", "C"], start=1)
    >>> print(f"{found.estimate:.2f} ({found.low:.2f} to {found.high:.2f}), {found.n_treated} of {found.n} treated")
    -2.33 (-3.64 to -1.02), 3 of 6 treated
    >>> found.table.round(2)
                before  after  change  n
    treated       8.00   5.33   -2.67  3
    comparison    7.67   7.33   -0.33  3
    difference    0.33  -2.00   -2.33  6
    """
    share(confidence)
    panel, flags, before, after = _sides(frame, outcome, unit, time, treated, start)
    change = after - before
    estimate = float(change[flags].mean() - change[~flags].mean())
    se, df, without = _error(change, flags, float(np.abs(panel.values).max()))
    low, high, p = None, None, None
    if se is not None and df is not None:
        low, high = t_interval(estimate, se, df, confidence)
        p = t_p(estimate, se, df)
    return Difference(
        estimate=estimate,
        low=low,
        high=high,
        n=len(flags),
        n_treated=int(flags.sum()),
        n_comparison=int((~flags).sum()),
        se=se,
        df=df,
        p=p,
        confidence=confidence,
        caveats=(EQUAL_WEIGHT,) if without is None else (without, EQUAL_WEIGHT),
        method=METHOD,
        source=SOURCE,
        _table=_two_by_two(flags, before, after),
        _units=pd.DataFrame(
            {"unit": panel.units, "treated": flags, "before": before, "after": after, "change": change}
        ),
    )


def permute_units(
    frame: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    treated: Collection[Hashable],
    start: Start,
    allocations: int = relabelling.MOST,
    seed: int | None = None,
) -> PermutedUnits:
    """How often would units drawn by lot have differed as much as the treated ones did?

    The estimate of `difference` for every way to call as many units treated: all C(n, k) ways when at most
    `allocations`, else that many, of which one is the observed and the others are drawn with `seed`. p, two-sided: the
    share of ways with a difference at least as far from zero, the observed one among them; k / allocations, and never
    below `smallest_p` (one treated of 27: 1/27 = .037).

    What it rests on: without a difference any units might as well have been the treated ones. Where treated units are
    the largest or the smallest their changes scatter otherwise, and p is wrong both ways (.8–3.3 % and 8.6–14.9 % of
    nulls at a nominal 5 %, 3 of 19): then use `contrast.places`.

    Everything else as in `difference`. Source: see `SOURCE_RELABELLED`.

    >>> rows = [("A", 8, 5), ("B", 9, 7), ("C", 7, 4), ("D", 8, 8), ("E", 9, 8), ("F", 6, 6)]
    >>> wait = pd.DataFrame([(name, year, days) for name, *both in rows for year, days in enumerate(both)],
    ...     columns=["place", "year", "days"])
    >>> found = permute_units(wait, outcome="days", unit="place", time="year", treated=["A", "B", "C"], start=1)
    >>> print(f"{found.estimate:.2f}, p {found.p:.1f} of {found.smallest_p:.1f}, {found.allocations} allocations")
    -2.33, p 0.1 of 0.1, 20 allocations
    """
    _, flags, before, after = _sides(frame, outcome, unit, time, treated, start)
    change = after - before
    k, n = int(flags.sum()), len(flags)
    used = seed_used(seed)
    tried, exact = relabelling.ways(flags, allocations, used)
    others = _differences(change, tried, k)
    p = relabelling.as_far(others)
    return PermutedUnits(
        estimate=float(others[0]),
        p=p,
        smallest_p=relabelling.smallest_p([n - k, k], allocations),
        allocations=len(tried),
        exact=exact,
        seed=None if exact else used,
        mc_error=0.0 if exact else math.sqrt(p * (1 - p) / len(tried)),
        n=n,
        n_treated=k,
        n_comparison=n - k,
        method="Difference in differences of means against every way to call as many units treated",
        source=SOURCE_RELABELLED,
        _others=others,
    )


def _sides(
    frame: pd.DataFrame, outcome: str, unit: str, time: str, treated: Collection[Hashable], start: Start
) -> tuple[Panel, Flags, Floats, Floats]:
    """The panel, who is treated, and each unit's means before and from the start."""
    panel = panel_of_units.read(frame, outcome, unit, time)
    flags = panel.flags(treated)
    if not flags.any():
        raise ValueError("No unit is treated. Name in `treated` at least one of the units.")
    if flags.all():
        raise ValueError("Every unit is treated, so there is nobody to compare with. Add comparison units.")
    begins = panel.first_after(start)
    return panel, flags, panel.values[:, :begins].mean(axis=1), panel.values[:, begins:].mean(axis=1)


def _error(change: Floats, flags: Flags, scale: float) -> tuple[float | None, float | None, str | None]:
    """Standard error and degrees of freedom, or why there are none."""
    arms = change[flags], change[~flags]
    if len(arms[0]) == 1 or len(arms[1]) == 1:
        return None, None, ONE_TREATED if len(arms[0]) == 1 else ONE_OTHER
    if max(float(np.ptp(arm)) for arm in arms) <= NO_SPREAD * scale:
        return None, None, ALIKE
    variances = [float(arm.var(ddof=1)) / len(arm) for arm in arms]
    found = _fewest(variances, [len(arm) for arm in arms])
    return math.sqrt(sum(variances)), found, None


def _fewest(variances: list[float], sizes: list[int]) -> float:
    """The smaller of Welch's degrees of freedom and those that equal scatter would give."""

    def satterthwaite(parts: list[float]) -> float:
        return sum(parts) ** 2 / sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True))

    return min(satterthwaite(variances), satterthwaite([1 / size for size in sizes]))


def _two_by_two(flags: Flags, before: Floats, after: Floats) -> pd.DataFrame:
    means = pd.DataFrame(
        {
            "before": [before[arm].mean() for arm in (flags, ~flags)],
            "after": [after[arm].mean() for arm in (flags, ~flags)],
        },
        index=pd.Index(["treated", "comparison"]),
    )
    means.loc["difference"] = means.loc["treated"] - means.loc["comparison"]
    return means.assign(change=means["after"] - means["before"], n=[int(flags.sum()), int((~flags).sum()), len(flags)])


def _differences(change: Floats, tried: relabelling.Codes, k: int) -> Floats:
    """The difference under each labelling. A shift of all changes alters nothing but rounding, so it is taken out."""
    centred = change - change.mean()
    mine = tried @ centred
    return np.asarray(mine / k - (centred.sum() - mine) / (len(change) - k))
