"""Who is asked what, and how often, where nobody planned it."""

from __future__ import annotations

from collections.abc import Mapping

EVERY = 6
"""Months between waves where none are planned: the half-year of the sources."""
INFORMANTS: Mapping[str, tuple[str, ...]] = {
    "system_leadership": ("self", "sponsor", "partner"), "icfat": ("team_member", "partner")
}  # fmt: skip
"""Who is asked what where nobody planned it: AQuA's three informants, and those in and outside a place."""


def half_years(months: int) -> tuple[int, ...]:
    """The months of the waves in so many months.

    >>> half_years(18), half_years(0)
    ((0, 6, 12, 18), (0,))
    """
    return tuple(range(0, months + 1, EVERY))
