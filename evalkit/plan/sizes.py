"""How large a change is, in words: what "only a very large change could be seen" means, and on whose word."""

from __future__ import annotations

import math

SIZES = ("even a small change", "a medium-sized change", "only a large change", "only a very large change", "no change")
"""What could be seen, from the best to the worst."""
SHORT = ("small", "medium", "large", "very large", "none")
"""The same where a chart has little room."""
STANDARD = (0.2, 0.5, 0.8)
"""Up to which a change in standard deviations is small, medium, large. Cohen (1988), Statistical Power Analysis, 2nd
ed., pp. 25–27; what is beyond large is called very large, as Sawilowsky (2009), J. Mod. Appl. Stat. Methods 8, 597–599
does from 1.2."""
RELATIVE = (0.05, 0.10, 0.20)
"""Up to which a change in a rate is small, medium, large: a judgement. Published changes in emergency admissions
under integrated care are mostly within a few in every 100."""
SOURCE = (
    "Sizes in standard deviations: Cohen (1988), pp. 25–27 (small to 0.2, medium to 0.5, large to 0.8). "
    "Sizes of rates: a judgement (small to 5 in every 100, medium to 10, large to 20)."
)


def visible(change: float, scale: str) -> str:
    """What can be seen where the smallest visible change is this: a difference in standard deviations, or a ratio.

    >>> visible(0.7, "difference"), visible(0.85, "ratio"), visible(1.3, "difference")
    ('only a large change', 'only a large change', 'only a very large change')
    """
    if math.isnan(change):
        return SIZES[-1]
    size, limits = (abs(change), STANDARD) if scale == "difference" else (abs(1 - change), RELATIVE)
    return SIZES[sum(round(size - limit, 9) > 0 for limit in limits)]  # 1 − 0.95 is a hair above 0.05


def short(said: str) -> str:
    """The size alone; anything that is no size stays as it is.

    >>> short("only a very large change"), short("too early")
    ('very large', 'too early')
    """
    return SHORT[SIZES.index(said)] if said in SIZES else said
