"""The ties of one wave among those on its roster, with the organisation of the day: what the network questions share.

Who was asked is the roster, and who answered stands on it: somebody who did not answer named nobody that we know of,
which is not the same as nobody. So shares are of the ties that those who answered could have named.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import circumstances, register, words
from evalkit.errors import NotEnoughEvidence
from evalkit.result import ALL, Sentence
from evalkit.stats import network

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import date

    from evalkit.programme import Programme

CONFLICT = "conflict"
"""Asked for by name or not at all; an answer about it stays with the evaluator."""
RELATIONS = ("contact", "help", "trust")
"""What may tie people to each other in an answer for anybody."""
LEAST_RESPONSE = 0.8
"""Below this share answering, a network is cautioned (Borgatti, Carley and Krackhardt 2006; a convention)."""
FEW = 20
"""Of fewer ties than this, one more or less moves a share of them by over 5 of every 100 (a judgement)."""
NAMED, EITHER = (
    "A tie is counted as it was named: where two people name each other, there are two.",
    "A tie counts once if either of the two names the other, so a pair is seen although one of them did not answer.",
)
"""How ties are read: with their direction, or made the same both ways."""
WITHIN, BETWEEN = "within organisations", "between organisations"
CHANCE = "range expected by chance"
NEEDED = (
    "ties between people of two organisations or more, in ties.csv, and who was asked and who answered, in rosters.csv."
)


@dataclass(frozen=True, slots=True, eq=False)
class Wave:
    """Everybody on the roster of a wave, the ties among them, and what was set aside."""

    wave: int
    when: str
    organisation: pd.Series[str]
    """By person_id, on the day the wave closed, for everybody on the roster who held a post then."""
    answered: frozenset[str]
    ties: pd.DataFrame
    """from_id and to_id, both on the roster."""
    outside: int = 0
    """Ties set aside: an end held no post on the day. Ties with people not on the roster were refused at loading."""
    unplaced: int = 0
    """People on the roster who held no post on the day, or of whom none is on record."""
    day: date | None = None
    """The day the wave closed; None where it is not recorded, and organisations are those of the latest day."""

    @property
    def n(self) -> int:
        """How many were asked."""
        return len(self.organisation)

    @property
    def response_rate(self) -> float:
        """The share of those asked who answered."""
        return len(self.answered) / self.n

    @property
    def sizes(self) -> pd.Series[int]:
        """How many of each person's organisation were asked, that person included."""
        return self.organisation.map(self.organisation.value_counts())

    @property
    def shares(self) -> bool:
        """Whether anybody shares an organisation with another: else no tie could stay within one."""
        return bool((self.sizes > 1).any())

    @property
    def fewest(self) -> int:
        """The fewest people whom all ties across organisations, or all ties within them, could be about.

        Every tie across has an end outside the largest organisation: of twenty people from one and one from another,
        each is that one person's. Every tie within was named by somebody who answered and has a colleague here.
        """
        outside = self.n - int(self.organisation.value_counts().max())
        named = int((self.sizes[self.organisation.index.isin(self.answered)] > 1).sum())
        return min(outside, named or outside)

    def among(self, people: Collection[str]) -> Wave:
        """The same wave with these people only, and the ties between them."""
        kept = self.ties[self.ties["from_id"].isin(people) & self.ties["to_id"].isin(people)]
        organisation = self.organisation[self.organisation.index.isin(people)]
        return replace(self, organisation=organisation, answered=self.answered & set(people), ties=kept)

    def split(self) -> dict[str, pd.DataFrame]:
        """The ties within organisations and those between them."""
        ends = [self.ties[end].map(self.organisation) for end in ("from_id", "to_id")]
        across = (ends[0] != ends[1]).to_numpy(dtype=bool)
        return {WITHIN: self.ties[~across], BETWEEN: self.ties[across]}

    def possible(self, *, directed: bool) -> dict[str, int]:
        """How many ties could have been named within and between organisations by those who answered.

        Without direction: pairs of which at least one answered.
        """
        sizes = self.sizes[self.organisation.index.isin(self.answered)]
        named = {WITHIN: int((sizes - 1).sum()), BETWEEN: int((self.n - sizes).sum())}
        if directed:
            return named
        own = self.organisation[self.organisation.index.isin(self.answered)].value_counts()
        both = {WITHIN: int((own * (own - 1)).sum()) // 2, BETWEEN: int((own.sum() ** 2 - (own**2).sum()) // 2)}
        return {kind: named[kind] - both[kind] for kind in named}  # a pair that both could have named is one


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """The waves of one relation that can be read, in their order, and why others cannot."""

    programme: Programme
    relation: str
    waves: dict[int, Wave]
    unread: tuple[str, ...]

    def refusal(self, question: str, *more: str) -> NotEnoughEvidence:
        """The refusal where no wave is left that could answer."""
        return NotEnoughEvidence(question, missing=" ".join([*self.unread, *more]), would_answer=NEEDED)


def read(programme: Programme, relation: str, question: str) -> Read:
    """The waves of a relation that had closed by the day the data speak of.

    ValueError for a relation there is none of; NotEnoughEvidence where no wave can be read.
    """
    if relation not in (*RELATIONS, CONFLICT):
        raise ValueError(
            f"No relation is called {relation!r}. There are: {words.listed([*RELATIONS])}; and {CONFLICT}, an answer "
            "about which stays with the evaluator."
        )
    open_still = _after(programme)
    compared = circumstances.comparison_leaders(programme)
    ties, rosters = programme.ties, programme.rosters
    ties = ties[(ties["relation"] == relation) & ~ties["wave"].isin(open_still)]
    ties = ties[~ties["from_id"].isin(compared) & ~ties["to_id"].isin(compared)]
    rosters = rosters[~rosters["person_id"].isin(compared) & ~rosters["wave"].isin(open_still)]
    if ties.empty:
        raise NotEnoughEvidence(
            question,
            missing=_none(programme, relation, rosters),
            would_answer="ties.csv and rosters.csv: whom each person on the roster names, at two waves.",
        )
    waves, unread = {}, []
    for wave in sorted({int(wave) for wave in (*ties["wave"].unique(), *rosters["wave"].unique())}):
        own, roster = (frame[frame["wave"] == wave] for frame in (ties, rosters))
        found = _wave(programme, wave, own, roster) if len(roster) else None
        reason = _unreadable(found, relation, wave, roster)
        if reason:
            unread.append(reason)
        elif found is not None:
            waves[wave] = found
    told = Read(programme, relation, waves, tuple(unread))
    if not waves:
        raise told.refusal(question)
    return told


def _none(programme: Programme, relation: str, rosters: pd.DataFrame) -> str:
    """Why there is no tie to read: nobody answered, none was named by now, or only those of others."""
    if len(rosters) and not rosters["responded"].astype(bool).any():
        return f"No {relation} ties were recorded: nobody on a roster answered."
    named = programme.ties[programme.ties["relation"] == relation]
    if named.empty:
        return f"No {relation} ties were recorded."
    if named["wave"].isin(_after(programme)).all():
        return f"No {relation} ties were recorded at a wave that had closed by {words.day(programme.as_of)}."
    return f"No {relation} ties were recorded between people of the programme: only those followed for comparison."


def _after(programme: Programme) -> set[int]:
    """The waves that had not closed by the day the data speak of; one without days is taken to have."""
    held = programme.waves
    last = pd.to_datetime(held["closes_on"]).fillna(pd.to_datetime(held["opens_on"]))
    return set(held.loc[~register.by_now(programme, last), "wave"])


def _wave(programme: Programme, wave: int, own: pd.DataFrame, roster: pd.DataFrame) -> Wave:
    closed = circumstances.closes(programme, wave)
    everybody = programme.organisations_on(programme.as_of if closed is None else closed.date())
    asked = everybody.reindex(pd.Index(roster["person_id"], name="person_id"))
    organisation = asked.dropna()
    answered = roster.loc[roster["responded"].astype(bool), "person_id"]
    both = own["from_id"].isin(organisation.index) & own["to_id"].isin(organisation.index)
    return Wave(
        wave=wave,
        when=circumstances.when(programme, wave),
        organisation=organisation,
        answered=frozenset(answered[answered.isin(organisation.index)]),
        ties=own.loc[both, ["from_id", "to_id"]].reset_index(drop=True),
        outside=int((~both).sum()),
        unplaced=len(asked) - len(organisation),
        day=None if closed is None else closed.date(),
    )


def _unreadable(found: Wave | None, relation: str, wave: int, roster: pd.DataFrame) -> str:
    """Why a wave cannot be read, without a name; nothing where it can."""
    if found is None:
        return f"Wave {wave} has {relation} ties and no roster, so who was asked is not known."
    if not roster["responded"].any():
        return f"Nobody on the roster of wave {wave} answered."
    if not found.answered:
        return f"At wave {wave} no organisation is on record of anybody who answered."
    if found.organisation.nunique() < 2:
        return f"At wave {wave} the people on the roster are not of two organisations or more."
    if found.ties.empty:
        return f"At wave {wave} nobody on the roster named anybody on it as a {relation} tie, or nobody was asked."
    return ""


def about(n: int, one: str, many: str, minimum: int) -> str:
    """A count that tells no few people.

    >>> about(12, "tie", "ties", 5), about(1, "tie", "ties", 5)
    ('12 ties', 'fewer than 5 ties')
    """
    return words.counted(n, one, many) if n >= minimum else f"fewer than {minimum} {many}"


def in_100(share: float) -> str:
    """A share in % as so many of every 100, with a decimal where there are few.

    >>> in_100(2.34), in_100(34.2), in_100(float("nan"))
    ('2.3', '34', 'an unknown number')
    """
    if share != share:
        return "an unknown number"
    return words.number(share, 1 if 0 < share < 10 else 0)


def rows(found: Wave, relation: str, *, directed: bool) -> Iterator[dict[str, Any]]:
    """Rows of one wave: the share of possible ties that are there, and with direction the share of ties returned.

    `raters` is the fewest people these could be about; `possible` how many ties there could be.
    """
    split, possible = found.split(), found.possible(directed=directed)
    common = {"wave": found.wave, "raters": found.fewest}
    named = {kind: _counted(own, directed=directed) for kind, own in split.items()}
    for group in (ALL, WITHIN, BETWEEN):
        kinds = (WITHIN, BETWEEN) if group == ALL else (group,)
        ties, could = (sum(counts[kind] for kind in kinds) for counts in (named, possible))
        yield register.row(
            f"Density of {relation} ties", group, n=len(found.answered), n_of="people", ties=ties, possible=could,
            unit="% of the ties those who answered could have named", **common,
            estimate=100 * ties / could if could else float("nan"),
        )  # fmt: skip
    if not directed:
        return
    both = found.among(found.answered)
    for group, own in {ALL: both.ties, **both.split()}.items():
        yield register.row(
            f"Returned {relation} ties", group, n=len(both.answered), n_of="people", ties=len(own),
            unit="% of ties between two who both answered", wave=found.wave, raters=both.fewest,
            estimate=100 * network.reciprocity(own) if len(own) else float("nan"),
        )  # fmt: skip


def _counted(own: pd.DataFrame, *, directed: bool) -> int:
    """Ties, or pairs of whom either named the other."""
    if directed:
        return len(own)
    return len({frozenset(pair) for pair in zip(own["from_id"], own["to_id"], strict=True)})


def stays(table: pd.DataFrame, relation: str) -> pd.DataFrame:
    """The table as it may travel: one about conflict bears a column of persons, blank, which no audience but the
    evaluator is let see (`disclosure.IDENTIFIERS`): who is at odds with whom is asked in confidence."""
    return table.assign(person_id="") if relation == CONFLICT and "person_id" not in table else table


def cautions(told: Read, waves: Collection[Wave]) -> Iterator[Sentence]:
    """What was set aside at these waves, and which waves could not be read. No few people are told."""
    minimum = told.programme.minimum_group
    for found in waves:
        if found.unplaced:
            people = about(found.unplaced, "person", "people", minimum)
            own = about(found.outside, "tie", "ties", minimum) if found.outside else "no tie"
            yield Sentence(
                f"At wave {found.wave} {people} on the roster held no post that day: they are left out, and {own} "
                "from or to them."
            )
        if found.day is None:
            yield Sentence(
                f"The day wave {found.wave} closed is not recorded: organisations are those of "
                f"{words.day(told.programme.as_of)}, which may not have been theirs then."
            )
        if 0 < len(found.ties) < FEW:
            yield Sentence(
                f"At wave {found.wave} there are {about(len(found.ties), 'tie', 'ties', minimum)}: one more or less "
                "would move every share of them a good deal."
            )
    for reason in told.unread:
        yield Sentence(f"{reason} That wave is left out.")
    if told.relation == CONFLICT:
        yield Sentence("Ties of conflict were named in confidence: this answer stays with the evaluator.")
