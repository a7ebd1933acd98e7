"""What could be seen of leaders, teams, one series and places with the numbers one has: a row a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from evalkit import words
from evalkit.plan import sizes
from evalkit.plan.numbers import Numbers
from evalkit.stats import contrast, power, series
from evalkit.verdict import HEADLINE, LEAST_PAIRS, LEAST_POINTS, LEVEL

if TYPE_CHECKING:
    from evalkit.stats.power import Detectable

CHANCE = 0.8
"""How often a change that is there is to be seen: in 80 of 100 such evaluations (Cohen 1988, p. 56)."""
SUCH = f"in {100 * CHANCE:.0f} of 100 such evaluations"
STAYERS = 0.7
"""The share who answer twice in the second row of leaders (a judgement: a quarter to a third are often lost)."""
ICC = 0.15
"""The share of the variance that lies between teams, as in the simulations behind the methods."""
LONGEST = 120
"""Months counted on either side of the start, at most: the longest series the test was tried at (the methods page)."""
STANDARD = "standard deviations of the change"
RATIO = "ratio, 1 is no change"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """The smallest change each test would see with these numbers.

    Extras: n_of, visible (in words), in_points (where a questionnaire's spread is known), seen_in_% (of `runs`
    simulated evaluations), runs, why_not (where no change could be).
    """

    known: Numbers
    runs: int
    seed: int
    better: Literal["higher", "lower"] = "lower"

    @property
    def rows(self) -> list[Row]:
        """Every test for which the numbers are known."""
        return [*self.leaders(), *self.teams(), *self.series(), *self.places()]

    def leaders(self) -> Iterator[Row]:
        """The same leaders before and after: if all answer twice, and if some do not."""
        whole = self.known.leaders
        if whole is None:
            return
        for n in dict.fromkeys((whole, round(STAYERS * whole))):
            group = "all answer twice" if n == whole else f"{n} of {whole} answer twice"
            yield self._row(
                "Leaders, before and after", group, STANDARD, n, "leaders planned for", self._paired(n),
                fewer(n, LEAST_PAIRS, "leaders"),
            )  # fmt: skip

    def teams(self, called: str = "teams") -> Iterator[Row]:
        """The same teams before and after, by their means."""
        known = self.known
        if known.teams is None or known.team_size is None:
            return
        group = f"{words.counted(known.teams, called.removesuffix('s'))} of {known.team_size:.2g}"
        ask = self._clustered(known.teams, known.team_size)
        yield self._row(
            f"{words.sentence_case(called)}, before and after", group, STANDARD, known.teams, called, ask,
            fewer(known.teams, LEAST_PAIRS, called),
        )  # fmt: skip

    def series(self) -> Iterator[Row]:
        """The months of all programme places together, before and after the start."""
        known = self.known
        if known.months is None or known.before is None or known.monthly is None:
            return
        before, after = min(known.before, LONGEST), min(known.months, LONGEST)
        events = known.monthly * (known.places or 1)
        group = f"{before} months before, {after} after, {words.significant(events, 3)} events a month"
        ask = self._interrupted(before, after, events)
        yield self._row(
            "One series of monthly counts", group, RATIO, before + after, "months", ask, self._too_short(events)
        )

    def places(self) -> Iterator[Row]:
        """Programme places against comparison places, a change each."""
        known = self.known
        if known.places is None or not known.comparison:
            return
        if known.months is None or known.before is None or known.monthly is None:
            return
        before, after = min(known.before, LONGEST), min(known.months, LONGEST)
        ask = self._compared(known.places, known.comparison, before, after, known.monthly)
        short = self._few_months() or few_places(known.places, known.comparison)
        yield self._row(
            "Places, against comparison places", f"{known.places} against {known.comparison}", RATIO,
            known.places + known.comparison, "places", ask, short,
        )  # fmt: skip

    def _few_months(self) -> str:
        """Why so few months are not tested; nothing where there are enough."""
        after = fewer(self.known.months or 0, LEAST_POINTS, "months after the start")
        return after or fewer(self.known.before or 0, LEAST_POINTS, "months before the start")

    def _too_short(self, events: float) -> str:
        """Why one series is not tested; nothing where it can be."""
        least = series.MIN_BEFORE_WITH_SEASON
        if not self._few_months() and self.known.seasonal and (self.known.before or 0) < least:
            return f"Fewer than {least} months before the start cannot tell a trend from the time of year."
        return self._few_months() or few_events(events, "a month")

    def _paired(self, n: int) -> Callable[[], Detectable]:
        return lambda: power.paired(n, confidence=HEADLINE, power=CHANCE, runs=self.runs, seed=self.seed)

    def _clustered(self, teams: int, size: float) -> Callable[[], Detectable]:
        return lambda: power.clustered(
            teams, size=size, icc=ICC, confidence=HEADLINE, power=CHANCE, runs=self.runs, seed=self.seed
        )

    def _interrupted(self, before: int, after: int, events: float) -> Callable[[], Detectable]:
        season: series.Season | None = "harmonic" if self.known.seasonal else None
        return lambda: power.interrupted(
            before, after, mean=events, seasonal=season, better=self.better, confidence=HEADLINE, power=CHANCE,
            runs=self.runs, seed=self.seed,
        )  # fmt: skip

    def _compared(self, mine: int, others: int, before: int, after: int, monthly: float) -> Callable[[], Detectable]:
        return lambda: power.places(
            mine, others, before=before, after=after, mean=monthly, better=self.better, confidence=HEADLINE,
            power=CHANCE, runs=self.runs, seed=self.seed,
        )  # fmt: skip

    def _row(
        self, measure: str, group: str, unit: str, n: int, n_of: str, ask: Callable[[], Detectable], why_not: str
    ) -> Row:
        """One test; where no change however large could be clear, its reason instead of a number."""
        estimate, simulated = float("nan"), float("nan")
        if not why_not:
            try:
                found = ask()
                estimate, simulated = found.estimate, 100 * found.simulated
            except ValueError as refused:
                why_not = str(refused)
        scale = "difference" if unit == STANDARD else "ratio"
        return {
            "measure": measure, "group": group, "estimate": estimate, "low": float("nan"), "high": float("nan"),
            "interval": "none given", "n": n, "unit": unit, "n_of": n_of, "visible": sizes.visible(estimate, scale),
            "in_points": float("nan"), "seen_in_%": simulated, "runs": self.runs, "why_not": why_not,
        }  # fmt: skip


def fewer(held: int, least: int, what: str) -> str:
    """Why so few are not tested; nothing where there are enough.

    >>> fewer(4, 5, "leaders"), fewer(5, 5, "leaders")
    ('Fewer than 5 leaders are described, never tested.', '')
    """
    return f"Fewer than {least} {what} are described, never tested." if held < least else ""


def few_places(mine: int, others: int) -> str:
    """Why so few places are not tested; nothing where there are enough.

    >>> few_places(1, 6), few_places(3, 16)
    ('With 1 place against 6 no change, however large, could be told from chance. Add places of either kind.', '')
    """
    if contrast.smallest_p(mine, others) <= LEVEL:
        return ""
    many = words.counted(mine, "place")
    return (
        f"With {many} against {others} no change, however large, could be told from chance. Add places of either kind."
    )


def few_events(events: float, when: str) -> str:
    """Why so few events are not tested; nothing where there are enough."""
    if events >= series.FEW_EVENTS:
        return ""
    return (
        f"Fewer than {series.FEW_EVENTS} events {when} are too few: months without any would be common. "
        "Count by quarter, or add places together."
    )


def told(row: Mapping[str, Any], scale: str = "") -> str:
    """One row as a sentence; `scale` says of what points are, where they are known."""
    about = f"{row['measure']} ({row['group']})"
    if row["why_not"]:
        return f"{about}: no change could be seen. {row['why_not']}"
    return f"{about}: {row['visible']} could be seen, {size(row, scale)} or more, {SUCH}."


def size(row: Mapping[str, Any], scale: str = "") -> str:
    """The smallest change that is seen, in words.

    >>> size({"unit": RATIO, "estimate": 0.8}), size({"unit": STANDARD, "estimate": 1.3, "in_points": 0.6}, "of 1 to 5")
    ('a fall of 20 in every 100', '1.3 standard deviations (here 0.60 points on a scale of 1 to 5)')
    """
    if row["unit"] == STANDARD:
        said = f"{words.significant(row['estimate'])} standard deviations"
        known = scale and row["in_points"] == row["in_points"]
        return f"{said} (here {words.significant(row['in_points'])} points on a scale {scale})" if known else said
    return f"a {'fall' if row['estimate'] < 1 else 'rise'} of {100 * abs(row['estimate'] - 1):.0f} in every 100"


def short(row: Mapping[str, Any]) -> str:
    """The same, as short as a chart has room for; nothing where no change could be seen."""
    if row["why_not"]:
        return ""
    if row["unit"] == STANDARD:
        return f"{words.significant(row['estimate'])} SD"
    return f"{100 * abs(row['estimate'] - 1):.0f} in 100"
