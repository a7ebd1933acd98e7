"""Who could be told from answers that stand beside each other: the same scores split by place, organisation, level.

Each split alone hides its small groups. Two splits together can still tell one: a place's total less an organisation
that answered nowhere else leaves who else answered there. So all splits are looked at as one set of sums, and a group
whose sum would tell fewer people than the minimum is kept back wherever it stands.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit.team.scored import NOT_RECORDED
from evalkit.verdict import LEAST_PAIRS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from evalkit.team.scored import Scored

BY = ("place", "team", "organisation", "level", "tier")
"""What the same scores can be split by."""
LEAST_PEOPLE = 2
"""What this many people of a team or place find lowest is no longer one person's answer."""
NEAR = 1e-8
"""Rounding in sums."""


@dataclass(frozen=True, eq=False)
class Beside:
    """The sums that splits of one domain's scores at one wave would show together.

    `cells`: a row a set of people no split tells apart, with what they are and their `forms` (a form a person and
    subject); `people`: a row a cell, a column a person. `groups`: each split and group with how many people and which
    cells; `always`: sums shown without any split.
    """

    minimum: int
    cells: pd.DataFrame
    people: NDArray[np.bool_]
    groups: dict[tuple[str, str], tuple[int, NDArray[np.float64]]]
    always: NDArray[np.float64]

    def shown(self, kept: Iterable[Hashable] = ()) -> list[tuple[str, str]]:
        """The groups with enough people that are not kept back."""
        back = set(kept)
        return [key for key, (n, _) in self.groups.items() if n >= self.minimum and key not in back]

    def sums(self, keys: list[tuple[str, str]]) -> NDArray[np.float64]:
        """A row a sum that is shown: those without any split first, then these groups; a column a cell."""
        return np.vstack([self.always, *(self.groups[key][1] for key in keys)])

    @cached_property
    def kept_back(self) -> dict[tuple[str, str], int]:
        """The groups kept back, though each has enough people, with the number of people each would have told.

        Of those that tell a set of people the smallest goes, first of all one without which it cannot be told.
        """
        cut = {by for (by, _), (n, _) in self.groups.items() if n < self.minimum}  # one more goes there in any case
        back: dict[tuple[str, str], int] = {}
        while keys := self.shown(back):
            sums = self.sums(keys)
            found = self.told(sums)
            if found is None:
                break
            people, cells = found
            needed = _needed(sums, cells)[len(self.always) :]
            most = [key for key, weight in zip(keys, needed, strict=True) if weight == needed.max()]
            back[min(most, key=lambda key: (key[0] not in cut, self.groups[key][0], key))] = people
        return back

    def apart(self, by: str, ends: tuple[str, str]) -> NDArray[np.float64]:
        """The sum that is the distance of two groups' means, after the mean of each subject is taken out."""
        forms, subjects = self.cells["forms"], self.cells["subject_id"]
        within = forms.groupby(subjects).transform("sum")
        found = []
        for group in ends:
            inside = self.cells[by] == group
            there = subjects.map(forms[inside].groupby(subjects[inside]).sum()).fillna(0)
            found.append(((inside - there / within) / forms[inside].sum()).to_numpy(dtype=float))
        distance: NDArray[np.float64] = found[1] - found[0]
        return distance

    def told_by(self, more: list[NDArray[np.float64]]) -> int | None:
        """How few people these sums would tell beside all groups that are shown; None where none, or enough."""
        found = self.told(np.vstack([self.sums(self.shown(self.kept_back)), *more]))
        return found[0] if found else None

    def told(self, sums: NDArray[np.float64]) -> tuple[int, NDArray[np.float64]] | None:
        """The smallest set of people, under the minimum, whose sum follows from these; None where there is none.

        What the sums without any split tell already is not asked: no group kept back would help.
        """
        some = self._few
        found = some[_follows(some, sums) & ~_follows(some, self.always)]
        people = ((found @ self.people.astype(float)) > 0).sum(axis=1)
        return (int(people.min()), found[people.argmin()]) if len(found) else None

    @cached_property
    def _few(self) -> NDArray[np.float64]:
        """Sets of under so many people: cells and pairs of them, groups, what two groups share, one without another."""
        cells, groups = np.eye(len(self.cells)), [cells for _, cells in self.groups.values()]
        sizes = self.people.sum(axis=1)
        pairs = [cells[one] + cells[other] for one, other in combinations(np.flatnonzero(sizes < self.minimum), 2)
                 if sizes[one] + sizes[other] < self.minimum]  # fmt: skip
        crossed = [part for one, other in combinations(groups, 2)
                   for part in (one * other, one * (1 - other), other * (1 - one))]  # fmt: skip
        sets = np.unique(np.vstack([cells, *groups, *pairs, *crossed]), axis=0)
        many = ((sets @ self.people.astype(float)) > 0).sum(axis=1)
        few_people: NDArray[np.float64] = sets[(many > 0) & (many < self.minimum)]
        return few_people


