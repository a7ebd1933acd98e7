"""Do people turn to others outside their own organisation?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.evidence import attribution, grade
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats import network
from evalkit.team import ties
from evalkit.team.profile import QUESTION
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.programme import Programme
    from evalkit.stats.network import ExternalInternal
    from evalkit.team.ties import Read

METHOD = Method(
    name="E-I index of ties between organisations, against dealing the same organisations anew among the same people; "
    "ties as a share of those possible, and returned",
    source="Krackhardt and Stern 1988, Social Psychology Quarterly 51(2), 123-140; expectation exact, range by "
    "permutation. Wasserman and Faust 1994, Social Network Analysis, p. 129 and ch. 13.",
    assumes="Those who did not answer would have named others much as those who did.",
    design=Design.DESCRIBED,
)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What is asked: one relation, read with or without its direction."""

    read: Read
    directed: bool
    found: dict[int, ExternalInternal]
    table: pd.DataFrame

    @property
    def relation(self) -> str:
        return self.read.relation

    def row(self, measure: str, wave: int, group: str = ALL) -> tuple[int, dict[str, Any]] | None:
        """A row of the table and where it stands; nothing where it is not known."""
        held = self.table
        is_it = held["measure"].str.startswith(measure) & (held["group"] == group) & (held["wave"] == wave)
        here = held[is_it & held["estimate"].notna()]
        return None if here.empty else (int(here.index[0]), {str(k): v for k, v in here.iloc[0].items()})


def bridging(
    programme: Programme,
    *,
    relation: str = "trust",
    directed: bool = True,
    permutations: int = 10_000,
    seed: int = 1,
) -> Result:
    """Are organisations working better together? Do people turn to others outside their own organisation?

    Needs: `ties` of this relation (contact, help or trust; conflict only when asked for by name, and that answer stays
    with the evaluator), `rosters` (who was asked and who answered), and `people` with their organisation; `posts` where
    somebody moved, so that each wave is read with the organisations of its day. directed=False counts a tie once if
    either of two names the other.
    The E-I index is +1 when every tie leaves the organisation and −1 when none does. With many small organisations it
    is high by chance alone, so it is read beside what chance would give. Density is of the ties that those who answered
    could have named; returned are ties between two who both answered, for what the others would have said is unseen.
    Ties with people not on the roster are refused at loading; people on it who held no post on the day a wave closed
    are counted, said and left out with their ties, and so is a wave that cannot be read. Two waves are described, not
    tested: ties of one network are not independent.
    Extras: n_of, wave, expected, ties, response_rate, bound_low and bound_high (over those who did not answer),
    possible (ties), raters (the fewest people the figure could be about).
    Errors: `NotEnoughEvidence` without ties, without a roster, when nobody answered, or with one organisation only;
    `ValueError` for a relation there is none of.

    >>> import evalkit as ek
    >>> bridging(ek.load("sample_data/northmere")).table["interval"].iloc[0]
    'range expected by chance'
    """
    told = ties.read(programme, relation, QUESTION)
    found, alone = _indices(told, directed, permutations, seed)
    if not found:
        raise told.refusal(QUESTION, *alone)
    told = replace(told, unread=(*told.unread, *alone))
    asked = _Asked(told, directed, found, _table(told, found, directed))
    evidence = grade(Design.DESCRIBED, informants=("self",), rivals=circumstances.rivals(programme))
    last = told.waves[max(found)]
    headline = Sentence(_headline(relation, found[last.wave]), rows=(len(found) - 1,))
    decided = described("Ties of one network depend on each other: two waves give no legitimate test here.")
    return Result.of(
        question=QUESTION,
        level=Level.TEAM,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(asked),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=asked.table,
        marks=_marks(asked, headline.text),
        chart=charts.named("dots"),
        method=replace(METHOD, assumes=f"{METHOD.assumes} {ties.NAMED if directed else ties.EITHER}"),
        evidence=evidence,
        cautions=_cautions(asked),
        about=circumstances.about(
            programme,
            f"team.bridging(relation={relation!r}, directed={directed}, permutations={permutations}, seed={seed})",
            n=len(last.answered),
            of=last.n,
            counts="people",
        ),
        details=found,
    )


def _indices(told: Read, directed: bool, permutations: int, seed: int) -> tuple[dict[int, ExternalInternal], list[str]]:
    """The index at each wave, and why it has no meaning at others."""
    found, alone = {}, []
    for wave, seen in told.waves.items():
        if seen.shares:
            found[wave] = network.ei(
                seen.ties, seen.organisation, directed=directed, responded=seen.answered, permutations=permutations,
                seed=seed,
            )  # fmt: skip
        else:
            alone.append(f"At wave {wave} nobody on the roster shares an organisation with anybody, so every tie goes "
                         "outside.")  # fmt: skip
    return found, alone


