"""From what people are to what they tick, and exactly what that is expected to come to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

CLOSE = 1e-10
"""Points of the scale to which a planted change is met; bisection gets there in under 50 halvings."""


@dataclass(frozen=True, slots=True)
class Ticking:
    """How a latent position becomes whole answers: each item's own location, the noise, and the ends of the scale.

    An answer is the latent position plus the item's location plus noise, rounded to the nearest whole point and held
    within the scale. `occasion` is noise shared by all the answers one person gives at one wave, `item` is each
    answer's own. `weights` says how items make up the score; they sum to 1.
    """

    location: Floats
    weights: Floats
    low: int
    high: int
    occasion: float
    item: float

    def tick(self, latent: Floats, rng: np.random.Generator) -> Numbers:
        """Answers, one more axis than `latent` (the items)."""
        position = (latent + self.occasion * rng.standard_normal(latent.shape))[..., None] + self.location
        position += self.item * rng.standard_normal(position.shape)
        return np.clip(np.rint(position), self.low, self.high).astype(np.int64)

    def expected(self, mean: float, variance: float) -> float:
        """The population mean of the score when latent positions are normal: exact, without simulating.

        E[answer] = low + sum over whole points j from low to high - 1 of Phi((mean + location - j - 1/2) / sd), with
        sd^2 = variance + occasion^2 + item^2; then the weighted sum over items.

        >>> Ticking(np.zeros(1), np.ones(1), low=1, high=5, occasion=0.2, item=0.6).expected(3.0, 0.25)
        3.0
        """
        from scipy.special import ndtr

        steps = np.arange(self.low, self.high) + 0.5
        sd = np.sqrt(variance + self.occasion**2 + self.item**2)
        answers = self.low + ndtr((mean + self.location[:, None] - steps) / sd).sum(axis=1)
        return float(self.weights @ answers)

    def shift_for(self, change: float, *, mean: float, variance: float, variance_after: float) -> float:
        """How far the latent mean must move for the expected score to change by `change` points (bisection)."""
        target = self.expected(mean, variance) + change
        if not self.low < target < self.high:
            reach = f"{self.low - target + change:+.2f} to {self.high - target + change:+.2f}"
            raise ValueError(f"A change of {change} points runs off the scale: between {reach} is possible from there.")
        low, high = self.low - 10.0 - mean, self.high + 10.0 - mean
        while high - low > CLOSE:
            middle = (low + high) / 2
            low, high = (middle, high) if self.expected(mean + middle, variance_after) < target else (low, middle)
        return (low + high) / 2
