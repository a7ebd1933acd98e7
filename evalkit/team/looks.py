"""What observers wrote down of features in forms: in which round, by which coders, and how far these agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import circumstances, register, words
from evalkit.stats import agreement
from evalkit.team.profile import QUESTION
from evalkit.team.scored import change_over

if TYPE_CHECKING:
    from evalkit.menu import Menu
    from evalkit.programme import Programme
    from evalkit.stats.agreement import KrippendorffAlpha
    from evalkit.stats.change import PairedChange

FORMS = "network_forms"
"""The menu whose features are seen as a market's, a hierarchy's or a network's."""
ROUND_DAYS = 92
"""A round begins with a look and holds those of a quarter; the next begins with the next look (judgement)."""
DIFFER = "coders differ"
UNIT = ["round", "place_id", "feature"]
"""What two coders may agree on: one feature of one place in one round."""


@dataclass(frozen=True, slots=True)
class Round:
    """Looks that count as one time: from the first day to the last on which somebody looked."""

    number: int
    first: pd.Timestamp
    last: pd.Timestamp

    @property
    def label(self) -> str:
        """The day of looking, or the first and the last."""
        first, last = words.day(self.first), words.day(self.last)
        return first if first == last else f"{first} to {last}"


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """What was seen, by round. `held`: a row a place, feature, coder and round.

    Looks left out: `elsewhere` at places to compare with, `again` by the same coder in the same round.
    """

    menu: Menu
    form: str
    held: pd.DataFrame
    rounds: tuple[Round, ...]
    elsewhere: int
    again: int

    @property
    def ends(self) -> tuple[Round, ...]:
        """The first and the last round; one where there is no other."""
        return self.rounds if len(self.rounds) < 2 else (self.rounds[0], self.rounds[-1])

    @property
    def shares(self) -> pd.DataFrame:
        """A row a place, a column a round: % of its features in the form asked about, coders counting alike."""
        said = self.held.assign(share=100.0 * (self.held["form"] == self.form))
        by_unit = said.groupby(UNIT)["share"].mean()
        return by_unit.groupby(level=["place_id", "round"]).mean().unstack("round")

    @property
    def units(self) -> pd.DataFrame:
        """A row a place, feature and round: the form all coders wrote, else `coders differ`; and how many coded it."""
        seen = self.held.groupby(UNIT)["form"].agg(["first", "nunique", "size"]).reset_index()
        seen["form"] = seen["first"].where(seen["nunique"] == 1, DIFFER)
        return seen[[*UNIT, "form", "size"]]

    def moved(self, confidence: float) -> PairedChange | None:
        """The change of the share over places in the first and last round; none where too few, or all moved alike."""
        if len(self.ends) < 2:
            return None
        first, last = (self.shares[each.number] for each in self.ends)
        return change_over(first, last, confidence)

    def agreed(self, confidence: float, resamples: int, seed: int) -> KrippendorffAlpha | None:
        """How far coders agree beyond chance on what two or more looked at; none where nobody looked twice."""
        if not (self.units["size"] > 1).any():
            return None
        matrix = self.held.set_index([*UNIT, "coder"])["form"].unstack(UNIT)
        return agreement.krippendorff(matrix, level="nominal", resamples=resamples, seed=seed, confidence=confidence)


def looks(programme: Programme, form: str, round_days: int) -> Looks:
    """What was seen of the features by the day the data speak of, or a refusal. What was read in is on the menu: a
    feature or form that is not stops the data from loading. ValueError for an unknown form, or a round of no days.
    """
    menu = programme.menus[FORMS]
    if form not in menu.forms:
        raise ValueError(f"form={form!r} is none that an observer writes of {menu.name!r}: {' or '.join(menu.forms)}.")
    if round_days < 1:
        raise ValueError(f"round_days={round_days} must be 1 or more: a round holds the day of its first look.")
    held = programme.observations
    held = held[held["feature"].isin(menu.labels) & (held["observed_on"] <= pd.Timestamp(programme.as_of))]
    away = held["place_id"].isin(circumstances.comparison_places(programme))
    own = held[~away]
    if own.empty:
        raise register.not_recorded(
            QUESTION,
            f"In no place of the programme did anybody write down a form of {menu.name!r} by "
            f"{words.day(programme.as_of)}.",
            f"observations.csv: for each place, feature of the menu {menu.id!r}, coder and day: "
            f"{' or '.join(menu.forms)}.",
        )
    rounds = _rounds(own["observed_on"], round_days)
    starts = [each.first for each in rounds]
    number = own["observed_on"].map(lambda day: sum(day >= start for start in starts))
    own = own.assign(round=number).sort_values("observed_on", kind="stable")
    latest = own.drop_duplicates([*UNIT, "coder"], keep="last")
    return Looks(menu, form, latest, rounds, int(away.sum()), len(own) - len(latest))


def _rounds(days: pd.Series[Any], round_days: int) -> tuple[Round, ...]:
    """The rounds that the days of looking fall into: each a look and what follows it within so many days."""
    found: list[list[pd.Timestamp]] = []
    for day in sorted(days.unique()):
        if found and day - found[-1][0] < pd.Timedelta(days=round_days):
            found[-1].append(day)
        else:
            found.append([day])
    return tuple(Round(number, held[0], held[-1]) for number, held in enumerate(found, 1))
