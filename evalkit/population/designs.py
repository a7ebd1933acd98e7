"""Which comparison of places the data allow, why that one, and what in the way places were chosen forbids an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from evalkit import words
from evalkit.population.by_place import Places
from evalkit.population.monthly import refuse
from evalkit.stats import contrast, counts_alone, staggered
from evalkit.stats.contrast import PlacesContrast
from evalkit.stats.counts_alone import CountsAlone
from evalkit.verdict import LEAST_POINTS

LEAST_COMPARISON = 3
"""Fewer places than this to compare with carry no verdict (a judgement: not simulated)."""
YEAR = 12
"""Months before the start that leave the base where places were chosen for a high last year."""
UNLIKE = 2.0
"""Programme places this many times as large as the others, or as small, differ in size: another way of weighing places
must then agree, where it fits nearly as well (a judgement; by lot three of 19 differ as much in 7 of 100 draws)."""
NEARLY = 0.5
"""How much less the restricted log-likelihood of that other way may be. Of those tried (−.5, 0, .5, 1, any) the one at
which errors stayed within 3 to 7 of 100 however 3 and 12 of 19 places were arranged."""
TRIED = 5_000
"""Labellings tried for a comparison made in another way, of which only the interval is printed."""
SEED = 2_718
"""Which labellings are drawn where there are too many for all: the same ones on every run."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The places asked about, as they are compared: at one start or at several, with a whole base or a shorter one."""

    places: Places
    confidence: float

    @property
    def many_starts(self) -> bool:
        """Whether programme places began at different times."""
        return self.places.starts.nunique() > 1

    @property
    def first(self) -> pd.Timestamp:
        """The earliest start."""
        return self.places.starts.min()

    @property
    def left_out(self) -> int:
        """Months before the start that are in no base."""
        return YEAR if self.places.chosen == "high" else 0

    @property
    def base(self) -> int:
        """Months before the first start that are compared with."""
        periods = self.places.figures["period"].drop_duplicates()
        return int((periods < self.first).sum()) * self.places.span - self.left_out

    @property
    def after(self) -> int:
        """Months from the last start on."""
        periods = self.places.figures["period"].drop_duplicates()
        return int((periods >= self.places.starts.max()).sum()) * self.places.span

    @property
    def why(self) -> str:
        """Why places are compared in this way."""
        told = "Each place counts once, by how its rate changed from all months before the start to all after."
        if self.many_starts:
            told += f" Programme places began at {self.places.starts.nunique()} times; each is read at its own."
        if self.left_out:
            told += " They were chosen for a high last year, so that year is left out."
        return told

    def answer(self) -> PlacesContrast:
        """The comparison, or a refusal in the words of the question."""
        try:
            return self.compared(left_out=self.left_out)
        except ValueError as refusal:
            raise refuse(
                str(refusal), "months with events before and after the start in three places or more, of either kind."
            ) from refusal

    def compared(
        self, *, left_out: int = 0, figures: pd.DataFrame | None = None, sooner: int = 0, allocations: int = 50_000
    ) -> PlacesContrast:
        """The comparison over these figures. `left_out`: months before the start in no base. `sooner`: as if places had
        started that many months before they did."""
        span = self.places.span
        starts = {place: start - pd.DateOffset(months=sooner) for place, start in self.places.starts.items()}
        named: dict[str, Any] = {
            "outcome": "count", "unit": "place_id", "time": "period", "offset": "people", "left_out": left_out // span,
            "confidence": self.confidence, "seed": SEED, "allocations": allocations,
        }  # fmt: skip
        held = self.places.figures if figures is None else figures
        if self.many_starts:
            return staggered.staggered(held, starts=starts, follow=sooner // span or None, **named)
        until = held[held["period"] < self.first] if sooner else held
        return contrast.places(until, treated=list(starts), start=min(starts.values()), **named)

    def counted(self) -> pd.DataFrame:
        """How many were counted in each place before and after its own start; where one compares with several starts,
        with the fewest of them."""
        held, own = self.places.figures, self.places.starts
        sums = {}
        for place, rows in held.groupby("place_id"):
            starts = [own[place]] if place in own.index else own.unique()
            cuts = [(rows["period"] < start - pd.DateOffset(months=self.left_out), rows["period"] >= start)
                    for start in starts]  # fmt: skip
            sums[place] = [min(float(rows.loc[cut[side], "count"].sum()) for cut in cuts) for side in (0, 1)]
        return pd.DataFrame.from_dict(sums, orient="index", columns=["before", "after"])

    @property
    def few(self) -> int | None:
        """How few a change of one kind of place would tell, all of them together; None where none."""
        counted = self.counted()
        whole = counted.groupby(counted.index.isin(self.places.mine)).sum()
        small = whole[(whole > 0) & (whole < self.places.programme.minimum_group)].min().min()
        return None if pd.isna(small) else int(small)

    def year_before(self) -> PlacesContrast | None:
        """Programme places beside the others in the last year before the start, from the years before it: a difference
        there is none of the programme's. None where the months are too few to say."""
        return self.tried(sooner=YEAR) if self.base + self.left_out >= 2 * YEAR else None

    def tried(self, **how: Any) -> PlacesContrast | None:
        """A comparison made in another way, where it can be made."""
        try:
            return self.compared(allocations=TRIED, **how)
        except ValueError:
            return None


def too_short(asked: Asked) -> str:
    """Why the months are too few to test, or nothing."""
    if min(asked.base, asked.after) < LEAST_POINTS:
        before = words.counted(max(asked.base, 0), "month")
        return f"{before} before and {asked.after} after the start are too few to test."
    return ""


def unanswerable(asked: Asked, found: PlacesContrast) -> str:
    """Why no number of months could answer, or nothing."""
    if found.n_treated == 1:
        return (
            "One programme place shows how it stands among the others, and cannot show that it is more than one place."
        )
    if found.n_comparison < LEAST_COMPARISON:
        return (
            f"{words.counted(found.n_comparison, 'comparison place')} cannot show how far places differ by themselves."
        )
    if asked.places.chosen == "worsening":
        return "Places were chosen for figures that got worse; such places get better by themselves."
    return ""


def weighed_otherwise(found: PlacesContrast) -> CountsAlone | None:
    """The comparison by counts alone, where places differ much in size and that way of weighing cannot be ruled out."""
    other = counts_alone.beside(found)
    alike = 1 / UNLIKE < other.larger < UNLIKE
    return None if alike or other.fits <= -NEARLY else other


def to_bear(found: PlacesContrast) -> float:
    """The p that a clear difference must bear beside its interval: that of relabelling and, where places differ in
    size, that of places weighed by their counts alone."""
    other = weighed_otherwise(found)
    return found.p_relabelled if other is None else max(found.p_relabelled, other.p)
