"""Do people turn to others outside their own organisation?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.result import ALL, Method, Result, Sentence
from evalkit.stats import network
from evalkit.team.profile import QUESTION
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.programme import Programme
    from evalkit.stats.network import ExternalInternal

LEAST_RESPONSE = 0.8
"""Below this share answering, a network is cautioned (Borgatti, Carley and Krackhardt 2006; a convention)."""
METHOD = Method(
    name="E-I index of ties between organisations, against dealing the same organisations anew among the same people",
    source="Krackhardt and Stern 1988, Social Psychology Quarterly 51(2), 123-140; "
    "expectation exact, range by permutation.",
    assumes="Those who did not answer would have named others much as those who did.",
    design=Design.DESCRIBED,
)


def bridging(programme: Programme, *, relation: str = "trust", permutations: int = 10_000, seed: int = 1) -> Result:
    """Are organisations working better together? Do people turn to others outside their own organisation?

    Needs: `ties` of this relation, `rosters` (who was asked and who answered), and `people` with their organisation;
    `posts` where somebody moved, so that each wave is read with the organisations of its day.
    The E-I index is +1 when every tie leaves the organisation and −1 when none does. With many small organisations it
    is high by chance alone, so it is read beside what chance would give. Two waves are described, not tested: ties of
    one network are not independent. Errors: `NotEnoughEvidence` without ties or with one organisation only.

    >>> import evalkit as ek
    >>> bridging(ek.load("sample_data/northmere")).table["interval"].iloc[0]
    'range expected by chance'
    """
    ties = programme.ties[programme.ties["relation"] == relation]
    if ties.empty:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"No {relation} ties were recorded.",
            would_answer="ties.csv and rosters.csv: whom each person on the roster names, at two waves.",
        )
    waves = sorted(int(wave) for wave in ties["wave"].unique())
    found = {wave: _network(programme, ties[ties["wave"] == wave], wave, permutations, seed) for wave in waves}
    table = _ties_table(relation, found)
    evidence = grade(Design.DESCRIBED, informants=("self",), rivals=circumstances.rivals(programme))
    last = found[max(found)]
    headline = Sentence(_ties_headline(relation, last), rows=(len(table) - 1,))
    decided = described("Ties of one network depend on each other: two waves give no legitimate test here.")
    return Result.of(
        question=QUESTION,
        level=Level.TEAM,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_ties_sentences(programme, relation, found),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_ties_marks(programme, relation, table, headline.text),
        chart=charts.named("dots"),
        method=METHOD,
        evidence=evidence,
        cautions=_ties_cautions(found),
        about=circumstances.about(
            programme,
            f"team.bridging(relation={relation!r}, permutations={permutations}, seed={seed})",
            n=last.n if last.response_rate is None else round(last.response_rate * last.n),
            of=last.n,
            counts="people",
        ),
        details=found,
    )


def _network(programme: Programme, own: pd.DataFrame, wave: int, permutations: int, seed: int) -> ExternalInternal:
    """The index at one wave among those on its roster."""
    compared = circumstances.comparison_leaders(programme)
    own = own[~own["from_id"].isin(compared) & ~own["to_id"].isin(compared)]
    roster = programme.rosters[(programme.rosters["wave"] == wave) & ~programme.rosters["person_id"].isin(compared)]
    day = circumstances.closes(programme, wave)
    organisation = programme.organisations_on(programme.as_of if day is None else day.date()).dropna()
    organisation = organisation[~organisation.index.isin(compared)]
    asked = organisation[organisation.index.isin(roster["person_id"])] if not roster.empty else organisation
    responded = (
        list(roster.loc[roster["responded"].fillna(False).astype(bool), "person_id"]) if not roster.empty else None
    )
    try:
        return network.ei(own[["from_id", "to_id"]], asked, responded=responded, permutations=permutations, seed=seed)
    except ValueError as refusal:
        raise NotEnoughEvidence(
            QUESTION,
            missing=f"Wave {wave}: {refusal}",
            would_answer="ties between people of two organisations or more.",
        ) from refusal


def _ties_table(relation: str, found: dict[int, ExternalInternal]) -> pd.DataFrame:
    """A row a wave. Extras: n_of, wave, expected, ties, response_rate, and bounds over those who did not answer."""
    return pd.DataFrame(
        [
            {"measure": f"E-I index of {relation} ties", "group": ALL, "estimate": seen.estimate,
             "low": seen.chance_low, "high": seen.chance_high, "interval": "range expected by chance", "n": seen.n,
             "unit": "from −1 to +1", "n_of": "people", "wave": wave, "expected": seen.expected, "ties": seen.ties,
             "response_rate": seen.response_rate, "bound_low": seen.bound_low, "bound_high": seen.bound_high}
            for wave, seen in found.items()
        ]
    ).astype({"n": "Int64"})  # fmt: skip


def _share(index: float) -> int:
    """An E-I index as so many of every 100 ties that go outside.

    >>> _share(-1.0), _share(0.5)
    (0, 75)
    """
    return round(50 * (1 + index))


def _ties_headline(relation: str, last: ExternalInternal) -> str:
    return (
        f"{_share(last.estimate)} of every 100 {relation} ties go outside the organisation; "
        f"if organisations did not matter it would be {_share(last.expected)}"
    )


def _ties_sentences(programme: Programme, relation: str, found: dict[int, ExternalInternal]) -> list[Sentence]:
    """One sentence a wave, with what chance would give and how many answered."""
    said = []
    for place, (wave, seen) in enumerate(found.items()):
        answered = (
            "" if seen.response_rate is None else f" {round(100 * seen.response_rate)} of every 100 asked answered."
        )
        said.append(
            Sentence(
                f"{words.sentence_case(circumstances.when(programme, wave))}: {words.of(seen.external, seen.ties)} "
                f"{relation} ties, {_share(seen.estimate)} of every 100, went outside the organisation; if people "
                f"named each other regardless of it, {_share(seen.chance_low)} to {_share(seen.chance_high)} of "
                f"every 100 would.{answered}",
                rows=(place,),
            )
        )
    return said


def _ties_marks(programme: Programme, relation: str, table: pd.DataFrame, headline: str) -> pd.DataFrame:
    rows = []
    for place, row in enumerate(table.to_dict("records")):
        when = circumstances.when(programme, int(row["wave"]))
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
        subtitle=f"E-I index of {relation} ties between organisations, {programme.title}",
        x_axis="−1: all ties stay inside the organisation; +1: all go outside",
    )


def _ties_cautions(found: dict[int, ExternalInternal]) -> list[Sentence]:
    said = []
    for place, (wave, seen) in enumerate(found.items()):
        if seen.response_rate is not None and seen.response_rate < LEAST_RESPONSE and seen.bound_low is not None:
            said.append(
                Sentence(
                    f"Under {LEAST_RESPONSE:.0%} answered at wave {wave}: with everybody's answers it could be "
                    f"{_share(seen.bound_low)} to {_share(seen.bound_high or 0.0)} of every 100.",
                    rows=(place,),
                )
            )
    said.append(Sentence("People at the two waves are not all the same; some joined and some left."))
    said.append(Sentence("A tie says that somebody named somebody, not how well they work together."))
    return said
