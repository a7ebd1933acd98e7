"""Who and what there is in a twin: ids made up from the numbers of a shape, each of which says that it is invented."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from data_schemas.tables import schema
from evalkit.reading.between import SUBJECT_TABLES
from evalkit.simulation.twin.shape import STEP, Shape

ARMS = ("", "programme", "comparison")
"""The order of places: one of no arm comes first, so that it is the larger place the others lie in."""


def named(kind: str, count: int) -> list[str]:
    """So many ids of a kind.

    >>> named("team", 2)
    ['twin_team_001', 'twin_team_002']
    """
    wide = max(3, len(str(count)))
    return [f"twin_{kind}_{number:0{wide}d}" for number in range(1, count + 1)]


@dataclass(frozen=True)
class Cast:
    """The ids of a twin, listed in a table of it or not."""

    shape: Shape

    def ids(self, table: str) -> list[str]:
        """Those a table lists, or would list."""
        first = next(iter(schema(table).columns))
        shape = self.shape
        return named(first.removesuffix("_id"), shape.rows.get(table, shape.unlisted.get(table, STEP)))

    def of(self, tables: Sequence[str]) -> list[str]:
        """Those a column may name that refers to these tables: to those of them that are in the twin, if any."""
        here = [table for table in tables if table in self.shape.rows] or tables[:1]
        return [name for table in here for name in self.ids(table)]

    @cached_property
    def kinds(self) -> list[str]:
        """The kind of each person; participants come first."""
        return [kind for kind, many in self.shape.kinds.items() for _ in range(many)]

    @cached_property
    def arms(self) -> list[str]:
        """The arm of each place, "" where none is said."""
        return [arm for arm in ARMS for _ in range(self.shape.arms.get(arm, 0))]

    @cached_property
    def places(self) -> Mapping[str, list[str]]:
        """Places by arm; an arm nobody says is every place that is listed nowhere."""
        ids, arms = self.ids("places"), self.arms or [""] * len(self.ids("places"))
        return {arm: [place for place, own in zip(ids, arms, strict=True) if own == arm] for arm in ARMS}

    def people(self, kinds: Collection[str]) -> list[str]:
        """People of these kinds; everybody where the kinds are not known."""
        ids = self.ids("people")
        if not self.kinds or not kinds:
            return ids
        return [person for person, kind in zip(ids, self.kinds, strict=True) if kind in kinds]

    @cached_property
    def team_of(self) -> dict[str, int]:
        """Each leader and the position of the team: leaders are dealt to the teams in turn."""
        leaders, teams = self.ids("people")[: self.shape.rows.get("participants", 0)], len(self.ids("teams"))
        return {leader: at % teams for at, leader in enumerate(leaders)}

    def members_first(self, raters: Sequence[str], teams: int) -> list[str]:
        """The same raters, members of the first so many teams first: taken in turn, each meets their own team."""
        return sorted(raters, key=lambda rater: self.team_of.get(rater, teams) >= teams)

    @property
    def forms(self) -> list[str]:
        """The unnamed who answer: all respondents but the last where that one is an alias of another."""
        ids = self.ids("respondents")
        return ids[:-1] if "alias_of" in self.shape.columns.get("respondents", ()) else ids

    def subjects(self, kind: str, about: Collection[str]) -> list[str]:
        """Whom or what answers and scores of this kind may be about; places of the programme come first."""
        if kind == "person":
            return self.people(about)
        if kind == "place":
            return [*self.places["programme"], *self.places[""], *self.places["comparison"]]
        return self.ids(SUBJECT_TABLES[kind])


def pairs(subjects: int, raters: int, wanted: int) -> tuple[np.ndarray, np.ndarray]:
    """So many different pairs of a subject and a rater, by position, both taken in turn.

    The first ones are those somebody of a team has with that team, so the same pairs come at every wave.

    >>> [found.tolist() for found in pairs(2, 4, 6)]
    [[0, 1, 0, 1, 0, 1], [0, 1, 2, 3, 1, 2]]
    """
    number = np.arange(min(wanted, subjects * raters), dtype=np.int64)
    return number % subjects, (number + number // int(np.lcm(subjects, raters))) % raters
