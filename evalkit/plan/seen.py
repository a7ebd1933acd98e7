"""What could be seen of leaders, teams, one series and places with the numbers one has: a row a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalkit import words
from evalkit.plan import sizes
from evalkit.plan.numbers import Numbers
from evalkit.stats import power
from evalkit.verdict import HEADLINE, LEAST_PAIRS, LEAST_POINTS

if TYPE_CHECKING:
    from evalkit.stats.power import Detectable

CHANCE = 0.8
"""How often a change that is there is to be seen: in 80 of 100 such evaluations (Cohen 1988, p. 56)."""
STAYERS = 0.7
"""The share who answer twice in the second row of leaders (a judgement: a quarter to a third are often lost)."""
ICC = 0.15
"""The share of the variance that lies between teams, as in the simulations behind the methods."""
STANDARD = "standard deviations of the change"
RATIO = "ratio, 1 is no change"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """The smallest change each test would see with these numbers.

    Extras: n_of, visible (in words), seen_in_% (of `runs` simulated evaluations), runs, why_not (where none could be).
    """

    known: Numbers
    runs: int
    seed: int

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
            if n >= LEAST_PAIRS:
                ask = self._paired(n)
                yield self._row("Leaders, before and after", group, STANDARD, n, "leaders planned for", ask)

    def teams(self) -> Iterator[Row]:
        """The same teams before and after, by their means."""
        known = self.known
        if known.teams is None or known.team_size is None or known.teams < LEAST_PAIRS:
            return
        group = f"{known.teams} teams of {words.significant(known.team_size)}"
        ask = self._clustered(known.teams, known.team_size)
        yield self._row("Teams, before and after", group, STANDARD, known.teams, "teams", ask)

    def series(self) -> Iterator[Row]:
        """The months of all programme places together, before and after the start."""
        known = self.known
        if known.months is None or known.before is None or known.monthly is None:
            return
        if min(known.months, known.before) < LEAST_POINTS:
            return
        events = known.monthly * (known.places or 1)
        group = f"{known.before} months before, {known.months} after, {events:.0f} events a month"
        ask = self._interrupted(known.before, known.months, events)
        yield self._row(
            "One series of monthly counts", group, RATIO, known.before + known.months, "months", ask
        )  # fmt: skip

    def places(self) -> Iterator[Row]:
        """Programme places against comparison places, a change each."""
        known = self.known
        if known.places is None or not known.comparison:
            return
        if known.months is None or known.before is None or known.monthly is None:
            return
        ask = self._compared(known.places, known.comparison, known.before, known.months, known.monthly)
        group = f"{known.places} against {known.comparison}"
        yield self._row(
            "Places, against comparison places", group, RATIO, known.places + known.comparison, "places", ask
        )  # fmt: skip

    def _paired(self, n: int) -> Callable[[], Detectable]:
        return lambda: power.paired(n, confidence=HEADLINE, power=CHANCE, runs=self.runs, seed=self.seed)

    def _clustered(self, teams: int, size: float) -> Callable[[], Detectable]:
        return lambda: power.clustered(
            teams, size=size, icc=ICC, confidence=HEADLINE, power=CHANCE, runs=self.runs, seed=self.seed
        )

    def _interrupted(self, before: int, after: int, events: float) -> Callable[[], Detectable]:
        return lambda: power.interrupted(
            before, after, mean=events, confidence=HEADLINE, power=CHANCE, runs=self.runs, seed=self.seed
        )

    def _compared(self, mine: int, others: int, before: int, after: int, monthly: float) -> Callable[[], Detectable]:
        return lambda: power.places(
            mine, others, before=before, after=after, mean=monthly, confidence=HEADLINE, power=CHANCE, runs=self.runs,
            seed=self.seed,
        )  # fmt: skip

    def _row(self, measure: str, group: str, unit: str, n: int, n_of: str, ask: Callable[[], Detectable]) -> Row:
        """One test; where no change however large could be clear, its reason instead of a number."""
        estimate, simulated, why_not = float("nan"), float("nan"), ""
        try:
            found = ask()
            estimate, simulated = found.estimate, 100 * found.simulated
        except ValueError as refused:
            why_not = str(refused)
        scale = "difference" if unit == STANDARD else "ratio"
        return {
            "measure": measure, "group": group, "estimate": estimate, "low": float("nan"), "high": float("nan"),
            "interval": "none given", "n": n, "unit": unit, "n_of": n_of, "visible": sizes.visible(estimate, scale),
            "seen_in_%": simulated, "runs": self.runs, "why_not": why_not,
        }  # fmt: skip


def told(row: Mapping[str, Any]) -> str:
    """One row as a sentence."""
    about = f"{row['measure']} ({row['group']})"
    if row["why_not"]:
        return f"{about}: no change could be seen. {row['why_not']}"
    seen = f"a change of {size(row)} would be seen in {100 * CHANCE:.0f} of 100 such evaluations"
    return f"{about}: {seen}. That is: {row['visible']}."


def size(row: Mapping[str, Any]) -> str:
    """The smallest change that is seen, in words."""
    if row["unit"] == STANDARD:
        return f"{words.significant(row['estimate'])} standard deviations"
    return words.in_every_100(row["estimate"])