def beside(scores: pd.DataFrame, subject: str, minimum: int, wholes: Iterable[frozenset[str]] = ()) -> Beside:
    """The sums that splits of these scores would show: those of one domain at one wave, as `Scored.scores` has them.

    `wholes`: the sets of subjects of which a mean over subjects is shown too.
    """
    by = [name for name in BY if (scores[name] != NOT_RECORDED).any()] + (
        ["subject_id"] if subject not in BY[:2] else []
    )
    columns = list(dict.fromkeys(["subject_id", *by]))
    cell = scores.groupby(columns, sort=True).ngroup().to_numpy()
    forms = np.bincount(cell)
    cells = scores[columns].assign(cell=cell).drop_duplicates("cell").sort_values("cell").assign(forms=forms)
    who, persons = pd.factorize(scores["respondent_id"], sort=True)
    people = np.zeros((len(cells), len(persons)), dtype=bool)
    people[cell, who] = True
    groups = {}
    for name in by:
        for group in sorted(scores[name].unique()):
            inside = (cells[name] == group).to_numpy()
            groups[name, str(group)] = (int(people[inside].any(axis=0).sum()), inside.astype(float))
    each = (1 / cells["subject_id"].map(scores.groupby("subject_id").size())).to_numpy(dtype=float)
    over_subjects = [each * cells["subject_id"].isin(whole).to_numpy() for whole in wholes]
    return Beside(
        minimum,
        cells.reset_index(drop=True),
        people,
        groups,
        np.array(over_subjects, dtype=float).reshape(-1, len(cells)),
    )


def people_behind(asked: Scored, domains: Sequence[str], waves: Sequence[int], subjects: Iterable[str]) -> int:
    """The people who scored these subjects on these domains; of several waves, as many as at the one with fewest."""
    own = asked.scores[asked.scores["domain"].isin(domains) & asked.scores["subject_id"].isin([*subjects])]
    return min(int(own.loc[own["wave"] == wave, "respondent_id"].nunique()) for wave in waves)


def left_behind(
    asked: Scored, domains: Sequence[str], wave: int, there: Iterable[str], counted: Iterable[str]
) -> int | None:
    """How few people the mean over the subjects `there` would tell beside another over those `counted` of them.

    They are of the subjects left out that are too small to be shown; None where there are none, or enough of them.
    """
    left_out = {*there} - {*counted}
    if not left_out:
        return None
    own = asked.scores[(asked.scores["wave"] == wave) & asked.scores["domain"].isin(domains)]
    own = own[own["subject_id"].isin(left_out)]
    sizes = own.groupby(["subject_id", "domain"])["respondent_id"].nunique().groupby(level="subject_id").min()
    small = sizes.index[sizes < asked.programme.minimum_group]
    people = int(own.loc[own["subject_id"].isin(small), "respondent_id"].nunique())
    return few(people, asked.programme.minimum_group)


def mean_tells(asked: Scored, domains: Sequence[str], wave: int, means: pd.DataFrame) -> int | None:
    """How few people the mean over subjects at a wave would tell beside the change since, or until, another.

    `means`: a row a subject, a column a wave. A change is over subjects with both waves, so what the mean holds besides
    is told by the two together. None where nobody is, or enough.
    """
    there = means.index[means[wave].notna()]
    found = [left_behind(asked, domains, wave, there, both) for both in _with_another(means, wave)]
    return fewest(*found)


def wholes(asked: Scored, domain: str, wave: int) -> frozenset[frozenset[str]]:
    """The sets of subjects of which a mean over subjects at this wave is shown, or follows from what is."""
    means = asked.means().loc[[domain]].droplevel("domain")
    shown = {frozenset(both) for both in _with_another(means, wave)}
    if mean_tells(asked, [domain], wave, means) is None:
        shown.add(frozenset(means.index[means[wave].notna()]))
    return frozenset(shown)


def few(people: int, minimum: int) -> int | None:
    """The number of people where it is under the minimum."""
    return people if 0 < people < minimum else None


def fewest(*people: int | None) -> int | None:
    """The least of these that is known."""
    return min((each for each in people if each is not None), default=None)


def _with_another(means: pd.DataFrame, wave: int) -> list[pd.Index[Any]]:
    """For each other wave, the subjects with both: as far as they are enough for a change."""
    pairs = [means[[wave, other]].dropna().index for other in means if other != wave]
    return [both for both in pairs if len(both) >= LEAST_PAIRS]


def _follows(sets: NDArray[np.float64], sums: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of these sets of cells are sums of multiples of these sums: those that lie whole in what they span."""
    if not len(sums):
        return np.zeros(len(sets), dtype=bool)
    _, size, across = np.linalg.svd(sums, full_matrices=False)
    basis = across[size > NEAR * size[0]]
    inside: NDArray[np.bool_] = (sets**2).sum(axis=1) - ((sets @ basis.T) ** 2).sum(axis=1) < NEAR
    return inside


def _needed(sums: NDArray[np.float64], cells: NDArray[np.float64]) -> NDArray[np.int64]:
    """Of each sum: 2 where this set cannot be told without it, 1 where it is one of the ways to tell it, else 0."""
    down, size, _ = np.linalg.svd(sums, full_matrices=True)
    rank = int((size > NEAR * size[0]).sum())
    free = (down[:, rank:] ** 2).sum(axis=1) > NEAR
    weight = np.abs(np.linalg.lstsq(sums.T, cells, rcond=None)[0]) > NEAR
    return np.where(weight & ~free, 2, weight.astype(int))
