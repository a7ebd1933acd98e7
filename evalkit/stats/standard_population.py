"""The ages of a standard population: the weights by which rates of places with other ages are made comparable."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evalkit.resources import catalogues
from evalkit.stats.age_bands import Band, in_order

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class StandardPopulation:
    """How many people of each age it holds. `bands` and `people` go together, from young to old.

    `verified`: its numbers were checked against the source (the file says against which part of it).
    """

    name: str
    label: str
    source: str
    edition: str
    verified: bool
    labels: tuple[str, ...]
    bands: tuple[Band, ...]
    people: tuple[int, ...]


def names() -> tuple[str, ...]:
    """The standard populations there are.

    >>> names()
    ('ESP1976', 'ESP2013')
    """
    return tuple(sorted(_shipped()))


def described(name: str) -> StandardPopulation:
    """One of them with its source.

    Errors: ValueError for a name that is not among `names()`.

    >>> described("ESP2013").label
    'European Standard Population 2013'
    """
    if name not in _shipped():
        raise ValueError(f"{name!r} is no standard population of ours; there are {', '.join(names())}.")
    return _shipped()[name]


def weights(name: str, bands: Sequence[Any]) -> NDArray[np.float64]:
    """How many people of the standard population fall into each of these age bands, in the order given.

    bands: labels such as `5-9`, `65+`, or starting ages (see `age_bands.edges`). A coarser band is the sum of the
    standard's own. Bands need not cover every age (65 to 74, or 65 and over, is standardised within itself), but none
    may be missing between them.
    Errors: ValueError for a name that is not known, and for bands that overlap, leave a gap, are there twice, or cut
    through a band of the standard.

    >>> weights("ESP2013", ["65-74", "75-84", "85+"]).tolist()
    [10500.0, 6500.0, 2500.0]
    """
    standard = described(name)
    found, order = in_order(written := list(bands))
    summed = np.empty(len(found))
    for place, band in zip(order, found, strict=True):
        summed[place] = _within(standard, band, str(written[place]))
    return summed


def _within(standard: StandardPopulation, band: Band, label: str) -> float:
    """The people of one band; ValueError where it begins or ends inside a band of the standard."""
    starts, ends = {each.start for each in standard.bands}, {each.end for each in standard.bands}
    if band.start not in starts or band.end not in ends:
        touched = [
            known
            for known, each in zip(standard.labels, standard.bands, strict=True)
            if each.start < band.end and band.start < each.end
        ]
        raise ValueError(
            f"The age band {label!r} cuts through those of {standard.name}, which has {', '.join(touched)} there; "
            "use bands that are made up of whole ones."
        )
    inside = zip(standard.bands, standard.people, strict=True)
    return float(sum(people for each, people in inside if band.start <= each.start and each.end <= band.end))


@cache
def _shipped() -> Mapping[str, StandardPopulation]:
    """Read once: they are frozen."""
    return read(catalogues() / "standard_populations.toml")


def read(path: Path) -> dict[str, StandardPopulation]:
    """The standard populations a TOML file describes, by name.

    Errors: ValueError, naming file and population, where a key is lacking, the bands are amiss, or the people do not
    add up to the published total.
    """
    said = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: _build(name, part, path) for name, part in said.items() if name != "schema"}


def _build(name: str, said: Mapping[str, Any], path: Path) -> StandardPopulation:
    where = f"{path.name}, {name}"
    needed = ("label", "source", "edition", "verified", "total", "people")
    if lacking := [key for key in needed if key not in said]:
        raise ValueError(f"{where} does not say its {', '.join(lacking)}.")
    people = said["people"]
    if not all(isinstance(each, int) and each > 0 for each in people.values()):
        raise ValueError(f"{where}: people are whole numbers above 0.")
    labels = list(people)
    try:
        bands, order = in_order(labels)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    if sum(people.values()) != said["total"]:
        raise ValueError(f"{where}: its people add up to {sum(people.values())}, not to the total {said['total']}.")
    ordered = tuple(labels[place] for place in order)
    return StandardPopulation(
        name, said["label"], said["source"], said["edition"], said["verified"],
        ordered, tuple(bands), tuple(people[label] for label in ordered),
    )  # fmt: skip
