"""Bands of age, however they are written: where each begins and ends, and whether together they leave none out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

_RANGE = re.compile(r"(\d+)\s*(?:-|–|—|to)\s*(\d+)")
_OPEN = re.compile(r"(\d+)\s*(?:\+|plus|and\s+over|or\s+over|and\s+above)")
_UNDER = re.compile(r"(?:<|under)\s*(\d+)")
_BARE = re.compile(r"(\d+)(?:\.0+)?")


class Band(NamedTuple):
    """From a birthday up to, and not with, another; infinity where the band is open."""

    start: int
    end: float


def edges(bands: Iterable[Any]) -> list[Band]:
    """Where each band begins and ends, in the order given.

    bands: labels (`5-9`, `05 – 09`, `5 to 9`, `<1`, `90+`, `65 and over`; `0` among them is the first year of life),
    or nothing but starting ages (0, 1, 5, 10 …), each up to the next and the last one open.
    Errors: ValueError for a label that is none of these, or a band that ends before it begins.

    >>> edges(["0", "1-4", "5 to 9", "10+"])
    [Band(start=0, end=1), Band(start=1, end=5), Band(start=5, end=10), Band(start=10, end=inf)]
    >>> edges([0, 1, 5, 10]) == edges(["0", "1-4", "5-9", "10+"])
    True
    """
    labels = [str(band).strip().lower() for band in bands]
    if labels and all(_BARE.fullmatch(label) for label in labels):
        starts = [int(float(label)) for label in labels]
        following = dict(zip(sorted(set(starts)), [*sorted(set(starts))[1:], math.inf], strict=True))
        return [Band(start, following[start]) for start in starts]
    return [_edge(label) for label in labels]


def in_order(bands: Sequence[Any]) -> tuple[list[Band], list[int]]:
    """The bands from young to old, and where each stood in what was given.

    Errors: ValueError where there are none, or a band is missing, overlaps another, or is there twice.

    >>> in_order(["5+", "0-4"])
    ([Band(start=0, end=5), Band(start=5, end=inf)], [1, 0])
    """
    found = edges(bands)
    if not found:
        raise ValueError("No age bands were given.")
    order = sorted(range(len(found)), key=lambda place: found[place])
    for place, following in pairwise(order):
        one, other = found[place], found[following]
        if one.start == other.start and one.end == other.end:
            raise ValueError(f"The age band {str(bands[place])!r} is there twice; add its rows up first.")
        if one.end > other.start:
            said = f"The age bands {str(bands[place])!r} and {str(bands[following])!r} overlap"
            raise ValueError(f"{said}; each person must fall into one band. Is one of them misspelt?")
        if one.end < other.start:
            said = f"Nobody aged {one.end:g} to {other.start - 1} is there"
            raise ValueError(f"{said}: between {str(bands[place])!r} and {str(bands[following])!r} a band is missing.")
    return [found[place] for place in order], order


def _edge(label: str) -> Band:
    if span := _RANGE.fullmatch(label):
        start, last = int(span[1]), int(span[2])
        if last < start:
            raise ValueError(f"The age band {label!r} ends before it begins.")
        return Band(start, last + 1)
    if above := _OPEN.fullmatch(label):
        return Band(int(above[1]), math.inf)
    if (below := _UNDER.fullmatch(label)) and int(below[1]) > 0:
        return Band(0, int(below[1]))
    if alone := _BARE.fullmatch(label):
        return Band(int(alone[1]), int(alone[1]) + 1)
    raise ValueError(f"{label!r} is no age band; write it as 5-9, 85+ or <1.")