def _table(told: Read, found: dict[int, ExternalInternal], directed: bool) -> pd.DataFrame:
    """A row a wave for the index, then density and returned ties of each wave."""
    rows = [
        {"measure": f"E-I index of {told.relation} ties", "group": ALL, "estimate": seen.estimate,
         "low": seen.chance_low, "high": seen.chance_high,
         "interval": ties.CHANCE if seen.chance_low == seen.chance_low else "none given", "n": seen.n,
         "unit": "from −1 to +1", "n_of": "people", "wave": wave, "expected": seen.expected, "ties": seen.ties,
         "response_rate": seen.response_rate, "bound_low": seen.bound_low, "bound_high": seen.bound_high,
         "possible": None, "raters": told.waves[wave].fewest}
        for wave, seen in found.items()
    ]  # fmt: skip
    for wave in found:
        rows += ties.rows(told.waves[wave], told.relation, directed=directed)
    whole = dict.fromkeys(("n", "wave", "ties", "possible", "raters"), "Int64")
    return ties.stays(pd.DataFrame(rows).astype(whole), told.relation)


def _share(index: float) -> int:
    """An E-I index as so many of every 100 ties that go outside.

    >>> _share(-1.0), _share(0.5)
    (0, 75)
    """
    return round(50 * (1 + index))


def _headline(relation: str, last: ExternalInternal) -> str:
    return (
        f"{_share(last.estimate)} of every 100 {relation} ties go outside the organisation; "
        f"if organisations did not matter it would be {_share(last.expected)}"
    )


def _sentences(asked: _Asked) -> list[Sentence]:
    """The first and the last wave, with what chance would give and how many answered; then how dense, and returned."""
    waves = list(asked.found)
    said = [_outside(asked, wave, waves.index(wave)) for wave in dict.fromkeys((waves[0], waves[-1]))]
    last = waves[-1]
    dense = [asked.row("Density", last, group) for group in (ties.WITHIN, ties.BETWEEN)]
    known = [held for held in dense if held is not None]
    if known:
        parts = words.listed([f"{ties.in_100(row['estimate'])} {row['group']}" for _, row in known])
        said.append(Sentence(f"Of every 100 ties that those who answered could have named, {parts} are there "
                             f"({asked.read.waves[last].when}).", rows=tuple(at for at, _ in known)))  # fmt: skip
    back = asked.row("Returned", last)
    if back is not None:
        cut = [held for group in (ties.WITHIN, ties.BETWEEN) if (held := asked.row("Returned", last, group))]
        parts = words.listed([f"{ties.in_100(row['estimate'])} {row['group']}" for _, row in cut])
        said.append(Sentence(f"Of every 100 ties between two who both answered, {ties.in_100(back[1]['estimate'])} are "
                             f"returned: {parts}.", rows=(back[0], *(at for at, _ in cut))))  # fmt: skip
    return said


def _outside(asked: _Asked, wave: int, place: int) -> Sentence:
    seen, found = asked.found[wave], asked.read.waves[wave]
    dealt = seen.chance_low == seen.chance_low
    chance = f"{_share(seen.chance_low)} to {_share(seen.chance_high)}" if dealt else f"about {_share(seen.expected)}"
    return Sentence(
        f"{words.sentence_case(found.when)}: {words.of(seen.external, seen.ties)} {asked.relation} ties, "
        f"{_share(seen.estimate)} of every 100, went outside the organisation; if people named each other regardless "
        f"of it, {chance} of every 100 would. "
        f"{round(100 * found.response_rate)} of every 100 asked answered.",
        rows=(place,),
    )


def _marks(asked: _Asked, headline: str) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for place, row in enumerate(asked.table.iloc[: len(asked.found)].to_dict("records")):
        when = asked.read.waves[int(row["wave"])].when
        rows.append(
            {"mark": "point", "series": "seen", "x": f"{when}: seen", "y": row["estimate"], "n": row["n"], "row": place}
        )
        rows.append(
            {"mark": "point", "series": "chance", "x": f"{when}: by chance", "y": row["expected"], "low": row["low"],
             "high": row["high"], "n": row["n"], "row": place}
        )  # fmt: skip
    rows.append({"mark": "scale", "low": -1.0, "high": 1.0})
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"E-I index of {asked.relation} ties between organisations, {asked.read.programme.title}",
        x_axis="−1: all ties stay inside the organisation; +1: all go outside",
    )


def _cautions(asked: _Asked) -> list[Sentence]:
    said = []
    for place, (wave, seen) in enumerate(asked.found.items()):
        if asked.read.waves[wave].response_rate < ties.LEAST_RESPONSE and seen.bound_low is not None:
            said.append(
                Sentence(
                    f"Under {ties.LEAST_RESPONSE:.0%} answered at wave {wave}: with everybody's answers it could be "
                    f"{_share(seen.bound_low)} to {_share(seen.bound_high or 0.0)} of every 100.",
                    rows=(place,),
                )
            )
    said += ties.cautions(asked.read, asked.read.waves.values())
    if len(asked.found) > 1:
        said.append(Sentence("People at the two waves are not all the same; some joined and some left."))
    said.append(Sentence("A tie says that somebody named somebody, not how well they work together."))
    return said
