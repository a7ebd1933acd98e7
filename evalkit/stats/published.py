"""Published means without their numbers: how many answers could arithmetically stand behind one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Grim:
    """The numbers of people at which a published mean is arithmetically possible.

    There is no estimate and no interval: `possible` holds every n from 1 to `upto` that fits, and says neither which
    of them it was nor who answered. From `every_from` people on any mean at all fits, and the check says nothing.
    """

    possible: tuple[int, ...]
    mean: Decimal
    decimals: int
    upto: int
    step: float
    items: int
    every_from: int


def grim(mean: str | float | Decimal, *, decimals: int, upto: int, step: float = 1.0, items: int = 1) -> Grim:
    """The n from 1 to `upto` at which a mean of n people's answers can round to this one.

    Each of n people answers `items` questions in multiples of `step`, so that their mean is k step / (n items) with a
    whole number k: n is possible where some k lies within half a unit of the last decimal. A mean exactly midway
    between two printed ones counts for both, because it may have been rounded half up, half to even, or as binary
    fractions fall. Computed in whole numbers, without rounding of our own.
    Source: Brown & Heathers (2017), The GRIM test, Social Psychological and Personality Science 8(4), 363-369.

    Arithmetic only; never proof of who answered. It assumes a plain mean of individuals who all answered every
    question. Half points, weights, people left out or a mean of groups' means (`grim_of_groups`) fit other numbers.

    mean: as printed; write "2.10", or 2.1, for a mean printed as 2.10. decimals: how many were printed. step: the
    smallest difference between two answers; all answers are multiples of it. items: questions a person that were
    averaged into the mean.
    Errors: ValueError for a mean with more decimals than that, `step` not above 0, or other numbers below 1 (decimals
    below 0); TypeError where a whole number is needed.

    >>> grim("2.13", decimals=2, upto=24).possible
    (8, 15, 16, 23, 24)
    >>> grim(5.19, decimals=2, upto=28).possible[-1]  # 145 / 28 is 5.18 and 146 / 28 is 5.21
    27
    """
    _at_least(1, upto=upto, items=items)
    printed = _printed(mean, decimals)
    low, high, of = _limits(printed, decimals, _step(step), items)
    possible = tuple(n for n in range(1, upto + 1) if high * n // of >= -(-low * n // of))
    every_from = math.ceil(_step(step) * 10**decimals / items)
    return Grim(possible, printed, decimals, upto, step, items, max(every_from, 1))


def grim_of_groups(mean: str | float | Decimal, *, decimals: int, sizes: Sequence[int], step: float = 1.0) -> bool:
    """Whether the plain mean of several groups' means, of so many people each, can round to this one.

    With k groups of n_1 … n_k people the mean is a multiple of step / (k L), L the least common multiple of the n_i,
    and every such multiple occurs. Rounding and source as in `grim`; the groups' means are taken as not rounded.

    Arithmetic only; never proof of who answered. False is certain; True says only that nothing speaks against it, and
    near the ends of a scale it is generous, because it sets no lowest and highest answer.

    mean, decimals, step: as in `grim`. sizes: people in each group.
    Errors: as in `grim`, and ValueError without groups.

    >>> grim_of_groups("2.13", decimals=2, sizes=[3, 4, 5])
    True
    >>> grim_of_groups("2.13", decimals=2, sizes=[2, 2, 2])
    False
    """
    if not sizes:
        raise ValueError("sizes is empty; write how many people each group had, such as [3, 4, 5].")
    for size in sizes:
        _at_least(1, size=size)
    among = len(sizes) * math.lcm(*(int(size) for size in sizes))
    low, high, of = _limits(_printed(mean, decimals), decimals, _step(step), among)
    return high // of >= -(-low // of)


def _limits(printed: Decimal, decimals: int, step: Fraction, answers: int) -> tuple[int, int, int]:
    """The k, as fractions low / of to high / of, whose k step / answers rounds to what was printed."""
    half = Fraction(1, 2 * 10**decimals)
    low, high = ((Fraction(printed) + away) * answers / step for away in (-half, half))
    of = math.lcm(low.denominator, high.denominator)
    return int(low * of), int(high * of), of


def _printed(mean: str | float | Decimal, decimals: int) -> Decimal:
    """The mean in the decimals that were printed; a float is taken as it is written, 2.13 as 2.13."""
    _at_least(0, decimals=decimals)
    try:
        value = Decimal(str(mean))
    except InvalidOperation:
        raise ValueError(f"mean = {mean!r} is not a number; write it as printed, such as '2.13'.") from None
    if not value.is_finite():
        raise ValueError(f"mean = {mean!r} is not a number; leave out means that are missing.")
    if value != round(value, decimals):
        raise ValueError(f"mean = {mean} has more than {decimals} decimals; write the mean as printed.")
    return round(value, decimals)


def _step(step: float) -> Fraction:
    if not (math.isfinite(step) and step > 0):
        raise ValueError(f"step = {step} must be above 0; whole points are 1, half points 0.5.")
    return Fraction(str(step))


def _at_least(least: int, **numbers: int) -> None:
    for name, number in numbers.items():
        if isinstance(number, bool) or not hasattr(number, "__index__"):
            raise TypeError(f"{name} = {number!r} must be a whole number.")
        if number < least:
            raise ValueError(f"{name} = {number} must be {least} or more.")
