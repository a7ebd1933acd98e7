"""A questionnaire as the simulation needs it: which items there are, and how they make up the score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from evalkit import instrument, menu
from evalkit.instrument import Instrument
from evalkit.menu import Menu
from evalkit.simulation.scoring import Floats, Numbers, Ticking

SPREAD = 0.30
"""How far item locations lie apart: the standard deviation is about 0.2 of a point."""

OCCASION = 0.20
ITEM = 0.60
"""Standard deviations of noise shared by one sitting's answers, and of each answer's own. Alpha comes to about .95."""


@cache
def instruments() -> Mapping[str, Instrument]:
    """The shipped instruments, read once."""
    return instrument.shipped()


@cache
def menus() -> Mapping[str, Menu]:
    """The shipped menus, read once."""
    return menu.shipped()


@dataclass(frozen=True, slots=True)
class Form:
    """The items of an instrument in its own order. `domain[k]` is the position of item k's domain.

    `short` marks the short form: every other item of each domain, the first included, so at least half of each.
    """

    instrument: str
    items: NDArray[np.str_]
    domains: tuple[str, ...]
    domain: Numbers
    short: NDArray[np.bool_]
    low: int
    high: int

    @classmethod
    def of(cls, known: Instrument) -> Form:
        """The form of an instrument whose scale is whole points."""
        domains = tuple(domain.key for domain in known.domains)
        domain = np.array([domains.index(item.domain) for item in known.items], dtype=np.int64)
        place = np.array([int((domain[:at] == own).sum()) for at, own in enumerate(domain)])
        items = np.array([item.key for item in known.items], dtype=np.str_)
        low, high = int(known.scale.low), int(known.scale.high)
        return cls(known.id, items, domains, domain, place % 2 == 0, low, high)

    def ticking(self, *, short: bool = False) -> Ticking:
        """How this form is ticked; its score is the mean of its domains' means, over the items asked."""
        asked = self.short if short else np.ones(len(self.items), dtype=bool)
        per_domain = np.bincount(self.domain[asked], minlength=len(self.domains))
        weights = np.where(asked, 1.0 / (len(self.domains) * per_domain[self.domain]), 0.0)
        return Ticking(self._locations(), weights, self.low, self.high, OCCASION, ITEM)

    def _locations(self) -> Floats:
        """Some items are easier to agree with; in each domain the short form is as easy as the rest."""
        location = SPREAD * np.cos(2.4 * np.arange(len(self.items)))
        for own in range(len(self.domains)):
            for part in ((self.domain == own) & self.short, (self.domain == own) & ~self.short):
                location[part] -= location[part].mean() if part.any() else 0.0
        return np.asarray(location)
