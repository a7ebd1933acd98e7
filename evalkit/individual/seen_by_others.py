"""Do others see leaders as leaders see themselves?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evalkit import charts, circumstances, words
from evalkit.disclosure import TELLS
from evalkit.errors import NotEnoughEvidence
from evalkit.evidence import attribution, grade
from evalkit.individual import ratings, weighed
from evalkit.individual.gaps import APART_SOURCE, beside, count_rows, gap_row
from evalkit.individual.looking_back import known_raters
from evalkit.individual.weighed import DOMAIN, QUESTION
from evalkit.result import Method, Result, Sentence
from evalkit.stats.student import share
from evalkit.terms import Design, Level, Step
from evalkit.verdict import described

if TYPE_CHECKING:
    from evalkit.individual.gaps import Gap
    from evalkit.instrument import Instrument
    from evalkit.programme import Programme

METHOD = Method(
    name="Mean of leaders' own rating less the mean of others' ratings of the same leader, with limits of agreement",
    source="Bland and Altman 1986, Lancet i, 307-310; interval by CR2 over teams (over people when fewer than three "
    f"teams are known): Pustejovsky and Tipton 2018; {APART_SOURCE}",
    assumes="Leaders whom others rated are like those whom nobody rated; people (or teams) are independent.",
    design=Design.DESCRIBED,
)


def seen_by_others(
    programme: Programme,
    *,
    on: str,
    raters: tuple[str, ...] = ("sponsor", "partner"),
    by: str | None = None,
    importance: str | None = None,
    confidence: float = 0.95,
) -> Result:
    """Do others see leaders as leaders see themselves?

    Needs: `responses` about persons on the instrument `on`, by leaders and by at least one other kind of rater at the
    same wave. A gap is not an error of either: others see less, and leaders are kinder or harsher to themselves. The
    gap is read at the first and the last wave both rated; a gap that closes can close from either side. Kinds of rater
    with fewer people than the programme's minimum stay with the evaluator. Beside the gap the table counts leaders who
    rate themselves half a standard deviation or more higher or lower. `by="domain"` gives the gap domain by domain at
    the last wave both rated. `importance` names an instrument with the same domains that says how much each matters
    (healthcare_leadership_importance): it asks by domain too, and weighs each leader's gaps by it.
    Columns: n_of, wave, raters (how many gave ratings), mean_own, mean_others, differs_from and differs_to (between
    which 95 of 100 leaders' own gaps lie), out_of, tells; by domain also weighed_by.
    Errors: `NotEnoughEvidence` when no other rated the same leaders at the same wave, or nobody rated importance;
    ValueError for another `by`, or an importance with other domains.

    >>> import evalkit as ek
    >>> seen_by_others(ek.load("sample_data/northmere"), on="system_leadership").verdict
    <Verdict.DESCRIBED: 'described'>
    """
    share(confidence)
    instrument = circumstances.instrument(programme, on)
    if by not in (None, DOMAIN):
        raise ValueError(f"by={by!r} is none of what gaps can be split by: {DOMAIN!r}.")
    if instrument.recorded:
        raise NotEnoughEvidence(
            QUESTION,
            missing=instrument.never_averaged,
            would_answer="an instrument that says how well or how often people lead, answered by them and by others.",
        )
    raters = known_raters(raters)
    if not raters:
        raise ValueError("raters=() names nobody who could have rated leaders; leave it out, or write ('sponsor',).")
    if by == DOMAIN or importance is not None:
        return weighed.by_domain(programme, instrument, raters, importance, confidence)
    gaps = [gap for rater in raters for gap in _gaps(programme, instrument, rater, confidence)]
    if not gaps:
        raise weighed.nobody(instrument, raters)
    table = _table(instrument, gaps, confidence)
    evidence = grade(Design.DESCRIBED, informants=("self", *dict.fromkeys(gap.rater for gap in gaps)))
    decided = described("A difference between raters is not a change.")
    headline = Sentence(_headline(gaps), rows=tuple(_last_rows(gaps)))
    return Result.of(
        question=QUESTION,
        level=Level.INDIVIDUAL,
        kirkpatrick=Step.BEHAVIOUR,
        headline=headline,
        sentences=_sentences(programme, gaps, confidence),
        decided=decided,
        attribution=attribution(evidence, decided.verdict),
        table=table,
        marks=_marks(programme, instrument, table, gaps, headline.text),
        chart=charts.named("dots"),
        method=METHOD,
        evidence=evidence,
        cautions=_cautions(instrument, gaps),
        about=circumstances.about(
            programme,
            f"individual.seen_by_others(on={on!r}, raters={raters!r})",
            n=max(gap.n for gap in gaps),
            of=len(circumstances.taking_part(programme)) or None,
            counts="leaders",
        ),
        details=gaps,
    )


def _gaps(programme: Programme, instrument: Instrument, rater: str, confidence: float) -> list[Gap]:
    """The gap at the first and the last wave in which leaders and these others rated the same people."""
    domain = ratings.main_domain(instrument)
    found = beside(programme, instrument, rater, [domain])[domain]
    return [found.gap(wave, confidence) for wave in dict.fromkeys([*found.waves[:1], *found.waves[-1:]])]


def _table(instrument: Instrument, gaps: list[Gap], confidence: float) -> pd.DataFrame:
    """A row a kind of rater and wave; then, for each kind's last wave, how many leaders rate themselves otherwise."""
    rows = [gap_row(instrument, gap, confidence) for gap in gaps]
    rows += [each for place in _last_rows(gaps) for each in count_rows(gaps[place])]
    table = pd.DataFrame(rows)
    table = table.reindex(columns=list(dict.fromkeys([*table.columns, "out_of", TELLS])))
    return table.astype(dict.fromkeys(("n", "raters", "out_of", TELLS), "Int64"))


def _last_rows(gaps: list[Gap]) -> list[int]:
    """The rows of each kind of rater's last wave."""
    return list({gap.rater: place for place, gap in enumerate(gaps)}.values())


def _headline(gaps: list[Gap]) -> str:
    said = [f"{words.higher(gaps[row].estimate)} than {words.raters(gaps[row].rater)} do" for row in _last_rows(gaps)]
    return f"Leaders rate themselves {words.listed(said)}"


def _sentences(programme: Programme, gaps: list[Gap], confidence: float) -> list[Sentence]:
    """One sentence a kind of rater: the gap at the last wave, beside the first."""
    said = []
    for last in _last_rows(gaps):
        gap, first = gaps[last], next(place for place, other in enumerate(gaps) if other.rater == gaps[last].rater)
        sure = "" if np.isnan(gap.low) else f" ({words.between(gap.low, gap.high, 2)}, {confidence:.0%} interval)"
        before = (
            ""
            if first == last
            else f"; in {circumstances.when(programme, gaps[first].wave)} it was {words.number(gaps[first].estimate)}"
        )
        said.append(
            Sentence(
                f"In {circumstances.when(programme, gap.wave)} leaders rated themselves {words.number(gap.own)} and "
                f"{words.raters(gap.rater)} rated the same {words.counted(gap.n, 'leader')} "
                f"{words.number(gap.others)}: a gap of {words.number(gap.estimate)}{sure}{before}.",
                rows=tuple(dict.fromkeys((last, first))),
            )
        )
    return said


def _marks(
    programme: Programme, instrument: Instrument, table: pd.DataFrame, gaps: list[Gap], headline: str
) -> pd.DataFrame:
    rows: list[dict[str, Any]] = [
        {"mark": "point", "series": gap.rater, "y": gap.estimate, "low": gap.low, "high": gap.high, "n": gap.n,
         "row": row, "x": f"{words.sentence_case(words.raters(gap.rater))}, {circumstances.when(programme, gap.wave)}"}
        for row, gap in enumerate(gaps)
    ]  # fmt: skip
    rows.append({"mark": "line", "y": 0.0, "label": "rated alike"})
    return charts.marks(
        rows,
        headline=headline,
        subtitle=f"Leaders' own rating less others' on the {instrument.name}, {programme.title}",
        x_axis=f"points, own less others', with {table['interval'].iloc[0]} intervals",
    )


def _cautions(instrument: Instrument, gaps: list[Gap]) -> list[Sentence]:
    said = [Sentence("Others see only part of what a leader does; neither rating is the true one.")]
    said.append(Sentence("The leaders rated by others are those for whom somebody answered, not all of them."))
    for row in _last_rows(gaps):
        gap = gaps[row]
        if not np.isnan(gap.lower):
            said.append(
                Sentence(
                    f"Single leaders differ widely from {words.raters(gap.rater)}: 95 of 100 gaps lie between "
                    f"{words.number(gap.lower)} and {words.number(gap.upper)}.",
                    rows=(row,),
                )
            )
    if instrument.scale.evaluator_defined:
        said.append(
            Sentence(f"The {instrument.name} has no scale of its own: this one is the evaluator's, and not validated.")
        )
    return said
